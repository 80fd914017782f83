"""`MLPClassifier`: one class or several labels for each sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)

from nn.losses import binary_cross_entropy_with_logits
from nn.objective import Loss
from nn.sklearn.perceptron import Perceptron, with_parameters


def summed_cross_entropy(prediction: Any, target: Any) -> Any:
    """Return the sum of the binary cross-entropies of the labels, from their logits."""
    return binary_cross_entropy_with_logits(prediction, target, "sum")


def subset_accuracy(outputs: Any, targets: Any, *, sample_weight: Any = None) -> float:
    """Return the share of the samples whose labels are all predicted correctly."""
    right = ((outputs > 0) == (targets > 0)).all(axis=1)
    return float(np.average(right, weights=sample_weight))


@dataclass(eq=False, repr=False, kw_only=True)
class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that classifies, trained with the cross-entropy.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> network = MLPClassifier((4,), learning_rate_init=0.1, tol=0.01, random_state=0)
    >>> network.fit(X, y).predict([[-1.0], [4.0]]).tolist()
    ['low', 'high']
    """

    __doc__ = with_parameters(
        __doc__,
        """
    class_weight: the weights of the classes, a dict, or `"balanced"`, which gives all classes the
        same total weight.""",
    )

    class_weight: Any = None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Train on samples with labels, and return the estimator.

        Args:
            X: the inputs, of shape (samples, inputs).
            y: the labels, of shape (samples,): numbers, text or bools, at least two different ones;
                or for several labels of each sample, zeros and ones of shape (samples, labels).
            sample_weight: the weight of each sample; all count alike by default.
        """
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(lambda estimator: estimator._has_steps())  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Train for one more epoch, and return the estimator.

        The solver goes on from its state.

        Args:
            X: the inputs, of shape (samples, inputs).
            y: the labels, as in `fit`; not every class need be among them.
            sample_weight: the weight of each sample; all count alike by default.
            classes: all classes that will ever be in y; needed in the first call. For several
                labels of each sample, the numbers of the labels from 0.
        """
        _check_partial_fit_first_call(self, classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> MLPClassifier:
        begins = self._begins(incremental)
        X, y = self._validated(X, y, reset=begins)
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y has several columns, which must be labels that are 0 or 1: "
                "fit an estimator for each column, as sklearn.multioutput does"
            )
        is_multilabel = kind == "multilabel-indicator"
        if begins:
            self._is_multilabel = is_multilabel
            if not incremental:
                self.classes_ = np.arange(y.shape[1]) if is_multilabel else np.unique(y)
        self._check_classes(y, is_multilabel, incremental)
        weights = self._class_weights(y, is_multilabel, incremental)
        options: Any = {"incremental": incremental, "sample_weight": sample_weight}
        count = len(self.classes_)
        if is_multilabel:
            self._train(X, y, summed_cross_entropy, subset_accuracy, outputs=count, **options)
            return self
        loss: Loss = "bce_with_logits" if count == 2 else "cross_entropy"
        numbers = np.searchsorted(self.classes_, y)
        outputs = 1 if count == 2 else count
        self._train(X, numbers, loss, "accuracy", outputs=outputs, class_weight=weights, **options)
        return self

    def _check_classes(self, y: Any, is_multilabel: bool, incremental: bool) -> None:
        """Raise ValueError if the labels do not suit the classes of the network."""
        if is_multilabel != self._is_multilabel:
            was, now = ("several labels", "one class")[:: 1 if self._is_multilabel else -1]
            raise ValueError(f"the network was made for {was} of each sample, and y has {now}")
        if is_multilabel:
            if y.shape[1] != len(self.classes_):
                raise ValueError(f"y has {y.shape[1]} labels, and classes {len(self.classes_)}")
            if not np.isin(y, (0, 1)).all():
                raise ValueError("y has several columns, which must be labels that are 0 or 1")
            return
        found = unique_labels(y)
        if len(self.classes_) < 2:
            raise ValueError(
                "a classifier needs samples of two classes or more, "
                f"got 1 class: {self.classes_[0]}"
            )
        strange = np.setdiff1d(found, self.classes_)
        if len(strange) or (not incremental and len(found) < len(self.classes_)):
            raise ValueError(
                f"the network was made for the classes {self.classes_.tolist()}, and `y` has "
                f"{found.tolist()}: fit with warm_start=False, or give all `classes` to the "
                "first partial_fit"
            )

    def _class_weights(self, y: Any, is_multilabel: bool, incremental: bool) -> Any:
        """Return the weights of the classes by number, or None."""
        if self.class_weight is None:
            return None
        if is_multilabel:
            raise ValueError(
                "class_weight is for one class of each sample, and y has several labels: "
                "give sample_weight"
            )
        if incremental and not isinstance(self.class_weight, Mapping):
            raise ValueError(
                'class_weight="balanced" needs all samples, and partial_fit sees some: give a dict '
                'as sklearn.utils.class_weight.compute_class_weight("balanced", …) computes'
            )
        given = self.class_weight  # a dict may leave out classes, and those weigh 1
        given = dict(given) if isinstance(given, Mapping) else given
        return dict(enumerate(compute_class_weight(given, classes=self.classes_, y=y).tolist()))

    @property
    def out_activation_(self) -> str:
        """What makes probabilities of the outputs: `"softmax"`, or `"logistic"` for each."""
        return "logistic" if self._is_multilabel or self.n_outputs_ == 1 else "softmax"

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, of shape (samples, classes).

        The columns are in the order of `classes_`. With several labels of each sample, each has a
        probability of its own.

        Args:
            X: the inputs, of shape (samples, inputs).
        """
        logits: Any = self._outputs(X)
        if logits.ndim == 1 and not self._is_multilabel:
            logits = np.column_stack([np.zeros(len(logits)), logits])
        found: NDArray[np.float64] = (
            expit(logits) if self._is_multilabel else softmax(logits, axis=1)
        )
        return found

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithms of `predict_proba`.

        Args:
            X: the inputs, of shape (samples, inputs).
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each sample, or zeros and ones for several labels.

        Args:
            X: the inputs, of shape (samples, inputs).
        """
        probabilities = self.predict_proba(X)
        if self._is_multilabel:
            return (probabilities > 0.5).astype(int)
        found: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
