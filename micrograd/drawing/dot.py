"""A picture in the DOT language of Graphviz.

Labels are tables in Graphviz's HTML-like language; its record labels have no safe way to show
braces, bars and angle brackets. What a user wrote stands only there, never in an identifier, a
link, an image or a tooltip.

Every element of the SVG has the name that it has in the picture as its `id`, and its kind as a
`class`: `leaf`, `value`, `neuron`, `layer`, `operation` or `omitted`, and `path` or `aside` where
paths are highlighted. The texts of a value come in this order: lines of the label, `data`, the
number, `grad`, the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from micrograd.drawing.dot_tables import SIZE, cell, room, table
from micrograd.drawing.groups import Group
from micrograd.drawing.look import Look, is_dashed, stroke
from micrograd.drawing.picture import DIRECTIONS, PLACE, Arrow, Box, Picture, Step
from micrograd.drawing.text import html_text
from micrograd.drawing.themes import Theme

FONT = "Helvetica,Arial,sans-serif"

THIN, THICK, THICK_OF_MANY = 0.5, 3.5, 2.5  # arrows of the smallest and of the largest weight


def attributes(picture: Picture, theme: Theme) -> dict[str, dict[str, str]]:
    """Those of the graph, of all nodes and of all arrows, by the parameters of a `Digraph`."""
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


def checked_direction(rankdir: Any) -> str:
    """`rankdir` itself; ValueError unless it is one of the four."""
    if not isinstance(rankdir, str) or rankdir not in DIRECTIONS:
        raise ValueError(f"rankdir is one of {', '.join(DIRECTIONS)}, got {rankdir!r}")
    return rankdir


def _entries(count: int, rankdir: str) -> Sequence[str]:
    """Where the arrows of two and of three operands arrive, so that they keep their order."""
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
        for group in writer.inner.get("", ()):
            lines += writer.frame(group, 1)
    for box in picture.boxes:
        if not box.group or writer.dense:
            lines += writer.nodes(box)
        lines += writer.edges(box)
    lines += writer.columns()
    return lines


class _Writer(Look):
    def __init__(self, picture: Picture, theme: Theme) -> None:
        super().__init__(picture, theme)
        self.thick = THICK_OF_MANY if self.dense else THICK
        # Boxes of one breadth, so that no line to one crosses its neighbour.
        numbers = (x for box in picture.boxes for x in (box.data, box.grad) if box.kind == "neuron")
        self.room = max(map(room, numbers), default=0) if self.dense else 0
        self.inside, self.inner = self.contents()

    def frame(self, group: Group, depth: int) -> Iterator[str]:
        """A cluster with all that stands in it."""
        tabs, theme = "\t" * depth, self.theme
        yield (
            f"{tabs}subgraph cluster_{group.name} {{\n"
            f"{tabs}\tgraph [id={group.name} class=group label=<{html_text(group.label)}> "
            f'labeljust=l fontname="{FONT}" fontsize={SIZE} fontcolor="{theme.faint}" '
            f'style="rounded,filled" color="{theme.group_line}" fillcolor="{theme.group_fill}" '
            "margin=10]\n"
        )
        for inner in self.inner.get(group.name, ()):
            yield from self.frame(inner, depth + 1)
        for box in self.inside.get(group.name, ()):
            yield from (tabs + line for line in self.nodes(box))
        yield f"{tabs}}}\n"

    def columns(self) -> Iterator[str]:
        """The neurons of each layer in their order, and so their inputs.

        Graphviz keeps to it only where there are no labels on arrows and no frames.
        """
        if not self.dense:
            return
        leaves = {box.name for box in self.picture.boxes if box.kind == "leaf"}
        for group in self.picture.groups:
            neurons = self.inside.get(group.name, [])
            arrows = (arrow for box in neurons if box.step for arrow in box.step.arrows)
            inputs = dict.fromkeys(arrow.tail for arrow in arrows if arrow.tail in leaves)
            leaves -= inputs.keys()
            for column in (list(inputs), [box.name for box in neurons]):
                if len(column) > 1:
                    yield f"\t{{rank=same {' -> '.join(column)} [style=invis]}}\n"

    def nodes(self, box: Box) -> Iterator[str]:
        """A box, and the operation that made it."""
        label = table(box, self.palettes[box.on_path], self.room if box.kind == "neuron" else 0)
        yield f"\t{box.name} [{_marked(box.name, box.kind, box.on_path)} label=<{label}>]\n"
        if box.step is not None and box.has_operation:
            yield _operation(box.step, self.palettes[box.step.on_path])

    def edges(self, box: Box) -> Iterator[str]:
        """The arrows to its operation, and from there."""
        step = box.step
        if step is None:
            return
        _, _, leave, arrive = DIRECTIONS[self.picture.direction]
        entries = _entries(len(step.arrows) * box.has_operation, self.picture.direction)
        for arrow, entry in zip_longest(step.arrows, entries):
            tail, head = arrow.tail, f"{step.name}:{entry}" if entry else step.name
            if self.dense and arrow.weight is not None:
                tail, head = f"{tail}:{leave[0]}", f"{head}:{arrive[0]}"
            yield f"\t{tail} -> {head} [{self._arrow(arrow)}]\n"
        if box.has_operation:
            out = Arrow(f"{box.name}out", step.name, on_path=step.on_path)
            yield f"\t{step.name} -> {box.name} [{self._arrow(out)}]\n"

    def _arrow(self, arrow: Arrow) -> str:
        written = [f"id={arrow.name}"]
        theme = self.palettes[arrow.on_path]
        if note := self.note(arrow):
            written.insert(0, f"label=< {html_text(note)} >")
        if arrow.on_path is not None:
            written.append(
                f'class={"path" if arrow.on_path else "aside"} color="{theme.line}" '
                f'fontcolor="{theme.backward}"'
            )
        if arrow.on_path:
            written.append("penwidth=2")
        if arrow.weight is not None:
            color = getattr(theme, stroke(arrow))
            pen = THIN + (self.thick - THIN) * self.share(arrow)
            written.append(f'color="{color}" fontcolor="{color}" penwidth={pen:.2f}')
        if is_dashed(arrow):
            written.append("style=dashed")
        return " ".join(written)


def _marked(name: str, kind: str, on_path: bool | None) -> str:
    if on_path is None:
        return f"id={name} class={kind}"
    return f'id={name} class="{kind} {"path" if on_path else "aside"}"'


def _operation(step: Step, theme: Theme) -> str:
    shown = html_text(step.text)
    measured = step.text.replace(PLACE, "").isascii()
    operation = f"<TD>{shown}</TD>" if measured else cell(shown, step.text)
    label = (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0">'
        f"<TR>{operation}</TR></TABLE>"
    )
    ink = f' fontcolor="{theme.ink}"' if step.on_path is False else ""
    pen = " penwidth=2" if step.on_path else ""
    return (
        f"\t{step.name} [{_marked(step.name, 'operation', step.on_path)} "
        f'label=<{label}> shape=ellipse style=filled margin="0.04,0.02" height=0.36 '
        f'width=0.36 color="{theme.step_line}" fillcolor="{theme.step_fill}"{ink}{pen}]\n'
    )
