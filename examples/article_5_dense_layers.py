"""Article 5: dense layers on batches, dead neurons, and a spiral learned by scalars.

python -m examples.article_5_dense_layers [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import sin
from pathlib import Path
from typing import Any

import numpy as np

from micrograd import Value, live_page
from micrograd.drawing import (
    draw_curve,
    draw_layers,
    draw_matrices,
    draw_points,
)
from nn import Layer, Sequential
from nn.datasets import spiral

from ._common import Article, Report, Row, Words, dot, exactly, main, total
from ._mathematics import dense
from ._spiral import CLASSES, SAMPLES, tell_first_outputs, tell_spiral, tell_training

ARTICLE = Article(
    number=5,
    title=Words("Dense layers, batches, the spiral", "全连接层与螺旋数据"),
    claim=Words(
        "A dense layer computes one weighted sum and one bias for each of its neurons; a batch "
        "is processed by sending every sample through the same layer. A neuron whose activation "
        "is 0 for every sample is dead: no gradient reaches its weights. Stacked with an "
        "activation function in between, here the sine, such layers separate the three arms of a "
        "spiral, which no straight line can: a network of scalars learns it.",
        "全连接层的每个神经元做一次加权求和，再加一个偏置；"
        "处理一批数据，就是让每个样本都经过同一层。"
        "如果一个神经元对所有样本的激活值都是 0，它就“死亡”了：没有梯度能传到它的权重。"
        "层与层之间加上激活函数（这里用正弦）再叠起来，就能分开任何直线都分不开的三条螺旋臂："
        "这个网络全由标量搭成。",
    ),
)

# ------------------------------------------------------------------------------ dense layers

BATCH = ((1, 2, 3, 2.5), (2, 5, -1, 2), (-1.5, 2.7, 3.3, -0.8))
WEIGHTS_1 = ((0.2, 0.8, -0.5, 1), (0.5, -0.91, 0.26, -0.5), (-0.26, -0.27, 0.17, 0.87))
BIASES_1 = (2, 3, 0.5)
WEIGHTS_2 = ((0.1, -0.14, 0.5), (-0.5, 0.12, -0.33), (-0.44, 0.73, -0.13))
BIASES_2 = (-1, 2, -0.5)
OUTPUTS_1 = ((4.8, 1.21, 2.385), (8.9, -1.81, 0.2), (1.41, 1.051, 0.026))
OUTPUTS_2 = (
    (0.5031, -1.04185, -2.03875),
    (0.2434, -2.7332, -5.7633),
    (-0.99314, 1.41254, -0.35655),
)


def layer_rows(layer: int, samples: Sequence[int]) -> list[Row]:
    """The outputs of a layer for some samples of the batch, which are counted from 1."""
    first, second = dense(WEIGHTS_1, BIASES_1), dense(WEIGHTS_2, BIASES_2)
    rows = []
    for sample in samples:
        hidden: Any = first(BATCH[sample - 1])
        found: Any = hidden if layer == 1 else second(hidden)
        expected = (OUTPUTS_1 if layer == 1 else OUTPUTS_2)[sample - 1]
        for neuron, (wanted, got) in enumerate(zip(expected, found, strict=True), 1):
            what = Words(
                f"layer {layer}, sample {sample}, neuron {neuron}",
                f"第 {layer} 层，样本 {sample}，神经元 {neuron}",
            )
            rows.append(exactly(what, wanted, got.data))
    return rows


def merged() -> Layer:
    """The one layer that computes what both layers do: W₂W₁ and W₂b₁ + b₂."""
    weights = [[dot(row, column) for column in zip(*WEIGHTS_1, strict=True)] for row in WEIGHTS_2]
    biases = [dot(row, BIASES_1) + b for row, b in zip(WEIGHTS_2, BIASES_2, strict=True)]
    return dense(weights, biases)


def merged_row() -> Row:
    """How far two layers are from one."""
    both = Sequential(dense(WEIGHTS_1, BIASES_1), dense(WEIGHTS_2, BIASES_2))
    pairs = ((both(x), merged()(x)) for x in BATCH)
    gap = max(abs(p.data - q.data) for two, one in pairs for p, q in zip(two, one, strict=True))
    what = Words(
        "largest difference between two layers and one", "两层与合并成的一层，输出的最大差"
    )
    return exactly(what, 0, gap, "ours")


def layer_sum() -> tuple[list[Value], Value]:
    """The last weight of the first neuron and the last input, and the sum of all outputs.

    What the other inputs and the bias add to a neuron is a plain number.
    """
    *others, last = BATCH[0]
    x, weights, outputs = Value(last, label="x_4"), [], []
    for j, (row, bias) in enumerate(zip(WEIGHTS_1, BIASES_1, strict=True), 1):
        weights.append(Value(row[-1], label=f"w_{j}4"))
        rest = round(dot(row[:-1], others) + bias, 10)  # as it is written down
        outputs.append(weights[-1] * x + rest)
        outputs[-1].label = f"z_{j}"
    s = total(outputs, "S")
    s.backward()
    return [weights[0], x], s


# ---------------------------------------------------------------------------- a dead neuron


def rectified(bias: float) -> tuple[list[Value], list[Value]]:
    """Neuron 2 of layer 1 with relu: its weights and this bias, its activation for each sample."""
    weights = [Value(w, label=f"w_2{j}") for j, w in enumerate(WEIGHTS_1[1], 1)]
    b = Value(bias, label="b_2")
    activations = []
    for sample in BATCH:
        z = dot(weights, sample) + b
        activations.append(z.relu())
        z.label, activations[-1].label = "z", "a"
    return [*weights, b], activations


def dead_neuron_rows() -> list[Row]:
    """Neuron 2 is alive with the bias 3, and dead with the bias 0."""
    rows = []
    for bias, state, chinese in ((BIASES_1[1], "alive", "存活"), (0, "dead", "死亡")):
        parameters, activations = rectified(bias)
        dot(activations, [1] * len(activations)).backward()
        active = max(a.data for a in activations)
        gradient = max(abs(parameter.grad) for parameter in parameters)
        en = f"relu of neuron 2 with bias {bias} ({state})"
        zh = f"神经元 2 经 relu，偏置 {bias}（{chinese}）"
        activation = Words(f"{en}: largest activation", f"{zh}：最大的激活值")
        rows.append(exactly(activation, 1.21 if bias else 0, active, "ours"))
        # The living neuron passes samples 1 and 3, so its third weight has the gradient 3 + 3.3.
        what = Words(f"{en}: largest gradient", f"{zh}：最大的梯度")
        rows.append(exactly(what, 6.3 if bias else 0, gradient, "ours"))
    return rows


# ------------------------------------------------------------------------------ the companion


def tell_layer(report: Report) -> None:
    """One sample through one layer."""
    report.section("layer", "A layer of three neurons", "三个神经元组成的一层")
    report.say(
        "A neuron multiplies its inputs by its weights, adds up, and adds its bias. A layer is "
        "several neurons that share their inputs. The article begins with four inputs and "
        "three neurons: twelve weights and three biases.",
        "一个神经元把输入乘以权重，相加，再加偏置。几个神经元共用同一组输入，就是一层。"
        "文章从四个输入、三个神经元开始：十二个权重，三个偏置。",
    )
    report.formula(r"z_j = \sum_{i=1}^{4} w_{ji} x_i + b_j")
    report.figure(
        "layer",
        partial(draw_layers, dense(WEIGHTS_1, BIASES_1), parameters=True),
        caption=Words(
            "The 4–3 network. Each line is a weight; each row of $W$ belongs to one neuron.",
            "4–3 网络。每条线是一个权重；$W$ 的每一行属于一个神经元。",
        ),
    )
    report.say(
        "For the inputs 1, 2, 3 and 2.5 the three neurons give:",
        "输入为 1、2、3、2.5 时，三个神经元的输出是：",
    )
    report.numbers(*layer_rows(1, [1]))
    targets, s = layer_sum()
    report.say(
        "A weight belongs to one neuron, and one path leads from it to the sum $S$ of the "
        "outputs. An input goes to all three neurons: three paths, whose weights add up. Here "
        "what the other inputs and the bias add to each neuron is written as one number.",
        "一个权重只属于一个神经元，从它到各输出之和 $S$ 只有一条路径。"
        "一个输入通向全部三个神经元，于是有三条路径，三个权重相加。"
        "这里把其余输入和偏置对每个神经元的贡献合写成一个数。",
    )
    report.derivation(
        "dense_layer",
        s,
        targets,
        title=Words("One weight, and one input of the layer", "这一层的一个权重和一个输入"),
    )


def tell_batch(report: Report) -> None:
    """Three samples at once."""
    report.section("batch", "A batch of samples", "一批样本")
    report.say(
        "Several samples together are a batch. NumPy computes a batch with one product of "
        "matrices. Here $X$ has a column for each sample. The article writes a row for each, "
        "which is the second formula: there the weights have to be transposed. The numbers are "
        "the same.",
        "几个样本放在一起就是一批，NumPy 用一次矩阵乘法就能算完。"
        "这里 $X$ 的每一列是一个样本。文章中每个样本占一行，即第二个公式，所以权重要转置。"
        "数值是一样的。",
    )
    report.formula(r"Z = W X + b", r"Z^\top = X^\top W^\top + b^\top")
    report.figure(
        "batch",
        partial(draw_matrices, dense(WEIGHTS_1, BIASES_1), BATCH),
        caption=Words(
            "The batch of three samples, a column for each. The bias is added to every column.",
            "三个样本组成的一批，每个样本占一列。偏置加到每一列上。",
        ),
    )
    report.numbers(*layer_rows(1, [2, 3]))


def tell_two_layers(report: Report) -> None:
    """A second layer, and why it is not enough."""
    both = Sequential(dense(WEIGHTS_1, BIASES_1), dense(WEIGHTS_2, BIASES_2))
    report.section("two-layers", "A second layer", "第二层")
    report.say(
        "The outputs of the first layer are the inputs of the second, so each of its three "
        "neurons has three weights.",
        "第一层的输出就是第二层的输入，所以第二层的三个神经元各有三个权重。",
    )
    report.figure(
        "two_layers",
        partial(draw_layers, both, parameters=True),
        caption=Words(
            "The 4–3–3 network with its weights and biases.", "4–3–3 网络及其权重和偏置。"
        ),
    )
    report.figure(
        "two_layers_in_matrices",
        partial(draw_matrices, both, BATCH),
        caption=Words("The batch on its way through both layers.", "这批样本依次经过两层。"),
    )
    report.numbers(*layer_rows(2, [1, 2, 3]))
    report.say(
        "Two layers without anything in between are no more than one: their product is a "
        "layer again.",
        "两层之间如果什么都没有，就只抵得上一层：它们合起来仍然是一层。",
    )
    report.formula(
        r"ŷ = W^{(2)}(W^{(1)} x + b^{(1)}) + b^{(2)}",
        r"= (W^{(2)} W^{(1)}) x + (W^{(2)} b^{(1)} + b^{(2)})",
    )
    report.numbers(merged_row())


LINE = [
    (x / 2, 0.8 * x / 2 + 0.5 + offset)
    for x, offset in enumerate((0.1, -0.15, 0.05, 0.1, -0.1) * 2)
]
WAVE = [(x / 3, sin(x / 3 * 1.4) + 0.5) for x in range(15)]


def tell_data(report: Report) -> None:
    """Linear and non-linear data."""
    report.section("data", "Data that no line fits", "直线拟合不了的数据")

    def panels(*, lang: str, **options: Any) -> Any:
        titles = Words("linear", "线性"), Words("non-linear", "非线性")
        shown = dict(zip((t.within(lang) for t in titles), (LINE, WAVE), strict=True))
        return draw_points(shown, "line", lang=lang, **options)

    report.say(
        "With one input, such layers compute a straight line, however many of them there "
        "are. That fits points near a line, but no others.",
        "输入只有一个时，这样的层无论叠多少层，算出的都是一条直线。"
        "点大致在一条直线上，就能拟合；否则，再好的直线也对不上。",
    )
    report.figure(
        "linear_and_not",
        panels,
        caption=Words(
            "The line of least squares through linear and through non-linear data (ours).",
            "线性数据与非线性数据的最小二乘直线（数据是本程序自己的）。",
        ),
    )


def tell_activation(report: Report) -> None:
    """The step function, and dead neurons."""
    report.section("activation", "Activation functions", "激活函数")
    report.say(
        "What stands between two layers is an activation function. The article shows the "
        "oldest one: the step is 1 if its input is positive, and 0 otherwise.",
        "两层之间放的是激活函数。文章给出了最早的一种：阶跃函数，输入为正时是 1，否则是 0。",
    )
    report.figure(
        "step",
        partial(draw_curve, "step", over=(-2.0, 2.0)),
        caption=Words(
            "The step. Its derivative is 0 on both sides of the threshold and does not exist at "
            "the threshold.",
            "阶跃函数。它在阈值两侧的导数都是 0，在阈值处不可导。",
        ),
    )
    report.say(
        "Since its derivative is 0 wherever there is one, no gradient passes a step, and such "
        "a network cannot be trained by gradient descent. Relu, which is 0 for negative inputs "
        "and the input itself for positive ones, lets it pass on one side.",
        "它的导数凡是存在之处都是 0，梯度传不过去，这样的网络不能用梯度下降来训练。"
        "relu 在输入为负时是 0，为正时就是输入本身，所以有一侧能让梯度通过。",
    )
    report.section("dead", "Dead neurons", "死亡神经元")
    report.say(
        "The article warns of dead neurons: one whose activation is 0 for every sample passes "
        "only zeros on, and no gradient back. Here is one: neuron 2 of the first layer with "
        "relu, and with the bias 0 in place of 3. Its weighted sum $z$ is negative for all "
        "three samples of the batch, here for the first. There the derivative of relu is 0, "
        "and this one factor makes the whole product 0. As long as the inputs stay the same, "
        "its weights never change again.",
        "文章提醒要当心死亡神经元：如果一个神经元对所有样本的激活值都是 0，"
        "它往后传的都是 0，也没有梯度往回传。下面就是一个：第一层的神经元 2 接上 relu，"
        "偏置由 3 改为 0。它的加权和 $z$ 对三个样本都是负的（图中是第一个样本），"
        "relu 的导数是 0，这一个因子就让整个乘积为 0。只要输入不变，它的权重就再也不会改变。",
    )
    parameters, activations = rectified(0)
    activations[0].backward()
    report.derivation(
        "dead_neuron",
        activations[0],
        parameters[-2],
        title=Words("A dead neuron", "死亡神经元"),
        live="live",
    )
    report.page(
        "live",
        partial(live_page, activations[0], learn=()),
        title=Words(
            "The dead neuron, live: raise its bias",
            "动手试一试：调大偏置，让死亡神经元复活",
        ),
    )
    report.numbers(*dead_neuron_rows())


def run(out: Path | None = None) -> Report:
    """Compute the numbers of the article; write files into the folder `out` if it is given."""
    report = Report(ARTICLE, out)
    generator = np.random.RandomState(0)
    x, y = spiral(SAMPLES, CLASSES, random_state=generator)
    points, classes = x.tolist(), y.tolist()
    tell_layer(report)
    tell_batch(report)
    tell_two_layers(report)
    tell_data(report)
    tell_spiral(report, points, classes)
    tell_first_outputs(report, points, generator)
    tell_activation(report)
    tell_training(report, points, classes, generator)
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
