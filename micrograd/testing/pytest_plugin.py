"""A plugin of pytest, which shows the report in an assertion that fails as a table.

`assert check_gradients(…, raise_exception=False)` would show it in one line. In `conftest.py`:

    pytest_plugins = ["micrograd.testing.pytest_plugin"]
"""

from __future__ import annotations

from typing import Any

from micrograd.testing.operations import Reports, RowReports
from micrograd.testing.report import Report

_KEPT = 60  # characters at both ends of a representation that pytest keeps, however long it is


def pytest_runtest_makereport(call: Any) -> None:
    """Put the report into the message of an assertion that failed because of it."""
    if call.excinfo is None or type(call.excinfo.value) is not AssertionError:
        return
    error = call.excinfo.value
    hint, _, assertion = str(error).partition("assert ")
    line = assertion.partition("\n")[0]
    for held in call.excinfo.traceback[-1].frame.f_locals.values():
        if isinstance(held, Report | Reports | RowReports) and not held:
            text = repr(held).replace("\n", "\\n")
            if line.startswith(text[:_KEPT]) and line.endswith(text[-_KEPT:]):
                error.args = (f"{hint}{held}",)
                return
