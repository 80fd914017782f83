"""`explain_layers(model, X, y)`: forward pass, deltas and gradients of a network in matrix form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, cast

from micrograd.derivation import document
from micrograd.derivation.document import Block, Equations, Heading, Paragraph, TableBlock, sentence
from micrograd.writing import languages, matrices, notation
from micrograd.writing.notation import Formula
from nn import samples
from nn.derivations.evaluation import Agreement, compared, evaluated, run
from nn.derivations.loss_form import loss_form
from nn.derivations.network import stages
from nn.derivations.rules import rules
from nn.derivations.sheet import Sheet, sheet, transposed
from nn.derivations.writing import Writer
from nn.losses import LOSSES
from nn.objective import Loss, loss_function, sees_model

Gradients = list[list[list[float]]]


def explain_layers(
    model: Any,
    X: Any,
    y: Any,
    *,
    loss: Loss = "mse",
    reduction: str = "mean",
    bias: bool = True,
    numbers: bool = False,
    lang: str = "en",
) -> LayersExplanation:
    """Derive the gradients of a network in matrix form, for one sample or for a batch.

    The samples are the columns of the matrices, so that a layer is `Z = W X + b`, where W has a row
    for each neuron and a column for each input, as `nn` stores it. The formulas follow from the
    layers, from the partials in the table of operations, and from the formula of the loss. They are
    evaluated with the numbers and compared with `backward()`. No gradient is changed, and dropout
    does nothing.

    Args:
        model: a `Neuron`, a `Layer`, an `MLP`, or a `Sequential` of these.
        X: the inputs, of shape (samples, inputs), as in `fit`; or the inputs of one sample.
        y: the targets, as in `fit`; or those of one sample.
        loss: a name in `nn.losses.LOSSES`, or a function of one sample's output and target.
        reduction: `"mean"` over all numbers that are compared, or `"sum"`.
        bias: False leaves out the biases, which must be 0.
        numbers: whether each matrix is followed by its numbers.
        lang: the language that a notebook shows, "en" or "zh".

    Returns:
        An explanation, which shows itself in a notebook; `.text()`, `.markdown()`, `.latex()` and
        `.html()` write it down.

    Raises:
        TypeError: for a model with other layers.
        ValueError: if X or y has the wrong shape or other targets than the loss takes.
        ArithmeticError: if the formulas disagree with `backward()`.

    >>> from nn import MLP
    >>> model = MLP(3, [4, 1], activation="sigmoid", output_activation="sigmoid")
    >>> print(explain_layers(model, [0, 1, 1], 1, bias=False).equations())
    z⁽¹⁾ = W⁽¹⁾ x    (4×1)
    h⁽¹⁾ = sigmoid(z⁽¹⁾)    (4×1)
    z⁽²⁾ = W⁽²⁾ h⁽¹⁾    (1×1)
    ŷ = sigmoid(z⁽²⁾)    (1×1)
    """
    languages.checked(lang)
    layers = stages(model, bias=bias)
    name, function = loss_function(loss)
    if sees_model(function):
        raise TypeError("explain_layers takes a loss of a sample's output and target, not one of the model")
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is 'mean' or 'sum', got {reduction!r}")
    if function in LOSSES.values():
        function = partial(function, reduction=reduction)
    array = samples.numbers(X, "X")
    if array.ndim == 1:
        array, y = array[None, :], [y]
    inputs = samples.inputs(array)
    if inputs.shape[1] != layers[0].inputs:
        raise ValueError(f"the model takes {layers[0].inputs} inputs, and X has {inputs.shape[1]}")
    targets = samples.targets(y, len(inputs), layers[-1].size, name)
    return LayersExplanation(
        model, layers, inputs.tolist(), targets.tolist(), function, reduction == "mean", numbers, lang
    )
