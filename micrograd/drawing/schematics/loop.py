"""The loop of training: predict, measure the loss, go back, change the weights, repeat."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd.drawing.schematics.activations import called
from micrograd.drawing.schematics.canvas import BODY, MARGIN, NAME, Canvas, shortened
from micrograd.drawing.spans import of_mark, wrapped
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing import notation
from micrograd.writing.notation import Formula, named

_STATIONS = ("forward", "compare", "backward", "update")
_ROLES = (
    ("leaf_line", "leaf_fill"),
    ("loss_line", "loss_fill"),
    ("backward", "paper"),
    ("weight_line", "weight_fill"),
)


def draw_training_loop(
    *,
    lr: float | None = None,
    iterations: int | None = None,
    names: tuple[str, str] = ("w", "L"),
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw the loop of training: forward pass, loss, backward pass and update.

    Args:
        lr: the learning rate, a number in the formula of the update; η by default.
        iterations: how often the loop is run; not shown by default.
        names: what a weight and the loss are called.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    >>> draw_training_loop(lr=0.03, iterations=100).title
    'The loop of training'
    """
    canvas = Canvas(width, theme, lang)
    words = canvas.words
    wide = canvas.width >= 560
    across = min(0.42 * (canvas.width - 2 * MARGIN), 280.0) if wide else canvas.width - 74.0
    room = (across - 110.0) / 2  # the longest line is − 0.03·∂L/∂w
    weight, loss = (canvas.name(each, room, s) for each, s in zip(names, "wL", strict=True))
    slope = notation.quotient(loss, weight)
    # A derivative within a line: ∂L/∂w.
    line = ("mrow", ("mo", "∂"), loss.mark, ("mo", "/"), ("mo", "∂"), weight.mark)
    rate = notation.number(lr) if lr is not None else named("eta")
    change = ("mrow", weight.mark, ("mo", "−"), rate.mark, ("mo", "·"), *line[1:])
    guess = named("y_hat")
    pair = notation.point([guess, named("y")])
    formulas = (
        notation.equation([guess, called("f", named("x"))]),
        Formula(f"{loss.text}{pair.text}", ("mrow", loss.mark, pair.mark)),
        Formula(slope.text, line),
        Formula("", ("mrow", weight.mark, ("mtext", " ← "), change)),
    )
    bottom = _ring(canvas, formulas, across) if wide else _column(canvas, formulas, across)
    repeat = words["repeat" if iterations is None else "repeat times"].format(count=iterations)
    title = words["loop"]
    if wide:
        canvas.text((canvas.width / 2, bottom / 2 + 4.0), repeat, "faint")
    else:
        bottom = canvas.paragraph(bottom + 6.0, [repeat], "faint")
    seen = words["loop seen"].format(repeat=repeat)
    return canvas.drawing("a loop", title, seen, bottom + 10.0)


def _station(canvas: Canvas, k: int, formula: Formula, middle: Point, size: Point) -> None:
    """A box with its number, what is done, and the formula."""
    x, y = middle
    canvas.box((x - size[0] / 2, y - size[1] / 2), size, *_ROLES[k], 10.0)
    title = shortened(f"{k + 1}. {canvas.words[_STATIONS[k]]}", size[0] - 16.0, BODY)
    lines = wrapped(of_mark(formula.mark), size[0] - 20.0, NAME)[:2]
    top = y - 12.0 * (len(lines) + 1)
    canvas.text((x, top + 11.0), title)
    for i, line in enumerate(lines):
        canvas.text((x, top + 35.0 + 24.0 * i), line, size=NAME)


def _ring(canvas: Canvas, formulas: Sequence[Formula], across: float) -> float:
    """Four boxes in a ring, clockwise; return the bottom."""
    size = (across, 88.0)
    left, right = MARGIN + across / 2, canvas.width - MARGIN - across / 2
    gap = min(right - left, 420.0)
    left, right = canvas.width / 2 - gap / 2, canvas.width / 2 + gap / 2
    high, low = 14.0 + size[1] / 2, 14.0 + size[1] / 2 + 150.0
    places = ((left, high), (right, high), (right, low), (left, low))
    for k, (formula, place) in enumerate(zip(formulas, places, strict=True)):
        _station(canvas, k, formula, place, size)
    half, rise = across / 2 + 3.0, size[1] / 2 + 3.0
    canvas.line([(left + half, high), (right - half, high)], tip=True, pen=2.0)
    canvas.line([(right, high + rise), (right, low - rise)], tip=True, pen=2.0)
    canvas.line([(right - half, low), (left + half, low)], tip=True, pen=2.0)
    canvas.line([(left, low - rise), (left, high + rise)], tip=True, pen=2.0)
    return low + size[1] / 2 + 4.0


def _column(canvas: Canvas, formulas: Sequence[Formula], across: float) -> float:
    """Four boxes one below another, and an arrow back to the first; return the bottom."""
    size = (across, 84.0)
    x, step = MARGIN + size[0] / 2, size[1] + 28.0
    top = 14.0 + size[1] / 2
    for k, formula in enumerate(formulas):
        y = top + step * k
        _station(canvas, k, formula, (x, y), size)
        if k:
            canvas.line(
                [(x, y - step + size[1] / 2 + 3.0), (x, y - size[1] / 2 - 3.0)], tip=True, pen=2.0
            )
    edge, back = MARGIN + size[0] + 3.0, canvas.width - MARGIN - 12.0
    low = top + step * 3
    canvas.line([(edge, low), (back, low), (back, top), (edge, top)], tip=True, pen=2.0)
    return low + size[1] / 2 + 4.0
