"""A long tape as a loop of JAX, for which XLA compiles each operation once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from micrograd.compiler.jax.operations import ON_JAX
from micrograd.compiler.jax.operations import flow as flow_of
from micrograd.compiler.program.instructions import Tape
from micrograd.compiler.program.scalars import scalars
from micrograd.compiler.program.slots import Place


def looped(tape: Tape, read: Callable[[bool, slice, bool], Any]) -> Any:
    """Return the results of all steps of a tape in their order.

    The steps are rows of one array: first what the tape reads, then a row for each step. Here a
    step is an operation, or one term of a weighted sum, `x + y * z` or `x - y * z`. It reads three
    rows; where it needs fewer, the row of -0.0, which keeps the sign of a sum of zeros.

    Args:
        tape: the tape.
        read: returns rows of a space, which varies over the batch if its first argument is
            true, with an axis of lanes if its last one is.
    """
    steps, wide = [*scalars(tape)], tape.varies
    own = {(wide, step.slot) for step in steps}
    used = {place for step in steps for place in step.operands}
    used.update(place for step in steps for term in step.terms for place in term[1:] if place)
    outside = sorted(used - own)
    parts = [read(varies, slice(slot, slot + 1), wide) for varies, slot in outside]
    shape = np.broadcast_shapes((1,), *(part.shape for part in parts))
    kind = parts[0].dtype if parts else jnp.result_type(float)
    parts += [jnp.full(shape, -0.0, kind), jnp.ones(shape, kind)]
    zero, one, before = len(outside), len(outside) + 1, len(parts)

    row: dict[Place, int] = {place: i for i, place in enumerate(outside)}
    codes: list[int] = []
    places: list[list[int]] = []
    for step, code in zip(steps, tape.code.tolist(), strict=True):
        last = zero
        for sign, left, right in step.terms:
            codes.append(len(tape.operations) + (sign < 0))
            places.append([last, row[left], row[right] if right else one])
            last = before + len(codes) - 1
        if not step.terms:
            codes.append(code)
            places.append(([row[place] for place in step.operands] + [zero] * 3)[:3])
        row[wide, step.slot] = before + len(codes) - 1
    run = _loop(tape, np.array(codes, np.int32), np.array(places), before)
    rows = run(jnp.concatenate([jnp.broadcast_to(part, shape) for part in parts]))
    return rows[np.array([row[wide, step.slot] for step in steps])]


def _loop(tape: Tape, codes: Any, places: Any, before: int) -> Callable[[Any], Any]:
    """Return the function from the rows that are read to all rows, with its derivative.

    Args:
        tape: the tape.
        codes: the operation of each step.
        places: the three rows that each step reads.
        before: the number of rows that are read.
    """
    operations: Any = tape.operations
    values = [_value(ON_JAX.value(row), row.arity) for row in operations]
    values += [lambda x, y, z: x + y * z, lambda x, y, z: x - y * z]
    flows = [_flow([flow_of(row, place) for place in range(row.arity)]) for row in operations]
    flows += [_flow_of_term(1.0), _flow_of_term(-1.0)]
    count = len(codes)

    # Within the step of a loop, JAX traces both ways apart from each other.
    def tables() -> tuple[Any, Any]:
        return jnp.asarray(codes), jnp.asarray(places)

    def forward(outside: Any) -> Any:
        numbers, read = tables()

        def step(i: Any, rows: Any) -> Any:
            result = lax.switch(numbers[i], values, *rows[read[i]])
            return rows.at[before + i].set(result)

        room = jnp.zeros((count, *outside.shape[1:]), outside.dtype)
        return lax.fori_loop(0, count, step, jnp.concatenate([outside, room]))

    def backward(rows: Any, adjoints: Any) -> tuple[Any]:
        numbers, read = tables()

        def step(turn: Any, adjoints: Any) -> Any:
            i = count - 1 - turn
            g = adjoints[before + i]
            shares = lax.switch(numbers[i], flows, g, rows[before + i], *rows[read[i]])
            return adjoints.at[read[i]].add(jnp.where(g == 0, 0.0, shares))

        return (lax.fori_loop(0, count, step, adjoints)[:before],)

    run: Callable[..., Any] = jax.custom_vjp(forward)
    run.defvjp(lambda outside: (forward(outside),) * 2, backward)  # type: ignore[attr-defined]
    return run


def _value(function: Callable[..., Any], arity: int) -> Callable[..., Any]:
    return lambda *operands: _like(function(*operands[:arity]), operands[0])


def _flow(pulls: list[Callable[..., Any] | None]) -> Callable[..., Any]:
    """Return a function of adjoint, result and operands: the shares of three operands."""

    def flow(g: Any, out: Any, *operands: Any) -> Any:
        read = operands[: len(pulls)]
        shares = [_like(pull(g, out, *read), g) if pull else jnp.zeros_like(g) for pull in pulls]
        return jnp.stack(shares + [jnp.zeros_like(g)] * (3 - len(pulls)))

    return flow


def _flow_of_term(sign: float) -> Callable[..., Any]:
    return lambda g, out, x, y, z: jnp.stack([g, sign * g * z, sign * g * y])


def _like(result: Any, other: Any) -> Any:
    """Return a result in the shape and precision of another; a formula may be a number."""
    return jnp.broadcast_to(jnp.asarray(result, other.dtype), other.shape)
