"""A drawing shows each operation with its symbol, its constants and its operands in order."""

import json
import re

import pytest

from micrograd import Value, define, maximum, where
from micrograd.drawing import draw_dot
from tests.drawing.common import boxes


def arrivals(graph):
    """For each arrow (tail, head, x, y) with the place of its tip, y upwards."""
    drawn = json.loads(graph.pipe("json"))
    names = {node["_gvid"]: node["name"] for node in drawn["objects"]}
    return [
        (
            names[edge["tail"]],
            names[edge["head"]],
            *map(float, edge["pos"].split()[0].split(",")[1:]),
        )
        for edge in drawn["edges"]
    ]


def operations(root):
    return [box.operation.text for box in boxes(root) if box.operation]


def edges(graph):
    return re.findall(r"^\t(\w+) -> (\w+)", graph.source, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("build", "shown"),
    [
        (lambda x, y: x + y, "+"),
        (lambda x, y: x - y, "-"),
        (lambda x, y: x * y, "*"),
        (lambda x, y: x / y, "/"),
        (lambda x, y: x**y, "**"),
        (lambda x, y: -x, "neg"),
        (lambda x, y: x.tanh(), "tanh"),
        (lambda x, y: x.relu(), "ReLU"),
        (lambda x, y: x < y, "<"),
        (lambda x, y: maximum(x, y), "maximum"),
        (lambda x, y: where(x, y, x), "where"),
        (lambda x, y: x + 1, "□ + 1"),
        (lambda x, y: 0 + x, "0 + □"),
        (lambda x, y: x - 0.5, "□ - 0.5"),
        (lambda x, y: 2 - x, "2 - □"),
        (lambda x, y: x * -3, "□ * (-3)"),
        (lambda x, y: 1 / x, "1 / □"),
        (lambda x, y: x**2, "□**2"),
        (lambda x, y: x**-1, "□**-1"),
        (lambda x, y: (-2) ** x, "(-2)**□"),
        (lambda x, y: x > 0, "□ > 0"),
        (lambda x, y: maximum(0, x), "maximum(0, □)"),
        (lambda x, y: where(x, y, 0), "where(□, □, 0)"),
        (lambda x, y: where(x > 0, 1, -1), "where(□, 1, -1)"),
    ],
)
def test_an_operation_shows_its_symbol_with_constants_where_they_were_written(build, shown):
    assert operations(build(Value(2.0), Value(3.0)))[-1] == shown


def test_an_operation_of_a_user_shows_the_symbol_of_its_row():
    blend = define("blend_for_drawing", "x * y + x", ["y + 1", "x"], symbol="⊕")
    x = Value(2.0)
    assert operations(blend(x, x)) == ["⊕"]
    assert operations(blend(x, 3)) == ["□ ⊕ 3"]
    clip = define("clip_for_drawing", "x * y + z", ["y", "x", "1"], symbol="±")
    assert operations(clip(x, 1, 2)) == ["±(□, 1, 2)"]


def test_an_operand_used_twice_has_two_arrows():
    x = Value(3.0)
    assert edges(draw_dot(x * x)) == [("n0", "n1op"), ("n0", "n1op"), ("n1op", "n1")]


def test_a_constant_is_no_node():
    assert len(boxes(2 - Value(1.0) * 3)) == 3


def test_operations_made_by_hand_are_drawn_with_all_their_operands():
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    out = Value(6.0, (x, y, z, x), "sum<4>")
    assert operations(out) == ["sum<4>"]
    assert edges(draw_dot(out)) == [(n, "n3op") for n in ("n0", "n1", "n2", "n0")] + [
        ("n3op", "n3")
    ]
    assert operations(Value(3.0, (x, y))) == ["?"]
    assert operations(Value(1.0, (), "+")) == []  # no operand: a leaf


@pytest.mark.parametrize(
    ("rankdir", "axis", "sign"), [("LR", 3, -1), ("RL", 3, -1), ("TB", 2, 1), ("BT", 2, 1)]
)
def test_operands_arrive_in_their_order(renderer, rankdir, axis, sign):
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    both = where(a - b, b - a, c * a) / (b * b - a)
    graph = draw_dot(both, rankdir=rankdir)
    written, placed = {}, {}
    for tail, head in edges(graph):
        if head.endswith("op"):
            written.setdefault(head, []).append(tail)
    for end in sorted(arrivals(graph), key=lambda end: sign * end[axis]):
        if end[1].endswith("op"):
            placed.setdefault(end[1], []).append(end[0])
    assert len(written) == 7
    assert placed == written
