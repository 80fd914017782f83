"""Arithmetic on lanes, written with Python's operators.

A `Number` is a number of LLVM's language, or a vector of them, in one format of floating point. Its
operators write instructions, so that functions read as formulas:

    r = x - n * LN2
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llvmlite import ir

from micrograd.compiler.native.writing import KINDS, Writer, word


class Format(NamedTuple):
    """A format of binary floating point.

    Args:
        kind: the type of the numbers.
        word: the type of whole numbers of the same size.
        digits: the number of bits after the point.
        bias: what is added to an exponent.
    """

    kind: Any
    word: Any
    digits: int
    bias: int

    @property
    def magic(self) -> float:
        """Adding this and subtracting it rounds to a whole number, which its last bits show."""
        return 1.5 * 2.0**self.digits

    @property
    def magic_bits(self) -> int:
        """The bits of `magic`."""
        return (self.bias + self.digits << self.digits) | 1 << self.digits - 1

    @property
    def tiny(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)


DOUBLE = Format(KINDS["float64"], ir.IntType(64), 52, 1023)
SINGLE = Format(KINDS["float32"], ir.IntType(32), 23, 127)


def _operator(method: str, *, turned: bool = False) -> Callable[[Number, Number | float], Number]:
    """An operator of numbers, by the method of LLVM's writer."""
    if turned:
        return lambda x, y: x.lanes.written(method, y, x)
    return lambda x, y: x.lanes.written(method, x, y)


def _comparison(sign: str) -> Callable[[Number, Number | float], Any]:
    """A comparison of numbers."""
    return lambda x, y: x.lanes.compare(sign, x, y)


class Number:
    """A number or a vector of numbers, whose operators write instructions."""

    __slots__ = ("ir", "lanes")

    def __init__(self, lanes: Lanes, value: Any) -> None:
        self.lanes, self.ir = lanes, value

    __add__, __radd__ = _operator("fadd"), _operator("fadd", turned=True)
    __sub__, __rsub__ = _operator("fsub"), _operator("fsub", turned=True)
    __mul__, __rmul__ = _operator("fmul"), _operator("fmul", turned=True)
    __truediv__, __rtruediv__ = _operator("fdiv"), _operator("fdiv", turned=True)
    __lt__, __le__ = _comparison("<"), _comparison("<=")
    __gt__, __ge__ = _comparison(">"), _comparison(">=")

    def __neg__(self) -> Number:
        return self.lanes.written("fneg", self)

    def __abs__(self) -> Number:
        return self.lanes.intrinsic("fabs", self)


