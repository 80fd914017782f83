"""Values and gradients with respect to chosen arguments and parameters, with auxiliary results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from micrograd.compiler.calling.results import batch, is_array_like, regular
from micrograd.compiler.calling.targets import PARAMETERS, Targets, read_targets
from micrograd.transforms.functions import value_and_grad
from micrograd.transforms.runs import Function
from micrograd.transforms.structures import count_leaves, placed

if TYPE_CHECKING:
    from micrograd.compiler.calling.variants import Variant


def chosen_gradients(
    program: Any, args: Sequence[Any], argnums: Targets | None, parameters: Any, *, has_aux: bool
) -> tuple[Any, Any]:
    """Return what `CompiledFunction.value_and_grad` does with `argnums` or `has_aux`.

    Args:
        program: the compiled function.
        args: its arguments.
        argnums: positions of arguments and `"parameters"`; None for all parameters, or for all
            arguments of a function without parameters.
        parameters: numbers to use in place of the current ones, or None.
        has_aux: whether the function returns a pair; only its first part is differentiated.
    """
    if argnums is None:
        argnums = PARAMETERS if program.parameters else (0 if len(args) == 1 else range(len(args)))
    targets, single = read_targets(argnums, len(args), program.parameters)
    of_value = program._program(_part, 0) if has_aux else program
    mean = PARAMETERS in targets
    found: dict[Any, Any] = {}
    value = None if targets else of_value(*args, parameters=parameters)
    if mean:
        value, found[PARAMETERS] = of_value.value_and_grad(*args, parameters=parameters)
    if len(targets) > mean and program._axes is not None:
        places = tuple(target for target in targets if target != PARAMETERS)
        each, slopes = _of_each_sample(of_value, args, places, parameters, mean=mean)
        value = value if mean else each
        found.update(zip(places, slopes, strict=True))
    elif len(targets) > mean:
        of_arguments = of_value._of_arguments(mean=mean)
        each, slopes = of_arguments.value_and_grad(*args, parameters=parameters)
        value = value if mean else each
        found.update(enumerate(slopes if len(args) > 1 else (slopes,)))
    gradients = tuple(found[target] for target in targets)
    if has_aux:
        value = value, program._program(_part, 1)(*args, parameters=parameters)
    return value, gradients[0] if single else gradients


def _of_each_sample(
    program: Any, args: Sequence[Any], places: tuple[int, ...], parameters: Any, *, mean: bool
) -> tuple[Any, list[Any]]:
    """Return values and gradients with respect to arguments, including shared ones of a batch."""
    derived = program._program(_forward, places)
    variant, rows = derived._rows(args, parameters, partial(_blocks, places))
    values, axes, made = rows[0:1][0], program._axes_of(len(args)), []
    parts = placed([variant.arguments[place] for place in places], 1)
    for place, (structure, leaves) in zip(places, parts, strict=True):
        part = rows[leaves] / len(values) if mean else rows[leaves]
        if axes[place] == 0:
            made.append(batch(structure, part))
        else:
            made.append(regular(structure, part.sum(axis=1) if mean else part))
    return values, made


def _blocks(places: tuple[int, ...], variant: Variant) -> list[tuple[int, bool]]:
    """Return how values and gradients are laid out: those that are arrays, sample by sample."""
    parts = (variant.arguments[place] for place in places)
    return [(1, False), *((count_leaves(each), is_array_like(each)) for each in parts)]


def _forward(program: Any, places: tuple[int, ...]) -> Function:
    return value_and_grad(program.f, places)


def _part(program: Any, place: int) -> Function:
    def traced(*args: Any) -> Any:
        result = program.f(*args)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"has_aux=True: the function returns a pair, got {result!r}")
        return result[place]

    return traced
