"""Every row of the table is accurate over the whole range of floats, in every executor."""

from __future__ import annotations

import math
import random
from functools import cache

import pytest

pytest.importorskip("mpmath", reason="the true numbers need mpmath: pip install mpmath")

from mpmath import mp, mpf

from benchmarks import accuracy
from benchmarks.accuracy import EXCEPTIONS, LIMIT, executors, measure, points, quantities, truths
from benchmarks.exact import definition
from micrograd import Value, define, erfc, lgamma, log_ndtr, ndtr, polygamma, taylor
from micrograd.ops import ROWS, TABLE, Operation, checked

pytestmark = pytest.mark.slow

NAMES = [row.name for row in ROWS if not TABLE[row.name].constants]
KNOWN = {row.name: len(row.partials) for row in ROWS}
FEW, ABOUT = 8, 48
"""Points of each row; all of them would take minutes."""


@cache
def sample(name: str, count: int) -> tuple[list[accuracy.Point], list[list[tuple[mpf, mpf]]]]:
    """Points, the same in every run, and the true numbers there, which take most of the time."""
    found = points(TABLE[name], 30)
    chosen = random.Random(name).sample(found, min(count, len(found)))
    return chosen, truths(TABLE[name], chosen)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_has_a_definition_that_is_independent_of_the_table(name):
    exact = definition(name)
    wanted = [exact.value, *exact.first, *exact.second]
    assert len(wanted) == len(quantities(TABLE[name]))


def test_a_row_without_a_definition_is_defined_by_its_formula():
    define("softsign_t", "x / (1 + abs(x))", ["square(1 / (1 + abs(x)))"], kink="x")
    exact = definition("softsign_t")
    with mp.workprec(200):
        found = [f(mpf(2)) for f in (exact.value, *exact.first, *exact.second)]
        expected = [mpf(2) / 3, mpf(1) / 9, mpf(-2) / 27]
        assert all(abs(a - b) < mpf(2) ** -60 for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "detach"])
def test_the_partials_of_the_definitions_are_their_derivatives(name):
    exact = definition(name)
    at = {"acosh": (1.25,), "where": (1.0, 0.5, -0.75)}.get(name, (0.625, 0.375, 0.25))
    places = range(len(exact.first))
    at = tuple(mpf(x) for x in at[: len(places)])
    with mp.workprec(200):
        slopes = [mp.diff(exact.value, at, [int(j == i) for j in places]) for i in places]
        found = [f(*at) for f in exact.first]
        pairs = [(i, j) for i in places for j in places[i:]]
        slopes += [mp.diff(exact.first[i], at, [int(k == j) for k in places]) for i, j in pairs]
        found += [f(*at) for f in exact.second]
    # The differences have 200 bits, some of which are lost to the step. The tail of the normal
    # distribution is given to 4e-17, and its derivatives to a few digits less.
    near = 1e-9 if name == "normal_tail" else 1e-15
    assert all(abs(a - b) <= near * (1 + abs(a)) for a, b in zip(slopes, found, strict=True))


