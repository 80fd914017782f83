"""Gradients of random graphs agree with independent references, exactly or within a bound."""

import math
import operator
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd
from micrograd import Value
from micrograd.engine import value
from tests.engine.common import same

# ------------------------------------------------------------- an independent oracle, exact numbers


@st.composite
def recipes(draw, operations, leaves=(1, 4), size=(1, 25)):
    """A random graph as data: the number of leaves; operation, operand and operand of each node."""
    width = draw(st.integers(*leaves))
    steps = draw(st.integers(*size))
    return width, [
        (draw(st.sampled_from(operations)), *draw(st.tuples(*[st.integers(0, width + i - 1)] * 2)))
        for i in range(steps)
    ]


INTEGER_RULES = {
    "add": (lambda x, y: x + y, lambda x, y: (1, 1)),
    "sub": (lambda x, y: x - y, lambda x, y: (1, -1)),
    "mul": (lambda x, y: x * y, lambda x, y: (y, x)),
    "neg": (lambda x, y: -x, lambda x, y: (-1, 0)),
    "relu": (lambda x, y: max(x, 0), lambda x, y: (int(x > 0), 0)),
    "plus 3": (lambda x, y: x + 3, lambda x, y: (1, 0)),
    "5 minus": (lambda x, y: 5 - x, lambda x, y: (-1, 0)),
    "where": (lambda x, y: x if x > y else y * 2, lambda x, y: (1, 0) if x > y else (0, 2)),
}
ON_VALUES = {
    name: rule[0] for name, rule in INTEGER_RULES.items() if name not in ("relu", "where")
} | {
    "relu": lambda x, y: x.relu(),
    "where": lambda x, y: micrograd.where(x > y, x, y * 2),
}


def replay(recipe, numbers, rules):
    """All values of the graph, the leaves first."""
    nodes = list(numbers)
    for operation, i, j in recipe:
        nodes.append(rules[operation](nodes[i], nodes[j]))
    return nodes


def integer_adjoints(recipe, data):
    """Adjoints in exact integers; and the largest sum of absolute contributions to any of them."""
    adjoints, sizes = [0] * len(data), [0] * len(data)
    adjoints[-1] = sizes[-1] = 1
    for number in reversed(range(len(recipe))):
        operation, i, j = recipe[number]
        out = len(data) - len(recipe) + number
        for operand, slope in zip(
            (i, j), INTEGER_RULES[operation][1](data[i], data[j]), strict=True
        ):
            adjoints[operand] += slope * adjoints[out]
            sizes[operand] += abs(slope) * sizes[out]
    return adjoints, max(sizes)


@pytest.mark.slow
@given(recipes(sorted(INTEGER_RULES)), st.lists(st.integers(-3, 3), min_size=4, max_size=4))
def test_gradients_of_random_graphs_of_integers_are_exact(graph, numbers):
    width, recipe = graph
    data = replay(recipe, numbers[:width], {name: rule[0] for name, rule in INTEGER_RULES.items()})
    expected, size = integer_adjoints(recipe, data)
    if max(map(abs, data)) >= 2**53 or size >= 2**53:
        return  # larger numbers would be rounded
    leaves = [Value(number) for number in numbers[:width]]
    nodes = replay(recipe, leaves, ON_VALUES)
    assert [node.data for node in nodes] == data
    nodes[-1].backward()
    assert [leaf.grad for leaf in leaves] == expected[:width]
    below = set(value.order(nodes[-1]))
    assert all(
        node.grad == adjoint for node, adjoint in zip(nodes, expected, strict=True) if node in below
    )


# ---------------------------------------------------- an independent oracle, with an error bound
# The reference computes in decimals of 40 digits. Each number has a bound on the error of binary64
# arithmetic, by running error analysis to second order, since the first order vanishes where a
# difference that cancels is squared:
#     error(out)     <= sum |partial| error(operand) + 4 u |out|
#                       + sum |second partial| error(operand) error(operand) / 2
#     error(partial) <= sum |second partial| error(operand) + 4 u (|partial| + 1)
#     error(adjoint) <= sum (|partial| + error(partial)) error(adjoint out)
#                       + |adjoint out| error(partial) + 2 u |term|
# where u = 2 ** -53. Functions of the C library are assumed to be accurate to 2 ulp; the term 1
# covers the cancellation in `1 - out * out`. A factor of 2 covers terms of higher order, and TINY
# covers underflow.

