"""How a picture looks in every format: the lines of text in a box, colours, and strokes.

A colour is the name of a field of `Theme`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from micrograd.drawing.named.roles import ROLES
from micrograd.drawing.picture import Arrow, Box, Frame, Picture
from micrograd.drawing.themes import Theme
from micrograd.writing.names import typeset


class Cell(NamedTuple):
    """A text in a line of a box."""

    text: str
    color: str = "ink"
    face: str = ""  # "bold", "italic" or ""
    is_name: bool = False  # whether scripts in it that are written with ^ and _ are to be typeset


COLORS = {
    "leaf": ("leaf_line", "leaf_head", "leaf_fill"),
    "value": ("value_line", "value_head", "value_fill"),
    "neuron": ("unit_line", "unit_head", "unit_fill"),
    "layer": ("unit_line", "unit_head", "unit_fill"),
    "operation": ("step_line", "", "step_fill"),
    "omitted": ("line", "", ""),
}
"""The colours of each kind of box, and of operations: border, title, and the rest; "" for none."""


class Style:
    """What depends on the whole picture: colours beside a highlighted path, and weights."""

    def __init__(self, picture: Picture, theme: Theme) -> None:
        self.picture, self.theme = picture, theme
        self.palettes: dict[bool | None, Theme] = {None: theme}
        if any(box.on_path is not None for box in picture.boxes):
            self.palettes |= {True: theme.highlighted(), False: theme.subdued()}
        self.dense = picture.is_dense
        self.titles = picture.titles()
        weights = (abs(arrow.weight) for arrow, _ in picture.arrows() if arrow.weight is not None)
        self.heaviest = max(filter(math.isfinite, weights), default=0.0)

    def colors(self, kind: str, on_path: bool | None) -> list[str]:
        """The border, title and fill of a kind of box, or "" where it has no such part."""
        return [getattr(self.palettes[on_path], name, "") for name in COLORS[kind]]

    def outline(self, box: Box) -> tuple[str, str]:
        """The colours of the border and the background of a box, as fields of `Theme`."""
        line, *_, fill = ROLES[box.role][:2] if box.role else COLORS[box.kind]
        return line, fill or "paper"

    def note(self, arrow: Arrow) -> str:
        """The text on an arrow; many weights are not written."""
        return "" if self.dense and arrow.weight is not None else arrow.text

    def lines(self, box: Box) -> Iterator[list[Cell]]:
        """The text in a box, line by line; only the title may itself consist of several lines.

        A line of numbers has four cells, or five with the name of an output before them.
        """
        if box.label:
            is_title = box.kind != "omitted"
            yield [self._name(box.label, "ink", "bold") if is_title else Cell(box.label, "faint")]
        if box.operation is not None and box.operation.text and box.oval is None:
            yield [Cell(box.operation.text, "ink", "italic")]
        for row in box.rows:
            yield [self._name(row.label, "faint"), *self._numbers(row.data, row.grad)]
        if box.more:
            yield [Cell(box.more, "faint")]
        if box.numbers is not None:
            yield self._numbers(box.data, box.grad)

    def _name(self, label: str, color: str, face: str = "") -> Cell:
        shown = self.titles[label]
        return Cell(shown, color, face, is_name=typeset(label) == shown)

    def _numbers(self, data: str, grad: str) -> list[Cell]:
        names = [Cell(self.picture.words[key], "faint") for key in ("data", "grad")]
        return [names[0], Cell(data), names[1], Cell(grad, "backward")]

    def share(self, arrow: Arrow) -> float:
        """The size of an arrow's weight as a share of the largest, from 0 to 1."""
        share = abs(arrow.weight or 0.0) / self.heaviest if self.heaviest else 0.0
        return min(share, 1.0) if share == share else 0.0

    def contents(self) -> tuple[dict[str, list[Box]], dict[str, list[Frame]]]:
        """The boxes and the frames directly within each frame, by its name; "" is the picture."""
        boxes: dict[str, list[Box]] = {}
        for box in self.picture.boxes:
            boxes.setdefault(box.frame, []).append(box)
        frames: dict[str, list[Frame]] = {}
        for frame in self.picture.frames:
            frames.setdefault(frame.parent, []).append(frame)
        return boxes, frames


def classes(kind: str, on_path: bool | None) -> str:
    """The classes of an element of an SVG."""
    return kind if on_path is None else f"{kind} {'path' if on_path else 'aside'}"


def stroke(arrow: Arrow) -> str:
    """The colour of an arrow."""
    if arrow.weight is None:
        return "line"
    return "negative" if arrow.weight < 0 else "positive"


def ink(arrow: Arrow) -> str:
    """The colour of the text on an arrow."""
    return "backward" if arrow.weight is None else stroke(arrow)


def is_dashed(arrow: Arrow) -> bool:
    """Whether an arrow is dashed: it has a negative weight, or leads to what was left out."""
    return arrow.omitted or (arrow.weight or 0.0) < 0
