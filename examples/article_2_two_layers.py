"""Article 2: from a neuron that cannot learn to two layers that can.

python -m examples.article_2_two_layers [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from micrograd import Value, live_page
from micrograd.drawing import (
    draw_curve,
    draw_layers,
    draw_losses,
    draw_table,
    draw_threshold_neuron,
    draw_training_loop,
)
from nn import MLP
from nn.derivations import explain_layers

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
)

ARTICLE = Article(
    number=2,
    title=Words("Two layers, sigmoid, sum of squared errors", "从阈值神经元到两层网络"),
    claim=Words(
        "The neuron of McCulloch and Pitts (1943) compares a weighted sum with a threshold. It "
        "computes AND, OR and NOT, but its step blocks the gradient, so nothing tells the weights "
        "how to change. With the sigmoid in its place, two layers learn a truth table by gradient "
        "descent on the sum of squared errors.",
        "1943 年的 McCulloch–Pitts 神经元把加权和与一个阈值比较。它能算出 AND、OR 和 NOT，"
        "可是阶跃函数挡住了梯度，权重该怎样调整便无从得知。"
        "换成 sigmoid 以后，两层网络用梯度下降减小误差平方和，就能学会一张真值表。",
    ),
)

# ------------------------------------------------------------------------- the neuron of 1943

GATES: dict[str, tuple[tuple[int, ...], float]] = {  # weights, threshold
    "AND": ((1, 1), 1.5),
    "OR": ((1, 1), 0.5),
    "NOT": ((-1,), -0.5),
}
TRUTH: dict[str, dict[tuple[int, ...], int]] = {
    "AND": {(0, 0): 0, (0, 1): 0, (1, 0): 0, (1, 1): 1},
    "OR": {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 1},
    "NOT": {(0,): 1, (1,): 0},
}
RESTAURANT = {"taste": (1, 3), "place": (0, 2), "price": (1, 1)}  # is it good; its weight
RESTAURANT_THRESHOLD = 3.5


def threshold_neuron(
    inputs: Sequence[Value | float], weights: Sequence[Value], threshold: Value
) -> Value:
    """1 if the weighted sum of the inputs exceeds the threshold, else 0."""
    fires: Value = (dot(inputs, weights) - threshold).step()
    return fires


def restaurant() -> tuple[list[Value], Value]:
    """The weights of the criteria, and the decision whether to go."""
    inputs = [Value(holds, label=name) for name, (holds, _) in RESTAURANT.items()]
    weights = [
        Value(weight, label=f"w_{i}") for i, (_, weight) in enumerate(RESTAURANT.values(), 1)
    ]
    z = dot(inputs, weights)
    z.label = "z"
    go = (z - Value(RESTAURANT_THRESHOLD, label="theta")).step()
    go.label = "go"
    return weights, go


def threshold_rows() -> list[Row]:
    """The truth tables, and the gradients that are all 0."""
    rows = []
    for gate, table in TRUTH.items():
        gradients = []
        for inputs, expected in table.items():
            weights = [Value(weight) for weight in GATES[gate][0]]
            threshold = Value(GATES[gate][1])
            fires = threshold_neuron(inputs, weights, threshold)
            fires.backward()
            gradients += [abs(parameter.grad) for parameter in (*weights, threshold)]
            given = " ".join(map(str, inputs))
            rows.append(
                Row(
                    Words(f"{gate} of {given}", f"{gate}：输入 {given}"),
                    expected,
                    fires.data,
                    source="ours",
                )
            )
        what = Words(
            f"largest gradient in {gate}, over all inputs", f"{gate} 在所有输入下的最大梯度"
        )
        slope = r"\text{step}'(z) = 0\, (z \ne 0)"
        rows.append(Row(what, 0, max(gradients), source="formula", formula=slope))
    return rows


# ------------------------------------------------------------------------------- two layers

INPUTS = ((0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1))
TARGETS = (0, 1, 1, 0)
HIDDEN = 4
ITERATIONS = 1500

PREDICTIONS = ("0.023", "0.979", "0.975", "0.025")  # the article's; it does not give its seed
SEEDS = range(6)
OF_SEEDS = Words(f"seeds {SEEDS[0]} to {SEEDS[-1]}", f"种子 {SEEDS[0]} 到 {SEEDS[-1]}")
SEED = 2
SEED_PREDICTIONS = ("0.018", "0.981", "0.976", "0.023")
# From seed to seed a prediction moves by up to 0.0137 (the largest of the four ranges over SEEDS).
SPREAD = 0.014


def network(seed: int) -> MLP:
    """The untrained network: weights drawn uniformly from [0, 1), no biases.

    They are drawn by NumPy's legacy generator, in the shapes 3 by 4 and 4 by 1. In `nn` a matrix
    has a row for each neuron.
    """
    generator = np.random.RandomState(seed)
    model = MLP(3, [HIDDEN, 1], activation="sigmoid", output_activation="sigmoid")
    for k, layer in enumerate(model.layers, 1):
        drawn = generator.random_sample((len(layer.neurons[0].w), len(layer.neurons)))
        for j, neuron in enumerate(layer.neurons):
            neuron.b.data = 0.0
            for i, w in enumerate(neuron.w):
                w.data = drawn[i, j]
                w.label = f"w^{{({k})}}_{{{j + 1}{i + 1}}}" if k == 1 else f"w^{{(2)}}_{i + 1}"
    return model


def weights_of(model: MLP) -> list[Value]:
    """All weights, the hidden layer's first; the biases stay 0."""
    return [w for layer in model.layers for neuron in layer.neurons for w in neuron.w]


