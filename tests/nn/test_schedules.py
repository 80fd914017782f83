"""Schedules: the rates of PyTorch, epoch by epoch."""

from __future__ import annotations

import math

import pytest

from micrograd import Value
from nn import schedules
from nn.optimizers import SGD

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
]


# Schedules in sequence: the name and options of each, and the epochs at which the next starts.
SEQUENCES = [
    ([("LinearLR", {"total_iters": 4}), ("CosineAnnealingLR", {"T_max": 8})], [4]),
    ([("LinearLR", {}), ("StepLR", {"step_size": 2}), ("ExponentialLR", {"gamma": 0.5})], [3, 8]),
    ([("ExponentialLR", {"gamma": 0.8}), ("LinearLR", {"start_factor": 0.5})], [6]),
]


def sequence(module, optimizer, parts, milestones):
    made = [getattr(module, name)(optimizer, **options) for name, options in parts]
    return module.SequentialLR(optimizer, made, milestones)


def rates(schedule, optimizer, epochs=12):
    found = []
    for _ in range(epochs):
        found.append(optimizer.lr)
        schedule.step()
    return found


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_the_rates_agree_with_pytorch(name, options):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    optimizer = SGD([Value(0.0)], lr=0.3)
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    there = getattr(torch.optim.lr_scheduler, name)(other, **options)
    expected = []
    for _ in range(12):
        expected.append(other.param_groups[0]["lr"])
        there.step()
    found = rates(getattr(schedules, name)(optimizer, **options), optimizer)
    # PyTorch multiplies the factors one by one, and rounds each time.
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("parts", "milestones"), SEQUENCES)
@pytest.mark.filterwarnings("ignore:Detected call of", "ignore:The epoch parameter")
def test_the_rates_of_schedules_in_sequence_agree_with_pytorch(parts, milestones):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    optimizer = SGD([Value(0.0)], lr=0.3)
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    there = sequence(torch.optim.lr_scheduler, other, parts, milestones)
    expected = []
    for _ in range(12):
        expected.append(other.param_groups[0]["lr"])
        there.step()
    found = rates(sequence(schedules, optimizer, parts, milestones), optimizer)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


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
    assert rates(other, second) == rates(one, first)


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
    with pytest.raises(ValueError, match="one of StepLR, not of LinearLR"):
        schedules.LinearLR(optimizer).load_state_dict(schedules.StepLR(optimizer, 1).state_dict())
    with pytest.raises(ValueError, match="not what the state_dict"):
        schedules.LinearLR(optimizer).load_state_dict({})
