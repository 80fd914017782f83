"""The box of each value of a scene: its label, its numbers, its operation and arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from micrograd.derivation.naming import label_of
from micrograd.drawing import flows
from micrograd.drawing.groups import Grouping, parameter_names
from micrograd.drawing.models import layer_title
from micrograd.drawing.picture import PLACE, Arrow, Box, Row, Step
from micrograd.drawing.scene import Link, Scene
from micrograd.drawing.units import Application
from micrograd.engine.graph import Node, is_leaf, operands, operation
from micrograd.engine.value import Value
from micrograd.table.floats import to_float
from micrograd.writing.labels import shortened
from micrograd.writing.numbers import gradient, number

MOST_ROWS = 8  # outputs of a layer that are listed


class Painter:
    """Makes the box of each value of a scene."""

    local_partials = False
    shared: set[Any] | None = None  # the values of several consumers, for contributions

    def __init__(
        self,
        scene: Scene,
        variables: Mapping[int, str],
        ways: list[set[Value]] | None,
        kept: set[Value],
        words: Mapping[str, str],
    ) -> None:
        self.words = words
        self.scene, self.variables, self.ways, self.kept = scene, variables, ways, kept
        self.names = {node: f"n{i}" for i, node in enumerate(scene.nodes)}
        self.grouping = Grouping(scene, words)
        self.parameters = parameter_names(scene, words)
        self.applied = {unit.output: each for each in scene.found for unit in each.units}

    def box(self, value: Value) -> Box:
        """The box of a value, a neuron or a layer."""
        folded = self.scene.folded.get(value)
        if isinstance(folded, Application):
            return self._layer(value, folded)
        name = self.names[value]
        label, kind = self._label(value), "leaf" if is_leaf(value) else "value"
        step: Step | None = None
        if folded is not None:
            title = self.grouping.titled(folded.neuron.titled(self.words), self.applied[value])
            label, kind = f"{title}\n{label}" if label else title, "neuron"
            step = Step(name, shortened(folded.activation), self._arrows(value))
        elif not is_leaf(value):
            step = Step(f"{name}op", shortened(formula(value)), self._arrows(value))
        return Box(
            name,
            kind,
            label,
            number(value.data),
            gradient(value.grad),
            step,
            (value.data, value.grad),
            group=self.grouping.group_of.get(value, ""),
            on_path=self._on_path(value),
            words=self.words,
        )

    def _layer(self, value: Value, application: Application) -> Box:
        name, units = self.names[value], application.units
        title = self.grouping.titled(layer_title(application.layer, self.words), application)
        counted = self.words["with a neuron" if len(units) == 1 else "with neurons"]
        activations = {unit.activation for unit in units}
        return Box(
            name,
            "layer",
            counted.format(title=title, count=len(units)),
            step=Step(
                name,
                shortened(activations.pop()) if len(activations) == 1 else "",
                self._arrows(value),
            ),
            rows=tuple(
                Row(
                    self._label(unit.output) or str(unit.neuron.number or 1),
                    number(unit.output.data),
                    gradient(unit.output.grad),
                )
                for unit in units[:MOST_ROWS]
            ),
            more=more(len(units) - MOST_ROWS, self.words) if len(units) > MOST_ROWS else "",
            on_path=self._on_path(value),
            words=self.words,
        )

    def _label(self, value: Value) -> str:
        label = label_of(value)
        if not label.strip():
            label = self.variables.get(id(value)) or self.parameters.get(value, "") or label
        return shortened(label)

    def _arrows(self, value: Value) -> list[Arrow]:
        """The arrows from what is kept, and one from all that is not."""
        links = list(self.scene.links(value))
        texts = self._texts(value)
        arrows, lost = [], 0
        for link in links:
            if link.tail in self.kept:
                arrows.append(self._arrow(value, link, texts))
            elif lost == 0:
                lost = 1
                name = f"{self.names[value]}below"
                off = None if self.ways is None else False
                arrows.append(Arrow(f"{name}e", name, on_path=off, omitted=True))
        return arrows

    def _arrow(self, value: Value, link: Link, texts: Sequence[str]) -> Arrow:
        weight = None if link.weight is None else _float(link.weight.data)
        return Arrow(
            f"{self.names[value]}e{link.position}",
            self.names[link.tail],
            number(weight) if weight is not None else texts[link.position] if texts else "",
            weight,
            None
            if self.ways is None
            else any(value in way and link.tail in way for way in self.ways),
        )

    def _texts(self, value: Value) -> list[str]:
        if value in self.scene.folded:
            return []
        columns = []
        if self.local_partials:
            columns.append(flows.local_partials(value))
        if self.shared is not None:
            columns.append(flows.contributions(value, self.shared))
        return ["\n".join(texts) for texts in zip(*columns, strict=True)]

    def _on_path(self, value: Value) -> bool | None:
        return None if self.ways is None else any(value in way for way in self.ways)


def _float(x: Any) -> float:
    try:
        return to_float(x)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def formula(node: Value) -> str:
    """The symbol of the operation, with its constants where they were written: `2 - □`."""
    row = operation(node)
    held = list(operands(node))
    symbol = row.symbol if row is not None else node._op
    if all(isinstance(operand, Node) for operand in held):
        return symbol or "?"
    written = [PLACE if isinstance(operand, Node) else number(operand) for operand in held]
    if len(written) != 2 or symbol.isidentifier():
        return f"{symbol}({', '.join(written)})"
    left, right = (f"({each})" if each.startswith("-") else each for each in written)
    if row is not None and row.name == "pow":
        return f"{left}**{written[1]}"
    return f"{left} {symbol} {right}"


def more(count: int, words: Mapping[str, str]) -> str:
    """What stands for things that are left out."""
    return words["more"].format(count=f"{count:,}")