def forward(model: MLP, inputs: Sequence[Value | float]) -> Value:
    """The prediction for one sample, without the biases: sigmoid(W2 sigmoid(W1 x))."""
    hidden, output = model.layers
    activations = [dot(inputs, neuron.w).sigmoid() for neuron in hidden.neurons]
    prediction: Value = dot(activations, output.neurons[0].w).sigmoid()
    return prediction


def sum_of_squares(model: MLP) -> Value:
    """The sum of squared errors over the four samples."""
    errors = [y - forward(model, x) for x, y in zip(INPUTS, TARGETS, strict=True)]
    total: Value = dot(errors, errors)
    return total


class Run(NamedTuple):
    """A training run: the loss before each iteration and at the end, and the final predictions."""

    losses: list[float]
    predictions: list[float]


def train(seed: int) -> Run:
    """Full-batch gradient descent from the weights of this seed."""
    model = network(seed)
    loss = partial(sum_of_squares, model)
    losses = [*descent(weights_of(model), loss, step=1, iterations=ITERATIONS), loss().data]
    return Run(losses, [forward(model, x).data for x in INPUTS])


def prediction_rows(runs: dict[int, Run]) -> list[Row]:
    """The predictions of `SEED`, beside the article's."""
    rows = []
    own = runs[SEED].predictions
    for x, digits, got in zip(INPUTS, SEED_PREDICTIONS, own, strict=True):
        what = Words(f"prediction for {x}, seed {SEED}", f"{x} 的预测值，种子 {SEED}")
        rows.append(printed(what, digits, got, "ours"))
    for x, digits, got in zip(INPUTS, PREDICTIONS, own, strict=True):
        what = Words(f"prediction for {x}", f"{x} 的预测值")
        rows.append(Row(what, float(digits), got, SPREAD, "±"))
    return rows


def range_rows(runs: dict[int, Run]) -> list[Row]:
    """The range of the predictions over all seeds."""
    by_target: dict[int, list[float]] = {0: [], 1: []}
    for each in runs.values():
        for target, prediction in zip(TARGETS, each.predictions, strict=True):
            by_target[target].append(prediction)
    rows = []
    for target, least, most in ((0, "0.01", "0.04"), (1, "0.969", "0.981")):
        for (side, extreme), digits, choose in zip(
            (("smallest", "最小"), ("largest", "最大")), (least, most), (min, max), strict=True
        ):
            what = Words(
                f"{side} prediction for target {target}, {OF_SEEDS.en}",
                f"目标为 {target} 时{extreme}的预测值，{OF_SEEDS.zh}",
            )
            rows.append(printed(what, digits, choose(by_target[target]), "ours"))
    return rows


