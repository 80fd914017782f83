"""Runs a program by JAX: its instructions in `jax.numpy`, compiled by `jax.jit`.

JAX places and shards the arrays: a batch that is a sharded array is computed where it is. JAX
differentiates matrix products and sums itself; the derivatives of operations are those of the
table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property, partial, reduce
from operator import add
from typing import Any

import jax
import jax.experimental
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding

from micrograd.compiler.executor import Executor, Gradients, are_finite, gathered
from micrograd.compiler.jax.loops import add_loop, are_differentiable
from micrograd.compiler.jax.operations import function
from micrograd.compiler.jax.tape import LoopedTape
from micrograd.compiler.program import (
    Elements,
    Elementwise,
    Fold,
    Instruction,
    Loop,
    Operand,
    Pack,
    Product,
    Program,
    Rows,
    Tape,
    WeightedSums,
    rows_of,
)

# ------------------------------------------------------------------------------------- instructions


# A context in which JAX computes in float64; older versions of JAX have it in another module.
_enable_x64: Any = (jax if hasattr(jax, "enable_x64") else jax.experimental).enable_x64
_PRECISION = "highest"  # otherwise a GPU multiplies float32 with ten bits of the fraction
UNROLLED = 512
"""The most steps of a tape that XLA compiles one by one, which takes seconds."""
_FEW_TERMS = 8
_FEW = 64  # so many rows are cut out one by one: gathering is slow, above all its derivative


def _rows(array: Any, places: Any) -> Any:
    """Return the rows of an array at some places."""
    first = int(places[0])
    if (places == np.arange(first, first + len(places))).all():
        whole = len(places) == len(array)
        return array if whole else array[first : first + len(places)]
    if array.ndim > 1 and len(places) <= _FEW:
        return jnp.stack([array[place] for place in places.tolist()])
    return array[places]


class _Space:
    """The results of one space so far, as segments of neighbouring slots."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.segments: list[Any] = []
        self.size = 0

    def append(self, segment: Any) -> None:
        """Add the values of the next slots."""
        if segment.shape[0]:
            self.starts.append(self.size)
            self.segments.append(segment)
            self.size += segment.shape[0]

    def read(self, rows: Rows) -> Any:
        """Return rows of the space: a slice of a segment, or gathered from several."""
        if isinstance(rows, slice):
            first, last = rows.start, rows.stop - 1
        else:
            first, last = int(rows.min()), int(rows.max())
        begin, end = bisect_right(self.starts, first) - 1, bisect_right(self.starts, last)
        segments = self.segments[begin:end]
        held = segments[0] if len(segments) == 1 else jnp.concatenate(segments)
        offset = self.starts[begin]
        if isinstance(rows, slice):
            return held[rows.start - offset : rows.stop - offset]
        return _rows(held, rows - offset)


