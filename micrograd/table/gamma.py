"""The formulas of the gamma function and its logarithmic derivatives, in the language of the table.

Up to 10, from -16 (the logarithm) or -9 on, where they have zeros, they call nothing but arithmetic
and a logarithm that is not subtracted from, so that they are the same numbers in every language.
"""

from __future__ import annotations

import math

from micrograd.table.formulas import horner

# The coefficients of these polynomials, the constant first, were fitted at Chebyshev's points with
# 70 digits. Each is accurate to 7e-17 where it is used.

_LGAMMA = (
    0.34657359027997264,
    -0.3508093072243525,
    0.12255643438934995,
    -0.12385048222731929,
    0.07870437915672274,
    -0.07876902264493314,
    0.059140233900755124,
    -0.05881269353343327,
    0.04765850890514698,
    -0.04723395192399861,
    0.0399794484998912,
    -0.03956319430518003,
    0.034448162956750183,
    -0.03407242172250017,
    0.030266633218785255,
    -0.02993968091475413,
    0.02698145370442523,
    -0.02666557832544483,
    0.024439909995359055,
    -0.02445626327442064,
    0.02165017958918066,
    -0.019641375089376332,
    0.022784418097069957,
    -0.03156508542566758,
    0.011925096555553337,
    0.021168177684908373,
    0.027570547011667883,
    -0.11337193057785883,
    0.021141277310287497,
    0.13011551080657674,
    -0.030261027881273328,
    -0.13005435196352894,
    0.07788500461528425,
)
"""ln Γ(x) / ((x - 1) (x - 2)) in powers of (x - 3) / (x + 3), for x from 1 to 10."""

_PSI = (
    0.5998463449949618,
    -0.799206551839402,
    0.5146474725281649,
    -0.5124897379513448,
    0.4665714186117027,
    -0.4717500512636213,
    0.45664698595627196,
    -0.46165600086598607,
    0.4548595366768403,
    -0.45865054894215723,
    0.4548247015027089,
    -0.457575540283013,
    0.45507447117558475,
    -0.4570902344776119,
    0.45533411665648943,
    -0.45695099216718993,
    0.45517286269929375,
    -0.455269081755904,
    0.4584082421873224,
    -0.4692365871750236,
    0.43799926815680496,
    -0.37218093217066267,
    0.5325783895953488,
    -0.8666465244145706,
    0.24724017280333593,
    0.974586778488941,
    0.699920878564959,
    -3.8869933386770006,
    0.8575253521925309,
    4.733790981881073,
    -1.4500943232023729,
    -4.46962974882405,
    2.8548443870138867,
)
"""ψ(x) / (x - its zero) in powers of (x - 3) / (x + 3), for x from 1 to 10."""

_RGAMMA = (
    1.1283791670955126,
    -0.0411745264452831,
    -0.5266544355255447,
    0.17510202604393435,
    0.0509668602477232,
    -0.04215516936852383,
    0.00661289782627482,
    0.002120731442277257,
    -0.0011107302459330316,
    0.00015235762470520615,
    2.5355130626661337e-05,
    -1.389683544823172e-05,
    2.1565575284250995e-06,
    5.80703265961005e-08,
    -9.002232748879092e-08,
    1.681337201347965e-08,
)
"""1 / Γ(1.5 + t) in powers of t, for |t| up to 0.5."""

SINE = (
    1.0,
    -1.6449340668482264,
    0.8117424252833536,
    -0.19075182412208422,
    0.026147847817654685,
    -0.002346081035453674,
    0.00014842879300604506,
    -6.97587347448803e-06,
    2.5312084084212853e-07,
    -7.302024957130259e-09,
    1.6710905260149457e-10,
)
"""sin(πt) / (πt) in powers of t², for |t| up to 0.5."""

