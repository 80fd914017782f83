"""The numbers of a network's neurons for one sample, whichever library it is from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.drawing.models import Neuron
from micrograd.drawing.units import applications
from micrograd.engine.graph import order
from micrograd.engine.value import Value

Column = list[float | None]  # a number for each circle, None where it is not known


def activations(model: Any, columns: Sequence[Sequence[Neuron]], sample: list[Any]) -> list[Column]:
    """The inputs, and the outputs of every layer: what the next one takes, or the model returns."""
    inputs = [x if isinstance(x, Value) else Value(x) for x in sample]
    result = model(inputs)
    outputs = list(result) if isinstance(result, list | tuple) else [result]
    roots = [out for out in outputs if isinstance(out, Value)]
    neurons = [neuron for column in columns for neuron in column]
    found = applications(order(roots), roots, neurons)
    taken = {id(unit.neuron): unit.inputs for application in found for unit in application.units}
    after = [taken.get(id(column[0]), []) for column in columns[1:]]
    known = [inputs, *after, outputs]
    sizes = [len(columns[0][0].weights), *map(len, columns)]
    return [
        [as_number(x) for x in numbers] if len(numbers) == size else [None] * size
        for numbers, size in zip(known, sizes, strict=True)
    ]


def as_number(x: Any) -> float | None:
    """The number of a Value or the number itself; None if it is none."""
    data = getattr(x, "data", x)
    return float(data) if isinstance(data, int | float) else None
