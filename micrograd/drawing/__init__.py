"""The computation graph as a picture: `draw_dot(root)`.

A drawing is made in three steps, each a module that can be had without the next:

- `picture`: what is shown, as boxes, operations and arrows with their texts. Any other way to
  write a graph down starts from here.
- `dot`: the picture in the DOT language; all colours and shapes are there.
- `digraph`: the DOT text as a `graphviz.Digraph`, drawn by the program that `renderer` finds.

`text` makes names harmless there; `micrograd.notation` says how numbers and names are written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from micrograd.drawing import dot
from micrograd.drawing.picture import MAX_NODES, depict
from micrograd.drawing.renderer import RendererNotFound, RenderingError
from micrograd.engine import Value

if TYPE_CHECKING:
    from micrograd.drawing.digraph import ComputationGraph

__all__ = ["MAX_NODES", "RendererNotFound", "RenderingError", "draw_dot"]


def draw_dot(
    root: Value | Iterable[Value],
    format: str = "svg",  # noqa: A002 (the name that its callers know)
    rankdir: str = "LR",
    *,
    local_partials: bool = False,
    max_nodes: int = MAX_NODES,
) -> ComputationGraph:
    """The graph below a value, or below each of several, as a `graphviz.Digraph`.

    Every value is a box with its label, `data` and `grad`; every operation an oval. The gradient is
    `—` until a backward pass has reached the value, and again after `zero_grad`. Plain numbers
    stand where they were written, within the operation. `local_partials` writes on each edge the
    derivative of the operation with respect to that operand.

    `rankdir` is the direction of reading: LR, TB, RL or BT. The result shows itself in a notebook;
    `.render(path)` writes a file, `.pipe()` returns the picture, `.source` is the DOT text. Only
    the first three need Graphviz, or `pip install 'micrograd-engine[render]'`.

    Raises ValueError if there are more than `max_nodes` values, and TypeError if something is no
    Value.

        >>> x = Value(3.0, label="x")
        >>> draw_dot(x * x + 1).render("parabola")  # doctest: +SKIP
        'parabola.svg'
    """
    direction = dot.checked_direction(rankdir)
    boxes = depict(root, local_partials=local_partials, max_nodes=max_nodes)
    from micrograd.drawing.digraph import ComputationGraph

    return ComputationGraph(
        format=format,
        graph_attr={**dot.GRAPH, "rankdir": direction},
        node_attr=dot.NODE,
        edge_attr=dot.EDGE,
        body=dot.statements(boxes, direction),
    )
