"""The plugin of pytest, which shows reports in assertions as tables."""

from __future__ import annotations

import pytest

from micrograd import tanh
from micrograd.testing import check_gradients, check_operation
from micrograd.testing.pytest_plugin import pytest_runtest_makereport
from tests.testing.common import defined


def detached(x):
    return x * x.data


def shown(test):
    """What pytest says of a test that fails."""
    call = pytest.CallInfo.from_call(test, "call")
    pytest_runtest_makereport(call)
    return call.excinfo.exconly(tryshort=True)


def test_the_report_is_a_table():
    report = check_gradients(detached, 3.0, raise_exception=False)

    def alone():
        assert check_gradients(detached, 3.0, raise_exception=False)

    def with_a_message():
        assert report, "the square of a number"

    assert shown(alone) == f"AssertionError: {report}"
    assert shown(with_a_message) == f"AssertionError: the square of a number\n{report}"


def test_the_reports_of_rows_are_tables():
    wrong = defined("sin(x)", "1.1 * cos(x)").__name__

    def one():
        assert check_operation(wrong, raise_exception=False)

    def many():
        assert check_operation([wrong, "tanh"], raise_exception=False)

    assert f"{wrong}: 0 of 24 points agree\n{wrong} at x = " in shown(one)
    assert f"{wrong}  WRONG, 0 of 24 points agree\ntanh " in shown(many)


def test_other_failures_are_left_alone():
    report = check_gradients(detached, 3.0, raise_exception=False)

    def other():
        assert report is None

    def raising():
        check_gradients(detached, 3.0)

    def passing():
        assert check_gradients(lambda x: tanh(x), 3.0)

    assert "\\n" in shown(other)
    assert shown(raising).startswith("micrograd.testing.report.GradientMismatch: d detached/dx")
    call = pytest.CallInfo.from_call(passing, "call")
    assert pytest_runtest_makereport(call) is None
