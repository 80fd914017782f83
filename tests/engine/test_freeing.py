"""A graph is freed without recursion on the platform where Python frees it with recursion."""

import gc
import sys

import pytest

from micrograd import Value, where
from micrograd.engine import freeing
from micrograd.engine.graph import Node
from tests.engine.common import chain


class Counter:
    """How many nodes were freed, and how deep the calls were nested."""

    freed = deepest = depth = 0


@pytest.fixture
def counter(monkeypatch):
    """Nodes have the finalizer, as on that platform."""
    counter = Counter()

    def finalizer(node):
        counter.freed += 1
        counter.depth += 1
        counter.deepest = max(counter.deepest, counter.depth)
        freeing.unlink(node)
        counter.depth -= 1

    monkeypatch.setattr(Node, "__del__", finalizer, raising=False)
    yield counter
    gc.collect()


@pytest.mark.parametrize(
    "step",
    [
        lambda y, x: y * x,
        lambda y, x: 1.0 - y,
        lambda y, x: y * y,
        lambda y, x: where(x > 0, x, y),
        lambda y, x: Value(y.data, (x, x, y), "by hand"),
    ],
    ids=["left", "right", "twice", "third", "by hand"],
)
def test_a_chain_is_freed_at_once_by_calls_that_are_not_nested(counter, step):
    x = Value(1.0)
    y = chain(3_000, x, lambda y: step(y, x))
    counter.freed = counter.deepest = 0
    del y
    assert counter.freed >= 3_000
    assert counter.deepest == 2  # one that frees the others, and that of the one being freed


def test_what_is_still_used_keeps_its_operands(counter):
    x = Value(3.0)
    kept = x * x
    above = chain(10, kept)
    del above
    assert counter.freed == 10
    kept.backward()
    assert x.grad == 6.0


def test_a_graph_in_a_cycle_is_freed_by_the_collector(counter):
    x = Value(1.0)
    y = x * x
    y.itself = y
    del x, y
    assert counter.freed == 0
    gc.collect()
    assert counter.freed == 2


@pytest.mark.usefixtures("counter")
def test_a_value_that_could_not_be_made_is_freed_in_silence():
    with pytest.raises(TypeError):
        Value("3")
    gc.collect()  # a warning about a finalizer would be an error


def test_nodes_have_a_finalizer_only_where_it_is_needed():
    is_needed = sys.platform == "emscripten" and sys.version_info >= (3, 13)
    assert hasattr(Node, "__del__") == is_needed
