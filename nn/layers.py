"""`Neuron`, `Layer` and `MLP`: the multilayer perceptron, one scalar at a time.

Signatures, the order of the random draws, the order of the terms in a weighted sum and the texts
are those of Karpathy's micrograd, so that programs written for it give the same numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from operator import index
from typing import Any

from micrograd import Value
from micrograd.engine import to_number
from micrograd.ops import TABLE
from nn.module import Module

Activation = str | Callable[[Value], Value]


class Neuron(Module):
    """`activation(w · x + b)`, or `w · x + b` if `nonlin` is false.

    `activation` is the name of any operation of one operand, or a function of a Value. The `nin`
    weights are drawn uniformly from [-1, 1) by Python's global generator; the bias is 0.

    Raises ValueError for an unknown activation, and when called with a wrong number of inputs.
    """

    def __init__(self, nin: int, nonlin: bool = True, *, activation: Activation = "relu") -> None:
        self.w = [Value(random.uniform(-1, 1)) for _ in range(_size(nin))]
        self.b = Value(0)
        self.nonlin = nonlin
        self.activation = _known(activation)

    def __call__(self, x: Iterable[Value | float]) -> Value:
        """The neuron's output for one sample, a sequence of `nin` Values or numbers."""
        x = _inputs(x)
        if len(x) != len(self.w):
            raise _wrong_number(f"Neuron({len(self.w)})", len(self.w), len(x))
        act = self.b
        for wi, xi in zip(self.w, x, strict=True):
            act = act + wi * xi
        if not self.nonlin:
            return act
        if isinstance(self.activation, str):
            activated: Value = getattr(act, self.activation)()
            return activated
        return self.activation(act)

    def parameters(self) -> list[Value]:
        """The weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        name = "linear"
        if self.nonlin:
            name = getattr(self.activation, "__name__", str(self.activation))
            name = TABLE[name].symbol if name in TABLE else name
        return f"{name[:1].upper()}{name[1:]}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons on the same inputs; `options` are those of `Neuron`.

    Returns a list of Values, or the Value itself if there is one neuron.
    """

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        self.neurons = [Neuron(nin, **options) for _ in range(_size(nout))]

    def __call__(self, x: Iterable[Value | float]) -> Any:
        """The outputs for one sample, a sequence of `nin` Values or numbers."""
        nin = len(self.neurons[0].w)
        x = _inputs(x)
        if len(x) != nin:
            raise _wrong_number(f"Layer({nin}, {len(self.neurons)})", nin, len(x))
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        """Those of each neuron in turn."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers of the sizes `nouts` on `nin` inputs: `activation` within, the last one linear.

    `output_activation` makes the last layer's neurons nonlinear too. Returns a list of Values, or
    the Value itself if the last layer has one neuron.
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Activation = "relu",
        output_activation: Activation | None = None,
    ) -> None:
        try:
            sizes = [_size(nin), *map(_size, nouts)]
        except TypeError:
            raise TypeError(
                f"MLP(nin, nouts) takes a size and a list of sizes, got {nin!r} and {nouts!r}"
            ) from None
        for each in (activation, output_activation or "relu"):
            _known(each)
        if len(sizes) == 1:
            raise ValueError(f"MLP({nin}, {nouts}) has no layer: give at least one size")
        self.layers = [
            Layer(nin, nout, activation=activation) for nin, nout in pairwise(sizes[:-1])
        ]
        self.layers.append(
            Layer(
                *sizes[-2:],
                nonlin=output_activation is not None,
                activation=output_activation or "relu",
            )
        )

    def __call__(self, x: Iterable[Value | float]) -> Any:
        """The outputs for one sample, a sequence of `nin` Values or numbers."""
        sizes = [len(self.layers[0].neurons[0].w), *(len(layer.neurons) for layer in self.layers)]
        x = _inputs(x)
        if len(x) != sizes[0]:
            raise _wrong_number(f"MLP({sizes[0]}, {sizes[1:]})", sizes[0], len(x))
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list[Value]:
        """Those of each layer in turn."""
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _inputs(x: Iterable[Value | float]) -> list[Value | float]:
    """The inputs as a list; a bare Value, as a layer of one neuron returns it, is one input."""
    if type(x) is list:
        return x
    if isinstance(x, Value):
        return [x]
    if not hasattr(x, "__iter__") or isinstance(x, set | dict | str):
        raise TypeError(f"the inputs are a list of Values or numbers, got {x!r}")
    return [xi if isinstance(xi, Value) else to_number(xi, "an input") for xi in x]


def _wrong_number(owner: str, wanted: int, got: int) -> ValueError:
    return ValueError(f"{owner} takes {wanted} input{'s' * (wanted != 1)}, got {got}")


def _size(size: int) -> int:
    if index(size) < 1:
        raise ValueError(f"a layer has at least one neuron and one input, got {size}")
    return index(size)


def _known(activation: Activation) -> Activation:
    if callable(activation):
        return activation
    row = TABLE.get(activation) if isinstance(activation, str) else None
    if row is None or row.arity != 1:
        names = ", ".join(name for name, row in TABLE.items() if row.arity == 1)
        raise ValueError(
            f"unknown activation {activation!r}: give a function of a Value, or one of {names}"
        )
    return activation
