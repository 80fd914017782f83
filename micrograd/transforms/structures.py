"""Nested arguments: lists, tuples, dicts and NumPy arrays of numbers, flattened and rebuilt.

>>> leaves, structure = flatten({"w": [1.0, 2.0], "b": 3.0})
>>> leaves
[1.0, 2.0, 3.0]
>>> unflatten(structure, ["a", "b", "c"])
{'w': ['a', 'b'], 'b': 'c'}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple


class Structure(NamedTuple):
    """The structure of nested arguments; arguments of the same structure have equal ones."""

    kind: Any  # the type of a container, None for a leaf
    keys: tuple[Any, ...] = ()  # of a dict; the shape of an array
    children: tuple[Structure, ...] = ()


LEAF = Structure(None)


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves from left to right, and the structure from which `unflatten` rebuilds the tree."""
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves.append)


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """Rebuild a structure from leaves. An array of anything but floats has the dtype object."""
    return _unflatten(structure, iter(leaves))


def _flatten(tree: Any, found: Callable[[Any], None]) -> Structure:
    if isinstance(tree, dict):
        children = tuple(_flatten(tree[key], found) for key in tree)
        return Structure(type(tree), tuple(tree), children)
    if isinstance(tree, list | tuple):
        return Structure(type(tree), (), tuple(_flatten(child, found) for child in tree))
    if is_array(tree):
        for leaf in tree.ravel().tolist():
            found(leaf)
        return Structure(type(tree), tuple(tree.shape))
    found(tree)
    return LEAF


def _unflatten(structure: Structure, leaves: Iterator[Any]) -> Any:
    kind, keys, children = structure
    if kind is None:
        return next(leaves)
    if issubclass(kind, dict):
        return {key: _unflatten(child, leaves) for key, child in zip(keys, children, strict=True)}
    if issubclass(kind, list | tuple):
        parts = [_unflatten(child, leaves) for child in children]
        return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    return array([next(leaves) for _ in range(_size(keys))], keys)


def is_array(tree: Any) -> bool:
    """Whether this is a NumPy array with axes, found out without importing NumPy."""
    return bool(getattr(tree, "shape", ())) and hasattr(tree, "ravel")


def array(numbers: Sequence[Any], shape: Sequence[int]) -> Any:
    """A NumPy array of numbers, of dtype object unless all of them are floats."""
    import numpy as np

    kind = float if all(type(number) is float for number in numbers) else object
    made = np.empty(len(numbers), dtype=kind)
    made[:] = numbers
    return made.reshape(tuple(shape))


def shape(structure: Structure) -> tuple[int, ...]:
    """The shape of regular nested lists or of an array; ValueError if the lists are not regular."""
    kind, keys, children = structure
    if kind is None:
        return ()
    if not issubclass(kind, dict):
        inner = {shape(child) for child in children}
        if not children:
            return tuple(keys) or (0,)
        if len(inner) == 1:
            return (len(children), *inner.pop())
    raise ValueError(
        "an array of derivatives needs a number or a regular list of numbers; "
        "use grad, which keeps any structure"
    )


def count_leaves(structure: Structure) -> int:
    """The number of leaves."""
    if structure.kind is None:
        return 1
    if structure.children or not structure.keys or issubclass(structure.kind, dict):
        return sum(map(count_leaves, structure.children))
    return _size(structure.keys)


def _size(shape: Sequence[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
