"""Elementary functions in machine code: their accuracy in both precisions, and special numbers."""

from __future__ import annotations

import math
import struct
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="pip install llvmlite")
pytest.importorskip("mpmath", reason="the true numbers need mpmath: pip install mpmath")

from mpmath import mp, mpf

from benchmarks.exact import definition
from micrograd import Value, compile, polygamma  # noqa: A004
from micrograd.engine import functions
from micrograd.ops import TABLE

KINDS = ("float64", "float32")
EVERYWHERE = (-math.inf, math.inf)


class Bound(NamedTuple):
    """What is promised for a function.

    Args:
        double: the largest error in double precision, in units in the last place.
        single: the same in single precision.
        domain: where the function is tried.
        dense: intervals with most of the points.
    """

    double: float
    single: float
    domain: tuple[float, float]
    dense: tuple[tuple[float, float], ...]


BOUNDS = {
    "exp": Bound(1.1, 1.1, (-745.0, 709.7), ((-1, 1), (-40, 40), (-745, 709))),
    "exp2": Bound(1.5, 1.5, (-1074.0, 1023.9), ((-1, 1), (-40, 40), (-1074, 1023))),
    "expm1": Bound(1, 1, EVERYWHERE, ((-1, 1), (-40, 40), (-1e-3, 1e-3), (80, 709))),
    "log": Bound(1, 1, (0, math.inf), ((0.5, 2), (0.999, 1.001), (0, 1e3))),
    "log1p": Bound(1.5, 1.5, (-1, math.inf), ((-0.5, 1), (-1e-3, 1e-3), (-1, 1e3))),
    "log2": Bound(1, 1, (0, math.inf), ((0.5, 2), (0.999, 1.001), (0, 1e3))),
    "log10": Bound(1, 1, (0, math.inf), ((0.5, 2), (0.999, 1.001), (0, 1e3))),
    "sin": Bound(1, 1, EVERYWHERE, ((-7, 7), (-100, 100), (-1e4, 1e4))),
    "cos": Bound(1, 1, EVERYWHERE, ((-7, 7), (-100, 100), (-1e4, 1e4))),
    "tan": Bound(2, 2, EVERYWHERE, ((-7, 7), (-100, 100), (-1e4, 1e4))),
    "asin": Bound(1.5, 1.5, (-1, 1), ((-1, 1), (0.49, 0.51), (0.99, 1))),
    "acos": Bound(1.5, 1.5, (-1, 1), ((-1, 1), (0.49, 0.51), (0.99, 1))),
    "atan": Bound(2, 2, EVERYWHERE, ((-1, 1), (0.4, 0.42), (2.4, 2.5), (-50, 50))),
    "sinh": Bound(2, 2, (-710.4, 710.4), ((-1, 1), (-30, 30))),
    "cosh": Bound(2, 2, (-710.4, 710.4), ((-1, 1), (-30, 30))),
    "tanh": Bound(2, 2, EVERYWHERE, ((-1, 1), (-25, 25))),
    "asinh": Bound(2, 2, EVERYWHERE, ((-1, 1), (-25, 25))),
    "acosh": Bound(2.5, 2.5, (1, math.inf), ((1, 1.01), (1, 3), (1, 100))),
    "atanh": Bound(2, 2, (-1, 1), ((-1, 1), (-0.01, 0.01), (0.99, 1))),
    "cbrt": Bound(1, 1, EVERYWHERE, ((-1, 1), (-8, 8), (1, 64))),
    "erf": Bound(3, 3, EVERYWHERE, ((-1.1, 1.1), (0.9, 1.1), (-6.5, 6.5))),
    "erfc": Bound(5, 5, (-math.inf, 26.5), ((-1, 1), (-6, 6), (0, 26))),
    "ndtr": Bound(5, 5, (-38.0, math.inf), ((-1, 1), (-6, 6), (-37, 0))),
    "gauss": Bound(1.1, 1.1, EVERYWHERE, ((-1, 1), (-6, 6), (-26, 26))),
    "sech2": Bound(3, 3, EVERYWHERE, ((-1, 1), (-30, 30))),
    "sigmoid": Bound(3, 3, EVERYWHERE, ((-1, 1), (-40, 40), (-745, -700), (-104, -80))),
    "silu": Bound(3.5, 3.5, EVERYWHERE, ((-1, 1), (-40, 40), (-750, -700), (-108, -80))),
    "logit": Bound(2, 2, (0, 1), ((0, 1), (0.4, 0.6), (0.499, 0.501), (0, 1e-3), (0.999, 1))),
    "lgamma": Bound(4, 1, (0, math.inf), ((0.9, 1.1), (1.9, 2.1), (0, 3), (2, 40))),
    "gelu": Bound(5, 5, (-37.5, math.inf), ((-1, 1), (-6, 6), (-37, 0))),
}
"""The bound of each function of one operand."""


