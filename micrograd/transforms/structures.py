"""Nested arguments: lists, tuples, dicts and NumPy arrays of numbers, flattened and rebuilt.

>>> leaves, structure = flatten({"w": [1.0, 2.0], "b": 3.0})
>>> leaves
[1.0, 2.0, 3.0]
>>> unflatten(structure, ["a", "b", "c"])
{'w': ['a', 'b'], 'b': 'c'}
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from numbers import Number
from typing import Any, NamedTuple

from micrograd.engine.arrays import as_traced, refuse_unusual
from micrograd.engine.graph import Node


class Structure(NamedTuple):
    """The structure of nested arguments; arguments of the same structure have equal ones."""

    kind: Any  # the type of a container, None for a leaf
    keys: tuple[Any, ...] = ()  # of a dict; the shape of an array
    children: tuple[Structure, ...] = ()


LEAF = Structure(None)


NONE = Structure(type(None))
"""The structure of None, which has no numbers."""


_registered: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {}


def register_structure(
    kind: type, take_apart: Callable[[Any], Any], put_together: Callable[[Any, Any], Any]
) -> None:
    """Let objects of a class be arguments and results of transforms, as lists and dicts are.

    Named tuples and dataclasses need no registration. None is a structure without numbers.

    Args:
        kind: the class.
        take_apart: a function from an object to a pair: its children, a sequence of numbers or
            structures, and whatever else it consists of, which must be hashable.
        put_together: a function from the second part of the pair and the children to an object.

    Raises:
        TypeError: `kind` is not a class, or is a class of numbers.

    >>> class Point:
    ...     def __init__(self, x, y):
    ...         self.x, self.y = x, y
    >>> register_structure(Point, lambda p: ((p.x, p.y), None), lambda _, xy: Point(*xy))
    >>> from micrograd import grad
    >>> grad(lambda p: p.x * p.y)(Point(2.0, 3.0)).x
    3.0
    """
    if not isinstance(kind, type) or issubclass(kind, Number | Node | str):
        raise TypeError(f"register_structure takes a class of structures, got {kind!r}")
    _registered[kind] = take_apart, put_together


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves from left to right, and the structure from which `unflatten` rebuilds the tree."""
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves.append)


def flatten_rows(entries: Any, name: str) -> tuple[list[list[Any]], Structure]:
    """The leaves of each entry of a list or an array, and the structure that all entries have.

    Args:
        entries: the entries.
        name: what an entry is called in the ValueError for entries of different structures.
    """
    if is_array(entries) and len(entries) and hasattr(entries, "reshape"):
        refuse_unusual(entries)
        structure = flatten(entries[0])[1]
        if structure == LEAF or structure.kind is type(entries):
            return entries.reshape(len(entries), -1).tolist(), structure
    found = [flatten(entry) for entry in entries]
    structure = found[0][1] if found else LEAF
    for k, (_, other) in enumerate(found):
        if other != structure:
            raise ValueError(f"{name} {k} has a different structure from {name.split()[-1]} 0")
    return [leaves for leaves, _ in found], structure


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """Rebuild a structure from leaves. An array of anything but floats has the dtype object.

    Of an iterator, as many leaves are taken as the structure has.
    """
    return _unflatten(structure, iter(leaves))


def _flatten(tree: Any, found: Callable[[Any], None]) -> Structure:
    kind = type(tree)
    if tree is None:
        return NONE
    if kind in _registered:
        children, rest = _registered[kind][0](tree)
        return Structure(kind, (rest,), tuple(_flatten(child, found) for child in children))
    if isinstance(tree, dict):
        children = tuple(_flatten(tree[key], found) for key in tree)
        return Structure(type(tree), tuple(tree), children)
    if isinstance(tree, list | tuple):
        return Structure(type(tree), (), tuple(_flatten(child, found) for child in tree))
    if is_array(tree):
        if kind.__name__ != "ndarray":
            refuse_unusual(tree)
        for leaf in tree.ravel().tolist():
            found(leaf)
        return Structure(type(tree), tuple(tree.shape))
    if getattr(tree, "shape", None) == () and _is_of_numpy(type(tree)):
        refuse_unusual(tree)
        tree = tree.item()  # an array without axes, as some functions of NumPy return
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = _fields(tree)
        children = tuple(_flatten(getattr(tree, name), found) for name in names)
        return Structure(type(tree), names, children)
    found(tree)
    return LEAF


