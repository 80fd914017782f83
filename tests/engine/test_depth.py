"""Deep and wide graphs are walked, pickled and copied without recursion."""

import copy
import gc
import pickle

import pytest

import micrograd
from micrograd import Value
from micrograd.engine import value
from tests.engine.common import chain, sinh_like

pytestmark = pytest.mark.slow


def test_a_chain_of_a_million_operations_differentiates():
    x = Value(1.0)
    y = chain(1_000_000, x)
    y.backward()
    assert x.grad == 1.0
    assert y.data == pytest.approx(2.0, rel=1_000_000 * 2.0**-53)


def test_a_chain_of_twenty_thousand_operations_is_pickled_and_copied():
    x = Value(1.0)
    y = chain(20_000, x)
    y.backward()
    assert x.grad == 1.0
    text = pickle.dumps(y)
    copied = copy.deepcopy(y)
    copied.backward()
    assert (copied.data, x.grad) == (y.data, 1.0)
    del copied
    gc.collect()
    restored = pickle.loads(text)
    assert restored.data == y.data
    restored.backward()
    leaf, *_ = value.order(restored)
    assert leaf.grad == 2.0
    assert x.grad == 1.0
    del y, restored, leaf
    gc.collect()


@pytest.mark.parametrize(
    "step",
    [
        lambda y, x: x * 0.5 + y,
        lambda y, x: 1.0 - y,
        lambda y, x: y + y * 0,
        lambda y, x: micrograd.where(x > 0, x, y) * 0 + y,
        lambda y, x: Value(y.data, (x, x, y), "third", local_grads=(0.0, 0.0, 1.0)),
    ],
    ids=["right", "reflected", "diamonds", "ternary", "by hand"],
)
def test_deep_graphs_of_every_shape_are_walked_without_recursion(step):
    x = Value(1.0)
    y = chain(5_000, x * 1, lambda y: step(y, x))
    y.backward()
    expected = x.grad
    copied, restored = copy.deepcopy(y), pickle.loads(pickle.dumps(y))
    for other in (copied, restored):
        leaf = next(node for node in value.order(other) if not node._children)
        leaf.grad = 0
        other.backward()
        assert leaf.grad == expected
    repr(y)


def test_a_wide_graph_differentiates():
    leaves = [Value(float(i)) for i in range(20_000)]
    sum(leaf * leaf for leaf in leaves).backward()
    assert all(leaf.grad == 2 * leaf.data for leaf in leaves)


def test_a_step_by_hand_deep_in_a_graph_is_reached():
    x = Value(1.0)
    y = chain(5_000, x, sinh_like)
    y.backward()
    assert x.grad == 1.0
