"""Derives the backward pass of a program: instructions of the same kinds, over adjoints.

Every slot has another one for its adjoint, in the same space. The adjoints of the inputs of a
matrix product are a product with the transposed matrix, those of the matrix a product of the
adjoints and the inputs; those of the factors of a sum are sums; and an operation gives a flow to
each operand. Executors run these instructions forwards, as they run those of the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np

from micrograd.compiler.program.active import Active, active
from micrograd.compiler.program.adjoints import Adjoints, no_factors
from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import (
    SUM,
    Elementwise,
    Lookup,
    Mode,
    Product,
    Scatter,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import (
    Elements,
    Loop,
    LoopBack,
    Pack,
    Send,
    Unpack,
    column_runs,
)
from micrograd.compiler.program.program import Instruction, Program, slots_read
from micrograd.compiler.program.slots import Operand, rows_of, slots_of
from micrograd.ops import Operation
from micrograd.table.formulas import ADJOINT, RESULT


class Reverse(NamedTuple):
    """The backward pass of a program with one output.

    The adjoints of stack n are another one, with the number n plus the number of stacks.

    Args:
        instructions: in order; those of `v` come before those of `u`, if an executor runs them
            apart. The adjoint of the output is given.
        cleared: slots of `u`, of adjoints that must be 0 at first, if the program is not batched;
            otherwise all of `u` must be, and in any case those of stacks.
        zeroed: the same of `v`.
        active: which adjoints are needed.
    """

    instructions: tuple[Instruction, ...]
    cleared: tuple[slice, ...]
    zeroed: tuple[slice, ...]
    active: Active


def reverse(program: Program, *, inputs: bool, first: tuple[int, int] | None = None) -> Reverse:
    """Return the backward pass of a program.

    Args:
        program: the program; it has one output, and its loops can be followed backwards (see
            `micrograd.compiler.loops.following`).
        inputs: whether the adjoints of the inputs are asked for; those of the parameters always
            are.
        first: the slots of `u` and of `v` of the first adjoints; by default, those after the last
            slots of the program.
    """
    found = _Reverse(program, active(program, inputs), first or (program.uniform, program.varying))
    # Gradients are read in any case; as 0 plus something, none of them is -0.
    found._touch(False, slice(0, program.first_constant))
    for instruction in reversed(program.instructions):
        found.go_back(instruction)
    cleared, zeroed = (tuple(found.runs_of_zeros(varies=varies)) for varies in (False, True))
    return Reverse(tuple(found.instructions), cleared, zeroed, found.active)


class _Reverse(Adjoints):
    """The instructions of the backward pass as far as they are known."""

    def go_back(self, step: Instruction) -> None:
        """Add the instructions that pass the adjoints of a step on."""
        if not self.active.reaches(step):
            return
        if isinstance(step, Tape):
            self._tape(step)
        self._touch(step.varies, step.out)
        match step:
            case Elementwise():
                self._flows(step)
            case Product():
                self._product(step)
            case WeightedSums():
                self._sums(step)
            case Lookup():
                self._lookup(step)
            case Pack(varies=varies, out=out, stack=stack, places=places, columns=columns):
                self._touch_places(places)
                chosen, moved = self.active.at(places), self._adjoints(places)
                stack = self._slopes(stack)
                self.instructions.append(Unpack(varies, out, stack, moved, columns, chosen))
            case Elements(varies=varies, out=out, stack=stack):
                entries = step._replace(out=self._adjoint(varies, out), stack=self._slopes(stack))
                self.instructions.append(Send(varies, slice(0, 0), entries))
            case Loop():
                self._loop(step)

    # ---------------------------------------------------------------------------- the instructions

    def _flows(self, step: Elementwise) -> None:
        varies, out, _, operands, _ = step
        row, g = cast("Operation", step.operation), self._adjoint(varies, out)
        names = dict(zip(row.operands, operands, strict=True))
        names |= {RESULT: Operand(varies, out), ADJOINT: Operand(varies, g)}
        for place, (space, rows) in enumerate(operands):
            if row.flow(place) is None or not self._is_active(space, rows):
                continue
            flow = Flow(row, place)
            read = tuple(names[name] for name in flow.operands)
            if not space and not isinstance(rows, slice):  # constants may be among them
                chosen = self.active.u[rows]
                if not chosen.all():
                    rows = rows_of(rows[chosen])
                    read = tuple(Operand(x.varies, rows_of(slots_of(x.rows)[chosen])) for x in read)
            mode = self._mode(varies, space, rows)
            self.instructions.append(
                Elementwise(varies, self._adjoint(space, rows), flow, read, mode)
            )

    def _product(self, step: Product) -> None:
        varies, _, matrix, inputs, bias, _ = step
        (rows, _), vectors = matrix.shape, len(inputs)
        g = (slots_of(step.out) + self.first[varies]).reshape(vectors, rows)
        for space, slots, factor, adjoints in (
            (varies, inputs, matrix.T, g),
            (False, matrix, inputs.T, g.T),
        ):
            if self._is_active(space, slots):
                into = rows_of(slots.ravel())
                if not space:  # kernels of products in `u` add to what there is
                    self._touch(space, into)
                mode = self._mode(varies, space, into)
                out = self._adjoint(space, into)
                self.instructions.append(Product(varies, out, factor, adjoints, None, mode))
        if bias is not None and self._is_active(False, bias):
            start, sign = np.arange(rows) * vectors, np.ones(g.size)
            self._add_sums(varies, False, slots_of(bias), start, sign, g.T.ravel())

    def _sums(self, step: WeightedSums) -> None:
        """Add a sum for each factor, whose terms are adjoints times the other factors."""
        adjoints = np.repeat(slots_of(step.out), np.diff(step.bounds)) + self.first[step.varies]
        for space in (True, False):
            slots, term, side = self._factors(step, space)
            order = np.lexsort((side, term, slots))
            slots, term, side = slots[order], term[order], side[order]
            if len(slots):
                out, start = np.unique(slots, return_index=True)
                others = _others(step, term, side)
                sign = step.sign[term]
                self._add_sums(step.varies, space, out, start, sign, adjoints[term], others)

    def _factors(self, step: WeightedSums, space: bool) -> tuple[Any, Any, Any]:
        """Return the active factors in a space: their slots, terms, and sides (0 is left)."""
        found = [self._chosen(*each, space) for each in step.sides]
        slots = [held[part] for (held, _), part in zip(step.sides, found, strict=True)]
        sides = [np.full(len(part), side) for side, part in enumerate(found)]
        return np.concatenate(slots), np.concatenate(found), np.concatenate(sides)

    def _chosen(self, slots: Any, kinds: Any, space: bool) -> Any:
        """Return the places of the slots that are in a space and active."""
        (found,) = ((slots >= 0) & (kinds == space)).nonzero()
        return found[self.active[space][slots[found]]]

    # ------------------------------------------------------------------------- lookups and loops

    def _lookup(self, step: Lookup) -> None:
        varies, _, at, space, table = step
        if not self._is_active(space, table):
            return
        self._touch(space, table.ravel())
        into, read = table + self.first[space], self._adjoint(varies, step.out)
        mode: Mode = "total" if varies and not space else "add"
        out = rows_of(np.unique(into))
        self.instructions.append(Scatter(varies, out, at, into, read, mode))

    def _loop(self, loop: Loop) -> None:
        """Add a loop over the steps that were done, whose body is the backward pass of the body.

        The adjoints of the states after a step are where those of the results were.
        """
        varies, states = loop.varies, len(loop.first.slots)
        own, after = slice(loop.states.start, loop.out.start), slots_of(loop.out)[:states]
        step = _Reverse(self.program, self.active, self.first, Operand(varies, own))
        given = None
        if loop.kept >= 0 and self.active.stacks[loop.kept].any():
            step._touch_places(loop.outputs)
            chosen = self.active.at(loop.outputs)
            given = self._slopes(loop.kept), self._adjoints(loop.outputs), chosen
        step._pass(varies, after, loop.following)
        for each in reversed(loop.body):
            step.go_back(each)
        sent = [
            (_within(rows, loop.inputs), stack, columns)
            for rows, stack, columns in column_runs(loop.columns)
            if self.active.stacks[stack][columns].any()
        ]
        for rows in (loop.states, *(rows for rows, _, _ in sent)):
            step._touch(varies, rows)
        terms = np.ones(states), slots_of(loop.states) + self.first[varies], np.full(states, varies)
        out, start = self._adjoint(varies, rows_of(after)), np.arange(states)
        sums = WeightedSums(varies, out, start, *terms, *no_factors(states), "first")
        step.instructions.append(sums)
        zeroed = step.runs_of_zeros(varies=varies)
        if self.program.batched and not varies:
            zeroed = [self._adjoint(False, own)]
        self.instructions.append(
            LoopBack(
                varies,
                slice(0, 0),
                loop,
                tuple(step.instructions),
                own,
                step._values_read(loop, own),
                tuple(zeroed),
                given,
                tuple(
                    (self._adjoint(varies, rows), self._slopes(stack), columns)
                    for rows, stack, columns in sent
                ),
            )
        )
        self._touch_places(loop.captured)
        self._pass(varies, after, loop.first)

    def _values_read(self, loop: Loop, own: slice) -> Any:
        """Return the slots of a step, apart from its inputs, whose values are read."""
        read = np.zeros(loop.out.start, bool)
        for each in self.instructions:
            for slots, kinds in slots_read(each):
                chosen = (kinds == loop.varies) & (slots >= own.start) & (slots < own.stop)
                read[slots[chosen]] = True
        read[loop.inputs] = False
        return np.flatnonzero(read)

    # --------------------------------------------------------------------------------------- tapes

    def _tape(self, tape: Tape) -> None:
        """Add a tape with a step for each operand and factor that an adjoint is passed to."""
        flows: list[Flow] = []
        found = [*self._flows_of_steps(tape, flows), *self._terms_of_steps(tape)]
        if not found:
            return
        columns = [np.concatenate(column) for column in zip(*found, strict=True)]
        order = np.lexsort((columns[1], -columns[0]))  # the last step first
        step, _, code, slots, spaces, read, kinds, sign, other, other_varies = (
            column[order] for column in columns
        )
        varies, summed = tape.varies, code == SUM
        modes = np.where(spaces | (not varies), "add", "total")
        # Whatever passes an adjoint to a step comes before what reads that.
        rows, first = np.unique(slots[spaces], return_index=True)
        modes[np.flatnonzero(spaces)[first[~self._stored[True][rows]]]] = "first"
        self._stored[True][rows] = True
        self._touch(False, slots[~spaces])
        terms = WeightedSums(
            varies,
            slice(0, 0),
            np.zeros(0, np.intp),
            sign[summed],
            tape.out.start + self.first[varies] + step[summed],
            np.full(int(summed.sum()), varies),
            other[summed],
            other_varies[summed],
        )
        self.instructions.append(
            Tape(
                varies,
                slots + np.where(spaces, self.first[True], self.first[False]),
                tuple(flows),
                code,
                read,
                kinds,
                np.concatenate(([0], np.cumsum(summed))),
                terms,
                modes,
            )
        )

    def _flows_of_steps(self, tape: Tape, flows: list[Flow]) -> Iterator[tuple[Any, ...]]:
        """Yield columns of steps that apply a flow, which is added to `flows`.

        The columns are: the step of the tape and what comes first among its adjoints; the code; the
        slot and the space that the adjoint is passed to; the operands; and those of a term.
        """
        width = _width_of_flows(tape)
        for code in np.unique(tape.code[tape.code != SUM]).tolist():
            row = cast("Operation", tape.operations[code])
            steps = np.flatnonzero(tape.code == code)
            for place in range(row.arity):
                slots, kinds = tape.operands[steps, place], tape.operands_vary[steps, place]
                parts = [self._chosen(slots, kinds, space) for space in (False, True)]
                chosen = np.sort(np.concatenate(parts))
                if row.flow(place) is None or not len(chosen):
                    continue
                flows.append(Flow(row, place))
                step, count = steps[chosen], len(chosen)
                own = tape.out.start + step
                columns = dict(zip(row.operands, tape.operands[step].T, strict=False))
                columns |= {RESULT: own, ADJOINT: own + self.first[tape.varies]}
                spaces = dict(zip(row.operands, tape.operands_vary[step].T, strict=False))
                read, in_v = np.full((count, width), -1), np.zeros((count, width), bool)
                for i, name in enumerate(flows[-1].operands):
                    read[:, i], in_v[:, i] = columns[name], spaces.get(name, tape.varies)
                numbers = (np.full(count, each) for each in (place, len(flows) - 1))
                term = np.zeros(count), *no_factors(count)
                yield step, *numbers, slots[chosen], kinds[chosen], read, in_v, *term

    def _terms_of_steps(self, tape: Tape) -> Iterator[tuple[Any, ...]]:
        """Yield the same columns for the factors of sums."""
        terms, steps = tape.terms, np.repeat(np.arange(len(tape.code)), np.diff(tape.bounds))
        width = _width_of_flows(tape)
        for space in (False, True):
            slots, term, side = self._factors(terms, space)
            count = len(slots)
            yield (
                steps[term],
                2 * term + side,
                np.full(count, SUM),
                slots,
                np.full(count, space),
                np.full((count, width), -1),
                np.zeros((count, width), bool),
                terms.sign[term],
                *_others(terms, term, side),
            )


def _width_of_flows(tape: Tape) -> int:
    """Return the most operands of a flow: those of its operation, the result and the adjoint."""
    width: int = tape.operands.shape[1] + 2
    return width


def _others(sums: WeightedSums, term: Any, side: Any) -> tuple[Any, Any]:
    """Return the other factors of terms, and which of them are in `v`."""
    other = np.where(side == 0, sums.right[term], sums.left[term])
    return other, np.where(side == 0, sums.right_varies[term], sums.left_varies[term])


def _within(rows: slice, outer: slice) -> slice:
    """Return some of the rows of a slice as slots."""
    return slice(outer.start + rows.start, outer.start + rows.stop)
