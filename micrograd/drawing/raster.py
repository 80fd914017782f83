"""PNG with the fonts of this computer, for a renderer that only has its own, and for none.

graphviz-pure brings fonts for European letters and shows a box in place of any other. Its SVG has
the letters, and resvg, if it is installed, draws that with the fonts of the system; as it does our
own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from micrograd.drawing.renderer import INSTALL_GRAPHVIZ, RenderingError

_INSTALL = f"""\
  pip install 'micrograd-engine[render]'   (which includes resvg-py)
{INSTALL_GRAPHVIZ}
or use format='svg', which every browser shows with its own fonts."""

# What resvg is told to use for letters of no font in particular; the first that is installed.
_FAMILIES = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Droid Sans Fallback",
    "Noto Sans",
    "DejaVu Sans",
    "Liberation Sans",
    "Arial",
)


def unknown_letter(text: str) -> str:
    """The first letter for which graphviz-pure brings no font, or nothing."""
    return next((c for c in text if not (c < "\u0590" or "\u2000" <= c < "\u2600")), "")


def png(svg: str, letter: str, lacking: RenderingError | None = None) -> bytes:
    """The SVG, which contains `letter`, as PNG.

    Raises RenderingError if there is no font for it, and what is `lacking` if there is no resvg.
    """
    try:
        import resvg_py as resvg
    except ImportError:
        raise lacking or RenderingError(
            f"graphviz-pure has no font for {letter!r} in a PNG or JPEG. Install one:\n{_INSTALL}"
        ) from None
    family = _family(resvg)
    if not family:
        raise RenderingError(
            f"no font for {letter!r} was found on this computer: install one, such as\n"
            "  apt install fonts-noto-cjk\n"
            "or use format='svg', which every browser shows with its own fonts."
        )
    drawn: bytes = resvg.svg_to_bytes(svg_string=svg, dpi=96, sans_serif_family=family)
    return drawn


@cache
def _family(resvg: Any) -> str:
    """The first of the families that is installed: with another no letter is drawn."""

    def sample(letter: str, family: str) -> Any:
        return resvg.svg_to_bytes(
            svg_string='<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
            f'<text y="16" font-family="sans-serif">{letter}</text></svg>',
            sans_serif_family=family,
        )

    blank = sample("", "")
    return next((family for family in _FAMILIES if sample("a", family) != blank), "")
