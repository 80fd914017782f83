"""How well classes are predicted: the confusion matrix, and the scores of each class.

`nn.metrics` has these names, too. As in scikit-learn, the true classes come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from micrograd.writing.html import table
from nn import samples
from nn.options import OptionError, whole


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    sample_weight: Any = None,
    normalize: Literal["true", "pred", "all"] | None = None,
) -> Any:
    """Return how many samples of each true class were predicted to be of each class.

    Args:
        y_true: the true classes, of shape (samples,): whole numbers, text or bools.
        y_pred: the predicted classes.
        labels: the classes of the rows and the columns, in order; those that occur, sorted, by
            default. Samples of other classes are left out.
        sample_weight: the weight of each sample; all count alike by default.
        normalize: what is divided by its sum: `"true"` (the rows), `"pred"` (the columns), `"all"`,
            or None, which divides nothing.

    Returns:
        An array of shape (classes, classes), with a row for each true class.

    >>> confusion_matrix(["cat", "dog", "dog"], ["cat", "dog", "cat"]).tolist()
    [[1, 0], [1, 1]]
    """
    if normalize not in (None, "true", "pred", "all"):
        raise OptionError(f"normalize is 'true', 'pred', 'all' or None, got {normalize!r}")
    classes, matrix = _counted(y_true, y_pred, labels, sample_weight)
    matrix = matrix[: len(classes), : len(classes)]
    if normalize is None:
        return matrix
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    sums = matrix.sum(axis=axis, keepdims=True)
    return np.divide(matrix, sums, out=np.zeros(matrix.shape), where=sums != 0)


@dataclass(frozen=True, repr=False)
class ClassificationReport:
    """The scores of each class, and their averages; `classification_report` makes it.

    Args:
        names: the names of the classes.
        precision: of the samples predicted to be of each class, the share that is.
        recall: of the samples of each class, the share that was predicted to be.
        f1: the harmonic mean of precision and recall of each class.
        support: the number of samples of each class, or the sum of their weights.
        averages: by name, the mean precision, recall and F1, and the total support: `"macro avg"`
            counts all classes alike, and `"weighted avg"` by their support. `"accuracy"`, whose
            three numbers are equal, is `"micro avg"` if `labels` leaves out classes that occur.
        digits: the number of decimals in the text.

    >>> classification_report([0, 1, 1], [0, 1, 0]).recall.tolist()
    [1.0, 0.5]
    """

    names: list[str]
    precision: Any
    recall: Any
    f1: Any
    support: Any
    averages: dict[str, tuple[float, float, float, float]]
    digits: int = 2

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by class and by average, as scikit-learn does with `output_dict`."""
        found: dict[str, Any] = {
            name: dict(zip(_SCORES, map(float, row), strict=True)) for name, *row in self._rows()
        }
        if "accuracy" in self.averages:
            found["accuracy"] = self.averages["accuracy"][0]
        return found

    def _rows(self) -> list[tuple[Any, ...]]:
        columns = (self.precision, self.recall, self.f1, self.support)
        classes = zip(self.names, *(each.tolist() for each in columns), strict=True)
        return [*classes, *((name, *row) for name, row in self.averages.items())]

    def _cells(self) -> list[list[str]]:
        """Return the cells of the table; of the accuracy, one number is shown."""
        return [
            [
                str(name),
                *(f"{x:.{self.digits}f}" if name != "accuracy" else "" for x in scores[:2]),
                f"{scores[2]:.{self.digits}f}",
                str(support),
            ]
            for name, *scores, support in self._rows()
        ]

    def __str__(self) -> str:
        width = max(map(len, (*self.names, "weighted avg")))
        lines = [
            f"{first:>{width}s} " + "".join(f" {cell:>9}" for cell in cells)
            for first, *cells in (["", *_SCORES], *self._cells())
        ]
        count = len(self.names) + 1
        return "\n".join([lines[0], "", *lines[1:count], "", *lines[count:], ""])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table(["", *_SCORES], self._cells())


_SCORES = ("precision", "recall", "f1-score", "support")


