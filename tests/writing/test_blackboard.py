"""Formulas are written as on a blackboard, in one line or in several."""

import math

import pytest

from micrograd.ops import TABLE
from micrograd.table.formulas import Call
from micrograd.table.reading import parse
from micrograd.writing import blackboard
from micrograd.writing.indices import alike, by_index, general
from micrograd.writing.labels import columns
from micrograd.writing.languages import words
from micrograd.writing.marks import latex
from micrograd.writing.notation import named

KNOWN = {row.name: row.arity for row in TABLE.values()}
LABELS = {
    **{letter: letter for letter in ("a", "b", "x", "y", "loss")},
    **{f"{letter}{i}": f"{letter}_{i}" for letter in "ewx" for i in range(1, 6)},
    **{f"v{i}": f"w_{{1{i}}}" for i in range(1, 6)},
}
NAMES = {key: named(label) for key, label in LABELS.items()}


def read(text):
    return parse(text, names=list(NAMES), known=KNOWN, place="here")


@pytest.mark.parametrize(
    ("formula", "text", "marks"),
    [
        ("2 * (a - b)", "2(a − b)", "2(a - b)"),
        ("a * (1 - a) * x", "a(1 − a)·x", r"a(1 - a) \cdot x"),
        ("a * x + b", "a·x + b", r"a \cdot x + b"),
        ("w1 * x1 + b", "w₁x₁ + b", "w_{1}x_{1} + b"),
        ("2 * loss * x", "2·loss·x", r"2 \cdot \mathit{loss} \cdot x"),
        ("-2 * a + -3", "−2a − 3", "-2a - 3"),
        ("a - (b - x)", "a − b + x", "a - b + x"),
        ("1 - tanh(a) ** 2", "1 − tanh²(a)", r"1 - \tanh^{2}(a)"),
        ("sigmoid(a) * log(b)", "σ(a)·ln(b)", r"\sigma(a) \cdot \ln(b)"),
        ("(a / b) / (x / y)", "(a/b)/(x/y)", r"\frac{\frac{a}{b}}{\frac{x}{y}}"),
        ("a - b * 2", "a − 2b", "a - 2b"),
        ("x * (a + b / x) / a", "x(a + b/x)/a", r"\frac{x\left( a + \frac{b}{x} \right)}{a}"),
        ("a / (2 * b)", "a/(2b)", r"\frac{a}{2b}"),
        ("sqrt(a + b) * abs(x)", "√(a + b)·|x|", r"\sqrt{a + b} \cdot \vert x\vert"),
        ("where(a > 0, 1, 0) * 2", "2[a > 0]", r"2\lbrack a \mathrel{>} 0\rbrack"),
        ("where(a <= 0, 0, 1)", "[a > 0]", r"\lbrack a \mathrel{>} 0\rbrack"),
        (
            "where((a < 0) + (a > 2) + (0 >= 2), 0, 1) * 2",
            "2[0 ≤ a ≤ 2]",
            r"2\lbrack0 \le a \le 2\rbrack",
        ),
        (
            "where((a < 0) + (b > 2), 0, x)",
            "x·[a ≥ 0]·[b ≤ 2]",
            r"x \cdot \lbrack a \ge 0\rbrack \cdot \lbrack b \le 2\rbrack",
        ),
        ("6.283185307179586 * a", "2π·a", r"2\pi \cdot a"),
        ("a / 1.4142135623730951", "a/√2", r"\frac{a}{\sqrt{2}}"),
        ("b * 2.5066282746310002", "√(2π)·b", r"\sqrt{2\pi} \cdot b"),
        ("1e-5 + a", "10⁻⁵ + a", "10^{-5} + a"),
        ("1.5e-7 * a", "1.5·10⁻⁷·a", r"1.5 \times 10^{-7} \cdot a"),
        ("0.123456 * a", "0.1235a", "0.1235a"),
        ("0.6931471805599453 * a", "ln(2)·a", r"\ln(2) \cdot a"),
        ("2 * expm1(a)", "2(exp(a) − 1)", "2(e^{a} - 1)"),
        ("log1p(-a)", "ln(1 − a)", r"\ln(1 - a)"),
        ("floordiv(a, b)", "floor(a/b)", r"\operatorname{floor}\left( \frac{a}{b} \right)"),
    ],
)
def test_formulas_are_written_as_on_a_blackboard(formula, text, marks):
    shown = blackboard.written(read(formula), NAMES)
    assert (shown.text, latex(shown.mark)) == (text, marks)


