"""Article 3: a line through the origin, fitted with one weight.

python -m examples.article_3_fitting_a_line [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from micrograd import Value, live_page
from micrograd.drawing import (
    draw_losses,
    draw_neuron,
    draw_points,
    draw_training_loop,
    draw_valley,
)
from nn import playground

from ._common import Article, Report, Row, Words, descent, dot, exactly, main, total

ARTICLE = Article(
    number=3,
    title=Words("Fitting a line with one weight", "用一个权重拟合直线"),
    claim=Words(
        "A neuron with one input and one weight fits the line $y = w \\cdot x$ by gradient "
        "descent. From one point it approaches $w = 2$ slowly; from four points on the same line "
        "it gets there in far fewer steps. What is $y$ at $x = 5$?",
        "只有一个输入和一个权重的神经元，用梯度下降拟合直线 $y = w \\cdot x$。"
        "只给一个点，$w$ 慢慢接近 2；给出同一条直线上的四个点，步数就少得多。"
        "那么 $x = 5$ 时，$y$ 是多少？",
    ),
)

Points = Sequence[tuple[float, float]]
ONE_POINT: Points = [(1, 2)]
FOUR_POINTS: Points = [(1, 2), (2, 4), (3, 6), (4, 8)]
STEP = 0.03
ITERATIONS = {1: 30, 4: 100}  # by the number of points
SOON = 20  # iterations after which the article calls the error small
QUESTION = 5

ONE = Words("one point", "一个点")
FOUR = Words("four points", "四个点")


# --------------------------------------------------------------------------- the mathematics


def cost(w: Value, points: Points) -> Value:
    """J: half the mean of the squared errors."""
    errors = [y - w * x for x, y in points]
    half_mean: Value = dot(errors, errors) / (2 * len(points))
    return half_mean


def fit(points: Points, iterations: int, step: float = STEP) -> list[float]:
    """The weight at the start and after each step."""
    w = Value(0.0)
    steps = descent([w], lambda: cost(w, points), step=step, iterations=iterations)
    return [w.data, *(w.data for _ in steps)]


def mean_square(points: Points) -> float:
    """The mean of x²."""
    return sum(x * x for x, _ in points) / len(points)


def drawn(points: Points) -> tuple[Value, Value]:
    """The weight at 0, and J with its gradients; the Values are named as in the formula."""
    w, squares = Value(0.0, label="w"), []
    for i, (x, y) in enumerate(points, 1):
        of = f"_{i}" if len(points) > 1 else ""
        prediction = w * Value(x, label=f"x{of}")
        error = Value(y, label=f"y{of}") - prediction
        prediction.label, error.label = f"y_hat{of}", f"e{of}"
        squares.append(error**2)
    j = (total(squares, "") if len(points) > 1 else squares[0]) / (2 * len(points))
    j.label = "J"
    j.backward()
    return w, j


# -------------------------------------------------------------------------------- the numbers


def start_row(who: Words, points: Points) -> Row:
    """The derivative at w = 0."""
    w = Value(0.0)
    cost(w, points).backward()
    expected = -sum(x * y for x, y in points) / len(points)
    what = Words(f"{who.en}: ∂J/∂w at w = 0", f"{who.zh}：w = 0 处的 ∂J/∂w")
    return exactly(what, expected, w.grad, formula=r"-\frac{1}{n}\sum_i x_i y_i")


def factor_row(who: Words, points: Points, weights: Sequence[float]) -> Row:
    """The factor by which the distance from 2 changes in a step."""
    what = Words(
        f"{who.en}: factor of 2 − w in the first step", f"{who.zh}：第一步使 2 − w 变为原来的几倍"
    )
    factor = (2 - weights[1]) / (2 - weights[0])
    expected = 1 - STEP * mean_square(points)
    return exactly(what, expected, factor, formula=r"1 - \frac{0.03}{n}\sum_i x_i^2")


def weight_row(who: Words, factor: str, after: int, weights: Sequence[float]) -> Row:
    """The weight after a number of iterations."""
    what = Words(f"{who.en}: w after {after} iterations", f"{who.zh}：迭代 {after} 次后的 w")
    expected = 2 * (1 - float(factor) ** after)
    return exactly(what, expected, weights[after], formula=f"2(1 - {factor}^{{{after}}})")


def error_row(who: Words, factor: str, after: int, weights: Sequence[float]) -> Row:
    """The error of the first point after a number of iterations."""
    what = Words(
        f"{who.en}: error of (1, 2) after {after} iterations",
        f"{who.zh}：迭代 {after} 次后点 (1, 2) 的误差",
    )
    formula = f"2 \\cdot {factor}^{{{after}}}"
    return exactly(what, 2 * float(factor) ** after, 2 - weights[after], formula=formula)


def answer_row(who: Words, factor: str, weights: Sequence[float]) -> Row:
    """The answer to the question of the article."""
    what = Words(f"{who.en}: y at x = {QUESTION}", f"{who.zh}：x = {QUESTION} 处的 y")
    after = len(weights) - 1
    expected = QUESTION * 2 * (1 - float(factor) ** after)
    formula = f"10(1 - {factor}^{{{after}}})"
    return exactly(what, expected, QUESTION * weights[-1], formula=formula)


def rate_rows() -> list[Row]:
    """What other learning rates do to four points."""
    rows = []
    for rate, shown, expected in ((1 / 7.5, "1/7.5", 2), (0.3, "0.3", 4.5)):
        what = Words(
            f"four points: w after one step at the rate {shown}",
            f"四个点：学习率为 {shown} 时，走一步后的 w",
        )
        rows.append(exactly(what, expected, fit(FOUR_POINTS, 1, rate)[-1], "ours"))
    return rows


# ------------------------------------------------------------------------------ the companion


def tell_neuron(report: Report) -> None:
    """The neuron and its loss."""
    report.section("neuron", "One input, one weight", "一个输入，一个权重")
    report.say(
        "The article begins with the simplest neuron there is: it multiplies its input by its "
        "weight. Its graph is a line through the origin, and the weight is the slope.",
        "文章从最简单的神经元开始：输入乘以权重，就是输出。它的图像是一条过原点的直线，"
        "权重就是斜率。",
    )
    report.formula(r"ŷ = w \cdot x")
    report.figure(
        "neuron",
        partial(draw_neuron, ["w"], names=["x"], output="y_hat"),
        caption=Words(
            "The neuron: one input, one weight, no bias.", "神经元：一个输入，一个权重，没有偏置。"
        ),
    )
    report.say(
        "How far a prediction is from the true value is the error $y - w \\cdot x$. The loss "
        "$J$ is half the mean of the squared errors; the half only serves to cancel the 2 "
        "that comes from the square.",
        "预测值与真实值之差是误差 $y - w \\cdot x$。损失 $J$ 是误差平方的平均值的一半；"
        "取一半，只是为了消去平方求导时出现的 2。",
    )
    report.formula(
        r"e_i = y_i - w \cdot x_i",
        r"J = \frac{1}{2} \cdot \frac{1}{n}\sum_{i=1}^{n} e_i^2",
    )


def tell_descent(report: Report) -> None:
    """The gradient, and the steps of training."""
    report.section("descent", "Descending along the gradient", "沿梯度下降")
    report.say(
        "The derivative of $J$ says in which direction it grows. For one point the chain rule "
        "has three factors: from $J$ to the error, from the error to the prediction, from the "
        "prediction to the weight.",
        "$J$ 的导数说明它往哪个方向增大。只有一个点时，链式法则有三个因子："
        "从 $J$ 到误差，从误差到预测值，从预测值到权重。",
    )
    w, j = drawn(ONE_POINT)
    report.derivation(
        "one_point",
        j,
        w,
        title=Words("The gradient for one point", "一个点时的梯度"),
        live="live",
    )
    report.say(
        "Each step moves the weight against the gradient, by the gradient times the learning "
        "rate 0.03. The steps of the article, in a loop:",
        "每一步都让权重朝梯度的反方向移动，移动的量是梯度乘以学习率 0.03。"
        "文章列出的各个步骤构成一个循环：",
    )
    report.formula(
        r"w \leftarrow w - 0.03 \cdot \frac{\partial J}{\partial w}",
    )
    report.figure(
        "steps",
        partial(draw_training_loop, lr=STEP, names=("w", "J")),
        caption=Words(
            "The steps: predict, measure the loss, find its gradient, update the weight, repeat.",
            "步骤：预测，计算损失，求梯度，更新权重，如此反复。",
        ),
    )


def tell_one_point(report: Report, one: Sequence[float]) -> None:
    """30 iterations on one point."""
    report.section("one-point", "One point, 30 iterations", "一个点，迭代 30 次")
    report.say(
        "The first data set is the single point $(1, 2)$, and the weight starts at 0. The "
        "gradient is $-(2 - w)$, so each step takes away 3% of the distance from 2: the "
        "distance is multiplied by 0.97. After $n$ steps it is $2 \\cdot 0.97^n$.",
        "第一组数据只有一个点 $(1, 2)$，权重从 0 开始。梯度是 $-(2 - w)$，"
        "所以每一步都把 $w$ 与 2 的差缩小 3%，即变为原来的 0.97 倍；"
        "$n$ 步之后，差是 $2 \\cdot 0.97^n$。",
    )
    report.formula(
        r"2 - w_{n+1} = (1 - 0.03)(2 - w_n)",
        r"w_n = 2(1 - 0.97^n)",
    )
    report.figure(
        "valley_of_one_point",
        partial(draw_valley, partial(cost, points=ONE_POINT), one, over=(-0.5, 4.5)),
        caption=Words(
            "The loss by weight, and the 30 steps. They get shorter as the slope gets smaller, "
            "and after 30 of them the bottom at 2 is still far.",
            "损失随权重的变化，以及走过的 30 步。坡越缓，步子越小；走完 30 步，"
            "离谷底 $w = 2$ 还很远。",
        ),
    )
    report.numbers(
        start_row(ONE, ONE_POINT),
        factor_row(ONE, ONE_POINT, one),
        error_row(ONE, "0.97", SOON, one),
        error_row(ONE, "0.97", ITERATIONS[1], one),
        weight_row(ONE, "0.97", ITERATIONS[1], one),
    )


def tell_four_points(report: Report, one: Sequence[float], four: Sequence[float]) -> None:
    """100 iterations on four points, beside the 30 on one."""
    report.section("four-points", "Four points, 100 iterations", "四个点，迭代 100 次")
    report.say(
        "The second data set has four points of the same line: $(1, 2)$, $(2, 4)$, $(3, 6)$ "
        "and $(4, 8)$. Each of them has a path of its own from $w$ to $J$, and the gradient is "
        "the mean of what the four contribute.",
        "第二组数据是同一条直线上的四个点：$(1, 2)$、$(2, 4)$、$(3, 6)$ 和 $(4, 8)$。"
        "每个点都有一条从 $w$ 到 $J$ 的路径，梯度是四份贡献的平均值。",
    )
    w, j = drawn(FOUR_POINTS)
    report.derivation(
        "four_points",
        j,
        w,
        title=Words("The gradient for four points", "四个点时的梯度"),
        live="live",
    )
    x, y = zip(*FOUR_POINTS, strict=True)
    report.page(
        "live",
        partial(live_page, drawn(ONE_POINT)[1], learn="w", data={"x": x, "y": y}, rate=STEP),
        title=Words(
            "The four points, live: descend into the valley", "动手试一试：四个点的梯度下降"
        ),
    )

    def losses(*, lang: str, **options: Any) -> Any:
        errors = {
            ONE.within(lang): [2 - w for w in one],
            FOUR.within(lang): [2 - w for w in four],
        }
        return draw_losses(errors, name="e_1", beside=True, lang=lang, **options)

    report.figure(
        "error_of_the_first_point",
        losses,
        caption=Words(
            "The error $e_1 = 2 - w$ of the point $(1, 2)$ by iteration: fitted to one point for "
            "30 iterations, and to four points for 100.",
            "点 $(1, 2)$ 的误差 $e_1 = 2 - w$ 随迭代次数的变化："
            "一个点迭代 30 次，四个点迭代 100 次。",
        ),
    )
    report.say(
        f"The article says that the error is small after about {SOON} iterations. For four "
        f"points it is: {2 - four[SOON]:.4f}. For one point it is still {2 - one[SOON]:.4f}, "
        "more than half of the 2 it began with.",
        f"文章说，大约迭代 {SOON} 次之后误差就很小了。用四个点时的确如此："
        f"误差是 {2 - four[SOON]:.4f}。只用一个点时，误差还有 {2 - one[SOON]:.4f}，"
        "比最初的 2 的一半还多。",
    )
    report.numbers(
        start_row(FOUR, FOUR_POINTS),
        factor_row(FOUR, FOUR_POINTS, four),
        error_row(FOUR, "0.775", SOON, four),
        weight_row(FOUR, "0.775", ITERATIONS[4], four),
    )


def tell_why(report: Report, four: Sequence[float]) -> None:
    """Why four points are fitted in fewer steps."""
    report.section("why", "Why four points are faster", "四个点为什么更快")
    report.say(
        "It is not the number of points. All of them lie on $y = 2x$, so the error of each is "
        "$(2 - w) x_i$, and the gradient is $-(2 - w)$ times the mean of $x^2$. That mean is 1 "
        "for the one point and 7.5 for the four: the steps become 7.5 times as long. Four "
        "copies of the point $(1, 2)$ would be no faster than one.",
        "原因并不是点多。所有的点都在 $y = 2x$ 上，每个点的误差是 $(2 - w) x_i$，"
        "所以梯度是 $-(2 - w)$ 乘以 $x^2$ 的均值。这个均值从一个点时的 1 变成了四个点时的 7.5，"
        "步子也就大到 7.5 倍。如果把点 $(1, 2)$ 重复四次，并不会比一个点更快。",
    )
    report.formula(
        r"\frac{\partial J}{\partial w} = -\frac{1}{n}\sum_i x_i (y_i - w x_i)",
        r"= -(2 - w) \cdot \frac{1}{n}\sum_i x_i^2",
        r"2 - w_{n+1} = (1 - 0.03 \cdot 7.5)(2 - w_n)",
        r"= 0.775 (2 - w_n)",
    )
    report.figure(
        "valley_of_four_points",
        partial(draw_valley, partial(cost, points=FOUR_POINTS), four[: SOON + 1], over=(-0.5, 4.5)),
        caption=Words(
            "The valley of four points is 7.5 times as steep; the first 20 steps lead almost "
            "to its bottom.",
            "四个点的山谷，陡度是一个点的 7.5 倍；走完 20 步就快到谷底了。",
        ),
    )
    report.say(
        "The mean of $x^2$ also says which learning rates work. At the rate $1 / 7.5$ the "
        "factor is 0, and the first step hits $w = 2$. At $2 / 7.5 \\approx 0.267$ it is −1, "
        "and above that each step jumps farther away on the other side: a step at the rate "
        "0.3 goes from 0 to 4.5.",
        "学习率能取多大，也由 $x^2$ 的均值决定。学习率为 $1 / 7.5$ 时，倍数是 0，"
        "第一步就到达 $w = 2$；为 $2 / 7.5 \\approx 0.267$ 时，倍数是 −1；"
        "再大，每一步就会跳到另一侧更远的地方：学习率为 0.3 时，第一步从 0 跳到 4.5。",
    )
    four_copies = fit(list(ONE_POINT) * 4, ITERATIONS[1])
    what = Words(
        "four copies of (1, 2): w after 30 iterations", "(1, 2) 重复四次：迭代 30 次后的 w"
    )
    report.numbers(
        exactly(what, 2 * (1 - 0.97**30), four_copies[-1], "ours"),
        *rate_rows(),
    )


def tell_question(report: Report, one: Sequence[float], four: Sequence[float]) -> None:
    """What y is at x = 5."""
    report.section("question", "What is y at x = 5?", "x = 5 时，y 是多少？")
    report.say(
        "The article asks this of the trained neuron, whose answer is $5w$. After 30 "
        f"iterations on one point that is {QUESTION * one[-1]:.2f}, since the weight has got "
        f"no farther than {one[-1]:.3f}; after 100 iterations on four points it differs from "
        "10 by less than $10^{-10}$.",
        "文章用这个问题来检验训练好的神经元，答案是 $5w$。一个点迭代 30 次后，"
        f"权重只到 {one[-1]:.3f}，答案是 {QUESTION * one[-1]:.2f}；"
        "四个点迭代 100 次后，答案与 10 相差不到 $10^{-10}$。",
    )
    report.figure(
        "line_of_one_point",
        partial(draw_points, [*FOUR_POINTS, (QUESTION, 10)], lambda x: one[-1] * x, residuals=True),
        caption=Words(
            "The line after 30 iterations on one point: it runs below all points, and at $x = 5$ "
            "it is far from 10.",
            "一个点迭代 30 次后的直线：它位于所有点的下方，在 $x = 5$ 处离 10 还很远。",
        ),
    )
    report.figure(
        "line_of_four_points",
        partial(draw_points, [*FOUR_POINTS, (QUESTION, 10)], lambda x: four[-1] * x),
        caption=Words(
            "The line after 100 iterations on four points goes through all of them, and on to "
            "$(5, 10)$.",
            "四个点迭代 100 次后的直线：它穿过四个点，再延伸到 $(5, 10)$。",
        ),
    )
    report.numbers(answer_row(ONE, "0.97", one), answer_row(FOUR, "0.775", four))
    report.page(
        "playground",
        partial(playground, kind="regression", data="line", layers=[]),
        title=Words("Playground: fit other lines and curves", "游乐场：拟合别的直线和曲线"),
        in_frame=False,
    )


def run(out: Path | None = None) -> Report:
    """Compute the numbers of the article; write files into the folder `out` if it is given."""
    report = Report(ARTICLE, out)
    one, four = fit(ONE_POINT, ITERATIONS[1]), fit(FOUR_POINTS, ITERATIONS[4])
    tell_neuron(report)
    tell_descent(report)
    tell_one_point(report, one)
    tell_four_points(report, one, four)
    tell_why(report, four)
    tell_question(report, one, four)
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
