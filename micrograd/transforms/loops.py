"""Loops of a step function: `repeat`, `scan` and `while_`.

On numbers and Values they are plain loops. In a compiled function the step is traced once, and the
program has a loop: its size does not depend on the number of steps, which may be known only when
the program runs.

>>> from micrograd import grad
>>> grad(lambda x: repeat(lambda y: y * y, x, 3))(1.5)  # of x ** 8
136.6875
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

from micrograd.engine.graph import number
from micrograd.engine.value import Value, to_number
from micrograd.table.floats import to_float
from micrograd.transforms.runs import scalar
from micrograd.transforms.structures import (
    LEAF,
    NONE,
    Structure,
    array,
    assembled,
    flatten,
    flatten_rows,
    holds_arrays,
    is_array,
    leaves_for,
    unflatten,
)

__all__ = ["repeat", "scan", "while_"]

State = TypeVar("State")
Leaves = list[Any]
Step = Callable[[Leaves, Leaves], tuple[Leaves, Any, Leaves]]
"""A step on leaves: from state and input to the next state, whether to go on, and outputs."""


def in_trace() -> Callable[..., tuple[Leaves, list[Leaves]]] | None:
    """Return what records a loop, while a function is traced. The compiler replaces this."""
    return None


def repeat(step: Callable[[State], State], state: State, n: Any) -> State:
    """Apply a step `n` times.

    Args:
        step: a function from a state to the next one, which has the same structure.
        state: the first state: a number, or nested lists, tuples, dicts and arrays of numbers.
        n: the number of steps. In a compiled function it may be a value that is known only when the
            program runs; a fraction is then rounded up, and a negative number or nan means no
            steps.

    Returns:
        The state after the last step.

    Raises:
        TypeError: `n` is not a number, or a step returns something other than numbers.
        ValueError: `n` is not a whole number of at least 0, or a step returns a state of a
            different structure.

    >>> repeat(lambda s: {"a": s["b"], "b": s["a"] + s["b"]}, {"a": 0, "b": 1}, 10)
    {'a': 55, 'b': 89}
    >>> from micrograd import compile
    >>> power = compile(lambda x, n: repeat(lambda y: x * y, 1.0, n))
    >>> power(2.0, 10), power(2.0, 1000)
    (1024.0, 1.0715086071862673e+301)
    """
    leaves, structure = _state(state)

    def one(held: Leaves, _: Leaves) -> tuple[Leaves, Any, Leaves]:
        return _next(step(unflatten(structure, held)), structure, "repeat"), None, []

    count = _count(n, in_trace=in_trace() is not None)
    result: State = unflatten(structure, _looped(one, leaves, count))
    return result


def scan(
    step: Callable[[State, Any], tuple[State, Any]],
    state: State,
    xs: Any,
    *,
    reverse: bool = False,
) -> tuple[State, Any]:
    """Apply a step to each of several inputs in turn, and collect an output from each.

    Args:
        step: a function from a state and an input to a pair: the next state, which has the same
            structure, and an output, or None.
        state: the first state: a number, or nested lists, tuples, dicts and arrays of numbers.
        xs: the inputs: a list of them, or an array, whose inputs lie along the first axis; or a
            tuple or dict of lists and arrays of one length; each input takes one entry of each.
        reverse: whether to begin with the last input. The order of the outputs stays that of the
            inputs.

    Returns:
        The state after the last step, and the outputs, which have the structure of one output, in
        which each number is a list with an entry for each input, or an array if `xs` has one, and
        each array has one axis more, the first one. They are None if the step returns None for
        each.

    Raises:
        TypeError: `xs` has another type, a step does not return a pair, or something is not a
            number.
        ValueError: the inputs have different structures or the parts of `xs` different lengths, or
            a step returns a state or an output of a different structure.

    >>> scan(lambda total, x: (total + x, total * x), 0.0, [1.0, 2.0, 3.0])
    (6.0, [0.0, 2.0, 9.0])
    """
    leaves, structure = _state(state)
    columns, inner, of_arrays = _inputs(xs)
    outer: list[Structure] = []  # of an output

    def one(held: Leaves, x: Leaves) -> tuple[Leaves, Any, Leaves]:
        pair = step(unflatten(structure, held), unflatten(inner, x))
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(
                "the step of scan returns a pair, the next state and an output (or None), got "
                f"{type(pair).__name__}"
            )
        following = _next(pair[0], structure, "scan")
        found, made = flatten(pair[1])
        outer.append(made)
        if made != outer[0]:
            raise ValueError(
                "the steps of scan return outputs of different structures: each has to return "
                "numbers in the same nested lists, dicts and shapes"
            )
        return following, None, [scalar(y, "an output of scan") for y in found]

    loop = in_trace()
    if loop is not None and columns:
        leaves, ys = loop(one, leaves, float(len(columns)), columns, reverse=reverse)
    else:
        rows = []
        for x in reversed(columns) if reverse else columns:
            leaves, _, row = one(leaves, x)
            rows.append(row)
        ys = [*map(list, zip(*(reversed(rows) if reverse else rows), strict=True))]
    stacked = None
    if outer and outer[0] != NONE:
        stacked = _stacked(outer[0], iter(ys), len(columns), of_arrays)
    elif not outer:
        stacked = []  # nothing says what an output is
    return unflatten(structure, leaves), stacked


def while_(
    condition: Callable[[State], Any],
    step: Callable[[State], State],
    state: State,
    *,
    most: int | None = None,
) -> State:
    """Apply a step as long as a condition on the state holds.

    The derivative is that of the steps that were done; their number counts as a constant.

    Args:
        condition: a function from a state to a comparison, such as `s < 1`, or a number, which
            holds unless it is 0.
        step: a function from a state to the next one, which has the same structure.
        state: the first state: a number, or nested lists, tuples, dicts and arrays of numbers.
        most: the largest number of steps; None for no limit.

    Returns:
        The first state for which the condition does not hold, or the state after `most` steps.

    Raises:
        TypeError: the condition is not a number, or a step returns something other than numbers.
        ValueError: `most` is not a whole number of at least 0, or a step returns a state of a
            different structure.

    >>> while_(lambda x: x < 100.0, lambda x: 2 * x, 3.0)
    192.0
    """
    leaves, structure = _state(state)
    limit = math.inf if most is None else _count(most)

    def holds(held: Leaves) -> Any:
        found, kind = flatten(condition(unflatten(structure, held)))
        if kind.kind is not None:
            raise TypeError("the condition of while_ is one comparison, such as s < 1")
        return scalar(found[0], "the condition of while_")

    def one(held: Leaves, _: Leaves) -> tuple[Leaves, Any, Leaves]:
        following = _next(step(unflatten(structure, held)), structure, "while_")
        return following, holds(following), []

    result: State = unflatten(structure, _looped(one, leaves, limit, holds(leaves)))
    return result


def _looped(one: Step, leaves: Leaves, count: Any, goes_on: Any = None) -> Leaves:
    """Return the state after `count` steps, or when `goes_on` is 0; None says nothing."""
    loop = in_trace()
    if loop is not None:
        steps = count if isinstance(count, Value) else to_float(count)
        return loop(one, leaves, steps, goes_on=goes_on)[0]
    done = 0
    while done < count and (goes_on is None or number(goes_on)):
        leaves, goes_on, _ = one(leaves, [])
        done += 1
    return leaves


# -------------------------------------------------------------------------------------- structures


def _state(state: Any) -> tuple[Leaves, Structure]:
    leaves, structure = flatten(state)
    for leaf in leaves:
        if not isinstance(leaf, Value):
            to_number(leaf, "the state of a loop")
    return leaves, structure


def _next(found: Any, structure: Structure, name: str) -> Leaves:
    """Return the leaves of what a step returned, in the order of those of the state."""
    if found is None:
        raise TypeError(f"the step of {name} returned None: did it forget to return the state?")
    leaves = leaves_for(found, structure, f"what the step of {name} returned", "the state")
    for leaf in leaves:
        if not isinstance(leaf, Value):
            to_number(leaf, f"the state that the step of {name} returns")
    return leaves


def _count(n: Any, *, in_trace: bool = False) -> Any:
    """Return a number of steps as an int; in a trace, as a float or a value."""
    if isinstance(n, Value):
        if in_trace:
            return n
        n = n.data
    number = to_number(n, "the number of steps of a loop")
    if not number >= 0 or number != number // 1:
        raise ValueError(f"the number of steps of a loop is whole and at least 0, got {n!r}")
    return to_float(number) if in_trace else int(number)


def _inputs(xs: Any) -> tuple[list[Leaves], Structure, bool]:
    """Return the leaves of each input, the structure of an input, and whether `xs` has an array."""
    sequences = _sequences(xs)
    lengths = {*map(len, sequences)}
    if len(lengths) != 1:
        raise ValueError(f"scan: the parts of xs have different lengths, {sorted(lengths)}")
    # Of arrays, the leaves are found without looking at each input by itself.
    parts = (flatten_rows(sequence, "scan: input")[0] for sequence in sequences)
    found = [[*chain.from_iterable(leaves)] for leaves in zip(*parts, strict=True)]
    for k, leaves in enumerate(found):
        for leaf in leaves:
            if type(leaf) is not float:
                scalar(leaf, f"scan: input {k}")
    inner = flatten(_entry(xs, 0))[1] if found else LEAF
    return found, inner, any(map(is_array, sequences))


def _sequences(xs: Any) -> list[Any]:
    """Return the lists and arrays that a loop reads one entry of at each step."""
    if isinstance(xs, list) or is_array(xs):
        return [xs]
    if not isinstance(xs, dict | tuple) or not xs:
        raise TypeError(
            "scan takes a list or an array of inputs, or a tuple or dict of them, got "
            f"{type(xs).__name__ if xs != () and xs != {} else repr(xs)}"
        )
    parts = xs.values() if isinstance(xs, dict) else xs
    return [*chain.from_iterable(map(_sequences, parts))]


def _entry(xs: Any, k: int) -> Any:
    if isinstance(xs, dict):
        return {key: _entry(part, k) for key, part in xs.items()}
    if isinstance(xs, tuple):
        parts = [_entry(part, k) for part in xs]
        return type(xs)(*parts) if hasattr(xs, "_fields") else tuple(parts)
    return xs[k]


def _stacked(structure: Structure, columns: Any, length: int, of_arrays: bool) -> Any:
    """Return the outputs of all steps, given as a list for each leaf, in the structure of one."""
    kind, keys, children = structure
    if kind is None:
        column = next(columns)
        return array(column, (length,)) if of_arrays else column
    if holds_arrays(kind):
        size = math.prod(keys)
        parts = [next(columns) for _ in range(size)]
        rows = [x for row in zip(*parts, strict=True) for x in row]
        return array(rows, (length, *keys))
    parts = [_stacked(child, columns, length, of_arrays) for child in children]
    return assembled(structure, parts)