def classification_report(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    target_names: Sequence[str] | None = None,
    sample_weight: Any = None,
    digits: int = 2,
    zero_division: float = 0.0,
) -> ClassificationReport:
    """Return precision, recall, F1 and support of each class, and their averages.

    Printed, the report is the text of scikit-learn; a notebook shows a table.

    Args:
        y_true: the true classes, of shape (samples,): whole numbers, text or bools.
        y_pred: the predicted classes.
        labels: the classes to report, in order; those that occur, sorted, by default.
        target_names: the names of the classes to show; their labels by default.
        sample_weight: the weight of each sample; all count alike by default.
        digits: the number of decimals in the text.
        zero_division: the score of a class that was never predicted, or that has no samples.

    >>> print(classification_report(["cat", "dog", "dog"], ["cat", "dog", "cat"]))
                  precision    recall  f1-score   support
    <BLANKLINE>
             cat       0.50      1.00      0.67         1
             dog       1.00      0.50      0.67         2
    <BLANKLINE>
        accuracy                           0.67         3
       macro avg       0.75      0.75      0.67         3
    weighted avg       0.83      0.67      0.67         3
    <BLANKLINE>
    """
    classes, matrix = _counted(y_true, y_pred, labels, sample_weight)
    count = len(classes)
    names = [str(each) for each in (classes if target_names is None else target_names)]
    if len(names) != count:
        raise ValueError(f"target_names has {len(names)} names for {count} classes: {classes}")
    right, true, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    right, true, predicted = right[:count], true[:count], predicted[:count]

    def shares(part: Any, all_of_it: Any) -> Any:
        found = np.full(np.shape(all_of_it), float(zero_division))
        return np.divide(part, all_of_it, out=found, where=np.asarray(all_of_it) != 0)

    def scores(right: Any, predicted: Any, true: Any) -> list[Any]:
        return [shares(right, predicted), shares(right, true), shares(2 * right, true + predicted)]

    columns = scores(right, predicted, true)
    total = true.sum().item()
    covered = not matrix[count:].any() and not matrix[:, count:].any()
    averages = {
        "accuracy" if covered else "micro avg": scores(right.sum(), predicted.sum(), true.sum()),
        "macro avg": [each.mean() for each in columns],
        "weighted avg": [
            np.average(each, weights=true) if total else zero_division for each in columns
        ],
    }
    rows: Any = {name: (*map(float, row), total) for name, row in averages.items()}
    return ClassificationReport(
        names, columns[0], columns[1], columns[2], true, rows, whole(digits, "digits", 0)
    )


def _counted(y_true: Any, y_pred: Any, labels: Any, sample_weight: Any) -> tuple[list[Any], Any]:
    """Return the classes, and a matrix of counts or of weights.

    Its rows and columns are the classes, followed by those that are not among `labels`.
    """
    true, predicted = _labels(y_true, "y_true"), _labels(y_pred, "y_pred")
    if len(true) != len(predicted):
        raise ValueError(f"y_true has {len(true)} samples, and y_pred {len(predicted)}")
    weights = samples.weights(sample_weight, len(true))
    if (true.dtype.kind in "US") != (predicted.dtype.kind in "US"):
        raise TypeError("y_true and y_pred are both text, or both numbers; here one of them is")
    if not len(true) and labels is None:
        raise ValueError("y_true has no samples: there is nothing to count")
    found = np.unique(np.concatenate([true, predicted])).tolist()
    classes = found if labels is None else _labels(labels, "labels").tolist()
    if len(set(classes)) < len(classes):
        raise ValueError(f"labels has a class twice: {classes}")
    place = {each: i for i, each in enumerate(dict.fromkeys([*classes, *found]))}
    matrix = np.zeros((len(place), len(place)), dtype=int if weights is None else float)
    rows, columns = ([place[each] for each in some.tolist()] for some in (true, predicted))
    np.add.at(matrix, (rows, columns), 1 if weights is None else weights)
    return classes, matrix


def _labels(given: Any, name: str) -> Any:
    """Return labels as an array: whole numbers, text or bools, one for each sample."""
    array = np.asarray(given)
    if array.dtype.kind == "O" and all(isinstance(each, str) for each in array.flat):
        array = array.astype(str)
    if array.dtype.kind not in "USbui":
        array = samples.finite(samples.numbers(given, name), name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = f": {name}.argmax(axis=1) is the class of each row" if array.ndim == 2 else ""
        raise ValueError(f"{name} has a class for each sample, got shape {array.shape}{hint}")
    if array.dtype.kind == "f" and (array != np.floor(array)).any():
        i = int((array != np.floor(array)).argmax())
        raise ValueError(
            f"{name}[{i}] is {array[i]:g}, and a class is a whole number, text or a bool: "
            f"{name} > 0.5, say, makes classes of scores"
        )
    return array