_COTANGENT = (
    1.2898681336964528,
    0.16464646742227637,
    0.03468612396889821,
    0.00815471239589381,
    0.0019891502554391593,
    0.000492173111072794,
    0.0001224962063174144,
    3.056511851377982e-05,
    7.630841221187449e-06,
    1.9232669898405145e-06,
    4.375887626831988e-07,
    1.750893225288286e-07,
)
"""1 / t - 2 t / (1 - t²) - π cot(πt), divided by t, in powers of t², for |t| up to 0.5."""

_STIRLING = [
    1 / 12,
    -1 / 360,
    1 / 1260,
    -1 / 1680,
    1 / 1188,
    -691 / 360360,
    1 / 156,
    -3617 / 122400,
]
_TURN = "(x - round(x))"


_NEAR = "where(x < 1, (x - 2) / (x + 4), (x - 3) / (x + 3))"  # of x + 1 below 1


def _far(t: str) -> str:
    """The logarithm of the gamma function from 10 on, by Stirling's series."""
    series = horner(_STIRLING, f"square(1 / {t})")
    return f"(({t} - 0.5) * (log({t}) - 1) + (0.41893853320467274 + ({series}) / {t}))"


def _logarithm() -> str:
    above = f"where(x < 1, x, x - 2) * (x - 1) * ({horner(_LGAMMA, _NEAR)})"
    above = f"where(x < 1, -log(x), 0) + {above}"
    # By Γ(x) Γ(-x) = -π / (x sin(πx)); Γ(-x), or Γ(1 - x) from -1 on, is this product.
    factors = [f"where(x < {-k - 1}, -{k} - x, 1)" for k in range(1, 16)]
    factor = f"where(x > -5, {' * '.join(factors[:3])}, {' * '.join(factors)})"
    product = f"{factor} / ({horner(_RGAMMA, '(-x - floor(-x) - 0.5)')})"
    sine = f"abs({_TURN}) * ({horner(SINE, f'square({_TURN})')})"  # |sin(πx)| / π
    below = f"where(x > -16, -log({sine} * where(x > -1, 1, -x) * ({product})), "
    below += f"-log(-x * ({sine})) - {_far('(-x)')})"
    below = f"where((x == round(x)) + (x == -1e999), 1e999, {below})"
    return f"where(x < 0, {below}, where(x < 10, {above}, {_far('x')}))"


def _digamma_above() -> str:
    zero, rest = 0.46163214496836225, 9.549995429965697e-17  # of the digamma function, less 1
    near = f"(where(x < 1, x, x - 1) - {zero!r} - {rest!r}) * ({horner(_PSI, _NEAR)})"
    near = f"{near} - where(x < 1, 1 / x, 0)"
    # The asymptotic series (Abramowitz and Stegun 6.3.18).
    series = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]
    far = f"log(x) - 0.5 / x - square(1 / x) * ({horner(series, 'square(1 / x)')})"
    return f"where(x < 10, where(x < 0, 1e999 - 1e999, {near}), {far})"


def _digamma() -> str:
    cotangent = (
        f"(1 / {_TURN} - 2 * {_TURN} / (1 - square({_TURN})) "
        f"- {_TURN} * ({horner(_COTANGENT, f'square({_TURN})')}))"
    )
    below = f"where(x == round(x), 1e999 - 1e999, digamma_above(1 - x) - {cotangent})"
    return f"where(x < 0, {below}, digamma_above(x))"