class Lanes:
    """Writes arithmetic on vectors of `width` numbers of a format; 1 for single numbers.

    Truth values are plain instructions of LLVM: a bit for each lane.
    """

    def __init__(self, writer: Writer, width: int, form: Format) -> None:
        self.writer, self.width, self.form = writer, width, form

    @property
    def build(self) -> Any:
        """LLVM's own writer."""
        return self.writer.build

    def kind(self, element: Any) -> Any:
        """The type of a vector of an element."""
        return ir.VectorType(element, self.width) if self.width > 1 else element

    def number(self, value: Any) -> Number:
        """A value of LLVM, or a float in every lane, as a number."""
        if isinstance(value, Number):
            return value
        if isinstance(value, float | int):
            value = self.writer.constant(float(value), self.width, self.form.kind)
        return Number(self, value)

    def written(self, method: str, *operands: Number | float) -> Number:
        """Write an instruction."""
        return Number(self, getattr(self.build, method)(*(self.number(x).ir for x in operands)))

    def intrinsic(self, name: str, *operands: Number | float) -> Number:
        """Call one of LLVM's own functions."""
        return Number(self, self.writer.intrinsic(name, *(self.number(x).ir for x in operands)))

    def compare(self, sign: str, a: Number | float, b: Number | float) -> Any:
        """Whether a comparison holds; with nan, only `!=` does."""
        build = self.build
        write = build.fcmp_unordered if sign == "!=" else build.fcmp_ordered
        return write(sign, self.number(a).ir, self.number(b).ir)

    def exceeds(self, x: Number, limit: float) -> Any:
        """Whether a number is larger than a limit, or nan."""
        return self.build.fcmp_unordered(">", x.ir, self.number(limit).ir)

    def select(self, test: Any, then: Number | float, otherwise: Number | float) -> Number:
        """One of two numbers, by a truth value in each lane."""
        return Number(
            self, self.build.select(test, self.number(then).ir, self.number(otherwise).ir)
        )

    def muladd(self, a: Any, b: Any, c: Any) -> Number:
        """`a * b + c`, fused if the processor can: for sums in which that does not matter."""
        return self.intrinsic("fmuladd", a, b, c)

    def fused(self, a: Any, b: Any, c: Any) -> Number:
        """`a * b + c`, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def polynomial(self, x: Number, coefficients: Sequence[float]) -> Number:
        """A polynomial; the constant comes first.

        Even and odd powers are added up apart, by Horner's rule in x², so that half as many steps
        wait for each other; in short ones, the square would take as long.
        """
        if len(coefficients) <= 4:
            return self.horner(x, coefficients)
        square = x * x
        even, odd = (self.horner(square, coefficients[k::2]) for k in range(2))
        return self.muladd(x, odd, even)

    def horner(self, x: Number, coefficients: Sequence[float]) -> Number:
        """A polynomial by Horner's rule, whose rounding errors are smaller if x is."""
        value = self.number(coefficients[-1])
        for each in coefficients[-2::-1]:
            value = self.muladd(value, x, each)
        return value

    def product(self, a: Number, b: Number | float) -> tuple[Number, Number]:
        """A product and its rounding error."""
        high = a * b
        return high, self.fused(a, b, -high)

    def quick_sum(self, a: Number, b: Number) -> tuple[Number, Number]:
        """A sum and its rounding error, where `a` is 0 or not smaller than `b`."""
        high = a + b
        return high, b - (high - a)

    def sqrt(self, x: Number) -> Number:
        """The square root."""
        return self.intrinsic("sqrt", x)

    def signed(self, x: Number | float, sign: Number) -> Number:
        """`x` with the sign of another number."""
        return self.intrinsic("copysign", x, sign)

    def turned(self, size: Number, sign: Number) -> Number:
        """A number without a sign, with that of another number."""
        bit = self.build.and_(self.bits(sign), self.bits(self.number(-0.0)))
        return self.of_bits(self.build.or_(self.bits(size), bit))

    def larger(self, a: Number, b: Number | float) -> Number:
        """The larger of two numbers; `a` if it is nan."""
        return self.select(self.compare("<", a, b), b, a)

    def smaller(self, a: Number, b: Number | float) -> Number:
        """The smaller of two numbers; `a` if it is nan."""
        return self.select(self.compare(">", a, b), b, a)

    # --------------------------------------------------------------------------------------- bits

    def word(self, number: int) -> Any:
        """A whole number in every lane."""
        return ir.Constant(
            self.kind(self.form.word), number if self.width == 1 else [number] * self.width
        )

    def bits(self, x: Number) -> Any:
        """The bits of a number."""
        return self.build.bitcast(x.ir, self.kind(self.form.word))

    def of_bits(self, bits: Any) -> Number:
        """The number that has these bits."""
        return Number(self, self.build.bitcast(bits, self.kind(self.form.kind)))

    def whole(self, shifted: Number) -> Any:
        """The bits of a whole number n, given n + magic."""
        return self.build.sub(self.bits(shifted), self.word(self.form.magic_bits))

    def power_of_two(self, exponent: Any) -> Number:
        """2 to a power, given as bits, for exponents of normal numbers."""
        biased = self.build.add(exponent, self.word(self.form.bias))
        return self.of_bits(self.build.shl(biased, self.word(self.form.digits)))

    def as_number(self, bits: Any) -> Number:
        """A small whole number as a number."""
        magic = self.word(self.form.magic_bits)
        return self.of_bits(self.build.add(bits, magic)) - self.form.magic

    # --------------------------------------------------------------------------------------- rare

    def rarely(self, test: Any, usual: Number, otherwise: Callable[[], Number]) -> Number:
        """Choose lane by lane; a choice is only computed if some lane needs it."""
        return self.branch(
            some(self.writer, test), lambda: self.select(test, otherwise(), usual), usual
        )

    def branch(self, test: Any, rare: Callable[[], Number], usual: Number) -> Number:
        """The number that a function writes if a single truth value holds, else a given one."""
        before = self.build.block
        with self.build.if_then(test, likely=False):
            found = rare().ir, self.build.block
        return self._joined(found, (usual.ir, before))

    def either(
        self, test: Any, then: Callable[[], Number], otherwise: Callable[[], Number]
    ) -> Number:
        """The number that one of two functions writes, chosen by a single truth value."""
        with self.build.if_else(test) as (first, second):
            with first:
                one = then().ir, self.build.block
            with second:
                other = otherwise().ir, self.build.block
        return self._joined(one, other)

    def _joined(self, *ways: tuple[Any, Any]) -> Number:
        chosen = self.build.phi(ways[0][0].type)
        for value, block in ways:
            chosen.add_incoming(value, block)
        return Number(self, chosen)

    # ------------------------------------------------------------------------------ the C library

    def library(self, name: str, *arguments: Number) -> Number:
        """A function of the C library, called lane by lane."""

        def called(lanes: Lanes, *x: Number) -> Number:
            return lanes.number(lane_by_lane(self.writer, name, *(each.ir for each in x)))

        return self.in_doubles(called, *arguments)

    def in_doubles(self, function: Callable[..., Number], *operands: Number) -> Number:
        """A function of lanes of doubles and numbers in them; the result is rounded."""
        if self.form == DOUBLE:
            return function(self, *operands)
        wide = type(self)(self.writer, self.width, DOUBLE)
        doubles = wide.kind(DOUBLE.kind)
        found = function(wide, *(wide.number(self.build.fpext(x.ir, doubles)) for x in operands))
        return self.number(self.build.fptrunc(found.ir, self.kind(self.form.kind)))


