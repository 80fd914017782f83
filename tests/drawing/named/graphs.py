"""The graphs of the five articles, with the names of their formulas, and random graphs."""

import random

from micrograd import Value, dot


def leaves(**numbers):
    return [Value(number, label=name) for name, number in numbers.items()]


def called(label, value):
    value.label = label
    return value


def weighted_sum():
    x = leaves(fingers=8.5, wlrec=0.65, nfans=1.2)
    w = leaves(w_fingers=0.1, w_wlrec=0.2, w_nfans=0.0)
    return called("prediction", dot(x, w))


def contributions():
    x, w = leaves(toes=8.5, won=0.65, fans=1.2), leaves(w_1=0.1, w_2=0.2, w_3=0.0)
    parts = [called(f"{a.label} * {b.label}", a * b) for a, b in zip(x, w, strict=True)]
    return called("prediction", parts[0] + parts[1] + parts[2])


def square():
    c = leaves(c1=0.0, c2=1.0, c3=1.0, c4=0.0)
    return called("product", dot(c, c))


def restaurant():
    x, w = leaves(tasty=1.0, near=0.0, cheap=1.0), leaves(w1=3.0, w2=2.0, w3=1.0)
    z = called("z", dot(x, w) - Value(3.5, label="threshold"))
    return called("go", z.step())


def one_layer():
    x, w = leaves(x1=0.0, x2=1.0, x3=1.0), leaves(w1=0.2, w2=0.5, w3=0.1)
    y = called("ŷ", called("z", dot(x, w)).sigmoid())
    error = called("error", Value(1.0, label="y") - y)
    return called("loss", error**2)


def two_layers():
    x = leaves(x1=0.0, x2=1.0, x3=1.0)
    hidden = []
    for j in range(1, 5):
        w = [Value(0.1 * i + 0.03 * j, label=f"w^{{(1)}}_{{{i}{j}}}") for i in (1, 2, 3)]
        hidden.append(called(f"h_{j}", called(f"z_{j}", dot(x, w)).sigmoid()))
    u = [Value(0.1346 * j, label=f"w^{{(2)}}_{j}") for j in range(1, 5)]
    y = called("ŷ", called("z", dot(hidden, u)).sigmoid())
    return called("L", (y - Value(1.0, label="y")) ** 2)


def four_points():
    w, squares = Value(0.0, label="w"), []
    for i, (x, y) in enumerate([(1, 2), (2, 4), (3, 6), (4, 8)], 1):
        prediction = called(f"ŷ{i}", w * Value(x, label=f"x{i}"))
        squares.append(called(f"e{i}", Value(y, label=f"y{i}") - prediction) ** 2)
    return called("J", (squares[0] + squares[1] + squares[2] + squares[3]) / 8)


def one_sample():
    x = leaves(x1=1.0, x2=1.0, x3=1.0)
    w = leaves(w1=-0.16595599, w2=0.44064899, w3=-0.99977125)
    y = called("ŷ", called("z", dot(x, w)).sigmoid())
    return called("loss", (Value(1.0, label="y") - y) ** 2 / 2)


def dense_layer():
    x = leaves(x1=1.0, x2=2.0, x3=3.0, x4=2.5)
    outputs = []
    for i in range(1, 4):
        w = [Value(0.13 * i - 0.2 * j, label=f"w{i}{j}") for j in range(1, 5)]
        outputs.append(called(f"out{i}", dot(x, w) + Value(0.5 * i, label=f"b{i}")))
    return called("sum", outputs[0] + outputs[1] + outputs[2])


def dead_neuron():
    x, w = leaves(x1=1.0, x2=2.0), leaves(w1=0.5, w2=-0.91)
    return called("activation", called("z", dot(x, w) + Value(0.0, label="b")).relu())


def cross_entropy():
    z = leaves(z1=0.5, z2=1.0, z3=-1.0)
    e = [called(f"e{i}", each.exp()) for i, each in enumerate(z, 1)]
    total = called("total", e[0] + e[1] + e[2])
    return called("loss", -called("p1", e[0] / total).log())


def chinese():
    x, w, b = leaves(输入=2.0, 权重=-0.5, 偏置=0.25)
    y = called("激活值", called("加权和", x * w + b).tanh())
    return called("损失", (y - Value(1.0, label="目标")) ** 2)


ARTICLES = {
    build.__name__: build
    for build in (weighted_sum, contributions, square, restaurant, one_layer, two_layers)
}
ARTICLES |= {build.__name__: build for build in (four_points, one_sample, dense_layer)}
ARTICLES |= {build.__name__: build for build in (dead_neuron, cross_entropy, chinese)}

NAMES = (
    "x",
    "w",
    "y_hat",
    "theta_0",
    "w^{(1)}_{12}",
    "损失",
    "a long name of a value",
    "x * y",
    "",
)


def chance(seed, size=14):
    """A random graph; the same seed gives the same graph."""
    rng = random.Random(seed)
    nodes = [Value(rng.uniform(-2, 2), label=f"{rng.choice(NAMES)}") for _ in range(4)]
    for i in range(size):
        x, y = rng.choice(nodes[-6:]), rng.choice(nodes)
        operation = rng.choice(("+", "*", "-", "tanh", "exp", "/"))
        made = {
            "+": lambda x=x, y=y: x + y,
            "*": lambda x=x, y=y: x * y,
            "-": lambda x=x, y=y: 2 - x * y,
            "tanh": lambda x=x: x.tanh(),
            "exp": lambda x=x: (x * 0.1).exp(),
            "/": lambda x=x, y=y: x / (y * y + 1),
        }[operation]()
        made.label = rng.choice((f"v_{i}", "", rng.choice(NAMES)))
        nodes.append(made)
    return nodes[-1]
