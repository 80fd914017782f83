"""Figures of every kind, as functions of the options that all of them have."""

import math

from micrograd.drawing import (
    draw_curve,
    draw_dot_product,
    draw_layers,
    draw_losses,
    draw_matrices,
    draw_neuron,
    draw_points,
    draw_table,
    draw_threshold_neuron,
    draw_training_loop,
    draw_valley,
)
from nn import MLP, Layer, Neuron

BATCH = [(1, 2, 3, 2.5), (2, 5, -1, 2), (-1.5, 2.7, 3.3, -0.8)]
WEIGHTS = [(0.2, 0.8, -0.5, 1), (0.5, -0.91, 0.26, -0.5), (-0.26, -0.27, 0.17, 0.87)]
LINE = [(1, 2), (2, 4), (3, 6), (4, 8)]


def nearest(places):
    """The class of the corner that is nearest to each place."""
    return [(0, 1, 2, 0)[2 * (x > 0.5) + (y > 0.5)] for x, y in places]


ARC = [(i / 3, math.sin(i / 2)) for i in range(15)]
CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def layer():
    """The first layer of the article on dense layers."""
    made = Layer(4, 3, nonlin=False)
    for neuron, weights, bias in zip(made.neurons, WEIGHTS, (2, 3, 0.5), strict=True):
        neuron.b.data = bias
        for w, x in zip(neuron.w, weights, strict=True):
            w.data = x
    return made


def spread(model):
    """The model with weights that are different, large, small and negative."""
    for i, p in enumerate(model.parameters()):
        p.data = math.sin(3.7 * i) * 10 ** (i % 5 - 3)
    return model


def squared(w):
    """The loss of the article on fitting a line."""
    return sum((y - w * x) ** 2 for x, y in LINE) / 8


FIGURES = {
    "a linear neuron": lambda **o: draw_neuron(
        [0.1, 0.2, 0.0], [8.5, 0.65, 1.2], names=["fingers", "wlrec", "nfans"], **o
    ),
    "a neuron of nn": lambda **o: draw_neuron(
        spread(Neuron(3, activation="sigmoid")), [1, 0, 1], **o
    ),
    "a neuron of names": lambda **o: draw_neuron(["w1", "w2"], activation="gelu", **o),
    "a neuron of many inputs": lambda **o: draw_neuron(
        [math.sin(i) for i in range(12)], activation=lambda z: (2 * z).tanh(), **o
    ),
    "one input": lambda **o: draw_neuron([2.0], [-1e-9], **o),
    "AND": lambda **o: draw_threshold_neuron([1, 1], 1.5, [1, 0], **o),
    "a restaurant": lambda **o: draw_threshold_neuron(
        [3, 2, 1], 3.5, [1, 0, 1], names=["tasty", "near", "cheap"], **o
    ),
    "sizes": lambda **o: draw_layers([4, 3], **o),
    "two layers": lambda **o: draw_layers(spread(MLP(4, [3, 3])), **o),
    "a layer with its numbers": lambda **o: draw_layers(layer(), parameters=True, **o),
    "many neurons": lambda **o: draw_layers([20, 12, 10, 1], **o),
    "names of parameters": lambda **o: draw_layers([3, 4, 1], parameters=True, **o),
    "many names": lambda **o: draw_layers([20, 12], parameters=True, **o),
    "named inputs": lambda **o: draw_layers([3, 4, 1], names=["fingers", "wlrec", "nfans"], **o),
    "a layer in matrices": lambda **o: draw_matrices(layer(), BATCH, **o),
    "a network in matrices": lambda **o: draw_matrices(
        spread(MLP(4, [3, 3], activation="tanh")), BATCH, **o
    ),
    "large matrices": lambda **o: draw_matrices(
        spread(MLP(10, [9])), [[i * j / 7 for j in range(10)] for i in range(12)], **o
    ),
    "sigmoid": lambda **o: draw_curve("sigmoid", 1.0, over=(-6, 6), **o),
    "a step": lambda **o: draw_curve("step", **o),
    "a logarithm": lambda **o: draw_curve("log", 2, **o),
    "tan": lambda **o: draw_curve("tan", 0.5, **o),
    "a function of mine": lambda **o: draw_curve(
        lambda x: x * x * x - 3 * x, -0.5, over=(-2.5, 2.5), name="g", **o
    ),
    "a valley": lambda **o: draw_valley(squared, 0.0, lr=0.03, steps=20, **o),
    "a valley crossed": lambda **o: draw_valley(lambda w: (w - 2) ** 2, -1.0, lr=0.9, **o),
    "a valley visited": lambda **o: draw_valley(lambda w: w * w, [3, 2.5, 1, -0.5], **o),
    "a fitted line": lambda **o: draw_points(LINE, "line", **o),
    "residuals": lambda **o: draw_points(ARC, "line", residuals=True, **o),
    "linear and not": lambda **o: draw_points({"linear": LINE, "not linear": ARC}, "line", **o),
    "classes": lambda **o: draw_points(
        CORNERS, lambda x: 1.5 - x, labels=[0, 0, 0, 1], names=("x_1", "x_2"), **o
    ),
    "areas": lambda **o: draw_points(
        CORNERS, labels=[0, 1, 2, 0], regions=nearest, equal=True, **o
    ),
    "losses": lambda **o: draw_losses([4 * 0.97**i for i in range(200)], **o),
    "two losses": lambda **o: draw_losses(
        {
            "one point": [4 * 0.97**i for i in range(31)],
            "four points": [0.775**i for i in range(31)],
        },
        **o,
    ),
    "losses beside": lambda **o: draw_losses(
        {"one point": [2 * 0.97**i for i in range(31)], "a long title" * 9: [1e-9, 0]},
        name="e_1",
        by="epoch",
        beside=True,
        **o,
    ),
    "a training set": lambda **o: draw_table(
        [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)],
        {"y": [0, 1, 1, 0], "y_hat": [0.023, 0.979, 0.975, 0.025]},
        **o,
    ),
    "a truth table": lambda **o: draw_table(
        CORNERS, {"AND": lambda x: x[0] * x[1], "OR": max}, names=["a", "b"], **o
    ),
    "a dot product": lambda **o: draw_dot_product([0, 1, 1, 0], [-1, 1, 0, 0], **o),
    "contributions": lambda **o: draw_dot_product(
        [8.5, 0.65, 1.2], [0.1, -0.2, 0], names=("x", "w"), columns=["toes", "won", "fans"], **o
    ),
    "the loop": lambda **o: draw_training_loop(lr=0.03, iterations=100, **o),
    "the loop of a loss": lambda **o: draw_training_loop(names=("W_1", "loss"), **o),
    # Sizes, numbers and names that leave little room.
    "one loss": lambda **o: draw_losses([3.0], **o),
    "gaps": lambda **o: draw_losses([3.0, math.inf, 2.0, 1e-12], **o),
    "tiny losses": lambda **o: draw_losses([1e-12, 1e-13], **o),
    "likelihoods": lambda **o: draw_losses([-5, -6.5, -7], name="log_likelihood", **o),
    "six losses": lambda **o: draw_losses({f"loss number {i}": [i, 0] for i in range(6)}, **o),
    "one point": lambda **o: draw_points([(1, 1)], **o),
    "far apart": lambda **o: draw_points([(1e6, 1e-6), (2e6, 2e-6)], "line", **o),
    "four panels": lambda **o: draw_points(dict.fromkeys("abcd", LINE), "line", **o),
    "wide columns": lambda **o: draw_table(
        [[i / 3 for i in range(9)]] * 3, {"y": [1e-9, 0, 1]}, **o
    ),
    "one cell": lambda **o: draw_table([[1]], {}, **o),
    "one line": lambda **o: draw_layers([1, 1], **o),
    "a neuron as a layer": lambda **o: draw_layers(spread(Neuron(3)), parameters=True, **o),
    "tiny and large": lambda **o: draw_neuron(
        [1e-12, -123456.789, math.nan], [1e9, 2, 3], activation="log_ndtr", **o
    ),
    "ten inputs": lambda **o: draw_threshold_neuron([1] * 10, -0.123456, [1] * 10, **o),
    "poles": lambda **o: draw_curve("lgamma", 0.5, **o),
    "a wall": lambda **o: draw_curve("exp", over=(-50, 50), **o),
    "large numbers": lambda **o: draw_curve("square", 1000, over=(999, 1001), **o),
    "a constant": lambda **o: draw_curve(lambda x: 3.0, **o),
    "a flat valley": lambda **o: draw_valley(lambda w: w * 0 + 1, 1.0, steps=0, **o),
    "a part of a valley": lambda **o: draw_valley(lambda w: w * w, [0, 1], over=(0.5, 0.7), **o),
    "matrices of extremes": lambda **o: draw_matrices(
        spread(MLP(2, [2, 1], activation="relu")), [[1e-9, 1e9], [math.nan, 1]] * 9, **o
    ),
    "long names": lambda **o: draw_training_loop(
        lr=1e-5, names=("weight_of_the_layer", "loss_of_the_day"), **o
    ),
}

