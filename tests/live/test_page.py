"""What a live page is: its size, its policy, its errors, its derivation, and who can use it."""

import math
import random
import re
from itertools import combinations

import pytest

from micrograd import Value, live_page, relu, where
from micrograd.derivation.algebra import simplified
from micrograd.live import slopes
from micrograd.writing import languages
from tests.live.common import script_of, story_of
from tests.live.test_numbers import line, neuron


def network(inputs=3, hidden=3):
    """A graph of some thirty named values."""
    xs = [Value(0.3 * i - 0.5, label=f"x{i}") for i in range(inputs)]
    layer = []
    for j in range(hidden):
        total = Value(0.1 * j, label=f"b{j}")
        for i, x in enumerate(xs):
            total = total + Value(0.37 * i - 0.41 * j, label=f"w_{{{j}{i}}}") * x
        layer.append(total.tanh())
        layer[-1].label = f"h{j}"
    out = Value(0.2, label="c")
    for j, h in enumerate(layer):
        out = out + Value(0.5 - 0.3 * j, label=f"u{j}") * h
    out.label = "o"
    loss = (out - Value(1.0, label="y")) ** 2
    loss.label = "L"
    return loss


def chain(count, name="h_{}"):
    """Values with a name each, one after the other."""
    x = Value(1.0, label="x")
    for i in range(1, count):
        x = (x * 1.1 + 0.2).tanh() if i % 2 else (x - 0.3) ** 2 * 1.7
        x.label = name.format(i)
    return x


def dense(count):
    """Values with a name each, all but six of three others, and the last of all of them."""
    rng = random.Random(0)
    values = [Value(rng.uniform(-1, 1), label=f"a{i}") for i in range(6)]
    made = [
        lambda x, y, z: x * y + z,
        lambda x, y, z: (x - y).tanh() * z,
        lambda x, y, z: where(x > y, x * z, y),
        lambda x, y, z: (x * 0.1).exp() / (1 + y * y),
        lambda x, y, z: relu(x) * y - z,
    ]
    while len(values) < count - 1:
        values.append(rng.choice(made)(*(rng.choice(values) for _ in range(3))))
        values[-1].label = f"m{len(values)}"
    out = sum(values[6:-1], values[-1])
    out.label = "L"
    return out


@pytest.mark.slow
def test_fifty_values_take_less_than_60_kb_and_a_neuron_less_than_40():
    long = "temperature_of_the_room_{}"
    for output in (network(), network(4, 4), chain(30, long), dense(50)):
        page = live_page(output)
        assert len(story_of(page)["values"]) >= 28
        assert len(page.encode()) < 60_000
    assert len(live_page(neuron()).encode()) < 40_000


def test_the_page_is_one_file_that_forbids_everything_else(tmp_path):
    page = live_page(neuron(), tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "eval(" not in page + script_of(page)
    assert re.findall(r'(?:src|href)="', page) == []


def test_the_page_shows_itself_in_a_frame():
    assert live_page(neuron())._repr_html_().startswith("<iframe srcdoc=")


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1200])
def test_the_frame_of_a_notebook_is_as_tall_as_the_page(browser, tmp_path, width):
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><body>{live_page(neuron())._repr_html_()}", encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 600})
    page.goto(f"file://{path}")
    (_, frame) = page.frames
    fits = "document.documentElement.scrollHeight === innerHeight && innerHeight > 440"
    for _ in range(200):
        if frame.evaluate(fits):
            break
        page.wait_for_timeout(20)
    assert frame.evaluate(fits)
    page.close()


