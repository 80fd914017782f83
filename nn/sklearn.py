"""Multilayer perceptrons as estimators of scikit-learn, for its pipelines, searches and scores.

The parameters have the names and the defaults of `sklearn.neural_network`. Needs scikit-learn.

>>> from sklearn.datasets import load_iris
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> X, y = load_iris(return_X_y=True)
>>> network = MLPClassifier((16,), learning_rate_init=0.01, tol=1e-3, random_state=0)
>>> make_pipeline(StandardScaler(), network).fit(X, y).score(X, y) > 0.95
True
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from inspect import cleandoc
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        f"nn.sklearn needs scikit-learn: pip install 'micrograd-engine[train]' ({error})"
    ) from error

from micrograd import Value
from nn import samples
from nn.layers import MLP, Neuron
from nn.objective import Loss
from nn.optimizers import OPTIMIZERS, Optimizer
from nn.options import OptionError, by_name, flag, real, whole
from nn.training import EarlyStopping, fit, predict

__all__ = ["MLPClassifier", "MLPRegressor"]


def identity(z: Any) -> Any:
    """Return the argument: no activation."""
    return z


def half_squared_error(prediction: Any, target: Any) -> Any:
    """Return half the squared error, the loss of a regression in scikit-learn."""
    return (prediction - target) ** 2 / 2


def _activation(given: Any) -> Any:
    names: dict[Any, Any] = {"identity": identity, "logistic": "sigmoid"}
    return names.get(given, given) if isinstance(given, str) else given


def _known_activation(value: Any, name: str) -> None:
    if not callable(value):
        Neuron(1, activation=_activation(value), generator=random.Random(0))


def _sizes(value: Any, name: str) -> None:
    for each in [value] if np.ndim(value) == 0 else value:
        whole(each, f"each of {name}")


def _batch(value: Any, name: str) -> None:
    if not (isinstance(value, str) and value == "auto"):
        whole(value, name)


def _seed(value: Any, name: str) -> None:
    try:
        check_random_state(value)
    except ValueError as error:
        raise OptionError(f"{name} is a seed: {error}") from None


def _loudness(value: Any, name: str) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        whole(value, name, 0)
    else:
        flag(value, name)


# How `fit` checks each parameter. As in scikit-learn, a constructor accepts everything.
_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "hidden_layer_sizes": _sizes,
    "activation": _known_activation,
    "solver": partial(by_name, known=OPTIMIZERS),
    "alpha": partial(real, least=0),
    "batch_size": _batch,
    "learning_rate_init": partial(real, above=0),
    "max_iter": whole,
    "shuffle": flag,
    "tol": partial(real, least=0),
    "random_state": _seed,
    "verbose": _loudness,
    "momentum": partial(real, least=0, most=1),
    "nesterovs_momentum": flag,
    "early_stopping": flag,
    "validation_fraction": partial(real, above=0, below=1),
    "beta_1": partial(real, least=0, below=1),
    "beta_2": partial(real, least=0, below=1),
    "epsilon": partial(real, above=0),
    "n_iter_no_change": whole,
}


@dataclass(eq=False, repr=False)
class _Perceptron(BaseEstimator):  # type: ignore[misc]
    """The parameters have the names and the defaults of scikit-learn's multilayer perceptrons.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer.
        activation: the activation of the hidden layers: one of scikit-learn's names, the name of an
            operation of one operand, or a function of a Value.
        solver: the name of an optimizer in `nn.optimizers.OPTIMIZERS`.
        alpha: the weight of the penalty, `alpha / 2` times the squares of the weights, divided by
            the number of samples of a batch.
        batch_size: the number of samples of a batch; `"auto"` is 200, or all if they are fewer.
        learning_rate_init: the learning rate.
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
        n_iter_no_change: the number of epochs to wait for an improvement.

    After `fit`, `model_` is the network, and `history_` is what was recorded after each epoch.
    """

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: Any = "relu"
    _: KW_ONLY
    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate_init: float = 0.001
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
    n_iter_no_change: int = 10

    def _train(self, X: Any, y: Any, outputs: int, loss: Loss, score: str) -> None:
        """Make a network with that many outputs, and train it."""
        self._check_parameters(len(X))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        hidden = np.atleast_1d(self.hidden_layer_sizes).tolist()
        self.model_ = MLP(
            X.shape[1],
            [*hidden, outputs],
            activation=_activation(self.activation),
            initializer="xavier_uniform",
            generator=random.Random(seed),
        )
        auto = isinstance(self.batch_size, str)
        size = min(200, len(X)) if auto else int(self.batch_size)
        column = f"val_{score}" if self.early_stopping else "loss"
        self.history_ = fit(
            self.model_,
            X,
            y,
            loss=loss,
            optimizer=self._optimizer,
            epochs=self.max_iter,
            batch_size=size,
            shuffle=self.shuffle,
            seed=seed,
            validation=float(self.validation_fraction) if self.early_stopping else None,
            metrics=[score] if self.early_stopping else (),
            penalty=self._penalty(size) if self.alpha else None,
            early_stopping=EarlyStopping(
                self.n_iter_no_change, self.tol, restore_best=self.early_stopping, monitor=column
            ),
            progress="auto" if self.verbose else False,
        )
        self.loss_curve_ = self.history_["loss"]
        self.loss_ = self.loss_curve_[-1]
        self.best_loss_ = min(self.loss_curve_)
        self.n_iter_ = self.history_.epochs
        self.n_layers_ = len(hidden) + 2
        self.n_outputs_ = outputs
        if self.early_stopping:
            self.validation_scores_ = self.history_[column]
        if self.history_.end == "epochs":
            warnings.warn(
                f"{self.max_iter} epochs were done, and the optimization has not converged yet: "
                "raise max_iter or learning_rate_init",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _check_parameters(self, count: int) -> None:
        """Raise ValueError if a parameter is out of range; the message names it."""
        try:
            for name, check in _CHECKS.items():
                check(getattr(self, name), name)
        except (TypeError, ValueError) as error:
            owner = type(self).__name__
            raise OptionError(f"the {name!r} parameter of {owner}: {error}") from None
        if self.early_stopping and self.validation_fraction * count <= 1:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {count} samples is one "
                "sample, which has no score: raise it, or leave out early_stopping"
            )

    def _optimizer(self, parameters: list[Value]) -> Optimizer:
        options: dict[str, Any] = {}
        if self.solver.startswith("adam"):
            options = {"betas": (self.beta_1, self.beta_2), "eps": float(self.epsilon)}
        elif self.solver == "sgd":
            options = {"momentum": float(self.momentum)}
            options["nesterov"] = self.nesterovs_momentum and self.momentum > 0
        made: Optimizer = OPTIMIZERS[self.solver](
            parameters, lr=float(self.learning_rate_init), **options
        )
        return made

    def _penalty(self, batch: int) -> Any:
        """Return the penalty: half of alpha times the squared weights, over the batch size."""
        weights = [w for layer in self.model_.layers for neuron in layer.neurons for w in neuron.w]
        return lambda _: float(self.alpha) / (2 * batch) * sum(w * w for w in weights)

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self)
        return predict(self.model_, self._validated(X, reset=False))

    def _validated(self, X: Any, *y: Any, **options: Any) -> Any:
        """Validate the arrays as scikit-learn does. A TypeError names a column that is text."""
        if hasattr(X, "columns"):
            samples.numbers(X, "X")
        return validate_data(self, X, *y, **options)

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


def _with_parameters(text: str | None) -> str:
    """Return the docstring of an estimator, followed by that of `_Perceptron`."""
    return f"{cleandoc(text or '')}\n\n{cleandoc(_Perceptron.__doc__ or '')}"


class MLPClassifier(ClassifierMixin, _Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that classifies, trained with the cross-entropy.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> network = MLPClassifier((4,), learning_rate_init=0.1, tol=0.01, random_state=0)
    >>> network.fit(X, y).predict([[-1.0], [4.0]]).tolist()
    ['low', 'high']
    """

    __doc__ = _with_parameters(__doc__)

    def fit(self, X: Any, y: Any) -> MLPClassifier:
        """Train on samples with labels, and return the estimator.

        Args:
            X: the inputs, of shape (samples, inputs).
            y: the labels, of shape (samples,): numbers, text or bools, at least two different ones.
        """
        X, y = self._validated(X, y)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "a classifier needs samples of two classes or more, "
                f"got 1 class: {self.classes_[0]}"
            )
        if len(self.classes_) == 2:
            self._train(X, numbers, 1, "bce_with_logits", "accuracy")
        else:
            self._train(X, numbers, len(self.classes_), "cross_entropy", "accuracy")
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, of shape (samples, classes).

        The columns are in the order of `classes_`.

        Args:
            X: the inputs, of shape (samples, inputs).
        """
        logits = self._outputs(X)
        if logits.ndim == 1:
            logits = np.column_stack([np.zeros(len(logits)), logits])
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithms of `predict_proba`.

        Args:
            X: the inputs, of shape (samples, inputs).
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each sample.

        Args:
            X: the inputs, of shape (samples, inputs).
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]


class MLPRegressor(RegressorMixin, _Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that predicts a number, trained with the squared error.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
    >>> network = MLPRegressor((4,), learning_rate_init=0.1, tol=0.01, random_state=0)
    >>> network.fit(X, y).score(X, y) > 0.9
    True
    """

    __doc__ = _with_parameters(__doc__)

    def fit(self, X: Any, y: Any) -> MLPRegressor:
        """Train on samples with a number each, and return the estimator.

        Args:
            X: the inputs, of shape (samples, inputs).
            y: the numbers, of shape (samples,).
        """
        X, y = self._validated(X, y, y_numeric=True)
        self._train(X, y, 1, half_squared_error, "r2")
        return self

    def predict(self, X: Any) -> Any:
        """Return the predicted number of each sample.

        Args:
            X: the inputs, of shape (samples, inputs).
        """
        return self._outputs(X)
