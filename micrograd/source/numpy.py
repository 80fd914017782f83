"""NumPy as a vocabulary of the table: formulas on arrays, element by element."""

from __future__ import annotations

import keyword
from collections.abc import Callable

from micrograd.source.language import Language
from micrograd.source.python import PYTHON
from micrograd.table.interpreters import CHOICE, COMPARISON, SUM, Text, Texts, called, in_brackets

_SAME = (
    "exp expm1 exp2 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh floor ceil trunc hypot "
    "cbrt maximum minimum"
).split()
_ARCUS = "asin acos atan asinh acosh atanh".split()


def _joined(sign: str) -> Callable[..., Text]:
    """Two conditions, which need brackets: `&` and `|` bind more tightly than comparisons."""

    def write(x: Text, y: Text) -> Text:
        first, second = (in_brackets(each, SUM) for each in (x, y))
        return f"{first} {sign} {second}", CHOICE

    return write


def _truth(x: Text) -> Text:
    return f"{in_brackets(x, SUM)} != 0", COMPARISON


def _quotient(x: Text, y: Text) -> Text:
    """A quotient; of numbers that may be Python's own, whose division by zero is an error."""
    return (Texts()["div"] if "[" in x[0] + y[0] else called("np.divide"))(x, y)


NUMPY = Language(
    "NumPy",
    operators={
        **Texts("abs", "div", "pow", "mod", "floordiv"),
        "div": _quotient,
        "_div": Texts()["div"],
        "_where": called("np.where"),
        "_truth": _truth,
        "_or": _joined("|"),
        "_and": _joined("&"),
    },
    library={name: f"np.{name}" for name in _SAME}
    | {name: f"np.arc{name[1:]}" for name in _ARCUS}
    | {"abs": "np.abs", "atan2": "np.arctan2", "round": "np.rint"}
    | {"_fmod": "np.fmod", "_library_pow": "np.power", "pow": "np.power"},
    words=(*keyword.kwlist, *keyword.softkwlist, "np", "gather", "p", "u", "v", "range", "len"),
    syntax=PYTHON.syntax,
    special=("np.inf", "np.nan"),
)
"""Functions of arrays. They take an array of float64, so that nothing raises an error."""
