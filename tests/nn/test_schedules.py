"""Schedules: the rates of PyTorch, epoch by epoch."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from micrograd import Value
from nn import schedules
from nn.optimizers import SGD, Adagrad, Adam

CASES = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("StepLR", {"step_size": 1}),
    ("MultiStepLR", {"milestones": [7, 2, 2], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 8}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 9}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 3}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 9, "power": 2.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 12}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 12, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 3, "steps_per_epoch": 4, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 15, "pct_start": 0.2, "div_factor": 10.0}),
]


# Schedules in sequence: the name and options of each, and the epochs at which the next starts.
SEQUENCES = [
    ([("LinearLR", {"total_iters": 4}), ("CosineAnnealingLR", {"T_max": 8})], [4]),
    ([("LinearLR", {}), ("StepLR", {"step_size": 2}), ("ExponentialLR", {"gamma": 0.5})], [3, 8]),
    ([("ExponentialLR", {"gamma": 0.8}), ("LinearLR", {"start_factor": 0.5})], [6]),
    ([("ConstantLR", {}), ("PolynomialLR", {"total_iters": 6, "power": 2.0})], [5]),
]

# Schedules that are chained: the name and options of each.
CHAINS = [
    [("ConstantLR", {"total_iters": 4}), ("ExponentialLR", {"gamma": 0.9})],
    [("LinearLR", {}), ("StepLR", {"step_size": 2}), ("MultiStepLR", {"milestones": [3, 7]})],
    [("PolynomialLR", {"total_iters": 8}), ("ExponentialLR", {"gamma": 0.9})],
    [("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.02}), ("ExponentialLR", {"gamma": 0.9})],
    [("LinearLR", {"total_iters": 3}), ("CosineAnnealingLR", {"T_max": 20})],
    [("ExponentialLR", {"gamma": 0.9}), ("LambdaLR", {"lr_lambda": lambda epoch: 0.9**epoch})],
    [("CosineAnnealingWarmRestarts", {"T_0": 4}), ("LinearLR", {"total_iters": 6})],
]

# The options of ReduceLROnPlateau, and the metrics that it is given.
FALLING = [3.0, 2.0, 2.0, 2.0, 1.9999, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 1.4, math.nan, 1.4]
PLATEAUS = [
    ({"patience": 1}, FALLING),
    ({"patience": 0, "factor": 0.5, "cooldown": 2}, FALLING),
    ({"patience": 1, "mode": "max", "threshold": 0.1}, [-each for each in FALLING]),
    ({"patience": 1, "threshold": 0.3, "threshold_mode": "abs", "min_lr": 0.05}, FALLING),
    ({"patience": 0, "mode": "max", "threshold_mode": "abs", "factor": 0.3}, FALLING[::-1]),
    ({"patience": 0, "eps": 0.01}, FALLING),
]


def sequence(module, optimizer, parts, milestones):
    made = [getattr(module, name)(optimizer, **options) for name, options in parts]
    return module.SequentialLR(optimizer, made, milestones)


def chain(module, optimizer, parts):
    made = [getattr(module, name)(optimizer, **options) for name, options in parts]
    return module.ChainedScheduler(made, optimizer=optimizer)


def two_groups(kind, x, y):
    return kind([{"params": [x], "lr": 0.3}, {"params": [y], "momentum": 0.5}], lr=0.1)


def rates(schedule, optimizer, epochs=12):
    found = []
    for _ in range(epochs):
        found.append(optimizer.lr)
        schedule.step()
    return found


def written(name, options):
    values = (f"{key}={'f' if callable(each) else each}" for key, each in options.items())
    return f"{name}({', '.join(values)})"


def single(module, optimizer, name, options):
    return getattr(module, name)(optimizer, **options)


# For each schedule a function that makes it, and the arguments after the module and the optimizer.
EVERY = {
    **{written(*case): (single, case) for case in CASES},
    **{
        f"{' then '.join(written(*part) for part in case[0])} at {case[1]}": (sequence, case)
        for case in SEQUENCES
    },
    **{" and ".join(written(*part) for part in case): (chain, (case,)) for case in CHAINS},
}
RECORDED = json.loads((Path(__file__).parent / "schedules.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EVERY)
def test_the_rates_are_those_that_were_recorded_of_pytorch(name):
    make, arguments = EVERY[name]
    optimizer = SGD([Value(0.0)], lr=0.3)
    found = rates(make(schedules, optimizer, *arguments), optimizer)
    # PyTorch multiplies the factors one by one, and rounds each time.
    assert found == pytest.approx(RECORDED[name], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.filterwarnings("ignore:Detected call of", "ignore:The epoch parameter")
def test_the_rates_agree_with_pytorch(name):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    make, arguments = EVERY[name]
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    there = make(torch.optim.lr_scheduler, other, *arguments)
    for expected in RECORDED[name]:
        assert other.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-12, abs=1e-15)
        there.step()


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("options", [options for name, options in CASES if name == "OneCycleLR"])
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_the_momentum_of_one_cycle_agrees_with_pytorch(kind, options):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    optimizer = {"SGD": SGD, "Adam": Adam}[kind]([Value(0.0)])
    other = getattr(torch.optim, kind)([torch.zeros(1, requires_grad=True)])
    here = schedules.OneCycleLR(optimizer, base_momentum=0.5, max_momentum=0.9, **options)
    module = torch.optim.lr_scheduler
    there = module.OneCycleLR(other, base_momentum=0.5, max_momentum=0.9, **options)
    name = "betas" if kind == "Adam" else "momentum"
    for _ in range(here.total_steps - 1):
        found, expected = optimizer.param_groups[0], other.param_groups[0]
        assert found[name] == pytest.approx(expected[name], rel=1e-12)
        assert found["lr"] == pytest.approx(expected["lr"], rel=1e-12)
        here.step()
        there.step()


@pytest.mark.parametrize(("options", "metrics"), PLATEAUS)
def test_the_rates_on_a_plateau_agree_with_pytorch(options, metrics):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    optimizer = SGD([Value(0.0)], lr=0.3)
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    here = schedules.ReduceLROnPlateau(optimizer, **options)
    there = torch.optim.lr_scheduler.ReduceLROnPlateau(other, **options)
    for metric in metrics:
        here.step(metric)
        there.step(metric)
        assert optimizer.lr == pytest.approx(other.param_groups[0]["lr"], rel=1e-12)
        assert here.get_last_lr() == [optimizer.lr]


LAMBDAS = {"lr_lambda": [lambda epoch: 0.9**epoch, lambda epoch: 1 / (1 + epoch)]}
BY_GROUP = [
    (single, ("LambdaLR", LAMBDAS)),
    (chain, ([("LambdaLR", LAMBDAS), ("ConstantLR", {})],)),
    (
        single,
        ("OneCycleLR", {"max_lr": [0.5, 0.1], "total_steps": 12, "base_momentum": [0.5, 0.7]}),
    ),
]


@pytest.mark.parametrize(("make", "arguments"), [*EVERY.values(), *BY_GROUP])
@pytest.mark.filterwarnings("ignore:Detected call of", "ignore:The epoch parameter")
def test_every_group_of_parameters_has_the_rates_of_pytorch(make, arguments):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    optimizer = two_groups(SGD, Value(0.0), Value(0.0))
    other = two_groups(torch.optim.SGD, *(torch.zeros(1, requires_grad=True) for _ in "ab"))
    here = make(schedules, optimizer, *arguments)
    there = make(torch.optim.lr_scheduler, other, *arguments)
    for _ in range(12):
        for found, expected in zip(optimizer.param_groups, other.param_groups, strict=True):
            for each in ("lr", "momentum"):
                assert found[each] == pytest.approx(expected[each], rel=1e-12, abs=1e-15)
        here.step()
        if here.last_epoch < 12:
            there.step()


def test_the_rates_are_those_of_the_formulas():
    def of(name, **options):
        optimizer = SGD([Value(0.0)], lr=2.0)
        return rates(getattr(schedules, name)(optimizer, **options), optimizer, 5)

    assert of("StepLR", step_size=2, gamma=0.5) == [2.0, 2.0, 1.0, 1.0, 0.5]
    assert of("LinearLR", start_factor=0.5, total_iters=2) == [1.0, 1.5, 2.0, 2.0, 2.0]
    assert of("CosineAnnealingLR", T_max=4) == pytest.approx(
        [2.0, 1 + math.sqrt(0.5), 1.0, 1 - math.sqrt(0.5), 0.0]
    )
    assert of("MultiStepLR", milestones=[1, 3], gamma=0.5) == [2.0, 1.0, 1.0, 0.5, 0.5]
    assert of("ExponentialLR", gamma=0.5) == [2.0, 1.0, 0.5, 0.25, 0.125]
    assert of("LambdaLR", lr_lambda=lambda epoch: epoch / 4) == [0.0, 0.5, 1.0, 1.5, 2.0]

    assert of("ConstantLR", factor=0.5, total_iters=2) == [1.0, 1.0, 2.0, 2.0, 2.0]
    assert of("PolynomialLR", total_iters=4, power=2.0) == [2.0, 1.125, 0.5, 0.125, 0.0]
    assert of("CosineAnnealingWarmRestarts", T_0=2) == pytest.approx([2.0, 1.0, 2.0, 1.0, 2.0])
    assert of(
        *("OneCycleLR",),
        max_lr=4.0,
        total_steps=5,
        pct_start=0.6,
        anneal_strategy="linear",
        div_factor=4.0,
        final_div_factor=2.0,
    ) == pytest.approx([1.0, 2.5, 4.0, 2.25, 0.5])

    optimizer = SGD([Value(0.0)], lr=2.0)
    parts = [("ConstantLR", {"factor": 0.5, "total_iters": 2}), ("ExponentialLR", {"gamma": 0.5})]
    found = rates(chain(schedules, optimizer, parts), optimizer, 5)
    assert found == [1.0, 0.5, 0.5, 0.25, 0.125]

    optimizer = SGD([Value(0.0)], lr=2.0)
    schedule, found = schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=1), []
    for metric in [3.0, 2.0, 2.0, 2.0, 1.0, 5.0, 5.0]:
        schedule.step(metric)
        found.append(optimizer.lr)
    assert found == [2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 0.5]

    optimizer = SGD([Value(0.0)], lr=2.0)
    parts = [("LinearLR", {"start_factor": 0.5, "total_iters": 2}), ("StepLR", {"step_size": 1})]
    found = rates(sequence(schedules, optimizer, parts, [2]), optimizer, 5)
    assert found == pytest.approx([1.0, 1.5, 2.0, 0.2, 0.02], rel=1e-15)


def test_the_current_rate_is_given_as_in_pytorch():
    schedule = schedules.ExponentialLR(SGD([Value(0.0)], lr=2.0), gamma=0.5)
    schedule.step()
    assert schedule.last_epoch == 1
    assert schedule.get_last_lr() == [1.0]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_loaded_state_continues_at_the_same_rate(name, options):
    first, second = SGD([Value(0.0)], lr=0.3), SGD([Value(0.0)], lr=5.0)
    one = getattr(schedules, name)(first, **options)
    for _ in range(4):
        one.step()
    other = getattr(schedules, name)(second, **options)
    other.load_state_dict(one.state_dict())
    assert second.lr == first.lr
    assert rates(other, second, 8) == rates(one, first, 8)


def test_a_loaded_state_continues_with_every_group_and_after_a_plateau():
    for make in (
        lambda optimizer: schedules.StepLR(optimizer, 2),
        lambda optimizer: schedules.ReduceLROnPlateau(optimizer, patience=1, cooldown=1),
        lambda optimizer: chain(schedules, optimizer, CHAINS[3]),
        lambda optimizer: sequence(schedules, optimizer, *SEQUENCES[0]),
    ):
        first, second = (two_groups(SGD, Value(0.0), Value(0.0)) for _ in range(2))
        one, other = make(first), make(second)
        for number, metric in enumerate(FALLING):
            if number == 5:
                other.load_state_dict(one.state_dict())
            for each in (one, other) if number >= 5 else (one,):
                each.step(*[metric] * isinstance(each, schedules.ReduceLROnPlateau))
        found = [[g["lr"] for g in optimizer.param_groups] for optimizer in (first, second)]
        assert found[0] == found[1] != [0.3, 0.1]


def test_a_whole_number_of_epochs_may_be_a_float():
    for name, options in (
        ("CosineAnnealingLR", {"T_max": 10}),
        ("StepLR", {"step_size": 2}),
        ("MultiStepLR", {"milestones": [2, 4]}),
        ("LinearLR", {"total_iters": 3}),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2}),
        ("OneCycleLR", {"max_lr": 1, "total_steps": 12}),
        ("ReduceLROnPlateau", {"patience": 3}),
    ):
        rates = []
        for kind in (int, float):
            given = {
                key: [*map(kind, each)] if isinstance(each, list) else kind(each)
                for key, each in options.items()
            }
            optimizer = SGD([Value(0.0)], lr=0.5)
            schedule = getattr(schedules, name)(optimizer, **given)
            rates.append([])
            for _ in range(10):
                schedule.step(*[1.0] * (name == "ReduceLROnPlateau"))
                rates[-1].append(optimizer.lr)
        assert rates[0] == rates[1], name
        assert len({*rates[0]}) > 1, name


def test_schedules_by_name_end_with_the_training():
    ends = {
        "linear": 0.0,
        "polynomial": 0.0,
        "cosine": 0.0,
        "exponential": 0.01,
        "step": 0.001,
        "cosine_warm_restarts": 1.0,
        "one_cycle": 1 / 25e4,
        "plateau": 1.0,
    }
    assert set(ends) == set(schedules.SCHEDULES)
    for name, end in ends.items():
        for kind in (SGD, Adagrad):
            optimizer = kind([Value(0.0)], lr=1.0)
            schedule = schedules.named(name, optimizer, 12)
            if name != "plateau":
                for _ in range(12):
                    schedule.step()
            assert optimizer.lr == pytest.approx(end, abs=1e-12), name
            found = schedules.named(type(schedule).__name__, optimizer, 12)
            assert type(found) is type(schedule)
    with pytest.raises(ValueError, match="unknown schedule 'cosin': give one of linear, "):
        schedules.named("cosin", SGD([Value(0.0)]), 12)


def test_bad_options_and_states_are_refused():
    optimizer = SGD([Value(0.0)], lr=0.3)
    with pytest.raises(ValueError, match="step_size is a whole number of epochs"):
        schedules.StepLR(optimizer, 0)
    with pytest.raises(ValueError, match="step_size is a whole number of epochs"):
        schedules.StepLR(optimizer, True)
    with pytest.raises(ValueError, match="T_max"):
        schedules.CosineAnnealingLR(optimizer, 2.5)
    with pytest.raises(ValueError, match="start_factor is a number above 0 and at most 1, got 0"):
        schedules.LinearLR(optimizer, start_factor=0.0)
    with pytest.raises(
        ValueError, match="end_factor is a number of at least 0 and at most 1, got 1"
    ):
        schedules.LinearLR(optimizer, end_factor=1.5)
    with pytest.raises(TypeError, match="a schedule takes an optimizer, got float"):
        schedules.ExponentialLR(0.1, gamma=0.9)
    with pytest.raises(NotImplementedError, match="define rate"):
        schedules.Schedule(optimizer)
    one, two = schedules.StepLR(optimizer, 1), schedules.StepLR(SGD([Value(0.0)]), 1)
    with pytest.raises(ValueError, match="got 1 schedules and 1 milestones"):
        schedules.SequentialLR(optimizer, [one], [3])
    with pytest.raises(ValueError, match="belong to its optimizer"):
        schedules.SequentialLR(optimizer, [one, two], [3])
    with pytest.raises(ValueError, match="each after the one before"):
        schedules.SequentialLR(optimizer, [one, one, one], [3, 3])
    with pytest.raises(ValueError, match="milestones are epochs"):
        schedules.SequentialLR(optimizer, [one, one], [0])
    plateau = schedules.ReduceLROnPlateau(optimizer)
    for kind in (schedules.SequentialLR, lambda o, parts, _: schedules.ChainedScheduler(parts, o)):
        with pytest.raises(ValueError, match="cannot contain ReduceLROnPlateau"):
            kind(optimizer, [one, plateau], [3])
        cycle = schedules.OneCycleLR(optimizer, 0.1, 12)
        with pytest.raises(ValueError, match="set cycle_momentum=False"):
            kind(optimizer, [one, cycle], [3])
    with pytest.raises(ValueError, match="at least one schedule"):
        schedules.ChainedScheduler([], optimizer)
    with pytest.raises(ValueError, match="belong to its optimizer"):
        schedules.ChainedScheduler([one, two])
    with pytest.raises(ValueError, match="total_steps, or both epochs and steps_per_epoch"):
        schedules.OneCycleLR(optimizer, 0.1, epochs=3)
    with pytest.raises(ValueError, match="Adagrad has no momentum: set cycle_momentum=False"):
        schedules.OneCycleLR(Adagrad([Value(0.0)]), 0.1, 3)
    with pytest.raises(ValueError, match="max_lr is a number, or one for each of the 1 groups"):
        schedules.OneCycleLR(optimizer, [0.1, 0.2], 3)
    with pytest.raises(ValueError, match=r"makes 3 steps, .* this is step 4"):
        rates(schedules.OneCycleLR(SGD([Value(0.0)]), 0.1, 3), optimizer, 4)
    with pytest.raises(ValueError, match="one of StepLR, not of LinearLR"):
        schedules.LinearLR(optimizer).load_state_dict(schedules.StepLR(optimizer, 1).state_dict())
    with pytest.raises(ValueError, match="not what the state_dict"):
        schedules.LinearLR(optimizer).load_state_dict({})


SEVERAL = {
    "factors": lambda module, optimizer: [
        module.StepLR(optimizer, step_size=3, gamma=0.5),
        module.ExponentialLR(optimizer, gamma=0.9),
    ],
    "a warm-up, and a plateau": lambda module, optimizer: [
        module.LinearLR(optimizer, start_factor=0.1, total_iters=4),
        module.ReduceLROnPlateau(optimizer, factor=0.5, patience=1),
    ],
    "a cosine": lambda module, optimizer: [
        module.CosineAnnealingLR(optimizer, T_max=5, eta_min=0.01),
        module.MultiStepLR(optimizer, milestones=[2, 6], gamma=0.3),
    ],
    "a function of the epoch": lambda module, optimizer: [
        module.LinearLR(optimizer, start_factor=0.1, total_iters=4),
        module.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch)),
    ],
    "restarts": lambda module, optimizer: [
        module.ExponentialLR(optimizer, gamma=0.5),
        module.CosineAnnealingWarmRestarts(optimizer, T_0=3, eta_min=0.01),
    ],
    "one after another, and a plateau": lambda module, optimizer: [
        module.SequentialLR(
            optimizer,
            [
                module.ConstantLR(optimizer, factor=0.5, total_iters=2),
                module.CosineAnnealingLR(optimizer, T_max=4, eta_min=0.01),
            ],
            milestones=[3],
        ),
        module.ReduceLROnPlateau(optimizer, factor=0.5, patience=1),
    ],
    "a chain with one cycle": lambda module, optimizer: [
        module.ChainedScheduler(
            [
                module.LinearLR(optimizer, start_factor=0.25, total_iters=3),
                module.OneCycleLR(optimizer, max_lr=0.5, total_steps=8, cycle_momentum=False),
            ]
        ),
        module.StepLR(optimizer, step_size=2, gamma=0.5),
    ],
}
# By PyTorch 2.13, of an optimizer with lr=0.3.
OF_SEVERAL = {
    "factors": [0.27, 0.243, 0.10935, 0.098415, 0.0885735, 0.039858075, 0.0358722675],
    "a warm-up, and a plateau": [0.0975, 0.165, 0.11625, 0.15, 0.075, 0.075, 0.0375],
    "a cosine": [
        *(0.27230746418436735, 0.0599422392553102, 0.03636271242968683, 0.01728647450843758),
        *(0.01, 0.011307760744689784, 0.014731522823440514),
    ],
    "a function of the epoch": [0.15, 0.1, 0.075, 0.06, 0.05, 0.3 / 7, 0.0375],
    "restarts": [0.2275, 0.0825, 0.3, 0.2275, 0.0825, 0.3, 0.2275],
    "one after another, and a plateau": [
        *(0.15, 0.3, 0.15, 0.1294974746830583, 0.04, 0.018786796564403574, 0.005)
    ],
    "a chain with one cycle": [
        *(0.409637552446096, 0.2429854443468808, 0.4058728269748815, 0.1389960035306754),
        *(0.14153049910434962, 0.0191603984585641, 2e-06),
    ],
}


def step_several(parts, optimizer, count):
    found = []
    for _ in range(count):
        for part in parts:
            part.step(*([1.0] if type(part).__name__ == "ReduceLROnPlateau" else []))
        found.append(optimizer.param_groups[0]["lr"])
    return found


@pytest.mark.parametrize("name", SEVERAL)
def test_schedules_of_one_optimizer_multiply_their_factors_as_in_pytorch(name):
    optimizer = SGD([Value(0.0)], lr=0.3)
    found = step_several(SEVERAL[name](schedules, optimizer), optimizer, 7)
    # A rate near 0 is the difference of rates up to 0.5, each rounded to half of 2⁻⁵³.
    assert found == pytest.approx(OF_SEVERAL[name], rel=1e-12, abs=2**-53)


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_schedules_of_one_optimizer_agree_with_pytorch(name):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    found = step_several(SEVERAL[name](torch.optim.lr_scheduler, other), other, 7)
    assert found == pytest.approx(OF_SEVERAL[name], rel=1e-12, abs=2**-53)


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("count", [0, 3, 4])
def test_schedules_of_one_optimizer_continue_from_their_states(name, order, count):
    optimizer, later = (SGD([Value(0.0)], lr=lr) for lr in (0.3, 0.7))
    parts, others = (SEVERAL[name](schedules, each) for each in (optimizer, later))
    step_several(parts, optimizer, count)
    for other, part in [*zip(others, parts, strict=True)][::order]:
        other.load_state_dict(part.state_dict())
    assert step_several(others, later, 3) == step_several(parts, optimizer, 3)


def test_a_state_keeps_what_a_plateau_did_in_the_same_epoch():
    optimizer, later = (SGD([Value(0.0)], lr=0.4) for _ in range(2))
    schedule, other = (schedules.ExponentialLR(each, gamma=0.5) for each in (optimizer, later))
    schedule.step()
    optimizer.lr = 0.1
    other.load_state_dict(schedule.state_dict())
    assert later.lr == 0.1
    other.step()
    assert later.lr == pytest.approx(0.05)


def test_a_schedule_that_no_name_tells_is_made_by_a_function():
    with pytest.raises(ValueError, match=r"such as lambda o: ConstantLR\(o, 0.5, total_iters=10\)"):
        schedules.named("ConstantLR", SGD([Value(0.0)]), 10)


def test_a_later_schedule_starts_from_the_first_rate_unless_the_user_sets_another():
    optimizer = SGD([Value(0.0)], lr=0.3)
    schedules.LinearLR(optimizer, start_factor=0.1)
    assert schedules.LambdaLR(optimizer, lambda epoch: 1.0).base == 0.3
    optimizer.lr = 0.1
    assert schedules.LambdaLR(optimizer, lambda epoch: 1.0).base == 0.1


def test_a_rate_that_the_user_sets_is_changed_by_the_factors_of_a_schedule():
    optimizer = SGD([Value(0.0)], lr=0.3)
    schedule = schedules.ExponentialLR(optimizer, gamma=0.5)
    optimizer.lr = 1.0
    schedule.step()
    assert schedule.get_last_lr() == [optimizer.lr] == [0.5]
