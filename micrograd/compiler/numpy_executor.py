"""A program run by NumPy, over the whole batch at once.

Slots of `u` are an array of numbers, slots of `v` one of rows. For a given length of the batch, the
arrays are laid out once and every instruction becomes a call that works in place.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property, partial
from typing import Any

import numpy as np

from micrograd.compiler.program import (
    Elementwise,
    Instruction,
    Operand,
    Product,
    Program,
    Rows,
    WeightedSums,
    rows_of,
)
from micrograd.kernels import Vocabulary

Call = Callable[[], Any]
_KEPT = 4  # lengths of batches whose arrays are kept


# ---------------------------------------------------------------------------------------- the table


def _erf(x: Any) -> Any:
    try:
        from scipy.special import erf
    except ImportError:
        return np.vectorize(math.erf, otypes=[float])(x)
    return erf(x)


_NAMES = {
    **{name: name for name in "exp expm1 log log1p log2 log10 sqrt sin cos tan".split()},
    **{name: name for name in "sinh cosh tanh abs sign maximum minimum hypot".split()},
    **{f"a{name}": f"arc{name}" for name in "sin cos tan sinh cosh tanh tan2".split()},
}
_VOCABULARY = Vocabulary(
    {
        **{name: getattr(np, numpy) for name, numpy in _NAMES.items()},
        "relu": lambda x: np.maximum(x, 0.0),  # as its formula, but in one pass
        "_where": np.where,
        "_pow": np.power,
        "erf": _erf,
        "step": lambda x: np.heaviside(x, 0.0),
    }
)
_DIRECT = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "neg": np.negative,
    "square": np.square,
    "reciprocal": np.reciprocal,
    **{name: getattr(np, numpy) for name, numpy in _NAMES.items()},
    "relu": lambda x, out: np.maximum(x, 0.0, out=out),
}


_value = cache(_VOCABULARY.value)
_flow = cache(_VOCABULARY.flow)


# --------------------------------------------------------------------------------------- the memory


class Memory:
    """The arrays of a program for one length of the batch, and its instructions on them."""

    def __init__(self, program: Program, length: int, dtype: Any, *, inputs: bool) -> None:
        self.program, self.length = program, length
        self.u = np.zeros(program.uniform, dtype)
        self.v = np.zeros((program.varying, length), dtype)
        self.gu, self.gv = np.zeros_like(self.u), np.zeros_like(self.v)
        first = program.first_constant
        self.u[first : first + len(program.constants)] = program.constants
        self.active = _active(program, inputs)
        self.forward = [self._step(instruction) for instruction in program.instructions]
        self.backward = self._reversed(careful=False)

    @cached_property
    def careful(self) -> list[Call]:
        """The instructions backwards, in which an adjoint of zero stops even before an infinity."""
        return self._reversed(careful=True)

    def _reversed(self, *, careful: bool) -> list[Call]:
        """The instructions backwards.

        The first one that writes the adjoints of rows of `v` stores them; others add. What is added
        to or read before it was stored is set to zero at the start.
        """
        self._stored = np.zeros(len(self.gv), bool)
        self._zeroed = np.zeros(len(self.gv), bool)
        for varies, slot in self.program.outputs:
            if varies:
                self._stored[slot] = True  # the seed
        calls: list[Call] = []
        for instruction in reversed(self.program.instructions):
            if instruction.varies:
                self._touch(instruction.out)
            calls += self._back(instruction, careful=careful)
        if self.program.batched:
            self._touch(slice(*self.program.input_slots))
        zeros = [self.gv[rows] for rows in _runs(self._zeroed)]
        return [partial(_clear, zeros), *calls]

    def _touch(self, rows: Rows) -> None:
        """Rows of adjoints are added to or read: those that nothing has stored begin at zero."""
        self._zeroed[rows] |= ~self._stored[rows]
        self._stored[rows] = True

    def read(self, operand: Operand, wide: bool) -> Any:
        """The rows of an operand: a view, or a function that gathers them."""
        array = self.v if operand.varies else self.u
        if isinstance(operand.rows, slice):
            view = array[operand.rows]
            return view[:, None] if wide and not operand.varies else view
        if wide and not operand.varies:
            return lambda: array[operand.rows][:, None]
        return partial(array.take, operand.rows, axis=0, mode="clip")

    def add(self, varies: bool, rows: Rows) -> Callable[[Any], None]:
        """A function that adds to the adjoints of rows."""
        array = self.gv if varies else self.gu
        if isinstance(rows, slice):
            view = array[rows]
            if varies and not self._stored[rows].any():
                self._stored[rows] = True
                return partial(np.copyto, view)
            if varies:
                self._touch(rows)
            return partial(_increase, view)
        if varies:
            self._touch(rows)
        if len(np.unique(rows)) == rows.size:

            def add_once(share: Any) -> None:
                array[rows] += share

            return add_once
        return lambda share: np.add.at(array, rows, share)

    # --------------------------------------------------------------------------------- instructions

    def _step(self, instruction: Instruction) -> Call:
        match instruction:
            case Elementwise():
                return self._elementwise(instruction)
            case Product():
                return self._product(instruction)
        return self._sums(instruction)

    def _back(self, instruction: Instruction, *, careful: bool) -> Iterator[Call]:
        match instruction:
            case Elementwise():
                yield from self._elementwise_back(instruction, careful)
            case Product():
                yield from self._product_back(instruction, careful)
            case WeightedSums():
                yield self._sums_back(instruction, careful)

    def _elementwise(self, instruction: Elementwise) -> Call:
        varies, out, row, operands = instruction
        target = (self.v if varies else self.u)[out]
        read = [self.read(operand, varies) for operand in operands]
        if row.name in _DIRECT and not any(map(callable, read)):
            return partial(_DIRECT[row.name], *read, out=target)
        value = _value(row)

        def step() -> None:
            target[...] = value(*(each() if callable(each) else each for each in read))

        return step

    def _elementwise_back(self, instruction: Elementwise, careful: bool) -> Iterator[Call]:
        varies, out, row, operands = instruction
        target, adjoint = (self.v, self.gv) if varies else (self.u, self.gu)
        result, g = target[out], adjoint[out]
        read = [self.read(operand, varies) for operand in operands]
        for place, operand in enumerate(operands):
            flow = _flow(row, place)
            if flow is None or not self._is_active(operand.varies, operand.rows):
                continue
            add = self.add(operand.varies, operand.rows)
            yield partial(_push, flow, g, result, read, add, careful, varies and not operand.varies)

    def _is_active(self, varies: bool, rows: Rows) -> bool:
        return bool(self.active[varies][rows].any())

    def _product(self, instruction: Product) -> Call:
        matrix = self._matrix(self.u, instruction)
        inputs = self._vectors(self.v if instruction.varies else self.u, instruction)
        out = self._outputs(self.v if instruction.varies else self.u, instruction)
        bias = None
        if instruction.bias is not None:
            bias = self.read(Operand(False, instruction.bias), wide=instruction.varies)

        def step() -> None:
            weights = matrix() if callable(matrix) else matrix
            vectors = inputs() if callable(inputs) else inputs
            if instruction.varies:
                np.matmul(weights, vectors, out=out)
            else:
                np.matmul(vectors, weights.T, out=out)
            if bias is not None:
                np.add(out, bias() if callable(bias) else bias, out=out)

        return step

    def _matrix(self, array: Any, instruction: Product) -> Any:
        """The matrix: a strided view where its slots are evenly spaced, else a gathering."""
        slots = instruction.matrix
        (rows, columns), base = slots.shape, int(slots[0, 0])
        down = int(slots[1, 0]) - base if rows > 1 else columns
        right = int(slots[0, 1]) - base if columns > 1 else 1
        even = base + down * np.arange(rows)[:, None] + right * np.arange(columns)
        if (slots == even).all() and down > 0 and right > 0:
            strides = (down * array.itemsize, right * array.itemsize)
            return np.lib.stride_tricks.as_strided(array[base:], slots.shape, strides)
        return lambda: array[slots]

    def _vectors(self, array: Any, instruction: Product) -> Any:
        """The input vectors, one behind the other: (vectors, rows) or (vectors, rows, lanes)."""
        slots = instruction.inputs
        first = int(slots[0, 0])
        if (slots.ravel() == np.arange(first, first + slots.size)).all():
            view = array[first : first + slots.size].reshape(*slots.shape, *array.shape[1:])
            return view[0] if len(slots) == 1 and instruction.varies else view
        if len(slots) == 1 and instruction.varies:
            return lambda: array[slots[0]]
        return lambda: array[slots]

    def _outputs(self, array: Any, instruction: Product) -> Any:
        rows = array[instruction.out]
        if len(instruction.inputs) == 1 and instruction.varies:
            return rows
        return rows.reshape(len(instruction.inputs), -1, *array.shape[1:])

    def _product_back(self, instruction: Product, careful: bool) -> Iterator[Call]:
        varies = instruction.varies
        matrix = self._matrix(self.u, instruction)
        inputs = self._vectors(self.v if varies else self.u, instruction)
        g = self._outputs(self.gv if varies else self.gu, instruction)
        times = _careful_matmul if careful else np.matmul
        slots = instruction.inputs

        if self._is_active(varies, slots.ravel()):
            add = self.add(varies, rows_of(slots.ravel()))

            def into_inputs() -> None:
                weights = matrix() if callable(matrix) else matrix
                share = times(weights.T, g) if varies else times(g, weights)
                add(share.reshape(slots.size, *g.shape[g.ndim - varies :]))

            yield into_inputs
        if self._is_active(False, instruction.matrix.ravel()):
            into = self._into_matrix(instruction)

            def into_matrix() -> None:
                vectors = inputs() if callable(inputs) else inputs
                if not varies:
                    share = times(g.T, vectors)
                elif vectors.ndim == 2:
                    share = times(g, vectors.T)
                else:
                    share = times(g, vectors.swapaxes(1, 2)).sum(axis=0)
                into(share)

            yield into_matrix
        if instruction.bias is not None and self._is_active(False, instruction.bias):
            add_bias = self.add(False, instruction.bias)
            axes = (0, g.ndim - 1) if g.ndim == 3 else (1,) if varies else (0,)
            yield lambda: add_bias(g.sum(axis=axes))

    def _into_matrix(self, instruction: Product) -> Callable[[Any], None]:
        view = self._matrix(self.gu, instruction)
        if callable(view) or len(np.unique(instruction.matrix)) < instruction.matrix.size:
            add = self.add(False, instruction.matrix)
            return lambda share: add(share)
        return lambda share: _increase(view, share)

    def _sums(self, instruction: WeightedSums) -> Call:
        target = (self.v if instruction.varies else self.u)[instruction.out]

        def step() -> None:
            left, right = self._terms(instruction)
            sign = instruction.sign.reshape(-1, *[1] * (left.ndim - 1))
            np.add.reduceat(sign * left * right, instruction.start, axis=0, out=target)

        return step

    def _terms(self, instruction: WeightedSums) -> tuple[Any, Any]:
        """The factors of every term; 1 for one that is missing."""
        read = []
        for slots, varies in (
            (instruction.left, instruction.left_varies),
            (instruction.right, instruction.right_varies),
        ):
            shape = (len(slots), self.length) if instruction.varies else (len(slots),)
            factor = np.ones(shape, self.u.dtype)
            here, there = _spaces(slots, varies)
            if instruction.varies:
                factor[here] = self.v[slots[here]]
                factor[there] = self.u[slots[there]][:, None]
            else:
                factor[there] = self.u[slots[there]]
            read.append(factor)
        return read[0], read[1]

    def _sums_back(self, instruction: WeightedSums, careful: bool) -> Call:
        varies, out, start = instruction.varies, instruction.out, instruction.start
        adjoint = (self.gv if varies else self.gu)[out]
        lengths = np.diff(np.append(start, len(instruction.left)))
        sides = []
        for slots, kind in (
            (instruction.left, instruction.left_varies),
            (instruction.right, instruction.right_varies),
        ):
            spaces = zip(_spaces(slots, kind), (True, False), strict=True)
            sides.append([
                (chosen, space, slots[chosen])
                for chosen, space in spaces
                if chosen.any() and self._is_active(space, slots[chosen])
            ])  # fmt: skip

        for parts in sides:
            for _, space, slots in parts:
                if space:
                    self._touch(slots)

        def back() -> None:
            left, right = self._terms(instruction)
            sign = instruction.sign.reshape(-1, *[1] * (left.ndim - 1))
            g = sign * np.repeat(adjoint, lengths, axis=0)
            for parts, other in zip(sides, (right, left), strict=True):
                for chosen, space, slots in parts:
                    share = g[chosen] * other[chosen]
                    if careful:
                        share = np.where(g[chosen] == 0, 0.0, share)
                    if varies and not space:
                        share = share.sum(axis=1)
                    np.add.at(self.gv if space else self.gu, slots, share)

        return back


def _spaces(slots: Any, varies: Any) -> tuple[Any, Any]:
    """Which factors are in `v` and which in `u`; those that are missing are in neither."""
    return (slots >= 0) & varies, (slots >= 0) & ~varies


def _runs(chosen: Any) -> Iterator[slice]:
    """The chosen places as slices."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], chosen, [False]))))
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield slice(start, stop)


