"""Arguments of a compiled function: nested numbers, or batches of them, as columns of numbers.

In a batch, an array has the samples along its first axis, a list has one entry for each sample, and
a dict has a batch under each key. What is left is the structure of one sample.

>>> columns, structure, length = batch_columns([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "x")
>>> columns.tolist(), length
([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]], 3)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd.compiler.calling.staging import REAL, is_on_devices
from micrograd.compiler.executor import OnDevices
from micrograd.engine.arrays import refuse_unusual
from micrograd.engine.foreign import refuse_traced
from micrograd.engine.lines import line_of_user
from micrograd.engine.value import Value, to_number
from micrograd.table.floats import to_float
from micrograd.transforms.structures import (
    LEAF,
    NONE,
    Structure,
    flatten,
    is_array,
)


def numbers(argument: Any, place: str) -> tuple[Any, Structure]:
    """Return the numbers of one argument and its structure.

    Args:
        argument: a number, an array, or nested lists, tuples and dicts of numbers.
        place: what error messages call the argument, such as `"argument 0"`.

    Raises:
        TypeError: if something in it is not a real number.

    >>> numbers({"a": 1, "b": [2.0, 3.0]}, "argument 0")[0].tolist()
    [1.0, 2.0, 3.0]
    """
    argument = _ours(argument, place)
    if is_array(argument):
        return _reals(argument, place).ravel(), Structure(type(argument), tuple(argument.shape))
    try:
        leaves, structure = flatten(argument)
    except TypeError as error:
        raise TypeError(f"{place}: {error}\n  at {line_of_user()}") from None
    if NONE in structure.children:
        _refuse_missing(structure, place)
    return np.array([_number(leaf, place) for leaf in leaves]), structure


def _refuse_missing(structure: Structure, place: str) -> None:
    """Raise TypeError for None among numbers, where it would be a missing number."""
    if structure.kind in (list, tuple) and LEAF in structure.children:
        raise TypeError(f"{place} takes real numbers, got None among them\n  at {line_of_user()}")


def _number(leaf: Any, place: str) -> float:
    """Return a number as a float; for anything else, raise a TypeError that says what to do."""
    if type(leaf) is float:
        return leaf
    leaf = _ours(leaf, place)
    try:
        return to_float(to_number(leaf, place))
    except TypeError as error:
        raise TypeError(f"{_reason(leaf, place, error)}\n  at {line_of_user()}") from None


def _reason(leaf: Any, place: str, error: TypeError) -> str:
    """Return why an argument is refused, and what to do."""
    if isinstance(leaf, complex) or getattr(leaf, "_is_traced", False):
        return str(error)
    got = f"{place} takes a real number, got {type(leaf).__name__}"
    if isinstance(leaf, Value):
        return f"{got}; give v.data, or name the Value among the parameters of compile"
    if hasattr(leaf, "__iter__") and not isinstance(leaf, str | bytes):
        return f"{got}; make a list of it with list(…), or an array"
    if isinstance(leaf, str | bytes):
        got = str(error)
    return f'{got}; name any other option among the static arguments: compile(f, static="option")'


_TABLES = frozenset({"pandas", "polars"})
_TENSORS = {"torch": ".detach().cpu().numpy()", "tensorflow": ".numpy()"}
_PLAIN = frozenset({float, int, list, tuple, dict, np.ndarray})


def _ours(argument: Any, place: str) -> Any:
    """Return an argument, with tables and columns of dataframes as arrays of NumPy.

    Raises TypeError for a tensor: its own gradient would silently stop here.
    """
    kind = type(argument)
    if kind in _PLAIN:
        return argument
    refuse_tensor(kind, place)
    if kind.__module__.partition(".")[0] in _TABLES and hasattr(argument, "to_numpy"):
        return argument.to_numpy()
    return argument


def refuse_tensor(kind: Any, place: str) -> None:
    """Raise TypeError if this is the type of tensors of a library, with how to convert them.

    Values that JAX traces are refused, too: `jax.grad` would silently find a gradient of 0.
    """
    library = kind.__module__.partition(".")[0]
    try:
        refuse_traced(kind, place)
    except TypeError as error:
        raise TypeError(f"{error}\n  at {line_of_user()}") from None
    if library in _TENSORS and hasattr(kind, "__array__"):
        raise TypeError(
            f"{place} takes real numbers or an array of them, got a {kind.__name__} of {library}: "
            f"give tensor{_TENSORS[library]}\n  at {line_of_user()}"
        )


def refuse_tensors(structure: Structure, place: str) -> None:
    """Raise TypeError if there are tensors within lists, tuples and dicts."""
    if structure.kind is not None:
        refuse_tensor(structure.kind, place)
    for child in structure.children:
        refuse_tensors(child, place)


def _reals(array: Any, place: str) -> Any:
    """Return an array of real numbers; raise TypeError if it holds something else."""
    try:
        refuse_unusual(array, place)
    except TypeError as error:
        raise TypeError(f"{error}\n  at {line_of_user()}") from None
    kind = getattr(array.dtype, "kind", "")  # keys of JAX have none
    if kind in REAL or is_on_devices(array):
        return np.asarray(array)
    if kind == "O":
        numbers = [_number(each, place) for each in array.ravel().tolist()]
        return np.array(numbers, float).reshape(array.shape)
    raise TypeError(
        f"{place} takes real numbers, got an array of {array.dtype}; convert it with "
        f".astype(float), or leave out the entries that are not numbers\n  at {line_of_user()}"
    )


def batch_columns(batch: Any, place: str) -> tuple[Any, Structure | None, int]:
    """Return the columns of a batch, the structure of one sample, and the number of samples.

    Args:
        batch: an array, a list or a dict, as described above.
        place: what error messages call the argument, such as `"argument 0"`.

    Returns:
        An array with a row for each leaf of a sample and a column for each sample; the structure,
        which is None for an empty list, since it does not say what a sample is; and the length.

    Raises:
        ValueError: if the samples differ in structure.
    """
    batch = _ours(batch, place)
    if batch is None:
        return np.zeros((0, 0)), NONE, 0
    if is_array(batch):
        length, *shape = batch.shape
        columns = _reals(batch, place).reshape(length, math.prod(shape)).T
        return columns, Structure(type(batch), tuple(shape)) if shape else LEAF, length
    if isinstance(batch, dict):
        return _dict_columns(batch, place)
    if not isinstance(batch, list | tuple):
        raise ValueError(
            f"{place} is not a batch: give an array or a list with one entry for each sample, "
            f"got {type(batch).__name__}"
        )
    if not batch:
        return np.zeros((0, 0)), None, 0
    if all(type(sample) in (float, int) for sample in batch):
        return np.array([[*map(to_float, batch)]]), LEAF, len(batch)
    samples = [numbers(sample, place) for sample in batch]
    structure = samples[0][1]
    for i, (_, other) in enumerate(samples):
        if other != structure:
            raise ValueError(f"{place}: sample {i} has a different structure from sample 0")
    return np.stack([row for row, _ in samples], axis=1), structure, len(batch)


def different_lengths(lengths: Sequence[int]) -> ValueError:
    """The error about arguments that are batches of these lengths."""
    return ValueError(
        f"the arguments are batches of different lengths: {[*lengths]}; for an argument that all "
        "samples share, give None in in_axes, as in compile(f, batched=True, in_axes=(None, 0))"
    )


def on_devices(argument: Any, *, batched: bool) -> tuple[Any, Structure, int] | None:
    """Return the same as `batch_columns` for an array on devices, which stays there; else None.

    Args:
        argument: an argument of any kind.
        batched: whether it is a batch; otherwise, the length is 1.
    """
    if not is_on_devices(argument) or argument.ndim < batched:
        return None
    shape = tuple(argument.shape[batched:])
    structure = LEAF if batched and not shape else Structure(type(argument), shape)
    columns = OnDevices(argument, batched=batched)
    return columns, structure, columns.shape[1] if batched else 1


def _dict_columns(batch: dict[Any, Any], place: str) -> tuple[Any, Structure | None, int]:
    parts = [batch_columns(each, f"{place}[{key!r}]") for key, each in batch.items()]
    lengths = {length for _, structure, length in parts if structure != NONE}
    if not lengths:
        raise ValueError(f"{place} is an empty dict, which does not say how many samples there are")
    if len(lengths) != 1:
        raise ValueError(f"{place} has batches of different lengths, {sorted(lengths)}")
    structures = [structure for _, structure, _ in parts]
    columns = np.concatenate([column for column, structure, _ in parts if structure != NONE])
    if None in structures:
        return columns, None, 0
    kept = tuple(structure for structure in structures if structure is not None)
    return columns, Structure(type(batch), tuple(batch), kept), lengths.pop()
