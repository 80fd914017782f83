"""Article 3: a line through the origin, fitted with one weight.

python -m examples.article_3_fitting_a_line [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from micrograd import Value
from micrograd.drawing import draw_losses

from ._common import (
    ROUNDING,
    Article,
    Report,
    Row,
    Words,
    descent,
    dot,
    exactly,
    main,
    printed,
    total,
)

ARTICLE = Article(
    number=3,
    title=Words("Fitting a line with one weight", "用一个权重拟合直线"),
    claim=Words(
        "The line y = w x is fitted by gradient descent on J = mean((y - w x)**2) / 2, from w = 0\n"
        "with step 0.03. Each step multiplies the difference between w and the true 2 by\n"
        "1 - 0.03 mean(x**2): 0.97 for one point, 0.775 for four. Four points take fewer steps\n"
        "because the mean of x**2 is 7.5 instead of 1, not merely because there are more of them.\n"
        "What is y at x = 5?",
        "用梯度下降拟合过原点的直线 y = w·x：J 是 (y − w·x)² 的平均值的一半，w 从 0 开始，"
        "步长 0.03。每走一步，w 与真值 2 的差就变为原来的 1 − 0.03·mean(x²) 倍："
        "一个点时是 0.97，四个点时是 0.775。"
        "收敛变快，是因为 x² 的均值从 1 变成了 7.5，并不单是因为点多。那么 x = 5 时，y 是多少？",
    ),
)

Points = Sequence[tuple[float, float]]
ONE_POINT: Points = [(1, 2)]
FOUR_POINTS: Points = [(1, 2), (2, 4), (3, 6), (4, 8)]
STEP = 0.03


def cost(w: Value, points: Points) -> Value:
    """J: half the mean of the squared errors."""
    errors = [y - w * x for x, y in points]
    half_mean: Value = dot(errors, errors) / (2 * len(points))
    return half_mean


def fit(points: Points, iterations: int) -> list[float]:
    """The weight at the start and after each step."""
    w = Value(0.0)
    steps = descent([w], lambda: cost(w, points), step=STEP, iterations=iterations)
    return [w.data, *(w.data for _ in steps)]


def drawn(points: Points) -> tuple[Value, Value]:
    """The weight at 0, and J with its gradients; the Values are named as in the formula."""
    w, squares = Value(0.0, label="w"), []
    for i, (x, y) in enumerate(points, 1):
        prediction = w * Value(x, label=f"x{i}")
        error = Value(y, label=f"y{i}") - prediction
        squares.append(error**2)
        prediction.label, error.label, squares[-1].label = f"ŷ{i}", f"e{i}", f"q{i}"
    j = total(squares, f"s{len(points)}") / (2 * len(points))
    j.label = "J"
    j.backward()
    return w, j


def number_rows(one: Sequence[float], four: Sequence[float]) -> list[Row]:
    """The rows of both fits; `one` and `four` list the weight at the start and after each step."""
    w = Value(0.0)
    cost(w, FOUR_POINTS).backward()
    after_30 = Words("one point: w after 30 iterations", "一个点：迭代 30 次后的 w")
    after_20 = Words("four points: 2 - w after 20", "四个点：迭代 20 次后的 2 − w")
    return [
        exactly(
            Words(
                "four points: dJ/dw at w = 0, -mean(x y)", "四个点：w = 0 处的 dJ/dw，即 −mean(x·y)"
            ),
            -15,
            w.grad,
            formula=r"-\frac{1}{n}\sum_i x_i y_i",
        ),
        exactly(
            Words(f"{after_30.en}, 2 (1 - 0.97**30)", f"{after_30.zh}，即 2(1 − 0.97³⁰)"),
            2 * (1 - 0.97**30),
            one[-1],
            formula=r"2(1 - 0.97^{30})",
        ),
        printed(
            Words("four points: w after 100 iterations", "四个点：迭代 100 次后的 w"),
            "1.99999999998",
            four[-1],
            formula=r"2(1 - 0.775^{100})",
        ),
        exactly(
            Words(f"{after_20.en}, 2 (0.775**20)", f"{after_20.zh}，即 2·0.775²⁰"),
            2 * 0.775**20,
            2 - four[20],
            formula=r"2 \cdot 0.775^{20}",
        ),
        Row(
            Words("one point: y at x = 5", "一个点：x = 5 处的 y"),
            10 * (1 - 0.97**30),
            5 * one[-1],
            5 * ROUNDING,
            source="formula",
            formula="5w",
        ),
        printed(
            Words("four points: y at x = 5", "四个点：x = 5 处的 y"),
            "10.000000000",
            5 * four[-1],
            formula="5w",
        ),
    ]


def derivations(report: Report) -> None:
    """J for one point and for four."""
    w, j = drawn(ONE_POINT)
    report.say(
        Words(
            "e₁ is the error y₁ − ŷ₁ and q₁ its square. A single path leads from w to J.",
            "e₁ 是误差 y₁ − ŷ₁，q₁ 是它的平方。从 w 到 J 只有一条路径。",
        ),
    )
    report.derivation(
        "one_point",
        j,
        w,
        title=Words("One point", "一个点"),
    )
    w, j = drawn(FOUR_POINTS)
    report.say(
        Words(
            "Each point has a path of its own from w to J; s₂, s₃ and s₄ are the partial sums of "
            "the squares. At w the four contributions are added, and the arrows that leave w show "
            "them.",
            "每个点都有一条从 w 到 J 的路径，s₂、s₃、s₄ 是各误差平方的部分和。"
            "四份贡献在 w 处相加，从 w 出发的箭头上标出了每一份。",
        ),
    )
    report.derivation(
        "four_points",
        j,
        w,
        title=Words("Four points: paths meet", "四个点：路径汇合"),
    )


def run(out: Path | None = None) -> Report:
    """Compute the numbers of the article; write files into the folder `out` if it is given."""
    report = Report(ARTICLE, out)
    one, four = fit(ONE_POINT, 30), fit(FOUR_POINTS, 100)
    report.numbers(*number_rows(one, four))
    report.say(
        Words(
            f"y at x = 5: {5 * one[-1]:.4f} after 30 steps on one point, "
            f"{5 * four[-1]:.4f} after 100 steps on four.",
            f"x = 5 处的 y：一个点迭代 30 次得 {5 * one[-1]:.4f}，"
            f"四个点迭代 100 次得 {5 * four[-1]:.4f}。",
        )
    )
    derivations(report)

    x, y = FOUR_POINTS[0]
    errors = {
        "one point": [y - w * x for w in one],
        "four points": [y - w * x for w in four[: len(one)]],
    }
    report.figure(
        "error_of_the_first_point",
        partial(draw_losses, errors, name="y - w x"),
        caption=Words(
            "The error y − w x of the first point by iteration: fitted to one point (left) and to "
            "four (right).",
            "第一个点的误差 y − w·x 随迭代次数的变化：左边只用一个点，右边用四个点。",
        ),
    )
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
