"""The reverse and the forward mode over a graph: adjoints pulled back, tangents pushed on.

As floats, by the engine's own sweep; or as Values, by the formulas of the table, so that they can
be differentiated again. A zero stops even before an infinite partial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import product
from typing import Any

from micrograd import engine
from micrograd.engine import Value
from micrograd.formulas import (
    ERRORS,
    OPERANDS,
    RESULT,
    choosing_source,
    to_float,
    variables,
)
from micrograd.graph import Node, operands, partials, walking
from micrograd.kernels import ADJOINT, flow_text
from micrograd.ops import STOPPING, Operation, on_define
from micrograd.vocabulary import VOCABULARY

Scalar = Value | float


def pull_numbers(
    nodes: Sequence[Value], targets: Sequence[Value], seeds: dict[Value, float]
) -> list[float]:
    """The adjoints of the targets as floats, by the engine's own sweep; no gradient is changed."""
    with walking:
        before = [(node, node.grad) for node in (*nodes, *targets)]
        for node, _ in before:
            node.grad = 0.0
        for root, seed in seeds.items():
            root.grad = seed
        try:
            engine.sweep(reversed(nodes))
            return [target.grad for target in targets]
        finally:
            for node, total in before:
                node.grad = total


def pull(nodes: Sequence[Value], targets: Sequence[Value], seeds: dict[Value, Any]) -> list[Scalar]:
    """The adjoints of the targets as Values: the reverse mode, written in operations."""
    active = set(targets)
    for node in nodes:
        if (
            node._x in active
            or node._y in active
            or (node._more is not None and not active.isdisjoint(node._more.operands))
        ):
            active.add(node)
    adjoints = dict(seeds)
    for node in reversed(nodes):
        if node not in active or node not in adjoints or node._row is None:
            continue
        adjoint = adjoints[node]
        for operand, slope in slopes_on_values(node):
            if operand in active:
                share = _product(slope, adjoint)
                if share is not None:
                    adjoints[operand] = adjoints[operand] + share if operand in adjoints else share
    return [adjoints.get(target, 0.0) for target in targets]


Slopes = Callable[[Value], Iterable[tuple[Any, Any]]]


def push(nodes: Sequence[Value], tangents: dict[Value, Any], slopes: Slopes) -> None:
    """Enter the tangents of the nodes into those of the variables: the forward mode."""
    for node in nodes:
        if node in tangents:
            continue
        for operand, slope in slopes(node):
            if operand in tangents:
                share = _product(slope, tangents[operand])
                if share is not None:
                    tangents[node] = tangents[node] + share if node in tangents else share


def _product(slope: Any, factor: Any) -> Any:
    """The product, or None if nothing passes: a factor of zero stops even an infinite slope."""
    if callable(slope):  # of a traced value: it has no number, and multiplies by itself
        return slope(factor) if isinstance(factor, Value) or factor else None
    if not isinstance(factor, Value):
        if factor == 1:
            return slope
        return slope * factor if factor else None
    if not isinstance(slope, Value) and slope == 1:
        return factor
    if factor._is_traced:
        return slope * factor
    if factor.data == 0 and not math.isfinite(getattr(slope, "data", slope)):
        return None
    return slope * factor


def _slopes_on_numbers(node: Value) -> Iterator[tuple[Any, float]]:
    """The local partials that were computed with the value."""
    _refuse_closure(node)
    for operand, slope in zip(operands(node), partials(node), strict=True):
        if slope is not None:
            yield operand, slope


def slopes_afresh(node: Value) -> Iterable[tuple[Any, float]]:
    """The local partials evaluated from the row, so that the forward mode is its own witness."""
    if not isinstance(node._row, Operation):
        return _slopes_on_numbers(node)
    held = tuple(operands(node))
    slopes = node._row.evaluate(*(x.data if isinstance(x, Node) else to_float(x) for x in held))[1]
    return [
        (operand, slope)
        for operand, slope in zip(held, slopes, strict=True)
        if slope is not None and isinstance(operand, Node)
    ]


def slopes_on_values(node: Value) -> Iterable[tuple[Any, Any]]:
    """The local partials as Values: the row's formulas evaluated on the operands."""
    if not isinstance(node._row, Operation):
        return _slopes_on_numbers(node)
    held = tuple(operands(node))
    if node._is_traced:
        # A number would divide by Python's rules.
        read = [x if isinstance(x, Value) else Value(x) for x in held]
        flows = (_flow_of(node._row, place, read) for place in range(len(read)))
        return [
            (operand, partial(flow, node, *read))
            for operand, flow in zip(held, flows, strict=True)
            if flow is not None and isinstance(operand, Node)
        ]
    try:
        return _evaluated(_formulas(node._row), held, node)
    except ERRORS:  # a constant such as the 0 of x / 0, for which Python's operators raise
        return _evaluated(_formulas(node._row, calling=True), held, node)