def loss_rows(runs: dict[int, Run]) -> list[Row]:
    """Whether the loss falls at every iteration, and where it ends."""
    falls = all(after < before for each in runs.values() for before, after in pairwise(each.losses))
    last = max(each.losses[-1] for each in runs.values())
    return [
        Row(
            Words(
                f"the loss falls at every iteration, {OF_SEEDS.en}",
                f"损失每次迭代都下降，{OF_SEEDS.zh}",
            ),
            True,
            falls,
            relation="is",
            source="ours",
        ),
        Row(
            Words(
                f"largest loss at the end, {OF_SEEDS.en}", f"训练结束时最大的损失，{OF_SEEDS.zh}"
            ),
            0.004,
            last,
            relation="<",
            source="ours",
        ),
    ]


# --------------------------------------------------------------------------- the derivations


def squared_error(prediction: Value) -> Value:
    """The loss of the second sample, with the names of the formula."""
    loss: Value = (Value(TARGETS[1], label="y") - prediction) ** 2
    prediction.label, loss.label = "ŷ", "L"
    return loss


def second_sample() -> list[Value]:
    """The inputs of the second sample, with names."""
    return [Value(x, label=f"x_{i}") for i, x in enumerate(INPUTS[1], 1)]


def one_layer() -> tuple[list[Value], Value, Value]:
    """Weights, prediction and loss of one neuron on the second sample."""
    weights = [Value(w, label=f"w_{i}") for i, w in enumerate((0.2, 0.5, 0.1), 1)]
    z = dot(second_sample(), weights)
    z.label = "z"
    prediction = z.sigmoid()
    return weights, prediction, squared_error(prediction)


def two_layers() -> tuple[MLP, list[Value], Value]:
    """The network at the start, the sums of its hidden layer, its loss on the second sample."""
    model = network(SEED)
    hidden, output = model.layers
    inputs = second_sample()
    sums = [dot(inputs, neuron.w) for neuron in hidden.neurons]
    activations = [each.sigmoid() for each in sums]
    for j, (each, activation) in enumerate(zip(sums, activations, strict=True), 1):
        each.label, activation.label = f"z_{j}", f"h_{j}"
    z = dot(activations, output.neurons[0].w)
    z.label = "z"
    return model, sums, squared_error(z.sigmoid())


def one_layer_rows() -> list[Row]:
    """The gradients of one layer, by a formula and by the engine."""
    weights, prediction, loss = one_layer()
    loss.backward()
    rows = []
    for i, (weight, x) in enumerate(zip(weights, INPUTS[1], strict=True), 1):
        by_hand = 2 * (prediction.data - TARGETS[1]) * prediction.data * (1 - prediction.data) * x
        what = Words.same(f"$\\partial L / \\partial w_{i}$")
        formula = rf"-2(y - ŷ) ŷ(1 - ŷ) x_{i}"
        rows.append(exactly(what, by_hand, weight.grad, formula=formula))
    return rows


# ------------------------------------------------------------------------------- the companion


