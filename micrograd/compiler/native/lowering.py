"""The table's formulas in LLVM's language, on vectors of lanes.

Arithmetic in formulas follows IEEE 754, and nothing is reordered or fused. `exp`, `log`, `tanh`,
`erf` and what follows from `exp` are written here without branches, so that they work on all lanes
at once; other functions are those of the C library, called lane by lane.

Sources: exp after Cody and Waite (1980) with Taylor's polynomial, log after fdlibm (Sun, 1993),
tanh, erf and erfc after Cephes (Moshier, 1989).
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llvmlite import ir

from micrograd.compiler.native.writing import KINDS, WORD, Writer, word
from micrograd.ops import lookup
from micrograd.table.floats import ERF_DENOMINATOR, ERF_NUMERATOR, GRID
from micrograd.table.formulas import Tree, fold

DOUBLE = KINDS["float64"]
_METHODS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv", "neg": "fneg"}
_TESTS = {"_lt": "<", "_le": "<=", "_gt": ">", "_ge": ">=", "_eq": "==", "_ne": "!="}


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
        self["_truth"] = lambda x: functions.compare("!=", x, writer.constant(0.0, width))
        self["_where"] = build.select

    def value(self, tree: Tree, names: dict[str, Any]) -> Any:
        """Write a formula; `names` has the values of its variables."""
        return fold(tree, self, names, lambda number: self.writer.constant(number, self.width))

    def __missing__(self, name: str) -> Callable[..., Any]:
        row = lookup(name)
        if row.function is not None:
            raise NotImplementedError(
                f"operation {name!r} is defined by a function on floats, which machine code cannot "
                "call: define it by a formula, or compile with backend='numpy'"
            )
        if row.is_primitive:
            return partial(self.library, name)
        return lambda *operands: self.value(
            row.computed, dict(zip(row.operands, operands, strict=True))
        )


class Functions:
    """Functions of numbers or vectors; those of floats are computed as doubles and rounded.

    Args:
        writer: writes the function.
        width: the number of lanes; 1 for single numbers.
    """

    def __init__(self, writer: Writer, width: int) -> None:
        self.writer, self.width = writer, width

    # ---------------------------------------------------------------------- exact in both
    # precisions

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

    # -------------------------------------------------------------------------- in double precision

    def library(self, name: str, *arguments: Any) -> Any:
        """A function of the C library, called lane by lane."""
        if not hasattr(_C, name):
            raise NotImplementedError(
                f"operation {name!r} is a primitive, and the C library, which machine code calls, "
                "has no function of that name: give it a formula of other operations, or add it "
                "to micrograd.compiler.native.lowering"
            )
        return self._in_doubles(lambda *xs: self._lane_by_lane(name, xs), *arguments)

    def mod(self, x: Any, y: Any) -> Any:
        """The remainder with the sign of the divisor, as Python's `%`."""
        return self._in_doubles(self._mod, x, y)

    def floordiv(self, x: Any, y: Any) -> Any:
        """The quotient rounded down, as Python's `//`."""
        return self._in_doubles(self._floordiv, x, y)

    def exp(self, x: Any) -> Any:
        """The exponential function, within 1 ulp."""
        return self._in_doubles(self._exp, x)

    def log(self, x: Any) -> Any:
        """The natural logarithm, within 1 ulp."""
        return self._in_doubles(self._log, x)

    def tanh(self, x: Any) -> Any:
        """The hyperbolic tangent, within 2 ulp."""
        return self._in_doubles(self._tanh, x)

    def erf(self, x: Any) -> Any:
        """The error function, within 3 ulp."""
        return self._in_doubles(self._erf, x)

    def gauss(self, x: Any) -> Any:
        """exp(-x²), within 2 ulp."""
        return self._in_doubles(self._gauss, x)

    def sech2(self, x: Any) -> Any:
        """1 - tanh²(x), within 4 ulp."""
        return self._in_doubles(self._sech2, x)

    def _in_doubles(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self.writer.number == DOUBLE:
            return function(*arguments)
        build, doubles = self.writer.build, self._kind(DOUBLE)
        result = function(*(build.fpext(each, doubles) for each in arguments))
        return build.fptrunc(result, arguments[0].type)

    def _kind(self, element: Any) -> Any:
        return ir.VectorType(element, self.width) if self.width > 1 else element

    def _lane_by_lane(self, name: str, arguments: Sequence[Any]) -> Any:
        writer, build = self.writer, self.writer.build
        if self.width == 1:
            return writer.call(name, DOUBLE, *arguments)
        result = ir.Constant(self._kind(DOUBLE), ir.Undefined)
        for lane in range(self.width):
            lanes = [build.extract_element(each, word(lane)) for each in arguments]
            value = writer.call(name, DOUBLE, *lanes)
            result = build.insert_element(result, value, word(lane))
        return result

    def _double(self, number: float) -> Any:
        return self.writer.constant(number, self.width, DOUBLE)

    def _word(self, number: int) -> Any:
        constant = ir.Constant(WORD, number)
        if self.width == 1:
            return constant
        return ir.Constant(self._kind(WORD), [number] * self.width)

    def _bits(self, x: Any) -> Any:
        return self.writer.build.bitcast(x, self._kind(WORD))

    def _from_bits(self, bits: Any) -> Any:
        return self.writer.build.bitcast(bits, self._kind(DOUBLE))

    def _polynomial(self, x: Any, coefficients: Sequence[float]) -> Any:
        """Write a polynomial by Horner's rule; the highest power comes first."""
        value = self._double(coefficients[0])
        for each in coefficients[1:]:
            value = self.writer.fma(value, x, self._double(each))
        return value

    def _clamped(self, x: Any, low: float, high: float) -> Any:
        """Limit a number to a range; nan is kept."""
        low_, high_ = self._double(low), self._double(high)
        x = self._where(x, ">", high_, high_, x)
        return self._where(x, "<", low_, low_, x)

    def _remainder(self, x: Any, y: Any) -> tuple[Any, Any]:
        """The remainder with the sign of x, and whether that of y is the other one."""
        build, zero = self.writer.build, self._double(0.0)
        rest = self._lane_by_lane("fmod", (x, y))
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

    def _exp(self, x: Any, below: Any = None) -> Any:
        """Write `exp(x)`, or `exp(x + below)` for a small `below`.

        The argument is reduced: x = n ln 2 + r with |r| <= ln 2 / 2.
        """
        build, fma = self.writer.build, self.writer.fma
        x = self._clamped(x, -746.0, 710.0)
        magic = self._double(_MAGIC)
        shifted = fma(x, self._double(_LOG2_E), magic)
        n = build.fsub(shifted, magic)
        r = fma(n, self._double(-_LN2_HIGH), x)
        low = build.fmul(n, self._double(-_LN2_LOW))
        if below is not None:
            low = build.fadd(low, below)
        r = build.fadd(r, low)
        tail = self._polynomial(r, [1 / math.factorial(k) for k in range(13, 1, -1)])
        power = build.fadd(self._double(1.0), fma(build.fmul(r, r), tail, r))
        # 2 ** n as two factors, since n can exceed the exponents of doubles.
        exponent = build.sub(self._bits(shifted), self._word(_MAGIC_BITS))
        half = build.ashr(exponent, self._word(1))
        for part in (half, build.sub(exponent, half)):
            biased = build.shl(build.add(part, self._word(1023)), self._word(52))
            power = build.fmul(power, self._from_bits(biased))
        return power

    def _gauss(self, x: Any) -> Any:
        """Write exp(-x²), splitting the square into an exact part and a small rest."""
        build, grid = self.writer.build, self._double(GRID)
        x = self._clamped(self.writer.intrinsic("fabs", x), 0.0, 28.0)
        near = build.fsub(build.fadd(x, grid), grid)
        rest = build.fmul(build.fsub(near, x), build.fadd(x, near))
        return self._exp(build.fneg(build.fmul(near, near)), rest)

    def _sech2(self, x: Any) -> Any:
        build = self.writer.build
        e = self._exp(build.fneg(self.writer.intrinsic("fabs", x)))
        half = build.fdiv(build.fadd(e, e), self.writer.fma(e, e, self._double(1.0)))
        return build.fmul(half, half)

    def _log(self, x: Any) -> Any:
        """Write the logarithm: x = 2 ** k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2)."""
        build, fma = self.writer.build, self.writer.fma
        tiny = build.fcmp_ordered("<", x, self._double(2.0**-1022))
        scaled = build.select(tiny, build.fmul(x, self._double(2.0**54)), x)
        bits = self._bits(scaled)
        # Subtracting the bits of sqrt(1/2) makes the exponent count from there.
        offset = build.sub(bits, self._word(_SQRT_HALF_BITS))
        k = build.ashr(offset, self._word(52))
        mantissa = build.sub(bits, build.shl(k, self._word(52)))
        f = build.fsub(self._from_bits(mantissa), self._double(1.0))
        k = build.sitofp(k, self._kind(DOUBLE))
        k = build.fsub(k, build.select(tiny, self._double(54.0), self._double(0.0)))
        s = build.fdiv(f, build.fadd(f, self._double(2.0)))
        z = build.fmul(s, s)
        series = build.fmul(z, self._polynomial(z, _LOG))
        half_square = build.fmul(build.fmul(self._double(0.5), f), f)
        low = fma(s, build.fadd(half_square, series), build.fmul(k, self._double(_LN2_LOW)))
        value = fma(k, self._double(_LN2_HIGH), build.fsub(f, build.fsub(half_square, low)))
        zero = self._double(0.0)
        value = self._where(x, "<", self._double(math.inf), value, x)  # inf and nan are kept
        value = self._where(x, "<", zero, self._double(math.nan), value)
        equal = build.fcmp_ordered("==", x, zero)
        return build.select(equal, self._double(-math.inf), value)

    def _tanh(self, x: Any) -> Any:
        build = self.writer.build
        magnitude = self.writer.intrinsic("fabs", x)
        square = build.fmul(x, x)
        ratio = build.fdiv(self._polynomial(square, _TANH_P), self._polynomial(square, _TANH_Q))
        near = self.writer.fma(build.fmul(x, square), ratio, x)
        e = self._exp(build.fadd(magnitude, magnitude))
        one, two = self._double(1.0), self._double(2.0)
        far = build.fsub(one, build.fdiv(two, build.fadd(e, one)))
        value = self._where(magnitude, "<", self._double(0.625), near, far)
        return self.writer.intrinsic("copysign", value, x)

    def _erf(self, x: Any) -> Any:
        build = self.writer.build
        magnitude = self.writer.intrinsic("fabs", x)
        square = build.fmul(x, x)
        ratio = build.fdiv(
            self._polynomial(square, ERF_NUMERATOR), self._polynomial(square, ERF_DENOMINATOR)
        )
        near = build.fmul(x, ratio)
        far_x = self._clamped(magnitude, 1.0, 6.0)  # beyond, the result is 1
        ratio = build.fdiv(self._polynomial(far_x, _ERFC_P), self._polynomial(far_x, _ERFC_Q))
        e = self._exp(build.fneg(build.fmul(far_x, far_x)))
        far = build.fsub(self._double(1.0), build.fmul(e, ratio))
        far = self.writer.intrinsic("copysign", far, x)
        return self._where(magnitude, "<", self._double(1.0), near, far)


_C = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
# The functions that are not taken from the C library.
_WRITTEN = (
    "sqrt abs sign step maximum minimum floor ceil trunc round copysign mod floordiv "
    "exp log tanh erf gauss sech2"
).split()

_MAGIC = 1.5 * 2.0**52  # adding and subtracting it rounds to an integer
_MAGIC_BITS = 0x4338000000000000
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # fdlibm's
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_LOG = (
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)
_TANH_P = (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3)
_TANH_Q = (
    1.0,
    1.12811678491632931402e2,
    2.23548839060100448583e3,
    4.84406305325125486048e3,
)
_ERFC_P = (
    2.46196981473530512524e-10,
    5.64189564831068821977e-1,
    7.46321056442269912687e0,
    4.86371970985681366614e1,
    1.96520832956077098242e2,
    5.26445194995477358631e2,
    9.34528527171957607540e2,
    1.02755188689515710272e3,
    5.57535335369399327526e2,
)
_ERFC_Q = (
    1.0,
    1.32281951154744992508e1,
    8.67072140885989742329e1,
    3.54937778887819891062e2,
    9.75708501743205489753e2,
    1.82390916687909736289e3,
    2.24633760818710981792e3,
    1.65666309194161350182e3,
    5.57535340817727675546e2,
)
