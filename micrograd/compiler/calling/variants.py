"""The programs of a function, one for each structure of arguments, and the numbers of a call."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.calling.arguments import (
    batch_columns,
    different_lengths,
    numbers,
    on_devices,
    refuse_tensors,
)
from micrograd.compiler.calling.results import gradient, regular, store
from micrograd.compiler.calling.shortcuts import ROWS, Shortcuts, direct_shortcut, shortcut
from micrograd.compiler.calling.staging import REAL, is_on_devices, parameters_stager
from micrograd.compiler.calling.targets import Parameters
from micrograd.compiler.executor import Call, MakeExecutor, Shapes
from micrograd.compiler.stopping import CheckedExecutor
from micrograd.compiler.tracing.recorder import TraceError
from micrograd.compiler.tracing.tracer import are_traced, refuse_programs_of, trace, tracing
from micrograd.engine.graph import Node
from micrograd.engine.lines import line_of_function, line_of_user
from micrograd.engine.value import numbers_of
from micrograd.locks import reentrant_lock
from micrograd.transforms.structures import (
    NONE,
    Structure,
    count_leaves,
    flatten,
    placed,
    unflatten,
)

MOST_STRUCTURES = 16
"""Structures of arguments whose programs a compiled function keeps."""
_MANY = (
    f"{{!r}} was called with more than {MOST_STRUCTURES} structures of arguments, such as lists of "
    "different lengths. It keeps the programs of the last ones and traces the function again for "
    "others, which is slow: pad lists to a few lengths, or compile the function for each use"
    "\n  at {}"
)

# Reads the slot itself: another thread may be tracing a function with the same parameters, which
# are traced values meanwhile.
_number = vars(Node)["data"].__get__


class Variant(NamedTuple):
    """A program for one structure of arguments; `parts` are those with the places of leaves."""

    executor: CheckedExecutor
    arguments: tuple[Structure, ...]
    result: Structure
    parts: list[tuple[Structure, slice]]

    def value(self, rows: Any, out: Any) -> Any:
        """Return outputs in the structure of the result, or in an array of the caller."""
        if out is None:
            return regular(self.result, rows)
        return store([(self.result, slice(None))], rows, out, "the value")


class Arguments(NamedTuple):
    """The numbers of one call."""

    variant: Variant
    inputs: list[Any]
    length: int
    shared: Sequence[Any] = ()  # the numbers of arguments that a batch shares


_keeping = reentrant_lock()  # held while the programs of a function change


class Options(NamedTuple):
    """How a function is compiled.

    Args:
        parameters: the Values whose numbers are read at each call, and their structure.
        batched: whether every argument is a batch.
        dtype: `numpy.dtype` of float64 or float32.
        make: makes the executor of a program.
        threads: the number of threads that may share a large batch.
        axes: an entry for each argument, 0 for a batch and None for one that a batch shares; None
            if all arguments are treated alike.
        static: the positions and the names of static arguments.
        limit: the most operations that a trace may record.
    """

    parameters: Parameters
    batched: bool
    dtype: Any
    make: MakeExecutor
    threads: int
    axes: tuple[int | None, ...] | None
    static: tuple[frozenset[int], frozenset[str]]
    limit: int | None


class Variants:
    """A function with a program for each structure of arguments that it was called with.

    Args:
        f: the function that is traced; None once there are programs and it was pickled.
        options: how it is compiled.
    """

    def __init__(self, f: Callable[..., Any] | None, options: Options) -> None:
        self.f, self._options = f, options
        self._held, self.batched, self.dtype, *_ = options
        self.parameters = self._held.values
        self._inputs = not self.parameters  # whether gradients are those of the arguments
        self._mean = self.batched and not self._inputs  # whether they are those of a mean
        axes = options.axes
        self._axes = None if axes is None or None not in axes else axes
        self._variants: OrderedDict[tuple[Structure, ...], Variant] = OrderedDict()
        self._last: Variant | None = None
        self._warned = False
        self._shortcuts = Shortcuts(), Shortcuts()  # of values, and of value_and_grad

    def _axes_of(self, count: int) -> tuple[int | None, ...]:
        """Return an entry for each of `count` arguments: 0 for a batch, None for a shared one."""
        axes = self._options.axes
        if axes is None:
            return (0,) * count
        if len(axes) != count:
            raise ValueError(
                f"in_axes has {len(axes)} entries, but the function was called with {count} "
                f"arguments\n  at {line_of_user()}"
            )
        return axes

    # -------------------------------------------------------------------------------------- numbers

    def _numbers_now(self) -> list[float] | None:
        """Return the numbers of the parameters; None if this thread is tracing with them."""
        return None if are_traced(self.parameters) else [*map(_number, self.parameters)]

    def _numbers(self, given: Any) -> Any:
        """Return the numbers of the parameters: those given, or the current ones."""
        if given is None:
            refuse_programs_of(self.parameters)
            return numbers_of(self.parameters, _number)
        reads = getattr(self._options.make, "reads_devices", False)
        if reads and is_on_devices(given) and given.shape == (len(self.parameters),):
            return given
        is_flat = type(given) is np.ndarray and given.ndim == 1
        if self._held.structure is not None and not is_flat:
            array = np.empty(len(self.parameters), self.dtype)
            if parameters_stager(self._held.structure, array)(given):
                return array
            given = self._held.leaves(given)
        if type(given) is np.ndarray and given.dtype.kind in REAL:
            array = np.asarray(given, dtype=self.dtype)
        else:
            array = np.asarray(numbers(given, "parameters")[0], dtype=self.dtype)
        if array.shape != (len(self.parameters),):
            raise ValueError(
                f"parameters is an array of {len(self.parameters)} numbers, got shape {array.shape}"
            )
        return array

    def _all_numbers(self, given: Any, call: Arguments) -> Any:
        """Return the numbers of the parameters and of the arguments that a batch shares."""
        own = self._numbers(given)
        return np.concatenate([own, *call.shared]) if call.shared else own

    def _gradient(self, variant: Variant, slopes: Any, out: Any) -> Any:
        """Return a gradient in its structure, or in arrays of the caller."""
        if self._inputs:
            if out is None:
                return gradient(variant.parts, slopes)
            return store(variant.parts, slopes, out, "an argument")
        slopes = slopes[: len(self.parameters)]
        if out is not None:
            return store(
                [(Structure(np.ndarray, slopes.shape), slice(None))], slopes, out, "the gradient"
            )
        structure = self._held.structure
        return slopes if structure is None else regular(structure, slopes)

    # ------------------------------------------------------------------------------------- programs

    def _call(self, args: Sequence[Any]) -> Arguments:
        parts: list[Any] = []
        shared: list[Any] = []  # the numbers of arguments that all samples share
        structures, lengths = [], []
        reads = getattr(self._options.make, "reads_devices", False)
        for i, (argument, axis) in enumerate(zip(args, self._axes_of(len(args)), strict=True)):
            place = f"argument {i}"
            held = axis == 0 and reads and on_devices(argument, batched=self.batched)
            if held or (self.batched and axis == 0):
                columns, structure, length = held or batch_columns(argument, place)
                if structure != NONE:
                    lengths.append(length)
                    parts.append(columns)
            else:
                columns, structure = numbers(argument, place)
                (parts if axis == 0 else shared).append(columns)
            structures.append(structure)
        if len(set(lengths)) > 1:
            raise different_lengths(lengths)
        if self.batched and not lengths:
            raise ValueError("a batched function needs an argument that says how many samples")
        length = lengths[0] if lengths else 1
        self._last = variant = self._variant(self._key(structures))
        if self.batched and not length:
            parts = [np.zeros((variant.executor.program.inputs, 0))]
        return Arguments(variant, parts, length, shared)

    def _rows(
        self,
        args: Sequence[Any],
        parameters: Any,
        blocks: Callable[[Variant], Shapes] | None = None,
    ) -> tuple[Variant, Any]:
        """Return the variant for arguments, and the outputs: a number or a row for each.

        Args:
            args: the arguments.
            parameters: numbers to use in place of the current ones, or None.
            blocks: returns which outputs are read together; they are written to arrays for that.
        """
        for again, variant in self._shortcuts[0].each:
            found = again(args, parameters, ROWS)
            if found is not None:
                self._last = variant
                return variant, found
        call = self._call(args)
        numbers = self._all_numbers(parameters, call)
        found = call.variant.executor.values(numbers, call.inputs, call.length)
        shapes = blocks(call.variant) if blocks else ((len(found), False),)
        self._prepare(self._shortcuts[0], "values", args, call, shapes)
        return call.variant, found

    def _prepare(
        self,
        shortcuts: Shortcuts,
        kind: Call,
        args: Sequence[Any],
        call: Arguments,
        blocks: Shapes | None = None,
    ) -> None:
        """Make a shortcut for further calls like this one if it is not the first of its kind."""
        variant, inputs, length, _ = call
        key = variant, length, tuple(map(type, args))
        if not length or not shortcuts.is_due(key):
            return
        made = None
        if self.batched:
            made = direct_shortcut(self, variant, kind, args, inputs, blocks)
        layout = None if made else variant.executor.layout(kind, length)
        if layout is not None:
            made = shortcut(self, variant, kind, args, layout)
        shortcuts.add(key, made, variant)

    def _key(self, structures: Sequence[Structure | None]) -> tuple[Structure, ...]:
        """Return the structures; that of an empty list is taken from the last call that fits."""
        known = [structure for structure in structures if structure is not None]
        if len(known) == len(structures):
            return tuple(known)
        for key in reversed(self._variants):
            pairs = zip(key, structures, strict=False)
            if len(key) == len(structures) and all(s in (None, k) for k, s in pairs):
                return key
        raise ValueError("an empty list does not say what a sample is: call with a sample first")

    def _variant(self, key: tuple[Structure, ...]) -> Variant:
        found = self._variants.get(key)
        if found is None:
            with tracing:  # one lock for all, as a function that is traced may call another
                found = self._variants.get(key) or self._new_variant(key)
        with _keeping:
            for used in (self._last, found):
                if used is not None:
                    self._variants[used.arguments] = used
                    self._variants.move_to_end(used.arguments)
            too_many = len(self._variants) > MOST_STRUCTURES
            while len(self._variants) > MOST_STRUCTURES:
                self._variants.popitem(last=False)
        if too_many and not self._warned:
            self._warned = True
            warnings.warn(_MANY.format(self, line_of_user()), stacklevel=2)
        return found

    def _new_variant(self, key: tuple[Structure, ...]) -> Variant:
        for i, structure in enumerate(key):
            refuse_tensors(structure, f"argument {i}")
        f = self.f
        if f is None:
            raise ValueError(
                "these arguments have a different structure from those before it was pickled; "
                "compile the function again"
            )
        results: list[Structure] = []

        # The leaves of arguments that a batch shares come first, and become parameters.
        axes = self._axes_of(len(key))
        order = sorted(range(len(key)), key=lambda i: axes[i] is not None)
        shared = sum(count_leaves(each) for each, axis in zip(key, axes, strict=True) if axis != 0)

        def run(leaves: Sequence[Any]) -> list[Any]:
            arguments = [None] * len(key)
            for i, (structure, part) in zip(order, placed([key[i] for i in order]), strict=True):
                arguments[i] = unflatten(structure, leaves[part])
            result = f(*arguments)
            outputs, structure = flatten(result)
            results.append(structure)
            return [None] if result is None else outputs

        try:
            graph = trace(run, self.parameters, sum(map(count_leaves, key)), self._options.limit)
            graph = graph._replace(
                parameters=graph.parameters + shared, inputs=graph.inputs - shared
            )
        except TraceError as error:
            if "\n  at " in str(error):
                raise
            raise type(error)(f"{error}\n  at {line_of_function(f)}") from error
        executor = CheckedExecutor(
            graph,
            self._options.make,
            self.dtype,
            batched=self.batched,
            inputs=self._inputs,
            threads=self._options.threads,
        )
        return Variant(executor, key, results[0], placed(key))
