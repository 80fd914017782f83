"""`draw_formula(explanation)`: formulas as a picture, for media that cannot show mathematics.

`setting` sets the marks in two dimensions. Each run of letters has its length as an attribute, so
that a formula keeps its shape in another font.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Protocol

from micrograd.derivation.document import Block, Equations, Let, right_sides
from micrograd.derivation.explanation import Explanation
from micrograd.drawing.named.builder import checked_width
from micrograd.drawing.named.roles import ROLES, roles_of
from micrograd.drawing.setting import Run, Setter, Setting, Stroke, run
from micrograd.drawing.svg_elements import SvgDrawing, document
from micrograd.drawing.themes import Theme, chosen, following
from micrograd.writing import languages
from micrograd.writing.marks import Mark
from micrograd.writing.notation import Formula

SIZE = 20.0
_MARGIN, _BETWEEN = 12.0, 0.7  # pixels around, and the space between lines in ems


class Derivation(Protocol):
    """What `explain` and `explain_layers` return: blocks of words and equations."""

    def blocks(self, lang: str | None = None) -> list[Block]:
        """The words and equations in a language."""

    def equations(self) -> str:
        """The equations as plain text."""


def draw_formula(
    what: Derivation | Formula,
    *,
    width: int = 700,
    size: float = SIZE,
    theme: str | Theme = "auto",
    lang: str = "en",
) -> SvgDrawing:
    """Draw the equations of a derivation, or one formula, as a picture.

    Names have the colours of their roles, as in `draw`.

    Args:
        what: what `explain` or `nn.derivations.explain_layers` returned, or a `Formula`.
        width: how wide the picture may be, in pixels; longer lines are broken before signs.
        size: the size of the letters, in pixels.
        theme: "auto", "light", "dark", "print" or a `Theme`.
        lang: the language of the text for those who cannot see the picture, "en" or "zh".

    Returns:
        A picture that shows itself in a notebook; `.write(path)` writes .svg, .png or .pdf.

    Raises:
        TypeError: if it is neither a derivation nor a formula.
        ValueError: if the derivation has no equations, or an option is wrong.

    >>> from micrograd import Value, explain
    >>> x = Value(3.0, label="x")
    >>> draw_formula(explain(x * x, x))  # doctest: +ELLIPSIS
    <a drawing of a formula, ... characters of SVG>
    """
    checked_width(width)
    if isinstance(size, bool) or not isinstance(size, int | float) or not 11 <= size <= 200:
        raise ValueError(f"size is a number of pixels from 11 to 200, got {size!r}")
    colors = chosen(theme)
    words = languages.words(lang, "picture")
    roles: dict[Mark, str] = {}
    if isinstance(what, Formula):
        lines: list[_Row] = [(None, "", what.mark)]
        text = what.text
    elif callable(getattr(what, "blocks", None)):
        found = [each for each in what.blocks(lang) if isinstance(each, Equations | Let)]
        lines = [line for block in found for line in _equations(block)]
        text = what.equations()
        if isinstance(what, Explanation):
            roles = _roles(what)
    else:
        raise TypeError(
            f"draw_formula takes what explain returned, or a Formula, got {type(what).__name__}"
        )
    if not lines:
        raise ValueError("there are no equations in this derivation")
    setter = Setter(roles, size)
    set_ = _aligned(lines, setter, width - 2 * _MARGIN)
    wide, tall = (math.ceil(each + 2 * _MARGIN) for each in (set_.width, set_.height))
    placed = set_.moved(_MARGIN, _MARGIN + set_.ascent)
    content = [
        _letters(part, colors) if isinstance(part, Run) else _line(part, colors) for part in placed
    ]
    svg = document((wide, tall), colors.paper, content, ' xml:space="preserve"')
    return SvgDrawing("a formula", following(svg, colors), words["formula"], text)


_Row = tuple[Mark | None, str, Mark]  # left side, sign, right side


def _equations(block: Equations | Let) -> Iterator[_Row]:
    for left, steps in block.equations:
        side: Mark | None = left.mark
        for sign, (first, *others) in right_sides(steps):
            yield side, sign, first.mark
            yield from ((None, "", line.mark) for line in others)
            side = None


def _roles(explanation: Explanation) -> dict[Mark, str]:
    """The colour of each name."""
    chain = explanation.chain
    found = roles_of({node: chain.name(node) for node in chain.nodes}, [chain.output])
    return {chain.name(node).mark: ROLES[each][2] for node, each in found.items()}


# ------------------------------------------------------------------------------------------- lines


def _aligned(rows: Sequence[_Row], setter: Setter, room: float) -> Setting:
    """The equations one below another, with the signs in a column.

    Left sides that would take more than half of the room have lines of their own.
    """
    size = setter.size
    lefts = [setter.set(left, size) if left is not None else None for left, _, _ in rows]
    column = max((left.width for left in lefts if left is not None), default=0.0)
    above = column > room / 2
    column = 0.0 if above else column
    start = column + (1.4 * size if rows[0][1] else 0.0)
    further = start + (size if rows[0][1] else 0.0)  # of a line without a sign
    lines: list[tuple[Setting | None, str, Setting, float]] = []
    for left, (_, sign, right) in zip(lefts, rows, strict=True):
        if above and left is not None:
            lines.append((None, "", left, 0.0))
        first, *others = _broken(right, setter, room - start)
        lines.append((None if above else left, sign, first, start if sign else further))
        lines += [(None, "", each, further) for each in others]
    y, wide, parts = 0.0, 0.0, list[Run | Stroke]()
    for left, sign, right, indent in lines:
        ascent = max(right.ascent, left.ascent if left else 0.0)
        base = y + ascent
        if left is not None:
            parts += left.moved(column - left.width, base)
        if sign:
            drawn = run(sign, size, False, "ink")
            parts += drawn.moved(column + (1.4 * size - drawn.width) / 2, base)
        parts += right.moved(indent, base)
        wide = max(wide, indent + right.width)
        y = base + max(right.descent, left.descent if left else 0.0) + _BETWEEN * size
    return Setting(wide, 0.0, y - _BETWEEN * size, tuple(parts))


_BREAKS = frozenset("=≈→+-−·×,")


def _broken(mark: Mark, setter: Setter, room: float) -> list[Setting]:
    """The mark in as many lines as needed, broken before signs in its row."""
    whole = setter.set(mark, setter.size)
    if whole.width <= room or mark[0] != "mrow":
        return [whole]
    pieces: list[list[Mark]] = [[]]
    for i, part in enumerate(mark[1:]):
        is_sign = part[0] == "mo" and part[1] in _BREAKS
        if i and (is_sign or _is_space(part)) and pieces[-1]:
            pieces.append([])
        pieces[-1].append(part)
    lines: list[list[Mark]] = []
    for piece in pieces:
        if (
            lines
            and setter.set(("mrow", *lines[-1], *piece), setter.size).width <= room - setter.size
        ):
            lines[-1] += piece
        else:
            lines.append(piece[1:] if lines and _is_space(piece[0]) else [*piece])
    return [setter.set(("mrow", *line), setter.size) for line in lines]


def _is_space(part: Mark) -> bool:
    """Whether it is the space before the range of an index."""
    return part[0] == "mtext" and not part[1].strip()


# ------------------------------------------------------------------------------------------ drawing


def _line(part: Stroke, theme: Theme) -> str:
    path = "".join(command + ",".join(f"{each:.1f}" for each in at) for command, at in part.path)
    return (
        f'<path fill="none" stroke="{theme.ink}" '
        f'stroke-width="{max(part.pen, 0.9):.2f}" d="{path}"/>'
    )


def _letters(run: Run, theme: Theme) -> str:
    text = escape(run.text, quote=False)
    more = ' font-style="italic"' if run.italic else ""
    x = run.x
    if len(run.text) > 1:
        more += f' textLength="{run.width:.1f}" lengthAdjust="spacingAndGlyphs"'
    else:
        more += ' text-anchor="middle"'
        x += run.width / 2
    return (
        f'<text x="{x:.1f}" y="{run.y:.1f}" font-size="{run.size:.1f}" '
        f'fill="{getattr(theme, run.color)}"{more}>{text}</text>'
    )
