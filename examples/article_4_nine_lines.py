"""Article 4: one sigmoid neuron, trained in nine lines.

python -m examples.article_4_nine_lines [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from micrograd import Value, live_page
from micrograd.drawing import (
    draw_curve,
    draw_losses,
    draw_neuron,
    draw_table,
    draw_training_loop,
)
from nn import Neuron, explain_layers

from ._common import Article, Report, Row, Words, descent, dot, exactly, main, printed

ARTICLE = Article(
    number=4,
    title=Words("Nine lines: one sigmoid neuron, three inputs", "九行代码的神经网络"),
    claim=Words(
        "A sigmoid neuron finds out from four samples that the answer is their first input. The "
        "update that the article writes down, error · input · $ŷ(1 - ŷ)$, is minus the gradient "
        "of half the sum of squared errors. The engine does not know this formula, yet "
        "backpropagation gives the same numbers.",
        "一个 sigmoid 神经元从四个样本中发现：答案就是第一个输入。"
        "文章写出的更新量“误差·输入·$ŷ(1 - ŷ)$”，恰好是误差平方和一半的负梯度；"
        "引擎并不知道这个公式，反向传播却得到同样的数值。",
    ),
)

INPUTS = ((0, 0, 1), (1, 1, 1), (1, 0, 1), (0, 1, 1))
TARGETS = (0, 1, 1, 0)
SEED = 1
ITERATIONS = 10_000
NEW_SITUATION = (1, 0, 0)

START = ("-0.16595599", "0.44064899", "-0.99977125")
END = ("9.67299303", "-0.2078435", "-4.62963669")
ANSWERS = ("0.009664", "0.992120", "0.993589", "0.007865")
FIRST_LOSSES = 200  # iterations that are drawn


# --------------------------------------------------------------------------- the mathematics


def initial_weights() -> list[Value]:
    """2 u - 1, with u drawn by NumPy's legacy generator."""
    drawn = 2 * np.random.RandomState(SEED).random_sample((3, 1)) - 1
    return [Value(w, label=f"w_{i}") for i, w in enumerate(drawn[:, 0], 1)]


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


def half_square(output: Value, target: float) -> Value:
    """Half the squared error of one sample."""
    error = target - output
    return error**2 / 2


def neuron() -> Neuron:
    """The neuron at the start, as one of `nn`."""
    model = Neuron(3, activation="sigmoid")
    for own, drawn_ in zip(model.w, initial_weights(), strict=True):
        own.data = drawn_.data
    return model


def drawn() -> tuple[list[Value], Value]:
    """The weights, and the loss of the second sample; the Values are named as in the formula."""
    inputs = [Value(x, label=f"x_{i}") for i, x in enumerate(INPUTS[1], 1)]
    weights = initial_weights()
    z = dot(weights, inputs)
    prediction = z.sigmoid()
    error = Value(TARGETS[1], label="y") - prediction
    loss: Value = error**2 / 2
    z.label, prediction.label, error.label, loss.label = "z", "y_hat", "e", "L"
    loss.backward()
    return weights, loss


# -------------------------------------------------------------------------------- the numbers


def slope_rows() -> list[Row]:
    """The slope of the sigmoid, where it is steepest and where the neuron is sure."""
    rows = []
    for at in (0, 4):
        z = Value(float(at))
        y = z.sigmoid()
        y.backward()
        what = Words(f"slope of the sigmoid at z = {at}", f"sigmoid 在 z = {at} 处的斜率")
        rows.append(exactly(what, y.data * (1 - y.data), z.grad, formula="ŷ(1 - ŷ)"))
    return rows


def start_rows(weights: Sequence[Value]) -> list[Row]:
    """The first weights."""
    return [
        printed(
            Words(f"${w.label}$ at the start", f"${w.label}$ 的初始值"),
            digits,
            w.data,
            formula="2u - 1",
        )
        for w, digits in zip(weights, START, strict=True)
    ]


def update_rows(weights: Sequence[Value]) -> list[Row]:
    """The first update."""
    cost(weights).backward()
    rows = []
    for i, (w, step) in enumerate(zip(weights, update(weights), strict=True), 1):
        what = Words(
            f"first update of ${w.label}$: $-\\partial L / \\partial {w.label}$",
            f"${w.label}$ 的第一次更新量：$-\\partial L / \\partial {w.label}$",
        )
        rows.append(exactly(what, step, -w.grad, formula=f"\\sum (y - ŷ) x_{i} ŷ(1 - ŷ)"))
    return rows


