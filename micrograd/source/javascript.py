"""JavaScript as a vocabulary of the table, and texts for pages that compute with it.

A page that computes with formulas of the table needs an expression for each formula, and the
functions that these call:

>>> from micrograd.table.formulas import Call
>>> tree = Call("tanh", (Call("add", (Call("mul", ("x", "w")), "b")),))
>>> expression(tree)
'Math.tanh(x * w + b)'
>>> expression(tree, {"x": "inputs[0]", "w": "weights[0]", "b": "bias"})
'Math.tanh(inputs[0] * weights[0] + bias)'
>>> print(runtime([Call("relu", ("x",)), Call("tanh", ("x",))]))
function relu(x) {
  return x <= 0 ? 0 : x;
}

The functions are named after the rows of the table, so a page that uses other names for its own
functions has no conflict. `micrograd.export.source.export_source` writes the value and the gradient
of whole graphs.

Functions are found by their names in JavaScript's `Math`. Exceptions are replaced by formulas
(`micrograd.source.substitutes`): `Math.round` rounds halves up, `Math.max` prefers the positive
zero, `Math.cbrt` and the engine round differently, `%` takes the sign of the dividend, and `Math`
has no error function. `Math.exp`, `Math.log`, `Math.pow` and `Math.hypot` are off by
up to a unit more than those of C and Python. Where that could be enlarged, in the formulas of other
rows, in powers with variable exponents, and for `hypot`, the functions of `assets/library.js` take
their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import resources

from micrograd.source.language import Language, Syntax
from micrograd.source.operators import operators
from micrograd.source.trees import ready
from micrograd.table.formulas import Tree, calls, substituted
from micrograd.table.interpreters import PRODUCT, SIGN, Text, infix

_MATH = (
    "abs acos acosh asin asinh atan atan2 atanh ceil cos cosh exp expm1 floor log log10 "
    "log1p log2 sign sin sinh sqrt tan tanh trunc"
).split()
WORDS = (
    "Array Infinity Math NaN Number Object ROOTS abstract arguments async await boolean break byte "
    "case catch char class const continue debugger default delete do double else enum eval "
    "export extends false final finally float for function globalThis goto if implements "
    "import in instanceof int interface let long module native new null of package private "
    "protected public return short static super switch synchronized this throw throws "
    "transient true try typeof undefined var void volatile while with yield"
).split()


def _library() -> dict[str, str]:
    """The source of each function of our own, with what stands before it; a blank line ends it."""
    source = (resources.files(__package__) / "assets" / "library.js").read_text(encoding="utf-8")
    parts = source.split("\n\n")
    return {re.search(r"function (\w+)", part)[1]: part.rstrip() for part in parts}  # type: ignore[index]


class _JavaScript(Language):
    def number(self, number: float) -> Text:
        text, strength = super().number(number)
        return text.removesuffix(".0"), strength


JAVASCRIPT = _JavaScript(
    "JavaScript",
    operators=operators("===", "!==") | {"_fmod": infix("%", PRODUCT, PRODUCT, SIGN)},
    library={name: f"Math.{name}" for name in _MATH}
    | {"_library_pow": "Math.pow", "pow": "pow", "hypot": "hypot"}
    | {"_exp": "exp", "_log": "log"},
    texts=_library(),
    words=WORDS,
    functions=(  # of `micrograd.export.pages`
        *("forward", "backward", "partials", "heads", "tails", "swept", "slopes"),
        *"vgpckij",
    ),
    syntax=Syntax(
        head="function {name}({parameters}) {{",
        local="const {name} = {value};",
        result="return {value};",
        end="}",
        parameter="{name}",
        indent="  ",
    ),
    special=("Infinity", "NaN"),
)


def expression(tree: Tree, names: Mapping[str, str | float] | None = None) -> str:
    """A formula as an expression in JavaScript.

    Args:
        tree: the formula.
        names: the text in JavaScript for each variable, such as `{"x": "inputs[0]"}`, or its
            number; a variable that is not in it is written as it is.
    """
    return JAVASCRIPT.text(ready(substituted(tree, names or {})))


def runtime(trees: Iterable[Tree]) -> str:
    """The functions in JavaScript that the expressions of formulas call.

    Args:
        trees: the formulas.

    Raises:
        NotImplementedError: an operation is defined by a Python function.
    """
    return "\n\n".join(JAVASCRIPT.runtime({name for tree in trees for name in calls(ready(tree))}))
