"""Article 1: one neuron is a weighted sum of its inputs.

python -m examples.article_1_weighted_sum [--out DIR]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from micrograd import Value

from ._common import Article, Report, dot, exactly, main

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARTICLE = Article(
    number=1,
    title="The weighted sum",
    chinese="一个神经元的加权求和",
    claim=(
        "A neuron predicts by weighing its inputs and adding up. A weight says how sensitive the\n"
        "prediction is to its input (the gradient); the product of input and weight says how much\n"
        "of the prediction comes from it (the contribution). The largest need not be the same."
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
    ("a", "b"): "no place has both, so a AND b is nowhere true",
    ("b", "c"): "one place has both",
    ("c", "d"): "half a truth in d counts as half: a fuzzy AND",
    ("e", "e"): "a negative number is a NOT, and NOT agrees with NOT",
}


def predict(game: int) -> tuple[dict[str, Value], dict[str, Value], dict[str, Value], Value]:
    """The inputs of a game (counted from 0), the weights, the contributions, the prediction."""
    inputs = {name: Value(column[game], label=name) for name, column in GAMES.items()}
    weights = {name: Value(weight, label=f"w_{name}") for name, weight in WEIGHTS.items()}
    contributions = {}
    for name in inputs:
        contributions[name] = inputs[name] * weights[name]
        contributions[name].label = f"{name} * w_{name}"
    toes, won, fans = contributions.values()
    prediction = toes + won + fans
    prediction.label = "prediction"
    return inputs, weights, contributions, prediction


def product(first: str, second: str) -> tuple[list[Value], Value]:
    """The dot product of two of `VECTORS`: the Values of the first one, and the product."""
    x = [Value(xi, label=f"{first}{i}") for i, xi in enumerate(VECTORS[first], 1)]
    y = x
    if second != first:
        y = [Value(yi, label=f"{second}{i}") for i, yi in enumerate(VECTORS[second], 1)]
    out = dot(x, y)
    out.label = f"{first} · {second}"
    return x, out


def run(out: Path | None = None) -> Report:
    """The numbers of the article; its pictures go to the folder `out`, if one is given."""
    report = Report(ARTICLE, out)
    rows, notes = report.rows, report.notes

    for game, expected in enumerate(PREDICTIONS):
        rows.append(exactly(f"prediction for game {game + 1}", expected, predict(game)[-1].data))

    inputs, weights, contributions, prediction = predict(0)
    prediction.backward()
    names = list(inputs)
    for name in names:
        what = f"d prediction / d {name}, the weight"
        rows.append(exactly(what, WEIGHTS[name], inputs[name].grad))
    for name, expected in zip(names, (0.85, 0.13, 0), strict=True):
        rows.append(exactly(f"contribution of {name}", expected, contributions[name].data))
    for name in names:
        what = f"d prediction / d w_{name}, the input"
        rows.append(exactly(what, GAMES[name][0], weights[name].grad))
    sensitive = max(names, key=lambda name: abs(inputs[name].grad))
    large = max(names, key=lambda name: abs(contributions[name].data))
    of = "of 1 toes, 2 won, 3 fans"
    rows.append(exactly(f"the most sensitive input, {of}", 2, names.index(sensitive) + 1))
    rows.append(exactly(f"the largest contribution, {of}", 1, names.index(large) + 1))
    notes.append(f"Most sensitive to {sensitive}, but most of the score comes from {large}.")

    for pair, expected in DOT_PRODUCTS.items():
        _, number = product(*pair)
        rows.append(exactly(" · ".join(pair), expected, number.data))
        if pair in READINGS:
            notes.append(f"{' · '.join(pair)} = {number.data:g}: {READINGS[pair]}.")
    c, square = product("c", "c")
    square.backward()
    for ci, expected in zip(c, VECTORS["c"], strict=True):
        rows.append(exactly(f"d (c · c) / d {ci.label}, twice {ci.label}", 2 * expected, ci.grad))

    report.graph("weighted_sum", prediction)
    report.graph("dot_product", square)

    def bars(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        left.bar(names, [inputs[name].grad for name in names], color="tab:orange")
        left.set_title("sensitivity: ∂prediction/∂input = weight")
        right.bar(names, [contributions[name].data for name in names], color="tab:blue")
        right.set_title("contribution: input · weight")

    report.plot("sensitivity_and_contribution", bars)
    return report


if __name__ == "__main__":
    raise SystemExit(main(run))
