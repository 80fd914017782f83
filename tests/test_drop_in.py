"""Programs written for Karpathy's micrograd, his lecture and microgpt run unchanged.

Numbers that are written here as text were printed by his package, version 0.1.0.
"""

import math
import random
from itertools import pairwise

import numpy as np
import pytest

from micrograd import nn
from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Module, Neuron

# ------------------------------------------------------------------------------- his class `Value`


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
    # Some thirty operations, each off by one unit of roundoff at most, well conditioned.
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


# --------------------------------------------------------------------------------- his lecture


def lecture_neuron():
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    left, right = x1 * w1, x2 * w2
    left.label, right.label = "x1w1", "x2w2"
    both = left + right
    n = both + b
    return (x1, x2, w1, w2, b), (left, right, both, n)


# b is atanh(0.5 ** 0.5) + 6 to 17 digits, so tanh(n) ** 2 is 1/2 within a few units of roundoff.
LECTURE_GRADIENTS = pytest.approx([-1.5, 0.5, 1.0, 0.0, 0.5], abs=1e-14)


def test_the_manual_walk_of_the_lecture_gives_its_gradients():
    leaves, (left, right, both, n) = lecture_neuron()
    o = n.tanh()
    o.grad = 1.0
    for node in (o, n, leaves[4], both, right, left):
        node._backward()
    assert [leaf.grad for leaf in leaves] == LECTURE_GRADIENTS
    assert [both.grad, left.grad, right.grad] == pytest.approx([0.5] * 3, abs=1e-14)


def test_tanh_taken_apart_gives_the_same_gradients():
    leaves, (*_, n) = lecture_neuron()
    e = (2 * n).exp()
    o = (e - 1) / (e + 1)
    o.backward()
    assert o.data == pytest.approx(math.sqrt(0.5), abs=1e-15)
    assert [leaf.grad for leaf in leaves] == LECTURE_GRADIENTS


def test_a_step_by_hand_reads_the_present_data_and_gradients():
    x, w = Value(2.0), Value(5.0)
    y = x * w
    w.data, y.grad = 7.0, 3.0
    y._backward()
    assert (x.grad, w.grad) == (21.0, 6.0)
    y._backward()
    assert (x.grad, w.grad) == (42.0, 12.0)
    t = x.tanh()
    x.data, t.grad, x.grad = 0.0, 1.0, 0
    t._backward()
    assert x.grad == 1.0
    p = x**3
    x.data, p.grad, x.grad = 2.0, 1.0, 0
    p._backward()
    assert x.grad == 12.0


def test_a_step_by_hand_adds_once_for_each_use_of_an_operand():
    a = Value(3.0)
    b = a + a
    b.grad = 1.0
    b._backward()
    assert a.grad == 2.0


def test_steps_by_hand_follow_an_inner_value_that_was_nudged():
    a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
    e = a * b
    d = e + c
    loss = d * f
    assert loss.data == -8.0
    loss.backward()
    assert [v.grad for v in (a, b, c, f, e, d)] == [6.0, -4.0, -2.0, 4.0, -2.0, -2.0]
    for v in (a, b, c, f):
        v.data += 0.01 * v.grad
    assert ((a * b + c) * f).data == pytest.approx(-7.286496, abs=1e-6)


def test_shared_values_accumulate():
    a, b = Value(-2.0), Value(3.0)
    ((a * b) * (a + b)).backward()
    assert (a.grad, b.grad) == (-3.0, -8.0)


def sinh_by_hand(self):
    out = Value(math.sinh(self.data), (self,), "sinh")

    def _backward():
        self.grad += math.cosh(self.data) * out.grad

    out._backward = _backward
    return out


def test_an_operation_made_by_hand_takes_part_in_backward():
    x = Value(0.5)
    y = sinh_by_hand(x * 2) * 3 + x
    y.backward()
    assert y.data == math.sinh(1.0) * 3 + 0.5
    assert x.grad == math.cosh(1.0) * 3 * 2 + 1
    y.backward()
    assert x.grad == 2 * (math.cosh(1.0) * 3 * 2 + 1)


