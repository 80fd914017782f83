"""The neuron of McCulloch and Pitts (1943) beside a biological one, and a table of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from micrograd.drawing.schematics.canvas import MARGIN, SMALL, Canvas, digits
from micrograd.drawing.schematics.neurons import draw_sketch, formulas_of, sketch_of, towards
from micrograd.drawing.schematics.tables import draw_grid
from micrograd.drawing.svg_elements import SvgDrawing
from micrograd.drawing.themes import Theme


def draw_threshold_neuron(
    weights: Iterable[Any],
    threshold: float,
    inputs: Iterable[Any] | None = None,
    *,
    names: Sequence[str] = (),
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw the neuron of McCulloch and Pitts beside a biological one, and a table of both.

    It fires, which means that its output is 1, if the weighted sum exceeds the threshold.

    Args:
        weights: Values, numbers or names.
        threshold: the number that the weighted sum must exceed.
        inputs: a sample: Values or numbers. With it the sum and the output are computed.
        names: what the inputs are called; by default their labels, or x₁, x₂, ….
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if the numbers of inputs, names and weights differ.

    >>> draw_threshold_neuron([1, 1], 1.5).title  # AND
    'A biological neuron and the neuron of McCulloch and Pitts'
    """
    canvas = Canvas(width, theme, lang)
    words = canvas.words
    wide = canvas.width >= 620
    share = 0.36 * canvas.width if wide else canvas.width
    left = share + 10.0 if wide else 0.0
    told = sketch_of(canvas, list(weights), inputs, None, float(threshold), names, left=left)
    canvas.text((MARGIN, 18.0), words["biological"], anchor="start", bold=True)
    below = _biological(canvas, (MARGIN, 34.0, share - MARGIN, 214.0))
    top = 8.0 if wide else below + 10.0
    canvas.text((left + MARGIN, top + 10.0), words["artificial"], anchor="start", bold=True)
    bottom = draw_sketch(canvas, told, left, top + 28.0)
    bottom = max(below, bottom)
    bottom = canvas.formulas(bottom + 8.0, formulas_of(told, words))
    rows = [[words[left], words[right]] for left, right in _PAIRS]
    header = [words["biological"], words["artificial"]]
    bottom = draw_grid(canvas, bottom + 12.0, header, rows)
    title, seen = words["mcculloch"], words["mcculloch seen"].format(threshold=digits(threshold))
    return canvas.drawing("a threshold neuron", title, seen, bottom + 10.0)


_PAIRS = (
    ("dendrites biological", "dendrites artificial"),
    ("synapses biological", "synapses artificial"),
    ("cell biological", "cell artificial"),
    ("hillock biological", "hillock artificial"),
    ("axon biological", "axon artificial"),
)


def _biological(canvas: Canvas, area: tuple[float, float, float, float]) -> float:
    """Draw dendrites, a cell body, an axon and its terminals; return the bottom."""
    left, top, right, bottom = area
    words = canvas.words
    y = (top + bottom) / 2
    across = right - left
    soma = (left + 0.34 * across, y)
    radius = 26.0
    for rise in (-1.0, -0.4, 0.4, 1.0):
        fork = (left + 0.14 * across, y + 44.0 * rise)
        canvas.line([towards(fork, soma, radius), fork], "leaf_line", pen=3.0)
        for spread in (-14.0, 14.0):
            canvas.line([fork, (left + 4.0, fork[1] + spread)], "leaf_line", pen=1.8)
    end = left + 0.84 * across
    canvas.line([(soma[0] + radius, y), (end, y)], "weight_line", pen=4.0)
    canvas.circle(soma, radius, "unit_line", "unit_fill", 2.0)
    canvas.circle(soma, 9.0, "unit_line", "unit_head")
    for rise in (-34.0, 0.0, 34.0):
        tip = (right - 8.0, y + rise)
        canvas.line([(end, y), tip], "weight_line", pen=2.0)
        canvas.circle(tip, 5.0, "weight_line", "weight_fill")
    for key, x, anchor, height in (
        ("dendrites", left, "start", y - 76.0),
        ("cell", soma[0], "middle", y + 44.0),
        ("axon", left + 0.64 * across, "middle", y - 16.0),
        ("terminals", right, "end", y + 58.0),
    ):
        canvas.text((x, height), words[key], size=SMALL, anchor=anchor)
    return bottom