U, TINY = Decimal(2) ** -53, Decimal(2) ** -1000


def sigmoid(x):
    return 1 / (1 + (-x).exp())


def tanh(x):
    return 2 * sigmoid(2 * x) - 1 if abs(x) > Decimal("1e-10") else x - x**3 / 3


def smooth(first, second):
    """A rule of one operand, from the functions of (x, out) for its partial and second partial."""
    return (
        lambda x, y, out: (first(x, out), Decimal(0)),
        lambda x, y, out: ((second(x, out), Decimal(0)), (Decimal(0), Decimal(0))),
    )


def flat(slope_x, slope_y):
    return (
        lambda x, y, out: (Decimal(slope_x), Decimal(slope_y)),
        lambda x, y, out: ((Decimal(0),) * 2,) * 2,
    )


SMOOTH = {  # domain, formula, partials, second partials
    "add": (lambda x, y: True, lambda x, y: x + y, *flat(1, 1)),
    "sub": (lambda x, y: True, lambda x, y: x - y, *flat(1, -1)),
    "neg": (lambda x, y: True, lambda x, y: -x, *flat(-1, 0)),
    "mul": (
        lambda x, y: abs(x * y) < 1000,
        lambda x, y: x * y,
        lambda x, y, out: (y, x),
        lambda x, y, out: ((Decimal(0), Decimal(1)), (Decimal(1), Decimal(0))),
    ),
    "div": (
        lambda x, y: abs(y) > Decimal("0.1") and abs(x) < 100,
        lambda x, y: x / y,
        lambda x, y, out: (1 / y, -out / y),
        lambda x, y, out: ((Decimal(0), -1 / y**2), (-1 / y**2, 2 * out / y**2)),
    ),
    "exp": (lambda x, y: x < 4, lambda x, y: x.exp(), *smooth(lambda x, o: o, lambda x, o: o)),
    "log": (
        lambda x, y: x > Decimal("0.1"),
        lambda x, y: x.ln(),
        *smooth(lambda x, o: 1 / x, lambda x, o: -1 / x**2),
    ),
    "sqrt": (
        lambda x, y: x > Decimal("0.1"),
        lambda x, y: x.sqrt(),
        *smooth(lambda x, o: 1 / (2 * o), lambda x, o: -1 / (4 * x * o)),
    ),
    "square": (
        lambda x, y: abs(x) < 30,
        lambda x, y: x * x,
        *smooth(lambda x, o: 2 * x, lambda x, o: Decimal(2)),
    ),
    "tanh": (
        lambda x, y: True,
        lambda x, y: tanh(x),
        *smooth(lambda x, o: 1 - o * o, lambda x, o: -2 * o * (1 - o * o)),
    ),
    "sigmoid": (
        lambda x, y: True,
        lambda x, y: sigmoid(x),
        *smooth(lambda x, o: o * (1 - o), lambda x, o: o * (1 - o) * (1 - 2 * o)),
    ),
}
SYMBOLS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv}


