"""The picture of every node as lines of spans, with its layout, for formats that need no Graphviz.

An operation becomes a box of its own, and each line of a box a line of its formula, so that what
draws the compact picture draws this one too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from micrograd.drawing.metrics import text_width
from micrograd.drawing.named.layout import laid_out
from micrograd.drawing.picture import Box, OperationNode, Picture, result_arrow
from micrograd.drawing.spans import BREAK, DIVIDER, SPACE, Line, Span, of_mark
from micrograd.drawing.styles import Cell, Style, ink
from micrograd.drawing.themes import Theme
from micrograd.writing.names import read


def typeset(picture: Picture) -> Picture:
    """The picture, typeset and with its layout; a compact picture has both already."""
    if picture.width:
        return picture
    style = Style(picture, Theme())
    boxes = [each for box in picture.boxes for each in _boxes(box, style)]
    picture = picture._replace(boxes=boxes)
    return picture._replace(layout=laid_out(picture))


def _boxes(box: Box, style: Style) -> Iterator[Box]:
    """The box, after its operation if that is drawn beside it."""
    arrows = [arrow._replace(formula=_text(style.note(arrow), ink(arrow))) for arrow in box.arrows]
    oval = box.oval
    if oval is not None:
        name, text, _ = oval
        made = OperationNode(name, "", arrows)
        yield Box(name, "operation", text, "", "", made, on_path=oval.on_path, formula=_text(text))
        arrows = [result_arrow(box.name, oval)]
    operation = OperationNode(box.name, "", arrows) if box.operation else None
    lines = [line for cells in _aligned(list(style.lines(box))) for line in _lines(cells)]
    label = style.titles.get(box.label, box.label)
    headings = 0 if not box.label or box.kind == "omitted" else 1 + label.count("\n")
    numberless = box._replace(label=label, data="", grad="", operation=operation)
    yield numberless._replace(formula=_stacked(lines), headings=headings)


def _aligned(lines: list[list[Cell]]) -> list[list[Cell]]:
    """The lines, with spaces after shorter texts in the columns of numbers."""
    columns = zip(*(line for line in lines if len(line) > 1), strict=True)
    widths = [max(text_width(cell.text, 1.0) for cell in column) for column in columns]

    def filled(cell: Cell, wide: float) -> Cell:
        missing = (wide - text_width(cell.text, 1.0)) / text_width(SPACE, 1.0)
        return cell._replace(text=cell.text + SPACE * round(missing))

    return [
        [*map(filled, line, widths)] if len(line) > 1 else line  # a title has a line of its own
        for line in lines
    ]


def _lines(cells: list[Cell]) -> Iterator[Line]:
    """A line of a box: a title of several lines, or numbers, with spaces between them."""
    first, *others = cells
    *lines, last = (_name(part, first) for part in first.text.split("\n"))
    yield from lines
    for i, cell in enumerate(others):
        is_number = (len(others) - i) % 2 == 1
        space = Span(SPACE) if is_number else DIVIDER
        last += (space, Span(cell.text, "mtext", color=cell.color))
    yield last


def _name(text: str, cell: Cell) -> Line:
    name = read(text) if cell.is_name and text == text.strip() else None
    return (Span(text, "mtext", color=cell.color),) if name is None else of_mark(name.mark)


def _text(text: str, color: str = "ink") -> Line:
    return _stacked((Span(line, "mtext", color=color),) for line in text.split("\n") if text)


def _stacked(lines: Iterable[Line]) -> Line:
    return tuple(span for line in lines for span in (BREAK, *line))[1:]
