"""A picture in Mermaid, which GitHub, JupyterLab and many editors draw by themselves.

Mermaid as it comes refuses texts of more than 50,000 characters and 500 arrows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.text import mermaid_text
from micrograd.drawing.themes import Theme

_MARKS = {None: "", True: "Path", False: "Aside"}


def flowchart(picture: Picture, theme: Theme) -> str:
    """The whole text."""
    lines = [f"flowchart {picture.direction}", *_nodes(picture)]
    styles = []
    weights = [abs(arrow.weight) for arrow, _ in picture.arrows() if arrow.weight is not None]
    heaviest = max(filter(math.isfinite, weights), default=0.0)
    palettes = {None: theme, True: theme.highlighted(), False: theme.subdued()}
    dense = picture.is_dense
    for i, (arrow, head) in enumerate(picture.arrows()):
        is_told = arrow.text and not (dense and arrow.weight is not None)
        text = f'|"{mermaid_text(arrow.text)}"|' if is_told else ""
        line = "-.->" if arrow.omitted or (arrow.weight or 0) < 0 else "-->"
        lines.append(f"    {arrow.tail} {line}{text} {head}")
        if style := _style(arrow, palettes[arrow.on_path], heaviest):
            styles.append(f"    linkStyle {i} {style}")
    return "\n".join([*lines, *_classes(picture, palettes), *styles, ""])


def _nodes(picture: Picture) -> Iterator[str]:
    members: dict[str, list[Box]] = {}
    for box in picture.boxes:
        members.setdefault(box.group, []).append(box)
    for box in members.get("", ()):
        yield from (f"    {line}" for line in _node(box))
    depth = 0
    stack = [(group, False) for group in reversed(picture.groups) if not group.parent]
    while stack:
        group, is_done = stack.pop()
        if is_done:
            depth -= 1
            yield f"{'    ' * (depth + 1)}end"
            continue
        depth += 1
        yield f'{"    " * depth}subgraph {group.name}["{mermaid_text(group.label)}"]'
        for box in members.get(group.name, ()):
            yield from (f"{'    ' * (depth + 1)}{line}" for line in _node(box))
        stack.append((group, True))
        stack += [(each, False) for each in reversed(picture.groups) if each.parent == group.name]


def _node(box: Box) -> Iterator[str]:
    yield f'{box.name}["{mermaid_text(_content(box))}"]'
    if box.step is not None and box.has_operation:
        yield f'{box.step.name}(["{mermaid_text(box.step.text)}"])'


def _content(box: Box) -> str:
    lines = [box.label] if box.label else []
    if box.step is not None and box.step.text and not box.has_operation:
        lines.append(box.step.text)
    lines += [f"{row.label}: data {row.data}, grad {row.grad}" for row in box.rows]
    if box.more:
        lines.append(box.more)
    if box.numbers is not None:
        lines += [f"data {box.data}", f"grad {box.grad}"]
    return "\n".join(lines)


def _classes(picture: Picture, palettes: dict[bool | None, Theme]) -> Iterator[str]:
    members: dict[tuple[str, bool | None], list[str]] = {}
    for box in picture.boxes:
        members.setdefault((box.kind, box.on_path), []).append(box.name)
        if box.step is not None and box.has_operation:
            members.setdefault(("operation", box.step.on_path), []).append(box.step.name)
    if picture.groups:
        theme = palettes[None]
        colors = f"fill:{theme.group_fill},stroke:{theme.group_line},color:{theme.faint}"
        yield f"    classDef group {colors}"
        yield f"    class {','.join(group.name for group in picture.groups)} group"
    for (kind, mark), names in members.items():
        theme, name = palettes[mark], f"{kind}{_MARKS[mark]}"
        line, fill = {
            "leaf": (theme.leaf_line, theme.leaf_fill),
            "value": (theme.value_line, theme.value_fill),
            "operation": (theme.step_line, theme.step_fill),
            "omitted": (theme.line, theme.paper),
        }.get(kind, (theme.unit_line, theme.unit_fill))
        dashes = ",stroke-dasharray:4" if kind == "omitted" else ""
        width = ",stroke-width:3px" if mark else ""
        yield f"    classDef {name} fill:{fill},stroke:{line},color:{theme.ink}{width}{dashes}"
        yield f"    class {','.join(names)} {name}"


def _style(arrow: Arrow, theme: Theme, heaviest: float) -> str:
    if arrow.weight is not None:
        share = min(abs(arrow.weight) / heaviest, 1.0) if heaviest else 0.0
        width = 1 + 4 * (share if share == share else 0.0)
        color = theme.negative if arrow.weight < 0 else theme.positive
        return f"stroke:{color},stroke-width:{width:.1f}px"
    if arrow.on_path is None:
        return ""
    return f"stroke:{theme.line},stroke-width:{3 if arrow.on_path else 1}px"
