"""Programs for Karpathy's `Value` run unchanged (numbers as text come from his package, 0.1.0)."""

import math
import random

import numpy as np
import pytest

from micrograd import nn
from micrograd.engine import Value


def readme_program(a, b, relu):
    """The expression of his README, for any kind of number."""
    total = a + b
    mixed = a * b + b**3
    total = total + (total + 1)
    total = total + (1 + total + (-a))
    mixed = mixed + (mixed * 2 + relu(b + a))
    mixed = mixed + (3 * mixed + relu(b - a))
    squared = (total - mixed) ** 2
    return squared / 2.0 + 10.0 / squared


def test_the_readme_program_prints_his_numbers():
    a, b = Value(-4.0), Value(2.0)
    g = readme_program(a, b, Value.relu)
    g.backward()
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_the_first_check_of_his_test_file_is_exact():
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    y = (z * z).relu() + q + q * x
    y.backward()
    assert y.data == -20.0
    assert x.grad == 46.0


def test_the_readme_program_agrees_with_torch():
    torch = pytest.importorskip("torch")
    a, b = Value(-4.0), Value(2.0)
    readme_program(a, b, Value.relu).backward()
    ta, tb = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (-4.0, 2.0))
    readme_program(ta, tb, torch.relu).backward()
    # About thirty well-conditioned operations, each off by at most one unit of roundoff.
    assert a.grad == pytest.approx(ta.grad.item(), rel=64 * 2.0**-53)
    assert b.grad == pytest.approx(tb.grad.item(), rel=64 * 2.0**-53)


def test_augmented_assignment_binds_a_new_value():
    first = Value(1.0)
    total = first
    total += 2
    total *= 3.0
    total -= first
    total /= 2
    assert (first.data, total.data) == (1.0, 4.0)
    total.backward()
    assert first.grad == 1.0


def test_the_repr_shows_data_and_grad_as_his_does():
    x = Value(2.5)
    assert repr(x) == "Value(data=2.5, grad=0)"
    y = x * 2
    y.backward()
    assert repr(y) == "Value(data=5.0, grad=1)"
    assert str([x]) == "[Value(data=2.5, grad=2.0)]"


def test_a_new_gradient_is_the_int_zero_and_that_of_the_root_the_int_one():
    x = Value(1.0)
    y = x + 1
    assert type(x.grad) is int
    assert x.grad == 0
    y.backward()
    assert type(y.grad) is int
    assert y.grad == 1


@pytest.mark.parametrize(
    ("make", "symbol"),
    [
        (lambda x: x, ""),
        (lambda x: x + x, "+"),
        (lambda x: 1 + x, "+"),
        (lambda x: x * 3, "*"),
        (lambda x: 3 * x, "*"),
        (lambda x: x**2, "**2"),
        (lambda x: x**-1, "**-1"),
        (lambda x: x**0.5, "**0.5"),
        (lambda x: x.relu(), "ReLU"),
        (lambda x: x.tanh(), "tanh"),
        (lambda x: x.exp(), "exp"),
        (lambda x: x.log(), "log"),
        (lambda x: x - 1, "-"),
        (lambda x: x / 2, "/"),
        (lambda x: Value(1.0, (x,), "mine"), "mine"),
    ],
)
def test_the_operation_is_named_by_the_symbol_he_uses(make, symbol):
    assert make(Value(2.0))._op == symbol


def test_prev_holds_the_distinct_operands_in_order_and_children_all_of_them():
    a, b = Value(1.0), Value(2.0)
    assert list((a * b)._prev) == [a, b]
    assert list((b * a)._prev) == [b, a]
    assert list((a + a)._prev) == [a]
    assert list((a + a)._children) == [a, a]
    assert list((a * 3)._prev) == [a]
    assert list(a._prev) == []
    assert list(Value(3.0, (b, a), "+")._prev) == [b, a]
    assert list(Value(3.0, {a})._prev) == [a]


@pytest.mark.parametrize(
    "holds",
    [
        lambda a, b, c: a._prev == set(),
        lambda a, b, c: (a**2)._prev == {a} == (a + a)._prev,
        lambda a, b, c: (a * b)._prev == {b, a} == (a * b)._prev,
        lambda a, b, c: (a * b)._prev != {a, c} != (a * b)._prev,
        lambda a, b, c: (b * a)._prev == (b, a) == (b * a)._prev != (a, b),
        lambda a, b, c: (b * a)._prev[0] is b,
        lambda a, b, c: (b * a)._prev + (c,) == (b, a, c),  # noqa: RUF005
        lambda a, b, c: hash((b * a)._prev) == hash((b, a)),
        lambda a, b, c: repr((b * a)._prev) == repr((b, a)),
    ],
)
def test_prev_is_equal_to_a_tuple_and_to_a_set_of_the_operands(holds):
    assert holds(Value(1.0), Value(2.0), Value(3.0))


