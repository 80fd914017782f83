"""A board has the definitions, the chain rule by names, and a closed form that is the gradient."""

import copy
import math
import pickle
import re
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings

import nn
from micrograd import Value, custom_derivative, explain, softmax, where
from micrograd.derivation import definitions as definitions_room
from micrograd.derivation.algebra import simplified
from micrograd.derivation.definitions import Definition, definitions
from micrograd.derivation.evidence import Evidence
from micrograd.engine.functions import (
    clip,
    cos,
    cosh,
    erf,
    exp,
    gelu,
    hard_sigmoid,
    hypot,
    leaky_relu,
    log,
    maximum,
    minimum,
    ndtr,
    relu,
    relu6,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    tanh,
)
from micrograd.engine.graph import operands, order, partials
from micrograd.table.balls import on_balls
from micrograd.table.formulas import Call, substituted, variables
from micrograd.testing.strategies import expressions
from micrograd.writing.labels import columns
from tests.counting import calls
from tests.derivation.common import board, last_symbols, sum_of_squares, values
from tests.derivation.test_algebra import read


def test_the_board_of_a_neuron():
    w, x, b, t = values(w=0.5, x=2.0, b=0.3, t=1.0)
    z = w * x + b
    y = sigmoid(z)
    loss = (y - t) ** 2
    names = {"z": z, "y_hat": y, "L": loss}
    assert board(loss, w, names=names).text() == (
        "let z = w·x + b,  ŷ = σ(z),  L = (ŷ − t)²\n"
        "\n"
        "  ∂L/∂w = ∂L/∂ŷ · ∂ŷ/∂z · ∂z/∂w\n"
        "        = 2(ŷ − t) · ŷ(1 − ŷ) · x\n"
        "        ≈ −0.1442\n"
    )
    assert board(loss, "w", names=names, numbers=False, lang="zh").text() == (
        "设 z = w·x + b，ŷ = σ(z)，L = (ŷ − t)²\n"
        "\n"
        "  ∂L/∂w = ∂L/∂ŷ · ∂ŷ/∂z · ∂z/∂w\n"
        "        = 2(ŷ − t) · ŷ(1 − ŷ) · x\n"
    )


# What a mathematician expects.
CLOSED = {
    "6x⁵": lambda x, y: x * x * x * x * x * x,
    "−2(x − y)": lambda x, y: (x - y) ** 2 * -1,
    "−2(y − x)": lambda x, y: (y - x) ** 2,
    "1 − f²": lambda x, y: tanh(x),
    "f(1 − f)": lambda x, y: sigmoid(x),
    "f": lambda x, y: exp(x + y),
    "1/x": lambda x, y: log(x),
    "−f/x": lambda x, y: y / x,
    "1/(2f)": lambda x, y: sqrt(x),
    "x/f": lambda x, y: hypot(x, y),
    "y·x^(y − 1)": lambda x, y: x**y,
    "2f·x": lambda x, y: exp(x * x),
    "−f·x": lambda x, y: exp(-x * x / 2),
    "y·cos(x·y)": lambda x, y: sin(x * y),
    "2sin(x)·cos(x)": lambda x, y: sin(x) ** 2,
    "ln(x) + 1": lambda x, y: x * log(x),
    "σ(x)": lambda x, y: log(1 + exp(x)),
    "0": lambda x, y: sin(x) ** 2 + (1 - sin(x) ** 2),
    "y": lambda x, y: x * y + y - y,
    "2x + 3": lambda x, y: x * x + 3 * x + y,
    "y·[x > 0]": lambda x, y: relu(x) * y,
    "[x > y]": lambda x, y: maximum(x, y),
    "y/(x + y)²": lambda x, y: x / (x + y),
    "y·x(3x + 2)": lambda x, y: (y * x + y) * x * x,
    "f(1 + ln(x))": lambda x, y: x**x,
    "1/(x(1 − x))": lambda x, y: log(x / (1 - x)),
    "2(1 − 2x)": lambda x, y: 1 - x**2 - (1 - x) ** 2,
    "−tan(x)": lambda x, y: log(cos(x)),
    "f·y/x": lambda x, y: 3 * x**y * y ** (1 - y),
    "0.3y^0.7/x^0.7": lambda x, y: x**0.3 * y**0.7,
    "2y(1 − exp(−y(x − 3)))·exp(−y(x − 3))": lambda x, y: (1 - exp(-y * (x - 3))) ** 2,
    "1/(3x^(2/3))": lambda x, y: x ** (1 / 3),
    "2π·x(y − 1)": lambda x, y: math.pi * x * x * y - math.pi * x * x,
    "2x/3.7": lambda x, y: x * x / 3.7,
    "8π·x": lambda x, y: x * x * 4 * math.pi,
    "√(2/π)·exp(−x²/2)": lambda x, y: erf(x / 2**0.5),
    "3|x|²·sgn(x)": lambda x, y: abs(x) ** 3,
    "sgn(x)²": lambda x, y: sign(x) ** 2 * x,
    "[0 < x < 6]": lambda x, y: relu6(x),
    "[0 ≤ x ≤ 2]": lambda x, y: clip(x, 0, 2),
    "[0 ≤ x ≤ y]·[0 < y]": lambda x, y: clip(x, 0, y),
    "y·[x ≠ 0]": lambda x, y: where(x, 1, 0) * x * y,
    "(1/6)·[−3 < x < 3]": lambda x, y: hard_sigmoid(x),
    "{0.01 if x ≤ 0; 1 if x > 0}": lambda x, y: leaky_relu(x),
    "exp(−x²/2)/√(2π)": lambda x, y: ndtr(x),
    "y·exp(−x²/2)/(√(2π)·(y + 1))": lambda x, y: ndtr(x) * y / (y + 1),
    "x + y": lambda x, y: 0.5 * maximum(x + y, y + x) ** 2,
    "cos(x)": lambda x, y: sin(x) + sin(relu(0 * y)) ** 2,
    "2(2x − y − y²)": lambda x, y: (y - x) ** 2 + (x - y * y) ** 2,
    "2x": lambda x, y: x * cos(0 * x) * x * cosh(0 * x),
    "1/(1 + x)^(y + 1)": lambda x, y: (1 - (1 + x) ** -y) / y,
}


@pytest.mark.parametrize("expected", CLOSED)
def test_the_closed_form_is_what_a_mathematician_expects(expected):
    x, y = values(x=0.7, y=1.3)
    found = last_symbols(f := CLOSED[expected](x, y), x, names={"f": f})
    assert found == expected


