"""Draw which room imports which: `python -m docs.rooms` writes rooms.svg beside this file.

The rooms and their order are those of `tests/test_architecture.py`. The imports are read from the
source. An arrow is left out if it follows from other arrows.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from micrograd.drawing import renderers
from micrograd.files import write
from tests.test_architecture import ROOMS, imports, modules, room

PICTURE = Path(__file__).with_name("rooms.svg")


def imported_rooms() -> dict[str, set[str]]:
    """The rooms that each room imports."""
    found: dict[str, set[str]] = {name: set() for name in ROOMS}
    for module, path in modules().items():
        ours = {name for name in imports(path) if name.split(".")[0] in ("micrograd", "nn")}
        found[room(module)] |= {room(name) for name in ours}
    return {name: others - {name} for name, others in found.items()}


def without_shortcuts(direct: dict[str, set[str]]) -> dict[str, list[str]]:
    """The imports of each room, in the order of the rooms; those that follow are left out."""
    reached: dict[str, set[str]] = {}
    kept = {}
    for name in ROOMS:  # the rooms that a room imports come before it
        beyond = set().union(*(reached[other] for other in direct[name]))
        reached[name] = direct[name] | beyond
        kept[name] = [other for other in ROOMS if other in direct[name] - beyond]
    return kept


def source() -> str:
    """The picture in the DOT language; the rooms that import no other room are on top."""
    lines = [
        "digraph rooms {",
        '  bgcolor="white"; ranksep=0.3; nodesep=0.15',
        '  node [shape=box, style="rounded,filled", color="#8a9aa8", height=0.3, margin=0.08]',
        '  node [fontname="sans-serif", fontsize=12]',
        '  edge [dir=back, arrowsize=0.5, color="#8a9aa8"]',
    ]
    for name in ROOMS:
        fill = "#fdf1dc" if name.split(".")[0] == "nn" else "#e3eef8"
        lines.append(f'  "{name}" [fillcolor="{fill}"]')
    for name, others in without_shortcuts(imported_rooms()).items():
        lines += [f'  "{other}" -> "{name}"' for other in others]
    return "\n".join([*lines, "}", ""])


def with_source(svg: str, text: str) -> str:
    """The SVG with its DOT text inside, and without the comments of the renderer."""
    bare = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    return bare.replace("</svg>", f"<metadata>{html.escape(text)}</metadata>\n</svg>")


def source_of(svg: str) -> str:
    """The DOT text from which an SVG was drawn."""
    found = re.search("<metadata>(.*?)</metadata>", svg, flags=re.DOTALL)
    return html.unescape(found[1]) if found else ""


if __name__ == "__main__":
    text = source()
    drawn = renderers.run(text, ["-Kdot", "-Tsvg"], renderers.TIMEOUT).decode()
    write(PICTURE, with_source(drawn, text))
