"""Pictures of training, with matplotlib: decision regions, curves, activations, weights, a film.

Each function draws into the `Axes` that it is given, or into those of a new figure that pyplot does
not know of, and returns them; `axes.figure.savefig(path)` writes the picture. The words are in the
language `lang`. With `lang="zh"` they are Chinese, if this computer has a font for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import numpy as np

from micrograd import files
from micrograd.compiler import compile  # noqa: A004
from micrograd.writing import languages
from nn.objective import evaluating, parameters_of
from nn.options import several
from nn.prediction import predict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

Array = np.ndarray[Any, Any]

# Okabe and Ito's colours, which most colour-blind people tell apart; each class has a shape too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
SHAPES = "os^DvPX*"
INK, FAINT = "#333333", "#999999"

FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
)
"""Fonts with East Asian letters; the first that is there is used where a language needs them."""


# ------------------------------------------------------------------------------- decision regions


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
    """Which class a model gives to each place in the plane of its two inputs, and the points.

    With several outputs, the class is the place of the largest. With one, outputs above `threshold`
    are the second of the two labels in y. It is the middle of the labels unless it is given: give 0
    where the labels are 0 and 1 and the output is a logit.

    The model is evaluated at `resolution` times `resolution` places.
    """
    say = _Words(lang)
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
    ax = _axes(ax, (5.6, 4.9 * height / width + 1.2 if alike else 4.8))
    if alike:
        ax.set_aspect("equal")
    _draw_regions(ax, across, up, scores)
    size = float(np.clip(6000 / len(X), 22, 45))
    for k, name in enumerate(names):
        ax.scatter(
            X[of == k, 0],
            X[of == k, 1],
            s=size,
            marker=_shape(k),
            color=_colour(k),
            edgecolors="white",
            linewidths=0.6,
            label=say("class", name=str(name).replace("-", "−")),
        )
    if wrong.any():
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": 1.2}
        ax.scatter(X[wrong, 0], X[wrong, 1], s=4 * size, label=say("wrong"), **ring)
    ax.set_title(say("right", share=1 - wrong.mean(), count=len(X)), **say.font)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    _legend_below(ax, say)
    return _tidied(ax)


def _classes(y: Any, length: int, outputs: int) -> tuple[Any, Array]:
    """The labels, and for each sample the place of its label among them."""
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
                f"a model with one output parts two classes, whose labels are numbers; y has "
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
    """A column for each class, the largest of which is the class that the model gives."""
    if outputs.ndim == 1:
        return np.column_stack([threshold - outputs, outputs - threshold])
    return outputs


def _draw_regions(ax: Axes, across: Array, up: Array, scores: Array) -> None:
    """Light fields, with white lines between them."""
    for k in range(scores.shape[1]):
        lead = scores[:, k] - np.delete(scores, k, axis=1).max(axis=1)
        lead = np.nan_to_num(lead).reshape(len(up), len(across))
        if lead.max() > 0:
            levels = [0, lead.max() * 2]
            ax.contourf(across, up, lead, levels=levels, colors=[_tint(_colour(k))], zorder=0)
        if lead.min() < 0 < lead.max():
            ax.contour(across, up, lead, levels=[0], colors="white", linewidths=1.5, zorder=0.5)


def _legend_below(ax: Axes, say: _Words) -> None:
    """Where it hides no point: under the name of the axis, however high the picture is."""
    from matplotlib.transforms import offset_copy

    figure: Any = ax.figure
    below = offset_copy(ax.transAxes, figure, y=-32, units="points")
    place: dict[str, Any] = {"bbox_to_anchor": (0.5, 0), "bbox_transform": below}
    ax.legend(loc="upper center", ncols=4, frameon=False, prop=say.properties, **place)


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _shape(k: int) -> str:
    return SHAPES[(k + k // len(SHAPES)) % len(SHAPES)]  # no pair of shape and colour comes twice


def _tint(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return tuple(0.75 + 0.25 * part for part in to_rgb(colour))


# ----------------------------------------------------------------------------------------- curves


def loss_curves(
    history: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
    *,
    lang: str = "en",
    columns: str | Sequence[str] = ("loss", "val_loss"),
) -> Axes:
    """Columns of a history by epoch, on a logarithmic scale where they fall far.

    `history` is what `fit` returns, or a dict of lists; columns that it lacks are left out.
    """
    say, columns = _Words(lang), several(columns, "columns")
    drawn = [name for name in columns if len(history.get(name, ()))]
    if not drawn:
        known = ", ".join(name for name in history if len(history[name])) or "none"
        raise ValueError(f"the history has none of {', '.join(columns)}; its columns: {known}")
    ax = _axes(ax)
    for k, name in enumerate(drawn):
        _curve(ax, history[name], _colour(k), say.column(name, columns))
    best = getattr(history, "best_epoch", None)
    if best is not None:
        ax.axvline(best, color=FAINT, linewidth=1, linestyle=":", label=say("best", epoch=best))
    _scale(ax, [history[name] for name in drawn])
    ax.set_xlabel(say("epoch"), **say.font)
    kind = drawn[0].removeprefix("val_")
    ax.set_ylabel(say("loss") if kind == "loss" else kind, **say.font)
    ax.legend(frameon=False, prop=say.properties)
    return _tidied(ax, grid=True)


def gradient_norms(source: Any, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """The length of the gradient: by epoch, of a history; by layer, of a model after `backward()`.

    Layers whose gradient is shorter and shorter towards the first one learn slower and slower.
    """
    say = _Words(lang)
    if isinstance(source, Mapping):
        if not len(source.get("gradient_norm", ())):
            raise ValueError(f"the history has no gradient_norm; its columns: {', '.join(source)}")
        ax, norms = _axes(ax), source["gradient_norm"]
        _curve(ax, norms, _colour(0), None)
        ax.set_xlabel(say("epoch"), **say.font)
    else:
        layers = [layer for layer in _layers(source) if _parameters(layer)]
        norms = [np.linalg.norm([p.grad for p in _parameters(layer)]) for layer in layers]
        ax = _axes(ax)
        ax.plot(range(1, len(norms) + 1), norms, "o-", color=_colour(0))
        ax.set_xticks(range(1, len(norms) + 1))
        ax.set_xticklabels([say.layer(i, layer) for i, layer in enumerate(layers, 1)], **say.font)
        ax.margins(x=0.15)
    _scale(ax, [norms])
    ax.set_ylabel(say("norm"), **say.font)
    return _tidied(ax, grid=True)


def _curve(ax: Axes, numbers: Sequence[float], colour: str, label: str | None) -> None:
    """Numbers of epochs 1, 2, …; of one epoch, a point."""
    from matplotlib.ticker import MaxNLocator

    shape = "o" if len(numbers) == 1 else None
    epochs = range(1, len(numbers) + 1)
    ax.plot(epochs, numbers, color=colour, linewidth=1.8, marker=shape, label=label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _scale(ax: Axes, curves: Sequence[Sequence[float]]) -> None:
    """A logarithmic scale for positive numbers that differ much."""
    numbers = np.concatenate([np.asarray(curve, dtype=float) for curve in curves])
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) and numbers.min() > 0 and numbers.max() > 10 * numbers.min():
        ax.set_yscale("log")


# -------------------------------------------------------------------------------- within a network


def activations(model: Any, X: Any, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """How the outputs of each layer are distributed over its neurons and the samples.

    The width is the share of the outputs about there. A neuron that gives 0 for every sample is
    counted as dead.
    """
    say = _Words(lang)
    X, layers = np.asarray(X, dtype=float), _layers(model)
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
    ax = _axes(ax)
    low, high = min(each.min() for each in found), max(each.max() for each in found)
    edges = np.linspace(low, high, 41) if high > low else low + np.linspace(-0.5, 0.5, 42)
    for i, outputs in enumerate(found, 1):
        counts, _ = np.histogram(outputs, edges)
        widths = 0.84 * counts / counts.max()
        ax.barh(edges[:-1], widths, np.diff(edges), i - widths / 2, align="edge", color=_colour(0))
        dead = int((outputs == 0).all(axis=1).sum())
        if dead:
            ax.text(
                i, high, say("dead", dead=dead) + "\n", ha="center", color=_colour(1), **say.font
            )
    ax.set_xticks(range(1, len(found) + 1))
    labels = [say("layer", number=i, neurons=len(each)) for i, each in enumerate(found, 1)]
    ax.set_xticklabels(labels, **say.font)
    ax.set_ylabel(say("activation"), **say.font)
    ax.margins(y=0.12)
    return _tidied(ax, grid=True)


def weights(model: Any, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """The weights of each layer of neurons, as a field of colours."""
    say = _Words(lang)
    blocks = []
    for layer in _layers(model):
        neurons = getattr(layer, "neurons", [layer] if hasattr(layer, "w") else [])
        if neurons:
            blocks.append(np.array([[v.data for v in (*n.w, n.b)] for n in neurons]))
    if not blocks:
        raise ValueError(f"{type(model).__name__} has no layers of neurons whose weights are drawn")
    ax = _axes(ax, (7, 3.6))
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
    labels = [say("layer", number=i, neurons=len(block)) for i, block in enumerate(blocks, 1)]
    ax.set_xticks(middles)
    ax.set_xticklabels(labels, **say.font)
    ax.set_yticks([])
    ax.set_xlabel(say("weights"), **say.font)
    ax.figure.colorbar(field, ax=ax)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    return ax


def _layers(model: Any) -> list[Any]:
    """What a signal goes through, one after the other."""
    return list(getattr(model, "layers", [model]))


def _parameters(layer: Any) -> list[Any]:
    return list(layer.parameters()) if hasattr(layer, "parameters") else []


# ------------------------------------------------------------------------------------------- film


def film(
    path: str | os.PathLike[str],
    X: Any = None,
    y: Any = None,
    *,
    every: int | None = None,
    seconds: float = 0.1,
    **options: Any,
) -> Callable[[Any], None]:
    """A callback for `fit` that films the decision regions while they are learned, as a GIF.

    `X` and `y` are the points that are drawn, those of the training unless given. A picture is
    taken after the first epoch, after the last, and after each that `every` divides; it stands for
    so many `seconds`. `options` are those of `decision_regions`. The file is written when training
    is over.
    """
    return _Film(path, X, y, every, seconds, options)


class _Film:
    """The pictures so far."""

    MOST = 100  # pictures, unless told how often

    def __init__(
        self, path: Any, X: Any, y: Any, every: int | None, seconds: float, options: dict[str, Any]
    ) -> None:
        _matplotlib()
        if Path(path).suffix.lower() != ".gif":
            raise ValueError(f"{os.fspath(path)!r}: a film is a .gif")
        if (X is None) != (y is None):
            raise ValueError("a film is given both X and y, or neither")
        if every is not None and every < 1:
            raise ValueError(f"every is a number of epochs, at least 1; got {every!r}")
        if not 0.02 <= seconds <= 60:
            raise ValueError(f"seconds is from 0.02 to 60 for a picture, got {seconds!r}")
        self.path, self.X, self.y = path, X, y
        self.every, self.seconds = every, seconds
        self.options = {"resolution": 100, **options}
        self.pictures: list[Image] = []
        self.last = 0

    def __call__(self, state: Any) -> None:
        """Take a picture, if it is time."""
        every = self.every or max(1, state.epochs // self.MOST)
        if state.epoch == 1 or state.epoch % every == 0:
            self._take(state)

    def finish(self, state: Any) -> None:
        """Write the film; its last picture stays for two seconds."""
        if state.epoch != self.last:
            self._take(state)
        first, *others = self.pictures
        durations = [round(1000 * self.seconds)] * len(others) + [2000]
        content = BytesIO()
        first.save(content, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
        files.replace(self.path, content.getvalue())

    def _take(self, state: Any) -> None:
        from PIL import Image

        X, y = (state.X, state.y) if self.X is None else (self.X, self.y)
        ax = decision_regions(state.model, X, y, **self.options)
        say = _Words(self.options.get("lang", "en"))
        ax.set_title(say("after", epoch=state.epoch) + ax.get_title(), **say.font)
        content = BytesIO()
        picture: Any = ax.figure
        picture.savefig(content, dpi=80)
        self.pictures.append(Image.open(content).convert("RGB").quantize(128))
        self.last = state.epoch


# ---------------------------------------------------------------------------------------- drawing


class _Words:
    """The words of a language, and the font that they need."""

    def __init__(self, lang: str) -> None:
        words = languages.words(lang, "plot")
        _matplotlib()
        from matplotlib.font_manager import get_font_names

        # Matplotlib's own font has the letters of most languages, but none of these.
        needed = any(east_asian_width(letter) == "W" for word in words.values() for letter in word)
        there = set(get_font_names()) if needed else set()
        found = [font for font in FONTS if font in there][:1]
        self.words = words if found or not needed else languages.words("en", "plot")
        self.properties = {"family": [*found, "sans-serif"]}

    def __call__(self, key: str, **values: Any) -> str:
        return self.words[key].format(**values)

    @property
    def font(self) -> dict[str, Any]:
        """For functions that make a text."""
        return {"fontfamily": self.properties["family"]}

    def layer(self, number: int, layer: Any) -> str:
        """The name of a layer, which may not be one of neurons."""
        neurons = len(getattr(layer, "neurons", [layer]))
        return self("layer", number=number, neurons=neurons)

    def column(self, name: str, columns: Sequence[str]) -> str:
        """A column by its data, if all columns are the same thing of different data."""
        if len({each.removeprefix("val_") for each in columns}) > 1:
            return name
        return self("validation" if name.startswith("val_") else "training")


def _matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"plots need matplotlib: pip install 'micrograd-engine[plot]' ({error})"
        ) from error


def _axes(ax: Axes | None, size: tuple[float, float] = (6.4, 4)) -> Axes:
    """Those given, or those of a new figure, which draws without a display."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").subplots()


def _tidied(ax: Axes, *, grid: bool = False) -> Axes:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        ax.spines[side].set_color(FAINT)
    ax.tick_params(color=FAINT, labelcolor=INK)
    if grid:
        ax.grid(axis="y", color=FAINT, alpha=0.3, linewidth=0.6)
        ax.set_axisbelow(True)
    return ax
