"""The computation graph as a picture: `draw_dot(root)`.

A drawing is made in three steps, each of which can be had without the next:

- `depiction`: what is shown, as a `picture` of `boxes`, operations and arrows with their texts.
  `scene` is the graph at a level of detail, `units` finds the neurons of a model in it, `selection`
  what is near a value or between two, and `flows` is what stands on arrows.
- A way to write the picture down, in the colours of one of the `themes` and with what `look` says
  of boxes and arrows: `dot`, `mermaid`, `tikz` and `svg` (which stand on `placement`), `data` for
  JSON, `tree` for a terminal. `formats` lists them.
- `digraph`: the DOT text as a `graphviz.Digraph`, drawn by the program that `renderer` finds.

`network` draws a model without its graph, `programs` what a function was compiled to. `page` and
`film` step through a graph with `svg`, and need no renderer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from micrograd.drawing import dot, themes
from micrograd.drawing.depiction import MAX_NODES, depict
from micrograd.drawing.film import film_strip
from micrograd.drawing.network import draw_network
from micrograd.drawing.page import step_page
from micrograd.drawing.programs import draw_program
from micrograd.drawing.renderer import RendererNotFound, RenderingError
from micrograd.drawing.themes import Theme
from micrograd.engine.value import Value

if TYPE_CHECKING:
    from micrograd.drawing.computation_graph import ComputationGraph

__all__ = [
    "MAX_NODES",
    "RendererNotFound",
    "RenderingError",
    "Theme",
    "draw_dot",
    "draw_network",
    "draw_program",
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
    names: Mapping[str, Any] | None = None,
    max_nodes: int = MAX_NODES,
    lang: str = "en",
) -> ComputationGraph:
    """The graph below a value, or below each of several, as a `graphviz.Digraph`.

    Every value is a box with its label, `data` and `grad`; every operation an oval. The gradient is
    `—` until a backward pass has reached the value, and again after `zero_grad`. Plain numbers
    stand where they were written, within the operation.

    `direction`, or `rankdir`, is that of reading: LR, TB, RL or BT. `theme` is light, dark, print
    or a `Theme`. `names=locals()` calls values without a label by the caller's variables. `lang` is
    the language of the words in the picture, "en" or "zh".

    On each arrow from an operand, `local_partials` writes the derivative of the operation with
    respect to it, and `contributions` what flowed back along it in the last backward pass,
    `upstream · local = contribution`, after `+=` where the gradient is a sum of several.

    `path=(x, loss)` highlights all that leads from x to loss; a list of pairs is several paths, and
    x alone leads to every root. `focus=value` shows what is at most `radius` operations from it;
    what is left out is counted in dashed boxes.

    `model=` frames the neurons and layers of a network: any object with `.layers`, whose members
    have `.neurons`, which have `.w` and `.b`. With `level="neuron"` a neuron is one box and its
    weights are arrows, with `level="layer"` a layer is one box.

    The result shows itself in a notebook; `.render(path)` writes a file, `.pipe()` returns the
    picture, `.source` is the DOT text. The first three are Graphviz's work, or that of
    `pip install 'micrograd-engine[render]'`; without either, SVG is drawn by simpler means, PNG if
    resvg-py is installed, and other formats are refused. `.mermaid()`, `.tikz()`, `.json()` and
    `.tree()` are the same in other languages, and `.write(path)` chooses by the suffix.

    Raises ValueError if there would be more than `max_nodes` boxes or what is asked for is not in
    the graph, and TypeError if something is no Value.

        >>> x = Value(3.0, label="x")
        >>> draw_dot(x * x + 1).render("parabola")  # doctest: +SKIP
        'parabola.svg'
    """
    reading = dot.checked_direction(rankdir if direction is None else direction)
    colors = themes.chosen(theme)
    picture = depict(
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
        format=format,
        body=dot.statements(picture, colors),
        **dot.attributes(picture, colors),
    )
    graph.picture, graph.theme = picture, colors
    return graph