LONG_NAMES = {
    "en": (["fingers_of_the_team", "games_won_so_far", "fans in millions"], "prediction_of_a_team"),
    "zh": (["平均手指数", "已胜场次的比例", "以百万计的球迷人数"], "第一层神经元的输出"),
}


def _named(draw):
    """A figure with names of up to 20 letters, in the language of the figure."""
    return lambda lang="en", **o: draw(*LONG_NAMES[lang], lang=lang, **o)


NAMED = {
    "a neuron": _named(
        lambda names, out, **o: draw_neuron([0.1, 0.2, 0.0], [8.5, 0.65, 1.2], names=names,
                                            activation="sigmoid", output=out, **o)
    ),
    "weights": _named(lambda names, out, **o: draw_neuron(names, output=out, **o)),
    "a threshold": _named(
        lambda names, out, **o: draw_threshold_neuron([3, 2, 1], 3.5, [1, 0, 1], names=names, **o)
    ),
    "layers": _named(lambda names, out, **o: draw_layers([3, 4, 1], names=names, **o)),
    "a loop": _named(
        lambda names, out, **o: draw_training_loop(lr=0.03, names=(names[0], out), **o)
    ),
    "a valley": _named(
        lambda names, out, **o: draw_valley(squared, 0.0, lr=0.03, names=(names[0], out), **o)
    ),
    "points": _named(lambda names, out, **o: draw_points(ARC, "line", names=(names[0], out), **o)),
    "classes": _named(lambda names, out, **o: draw_points(CORNERS[1:], labels=names, **o)),
    "losses": _named(
        lambda names, out, **o: draw_losses({title: [3, 2, 1] for title in names}, name=out, **o)
    ),
    "a table": _named(
        lambda names, out, **o: draw_table([(0, 1, 2)], {out: [1], "y": [1]}, names=names, **o)
    ),
    "a dot product": _named(
        lambda names, out, **o: draw_dot_product(
            [8.5, 0.65, 1.2], [0.1, 0.2, 0], names=(names[0], out), columns=names, **o
        )
    ),
    "a curve": _named(lambda names, out, **o: draw_curve(lambda x: x * x, 1.0, name=out, **o)),
}  # fmt: skip
