"""A label becomes a name in a formula, with subscripts, and harmless whatever it is."""

from time import process_time
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd.writing import notation
from micrograd.writing.labels import LONGEST, one_line
from micrograd.writing.marks import latex, mathml
from micrograd.writing.notation import named
from micrograd.writing.template import ATOM, LOOSE, POWER


@pytest.mark.parametrize(
    ("label", "text", "written"),
    [
        ("x", "x", "x"),
        ("w1", "w₁", "w_{1}"),
        ("w_1", "w₁", "w_{1}"),
        ("w₁", "w₁", "w_{1}"),
        ("w12", "w₁₂", "w_{12}"),
        ("w_{11}", "w₁₁", "w_{11}"),
        ("W_{1,2}", "W₁,₂", "W_{1,2}"),
        ("W₁,₂", "W₁,₂", "W_{1,2}"),
        ("w^{(1)}_{12}", "w⁽¹⁾₁₂", "w_{12}^{(1)}"),
        ("w_{12}^{(1)}", "w⁽¹⁾₁₂", "w_{12}^{(1)}"),
        ("w^(1)_12", "w⁽¹⁾₁₂", "w_{12}^{(1)}"),
        ("w⁽¹⁾₁₂", "w⁽¹⁾₁₂", "w_{12}^{(1)}"),
        ("x^{(i)}", "x⁽ⁱ⁾", "x^{(i)}"),
        ("W^T", "Wᵀ", "W^{T}"),
        ("y^{test}", "y^test", r"y^{\text{test}}"),
        ("w_i", "wᵢ", "w_{i}"),
        ("w_{i,j}", "wᵢ,ⱼ", "w_{i, j}"),
        ("w_ij", "wᵢⱼ", "w_{ij}"),
        ("w_toes", "w_toes", r"w_{\text{toes}}"),
        ("w_toes_1", "w_{toes,1}", r"w_{\text{toes}, 1}"),
        ("w[0]", "w₀", "w_{0}"),
        ("w[0][12]", "w₀,₁₂", "w_{0,12}"),
        ("x['a']", "xₐ", "x_{a}"),
        ("loss", "loss", r"\mathit{loss}"),
        ("loss2", "loss₂", r"\mathit{loss}_{2}"),
        ("mean_squared_error", "mean_squared_error", r"\text{mean}\_\text{squared}\_\text{error}"),
        ("alpha", "α", r"\alpha"),
        ("α_1", "α₁", r"\alpha_{1}"),
        ("alpha1", "α₁", r"\alpha_{1}"),
        ("theta_0", "θ₀", r"\theta_{0}"),
        ("Sigma1", "Σ₁", r"\Sigma_{1}"),
        ("Delta_w", "Δ_w", r"\Delta_{w}"),
        ("w_alpha", "w_α", r"w_{\alpha}"),
        ("σ", "σ", r"\sigma"),
        ("ŷ", "ŷ", r"\hat{y}"),
        ("y\u0302", "ŷ", r"\hat{y}"),
        ("y_hat", "ŷ", r"\hat{y}"),
        ("y_hat_1", "ŷ₁", r"\hat{y}_{1}"),
        ("y1_hat", "ŷ₁", r"\hat{y}_{1}"),
        ("w_bar", "w̄", r"\bar{w}"),
        ("x_tilde", "x̃", r"\tilde{x}"),
        ("x_dot", "ẋ", r"\dot{x}"),
        ("x_ddot", "ẍ", r"\ddot{x}"),
        ("theta_hat", "θ\u0302", r"\hat{\theta}"),
        ("x̄1", "x̄₁", r"\bar{x}_{1}"),
        ("x'", "x′", r"x^{\prime}"),
        ("x''_1", "x′′₁", r"x_{1}^{\prime\prime}"),
        ("损失", "损失", r"\text{损失}"),
        ("损失1", "损失₁", r"\text{损失}_{1}"),
        ("权重_1", "权重₁", r"\text{权重}_{1}"),
        ("a|b", "a|b", r"\text{a}\vert \text{b}"),
        ("$x$", "$x$", r"{\$}\text{x}{\$}"),
        ("<b>", "<b>", r"{<}\text{b}{>}"),
        ("a\nb", "a↵b", r"\text{a↵b}"),
        ("a b", "a b", r"\text{a b}"),
        ("7", "7", r"\text{7}"),
        ("cross-entropy", "cross-entropy", r"\text{cross{-}entropy}"),
    ],
)
def test_a_label_is_read_as_a_name_with_subscripts_or_shown_as_words(label, text, written):
    assert named(label).text == text
    assert latex(named(label).mark) == written


