"""A rule card says of each operation what the table says, in both languages, with its curve."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

from micrograd import define
from micrograd.derivation import rule_card, rule_cards
from micrograd.derivation.curves import Frame, pieces, section, suited, ticks, to_picture
from micrograd.ops import ROWS, SERVING, TABLE
from micrograd.writing.labels import columns

SVG = "{http://www.w3.org/2000/svg}"


def every(test):
    return pytest.mark.parametrize("name", [row.name for row in ROWS])(test)


def test_a_card_has_formula_derivative_domain_kink_and_convention():
    assert rule_card("relu").text() == (
        "relu\n====\n\n"
        "  f     = relu(x)\n"
        "        = {0 if x ≤ 0; x otherwise}\n"
        "  ∂f/∂x = {0 if x ≤ 0; 1 otherwise}\n\n"
        "Differentiable where x ≠ 0.\n\n"
        "Convention: The derivative at 0 is 0.\n"
    )
    assert rule_card("log").text("zh") == (
        "自然对数（log）\n===============\n\n"
        "  f     = ln(x)\n  ∂f/∂x = 1 / x\n\n可导范围：x > 0。\n"
    )


@pytest.mark.slow
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
        "asin": "−1 < x < 1",
        "logit": "0 < x < 1",
        "relu6": "x ≠ 0 且 x ≠ 6",
        "hard_swish": "x ≠ −3 且 x ≠ 3",
        "floor": "x 不是整数",
        "round": "x − 0.5 不是整数",
        "trunc": "−1 < x < 1 或 x 不是整数",
        "mod": "y ≠ 0 且 x / y 不是整数",
        "lgamma": "x > 0 或 x 不是整数",
        "clip": "x ≠ y 且 x ≠ z 且 y ≠ z",
    }.items():
        assert f"可导范围：{domain}。" in rule_card(name).text("zh")
    assert "{0，x = 0 且 y ≥ 0；f·ln(x)，其他}" in rule_card("pow").text("zh")
    assert "{0 if x = y = 0; y·x^(y − 1) otherwise}" in rule_card("pow").text("en")
    assert "对全体实数有定义，但不传递梯度。" in rule_card("detach").text("zh")


def test_a_comparison_stands_in_brackets_beside_the_equals_sign():
    assert "  f     = [x = y]\n" in rule_card("eq").text()
    assert r"f &= \lbrack x \mathrel{<} y\rbrack" in rule_card("lt").latex()


def test_a_condition_in_words_is_a_clause():
    assert "Differentiable where x is not a whole number.\n" in rule_card("floor").text()
    assert "Differentiable for all numbers.\n" in rule_card("add").text()


def test_a_domain_and_a_kink_are_one_condition():
    kinked = {"domain": "x > 0", "kink": "x - 1"}
    define("kinked_for_card", "abs(log(x))", ["sign(log(x)) / x"], **kinked)
    text = rule_card("kinked_for_card").text()
    assert "Differentiable where x > 0 and x ≠ 1.\n" in text


@every
def test_no_condition_is_written_as_the_table_computes_it(name):
    if name in SERVING:
        return
    text = re.sub(r"^  f .*?(?=^  ∂)", "", rule_card(name).text(), flags=re.M | re.S)
    conditions = re.findall(r" if (.*?)(?:;|$)|Differentiable where (.*)", text, re.M)
    for condition in ("".join(pair) for pair in conditions):
        assert not re.search(r"abs|hypot|minimum|maximum|round|floor|√", condition), condition


@every
def test_a_card_says_once_where_there_is_a_derivative(name):
    for lang, words in (("en", "Differentiable"), ("zh", "可导")):
        text = rule_card(name).text(lang)
        assert text.count(words) == (0 if TABLE[name].domain == "0" else 1)
    # The condition holds at points where the derivative is that of differences, and only there.
    shown = section(TABLE[name])
    for x in (-2.5, -0.3, 0.4, 0.6, 2.4):
        _, slope = shown.at(x)
        if math.isfinite(slope) and TABLE[name].domain != "0":
            step = 1e-6
            rate = (shown.at(x + step)[0] - shown.at(x - step)[0]) / (2 * step)
            assert slope == pytest.approx(rate, rel=1e-4, abs=1e-4)


def test_a_derivative_is_not_drawn_where_it_does_not_exist():
    assert math.isnan(section(TABLE["relu"]).at(0.0)[1])
    assert section(TABLE["elu"]).at(0.0)[1] == 1.0  # only its second derivative jumps
    circles = ET.fromstring(rule_card("abs").curve()).iter(f"{SVG}circle")
    assert [e.get("class") for e in circles] == ["slope end", "slope end"]


def points(card, kind):
    (line,) = [p for p in ET.fromstring(card.curve()).iter(f"{SVG}path") if p.get("class") == kind]
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", line.get("d"))]


@pytest.mark.slow
@every
def test_a_curve_goes_through_the_values_and_the_derivatives_of_the_table(name):
    card, shown = rule_card(name), section(TABLE[name])
    frame = shown.frame()
    across, down = frame.right - frame.left, frame.top - frame.bottom
    for k, kind in enumerate(("function", "slope")):
        drawn = points(card, kind)
        for x, y in drawn[:: max(1, len(drawn) // 40)]:
            place, height = from_picture((x, y), frame)
            # Places are rounded to a twentieth of a point: a steep curve is off by its rise there.
            near = [shown.at(place + e * across / 200 / 10)[k] for e in (-1, -0.5, 0, 0.5, 1)]
            at_border = not frame.bottom + down / 100 < height < frame.top - down / 100
            if all(math.isfinite(value) for value in near) and not at_border:
                assert min(near) - down / 500 <= height <= max(near) + down / 500


def from_picture(point, frame):
    """The inverse of `to_picture`, by its values at two corners."""
    left, right, bottom, top = frame
    (x0, y0), (x1, y1) = to_picture((left, bottom), frame), to_picture((right, top), frame)
    x, y = point
    return (
        left + (x - x0) / (x1 - x0) * (right - left),
        bottom + (y - y0) / (y1 - y0) * (top - bottom),
    )


def test_axes_suit_the_function():
    assert section(TABLE["sigmoid"]).frame()[:2] == (-6.0, 6.0)
    assert section(TABLE["exp"]).frame()[:2] == (-2.0, 2.0)
    left, right = section(TABLE["asin"]).frame()[:2]
    assert -1.3 < left < -1 < 1 < right < 1.3
    assert section(TABLE["polygamma"]).operand == section(TABLE["div"]).operand == "y"
    assert suited(lambda x: math.nan) == (-6.0, 6.0)


def test_ticks_are_round_numbers():
    assert ticks(-6.0, 6.0, 7) == [-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0]
    assert ticks(-0.1, 1.1, 5) == [0.0, 0.5, 1.0]
    assert ticks(0.0, 1e-9, 5)[1] == 5e-10


def test_a_curve_ends_where_the_function_does_and_is_interrupted_at_jumps_and_poles():
    frame = Frame(-1.0, 2.0, -3.0, 3.0)
    (root,) = pieces(lambda x: math.sqrt(x) if x >= 0 else math.nan, frame, 7)
    assert root[0] == pytest.approx((0.0, 0.0), abs=1e-6)
    before, after = pieces(lambda x: 1.0 if x > 0.3 else -1.0, frame, 7)
    assert before[-1][0] == pytest.approx(0.3) == after[0][0]
    left, right = pieces(lambda x: 1 / (x - 0.1234), frame, 50)
    assert (left[-1][1], right[0][1]) == (-3.0, 3.0)
    steep = pieces(lambda x: math.tanh(1e6 * x), frame, 7)
    assert len(steep) == 1
    assert [len(piece) for piece in pieces(lambda x: float(x == 0.0), Frame(-1, 1, -1, 2), 8)] == [
        *(5, 1, 5),  # up to both sides of the point
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_negative_numbers_have_a_minus_sign_in_sentences_too(lang):
    cards = [rule_card(name, lang).text() for name in TABLE]
    assert not any(re.search(r"-\d", card) for card in cards)
    assert any("−3" in card.splitlines()[-1] for card in cards)


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
    with pytest.raises(ValueError, match="lang is one of en, "):
        rule_card("tanh", "xx")
