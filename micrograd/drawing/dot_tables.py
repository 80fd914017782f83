"""What a box contains in the DOT language: a table in Graphviz's HTML-like language."""

from __future__ import annotations

from typing import Any

from micrograd.drawing.look import COLORS, Cell, lines
from micrograd.drawing.picture import Box
from micrograd.drawing.text import html_text
from micrograd.drawing.themes import Theme
from micrograd.writing.labels import width

SIZE = 12  # points of the letters
PADDING = 4


def table(box: Box, theme: Theme, least: int = 0) -> str:
    """The label of a box; its numbers have at least that much room, in points."""
    line, head, fill = (name and getattr(theme, name) for name in COLORS[box.kind])
    rows = []
    for cells in lines(box):
        if len(cells) > 1:  # the names of numbers are faint
            written = [_cell(each, theme, least * (each.color != "faint")) for each in cells]
            written[2:2] = ["<VR/>"] * (box.numbers is not None)
            rows.append("".join(written))
        else:
            attributes: dict[str, Any] = {"COLSPAN": 5 if box.kind == "layer" else 4}
            if cells[0].face == "bold":
                attributes["BGCOLOR"] = head
            rows.append(_cell(cells[0], theme, **attributes))
    first, *others = (f"<TR>{row}</TR>" for row in rows)
    rule = "<HR/>" if box.label and others else ""
    background = f'BGCOLOR="{fill}" ' if fill else ""
    dashes = ' STYLE="DASHED"' if box.kind == "omitted" else ""
    return (
        f'<TABLE COLOR="{line}" {background}BORDER="{2 if box.on_path else 1}" CELLBORDER="0" '
        f'CELLPADDING="{PADDING}" CELLSPACING="0"{dashes}>{first}{rule}{"".join(others)}</TABLE>'
    )


def _cell(written: Cell, theme: Theme, least: int = 0, **attributes: Any) -> str:
    text = html_text(written.text)
    if written.face:
        tag = written.face[0].upper()
        text = f"<{tag}>{text}</{tag}>"
    tinted = f'<FONT COLOR="{getattr(theme, written.color)}">{text}</FONT>'
    return cell(tinted, written.text, least, **attributes)


def cell(content: str, text: str, least: int = 0, **attributes: Any) -> str:
    """A table cell wide enough for `text`, which is what its content shows."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<TD ALIGN="LEFT" WIDTH="{max(room(text), least)}"{written}>{content}</TD>'


def room(text: str) -> int:
    """The width of a cell that contains the text."""
    return width(text, SIZE) + 2 * PADDING
