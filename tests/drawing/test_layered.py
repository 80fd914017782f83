"""The steps of a network: layer by layer in matrix form, with the numbers of the engine."""

import random
import re

import pytest

from micrograd import Value
from micrograd.drawing.steps import Known
from micrograd.drawing.walkthrough import Walkthrough
from micrograd.engine.graph import order
from micrograd.writing.numbers import rounded
from nn import MLP, Layer, Neuron


def network(sizes, samples=1, activation="tanh"):
    random.seed(1)
    model = MLP(sizes[0], list(sizes[1:]), activation=activation)
    outputs = []
    for _ in range(samples):
        out = model([Value(random.uniform(-1, 1)) for _ in range(sizes[0])])
        outputs += out if isinstance(out, list) else [out]
    loss = sum(((out - 1.0) ** 2 for out in outputs[1:]), (outputs[0] - 1.0) ** 2)
    loss.label = "L"
    return model, loss


def equations(walk):
    return [equation for step in walk.steps for equation in step.equations]


def result(walk, symbols):
    """The numbers of the equation that begins so."""
    (found,) = [each for each in equations(walk) if each.text.startswith(symbols)]
    if found.matrix:
        return [list(row) for row in found.matrix]
    return re.findall(r"[−\d.]+(?:×10[⁻⁰-⁹¹²³]+)?", found.text.split("≈")[-1].split("=")[-1])


def test_a_network_3_4_1_takes_eight_steps():
    model, loss = network((3, 4, 1))
    walk = Walkthrough(loss, model=model)
    kinds = [(step.kind, step.layer) for step in walk.steps]
    assert kinds == [
        ("given", None),
        ("forward", 1),
        ("forward", 2),
        ("forward", None),
        ("start", None),
        ("backward", None),
        ("backward", 2),
        ("backward", 1),
    ]


class Shortcut:
    """A network whose second layer takes the inputs, too; its last hidden neuron has no bias."""

    def __init__(self):
        self.layers = [Layer(2, 3, activation="tanh"), Layer(5, 1, nonlin=False)]
        self.layers[0].neurons[-1].b = 0.0

    def __call__(self, x):
        return self.layers[1]([*self.layers[0](x), *x])


def test_a_layer_may_take_more_than_the_outputs_of_the_layer_before():
    model = Shortcut()
    x = [Value(0.5, label="x1"), Value(-1.5, label="x2")]
    loss = (model(x) - 1.0) ** 2
    loss.label = "L"
    walk = Walkthrough(loss, model=model)
    (delta,) = [each.text for each in equations(walk) if each.text.startswith("δ⁽¹⁾")]
    assert delta.startswith("δ⁽¹⁾ = ∂L/∂h⁽¹⁾ ⊙ tanh′(z⁽¹⁾)")
    loss.backward()
    shown = result(walk, "∂L/∂b⁽¹⁾")
    assert shown == [rounded(neuron.b.grad) for neuron in model.layers[0].neurons[:-1]]


def test_neurons_are_steps_if_they_are_asked_for():
    model, loss = network((3, 4, 1))
    walk = Walkthrough(loss, model=model, level="neuron")
    kinds = [step.kind for step in walk.steps]
    assert kinds.count("forward") == 6
    assert [len(step.boxes) for step in walk.steps[1:5]] == [2] * 4  # z and h


@pytest.mark.slow
@pytest.mark.parametrize("level", ["layer", "neuron", "named"])
@pytest.mark.parametrize("samples", [1, 3])
def test_the_steps_end_with_the_numbers_of_the_engine(level, samples):
    model, loss = network((2, 3, 2), samples)
    walk = Walkthrough(loss, model=model, level=level)
    known = Known()
    for step in walk.steps:
        known = known.after(step)
    loss.backward()
    nodes = {f"n{i}": node for i, node in enumerate(order(loss))}
    assert known.data == known.grads == {box.name for box in walk.boxes}
    for box in walk.boxes:
        assert (box.data, box.grad) == (
            rounded(nodes[box.name].data),
            rounded(nodes[box.name].grad),
        )