class _Run:
    """One run of a program, on arrays or while JAX traces it."""

    def __init__(self, program: Program, parameters: Any, inputs: Any, room: int = 0) -> None:
        self.dtype, self.lanes = parameters.dtype, inputs.shape[1:]
        self.room, self.needed = room, jnp.int32(0)
        self.stacks: dict[int, Any] = {}
        self.matrices: dict[int, Any] = {}  # of products in loops, gathered in front of the loop
        self.spaces = {False: _Space(), True: _Space()}
        self.spaces[False].append(parameters)
        self.spaces[program.batched].append(inputs)
        constants = jnp.asarray(program.constants, parameters.dtype)
        self.spaces[False].append(lax.optimization_barrier(constants))
        self.add(program.instructions)

    def add(self, instructions: Sequence[Instruction]) -> None:
        """Add the results of instructions."""
        for instruction in instructions:
            space = self.spaces[instruction.varies]
            if isinstance(instruction, Tape) and len(instruction.code) > UNROLLED:
                space.append(LoopedTape(instruction).results(self.read))
            elif isinstance(instruction, Loop | Pack | Elements):
                add_loop(self, instruction)
            elif isinstance(instruction, Tape):
                space.append(jnp.stack(self._steps(instruction)))
            else:
                space.append(lax.optimization_barrier(self._result(instruction)))

    def read(self, operand: Operand, wide: bool) -> Any:
        rows = self.spaces[operand.varies].read(operand.rows)
        return rows[:, None] if wide and not operand.varies else rows

    def _result(self, instruction: Elementwise | Product | WeightedSums | Fold) -> Any:
        match instruction:
            case Elementwise(varies=varies, operation=row, operands=operands):
                return function(row)(*(self.read(operand, varies) for operand in operands))
            case Product():
                return self._product(instruction)
            case Fold():
                return self._fold(instruction)
        return self._sums(instruction)

    def _steps(self, tape: Tape) -> list[Any]:
        """Return the results of a tape, each as its own array, which XLA optimises better."""
        made: dict[tuple[bool, int], Any] = {}

        def at(varies: bool, slot: int) -> Any:
            if (varies, slot) not in made:
                made[varies, slot] = self.spaces[varies].read(slice(slot, slot + 1))[0]
            return made[varies, slot]

        results = []
        for step in tape.steps():
            if isinstance(step, Elementwise):
                read = (at(operand.varies, operand.rows.start) for operand in step.operands)
                result = function(step.operation)(*read)
            else:
                terms = (
                    sign * at(varies, left) * (at(also, right) if right >= 0 else 1.0)
                    for sign, left, varies, right, also in step.terms()
                )
                result = reduce(add, terms)
            result = lax.optimization_barrier(result)  # or XLA turns log(exp(x)) into x
            made[step.varies, step.out.start] = result
            results.append(result)
        if tape.varies:
            widest = max((result.shape for result in results), key=len)
            results = [jnp.broadcast_to(result, widest) for result in results]
        return results

    def matrix(self, instruction: Product) -> Any:
        """Return the matrix of a product."""
        matrix = instruction.matrix
        return self.spaces[False].read(rows_of(matrix.ravel())).reshape(matrix.shape)

    def _product(self, instruction: Product) -> Any:
        varies, inputs = instruction.varies, instruction.inputs
        weights = self.matrices.get(id(instruction))
        if weights is None:
            weights = self.matrix(instruction)
        vectors = self.spaces[varies].read(rows_of(inputs.ravel()))
        vectors = vectors.reshape(*inputs.shape, *vectors.shape[1:])
        if len(vectors) == 1:  # XLA is slower with a column of one
            out = jnp.matmul(weights, vectors[0], precision=_PRECISION)[None]
        else:
            axes = "mk,ckn->cmn" if varies else "mk,ck->cm"
            out = jnp.einsum(axes, weights, vectors, precision=_PRECISION)
        if instruction.bias is not None:
            bias = self.spaces[False].read(instruction.bias)
            out = out + (bias[:, None] if varies else bias)
        return out.reshape(-1, *out.shape[2:])

    def _fold(self, fold: Fold) -> Any:
        """Reduce rows of terms, each padded by its last term to the length of the longest."""
        lengths = np.diff(fold.bounds)
        places = np.minimum(np.arange(lengths.max()), lengths[:, None] - 1) + fold.start[:, None]
        terms = self.spaces[fold.varies].read(fold.slots[places].ravel())
        terms = lax.stop_gradient(terms).reshape(*places.shape, *terms.shape[1:])
        return (jnp.max if fold.operation.name == "maximum" else jnp.min)(terms, axis=1)

    def _sums(self, instruction: WeightedSums) -> Any:
        sign = instruction.sign
        left, right = (self._factor(instruction, *side) for side in instruction.sides)
        terms = left * right * (sign[:, None] if instruction.varies else sign)
        terms = lax.optimization_barrier(terms)
        lengths = np.diff(instruction.bounds)
        # Sums of the same number of terms are added up side by side, since scattering is slow.
        sums, order = [], []
        for length in np.unique(lengths).tolist():
            chosen = np.flatnonzero(lengths == length)
            places = instruction.start[chosen][:, None] + np.arange(length)
            rows = _rows(terms, places.ravel()).reshape(*places.shape, *terms.shape[1:])
            few = length <= _FEW_TERMS  # the sum of none is 0.0, which hides the sign of a zero
            sums.append(reduce(add, rows.swapaxes(0, 1)) if few else rows.sum(axis=1))
            order.append(chosen)
        together = sums[0] if len(sums) == 1 else jnp.concatenate(sums)
        return _rows(together, np.argsort(np.concatenate(order)))

    def _factor(self, instruction: WeightedSums, slots: Any, varies: Any) -> Any:
        """Return the factor of every term; 1 for one that is missing."""
        parts, places = [], []
        for space in (True, False):
            chosen = np.flatnonzero((slots >= 0) & (varies == space))
            if len(chosen):
                parts.append(self.read(Operand(space, slots[chosen]), instruction.varies))
                places.append(chosen)
        missing = np.flatnonzero(slots < 0)
        if len(missing):
            shape = (len(missing), 1) if instruction.varies else (len(missing),)
            parts.append(jnp.ones(shape, self.dtype))
            places.append(missing)
        if instruction.varies:
            (lanes,) = {part.shape[1] for part in parts} - {1} or {1}
            parts = [jnp.broadcast_to(part, (part.shape[0], lanes)) for part in parts]
        return _rows(jnp.concatenate(parts), np.argsort(np.concatenate(places)))


