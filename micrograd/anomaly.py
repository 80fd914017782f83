"""`detect_anomaly`: the first nan or infinity becomes an error that says where it came from.

So does a zero that meets an infinite or nan slope in the chain rule: their product is taken as 0,
which may hide that the derivative is another number.

    >>> with detect_anomaly():
    ...     Value(0.0).log()
    Traceback (most recent call last):
        ...
    micrograd.anomaly.AnomalyError: log(0.0) is -inf
      built at <doctest ...>, line 2: Value(0.0).log()

While a thread is inside, the methods of Value, its constructor and the chain rule are replaced by
ones that look at every number; outside they are the plain ones, which cost nothing more.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

from micrograd.engine import definitions, value
from micrograd.engine.graph import Node, is_leaf, operands, operation, partials
from micrograd.engine.lines import line_of_user
from micrograd.engine.locks import reentrant_lock
from micrograd.engine.method_source import method_names
from micrograd.engine.methods import Methods
from micrograd.engine.value import Value
from micrograd.ops import TABLE
from micrograd.transforms import propagation

__all__ = ["AnomalyError", "detect_anomaly"]


class AnomalyError(FloatingPointError):
    """A nan or an infinity came up; the message names the operation, its operands and its line."""


class _Thread(threading.local):
    inside = 0
    counting: set[Node] | None = None  # in the forward mode, the nodes that the outputs depend on


_thread = _Thread()
_lock = reentrant_lock()
_plain: list[tuple[Any, str, Any]] = []  # what was replaced: object, name, the plain attribute
_entered = 0


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise AnomalyError at the first operation or gradient that is nan or infinite.

    Where a zero meets an infinite or nan slope in the chain rule, which takes their product as 0,
    an AnomalyError names that operation too: `cos(sqrt(x))` at 0 has the gradient 0 in the engine,
    where the derivative is -0.5.

    The error names the operation, the numbers it was applied to, and the line that built it (known
    if it was built within `detect_anomaly` as well). It counts only for the thread that entered.
    """
    _enter()
    _thread.inside += 1
    try:
        yield
    finally:
        _thread.inside -= 1
        _leave()


def _enter() -> None:
    global _entered
    with _lock:
        _entered += 1
        if _entered > 1:
            return
        for row in TABLE.values():
            for name in method_names(row):
                getattr(Methods, name)  # compiles a method that was not asked for yet
                _replace(Methods, name, _looking_at_result)
        _replace(definitions, "apply", _looking_at_result)
        _replace(Value, "__init__", _looking_at_self)
        _replace(value, "sweep", _looking_at_gradients)
        _replace(propagation, "product", _looking_at_factors)
        _replace(propagation, "slopes_on_values", _looking_away)
        _replace(propagation, "push", _pushing)


def _leave() -> None:
    global _entered
    with _lock:
        _entered -= 1
        if not _entered:
            while _plain:
                place, name, attribute = _plain.pop()
                setattr(place, name, attribute)


def _replace(place: Any, name: str, looking: Callable[[Any], Any]) -> None:
    plain = vars(place)[name]
    _plain.append((place, name, plain))
    setattr(place, name, looking(plain))


# ---------------------------------------------------------------------------- what looks at numbers


