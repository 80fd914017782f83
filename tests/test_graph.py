"""Walking the graph without recursion: topological order, operands, partials."""

import dis
import sys
import threading
import types
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd
from micrograd import Value
from micrograd.engine import graph


def numbered(nodes):
    return {node: number for number, node in enumerate(nodes)}


@st.composite
def graphs(draw):
    """All values of a random graph with shared operands of one, two and three at a time."""
    nodes = [Value(float(i)) for i in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(0, 30))):
        x, y, z = (nodes[draw(st.integers(0, len(nodes) - 1))] for _ in range(3))
        make = draw(
            st.sampled_from(
                [
                    lambda x, y, z: x + y,
                    lambda x, y, z: x * y,
                    lambda x, y, z: x - 1,
                    lambda x, y, z: 2 / x,
                    lambda x, y, z: x.tanh(),
                    lambda x, y, z: x < y,
                    lambda x, y, z: x.detach(),
                    lambda x, y, z: micrograd.where(x, y, z),
                    lambda x, y, z: micrograd.where(x, 1.0, z),
                    lambda x, y, z: Value(0.0, (x, y, z, x), "hand"),
                    lambda x, y, z: Value(0.0, (x, y), "pair", local_grads=(1.0, 2.0)),
                ]
            )
        )
        nodes.append(make(x, y, z))
    return nodes


def recursive_order(roots):
    """The same order by the definition: the operands from left to right, then the node."""
    ordered, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for operand in node._children:
                visit(operand)
            ordered.append(node)

    for root in roots:
        visit(root)
    return ordered


# ------------------------------------------------------------------------------------------ order


@pytest.mark.slow
@given(graphs())
def test_the_order_is_operands_from_left_to_right_and_then_the_node(nodes):
    assert graph.order(nodes[-1]) == recursive_order(nodes[-1:])


def test_products_of_visited_nodes_are_ordered_among_all_operands_of_a_node():
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    visited = x * y + z
    for made in (
        micrograd.where(x, x * y, z * y),
        micrograd.where(x * y, z, z * x),
        Value(0.0, (x, y * x, z * y, y), "hand"),
        Value(0.0, (y * x, z * y, z), "hand"),
        (x * z) * (y * z),
        (x * z).tanh(),
    ):
        root = visited + made
        assert graph.order(root) == recursive_order([root])


@pytest.mark.slow
@given(graphs(), st.lists(st.integers(0, 10), max_size=4))
def test_several_roots_are_walked_one_after_another(nodes, picks):
    roots = [nodes[pick % len(nodes)] for pick in picks]
    assert graph.order(roots) == recursive_order(roots)
    assert graph.order(iter(roots)) == recursive_order(roots)


@pytest.mark.slow
@given(graphs())
def test_every_node_appears_once_and_after_its_operands(nodes):
    ordered = graph.order(nodes)
    place = numbered(ordered)
    assert len(place) == len(ordered) == len(nodes)
    assert all(place[child] < place[node] for node in ordered for child in node._children)


def test_the_order_of_a_formula_is_the_order_of_writing():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    product = b * a
    total = c + product
    assert graph.order(total) == [c, b, a, product, total]
    chosen = micrograd.where(c, b, a)
    assert graph.order(chosen) == [c, b, a, chosen]
    assert graph.order(a) == [a]
    assert graph.order([]) == []
    assert graph.order([a, a]) == [a]


def test_the_order_does_not_depend_on_addresses():
    def shape(junk):
        kept = [object() for _ in range(junk)]
        leaves = [Value(float(i)) for i in range(5)]
        made = list(leaves)
        for i in range(40):
            kept.append(bytearray(junk + i))
            made.append(made[(7 * i) % len(made)] * made[(3 * i + junk * 0) % len(made)])
        names = numbered(made)
        return [names[node] for node in graph.order(made[-3:])]

    assert shape(0) == shape(1000) == shape(17)


def test_an_order_may_be_asked_for_again_and_again():
    x = Value(2.0)
    y = x * x + x
    first = graph.order(y)
    z = y * x
    assert graph.order(y) == first
    assert graph.order(z) == [*first, z]
    assert graph.order([z, y]) == [*first, z]
    assert graph.order([y, z]) == [*first, z]


def test_an_order_leaves_out_what_is_below_the_nodes_of_until():
    x = Value(2.0)
    y = x * 3
    z = y * x + 1
    below, above = graph.order(y), [node for node in graph.order(z) if node is not x]
    assert graph.order(z, until=[x]) == above
    assert graph.order(z, until=[y]) == [node for node in graph.order(z) if node is not y]
    assert graph.order(z, until=below) == [node for node in above if node is not y]
    assert graph.order(z, until=[z]) == []
    assert graph.order([y, z], until=[y, x]) == graph.order(z, until=below)


