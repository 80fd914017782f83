"""On every kind of page, no letter is smaller than 11 pixels, on a desk and on a phone."""

import pytest

from micrograd import Value, explain, live_page
from micrograd.commands.main import main
from nn import MLP, explain_layers, playground
from tests.drawing.named.graphs import ARTICLES
from tests.legible import small_letters

HEAD = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'


def _rules(path):
    main(["rules", "-o", str(path)])


def _explained(path):
    x, w = Value(0.5, label="x_1"), Value(-1.2, label="w^{(1)}_{12}")
    loss = ((w * x).sigmoid() - 1) ** 2 / 2
    path.write_text(HEAD + explain(loss, w, style="full").html(), "utf-8")


def _layers(path):
    model = MLP(3, [4, 2], activation="tanh")
    told = explain_layers(model, [[1, 2, 3], [0.5, -1, 2]], [0, 1], loss="cross_entropy")
    path.write_text(HEAD + told.html(), "utf-8")


PAGES = {
    "rules": _rules,
    "a derivation": _explained,
    "layers": _layers,
    "live": lambda path: live_page(ARTICLES["two_layers"](), path),
    "playground": lambda path: playground(path=path),
}


@pytest.mark.parametrize("kind", PAGES)
def test_no_letter_of_a_page_is_small(kind, browser, tmp_path):
    path = tmp_path / "page.html"
    PAGES[kind](path)
    for width in (700, 390, 360):
        page = browser.new_page()
        assert small_letters(page, path, width) == []
        page.close()


def test_the_test_finds_small_letters(browser, tmp_path):
    path = tmp_path / "page.html"
    squared = "<math><msup><mi>x</mi><mn>2</mn></msup></math>"
    path.write_text(f"{HEAD}<style>math {{ font-size: 15px }}</style>{squared}", "utf-8")
    assert small_letters(browser.new_page(), path, 700) == ["2 of 10.5"]
    path.write_text(f"{HEAD}<p style='font-size: 10px'>letters</p><title>a</title>", "utf-8")
    assert small_letters(browser.new_page(), path, 390) == ["letters of 10.0"]
