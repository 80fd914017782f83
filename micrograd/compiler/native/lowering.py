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

from micrograd.compiler.native.elementary import Elementary
from micrograd.compiler.native.elementary.lanes import DOUBLE, SINGLE, Number, outlined, some
from micrograd.compiler.native.writing import KINDS, WORD, Writer, word
from micrograd.ops import lookup
from micrograd.table.formulas import Call, Tree
from micrograd.table.interpreters import SIGNS

_METHODS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv", "neg": "fneg"}
_TESTS = {f"_{name}": sign for name, sign in SIGNS.items()}
_LONG = 12
"""From this cost on, a branch of a choice is skipped where it can be."""


class Lowering(dict[str, Callable[..., Any]]):
    """A vocabulary that writes formulas, on vectors of `width` lanes.

    It is the vocabulary of `with_truths`, which keeps truth values and numbers apart.

    Args:
        writer: writes the function.
        width: the number of lanes; 1 for single numbers.
    """

    def __init__(self, writer: Writer, width: int) -> None:
        self.writer, self.width = writer, width
        functions, build = Functions(writer, width), writer.build
        self.library = functions.library
        super().__init__({name: getattr(build, method) for name, method in _METHODS.items()})
        self.update((name, partial(functions.compare, sign)) for name, sign in _TESTS.items())
        self.update((name, getattr(functions, name)) for name in _WRITTEN)
        self.update((name, partial(functions.elementary, name)) for name in _ELEMENTARY)
        self["_truth"] = lambda x: functions.compare("!=", x, writer.constant(0.0, width))
        # What was written and can be read here, by the operation and its operands, which are kept
        # so that their ids stay theirs; a scope is a branch that may be skipped.
        self._scopes: list[dict[Any, Any]] = [{}]
        self._numbers: dict[str, Any] = {}

    def value(self, tree: Tree, names: dict[str, Any]) -> Any:
        """Write a formula; `names` has the values of its variables."""
        self._scopes = [{}]
        return self._written(_SHORT.get(tree, tree), names)

    def _written(self, tree: Tree, names: dict[str, Any]) -> Any:
        if isinstance(tree, str):
            return names[tree]
        if not isinstance(tree, Call):
            return self._number(tree)
        if tree.name == "_where":
            return self._where(tree, names)
        operands = [self._written(each, names) for each in tree.operands]
        key = (tree.name, *map(id, operands))
        for scope in self._scopes:
            if key in scope:
                return scope[key][0]
        found = self[tree.name](*operands)
        self._scopes[-1][key] = found, operands
        return found

    def _number(self, number: float) -> Any:
        """A constant; the same one for the same number."""
        text = repr(number)
        if text not in self._numbers:
            self._numbers[text] = self.writer.constant(number, self.width)
        return self._numbers[text]

    def _where(self, tree: Call, names: dict[str, Any]) -> Any:
        build = self.writer.build
        test = self._written(tree.operands[0], names)
        then = self._branch(test, tree.operands[1], names)
        unless = build.not_(test) if _cost(tree.operands[2]) >= _LONG else None
        otherwise = self._branch(unless, tree.operands[2], names)
        return build.select(test, then, otherwise)

    def _branch(self, test: Any, tree: Tree, names: dict[str, Any]) -> Any:
        """Write a formula whose value is only read where a test holds."""
        if _cost(tree) < _LONG:
            return self._written(tree, names)
        build = self.writer.build
        before = build.block
        with build.if_then(some(self.writer, test)):
            self._scopes.append({})
            value = self._written(tree, names)
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
            return partial(self.library, name)
        return lambda *operands: self._written(
            row.computed, dict(zip(row.operands, operands, strict=True))
        )


def refuse_function(name: str) -> NoReturn:
    """Raise the error for an operation that machine code cannot call."""
    raise NotImplementedError(
        f"operation {name!r} is defined by a function on floats, which machine code cannot "
        "call: define it by a formula, or compile with backend='numpy'"
    )


def _cost(tree: Tree) -> int:
    """About how many instructions a formula takes."""
    if not isinstance(tree, Call):
        return 0
    inner = sum(map(_cost, tree.operands))
    if tree.name in _METHODS or tree.name in _TESTS or tree.name[0] == "_":
        return inner + 1
    if tree.name in _ELEMENTARY or tree.name == "pow":
        return inner + _LONG
    row = lookup(tree.name)
    return inner + (4 if row.is_primitive or row.function is not None else _cost(row.computed))


