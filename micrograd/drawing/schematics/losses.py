"""Losses by iteration, on a linear axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from micrograd.derivation.curves import Frame
from micrograd.drawing.schematics.axes import SERIES, Axes, legend
from micrograd.drawing.schematics.canvas import MARGIN, Canvas, Words, digits
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing.notation import named

MOST_SERIES = 6

_DASHES = ("", "7 4", "2 3", "10 3 2 3", "4 2", "1 2")


def draw_losses(
    losses: Iterable[float] | Mapping[str, Iterable[float]],
    *,
    name: str = "",
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw a loss by iteration on a linear axis, from zero up.

    For a logarithmic axis, and for what `fit` returns, see `nn.plots.loss_curves`.

    Args:
        losses: the loss before the first iteration and after each; or a dict from titles to such
            lists, to compare them.
        name: what the loss is called; "loss" in the language by default.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if there are no losses, or more than 6 lists of them.

    >>> draw_losses([4.0, 2.0, 1.0]).description
    'loss: 4 at the start, 1 at iteration 2.'
    """
    canvas = Canvas(width, theme, lang)
    words = canvas.words
    several = isinstance(losses, Mapping)
    read = {
        title: [float(getattr(x, "data", x)) for x in each]
        for title, each in (dict(losses) if isinstance(losses, Mapping) else {"": losses}).items()
    }
    if not 0 < len(read) <= MOST_SERIES or not all(read.values()):
        raise ValueError(f"there are 1 to {MOST_SERIES} lists of losses, none of them empty")
    finite = [x for each in read.values() for x in each if math.isfinite(x)]
    if not finite:
        raise ValueError("none of the losses is a finite number")
    called: Words = named(name) if name else words["loss"]
    top = 8.0
    if several:
        entries = [(_DASHES[k], SERIES[k], title) for k, title in enumerate(read)]
        top = legend(canvas, top, entries, MARGIN)
    bottom = top + (220.0 if canvas.width < 500 else 300.0)
    axes = Axes(
        canvas,
        _frame(finite, max(map(len, read.values())) - 1),
        (MARGIN, top, canvas.width - MARGIN, bottom),
        across=words["iteration"],
        upward=called,
    )
    seen = []
    for k, (title, each) in enumerate(read.items()):
        _line(axes, each, SERIES[k], _DASHES[k] if several else "")
        loss = title or (called if isinstance(called, str) else called.text)
        told = {"loss": loss, "first": digits(each[0]), "last": digits(each[-1])}
        seen.append(words["loss seen"].format(**told, count=len(each) - 1))
    return canvas.drawing("losses", words["losses"], " ".join(seen), bottom + 8.0)


def _frame(losses: Sequence[float], last: int) -> Frame:
    """Axes from the first iteration to the last, and from zero to the highest loss."""
    low, high = min(0.0, *losses), max(losses)
    room = 0.06 * ((high - low) or 1.0)
    return Frame(0.0, float(max(last, 1)), low - (room if low < 0 else 0.0), high + room)


def _line(axes: Axes, losses: Sequence[float], color: str, dashes: str) -> None:
    """Draw losses by iteration, with gaps where they are not finite."""
    run: list[Point] = []
    for i, x in enumerate([*losses, math.nan]):
        if math.isfinite(x):
            run.append((float(i), x))
            continue
        if len(run) > 1:
            axes.line(run, color, dashes=dashes)
        elif run:
            axes.dot(run[0], color)
        run = []
