"""Plots of training, with Matplotlib: decision regions, curves, activations, weights, and films.

Each function draws into the axes `ax`, or into those of a new figure, which pyplot does not know,
and returns them; `axes.figure.savefig(path)` writes the picture. The words are in the language
`lang`. With `lang="zh"` they are Chinese if this computer has a font for them, and English
otherwise.

>>> axes = loss_curves({"loss": [1.0, 0.5], "val_loss": [1.0, 0.75]})
>>> [text.get_text() for text in axes.get_legend().get_texts()]
['training', 'validation']
"""

from nn.plots.axes import COLOURS, FAINT, FONTS, INK
from nn.plots.curves import gradient_norms, loss_curves
from nn.plots.films import film
from nn.plots.networks import activations, weights
from nn.plots.regions import SHAPES, decision_regions

__all__ = [
    "COLOURS",
    "FAINT",
    "FONTS",
    "INK",
    "SHAPES",
    "activations",
    "decision_regions",
    "film",
    "gradient_norms",
    "loss_curves",
    "weights",
]
