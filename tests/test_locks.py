"""What a fork leaves behind can be used in the child."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from micrograd.compiler.native.executor import NativeExecutor
from micrograd.locks import forkable_property


class Slow:
    def __init__(self, end: threading.Event) -> None:
        self.began, self.end = threading.Event(), end

    @forkable_property
    def number(self) -> int:
        self.began.set()
        self.end.wait(60)
        return 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:os.fork:RuntimeWarning")
def test_a_property_that_another_thread_computes_is_computed_in_the_child_of_a_fork():
    slow, done = Slow(threading.Event()), threading.Event()
    done.set()
    thread = threading.Thread(target=lambda: slow.number)
    thread.start()
    assert slow.began.wait(60)
    if (pid := os.fork()) == 0:
        signal.alarm(10)
        os._exit(Slow(done).number)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    slow.end.set()
    thread.join(60)
    assert slow.number == 3


def test_kernels_that_are_compiled_at_the_first_call_are_such_properties():
    for name in ("linked", "_backwards", "fusion"):
        assert isinstance(vars(NativeExecutor)[name], forkable_property)