@pytest.mark.parametrize(
    ("executor", "count"),
    [
        *((each, FEW) for each in executors() if each != "jax"),
        *(pytest.param(each, ABOUT, marks=pytest.mark.exhaustive) for each in executors()),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_value_and_partials_are_right_to_the_last_digits(name, executor, count):
    row = TABLE[name]
    at, exact = sample(name, count)
    results = accuracy.run(executor, row, at)
    for quantity, worst in measure(row, executor, results, at, exact):
        assert worst.error <= 1, f"{name}, {quantity} by {executor}: {worst}"


@pytest.mark.parametrize(
    ("name", "partial", "point"),
    [
        ("tanh", "1 - out * out", (20.0,)),
        ("sigmoid", "out * (1 - out)", (40.0,)),
        ("expm1", "out + 1", (-40.0,)),
        ("elu", "where(x <= 0, out + 1, 1)", (-40.0,)),
        ("atan", "1 / (1 + x * x)", (1e158,)),
        ("erf", "1.1283791670955126 * exp(-(x * x))", (20.3,)),
    ],
)
def test_a_partial_that_loses_its_digits_is_noticed(name, partial, point):
    row = TABLE[name].row
    wrong = checked(row._replace(partials=[partial]), KNOWN)
    (true, size) = truths(TABLE[name], [point])[1][0]
    assert accuracy.error(TABLE[name].evaluate(*point)[1][0], true, size)[0] <= LIMIT
    assert accuracy.error(wrong.evaluate(*point)[1][0], true, size)[0] > LIMIT


def test_the_exceptions_name_what_there_is_and_say_why():
    for (name, executor, quantity), (reason, applies) in EXCEPTIONS.items():
        assert name == "*" or name in TABLE
        assert executor in ("*", "values", "numpy", "numba", "jax")
        assert quantity == "*" or quantity in quantities(TABLE[name])
        assert reason
        assert callable(applies)


@pytest.mark.parametrize("y", [0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 9.5])
def test_the_mixed_second_derivatives_of_a_power_of_zero_are_the_limit_in_both_orders(y):
    from micrograd import Value, derivative

    base, exponent = Value(0.0), Value(y)
    slopes = derivative(base**exponent, [base, exponent])
    one, other = derivative(slopes[0], exponent), derivative(slopes[1], base)
    expected = 0.0 if y > 1 else float("-inf")
    assert float(getattr(one, "data", one)) == float(getattr(other, "data", other)) == expected


def ordinary(row: Operation) -> list[accuracy.Point]:
    """Points between -4 and 4, where a partial that cancels still has most of its digits."""
    rng = random.Random(row.name)
    drawn = [tuple(rng.randint(-63, 63) / 16 for _ in row.operands) for _ in range(200)]
    return [at for at in drawn if accuracy.is_inside(row, at)]


@pytest.mark.parametrize("name", [name for name in NAMES if TABLE[name].textbook])
def test_the_textbooks_formulas_are_those_of_the_table(name):
    row = TABLE[name]
    told = row.row._replace(
        formula=row.textbook[0] or row.formula,
        partials=[a or b for a, b in zip(row.textbook[1:], row.partials, strict=True)],
        textbook=(),
    )
    book = checked(told, KNOWN)
    assert ordinary(row)
    for at in ordinary(row):
        (value, slopes), (known, partials) = book.evaluate(*at), row.evaluate(*at)
        for one, other in zip((value, *slopes), (known, *partials), strict=True):
            one, other = one or 0.0, other or 0.0
            # Below 4, twelve digits of 1 - out * out remain.
            assert one == other or abs(one - other) <= 1e-11 * (abs(other) + 1e-3), at


@pytest.mark.parametrize("name", [name for name in NAMES if TABLE[name].traced])
def test_the_partials_of_traced_functions_are_those_of_the_table(name):
    row = TABLE[name]
    partials = [a or b for a, b in zip(row.traced, row.partials, strict=True)]
    traced = checked(row.row._replace(partials=partials, traced=()), KNOWN)
    wide = [tuple(x * 2.0**k for x in at) for at in ordinary(row) for k in (-1000, -40, 0, 2, 8)]
    for at in (at for at in wide if accuracy.is_inside(row, at)):
        for one, other in zip(traced.evaluate(*at)[1], row.evaluate(*at)[1], strict=True):
            # Both are within 8 units in the last place of the true number.
            assert one == other or abs(one - other) <= 16 * math.ulp(other), at


def size_of_terms(order, y):
    """The largest terms of the sum of order! / (y + k)^(order + 1), for a negative y."""
    apart = abs(y - round(y))
    return 2 * math.factorial(order) / min(apart, 1 - apart) ** (order + 1)


@pytest.mark.parametrize(
    ("name", "zero"),
    [
        ("digamma", 1.4616321449683622),
        ("lgamma", 1.0),
        ("lgamma", 2.0),
        ("silu_slope", -1.2784645427610737),
        ("mish_slope", -1.1924312145154952),
        ("gelu_slope", -0.7517915246935645),
    ],
)
def test_a_function_keeps_its_digits_beside_its_zero(name, zero):
    exact = definition(name)
    for k in range(2, 53):
        for x in (zero * (1 + 2.0**-k), zero, zero * (1 - 2.0**-k)):
            with mp.workprec(300):
                true = mp.re(exact.value(mpf(x)))
                error = abs(TABLE[name].evaluate(x)[0] - true)
            assert error <= 8 * math.ulp(float(true)), (x, float(true))


@pytest.mark.parametrize("name", ["silu_slope", "gelu_slope"])
def test_a_slope_keeps_its_digits_beside_its_zero(name):
    exact = definition(name)
    zero = {"silu_slope": 2.3993572805154675, "gelu_slope": 2.0**0.5}[name]
    for k in range(2, 53):
        for x in (zero * (1 + 2.0**-k), -zero * (1 - 2.0**-k)):
            with mp.workprec(300):
                true = exact.first[0](mpf(x))
                error = abs(TABLE[name].evaluate(x)[1][0] - true)
            assert error <= 8 * math.ulp(float(true)), (x, float(true))


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 7, 12])
def test_polygamma_is_accurate_in_every_order_and_its_derivative_is_the_next_one(order):
    for y in (1e-9, 0.3, 1.0, 1.4616, 7.5, 20.0, 1e6, -0.5, -3.25, -0.999, -17.3):
        x = Value(y)
        out = polygamma(order, x)
        out.backward()
        with mp.workprec(200):
            true, slope = (float(mp.psi(k, mpf(y))) for k in (order, order + 1))
        for got, expected, n in ((out.data, true, order), (x.grad, slope, order + 1)):
            # The zero of order 0, and results for negative numbers, are sums of larger terms.
            largest = size_of_terms(n, y) if y < 0 else abs(expected)
            slack = 1e-13 if n == 0 else 0.0
            assert abs(got - expected) <= 32 * math.ulp(max(largest, abs(expected))) + slack
    assert math.isnan(polygamma(1.5, Value(-0.5)).data)


