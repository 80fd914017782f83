"""Long traces tell how far they are, and may be limited; threads are obeyed or refused."""

from __future__ import annotations

import io
import sys
import time

import pytest

from micrograd import sin
from micrograd.compiler import TraceError, compile, progress  # noqa: A004


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
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_a_long_trace_says_how_far_it_is_on_a_terminal_only(monkeypatch, stream):
    monkeypatch.setattr(progress, "EVERY", 0.01)
    monkeypatch.setattr(sys, "stderr", written := stream())

    def slow(x):
        time.sleep(0.1)
        return chain(x)

    compile(slow, backend="numpy")(0.0)
    text = written.getvalue()
    if stream is Terminal:
        assert "compiling: 0 operations traced after 0 s (Ctrl-C stops)" in text
        assert text.endswith("\n")
    else:
        assert not text


def test_a_short_trace_says_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", written := Terminal())
    compile(chain, backend="numpy")(0.0)
    assert not written.getvalue()


def test_a_program_without_a_standard_error_traces_in_silence(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)  # as in pythonw.exe
    assert compile(chain, backend="numpy")(0.0) == 0.0


@pytest.mark.parametrize("backend", ["numpy", "jax", "reference"])
def test_threads_of_a_backend_that_takes_none_are_refused(backend):
    with pytest.raises(ValueError, match=r'threads=2 needs backend="numba"'):
        compile(chain, backend=backend, threads=2)
    compile(chain, backend="numpy", threads=1)
