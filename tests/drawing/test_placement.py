"""Boxes are placed in columns, in the order of reading, and do not overlap."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd.drawing.placement import BETWEEN, place
from tests.counting import calls


def columns(sizes, arrows):
    """The column of each box: after everything that it is made from."""
    found = dict.fromkeys(sizes, 0)
    for _, tail, head in arrows:
        found[head] = max(found[head], found[tail] + 1)
    return found


def placed_of(graph):
    return place(*graph, columns(*graph), 20, lane=4.0)


@st.composite
def graphs(draw):
    """Sizes by name, operands first, and arrows."""
    count = draw(st.integers(1, 25))
    size = st.floats(1, 80)
    sizes = {f"n{i}": (draw(size), draw(size)) for i in range(count)}
    arrows = []
    for i in range(1, count):
        for tail in draw(st.lists(st.integers(0, i - 1), max_size=3)):
            arrows.append((f"e{len(arrows)}", f"n{tail}", f"n{i}"))
    return sizes, arrows


@pytest.mark.slow
@given(graphs())
def test_arrows_lead_forwards(graph):
    sizes, arrows = graph
    placed = placed_of(graph)
    for name, tail, head in arrows:
        (start, _), (end, _) = placed.centres[tail], placed.centres[head]
        way = [x for x, _ in placed.ways[name]]
        assert len(way) % 2 == 0
        assert way == sorted(way)
        assert way[0] >= start + sizes[tail][0] / 2 - 1e-6
        assert way[-1] <= end - sizes[head][0] / 2 + 1e-6


def pieces(graph, placed):
    """The corners of all boxes, with the name of each."""
    sizes, _ = graph
    for name, (x, y) in placed.centres.items():
        length, breadth = sizes[name]
        yield x - length / 2, y - breadth / 2, x + length / 2, y + breadth / 2, name


@pytest.mark.slow
@given(graphs())
def test_no_boxes_overlap(graph):
    placed = placed_of(graph)
    for one, other in combinations(pieces(graph, placed), 2):
        along = one[2] <= other[0] + 1e-6 or other[2] <= one[0] + 1e-6
        across = one[3] + BETWEEN <= other[1] + 1e-6 or other[3] + BETWEEN <= one[1] + 1e-6
        assert along or across


@pytest.mark.slow
@given(graphs())
def test_where_arrows_go_straight_no_box_is_in_their_way(graph):
    placed = placed_of(graph)
    found = list(pieces(graph, placed))
    for way in placed.ways.values():
        for (start, y), (end, _) in zip(way[1::2], way[2::2], strict=False):
            for left, top, right, below, _ in found:
                if start < right - 1e-6 and end > left + 1e-6:
                    assert not top + 1e-6 < y < below - 1e-6


@pytest.mark.slow
@given(graphs())
def test_the_same_graph_is_placed_the_same(graph):
    assert placed_of(graph) == placed_of(graph)


def test_a_chain_is_straight_and_a_box_stands_between_its_neighbours():
    sizes = dict.fromkeys("abcde", (10.0, 10.0))
    arrows = [(f"{tail}{head}", tail, head) for tail, head in ("ab", "bc", "ce", "de")]
    layers = {"a": 0, "b": 1, "c": 2, "d": 2, "e": 3}
    placed = place(sizes, arrows, layers, 20, lane=4.0).centres
    assert len({placed[name][1] for name in "abc"}) == 1
    assert placed["d"][0] == placed["c"][0]
    assert placed["e"][1] == (placed["c"][1] + placed["d"][1]) / 2


def test_operands_keep_their_order():
    sizes = dict.fromkeys("abcx", (10.0, 10.0))
    arrows = [(name, name, "x") for name in "abc"]
    placed = place(sizes, arrows, columns(sizes, arrows), 20, lane=4.0).centres
    assert placed["a"][1] < placed["b"][1] < placed["c"][1]


def test_nothing_is_placed_nowhere():
    assert place({}, [], {}, 20, lane=4.0).centres == {}


@pytest.mark.slow
def test_time_grows_as_the_graph_does():
    def work(count):
        sizes = {f"n{i}": (10.0, 10.0) for i in range(count)}
        arrows = [
            (f"e{i}{k}", f"n{tail}", f"n{i}")
            for i in range(1, count)
            for k, tail in enumerate((i - 1, i // 2, 0))  # near, far, and all the way
        ]
        return calls(lambda: place(sizes, arrows, columns(sizes, arrows), 20, lane=4.0))

    assert work(1_000) < 30 * work(125)  # 8 if linear, 64 if quadratic