def first_line(output, wrt, **options):
    return board(output, wrt, **options).text().partition("\n\n")[0]


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x, y: 1 - (-1) * (x * y + y), "1 + x·y + y"),
        (lambda x, y: x + y + x, "2x + y"),
        (lambda x, y: x * 4 * math.pi, "4π·x"),
        (lambda x, y: x * -100 * math.pi, "−100π·x"),
        (lambda x, y: x * 50 * 2**0.5, "50√2·x"),
        (lambda x, y: x * 4 * math.pi * 1e-7, "4·10⁻⁷·π·x"),
        (lambda x, y: x * 5 * (1 / 3) * 7, "35·(1/3)·x"),
        (lambda x, y: log(x) / math.log(10), "ln(x)/ln(10)"),
        (lambda x, y: y * x + 0.5 * math.log(2 * math.pi), "y·x + ln(2π)/2"),
        (lambda x, y: x * 0.1 * 3, "0.3x"),
        (lambda x, y: 2 * x + 2 * x, "4x"),
        (lambda x, y: x * 1.0000000000000002, "x"),
        (lambda x, y: x / 3 * (1 / 3) * y, "(1/3)·(x/3)·y"),
        (lambda x, y: where(1, y * x, x), "y·x"),
        (lambda x, y: sin(relu(0 * x)) ** 2 + y, "y"),
        (
            lambda x, y: where(x > 0, sin(x), where(x < -1, y, x**3)),
            "{sin(x) if x > 0; y if x < −1; x³ if −1 ≤ x ≤ 0}",
        ),
        (
            lambda x, y: where(x > 0, sin(x), where(x < 1, y, x**3)),
            "{sin(x) if x > 0; {y if x < 1; x³ if x ≥ 1} if x ≤ 0}",
        ),
        (lambda x, y: where(y, x, 2 * x), "{x if y ≠ 0; 2x if y = 0}"),
    ],
)
def test_a_definition_is_written_without_what_says_nothing(f, expected):
    x, y = values(x=0.7, y=1.3)
    out = f(x, y)
    assert first_line(out, x, names={"f": out}, numbers=False) == f"let f = {expected}"


@pytest.mark.parametrize(("number", "shown"), [(0.333333333333, "0.3333"), (3.1415926535, "3.142")])
def test_a_number_with_fewer_digits_than_a_constant_stays_a_rounded_decimal(number, shown):
    (x,) = values(x=0.7)
    out = x * number
    assert first_line(out, x, names={"f": out}, numbers=False) == f"let f ≈ {shown}x"


def test_a_letter_of_a_function_and_a_bracket_have_a_sign_between_them():
    r, sigma = values(r=1.3, sigma=0.9)
    assert last_symbols((sigma / r) ** 2 - sigma / r, r).startswith("σ·(1 − 2σ/r)")
    many = (r * (sigma - 2) * sigma * (r - 3) + r * (sigma - 4)) ** 2
    assert "σ·(" in last_symbols(many, r, width=26)
    assert "σ(" not in board(many, r, width=24).text()


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "dL/db is the total derivative; ∂L/∂b holds the other variables of L fixed."),
        ("zh", "dL/db 是全导数；求 ∂L/∂b 时，L 的其他变量保持不变。"),
    ],
)
def test_the_total_derivative_differs_in_its_sign_from_the_part_of_it(lang, said):
    b, x = values(b=2.0, x=0.3)
    y = tanh(b * x)
    loss = y * b
    found = board(loss, b, names={"y": y, "L": loss}, numbers=False, lang=lang)
    assert said in found.text()
    assert "  dL/db = ∂L/∂y · ∂y/∂b + ∂L/∂b\n" in found.text()
    assert r"\frac{\text{d}L}{\text{d}b}" in found.latex()
    assert "<mtext>d</mtext>" in found.html()
    assert "d" not in board(loss, x, names={"y": y, "L": loss}).equations()


def test_only_derivatives_that_differ_from_the_part_of_them_are_written_with_d():
    b, x = values(b=2.0, x=0.3)
    y = tanh(b * x)
    loss = y * b
    found = board(loss, [x, b], names={"y": y, "L": loss}).equations()
    assert "∂L/∂x = ∂L/∂y · ∂y/∂x\n" in found
    assert "dL/db = ∂L/∂y · ∂y/∂b + ∂L/∂b\n" in found


def test_a_bar_is_a_total_derivative_where_a_value_is_used_directly_too():
    x, w = values(x=2.0, w=0.5)
    h = x
    for _ in range(12):
        h = (h * w).tanh()
    text = board(h + w * x, w).text()
    assert "w̄ = dv₁₃/dw." in text.replace("\n", " ")
    assert "  dv₁₃/dw = w̄\n" in text


def test_a_number_that_is_the_derivative_is_not_repeated():
    x, y = values(x=1.3, y=2.1)
    assert board(x**y / x ** (y - 1), y).equations() == "∂v₁/∂y = 0"


def test_terms_of_a_series_stay_alike():
    x = values(x1=0.3, x2=1.2, x3=0.7, x4=0.9)
    (p,) = values(p=0.3)
    loss = -sum(y * log(p) + (1 - y) * log(1 - p) for y in x)
    assert last_symbols(loss, p) == "−Σᵢ₌₁⁴ (xᵢ/p − (1 − xᵢ)/(1 − p))"
    (lam,) = values(lam=1.3)
    assert last_symbols(sum(lam - y * log(lam) for y in x[:3]), lam) == "Σᵢ₌₁³ (1 − xᵢ/lam)"


def test_like_terms_of_several_brackets_are_collected_if_they_are_no_series():
    a, b, c, d = values(a=0.3, b=0.2, c=0.7, d=0.9)
    assert last_symbols((a - b) ** 2 + (b - c) ** 2 + (b - d) ** 2, b) == "2(3b − a − c − d)"
    x = values(x1=0.3, x2=1.2, x3=0.7, x4=0.9)
    pairs = sum((p - q) ** 2 for i, p in enumerate(x) for q in x[:i])
    assert last_symbols(pairs, x[2]) == "2(3x₃ − x₁ − x₂ − x₄)"
    assert last_symbols(sum((y - a) ** 2 for y in x[:3]), a) == "−2 Σᵢ₌₁³ (xᵢ − a)"


