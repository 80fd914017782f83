"""Optimizers: the numbers of PyTorch, with every option, on arrays and on Values alike."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path

import numpy as np
import pytest

from micrograd import Value
from nn import MLP, Module
from nn.optimizers import (
    LBFGS,
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    clip_grad_norm_,
    clipped,
)

STEPS = 100
CASES = [
    (SGD, {"lr": 0.05}),
    (SGD, {"lr": 0.02, "momentum": 0.9}),
    (SGD, {"lr": 0.02, "momentum": 0.9, "dampening": 0.3}),
    (SGD, {"lr": 0.02, "momentum": 0.8, "nesterov": True}),
    (SGD, {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    (Adagrad, {}),
    (Adagrad, {"lr": 0.1, "lr_decay": 0.02, "weight_decay": 0.01}),
    (Adagrad, {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-6}),
    (RMSprop, {}),
    (RMSprop, {"lr": 0.005, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.05}),
    (RMSprop, {"lr": 0.02, "centered": True}),
    (RMSprop, {"lr": 0.02, "centered": True, "momentum": 0.7, "eps": 1e-4}),
    (Adam, {}),
    (Adam, {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-6}),
    (Adam, {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}),
    (AdamW, {}),
    (AdamW, {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True}),
    (AdamW, {"lr": 0.001, "maximize": True}),
    (NAdam, {}),
    (NAdam, {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.1, "momentum_decay": 0.02}),
    (NAdam, {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    (RAdam, {}),
    (RAdam, {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.1, "eps": 1e-6}),
    (RAdam, {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    (Adamax, {}),
    (Adamax, {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.1, "eps": 1e-4}),
    (Adadelta, {}),
    (Adadelta, {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1}),
]
START = np.array([1.5, -2.0, 0.3])


def slope(numbers):
    """The gradient of a bent, narrow valley."""
    x, y, z = numbers
    return np.array([2 * x + 0.4 * y + math.cos(x), 6 * y + 0.4 * x, 0.5 * z**3 - 0.2 * z + 0.1])


def path(kind, options):
    optimizer, numbers = kind([Value(each) for each in START], **options), [START]
    for _ in range(STEPS):
        numbers.append(optimizer.update(numbers[-1], slope(numbers[-1])))
    return np.array(numbers)


def identity(case):
    kind, options = case
    return f"{kind.__name__}({', '.join(f'{name}={value}' for name, value in options.items())})"


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_a_hundred_steps_agree_with_pytorch(case, monkeypatch):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    kind, options = case
    monkeypatch.setattr(torch, "get_default_dtype", lambda: torch.float64)  # of NAdam's product
    parameter = torch.tensor(START, requires_grad=True)
    other = getattr(torch.optim, kind.__name__)([parameter], **options)
    expected = [START]
    for _ in range(STEPS):
        parameter.grad = torch.tensor(slope(parameter.detach().numpy()))
        other.step()
        expected.append(parameter.detach().numpy().copy())
    assert path(kind, options) == pytest.approx(np.array(expected), rel=1e-12, abs=1e-12)


RECORDED = json.loads((Path(__file__).parent / "optimizers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_a_hundred_steps_end_where_pytorch_was_recorded_to_end(case):
    assert path(*case)[-1] == pytest.approx(RECORDED[identity(case)], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", sorted({kind.__name__ for kind, _ in CASES} | {"LBFGS"}))
def test_the_arguments_are_those_of_pytorch_in_their_order(name):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    there = inspect.signature(getattr(torch.optim, name)).parameters
    kind = LBFGS if name == "LBFGS" else OPTIMIZERS[name.lower()]
    here = list(inspect.signature(kind).parameters.values())[1:]
    if kind is LBFGS:  # which searches by default, and can climb
        here = [each for each in here if each.name not in ("line_search_fn", "maximize")]
    positional = [each.name for each in here if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert positional == list(there)[1 : len(positional) + 1]
    assert {each.name: each.default for each in here} == {
        each.name: there[each.name].default for each in here
    }


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_steps_on_values_are_those_on_arrays(case):
    kind, options = case
    values = [Value(each) for each in START]
    optimizer = kind(values, **options)
    for _ in range(STEPS):
        optimizer.zero_grad()
        for value, each in zip(values, slope([v.data for v in values]), strict=True):
            value.grad += float(each)
        optimizer.step()
    assert [v.data for v in values] == path(kind, options)[-1].tolist()


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_the_rule_changes_neither_the_numbers_nor_the_gradient_that_it_is_given(case):
    kind, options = case
    optimizer = kind([Value(each) for each in START], **options)
    numbers, gradient = START.copy(), slope(START)
    for _ in range(3):
        new = optimizer.update(numbers, gradient)
        assert new is not numbers
        assert (numbers == START).all()
        assert (gradient == slope(START)).all()


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_a_loaded_state_continues_with_the_same_bits(case):
    kind, options = case
    first = kind([Value(each) for each in START], **options)
    numbers = START
    for _ in range(7):
        numbers = first.update(numbers, slope(numbers))
    second = kind([Value(each) for each in START])
    second.load_state_dict(first.state_dict())
    for _ in range(5):
        ahead = first.update(numbers, slope(numbers))
        assert second.update(numbers, slope(numbers)).tobytes() == ahead.tobytes()
        numbers = ahead


def test_steps_of_lion_are_those_of_the_paper():
    # Chen and others 2023, arXiv:2302.06675, algorithm 2, number by number.
    lr, beta1, beta2, decay = 0.02, 0.8, 0.95, 0.1
    found = path(Lion, {"lr": lr, "betas": (beta1, beta2), "weight_decay": decay})
    theta, m = START.tolist(), [0.0] * 3
    for numbers in found:
        assert numbers == pytest.approx(theta, rel=1e-12, abs=1e-12)
        gradient = slope(np.array(theta)).tolist()
        for i, g in enumerate(gradient):
            c = beta1 * m[i] + (1 - beta1) * g
            theta[i] -= lr * ((c > 0) - (c < 0) + decay * theta[i])
            m[i] = beta2 * m[i] + (1 - beta2) * g


# ------------------------------------------------------------------------------------------ groups

GROUPED = [
    (SGD, {"momentum": 0.9, "lr": 0.02}, [{"lr": 0.05}, {"momentum": 0.5, "weight_decay": 0.1}]),
    (Adam, {"lr": 0.01}, [{"lr": 0.1}, {}]),
    (AdamW, {"lr": 0.05}, [{"weight_decay": 0.0}, {"betas": (0.8, 0.9), "amsgrad": True}]),
]


def grouped(kind, options, groups, values):
    pieces = [values[:1], values[1:]]
    return kind([{"params": p, **own} for p, own in zip(pieces, groups, strict=True)], **options)


@pytest.mark.parametrize(("kind", "options", "groups"), GROUPED)
def test_groups_of_parameters_are_optimized_as_if_each_had_an_optimizer(kind, options, groups):
    values = [Value(each) for each in START]
    optimizer, numbers = grouped(kind, options, groups, values), START
    alone = [
        kind(values[:1], **{**options, **groups[0]}),
        kind(values[1:], **{**options, **groups[1]}),
    ]
    for _ in range(5):
        g = slope(numbers)
        expected = [*alone[0].update(numbers[:1], g[:1]), *alone[1].update(numbers[1:], g[1:])]
        numbers = optimizer.update(numbers, g)
        assert numbers.tolist() == expected
    second = grouped(kind, {}, [{}, {}], values)
    second.load_state_dict(optimizer.state_dict())
    assert [dict(g) for g in second.param_groups] == [dict(g) for g in optimizer.param_groups]
    assert second.lr == optimizer.param_groups[0]["lr"]
    ahead = optimizer.update(numbers, slope(numbers))
    assert second.update(numbers, slope(numbers)).tobytes() == ahead.tobytes()


@pytest.mark.parametrize(("kind", "options", "groups"), GROUPED)
def test_groups_and_missing_gradients_agree_with_pytorch(kind, options, groups):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    values = [Value(each) for each in START]
    others = [torch.tensor(each, requires_grad=True) for each in START]
    optimizer = grouped(kind, options, groups, values)
    there = grouped(getattr(torch.optim, kind.__name__), options, groups, others)
    for step in range(20):
        for i, g in enumerate(slope([v.data for v in values])):
            absent = (step + i) % 3 == 0
            values[i].grad = None if absent else float(g)
            others[i].grad = None if absent else torch.tensor(g)
        optimizer.param_groups[1]["lr"] = there.param_groups[1]["lr"] = 0.1 / (step + 1)
        optimizer.step()
        there.step()
        expected = [other.item() for other in others]
        assert [v.data for v in values] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_group_reads_like_a_dict_and_changes_the_optimizer():
    x, y = Value(1.0), Value(2.0)
    optimizer = Adam([{"params": x, "lr": 0.1}, {"params": [y]}], lr=0.01)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.01]
    assert [group["params"] for group in optimizer.param_groups] == [[x], [y]]
    assert optimizer.parameters == [x, y]
    for group in optimizer.param_groups:
        group["lr"] *= 0.5
    assert (optimizer.lr, optimizer.param_groups[1]["lr"]) == (0.05, 0.005)
    assert {"params", "lr", "betas", "eps"} <= set(optimizer.param_groups[0])
    plain = SGD([x], lr=0.5)
    plain.param_groups[0]["lr"] = 0.25
    assert plain.lr == 0.25
    plain.lr = 0.125
    assert plain.param_groups[0]["lr"] == 0.125
    assert SGD([{"params": [x, y], "lr": 0.5}]).lr == 0.5


def test_a_wrong_group_is_refused_with_the_reason():
    x, y = Value(1.0), Value(2.0)
    for groups, kind, complaint in (
        ([{"params": [x]}, y], TypeError, "group 1 of the parameters is a dict with"),
        ([{"lr": 0.1}], ValueError, "group 0 of the parameters is a dict with"),
        (
            [{"params": [x], "rate": 1}],
            ValueError,
            "group 0 .* unknown option 'rate': SGD takes lr",
        ),
        ([{"params": [x]}, {"params": [x]}], ValueError, "given twice"),
        ([{"params": [x]}, {"params": [y], "lr": -1}], ValueError, "lr is a number of at least 0"),
        ([{"params": [x]}, {"params": []}], ValueError, "at least one parameter"),
    ):
        with pytest.raises(kind, match=complaint):
            SGD(groups, lr=0.1)
    two = SGD([{"params": [x]}, {"params": [y]}])
    with pytest.raises(
        AttributeError, match=r"2 groups of parameters: set param_groups\[0\]\['lr'\]"
    ):
        two.lr = 0.5
    with pytest.raises(ValueError, match="no option 'rate': SGD takes lr"):
        two.param_groups[0]["rate"] = 0.5
    with pytest.raises(TypeError, match="cannot be removed"):
        del two.param_groups[0]["lr"]
    with pytest.raises(ValueError, match=r"state is that of 1 group.* optimizer has 2"):
        two.load_state_dict(SGD([x]).state_dict())
    with pytest.raises(ValueError, match="LBFGS takes one group of parameters, got 2"):
        LBFGS([{"params": [x]}, {"params": [y]}])


# ------------------------------------------------------------------------------ without a gradient


def test_a_parameter_without_a_gradient_is_left_alone():
    for kind, options in CASES:
        if options.get("weight_decay", 0) or options.get("momentum", 0):
            for absent in (0, None):
                x, y = Value(1.5), Value(1.5)
                optimizer = kind([x, y], **options)
                for step in range(3):
                    optimizer.zero_grad()
                    y.grad = absent
                    (x * x + (y * y if step == 1 else 0)).backward()
                    before = y.data
                    optimizer.step()
                    assert (y.data == before) == (step != 1), kind


def test_a_gradient_of_0_is_a_gradient():
    for zero in (lambda y: y * 0.0, lambda y: setattr(y, "grad", 0.0)):
        y = Value(1.5)
        made = zero(y)
        if made is not None:
            made.backward()
        SGD([y], lr=0.1, weight_decay=0.5).step()
        assert y.data == pytest.approx(1.5 - 0.1 * 0.5 * 1.5)


def test_a_parameter_that_missed_steps_counts_its_own():
    x, y = Value(1.0), Value(1.0)
    both, alone = Adam([x, y], lr=0.1), Adam([Value(1.0)], lr=0.1)
    one, two = np.array([True, False]), np.array([True, True])
    numbers = both.update(np.ones(2), np.ones(2), one)
    for _ in range(3):
        expected = alone.update(numbers[1:], np.ones(1))
        second = Adam([x, y])
        second.load_state_dict(both.state_dict())
        numbers = both.update(numbers, np.ones(2), two)
        assert numbers[1:].tolist() == expected.tolist()
        assert second.update(numbers, np.ones(2)).shape == (2,)
    damaged = both.state_dict()
    damaged["state"]["missed"] = np.array([0.0, 9.0])
    with pytest.raises(ValueError, match="each parameter has missed from 0 to 4 steps"):
        both.load_state_dict(damaged)


def test_zero_grad_takes_set_to_none_as_in_pytorch():
    class Pair(Module):
        def __init__(self):
            self.x, self.y = Value(1.0), Value(2.0)

    for given, reached, never in ((None, 0, 0), (True, None, None), (False, 0.0, 0)):
        for make in (lambda pair: pair, lambda pair: SGD(pair.parameters(), lr=0.5)):
            owner = make(pair := Pair())
            (pair.x * 3).backward()
            owner.zero_grad() if given is None else owner.zero_grad(set_to_none=given)
            assert (pair.x.grad, pair.y.grad) == (reached, never)
            assert type(pair.x.grad) is type(reached)
            (pair.x * 3).backward()
            assert pair.x.grad == 3.0
            with pytest.raises(ValueError, match="set_to_none is True or False"):
                owner.zero_grad(set_to_none="yes")


def test_missing_gradients_have_no_length():
    x, y = Value(1.0), Value(2.0)
    x.grad, y.grad = 4.0, None
    assert clip_grad_norm_([x, y], 1.0) == 4.0
    assert (round(x.grad, 4), y.grad) == (1.0, None)
    assert clip_grad_norm_([y], 1.0) == 0.0


def test_betas_from_a_file_become_a_pair_again():
    saved = Adam([Value(1.0)], betas=(0.5, 0.75)).state_dict()
    saved["options"]["betas"] = [0.5, 0.75]
    optimizer = Adam([Value(1.0)])
    optimizer.load_state_dict(saved)
    assert optimizer.betas == (0.5, 0.75)


def test_a_state_is_a_copy():
    optimizer = Adam([Value(1.0)])
    saved = optimizer.state_dict()
    optimizer.update(np.ones(1), np.ones(1))
    assert saved["steps"] == 0
    assert saved["state"]["mean"].tolist() == [0.0]


def adam(**changed):
    return {**Adam([Value(1.0)]).state_dict(), **changed}


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({}, "not what the state_dict"),
        (SGD([Value(1.0)]).state_dict(), "one of SGD, not of Adam"),
        (Adam([Value(1.0), Value(2.0)]).state_dict(), "arrays"),
        (adam(options={"lr": 1.0}), "other options: lr; this optimizer has lr, maximize, betas"),
        (adam(options=None), "not what the state_dict"),
        (adam(state=3), "not what the state_dict"),
        (adam(steps=-1), "steps is a count, got -1"),
        (adam(options={**Adam([Value(1.0)]).options(), "lr": "0.1"}), "lr is a number"),
        (adam(options={**Adam([Value(1.0)]).options(), "betas": 0.9}), "betas are two numbers"),
    ],
)
def test_a_foreign_state_is_refused_and_changes_nothing(state, complaint):
    optimizer = Adam([Value(1.0)])
    before = repr(optimizer.state_dict())
    with pytest.raises(ValueError, match=complaint):
        optimizer.load_state_dict(state)
    assert repr(optimizer.state_dict()) == before


def test_every_optimizer_has_a_name_and_shows_its_options():
    assert set(OPTIMIZERS) == {
        *("sgd", "adagrad", "adadelta", "rmsprop", "lion"),
        *("adam", "adamw", "nadam", "radam", "adamax"),
    }
    assert repr(AdamW([Value(1.0)], lr=0.5)) == (
        "AdamW(lr=0.5, maximize=False, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01, "
        "amsgrad=False)"
    )


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: SGD([]), "at least one parameter"),
        (lambda: SGD([Value(1.0)], lr=-1), "lr is a number of at least 0, got -1"),
        (lambda: SGD([Value(1.0)], lr=math.nan), "lr is a number"),
        (lambda: SGD([Value(1.0)], nesterov=True), "nesterov needs a momentum"),
        (
            lambda: SGD([Value(1.0)], momentum=0.5, dampening=0.5, nesterov=True),
            "nesterov needs .* no dampening",
        ),
        (lambda: Adam([Value(1.0)], betas=(0.9, 1.0)), "betas are two numbers"),
        (lambda: Adam([Value(1.0)], betas=(0.9,)), "betas are two numbers"),
        (lambda: RMSprop([Value(1.0)], alpha=-0.1), "alpha is a number"),
        (lambda: Adagrad([Value(1.0)], initial_accumulator_value=-1), "initial_accumulator_value"),
        (lambda: SGD([Value(1.0)], lr=None), "lr is a number of at least 0, got None"),
        (lambda: SGD([p := Value(1.0), p]), "given twice"),
        (lambda: SGD([Value(1.0), Value(2.0) * 3]), r"position 1 is the result of .* '\*'"),
    ],
)
def test_bad_options_are_refused(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()


def test_parameters_must_be_values():
    with pytest.raises(TypeError, match="got float at position 1"):
        SGD([Value(1.0), 2.0])
    with pytest.raises(TypeError, match=r"\[x\], not x"):
        SGD(Value(1.0))
    with pytest.raises(TypeError, match=r"got MLP: give model.parameters\(\)"):
        SGD(MLP(1, [1]))
    with pytest.raises(TypeError, match="got set: a set has no order"):
        SGD({Value(1.0), Value(2.0)})


def test_a_custom_optimizer_needs_only_a_rule():
    class Signed(Optimizer):
        def rule(self, x, g):
            return x - self.lr * np.sign(g)

    x = Value(1.0)
    optimizer = Signed([x], lr=0.25)
    (x * 3).backward()
    optimizer.step()
    assert x.data == 0.75
    with pytest.raises(NotImplementedError, match="define rule"):
        Optimizer([x], lr=1.0).step()


def test_an_array_for_other_parameters_is_refused():
    for numbers, gradient in [(1, 1), (3, 3), (2, 3), (3, 2)]:
        with pytest.raises(ValueError, match=r"this optimizer has 2 parameters: .* got shapes"):
            SGD([Value(1.0), Value(2.0)]).update(np.ones(numbers), np.ones(gradient))


def test_a_closure_computes_the_gradient_and_its_loss_is_returned():
    x = Value(2.0)
    optimizer = SGD([x], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = x * x
        loss.backward()
        return loss

    assert optimizer.step(closure).data == 4.0
    assert x.data == 1.0


@pytest.mark.filterwarnings("error")
def test_a_constant_gradient_has_no_negative_variance():
    # PyTorch takes the root of a variance that rounding has made negative, which gives nan.
    gradient = np.linspace(0.1, 1, 100)
    optimizer, numbers = RMSprop([Value(1.0) for _ in gradient], centered=True), np.ones(100)
    for _ in range(5_000):
        numbers = optimizer.update(numbers, gradient)
    assert np.isfinite(numbers).all()


def valley(numbers):
    """A curved valley and its gradient; the least value is 0, at (1, 1)."""
    x, y = numbers
    value = (1 - x) ** 2 + 5 * (y - x * x) ** 2
    return value, np.array([-2 * (1 - x) - 20 * x * (y - x * x), 10 * (y - x * x)])


SEARCHES = {"line_search_fn": "strong_wolfe"}


@pytest.mark.parametrize(
    "options",
    [
        {"line_search_fn": None},
        {"lr": 0.3, "line_search_fn": None},
        {"lr": 0.5, "history_size": 3, "line_search_fn": None},
        SEARCHES,
        {"lr": 5.0, **SEARCHES},  # too far: the bracket is narrowed
        {"lr": 0.01, **SEARCHES},  # not far enough: it is widened
        {"lr": 0.7, "history_size": 2, "max_eval": 12, **SEARCHES},
    ],
)
def test_lbfgs_makes_the_steps_of_pytorch(options):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    options = {"max_iter": 15, **options}
    found, expected = [], []

    def watched(numbers):
        found.append(numbers)
        return valley(numbers)

    LBFGS([Value(0.4), Value(0.9)], **options).minimize(watched)
    parameter = torch.tensor([0.4, 0.9], dtype=torch.float64, requires_grad=True)

    def closure():
        expected.append(parameter.detach().numpy().copy())
        value, gradient = valley(expected[-1])
        parameter.grad = torch.tensor(gradient)
        return torch.tensor(value)

    torch.optim.LBFGS([parameter], **options).step(closure)
    assert len(expected) >= 9
    # Without a search, the loss at the end is computed too, since it may be the smallest.
    further = options.get("line_search_fn") is None and len(expected) == 15
    assert len(found) == len(expected) + further
    assert np.array(found[: len(expected)]) == pytest.approx(np.array(expected), rel=1e-10)


# By PyTorch 2.13: the points at which torch.optim.LBFGS([0.4, 0.9], lr=…, line_search_fn=
# "strong_wolfe") evaluates the loss of the valley, from the third one on.
SEARCHED = {
    5.0: [
        [0.9234008599490977, 0.35601596016526366],
        [0.7459464426368541, 0.5404489219785505],
        [0.8137905513734125, 0.5782593032272365],
        [0.77605452754372, 0.5572285391066472],
    ],
    0.01: [
        [0.44903581267217635, 0.8490358126721763],
        [0.7582334328577454, 0.5276787355130176],
        [0.7581199104958651, 0.527902072103817],
        [0.757098209238943, 0.5299121014210119],
    ],
}


@pytest.mark.parametrize("lr", SEARCHED)
def test_lbfgs_searches_along_a_line_as_pytorch_does(lr):
    found = []

    def watched(numbers):
        found.append(numbers.tolist())
        return valley(numbers)

    LBFGS([Value(0.4), Value(0.9)], lr=lr).minimize(watched)
    assert np.array(found[2:6]) == pytest.approx(np.array(SEARCHED[lr]), rel=1e-10)


def test_lbfgs_shortens_its_first_step_only_as_pytorch_does():
    found = []

    def hill(numbers):
        (x,) = numbers
        found.append(x)
        return 3 * math.cos(x), np.array([-3 * math.sin(x)])

    LBFGS([Value(0.5)], lr=0.1, max_iter=4, line_search_fn=None).minimize(hill)
    expected = [0.5, 0.6]  # the first step has the length of the rate, whatever the slope
    while len(expected) < 5:  # near the top the curvature is negative, so nothing is learned of it
        expected.append(expected[-1] + 0.1 * 3 * math.sin(expected[-1]))
    assert found == pytest.approx(expected, rel=1e-12)


def test_lbfgs_needs_no_scipy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy.optimize", None)
    for search in (None, "strong_wolfe"):
        x = [Value(0.4), Value(0.9)]
        optimizer = LBFGS(x, lr=0.5, max_iter=50, line_search_fn=search)
        assert optimizer.minimize(valley) < 1e-8


def test_a_line_search_comes_back_from_where_the_loss_is_not_a_number():
    def wall(numbers):
        (x,) = numbers
        if x > 0.1:
            return math.nan, np.array([math.nan])
        return (x + 3) ** 2 - 1e-3 * math.log(0.1 - x), np.array([2 * (x + 3) + 1e-3 / (0.1 - x)])

    x = Value(-20.0)
    assert LBFGS([x], lr=30.0, max_iter=50).minimize(wall) < 0
    assert x.data == pytest.approx(-3.0, abs=1e-3)


def test_lbfgs_climbs_if_told_to_and_continues_from_a_state():
    first, second = (LBFGS([Value(0.4), Value(0.9)], maximize=True) for _ in range(2))

    def hill(numbers):
        value, gradient = valley(numbers)
        return -value, -gradient

    numbers = first.numbers()
    for _ in range(4):
        numbers, value, gradient, _ = first.iterate(numbers, *hill(numbers), hill)
    second.load_state_dict(first.state_dict())
    after = first.iterate(numbers, value, gradient, hill)[0]
    assert after.tolist() == second.iterate(numbers, value, gradient, hill)[0].tolist()
    assert hill(after)[0] > value > hill(first.numbers())[0]
    assert first.minimize(hill) == pytest.approx(0, abs=1e-9)


def test_lbfgs_says_what_it_needs():
    with pytest.raises(TypeError, match="give step a closure"):
        LBFGS([Value(1.0)]).step()
    with pytest.raises(TypeError, match="use minimize or iterate"):
        LBFGS([Value(1.0)]).update(np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="line_search_fn is 'strong_wolfe' or None, got 'armijo'"):
        LBFGS([Value(1.0)], line_search_fn="armijo")


def test_lbfgs_finds_the_valley_of_rosenbrock():
    x, y = Value(-1.2), Value(1.0)
    optimizer = LBFGS([x, y], max_iter=200)

    def closure():
        optimizer.zero_grad()
        loss = (1 - x) ** 2 + 100 * (y - x * x) ** 2
        loss.backward()
        return loss

    assert optimizer.step(closure) < 1e-9
    # Where torch.optim.LBFGS of PyTorch 2.13, with the same options, ends.
    expected = (0.9999814210791366, 0.9999619651810989)
    assert (x.data, y.data) == pytest.approx(expected, rel=1e-10)


def test_lbfgs_minimises_a_compiled_loss():
    from micrograd import compile  # noqa: A004

    w = [Value(0.0), Value(0.0)]
    program = compile(lambda x, y: (w[0] * x + w[1] - y) ** 2, w, batched=True)
    x = np.linspace(-1, 1, 20)
    found = LBFGS(w).minimize(lambda p: program.value_and_grad(x, 3 * x + 1, parameters=p))
    assert found < 1e-10
    assert [p.data for p in w] == pytest.approx([3.0, 1.0], abs=1e-5)


def test_lbfgs_keeps_the_best_numbers_when_it_is_interrupted():
    x, losses = Value(5.0), []

    def closure():
        if len(losses) == 2:
            raise KeyboardInterrupt
        x.grad = 0.0
        loss = (x - 3) ** 2
        loss.backward()
        losses.append((loss.data, x.data))
        return loss

    with pytest.raises(KeyboardInterrupt):
        LBFGS([x]).step(closure)
    assert x.data == min(losses)[1]


def test_lbfgs_refuses_a_start_where_the_loss_is_nan():
    x = Value(5.0)
    with pytest.raises(ValueError, match="the loss is nan where LBFGS begins"):
        LBFGS([x]).minimize(lambda p: (math.nan, p))
    assert x.data == 5.0


def test_a_gradient_is_shortened_to_the_norm_and_not_lengthened():
    # PyTorch divides by the length plus 1e-6.
    assert clipped(np.array([3.0, 4.0]), 1.0) == pytest.approx([0.6, 0.8], rel=1e-6)
    assert clipped(np.array([3.0, 4.0]), 10.0).tolist() == [3.0, 4.0]
    values = [Value(0.0), Value(0.0)]
    values[0].grad, values[1].grad = 3.0, 4.0
    assert clip_grad_norm_(values, 10.0) == 5.0
    assert [v.grad for v in values] == [3.0, 4.0]
    assert clip_grad_norm_(values, 1.0) == 5.0
    assert [v.grad for v in values] == pytest.approx([0.6, 0.8], rel=1e-6)
    with pytest.raises(ValueError, match="max_norm"):
        clip_grad_norm_(values, -1.0)
    assert clipped(np.array([3e200, 4e200]), 1.0) == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
def test_clipping_agrees_with_pytorch(norm_type):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    gradient = [0.3, -2.0, 7.5]
    parameter = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    parameter.grad = torch.tensor(gradient, dtype=torch.float64)
    length = torch.nn.utils.clip_grad_norm_([parameter], 1.25, norm_type)
    values = [Value(0.0) for _ in gradient]
    for value, each in zip(values, gradient, strict=True):
        value.grad = each
    assert clip_grad_norm_(values, 1.25, norm_type) == pytest.approx(length.item(), rel=1e-15)
    assert [v.grad for v in values] == pytest.approx(parameter.grad.numpy(), rel=1e-15)
    if norm_type == 2:
        assert clipped(np.array(gradient), 1.25) == pytest.approx(parameter.grad.numpy(), rel=1e-15)


def test_a_gradient_without_a_finite_norm_is_an_error_if_wanted():
    x = Value(0.0)
    x.grad = math.inf
    with pytest.raises(RuntimeError, match="length inf: it cannot be clipped"):
        clip_grad_norm_(x, 1.0, error_if_nonfinite=True)
    assert x.grad == math.inf


def steps_of_lbfgs(loss, start, count, **options):
    values = [*map(Value, start)]
    optimizer = LBFGS(values, **options)

    def closure():
        optimizer.zero_grad()
        found = loss(*values)
        found.backward()
        return found

    for _ in range(count):
        optimizer.step(closure)
    return [value.data for value in values]


def rosenbrock(a, b):
    return (1 - a) ** 2 + 100 * (b - a * a) ** 2


@pytest.mark.parametrize("options", [{"max_iter": 1}, {"max_eval": 1}, {}])
def test_lbfgs_searches_along_a_line_however_few_iterations_a_step_has(options):
    found = steps_of_lbfgs(rosenbrock, [-1.2, 1.0], 60, tolerance_change=0.0, **options)
    assert found == pytest.approx([1.0, 1.0], abs=1e-6)


def test_lbfgs_stands_still_where_the_learning_rate_is_0():
    assert steps_of_lbfgs(rosenbrock, [-1.2, 1.0], 3, lr=0.0) == [-1.2, 1.0]


def test_lbfgs_shortens_steps_to_where_the_loss_is_huge():
    steps = {"lr": 20.0, "tolerance_change": 0.0}
    (found,) = steps_of_lbfgs(lambda x: (x * x).exp() - x, [0.0], 5, **steps)
    assert 2 * found * math.exp(found * found) == pytest.approx(1, abs=1e-5)