def test_a_value_in_place_of_the_tuple_of_children_is_refused_with_the_remedy():
    x = Value(2.0)
    for child in (x, x > 1.0):
        for make in (lambda c: Value(4.0, c, "sq"), lambda c: Value(4.0, children=c)):
            with pytest.raises(TypeError, match=r"tuple of Values, got Value.*write \(x,\)"):
                make(child)


def test_the_constructor_takes_children_operation_and_label_by_position():
    x = Value(2.0, (), "", "x")
    y = Value(4.0, (x, x), "*", "y")
    assert (x.label, x._op, tuple(x._prev)) == ("x", "", ())
    assert (y.label, y._op, tuple(y._prev)) == ("y", "*", (x,))
    assert Value(1.0).label == ""
    assert Value(1.0, _children=(x,), _op="+", label="z").label == "z"


def test_data_grad_and_label_are_writable():
    x = Value(1.0)
    x.data -= 0.25
    x.grad += 2
    x.label = "weight"
    assert (x.data, x.grad, x.label) == (0.75, 2, "weight")


def test_values_live_in_sets_and_dicts_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert len({a, b, a}) == 2
    assert a != b
    assert a == a
    a.data = 5.0
    assert a in {a: "found"}


def trace(root):
    """Nodes and edges by recursion and sets, as in the notebooks that draw graphs."""
    nodes, edges = set(), set()

    def visit(node):
        if node not in nodes:
            nodes.add(node)
            for child in node._prev:
                edges.add((child, node))
                visit(child)

    visit(root)
    return nodes, edges


def test_the_drawing_code_of_his_notebook_finds_what_it_formats():
    random.seed(1337)
    y = nn.Neuron(2)([Value(1.0), Value(-2.0)])
    y.backward()
    nodes, edges = trace(y)
    # two inputs, two weights, a bias; two products, two sums, one relu
    assert len(nodes) == 10
    assert len(edges) == 9
    labels = {
        f"{id(node)} {{ {node.label} | data %.4f | grad %.4f }}" % (node.data, node.grad)
        for node in nodes
    }
    assert len(labels) == 10
    assert sorted(node._op for node in nodes if node._op) == ["*", "*", "+", "+", "ReLU"]


def test_sum_adds_a_list_of_values_to_the_int_zero():
    values = [Value(float(i)) for i in range(4)]
    total = sum(values)
    total.backward()
    assert total.data == 6.0
    assert [v.grad for v in values] == [1.0] * 4


@pytest.mark.parametrize("number", [np.float64(2.0), np.float32(2.0), np.int64(2), np.array(2.0)])
def test_a_numpy_number_may_stand_on_either_side(number):
    for left, right, slope in [
        (lambda v: v + number, lambda v: number + v, (1.0, 1.0)),
        (lambda v: v - number, lambda v: number - v, (1.0, -1.0)),
        (lambda v: v * number, lambda v: number * v, (2.0, 2.0)),
        (lambda v: v / number, lambda v: number / v, (0.5, -0.125)),
        (lambda v: v**2, lambda v: v ** int(number), (8.0, 8.0)),
    ]:
        for f, d in zip((left, right), slope, strict=True):
            x = Value(4.0)
            y = f(x)
            assert type(y) is Value
            assert type(y.data) is float
            y.backward()
            assert x.grad == d


def test_a_value_of_a_numpy_number_holds_a_float():
    for number in (np.float64(1.5), np.float32(1.5), np.array(1.5), np.int8(1)):
        assert type(Value(number).data) is float


def test_object_arrays_hold_values_and_broadcast_over_them():
    v = Value(3.0)
    scaled = np.array([1.0, 2.0]) * v
    assert [type(s) for s in scaled] == [Value, Value]
    assert [s.data for s in v * np.array([1.0, 2.0])] == [3.0, 6.0]
    weights = np.array([Value(2.0), Value(-1.0)])
    out = weights @ np.array([0.5, 4.0]) + weights.sum()
    out.backward()
    assert out.data == -2.0
    assert [w.grad for w in weights] == [1.5, 5.0]
    assert [e.data for e in np.exp(np.array([Value(0.0), Value(1.0)]))] == [1.0, math.e]


def test_a_step_may_be_called_by_hand_on_any_value_also_on_a_leaf():
    x = Value(3.0)
    assert x._backward() is None
    assert x.grad == 0
