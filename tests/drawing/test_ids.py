"""Every element of an SVG has a name that programs can rely on, and its kind as a class."""

import xml.etree.ElementTree as ET

import pytest

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.engine.graph import operands, order
from nn import MLP
from tests.drawing.common import SVG, boxes, expression


def groups(graph):
    """The class of each group of the SVG by its id."""
    svg = ET.fromstring(graph.pipe("svg"))
    return {group.get("id"): group.get("class", "").split() for group in svg.iter(f"{SVG}g")}


def test_values_operations_and_arrows_have_the_ids_that_topological_order_gives(renderer):
    z = expression()
    found = groups(draw_dot(z))
    wanted = {"graph0": ["graph"]}
    for i, node in enumerate(order(z)):
        wanted[f"n{i}"] = ["node", "value" if node._row else "leaf"]
        if node._row:
            wanted[f"n{i}op"] = ["node", "operation"]
            wanted[f"n{i}out"] = ["edge"]
        for k, operand in enumerate(operands(node)):
            if isinstance(operand, Value):
                wanted[f"n{i}e{k}"] = ["edge"]
    assert found == wanted


def test_operands_are_counted_with_the_numbers_that_stand_in_the_formula():
    x = Value(2.0)
    assert [arrow.name for arrow in boxes(x * x)[1].operation.arrows] == ["n1e0", "n1e1"]
    assert [arrow.name for arrow in boxes(x * 2)[1].operation.arrows] == ["n1e0"]
    assert [arrow.name for arrow in boxes(2 - x)[1].operation.arrows] == ["n1e1"]


def test_what_is_highlighted_and_what_is_left_out_has_classes(renderer):
    x, y = Value(2.0), Value(3.0)
    out = (x * y).exp()
    found = groups(draw_dot(out, path=x))
    assert {name for name, kinds in found.items() if "path" in kinds} == {
        *("n0", "n2", "n2op", "n3", "n3op"),
        *("n2e0", "n2out", "n3e0", "n3out"),
    }
    assert {name for name, kinds in found.items() if "aside" in kinds} == {"n1", "n2e1"}
    found = groups(draw_dot(out, focus=y, radius=1))
    assert found["n2below"] == ["node", "omitted"]
    assert found["n2above"] == ["node", "omitted"]
    assert {"n2belowe", "n2abovee", "n2", "n1"} <= set(found)


def test_a_name_does_not_depend_on_what_is_in_focus():
    z = expression()
    whole = {box.name: (box.label, box.data) for box in boxes(z)}
    near = {box.name: (box.label, box.data) for box in boxes(z, focus=z) if box.kind != "omitted"}
    assert near.items() < whole.items()


@pytest.mark.parametrize("level", ["operation", "neuron", "layer"])
def test_ids_are_unique_at_every_level(renderer, level):
    model = MLP(2, [2, 1])
    loss = sum((model([Value(1.0), x]) - 1) ** 2 for x in (2.0, 3.0))
    svg = draw_dot(loss, model=model, level=level).pipe("svg")
    ids = [element.get("id") for element in ET.fromstring(svg).iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert ("layer1neuron2sample1" in ids) is (level == "operation")