def limits(kind: str) -> tuple[float, float]:
    """The smallest and the largest number of a format."""
    info = np.finfo(kind)
    return float(info.smallest_subnormal), float(info.max)


def points(name: str, kind: str, count: int) -> Any:
    """Numbers in the domain: of all sizes, in dense intervals, and near multiples of π / 2."""
    rng = np.random.default_rng(len(name))
    bound = BOUNDS[name]
    tiny, huge = limits(kind)
    sizes = np.exp(rng.uniform(math.log(tiny), math.log(huge), count)) * rng.choice([-1, 1], count)
    found = [sizes, *(rng.uniform(low, high, count) for low, high in bound.dense)]
    if name in ("sin", "cos", "tan"):
        found.append(np.round(10 ** rng.uniform(0, 9, count)) * (math.pi / 2))
        found.append(rng.integers(-50, 50, count) * (math.pi / 2))
    x = np.concatenate(found).astype(kind)
    low, high = bound.domain
    return x[(x > low) & (x < high) & np.isfinite(x)]


PAIRS = {"pow": (1, 1), "hypot": (1.5, 1.5), "atan2": (2, 2)}
"""The bounds of functions of two operands."""


def pairs(name: str, kind: str, count: int) -> tuple[Any, Any]:
    """Pairs of numbers of all sizes, of similar sizes, and powers that are finite."""
    rng = np.random.default_rng(len(name))
    tiny, huge = limits(kind)
    signs = rng.choice([-1, 1], (6, count))
    sizes = np.exp(rng.uniform(math.log(tiny), math.log(huge), (3, count)))
    x = np.concatenate([signs[0] * sizes[0], rng.normal(0, 3, count), signs[1] * sizes[2]])
    y = np.concatenate([signs[2] * sizes[1], rng.normal(0, 3, count), x[-count:] * 0.75])
    if name == "pow":
        x = np.abs(x)
        y[:count] = rng.uniform(-1, 1, count) * math.log(huge) / np.log(x[:count])
        x[-count:] = rng.uniform(0.9, 1.1, count)
        y[-count:] = rng.uniform(-300, 300, count)
    x, y = x.astype(kind), y.astype(kind)
    fits = np.isfinite(x) & np.isfinite(y) & (x != 0)
    return x[fits], y[fits]


def in_units(got: Any, true: Any, kind: str) -> float:
    """An error in units in the last place; beyond the largest number, infinity is right."""
    tiny, huge = limits(kind)
    if abs(true) > huge:
        return 0.0 if abs(got) > huge / 1.0001 else math.inf
    exponent = mp.frexp(true)[1] - 1 - np.finfo(kind).nmant if true else -5000
    unit = max(mpf(2) ** exponent, mpf(tiny))
    return abs(float((mpf(got) - true) / unit)) if got == got else math.inf