def _polygamma_above() -> str:
    """N! ζ(n + 1, y) with its sign, for x = n: a sum, then Euler and Maclaurin's formula."""
    far = "(y + 12)"
    # N! is a product below 20, else Stirling's formula, x / e being 0.375 x times a part of `rest`.
    # Where it or a power of the exact y does not fit, both are products of four: of unequal ones,
    # so that no error is multiplied by four.
    fits = "(x < 20) * (abs(y) < exp(708 / maximum(x, 1)))"
    factorial = " * ".join(f"maximum(x - {k}, 1)" for k in range(18))
    rest = f"-0.019170746988273764 * x + ({horner(_STIRLING, 'square(1 / x)')}) / x"
    rest = f"where(x < 20, 1, sqrt(6.283185307179586 * x) * exp({rest}))"

    def power(base: str, exponent: str) -> str:
        product = f"where(x < 20, {factorial}, 1)"
        for s in (-0.1875, -0.0625, 0.0625, 0.1875):
            root = f"where(x < 20, 1, (0.375 * x) ** (0.25 * x + {s}))"
            product += f" * ({root} * {base} ** (0.25 * ({exponent}) - {s}))"
        return f"where({fits}, {factorial} * {base} ** ({exponent}), {product})"

    first, last = power("y", "-x - 1"), power(far, "-x")
    others = " + ".join(f"exp(-(x + 1) * log1p({k} / abs(y)))" for k in range(11, 0, -1))
    # B(2j) / (2j)!, each times (x + 1) … (x + 2j - 1) / (y + 12)^(2j).
    terms = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000]
    terms += [1 / 74724249600]
    series = repr(terms[-1])
    for j in range(len(terms) - 1, 0, -1):
        rise = f"(x + {2 * j}) * (x + {2 * j + 1}) * square(1 / {far})"
        series = f"{terms[j - 1]!r} + {rise} * ({series})"
    lost = f"where(y < 1e+30, 12 - ({far} - y), 0)"  # by the sum y + 12, whose power is taken
    tail = f"{last} * (1 - x * {lost} / {far})"
    tail += f" * (1 / x + 0.5 / {far} + (x + 1) * square(1 / {far}) * ({series}))"
    above = f"(1 - 2 * mod(x + 1, 2)) * {rest} * ({tail} + {first} * (1 + ({others})))"
    return f"where(x < 1, 1e999 - 1e999, {above})"


# At a negative y, some of the terms 1 / (y + k)^(x + 1) are below 0, and the others above. Those
# nearest to y, at the distances f and g, are the largest. In even orders they cancel beside
# f = g = 0.5, and there their difference is that of the first, by expm1, and of the rest: where
# they are close, by Taylor's series around 1.5. From order 41 on the rest is too small to matter.
_LEFT, _RIGHT, _TERMS = "(y - floor(y))", "(ceil(y) - y)", "polygamma_above(x, {})".format
_LOG_RATIO = f"((x + 1) * log1p((2 * {_RIGHT} - 1) / {_LEFT}))"
_NEXT = f"where(x > 40, 0, {_TERMS(f'{_RIGHT} + 1')})"
_BEYOND = f"where(x > 170, 0, {_TERMS('1 - y')})"  # n! is infinite from 171 on
_ODD = "0"
for _k in (7, 5, 3, 1):
    _ODD = f"square({_LEFT} - 0.5) * ({_ODD})"
    _ODD = f"{2 / math.factorial(_k)!r} * polygamma_above(x + {_k}, 1.5) + {_ODD}"
_BELOW = (
    f"where(x == round(x), where((mod(x, 2) == 1) + (abs({_LOG_RATIO}) >= 1) * (x <= 150), "
    f"{_TERMS(_LEFT)} + (2 * mod(x, 2) - 1) * ({_TERMS(_RIGHT)} - {_BEYOND}), "
    f"where({_RIGHT} == 0.5, {_TERMS('1 - y')}, "
    f"({_TERMS(_RIGHT)} - {_NEXT}) * expm1({_LOG_RATIO}) + where(x > 40, 0, "
    f"where(abs({_LOG_RATIO}) < 0.125, ({_LEFT} - 0.5) * ({_ODD}), "
    f"{_TERMS(f'{_LEFT} + 1')} - {_NEXT})) + {_BEYOND})), 1e999 - 1e999)"
)

LOGARITHM = _logarithm()
"""ln |Γ(x)|"""
DIGAMMA_ABOVE = _digamma_above()
DIGAMMA = _digamma()
POLYGAMMA_ABOVE = _polygamma_above()
POLYGAMMA = (
    f"where(x == 0, digamma(y), where(x < 0, 1e999 - 1e999, "
    f"where(y >= 0, {_TERMS('where(y >= 0, y, 1)')}, {_BELOW})))"
)
