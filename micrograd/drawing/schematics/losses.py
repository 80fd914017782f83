"""Losses by iteration, on a linear axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from micrograd.derivation.curves import Frame
from micrograd.drawing.schematics.axes import SERIES, Axes, Room, legend, panels
from micrograd.drawing.schematics.canvas import MARGIN, Canvas, Words, digits, number
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme

MOST_SERIES = 6

_COUNTED = {  # the title, that with a name, and the description of each list
    "iteration": ("losses by iteration", "named by iteration", "loss by iteration"),
    "epoch": ("losses by epoch", "named by epoch", "loss by epoch"),
}
_DASHES = ("", "7 4", "2 3", "10 3 2 3", "4 2", "1 2")


class _Line(NamedTuple):
    """A list of losses, and how it is drawn."""

    title: str
    losses: Sequence[float]
    color: str
    dashes: str


def draw_losses(
    losses: Iterable[float] | Mapping[str, Iterable[float]],
    *,
    name: str = "",
    by: str = "iteration",
    beside: bool = False,
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
        by: what is counted: "iteration" or "epoch".
        beside: whether several lists are drawn side by side, each on axes of its own; where
            the picture is narrow, one below another.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if there are no losses or more than 6 lists of them, or if `by` is neither of
            its two values.

    >>> draw_losses([4.0, 2.0, 1.0]).description
    'loss: 4 at the start, 1 at iteration 2.'
    """
    canvas = Canvas(width, theme, lang)
    words = canvas.words
    several = isinstance(losses, Mapping)
    given = losses if isinstance(losses, Mapping) else {"": losses}
    read = {title: [number(x) for x in each] for title, each in given.items()}
    if not 0 < len(read) <= MOST_SERIES or not all(read.values()):
        raise ValueError(f"there are 1 to {MOST_SERIES} lists of losses, none of them empty")
    finite = [x for each in read.values() for x in each if math.isfinite(x)]
    if not finite:
        raise ValueError("none of the losses is a finite number")
    if by not in _COUNTED:
        raise ValueError(f"by is 'iteration' or 'epoch', got {by!r}")
    room = canvas.width - 2 * MARGIN
    called: Words = canvas.name(name, room, "L") if name else words["loss"]
    lines = [
        _Line(title, each, SERIES[k], _DASHES[k] if several else "")
        for k, (title, each) in enumerate(read.items())
    ]
    draw = _panels if beside and several else _together
    bottom = draw(canvas, lines, called, words[by])
    plain = called if isinstance(called, str) else called.text
    plain_title, title_with_name, sentence = _COUNTED[by]
    title = words[title_with_name if name else plain_title].format(loss=plain)
    seen = []
    for line in lines:
        loss = line.title or plain
        told = {"loss": loss, "first": digits(line.losses[0]), "last": digits(line.losses[-1])}
        seen.append(words[sentence].format(**told, count=len(line.losses) - 1))
    return canvas.drawing("losses", title, seen, bottom + 8.0)


def _together(canvas: Canvas, lines: Sequence[_Line], called: Words, by: str) -> float:
    """Draw all losses on the same axes; return the bottom."""
    top = 8.0
    if len(lines) > 1 or lines[0].title:
        entries = [(line.dashes, line.color, line.title) for line in lines]
        top = legend(canvas, top, entries, MARGIN)
    bottom = top + (220.0 if canvas.width < 500 else 300.0)
    area = (MARGIN, top, canvas.width - MARGIN, bottom)
    axes = Axes(canvas, _frame(lines), area, across=by, upward=called)
    for line in lines:
        _draw(axes, line)
    return bottom


def _panels(canvas: Canvas, lines: Sequence[_Line], called: Words, by: str) -> float:
    """Draw losses side by side or one below another; return the bottom."""

    def panel(i: int, room: Room) -> float:
        bottom = room[1] + 240.0
        axes = Axes(canvas, _frame([lines[i]]), (*room, bottom), across=by, upward=called)
        _draw(axes, lines[i]._replace(dashes=""))
        return bottom + 8.0

    return panels(canvas, [line.title for line in lines], 2, 8.0, panel)


def _frame(lines: Sequence[_Line]) -> Frame:
    """Axes from the first iteration to the last, and from zero to the highest loss."""
    losses = [x for line in lines for x in line.losses if math.isfinite(x)] or [0.0]
    last = max(len(line.losses) for line in lines) - 1
    low, high = min(0.0, *losses), max(losses)
    room = 0.06 * ((high - low) or 1.0)
    return Frame(0.0, float(max(last, 1)), low - (room if low < 0 else 0.0), high + room)


def _draw(axes: Axes, line: _Line) -> None:
    """Draw losses by iteration, with gaps where they are not finite."""
    run: list[Point] = []
    for i, x in enumerate([*line.losses, math.nan]):
        if math.isfinite(x):
            run.append((float(i), x))
            continue
        if len(run) > 1:
            axes.line(run, line.color, dashes=line.dashes)
        elif run:
            axes.dot(run[0], line.color)
        run = []
