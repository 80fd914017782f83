"""The step-through page in a real browser: it steps, plays, jumps, switches, and runs nothing else.

Needs Chromium (Debian's package `chromium`, or Chrome) and Playwright (`pip install playwright`).
"""

import random
import re
from itertools import pairwise

import pytest

from micrograd import Value, step_page
from micrograd.writing.numbers import rounded
from nn import MLP
from tests.drawing.named.graphs import ARTICLES
from tests.drawing.test_labels import HOSTILE
from tests.drawing.test_steps import neuron, thirty
from tests.legible import SMALL

pytestmark = pytest.mark.slow


def plain(text):
    """A text without the marks that keep names to themselves."""
    return re.sub("[\u2068\u2069]", "", text)


class Opened:
    """A page in the browser, and what went wrong in it."""

    SCHEMES: tuple[str, ...] = ("file:",)  # of addresses that it may ask for

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
        return int(self.page.locator("#slider").input_value())

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def formulas(self):
        return [each.text_content() for each in self.page.locator("#formulas p").all()]

    def numbers(self, value):
        """The value and the gradient that the picture shows, when they have arrived."""
        self.page.wait_for_function("!document.querySelector('.traveller')")
        spans = [self.page.locator(f"#wide-n{value} .{kind}") for kind in ("data", "grad")]
        return tuple(each.text_content().strip() for each in spans)

    def close(self):
        self.page.context.close()
        assert self.errors == []
        assert all(url.startswith(self.SCHEMES) for url in self.requests)


