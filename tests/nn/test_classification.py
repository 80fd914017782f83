"""The confusion matrix and the report of the classes, with the numbers of scikit-learn."""

from __future__ import annotations

import html
import itertools
import re

import numpy as np
import pytest

from nn.metrics import classification_report, confusion_matrix

# Computed with scikit-learn 1.9.1, for where it is not installed.
TRUE, PREDICTED = [0, 0, 1, 1, 1, 2, 2, 2, 2, 3], [0, 1, 1, 1, 2, 2, 2, 0, 2, 2]
MATRIX = [[1, 1, 0, 0], [0, 2, 1, 0], [1, 0, 3, 0], [0, 0, 1, 0]]
TEXT = """\
              precision    recall  f1-score   support

           0       0.50      0.50      0.50         2
           1       0.67      0.67      0.67         3
           2       0.60      0.75      0.67         4
           3       0.00      0.00      0.00         1

    accuracy                           0.60        10
   macro avg       0.44      0.48      0.46        10
weighted avg       0.54      0.60      0.57        10
"""


def test_the_matrix_and_the_text_are_those_that_were_recorded():
    assert confusion_matrix(TRUE, PREDICTED).tolist() == MATRIX
    assert str(classification_report(TRUE, PREDICTED)) == TEXT


GENERATOR = np.random.default_rng(0)
WORDS = np.array(["ant", "bee", "a very long name of a cat", "dog"])
SAMPLES = {
    "numbers": (np.array(TRUE), np.array(PREDICTED)),
    "words": (WORDS[TRUE], WORDS[PREDICTED]),
    "lists": (WORDS[TRUE].tolist(), WORDS[PREDICTED].tolist()),
    "objects": (WORDS[TRUE].astype(object), WORDS[PREDICTED].astype(object)),
    "bools": (np.array(TRUE) > 1, np.array(PREDICTED) > 1),
    "floats": (np.array(TRUE, dtype=float), np.array(PREDICTED, dtype=float)),
    "many": tuple(GENERATOR.integers(-3, 9, (2, 200))),
    "one class": ([7, 7], [7, 7]),
    "columns": (np.array(TRUE)[:, None], np.array(PREDICTED)),
}
CASES = list(itertools.product(SAMPLES, (None, "weights"), (None, "some", "more")))


def case(name, weights, labels):
    true, predicted = SAMPLES[name]
    classes = np.unique(np.concatenate([np.ravel(true), predicted]))
    more = ["zebra"] if classes.dtype.kind in "UO" else [99]
    chosen = {None: None, "some": classes[::-1][:3], "more": [*classes.tolist(), *more]}[labels]
    weight = None if weights is None else GENERATOR.random(len(predicted))
    return true, predicted, {"labels": chosen, "sample_weight": weight}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.parametrize(("name", "weights", "labels"), CASES)
def test_numbers_and_text_are_those_of_scikit_learn(name, weights, labels):
    metrics = pytest.importorskip("sklearn.metrics")
    true, predicted, options = case(name, weights, labels)
    flat = np.ravel(true)
    for normalize in (None, "true", "pred", "all"):
        expected = metrics.confusion_matrix(flat, predicted, normalize=normalize, **options)
        found = confusion_matrix(true, predicted, normalize=normalize, **options)
        assert found.dtype.kind == expected.dtype.kind
        assert found == pytest.approx(expected, abs=1e-10)
    options["digits"] = 4
    expected = metrics.classification_report(flat, predicted, zero_division=0, **options)
    report = classification_report(true, predicted, **options)
    plain = re.compile(r"(\d\.\d{4})\d+")  # the sums of weights are rounded differently
    assert plain.sub(r"\1", str(report)).split() == plain.sub(r"\1", expected).split()
    if weights is None:
        assert str(report) == expected
    assert repr(report) == str(report)
    for zero in (0, 1):
        options["zero_division"] = zero
        expected = metrics.classification_report(flat, predicted, output_dict=True, **options)
        found = classification_report(true, predicted, **options).to_dict()
        assert list(found) == list(expected)
        for key, numbers in expected.items():
            assert found[key] == pytest.approx(numbers, abs=1e-10)


def test_a_notebook_shows_a_table_of_the_report_with_escaped_names():
    names = ["<script>", "b & c", "d", "e"]
    shown = classification_report(TRUE, PREDICTED, target_names=names)._repr_html_()
    assert "<script>" not in shown
    cells = [html.unescape(cell) for cell in re.findall("<td>(.*?)</td>", shown)]
    words = str(classification_report(TRUE, PREDICTED, target_names=["a", "b", "c", "d"])).split()
    assert [cell for cell in cells if cell and cell[0].isdigit()] == [
        word for word in words if word[0].isdigit()
    ]
    assert cells[0] == "<script>"
    assert shown.startswith("<table>")


@pytest.mark.parametrize(
    ("true", "predicted", "options", "complaint"),
    [
        ([0, 1], [0], {}, "y_true has 2 samples, and y_pred 1"),
        ([], [], {}, "no samples"),
        ([0, 1], ["a", "b"], {}, "both text, or both numbers"),
        ([0, 1], [0.2, 0.9], {}, r"y_pred\[0\] is 0.2, .*y_pred > 0.5, say"),
        ([0, 1], [0.0, float("nan")], {}, r"y_pred\[1\] is nan"),
        ([0, 1], np.eye(2), {}, r"y_pred.argmax\(axis=1\) is the class of each row"),
        ([0, 1], [0, 1], {"labels": [0, 0]}, "labels has a class twice"),
        ([0, 1], [0, 1], {"sample_weight": [1]}, r"for each of the 2 samples"),
        ([None, 1], [0, 1], {}, "y_true"),
    ],
)
def test_labels_that_cannot_be_counted_are_refused(true, predicted, options, complaint):
    for function in (confusion_matrix, classification_report):
        with pytest.raises((ValueError, TypeError), match=complaint):
            function(true, predicted, **options)


def test_options_of_the_report_are_checked():
    with pytest.raises(ValueError, match="target_names has 2 names for 4 classes"):
        classification_report(TRUE, PREDICTED, target_names=["a", "b"])
    with pytest.raises(ValueError, match="digits is a whole number"):
        classification_report(TRUE, PREDICTED, digits=-1)
    with pytest.raises(ValueError, match="normalize is 'true', 'pred', 'all' or None"):
        confusion_matrix(TRUE, PREDICTED, normalize="rows")
