"""Parts of a scene that a reader asks for: the paths between two values, what is near a value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from micrograd.drawing.scene import Scene
from micrograd.engine.value import Value
from micrograd.writing.labels import shortened
from micrograd.writing.numbers import number

_PATHS = "path is a Value, a pair of Values such as (x, loss), or a list of these"


def called(value: Value, names: Mapping[int, str]) -> str:
    """How a message speaks of a value: by its label, its variable or its number."""
    name = value.label or names.get(id(value), "")
    return repr(shortened(str(name))) if name else f"Value({number(value.data)})"


def paths(scene: Scene, path: Any, names: Mapping[int, str]) -> list[set[Value]]:
    """For each pair (x, L) that is asked for, all that lies on a way from x up to L.

    Raises TypeError if it is no path, ValueError where x is not below L.
    """
    asked: list[Any] = [path] if isinstance(path, Value) or _is_pair(path) else []
    if not asked:
        if isinstance(path, str) or not isinstance(path, Iterable):
            raise TypeError(f"{_PATHS}, got {type(path).__name__}")
        asked = list(path)
    for each in asked:
        if not isinstance(each, Value) and not _is_pair(each):
            raise TypeError(f"{_PATHS}, got {type(each).__name__} in it")
    ways = [
        (each, scene.roots) if isinstance(each, Value) else (each[0], each[1:]) for each in asked
    ]
    return [_between(scene, x, ends, names) for x, ends in ways]


def _is_pair(thing: Any) -> bool:
    return (
        isinstance(thing, tuple)
        and len(thing) == 2
        and all(isinstance(each, Value) for each in thing)
    )


def _between(
    scene: Scene, x: Value, ends: Collection[Value], names: Mapping[int, str]
) -> set[Value]:
    reached = set(scene.places(x)) & set(scene.shown)
    for value in scene.shown:
        if any(link.tail in reached for link in scene.links(value)):
            reached.add(value)
    below = {place for end in ends for place in scene.places(end)} & reached
    if not below:
        one = " or ".join(called(end, names) for end in ends)
        raise ValueError(f"path: {called(x, names)} is not below {one}, so nothing leads there")
    for value in reversed(scene.shown):
        if value in below:
            below.update(link.tail for link in scene.links(value) if link.tail in reached)
    return below


def neighbourhood(
    scene: Scene, focus: Any, radius: Any, names: Mapping[int, str], consumers: Consumers
) -> set[Value]:
    """What is at most `radius` operations below or above the value in focus.

    Raises ValueError if that value is not in the scene or the radius is no whole number from 0.
    """
    if not isinstance(focus, Value):
        raise TypeError(f"focus is a Value, got {type(focus).__name__}")
    if type(radius) is not int or radius < 0:
        raise ValueError(f"radius is a number of operations, 0 or more, got {radius!r}")
    centre = set(scene.places(focus)) & consumers.keys()
    if not centre:
        raise ValueError(f"focus: {called(focus, names)} is not in this graph")
    near = set(centre)
    for step in (lambda v: (link.tail for link in scene.links(v)), consumers.__getitem__):
        edge, seen = centre, set(centre)
        for _ in range(radius):
            edge = {each for value in edge for each in step(value)} - seen
            if not edge:
                break
            seen |= edge
        near |= seen
    return near


Consumers = Mapping[Value, Collection[Value]]


def consumers(scene: Scene) -> dict[Value, list[Value]]:
    """For each value of the scene the values that use it: as often as they do, in order."""
    found: dict[Value, list[Value]] = {value: [] for value in scene.shown}
    for value in scene.shown:
        for link in scene.links(value):
            found[link.tail].append(value)
    return found
