"""Loops and stacks by JAX: `lax.scan` or `lax.while_loop`, for which XLA compiles the step once.

A stack is an array of shape (steps, columns), or (steps, columns, lanes).
"""

from __future__ import annotations

from copy import copy
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from micrograd.compiler.jax.patterns import runs
from micrograd.compiler.jax.rolling import Repeat
from micrograd.compiler.jax.spaces import Cuts, Space
from micrograd.compiler.program.instructions import Product
from micrograd.compiler.program.loop_instructions import Elements, Loop, Pack, column_runs
from micrograd.compiler.program.program import Program, with_bodies
from micrograd.compiler.program.slots import Places, in_spaces, rows_of

_PASSED = (
    256  # in each turn, a slice of a larger result would be a sum with padding on the way back
)


def add_loop(run: Any, instruction: Loop | Pack | Elements | Repeat) -> None:
    """Add the results of an instruction.

    Args:
        run: a run of a program: `spaces` has the rows of each space so far, `stacks` those that
            were made, `factors` the matrices and biases of products in loops, which
            `product_factors` gathers,
            `add(instructions)` computes more results, `room` is the number of steps that
            a stack of unknown length has room for, and `needed` how many there were at most.
        instruction: the instruction.
    """
    match instruction:
        case Pack(varies=varies, stack=stack, places=places, shape=shape):
            rows = _read(run, places, varies)
            run.stacks[stack] = rows.reshape(*shape, *rows.shape[1:])
        case Elements(varies=varies, stack=stack, steps=steps, columns=columns):
            run.spaces[varies].append(run.stacks[stack][steps, columns])
        case Loop():
            _loop(run, instruction)
        case Repeat():
            _repeat(run, instruction)


def _read(run: Any, places: Places, wide: bool) -> Any:
    """Return numbers, each with an axis of lanes if `wide` is true."""
    parts, order = [], []
    for varies, chosen in in_spaces(places.varies):
        rows = _rows(run.spaces[varies], places.slots[chosen])
        rows = jnp.broadcast_to(rows, (len(chosen), *rows.shape[1:]))
        parts.append(rows[:, None] if wide and not varies else rows)
        order.append(chosen)
    if not parts:
        return jnp.zeros((0, *run.lanes) if wide else 0, run.dtype)
    if wide:
        parts = [jnp.broadcast_to(part, (len(part), *run.lanes)) for part in parts]
    together = parts[0] if len(parts) == 1 else jnp.concatenate(parts)
    return together[np.argsort(np.concatenate(order))] if len(parts) > 1 else together


def _rows(space: Any, slots: Any) -> Any:
    """Return rows of a space; evenly spaced ones, such as one entry of each input, by a slice."""
    steps = np.unique(np.diff(slots))
    if len(steps) == 1 and steps[0] > 0:
        return space.read(slice(int(slots[0]), int(slots[-1]) + 1))[:: int(steps[0])]
    return space.read(rows_of(slots))


def _steps(count: Any) -> Any:
    """Return the largest number of steps of all lanes, rounded up; none for nan."""
    most = jnp.ceil(jnp.max(jnp.where(count > 0, count, 0.0), initial=0.0))
    return jnp.minimum(most, 2.0**31 - 129).astype(jnp.int32)  # a number that float32 has, too


def are_differentiable(program: Program) -> bool:
    """Return whether JAX can differentiate all loops, which needs a known number of steps."""
    loops = (each for each in with_bodies(program.instructions) if isinstance(each, Loop))
    return all(each.length is not None for each in loops)


def _loop(run: Any, loop: Loop) -> None:
    first = _read(run, loop.first, wide=loop.varies)
    for each in loop.body:
        if loop.varies and isinstance(each, Product):
            run.factors[id(each)] = run.product_factors(each)
    done, states = (_while if loop.length is None else _scan)(run, loop, first)
    number = jnp.broadcast_to(done.astype(run.dtype), (1, *states.shape[1:]))
    _fill(run, loop.varies, loop.out.start)
    run.spaces[loop.varies].append(jnp.concatenate([states, number]))


def _scan(run: Any, loop: Loop, first: Any) -> tuple[Any, Any]:
    """Return the number of steps and the last states of a loop of a known number of steps."""
    blocks = column_runs(loop.columns)
    columns = [run.stacks[stack][: loop.length, across] for _, stack, across in blocks]
    parts = _carried(run.cuts, loop.varies, loop.states)
    following = [Places(*(each[part] for each in loop.following)) for part in parts]

    def step(carried: Any, inputs: Any) -> Any:
        body = _body(run, loop, carried[0], inputs)
        outputs = _read(body, loop.outputs, wide=loop.varies) if loop.kept >= 0 else None
        needed = jnp.maximum(carried[1], body.needed)
        return ([_read(body, each, wide=loop.varies) for each in following], needed), outputs

    (states, run.needed), kept = lax.scan(
        step,
        ([first[part] for part in parts], run.needed),
        columns,
        length=loop.length,
        reverse=loop.reverse,
    )
    if loop.kept >= 0:
        run.stacks[loop.kept] = kept
    return jnp.asarray(loop.length), jnp.concatenate(states)