def _fields(tree: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(tree) if field.init)


def _is_of_numpy(kind: type) -> bool:
    return any(each.__module__ == "numpy" for each in kind.__mro__)


def _unflatten(structure: Structure, leaves: Iterator[Any]) -> Any:
    kind, keys, children = structure
    if kind is None:
        return next(leaves)
    if holds_arrays(kind):
        return array([next(leaves) for _ in range(math.prod(keys))], keys)
    return assembled(structure, [_unflatten(child, leaves) for child in children])


def holds_arrays(kind: type) -> bool:
    """Whether structures of this kind are arrays and not containers of other structures."""
    if kind is type(None):
        return False
    is_container = issubclass(kind, dict | list | tuple) or kind in _registered
    return not is_container and not dataclasses.is_dataclass(kind)


def fields(structure: Structure) -> tuple[str, ...]:
    """The names of the fields if this is the structure of a dataclass that is not registered."""
    kind, keys, _ = structure
    return keys if dataclasses.is_dataclass(kind) and kind not in _registered else ()


def place(structure: Structure, number: int) -> str:
    """How a part of a container is written: `.x` for a field, `['a']` for a key, `[0]` else."""
    kind, keys, _ = structure
    names = () if kind in _registered else getattr(kind, "_fields", fields(structure))
    if names:
        return f".{names[number]}"
    is_dict = issubclass(kind, dict) and kind not in _registered
    return f"[{(keys[number] if is_dict else number)!r}]"


def assembled(structure: Structure, parts: list[Any]) -> Any:
    """The container of a structure, with these parts."""
    kind, keys, _ = structure
    if kind in _registered:
        return _registered[kind][1](keys[0], parts)
    if issubclass(kind, dict):
        made: dict[Any, Any] = dict(zip(keys, parts, strict=True))
        if kind is not dict:
            with suppress(Exception):  # a class such as OrderedDict; others may need something else
                whole = kind(made)
                if len(whole) == len(made) and all(whole[key] is made[key] for key in made):
                    return whole
        return made
    if issubclass(kind, list | tuple):
        return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    whole = kind(**dict(zip(keys, parts, strict=True)))
    for name, part in zip(keys, parts, strict=True):
        if getattr(whole, name) is not part:
            raise TypeError(
                f"{kind.__name__}.__post_init__ changes the field {name!r}, so gradients would be "
                "changed, too: tell micrograd.register_structure how to put the parts together"
            )
    return whole


def leaves_like(tree: Any, wanted: Structure) -> list[Any]:
    """The leaves of something with the keys and shapes of a structure, in the structure's order.

    Lists, tuples and arrays may stand for each other, and dicts may have another order.

    Raises:
        ValueError: keys, lengths or shapes differ.
    """
    kind, keys, children = wanted
    if kind is not None and issubclass(kind, dict) and kind not in _registered:
        if not isinstance(tree, dict) or set(tree) != set(keys):
            raise ValueError(f"a dict with the keys {list(keys)} is needed")
        pairs = [(tree[key], child) for key, child in zip(keys, children, strict=True)]
    elif is_regular(wanted):
        leaves, found = flatten(tree)
        if not is_regular(found) or shape(found) != shape(wanted):
            needed = f"numbers of shape {shape(wanted)} are" if kind else "one number is"
            raise ValueError(f"{needed} needed")
        return leaves
    elif kind is not None and issubclass(kind, list | tuple) and kind not in _registered:
        if not isinstance(tree, list | tuple) or len(tree) != len(children):
            raise ValueError(f"a {kind.__name__} of {len(children)} parts is needed")
        pairs = [*zip(tree, children, strict=True)]
    else:
        leaves, found = flatten(tree)
        if found != wanted:
            raise ValueError(f"a {kind.__name__} of the same structure is needed")
        return leaves
    return [leaf for part, child in pairs for leaf in leaves_like(part, child)]


