"""Formulas for functions that a language lacks, or has with another result at some numbers.

They are written in the language of the table, so that one text serves all languages in which code
is exported. Besides the rows of the table, they call `_fmod`, the remainder with the sign of the
dividend, and `_library_pow`, that of the language's own library. Their own names begin with an
underscore, so that no operation that a user defines has the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from micrograd.ops import ROWS, Operation, Row, checked
from micrograd.table.floats import GRID
from micrograd.table.formulas import horner

OUTSIDE = {"_fmod": 2, "_library_pow": 2}
"""What the formulas call besides the rows of the table, with the numbers of operands."""

_WHOLE = 2.0**52  # all larger floats are whole numbers


# (erf(x) - x) / x for |x| < 0.84375 is the quotient of these polynomials in x². They are those of
# most C libraries (Sun's fdlibm, s_erf.c).
_ERF = (
    (
        1.28379167095512558561e-01,
        -3.25042107247001499370e-01,
        -2.84817495755985104766e-02,
        -5.77027029648944159157e-03,
        -2.37630166566501626084e-05,
    ),
    (
        1.0,
        3.97917223959155352819e-01,
        6.50222499887672944485e-02,
        5.08130628187576562776e-03,
        1.32494738004321644526e-04,
        -3.96022827877536812320e-06,
    ),
)

# (tanh(x) - x) / x³ for |x| < 0.625 is the quotient of these polynomials in x²; from Cephes
# (Moshier, 1989).
_TANH = (
    (-1.61468768441708447952e03, -9.92877231001918586564e01, -9.64399179425052238628e-01),
    (4.84406305325125486048e03, 2.23548839060100448583e03, 1.12811678491632931402e02, 1.0),
)


def _tanh() -> str:
    top, bottom = (horner(each, "square(x)") for each in _TANH)
    near = f"x * (1 + square(x) * (({top}) / ({bottom})))"
    return f"where(abs(x) < 0.625, {near}, _tanh_far(exp(-2 * abs(x)), x))"


def _erf() -> str:
    near = [horner(each, "square(x)") for each in _ERF]
    t = "1.4142135623730951 * abs(x)"
    far = f"1 - 2 * normal_tail(({t} - 4) / ({t} + 4)) / ({t} + 4) * gauss(x)"
    return (
        f"where(abs(x) < 0.84375, x + x * (({near[0]}) / ({near[1]})), "
        f"where(abs(x) < 6, copysign({far}, x), sign(x)))"
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
    "_gauss_by_parts": f"exp(-(y * y)) * (1 - {_REST} * (1 - 0.5 * {_REST} * (1 - {_REST} / 3)))",
    "gauss": "where(abs(x) < 2, exp(-(x * x)), where(abs(x) < 28, "
    f"_gauss_by_parts(abs(x), abs(x) + {GRID!r} - {GRID!r}), where(x == x, 0, x)))",
    # A step of Halley's method, from 26 bits of the root, so that the square is exact.
    "_by_halley": "x + x * ((y - x) / (x + x + y))",
    "_cbrt_from": "_by_halley(y, x / (y * y))",
    "_cbrt_improved": "_cbrt_from(x, y * 134217729 - (y * 134217729 - y))",
    "cbrt": "where((x == 0) + (x - x != 0), x, "
    "_cbrt_improved(x, copysign(abs(x) ** 0.3333333333333333, x)))",
    "erf": _erf(),
    "_tanh_far": "where(y < 0, 2 * x / (1 + x) - 1, 1 - 2 * x / (1 + x))",
    "tanh": _tanh(),
}


def _rows() -> Iterator[Operation]:
    arities = {
        name: 1 + bool(re.search(r"\by\b", formula)) + bool(re.search(r"\bz\b", formula))
        for name, formula in _FORMULAS.items()
    }
    known = {row.name: len(row.partials) for row in ROWS} | arities | OUTSIDE
    for name, formula in _FORMULAS.items():
        yield checked(Row(name, formula, ["0"] * arities[name]), known)


SUBSTITUTES: dict[str, Operation] = {row.name: row for row in _rows()}
"""The formulas by name. Only their values count: the partials are those of the table."""
