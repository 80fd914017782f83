"""What stands on the arrow from an operand: its local partial, what flows back along it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from micrograd.engine.graph import backward_step, operands, partials
from micrograd.engine.value import Value
from micrograd.writing.numbers import NO_GRADIENT, gradient, number

UNKNOWN = "?"  # what a step written by hand does


def local_partials(node: Value) -> Iterator[str]:
    """The local partial for each operand."""
    if backward_step(node) is not None:
        return (UNKNOWN for _ in partials(node))
    return (number(slope or 0) for slope in partials(node))


def contributions(node: Value, shared: set[Any]) -> Iterator[str]:
    """For each operand `upstream · local = contribution`, after `+=` if it is a shared one.

    `shared` are the values with several consumers: their gradients are sums. As in `backward`, an
    adjoint of zero contributes 0 whatever the local partial is.
    """
    upstream = node.grad
    for operand, slope in zip(operands(node), partials(node), strict=True):
        if backward_step(node) is not None:
            yield UNKNOWN
        elif gradient(upstream) == NO_GRADIENT:
            yield NO_GRADIENT
        else:
            share = _share(slope, upstream)
            local = number(slope or 0)
            factor = f"({local})" if local.startswith("-") else local
            sign = "+= " if operand in shared else ""
            yield f"{sign}{number(upstream)} · {factor} = {number(share)}"


def _share(slope: Any, upstream: Any) -> Any:
    if not upstream or slope is None:
        return 0
    try:
        return slope * upstream + 0.0  # no minus before a zero
    except TypeError:  # someone has set the gradient to something other than a number
        return UNKNOWN
