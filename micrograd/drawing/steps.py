"""A graph as a sequence of steps: values appear one by one, then gradients flow back.

The steps are those of the engine, in its order. Pages and film strips show the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from micrograd.derivation.chain import Chain, Contribution
from micrograd.drawing.picture import Picture
from micrograd.drawing.picture_builder import build_picture
from micrograd.drawing.svg import Sketch
from micrograd.drawing.svg_elements import SIZE
from micrograd.engine.graph import is_leaf
from micrograd.engine.value import Value
from micrograd.writing import notation
from micrograd.writing.labels import width
from micrograd.writing.notation import Formula
from micrograd.writing.numbers import NO_GRADIENT, number

MAX_STEPS_NODES = 200
"""The most values that are stepped through, unless the caller allows more."""


class PageStep(NamedTuple):
    """One step of a page. Values are numbered in topological order, as in a picture."""

    kind: str  # "given", "forward", "start" or "backward"
    value: int  # the value computed, or the one from which the gradient flows
    lines: tuple[Formula, ...]
    receiver: int = -1  # the value whose gradient changes
    place: int = -1  # which operand of the other it is
    gradient: str = ""  # its gradient after the step


class Walkthrough:
    """The steps of the graph below `output`, and its picture after each.

    The errors are those of `Chain`.
    """

    def __init__(
        self,
        output: Value,
        names: Mapping[str, Any] | Any | None = None,
        max_nodes: int = MAX_STEPS_NODES,
        lang: str = "en",
    ) -> None:
        self.chain = Chain(output, names, max_nodes)
        self.number = {node: i for i, node in enumerate(self.chain.nodes)}
        self.picture = build_picture(
            output, names=self.chain.unlabelled(), max_nodes=len(self.chain.nodes), lang=lang
        )
        flows = map(self._backward, self.chain.contributions)
        self.steps = [*self._forward(), self._start(), *flows]

    def _forward(self) -> Iterator[PageStep]:
        chain = self.chain
        for i, node in enumerate(chain.nodes):
            result = notation.number(node.data)
            if is_leaf(node):
                yield PageStep("given", i, (notation.equation([chain.name(node), result]),))
                continue
            sides = [chain.name(node), chain.formula(node), chain.substituted(node), result]
            yield PageStep("forward", i, (notation.equation(sides),))

    def _start(self) -> PageStep:
        output = self.chain.output
        one = notation.number(1.0)
        line = notation.equation([self.chain.adjoint_name(output), one])
        last = self.number[output]
        return PageStep("start", last, (line,), receiver=last, gradient=one.text)

    def _backward(self, flow: Contribution) -> PageStep:
        chain, edge = self.chain, flow.edge
        factor = chain.factor(edge)
        receiver, upstream = chain.adjoint_name(edge.operand), chain.adjoint_name(edge.node)
        before, after = notation.number(flow.before + 0.0), notation.number(flow.after + 0.0)
        shares = [
            notation.product([notation.number(flow.upstream), factor.value]),
            notation.number(flow.share + 0.0),  # no minus before a zero
        ]
        lines = (
            notation.increase(receiver, notation.product([upstream, factor.partial])),
            notation.equation([factor.partial, factor.formula, factor.substituted, factor.value]),
            notation.equation([*(notation.total([before, share]) for share in shares), after]),
        )
        node, operand = self.number[edge.node], self.number[edge.operand]
        return PageStep("backward", node, lines, operand, edge.place, after.text)

    # --------------------------------------------------------------------------- what is known when

    def sketch(self) -> Sketch:
        """The graph, placed so that the numbers of all steps have room."""
        longest = [NO_GRADIENT] * len(self.chain.nodes)
        for step in self.steps:
            if step.receiver >= 0:
                texts = longest[step.receiver], step.gradient
                longest[step.receiver] = max(texts, key=lambda text: width(text, SIZE))
        data, _ = self.known(len(self.steps))
        return Sketch(self._with(data, longest))

    def after(self, count: int) -> Picture:
        """The picture after that many steps; values that are not computed yet are blank."""
        data, gradients = self.known(count)
        return self._with(data, [gradient or NO_GRADIENT for gradient in gradients])

    def _with(self, data: list[str], gradients: list[str]) -> Picture:
        boxes = (
            box._replace(data=number, grad=gradient)
            for box, number, gradient in zip(self.picture.boxes, data, gradients, strict=True)
        )
        return self.picture._replace(boxes=list(boxes))

    def known(self, count: int) -> tuple[list[str], list[str]]:
        """The values and the gradients as texts after that many steps; "" if not known yet."""
        data, gradients = ([""] * len(self.chain.nodes) for _ in range(2))
        for step in self.steps[:count]:
            if step.kind in ("given", "forward"):
                data[step.value] = number(self.chain.nodes[step.value].data)
            else:
                gradients[step.receiver] = step.gradient
        return data, gradients