def test_sums_within_and_over_sums_have_indices_of_their_own():
    a = values(a1=0.3, a2=0.2, a3=0.7, a4=0.9)
    b = values(b1=0.1, b2=0.4, b3=0.5, b4=0.2)
    (w,) = values(w=0.3)
    outer = sum((sum(y * w for y in b) - x) ** 2 for x in a)
    assert last_symbols(outer, w) == "2 Σᵢ₌₁⁴ (Σⱼ₌₁⁴ bⱼ·w − aᵢ) Σⱼ₌₁⁴ bⱼ"
    mean = sum(x * y * w for x, y in zip(a, b, strict=True)) / sum(b)
    assert last_symbols(mean, w) == "(Σᵢ₌₁⁴ aᵢbᵢ)/(Σᵢ₌₁⁴ bᵢ)"


def test_values_of_a_kind_have_successive_names():
    w, b, *x = values(w=0.4, b=0.1, x1=0.3, x2=1.2, x3=0.7, x4=0.9)
    loss = sum(softplus(w * each + b) ** 2 for each in x)
    assert first_line(loss, w).replace("\n", " ") == (
        "let vᵢ = w·xᵢ + b  (i = 1, …, 4),  vᵢ = softplus(vᵢ₋₄)  (i = 5, …, 8), v₉ = Σᵢ₌₅⁸ vᵢ²"
    )


def test_cases_are_broken_before_their_conditions_if_they_are_too_long():
    w, x, y, delta = values(w=0.3, x=2.0, y=3.0, delta=1.0)
    far = abs(y - w * x)
    loss = where(far <= delta, (y - w * x) ** 2 / 2, delta * (far - delta / 2))
    text = board(loss, w, names={"L": loss}, numbers=False, width=30).text()
    assert max(map(columns, text.splitlines())) <= 30


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [30, 44])
def test_long_conditions_are_broken_before_their_words(lang, width):
    x, y, a, b = values(x=0.5, y=0.4, alpha=1.0, beta=2.0)
    inside = (x > 0) & (y > 0) & (x < a) & (y < b) & (x + y < a * b)
    loss = where(inside, x * y, x)
    shown = board(loss, x, names={"L": loss}, numbers=False, width=width).text(lang)
    assert max(map(columns, shown.splitlines())) <= width
    assert "v₁" not in shown
    word = {"en": "and", "zh": "且"}[lang]
    assert shown.count(f"{word} y") == 4  # two in the definition, two in the derivative


def test_a_divisor_is_defined_once_if_both_sides_of_a_quotient_are_long():
    y, x, (w,) = values(y_1=1.0, y_2=2.0, y_3=4.0), values(x_1=1.0, x_2=2.0, x_3=3.0), values(w=0.5)
    m = sum(y) / 3
    r = 1 - sum_of_squares(b - w * a for a, b in zip(x, y, strict=True)) / sum_of_squares(
        b - m for b in y
    )
    text = board(r, y[0], names={"m": m, "R": r}, numbers=False).text()
    assert text.count("(y₁ − m)² + (y₂ − m)² + (y₃ − m)²") == 1
    assert last_symbols(r, w, names={"m": m, "R": r}).endswith("/v₁")


@pytest.mark.parametrize("number", [1, 1.0, 4])
def test_a_number_may_equal_the_side_of_a_quotient_that_it_stands_beside(number):
    (x,) = values(x=math.sqrt(number))
    assert last_symbols(number / (x * x), x).startswith(f"−{2 * int(number)}/x³")
    assert board(x * x / number, x).text()


def test_lines_of_cases_in_a_sum_stand_below_each_other():
    x, y, z = values(x=0.5, y=0.3, z=1.2)
    loss = exp(x) * log(y) + sigmoid(z * x) * y + where(x + y + z > x * y, x * y, exp(x - y) * z)
    text = board(loss, x, names={"L": loss}, numbers=False, width=44).text()
    assert (
        "  L = exp(x)·ln(y) + σ(z·x)·y\n"
        "      + {x·y if x + y + z > x·y;\n"
        "         exp(x − y)·z if x + y + z ≤ x·y}\n"
    ) in text


def test_cases_on_several_lines_are_not_within_a_sentence():
    x, y, z = values(x=0.5, y=0.3, z=1.2)
    test = x > 0
    loss = where(test & (y > 0), x * y, z)
    assert (
        "let\n\n"
        "  x_condition = x > 0\n"
        "  L           = {x·y if x_condition and y > 0;\n"
        "                 z if not x_condition or y ≤ 0}\n"
    ) in board(loss, x, names={"L": loss, "x_condition": test}, numbers=False).text()


def test_long_conditions_get_names_but_not_their_difference_in_an_exclusive_or():
    x, y, z = values(x=0.5, y=-0.4, z=0.7)
    a = x * y + z * x + x + y + z * z > 0
    b = y * z + x * x + y + z + x * y * z > z
    text = board(where(a ^ b, x * y, z), x, numbers=False).text()
    assert "v₁ = x·y + z·x + x + y + z² > 0" in text
    assert "{x·y if v₁ xor v₂;" in text


def test_cases_within_cases_stand_below_each_other():
    x, y, z = values(x=0.5, y=0.3, z=1.2)
    loss = where(x > 0, where(y * z > x * x, z * x + y, x * y * z), z)
    assert (
        "  L = {{z·x + y if y·z > x²;\n"
        "        x·y·z if y·z ≤ x²}\n"
        "        if x > 0;\n"
        "       z\n"
        "        if x ≤ 0}\n"
    ) in board(loss, x, names={"L": loss}, numbers=False, width=40).text()


def test_conditions_joined_by_words_are_stated_where_they_decide():
    x, y = values(x=1.0, y=2.0)
    loss = where((x > 0) & ~(y > 3), x * y, y)
    assert "take: x > 0 and y ≤ 3." in board(loss, x).text()
    assert "：x > 0 且 y ≤ 3。" in board(loss, x).text("zh")
    assert "take: x > 0 xor y > 3." in board(where((x > 0) ^ (y > 3), x, y), x).text()


def test_cross_entropy_of_a_sigmoid_becomes_a_difference():
    w, x, y = values(w=0.5, x=2.0, y=1.0)
    p = sigmoid(w * x)
    loss = -(y * log(p) + (1 - y) * log(1 - p))
    assert last_symbols(loss, w, names={"p": p, "L": loss}) == "x(p − y)"


