r"""A picture in the DOT language of Graphviz.

Labels are tables in Graphviz's HTML-like language, because its record labels cannot safely show
braces, bars and angle brackets. Text from the user appears only there, never in an identifier, a
link, an image or a tooltip.

Every element of the SVG has the name that it has in the picture as its `id`, and its kind as a
`class`: `leaf`, `value`, `neuron`, `layer`, `operation` or `omitted`, and `path` or `aside` where
paths are highlighted. The texts of a value come in this order: lines of the label, `data`, the
number, `grad`, the number.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from micrograd.drawing.metrics import text_width
from micrograd.drawing.picture import (
    DIRECTIONS,
    PLACE,
    Arrow,
    Box,
    Frame,
    OperationNode,
    Picture,
    result_arrow,
)
from micrograd.drawing.styles import Cell, Style, classes, ink, is_dashed, stroke
from micrograd.drawing.themes import Theme

FONT = "Helvetica,Arial,sans-serif"
SIZE = 12  # points of the letters
PADDING = 4

THIN, THICK, THICK_OF_MANY = 0.5, 3.5, 2.5  # pens for the smallest and for the largest weight


def attributes(picture: Picture, theme: Theme) -> dict[str, dict[str, str]]:
    """Attributes of the graph, of all nodes and of all arrows, as parameters of a `Digraph`."""
    apart = {"nodesep": "0.22", "ranksep": "0.38"}
    if picture.is_dense:
        ranksep = min(max(0.15 * picture.longest, 1.2), 5.0)
        apart |= {"ranksep": f"{ranksep:g}", "splines": "line"}
    letters = {"fontname": FONT, "fontsize": str(SIZE), "fontcolor": theme.ink}
    notes = {"fontname": FONT, "fontsize": str(SIZE - 1), "fontcolor": theme.backward}
    return {
        "graph_attr": {"bgcolor": theme.paper, "rankdir": picture.direction, **apart},
        "node_attr": {**letters, "shape": "plain"},
        "edge_attr": {"color": theme.line, "arrowsize": "0.65", **notes},
    }


def _entries(count: int, rankdir: str) -> Sequence[str]:
    """Where the arrows of two or three operands arrive, so that they keep their order."""
    x, _, _, side = DIRECTIONS[rankdir]
    middle = side[0]
    first, last = (f"n{middle}", f"s{middle}") if x else (f"{middle}w", f"{middle}e")
    return {2: (first, last), 3: (first, middle, last)}.get(count, ())


# --------------------------------------------------------------------------------------- statements


def statements(picture: Picture, theme: Theme) -> list[str]:
    """The lines of the graph's body, each with its line end."""
    writer = _Writer(picture, theme)
    lines: list[str] = []
    if not writer.dense:
        for frame in writer.inner.get("", ()):
            lines += writer.frame(frame, 1)
    for box in picture.boxes:
        if not box.frame or writer.dense:
            lines += writer.nodes(box)
        lines += writer.edges(box)
    lines += writer.columns()
    return lines


