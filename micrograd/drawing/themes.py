"""The colours of drawings: three themes, and the class `Theme` for others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple


class Theme(NamedTuple):
    """The colours of a drawing, each written `#rrggbb`; by default, those of the light theme.

    Args:
        paper: the background.
        ink: labels and numbers.
        faint: the words "data" and "grad", captions, titles of frames.
        line: arrows.
        backward: gradients and local partial derivatives.
        accent: highlighted paths.
        leaf_line: the border of leaves, the values that no operation made.
        leaf_head: the background of their labels.
        leaf_fill: the background of their numbers.
        value_line: the border of other values.
        value_head: the background of their labels.
        value_fill: the background of their numbers.
        step_line: the border of operations.
        step_fill: their background.
        unit_line: the border of neurons and layers that are drawn as one box.
        unit_head: the background of their titles.
        unit_fill: the background of their numbers.
        group_line: the border of frames around neurons and layers.
        group_fill: their background.
        positive: positive weights.
        negative: negative weights.
        leaf_ink: the names of inputs.
        weight_line: the border of weights in a compact picture.
        weight_fill: their background.
        weight_ink: their names.
        unit_ink: the names of activations.
        loss_line: the border of the loss in a compact picture.
        loss_fill: its background.
        loss_ink: its name.

    >>> Theme(accent="#c2185b").accent  # the light theme with another colour for paths
    '#c2185b'
    """

    paper: str = "#ffffff"
    ink: str = "#1f2933"
    faint: str = "#68737f"
    line: str = "#9aa5b1"
    backward: str = "#b4431f"
    accent: str = "#d6187f"
    leaf_line: str = "#3f73b0"
    leaf_head: str = "#d6e4f5"
    leaf_fill: str = "#f3f8fd"
    value_line: str = "#9aa5b1"
    value_head: str = "#eceff2"
    value_fill: str = "#ffffff"
    step_line: str = "#c9a227"
    step_fill: str = "#fff6d9"
    unit_line: str = "#4a8a5c"
    unit_head: str = "#d8ecdd"
    unit_fill: str = "#f4faf5"
    group_line: str = "#c3ccd5"
    group_fill: str = "#f7f9fb"
    positive: str = "#2166ac"
    negative: str = "#c0392b"
    leaf_ink: str = "#1a5fa8"
    weight_line: str = "#d08c00"
    weight_fill: str = "#fff6e0"
    weight_ink: str = "#855600"
    unit_ink: str = "#00705a"
    loss_line: str = "#9b2c7f"
    loss_fill: str = "#fbeef7"
    loss_ink: str = "#932a78"

    def subdued(self) -> Theme:
        """Return the theme with its colours blended into the paper, for what is beside a path."""
        return Theme(*(blend(color, self.paper, 0.6) for color in self))

    def highlighted(self) -> Theme:
        """Return the theme with its lines in the accent colour, for what is on a path."""
        lines = ("line", "leaf_line", "value_line", "step_line", "unit_line")
        return self._replace(**dict.fromkeys(lines, self.accent))


# The colours of the other two themes, which have the names "dark" and "print".
_OTHERS = {
    "paper": ("#14181d", "#ffffff"),
    "ink": ("#e6eaee", "#000000"),
    "faint": ("#95a1ad", "#555555"),
    "line": ("#66727e", "#777777"),
    "backward": ("#ff9a76", "#333333"),
    "accent": ("#ff5fb0", "#000000"),
    "leaf_line": ("#5b93d3", "#000000"),
    "leaf_head": ("#23405f", "#d9d9d9"),
    "leaf_fill": ("#1a2736", "#f5f5f5"),
    "value_line": ("#66727e", "#888888"),
    "value_head": ("#2c343c", "#eeeeee"),
    "value_fill": ("#1d2329", "#ffffff"),
    "step_line": ("#c9a227", "#555555"),
    "step_fill": ("#3a3212", "#ffffff"),
    "unit_line": ("#5da873", "#000000"),
    "unit_head": ("#23452f", "#d9d9d9"),
    "unit_fill": ("#1a2a20", "#ffffff"),
    "group_line": ("#3d4751", "#aaaaaa"),
    "group_fill": ("#191f25", "#fafafa"),
    "positive": ("#6aaef0", "#000000"),
    "negative": ("#f0766a", "#999999"),
    "leaf_ink": ("#8fc0f5", "#000000"),
    "weight_line": ("#c98a1a", "#555555"),
    "weight_fill": ("#33270c", "#ffffff"),
    "weight_ink": ("#f2bb52", "#000000"),
    "unit_ink": ("#63cfa9", "#000000"),
    "loss_line": ("#f29ad9", "#000000"),
    "loss_fill": ("#331a2d", "#e6e6e6"),
    "loss_ink": ("#ee9fd6", "#000000"),
}
_DARK, _PRINT = (Theme(*column) for column in zip(*_OTHERS.values(), strict=True))
THEMES = {"light": Theme(), "dark": _DARK, "print": _PRINT}


# A dark screen replaces colours by what they are, so no two are equal; the difference is unseen.
AUTO = Theme(value_line="#9aa5b0", value_fill="#fffffe")
"""The light theme, in an SVG that switches to the dark theme on a dark screen."""


def following(svg: str, theme: Theme) -> str:
    """The SVG in the scheme of the reader's screen if its theme is `AUTO`, otherwise unchanged.

    A style sheet replaces each colour where the scheme is dark. Programs without support for such
    queries show the light theme.
    """
    if theme != AUTO:
        return svg
    colors: dict[str, str] = {}
    for light, dark in ((AUTO, _DARK), (AUTO.highlighted(), _DARK.highlighted())):
        colors |= dict(zip(light, dark, strict=True))
    colors = dict(zip(AUTO.subdued(), _DARK.subdued(), strict=True)) | colors
    rules = "".join(
        f'.auto [{part}="{light}"]{{{part}:{dark}}}'
        for light, dark in colors.items()
        for part in ("fill", "stroke")
        if f'{part}="{light}"' in svg
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    head, tag, rest = svg.partition("<svg ")
    attributes, _, content = rest.partition(">")
    return f'{head}{tag}class="auto" {attributes}>{style}{content}'


def chosen(theme: Any) -> Theme:
    """The theme of that name, or the theme itself; "auto" follows the reader's screen.

    Raises:
        ValueError: if the name is unknown, or a colour is not written `#rrggbb`.
        TypeError: if it is neither a name nor a `Theme`.
    """
    if theme == "auto":
        return AUTO
    if isinstance(theme, str):
        if theme not in THEMES:
            names = ", ".join(map(repr, (*THEMES, "auto")))
            raise ValueError(f"unknown theme {theme!r}: use one of {names}, or a Theme")
        return THEMES[theme]
    if not isinstance(theme, Theme):
        raise TypeError(f"theme is a name or a Theme, got {type(theme).__name__} {theme!r}")
    for name, color in theme._asdict().items():
        if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
            raise ValueError(f"theme: {name} is a colour written #rrggbb, got {color!r}")
    return theme


def blend(color: str, other: str, share: float) -> str:
    """The colour mixed with a share of another."""
    mixed: Iterable[int] = (
        round(int(color[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share)
        for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)
