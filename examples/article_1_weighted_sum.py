"""Article 1: one neuron is a weighted sum of its inputs.

python -m examples.article_1_weighted_sum [--out DIR]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from micrograd import Value

from ._common import Article, Report, Row, Words, dot, exactly, main, total

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARTICLE = Article(
    number=1,
    title=Words("The weighted sum", "一个神经元的加权求和"),
    claim=Words(
        "A neuron predicts by weighing its inputs and adding up. A weight says how sensitive the\n"
        "prediction is to its input (the gradient); the product of input and weight says how much\n"
        "of the prediction comes from it (the contribution). The largest need not be the same.",
        "神经元把每个输入乘以权重，再全部相加，得到预测值。权重表示预测值对这个输入有多敏感（梯度），"
        "输入与权重的乘积表示预测值中有多少来自它（贡献）。最敏感的输入，贡献不一定最大。",
    ),
)

WEIGHTS = {"toes": 0.1, "won": 0.2, "fans": 0.0}
GAMES = {"toes": (8.5, 9.5, 9.9, 9.0), "won": (0.65, 0.8, 0.8, 0.9), "fans": (1.2, 1.3, 0.5, 1.0)}
PREDICTIONS = (0.98, 1.11, 1.15, 1.08)  # the article computes the first

VECTORS = {
    "a": (0, 1, 0, 1),
    "b": (1, 0, 1, 0),
    "c": (0, 1, 1, 0),
    "d": (0.5, 0, 0.5, 0),
    "e": (-1, 1, 0, 0),
}
DOT_PRODUCTS = {
    ("a", "b"): 0,
    ("b", "c"): 1,
    ("b", "d"): 1,
    ("c", "c"): 2,
    ("d", "d"): 0.5,
    ("c", "d"): 0.5,
    ("e", "e"): 2,
}
READINGS = {
    ("a", "b"): Words(
        "no place has a 1 in both, so a AND b is false everywhere",
        "没有哪一位同时为 1，所以 a AND b 逐位为假",
    ),
    ("b", "c"): Words("one place has a 1 in both", "有一位同时为 1"),
    ("c", "d"): Words(
        "half a weight earns half the score, a fuzzy AND",
        "d 在这一列只有 0.5，得分也只得一半，相当于打了折扣的 AND",
    ),
    ("e", "e"): Words(
        "a negative weight acts as NOT, and the product of two NOTs is positive",
        "负权重相当于 NOT，两个 NOT 相乘，负负得正",
    ),
}


def predict(game: int) -> tuple[dict[str, Value], dict[str, Value], dict[str, Value], Value]:
    """The inputs of a game (counted from 0), the weights, the contributions, the prediction."""
    inputs = {name: Value(column[game], label=name) for name, column in GAMES.items()}
    weights = {name: Value(weight, label=f"w_{name}") for name, weight in WEIGHTS.items()}
    contributions = {}
    for name in inputs:
        contributions[name] = inputs[name] * weights[name]
        contributions[name].label = f"{name} * w_{name}"
    prediction = total([*contributions.values()], "prediction")
    return inputs, weights, contributions, prediction


def product(first: str, second: str) -> tuple[list[Value], Value]:
    """The dot product of two of `VECTORS`: the Values of the first one, and the product."""
    x = [Value(xi, label=f"{first}{i}") for i, xi in enumerate(VECTORS[first], 1)]
    y = x
    if second != first:
        y = [Value(yi, label=f"{second}{i}") for i, yi in enumerate(VECTORS[second], 1)]
    out = dot(x, y)
    out.label = "product"
    return x, out


def game_rows() -> list[Row]:
    """The predictions, and the gradients and contributions in the first game."""
    rows = [
        exactly(
            Words(f"prediction for game {game}", f"第 {game} 场的预测值"),
            expected,
            predict(game - 1)[-1].data,
            "article" if game == 1 else "formula",
        )
        for game, expected in enumerate(PREDICTIONS, 1)
    ]
    inputs, weights, contributions, prediction = predict(0)
    prediction.backward()
    for name in inputs:
        what = Words(f"d prediction / d {name}, the weight", f"∂prediction/∂{name}，即权重")
        rows.append(exactly(what, WEIGHTS[name], inputs[name].grad))
    for name, expected in zip(inputs, (0.85, 0.13, 0), strict=True):
        what = Words(f"contribution of {name}", f"{name} 的贡献")
        rows.append(exactly(what, expected, contributions[name].data))
    for name in inputs:
        what = Words(f"d prediction / d w_{name}, the input", f"∂prediction/∂w_{name}，即输入")
        rows.append(exactly(what, GAMES[name][0], weights[name].grad, "formula"))
    return rows


def extremes() -> tuple[str, str]:
    """The most sensitive input of the first game, and the one with the largest contribution."""
    inputs, _, contributions, prediction = predict(0)
    prediction.backward()
    sensitive = max(inputs, key=lambda name: abs(inputs[name].grad))
    large = max(inputs, key=lambda name: abs(contributions[name].data))
    return sensitive, large


def extreme_rows() -> list[Row]:
    """The numbers of these two inputs."""
    sensitive, large = extremes()
    names = list(GAMES)
    of, among = "of 1 toes, 2 won, 3 fans", "（1 toes，2 won，3 fans）"
    return [
        exactly(
            Words(f"the most sensitive input, {of}", f"最敏感的输入{among}"),
            2,
            names.index(sensitive) + 1,
            "own",
        ),
        exactly(
            Words(f"the largest contribution, {of}", f"贡献最大的输入{among}"),
            1,
            names.index(large) + 1,
            "own",
        ),
    ]


def product_rows() -> list[Row]:
    """The dot products, and the derivative of a square."""
    rows = [
        exactly(Words.same(" · ".join(pair)), expected, product(*pair)[1].data)
        for pair, expected in DOT_PRODUCTS.items()
    ]
    c, square = product("c", "c")
    square.backward()
    for ci, expected in zip(c, VECTORS["c"], strict=True):
        what = Words(
            f"d (c · c) / d {ci.label}, twice {ci.label}",
            f"∂(c · c)/∂{ci.label}，即 2·{ci.label}",
        )
        rows.append(exactly(what, 2 * expected, ci.grad, "formula"))
    return rows


def notes() -> list[Words]:
    """How the article interprets the numbers."""
    sensitive, large = extremes()
    readings = []
    for pair, reading in READINGS.items():
        result = f"{' · '.join(pair)} = {product(*pair)[1].data:g}"
        readings.append(Words(f"{result}: {reading.en}.", f"{result}：{reading.zh}。"))
    return [
        Words(
            f"Most sensitive to {sensitive}, but most of the score comes from {large}.",
            f"对 {sensitive} 最敏感，但得分主要来自 {large}。",
        ),
        *readings,
    ]


def derivations(report: Report) -> None:
    """The weighted sum, and a dot product in which paths meet."""
    inputs, weights, _, prediction = predict(0)
    prediction.backward()
    report.derivation(
        "weighted_sum",
        prediction,
        [inputs["won"], weights["won"]],
        title=Words("Sensitivity and contribution", "敏感度与贡献"),
        remark=Words(
            "The derivative with respect to an input is its weight, and with respect to a weight "
            "its input; the arrows carry these local derivatives. A contribution is the number in "
            "the box of a product: 0.85 of the 0.98 come from toes, although won has the larger "
            "weight.",
            "对输入求导得到权重，对权重求导得到输入，箭头上写的就是这些局部导数。"
            "贡献就是乘积框里的数值：won 的权重更大，但 0.98 中有 0.85 来自 toes。",
        ),
        local_partials=True,
    )
    c, square = product("c", "c")
    square.backward()
    report.derivation(
        "dot_product",
        square,
        c[1],
        title=Words("A vector times itself", "向量与自身的点积"),
        remark=Words(
            "In c · c each component is used twice. Two paths lead from c₂ to the result, and the "
            "two contributions add up to 2 · c₂.",
            "c · c 中每个分量都用了两次，所以从 c₂ 到结果有两条路径，两份贡献相加，得 2·c₂。",
        ),
        contributions=True,
    )


def run(out: Path | None = None) -> Report:
    """Compute the numbers of the article; write files into the folder `out` if it is given."""
    report = Report(ARTICLE, out)
    report.rows += [*game_rows(), *extreme_rows(), *product_rows()]
    report.notes += notes()
    derivations(report)

    inputs, _, contributions, prediction = predict(0)
    prediction.backward()
    names = list(inputs)

    def bars(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        left.bar(names, [inputs[name].grad for name in names], color="tab:orange")
        left.set_title("sensitivity: ∂prediction/∂input = weight")
        right.bar(names, [contributions[name].data for name in names], color="tab:blue")
        right.set_title("contribution: input · weight")

    report.plot(
        "sensitivity_and_contribution",
        bars,
        caption=Words(
            "Left, how sensitive the prediction is to each input; right, what each contributes.",
            "左：预测值对各个输入的敏感度；右：各个输入对预测值的贡献。",
        ),
    )
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
