"""`Neuron`, `Layer` and `MLP`: the multilayer perceptron, one scalar at a time; and `Sequential`.

Signatures, the order of the random draws, the order of the terms in a weighted sum and the texts
are those of Karpathy's micrograd, so that programs written for it give the same numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from operator import index
from typing import Any

from micrograd import Value
from micrograd.engine.value import to_number
from micrograd.ops import TABLE
from nn.initializers import Initializer, known
from nn.module import Module
from nn.options import OptionError, by_name

_GLOBAL: Any = random  # the module has the methods of its one generator
Activation = str | Callable[[Value], Value]


class Neuron(Module):
    """`activation(w · x + b)`, or `w · x + b` if `nonlin` is false.

    `activation` is the name of any operation of one operand, or a function of a Value. The `nin`
    weights are drawn uniformly from [-1, 1) by Python's global generator, or by another
    `initializer` (a name in `nn.initializers` or a function) and `generator` (a `random.Random`);
    `fan_out` is the number of neurons on the same inputs. The bias is 0.

    Raises ValueError for an unknown activation, and when called with a wrong number of inputs.
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
        self.neurons = [Neuron(nin, fan_out=nout, **options) for _ in range(_size(nout))]

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

    `output_activation` makes the last layer's neurons nonlinear too; `initializer` and `generator`
    are those of `Neuron`. Returns a list of Values, or the Value itself if the last layer has one
    neuron.
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
                raise TypeError("its order is chance")
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
        self.layers = [
            Layer(nin, nout, activation=activation, **drawn) for nin, nout in pairwise(sizes[:-1])
        ]
        self.layers.append(
            Layer(
                *sizes[-2:],
                nonlin=output_activation is not None,
                activation=output_activation or "relu",
                **drawn,
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


class Sequential(Module):
    """Modules and functions one after the other: each takes what the one before it gave.

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
                raise TypeError(f"layer {i} of Sequential is no module or function: {each!r}")
        self.layers = list(layers)

    def __call__(self, x: Any) -> Any:
        """The output of the last one for one sample."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        names = (getattr(layer, "__name__", str(layer)) for layer in self.layers)
        return f"Sequential of [{', '.join(names)}]"


class Dropout(Module):
    """In training each input is dropped, set to 0, with probability `p`, else divided by 1 - p.

    In evaluation, after `eval()`, nothing happens (Srivastava and others, 2014). `generator` is a
    `random.Random`; by default Python's global one draws.
    """

    def __init__(self, p: float = 0.5, generator: random.Random | None = None) -> None:
        given, p = p, to_number(p, "the p of Dropout")
        if isinstance(given, bool) or not 0 <= p < 1:
            raise OptionError(f"p is a probability from 0 up to, not including, 1, got {given!r}")
        _source(generator)
        self.p, self.generator = p, generator

    def __call__(self, x: Any) -> Any:
        """The inputs, a list or one Value, with some of them dropped."""
        if not self.training or not self.p:
            return x
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

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"


Masks = Callable[[int, float], Iterable[Any]]
_masks: ContextVar[Masks | None] = ContextVar("masks", default=None)


@contextmanager
def dropout_masks(source: Masks) -> Iterator[None]:
    """Within it, `source(count, p)` gives the factors of whatever drops inputs.

    A compiled function cannot draw at random; `fit` gives it the factors as arguments.
    """
    before = _masks.set(source)
    try:
        yield
    finally:
        _masks.reset(before)


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


def _source(generator: random.Random | None) -> Any:
    """What draws: Python's global generator where none is given."""
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
    known = {name: name for name, row in TABLE.items() if row.arity == 1}
    return by_name(activation, "activation", known, "a function of a Value")
