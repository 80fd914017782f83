"""The formats of a drawing: the suffix that asks for each, and who writes it."""

from __future__ import annotations

from collections.abc import Callable

from micrograd.drawing import data, mermaid, svg, tikz, tree
from micrograd.drawing.picture import Picture
from micrograd.drawing.themes import Theme

WRITERS: dict[str, Callable[[Picture, Theme], str]] = {
    "mermaid": mermaid.flowchart,
    "tikz": tikz.document,
    "json": lambda picture, _: data.document(picture),
    "tree": lambda picture, _: tree.text(picture),
    "svg": svg.svg,
}
"""What needs no renderer. SVG is Graphviz's where there is one."""

SUFFIXES = {
    ".svg": "svg",
    ".png": "png",
    ".pdf": "pdf",
    ".jpg": "jpg",
    ".gv": "dot",
    ".dot": "dot",
    ".mmd": "mermaid",
    ".tex": "tikz",
    ".json": "json",
    ".txt": "tree",
}
DRAWN = ("svg", "png", "pdf", "jpg")
"""What a renderer makes of the DOT text."""