def test_equal_graphs_give_equal_pages():
    assert live_page(neuron()) == live_page(neuron())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"learn": "v"}, ValueError, "learn: 'v' is not a leaf of the graph; the leaves are 'w'"),
        ({"learn": ["z"]}, ValueError, "'z' is not a leaf"),
        ({"data": {"q": [1]}}, ValueError, "data: 'q' is not a leaf"),
        ({"data": {"x": [1, 2], "y": [1]}}, ValueError, "'x' has 2, 'y' has 1"),
        ({"data": [{"x": 1}, {"y": 1}]}, ValueError, "sample 1 has the names y"),
        ({"data": []}, TypeError, "a list of samples"),
        ({"data": 3}, TypeError, "a list of samples"),
        ({"data": {"x": []}}, ValueError, "no samples"),
        ({"data": {"x": ["a"]}}, ValueError, "'x' takes numbers"),
        ({"data": {"w": [1]}, "learn": "w"}, ValueError, "'w' cannot learn"),
        ({"rate": 0}, ValueError, "rate is a positive number, got 0"),
        ({"lang": "xx"}, ValueError, "lang is one of"),
        ({"max_values": 3}, ValueError, "7 named values cannot be read"),
    ],
)
def test_bad_input_is_an_error_that_names_the_remedy(options, error, message):
    with pytest.raises(error, match=message):
        live_page(neuron(), **options)


def test_a_graph_of_hundreds_of_named_values_is_refused():
    x = Value(1.0, label="x")
    for i in range(300):
        x = x * 1.01
        x.label = f"x{i}"
    with pytest.raises(ValueError, match=r"301 named values cannot be read.*max_values=301"):
        live_page(x)


def test_an_operation_by_hand_is_an_error():
    x = Value(2.0, label="x")
    out = x * 3
    out._backward = lambda: None
    with pytest.raises(TypeError, match="by hand"):
        live_page(out)


def test_weights_learn_unless_something_else_is_said():
    assert story_of(live_page(neuron(), learn=[]))["learn"] == []
    assert story_of(live_page(neuron()))["learn"] == [0, 2]
    assert story_of(live_page(neuron(), learn="w"))["learn"] == [0]
    assert story_of(live_page(Value(2.0) * Value(3.0)))["learn"] == []  # whose names were made up


def test_every_language_has_every_word():
    assert languages.words("zh", "live").keys() == languages.words("en", "live").keys()


# ---------------------------------------------------------------------------------- in the browser


@pytest.mark.slow
def test_the_derivation_has_the_factors_of_the_board_and_their_numbers(live):
    page = live(neuron(), "#wrt=w")
    names, formulas, numbers, result = page.lines()
    assert names == "∂L∂w=∂L∂h·∂h∂z·∂z∂w"
    assert formulas == "=2(h−y)·(1−h2)·x"
    assert numbers.endswith("·2")
    assert result.startswith("≈−")
    page.type("x", "4")
    assert page.lines()[2].endswith("·4")


@pytest.mark.slow
def test_a_gradient_has_another_sign_than_an_arrow_that_is_one_of_its_ways(live):
    a, b = Value(0.3, label="a"), Value(0.4, label="b")
    y = a * b + b
    y.label = "y"
    out = y * y + b * y
    out.label = "L"
    page = live(out, "#wrt=b")
    assert page.lines()[0] == "dLdb=∂L∂y·∂y∂b+∂L∂b"
    page.page.wait_for_selector("#predicted")
    assert page.text("#predicted td:first-of-type") == "dLdb·Δb"
    assert r"\frac{\text{d}L}{\text{d}b}&=" in page.page.evaluate("written()")
    page.go("#wrt=a")
    assert page.lines()[0] == "∂L∂a=∂L∂y·∂y∂a"


@pytest.mark.slow
def test_a_long_derivation_has_d_in_every_gradient_if_one_of_them_needs_it(live):
    x = Value(2.0, label="x")
    powers = [x * x]
    for name in "bcde":
        powers.append(powers[-1] * x + powers[-1])
        powers[-1].label = name
    powers[0].label = "a"
    product = powers[-1] * powers[-2] + powers[-2]
    tail = product * 3
    for output, sign in ((product, "d"), (tail, "∂")):  # `product` uses d beside e
        product.label = "" if output is product else "p"
        output.label = "L"
        begins = [line[:2] for line in live(output, "#wrt=x").lines() if line[0] in "∂d"]
        assert len(begins) > 4
        assert set(begins) == {f"{sign}L"}


