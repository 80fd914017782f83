"""A rule card says of each operation what the table says, in both languages, with its curve."""

import re
import xml.etree.ElementTree as ET

import pytest

from micrograd import define
from micrograd.derivation import rule_card, rule_cards
from micrograd.derivation.curves import REACH
from micrograd.ops import ROWS, SERVING, TABLE
from micrograd.writing.labels import columns

SVG = "{http://www.w3.org/2000/svg}"


def every(test):
    return pytest.mark.parametrize("name", [row.name for row in ROWS])(test)


def test_a_card_has_formula_derivative_domain_kink_and_convention():
    assert rule_card("relu").text() == (
        "relu\n====\n\n"
        "  f     = relu(x)\n"
        "        = 0 if x ≤ 0; x otherwise\n"
        "  ∂f/∂x = 0 if x ≤ 0; 1 otherwise\n\n"
        "Defined for all numbers, and differentiable where x ≠ 0.\n\n"
        "Convention: The derivative at 0 is 0.\n"
    )
    assert rule_card("log").text("zh") == (
        "自然对数（log）\n===============\n\n"
        "  f     = log(x)\n  ∂f/∂x = 1 / x\n\n可导范围：x > 0。\n"
    )


@every
def test_every_row_has_a_card_in_each_language_and_format(name):
    card = rule_card(name)
    for lang in ("en", "zh"):
        heading, _, rest = card.text(lang).partition("\n")
        assert heading == name or heading.endswith(f"（{name}）")
        assert rest.startswith("=" * columns(heading))
        assert r"\begin{aligned}" in card.markdown(lang)
        shown = ET.fromstring(card.html(lang))
        assert shown.find(f".//{SVG}svg") is not None
    assert card.text("zh").count("∂f/∂") == TABLE[name].arity
    assert card.latex().count(r"\partial f") == TABLE[name].arity
    assert set(card._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_a_card_says_where_there_is_a_derivative_as_a_book_does():
    for name, domain in {
        "relu": "x ≠ 0",
        "div": "y ≠ 0",
        "maximum": "x ≠ y",
        "hypot": "(x, y) ≠ (0, 0)",
        "elu": "全体实数",  # only its second derivative jumps
        "log": "x > 0",
    }.items():
        assert f"可导范围：{domain}。" in rule_card(name).text("zh")
    assert "0 若 x = 0 且 y ≥ 0；f·log(x) 否则" in rule_card("pow").text("zh")
    assert "0 if x = y = 0; y·x^(y - 1) otherwise" in rule_card("pow").text("en")
    assert "对全体实数有定义，但不传递梯度。" in rule_card("detach").text("zh")


def test_a_domain_and_a_kink_are_two_sentences():
    kinked = {"domain": "x > 0", "kink": "x - 1"}
    define("kinked_for_card", "abs(log(x))", ["sign(log(x)) / x"], **kinked)
    text = rule_card("kinked_for_card").text()
    assert "Defined and differentiable for x > 0.\n\nNo derivative where x = 1." in text


def points(card, kind):
    (line,) = [p for p in ET.fromstring(card.curve()).iter(f"{SVG}path") if p.get("class") == kind]
    scale = 180 / (2 * REACH)
    return [
        (float(x) / scale - REACH, REACH - float(y) / scale)
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", line.get("d"))
    ]


@every
def test_a_curve_goes_through_the_values_and_the_derivatives_of_the_table(name):
    row, card = TABLE[name], rule_card(name)
    held = (2.0, -1.0)[: row.arity - 1]
    for kind, pick in (("function", lambda out, d: out), ("slope", lambda out, d: d or 0.0)):
        for x, y in points(card, kind):
            # Places are rounded to a tenth of a point, which is 0.0022 in x: a steep curve is off
            # by as much as it rises there.
            around = [pick(*_at(row, x + e, held)) for e in (-0.003, 0.0, 0.003)]
            if all(value == value for value in around):
                assert min(around) - 0.01 <= y <= max(around) + 0.01


def _at(row, x, held):
    out, slopes = row.evaluate(x, *held)
    return out, slopes[0]


def test_a_curve_is_interrupted_at_a_jump_and_outside_its_domain():
    assert rule_card("sign").curve().count("M") > rule_card("sin").curve().count("M")
    assert min(x for x, _ in points(rule_card("log"), "function")) > 0
    assert max(abs(y) for _, y in points(rule_card("tan"), "function")) <= REACH


def test_an_operation_of_a_user_has_a_card():
    define("softsign_for_card", "x / (1 + abs(x))", ["1 / square(1 + abs(x))"], note="Mine.")
    text = rule_card("softsign_for_card").text("zh")
    assert "∂f/∂x = 1 / square(1 + abs(x))" in text
    assert "约定：Mine." in text  # a note without a translation is better than none
    define("softsign_for_card", "x / (1 + abs(x))", ["1 / square(1 + abs(x))"], note_zh="我的。")
    assert "约定：我的。" in rule_card("softsign_for_card").text("zh")
    assert "Convention" not in rule_card("softsign_for_card").text()


def test_the_cards_come_in_the_order_of_the_table_without_rows_that_only_serve_others():
    assert [card.row.name for card in rule_cards()] == [x for x in TABLE if x not in SERVING]
    assert {"sech2", "gelu_slope"} <= SERVING
    assert all(rule_card(name).text().startswith(f"{name}\n") for name in SERVING)


def test_an_unknown_operation_or_language_is_refused():
    with pytest.raises(ValueError, match="no operation 'tan_h': the table has add, sub") as told:
        rule_card("tan_h")
    assert not SERVING & {*str(told.value).replace(",", "").split()}
    with pytest.raises(ValueError, match="lang is one of en, zh"):
        rule_card("tanh", "de")
