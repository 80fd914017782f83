"""Programs for Karpathy's `nn` run unchanged (hexadecimal numbers come from his package, 0.1.0)."""

import random

import numpy as np

from micrograd import nn
from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Module, Neuron


def test_the_modules_have_the_addresses_of_his_package():
    assert nn.MLP is MLP
    assert (nn.Layer, nn.Neuron, nn.Module) == (Layer, Neuron, Module)
    assert all(issubclass(kind, Module) for kind in (Neuron, Layer, MLP))


def test_weights_are_drawn_in_his_order_and_a_bias_draws_nothing():
    random.seed(11)
    neuron, layer, model = Neuron(3), Layer(2, 3), MLP(3, [4, 4, 1])
    after = random.random()
    random.seed(11)
    for unit in (neuron, *layer.neurons, *(n for la in model.layers for n in la.neurons)):
        assert [w.data for w in unit.w] == [random.uniform(-1, 1) for _ in unit.w]
        assert unit.b.data == 0
    assert after == random.random()


def test_the_bias_is_the_first_term_of_the_sum():
    neuron = Neuron(2, nonlin=False)
    neuron.b.data = 1e16
    for w, weight in zip(neuron.w, (1.0, 1.0), strict=True):
        w.data = weight
    assert neuron([1.0, 1.0]).data == (1e16 + 1.0) + 1.0
    assert (1e16 + 1.0) + 1.0 != 1e16 + (1.0 + 1.0)


def test_outputs_of_seeded_networks_are_his_bit_for_bit():
    random.seed(11)
    assert Neuron(3)([0.25, -0.5, 2.0]).data.hex() == "0x1.9cfe96e66d9cap+0"
    outputs = Layer(2, 3)([0.3, -0.7])
    assert [out.data for out in outputs] == [0.0, float.fromhex("0x1.f9c29a7e8689dp-2"), 0.0]
    assert MLP(3, [4, 4, 1])([2.0, 3.0, -1.0]).data.hex() == "-0x1.64c6e65391b69p-1"
    assert random.random().hex() == "0x1.d65b13834c684p-3"


def test_parameters_come_neuron_by_neuron_weights_before_bias():
    model = MLP(2, [3, 2])
    expected = [p for la in model.layers for n in la.neurons for p in (*n.w, n.b)]
    assert list(map(id, model.parameters())) == list(map(id, expected))
    assert type(model.parameters()) is list
    assert len(MLP(2, [16, 16, 1]).parameters()) == 337
    assert Module().parameters() == []


def test_only_the_last_layer_is_linear_and_a_single_output_is_unwrapped():
    model = MLP(2, [3, 3, 2])
    assert [[n.nonlin for n in la.neurons] for la in model.layers] == [
        [True] * 3,
        [True] * 3,
        [False] * 2,
    ]
    assert type(model([1.0, 2.0])) is list
    assert type(MLP(2, [3, 1])([1.0, 2.0])) is Value
    assert type(Layer(2, 1)([1.0, 2.0])) is Value


def test_neurons_layers_and_networks_show_themselves_as_his_do():
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Neuron(2, nonlin=False)) == "LinearNeuron(2)"
    assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(Layer(3, 1, nonlin=False)) == "Layer of [LinearNeuron(3)]"
    assert str(MLP(2, [1, 1])) == "MLP of [Layer of [ReLUNeuron(2)], Layer of [LinearNeuron(1)]]"


def test_zero_grad_sets_every_parameter_to_zero():
    model = MLP(2, [2, 1])
    model([1.0, 2.0]).backward()
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0] * 9


class TwoInputs(Module):
    """A user's module, written like Karpathy's."""

    def __init__(self):
        self.first, self.second = Neuron(1, nonlin=False), Neuron(1, nonlin=False)

    def parameters(self):
        return self.first.parameters() + self.second.parameters()

    def __call__(self, x):
        return self.first([x[0]]) * self.second([x[1]])


def test_a_module_of_ones_own_inherits_zero_grad():
    model = TwoInputs()
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


POINTS = [(0.5, -1.25), (1.5, 0.25), (-0.75, 2.0), (-2.0, -0.5)]
POINTS += [(1.0, 1.0), (0.125, -0.375), (-1.5, 1.125), (2.25, -2.0)]
SIGNS = np.array([1, -1, -1, 1, -1, 1, -1, 1])


def margin_loss(model, decay):
    """The objective of his demonstration: mean hinge loss and a penalty on the weights."""
    inputs = [list(map(Value, point)) for point in POINTS]
    scores = list(map(model, inputs))
    losses = [(1 + -sign * score).relu() for sign, score in zip(SIGNS, scores, strict=True)]
    penalty = decay * sum(p * p for p in model.parameters())
    right = [(sign > 0) == (score.data > 0) for sign, score in zip(SIGNS, scores, strict=True)]
    return sum(losses) * (1.0 / len(losses)) + penalty, sum(right) / len(right)


def test_the_first_loss_of_training_is_his_bit_for_bit():
    random.seed(2024)
    loss, accuracy = margin_loss(MLP(2, [5, 4, 1]), 1e-4)
    assert loss.data.hex() == "0x1.60956e634b9b4p+0"
    assert accuracy == 1 / 8


# Gradients of his package, in units of 2 ** -16. The weights are rounded to sixteenths, so no
# operation rounds, and the order in which his sets of parents are visited does not matter.
DYADIC_GRADIENTS = """
-424 -1784 -1792 -2512 12080 8960 -6488 27992 20736 3584 -2800 -2432 1040 12480 3840 7752 14648
8472 720 696 12288 7784 14648 8480 696 704 12288 -3096 -6472 -3568 -472 -72 -4096 -24 -112 -40 -24
-96 0 25560 30284 20556 -40 0
"""


def test_the_first_gradients_of_training_are_his_bit_for_bit():
    random.seed(2024)
    model = MLP(2, [5, 4, 1])
    for p in model.parameters():
        p.data = round(p.data * 16) / 16
    loss, _ = margin_loss(model, 2.0**-10)
    assert loss.data.hex() == "0x1.5af1c00000000p+0"
    model.zero_grad()
    loss.backward()
    assert [p.grad * 2**16 for p in model.parameters()] == [
        float(unit) for unit in DYADIC_GRADIENTS.split()
    ]


def test_a_training_loop_of_his_kind_fits_the_points():
    random.seed(3)
    model = MLP(2, [8, 8, 1])
    for step in range(60):
        loss, accuracy = margin_loss(model, 1e-4)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (0.2 - 0.18 * step / 60) * p.grad
    assert accuracy == 1.0
