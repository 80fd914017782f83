"""The computation graph as a picture: `draw_dot(root)`.

A drawing is made in three steps, and the code follows them:

- What is shown, without colours and positions: a `Picture` (`picture`), which `picture_builder`
  makes of a graph. `graph_view` selects the values, at a level of detail, on paths or near a value;
  `neurons` finds the neurons of a model in the graph; `boxes` writes the texts in each box and on
  each arrow.
- How it looks: `themes` has the colours, `styles` says which are used for what and what the lines
  of a box are. Each format is a module: `dot`, `mermaid`, `tikz`, `svg`, `json_graph` and
  `text_tree`. `tikz` and `svg` get their positions from `placement`.
- `computation_graph`: the DOT text as a `graphviz.Digraph`, with a list of all formats, drawn by a
  program that `renderers` finds.

`network` draws a model without its graph, `programs` the program that a function was compiled to.
`page` and `film` show the `steps` of a graph with `svg`, and need no renderer. `schematics` has the
figures of articles: a neuron, layers, curves, data, tables. `svg_elements` is shared by everything
that writes SVG.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from micrograd.drawing import dot, themes
from micrograd.drawing.film import film_strip
from micrograd.drawing.network import draw_network
from micrograd.drawing.page import step_page
from micrograd.drawing.picture import checked_direction
from micrograd.drawing.picture_builder import MAX_NODES, build_picture
from micrograd.drawing.programs import draw_program
from micrograd.drawing.renderers import RendererNotFound, RenderingError
from micrograd.drawing.schematics import (
    draw_curve,
    draw_dot_product,
    draw_layers,
    draw_losses,
    draw_matrices,
    draw_neuron,
    draw_points,
    draw_table,
    draw_threshold_neuron,
    draw_training_loop,
    draw_valley,
)
from micrograd.drawing.themes import Theme
from micrograd.engine.value import Value

if TYPE_CHECKING:
    from micrograd.drawing.computation_graph import ComputationGraph

__all__ = [
    "MAX_NODES",
    "RendererNotFound",
    "RenderingError",
    "Theme",
    "draw_curve",
    "draw_dot",
    "draw_dot_product",
    "draw_layers",
    "draw_losses",
    "draw_matrices",
    "draw_network",
    "draw_neuron",
    "draw_points",
    "draw_program",
    "draw_table",
    "draw_threshold_neuron",
    "draw_training_loop",
    "draw_valley",
    "film_strip",
    "step_page",
]


def draw_dot(
    root: Value | Iterable[Value],
    format: str = "svg",  # noqa: A002 (the name that its callers know)
    rankdir: str = "LR",
    *,
    direction: str | None = None,
    theme: str | Theme = "light",
    local_partials: bool = False,
    contributions: bool = False,
    path: Any = None,
    focus: Value | None = None,
    radius: int = 2,
    model: Any = None,
    level: str = "operation",
    names: Mapping[str, Any] | Any | None = None,
    max_nodes: int = MAX_NODES,
    lang: str = "en",
) -> ComputationGraph:
    """Draw the graph below a value, or below each of several, as a `graphviz.Digraph`.

    Every value is a box with its label, `data` and `grad`; every operation is an oval. The gradient
    is `—` until a backward pass has reached the value, and again after `zero_grad`. Plain numbers
    are shown where they were written, within the operation.

    Args:
        root: a Value, or a list of Values.
        format: the format of `.render()` and `.pipe()`, such as "svg", "png" or "pdf".
        rankdir: the direction of reading: "LR", "TB", "RL" or "BT".
        direction: the same as `rankdir`, which it overrides.
        theme: "light", "dark", "print" or a `Theme`.
        local_partials: whether to write on each arrow the derivative of the operation with respect
            to that operand.
        contributions: whether to write on each arrow what flowed back along it in the last backward
            pass, `upstream · local = contribution`, after `+=` if the gradient is a sum of several.
        path: `(x, loss)` highlights everything that leads from x to loss, and `x` everything that
            leads from x to a root; a list highlights several paths.
        focus: a value. Only what is at most `radius` operations from it is shown; dashed boxes
            count what is left out.
        radius: the number of operations around the focus.
        model: a network whose neurons and layers are framed: any object with `.layers`, whose
            members have `.neurons`, which have `.w` and `.b`.
        level: "operation"; or "neuron", to draw each neuron of the model as one box with its
            weights as arrows; or "layer", to draw each layer as one box.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        max_nodes: the most boxes that are drawn.
        lang: the language of the words in the picture, "en" or "zh".

    Returns:
        A graph that shows itself in a notebook. `.render(path)` writes a file, `.pipe()` returns
        the picture, and `.source` is the DOT text. These are drawn by Graphviz, or by the renderer
        in `pip install 'micrograd-engine[render]'`. Without either, SVG is drawn by simpler means,
        and so is PNG if resvg-py is installed; other formats are refused. `.mermaid()`, `.tikz()`,
        `.json()` and `.tree()` return the graph in other languages, and `.write(path)` chooses by
        the suffix.

    Raises:
        TypeError: if the root, the focus or the path is not made of Values.
        ValueError: if there would be more than `max_nodes` boxes, or if what is asked for is not in
            the graph.

    >>> x = Value(3.0, label="x")
    >>> graph = draw_dot(x * x + 1)
    >>> print(graph.tree(), end="")
    n2                 = □ + 1  data 10  grad —
    └── n1             = *      data 9   grad —
        ├── x                   data 3   grad —
        └── x (above)
    """
    reading = checked_direction(rankdir if direction is None else direction)
    colors = themes.chosen(theme)
    picture = build_picture(
        root,
        local_partials=local_partials,
        contributions=contributions,
        path=path,
        focus=focus,
        radius=radius,
        model=model,
        level=level,
        names=names,
        max_nodes=max_nodes,
        direction=reading,
        lang=lang,
    )
    from micrograd.drawing.computation_graph import ComputationGraph

    graph = ComputationGraph(
        format=format, body=dot.statements(picture, colors), **dot.attributes(picture, colors)
    )
    graph.picture, graph.theme = picture, colors
    return graph
