"""The table of operations: each row says how a result is computed and what its local partials are.

Everything else in this project is an interpreter of the table. A new operation is one line here
(or one call of `define`): eager evaluation, gradients, pictures, tests and documentation follow.

- Partials are local: the derivative of `out` with respect to one operand.
- The table is closed under differentiation: whatever a partial calls is itself a row.
- Where a partial, or the chosen branch of a `where` in a partial, is literally `0`, no gradient
  passes, whatever the adjoint is.
- A row whose formula only calls itself is a primitive, which each interpreter must define.
- Numbers follow IEEE 754 as NumPy does: `log(0)` is `-inf`, `1/0` is `inf`, `sqrt(-1)` is `nan`.

The columns:

- `formula`, `partials`: in the language of `micrograd.table.formulas`.
- `typeset`: LaTeX in terms of the operands.
- `symbol`: what a picture shows.
- `domain`: a formula that is true where the operation is differentiable.
- `kink`: a formula that is 0 where a derivative jumps.
- `note`: the convention at such points. `micrograd.writing.languages` translates it; `note_zh` is
  the Chinese note of a row that a user defines.
- `operator`: the special method of Python's data model for this operation.
- `textbook`: the formula and the partials as a textbook writes them, for readers, where those of
  the table are longer for the sake of accuracy ("" where they are the same).
- `traced`: the partials in a function that is traced, if those of the table have cases: a trace has
  all cases and their derivatives, which costs more than the longest of them.

Values, partials and second partials are accurate over the whole range of floats. A partial that
would cancel or overflow, or whose formula would be bad to differentiate, calls a row that exists
for this purpose (`sech2`, `gauss`, `one_minus_square`, `..._slope`). Where a product may be
subnormal, its exponential is written as two equal factors, so that precision is lost only in the
last multiplication.
"""

from __future__ import annotations

from micrograd.table import gamma
from micrograd.table.formulas import horner
from micrograd.table.operations import (
    GIVEN,
    STOPPING,
    TABLE,
    Operation,
    Row,
    add_row,
    checked,
    enter_built_in,
    lookup,
    on_define,
    read,
    reserve,
)
from micrograd.table.parts import (
    BASE,
    COSINE,
    EXCESS,
    FINITE_X,
    FINITE_Y,
    GELU_NEAR,
    HIGH,
    INFINITE,
    LARGER,
    LOG,
    LOGADDEXP_SLOPE,
    LOW,
    MISH,
    MISH_CURVE,
    MISH_NEAR,
    POW_MIXED,
    POWER,
    REST,
    SIGN_OF_TURN,
    SILU_CURVE_NEAR,
    SILU_NEAR,
    SINC_CURVE,
    SINC_SLOPE,
    SIZE,
    TAIL,
    TAIL_SLOPE,
    sine,
)

__all__ = [
    "GIVEN",
    "ROWS",
    "SERVING",
    "STOPPING",
    "TABLE",
    "Operation",
    "Row",
    "add_row",
    "checked",
    "lookup",
    "on_define",
    "read",
    "reserve",
]


