"""Runs a program by JAX: its instructions in `jax.numpy`, compiled by `jax.jit`.

JAX places and shards the arrays: a batch that is a sharded array is computed where it is. JAX
differentiates matrix products and sums itself; the derivatives of operations are those of the
table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import jax
import jax.experimental
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding

from micrograd.compiler.executor import (
    Blocks,
    Call,
    Direct,
    Executor,
    Gradients,
    Layout,
    OnDevices,
    Shapes,
)
from micrograd.compiler.jax.devices import Devices, sharing
from micrograd.compiler.jax.loops import are_differentiable
from micrograd.compiler.jax.operations import ON_JAX
from micrograd.compiler.jax.rolling import rolled
from micrograd.compiler.jax.run import Run
from micrograd.compiler.jax.spaces import Cuts
from micrograd.compiler.numpy.memory import aligned_empty
from micrograd.compiler.program.program import Program
from micrograd.locks import forkable_property

# A context in which JAX computes in float64; older versions of JAX have it in another module.
_enable_x64: Any = (jax if hasattr(jax, "enable_x64") else jax.experimental).enable_x64

_Lies = tuple[bool, ...] | None
"""Of each array of inputs, whether it has a row for each sample; None for one array that has the
parameters and then all inputs, sample by sample."""

_FEW = 2**13
"""Up to this many numbers are joined: passing an array takes longer than copying them."""
_FEW_RESULTS = 2**14  # the same for results, which are copied for it


class JaxExecutor(Executor):
    """Runs one program, as an `Executor` does; JAX compiles it anew for each length of a batch."""

    reads_devices = True

    def __init__(
        self, program: Program, dtype: Any, *, inputs: bool, checked: bool, threads: int = 1
    ) -> None:
        self.program, self.dtype, self.inputs = program, np.dtype(dtype), inputs
        self.checked, self._is_double = checked, self.dtype == np.float64
        for row in program.operations():
            if row.function is not None:  # it may have more operands than a step of a tape
                ON_JAX.value(row)
        self.follows_loops = are_differentiable(program)
        # The steps that stacks of unknown length have room for.
        self._room = 64 if any(each.length is None for each in program.stacks) else 0
        self._jitted: dict[Any, Callable[..., Any]] = {}

    def __reduce__(self) -> Any:
        made = partial(JaxExecutor, inputs=self.inputs, checked=self.checked)
        return made, (self.program, self.dtype)

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[Any, bool]:
        """Return the outputs, and whether they are finite."""
        arrays, lies = self._arrays(parameters, inputs, length)
        found = self._ran(self._compiled("values", lies, length), *arrays)
        while self._room and int(found[-1]) > self._room:
            self._room = 1 << (int(found[-1]) - 1).bit_length()
            found = self._ran(self._compiled("values", lies, length), *arrays)
        return self._fetched("values", length, found[:-1] if self._room else found)

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output or its mean, and the adjoints of parameters or inputs."""
        arrays, lies = self._arrays(parameters, inputs, length)
        call: Call = "mean" if mean else "each"
        found = self._ran(self._compiled(call, lies, length), *arrays)
        (value, slopes), finite = self._fetched(call, length, found)
        gradient, adjoints = (None, slopes) if self.inputs else (slopes, None)
        return Gradients(value[0], gradient, adjoints, finite)

    def _fetched(self, call: Call, length: int, found: Sequence[Any]) -> tuple[Any, bool]:
        """Return the outputs, or a row of values and the slopes; and whether all are finite."""
        if call == "values":
            outputs = self._rows(found, length)
            return outputs, not self.checked or _are_finite(outputs)
        if len(found) == 1:
            together = np.array(found[0])
            return (together[:1], together[1:-1]), not together.size or together.item(-1) == 0
        value, *slopes = found
        if len(slopes) > 1 and not (self.inputs and self.program.batched):
            slopes = [np.concatenate(slopes)]
        else:
            slopes = [np.array(each).T for each in slopes]
        value = np.array(value)
        finite = all(map(_are_finite, (value, *slopes)))
        return (value, slopes[0] if len(slopes) == 1 else Blocks(slopes)), finite

    def _rows(self, found: Sequence[Any], length: int) -> Any:
        """Return the outputs in one array."""
        lanes = (length,) * self.program.batched
        if len(found) == 1 and found[0].shape[1:] == lanes:
            return np.array(found[0])
        outputs = np.empty((len(self.program.outputs), *lanes), self.dtype)
        start = 0
        for each in found:
            outputs[start : start + len(each)] = each
            start += len(each)
        return outputs

    # ------------------------------------------------------------------------------ prepared calls

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call. The inputs of a batch are laid out only if they are few."""
        program = self.program
        if self._room or sharing() is not None:
            return None
        count, size = program.parameters, program.inputs * length
        few, joined = size <= _FEW or not program.batched, count + size <= _FEW
        parameters = aligned_empty(count + size * joined, self.dtype)  # JAX need not copy it
        inputs = parameters[count:] if joined else aligned_empty(size * few, self.dtype)
        rows = self._by_sample(inputs, length) if few else None
        usual = self._compiled(call, None if joined else (True,), length)
        arrays = (parameters,) if joined else (self._divided(parameters), rows)
        parameters = parameters[:count]
        others: dict[int, Any] = {}  # by the number of arrays of inputs

        def run(numbers: Any = None, given: Any = None) -> bool | tuple[Any, Any]:
            if sharing() is not None:
                return False
            if numbers is None and given is None:
                jitted, read = usual, arrays
            else:
                if given is None:
                    numbers, given = _automatic(numbers), (rows,)
                read = (parameters if numbers is None else numbers, *given) if count else given
                if len(given) not in others:
                    others[len(given)] = self._compiled(call, (True,) * len(given), length)
                jitted = others[len(given)]
            found, finite = self._fetched(call, length, self._ran(jitted, *read))
            return finite and (found if call != "values" else (found, None))

        laid = None if rows is None else rows.T
        return Layout(parameters, laid, run, None, None, watched=True, reads_devices=True)

    def direct(
        self, call: Call, inputs: Sequence[Any], length: int, blocks: Shapes | None
    ) -> Direct | None:
        """Prepare calls with many numbers in arrays of NumPy, which JAX takes as they are."""
        program = self.program
        if self._room or sharing() is not None or program.inputs * length <= _FEW:
            return None
        parameters = aligned_empty(program.parameters, self.dtype)
        numbers = self._divided(parameters)
        jitted = self._compiled(call, (True,) * len(inputs), length)

        def run(inputs: Sequence[Any]) -> tuple[Any, Any, bool] | None:
            if sharing() is not None:
                return None
            ran = self._ran(jitted, numbers, *(each.T for each in inputs))
            found, finite = self._fetched(call, length, ran)
            if call == "values":
                counts = None if blocks is None else [rows for rows, _ in blocks]
                return _in_parts(found, counts) if counts else found, None, finite
            value, slopes = found
            counts = [len(each) for each in inputs]
            return value, _in_parts(slopes, counts) if self.inputs else slopes, finite

        return Direct(parameters, run)

    def _by_sample(self, numbers: Any, length: int) -> Any:
        """Return numbers of inputs as an array with a row for each sample, if there are samples."""
        return numbers.reshape(length, self.program.inputs) if self.program.batched else numbers

    # ----------------------------------------------------------------------------------- arguments

    def _arrays(self, parameters: Any, inputs: Any, length: int) -> tuple[list[Any], _Lies]:
        """Return parameters and inputs as arrays of the program's precision, and how they lie."""
        held, devices = isinstance(parameters, jax.Array), sharing()
        apart = any(isinstance(each, OnDevices) for each in inputs) or devices is not None
        size, batched = self.program.inputs * length, self.program.batched
        if not apart and (size <= _FEW or not batched):
            joined = not held and self.program.parameters + size <= _FEW
            count = len(parameters) if joined else 0
            numbers = aligned_empty(count + size, self.dtype)
            numbers[:count] = parameters[:count]
            rows = self._by_sample(numbers[count:], length)
            np.concatenate([*inputs, rows.T[:0]], out=rows.T)
            if joined:
                return [numbers], None
            if not held:
                parameters = self._divided(np.asarray(parameters, self.dtype))
            return [parameters, rows], (True,)
        with _enable_x64(self._is_double):
            parts, lies = self._apart(inputs, devices)
            if devices is not None:
                parameters = devices.copied(np.asarray(parameters, self.dtype))
            elif held:
                parameters = _beside(parts, parameters)
            else:
                parameters = self._divided(np.asarray(parameters, self.dtype))
        return [parameters, *parts], lies

    def _apart(self, inputs: Any, devices: Devices | None) -> tuple[list[Any], tuple[bool, ...]]:
        """Return each input by itself, and which have a row for each sample."""
        parts, lies, batched = [], [], self.program.batched
        for each in inputs:
            if isinstance(each, OnDevices):
                parts.append(_automatic(each.array))
                lies.append(True)
                continue
            lies.append(each.ndim == 2 and each.flags.f_contiguous)
            part = np.asarray(each.T if lies[-1] else each, self.dtype)
            if devices is not None and batched:
                devices.check(each.shape[1], "a batch")
                part = devices.divided(part, 0 if lies[-1] else 1)
            parts.append(part)
        return parts, tuple(lies)

    # ------------------------------------------------------------------------------- what JAX runs

    def _ran(self, jitted: Callable[..., Any], *arrays: Any) -> Any:
        if jax.config.jax_enable_x64 is self._is_double:
            return jitted(*arrays)
        with _enable_x64(self._is_double):
            return jitted(*arrays)

    def _compiled(self, call: Call, lies: _Lies, length: int) -> Callable[..., Any]:
        """Return a function of what `_arrays` returns, compiled by JAX."""
        devices = sharing()
        key = call, lies, length if lies is None else 0, devices, self._room
        if key not in self._jitted:
            function = self._values if call == "values" else partial(self._slopes, call == "mean")
            count, room = self.program.parameters, self._room
            none = np.empty(0, self.dtype)

            def run(*arrays: Any) -> list[Any]:
                if lies is not None:
                    numbers, *parts = arrays if len(arrays) > len(lies) else (none, *arrays)
                    return function(numbers, parts, lies, room)
                (numbers,) = arrays
                rows = self._by_sample(numbers[count:], length)
                return function(numbers[:count], [rows], (True,), room)

            spread = {} if devices is None else {"out_shardings": devices.replicated}
            self._jitted[key] = jax.jit(run, **spread)
        return self._jitted[key]

    @forkable_property
    def _cuts(self) -> Cuts:
        return Cuts(self._rolled)

    @forkable_property
    def _rolled(self) -> Program:
        return rolled(self.program)

    @forkable_property
    def _ends(self) -> list[int]:
        """Where parts of the parameters end: of many numbers, such as a matrix, or between these.

        XLA would copy a part of a larger array, and each part of a gradient in one array.
        """
        count = self.program.parameters
        ends = [0, *self._cuts.within(False, slice(0, count)), count]
        large = (each for each in pairwise(ends) if each[1] - each[0] > _FEW)
        return sorted({count, *(end for pair in large for end in pair)} - {0}) or [0]

    def _divided(self, parameters: Any) -> Any:
        """Return parameters in their parts, if there are several."""
        ends = self._ends
        if len(ends) == 1:
            return parameters
        return [parameters[start:end] for start, end in pairwise([0, *ends])]

    def _inputs(self, parts: Sequence[Any], lies: Sequence[bool]) -> list[Any]:
        """Return the numbers of each part: of a batch, with a row for each sample."""
        found = [part.astype(self.dtype) for part in parts]
        if not self.program.batched:
            return [each.ravel() for each in found]
        return [
            each.reshape(len(each), math.prod(each.shape[1:])) if by_sample else each.T
            for each, by_sample in zip(found, lies, strict=True)
        ]

    def _numbers(self, parameters: Any) -> list[Any]:
        """Return the parameters in their parts, whether or not they are given so."""
        given = parameters if isinstance(parameters, list) else self._divided(parameters)
        return [each.astype(self.dtype) for each in (given if isinstance(given, list) else [given])]

    def _run(self, parameters: Sequence[Any], inputs: Sequence[Any], room: int) -> Run:
        cuts, batched, held, start = self._cuts, self.program.batched, [], 0
        for each in parameters:
            held += cuts.parts(False, start, each)
            start += len(each)
        start, rows = 0 if batched else start, []
        for each in inputs:
            numbers = each.T if batched else each
            rows += cuts.parts(batched, start, numbers)
            start += len(numbers)
        lanes = (len(inputs[0]),) if batched else ()
        return Run(self._rolled, held, rows, lanes, cuts, self.dtype, room)

    def _values(self, parameters: Any, parts: Any, lies: Any, room: int) -> list[Any]:
        """Return the outputs in arrays that follow one another, then the room that stacks need."""
        run = self._run(self._numbers(parameters), self._inputs(parts, lies), room)
        found = run.outputs()
        if self.program.batched:
            found = [each if each.ndim > 1 else each[:, None] for each in found]
        return [*_joined(found), *([run.needed] if room else [])]

    def _slopes(self, mean: bool, parameters: Any, parts: Any, lies: Any, room: int) -> list[Any]:
        """Return the value, a row or one number, and the slopes: few as rows in the same array."""

        def of(leaves: Any) -> tuple[Any, Any]:
            numbers, rows = (parameters, leaves) if self.inputs else (leaves, inputs)
            run = self._run(numbers, rows, room)
            ((value,),) = run.outputs()
            value = value.mean() if mean else jnp.broadcast_to(value, run.lanes)
            return value.sum(), value

        parameters, inputs = self._numbers(parameters), self._inputs(parts, lies)
        leaves = inputs if self.inputs else parameters
        (_, value), slopes = jax.value_and_grad(of, has_aux=True)(leaves)
        together = _joined([value[None], *(each.T for each in slopes)])
        if len(together) > 1:
            return [value[None], *slopes]
        # What NumPy does after it has waited for another thread takes long.
        rows = lax.optimization_barrier(together[0])
        # A slope is 0 plus something, so that it is not -0. XLA would leave out a plain 0.
        start = np.where(np.arange(len(rows)) > 0, 0.0, -0.0).reshape(-1, *[1] * (rows.ndim - 1))
        rows += start.astype(self.dtype)
        zero = (rows * 0).sum()  # nan if a number is not finite
        return [jnp.concatenate([rows, jnp.broadcast_to(zero, rows[:1].shape)])]