def test_an_order_asked_for_during_a_pass_does_not_disturb_it():
    x = Value(2.0)
    h = x * x
    y = h * 3 + x
    seen = []

    def _backward():
        seen.append(len(graph.order(y)))
        x.grad += 2 * x.data * h.grad

    h._backward = _backward
    y.backward()
    assert seen == [4]
    assert x.grad == 13.0


def test_threads_may_walk_the_same_graph():
    x = Value(1.0)
    y = x
    for i in range(300):
        y = y + x * float(i)
    expected = graph.order(y)
    results = []
    together = threading.Barrier(4)

    def walk():
        together.wait()
        results.extend(graph.order(y) == expected for _ in range(150))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=walk) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert results == [True] * 600


# ----------------------------------------------------------------------- operands, partials, leaves


def test_operands_are_values_and_constants_in_the_order_of_writing():
    x, y = Value(6.0), Value(2.0)
    for node, operands, slopes in [
        (x * y, [x, y], [2.0, 6.0]),
        (x * x, [x, x], [6.0, 6.0]),
        (x - 1, [x, 1], [1.0, None]),
        (1 - x, [1, x], [None, -1.0]),
        (x**2, [x, 2], [12.0, None]),
        (3 / x, [3, x], [None, -0.5 / 6]),
        (-x, [x], [-1.0]),
        (x > y, [x, y], [None, None]),
        (x.detach(), [x], [None]),
        (micrograd.where(x, y, 5.0), [x, y, 5.0], [None, 1.0, None]),
        (micrograd.where(x, 0.0, y), [x, 0.0, y], [None, None, None]),
        (Value(1.0, (x, y, x, y), local_grads=(1.0, 2.0, 3.0, 4.0)), [x, y, x, y], [1, 2, 3, 4]),
        (x, [], []),
    ]:
        assert list(graph.operands(node)) == operands
        assert list(graph.partials(node)) == slopes


def test_a_constant_is_not_a_node():
    x = Value(1.0)
    assert len(graph.order((x + 1) * 2 - 0.5)) == 4


# ------------------------------------------------------------------------------------ no recursion

SHAPES = {
    "left": lambda y, x: y + x,
    "right": lambda y, x: x + y,
    "reflected": lambda y, x: 1.0 - y,
    "both": lambda y, x: y * y,
    "ternary": lambda y, x: micrograd.where(x, x, y),
    "by hand": lambda y, x: Value(1.0, (x, x, x, y), "hand"),
    "comparison": lambda y, x: x <= y,
    "detached": lambda y, x: y.detach(),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_deep_graph_is_walked_in_a_shallow_stack(shape):
    x = Value(1.0)
    y = x + 0
    for _ in range(5_000):
        y = SHAPES[shape](y, x)
    frames, frame = 0, sys._getframe()
    while frame is not None:
        frames, frame = frames + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(frames + 60)
    try:
        walked = graph.order([y])
        y.backward()
    finally:
        sys.setrecursionlimit(limit)
    assert len(walked) == 5_002
    assert [node for node in walked if graph.is_leaf(node)] == [x]


def test_a_hundred_thousand_nodes_are_walked():
    x = Value(1.0)
    y = x
    for _ in range(50_000):
        y = y + 1.0
    for _ in range(50_000):
        y = 1.0 - y
    walked = graph.order(y)
    assert len(walked) == 100_001
    assert walked[0] is x
    assert walked[-1] is y


def test_a_wide_graph_is_walked():
    leaves = [Value(1.0) for _ in range(20_000)]
    pairs = [a * b for a, b in pairwise(leaves)]
    assert len(graph.order(pairs)) == 39_999


def test_an_operation_by_hand_may_have_many_operands():
    leaves = [Value(1.0) for _ in range(1_000)]
    hand = Value(0.0, leaves, "sum", local_grads=[2.0] * len(leaves))
    hand.backward()
    assert graph.order(hand) == [*leaves, hand]
    assert all(leaf.grad == 2.0 for leaf in leaves)


@pytest.mark.skipif(
    sys.implementation.name != "cpython" or sys.version_info < (3, 11), reason="CPython 3.11's"
)
def test_a_walk_looks_attributes_up_by_caches_from_its_first_node_on():
    fresh = types.FunctionType(graph._order.__code__.replace(), vars(graph))
    graph.warm(fresh, (), None)
    x = Value(1.0)
    for _ in range(100):
        x = x * x + x
    fresh((x,), object())
    names = {each.opname for each in dis.get_instructions(fresh, adaptive=True)}
    assert "LOAD_ATTR_SLOT" in names
