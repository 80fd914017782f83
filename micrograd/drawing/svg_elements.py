"""SVG that is written without a renderer: a drawing, its document and its elements."""

from __future__ import annotations

import os
from collections.abc import Iterable
from html import escape

from micrograd import files
from micrograd.drawing import renderers

Point = tuple[float, float]

SIZE = 12
FONT = "Helvetica, Arial, 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"


class SvgDrawing:
    """A drawing in SVG, which shows itself in a notebook.

    `title` and `description` say in words what is seen, for alternative texts; a drawing without
    them has empty ones.

    Args:
        subject: what it shows, for its `repr`.
        svg: the text of the SVG.
        title: a short alternative text.
        description: a longer one.

    >>> drawing = SvgDrawing("a line", "<svg></svg>")
    >>> drawing
    <a drawing of a line, 11 characters of SVG>
    >>> drawing.svg
    '<svg></svg>'
    """

    def __init__(self, subject: str, svg: str, title: str = "", description: str = "") -> None:
        self.subject, self.svg = subject, svg
        self.title, self.description = title, description

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<a drawing of {self.subject}, {len(self.svg):,} characters of SVG>"

    def png(self, scale: float = 2.0) -> bytes:
        """Return the drawing as a PNG, drawn by resvg with the fonts of this computer.

        Args:
            scale: the number of pixels of the PNG for a pixel of the SVG.

        Raises:
            RenderingError: if resvg-py is not installed, or there is no font.
        """
        return renderers.png(self.svg, renderers.unknown_letter(self.svg) or "a", scale=scale)

    def write(self, path: str | os.PathLike[str], *, scale: float = 2.0) -> str:
        """Write the drawing to a file, and return the path.

        Args:
            path: the file, whose suffix is .svg or .png.
            scale: the number of pixels of a PNG for a pixel of the SVG.

        Raises:
            ValueError: if the suffix is another.
            RenderingError: if there is no program or font for a PNG.
        """
        is_png = files.suffix(path, [".svg", ".png"]) == ".png"
        return files.write(path, self.png(scale) if is_png else self.svg)


def document(
    frame: tuple[float, float, float, float], paper: str, content: Iterable[str], more: str = ""
) -> str:
    """The text of an SVG: `frame` is left, top, width and height, and `more` has attributes."""
    left, top, wide, tall = (f"{each:.1f}".removesuffix(".0") for each in frame)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall}" '
        f'viewBox="{left} {top} {wide} {tall}" font-family="{FONT}" font-size="{SIZE}"{more}>'
    )
    return "\n".join([head, polygon(frame[:2], frame[2:], paper), *content, "</svg>\n"])


def polygon(corner: Point, size: Point, fill: str, line: str = "") -> str:
    """The element of a rectangle, given its upper left corner."""
    (x, y), (wide, tall) = corner, size
    corners = ((x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall))
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon points="{points}" fill="{fill}"{line}/>'


def text_at(at: Point, text: str, color: str, more: str = "", *, anchor: str = "") -> str:
    """The element of a text that begins at a point, or has its "middle" or "end" there."""
    x, y = (f"{each:.1f}".removesuffix(".0") for each in at)
    more += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x}" y="{y}" fill="{color}"{more}>{escape(text, quote=False)}</text>'