def end_rows(weights: Sequence[Value]) -> list[Row]:
    """The trained weights."""
    rows = []
    for i, (w, digits) in enumerate(zip(weights, END, strict=True), 1):
        what = Words(
            f"${w.label}$ after {ITERATIONS:,} steps", f"训练 {ITERATIONS:,} 步后的 ${w.label}$"
        )
        formula = f"w_{i} \\leftarrow w_{i} + \\sum (y - ŷ) x_{i} ŷ(1 - ŷ)"
        rows.append(printed(what, digits, w.data, formula=formula))
    return rows


def answer_rows(weights: Sequence[Value]) -> list[Row]:
    """The answers to the four samples, and to the new situation."""
    rows = []
    for x, digits in zip(INPUTS, ANSWERS, strict=True):
        what = Words(f"answer to the sample {x}", f"对样本 {x} 的预测")
        formula = r"\sigma(x_1 w_1 + x_2 w_2 + x_3 w_3)"
        rows.append(printed(what, digits, predict(x, weights).data, formula=formula))
    what = Words(f"answer to the new situation {NEW_SITUATION}", f"对新样本 {NEW_SITUATION} 的预测")
    return [*rows, printed(what, "0.99993704", predict(NEW_SITUATION, weights).data)]


def other_rows(weights: Sequence[Value]) -> list[Row]:
    """What the neuron says of inputs without a 1 in the first or last place."""
    rows = []
    for x, digits in (((0, 0, 0), "0.5"), ((0, 1, 0), "0.4482")):
        what = Words(f"answer to {x}", f"对 {x} 的预测")
        rows.append(printed(what, digits, predict(x, weights).data, "ours"))
    return rows


# ------------------------------------------------------------------------------ the companion


def tell_samples(report: Report) -> None:
    """The training set."""
    report.section("samples", "The training set", "训练集")
    report.say(
        "The article gives four samples with three inputs each and a known answer, and a new "
        "situation without one. What should stand in place of the question mark?",
        "文章给出四个样本，每个有三个输入和一个已知的答案；还有一个新样本，答案未知。"
        "问号处应该是多少？",
    )
    report.figure(
        "samples",
        partial(draw_table, [*INPUTS, NEW_SITUATION], {"y": [*TARGETS, "?"]}),
        caption=Words(
            "The training set, and the new situation in the last row.",
            "训练集；最后一行是新样本。",
        ),
    )
    report.say(
        "In each of the four samples the answer is the first input. So the new situation "
        "should give 1. The neuron is told nothing of this; it has to find it out.",
        "四个样本的答案都等于第一个输入，所以新样本的答案应该是 1。"
        "没有人把这条规律告诉神经元，它要自己找出来。",
    )


def tell_neuron(report: Report, weights: Sequence[Value]) -> None:
    """The neuron, and its sigmoid."""
    report.section("neuron", "The neuron and the sigmoid", "神经元与 sigmoid")
    report.say(
        "The neuron has a weight for each input, and no bias. It adds up the products, and "
        "the sigmoid turns the sum into a number between 0 and 1.",
        "神经元的每个输入有一个权重，没有偏置。先求加权和，再由 sigmoid 把它变成 0 与 1 之间的数。",
    )
    report.formula(
        r"z = x_1 w_1 + x_2 w_2 + x_3 w_3",
        r"ŷ = \sigma(z)",
        r"= \frac{1}{1 + e^{-z}}",
    )
    report.figure(
        "neuron",
        partial(
            draw_neuron, [w.data for w in weights], INPUTS[1], activation="sigmoid", output="y_hat"
        ),
        caption=Words(
            "The neuron with its first weights, and the second sample.",
            "权重取初始值时的神经元，输入是第二个样本。",
        ),
    )
    report.say(
        "The weights are drawn at random between −1 and 1, as $2u - 1$ with $u$ between 0 and "
        f"1. The article fixes the seed {SEED}, so that everybody gets the same ones.",
        f"权重的初始值在 −1 与 1 之间随机抽取：$2u - 1$，其中 $u$ 在 0 与 1 之间。"
        f"文章把随机种子固定为 {SEED}，所以每个人得到的初始值都相同。",
    )
    report.numbers(*start_rows(weights))
    report.say(
        "The slope of the sigmoid can be written with its own value. It is greatest at "
        "$z = 0$, where the neuron is undecided, and small where the output is near 0 or 1: a "
        "neuron that is sure changes its weights little.",
        "sigmoid 的斜率可以用它自己的值表示。斜率在 $z = 0$ 处最大，这时神经元还拿不定主意；"
        "输出接近 0 或 1 时，斜率很小：已经有把握的神经元，权重就改得少。",
    )
    report.formula(r"\sigma'(z) = \sigma(z)(1 - \sigma(z))", r"= ŷ(1 - ŷ)")
    report.figure(
        "sigmoid",
        partial(draw_curve, "sigmoid", 0.0, over=(-6.0, 6.0)),
        caption=Words(
            "The sigmoid with its tangent at 0, whose slope is ¼, and its slope everywhere.",
            "上：sigmoid 与它在 0 处的切线，斜率是 1/4。下：各处的斜率。",
        ),
    )
    report.numbers(*slope_rows())