def test_operations_made_by_hand_may_follow_one_another():
    x = Value(0.25)
    y = sinh_by_hand(sinh_by_hand(x))
    y.backward()
    assert x.grad == math.cosh(math.sinh(0.25)) * math.cosh(0.25)


def test_new_methods_may_be_put_on_the_class(monkeypatch):
    monkeypatch.setattr(Value, "sinh_by_hand", sinh_by_hand, raising=False)
    x = Value(1.0)
    x.sinh_by_hand().backward()
    assert x.grad == math.cosh(1.0)


def test_a_method_of_the_lecture_put_on_the_class_is_used(monkeypatch):
    calls = []

    def tanh(self):
        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        out = Value(t, (self,), "tanh")

        def _backward():
            calls.append(out)
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    monkeypatch.setattr(Value, "tanh", tanh)
    leaves, (*_, n) = lecture_neuron()
    n.tanh().backward()
    assert len(calls) == 1
    assert [leaf.grad for leaf in leaves] == LECTURE_GRADIENTS


def test_an_assigned_step_replaces_that_of_the_operation():
    x = Value(3.0)
    y = x * x

    def _backward():
        x.grad += 100.0 * y.grad

    y._backward = _backward
    (y * 2).backward()
    assert x.grad == 200.0
    assert y._backward is _backward


def test_a_step_assigned_to_a_leaf_is_called():
    seen = []
    x = Value(3.0)
    x._backward = lambda: seen.append(x.grad)
    (x * 2).backward()
    assert seen == [2.0]
    assert x.grad == 2.0


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda x: x * 2, id="operation of the table"),
        pytest.param(lambda x: Value(2 * x.data, (x,), "twice", local_grads=(2.0,)), id="by hand"),
        pytest.param(
            lambda x: Value(4.0, (x, Value(1.0), Value(1.0)), "three", local_grads=(2.0, 1.0, 1.0)),
            id="three operands by hand",
        ),
    ],
)
def test_a_step_may_be_wrapped_to_watch_it(make):
    x, seen = Value(3.0), []
    y = make(x)
    step = y._backward

    def watched():
        seen.append(y.grad)
        step()

    y._backward = watched
    (y * 5).backward()
    assert seen == [5.0]
    assert x.grad == 10.0


def test_attributes_of_ones_own_may_be_set():
    p = Value(1.0)
    p.m = p.v = 0.0
    p.m = 0.9 * p.m + 0.1 * 2.0
    p._vis_color = "red"
    assert (p.m, p.v, p._vis_color) == (0.2, 0.0, "red")
    q = p * 2
    q.m = 1.0
    assert q.m == 1.0


# ---------------------------------------------------------------------------------------- his `nn`


def test_the_modules_have_the_addresses_of_his_package():
    assert nn.MLP is MLP
    assert (nn.Layer, nn.Neuron, nn.Module) == (Layer, Neuron, Module)
    assert all(issubclass(kind, Module) for kind in (Neuron, Layer, MLP))


def test_weights_are_drawn_in_his_order_and_a_bias_draws_nothing():
    random.seed(11)
    neuron, layer, model = Neuron(3), Layer(2, 3), MLP(3, [4, 4, 1])
    after = random.random()
    random.seed(11)
    for unit in (neuron, *layer.neurons, *(n for la in model.layers for n in la.neurons)):
        assert [w.data for w in unit.w] == [random.uniform(-1, 1) for _ in unit.w]
        assert unit.b.data == 0
    assert after == random.random()


def test_the_bias_is_the_first_term_of_the_sum():
    neuron = Neuron(2, nonlin=False)
    neuron.b.data = 1e16
    for w, weight in zip(neuron.w, (1.0, 1.0), strict=True):
        w.data = weight
    assert neuron([1.0, 1.0]).data == (1e16 + 1.0) + 1.0
    assert (1e16 + 1.0) + 1.0 != 1e16 + (1.0 + 1.0)


