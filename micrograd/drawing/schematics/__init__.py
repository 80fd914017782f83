"""Schematics for articles, drawn from a model, data or a function.

Each function returns a drawing in plain SVG for a given width in pixels, in a language and a
theme, with a title and a description of what is seen. `canvas` draws words, formulas and shapes;
`axes` is a plot, and `activations` says what neurons do; the other modules have the functions.
"""

from micrograd.drawing.schematics.curves import draw_curve, draw_valley
from micrograd.drawing.schematics.layers import draw_layers
from micrograd.drawing.schematics.loop import draw_training_loop
from micrograd.drawing.schematics.losses import draw_losses
from micrograd.drawing.schematics.matrices import draw_matrices
from micrograd.drawing.schematics.neurons import draw_neuron
from micrograd.drawing.schematics.points import draw_points
from micrograd.drawing.schematics.tables import draw_dot_product, draw_table
from micrograd.drawing.schematics.threshold import draw_threshold_neuron

__all__ = [
    "draw_curve",
    "draw_dot_product",
    "draw_layers",
    "draw_losses",
    "draw_matrices",
    "draw_neuron",
    "draw_points",
    "draw_table",
    "draw_threshold_neuron",
    "draw_training_loop",
    "draw_valley",
]
