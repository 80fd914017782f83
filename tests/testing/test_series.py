"""The witness `series`: derivatives of order 2 and higher from Taylor series."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from micrograd import abs as absolute
from micrograd import cos, derivative, exp, log, maximum, polygamma, sin, tanh
from micrograd.testing import GradientMismatch, check, check_gradients, check_operation
from micrograd.testing.recording import Subject
from micrograd.testing.series import Series


def statements(report, name="series"):
    """What the witness says, over all derivatives."""
    found = [each for each in report.witnesses if each.name == name]
    return found + [each for deeper in report.deeper for each in statements(deeper, name)]


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 3, 4])
def test_it_agrees_within_its_bound_on_every_derivative(order):
    report = check_gradients(lambda x, y: exp(sin(x * y)) / log(x), 1.5, -0.3, order=order)
    assert report
    found = statements(report)
    assert len(found) == sum(2**level for level in range(1, order))
    for deeper in report.deeper:
        (heard,) = [each for each in deeper.witnesses if each.name == "series"]
        for got, bound, estimate in zip(deeper.gradient, deeper.bounds, heard.found, strict=True):
            assert abs(got - estimate.value) <= estimate.error + bound
            assert estimate.error < 1e-12 * max(abs(got), 1)


def test_its_bound_contains_the_true_number():
    x, y = Fraction(0.7), Fraction(-1.3)
    subject = Subject(lambda x, y: (x**3 * y - x / y) * y, (float(x), float(y)))
    first = check._derivative(subject, {0: 1.0})
    second = check._derivative(first, {1: 1.0})
    for made, direction, true in (
        (first, {0: 1.0}, 6 * x * y**2),
        (first, {1: 1.0}, 6 * x**2 * y),
        (first, {0: 3.0, 1: -2.0}, 18 * x * y**2 - 12 * x**2 * y),
        (second, {0: 1.0}, 12 * x * y),
        (second, {1: 4.0}, 24 * x**2),
    ):
        found = Series(made, made.record(made.point), "").along(direction)
        assert 0 < found.error < 1e-12
        assert abs(Fraction(found.value) - true) <= Fraction(found.error)


def test_it_finds_an_engine_whose_first_derivative_is_not_that_of_the_function(monkeypatch):
    def doubled(output, wrt):
        return [2 * slope for slope in derivative(output, wrt)]

    monkeypatch.setattr(check, "derivative", doubled)
    others = ("reverse", "forward", "difference", "complex step", "exact", "taylor")
    assert check_gradients(lambda x: tanh(x) * x, 0.5, order=2, modes=others)
    with pytest.raises(GradientMismatch, match="series says") as failure:
        check_gradients(lambda x: tanh(x) * x, 0.5, order=2)
    assert failure.value.witness == "series"


@pytest.mark.slow
def test_many_inputs_are_moved_together(monkeypatch):
    point = [0.1 * number for number in range(1, 30)]

    def f(xs):
        return sum(cos(x * y) for x, y in pairwise(xs))

    report = check_gradients(f, point, order=2)
    assert report
    assert "series" in str(report.deeper[0].lines)

    def scaled(output, wrt):
        return [slope * x for slope, x in zip(derivative(output, wrt), wrt, strict=True)]

    monkeypatch.setattr(check, "derivative", scaled)
    assert not check_gradients(f, point, order=2, raise_exception=False)


def test_it_is_silent_at_kinks_and_of_operations_made_by_hand():
    (at_kink,) = statements(
        check_gradients(lambda x: x * absolute(x), 0.0, order=2, raise_exception=False)
    )
    assert "abs(0.0) is at a kink" in at_kink.silent
    tie = check_gradients(lambda x: maximum(x * x, 1.0), 1.0, order=2, raise_exception=False)
    assert all(each.silent for each in statements(tie))


def test_it_does_not_confirm_alone():
    report = check_gradients(lambda x: tanh(x), 0.5, order=2, modes="series")
    assert report
    assert [each.name for each in report.deeper[0].witnesses] == ["series", "difference"]
    assert not statements(check_gradients(lambda x: tanh(x), 0.5))


def test_a_constant_operand_is_never_at_a_kink():
    report = check_gradients(lambda x: polygamma(1, x), 2.5, order=3)
    assert report
    assert "kink" not in str(report)


def test_rows_of_the_table_are_checked_in_any_order_of_derivatives():
    reports = check_operation(["mish", "hypot"], points=4, order=2)
    assert reports
    assert all(statements(report) for each in reports.values() for report in each if report)
