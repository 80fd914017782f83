"""Programs of Karpathy's lecture, with handwritten steps and operations, run unchanged."""

import math

import pytest

from micrograd.engine import Value


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
