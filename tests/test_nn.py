"""`nn`: neurons, layers and networks beyond what Karpathy's package does."""

import copy
import math
import pickle
import random

import numpy as np
import pytest

import micrograd
import nn
from micrograd import Value
from nn import MLP, Layer, Module, Neuron


@pytest.fixture(autouse=True)
def _seed():
    state = random.getstate()
    random.seed(5)
    yield
    random.setstate(state)


# ------------------------------------------------------------------------------------- the numbers


def by_numpy(model, points, activation, slope):
    """Outputs and the gradient of their sum, written with matrices; last layer linear."""
    signal, tape = np.array(points), []
    for layer in model.layers:
        weights = np.array([[w.data for w in n.w] for n in layer.neurons])
        bias = np.array([n.b.data for n in layer.neurons])
        before = signal @ weights.T + bias
        tape.append((signal, weights, before))
        signal = before if layer is model.layers[-1] else activation(before)
    adjoint, gradients = np.ones_like(signal), []
    for signal_in, weights, before in reversed(tape):
        if before is not tape[-1][2]:
            adjoint = adjoint * slope(before)
        both = np.column_stack([adjoint.T @ signal_in, adjoint.sum(axis=0)])
        gradients = [*both.ravel(), *gradients]
        adjoint = adjoint @ weights
    return signal, gradients