def _are_finite(numbers: Any) -> bool:
    return bool(np.logical_and.reduce(np.isfinite(numbers), axis=None))  # faster than `all`


def _in_parts(rows: Any, counts: Sequence[int]) -> list[Any]:
    """Return rows in parts of these numbers of them."""
    ends = zip(counts, accumulate(counts), strict=True)
    return [rows[stop - count : stop] for count, stop in ends]


def _joined(arrays: list[Any]) -> list[Any]:
    """Join arrays if their numbers are few, as each takes its time to return."""
    few = sum(each.size for each in arrays) <= _FEW_RESULTS
    alike = len({each.shape[1:] for each in arrays}) == 1  # not a mean and slopes of each sample
    return [jnp.concatenate(arrays)] if few and alike else arrays


def _beside(parts: Sequence[Any], numbers: Any) -> Any:
    """Return parameters that are on devices, or take them from other devices than the inputs."""
    first = next((each for each in parts if isinstance(each, jax.Array)), None)
    if first is not None and first.sharding.device_set != numbers.sharding.device_set:
        return np.asarray(numbers)
    return _automatic(numbers)


def _automatic(array: Any) -> Any:
    """Return the array on the same devices, where JAX decides how results are spread."""
    sharding = array.sharding
    if not isinstance(sharding, NamedSharding):
        return array
    mesh = Mesh(sharding.mesh.devices, sharding.mesh.axis_names)
    return jax.device_put(array, NamedSharding(mesh, sharding.spec))
