"""Long traces report their progress and may be limited; threads are used or refused."""

from __future__ import annotations

import io
import re
import sys
import threading

import pytest

from micrograd import sin
from micrograd.compiler import TraceError, compile  # noqa: A004
from micrograd.compiler.tracing import progress


def chain(x, steps=10):
    for _ in range(steps):
        x = sin(x)
    return x


def test_a_trace_of_more_operations_than_the_limit_is_refused_with_the_line():
    assert compile(chain, limit=10)(0.0) == 0.0
    with pytest.raises(TraceError, match=r"more than 9 operations, the limit=.*\n.*test_progress"):
        compile(chain, limit=9)(0.0)
    repeated = compile(lambda x: sum(sin(x) for _ in range(4)), limit=5)
    assert repeated(0.0) == 0.0  # equal operations are one
    assert compile(lambda x: [sin(x), sin(x)], limit=1)(0.0) == [0.0, 0.0]  # also at the limit
    with pytest.raises(TraceError, match="more than 10 operations"):
        compile(chain, limit=10).jacobian(0.0)  # its cosines come on top
    for limit in (0, -1, 1.5, True, "1"):
        with pytest.raises(ValueError, match="limit is a number of operations"):
            compile(chain, limit=limit)


class Terminal(io.StringIO):
    """A terminal that says when something has been written to it."""

    def __init__(self):
        super().__init__()
        self.was_written = threading.Event()

    def isatty(self):
        return True

    def write(self, text):
        self.was_written.set()
        return super().write(text)


def test_a_long_trace_reports_its_progress_on_a_terminal(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", written := Terminal())

    def slow(x):
        assert written.was_written.wait(600)
        return chain(x)

    compile(slow, backend="numpy")(0.0)
    text = written.getvalue()
    assert re.search(r"compiling: 0 operations traced after \d+ s \(Ctrl-C stops\)", text)
    assert text.endswith("\n")


def test_a_trace_without_a_terminal_reports_nothing(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", written := io.StringIO())
    before = set(threading.enumerate())

    def traced(x):
        assert set(threading.enumerate()) <= before  # nobody is there to report
        return chain(x)

    compile(traced, backend="numpy")(0.0)
    assert not written.getvalue()


def test_a_short_trace_says_nothing(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 3600.0)
    monkeypatch.setattr(sys, "stderr", written := Terminal())
    compile(chain, backend="numpy")(0.0)
    assert not written.getvalue()


def test_a_program_without_a_standard_error_traces_in_silence(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)  # as in pythonw.exe
    assert compile(chain, backend="numpy")(0.0) == 0.0


@pytest.mark.parametrize("backend", ["numpy", "jax", "reference"])
def test_threads_are_refused_by_a_backend_that_does_not_take_them(backend):
    with pytest.raises(ValueError, match=r'threads=2 needs backend="numba"'):
        compile(chain, backend=backend, threads=2)
    compile(chain, backend="numpy", threads=1)
