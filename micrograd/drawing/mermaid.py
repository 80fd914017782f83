"""A picture in Mermaid, which GitHub, JupyterLab and many editors draw by themselves.

Mermaid as it comes refuses texts of more than 50,000 characters and 500 arrows.
"""

from __future__ import annotations

from collections.abc import Iterator

from micrograd.drawing.look import COLORS, Cell, Look, is_dashed, lines, stroke
from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.text import mermaid_text
from micrograd.drawing.themes import Theme

_MARKS = {None: "", True: "Path", False: "Aside"}


def flowchart(picture: Picture, theme: Theme) -> str:
    """The whole text."""
    look = Look(picture, theme)
    written, styles = [f"flowchart {picture.direction}", *_nodes(look)], []
    for i, (arrow, head) in enumerate(picture.arrows()):
        note = look.note(arrow)
        text = f'|"{mermaid_text(note)}"|' if note else ""
        written.append(f"    {arrow.tail} {'-.->' if is_dashed(arrow) else '-->'}{text} {head}")
        if style := _style(arrow, look):
            styles.append(f"    linkStyle {i} {style}")
    return "\n".join([*written, *_classes(look), *styles, ""])


def _nodes(look: Look) -> Iterator[str]:
    members, frames = look.contents()

    def within(name: str, tabs: str) -> Iterator[str]:
        for box in members.get(name, ()):
            yield from (tabs + line for line in _node(box))
        for group in frames.get(name, ()):
            yield f'{tabs}subgraph {group.name}["{mermaid_text(group.label)}"]'
            yield from within(group.name, f"{tabs}    ")
            yield f"{tabs}end"

    return within("", "    ")


def _node(box: Box) -> Iterator[str]:
    content = "\n".join(map(_written, lines(box)))
    yield f'{box.name}["{mermaid_text(content)}"]'
    if box.step is not None and box.has_operation:
        yield f'{box.step.name}(["{mermaid_text(box.step.text)}"])'


def _written(line: list[Cell]) -> str:
    match [cell.text for cell in line]:
        case [data, x, grad, y]:
            return f"{data} {x}\n{grad} {y}"
        case [output, data, x, grad, y]:
            return f"{output}: {data} {x}, {grad} {y}"
    return line[0].text


def _classes(look: Look) -> Iterator[str]:
    picture = look.picture
    members: dict[tuple[str, bool | None], list[str]] = {}
    for box in picture.boxes:
        members.setdefault((box.kind, box.on_path), []).append(box.name)
        if box.step is not None and box.has_operation:
            members.setdefault(("operation", box.step.on_path), []).append(box.step.name)
    if picture.groups:
        theme = look.theme
        tints = f"fill:{theme.group_fill},stroke:{theme.group_line},color:{theme.faint}"
        yield f"    classDef group {tints}"
        yield f"    class {','.join(group.name for group in picture.groups)} group"
    for (kind, mark), names in members.items():
        theme, name = look.palettes[mark], f"{kind}{_MARKS[mark]}"
        line, _, fill = COLORS[kind]
        tints = f"fill:{getattr(theme, fill or 'paper')},stroke:{getattr(theme, line)}"
        dashes = ",stroke-dasharray:4" if kind == "omitted" else ""
        width = ",stroke-width:3px" if mark else ""
        yield f"    classDef {name} {tints},color:{theme.ink}{width}{dashes}"
        yield f"    class {','.join(names)} {name}"


def _style(arrow: Arrow, look: Look) -> str:
    color = getattr(look.palettes[arrow.on_path], stroke(arrow))
    if arrow.weight is not None:
        return f"stroke:{color},stroke-width:{1 + 4 * look.share(arrow):.1f}px"
    if arrow.on_path is None:
        return ""
    return f"stroke:{color},stroke-width:{3 if arrow.on_path else 1}px"
