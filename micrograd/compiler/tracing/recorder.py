"""Records the operations that a function does, and makes a graph of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from operator import itemgetter
from typing import Any, NoReturn

import numpy as np

from micrograd.compiler.tracing.graph import COLUMNS, CONSTANT, LEAF, NOTHING, Graph
from micrograd.compiler.tracing.inner_products import InnerProducts, expanded, in_order
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
from micrograd.engine.value import Value, to_number
from micrograd.table.floats import to_float


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


class Recorder:
    """The operations of one run of a function.

    A place is the number of a value: first the leaves, then the operations in the order in which
    they are first seen. Constants are counted down from -2, since the number of operations is not
    known before the end. Each run counts from a different start, so that a value that was kept from
    another run is recognised.

    Args:
        parameters: the number of parameters.
        inputs: the number of inputs.
        outer: the recorder around this one, if this is the step of a loop.
    """

    def __init__(self, parameters: int, inputs: int, outer: Recorder | None = None) -> None:
        self.parameters, self.inputs, self.outer = parameters, inputs, outer
        self.thread = threading.get_ident()
        self.first = next(_runs) % 2**22 * _BETWEEN
        self.leaves = self.first + parameters + inputs
        self.operations: dict[Any, int] = {}  # (row, x, y, …), at least two, to its place
        self.shift = self.leaves  # the place of the next operation, less their number
        self.inner_products: dict[InnerProducts, int] = {}  # to the place of the first product
        self.constants: dict[Any, int] = {}
        self.converted: dict[int, tuple[Value, int]] = {}  # Values made before
        self.take: Callable[[int], None] = lambda count: None  # refuses too many operations
        self.refusal: TraceError | None = None  # the last one

    def owns(self, place: int) -> bool:
        """Return whether a place is one of this run."""
        return self.first <= place < self.first + _BETWEEN

    def operation(self, row: Any, *places: int) -> int:
        """Return the place of an operation; equal operations on equal operands have one place."""
        key = (row, *places, NOTHING) if len(places) == 1 else (row, *places)
        return self.operations.setdefault(key, len(self.operations) + self.shift)

    @property
    def count(self) -> int:
        """The number of operations so far."""
        return len(self.operations) + self.shift - self.leaves

    def multiplied(self, block: InnerProducts) -> range:
        """Record inner products at once, and return the places of the results."""
        following = len(self.operations) + self.shift
        first = self.inner_products.setdefault(block, following)
        places = block.results(first)
        if first == following:
            self.take(places.stop - first)
            self.shift += places.stop - first
        return places

    def constant(self, number: float) -> int:
        """Return the place of a constant; 0.0 and -0.0 have two places."""
        key = (number, str(number)) if number == 0 or number != number else number
        return self.constants.setdefault(key, -2 - len(self.constants))

    def place(self, operand: Any) -> int:
        """Return the place of an operand: a number, a traced value or a Value made before."""
        if type(operand) is float:
            return self.constant(operand)
        if isinstance(operand, Value):
            return self._converted(operand)
        return self.constant(to_float(to_number(operand, "an operand")))

    def _converted(self, value: Value) -> int:
        """Return the place of a value; what a Value was computed from is recorded, too."""
        if value._is_traced:
            return value._place  # type: ignore[attr-defined,no-any-return]
        if is_leaf(value):
            return self.constant(value.data)
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
        if is_alias(node):
            return places[0]
        return self.applied(node, places)

    def applied(self, node: Value, places: Sequence[int]) -> int:
        """Return the place of what made a Value; raises TraceError for an operation made by hand.

        A function of constants whose derivative is given, by `custom_derivative`, is a constant.

        Args:
            node: the Value.
            places: the places of its operands.
        """
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
        graph = self.recorded(outputs)
        return in_order(graph) if self.inner_products else graph

    def recorded(self, outputs: Sequence[int]) -> Graph:
        """Return all that was recorded, in which operations of inner products may be repeated.

        Args:
            outputs: the places of the results.
        """
        keys, constants = list(self.operations), len(self.constants)
        leaves = self.parameters + self.inputs
        first = leaves + constants
        rows = [*map(itemgetter(0), keys)]
        table = {row: i for i, row in enumerate(dict.fromkeys(rows))}
        at: Any = slice(first, None)  # the nodes of the operations that were recorded one by one
        if self.inner_products:
            places = np.fromiter(self.operations.values(), np.int64, len(keys))
            at = places - (self.leaves - first)
        code = np.full(first + self.count, LEAF, dtype=np.intp)
        code[leaves:first] = CONSTANT
        code[at] = np.fromiter(map(table.__getitem__, rows), np.intp, len(keys))
        lengths = np.fromiter(map(len, keys), np.int8, len(keys))
        width = max(COLUMNS, int(lengths.max(initial=0)) - 1)
        operands = np.full((len(code), width), NOTHING, dtype=np.intp)
        for i in range(2):
            column = np.fromiter(map(itemgetter(i + 1), keys), np.int64, len(keys))
            operands[at, i] = self._final(column)
        nodes = np.arange(len(code))[at]
        for i in range(2, width):
            longer = np.flatnonzero(lengths > i + 1)
            further = np.array([keys[j][i + 1] for j in longer.tolist()], dtype=np.int64)
            operands[nodes[longer], i] = self._final(further)
        for block in expanded(self.inner_products):
            nodes = block.places - (self.leaves - first)
            code[nodes] = table.setdefault(block.row, len(table))
            operands[nodes, 0] = self._final(block.left)
            operands[nodes, 1] = self._final(block.right)
        numbers = np.zeros(len(code))
        numbers[leaves:first] = [
            key[0] if isinstance(key, tuple) else key for key in self.constants
        ]
        return Graph(
            code=code,
            operands=operands,
            numbers=numbers,
            table=tuple(table),
            parameters=self.parameters,
            inputs=self.inputs,
            outputs=self._final(np.array(outputs, dtype=np.int64)),
        )

    def _final(self, places: Any) -> Any:
        """Return places as indices of nodes: leaves, then constants, then operations.

        Before, they may be too large for the indices of a machine of 32 bits.
        """
        leaves, constants = self.parameters + self.inputs, len(self.constants)
        own, given = places - self.first, places >= 0
        if (given & ((own < 0) | (own >= leaves + self.count))).any():
            raise TraceError(KEPT)
        own[own >= leaves] += constants
        if not given.all():
            others = np.flatnonzero(~given)
            missing = places[others] == NOTHING
            own[others] = np.where(missing, NOTHING, leaves - 2 - places[others])
        return own.astype(np.intp, copy=False)


KEPT = (
    "a value of a traced function was kept and used after the function had returned: "
    "return what you need from it"
)
active: Recorder | None = None
"""The recorder of the function that is being traced."""


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
