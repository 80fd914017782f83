"""Article 1: one neuron is a weighted sum of its inputs.

python -m examples.article_1_weighted_sum [--out DIR]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from micrograd import Value, live_page
from micrograd.drawing import draw_dot_product, draw_neuron, draw_table

from ._common import Article, Report, Row, Words, dot, exactly, main, total

ARTICLE = Article(
    number=1,
    title=Words("The weighted sum", "一个神经元的加权求和"),
    claim=Words(
        "A neuron predicts by weighing its inputs and adding up. A weight says how sensitive the "
        "prediction is to its input (the gradient); the product of input and weight says how much "
        "of the prediction comes from it (the contribution). The largest need not be the same.",
        "神经元把每个输入乘以权重，再全部相加，得到预测值。权重表示预测值对这个输入有多敏感（梯度），"
        "输入与权重的乘积表示预测值中有多少来自它（贡献）。最敏感的输入，贡献不一定最大。",
    ),
)

# ---------------------------------------------------------------------------------- the games

WEIGHTS = {"fingers": 0.1, "wlrec": 0.2, "nfans": 0.0}
LISTS = {  # as the article prints them: the first is short by one
    "fingers": (8.5, 9.5, 9.0),
    "wlrec": (0.65, 0.8, 0.8, 0.9),
    "nfans": (1.2, 1.3, 0.5, 1.0),
}
PREDICTIONS = (0.98, 1.11, 1.06)
SUM = r"\sum_i x_i w_i"


def predict(game: int) -> tuple[dict[str, Value], dict[str, Value], dict[str, Value], Value]:
    """The inputs of a game (counted from 0), the weights, the contributions, the prediction."""
    inputs = {name: Value(column[game], label=name) for name, column in LISTS.items()}
    weights = {name: Value(weight, label=f"w_{name}") for name, weight in WEIGHTS.items()}
    contributions = {}
    for i, name in enumerate(inputs, 1):
        contributions[name] = inputs[name] * weights[name]
        contributions[name].label = f"p_{i}"
    prediction = total([*contributions.values()], "prediction")
    return inputs, weights, contributions, prediction


def prediction_rows() -> list[Row]:
    """The predictions of the three games that have all their numbers."""
    return [
        exactly(
            Words(f"prediction for game {game}", f"第 {game} 场的预测值"),
            expected,
            predict(game - 1)[-1].data,
            formula=SUM,
        )
        for game, expected in enumerate(PREDICTIONS, 1)
    ]


def sensitivity_rows() -> list[Row]:
    """The gradients and contributions in the first game."""
    inputs, weights, contributions, prediction = predict(0)
    prediction.backward()
    rows = []
    for name in inputs:
        what = Words(f"∂prediction/∂{name}, its weight", f"∂prediction/∂{name}，即它的权重")
        is_printed = name == "wlrec"  # "the most sensitive input, 0.2"
        formula = "" if is_printed else r"\partial \mathit{prediction} / \partial x_i = w_i"
        rows.append(exactly(what, WEIGHTS[name], inputs[name].grad, formula=formula))
    for name, expected in zip(inputs, (0.85, 0.13, 0), strict=True):
        what = Words(f"contribution of {name}", f"{name} 的贡献")
        rows.append(exactly(what, expected, contributions[name].data, formula="x_i w_i"))
    for name in inputs:
        what = Words(f"∂prediction/∂w of {name}, the input", f"∂prediction/∂w（{name}），即输入")
        formula = r"\partial \mathit{prediction} / \partial w_i = x_i"
        rows.append(exactly(what, LISTS[name][0], weights[name].grad, formula=formula))
    return rows


def extremes() -> tuple[str, str]:
    """The most sensitive input of the first game, and the one with the largest contribution."""
    inputs, _, contributions, prediction = predict(0)
    prediction.backward()
    sensitive = max(inputs, key=lambda name: abs(inputs[name].grad))
    large = max(inputs, key=lambda name: abs(contributions[name].data))
    return sensitive, large


# -------------------------------------------------------------------------------- the vectors

VECTORS = {
    "a": (0, 1, 0, 1),
    "b": (1, 0, 1, 0),
    "c": (0, 1, 1, 0),
    "d": (0.5, 0, 0.5, 0),
    "e": (-1, 1, 0, 0),
}
SPOKEN = {("a", "b"): 0, ("b", "c"): 1, ("c", "d"): 0.5, ("e", "e"): 2}  # in the article's words
COMPUTED = {("b", "d"): 1, ("c", "c"): 2, ("d", "d"): 0.5, ("c", "e"): 1, ("d", "e"): -0.5}


def product(first: str, second: str) -> tuple[list[Value], Value]:
    """The dot product of two of `VECTORS`: the Values of the first one, and the product."""
    x = [Value(xi, label=f"{first}_{i}") for i, xi in enumerate(VECTORS[first], 1)]
    y = x
    if second != first:
        y = [Value(yi, label=f"{second}_{i}") for i, yi in enumerate(VECTORS[second], 1)]
    out = dot(x, y)
    out.label = "s"
    return x, out


def product_rows() -> list[Row]:
    """The dot products."""
    rows = []
    for pair, expected in (SPOKEN | COMPUTED).items():
        formula = "" if pair in SPOKEN else r"\sum_i {} {}".format(*(f"{x}_i" for x in pair))
        what = Words.same(f"${pair[0]} \\cdot {pair[1]}$")
        rows.append(exactly(what, expected, product(*pair)[1].data, formula=formula))
    return rows


def square_rows() -> list[Row]:
    """The gradient of a vector times itself."""
    c, square = product("c", "c")
    square.backward()
    return [
        exactly(
            Words.same(f"$\\partial (c \\cdot c) / \\partial {ci.label}$"),
            2 * expected,
            ci.grad,
            formula="2 c_i",
        )
        for ci, expected in zip(c, VECTORS["c"], strict=True)
    ]


# ---------------------------------------------------------------------------- weights as logic

Reading = Callable[[float, float], bool]
READINGS: dict[tuple[float, ...], tuple[str, Reading]] = {
    (1, 0, 1): ("input0 OR input2", lambda x0, x2: x0 >= 1 or x2 >= 1),
    (0, 0, 1): ("input2", lambda x0, x2: x2 >= 1),
    (1, 0, -1): ("input0 OR NOT input2", lambda x0, x2: x0 >= 1 or x2 < 1),
    (-1, 0, -1): ("NOT input0 OR NOT input2", lambda x0, x2: x0 < 1 or x2 < 1),
    (0.5, 0, 1): ("BIG input0 or input2", lambda x0, x2: x0 >= 2 or x2 >= 1),
}
NAMES = ("p", "q", "r", "s", "t")
INPUTS = ((0, 0), (0, 1), (1, 0), (1, 1))
BIG_INPUTS = (*INPUTS, (2, 0), (2, 1))


def score(weights: tuple[float, ...], x0: float, x2: float) -> float:
    """The weighted sum of input0 and input2; input1 has the weight 0 everywhere."""
    result: float = dot((x0, 1, x2), weights)
    return result


def holds(weights: tuple[float, ...], x0: float, x2: float) -> bool:
    """Whether one of the conditions holds: the score, plus 1 for each NOT, is at least 1."""
    return score(weights, x0, x2) + sum(w < 0 for w in weights) >= 1


def shown(weights: tuple[float, ...]) -> str:
    """A vector of weights in one line."""
    return " ".join(f"{w:g}" for w in weights).replace("-", "−")


def reading_rows() -> list[Row]:
    """Whether the score decides as the article reads the weights."""
    rows = []
    for weights, (reading, truth) in READINGS.items():
        inputs = BIG_INPUTS if 0.5 in weights else INPUTS
        agrees = all(holds(weights, *x) == truth(*x) for x in inputs)
        what = Words(
            f"({shown(weights)}) decides as {reading}, for all {len(inputs)} inputs",
            f"({shown(weights)}) 与“{reading}”的判断相同（共 {len(inputs)} 种输入）",
        )
        rows.append(Row(what, True, agrees, relation="is", source="ours"))
    return rows


# ------------------------------------------------------------------------------- the companion


def tell_games(report: Report) -> None:
    """The neuron, the lists, the predictions."""
    inputs, _, _, _ = predict(0)
    report.section("neuron", "A neuron weighs its inputs", "神经元给输入加权")
    report.say(
        "The article predicts how a team will do from three inputs: the mean number of fingers "
        "(fingers), the share of games won so far (wlrec) and the number of fans in millions "
        "(nfans). Each input has a weight: 0.1, 0.2 and 0. The prediction is the sum of the "
        "products.",
        "文章用三个输入预测一支球队的表现：平均手指数（fingers）、已胜场次的比例（wlrec）"
        "和以百万计的球迷数（nfans）。三个输入各有一个权重：0.1、0.2 和 0，"
        "预测值就是各乘积之和。",
    )
    report.formula(r"\mathit{prediction} = x_1 w_1 + x_2 w_2 + x_3 w_3", r"= \sum_i x_i w_i")
    report.figure(
        "neuron",
        partial(
            draw_neuron,
            [*WEIGHTS.values()],
            [x.data for x in inputs.values()],
            names=[*WEIGHTS],
            output="prediction",
        ),
        caption=Words(
            "The first game: three inputs, three weights, one prediction.",
            "第一场比赛：三个输入、三个权重、一个预测值。",
        ),
    )
    report.say(
        "The article prints 8.5, 9.5, 9.0 for fingers, 0.65, 0.8, 0.8, 0.9 for wlrec and "
        "1.2, 1.3, 0.5, 1.0 for nfans. The first list is short by one, so only three games "
        "have all their numbers. The program of the article computes the first.",
        "文章给出的数据是：fingers 为 8.5、9.5、9.0，wlrec 为 0.65、0.8、0.8、0.9，"
        "nfans 为 1.2、1.3、0.5、1.0。第一个列表少了一个数，所以只有三场比赛的数据是齐的；"
        "文章的程序算的是第一场。",
    )
    report.numbers(*prediction_rows())


def tell_sensitivity(report: Report) -> None:
    """Sensitivity and contribution."""
    sensitive, large = extremes()
    report.section("sensitivity", "Sensitivity and contribution", "敏感度与贡献")
    report.say(
        f"The prediction is most sensitive to {sensitive}, whose weight is the largest: a "
        "change of its input by 1 moves the prediction by 0.2. But most of the prediction "
        f"comes from {large}, whose product is the largest: 0.85 of 0.98.",
        f"预测值对 {sensitive} 最敏感，因为它的权重最大：它的输入每变化 1，预测值就变化 0.2。"
        f"但预测值主要来自 {large}，因为它的乘积最大：0.98 中占 0.85。",
    )
    inputs, weights, _, prediction = predict(0)
    report.figure(
        "sensitivity_and_contribution",
        partial(
            draw_dot_product,
            [x.data for x in inputs.values()],
            [*WEIGHTS.values()],
            names=("x", "w"),
            columns=[*WEIGHTS],
        ),
        caption=Words(
            "The row of weights $w$ is the sensitivity to each input, the row of products "
            "$x \\cdot w$ what each input contributes.",
            "权重 $w$ 这一行是对各个输入的敏感度，乘积 $x \\cdot w$ 这一行是各个输入的贡献。",
        ),
    )
    report.say(
        "Backpropagation finds both: the derivative with respect to an input is its weight, "
        "and with respect to a weight its input. A contribution is the value of a product.",
        "反向传播同时给出这两者：对输入求导得到权重，对权重求导得到输入；贡献就是乘积框里的数值。",
    )
    prediction.backward()
    report.derivation(
        "weighted_sum",
        prediction,
        [inputs["wlrec"], weights["wlrec"]],
        title=Words("The weighted sum of the first game", "第一场比赛的加权求和"),
        live="live",
    )
    report.page(
        "live",
        partial(live_page, prediction, learn=()),
        title=Words(
            "The first game, live: change its inputs and weights",
            "动手试一试：第一场比赛的输入和权重",
        ),
    )
    report.numbers(*sensitivity_rows())


def tell_vectors(report: Report) -> None:
    """The dot product as similarity."""
    report.section("vectors", "The weighted sum as similarity", "加权求和即相似度")
    listed = [f"${k} = ({', '.join(f'{x:g}' for x in v)})$" for k, v in VECTORS.items()]
    report.say(
        "A weighted sum is a dot product: it is large where inputs and weights are large in "
        f"the same places. The article compares five vectors: {', '.join(listed)}.",
        "加权求和就是点积：输入和权重在相同的位置上都大，结果才大。"
        f"文章比较了五个向量：{'、'.join(listed)}。",
    )
    for pair, caption in (
        (
            ("a", "b"),
            Words(
                "No place has a 1 in both vectors, so $a$ AND $b$ is false everywhere.",
                "没有哪一位同时为 1，所以 $a$ AND $b$ 逐位为假。",
            ),
        ),
        (
            ("c", "d"),
            Words(
                "Where $d$ is 0.5, half a weight earns half the score: a fuzzy AND.",
                "$d$ 在这一列只有 0.5，得分也只得一半，相当于打了折扣的 AND。",
            ),
        ),
        (
            ("c", "e"),
            Words(
                "The −1 of $e$ meets a 0 of $c$: there is nothing that it could cancel.",
                "$e$ 的 −1 遇到的是 $c$ 的 0：没有什么可以抵消。",
            ),
        ),
    ):
        draw = partial(draw_dot_product, VECTORS[pair[0]], VECTORS[pair[1]], names=pair)
        report.figure(f"product_{''.join(pair)}", draw, caption=caption)
    report.say(
        "The article calls $c \\cdot e$ the most interesting of all, because the negative "
        "weight cancels the positive one. With $e$ as printed it does not: the −1 stands in "
        "the first place, where $c$ is 0, and $c \\cdot e$ is 1. It would be 0 for "
        "$e = (0, 1, -1, 0)$. What a negative weight does is seen in $d \\cdot e = -0.5$: it "
        "acts as NOT and lowers the score where its input is on. The product of two NOTs is "
        "positive, so $e \\cdot e$ is 2.",
        "文章说 $c \\cdot e$ 最有意思：负权重抵消了正的部分。"
        "但按文中印出的 $e$ 并不会抵消：−1 在第一位，而 $c$ 的第一位是 0，"
        "所以 $c \\cdot e$ 是 1；"
        "如果 $e = (0, 1, -1, 0)$，结果才是 0。"
        "负权重的作用要看 $d \\cdot e = -0.5$：它相当于 NOT，对应的输入越大，得分越低。"
        "两个 NOT 相乘，负负得正，所以 $e \\cdot e$ 是 2。",
    )
    report.numbers(*product_rows())
    c, square = product("c", "c")
    square.backward()
    report.section("square", "A vector times itself", "向量与自身的点积")
    report.say(
        "Of all products with $c$, that with $c$ itself is the largest. In $c \\cdot c$ each "
        "component is used twice, once as an input and once as a weight. The two contributions "
        "to its derivative add up to $2 c_i$.",
        "在 $c$ 与各个向量的点积中，与它自身的点积最大。"
        "$c \\cdot c$ 中每个分量都用了两次，一次作输入，一次作权重；"
        "求导时两份贡献相加，得 $2 c_i$。",
    )
    report.derivation(
        "dot_product", square, c[1], title=Words("A vector times itself", "向量与自身的点积")
    )
    report.numbers(*square_rows())


def tell_logic(report: Report) -> None:
    """The weights read as logic."""
    report.section("logic", "Weights read as logic", "把权重读作逻辑")
    report.say(
        "The article reads five vectors of weights, for input0, input1 and input2, as logic:",
        "文章把五组权重（依次对应 input0、input1、input2）读作逻辑：",
    )
    names = dict(zip(READINGS, NAMES, strict=True))
    report.bullets(
        *(
            Words(
                f"${names[weights]} = ({', '.join(f'{w:g}' for w in weights)})$ reads {reading}",
                f"${names[weights]} = ({', '.join(f'{w:g}' for w in weights)})$ 读作 {reading}",
            )
            for weights, (reading, _) in READINGS.items()
        )
    )
    report.say(
        "A score is not yet true or false. A negative weight gives −1 where NOT should give 0, "
        "and 0 where it should give 1. So add 1 for each negative weight: the sum counts how "
        "many of the conditions hold, and OR is true if it is at least 1. With the weight 0.5, "
        "input0 must be 2 to count as much as input2: hence BIG.",
        "得分本身还不是真假。该由 NOT 得 0 的地方，负权重给出 −1；该得 1 的地方，给出 0。"
        "所以每有一个负权重就加 1，得到的就是成立的条件个数；至少有一个成立，OR 就为真。"
        "权重为 0.5 时，input0 要达到 2 才抵得上 input2，所以说是 BIG。",
    )
    report.figure(
        "logic",
        lambda **options: draw_table(
            INPUTS,
            {names[weights]: [score(weights, *x) for x in INPUTS] for weights in READINGS},
            names=["x_0", "x_2"],
            **options,
        ),
        caption=Words(
            "The scores of the five vectors; $x_0$ and $x_2$ are input0 and input2. The weight of "
            "input1 is 0 in all of them.",
            "五组权重的得分；$x_0$ 和 $x_2$ 即 input0 和 input2。input1 的权重都是 0。",
        ),
    )
    report.numbers(*reading_rows())


def run(out: Path | None = None) -> Report:
    """Compute the numbers of the article; write files into the folder `out` if it is given."""
    report = Report(ARTICLE, out)
    tell_games(report)
    tell_sensitivity(report)
    tell_vectors(report)
    tell_logic(report)
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
