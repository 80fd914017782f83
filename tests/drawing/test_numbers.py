"""A drawing shows numbers briefly, and gradients once they are known."""

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.engine.graph import order
from micrograd.writing.numbers import gradient, number
from nn import MLP
from tests.drawing.common import boxes, shown_texts


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (2.0, "2"),
        (-3, "-3"),
        (0.5, "0.5"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.3000"),
        (0.8813735870195429, "0.8814"),
        (-12.34567, "-12.3457"),
        (2.00000001, "2.0000"),
        (0.012345678, "0.01235"),
        (0.001, "0.001"),
        (0.000123456, "1.235e-4"),
        (123456.0, "123456"),
        (999999.99999, "1000000.0000"),
        (1e6, "1e6"),
        (1234567.8, "1.235e6"),
        (1e-9, "1e-9"),
        (-1.23456e-9, "-1.235e-9"),
        (5e-324, "4.941e-324"),
        (1.7976931348623157e308, "1.798e308"),
        (0.0, "0"),
        (-0.0, "-0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (10**400, "inf"),
        (True, "1"),
        (Fraction(1, 3), "0.3333"),
        (None, "None"),
        (1j, "1j"),
    ],
)
def test_a_number_is_short_and_says_whether_it_was_rounded(x, shown):
    assert number(x) == shown


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_never_lost(x):
    text = number(x)
    assert len(text) <= 14
    try:
        read = float(text)
    except OverflowError:
        read = math.inf
    if math.isinf(read):  # the very largest floats, rounded up
        assert abs(x) > 1.79e308
    else:
        assert math.isclose(read, x, rel_tol=5.1e-4)
        assert math.copysign(1, read) == math.copysign(1, x)
    if not re.search(r"\.\d*0(e|$)", text) and len(re.findall(r"\d", text.split("e")[0])) < 4:
        assert read == x


def test_a_gradient_is_a_dash_until_a_backward_pass_reaches_the_value():
    x, unused = Value(2.0), Value(5.0)
    y = x * 3
    assert [box.grad for box in boxes(y)] == ["—", "—"]
    y.backward()
    assert [box.grad for box in boxes([y, unused])] == ["3", "1", "—"]


def test_a_gradient_of_zero_is_zero_after_a_backward_pass():
    x = Value(-1.0)
    y = x.relu()
    y.backward()
    assert [box.grad for box in boxes(y)] == ["0", "1"]


def test_a_gradient_that_was_set_to_zero_is_a_dash_again():
    model = MLP(1, [1])
    out = model([1.0])
    out.backward()
    model.zero_grad()
    shown = {box.name: box.grad for box in boxes(out)}
    names = dict(zip(map(id, order(out)), shown, strict=True))
    assert {shown[names[id(p)]] for p in model.parameters()} == {"—"}
    assert shown[names[id(out)]] == "1"  # an inner value keeps the last pass's
    out.backward()
    assert "—" not in {box.grad for box in boxes(out)}


def test_a_zero_that_a_user_sets_as_a_float_is_shown():
    assert gradient(0.0) == "0"
    assert gradient(-0.0) == "-0"
    assert gradient(math.nan) == "nan"


def test_the_picture_shows_label_data_and_grad(renderer):
    x = Value(0.5, label="w[0]")
    y = x * 4
    y.backward()
    assert shown_texts(draw_dot(y)) == {
        "n0": ["w₀", "data", "0.5", "grad", "4"],
        "n1": ["data", "2", "grad", "1"],
        "n1op": ["□ * 4"],
    }
    assert shown_texts(draw_dot(Value(1.0))) == {"n0": ["data", "1", "grad", "—"]}


def test_leaves_and_inner_values_differ():
    leaf, inner = (
        re.search(r"<TABLE (COLOR=\S+)", line)[1]
        for line in draw_dot(Value(1.0).exp()).body
        if "COLOR=" in line and "ellipse" not in line
    )
    assert leaf != inner