def test_what_is_written_twice_is_defined_once():
    w, x, b, y = values(w=0.5, x=1.2, b=0.1, y=1.0)
    loss = -(y * log(sigmoid(w * x + b)) + (1 - y) * log(1 - sigmoid(w * x + b)))
    found = board(loss, w, names={"L": loss})
    assert found.text() == (
        "let v₁ = w·x + b,  v₂ = σ(v₁),  L = −(y·ln(v₂) + (1 − y)·ln(1 − v₂))\n"
        "\n"
        "  ∂L/∂w = ∂L/∂v₂ · ∂v₂/∂v₁ · ∂v₁/∂w\n"
        "        = ((1 − y)/(1 − v₂) − y/v₂) · v₂(1 − v₂) · x\n"
        "        = (v₂ − y)·x\n"
        "        ≈ −0.3982\n"
    )
    loss.backward()
    assert f"≈ {w.grad:.4g}".replace("-", "−") in found.text()
    share = 1 / (1 + math.exp(-0.7))
    row = next(row for row in found.text(tables=True).splitlines() if row.startswith("  v₂ "))
    assert row.split()[-1] == f"{-1 / share:.4g}".replace("-", "−")  # of both places together


def test_a_mean_is_put_back():
    xs = values(x1=0.2, x2=0.3, x3=0.4, x4=0.1)
    mean = sum(xs) / 4
    variance = sum((x - mean) ** 2 for x in xs) / 4
    assert last_symbols(variance, xs[1], names={"mu": mean, "V": variance}) == "(x₂ − μ)/2"


def test_factors_with_an_index_are_in_order():
    a, b, c, d = values(x1=1.0, x2=2.0, x3=3.0, x4=4.0)
    assert last_symbols(a * b * c * d, b) == "x₁x₃x₄"


def test_one_share_of_a_softmax_is_written_with_another():
    scores = values(z1=0.1, z2=0.4, z3=-0.3)
    powers = [exp(z) for z in scores]
    shares = [each / sum(powers) for each in powers]
    out = shares[0] * 2 + shares[1]
    names = {f"p_{i}": share for i, share in enumerate(shares, 1)}
    assert "(−p₁p₂)" in board(out, scores[1], names=names).equations()


def test_what_cancels_with_a_maximum_leaves_no_definition():
    scores = values(z1=0.1, z2=0.4, z3=-0.3, z4=0.2)
    most = maximum(maximum(maximum(scores[0], scores[1]), scores[2]), scores[3])
    out = log(sum(exp(z - most) for z in scores)) + most
    assert "max" not in board(out, scores[0], names={"y": out}).text()


def test_a_formula_without_a_shift_stays_as_it_was_written():
    a, x = values(a=0.1, x=2.0)
    y = exp(a * x) * exp(-x)
    assert "y = exp(a·x)·exp(−x)" in board(y, x, names={"y": y}).text()


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x: where(abs(x) <= 1, x * x / 2, abs(x) - 0.5), "|x| > 1"),
        (lambda x: x.clip(0, 2), "x > 2"),
        (lambda x: maximum(x, 0), "x > 0"),
        (lambda x: maximum(2 * x, x + 1), "2x > x + 1"),
        (lambda x: maximum(x * x, 4 * x), "x² < 4x"),
        (lambda x: x**x, None),
    ],
)
def test_the_branches_that_were_taken_are_stated_once(f, said):
    (x,) = values(x=3.0)
    _, _, found = board(f(x), x).text().partition("The branches that the numbers take: ")
    assert found.strip() == (f"{said}." if said else "")


def test_four_points_become_a_sum():
    w, b = values(w=0.5, b=0.25)
    xs = values(x1=1.0, x2=2.0, x3=3.0, x4=4.0)
    ys = values(y1=2.0, y2=4.0, y3=6.0, y4=8.0)
    errors = [y - (w * x + b) for x, y in zip(xs, ys, strict=True)]
    loss = sum(e * e for e in errors) / 8
    names = {f"e_{i}": e for i, e in enumerate(errors, 1)} | {"L": loss}
    assert board(loss, w, names=names).text() == (
        "let eᵢ = yᵢ − w·xᵢ − b  (i = 1, …, 4),  L = (1/8) Σᵢ₌₁⁴ eᵢ²\n"
        "\n"
        "  ∂L/∂w = Σᵢ₌₁⁴ ∂L/∂eᵢ · ∂eᵢ/∂w\n"
        "        = Σᵢ₌₁⁴ (eᵢ/4) · (−xᵢ)\n"
        "        = −(1/4) Σᵢ₌₁⁴ eᵢxᵢ\n"
        "        ≈ −10.63\n"
    ).replace("≈ −10.63", "= −10.625")
    for wrt, expected in (
        (w, "(1/2) Σᵢ₌₁⁴ (w·xᵢ + b − yᵢ)·xᵢ"),
        (b, "(1/2) Σᵢ₌₁⁴ (w·xᵢ + b − yᵢ)"),
    ):
        loss = sum((w * x + b - y) ** 2 for x, y in zip(xs, ys, strict=True)) / 4
        assert last_symbols(loss, wrt) == expected


def test_a_sum_over_an_index_is_not_multiplied_out():
    points = [Value(n, label=f"x_{i}") for i, n in enumerate((1.3, 0.4, 2.2, 0.9), 1)]
    mu, sigma = values(mu=0.4, sigma=0.8)
    loss = sum((x - mu) ** 2 for x in points) / (2 * sigma**2) + 4 * log(sigma)
    assert last_symbols(loss, mu, names={"L": loss}) == "−Σᵢ₌₁⁴ (xᵢ − μ)/σ²"


def test_definitions_of_a_batch_are_gathered_by_their_index():
    (w,) = values(w=0.5)
    xs = values(x1=1.0, x2=2.0, x3=3.0, x4=4.0)
    shares = [sigmoid(w * x + w) for x in xs]
    names = {f"p_{i}": p for i, p in enumerate(shares, 1)} | {"L": (loss := sum(shares))}
    first, *_ = board(loss, w, names=names).text().split("\n\n")
    assert first == "let vᵢ = w·xᵢ + w  (i = 1, …, 4),  pᵢ = σ(vᵢ)  (i = 1, …, 4),  L = Σᵢ₌₁⁴ pᵢ"
    columns_ = values(a11=1.0, a12=2.0, a21=3.0, a22=4.0)
    crossed = [x * y for x, y in zip(columns_, xs, strict=True)]
    names = {f"c_{i}": c for i, c in zip((11, 12, 21, 22), crossed, strict=True)}
    text = board(sum(c * c for c in crossed), xs[0], names=names).text()
    assert [*re.findall("(c..) = a", text)] == ["c₁₁", "c₁₂", "c₂₁", "c₂₂"]


def test_a_running_total_is_one_line_of_the_sweep():
    (w,) = values(w=0.5)
    total, names = Value(0.0, label="s0"), {}
    for i in range(1, 13):
        total = total + w * Value(i / 4, label=f"x{i}")
        names[f"s_{i}"] = total
    text = board(total, w, names=names).text()
    assert re.search(r"s̄ᵢ += s̄ᵢ₊₁ · ∂sᵢ₊₁/∂sᵢ\n += s̄ᵢ₊₁  \(i = 10, …, 1\)\n", text)
    assert "= Σᵢ₌₁¹² xᵢ\n" in text
    assert text.count("\n") < 20


