"""Instructions that repeat themselves, as a loop of JAX: each turn is done on slots further on.

XLA then compiles the steps of a recurrent network once. Unrolled, they take long to compile. And on
a processor, XLA computes a chain of products and sums anew for each result that reads it, such as
the adjoint of the state of an LSTM: the time grows as the square of the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.program.instructions import Elementwise, Fold, Product, WeightedSums
from micrograd.compiler.program.loop_instructions import Loop
from micrograd.compiler.program.program import Program, slots_read
from micrograd.compiler.program.slots import Operand, in_spaces, rows_of, runs, slots_of

FEWEST_TURNS = 8
LEAST_SAVED = 32  # instructions; a turn of a loop takes some microseconds
LONGEST_TURN = 128  # instructions


class Repeat(NamedTuple):
    """Instructions that are done `turns` times.

    In the body, the slots up to the first result are those of the program. Then follow the states,
    the numbers that are read anew for each turn, and the results of the turn.
    """

    varies: bool
    out: slice  # the results of all turns
    turns: int
    body: tuple[Any, ...]
    first: Any  # the slots of the states before the first turn
    following: Any  # and in the body, after a turn
    fed: Any  # the slots that are read anew: a row for each turn
    kept: Any  # the results of a turn that are read later, counted from its first one
    states: Any  # which states those are, or None if results of other turns than the last are read


def rolled(program: Program) -> Program:
    """Return a program in which instructions that repeat themselves many times are loops."""
    if any(isinstance(each, Loop) for each in program.instructions):
        return program
    outputs = [
        np.array([slot for varies, slot in program.outputs if varies == space], np.intp)
        for space in (False, True)
    ]
    return program._replace(instructions=tuple(_rolled(program.instructions, outputs)))


def _rolled(steps: Sequence[Any], later: Sequence[Any]) -> Iterator[Any]:
    """Yield instructions, with those that repeat themselves as one where that saves most.

    Args:
        steps: instructions that follow one another.
        later: the slots of `u` and of `v` that are read after them.
    """
    best = _longest(steps)
    if best is None:
        yield from steps
        return
    start, length, turns = best
    stop = start + length * turns
    read = [each for step in steps[stop:] for each in slots_read(step)]
    after = [
        np.concatenate([found, *(slots[kinds == space] for slots, kinds in read)])
        for space, found in zip((False, True), later, strict=True)
    ]
    joined = _joined(steps[start : start + 2 * length], turns, after)
    if joined is None:
        yield from steps
        return
    yield from steps[:start]
    yield joined
    yield from _rolled(steps[stop:], later)


def _longest(steps: Sequence[Any]) -> tuple[int, int, int] | None:
    """Return the first instruction, their number in a turn, and the turns, where that saves most.

    The same instructions follow one another, and all their slots move on evenly.
    """
    numbers: dict[Any, int] = {}
    kinds = np.array([numbers.setdefault(_kind(each), len(numbers)) for each in steps])
    saved, best = LEAST_SAVED - 1, None
    for length in range(1, min(LONGEST_TURN, len(steps) // FEWEST_TURNS) + 1):
        for alike in runs(kinds[length:] == kinds[:-length]):
            most = alike.stop - alike.start  # instructions that may be saved here
            if most <= saved or most < (FEWEST_TURNS - 1) * length:
                continue
            moves = [_moves(steps[i], steps[i + length]) for i in range(alike.start, alike.stop)]
            even = np.array([a == b for a, b in zip(moves, moves[length:], strict=False)])
            for each in runs(even):
                turns = (each.stop - each.start) // length + 2
                if turns >= FEWEST_TURNS and (turns - 1) * length > saved:
                    saved, best = (turns - 1) * length, (alike.start + each.start, length, turns)
    return best


def _kind(step: Any) -> Any:
    """Return what instructions share that differ only in their slots."""
    count = step.out.stop - step.out.start
    common = (
        type(step),
        step.varies,
        count,
        *((len(slots), kinds.tobytes()) for slots, kinds in slots_read(step)),
    )
    match step:
        case Elementwise(operation=row):
            return *common, row
        case Product(matrix=matrix, bias=bias):
            return *common, matrix.shape, bias is None
        case WeightedSums(start=start, sign=sign, right=right):
            return *common, (start - start[:1]).tobytes(), sign.tobytes(), (right < 0).tobytes()
        case Fold(operation=row, start=start):
            return *common, row, (start - start[:1]).tobytes()
    return id(step)


def _moves(step: Any, other: Any) -> Any:
    """Return by how much the slots of two instructions of a kind differ."""
    pairs = zip(slots_read(step), slots_read(other), strict=True)
    return other.out.start - step.out.start, *((b - a).tobytes() for (a, _), (b, _) in pairs)


def _joined(steps: Sequence[Any], turns: int, later: Sequence[Any]) -> Repeat | None:
    """Return two turns of the same instructions, and those that follow, as one; None if not."""
    half = len(steps) // 2
    pairs = [*zip(steps[:half], steps[half:], strict=True)]
    varies, start, stop = steps[0].varies, steps[0].out.start, steps[half].out.start
    size = stop - start
    states: set[int] = set()
    fed: set[tuple[int, int]] = set()
    for step, other in pairs:
        if step.varies != varies or other.out.start - step.out.start != size:
            return None
        for (slots, kinds), (moved, _) in zip(slots_read(step), slots_read(other), strict=True):
            moves = moved - slots
            own = (kinds == varies) & (slots >= start)
            if (moves[own] != size).any() or moves[(kinds != varies)].any():
                return None
            chosen = (kinds == varies) & ~own & (moves != 0)
            for slot, move in {*zip(slots[chosen].tolist(), moves[chosen].tolist(), strict=True)}:
                if move == size and slot + size >= start:
                    states.add(slot)
                elif 0 <= slot + move * (turns - 1) < start:
                    fed.add((slot, move))
                else:
                    return None
    return _repeat(pairs, size, turns, sorted(states), sorted(fed), later[varies] - start)


def _repeat(
    pairs: Sequence[Any], size: int, turns: int, states: Any, fed: Any, later: Any
) -> Repeat:
    """Return a repetition; see `_joined`. `later` counts from the first result on."""
    varies, start = pairs[0][0].varies, pairs[0][0].out.start
    held = start + len(states) + len(fed)  # the first result in the body
    new = {(slot, size): start + i for i, slot in enumerate(states)}
    new |= {each: start + len(states) + i for i, each in enumerate(fed)}

    def moved(space: bool, rows: Any, other: Any) -> Any:
        slots = slots_of(rows)
        if space != varies:
            return slots
        found = np.where(slots >= start, slots + (held - start), slots)
        moves = slots_of(other) - slots
        for i in np.flatnonzero((slots < start) & (moves != 0)).tolist():
            found[i] = new[int(slots[i]), int(moves[i])]
        return found

    body = tuple(_in_body(step, other, moved, held - start) for step, other in pairs)
    following = np.array(states, np.intp) + size - start
    later = np.unique(later[(later >= 0) & (later < size * turns)])
    last = later - size * (turns - 1)
    kept = np.unique(later % size)
    places = {result: i for i, result in enumerate(following.tolist())}
    from_states = all(each in places for each in last.tolist())
    return Repeat(
        varies,
        slice(start, start + size * turns),
        turns,
        body,
        np.array(states, np.intp),
        held + following,
        np.array([[slot + move * turn for slot, move in fed] for turn in range(turns)], np.intp),
        kept,
        np.array([places[each] for each in last.tolist()], np.intp) if from_states else None,
    )


def _in_body(step: Any, other: Any, moved: Callable[..., Any], shift: int) -> Any:
    """Return an instruction of the first turn as it is in the body; `other` is the next turn's."""
    step = step._replace(out=slice(step.out.start + shift, step.out.stop + shift))
    match step:
        case Elementwise(operands=operands):
            read = zip(operands, other.operands, strict=True)
            rows = (Operand(a.varies, rows_of(moved(a.varies, a.rows, b.rows))) for a, b in read)
            return step._replace(operands=tuple(rows))
        case Product(varies=varies, matrix=matrix, inputs=inputs, bias=bias):
            if bias is not None:
                bias = rows_of(moved(False, bias, other.bias))
            return step._replace(
                matrix=moved(False, matrix.ravel(), other.matrix.ravel()).reshape(matrix.shape),
                inputs=moved(varies, inputs.ravel(), other.inputs.ravel()).reshape(inputs.shape),
                bias=bias,
            )
        case Fold(varies=varies, slots=slots):
            return step._replace(slots=moved(varies, slots, other.slots))
    found = {}
    for name in ("left", "right"):
        slots, kinds = getattr(step, name), getattr(step, f"{name}_varies")
        found[name] = slots.copy()
        for space, chosen in in_spaces(kinds, slots >= 0):
            found[name][chosen] = moved(space, slots[chosen], getattr(other, name)[chosen])
    return step._replace(**found)
