"""Dataclasses, named tuples and registered classes are structures wherever a structure may be."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import pytest

np = pytest.importorskip("numpy")

import micrograd  # noqa: E402
from micrograd import compile, grad, hvp, jacobian, jvp, register_structure, taylor, vjp  # noqa: E402, A004
from micrograd.testing import GradientMismatch, check_gradients, numerical_gradient  # noqa: E402


@dataclasses.dataclass
class Line:
    slope: Any
    rest: Any


class Pair(NamedTuple):
    slope: Any
    rest: Any


class Ours:
    def __init__(self, slope, rest):
        self.slope, self.rest = slope, rest


register_structure(Ours, lambda p: ((p.slope, p.rest), None), lambda _, both: Ours(*both))
KINDS = (Line, Pair, Ours)
NAMES = {Line: ("p.slope", "p.rest[1]"), Pair: ("p.slope", "p.rest[1]"), Ours: ("p[0]", "p[1][1]")}


def cube(p):
    return p.slope**2 * p.rest[0] + p.rest[1]


def twisted(p):
    return type(p)(p.slope * p.rest[0], [p.rest[1], p.slope * p.slope])


def entries(p):
    return [p.slope, *p.rest]


@pytest.mark.parametrize("kind", KINDS)
def test_every_transform_keeps_the_structure(kind):
    p, along = kind(2.0, [3.0, 4.0]), kind(1.0, [0.0, 1.0])
    assert entries(grad(cube)(p)) == [12.0, 4.0, 1.0]
    assert entries(hvp(cube, p, along)) == [6.0, 4.0, 0.0]
    assert entries(jvp(twisted, (p,), (along,))[1]) == [3.0, 1.0, 4.0]
    assert entries(vjp(twisted, p)[1](along)[0]) == [7.0, 2.0, 0.0]
    assert jacobian(twisted)(p).slope.slope == 3.0
    assert taylor(cube, p, 2, direction=along) == [16.0, 13.0, 3.0]
    program = compile(cube, backend="numpy")
    assert entries(program.value_and_grad(p)[1]) == [12.0, 4.0, 1.0]
    assert entries(program.hvp(p, along)) == [6.0, 4.0, 0.0]


def test_a_plain_tuple_of_hvp_still_holds_several_arguments():
    assert hvp(lambda x, y: x * x * y, (2.0, 3.0), (1.0, 0.0)) == (6.0, 4.0)
    assert compile(lambda x, y: x * x * y, backend="numpy").hvp((2.0, 3.0), (1.0, 0.0)) == (6, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_checker_confirms_gradients_and_names_the_fields(kind):
    p = kind(2.0, [3.0, 4.0])
    report = check_gradients(cube, p)
    assert report
    assert (report.names[0], report.names[2]) == NAMES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_checker_names_the_field_of_a_gradient_written_by_hand(kind):
    p = kind(np.array([2.0, 1.0]), [3.0, 4.0])

    def loss(p):
        return float(np.sum(p.slope**2) * p.rest[0] + p.rest[1])

    def right(p):
        return kind(2 * p.slope * p.rest[0], [np.sum(p.slope**2), 1.0])

    def wrong(p):
        return kind(2 * p.slope * p.rest[0], [np.sum(p.slope**2), 2.0])

    assert check_gradients(loss, p, gradient=right)
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(loss, p, gradient=wrong)
    assert str(caught.value).startswith(f"d{NAMES[kind][1]}: got 2")


@pytest.mark.parametrize("x", [[1.0, [2.0]], Pair(1.0, [2.0, 3.0])])
def test_numerical_derivatives_say_what_the_point_may_be(x):
    with pytest.raises(TypeError, match="x must be a number or an array of numbers"):
        numerical_gradient(lambda x: x[0], x)
    assert micrograd.grad(lambda x: x[0] * x[1][0])(x)[0] == 2.0
