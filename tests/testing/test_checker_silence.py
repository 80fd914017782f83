"""When the gradient checker keeps silent: right functions pass, or are undecided, never wrong."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

import micrograd
from micrograd import (
    Value,
    atan2,
    cos,
    define,
    detach,
    erf,
    exp,
    expm1,
    hypot,
    log,
    log1p,
    maximum,
    minimum,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    step,
    tan,
    tanh,
    where,
)
from micrograd.ops import TABLE
from micrograd.testing import check_gradients
from tests.testing.common import BUILT_IN, by_hand, defined, mismatch

DRAWN = [name for name in BUILT_IN if not TABLE[name].constants]

# ---------------------------------------------------------------------------------- no false alarms


RIGHT = {
    "relu at its kink": (relu, 0.0),
    "abs at its kink": (micrograd.abs, 0.0),
    "a tie of maximum": (maximum, 2.0, 2.0),
    "a tie of minimum, three times": (lambda x, y, z: minimum(minimum(x, y), z), 1.0, 1.0, 1.0),
    "a tie with itself": (lambda x: maximum(x, x), 1.5),
    "abs as two relus": (lambda x: relu(x) + relu(-x), 0.0),
    "a kink behind a kink": (lambda x: relu(abs(x) - 1), 1.0),
    "a kink 1e-9 away": (lambda x: relu(x) + x, 1e-9),
    "a kink one unit in the last place away": (lambda x: abs(x - 1), 1 + 2.0**-52),
    "Python's max": (lambda x, y: max(x, y) * 2, 1.0, 1.0),
    "a branch in Python": (lambda x: x * 2 if x.data > 0 else x * 3, 0.0),
    "the origin of hypot": (hypot, 0.0, 0.0),
    "a negative base": (lambda x: x**3, -2.0),
    "softplus at 0": (softplus, 0.0),
    "steep": (lambda x: sin(1e6 * x), 0.3),
    "steep at 0": (lambda x: tanh(1e8 * x), 0.0),
    "steeper": (lambda x: exp(100 * x) * sin(1e5 * x), 0.7),
    "flat": (lambda x: x**21, 1e-3),
    "very flat": (lambda x: exp(-1 / (x * x)), 0.05),
    "saturated": (lambda x: sigmoid(x) + tanh(x) + erf(x), 40.0),
    "huge": (lambda x: x * 2 + 1, 1e200),
    "huge and curved": (lambda x: log(x) + sqrt(x), 1e200),
    "large and hardly resolved": (lambda x: sin(x) * cos(x), 1e15),
    "tiny": (lambda x: sin(x) + x, 1e-200),
    "tiny under a logarithm": (log, 1e-200),
    "tiny beside 1": (lambda x: (1 + x) * (1 + x), 1e-200),
    "a pole 1e-200 away": (lambda x: 1e-200 / x, 1e-200),
    "subnormal": (lambda x: x * 3, 5e-324),
    "huge times tiny": (lambda x, y: x * y, 1e200, 1e-200),
    "cancellation": (lambda x: (x + 1e8) - 1e8 + x, 0.1),
    "catastrophic cancellation": (lambda x: (1 - cos(x)) / (x * x), 1e-5),
    "a cancelled slope": (lambda x: (x - 1) * (x - 1) - x * x + 2 * x, 1e6),
    "expm1 and log1p near 0": (lambda x: log1p(expm1(x)), 1e-12),
    "linear": (lambda x, y: 3 * x - y / 7, 0.1, 0.3),
    "a constant": (lambda x: Value(3.0), 1.0),
    "a plain number": (lambda x: 3.0, 1.0),
    "the input itself": (lambda x: x, 1.0),
    "x - x": (lambda x: x - x, 1e9),
    "0 times x": (lambda x: 0 * x, 1e9),
    "detached": (lambda x: x * detach(x) + sin(x), 1.3),
    "an even function at 0": (cos, 0.0),
    "periodic with the step": (lambda x: sin(2 * math.pi * 16 * x), 0.25),
    "periodic with every step": (lambda x: sin(2 * math.pi * 2**20 * x), 0.25),
    "a jump of copysign nearby": (lambda x: micrograd.copysign(2.0, x - 1), 1 + 1e-12),
    "the pole of tan nearby": (tan, math.pi / 2 - 1e-7),
    "an integer": (lambda x: x * x, 3),
}  # fmt: skip


UNDECIDED = {  # the rules are right by their conventions, but no witness confirms them
    "sign and step at their jump": (lambda x: sign(x) + step(x), 0.0),
    "two kinks that cancel": (lambda x: relu(x) - relu(-x), 0.0),
    "the origin of atan2": (atan2, 0.0, 0.0),
    "the cut of atan2": (atan2, 0.0, -1.0),
    "the border of sqrt": (sqrt, 0.0),
    "a power at 0": (lambda x: x**0.5, 0.0),
    "0 to the 0": (micrograd.pow, 0.0, 0.0),
    "where on either side": (lambda x: where(x > 0, log(x), 0), 0.0),
    "huge and unresolved": (lambda x: sin(x), 1e200),
    "a local slope that overflows": (lambda x: sqrt(1 / x), 1e-200),
    "a feature of the size 1e-200 at 0": (lambda x: atan2(1e-200, x), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_function_passes(case):
    f, *at = RIGHT[case]
    assert check_gradients(f, *at)


@pytest.mark.parametrize("case", UNDECIDED)
def test_a_right_function_that_no_witness_confirms_is_undecided_and_says_why(case):
    f, *at = UNDECIDED[case]
    report = check_gradients(f, *at)
    assert report.is_undecided
    assert not report.is_wrong
    assert report.undecided
    assert all(sentence in str(report) for sentence in report.undecided)


@pytest.mark.parametrize("case", ["relu at its kink", "a tie of maximum"])
def test_at_a_kink_the_report_gives_the_derivatives_from_both_sides(case):
    f, *at = RIGHT[case]
    assert "lies between" in str(check_gradients(f, *at))


def test_a_wrong_slope_at_a_kink_is_still_caught():
    wrong = defined("where(x <= 0, 0, x)", "where(x <= 0, 2, 1)")
    assert mismatch(lambda x: wrong(x) * 3, 0.0).guilty == wrong.__name__


@pytest.mark.parametrize("x", [0.0, -0.5, 3.0])
def test_a_right_closure_with_a_kink_passes_where_nothing_shows_the_kink(x):
    leaky = by_hand(
        "leaky",
        lambda x: max(x, 0.1 * x),
        lambda x, out: 1.0 if x > 0 else 0.1,
    )
    assert check_gradients(lambda x: leaky(x) * 2, x)


def test_a_row_of_a_user_that_is_right_passes_with_and_without_its_columns():
    swish = define("swish_", "x * sigmoid(x)", ["sigmoid(x) + out * (1 - sigmoid(x))"])
    for x in (-1000.0, -2.0, 0.0, 0.3, 1000.0):
        assert check_gradients(lambda x: swish(x) * 2, x, order=2)


@pytest.mark.slow
def test_a_chain_of_ten_thousand_operations_is_checked():
    def f(x):
        for _ in range(10_000):
            x = x * 1.0001
        return x

    assert check_gradients(f, 1.5)


# ------------------------------------------------------------------------------- random expressions

SPECIAL = (0.0, 1.0, -1.0, 2.0, 0.5, 1e-200, 1e200, -1e200, 1e-9, 1e6, -3.0, 1e15, 100.0, -30.0)


def random_expression(seed):
    """A function with shared subexpressions, a point for it, and its text."""
    from micrograd.engine import functions

    rng = random.Random(seed)
    inputs, steps = rng.randint(1, 3), []
    for k in range(rng.randint(1, 9)):
        name = rng.choice(DRAWN)
        operands = [
            rng.choice((*SPECIAL[:5], rng.uniform(-3, 3)))
            if index and rng.random() < 0.3
            else rng.randrange(inputs + k)
            for index in range(TABLE[name].arity)
        ]
        steps.append((name, operands))

    def f(*xs):
        values = list(xs)
        for name, operands in steps:
            arguments = (values[x] if type(x) is int else x for x in operands)
            values.append(getattr(functions, name)(*arguments))
        return values[-1]

    def number():
        return rng.choice((rng.choice(SPECIAL), rng.uniform(-3, 3), float(rng.randint(-3, 3))))

    return f, [number() for _ in range(inputs)], steps


def states(seeds, order):
    found = Counter()
    for seed in seeds:
        f, point, steps = random_expression(seed)
        report = check_gradients(f, *point, order=order, raise_exception=False)
        assert not report.is_wrong, f"seed {seed}: {steps} at {point}\n{report}"
        is_finite = math.isfinite(report.value)
        assert is_finite or report.is_undecided
        found["ok" if report else "undecided" if is_finite else "not finite"] += 1
    return found


# Most of the blocks take long; the first few are tried each time.
def blocks(count, quick):
    marks = [() if block < quick else pytest.mark.exhaustive for block in range(count)]
    return [pytest.param(block, marks=mark) for block, mark in enumerate(marks)]


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks(10, quick=2))
def test_two_thousand_random_expressions_are_never_wrong_and_mostly_confirmed(block):
    found = states(range(200 * block, 200 * (block + 1)), 1)
    assert found["undecided"] <= 0.12 * (found["undecided"] + found["ok"])


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks(4, quick=1))
def test_second_derivatives_of_random_expressions_are_never_wrong_and_mostly_confirmed(block):
    found = states(range(50 * block, 50 * (block + 1)), 2)
    assert found["undecided"] <= 0.4 * (found["undecided"] + found["ok"])


@pytest.mark.parametrize(
    "holds", [lambda x: x > 5, lambda x: (x > 5) * (x > 0), lambda x: micrograd.floor(x) > 3]
)
def test_a_branch_that_is_not_taken_silences_no_witness(holds):
    report = check_gradients(lambda x: where(holds(x), x * x, -x), 2.5)
    assert "the point is" not in str(report)  # at a kink, or singular
