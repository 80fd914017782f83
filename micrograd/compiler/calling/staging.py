"""Copies arguments to where a program reads them, if they are like those of the previous call.

No structure is built for this, and no list of leaves: each argument is compared with the structure
that is expected while its numbers are copied, an array at once.

>>> numbers = np.zeros(3)
>>> staged = sample_stager(Structure(list, (), (LEAF, LEAF, LEAF)), numbers)
>>> staged([1.0, 2.0, 3]), numbers.tolist()
(True, [1.0, 2.0, 3.0])
>>> staged([1.0, 2.0]), staged(["1", "2", "3"])
(False, False)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from micrograd.compiler.calling.results import LINE
from micrograd.transforms.structures import LEAF, NONE, Structure, count_leaves, fields, placed

REAL = frozenset("biuf")
"""The kinds of dtypes of arrays that hold real numbers."""
REAL_ON_DEVICES = REAL | {"V"}
"""The same on devices: 16-bit floats of JAX have the kind V."""

_NUMBERS = frozenset({float, int, np.float64, np.float32, np.int64, np.int32})
_DOUBLE = np.dtype(float)
_FAR = 1024
"""Bytes. Samples that are a multiple of this apart share few places in the cache, so they are
copied to places that are not before the numbers of one input are read from all of them."""

Stager = Callable[[Any], bool]
"""`stager(argument)` copies its numbers; it returns False if they are of another structure."""


def stager(
    structures: Sequence[Structure],
    args: Sequence[Any],
    axes: Sequence[int | None],
    inputs: Any,
    shared: Any,
    *,
    batched: bool,
) -> Stager | None:
    """Return a function that copies arguments of these structures, given as a tuple.

    Args:
        structures: the structure of each argument; in a batch, that of one sample.
        args: arguments as they are expected: an array, for example, or a list of samples.
        axes: an entry for each argument; None for one that all samples share.
        inputs: an array with a row for each input, and in a batch a column for each sample.
        shared: an array with the numbers of the arguments that all samples share.
        batched: whether the other arguments are batches.

    Returns:
        The function, or None if there are arguments that have to be taken apart in the usual way.
    """
    parts = []
    for structure, each, axis in zip(structures, args, axes, strict=True):
        size = count_leaves(structure)
        if axis is None:
            rows, shared = shared[:size], shared[size:]
        else:
            rows, inputs = inputs[:size], inputs[size:]
        is_batch = batched and axis is not None
        part = _batch_stager(structure, each, rows) if is_batch else sample_stager(structure, rows)
        if part is None:
            return None
        parts.append(part)
    if len(parts) == 1:
        (only,) = parts
        return lambda args: len(args) == 1 and only(args[0])
    count = len(parts)

    def staged(args: Any) -> bool:
        if len(args) != count:
            return False
        for each, part in zip(args, parts, strict=True):  # noqa: SIM110 (all(…) takes longer)
            if not part(each):
                return False
        return True

    return staged


def reader(
    structures: Sequence[Structure],
    args: Sequence[Any],
    axes: Sequence[int | None],
    shared: Any,
    dtype: Any,
) -> Callable[[Any], list[Any] | None] | None:
    """Return a function that returns the arrays of a batch as rows of inputs, without copies.

    It takes a tuple of arguments like these, and returns None for others. The numbers of arguments
    that a batch shares are copied.

    Args:
        structures: the structure of each argument; in a batch, that of one sample.
        args: arguments as they are expected.
        axes: an entry for each argument; None for one that all samples share.
        shared: an array with the numbers of the arguments that all samples share.
        dtype: the precision of the rows.
    """
    steps: list[tuple[Stager | None, Any, int]] = []
    for structure, each, axis in zip(structures, args, axes, strict=True):
        size = count_leaves(structure)
        if axis is None:
            rows, shared = shared[:size], shared[size:]
            part = sample_stager(structure, rows)
            if part is None:
                return None
            steps.append((part, None, size))
        elif type(each) is np.ndarray:
            steps.append((None, each.shape, size))
        else:
            return None
    count, array = len(steps), np.ndarray

    def read(args: Any) -> list[Any] | None:
        if len(args) != count:
            return None
        found = []
        for argument, (part, shape, size) in zip(args, steps, strict=True):
            if part is not None:
                if not part(argument):
                    return None
                continue
            if type(argument) is not array or argument.shape != shape:
                return None
            numbers = argument
            if numbers.dtype != dtype:
                if numbers.dtype.kind not in REAL:
                    return None
                numbers = numbers.astype(dtype)
            if len(shape) > 1:
                found.append(numbers.reshape(shape[0], size).T)
            else:
                found.append(numbers[None])
        return found

    return read


def sample_stager(structure: Structure, numbers: Any) -> Stager | None:
    """Return a function that copies the numbers of one argument that is not a batch.

    Args:
        structure: what the argument looks like.
        numbers: an array with one number for each leaf.
    """
    kind, keys, children = structure
    if structure == NONE:
        return _is_none
    if kind is None:
        return _number_stager(numbers)
    if kind is np.ndarray:
        return array_stager(numbers.reshape(keys))
    if kind in (list, tuple) and children.count(LEAF) == len(children):
        return numbers_stager(kind, numbers)
    if kind in (list, tuple, dict) or (issubclass(kind, tuple) and not keys) or fields(structure):
        return _entries_stager(
            structure, numbers, lambda child, rows, _: sample_stager(child, rows)
        )
    return None


def parameters_stager(structure: Structure | None, numbers: Any) -> Stager:
    """Return a function that copies the numbers of parameters, given as an array or nested.

    Args:
        structure: how the parameters are nested, or None.
        numbers: an array with one number for each parameter.
    """
    flat = array_stager(numbers)
    nested = None if structure is None else sample_stager(structure, numbers)
    if nested is None:
        return flat
    return lambda given: flat(given) or nested(given)


def is_on_devices(argument: Any) -> bool:
    """Return whether this is an array of real numbers on devices, such as those of JAX.

    >>> is_on_devices(np.zeros(2))
    False
    """
    kind = getattr(getattr(argument, "dtype", None), "kind", "")  # keys of JAX have none
    return hasattr(argument, "sharding") and kind in REAL_ON_DEVICES


def alike(args: Sequence[Any]) -> Stager | None:
    """Return a function that says whether arrays on a device are like these; nothing is copied.

    It is None if an array is on several devices.
    """
    kinds = [*map(_kind_on_devices, args)]
    if not kinds or any(hasattr(kind[3], "mesh") for kind in kinds):
        return None

    def staged(args: Any) -> bool:
        try:
            return [*map(_kind_on_devices, args)] == kinds
        except AttributeError:  # something else
            return False

    return staged


_kind_on_devices = attrgetter("__class__", "shape", "dtype", "sharding")


def _batch_stager(structure: Structure, example: Any, rows: Any) -> Stager | None:
    length = rows.shape[1]
    if structure == NONE:
        return _is_none
    if type(example) is np.ndarray:
        shape = length, *structure.keys
        if len(rows) * rows.itemsize % _FAR:
            return array_stager(rows.T.reshape(shape))
        between = np.empty((length, len(rows) + LINE // rows.itemsize), rows.dtype)[:, : len(rows)]
        first, then = array_stager(between.reshape(shape)), array_stager(rows.T)
        return lambda argument: first(argument) and then(between)
    if type(example) in (list, tuple) and structure == LEAF:
        return numbers_stager(type(example), rows[0])
    if type(example) is dict:
        batches = [*example.values()]
        return _entries_stager(
            structure, rows, lambda child, rows, i: _batch_stager(child, batches[i], rows)
        )
    return None


def array_stager(target: Any) -> Stager:
    """Return a function that copies an array of real numbers of the same shape to this one."""
    shape, array = target.shape, np.ndarray

    def staged(argument: Any) -> bool:
        if type(argument) is not array or argument.shape != shape:
            return False
        if argument.dtype is not _DOUBLE and argument.dtype.kind not in REAL:
            return False
        target[...] = argument
        return True

    return staged


def _is_none(argument: Any) -> bool:
    return argument is None


def _is_alone(argument: Any) -> bool:
    """Return whether this is an array without axes of a real number."""
    return type(argument) is np.ndarray and not argument.ndim and argument.dtype.kind in REAL


def _number_stager(target: Any) -> Stager:
    def staged(argument: Any) -> bool:
        if type(argument) not in _NUMBERS and not _is_alone(argument):
            return False
        try:
            target[0] = argument
        except OverflowError:  # an int beyond the range of floats, which counts as infinite
            return False
        return True

    return staged


def numbers_stager(kind: Any, target: Any) -> Stager:
    """Return a function that copies the numbers in a list or a tuple.

    Args:
        kind: list or tuple.
        target: an array for as many numbers.
    """
    count = len(target)

    def staged(argument: Any) -> bool:
        if type(argument) is not kind or len(argument) != count:
            return False
        if not _NUMBERS.issuperset(map(type, argument)):
            return False
        try:
            target[:] = argument
        except OverflowError:
            return False
        return True

    return staged


def _entries_stager(
    structure: Structure,
    numbers: Any,
    made: Callable[[Structure, Any, int], Stager | None],
) -> Stager | None:
    """Return a function that copies the entries of a container, each by its own stager."""
    parts, kind, keys = [], structure.kind, structure.keys
    for i, (child, leaves) in enumerate(placed(structure.children)):
        part = made(child, numbers[leaves], i)
        if part is None:
            return None
        parts.append(part)
    count, is_dict, names = len(parts), issubclass(kind, dict), fields(structure)

    def staged(tree: Any) -> bool:
        if type(tree) is not kind:
            return False
        if names:
            entries = [getattr(tree, name) for name in names]
        elif len(tree) != count or (is_dict and tuple(tree) != keys):
            return False
        else:
            entries = tree.values() if is_dict else tree
        for entry, part in zip(entries, parts, strict=True):  # noqa: SIM110 (all(…) takes longer)
            if not part(entry):
                return False
        return True

    return staged
