"""What training minimises: the mean loss of a model over samples, and its gradient.

An `Objective` computes the loss of one sample, in scalars. `Compiled` and `Eager` run it over a
batch; they give the same numbers, up to the order in which floats are added.

A row is a sample: the inputs, then the targets, then its weight if the objective is weighted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd import Value
from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler.executor import load
from micrograd.engine.callables import positional_parameters
from micrograd.engine.collecting import nothing_collected
from micrograd.engine.graph import order
from micrograd.engine.value import numbers_of
from nn.layers import dropout_masks
from nn.losses import LOSSES, LossName, l1_penalty, l2_penalty
from nn.module import Module
from nn.optimizers.optimizer import with_gradient
from nn.options import by_name, real

if TYPE_CHECKING:
    from micrograd.compiler.jax.devices import Devices

Loss = LossName | Callable[[Any, Any], Any] | Callable[[Any, Any, Any], Any]
Penalty = Callable[[list[Value]], Any] | Mapping[str, float] | None
BLOCK = 2048  # the number of samples that are evaluated at once, which bounds the memory
CONFIRMED = 4  # the number of samples whose loss is also computed on Values


def parameters_of(model: Any) -> list[Value]:
    """Return the parameters of a model. Raise TypeError if it is not a model."""
    if isinstance(model, type):
        raise TypeError(f"a model is an instance, got the class {model.__name__} itself")
    if not callable(model) or not callable(getattr(model, "parameters", None)):
        raise TypeError(
            "a model is called with the list of inputs of a sample and has parameters(), "
            f"as a Module does; got {type(model).__name__}"
        )
    parameters = list(model.parameters())
    for parameter in parameters:
        if not isinstance(parameter, Value):
            raise TypeError(f"the model's parameters are Values, got {type(parameter).__name__}")
    numbers_of(parameters)
    return parameters


def outputs_of(model: Any, row: Sequence[Any]) -> list[Any]:
    """Return the outputs of a model for one sample, as a list even if there is one."""
    return listed(model(row))[0]


def listed(outputs: Any) -> tuple[list[Any], bool]:
    """Return what a model returned, as a list, and whether it was a list or an array itself."""
    is_list = isinstance(outputs, list | tuple | np.ndarray) and np.ndim(outputs) > 0
    found = list(outputs) if is_list else [outputs]
    found = [
        each.item() if isinstance(each, np.ndarray) and not each.ndim else each for each in found
    ]
    for each in found or [found]:
        if not isinstance(each, Value | Real):
            raise TypeError(
                "a model gives a Value, or a list of Values, for a sample, "
                f"got {'a list of ' * is_list}{type(each).__name__}"
            )
    return found, is_list


def loss_function(loss: Loss) -> tuple[str, Callable[..., Any]]:
    """Return the short name of a loss and its function, for a name or a function."""
    if isinstance(loss, str):
        otherwise = (
            "a function of a sample's output and target, or of the model, a sample and target"
        )
        return loss, by_name(loss, "loss", LOSSES, otherwise)
    if not callable(loss):
        raise TypeError(f"a loss is a name or a function, got {loss!r}")
    known = loss.func if isinstance(loss, partial) else loss  # with options, such as weights
    names = [name for name, function in LOSSES.items() if function is known]
    return (names[0] if names else getattr(loss, "__name__", "the loss")), loss


def sees_model(loss: Callable[..., Any]) -> bool:
    """Return whether a loss takes three arguments: the model, a sample's inputs and the target."""
    return sum(each.default is each.empty for each in positional_parameters(loss)) == 3


def penalty_function(penalty: Penalty) -> Callable[[list[Value]], Any] | None:
    """Return the penalty as a function of the parameters, or None."""
    if penalty is None or callable(penalty):
        return penalty
    kinds = {"l1": l1_penalty, "l2": l2_penalty}
    if not isinstance(penalty, Mapping) or not set(penalty) <= set(kinds):
        raise ValueError(
            "a penalty is a function of the parameters, or weights of 'l1' and 'l2' "
            f"such as {{'l2': 1e-4}}, got {penalty!r}"
        )
    weights = {
        kind: real(penalty[kind], f"the penalty's weight {kind!r}", least=0) for kind in penalty
    }
    return lambda parameters: sum(
        weight * kinds[kind](parameters) for kind, weight in weights.items()
    )


