"""What a drawing shows, before anything decides how it looks: boxes, operations and arrows.

Names are given in topological order, so that the same program makes the same drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from micrograd.engine import Value
from micrograd.graph import Node, operands, order, partials
from micrograd.notation.labels import shortened
from micrograd.notation.numbers import gradient, number
from micrograd.ops import Operation

MAX_NODES = 400
"""Values that a picture can hold before nobody can read it."""

PLACE = "□"  # where an arrow's value goes in an operation that also holds constants


class Arrow(NamedTuple):
    """From an operand to its operation."""

    tail: str  # the name of the operand's box
    partial: str  # the local partial derivative, or nothing


class Step(NamedTuple):
    """The operation that made a value."""

    name: str
    text: str
    arrows: list[Arrow]  # in the order of the operands


class Box(NamedTuple):
    """A value."""

    name: str
    label: str
    data: str
    grad: str
    step: Step | None  # None for a leaf


def depict(
    root: Value | Iterable[Value], *, local_partials: bool = False, max_nodes: int = MAX_NODES
) -> list[Box]:
    """The graph below the roots in topological order: operands, from left to right, come first.

    Raises TypeError if a root is no Value, ValueError if there is none or if there are more than
    `max_nodes` values.
    """
    nodes = order(_roots(root))
    if len(nodes) > max_nodes:
        raise ValueError(
            f"a drawing of {len(nodes):,} values cannot be read (limit {max_nodes:,}): draw a "
            "smaller part, such as one sample, one neuron or an intermediate value, "
            f"or raise the limit with max_nodes={len(nodes)}"
        )
    names = {id(node): f"n{i}" for i, node in enumerate(nodes)}
    return [
        Box(
            name=names[id(node)],
            label="" if node.label is None else shortened(str(node.label)),
            data=number(node.data),
            grad=gradient(node.grad),
            step=None if node._row is None else _step(node, names, local_partials),
        )
        for node in nodes
    ]


def _roots(root: Any) -> list[Value]:
    if isinstance(root, Value):
        return [root]
    if isinstance(root, str | bytes | set | frozenset | Mapping) or not isinstance(root, Iterable):
        raise TypeError(f"a drawing needs a Value or a list of Values, got {_kind(root)}")
    roots = list(root)
    if not roots:
        raise ValueError("nothing to draw: the list of Values is empty")
    for i, each in enumerate(roots):
        if not isinstance(each, Value):
            raise TypeError(f"a drawing needs Values, got {_kind(each)} at position {i}")
    return roots


def _kind(thing: Any) -> str:
    hint = ", which has no order: give a list" if isinstance(thing, set | frozenset) else ""
    return f"{type(thing).__name__} {shortened(repr(thing))}{hint}"


# --------------------------------------------------------------------------------------- operations


def _step(node: Value, names: dict[int, str], local_partials: bool) -> Step:
    return Step(
        name=f"{names[id(node)]}op",
        text=shortened(_formula(node)),
        arrows=[
            Arrow(names[id(operand)], partial if local_partials else "")
            for operand, partial in zip(operands(node), _partials(node), strict=True)
            if isinstance(operand, Node)
        ],
    )


def _partials(node: Value) -> Iterator[str]:
    unknown = node._more is not None and node._more.backward is not None  # a step written by hand
    return ("?" if unknown else number(slope or 0) for slope in partials(node))


def _formula(node: Value) -> str:
    """The symbol of the operation, with its constants where they were written: `2 - □`."""
    row = node._row
    held = list(operands(node))
    symbol = row.symbol if isinstance(row, Operation) else str(row)
    if all(isinstance(operand, Node) for operand in held):
        return symbol or "?"
    written = [PLACE if isinstance(operand, Node) else number(operand) for operand in held]
    if len(written) != 2 or symbol.isidentifier():
        return f"{symbol}({', '.join(written)})"
    left, right = (f"({each})" if each.startswith("-") else each for each in written)
    if row.name == "pow":
        return f"{left}**{written[1]}"
    return f"{left} {symbol} {right}"
