"""Models from files: `load_model` makes the model that `Module.save` wrote.

>>> import tempfile, os
>>> from nn.layers import MLP
>>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
>>> MLP(2, [3, 1], activation="tanh").save(path)
>>> load_model(path)
MLP of [Layer of [TanhNeuron(2), TanhNeuron(2), TanhNeuron(2)], Layer of [LinearNeuron(3)]]
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from micrograd.engine.definitions import VOCABULARY
from nn import functional
from nn.layers import MLP, Dropout, Layer, Neuron, Sequential
from nn.module import Module
from nn.storage import errors_name, load_model_data

_FUNCTIONAL = {
    name: each
    for name, each in vars(functional).items()
    if getattr(each, "__module__", None) == functional.__name__ and not name.startswith("_")
}

_OTHER = (
    "its weights are not those of its architecture, which lacks attributes that you set and does "
    "not tell that layers are shared by several modules"
)


def load_model(path: str | os.PathLike[str]) -> Module:
    """Return the model that `save` wrote: its class, sizes, activations and weights.

    The file is read without being trusted: only classes and functions of `nn` and operations of
    `micrograd` are used, by their names. Operations of your own are defined first.

    Args:
        path: the file.

    Raises:
        ValueError: for a model with classes or functions of your own: build it, and call its
            `load`. Also for a damaged file and for any other file.

    >>> import tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
    >>> Sequential(Layer(2, 3), functional.softmax).save(path)
    >>> load_model(path)
    Sequential of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], softmax]
    """
    weights, tree = load_model_data(path)
    with errors_name(path):
        remedy = f"build the model as when it was saved, and call model.load({os.fspath(path)!r})"
        if tree is None:
            raise ValueError(f"it has weights without the architecture of a model: {remedy}")
        try:
            model = _Builder(len(weights), remedy).built(tree, "the model")
        except TypeError as error:
            raise ValueError(f"its architecture is damaged: {error}") from error
        if not isinstance(model, Module):
            raise ValueError("its architecture is damaged: it is not that of a module")
        if [name for name, _ in model.named_parameters()] != list(weights):
            raise ValueError(f"{_OTHER}: {remedy}")
        model.load_state_dict(weights)
        return model


class _Builder:
    """Makes modules of at most `left` parameters, so that a hostile file cannot fill the memory."""

    def __init__(self, left: int, remedy: str) -> None:
        self.left, self.remedy = left, remedy

    def built(self, tree: Any, place: str) -> Any:
        match tree:
            case {"own": str(name), **rest} if not rest:
                raise ValueError(f"{place} is {name!r}, of your own: {self.remedy}")
            case {"function": str(name), **rest} if not rest:
                return _function(name, place)
            case {"class": "Neuron", "nin": int(nin), "activation": activation, **rest} if not rest:
                return Neuron(nin, **self._options(nin, 1, activation, place))
            case {
                "class": "Layer",
                "nin": int(nin),
                "nout": int(nout),
                "activation": activation,
                **rest,
            } if not rest:
                return Layer(nin, nout, **self._options(nin, nout, activation, place))
            case {"class": "MLP", "layers": list(layers), **rest} if layers and not rest:
                model = MLP(1, [1], initializer="zeros")
                model.layers = [self.built(each, _inner(place, i)) for i, each in enumerate(layers)]
                if not all(isinstance(each, Layer) for each in model.layers):
                    raise ValueError(f"its architecture is damaged: {place} is not of layers")
                return model
            case {"class": "Sequential", "layers": list(layers), **rest} if not rest:
                found: list[Any] = []
                for i, each in enumerate(layers):
                    match each:
                        case {"same": int(first)} if 0 <= first < i:
                            found.append(found[first])
                        case _:
                            found.append(self.built(each, _inner(place, i)))
                return Sequential(*found)
            case {"class": "Dropout", "p": float(p), **rest} if not rest:
                return Dropout(p)
        raise ValueError(f"its architecture is damaged: {place} is {repr(tree)[:60]}")

    def _options(self, nin: int, nout: int, activation: Any, place: str) -> dict[str, Any]:
        """Return the options of a layer, and count its parameters."""
        if min(nin, nout) > 0:
            self.left -= (nin + 1) * nout
        if self.left < 0:
            raise ValueError(f"{_OTHER}: {self.remedy}")
        if activation is None:
            return {"nonlin": False, "initializer": "zeros"}
        if not isinstance(activation, str):
            activation = self.built(activation, f"the activation of {place}")
        return {"activation": activation, "initializer": "zeros"}


def _inner(place: str, i: int) -> str:
    return f"layers.{i}" if place == "the model" else f"{place}.layers.{i}"


def _function(name: str, place: str) -> Callable[..., Any]:
    home, _, last = name.rpartition(".")
    known = {"nn.functional": _FUNCTIONAL, "micrograd": VOCABULARY}.get(home, {})
    if last not in known:
        raise ValueError(
            f"{place} is the function {name[:60]!r}, which this micrograd lacks: define it "
            "first, or pip install --upgrade micrograd-engine"
        )
    found: Callable[..., Any] = known[last]
    return found
