"""What `draw_dot` hands back: a `Digraph` whose text is the same in every process."""

import os
import subprocess
import sys

import graphviz
import pytest

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.engine.graph import order
from tests.drawing.common import boxes, expression


def test_a_drawing_is_a_digraph_whose_first_three_parameters_are_positional():
    graph = draw_dot(expression(), "png", "TB")
    assert isinstance(graph, graphviz.Digraph)
    assert graph.format == "png"
    assert "rankdir=TB" in graph.source
    assert draw_dot(expression()).format == "svg"
    assert "rankdir=LR" in draw_dot(expression()).source


def test_importing_the_room_imports_neither_graphviz_nor_numpy():
    program = (
        "import micrograd.drawing, sys; print({'graphviz', 'numpy', 'subprocess'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


def test_a_copy_and_a_subgraph_draw_themselves_too(renderer):
    graph = draw_dot(expression())
    assert graph.copy().pipe() == graph.pipe()
    with graph.subgraph(name="cluster_more") as more:
        more.node("more")
    assert b"more" in graph.pipe()


def test_nodes_are_named_in_topological_order():
    z = expression()
    shown = boxes(z)
    assert [box.name for box in shown] == [f"n{i}" for i in range(len(order(z)))]
    assert [box.label for box in shown] == [node.label for node in order(z)]
    assert [box.operation.name for box in shown if box.operation] == [
        "n2op",
        "n3op",
        "n4op",
        "n5op",
        "n6op",
    ]


@pytest.mark.slow
def test_the_text_is_the_same_in_every_process():
    program = (
        "from tests.drawing.test_computation_graph import expression, draw_dot\n"
        "import sys\n"
        "z = expression(); z.backward()\n"
        "sys.stdout.buffer.write(draw_dot(z, local_partials=True).source.encode())"
    )
    env = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True)
    z = expression()
    z.backward()
    assert done.stdout == draw_dot(z, local_partials=True).source.encode()


def test_several_roots_share_what_is_below_them():
    x = Value(2.0, label="x")
    together = draw_dot([x * x, x + 1, x])
    assert together.source.count("<B>x</B>") == 1
    assert len(boxes(iter([x * x, x + 1]))) == 3
