"""The formats of a drawing: the function that writes each, and the suffixes of their files."""

from __future__ import annotations

from collections.abc import Callable

from micrograd.drawing import json_graph, mermaid, svg, text_tree, themes, tikz
from micrograd.drawing.picture import Picture
from micrograd.drawing.themes import Theme
from micrograd.drawing.typeset import typeset


def _svg(picture: Picture, theme: Theme) -> str:
    return themes.following(svg.svg(typeset(picture), theme), theme)


def _tikz(picture: Picture, theme: Theme) -> str:
    write = tikz.snippet if picture.width else tikz.document
    return write(typeset(picture), theme)


WRITERS: dict[str, Callable[[Picture, Theme], str]] = {
    "mermaid": mermaid.flowchart,
    "tikz": _tikz,
    "json": lambda picture, _: json_graph.document(picture),
    "tree": lambda picture, _: text_tree.text(picture),
    "svg": _svg,
}
"""The formats that need no renderer. SVG is Graphviz's if there is one."""

DRAWN = ("svg", "png", "pdf", "jpg")
"""The formats that a renderer makes from the DOT text."""

SUFFIXES = {f".{kind}": kind for kind in DRAWN} | {".gv": "dot", ".dot": "dot", ".mmd": "mermaid"}
SUFFIXES |= {".tex": "tikz", ".json": "json", ".txt": "tree"}
"""The format that each suffix of a file asks for."""
