"""A label becomes a name in a formula, with subscripts, and harmless whatever it is."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("w12", "w₁₂", "w_{12}"),
        ("w_{11}", "w₁₁", "w_{11}"),
        ("w_{i,j}", "w_{i,j}", r"w_{\text{i{,}j}}"),
        ("w_i", "w_i", "w_{i}"),
        ("w_toes", "w_toes", r"w_{\text{toes}}"),
        ("w[0]", "w[0]", "w_{0}"),
        ("w[0][12]", "w[0][12]", "w_{0,12}"),
        ("loss", "loss", r"\mathit{loss}"),
        ("loss2", "loss₂", r"\mathit{loss}_{2}"),
        ("alpha", "alpha", r"\alpha"),
        ("Sigma1", "Sigma₁", r"\Sigma_{1}"),
        ("α", "α", r"\alpha"),
        ("ŷ", "ŷ", r"\hat{y}"),
        ("y\u0302", "ŷ", r"\hat{y}"),
        ("x̄1", "x̄₁", r"\bar{x}_{1}"),
        ("损失", "损失", r"\text{损失}"),
        ("损失1", "损失₁", r"\text{损失}_{1}"),
        ("toes * w", "toes * w", r"\text{toes }\ast \text{ w}"),
        ("a|b", "a|b", r"\text{a}\vert \text{b}"),
        ("$x$", "$x$", r"{\$}\text{x}{\$}"),
        ("<b>", "<b>", r"{<}\text{b}{>}"),
        ("a\nb", "a↵b", r"\text{a↵b}"),
    ],
)
def test_a_label_is_read_as_a_name_with_subscripts_or_shown_as_words(label, text, written):
    assert named(label).text == text
    assert latex(named(label).mark) == written


def test_a_name_binds_tightly_and_words_loosely():
    assert [named(label).text_strength for label in ("x", "w1", "loss", "w[0]", "损失")] == [
        ATOM
    ] * 5
    assert [named(label).mark_strength for label in ("a b", "a+b", "2x", "a·b")] == [LOOSE] * 4


def test_a_bar_stands_over_a_single_letter_and_a_line_over_a_word():
    bars = {label: named(label).over() for label in ("v", "v3", "error", "a b")}
    assert [bar.text for bar in bars.values()] == ["v̄", "v̄₃", "", ""]
    assert [latex(bar.mark) for bar in bars.values()] == [
        r"\bar{v}",
        r"\bar{v}_{3}",
        r"\overline{\mathit{error}}",
        r"\overline{\text{a b}}",
    ]


def test_a_second_value_of_a_name_is_numbered():
    again = named("x1").numbered(2)
    assert again.text == "x₁⁽²⁾"
    assert latex(again.mark) == "{x_{1}}^{(2)}"
    assert again.text_strength == again.mark_strength == POWER


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
    *("text", "mathit", "hat", "tilde", "bar", "dot", "grave", "vert", "ast", "backslash"),
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
        "msub",
        "mover",
        "mo",
    }
