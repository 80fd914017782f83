"""Formulas for functions that a language lacks, or has with another result at some numbers.

They are written in the language of the table, so that one text serves all languages in which code
is exported. They call `_fmod`, the remainder with the sign of the dividend, and `_library_pow`, the
power of the language's own library, besides the rows of the table. Their own names begin with an
underscore, so that no operation that a user defines has the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from micrograd.ops import ROWS, Operation, Row, checked, horner
from micrograd.table.floats import ERF_DENOMINATOR, ERF_NUMERATOR, GRID

OUTSIDE = {"_fmod": 2, "_library_pow": 2}
"""What the formulas call besides the rows of the table, with the numbers of operands."""

_WHOLE = 2.0**52  # all larger floats are whole numbers

# Lanczos' approximation of the gamma function in Python's math module (Pugh, 2004), the constant
# first; and its parameter g.
_LANCZOS = (
    *(23531376880.41076, 42919803642.649096, 35711959237.355667, 17921034426.037209),
    *(6039542586.352028, 1439720407.3117216, 248874557.86205417, 31426415.585400194),
    *(2876370.6289353725, 186056.26539522348, 8071.672002365816, 210.82427775157935),
    2.5066282746310002,
)
_BELOW = (
    *(0.0, 39916800.0, 120543840.0, 150917976.0, 105258076.0, 45995730.0, 13339535.0),
    *(2637558.0, 357423.0, 32670.0, 1925.0, 66.0, 1.0),
)
_G = 6.024680040776729583740234375


def _quotients(coefficients: Sequence[float], x: str) -> str:
    """A polynomial in 1 / x by divisions, in which nothing overflows; the highest power first."""
    text = repr(coefficients[0])
    for each in coefficients[1:]:
        text = f"({text}) / {x} + {each!r}"
    return text


def _erf() -> str:
    near = horner(ERF_NUMERATOR[::-1], "square(x)"), horner(ERF_DENOMINATOR[::-1], "square(x)")
    t = "1.4142135623730951 * abs(x)"
    far = f"1 - 2 * normal_tail(({t} - 4) / ({t} + 4)) / ({t} + 4) * gauss(x)"
    return (
        f"where(abs(x) < 1, x * (({near[0]}) / ({near[1]})), "
        f"where(abs(x) < 6, copysign({far}, x), sign(x)))"
    )


def _lgamma_above() -> str:
    """The logarithm of the gamma function for positive numbers, as Python computes it."""
    total = (
        f"where(x < 5, ({horner(_LANCZOS)}) / ({horner(_BELOW)}), "
        f"({_quotients(_LANCZOS, 'x')}) / ({_quotients(_BELOW, 'x')}))"
    )
    above = f"log({total}) - {_G!r} + (x - 0.5) * (log(x + {_G!r} - 0.5) - 1)"
    return f"where(x == 1e999, x, where((x == 1) + (x == 2), 0, {above}))"


def _lgamma() -> str:
    off = "abs(x - round(x))"
    sine = (
        f"where({off} <= 0.25, sin(3.141592653589793 * {off}), "
        f"cos(3.141592653589793 * (0.5 - {off})))"
    )
    below = f"1.1447298858494002 - log({sine}) - log(-x) - _lgamma_above(-x)"
    return (
        "where(abs(x) < 1e-20, -log(abs(x)), where(x > 0, _lgamma_above(x), "
        f"where((x == round(x)) + (x == -1e999), 1e999, {below})))"
    )


# The signs of remainders and quotients are those of Python's own (CPython, Objects/floatobject.c).
_DIFFERS = "where(y < 0, _fmod(x, y) > 0, _fmod(x, y) < 0)"
_QUOTIENT = f"(x - _fmod(x, y)) / y - ({_DIFFERS})"

_REST = "((x - y) * (x + y))"  # x² - y²

_FORMULAS = {
    "maximum": "where((x > y) + (x != x), x, y)",
    "minimum": "where((x < y) + (x != x), x, y)",
    "sign": "where(x > 0, 1, where(x < 0, -1, x))",
    "step": "where(x > 0, 1, where(x <= 0, 0, x))",
    "round": f"where(abs(x) < {_WHOLE}, copysign(abs(x) + {_WHOLE} - {_WHOLE}, x), x)",
    "copysign": "where((y < 0) + (1 / y < 0), -abs(x), abs(x))",
    "mod": "where((y == 0) + (abs(x) == 1e999), 1e999 - 1e999, where(_fmod(x, y) == 0, "
    f"copysign(0, y), where({_DIFFERS}, _fmod(x, y) + y, _fmod(x, y))))",
    "_nearest_below": "where(x - floor(x) > 0.5, floor(x) + 1, floor(x))",
    "floordiv": "where(y == 0, x / y, where(abs(x) == 1e999, 1e999 - 1e999, "
    f"where({_QUOTIENT} == 0, copysign(0, x / y), _nearest_below({_QUOTIENT}))))",
    "pow": "where((x == 1) + (x == -1) * (abs(y) == 1e999), 1, _library_pow(x, y))",
    "_gauss_by_parts": f"exp(-(y * y)) * (1 - {_REST} * (1 - 0.5 * {_REST} * (1 - {_REST} / 3)))",
    "gauss": "where(abs(x) < 2, exp(-(x * x)), where(abs(x) < 28, "
    f"_gauss_by_parts(abs(x), abs(x) + {GRID!r} - {GRID!r}), where(x == x, 0, x)))",
    "_cbrt_improved": "y - (y - x / (y * y)) / 3",  # a step of Newton's method
    "cbrt": "where((x == 0) + (x - x != 0), x, "
    "_cbrt_improved(x, copysign(abs(x) ** 0.3333333333333333, x)))",
    "erf": _erf(),
    "_lgamma_above": _lgamma_above(),
    "lgamma": _lgamma(),
}


def _rows() -> Iterator[Operation]:
    arities = {name: 1 + bool(re.search(r"\by\b", formula)) for name, formula in _FORMULAS.items()}
    known = {row.name: len(row.partials) for row in ROWS} | arities | OUTSIDE
    for name, formula in _FORMULAS.items():
        yield checked(Row(name, formula, ["0"] * arities[name]), known)


SUBSTITUTES: dict[str, Operation] = {row.name: row for row in _rows()}
"""The formulas by name. Only their values count: the partials are those of the table."""
