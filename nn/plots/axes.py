"""What all plots share: the words of a language and their font, axes, and colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from micrograd.writing import fonts, languages

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which most colour-blind people can distinguish.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
INK, FAINT = "#333333", "#999999"

FONTS = fonts.CHINESE
"""Fonts with East Asian letters; the first one installed is used if a language needs them."""


class Words:
    """The words of a language, and the font that they need."""

    def __init__(self, lang: str) -> None:
        words = languages.words(lang, "plot")
        require_matplotlib()
        from matplotlib.font_manager import get_font_names

        # Matplotlib's own font has the letters of most languages, but none of these.
        needed = any(east_asian_width(letter) == "W" for word in words.values() for letter in word)
        there = set(get_font_names()) if needed else set()
        found = [font for font in FONTS if font in there][:1]
        self.words = words if found or not needed else languages.words("en", "plot")
        self.properties = {"family": [*found, "sans-serif"]}

    def __call__(self, key: str, **values: Any) -> str:
        """Return the text of that key with the values in it."""
        return self.words[key].format(**values)

    @property
    def font(self) -> dict[str, Any]:
        """The option that selects the font, for functions of Matplotlib that write text."""
        return {"fontfamily": self.properties["family"]}

    def column(self, name: str, columns: Sequence[str]) -> str:
        """Return the label of a column: training or validation, if all are one measure."""
        if len({each.removeprefix("val_") for each in columns}) > 1:
            return name
        return self("validation" if name.startswith("val_") else "training")


def require_matplotlib() -> None:
    """Raise ImportError, which says what to install, if there is no Matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(f"plots need matplotlib: pip install matplotlib ({error})") from error


def new_axes(ax: Axes | None, size: tuple[float, float] = (6.4, 4)) -> Axes:
    """Return the given axes, or those of a new figure, which needs no display."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").subplots()


def tidied(ax: Axes, *, grid: bool = False) -> Axes:
    """Return the axes with pale lines, only on the left and below."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        ax.spines[side].set_color(FAINT)
    ax.tick_params(color=FAINT, labelcolor=INK)
    if grid:
        ax.grid(axis="y", color=FAINT, alpha=0.3, linewidth=0.6)
        ax.set_axisbelow(True)
    return ax


def label_layers(ax: Axes, say: Words, places: Sequence[float], sizes: Sequence[int]) -> None:
    """Label the places on the horizontal axis as layers 1, 2, … with so many neurons."""
    ax.set_xticks(places)
    labels = [say("layer", number=i, neurons=size) for i, size in enumerate(sizes, 1)]
    ax.set_xticklabels(labels, **say.font)


def colour(k: int) -> str:
    """Return the colour of curve or class number k."""
    return COLOURS[k % len(COLOURS)]