def leaves_for(tree: Any, wanted: Structure, place: str, whole: str) -> list[Any]:
    """`leaves_like`, with an error that names what was given and what it should be like.

    Args:
        tree: what was given, such as a tangent.
        wanted: the structure that it needs.
        place: what the error calls what was given.
        whole: what the error calls the thing with the wanted structure.
    """
    try:
        return leaves_like(tree, wanted)
    except ValueError as error:
        raise ValueError(f"{place} has a different structure from {whole}: {error}") from None


def map_regular(structure: Structure, start: int, f: Callable[[Structure, int], Any]) -> Any:
    """A structure with something in place of each part of it that has a shape.

    Args:
        structure: the structure.
        start: the number of its first leaf.
        f: a function of a part, and of the number of its first leaf.
    """
    if is_regular(structure):
        return f(structure, start)
    inner = placed(structure.children, start)
    return assembled(structure, [map_regular(child, each.start, f) for child, each in inner])


def is_regular(structure: Structure) -> bool:
    """Whether the structure is a number, regular nested lists or tuples, or an array."""
    try:
        shape(structure)
    except ValueError:
        return False
    return True


def is_tuple(tree: Any) -> bool:
    """Whether this is a plain tuple, such as several arguments, and not a structure of its own."""
    return (
        isinstance(tree, tuple) and not hasattr(tree, "_fields") and type(tree) not in _registered
    )


def parts(tree: Any) -> tuple[dict[Any, Any], Structure] | None:
    """The parts of a container by their keys, and what `assembled` needs to put others together.

    The parts of a dataclass have the names of the fields, those of lists and tuples numbers. The
    result is None if `tree` is not a container.
    """
    kind = type(tree)
    if kind in _registered:
        taken, rest = _registered[kind][0](tree)
        return dict(enumerate(taken)), Structure(kind, (rest,))
    if isinstance(tree, Mapping):
        return dict(tree), Structure(kind if isinstance(tree, dict) else dict, tuple(tree))
    if isinstance(tree, list | tuple):
        return dict(enumerate(tree)), Structure(kind)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = _fields(tree)
        return {name: getattr(tree, name) for name in names}, Structure(kind, names)
    return None


def is_array(tree: Any) -> bool:
    """Whether this is a NumPy array with axes, found out without importing NumPy."""
    if isinstance(tree, dict):  # whose entries may be attributes
        return False
    return bool(getattr(tree, "shape", ())) and hasattr(tree, "ravel")


def array(numbers: Sequence[Any], shape: Sequence[int]) -> Any:
    """A NumPy array, of dtype object unless all are floats, or all of another plain kind."""
    import numpy as np

    kinds = {type(number) for number in numbers} or {float}
    kind = next(iter(kinds)) if len(kinds) == 1 else object
    made = np.empty(len(numbers), dtype=kind if kind in (float, bool) else object)
    made[:] = numbers
    if kind in (int, str):
        with suppress(OverflowError):  # an int may be too large
            made = made.astype(kind)
    return as_traced(made.reshape(tuple(shape)), kinds)


def shape(structure: Structure) -> tuple[int, ...]:
    """The shape of regular nested lists or of an array; ValueError if the lists are not regular."""
    kind, keys, children = structure
    if kind is None:
        return ()
    if issubclass(kind, list | tuple) or holds_arrays(kind):
        inner = {shape(child) for child in children}
        if not children:
            return tuple(keys) or (0,)
        if len(inner) == 1:
            return (len(children), *inner.pop())
    raise ValueError(
        "an array of derivatives needs a number or a regular list of numbers; "
        "use grad, which keeps any structure"
    )


def placed(structures: Iterable[Structure], start: int = 0) -> list[tuple[Structure, slice]]:
    """Several structures, each with the slice of its leaves among all leaves.

    >>> placed([LEAF, Structure(list, (), (LEAF, LEAF))])[1][1]
    slice(1, 3, None)
    """
    found = []
    for structure in structures:
        stop = start + (1 if structure is LEAF else count_leaves(structure))
        found.append((structure, slice(start, stop)))
        start = stop
    return found


def count_leaves(structure: Structure) -> int:
    """The number of leaves."""
    if structure.kind is None:
        return 1
    if not holds_arrays(structure.kind):
        return sum(map(count_leaves, structure.children))
    return math.prod(structure.keys)
