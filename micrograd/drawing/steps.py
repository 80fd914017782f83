"""A graph as a sequence of steps: values appear one by one, then gradients flow back.

The steps are those of the engine, in its order. Page and film strip show the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from micrograd.derivation.chain import Chain, Contribution
from micrograd.drawing.depiction import depict
from micrograd.drawing.picture import Picture
from micrograd.drawing.standalone import SIZE
from micrograd.drawing.svg import Sketch
from micrograd.engine.graph import is_leaf
from micrograd.engine.value import Value
from micrograd.writing import notation
from micrograd.writing.labels import width
from micrograd.writing.notation import Formula
from micrograd.writing.numbers import NO_GRADIENT, number

MAX_STEPS_NODES = 200
"""Values that can be stepped through before nobody has the patience."""


class Step(NamedTuple):
    """One step. Values are numbered in topological order, as in a picture."""

    kind: str  # "given", "forward", "start" or "backward"
    value: int  # the value computed, or the one from which the gradient flows
    lines: tuple[Formula, ...]
    operand: int = -1  # the value that receives a contribution, and along which of the arrows
    place: int = -1
    receiver: int = -1  # the value whose gradient changes, and what it is then
    gradient: str = ""


class Story:
    """The steps of the graph below `output`.

    Raises what `Chain` raises, and ValueError if there are more than `max_nodes` values.
    """

    def __init__(
        self,
        output: Value,
        names: Mapping[str, Any] | None = None,
        max_nodes: int = MAX_STEPS_NODES,
        lang: str = "en",
    ) -> None:
        self.chain = Chain(output, names, max_nodes)
        self.number = {node: i for i, node in enumerate(self.chain.nodes)}
        self.picture = depict(
            output, names=self.chain.unlabelled(), max_nodes=len(self.chain.nodes), lang=lang
        )
        self.steps = [
            *self._forward(),
            self._start(),
            *map(self._backward, self.chain.contributions),
        ]

    def _forward(self) -> Iterator[Step]:
        chain = self.chain
        for i, node in enumerate(chain.nodes):
            result = notation.number(node.data)
            if is_leaf(node):
                yield Step("given", i, (notation.equation([chain.name(node), result]),))
                continue
            sides = [chain.name(node), chain.formula(node), chain.substituted(node), result]
            yield Step("forward", i, (notation.equation(sides),))

    def _start(self) -> Step:
        output = self.chain.output
        one = notation.number(1.0)
        line = notation.equation([self.chain.adjoint_name(output), one])
        last = self.number[output]
        return Step("start", last, (line,), receiver=last, gradient=one.text)

    def _backward(self, flow: Contribution) -> Step:
        chain, edge = self.chain, flow.edge
        factor = chain.factor(edge)
        receiver, upstream = chain.adjoint_name(edge.operand), chain.adjoint_name(edge.node)
        before, after = notation.number(flow.before + 0.0), notation.number(flow.after + 0.0)
        shares = [
            notation.product([notation.number(flow.upstream), factor.value]),
            notation.number(flow.share + 0.0),  # no minus before a zero
        ]
        return Step(
            "backward",
            self.number[edge.node],
            (
                notation.increase(receiver, notation.product([upstream, factor.partial])),
                notation.equation(
                    [factor.partial, factor.formula, factor.substituted, factor.value]
                ),
                notation.equation([*(notation.total([before, share]) for share in shares), after]),
            ),
            operand=self.number[edge.operand],
            place=edge.place,
            receiver=self.number[edge.operand],
            gradient=after.text,
        )

    # --------------------------------------------------------------------------- what is known when

    def sketch(self) -> Sketch:
        """The graph, placed so that every number of every step has room."""
        longest = [NO_GRADIENT] * len(self.chain.nodes)
        for step in self.steps:
            if step.receiver >= 0:
                texts = longest[step.receiver], step.gradient
                longest[step.receiver] = max(texts, key=lambda text: width(text, SIZE))
        data, _ = self.known(len(self.steps))
        return Sketch(self._with(data, longest))

    def after(self, count: int) -> Picture:
        """The picture after that many steps; what is not computed yet is blank."""
        data, gradients = self.known(count)
        return self._with(data, [gradient or NO_GRADIENT for gradient in gradients])

    def _with(self, data: list[str], gradients: list[str]) -> Picture:
        boxes = (
            box._replace(data=number, grad=gradient)
            for box, number, gradient in zip(self.picture.boxes, data, gradients, strict=True)
        )
        return self.picture._replace(boxes=list(boxes))

    def known(self, count: int) -> tuple[list[str], list[str]]:
        """The values and the gradients as texts after that many steps; "" is not known yet."""
        data, gradients = ([""] * len(self.chain.nodes) for _ in range(2))
        for step in self.steps[:count]:
            if step.kind in ("given", "forward"):
                data[step.value] = number(self.chain.nodes[step.value].data)
            else:
                gradients[step.receiver] = step.gradient
        return data, gradients
