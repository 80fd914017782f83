"""Article 4: one sigmoid neuron, trained in nine lines.

python -m examples.article_4_nine_lines [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from micrograd import Value

from ._common import (
    Article,
    Report,
    Row,
    Words,
    descent,
    dot,
    exactly,
    main,
    printed,
    weighted_sum,
)

ARTICLE = Article(
    number=4,
    title=Words("Nine lines: one sigmoid neuron, three inputs", "九行代码的神经网络"),
    claim=Words(
        "A sigmoid neuron finds out from four samples that the answer is their first input. The\n"
        "update that the article writes down, error * input * ŷ (1 - ŷ), is minus the gradient of\n"
        "half the sum of squared errors. The engine does not know this formula, yet backward\n"
        "gives the same numbers.",
        "一个 sigmoid 神经元从四个样本中发现：答案就是第一个输入。"
        "文章写出的更新量“误差·输入·ŷ(1 − ŷ)”，恰好是误差平方和一半的负梯度；"
        "引擎并不知道这个公式，反向传播却得到同样的数值。",
    ),
)

INPUTS = ((0, 0, 1), (1, 1, 1), (1, 0, 1), (0, 1, 1))
TARGETS = (0, 1, 1, 0)
SEED = 1
ITERATIONS = 10_000
NEW_SITUATION = (1, 0, 0)


def initial_weights() -> list[Value]:
    """2 u - 1, with u drawn by NumPy's legacy generator."""
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


def drawn() -> tuple[list[Value], Value]:
    """The weights, and the loss of the second sample; the Values are named as in the formula."""
    inputs = [Value(x, label=f"x{i}") for i, x in enumerate(INPUTS[1], 1)]
    weights = initial_weights()
    prediction = weighted_sum(inputs, weights, "z").sigmoid()
    error = Value(TARGETS[1], label="y") - prediction
    square = error**2
    loss: Value = square / 2
    prediction.label, error.label, square.label, loss.label = "ŷ", "error", "q", "loss"
    loss.backward()
    return weights, loss


def start_rows(weights: Sequence[Value]) -> list[Row]:
    """The first weights and the first update."""
    rows = []
    for w, digits in zip(weights, ("-0.16595599", "0.44064899", "-0.99977125"), strict=True):
        what = Words(f"{w.label} at the start", f"{w.label} 的初始值")
        rows.append(printed(what, digits, w.data, "ours"))
    cost(weights).backward()
    for w, step in zip(weights, update(weights), strict=True):
        what = Words(
            f"first update of {w.label}: -dloss/d{w.label}",
            f"{w.label} 的第一次更新量：−∂loss/∂{w.label}",
        )
        rows.append(exactly(what, step, -w.grad, formula=r"\sum (y - ŷ) x ŷ(1 - ŷ)"))
    return rows


def end_rows(weights: Sequence[Value]) -> list[Row]:
    """The trained weights, and their answer."""
    rows = []
    for w, digits in zip(weights, ("9.67299303", "-0.2078435", "-4.62963669"), strict=True):
        what = Words(
            f"{w.label} after {ITERATIONS:,} steps", f"训练 {ITERATIONS:,} 步后的 {w.label}"
        )
        rows.append(printed(what, digits, w.data, "ours"))
    what = Words(f"answer to the new situation {NEW_SITUATION}", f"对新样本 {NEW_SITUATION} 的预测")
    return [*rows, printed(what, "0.99993704", predict(NEW_SITUATION, weights).data)]


def run(out: Path | None = None) -> Report:
    """Compute the numbers of the article; write files into the folder `out` if it is given."""
    report = Report(ARTICLE, out)
    weights = initial_weights()
    report.numbers(*start_rows(weights))
    for _ in descent(weights, lambda: cost(weights), step=1, iterations=ITERATIONS):
        pass
    report.numbers(*end_rows(weights))

    at_the_start, loss = drawn()
    report.say(
        Words(
            "q is the square of the error. The factors 1/2 and 2 cancel, and the minus sign is "
            "that of y − ŷ: the derivative is −error · ŷ (1 − ŷ) · input. A step against it is the "
            "article's update.",
            "q 是误差的平方。系数 1/2 与 2 相消，负号来自 y − ŷ，"
            "所以导数是 −error · ŷ(1 − ŷ) · 输入。"
            "沿它的反方向走一步，就是文章里的更新量。",
        ),
    )
    report.derivation(
        "one_sample",
        loss,
        at_the_start[0],
        title=Words("error · input · ŷ (1 − ŷ)", "误差 · 输入 · ŷ(1 − ŷ)"),
    )
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
