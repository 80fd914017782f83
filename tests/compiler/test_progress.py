"""Long traces report their progress and may be limited; threads are used or refused."""

from __future__ import annotations

import io
import re
import sys
import threading

import numpy as np
import pytest

from micrograd import repeat, sin
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


@pytest.mark.parametrize("place", ["products of matrices", "the step of a loop"])
def test_a_trace_ends_at_the_limit_also_within(place):
    matrix, seen = np.arange(1.0, 10.0).reshape(3, 3), []

    def products(x):
        for i in range(1000):
            seen.append(i)
            x = matrix @ x
        return x

    def in_a_step(x):
        return repeat(lambda s: [a * x[0] for a in products(s)], x, 2)

    f = products if place == "products of matrices" else in_a_step
    with pytest.raises(TraceError, match="more than 100 operations, the limit="):
        compile(f, limit=100)(np.ones(3))
    assert len(seen) == 7  # of 15 operations each


def test_the_limit_counts_equal_operations_of_a_step_once():
    def f(x):
        return repeat(lambda s: sum(sin(s) * x + x for _ in range(3)), x, 3)

    assert compile(f, limit=5)(0.0) == 0.0
    with pytest.raises(TraceError, match="more than 4 operations"):
        compile(f, limit=4)(0.0)


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
