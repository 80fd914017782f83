"""A model as drawings know it: layers of neurons with weights and a bias.

Anything shaped like it will do, whichever library it is from: an object with `.layers`, one with
`.neurons`, or one with a list `.w` and a `.b`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from micrograd.engine.value import Value
from micrograd.ops import TABLE
from micrograd.writing import languages

_SHAPE = (
    "a model has .layers, whose members have .neurons, each with a list .w of Values and a .b; "
    "a layer or a neuron alone will do"
)

# What an activation is taken for where the neuron does not say.
USUAL = frozenset(
    "tanh relu sigmoid leaky_relu elu gelu silu mish softplus softsign swish sin".split()
)


class Neuron(NamedTuple):
    """A neuron of the model and its place there, both counted from 1; 0 where there is none."""

    layer: int
    number: int
    weights: list[Value]
    bias: Value | None
    activations: frozenset[str]  # operations that may be its activation, in lower case

    @property
    def title(self) -> str:
        """`layer 1, neuron 2`, or as much of it as there is."""
        return self.titled(languages.words("en", "picture"))

    def titled(self, words: Mapping[str, str]) -> str:
        """Its title in the words of a language."""
        key = "neuron of layer" if self.layer else "neuron" if self.number else "only neuron"
        return words[key].format(layer=self.layer, neuron=self.number)


def layer_title(layer: int, words: Mapping[str, str]) -> str:
    """`layer 1`, or `layer` where there is only one, in the words of a language."""
    return words["layer" if layer else "only layer"].format(layer=layer)


def layers(model: Any) -> list[list[Neuron]]:
    """The neurons of the model by layer; parts that hold none, such as a dropout, are left out.

    Raises TypeError if it is not shaped like a model.
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
        raise TypeError(f"{type(neuron).__name__} is no neuron: {_SHAPE}")
    bias = getattr(neuron, "b", None)
    return Neuron(
        layer,
        number,
        list(weights),
        bias if isinstance(bias, Value) else None,
        frozenset(_activations(neuron)),
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
