"""A drawing that is an SVG from the start and needs no renderer."""

from __future__ import annotations

import os

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
