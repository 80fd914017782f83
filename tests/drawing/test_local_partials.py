"""A drawing shows local partials on the arrows from the operands."""

import re

from micrograd import Value, where
from micrograd.drawing import draw_dot


def partials_shown(root):
    graph = draw_dot(root, local_partials=True)
    return re.findall(r"-> \w+op\S* \[label=< (\S+) >", graph.source)


def test_local_partials_stand_on_the_arrows_from_operands():
    x, y = Value(2.0), Value(-3.0)
    assert partials_shown(x * y) == ["-3", "2"]
    assert partials_shown(x - y) == ["1", "-1"]
    assert partials_shown(x**3) == ["12"]
    assert partials_shown(3 * x) == ["3"]
    assert not re.search("->.*label", draw_dot(x * y).source)


def test_a_partial_through_which_no_gradient_passes_is_zero():
    x, y = Value(1.0), Value(2.0)
    assert partials_shown(where(x, y, x)) == ["0", "1", "0"]
    assert partials_shown(y.detach()) == ["0"]


def test_a_partial_of_a_step_written_by_hand_is_unknown():
    x = Value(1.0)
    out = Value(2.0, (x,), "double")
    assert partials_shown(out) == ["0"]
    out._backward = lambda: None
    assert partials_shown(out) == ["?"]
    assert partials_shown(Value(2.0, (x,), "double", local_grads=(2.0,))) == ["2"]


def test_local_partials_are_drawn(renderer):
    x = Value(2.0)
    assert b">0.25<" in draw_dot(Value(0.25) * x, local_partials=True).pipe().replace(
        b"&#160;", b""
    )
