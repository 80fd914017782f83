"""The table's formulas in LLVM's language, on vectors of lanes.

Arithmetic in formulas follows IEEE 754, and nothing is reordered or fused. Elementary functions are
those of `elementary`, on all lanes at once; the few others are those of the C library, called lane
by lane. What a formula does twice is written once, and a long branch of a choice is skipped if no
lane takes it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from llvmlite import ir

from micrograd.compiler.native.elementary import constant, functions
from micrograd.compiler.native.elementary.lanes import outlined, some
from micrograd.compiler.native.writing import Writer
from micrograd.compiler.program.flows import Flow
from micrograd.ops import lookup
from micrograd.source.c import LIBRARY
from micrograd.table.formulas import ADJOINT, Call, Tree
from micrograd.table.interpreters import SIGNS
from micrograd.table.operations import Operation

_METHODS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv", "neg": "fneg"}
_TESTS = {f"_{name}": sign for name, sign in SIGNS.items()}
LONG = 12
"""From this cost on, a branch of a choice is skipped where it can be."""
_VERY_LONG = 500
"""From this cost on, the formula of an operation is written once in a module, as a function."""


class Lowering(dict[str, Callable[..., Any]]):
    """A vocabulary that writes formulas, on vectors of `width` lanes.

    It is the vocabulary of `with_truths`, which keeps truth values and numbers apart.

    Args:
        writer: writes the function.
        width: the number of lanes; 1 for single numbers.
    """

    def __init__(self, writer: Writer, width: int) -> None:
        self.writer, self.width = writer, width
        self.functions, build = functions(writer, width), writer.build
        applied, compare = self.functions.applied, self.functions.compare
        super().__init__({name: getattr(build, method) for name, method in _METHODS.items()})
        self.update((name, partial(compare, sign)) for name, sign in _TESTS.items())
        self.update((name, partial(applied, name)) for name in (*_WRITTEN, *_ELEMENTARY, *_SLOPES))
        self["_are_ordinary"] = partial(applied, "are_ordinary")
        self["_truth"] = lambda x: compare("!=", x, 0.0)
        # What was written and can be read here, by the operation and its operands, which are kept
        # so that their ids stay theirs; a scope is a branch that may be skipped.
        self._scopes: list[dict[Any, Any]] = [{}]
        self._lanes: Any = None  # a truth value: which lanes are read in this scope, if not all
        self._numbers: dict[str, Any] = {}

    def value(self, tree: Tree, names: dict[str, Any]) -> Any:
        """Write a formula; `names` has the values of its variables."""
        if tree == _POWER_SLOPE:
            exponent = constant(names["y"])
            if exponent in _INVERSE:
                tree = _PRODUCTS
            elif exponent is None or not (exponent % 1 == 0 or exponent in _ROOTS):
                tree = _QUOTIENT
        return self._written(_SHORT.get(tree, tree), names)

    def _written(self, tree: Tree, names: dict[str, Any]) -> Any:
        if isinstance(tree, str):
            return names[tree]
        if not isinstance(tree, Call):
            return self.number(tree)
        if tree.name == "_where":
            return self._where(tree, names)
        operands = [self._written(each, names) for each in tree.operands]
        return self._once(tree.name, self[tree.name], *operands)

    def _once(self, name: str, write: Callable[..., Any], *operands: Any) -> Any:
        """Write an operation, unless that was done where it can be read here."""
        key = (name, *map(id, operands))
        for scope in self._scopes:
            if key in scope:
                return scope[key][0]
        found = write(*operands)
        self._scopes[-1][key] = found, operands
        return found

    def number(self, number: float) -> Any:
        """A constant; the same one for the same number."""
        text = repr(number)
        if text not in self._numbers:
            self._numbers[text] = self.writer.constant(number, self.width)
        return self._numbers[text]

    def _where(self, tree: Call, names: dict[str, Any]) -> Any:
        build = self.writer.build
        test = self._written(tree.operands[0], names)
        then = self._branch(test, tree.operands[1], names)
        if not cost(tree.operands[1]) or cost(tree.operands[2]) < LONG:
            # A test for special numbers: most lanes need this, and other formulas may share it.
            otherwise = self._written(tree.operands[2], names)
        else:
            otherwise = self._branch(build.not_(test), tree.operands[2], names)
        return self._once("_where", build.select, test, then, otherwise)

    def _branch(self, test: Any, tree: Tree, names: dict[str, Any]) -> Any:
        """Write a formula whose value is only read where a test holds."""
        if cost(tree) < LONG:
            return self._written(tree, names)
        build, outside = self.writer.build, self._lanes
        lanes = test if outside is None else build.and_(test, outside)
        before = build.block
        with build.if_then(some(self.writer, lanes)):
            self._scopes.append({})
            self._lanes = lanes
            value = self._written(tree, names)
            self._lanes = outside
            self._scopes.pop()
            inside = build.block
        chosen = build.phi(value.type)
        chosen.add_incoming(ir.Constant(value.type, ir.Undefined), before)
        chosen.add_incoming(value, inside)
        return chosen

    def __missing__(self, name: str) -> Callable[..., Any]:
        row = lookup(name)
        if row.function is not None:
            refuse_function(name)
        if row.is_primitive:
            return partial(self._library, name)
        if cost(row.computed) > _VERY_LONG:
            return partial(outlined, self.writer, f"{name}.{self.width}", partial(self._body, row))
        return lambda *operands: self._written(
            row.computed, dict(zip(row.operands, operands, strict=True))
        )

    def _body(self, row: Operation, *operands: Any) -> Any:
        """Write a formula in a function of its own."""
        names = dict(zip(row.operands, operands, strict=True))
        return Lowering(self.writer, self.width).value(row.computed, names)

    def _library(self, name: str, *operands: Any) -> Any:
        """A function of the C library, called lane by lane."""
        function = LIBRARY.get(name, "")
        if not hasattr(_C, function):
            raise NotImplementedError(
                f"operation {name!r} is a primitive, and the C library, which machine code calls, "
                "has no function of that name: give it a formula of other operations, or add it "
                "to LIBRARY in micrograd/source/c.py, or to Functions in "
                "micrograd/compiler/native/elementary/functions.py"
            )
        return self.functions.library(function, *map(self.functions.number, operands)).ir


def refuse_function(name: str) -> NoReturn:
    """Raise the error for an operation that machine code cannot call."""
    raise NotImplementedError(
        f"operation {name!r} is defined by a function on floats, which machine code cannot "
        "call: define it by a formula, or compile with backend='numpy'"
    )


def cost(tree: Tree) -> int:
    """About how many instructions a formula takes."""
    if not isinstance(tree, Call):
        return 0
    inner = sum(map(cost, tree.operands))
    if tree.name in _METHODS or tree.name in _TESTS or tree.name[0] == "_":
        return inner + 1
    if tree.name in _ELEMENTARY or tree.name == "pow":
        return inner + LONG
    row = lookup(tree.name)
    return inner + (4 if row.is_primitive or row.function is not None else cost(row.computed))


_C = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
# The functions of `elementary`: short ones, and long ones.
_WRITTEN = (
    "sqrt abs sign step maximum minimum floor ceil trunc round copysign div mod floordiv pow"
).split()
_ELEMENTARY = frozenset(
    "exp exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh "
    "atanh sigmoid silu silu_slope erf gauss sech2 cbrt hypot atan2 erfc ndtr log_ndtr gelu "
    "log_ndtr_slope gelu_slope lgamma logit softplus logaddexp".split()
)

_SLOPES = {
    "sech2": Flow(lookup("tanh"), 0),
    "sigmoid_slope": Flow(lookup("sigmoid"), 0),
    "trigamma": Flow(lookup("digamma"), 0),
    "logaddexp_slope_x": Flow(lookup("logaddexp"), 0),
    "logaddexp_slope_y": Flow(lookup("logaddexp"), 1),
}
"""The functions of `elementary` that are slopes."""

_POWER_SLOPE = Flow(lookup("pow"), 0).computed
_POWER = Call("pow", ("x", "y"))
_BY_BASE = Call("div", (_POWER, "x"))
_QUOTIENT = Call(
    "_where",
    (
        Call("_are_ordinary", (_POWER, _BY_BASE)),
        Call("mul", (ADJOINT, Call("mul", ("y", _BY_BASE)))),
        _POWER_SLOPE,
    ),
)
"""The slope of a power as y times its quotient by x, where these are ordinary numbers: the general
formula takes two powers more."""
_ROOTS = -0.5, 0.5, 1.5
"""Exponents of powers whose slopes are products of a root, as those of whole exponents are."""
_INVERSE = -2.0, -1.0
"""Exponents of powers whose slopes are products; the formula is longer, for all other numbers."""
_PRODUCTS = Call("mul", (ADJOINT, Call("mul", ("y", Call("pow", ("x", Call("sub", ("y", 1.0))))))))

_SHORT = {
    row.computed: Call(row.name, row.operands)
    for row in map(lookup, sorted(_ELEMENTARY))
    if not row.is_primitive
}
"""What is written as a whole, by the formulas of the table. A slope may share most of the work with
the value, or be faster than the general formula."""
for _name, _flow in _SLOPES.items():
    _SHORT[_flow.computed] = Call("mul", (ADJOINT, Call(_name, _flow.operation.operands)))