def test_outputs_of_seeded_networks_are_his_bit_for_bit():
    random.seed(11)
    assert Neuron(3)([0.25, -0.5, 2.0]).data.hex() == "0x1.9cfe96e66d9cap+0"
    outputs = Layer(2, 3)([0.3, -0.7])
    assert [out.data for out in outputs] == [0.0, float.fromhex("0x1.f9c29a7e8689dp-2"), 0.0]
    assert MLP(3, [4, 4, 1])([2.0, 3.0, -1.0]).data.hex() == "-0x1.64c6e65391b69p-1"
    assert random.random().hex() == "0x1.d65b13834c684p-3"


def test_parameters_come_neuron_by_neuron_weights_before_bias():
    model = MLP(2, [3, 2])
    expected = [p for la in model.layers for n in la.neurons for p in (*n.w, n.b)]
    assert list(map(id, model.parameters())) == list(map(id, expected))
    assert type(model.parameters()) is list
    assert len(MLP(2, [16, 16, 1]).parameters()) == 337
    assert Module().parameters() == []


def test_only_the_last_layer_is_linear_and_a_single_output_is_unwrapped():
    model = MLP(2, [3, 3, 2])
    assert [[n.nonlin for n in la.neurons] for la in model.layers] == [
        [True] * 3,
        [True] * 3,
        [False] * 2,
    ]
    assert type(model([1.0, 2.0])) is list
    assert type(MLP(2, [3, 1])([1.0, 2.0])) is Value
    assert type(Layer(2, 1)([1.0, 2.0])) is Value


def test_neurons_layers_and_networks_show_themselves_as_his_do():
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Neuron(2, nonlin=False)) == "LinearNeuron(2)"
    assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(Layer(3, 1, nonlin=False)) == "Layer of [LinearNeuron(3)]"
    assert str(MLP(2, [1, 1])) == "MLP of [Layer of [ReLUNeuron(2)], Layer of [LinearNeuron(1)]]"


def test_zero_grad_sets_every_parameter_to_zero():
    model = MLP(2, [2, 1])
    model([1.0, 2.0]).backward()
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0] * 9


class TwoInputs(Module):
    """A module of a user, as his are written."""

    def __init__(self):
        self.first, self.second = Neuron(1, nonlin=False), Neuron(1, nonlin=False)

    def parameters(self):
        return self.first.parameters() + self.second.parameters()

    def __call__(self, x):
        return self.first([x[0]]) * self.second([x[1]])


def test_a_module_of_ones_own_inherits_zero_grad():
    model = TwoInputs()
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


POINTS = [(0.5, -1.25), (1.5, 0.25), (-0.75, 2.0), (-2.0, -0.5)]
POINTS += [(1.0, 1.0), (0.125, -0.375), (-1.5, 1.125), (2.25, -2.0)]
SIGNS = np.array([1, -1, -1, 1, -1, 1, -1, 1])


def margin_loss(model, decay):
    """The objective of his demonstration: mean hinge loss and a penalty on the weights."""
    inputs = [list(map(Value, point)) for point in POINTS]
    scores = list(map(model, inputs))
    losses = [(1 + -sign * score).relu() for sign, score in zip(SIGNS, scores, strict=True)]
    penalty = decay * sum(p * p for p in model.parameters())
    right = [(sign > 0) == (score.data > 0) for sign, score in zip(SIGNS, scores, strict=True)]
    return sum(losses) * (1.0 / len(losses)) + penalty, sum(right) / len(right)


def test_the_first_loss_of_training_is_his_bit_for_bit():
    random.seed(2024)
    loss, accuracy = margin_loss(MLP(2, [5, 4, 1]), 1e-4)
    assert loss.data.hex() == "0x1.60956e634b9b4p+0"
    assert accuracy == 1 / 8


