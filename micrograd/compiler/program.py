"""A program: a few wide instructions over two spaces of slots.

The space `u` holds what depends on parameters and constants only, with one number in each slot. The
space `v` holds what varies over a batch, with one row of numbers in each slot. All of `u` is
computed first, once for the whole batch. The results of an instruction have neighbouring slots, so
that most operands are slices.

The backward pass has instructions of the same kinds (see `micrograd.compiler.reverse`). Adjoints
are in slots of their own, and what an instruction does with them is its mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from micrograd.compiler.flows import Flow
from micrograd.ops import Operation
from micrograd.writing.languages.en import WORDS

Rows = slice | Any  # neighbouring slots, or an array of slots
Place = tuple[bool, int]  # a slot: whether it is in `v`, and its number
Term = tuple[float, Place, "Place | None"]  # of a sum: the sign, and the factors

Mode = Literal["value", "first", "add", "total"]
"""What an instruction does with its results: store values; store adjoints, as their first writer;
add to adjoints; or, in an instruction that varies, add the sums over the batch to adjoints in `u`.

In the modes of adjoints, a product stops at a factor of zero, in executors where it can.
"""


class Operand(NamedTuple):
    """Where an instruction reads: slots of `v`, if `varies` is true, or of `u`."""

    varies: bool
    rows: Rows


class Places(NamedTuple):
    """Slots that are read one by one, each of `v`, where `varies` is true, or of `u`."""

    varies: Any
    slots: Any


class Elementwise(NamedTuple):
    """`out = operation(*operands)`, one slot at a time."""

    varies: bool
    out: Rows  # a slice, unless they are adjoints
    operation: Operation | Flow
    operands: tuple[Operand, ...]
    mode: Mode = "value"

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        return f"{self.operation.name}({', '.join(map(shown, self.operands))})"

    def __str__(self) -> str:
        return _line(self)


class Product(NamedTuple):
    """`out[i] = matrix @ inputs[i] + bias` for several input vectors and one matrix of `u`.

    `matrix` is an array of slots of `u`, of the shape of the matrix; in the mode "total", both are
    in `v`. `inputs` is an array of slots of the space of the instruction, with a row for each input
    vector. The outputs of one vector follow each other in `out`, which is a slice unless they are
    adjoints. `bias` has a slot of `u` for each row of the matrix, or is None.
    """

    varies: bool
    out: Rows
    matrix: Any
    inputs: Any
    bias: Rows | None
    mode: Mode = "value"

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        (m, k), count = self.matrix.shape, len(self.inputs)
        bias = "" if self.bias is None else f" + u[{_rows(self.bias)}]"
        inputs = place(self.varies, rows_of(self.inputs.ravel()))
        matrix = place(self.mode == "total", rows_of(self.matrix.ravel()))
        product = f"{matrix} ({m} x {k}) @ {inputs}{bias}"
        return product if count == 1 else words["vectors"].format(product=product, count=count)

    def __str__(self) -> str:
        return _line(self)


class WeightedSums(NamedTuple):
    """`out[i]` is the sum of `sign * left * right` over terms, from `start[i]` to `start[i + 1]`.

    `left` and `right` are slots, of `v` where `left_varies` and `right_varies` are true. For a term
    that has no second factor, `right` is -1. `out` is a slice, unless they are adjoints.
    """

    varies: bool
    out: Rows
    start: Any
    sign: Any
    left: Any
    left_varies: Any
    right: Any
    right_varies: Any
    mode: Mode = "value"

    @property
    def columns(self) -> tuple[Any, Any, Any, Any, Any]:
        """The arrays with an entry for each term: the sign, and the factors with their spaces."""
        return self[3:8]

    @property
    def sides(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """The slots of the left and of the right factors, and which of them are in `v`."""
        return (self.left, self.left_varies), (self.right, self.right_varies)

    @property
    def bounds(self) -> Any:
        """Where the terms of each sum begin, and where those of the last one end."""
        return np.append(self.start, len(self.left))

    def terms(self) -> list[tuple[float, int, bool, int, bool]]:
        """Return the sign and the factors of each term, each as a slot and whether it is in `v`."""
        return [*zip(*(column.tolist() for column in self.columns), strict=True)]

    def sums(self) -> Iterator[tuple[int, list[Term]]]:
        """Yield the slot of each sum, and its terms."""
        terms: list[Term] = [
            (sign, (left_varies, left), None if right < 0 else (right_varies, right))
            for sign, left, left_varies, right, right_varies in self.terms()
        ]
        slots = slots_of(self.out).tolist()
        for slot, (first, last) in zip(slots, pairwise(self.bounds.tolist()), strict=True):
            yield slot, terms[first:last]

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        count, terms = len(self.start), _terms(len(self.left), words)
        return words["sum" if count == 1 else "sums"].format(count=count, terms=terms)

    def __str__(self) -> str:
        return _line(self)


class Fold(NamedTuple):
    """`out[i]` is the maximum or minimum of the slots from `start[i]` to `start[i + 1]`.

    All slots are in the space of the instruction. No gradient passes through a fold.
    """

    varies: bool
    out: slice
    operation: Operation
    start: Any
    slots: Any

    @property
    def bounds(self) -> Any:
        """Where the slots of each fold begin, and where those of the last one end."""
        return np.append(self.start, len(self.slots))

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        count, terms = self.out.stop - self.out.start, _terms(len(self.slots), words)
        return words["folds"].format(count=count, operation=self.operation.name, terms=terms)

    def __str__(self) -> str:
        return _line(self)


class Lookup(NamedTuple):
    """`out[j] = table[k, j]`, where k is the number at `at`; nan if there is no such entry.

    `table` has a row of slots for each entry, all of them of `v` if `table_varies` is true, or of
    `u`.
    """

    varies: bool
    out: slice
    at: Operand
    table_varies: bool
    table: Any

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        table = place(self.table_varies, rows_of(self.table.ravel()))
        return words["lookup"].format(index=shown(self.at), count=len(self.table), table=table)

    def __str__(self) -> str:
        return _line(self)


class Scatter(NamedTuple):
    """`table[k, j] += read[j]`, where k is the number at `at`, unless there is no such entry.

    It passes the adjoints of a `Lookup` on. `table` has a row of slots for each entry, of `u` in
    the mode "total", and `out` has all of them.
    """

    varies: bool
    out: Rows
    at: Operand
    table: Any
    read: slice
    mode: Mode

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        index, read = shown(self.at), place(self.varies, self.read)
        return words["scatter"].format(index=index, count=len(self.table), read=read)

    def __str__(self) -> str:
        return _line(self)


class Tape(NamedTuple):
    """Steps one after the other: a narrow part of a graph, where hardly any can go side by side.

    Step i computes the slot i of `out`, a slice unless they are adjoints. It is the operation
    `operations[code[i]]` of the slots in row i of `operands`; or, if `code[i]` is SUM, the weighted
    sum of the terms from `bounds[i]` to `bounds[i + 1]`. `terms` has the terms of all sums; its
    `start` and `out` are not used. `modes` has the mode of each step, or is None if all are values.
    """

    varies: bool
    out: Rows
    operations: tuple[Operation | Flow, ...]
    code: Any
    operands: Any  # a row of slots for each step, -1 where there are fewer
    operands_vary: Any
    bounds: Any
    terms: WeightedSums
    modes: Any = None

    def steps(self) -> Iterator[Elementwise | WeightedSums]:
        """Yield the steps as instructions."""
        slots, kinds = self.operands.tolist(), self.operands_vary.tolist()
        outs = zip(slots_of(self.out).tolist(), self.mode_of_each(), strict=True)
        for i, (code, (slot, mode)) in enumerate(zip(self.code.tolist(), outs, strict=True)):
            out = slice(slot, slot + 1)
            if code == SUM:
                part = slice(int(self.bounds[i]), int(self.bounds[i + 1]))
                columns = (column[part] for column in self.terms.columns)
                start = np.zeros(1, np.intp)
                yield WeightedSums(self.varies, out, start, *columns)._replace(mode=mode)
            else:
                row = self.operations[code]
                read = (
                    Operand(varies, slice(slot, slot + 1))
                    for slot, varies in zip(slots[i][: row.arity], kinds[i], strict=False)
                )
                yield Elementwise(self.varies, out, row, tuple(read), mode)

    def mode_of_each(self) -> list[Mode]:
        """Return the mode of each step."""
        return ["value"] * len(self.code) if self.modes is None else self.modes.tolist()

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        used = sorted({"sum" if i == SUM else self.operations[i].name for i in self.code.tolist()})
        return words["tape"].format(count=len(self.code), operations=", ".join(used))

    def __str__(self) -> str:
        return _line(self)


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

    def steps(self) -> Iterator[Places]:
        """Yield the places of each step."""
        for kinds, slots in zip(*(each.reshape(self.shape) for each in self.places), strict=True):
            yield Places(kinds, slots)

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        return words["pack"].format(count=self.shape[0])

    def __str__(self) -> str:
        return f"{_stack(self.varies, self.stack)} = {self.told(WORDS['program'])}"


class Elements(NamedTuple):
    """Entries of a stack, each given by its step and its column."""

    varies: bool
    out: slice
    stack: int
    steps: Any
    columns: Any

    def runs(self) -> Iterator[tuple[slice, int, slice]]:
        """Yield entries of one step in neighbouring columns: their slots, the step, the columns."""
        for rows, step, columns in column_runs([*map(Column, self.steps, self.columns)]):
            yield slice(self.out.start + rows.start, self.out.start + rows.stop), int(step), columns

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        return words["elements"].format(
            count=len(self.steps), stack=_stack(self.varies, self.stack)
        )

    def __str__(self) -> str:
        return _line(self)


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

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        count = "n" if self.length is None else self.length
        key = "while" if self.goes_on is not None else "loop"
        return words[key].format(count=count, instructions=len(self.body))

    def __str__(self) -> str:
        inner = (line for each in self.body for line in str(each).split("\n"))
        return "\n    ".join((_line(self), *inner))


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

    def steps(self) -> Iterator[tuple[Places, Any]]:
        """Yield the places of each step, and which of them are chosen."""
        shape = -1, self.columns
        columns = (each.reshape(shape) for each in (*self.places, self.chosen))
        for kinds, slots, chosen in zip(*columns, strict=True):
            yield Places(kinds, slots), chosen

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        return words["unpack"].format(count=len(self.places.slots))

    def __str__(self) -> str:
        return f"{self.told(WORDS['program'])} {_stack(self.varies, self.stack)}"


class Send(NamedTuple):
    """Adjoints that are added to those of entries of a stack; see `Elements`."""

    varies: bool
    out: slice  # empty
    elements: Elements

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        return words["send"].format(slots=place(self.varies, self.elements.out))

    def __str__(self) -> str:
        return f"{_stack(self.varies, self.elements.stack)} += {self.told(WORDS['program'])}"


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

    def told(self, words: Mapping[str, str]) -> str:
        """Return what is computed, in the words of a language (its part `program`)."""
        return words["loop_back"].format(instructions=len(self.body))

    def __str__(self) -> str:
        inner = (line for each in self.body for line in str(each).split("\n"))
        return "\n    ".join((self.told(WORDS["program"]), *inner))


class Stack(NamedTuple):
    """What is kept of each step of a loop."""

    varies: bool
    columns: int
    length: int | None  # the number of steps, or None if it is not known before


SUM = -1  # the code of a weighted sum, among those of operations
Step = (
    Elementwise
    | Product
    | WeightedSums
    | Fold
    | Lookup
    | Pack
    | Elements
    | Loop
    | Scatter
    | Unpack
    | Send
    | LoopBack
)
Instruction = Step | Tape


def _line(instruction: Instruction) -> str:
    mode = getattr(instruction, "mode", "value")
    out = place(instruction.varies and mode != "total", instruction.out)
    sign = "+=" if mode in ("add", "total") else "="
    return f"{out} {sign} {instruction.told(WORDS['program'])}"


def _stack(varies: bool, number: int) -> str:
    return f"{'uv'[varies]}.stack[{number}]"


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


def with_bodies(instructions: Iterable[Instruction]) -> Iterator[Instruction]:
    """Yield the instructions, and after each loop those of its body."""
    for each in instructions:
        yield each
        if isinstance(each, Loop):
            yield from with_bodies(each.body)


def without_tapes(instructions: Iterable[Instruction]) -> Iterator[Step]:
    """Yield the instructions, with the steps of each tape in place of it."""
    for each in instructions:
        if isinstance(each, Tape):
            yield from each.steps()
        else:
            yield each


def slots_read(instruction: Instruction) -> Iterator[tuple[Any, Any]]:
    """Yield arrays of the slots that an instruction reads, and which of them are in `v`.

    A missing operand has the slot -1. Nothing is yielded for loops and their stacks.
    """
    match instruction:
        case Elementwise(operands=operands):
            for each in operands:
                yield _alike(each.varies, each.rows)
        case Product(varies=varies, matrix=matrix, inputs=inputs, bias=bias, mode=mode):
            yield _alike(mode == "total", matrix)
            if bias is not None:
                yield _alike(False, bias)
            yield _alike(varies, inputs)
        case Fold(varies=varies, slots=slots):
            yield _alike(varies, slots)
        case WeightedSums(sides=sides):
            yield from sides
        case Lookup(at=index, table_varies=table_varies, table=table):
            yield _alike(index.varies, index.rows)
            yield _alike(table_varies, table.ravel())
        case Scatter(varies=varies, at=index, read=read):
            yield _alike(index.varies, index.rows)
            yield _alike(varies, read)
        case Tape(operands=operands, operands_vary=kinds, terms=terms):
            yield from zip(operands.T, kinds.T, strict=True)
            yield from slots_read(terms)


def _alike(varies: bool, rows: Rows) -> tuple[Any, Any]:
    slots = slots_of(rows)
    return slots, np.full(slots.shape, varies)


def _terms(count: int, words: Mapping[str, str]) -> str:
    return words["term" if count == 1 else "terms"].format(count=count)


class Program(NamedTuple):
    """Instructions in order, and the slots of parameters, inputs, constants and outputs.

    The slots of `u` are parameters, constants, then results; those of `v` are inputs, then results.
    In a program that is not batched, the inputs follow the parameters in `u`, and `v` is empty.
    """

    instructions: tuple[Instruction, ...]
    parameters: int
    inputs: int
    batched: bool
    constants: Any  # the numbers in `u` from slot `first_constant` on
    uniform: int  # the number of slots of `u`
    varying: int  # the number of slots of `v`
    outputs: tuple[tuple[bool, int], ...]  # whether it is in `v`, and its slot
    stacks: tuple[Stack, ...] = ()

    def operations(self) -> set[Operation]:
        """The operations of the table that the instructions apply."""
        found: set[Operation] = set()
        for each in with_bodies(self.instructions):
            found.update(getattr(each, "operations", ()))
            found.update(row for row in (getattr(each, "operation", None),) if row is not None)
        return found

    @property
    def first_constant(self) -> int:
        """The slot of `u` of the first constant."""
        return self.parameters + (0 if self.batched else self.inputs)

    def constant(self, slot: int) -> float | None:
        """The number in a slot of `u`, or None if it is not a constant."""
        place = slot - self.first_constant
        return float(self.constants[place]) if 0 <= place < len(self.constants) else None

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        inputs = place(self.batched, slice(*self.input_slots))
        yield f"program of {len(self.instructions)} instructions"
        yield f"  parameters {place(False, slice(0, self.parameters))}, inputs {inputs}"
        for instruction in self.instructions:
            yield f"  {instruction}"
        yield "  return " + ", ".join(f"{'uv'[varies]}[{slot}]" for varies, slot in self.outputs)

    @property
    def input_slots(self) -> tuple[int, int]:
        """The first slot of the inputs, in `v` or in `u`, and the one after the last."""
        first = 0 if self.batched else self.parameters
        return first, first + self.inputs


def even_matrix(slots: Any) -> tuple[int, int, int] | None:
    """Return the first slot of a matrix, and its strides down and to the right.

    None if the slots are not evenly spaced.

    >>> even_matrix(np.array([[4, 6], [14, 16]])), even_matrix(np.array([[4, 6], [14, 17]]))
    ((4, 10, 2), None)
    """
    (rows, columns), base = slots.shape, int(slots[0, 0])
    down = int(slots[1, 0]) - base if rows > 1 else columns
    right = int(slots[0, 1]) - base if columns > 1 else 1
    even = base + down * np.arange(rows)[:, None] + right * np.arange(columns)
    return (base, down, right) if (slots == even).all() else None


def rows_of(slots: Sequence[int] | Any) -> Rows:
    """Return slots as a slice if they are neighbours in rising order, otherwise as an array.

    >>> rows_of([3, 4, 5]), rows_of([3, 5])
    (slice(3, 6, None), array([3, 5]))
    """
    slots = np.asarray(slots, dtype=np.intp)
    if len(slots) and slots[-1] - slots[0] == len(slots) - 1 and (np.diff(slots) == 1).all():
        return slice(int(slots[0]), int(slots[-1]) + 1)
    return slots


def slots_of(rows: Rows) -> Any:
    """Return the slots of rows as an array.

    >>> slots_of(slice(3, 6))
    array([3, 4, 5])
    """
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else np.asarray(rows)


def count_of(rows: Rows) -> int:
    """Return the number of slots.

    >>> count_of(slice(3, 6)), count_of(np.array([4, 4]))
    (3, 2)
    """
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)


def shown(operand: Operand) -> str:
    """Return an operand as a person would write it."""
    return place(operand.varies, operand.rows)


def place(varies: bool, rows: Rows) -> str:
    """Return slots of a space as a person would write them."""
    return f"{'uv'[varies]}[{_rows(rows)}]"


def _rows(rows: Rows) -> str:
    if isinstance(rows, slice):
        return f"{rows.start}:{rows.stop}" if rows.stop - rows.start != 1 else str(rows.start)
    if len(set(rows.tolist())) == 1:
        return f"{rows[0]} repeated"
    if len(rows) <= 4:
        return ", ".join(map(str, rows))
    return f"{len(rows)} of {min(rows)}:{max(rows) + 1}"