def errors(name: str, kind: str, got: Any, *columns: Any) -> Any:
    """The errors of a function in units in the last place."""
    found = []
    with mp.workprec(400):
        for value, *at in zip(got.tolist(), *(each.tolist() for each in columns), strict=True):
            true = definition(name).value(*map(mpf, at))
            found.append(in_units(value, true, kind))
    return np.array(found)


@cache
def program(name: str, kind: str) -> Any:
    """The function of a whole batch."""
    f = getattr(functions, name)
    if TABLE[name].arity == 2:
        return compile(lambda x, y: f(x, y), batched=True, backend="numba", dtype=kind)
    return compile(lambda x: f(x), batched=True, backend="numba", dtype=kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BOUNDS)
def test_a_function_is_within_its_bound_over_its_whole_range(name, kind):
    x = points(name, kind, 60)
    found = errors(name, kind, program(name, kind)(x), x)
    bound = getattr(BOUNDS[name], "double" if kind == "float64" else "single")
    assert found.max() <= bound, (x[found.argmax()], found.max())


def test_lgamma_of_negative_floats_is_correct_to_a_unit():
    """Around its zeros too."""
    rng = np.random.default_rng(0)
    near = [-2.457024738, -2.747682646, -3.143580888, -3.955294285]  # zeros
    x = np.concatenate([rng.uniform(-12, 0.5, 300), rng.uniform(-1e4, -12, 20)])
    x = np.concatenate([x, *(rng.normal(each, 1e-5, 20) for each in near)]).astype(np.float32)
    x = x[x != np.round(x)]
    assert errors("lgamma", "float32", program("lgamma", "float32")(x), x).max() <= 1
    poles = np.array([0.0, -0.0, -1.0, -2.0, -1e30, -np.inf, np.inf], np.float32)
    assert np.isposinf(program("lgamma", "float32")(poles)).all()
    assert program("lgamma", "float32")(np.array([1.0, 2.0], np.float32)).tolist() == [0.0, 0.0]


