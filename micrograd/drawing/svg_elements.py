"""SVG that is written without a renderer: a drawing, its document and its elements."""

from __future__ import annotations

import os
from collections.abc import Iterable
from html import escape

from micrograd import files
from micrograd.drawing import renderers
from micrograd.writing.labels import NOT_XML

Point = tuple[float, float]

SIZE = 12
FONT = "Helvetica, Arial, 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"


class SvgDrawing:
    """A drawing in SVG, which shows itself in a notebook.

    `title` and `description` say in words what is seen, for alternative texts.

    Args:
        subject: what it shows, for its `repr`.
        svg: the text of the SVG.
        title: a short alternative text, which is also put into the SVG.
        description: a longer one.

    >>> drawing = SvgDrawing("a line", "<svg></svg>")
    >>> drawing
    <a drawing of a line, 11 characters of SVG>
    >>> drawing.svg
    '<svg></svg>'
    """

    def __init__(self, subject: str, svg: str, title: str = "", description: str = "") -> None:
        self.subject, self.svg = subject, accessible(svg, title, description)
        self.title, self.description = title, description

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<a drawing of {self.subject}, {len(self.svg):,} characters of SVG>"

    def png(self, *, scale: float = 1.0) -> bytes:
        """Return the drawing as PNG, which resvg draws: `pip install resvg-py`.

        Args:
            scale: how many times as many pixels it has in each direction.

        Raises:
            ValueError: if the scale is not a number above 0.
            RenderingError: if resvg-py or a font is missing.
        """
        return renderers.png(self.svg, letter_of(self.svg), scale=renderers.checked_scale(scale))

    def pdf(self) -> bytes:
        """Return the drawing as PDF, which typst writes: `pip install typst`.

        Without typst the page is a picture of pixels, by resvg-py and Pillow.

        Raises:
            RenderingError: if neither can be used.
        """
        return renderers.pdf(self.svg, letter_of(self.svg))

    def write(self, path: str | os.PathLike[str], *, scale: float = 1.0) -> str:
        """Write the drawing to a file, and return the path.

        Args:
            path: the file, whose suffix is .svg, .png or .pdf.
            scale: how many times as many pixels a PNG has in each direction.

        Raises:
            ValueError: if the suffix is another.
            RenderingError: if something that a PNG or a PDF needs is missing.
        """
        kind = files.suffix(path, [".svg", ".png", ".pdf"])
        if kind == ".png":
            return files.write(path, self.png(scale=scale))
        return files.write(path, self.svg if kind == ".svg" else self.pdf())


def component(z: complex, direction: complex) -> float:
    """How far a place is from the origin in a direction of length 1."""
    return z.real * direction.real + z.imag * direction.imag


def pair(z: complex) -> str:
    """The coordinates of a place, as paths have them."""
    return f"{z.real:.1f},{z.imag:.1f}"


def letter_of(svg: str) -> str:
    """A letter of the texts in an SVG that the fonts for it must have."""
    return renderers.unknown_letter(svg) or "a"


def document(size: Point, paper: str, content: Iterable[str], more: str = "") -> str:
    """The text of an SVG of this width and height; `more` has further attributes."""
    wide, tall = (f"{each:.1f}".removesuffix(".0") for each in size)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall}" '
        f'viewBox="0 0 {wide} {tall}" font-family="{FONT}" font-size="{SIZE}"{more}>'
    )
    background = f'<rect width="{wide}" height="{tall}" fill="{paper}"/>'
    return "\n".join([head, background, *content, "</svg>\n"])


def line_at(middle: Point, content: str, size: float, color: str = "") -> str:
    """The element of a line of text around a point of its base line; `content` is markup."""
    x, y = (f"{each:.1f}".removesuffix(".0") for each in middle)
    fill = f' fill="{color}"' if color else ""
    return f'<text x="{x}" y="{y}" text-anchor="middle" font-size="{size:g}"{fill}>{content}</text>'


def accessible(svg: str, title: str, description: str) -> str:
    """The SVG with a title and a description, which screen readers read and browsers show."""
    if not title or "<svg " not in svg:
        return svg
    title = NOT_XML.sub("\ufffd", title)
    description = NOT_XML.sub("\ufffd", description)
    told = f"<title>{escape(title)}</title>"
    if description:
        told += f"<desc>{escape(description.strip())}</desc>"
    head, tag, rest = svg.partition("<svg ")
    attributes, _, content = rest.partition(">")
    return f'{head}{tag}role="img" {attributes}>\n{told}{content}'
