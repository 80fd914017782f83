"""A picture in the DOT language of Graphviz.

Labels are tables in Graphviz's HTML-like language; its record labels have no safe way to show
braces, bars and angle brackets. What a user wrote stands only there, never in an identifier, a
link, an image or a tooltip.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from micrograd.drawing.picture import PLACE, Box, Step
from micrograd.drawing.text import html_text
from micrograd.notation.labels import width

# ------------------------------------------------------------------------------------------ colours

INK = "#1f2933"
FAINT = "#7b8794"
LINE = "#9aa5b1"
BACKWARD = "#b4431f"  # gradients and partial derivatives

LEAF = ("#3f73b0", "#d6e4f5", "#f3f8fd")  # border, header, body
INNER = ("#9aa5b1", "#eceff2", "#ffffff")
STEP_LINE, STEP_FILL = "#c9a227", "#fff6d9"

FONT = "Helvetica,Arial,sans-serif"
SIZE = 12
PADDING = 4

GRAPH = {"bgcolor": "white", "nodesep": "0.22", "ranksep": "0.38"}
NODE = {"fontname": FONT, "fontsize": str(SIZE), "fontcolor": INK, "shape": "plain"}
EDGE = {
    "color": LINE,
    "arrowsize": "0.65",
    "fontname": FONT,
    "fontsize": str(SIZE - 1),
    "fontcolor": BACKWARD,
}

# ---------------------------------------------------------------------------------------- direction

# Where the arrows of two and of three operands arrive, so that they keep their order.
_ENTRIES = {
    "LR": ("nw", "w", "sw"),
    "RL": ("ne", "e", "se"),
    "TB": ("nw", "n", "ne"),
    "BT": ("sw", "s", "se"),
}


def checked_direction(rankdir: Any) -> str:
    """`rankdir` itself; ValueError unless it is one of the four."""
    if not isinstance(rankdir, str) or rankdir not in _ENTRIES:
        raise ValueError(f"rankdir is one of {', '.join(_ENTRIES)}, got {rankdir!r}")
    return rankdir


def _entries(count: int, rankdir: str) -> Iterable[str]:
    first, middle, last = _ENTRIES[rankdir]
    match count:
        case 2:
            return f":{first}", f":{last}"
        case 3:
            return f":{first}", f":{middle}", f":{last}"
    return [""] * count


# --------------------------------------------------------------------------------------- statements


def statements(boxes: Iterable[Box], rankdir: str) -> list[str]:
    """The lines of the graph's body, each with its line end."""
    lines = []
    for box in boxes:
        lines.append(f"\t{box.name} [label=<{_value_label(box)}>]\n")
        if box.step is not None:
            lines += _step_lines(box.step, box.name, rankdir)
    return lines


def _step_lines(step: Step, result: str, rankdir: str) -> Iterable[str]:
    shown = html_text(step.text)
    measured = step.text.replace(PLACE, "").isascii()
    cell = f"<TD>{shown}</TD>" if measured else _cell(shown, step.text)
    label = (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"><TR>{cell}</TR></TABLE>'
    )
    yield (
        f'\t{step.name} [label=<{label}> shape=ellipse style=filled margin="0.04,0.02" height=0.36 '
        f'width=0.36 color="{STEP_LINE}" fillcolor="{STEP_FILL}"]\n'
    )
    for arrow, entry in zip(step.arrows, _entries(len(step.arrows), rankdir), strict=True):
        partial = f" [label=< {html_text(arrow.partial)} >]" if arrow.partial else ""
        yield f"\t{arrow.tail} -> {step.name}{entry}{partial}\n"
    yield f"\t{step.name} -> {result}\n"


def _value_label(box: Box) -> str:
    line, head, fill = LEAF if box.step is None else INNER
    header = ""
    if box.label:
        name = f"<B>{html_text(box.label)}</B>"
        header = f"<TR>{_cell(name, box.label, COLSPAN=4, BGCOLOR=head)}</TR><HR/>"
    return (
        f'<TABLE COLOR="{line}" BGCOLOR="{fill}" BORDER="1" CELLBORDER="0" '
        f'CELLPADDING="{PADDING}" CELLSPACING="0">{header}<TR>'
        f"{_quantity('data', box.data, INK)}<VR/>"
        f"{_quantity('grad', box.grad, BACKWARD)}</TR></TABLE>"
    )


def _quantity(name: str, number: str, color: str) -> str:
    """Two cells: the name of a number in grey, and the number."""
    shown = f'<FONT COLOR="{color}">{html_text(number)}</FONT>'
    return f'<TD><FONT COLOR="{FAINT}">{name}</FONT></TD>{_cell(shown, number)}'


def _cell(content: str, text: str, **attributes: Any) -> str:
    """A table cell wide enough for `text`, which is what its content shows."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<TD ALIGN="LEFT" WIDTH="{width(text, SIZE) + 2 * PADDING}"{written}>{content}</TD>'
