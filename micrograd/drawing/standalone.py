"""A drawing that is an SVG from the start and needs no renderer, and text in one."""

from __future__ import annotations

import os
from html import escape

from micrograd import files

FONT = "Helvetica, Arial, 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"


class SvgDrawing:
    """A drawing of something: `.svg` is its text. A notebook shows it by itself."""

    def __init__(self, subject: str, svg: str) -> None:
        self.subject, self.svg = subject, svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<a drawing of {self.subject}, {len(self.svg):,} characters of SVG>"

    def write(self, path: str | os.PathLike[str]) -> str:
        """Write the file, whose suffix is .svg, and return its path."""
        files.suffix(path, [".svg"])
        return files.write(path, self.svg)


def text_at(
    at: tuple[float, float], text: str, color: str, more: str = "", *, anchor: str = ""
) -> str:
    """The element of a text that begins there, or has its middle or end there."""
    x, y = (f"{each:.1f}".removesuffix(".0") for each in at)
    more += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x}" y="{y}" fill="{color}"{more}>{escape(text, quote=False)}</text>'
