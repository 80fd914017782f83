"""What a compiled function is differentiated with respect to: arguments, and its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, SupportsIndex

import numpy as np

from micrograd.compiler.tracing.tracer import refuse_programs_of, tracing
from micrograd.engine.graph import order
from micrograd.engine.value import Value
from micrograd.transforms.runs import Function, Run, read_argnums, resolve_argnums
from micrograd.transforms.structures import (
    LEAF,
    Structure,
    count_leaves,
    flatten,
    is_regular,
    leaves_for,
    shape,
)

PARAMETERS = "parameters"
"""Stands for the parameters among positions of arguments."""

Target = SupportsIndex | str
Targets = Target | Iterable[Target]


class Parameters(NamedTuple):
    """The parameters of a compiled function.

    Args:
        values: the Values.
        structure: how they were nested; None for a flat sequence, whose gradient is an array.
    """

    values: list[Value]
    structure: Structure | None

    @property
    def shape(self) -> Structure:
        """The structure of a gradient with respect to the parameters."""
        return self.structure or Structure(np.ndarray, (len(self.values),))

    def leaves(self, given: Any) -> list[Any]:
        """Return the numbers of parameters in the structure of these, or one after the other."""
        leaves, found = flatten(given)
        if is_regular(found) and shape(found) == (len(self.values),):
            return leaves
        return leaves_for(given, self.shape, "parameters", "those of compile")


def read_parameters(given: Any) -> Parameters:
    """Return the Values in what was given as parameters, and how they are nested.

    Args:
        given: Values, one after the other or in any structure; or a model, whose Values have names.

    Raises:
        TypeError: if something in it is not a Value.
        ValueError: if a Value is in it twice.

    >>> w, b = Value(1.0), Value(2.0)
    >>> read_parameters([w, b]).structure is None
    True
    >>> read_parameters({"w": [w], "b": b}).structure.keys
    ('w', 'b')
    """
    with tracing:  # meanwhile, no other thread traces with these Values
        return _read_parameters(given)


def _read_parameters(given: Any) -> Parameters:
    structure: Structure | None
    if hasattr(given, "named_parameters"):
        named = dict(given.named_parameters())
        held = [*named.values()]
        structure = Structure(dict, tuple(named), (LEAF,) * len(named))
    else:
        entries = [*given] if isinstance(given, Iterable) else None
        if entries is None or _is_nested(given, entries):
            held, structure = flatten(given)
        else:
            held, structure = entries, None
    refuse_programs_of(held)
    if {*map(type, held)} - {Value}:
        i, kind = next((i, type(each)) for i, each in enumerate(held) if type(each) is not Value)
        raise TypeError(f"parameters are Values, got {kind.__name__} at position {i}")
    if len({*held}) < len(held):
        raise ValueError("a parameter is given twice")
    return Parameters(held, structure)


def _is_nested(given: Any, entries: Sequence[Any]) -> bool:
    if {*map(type, entries)} <= {Value}:
        return False
    if isinstance(given, dict):
        return not all(isinstance(each, Value) for each in entries)
    others = (each for each in entries if type(each) is not Value)
    return any(isinstance(each, dict | list | tuple) or np.ndim(each) for each in others)


def read_targets(
    argnums: Targets, count: int, parameters: Sequence[Value]
) -> tuple[tuple[Any, ...], bool]:
    """Return what `argnums` names, with positions from the first, and whether it is a single one.

    Args:
        argnums: positions of arguments and `"parameters"`.
        count: the number of arguments.
        parameters: the parameters of the function.

    Raises:
        TypeError: it names something else.
        ValueError: a position is out of range, a target is named twice, or the parameters of a
            function without parameters are named.

    >>> read_targets(-1, 2, []), read_targets(("parameters", 1), 2, [Value(1.0)])
    (((1,), True), (('parameters', 1), False))
    """
    if type(argnums) is int and 0 <= argnums < count:
        return (argnums,), True
    targets, single = _read(argnums)
    if PARAMETERS in targets and not parameters:
        raise ValueError(
            f"argnums names {PARAMETERS!r}, but the function was compiled without parameters"
        )
    places = iter(resolve_argnums(tuple(each for each in targets if each != PARAMETERS), count))
    return tuple(each if each == PARAMETERS else next(places) for each in targets), single


def _read(argnums: Targets) -> tuple[tuple[Any, ...], bool]:
    if isinstance(argnums, str):
        if argnums != PARAMETERS:
            raise TypeError(f"argnums takes ints and {PARAMETERS!r}, got {argnums!r}")
        return (PARAMETERS,), True
    if isinstance(argnums, Iterable) and getattr(argnums, "shape", None) != ():
        found = tuple(_read(each)[0][0] for each in argnums)
        if found.count(PARAMETERS) > 1:
            raise ValueError("argnums names the parameters twice")
        return found, False
    return read_argnums(argnums)  # type: ignore[arg-type]


def run(f: Function, args: Sequence[Any], targets: Sequence[Any], parameters: Parameters) -> Run:
    """Run a traced function on new variables for some arguments, and on its parameters.

    Args:
        f: the function.
        args: its arguments.
        targets: what it will be differentiated with respect to, as `read_targets` returns it.
        parameters: the parameters of the program that is being made, which are traced values now.
    """
    made = Run(f, args, tuple(each for each in targets if each != PARAMETERS))
    if PARAMETERS in targets:
        place = targets.index(PARAMETERS)
        first = sum(map(count_leaves, made.structures[:place]))
        made.variables[first:first] = parameters.values
        made.structures.insert(place, parameters.shape)
        made.symbolic = True
        roots = [each for each in made.outputs if isinstance(each, Value)]
        made.nodes = order(roots, until=made.variables)
    return made
