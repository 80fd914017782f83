"""Reverse and forward mode over a graph: `pull` propagates adjoints, `push` propagates tangents.

Adjoints and tangents are floats, or they are Values, computed by the formulas of the table, which
can be differentiated again. A factor of zero ends a path through the graph, even if another factor
is infinite or nan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any, NoReturn

from micrograd.engine import value
from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.graph import (
    More,
    Node,
    backward_step,
    is_alias,
    is_leaf,
    made_by,
    number,
    operands,
    operation,
    partials,
    slope_functions,
    walking,
)
from micrograd.engine.value import Value
from micrograd.ops import STOPPING, Operation, on_define
from micrograd.table.formulas import (
    ADJOINT,
    COMPARISONS,
    RESULT,
    Call,
    Tree,
    flow,
    gated,
    with_truths,
)
from micrograd.table.interpreters import ERRORS, Interpreter, Texts

Scalar = Value | float


class Joint:
    """The origin of a node whose operands get their adjoints together, such as a traced loop."""

    def pull(
        self, node: Value, adjoint: Any, active: Container[Value]
    ) -> Iterable[tuple[Value, Any]]:
        """The shares of the operands that are active; adjoints and shares can be added."""
        raise NotImplementedError

    def push(self, node: Value, tangents: dict[Value, Any]) -> Any:
        """The tangent of the node, given those of some operands."""
        raise NotImplementedError

    def reads(self, node: Value) -> Iterable[Any]:
        """What the node depends on: its operands, unless less is known to matter."""
        return operands(node)


def pull_numbers(
    nodes: Sequence[Value], targets: Sequence[Value], seeds: dict[Value, float]
) -> list[float]:
    """The adjoints of the targets as floats, by the engine's own sweep; no gradient is changed."""
    with walking:
        before = [(node, node.grad) for node in (*nodes, *targets)]
        try:
            for node, _ in before:
                node.grad = 0.0
            for root, seed in seeds.items():
                root.grad = seed
            value.sweep(reversed(nodes))
            return [target.grad for target in targets]
        finally:
            for node, total in before:
                node.grad = total


def pull(nodes: Sequence[Value], targets: Sequence[Value], seeds: dict[Value, Any]) -> list[Scalar]:
    """Reverse mode on Values: the adjoints of the targets, written in operations of the table."""
    active = set(targets)
    for node in nodes:
        if _depends(node, active):
            active.add(node)
    adjoints = dict(seeds)
    for node in reversed(nodes):
        if node not in active or node not in adjoints or is_leaf(node):
            continue
        for operand, share in _shares(node, adjoints[node], active):
            if share is not None:
                if operand in adjoints:
                    adjoints[operand] += share
                else:
                    adjoints[operand] = share
    return [adjoints.get(target, 0.0) for target in targets]


def _shares(node: Value, adjoint: Any, active: Container[Value]) -> Iterable[tuple[Value, Any]]:
    """What each active operand gets of the adjoint of a node; None for nothing."""
    made = made_by(node)
    if isinstance(made, Joint):
        return made.pull(node, adjoint, active)
    if node._is_traced and isinstance(made, Operation):
        return _traced_shares(node, made, active, adjoint)
    return (
        (operand, product(node, slope, adjoint))
        for operand, slope in slopes_on_values(node)
        if operand in active
    )


def _depends(node: Value, among: Container[Value]) -> bool:
    """Whether an operand is among these. This is asked of every node, so it reads the slots."""
    x, y = node._x, node._y
    if isinstance(x, Value) and x in among:
        return True
    if isinstance(y, More):
        return any(isinstance(x, Value) and x in among for x in y.operands)
    return isinstance(y, Value) and y in among


def push(
    nodes: Sequence[Value], outputs: Sequence[Scalar], tangents: dict[Value, Any], *, symbolic: bool
) -> list[Scalar]:
    """Forward mode: the tangents of the outputs, given those of the variables.

    They are Values if `symbolic` is true, and floats otherwise.
    """
    slopes: Callable[[Value], Iterable[tuple[Any, Any]]]
    slopes = slopes_on_values if symbolic else slopes_afresh
    for node in nodes:
        if node in tangents or not _depends(node, tangents):
            continue
        made = made_by(node)
        if isinstance(made, Joint):
            tangents[node] = made.push(node, tangents)
            continue
        if node._is_traced and isinstance(made, Operation):
            shares: Iterable[Any] = _traced_shares(node, made, tangents)
        else:
            shares = (
                (operand, product(node, slope, tangents[operand]))
                for operand, slope in slopes(node)
                if operand in tangents
            )
        for _, share in shares:
            if share is not None:
                tangents[node] = tangents[node] + share if node in tangents else share
    return [tangents.get(x, 0.0) if isinstance(x, Value) else 0.0 for x in outputs]


