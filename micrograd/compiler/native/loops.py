"""Kernels of loops and stacks.

A stack has three words in `u`: the address of its numbers, for how many steps there is room, and
how many steps were done. If there was too little room, the last step was overwritten, and the
program is run again with more room. The numbers of one vector of lanes lie together: first those of
step 0, column by column, then those of step 1.

A short step is written as straight code within the loop, with the states in registers. For a longer
one, for which LLVM would take long, the loop runs the rows of its instructions again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, NamedTuple

from llvmlite import ir

from micrograd.compiler.native.driver import write_run
from micrograd.compiler.native.elementary.lanes import some
from micrograd.compiler.native.rows import Field, Spec, called
from micrograd.compiler.native.straight import write_straight
from micrograd.compiler.native.writing import ALWAYS, WORD, Writer, word
from micrograd.compiler.program.instructions import Product, Tape, WeightedSums
from micrograd.compiler.program.loop_instructions import Loop
from micrograd.compiler.tracing.graph import Structural

MOST_STRAIGHT = {False: 1_500, True: 600}
"""The most nodes of a step that is written as straight code, in `u` and in `v`."""
_WIDE = 8  # results of an instruction in `u` that are computed together, in a vector register
STACK_WORDS = 3


class LoopSpec(NamedTuple):
    """The kernel of a loop whose step is straight code.

    `kinds` says for the count, the first flag, the first states, what is captured and the stacks of
    the inputs whether each is in `v` or in `u`.
    """

    kind: str  # the type of the numbers
    kinds: str
    loop: Loop

    def __str__(self) -> str:
        """All that the code depends on."""
        loop, step = self.loop, self.loop.step
        formulas = [f"{row.name} {row.operands} = {row.computed}" for row in step.table]
        formulas += (line for row in step.table for line in called(row.computed))
        sizes = len(loop.first.slots), len(loop.columns)
        options = loop.goes_on is None, loop.reverse, loop.indexed, loop.kept >= 0
        arrays = (x.tolist() for x in (step.code, step.operands, step.numbers, step.outputs))
        words = ["loop", self.kind, self.kinds, loop.varies, *sizes, *options, *arrays]
        return "\n".join(map(str, (*words, *formulas)))


def is_straight(loop: Loop) -> bool:
    """Return whether the step of a loop is written as straight code.

    Products of matrices have faster kernels of their own, and in `u`, so have wide instructions.
    """
    step = loop.step
    if step.size > MOST_STRAIGHT[loop.varies] or any(isinstance(x, Structural) for x in step.table):
        return False
    if loop.varies:
        return not any(isinstance(x, Product) and x.varies for x in loop.body)
    rows = sum(
        len(x.code) if isinstance(x, Tape) else len(x.start) if isinstance(x, WeightedSums) else 1
        for x in loop.body
    )
    results: int = loop.out.start - loop.states.start
    return results < _WIDE * rows


class Stack:
    """A stack, read or written by a kernel."""

    def __init__(self, w: Writer, u: Any, place: Any, columns: Any, *, varies: bool) -> None:
        self.w, self.u, self.columns, self.varies = w, u, columns, varies
        self.words = w.build.bitcast(w.at(u, place), WORD.as_pointer())
        address, self.room = w.words(self.words, 0, 1)
        self.numbers = w.pointer(address, w.number)
        self.width = w.width if varies else 1

    def at(self, lane: Any, k: Any, column: Any) -> Any:
        """Return the pointer to the numbers of some lanes; the last step stands for later ones."""
        build, last = self.w.build, self.w.build.sub(self.room, word(1))
        k = build.select(build.icmp_signed("<", k, last), k, last)
        size = build.mul(self.room, self.columns)  # so many numbers for each lane
        before = build.mul(lane, size) if self.varies else word(0)
        own = build.mul(build.add(build.mul(k, self.columns), column), word(self.width))
        return self.w.at(self.numbers, build.add(before, own))

    def at_step(self, index: Any, column: Any) -> Any:
        """Return the pointer to a column of the step whose number is at a place in `u`."""
        k = self.w.build.fptosi(self.w.load(self.w.at(self.u, index), 1), WORD)
        return self.at(word(0), k, column)

    def load(self, lane: Any, k: Any, column: Any, width: int) -> Any:
        """Load the numbers of some lanes; a number of `u` fills all of them."""
        found = self.w.load(self.at(lane, k, column), self.width)
        return found if self.varies else self.w.splat(found, width)

    def note(self, steps: Any) -> None:
        """Record how many steps were done."""
        at = self.w.at(self.words, word(2))
        self.w.build.store(_larger(self.w, self.w.build.load(at), steps), at)


def _whole(w: Writer, number: Any) -> Any:
    """Return a number of steps as a word: rounded up, and 0 for nan and what is below 0."""
    build, zero = w.build, ir.Constant(number.type, 0.0)
    most = ir.Constant(number.type, 2.0**62)
    number = w.intrinsic("ceil", number)
    number = build.select(build.fcmp_ordered(">", number, zero), number, zero)
    number = build.select(build.fcmp_ordered("<", number, most), number, most)
    return build.fptosi(number, WORD)


def _largest(w: Writer, numbers: Any) -> Any:
    """Return the largest number of steps of all lanes."""
    return reduce(partial(_larger, w), (_whole(w, number) for number in w.each(numbers)))


def _larger(w: Writer, a: Any, b: Any) -> Any:
    return w.build.select(w.build.icmp_signed(">", b, a), b, a)


def _any(w: Writer, numbers: Any) -> Any:
    """Return whether a number of some lanes is not 0."""
    return some(w, w.build.fcmp_unordered("!=", numbers, ir.Constant(numbers.type, None)))


def write_loop(w: Writer, spec: LoopSpec) -> str:
    """Write a loop of straight code; the first word of its row is the address of a table.

    The table has the places of the count, the first flag, the first states, what is captured and
    the result; then for each input the place, the columns and the column of its stack; then the
    place and the columns of the stack that is kept.
    """
    loop, step = spec.loop, spec.loop.step
    states, conditional = len(loop.first.slots), loop.goes_on is not None
    row, u, v, lanes = w.kernel()
    (address,) = w.words(row, Field.COUNT)
    table, places = w.pointer(address), iter(range(2**62))

    def following() -> Any:
        return w.words(table, next(places))[0]

    width = w.width if loop.varies else 1
    kinds = iter(spec.kinds)

    def reader() -> Callable[[Any], Any]:
        place, kind = following(), next(kinds)
        if kind == "u":
            number = w.splat(w.load(w.at(u, place), 1), width)
            return lambda lane: number
        start = w.lanes_of(v, place, lanes)
        return lambda lane: w.load(w.at(start, lane), width)

    count = reader()
    flag = reader() if conditional else None
    first = [reader() for _ in range(states)]
    captured = [reader() for _ in loop.captured.slots]
    out = following()
    columns = []
    for _ in loop.columns:
        stack = Stack(w, u, following(), following(), varies=next(kinds) == "v")
        columns.append((stack, following()))
    kept = Stack(w, u, following(), following(), varies=loop.varies) if loop.kept >= 0 else None

    with w.loop(word(0), lanes if loop.varies else word(1), word(width)) as lane:
        around = [read(lane) for read in captured]
        steps = _largest(w, count(lane))
        goes_on = ALWAYS if flag is None else _any(w, flag(lane))
        held = [read(lane) for read in first]
        with w.loop(word(0), steps, word(1), *held, goes_on=goes_on) as turn:
            k = turn.i
            if loop.reverse:
                k = w.build.sub(w.build.sub(steps, word(1)), k)
            leaves = [*turn.values]
            leaves += [stack.load(lane, k, column, width) for stack, column in columns]
            if loop.indexed:
                leaves.append(w.splat(w.build.sitofp(k, w.number), width))
            leaves += around
            results = write_straight(w, width, step, leaves.__getitem__)
            turn.following = results[:states]
            if flag is not None:
                turn.goes_on = _any(w, results[states])
            if kept is not None:
                for column, result in enumerate(results[states + conditional :]):
                    w.store(result, kept.at(lane, k, word(column)))
        if kept is not None:
            kept.note(turn.i)
        done = w.splat(w.build.sitofp(turn.i, w.number), width)
        for i, result in enumerate([*turn.values, done]):
            place = w.build.add(out, word(i))
            w.store(
                result, w.at(w.lanes_of(v, place, lanes), lane) if loop.varies else w.at(u, place)
            )
    return w.finished()


# -------------------------------------------------------------------------- by rows of instructions

COUNT, PLACES, STACK, COLUMNS, COLUMN, INDEX, APART = range(1, 8)  # words of `move`
CODE, ROWS, LIMIT, FLAG, DONE = range(7, 12)  # further words of `loop`


def move(w: Writer, spec: Spec) -> str:
    """Write code that moves numbers between rows and evenly spaced columns of a stack.

    PLACES is a table of the places of the rows. COLUMN is the first column, and APART how far the
    columns are apart. `operands` has the space of the rows, then that of the stack. INDEX is the
    place in `u` of the number of the step or, in a mode that begins with `fixed`, that number. The
    mode ends with what is done: `take` copies from the stack to the rows, and `keep` the other way;
    `give` adds to what `keep` has read, and `send` to what `take` has.
    """
    row, u, v, lanes = w.kernel()
    build = w.build
    count, address, at, columns, column, index, apart = w.words(
        row, COUNT, PLACES, STACK, COLUMNS, COLUMN, INDEX, APART
    )
    places, mode = w.pointer(address), spec.mode
    own, of_stack = (kind == "v" for kind in spec.operands)
    width = w.width if own or of_stack else 1
    stack = Stack(w, u, at, columns, varies=of_stack)
    k = index
    if not mode.startswith("fixed"):
        k = build.fptosi(w.load(w.at(u, index), 1), WORD)

    def load(pointer: Any, varies: bool) -> Any:
        found = w.load(pointer, width if varies else 1)
        return found if varies else w.splat(found, width)

    def add(share: Any, pointer: Any, varies: bool) -> None:
        share = share if varies else w.total(share)
        w.store(build.fadd(w.load(pointer, width if varies else 1), share), pointer)

    # The columns of a vector of lanes lie together on a stack.
    most = lanes if own or of_stack else word(1)
    with w.loop(word(0), most, word(width)) as lane, w.range(count) as i:
        place = build.load(w.at(places, i))
        rows = w.at(w.lanes_of(v, place, lanes), lane) if own else w.at(u, place)
        held = stack.at(lane, k, build.add(column, w.times(i, apart)))
        if mode.endswith("take"):
            w.store(load(held, of_stack), rows)
        elif mode.endswith("keep"):
            w.store(load(rows, own), held)
        elif mode.endswith("give"):
            add(load(held, of_stack), rows, own)
        else:
            add(load(rows, own), held, of_stack)
    return w.finished()


def move_run(w: Writer, spec: Spec) -> str:
    """Do the same for neighbours in `u` and in a stack of `u`; PLACES is the place of the first."""
    row, u, _, _ = w.kernel()
    count, place, at, columns, column, index = w.words(
        row, COUNT, PLACES, STACK, COLUMNS, COLUMN, INDEX
    )
    stack = Stack(w, u, at, columns, varies=False)
    k = index
    if not spec.mode.startswith("fixed"):
        k = w.build.fptosi(w.load(w.at(u, index), 1), WORD)
    rows, held = w.at(u, place), stack.at(word(0), k, column)
    into, read = (rows, held) if spec.mode.endswith(("take", "give")) else (held, rows)

    def body(i: Any, width: int) -> None:
        found = w.load(w.at(read, i), width)
        if spec.mode.endswith(("give", "send")):
            found = w.build.fadd(w.load(w.at(into, i), width), found)
        w.store(found, w.at(into, i))

    w.in_steps(count, (4 * w.width, w.width, 1), body)
    return w.finished()


def clear(w: Writer, spec: Spec) -> str:
    """Write code that sets all of a stack to zero; `operands` has its space."""
    row, u, _, lanes = w.kernel()
    at, columns = w.words(row, STACK, COLUMNS)
    varies = spec.operands == "v"
    stack = Stack(w, u, at, columns, varies=varies)
    size = w.times(stack.room, columns)
    w.clear(stack.numbers, w.times(size, lanes) if varies else size)
    return w.finished()


def note(w: Writer, spec: Spec) -> str:
    """Write code that records on a stack how many steps were done, the number at DONE."""
    row, u, _, _ = w.kernel()
    at, done = w.words(row, STACK, DONE)
    steps = w.build.fptosi(w.load(w.at(u, done), 1), WORD)
    Stack(w, u, at, word(0), varies=False).note(steps)
    return w.finished()


def loop(w: Writer, spec: Spec) -> str:
    """Write code that runs rows of code again and again.

    `operands` has the spaces of the count and of the flag. `mode` has "r" for a loop that counts
    down, and "f" for one with a flag.
    """
    run = write_run(w)
    row, u, v, lanes = w.kernel()
    code, rows, limit, index, done = w.words(row, CODE, ROWS, LIMIT, INDEX, DONE)
    build = w.build

    def over_lanes(kind: str, place: Any, start: Any, add: Callable[[Any, Any], Any]) -> Any:
        if kind == "u":
            return add(start, w.load(w.at(u, place), 1))
        numbers = w.lanes_of(v, place, lanes)
        with w.loop(word(0), lanes, word(w.width), start) as turn:
            turn.following = [add(turn.values[0], w.load(w.at(numbers, turn.i), w.width))]
        return turn.values[0]

    def larger(most: Any, numbers: Any) -> Any:
        return _larger(w, most, _largest(w, numbers))

    steps = over_lanes(spec.operands[0], limit, word(0), larger)
    none = ir.Constant(ir.IntType(1), 0)

    def flagged() -> Any:
        (flag,) = w.words(row, FLAG)
        return over_lanes(spec.operands[1], flag, none, lambda a, b: build.or_(a, _any(w, b)))

    goes_on = flagged() if "f" in spec.mode else ALWAYS
    with w.loop(word(0), steps, word(1), goes_on=goes_on) as turn:
        k = build.sub(build.sub(steps, word(1)), turn.i) if "r" in spec.mode else turn.i
        w.store(build.sitofp(k, w.number), w.at(u, index))
        build.call(run, [w.pointer(code), rows, u, v, lanes])
        if "f" in spec.mode:
            turn.goes_on = flagged()
    w.store(build.sitofp(turn.i, w.number), w.at(u, done))
    return w.finished()
