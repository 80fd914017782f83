"""Static arguments, whose values are fixed in a program, and keyword arguments.

A compiled function has a separate program for each combination of static arguments and keyword
names. In it, the static arguments are fixed, with None in their places, and the keyword arguments
come last.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import index
from typing import Any, NamedTuple, SupportsIndex

from micrograd.engine.lines import line_of_user

Static = SupportsIndex | str | Iterable[SupportsIndex | str]


class Bound(NamedTuple):
    """How a call is made: which arguments are fixed, and how the others are passed.

    Args:
        positional: the number of positional arguments.
        names: the names of keyword arguments that are numbers, in order.
        fixed: the static arguments: position or name, kind (see `_kind`) and value.
    """

    positional: int
    names: tuple[str, ...]
    fixed: tuple[tuple[int | str, Any, Any], ...]

    @property
    def differentiated(self) -> tuple[int, ...]:
        """The positions of arguments that are not static."""
        held = [place for place, _, _ in self.fixed]
        return tuple(i for i in range(self.positional) if i not in held)


def read_static(f: Callable[..., Any], static: Static) -> tuple[frozenset[int], frozenset[str]]:
    """Return the positions and the names of static arguments, each by both if they are known.

    Args:
        f: the function.
        static: a position or a name, or several of them. Negative positions count from the end of
            the signature.

    Raises:
        TypeError: if `static` contains anything else.
        ValueError: if the function has no such argument.

    >>> positions, names = read_static(lambda x, n: x**n, "n")
    >>> sorted(positions), sorted(names)
    ([1], ['n'])
    """
    alone = isinstance(static, str) or not isinstance(static, Iterable)
    entries: list[Any] = [static] if alone else [*static]  # type: ignore[misc]
    try:
        given = [each if isinstance(each, str) else index(each) for each in entries]
    except TypeError:
        raise TypeError(f"static takes positions and names, got {static!r}") from None
    if not given:
        return frozenset(), frozenset()
    try:
        parameters = [*inspect.signature(f).parameters.values()]
    except (TypeError, ValueError):  # some functions of C have no signature
        return (
            frozenset(each for each in given if not isinstance(each, str)),
            frozenset(each for each in given if isinstance(each, str)),
        )
    positional = [p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
    known = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    any_name = any(p.kind == p.VAR_KEYWORD for p in parameters)
    any_place = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    places: set[int] = set()
    names: set[str] = set()
    for each in given:
        if isinstance(each, str):
            if each not in known and not any_name:
                raise ValueError(f"static names {each!r}, but the function has no such argument")
            names.add(each)
            places.update(i for i, name in enumerate(positional) if name == each)
        else:
            if not -len(positional) <= each < len(positional) and not (any_place and each >= 0):
                raise ValueError(
                    f"static names argument {each}, but the function has no such argument"
                )
            place = each if each >= 0 else each + len(positional)
            places.add(place)
            names.update({*positional[place : place + 1]} & known)
    return frozenset(places), frozenset(names)


def bind(
    static: tuple[frozenset[int], frozenset[str]],
    args: Sequence[Any],
    keywords: Mapping[str, Any],
) -> tuple[Bound, tuple[Any, ...]]:
    """Return how a call is made, and the arguments of its program.

    Args:
        static: what `read_static` returns.
        args: the positional arguments.
        keywords: the keyword arguments.

    Raises:
        TypeError: if a static argument is not hashable.
    """
    places, names = static
    held: dict[int | str, Any] = {i: args[i] for i in sorted(places) if i < len(args)}
    held.update((name, keywords[name]) for name in sorted(names & {*keywords}))
    for place, value in held.items():
        _check_hashable(place, value)
    fixed = tuple((place, _kind(value), value) for place, value in held.items())
    numbers = {name: each for name, each in keywords.items() if name not in names}
    others = (None if i in places else each for i, each in enumerate(args))
    return Bound(len(args), tuple(numbers), fixed), (*others, *numbers.values())


def _kind(value: Any) -> Any:
    """Return a key that distinguishes equal values: 1, 1.0 and True, or 0.0 and -0.0.

    >>> _kind((1, True)) == _kind((1, True)), _kind((1, 0.0)) == _kind((1, -0.0))
    (True, False)
    """
    if isinstance(value, float | complex):
        return type(value), str(value)
    if isinstance(value, tuple):
        return type(value), tuple(map(_kind, value))
    if isinstance(value, frozenset):
        return type(value), frozenset((each, _kind(each)) for each in value)
    return type(value)


def _check_hashable(place: int | str, value: Any) -> None:
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            f"static argument {place!r} must be hashable, since there is a program for each "
            f"value, got {type(value).__name__}: give a tuple, for example\n  at {line_of_user()}"
        ) from None


def bound(program: Any, how: Bound) -> Callable[..., Any]:
    """Return the function of a program with its static arguments fixed.

    Args:
        program: a compiled function.
        how: how a call is made.
    """
    fixed = {place: value for place, _, value in how.fixed}
    named = {name: value for name, value in fixed.items() if isinstance(name, str)}

    def call(*args: Any) -> Any:
        positional = (fixed.get(i, each) for i, each in enumerate(args[: how.positional]))
        keywords = dict(zip(how.names, args[how.positional :], strict=True))
        return program.f(*positional, **keywords, **named)

    return call
