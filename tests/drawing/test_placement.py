"""Boxes are placed in columns, in the order of reading, and do not overlap."""

import time
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from micrograd.drawing.placement import BETWEEN, place


@st.composite
def graphs(draw):
    """Sizes by name, operands first, and arrows."""
    count = draw(st.integers(1, 25))
    size = st.floats(1, 80)
    sizes = {f"n{i}": (draw(size), draw(size)) for i in range(count)}
    arrows = []
    for i in range(1, count):
        for tail in draw(st.lists(st.integers(0, i - 1), max_size=3)):
            arrows.append((f"e{len(arrows)}", f"n{tail}", f"n{i}", draw(st.floats(0, 40))))
    return sizes, arrows


@given(graphs())
def test_arrows_lead_forwards_with_room_for_their_texts(graph):
    sizes, arrows = graph
    placed = place(sizes, arrows, 20)
    for name, tail, head, room in arrows:
        (start, _), (end, _) = placed.centres[tail], placed.centres[head]
        bends = placed.bends.get(name, [])
        last = bends[-1][0] if bends else start
        assert end - last >= 20 + room + sizes[head][0] / 2 - 1e-6
        along = [start, *(x for x, _ in bends), end]
        assert along == sorted(along)


@given(graphs())
def test_boxes_do_not_overlap(graph):
    sizes, arrows = graph
    placed = place(sizes, arrows, 20).centres
    for one, other in combinations(sizes, 2):
        (x1, y1), (x2, y2) = placed[one], placed[other]
        along = abs(x1 - x2) >= (sizes[one][0] + sizes[other][0]) / 2
        across = abs(y1 - y2) >= (sizes[one][1] + sizes[other][1]) / 2 + BETWEEN - 1e-6
        assert along or across


@given(graphs())
def test_the_same_graph_is_placed_the_same(graph):
    assert place(*graph, 20) == place(*graph, 20)


def test_a_chain_is_straight_and_a_leaf_stands_before_its_use():
    sizes = dict.fromkeys("abcde", (10.0, 10.0))
    arrows = [("1", "a", "b", 0), ("2", "b", "c", 0), ("3", "c", "e", 0), ("4", "d", "e", 0)]
    placed = place(sizes, arrows, 20).centres
    assert len({placed[name][1] for name in "abc"}) == 1
    assert placed["d"][0] == placed["c"][0]
    assert placed["e"][1] == (placed["c"][1] + placed["d"][1]) / 2


def test_operands_keep_their_order():
    sizes = dict.fromkeys("abcx", (10.0, 10.0))
    arrows = [(name, name, "x", 0) for name in "abc"]
    placed = place(sizes, arrows, 20).centres
    assert placed["a"][1] < placed["b"][1] < placed["c"][1]


def test_nothing_is_placed_nowhere():
    assert place({}, [], 20).centres == {}


def test_time_grows_as_the_graph_does():
    def seconds(count):
        sizes = {f"n{i}": (10.0, 10.0) for i in range(count)}
        arrows = [
            (f"e{i}{k}", f"n{tail}", f"n{i}", 0.0)
            for i in range(1, count)
            for k, tail in enumerate((i - 1, i // 2, 0))  # near, far, and all the way
        ]
        best = float("inf")
        for _ in range(2):
            start = time.perf_counter()
            place(sizes, arrows, 20)
            best = min(best, time.perf_counter() - start)
        return best

    assert seconds(4_000) < 30 * seconds(500)  # 8 if linear, 64 if quadratic