# ------------------------------------------------------------------------------------ the executor


class JaxExecutor(Executor):
    """Runs one program, as an `Executor` does; JAX compiles it anew for each length of a batch."""

    def __init__(
        self, program: Program, dtype: Any, *, inputs: bool, checked: bool, threads: int = 1
    ) -> None:
        self.program, self.dtype, self.inputs = program, np.dtype(dtype), inputs
        self.checked = checked
        self.follows_loops = are_differentiable(program)
        # The steps that stacks of unknown length have room for.
        self._room = 64 if any(each.length is None for each in program.stacks) else 0

    def __reduce__(self) -> Any:
        made = partial(JaxExecutor, inputs=self.inputs, checked=self.checked)
        return made, (self.program, self.dtype)

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[Any, bool]:
        """Return the outputs, and whether they are finite."""
        with _enable_x64(self.dtype == np.float64):
            arrays = self._arrays(parameters, inputs)
            found, needed = self._values(*arrays, self._room)
            while self._room and int(needed) > self._room:
                self._room = 1 << (int(needed) - 1).bit_length()
                found, needed = self._values(*arrays, self._room)
        outputs = gathered(found, self.program, length, self.dtype)
        return outputs, not self.checked or are_finite([outputs])

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output or its mean, and the adjoints of parameters or inputs."""
        with _enable_x64(self.dtype == np.float64):
            run = self._mean if mean else self._each
            value, slopes, finite = run(*self._arrays(parameters, inputs))
        found = np.array(slopes)
        gradient, adjoints = (None, found) if self.inputs else (found, None)
        return Gradients(value, gradient, adjoints, bool(finite))

    def _arrays(self, parameters: Any, inputs: Any) -> tuple[Any, Any]:
        """Convert to the precision of the program; arrays of JAX stay where they are."""
        parts = [
            _automatic(each.astype(self.dtype))
            if isinstance(each, jax.Array)
            else np.asarray(each, self.dtype)
            for each in inputs
        ]
        return np.asarray(parameters, self.dtype), parts

    def _outputs(self, parameters: Any, inputs: Any) -> list[Any]:
        return self._outputs_and_needed(parameters, inputs, 0)[0]

    def _outputs_and_needed(self, parameters: Any, inputs: Any, room: int) -> tuple[list[Any], Any]:
        """Return the outputs, and for how many steps stacks need room."""
        run = _Run(self.program, parameters, inputs, room)
        outputs = [
            run.spaces[varies].read(slice(slot, slot + 1))[0]
            for varies, slot in self.program.outputs
        ]
        return outputs, run.needed

    @cached_property
    def _values(self) -> Callable[..., Any]:
        def values(parameters: Any, parts: Any, room: int) -> tuple[list[Any], Any]:
            return self._outputs_and_needed(parameters, _joined(parts, parameters), room)

        made: Callable[..., Any] = jax.jit(values, static_argnums=2)
        return made

    @cached_property
    def _mean(self) -> Callable[..., Any]:
        def mean(outputs: Any, inputs: Any) -> tuple[Any, Any]:
            value = outputs[0].mean()
            return value, value

        return self._differentiated(mean)

    @cached_property
    def _each(self) -> Callable[..., Any]:
        def each(outputs: Any, inputs: Any) -> tuple[Any, Any]:
            (value,) = outputs
            if self.program.batched:
                value = jnp.broadcast_to(value, inputs.shape[1:])
            return value.sum(), value

        return self._differentiated(each)

    def _differentiated(self, result: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of the value, the slopes and whether these are finite."""

        def call(parameters: Any, parts: Any) -> tuple[Any, Any, Any]:
            inputs = _joined(parts, parameters)

            def of(leaves: Any) -> Any:
                pair = (parameters, leaves) if self.inputs else (leaves, inputs)
                return result(self._outputs(*pair), inputs)

            leaves = inputs if self.inputs else parameters
            (_, value), slopes = jax.value_and_grad(of, has_aux=True)(leaves)
            return value, slopes, jnp.isfinite(slopes).all()

        made: Callable[..., Any] = jax.jit(call)
        return made


def _joined(parts: Any, parameters: Any) -> Any:
    """Return the rows of all inputs as one array."""
    return jnp.concatenate(parts) if parts else jnp.zeros(0, parameters.dtype)


def _automatic(array: Any) -> Any:
    """Return the array on the same devices, where JAX decides how results are spread."""
    sharding = array.sharding
    if not isinstance(sharding, NamedSharding):
        return array
    mesh = Mesh(sharding.mesh.devices, sharding.mesh.axis_names)
    return jax.device_put(array, NamedSharding(mesh, sharding.spec))
