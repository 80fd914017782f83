"""A model over arrays, without a Value: its outputs, and the gradient of its loss.

The program of a model is kept as long as the model. Whether it still is the model's, a trace tells
at each call; so weights, layers and activations may change in between.

>>> from nn import MLP
>>> model = MLP(2, [4, 3], activation="tanh")
>>> predict(model, [[0.5, -1.0], [1.0, 2.0]]).shape
(2, 3)
>>> loss, gradient = loss_and_grad(model, [[0.5, -1.0], [1.0, 2.0]], [0, 2], loss="cross_entropy")
>>> gradient.shape == (len(model.parameters()),)
True
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

import numpy as np

from micrograd import Value
from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler.graph import Graph
from micrograd.compiler.tracing import trace
from nn import samples
from nn.layers import dropout_masks
from nn.objective import (
    BLOCK,
    CONFIRMED,
    Loss,
    Objective,
    Penalty,
    as_number,
    cannot_be_compiled,
    confirm,
    evaluating,
    listed,
    loss_function,
    mode,
    of_different_targets,
    outputs_of,
    parameters_of,
    penalty_function,
)


class _Kept(NamedTuple):
    """A model's program, and what it was made from."""

    parameters: list[Value]
    graph: Graph
    program: Any


_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()


def predict(model: Any, X: Any) -> Any:
    """The model's outputs for each row of X, with its present weights.

    An array of shape (samples,) where the model gives one Value, (samples, outputs) where it gives
    a list. Nothing is dropped.
    """
    X = samples.inputs(X)
    try:
        program, is_list = _program(model, X)
    except (TypeError, LookupError, AttributeError) as error:
        with evaluating(model):
            probe(model, X)  # if it fails too, that is the better complaint
        raise cannot_be_compiled(error) from error
    outputs = np.concatenate([
        np.stack(program(X[start : start + BLOCK]), axis=1) for start in range(0, len(X), BLOCK)
    ])  # fmt: skip
    return outputs if is_list else outputs[:, 0]


def loss_and_grad(
    model: Any, X: Any, y: Any, loss: Loss = "mse", penalty: Penalty = None
) -> tuple[float, Any]:
    """The mean loss over the samples, and its gradient in the order of `model.parameters()`.

    Nothing is dropped. Arguments are those of `fit`. It compiles at each call; for a loop of your
    own, `micrograd.compile` keeps the program.
    """
    name, function = loss_function(loss)
    parameters, X = parameters_of(model), samples.inputs(X)
    with evaluating(model):
        y = samples.targets(y, len(X), len(probe(model, X)), name)
    objective = Objective(model, parameters, X.shape[1], function, penalty_function(penalty))

    def penalised(row: Any) -> Any:
        return objective.penalised(objective.evaluation(row)[0])

    program = compile(penalised, parameters, batched=True)
    rows = np.concatenate([X, y], axis=1)
    confirm(
        lambda some: float(np.mean(program(some))),
        lambda some: sum(as_number(penalised(row)) for row in some.tolist()) / len(some),
        of_different_targets(rows, X.shape[1]),
    )
    if not parameters:  # then the gradient would be that of the rows
        return float(np.mean(program(rows))), np.zeros(0)
    value, gradient = program.value_and_grad(rows)
    return value, gradient


def probe(model: Any, X: Any) -> list[Any]:
    """The model's outputs for the first sample; ValueError if it does not take it."""
    try:
        return outputs_of(model, X[0].tolist())
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"the model does not take the {X.shape[1]} columns of X: {error}"
        ) from error


def rehearsed(model: Any, X: Any) -> tuple[int, Any]:
    """How many outputs the model gives for a sample in training, and what may be dropped then.

    That is the probability to be dropped, for each factor that a sample takes.
    """
    chances: list[float] = []

    def source(n: int, p: float) -> list[float]:
        chances.extend([p] * n)
        return [1.0] * n

    with mode(model, training=True), dropout_masks(source):
        outputs = probe(model, X)
    return len(outputs), np.array(chances)


def _program(model: Any, X: Any) -> tuple[Any, bool]:
    """The model as a program that gives a list, and whether the model gives one itself."""
    parameters = parameters_of(model)
    is_list = False

    def run(leaves: Any) -> Any:
        nonlocal is_list
        with evaluating(model):
            found, is_list = listed(model(list(leaves)))
        return found

    graph = trace(run, parameters, X.shape[1])
    try:
        kept, reference = _kept.get(model), ref(model)
    except TypeError:  # what cannot be referred to weakly is not kept
        return _confirmed(compile(run, parameters, batched=True), model, X), is_list
    if kept is None or kept.parameters != parameters or not _same(kept.graph, graph):

        def forward(row: Any) -> Any:
            with evaluating(reference()):
                return outputs_of(reference(), list(row))

        program = _confirmed(compile(forward, parameters, batched=True), model, X)
        kept = _kept[model] = _Kept(parameters, graph, program)
    return kept.program, is_list


def _confirmed(program: Any, model: Any, X: Any) -> Any:
    """The program, if it gives for some rows what the model gives."""

    def outputs(rows: Any) -> Any:
        return [list(map(as_number, outputs_of(model, row))) for row in rows.tolist()]

    with evaluating(model):
        confirm(lambda rows: np.stack(program(rows), axis=1), outputs, X[:CONFIRMED])
    return program


def _same(one: Graph, other: Graph) -> bool:
    """Whether they are the same function of the same parameters and inputs."""
    sizes = (one.table, one.parameters, one.inputs) == (other.table, other.parameters, other.inputs)
    return sizes and one.first_difference(other) is None
