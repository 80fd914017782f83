"""`MLPRegressor`: one or several numbers for each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from nn.sklearn.perceptron import Perceptron, with_parameters


def half_squared_error(prediction: Any, target: Any) -> Any:
    """Return half the squared error, the loss of a regression; of several outputs, the sum."""
    if isinstance(prediction, list):
        return sum(map(half_squared_error, prediction, target))
    return (prediction - target) ** 2 / 2


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers, trained with half the squared error.

    With several outputs the loss is their sum, to which the gradients of scikit-learn belong, too.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
    >>> network = MLPRegressor((4,), learning_rate_init=0.1, tol=0.01, random_state=0)
    >>> network.fit(X, y).score(X, y) > 0.9
    True
    """

    __doc__ = with_parameters(__doc__)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train on samples with one or several numbers each, and return the estimator.

        Args:
            X: the inputs, of shape (samples, inputs).
            y: the numbers, of shape (samples,) or (samples, outputs).
            sample_weight: the weight of each sample; all count alike by default.
        """
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(lambda estimator: estimator._has_steps())  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one more epoch, and return the estimator.

        The solver goes on from its state.

        Args:
            X: the inputs, of shape (samples, inputs).
            y: the numbers, as in `fit`.
            sample_weight: the weight of each sample; all count alike by default.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> MLPRegressor:
        X, y = self._validated(X, y, y_numeric=True, reset=self._begins(incremental))
        outputs = 1 if y.ndim == 1 else y.shape[1]
        options: Any = {"incremental": incremental, "sample_weight": sample_weight}
        self._train(X, y, half_squared_error, "r2", outputs=outputs, **options)
        return self

    @property
    def out_activation_(self) -> str:
        """The activation of the outputs, `"identity"`: they are the predictions."""
        return "identity"

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the predictions, of shape (samples,) or (samples, outputs).

        Args:
            X: the inputs, of shape (samples, inputs).
        """
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
