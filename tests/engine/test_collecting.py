"""Python's garbage collector is paused while we own a graph, and stays as the user set it."""

import gc
import threading

import numpy as np
import pytest

from micrograd import compile  # noqa: A004
from micrograd.engine import collecting
from micrograd.engine.collecting import nothing_collected
from micrograd.testing import check_gradients
from nn import MLP, fit


@pytest.fixture(params=[True, False], ids=["on", "off"])
def is_on(request):
    """The user's setting, which every test must leave alone."""
    (gc.enable if request.param else gc.disable)()
    try:
        yield request.param
        assert gc.isenabled() == request.param
        assert not collecting._threads
    finally:
        gc.enable()


def test_a_pause_ends_with_what_was_before_and_may_be_nested(is_on):
    with nothing_collected():
        with nothing_collected():
            assert not gc.isenabled()
        assert not gc.isenabled()


def test_a_pause_ends_with_an_error_too(is_on):
    with pytest.raises(ZeroDivisionError), nothing_collected(), nothing_collected():
        raise ZeroDivisionError


def test_overlapping_pauses_of_two_threads_end_with_the_last(is_on):
    inside, leave = threading.Event(), threading.Event()

    def other():
        with nothing_collected():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with nothing_collected():
        thread.start()
        assert inside.wait(10)
    assert not gc.isenabled()
    leave.set()
    thread.join()


def test_what_is_switched_on_within_a_pause_stays_on():
    with nothing_collected():
        gc.enable()
    assert gc.isenabled()


def test_eager_training_the_checker_and_the_compiler_build_graphs_in_a_pause(is_on):
    seen = []

    def loss(scores, targets):
        seen.append(gc.isenabled())
        return (scores - targets) ** 2

    fit(MLP(1, [1]), np.ones((2, 1)), np.ones(2), loss=loss, epochs=1, engine="eager")
    assert seen
    assert not any(seen[:2])

    def square(x):
        seen.append(gc.isenabled())
        return x * x

    seen.clear()
    check_gradients(square, 2.0, modes="reverse")
    assert seen
    assert not any(seen)
    seen.clear()
    compile(square)(2.0)
    assert seen
    assert not any(seen)