@pytest.mark.parametrize("order", [2, 4, 5, 8, 10, 20, 21, 40, 150, 160, 170, 171, 200])
@pytest.mark.parametrize(
    "y", [-0.5, -0.5 - 1e-10, -0.5 + 2.0**-54, -1.5, -7.5, -170.5, -2.6, -8.5 - 2.0**-45, -17.51]
)
def test_polygamma_of_high_orders_keeps_its_digits_at_negative_numbers(order, y):
    with mp.workprec(2000):
        first = math.ceil(-y) + 1
        total = mp.fsum((mpf(y) + k) ** (-order - 1) for k in range(first))
        total += mp.zeta(order + 1, mpf(y) + first)
        true = float((-1) ** (order + 1) * mp.factorial(order) * total)
    if math.isinf(true):
        assert polygamma(order, y) == true
    else:
        assert polygamma(order, y) == pytest.approx(true, rel=32 * 2.0**-52, abs=5e-324)


def test_polygamma_at_a_pole_is_infinite_if_it_is_so_from_both_sides():
    assert polygamma(1, -2.0) == polygamma(3, -2.0) == math.inf
    assert math.isnan(polygamma(2, -2.0))


def test_all_derivatives_of_the_gamma_function_at_negative_numbers_are_known():
    with mp.workdps(30):
        exact = [float(c) for c in mp.taylor(lambda x: mp.re(mp.loggamma(x)), -2.4, 12)]
    assert taylor(lgamma, -2.4, 12) == pytest.approx(exact, rel=1e-12, abs=1e-10)


def test_the_limits_of_the_normal_law():
    assert (erfc(math.inf), erfc(1.7e308), ndtr(-math.inf)) == (0, 0, 0)
    assert (log_ndtr(math.inf), log_ndtr(-math.inf)) == (0, -math.inf)
    assert all(math.isnan(f(math.nan)) for f in (erfc, ndtr, log_ndtr))


def sum_of_powers(order, x):
    """The sum of order! / (x + k)^(order + 1), by Euler and Maclaurin's formula from order + 60 on.

    The functions of mpmath compute it to 60 digits after the point, which are none of 1e-80.
    """
    with mp.workdps(60):
        first = order + 60
        total = mp.fsum((mpf(x) + k) ** (-order - 1) for k in range(first))
        a = mpf(x) + first
        total += a**-order / order + a ** (-order - 1) / 2
        for j in range(1, 25):
            share = mp.bernoulli(2 * j) / mp.factorial(2 * j)
            total += share * mp.rf(order + 1, 2 * j - 1) * a ** (-order - 2 * j)
        return mp.factorial(order) * total


@pytest.mark.parametrize("order", [9, 30, 80, 150, 250])
@pytest.mark.parametrize("x", [0.1, 1.46, 3.0, 36.4, 1000.3, 1e6])
def test_polygamma_of_high_orders_neither_vanishes_nor_loses_digits(order, x):
    true = (-1) ** (order + 1) * sum_of_powers(order, x)
    if abs(true) > 1.8e308:
        assert polygamma(order, x) == math.copysign(math.inf, true)
    else:
        assert polygamma(order, x) == pytest.approx(float(true), rel=16 * 2.0**-52, abs=5e-324)
    assert polygamma(order, -0.0) == math.copysign(math.inf, (-1) ** (order + 1))
