"""`draw_program(program)`: the instructions of a compiled function as bars."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.drawing.svg_elements import SIZE, SvgDrawing, document, text_at
from micrograd.drawing.themes import Theme, chosen, following
from micrograd.writing import languages

if TYPE_CHECKING:
    from micrograd.compiler import CompiledFunction

MOST_BARS = 200
_ROW, _BAR, _WIDEST, _MARGIN = 24, 16, 240, 16


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
    colors = chosen(theme)
    svg = following(_text(bars, colors, words), colors)
    return SvgDrawing("a program", svg, words["title"], words["caption"])


def _bars(program: Any, words: Mapping[str, str]) -> Iterator[_Bar]:
    if program.parameters:
        yield _Bar(False, program.parameters, words["parameters"])
    if program.inputs:
        yield _Bar(program.batched, program.inputs, words["inputs"])
    for instruction in program.instructions:
        count = instruction.out.stop - instruction.out.start
        yield _Bar(instruction.varies, count, instruction.told(words))


def _text(bars: list[_Bar], theme: Theme, words: Mapping[str, str]) -> str:
    shown, left_out = bars[:MOST_BARS], len(bars) - MOST_BARS
    columns = max((len(_shortened(bar.text)) for bar in shown), default=0)
    left = _MARGIN + _WIDEST + 12
    across = left + columns * SIZE * 0.56 + _MARGIN
    down = _MARGIN * 2 + (len(shown) + 2 + (left_out > 0)) * _ROW
    widest = math.log2(1 + max((bar.results for bar in shown), default=1))
    lines = []
    y = _MARGIN
    for side, varies in ((_MARGIN, False), (left, True)):
        line, fill = _colors(theme, varies)
        word = words["varying" if varies else "uniform"]
        lines.append(_rectangle(side, y, _BAR, fill, line))
        lines.append(text_at((side + _BAR + 6, y + 12), word, theme.faint))
    for bar in shown:
        y += _ROW
        line, fill = _colors(theme, bar.varies)
        breadth = max(_WIDEST * math.log2(1 + bar.results) / widest, 6)
        x = _MARGIN + (_WIDEST - breadth) / 2
        lines.append(_rectangle(x, y, breadth, fill, line))
        middle = (_MARGIN + _WIDEST / 2, y + 12)
        lines.append(text_at(middle, f"{bar.results:,}", theme.ink, anchor="middle"))
        lines.append(text_at((left, y + 12), _shortened(bar.text), theme.ink))
    if left_out > 0:
        y += _ROW
        lines.append(
            text_at((left, y + 12), words["more"].format(count=f"{left_out:,}"), theme.faint)
        )
    lines.append(text_at((_MARGIN, y + _ROW + 12), words["caption"], theme.faint))
    return document((0, 0, round(across), down), theme.paper, lines)


def _colors(theme: Theme, varies: bool) -> tuple[str, str]:
    return (theme.unit_line, theme.unit_head) if varies else (theme.leaf_line, theme.leaf_head)


def _rectangle(x: float, y: int, breadth: float, fill: str, line: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y}" width="{breadth:.1f}" height="{_BAR}" rx="3" '
        f'fill="{fill}" stroke="{line}"/>'
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 90 else text[:89] + "…"
