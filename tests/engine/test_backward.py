"""What `backward` adds, keeps, replaces and leaves alone, and that the graph is the formula."""

import inspect
import itertools
import math
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import micrograd
from micrograd import Value
from micrograd.engine import graph, value
from tests.engine.common import gradient


def test_a_second_backward_adds_the_same_gradient_again():
    x = Value(2.0)
    y = x * x * x
    y.backward()
    assert x.grad == 12.0
    y.backward()
    assert x.grad == 24.0
    y.backward()
    assert x.grad == 36.0


def test_zeroing_the_leaves_is_enough():
    x = Value(2.0)
    h = x * x
    y = h * x
    y.backward()
    x.grad = 0
    y.backward()
    assert x.grad == 12.0


def test_two_roots_may_share_a_graph():
    x = Value(3.0)
    h = x * x
    a, b = h * 2, h * 5
    a.backward()
    b.backward()
    assert x.grad == 12.0 + 30.0
    assert h.grad == 5.0


def test_a_root_may_be_an_inner_value_of_another():
    x = Value(3.0)
    h = x * x
    y = h * h
    y.backward()
    h.backward()
    assert x.grad == 4 * 27 + 6
    assert (h.grad, y.grad) == (1, 1)


def test_inner_values_hold_the_adjoints_of_the_last_pass():
    x = Value(2.0)
    h = x * x
    y = h * 7
    for _ in range(3):
        y.backward()
        assert (y.grad, h.grad) == (1, 7.0)
    h.grad = y.grad = 1e9
    x.grad = 0
    y.backward()
    assert (y.grad, h.grad, x.grad) == (1, 7.0, 28.0)


def test_a_leaf_as_root_adds_one():
    x = Value(2.0)
    x.backward()
    assert x.grad == 1
    x.backward()
    assert x.grad == 2


def test_a_gradient_of_none_counts_as_zero():
    x = Value(2.0)
    h = x * x
    y = h * x
    x.grad = h.grad = y.grad = None
    y.backward()
    assert x.grad == 12.0


def test_a_gradient_set_before_is_added_to():
    x = Value(2.0)
    x.grad = 5.0
    (x * 3).backward()
    assert x.grad == 8.0


def test_values_outside_the_graph_are_not_touched():
    x = Value(2.0)
    y = x * 2
    above = y * 3
    y.grad = above.grad = 99.0
    y.backward()
    assert above.grad == 99.0


def test_both_operands_are_kept_where_they_are_the_same():
    assert gradient(lambda x: x + x, 2.0) == [2.0]
    assert gradient(lambda x: x - x, 2.0) == [0.0]
    assert gradient(lambda x: x * x, 2.0) == [4.0]
    assert gradient(lambda x: x / x, 2.0) == [0.0]
    assert gradient(lambda x: micrograd.where(x > 0, x, x), 2.0) == [1.0]


def test_leaves_keep_their_gradients_when_a_step_raises():
    x, z = Value(2.0), Value(3.0)
    h = x * z

    def broken():
        raise OSError("no such step")

    h._backward = broken
    y = h * x + z
    x.grad, z.grad = 5.0, None
    with pytest.raises(OSError, match="no such step"):
        y.backward()
    assert (x.grad, z.grad) == (5.0, None)
    (x * z).backward()
    assert (x.grad, z.grad) == (8.0, 2.0)


def test_leaves_keep_their_gradients_when_a_pass_is_interrupted():
    x = Value(2.0)
    h = x * x

    def interrupted():
        x.grad += 1000.0
        raise KeyboardInterrupt

    h._backward = interrupted
    with pytest.raises(KeyboardInterrupt):
        (h * 3 + x).backward()
    assert x.grad == 0


