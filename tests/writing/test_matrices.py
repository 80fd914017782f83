"""Matrices: their names, their products, their numbers, and formulas computed entry by entry."""

from __future__ import annotations

import pytest

from micrograd.ops import TABLE
from micrograd.writing import matrices, notation
from micrograd.writing.labels import columns
from micrograd.writing.marks import latex, mathml

Z, H = matrices.symbol("Z", 1), matrices.symbol("H", 1)


def written(text, **operands):
    tree = TABLE["where"].read(text)
    return matrices.elementwise(tree, {"x": Z, "y": H, "z": matrices.symbol("c")}, {"z"})


def test_names_have_layers_columns_and_transposes():
    column = matrices.symbol("δ", 2, "s")
    assert (column.text, latex(column.mark)) == ("δ⁽²⁾ₛ", r"\delta_{s}^{(2)}")
    assert matrices.symbol("δ", "l").text == "δ⁽ˡ⁾"
    for name, text, mark in (("W", "W⁽²⁾ᵀ", r"W^{(2)\top}"), ("x", "xᵀ", r"x^{\top}")):
        turned = matrices.transposed(matrices.symbol(name, 2 if name == "W" else None))
        assert (turned.text, latex(turned.mark)) == (text, mark)
    assert latex(matrices.derived(notation.named("f1")).mark) == r"{f_{1}}^{\prime}"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("x * y", "Z⁽¹⁾ ⊙ H⁽¹⁾"),
        ("x * x", "Z⁽¹⁾ ⊙ Z⁽¹⁾"),
        ("square(x)", "Z⁽¹⁾ ⊙ Z⁽¹⁾"),
        ("2 * x", "2·Z⁽¹⁾"),
        ("z * x * y", "c·Z⁽¹⁾ ⊙ H⁽¹⁾"),
        ("z * (x * y)", "c·Z⁽¹⁾ ⊙ H⁽¹⁾"),
        ("(1 - x) * y", "(1 - Z⁽¹⁾) ⊙ H⁽¹⁾"),
        ("y * (1 - x)", "H⁽¹⁾ ⊙ (1 - Z⁽¹⁾)"),
        ("x / y", "Z⁽¹⁾ / H⁽¹⁾"),
        ("x * (1 / y)", "Z⁽¹⁾ ⊙ (1 / H⁽¹⁾)"),
        ("where(x <= 0, 0, 1)", "1[Z⁽¹⁾ > 0]"),
        ("where(x < 0, 1, 0)", "1[Z⁽¹⁾ < 0]"),
        ("where(x <= 0, 0, y)", "1[Z⁽¹⁾ > 0] ⊙ H⁽¹⁾"),
        ("where(x <= 0, 0, 2)", "2·1[Z⁽¹⁾ > 0]"),
        ("where(x <= 0, 0, where(x >= 6, 0, 1))", "1[Z⁽¹⁾ > 0] ⊙ 1[Z⁽¹⁾ < 6]"),
    ],
)
def test_products_of_matrices_are_entry_by_entry_and_numbers_are_factors(formula, text):
    assert written(formula).text == text


def test_a_choice_without_a_zero_is_recognised():
    assert matrices.has_choice(TABLE["where"].read("where(x <= 0, 0.01, 1) * y"))
    assert not matrices.has_choice(TABLE["where"].read("where(x <= 0, 0, 1) * y"))


def test_a_sum_takes_brackets_where_it_must():
    total = notation.total([Z, H])
    assert matrices.summed(total).text == "∑ (Z⁽¹⁾ + H⁽¹⁾)"
    assert latex(matrices.summed(H, "s").mark) == r"\sum_{s}H^{(1)}"


def test_columns_line_up_in_text():
    text = matrices.matrix([[1.0, -0.5], [-22.0, 4.0], [0.0, -0.0]]).text
    assert text == "⎡   1  −0.5 ⎤\n⎢ −22     4 ⎥\n⎣   0     0 ⎦"
    assert len({columns(line) for line in text.split("\n")}) == 1
    assert matrices.matrix([[1.0, 2.0]]).text == "[ 1  2 ]"
    assert matrices.matrix([[7.0]]).text == "7"


def test_matrices_are_matrices_in_latex_and_mathml():
    whole = matrices.matrix([[1.0, 2.0], [3.0, 4.0]])
    assert latex(whole.mark) == r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"
    assert mathml(whole.mark) == (
        "<mrow><mo>(</mo><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr>"
        "<mtr><mtd><mn>3</mn></mtd><mtd><mn>4</mn></mtd></mtr></mtable><mo>)</mo></mrow>"
    )
    assert whole.exact
    assert not matrices.matrix([[1.0, 1 / 3]]).exact


def test_the_middle_of_a_large_matrix_is_left_out():
    numbers = [[float(10 * i + j) for j in range(9)] for i in range(5)]
    assert matrices.matrix(numbers, 4).text == (
        "⎡  0   1  ⋯   8 ⎤\n⎢ 10  11  ⋯  18 ⎥\n⎢  ⋮   ⋮  ⋱   ⋮ ⎥\n⎣ 40  41  ⋯  48 ⎦"
    )
    tall = matrices.matrix([[float(i)] for i in range(5)], 4)
    assert latex(tall.mark) == r"\begin{pmatrix} 0 \\ 1 \\ \vdots \\ 4 \end{pmatrix}"


def test_a_shape_stands_beside_a_formula():
    shaped = matrices.shaped(matrices.multiplied(H, Z), 4, 3)
    assert shaped.text == "H⁽¹⁾ Z⁽¹⁾    (4×3)"
    assert latex(shaped.mark) == r"H^{(1)}Z^{(1)}\quad (4 \times 3)"
