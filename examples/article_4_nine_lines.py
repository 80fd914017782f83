"""Article 4: one sigmoid neuron that learns its answer in nine lines.

python -m examples.article_4_nine_lines [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from micrograd import Value

from ._common import Article, Report, descent, dot, exactly, main, printed

ARTICLE = Article(
    number=4,
    title="Nine lines: one sigmoid neuron, three inputs",
    chinese="九行代码的神经网络",
    claim=(
        "A sigmoid neuron finds out from four samples that the answer is their first input. The\n"
        "update that the article writes down, error * input * ŷ (1 - ŷ), is the gradient of half\n"
        "the sum of squared errors: backward gives the same numbers without being told."
    ),
)

INPUTS = ((0, 0, 1), (1, 1, 1), (1, 0, 1), (0, 1, 1))
TARGETS = (0, 1, 1, 0)
SEED = 1
ITERATIONS = 10_000
NEW_SITUATION = (1, 0, 0)


def initial_weights() -> list[Value]:
    """2 u - 1, with u drawn by NumPy's legacy generator."""
    import numpy as np

    drawn = 2 * np.random.RandomState(SEED).random_sample((3, 1)) - 1
    return [Value(w, label=f"w{i}") for i, w in enumerate(drawn[:, 0], 1)]


def predict(inputs: Sequence[Value | float], weights: Sequence[Value]) -> Value:
    """The sigmoid of the weighted sum."""
    prediction: Value = dot(inputs, weights).sigmoid()
    return prediction


def cost(weights: Sequence[Value]) -> Value:
    """Half the sum of the squared errors."""
    errors = [y - predict(x, weights) for x, y in zip(INPUTS, TARGETS, strict=True)]
    half_sum: Value = dot(errors, errors) / 2
    return half_sum


def update(weights: Sequence[Value]) -> list[float]:
    """The article's own step: the sum of error * input * ŷ (1 - ŷ) over the samples."""
    predictions = [predict(x, weights).data for x in INPUTS]
    deltas = [(y - p) * p * (1 - p) for y, p in zip(TARGETS, predictions, strict=True)]
    return [dot(deltas, column) for column in zip(*INPUTS, strict=True)]


def drawn() -> Value:
    """The loss of the second sample, with its gradients and the names of the formula."""
    inputs = [Value(x, label=f"x{i}") for i, x in enumerate(INPUTS[1], 1)]
    weighted = dot(inputs, initial_weights())
    prediction = weighted.sigmoid()
    error = Value(TARGETS[1], label="y") - prediction
    loss: Value = error**2 / 2
    weighted.label, prediction.label, error.label, loss.label = "z", "ŷ", "error", "loss"
    loss.backward()
    return loss


def run(out: Path | None = None) -> Report:
    """The numbers of the article; its pictures go to the folder `out`, if one is given."""
    report = Report(ARTICLE, out)
    rows = report.rows
    weights = initial_weights()
    for w, digits in zip(weights, ("-0.16595599", "0.44064899", "-0.99977125"), strict=True):
        rows.append(printed(f"{w.label} at the start", digits, w.data))

    cost(weights).backward()
    for w, step in zip(weights, update(weights), strict=True):
        rows.append(exactly(f"first update of {w.label}: -dloss/d{w.label}", step, -w.grad))

    for _ in descent(weights, lambda: cost(weights), step=1, iterations=ITERATIONS):
        pass
    for w, digits in zip(weights, ("9.67299303", "-0.2078435", "-4.62963669"), strict=True):
        rows.append(printed(f"{w.label} after {ITERATIONS:,} steps", digits, w.data))
    answer = predict(NEW_SITUATION, weights)
    rows.append(printed(f"answer to the new situation {NEW_SITUATION}", "0.99993704", answer.data))

    report.graph("one_sample", drawn())
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
