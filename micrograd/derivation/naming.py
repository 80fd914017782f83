"""Names of values: their labels, the caller's variables, or v₁, v₂ and so on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from micrograd.engine.value import Value
from micrograd.writing.notation import Name, named

_DEEPEST = 4  # levels of nested lists that are searched for Values


def variable_names(names: Mapping[str, Any] | None) -> dict[int, str]:
    """The name of each Value in a mapping such as `locals()`, by the id of the Value.

    Values within lists, tuples and dicts are called `w[0]` or `w['b']`. A Value with several names
    has the first of them. Names that begin with an underscore are skipped, because a notebook has
    many that the user did not choose.

    Raises:
        TypeError: if `names` is not a mapping.
    """
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        raise TypeError(
            f"names is a mapping from names to Values, such as locals(), got {type(names).__name__}"
        )
    found: dict[int, str] = {}
    for name, thing in list(names.items()):
        if isinstance(name, str) and not name.startswith("_"):
            for text, value in _values(name, thing, _DEEPEST):
                found.setdefault(id(value), text)
    return found


def _values(name: str, thing: Any, levels: int) -> Iterator[tuple[str, Value]]:
    if isinstance(thing, Value):
        yield name, thing
    elif levels and isinstance(thing, list | tuple):
        for i, each in enumerate(thing):
            yield from _values(f"{name}[{i}]", each, levels - 1)
    elif levels and isinstance(thing, dict):
        for key, each in thing.items():
            yield from _values(f"{name}[{key!r}]", each, levels - 1)


def name_values(nodes: Sequence[Value], variables: Mapping[int, str]) -> dict[Value, Name]:
    """A name for each value; `nodes` are in topological order.

    A label is used first, then the caller's variable, then v₁, v₂, … in order. A name that occurs
    again is numbered: x, x⁽²⁾, x⁽³⁾.
    """
    chosen: dict[Value, Name] = {}
    taken: set[Any] = set()  # names must differ as text and as marks
    for node in nodes:
        label = label_of(node)
        name = plain = named(label if label.strip() else variables.get(id(node), ""))
        if name.text.strip():
            times = 1
            while name.text in taken or name.mark in taken:
                times += 1
                name = plain.numbered(times)
            taken |= {name.text, name.mark}
            chosen[node] = name
    number = 0
    for node in nodes:
        if node not in chosen:
            number += 1
            while named(f"v{number}").text in taken:
                number += 1
            chosen[node] = named(f"v{number}")
    return chosen


def label_of(node: Value) -> str:
    """The label as text, whatever type it was set to."""
    if node.label is None:
        return ""
    try:
        return str(node.label)
    except Exception:
        return f"<{type(node.label).__name__}>"
