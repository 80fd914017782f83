"""How a picture looks in every format that draws it: the lines of a box, colours and strokes.

A colour is the name of a field of `Theme`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from micrograd.drawing.groups import Group
from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.themes import Theme


class Cell(NamedTuple):
    """A text in a line of a box."""

    text: str
    color: str = "ink"
    face: str = ""  # "bold", "italic" or nothing


COLORS = {
    "leaf": ("leaf_line", "leaf_head", "leaf_fill"),
    "value": ("value_line", "value_head", "value_fill"),
    "neuron": ("unit_line", "unit_head", "unit_fill"),
    "layer": ("unit_line", "unit_head", "unit_fill"),
    "operation": ("step_line", "", "step_fill"),
    "omitted": ("line", "", ""),
}
"""Of each kind of box and of operations: border, title and rest, or nothing where it has none."""


def lines(box: Box, place: str = "") -> Iterator[list[Cell]]:
    """What stands in a box, line by line; only a title may be of several lines itself.

    A line of numbers has four cells, or five with the name of an output before them. `place` is
    written below the title, where frames do not tell it.
    """
    if box.label:
        is_title = box.kind != "omitted"
        yield [Cell(box.label, "ink", "bold") if is_title else Cell(box.label, "faint")]
    if place:
        yield [Cell(place, "faint")]
    if box.step is not None and box.step.text and not box.has_operation:
        yield [Cell(box.step.text, "ink", "italic")]
    for row in box.rows:
        yield [Cell(row.label, "faint"), *_numbers(row.data, row.grad, box.words)]
    if box.more:
        yield [Cell(box.more, "faint")]
    if box.numbers is not None:
        yield _numbers(box.data, box.grad, box.words)


def _numbers(data: str, grad: str, words: Mapping[str, str]) -> list[Cell]:
    names = [Cell(words[key], "faint") for key in ("data", "grad")]
    return [names[0], Cell(data), names[1], Cell(grad, "backward")]


class Look:
    """What depends on the whole picture: colours beside a highlighted path, and weights."""

    def __init__(self, picture: Picture, theme: Theme) -> None:
        self.picture, self.theme = picture, theme
        self.palettes: dict[bool | None, Theme] = {None: theme}
        if self.has_paths:
            self.palettes |= {True: theme.highlighted(), False: theme.subdued()}
        self.dense = picture.is_dense
        weights = (abs(arrow.weight) for arrow, _ in picture.arrows() if arrow.weight is not None)
        self.heaviest = max(filter(math.isfinite, weights), default=0.0)

    @property
    def has_paths(self) -> bool:
        """Whether paths are highlighted."""
        return any(box.on_path is not None for box in self.picture.boxes)

    def note(self, arrow: Arrow) -> str:
        """The text that is shown on an arrow; of very many weights none is."""
        return "" if self.dense and arrow.weight is not None else arrow.text

    def place(self, box: Box) -> str:
        """Where a leaf stands, for formats that draw no frames."""
        return self.picture.place(box) if box.kind == "leaf" and box.group else ""

    def share(self, arrow: Arrow) -> float:
        """The size of an arrow's weight as a share of the largest, from 0 to 1."""
        share = abs(arrow.weight or 0.0) / self.heaviest if self.heaviest else 0.0
        return min(share, 1.0) if share == share else 0.0

    def contents(self) -> tuple[dict[str, list[Box]], dict[str, list[Group]]]:
        """The boxes and the frames within each frame by its name, and those of none by nothing."""
        boxes: dict[str, list[Box]] = {}
        for box in self.picture.boxes:
            boxes.setdefault(box.group, []).append(box)
        frames: dict[str, list[Group]] = {}
        for group in self.picture.groups:
            frames.setdefault(group.parent, []).append(group)
        return boxes, frames


def stroke(arrow: Arrow) -> str:
    """The colour of an arrow."""
    if arrow.weight is None:
        return "line"
    return "negative" if arrow.weight < 0 else "positive"


def is_dashed(arrow: Arrow) -> bool:
    """Whether the line of an arrow is dashed: of a negative weight, or to what was left out."""
    return arrow.omitted or (arrow.weight or 0.0) < 0
