"""Steps, page and film strip: values appear one by one, gradients flow back, and all adds up."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd import Value, step_page
from micrograd.drawing.film import film_strip
from micrograd.drawing.steps import Known
from micrograd.drawing.walkthrough import Walkthrough
from micrograd.engine.graph import order
from micrograd.writing.numbers import rounded
from nn import MLP
from tests.drawing.common import SVG
from tests.drawing.named.graphs import ARTICLES
from tests.drawing.named.test_measures import place
from tests.drawing.test_labels import HOSTILE


def neuron():
    x1, w1 = Value(2.0, label="x1"), Value(-3.0, label="w1")
    x2, w2 = Value(0.0, label="x2"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.label = "o"
    return o


def thirty():
    """A graph of 30 values: a neuron of six inputs and its loss."""
    inputs = [Value(0.5 * i, label=f"x{i}") for i in range(1, 7)]
    weights = [Value(0.3 * i - 1, label=f"w{i}") for i in range(1, 7)]
    total = Value(0.1, label="b")
    for x, w in zip(inputs, weights, strict=True):
        total = total + x * w
    loss = (total.tanh() - Value(0.5, label="y")) ** 2
    loss.label = "L"
    return (loss * 1.5).exp()


def island(page):
    (found,) = re.findall(r'<script type="application/json" id="story">(.*?)</script>', page, re.S)
    return json.loads(found)


# ------------------------------------------------------------------------------------------- steps


def told(step):
    return [equation.text for equation in step.equations]


def test_given_values_are_in_the_order_of_their_names():
    names = ["b", "w^{(1)}_{12}", "w^{(2)}_1", "w^{(1)}_{2}", "x_10", "y", "x_2", "fans", "toes"]
    total = Value(0.0, label="x_1")
    for name in names:
        total = total + Value(1.0, label=name) * 2
    given = told(Walkthrough(total).steps[0])
    order = "x₁ x₂ x₁₀ fans toes w⁽¹⁾₂ w⁽¹⁾₁₂ w⁽²⁾₁ b y".split()
    assert [each.split(" = ")[0] for each in given] == order


@pytest.mark.slow
@pytest.mark.parametrize("article", ARTICLES)
def test_given_values_are_one_step_and_every_other_value_is_one(article):
    walk = Walkthrough(ARTICLES[article]())
    kinds = [step.kind for step in walk.steps]
    assert kinds.count("given") == kinds.count("start") == 1
    assert kinds.count("forward") == sum(box.operation is not None for box in walk.boxes)
    assert kinds.index("start") == 1 + kinds.count("forward")
    assert set(kinds[kinds.index("start") + 1 :]) <= {"backward", "sum"}


@pytest.mark.slow
@pytest.mark.parametrize("article", ARTICLES)
def test_the_steps_end_with_the_values_and_the_gradients_of_the_engine(article):
    root = ARTICLES[article]()
    walk = Walkthrough(root)
    known = Known()
    for step in walk.steps:
        known = known.after(step)
    root.backward()
    nodes = {f"n{i}": node for i, node in enumerate(order(root))}
    assert known.data == known.grads == {box.name for box in walk.boxes}
    for box in walk.boxes:
        assert box.data == rounded(nodes[box.name].data)
        assert box.grad == rounded(nodes[box.name].grad)


@pytest.mark.slow
@pytest.mark.parametrize("article", ARTICLES)
def test_a_gradient_is_shown_when_those_that_it_is_computed_from_are_known(article):
    walk = Walkthrough(ARTICLES[article]())
    users = {box.name: set() for box in walk.boxes}
    for box in walk.boxes:
        for arrow in box.operation.arrows if box.operation else ():
            users[arrow.tail].add(box.name)
    known = Known()
    for step in walk.steps:
        for name in step.receivers:
            assert known.grads.issuperset(users[name])
            assert step.kind != "backward" or users[name] <= {*step.boxes}
        known = known.after(step)


def test_a_step_has_its_formula_with_names_and_then_with_numbers():
    x, w = Value(2.0, label="x"), Value(-0.5, label="w")
    z = x * w + 3.0
    z.label = "z"
    loss = (z - 1.0) ** 2
    loss.label = "L"
    assert [told(step) for step in Walkthrough(loss).steps] == [
        ["x = 2", "w = −0.5"],
        ["z = x·w + 3 = 2·(−0.5) + 3 = 2"],
        ["L = (z − 1)² = (2 − 1)² = 1"],
        ["∂L/∂L = 1"],
        ["∂L/∂z = 2·(z − 1) = 2·(2 − 1) = 2"],
        ["∂L/∂x = ∂L/∂z·w = 2·(−0.5) = −1", "∂L/∂w = ∂L/∂z·x = 2·2 = 4"],
    ]


def test_gradients_from_several_values_are_added_in_a_step_of_their_own():
    x = Value(3.0, label="x")
    a, b = x * 2.0, x.exp()
    a.label, b.label = "a", "b"
    *_, last = Walkthrough(a * a - b).steps
    assert (last.kind, last.boxes, last.receivers) == ("sum", ("n1", "n3"), ("n0",))
    assert told(last) == ["∂v₁/∂x = ∂v₁/∂a·2 + ∂v₁/∂b·b = 12·2 + (−1)·20.09 ≈ 3.914"]


def test_factors_of_one_and_signs_are_written_as_on_a_board():
    x, y = Value(3.0, label="x"), Value(2.0, label="y")
    d = x - y
    d.label = "d"
    assert told(Walkthrough(d * d).steps[-1]) == [
        "∂v₁/∂x = ∂v₁/∂d = 2",
        "∂v₁/∂y = −∂v₁/∂d = −2",
    ]


def test_a_graph_too_long_to_step_through_is_refused():
    x = Value(1.0)
    for i in range(201):
        x = x + 1
        x.label = f"a{i}"
    with pytest.raises(ValueError, match="202 named values cannot be read"):
        step_page(x)


# -------------------------------------------------------------------------------------------- page


@pytest.mark.slow
def test_a_page_of_thirty_values_is_smaller_than_100_kilobytes():
    root = thirty()
    assert len(order(root)) == 31
    assert len(step_page(root).encode()) < 100_000


def test_a_page_is_written_where_it_was_asked_for(tmp_path):
    path = tmp_path / "page.html"
    text = step_page(neuron(), path, lang="zh", title="一个神经元")
    assert path.read_text(encoding="utf-8") == text
    assert "<title>一个神经元</title>" in text
    assert '<html lang="zh-Hans">' in text


@pytest.mark.slow
def test_a_page_is_the_same_in_every_process(monkeypatch):
    code = (
        "from tests.drawing.test_steps import *\n"
        "sys.stdout.buffer.write(step_page(thirty()).encode())"
    )
    env = {"PYTHONHASHSEED": "1", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env)
    assert done.stdout == step_page(thirty()).encode()


def test_a_page_and_a_film_change_no_gradient_and_put_no_text_there_even_for_a_moment(
    monkeypatch, tmp_path
):
    o = neuron()
    o.backward()
    before = [node.grad for node in order(o)]

    def refuse(node, name, value):
        if name == "grad" and isinstance(value, str):
            pytest.fail(f"{name} was set to {value!r}")
        object.__setattr__(node, name, value)

    monkeypatch.setattr(Value, "__setattr__", refuse)
    step_page(o)
    film_strip(o, tmp_path)
    assert [node.grad for node in order(o)] == before


@pytest.mark.slow
def test_pages_and_films_start_no_other_program(monkeypatch, tmp_path):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    step_page(thirty())
    film_strip(neuron(), tmp_path)


def test_a_page_asks_the_network_for_nothing_and_its_policy_forbids_it():
    page = step_page(neuron())
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", policy)
    outside = re.findall(r"(?:https?:|//[a-z]|url\(|\bsrc=|\bhref=|@import)[^\s]*", page)
    assert [each for each in outside if not each.startswith("http://www.w3.org/")] == []
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)


def test_the_policy_names_the_very_script_and_style_that_are_in_the_page():
    from base64 import b64encode
    from hashlib import sha256

    page = step_page(neuron())
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        assert f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'" in page


def pictures(page):
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.S)]


@pytest.mark.slow
def test_every_value_and_arrow_of_the_steps_is_in_the_pictures():
    page = step_page(thirty())
    ids = {each.get("id") for svg in pictures(page) for each in svg.iter() if each.get("id")}
    data = island(page)
    for prefix in ("wide-", "narrow-"):
        assert prefix + data["values"][-1]["id"] in ids
        assert any(prefix + name in ids for name, *_ in data["arrows"])
    drawn = {each.split("-")[1] for each in ids if "-n" in each}
    assert drawn <= {value["id"] for value in data["values"]} | {a for a, *_ in data["arrows"]}


def test_the_pictures_show_the_final_numbers_even_without_the_script():
    o = neuron()
    found = pictures(step_page(o))
    o.backward()
    nodes = {f"n{i}": node for i, node in enumerate(order(o))}
    for prefix, svg in zip(("wide-", "narrow-"), found, strict=True):
        shown = [each for each in svg.iter(f"{SVG}g") if "node" in each.get("class", "")]
        assert len(shown) == 7
        for group in shown:
            node = nodes[group.get("id").removeprefix(prefix)]
            spans = {each.get("class"): each.text.strip() for each in group.iter(f"{SVG}tspan")}
            assert spans["data"] == rounded(node.data)
            assert spans["grad"] == rounded(node.grad)


def test_the_picture_keeps_only_what_draws():
    for picture in pictures(step_page(Value(1.0, label='<a href="https://x/">') * 2)):
        tags = {element.tag.removeprefix(SVG) for element in picture.iter()}
        assert tags <= {"svg", "g", "polygon", "path", "rect", "text", "tspan", "title"}
        attributes = {name for element in picture.iter() for name in element.attrib}
        assert not attributes & {"href", "onclick", "style"}


@pytest.mark.slow
def test_a_renderer_makes_no_difference_to_a_page(monkeypatch):
    with_renderer = step_page(thirty())
    monkeypatch.setenv("MICROGRAD_DOT", "no-such-program")
    assert step_page(thirty()) == with_renderer


@pytest.mark.parametrize("label", HOSTILE)
def test_a_hostile_label_is_text_in_the_page(label):
    x = Value(2.0, label=label)
    page = step_page(x * x, title=label)
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "<img" not in page.lower()
    assert island(page)["values"][0]["name"]
    assert len(pictures(page)) == 2


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_label_leaves_the_page_whole(label):
    page = step_page(Value(2.0, label=label) * 3, title=label)
    assert page.count("<script") == page.count("</script") == 2
    assert page.endswith("</script>\n</body>\n</html>\n")
    assert island(page)["steps"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lang": "xx"}, "lang is one of en, "),
        ({"level": "operation"}, "level is one of 'named', 'neuron', 'layer'"),
        ({"level": "layer"}, "give model="),
        ({"model": MLP(2, [1])}, "none of its neurons was applied"),
        ({"digits": 0}, "digits is a number of significant digits"),
    ],
)
def test_a_wrong_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        step_page(neuron(), **options)


# -------------------------------------------------------------------------------------------- film


def test_a_film_strip_has_one_picture_for_each_step(tmp_path):
    paths = film_strip(neuron(), tmp_path / "new" / "film")
    assert [path.name for path in paths] == [f"step-0{i}.svg" for i in range(1, 7)]
    sizes = set()
    for i, path in enumerate(paths):
        root = ET.parse(path).getroot()
        sizes.add((root.get("viewBox"), root.get("width"), root.get("height")))
        captions = ["".join(text.itertext()) for text in root.findall(f"{SVG}text")]
        assert captions[0] == f"{i + 1} / 6"
    assert len(sizes) == 1


def test_a_film_uncovers_values_and_then_gradients(tmp_path):
    x = Value(3.0, label="x")
    frames = [ET.parse(path).getroot() for path in film_strip(x * x, tmp_path)]

    def shown(frame, name):
        (group,) = [g for g in frame.iter(f"{SVG}g") if g.get("id") == name]
        spans = {each.get("class"): each.text.strip() for each in group.iter(f"{SVG}tspan")}
        return spans.get("data"), spans.get("grad")

    assert [shown(frame, "n0") for frame in frames] == [*[("3", None)] * 3, ("3", "6")]
    assert [shown(frame, "n1") for frame in frames] == [
        (None, None),
        ("9", None),
        *[("9", "1")] * 2,
    ]
    assert "∂v1/∂x = 2·x = 6" in [
        "".join(text.itertext()) for text in frames[-1].iter(f"{SVG}text")
    ]


def test_every_picture_of_a_film_is_as_large_even_where_a_formula_is_wider_than_the_graph(tmp_path):
    x = Value(3.0, label="a name that makes formulas long")
    frames = [ET.parse(path).getroot() for path in film_strip(x * 2, tmp_path, theme="dark")]
    assert len({(frame.get("viewBox"), frame.get("width")) for frame in frames}) == 1
    for frame in frames:
        for text in frame.findall(f"{SVG}text"):
            left, _, right, _ = place(text)
            assert 0 < left < right < float(frame.get("width"))


def test_a_page_links_to_a_live_page_only_if_there_is_one():
    output = next(iter(ARTICLES.values()))()
    assert "<a " not in step_page(output)
    page = step_page(output, live='a "live" page.html')
    assert page.count('<a href="a &quot;live&quot; page.html" data-say="live"></a>') == 1
    assert all(words["live"] for words in island(page)["words"].values())
