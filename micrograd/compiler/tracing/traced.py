"""Traced values: what a function computes with while it is traced.

A traced value is a Value, so that it can be used wherever one can; but it has no number. Whatever
needs the number, such as a branch, raises a TraceError that names the line and the remedy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from micrograd.compiler.tracing import recorder as recorders
from micrograd.compiler.tracing.recorder import refuse
from micrograd.compiler.tracing.simplifying import POWERS
from micrograd.engine.definitions import is_array_like
from micrograd.engine.graph import More, Node
from micrograd.engine.method_source import method_names
from micrograd.engine.traced_arrays import NumPyProtocols
from micrograd.engine.value import Value, equality
from micrograd.ops import STOPPING, TABLE, Operation, on_define

BRANCHES = (
    "branches on a value (if, while, and, or, max, sorted, np.sort, np.argmax, np.median; "
    "x[x > 0]; x > 0, np.where, np.maximum or np.clip on an array that np.array made of values), "
    "which differs from call to call"
)
REMEDY = (
    "use micrograd.where(condition, a, b), maximum(a, b), minimum(a, b), clip(x, a, b) and, for "
    "x > 0, gt(x, 0), which work on all arrays, or make the array by np.stack instead of np.array; "
    "instead of while, use micrograd.while_(condition, step, state); instead of x[x > 0], use "
    "where(x > 0, x, 0); sort before the call, and pass what is sorted or its order as an argument"
)


class Traced(NumPyProtocols, Value):
    """A value without a number, in the function that is being traced.

    It has a place among the operations that the recorder has seen.
    """

    __slots__ = ()

    _is_traced = True
    _place: int = vars(Node)["grad"]
    """The place, in the slot of the gradient, which a traced value does not have."""

    @property
    def _is_in_step(self) -> bool:  # type: ignore[override]
        return recorders.current().outer is not None

    @staticmethod
    def _applied(row: Operation, *arguments: Any) -> Value:
        return _apply(row, *arguments)

    def _alias(self) -> Value:
        made = leaf(self._place)
        made._row, made._x, made._dx = "id", self, 1.0
        return made

    @property
    def data(self) -> float:
        """Refused with a TraceError."""
        return refuse(
            "reads the number of a value (.data), which differs from call to call",
            "compute with the value itself; v.detach() is the same number without gradient",
        )

    @data.setter
    def data(self, number: float) -> None:
        refuse("sets the number of a value (.data)", "return the new value instead")

    @property
    def grad(self) -> float:
        """Refused with a TraceError."""
        return refuse(
            "reads the gradient of a value (.grad), which differs from call to call",
            "use derivative(output, wrt) within the function, or pass the number as an argument",
        )

    @grad.setter
    def grad(self, number: float) -> None:
        refuse(
            "sets the gradient of a value (.grad), as zero_grad() does",
            "leave it out, as a program gives each gradient afresh and adds to none",
        )

    @property
    def _local_grads(self) -> tuple[float, ...]:
        """Refused with a TraceError."""
        return refuse(
            "reads local derivatives (._local_grads), which differ from call to call",
            "use derivative(output, wrt) within the function",
        )

    def backward(self, gradient: Any = 1) -> NoReturn:
        """Refused with a TraceError."""
        refuse(
            "calls backward()",
            "use derivative(output, wrt) or grad(f), or program.value_and_grad outside",
        )

    def __bool__(self) -> bool:
        return refuse(BRANCHES, REMEDY)

    def __float__(self) -> NoReturn:
        refuse(
            "turns a value into a number (float, int, round, a function of math), which differs "
            "from call to call",
            "use the functions of micrograd, such as micrograd.exp(v), and make an array that "
            "values are put into by np.zeros(shape, dtype=object)",
        )

    __int__ = __complex__ = __float__

    def __round__(self, digits: int | None = None) -> NoReturn:
        self.__float__()

    def __index__(self) -> NoReturn:
        refuse(
            "uses a value as a whole number (range, an index, a size), which differs from call to "
            "call",
            "name the argument as a static one, as in compile(f, static=1), with a program for "
            "each number; or look an entry up by micrograd.take(table, i)",
        )

    def __format__(self, specification: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return "Value(traced)"


def leaf(place: int) -> Traced:
    """Return a traced value that no operation made."""
    made: Traced = object.__new__(Traced)
    made._row = made._x = made._y = made._dx = made._dy = None
    made._place, made._mark = place, 0
    return made


def _apply(row: Operation, *arguments: Any) -> Traced:
    """Return the traced value of an operation."""
    recorder = recorders.current()
    made = leaf(recorder.operation(row, *map(recorder.place, arguments)))
    made._row = row
    made._x, made._y, *_ = *arguments, None
    if len(arguments) > 2:
        made._y = More(tuple(arguments[1:]), (None,) * (len(arguments) - 1))
    return made


# The methods are generated, like those of Values (see `micrograd.engine.method_source`), and do
# everything inline: tracing takes little more than these statements.
_UNARY = """
def {name}(self):
    _node = _new(_Traced)
    _recorder = _recorders.active or _recorders.current()
    _rows = _recorder.rows
    _node._place = _len(_rows) + _recorder.shift
    _recorder.left.append(self._place)
    _recorder.right.append(-1)
    _rows.append(_row)
    _node._row = _row
    _node._x = self
    _node._y = _node._dx = _node._dy = None
    _node._mark = 0
    return _node
