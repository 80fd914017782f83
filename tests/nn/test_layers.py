"""Layers with initializers and generators, Sequential, Dropout."""

from __future__ import annotations

import math
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from micrograd import Value
from nn import MLP, Dropout, Layer, Neuron, Sequential
from nn.functional import softmax
from nn.initializers import INITIALIZERS, constant, uniform
from nn.layers import dropout_masks


def weights(module):
    return [p.data for p in module.parameters()]


# ------------------------------------------------------------------------------------- initializers


def test_the_default_is_karpathys_draw_from_the_global_generator():
    random.seed(7)
    expected = [random.uniform(-1, 1) for _ in range(3)]
    random.seed(7)
    assert [w.data for w in Neuron(3).w] == expected


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_generator_makes_the_weights_reproducible_and_leaves_the_global_one_alone(name):
    before = random.getstate()
    first = weights(MLP(3, [4, 2], initializer=name, generator=random.Random(5)))
    second = weights(MLP(3, [4, 2], initializer=name, generator=random.Random(5)))
    assert first == second
    assert random.getstate() == before
    if name != "zeros":
        assert first != weights(MLP(3, [4, 2], initializer=name, generator=random.Random(6)))


VARIANCES = {
    "uniform": 1 / 3,
    "xavier_uniform": 2 / (40 + 60),
    "xavier_normal": 2 / (40 + 60),
    "he_uniform": 2 / 40,
    "he_normal": 2 / 40,
    "zeros": 0.0,
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_weights_have_the_published_distribution(name):
    layer = Layer(40, 60, initializer=name, generator=random.Random(1))
    drawn = [w.data for neuron in layer.neurons for w in neuron.w]
    deviation = math.sqrt(VARIANCES[name])
    # Of 2,400 draws the mean varies by deviation / √2400; and that of the squares by at most √2
    # times itself, over √2400, which is when the law is normal.
    mean, square = (math.fsum(w**n for w in drawn) / len(drawn) for n in (1, 2))
    assert abs(mean) <= 5 * deviation / math.sqrt(2400)
    assert abs(square - deviation**2) <= 5 * math.sqrt(2 / 2400) * deviation**2
    # A uniform law ends at √3 deviations; a normal one has 8 % of its draws beyond.
    beyond = sum(abs(w) > math.sqrt(3) * deviation for w in drawn)
    assert (beyond == 0) != name.endswith("_normal")
    assert all(neuron.b.data == 0 for neuron in layer.neurons)


def test_each_layer_of_a_network_is_drawn_for_its_own_sizes():
    def draw(fan_in, fan_out, generator):
        return 100 * fan_in + fan_out

    model = MLP(3, [4, 2], initializer=draw)
    found = [{w.data for n in layer.neurons for w in n.w} for layer in model.layers]
    assert found == [{304.0}, {402.0}]


def test_an_initializer_can_be_a_function_or_a_constant():
    assert [w.data for w in Neuron(2, initializer=constant(0.25)).w] == [0.25, 0.25]
    by_sizes = Layer(2, 3, initializer=lambda fan_in, fan_out, generator: 10 * fan_in + fan_out)
    assert {w.data for neuron in by_sizes.neurons for w in neuron.w} == {23.0}
    assert all(0 <= w.data <= 1 for w in Neuron(9, initializer=uniform(0, 1)).w)
    with pytest.raises(ValueError, match="unknown initializer 'he': give one of uniform, zeros"):
        Neuron(2, initializer="he")


@pytest.mark.parametrize("seed", [0, 42, "seed"])
def test_a_seed_in_place_of_a_generator_is_refused(seed):
    for make in (Neuron, lambda n, **options: MLP(n, [1], **options), Dropout):
        with pytest.raises(TypeError, match=r"generator is a random.Random, .*Random\(seed\)"):
            make(0.5 if make is Dropout else 2, generator=seed)
    assert len(Neuron(2, generator=random.SystemRandom()).w) == 2


def test_an_unknown_initializer_is_refused():
    for wrong in ([], None, 3):
        with pytest.raises(ValueError, match="unknown initializer"):
            Neuron(2, initializer=wrong)


def test_an_unknown_activation_is_answered_with_those_of_use_alone():
    with pytest.raises(ValueError, match="unknown activation 'linear'") as refused:
        MLP(2, [1], activation="linear")
    said = str(refused.value)
    assert "tanh, " in said
    assert "nn.functional.identity" in said
    assert "sech2" not in said
    assert Neuron(2, activation="sech2")([0.0, 0.0]).data == 1


# ------------------------------------------------------------------------------------- sequential


def test_sequential_applies_one_after_the_other():
    first, last = Layer(2, 3, activation="tanh"), Layer(3, 2, nonlin=False)
    model = Sequential(first, last, softmax)
    x = [0.5, -1.0]
    assert [v.data for v in model(x)] == [v.data for v in softmax(last(first(x)))]
    assert model.parameters() == [*first.parameters(), *last.parameters()]
    assert repr(model).startswith("Sequential of [Layer of [TanhNeuron(2)")
    assert repr(model).endswith("softmax]")


def test_sequential_refuses_things_that_are_not_layers():
    with pytest.raises(ValueError, match="at least one"):
        Sequential()
    with pytest.raises(TypeError, match="layer 1 of Sequential is not a module or a function: 3"):
        Sequential(Layer(2, 2), 3)


# ------------------------------------------------------------------------------------- dropout


def test_dropout_keeps_the_mean_and_drops_the_share():
    dropout = Dropout(0.25, generator=random.Random(0))
    count = 4_000
    kept = [v.data for v in dropout([Value(1.0) for _ in range(count)])]
    assert set(kept) == {0.0, 1 / 0.75}
    # Each is dropped or not: a standard deviation of √(p (1 - p) count).
    assert abs(kept.count(0.0) - 0.25 * count) <= 5 * math.sqrt(0.25 * 0.75 * count)


def test_dropout_does_nothing_in_evaluation():
    dropout = Dropout(0.5)
    assert dropout.eval() is dropout
    x = [Value(1.0), Value(2.0)]
    assert dropout(x) is x
    assert Dropout(0.0)(x) is x


def test_dropout_takes_its_factors_from_the_masks_where_they_are_given():
    asked = []

    def masks(count, p):
        asked.append((count, p))
        return [Value(2.0)] * count

    with dropout_masks(masks):
        (single,) = [Dropout(0.3)(Value(4.0))]
        assert single.data == 8.0
        assert [v.data for v in Dropout(0.4)([1.0, 2.0])] == [2.0, 4.0]
    assert asked == [(1, 0.3), (2, 0.4)]


def test_masks_end_with_their_context_even_after_an_error():
    with pytest.raises(ZeroDivisionError), dropout_masks(lambda count, p: [0.0] * count):
        raise ZeroDivisionError
    kept = Dropout(0.5, generator=random.Random(1))([Value(1.0) for _ in range(64)])
    assert any(v.data for v in kept)


def test_masks_of_one_thread_are_not_those_of_another():
    both_within = threading.Barrier(2, timeout=60)

    def output(factor):
        with dropout_masks(lambda count, p: [factor] * count):
            both_within.wait()
            return Dropout(0.5)(Value(1.0)).data

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(output, [3.0, 7.0])) == [3.0, 7.0]


@pytest.mark.parametrize("given", [1, 3])
def test_masks_of_another_length_are_refused(given):
    with (
        dropout_masks(lambda count, p: [1.0] * given),
        pytest.raises(ValueError, match=rf"source\(2, 0.5\) gave {given} factors: give 2"),
    ):
        Dropout(0.5)([1.0, 2.0])


def test_the_same_generator_drops_the_same():
    def dropped(seed):
        return Dropout(0.5, generator=random.Random(seed))([1.0] * 30)

    assert dropped(3) == dropped(3)
    assert dropped(3) != dropped(4)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, math.nan])
def test_a_dropout_probability_outside_its_range_is_refused(p):
    with pytest.raises(ValueError, match="p is a probability"):
        Dropout(p)


def test_a_dropout_probability_that_is_not_a_number_is_refused():
    with pytest.raises(TypeError, match="the p of Dropout takes a real number, got str"):
        Dropout("0.5")
