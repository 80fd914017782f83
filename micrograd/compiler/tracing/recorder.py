"""Records the operations that a function does, and makes a graph of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, NoReturn

import numpy as np

from micrograd.compiler.tracing.graph import NOTHING, Graph
from micrograd.compiler.tracing.inner_products import Kind, Pair, grouped
from micrograd.compiler.tracing.recorded import Recorded
from micrograd.engine.graph import (
    Node,
    is_alias,
    is_leaf,
    made_by,
    number,
    operands,
    operation,
    order,
    slope_functions,
)
from micrograd.engine.lines import line_of_user
from micrograd.engine.value import Value, numbers_of, to_number
from micrograd.table.floats import to_float
from micrograd.transforms.runs import is_varied, start_of_runs


class TraceError(TypeError):
    """Raised where a function cannot be compiled; the message says what to write instead.

    >>> from micrograd.compiler import compile
    >>> compile(lambda x: x if x > 0 else -x)(1.0)
    Traceback (most recent call last):
        ...
    micrograd.compiler.tracing.recorder.TraceError: a compiled function branches on a value ...
    """


_runs = count(1)
_BETWEEN = 2**40  # places of one run and those of the next


class EnclosingError(TraceError):
    """Raised where a function uses a variable of a function around it that is differentiated, or a
    value of one that is being traced: the number is not known, or has a derivative.
    """


class _Constants(dict[Any, int]):
    """The places of constants; a number that has none gets the next one. 0.0 and -0.0 have two."""

    def __missing__(self, number: float) -> int:
        key = (number, str(number)) if number == 0 or number != number else number
        return self.setdefault(key, -2 - len(self))


class Recorder:
    """The operations of one run of a function.

    A place is the number of a value: first the leaves, then the operations in their order.
    Constants are counted down from -2, since the number of operations is not known before the end.
    Inputs and operations of each run have places of their own, so that a value that was kept from
    another run is recognised. Equal operations become one node when the graph is made.

    Args:
        parameters: the number of parameters.
        inputs: the number of inputs.
        outer: the recorder around this one, if this is the step of a loop.
        before: the recorder of an earlier run with the same parameters.
        around: the recorder of the function whose trace began this one, if there is one.
    """

    def __init__(
        self,
        parameters: int,
        inputs: int,
        outer: Recorder | None = None,
        before: Recorder | None = None,
        around: Recorder | None = None,
    ) -> None:
        self.parameters, self.inputs, self.outer = parameters, inputs, outer
        self.around = around
        # Variables of runs of transforms before this number belong to a function around this one.
        self.since: int = start_of_runs() if outer is None else outer.since
        self.thread = threading.get_ident()
        own = next(_runs) % 2**22 * _BETWEEN
        self.first: int = own if before is None else before.first  # place of the first parameter
        self.start = own + parameters  # of the first input
        self.leaves = self.start + inputs
        self.rows: list[Any] = []  # of all operations that were recorded one by one
        self.left: list[int] = []  # the place of the first operand of each
        self.right: list[int] = []  # of the second one, or NOTHING
        self.further: dict[int, tuple[int, ...]] = {}  # the places of others, by the operation
        self.shift = self.leaves  # the place of the next operation, less the number of `rows`
        # Of each kind, to the place of the first product.
        self.inner_products: dict[Kind, dict[Pair, int]] = defaultdict(dict)
        # Numbers of matrices and their packed places, by the addresses of the numbers. They are
        # kept, so that no others get these addresses.
        self.matrices: dict[bytes, tuple[list[Any], bytes]] = {}
        self.jumps: list[tuple[int, int]] = []  # the number of `rows` before each, and its length
        self.constants = _Constants()
        self.converted: dict[int, tuple[Value, int]] = {}  # Values made before
        self.refusal: TraceError | None = None  # the last one

    def owns(self, place: int) -> bool:
        """Return whether a place is one of this run."""
        return self.start <= place < self.start + _BETWEEN or (
            self.first <= place < self.first + self.parameters
        )

    def operation(self, row: Any, *places: int) -> int:
        """Record an operation and return its place."""
        if len(places) > 2:
            self.further[len(self.rows)] = places[2:]
        place = len(self.rows) + self.shift
        self.left.append(places[0])
        self.right.append(places[1] if len(places) > 1 else NOTHING)
        self.rows.append(row)
        return place

    def chain(self, row: Any, places: Sequence[int]) -> int:
        """Record a list of any length as a chain of operations; return the place of the last.

        Each operation takes the one before it and up to two more places.

        Args:
            row: the row of these operations.
            places: what is in the list.
        """
        start, place = len(self.rows), len(self.rows) + self.shift
        right, thirds = places[1::2] or [NOTHING], places[2::2]
        self.left += [places[0], *range(place, place + len(right) - 1)]
        self.right += right
        self.further |= {start + i: (x,) for i, x in enumerate(thirds)}
        self.rows.extend([row] * len(right))
        return place + len(right) - 1

    @property
    def count(self) -> int:
        """The number of operations recorded so far, with equal ones counted each time."""
        return len(self.rows) + self.shift - self.leaves

    def multiplied(self, kind: Kind, left: bytes, right: bytes) -> range:
        """Record inner products at once, and return the places of the results.

        Each inner product is a product, and for each further term a product and a sum.

        Args:
            kind: the operation of each product, and the shape.
            left: the packed places of the numbers of the left matrix, row by row.
            right: those of the right one, column by column.
        """
        before = len(self.rows)
        following = before + self.shift
        first = self.inner_products[kind].setdefault((left, right), following)
        rows, columns, length = kind[1]
        each = 2 * length - 1
        count = each * rows * columns
        if first == following:
            self.jumps.append((before, count))
            self.shift += count
            self.rows.extend(())  # a limit is checked here, as for single operations
        return range(first + each - 1, first + count, each)

    def constant(self, number: float) -> int:
        """Return the place of a constant."""
        return self.constants[number]

    def place(self, operand: Any) -> int:
        """Return the place of an operand: a number, a traced value or a Value made before."""
        if type(operand) is float:
            return self.constant(operand)
        if isinstance(operand, Value):
            return self._converted(operand)
        return self.constant(to_float(to_number(operand, "an operand")))

    def places(self, operands: Sequence[Any]) -> list[int]:
        """Return the places of operands."""
        try:
            return [x._place for x in operands]
        except AttributeError:  # not all of them are traced values
            if {*map(type, operands)} == {float}:
                return [*map(self.constants.__getitem__, operands)]
            return [*map(self.place, operands)]

    def _converted(self, value: Value) -> int:
        """Return the place of a value; what a Value was computed from is recorded, too."""
        if value._is_traced:
            return value._place  # type: ignore[attr-defined,no-any-return]
        if self.since and is_varied(value, self.since):
            raise EnclosingError(ENCLOSING)
        if is_leaf(value):
            return self.constant(numbers_of([value])[0])
        if id(value) not in self.converted:
            for node in order(value):
                if id(node) not in self.converted:
                    self.converted[id(node)] = node, self._convert(node)
        return self.converted[id(value)][1]

    def _convert(self, node: Value) -> int:
        if node._is_traced or is_leaf(node):
            return self._converted(node)
        places = [
            self.converted[id(x)][1] if isinstance(x, Node) else self.constant(number(x))
            for x in operands(node)
        ]
        if self.since and is_varied(node, self.since):
            raise EnclosingError(ENCLOSING)
        return self.applied(node, places)

    def applied(self, node: Value, places: Sequence[int]) -> int:
        """Return the place of what made a Value; raises TraceError for an operation made by hand.

        A function of constants whose derivative is given, by `custom_derivative`, is a constant.

        Args:
            node: the Value.
            places: the places of its operands.
        """
        if is_alias(node):
            return places[0]
        row = operation(node)
        if row is not None:
            return self.operation(row, *places)
        if None in slope_functions(node) or any(each._is_traced for each in order(node)):
            raise TraceError(
                f"a compiled function uses {str(made_by(node))!r}, an operation made by hand: "
                "give it a formula with micrograd.define"
            )
        return self.constant(node.data)

    def graph(self, outputs: Sequence[int]) -> Graph:
        """Return all that was recorded; constants come between leaves and operations.

        Args:
            outputs: the places of the results.
        """
        return self.recorded(outputs).graph()

    def recorded(self, outputs: Sequence[int]) -> Recorded:
        """Return all that was recorded, in arrays.

        Args:
            outputs: the places of the results.
        """
        most = max(map(len, self.further.values()), default=0)
        longer = [[k for k, more in self.further.items() if len(more) > i] for i in range(most)]
        further = [[self.further[k][i] for k in each] for i, each in enumerate(longer)]
        groups = [group.mapped(self._numbered) for group in grouped(self.inner_products)]
        return Recorded(
            parameters=self.parameters,
            inputs=self.inputs,
            rows=self.rows,
            jumps=self.jumps,
            columns=[self._numbered(each) for each in (self.left, self.right, *further)],
            longer=longer,
            groups=groups,
            outputs=self._numbered(outputs),
            constants=[*self.constants],
        )

    def _numbered(self, places: Any) -> Any:
        """Return places as numbers from 0 on, which are the same in each run.

        Before, they may be too large for the indices of a machine of 32 bits. Values from around
        the step of a loop count as constants in it.
        """
        places = np.asarray(places, dtype=np.int64)
        offset = self.start - self.parameters
        own, given = places - offset, places >= 0
        if self.first != offset:
            of_parameters = (places >= self.first) & (places < self.first + self.parameters)
            own[of_parameters] = places[of_parameters] - self.first
        around = given & ((own < 0) | (own >= self.parameters + self.inputs + self.count))
        if around.any():
            if self.outer is None:
                raise left_behind(self.around, places[around].tolist())
            known = self.constants
            own[around] = [
                known.setdefault((0.0, place), -2 - len(known)) for place in places[around].tolist()
            ]
        others = np.flatnonzero(~given)
        own[others] = places[others]
        return own.astype(np.intp, copy=False)


KEPT = (
    "a value of a traced function was kept and used after the function had returned: "
    "return what you need from it"
)
ENCLOSING = (
    "a compiled function uses a variable of the function around it, which is being traced or "
    "differentiated: pass it as an argument"
)
active: Recorder | None = None
"""The recorder of the function that is being traced."""


def left_behind(around: Recorder | None, places: Sequence[int]) -> TraceError:
    """Return the error for values of another run: one in progress around this one, or one before.

    Args:
        around: the recorder around this one, or None.
        places: the places of these values.
    """
    while around is not None:
        if any(map(around.owns, places)):
            return EnclosingError(ENCLOSING)
        around = around.outer or around.around
    return TraceError(KEPT)


def current() -> Recorder:
    """Return the active recorder; raises TraceError if no function is being traced."""
    if active is None:
        raise TraceError(KEPT)
    return active


@contextmanager
def recording(recorder: Recorder) -> Iterator[Recorder]:
    """Make a recorder the active one; the one before it is active again afterwards."""
    global active
    outer, active = active, recorder
    try:
        yield recorder
    finally:
        active = outer


def refuse(deed: str, remedy: str) -> NoReturn:
    """Raise a TraceError with the line of the user.

    Args:
        deed: what the compiled function does.
        remedy: what to do instead.
    """
    refusal = TraceError(f"a compiled function {deed}: {remedy}\n  at {line_of_user()}")
    if active is not None:
        active.refusal = refusal
    raise refusal