@pytest.fixture
def opened(browser, tmp_path):
    """Opens pages, and afterwards asserts that nothing went wrong in them."""
    pages = []

    def open_page(root, address="", *, lang="en", title="", model=None, level=None, **options):
        path = tmp_path / f"page{len(pages)}.html"
        step_page(root, path, lang=lang, title=title, model=model, level=level)
        pages.append(Opened(browser, path, address, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def test_the_page_opens_with_all_given_values(opened):
    page = opened(neuron())
    assert page.step == 1
    assert page.text("#sentence") == "These values are given:"
    assert page.formulas() == ["x1 = 2", "x2 = 0", "w1 = −3", "w2 = 1", "b ≈ 6.881"]
    assert page.numbers(0) == ("2", "")
    assert page.numbers(9) == ("", "")


def test_keys_step_forwards_and_backwards_and_to_both_ends(opened):
    page = opened(neuron())
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowLeft"):
        page.page.keyboard.press(key)
        seen.append(page.step)
    assert seen == [2, 3, 2, 6, 6, 1, 1]


def test_the_last_step_shows_the_gradients_of_the_engine(opened):
    o = neuron()
    page = opened(o)
    page.page.keyboard.press("End")
    o.backward()
    assert page.numbers(1) == ("−3", "1")
    assert page.numbers(9) == ("0.7071", "1")


def test_a_deep_link_opens_a_step_and_follows_the_steps(opened):
    page = opened(neuron(), "#5")
    assert page.step == 5
    assert page.formulas() == ["∂o/∂v1 = 1 − o2 = 1 − 0.70712 ≈ 0.5"]
    page.page.keyboard.press("ArrowRight")
    assert page.page.url.endswith("#6")
    page.page.evaluate("location.hash = '#3'")
    page.page.wait_for_function("document.getElementById('slider').value === '3'")


@pytest.mark.parametrize(
    ("address", "step"), [("#0", 1), ("#-5", 1), ("#999", 6), ("#x", 1), ("#<b>", 1)]
)
def test_a_wrong_deep_link_opens_the_nearest_step(opened, address, step):
    assert opened(neuron(), address).step == step


def test_an_address_may_name_the_language_too(opened):
    title = {"en": "A neuron", "zh": "一个神经元"}
    for address, step, lang in (("#zh-5", 5, "zh"), ("#zh", 1, "zh"), ("#en-3", 3, "en")):
        page = opened(neuron(), address, title=title)
        assert (page.step, page.page.title()) == (step, title[lang])
        page.page.click("#language")
        assert page.page.title() == page.text("h1") == title["zh" if lang == "en" else "en"]
        assert page.page.url.endswith(f"#zh-{step}" if lang == "en" else f"#{step}")


def test_buttons_and_slider_move_too(opened):
    page = opened(neuron())
    for button, step in (("next", 2), ("last", 6), ("previous", 5), ("first", 1)):
        page.page.click(f"#{button}")
        assert page.step == step
    page.page.locator("#slider").fill("4")
    assert page.step == 4
    spoken = page.page.locator("#slider").get_attribute("aria-valuetext")
    assert spoken.startswith("Step 4 of 6: The backward pass begins")


def test_play_runs_and_stops_at_the_speed_that_is_chosen(opened):
    page = opened(neuron(), "#5")
    page.page.clock.install()
    page.page.select_option("#speed", "2")
    page.page.click("#play")
    assert page.text("#play") == "Pause"
    page.page.clock.run_for(1000)  # 1.75 s at the speed 1
    assert page.step == 6
    page.page.clock.run_for(3000)
    assert page.text("#play") == "Play"
    page.page.locator("body").press("Space")
    assert (page.step, page.text("#play")) == (1, "Pause")
    page.page.keyboard.press("ArrowRight")
    assert (page.step, page.text("#play")) == (2, "Play")


def test_a_click_on_a_value_goes_to_where_it_is_computed_and_then_to_its_gradient(opened):
    page = opened(neuron())
    page.page.click("#wide-n8 rect")
    assert page.step == 2
    assert "v₁" in page.text("#sentence")
    page.page.click("#wide-n8 rect")
    assert page.formulas()[0].startswith("∂o/∂v1 = 1 − o2")
    page.page.locator("#wide-n9").press("Enter")
    assert page.step == 3


@pytest.mark.parametrize(("step", "back"), [(2, False), (5, True)])
def test_values_travel_along_the_arrows_and_gradients_back(opened, step, back):
    page = opened(neuron(), f"#{step - 1}")
    heights = "dots => dots.map(dot => Number(dot.getAttribute('cy')))"
    arriving = page.page.locator(f"#wide-n8 .{'grad' if back else 'data'}")
    page.page.clock.install(time=0)
    page.page.clock.pause_at(1000)
    page.page.keyboard.press("ArrowRight")
    seen = []
    for _ in range(3):  # the way takes 0.7 s
        page.page.clock.run_for(200)
        seen.append(page.page.eval_on_selector_all("#wide- .traveller", heights))
        assert arriving.text_content() == ""
    assert len(seen[0]) == (1 if back else 5)
    for before, after in pairwise(seen):
        assert all((x > y) == back for x, y in zip(before, after, strict=True))
    kinds = page.page.eval_on_selector_all(".traveller", "dots => dots.map(d => d.classList[1])")
    assert {*kinds} == {"backwards" if back else "forwards"}
    page.page.clock.run_for(300)
    assert arriving.text_content().strip() == ("0.5" if back else "0.8814")
    assert page.page.locator(".traveller").count() == 0


def test_nothing_moves_for_readers_who_asked_for_reduced_motion(opened):
    page = opened(neuron(), reduced_motion="reduce")
    page.page.keyboard.press("ArrowRight")
    assert page.page.locator(".traveller").count() == 0
    assert page.page.locator("#wide-n8 .data").text_content() == "0.8814"
    assert page.page.locator("#wide- .forwards").count() == 5


def test_the_current_step_is_marked_in_the_picture(opened):
    page = opened(neuron(), "#5")
    assert page.page.locator("#wide- .current").get_attribute("id") == "wide-n9"
    assert page.page.locator("#wide- .receiving").get_attribute("id") == "wide-n8"
    assert page.page.locator("#wide- .backwards").count() == 1
    assert page.page.locator("#wide- g.node.unknown").count() == 0
    page.page.keyboard.press("Home")
    assert page.page.locator("#wide- g.node.unknown").count() == 2


def test_a_network_is_computed_layer_by_layer(opened):
    random.seed(1)
    model = MLP(3, [4, 1], activation="tanh")
    loss = (model([2.0, 3.0, -1.0]) - Value(1.0, label="y")) ** 2
    loss.label = "L"
    page = opened(loss, model=model)
    sentences = []
    for _ in range(8):
        sentences.append(page.text("#sentence"))
        page.page.keyboard.press("ArrowRight")
    assert page.page.evaluate("steps.length") == 8
    assert sentences[1:3] == ["Forward: layer 1 is computed.", "Forward: layer 2 is computed."]
    assert sentences[-2:] == [
        "Backward: the gradient flows through layer 2.",
        "Backward: the gradient flows through layer 1.",
    ]
    loss.backward()
    cells = [each.text_content() for each in page.page.locator("#formulas .cell").all()]
    assert cells == [rounded(w.grad) for neuron in model.layers[0].neurons for w in neuron.w]
    assert page.text("#formulas").count("ᵀ") >= 3


def test_the_language_is_switched_in_place(opened):
    page = opened(neuron(), "#5", lang="zh")
    assert page.page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert plain(page.text("#sentence")) == "反向：梯度从 o 流到 v₁。"
    page.page.click("#language")
    assert page.page.evaluate("document.documentElement.lang") == "en"
    assert plain(page.text("#sentence")) == "Backward: the gradient flows from o to v₁."
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


def test_chinese_names_stand_in_chinese_sentences_without_spaces(opened):
    page = opened(ARTICLES["chinese"](), "#6", lang="zh")
    assert plain(page.text("#sentence")) == "反向：梯度从损失流到激活值、目标。"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system_and_can_be_switched(opened, scheme):
    page = opened(neuron(), color_scheme=scheme)

    def lightness():
        color = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", color)[:3])) / 3

    assert (lightness() > 128) == (scheme == "light")
    page.page.click("#theme")
    assert (lightness() > 128) == (scheme == "dark")


def test_formulas_need_no_font_for_mathematics_and_are_read_aloud(opened):
    x = Value(2.0, label="x_bar")
    page = opened(x * x, "#4")
    assert page.page.locator("math").count() == 0
    formula = page.page.locator("#formulas p[role=math]")
    assert formula.get_attribute("aria-label") == "∂v₁/∂x̄ = 2·x̄ = 2·2 = 4"


def test_a_screen_reader_hears_each_step_and_finds_every_value(opened):
    page = opened(neuron())
    assert page.page.locator("#told").get_attribute("aria-live") == "polite"
    assert page.page.get_by_role("slider", name="Step").count() == 1
    assert page.page.get_by_role("combobox", name="Speed").count() == 1
    for name in ("First step", "Previous step", "Next step", "Last step", "Play", "Light or dark"):
        assert page.page.get_by_role("button", name=name, exact=True).count() == 1
    assert page.page.locator("#wide- g.node[role=button][tabindex='0'][aria-label]").count() == 7
    page.page.click("#table summary")
    rows = page.page.locator("#table tbody tr")
    assert rows.count() == 7
    page.page.keyboard.press("End")
    assert rows.nth(1).locator("td").nth(2).inner_text() == "1"


OUTSIDE = """() => {
  const found = [];
  const rect = (id) => document.getElementById(id).getBoundingClientRect();
  for (const id of ["title", "language", "theme", "picture", "text", "controls", "speed", "last"]) {
    const {left, top, right, bottom} = rect(id);
    if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight) found.push(id);
  }
  for (const id of ["text", "picture"]) {
    const box = document.getElementById(id);
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) found.push(id);
  }
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) found.push("page");
  return found;
}"""


@pytest.mark.parametrize("article", ARTICLES)
def test_everything_is_seen_at_once_in_a_frame_of_700_by_420(opened, article):
    for lang in ("en", "zh"):
        page = opened(ARTICLES[article](), lang=lang, viewport={"width": 700, "height": 420})
        for step in range(page.page.evaluate("steps.length")):
            page.page.evaluate(f"go({step}, {{ moves: false }})")
            assert page.page.evaluate(OUTSIDE) == [], step + 1
            assert page.page.evaluate(SMALL) == [], step + 1


@pytest.mark.parametrize("width", [390, 360])
@pytest.mark.parametrize("article", ARTICLES)
def test_a_phone_shows_the_picture_and_the_controls_at_once(opened, article, width):
    page = opened(ARTICLES[article](), viewport={"width": width, "height": 700}, has_touch=True)
    page.page.keyboard.press("End")
    assert set(page.page.evaluate(OUTSIDE)) <= {"text"}  # long formulas scroll within their part
    assert page.page.evaluate(SMALL) == []
    page.page.tap("#previous")
    assert page.step == page.page.evaluate("steps.length") - 1


def test_a_picture_too_large_for_its_frame_scrolls_to_the_current_value(opened):
    root = Value(1.0, label="a_0")
    for i in range(1, 25):
        root = root * Value(0.5, label=f"b_{i}") + 1
        root.label = f"a_{i}"
    page = opened(root, viewport={"width": 700, "height": 420}, reduced_motion="reduce")
    frame = page.page.locator("#picture").bounding_box()
    for key in ("ArrowRight", "ArrowRight", "End", "ArrowLeft"):
        page.page.keyboard.press(key)
        kind = "receiving" if key in ("End", "ArrowLeft") else "current"
        box = page.page.locator(f"#wide- .{kind} rect").first.bounding_box()
        assert (
            frame["y"] - 1
            <= box["y"]
            <= box["y"] + box["height"]
            <= frame["y"] + 1 + frame["height"]
        )
        assert box["height"] > 0.6 * 40


def test_hostile_labels_are_shown_and_never_run(opened):
    root = Value(1.0, label="start")
    for label in HOSTILE:
        root = root + Value(2.0, label=label)
    page = opened(root, title="<img src=x onerror=alert(1)>")
    assert page.text("h1") == "<img src=x onerror=alert(1)>"
    shown = page.page.eval_on_selector_all(
        "#table tbody button", "names => names.map(name => name.textContent)"
    )
    assert len(shown) == page.page.evaluate("values.length") > len(HOSTILE)
    for _ in range(page.page.evaluate("steps.length")):
        page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("End")
    assert page.page.evaluate("document.querySelectorAll('img, iframe, a, script').length") == 2


OVERFLOWING = """nodes => nodes.flatMap(node => {
  const outline = node.querySelector("rect").getBBox();
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
    assert page.page.eval_on_selector_all("#wide- g.node", OVERFLOWING) == []


def test_a_page_works_in_the_frame_of_a_notebook(browser, tmp_path):
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><body>{step_page(neuron())._repr_html_()}")
    page = Opened(browser, path, viewport={"width": 720, "height": 500})
    frame = page.page.frames[1]
    for _ in range(2):
        frame.click("#next")
    assert frame.locator("#slider").input_value() == "3"
    assert frame.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.close()


def test_the_policy_stops_a_script_that_somebody_adds(browser, tmp_path):
    path = tmp_path / "page.html"
    text = step_page(neuron())
    path.write_text(text.replace("</main>", "<script>document.title = 'run'</script></main>"))
    page = Opened(browser, path)
    assert page.page.title() != "run"
    assert any("Content Security Policy" in error for error in page.errors)
    page.page.context.close()
