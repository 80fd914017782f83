"""Running a function on values without numbers, to learn which operations it does.

A traced value is a Value, so that it goes wherever one goes; but it has no number. What a function
does with numbers, it cannot do while it is traced: it says so, and names the line.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, NoReturn

import numpy as np

from micrograd.compiler.graph import CONSTANT, LEAF, NOTHING, Graph
from micrograd.engine.graph import More, Node, operands, order
from micrograd.engine.lines import line_of_error, line_of_user
from micrograd.engine.locks import in_children, reentrant_lock
from micrograd.engine.method_source import method_names
from micrograd.engine.value import Value, equality, to_number
from micrograd.ops import TABLE, Operation, on_define
from micrograd.table.floats import to_float

tracing = reentrant_lock()
"""One function is traced at a time: its parameters have no numbers meanwhile."""


class TraceError(TypeError):
    """A function does something that cannot be compiled; the message says what to do instead."""


class Traced(Value):
    """A value without a number, in the function that is being traced."""

    __slots__ = ()

    _is_traced = True
    _place: int = vars(Node)["grad"]
    """Among the operations; the slot of the gradient by another name, as there is no gradient."""

    @staticmethod
    def _applied(row: Operation, *arguments: Any) -> Value:
        return _apply(row, *arguments)

    def _alias(self) -> Value:
        made = _leaf(self._place)
        made._row, made._x, made._dx = "id", self, 1.0
        return made

    @property
    def data(self) -> float:
        """There is none: TraceError."""
        return _refuse(
            "reads the number of a value (.data), which differs from call to call",
            "compute with the value itself; v.detach() is the same number without gradient",
        )

    @data.setter
    def data(self, number: float) -> None:
        _refuse("sets the number of a value (.data)", "return the new value instead")

    @property
    def grad(self) -> float:
        """There is none: TraceError."""
        return _refuse(
            "reads the gradient of a value (.grad), which differs from call to call",
            "use derivative(output, wrt) within the function, or pass the number as an argument",
        )

    @grad.setter
    def grad(self, number: float) -> None:
        _refuse(
            "sets the gradient of a value (.grad), as zero_grad() does",
            "leave it out, as a program gives each gradient afresh and adds to none",
        )

    @property
    def _local_grads(self) -> tuple[float, ...]:
        """There are none: TraceError."""
        return _refuse(
            "reads local derivatives (._local_grads), which differ from call to call",
            "use derivative(output, wrt) within the function",
        )

    def backward(self, gradient: Any = 1) -> NoReturn:
        """Refused: TraceError."""
        _refuse(
            "calls backward()",
            "use derivative(output, wrt) or grad(f), or program.value_and_grad outside",
        )

    def __bool__(self) -> bool:
        return _refuse(
            "branches on a value (if, while, and, or, max, sorted; np.where, np.maximum, np.clip), "
            "which differs from call to call",
            "use micrograd.where(condition, a, b), maximum(a, b) or minimum(a, b); for each entry "
            "of an array, np.vectorize(lambda v: micrograd.where(v > 0, v, -v), otypes=[object]); "
            "instead of while, a for loop of a fixed number of steps with where in each",
        )

    def __float__(self) -> NoReturn:
        _refuse(
            "turns a value into a number (float, int, round, a function of math), which differs "
            "from call to call",
            "use the functions of micrograd, such as micrograd.exp(v)",
        )

    __int__ = __complex__ = __trunc__ = __floor__ = __ceil__ = __float__

    def __round__(self, digits: int = 0) -> NoReturn:
        self.__float__()

    def __index__(self) -> NoReturn:
        _refuse(
            "uses a value as a whole number (range, an index, a size), which differs from call to "
            "call",
            "give the number before compiling, as in compile(lambda x: f(x, 3)), with a program "
            "for each; or choose by micrograd.where(i < 1, a, b)",
        )

    def __format__(self, specification: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return "Value(traced)"


def _refuse(deed: str, remedy: str) -> NoReturn:
    refusal = TraceError(f"a compiled function {deed}: {remedy}\n  at {line_of_user()}")
    if _recorder is not None:
        _recorder.refusal = refusal
    raise refusal


def refuse_programs_of(parameters: Sequence[Value]) -> None:
    """TraceError if these are without numbers now, as this very thread traces with them."""
    here = _recorder is not None and _recorder.thread == threading.get_ident()
    if here and any(type(each) is Traced for each in parameters):
        _refuse(
            "calls a program of its own parameters, whose numbers differ from call to call",
            "call the function that the program was made of",
        )


_runs = count(1)
_BETWEEN = 2**40  # places of one run and those of the next


class Recorder:
    """The operations of one run of a function.

    Places: leaves come first and operations follow them in the order in which they are first seen;
    constants are counted down from -2, since there is no telling how many operations will come.
    Each run counts from a number of its own, so that values of other runs are told.
    """

    def __init__(self, parameters: int, inputs: int) -> None:
        self.parameters, self.inputs = parameters, inputs
        self.thread = threading.get_ident()
        self.first = next(_runs) % 2**22 * _BETWEEN
        self.leaves = self.first + parameters + inputs
        self.operations: dict[Any, int] = {}  # (row, x, y) or (row, x, y, z), to its place
        self.constants: dict[Any, int] = {}
        self.converted: dict[int, tuple[Value, int]] = {}  # Values made before, kept alive
        self.refusal: TraceError | None = None  # the last one

    def operation(self, row: Operation, *places: int) -> int:
        """The place of an operation; the same one for the same operation on the same operands."""
        key = (row, *places, NOTHING) if len(places) == 1 else (row, *places)
        return self.operations.setdefault(key, len(self.operations) + self.leaves)

    def constant(self, number: float) -> int:
        """The place of a number; 0.0 and -0.0 are two."""
        key = (number, str(number)) if number == 0 or number != number else number
        return self.constants.setdefault(key, -2 - len(self.constants))

    def place(self, operand: Any) -> int:
        """The place of an operand: a traced value, a number, or a Value that was made before."""
        if type(operand) is Traced:
            return operand._place
        if type(operand) is float:
            return self.constant(operand)
        if isinstance(operand, Value):
            return self._converted(operand)
        return self.constant(to_float(to_number(operand, "an operand")))

    def _converted(self, value: Value) -> int:
        """The place of a Value that holds a number, and of all that it was computed from."""
        if value._row is None:
            return self.constant(value.data)
        if id(value) not in self.converted:
            for node in order(value):
                if id(node) not in self.converted:
                    self.converted[id(node)] = node, self._convert(node)
        return self.converted[id(value)][1]

    def _convert(self, node: Value) -> int:
        if type(node) is Traced:
            return node._place
        if node._row is None:
            return self.constant(node.data)
        if node._row == "id" and node._dx == 1.0:  # as `_alias` makes them
            return self.converted[id(node._x)][1]
        if not isinstance(node._row, Operation):
            raise TraceError(
                f"a compiled function uses {str(node._row)!r}, an operation made by hand: "
                "give it a formula with micrograd.define"
            )
        places = (
            self.converted[id(x)][1] if isinstance(x, Node) else self.constant(to_float(x))
            for x in operands(node)
        )
        return self.operation(node._row, *places)

    def graph(self, outputs: Sequence[int]) -> Graph:
        """All that was recorded, as arrays; the constants stand between leaves and operations."""
        keys, constants = list(self.operations), len(self.constants)
        leaves = self.parameters + self.inputs
        table: dict[Operation, int] = {}
        rows = [key[0] for key in keys]
        codes = [table.setdefault(row, len(table)) for row in rows]
        first = leaves + constants
        places = np.full((first + len(keys), 3), NOTHING, dtype=np.int64)
        places[first:, 0] = [key[1] for key in keys]
        places[first:, 1] = [key[2] for key in keys]
        places[first:, 2] = [key[3] if len(key) > 3 else NOTHING for key in keys]
        numbers = np.zeros(len(places))
        numbers[leaves:first] = [
            key[0] if isinstance(key, tuple) else key for key in self.constants
        ]
        return Graph(
            code=np.array([LEAF] * leaves + [CONSTANT] * constants + codes, dtype=np.intp),
            operands=self._final(places),
            numbers=numbers,
            table=tuple(table),
            parameters=self.parameters,
            inputs=self.inputs,
            outputs=self._final(np.array(outputs, dtype=np.int64)),
        )

    def _final(self, places: Any) -> Any:
        """Places counted from 0, with the constants counted upwards, after the leaves.

        As indices of this machine: before, they may be beyond 32 bits.
        """
        leaves, constants = self.parameters + self.inputs, len(self.constants)
        own = places - self.first
        if ((places >= 0) & ((own < 0) | (own >= leaves + len(self.operations)))).any():
            raise TraceError(_KEPT)
        own = np.where(own >= leaves, own + constants, own)
        final = np.where(places < NOTHING, leaves - 2 - places, NOTHING)
        return np.where(places >= 0, own, final).astype(np.intp)


_KEPT = (
    "a value of a traced function was kept and used after the function had returned: "
    "return what you need from it"
)
_recorder: Recorder | None = None


def _leaf(place: int) -> Traced:
    made: Traced = object.__new__(Traced)
    made._row = made._x = made._y = made._dx = made._dy = made._more = None
    made._place, made._mark = place, 0
    return made


def _current() -> Recorder:
    if _recorder is None:
        raise TraceError(_KEPT)
    return _recorder


def _apply(row: Operation, *arguments: Any) -> Traced:
    """The traced value of an operation."""
    recorder = _current()
    made = _leaf(recorder.operation(row, *map(recorder.place, arguments)))
    made._row = row
    made._x, made._y, *_ = *arguments, None
    if len(arguments) > 2:
        made._more = More(tuple(arguments[2:]), (None,) * (len(arguments) - 2))
    return made


# The methods of traced values are made like those of Values (see `generation`), so that a function
# is traced at the speed of their attribute stores.
_UNARY = """
def {name}(self):
    _node = _new(_Traced)
    _recorder = _tracing._recorder or _tracing._current()
    _places = _recorder.operations
    _node._place = _places.setdefault((_row, self._place, -1), len(_places) + _recorder.leaves)
    _node._row = _row
    _node._x = self
    _node._y = _node._dx = _node._dy = _node._more = None
    _node._mark = 0
    return _node