def test_made_up_names_do_not_join_a_series_of_the_reader():
    v1, v2, x = values(v1=1.0, v2=2.0, x=0.5)
    text = board(tanh(v1 * x + v2) * tanh(v1 * x * v2), x).text()
    assert "u₁ = " in text
    assert "v₃" not in text


def test_hidden_values_of_a_network_are_named_after_their_neurons():
    model = nn.MLP(2, [2, 1], activation="tanh")
    x1, x2 = values(x1=0.5, x2=1.0)
    loss = (model([x1, x2]) - 1) ** 2
    text = board(loss, model.parameters()[0]).text()
    assert "let z⁽¹⁾₁ = b⁽¹⁾₁ + w⁽¹⁾₁₁x₁ + w⁽¹⁾₁₂x₂,  h⁽¹⁾₁ = tanh(z⁽¹⁾₁)" in text
    assert "∂h⁽¹⁾₁/∂z⁽¹⁾₁ · ∂z⁽¹⁾₁/∂w⁽¹⁾₁₁" in text
    assert "v₁ = (b⁽²⁾₁ +" in text
    assert "h⁽²⁾₁" not in text  # a loss is not an activation
    again = model([x1 * 2, x2]) + model([x1, x2])  # two samples: a neuron has two sums
    assert "z⁽¹⁾" not in board(again, model.parameters()[0]).text()


def test_decimals_stay_decimals_beside_a_product_with_zero():
    a, b, c = values(a=0.5, b=2.0, c=3.0)
    y = a * 0.1 + b * 0.0 + c * 0.2
    assert "y = 0.1a + 0.2c" in board(y, a, names={"y": y}).text()


@pytest.mark.parametrize(("operations", "said"), [(25, []), (26, ["… 2 more lines …"])])
def test_no_remark_stands_for_one_definition(operations, said):
    h, *x = values(x0=0.0, x1=0.1, x2=0.2)
    for i in range(operations):
        h = tanh(h * x[i % 2]) if i % 2 else sin(h + x[0])
        h.label = f"h{chr(ord('a') + i)}"
    assert re.findall("… .* more lines …", board(h, x[1]).text()) == said


def test_an_index_of_two_digits_is_one_index():
    (w,) = values(w=0.5)
    xs = [Value(1.0 + i, label=f"x_{i}") for i in range(10, 15)]
    assert "Σᵢ₌₁₀¹⁴ xᵢ" in board(sum(w * x for x in xs), w).text()


def test_names_without_an_index_are_added_one_by_one():
    e, f, x, y = values(e=1.0, f=2.0, x=3.0, y=4.0)
    w = Value(2.0, label="w")
    assert last_symbols((w * x - e) ** 2 + (w * y - f) ** 2, w) == "2((w·x − e)·x + (w·y − f)·y)"


@pytest.mark.parametrize("by_hand", [True, False])
def test_softmax_with_cross_entropy_is_the_share_minus_one(by_hand):
    scores = values(z1=1.0, z2=2.0, z3=0.5)
    names = {}
    if by_hand:
        powers = [exp(z) for z in scores]
        total = powers[0] + powers[1] + powers[2]
        share = powers[0] / total
        loss = -log(share)
        names = {f"e{i}": power for i, power in enumerate(powers, 1)} | {"S": total, "p1": share}
    else:
        loss = nn.losses.cross_entropy(scores, 0)
    names["L"] = loss
    assert last_symbols(loss, scores[0], names=names) == "p₁ − 1"
    assert last_symbols(loss, scores[1], names=names) == ("e₂/S" if by_hand else "p₂")


def test_scores_of_an_attention_have_the_names_and_the_shift_disappears():
    q, k_1, k_2, v_1, v_2 = values(q=0.5, k_1=0.2, k_2=-0.4, v_1=1.0, v_2=2.0)
    first, second = softmax([q * k_1, q * k_2])
    out = first * v_1 + second * v_2
    text = board(out, k_1, names={"a_1": first, "a_2": second, "o": out}, numbers=False).text()
    assert text == (
        "let u₁ = q·k₁,  u₂ = q·k₂,  a₁ = exp(u₁)/(exp(u₁) + exp(u₂)),\n"
        "a₂ = exp(u₂)/(exp(u₁) + exp(u₂)),  o = a₁v₁ + a₂v₂\n"
        "\n"
        "  ∂o/∂k₁ = (∂o/∂a₁ · ∂a₁/∂u₁ + ∂o/∂a₂ · ∂a₂/∂u₁) · ∂u₁/∂k₁\n"
        "         = (v₁ · a₁(1 − a₁) + v₂ · (−a₁a₂)) · q\n"
        "         = a₁(v₁(1 − a₁) − v₂a₂)·q\n"
    )


@pytest.mark.parametrize("lost", [nn.losses.cross_entropy, lambda z, k: -log(softmax(z)[k])])
def test_scores_of_a_network_are_defined_in_order_and_give_the_shares(lost):
    model = nn.MLP(2, [2, 3], activation="tanh")
    loss = lost(model(values(x_1=0.3, x_2=-0.2)), 1)
    found = board(loss, model.parameters()[0], numbers=False, width=100)
    assert "z⁽²⁾ᵢ = b⁽²⁾ᵢ + w⁽²⁾ᵢ₁h⁽¹⁾₁ + w⁽²⁾ᵢ₂h⁽¹⁾₂  (i = 1, …, 3)" in found.text()
    assert found.equations().splitlines()[-1].split(" = ")[-1] == (
        "((p₂ − 1)·w⁽²⁾₂₁ + p₁w⁽²⁾₁₁ + p₃w⁽²⁾₃₁)(1 − (h⁽¹⁾₁)²)·x₁"
    )


def test_scores_that_overflow_keep_the_shift():
    scores = values(z1=1000.0, z2=2000.0)
    loss = nn.losses.cross_entropy(scores, 0)
    shown = board(loss, scores[0])
    assert "z₁ − 2000" in shown.text()
    assert shown.gradient == -1.0


# ------------------------------------------------------------------------------- the truth of it


def value_of(shown, tree):
    """A formula at the numbers of the graph, with a bound of its rounding error."""
    tree = substituted(tree, shown._forms.shares)
    point = shown._forms.evidence.points[0]
    return on_balls(tree, {key: point.values[shown.cut.value(key)] for key in variables(tree)})


