"""The box of each value that is shown: its label, numbers, operation, arrows and frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from micrograd.derivation.naming import label_of
from micrograd.drawing.graph_view import GraphView, Input
from micrograd.drawing.neurons import Application, Unit, layer_title
from micrograd.drawing.picture import PLACE, Arrow, Box, Frame, OperationNode, Row
from micrograd.engine.graph import Node, backward_step, is_leaf, operands, operation, partials
from micrograd.engine.value import Value
from micrograd.writing.labels import shortened
from micrograd.writing.numbers import NO_GRADIENT, as_float, gradient, number

MOST_ROWS = 8  # outputs of a layer that are listed
UNKNOWN = "?"  # stands for what a backward step written by hand does


class BoxBuilder:
    """Makes the box of each value of a view.

    `ways` are the values on each highlighted path, or None. Arrows come only from values in `kept`.
    `shared` are the values with several consumers, if contributions are to be shown on arrows.
    """

    def __init__(
        self,
        view: GraphView,
        variables: Mapping[int, str],
        ways: list[set[Value]] | None,
        kept: set[Value],
        words: Mapping[str, str],
        local_partials: bool = False,
        shared: set[Value] | None = None,
    ) -> None:
        self.view, self.variables, self.ways, self.kept = view, variables, ways, kept
        self.words, self.local_partials, self.shared = words, local_partials, shared
        self.names = {node: f"n{i}" for i, node in enumerate(view.nodes)}
        self.framing = Framing(view, words)
        self.applied = {unit.output: each for each in view.found for unit in each.units}

    def box(self, value: Value) -> Box:
        """The box of a value, a neuron or a layer."""
        folded = self.view.folded.get(value)
        if isinstance(folded, Application):
            return self._layer(value, folded)
        name = self.names[value]
        label, kind = self._label(value), "leaf" if is_leaf(value) else "value"
        made: OperationNode | None = None
        if folded is not None:
            title = self.framing.titled(folded.neuron.titled(self.words), self.applied[value])
            label, kind = f"{title}\n{label}" if label else title, "neuron"
            made = OperationNode(name, shortened(folded.activation), self._arrows(value))
        elif not is_leaf(value):
            made = OperationNode(f"{name}op", shortened(formula(value)), self._arrows(value))
        return Box(
            name,
            kind,
            label,
            number(value.data),
            gradient(value.grad),
            made,
            (value.data, value.grad),
            frame=self.framing.frame_of.get(value, ""),
            on_path=self._on_path(value),
        )

    def _layer(self, value: Value, application: Application) -> Box:
        name, units = self.names[value], application.units
        title = self.framing.titled(layer_title(application.layer, self.words), application)
        counted = self.words["with a neuron" if len(units) == 1 else "with neurons"]
        activations = {unit.activation for unit in units}
        activation = shortened(activations.pop()) if len(activations) == 1 else ""
        return Box(
            name,
            "layer",
            counted.format(title=title, count=len(units)),
            operation=OperationNode(name, activation, self._arrows(value)),
            rows=tuple(
                Row(
                    self._label(unit.output) or str(unit.neuron.number or 1),
                    number(unit.output.data),
                    gradient(unit.output.grad),
                )
                for unit in units[:MOST_ROWS]
            ),
            more=self.more(len(units) - MOST_ROWS) if len(units) > MOST_ROWS else "",
            on_path=self._on_path(value),
        )

    def more(self, count: int) -> str:
        """What is written for that many things that are left out."""
        return self.words["more"].format(count=f"{count:,}")

    def _label(self, value: Value) -> str:
        label = label_of(value)
        if not label.strip():
            label = self.variables.get(id(value)) or label
        return shortened(label)

    def _arrows(self, value: Value) -> list[Arrow]:
        """The arrows from values that are kept, and one from all others."""
        texts = self._texts(value)
        arrows, lost = [], False
        for each in self.view.inputs(value):
            if each.tail in self.kept:
                arrows.append(self._arrow(value, each, texts))
            elif not lost:
                lost = True
                name = f"{self.names[value]}below"
                off = None if self.ways is None else False
                arrows.append(Arrow(f"{name}e", name, on_path=off, omitted=True))
        return arrows

    def _arrow(self, value: Value, source: Input, texts: Sequence[str]) -> Arrow:
        weight = None
        if source.weight is not None:
            known = as_float(source.weight.data)
            weight = math.nan if known is None else known
        return Arrow(
            f"{self.names[value]}e{source.position}",
            self.names[source.tail],
            number(weight) if weight is not None else texts[source.position] if texts else "",
            weight,
            self._on_path(value, source.tail),
        )

    def _texts(self, value: Value) -> list[str]:
        if value in self.view.folded:
            return []
        columns = []
        if self.local_partials:
            columns.append(local_partials(value))
        if self.shared is not None:
            columns.append(contributions(value, self.shared))
        return ["\n".join(texts) for texts in zip(*columns, strict=True)]

    def _on_path(self, *values: Value) -> bool | None:
        return None if self.ways is None else any(way.issuperset(values) for way in self.ways)


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


# ------------------------------------------------------------------------------------ on the arrows


def local_partials(node: Value) -> Iterator[str]:
    """The local partial for each operand."""
    if backward_step(node) is not None:
        return (UNKNOWN for _ in partials(node))
    return (number(slope or 0) for slope in partials(node))


def contributions(node: Value, shared: set[Value]) -> Iterator[str]:
    """`upstream · local = contribution` for each operand, after `+=` if the operand is shared.

    The gradient of a value with several consumers is a sum. As in `backward`, an adjoint of zero
    contributes 0 whatever the local partial is.
    """
    upstream = node.grad
    for operand, slope in zip(operands(node), partials(node), strict=True):
        if backward_step(node) is not None:
            yield UNKNOWN
        elif gradient(upstream) == NO_GRADIENT:
            yield NO_GRADIENT
        else:
            local = number(slope or 0)
            factor = f"({local})" if local.startswith("-") else local
            sign = "+= " if operand in shared else ""
            yield f"{sign}{number(upstream)} · {factor} = {number(_share(slope, upstream))}"


def _share(slope: Any, upstream: Any) -> Any:
    if not upstream or slope is None:
        return 0
    try:
        return slope * upstream + 0.0  # no minus before a zero
    except TypeError:  # the gradient was set to something other than a number
        return UNKNOWN


# ----------------------------------------------------------------------------------------- frames


class Framing:
    """The frames around layers, neurons and samples, and the frame of each value."""

    def __init__(self, view: GraphView, words: Mapping[str, str]) -> None:
        self.words = words
        self.frames: dict[str, Frame] = {}  # by name, outer ones first
        self.frame_of: dict[Value, str] = {}
        self.several = any(application.sample > 1 for application in view.found)
        for application in sorted(view.found, key=lambda each: each.layer):
            for unit in application.units:
                if not view.folded:
                    self._frame_operations(unit, application)
                elif unit.output in view.folded and unit.neuron.number:
                    name = f"layer{application.layer}sample{application.sample}"
                    title = self.titled(layer_title(application.layer, words), application)
                    self.frame_of[unit.output] = self._frame(name, title)

    def _frame_operations(self, unit: Unit, application: Application) -> None:
        neuron, name = unit.neuron, ""
        if neuron.number:
            name = self._frame(f"layer{neuron.layer}", layer_title(neuron.layer, self.words))
        title = neuron._replace(layer=0).titled(self.words)
        name = self._frame(f"{name}neuron{neuron.number}", title, name)
        for parameter in unit.parameters:
            self.frame_of.setdefault(parameter, name)
        if self.several:
            sample = application.sample
            title = self.words["sample"].format(sample=sample)
            name = self._frame(f"{name}sample{sample}", title, name)
        self.frame_of.update(dict.fromkeys(unit.inner, name))

    def _frame(self, name: str, label: str, parent: str = "") -> str:
        self.frames.setdefault(name, Frame(name, label, parent))
        return name

    def titled(self, title: str, application: Application) -> str:
        """The title, with `, sample 2` if there are several samples."""
        if not self.several:
            return title
        return self.words["in sample"].format(title=title, sample=application.sample)
