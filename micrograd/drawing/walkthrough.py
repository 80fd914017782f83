"""What a page shows of a graph: its steps, and pictures for a wide and a narrow screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from micrograd.derivation.parameters import is_model
from micrograd.drawing.film import adjoints
from micrograd.drawing.graph_view import checked_level
from micrograd.drawing.layered import Layered, layers_in, unit_labels
from micrograd.drawing.layered_pictures import pictures
from micrograd.drawing.named.builder import DIGITS, named_picture
from micrograd.drawing.named.fitting import READABLE, best, simpler
from micrograd.drawing.picture import Arrow, Picture
from micrograd.drawing.spans import plain
from micrograd.drawing.steps import MAX_STEPS_NODES, steps
from micrograd.engine.graph import order
from micrograd.engine.value import Value

WIDE, NARROW = (402, 339), (344, 345)
"""The frames of the picture in windows of 700 × 420 and of 360 × 700 pixels."""

MAX_LAYERED_NODES = 2000
"""The most named values of a graph that is stepped through by layers, unless more are allowed."""

LEVELS = ("named", "neuron", "layer")


class Walkthrough:
    """The steps of the graph below `output`, with the pictures that they are shown in.

    `level` says what one step computes: one of `LEVELS`. The errors are those of `step_page`.
    """

    def __init__(
        self,
        output: Value,
        names: Mapping[str, Any] | Any | None = None,
        model: Any = None,
        level: str | None = None,
        digits: int = DIGITS,
        max_nodes: int | None = None,
    ) -> None:
        usual = "named" if model is None else "layer"
        self.level = checked_level(usual if level is None else level, LEVELS, model)
        if max_nodes is None:
            max_nodes = MAX_LAYERED_NODES if self.level == "layer" else MAX_STEPS_NODES
        layers = [] if self.level == "named" else layers_in(output, model)
        labels = unit_labels(layers)
        if is_model(names):
            names = {"model": names}
        gradients = adjoints(output, names)
        picture = named_picture(
            [output],
            names={**(names or {}), **labels} if labels else names,
            model=model,
            digits=digits,
            max_nodes=max_nodes,
            gradients=gradients,
            is_placed=False,
        )
        self.boxes = picture.boxes
        if layers:
            ids = {node: f"n{i}" for i, node in enumerate(order([output]))}
            layered = Layered(layers, picture, gradients, ids, digits)
            given = layered.given() if self.level == "layer" else ()
            self.steps = steps(picture, layered.parts(self.level), given)
            candidates, enough = pictures(layered), READABLE
        else:
            self.steps = steps(picture)
            candidates, enough = simpler(picture), 0.0
        self.pictures: list[Picture] = [best(candidates, frame, enough) for frame in (WIDE, NARROW)]
        (root,) = (box for box in self.boxes if box.name in picture.roots)
        self.title = plain(root.title)

    def arrows(self) -> list[tuple[Arrow, str]]:
        """The arrows of the pictures, with the boxes that they lead to."""
        found: dict[str, tuple[Arrow, str]] = {}
        for picture in self.pictures:
            found |= {arrow.name: (arrow, head) for arrow, head in picture.arrows()}
        return list(found.values())
