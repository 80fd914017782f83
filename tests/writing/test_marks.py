"""Marks are printed as LaTeX and as MathML."""

import pytest

from micrograd.ops import ROWS, TABLE
from micrograd.table.formulas import FormulaError
from micrograd.writing.marks import latex, mathml
from micrograd.writing.template import ATOM, CALL, FRACTION, LOOSE, POWER, PRODUCT, SUM, parse

X, Y = ("mi", "x"), ("mi", "y")


@pytest.mark.parametrize(
    ("mark", "written"),
    [
        (("mrow", X, ("mo", "+"), Y), "x + y"),
        (("mrow", ("mo", "-"), X), "-x"),
        (("mrow", X, ("mo", "·"), Y), r"x \cdot y"),
        (("mrow", ("mi", "π"), X), r"\pi x"),
        (("mfrac", X, Y), r"\frac{x}{y}"),
        (("msup", ("msub", X, ("mn", "1")), ("mn", "2")), "{x_{1}}^{2}"),
        (("fence", "(", X, ")"), "(x)"),
        (("fence", "(", ("mfrac", X, Y), ")"), r"\left( \frac{x}{y} \right)"),
        (("fence", "|", X, "|"), r"\vert x\vert"),
        (("mrow", X, ("mo", "<"), Y), r"x \mathrel{<} y"),
        (("mrow", ("func", "tanh"), ("fence", "(", X, ")")), r"\tanh(x)"),
        (("func", "leaky_relu"), r"\operatorname{leaky\_relu}"),
        (("cases", (X, Y), (Y, X)), r"\begin{cases} x, & y \\ y, & x \end{cases}"),
        (("cases", (X,), (Y,)), r"\begin{cases} x \\ y \end{cases}"),
    ],
)
def test_a_mark_is_written_in_latex(mark, written):
    assert latex(mark) == written


@pytest.mark.parametrize(
    ("mark", "written"),
    [
        (("mo", "-"), "<mo>−</mo>"),
        (("mtext", "a<b"), "<mtext>a&lt;b</mtext>"),
        (("mfrac", X, Y), "<mfrac><mi>x</mi><mi>y</mi></mfrac>"),
        (
            ("fence", "(", X, ")"),
            '<mrow><mo stretchy="false">(</mo><mi>x</mi><mo stretchy="false">)</mo></mrow>',
        ),
        (
            ("fence", "(", ("mfrac", X, Y), ")"),
            "<mrow><mo>(</mo><mfrac><mi>x</mi><mi>y</mi></mfrac><mo>)</mo></mrow>",
        ),
        (("mover", X, "^"), '<mover accent="true"><mi>x</mi><mo>ˆ</mo></mover>'),
        (("msub", ("mo", "∑"), X), "<munder><mo>∑</mo><mi>x</mi></munder>"),
        (
            ("mrow", X, ("func", "sin"), Y),
            (
                '<mrow><mi>x</mi><mspace width="0.17em"/><mi>sin</mi><mspace width="0.17em"/>'
                "<mi>y</mi></mrow>"
            ),
        ),
        (
            ("mrow", ("mo", "-"), ("func", "sin"), ("fence", "(", ("mfrac", X, Y), ")")),
            (
                "<mrow><mo>−</mo><mi>sin</mi><mrow><mo>(</mo><mfrac><mi>x</mi><mi>y</mi></mfrac>"
                "<mo>)</mo></mrow></mrow>"
            ),
        ),
        (("mover", X, "¯"), '<mover accent="true"><mi>x</mi><mo>‾</mo></mover>'),
        (("func", "tanh"), "<mi>tanh</mi>"),
        (("mtext", " if "), "<mtext>\u00a0if\u00a0</mtext>"),
        (
            ("cases", (X, Y)),
            "<mrow><mo>{</mo><mtable><mtr><mtd><mi>x</mi><mo>,</mo></mtd>"  # noqa: ISC004
            "<mtd><mi>y</mi></mtd></mtr></mtable></mrow>",
        ),
    ],
)
def test_a_mark_is_written_in_mathml(mark, written):
    assert mathml(mark) == written


def test_an_unknown_mark_is_refused():
    with pytest.raises(ValueError, match="'mistake' is not a mark"):
        latex(("mistake",))


# ---------------------------------------------------------------------------------------- templates


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_has_a_template_that_shows_each_operand(row):
    operation = TABLE[row.name]
    template = parse(row.typeset, operation.operands, row.name)
    letters = [("mi", letter) for letter in "abc"]
    written = latex(template.fill([(letter, ATOM) for letter in letters]))
    for letter in "abc"[: operation.arity]:
        assert letter in written.replace("operatorname", "").replace("tanh", "").replace("arc", "")


