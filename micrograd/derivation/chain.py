"""The chain rule over a graph as data: edges, adjoints, contributions and paths.

All numbers are the engine's own: values and local partials are those in the graph, and the adjoints
are computed by the same multiplications and additions as in `Value.backward`, in the same order. No
gradient is changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from micrograd.derivation.naming import label_of, name_values, spellings, variable_names
from micrograd.derivation.partials import simplified
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
from micrograd.writing import notation
from micrograd.writing.notation import Formula, Name

MAX_NODES = 5_000
"""The most values that a graph may have to be explained."""


class Edge(NamedTuple):
    """An arrow of the graph: from a value to one of its operands."""

    node: Value
    place: int  # of the operand among the operands
    operand: Value
    slope: float | None  # the local partial; None where no gradient passes


class Contribution(NamedTuple):
    """What flows back along one edge: `before + upstream * slope = after`."""

    edge: Edge
    upstream: float
    share: float
    before: float
    after: float


class Factor(NamedTuple):
    """A local partial: its name, its formula, the formula with numbers, its value, and why.

    `operand` is the name of the operand that it is the derivative with respect to.
    """

    place: int | None  # None unless the operand has several places
    partial: Formula
    formula: Formula
    substituted: Formula
    value: Formula
    conditions: tuple[Formula, ...]
    operand: Formula


class Chain:
    """The graph below `output`, with a name for every value.

    Args:
        output: the value that is differentiated.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        max_nodes: the most values that the graph may have.

    Raises:
        TypeError: if the output is not a Value.
        ValueError: if there are more than `max_nodes` values, or if a number was changed after
            others had been computed from it.
    """

    def __init__(
        self,
        output: Value,
        names: Mapping[str, Any] | Any | None = None,
        max_nodes: int = MAX_NODES,
    ) -> None:
        if not isinstance(output, Value):
            raise TypeError(
                f"a derivation takes a Value as output, got {type(output).__name__}"
                f"{': give what it returns, f(x)' if callable(output) else ''}"
            )
        self.output = output
        self.nodes: list[Value] = order(output)
        if len(self.nodes) > max_nodes:
            raise ValueError(
                f"a derivation over {len(self.nodes):,} values cannot be read (limit "
                f"{max_nodes:,}): explain one sample, one neuron or an intermediate value, "
                f"or raise the limit with max_nodes={len(self.nodes)}"
            )
        called = variable_names(names, self.nodes)
        self.spellings = spellings(names)
        self.names = name_values(self.nodes, called)
        self._adjoint_names: dict[Value, Formula] = {}
        self._texts = {name.text for name in self.names.values()}
        self.variables = [(called[id(n)], n) for n in self.nodes if id(n) in called]
        self.refuse_changes()
        self.edges: dict[Value, list[Edge]] = {node: [*edges(node)] for node in self.nodes}
        self.uses: dict[Value, list[Edge]] = {node: [] for node in self.nodes}
        for node in reversed(self.nodes):
            for edge in self.edges[node]:
                self.uses[edge.operand].append(edge)

    def refuse_changes(self) -> None:
        """Raise ValueError if a number was changed after others had been computed from it."""
        for node in self.nodes:
            row = operation(node)
            if row is None:
                continue
            now = row.value(*(number(operand) for operand in operands(node)))
            if now != node.data and (now == now or node.data == node.data):
                raise ValueError(
                    f"{self.name(node).text} is {node.data!r}, but its operands now give {now!r}: "
                    ".data was changed after the graph was built; compute the output again, then "
                    "explain it"
                )

    def check_steps_by_hand(self) -> None:
        """Raise ValueError if a backward step written by hand contradicts the chain rule."""
        for flow in self.contributions:
            node, operand = flow.edge.node, flow.edge.operand
            expected = (flow.edge.slope or 0.0) * flow.upstream
            if (
                backward_step(node) is not None
                and not math.isclose(flow.share, expected, rel_tol=1e-9, abs_tol=1e-300)
                and flow.share == flow.share
            ):
                raise ValueError(
                    f"the _backward of {self.name(node).text}, written by hand, does not add "
                    f"a multiple of its .grad to that of {self.name(operand).text} "
                    f"({flow.share!r} for {expected!r}), which the chain rule does: is it += ?"
                )

    # ------------------------------------------------------------------------------------- numbers

    @cached_property
    def contributions(self) -> list[Contribution]:
        """All contributions to gradients, in the order in which the engine adds them."""
        with walking, value.gradients_kept(self.nodes):
            return [*self._sweep()]

    def _sweep(self) -> Iterator[Contribution]:
        for node in self.nodes:
            node.grad = 0.0
        self.output.grad = 1.0
        for node in reversed(self.nodes):
            edges = self.edges[node]
            start = {edge.operand: edge.operand.grad for edge in edges}
            value.sweep([node])
            for edge in edges:
                was, share = start[edge.operand], 0.0
                if backward_step(node) is not None:
                    now = edge.operand.grad
                    share = now - was
                else:
                    if node.grad and edge.slope:
                        share = edge.slope * node.grad
                    now = start[edge.operand] = was + share if share else was
                yield Contribution(edge, node.grad, share, was, now)

    @cached_property
    def adjoints(self) -> dict[Value, float]:
        """The derivative of the output with respect to each value."""
        found = dict.fromkeys(self.nodes, 0.0)
        found[self.output] = 1.0
        for contribution in self.contributions:
            found[contribution.edge.operand] = contribution.after
        return found

    # ------------------------------------------------------------------------------------ formulas

    def name(self, node: Value) -> Name:
        """The name of a value."""
        return self.names[node]

    def called(self, name: str) -> Value | None:
        """The value with that label, variable or name, in any spelling; None if not found."""
        for node in self.nodes:
            if label_of(node) == name:
                return node
        spelled = self.spellings.get(name)
        if spelled is not None and spelled in self.names:
            return spelled
        text = notation.named(name).text
        return next((node for node in self.nodes if self.name(node).text == text), None)

    def adjoint_name(self, node: Value) -> Formula:
        """The derivative of the output with respect to a value: a bar over its name, or ∂L/∂x."""
        name = self._adjoint_names.get(node)
        if name is None:
            name = self.name(node).over()
            if not name.text or name.text in self._texts:  # the label w_bar
                name = notation.quotient(self.name(self.output), self.name(node))
            self._adjoint_names[node] = name
        return name

    def formula(self, node: Value) -> Formula:
        """The operation that made a value, with the names of its operands."""
        return _operation(node, [self._shown(operand) for operand in operands(node)])

    def substituted(self, node: Value) -> Formula:
        """The operation that made a value, with the numbers of its operands."""
        return _operation(node, [notation.number(number(operand)) for operand in operands(node)])

    def _shown(self, operand: Any) -> Formula:
        return self.name(operand) if isinstance(operand, Value) else notation.number(operand)

    def factor(self, edge: Edge) -> Factor:
        """The local partial along an edge."""
        node, place, operand, slope = edge
        # If the operand also enters elsewhere, this is not the whole derivative.
        others = [use for use in self.uses[operand] if use is not edge]
        shared = any(node is self.output or use.node is node for use in others)
        at = place if shared else None
        partial = notation.quotient(self.name(node), self.name(operand), at)
        value = notation.number(0.0 if slope is None else slope + 0.0)
        formula = figures = value
        conditions: tuple[Formula, ...] = ()
        if row := operation(node):  # of one made by hand, only the number is known
            held = [*operands(node)]
            variables = (*LETTERS[: len(held)], RESULT)
            numbers = dict(zip(variables, [*map(number, held), node.data], strict=True))
            constants = {
                variable: each
                for variable, each in zip(variables, held, strict=False)
                if not isinstance(each, Node)
            }
            names = dict(zip(variables, [*map(self._shown, held), self.name(node)], strict=True))
            shown = {variable: notation.number(x) for variable, x in numbers.items()}
            here = simplified(row.told[1 + place], numbers, constants)
            formula = notation.formula(here.formula, names)
            figures = notation.formula(here.formula, shown)
            conditions = tuple(notation.formula(each, names) for each in here.conditions)
        return Factor(at, partial, formula, figures, value, conditions, self.name(operand))

    # --------------------------------------------------------------------------------------- paths

    def active(self, wrt: Value) -> dict[Value, tuple[int, int]]:
        """The values above `wrt`, with the number of paths to it and of edges in all of them."""
        counted = {wrt: (1, 0)}
        for node in self.nodes:
            if node is wrt:
                continue
            below = [counted[e.operand] for e in self.edges[node] if e.operand in counted]
            if below:
                paths = sum(paths for paths, _ in below)
                counted[node] = paths, paths + sum(length for _, length in below)
        return counted

    def paths(self, wrt: Value) -> Iterator[tuple[Edge, ...]]:
        """All paths from the output down to `wrt`, those through first operands first."""
        active = self.active(wrt)
        if self.output not in active:
            return
        stack: list[tuple[Value, tuple[Edge, ...]]] = [(self.output, ())]
        while stack:
            node, path = stack.pop()
            if node is wrt:
                yield path
                continue
            stack += [
                (edge.operand, (*path, edge))
                for edge in reversed(self.edges[node])
                if edge.operand in active
            ]

    def replayed(self, wrt: Value, at: float) -> float:
        """The output if `wrt` were this number; what passes no gradient keeps its value.

        Raises:
            ValueError: if an operation on the way has no formula.
        """
        active = self.active(wrt)
        data = {wrt: at}
        for node in self.nodes:
            row = operation(node)
            if node not in active or node is wrt:
                continue
            if row is None:
                raise ValueError(f"{self.name(node).text} was made by hand, without a formula")
            if any(slope != 0 for slope in row.slopes):
                data[node] = row.value(
                    *(
                        data.get(x, x.data) if isinstance(x, Value) else number(x)
                        for x in operands(node)
                    )
                )
        return data.get(self.output, self.output.data)


def edges(node: Value) -> Iterator[Edge]:
    """The edges from a value to its operands, each with the local partial."""
    if backward_step(node) is not None:
        slopes = shares_of_step(node)
        for place, operand in enumerate(operands(node)):
            if isinstance(operand, Value) and operand in slopes:  # x * x: one edge for both
                yield Edge(node, place, operand, slopes.pop(operand))
        return
    for place, (operand, slope) in enumerate(zip(operands(node), partials(node), strict=True)):
        if isinstance(operand, Value):
            yield Edge(node, place, operand, slope)


def _operation(node: Value, shown: Sequence[Formula]) -> Formula:
    row = operation(node)
    return notation.by_hand(node._op, shown) if row is None else notation.operation(row, shown)


__all__ = ["MAX_NODES", "Chain", "Contribution", "Edge", "Factor", "edges"]
