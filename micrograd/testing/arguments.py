"""Arguments of functions outside the engine: trees of numbers and arrays as one flat array.

The arrays may be those of NumPy, JAX or PyTorch. None of these is imported: an array that is given
says how to make another one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine.arrays import refuse_unusual
from micrograd.testing.recording import parameter_names
from micrograd.transforms.structures import assembled, parts, place


class Leaf(NamedTuple):
    """A number or an array among the arguments: its name, its place, and where its entries are."""

    name: str
    path: tuple[Any, ...]
    original: Any
    shape: tuple[int, ...]
    entries: slice


def library(thing: Any) -> str:
    """The name of the package that the type of something is from."""
    return type(thing).__module__.partition(".")[0]


def to_array(thing: Any) -> np.ndarray:
    """A number, or an array of any library, as an array of NumPy."""
    if type(thing) is np.ndarray and thing.dtype.char in "fd":  # most are
        return thing
    if library(thing) == "torch":
        thing = thing.detach().cpu()
        return np.asarray(thing if thing.dtype.itemsize > 2 else thing.float())
    refuse_unusual(thing)
    return np.asarray(thing)


def like(original: Any, array: np.ndarray) -> Any:
    """An array in the type of the original."""
    if isinstance(original, np.generic | np.ndarray):
        found = array.astype(array.dtype if array.dtype.kind == "c" else original.dtype)
        return found if isinstance(original, np.ndarray) else found[()]
    if library(original) == "torch":
        return original.new_tensor(array.copy(), requires_grad=original.requires_grad)
    if library(original) in ("jax", "jaxlib"):
        return sys.modules["jax"].numpy.asarray(array, original.dtype)
    return array.item() if array.ndim == 0 else array


def flatten(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The numbers, arrays and whatever else is in a tree, with their places."""
    taken = parts(tree)
    if taken is None:
        yield path, tree
        return
    for key, part in taken[0].items():
        yield from flatten(part, (*path, key))


def replaced(tree: Any, new: Mapping[tuple[Any, ...], Any], path: tuple[Any, ...] = ()) -> Any:
    """The tree with other things at some places."""
    if path in new:
        return new[path]
    taken = parts(tree)
    if taken is None:
        return tree
    found, structure = taken
    made = [replaced(part, new, (*path, key)) for key, part in found.items()]
    return assembled(structure, made)


def _name(tree: Any, path: tuple[Any, ...]) -> str:
    """How a place in a tree is written, such as `.w[0]`."""
    taken = parts(tree) if path else None
    if taken is None:
        return ""
    found, structure = taken
    return place(structure, [*found].index(path[0])) + _name(found[path[0]], path[1:])


def _is_variable(thing: Any, with_whole: bool) -> bool:
    """Whether it is a number or an array of numbers with a fraction."""
    if isinstance(thing, bool | str | bytes) or thing is None or callable(thing):
        return False
    if isinstance(thing, int):
        return with_whole
    if isinstance(thing, float):
        return True
    dtype = str(getattr(thing, "dtype", "")).rpartition(".")[2]  # "torch.float32"
    return dtype.startswith(("float", "bfloat"))


class Arguments:
    """The arguments of a function, and the flat array of the numbers that vary.

    Arrays of integers, labels for instance, and whatever is not a number are constants.

    Args:
        f: the function, for the names of its parameters.
        at: the arguments.
        with_whole: whether numbers of Python that are whole vary, too.
    """

    def __init__(self, f: Callable[..., Any], at: tuple[Any, ...], with_whole: bool) -> None:
        self.at, self.names = at, parameter_names(f, len(at))
        self.leaves: list[Leaf] = []
        self._constants: list[tuple[tuple[Any, ...], np.ndarray]] = []
        start, numbers = 0, []
        for path, thing in flatten(at):
            if _is_variable(thing, with_whole):
                array = to_array(thing)
                entries = slice(start, start + array.size)
                name = self.names[path[0]] + _name(at[path[0]], path[1:])
                self.leaves.append(Leaf(name, path, thing, array.shape, entries))
                numbers.append(array.astype(float).ravel())
                start += array.size
            elif isinstance(thing, np.ndarray):
                self._constants.append((path, thing))
        self.x = np.concatenate(numbers) if numbers else np.zeros(0)
        varying = {leaf.path[0] for leaf in self.leaves}
        self.varying = [index for index in range(len(at)) if index in varying]
        self.is_numpy = all(library(leaf.original) in ("numpy", "builtins") for leaf in self.leaves)
        self.itemsize = min([8, *(to_array(leaf.original).dtype.itemsize for leaf in self.leaves)])

    def build(self, flat: np.ndarray) -> tuple[Any, ...]:
        """The arguments with other numbers. Constants that are arrays are copied."""
        new = {
            leaf.path: like(leaf.original, flat[leaf.entries].reshape(leaf.shape))
            for leaf in self.leaves
        }
        new |= {path: array.copy() for path, array in self._constants}
        return tuple(replaced(self.at, new))


def is_array(thing: Any) -> bool:
    """Whether it is an array of some library."""
    return hasattr(thing, "dtype") and hasattr(thing, "shape")


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are the same, with nan equal to nan."""
    return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=True))


def positional(f: Callable[..., Any]) -> int | None:
    """How many arguments a function needs; None if it cannot be told."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is p.empty for p in parameters)
