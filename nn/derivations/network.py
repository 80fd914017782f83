"""A network as a list of stages, each `H = f(W H + b)`, for formulas in matrix form."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

from micrograd import Value
from micrograd.engine.symbols import tree_of
from micrograd.ops import TABLE
from micrograd.table.formulas import Call, FormulaError, Tree
from nn.layers import MLP, Activation, Dropout, Layer, Neuron, Sequential


class Stage(NamedTuple):
    """A layer of neurons.

    Attributes:
        weights: a row for each neuron, with its weight for each input.
        biases: one for each neuron; empty if the layer has none.
        activation: the formula of the activation in terms of `x`, or "x" for a linear layer.
    """

    weights: list[list[Value]]
    biases: list[Value]
    activation: Tree

    @property
    def size(self) -> int:
        """The number of neurons."""
        return len(self.weights)

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return len(self.weights[0])


def stages(model: Any, *, bias: bool) -> list[Stage]:
    """Return the layers of a model.

    Args:
        model: a `Neuron`, a `Layer`, an `MLP`, or a `Sequential` of these.
        bias: whether the biases are shown.

    Raises:
        TypeError: for a model with other parts, which it names.
        ValueError: if a bias that is not to be shown is not 0.
    """
    found = [
        _stage(neurons, f"layer {i}", bias=bias)
        for i, neurons in enumerate(_layers(model, "the model"), 1)
    ]
    if not found:
        raise TypeError(f"{model!r} has no layer with weights: {_SUPPORTED}")
    parameters = [p for each in found for p in (*chain(*each.weights), *each.biases)]
    if not all(isinstance(parameter, Value) for parameter in parameters):
        raise TypeError("a weight of the model is a number: make it a Value")
    if len(set(parameters)) < len(parameters):
        raise TypeError(
            "a weight of the model is used in several places, so that its gradient is a sum of "
            "entries of several matrices: there is no matrix form"
        )
    return found


_SUPPORTED = "the matrix form is written for Neuron, Layer, MLP, and Sequential of these"


def _layers(model: Any, place: str) -> list[list[Neuron]]:
    """Return the neurons of each layer. Dropout does nothing outside of training."""
    match model:
        case Neuron():
            return [[model]]
        case Layer():
            return [model.neurons]
        case MLP() | Sequential():
            inner = [
                _layers(each, f"layer {i} of {place}") for i, each in enumerate(model.layers, 1)
            ]
            return [layer for layers in inner for layer in layers]
        case Dropout():
            return []
    name = getattr(model, "__name__", type(model).__name__)
    raise TypeError(f"{place} is {name}, for which there is no matrix form: {_SUPPORTED}")


def _stage(neurons: list[Neuron], place: str, *, bias: bool) -> Stage:
    kinds = {(each.activation if each.nonlin else None) for each in neurons}
    if len(kinds) > 1 or len({len(each.w) for each in neurons}) > 1:
        raise TypeError(
            f"the neurons of {place} differ in their activations or inputs, so that they are not "
            "one matrix: explain them one by one"
        )
    offsets = [each.b for each in neurons]
    known = [each.data if isinstance(each, Value) else each for each in offsets]
    if not bias and any(known):
        wrong = next(filter(None, known))
        raise ValueError(f"a bias of {place} is {wrong!r}, not 0: bias=True shows it")
    shown = bias and all(isinstance(each, Value) for each in offsets)
    if not shown and any(known):
        raise TypeError(f"the biases of {place} are Values for some neurons only")
    return Stage(
        [list(each.w) for each in neurons], offsets if shown else [], _formula(kinds.pop(), place)
    )


def _formula(activation: Activation | None, place: str) -> Tree:
    if activation is None:
        return "x"
    if isinstance(activation, str) and TABLE[activation].arity == 1:
        return Call(activation, ("x",))
    function: Callable[..., Any] = activation  # type: ignore[assignment]
    try:
        return tree_of(function, ["x"], f"the activation of {place}")
    except FormulaError as error:
        raise TypeError(f"there is no matrix form: {error}") from error
