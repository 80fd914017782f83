"""The reference executor: a program run in the plainest way.

It has one short function for each kind of instruction, which works on arrays with a row for each
slot and a column for each sample; the rows of `u` have one column. Tests compare the other
executors with it. It also computes the results that come out infinite or nan: a factor of zero
stops even an infinite one here, in matrix products and sums as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from micrograd.compiler.executor import Executor, Gradients, are_finite, gathered
from micrograd.compiler.numpy.lookups import lookup_call, scatter_call
from micrograd.compiler.numpy.loops import Spaces, Stacks, loop_call, stack_call
from micrograd.compiler.numpy.operations import stopping_product, value
from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import (
    Elementwise,
    Fold,
    Lookup,
    Product,
    Scatter,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import (
    Elements,
    Loop,
    LoopBack,
    Pack,
    Send,
    Unpack,
)
from micrograd.compiler.program.program import Program, Step, without_tapes
from micrograd.compiler.program.reverse import reverse
from micrograd.compiler.program.slots import in_spaces
from micrograd.locks import forkable_property

_MOST_NUMBERS = 2**22  # in one block of a large batch: values of `v`


class ReferenceExecutor(Executor):
    """Runs one program, as an `Executor` does; clear rather than fast."""

    def __init__(
        self, program: Program, dtype: Any, *, inputs: bool, checked: bool, threads: int = 1
    ) -> None:
        self.program, self.dtype, self.inputs = program, dtype, inputs

    @forkable_property
    def _steps(self) -> list[Step]:
        """The instructions, with the steps of each tape in place of it."""
        return [*without_tapes(self.program.instructions)]

    @forkable_property
    def _steps_back(self) -> list[Step]:
        """The same for the backward pass."""
        return [*without_tapes(reverse(self.program, inputs=self.inputs).instructions)]

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[Any, bool]:
        """Return the outputs, and whether they are finite."""
        parts: list[list[Any]] = []
        for block, lanes in self._blocks(inputs, length):
            spaces = self._forward(parameters, block, lanes)
            parts.append([spaces[varies][slot] for varies, slot in self.program.outputs])
        found = [
            np.concatenate(rows) if varies else rows[0][0]
            for rows, (varies, _) in zip(
                zip(*parts, strict=True), self.program.outputs, strict=True
            )
        ]
        outputs = gathered(found, self.program, length, self.dtype)
        return outputs, are_finite([outputs])

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output or its mean, and the adjoints of parameters and inputs."""
        program = self.program
        ((varies, slot),) = program.outputs
        seed = 1.0 / length if mean else 1.0
        results, gradient, adjoints_of_inputs = [], np.zeros(program.parameters, self.dtype), []
        for block, lanes in self._blocks(inputs, length):
            spaces = self._forward(parameters, block, lanes)
            adjoints = spaces[False][program.uniform :], spaces[True][program.varying :]
            adjoints[varies][slot] = seed if varies or not program.batched else seed * lanes
            with np.errstate(all="ignore"):
                _run(self._steps_back, spaces, [])
            results.append(spaces[varies][slot])
            gradient += adjoints[False][: program.parameters, 0]
            adjoints_of_inputs.append(adjoints[program.batched][slice(*program.input_slots)])
        found = np.concatenate(results) if varies else results[0][0]
        slopes = np.concatenate(adjoints_of_inputs, axis=1) if self.inputs else None
        if slopes is not None and not program.batched:
            slopes = slopes[:, 0]
        finite = are_finite([gradient if slopes is None else slopes])
        if mean and varies:
            with np.errstate(all="ignore"):  # infinities of both signs
                found = found.sum() / length
        return Gradients(found, gradient, slopes, finite)

    def _blocks(self, inputs: Sequence[Any], length: int) -> Iterator[tuple[Any, int]]:
        """Yield the rows of the inputs for a block of samples, and the number of samples."""
        if not self.program.batched:
            yield np.concatenate([*inputs, np.zeros(0)])[:, None], 1
            return
        lanes = max(256, _MOST_NUMBERS // max(1, self.program.varying))
        rows = [np.asarray(each) for each in inputs]
        for start in range(0, max(1, length), lanes):
            count = min(lanes, length - start)
            block = np.zeros((self.program.inputs, count))
            if rows:
                np.concatenate([each[:, start : start + count] for each in rows], out=block)
            yield block, count

    def _forward(self, parameters: Any, inputs: Any, lanes: int) -> Spaces:
        program, first = self.program, self.program.first_constant
        u = np.zeros((2 * program.uniform, 1), self.dtype)  # the values, then the adjoints
        v = np.zeros((2 * program.varying, lanes), self.dtype)
        u[: program.parameters, 0] = parameters
        u[first : first + len(program.constants), 0] = program.constants
        (v if program.batched else u)[slice(*program.input_slots)] = inputs
        with np.errstate(all="ignore"):
            _run(self._steps, (u, v), [None for _ in program.stacks])
        return u, v


def _run(steps: Sequence[Step], spaces: Spaces, stacks: Stacks) -> None:
    for step in steps:
        if isinstance(step, Loop):
            body = partial(_run, [*without_tapes(step.body)], spaces, stacks)
            loop_call(step, spaces, stacks, body)()
        elif isinstance(step, Pack | Elements):
            stack_call(step, spaces, stacks)()
        elif isinstance(step, Lookup):
            lookup_call(spaces, step)()
        elif isinstance(step, Scatter):
            scatter_call(spaces, step)()
        elif isinstance(step, Unpack | Send | LoopBack):
            raise TypeError("the reference executor takes traced derivatives of loops")
        elif isinstance(step, Fold) or step.mode == "value":
            spaces[step.varies][step.out] = _result(step, spaces)
        else:
            _add(step, spaces, _result(step, spaces))


def _add(step: Elementwise | Product | WeightedSums, spaces: Spaces, share: Any) -> None:
    """Add to adjoints, which are 0 at first; those of a number of `u` are summed over samples."""
    is_total = step.mode == "total"
    if is_total:
        share = share.sum(axis=-1, keepdims=True)
    space = spaces[step.varies and not is_total]
    if isinstance(step.out, slice):
        space[step.out] += share
    else:
        np.add.at(space, step.out, share)


def _result(step: Step, spaces: Spaces) -> Any:
    match step:
        case Elementwise(operation=row, operands=operands):
            read = [spaces[varies][rows] for varies, rows in operands]
            result = value(row)(*read)
            return np.where(read[0] == 0, 0.0, result) if isinstance(row, Flow) else result
        case Product():
            return _product(step, spaces)
        case WeightedSums(mode=mode):
            left, right = _factors(step, spaces)
            times = np.multiply if mode == "value" else stopping_product
            return np.add.reduceat(times(left, right), step.start, axis=0)
        case Fold(varies=varies, slots=slots, start=start, operation=row):
            return getattr(np, row.name).reduceat(spaces[varies][slots], start, axis=0)


# --------------------------------------------------------------------------------- the instructions


def _product(step: Product, spaces: Spaces) -> Any:
    vectors = spaces[step.varies][step.inputs]
    if step.mode == "total":
        matrix = spaces[True][step.matrix]
        out = _stopping_matmul(np.moveaxis(vectors, 1, 0), matrix.transpose(1, 2, 0)).sum(axis=0)
        return out.reshape(-1, 1)
    matrix = spaces[False][step.matrix][..., 0]
    out = matrix @ vectors if step.mode == "value" else _stopping_matmul(matrix[None], vectors)
    if step.bias is not None:
        out += spaces[False][step.bias]
    return out.reshape(-1, out.shape[-1])


def _stopping_matmul(a: Any, b: Any) -> Any:
    """Return `a @ b` for stacks of matrices, where a factor of zero stops even an infinite one."""
    plain = np.isfinite(a).all(axis=(0, 1)) & np.isfinite(b).all(axis=(0, 2))
    total = a[:, :, plain] @ b[:, plain]
    for k in np.flatnonzero(~plain).tolist():
        total += stopping_product(a[:, :, k, None], b[:, k, None, :])
    return total


def _factors(step: WeightedSums, spaces: Spaces) -> tuple[Any, Any]:
    """Return the left factor of each term with the sign of the term, and the right one or 1."""
    space = spaces[step.varies]
    factors = np.ones((2, len(step.sign), space.shape[1]), space.dtype)
    for factor, (slots, kinds) in zip(factors, step.sides, strict=True):
        for varies, chosen in in_spaces(kinds, slots >= 0):
            factor[chosen] = spaces[varies][slots[chosen]]
    return step.sign[:, None] * factors[0], factors[1]
