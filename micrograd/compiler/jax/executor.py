"""Runs a program by JAX: its instructions in `jax.numpy`, compiled by `jax.jit`.

JAX places and shards the arrays: a batch that is a sharded array is computed where it is. JAX
differentiates matrix products and sums itself; the derivatives of operations are those of the
table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import jax
import jax.experimental
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding

from micrograd.compiler.executor import (
    Call,
    Executor,
    Gradients,
    Layout,
    OnDevices,
    are_finite,
)
from micrograd.compiler.jax.devices import Devices, sharing
from micrograd.compiler.jax.loops import are_differentiable
from micrograd.compiler.jax.operations import ON_JAX
from micrograd.compiler.jax.run import Run
from micrograd.compiler.jax.spaces import Cuts
from micrograd.compiler.numpy.memory import aligned_empty
from micrograd.compiler.program.program import Program

# A context in which JAX computes in float64; older versions of JAX have it in another module.
_enable_x64: Any = (jax if hasattr(jax, "enable_x64") else jax.experimental).enable_x64

_Arrays = tuple[Any, list[Any], tuple[bool, ...]]
"""The parameters, the inputs in parts, and which parts have a row for each sample."""

_FEW = 2**17  # up to this many inputs are joined: passing an array takes longer than its numbers
_FEW_RESULTS = 2**14  # the same for results, which are copied for it


class JaxExecutor(Executor):
    """Runs one program, as an `Executor` does; JAX compiles it anew for each length of a batch."""

    reads_devices = True

    def __init__(
        self, program: Program, dtype: Any, *, inputs: bool, checked: bool, threads: int = 1
    ) -> None:
        self.program, self.dtype, self.inputs = program, np.dtype(dtype), inputs
        self.checked = checked
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
        jitted = self._compiled(self._values)
        outputs = self._found(jitted, self._arrays(parameters, inputs), length)
        return outputs, not self.checked or are_finite([outputs])

    def _found(self, jitted: Callable[..., Any], arrays: _Arrays, length: int) -> Any:
        """Return the outputs for what `_arrays` returns."""
        found, needed = self._ran(jitted, *arrays, self._room)
        while self._room and int(needed) > self._room:
            self._room = 1 << (int(needed) - 1).bit_length()
            found, needed = self._ran(jitted, *arrays, self._room)
        lanes = (length,) * self.program.batched
        outputs = np.empty((len(self.program.outputs), *lanes), self.dtype)
        start = 0
        for each in found:
            outputs[start : start + len(each)] = each
            start += len(each)
        return outputs

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output or its mean, and the adjoints of parameters or inputs."""
        jitted = self._compiled(self._mean if mean else self._each)
        value, slopes, finite = self._fetched(jitted, self._arrays(parameters, inputs))
        gradient, adjoints = (None, slopes) if self.inputs else (slopes, None)
        return Gradients(value[0], gradient, adjoints, finite)

    def _fetched(self, jitted: Callable[..., Any], arrays: _Arrays) -> tuple[Any, Any, bool]:
        """Return a row of values, or one, the slopes, and whether all of them are finite."""
        first, *rest = self._ran(jitted, *arrays)
        if not rest and first.size <= _FEW_RESULTS:
            together = np.array(first)
            return together[:1], together[1:], bool(np.isfinite(together).all())
        value, slopes = np.array(first), np.concatenate(rest or [first[1:]])
        return value, slopes, are_finite([value, slopes])

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call. Arrays of NumPy are laid out only if their numbers are few."""
        program = self.program
        if self._room or sharing() is not None:
            return None
        few = program.inputs * length <= _FEW
        inputs: Any = self._empty(length) if few else None
        parameters = aligned_empty(program.parameters, self.dtype)  # JAX need not copy it
        jitted, held = self._compiled(self._functions[call]), [None, None]
        own: _Arrays = (parameters, [], ())
        if few and program.inputs:
            own = parameters, [inputs.T], (True,)

        def run() -> bool | tuple[Any, Any]:
            arrays, (numbers, given) = own, held
            held[:] = None, None  # they are of this call alone
            if sharing() is not None:
                return False
            if numbers is not None:
                arrays = _automatic(numbers), *arrays[1:]
            if given is not None:
                arrays = arrays[0], [*given], (program.batched,) * len(given)
            if call == "values":
                outputs = self._found(jitted, arrays, length)
                return (not self.checked or are_finite([outputs])) and (outputs, None)
            value, slopes, finite = self._fetched(jitted, arrays)
            return finite and (value, slopes)

        return Layout(parameters, inputs, run, None, None, watched=True, held=held)

    def _empty(self, length: int) -> Any:
        """Return an array for the inputs, in which the numbers of each sample lie together."""
        numbers = aligned_empty(length * self.program.inputs, self.dtype)
        shape = length, self.program.inputs
        return numbers.reshape(shape).T if self.program.batched else numbers

    def _arrays(self, parameters: Any, inputs: Any) -> _Arrays:
        """Convert what is not on devices to the precision of the program.

        Returns the parameters, the inputs with a row for each sample if they lie in memory so, and
        which of them have. Few inputs are joined.
        """
        held = isinstance(parameters, jax.Array)
        numbers, devices = parameters if held else np.asarray(parameters, self.dtype), sharing()
        apart = any(isinstance(each, OnDevices) for each in inputs) or devices is not None
        if not apart and 0 < sum(each.size for each in inputs) <= _FEW:
            rows = self._empty(inputs[0].shape[-1] if self.program.batched else 1)
            np.concatenate(inputs, out=rows)
            return numbers, [rows.T], (True,)
        with _enable_x64(self.dtype == np.float64):
            parts, turned = self._apart(inputs, devices)
            if devices is not None:
                numbers = devices.copied(np.asarray(numbers, self.dtype))
            elif held:
                numbers = _beside(parts, numbers)
        return numbers, parts, turned

    def _apart(self, inputs: Any, devices: Devices | None) -> tuple[list[Any], tuple[bool, ...]]:
        """Return each input by itself, and which have a row for each sample."""
        parts, turned, batched = [], [], self.program.batched
        for each in inputs:
            if isinstance(each, OnDevices):
                parts.append(_automatic(each.array))
                turned.append(batched)
                continue
            turned.append(each.ndim == 2 and each.flags.f_contiguous)
            part = np.asarray(each.T if turned[-1] else each, self.dtype)
            if devices is not None and batched:
                devices.check(each.shape[1], "a batch")
                part = devices.divided(part, 0 if turned[-1] else 1)
            parts.append(part)
        return parts, tuple(turned)

    def _ran(self, jitted: Callable[..., Any], *arrays: Any) -> Any:
        double = self.dtype == np.float64
        if jax.config.jax_enable_x64 == double:
            return jitted(*arrays)
        with _enable_x64(double):
            return jitted(*arrays)

    def _compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of what `_arrays` returns, compiled by JAX."""
        devices = sharing()
        key = function.__name__, devices
        if key not in self._jitted:
            spread = {} if devices is None else {"out_shardings": devices.replicated}
            static = (2, 3) if function == self._values else 2  # which are turned, and the room
            self._jitted[key] = jax.jit(function, static_argnums=static, **spread)
        return self._jitted[key]

    @property
    def _functions(self) -> dict[Call, Callable[..., Any]]:
        return {"values": self._values, "mean": self._mean, "each": self._each}

    @cached_property
    def _cuts(self) -> Cuts:
        return Cuts(self.program)

    def _outputs(self, parameters: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        return Run(self.program, parameters, inputs, self._cuts, self.dtype).outputs()

    def _leaves(self, parameters: Any, parts: Any, turned: Any) -> tuple[list[Any], list[Any]]:
        """Return the parameters and the rows of the inputs in the parts that are read."""
        cuts, batched = self._cuts, self.program.batched
        start, rows = 0 if batched else len(parameters), []
        for part, each in zip(parts, turned, strict=True):
            numbers = part.astype(self.dtype)
            if batched and each:
                numbers = numbers.reshape(len(part), math.prod(part.shape[1:])).T
            elif not batched:
                numbers = numbers.ravel()
            rows += cuts.parts(batched, start, numbers)
            start += len(numbers)
        return cuts.parts(False, 0, parameters.astype(self.dtype)), rows

    def _values(self, parameters: Any, parts: Any, turned: Any, room: int) -> tuple[list[Any], Any]:
        """Return the outputs in arrays that follow one another, and the room that stacks need."""
        leaves = self._leaves(parameters, parts, turned)
        run = Run(self.program, *leaves, self._cuts, self.dtype, room)
        found = run.outputs()
        if self.program.batched:
            found = [each if each.ndim > 1 else each[:, None] for each in found]
        return _joined(found), run.needed if room else None

    def _mean(self, parameters: Any, parts: Any, turned: Any) -> list[Any]:
        return self._slopes(parameters, parts, turned, lambda value, rows: (value.mean(),) * 2)

    def _each(self, parameters: Any, parts: Any, turned: Any) -> list[Any]:
        def each(value: Any, rows: Any) -> tuple[Any, Any]:
            if self.program.batched:
                value = jnp.broadcast_to(value, rows[0].shape[1:])
            return value.sum(), value

        return self._slopes(parameters, parts, turned, each)

    def _slopes(
        self, parameters: Any, parts: Any, turned: Any, result: Callable[..., Any]
    ) -> list[Any]:
        """Return arrays that follow one another: the value, then the slopes."""
        numbers, rows = self._leaves(parameters, parts, turned)

        def of(leaves: Any) -> Any:
            ((value,),) = self._outputs(*((numbers, leaves) if self.inputs else (leaves, rows)))
            return result(value, rows)

        leaves = rows if self.inputs else numbers
        (_, value), slopes = jax.value_and_grad(of, has_aux=True)(leaves)
        return _joined([value[None], *slopes])


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
