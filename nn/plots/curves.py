"""Curves over the epochs of training: losses, metrics and gradient norms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nn.options import several
from nn.plots.axes import FAINT, Words, colour, label_layers, new_axes, tidied
from nn.plots.networks import layers_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def loss_curves(
    history: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
    *,
    lang: str = "en",
    columns: str | Sequence[str] = ("loss", "val_loss"),
) -> Axes:
    """Draw columns of a history by epoch, on a logarithmic scale if they fall far.

    Args:
        history: what `fit` returns, or a dict of lists.
        ax: the axes to draw into; those of a new figure by default.
        lang: the language of the words, such as `"en"` or `"zh"`.
        columns: the names of one column or several; those that the history lacks are left out.

    Returns:
        The axes.

    Raises:
        ValueError: if the history has none of the columns.

    >>> loss_curves({"loss": [1.0, 0.5]}).get_ylabel()
    'loss'
    """
    say, columns = Words(lang), several(columns, "columns")
    drawn = [name for name in columns if len(history.get(name, ()))]
    if not drawn:
        known = ", ".join(name for name in history if len(history[name])) or "none"
        raise ValueError(f"the history has none of {', '.join(columns)}; its columns: {known}")
    ax = new_axes(ax)
    for k, name in enumerate(drawn):
        _curve(ax, history[name], colour(k), say.column(name, columns))
    best = getattr(history, "best_epoch", None)
    if best is not None:
        ax.axvline(best, color=FAINT, linewidth=1, linestyle=":", label=say("best", epoch=best))
    _scale(ax, [history[name] for name in drawn])
    ax.set_xlabel(say("epoch"), **say.font)
    kind = drawn[0].removeprefix("val_")
    ax.set_ylabel(say("loss") if kind == "loss" else kind, **say.font)
    ax.legend(frameon=False, prop=say.properties)
    return tidied(ax, grid=True)


def gradient_norms(source: Any, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw the norm of the gradient: by epoch for a history, or by layer for a model.

    If the norms of the layers shrink towards the first one, it learns the slowest.

    Args:
        source: what `fit` returns, a dict of lists, or a model after `backward()`.
        ax: the axes to draw into; those of a new figure by default.
        lang: the language of the words, such as `"en"` or `"zh"`.

    Returns:
        The axes.

    Raises:
        ValueError: if the history has no column `gradient_norm`.

    >>> gradient_norms({"gradient_norm": [1.0, 0.5]}).get_xlabel()
    'epoch'
    """
    say = Words(lang)
    if isinstance(source, Mapping):
        if not len(source.get("gradient_norm", ())):
            raise ValueError(f"the history has no gradient_norm; its columns: {', '.join(source)}")
        ax, norms = new_axes(ax), source["gradient_norm"]
        _curve(ax, norms, colour(0), None)
        ax.set_xlabel(say("epoch"), **say.font)
    else:
        layers = [layer for layer in layers_of(source) if _gradient(layer)]
        norms = [np.linalg.norm(_gradient(layer)) for layer in layers]
        ax, places = new_axes(ax), range(1, len(norms) + 1)
        ax.plot(places, norms, "o-", color=colour(0))
        label_layers(ax, say, places, [len(getattr(each, "neurons", [each])) for each in layers])
        ax.margins(x=0.15)
    _scale(ax, [norms])
    ax.set_ylabel(say("norm"), **say.font)
    return tidied(ax, grid=True)


def _gradient(layer: Any) -> list[float]:
    return [p.grad for p in layer.parameters()] if hasattr(layer, "parameters") else []


def _curve(ax: Axes, numbers: Sequence[float], colour: str, label: str | None) -> None:
    """Draw the numbers of epochs 1, 2, …; a single one as a point."""
    from matplotlib.ticker import MaxNLocator

    shape = "o" if len(numbers) == 1 else None
    epochs = range(1, len(numbers) + 1)
    ax.plot(epochs, numbers, color=colour, linewidth=1.8, marker=shape, label=label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _scale(ax: Axes, curves: Sequence[Sequence[float]]) -> None:
    """Set a logarithmic scale if the numbers are positive and differ much."""
    numbers = np.concatenate([np.asarray(curve, dtype=float) for curve in curves])
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) and numbers.min() > 0 and numbers.max() > 10 * numbers.min():
        ax.set_yscale("log")
