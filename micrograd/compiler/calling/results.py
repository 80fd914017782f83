"""What a compiled function returns: numbers in a structure, or in arrays of the caller.

>>> regular(Structure(list, (), (LEAF, LEAF)), np.array([1.0, 2.0]))
[1.0, 2.0]
>>> regular(Structure(np.ndarray, (2, 1)), np.array([1.0, 2.0])).tolist()
[[1.0], [2.0]]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from micrograd.engine.lines import line_of_user
from micrograd.transforms.structures import (
    LEAF,
    Structure,
    assembled,
    count_leaves,
    holds_arrays,
    placed,
    unflatten,
)


def regular(structure: Structure, numbers: Any) -> Any:
    """Return numbers, or rows of a batch, in a structure.

    Args:
        structure: the structure of one result; for an array, its shape.
        numbers: an array, which the result may share: a number for each leaf, or a row of one for
            each sample. A number becomes a float; in an array, the samples are along the first
            axis.
    """
    kind, keys, children = structure
    alone = numbers.ndim == 1
    if kind is None:
        return numbers.item() if alone else numbers[0]
    if is_array_like(structure):
        return numbers.reshape(keys) if alone else _samples_first(keys, numbers)
    if alone and children.count(LEAF) == len(children):
        parts = numbers.tolist()
    else:
        parts = [regular(child, numbers[leaves]) for child, leaves in placed(children)]
    if kind is list:
        return parts
    if kind is dict or issubclass(kind, defaultdict):  # which takes more than its entries
        return dict(zip(keys, parts, strict=True))
    return assembled(structure, parts)


def _samples_first(shape: Sequence[int], rows: Any) -> Any:
    return np.ascontiguousarray(rows.T).reshape(rows.shape[1], *shape)


def is_array_like(structure: Structure) -> bool:
    """Return whether this is an array."""
    kind = structure.kind
    return kind is np.ndarray or (kind is not None and holds_arrays(kind))


def copied(numbers: Any) -> Any:
    """Return a copy of numbers, or of rows of a batch, in which samples are read fast.

    Rows that are a multiple of some hundred bytes apart would share few places in the cache.
    """
    if numbers.ndim == 1:
        return numbers.copy()
    count, length = numbers.shape
    spare = LINE // numbers.itemsize if length * numbers.itemsize % (8 * LINE) == 0 else 0
    made = np.empty((count, length + spare), numbers.dtype)[:, :length]
    made[...] = numbers
    return made


def is_rearranged(structure: Structure, length: int) -> bool:
    """Return whether a result for a batch with this structure is a copy of rows of numbers."""
    return is_array_like(structure) and length > 1 and count_leaves(structure) > 1


LINE = 64  # bytes of a cache line


def batch(structure: Structure, columns: Any) -> Any:
    """Return rows of numbers as a batch of samples: the inverse of `batch_columns`.

    Args:
        structure: the structure of one sample.
        columns: an array with a row for each leaf and a column for each sample.

    >>> batch(Structure(list, (), (LEAF, LEAF)), np.array([[1.0, 3.0], [2.0, 4.0]]))
    [[1.0, 2.0], [3.0, 4.0]]
    """
    kind, keys, children = structure
    if kind is None:
        return columns[0]
    if issubclass(kind, dict):
        entries = zip(keys, placed(children), strict=True)
        return {key: batch(child, columns[leaves]) for key, (child, leaves) in entries}
    if is_array_like(structure):
        return _samples_first(keys, columns)
    if kind is type(None):
        return None
    return [unflatten(structure, sample) for sample in columns.T.tolist()]


def gradient(arguments: Sequence[tuple[Structure, slice]], adjoints: Any) -> Any:
    """Return the adjoints of all arguments in their structures: a tuple if there are several.

    Args:
        arguments: what `placed` returns: of each argument, or in a batch of one sample.
        adjoints: an array, which the result may share, with a number for each leaf, or in a batch
            with a row of one for each sample.
    """
    made = regular if adjoints.ndim == 1 else batch
    if len(arguments) == 1:
        return made(arguments[0][0], adjoints)
    return tuple([made(structure, adjoints[leaves]) for structure, leaves in arguments])


def gradients(
    arguments: Sequence[tuple[Structure, slice]], *, batched: bool
) -> Callable[[Any], Any]:
    """Return `gradient` for these arguments, which is prepared for arrays.

    Args:
        arguments: what `placed` returns.
        batched: whether the adjoints have a row for each leaf.
    """
    if batched or not all(is_array_like(structure) for structure, _ in arguments):
        return partial(gradient, arguments)
    parts = [(leaves, structure.keys) for structure, leaves in arguments]
    if len(parts) == 1:
        ((_, shape),) = parts
        return lambda adjoints: adjoints.reshape(shape)
    return lambda adjoints: tuple([adjoints[leaves].reshape(shape) for leaves, shape in parts])


# -------------------------------------------------------------------------- arrays of the caller


def store(parts: Sequence[tuple[Structure, slice]], numbers: Any, out: Any, what: str) -> Any:
    """Copy results to an array of the caller, or to several, and return what the caller gave.

    Args:
        parts: what `placed` returns for the structures of the results, which must be arrays.
        numbers: as the adjoints for `gradient`.
        out: an array, or for several structures a tuple or list of them.
        what: what an error calls the results, such as `"the value"`.

    Raises:
        TypeError: if something is not an array, or is of another precision.
        ValueError: if an array is of another shape, or is read-only.

    >>> out = np.zeros(2)
    >>> parts = placed([Structure(np.ndarray, (2,))])
    >>> store(parts, np.array([1.0, 3.0]), out, "the value") is out, out[1]
    (True, np.float64(3.0))
    """
    several = len(parts) != 1
    if several and (not isinstance(out, tuple | list) or len(out) != len(parts)):
        raise _refused(TypeError, f"takes {len(parts)} arrays, one for each argument", out)
    targets = out if several else (out,)
    for (structure, leaves), target in zip(parts, targets, strict=True):
        _check(structure, numbers[leaves], target, what)
    for (_, leaves), target in zip(parts, targets, strict=True):
        # The numbers of a sample come first among the axes of rows, and last among those wanted.
        target[...] = numbers[leaves].T.reshape(target.shape)
    return out


def _check(structure: Structure, rows: Any, target: Any, what: str) -> None:
    kind = structure.kind
    if kind is not None and not holds_arrays(kind):
        raise TypeError(
            f"out= is for arrays, and {what} is a {kind.__name__}: leave it out, or use an array"
            f"\n  at {line_of_user()}"
        )
    shape = (*rows.shape[1:], *structure.keys)
    if not isinstance(target, np.ndarray):
        raise _refused(TypeError, f"takes an array of shape {shape}", target)
    if target.shape != shape:
        raise _refused(ValueError, f"takes an array of shape {shape}", f"shape {target.shape}")
    if target.dtype != rows.dtype:
        raise _refused(TypeError, f"takes an array of {rows.dtype}", target.dtype)
    if not target.flags.writeable:
        raise _refused(ValueError, "takes an array to write to", "one that is read-only")


def _refused(error: type[Exception], takes: str, got: Any) -> Exception:
    if not isinstance(got, str | np.dtype):
        got = type(got).__name__
    return error(f"out= {takes}, got {got}\n  at {line_of_user()}")
