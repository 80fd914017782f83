"""The computation graph as a picture: `draw_dot(root)`.

A drawing is made in three steps, and the code follows them:

- What is shown, without colours and positions: a `Picture` (`picture`), which `picture_builder`
  makes of a graph. `graph_view` selects the values, at a level of detail, on paths or near a value;
  `neurons` finds the neurons of a model in the graph; `boxes` writes the texts in each box and on
  each arrow.
- How it looks: `themes` has the colours, `styles` says which are used for what and what the lines
  of a box are. Each format is a module: `dot`, `mermaid`, `tikz`, `svg`, `json_graph` and
  `text_tree`. `tikz` and `svg` draw lines of `spans`, measured by `metrics`, where `placement` has
  put them; `typeset` makes these of a picture.
- `named` makes the compact picture, one box for each named value, with typeset formulas.
- `formulas` draws derivations, which `setting` sets in two dimensions.
- `graphs` has `draw_dot` and `draw`. Their result is a `computation_graph`: the DOT text as a
  `graphviz.Digraph`, drawn by a program that `renderers` finds, in one of the `formats`.

`network` draws a model without its graph, `programs` the program that a function was compiled to.
`page` and `film` show the `steps` of a compact picture and need no renderer; `layered` has those of
a network's layers, and `walkthrough` what a page shows. `schematics` has the figures of articles: a
neuron, layers, curves, data, tables. `svg_elements` is shared by everything that writes SVG.
"""

from __future__ import annotations

from micrograd.drawing.film import film, film_strip
from micrograd.drawing.formulas import draw_formula
from micrograd.drawing.graphs import draw, draw_dot
from micrograd.drawing.network import draw_network
from micrograd.drawing.page import step_page
from micrograd.drawing.picture_builder import MAX_NODES
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

__all__ = [
    "MAX_NODES",
    "RendererNotFound",
    "RenderingError",
    "Theme",
    "draw",
    "draw_curve",
    "draw_dot",
    "draw_dot_product",
    "draw_formula",
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
    "film",
    "film_strip",
    "step_page",
]