# Gradients of his package with weights rounded to sixteenths: no operation rounds then, so that
# the order in which his sets of parents are visited does not matter. In units of 2 ** -16.
DYADIC_GRADIENTS = """
-424 -1784 -1792 -2512 12080 8960 -6488 27992 20736 3584 -2800 -2432 1040 12480 3840 7752 14648
8472 720 696 12288 7784 14648 8480 696 704 12288 -3096 -6472 -3568 -472 -72 -4096 -24 -112 -40 -24
-96 0 25560 30284 20556 -40 0
"""


def test_the_first_gradients_of_training_are_his_bit_for_bit():
    random.seed(2024)
    model = MLP(2, [5, 4, 1])
    for p in model.parameters():
        p.data = round(p.data * 16) / 16
    loss, _ = margin_loss(model, 2.0**-10)
    assert loss.data.hex() == "0x1.5af1c00000000p+0"
    model.zero_grad()
    loss.backward()
    assert [p.grad * 2**16 for p in model.parameters()] == [
        float(unit) for unit in DYADIC_GRADIENTS.split()
    ]


def test_a_training_loop_of_his_kind_fits_the_points():
    random.seed(3)
    model = MLP(2, [8, 8, 1])
    for step in range(60):
        loss, accuracy = margin_loss(model, 1e-4)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (0.2 - 0.18 * step / 60) * p.grad
    assert accuracy == 1.0


# ------------------------------------------------------------------------------------- microgpt


def test_a_tuple_in_third_place_is_the_local_gradients():
    x, y = Value(3.0), Value(4.0)
    product = Value(12.0, (x, y), (4.0, 3.0))
    (product * 2).backward()
    assert (x.grad, y.grad) == (8.0, 6.0)
    assert tuple(product._children) == (x, y)
    assert tuple(product._local_grads) == (4.0, 3.0)


def test_children_and_local_grads_may_be_given_by_name():
    x, y, z = Value(3.0), Value(4.0), Value(5.0)
    out = Value(60.0, children=(x, y, z), local_grads=(20.0, 15.0, 12.0))
    out.backward()
    assert [v.grad for v in (x, y, z)] == [20.0, 15.0, 12.0]
    assert tuple(out._children) == (x, y, z)
    assert tuple(out._local_grads) == (20.0, 15.0, 12.0)


def test_a_leaf_has_no_children_and_no_local_gradients():
    assert tuple(Value(1.0)._children) == ()
    assert tuple(Value(1.0)._local_grads) == ()


def test_children_and_local_gradients_of_any_operation_can_be_walked():
    x, y = Value(3.0), Value(4.0)
    assert tuple((x * y)._local_grads) == (4.0, 3.0)
    assert tuple((x * x)._children) == (x, x)
    assert tuple((x * x)._local_grads) == (3.0, 3.0)
    assert tuple((x * 5.0)._local_grads) == (5.0,)
    assert tuple((x - y)._local_grads) == (1.0, -1.0)
    assert tuple((x > y)._local_grads) == (0.0, 0.0)