@pytest.mark.slow
@pytest.mark.parametrize(("width", "rows"), [(1280, 1), (390, 3)])
def test_the_leaves_of_a_neuron_stand_side_by_side(live, width, rows):
    names = ("w_1", "x_1", "w_2", "x_2", "b")
    w1, x1, w2, x2, b = (Value(0.5, label=name) for name in names)
    z = w1 * x1 + w2 * x2 + b
    z.label = "z"
    page = live(z.tanh(), page={"viewport": {"width": width, "height": 800}})
    tops = page.page.locator(".controls").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().top)"
    )
    assert len(tops) == len(names)
    assert len(set(tops)) == rows
    page.go("#x_1=-1.234e-05&b=-0.02701")
    assert page.page.locator(".controls").evaluate_all(
        "all => all.every((each) => each.scrollWidth <= each.clientWidth)"
    )


@pytest.mark.slow
def test_the_derivation_ends_with_a_closed_form_if_there_is_a_short_one(live):
    exponentials = [Value(n, label=f"z{i}").exp() for i, n in enumerate((1.0, 2.0, 0.5))]
    for i, each in enumerate(exponentials):
        each.label = f"e{i}"
    p = exponentials[0] / sum(exponentials)
    loss = -p.log()
    p.label, loss.label = "p", "L"
    page = live(loss, "#wrt=z0")
    assert page.lines()[-2] == "=p−1"
    page.type("z0", "-1000")  # where the formula is wrong, the number stands alone
    assert page.lines()[-2] != "=p−1"


def test_the_closed_forms_of_all_leaves_are_derived_at_once(monkeypatch):
    calls = []

    def counted(*args, **kwargs):
        calls.append(args)
        return simplified(*args, **kwargs)

    monkeypatch.setattr(slopes, "simplified", counted)
    z = Value(1.0, label="z0")
    for i in range(1, 11):
        z = z * Value(0.5, label=f"w{i}")
        z.label = f"z{i}"
    live_page(z)
    assert len(calls) == 20  # two operands of each product; not again for each of eleven leaves


@pytest.mark.slow
def test_the_formulas_follow_the_sliders_across_a_kink(live):
    z = Value(2.0, label="z")
    out = relu(z) * z
    out.label = "L"
    page = live(out, "#wrt=z")
    assert "z>0" in page.text("#conditions").replace(" ", "")
    before = page.lines()
    page.type("z", "-1")
    assert "z≤0" in page.text("#conditions").replace(" ", "")
    assert page.lines() != before
    page.type("z", "0")
    assert page.lines()[-1] == "=0"


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["xx", "toString", "__proto__"])
def test_a_language_that_does_not_exist_is_ignored(live, lang):
    assert live(neuron(), f"#lang={lang}&w=2").numbers()["w"][0] == 2.0


@pytest.mark.slow
@pytest.mark.parametrize("address", ["#w=inf", "#x=nan&b=-inf", "#steps=1e9&rate=1e300&w=1e300"])
def test_curves_of_numbers_that_diverge_are_not_errors(live, address):
    for learn in (["w"], ["w", "b"]):
        page = live(neuron(), address, learn=learn)
        page.page.wait_for_selector("#hills svg")
        drawn = page.page.inner_html("#hills svg")
        assert not re.search("NaN|Infinity|undefined", drawn)