def test_lgamma_of_negative_doubles_is_correct_to_a_few_units_of_its_terms():
    """By Γ(-x) Γ(x) = -π / (x sin(πx)): a difference of logarithms, which may cancel."""
    x = np.concatenate([-np.random.default_rng(0).uniform(1e-3, 30, 300), [-1e-30, -1e-310]])
    with mp.workdps(30):
        exact = [mp.re(mp.loggamma(mpf(float(each)))) for each in x]
        terms = np.array([abs(float(mp.loggamma(-float(each)))) for each in x]) + 3
    found = program("lgamma", "float64")(x)
    assert (np.abs(found - np.array(exact, float)) <= 3 * np.finfo(float).eps * terms).all()
    poles = np.array([0.0, -0.0, -1.0, -2.0, -1e30, -np.inf, np.inf])
    assert np.isposinf(program("lgamma", "float64")(poles)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "zero"), [("silu", -1.2784645427610737), ("gelu", -0.7517915246935645)]
)
def test_a_slope_keeps_its_digits_beside_its_zero(name, zero, kind):
    rng = np.random.default_rng(0)
    distances = rng.choice([-1, 1], 150) * 10.0 ** rng.uniform(-17, -0.3, 150)
    x = (zero + distances).astype(kind)
    slope = compile(getattr(functions, name), batched=True, backend="numba", dtype=kind)
    found = slope.value_and_grad(x)[1]
    with mp.workprec(200):
        true = [definition(name).first[0](mpf(float(each))) for each in x]
        apart = [in_units(float(a), b, kind) for a, b in zip(found, true, strict=True)]
    assert max(apart) <= 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_slope_of_digamma_is_correct_to_a_few_units(kind):
    """It is not the general polygamma, which takes ten times as long."""
    rng = np.random.default_rng(0)
    dense = [rng.uniform(*ends, 40) for ends in ((-30, 0), (0, 3), (3, 12), (10, 1e5))]
    x = np.concatenate([*dense, [1e-10, 1e10]]).astype(kind)
    with mp.workdps(30):
        exact = [mp.psi(1, mpf(float(each))) for each in x]
    exact = np.array(exact, float)
    slope = compile(functions.digamma, batched=True, backend="numba", dtype=kind).value_and_grad
    found = slope(x)[1]
    assert (np.abs(found - exact) <= 8 * np.finfo(kind).eps * exact).all()
    special = np.array([0.0, -0.0, -3.0, np.inf], kind)
    assert slope(special)[1].tolist() == [np.inf, np.inf, np.inf, 0.0]
    assert np.isnan(slope(np.array([-np.inf, np.nan], kind))[1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_slope_of_log_ndtr_is_correct_to_a_few_units(kind):
    """Below -14 or -39, it is a continued fraction."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(*ends, 40) for ends in ((-45, 13), (-1, 1), (-15, -13))])
    x = x.astype(kind)
    slope = compile(functions.log_ndtr, batched=True, backend="numba", dtype=kind).value_and_grad
    with mp.workprec(200):
        true = [mp.npdf(mpf(each)) / mp.ncdf(mpf(each)) for each in x.tolist()]
    apart = [in_units(float(a), b, kind) for a, b in zip(slope(x)[1], true, strict=True)]
    assert max(apart) <= 8
    special = np.array([math.inf, -math.inf, -1e30, math.nan], kind)
    np.testing.assert_array_equal(slope(special)[1], [0, math.inf, -special[2], math.nan])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PAIRS)
def test_a_function_of_two_operands_is_within_its_bound(name, kind):
    x, y = pairs(name, kind, 500)
    found = errors(name, kind, program(name, kind)(x, y), x, y)
    worst = found.argmax()
    assert found.max() <= PAIRS[name][KINDS.index(kind)], (x[worst], y[worst], found.max())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["pow", "logaddexp"])
def test_the_slopes_of_a_function_of_two_operands_are_correct_to_a_few_units(name, kind):
    """Also where they are subnormal, or powers overflow."""
    x, y = pairs("pow", kind, 120)
    if name == "logaddexp":
        rng, ends = np.random.default_rng(0), (-760, 760) if kind == "float64" else (-108, 108)
        x = rng.normal(0, 2, 400).astype(kind)
        apart = rng.normal(0, 3, 180), rng.uniform(*ends, 180), rng.uniform(706, 711, 40)
        y = x + np.concatenate(apart).astype(kind)
    f = getattr(functions, name)
    program = compile(lambda x, y: f(x, y), batched=True, backend="numba", dtype=kind)
    found = program.value_and_grad(x, y)[1]
    for place, slopes in enumerate(found):
        with mp.workprec(400):
            true = [
                definition(name).first[place](mpf(a), mpf(b))
                for a, b in zip(x.tolist(), y.tolist(), strict=True)
            ]
            apart = [in_units(each, b, kind) for each, b in zip(slopes.tolist(), true, strict=True)]
        assert max(apart) <= 8, (x[np.argmax(apart)], y[np.argmax(apart)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["pow", "logaddexp"])
def test_pairs_of_special_numbers_give_the_same_slopes_as_with_values(name):
    x, y = (each.ravel() for each in np.meshgrid([*NUMBERS, 3.0, -3.0], NUMBERS))
    f = getattr(functions, name)
    program = compile(lambda x, y: f(x, y), batched=True, backend="numba")
    # Pair by pair: a batch in which a slope is not finite is computed again in another way.
    found = [program.value_and_grad(x[k : k + 1], y[k : k + 1]) for k in range(len(x))]
    with np.errstate(all="ignore"):
        results = [f(Value(a), Value(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        values = [value.item() for value, _ in found]
        np.testing.assert_allclose(values, [each.data for each in results], 1e-14, 1e-15)
        slopes = np.array([pair for _, pair in found])[..., 0]
        true = np.array([each._local_grads for each in results])
        assert_agree(slopes + 0.0, true + 0.0, "float64")  # a zero has no sign


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exponent", [-3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 5, 6, 7, 8])
def test_powers_by_products_and_roots_are_within_their_bounds(exponent, kind):
    x = points("exp2", kind, 100)
    x = np.abs(x) if exponent % 1 else x
    got = compile(lambda x, y: x**y, batched=True, backend="numba", dtype=kind)(
        x, np.full_like(x, exponent)
    )
    with mp.workprec(400):
        found = [
            in_units(each, mpf(at) ** mpf(exponent), kind)
            for each, at in zip(got.tolist(), x.tolist(), strict=True)
            if at
        ]
    # Each rounding, of a product or of the reciprocals in it, costs up to a unit of the result.
    roundings = 2 * abs(exponent) - 1 if exponent < 0 else exponent - 1
    assert max(found) <= max(1.5, roundings)


(FULL_NAN,) = struct.unpack("<d", b"\xff" * 7 + b"\x7f")
"""A nan whose other bits are set, too: nan with a number in it stands for missing data in R."""
SPECIAL = (
    0.0,
    1.0,
    2.0,
    0.5,
    math.inf,
    math.nan,
    FULL_NAN,
    5e-324,
    1e-310,
    1e-45,
    1e-40,
    3e38,
    1e300,
    1.7e308,
)
NUMBERS = [sign * x for x in (*SPECIAL, 89.0, 104.0, 710.0, 746.0, 1e16, 1e22) for sign in (1, -1)]
OF_ONE = [*BOUNDS, "gelu_slope", "log_ndtr", "sigmoid", "softplus", "silu", "mish", "elu", "selu"]
OF_ONE += ["logit", "log_sigmoid", "sinc"]


def assert_agree(got: Any, expected: Any, kind: str) -> None:
    """Check that numbers agree, also in nan, in infinities and in the sign of zero."""
    expected = np.asarray(expected)
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    info = np.finfo(kind)
    near = np.abs(got - expected) <= 8 * info.eps * np.abs(expected) + 8 * info.smallest_subnormal
    near &= np.isfinite(expected)  # any number is within infinity of infinity
    assert (same | near).all(), (got[~(same | near)], expected[~(same | near)])
    zero = (got == 0) & (expected == 0)
    assert (np.signbit(got) == np.signbit(expected))[zero].all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OF_ONE)
def test_special_numbers_give_the_same_as_with_values(name, kind):
    x = np.array(NUMBERS).astype(kind)
    with np.errstate(all="ignore"):
        expected = np.array([getattr(functions, name)(Value(each)).data for each in x.tolist()])
        assert_agree(program(name, kind)(x), expected.astype(kind), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_slope_of_the_sigmoid_at_nan_is_nan_whatever_its_bits_are(kind):
    x = np.array([1.0, FULL_NAN, -FULL_NAN], kind)
    slope = compile(functions.sigmoid, batched=True, backend="numba", dtype=kind)
    assert np.isnan(slope.value_and_grad(x)[1]).tolist() == [False, True, True]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*PAIRS, "mod", "floordiv"])
def test_pairs_of_special_numbers_give_the_same_as_with_values(name, kind):
    x, y = (each.ravel().astype(kind) for each in np.meshgrid([*NUMBERS, 3.0, -3.0], NUMBERS))
    f = getattr(functions, name)
    with np.errstate(all="ignore"):
        expected = [f(Value(a), Value(b)).data for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        assert_agree(program(name, kind)(x, y), np.array(expected).astype(kind), kind)
        if name == "pow":  # an exponent that all lanes share
            for exponent in set(y.tolist()):
                chosen = y == exponent
                got = program(name, kind)(x[chosen], y[chosen])
                assert_agree(got, np.array(expected)[chosen].astype(kind), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exponent", range(3, 9))
def test_whole_powers_and_their_slopes_on_numpy_are_as_accurate_as_powers(exponent, kind):
    x = np.concatenate([points("sinh", kind, 200), np.array(NUMBERS)]).astype(kind)
    # Batches in which something is infinite or nan are computed by another executor.
    x = x[np.abs(x) < np.finfo(kind).max ** (0.99 / exponent)]
    power = compile(lambda x: x**exponent, batched=True, backend="numpy", dtype=kind)
    values, slopes = power.value_and_grad(x)
    exact = x.astype(np.longdouble)
    assert_agree(values, (exact**exponent).astype(kind), kind)
    slope = (exponent * exact ** (exponent - 1)).astype(kind)
    assert_agree(slopes + 0.0, slope + 0.0, kind)  # a sum, which has no negative zero


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*BOUNDS, *PAIRS])
def test_a_lane_does_not_depend_on_its_neighbours(name, kind):
    columns = (points(name, kind, 8),) if name in BOUNDS else pairs(name, kind, 12)
    columns = tuple(each[:37] for each in columns)
    together = program(name, kind)(*columns)
    f = getattr(functions, name)
    one = compile(lambda *at: f(*at), backend="numba", dtype=kind)
    alone = np.array([one(*at) for at in zip(*(each.tolist() for each in columns), strict=True)])
    if name == "pow":  # a single power is that of the C library
        assert np.allclose(together, alone, rtol=2 * np.finfo(kind).eps, atol=0)
    else:
        assert together.tolist() == alone.astype(kind).tolist()


TINY, HUGE = 5e-324, 2.0**1000


def test_exact_results_are_exact():
    def values(name: str, *columns: Any) -> list[float]:
        return program(name, "float64")(*(np.array(each, float) for each in columns)).tolist()

    powers = [2.0**n for n in range(-1074, 1024, 7)]
    assert values("log2", powers) == [float(n) for n in range(-1074, 1024, 7)]
    assert values("exp2", range(-1074, 1024, 7)) == powers
    assert values("log10", [10.0**n for n in range(23)]) == [float(n) for n in range(23)]
    assert values("cbrt", [n**3 for n in range(-50, 50)]) == [float(n) for n in range(-50, 50)]
    assert values("hypot", [3, 3 * TINY, 3 * HUGE], [4, 4 * TINY, 4 * HUGE]) == [
        5,
        5 * TINY,
        5 * HUGE,
    ]
    assert values("pow", [3.0, 10.0, 2.0, 7.0], [33.0, 15.0, -1074.0, 3.0]) == [
        *(3.0**33, 1e15, 5e-324, 343.0)
    ]
    assert values("cos", [0.0]) == values("exp", [0.0]) == values("cosh", [0.0]) == [1.0]
    assert values("acos", [1.0]) == [0.0]
    assert values("atan2", [1.0, 1.0, 0.0], [0.0, -1.0, -1.0]) == [
        *(math.pi / 2, 3 * math.pi / 4, math.pi)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_remainders_are_exact_whatever_the_quotient(kind):
    rng = np.random.default_rng(1)
    tiny, huge = limits(kind)
    x, y = np.exp(rng.uniform(math.log(tiny) + 1, math.log(huge), (2, 4_000))).astype(kind)
    y[::2] = x[::2] * rng.uniform(0.01, 1, 2_000).astype(kind)
    y[::4] = x[::4] / rng.integers(1, 50, 1_000).astype(kind)
    x[1::3] *= -1
    y[y == 0] = 1
    assert (
        program("mod", kind)(x, y) == np.mod(x.astype(float), y.astype(float)).astype(kind)
    ).all()


def test_a_long_formula_is_a_function_for_vectors_and_one_for_numbers():
    xs = np.linspace(0.5, 3, 20)  # two vectors of eight, or five of four, and single numbers
    found = compile(lambda x: [polygamma(1, each) for each in x], backend="numba")(xs)
    assert np.allclose(found, [polygamma(1, x) for x in xs.tolist()], rtol=1e-14)