# The table is lined up beyond the formatter's taste, so that a wrong sign is seen at once.
# fmt: off
_ROWS = (
    Row("add", "x + y",  ["1", "1"],            "x + y",       symbol="+", operator="__add__"),
    Row("sub", "x - y",  ["1", "-1"],           "x - y",       symbol="-", operator="__sub__"),
    Row("mul", "x * y",  ["y", "x"],            r"x \cdot y",  symbol="*", operator="__mul__"),
    Row("div", "x / y",  ["1 / y", "-out / y"], r"\frac{x}{y}", symbol="/", operator="__truediv__", domain="abs(y) > 0", textbook=["", "", "-(out / y)"]),
    Row("pow", "x ** y", ["where((x > 0) * (abs(y - 4.25) <= 3.75) + (x < 0), y * x ** (y - 1), where(maximum(abs(x), abs(y)) <= 0, 0, pow_slope_x(x, y)))",
                          "where(maximum(abs(x), abs(y)) <= 0, 0, where((out - 1e-290) * (out - 1e+290) < 0, out * log(x), pow_slope_y(x, y)))"], "x^{y}", symbol="**", operator="__pow__",
        textbook=["", "where(hypot(x, y) <= 0, 0, y * x ** (y - 1))", "where((abs(x) <= 0) * (y >= 0), 0, out * log(x))"], domain="x > 0",
        note="0⁰ is 1, with derivatives 0. At x = 0 the derivative with respect to y is 0 if y ≥ 0."),
    Row("neg", "-x",     ["-1"],                "-x",          operator="__neg__"),

    Row("exp",        "exp(x)",   ["out"],                     "e^{x}"),
    Row("expm1",      "expm1(x)", ["exp(x)"],                  "e^{x} - 1"),
    Row("log",        "log(x)",   ["1 / x"],                   r"\ln x",            domain="x > 0"),
    Row("log1p",      "log1p(x)", ["1 / (1 + x)"],             r"\ln(1 + x)",       domain="x > -1"),
    Row("log2",       "log2(x)",  ["1.4426950408889634 / x"],  r"\log_{2} x",       domain="x > 0", textbook=["", "1 / (x * log(2))"]),
    Row("log10",      "log10(x)", ["0.4342944819032518 / x"],  r"\log_{10} x",      domain="x > 0", textbook=["", "1 / (x * log(10))"]),
    Row("sqrt",       "sqrt(x)",  ["0.5 / out"],               r"\sqrt{x}",         domain="x > 0", textbook=["", "1 / (2 * out)"]),
    Row("square",     "x * x",    ["2 * x"],                   "x^{2}"),
    Row("reciprocal", "1 / x",    ["-(out * out)"],            r"\frac{1}{x}",      domain="abs(x) > 0"),

    Row("sin",   "sin(x)",   ["cos(x)"],                              r"\sin x"),
    Row("cos",   "cos(x)",   ["-sin(x)"],                             r"\cos x"),
    Row("tan",   "tan(x)",   ["1 + out * out"],                       r"\tan x",                  domain="abs(cos(x)) > 0"),
    Row("asin",  "asin(x)",  ["1 / sqrt(one_minus_square(x))"],       r"\arcsin x",               domain="abs(x) < 1", textbook=["", "1 / sqrt(1 - x * x)"]),
    Row("acos",  "acos(x)",  ["-1 / sqrt(one_minus_square(x))"],      r"\arccos x",               domain="abs(x) < 1", textbook=["", "-(1 / sqrt(1 - x * x))"]),
    Row("atan",  "atan(x)",  ["square(1 / hypot(x, 1))"],             r"\arctan x",               textbook=["", "1 / (1 + x * x)"]),
    Row("sinh",  "sinh(x)",  ["cosh(x)"],                             r"\sinh x"),
    Row("cosh",  "cosh(x)",  ["sinh(x)"],                             r"\cosh x"),
    Row("tanh",  "tanh(x)",  ["where(abs(out) < 0.71, 1 - out * out, sech2(x))"], r"\tanh x",    textbook=["", "1 - out * out"], traced=["sech2(x)"]),
    Row("asinh", "asinh(x)", ["1 / hypot(x, 1)"],                     r"\operatorname{arsinh} x"),
    Row("acosh", "acosh(x)", ["1 / (sqrt(x - 1) * sqrt(x + 1))"],     r"\operatorname{arcosh} x", domain="x > 1"),
    Row("atanh", "atanh(x)", ["1 / one_minus_square(x)"],             r"\operatorname{artanh} x", domain="abs(x) < 1", textbook=["", "1 / (1 - x * x)"]),

    Row("sigmoid",    "where(x < -80, exp(x), 1 / (1 + exp(-x)))",   ["0.25 * sech2(0.5 * x)"],     r"\sigma(x)",
        textbook=["1 / (1 + exp(-x))", "out * (1 - out)"]),
    Row("softplus",   "maximum(x, 0) + log1p(exp(-abs(x)))",          ["sigmoid(x)"],                r"\ln(1 + e^{x})", textbook=["log(1 + exp(x))", ""]),
    Row("relu",       "where(x <= 0, 0, x)",                          ["where(x <= 0, 0, 1)"],       r"\max(0, x)", symbol="ReLU",
        kink="x", note="The derivative at 0 is 0."),
    Row("leaky_relu", "where(x <= 0, 0.01 * x, x)",                   ["where(x <= 0, 0.01, 1)"],    r"\max(0.01 x, x)",
        kink="x", note="The derivative at 0 is 0.01."),
    Row("elu",        "where(x <= 0, expm1(x), x)",                   ["where(x <= 0, exp(x), 1)"],  r"\operatorname{elu}(x)",
        kink="x", note="The derivative at 0 is 1; the second derivative jumps there."),
    Row("gelu", f"where(x > -0.5, 0.5 * x * (1 + erf(0.7071067811865476 * x)), {LOW} / (4 - {LOW}) * normal_tail(({LOW} + 4) / ({LOW} - 4)) * gauss(0.5 * x) * gauss(0.5 * x))",
        ["gelu_slope(x)"], r"x \cdot \Phi(x)",
        textbook=["x * ndtr(x)", "ndtr(x) + 0.3989422804014327 * x * exp(-(x * x / 2))"],
        note="The exact form, with the distribution function Φ of the standard normal distribution."),
    Row("silu", f"where(x < -40, {LOW} * exp(0.5 * x) * exp(0.5 * x), x / (1 + exp(-x)))", ["silu_slope(x)"], r"x \cdot \sigma(x)",
        textbook=["x * sigmoid(x)", "sigmoid(x) * (1 + x * sigmoid(-x))"]),
    Row("mish", f"where(x < -40, {LOW} * exp(0.5 * x) * exp(0.5 * x), where(x > 40, x, x * ({MISH}) / ({MISH} + 2)))", ["mish_slope(x)"], r"x \cdot \tanh(\ln(1 + e^{x}))",
        textbook=["x * tanh(softplus(x))", "tanh(softplus(x)) + x * sigmoid(x) / cosh(softplus(x)) ** 2"]),

    Row("abs",    "abs(x)",  ["sign(x)"],                              r"\left|x\right|",          operator="__abs__",
        kink="x", note="The derivative at 0 is 0."),
    Row("sign",   "sign(x)", ["0"],                                    r"\operatorname{sgn}(x)",   kink="x", note="sign(0) is 0."),
    Row("step",   "step(x)", ["0"],                                    r"\operatorname{step}(x)",  kink="x", note="step(0) is 0."),
    Row("erf",    "erf(x)",  ["1.1283791670955126 * gauss(x)"],         r"\operatorname{erf}(x)",   textbook=["", "1.1283791670955126 * exp(-(x * x))"]),
    Row("detach", "x",       ["0"],                                    r"\operatorname{detach}(x)", domain="0",
        note="The same number, treated as a constant."),

    Row("maximum", "maximum(x, y)", ["where(x < y, 0, where(x <= y, 0.5, 1))", "where(y < x, 0, where(y <= x, 0.5, 1))"],
        r"\max(x, y)", kink="x - y", note="Equal operands share the gradient, one half each. If an operand is nan, so is the result."),
    Row("minimum", "minimum(x, y)", ["where(x > y, 0, where(x >= y, 0.5, 1))", "where(y > x, 0, where(y >= x, 0.5, 1))"],
        r"\min(x, y)", kink="x - y", note="Equal operands share the gradient, one half each. If an operand is nan, so is the result."),
    Row("hypot",   "hypot(x, y)",   ["where(out <= 0, 0, hypot_slope(x, y))", "where(out <= 0, 0, hypot_slope(y, x))"],
        r"\sqrt{x^{2} + y^{2}}", textbook=["", "where(hypot(x, y) <= 0, 0, x / out)", "where(hypot(x, y) <= 0, 0, y / out)"], domain="hypot(x, y) > 0", note="The derivatives at the origin are 0."),
    Row("atan2",   "atan2(x, y)",   ["where(maximum(abs(x), abs(y)) <= 0, 0, atan2_slope(x, y))", "where(maximum(abs(x), abs(y)) <= 0, 0, -atan2_slope(y, x))"],
        r"\operatorname{atan2}(x, y)", textbook=["", "where(hypot(x, y) <= 0, 0, y / (x * x + y * y))", "where(hypot(x, y) <= 0, 0, -(x / (x * x + y * y)))"], domain="hypot(x, y) > 0",
        note="The first operand is the ordinate, as in math.atan2. The derivatives at the origin are 0."),

    Row("clip",    "minimum(maximum(x, y), z)", ["where((x < y) + (x > z) + (y >= z), 0, 1)", "where(x < y, where(y > z, 0, 1), 0)", "where((maximum(x, y) > z) + (x == y) * (y == z), 1, 0)"],
        r"\operatorname{clip}(x, y, z)", textbook=["", "", "", "where((x > z) + (y > z) + (x == y) * (y == z), 1, 0)"], kink="minimum(minimum(abs(x - y), abs(x - z)), abs(y - z))", note="x, kept within the limits y and z. At a limit the gradient goes to x; if all three are equal, to z."),
    Row("floor",   "floor(x)", ["0"], r"\operatorname{floor}(x)", kink="minimum(x - floor(x), ceil(x) - x)", note="The derivative is 0, also where the value jumps."),
    Row("ceil",    "ceil(x)",  ["0"], r"\operatorname{ceil}(x)",  kink="minimum(x - floor(x), ceil(x) - x)", note="The derivative is 0, also where the value jumps."),
    Row("round",   "round(x)", ["0"], r"\operatorname{round}(x)", kink="x - floor(x) - 0.5", note="Halves are rounded to even numbers. The derivative is 0, also where the value jumps."),
    Row("trunc",   "trunc(x)", ["0"], r"\operatorname{trunc}(x)", kink="where(abs(x) < 1, 1 - abs(x), minimum(x - floor(x), ceil(x) - x))", note="The derivative is 0, also where the value jumps."),
    Row("mod",     "mod(x, y)",      ["1", "-floordiv(x, y)"], r"\operatorname{mod}(x, y)", symbol="%", operator="__mod__", domain="abs(y) > 0", kink="minimum(abs(mod(x, y)), abs(y - mod(x, y))) / maximum(1, abs(floordiv(x, y)))", note="The remainder has the sign of y, as in Python."),
    Row("floordiv", "floordiv(x, y)", ["0", "0"], r"\operatorname{floor}(\frac{x}{y})", symbol="//", operator="__floordiv__", domain="abs(y) > 0", kink="minimum(abs(mod(x, y)), abs(y - mod(x, y))) / maximum(1, abs(floordiv(x, y)))", note="The derivative is 0, also where the value jumps."),
    Row("copysign", "copysign(x, y)", ["where(x == 0, 0, copysign(1, x) * copysign(1, y))", "0"], r"\operatorname{copysign}(x, y)", textbook=["", "where(x == 0, 0, sign(x) * copysign(1, y))", ""], kink="minimum(abs(x), abs(y))", note="The derivative at x = 0 is 0."),

    Row("cbrt",    "cbrt(x)",      ["1 / (3 * square(out))"],  r"\sqrt[3]{x}", domain="abs(x) > 0"),
    Row("exp2",    "2 ** x",       ["0.6931471805599453 * out"], "2^{x}", textbook=["", "out * log(2)"]),
    Row("rsqrt",   "1 / sqrt(x)",  ["-0.5 * out / x"],         r"\frac{1}{\sqrt{x}}", domain="x > 0", textbook=["", "-(out / (2 * x))"]),
    Row("sinc",    f"where(x == 0, 1, {SIGN_OF_TURN} * ((x - round(x)) * {sine('(x - round(x))')} / x))", ["sinc_slope(x)"],
        r"\frac{\sin(\pi \cdot x)}{\pi \cdot x}", textbook=["where(x == 0, 1, sin(3.141592653589793 * x) / (3.141592653589793 * x))", "where(x == 0, 0, (cos(3.141592653589793 * x) - out) / x)"], note="The normalised function, as in NumPy; 1 at 0."),
    Row("erfc",    "where(x < 0.36, 1 - erf(x), where(x > 28, 0, 2 * normal_tail((1.4142135623730951 * x - 4) / (1.4142135623730951 * x + 4)) / (1.4142135623730951 * x + 4) * gauss(x)))", ["-1.1283791670955126 * gauss(x)"],
        r"\operatorname{erfc}(x)", textbook=["1 - erf(x)", "-(1.1283791670955126 * exp(-(x * x)))"]),
    Row("ndtr",    "where(x > -0.5, 0.5 * (1 + erf(0.7071067811865476 * x)), where(x < -40, 0, normal_tail((x + 4) / (x - 4)) / (4 - x) * gauss(0.5 * x) * gauss(0.5 * x)))",
        ["0.3989422804014327 * gauss(0.5 * x) * gauss(0.5 * x)"], r"\Phi(x)", textbook=["0.5 * (1 + erf(0.7071067811865476 * x))", "0.3989422804014327 * exp(-(x * x / 2))"], note="The distribution function of the standard normal distribution."),
    Row("log_ndtr", "where(x > 0, log1p(-ndtr(-x)), where(x > -0.5, log(ndtr(x)), where(x < -1e+10, -0.5 * x * x, log(normal_tail((x + 4) / (x - 4)) / (4 - x)) - 0.5 * x * x)))", ["log_ndtr_slope(x)"],
        r"\ln \Phi(x)", textbook=["log(ndtr(x))", "0.3989422804014327 * exp(-(x * x / 2)) / ndtr(x)"]),
    Row("lgamma",  gamma.LOGARITHM, ["digamma(x)"],             r"\ln \left|\Gamma(x)\right|", textbook=["lgamma(x)", ""], domain="maximum(x, abs(x - round(x))) > 0"),
    Row("digamma", gamma.DIGAMMA,
        ["polygamma(1, x)"], r"\psi(x)", textbook=["digamma(x)", ""], domain="maximum(x, abs(x - round(x))) > 0"),
    Row("polygamma", gamma.POLYGAMMA,
        ["1e999 - 1e999", "polygamma(x + 1, y)"], r"\psi^{(x)}(y)", textbook=["polygamma(x, y)", "", ""], domain="maximum(y, abs(y - round(y))) > 0",
        note="The order x is a constant, a whole number from 0."),

    Row("log_sigmoid", "-softplus(-x)",   ["sigmoid(-x)"], r"\ln \sigma(x)"),
    Row("logaddexp", "where(x == y, x + 0.6931471805599453, maximum(x, y) + log1p(exp(-abs(x - y))))", [LOGADDEXP_SLOPE, LOGADDEXP_SLOPE.translate({120: "y", 121: "x"})],
        r"\ln(e^{x} + e^{y})", textbook=["log(exp(x) + exp(y))", "sigmoid(x - y)", "sigmoid(y - x)"]),
    Row("logit",   "where(x < 1e-37, log(x), sign(x - 0.5) * log1p(abs(2 * x - 1) / minimum(x, 1 - x)))", ["1 / x + 1 / (1 - x)"], r"\ln \frac{x}{1 - x}", domain="x * (1 - x) > 0",
        textbook=["log(x / (1 - x))", "1 / (x * (1 - x))"]),
    Row("xlogy",   "where((x == 0) * (y == y), 0, x * log(y))", ["where((x == 0) * (y <= 0), 0, log(y))", "where((x == 0) * (y == 0), 0, x / y)"], r"x \cdot \ln y", domain="y > 0",
        textbook=["where(x == 0, 0, x * log(y))", "log(y)", "x / y"], note="0 where x is 0, for every y."),

    Row("softsign", "where(abs(x) > 1e+16, sign(x), x / (1 + abs(x)))", ["square(1 / (1 + abs(x)))"], r"\frac{x}{1 + \left|x\right|}", textbook=["x / (1 + abs(x))", ""],
        kink="x", note="The derivative at 0 is 1; the second derivative jumps there."),
    Row("selu",    "where(x <= 0, 1.7580993408473766 * expm1(x), 1.0507009873554805 * x)", ["where(x <= 0, 1.7580993408473766 * exp(x), 1.0507009873554805)"], r"\operatorname{selu}(x)",
        kink="x", note="The derivative at 0 is that for negative numbers."),
    Row("celu",    "where(x <= 0, expm1(x), x)",     ["where(x <= 0, exp(x), 1)"], r"\operatorname{celu}(x)",
        kink="x", note="The derivative at 0 is 1; the second derivative jumps there. For an alpha other than 1, write alpha * celu(x / alpha)."),
    Row("relu6",   "where(x <= 0, 0, where(x >= 6, 6, x))",   ["where(x <= 0, 0, where(x >= 6, 0, 1))"], r"\min(\max(0, x), 6)",
        kink="minimum(abs(x), abs(x - 6))", note="The derivatives at 0 and 6 are 0."),
    Row("hardtanh", "where(x <= -1, -1, where(x >= 1, 1, x))", ["where(x <= -1, 0, where(x >= 1, 0, 1))"], r"\operatorname{hardtanh}(x)",
        kink="minimum(abs(x + 1), abs(x - 1))", note="The derivatives at −1 and 1 are 0."),
    Row("hard_sigmoid", "where(x <= -3, 0, where(x >= 3, 1, (x + 3) * 0.16666666666666666))", ["where(x <= -3, 0, where(x >= 3, 0, 1 / 6))"], r"\operatorname{hard\_sigmoid}(x)",
        textbook=["where(x <= -3, 0, where(x >= 3, 1, (x + 3) / 6))", ""], kink="minimum(abs(x + 3), abs(x - 3))", note="The derivatives at −3 and 3 are 0."),
    Row("hard_swish", "where(x <= -3, 0, where(x >= 3, x, x * (x + 3) * 0.16666666666666666))", ["where(x <= -3, 0, where(x >= 3, 1, (2 * x + 3) * 0.16666666666666666))"], r"\operatorname{hard\_swish}(x)",
        textbook=["where(x <= -3, 0, where(x >= 3, x, x * (x + 3) / 6))", "where(x <= -3, 0, where(x >= 3, 1, (2 * x + 3) / 6))"],
        kink="minimum(abs(x + 3), abs(x - 3))", note="The derivative at −3 is 0, at 3 it is 1."),

    Row("lt", "x < y",  ["0", "0"], "x < y",    symbol="<",  operator="__lt__", kink="x - y", note="1.0 if true, else 0.0."),
    Row("le", "x <= y", ["0", "0"], r"x \le y", symbol="<=", operator="__le__", kink="x - y", note="1.0 if true, else 0.0."),
    Row("gt", "x > y",  ["0", "0"], "x > y",    symbol=">",  operator="__gt__", kink="x - y", note="1.0 if true, else 0.0."),
    Row("ge", "x >= y", ["0", "0"], r"x \ge y", symbol=">=", operator="__ge__", kink="x - y", note="1.0 if true, else 0.0."),
    Row("eq", "x == y", ["0", "0"], "x = y",    symbol="==", operator="__eq__", kink="x - y", note="1.0 if true, else 0.0."),
    Row("ne", "x != y", ["0", "0"], r"x \ne y", symbol="!=", operator="__ne__", kink="x - y", note="1.0 if true, else 0.0."),
    Row("where", "where(x, y, z)", ["0", "where(x, 1, 0)", "where(x, 0, 1)"],
        r"\operatorname{where}(x, y, z)",
        note="y where x is not 0, else z. The branch that is not taken affects neither the value nor the gradient."),
)

