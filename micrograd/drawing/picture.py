"""What a drawing shows, before anything decides how it looks: boxes, operations and arrows.

Names are given in topological order, so that the same program makes the same drawing. The value
`n3` is made by the operation `n3op`, its operand number 1 comes along the arrow `n3e1` (operands
are counted from 0, numbers written in the formula included), and its result goes along `n3out`.
What is left out below and above it is `n3below` and `n3above`. The names of values do not depend on
what is in focus.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from micrograd.drawing.groups import Group
from micrograd.writing import languages

MOST_WEIGHTS = 16  # that are written on arrows; more of them could not be told apart
DIRECTIONS = {
    "LR": (1, 0, "east", "west"),
    "RL": (-1, 0, "west", "east"),
    "TB": (0, 1, "south", "north"),
    "BT": (0, -1, "north", "south"),
}
"""Of reading: a step to the right and down, and the sides where arrows leave and arrive."""
PLACE = "□"  # where an arrow's value goes in an operation that also holds constants


ENGLISH = languages.words("en", "picture")


class Arrow(NamedTuple):
    """From an operand to its operation, or to a box that has none of its own."""

    name: str
    tail: str  # the name of the operand's box
    text: str = ""  # what flows back along it, or nothing
    weight: float | None = None  # of a neuron's input
    on_path: bool | None = None  # None where no path was asked for
    omitted: bool = False  # from or to what was left out


class Step(NamedTuple):
    """The operation that made a value; within the value's own box if it has the name of that."""

    name: str
    text: str
    arrows: list[Arrow]  # in the order of the operands

    @property
    def on_path(self) -> bool | None:
        """Whether an arrow that leads to it is."""
        marks = {arrow.on_path for arrow in self.arrows}
        return True if True in marks else next(iter(marks), None)


class Row(NamedTuple):
    """One output of a layer."""

    label: str
    data: str
    grad: str


class Box(NamedTuple):
    """A value, a neuron, a layer, or what was left out."""

    name: str
    kind: str  # "leaf", "value", "neuron", "layer" or "omitted"
    label: str
    data: str = ""  # of a layer and of what is left out, nothing
    grad: str = ""
    step: Step | None = None  # None for a leaf
    numbers: tuple[Any, Any] | None = None  # data and grad as they are
    rows: tuple[Row, ...] = ()  # the first outputs of a layer
    more: str = ""  # how many outputs of a layer are not among them
    group: str = ""  # the name of the frame it stands in
    on_path: bool | None = None
    words: Mapping[str, str] = ENGLISH

    @property
    def has_operation(self) -> bool:
        """Whether its operation is drawn beside it."""
        return self.step is not None and self.step.name != self.name


class Picture(NamedTuple):
    """All that is shown: boxes in topological order, and frames, the outer ones first."""

    boxes: list[Box]
    groups: list[Group]
    roots: list[str]  # the names of those boxes
    direction: str = "LR"
    words: Mapping[str, str] = ENGLISH

    @property
    def is_dense(self) -> bool:
        """Whether there are so many weights that lines between columns show them best."""
        return sum(arrow.weight is not None for arrow, _ in self.arrows()) > MOST_WEIGHTS

    @property
    def longest(self) -> int:
        """How many neurons the longest of their columns has."""
        return max(Counter(box.group for box in self.boxes if box.kind == "neuron").values())

    def place(self, box: Box) -> str:
        """The titles of the frames around a box, from the outer to the inner."""
        frames = {group.name: group for group in self.groups}
        titles, name = [], box.group
        while name in frames:
            titles.append(frames[name].label)
            name = frames[name].parent
        return self.words["next place"].join(reversed(titles))

    def arrows(self) -> Iterator[tuple[Arrow, str]]:
        """Each arrow with the name of the operation or box that it leads to, and the results'."""
        for box in self.boxes:
            if box.step is not None:
                for arrow in box.step.arrows:
                    yield arrow, box.step.name
                if box.has_operation:
                    mark = box.step.on_path
                    yield Arrow(f"{box.name}out", box.step.name, on_path=mark), box.name
