"""A model over arrays: its outputs, and the gradient of its loss.

The compiled program of a model is kept as long as the model. Each call traces the model to see
whether the program is still right, so weights, layers and activations may change in between.

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
from numpy.typing import NDArray

from micrograd import Value
from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler.tracing.graph import Graph
from micrograd.compiler.tracing.tracer import trace
from nn import samples
from nn.layers import dropout_masks
from nn.objective import (
    CONFIRMED,
    Loss,
    Objective,
    Penalty,
    as_number,
    cannot_be_compiled,
    confirm,
    evaluating,
    in_blocks,
    listed,
    loss_function,
    mode,
    of_different_targets,
    outputs_of,
    parameters_of,
)


class _Kept(NamedTuple):
    """A model's program, and the parameters and graph that it was made from."""

    parameters: list[Value]
    graph: Graph
    program: Any


_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()


def predict(model: Any, X: Any) -> NDArray[np.float64]:
    """Return the model's outputs for each row of X, with its current weights and without dropout.

    Args:
        model: a `Module`, or any function of a list of inputs that has `parameters()`.
        X: the inputs, of shape (samples, inputs). A sparse matrix is made dense by blocks of rows.

    Returns:
        An array of shape (samples,) if the model gives one Value, or (samples, outputs) if it gives
        a list.

    Raises:
        TypeError: if the model cannot be compiled.
        ValueError: if it does not take as many inputs.

    >>> from nn import MLP
    >>> predict(MLP(2, [1], initializer="zeros"), [[0.5, -1.0], [1.0, 2.0]])
    array([0., 0.])
    """
    if hasattr(X, "tocsr") and X.ndim == 2 and X.shape[0] > (step := samples.dense_rows(X)):
        rows = X.tocsr()
        parts = (rows[start : start + step] for start in range(0, X.shape[0], step))
        return np.concatenate([predict(model, part) for part in parts])
    X = samples.inputs(X)
    try:
        program, is_list = _program(model, X)
    except (TypeError, LookupError, AttributeError) as error:
        with evaluating(model):
            probe(model, X)  # if this fails too, its message is better
        raise cannot_be_compiled(error) from error
    outputs: NDArray[np.float64] = in_blocks(program, X)
    return outputs if is_list else outputs[:, 0]


def loss_and_grad(
    model: Any, X: Any, y: Any, loss: Loss = "mse", penalty: Penalty = None
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean loss of a model over samples, and its gradient, without dropout.

    It compiles at each call; for a loop of your own, `micrograd.compile` keeps the program.

    Args:
        model: a `Module`, or any function of a list of inputs that has `parameters()`.
        X: the inputs, of shape (samples, inputs).
        y: the targets, as in `fit`.
        loss: a name in `nn.losses.LOSSES`, or a function of one sample's output and target.
        penalty: a function of the parameters, or weights such as `{"l2": 1e-4}`.

    Returns:
        The loss, and an array of shape (parameters,) in the order of `model.parameters()`.

    >>> from nn import MLP
    >>> model = MLP(1, [1], initializer="zeros")
    >>> loss, gradient = loss_and_grad(model, [[1.0], [2.0]], [1.0, 2.0])
    >>> loss, gradient.tolist()
    (2.5, [-5.0, -3.0])
    """
    name, function = loss_function(loss)
    parameters, X = parameters_of(model), samples.inputs(X)
    with evaluating(model):
        y = samples.targets(y, len(X), len(probe(model, X)), name)
    objective = Objective(model, parameters, X.shape[1], function, penalty)

    def penalised(row: Any) -> Any:
        return objective.penalised(objective.evaluation(row)[0])

    program = compile(penalised, parameters, batched=True)
    rows = np.concatenate([X, y], axis=1)
    confirm(
        lambda some: float(np.mean(program(some))),
        lambda some: sum(as_number(penalised(row)) for row in some.tolist()) / len(some),
        of_different_targets(rows, X.shape[1]),
    )
    if not parameters:  # the program's gradient would be that of the rows
        return float(np.mean(program(rows))), np.zeros(0)
    value, gradient = program.value_and_grad(rows)
    return value, gradient


def probe(model: Any, X: Any) -> list[Any]:
    """Return the model's outputs for the first sample, as a list.

    Args:
        model: the model.
        X: the inputs, an array of shape (samples, inputs).

    Raises:
        ValueError: if the model does not take as many inputs.

    >>> from nn import MLP
    >>> [output.data for output in probe(MLP(2, [2], initializer="zeros"), np.ones((1, 2)))]
    [0.0, 0.0]
    """
    try:
        return outputs_of(model, X[0].tolist())
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"the model does not take the {X.shape[1]} columns of X: {error}"
        ) from error


def rehearsed(model: Any, X: Any) -> tuple[int, Any]:
    """Run the model for one sample as in training, without dropping anything.

    Args:
        model: the model.
        X: the inputs, an array of shape (samples, inputs).

    Returns:
        The number of outputs; and for each factor of dropout that a sample needs, the probability
        that it is 0.

    >>> from nn import Dropout, Layer, Sequential
    >>> rehearsed(Sequential(Layer(1, 2), Dropout(0.25)), np.ones((1, 1)))
    (2, array([0.25, 0.25]))
    """
    chances: list[float] = []

    def source(n: int, p: float) -> list[float]:
        chances.extend([p] * n)
        return [1.0] * n

    with mode(model, training=True), dropout_masks(source):
        outputs = probe(model, X)
    return len(outputs), np.array(chances)


def _program(model: Any, X: Any) -> tuple[Any, bool]:
    """Return a program that returns a list, and whether the model itself returns one."""
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
    except TypeError:  # there is no weak reference to it, so its program is not kept
        return _confirmed(compile(run, parameters, batched=True), model, X), is_list
    if kept is None or kept.parameters != parameters or not _same(kept.graph, graph):

        def forward(row: Any) -> Any:
            with evaluating(reference()):
                return outputs_of(reference(), list(row))

        program = _confirmed(compile(forward, parameters, batched=True), model, X)
        kept = _kept[model] = _Kept(parameters, graph, program)
    return kept.program, is_list


def _confirmed(program: Any, model: Any, X: Any) -> Any:
    """Return the program, or raise TypeError if it disagrees with the model on some rows."""

    def outputs(rows: Any) -> Any:
        return [list(map(as_number, outputs_of(model, row))) for row in rows.tolist()]

    with evaluating(model):
        confirm(lambda rows: np.stack(program(rows), axis=1), outputs, X[:CONFIRMED])
    return program


def _same(one: Graph, other: Graph) -> bool:
    """Return whether both are the same function of the same parameters and inputs."""
    sizes = (one.table, one.parameters, one.inputs) == (other.table, other.parameters, other.inputs)
    return sizes and one.first_difference(other) is None
