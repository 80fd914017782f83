"""Decision regions: which class a model gives to each place in a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nn.plots.axes import INK, Words, colour, new_axes, tidied
from nn.prediction import predict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]
SHAPES = "os^DvPX*"


def decision_regions(
    model: Any,
    X: Any,
    y: Any,
    ax: Axes | None = None,
    *,
    lang: str = "en",
    threshold: float | None = None,
    resolution: int = 200,
) -> Axes:
    """Draw which class a model gives to each place in the plane of its two inputs, and the samples.

    Args:
        model: a model with two inputs. With several outputs, the class is the index of the largest.
            With one, it is the larger of the two labels if the output is above `threshold`.
        X: the samples, of shape (samples, 2).
        y: the labels, of shape (samples,), or rows of zeros and a one.
        ax: the axes to draw into; those of a new figure by default.
        lang: the language of the words, such as `"en"` or `"zh"`.
        threshold: for a model with one output. The default is the middle of the two labels; give 0
            if the labels are 0 and 1 and the output is a logit.
        resolution: the model is evaluated at `resolution * resolution` places.

    Returns:
        The axes. Samples that are classified wrong have a ring.

    Raises:
        ValueError: if X does not have two columns, or if the labels do not fit X and the outputs.

    >>> from nn import MLP
    >>> model = MLP(2, [1], initializer="zeros")
    >>> decision_regions(model, [[0, 0], [1, 1]], [-1, 1], resolution=5).get_title()
    '50.0% of 2 points correct'
    """
    say = Words(lang)
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != 2 or not len(X):
        raise ValueError(f"regions are drawn in a plane, so X has two columns; got {X.shape}")
    outputs = predict(model, X)
    names, of = _classes(y, len(X), 1 if outputs.ndim == 1 else outputs.shape[1])
    if outputs.ndim == 1 and threshold is None:
        threshold = float(np.mean(names))
    wrong = _scores(outputs, threshold).argmax(axis=1) != of
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.08 * np.where(high > low, high - low, 1)
    across, up = np.linspace(low - margin, high + margin, resolution).T
    places = np.column_stack([each.ravel() for each in np.meshgrid(across, up)])
    scores = _scores(predict(model, places), threshold)

    width, height = (high - low + 2 * margin).tolist()
    alike = width < 3 * height < 9 * width
    ax = new_axes(ax, (5.6, 4.9 * height / width + 1.2 if alike else 4.8))
    if alike:
        ax.set_aspect("equal")
    _draw_regions(ax, across, up, scores)
    size = float(np.clip(6000 / len(X), 22, 45))
    for k, name in enumerate(names):
        label = f"{name:g}" if isinstance(name, float) else str(name)
        ax.scatter(
            X[of == k, 0],
            X[of == k, 1],
            s=size,
            marker=_shape(k),
            color=colour(k),
            edgecolors="white",
            linewidths=0.6,
            label=say("class", name=label.replace("-", "−")),
        )
    if wrong.any():
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": 1.2}
        ax.scatter(X[wrong, 0], X[wrong, 1], s=4 * size, label=say("wrong"), **ring)
    ax.set_title(say("right", share=1 - wrong.mean(), count=len(X)), **say.font)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    _legend_below(ax, say)
    return tidied(ax)


def _classes(y: Any, length: int, outputs: int) -> tuple[Any, Array]:
    """Return the labels, and for each sample the index of its label among them."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        y = y.argmax(axis=1)
    y = y.ravel()
    if len(y) != length:
        raise ValueError(f"X has {length} samples, but y has {len(y)} labels")
    names, of = np.unique(y, return_inverse=True)
    if outputs == 1:
        if len(names) != 2 or names.dtype.kind not in "biuf":
            raise ValueError(
                f"a model with one output separates two classes, whose labels are numbers; y has "
                f"{names[:4].tolist()}"
            )
    elif names.dtype.kind in "biuf" and set(names.tolist()) <= set(range(outputs)):
        return np.arange(outputs), y.astype(int)
    elif len(names) != outputs:
        raise ValueError(
            f"the model has {outputs} outputs, one for each class, and y has {len(names)} labels "
            f"that are not numbers from 0 to {outputs - 1}"
        )
    return names, of


def _scores(outputs: Array, threshold: float | None) -> Array:
    """Return a column for each class; the largest number of a row is at the class of the model."""
    if outputs.ndim == 1:
        return np.column_stack([threshold - outputs, outputs - threshold])
    return outputs


def _draw_regions(ax: Axes, across: Array, up: Array, scores: Array) -> None:
    """Draw a pale field for each class, with white lines between the fields."""
    for k in range(scores.shape[1]):
        lead = scores[:, k] - np.delete(scores, k, axis=1).max(axis=1)
        lead = np.nan_to_num(lead).reshape(len(up), len(across))
        if lead.max() > 0:
            levels = [0, lead.max() * 2]
            ax.contourf(across, up, lead, levels=levels, colors=[_tint(colour(k))], zorder=0)
        if lead.min() < 0 < lead.max():
            ax.contour(across, up, lead, levels=[0], colors="white", linewidths=1.5, zorder=0.5)


def _legend_below(ax: Axes, say: Words) -> None:
    """Draw the legend below the label of the axis, where it hides no point."""
    from matplotlib.transforms import offset_copy

    figure: Any = ax.figure
    below = offset_copy(ax.transAxes, figure, y=-32, units="points")
    place: dict[str, Any] = {"bbox_to_anchor": (0.5, 0), "bbox_transform": below}
    ax.legend(loc="upper center", ncols=4, frameon=False, prop=say.properties, **place)


def _tint(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return tuple(0.75 + 0.25 * part for part in to_rgb(colour))


def _shape(k: int) -> str:
    return SHAPES[(k + k // len(SHAPES)) % len(SHAPES)]  # no two of 64 classes look alike