@contextmanager
def mode(model: Any, *, training: bool) -> Iterator[None]:
    """Switch the modules of a model to training or evaluation within this context."""
    found = model.modules() if isinstance(model, Module) else ()
    changed = [module for module in found if module.training != training]
    for module in changed:
        module.training = training
    try:
        yield
    finally:
        for module in changed:
            module.training = not training


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Switch to evaluation within this context; Dropout drops nothing, even outside a Module."""
    with mode(model, training=False), dropout_masks(lambda n, p: [1.0] * n):
        yield


@dataclass(eq=False)
class Objective:
    """The loss of a model for a row of `features` inputs and the targets.

    If it is `weighted`, the last number of a row is the weight of the sample.
    """

    model: Any
    parameters: list[Value]
    features: int
    loss: Callable[..., Any]
    penalty: Penalty = None
    weighted: bool = False

    def __post_init__(self) -> None:
        self.end = -1 if self.weighted else None  # where the targets end in a row
        self._sees_model = sees_model(self.loss)
        self._penalty = penalty_function(self.penalty)

    def sample(self, row: Any, masks: Any = ()) -> Any:
        """Return the loss in training, times the weight of the sample if there is one.

        `masks` has the factors of all Dropout modules, in order.
        """
        given = cycle(masks)  # a loss that sees the model may call it more than once
        with dropout_masks(lambda n, p: [next(given) for _ in range(n)]):
            loss = self._loss(list(row))
        return row[-1] * loss if self.weighted else loss

    def evaluation(self, row: Any) -> list[Any]:
        """Return the loss in evaluation, without the weight, followed by the outputs."""
        row = list(row)
        with evaluating(self.model):
            outputs = outputs_of(self.model, row[: self.features])
            return [self._loss(row, outputs), *outputs]

    def _loss(self, row: list[Any], outputs: list[Any] | None = None) -> Any:
        inputs, targets = row[: self.features], row[self.features : self.end]
        if self._sees_model:
            values = [each if isinstance(each, Value) else Value(each) for each in inputs]
            loss = self.loss(self.model, values, targets[0] if len(targets) == 1 else targets)
        else:
            outputs = outputs_of(self.model, inputs) if outputs is None else outputs
            single = len(outputs) == 1 == len(targets)
            loss = self.loss(outputs[0], targets[0]) if single else self.loss(outputs, targets)
        if not isinstance(loss, Value | Real):
            raise TypeError(f"a loss gives one Value for a sample, got {type(loss).__name__}")
        return loss

    def penalised(self, loss: Any) -> Any:
        """Return the loss plus the penalty."""
        return loss if self._penalty is None else loss + self._penalty(self.parameters)

    def batch(self, rows: Any, *masks: Any) -> tuple[Any, ...]:
        """Return the rows of a batch; the mean of their weights becomes 1, unless all are 0."""
        if self.weighted and (mean := rows[:, -1].mean()):
            rows = np.column_stack([rows[:, :-1], rows[:, -1] / mean])
        return rows, *masks

    def evaluated(self, found: Any, rows: Any) -> tuple[float, Any]:
        """Return the weighted mean of the losses in the first column, and the other columns."""
        weights = rows[:, -1] if self.weighted else None
        return float(np.average(found[:, 0], weights=weights)), found[:, 1:]


def rows_of(
    X: Any, y: Any, weights: Any, by_class: Callable[[Any], Any] | None, *, weighted: bool
) -> Any:
    """Return the rows of samples, with a weight, that of the sample times that of its class."""
    if not weighted:
        return np.concatenate([X, y], axis=1)
    weights = np.ones(len(X)) if weights is None else weights
    return np.column_stack([X, y, weights if by_class is None else weights * by_class(y)])


def confirm(compiled: Callable[[Any], Any], eager: Callable[[Any], Any], rows: Any) -> None:
    """Compare what a program computes from some rows, a loss or outputs, with what Values give.

    A trace cannot follow everything that Python does with a number: `weights.get(target, 1)` never
    finds a traced target. Raises TypeError if the two differ, or if the program cannot be made.
    """
    expected = np.asarray(eager(rows))
    try:
        found = np.asarray(compiled(rows))
    except (TypeError, LookupError, AttributeError) as error:
        raise cannot_be_compiled(error) from error
    # The bound is far above rounding, even where large terms cancel, and far below a wrong branch.
    size = np.maximum(np.abs(found), np.abs(expected)).max()
    with np.errstate(invalid="ignore"):  # the difference of two infinities
        wrong = np.flatnonzero(np.abs(found - expected) > 1e-3 * size + 1e-6)
    if wrong.size:
        one, other = expected.flat[wrong[0]], found.flat[wrong[0]]
        raise TypeError(
            f"the model or its loss gives {one:g} for some samples, but {other:g} when it is "
            "compiled: it depends on a number in a way that is not traced, such as a target that "
            f"is looked up in a dict or a set. {_ADVICE}"
        )


def cannot_be_compiled(error: Exception) -> TypeError:
    """Return the error for a model or a loss that works on Values, but cannot be traced."""
    kind = "" if isinstance(error, TypeError) else f"{type(error).__name__}: "
    return TypeError(f"the model or its loss cannot be compiled: {kind}{error}. {_ADVICE}")


_ADVICE = (
    "Write what depends on a number with micrograd.where, or train with engine='eager' and call "
    "the model sample by sample"
)


def of_different_targets(rows: Any, features: int, end: int | None = None) -> Any:
    """Return some rows whose targets differ, so that branches on the target differ too."""
    _, first = np.unique(rows[:1000, features:end], axis=0, return_index=True)
    return rows[np.sort(first)[:CONFIRMED]]


def in_blocks(program: Callable[[Any], Any], rows: Any) -> Any:
    """Return what a program returns for each row, an array of shape (rows, numbers)."""
    starts = range(0, len(rows), BLOCK)
    return np.concatenate([np.stack(program(rows[i : i + BLOCK]), axis=1) for i in starts])


class Compiled:
    """An objective as two compiled programs, one for training and one for evaluation.

    Args:
        objective: the objective.
        backend: the backend of `micrograd.compile`.
        devices: the devices of JAX that share the batches of training, or how many.
    """

    def __init__(self, objective: Objective, backend: str = "auto", devices: Any = None) -> None:
        def training(row: Any, masks: Any = ()) -> Any:
            with mode(objective.model, training=True):
                return objective.penalised(objective.sample(row, masks))

        self._objective, self.weighted = objective, objective.weighted
        self.devices = None if devices is None else _devices(devices, backend)
        self._confirmed = False
        self._training = compile(training, objective.parameters, batched=True, backend=backend)
        self._evaluation = compile(
            objective.evaluation, objective.parameters, batched=True, backend=backend
        )
        self.present: Any = None  # which parameters the loss depends on; None means all

    def value_and_grad(self, numbers: Any, *batch: Any) -> tuple[float, Any]:
        """Return the mean loss over rows (and their masks), and its gradient, at these numbers."""
        with nullcontext() if self.devices is None else self.devices.shared():
            batch = self._objective.batch(*batch)
            return self._training.value_and_grad(*batch, parameters=numbers)

    def confirm(self, rows: Any, masks: int) -> None:
        """Raise TypeError unless the programs agree with Values; a sample has `masks` factors.

        It also finds out which parameters the loss depends on. Nothing is computed after the first
        time.
        """
        if self._confirmed:
            return
        objective = self._objective

        def batch(some: Any) -> tuple[Any, ...]:
            return (some, np.ones((len(some), masks))) if masks else (some,)

        @nothing_collected()
        def eager(some: Any) -> float:
            loss = Eager(objective).loss(*batch(some))
            reached = set(map(id, order(loss)))
            present = np.array([id(parameter) in reached for parameter in objective.parameters])
            self.present = None if present.all() else present
            return float(loss.data)

        confirm(
            lambda some: self._training.value_and_grad(*batch(some))[0],
            eager,
            of_different_targets(rows, objective.features, objective.end),
        )
        self._confirmed = True

    def evaluate(self, rows: Any) -> tuple[float, Any]:
        """Return the weighted mean loss without the penalty, and the outputs of each row."""
        return self._objective.evaluated(in_blocks(self._evaluation, rows), rows)


def _devices(devices: Any, backend: str) -> Devices:
    """Return the devices of JAX that share each batch. ValueError for another backend."""
    if backend != "jax":
        raise ValueError(f"devices= is for backend='jax', got backend={backend!r}")
    load(backend)  # its error says what to install
    from micrograd.compiler.jax.devices import Devices

    return Devices(devices)


class Eager:
    """An objective on Values, sample by sample, so that every step can be inspected."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.present: Any = None  # which parameters the loss depends on; None means all

    @nothing_collected()
    def value_and_grad(self, numbers: Any, *batch: Any) -> tuple[float, Any]:
        """Return the mean loss over rows (and their masks), and its gradient, at these numbers."""
        objective = self._objective
        for parameter, number in zip(objective.parameters, numbers.tolist(), strict=True):
            parameter.data, parameter.grad = number, 0
        loss = self.loss(*objective.batch(*batch))
        loss.backward()
        self.present = with_gradient(objective.parameters)
        return loss.data, np.array([float(parameter.grad) for parameter in objective.parameters])

    def loss(self, *batch: Any) -> Any:
        """Return the mean loss over rows (and their masks), as a Value."""
        objective = self._objective
        lists = [each.tolist() for each in batch]
        with mode(objective.model, training=True):
            losses = [objective.sample(*sample) for sample in zip(*lists, strict=True)]
        loss = objective.penalised(sum(losses[1:], losses[0]) / len(losses))
        if not isinstance(loss, Value):
            raise TypeError(f"the loss does not depend on the model: it is the number {loss!r}")
        return loss

    def evaluate(self, rows: Any) -> tuple[float, Any]:
        """Return the weighted mean loss without the penalty, and the outputs of each row."""
        found = np.array([
            [as_number(each) for each in self._objective.evaluation(row)] for row in rows.tolist()
        ])  # fmt: skip
        return self._objective.evaluated(found, rows)


def as_number(value: Any) -> float:
    """Return the number of a Value, or the number itself."""
    return value.data if isinstance(value, Value) else float(value)
