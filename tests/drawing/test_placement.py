"""Boxes are placed in columns, in the order of reading, and do not overlap."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd.drawing.placement import BETWEEN, place
from tests.counting import calls


@st.composite
def graphs(draw):
    """Sizes by name, operands first, and arrows, some of which have texts."""
    count = draw(st.integers(1, 25))
    size = st.floats(1, 80)
    text = st.just((0.0, 0.0)) | st.tuples(size, size)
    sizes = {f"n{i}": (draw(size), draw(size)) for i in range(count)}
    arrows = []
    for i in range(1, count):
        for tail in draw(st.lists(st.integers(0, i - 1), max_size=3)):
            arrows.append((f"e{len(arrows)}", f"n{tail}", f"n{i}", draw(text)))
    return sizes, arrows


@pytest.mark.slow
@given(graphs())
def test_arrows_lead_forwards_through_their_texts(graph):
    sizes, arrows = graph
    placed = place(sizes, arrows, 20)
    for name, tail, head, (length, _) in arrows:
        (start, _), (end, _) = placed.centres[tail], placed.centres[head]
        way = [x for x, _ in placed.ways[name]]
        assert len(way) % 2 == 0
        assert way == sorted(way)
        assert way[0] >= start + sizes[tail][0] / 2 - 1e-6
        assert way[-1] <= end - sizes[head][0] / 2 + 1e-6
        if length:
            x, y = placed.notes[name]
            assert (name in placed.notes) is bool(length)
            (before, across), (after, still) = placed.ways[name][-3:-1]
            assert before - 1e-6 <= x - length / 2 <= x + length / 2 <= after + 1e-6
            assert across == still == y
            assert end - sizes[head][0] / 2 - after >= 10 - 1e-6
        else:
            assert name not in placed.notes


def pieces(graph, placed):
    """The corners of all boxes and of all texts, with the name of each."""
    sizes, arrows = graph
    sizes = sizes | {name: size for name, _, _, size in arrows if size[0]}
    for name, (x, y) in (placed.centres | placed.notes).items():
        length, breadth = sizes[name]
        yield x - length / 2, y - breadth / 2, x + length / 2, y + breadth / 2, name


@pytest.mark.slow
@given(graphs())
def test_neither_boxes_nor_texts_overlap(graph):
    placed = place(*graph, 20)
    for one, other in combinations(pieces(graph, placed), 2):
        along = one[2] <= other[0] + 1e-6 or other[2] <= one[0] + 1e-6
        across = one[3] + BETWEEN <= other[1] + 1e-6 or other[3] + BETWEEN <= one[1] + 1e-6
        assert along or across


@pytest.mark.slow
@given(graphs())
def test_where_arrows_go_straight_no_box_and_no_other_text_is_in_their_way(graph):
    placed = place(*graph, 20)
    found = list(pieces(graph, placed))
    for name, way in placed.ways.items():
        for (start, y), (end, _) in zip(way[1::2], way[2::2], strict=False):
            for left, top, right, below, other in found:
                if other != name and start < right - 1e-6 and end > left + 1e-6:
                    assert not top + 1e-6 < y < below - 1e-6


@pytest.mark.slow
@given(graphs())
def test_the_same_graph_is_placed_the_same(graph):
    assert place(*graph, 20) == place(*graph, 20)


def test_a_chain_is_straight_and_a_leaf_stands_before_its_use():
    sizes = dict.fromkeys("abcde", (10.0, 10.0))
    arrows = [(f"{tail}{head}", tail, head, (0, 0)) for tail, head in ("ab", "bc", "ce", "de")]
    placed = place(sizes, arrows, 20).centres
    assert len({placed[name][1] for name in "abc"}) == 1
    assert placed["d"][0] == placed["c"][0]
    assert placed["e"][1] == (placed["c"][1] + placed["d"][1]) / 2


def test_operands_keep_their_order():
    sizes = dict.fromkeys("abcx", (10.0, 10.0))
    arrows = [(name, name, "x", (0, 0)) for name in "abc"]
    placed = place(sizes, arrows, 20).centres
    assert placed["a"][1] < placed["b"][1] < placed["c"][1]


def test_nothing_is_placed_nowhere():
    assert place({}, [], 20).centres == {}


@pytest.mark.slow
def test_time_grows_as_the_graph_does():
    def work(count):
        sizes = {f"n{i}": (10.0, 10.0) for i in range(count)}
        arrows = [
            (f"e{i}{k}", f"n{tail}", f"n{i}", (0.0, 0.0))
            for i in range(1, count)
            for k, tail in enumerate((i - 1, i // 2, 0))  # near, far, and all the way
        ]
        return calls(lambda: place(sizes, arrows, 20))

    assert work(1_000) < 30 * work(125)  # 8 if linear, 64 if quadratic
