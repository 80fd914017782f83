"""The project's own SVG: what Graphviz's has, in boxes that hold their texts, and none overlap."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from hypothesis import example, given, settings

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.drawing.computation_graph import WRITERS
from micrograd.engine.graph import order
from micrograd.writing.labels import shortened, width
from micrograd.writing.names import Symbol, read, typeset
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
    return ["".join(text.itertext()).replace("\xa0", " ") for text in group.iter(f"{SVG}text")]


def points(text):
    numbers = [float(each) for each in re.findall(r"-?\d+\.\d+", text)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def box(shape):
    """Left, top, right and end of a polygon or an ellipse."""
    if shape.tag == f"{SVG}ellipse":
        x, y, rx, ry = (float(shape.get(name)) for name in ("cx", "cy", "rx", "ry"))
        return x - rx, y - ry, x + rx, y + ry
    xs, ys = zip(*points(shape.get("points")), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def outline(node):
    shapes = [each for each in node if each.tag in (f"{SVG}ellipse", f"{SVG}polygon")]
    return box(shapes[-1])


def notes(svg):
    """The papers on which texts of arrows stand."""
    for group in groups(svg).values():
        if group.get("class")[:4] == "edge" and texts(group):
            yield box([*group.iter(f"{SVG}polygon")][-1])


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
        assert [text.strip() for text in texts(ours[name])] == [
            text.strip() for text in texts(theirs[name])
        ]


def test_a_parameter_tells_the_layer_and_the_neuron_that_it_belongs_to():
    shown = [texts(group) for group in groups(own(network())).values()]
    of_neuron_12 = {text for each in shown for text in each} & {"w⁽¹⁾₁₂,₁", "w⁽¹⁾₁₂,₂", "b⁽¹⁾₁₂"}
    assert len(of_neuron_12) == 3


# -------------------------------------------------------------------------------------- what holds


def test_every_text_is_within_its_box(graph):
    check_texts(own(graph))


def check_texts(svg):
    for name, node in groups(svg).items():
        if node.get("class").startswith("node"):
            left, top, right, end = outline(node)
            for text in node.iter(f"{SVG}text"):
                x, y, room = float(text.get("x")), float(text.get("y")), width(text.text or "", 12)
                begin = x - room / 2 if text.get("text-anchor") else x
                assert left < begin, name
                assert begin + room < right, (name, text.text)
                assert top + 9 < y < end


def test_numbers_keep_to_their_cells(graph):
    for node in groups(own(graph)).values():
        for path in node.findall(f"{SVG}path"):
            for rule in re.findall(r"M([-\d.]+),[-\d.]+v", path.get("d")):
                *_, number, word, _ = node.iter(f"{SVG}text")
                assert float(number.get("x")) + width(number.text, 12) <= float(rule)
                assert float(rule) < float(word.get("x"))


def test_neither_boxes_nor_the_texts_of_arrows_overlap(graph):
    svg = own(graph)
    nodes = [outline(node) for node in groups(svg).values() if node.get("class").startswith("node")]
    for one, other in combinations([*nodes, *notes(svg)], 2):
        assert apart(one, other)


def test_everything_is_within_the_picture(graph):
    svg = own(graph)
    left, top, wide, tall = map(float, svg.get("viewBox").split())
    assert abs(float(svg.get("width")) - wide) <= 0.6
    assert abs(float(svg.get("height")) - tall) <= 0.6
    shapes = [box(each) for each in svg.iter() if each.tag in (f"{SVG}ellipse", f"{SVG}polygon")]
    for path in svg.iter(f"{SVG}path"):
        if not re.search("[hv]", path.get("d")):
            shapes += [(x, y, x, y) for x, y in points(path.get("d"))]
    for each in shapes:
        assert left - 0.1 <= each[0] <= each[2] <= left + wide + 0.1
        assert top - 0.1 <= each[1] <= each[3] <= top + tall + 0.1


def test_every_arrow_begins_at_the_border_of_its_tail_and_ends_at_that_of_its_head(graph):
    found = groups(own(graph))
    axis = 1 if graph.picture.direction in ("LR", "RL") else 0
    for arrow, head in graph.picture.arrows():
        group = found[arrow.name]
        start, *_, before, last = points(group.find(f"{SVG}path").get("d"))
        assert abs(before[axis] - last[axis]) < 0.11  # it arrives straight
        tip = points(group.find(f"{SVG}polygon").get("points"))[1]
        for at, name in ((start, arrow.tail), (tip, head)):
            left, top, right, end = outline(found[name])
            x = 2 * (at[0] - left) / (right - left) - 1  # from -1 to 1 across the box
            y = 2 * (at[1] - top) / (end - top) - 1
            is_round = found[name].find(f"{SVG}ellipse") is not None
            reach = (x * x + y * y) ** 0.5 if is_round else max(abs(x), abs(y))
            assert abs(reach - 1) < 0.02, (arrow.name, name)


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
            (outline(found[arrow.tail])[1], points(found[arrow.name][1].get("points"))[1][1])
            for arrow in step.arrows
        ]
        assert [entry for _, entry in sorted(heights)] == sorted(entry for _, entry in heights)


def test_of_very_many_weights_none_is_written_down():
    assert list(notes(own(pair()))) != []
    assert list(notes(own(network(level="neuron")))) == []


def drawn(line):
    """The text of a line of a label, in which scripts may be parts of their own."""
    symbol = read(typeset(line)) if line == line.strip() else None
    return "".join(text for text, _ in symbol.runs) if isinstance(symbol, Symbol) else typeset(line)


def test_scripts_that_unicode_lacks_are_lowered_and_raised():
    svg = own(draw_dot(Value(1.0, label="w_{toes}^{test}") * 2))
    (title, *_) = groups(svg)["n0"].iter(f"{SVG}text")
    above, below = title
    assert (title.text, above.text, below.text) == ("w", "test", "toes")
    assert float(above.get("dy")) < 0 < float(below.get("dy"))
    assert above.get("font-size") == below.get("font-size") == "9"


@settings(deadline=None)
@example(label="A ")
@given(label=LABELS)
def test_a_label_is_shown_literally_and_leaves_its_box_in_no_way(label):
    graph = draw_dot(Value(1.0, label=label) * 2)
    lines = [drawn(line) for line in shortened(label).split("\n")] if label else []
    svg = own(graph)
    assert texts(groups(svg)["n0"])[: len(lines)] == [line.replace("\xa0", " ") for line in lines]
    assert svg.get("{http://www.w3.org/XML/1998/namespace}space") == "preserve"
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= {
        *("svg", "g", "polygon", "path", "ellipse", "text", "tspan")
    }
    check_texts(svg)


@pytest.mark.parametrize("draw", [drawing, network])
def test_it_is_the_same_each_time(draw):
    one, other = draw(), draw()
    if draw is network:
        other.picture = one.picture  # weights are drawn by chance
    assert WRITERS["svg"](one.picture, one.theme) == WRITERS["svg"](other.picture, other.theme)
