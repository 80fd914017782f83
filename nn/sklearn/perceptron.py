"""`Perceptron`: the parameters and the training that the classifier and the regressor share."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from inspect import cleandoc
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from micrograd import Value
from nn import requests, samples
from nn.history import History
from nn.layers import MLP
from nn.metrics import Metric
from nn.objective import Compiled, Loss, Objective, loss_function, rows_of
from nn.optimizers import OPTIMIZERS, SGD, Adam, Optimizer
from nn.optimizers.optimizer import Array
from nn.options import OptionError
from nn.schedules import LambdaLR
from nn.sklearn.options import CHECKS, activation_of
from nn.training import EarlyStopping, State, fit, predict


@dataclass(eq=False)
class _Adam(Adam):
    """Adam as in scikit-learn, which adds epsilon to √v, before the correction of v for its start.

    Kingma and Ba 2015, arXiv:1412.6980, end of section 2.
    """

    def rule(self, x: Array, g: Array) -> Array:
        given = self.eps
        self.eps = given / math.sqrt(1 - self.betas[1] ** self.steps)
        moved = super().rule(x, g)
        self.eps = given
        return moved


@dataclass(eq=False)
class _SGD(SGD):
    """SGD as in scikit-learn, whose momentum keeps the learning rates of earlier steps."""

    def rule(self, x: Array, g: Array) -> Array:
        given = self.lr
        self.lr = 1.0
        moved = super().rule(x, given * g)
        self.lr = given
        return moved


@dataclass
class _Patience:
    """A callback that ends training when a column of the history stops improving.

    It counts as scikit-learn does: the epochs in a row that are not better by `tol` than the best
    one, and one more than `patience` is too many. If the rate is adaptive, that divides it by 5
    instead, until it is at most 1e-6. `sign` is 1 for a column that should grow, else -1.
    """

    column: str
    sign: int = -1
    patience: float = 0
    tol: float = 0.0
    adaptive: bool = False
    best: float = -math.inf
    waited: int = 0

    def __call__(self, state: State) -> None:
        number = self.sign * state.history[self.column][-1]
        self.waited = 0 if number >= self.best + self.tol else self.waited + 1
        self.best = max(self.best, number)
        if self.waited <= self.patience:
            return
        if self.adaptive and state.optimizer.lr > 1e-6:
            state.optimizer.lr /= 5
            self.waited = 0
        else:
            state.stop()

    def finish(self, state: State) -> None:
        """Say in the history why training ended, after the last of the epochs, too."""
        if state.stopped:
            state.history.end = "early stopping"


class _Penalised(Compiled):
    """The mean loss of a batch, plus the penalty divided by the weight of this batch.

    The weight of a batch is the number of its samples, or the sum of their weights.
    """

    def __init__(self, objective: Objective, is_weight: Any) -> None:
        super().__init__(objective)
        self.alpha, self._is_weight = 0.0, is_weight

    def value_and_grad(self, numbers: Any, *batch: Any) -> tuple[float, Any]:
        value, gradient = super().value_and_grad(numbers, *batch)
        total = batch[0][:, -1].sum() if self.weighted else len(batch[0])
        if not self.alpha or not total:
            return value, gradient
        share, weights = self.alpha / total, np.where(self._is_weight, numbers, 0.0)
        with np.errstate(over="ignore"):  # a loss that is not finite is refused later
            return float(value + share / 2 * (weights @ weights)), gradient + share * weights


@dataclass(eq=False, repr=False)
class Perceptron(BaseEstimator):  # type: ignore[misc]
    """The base of both estimators, with the names and the defaults of scikit-learn's parameters.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer.
        activation: the activation of the hidden layers: one of scikit-learn's names, the name of an
            operation of one operand, or a function of a Value.
        solver: the name of an optimizer in `nn.optimizers.OPTIMIZERS`; or `"lbfgs"`, a quasi-Newton
            method for small data (L-BFGS-B of SciPy), which takes all samples at once. It ends when
            no component of the gradient is above `tol`, and ignores the options of the others.
        alpha: the weight of the penalty, `alpha / 2` times the squares of the weights, divided by
            the number of samples of a batch.
        batch_size: the number of samples of a batch; `"auto"` is 200, or all if they are fewer.
        learning_rate: how the learning rate of `"sgd"` changes: `"constant"`; `"invscaling"`, which
            divides it by `(1 + t) ** power_t` after `t` samples; or `"adaptive"`, which divides it
            by 5 where training would end, until it is at most 1e-6.
        learning_rate_init: the learning rate.
        power_t: the exponent of `"invscaling"`.
        max_iter: the most epochs.
        shuffle: whether to draw a new order of the samples for each epoch.
        random_state: a seed, a `numpy.random.RandomState`, or None for NumPy's global generator.
        tol: training ends when the loss has not fallen by `tol` for `n_iter_no_change` epochs.
        verbose: whether to report progress.
        momentum: the momentum of the solver `"sgd"`, from 0 to 1.
        nesterovs_momentum: whether `"sgd"` uses Nesterov's form of momentum.
        early_stopping: whether training ends when the score of held-out samples has not risen by
            `tol` for `n_iter_no_change` epochs; the best weights are kept.
        validation_fraction: the share of the samples that `early_stopping` holds out.
        beta_1: how much of the first average `"adam"` and `"adamw"` keep at each step.
        beta_2: how much of the second average they keep.
        epsilon: the small number in their divisor.
        n_iter_no_change: how many epochs in a row may fail to improve on the best one so far by
            `tol`; `math.inf` for no limit.
        warm_start: whether `fit` continues with the weights of the last `fit`.
        max_fun: the most evaluations of the loss by `"lbfgs"`; `max_iter` is its most iterations.

    X may be sparse: it is made dense, at most 2**27 entries at once.

    After `fit`, `model_` is the network, and `history_` is what was recorded after each epoch.
    """

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: Any = "relu"
    _: KW_ONLY
    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float = 1e-4
    verbose: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    warm_start: bool = False
    max_fun: int = 15000

    def _begins(self, incremental: bool) -> bool:
        """Return whether training begins with a new network."""
        return not hasattr(self, "model_") or not (incremental or self.warm_start)

    def _train(
        self,
        X: Any,
        y: Any,
        loss: Loss,
        score: str | Metric,
        *,
        outputs: int,
        incremental: bool,
        sample_weight: Any,
        class_weight: dict[int, float] | None = None,
    ) -> None:
        """Train a network, a new one if training begins; `incremental` means for one epoch."""
        begins = self._begins(incremental)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: say False")
        if sample_weight is not None:
            sample_weight = samples.weights(_check_sample_weight(sample_weight, X), X.shape[0])
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        sizes = [*np.atleast_1d(self.hidden_layer_sizes).tolist(), outputs]
        if begins:
            self.model_ = MLP(
                X.shape[1],
                sizes,
                activation=activation_of(self.activation),
                initializer="xavier_uniform",
                generator=random.Random(seed),
            )
            self.history_, self.t_, self._activation = History(), 0, self.activation
        self._refuse_another(sizes)
        self.n_layers_, self.n_outputs_ = len(sizes) + 1, outputs
        column, complaint = "loss", None
        weights = {"sample_weight": sample_weight, "class_weight": class_weight}
        engine = self._engine(X, loss, any(each is not None for each in weights.values()))
        if self.solver == "lbfgs":
            history, found = self._minimised(X, y, loss, engine, **weights)
            self.n_iter_ = found.nit
            if not found.success:
                complaint = f"lbfgs ended after {found.nit} iterations: {found.message}"
        else:
            given: dict[str, Any] = {"loss": loss, "engine": engine, "seed": seed, **weights}
            if self.early_stopping:
                column = f"val_{score if isinstance(score, str) else score.__name__}"
                given["metrics"] = [score]
                given["validation"] = float(self.validation_fraction)
                given["early_stopping"] = EarlyStopping(self.max_iter, monitor=column, mode="max")
            fit_on = partial(fit, self.model_, X, y, **given)
            history = self._descended(fit_on, X.shape[0], column, begins, incremental)
            self.n_iter_ = history.epochs
            if history.end == "epochs" and not incremental:
                complaint = f"{self.max_iter} epochs were done"
        self._record(history, None if column == "loss" else column)
        if complaint is not None:
            warnings.warn(
                f"{complaint}, and the optimization has not converged yet: "
                "raise max_iter or learning_rate_init, or scale the inputs",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _refuse_another(self, sizes: list[int]) -> None:
        """Raise ValueError if the parameters ask for another network than there is."""
        layers = [len(layer.neurons) for layer in self.model_.layers]
        activation = getattr(self, "_activation", self.activation)  # an older file may lack it
        is_same = activation_of(activation) == activation_of(self.activation)
        for has, is_that, asked in (
            (f"layers of {layers} neurons", layers == sizes, sizes),
            (f"the activation {activation!r}", is_same, self.activation),
        ):
            if not is_that:
                raise ValueError(
                    f"the network has {has}, not {asked!r}: "
                    "call fit with warm_start=False for another one"
                )

    def _descended(
        self, fit_on: partial[History], count: int, column: str, begins: bool, incremental: bool
    ) -> History:
        """Train by epochs of batches, until `column` of the history stops improving.

        `fit_on` is `fit` with the model, the `count` samples, the loss and what is held out.
        """
        stopping = column != "loss"
        count -= math.ceil(self.validation_fraction * count) if stopping else 0
        if not incremental or begins or not hasattr(self, "_learned"):
            self._learned = self._optimizer(self.model_.parameters())
        # With other samples held out, the best score so far says nothing.
        if begins or stopping or getattr(self, "_patience", _Patience("")).column != column:
            self._patience = _Patience(column, 1 if stopping else -1)
        rule = self.learning_rate if self.solver == "sgd" else "constant"
        self._patience.patience, self._patience.tol = self.n_iter_no_change, self.tol
        self._patience.adaptive = rule == "adaptive"
        schedule, seen = None, getattr(self, "t_", 0)  # an older file may lack it
        if rule == "invscaling":
            self._learned.lr = float(self.learning_rate_init)
            # A new solver makes its first epoch with the rate that is given.
            schedule = LambdaLR(
                self._learned,
                lambda epoch: (
                    (1 + seen + count * epoch) ** -self.power_t if epoch or incremental else 1.0
                ),
            )
        history = fit_on(
            optimizer=self._learned,
            epochs=1 if incremental else self.max_iter,
            batch_size=min(
                200 if isinstance(self.batch_size, str) else int(self.batch_size), count
            ),
            shuffle=self.shuffle,
            schedule=schedule,
            callbacks=[self._patience],
            progress="auto" if self.verbose else False,
        )
        self.t_ = seen + count * history.epochs
        return history

    def _record(self, history: History, scores: str | None) -> None:
        """Set the attributes that tell how training went; a warm start continues the curves."""
        before, self.history_ = self.history_, history
        if set(history) == set(before):
            for name, column in history.items():
                column[:0] = before[name]
            if history.best_epoch is not None:
                history.best_epoch += before.epochs
        self.loss_curve_ = self.history_["loss"]
        self.loss_ = self.loss_curve_[-1]
        self.best_loss_ = min(self.loss_curve_) if scores is None else None
        self.validation_scores_ = None if scores is None else self.history_[scores]
        self.best_validation_score_ = None if scores is None else max(self.history_[scores])

    def _minimised(
        self, X: Any, y: Any, loss: Loss, engine: Compiled, sample_weight: Any, class_weight: Any
    ) -> tuple[History, Any]:
        """Minimise the loss over all samples with L-BFGS-B.

        Returns:
            The loss at each iteration, or at the start if there is none; and the result of SciPy.
        """
        X = samples.inputs(X)
        y = samples.targets(y, len(X), self.n_outputs_, loss_function(loss)[0])
        by_class = requests.class_weights(class_weight, y)
        rows, history = rows_of(X, y, sample_weight, by_class, weighted=engine.weighted), History()
        engine.confirm(rows, 0)

        def value_and_grad(numbers: Any) -> tuple[float, Any]:
            return engine.value_and_grad(numbers, rows)

        def record(intermediate_result: Any) -> None:
            history.append({"loss": float(intermediate_result.fun)})

        parameters = self.model_.parameters()
        start = np.array([parameter.data for parameter in parameters])
        options = {"maxiter": self.max_iter, "maxfun": self.max_fun, "gtol": self.tol}
        result = minimize(
            value_and_grad, start, jac=True, method="L-BFGS-B", options=options, callback=record
        )
        if not np.isfinite([result.fun, *result.x]).all():
            raise ValueError("lbfgs found a loss or weights that are not finite: scale the inputs")
        for parameter, number in zip(parameters, result.x.tolist(), strict=True):
            parameter.data = number
        if not history.epochs:
            history.append({"loss": float(result.fun)})
        return history, result

    def _engine(self, X: Any, loss: Loss, is_weighted: bool) -> Compiled:
        """Return the compiled objective, that of the last call if it is the same."""
        kept: Any = self.__dict__.get("_kept")
        if kept is None or kept[:3] != (self.model_, loss, is_weighted):
            parameters = self.model_.parameters()
            function = loss_function(loss)[1]
            objective = Objective(self.model_, parameters, X.shape[1], function, None, is_weighted)
            biases = {id(neuron.b) for layer in self.model_.layers for neuron in layer.neurons}
            made = _Penalised(objective, np.array([id(each) not in biases for each in parameters]))
            kept = self._kept = (self.model_, loss, is_weighted, made)
        engine: _Penalised = kept[3]
        engine.alpha = float(self.alpha)
        return engine

    def __getstate__(self) -> Any:
        return {key: part for key, part in super().__getstate__().items() if key != "_kept"}

    def _check_parameters(self, count: int) -> None:
        """Raise ValueError if a parameter is out of range; the message names it."""
        try:
            for name, value in self.get_params(deep=False).items():
                CHECKS[name](value, name)
        except (TypeError, ValueError) as error:
            owner = type(self).__name__
            raise OptionError(f"the {name!r} parameter of {owner}: {error}") from None
        stopping = self.early_stopping and self.solver != "lbfgs"
        if stopping and self.validation_fraction * count <= 1:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {count} samples is at most one "
                "sample, which has no score: raise it, or leave out early_stopping"
            )

    def _optimizer(self, parameters: list[Value]) -> Optimizer:
        options: dict[str, Any] = {}
        if self.solver.startswith("adam"):
            options = {"betas": (self.beta_1, self.beta_2), "eps": float(self.epsilon)}
        elif self.solver == "sgd":
            options = {"momentum": float(self.momentum)}
            options["nesterov"] = self.nesterovs_momentum and self.momentum > 0
        kind = {**OPTIMIZERS, "adam": _Adam, "sgd": _SGD}[self.solver]
        made: Optimizer = kind(parameters, lr=float(self.learning_rate_init), **options)
        return made

    def _outputs(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return predict(self.model_, self._validated(X, reset=False))

    def _validated(self, X: Any, *y: Any, **options: Any) -> Any:
        """Validate the arrays as scikit-learn does, and before training also the parameters.

        A TypeError names a column that is text.
        """
        if hasattr(X, "columns"):
            samples.numbers(X, "X")
        options |= {"multi_output": True} if y else {}
        found = validate_data(self, X, *y, accept_sparse=["csr", "csc"], **options)
        if not y:
            return found
        X, targets = found
        self._check_parameters(X.shape[0])
        targets = targets.toarray() if hasattr(targets, "toarray") else targets
        is_column = targets.ndim == 2 and targets.shape[1] == 1
        return X, column_or_1d(targets, warn=True) if is_column else targets

    def _has_steps(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit makes steps of an optimizer, and solver='lbfgs' has none: "
                f"give one of {', '.join(OPTIMIZERS)}"
            )
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def coefs_(self) -> list[Any]:
        """The weights of each layer, arrays of shape (inputs, outputs)."""
        return [
            np.array([[w.data for w in neuron.w] for neuron in layer.neurons]).T
            for layer in self.model_.layers
        ]

    @property
    def intercepts_(self) -> list[Any]:
        """The biases of each layer, arrays of shape (outputs,)."""
        return [
            np.array([neuron.b.data for neuron in layer.neurons]) for layer in self.model_.layers
        ]


def with_parameters(text: str | None, more: str = "") -> str:
    """Return the docstring of an estimator, followed by that of `Perceptron`."""
    shared = cleandoc(Perceptron.__doc__ or "").replace("\n\nX may be", f"{more}\n\nX may be")
    return f"{cleandoc(text or '')}\n\n{shared}"
