"""A picture as SVG without a renderer: placed by `placement`, and plainer than Graphviz's.

Ids, classes and the order of texts are those of `dot`, so that a page may have either.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.placement import Placement, Point, place
from micrograd.drawing.themes import Theme, chosen
from micrograd.notation.labels import width

_SIZE = 12
_ROW = 22.0
_PAD = 5.0
_GAP = 34.0
_TIP = 7.0
_FONT = "Helvetica,Arial,sans-serif"


def simple_svg(picture: Picture, theme: Theme | str = "light") -> str:
    """The SVG of values and operations, read from left to right."""
    colors = chosen(theme)
    sizes: dict[str, Point] = {}
    for box in picture.boxes:
        if box.step is not None:
            sizes[box.step.name] = (width(box.step.text, _SIZE) + 18.0, 26.0)
        sizes[box.name] = (sum(_cells(box)), _ROW * (1 + len(_lines(box))))
    links = [(arrow.name, arrow.tail, head, 0.0) for arrow, head in picture.arrows()]
    placed = place(sizes, links, _GAP)
    offsets = {
        arrow.name: offset
        for box in picture.boxes
        if box.step is not None
        for arrow, offset in zip(box.step.arrows, _offsets(len(box.step.arrows)), strict=True)
    }
    body = "".join(
        [
            *(
                _arrow(arrow, head, offsets.get(arrow.name, 0.0), placed, sizes, colors)
                for arrow, head in picture.arrows()
            ),
            *(piece for box in picture.boxes for piece in _nodes(box, placed, sizes, colors)),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{_view(placed, sizes)}" '
        f'font-family="{_FONT}" font-size="{_SIZE}"><g class="graph">{body}</g></svg>'
    )


def _offsets(count: int) -> list[float]:
    """Where the arrows of an operation arrive, from above to below, in the order of operands."""
    return [13.0 * (i / (count - 1) - 0.5) if count > 1 else 0.0 for i in range(count)]


def _view(placed: Placement, sizes: dict[str, Point]) -> str:
    tops = [placed.centres[name][1] - tall / 2 for name, (_, tall) in sizes.items()]
    ends = [placed.centres[name][1] + tall / 2 for name, (_, tall) in sizes.items()]
    lefts = [placed.centres[name][0] - wide / 2 for name, (wide, _) in sizes.items()]
    rights = [placed.centres[name][0] + wide / 2 for name, (wide, _) in sizes.items()]
    bends = [y for points in placed.bends.values() for _, y in points]
    tops += bends
    ends += bends
    left, top = min(lefts) - 4, min(tops) - 4
    return f"{left:.1f} {top:.1f} {max(rights) - left + 4:.1f} {max(ends) - top + 4:.1f}"


def _lines(box: Box) -> list[str]:
    return box.label.split("\n") if box.label else []


def _cells(box: Box) -> list[float]:
    """The widths of `data`, its number, `grad` and its number, with room for the label."""
    cells = [width(text, _SIZE) + 2 * _PAD for text in ("data", box.data, "grad", box.grad)]
    label = max((width(line, _SIZE) + 2 * _PAD for line in _lines(box)), default=0.0)
    return [*cells[:3], cells[3] + max(0.0, label - sum(cells))]


def _nodes(box: Box, placed: Placement, sizes: dict[str, Point], theme: Theme) -> Iterator[str]:
    (x, y), (wide, tall) = placed.centres[box.name], sizes[box.name]
    left, top = x - wide / 2, y - tall / 2
    lines, cells = _lines(box), _cells(box)
    below = top + _ROW * len(lines)
    line, head, fill = (
        (theme.leaf_line, theme.leaf_head, theme.leaf_fill)
        if box.kind == "leaf"
        else (theme.value_line, theme.value_head, theme.value_fill)
    )
    edges = [left, *(left + sum(cells[: i + 1]) for i in range(4))]
    texts = [
        _text(left + _PAD, top + _ROW * i, words, theme.ink, ' font-weight="bold"')
        for i, words in enumerate(lines)
    ]
    shown = [("data", theme.faint), (box.data, theme.ink)]
    shown += [("grad", theme.faint), (box.grad, theme.backward)]
    texts += [_text(edges[i] + _PAD, below, words, color) for i, (words, color) in enumerate(shown)]
    yield (
        f'<g id="{box.name}" class="node {box.kind}">'
        f"{_rectangle(left, top, wide, tall, fill, 'none')}"
        f"{_rectangle(left, top, wide, below - top, head, 'none')}"
        f"{''.join(texts)}"
        f'<path fill="none" stroke="{line}" d="M{left:.1f},{below:.1f}h{wide:.1f}'
        f'M{edges[2]:.1f},{below:.1f}v{_ROW}"/>'
        f"{_rectangle(left, top, wide, tall, 'none', line)}</g>"
    )
    if box.step is not None:
        (x, y), (wide, tall) = placed.centres[box.step.name], sizes[box.step.name]
        middle = x - width(box.step.text, _SIZE) / 2
        yield (
            f'<g id="{box.step.name}" class="node operation"><ellipse cx="{x:.1f}" cy="{y:.1f}" '
            f'rx="{wide / 2:.1f}" ry="{tall / 2:.1f}" fill="{theme.step_fill}" '
            f'stroke="{theme.step_line}"/>'
            f"{_text(middle, y - _ROW / 2, box.step.text, theme.ink)}</g>"
        )


def _text(x: float, top: float, words: str, color: str, more: str = "") -> str:
    shown = escape(words.replace("\n", " "), quote=False)
    return f'<text x="{x:.1f}" y="{top + 15.5:.1f}" fill="{color}"{more}>{shown}</text>'


def _rectangle(left: float, top: float, wide: float, tall: float, fill: str, line: str) -> str:
    right, end = left + wide, top + tall
    points = " ".join(
        f"{x:.1f},{y:.1f}" for x, y in ((left, top), (right, top), (right, end), (left, end))
    )
    return f'<polygon points="{points}" fill="{fill}" stroke="{line}"/>'


def _arrow(
    arrow: Arrow,
    head: str,
    offset: float,
    placed: Placement,
    sizes: dict[str, Point],
    theme: Theme,
) -> str:
    tail, tip = placed.centres[arrow.tail], placed.centres[head]
    stations = [
        (tail[0] + sizes[arrow.tail][0] / 2, tail[1]),
        *placed.bends.get(arrow.name, []),
        (tip[0] - sizes[head][0] / 2 - _TIP + (2 if offset else 0), tip[1] + offset),
    ]
    curve = f"M{stations[0][0]:.1f},{stations[0][1]:.1f}"
    for (x, y), (ahead, across) in pairwise(stations):
        middle = (x + ahead) / 2
        curve += f"C{middle:.1f},{y:.1f} {middle:.1f},{across:.1f} {ahead:.1f},{across:.1f}"
    x, y = stations[-1]
    points = f"{x:.1f},{y - 3:.1f} {x + _TIP:.1f},{y:.1f} {x:.1f},{y + 3:.1f}"
    return (
        f'<g id="{arrow.name}" class="edge"><path fill="none" stroke="{theme.line}" d="{curve}"/>'
        f'<polygon points="{points}" fill="{theme.line}" stroke="{theme.line}"/></g>'
    )