@pytest.mark.parametrize(
    ("test", "english", "chinese"),
    [
        ("(a > 1) + (b > 2) > 1.5", "a > 1 and b > 2", "a > 1 且 b > 2"),
        ("((a > 1) - (b > 2)) ** 2 > 0.5", "a > 1 xor b > 2", "a > 1 异或 b > 2"),
        ("(((a > 1) - (b > 2)) ** 2 > 0.5) < 0.5", "a > 1 xor b ≤ 2", "a > 1 异或 b ≤ 2"),
        ("(a > 1) + (b > 2) > 0.5", "a > 1 or b > 2", "a > 1 或 b > 2"),
        ("(a > 1) < 0.5", "a ≤ 1", "a ≤ 1"),
        ("((a > 1) + (b > 2) > 1.5) < 0.5", "a ≤ 1 or b ≤ 2", "a ≤ 1 或 b ≤ 2"),
        (
            "((a > 1) + (b > 2) > 0.5) + (x > 0) > 1.5",
            "(a > 1 or b > 2) and x > 0",
            "(a > 1 或 b > 2) 且 x > 0",
        ),
        ("(a > 1) + (b > 2) > 1", "(a > 1) + (b > 2) > 1", "(a > 1) + (b > 2) > 1"),
        ("a + b > 1.5", "a + b > 1.5", "a + b > 1.5"),
        ("(a > 1) + b > 0.5", "(a > 1) + b > 0.5", "(a > 1) + b > 0.5"),  # b may be a half
        ("((a > 1) - b) ** 2 > 0.5", "((a > 1) − b)² > 0.5", "((a > 1) − b)² > 0.5"),
    ],
)
def test_conditions_are_joined_by_words(test, english, chinese):
    tree = read(f"where({test}, 1, 0)")
    assert blackboard.written(tree, NAMES).text == f"[{english}]"
    assert blackboard.written(tree, NAMES, words("zh", "explain")).text == f"[{chinese}]"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("-(e1*x1 + e2*x2 + e3*x3 + e4*x4) / 4", "−(1/4) Σᵢ₌₁⁴ eᵢxᵢ"),
        ("e1*x1 + e2*x2 + e3*x3", "e₁x₁ + e₂x₂ + e₃x₃"),
        ("x1*v1 + x2*v2 + x3*v3 + x4*v4 + b", "Σᵢ₌₁⁴ xᵢw₁ᵢ + b"),
        ("(a*x1 + b) + (a*x2 + b) + (a*x3 + b) + (a*x4 + b)", "Σᵢ₌₁⁴ (a·xᵢ + b)"),
        ("e2*x1 + e3*x2 + e4*x3 + e5*x4", "Σᵢ₌₂⁵ eᵢxᵢ₋₁"),
        ("e1*x1 + e2*x2 + e3*x3 + e5*x5", "e₁x₁ + e₂x₂ + e₃x₃ + e₅x₅"),
        ("e1*x1 + e2*x2 - e3*x3 - e4*x4", "e₁x₁ + e₂x₂ − e₃x₃ − e₄x₄"),
        ("2 * a * (x1 + x2 + x3 + x4)", "2a Σᵢ₌₁⁴ xᵢ"),
    ],
)
def test_terms_that_differ_in_an_index_are_a_sum(formula, text):
    assert blackboard.written(read(formula), NAMES).text == text


def test_equations_are_in_the_order_of_their_numbers_and_9_is_before_10():
    equations = [Call("=", (f"v{i}", f"x{i}")) for i in ("₁₁", "₁₀", "₉", "₂")]
    assert [str(each.operands[0]) for each in by_index(equations)] == ["v₂", "v₉", "v₁₀", "v₁₁"]
    needed = [Call("=", ("v₁₀", "x₁")), Call("=", ("v₉", "v₁₀"))]
    assert by_index(needed) == needed


def test_the_sign_of_a_sum_has_limits():
    shown = blackboard.written(read("x1 + x2 + x3 + x4"), NAMES)
    assert latex(shown.mark) == r"\sum_{i = 1}^{4}x_{i}"


def test_the_index_is_a_letter_that_is_not_used():
    names = {**NAMES, "i": named("i")}
    found = general([read("x1"), read("x2")], names)
    assert found is not None
    assert (found.letter, found.first, found.last) == ("j", 1, 2)


def test_how_many_formulas_are_alike():
    trees = [read(text) for text in ("x1 * a", "x2 * a", "x3 * a", "x5 * a", "b")]
    assert alike(trees, NAMES) == 3
    assert alike(trees[3:], NAMES) == 1


@pytest.mark.parametrize("width", [16, 24, 40])
def test_lines_are_broken_at_signs(width):
    tree = read("(a + b) * (x + y) * log(x1 + x2 * x2 + a * b * x + y) + exp(a * b) - a / (x + y)")
    lines = blackboard.lines(tree, NAMES, width)
    assert len(lines) > 1
    assert max(columns(line.text) for line in lines) <= width + 1
    whole = blackboard.written(tree, NAMES).text
    assert "".join(line.text for line in lines).replace(" ", "") == whole.replace(" ", "")
    assert blackboard.lines(tree, NAMES, 200)[0].text == whole


@pytest.mark.parametrize("width", range(12, 44))
def test_a_number_before_a_bracket_does_not_make_a_line_too_long(width):
    tree = read("4.5 * (3 * (a + b * x + y * b) * y + loss * b + y * b)")
    assert max(columns(line.text) for line in blackboard.lines(tree, NAMES, width)) <= width


def test_a_function_is_called_the_same_on_several_lines():
    tree = read("relu(a * b + x * y + loss) ** 2 * a + sigmoid(a * b + x * y + loss) ** 2")
    found = "".join(line.text for line in blackboard.lines(tree, NAMES, 16))
    assert found.replace(" ", "") == blackboard.written(tree, NAMES).text.replace(" ", "")


def test_a_variable_that_is_called_pi_is_not_mistaken_for_the_number():
    names = {"π": named("pi"), "a": named("a")}
    assert blackboard.written(Call("mul", (math.pi, "π")), names).text == "3.142π"
