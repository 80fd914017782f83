"""Programs that turn DOT text or SVG into a picture: how they are found and run.

DOT text is drawn by Graphviz or graphviz-pure. The latter has fonts for European letters only and
shows a box in place of any other. If resvg is installed, it draws those letters with the fonts of
this computer. It also draws our own SVG if no renderer is found, and typst turns SVG into PDF.

RuntimeError
 └ RenderingError        a renderer was found, but it made no picture
    └ RendererNotFound   no renderer was found
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import sysconfig
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from micrograd.writing import fonts

VARIABLE = "MICROGRAD_DOT"
TIMEOUT = 120.0

INSTALL_GRAPHVIZ = """\
  apt install graphviz                     (Debian, Ubuntu)
  brew install graphviz                    (macOS)
  choco install graphviz                   (Windows)"""
_INSTALL = f"""\
  pip install graphviz-pure resvg-py     (a renderer from PyPI)
{INSTALL_GRAPHVIZ}"""
_WITHOUT = "Without one, SVG is drawn all the same, and PNG if the package resvg-py is installed."
_IN_A_BROWSER = "Python in a browser cannot start programs: use format='svg', which needs none."
_STILL = "The DOT text needs no renderer: it is .source, and .save(path) writes it to a file."


class RenderingError(RuntimeError):
    """A renderer made no picture; the message says why, and what to do.

    >>> issubclass(RenderingError, RuntimeError)
    True
    """


class RendererNotFound(RenderingError):  # noqa: N818 (a name like graphviz's ExecutableNotFound)
    """No program that draws DOT text was found; the message says how to install one.

    >>> issubclass(RendererNotFound, RenderingError)
    True
    """


def _not_found(reason: str) -> RendererNotFound:
    if sys.platform == "emscripten":
        return RendererNotFound(f"{reason}. {_IN_A_BROWSER} {_STILL}")
    without = f"Without {VARIABLE}, whatever is installed is used." if is_chosen() else _WITHOUT
    return RendererNotFound(f"{reason}. Install one:\n{_INSTALL}\n{without}\n{_STILL}")


def is_chosen() -> bool:
    """Whether the user named a renderer, which must then be used."""
    return bool(os.environ.get(VARIABLE))


def find() -> str:
    """The path of the renderer: `$MICROGRAD_DOT`, else `dot`, else `graphviz-pure`.

    `graphviz-pure` is also found in a virtual environment that was not activated.

    Raises:
        RendererNotFound: if there is none.
    """
    if chosen := os.environ.get(VARIABLE):
        if path := shutil.which(chosen):
            return path
        raise _not_found(f"{VARIABLE} is {chosen!r}, which is not a program that can be run")
    if path := shutil.which("dot"):
        return path
    for folder in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable or ""), None):
        if folder != "" and (path := shutil.which("graphviz-pure", path=folder)):
            return path
    raise _not_found("no Graphviz renderer found")


def run(source: str, options: list[str], timeout: float = TIMEOUT) -> bytes:
    """What the renderer makes of DOT text; its warnings are dropped.

    `options` are those of its command line, such as `-Tsvg`.

    Raises:
        RenderingError: if it makes no picture within `timeout` seconds.
    """
    import subprocess

    program = find()
    name = Path(program).stem
    try:
        done = subprocess.run(  # noqa: S603 (the user's own program, and no shell)
            [program, *options],
            input=source.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        raise RenderingError(
            f"{name} was stopped after {timeout:g} seconds: draw a smaller part of the graph, "
            f"or set .timeout on it. {_STILL}"
        ) from None
    except OSError as error:  # also where there are no processes, as in a browser
        raise _not_found(f"{program} could not be run: {str(error).rstrip('.')}") from error
    if done.returncode == 0 and done.stdout:
        return done.stdout
    complaint = done.stderr.decode(errors="replace").strip()
    if "not recognized" in complaint:
        wanted = next(option[2:] for option in options if option.startswith("-T"))
        raise RenderingError(
            f"{name} cannot write the format {wanted!r}: use format='svg' or 'png', "
            f"or install Graphviz itself:\n{INSTALL_GRAPHVIZ}\n({complaint[:300]})"
        )
    raise RenderingError(
        f"{program} failed with exit code {done.returncode}: {complaint[-500:] or 'no output'}\n"
        f"To use another renderer, set {VARIABLE} to its path. {_STILL}"
    )


# ------------------------------------------------------------------------------------ PNG from SVG

_INSTALL_RESVG = f"""\
  pip install resvg-py
{INSTALL_GRAPHVIZ}
or use format='svg', which every browser shows with its own fonts."""

# The fonts for resvg, of which the first that is installed is used.
_OTHERS = ("Droid Sans Fallback", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial")
_FAMILIES = (*fonts.CHINESE, *_OTHERS)
_LATIN = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans", "Verdana", "Noto Sans")


def unknown_letter(text: str) -> str:
    """The first letter for which graphviz-pure has no font, or ""."""
    return next((c for c in text if not (c < "\u0590" or "\u2000" <= c < "\u2600")), "")


def checked_scale(scale: Any) -> float:
    """The scale of a picture; ValueError unless it is a number above 0, at most 100."""
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale <= 100:
        raise ValueError(f"scale is a number above 0, at most 100, got {scale!r}")
    return float(scale)


def has_resvg() -> bool:
    """Whether resvg is installed, and a font that it can draw with."""
    try:
        import resvg_py
    except ImportError:
        return False
    return bool(_family(resvg_py, prefers_latin=True))


def png(svg: str, letter: str, lacking: RenderingError | None = None, scale: float = 1.0) -> bytes:
    """The SVG, which contains `letter`, as PNG, `scale` times as large.

    Raises:
        RenderingError: if there is no font for the letter, or no resvg; if `lacking` is given, it
            is raised in place of the latter.
    """
    try:
        import resvg_py as resvg
    except ImportError:
        raise lacking or RenderingError(
            f"to draw {letter!r} as pixels needs resvg-py, or, for graphs, Graphviz. Install one:\n"
            f"{_INSTALL_RESVG}"
        ) from None
    family = _family(resvg, prefers_latin=letter < "\u2e80")
    if not family:
        raise RenderingError(
            f"no font for {letter!r} was found on this computer: install one, such as\n"
            "  apt install fonts-noto-cjk\n"
            "or use format='svg', which every browser shows with its own fonts."
        )
    drawn: bytes = resvg.svg_to_bytes(
        svg_string=svg, dpi=96, sans_serif_family=family, zoom=None if scale == 1 else scale
    )
    return bytes(drawn)


@cache
def _family(resvg: Any, prefers_latin: bool = False) -> str:
    """The first of the families that is installed; with another no letter would be drawn."""
    families = (*_LATIN, *_FAMILIES) if prefers_latin else _FAMILIES

    def sample(letter: str, family: str) -> Any:
        return resvg.svg_to_bytes(
            svg_string='<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
            f'<text y="16" font-family="sans-serif">{letter}</text></svg>',
            sans_serif_family=family,
        )

    blank = sample("", "")
    return next((family for family in families if sample("a", family) != blank), "")


def pdf(svg: str, letter: str, lacking: RenderingError | None = None, scale: float = 1.0) -> bytes:
    """The SVG as a page of a PDF, by typst; without it as a picture of pixels, four to a point.

    Raises:
        RenderingError: if typst fails; without it, as `png` does, or if Pillow is missing.
    """
    try:
        import typst
    except ImportError:
        return _pdf_of_pixels(svg, letter, lacking, scale)
    names = [*_LATIN, *_FAMILIES] if letter < "\u2e80" else _FAMILIES
    known = {*typst.Fonts().families()}
    family = next((name for name in names if name in known), "")
    wide, tall = (
        float(re.search(rf'<svg [^>]*?\b{name}="([\d.]+)"', svg)[1]) * scale  # type: ignore[index]
        for name in ("width", "height")
    )
    page = f"#set page(width: {wide:.3f}pt, height: {tall:.3f}pt, margin: 0pt, fill: none)\n"
    image = '#image(bytes(sys.inputs.svg), format: "svg", width: 100%)'
    try:
        drawn: bytes = typst.compile(
            (page + image).encode(), sys_inputs={"svg": svg.replace("sans-serif", family)}
        )
    except RuntimeError as error:
        raise RenderingError(f"typst made no PDF: {error}") from error
    return drawn


def has_typst() -> bool:
    """Whether typst is installed, which draws the SVG as it is."""
    return find_spec("typst") is not None


def _pdf_of_pixels(svg: str, letter: str, lacking: RenderingError | None, scale: float) -> bytes:
    drawn = png(svg, letter, lacking, _PDF * scale)
    try:
        from PIL import Image
    except ImportError:
        raise lacking or RenderingError(
            "a PDF needs typst, Graphviz or Pillow. Install one:\n"
            "  pip install typst\n"
            f"{INSTALL_GRAPHVIZ}"
        ) from None
    page = io.BytesIO()
    with Image.open(io.BytesIO(drawn)) as image:
        image.convert("RGB").save(page, "PDF", resolution=72.0 * _PDF * scale)
    return page.getvalue()


_PDF = 4.0  # pixels to a point