"""
_BINARY = """
def {name}(self, other):
    _recorder = _tracing._recorder or _tracing._current()
    if _type(other) is _Traced:
        y = other._place
    else:
        y = _place(_recorder, other)
        if y is None:
            return NotImplemented
    _node = _new(_Traced)
    _places = _recorder.operations
    _node._place = _places.setdefault((_row, {places}), len(_places) + _recorder.leaves)
    _node._row = _row
    _node._x, _node._y = {operands}
    _node._dx = _node._dy = _node._more = None
    _node._mark = 0
    return _node
"""


def _place(recorder: Recorder, other: Any) -> int | None:
    """The place of the other operand; None if it is an array perhaps, which knows what to do."""
    if getattr(other, "shape", ()) or isinstance(other, list | tuple):
        return None
    return recorder.place(other)


def _install(row: Operation) -> None:
    """Give traced values the methods of a row."""
    names = method_names(row)
    if row.arity == 3:
        setattr(Traced, row.name, lambda self, y, z: _apply(row, self, y, z))
        return
    if row.is_equality:
        setattr(Traced, row.operator, lambda self, other: equality(row, self, other))
        return
    text = ""
    for name in names:
        if row.arity == 1:
            text += _UNARY.format(name=name)
        elif name == names[-1] and len(names) == 2:
            text += _BINARY.format(name=name, places="y, self._place", operands="other, self")
        else:
            text += _BINARY.format(name=name, places="self._place, y", operands="self, other")
    made: dict[str, Any] = {}
    tools = {
        "_row": row,
        "_Traced": Traced,
        "_new": object.__new__,
        "_type": type,
        "_place": _place,
        "_tracing": sys.modules[__name__],
    }
    exec(text, tools, made)  # noqa: S102 (the names of a checked row)
    for name, method in made.items():
        setattr(Traced, name, method)


for _row in TABLE.values():
    _install(_row)
on_define(_install)


# ------------------------------------------------------------------------------------------ tracing


@contextmanager
def _without_numbers(parameters: Sequence[Value], first: int) -> Iterator[None]:
    """Make traced values of the parameters, and give them back as they were."""
    kept = [(each, each.grad) for each in parameters]
    _taken.append(kept)
    try:
        for i, parameter in enumerate(parameters, first):
            parameter.__class__ = Traced
            parameter._place = i  # type: ignore[attr-defined]
        yield
    finally:
        _give_back(kept)
        _taken.pop()


_taken: list[Sequence[tuple[Value, float]]] = []
"""The parameters that are without numbers now, and their gradients."""


def _forget_other_threads() -> None:
    """In the child of a fork, nobody else traces any more."""
    global _recorder
    if _recorder is not None and _recorder.thread != threading.get_ident():
        while _taken:
            _give_back(_taken.pop())
        _recorder = None
        gc.enable()


in_children(_forget_other_threads)


def _give_back(kept: Sequence[tuple[Value, float]]) -> None:
    """Make Values of parameters again, all of them, even if there is an interrupt meanwhile."""
    interrupt = None
    while True:
        try:
            for parameter, grad in kept:
                parameter.__class__ = Value
                parameter.grad = grad
            break
        except KeyboardInterrupt as error:
            interrupt = error
    if interrupt is not None:
        raise interrupt


@contextmanager
def _recording(recorder: Recorder) -> Iterator[None]:
    global _recorder
    outer, _recorder = _recorder, recorder
    try:
        yield
    finally:
        _recorder = outer


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Without garbage collection: a trace has no garbage, and takes long to look through."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def trace(
    run: Callable[[Sequence[Traced]], Iterable[Any]], parameters: Sequence[Value], inputs: int
) -> Graph:
    """The graph of what `run` does with so many inputs: it is run twice, and must do the same.

    `run` gives the outputs as a flat list of Values and numbers. Raises TraceError.
    """
    with tracing:
        graphs = [_traced(run, parameters, inputs) for _ in range(2)]
    different = graphs[0].first_difference(graphs[1])
    if different is not None:
        raise TraceError(_difference(graphs, different))
    return graphs[0].live()


def _traced(
    run: Callable[[Sequence[Traced]], Iterable[Any]], parameters: Sequence[Value], inputs: int
) -> Graph:
    with _nothing_collected():
        return _recorded(run, parameters, inputs)


def _recorded(
    run: Callable[[Sequence[Traced]], Iterable[Any]], parameters: Sequence[Value], inputs: int
) -> Graph:
    recorder = Recorder(len(parameters), inputs)
    leaves = [_leaf(recorder.first + len(parameters) + i) for i in range(inputs)]
    with _recording(recorder), _without_numbers(parameters, recorder.first):
        try:
            results = run(leaves)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            _explain(error, recorder)
            raise
        outputs = [recorder.place(_result(result)) for result in results]
    return recorder.graph(outputs)


def _explain(error: Exception, recorder: Recorder) -> None:
    """TraceError, with the line, in place of an error that comes of a value without a number."""
    if isinstance(error, TraceError):
        return
    line, refusal = line_of_error(error), recorder.refusal
    # NumPy may have put an error of its own in the place of ours.
    if refusal is not None and str(refusal).endswith(str(line)):
        raise refusal
    if "Traced" in str(error) or "Value(traced)" in str(error) or _is_of_objects(error):
        raise TraceError(
            "a compiled function does something that values do not support while it is traced "
            f"({str(error).replace('Traced', 'Value')}): use the operations of micrograd, and "
            f"those of NumPy that work on arrays of objects\n  at {line}"
        ) from error


def _is_of_objects(error: Exception) -> bool:
    """Whether a function of NumPy refuses an array of objects, as the arrays of a trace are."""
    return isinstance(error, TypeError) and ("dtype('O')" in str(error) or "ufunc" in str(error))


def _result(result: Any) -> Any:
    if isinstance(result, Value):
        return result
    try:
        return to_number(result, "the result")
    except TypeError:
        hint = "; is a return missing?" if result is None else ""
        raise TraceError(
            "a compiled function returns Values and numbers, also in lists, tuples, dicts and "
            f"arrays, but not {type(result).__name__}{hint}"
        ) from None


def _difference(graphs: Sequence[Graph], node: int) -> str:
    shown = []
    for graph in graphs:
        code = graph.code[node]
        shown.append(f"{float(graph.numbers[node])}" if code < 0 else graph.table[code].name)
    return (
        f"a compiled function did something else when it was run again ({shown[0]} the first time, "
        f"{shown[1]} the second): random numbers, counters and other outside state do not belong "
        "in it; pass them as arguments"
    )
