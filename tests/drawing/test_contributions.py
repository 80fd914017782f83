"""A drawing shows on each arrow what the last backward pass sent along it."""

import math
from collections import defaultdict

import pytest
from hypothesis import given, settings

from micrograd import Value, where
from micrograd.engine.graph import order
from micrograd.testing.strategies import expressions
from tests.drawing.common import boxes


def flows(root, **options):
    shown = boxes(root, contributions=True, **options)
    return [arrow.text for box in shown if box.operation for arrow in box.operation.arrows]


def test_upstream_times_local_is_the_contribution():
    x, y = Value(2.0), Value(-3.0)
    out = (x * y) * 0.5
    out.backward()
    assert flows(out) == ["0.5 · (-3) = -1.5", "0.5 · 2 = 1", "1 · 0.5 = 0.5"]


def test_what_adds_up_is_marked():
    x = Value(3.0)
    out = x * x
    out.backward()
    assert flows(out) == ["+= 1 · 3 = 3", "+= 1 · 3 = 3"]
    y = x.exp() + 1
    both = [out, y]
    y.backward()
    assert all(text.startswith("+= ") for text in flows(both)[:3])
    assert flows(both)[3] == "1 · 1 = 1"


def test_it_adds_up_also_where_the_other_arrow_is_out_of_focus():
    x = Value(3.0)
    out = x.exp() + x * 2
    out.backward()
    assert flows(x.exp(), focus=x) == ["—"]
    exp = out._prev[0]
    assert flows(out, focus=exp, radius=1)[0].startswith("+= ")


def test_before_a_backward_pass_there_is_nothing_to_show():
    x = Value(2.0)
    out = x * x
    assert flows(out) == ["—", "—"]
    out.backward()
    assert "—" not in flows(out)


def test_what_a_step_written_by_hand_does_is_unknown():
    x = Value(2.0)
    out = Value(4.0, (x,), "double")
    out._backward = lambda: None
    out.backward()
    assert flows(out) == ["?"]


def test_where_no_gradient_passes_it_is_zero_even_times_infinity():
    x = Value(0.0)
    out = where(x > 0, x.log(), 0)
    out.backward()
    assert "0 · inf = 0" in [text.removeprefix("+= ") for text in flows(out)]
    assert flows(x.detach()) == ["—"]
    y = x.detach()
    y.backward()
    assert flows(y) == ["1 · 0 = 0"]


def test_both_the_local_partial_and_the_contribution_can_be_shown():
    x = Value(2.0)
    out = x * 3
    out.backward()
    (text,) = flows(out, local_partials=True)
    assert text == "3\n1 · 3 = 3"


def test_a_gradient_that_is_no_number_is_shown_as_it_is():
    x = Value(2.0)
    out = x * 3
    out.grad = "much"
    assert flows(out) == ["much · 3 = ?"]


@pytest.mark.slow
@settings(max_examples=60)
@given(expressions())
def test_the_contributions_to_a_value_add_up_to_its_gradient(expression):
    leaves = [Value(x) for x in expression.at]
    out = expression(*leaves)
    if not isinstance(out, Value):
        return
    out.backward()
    arriving = defaultdict(list)
    for box in boxes(out, contributions=True, max_nodes=10_000):
        for arrow in box.operation.arrows if box.operation else ():
            arriving[arrow.tail].append(float(arrow.text.split(" = ")[1]))
    for i, node in enumerate(order(out)[:-1]):
        shown = arriving[f"n{i}"]
        # A number is shown with an error of at most 5.1e-4 of its size (test_numbers).
        error = 5.2e-4 * sum(map(abs, shown)) + 1e-300
        assert abs(math.fsum(shown) - node.grad) <= error