CONTRASTS = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {
        willReadFrequently: true,
    });
    const light = (color) => {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    return [...document.querySelectorAll("g.node tspan, .controls .grad")].map((text) => {
        const style = getComputedStyle(text);
        const box = text.closest("g.node") ??
            document.querySelector(`g.node[data-name="${text.previousSibling.dataset.number}"]`);
        const [low, high] = [
            light(text instanceof SVGElement ? style.fill : style.color),
            light(getComputedStyle(box.querySelector("rect")).fill),
        ].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    });
}"""


@pytest.mark.slow
def test_names_and_numbers_stand_out_from_every_tint_of_their_box(live):
    page = live(neuron())
    for scheme in ("light", "dark"):
        page.page.emulate_media(color_scheme=scheme)
        for address in ("#w=1e308&x=-1e9&b=1e9&y=inf", "#w=-1e9&x=1e9&b=-inf&y=-1e9", "#w=nan"):
            page.go(address)
            contrasts = page.page.evaluate(CONTRASTS)
            assert len(contrasts) > 15
            assert min(contrasts) >= 4.5
    page.go("#x=-inf&wrt=w")  # what is infinite is not about infinite
    assert page.lines()[-1] == "=0"
    assert page.lines()[-2].endswith("·0·(−∞)")


@pytest.mark.slow
def test_keys_reach_the_sliders_first_and_the_derivation_keeps_its_elements(live):
    page = live(neuron(), "#wrt=w")
    reached = []
    for _ in range(5):
        page.page.keyboard.press("Tab")
        reached.append(
            page.page.evaluate(
                "(({ id, dataset }) => id || dataset.number || dataset.slider)"
                "(document.activeElement)"
            )
        )
    assert reached == ["language", "theme", "w", "w", "x"]
    factor = page.page.locator("#lines [data-edge]").nth(3).element_handle()
    page.type("x", "2.5")  # only texts differ, so that a frame is quick
    assert factor.evaluate("element => element.isConnected")
    assert page.lines()[2].endswith("·2.5")
    page.type("x", "-2.5")  # with brackets, the line is another one
    assert page.lines()[2].endswith("·(−2.5)")
    page.type("x", "0.5")
    assert page.lines()[2].endswith("·0.5")
    assert len(page.lines()) == 4


@pytest.mark.slow
def test_a_factor_and_its_arrow_light_up_together(live):
    page = live(neuron(), "#wrt=w")
    page.page.locator("#lines [data-edge]").first.hover()
    lit = page.page.locator("g.edge.lit")
    assert lit.count() == 1
    edge = lit.get_attribute("data-edge")
    page.page.mouse.move(0, 0)
    assert page.page.locator(".lit").count() == 0
    page.page.locator(f'g.edge[data-edge="{edge}"]').focus()
    assert page.page.locator("#lines .lit").count() >= 2


@pytest.mark.slow
def test_an_arrow_lights_up_under_a_tap_and_when_the_pointer_is_near(live):
    page = live(neuron(), "#wrt=b", page={"has_touch": True}).page
    path = page.locator("g.aside path:not(.wide)").first
    x, y = path.evaluate(
        """path => {
            const { x, y } = path.getPointAtLength(path.getTotalLength() / 2);
            const place = new DOMPoint(x, y).matrixTransform(path.getScreenCTM());
            return [place.x, place.y];
        }"""
    )
    page.locator("g.aside text").first.tap()
    page.wait_for_selector("g.aside.lit")
    assert page.locator("g.aside.lit").count() == 1
    page.touchscreen.tap(2, 2)
    page.wait_for_selector("g.aside.lit", state="detached")
    page.mouse.move(x + 6, y)
    page.wait_for_selector("g.aside.lit")
    assert page.locator("g.aside.lit").count() == 1


@pytest.mark.slow
def test_the_address_hides_parts_of_the_page_and_sliders(live):
    page = live(neuron(), "#hide=nudge,buttons,w&x=3", data={"x": [1, 2], "y": [0, 1]})
    seen = page.page.locator
    assert [seen(f"#{part}").is_visible() for part in ("nudge-part", "buttons")] == [False, False]
    assert [seen(f"#{part}").is_visible() for part in ("derivation", "descent")] == [True, True]
    assert [page.slider(name).is_visible() for name in "wxb"] == [False, True, True]
    assert seen('[data-number="w"]').is_disabled()
    page.type("x", "4")
    page.until("location.hash.includes('x=4') && location.hash.includes('hide=nudge')")
    page.go("#hide=all,sliders")
    assert seen("#picture svg").is_visible()
    assert seen("h1, select, p.hint, .card").filter(visible=True).count() == 0
    assert seen("input[type=range]").filter(visible=True).count() == 0
    page.go("#hide=%3Cb%3E,toString,,status,graph,step,rate")  # names of no part
    assert [seen(f"#{part}").is_visible() for part in ("buttons", "graph", "step")] == [True] * 3
    assert seen("#rate").is_visible()


@pytest.mark.slow
def test_a_leaf_with_the_name_of_a_part_or_of_an_element_is_hidden_alone(live):
    rate, nudge, w = (Value(n, label=label) for n, label in ((0.5, "rate"), (2, "nudge"), (0, "w")))
    page = live((rate * nudge * w - 1) ** 2, "#hide=rate,nudge", learn="w")
    assert [page.slider(name).is_visible() for name in ("rate", "nudge", "w")] == [0, 0, 1]
    assert page.page.locator("#rate").is_visible()
    assert page.page.locator("#nudge-part").is_visible()


@pytest.mark.slow
def test_the_derivation_is_copied_as_latex(live):
    page = live(neuron(), "#wrt=w")
    page.page.context.grant_permissions(["clipboard-read"])
    page.page.click("#copy")
    begin, names, formulas, *_ = page.page.evaluate("navigator.clipboard.readText()").splitlines()
    whole, *factors = (
        rf"\frac{{\partial {y}}}{{\partial {x}}}" for y, x in ("Lw", "Lh", "hz", "zw")
    )
    assert begin == r"\begin{aligned}"
    assert names == whole + "&=" + r"\cdot ".join(factors) + r" \\"
    assert formulas == r"&=2(h-y)\cdot (1-h^{2})\cdot x \\"
    assert page.text("#copy") == "Copied"
    page.until("document.getElementById('copy').textContent === 'Copy LaTeX'")
    theta, z = Value(0.3, label="theta"), Value(2.0, label="温度 #1_%")
    out = (theta.softplus() * z).sqrt() + theta.relu()
    out.label = "y_hat"
    written = live(out, "#wrt=温度 %231_%25").page.evaluate("written()")
    assert r"\frac{\partial \hat{y}}{\partial \text{温度 \#1\_\%}}&=" in written
    assert r"\ln (1+e^{\theta })" in written
    assert r"\sqrt{" in written


@pytest.mark.slow
def test_the_borders_in_the_valley_are_where_the_output_is(live):
    page = live(line(), learn=["w", "b"]).page
    heights = "Array.from({ length: 9 }, (_, y) => Array.from({ length: 9 }, (_, x) => x + 2 * y))"
    paths = page.evaluate(f"terraces({heights})")
    heights = sorted(x + 2 * y for x in range(9) for y in range(9))
    for level, path in enumerate(paths):
        border = heights[(level - 1) * (len(heights) - 1) // 10] if level else -math.inf
        area = 0.0
        for shape in re.findall(r"M([^z]*)z", path):
            corners: list[tuple[float, float]] = []
            for sign, numbers in re.findall(r"([MLHV]?)([-\d.,]+)", shape):
                x, y = corners[-1] if corners else (0.0, 0.0)
                match sign:
                    case "H":
                        corners.append((float(numbers), y))
                    case "V":
                        corners.append((x, float(numbers)))
                    case _:
                        x, y = map(float, numbers.split(","))
                        corners.append((x, y))
            for (x, y), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
                area += (x * y2 - x2 * y) / 2
        steps = [i / 200 for i in range(1601)]
        expected = sum(min(max((x + 16 - border), 0.0) / 2, 8.0) for x in steps) / len(steps) / 8
        assert abs(area) / (256 * 158) == pytest.approx(expected, abs=0.01)


@pytest.mark.slow
def test_a_nudge_shows_the_change_and_what_the_derivative_predicts(live):
    page = live(neuron(), "#wrt=w&nudge=0.01")
    page.page.wait_for_selector("#change")
    change, predicted = (
        float(page.page.locator(f"#{key}").get_attribute("data-change"))
        for key in ("change", "predicted")
    )
    loss = neuron()
    loss.backward()
    assert change == pytest.approx(neuron(-0.49).data - loss.data, rel=1e-9)
    assert predicted == pytest.approx(page.numbers()["w"][1] * 0.01, rel=1e-12)
    assert 0 < abs(change - predicted) < 0.05 * abs(change)
    page = live(neuron(), "#wrt=w&nudge=0.9")
    page.page.wait_for_selector("#change")
    change, predicted = (
        float(page.page.locator(f"#{key}").get_attribute("data-change"))
        for key in ("change", "predicted")
    )
    rise, guess = (
        page.page.locator(f"line.{kind}").evaluate(
            "({ y1, y2 }) => y2.baseVal.value - y1.baseVal.value"
        )
        for kind in ("rise", "guess")
    )
    assert guess / rise == pytest.approx(predicted / change, rel=1e-4)  # SVG has single precision


@pytest.mark.slow
def test_escape_brings_back_the_number_before_typing(live):
    page = live(neuron())
    for selector, typed in (("[data-number=w]", "9"), ("#nudge", "5"), ("#rate", "none")):
        field = page.page.locator(selector)
        field.focus()
        before = field.input_value()
        field.fill(typed)
        field.press("Escape")
        assert field.input_value() == before
        field.press("Tab")
        assert field.get_attribute("aria-invalid") == "false"
    assert page.numbers()["w"][0] == -0.5


@pytest.mark.slow
def test_a_weight_is_the_same_number_beside_the_mean_over_samples(live):
    page = live(neuron(0.7), data={"x": [1.0, 2.0, 0.5], "y": [0.0, 1.0, 2.0]})
    assert page.numbers()["w"][0] == 0.7 != (0.7 + 0.7 + 0.7) / 3


@pytest.mark.slow
def test_the_page_speaks_both_languages_and_announces_its_numbers(live):
    page = live(neuron())
    assert (
        page.page.locator('[data-name="w"]').get_attribute("aria-label").startswith("w: value −0.5")
    )
    page.page.click("#language")
    assert page.page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.page.locator('[data-name="w"]').get_attribute("aria-label").startswith("w：值 −0.5")
    page.until("document.getElementById('status').textContent.includes('梯度')")
    unnamed = page.page.evaluate(
        """() => [...document.querySelectorAll("input, button, select, [role=button]")]
        .filter((e) => !e.closest("[hidden]"))
        .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim()))
        .filter((e) => !e.labels?.length).length"""
    )
    assert unnamed == 0


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 700, 1200])
def test_nothing_is_wider_than_the_window(live, width, lang):
    page = live(
        network(),
        lang=lang,
        data={"x1": [1, 2], "y": [0, 1]},
        page={"viewport": {"width": width, "height": 800}},
    )
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.page.locator("#picture [data-slider]").count() > 15


BOXES = """texts => texts.map((text) => {
    const { left, top, right, bottom } = text.getBoundingClientRect();
    return [[left, top, right, bottom], text.textContent];
})"""


@pytest.mark.slow
def test_long_names_do_not_make_the_page_wider(live):
    names = ("temperature_of_the_living_room_in_celsius", "a name of many words, and 中文也不短")
    x, y = (Value(1.5, label=name) for name in names)
    out = x * y
    out.label = "the_result_of_everything_in_the_world"
    options = {"page": {"viewport": {"width": 390, "height": 800}}, "title": "Title" * 20}
    page = live(out, learn=[x, y], **options).page
    page.wait_for_selector("#predicted math")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for plot in ("#curve", "#losses", "#hills"):
        boxes = page.locator(f"{plot} svg text").evaluate_all(BOXES)
        card = page.locator(plot).bounding_box()
        for (left, _, right, _), text in boxes:
            assert card["x"] - 1 <= left < right <= card["x"] + card["width"] + 1, text
        for (one, text), (other, text_) in combinations(boxes, 2):
            apart = any(one[k] >= other[k + 2] or other[k] >= one[k + 2] for k in (0, 1))
            assert apart, (text, text_)


@pytest.mark.slow
def test_a_wide_window_has_its_cards_beside_the_picture_or_below_a_low_one(live):
    page = live(line(), learn=["w"], page={"viewport": {"width": 1920, "height": 900}}).page
    places = """() => ["graph", "derivation", "descent", "valley"].map((id) => {
        const { left, right, top, bottom } = document.getElementById(id).getBoundingClientRect();
        return { left, right, top, bottom };
    })"""
    graph, board, descent, valley = page.evaluate(places)
    assert graph["right"] < board["left"] < board["right"] < descent["left"]
    assert graph["top"] == board["top"] == descent["top"]
    assert descent["left"] == valley["left"]
    page.set_viewport_size({"width": 1280, "height": 900})
    graph, board, descent, valley = page.evaluate(places)
    assert graph["left"] == descent["left"] < valley["left"] < graph["right"] < board["left"]
    assert graph["bottom"] < descent["top"] == valley["top"] < board["bottom"] + 600
    page = live(network(), page={"viewport": {"width": 1280, "height": 900}}).page
    graph, board, descent, _ = page.evaluate(places)
    assert graph["right"] < board["left"] == descent["left"]
    assert board["bottom"] < descent["top"] < graph["bottom"]


@pytest.mark.slow
def test_a_long_derivation_leaves_out_factors_of_1(live):
    page = live(dense(20))
    lines = [text for text in page.lines() if text.startswith(("∂L", "dL"))]
    assert len(lines) > 8
    assert not [text for text in lines if re.search(r"·1(?![\d.])|=1=1", text)]
    assert any(text.endswith("=1") for text in lines)
    bare = page.page.locator("#lines [data-edge]").evaluate_all(
        "all => all.filter((each) => /^[∂d]L/.test(each.textContent)).length"
    )
    assert bare >= 2  # and such a factor still lights its arrow


@pytest.mark.slow
def test_brackets_stand_only_around_factors_that_need_them_and_no_number_twice(live):
    x, w, c = (Value(n, label=label) for n, label in ((0.5, "x"), (2.0, "w"), (0.0, "c")))
    y = 1 - w * w * x
    loss = c * (y - 3) ** 2
    y.label, loss.label = "y", "L"
    page = live(loss, "#wrt=w")
    assert page.lines()[1] == "=2c(y−3)·(−2w·x)"
    sum_first = (y + w) * c
    sum_first.label = "L"
    assert "=c·(−2w·x)+c" in live(sum_first, "#wrt=w").lines()
    alone = -2 * x * w
    alone.label = "L"
    assert live(alone, "#wrt=w").lines()[:2] == ["∂L∂w", "=−2x"]
    page = live(c * w, "#wrt=w")
    assert not [text for text in page.lines() if text.count("=0") > 1]
    assert page.lines().count("=0") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scrolls"), [(390, False), (358, False), (280, True)])
def test_the_picture_fits_a_phone_and_a_frame_on_a_phone(live, width, scrolls):
    page = live(line(), page={"viewport": {"width": width, "height": 800}}).page
    frame = "document.getElementById('scroll')"
    assert page.evaluate(f"{frame}.scrollWidth > {frame}.clientWidth") is scrolls
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate(f"{frame}.scrollWidth === {frame}.clientWidth")


@pytest.mark.slow
def test_the_valley_has_the_path_of_descent_for_one_and_for_two_weights(live):
    for learn, fields in (("w", 0), (["w", "b"], 100)):
        page = live(line(), "#steps=30", data={"x": [1, 2], "y": [2, 4]}, learn=learn)
        page.page.wait_for_selector("#hills svg")
        assert page.page.locator("#hills .path").count() == 1
        areas = page.page.locator("#hills .hill").evaluate_all(
            "areas => areas.map((area) => area.getAttribute('d'))"
        )
        assert "".join(areas).count("M") >= fields
    page = live(neuron(), learn=["w", "b", "x"])
    assert not page.page.locator("#valley").is_visible()