def _traced_shares(
    node: Value, row: Operation, among: Container[Value], factor: Any = None
) -> list[tuple[Value, Any]]:
    """What each of some operands of a traced node contributes, or gets: its partial times a factor.

    Without a factor, `among` has a tangent for each operand.
    """
    x, y = node._x, node._y
    held = (x,) if y is None else (x, *y.operands) if type(y) is More else (x, y)
    read: Sequence[Any] | None = None
    found = []
    for operand, times in zip(held, flows(row), strict=True):
        if times is not None and isinstance(operand, Value) and operand in among:
            by = among[operand] if factor is None else factor  # type: ignore[index]
            if isinstance(by, Value) or by:
                read = read or [x if isinstance(x, Value) else _Constant(x) for x in held]
                found.append((operand, times(node, *read, by)))
    return found


class _Constant(Value):
    """A constant in place of a number, which would follow Python's rules for division."""

    __slots__ = ()


def product(node: Value, slope: Any, factor: Any) -> Any:
    """A partial of the node times an adjoint or a tangent, or None if the product is zero.

    A product of a zero and a finite Value is kept as an operation, because its derivative need not
    be zero.
    """
    if type(slope) is float is type(factor):
        return slope * factor if slope and factor else None
    if not isinstance(factor, Value):
        if not isinstance(slope, Value):
            return slope * factor if slope and factor else None
        if factor in (0, 1):
            return slope if factor else None
    elif not isinstance(slope, Value) and slope in (0, 1):
        return factor if slope else None
    return multiplied(factor, slope)


def multiplied(factor: Any, slope: Any) -> Any:
    """A product of two factors, one of them a Value; 0 if one is 0 and the other not finite."""
    of_factor, of_slope = isinstance(factor, Value), isinstance(slope, Value)
    if of_factor and of_slope and factor._is_traced:
        return factor._times(slope)
    if type(slope) is _Constant and not of_factor:
        return slope.data * factor
    if (of_factor and factor._is_traced) or (of_slope and slope._is_traced):
        number = slope if of_factor else factor
        stops = isinstance(number, Value) or not number or not math.isfinite(number)
    else:
        x, y = factor.data if of_factor else factor, slope.data if of_slope else slope
        stops = (not x and not math.isfinite(y)) or (not y and not math.isfinite(x))
    return value.apply(STOPPING["stopping_mul"], factor, slope) if stops else slope * factor


def _slopes_on_numbers(node: Value) -> Iterator[tuple[Any, float]]:
    """The local partials that were computed together with the value."""
    _refuse_closure(node)
    for operand, slope in zip(operands(node), partials(node), strict=True):
        if slope is not None:
            yield operand, slope


def _slopes_by_hand(node: Value) -> Iterator[tuple[Any, Any]]:
    """The local partials of an operation made by hand, as Values where functions were given."""
    held = tuple(operands(node))
    given = slope_functions(node)
    if node._is_traced:  # all slopes of a derivative that is given are functions
        yield from ((operand, slope(*held)) for operand, slope in zip(held, given, strict=True))
        return
    for (operand, slope), function in zip(_slopes_on_numbers(node), given, strict=False):
        found = None if function is None else function(*held)
        is_known = function is not None and not _is_cut(function, found, held)
        yield operand, found if is_known else _Unknown.value(node, slope)


def _is_cut(function: Callable[..., Any], found: Any, held: Sequence[Value]) -> bool:
    """Whether a local partial was computed from the numbers of Values (`.data`), not from Values.

    If so, it depends on no operand as a graph, and yet changes if the operands change a little.
    """
    if isinstance(found, Value) and (not is_leaf(found) or any(found is x for x in held)):
        return False

    def at(step: float) -> float:
        return number(function(*(Value(x.data * (1 + step) or step) for x in held)))

    try:
        here = at(0.0)
        return here == here and here not in (at(2.0**-20), at(-(2.0**-20)))
    except ERRORS:  # outside of its domain
        return True


