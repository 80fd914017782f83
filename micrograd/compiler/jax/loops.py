"""Loops and stacks by JAX: `lax.while_loop`, for which XLA compiles the step once.

A stack is an array of shape (steps, columns), or (steps, columns, lanes).
"""

from __future__ import annotations

from copy import copy
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from micrograd.compiler.program import Elements, Loop, Pack, Places, rows_of


def add_loop(run: Any, instruction: Loop | Pack | Elements) -> None:
    """Add the results of an instruction.

    Args:
        run: a run of a program: `spaces` has the rows of each space so far, `stacks` those that
            were made, `add(instructions)` computes more of them, `room` is the number of steps that
            a stack of unknown length has room for, and `needed` how many there were at most.
        instruction: the instruction.
    """
    match instruction:
        case Pack(varies=varies, stack=stack, places=places):
            run.stacks[stack] = _read(run, places, varies)[:, None]
        case Elements(varies=varies, column=(stack, column), steps=steps):
            run.spaces[varies].append(run.stacks[stack][steps, column])
        case Loop():
            _loop(run, instruction)


def _read(run: Any, places: Places, wide: bool) -> Any:
    """Return numbers, each with an axis of lanes if `wide` is true."""
    parts, order = [], []
    for varies in (False, True):
        chosen = np.flatnonzero(places.varies == varies)
        if len(chosen):
            rows = run.spaces[varies].read(rows_of(places.slots[chosen]))
            parts.append(rows[:, None] if wide and not varies else rows)
            order.append(chosen)
    if not parts:
        return jnp.zeros((0, *run.lanes) if wide else 0, run.dtype)
    if wide:
        parts = [jnp.broadcast_to(part, (len(part), *run.lanes)) for part in parts]
    together = parts[0] if len(parts) == 1 else jnp.concatenate(parts)
    return together[np.argsort(np.concatenate(order))] if len(parts) > 1 else together


def _steps(count: Any) -> Any:
    """Return the largest number of steps of all lanes, rounded up; none for nan."""
    most = jnp.ceil(jnp.max(jnp.where(count > 0, count, 0.0), initial=0.0))
    return jnp.minimum(most, 2.0**31 - 129).astype(jnp.int32)  # a number that float32 has, too


def _loop(run: Any, loop: Loop) -> None:
    varies, space = loop.varies, run.spaces[loop.varies]
    count = _steps(_read(run, loop.limit, wide=varies))
    goes_on = jnp.bool_(True)
    if loop.goes_on is not None:
        goes_on = (_read(run, loop.goes_on, wide=varies) != 0).any()
    kept = None
    if loop.kept >= 0:
        room = run.room if loop.length is None else max(1, loop.length)
        shape = (room, len(loop.outputs.slots), *(run.lanes if varies else ()))
        kept = jnp.zeros(shape, run.dtype)

    def step(carried: Any) -> Any:
        done, _, states, kept, needed = carried
        k = count - 1 - done if loop.reverse else done
        body = _inside(run)
        inputs = [run.stacks[each.stack][k, each.column] for each in loop.columns]
        if loop.indexed:
            inputs.append(k.astype(run.dtype))
        if varies:
            inputs = [jnp.broadcast_to(each, run.lanes) for each in inputs]
        _fill(body.spaces[varies], loop.states.start)
        body.spaces[varies].append(states)
        if inputs:
            body.spaces[varies].append(jnp.stack(inputs))
        body.add(loop.body)
        holds = jnp.bool_(True)
        if loop.holds is not None:
            holds = (_read(body, loop.holds, wide=varies) != 0).any()
        if kept is not None:
            kept = kept.at[k].set(_read(body, loop.outputs, wide=varies), mode="drop")
        following = _read(body, loop.following, wide=varies)
        return done + 1, holds, following, kept, jnp.maximum(needed, body.needed)

    first = (jnp.int32(0), goes_on, _read(run, loop.first, wide=varies), kept, run.needed)
    done, _, states, kept, run.needed = lax.while_loop(
        lambda carried: (carried[0] < count) & carried[1], step, first
    )
    if kept is not None:
        run.stacks[loop.kept] = kept
        if loop.length is None:
            run.needed = jnp.maximum(run.needed, done)
    number = jnp.broadcast_to(done.astype(run.dtype), (1, *states.shape[1:]))
    _fill(space, loop.out.start)
    space.append(jnp.concatenate([states, number]))


def _inside(run: Any) -> Any:
    """Return a run that goes on from another one, which it leaves as it is."""
    inner = copy(run)
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


def _fill(space: Any, slot: int) -> None:
    """Fill the slots up to this one, which are those of the bodies of loops and not read here."""
    if space.size < slot:
        like = space.segments[-1] if space.segments else jnp.zeros((0,))
        space.append(jnp.zeros((slot - space.size, *like.shape[1:]), like.dtype))
