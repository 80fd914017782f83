"""`Neuron`, `Layer` and `MLP`, one scalar at a time; `Sequential` and `Dropout`.

The signatures, the order of the random draws, the order of the terms in a weighted sum, and the
texts are those of Karpathy's micrograd, so that programs written for it give the same numbers.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from operator import index, mul
from typing import TYPE_CHECKING, Any

from micrograd import Value
from micrograd.engine.arrays import refuse_unusual
from micrograd.engine.value import to_number
from micrograd.ops import SERVING, TABLE
from nn.initializers import Initializer, known
from nn.module import Module, Output
from nn.options import OptionError, by_name

if TYPE_CHECKING:
    from micrograd.engine.functions import UnaryName
else:  # operations that are defined later are known by their names, too
    UnaryName = str

_GLOBAL: Any = random  # the module has the methods of a generator
Activation = UnaryName | Callable[[Value], Value]
Inputs = Iterable[Value | float] | Value


class Neuron(Module):
    """One neuron: `activation(w · x + b)`, or `w · x + b` if `nonlin` is false.

    The bias starts at 0.

    Args:
        nin: the number of inputs.
        nonlin: whether there is an activation.
        activation: the name of an operation of one operand, such as `"tanh"`, or a function of a
            Value.
        initializer: what draws the weights: a name in `nn.initializers.INITIALIZERS`, or such a
            function. The default draws uniformly from [-1, 1).
        generator: a `random.Random`; Python's global generator by default.
        fan_out: the number of neurons that share the inputs, which some initializers use.

    Raises:
        ValueError: for an unknown activation or initializer, and when the neuron is called with
            another number of inputs.

    >>> neuron = Neuron(2, activation="tanh", initializer="zeros")
    >>> neuron, neuron([1.0, 2.0]).data
    (TanhNeuron(2), 0.0)
    """

    _in_summary = False  # a row for a layer is enough

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        initializer: str | Initializer = "uniform",
        generator: random.Random | None = None,
        fan_out: int = 1,
    ) -> None:
        draw, source = known(initializer), _source(generator)
        self.w = [Value(draw(nin, fan_out, source)) for _ in range(_size(nin))]
        self.b = Value(0)
        self.nonlin = nonlin
        self.activation = _known(activation)

    def __call__(self, x: Inputs) -> Value:
        """Return the output for one sample, a sequence of `nin` Values or numbers."""
        x = _inputs(x)
        if len(x) != len(self.w):
            raise _wrong_number(f"Neuron({len(self.w)})", len(self.w), x)
        try:
            act = sum(map(mul, self.w, x), self.b)
            if not self.nonlin:
                return act
            if isinstance(self.activation, str):
                activated: Value = getattr(act, self.activation)()
                return activated
            return self.activation(act)
        except (TypeError, AttributeError):
            if _is_batch(x):
                raise TypeError(_one_sample(f"Neuron({len(self.w)})", x)) from None
            raise

    def parameters(self) -> list[Value]:
        """Return the weights, then the bias."""
        return [*self.w, self.b]

    def _description(self) -> dict[str, Any]:
        activation = _described(self.activation) if self.nonlin else None
        return {"class": "Neuron", "nin": len(self.w), "activation": activation}

    def __repr__(self) -> str:
        name = "linear"
        if self.nonlin:
            name = getattr(self.activation, "__name__", str(self.activation))
            name = TABLE[name].symbol if name in TABLE else name
        return f"{name[:1].upper()}{name[1:]}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons that share their inputs.

    Called with one sample, it returns a list of Values, or the Value itself if there is one neuron.

    Args:
        nin: the number of inputs.
        nout: the number of neurons.
        nonlin: whether there is an activation.
        activation: the activation, as in `Neuron`.
        initializer: what draws the weights, as in `Neuron`.
        generator: a `random.Random`; Python's global generator by default.

    >>> Layer(2, 3, nonlin=False)
    Layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        *,
        nonlin: bool = True,
        activation: Activation = "relu",
        initializer: str | Initializer = "uniform",
        generator: random.Random | None = None,
    ) -> None:
        drawn: dict[str, Any] = {"initializer": initializer, "generator": generator}
        self.neurons = [
            Neuron(nin, nonlin, activation=activation, fan_out=nout, **drawn)
            for _ in range(_size(nout))
        ]

    def __call__(self, x: Inputs) -> Output:
        """Return the outputs for one sample, a sequence of `nin` Values or numbers."""
        nin = len(self.neurons[0].w)
        x = _inputs(x)
        if len(x) != nin:
            raise _wrong_number(f"Layer({nin}, {len(self.neurons)})", nin, x)
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        """Return the parameters of each neuron in turn."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def _description(self) -> dict[str, Any]:
        first, *others = (neuron._architecture() for neuron in self.neurons)
        if any(other != first for other in others):
            return {"own": "Layer of different neurons"}
        return first if "own" in first else first | {"class": "Layer", "nout": len(self.neurons)}

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multilayer perceptron.

    Called with one sample, it returns a list of Values, or the Value itself if the last layer has
    one neuron.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons of each layer.
        activation: the activation of the hidden layers, as in `Neuron`.
        output_activation: the activation of the last layer, which is linear by default.
        initializer: what draws the weights, as in `Neuron`.
        generator: a `random.Random`; Python's global generator by default.

    Raises:
        ValueError: for an unknown activation or initializer, and when the network is called with
            another number of inputs.

    >>> model = MLP(2, [4, 3], activation="tanh")
    >>> len(model.parameters()), len(model([0.5, -1.0]))
    (27, 3)
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Activation = "relu",
        output_activation: Activation | None = None,
        initializer: str | Initializer = "uniform",
        generator: random.Random | None = None,
    ) -> None:
        try:
            if isinstance(nouts, Set | Mapping):
                raise TypeError("the order of the sizes is undefined")
            sizes = [_size(nin), *map(_size, nouts)]
        except TypeError:
            raise TypeError(
                f"MLP(nin, nouts) takes a size and a list of sizes, got {nin!r} and {nouts!r}"
            ) from None
        for each in (activation, output_activation or "relu"):
            _known(each)
        if len(sizes) == 1:
            raise ValueError(f"MLP({nin}, {nouts}) has no layer: give at least one size")
        drawn: dict[str, Any] = {"initializer": known(initializer), "generator": generator}
        activations = [activation] * (len(sizes) - 2) + [output_activation]
        self.layers = [
            Layer(nin, nout, nonlin=each is not None, activation=each or "relu", **drawn)
            for (nin, nout), each in zip(pairwise(sizes), activations, strict=True)
        ]

    def __call__(self, x: Inputs) -> Output:
        """Return the outputs for one sample, a sequence of `nin` Values or numbers."""
        sizes = [len(self.layers[0].neurons[0].w), *(len(layer.neurons) for layer in self.layers)]
        x = _inputs(x)
        if len(x) != sizes[0]:
            raise _wrong_number(f"MLP({sizes[0]}, {sizes[1:]})", sizes[0], x)
        out = self.layers[0](x)
        for layer in self.layers[1:]:
            out = layer(out)
        return out

    def parameters(self) -> list[Value]:
        """Return the parameters of each layer in turn."""
        return [p for layer in self.layers for p in layer.parameters()]

    def _description(self) -> dict[str, Any]:
        return {"class": "MLP", "layers": [layer._architecture() for layer in self.layers]}

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


