"""A picture in Mermaid, which GitHub, JupyterLab and many editors draw without a renderer.

A compact picture is written in plain Unicode. Only words of users are written as codes of
characters: in them, Mermaid might find its own syntax, Markdown or HTML. With its default settings,
Mermaid refuses texts of more than 50,000 characters and 500 arrows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.spans import Line, plain
from micrograd.drawing.styles import Cell, Style, is_dashed, stroke
from micrograd.drawing.themes import Theme

_MARKS = {None: "", True: "Path", False: "Aside"}


def flowchart(picture: Picture, theme: Theme) -> str:
    """The picture as the text of a flowchart."""
    style = Style(picture, theme)
    written, styles = [f"flowchart {picture.direction}", *_nodes(style)], []
    for i, (arrow, head) in enumerate(picture.arrows()):
        note = _shown(arrow.formula) if picture.width else mermaid_text(style.note(arrow))
        text = f'|"{note}"|' if note else ""
        written.append(f"    {arrow.tail} {'-.->' if is_dashed(arrow) else '-->'}{text} {head}")
        if link := _link_style(arrow, style):
            styles.append(f"    linkStyle {i} {link}")
    return "\n".join([*written, *_classes(style), *styles, ""])


def _nodes(style: Style) -> Iterator[str]:
    members, frames = style.contents()

    def within(name: str, tabs: str) -> Iterator[str]:
        for box in members.get(name, ()):
            yield from (tabs + line for line in _node(box, style))
        for frame in frames.get(name, ()):
            yield f'{tabs}subgraph {frame.name}["{mermaid_text(frame.label)}"]'
            yield from within(frame.name, f"{tabs}    ")
            yield f"{tabs}end"

    return within("", "    ")


def _node(box: Box, style: Style) -> Iterator[str]:
    if style.picture.width:
        content = "<br/>".join(_texts(box, style.picture))
    else:
        content = mermaid_text("\n".join(map(_written, style.lines(box))))
    yield f'{box.name}["{content}"]'
    if box.oval is not None:
        yield f'{box.oval.name}(["{mermaid_text(box.oval.text)}"])'


def _written(line: list[Cell]) -> str:
    match [cell.text for cell in line]:
        case [data, x, grad, y]:
            return f"{data} {x}\n{grad} {y}"
        case [output, data, x, grad, y]:
            return f"{output}: {data} {x}, {grad} {y}"
    return line[0].text


def _texts(box: Box, picture: Picture) -> Iterator[str]:
    """The lines of a compact box: its formula, its value, and its gradient as a quotient."""
    yield _shown(box.formula)
    if box.data:
        yield _safe(box.data)
    if box.grad:
        roots = [each for each in picture.boxes if each.name in picture.roots]
        if len(roots) == 1:
            yield f"∂{_shown(roots[0].title)}/∂{_shown(box.title)} = {_safe(box.grad)}"
        else:
            yield f"{picture.words['grad']} {_safe(box.grad)}"


def _classes(style: Style) -> Iterator[str]:
    picture, theme = style.picture, style.theme
    members: dict[tuple[str, bool | None], list[Box]] = {}
    for box in picture.boxes:
        members.setdefault((box.role or box.kind, box.on_path), []).append(box)
        if box.oval is not None:
            made = Box(box.oval.name, "operation", "")
            members.setdefault(("operation", box.oval.on_path), []).append(made)
    if picture.frames:
        tints = f"fill:{theme.group_fill},stroke:{theme.group_line},color:{theme.faint}"
        yield f"    classDef group {tints}"
        yield f"    class {','.join(frame.name for frame in picture.frames)} group"
    for (kind, mark), boxes in members.items():
        theme, name = style.palettes[mark], f"{kind}{_MARKS[mark]}"
        line, fill = (getattr(theme, each) for each in style.outline(boxes[0]))
        dashes = ",stroke-dasharray:4" if kind == "omitted" else ""
        width = ",stroke-width:3px" if mark else ""
        yield f"    classDef {name} fill:{fill},stroke:{line},color:{theme.ink}{width}{dashes}"
        yield f"    class {','.join(box.name for box in boxes)} {name}"


def _link_style(arrow: Arrow, style: Style) -> str:
    color = getattr(style.palettes[arrow.on_path], stroke(arrow))
    if arrow.weight is not None:
        return f"stroke:{color},stroke-width:{1 + 4 * style.share(arrow):.1f}px"
    if arrow.on_path is None:
        return ""
    return f"stroke:{color},stroke-width:{3 if arrow.on_path else 1}px"


def mermaid_text(text: str) -> str:
    """The text for a quoted label, which Mermaid then shows literally.

    Mermaid interprets its own syntax, HTML and Markdown within quotes too, so everything but
    letters, digits and signs in names is written as `#10;`. Escaped line ends, mathematics, icons
    and its internal notation are interpreted even so; they are broken up by word joiners, which are
    invisible. HTML has no numbers for the control characters from 128 to 159.
    """
    text = _EVEN_SO.sub("\\g<0>\u2060", text)
    return "<br/>".join(
        "".join(c if _is_plain(c) else f"#{ord(c)};" for c in line) for line in text.split("\n")
    )


def _is_plain(character: str) -> bool:
    return character.isalnum() or "\x80" <= character < "\xa0" or character in _SIGNS


_SIGNS = "⁽⁾⁺⁻⁼₊₋₌₍₎′·□\u0302\u0303\u0304\u0307\u0308"
_EVEN_SO = re.compile(r"\\(?=n)|\$(?=\$)|:(?=fa-)|ﬂ(?=°)|¶(?=ß)")


def _shown(line: Line) -> str:
    return "".join(
        mermaid_text(span.text) if span.tag == "mtext" else _safe(plain((span,))) for span in line
    )


def _safe(text: str) -> str:
    """A formula or a number; what might be syntax is written as codes."""
    return "".join(each if each in _PLAIN else mermaid_text(each) for each in text)


_PLAIN = frozenset(" .,=()/·−+≈≤≥≠√∂′…⋯—×∞[]∇")
