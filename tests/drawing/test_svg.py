"""The project's own SVG: what Graphviz's has, in boxes that hold their texts, and none overlap."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations
from unicodedata import normalize

import pytest
from hypothesis import example, given, settings

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.drawing.formats import WRITERS
from micrograd.drawing.metrics import text_width
from micrograd.drawing.spans import of_mark
from micrograd.drawing.typeset import typeset
from micrograd.engine.graph import order
from micrograd.writing.labels import shortened
from micrograd.writing.names import read
from micrograd.writing.names import typeset as typed
from nn import MLP
from tests.drawing.common import PURE, SVG, expression
from tests.drawing.test_text_formats import LABELS


def drawing(**options):
    z = expression()
    z.backward()
    return draw_dot(z, **options)


def path(**options):
    z = expression()
    z.backward()
    return draw_dot(z, path=order(z)[0], **options)


def near(**options):
    z = expression()
    return draw_dot(z, focus=order(z)[2], radius=1, path=order(z)[0], **options)


def shared(**options):
    """A value that is used several times, and names of the widest letters."""
    x = Value(2.0, label="WWWW@@@@MMMM")
    y = (x * x + x.exp()) * Value(1e-9, label="权重\n第二行")
    y.backward()
    return draw_dot(y, **options)


def network(**options):
    model = MLP(2, [12, 1])
    loss = (model([Value(1.0, label="x"), Value(-2.0, label="损失")]) - 1) ** 2
    loss.backward()
    return draw_dot(loss, model=model, **options)


def pair(**options):
    """So few weights that each is written down."""
    model = MLP(2, [2, 1])
    return draw_dot(model([Value(1.0), Value(2.0)]), model=model, level="neuron", **options)


PICTURES = {
    **{turn: (drawing, {"direction": turn}) for turn in ("LR", "RL", "TB", "BT")},
    "partials": (drawing, {"local_partials": True, "contributions": True}),
    "shared": (shared, {"local_partials": True, "contributions": True}),
    "shared, down": (shared, {"contributions": True, "direction": "TB"}),
    "path": (path, {"contributions": True}),
    "near": (near, {"theme": "print"}),
    "operation": (network, {"level": "operation"}),
    "neuron": (network, {"level": "neuron"}),
    "neuron, down": (network, {"level": "neuron", "direction": "TB"}),
    "layer": (network, {"level": "layer", "theme": "dark"}),
    "pair": (pair, {}),
    "pair, up": (pair, {"direction": "BT"}),
}


@pytest.fixture(params=PICTURES)
def graph(request):
    draw, options = PICTURES[request.param]
    return draw(**options)


def own(graph):
    return ET.fromstring(WRITERS["svg"](graph.picture, graph.theme))


def groups(svg):
    """Nodes and arrows by their ids."""
    found = {group.get("id"): group for group in svg.iter(f"{SVG}g")}
    return {name: each for name, each in found.items() if each.get("class")[:4] in ("node", "edge")}


def texts(group):
    return ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]


def words(group):
    return " ".join(texts(group)).split()


def letters(group):
    """All letters, in any order: scripts are parts of a text, and those above come first."""
    return sorted(normalize("NFKC", "".join(words(group))))


def points(text):
    numbers = [float(each) for each in re.findall(r"-?\d+\.\d+", text)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def box(shape):
    """Left, top, right and end of a rectangle or a polygon."""
    if shape.tag == f"{SVG}rect":
        x, y, wide, tall = (float(shape.get(name, 0)) for name in ("x", "y", "width", "height"))
        return x, y, x + wide, y + tall
    xs, ys = zip(*points(shape.get("points")), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def outline(node):
    return box(node.find(f"{SVG}rect"))


def pieces(graph):
    """The boxes and the texts of arrows."""
    layout = typeset(graph.picture).layout
    for name, (x, y) in layout.centres.items():
        wide, tall = layout.sizes[name]
        yield x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2


def notes(svg):
    return [
        each for each in groups(svg).values() if each.get("class")[:4] == "edge" and words(each)
    ]


def apart(one, other):
    return any(one[i + 2] <= other[i] or other[i + 2] <= one[i] for i in (0, 1))


# ------------------------------------------------------------------------------------- as Graphviz


@pytest.mark.slow
@pytest.mark.skipif(not PURE, reason="graphviz-pure is not installed")
def test_it_has_the_ids_the_classes_and_the_texts_of_graphviz(graph, monkeypatch):
    monkeypatch.setenv("MICROGRAD_DOT", PURE)
    theirs, ours = groups(ET.fromstring(graph.pipe("svg"))), groups(own(graph))
    assert {name: each.get("class") for name, each in ours.items()} == {
        name: each.get("class") for name, each in theirs.items()
    }
    for name in ours:
        assert letters(ours[name]) == letters(theirs[name])


def test_a_parameter_tells_the_layer_and_the_neuron_that_it_belongs_to():
    lines = typeset(network().picture).layout.lines.values()
    shown = {"".join(span.text for span in line) for each in lines for line in each}
    assert {"w(1)12,1", "w(1)12,2", "b(1)12"} <= shown


# -------------------------------------------------------------------------------------- what holds


def test_every_text_is_within_its_box(graph):
    check_texts(own(graph))


def check_texts(svg):
    for name, node in groups(svg).items():
        if node.get("class").startswith("node"):
            left, top, right, end = outline(node)
            for text, written in zip(node.iter(f"{SVG}text"), texts(node), strict=True):
                assert text.get("text-anchor") == "middle"
                size = float(text.get("font-size"))
                half = text_width(written, size) / 2 if not text.findall("[@dy]") else 0
                x, y = float(text.get("x")), float(text.get("y"))
                assert size >= 11
                assert left < x - half <= x + half < right, (name, written)
                assert top + 9 < y < end


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_box_is_a_record_of_a_title_a_value_and_a_gradient(lang):
    graph = drawing(lang=lang)
    svg, (head, line) = own(graph), (graph.theme.leaf_head, graph.theme.leaf_line)
    leaves = [each for each in groups(svg).values() if each.get("class") == "node leaf"]
    assert leaves
    for leaf in leaves:
        whole, title = leaf.iter(f"{SVG}rect")
        assert (title.get("fill"), title.get("stroke")) == (head, line)
        left, top, right, end = box(whole)
        name, numbers = (float(each.get("y")) for each in leaf.iter(f"{SVG}text"))
        assert box(title)[:3] == (left, top, right)
        assert top < name < box(title)[3] < numbers < end
        (upright,) = leaf.iter(f"{SVG}path")
        (x, low), (same, high) = points(upright.get("d"))
        assert x == same
        assert (low, high) == pytest.approx((end, box(title)[3]), abs=0.11)
        assert left + 20 < x < right - 20


def test_a_value_without_a_label_is_called_by_its_id():
    x = Value(2.0, label="x")
    svg = own(draw_dot(x * x + 1.0))
    titles = {name: each.findtext(f"{SVG}title") for name, each in groups(svg).items()}
    assert (titles["n0"], titles["n1"], titles["n2"]) == ("x", "n1", "n2")
    assert (titles["n1e0"], titles["n1out"]) == ("x → *", "* → n1")


def test_neither_boxes_nor_the_texts_of_arrows_overlap(graph):
    for one, other in combinations(pieces(graph), 2):
        assert apart(one, other)


def test_everything_is_within_the_picture(graph):
    svg = own(graph)
    left, top, wide, tall = map(float, svg.get("viewBox").split())
    assert abs(float(svg.get("width")) - wide) <= 0.6
    assert abs(float(svg.get("height")) - tall) <= 0.6
    shapes = [box(each) for each in svg.iter() if each.tag in (f"{SVG}rect", f"{SVG}polygon")]
    for path in svg.iter(f"{SVG}path"):
        shapes += [(x, y, x, y) for x, y in points(path.get("d"))]
    for each in shapes:
        assert left - 0.1 <= each[0] <= each[2] <= left + wide + 0.1
        assert top - 0.1 <= each[1] <= each[3] <= top + tall + 0.1


def test_every_arrow_begins_at_the_border_of_its_tail_and_ends_at_that_of_its_head(graph):
    found = groups(own(graph))
    axis = 1 if graph.picture.direction in ("LR", "RL") else 0
    for arrow, head in graph.picture.arrows():
        group = found[arrow.name]
        ways = [points(path.get("d")) for path in group.iter(f"{SVG}path")]
        start, (*_, before, last) = ways[0][0], ways[-1]  # a text interrupts it
        assert abs(before[axis] - last[axis]) < 0.11  # it arrives straight
        tip = points(group.find(f"{SVG}polygon").get("points"))[1]
        for at, name in ((start, arrow.tail), (tip, head)):
            left, top, right, end = outline(found[name])
            x = 2 * (at[0] - left) / (right - left) - 1  # from -1 to 1 across the box
            y = 2 * (at[1] - top) / (end - top) - 1
            assert abs(max(abs(x), abs(y)) - 1) < 0.02, (arrow.name, name)


def test_operands_arrive_in_their_order():
    x, y = Value(1.0, label="x"), Value(2.0, label="y")
    for direction, axis in (("LR", 1), ("RL", 1), ("TB", 0), ("BT", 0)):
        found = groups(own(draw_dot((y + x) - (x * 2), direction=direction)))
        entries = [
            points(found[f"n4e{k}"].find(f"{SVG}polygon").get("points"))[1][axis] for k in (0, 1)
        ]
        assert entries[0] < entries[1]


def test_at_a_neuron_arrows_arrive_in_the_order_of_where_they_come_from():
    model = MLP(4, [1])
    inputs = [Value(float(i)) for i in range(4)]
    for order_of_use in (inputs, inputs[::-1]):
        together = [sum(inputs), model(order_of_use)]
        graph = draw_dot(together, model=model, level="neuron")
        found = groups(own(graph))
        (step,) = (box.operation for box in graph.picture.boxes if box.kind == "neuron")
        heights = [
            (
                outline(found[arrow.tail])[1],
                points(found[arrow.name].find(f"{SVG}polygon").get("points"))[1][1],
            )
            for arrow in step.arrows
        ]
        assert [entry for _, entry in sorted(heights)] == sorted(entry for _, entry in heights)


def test_of_very_many_weights_none_is_written_down():
    assert notes(own(pair())) != []
    assert notes(own(network(level="neuron"))) == []


def drawn(line):
    """The text of a line of a label, in which scripts are parts of their own."""
    name = read(typed(line)) if line == line.strip() else None
    if name is None:
        return typed(line)
    return "".join(span.text for span in of_mark(name.mark))


def test_scripts_that_unicode_lacks_are_lowered_and_raised():
    svg = own(draw_dot(Value(1.0, label="w_{toes}^{test}") * 2))
    (title, *_) = groups(svg)["n0"].iter(f"{SVG}text")
    letter, one, other, _ = title
    assert letter.text == "w"
    by_text = {part.text: part for part in (one, other)}
    assert float(one.get("dy")) * float(other.get("dy")) < 0
    assert {*by_text} == {"test", "toes"}
    assert {part.get("font-size") for part in (one, other)} == {"11.2"}


@settings(deadline=None)
@example(label="A ")
@given(label=LABELS)
def test_a_label_is_shown_literally_and_leaves_its_box_in_no_way(label):
    graph = draw_dot(Value(1.0, label=label) * 2)
    lines = [drawn(line) for line in shortened(label).split("\n")] if label else []
    svg = own(graph)
    shown = texts(groups(svg)["n0"])[: len(lines)]
    assert shown == lines
    assert svg.get("{http://www.w3.org/XML/1998/namespace}space") == "preserve"
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= {
        *("svg", "g", "title", "rect", "polygon", "path", "text", "tspan")
    }
    check_texts(svg)


@pytest.mark.parametrize("draw", [drawing, network])
def test_it_is_the_same_each_time(draw):
    one, other = draw(), draw()
    if draw is network:
        other.picture = one.picture  # weights are drawn by chance
    assert WRITERS["svg"](one.picture, one.theme) == WRITERS["svg"](other.picture, other.theme)