class Functions:
    """Functions of numbers or vectors; those of floats are computed as doubles and rounded.

    Args:
        writer: writes the function.
        width: the number of lanes; 1 for single numbers.
    """

    def __init__(self, writer: Writer, width: int) -> None:
        self.writer, self.width = writer, width
        form = DOUBLE if writer.number == KINDS["float64"] else SINGLE
        self._own, self._doubles = (Elementary(writer, width, each) for each in (form, DOUBLE))

    # ---------------------------------------------------------------- exact in both precisions

    def sqrt(self, x: Any) -> Any:
        """The square root, correctly rounded."""
        return self.writer.intrinsic("sqrt", x)

    def abs(self, x: Any) -> Any:
        """The absolute value."""
        return self.writer.intrinsic("fabs", x)

    def sign(self, x: Any) -> Any:
        """-1 or 1; zeros (with their sign) and nan are kept."""
        one, zero = self.writer.constant(1.0, self.width), self.writer.constant(0.0, self.width)
        low, high = self.writer.constant(-1.0, self.width), one
        flat = self.writer.build.fmul(x, zero)
        return self._where(x, ">", zero, high, self._where(x, "<", zero, low, flat))

    def step(self, x: Any) -> Any:
        """1 above 0, else 0; nan is kept."""
        one, zero = self.writer.constant(1.0, self.width), self.writer.constant(0.0, self.width)
        return self._where(x, ">", zero, one, self._where(x, "<=", zero, zero, x))

    def maximum(self, x: Any, y: Any) -> Any:
        """The larger one, or nan if one is nan."""
        return self._where(x, ">", y, x, self._where(x, "!=", x, x, y))

    def minimum(self, x: Any, y: Any) -> Any:
        """The smaller one, or nan if one is nan."""
        return self._where(x, "<", y, x, self._where(x, "!=", x, x, y))

    def floor(self, x: Any) -> Any:
        """The largest whole number that is not larger."""
        return self.writer.intrinsic("floor", x)

    def ceil(self, x: Any) -> Any:
        """The smallest whole number that is not smaller."""
        return self.writer.intrinsic("ceil", x)

    def trunc(self, x: Any) -> Any:
        """The whole number next to it on the way to 0."""
        return self.writer.intrinsic("trunc", x)

    def round(self, x: Any) -> Any:
        """The nearest whole number, the even one of two."""
        return self.writer.intrinsic("rint", x)

    def copysign(self, x: Any, y: Any) -> Any:
        """X with the sign of y."""
        signed = self.writer.intrinsic("copysign", x, y)
        return self._where(y, "!=", y, self.abs(x), signed)  # a nan has no sign

    def compare(self, sign: str, a: Any, b: Any) -> Any:
        """Whether a comparison holds; with nan, only `!=` does."""
        build = self.writer.build
        return (build.fcmp_unordered if sign == "!=" else build.fcmp_ordered)(sign, a, b)

    def _where(self, a: Any, sign: str, b: Any, then: Any, otherwise: Any) -> Any:
        return self.writer.build.select(self.compare(sign, a, b), then, otherwise)

    # ------------------------------------------------------------------------------- elementary

    def elementary(self, name: str, *arguments: Any) -> Any:
        """A function of `Elementary`."""
        numbers = [self._own.number(each) for each in arguments]
        return getattr(self._own, name)(*numbers).ir

    def pow(self, x: Any, y: Any) -> Any:
        """X to the power y: products and roots if all lanes share a y for which they serve."""
        own, build, width = self._own, self.writer.build, self.width
        if _is_two(x):
            return own.exp2(own.number(y)).ir
        first = build.extract_element(y, word(0)) if width > 1 else y
        shared = Elementary(self.writer, 1, own.form).number(first)
        low, high = _PRODUCTS
        in_range = build.and_(shared >= low, shared <= high)
        # A number beyond the range may not fit into a word.
        n = build.fptosi(build.select(in_range, first, shared.lanes.number(0.0).ir), WORD)
        whole = shared.lanes.number(build.sitofp(n, first.type))
        is_small = build.and_(in_range, shared.lanes.compare("==", whole, shared))
        is_half = shared.lanes.compare("==", abs(shared), 0.5)
        if width > 1:
            differs = some(self.writer, own.compare("!=", y, self.writer.splat(first, width)))
            is_small, is_half = (
                build.and_(each, build.not_(differs)) for each in (is_small, is_half)
            )
        base = own.number(x)

        def general() -> Number:
            return own.number(self._power(x, y))

        def root() -> Number:
            return own.half_power(base, own.number(y))

        return own.either(
            is_small,
            lambda: own.whole_power(base, n),
            lambda: own.either(is_half, root, general),
        ).ir

    def _power(self, x: Any, y: Any) -> Any:
        """Call a power of any two numbers; it is long, so it is written once in a module."""
        if self.width == 1:  # the C library uses tables, and is faster
            return self.library("pow", x, y)
        return outlined(self.writer, f"power.{self.width}", self._any_power, x, y)

    def _any_power(self, x: Any, y: Any) -> Any:
        wide = self._doubles
        if self._own.form == DOUBLE:
            return wide.power(wide.number(x), wide.number(y)).ir
        return self._in_doubles(
            lambda x, y: wide.power_of_floats(wide.number(x), wide.number(y)).ir, x, y
        )

    # -------------------------------------------------------------------------- in double precision

    def library(self, name: str, *arguments: Any) -> Any:
        """A function of the C library, called lane by lane."""
        if not hasattr(_C, name):
            raise NotImplementedError(
                f"operation {name!r} is a primitive, and the C library, which machine code calls, "
                "has no function of that name: give it a formula of other operations, or add it "
                "to micrograd.compiler.native.elementary"
            )
        return self._own.library(name, *map(self._own.number, arguments)).ir

    def mod(self, x: Any, y: Any) -> Any:
        """The remainder with the sign of the divisor, as Python's `%`."""
        return self._in_doubles(self._mod, x, y)

    def floordiv(self, x: Any, y: Any) -> Any:
        """The quotient rounded down, as Python's `//`."""
        return self._in_doubles(self._floordiv, x, y)

    def _in_doubles(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._own.form == DOUBLE:
            return function(*arguments)
        build, doubles = self.writer.build, self._doubles.kind(DOUBLE.kind)
        result = function(*(build.fpext(each, doubles) for each in arguments))
        return build.fptrunc(result, arguments[0].type)

    def _double(self, number: float) -> Any:
        return self._doubles.number(number).ir

    def _remainder(self, x: Any, y: Any) -> tuple[Any, Any]:
        """The remainder with the sign of x, and whether that of y is the other one."""
        build, zero = self.writer.build, self._double(0.0)
        rest = self._doubles.remainder(self._doubles.number(x), self._doubles.number(y)).ir
        below, above = self.compare("<", rest, zero), self.compare(">", rest, zero)
        return rest, build.select(self.compare("<", y, zero), above, below)

    def _mod(self, x: Any, y: Any) -> Any:
        build, zero = self.writer.build, self._double(0.0)
        rest, differs = self._remainder(x, y)
        signed = build.select(differs, build.fadd(rest, y), rest)
        return self._where(rest, "==", zero, self.writer.intrinsic("copysign", zero, y), signed)

    def _floordiv(self, x: Any, y: Any) -> Any:
        build, zero, one = self.writer.build, self._double(0.0), self._double(1.0)
        rest, differs = self._remainder(x, y)
        plain, quotient = build.fdiv(x, y), build.fdiv(build.fsub(x, rest), y)
        quotient = build.select(differs, build.fsub(quotient, one), quotient)
        down = self.writer.intrinsic("floor", quotient)
        is_half = self.compare(">", build.fsub(quotient, down), self._double(0.5))
        down = build.select(is_half, build.fadd(down, one), down)
        signed_zero = self.writer.intrinsic("copysign", zero, plain)
        whole = self._where(quotient, "==", zero, signed_zero, down)
        return self._where(y, "==", zero, plain, whole)


_C = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
_PRODUCTS = -3, 7
"""The whole exponents for which powers are products."""
# The functions of `Functions` and of `Elementary`.
_WRITTEN = (
    "sqrt abs sign step maximum minimum floor ceil trunc round copysign mod floordiv pow"
).split()
_ELEMENTARY = frozenset(
    "exp expm1 log log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "erf gauss sech2 cbrt hypot atan2 erfc ndtr log_ndtr gelu gelu_slope".split()
)

_SHORT = {
    row.computed: Call(row.name, row.operands)
    for row in map(lookup, sorted(_ELEMENTARY))
    if not row.is_primitive
}
"""What is written as a whole, by the formulas of the table."""


def _is_two(x: Any) -> bool:
    """Whether a number is the constant 2 in every lane."""
    if not isinstance(x, ir.Constant):
        return False
    lanes = x.constant if isinstance(x.constant, list) else [x.constant]
    return all(getattr(each, "constant", each) == 2.0 for each in lanes)
