"""Threads may share parameters; one pass ends before another begins."""

import threading
import time

from micrograd import Value
from tests.engine.common import gradient


def in_threads(work, count):
    """Call `work` in this many threads at once, and raise their errors here."""
    together, failures = threading.Barrier(count), []

    def run():
        try:
            together.wait()
            work()
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=run) for _ in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures


def test_threads_may_share_parameters():
    parameters = [Value(float(i)) for i in range(1, 9)]

    def loss(ps):
        return sum((p * p for p in ps), ps[0] * ps[1])

    def work():
        for _ in range(40):
            loss(parameters).backward()

    in_threads(work, 4)
    once = gradient(lambda *ps: loss(ps), *range(1, 9))
    assert [p.grad for p in parameters] == [4 * 40 * g for g in once]


def test_one_pass_ends_before_another_begins():
    p = Value(2.0)

    def work():
        out = Value(4.0, (p,), "slow")

        def _backward():
            before = p.grad
            time.sleep(0.002)  # gives another thread a turn
            p.grad = before + 4.0 * out.grad

        out._backward = _backward
        root = out * 3 + p
        for _ in range(5):
            root.backward()

    in_threads(work, 4)
    assert p.grad == 4 * 5 * (4.0 * 3 + 1)
