"""Article 3: a line through the origin, fitted with one weight.

python -m examples.article_3_fitting_a_line [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from micrograd import Value

from ._common import ROUNDING, Article, Report, Row, descent, dot, exactly, main, printed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARTICLE = Article(
    number=3,
    title="Fitting a line with one weight",
    chinese="用一个权重拟合直线",
    claim=(
        "The line y = w x is fitted by gradient descent on J = mean((y - w x)**2) / 2, from w = 0\n"
        "with step 0.03. Each step multiplies the distance of w from 2 by 1 - 0.03 mean(x**2):\n"
        "0.97 for one point, 0.775 for four. More data are fitted in fewer steps here. What is y\n"
        "at x = 5?"
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


def drawn(points: Points) -> Value:
    """J at w = 0, with its gradients and the names of the formula."""
    w, errors = Value(0.0, label="w"), []
    for i, (x, y) in enumerate(points, 1):
        error = Value(y, label=f"y{i}") - w * Value(x, label=f"x{i}")
        error.label = f"error{i}"
        errors.append(error)
    j: Value = dot(errors, errors) / (2 * len(points))
    j.label = "J"
    j.backward()
    return j


def run(out: Path | None = None) -> Report:
    """The numbers of the article; its pictures go to the folder `out`, if one is given."""
    report = Report(ARTICLE, out)
    one, four = fit(ONE_POINT, 30), fit(FOUR_POINTS, 100)

    w = Value(0.0)
    cost(w, FOUR_POINTS).backward()
    report.rows += [
        exactly("four points: dJ/dw at w = 0, -mean(x y)", -15, w.grad),
        printed("one point: w after 30 iterations", "1.1979858629…", one[-1]),
        exactly("one point: w after 30 iterations, 2 (1 - 0.97**30)", 2 * (1 - 0.97**30), one[-1]),
        printed("four points: w after 100 iterations", "1.99999999998", four[-1]),
        exactly("four points: 2 - w after 20, 2 (0.775**20)", 2 * 0.775**20, 2 - four[20]),
        printed("four points: 2 - w after 20", "0.0122", 2 - four[20]),
        Row("one point: y at x = 5", 10 * (1 - 0.97**30), 5 * one[-1], 5 * ROUNDING),
        printed("four points: y at x = 5", "10.000000000", 5 * four[-1]),
    ]
    report.notes.append(
        f"y at x = 5: {5 * one[-1]:.4f} after 30 steps on one point, "
        f"{5 * four[-1]:.4f} after 100 steps on four."
    )

    report.graph("one_point", drawn(ONE_POINT))
    report.graph("four_points", drawn(FOUR_POINTS))

    def errors(figure: Figure) -> None:
        titles = ("one point, 30 iterations", "four points, 100 iterations")
        panels = zip(
            figure.subplots(1, 2, sharey=True),
            (one, four),
            (ONE_POINT, FOUR_POINTS),
            titles,
            strict=True,
        )
        for axes, weights, points, title in panels:
            x, y = points[0]
            axes.plot([y - w * x for w in weights], marker=".", markersize=4)
            axes.axhline(0, color="gray", linewidth=0.8)
            axes.set(title=title, xlabel="iteration")
            axes.grid(alpha=0.3)
        figure.axes[0].set_ylabel("error of the first point, y - w x")

    report.plot("error_of_the_first_point", errors)
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
