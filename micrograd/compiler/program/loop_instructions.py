"""The instructions of loops, of their stacks, and of the way back through them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from micrograd.compiler.program.slots import Places, slots_of


class Column(NamedTuple):
    """A stack of numbers, one for each step of a loop: a column of the stack with that number."""

    stack: int
    column: int


class Pack(NamedTuple):
    """A stack, whose entries are in these places: those of all columns for step 0, then step 1."""

    varies: bool
    out: slice  # empty
    stack: int
    places: Places
    columns: int

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of steps and of columns."""
        return len(self.places.slots) // self.columns, self.columns


class Elements(NamedTuple):
    """Entries of a stack, each given by its step and its column."""

    varies: bool
    out: slice
    stack: int
    steps: Any
    columns: Any


class Loop(NamedTuple):
    """A loop: the instructions `body` are run again and again, on the same slots each time.

    The loop runs `limit` times (the largest limit of all samples), or until `goes_on`, and from the
    second step on `holds`, is 0 for all samples. At the beginning, `states` are set to `first`, and
    after each step to `following`. Before step k, `inputs` are set to the entries k of `columns`,
    and, if `indexed` is true, one more of them to k; after it, `outputs` become the entry k of
    `kept`, a stack (or -1). If `reverse` is true, k counts down. The results `out` are the last
    states, then the number of steps that were done.

    `step` is the graph of the body, with the outputs `following`, `holds` and `outputs`. Its inputs
    are `states`, `inputs` and `captured`. `length` is the number of steps, or None if it is not
    known before.
    """

    varies: bool
    out: slice
    body: tuple[Any, ...]
    limit: Places
    goes_on: Places | None
    holds: Places | None
    first: Places
    states: slice
    following: Places
    inputs: slice
    columns: tuple[Column, ...]
    kept: int
    outputs: Places
    reverse: bool
    indexed: bool
    length: int | None
    step: Any
    captured: Places


class Unpack(NamedTuple):
    """The adjoints of a stack that are passed on to its entries, those in `places`.

    `chosen` says which of the places need them; see `Pack`.
    """

    varies: bool
    out: slice  # empty
    stack: int
    places: Places
    columns: int
    chosen: Any


class Send(NamedTuple):
    """Adjoints that are added to those of entries of a stack; see `Elements`."""

    varies: bool
    out: slice  # empty
    elements: Elements


class LoopBack(NamedTuple):
    """A loop that is followed backwards: the steps that it has done, the last one first.

    Before step k, the values of the step are restored: `inputs` are read from their stacks as
    forwards, and the slots `kept` have what they had in step k. The adjoints `zeroed` are set to 0,
    and those of the outputs come from entry k of a stack, as `given` says (or None). Then `body` is
    run, and the adjoints of inputs are added to entry k of stacks, as `sent` says.

    `own` are the slots of a step: its states, its inputs and all its results.
    """

    varies: bool
    out: slice  # empty
    loop: Loop
    body: tuple[Any, ...]
    own: slice
    kept: Any
    zeroed: tuple[slice, ...]
    given: tuple[int, Places, Any] | None  # the stack, the places, and which of them are chosen
    sent: tuple[tuple[slice, int, slice], ...]  # adjoints, the stack, and its columns

    def kept_of(self, most: int) -> tuple[Any, bool]:
        """Return which slots are kept of each step.

        Args:
            most: the most numbers that may be kept of all steps, if it is known how many there are.

        Returns:
            The slots, and whether they are the states alone, from which the body of the loop
            computes the others again.
        """
        again = len(self.kept) * (self.loop.length or 0) > most
        return (slots_of(self.loop.states) if again else self.kept), again


class Stack(NamedTuple):
    """What is kept of each step of a loop."""

    varies: bool
    columns: int
    length: int | None  # the number of steps, or None if it is not known before


def column_runs(columns: Sequence[Column]) -> Iterator[tuple[slice, int, slice]]:
    """Yield runs of neighbouring columns of one stack: where they are, the stack, and the columns.

    >>> [*column_runs([Column(0, 1), Column(0, 2), Column(3, 0)])]
    [(slice(0, 2, None), 0, slice(1, 3, None)), (slice(2, 3, None), 3, slice(0, 1, None))]
    """
    start = 0
    for i in range(1, len(columns) + 1):
        first, last = columns[start], columns[i - 1]
        if i == len(columns) or columns[i] != (last.stack, last.column + 1):
            yield slice(start, i), first.stack, slice(first.column, last.column + 1)
            start = i