@pytest.mark.parametrize("samples", [1, 3])
def test_matrices_have_the_numbers_of_the_engine(samples):
    model, loss = network((2, 3, 2), samples)
    walk = Walkthrough(loss, model=model)
    loss.backward()
    for i, layer in enumerate(model.layers, 1):
        sign = "⁽¹⁾⁽²⁾"[3 * i - 3 : 3 * i]
        weights = [[rounded(w.data) for w in neuron.w] for neuron in layer.neurons]
        gradients = [[rounded(w.grad) for w in neuron.w] for neuron in layer.neurons]
        assert result(walk, f"W{sign}") == weights
        assert result(walk, f"∂L/∂W{sign}") == gradients
        assert result(walk, f"∂L/∂b{sign}") == [rounded(neuron.b.grad) for neuron in layer.neurons]


@pytest.mark.slow
def test_one_sample_has_vectors_and_several_have_matrices():
    for samples, form in (
        (1, ["z⁽¹⁾ = W⁽¹⁾x + b⁽¹⁾", "h⁽¹⁾ = tanh(z⁽¹⁾)", "δ⁽¹⁾ = W⁽²⁾ᵀδ⁽²⁾ ⊙ tanh′(z⁽¹⁾)",
             "∂L/∂W⁽²⁾ = δ⁽²⁾h⁽¹⁾ᵀ", "∂L/∂b⁽¹⁾ = δ⁽¹⁾"]),
        (3, ["Z⁽¹⁾ = W⁽¹⁾X + b⁽¹⁾", "H⁽¹⁾ = tanh(Z⁽¹⁾)", "Δ⁽¹⁾ = W⁽²⁾ᵀΔ⁽²⁾ ⊙ tanh′(Z⁽¹⁾)",
             "∂L/∂W⁽²⁾ = Δ⁽²⁾H⁽¹⁾ᵀ", "∂L/∂b⁽¹⁾ = Δ⁽¹⁾𝟏"]),
    ):  # fmt: skip
        model, loss = network((2, 3, 1), samples)
        texts = [each.text for each in equations(Walkthrough(loss, model=model))]
        for symbols in form:
            assert any(text.startswith((f"{symbols} ≈", f"{symbols} =")) for text in texts), symbols


def test_a_formula_whose_numbers_are_not_the_gradient_is_left_out():
    model, loss = network((2, 2, 1))
    loss.label = "E"
    penalised = loss + model.layers[0].neurons[0].w[0] ** 2
    penalised.label = "L"
    texts = [each.text for each in equations(Walkthrough(penalised, model=model))]
    assert not any(text.startswith("∂L/∂W⁽¹⁾ = δ⁽¹⁾x") for text in texts)
    assert any(text.startswith("∂L/∂W⁽¹⁾ ≈") for text in texts)
    assert any(text.startswith("∂L/∂W⁽²⁾ = δ⁽²⁾h⁽¹⁾ᵀ ≈") for text in texts)


def test_an_output_that_is_used_beside_the_next_layer_has_no_simple_delta():
    random.seed(1)
    model = MLP(2, [2, 1], activation="tanh")
    hidden = model.layers[0]([Value(1.0), Value(2.0)])
    loss = (model.layers[1](hidden) + hidden[0]) ** 2
    loss.label = "L"
    texts = [each.text for each in equations(Walkthrough(loss, model=model))]
    assert any(text.startswith("δ⁽¹⁾ = ∂L/∂h⁽¹⁾ ⊙ tanh′(z⁽¹⁾) ≈") for text in texts)


def test_a_layer_that_is_applied_to_its_own_output_is_stepped_through_by_neurons():
    random.seed(1)
    neuron = Neuron(1, activation="tanh")
    out = neuron([neuron([Value(0.5)])])
    out.label = "out"
    walk = Walkthrough(out, model=neuron)
    assert [step.kind for step in walk.steps].count("forward") == 2
    assert all(step.layer is None for step in walk.steps)


