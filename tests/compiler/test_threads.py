"""Programs in several threads and processes, traces within traces, and interrupts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from micrograd import (
    Value,
)
from micrograd.compiler import compile  # noqa: A004
from nn import MLP


@pytest.mark.slow
def test_programs_run_in_many_threads_at_once():
    model = MLP(2, [8, 1], activation="tanh")
    f = compile(lambda x, y: (model(x) - y) ** 2, model.parameters(), batched=True)
    generator = np.random.default_rng(0)
    batches = [(generator.normal(size=(n, 2)), generator.normal(size=n)) for n in (5, 50, 500)] * 4
    expected = [f.value_and_grad(*batch) for batch in batches]
    found = [None] * len(batches)

    def work(i):
        for _ in range(20):
            found[i] = f.value_and_grad(*batches[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (value, gradient), (wanted, slopes) in zip(found, expected, strict=True):
        assert value == wanted
        assert (gradient == slopes).all()


def test_programs_run_while_another_thread_traces_with_the_same_parameters():
    parameters = [Value(0.1 * i) for i in range(20)]
    f = compile(lambda x: sum(p * p for p in parameters) * x, parameters)
    expected = f(1.0)
    found = []

    def tracing(x):
        # Within a trace, which has taken the numbers of the parameters away.
        runner = threading.Thread(target=lambda: found.append(f(1.0)))
        runner.start()
        runner.join()
        return x * parameters[0]

    assert compile(tracing, parameters)(2.0) == 0.0
    assert found == [expected] * 2


def test_functions_are_compiled_while_another_thread_traces_with_the_same_parameters():
    w, began, found = Value(3.0), threading.Event(), []

    def tracing(x):
        began.set()
        time.sleep(0.1)  # until the other thread wants to compile
        return x * w

    tracer = threading.Thread(target=lambda: found.append(compile(tracing, [w])(2.0)))
    tracer.start()
    began.wait()
    for parameters in ([w], {"w": w}):
        found.append(compile(lambda x: x + w, parameters)(2.0))
    tracer.join()
    assert sorted(found) == [5.0, 5.0, 6.0]


def test_functions_that_are_traced_within_others_do_not_wait_for_each_other():
    began, found = threading.Event(), []
    inner = compile(lambda x: x * 2, backend="numpy")

    def outer_function(x):
        began.set()
        time.sleep(0.1)  # until the other thread wants to trace `inner`
        return x * inner(3.0)

    def wanting_inner():
        began.wait()
        found.append(inner(3.0))

    outer = compile(outer_function, backend="numpy")
    threads = [
        threading.Thread(target=lambda: found.append(outer(1.0)), daemon=True),
        threading.Thread(target=wanting_inner, daemon=True),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [6.0, 6.0]


def test_a_function_may_call_its_own_program_for_arguments_of_another_kind():
    f = compile(lambda x: x if isinstance(x, list) else f([2.0])[0] * x)
    assert f(3.0) == 6.0


FORKING = """
import gc, os, signal, sys, threading
from importlib.util import find_spec
from micrograd import Value, anomaly, compile, detect_anomaly

backend = "numba" if find_spec("llvmlite") else "numpy"
w, began, end = Value(3.0), [], threading.Event()


def wait():
    began[-1].set()
    end.wait(60)


def walk():
    y = w * 2
    y._backward = wait  # within a pass
    y.backward()


def trace():
    compile(lambda x: wait() or x * w, [w], backend=backend)(1.0)


def make():  # machine code
    from micrograd.compiler.native import executor, machine

    with executor._making, machine._lock, machine._llvms:
        wait()


def look():
    with anomaly._lock:
        wait()


def child():
    signal.alarm(60)
    assert type(w) is Value and w.data == 3.0 and gc.isenabled()
    x = Value(2.0)
    (x * x).backward()
    assert x.grad == 4.0
    f = compile(lambda x: x.sin() * w, [w], backend=backend)
    f(1.0)
    assert f.value_and_grad(0.0)[1].tolist() == [0.0]
    with detect_anomaly():
        x.exp()


threads = []
for hold in (walk, trace, look, *([make] if backend == "numba" else [])):
    began.append(threading.Event())
    threads.append(threading.Thread(target=hold, daemon=True))
    threads[-1].start()
    assert began[-1].wait(60)
sys.stdout.flush()
if (pid := os.fork()) == 0:
    try:
        child()
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
end.set()
for thread in threads:
    thread.join(60)
assert w.data == 3.0
print("as it should be")
"""


FORKING_BETWEEN = """
import os, threading
from micrograd import Value, compile
from micrograd.compiler.tracing import tracer

w, between, end, recorder = Value(3.0), threading.Event(), threading.Event(), tracer.Recorder
w.grad = 7.0


def waiting(*sizes, **others):  # between the two runs of a function
    if others.get("before") is not None and not between.is_set():
        between.set()
        end.wait(60)
    return recorder(*sizes, **others)


tracer.Recorder = waiting
thread = threading.Thread(target=lambda: compile(lambda x: x * w, [w], backend="numpy")(1.0))
thread.start()
assert between.wait(60) and type(w) is not Value
if (pid := os.fork()) == 0:
    f = compile(lambda x: x + w, [w], backend="numpy")
    os._exit(0 if type(w) is Value and w.grad == 7.0 and f(1.0) == 4.0 else 1)
right = os.waitpid(pid, 0)[1] == 0
end.set()
thread.join()
print("as it should be" if right and w.grad == 7.0 else "wrong")
"""


FORKING_WITHIN = """
import os
from micrograd import Value, compile

w, forked = Value(3.0), []


def f(x):
    if (pid := os.fork()) == 0:
        forked.append(pid)
    else:
        assert os.waitpid(pid, 0)[1] == 0
    return x * w


right = compile(f, [w], backend="numpy")(2.0) == 6.0 and type(w) is Value
if forked:
    os._exit(0 if right else 1)
print("as it should be" if right else "wrong")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.parametrize(
    "code",
    [FORKING, FORKING_BETWEEN, FORKING_WITHIN],
    ids=["others", "another between two runs", "itself"],
)
def test_the_child_of_a_fork_walks_and_traces_whatever_was_going_on(code):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "ignore", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert run.stdout == "as it should be\n", run.stdout + run.stderr


@pytest.mark.parametrize("line", [4, 5])
def test_an_interrupt_gives_all_parameters_back(line):
    parameters = [Value(float(i)) for i in range(5)]
    for p in parameters:
        p.grad = 7.0
    seen = []

    def interrupt(frame, event, argument):
        if frame.f_code.co_name == "_give_back" and event == "line":
            seen.append(frame.f_lineno)
            if len(seen) == line:  # the types are given back, then the gradients
                sys.settrace(None)
                raise KeyboardInterrupt
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            compile(lambda x: x * parameters[0], parameters)(1.0)
    finally:
        sys.settrace(before)
    assert [type(p) for p in parameters] == [Value] * 5
    assert [(p.data, p.grad) for p in parameters] == [(float(i), 7.0) for i in range(5)]
