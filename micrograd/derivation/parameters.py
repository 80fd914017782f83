r"""Names of the parameters of models: w⁽¹⁾₁₂ is the weight of neuron 1 for input 2 in layer 1.

Layers, neurons and inputs are counted from 1. The superscript is the layer; the first subscript is
the neuron, which is the row of the weight matrix, and the second is the input, its column. The
parameters of a single layer have no superscript: w₁₂ and b₁. The weights of a single neuron are w₁,
w₂ and so on, and its bias is b.

Models are those of `nn`, other objects with `named_parameters()`, and objects shaped like
Karpathy's: with `.layers`, with `.neurons`, or with `.w` and `.b`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from micrograd.derivation.cutting import ARITHMETIC
from micrograd.engine import models
from micrograd.engine.graph import operation
from micrograd.engine.value import Value
from micrograd.writing.names import indexed

_LETTERS = {"weight": "w", "weights": "w", "bias": "b", "biases": "b"}
_DEEPEST = 8  # attributes and places on the way to a parameter


def is_model(thing: Any) -> bool:
    """Whether `parameter_labels` can name the parameters of a thing."""
    if isinstance(thing, type):
        return False
    if callable(getattr(type(thing), "named_parameters", None)):
        return True
    held = getattr(thing, "__dict__", {})
    return "layers" in held or "neurons" in held or {"w", "b"} <= held.keys()


def parameter_labels(model: Any) -> list[tuple[str, Value]]:
    """The parameters of a model, each with its label, such as `w^{(1)}_{12}`.

    >>> from nn import MLP
    >>> [label for label, _ in parameter_labels(MLP(2, [1, 1]))]
    ['w^{(1)}_{11}', 'w^{(1)}_{12}', 'b^{(1)}_1', 'w^{(2)}_{11}', 'b^{(2)}_1']
    """
    paths = list(_paths(model))
    ranks: dict[tuple[str, ...], dict[str, int]] = {}  # parts without parameters do not count
    for path, _ in paths:
        for i, part in enumerate(path):
            if part.isdecimal():
                known = ranks.setdefault(path[:i], {})
                known.setdefault(part, len(known) + 1)
    return [(_label(path, ranks), value) for path, value in paths]


def living_labels(leaves: Collection[Value]) -> dict[int, str]:
    """Labels for those of the leaves that are parameters of a model of `nn`, by their ids.

    A parameter is named after the outermost model that it is in.
    """
    wanted = {id(leaf) for leaf in leaves}
    found: list[tuple[int, Any]] = []
    for model in models.alive() if wanted else ():
        with suppress(Exception):  # a broken model elsewhere does not concern this graph
            if any(id(each) in wanted for each in model.parameters()):
                found.append((sum(1 for _ in model.modules()), model))
    labels: dict[int, str] = {}
    for _, model in sorted(found, key=lambda each: -each[0]):
        for label, value in parameter_labels(model):
            if id(value) in wanted:
                labels.setdefault(id(value), label)
    return labels


_PARAMETER = re.compile(r"w\^\{\((\d+)\)\}_\{(\d+),\d+\}|w\^\{\((\d+)\)\}_\{(\d)\d\}")
_OFFSET = re.compile(r"b\^\{\((\d+)\)\}_\{?(\d+)\}?")


def hidden_labels(
    values: Mapping[Value, Sequence[Value]], labels: Mapping[int, str]
) -> dict[int, str]:
    """Labels for hidden values: z⁽¹⁾₂ is the sum of neuron 2 in layer 1, and h⁽¹⁾₂ its output.

    They follow from the parameters that a value is made of. The values of a neuron that is used for
    several samples are not named.

    Args:
        values: the values without a label in topological order, each with the values it is made of.
        labels: the labels of parameters, by their ids.
    """
    found: dict[int, tuple[str, str, str]] = {}
    for value, below in values.items():
        places = {place for each in below if (place := _place(labels.get(id(each), each.label)))}
        row = operation(value)
        is_activation = row is not None and row.arity == 1 and row.name not in ARITHMETIC
        is_sum = row is not None and row.name in ("add", "mul")
        if len(places) == 1 and (is_sum or is_activation):
            found[id(value)] = ("z" if is_sum else "h", *places.pop())
        elif is_activation and not places and found.get(id(below[0]), "h")[0] == "z":
            found[id(value)] = ("h", *found[id(below[0])][1:])
    times = Counter(found.values())
    return {
        key: indexed(f"{each[0]}^{{({each[1]})}}", int(each[2]))
        for key, each in found.items()
        if times[each] == 1
    }


def _place(label: Any) -> tuple[str, str] | None:
    """The layer and the neuron of a parameter, by its label."""
    text = str(label)
    if match := _PARAMETER.fullmatch(text) or _OFFSET.fullmatch(text):
        layer, neuron = filter(None, match.groups())
        return layer, neuron
    return None


def _paths(model: Any) -> Iterator[tuple[tuple[str, ...], Value]]:
    if not callable(getattr(type(model), "named_parameters", None)):
        return _within(model, ())
    return (
        (tuple(name.split(".")), value)
        for name, value in model.named_parameters()
        if isinstance(value, Value)
    )


def _within(thing: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value]]:
    if isinstance(thing, Value):
        yield path, thing
    elif len(path) < _DEEPEST and isinstance(thing, list | tuple):
        for i, each in enumerate(thing):
            yield from _within(each, (*path, str(i)))
    elif len(path) < _DEEPEST:
        for name in ("layers", "neurons", "w", "b"):
            if name in getattr(thing, "__dict__", {}):
                yield from _within(getattr(thing, name), (*path, name))


def _label(path: Sequence[str], ranks: dict[tuple[str, ...], dict[str, int]]) -> str:
    """The label of the parameter at a path such as `layers.0.neurons.2.w.1`."""
    last = max((i for i, part in enumerate(path) if not part.isdecimal()), default=0)
    above: list[str] = []
    places: list[int] = []
    for i, part in enumerate(path[:last]):
        if not part.isdecimal():
            if not path[i + 1].isdecimal():
                above.append(part)
        elif path[i - 1] == "neurons":
            places.append(int(part) + 1)
        else:
            above.append(str(ranks[tuple(path[:i])][part]))
    letter = _LETTERS.get(path[last], path[last]) + (f"^{{({','.join(above)})}}" if above else "")
    return indexed(letter, *places, *(int(part) + 1 for part in path[last + 1 :]))
