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
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 8}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 9}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
]


def rates(schedule, optimizer, epochs=12):
    found = []
    for _ in range(epochs):
        found.append(optimizer.lr)
        schedule.step()
    return found


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_the_rates_are_those_of_pytorch(name, options):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    optimizer = SGD([Value(0.0)], lr=0.3)
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    there = getattr(torch.optim.lr_scheduler, name)(other, **options)
    expected = []
    for _ in range(12):
        expected.append(other.param_groups[0]["lr"])
        there.step()
    found = rates(getattr(schedules, name)(optimizer, **options), optimizer)
    # PyTorch multiplies one factor on another.
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
    assert of("WarmupCosineLR", warmup=1, total=3) == pytest.approx([1.0, 2.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_state_goes_on_at_the_same_rate(name, options):
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
    with pytest.raises(ValueError, match="T_max"):
        schedules.CosineAnnealingLR(optimizer, 2.5)
    with pytest.raises(ValueError, match="total is more epochs than warmup"):
        schedules.WarmupCosineLR(optimizer, 3, 3)
    with pytest.raises(ValueError, match="one of StepLR, not of LinearLR"):
        schedules.LinearLR(optimizer).load_state_dict(schedules.StepLR(optimizer, 1).state_dict())
    with pytest.raises(ValueError, match="not what the state_dict"):
        schedules.LinearLR(optimizer).load_state_dict({})