@pytest.mark.slow
@given(
    recipes(sorted(SMOOTH)),
    st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=4, max_size=4),
)
def test_gradients_of_random_graphs_agree_with_forty_digits(graph, numbers):
    width, recipe = graph
    with localcontext() as context:
        context.prec = 40
        data, errors, taken = [Decimal(n) for n in numbers[:width]], [Decimal(0)] * width, []
        for name, i, j in recipe:
            x, y = data[i], data[j]
            if not SMOOTH[name][0](x, y):
                name = "tanh"
            _, formula, partials, seconds = SMOOTH[name]
            out = formula(x, y)
            slopes = partials(x, y, out)
            given, bends = (errors[i], errors[j]), seconds(x, y, out)
            steps = [sum(abs(s) * e for s, e in zip(row, given, strict=True)) for row in bends]
            noise = [step + 4 * U * (abs(p) + 1) for step, p in zip(steps, slopes, strict=True)]
            error = 4 * U * abs(out) + TINY
            for slope, step, e in zip(slopes, steps, given, strict=True):
                error += (abs(slope) + step / 2) * e
            data.append(out)
            errors.append(error)
            taken.append((name, i, j, slopes, noise))
        adjoints, blurs = [Decimal(0)] * len(data), [Decimal(0)] * len(data)
        adjoints[-1] = Decimal(1)
        for out in reversed(range(width, len(data))):
            name, i, j, slopes, noise = taken[out - width]
            arity = 2 if name in SYMBOLS else 1
            for operand, slope, blur in list(zip((i, j), slopes, noise, strict=True))[:arity]:
                term = slope * adjoints[out]
                blurs[operand] += (abs(slope) + blur) * blurs[out] + abs(adjoints[out]) * blur
                adjoints[operand] += term
                blurs[operand] += 2 * U * (abs(term) + abs(adjoints[operand])) + TINY

    nodes = [Value(number) for number in numbers[:width]]
    for name, i, j, *_ in taken:
        symbol = SYMBOLS.get(name)
        nodes.append(symbol(nodes[i], nodes[j]) if symbol else getattr(nodes[i], name)())
    nodes[-1].backward()
    for node, exact, error in zip(nodes, data, errors, strict=True):
        assert abs(Decimal(node.data) - exact) <= 2 * error
    for node, exact, blur in zip(nodes[:width], adjoints, blurs, strict=False):
        assert abs(Decimal(node.grad) - exact) <= 2 * blur


@pytest.mark.slow
@given(recipes(sorted(SMOOTH)), st.lists(st.floats(-50, 50), min_size=4, max_size=4))
def test_a_second_backward_doubles_every_gradient_bit_for_bit(graph, numbers):
    width, recipe = graph
    leaves = [Value(number) for number in numbers[:width]]
    nodes = list(leaves)
    for name, i, j in recipe:
        symbol = SYMBOLS.get(name)
        nodes.append(symbol(nodes[i], nodes[j]) if symbol else getattr(nodes[i], name)())
    root = nodes[-1]
    root.backward()
    first, inner = [leaf.grad for leaf in leaves], [node.grad for node in nodes[width:]]
    root.backward()
    for leaf, once in zip(leaves, first, strict=True):
        assert leaf.grad == 2 * once or math.isnan(once)
    assert all(map(same, (node.grad for node in nodes[width:]), inner))
    for leaf in leaves:
        leaf.grad = 0
    root.backward()
    assert all(map(same, (leaf.grad for leaf in leaves), map(float, first)))


@pytest.mark.slow
@given(recipes(sorted(ON_VALUES)), st.integers(0, 30))
def test_two_roots_of_one_graph_add_what_each_gives_alone(graph, pick):
    width, recipe = graph

    def gradients(*roots):
        leaves = [Value(number) for number in (1.5, -0.5, 2.0, 0.75)[:width]]
        nodes = replay(recipe, leaves, ON_VALUES)
        for root in roots:
            nodes[root % len(nodes)].backward()
        return [float(leaf.grad) for leaf in leaves]

    sums = [a + b for a, b in zip(gradients(-1), gradients(pick), strict=True)]
    both = gradients(-1, pick)
    assert all(x == y or (x != x and y != y) for x, y in zip(both, sums, strict=True))


def test_the_bound_holds_where_a_difference_cancels_to_zero_and_is_squared():
    """The reference test on the graph (x + y - x - y)², whose first-order error vanishes."""
    check = test_gradients_of_random_graphs_agree_with_forty_digits.hypothesis.inner_test
    for x, y in ((0.1, 0.3), (1 / 3, 2.7), (1e-5, 2.0), (2.9, -1e-3)):
        for power in ("square", "mul"):
            recipe = [("add", 0, 1), ("sub", 2, 0), ("sub", 3, 1), (power, 4, 4), ("exp", 5, 5)]
            check((2, recipe), [x, y, 0.0, 0.0])