# What partials of other rows are written in: functions whose own partials are good formulas.
_SERVING_ROWS = (
    Row("sech2",            "4 * exp(-2 * abs(x)) / square(1 + exp(-2 * abs(x)))", ["-2 * tanh(x) * out"], r"\operatorname{sech}^{2} x", textbook=["square(1 / cosh(x))", ""]),
    Row("gauss",            "gauss(x)",             ["where(abs(x) < 28, -2 * (x * out), 0)"], r"e^{-x^{2}}", textbook=["", "-2 * x * out"], note="exp(-x * x), with x * x to more digits than a float has."),
    Row("one_minus_square", "where(abs(x) < 0.5, 1 - x * x, (1 - x) * (1 + x))", ["-2 * x"], r"1 - x^{2}", textbook=["1 - x * x", ""]),
    Row("normal_tail",      horner(TAIL),         [horner(TAIL_SLOPE)], r"\operatorname{normal\_tail}(x)", note="(t + 4) exp(t * t / 2) times the probability that a normal number is above t, where x is (t - 4) / (t + 4)."),
    Row("gelu_slope", f"where(abs(x + 0.75) < 0.5, {GELU_NEAR}, where(x > -0.5, 0.5 * (1 + erf(0.7071067811865476 * x)) + 0.3989422804014327 * ({HIGH} * gauss(0.5 * x) * gauss(0.5 * x)), (normal_tail(({LOW} + 4) / ({LOW} - 4)) / (4 - {LOW}) + 0.3989422804014327 * {LOW}) * gauss(0.5 * x) * gauss(0.5 * x)))",
        [f"where((abs(x) > 1) * (abs(x) < 36), (1.4142135623730951 - abs(x) - 9.667293313452913e-17) * (1.4142135623730951 + abs(x)) * 0.3989422804014327 * square(gauss(0.5 * x)), 0.3989422804014327 * (2 * gauss(0.5 * x) - {SIZE} * ({SIZE} * gauss(0.5 * x))) * gauss(0.5 * x))"], r"\operatorname{gelu\_slope}(x)",
        textbook=["0.5 * (1 + erf(0.7071067811865476 * x)) + 0.3989422804014327 * x * exp(-0.5 * x * x)", "0.3989422804014327 * (2 - x * x) * exp(-0.5 * x * x)"]),
    Row("sinc_slope", f"where(abs(x) < 0.5, x * ({SINC_SLOPE}), ({SIGN_OF_TURN} * {COSINE} - sinc(x)) / x)", [f"where(abs(x) < 0.5, {SINC_CURVE}, -9.869604401089358 * sinc(x) - 2 * (out / x))"],
        r"\operatorname{sinc\_slope}(x)", textbook=["where(x == 0, 0, (cos(3.141592653589793 * x) - sinc(x)) / x)", "-9.869604401089358 * sinc(x) - 2 * (out / x)"]),
    Row("log_ndtr_slope", "where(x > -0.5, 0.3989422804014327 * gauss(0.5 * x) * gauss(0.5 * x) / ndtr(x), "
        f"where(x > -7, 0.3989422804014327 * (4 - x) / normal_tail((x + 4) / (x - 4)), {EXCESS} - x))",
        [f"where(x < -1e+16, -1, -out * where(x > -7, {HIGH} + out, {EXCESS}))"], r"\frac{\phi(x)}{\Phi(x)}",
        textbook=["0.3989422804014327 * exp(-0.5 * x * x) / ndtr(x)", "-out * (x + out)"]),
    Row("digamma_above", gamma.DIGAMMA_ABOVE, ["polygamma(1, x)"],
        r"\psi(x)", textbook=["digamma_above(x)", ""], domain="x > 0", note="The digamma function for positive numbers."),
    Row("polygamma_above", gamma.POLYGAMMA_ABOVE, ["1e999 - 1e999", "polygamma_above(x + 1, y)"], r"\psi^{(x)}(y)", textbook=["polygamma_above(x, y)", "", ""], domain="y > 0",
        note="The polygamma function for orders from 1 and positive numbers."),
    Row("silu_slope", f"where(x < -40, (1 + {LOW}) * exp(0.5 * x) * exp(0.5 * x), where(x < -0.5, {SILU_NEAR}, (1 + {HIGH} * exp(-x) * (1 / (1 + exp(-x)))) * (1 / (1 + exp(-x)))))",
        [f"where(abs(x) > 40, (2 - {SIZE}) * exp(-0.5 * abs(x)) * exp(-0.5 * abs(x)), where(abs(x) < 1, 0.25 * sech2(0.5 * x) * (2 - x * tanh(0.5 * x)), {SILU_CURVE_NEAR}))"], r"\operatorname{silu\_slope}(x)",
        textbook=["sigmoid(x) * (1 + x * sigmoid(-x))", "0.25 * sech2(0.5 * x) * (2 - x * tanh(0.5 * x))"]),
    Row("mish_slope", f"where(x < -40, (1 + {LOW}) * exp(0.5 * x) * exp(0.5 * x), where(x > 40, 1, where(abs(x + 2) < 1.5, exp(x) * {MISH_NEAR} / square({MISH} + 2), ({MISH} + 4 * x * exp(x) * (1 + exp(x)) / ({MISH} + 2)) / ({MISH} + 2))))",
        [MISH_CURVE], r"\operatorname{mish\_slope}(x)",
        textbook=["tanh(softplus(x)) + x * sigmoid(x) * sech2(softplus(x))", "sigmoid(x) * sech2(softplus(x)) * (2 + x * (sigmoid(-x) - 2 * sigmoid(x) * tanh(softplus(x))))"]),
    Row("hypot_slope", "where((hypot(x, y) - 1e-290) * (hypot(x, y) - 1e+300) < 0, x / hypot(x, y), "
        f"{FINITE_X} / {LARGER} / hypot({FINITE_X} / {LARGER}, {FINITE_Y} / {LARGER}))",
        ["hypot_slope(y, x) * atan2_slope(x, y)", "where(abs(x) < abs(y), -hypot_slope(y, x) * atan2_slope(y, x), -hypot_slope(x, y) * atan2_slope(x, y))"], r"\frac{x}{\sqrt{x^{2} + y^{2}}}",
        textbook=["x / hypot(x, y)", "", ""], domain="hypot(x, y) > 0"),
    Row("atan2_slope", "where(maximum(abs(x), abs(y)) > 1e+150, 0.25 * (hypot_slope(y, x) / hypot(0.25 * x, 0.25 * y)), "
        "where(maximum(abs(x), abs(y)) < 1e-150, hypot_slope(y, x) / hypot(4.149515568880993e+180 * x, 4.149515568880993e+180 * y) * 4.149515568880993e+180, y / (x * x + y * y)))",
        ["-2 * (atan2_slope(y, x) * out)", "where((hypot(x, y) - 1e-70) * (hypot(x, y) - 1e+70) < 0, (x - y) * (x + y) / square(x * x + y * y), 4 * ((0.5 * x - 0.5 * y) / hypot(x, y) * ((0.5 * x + 0.5 * y) / hypot(x, y)) / hypot(x, y) / hypot(x, y)))"], r"\frac{y}{x^{2} + y^{2}}",
        textbook=["y / (x * x + y * y)", "", "(x * x - y * y) / square(x * x + y * y)"], domain="hypot(x, y) > 0"),
    Row("pow_slope_x", f"where((x > 0) * (abs(y - 4.25) > 3.75), y * {POWER} / x * {REST}, where(abs(y) <= 0, 0, y * x ** (y - 1)))",
        [f"where(abs(y - 1) <= 0, 0, where({INFINITE}, where(y < 2, 0, where(y > 2, 1e999, 2)), where(x > 0, (y - 1) * (y * {POWER} / {BASE}) * ({REST} / {BASE}), (y - 1) * y * x ** (y - 2))))", POW_MIXED],
        r"y \cdot x^{y - 1}", textbook=["y * x ** (y - 1)", "(y - 1) * y * x ** (y - 2)", "x ** (y - 1) * (1 + y * log(x))"], domain="minimum(x, abs(y - 4.25) - 3.75) > 0"),
    Row("pow_slope_y", f"where((abs(x) <= 0) * (y >= 0) + ({INFINITE}) * (y < 0), 0, log(x) * where(x == 0, abs(x) ** y, {POWER}) * {REST})",
        [POW_MIXED, f"where({INFINITE}, where(y < 0, 0, 1e999), where(x > 0, {LOG} * ({LOG} * {POWER}) * {REST}, where(x < 0, 1e999 - 1e999, where(y >= 0, 0, 1e999))))"],
        r"x^{y} \cdot \ln x", textbook=["x ** y * log(x)", "x ** (y - 1) * (1 + y * log(x))", "x ** y * square(log(x))"], domain="x > 0"),
)

ROWS = (*_ROWS, *_SERVING_ROWS)
SERVING = frozenset(row.name for row in _SERVING_ROWS)
"""The rows that exist for the formulas of other rows; lists of operations for readers omit them."""

# What the chain rule multiplies by, where a factor may be infinite or nan; nothing else calls it. A
# factor of zero makes the product 0, and the derivatives are those of any product.
_STOPPING_ROWS = (Row("stopping_mul", "where(x, where(y, x * y, 0), 0)", ["y", "x"], symbol="*"),)

# The number x with the derivative z with respect to y, which is given by hand: not that of x.
_GIVEN_ROWS = (Row("with_slope", "where(1, x, y + z)", ["1", "z", "0"]),)
# fmt: on

enter_built_in(ROWS, _STOPPING_ROWS, _GIVEN_ROWS)