@pytest.mark.parametrize(
    ("name", "activation", "slope"),
    [
        ("relu", lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
        ("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        ("sin", np.sin, np.cos),
    ],
)
def test_a_network_computes_what_matrices_compute(name, activation, slope):
    model = MLP(3, [5, 4, 2], activation=name)
    for p in model.parameters():
        p.data = random.uniform(-1, 1)
    points = [[random.uniform(-2, 2) for _ in range(3)] for _ in range(6)]
    outputs = [model(point) for point in points]
    sum(out for row in outputs for out in row).backward()
    expected, gradients = by_numpy(model, points, activation, slope)
    # Sums of at most 12 terms of size below 32, through three layers, each sum right to 12 u * 32.
    tolerance = 3 * 12 * 32 * 2.0**-52
    for row, wanted in zip(outputs, expected, strict=True):
        assert [out.data for out in row] == pytest.approx(list(wanted), rel=0, abs=tolerance)
    found = [p.grad for p in model.parameters()]
    assert found == pytest.approx(gradients, rel=0, abs=tolerance)


def test_training_fits_exclusive_or():
    model = MLP(2, [6, 1], activation="tanh")
    points = [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)]
    losses = []
    for _ in range(300):
        loss = sum((model(x) - y) ** 2 for x, y in points)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        losses.append(loss.data)
    assert losses[-1] < 0.01 < 0.5 < losses[0]


# ------------------------------------------------------------------------------------- activations


def test_an_activation_is_the_name_of_an_operation_or_a_function():
    named, written = Neuron(2, activation="tanh"), Neuron(2, activation=lambda v: v.tanh())
    plain = Neuron(2, nonlin=False)
    for neuron in (written, plain):
        for theirs, w in zip(neuron.w, named.w, strict=True):
            theirs.data = w.data
    x = [0.5, -1.5]
    assert named(x).data == written(x).data == math.tanh(plain(x).data)
    assert Neuron(2, activation=micrograd.sigmoid)(x)._op == "sigmoid"
    assert named(x)._op == "tanh"


def test_every_layer_but_the_last_has_the_activation():
    model = MLP(2, [3, 3, 1], activation="sigmoid")
    ops = {node._op for node in micrograd.engine.graph.order(model([1.0, 2.0]))}
    assert "sigmoid" in ops
    assert "ReLU" not in ops
    assert model([1.0, 2.0])._op == "+"


def test_an_output_activation_makes_the_last_layer_nonlinear():
    model = MLP(2, [3, 2], output_activation="sigmoid")
    outputs = model([1.0, 2.0])
    assert [out._op for out in outputs] == ["sigmoid"] * 2
    assert all(0 < out.data < 1 for out in outputs)
    assert {n._op for n in micrograd.engine.graph.order(outputs)} >= {"ReLU", "sigmoid"}


def test_a_layer_passes_its_options_to_its_neurons():
    layer = Layer(2, 3, activation="tanh")
    assert [out._op for out in layer([1.0, 2.0])] == ["tanh"] * 3
    assert [out._op for out in Layer(2, 3, nonlin=False)([1.0, 2.0])] == ["+"] * 3


def test_networks_show_their_activations():
    assert repr(Neuron(2, activation="tanh")) == "TanhNeuron(2)"
    assert repr(Neuron(2, activation="relu")) == "ReLUNeuron(2)"
    assert repr(Neuron(2, nonlin=False, activation="tanh")) == "LinearNeuron(2)"
    assert "TanhNeuron(2)" in repr(MLP(2, [2, 1], activation="tanh"))
    assert "LinearNeuron(2)" in repr(MLP(2, [2, 1], activation="tanh"))


@pytest.mark.parametrize(
    "make", [Neuron, lambda n, **o: Layer(n, 2, **o), lambda n, **o: MLP(n, [2, 1], **o)]
)
@pytest.mark.parametrize("name", ["nosuch", "Tanh", "maximum", "where", ""])
def test_an_unknown_activation_is_a_value_error_that_lists_the_known(make, name):
    with pytest.raises(ValueError, match=r"activation.*tanh"):
        make(2, activation=name)


# ------------------------------------------------------------------------------------------- sizes


def test_a_wrong_number_of_inputs_is_a_value_error_that_names_the_network():
    for inputs in ([1.0], [1.0, 2.0, 3.0], [], (1.0,), np.ones(3)):
        with pytest.raises(ValueError, match=rf"takes 2 inputs, got {len(inputs)}"):
            MLP(2, [4, 1])(inputs)
        with pytest.raises(ValueError, match=rf"takes 2 inputs, got {len(inputs)}"):
            Layer(2, 3)(inputs)
        with pytest.raises(ValueError, match=rf"takes 2 inputs, got {len(inputs)}"):
            Neuron(2)(inputs)
    with pytest.raises(ValueError, match=r"^MLP\(2, \[4, 1\]\) takes 2 inputs, got 3$"):
        MLP(2, [4, 1])([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"takes 1 input, got 2"):
        MLP(1, [4, 1])([1.0, 2.0])


def test_hidden_layers_may_have_one_neuron():
    model = MLP(2, [4, 1, 1, 3])
    assert len(model([1.0, 2.0])) == 3
    out = MLP(2, [1, 1])([1.0, 2.0])
    out.backward()
    assert type(out) is Value


def test_a_single_value_is_one_input():
    x = Value(0.5)
    model = MLP(1, [3, 1], activation="tanh")
    assert model(x).data == model([x]).data == model([0.5]).data
    with pytest.raises(ValueError, match="takes 2 inputs, got 1"):
        MLP(2, [1])(x)


@pytest.mark.parametrize("sizes", [(4, 1), [4, 1], range(4, 0, -3), np.array([4, 1])])
def test_sizes_may_be_any_sequence_of_ints(sizes):
    model = MLP(2, sizes)
    assert [len(layer.neurons) for layer in model.layers] == [4, 1]


def test_inputs_may_be_numbers_values_or_rows_of_numpy():
    model = MLP(2, [3, 1])
    expected = model([0.5, -1.0]).data
    for inputs in (
        (0.5, -1.0),
        np.array([0.5, -1.0]),
        np.array([0.5, -1.0], dtype=np.float32),
        [np.float64(0.5), Value(-1.0)],
        (x for x in (0.5, -1)),
        map(Value, (0.5, -1.0)),
    ):
        assert model(inputs).data == expected


def test_gradients_reach_the_inputs():
    x = [Value(0.5), Value(-1.0)]
    neuron = Neuron(2, nonlin=False)
    neuron(x).backward()
    assert [v.grad for v in x] == [w.data for w in neuron.w]
    assert [w.grad for w in neuron.w] == [0.5, -1.0]
    assert neuron.b.grad == 1.0


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_layer_is_a_value_error(size):
    for make in (
        lambda: Neuron(size),
        lambda: Layer(2, size),
        lambda: Layer(size, 2),
        lambda: MLP(2, [4, size, 1]),
        lambda: MLP(size, [1]),
        lambda: MLP(2, []),
    ):
        with pytest.raises(ValueError, match=r"at least one"):
            make()


@pytest.mark.parametrize(
    "arguments", [(2.0, [1]), ("2", [1]), (2, 3), (2, [1.5]), (2, ["1"]), (None, [1]), (2, None)]
)
def test_sizes_that_are_not_ints_are_a_type_error(arguments):
    with pytest.raises(TypeError, match=r"MLP\(nin, nouts\)"):
        MLP(*arguments)


@pytest.mark.parametrize(
    "inputs", [["a", "b"], [None, 1.0], [1j, 1.0], [[1.0], [2.0]], "ab", (None, 1.0), 3.0, None]
)
def test_inputs_that_are_not_numbers_are_a_type_error(inputs):
    for model in (MLP(2, [2, 1]), Layer(2, 2), Neuron(2)):
        with pytest.raises(TypeError):
            model(inputs)


# ------------------------------------------------------------------------------- modules and copies


def test_the_package_exports_its_modules():
    for name in ("MLP", "Layer", "Module", "Neuron"):
        assert name in nn.__all__
        assert getattr(nn, name).__doc__


def test_parameters_are_the_same_values_at_every_call():
    model = MLP(2, [3, 1])
    first, second = model.parameters(), model.parameters()
    assert len(first) == 13
    assert list(map(id, first)) == list(map(id, second))
    first.clear()
    assert len(model.parameters()) == 13


def test_zero_grad_starts_a_new_sum():
    model = MLP(2, [3, 1])
    loss = model([0.5, 1.0])
    loss.backward()
    once = [p.grad for p in model.parameters()]
    loss.backward()
    assert [p.grad for p in model.parameters()] == [2 * g for g in once]
    model.zero_grad()
    loss.backward()
    assert [p.grad for p in model.parameters()] == once


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copied_network_computes_the_same_and_shares_nothing(copier):
    model = MLP(2, [4, 3, 2], activation="tanh", output_activation="sigmoid")
    model([0.5, 1.0])[0].backward()
    twin = copier(model)
    assert repr(twin) == repr(model)
    assert [p.grad for p in twin.parameters()] == [p.grad for p in model.parameters()]
    assert not {*twin.parameters()} & {*model.parameters()}
    assert [v.data for v in twin([0.5, 1.0])] == [v.data for v in model([0.5, 1.0])]
    before = [p.grad for p in model.parameters()]
    twin.zero_grad()
    twin([1.0, 1.0])[1].backward()
    for p in twin.parameters():
        p.data -= p.grad
    assert [p.grad for p in model.parameters()] == before
    assert [v.data for v in twin([0.5, 1.0])] != [v.data for v in model([0.5, 1.0])]


def test_a_network_and_its_loss_may_be_copied_together():
    model = MLP(2, [3, 1])
    loss = model([0.5, 1.0]) ** 2
    twin, twin_loss = copy.deepcopy((model, loss))
    twin_loss.backward()
    loss.backward()
    assert [p.grad for p in twin.parameters()] == [p.grad for p in model.parameters()]


def test_weights_may_be_shared_between_neurons():
    first, second = Neuron(1, nonlin=False), Neuron(1, nonlin=False)
    second.w = first.w
    (first([3.0]) + second([4.0])).backward()
    assert first.w[0].grad == 7.0


def test_a_module_of_modules_has_the_parameters_it_names():
    class Pair(Module):
        def __init__(self):
            self.left, self.right = Neuron(1), Neuron(1)

        def parameters(self):
            return [*self.left.parameters(), *self.right.parameters()]

    pair = Pair()
    for p in pair.parameters():
        p.grad = 3.0
    pair.zero_grad()
    assert [p.grad for p in pair.parameters()] == [0] * 4