def test_a_recurrent_network_is_stepped_through_by_neurons():
    random.seed(1)
    cell = Neuron(2, activation="tanh")
    state = Value(0.0)
    for x in (0.5, -1.0):
        state = cell([Value(x), state * 0.9])
    state.label = "h"
    walk = Walkthrough(state, model=cell)
    known = set(walk.steps[0].boxes)
    tails = {
        box.name: [a.tail for a in box.operation.arrows] for box in walk.boxes if box.operation
    }
    for step in walk.steps:
        if step.kind == "forward":
            for name in step.boxes:
                assert known.issuperset(tails[name])
                known.add(name)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "silu", "softplus", "leaky_relu"])
def test_every_activation_has_a_name(activation):
    model, loss = network((2, 2, 1), activation=activation)
    (slope,) = [e.text for e in equations(Walkthrough(loss, model=model)) if "⊙" in e.text]
    assert "′(z⁽¹⁾)" in slope


@pytest.mark.slow
def test_large_matrices_are_described_by_their_shapes():
    model, loss = network((2, 12, 1))
    walk = Walkthrough(loss, model=model)
    texts = [each.text for each in equations(walk)]
    assert "W⁽¹⁾ ∈ ℝ^(12×2)" in texts
    assert max(map(len, texts)) < 200
    assert len(walk.steps) == 8


@pytest.mark.parametrize("sizes", [(3, 4, 1), (2, 16, 16, 1)])
def test_pictures_show_neurons_or_layers_as_far_as_they_can_be_read(sizes):
    model, loss = network(sizes)
    for picture in Walkthrough(loss, model=model).pictures:
        labels = [box.label for box in picture.boxes]
        if sizes == (3, 4, 1):
            assert labels.count("h⁽¹⁾₁") == 1
            assert len(labels) == 3 + 4 + 1 + 1
        else:
            assert labels[0] == "x"
            assert "h⁽²⁾ = tanh(z⁽²⁾)" in labels
            assert len(labels) == 1 + 3 + 1


def test_neurons_stand_in_their_order():
    random.seed(1)
    model = MLP(2, [3])
    a, b, c = model([Value(1.0), Value(2.0)])
    loss = c * b - a
    loss.label = "L"
    for picture in Walkthrough(loss, model=model).pictures:
        labels = [box.label for box in picture.boxes if box.label.startswith("h")]
        assert labels == ["h⁽¹⁾₁", "h⁽¹⁾₂", "h⁽¹⁾₃"]


# ----------------------------------------------- layers that take what no layer computed as it is


class Net:
    """Two layers that are put together in other ways than one behind the other."""

    def __init__(self, tied=False):
        random.seed(1)
        first = Layer(2, 2, activation="tanh")
        second = first if tied else Layer(2, 2, activation="sigmoid")
        self.layers = [first, second, Layer(2, 1, nonlin=False)]

    def loss(self, combined, samples=1):
        """The loss if the last layer takes `combined(layers, x)`."""
        loss = Value(0.0)
        for _ in range(samples):
            x = [Value(random.uniform(-1, 1)) for _ in range(2)]
            loss = loss + (self.layers[2](combined(self.layers, x)) - 1.0) ** 2
        loss.label = "L"
        return loss


def sums(left, right, name=""):
    out = [a + b for a, b in zip(left, right, strict=True)]
    for i, each in enumerate(out, 1):
        each.label = f"{name}_{i}" if name else ""
    return out


def residual(layers, x):
    return sums(layers[1](layers[0](x)), x)


def named_residual(layers, x):
    return sums(layers[1](layers[0](x)), x, "r")


def residual_within(layers, x):
    return layers[1](sums(layers[0](x), x))