"""
_BINARY = """
def {name}(self, other):
    _recorder = _recorders.active or _recorders.current()
    if _type(other) is _Traced:
        y = other._place
    else:
        y = _recorder.constants.get(other) if _type(other) in _numbers else None
        if y is None:
            y = _place(_recorder, other)
            if y is None:
                return NotImplemented
    _node = _new(_Traced)
    _rows = _recorder.rows
    _node._place = _len(_rows) + _recorder.shift
    _recorder.{left}.append(self._place)
    _recorder.{right}.append(y)
    _rows.append(_row)
    _node._row = _row
    _node._x, _node._y = {operands}
    _node._dx = _node._dy = None
    _node._mark = 0
    return _node
"""


def _place(recorder: recorders.Recorder, other: Any) -> int | None:
    """Return the place of the other operand; None for an array or a list, which decides itself."""
    if type(other) is float:
        return recorder.constant(other)
    if isinstance(other, Value):
        return recorder.place(other)
    if is_array_like(other):
        return None
    return recorder.place(other)


def _install(row: Operation) -> None:
    """Give traced values the methods of an operation."""
    names = method_names(row)
    if row.arity > 2:
        setattr(Traced, row.name, lambda self, *others: _apply(row, self, *others))
        return
    if row.is_equality:
        setattr(Traced, row.operator, lambda self, other: equality(row, self, other))
        return
    text = ""
    for name in names:
        if row.arity == 1:
            text += _UNARY.format(name=name)
        elif name == names[-1] and len(names) == 2:
            text += _BINARY.format(name=name, left="right", right="left", operands="other, self")
        else:
            text += _BINARY.format(name=name, left="left", right="right", operands="self, other")
    for name, method in _compiled(row, text).items():
        cheap = row is _POWER and name != names[-1]
        setattr(Traced, name, _with_cheap_powers(method) if cheap else method)


def _compiled(row: Operation, text: str) -> dict[str, Any]:
    """Return the methods in a text, which record an operation."""
    made: dict[str, Any] = {}
    tools = {
        "_row": row,
        "_Traced": Traced,
        "_new": object.__new__,
        "_type": type,
        "_len": len,
        "_place": _place,
        "_numbers": (float, int),
        "_recorders": recorders,
    }
    exec(text, tools, made)  # noqa: S102 (the names of a checked row)
    return made


def _with_cheap_powers(power: Callable[[Traced, Any], Any]) -> Callable[[Traced, Any], Any]:
    """Return the method of a power that is a square, a reciprocal or the base where it can be.

    The graph is simplified in the same way later, but then the derivatives of the power that were
    taken inside, with their cases for other exponents, are in it.
    """

    def method(self: Traced, other: Any) -> Any:
        if type(other) not in (int, float):
            return power(self, other)
        if other == 1:
            return self
        return getattr(self, POWERS[other])() if other in POWERS else power(self, other)

    return method


def _install_products() -> None:
    """Give traced values `x._times(y)`, a product that stops at zero (see `STOPPING`)."""
    made = _compiled(
        STOPPING["stopping_mul"],
        _BINARY.format(name="_times", left="left", right="right", operands="self, other"),
    )
    setattr(Traced, "_times", made["_times"])  # noqa: B010 (a type checker knows no assignment)


_POWER = TABLE["pow"]  # a row that is defined in its place has other powers
for _row in TABLE.values():
    _install(_row)
_install_products()
on_define(_install)
