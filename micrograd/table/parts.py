"""Parts of formulas of the table: what keeps their digits near zeros and at the ends of the range.

The table, `micrograd.ops`, is read without them: a name stands for what its comment here says.
"""

from __future__ import annotations

import math
import sys

from micrograd.table.formulas import horner
from micrograd.table.gamma import SINE

# The tail of the normal law: (t + 4) exp(t²/2) Φ(-t) as a polynomial in (t - 4) / (t + 4), for
# t >= 0.5, to 4e-17; fitted by least squares at Chebyshev's points, with 60 digits.
TAIL = (
    0.7552851304157515,
    -0.6078966419718921,
    0.3871374007422216,
    -0.1865218579596595,
    0.060396574890521935,
    -0.007540188966631744,
    -0.003479692357903752,
    0.0016308184559462537,
    0.00013334420115262977,
    -0.00023109492098789545,
    -1.9074990107659464e-06,
    3.514462166758376e-05,
    7.134429880194746e-07,
    -5.92004042142176e-06,
    -6.209420664042516e-07,
    1.021605277199819e-06,
    2.566004539474053e-07,
    -1.5586186598054488e-07,
    -6.910773569385227e-08,
    1.52539799097929e-08,
    9.816227830475413e-09,
)
TAIL_SLOPE = tuple(i * each for i, each in enumerate(TAIL))[1:]

# For powers: limits where the base is 0, nan where it is negative; a base and a logarithm that are numbers also in the branch that is not taken.
BASE = "where(x > 0, x, 1)"
LOG, _POWER, _ROOT = f"log({BASE})", f"{BASE} ** y", f"{BASE} ** (0.5 * y)"
_FITS = f"({_POWER} - 1e-130) * ({_POWER} - 1e+130) < 0"
# Factors of a power, so that its product with others fits: two roots only where it itself might not.
POWER, REST = f"where({_FITS}, {_POWER}, {_ROOT})", f"where(({_FITS}) == 0, {_ROOT}, 1)"
INFINITE = "x > 1.7976931348623157e+308"
POW_MIXED = (
    f"where({INFINITE}, where(y < 1, 0, 1e999), where(x > 0, where(y < 0.5, (1 + y * {LOG}) * {POWER} * {REST} / {BASE},"
    f" (1 + y * {LOG}) * {POWER} / {BASE} * {REST}),"
    " where(x < 0, 1e999 - 1e999, where((y > 1) + (abs(y) <= 0), 0, where(y > 0, -1e999, 1e999)))))"
)

# Beyond these, an exponential beside them is 0; they keep its product with x from being 0 times
# infinity where x is infinite.
LOW, HIGH, SIZE = "maximum(x, -2000)", "minimum(x, 2000)", "minimum(abs(x), 2000)"

# The directions to infinite points are those to the ends of the range of floats.
FINITE_X, FINITE_Y = (
    f"minimum(maximum({x}, {-sys.float_info.max}), {sys.float_info.max})" for x in "xy"
)
LARGER = f"minimum(maximum(abs(x), abs(y)), {sys.float_info.max})"