class Sequential(Module):
    """Modules and functions in a chain: each takes what the one before it returned.

    Args:
        *layers: at least one module or function.

    >>> from nn.functional import softmax
    >>> model = Sequential(Layer(2, 4), Dropout(0.1), Layer(4, 3, nonlin=False), softmax)
    >>> len(model.parameters()), len(model.eval()([0.5, -1.0]))
    (27, 3)
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        if not layers:
            raise ValueError("Sequential has no layer: give at least one module or function")
        for i, each in enumerate(layers):
            if not callable(each):
                raise TypeError(f"layer {i} of Sequential is not a module or a function: {each!r}")
        self.layers = list(layers)

    def __call__(self, x: Any) -> Output:
        """Return the output of the last layer for one sample."""
        out = x
        for layer in self.layers:
            out = layer(out)
        found: Output = out
        return found

    def _description(self) -> dict[str, Any]:
        found: list[Any] = []
        for i, layer in enumerate(self.layers):
            first = next(j for j, each in enumerate(self.layers) if each is layer)
            found.append(_described(layer) if first == i else {"same": first})
        return {"class": "Sequential", "layers": found}

    def __repr__(self) -> str:
        names = (getattr(layer, "__name__", str(layer)) for layer in self.layers)
        return f"Sequential of [{', '.join(names)}]"


class Dropout(Module):
    """Dropout: in training, each input is set to 0 with probability `p`, else divided by `1 - p`.

    After `eval()`, the inputs pass unchanged (Srivastava and others 2014,
    https://jmlr.org/papers/v15/srivastava14a.html).

    Args:
        p: the probability, in [0, 1).
        generator: a `random.Random`; Python's global generator by default. In `fit`, the seed of
            `fit` draws instead.

    >>> Dropout(0.5, random.Random(0))([1.0, 1.0, 1.0, 1.0])
    [2.0, 2.0, 0.0, 0.0]
    >>> Dropout(0.5).eval()([1.0, 1.0])
    [1.0, 1.0]
    """

    def __init__(self, p: float = 0.5, generator: random.Random | None = None) -> None:
        given, p = p, to_number(p, "the p of Dropout")
        if isinstance(given, bool) or not 0 <= p < 1:
            raise OptionError(f"p is a probability from 0 up to, not including, 1, got {given!r}")
        _source(generator)
        self.p, self.generator = p, generator

    def __call__(self, x: Any) -> Output:
        """Return the inputs, a list or one Value, some of them set to 0."""
        kept: Any = x
        if self.training and self.p:
            kept = self._dropped(x)
        found: Output = kept
        return found

    def _dropped(self, x: Any) -> Any:
        inputs = _inputs(x)
        factors = list((_masks.get() or self._drawn)(len(inputs), self.p))
        if len(factors) != len(inputs):
            raise ValueError(
                f"dropout_masks(source): source({len(inputs)}, {self.p:g}) gave {len(factors)} "
                f"factors: give {len(inputs)}, one for each input"
            )
        kept = [xi * factor for xi, factor in zip(inputs, factors, strict=True)]
        return kept[0] if isinstance(x, Value) else kept

    def _drawn(self, count: int, p: float) -> list[float]:
        source = _source(self.generator)
        return [0.0 if source.random() < p else 1 / (1 - p) for _ in range(count)]

    def _description(self) -> dict[str, Any]:
        return {"class": "Dropout", "p": float(self.p)}

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"


Masks = Callable[[int, float], Iterable[Any]]
_masks: ContextVar[Masks | None] = ContextVar("masks", default=None)


@contextmanager
def dropout_masks(source: Masks) -> Iterator[None]:
    """Within this context, `source` gives the factors by which dropout multiplies its inputs.

    A compiled function cannot draw at random: `fit` gives it the factors as arguments.

    Args:
        source: a function of the number of inputs and the probability that returns as many factors.

    >>> with dropout_masks(lambda count, p: [0.0, 2.0]):
    ...     Dropout(0.5)([1.0, 1.0])
    [0.0, 2.0]
    """
    before = _masks.set(source)
    try:
        yield
    finally:
        _masks.reset(before)


def _inputs(x: Inputs) -> list[Value | float]:
    """Return the inputs as a list; a single Value, the output of one neuron, is one input."""
    if type(x) is list:
        return x
    if isinstance(x, Value):
        return [x]
    if not hasattr(x, "__iter__") or isinstance(x, set | dict | str):
        raise TypeError(f"the inputs are a list of Values or numbers, got {x!r}")
    refuse_unusual(x)
    x = list(x)
    if _is_batch(x):
        raise TypeError(_one_sample("a model", x))
    return [xi if isinstance(xi, Value) else to_number(xi, "an input") for xi in x]


def _wrong_number(owner: str, wanted: int, x: list[Any]) -> ValueError:
    if _is_batch(x):
        return ValueError(_one_sample(owner, x))
    return ValueError(f"{owner} takes {wanted} input{'s' * (wanted != 1)}, got {len(x)}")


def _is_batch(x: list[Any]) -> bool:
    return bool(x) and all(isinstance(xi, list | tuple) or getattr(xi, "ndim", 0) for xi in x)


def _one_sample(owner: str, batch: list[Any]) -> str:
    return (
        f"{owner} takes one sample at a time, got {len(batch)}: "
        "write [model(x) for x in X], or nn.predict(model, X) for numbers alone"
    )


def _source(generator: random.Random | None) -> Any:
    """Return the generator, or Python's global one if none is given."""
    if generator is None:
        return _GLOBAL
    if not hasattr(generator, "gauss"):
        raise TypeError(
            f"generator is a random.Random, got {generator!r}: give random.Random(seed)"
        )
    return generator


def _size(size: int) -> int:
    if isinstance(size, bool):
        raise TypeError(f"a size is a whole number, got {size}")
    if index(size) < 1:
        raise ValueError(f"a layer has at least one neuron and one input, got {size}")
    return index(size)


def _known(activation: Activation) -> Activation:
    if callable(activation):
        return activation
    if isinstance(activation, str) and activation in SERVING and TABLE[activation].arity == 1:
        return activation  # of no use as an activation, so it is not among those that are named
    names = [name for name, row in TABLE.items() if row.arity == 1 and name not in SERVING]
    known: Any = dict(zip(names, names, strict=True))
    otherwise = "a function of a Value, such as nn.functional.identity"
    found: Activation = by_name(activation, "activation", known, otherwise)
    return found


_HOMES = {"nn.functional": "nn.functional", "micrograd.engine.functions": "micrograd"}


def _described(layer: Any) -> Any:
    """Return a module or a function in terms of JSON; a name of an operation is itself."""
    if isinstance(layer, str):
        return layer
    if isinstance(layer, Module):
        return layer._architecture()
    module, name = (str(getattr(layer, key, "")) for key in ("__module__", "__name__"))
    if module in _HOMES and getattr(sys.modules[module], name, None) is layer:
        return {"function": f"{_HOMES[module]}.{name}"}
    return {"own": name or type(layer).__name__}
