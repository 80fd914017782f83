"""What a box contains in the DOT language: a table in Graphviz's HTML-like language."""

from __future__ import annotations

from typing import Any

from micrograd.drawing.picture import Box
from micrograd.drawing.text import html_text
from micrograd.drawing.themes import Theme
from micrograd.notation.labels import width

SIZE = 12  # points of the letters
PADDING = 4

_COLUMNS = {"layer": 5}  # 4 where it is not said


def table(box: Box, theme: Theme, least: int = 0) -> str:
    """The label of a box; its numbers have at least that much room, in points."""
    line, head, fill = _colors(box, theme)
    rows = []
    if box.kind == "omitted":
        rows.append(cell(_tinted(box.label, theme.faint), box.label))
    elif box.label:
        title = f"<B>{html_text(box.label)}</B>"
        if box.on_path is False:
            title = f'<FONT COLOR="{theme.ink}">{title}</FONT>'
        rows.append(cell(title, box.label, COLSPAN=_COLUMNS.get(box.kind, 4), BGCOLOR=head))
    if box.step is not None and box.step.text and not box.has_operation:
        applied = f"<I>{html_text(box.step.text)}</I>"
        rows.append(cell(applied, box.step.text, COLSPAN=_COLUMNS.get(box.kind, 4)))
    for row in box.rows:
        named = cell(_tinted(row.label, theme.faint), row.label)
        rows.append(named + _data(row.data, theme) + _grad(row.grad, theme))
    if box.more:
        rows.append(cell(_tinted(box.more, theme.faint), box.more, COLSPAN=5))
    if box.numbers is not None:
        rows.append(f"{_data(box.data, theme, least)}<VR/>{_grad(box.grad, theme, least)}")
    first, *others = (f"<TR>{row}</TR>" for row in rows)
    rule = "<HR/>" if box.label and others else ""
    background = f'BGCOLOR="{fill}" ' if fill else ""
    dashes = ' STYLE="DASHED"' if box.kind == "omitted" else ""
    return (
        f'<TABLE COLOR="{line}" {background}BORDER="{2 if box.on_path else 1}" CELLBORDER="0" '
        f'CELLPADDING="{PADDING}" CELLSPACING="0"{dashes}>{first}{rule}{"".join(others)}</TABLE>'
    )


def _colors(box: Box, theme: Theme) -> tuple[str, str, str]:
    """Of the border, of the title and of the rest."""
    match box.kind:
        case "leaf":
            return theme.leaf_line, theme.leaf_head, theme.leaf_fill
        case "value":
            return theme.value_line, theme.value_head, theme.value_fill
        case "omitted":
            return theme.line, "", ""
    return theme.unit_line, theme.unit_head, theme.unit_fill


def _data(number: str, theme: Theme, least: int = 0) -> str:
    return _quantity("data", number, theme.ink, theme, least)


def _grad(number: str, theme: Theme, least: int = 0) -> str:
    return _quantity("grad", number, theme.backward, theme, least)


def _quantity(name: str, number: str, color: str, theme: Theme, least: int) -> str:
    """Two cells: the name of a number in grey, and the number."""
    label = cell(_tinted(name, theme.faint), name)
    return f"{label}{cell(_tinted(number, color), number, least)}"


def _tinted(text: str, color: str) -> str:
    return f'<FONT COLOR="{color}">{html_text(text)}</FONT>'


def cell(content: str, text: str, least: int = 0, **attributes: Any) -> str:
    """A table cell wide enough for `text`, which is what its content shows."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<TD ALIGN="LEFT" WIDTH="{max(room(text), least)}"{written}>{content}</TD>'


def room(text: str) -> int:
    """The width of a cell that contains the text."""
    return width(text, SIZE) + 2 * PADDING