def _looking_at_result(plain: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(plain)
    def method(*args: Any) -> Any:
        result = plain(*args)
        if _thread.inside and isinstance(result, Value) and not result._is_traced:
            _look(result)
        return result

    return method


def _looking_at_self(plain: Callable[..., None]) -> Callable[..., None]:
    @wraps(plain)
    def constructor(self: Value, *args: Any, **options: Any) -> None:
        plain(self, *args, **options)
        if _thread.inside and not is_leaf(self):  # an operation made by hand, not a leaf
            _look(self)

    return constructor


def _looking_at_gradients(plain: Callable[[Iterable[Any]], None]) -> Callable[..., None]:
    def sweep(nodes: Iterable[Any]) -> None:
        if not _thread.inside:
            plain(nodes)
            return
        nodes = list(nodes)
        reached = {node for node in nodes if node.grad}  # by a path, be its derivative 0
        for node in nodes:
            plain((node,))
            for operand, partial in zip(operands(node), partials(node), strict=True):
                if node in reached and partial is not None:
                    if 0 in (node.grad, partial):
                        _look_at_factors(node, node.grad, partial)
                    reached.add(operand)
                if isinstance(operand, Node) and not math.isfinite(operand.grad):
                    raise AnomalyError(
                        f"in the backward pass the gradient of {operand.data} became "
                        f"{operand.grad}: it is an operand of {_formula(node)}, whose gradient is "
                        f"{node.grad} and whose local derivative for it is {partial}\n"
                        f"  built at {node.__dict__.get('_line', _UNKNOWN)}"
                    )

    return sweep


def _looking_at_factors(plain: Callable[..., Any]) -> Callable[..., Any]:
    def product(node: Value, slope: Any, factor: Any) -> Any:
        if not _thread.inside or callable(slope):  # of a traced value, which has no number
            return plain(node, slope, factor)
        numbers = [x.data if isinstance(x, Value) else x for x in (factor, slope)]
        if _thread.counting is None or (0 in numbers and node in _thread.counting):
            _look_at_factors(node, *numbers)
        found = plain(node, slope, factor)
        return 0.0 if found is None else found  # the path goes on: it may meet an infinity

    return product


def _pushing(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Tangents may be infinite, as nothing may come of them: of a branch that is not taken, say."""

    def push(nodes: Any, outputs: Any, *args: Any, **options: Any) -> Any:
        before, _thread.counting = _thread.counting, _counting(nodes, outputs)
        try:
            return plain(nodes, outputs, *args, **options)
        finally:
            _thread.counting = before

    return push


def _counting(nodes: Sequence[Node], outputs: Iterable[Any]) -> set[Node]:
    """The nodes from which something passes to the outputs."""
    found = {output for output in outputs if isinstance(output, Node)}
    for node in reversed(nodes):
        if node in found:
            pairs = zip(operands(node), partials(node), strict=True)
            found.update(x for x, partial in pairs if isinstance(x, Node) and partial is not None)
    return found


def _looking_away(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Slopes are looked at when they are multiplied, by the name of their operation."""

    def slopes(node: Value) -> Any:
        before, _thread.inside = _thread.inside, 0
        try:
            return list(plain(node))
        finally:
            _thread.inside = before

    return slopes


def _look_at_factors(node: Any, factor: float, slope: float) -> None:
    """AnomalyError if the product of an adjoint (or tangent) and a partial is not finite."""
    if math.isfinite(factor * slope):
        return
    if 0 in (factor, slope):
        told = (
            f"zero times infinity in the chain rule: the local derivative of {_formula(node)} is "
            f"{slope}, the factor that it meets is {factor}, and their product counts as 0, "
            "which need not be the derivative"
        )
    else:
        told = (
            f"a derivative became {factor * slope}: that of {_formula(node)}, whose local "
            f"derivative is {slope}, times the factor {factor}"
        )
    raise AnomalyError(f"{told}\n  built at {node.__dict__.get('_line', _UNKNOWN)}")


def _look(node: Value) -> None:
    node.__dict__["_line"] = line_of_user()
    if not math.isfinite(node.data):
        raise AnomalyError(f"{_formula(node)} is {node.data}\n  built at {node.__dict__['_line']}")


_UNKNOWN = "a line that is not known, because it was built outside of detect_anomaly()"


def _formula(node: Any) -> str:
    """The operation with the numbers it was applied to."""
    row = operation(node)
    name = row.name if row is not None else node._op or "an operation"
    numbers = (str(x.data if isinstance(x, Node) else x) for x in operands(node))
    return f"{name}({', '.join(numbers)})"