def _evaluated(
    slopes: Iterable[Callable[..., Any]], held: tuple[Any, ...], node: Value
) -> list[tuple[Any, Any]]:
    found = []
    for operand, slope in zip(held, slopes, strict=True):
        if isinstance(operand, Node) and (found_slope := slope(*held, node)) is not None:
            found.append((operand, found_slope))
    return found


def _refuse_closure(node: Value) -> None:
    if node._more is not None and node._more.backward is not None:
        raise TypeError(
            f"{node!r} has a _backward written by hand, which only v.backward() can follow: "
            "use micrograd.define or local_grads= for the operation"
        )


@cache
def _formulas(row: Operation, *, calling: bool = False) -> tuple[Callable[..., Any], ...]:
    """The partials as functions of Values and numbers: the operands, then the result."""
    vocabulary = {**VOCABULARY, "__builtins__": {}}
    names = ", ".join((*OPERANDS[: row.arity], RESULT))
    return tuple(
        eval(f"lambda {names}: {choosing_source(slope, calling=calling)}", vocabulary)  # noqa: S307 (checked)
        for slope in row.slopes
    )


def _flow_of(row: Operation, place: int, held: Sequence[Any]) -> Callable[..., Any] | None:
    """What flows to an operand; a factor of zero stops wherever the partial may be infinite."""
    near = variables(row.slopes[place])
    tame = _stays_finite(row) and all(
        _is_tame(operand) for name, operand in zip(row.operands, held, strict=True) if name in near
    )
    return _flow(row, place, stopping=not tame)


@cache
def _flow(row: Operation, place: int, *, stopping: bool) -> Callable[..., Any] | None:
    """The product of a partial with a factor, where choices are operations.

    A function of the result, the operands and the factor. `stopping` says whether a factor of zero
    makes it 0 even where the partial is infinite.
    """
    text = flow_text(row, place, "_stopping" if stopping else "")
    if text is None:
        return None
    vocabulary = {name: called for name, called in VOCABULARY.items() if name != "_number"}
    vocabulary |= {"_where": VOCABULARY["where"], "_pow": VOCABULARY["pow"]}
    vocabulary |= {name: partial(engine.apply, each) for name, each in STOPPING.items()}
    vocabulary["_stopping"] = _stopping
    vocabulary["__builtins__"] = {}  # type: ignore[assignment]
    names = ", ".join((RESULT, *row.operands, ADJOINT))
    flow: Callable[..., Any] = eval(f"lambda {names}: {text}", vocabulary)  # noqa: S307 (checked)
    return flow


@on_define
def _forget(row: Operation) -> None:
    """What was made may call an operation that is another one now."""
    _formulas.cache_clear()
    _flow.cache_clear()
    _stays_finite.cache_clear()


def _stopping(adjoint: Any, slope: Any) -> Any:
    """The product, 0 where the adjoint is even if the slope is infinite there."""
    if not isinstance(adjoint, Value):
        return slope if adjoint == 1 else adjoint * slope  # a number that is there is not 0
    if isinstance(slope, Value) and slope._is_traced:
        return engine.apply(STOPPING["stopping_mul"], adjoint, slope)
    if not math.isfinite(getattr(slope, "data", slope)):
        return engine.apply(STOPPING["stopping_mul"], adjoint, slope)
    return adjoint * slope


def _is_tame(operand: Any) -> bool:
    """Whether an operand is finite where its own operands are."""
    row = operand._row if isinstance(operand, Node) else None
    return not isinstance(row, Operation) or _stays_finite(row)


@cache
def _stays_finite(row: Operation) -> bool:
    """Whether result and partials of finite operands are finite, as they are at some points.

    Plain products become sums of products and matrices in a program, so that they are kept where no
    infinity is near. One that was stopped is near one.
    """
    if row.name in STOPPING:
        return False
    for point in product(_POINTS, repeat=row.arity):
        result, slopes = row.evaluate(*point)
        if not all(math.isfinite(number) for number in (result, *slopes) if number is not None):
            return False
    return True


_POINTS = (0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.0, 1000.0, -1000.0)