def tell_training(report: Report, weights: Sequence[Value]) -> None:
    """The update, and where it comes from."""
    report.section("training", "The update", "权重的更新")
    report.say(
        "The error of a sample is $y - ŷ$. The article changes each weight by the sum of "
        "error · input · slope over the samples: much where the error is large, nothing where "
        "the input is 0, little where the neuron is sure. This is a step of gradient descent: "
        "the update is minus the gradient of half the sum of the squared errors, and the "
        "learning rate is 1.",
        "一个样本的误差是 $y - ŷ$。文章对每个权重的改动，是各样本的“误差·输入·斜率”之和："
        "误差大就改得多，输入为 0 就不改，神经元有把握就改得少。"
        "这就是一步梯度下降：改动的量是误差平方和一半的负梯度，学习率为 1。",
    )
    report.formula(
        r"w_i \leftarrow w_i + \sum (y - ŷ) x_i ŷ(1 - ŷ)",
    )
    report.formula(
        r"L = \frac{1}{2}\sum (y - ŷ)^2",
    )
    at_the_start, loss = drawn()
    report.derivation(
        "one_sample",
        loss,
        at_the_start[0],
        title=Words(
            "One sample: the 2 of the square cancels the half, and the minus sign is that of y − ŷ",
            "一个样本：平方的 2 与系数 1/2 相消，负号来自 y − ŷ",
        ),
        live="live",
    )
    columns = zip(*INPUTS, strict=True)
    samples = {f"x_{i}": column for i, column in enumerate(columns, 1)} | {"y": TARGETS}
    # The page takes the mean over the samples, the article their sum.
    report.page(
        "live",
        partial(live_page, loss, learn=at_the_start, data=samples, rate=len(INPUTS)),
        title=Words("The neuron and its four samples, live", "动手试一试：神经元与四个样本"),
    )
    report.numbers(*update_rows(weights))
    report.say(
        "In the nine lines, one product of matrices does this for all samples at once: the "
        "transposed inputs times the column of error · slope. That is the matrix form of the "
        "gradient, here with a column for each sample.",
        "在那九行代码里，一次矩阵乘法就同时处理了全部样本：输入的转置，乘以“误差·斜率”这一列。"
        "这正是梯度的矩阵形式；下面每个样本占一列。",
    )
    report.matrices(
        "gradient",
        explain_layers(
            neuron(), INPUTS, TARGETS, loss=half_square, reduction="sum", bias=False, numbers=True
        ),
    )