def sizes_of_sums(out):
    """The sum of the absolute values of what `backward` adds up, for each Value."""
    sizes = {out: 1.0}
    for node in reversed(order(out)):
        for operand, partial in zip(operands(node), partials(node), strict=True):
            if partial:
                above = abs(partial) * sizes.get(node, 0.0)
                sizes[operand] = sizes.get(operand, 0.0) + above
    return sizes


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [True, False])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expressions())
def test_every_closed_form_is_the_gradient_of_the_engine(numbers, expression):
    leaves = [Value(x, label=name) for x, name in zip(expression.at, "abcdefgh", strict=False)]
    out = expression(*leaves)
    if not isinstance(out, Value):
        return
    shown = board(out, leaves, numbers=numbers)
    assert all((shown.text(), shown.latex(), shown.html(), shown.markdown("zh")))
    out.backward()
    sizes = sizes_of_sums(out)
    for target in leaves:
        tree = shown.closed(target)
        if tree is None:
            continue
        found = value_of(shown, tree)
        # A formula in which everything cancels has no rounding. The engine's is in proportion to
        # what it adds up, and to the condition of the partials, which a thousand covers for the
        # few operations of these expressions.
        engine = sys.float_info.epsilon * sizes.get(target, 0.0)
        room = 1000 * (found.rad + engine) + 1e-9 * abs(target.grad)
        assert found.mid == target.grad or abs(found.mid - target.grad) <= room


def test_a_wrong_simplification_is_not_shown(monkeypatch):
    def wrong(tree, known=None, decimals=False):
        right = simplified(tree, known, decimals)
        return Call("mul", (2.0, right)) if right != 0.0 else right

    monkeypatch.setattr(definitions_room, "_partial", definitions_room._partial.__wrapped__)
    for module in ("closed_forms", "definitions"):
        monkeypatch.setattr(f"micrograd.derivation.{module}.simplified", wrong)
    a, b = values(a=0.7, b=0.3)
    y = tanh(a * b + a)
    out = (y * y).sin()
    shown = board(out, a, names={"y": y})
    assert shown.closed(a) is None
    assert "= cos(y²)·2y · (1 − y²) · (b + 1)\n" in shown.equations()


@pytest.fixture
def agrees():
    """Whether the evidence of a graph confirms a formula for a derivative of its output."""

    def asked(output, target, formula, known=None):
        evidence = Evidence(definitions([output]), order(output))
        return evidence.agrees(formula, (), output, target, order(output), known)

    return asked


def test_the_evidence_confirms_the_derivative_and_refuses_one_that_is_almost_it(agrees):
    a, b = values(a=2.0, b=3.0)
    out = tanh(a * b / 8) * b
    slope = read("(1 - square(tanh(a * b / 8))) * square(b) / 8")
    assert agrees(out, a, slope)
    for wrong in (-1e-12, 1e-12):  # a thousand roundings
        assert not agrees(out, a, Call("mul", (1.0 + wrong, slope)))
        assert not agrees(out, a, Call("add", (wrong, slope)))
    out.backward()
    assert agrees(out, a, slope, a.grad)
    assert not agrees(out, a, slope, a.grad * (1 + 1e-12))


def test_a_formula_that_holds_at_the_numbers_of_the_graph_only_is_refused(agrees):
    a, b = values(a=2.0, b=3.0)
    assert agrees(a * b, a, "b")
    for right_by_chance in ("a + 1", "3", "1.5 * a", "5 - a", "a * a - 1"):
        assert not agrees(a * b, a, read(right_by_chance)), right_by_chance


def test_a_formula_that_is_lost_in_rounding_is_not_confirmed(agrees):
    a, b = values(a=2.0, b=3.0)
    assert not agrees(a * b, a, read("b + (1e20 + a) - 1e20"))
    assert not agrees(a * b, a, read("b + (1e20 + a) - 1e20 - a"))


@pytest.mark.parametrize(
    ("f", "at", "expected", "gradient"),
    [
        (lambda x: where(x > 0, log(x), 0.0), 0.0, "0", 0.0),
        (lambda x: sqrt(x * x), 0.0, "(1/(2f))·2x", 0.0),
        (lambda x: sqrt(x), 0.0, "1/(2f)", math.inf),
        (lambda x: relu(x), 0.0, "0", 0.0),
        (lambda x: relu(x), 2.0, "1", 1.0),
        (lambda x: maximum(x, 0.0), 0.0, "1/2", 0.5),
        (lambda x: abs(x), 0.0, "sgn(x)", 0.0),
        (lambda x: log(x), -1.0, "1/x", -1.0),
    ],
)
def test_kinks_ties_and_poles(f, at, expected, gradient):
    (x,) = values(x=at)
    out = f(x)
    shown = board(out, x, names={"f": out})
    assert shown.gradient == gradient
    lines = re.findall(r"[=≈] (.*)", shown.equations())
    assert expected in lines
    if math.isfinite(gradient):
        assert float(lines[-1].replace("−", "-").replace("1/2", "0.5")) == gradient


def test_a_factor_of_zero_that_stops_an_infinite_one_is_explained():
    (x,) = values(x=0.0)
    assert "blocks the gradient" in board(sqrt(x * x), x).text().replace("\n", " ")
    assert "blocks the gradient" not in board(sqrt(x), x).text().replace("\n", " ")


def test_square_brackets_are_explained_only_where_there_are_any():
    (x,) = values(x=-0.4)
    assert "square brackets" not in board(leaky_relu(x), x, numbers=False).text()
    assert "square brackets" in board(relu(x), x, numbers=False).text()


def test_a_tie_that_is_no_exception_stays_in_the_formula():
    r, a = values(r=1.1, a=0.5)
    clipped = minimum(r * a, clip(r, 0.8, 1.2) * a)
    text = board(clipped, r, numbers=False).text()
    assert "+ 0.5[r·a = a·clip(r, 0.8, 1.2)]" in text
    assert "This holds" not in text
    assert board(minimum(r, a), r, numbers=False).text().count("r ≠ a") == 1


@pytest.mark.parametrize(
    "sides",
    [
        lambda x: (relu6(x), x),
        lambda x: (sqrt(x * x), x),
        lambda x: ((x * x) ** 1.5, x**3),
        lambda x: ((x**4) ** 0.25, x),
    ],
)
def test_the_greater_of_two_numbers_that_are_equal_on_a_half_line_has_their_slope(sides):
    (x,) = values(x=2.0)
    text = board(maximum(*sides(x)), x, numbers=False).text()
    assert re.search(r" = [^\]]*\]", text.partition("∂")[2])  # a tie has a share in the formula
    assert "This holds" not in text