def test_an_interrupt_at_any_line_of_a_pass_leaves_gradients_of_before_or_of_after_it():
    """KeyboardInterrupt is raised at the first line that `backward` runs, then at the second, …

    Python itself raises it within a statement, never at the bare `with` or `try`, where the lock
    would stay taken.
    """
    interrupted = 0
    body = inspect.getsource(Value.backward).splitlines()
    first = Value.backward.__code__.co_firstlineno
    bare = {first + i for i, line in enumerate(body) if line.strip().startswith(("with ", "try:"))}
    for turn in itertools.count():
        x, y = Value(2.0), Value(3.0)
        root = x * y + x
        x.grad, y.grad = 5.0, 7.0
        lines = itertools.count()

        def trace(frame, event, argument, turn=turn, lines=lines):
            if frame.f_code is not Value.backward.__code__:
                return None
            if event == "line" and frame.f_lineno not in bare and next(lines) == turn:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            root.backward()
        except KeyboardInterrupt:
            interrupted += 1
            assert (x.grad, y.grad) in [(5.0, 7.0), (9.0, 9.0)]
        else:
            break
        finally:
            sys.settrace(before)
    assert interrupted > 10
    assert (x.grad, y.grad) == (9.0, 9.0)
    with ThreadPoolExecutor(1) as pool:  # the lock is free for others
        assert pool.submit(graph.walking.acquire, timeout=1.0).result()
        pool.submit(graph.walking.release).result()


def test_a_path_with_a_factor_of_zero_contributes_nothing():
    """Whichever factor it is, the adjoint or the local derivative, and whatever it meets."""
    for f, at in (
        (lambda x: x.sqrt() ** 2, 0.0),  # 0 * inf
        (lambda x: (x * x).sqrt(), 0.0),  # inf * 0
        (lambda x: 1 / (1 / x), 0.0),
        (lambda x: x.log().tanh(), 0.0),
        (lambda x: x.cos().acos(), 0.0),
        (lambda x: 0.0 * x.sqrt(), 0.0),
        (lambda x: (0.0 * x).sqrt(), 3.0),
        (lambda x: x.cos().log() * 0.0, math.inf),  # 0 * nan
        (lambda x: micrograd.where(x > 0, x.log(), 0.0), 0.0),
    ):
        assert gradient(f, at) == [0.0]
    x, y, z, u = map(Value, (1.0, 2.0, 3.0, 4.0))
    many = Value(0.0, (x, y, z, u), local_grads=[1.0, 0.0, 0.0, 2.0])
    (many.sqrt() * 1.0).backward()
    assert [each.grad for each in (x, y, z, u)] == [math.inf, 0.0, 0.0, math.inf]
    assert gradient(lambda x: x + 0.0 * x.sqrt(), 0.0) == [1.0]
    assert gradient(lambda x: x.sqrt() * 2, 0.0) == [math.inf]


def test_a_step_by_hand_may_start_another_pass():
    x = Value(2.0)
    out = Value(8.0, (x,), "cube")

    def _backward():
        inner = Value(x.data)
        (inner * inner * inner).backward()
        x.grad += inner.grad * out.grad

    out._backward = _backward
    (out * 2).backward()
    assert x.grad == 24.0


def test_the_graph_is_the_formula_that_was_written():
    x, y = Value(6.0), Value(2.0)
    for result, symbol, operands, slopes in [
        (x - y, "-", (x, y), (1.0, -1.0)),
        (x / y, "/", (x, y), (0.5, -1.5)),
        (2 - x, "-", (x,), (-1.0,)),
        (12 / x, "/", (x,), (-1 / 3,)),
        (x * x, "*", (x, x), (6.0, 6.0)),
        (x + 1, "+", (x,), (1.0,)),
    ]:
        assert result._op == symbol
        assert tuple(result._children) == operands
        assert tuple(result._local_grads) == slopes
    assert (x - y).data == 4.0
    assert (2 - x).data == -4.0
    assert (12 / x).data == 2.0
    assert len(value.order(x - y)) == 3
    assert +x is x


def test_a_gradient_beyond_the_range_of_floats_is_infinite():
    x = Value(3.0)
    (2 * x).backward(gradient=10**400)
    assert x.grad == math.inf
