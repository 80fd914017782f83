"""A derivation in Chinese has no English word in it, in any format."""

import html
import re

import pytest

import nn
from micrograd import Value, custom_derivative, explain, where
from micrograd.derivation import rule_card
from micrograd.engine.functions import elu, leaky_relu, maximum, relu6, selu, tanh
from micrograd.ops import TABLE
from micrograd.writing import languages
from micrograd.writing.labels import columns
from nn import explain_layers

PARTS = ("explain", "card", "layers", "note")


def latin(texts):
    return {word.lower() for text in texts for word in re.findall("[A-Za-z]{2,}", text)}


def catalogue(lang, parts=PARTS):
    return latin(text for part in parts for text in languages.words(lang, part).values())


NOTES = latin(row.note for row in TABLE.values())
NAMES = latin(TABLE) | latin(["relu6", "lnΓ"])
ENGLISH = ((catalogue("en") | NOTES) - catalogue("zh") - NAMES) | {"if", "otherwise"}


def shown(document):
    """What a reader sees of a derivation in each format, as text."""
    yield document.text("zh")
    yield re.sub(r"\\(?!text\b)[A-Za-z]+|aligned|cases", " ", document.markdown("zh"))
    yield html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", document.html("zh")))


def assert_is_chinese(document):
    for text in shown(document):
        assert not latin([text]) & ENGLISH, text


def sample(**numbers):
    return [Value(number, label=label) for label, number in numbers.items()]


def by_hand(x):
    return custom_derivative(lambda x: x * x, lambda x: 2 * x)(x)


def long(x, y):
    for _ in range(20):
        x = x + (x * y).sin() + (x * y).cos()
    return x


BOARDS = {
    "cases": lambda x, y: where(x > 0, x * y, where(x < -1, x, y * y)) * y,
    "broken cases": lambda x, y: where(x * y > 0, (x + y) * (x - y) * x, (x + 2) * (y - 3) ** 3),
    "branches": lambda x, y: leaky_relu(x * y) + relu6(y) + selu(x) * elu(y) + x.abs(),
    "brackets": lambda x, y: maximum(x, y).relu() * tanh(x),
    "itself": lambda x, y: x,
    "no path": lambda x, y: y * 2,
    "blocked": lambda x, y: (x - x).relu() / (x - x + 1e-300) * y,
    "sweep": long,
    "sum": lambda x, y: (x * y).tanh() * x + y,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("style", ["full", "board"])
def test_a_derivation_in_chinese_has_no_english_word(name, style):
    x, y = sample(x=0.5, y=-1.5)
    out = BOARDS[name](x, y)
    options = [{}]
    if style == "board":
        options = [{"numbers": False}, {"numbers": False, "width": 24}, {}]
    for each in options:
        assert_is_chinese(explain(out, x, style=style, **each))


def test_the_words_that_are_looked_for_are_those_of_the_english_texts():
    assert {"if", "otherwise", "holds", "let", "branches", "differentiable"} <= ENGLISH
    x, y = sample(x=0.5, y=-1.5)
    with pytest.raises(AssertionError, match="let"):
        assert not latin([explain(x * y, x, style="board").text()]) & ENGLISH, "let"


@pytest.mark.parametrize("name", TABLE)
def test_a_rule_card_in_chinese_has_no_english_word(name):
    assert_is_chinese(rule_card(name))


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "elu", "sigmoid", "gelu", "softsign", "mish"])
@pytest.mark.parametrize(
    "loss", ["mse", "l1", "huber", "hinge", "cross_entropy", "bce_with_logits"]
)
def test_a_matrix_form_in_chinese_has_no_english_word(activation, loss):
    model = nn.MLP(2, [3, 2], activation=activation)
    targets = [0, 1] if loss == "cross_entropy" else [[1.0, 0.0], [0.0, 1.0]]
    if loss == "hinge":
        targets = [[1.0, -1.0], [-1.0, 1.0]]
    X = [[0.5, -1.0], [2.0, 0.25]]
    for numbers in (False, True):
        assert_is_chinese(explain_layers(model, X, targets, loss=loss, numbers=numbers))


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("en", "{x·y if x > 0; y² if x ≤ 0}"), ("zh", "{x·y，x > 0；y²，x ≤ 0}")],
)
def test_cases_are_written_in_the_words_of_the_language(lang, expected):
    x, y = sample(x=0.5, y=-1.5)
    f = where(x > 0, x * y, y * y)
    board = explain(f, x, style="board", numbers=False, names={"f": f}, lang=lang)
    assert f"f = {expected}\n" in board.text()
    assert r"\begin{cases} x \cdot y, & x \mathrel{>} 0 \\ y^{2}, & x \le 0 \end{cases}" in (
        board.markdown()
    )
    other = {"en": "zh", "zh": "en"}[lang]
    assert expected not in board.text(other)


def test_a_network_and_a_board_write_the_same_function_alike():
    model = nn.MLP(2, [2, 1], activation="sigmoid")
    text = explain_layers(model, [0.5, -1.0], 1.0).text()
    assert "h⁽¹⁾ = σ(z⁽¹⁾)" in text
    assert "sigmoid" not in text


@pytest.mark.parametrize("name", ["logit", "log_ndtr", "square", "reciprocal"])
def test_a_rule_card_says_each_formula_once(name):
    lines = rule_card(name).latex().split(r"\\")
    assert sum("f}{" not in line for line in lines) == 1, lines


@pytest.mark.parametrize("size", [12, 15, 18])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_right_sides_stand_below_left_ones_that_leave_no_room(size, lang):
    names = [f"{letter}{'x' * (size - 1)}" for letter in "abcd"]
    a, b, c, d = (Value(i + 1.5, label=name) for i, name in enumerate(names))
    loss = (a * b - c * d) ** 2 + (a * b * c * d).tanh() * a
    for target in (a, c):
        text = explain(loss, target, style="board", width=40, lang=lang).text()
        assert max(map(columns, text.splitlines())) <= 40, text
        assert f"∂v₂/∂{target.label}\n    = " in text or "    = " in text
