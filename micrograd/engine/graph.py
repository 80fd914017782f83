"""The computation graph: what a node is, and how to walk a graph without recursion.

A graph may be a million operations deep, so no function here or elsewhere recurses along it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, NamedTuple

from micrograd.engine import freeing
from micrograd.locks import reentrant_lock
from micrograd.ops import Operation
from micrograd.table.floats import to_float


class More(NamedTuple):
    """What only few nodes need: several other operands, and what was given by hand.

    It stands in place of the second operand and holds all operands after the first.

    `backward` is a backward step. `slopes` has one function for each operand, which computes the
    local partial from Values (None where only its number is known).
    """

    operands: tuple[Any, ...] = ()
    partials: tuple[float | None, ...] = ()
    backward: Any = None
    slopes: tuple[Any, ...] = ()


class Node:
    """One number of a computation graph.

    `_x` and `_y` are the operands: nodes, plain numbers (constants), or None; in a few nodes, `_y`
    is a `More`. `_dx` and `_dy` are the local partials, or None where no gradient passes. All are
    slots of the node: one object per node, without any tuples, keeps a graph of scalars small and
    fast, and Python's garbage collector follows each slot. In a leaf, `_row` is None.
    """

    __slots__ = ("_dx", "_dy", "_mark", "_row", "_x", "_y", "data", "grad")

    data: float
    grad: float
    _row: Any  # the Operation, the text of an operation made by hand, or None for a leaf
    _x: Any
    _y: Any
    _dx: float | None
    _dy: float | None
    _mark: int  # the number of the last walk that visited this node

    if freeing.IS_NEEDED:
        __del__ = freeing.unlink


def operands(node: Node) -> Iterator[Any]:
    """The operands of a node in order: nodes and constants."""
    if node._x is not None:
        yield node._x
    if isinstance(node._y, More):
        yield from node._y.operands
    elif node._y is not None:
        yield node._y


def partials(node: Node) -> Iterator[float | None]:
    """The local partial for each operand, in the same order."""
    if node._x is not None:
        yield node._dx
    if isinstance(node._y, More):
        yield from node._y.partials
    elif node._y is not None:
        yield node._dy


def made_by(node: Node) -> Operation | str | None:
    """What made a node: a row of the table, the text of an operation made by hand, or nothing."""
    made: Operation | str | None = node._row
    return made


def operation(node: Node) -> Operation | None:
    """The row of the table that made a node; None for a leaf and for an operation made by hand."""
    return node._row if isinstance(node._row, Operation) else None


def is_leaf(node: Node) -> bool:
    """Whether no operation made the node."""
    return node._row is None


def is_alias(node: Node) -> bool:
    """Whether the node is another name of its one operand, as `Value._alias` makes it."""
    return node._row == "id" and node._dx == 1.0


def backward_step(node: Node) -> Any:
    """The backward step that was assigned to a node by hand, or None."""
    return node._y.backward if isinstance(node._y, More) else None


def slope_functions(node: Node) -> tuple[Any, ...]:
    """The functions given as `local_grads`, one for each operand; None where a number was given."""
    found = node._y.slopes if isinstance(node._y, More) else ()
    return found or (None,) * sum(1 for _ in operands(node))


def number(operand: Any) -> float:
    """The number of an operand, which is a node or a constant."""
    return operand.data if isinstance(operand, Node) else to_float(operand)


# Nodes hold the mark of a walk and the adjoints of a pass, so only one walk or pass runs at a time.
# The lock is reentrant, because a backward step written by hand may start another pass.
walking = reentrant_lock()
_walks = count(1)


def order(roots: Node | Iterable[Node], until: Iterable[Node] = ()) -> list[Any]:
    """All nodes below the roots in topological order: operands come first, from left to right.

    The order depends only on the graph. The nodes `until` are left out, and with them everything
    that is reached only through them. Nodes are marked with the number of the walk, so an
    interrupted walk leaves nothing to clean up.
    """
    with walking:
        walk = next(_walks)  # one object on all nodes of a walk, so that `is` compares them
        for node in until:
            node._mark = walk
        return _order((roots,) if isinstance(roots, Node) else roots, walk)


def _order(roots: Iterable[Node], walk: int) -> list[Node]:
    ordered: list[Node] = []
    stack: list[Any] = []  # the nodes above `node`, on the way back to the root
    further: dict[Node, Iterator[Any]] = {}  # operands in a More that were not visited yet
    for root in roots:
        if root._mark is walk:
            continue
        root._mark = walk
        stack.append(None)
        node: Any = root
        while node is not None:
            # Down along first operands. A partial that is not None belongs to a node.
            while (node._dx is not None or isinstance(node._x, Node)) and (
                below := node._x
            )._mark is not walk:
                below._mark = walk
                stack.append(node)
                node = below
            # Then back up, until there is an operand that was not visited.
            while node is not None:
                below = node._y
                if node._dy is None and below is not None:
                    if type(below) is More:
                        rest = further.setdefault(node, iter(below.operands))
                        unseen = (n for n in rest if isinstance(n, Node) and n._mark is not walk)
                        below = next(unseen, None)
                    elif not isinstance(below, Node):
                        below = None
                if below is not None and below._mark is not walk:
                    below._mark = walk
                    if (
                        below._dx is None
                        or below._dy is None
                        or below._x._mark is not walk
                        or below._y._mark is not walk
                    ):
                        stack.append(node)
                        node = below
                        break
                    ordered.append(below)  # as of most products of weights and activations
                    if node._dy is None:  # there may be further operands
                        continue
                ordered.append(node)
                node = stack.pop()
    return ordered


def warm(function: Callable[..., Any], *nothing: Any) -> None:
    """Call a function with nothing to do until CPython looks attributes up by its caches.

    3.10 begins to after 1,024 calls, however long each of them takes. 3.11 begins to after 8 calls
    or turns of a `for` loop, but does not count those of a `while` loop.
    """
    for _ in range(8 if sys.version_info >= (3, 11) else 1024):
        function(*nothing)


warm(_order, (), None)
