"""What a workload is, the list of all workloads, and how each engine runs one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import micrograd
from benchmarks.timing import Run
from micrograd import Value, compile  # noqa: A004

Make = Callable[..., "Workload"]

EPSILON = float(np.finfo(float).eps)
ROUNDINGS = 2**12
"""Two correct programs may differ by as much as if each argument had been rounded this often. A
result has fewer roundings along any path, and a wrong formula changes far more than the twelfth
digit."""


class Workload(NamedTuple):
    """One function, written for this library and for JAX.

    Args:
        ours: a function of `*parameters, *arguments`; of one sample if it is batched.
        theirs: the same function for JAX.
        arguments: its arguments, arrays and numbers; batches with the samples along axis 0 if it is
            batched. Without parameters, gradients are taken with respect to all of them.
        parameters: arrays and numbers with respect to which the (mean) gradient is taken.
        batched: whether the arguments are batches.
        gradient: whether the value and its gradient are wanted, or the values alone.
    """

    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    arguments: tuple[Any, ...]
    parameters: tuple[Any, ...] = ()
    batched: bool = False
    gradient: bool = True


class Sized(NamedTuple):
    """How to build a workload: the sizes that are measured, and small ones for tests."""

    make: Make
    full: tuple[int, ...]
    small: tuple[int, ...]

    def made(self, *, small: bool = False) -> Workload:
        """The workload, always with the same random numbers."""
        return self.make(np.random.default_rng(0), *(self.small if small else self.full))


ALL: dict[str, Sized] = {}
"""The workloads by name."""


def workload(name: str, *full: int, small: tuple[int, ...]) -> Callable[[Make], Make]:
    """Register a function that builds a workload from random numbers and sizes under a name."""

    def enter(make: Make) -> Make:
        ALL[name] = Sized(make, full, small)
        return make

    return enter


def both(f: Callable[..., Any], *fixed: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return a formula written once, `f(library, …)`, for each of the two libraries."""
    return partial(f, micrograd, *fixed), partial(f, jnp, *fixed)


def values(numbers: Any) -> Any:
    """A Value for each number, in an array of the same shape."""
    return np.frompyfunc(Value, 1, 1)(numbers)


# ------------------------------------------------------------------------------------- the engines


def held_by(task: Workload) -> list[Any]:
    """The parameters as arrays of Values."""
    return [values(each) for each in task.parameters]


def by_program(task: Workload, backend: str, held: Sequence[Any] | None = None) -> Run:
    """The workload as a compiled function of Values, by default new ones; its call is timed."""
    held = held_by(task) if held is None else held
    flat = [value for each in held for value in np.ravel(each)]
    program = compile(partial(task.ours, *held), flat, batched=task.batched, backend=backend)
    if not task.gradient:
        return partial(program, *task.arguments)
    if not task.parameters:
        return partial(program.value_and_grad, *task.arguments)
    numbers = np.concatenate([np.ravel(each) for each in task.parameters]).astype(float)
    return partial(program.value_and_grad, *task.arguments, parameters=numbers)


def jitted(task: Workload) -> Callable[..., Any]:
    """The workload as JAX users write it: `jit`, `vmap` over samples, `value_and_grad`.

    It takes the parameters and the arguments.
    """
    f, count = task.theirs, len(task.parameters)
    axes = [None] * count + [0] * len(task.arguments)
    if task.gradient and count:
        run = jax.value_and_grad(_mean(f, axes) if task.batched else f, tuple(range(count)))
    elif task.gradient:
        run = jax.value_and_grad(f, tuple(range(len(task.arguments))))
        run = jax.vmap(run) if task.batched else run
    else:
        run = jax.vmap(f, axes) if task.batched else f
    return jax.jit(run)


def by_jax(task: Workload, f: Callable[..., Any]) -> Run:
    """The call of a jitted workload, whose arguments are on the device already."""
    held = jax.device_put((*task.parameters, *task.arguments))
    return lambda: jax.block_until_ready(f(*held))


def _mean(f: Callable[..., Any], axes: Sequence[int | None]) -> Callable[..., Any]:
    mapped = jax.vmap(f, axes)
    return lambda *args: jnp.mean(mapped(*args))


# ------------------------------------------------------------------------------------- agreement


def numbers_of(result: Any) -> Any:
    """All numbers of a result, value first, in one array."""
    return np.concatenate([np.ravel(np.asarray(leaf, float)) for leaf in jax.tree.leaves(result)])


def disagreement(task: Workload, result: Any, f: Callable[..., Any]) -> float:
    """How far a result is from JAX's, relative to what rounding may change; 1 is the limit.

    Rounding changes a result as if the arguments had been rounded, so JAX also computes it for
    arguments that differ by `ROUNDINGS` units in the last place.

    Args:
        task: the workload.
        result: what was computed.
        f: the workload, jitted.
    """
    draw = np.random.default_rng(0)

    def moved(numbers: Any) -> Any:
        return numbers * (1 + ROUNDINGS * EPSILON * draw.choice([-1.0, 1.0], np.shape(numbers)))

    given = (*task.parameters, *task.arguments)
    found, expected, near = map(numbers_of, (result, f(*given), f(*map(moved, given))))
    if found.shape != expected.shape:
        raise ValueError(f"JAX gives {len(expected)} numbers, the program {len(found)}")
    allowed = np.abs(near - expected).max() + ROUNDINGS * EPSILON * np.abs(expected).max()
    return float(np.abs(found - expected).max() / allowed)
