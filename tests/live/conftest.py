"""A live page in the browser: driven from outside, and read by its data attributes."""

import pytest

from micrograd import live_page
from micrograd.derivation.definitions import definitions
from tests.drawing.test_browser import Opened

NUMBERS = {"inf": float("inf"), "-inf": -float("inf"), "nan": float("nan")}


def expected(output, names=None):
    """The engine's value and gradient of each named value, by the name on the page."""
    output.backward()
    cut = definitions([output], names)
    return {
        str(value.label or name.text): (value.data, value.grad) for value, name in cut.names.items()
    }


class Live(Opened):
    """A live page in the browser, and what went wrong in it."""

    SCHEMES = ("file:", "about:")

    def __init__(self, browser, path, address="", **options):
        self.path = path
        super().__init__(browser, path, address, **options)

    def show(self, output):
        """Open the page of another graph in its place."""
        live_page(output, self.path)
        self.page.goto("about:blank")
        self.page.goto(f"file://{self.path}")

    def numbers(self):
        """The value and the gradient of each named value by its name."""
        read = "boxes => boxes.map(({ dataset: d }) => [d.name, d.value, d.gradient])"
        found = self.page.locator("[data-name]").evaluate_all(read)
        return {name: tuple(NUMBERS.get(x) or float(x) for x in rest) for name, *rest in found}

    def go(self, address):
        """Change the address, as a link does."""
        self.page.evaluate(
            """address => new Promise((done) => {
            const before = location.hash;
            addEventListener("hashchange", () => done(), { once: true });
            location.hash = address;
            if (location.hash === before) done();
        })""",
            address,
        )

    def type(self, name, text):
        """Type a number into the field of a leaf."""
        field = self.page.locator(f'[data-number="{name}"]')
        field.fill(text)
        field.press("Enter")

    def slider(self, name):
        return self.page.locator(f'[data-slider="{name}"]')

    def until(self, condition):
        """Wait until a condition in JavaScript holds; the page itself forbids evaluating text."""
        for _ in range(200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"it never holds that {condition}")

    def text(self, selector):
        return self.page.locator(selector).text_content()

    def lines(self):
        return [line.text_content() for line in self.page.locator("#lines > math").all()]


@pytest.fixture
def live(browser, tmp_path):
    """Opens live pages, and afterwards asserts that nothing went wrong in them."""
    pages = []

    def open_page(output, address="", *, page=None, **options):
        path = tmp_path / f"page{len(pages)}.html"
        live_page(output, path, **options)
        pages.append(Live(browser, path, address, **(page or {})))
        return pages[-1]

    yield open_page
    for each in pages:
        each.close()
