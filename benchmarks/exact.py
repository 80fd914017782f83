"""The operations of the table as mathematics defines them: values, first and second partials.

The definitions are written for mpmath, independently of the formulas of the table. They rely on
precision rather than on careful formulas: `1 - tanh(x)²` at 2,600 bits is exact enough for floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mpmath import mp, mpf

from micrograd import ops
from micrograd.table.formulas import calls, fold
from micrograd.table.parts import TAIL

BITS = 2_600
"""Enough that a sum of two floats of any size is exact, with 400 bits to spare."""

Function = Callable[..., Any]


class Exact(NamedTuple):
    """A result, its partials, and its second partials in the order xx or xx, xy, yy.

    If one of these is a sum, `sizes` has its largest term, by the position of the sum among them.
    Near a zero of the sum, rounding errors are measured relative to that term.
    """

    value: Function
    first: tuple[Function, ...]
    second: tuple[Function, ...]
    sizes: dict[int, Function] = {}  # noqa: RUF012 (never changed)


def _zero(*_: Any) -> Any:
    return mpf(0)


def _one(*_: Any) -> Any:
    return mpf(1)


def _unary(value: Function, first: Function, second: Function, *sizes: Function | None) -> Exact:
    """An operation of one operand; `sizes` belong to the partial and the second partial."""
    sums = {place: size for place, size in enumerate(sizes, start=1) if size}
    return Exact(value, (first,), (second,), sums)


def _flat(arity: int, value: Function) -> Exact:
    return Exact(value, (_zero,) * arity, (_zero,) * (arity * (arity + 1) // 2))


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x)) if x > -10_000 else mpf(0)


def _sech2(x: Any) -> Any:
    return 4 / (mp.exp(x) + mp.exp(-x)) ** 2 if abs(x) < 10_000 else mpf(0)


def _tanh(x: Any) -> Any:
    return mp.tanh(x) if abs(x) < 10_000 else mp.sign(x)


def _logistic(x: Any) -> Any:
    return _sech2(x / 2) / 4


def _gauss(x: Any) -> Any:
    return mp.exp(-x * x) if abs(x) < 10_000 else mpf(0)


def _density(x: Any) -> Any:
    return _gauss(x / mp.sqrt(2)) / mp.sqrt(2 * mp.pi)


def _normal(x: Any) -> Any:
    """The distribution function of the normal distribution."""
    if not -100 < x < 60:  # where `_hazard` has a series, and where nothing is missing from 1
        return mpf(x > 0)
    with mp.workprec(min(mp.prec, 600) + int(3 * x * x)):  # more would only take time
        return mp.erfc(-x / mp.sqrt(2)) / 2


def _softplus(x: Any) -> Any:
    if abs(x) > 10_000:
        return max(x, mpf(0))
    return mp.log1p(mp.exp(x))


def _silu(x: Any) -> Any:
    return x * _sigmoid(x)


def _silu_slope(x: Any) -> Any:
    return _sigmoid(x) * (1 + x * _sigmoid(-x))


def _silu_second(x: Any) -> Any:
    return _logistic(x) * (2 - x * _tanh(x / 2))


def _silu_third(x: Any) -> Any:
    t, s = _tanh(x / 2), _logistic(x)
    return -s * t * (2 - x * t) - s * (t + x / 2 * (1 - t * t))


def _mish(x: Any) -> Any:
    return x * _tanh(_softplus(x))


def _mish_slope(x: Any) -> Any:
    p = _softplus(x)
    return _tanh(p) + x * _sigmoid(x) * _sech2(p)


def _mish_second(x: Any) -> Any:
    s, p = _sigmoid(x), _softplus(x)
    return s * _sech2(p) * (2 + x * (_sigmoid(-x) - 2 * s * _tanh(p)))


def _mish_third(x: Any) -> Any:
    s, r, p = _sigmoid(x), _sigmoid(-x), _softplus(x)
    t, q = _tanh(p), _sech2(p)
    bend = r - 2 * s * t
    return s * q * ((3 + x * bend) * bend - x * s * (r + 2 * r * t + 2 * s * q))


def _power(x: Any, y: Any) -> Any:
    if x == 0:
        return mpf(1) if y == 0 else mpf(0) if y > 0 else mpf("inf")
    if x < 0:
        return (-1) ** int(y) * mp.exp(y * mp.log(-x)) if y == int(y) else mpf("nan")
    product = y * mp.log(x)
    return mp.exp(product) if abs(product) < 10_000 else mpf("inf") if product > 0 else mpf(0)


def _log(x: Any) -> Any:
    return mp.log(x) if x else mpf("-inf")


def _times(factor: Any, power: Any) -> Any:
    """`power * factor`, or 0 if either is 0: where x -> 0, the power decides the limit."""
    return power * factor if power and factor else mpf(0)


def _power_x(x: Any, y: Any) -> Any:
    return _times(y, _power(x, y - 1))


def _power_y(x: Any, y: Any) -> Any:
    return _times(_log(x), _power(x, y))


def _power_xx(x: Any, y: Any) -> Any:
    return _times(y * (y - 1), _power(x, y - 2))


def _power_xy(x: Any, y: Any) -> Any:
    return _times(1 + _times(_log(x), y), _power(x, y - 1))


def _mixed_size(x: Any, y: Any) -> Any:
    return _times(1 + abs(_times(_log(x), y)), _power(x, y - 1))


def _power_yy(x: Any, y: Any) -> Any:
    return _times(_log(x) ** 2, _power(x, y))


def _mod(x: Any, y: Any) -> Any:
    return x - y * mp.floor(x / y)


def _cbrt(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


def _exp2(x: Any) -> Any:
    return mpf(2) ** x if abs(x) < 10_000 else mp.exp(mp.sign(x) * 100_000)


def _sinc(x: Any) -> Any:
    return mp.sinpi(x) / (mp.pi * x) if x else mpf(1)


def _sinc_slope(x: Any) -> Any:
    return (mp.cospi(x) - _sinc(x)) / x if x else mpf(0)


def _sinc_second(x: Any) -> Any:
    return -(mp.pi**2) * _sinc(x) - 2 * _sinc_slope(x) / x if x else -(mp.pi**2) / 3


def _sinc_size(x: Any) -> Any:
    terms = max(abs(mp.cospi(x)), abs(_sinc(x))) / abs(x) if abs(x) >= 0.5 else 0
    return max(terms, abs(_sinc_slope(x)))


def _sinc_second_size(x: Any) -> Any:
    terms = 2 * abs(_sinc_size(x) / x) if abs(x) >= 0.5 else 0
    return max(terms, mp.pi**2 * abs(_sinc(x)) * (abs(x) >= 0.5), abs(_sinc_second(x)))


def _hazard(x: Any) -> Any:
    """The density over the distribution function, by its asymptotic series far below 0."""
    if x > -100:
        return _density(x) / _normal(x)
    term, total, k = mpf(1), mpf(0), 0
    while abs(term) > mpf(2) ** -BITS:
        total += term
        k += 1
        term *= -(2 * k - 1) / x**2
    return -x / total


def _log_ndtr(x: Any) -> Any:
    if x > -100:
        return mp.log1p(-_normal(-x)) if x > 0 else mp.log(_normal(x))
    return -x * x / 2 - mp.log(2 * mp.pi) / 2 - mp.log(_hazard(x))


def _hazard_slope(x: Any) -> Any:
    return -_hazard(x) * (x + _hazard(x))


def _hazard_size(x: Any) -> Any:
    return _hazard(x) * max(abs(x), _hazard(x)) if x > -7 else abs(_hazard_slope(x))


def _psi_size(order: int) -> Function:
    """The size of the terms of the sums and reflections that a polygamma function is made of."""

    def size(x: Any) -> Any:
        reflected = (3, 10, 62)[order] if x < 0 else 0
        return max(abs(mp.psi(order, x)), reflected)

    return size


_SELU, _SELU_ALPHA = (
    mpf("1.0507009873554804934193349852946"),
    mpf("1.6732632423543772848170429916717"),
)


def _x(x: Any, *_: Any) -> Any:
    return x


def _h(x: Any, y: Any) -> Any:
    return mp.sqrt(x * x + y * y)


_LEAK = mpf(0.01)

EXACT: dict[str, Exact] = {
    # ------------------------------------------------------------------------------ arithmetic
    "add": Exact(lambda x, y: x + y, (_one, _one), (_zero,) * 3),
    "sub": Exact(lambda x, y: x - y, (_one, lambda x, y: mpf(-1)), (_zero,) * 3),
    "mul": Exact(lambda x, y: x * y, (lambda x, y: y, _x), (_zero, _one, _zero)),
    "div": Exact(
        lambda x, y: x / y,
        (lambda x, y: 1 / y, lambda x, y: -x / y**2),
        (_zero, lambda x, y: -1 / y**2, lambda x, y: 2 * x / y**3),
    ),
    "pow": Exact(_power, (_power_x, _power_y), (_power_xx, _power_xy, _power_yy), {4: _mixed_size}),
    "neg": _unary(lambda x: -x, lambda x: mpf(-1), _zero),
    "square": _unary(lambda x: x * x, lambda x: 2 * x, lambda x: mpf(2)),
    "reciprocal": _unary(lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3),
    "sqrt": _unary(mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), lambda x: -1 / (4 * x * mp.sqrt(x))),
    # ------------------------------------------------------------- exponentials and logarithms
    "exp": _unary(mp.exp, mp.exp, mp.exp),
    "expm1": _unary(mp.expm1, mp.exp, mp.exp),
    "log": _unary(mp.log, lambda x: 1 / x, lambda x: -1 / x**2),
    "log1p": _unary(mp.log1p, lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2),
    "log2": _unary(
        lambda x: mp.log(x) / mp.ln2,
        lambda x: 1 / (x * mp.ln2),
        lambda x: -1 / (x**2 * mp.ln2),
    ),
    "log10": _unary(
        lambda x: mp.log(x) / mp.ln10,
        lambda x: 1 / (x * mp.ln10),
        lambda x: -1 / (x**2 * mp.ln10),
    ),
    # --------------------------------------------------------------------- circles, hyperbolas
    "sin": _unary(mp.sin, mp.cos, lambda x: -mp.sin(x)),
    "cos": _unary(mp.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x)),
    "tan": _unary(mp.tan, lambda x: 1 / mp.cos(x) ** 2, lambda x: 2 * mp.tan(x) / mp.cos(x) ** 2),
    "asin": _unary(
        mp.asin, lambda x: 1 / mp.sqrt(1 - x * x), lambda x: x / mp.sqrt(1 - x * x) ** 3
    ),
    "acos": _unary(
        mp.acos, lambda x: -1 / mp.sqrt(1 - x * x), lambda x: -x / mp.sqrt(1 - x * x) ** 3
    ),
    "atan": _unary(mp.atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "sinh": _unary(mp.sinh, mp.cosh, mp.sinh),
    "cosh": _unary(mp.cosh, mp.sinh, mp.cosh),
    "tanh": _unary(_tanh, _sech2, lambda x: -2 * _tanh(x) * _sech2(x)),
    "asinh": _unary(
        lambda x: mp.sign(x) * mp.log1p(abs(x) + x * x / (1 + mp.sqrt(1 + x * x))),
        lambda x: 1 / mp.sqrt(1 + x * x),
        lambda x: -x / mp.sqrt(1 + x * x) ** 3,
    ),
    "acosh": _unary(
        mp.acosh, lambda x: 1 / mp.sqrt(x * x - 1), lambda x: -x / mp.sqrt(x * x - 1) ** 3
    ),
    "atanh": _unary(
        lambda x: (mp.log1p(x) - mp.log1p(-x)) / 2,
        lambda x: 1 / (1 - x * x),
        lambda x: 2 * x / (1 - x * x) ** 2,
    ),
    # -------------------------------------------------------------------------------- activations
    "sigmoid": _unary(_sigmoid, _logistic, lambda x: -_tanh(x / 2) * _logistic(x)),
    "softplus": _unary(_softplus, _sigmoid, _logistic),
    "relu": _unary(lambda x: max(x, mpf(0)), lambda x: mpf(x > 0), _zero),
    "leaky_relu": _unary(
        lambda x: x if x > 0 else _LEAK * x, lambda x: mpf(1) if x > 0 else _LEAK, _zero
    ),
    "elu": _unary(
        lambda x: x if x > 0 else mp.expm1(x),
        lambda x: mpf(1) if x > 0 else mp.exp(x),
        lambda x: mpf(0) if x > 0 else mp.exp(x),
    ),
    "gelu": _unary(
        lambda x: x * _normal(x),
        lambda x: _normal(x) + x * _density(x),
        lambda x: (2 - x * x) * _density(x),
        None,
        lambda x: (2 + x * x) * _density(x),
    ),
    "silu": _unary(
        _silu,
        _silu_slope,
        _silu_second,
        None,
        lambda x: _logistic(x) * (2 + x * _tanh(x / 2)),
    ),
    "mish": _unary(
        _mish,
        _mish_slope,
        _mish_second,
        None,
        lambda x: _sigmoid(x) * _sech2(_softplus(x)) * (2 + abs(x) * (1 + 2 * _tanh(_softplus(x)))),
    ),
    "erf": _unary(
        lambda x: mp.erf(x) if abs(x) < 40 else mp.sign(x),
        lambda x: 2 / mp.sqrt(mp.pi) * _gauss(x),
        lambda x: -4 * x / mp.sqrt(mp.pi) * _gauss(x),
    ),
    # -------------------------------------------------------------------------- steps and corners
    "abs": _unary(abs, mp.sign, _zero),
    "sign": _flat(1, mp.sign),
    "step": _flat(1, lambda x: mpf(x > 0)),
    "detach": _flat(1, _x),
    "maximum": Exact(max, (lambda x, y: mpf(x > y), lambda x, y: mpf(y > x)), (_zero,) * 3),
    "minimum": Exact(min, (lambda x, y: mpf(x < y), lambda x, y: mpf(y < x)), (_zero,) * 3),
    "clip": Exact(
        lambda x, y, z: min(max(x, y), z),
        (
            lambda x, y, z: mpf(y <= x <= z),
            lambda x, y, z: mpf(x < y <= z),
            lambda x, y, z: mpf(max(x, y) > z),
        ),
        (_zero,) * 6,
    ),
    "floor": _flat(1, mp.floor),
    "ceil": _flat(1, mp.ceil),
    "round": _flat(1, mp.nint),
    "trunc": _flat(1, lambda x: mp.floor(abs(x)) * mp.sign(x)),
    "mod": Exact(_mod, (_one, lambda x, y: -mp.floor(x / y)), (_zero,) * 3),
    "floordiv": _flat(2, lambda x, y: mp.floor(x / y)),
    "copysign": Exact(
        lambda x, y: abs(x) * (1 if y > 0 else -1),
        (lambda x, y: mp.sign(x) * (1 if y > 0 else -1), _zero),
        (_zero,) * 3,
    ),
    "cbrt": _unary(_cbrt, lambda x: 1 / (3 * _cbrt(x) ** 2), lambda x: -2 / (9 * _cbrt(x) ** 5)),
    "exp2": _unary(_exp2, lambda x: mp.ln2 * _exp2(x), lambda x: mp.ln2**2 * _exp2(x)),
    "rsqrt": _unary(
        lambda x: 1 / mp.sqrt(x),
        lambda x: -1 / (2 * x * mp.sqrt(x)),
        lambda x: 3 / (4 * x * x * mp.sqrt(x)),
    ),
    "sinc": _unary(_sinc, _sinc_slope, _sinc_second, _sinc_size, _sinc_second_size),
    "erfc": _unary(
        lambda x: 2 * _normal(-mp.sqrt(2) * x),
        lambda x: -2 / mp.sqrt(mp.pi) * _gauss(x),
        lambda x: 4 * x / mp.sqrt(mp.pi) * _gauss(x),
    ),
    "ndtr": _unary(_normal, _density, lambda x: -x * _density(x)),
    "log_ndtr": _unary(_log_ndtr, _hazard, _hazard_slope, _hazard, _hazard_size),
    "lgamma": Exact(
        lambda x: mp.re(mp.loggamma(x)),
        (lambda x: mp.psi(0, x),),
        (lambda x: mp.psi(1, x),),
        {
            0: lambda x: max(abs(mp.re(mp.loggamma(x))), 2 * (x < 0)),
            1: _psi_size(0),
            2: _psi_size(1),
        },
    ),
    "digamma": Exact(
        lambda x: mp.psi(0, x),
        (lambda x: mp.psi(1, x),),
        (lambda x: mp.psi(2, x),),
        {0: _psi_size(0), 1: _psi_size(1), 2: _psi_size(2)},
    ),
    "log_sigmoid": _unary(
        lambda x: -_softplus(-x), lambda x: _sigmoid(-x), lambda x: -_logistic(x)
    ),
    "logaddexp": Exact(
        lambda x, y: max(x, y) + _softplus(-abs(x - y)),
        (lambda x, y: _sigmoid(x - y), lambda x, y: _sigmoid(y - x)),
        tuple(lambda x, y, s=s: s * _logistic(x - y) for s in (1, -1, 1)),
        {0: lambda x, y: max(abs(max(x, y)), _softplus(-abs(x - y)))},
    ),
    "logit": _unary(
        lambda x: mp.log(x / (1 - x)),
        lambda x: 1 / (x * (1 - x)),
        lambda x: (2 * x - 1) / (x * (1 - x)) ** 2,
        lambda x: 1 / (x * (1 - x)),
        lambda x: 1 / (x * (1 - x)) ** 2,
    ),
    "xlogy": Exact(
        lambda x, y: x * mp.log(y) if x else mpf(0),
        (lambda x, y: mp.log(y), lambda x, y: x / y),
        (_zero, lambda x, y: 1 / y, lambda x, y: -x / y**2),
    ),
    "softsign": _unary(
        lambda x: x / (1 + abs(x)),
        lambda x: 1 / (1 + abs(x)) ** 2,
        lambda x: -2 * mp.sign(x) / (1 + abs(x)) ** 3,
    ),
    "selu": _unary(
        lambda x: _SELU * (x if x > 0 else _SELU_ALPHA * mp.expm1(x)),
        lambda x: _SELU * (1 if x > 0 else _SELU_ALPHA * mp.exp(x)),
        lambda x: mpf(0) if x > 0 else _SELU * _SELU_ALPHA * mp.exp(x),
    ),
    "celu": _unary(
        lambda x: x if x > 0 else mp.expm1(x),
        lambda x: mpf(1) if x > 0 else mp.exp(x),
        lambda x: mpf(0) if x > 0 else mp.exp(x),
    ),
    "relu6": _unary(lambda x: min(max(x, mpf(0)), mpf(6)), lambda x: mpf(0 < x < 6), _zero),
    "hardtanh": _unary(lambda x: min(max(x, mpf(-1)), mpf(1)), lambda x: mpf(-1 < x < 1), _zero),
    "hard_sigmoid": _unary(
        lambda x: min(max((x + 3) / 6, mpf(0)), mpf(1)), lambda x: mpf(-3 < x < 3) / 6, _zero
    ),
    "hard_swish": _unary(
        lambda x: x * min(max((x + 3) / 6, mpf(0)), mpf(1)),
        lambda x: (2 * x + 3) / 6 if -3 < x < 3 else mpf(x >= 3),
        lambda x: mpf(-3 < x < 3) / 3,
    ),
    "lt": _flat(2, lambda x, y: mpf(x < y)),
    "le": _flat(2, lambda x, y: mpf(x <= y)),
    "gt": _flat(2, lambda x, y: mpf(x > y)),
    "ge": _flat(2, lambda x, y: mpf(x >= y)),
    "eq": _flat(2, lambda x, y: mpf(x == y)),
    "ne": _flat(2, lambda x, y: mpf(x != y)),
    "where": Exact(
        lambda x, y, z: y if x else z,
        (_zero, lambda x, y, z: mpf(x != 0), lambda x, y, z: mpf(x == 0)),
        (_zero,) * 6,
    ),
    # ---------------------------------------------------------------------------- in the plane
    "hypot": Exact(
        _h,
        (lambda x, y: x / _h(x, y), lambda x, y: y / _h(x, y)),
        (
            lambda x, y: y * y / _h(x, y) ** 3,
            lambda x, y: -x * y / _h(x, y) ** 3,
            lambda x, y: x * x / _h(x, y) ** 3,
        ),
    ),
    "atan2": Exact(
        lambda x, y: mp.atan2(x, y),
        (lambda x, y: y / (x * x + y * y), lambda x, y: -x / (x * x + y * y)),
        (
            lambda x, y: -2 * x * y / (x * x + y * y) ** 2,
            lambda x, y: (x * x - y * y) / (x * x + y * y) ** 2,
            lambda x, y: 2 * x * y / (x * x + y * y) ** 2,
        ),
    ),
}

# ------------------------------------------------------- what partials of other rows are written in


def _tail(order: int) -> Function:
    """(t + 4) exp(t²/2) Φ(-t) for x = (t - 4) / (t + 4), or a derivative of it.

    Its partials are those of the polynomial that stands for it: nothing asks for them.
    """

    def tail(x: Any) -> Any:
        if not order:
            t = 4 * (1 + x) / (1 - x)
            return (t + 4) * mp.exp(t * t / 2) * _normal(-t)
        terms = enumerate(TAIL)
        return mp.fsum(mp.ff(i, order) * each * x ** (i - order) for i, each in terms if i >= order)

    return tail


EXACT |= {
    "sech2": _unary(
        _sech2,
        lambda x: -2 * _tanh(x) * _sech2(x),
        lambda x: 4 * _sech2(x) * _tanh(x) ** 2 - 2 * _sech2(x) ** 2,
        lambda x: 2 * _tanh(abs(x)) * _sech2(x),
        lambda x: 4 * _sech2(x) * _tanh(x) ** 2 + 2 * _sech2(x) ** 2,
    ),
    "gauss": _unary(
        _gauss,
        lambda x: -2 * x * _gauss(x),
        lambda x: (4 * x * x - 2) * _gauss(x),
        lambda x: 2 * abs(x) * _gauss(x),
        lambda x: (4 * x * x + 2) * _gauss(x),
    ),
    "one_minus_square": _unary(lambda x: 1 - x * x, lambda x: -2 * x, lambda x: mpf(-2)),
    "gelu_slope": Exact(
        EXACT["gelu"].first[0],
        EXACT["gelu"].second,
        (lambda x: x * (x * x - 4) * _density(x),),
        {
            1: EXACT["gelu"].sizes[2],
            2: lambda x: abs(x) * (x * x + 4) * _density(x),
        },
    ),
    "normal_tail": _unary(_tail(0), _tail(1), _tail(2)),
    "pow_slope_x": Exact(
        _power_x,
        (_power_xx, _power_xy),
        (
            lambda x, y: y * (y - 1) * (y - 2) * _power(x, y - 3),
            lambda x, y: _power(x, y - 2) * (2 * y - 1 + y * (y - 1) * mp.log(x)),
            lambda x, y: _power(x, y - 1) * mp.log(x) * (2 + y * mp.log(x)),
        ),
        {
            2: _mixed_size,
            4: lambda x, y: _power(x, y - 2) * (2 * abs(y) + 1 + abs(y * (y - 1) * mp.log(x))),
            5: lambda x, y: _power(x, y - 1) * abs(mp.log(x)) * (2 + abs(y * mp.log(x))),
        },
    ),
    "pow_slope_y": Exact(
        _power_y,
        (_power_xy, _power_yy),
        (
            lambda x, y: _power(x, y - 2) * (2 * y - 1 + y * (y - 1) * mp.log(x)),
            lambda x, y: _power(x, y - 1) * mp.log(x) * (2 + y * mp.log(x)),
            lambda x, y: _power(x, y) * mp.log(x) ** 3,
        ),
        {
            1: _mixed_size,
            3: lambda x, y: _power(x, y - 2) * (2 * abs(y) + 1 + abs(y * (y - 1) * mp.log(x))),
            4: lambda x, y: _power(x, y - 1) * abs(mp.log(x)) * (2 + abs(y * mp.log(x))),
        },
    ),
    "sinc_slope": Exact(
        _sinc_slope,
        (_sinc_second,),
        (lambda x: mp.diff(_sinc_second, x) if x else mpf(0),),
        {0: _sinc_size, 1: _sinc_second_size},
    ),
    "log_ndtr_slope": Exact(
        _hazard,
        (_hazard_slope,),
        (lambda x: -_hazard_slope(x) * (x + 2 * _hazard(x)) - _hazard(x),),
        {1: _hazard_size},
    ),
    "digamma_above": Exact(
        lambda x: mp.psi(0, x),
        (lambda x: mp.psi(1, x),),
        (lambda x: mp.psi(2, x),),
        {0: _psi_size(0)},
    ),
    "silu_slope": Exact(
        _silu_slope,
        (_silu_second,),
        (_silu_third,),
        {
            1: EXACT["silu"].sizes[2],
            2: lambda x: _logistic(x) * (3 + 3 * abs(x)),
        },
    ),
    "mish_slope": Exact(
        _mish_slope,
        (_mish_second,),
        (_mish_third,),
        {1: EXACT["mish"].sizes[2]},
    ),
    "hypot_slope": Exact(
        lambda x, y: x / _h(x, y),
        (lambda x, y: y * y / _h(x, y) ** 3, lambda x, y: -x * y / _h(x, y) ** 3),
        (
            lambda x, y: -3 * x * y * y / _h(x, y) ** 5,
            lambda x, y: y * (2 * x * x - y * y) / _h(x, y) ** 5,
            lambda x, y: x * (2 * y * y - x * x) / _h(x, y) ** 5,
        ),
        {
            4: lambda x, y: abs(y) * (2 * x * x + y * y) / _h(x, y) ** 5,
            5: lambda x, y: abs(x) * (2 * y * y + x * x) / _h(x, y) ** 5,
        },
    ),
    "atan2_slope": Exact(
        lambda x, y: y / (x * x + y * y),
        (
            lambda x, y: -2 * x * y / (x * x + y * y) ** 2,
            lambda x, y: (x * x - y * y) / (x * x + y * y) ** 2,
        ),
        (
            lambda x, y: 2 * y * (3 * x * x - y * y) / (x * x + y * y) ** 3,
            lambda x, y: 2 * x * (3 * y * y - x * x) / (x * x + y * y) ** 3,
            lambda x, y: 2 * y * (y * y - 3 * x * x) / (x * x + y * y) ** 3,
        ),
        {
            3: lambda x, y: 2 * abs(y) * (3 * x * x + y * y) / (x * x + y * y) ** 3,
            4: lambda x, y: 2 * abs(x) * (3 * y * y + x * x) / (x * x + y * y) ** 3,
            5: lambda x, y: 2 * abs(y) * (y * y + 3 * x * x) / (x * x + y * y) ** 3,
        },
    ),
}


def definition(name: str) -> Exact:
    """The definition of a row.

    A row that is not listed above is defined by the function of mpmath of that name, or else by its
    formula at full precision. Its partials are differences with relative steps of half of all bits.
    """
    if name in EXACT:
        return EXACT[name]
    row = ops.TABLE[name]
    function = getattr(mp, name, None)
    if row.is_primitive and function is None:
        raise LookupError(f"write the definition of {name!r} into benchmarks/exact.py")
    if not row.is_primitive:
        vocabulary = {each: definition(each).value for each in calls(row.expression)}

        def function(*point: Any) -> Any:
            return fold(row.expression, vocabulary, dict(zip(row.operands, point, strict=True)))

    def partial(*orders: int) -> Function:
        def at(*point: Any) -> Any:
            def beside(*moved: Any) -> Any:
                return function(*(x * (1 + t) for x, t in zip(point, moved, strict=True)))

            scale = mp.fprod(x**n for x, n in zip(point, orders, strict=True))
            return mp.diff(beside, (0,) * len(point), orders) / scale

        return at

    places = range(row.arity)
    first = [partial(*(int(k == i) for k in places)) for i in places]
    pairs = [(i, j) for i in places for j in places[i:]]
    second = [partial(*((k == i) + (k == j) for k in places)) for i, j in pairs]
    return Exact(function, tuple(first), tuple(second))