def _clear(views: Sequence[Any]) -> None:
    for view in views:
        view.fill(0.0)


def _increase(view: Any, share: Any) -> None:
    np.add(view, share, out=view)


def _push(
    flow: Callable[..., Any],
    g: Any,
    result: Any,
    read: Sequence[Any],
    add: Callable[[Any], None],
    careful: bool,
    over_lanes: bool,
) -> None:
    """Add to the adjoints of one operand."""
    share = flow(g, result, *(each() if callable(each) else each for each in read))
    if careful:
        share = np.where(g == 0, 0.0, share)
    add(np.broadcast_to(share, g.shape).sum(axis=1) if over_lanes else share)


def _careful_matmul(a: Any, b: Any) -> Any:
    """A matrix product in which a zero makes a zero of any factor: adjoints are on either side."""
    with np.errstate(all="ignore"):
        if a.ndim == 3 or b.ndim == 3:
            pairs = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            a = np.broadcast_to(a, (*pairs, *a.shape[-2:]))
            b = np.broadcast_to(b, (*pairs, *b.shape[-2:]))
            return np.stack([_careful_matmul(x, y) for x, y in zip(a, b, strict=True)])
        out = np.zeros((a.shape[0], b.shape[1]), a.dtype)
        for k in range(a.shape[1]):
            product = a[:, k, None] * b[k]
            product[(a[:, k, None] == 0) | (b[k] == 0)] = 0.0
            out += product
        return out


