"""The sweep of a graph in JavaScript: values, gradients, partials and flows are the engine's."""

import math

import pytest

import micrograd
from micrograd import Value, define
from micrograd.engine.graph import is_leaf, operands, order, partials
from micrograd.export.pages import arrows, graph_functions
from tests.export.common import in_node, needs_node, ulps


def neuron(x, w, b):
    out = micrograd.tanh(x * w + b)
    return out * out + micrograd.where(x > 0, x.log(), 0.0) * out._alias() + x


def swept(out):
    """Values, gradients, and partials and flows of the arrows, by the engine."""
    nodes = order(out)
    out.backward()
    slopes = [
        (slope or 0.0, node.grad)
        for node in nodes
        for operand, slope in zip(operands(node), partials(node), strict=True)
        if isinstance(operand, Value)
    ]
    flows = [slope * g if slope and g else 0.0 for slope, g in slopes]
    return [
        [node.data for node in nodes],
        [node.grad for node in nodes],
        [p for p, _ in slopes],
        flows,
    ]


@pytest.mark.slow
@needs_node
@pytest.mark.parametrize(
    "at",
    [
        (2.0, -3.0, 6.5),
        (0.0, 1.0, 0.0),
        (-1.0, 0.5, math.inf),
        (math.nan, 1.0, 1.0),
        (1e300, 1e10, 0.0),
    ],
)
def test_forward_and_backward_are_those_of_the_engine(at):
    values = [Value(x, label=label) for x, label in zip(at, "xwb", strict=True)]
    out = neuron(*values)
    nodes, expected = order(out), swept(out)
    program = f"""{graph_functions(nodes)}
    const [v, g, p, c] = rows;
    forward(v);
    backward(v, g, p, c);
    const results = [v, g, p, c];"""
    given = [[node.data if is_leaf(node) else 7.0 for node in nodes], [9.0] * len(nodes)]
    found = in_node(program, [*given, *[[5.0] * len(arrows(nodes))] * 2])
    for one, other in zip(found, expected, strict=True):
        assert len(one) == len(other)
        assert all(ulps(a, b) <= 4 for a, b in zip(one, other, strict=True)), (one, other)


@needs_node
def test_operations_of_users_hide_none_of_the_functions_and_arrays_of_the_page():
    for name in ("forward", "v", "g", "p", "c", "rows"):
        define(name, "x + 1", ["1"])
    x = Value(1.0)
    out = x
    for name in ("forward", "v", "g", "p", "c", "rows"):
        out = getattr(out, name)()
    nodes = order(out)
    program = f"""const results = (() => {{ {graph_functions(nodes)}
    const v = [1], g = Array({len(nodes)});
    forward(v);
    backward(v, g, [], []);
    return [v, g]; }})();"""
    assert in_node(program, []) == [[float(i + 1) for i in range(7)], [1.0] * 7]


def test_an_operation_made_by_hand_has_no_code():
    x = Value(2.0)
    with pytest.raises(TypeError, match="'double' is an operation made by hand"):
        graph_functions(order(Value(4.0, (x,), "double")))