# Zeros of slopes as two floats. Near them, a slope is a sum of terms that have the sign of the
# distance from its zero, so that nothing cancels: 1 + e^x + x, for instance, which is 0 at z, is
# (x - z) + e^z (e^(x - z) - 1).
_SILU_ZERO = "(x + 1.2784645427610737 + 1.0946994183093437e-16)"
SILU_NEAR = (
    f"({_SILU_ZERO} + 0.2784645427610738 * expm1({_SILU_ZERO})) * (exp(x) / square(1 + exp(x)))"
)
_SILU_CURVE_ZERO = "(abs(x) - 2.3993572805154675 - 1.8464872855353363e-16)"
SILU_CURVE_NEAR = (
    f"-0.25 * sech2(0.5 * x) * ({_SILU_CURVE_ZERO} * tanh(0.5 * abs(x)) + "
    f"tanh(0.5 * {_SILU_CURVE_ZERO}) * (2.3993572805154677 - 2 * tanh(0.5 * abs(x))))"
)
_MISH_ZERO = "(x + 1.1924312145154952 + 4.8484829848031044e-17)"
_MISH_RISE = f"expm1({_MISH_ZERO})"
MISH_NEAR = (
    f"(4 * {_MISH_ZERO} * (1 + exp(x)) + {_MISH_RISE} * (0.3733670191691929 + 0.36840659688361784 * "
    f"(2 + {_MISH_RISE}) + 0.027951242009170138 * (3 + {_MISH_RISE} * (3 + {_MISH_RISE}))))"
)
# The slope of gelu divided by x - its zero, in powers of x + 0.75, for x from -1.25 to -0.25.
GELU = (
    0.43218955538054815,
    0.3882186745633963,
    -0.01881270543747969,
    -0.11411346361213767,
    -0.014597331969775466,
    0.01947032148900743,
    0.004511076197613393,
    -0.002250191457741138,
    -0.0007418095753619833,
    0.0001878810771261369,
    8.593393103040482e-05,
    -1.1379591353503348e-05,
    -7.724394122350052e-06,
    4.440132889673244e-07,
    5.358340199800065e-07,
)
GELU_NEAR = f"(x + 0.7517915246935645 - 1.4956759177009883e-17) * ({horner(GELU, '(x + 0.75)')})"

# tanh(softplus(x)) is m / (m + 2), where m = (1 + exp(x))² - 1.
MISH = "exp(x) * (exp(x) + 2)"
MISH_CURVE = (
    f"where(x < -40, (2 + {LOW}) * exp(0.5 * x) * exp(0.5 * x), where(x > 40, 8 * (1 - {HIGH}) * exp(-x) * exp(-x),"
    f" 4 * exp(x) / ({MISH} + 2) / ({MISH} + 2) * (2 * (1 + exp(x)) + x * (1 - 2 * exp(x) * ({MISH}) / ({MISH} + 2)))))"
)

# sigmoid(x - y), with what the difference has lost by rounding; 0.5 for two equal infinities.
_LOST = "x - ((x - y) - ((x - y) - x)) - (y + ((x - y) - x))"
LOGADDEXP_SLOPE = (
    f"where(abs(x - y) < 800, sigmoid(x - y) * (1 + ({_LOST}) * sigmoid(y - x)),"
    " where(x == y, 0.5, sigmoid(x - y)))"
)

# The slope of sin(πx) / (πx) near 0, divided by x, in powers of x²; and the second derivative.
_SINC = [(-1) ** k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(1, 14)]
SINC_SLOPE = horner([2 * k * c for k, c in enumerate(_SINC, start=1)], "square(x)")
SINC_CURVE = horner([2 * k * (2 * k - 1) * c for k, c in enumerate(_SINC, start=1)], "square(x)")


def sine(t: str) -> str:
    """The polynomial of sin(πt) / (πt), for |t| up to 0.5."""
    return f"({horner(SINE, f'square({t})')})"


# cos(πt), where t is the distance of x from the nearest whole number; near its zeros as a sine.
SIGN_OF_TURN, _OFF = "(1 - 2 * mod(round(x), 2))", "(0.5 - abs(x - round(x)))"
_COS = [(-1) ** k * math.pi ** (2 * k) / math.factorial(2 * k) for k in range(10)]
COSINE = (
    f"where({_OFF} > 0.25, {horner(_COS, 'square(x - round(x))')}, "
    f"3.141592653589793 * {_OFF} * {sine(_OFF)})"
)

# For x < -7, x + φ(x) / Φ(x) as a continued fraction (Abramowitz and Stegun 26.2.14).
EXCESS = "-x"
for _k in range(20, 1, -1):
    EXCESS = f"{_k} / ({EXCESS}) - x"
EXCESS = f"1 / ({EXCESS})"
