"""Python as a vocabulary of the table, with the functions of `math` only.

Where Python raises an error but IEEE 754 defines a result, the functions are those with which the
engine itself computes; their source is copied.
"""

from __future__ import annotations

import inspect
import keyword
import math
import re
from collections.abc import Callable
from typing import Any

from micrograd.source.language import Language, Syntax
from micrograd.table.floats import GRID, POLES, SHARED, completed, power, quotient
from micrograd.table.interpreters import CHOICE, COMPARISON, Texts, infix

_COMPLETED = (
    "acos acosh asin atanh cos cosh exp expm1 log log10 log1p log2 sin sinh sqrt tan"
).split()
_PLAIN = ("asinh", "atan", "erf", "tanh")  # they never raise


def _source(function: Callable[..., Any]) -> str:
    """The source of a function without its annotations, whose names would have to be imported."""
    lines = inspect.getsource(function).rstrip().splitlines()
    kinds = r"float|str|Callable\[\.\.\., float\]"
    for i, line in enumerate(lines):
        if line.lstrip().startswith("def "):
            lines[i] = re.sub(rf": ({kinds})(?=[,)])| -> ({kinds})(?=:)", "", line)
    return "\n".join(lines)


def _library() -> tuple[dict[str, str], dict[str, str]]:
    """What is called for each row, and the source of the functions that are not Python's own."""
    poles = re.sub(r"\binf\b", "math.inf", repr(POLES))
    texts = {
        "completed": f"POLES = {poles}\n\n\n{_source(completed)}",
        **{each.__name__: _source(each) for each in (quotient, power)},
        **{name: f'{name} = completed("{name}", math.{name})' for name in (*_COMPLETED, "fmod")},
    }
    calls = {name: name for name in _COMPLETED} | {name: f"math.{name}" for name in _PLAIN}
    calls |= {"div": "quotient", "pow": "power", "_library_pow": "power", "_fmod": "fmod"}
    for name, function in SHARED.items():
        if inspect.isbuiltin(function):
            calls[name] = name if function is abs else f"math.{function.__name__}"
        elif function.__name__ != "<lambda>":
            calls[name] = function.__name__
            texts[function.__name__] = _source(function)
    for name in vars(math):
        if name not in calls and not name.startswith("_") and callable(getattr(math, name)):
            calls[name] = f"math_{name}"
            texts[calls[name]] = f'{calls[name]} = completed("{name}", math.{name})'
    texts["_gauss"] = f"GRID = {GRID!r}\n\n\n{texts['_gauss']}"
    return calls, texts


_calls, _texts = _library()


_OPERATORS = {
    **Texts("div", "pow", "mod", "floordiv"),  # which raise errors
    "_div": Texts()["div"],
    "_or": infix("or", CHOICE, COMPARISON, COMPARISON),
    "_and": infix("and", CHOICE, COMPARISON, COMPARISON),
}

PYTHON = Language(
    "Python",
    operators=_OPERATORS,
    library=_calls,
    texts=_texts,
    words=(*keyword.kwlist, *keyword.softkwlist, "math", "abs", "GRID", "POLES", "__debug__"),
    syntax=Syntax(
        head="def {name}({parameters}):",
        local="{name} = {value}",
        result="return {value}",
        end="",
        parameter="{name}",
        indent="    ",
        brackets=("(", ")"),
    ),
    special=("math.inf", "math.nan"),
)