def tell_program(report: Report, losses: Sequence[float]) -> None:
    """The loop of the program."""
    report.section("program", "The program", "程序")
    report.say(
        "The program does the following, and its nine lines are little more than these steps:",
        "程序的步骤如下，那九行代码差不多就是这几步：",
    )
    report.bullets(
        Words(
            "Write down the inputs and the answers of the training set.", "写出训练集的输入和答案。"
        ),
        Words("Fix the seed, and draw three weights.", "固定随机种子，抽取三个权重。"),
        Words(
            f"{ITERATIONS:,} times: predict, find the errors, change the weights.",
            f"重复 {ITERATIONS:,} 次：预测，求误差，更新权重。",
        ),
        Words("Print the answer to the new situation.", "输出对新样本的预测。"),
    )
    report.figure(
        "loop",
        partial(draw_training_loop, lr=1, iterations=ITERATIONS),
        caption=Words("The loop in the middle of the program.", "程序中的循环。"),
    )
    report.figure(
        "loss",
        partial(draw_losses, losses[: FIRST_LOSSES + 1], name="L"),
        caption=Words(
            f"The loss in the first {FIRST_LOSSES} of {ITERATIONS:,} iterations; the rest brings "
            f"it from {losses[FIRST_LOSSES]:.2g} to {losses[-1]:.2g}.",
            f"{ITERATIONS:,} 次迭代中前 {FIRST_LOSSES} 次的损失；"
            f"其余的迭代使它从 {losses[FIRST_LOSSES]:.2g} 降到 {losses[-1]:.2g}。",
        ),
    )


def tell_answer(report: Report, weights: Sequence[Value]) -> None:
    """The trained weights, and the new situation."""
    first, _, third = (w.data for w in weights)
    report.section("answer", "The answer", "答案")
    report.say(
        f"After {ITERATIONS:,} iterations the neuron answers the new situation $(1, 0, 0)$ "
        "with 0.99993704, almost 1. The weights show what it has learned: $w_1$ is large, so "
        "the first input decides; $w_2$ is close to 0, so the second hardly matters.",
        f"迭代 {ITERATIONS:,} 次以后，神经元对新样本 $(1, 0, 0)$ 的回答是 0.99993704，"
        "几乎就是 1。"
        "从权重可以看出它学到了什么：$w_1$ 很大，由第一个输入决定；"
        "$w_2$ 接近 0，第二个输入几乎不起作用。",
    )
    report.figure(
        "answer",
        partial(
            draw_neuron,
            [w.data for w in weights],
            NEW_SITUATION,
            activation="sigmoid",
            output="y_hat",
        ),
        caption=Words("The trained neuron and the new situation.", "训练后的神经元与新样本。"),
    )
    report.numbers(*end_rows(weights))
    report.numbers(*answer_rows(weights))
    report.say(
        "The third input is 1 in all four samples, so $w_3$ acts as a bias: it pulls every "
        f"sum down by {-third:.2f}, so that the answer is near 0 unless the first input adds "
        f"{first:.2f}. In the new situation the third input is 0 and there is nothing to pull "
        "down: the sum is $w_1$ alone. That is why the neuron is surer of it than of any "
        "sample it was trained on.",
        "四个样本的第三个输入都是 1，所以 $w_3$ 起的是偏置的作用："
        f"它把每个加权和都压低 {-third:.2f}，除非第一个输入加上 {first:.2f}，否则答案接近 0。"
        "而新样本的第三个输入是 0，没有东西往下压，加权和就是 $w_1$ 本身。"
        "所以神经元对它比对任何一个训练样本都更有把握。",
    )
    report.say(
        "This also shows what it has not learned. Without the third input, an input of zeros "
        "gives the sum 0 and the answer 0.5, whatever the weights are, and $(0, 1, 0)$ gives "
        "0.448: by the rule both should be 0. A bias in place of the third input would be "
        "there for every input.",
        "从中也能看出它没有学到的东西。第三个输入为 0 时，全 0 的输入加权和是 0，"
        "不论权重是多少，答案都是 0.5；$(0, 1, 0)$ 的答案是 0.448。按规律，两者都应该是 0。"
        "如果用偏置代替第三个输入，它对任何输入就都起作用了。",
    )
    report.numbers(*other_rows(weights))


def run(out: Path | None = None) -> Report:
    """Compute the numbers of the article; write files into the folder `out` if it is given."""
    report = Report(ARTICLE, out)
    weights = initial_weights()
    tell_samples(report)
    tell_neuron(report, weights)
    tell_training(report, weights)
    losses = [*descent(weights, lambda: cost(weights), step=1, iterations=ITERATIONS)]
    losses.append(cost(weights).data)
    tell_program(report, losses)
    tell_answer(report, weights)
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