def _active(program: Program, inputs: bool) -> tuple[Any, Any]:
    """Which slots of `u` and of `v` a gradient is asked for, or lead to one that it is."""
    active = (np.zeros(program.uniform, bool), np.zeros(program.varying, bool))
    active[False][: program.parameters] = True
    if inputs:
        active[program.batched][slice(*program.input_slots)] = True
    for instruction in program.instructions:
        match instruction:
            case Elementwise(varies=varies, out=out, operands=operands):
                marks = np.zeros(out.stop - out.start, bool)
                for operand in operands:
                    marks |= active[operand.varies][operand.rows]
                active[varies][out] = marks
            case Product(varies=varies, out=out, matrix=matrix, inputs=vectors, bias=bias):
                marks = active[False][matrix].any(axis=1) | active[varies][vectors].any()
                if bias is not None:
                    marks |= active[False][bias]
                active[varies][out] = np.tile(marks, len(vectors))
            case WeightedSums():
                active[instruction.varies][instruction.out] = True
    return active


# ------------------------------------------------------------------------------------ the executor


class NumpyExecutor:
    """Runs one program, for any length of the batch, in any number of threads."""

    def __init__(self, program: Program, dtype: Any, *, inputs: bool) -> None:
        self.program, self.dtype, self.inputs = program, dtype, inputs
        self._thread = threading.local()

    def __reduce__(self) -> Any:
        return partial(NumpyExecutor, inputs=self.inputs), (self.program, self.dtype)

    def memory(self, length: int) -> Memory:
        """The arrays of this thread for a batch of that length."""
        kept: dict[int, Memory] = self._thread.__dict__.setdefault("kept", {})
        found = kept.pop(length, None)
        if found is None:
            found = Memory(self.program, length, self.dtype, inputs=self.inputs)
            if len(kept) >= _KEPT:
                kept.pop(next(iter(kept)))
        kept[length] = found
        return found

    def values(self, parameters: Any, inputs: Any, length: int) -> list[Any]:
        """The outputs: rows of the batch, or numbers where an output does not vary.

        `inputs` has a row for each input (a number if the program is not batched).
        """
        memory = self._run(parameters, inputs, length)
        return [
            (memory.v[slot].copy() if varies else memory.u[slot])
            for varies, slot in self.program.outputs
        ]

    def value_and_grad(
        self, parameters: Any, inputs: Any, length: int, *, mean: bool
    ) -> tuple[Any, Any, Any]:
        """The one output (or its mean), and the adjoints of parameters and inputs."""
        memory = self._run(parameters, inputs, length)
        ((varies, slot),) = self.program.outputs
        value = memory.v[slot] if varies else memory.u[slot]
        seed = 1.0 / length if mean else 1.0
        found = self._pull(memory, memory.backward, seed)
        if not all(np.isfinite(each).all() for each in found):
            found = self._pull(memory, memory.careful, seed)
        return (value.mean() if mean else np.copy(value)), *found

    def _run(self, parameters: Any, inputs: Any, length: int) -> Memory:
        program, memory = self.program, self.memory(length)
        memory.u[: program.parameters] = parameters
        if inputs:
            into = (memory.v if program.batched else memory.u)[slice(*program.input_slots)]
            np.concatenate(inputs, out=into)
        with np.errstate(all="ignore"):
            for call in memory.forward:
                call()
        return memory

    def _pull(self, memory: Memory, calls: Sequence[Call], seed: float) -> tuple[Any, Any]:
        program = self.program
        memory.gu.fill(0.0)
        ((varies, slot),) = program.outputs
        clear, *steps = calls
        clear()
        if varies:
            memory.gv[slot] = seed
        else:
            memory.gu[slot] = seed * memory.length if program.batched else seed
        with np.errstate(all="ignore"):
            for call in steps:
                call()
        adjoints = memory.gv if program.batched else memory.gu
        return (
            memory.gu[: program.parameters].copy(),
            adjoints[slice(*program.input_slots)].copy(),
        )
