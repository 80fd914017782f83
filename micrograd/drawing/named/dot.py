r"""The compact picture in the DOT language, with HTML-like labels.

The places and the curves are those of `layout`; `layout=nop2` tells Graphviz to keep them. Each
line of a label is one run of letters with `<SUB>` and `<SUP>`, and its table has the size that the
text needs, because renderers without the right font mismeasure it.
"""

from __future__ import annotations

from collections.abc import Iterator

from micrograd.drawing.dot import FONT, html_text
from micrograd.drawing.named.layout import (
    BESIDE,
    FORMULA,
    LEADING,
    MARGIN,
    NOTE,
    NUMBERS,
    Layout,
    heading,
    note_name,
)
from micrograd.drawing.named.roles import ROLES
from micrograd.drawing.picture import Box, Picture
from micrograd.drawing.spans import Line, html_like
from micrograd.drawing.svg_elements import Point
from micrograd.drawing.themes import Theme

_TIP = 6.0  # the length of an arrow's tip
_POINTS = 72.0  # to an inch; here a point of Graphviz is a pixel


def attributes(picture: Picture, theme: Theme) -> dict[str, dict[str, str]]:
    """Attributes of the graph, of all nodes and of all arrows, as parameters of a `Digraph`."""
    letters = {"fontname": FONT, "fontsize": f"{FORMULA:g}", "fontcolor": theme.ink}
    return {
        "graph_attr": {
            "layout": "nop2",
            "outputorder": "edgesfirst",
            "pad": f"{MARGIN / _POINTS:.4f}",
            "bgcolor": theme.paper,
        },
        "node_attr": {**letters, "shape": "plain"},
        "edge_attr": {"color": theme.line, "arrowsize": "0.65"},
    }


def statements(picture: Picture, theme: Theme) -> list[str]:
    """The lines of the graph's body, each with its line end."""
    return list(_Writer(picture, theme).lines())


class _Writer:
    def __init__(self, picture: Picture, theme: Theme) -> None:
        self.picture, self.theme = picture, theme
        self.layout: Layout = picture.layout

    def lines(self) -> Iterator[str]:
        """The statements."""
        for box in self.picture.boxes:
            yield from self._node(box)
            for arrow in box.arrows:
                if not arrow.formula:
                    yield self._edge(arrow.name, arrow.tail, box.name)
                    continue
                name = note_name(arrow.name)
                yield self._note(name)
                yield self._edge(f"{arrow.name}s", arrow.tail, name, has_tip=False)
                yield self._edge(arrow.name, name, box.name)

    def _node(self, box: Box) -> Iterator[str]:
        line, fill, _ = (getattr(self.theme, name) for name in ROLES[box.role])
        pen = 2 if box.name in self.picture.roots else 1
        wide, tall = (each - 2 * pen for each in self.layout.sizes[box.name])
        below = LEADING * NUMBERS + 1 if box.data or box.grad else 0.0
        rows = [self._row(self.layout.lines[box.name], FORMULA, _least(wide, tall - below))]
        parts = [(box.data, self.theme.ink), (box.grad, self.theme.backward)]
        numbers = BESIDE.join(
            f'<FONT COLOR="{color}" POINT-SIZE="{NUMBERS:g}">{html_text(text)}</FONT>'
            for text, color in parts
            if text
        )
        if numbers:
            rows.append(f"<TR><TD {_least(wide, below)}>{numbers}</TD></TR>")
        table = (
            f'STYLE="ROUNDED" COLOR="{line}" BGCOLOR="{fill}" BORDER="{pen}" CELLBORDER="0" '
            'CELLPADDING="0" CELLSPACING="0"'
        )
        yield self._piece(box.name, f"node {box.role}", f"<TABLE {table}>{''.join(rows)}</TABLE>")

    def _edge(self, name: str, tail: str, head: str, *, has_tip: bool = True) -> str:
        points = [self._place(point) for point in self.layout.wires[name]]
        if has_tip:
            wire = self.layout.wires[name]
            end, along = wire[-1], heading(wire)
            points = [
                f"e,{points[-1]}",
                *points[:-1],
                self._place((end[0] - _TIP * along.real, end[1] - _TIP * along.imag)),
            ]
        plain = "" if has_tip else " arrowhead=none"
        return f'\t{tail} -> {head} [id={name}{plain} pos="{" ".join(points)}"]\n'

    def _place(self, point: Point) -> str:
        return f"{point[0]:.1f},{self.layout.size[1] - point[1]:.1f}"

    def _note(self, name: str) -> str:
        row = self._row(self.layout.lines[name], NOTE, _least(*self.layout.sizes[name]))
        table = (
            f'BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0" '
            f'BGCOLOR="{self.theme.paper}"'
        )
        return self._piece(name, "note", f"<TABLE {table}>{row}</TABLE>")

    def _row(self, lines: list[Line], size: float, least: str) -> str:
        written = "<BR/>".join(
            html_like(line, lambda role: str(getattr(self.theme, role)), size, html_text)
            for line in lines
        )
        return f'<TR><TD {least}><FONT POINT-SIZE="{size:g}">{written}</FONT></TD></TR>'

    def _piece(self, name: str, kind: str, table: str) -> str:
        place = self._place(self.layout.centres[name])
        return f'\t{name} [id={name} class="{kind}" pos="{place}" label=<{table}>]\n'


def _least(wide: float, tall: float) -> str:
    return f'FIXEDSIZE="TRUE" WIDTH="{wide:.0f}" HEIGHT="{tall:.0f}"'
