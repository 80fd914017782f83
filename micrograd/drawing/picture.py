"""What a drawing shows, without colours or positions: boxes, operations and arrows.

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

from micrograd.drawing.spans import Line
from micrograd.writing import languages
from micrograd.writing.names import typeset

MOST_WEIGHTS = 16  # that are written on arrows; more could not be told apart
DIRECTIONS = {
    "LR": (1, 0, "east", "west"),
    "RL": (-1, 0, "west", "east"),
    "TB": (0, 1, "south", "north"),
    "BT": (0, -1, "north", "south"),
}
"""For each direction of reading: a step to the right and down, and the sides of a box where arrows
leave and arrive."""
PLACE = "□"  # the place of an operand in an operation that also contains constants

ENGLISH = languages.words("en", "picture")


def checked_direction(rankdir: Any) -> str:
    """Return `rankdir` itself; ValueError unless it is one of the four."""
    if not isinstance(rankdir, str) or rankdir not in DIRECTIONS:
        raise ValueError(f"rankdir is one of {', '.join(DIRECTIONS)}, got {rankdir!r}")
    return rankdir


class Arrow(NamedTuple):
    """An arrow from an operand to an operation, or to a box that is drawn without one."""

    name: str
    tail: str  # the name of the operand's box
    text: str = ""  # the local partial and the contribution, if they are shown
    weight: float | None = None  # of a neuron's input
    on_path: bool | None = None  # None if no paths are highlighted
    omitted: bool = False  # whether it leads from or to what was left out
    formula: Line = ()  # the text in a compact picture, typeset
    factor: Line = ()  # the same in the colours of its names
    figures: Line = ()  # the same with numbers in place of names


class OperationNode(NamedTuple):
    """The operation that made a value; it is drawn within the value's box if it has its name."""

    name: str
    text: str
    arrows: list[Arrow]  # in the order of the operands

    @property
    def on_path(self) -> bool | None:
        """Whether one of its arrows is on a highlighted path."""
        marks = {arrow.on_path for arrow in self.arrows}
        return True if True in marks else next(iter(marks), None)


class Row(NamedTuple):
    """One output of a layer."""

    label: str
    data: str
    grad: str


class Frame(NamedTuple):
    """A frame with a title around boxes; `parent` is the name of the frame around it, or ""."""

    name: str
    label: str
    parent: str


class Box(NamedTuple):
    """A value, a neuron, a layer, or what was left out."""

    name: str
    kind: str  # "leaf", "value", "neuron", "layer" or "omitted"
    label: str
    data: str = ""  # empty for a layer and for what is left out
    grad: str = ""
    operation: OperationNode | None = None  # None for a leaf
    numbers: tuple[Any, Any] | None = None  # data and grad as numbers
    rows: tuple[Row, ...] = ()  # the first outputs of a layer
    more: str = ""  # says how many more outputs a layer has
    frame: str = ""  # the name of the frame it stands in
    on_path: bool | None = None
    formula: Line = ()  # the label in a compact picture, typeset
    headings: int = 0  # how many lines of the formula are a title above the rest
    title: Line = ()  # its left side, the name
    figures: Line = ()  # its right side with numbers in place of names
    role: str = ""  # in a compact picture: one of `micrograd.drawing.named.roles.ROLES`
    is_stacked: bool = False  # whether the gradient stands below the value, not beside it
    room: tuple[float, float] = (0.0, 0.0)  # kept free below the texts in a compact picture

    @property
    def arrows(self) -> list[Arrow]:
        """The arrows to its operation, in the order of the operands; none to a leaf."""
        return [] if self.operation is None else self.operation.arrows

    def with_arrows(self, arrows: list[Arrow]) -> Box:
        """The box with other arrows; a leaf has none."""
        operation = self.operation
        return self._replace(operation=operation and operation._replace(arrows=arrows))

    @property
    def oval(self) -> OperationNode | None:
        """The operation if it is drawn beside the box, and not within it."""
        operation = self.operation
        return operation if operation is not None and operation.name != self.name else None


class Picture(NamedTuple):
    """All that is shown: boxes in topological order, and frames, outer ones first."""

    boxes: list[Box]
    frames: list[Frame]
    roots: list[str]  # the names of their boxes
    direction: str = "LR"
    words: Mapping[str, str] = ENGLISH
    width: int = 0  # at most, in pixels, if the picture is compact; else 0
    title: str = ""  # what the picture is, in a few words
    description: str = ""  # what is seen in it
    layout: Any = None  # of a compact picture: a `micrograd.drawing.named.layout.Layout`

    @property
    def is_dense(self) -> bool:
        """Whether there are so many weights that they are best drawn as lines between columns."""
        return sum(arrow.weight is not None for arrow, _ in self.arrows()) > MOST_WEIGHTS

    @property
    def longest(self) -> int:
        """The number of neurons in the longest column of neurons."""
        return max(Counter(box.frame for box in self.boxes if box.kind == "neuron").values())

    def titles(self) -> dict[str, str]:
        """The labels of values as they are shown, by the labels, with subscripts and the like.

        Labels that would look alike, such as `w1` and `w_1`, are shown as they are.
        """
        labels = [box.label for box in self.boxes if box.kind != "omitted"]
        labels += [row.label for box in self.boxes for row in box.rows]
        shown = {label: typeset(label) for label in labels}
        alike = Counter(shown.values())
        return {label: text if alike[text] == 1 else label for label, text in shown.items()}

    def arrows(self) -> Iterator[tuple[Arrow, str]]:
        """Each arrow, with the name of the operation or box that it leads to."""
        for box in self.boxes:
            operation = box.operation
            if operation is not None:
                for arrow in operation.arrows:
                    yield arrow, operation.name
                if operation.name != box.name:
                    yield result_arrow(box.name, operation), box.name


def result_arrow(name: str, operation: OperationNode) -> Arrow:
    """The arrow from an operation to the box of its result."""
    return Arrow(f"{name}out", operation.name, on_path=operation.on_path)
