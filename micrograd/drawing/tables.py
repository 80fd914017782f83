"""What a box contains in the DOT language: a table in Graphviz's HTML-like language."""

from __future__ import annotations

from typing import Any

from micrograd.drawing.look import COLORS, Cell, lines
from micrograd.drawing.picture import Box
from micrograd.drawing.text import html_text
from micrograd.drawing.themes import Theme
from micrograd.notation.labels import width

SIZE = 12  # points of the letters
PADDING = 4


def table(box: Box, theme: Theme, least: int = 0) -> str:
    """The label of a box; its numbers have at least that much room, in points."""
    line, head, fill = (name and getattr(theme, name) for name in COLORS[box.kind])
    rows = []
    for cells in lines(box):
        if len(cells) > 1:
            rows.append(_numbers(box, cells, theme, least))
        elif cells[0].face:
            spans: dict[str, Any] = {"COLSPAN": 5 if box.kind == "layer" else 4}
            if cells[0].face == "bold":
                spans["BGCOLOR"] = head
            rows.append(cell(_faced(box, cells[0], theme), cells[0].text, **spans))
        else:
            spans = {} if box.kind == "omitted" else {"COLSPAN": 5}
            rows.append(cell(_tinted(cells[0], theme), cells[0].text, **spans))
    first, *others = (f"<TR>{row}</TR>" for row in rows)
    rule = "<HR/>" if box.label and others else ""
    background = f'BGCOLOR="{fill}" ' if fill else ""
    dashes = ' STYLE="DASHED"' if box.kind == "omitted" else ""
    return (
        f'<TABLE COLOR="{line}" {background}BORDER="{2 if box.on_path else 1}" CELLBORDER="0" '
        f'CELLPADDING="{PADDING}" CELLSPACING="0"{dashes}>{first}{rule}{"".join(others)}</TABLE>'
    )


def _numbers(box: Box, cells: list[Cell], theme: Theme, least: int) -> str:
    """A line of numbers; `data` and `grad` of a single value are told apart by a rule."""
    written = [
        cell(_tinted(each, theme), each.text, least if each.color != "faint" else 0)
        for each in cells
    ]
    if box.numbers is not None:
        written.insert(2, "<VR/>")
    return "".join(written)


def _faced(box: Box, title: Cell, theme: Theme) -> str:
    tag = title.face[0].upper()
    text = f"<{tag}>{html_text(title.text)}</{tag}>"
    if tag == "B" and box.on_path is False:
        return f'<FONT COLOR="{theme.ink}">{text}</FONT>'
    return text


def _tinted(written: Cell, theme: Theme) -> str:
    return f'<FONT COLOR="{getattr(theme, written.color)}">{html_text(written.text)}</FONT>'


def cell(content: str, text: str, least: int = 0, **attributes: Any) -> str:
    """A table cell wide enough for `text`, which is what its content shows."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<TD ALIGN="LEFT" WIDTH="{max(room(text), least)}"{written}>{content}</TD>'


def room(text: str) -> int:
    """The width of a cell that contains the text."""
    return width(text, SIZE) + 2 * PADDING