@pytest.mark.parametrize("numbers", [True, False])
def test_two_forms_of_one_formula_are_not_compared(numbers):
    x, y = values(x=2.0, y=3.0)
    for output in (maximum(x, x), maximum(x + y, y + x), maximum(x * (y + 1), x * y + x) / (y + 1)):
        text = board(output, x, numbers=numbers).text()
        assert re.search(r"∂v./∂x = 1$", text, re.MULTILINE) or text.rstrip().endswith("= 1")
        assert "[" not in text
        assert not re.search("holds where .* (≠|≥) .*[+*·]", text)


@pytest.mark.parametrize("numbers", [True, False])
def test_a_step_that_is_a_variable_after_all_has_its_derivative(numbers):
    x, y = values(x=1.5, y=2.0)
    quotient = x**y / x ** (y - 1)
    assert "/∂y = 0" in board(quotient, y, numbers=numbers).text()
    assert "/∂x = 1" in board(quotient, x, numbers=numbers).text()


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x, y: relu(cos(y) ** x - 5), "−x·[(cos(y))^x − 5 > 0]·(cos(y))^(x − 1)·sin(y)"),
        (lambda x, y: relu(cosh(y) ** x - 5), "x·[(cosh(y))^x − 5 > 0]·(cosh(y))^(x − 1)·sinh(y)"),
        (lambda x, y: relu(y ** (2 * x)), "2x·[y^(2x) > 0]·y^(2x − 1)"),
    ],
)
def test_a_factor_is_put_into_a_power_once(f, expected):
    x, y = values(x=2.0, y=0.5)
    assert last_symbols(f(x, y), y) == expected


def test_powers_of_functions_are_typeset_as_powers_of_what_is_shown():
    (x,) = values(x=0.5)
    shown = {f: board(f(x) ** 2, x, names={}) for f in (gelu, sigmoid, sin)}
    assert r"(x \cdot \Phi(x))^{2}" in shown[gelu].latex()
    assert "let v₁ = σ(x)²" in shown[sigmoid].text()
    assert "let v₁ = sin²(x)" in shown[sin].text()


def test_conditions_are_stated():
    x, y = values(x=2.0, y=3.0)
    assert "The branches that the numbers take: x > 0." in board(relu(x), x).text()
    assert board(maximum(x - 2, 0.0), x).text().endswith("take: x − 2 = 0.\n")
    assert board(maximum(x, 2.0), x).text().endswith("take: x = 2.\n")
    text = board(maximum(x, y), x, numbers=False).text()
    assert "This holds where x ≠ y." in text
    assert "square brackets" in text


# ------------------------------------------------------------------------------------- large graphs


def test_many_paths_are_summed_by_bars_which_are_explained():
    model = nn.MLP(3, [4, 4, 4, 1], activation="tanh")
    x = values(x1=0.5, x2=-1.0, x3=2.0)
    loss = (model(x) - 1.0) ** 2
    loss.label = "L"
    text = board(loss, x[0]).text()
    assert "A bar over a name is the derivative of L with respect to it: x̄₁ = ∂L/∂x₁." in text
    assert re.search(r"z̄⁽²⁾ᵢ += h̄⁽²⁾ᵢ · ∂h⁽²⁾ᵢ/∂z⁽²⁾ᵢ\n", text)
    assert re.search(
        r"h̄⁽¹⁾ᵢ += Σⱼ₌₁⁴ z̄⁽²⁾ⱼ · ∂z⁽²⁾ⱼ/∂h⁽¹⁾ᵢ\n += Σⱼ₌₁⁴ z̄⁽²⁾ⱼ · w⁽²⁾ⱼᵢ  \(i = 1, …, 4\)", text
    )
    assert text.count("\n") < 40


@pytest.mark.slow
def test_the_work_for_a_long_chain_grows_as_the_chain_does():
    def explained(steps):
        x, w = values(x=2.0, w=0.5)
        h = x
        for _ in range(steps):
            h = (h * w).tanh()
        return board(h, [x, w]).text()

    text = explained(200)
    assert "vᵢ = tanh(vᵢ₋₁·w)  (i = 3, …, 200)" in text
    assert text.count("\n") < 45
    # Twice as much for twice the values; it would be four times if each looked at all others.
    assert calls(lambda: explained(200)) < 3 * calls(lambda: explained(100))


def test_repeated_steps_with_an_index_are_one_definition():
    (w,) = values(w=0.5)
    steps = values(h0=1.0)
    for i in range(1, 6):
        steps.append(tanh(w * steps[-1]))
        steps[-1].label = f"h{i}"
    assert "let hᵢ = tanh(w·hᵢ₋₁)  (i = 1, …, 5)" in board(steps[-1], w).text()


# ---------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize("width", [30, 44, 76])
def test_lines_are_broken_to_the_width(width):
    xs = values(a=1.0, b=2.0, c=3.0, d=4.0, e=5.0)
    w, *others = xs
    loss = sum(((w * x - 1.0) ** 2 for x in others), w * w * w)
    shown = board(loss, w, width=width, names={"L": loss})
    for line in shown.text().splitlines():
        assert columns(line) <= width, line
    assert shown.latex().count(r"\\") >= shown.equations().count("\n")
    assert shown.html().count("<mtr>") == shown.html().count("</mtr>")


def typeset_rows(shown, kind):
    """The rows of a board's equations in a format, as text without spaces."""
    if kind == "html":
        found = re.findall(r"<math.*?</math>", shown.html(), re.S)
        rows = [each for math in found for each in ElementTree.fromstring(math).iter("mtr")]
        return ["".join(each.itertext()) for each in rows if each.find(".//mtable") is None]
    blocks = re.findall(r"\\begin{aligned}(.*?)\\end{aligned}", getattr(shown, kind)(), re.S)
    text = re.sub(r"\\(?:begin|end){\w+}|\\quad|&", "", r"\\".join(blocks))
    text = re.sub(r"\\frac{\\partial (\w)}{\\partial \w}", r"∂\1", text)
    text = re.sub(r"\\(?:text|mathrel){(.*?)}|\^{(.)}", r"\1\2", text)
    rows = re.split(r"\\\\", re.sub(r"\\(?:cdot|le|ge)\b|\\sqrt", "·", text))
    return [re.sub(r"\s", "", each) for each in rows]


