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
from micrograd.drawing.steps import Walkthrough
from micrograd.engine.graph import order
from micrograd.writing.labels import width
from micrograd.writing.numbers import number
from tests.drawing.common import SVG
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


def test_every_value_is_a_step_and_every_link_is_one():
    o = neuron()
    story = Walkthrough(o)
    kinds = [step.kind for step in story.steps]
    assert kinds.count("given") == 5
    assert kinds.count("forward") == 5
    assert kinds.count("start") == 1
    assert kinds.count("backward") == 9  # 4 operations of two operands, and tanh
    assert sorted(kinds, key=("given forward start backward".split()).index)[10:] == kinds[10:]


def test_the_last_step_knows_every_value_and_every_gradient():
    o = neuron()
    story = Walkthrough(o)
    data, gradients = story.known(len(story.steps))
    o.backward()
    assert data == [number(node.data) for node in order(o)]
    assert gradients == [number(node.grad) for node in order(o)]


def test_a_backward_step_says_before_plus_contribution_is_after():
    x = Value(3.0, label="x")
    story = Walkthrough(x * x)
    last = story.steps[-1]
    assert [line.text for line in last.lines] == [
        "x̄ += v̄₁ · ∂v₁/∂x|₂",
        "∂v₁/∂x|₂ = x = 3",
        "3 + 1 · 3 = 3 + 3 = 6",
    ]
    assert last.gradient == "6"


def test_a_graph_too_long_to_step_through_is_refused():
    x = Value(1.0)
    for _ in range(201):
        x = x + 1
    with pytest.raises(ValueError, match="202 values cannot be read"):
        Walkthrough(x)


# -------------------------------------------------------------------------------------------- page


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


def test_every_step_points_to_elements_of_the_picture():
    page = step_page(thirty())
    picture = ET.fromstring(re.search(r"<svg.*</svg>", page, re.S)[0])
    ids = {element.get("id") for element in picture.iter() if element.get("id")}
    for step in island(page)["steps"]:
        assert f"n{step['value']}" in ids
        if step["kind"] == "backward":
            assert step["edge"] in ids
            assert f"n{step['receiver']}" in ids


def test_the_picture_shows_the_final_gradients_even_without_the_script():
    o = neuron()
    picture = ET.fromstring(re.search(r"<svg.*</svg>", step_page(o), re.S)[0])
    o.backward()
    for i, node in enumerate(order(o)):
        (group,) = [g for g in picture.iter(f"{SVG}g") if g.get("id") == f"n{i}"]
        texts = [text.text for text in group.iter(f"{SVG}text")]
        assert texts[-1] == number(node.grad)
        assert texts[-3] == number(node.data)


def test_the_picture_keeps_only_what_draws():
    page = step_page(Value(1.0, label='<a href="https://x/">') * 2)
    picture = ET.fromstring(re.search(r"<svg.*</svg>", page, re.S)[0])
    tags = {element.tag.removeprefix(SVG) for element in picture.iter()}
    assert tags <= {"svg", "g", "polygon", "polyline", "path", "ellipse", "text"}
    attributes = {name for element in picture.iter() for name in element.attrib}
    assert not attributes & {"href", "onclick", "style"}


def test_a_renderer_makes_no_difference_to_a_page(monkeypatch):
    with_renderer = step_page(thirty())
    monkeypatch.setenv("MICROGRAD_DOT", "no-such-program")
    assert step_page(thirty()) == with_renderer


def test_a_placed_picture_has_no_boxes_that_overlap():
    picture = ET.fromstring(re.search(r"<svg.*</svg>", step_page(thirty()), re.S)[0])
    boxes = []
    for group in picture.iter(f"{SVG}g"):
        if "node" in group.get("class", "") and "operation" not in group.get("class"):
            outline = [*group.iter(f"{SVG}polygon")][-1].get("points")
            corners = [tuple(map(float, point.split(","))) for point in outline.split()]
            boxes.append(
                (*map(min, zip(*corners, strict=True)), *map(max, zip(*corners, strict=True)))
            )
    assert len(boxes) == 31
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


@pytest.mark.parametrize("label", HOSTILE)
def test_a_hostile_label_is_text_in_the_page(label):
    x = Value(2.0, label=label)
    page = step_page(x * x, title=label)
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "<img" not in page.lower()
    assert island(page)["values"][0]["name"]
    ET.fromstring(re.search(r"<svg.*</svg>", page, re.S)[0])


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_label_leaves_the_page_whole(label):
    page = step_page(Value(2.0, label=label) * 3, title=label)
    assert page.count("<script") == page.count("</script") == 2
    assert page.endswith("</script>\n</body>\n</html>\n")
    assert island(page)["steps"]


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="lang is one of en, zh"):
        step_page(neuron(), lang="fr")


# -------------------------------------------------------------------------------------------- film


def test_a_film_strip_has_one_picture_for_each_step(tmp_path):
    o = neuron()
    paths = film_strip(o, tmp_path / "new" / "film")
    assert [path.name for path in paths][::19] == ["step-01.svg", "step-20.svg"]
    sizes = set()
    for i, path in enumerate(paths):
        root = ET.parse(path).getroot()
        sizes.add((root.get("viewBox"), root.get("width"), root.get("height")))
        assert f"{i + 1} / 20" in [text.text for text in root.iter(f"{SVG}text")]
    assert len(sizes) == 1


def test_a_film_uncovers_values_and_then_adds_up_gradients(tmp_path):
    x = Value(3.0, label="x")
    y = x * x
    frames = [ET.parse(path).getroot() for path in film_strip(y, tmp_path)]

    def shown(frame, name):
        (group,) = [g for g in frame.iter(f"{SVG}g") if g.get("id") == name]
        texts = [text.text or "" for text in group.iter(f"{SVG}text")]
        return texts[-3], texts[-1]

    assert [shown(frame, "n0") for frame in frames] == [
        *[("3", "—")] * 3,
        ("3", "3"),
        ("3", "6"),
    ]
    assert [shown(frame, "n1") for frame in frames] == [
        ("", "—"),
        ("9", "—"),
        *[("9", "1")] * 3,
    ]
    assert "x̄ += v̄₁ · ∂v₁/∂x|₂" in [text.text for text in frames[-1].iter(f"{SVG}text")]


def test_every_picture_of_a_film_is_as_large_even_where_a_formula_is_wider_than_the_graph(tmp_path):
    x = Value(3.0, label="a name that makes formulas long")
    frames = [ET.parse(path).getroot() for path in film_strip(x * 2, tmp_path, theme="dark")]
    assert len({(frame.get("viewBox"), frame.get("width")) for frame in frames}) == 1
    for frame in frames:
        for text in frame.findall(f"{SVG}text"):
            assert float(text.get("x")) + width(text.text, 12) <= float(frame.get("width"))
