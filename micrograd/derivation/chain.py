"""The chain rule over a graph as data: links, adjoints, contributions, paths.

All numbers are the engine's own: values and local partials are those that the graph holds, and the
adjoints are added up by the same multiplications and additions, in the same order, as in
`Value.backward`. No gradient is changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from micrograd.derivation import writing
from micrograd.derivation.naming import label_of, name_values, variable_names
from micrograd.derivation.partials import simplified
from micrograd.derivation.writing import Written
from micrograd.engine import value
from micrograd.engine.graph import (
    Node,
    backward_step,
    number,
    operands,
    operation,
    order,
    partials,
    walking,
)
from micrograd.engine.value import Value, shares_of_step
from micrograd.table.formulas import LETTERS, RESULT

MAX_NODES = 5_000
"""Values in a graph that can still be explained."""


class Link(NamedTuple):
    """An arrow of the graph: from a value to one of its operands."""

    node: Value
    place: int  # which of the operands
    operand: Value
    slope: float | None  # the local partial; None where no gradient passes


class Contribution(NamedTuple):
    """What flows back along one link: `before + upstream * slope = after`."""

    link: Link
    upstream: float
    share: float
    before: float
    after: float


class Factor(NamedTuple):
    """A local partial: its name, its formula, the formula with numbers, its value, and why.

    `operand` is the name of what it is the derivative with respect to.
    """

    place: int | None  # if it is with respect to one of several places of the same operand
    partial: Written
    formula: Written
    substituted: Written
    value: Written
    conditions: tuple[Written, ...]
    operand: Written


class Chain:
    """The graph below `output`, with a name for every value.

    Raises ValueError if it has more than `max_nodes` values, or if a number in it was changed after
    others had been computed from it.
    """

    def __init__(
        self,
        output: Value,
        names: Mapping[str, Any] | None = None,
        max_nodes: int = MAX_NODES,
    ) -> None:
        if not isinstance(output, Value):
            raise TypeError(f"explain takes a Value as output, got {type(output).__name__}")
        self.output = output
        self.nodes: list[Value] = order(output)
        if len(self.nodes) > max_nodes:
            raise ValueError(
                f"a derivation over {len(self.nodes):,} values cannot be read (limit "
                f"{max_nodes:,}): explain one sample, one neuron or an intermediate value, "
                f"or raise the limit with max_nodes={len(self.nodes)}"
            )
        self.names = name_values(self.nodes, names)
        called = variable_names(names)
        self.variables = [(called[id(n)], n) for n in self.nodes if id(n) in called]
        self.refuse_changes()
        self.links: dict[int, list[Link]] = {id(node): [*_links(node)] for node in self.nodes}
        self.uses: dict[int, list[Link]] = {id(node): [] for node in self.nodes}
        for node in reversed(self.nodes):
            for link in self.links[id(node)]:
                self.uses[id(link.operand)].append(link)
        self._letters = {id(node): writing.name(self.names[id(node)]) for node in self.nodes}

    def refuse_changes(self) -> None:
        """ValueError if a number was changed after others had been computed from it."""
        for node in self.nodes:
            self._refuse_if_changed(node)

    def check_steps_by_hand(self) -> None:
        """ValueError if a backward step written by hand is not an instance of the chain rule."""
        for flow in self.contributions:
            node, slope = flow.link.node, flow.link.slope
            expected = (slope or 0.0) * flow.upstream
            if (
                backward_step(node) is not None
                and not math.isclose(flow.share, expected, rel_tol=1e-9, abs_tol=1e-300)
                and flow.share == flow.share
            ):
                raise ValueError(
                    f"the _backward of {self.names[id(node)].text}, written by hand, does not add "
                    f"a multiple of its .grad to that of {self.names[id(flow.link.operand)].text} "
                    f"({flow.share!r} for {expected!r}), which the chain rule does: is it += ?"
                )

    def _refuse_if_changed(self, node: Value) -> None:
        row = operation(node)
        if row is None:
            return
        now = row.value(*(number(operand) for operand in operands(node)))
        if now != node.data and (now == now or node.data == node.data):
            name = self.names[id(node)].text
            raise ValueError(
                f"{name} is {node.data!r}, but its operands now give {now!r}: .data was changed "
                "after the graph was built; compute the output again, then explain it"
            )

    def unlabelled(self) -> dict[str, Value]:
        """What each value without a label is called, as `names` of a drawing."""
        return {
            self.names[id(node)].text: node for node in self.nodes if not label_of(node).strip()
        }

    # ------------------------------------------------------------------------------------- numbers

    @cached_property
    def contributions(self) -> list[Contribution]:
        """All that flows back, in the order in which the engine adds it up."""
        with walking:
            before = [(node, node.grad) for node in self.nodes]
            try:
                return [*self._sweep()]
            finally:
                for node, grad in before:
                    node.grad = grad

    def _sweep(self) -> Iterator[Contribution]:
        for node in self.nodes:
            node.grad = 0.0
        self.output.grad = 1.0
        for node in reversed(self.nodes):
            links = self.links[id(node)]
            start = {id(link.operand): link.operand.grad for link in links}
            value.sweep([node])
            if backward_step(node) is not None:
                for link in links:
                    was, now = start[id(link.operand)], link.operand.grad
                    yield Contribution(link, node.grad, now - was, was, now)
                continue
            for link in links:
                was = start[id(link.operand)]
                share = 0.0
                if node.grad and link.slope:
                    share = link.slope * node.grad
                now = start[id(link.operand)] = was + share if share else was
                yield Contribution(link, node.grad, share, was, now)

    @cached_property
    def adjoints(self) -> dict[int, float]:
        """The derivative of the output with respect to each value, by its id."""
        found = {id(node): 0.0 for node in self.nodes}
        found[id(self.output)] = 1.0
        for contribution in self.contributions:
            found[id(contribution.link.operand)] = contribution.after
        return found

    # ------------------------------------------------------------------------------------ formulas

    def letter(self, node: Value) -> Written:
        """The name of a value."""
        return self._letters[id(node)]

    def adjoint_name(self, node: Value) -> Written:
        """The derivative of the output with respect to a value, as one letter where it can be."""
        text, mark = self.names[id(node)].over()
        if text:
            return Written(text, mark)
        return writing.quotient(self.letter(self.output), self.letter(node))

    def formula(self, node: Value) -> Written:
        """The operation that made a value, of the names of its operands."""
        return _operation(node, [self._of(operand) for operand in operands(node)])

    def substituted(self, node: Value) -> Written:
        """The operation that made a value, of the numbers of its operands."""
        return _operation(node, [writing.number(number(operand)) for operand in operands(node)])

    def _of(self, operand: Any) -> Written:
        return self.letter(operand) if isinstance(operand, Value) else writing.number(operand)

    def factor(self, link: Link) -> Factor:
        """The local partial along a link."""
        node, place, operand, slope = link
        # The operand may come in by another way too: then this is not the whole derivative.
        others = [use for use in self.uses[id(operand)] if use is not link]
        twice = any(node is self.output or use.node is node for use in others)
        name = writing.quotient(self.letter(node), self.letter(operand), place if twice else None)
        value = writing.number(0.0 if slope is None else slope + 0.0)
        row = operation(node)
        if row is None:  # made by hand: only the number is known
            return Factor(
                place if twice else None, name, value, value, value, (), self.letter(operand)
            )
        held = [*operands(node)]
        variables = (*LETTERS[: len(held)], RESULT)
        numbers = dict(zip(variables, [*map(number, held), node.data], strict=True))
        constants = {
            variable: operand
            for variable, operand in zip(variables, held, strict=False)
            if not isinstance(operand, Node)
        }
        slope_here = simplified(row.told[1 + place], numbers, constants)
        letters = dict(zip(variables, [*map(self._of, held), self.letter(node)], strict=True))
        figures = {variable: writing.number(x) for variable, x in numbers.items()}
        return Factor(
            place if twice else None,
            name,
            writing.formula(slope_here.formula, letters),
            writing.formula(slope_here.formula, figures),
            value,
            tuple(writing.formula(condition, letters) for condition in slope_here.conditions),
            self.letter(operand),
        )

    # --------------------------------------------------------------------------------------- paths

    def active(self, wrt: Value) -> dict[int, tuple[int, int]]:
        """The values above `wrt`, by id: the number of paths to it, and of links in all of them."""
        counted = {id(wrt): (1, 0)}
        for node in self.nodes:
            if node is wrt:
                continue
            below = [
                counted[id(link.operand)]
                for link in self.links[id(node)]
                if id(link.operand) in counted
            ]
            if below:
                paths = sum(paths for paths, _ in below)
                counted[id(node)] = paths, paths + sum(length for _, length in below)
        return counted

    def paths(self, wrt: Value) -> Iterator[tuple[Link, ...]]:
        """All paths from the output down to `wrt`, those through first operands first."""
        active = self.active(wrt)
        if id(self.output) not in active:
            return
        stack: list[tuple[Value, tuple[Link, ...]]] = [(self.output, ())]
        while stack:
            node, path = stack.pop()
            if node is wrt:
                yield path
                continue
            stack += [
                (link.operand, (*path, link))
                for link in reversed(self.links[id(node)])
                if id(link.operand) in active
            ]

    def replayed(self, wrt: Value, at: float) -> float:
        """The output if `wrt` were this number; what passes no gradient keeps its value.

        Raises ValueError if an operation on the way has no formula.
        """
        active = self.active(wrt)
        data = {id(wrt): at}
        for node in self.nodes:
            row = operation(node)
            if id(node) not in active or node is wrt:
                continue
            if row is None:
                raise ValueError(f"{self.names[id(node)].text} was made by hand, without a formula")
            if any(slope != 0 for slope in row.slopes):
                data[id(node)] = row.value(*(data.get(id(x), number(x)) for x in operands(node)))
        return data.get(id(self.output), self.output.data)


def _links(node: Value) -> Iterator[Link]:
    if backward_step(node) is not None:
        slopes = shares_of_step(node)
        for place, operand in enumerate(operands(node)):
            if isinstance(operand, Value) and operand in slopes:  # x * x: one link for both
                yield Link(node, place, operand, slopes.pop(operand))
        return
    for place, (operand, slope) in enumerate(zip(operands(node), partials(node), strict=True)):
        if isinstance(operand, Value):
            yield Link(node, place, operand, slope)


def _operation(node: Value, shown: Sequence[Written]) -> Written:
    row = operation(node)
    return writing.by_hand(node._op, shown) if row is None else writing.operation(row, shown)


__all__ = ["MAX_NODES", "Chain", "Contribution", "Factor", "Link"]
