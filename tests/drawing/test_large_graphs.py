"""`draw_dot` refuses what nobody could read, and is fast with what is large."""

import time

import pytest

from micrograd import Value
from micrograd.drawing import MAX_NODES, draw_dot
from micrograd.engine.graph import order
from nn import MLP
from tests.counting import calls
from tests.drawing.common import boxes, chain


def test_a_graph_too_large_to_read_is_refused_with_advice():
    with pytest.raises(ValueError, match=f"{MAX_NODES + 1} values") as refusal:
        draw_dot(chain(MAX_NODES))
    for advice in (f"limit {MAX_NODES}", "one sample", "one neuron", f"max_nodes={MAX_NODES + 1}"):
        assert advice in str(refusal.value)
    assert len(boxes(chain(MAX_NODES - 1))) == MAX_NODES
    assert draw_dot(chain(MAX_NODES), max_nodes=MAX_NODES + 1)


@pytest.mark.slow
def test_a_huge_graph_is_refused_in_the_time_of_a_walk():
    root = chain(199_999)
    start = time.process_time()
    order(root)
    walk = time.process_time() - start
    start = time.process_time()
    with pytest.raises(ValueError, match="200,000 values"):
        draw_dot(root)
    assert time.process_time() - start < 3 * walk + 0.5


def test_one_sample_and_the_loss_of_four_samples_of_a_small_network_are_drawn_by_default():
    model = MLP(3, [4, 4, 1], activation="tanh", output_activation="tanh")
    inputs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    assert len(boxes(model([Value(x) for x in inputs[0]]))) == 117
    loss = sum((model(x) - y) ** 2 for x, y in zip(inputs, [1.0, -1.0, -1.0, 1.0], strict=True))
    assert len(boxes(loss)) == 345


@pytest.mark.slow
def test_the_text_of_five_thousand_values_takes_as_many_calls_for_each_as_that_of_a_hundred():
    """Some 190; `benchmarks/pictures.py` has the time."""

    def written(values):
        x = Value(1.0, label="x")
        while len(order(x)) < values:
            for _ in range(10):
                x = x * 1.0001
        texts = []

        def write():
            texts.append(draw_dot(x, local_partials=True, max_nodes=10_000).source)

        count = calls(write) / len(order(x))
        assert texts[0].count("ellipse") == len(order(x)) - 1
        return count

    assert written(4_990) < min(200, 1.05 * written(100))