def gated(layers, x):
    return [a * b for a, b in zip(layers[0](x), layers[1](x), strict=True)]


def centred(layers, x):
    hidden = layers[1](layers[0](x))
    return [h - (hidden[0] + hidden[1]) / 2 for h in hidden]


def arrows(picture):
    """The arrows of a picture, each as two letters: `h⁽²⁾` is a layer or a neuron of it."""
    letters = {box.name: re.match(r"[^₁₂ ]+", box.label)[0] for box in picture.boxes}
    return {(letters[arrow.tail], letters[head]) for arrow, head in picture.arrows()}


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("combined", [residual, named_residual, residual_within, gated, centred])
def test_a_layer_may_take_any_computed_values(combined, samples):
    model = Net()
    walk = Walkthrough(model.loss(combined, samples), model=model)
    layers = [step.layer for step in walk.steps if step.kind == "forward" and step.layer]
    assert layers == [1, 2, 3]
    for picture in walk.pictures:
        names = {box.name for box in picture.boxes}
        places = {box.name: i for i, box in enumerate(picture.boxes)}
        used = {arrow.tail for arrow, _ in picture.arrows()}
        assert names - used == set(picture.roots)
        assert all(places[arrow.tail] < places[head] for arrow, head in picture.arrows())


@pytest.mark.parametrize(("combined", "name"), [(residual, "x⁽³⁾"), (named_residual, "r")])
def test_sums_that_a_layer_takes_have_boxes(combined, name):
    model = Net()
    walk = Walkthrough(model.loss(combined), model=model)
    for picture in walk.pictures:
        assert {("h⁽²⁾", name), ("x", name), (name, "h⁽³⁾")} <= arrows(picture)
    texts = [each.text for each in equations(walk)]
    assert any(text.startswith("h⁽³⁾₁ = W⁽³⁾x⁽³⁾ + b⁽³⁾") for text in texts)


def test_only_what_the_first_layer_takes_is_x():
    model = Net()
    texts = [each.text for each in equations(Walkthrough(model.loss(gated), model=model))]
    for formula in ("z⁽¹⁾ = W⁽¹⁾x + b⁽¹⁾", "z⁽²⁾ = W⁽²⁾x + b⁽²⁾", "h⁽³⁾₁ = W⁽³⁾x⁽³⁾ + b⁽³⁾"):
        assert any(text.startswith(formula) for text in texts), formula


@pytest.mark.parametrize("combined", [residual, residual_within])
def test_a_layer_that_stands_twice_in_a_model_is_stepped_through_by_neurons(combined):
    model = Net(tied=True)
    walk = Walkthrough(model.loss(combined), model=model)
    sizes = [len(step.boxes) for step in walk.steps if step.kind == "forward"]
    assert sizes.count(2) == 4  # z and h of both neurons, twice
    for picture in walk.pictures:
        assert all(arrow.tail != head for arrow, head in picture.arrows())


@pytest.mark.slow
def test_a_wide_layer_that_stands_twice_has_no_arrow_to_itself():
    model, width = Net(), 7
    tied = Layer(width, width, activation="tanh")
    model.layers = [tied, tied]
    out = sum(tied(tied([Value(0.1 * i) for i in range(width)])), Value(0.0))
    out.label = "L"
    for picture in Walkthrough(out, model=model).pictures:
        assert all(arrow.tail != head for arrow, head in picture.arrows())


def test_a_delta_that_only_happens_to_be_that_of_the_next_layer_is_not_said_to_come_from_it():
    model, gate = Net(), Value(1.0, label="g")
    loss = model.loss(lambda layers, x: [h * gate for h in layers[1](layers[0](x))])
    (delta,) = [
        each.text
        for each in equations(Walkthrough(loss, model=model))
        if each.text.startswith("δ⁽²⁾ = ")
    ]
    assert delta.startswith("δ⁽²⁾ = ∂L/∂h⁽²⁾ ⊙")