class _Unknown:
    """Stands for the unknown derivative of a local partial that is a number; raises an error."""

    def __init__(self, node: Value) -> None:
        self.node = node

    @staticmethod
    def value(node: Value, slope: float) -> Value:
        """The partial as a Value that depends on the operands in an unknown way."""
        made = Value(slope, node._children, "local_grads")
        made._backward = _Unknown(node)
        return made

    def __call__(self) -> NoReturn:
        raise TypeError(
            f"the local_grads of {self.node._op or 'an operation'!r} were given as numbers, or by "
            "functions that read .data, so second derivatives are unknown: give functions of the "
            "children that compute with Values, such as local_grads=[lambda x: micrograd.cos(x)], "
            "or use micrograd.define"
        )


def slopes_afresh(node: Value) -> Iterable[tuple[Any, float]]:
    """The local partials, evaluated again, so that forward mode does not use the stored ones."""
    row = operation(node)
    if row is None:
        return _slopes_on_numbers(node)
    held = tuple(operands(node))
    slopes = row.evaluate(*map(number, held))[1]
    return [
        (operand, slope)
        for operand, slope in zip(held, slopes, strict=True)
        if slope is not None and isinstance(operand, Node)
    ]


def slopes_on_values(node: Value) -> Iterable[tuple[Any, Any]]:
    """The local partials as Values: the formulas of the row, evaluated on the operands."""
    held = tuple(operands(node))
    if is_alias(node):
        return ((held[0], 1.0),)
    row = operation(node)
    if row is None:
        return _slopes_by_hand(node)
    try:
        return _evaluated(_formulas(row), held, node)
    except ERRORS:  # Python's operators raise for a constant such as the 0 of x / 0
        return _evaluated(_formulas(row, calling=True), held, node)


def _evaluated(
    slopes: Iterable[Callable[..., Any]], held: tuple[Any, ...], node: Value
) -> list[tuple[Any, Any]]:
    found = []
    for operand, slope in zip(held, slopes, strict=True):
        if isinstance(operand, Node) and (found_slope := slope(*held, node)) is not None:
            found.append((operand, found_slope))
    return found


def _refuse_closure(node: Value) -> None:
    step = backward_step(node)
    if isinstance(step, _Unknown):
        step()
    if step is not None:
        raise TypeError(
            f"{node!r} has a _backward written by hand, which only v.backward() can follow: use "
            "micrograd.define for the operation, or local_grads= with functions of the children"
        )


@cache
def _formulas(row: Operation, *, calling: bool = False) -> tuple[Callable[..., Any], ...]:
    """The partials as functions of the operands and the result, which are Values or numbers.

    If `calling` is true, division and power follow IEEE 754 for constants too, which is slower.
    """
    texts = Texts("div", "pow", "mod", "floordiv") if calling else Texts()
    on_values = Interpreter("Values", VOCABULARY | {"_number": _number}, texts=texts)
    names = (*row.operands, RESULT)
    slopes = (gated(with_truths(slope)) for slope in row.slopes)
    return tuple(on_values.compiled(names, _deciding_by_numbers(slope)) for slope in slopes)


def _number(operand: Any) -> float:
    number: float = operand.data if isinstance(operand, Value) else operand
    return number


def _deciding_by_numbers(tree: Tree, *, inside: bool = False) -> Tree:
    """The formula with numbers in place of Values inside each test, which has no derivative."""
    if not isinstance(tree, Call):
        return Call("_number", (tree,)) if inside and isinstance(tree, str) else tree
    inside |= tree.name == "_truth" or tree.name[1:] in COMPARISONS
    read = (_deciding_by_numbers(operand, inside=inside) for operand in tree.operands)
    return Call(tree.name, tuple(read))


@cache
def flows(row: Operation) -> tuple[Callable[..., Any] | None, ...]:
    """The products of the traced partials and a factor; None for a partial of 0.

    They are functions of the result, the operands and the factor. Choices become `where`
    operations, since a traced value cannot be tested.
    """
    tests = {f"_{name}": VOCABULARY[name] for name in COMPARISONS}
    scope = VOCABULARY | tests | {"_where": VOCABULARY["where"], "_multiplied": multiplied}
    scope |= {name: partial(value.apply, each) for name, each in STOPPING.items()}
    on_values = Interpreter("Values", scope, texts=Texts("pow", "_where", *tests))
    names = (RESULT, *row.operands, ADJOINT)
    trees = (flow(with_truths(slope), "_multiplied") for slope in row.traced_slopes)
    return tuple(None if tree is None else on_values.compiled(names, tree) for tree in trees)


@on_define
def _forget(row: Operation) -> None:
    """Forget the compiled formulas: they may call an operation that has been redefined."""
    _formulas.cache_clear()
    flows.cache_clear()
