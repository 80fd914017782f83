"""`draw_program(program)`: the instructions of a compiled function as bars."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.drawing.metrics import text_width
from micrograd.drawing.schematics.canvas import SMALL, Canvas
from micrograd.drawing.svg_elements import SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing import languages

if TYPE_CHECKING:
    from micrograd.compiler import CompiledFunction

MOST_BARS = 200
_ROW, _BAR, _WIDEST, _MARGIN, _WIDTH = 24.0, 16.0, 240.0, 16.0, 390.0


class _Bar(NamedTuple):
    varies: bool
    results: int
    text: str


def draw_program(
    program: CompiledFunction, *, theme: str | Theme = "light", lang: str = "en"
) -> SvgDrawing:
    """Draw the program of the last call of a compiled function, from parameters to results.

    Each bar is an instruction. Its width grows with the number of results, and its colour shows
    whether they are computed for each sample or once for the whole batch.

    Args:
        program: what `micrograd.compile` returned; it must have been called.
        theme: "light", "dark", "print" or a `Theme`.
        lang: the language of the words, "en" or "zh".

    Returns:
        An SVG, which shows itself in a notebook; `.write(path)` writes it to a file.

    Raises:
        ValueError: if the function was not called yet, because only a call makes a program.

    >>> from micrograd import compile
    >>> f = compile(lambda x, y: (x * y).tanh() + x, batched=True, backend="numpy")
    >>> f([0.5, 1.0], [2.0, 3.0]).shape
    (2,)
    >>> draw_program(f)  # doctest: +ELLIPSIS
    <a drawing of a program, ... characters of SVG>
    """
    words = languages.words(lang, "program")
    bars = list(_bars(program.program, words))
    canvas = Canvas(_WIDTH, theme, lang)
    bottom = _draw(canvas, bars, words)
    return canvas.drawing("a program", words["title"], words["caption"], bottom)


def _bars(program: Any, words: Mapping[str, str]) -> Iterator[_Bar]:
    if program.parameters:
        yield _Bar(False, program.parameters, words["parameters"])
    if program.inputs:
        yield _Bar(program.batched, program.inputs, words["inputs"])
    for instruction, text in zip(program.instructions, program.told(words), strict=True):
        count = instruction.out.stop - instruction.out.start
        yield _Bar(instruction.varies, count, text)


def _draw(canvas: Canvas, bars: list[_Bar], words: Mapping[str, str]) -> float:
    """Draw what the colours mean, then the bars; return the bottom."""
    shown, left_out = bars[:MOST_BARS], len(bars) - MOST_BARS
    left, y = _MARGIN + _WIDEST + 12, _MARGIN + _BAR / 2
    longest = max((text_width(_shortened(bar.text), SMALL) for bar in shown), default=0.0)
    canvas.width = max(_WIDTH, round(left + longest + _MARGIN))
    widest = math.log2(1 + max((bar.results for bar in shown), default=1))

    def box(middle: float, breadth: float, varies: bool) -> None:
        line, fill = ("unit_line", "unit_head") if varies else ("leaf_line", "leaf_head")
        canvas.box((middle - breadth / 2, y - _BAR / 2), (breadth, _BAR), line, fill, 3.0)

    def write(x: float, text: str, color: str = "faint", anchor: str = "start") -> None:
        canvas.text((x, y), text, color, size=SMALL, anchor=anchor)

    for side, key, varies in ((_MARGIN, "uniform", False), (left, "varying", True)):
        box(side + _BAR / 2, _BAR, varies)
        write(side + _BAR + 6, words[key])
    for bar in shown:
        y += _ROW
        middle = _MARGIN + _WIDEST / 2
        box(middle, max(_WIDEST * math.log2(1 + bar.results) / widest, 6), bar.varies)
        write(middle, f"{bar.results:,}", "ink", "middle")
        write(left, _shortened(bar.text), "ink")
    if left_out > 0:
        y += _ROW
        write(left, words["more"].format(count=f"{left_out:,}"))
    y += _ROW
    write(_MARGIN, words["caption"])
    return y + _BAR / 2 + _MARGIN


def _shortened(text: str) -> str:
    return text if len(text) <= 90 else text[:89] + "…"
