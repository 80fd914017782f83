"""The neurons of a model, and the places in a graph where they were applied.

Anything shaped like a model will do, whichever library it is from: an object with `.layers`, one
with `.neurons`, or one with a list `.w` and a `.b`. Neurons are found again in a graph by the
identity of their parameters. A neuron applied to a sample is a unit: the products of its weights
with the inputs, their sum with the bias, and the activation if there is one. What a loss or a
penalty computes from the parameters, or from a neuron's output, is not part of a unit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from micrograd.engine.graph import Node, made_by, operands
from micrograd.engine.value import Value
from micrograd.ops import TABLE, Operation

_SHAPE = (
    "a model has .layers, whose members have .neurons, each with a list .w of Values and a .b; "
    "a layer or a neuron alone will do"
)

# The possible activations of a neuron that does not say which it has.
USUAL = frozenset(
    "tanh relu sigmoid leaky_relu elu gelu silu mish softplus softsign swish sin".split()
)


class Neuron(NamedTuple):
    """A neuron of the model, with its layer and its number there, counted from 1; 0 if alone."""

    layer: int
    number: int
    weights: list[Value]
    bias: Value | None
    activations: frozenset[str]  # names of possible activations, in lower case
    source: Any  # the object of the model

    def titled(self, words: Mapping[str, str]) -> str:
        """Its title in a language."""
        key = "neuron of layer" if self.layer else "neuron" if self.number else "only neuron"
        return words[key].format(layer=self.layer, neuron=self.number)


def layer_title(layer: int, words: Mapping[str, str]) -> str:
    """`layer 1`, or `layer` if there is only one, in a language."""
    return words["layer" if layer else "only layer"].format(layer=layer)


def layers(model: Any) -> list[list[Neuron]]:
    """The neurons of the model by layer; parts without neurons, such as dropout, are skipped.

    Raises:
        TypeError: if the object is not shaped like a model.
    """
    if hasattr(model, "layers"):
        parts = [part for part in _listed(model.layers) if hasattr(part, "neurons")]
        found = [
            [_neuron(each, i, j) for j, each in enumerate(_listed(part.neurons), 1)]
            for i, part in enumerate(parts, 1)
        ]
    elif hasattr(model, "neurons"):
        found = [[_neuron(each, 0, j) for j, each in enumerate(_listed(model.neurons), 1)]]
    else:
        found = [[_neuron(model, 0, 0)]]
    if not any(found):
        raise TypeError(f"{type(model).__name__} has no neurons: {_SHAPE}")
    return found


def _listed(parts: Any) -> list[Any]:
    if not isinstance(parts, list | tuple):
        raise TypeError(f"got {type(parts).__name__} instead of a list: {_SHAPE}")
    return list(parts)


def _neuron(neuron: Any, layer: int, number: int) -> Neuron:
    weights = getattr(neuron, "w", None)
    if not isinstance(weights, list | tuple) or not all(isinstance(w, Value) for w in weights):
        raise TypeError(f"{type(neuron).__name__} is not a neuron: {_SHAPE}")
    bias = getattr(neuron, "b", None)
    return Neuron(
        layer,
        number,
        list(weights),
        bias if isinstance(bias, Value) else None,
        frozenset(_activations(neuron)),
        neuron,
    )


def _activations(neuron: Any) -> Iterator[str]:
    if not getattr(neuron, "nonlin", True):
        return
    named = getattr(neuron, "activation", None)
    name = named if isinstance(named, str) else getattr(named, "__name__", "")
    if name in TABLE:
        yield from (name, TABLE[name].symbol.lower())
    else:
        yield from USUAL


# ------------------------------------------------------------------------- where they are applied


class Unit(NamedTuple):
    """One neuron applied to one sample."""

    neuron: Neuron
    output: Value
    inner: list[Value]  # all values that were computed, the output included
    inputs: list[Any]  # a Value or a number for each weight
    activation: str  # the symbol of its operation, or ""

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

    A group of nodes counts as a unit only if nothing but its output is used outside it.
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
    """A sum of some terms of a neuron: a bit for the product with each weight, and for the bias."""

    neuron: Neuron
    terms: int


def _sums(nodes: Sequence[Value], neurons: Sequence[Neuron]) -> list[tuple[Neuron, Value]]:
    """The complete weighted sums, each with its neuron."""
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
                parts.setdefault(neuron.bias, _Part(neuron, bit))
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
    name = _operation_name(node)
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
    if left is None or right is None:  # Python's sum starts at the number 0
        return left if _is_zero(y) else right if _is_zero(x) else None
    if left.neuron is not right.neuron or left.terms & right.terms:
        return None
    return _Part(left.neuron, left.terms | right.terms)


def _is_zero(operand: Any) -> bool:
    return not isinstance(operand, Node) and bool(operand == 0)


def _operation_name(node: Value) -> str:
    """The name of the operation that made a value, also if it was made by hand."""
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
        if _operation_name(node) == "mul":
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
    return len(list(operands(node))) == 1 and _operation_name(node).lower() in neuron.activations


# -------------------------------------------------------------------------------------- many units


def _grouped(units: Sequence[Unit]) -> list[Application]:
    """The units of one layer on the same inputs, with the number of the sample."""
    groups: dict[Any, list[Unit]] = {}
    times: Counter[Any] = Counter()  # how often a neuron was applied to the same inputs
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
