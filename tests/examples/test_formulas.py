"""The formulas of the companions, written as in LaTeX."""

from __future__ import annotations

import pytest

from examples._formulas import read, sides
from micrograd.writing.marks import latex, mathml

CASES = {
    "w_1": ("w₁", "w_{1}"),
    r"\hat{y}": ("ŷ", r"\hat{y}"),
    "ŷ": ("ŷ", r"\hat{y}"),
    r"\frac{1}{2n} \sum_{i=1}^n e_i^2": (
        "1/(2n)∑ᵢ₌₁ⁿeᵢ²",
        r"\frac{1}{2n}\sum_{i = 1}^{n} e_{i}^{2}",
    ),
    r"\frac{\partial L}{\partial w}": ("∂L/∂w", r"\frac{\partial L}{\partial w}"),
    r"\sigma'(z) = \sigma(z)(1 - \sigma(z))": (
        "σ′(z) = σ(z)(1 − σ(z))",
        r"\sigma^{\prime}(z) = \sigma(z)(1 - \sigma(z))",
    ),
    r"1 \text{ if } z > 0": ("1 if z > 0", r"1\text{ if }z \mathrel{>} 0"),
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}": (
        "(1 2; 3 4)",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    ),
    r"w \leftarrow w - \eta g": ("w ← w − ηg", r"w \leftarrow w - \eta g"),
    r"\mathit{loss} \in (0, 1)": ("loss ∈ (0, 1)", r"\mathit{loss} \in (0, 1)"),
}


@pytest.mark.parametrize("source", CASES)
def test_a_formula_is_read_as_it_is_written(source):
    formula = read(source)
    text, written = CASES[source]
    assert formula.text == text
    assert latex(formula.mark) == written
    assert mathml(formula.mark).startswith("<m")


@pytest.mark.parametrize("source", CASES)
def test_the_latex_of_a_formula_is_read_as_the_same_formula(source):
    formula = read(source)
    if "mathrel" not in latex(formula.mark):
        assert read(latex(formula.mark)).text == formula.text


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (r"\frac{1}", "ends too early"),
        ("(x", r"\) is missing"),
        ("{x", "} is missing"),
        ("x}", "} has no place"),
        (r"\unknown x", r"\\unknown is not known"),
        (r"\begin{array} 1", "only pmatrix"),
        (r"\begin{pmatrix} 1", "has no end"),
        ("x_", "ends too early"),
    ],
)
def test_a_mistake_in_a_formula_is_named(source, complaint):
    with pytest.raises(ValueError, match=complaint):
        read(source)


def test_a_formula_is_divided_at_its_first_sign():
    left, sign, right = sides("J = a = b")
    assert (latex(left), sign, latex(right)) == ("J", "=", "a = b")
    left, sign, right = sides("= b")
    assert (latex(left), sign, latex(right)) == ("", "=", "b")
    assert sides("a + b")[1:] == ("", ("mrow",))
