"""The neurons of a model found again in a graph, by the identity of their parameters.

A neuron applied to a sample is a unit: the products of its weights with the inputs, their sum with
the bias, and the activation if there is one. What a loss or a penalty computes from the parameters
or from a neuron's output belongs to none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, NamedTuple

from micrograd.drawing.models import Neuron
from micrograd.engine.graph import Node, made_by, operands
from micrograd.engine.value import Value
from micrograd.ops import Operation


class Unit(NamedTuple):
    """One neuron applied to one sample."""

    neuron: Neuron
    output: Value
    inner: list[Value]  # all that was computed, the output included
    inputs: list[Any]  # a Value or a number for each weight
    activation: str  # the symbol of its operation, or nothing

    @property
    def parameters(self) -> list[Value]:
        """The weights, then the bias."""
        bias = self.neuron.bias
        return [*self.neuron.weights, *([] if bias is None else [bias])]


class Application(NamedTuple):
    """One layer applied to one sample: units on the same inputs."""

    layer: int
    sample: int  # counted from 1
    units: list[Unit]  # in the order of the neurons


def applications(
    nodes: Sequence[Value], roots: Iterable[Value], neurons: Iterable[Neuron]
) -> list[Application]:
    """Where the neurons were applied, in the order of `nodes`, which is topological.

    A unit of which something other than its output is used elsewhere is none.
    """
    consumers: dict[Value, list[Value]] = {node: [] for node in nodes}
    for node in nodes:
        for operand in operands(node):
            if isinstance(operand, Node):
                consumers[operand].append(node)  # type: ignore[index]
    shown = set(roots)
    units = []
    for neuron, total in _sums(nodes, [n for n in neurons if n.weights]):
        unit = _unit(neuron, total, consumers, shown)
        inner = set(unit.inner)
        own = inner - {unit.output}
        if own.isdisjoint(shown) and all(inner.issuperset(consumers[each]) for each in own):
            units.append(unit)
    return _grouped(units)


# ---------------------------------------------------------------------------------------- one unit


class _Part(NamedTuple):
    """A sum of some of a neuron's terms: of the products by weight, as bits, and of the bias."""

    neuron: Neuron
    terms: int


def _sums(nodes: Sequence[Value], neurons: Sequence[Neuron]) -> list[tuple[Neuron, Value]]:
    """Each complete weighted sum, with its neuron."""
    present = set(nodes)
    weights: dict[Value, _Part] = {}
    parts: dict[Value, _Part] = {}
    complete: dict[int, int] = {}
    parameters: set[Value] = set()
    for neuron in neurons:
        parameters.update(neuron.weights)
        complete[id(neuron)] = (1 << len(neuron.weights)) - 1
        for i, weight in enumerate(neuron.weights):
            weights.setdefault(weight, _Part(neuron, 1 << i))
        if neuron.bias is not None:
            parameters.add(neuron.bias)
            if neuron.bias in present:
                bit = 1 << len(neuron.weights)
                parts[neuron.bias] = _Part(neuron, bit)
                complete[id(neuron)] |= bit
    found = []
    for node in nodes:
        part = _part(node, weights, parts, parameters)
        if part is not None and part.terms == complete[id(part.neuron)]:
            found.append((part.neuron, node))
        elif part is not None:
            parts[node] = part
    return found


def _part(
    node: Value, weights: dict[Value, _Part], parts: dict[Value, _Part], parameters: set[Value]
) -> _Part | None:
    name = operation(node)
    if name not in ("mul", "add"):
        return None
    held = list(operands(node))
    if len(held) != 2:
        return None
    x, y = held
    if name == "mul":
        x, y = (y, x) if y in weights else (x, y)
        return weights.get(x) if y not in parameters else None
    left, right = parts.get(x), parts.get(y)
    if left is None or right is None:  # Python's sum begins at the number 0
        return left if _is_zero(y) else right if _is_zero(x) else None
    if left.neuron is not right.neuron or left.terms & right.terms:
        return None
    return _Part(left.neuron, left.terms | right.terms)


def _is_zero(operand: Any) -> bool:
    return not isinstance(operand, Node) and bool(operand == 0)


def operation(node: Value) -> str:
    """The name of the operation that made a value; of one made by hand, what its text means."""
    row = made_by(node)
    if isinstance(row, Operation):
        return row.name
    return {"+": "add", "*": "mul"}.get(str(row), str(row))


def _unit(
    neuron: Neuron, total: Value, consumers: dict[Value, list[Value]], shown: set[Value]
) -> Unit:
    inner, inputs = [], [None] * len(neuron.weights)
    places = {weight: i for i, weight in enumerate(neuron.weights)}
    stack = [total]
    while stack:
        node = stack.pop()
        if node is neuron.bias:
            continue
        inner.append(node)
        x, y = operands(node)
        if operation(node) == "mul":
            x, y = (y, x) if y in places else (x, y)
            inputs[places[x]] = y
        else:
            stack += [each for each in (y, x) if isinstance(each, Value)]
    inner.reverse()
    output, activation = total, ""
    above = consumers[total]
    if len(above) == 1 and total not in shown and _activates(above[0], neuron):
        output, activation = above[0], above[0]._op
        inner.append(output)
    return Unit(neuron, output, inner, inputs, activation)


def _activates(node: Value, neuron: Neuron) -> bool:
    row = made_by(node)
    if isinstance(row, Operation) and row.arity != 1:
        return False
    return len(list(operands(node))) == 1 and operation(node).lower() in neuron.activations


# -------------------------------------------------------------------------------------- many units


def _grouped(units: Sequence[Unit]) -> list[Application]:
    """Units of one layer on the same inputs, with the sample that the inputs come from."""
    groups: dict[Any, list[Unit]] = {}
    times: Counter[Any] = Counter()  # the same neuron on the same inputs once more
    for unit in units:
        inputs = tuple(x if isinstance(x, Value) else repr(x) for x in unit.inputs)
        once = (unit.neuron.layer, unit.neuron.number, inputs)
        key = (unit.neuron.layer, inputs, times[once])
        times[once] += 1
        groups.setdefault(key, []).append(unit)
    samples: defaultdict[int, Any] = defaultdict(lambda: count(1))
    sample_of: dict[Value, int] = {}
    found = []
    for (layer, inputs, _), members in groups.items():
        known = (sample_of[x] for x in inputs if x in sample_of)
        sample = next(known, None) or next(samples[layer])
        sample_of.update((unit.output, sample) for unit in members)
        members.sort(key=lambda unit: unit.neuron.number)
        found.append(Application(layer, sample, members))
    return found