def tell_threshold_neuron(report: Report) -> None:
    """The neuron of 1943, what it computes, and why it cannot learn by gradients."""
    report.section("mcculloch", "The neuron of 1943", "1943 年的神经元")
    report.say(
        "The artificial neuron of McCulloch and Pitts is modelled on a nerve cell: it weighs "
        "its inputs, adds up, and fires if the sum exceeds a threshold $\\theta$. Its output "
        "is then 1, else 0.",
        "McCulloch 和 Pitts 的人工神经元模仿神经细胞：给输入加权、求和，"
        "总和超过阈值 $\\theta$ 就激活，输出 1，否则输出 0。",
    )
    report.formula(
        r"z = \sum_i w_i x_i",
        r"y = \operatorname{step}(z - \theta)",
    )
    inputs = [holds for holds, _ in RESTAURANT.values()]
    weights = [weight for _, weight in RESTAURANT.values()]
    names = {"en": [*RESTAURANT], "zh": ["口味", "位置", "价格"]}
    report.figure(
        "mcculloch_pitts",
        lambda lang, **options: draw_threshold_neuron(
            weights, RESTAURANT_THRESHOLD, inputs, names=names[lang], lang=lang, **options
        ),
        caption=Words(
            "A nerve cell and the neuron of McCulloch and Pitts. This one decides where to eat: "
            "taste, place and price have the weights 3, 2 and 1, and the threshold is 3.5.",
            "神经细胞与 M-P 神经元。这个神经元决定去不去一家餐厅："
            "口味、位置、价格的权重是 3、2、1，阈值是 3.5。",
        ),
    )
    report.say(
        "With suitable weights and thresholds such a neuron computes AND, OR and NOT:",
        "选好权重和阈值，这样的神经元就能算出 AND、OR 和 NOT：",
    )
    report.figure(
        "gates",
        partial(
            draw_table,
            [*TRUTH["AND"]],
            {f"x₁ {gate} x₂": [*TRUTH[gate].values()] for gate in ("AND", "OR")}
            | {"NOT x₁": [TRUTH["NOT"][x[:1]] for x in TRUTH["AND"]]},
        ),
        caption=Words(
            "AND with the weights 1, 1 and the threshold 1.5; OR with 1, 1 and 0.5; NOT with −1 "
            "and −0.5.",
            "AND 的权重为 1、1，阈值为 1.5；OR 为 1、1 和 0.5；NOT 为 −1 和 −0.5。",
        ),
    )
    report.numbers(*threshold_rows())
    report.section("step", "A step function blocks the gradient", "阶跃函数挡住了梯度")
    report.say(
        "A step is flat: its derivative is 0 everywhere except at the threshold, where it has "
        "none. So whatever the weights of the restaurant are, as long as their sum is not "
        "exactly the threshold, the product along the path from a weight to the decision is 0. "
        "Gradient descent has nothing to follow.",
        "阶跃函数是平的：除阈值处（不可导）外导数都是 0。所以无论餐厅的权重是多少，"
        "只要加权和不恰好等于阈值，从权重到决定的整条路径的乘积就是 0，梯度下降无从下手。",
    )
    report.figure(
        "step_function",
        partial(draw_curve, "step"),
        caption=Words("The step function and its derivative.", "阶跃函数及其导数。"),
    )
    criteria, go = restaurant()
    go.backward()
    report.derivation(
        "restaurant",
        go,
        criteria[0],
        title=Words("The decision where to eat", "去不去这家餐厅"),
    )


