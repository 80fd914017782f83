"""A program on Values: the function itself runs, so that it can be differentiated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd.compiler.calling.arguments import different_lengths
from micrograd.compiler.calling.results import regular
from micrograd.compiler.tracing.tracer import are_traced
from micrograd.engine.value import Value
from micrograd.transforms.structures import flatten, is_array


def is_on_values(args: Sequence[Any], parameters: Sequence[Value]) -> bool:
    """Return whether there are Values among the arguments, or the parameters have no numbers now.

    >>> is_on_values(([1.0, Value(2.0)],), []), is_on_values((1.0,), [Value(2.0)])
    (True, False)
    """
    if are_traced(parameters):
        return True
    try:
        leaves, _ = flatten(args)
    except (TypeError, AttributeError):  # not an array of numbers, such as JAX's random keys
        return False
    return any(isinstance(leaf, Value) for leaf in leaves)


def call_on_values(
    f: Callable[..., Any], args: Sequence[Any], axes: Sequence[int | None], *, batched: bool
) -> Any:
    """Return the result of a function, or in a batch its results as a program returns them.

    Args:
        f: the function of a program.
        args: its arguments.
        axes: for each argument 0 if it is a batch, and None if all samples share it.
        batched: whether the arguments are batches.

    >>> call_on_values(lambda x, w: w * x, ([1.0, 2.0], Value(3.0)), (0, None), batched=True)
    array([Value(data=3.0, grad=0), Value(data=6.0, grad=0)], dtype=object)
    """
    if not batched:
        return f(*args)
    lengths = [_length(each) for each, axis in zip(args, axes, strict=True) if axis == 0]
    known = [each for each in lengths if each is not None]
    if len({*known}) != 1:
        raise different_lengths(known)
    found = []
    for i in range(known[0]):
        pairs = zip(args, axes, strict=True)
        sample = (_sample(each, i) if axis == 0 else each for each, axis in pairs)
        found.append(flatten(f(*sample)))
    if not found:
        return np.zeros(0)
    structure = found[0][1]
    rows = np.empty((len(found[0][0]), len(found)), object)
    for i, (leaves, other) in enumerate(found):
        if other != structure:
            raise ValueError(f"the result for sample {i} has a different structure")
        rows[:, i] = leaves
    return regular(structure, rows)


def _length(batch: Any) -> int | None:
    if isinstance(batch, dict):
        return next((_length(each) for each in batch.values() if each is not None), None)
    return None if batch is None else len(batch)


def _sample(batch: Any, i: int) -> Any:
    if isinstance(batch, dict):
        return {key: _sample(each, i) for key, each in batch.items()}
    if batch is None:
        return None
    entry = batch[i]
    return entry.item() if is_array(batch) and isinstance(entry, np.generic) else entry
