"""Values and gradients with respect to chosen arguments and parameters, with auxiliary results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.compiler.targets import PARAMETERS, Targets, read_targets, resolved
from micrograd.transforms.runs import Function


def chosen_gradients(
    program: Any, args: Sequence[Any], argnums: Targets | None, parameters: Any, *, has_aux: bool
) -> tuple[Any, Any]:
    """Return what `CompiledFunction.value_and_grad` does with `argnums` or `has_aux`.

    Args:
        program: the compiled function.
        args: its arguments.
        argnums: positions of arguments and `"parameters"`; None for all parameters or, if there are
            none, all arguments.
        parameters: numbers to use in place of the current ones, or None.
        has_aux: whether the function returns a pair; only its first part is differentiated.
    """
    if argnums is None:
        argnums = PARAMETERS if program.parameters else (0 if len(args) == 1 else range(len(args)))
    targets, single = read_targets(argnums)
    targets = resolved(targets, len(args), program.parameters)
    of_value = program._program(_part, 0) if has_aux else program
    mean = PARAMETERS in targets
    found: dict[Any, Any] = {}
    value = None
    if mean:
        value, found[PARAMETERS] = of_value.value_and_grad(*args, parameters=parameters)
    if len(targets) > mean:
        of_arguments = of_value._of_arguments(mean=mean)
        each, slopes = of_arguments.value_and_grad(*args, parameters=parameters)
        value = value if mean else each
        found.update(enumerate(slopes if len(args) > 1 else (slopes,)))
    gradients = tuple(found[target] for target in targets)
    if has_aux:
        value = value, program._program(_part, 1)(*args, parameters=parameters)
    return value, gradients[0] if single else gradients


def _part(program: Any, place: int) -> Function:
    def traced(*args: Any) -> Any:
        result = program.f(*args)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"has_aux=True: the function returns a pair, got {result!r}")
        return result[place]

    return traced
