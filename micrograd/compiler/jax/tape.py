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
from micrograd.compiler.program.instructions import SUM, Tape


class LoopedTape:
    """A tape whose steps are rows of one array: first what it reads, then a row for each step.

    Here a step is an operation, or one term of a weighted sum, `x + y * z` or `x - y * z`. `places`
    has the three rows that each step reads. Where it needs fewer, it reads the row of -0.0, which
    keeps the sign of a sum of zeros.

    Args:
        tape: the tape.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        sums = tape.code == SUM
        lengths = np.where(sums, np.diff(tape.bounds), 1)
        self.last = np.cumsum(lengths) - 1  # the step here with the result of each step of the tape
        first = self.last - lengths + 1
        self.count = int(lengths.sum())
        self._outside, read = self._read()
        self.zero, self.one = len(self._outside), len(self._outside) + 1
        self.before = self.one + 1
        places = np.full((self.count, 3), self.zero)
        codes = np.empty(self.count, dtype=np.int32)
        codes[first[~sums]] = tape.code[~sums]
        places[first[~sums]] = self._rows(tape.operands, tape.operands_vary, read)[~sums]
        term = np.repeat(sums, lengths)
        terms = tape.terms
        codes[term] = len(tape.operations) + (terms.sign < 0)
        places[term, 1] = self._rows(terms.left, terms.left_varies, read)
        right = self._rows(terms.right, terms.right_varies, read)
        places[term, 2] = np.where(terms.right < 0, self.one, right)
        follows = term.copy()
        follows[first] = False
        places[follows, 0] = self.before + np.flatnonzero(follows) - 1
        self.codes, self.places = codes, places

    def _read(self) -> tuple[list[tuple[bool, int]], dict[tuple[bool, int], int]]:
        """Return the slots that the tape reads from outside, and the row of each."""
        tape = self.tape
        slots = np.concatenate([tape.operands.ravel(), tape.terms.left, tape.terms.right])
        kinds = (tape.operands_vary.ravel(), tape.terms.left_varies, tape.terms.right_varies)
        varies = np.concatenate(kinds).astype(bool)
        outside = (slots >= 0) & ~self._own(slots, varies)
        pairs = sorted({*zip(varies[outside].tolist(), slots[outside].tolist(), strict=True)})
        return pairs, {pair: row for row, pair in enumerate(pairs)}

    def _own(self, slots: Any, varies: Any) -> Any:
        """Return which slots the tape itself computes."""
        out = self.tape.out
        return (varies == self.tape.varies) & (slots >= out.start) & (slots < out.stop)

    def _rows(self, slots: Any, varies: Any, read: dict[tuple[bool, int], int]) -> Any:
        """Return the rows of slots, and the row of zero for missing ones."""
        rows = np.full(slots.shape, self.zero)
        own = self._own(slots, varies)
        rows[own] = self.before + self.last[slots[own] - self.tape.out.start]
        outside = (slots >= 0) & ~own
        pairs = zip(varies[outside].tolist(), slots[outside].tolist(), strict=True)
        rows[outside] = [read[pair] for pair in pairs]
        return rows

    def results(self, read: Callable[[bool, slice, bool], Any]) -> Any:
        """Return the results of all steps in their order.

        Args:
            read: returns rows of a space, which varies over the batch if its first argument is
                true, with an axis of lanes if its last one is.
        """
        wide = self.tape.varies
        parts = [read(varies, slice(slot, slot + 1), wide) for varies, slot in self._outside]
        shapes = {part.shape for part in parts} or {(1,)}
        shape = min(
            shapes, key=lambda shape: shape[1:] == (1,)
        )  # the shape of a batch, if there is one
        kind = parts[0].dtype if parts else jnp.result_type(float)
        fixed = [jnp.full(shape, -0.0, kind), jnp.ones(shape, kind)]
        outside = jnp.concatenate([*(jnp.broadcast_to(part, shape) for part in parts), *fixed])
        return self._run()(outside)[self.before + self.last]

    # ------------------------------------------------------------------------------------- the loop

    def _run(self) -> Callable[[Any], Any]:
        """Return the function from the rows that are read to all rows, with its derivative."""
        operations: Any = self.tape.operations
        values = [_value(ON_JAX.value(row), row.arity) for row in operations]
        values += [lambda x, y, z: x + y * z, lambda x, y, z: x - y * z]
        flows = [_flow([flow_of(row, place) for place in range(row.arity)]) for row in operations]
        flows += [_flow_of_term(1.0), _flow_of_term(-1.0)]

        # Within the step of a loop, JAX traces both ways apart from each other.
        def tables() -> tuple[Any, Any]:
            return jnp.asarray(self.codes), jnp.asarray(self.places)

        def forward(outside: Any) -> Any:
            codes, places = tables()

            def step(i: Any, rows: Any) -> Any:
                result = lax.switch(codes[i], values, *rows[places[i]])
                return rows.at[self.before + i].set(result)

            room = jnp.zeros((self.count, *outside.shape[1:]), outside.dtype)
            return lax.fori_loop(0, self.count, step, jnp.concatenate([outside, room]))

        def backward(rows: Any, adjoints: Any) -> tuple[Any]:
            codes, places = tables()

            def step(turn: Any, adjoints: Any) -> Any:
                i = self.count - 1 - turn
                at = self.before + i
                g = adjoints[at]
                shares = lax.switch(codes[i], flows, g, rows[at], *rows[places[i]])
                shares = jnp.where(g == 0, 0.0, shares)
                return adjoints.at[places[i]].add(shares)

            return (lax.fori_loop(0, self.count, step, adjoints)[: self.before],)

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
