"""Prepared calls: repeated calls of one kind skip the work that stays the same.

The structure of the arguments and the number of samples stay the same, and with them the places of
the numbers and of the results.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from micrograd.compiler.calling.results import (
    copied,
    gradients,
    is_array_like,
    is_rearranged,
    regular,
)
from micrograd.compiler.calling.staging import (
    alike,
    is_on_devices,
    numbers_stager,
    parameters_stager,
    reader,
    stager,
)
from micrograd.compiler.executor import Blocks, Call, Layout, OnDevices, Shapes, are_finite
from micrograd.transforms.structures import count_leaves

if TYPE_CHECKING:
    from micrograd.compiler.calling.variants import Variant, Variants

Shortcut = Callable[[Sequence[Any], Any, Any], Any]
"""`shortcut(args, parameters, out)` returns what the call returns, or None if it cannot."""

ROWS = object()
"""As `out`, asks for the rows of the results, without their structure."""

_MOST = 4
"""Shortcuts that a thread keeps for one method: batches, for example, and a shorter last one."""


class Shortcuts(threading.local):
    """The shortcuts of one thread, for one method of a compiled function.

    >>> shortcuts = Shortcuts()
    >>> shortcuts.is_due("like this"), shortcuts.is_due("like this")
    (False, True)
    >>> shortcuts.add("like this", None, "variant")
    >>> shortcuts.is_due("like this")
    False
    """

    def __init__(self) -> None:
        self.each: tuple[tuple[Shortcut, Any], ...] = ()  # with what each is a variant of
        self._keys: list[Any] = []  # of calls with a shortcut, or that cannot have one
        self._last: Any = None

    def is_due(self, key: Any) -> bool:
        """Return whether to prepare for calls like this one: if it is the second in a row."""
        if key in self._keys:
            return False
        before, self._last = self._last, key
        return bool(key == before)

    def add(self, key: Any, shortcut: Shortcut | None, variant: Any) -> None:
        """Store a shortcut, or None for calls that cannot have one."""
        self._keys = [key, *self._keys[: _MOST - 1]]
        if shortcut is not None:
            self.each = ((shortcut, variant), *self.each[: _MOST - 1])


def shortcut(
    program: Variants, variant: Variant, call: Call, args: Sequence[Any], layout: Layout
) -> Shortcut | None:
    """Return a function that makes calls like this one, or None if some arguments are unusual.

    Args:
        program: the compiled function.
        variant: its program for such calls.
        call: what is computed.
        args: the arguments of this call.
        layout: the arrays of the executor.
    """
    numbers, leaves, run, results, slopes, watched, reads_devices = layout
    structures, result = variant.arguments, variant.result
    inputs, batched = program._inputs, program.batched
    # Whether results that are not finite have to be computed again in another way.
    checked = variant.executor.stopping is not None and not watched
    count = len(program._held.values)
    parameters, shared = numbers[:count], numbers[count:]
    axes = program._axes_of(len(args))
    on_devices = reads_devices and None not in axes and all(map(is_on_devices, args))
    staged = None
    if on_devices:
        staged = alike(args)
    elif leaves is not None:
        staged = stager(structures, args, axes, leaves, shared, batched=batched)
    if staged is None:
        return None
    given = _parameters(program, parameters)
    shape = (count,)
    is_cut = not inputs and call != "values" and shared.size > 0
    if slopes is not None and not inputs:
        slopes = slopes[:count]
    shaped = None
    if inputs:
        shaped = gradients(variant.parts, batched=batched)
    elif program._held.structure is not None:
        shaped = partial(regular, program._held.structure)
    values = call == "values"
    each = call == "each" and batched
    # Arrays of a batch are rearranged, and so copied in any case. (Those on devices are new.)
    length = 0 if leaves is None or not batched else leaves.shape[1]
    is_copied = batched and is_rearranged(result, length)
    are_copied = each and all(is_rearranged(structure, length) for structure in structures)

    def again(args: Sequence[Any], numbers: Any, out: Any) -> Any:
        if not staged(args):
            return None
        held = None
        if reads_devices and is_on_devices(numbers):
            if numbers.shape != shape:
                return None
            if on_devices and numbers.sharding != args[0].sharding:
                return None
            held = numbers
        elif (count or numbers is not None) and not given(numbers):
            return None
        found = run(held, args) if on_devices else run() if held is None else run(held)
        if made := type(found) is tuple:  # new arrays
            rows, adjoints = found
            if is_cut:
                adjoints = adjoints[:count]
        else:
            rows, adjoints = results, slopes
        if not found or (checked and not are_finite([rows])):
            return None
        if values:
            if out is ROWS:
                return rows if made else copied(rows)
            if out is None:
                return regular(result, rows if made or is_copied else copied(rows))
            return variant.value(rows, out)
        value = (rows[0] if made else rows[0].copy()) if each else rows.item()
        if out is not None:
            return value, program._gradient(variant, adjoints, out)
        if not (made or (inputs and are_copied)):
            adjoints = copied(adjoints)
        return value, adjoints if shaped is None else shaped(adjoints)

    return again


def _parameters(program: Variants, target: Any) -> Callable[[Any], bool]:
    """Return a function that stores the parameters that a call is given, or else the current ones.

    It returns whether it could: not for numbers of another structure, not while this thread traces
    a function with these parameters, and not if the `.data` of one became something else.

    Args:
        program: the compiled function.
        target: where the numbers go.
    """
    given, read = parameters_stager(program._held.structure, target), program._numbers_now
    current = numbers_stager(list, target)
    return lambda numbers: current(read()) if numbers is None else given(numbers)


def direct_shortcut(
    program: Variants,
    variant: Variant,
    call: Call,
    args: Sequence[Any],
    inputs: Sequence[Any],
    blocks: Shapes | None,
) -> Shortcut | None:
    """Return a function that makes calls like this one, whose arrays are not copied, or None.

    Args:
        program: the compiled function.
        variant: its program for such calls.
        call: what is computed.
        args: the arguments of this call.
        inputs: the arrays of inputs of this call.
        blocks: how rows of results are laid out, or None for calls that take the results.
    """
    if any(isinstance(each, OnDevices) for each in inputs):
        return None
    structures, result = variant.arguments, variant.result
    length, takes_rows = inputs[0].shape[1], blocks is not None
    if not takes_rows and is_array_like(result):
        blocks = [(count_leaves(result), True)]
    inputs = [each.astype(program.dtype, copy=False) for each in inputs]
    made = variant.executor.direct(call, inputs, length, blocks)
    if made is None:
        return None
    numbers, run = made
    count = len(program._held.values)
    parameters, shared = numbers[:count], numbers[count:]
    read = reader(structures, args, program._axes_of(len(args)), shared, program.dtype)
    if read is None:
        return None
    given = _parameters(program, parameters)

    def again(args: Sequence[Any], numbers: Any, out: Any) -> Any:
        if (out is ROWS) is not takes_rows:
            return None
        inputs = read(args)
        if inputs is None:
            return None
        if (count or numbers is not None) and not given(numbers):
            return None
        found = run(inputs)
        if found is None or not found[2]:
            return None
        results, slopes, _ = found
        if takes_rows:
            return results[0] if len(results) == 1 else Blocks(results)
        if call == "values":
            rows = results[0] if blocks else results
            return variant.value(rows, out)
        value = results.item() if call == "mean" else results[0]
        if program._inputs:
            slopes = slopes[0] if len(slopes) == 1 else Blocks(slopes)
        return value, program._gradient(variant, slopes, out)

    return again
