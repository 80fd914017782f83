"""In a browser, with its own fonts, labels do not lie on lines or on other labels either."""

import pytest

from tests.drawing.schematics.figures import FIGURES
from tests.drawing.schematics.geometry import Box, faults

pytestmark = pytest.mark.slow

# The letters of a text within the box of its line: getBBox has the room above and below, too, and
# the space after a line in which a letter has two scripts.
MEASURE = r"""
() => [...document.querySelectorAll("svg text")].map(text => {
  const box = text.getBBox(), size = parseFloat(text.getAttribute("font-size"));
  const y = parseFloat(text.getAttribute("y"));
  const count = text.getNumberOfChars() - text.textContent.endsWith("\u00a0");
  const ends = Array.from({ length: count }, (_, i) => text.getEndPositionOfChar(i).x);
  return [text.textContent, box.x, y - 0.72 * size, Math.max(...ends), y + 0.14 * size];
})
"""


@pytest.mark.parametrize("width", [700, 390])
def test_in_chromium_no_label_lies_on_a_line_or_another_label(browser, width):
    page = browser.new_page()
    for name, figure in FIGURES.items():
        for lang in ("en", "zh"):
            svg = figure(lang=lang, width=width).svg
            page.set_content(svg)
            boxes = [Box(*numbers) for numbers in page.evaluate(MEASURE)]
            assert boxes, name
            assert faults(svg, boxes) == [], (name, lang)


def test_a_figure_follows_the_scheme_of_the_reader(browser):
    seen = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.set_content(FIGURES["sigmoid"](theme="auto").svg)
        seen[scheme] = page.evaluate("getComputedStyle(document.querySelector('rect')).fill")
    assert seen == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}
