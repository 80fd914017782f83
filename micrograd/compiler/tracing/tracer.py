"""Traces a function: runs it on values without numbers, to learn which operations it does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, repeat
from typing import Any

from micrograd.compiler.tracing import recorder as recorders
from micrograd.compiler.tracing.graph import Graph
from micrograd.compiler.tracing.progress import Limited, check, told
from micrograd.compiler.tracing.recorded import Recorded
from micrograd.compiler.tracing.recorder import (
    Recorder,
    TraceError,
    recording,
    refuse,
)
from micrograd.compiler.tracing.traced import BRANCHES, REMEDY, Traced, leaf
from micrograd.engine import numpy_functions
from micrograd.engine.collecting import nothing_collected
from micrograd.engine.graph import Node
from micrograd.engine.lines import is_from, line_of_error
from micrograd.engine.value import Value, to_number
from micrograd.locks import in_children, reentrant_lock

tracing = reentrant_lock()
"""One function is traced at a time: its parameters have no numbers meanwhile."""


def refuse_programs_of(parameters: Sequence[Value]) -> None:
    """Raise a TraceError if this thread is tracing with these parameters.

    They have no numbers now, with which a program could be called.
    """
    if are_traced(parameters):
        refuse(
            "calls a program of its own parameters, whose numbers differ from call to call",
            "call the function that the program was made of",
        )


def are_traced(parameters: Sequence[Value]) -> bool:
    """Return whether this thread is tracing with some of these parameters."""
    here = recorders.active is not None and recorders.active.thread == threading.get_ident()
    return here and any(type(each) is Traced for each in parameters)


@contextmanager
def _without_numbers(parameters: Sequence[Value], first: int) -> Iterator[None]:
    """Turn the parameters into traced values, and back into what they were afterwards."""
    kept = parameters, [*map(_GRAD.__get__, parameters)]
    _taken.append((kept, threading.get_ident()))
    try:
        _done(map(setattr, parameters, repeat("__class__"), repeat(Traced)))
        _done(map(_GRAD.__set__, parameters, count(first)))
        yield
    finally:
        _give_back(kept)
        _taken.pop()


_GRAD = vars(Node)["grad"]  # the slot, which has the place of a traced value
_taken: list[tuple[tuple[Sequence[Value], Sequence[float]], int]] = []
"""The parameters that are traced values now, their gradients, and the thread that traces them."""


def _done(results: Iterable[Any]) -> None:
    """Let something be done to many Values, without a loop in Python."""
    deque(results, maxlen=0)


def _forget_other_threads() -> None:
    """In the child of a fork, give back what another thread was tracing with: it is gone."""
    own = threading.get_ident()
    while _taken and _taken[-1][1] != own:
        _give_back(_taken.pop()[0])
    if recorders.active is not None and recorders.active.thread != own:
        recorders.active = None


in_children(_forget_other_threads)


def _give_back(kept: tuple[Sequence[Value], Sequence[float]]) -> None:
    """Turn all parameters back into Values, even if there is an interrupt meanwhile."""
    interrupt = None
    while True:
        try:
            _done(map(setattr, kept[0], repeat("__class__"), repeat(Value)))
            _done(map(_GRAD.__set__, *kept))
            break
        except KeyboardInterrupt as error:
            interrupt = error
    if interrupt is not None:
        raise interrupt


@nothing_collected()  # a trace makes no garbage
def trace(
    run: Callable[[Sequence[Traced]], Iterable[Any]],
    parameters: Sequence[Value],
    inputs: int,
    limit: int | None = None,
) -> Graph:
    """Return the graph of a function, which is run twice and must do the same both times.

    Args:
        run: takes a list of traced values, and returns its results as a flat list of Values and
            numbers.
        parameters: Values that it uses, which become the first leaves of the graph.
        inputs: the number of traced values that it takes.
        limit: the largest number of operations, if there is one.

    Raises:
        TraceError: if the function cannot be traced, or does too many operations.

    >>> graph = trace(lambda x: [x[0] * x[1] + 1.0], [], inputs=2)
    >>> [row.name for row in graph.table]
    ['mul', 'add']
    """
    with tracing:
        around = recorders.active
        first = Recorder(len(parameters), inputs, around=around)
        with _without_numbers(parameters, first.first):
            found = _recorded(run, first, limit)
            second = Recorder(len(parameters), inputs, before=first, around=around)
            again = _recorded(run, second, limit)
    graph = found.graph()
    if not again.equals(found):
        other = again.graph()
        different = graph.first_difference(other)
        if different is not None:
            raise TraceError(_difference((graph, other), different))
    if limit is not None:
        check(graph, limit)
    return graph.live()


def _recorded(
    run: Callable[[Sequence[Traced]], Iterable[Any]], recorder: Recorder, limit: int | None
) -> Recorded:
    if limit is not None:
        recorder.rows = Limited(limit, recorder)
    leaves = [leaf(recorder.start + i) for i in range(recorder.inputs)]
    with told(recorder), recording(recorder):
        try:
            results = run(leaves)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            _explain(error, recorder)
            raise
        return recorder.recorded([recorder.place(_result(result)) for result in results])


_TRANSFORMS = "transforms", "compiler"  # whose errors say what to do


def _explain(error: Exception, recorder: Recorder) -> None:
    """Raise a TraceError with the line, if the error is due to a value without a number."""
    if isinstance(error, TraceError):
        return
    line, refusal = line_of_error(error), recorder.refusal
    # NumPy may have replaced our error by its own.
    if refusal is not None and str(refusal).endswith(str(line)):
        raise refusal
    if isinstance(error, IndexError) and "arrays used as indices" in str(error):
        raise TraceError(f"a compiled function {BRANCHES}: {REMEDY}\n  at {line}") from error
    shows = "Traced" in str(error) or "Value(traced)" in str(error)
    if shows and isinstance(error, TypeError | ValueError) and is_from(error, *_TRANSFORMS):
        text = str(error).replace("Value(traced)", "a Value").replace("TracedArray", "an array")
        raise type(error)(f"{text.replace('Traced', 'Value')}\n  at {line}") from error
    if explanation := numpy_functions.explanation(error):
        raise TraceError(f"{explanation}\n  at {line}") from error
    if shows or _is_of_objects(error):
        raise TraceError(
            "a compiled function does something that values do not support while it is traced "
            f"({str(error).replace('Traced', 'Value')}): use the operations of micrograd, and "
            f"those of NumPy that work on arrays of objects\n  at {line}"
        ) from error


def _is_of_objects(error: Exception) -> bool:
    """Return whether a function of NumPy refused an array of objects, such as traced values."""
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