@pytest.mark.parametrize(
    ("label", "text", "written"),
    [
        ("won * w_won", "[won·w_won]", r"\text{won} \cdot \text{w}_{\text{won}}"),
        ("x*w + b", "[x·w + b]", r"\text{x} \cdot \text{w} + \text{b}"),
        ("(a+b)", "[a + b]", r"\text{a} + \text{b}"),
        ("(a+b)*(c)", "[(a + b)·(c)]", r"(\text{a} + \text{b}) \cdot (\text{c})"),
        ("(y - t)**2", "[(y - t)²]", r"(\text{y} - \text{t})^{2}"),
        ("x²", "[x²]", r"\text{x}^{2}"),
        ("a^6", "[a⁶]", r"\text{a}^{6}"),
        ("x^n", "[xⁿ]", r"\text{x}^{n}"),
        ("-x", "[-x]", r"-\text{x}"),
        ("1/n", "[1/n]", r"1/\text{n}"),
        ("tanh(alpha*x)", "[tanh(α·x)]", r"\text{tanh}(\alpha \cdot \text{x})"),
        ("x1*w1 + x2*w2", "[x₁·w₁ + x₂·w₂]", None),
        ("max(x, y)", "[max(x, y)]", None),
    ],
)
def test_a_label_that_is_an_expression_is_one_upright_name_in_brackets(label, text, written):
    assert named(label).text == text
    if written:
        assert latex(named(label).mark) == rf"\lbrack{written}\rbrack"
    whole = notation.quotient(named("L"), named(label))
    assert whole.text == f"∂L/∂{text}"
    assert named(text) == named(label)


def test_no_label_takes_long():
    repeated = (
        "1",
        "_a1",
        "_1",
        "^a1",
        "+x1",
        "(",
        "-",
        "'",
        "_1'",
        "[0]",
        "*x_1",
        "(x",
        "x)",
        "-x",
    )
    for part in repeated:
        for end in ("", "!", ")"):
            start = process_time()
            assert named(f"x{part * (58 // len(part))}{end}").text
            assert process_time() - start < 0.5  # it would take years if parts matched in two ways


def test_a_name_binds_tightly_and_words_loosely():
    tight = ("x", "w1", "loss", "w[0]", "损失", "a+b", "a*b", "learning_rate")
    assert {named(label).text_strength for label in tight} == {ATOM}
    assert {named(label).mark_strength for label in ("w^{(1)}", "x'")} == {POWER}
    assert {named(label).mark_strength for label in ("a b", "a|b", "2x")} == {LOOSE}


def test_a_bar_stands_over_a_single_letter_and_a_line_over_a_word():
    bars = {label: named(label).over() for label in ("v", "v3", "error", "a b", "w^{(1)}_2", "ŷ")}
    assert [bar.text for bar in bars.values()] == ["v̄", "v̄₃", "", "", "w̄⁽¹⁾₂", "ŷ̄"]
    assert [latex(bar.mark) for bar in bars.values()] == [
        r"\bar{v}",
        r"\bar{v}_{3}",
        r"\overline{\mathit{error}}",
        r"\overline{\text{a b}}",
        r"\bar{w}_{2}^{(1)}",
        r"\overline{\hat{y}}",
    ]


def test_a_second_value_of_a_name_is_numbered():
    again = named("x1").numbered(2)
    assert again.text == "x⁽²⁾₁"
    assert latex(again.mark) == "x_{1}^{(2)}"
    assert again.text_strength == again.mark_strength == POWER
    assert again.over().text == "x̄⁽²⁾₁"
    assert named("w^{(1)}").numbered(2).text == "w⁽¹⁾⁽²⁾"
    assert named("损失").numbered(3).text == "损失⁽³⁾"
    assert latex(named("x*w").numbered(2).mark).endswith(r"\rbrack^{(2)}")


@pytest.mark.parametrize("label", ["x", "w1", "w^{(1)}_{12}", "y_hat", "theta_0", "x'", "权重_1"])
def test_a_name_reads_back_from_its_text_also_when_it_is_numbered(label):
    for name in (named(label), named(label).numbered(2)):
        again = named(name.text)
        assert (again.text, again.mark) == (name.text, name.mark)


def test_characters_that_turn_text_around_are_named():
    for character in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        assert one_line(f"a{character}b") == f"a⟨U+{ord(character):04X}⟩b"


@given(st.text(max_size=200))
def test_any_label_is_one_short_line_that_turns_nothing_around(label):
    name = named(label)
    assert not any(category(c) in ("Cc", "Zl", "Zp") for c in name.text)
    assert all(c not in name.text for c in "\n\r\t\u202e\u2067")
    assert len(name.text) <= 9 * (LONGEST + 1)


@given(st.text(max_size=80))
def test_any_label_has_balanced_latex_without_commands_of_its_own(label):
    written = latex(named(label).mark)
    depth, commands, place = 0, [], 0
    while place < len(written):
        if written[place] == "\\":
            word = written[place + 1 :]
            letters = len(word) - len(
                word.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
            )
            commands.append(word[: letters or 1])
            place += 1 + (letters or 1)
            continue
        depth += {"{": 1, "}": -1}.get(written[place], 0)
        assert depth >= 0
        assert written[place] not in "%#&~$`|*"
        place += 1
    assert depth == 0
    greek = {command for command in commands if command.lower() in _GREEK}
    assert set(commands) - greek <= _HARMLESS


_GREEK = set(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau"
    " upsilon phi chi psi omega".split()
)
_HARMLESS = {
    *("text", "mathit", "hat", "tilde", "bar", "dot", "ddot", "grave", "vert", "ast", "backslash"),
    *("cdot", "prime", "lbrack", "rbrack"),
    *"{}$%#& _",
}


@given(st.text(max_size=80))
def test_any_label_is_text_in_mathml(label):
    import xml.etree.ElementTree as ET

    shown = ET.fromstring(f"<math>{mathml(named(label).mark)}</math>")
    assert {element.tag for element in shown.iter()} <= {
        "math",
        "mi",
        "mn",
        "mtext",
        "mrow",
        "msub",
        "msup",
        "msubsup",
        "mover",
        "mo",
    }
