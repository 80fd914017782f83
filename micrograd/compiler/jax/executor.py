"""Runs a program by JAX: its instructions in `jax.numpy`, compiled by `jax.jit`.

JAX places and shards the arrays: a batch that is a sharded array is computed where it is. JAX
differentiates matrix products and sums itself; the derivatives of operations are those of the
table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import jax
import jax.experimental
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding

from micrograd.compiler.executor import Call, Executor, Gradients, Layout, are_finite, gathered
from micrograd.compiler.jax.devices import Devices, sharing
from micrograd.compiler.jax.loops import are_differentiable
from micrograd.compiler.jax.operations import ON_JAX
from micrograd.compiler.jax.run import Run
from micrograd.compiler.jax.spaces import Cuts
from micrograd.compiler.numpy.memory import aligned_empty
from micrograd.compiler.program.program import Program

# A context in which JAX computes in float64; older versions of JAX have it in another module.
_enable_x64: Any = (jax if hasattr(jax, "enable_x64") else jax.experimental).enable_x64

_FEW = 2**17  # up to this many numbers are joined: passing an array takes longer than its numbers


class JaxExecutor(Executor):
    """Runs one program, as an `Executor` does; JAX compiles it anew for each length of a batch."""

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
        outputs = self._found(self._arrays(parameters, inputs), length)
        return outputs, not self.checked or are_finite([outputs])

    def _found(self, arrays: tuple[Any, Any, Any], length: int) -> Any:
        """Return the outputs for what `_arrays` returns."""
        with _enable_x64(self.dtype == np.float64):
            run = self._compiled(self._values)
            found, needed = run(*arrays, self._room)
            while self._room and int(needed) > self._room:
                self._room = 1 << (int(needed) - 1).bit_length()
                found, needed = run(*arrays, self._room)
        return gathered(found, self.program, length, self.dtype)

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output or its mean, and the adjoints of parameters or inputs."""
        value, slopes = self._fetched(self._arrays(parameters, inputs), mean=mean)
        gradient, adjoints = (None, slopes) if self.inputs else (slopes, None)
        return Gradients(value, gradient, adjoints, bool(np.isfinite(slopes).all()))

    def _fetched(
        self, arrays: tuple[Any, Any, Any], *, mean: bool, out: Any = None
    ) -> tuple[Any, Any]:
        """Return the value and the slopes for what `_arrays` returns."""
        with _enable_x64(self.dtype == np.float64):
            run = self._compiled(self._mean if mean else self._each)
            first, *rest = map(np.asarray, run(*arrays))
        return first[0], np.concatenate(rest or [first[1:]], out=out)

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call, if its numbers are few."""
        program, inputs = self.program, self._empty(length)
        if inputs.size > _FEW or self._room or sharing() is not None:
            return None
        parameters = aligned_empty(program.parameters, self.dtype)  # JAX need not copy it
        arrays = parameters, [inputs.T] if inputs.size else [], (True,) * (inputs.size > 0)
        lanes = (length,) * program.batched
        results = np.empty(1 if call == "mean" else (len(program.outputs), *lanes), self.dtype)
        slopes = None
        if call != "values":
            slopes = np.empty_like(inputs if self.inputs else parameters)

        def run() -> bool:
            if sharing() is not None:
                return False
            if slopes is None:
                results[...] = self._found(arrays, length)
                return True
            results[...], _ = self._fetched(arrays, mean=call == "mean", out=slopes)
            return are_finite([slopes])

        return Layout(parameters, inputs, run, results, slopes)

    def _empty(self, length: int) -> Any:
        """Return an array for the inputs, in which the numbers of each sample lie together."""
        numbers = aligned_empty(length * self.program.inputs, self.dtype)
        return numbers.reshape(length, -1).T if self.program.batched else numbers

    def _arrays(self, parameters: Any, inputs: Any) -> tuple[Any, Any, Any]:
        """Convert to the precision of the program; arrays of JAX stay where they are.

        Returns the parameters, the inputs with a row for each sample if they lie in memory so, and
        which of them have. Few inputs are joined.
        """
        numbers, devices = np.asarray(parameters, self.dtype), sharing()
        held = any(isinstance(each, jax.Array) for each in inputs) or devices is not None
        if not held and 0 < sum(each.size for each in inputs) <= _FEW:
            rows = self._empty(inputs[0].shape[-1] if self.program.batched else 1)
            np.concatenate(inputs, out=rows)
            return numbers, [rows.T], (True,)
        with _enable_x64(self.dtype == np.float64):
            return self._apart(numbers, inputs, devices)

    def _apart(self, numbers: Any, inputs: Any, devices: Devices | None) -> tuple[Any, Any, Any]:
        """Return the same with each input by itself."""
        parts, turned = [], []
        for each in inputs:
            is_ours = isinstance(each, jax.Array)
            turned.append(not is_ours and each.ndim == 2 and each.flags.f_contiguous)
            if is_ours:
                parts.append(_automatic(each.astype(self.dtype)))
                continue
            part = np.asarray(each.T if turned[-1] else each, self.dtype)
            if devices is not None and self.program.batched:
                devices.check(each.shape[1], "a batch")
                part = devices.divided(part, 0 if turned[-1] else 1)
            parts.append(part)
        return numbers if devices is None else devices.copied(numbers), parts, tuple(turned)

    def _compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of what `_arrays` returns, compiled by JAX."""
        devices = sharing()
        key = function.__name__, devices
        if key not in self._jitted:
            spread = {} if devices is None else {"out_shardings": devices.replicated}
            static = (2, 3) if function == self._values else 2  # which are turned, and the room
            self._jitted[key] = jax.jit(function, static_argnums=static, **spread)
        return self._jitted[key]

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
            turned_back = part.T if each else part
            rows += cuts.parts(batched, start, turned_back)
            start += len(turned_back)
        return cuts.parts(False, 0, parameters), rows

    def _values(self, parameters: Any, parts: Any, turned: Any, room: int) -> tuple[list[Any], Any]:
        """Return the outputs, and for how many steps stacks need room."""
        leaves = self._leaves(parameters, parts, turned)
        run = Run(self.program, *leaves, self._cuts, self.dtype, room)
        return run.outputs(), run.needed

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
            (value,) = self._outputs(*((numbers, leaves) if self.inputs else (leaves, rows)))
            return result(value, rows)

        leaves = rows if self.inputs else numbers
        (_, value), slopes = jax.value_and_grad(of, has_aux=True)(leaves)
        found = [value[None], *slopes]
        few = sum(each.size for each in found) <= _FEW
        alike = len({each.ndim for each in found}) == 1  # not for a mean and slopes of each sample
        return [jnp.concatenate(found)] if few and alike else found


def _automatic(array: Any) -> Any:
    """Return the array on the same devices, where JAX decides how results are spread."""
    sharding = array.sharding
    if not isinstance(sharding, NamedSharding):
        return array
    mesh = Mesh(sharding.mesh.devices, sharding.mesh.axis_names)
    return jax.device_put(array, NamedSharding(mesh, sharding.spec))
