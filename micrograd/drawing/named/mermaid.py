"""The compact picture in Mermaid, in plain Unicode.

Only words of users are written as codes of characters: in them, Mermaid might find its own syntax,
Markdown or HTML.
"""

from __future__ import annotations

from collections.abc import Iterator

from micrograd.drawing.mermaid import mermaid_text
from micrograd.drawing.named.roles import ROLES
from micrograd.drawing.picture import Box, Picture
from micrograd.drawing.spans import Line, plain
from micrograd.drawing.themes import Theme

_PLAIN = frozenset(" .,=()/·−+≈≤≥≠√∂′…⋯—×∞[]∇")


def flowchart(picture: Picture, theme: Theme) -> str:
    """The picture as the text of a flowchart."""
    lines = [f"flowchart {picture.direction}"]
    lines += [f'    {box.name}["{"<br/>".join(_texts(box, picture))}"]' for box in picture.boxes]
    for arrow, head in picture.arrows():
        text = f'|"{_shown(arrow.formula)}"|' if arrow.formula else ""
        lines.append(f"    {arrow.tail} -->{text} {head}")
    for role, names in ROLES.items():
        members = [box.name for box in picture.boxes if box.role == role]
        if members:
            line, fill, _ = (getattr(theme, name) for name in names)
            lines.append(f"    classDef {role} fill:{fill},stroke:{line},color:{theme.ink}")
            lines.append(f"    class {','.join(members)} {role}")
    return "\n".join([*lines, ""])


def _texts(box: Box, picture: Picture) -> Iterator[str]:
    """The lines of a box: its formula, its value, and its gradient as a quotient."""
    yield _shown(box.formula)
    if box.data:
        yield _safe(box.data)
    if box.grad:
        roots = [each for each in picture.boxes if each.name in picture.roots]
        if len(roots) == 1:
            yield f"∂{_name(roots[0])}/∂{_name(box)} = {_safe(box.grad)}"
        else:
            yield f"{picture.words['grad']} {_safe(box.grad)}"


def _name(box: Box) -> str:
    """The name of a box: what stands before the sign of equality."""
    line = box.formula
    signs = [i for i, span in enumerate(line) if span.text == " = "]
    return _shown(line[: signs[0]] if signs else line)


def _shown(line: Line) -> str:
    return "".join(
        mermaid_text(span.text) if span.tag == "mtext" else _safe(plain((span,))) for span in line
    )


def _safe(text: str) -> str:
    """A formula or a number; what might be syntax is written as codes."""
    return "".join(each if each in _PLAIN else mermaid_text(each) for each in text)
