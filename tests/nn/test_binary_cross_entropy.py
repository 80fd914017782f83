"""`binary_cross_entropy`: the values and slopes of PyTorch, also for certain answers."""

from __future__ import annotations

import itertools
import math
from importlib.util import find_spec

import pytest

from micrograd import Value, compile, hessian, value_and_grad  # noqa: A004
from nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
)

BACKENDS = [
    name
    for name, library in (("numpy", "numpy"), ("numba", "llvmlite"), ("jax", "jax"))
    if find_spec(library)
]


@pytest.mark.parametrize(("score", "target"), [(30.0, 1.0), (-30.0, 0.0)])
def test_a_confident_right_score_has_all_its_digits(score, target):
    loss, slope = value_and_grad(lambda p: binary_cross_entropy_with_logits(p, target))(score)
    assert loss == pytest.approx(math.log1p(math.exp(-30)), rel=1e-15, abs=0)
    assert abs(slope) == pytest.approx(1 / (1 + math.exp(30)), rel=1e-15, abs=0)


def test_a_small_probability_of_the_wrong_answer_is_not_rounded_away():
    assert binary_cross_entropy(1e-20, 0.0) == pytest.approx(1e-20, rel=1e-15, abs=0)


def test_a_probability_of_zero_costs_a_hundred_as_in_pytorch():
    assert binary_cross_entropy(Value(0.0), 1.0).data == 100.0
    assert binary_cross_entropy(Value(1.0), 0.0).data == 100.0
    for certain in (0.0, 1.0):
        assert str(binary_cross_entropy(certain, certain)) == "0.0"


def of_pytorch(p, t):
    """The documented formulas: `log` is at least -100, and the slope divides by at least 1e-12."""
    log_p = math.log(p) if p > 0 else -math.inf
    log_q = math.log1p(-p) if p < 1 else -math.inf
    value = -(t * max(log_p, -100.0) + (1 - t) * max(log_q, -100.0))
    return value, (p - t) / max((1 - p) * p, 1e-12)


PROBABILITIES = [0.0, 1e-300, 1e-44, 1e-20, 0.9e-12, 1.1e-12, 1e-5, 0.3, 1 - 1e-5, 1 - 2**-53, 1.0]

CERTAINTIES = [(p, t) for p in PROBABILITIES for t in (0.0, 1.0, 0.25)]

# PyTorch's formula of the slope subtracts p from t; ours subtracts (1 - t) / (1 - p) from t / p.
# Each rounds twice, and 1 - p once; near p = t these errors dominate.
ROUNDED = {"rel": 2**-48, "abs": 0}


@pytest.mark.parametrize(("p", "t"), CERTAINTIES)
def test_binary_cross_entropy_has_the_values_and_slopes_of_pytorch(p, t):
    expected = pytest.approx(of_pytorch(p, t), **ROUNDED)
    assert value_and_grad(lambda x: binary_cross_entropy(x, t))(p) == expected
    value, (slope, _) = compile(binary_cross_entropy).value_and_grad(p, t)
    assert (value, slope) == expected


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_binary_cross_entropy_has_them_in_compiled_batches_too(backend):
    program = compile(binary_cross_entropy, batched=True, backend=backend)
    p, t = map(list, zip(*CERTAINTIES, strict=True))
    found, (slopes, _) = program.value_and_grad(p, t)
    values, expected = zip(*itertools.starmap(of_pytorch, CERTAINTIES), strict=True)
    assert list(found) == pytest.approx(values, **ROUNDED)
    assert list(slopes) == pytest.approx(expected, **ROUNDED)


def test_the_slope_of_a_certain_answer_can_be_differentiated():
    for t in (0.0, 1.0):
        for p in (0.0, 1.0):
            assert hessian(lambda x, t=t: binary_cross_entropy(x, t))(p) == pytest.approx(1e12)
    slopes = value_and_grad(binary_cross_entropy, argnums=(0, 1))(0.0, 1.0)[1]
    assert slopes == (-1e12, 100.0)


def test_rare_positives_may_weigh_more_as_in_pytorch():
    scores, targets = [2.0, -1.0, 0.5], [1.0, 0.0, 1.0]
    found = binary_cross_entropy_with_logits(scores, targets, pos_weight=3.0)
    assert found == pytest.approx(0.7054255577291535, rel=1e-14)  # by PyTorch 2.13
    with pytest.raises(ValueError, match="pos_weight is a number of at least 0, got -1"):
        binary_cross_entropy_with_logits(scores, targets, pos_weight=-1.0)