@pytest.mark.parametrize("kind", ["latex", "markdown", "html"])
@pytest.mark.parametrize("width", [30, 44])
def test_cases_are_broken_to_the_width_in_every_format(kind, width):
    x, y, z = values(x=0.5, y=-0.4, z=0.7)
    test = ((x * y + z > 0.3) & (y * z + x < 0.8)) | (x * y + z * x > 1.7) | (y + z * z < x * z)
    long = x + x * y + y + y * z + z + x * z > z * x * y + y * y + z * z + y
    for condition, least in ((test, 8), (long, 6)):
        loss = where(condition, x * y * z, x + y)
        shown = board(loss, x, names={"L": loss}, numbers=False, width=width)
        rows = typeset_rows(shown, kind)
        assert max(map(columns, rows)) <= width
        assert len(rows) >= least
        assert max(map(columns, shown.text().splitlines())) <= width


@pytest.mark.slow
def test_signs_ranges_and_divisors_are_within_the_width():
    points = [values(**{f"x_{i}": i / 3, f"y_{i}": 2 * i / 3}) for i in range(1, 13)]
    w, b, r = values(w=0.5, b=0.1, r=0.4)
    outputs = [sigmoid(w * x + b) for x, _ in points]
    loss = sum((y - t) ** 2 for y, (_, t) in zip(outputs, points, strict=True)) / 12
    (first, _), (second, _), *_ = points
    other = (first**2 - 2 * r * first * second + second**2) / (2 * (1 - r**2))
    names = {"L": loss, "M": other, "y": outputs}
    for width in range(52, 90, 3):
        for shown in (board(loss, w, names=names, width=width), board(other, r, width=width)):
            for lang in ("en", "zh"):
                assert max(map(columns, shown.text(lang=lang).splitlines())) <= width


def test_latex_begins_with_the_definitions():
    x, w = values(x=1.0, w=2.0)
    y = tanh(x * w)
    y.label = "y"
    assert board(y, w, numbers=False).latex() == (
        "\\begin{aligned}\n"
        "y &= \\tanh(x \\cdot w) \\\\\n"
        "\\frac{\\partial y}{\\partial w} &= (1 - y^{2}) \\cdot x\n"
        "\\end{aligned}"
    )


def test_tables_have_the_named_values_only_if_asked_for():
    x, w = values(x=1.0, w=2.0)
    y = (x * w + 1.0) ** 2
    assert "given" not in board(y, w).text()
    assert "given" in board(y, w).text(tables=True)


def test_a_board_can_be_copied_and_pickled():
    x, w = values(x=1.0, w=2.0)
    shown = board(x * w, w, numbers=False, width=40)
    for again in (copy.deepcopy(shown), pickle.loads(pickle.dumps(shown))):
        assert again.text() == shown.text()


def test_the_board_checks_its_derivatives_by_differences():
    x, w = values(x=1.0, w=2.0)
    assert "agrees with the derivative above" in board(x * w, w).text(check=True)


def test_options_of_the_board_need_the_board():
    (x,) = values(x=1.0)
    with pytest.raises(ValueError, match='need style="board"'):
        explain(x * x, x, numbers=False)
    with pytest.raises(ValueError, match='style is "full" or "board", got \'short\''):
        explain(x * x, x, style="short")
    with pytest.raises(ValueError, match="width is at least 20 columns, got 3"):
        explain(x * x, x, style="board", width=3)


# --------------------------------------------------------------------------------- special values


def test_steps_by_hand_are_numbers_or_symbols():
    root = custom_derivative(math.sqrt, vjp=lambda args, y, g: (g / (2 * y),))
    (x,) = values(x=4.0)
    y = root(x)
    y.label = "y"
    text = board(y * y, x).text()
    assert "∂y/∂x" in text
    assert "Given by hand, without a formula: ∂y/∂x." in text
    assert text.count("= 1\n") == 1
    assert "2y · ∂y/∂x" in board(y * y, x, numbers=False).text()


def test_the_derivative_by_itself_is_1_and_an_unrelated_value_has_no_path():
    x, y = values(x=1.0, y=2.0)
    assert "has the derivative 1" in board(x, x).text()
    assert "no path leads" in board(x * 2.0, y).text()


def test_all_leaves_are_the_default():
    x, y = values(x=1.0, y=2.0)
    assert board(x * y, None).text().count("∂v₁/∂") == 2


def test_definitions_are_named_tuples_for_others():
    x, y = values(x=1.0, y=2.0)
    (step,) = board(x * y, x).cut
    assert isinstance(step, Definition)


def test_all_scores_of_a_softmax_get_a_name_in_order_or_none_does():
    x1, x2, x3, x4, w = values(x1=0.3, x2=1.2, x3=-0.7, x4=0.9, w=0.4)
    loss = -log(softmax([w * x1, w * x2, w * x3, w * x4])[2])
    text = board(loss, x3).text()
    assert text.startswith("let vᵢ = w·xᵢ  (i = 1, …, 4),  v₅ = ln(Σᵢ₌₁⁴ exp(vᵢ)) − v₃,")
    assert "= (p₃ − 1)·w\n" in text


def test_a_product_of_equal_factors_is_a_square_where_nothing_is_simplified():
    x, y = values(x=7.0, y=8.0)
    assert "v₂v₂" not in board(tanh(x * y * x) * x, x).text()


@pytest.mark.parametrize(
    ("x", "far", "shown"), [(1e-300, 1e200, "10²⁰⁰"), (1e300, 1e-200, "10⁻²⁰⁰")]
)
def test_numbers_whose_product_no_float_can_hold_are_not_multiplied(x, far, shown):
    x, w = Value(x, label="x"), Value(2.0, label="w")
    written = explain(x * far * far * w, w, style="board", numbers=False).equations()
    assert written.splitlines()[-1] == f"∂v₁/∂w = {shown}x·{shown}"


def test_named_conditions_are_joined_and_negated_by_words():
    x, y = Value(0.5, label="x"), Value(-0.4, label="y")
    a, b = x > 0, y > 0
    names = {"a": a, "b": b}
    for test, then, otherwise in (
        (a & b, "a and b", "not a or not b"),
        (a | b, "a or b", "not a and not b"),
        (a ^ b, "a xor b", "a xor not b"),
        (~a, "not a", "a"),
        (a, "a", "not a"),
        ((a | b) & ~(x < y), "(a or b) and x ≥ y", "(not a and not b) or x < y"),
    ):
        output = where(test, x * y, x)
        shown = last_symbols(output, x, names={**names, "L": output})
        assert shown == f"y·[{then}] + [{otherwise}]"
    text = explain(output, x, names=names, style="board", numbers=False).text(lang="zh")
    assert "(a 或 b) 且 x ≥ y" in text