def some(writer: Writer, test: Any) -> Any:
    """Whether a truth value holds in some lane."""
    kind = test.type
    if not isinstance(kind, ir.VectorType):
        return test
    mask = ir.IntType(kind.count)
    return writer.build.icmp_unsigned("!=", writer.build.bitcast(test, mask), ir.Constant(mask, 0))


def outlined(writer: Writer, name: str, body: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of the module; `body` writes it at the first call."""
    made = writer.module.globals.get(name)
    if made is None:
        kinds = [each.type for each in arguments]
        made = ir.Function(writer.module, ir.FunctionType(kinds[0], kinds), name)
        made.linkage = "internal"
        made.attributes.add("noinline")
        outside = writer.build
        writer.build = ir.IRBuilder(made.append_basic_block("entry"))
        writer.build.ret(body(*made.args))
        writer.build = outside
    return writer.build.call(made, arguments)


def lane_by_lane(writer: Writer, name: str, *arguments: Any) -> Any:
    """Call a function of the C library, which takes and returns doubles, for each lane."""
    double = KINDS["float64"]
    if not isinstance(arguments[0].type, ir.VectorType):
        return writer.call(name, double, *arguments)
    width = arguments[0].type.count
    result = ir.Constant(arguments[0].type, ir.Undefined)
    for lane in range(width):
        lanes = [writer.build.extract_element(each, word(lane)) for each in arguments]
        result = writer.build.insert_element(result, writer.call(name, double, *lanes), word(lane))
    return result