def tell_network(report: Report) -> None:
    """The sigmoid, the two layers, and the loop of training."""
    report.section("sigmoid", "The sigmoid instead of the step", "用 sigmoid 代替阶跃")
    report.say(
        "The sigmoid rises from 0 to 1 as the step does, but smoothly. Its slope follows from "
        "its value, and it is nowhere 0.",
        "sigmoid 也从 0 升到 1，但它是平滑的；斜率可由函数值算出，而且处处不为 0。",
    )
    report.formula(r"\sigma(z) = \frac{1}{1 + e^{-z}}", r"\sigma'(z) = \sigma(z)(1 - \sigma(z))")
    report.figure(
        "sigmoid",
        partial(draw_curve, "sigmoid", 1.0, over=(-6, 6)),
        caption=Words(
            "The sigmoid and its slope, which is at most 1/4.",
            "sigmoid 及其斜率；斜率最大为 1/4。",
        ),
    )
    report.section("network", "Two layers", "两层网络")
    report.say(
        "The network has three inputs, a hidden layer of four neurons and one output. All "
        "neurons use the sigmoid, and the biases $b$ are taken as 0.",
        "网络有三个输入、一个四个神经元的隐藏层和一个输出；所有神经元都用 sigmoid，偏置 $b$ 取 0。",
    )
    report.figure(
        "layers",
        partial(draw_layers, [3, HIDDEN, 1]),
        caption=Words("Each line is a weight: 12 and 4.", "每条线是一个权重：12 个和 4 个。"),
    )
    report.formula(
        r"ŷ = \sigma(W^{(2)} \sigma(W^{(1)} x + b^{(1)}) + b^{(2)})",
        r"= \sigma(W^{(2)} \sigma(W^{(1)} x))",
    )
    report.section("training", "Training", "训练")
    report.say(
        "Training repeats two halves. Feedforward computes the predictions; the loss, here the "
        "sum of squared errors, says how wrong they are. Backpropagation computes the gradient "
        "of the loss, and every weight takes a step against it.",
        "训练反复做两件事：前向传播得出预测值，损失（这里是误差平方和）衡量它们错了多少；"
        "反向传播求出损失的梯度，每个权重沿梯度的反方向走一步。",
    )
    report.formula(
        r"L = \sum_{i=1}^{4} (y_i - ŷ_i)^2",
        r"W^{(k)} \leftarrow W^{(k)} - \frac{\partial L}{\partial W^{(k)}}",
    )
    report.figure(
        "loop",
        partial(draw_training_loop, lr=1, iterations=ITERATIONS, names=("W", "L")),
        caption=Words("The loop of training; the size of a step is 1.", "训练的循环；步长为 1。"),
    )


def tell_backpropagation(report: Report) -> None:
    """The gradients: of one layer, of a hidden weight, and in matrix form."""
    report.section("one-layer", "One layer: through the sigmoid", "单层：让梯度穿过 sigmoid")
    report.say(
        "Take a single neuron and the second sample, $x = (0, 1, 1)$ and $y = 1$. Three "
        "factors make up the derivative: $-2(y - ŷ)$ from the square, the slope $ŷ(1 - ŷ)$ of "
        "the sigmoid, and the input.",
        "先看一个神经元和第二个样本：$x = (0, 1, 1)$，$y = 1$。导数由三个因子组成："
        "平方带来的 $-2(y - ŷ)$、sigmoid 的斜率 $ŷ(1 - ŷ)$，以及输入。",
    )
    weights, _, loss = one_layer()
    loss.backward()
    report.derivation(
        "one_layer",
        loss,
        weights[1],
        title=Words("One neuron, its prediction and its loss", "一个神经元、它的预测值与损失"),
        live="live",
    )
    report.page(
        "live",
        partial(live_page, loss, learn=weights),
        title=Words("One neuron and its loss, live", "动手试一试：一个神经元与它的损失"),
    )
    report.numbers(*one_layer_rows())
    report.section(
        "two-layers", "Two layers: a weight of the hidden layer", "两层：隐藏层的一个权重"
    )
    report.say(
        "The weight $w^{(1)}_{43}$ leads from the third input to the fourth hidden neuron. The "
        "error reaches it through the weight $w^{(2)}_4$ of the output: first the factors of "
        "one layer, then $w^{(2)}_4$, then the slope $h_4(1 - h_4)$ of the hidden neuron "
        "and the input.",
        "权重 $w^{(1)}_{43}$ 从第三个输入通向第四个隐藏神经元。"
        "误差要经过输出层的权重 $w^{(2)}_4$ 才能传到它：先是单层中已有的几个因子，"
        "再乘 $w^{(2)}_4$，再乘隐藏神经元的斜率 $h_4(1 - h_4)$ 和输入。",
    )
    model, sums, loss = two_layers()
    loss.backward()
    last = model.layers[0].neurons[-1].w
    report.derivation(
        "two_layers",
        loss,
        last[-1],
        title=Words("The network on the second sample", "网络对第二个样本的计算"),
        hide=[*sums[:-1], *(w for w in weights_of(model)[: 3 * HIDDEN] if w is not last[-1])],
    )
    report.section("matrices", "All weights at once", "一次求出所有权重的梯度")
    report.say(
        "In matrix form, the gradient of all weights is four lines. The columns of $X$ are the "
        "four samples, and $\\delta$ is the derivative of the loss with respect to the "
        "weighted sums of a layer. Its first factor is that of one layer, written as "
        "$2(ŷ - y)$.",
        "写成矩阵形式，所有权重的梯度只要四行。$X$ 的每一列是一个样本，"
        "$\\delta$ 是损失对一层各加权和的导数；它的第一个因子就是单层中的那一个，"
        "写成 $2(ŷ - y)$。",
    )
    report.matrices(
        "matrices",
        explain_layers(network(SEED), INPUTS, TARGETS, loss="mse", reduction="sum", bias=False),
    )


