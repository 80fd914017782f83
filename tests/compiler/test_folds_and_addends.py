"""Chains of maxima without a gradient are one step; matrix products may have any addends."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest

from micrograd import Value, compile, maximum, minimum, value_and_grad  # noqa: A004

pytestmark = pytest.mark.usefixtures("quick_xla")


def softmaxes(x):
    """Softmaxes of the first two, three, … scores, as in attention."""
    found = []
    for count in range(2, len(x) + 1):
        scores = [score * count for score in x[:count]]
        shift = reduce(maximum, [score.detach() for score in scores])
        exponentials = [(score - shift).exp() for score in scores]
        found.append(exponentials[0] / sum(exponentials))
    return sum(share * share for share in found)


def test_softmaxes_of_different_lengths_are_computed_side_by_side(backend):
    program = compile(softmaxes, backend=backend)
    x = [3.0, -1.0, 800.0, 2.0, 801.0, 5.0]
    value, slopes = program.value_and_grad(x)
    expected, expected_slopes = value_and_grad(softmaxes)(x)
    assert value == pytest.approx(expected, rel=1e-14)
    assert slopes == pytest.approx(expected_slopes, rel=1e-13, abs=1e-300)
    assert "times maximum" in str(program)
    assert str(program).count("maximum") == 1


def test_what_follows_a_simpler_first_row_is_computed_with_the_other_rows(backend):
    def rows(x):
        sums = [sum(each * count for each in x[:count]) for count in range(3, len(x) + 1)]
        return sum((each * 0.1).tanh().exp() for each in [x[0], *sums])

    program = compile(rows, backend=backend)
    x = [0.5, -1.0, 2.0, 0.25, 1.5, -0.75]
    value, slopes = program.value_and_grad(x)
    expected, expected_slopes = value_and_grad(rows)(x)
    assert value == pytest.approx(expected, rel=1e-14)
    assert slopes == pytest.approx(expected_slopes, rel=1e-13)
    assert [str(program).count(f" {name}(") for name in ("tanh", "exp")] == [1, 1]


def test_softmaxes_over_a_batch(backend):
    x = np.random.default_rng(0).normal(size=(4, 6))
    values, slopes = compile(softmaxes, batched=True, backend=backend).value_and_grad(x)
    for sample, value, slope in zip(x, values, slopes, strict=True):
        expected, expected_slope = value_and_grad(softmaxes)(sample.tolist())
        assert value == pytest.approx(expected, rel=1e-14)
        assert slope == pytest.approx(expected_slope, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("function", [maximum, minimum])
def test_a_chain_with_a_gradient_keeps_the_shares_of_ties(backend, function):
    def f(a, b, c, d):
        return reduce(function, [a, b, c, d])

    value, slopes = compile(f, backend=backend).value_and_grad(2.0, 2.0, 2.0, 2.0)
    assert value == 2.0
    assert slopes == (0.125, 0.125, 0.25, 0.5)


@pytest.mark.parametrize("function", [maximum, minimum])
def test_nan_is_the_extreme_of_a_chain_wherever_it_stands(backend, function):
    def f(x):
        return reduce(function, [v.detach() for v in x])

    program = compile(f, batched=True, backend=backend)
    rows = np.array([[1.0, 2, 3, 4], [math.nan, 2, 3, 4], [1, 2, math.nan, 4], [1, 2, 3, math.nan]])
    values = program(rows)
    assert values[0] == (4.0 if function is maximum else 1.0)
    assert np.isnan(values[1:]).all()


def residual_network(weights, x):
    """Each layer is added to its input, and to a number for each place."""
    w = [weights[i : i + 4] for i in range(0, 16, 4)]
    for _ in range(2):
        places = [x[i : i + 4] for i in range(0, len(x), 4)]
        sums = [
            [
                sum((a * b for a, b in zip(row, place, strict=True)), place[j])
                for j, row in enumerate(w)
            ]
            for place in places
        ]
        x = [s.tanh() + (t + 1) * 0.5 for t, row in enumerate(sums) for s in row]
    return sum(v * v for v in x)


@pytest.mark.parametrize("batched", [False, True])
def test_a_product_with_an_addend_for_each_vector_stays_a_product(backend, batched):
    weights = [Value(0.1 * i - 0.7) for i in range(16)]
    x = np.random.default_rng(1).normal(size=12)
    program = compile(
        lambda x: residual_network(weights, x), weights, batched=batched, backend=backend
    )
    value, gradient = program.value_and_grad(x[None] if batched else x)
    expected, (expected_gradient, _) = value_and_grad(residual_network, argnums=(0, 1))(
        [w.data for w in weights], x.tolist()
    )
    # Some 500 roundings of numbers below 100.
    assert abs(value - expected) <= 1e-11
    assert np.abs(gradient - expected_gradient).max() <= 1e-11
    if batched:
        assert str(program).count("(4 x 4)") == 2


@pytest.mark.parametrize("batched", [False, True])
def test_a_residual_block_with_a_bias_is_a_product(backend, batched):
    draw = np.random.default_rng(3)
    x, w, b = draw.normal(size=(20, 4)), draw.normal(size=(4, 4)), draw.normal(size=4)
    parameters = [Value(each) for each in (*w.ravel(), *b)]
    matrix, bias = np.reshape(parameters[:16], (4, 4)), np.array(parameters[16:])

    def f(rows):
        return sum(((row + matrix @ row + bias) ** 2).sum() for row in rows)

    program = compile(f, parameters, batched=batched, backend=backend)
    value, gradient = program.value_and_grad(x[None] if batched else x)
    assert "(4 x 4) @" in str(program)
    results = x + x @ w.T + b
    assert value == pytest.approx((results**2).sum(), rel=1e-13)
    slopes = 2 * results
    expected = np.concatenate([(slopes.T @ x).ravel(), slopes.sum(axis=0)])
    assert gradient == pytest.approx(expected, rel=1e-12, abs=1e-12 * np.abs(slopes).sum())


def test_the_same_layer_with_and_without_addend_agrees(backend):
    weights = [Value(0.3 * i - 1) for i in range(16)]

    def f(x):
        w = [weights[i : i + 4] for i in range(0, 16, 4)]
        plain = [sum(a * b for a, b in zip(row, x, strict=True)) for row in w]
        added = [sum((a * b for a, b in zip(row, x, strict=True)), x[0] * x[1]) for row in w]
        return sum(p * a for p, a in zip(plain, added, strict=True))

    x = np.random.default_rng(2).normal(size=(3, 4))
    value, gradient = compile(f, weights, batched=True, backend=backend).value_and_grad(x)
    for w in weights:
        w.grad = 0
    mean = sum(f(sample) for sample in x) / 3
    mean.backward()
    assert value == pytest.approx(mean.data, rel=1e-13)
    assert gradient == pytest.approx([w.grad for w in weights], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("length", [3, 200])
def test_small_sums_over_short_and_long_batches_agree(backend, length):
    w = [Value(0.5), Value(-2.0)]

    def f(x):
        first = x[0] * x[1] - x[2] * 3.0 + w[0] * w[1] - x[0]
        second = x[1] * x[1] + w[1] * x[2] + w[0] - x[0] * x[2]
        return first.tanh() * second + (x[0] * w[0] + x[1] * 2 - w[1])

    x = np.random.default_rng(0).normal(size=(length, 3))
    value, gradient = compile(f, w, batched=True, backend=backend).value_and_grad(x)
    for p in w:
        p.grad = 0
    mean = sum(f(sample) for sample in x) / length
    mean.backward()
    # Means of numbers below 100: their roundings.
    assert value == pytest.approx(mean.data, abs=1e-12)
    assert gradient == pytest.approx([p.grad for p in w], abs=1e-12)
    _, slopes = compile(f, batched=True, backend=backend).value_and_grad(x)
    for sample, slope in zip(x[:5], slopes, strict=False):
        assert slope == pytest.approx(value_and_grad(f)(sample.tolist())[1], abs=1e-12)


W = np.random.default_rng(1).normal(size=(6, 5))
Y = np.random.default_rng(2).normal(size=6)
DIFFERENCES = {
    "y - w @ x": lambda x: Y - W @ x,
    "w @ x - y": lambda x: W @ x - Y,
    "-(w @ x)": lambda x: -(W @ x),
    "x - w @ x - 1": lambda x: x[0] - W @ x - 1.0,
    "x - y + w @ x": lambda x: (x[0] - Y) + W @ x,
}


@pytest.mark.parametrize("f", DIFFERENCES.values(), ids=DIFFERENCES)
def test_a_matrix_product_in_a_difference_stays_one(f, backend):
    x = np.random.default_rng(3).normal(size=(3, 5))
    program = compile(lambda x: (f(x) ** 2).sum(), batched=True, backend=backend)
    values, slopes = program.value_and_grad(x)
    assert "(6 x 5) @" in str(program)
    for sample, value, slope in zip(x, values, slopes, strict=True):
        expected, expected_slope = value_and_grad(lambda x: (f(np.array(x)) ** 2).sum())(
            sample.tolist()
        )
        assert value == pytest.approx(expected, rel=1e-13)
        assert slope == pytest.approx(expected_slope, rel=1e-12, abs=1e-13)


def test_products_that_are_subtracted_together_are_one_sum():
    program = compile(lambda x: x[0] - (x[1:] * x[:-1]).sum(), batched=True, backend="numpy")
    program(np.ones((2, 9)))
    assert "1 sum of 8 terms" in str(program)
    assert "mul(" not in str(program)


@pytest.mark.parametrize("terms", [1, 4, 6])
def test_a_difference_of_equal_products_is_zero(terms, backend):
    """Fused multiplication and subtraction would give the rounding error of the product."""

    def f(x, y):
        return sum(x[k] * y[k] for k in range(terms)) - sum(y[k] * x[k] for k in range(terms))

    x, y = np.random.default_rng(4).normal(size=(2, 7, terms))
    assert compile(f, batched=True, backend=backend)(x, y).tolist() == [0.0] * 7


TAPS = np.outer([1.0, 4.0, 1.0], [1.0, 4.0, 1.0])


def blurred(x):
    """Sums of neighbours on a grid, which have many products in common."""
    size = len(x) - 2
    return sum(TAPS[i, j] * x[i : i + size, j : j + size] for i in range(3) for j in range(3))


def by_rows(x):
    """Inner products of neighbours in each row."""
    return np.array([x[i, k : k + 3] @ TAPS[1] for i in range(18) for k in range(16)])


@pytest.mark.parametrize(
    ("f", "sums"),
    [
        (blurred, "256 sums of 2560 terms"),
        (lambda x: blurred(x) - np.ones((16, 16)), "256 sums of 2560 terms"),
        (by_rows, "288 sums of 864 terms"),
        (lambda x: by_rows(x + 0.5), "288 sums of 864 terms"),
    ],
)
def test_a_filter_is_sums_that_share_no_products_and_copy_nothing(f, sums, backend):
    x, way = np.random.default_rng(5).normal(size=(2, 18, 18))
    program = compile(lambda x: (f(x) ** 2).sum(), backend=backend)
    value, slopes = program.value_and_grad(x)
    assert sums in str(program)
    assert "mul(" not in str(program)
    assert "x 3) @" not in str(program)
    assert value == pytest.approx((f(x) ** 2).sum(), rel=1e-13)
    along = (2 * f(x) * (f(x + way) - f(x))).sum()  # as f is linear
    assert (slopes * way).sum() == pytest.approx(along, rel=1e-11)


def test_a_product_with_a_constant_that_is_also_subtracted_is_computed_once(backend):
    program = compile(lambda x, y: (3.3 * x + y) * (y - 3.3 * x), backend=backend)
    assert program(0.7, 3.3 * 0.7) == 0.0
    assert str(program).count("mul(") == 2
