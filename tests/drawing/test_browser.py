"""The step-through page in a real browser: it steps, plays, jumps, switches, and runs nothing else.

Needs Chromium (Debian's package `chromium`, or Chrome) and Playwright (`pip install playwright`).
"""

import re

import pytest

from micrograd import Value, step_page
from micrograd.writing.names import typeset
from tests.drawing.test_labels import HOSTILE
from tests.drawing.test_steps import neuron, thirty

pytestmark = pytest.mark.slow


class Opened:
    """A page in the browser, and what went wrong in it."""

    def __init__(self, browser, path, address="", **options):
        self.page = browser.new_context(**options).new_page()
        self.errors, self.requests = [], []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(f"file://{path}{address}")

    @property
    def step(self):
        return int(re.search(r"\d+", self.text("#counter"))[0])

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def formulas(self):
        return [math.text_content() for math in self.page.locator("#formulas math").all()]

    def numbers(self, value):
        texts = self.page.locator(f"#n{value} text").all()
        return texts[-3].text_content(), texts[-1].text_content()

    def close(self):
        self.page.context.close()
        assert self.errors == []
        assert all(url.startswith("file:") for url in self.requests)


@pytest.fixture
def opened(browser, tmp_path):
    """Opens pages, and afterwards asserts that nothing went wrong in them."""
    pages = []

    def open_page(root, address="", *, lang="en", title="", **options):
        path = tmp_path / f"page{len(pages)}.html"
        step_page(root, path, lang=lang, title=title)
        pages.append(Opened(browser, path, address, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def test_the_page_opens_at_its_first_step_with_nothing_known_but_that(opened):
    page = opened(neuron())
    assert page.step == 1
    assert page.numbers(0) == ("2", "—")
    assert page.numbers(1) == ("", "—")
    assert page.text("#sentence") == "\u2068x₁\u2069 is given."


def test_keys_step_forwards_and_backwards_and_to_both_ends(opened):
    page = opened(neuron())
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowLeft"):
        page.page.keyboard.press(key)
        seen.append(page.step)
    assert seen == [2, 3, 2, 20, 20, 1, 1]


def test_the_last_step_shows_the_gradients_of_the_engine(opened):
    o = neuron()
    page = opened(o)
    page.page.keyboard.press("End")
    o.backward()
    assert page.numbers(1) == ("-3", "1.0000")
    assert page.numbers(9) == ("0.7071", "1")


def test_a_deep_link_opens_a_step_and_follows_the_steps(opened):
    page = opened(neuron(), "#14")
    assert page.step == 14
    assert page.formulas()[-1] == "0+0.5000·1≈0+0.5000≈0.5000"
    page.page.keyboard.press("ArrowRight")
    assert page.page.url.endswith("#15")
    page.page.evaluate("location.hash = '#3'")
    page.page.wait_for_function("document.getElementById('counter').textContent.includes('3')")
    assert page.step == 3


@pytest.mark.parametrize(
    ("address", "step"), [("#0", 1), ("#-5", 1), ("#999", 20), ("#x", 1), ("#<b>", 1)]
)
def test_a_wrong_deep_link_opens_the_nearest_step(opened, address, step):
    assert opened(neuron(), address).step == step


def test_an_address_may_name_the_language_too(opened):
    title = {"en": "A neuron", "zh": "一个神经元"}
    for address, step, lang in (("#zh-14", 14, "zh"), ("#zh", 1, "zh"), ("#en-3", 3, "en")):
        page = opened(neuron(), address, title=title)
        assert (page.step, page.page.title()) == (step, title[lang])
        page.page.click("#language")
        assert page.page.title() == page.text("h1") == title["zh" if lang == "en" else "en"]
        assert page.page.url.endswith(f"#zh-{step}" if lang == "en" else f"#{step}")


def test_buttons_and_slider_move_too(opened):
    page = opened(neuron())
    for button, step in (("next", 2), ("last", 20), ("previous", 19), ("first", 1)):
        page.page.click(f"#{button}")
        assert page.step == step
    page.page.locator("#slider").fill("12")
    assert page.step == 12
    assert page.page.locator("#slider").get_attribute("aria-valuetext").startswith("12: ")


def test_play_runs_and_stops(opened):
    page = opened(neuron(), "#19")
    page.page.clock.install()
    page.page.click("#play")
    assert page.text("#play") == "Pause"
    page.page.clock.run_for(1300)
    assert page.step == 20
    page.page.clock.run_for(1300)
    assert page.text("#play") == "Play"
    page.page.locator("body").press("Space")
    assert (page.step, page.text("#play")) == (1, "Pause")
    page.page.keyboard.press("ArrowRight")
    assert (page.step, page.text("#play")) == (2, "Play")


def test_a_click_on_a_value_goes_to_where_it_is_computed_and_then_to_its_gradient(opened):
    page = opened(neuron())
    page.page.click("#n2 polygon >> nth=0")
    assert page.step == 3
    assert "v₁" in page.text("#sentence")
    page.page.click("#n2 polygon >> nth=0")
    assert page.formulas()[0] == "v‾1+=v‾3·∂v3∂v1"
    page.page.locator("#n5").press("Enter")
    assert page.step == 6


def test_a_value_that_is_used_twice_says_that_gradients_are_added(opened):
    x = Value(3.0, label="x")
    page = opened(x * x, "#4")
    assert "flows to" in page.text("#sentence")
    page.page.keyboard.press("ArrowRight")
    assert "another gradient arrives" in page.text("#sentence")
    assert page.formulas()[-1] == "3+1·3=3+3=6"
    assert page.numbers(0) == ("3", "6")


def test_the_current_step_is_marked_in_the_picture(opened):
    page = opened(neuron(), "#14")
    assert page.page.locator("svg .current").count() == 2  # the value and its operation
    assert page.page.locator(".receiving").get_attribute("id") == "n7"
    assert page.page.locator(".flowing").count() == 2
    assert page.page.locator("#n0.unknown").count() == 0
    page.page.keyboard.press("Home")
    assert page.page.locator("g.node.unknown").count() > 5


def test_the_language_is_switched_in_place(opened):
    page = opened(neuron(), "#14", lang="zh")
    assert page.page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.text("#counter") == "第 14 步，共 20 步"
    page.page.click("#language")
    assert page.page.evaluate("document.documentElement.lang") == "en"
    assert page.text("#counter") == "Step 14 of 20"
    assert page.text("#play") == "Play"


def test_a_page_speaks_every_language_that_there_is(opened, tok):
    page = opened(neuron(), "#tok-2")
    seen = []
    for _ in range(4):
        lang = page.page.evaluate("document.documentElement.lang")
        seen.append((lang, page.page.get_attribute("#next", "title"), page.text("#language")))
        page.page.click("#language")
    assert seen == [
        ("tok", "kama", "中文"),
        ("zh-Hans", "下一步", "English"),
        ("en", "Next step", "toki pona"),
        ("tok", "kama", "中文"),
    ]
    assert page.page.url.endswith("#zh-2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system_and_can_be_switched(opened, scheme):
    page = opened(neuron(), color_scheme=scheme)

    def lightness():
        color = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", color)[:3])) / 3

    assert (lightness() > 128) == (scheme == "light")
    page.page.click("#theme")
    assert (lightness() > 128) == (scheme == "dark")


def test_formulas_are_mathml_that_is_laid_out(opened):
    page = opened(neuron(), "#14")
    fraction = page.page.locator("#formulas mfrac").first.bounding_box()
    assert fraction["height"] > 20


def test_a_screen_reader_hears_each_step_and_finds_every_value(opened):
    page = opened(neuron())
    assert page.page.locator("#told").get_attribute("aria-live") == "polite"
    assert page.page.get_by_role("slider", name="Step").count() == 1
    for name in ("First step", "Previous step", "Next step", "Last step", "Play", "Light or dark"):
        assert page.page.get_by_role("button", name=name, exact=True).count() == 1
    assert page.page.locator("g.node[role=button][tabindex='0'][aria-label]").count() == 10
    page.page.click("#table summary")
    rows = page.page.locator("#table tbody tr")
    assert rows.count() == 10
    page.page.keyboard.press("End")
    assert rows.nth(1).locator("td").nth(2).inner_text() == "1.0000"


def test_a_wide_picture_scrolls_to_the_current_value(opened):
    page = opened(thirty(), viewport={"width": 800, "height": 700})
    page.page.keyboard.press("End")
    for _ in range(3):
        page.page.keyboard.press("ArrowLeft")
        box = page.page.locator(".receiving").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 800
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 800


def test_hostile_labels_are_shown_and_never_run(opened):
    root = Value(1.0, label="start")
    for label in HOSTILE:
        root = root + Value(2.0, label=label)
    page = opened(root, title="<img src=x onerror=alert(1)>")
    assert page.text("h1") == "<img src=x onerror=alert(1)>"
    shown = [
        text.replace("\xa0", " ")
        for text in page.page.eval_on_selector_all(
            "g.node.leaf", "groups => groups.map(g => g.querySelector('text').textContent)"
        )
    ]
    for label in HOSTILE:
        if label.strip():  # a blank label is no name: the value is called v₁ or so
            assert typeset(label).split("\n")[0] in shown
    for _ in range(40):
        page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("End")
    assert page.page.evaluate("document.querySelectorAll('img, iframe, a, script').length") == 2


OVERFLOWING = """nodes => nodes.flatMap(node => {
  const outline = [...node.querySelectorAll("polygon, ellipse")].at(-1).getBBox();
  return [...node.querySelectorAll("text")].filter(text => {
    const {x, width} = text.getBBox();
    return width && (x < outline.x || x + width > outline.x + outline.width);
  }).map(text => text.textContent);
})"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_text_is_wider_than_its_box_in_the_fonts_of_this_computer(opened, lang):
    root = thirty()
    for label in ("@MW" * 10, "wide", "iiiiiiii", "加权和（很长的名字）", "Größe λ Жизнь"):
        root = root * Value(-1.234e-10, label=label)
    page = opened(root, lang=lang)
    page.page.keyboard.press("End")
    assert page.page.eval_on_selector_all("g.node", OVERFLOWING) == []


def test_the_policy_stops_a_script_that_somebody_adds(browser, tmp_path):
    path = tmp_path / "page.html"
    text = step_page(neuron())
    path.write_text(text.replace("</main>", "<script>document.title = 'run'</script></main>"))
    page = Opened(browser, path)
    assert page.page.title() != "run"
    assert any("Content Security Policy" in error for error in page.errors)
    page.page.context.close()
