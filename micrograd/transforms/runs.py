"""`Run`: a function run on variables of its own, which a transform then differentiates."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from operator import index
from typing import Any, SupportsIndex

from micrograd.engine import numpy_functions
from micrograd.engine.graph import is_alias, is_leaf, order
from micrograd.engine.value import Value, to_number
from micrograd.table.floats import to_float
from micrograd.transforms import propagation
from micrograd.transforms.propagation import Scalar
from micrograd.transforms.structures import (
    Structure,
    array,
    count_leaves,
    flatten,
    leaves_for,
    map_regular,
    placed,
    shape,
    unflatten,
)

Function = Callable[..., Any]
Argnums = SupportsIndex | Iterable[SupportsIndex]


class _Running(threading.local):
    depth = 0


_running = _Running()
_active: set[int] = set()  # the runs, of all threads, whose functions are running now
_numbers = count()


class Run:
    """One run of a function on new variables, and the graph between them and the outputs.

    Adjoints and tangents are Values if an argument is a Value, or if the function uses a variable
    of an enclosing run, in this thread or in another; otherwise they are floats.
    """

    def __init__(
        self,
        f: Function,
        args: Sequence[Any],
        chosen: Sequence[int] | None = None,
        options: dict[str, Any] | None = None,
        *,
        has_aux: bool = False,
    ) -> None:
        if not callable(f):
            raise TypeError(_not_a_function(f))
        self.chosen = tuple(range(len(args))) if chosen is None else chosen
        self.structures: list[Structure] = []
        self.variables: list[Value] = []
        self.symbolic = False
        self.inner = _running.depth > 0
        self.number = next(_numbers)
        args = list(args)
        for number in self.chosen:
            leaves, structure = flatten(args[number])
            variables = [self._variable(leaf, f"argument {number}") for leaf in leaves]
            args[number] = unflatten(structure, variables)
            self.structures.append(structure)
            self.variables += variables
        with self._running():
            try:
                result = f(*args, **(options or {}))
            except (TypeError, AttributeError, ValueError) as error:
                if text := numpy_functions.explanation(error):
                    raise TypeError(text) from error
                raise
        self._aux, self._has_aux = None, has_aux
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"has_aux=True: the function returns a pair, got {result!r}")
            result, self._aux = result
        if result is None:
            scalar(result, "the result of the function")  # says that a return is missing
        self.outputs, self.output_structure = flatten(result)
        for output in self.outputs:
            scalar(output, "the result of the function")
        roots = [output for output in self.outputs if isinstance(output, Value)]
        self.nodes = order(roots, until=self.variables)
        self.symbolic |= any(root._is_traced for root in roots)
        self.symbolic |= bool(_active) and any(map(is_varied, self.nodes))

    @contextmanager
    def _running(self) -> Iterator[None]:
        _running.depth += 1
        _active.add(self.number)
        try:
            yield
        finally:
            _active.discard(self.number)
            _running.depth -= 1

    def _variable(self, leaf: Any, place: str) -> Value:
        """A new variable; an alias of the argument if that is a Value."""
        if isinstance(leaf, Value):
            self.symbolic = True
            made = leaf._alias()
        else:
            made = Value(to_number(leaf, place))
        made._run = self.number  # type: ignore[attr-defined]
        return made

    def single_output(self, name: str) -> Scalar:
        """The one number that the function returned; TypeError if it returned several."""
        if len(self.outputs) != 1 or self.output_structure.kind is not None:
            raise TypeError(
                f"{name} needs a function whose result is one number, got "
                f"{self.output_structure.kind.__name__} of {len(self.outputs)}; use jacobian"
            )
        output: Scalar = self.outputs[0]
        return output

    # ----------------------------------------------------------------------- interpreting the graph

    def pull(self, seeds: dict[Value, Any]) -> list[Scalar]:
        """The adjoints of the variables for adjoints of the outputs."""
        self.symbolic |= any(isinstance(seed, Value) for seed in seeds.values())
        if self.symbolic:
            return propagation.pull(self.nodes, self.variables, seeds)
        return [*propagation.pull_numbers(self.nodes, self.variables, seeds)]

    def push(self, tangents: dict[Value, Any]) -> list[Scalar]:
        """The tangents of the outputs for tangents of the variables."""
        self.symbolic |= any(isinstance(tangent, Value) for tangent in tangents.values())
        return propagation.push(self.nodes, self.outputs, tangents, symbolic=self.symbolic)

    def gradient(self, output: Scalar) -> list[Any]:
        """The derivatives of one of the outputs, with a part for each chosen argument."""
        return self.in_structure(self.pull({output: 1.0} if isinstance(output, Value) else {}))

    def blocks(
        self, structures: Sequence[Structure], *, forward: bool | None = None
    ) -> tuple[tuple[Any, ...], ...]:
        """Derivatives: one row for each structure among the outputs, and in it one entry for each
        argument.

        An entry is an array if both are numbers, regular lists or arrays. Otherwise it has the
        structure of the output, with the structure of the argument in place of each array in it.
        """
        columns = self._columns(forward)

        def block(rows: Structure, above: int, across: Structure, left: int) -> Any:
            part = columns[left : left + count_leaves(across)]
            height = range(above, above + count_leaves(rows))
            entries = [self.result(column[i]) for i in height for column in part]
            return array(entries, (*shape(rows), *shape(across)))

        return blocks(structures, self.structures, block)

    def _columns(self, forward: bool | None) -> list[Sequence[Scalar]]:
        """The derivatives of all outputs, for each variable in turn.

        By default, the forward mode is used if there are fewer variables than outputs.
        """
        if forward is None:
            forward = len(self.variables) < len(self.outputs)
        if forward:
            return [self.push({variable: 1.0}) for variable in self.variables]
        seeds = [{x: 1.0} if isinstance(x, Value) else {} for x in self.outputs]
        return [*zip(*(self.pull(seed) for seed in seeds), strict=True)]

    # ------------------------------------------------------------------------- handing results back

    def as_leaves(self, args: Sequence[Any], place: str) -> list[Scalar]:
        """The numbers of tangents, one for each argument and with its structure."""
        if len(args) != len(self.structures):
            raise ValueError(
                f"the {place}s have a different structure from the arguments: "
                f"{len(self.structures)} are needed, got {len(args)}"
            )
        found = [
            leaves_for(arg, structure, f"{place} {i}", "the argument")
            for i, (arg, structure) in enumerate(zip(args, self.structures, strict=True))
        ]
        return [scalar(leaf, place) for leaves in found for leaf in leaves]

    def in_structure(self, leaves: Sequence[Scalar]) -> list[Any]:
        """One part for each chosen argument, in its structure."""
        rest = iter([self.result(leaf) for leaf in leaves])
        return [unflatten(structure, rest) for structure in self.structures]

    def aux(self) -> Any:
        """What the function returned beside its result, with numbers in place of Values."""
        leaves, structure = flatten(self._aux)
        return unflatten(structure, [self.result(x) if isinstance(x, Value) else x for x in leaves])

    def with_value(self, derivative: Any) -> tuple[Any, ...]:
        """The value, a derivative and, with `has_aux`, what the function returned beside."""
        found = (self.outputs_as(self.outputs), derivative)
        return (*found, self.aux()) if self._has_aux else found

    def outputs_as(self, leaves: Sequence[Scalar]) -> Any:
        """Results, one per output, in the structure of the outputs."""
        return unflatten(self.output_structure, [self.result(leaf) for leaf in leaves])

    def result(self, number: Scalar) -> Scalar:
        """A Value where it may be differentiated again or inside another run; else a float."""
        if self.symbolic or self.inner:
            return number if isinstance(number, Value) else Value(number)
        return number.data if isinstance(number, Value) else to_float(number)


def blocks(
    structures: Sequence[Structure],
    across: Sequence[Structure],
    block: Callable[[Structure, int, Structure, int], Any],
) -> tuple[tuple[Any, ...], ...]:
    """Derivatives in structures: a row for each one of outputs, with an entry for each argument.

    Args:
        structures: structures of outputs.
        across: structures of arguments.
        block: a function that makes the array of a part of the outputs and a part of the arguments,
            both with a shape: from the structure of the one and the number of its first leaf, and
            those of the other.
    """

    def entry(rows: Structure, above: int, other: Structure, left: int) -> Any:
        def cells(part: Structure, i: int) -> Any:
            return map_regular(other, left, lambda each, j: block(part, i, each, j))

        return map_regular(rows, above, cells)

    return tuple(
        tuple(entry(rows, above.start, other, left.start) for other, left in placed(across))
        for rows, above in placed(structures)
    )


def start_of_runs() -> int:
    """A number larger than that of every run in progress, or 0 if no run is in progress."""
    return next(_numbers) if _active else 0


def is_varied(node: Value, before: float = math.inf) -> bool:
    """Whether the node, or a derivative written by hand, has a variable of a run in progress.

    Args:
        node: the node.
        before: the number of a run; only those before it count.
    """
    if is_leaf(node) or is_alias(node):
        run = getattr(node, "_run", None)
        return run in _active and run < before
    return any(is_varied(each, before) for each in getattr(node, "_used", ()))


def scalar(thing: Any, place: str) -> Scalar:
    """A Value as it is, or a real number as a float; a TypeError begins with `place`."""
    return thing if isinstance(thing, Value) else to_float(to_number(thing, place))


def _not_a_function(f: Any) -> str:
    advice = _OF_VALUES if isinstance(f, Value) else ""
    return f"only a function can be differentiated, got {type(f).__name__} {f!r}{advice}"


_OF_VALUES = "; for the derivative of a Value, use derivative(y, x)"


def read_argnums(argnums: Argnums) -> tuple[tuple[int, ...], bool]:
    """Return the positions in `argnums`, and whether it is a single position."""
    single = not isinstance(argnums, Iterable) or getattr(argnums, "shape", None) == ()
    try:
        given = [argnums] if single else [*argnums]  # type: ignore[misc]
        if isinstance(argnums, str) or any(isinstance(each, bool) for each in given):
            raise TypeError
        return tuple(map(index, given)), single  # type: ignore[arg-type]
    except TypeError:
        advice = _OF_VALUES if isinstance(argnums, Value) else ""
        raise TypeError(
            f"argnums is an int or a sequence of ints, got {argnums!r}{advice}"
        ) from None


def resolve_argnums(numbers: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return positions among `count` arguments; negative ones count from the end."""
    for number in numbers:
        if not -count <= number < count:
            raise ValueError(f"argnums {number}: the function was called with {count} arguments")
    places = tuple(number % count for number in numbers)
    for place in places:
        if places.count(place) > 1:
            raise ValueError(f"argnums {numbers} name argument {place} twice")
    return places
