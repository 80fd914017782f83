"""`detect_anomaly`: turn the first nan or infinity into an error that says where it came from.

A zero that meets an infinite or nan partial in the chain rule is an error too: their product is
taken as 0, which may differ from the derivative.

    >>> with detect_anomaly():
    ...     Value(0.0).log()
    Traceback (most recent call last):
        ...
    micrograd.anomaly.AnomalyError: log(0.0) is -inf
      built at <doctest ...>, line 2: Value(0.0).log()

While any thread is inside, the methods of Value, its constructor and the chain rule are replaced by
versions that check every number. Outside, the original ones run at their usual speed.
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
from micrograd.engine.method_source import method_names
from micrograd.engine.methods import Methods
from micrograd.engine.value import Value
from micrograd.locks import reentrant_lock
from micrograd.ops import TABLE
from micrograd.transforms import propagation

__all__ = ["AnomalyError", "detect_anomaly"]


class AnomalyError(FloatingPointError):
    """A nan or an infinity occurred; the message names the operation, its operands and its line."""


class _Thread(threading.local):
    inside = 0
    counting: set[Node] | None = None  # in the forward mode, the nodes that the outputs depend on


_thread = _Thread()
_lock = reentrant_lock()
_plain: list[tuple[Any, str, Any]] = []  # what was replaced: object, name, the plain attribute
_entered = 0


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Return a context in which the first nan or infinite value or gradient raises AnomalyError.

    The error names the operation, the numbers it was applied to, and the line that built it, which
    is known if it was built inside the context as well. Only the thread that entered is affected.

    In the chain rule, zero times infinity counts as 0. Where this happens, the error names the
    operation, because the product may be wrong: the engine gives `cos(sqrt(x))` at 0 the gradient
    0, but the derivative is -0.5.

    Raises:
        AnomalyError: a FloatingPointError, raised inside the context.

    >>> with detect_anomaly():
    ...     Value(1000.0).exp()
    Traceback (most recent call last):
        ...
    micrograd.anomaly.AnomalyError: exp(1000.0) is inf
      built at <doctest ...>, line 2: Value(1000.0).exp()
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
                getattr(Methods, name)  # compiles the method if it was not used before
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
        reached = {node for node in nodes if node.grad}  # by some path, even one of derivative 0
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
        if not _thread.inside or callable(slope):  # the partial of a traced value has no number
            return plain(node, slope, factor)
        numbers = [x.data if isinstance(x, Value) else x for x in (factor, slope)]
        if _thread.counting is None or (0 in numbers and node in _thread.counting):
            _look_at_factors(node, *numbers)
        found = plain(node, slope, factor)
        return 0.0 if found is None else found  # follow the path, which may meet an infinity

    return product


def _pushing(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Check only tangents that reach an output: others, in a branch not taken, may be infinite."""

    def push(nodes: Any, outputs: Any, *args: Any, **options: Any) -> Any:
        before, _thread.counting = _thread.counting, _counting(nodes, outputs)
        try:
            return plain(nodes, outputs, *args, **options)
        finally:
            _thread.counting = before

    return push


def _counting(nodes: Sequence[Node], outputs: Iterable[Any]) -> set[Node]:
    """The nodes that contribute to the outputs."""
    found = {output for output in outputs if isinstance(output, Node)}
    for node in reversed(nodes):
        if node in found:
            pairs = zip(operands(node), partials(node), strict=True)
            found.update(x for x, partial in pairs if isinstance(x, Node) and partial is not None)
    return found


def _looking_away(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Do not check the partials, but their products, which are checked under the right name."""

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


_UNKNOWN = "an unknown line, because it was built outside of detect_anomaly()"


def _formula(node: Any) -> str:
    """The operation with the numbers it was applied to."""
    row = operation(node)
    name = row.name if row is not None else node._op or "an operation"
    numbers = (str(x.data if isinstance(x, Node) else x) for x in operands(node))
    return f"{name}({', '.join(numbers)})"
