"""A drawing shows what is near a value, and counts what it leaves out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.engine.graph import operands, order
from tests.drawing.common import boxes, chain


def shown(root, focus, radius=2, **options):
    return {box.name: box for box in boxes(root, focus=focus, radius=radius, **options)}


def middle(length=9):
    """A chain, and the value in its middle."""
    out = chain(length)
    return out, order(out)[length // 2]


def test_only_what_is_within_the_radius_is_shown():
    out, centre = middle()
    assert [*shown(out, centre, 0)] == ["n4below", "n4", "n4above"]
    assert [*shown(out, centre, 1)] == ["n3below", "n3", "n4", "n5", "n5above"]
    assert [*shown(out, centre, 4)] == [*(f"n{i}" for i in range(9)), "n8above"]
    assert [*shown(out, centre, 5)] == [f"n{i}" for i in range(10)]


def test_what_is_left_out_is_counted_once_per_operation_and_once_per_value():
    x, many = Value(1.0), [Value(float(i)) for i in range(40)]
    total = Value(0.0, (x, *many), "sum")
    users = [total * i for i in range(1, 38)]
    found = shown([total, *users], total, 0)
    assert {name: box.label for name, box in found.items() if box.kind == "omitted"} == {
        "n41below": "… 41 more",
        "n41above": "… 37 more",
    }
    (below,) = found["n41"].operation.arrows
    assert (below.tail, below.omitted) == ("n41below", True)
    (above,) = found["n41above"].operation.arrows
    assert (above.tail, found["n41above"].operation.name) == ("n41", "n41above")


def test_an_operation_that_lost_one_of_its_operands_keeps_the_other():
    x, y = Value(1.0), Value(2.0)
    out = x * y.exp()
    found = shown(out, x, 1)
    assert [arrow.tail for arrow in found["n3"].operation.arrows] == ["n0", "n3below"]
    assert found["n3below"].label == "… 1 more"


def test_an_operand_used_twice_is_left_out_once():
    x = Value(1.0)
    out = x * x
    assert shown(out, out, 0)["n1below"].label == "… 1 more"
    assert shown(out, x, 0)["n0above"].label == "… 1 more"


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=15),
    st.integers(0, 4),
    st.integers(0, 30),
)
def test_near_is_what_a_walk_of_that_many_operations_reaches(pairs, radius, which):
    values = [Value(1.0), Value(2.0)]
    for i, j in pairs:
        values.append(values[i % len(values)] * values[j % len(values)])
    nodes = order(values[-1])
    centre = nodes[which % len(nodes)]

    def distances(start):
        """Operations from each value below `start` up to it."""
        found = {start: 0}
        for node in reversed(order(start)):
            for operand in operands(node):
                found[operand] = min(found.get(operand, math.inf), found[node] + 1)
        return found

    def reaches(node):
        down = distances(centre).get(node, math.inf)
        return min(down, distances(node).get(centre, math.inf)) <= radius

    found = shown(values[-1], centre, radius)
    kept = {f"n{i}" for i, node in enumerate(nodes) if reaches(node)}
    assert {name for name, box in found.items() if box.kind != "omitted"} == kept
    for i, node in enumerate(nodes):
        if f"n{i}" in kept:
            lost = {each for each in operands(node) if not reaches(each)}
            label = found[f"n{i}below"].label if f"n{i}below" in found else ""
            assert label == (f"… {len(lost)} more" if lost else "")


def test_everything_is_shown_where_the_radius_is_large():
    out, centre = middle()
    assert boxes(out, focus=centre, radius=100) == boxes(out)


@pytest.mark.slow
def test_a_focus_allows_a_graph_that_is_too_large_as_a_whole():
    out = chain(100_000)
    assert len(boxes(out, focus=out, radius=3)) == 5
    with pytest.raises(ValueError, match=r"a drawing of 1,001 values .* smaller radius"):
        draw_dot(out, focus=out, radius=1_000)


@pytest.mark.parametrize("radius", [-1, 1.0, "2", None, True])
def test_a_radius_that_is_no_number_of_operations_is_refused(radius):
    with pytest.raises(ValueError, match="radius is a number of operations, 0 or more"):
        draw_dot(Value(1.0).exp(), focus=Value(1.0), radius=radius)


def test_a_focus_that_is_not_in_the_graph_is_refused():
    with pytest.raises(ValueError, match="focus: 'elsewhere' is not in this graph"):
        draw_dot(Value(1.0), focus=Value(2.0, label="elsewhere"))
    with pytest.raises(TypeError, match="focus is a Value, got str"):
        draw_dot(Value(1.0), focus="x")


def test_every_format_says_what_is_left_out():
    out, centre = middle()
    graph = draw_dot(out, focus=centre, radius=1)
    assert graph.tree().count("… 1 more") == 2
    assert graph.json().count('"label": "… 1 more"') == 2
    assert graph.mermaid().count("#8230;#32;1#32;more") == 2
    assert graph.tikz().count(",dashed") == 4
    assert "(n3below)" in graph.tikz()
    assert graph.source.count("… 1 more") == 2
    assert "style=dashed" in graph.source


def test_what_is_left_out_is_drawn_with_a_dashed_border(renderer):
    out, centre = middle()
    svg = draw_dot(out, focus=centre, radius=1).pipe(encoding="utf-8")
    assert svg.count("stroke-dasharray") >= 4  # two borders, two arrows
    assert "1 more" in svg.replace("&#160;", " ").replace("\xa0", " ")