def _while(run: Any, loop: Loop, first: Any) -> tuple[Any, Any]:
    """Return the number of steps and the last states of a loop that may end at any step."""
    varies = loop.varies
    count = _steps(_read(run, loop.limit, wide=varies))
    goes_on, kept = jnp.bool_(True), None
    if loop.goes_on is not None:
        goes_on = (_read(run, loop.goes_on, wide=varies) != 0).any()
    if loop.kept >= 0:
        shape = (run.room, len(loop.outputs.slots), *(run.lanes if varies else ()))
        kept = jnp.zeros(shape, run.dtype)

    def step(carried: Any) -> Any:
        done, _, states, kept, needed = carried
        k = count - 1 - done if loop.reverse else done
        blocks = column_runs(loop.columns)
        inputs = [run.stacks[stack][k, across] for _, stack, across in blocks]
        if loop.indexed:
            inputs.append(k.astype(run.dtype)[None])
        body = _body(run, loop, [states], inputs)
        holds = jnp.bool_(True)
        if loop.holds is not None:
            holds = (_read(body, loop.holds, wide=varies) != 0).any()
        if kept is not None:
            kept = kept.at[k].set(_read(body, loop.outputs, wide=varies), mode="drop")
        following = _read(body, loop.following, wide=varies)
        return done + 1, holds, following, kept, jnp.maximum(needed, body.needed)

    done, _, states, kept, run.needed = lax.while_loop(
        lambda carried: (carried[0] < count) & carried[1],
        step,
        (jnp.int32(0), goes_on, first, kept, run.needed),
    )
    if kept is not None:
        run.stacks[loop.kept] = kept
        run.needed = jnp.maximum(run.needed, done)
    return done, states


def _carried(cuts: Cuts, varies: bool, states: slice) -> list[slice]:
    """Return the parts in which the states of a loop are carried: those that its body reads.

    XLA would compute twice what is joined.
    """
    ends = [states.start, *cuts.within(varies, states), states.stop]
    return [slice(a - states.start, b - states.start) for a, b in pairwise(ends)]


def _body(run: Any, loop: Loop, states: Any, inputs: Any) -> Any:
    """Return a run that has done the body of a loop once, without changing the run around it."""
    body = _inside(run)
    space = body.spaces[loop.varies]
    _fill(body, loop.varies, loop.states.start)
    for each in states:
        space.append(each)
    if inputs:
        if loop.varies:
            inputs = [each if each.ndim > 1 else each[:, None] for each in inputs]
            inputs = [jnp.broadcast_to(each, (len(each), *run.lanes)) for each in inputs]
        space.append(inputs[0] if len(inputs) == 1 else jnp.concatenate(inputs))
    body.add(loop.body)
    return body


def _inside(run: Any) -> Any:
    """Return a run that continues another one without changing it."""
    inner = copy(run)
    inner.inside = True
    inner.spaces = {varies: _copied(space) for varies, space in run.spaces.items()}
    inner.stacks = {**run.stacks}
    inner.needed = jnp.int32(0)
    return inner


def _copied(space: Any) -> Any:
    made = copy(space)
    for name, each in vars(space).items():
        if isinstance(each, list | dict):
            setattr(made, name, copy(each))
    return made


def _fill(run: Any, varies: bool, slot: int) -> None:
    """Fill the slots up to this one, which are those of the bodies of loops and not read here."""
    space = run.spaces[varies]
    if space.size < slot:
        shape = (slot - space.size, *(run.lanes if varies else ()))
        space.append(jnp.zeros(shape, run.dtype))


def _repeat(run: Any, repeat: Repeat) -> None:
    """Add the results of a repetition; those that are not read are zeros."""
    varies, turns, kept = repeat.varies, repeat.turns, repeat.kept
    space, lanes = run.spaces[varies], run.lanes if varies else ()
    for each in repeat.body:
        if varies and isinstance(each, Product):
            run.factors[id(each)] = run.product_factors(each)
    cuts = Cuts(run.program._replace(instructions=repeat.body, outputs=()), passed=_PASSED)

    def read(run: Any, slots: Any) -> Any:
        found = run.read(varies, rows_of(slots), False) if len(slots) else jnp.zeros(0, run.dtype)
        wide = len(found.shape) > 1 or not lanes
        return jnp.broadcast_to(found if wide else found[:, None], (len(slots), *lanes))

    parts = _carried(cuts, varies, slice(space.size, space.size + len(repeat.first)))

    def turn(states: Any, fed: Any) -> Any:
        body = _inside(run)
        body.cuts = body.spaces[varies].places = cuts
        for each in (*states, fed):
            body.spaces[varies].append(each)
        body.add(repeat.body)
        first = repeat.body[0].out.start
        results = read(body, first + kept) if repeat.states is None else None
        return [read(body, repeat.following[part]) for part in parts], results

    fed = read(run, repeat.fed.ravel()).reshape(*repeat.fed.shape, *lanes)
    start = [read(run, repeat.first[part]) for part in parts]
    states, results = lax.scan(turn, start, fed, length=turns)
    size = (repeat.out.stop - repeat.out.start) // turns
    if repeat.states is not None:
        last, begin = Space(varies, cuts), repeat.out.stop - size
        for each in states:
            last.add(each)
        for first, stop in runs(kept):
            _fill(run, varies, begin + int(kept[first]))
            found = last.read(rows_of(repeat.states[first:stop]))
            space.append(jnp.broadcast_to(found, (stop - first, *found.shape[1:])))
        _fill(run, varies, repeat.out.stop)
        return

    def zeros(count: int) -> Any:
        return jnp.zeros((len(results), count, *lanes), run.dtype)

    columns, done = [], 0
    for first, stop in runs(kept):
        columns += [zeros(int(kept[first]) - done), results[:, first:stop]]
        done = int(kept[stop - 1]) + 1
    rows = jnp.concatenate([*columns, zeros(size - done)], axis=1)
    rows = rows.reshape(len(rows) * size, *lanes)
    space.append(jnp.zeros((turns * size - len(rows), *lanes), run.dtype))
    space.append(rows)