class Reference:
    """A scalar engine in the manner of microgpt: slots, local gradients, recursion."""

    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0
        self._children, self._local_grads = children, local_grads

    def __add__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        return Reference(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        return Reference(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power):
        slope = power * self.data ** (power - 1)
        return Reference(self.data**power, (self,), (slope,))

    def log(self):
        return Reference(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        result = math.exp(self.data)
        return Reference(result, (self,), (result,))

    def relu(self):
        return Reference(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        ordered, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node._children:
                    visit(child)
                ordered.append(node)

        visit(self)
        self.grad = 1
        for node in reversed(ordered):
            for child, slope in zip(node._children, node._local_grads, strict=True):
                child.grad += slope * node.grad


WORDS = ["abba", "cab", "bac", "dada", "acdc"]
WIDTH, HEADS, LENGTH = 4, 2, 6


def train_tiny_gpt(kind, steps):
    """Train a transformer of one layer on WORDS with Adam; the losses, and the last logits.

    The text uses its numbers as microgpt does and is the same for every `kind` of scalar.
    """
    rng = random.Random(42)
    letters = sorted(set("".join(WORDS)))
    end = len(letters)

    def matrix(rows, columns):
        return [[kind(rng.gauss(0, 0.3)) for _ in range(columns)] for _ in range(rows)]

    state = {"tokens": matrix(end + 1, WIDTH), "positions": matrix(LENGTH, WIDTH)}
    state |= {name: matrix(WIDTH, WIDTH) for name in ("query", "key", "value", "mix")}
    state |= {"widen": matrix(2 * WIDTH, WIDTH), "narrow": matrix(WIDTH, 2 * WIDTH)}
    state["head"] = matrix(end + 1, WIDTH)
    params = [p for rows in state.values() for row in rows for p in row]

    def linear(x, w):
        return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]

    def softmax(logits):
        top = max(logit.data for logit in logits)
        exps = [(logit - top).exp() for logit in logits]
        total = sum(exps)
        return [e / total for e in exps]

    def rmsnorm(x):
        scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def gpt(token, position, keys, values):
        x = [
            t + p for t, p in zip(state["tokens"][token], state["positions"][position], strict=True)
        ]
        x = residual = rmsnorm(x)
        x = rmsnorm(x)
        query = linear(x, state["query"])
        keys.append(linear(x, state["key"]))
        values.append(linear(x, state["value"]))
        attended = []
        for start in range(0, WIDTH, WIDTH // HEADS):
            part = range(start, start + WIDTH // HEADS)
            scores = [sum(query[i] * key[i] for i in part) / len(part) ** 0.5 for key in keys]
            weights = softmax(scores)
            attended += [sum(w * v[i] for w, v in zip(weights, values, strict=True)) for i in part]
        x = [a + b for a, b in zip(linear(attended, state["mix"]), residual, strict=True)]
        residual = x
        hidden = [h.relu() for h in linear(rmsnorm(x), state["widen"])]
        x = [a + b for a, b in zip(linear(hidden, state["narrow"]), residual, strict=True)]
        return linear(x, state["head"])

    rate, beta1, beta2 = 0.02, 0.9, 0.95
    mean, square = [0.0] * len(params), [0.0] * len(params)
    history = []
    for step in range(steps):
        word = WORDS[step % len(WORDS)]
        tokens = [end, *(letters.index(letter) for letter in word), end]
        keys, values, losses = [], [], []
        for position, (token, target) in enumerate(pairwise(tokens)):
            probs = softmax(gpt(token, position, keys, values))
            losses.append(-probs[target].log())
        loss = (1 / len(losses)) * sum(losses)
        history.append(loss.data)
        loss.backward()
        for i, p in enumerate(params):
            mean[i] = beta1 * mean[i] + (1 - beta1) * p.grad
            square[i] = beta2 * square[i] + (1 - beta2) * p.grad**2
            first, second = (
                mean[i] / (1 - beta1 ** (step + 1)),
                square[i] / (1 - beta2 ** (step + 1)),
            )
            p.data -= rate * (1 - step / steps) * first / (second**0.5 + 1e-8)
            p.grad = 0
    return history, [p.data for p in softmax(gpt(end, 0, [], []))]


def test_a_small_gpt_trains_as_with_microgpts_own_class():
    losses, probabilities = train_tiny_gpt(Value, 10)
    expected, reference = train_tiny_gpt(Reference, 10)
    # The first loss differs only by the rounding of true division; Adam's steps, whose size does
    # not depend on that of a gradient, carry the difference on.
    assert losses[0] == pytest.approx(expected[0], rel=1e-14)
    assert losses == pytest.approx(expected, rel=1e-9)
    assert probabilities == pytest.approx(reference, rel=1e-9)
    assert losses[-1] < losses[0]