@pytest.mark.parametrize(
    ("typeset", "strength", "written"),
    [
        ("x + y", SUM, "a + b + (a + b)"),
        ("x - y", SUM, "a + b - (a + b)"),
        (r"x \cdot y", PRODUCT, r"(a + b) \cdot (a + b)"),
        (r"\frac{x}{y}", FRACTION, r"\frac{a + b}{a + b}"),
        ("x^{y}", POWER, "(a + b)^{a + b}"),
        ("-x", SUM, "-(a + b)"),
        (r"\tanh x", CALL, r"\tanh(a + b)"),
        (r"\log_{2} x", CALL, r"\log_{2}(a + b)"),
        (r"\ln(1 + x)", CALL, r"\ln(1 + (a + b))"),
        (r"\ln(x + 1)", CALL, r"\ln(a + b + 1)"),
        (r"\left|x\right|", ATOM, r"\vert a + b\vert"),
        (r"\sqrt{x}", ATOM, r"\sqrt{a + b}"),
        (r"\sqrt[3]{x}", ATOM, r"\sqrt[3]{a + b}"),
        (r"\sigma(x)", CALL, r"\sigma(a + b)"),
        (r"x \, \Phi(x)", PRODUCT, r"(a + b)\,\Phi(a + b)"),
        ("x < y", LOOSE, r"a + b \mathrel{<} a + b"),
        (r"x \text{ if } y", LOOSE, r"a + b\text{ if }a + b"),
        (r"\max(0.01 x, y)", CALL, r"\max(0.01 \cdot (a + b), a + b)"),
        ("2 x y", PRODUCT, r"2 \cdot (a + b) \cdot (a + b)"),
        ("x y", PRODUCT, r"(a + b) \cdot (a + b)"),
    ],
)
def test_an_operand_is_put_in_brackets_where_it_binds_less_than_its_place(
    typeset, strength, written
):
    template = parse(typeset, ("x", "y"), "it")
    total = (("mrow", ("mi", "a"), ("mo", "+"), ("mi", "b")), SUM)
    assert template.strength == strength
    assert latex(template.fill([total, total])) == written


def test_a_product_in_a_product_stands_in_brackets_on_the_right():
    template = parse(r"x \cdot y", ("x", "y"), "it")
    both = [(("mrow", ("mi", a), ("mo", "·"), ("mi", b)), PRODUCT) for a, b in ("ab", "cd")]
    assert latex(template.fill(both)) == r"a \cdot b \cdot (c \cdot d)"


@pytest.mark.parametrize(
    ("typeset", "complaint"),
    [
        (r"\href{x}{y}", "href"),
        (r"\frac{x", "missing"),
        ("^{x}", "needs something before it"),
        (r"\text x", "words need braces"),
        (r"\frac{x}", "ends too early"),
        ("x & y", "'&' is not known"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused_by_name(typeset, complaint):
    with pytest.raises(FormulaError, match=r"operation 'mine': typeset .*" + complaint):
        parse(typeset, ("x", "y"), "mine")


def test_a_wrong_template_is_refused_when_an_operation_is_defined():
    from micrograd import define

    with pytest.raises(ValueError, match="operation 'mine': typeset"):
        define("mine", "x * x", ["2 * x"], typeset=r"\includegraphics{x}")
    assert "mine" not in TABLE
    assert define("mine", "x * x", ["2 * x"], typeset="x^{2}")(3.0) == 9.0


def test_a_function_without_brackets_has_some_room_after_it():
    sigma, x = ("mi", "σ"), ("fence", "(", ("mi", "x"), ")")
    assert "<mi>ln</mi><mspace" in mathml(("mrow", ("func", "ln"), sigma, x))
    assert "mspace" not in mathml(("mrow", ("func", "ln"), x))
    assert "mspace" not in mathml(("mrow", ("func", "ln"), ("mo", "="), x))


def test_a_minus_sign_after_a_comma_or_a_sign_belongs_to_its_number():
    minus, one = ("mo", "-"), ("mn", "1")
    vector = ("fence", "(", ("mrow", one, ("mo", ","), minus, one), ")")
    assert latex(vector) == "(1, -1)"
    assert '<mo form="prefix">−</mo><mn>1</mn>' in mathml(vector)
    assert latex(("mrow", one, minus, one)) == "1 - 1"
    assert "prefix" not in mathml(("mrow", one, minus, one))