def tell_results(report: Report, runs: dict[int, Run]) -> None:
    """The truth table, the loss, the predictions, and what goes beyond the article."""
    report.section("results", "The truth table is learned", "学会这张真值表")
    report.figure(
        "truth_table",
        partial(draw_table, INPUTS, {"y": TARGETS}),
        caption=Words(
            "The training set: exclusive or of the first two inputs; the third is always 1.",
            "训练集：前两个输入的异或；第三个输入恒为 1。",
        ),
    )
    report.say(
        "The article trains for 1,500 iterations. It does not say which weights it starts "
        f"from; ours are those of NumPy's seed {SEED}. Among {OF_SEEDS.en} a prediction "
        f"differs by up to {SPREAD}, so the article's predictions are compared to within that.",
        f"文章训练了 1,500 次，但没有说初始权重是什么；这里用 NumPy 的种子 {SEED}。"
        f"在{OF_SEEDS.zh} 之间，同一个预测值最多相差 {SPREAD}，"
        "所以与原文的预测值比较时允许这么大的差别。",
    )
    report.figure(
        "loss",
        partial(draw_losses, runs[SEED].losses, name="L"),
        caption=Words(
            f"The sum of squared errors by iteration, seed {SEED}.",
            f"误差平方和随迭代次数的变化（种子 {SEED}）。",
        ),
    )
    heads = {"en": ("ŷ (article)", "ŷ (ours)"), "zh": ("ŷ（原文）", "ŷ（本程序）")}
    report.figure(
        "predictions",
        lambda lang, **options: draw_table(
            INPUTS,
            {
                "y": TARGETS,
                heads[lang][0]: [float(digits) for digits in PREDICTIONS],
                heads[lang][1]: [round(x, 3) for x in runs[SEED].predictions],
            },
            lang=lang,
            **options,
        ),
        caption=Words(
            "The predictions after training: the article's beside ours.",
            "训练后的预测值：原文的与本程序的。",
        ),
    )
    report.numbers(*prediction_rows(runs))
    report.section("seeds", "Beyond the article: other weights", "原文之外：换一组初始权重")
    report.say(
        "From six different starts the predictions end close to the article's, and the loss "
        "falls at every iteration.",
        "从六组不同的初始权重出发，预测值最后都接近原文的结果，损失每次迭代都下降。",
    )
    titles = {"en": "seed {}", "zh": "种子 {}"}
    report.figure(
        "seeds",
        lambda lang, **options: draw_losses(
            {titles[lang].format(seed): each.losses for seed, each in runs.items()},
            name="L",
            lang=lang,
            **options,
        ),
        caption=Words(
            "The sum of squared errors by iteration, for six seeds.",
            "六个随机种子下，误差平方和随迭代次数的变化。",
        ),
    )
    report.numbers(*range_rows(runs), *loss_rows(runs))


def run(out: Path | None = None) -> Report:
    """Compute the numbers of the article; write files into the folder `out` if it is given."""
    report = Report(ARTICLE, out)
    runs = {seed: train(seed) for seed in SEEDS}
    tell_threshold_neuron(report)
    tell_network(report)
    tell_backpropagation(report)
    tell_results(report, runs)
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
