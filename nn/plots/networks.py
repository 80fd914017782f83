"""What is inside a network: activations and weights, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler import compile  # noqa: A004
from nn.objective import evaluating, parameters_of
from nn.plots.axes import Words, colour, label_layers, new_axes, tidied

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def activations(model: Any, X: Any, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw how the outputs of each layer are distributed over its neurons and the samples.

    The width of a shape is the share of the outputs near that value. Neurons whose output is 0 for
    every sample are counted as dead.

    Args:
        model: a network with `layers`, or one layer.
        X: the inputs, of shape (samples, inputs).
        ax: the axes to draw into; those of a new figure by default.
        lang: the language of the words, such as `"en"` or `"zh"`.

    Returns:
        The axes.

    >>> from nn import MLP
    >>> axes = activations(MLP(2, [4, 1]), [[0.5, -1.0], [1.0, 2.0]])
    >>> [label.get_text().splitlines() for label in axes.get_xticklabels()]
    [['layer 1', 'neurons: 4'], ['layer 2', 'neurons: 1']]
    """
    say = Words(lang)
    X, layers = np.asarray(X, dtype=float), layers_of(model)
    if X.ndim != 2 or not len(X):
        raise ValueError(f"X has a row for each sample, got shape {X.shape}")

    def signals(row: Any) -> list[list[Any]]:
        found = [row]
        with evaluating(model):
            for layer in layers:
                out = layer(found[-1])
                found.append(list(out) if isinstance(out, list | tuple) else [out])
        return found[1:]

    program = compile(signals, parameters_of(model), batched=True)
    found = [np.array(columns) for columns in program(X)]
    ax = new_axes(ax)
    low, high = min(each.min() for each in found), max(each.max() for each in found)
    edges = np.linspace(low, high, 41) if high > low else low + np.linspace(-0.5, 0.5, 42)
    for i, outputs in enumerate(found, 1):
        counts, _ = np.histogram(outputs, edges)
        widths = 0.84 * counts / counts.max()
        ax.barh(edges[:-1], widths, np.diff(edges), i - widths / 2, align="edge", color=colour(0))
        dead = int((outputs == 0).all(axis=1).sum())
        if dead:
            ax.text(
                i, high, say("dead", dead=dead) + "\n", ha="center", color=colour(1), **say.font
            )
    label_layers(ax, say, range(1, len(found) + 1), [len(outputs) for outputs in found])
    ax.set_ylabel(say("activation"), **say.font)
    ax.margins(y=0.12)
    return tidied(ax, grid=True)


def weights(model: Any, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw the weights of each layer of neurons as a field of colours.

    There is a row for each neuron, and a column for each input; the last column is the bias.

    Args:
        model: a network with `layers`, one layer or one neuron.
        ax: the axes to draw into; those of a new figure by default.
        lang: the language of the words, such as `"en"` or `"zh"`.

    Returns:
        The axes.

    Raises:
        ValueError: if no layer has neurons.

    >>> from nn import MLP
    >>> weights(MLP(2, [4, 1])).get_xlabel()
    'one row for each neuron, with its bias last'
    """
    say = Words(lang)
    blocks = []
    for layer in layers_of(model):
        neurons = getattr(layer, "neurons", [layer] if hasattr(layer, "w") else [])
        if neurons:
            blocks.append(np.array([[v.data for v in (*n.w, n.b)] for n in neurons]))
    if not blocks:
        raise ValueError(f"{type(model).__name__} has no layers of neurons whose weights are drawn")
    ax = new_axes(ax, (7, 3.6))
    largest = max(np.abs(block).max() for block in blocks) or 1.0
    left, middles = 0.0, []
    for block in blocks:
        rows, columns = block.shape
        width = float(np.clip(columns / rows, 0.6, 2.5))
        field = ax.pcolormesh(
            left + np.linspace(0, width, columns + 1),
            np.linspace(0, 1, rows + 1),
            block[::-1],
            cmap="PuOr",
            vmin=-largest,
            vmax=largest,
        )
        middles.append(left + width / 2)
        left += width + 0.25
    label_layers(ax, say, middles, [len(block) for block in blocks])
    ax.set_yticks([])
    ax.set_xlabel(say("weights"), **say.font)
    ax.figure.colorbar(field, ax=ax)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    return ax


def layers_of(model: Any) -> list[Any]:
    """Return the layers through which a signal passes, in order."""
    return list(getattr(model, "layers", [model]))