class _Writer(Style):
    def __init__(self, picture: Picture, theme: Theme) -> None:
        super().__init__(picture, theme)
        self.thick = THICK_OF_MANY if self.dense else THICK
        # Boxes of equal width, so that no line to one crosses its neighbour.
        numbers = (x for box in picture.boxes for x in (box.data, box.grad) if box.kind == "neuron")
        self.room = max(map(_room, numbers), default=0) if self.dense else 0
        self.inside, self.inner = self.contents()

    def frame(self, frame: Frame, depth: int) -> Iterator[str]:
        """A cluster with everything in it."""
        tabs, theme = "\t" * depth, self.theme
        yield (
            f"{tabs}subgraph cluster_{frame.name} {{\n"
            f"{tabs}\tgraph [id={frame.name} class=group label=<{html_text(frame.label)}> "
            f'labeljust=l fontname="{FONT}" fontsize={SIZE} fontcolor="{theme.faint}" '
            f'style="rounded,filled" color="{theme.group_line}" fillcolor="{theme.group_fill}" '
            "margin=10]\n"
        )
        for inner in self.inner.get(frame.name, ()):
            yield from self.frame(inner, depth + 1)
        for box in self.inside.get(frame.name, ()):
            yield from (tabs + line for line in self.nodes(box))
        yield f"{tabs}}}\n"

    def columns(self) -> Iterator[str]:
        """The neurons of each layer in their order, and so their inputs.

        Graphviz respects it only where there are no labels on arrows and no frames.
        """
        if not self.dense:
            return
        leaves = {box.name for box in self.picture.boxes if box.kind == "leaf"}
        for frame in self.picture.frames:
            neurons = self.inside.get(frame.name, [])
            arrows = (arrow for box in neurons for arrow in box.arrows)
            inputs = dict.fromkeys(arrow.tail for arrow in arrows if arrow.tail in leaves)
            leaves -= inputs.keys()
            for column in (list(inputs), [box.name for box in neurons]):
                if len(column) > 1:
                    yield f"\t{{rank=same {' -> '.join(column)} [style=invis]}}\n"

    def nodes(self, box: Box) -> Iterator[str]:
        """A box, and the operation that made it."""
        marks = _marked(box.name, box.kind, box.on_path)
        yield f"\t{box.name} [{marks} label=<{self._table(box)}>]\n"
        if box.oval is not None:
            yield self._operation(box.oval)

    def edges(self, box: Box) -> Iterator[str]:
        """The arrows to the operation, and from there to the box."""
        operation, oval = box.operation, box.oval
        if operation is None:
            return
        _, _, leave, arrive = DIRECTIONS[self.picture.direction]
        entries = _entries(len(operation.arrows), self.picture.direction) if oval else ()
        for arrow, entry in zip_longest(operation.arrows, entries):
            tail, head = arrow.tail, f"{operation.name}:{entry}" if entry else operation.name
            if self.dense and arrow.weight is not None:
                tail, head = f"{tail}:{leave[0]}", f"{head}:{arrive[0]}"
            yield f"\t{tail} -> {head} [{self._arrow(arrow)}]\n"
        if oval is not None:
            yield f"\t{oval.name} -> {box.name} [{self._arrow(result_arrow(box.name, oval))}]\n"

    def _arrow(self, arrow: Arrow) -> str:
        written = [f"id={arrow.name}"]
        theme = self.palettes[arrow.on_path]
        if note := self.note(arrow):
            written.insert(0, f"label=< {html_text(note)} >")
        if arrow.on_path is not None:
            written.append(
                f'class={classes("", arrow.on_path).strip()} color="{theme.line}" '
                f'fontcolor="{theme.backward}"'
            )
        if arrow.on_path:
            written.append("penwidth=2")
        if arrow.weight is not None:
            color, letters = getattr(theme, stroke(arrow)), getattr(theme, ink(arrow))
            pen = THIN + (self.thick - THIN) * self.share(arrow)
            written.append(f'color="{color}" fontcolor="{letters}" penwidth={pen:.2f}')
        if is_dashed(arrow):
            written.append("style=dashed")
        return " ".join(written)

    def _operation(self, oval: OperationNode) -> str:
        shown = html_text(oval.text)
        measured = oval.text.replace(PLACE, "").isascii()
        content = f"<TD>{shown}</TD>" if measured else _measured(shown, _room(oval.text))
        label = (
            f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0">'
            f"<TR>{content}</TR></TABLE>"
        )
        line, _, fill = self.colors("operation", oval.on_path)
        faded = f' fontcolor="{self.palettes[False].ink}"' if oval.on_path is False else ""
        pen = " penwidth=2" if oval.on_path else ""
        return (
            f"\t{oval.name} [{_marked(oval.name, 'operation', oval.on_path)} "
            f'label=<{label}> shape=ellipse style=filled margin="0.04,0.02" height=0.36 '
            f'width=0.36 color="{line}" fillcolor="{fill}"{faded}{pen}]\n'
        )

    def _table(self, box: Box) -> str:
        """The label of a box."""
        line, head, fill = self.colors(box.kind, box.on_path)
        theme = self.palettes[box.on_path]
        least = self.room if box.kind == "neuron" else 0  # the width of numbers
        rows = []
        for cells in self.lines(box):
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
            f'CELLPADDING="{PADDING}" CELLSPACING="0"{dashes}>{first}{rule}{"".join(others)}'
            "</TABLE>"
        )


def _marked(name: str, kind: str, on_path: bool | None) -> str:
    quote = "" if on_path is None else '"'
    return f"id={name} class={quote}{classes(kind, on_path)}{quote}"


# ------------------------------------------------------------------------------------------- labels


def _cell(written: Cell, theme: Theme, least: int = 0, **attributes: Any) -> str:
    text = html_text(written.text)
    if written.face:
        tag = written.face[0].upper()
        text = f"<{tag}>{text}</{tag}>"
    tinted = f'<FONT COLOR="{getattr(theme, written.color)}">{text}</FONT>'
    return _measured(tinted, max(_room(written.text), least), **attributes)


def _measured(content: str, wide: int, **attributes: Any) -> str:
    """A table cell that is at least so wide, as renderers without the right font mismeasure it."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<TD ALIGN="LEFT" WIDTH="{wide}"{written}>{content}</TD>'


def _room(text: str) -> int:
    """The width of a cell that contains the text."""
    widest = max(text_width(line, SIZE) for line in text.split("\n"))
    return math.ceil(widest) + 2 * PADDING


def html_text(text: str) -> str:
    r"""The text for an HTML-like label of Graphviz, which then shows it literally.

    Graphviz expands `\N` there even if the backslash is an entity, so it is doubled. Version 2
    fails on a cell that is only `]`.
    """
    return '<BR ALIGN="LEFT"/>'.join(
        html.escape(line).replace("]", "&#93;").replace("\\", "\\\\") or " "
        for line in text.split("\n")
    )
