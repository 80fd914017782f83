"""A drawing finds the neurons of a model in a graph, whichever library the model is from."""

import random

import pytest

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.drawing.neurons import applications, layers
from micrograd.drawing.picture import ENGLISH
from micrograd.drawing.picture_builder import build_picture
from micrograd.engine.graph import order
from nn import MLP, Layer, Neuron
from tests.drawing.common import boxes


class LectureNeuron:
    """As in the lecture: the sum begins with the bias, tanh without being asked."""

    def __init__(self, nin):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(random.uniform(-1, 1))

    def __call__(self, x):
        return sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b).tanh()


class OddNeuron(LectureNeuron):
    """Inputs first, the sum from Python's 0, the bias last, an operation made by hand."""

    def __call__(self, x):
        total = sum(xi * wi for wi, xi in zip(self.w, x, strict=True)) + self.b
        return Value(max(0.0, total.data), (total,), "ReLU")


class LinearNeuron(LectureNeuron):
    nonlin = False

    def __call__(self, x):
        a, b = (wi * xi for wi, xi in zip(self.w, x, strict=True))
        return a + (b + self.b)


class Net:
    def __init__(self, kind, nin, *sizes):
        self.layers = []
        for size in sizes:
            layer = type("Layer", (), {})()
            layer.neurons = [kind(nin) for _ in range(size)]
            self.layers.append(layer)
            nin = size

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer.neurons]
        return x


def found(roots, model):
    roots = roots if isinstance(roots, list) else [roots]
    neurons = [neuron for layer in layers(model) for neuron in layer]
    return applications(order(roots), roots, neurons)


def units(roots, model):
    return [unit for application in found(roots, model) for unit in application.units]


@pytest.mark.parametrize(
    ("kind", "activation"), [(LectureNeuron, "tanh"), (OddNeuron, "ReLU"), (LinearNeuron, "")]
)
def test_neurons_are_found_however_they_add_up(kind, activation):
    model = Net(kind, 2, 2, 1)
    inputs = [Value(1.0), Value(-2.0)]
    (out,) = model(inputs)
    every = units(out, model)
    assert [unit.neuron.titled(ENGLISH) for unit in every] == [
        *("layer 1, neuron 1", "layer 1, neuron 2", "layer 2, neuron 1")
    ]
    assert {unit.activation for unit in every} == {activation}
    assert every[2].output is out
    assert every[0].inputs == inputs
    assert every[2].inputs == [every[0].output, every[1].output]
    # Whatever was computed belongs to exactly one neuron.
    members = [node for unit in every for node in unit.inner]
    assert len(members) == len(set(members))
    assert set(members) == {node for node in order(out) if node._row}


def test_inputs_may_be_plain_numbers():
    model = MLP(2, [2, 1])
    every = units(model([0.5, 1.0]), model)
    assert [unit.inputs for unit in every[:2]] == [[0.5, 1.0], [0.5, 1.0]]


def test_the_loss_and_the_penalty_belong_to_no_neuron():
    model = MLP(2, [3, 1], activation="tanh")
    out = model([Value(1.0), Value(2.0)])
    loss = (out - 1).tanh() ** 2 + 0.1 * sum(p * p for p in model.parameters())
    every = units(loss, model)
    assert len(every) == 4
    assert every[-1].output is out
    assert every[-1].activation == ""  # the last layer is linear: tanh is of the loss
    inner = {node for unit in every for node in unit.inner}
    assert not any(p._row and p in inner for p in model.parameters())
    assert len(inner) == 3 * 5 + 6  # 2 products, 2 sums, tanh; 3 products, 3 sums


@pytest.mark.parametrize(
    "build", [lambda s: -s, lambda s: s.exp(), lambda s: s**2, lambda s: s + 1]
)
def test_what_a_loss_does_to_the_sum_is_no_activation(build):
    model = Net(LinearNeuron, 2, 1)
    del type(model.layers[0].neurons[0]).nonlin
    try:
        out = build(model([Value(1.0), Value(2.0)])[0])
        (unit,) = units(out, model)
        assert (unit.activation, unit.output) == ("", out._prev[0])
    finally:
        LinearNeuron.nonlin = False


def test_a_sum_that_is_used_otherwise_too_is_an_output_itself():
    neuron = Neuron(1, activation="tanh")
    out = neuron([Value(1.0)])
    logit = out._prev[0]
    for roots in ([out, logit], [out + logit]):
        (unit,) = units(roots, neuron)
        assert (unit.output, unit.activation) == (logit, "")


def test_a_neuron_whose_inner_values_are_used_elsewhere_is_left_as_it_is():
    neuron = Neuron(2)
    out = neuron([Value(1.0), Value(2.0)])
    inner = out._prev[0]._prev[0]
    assert units(out, neuron)
    assert not units([out * inner], neuron)
    assert not units([out, inner], neuron)


def test_several_samples_are_several_units_with_the_same_parameters():
    model = MLP(2, [2, 1])
    samples = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)], [1.0, 2.0], [1.0, 2.0]]
    outs = [model(x) for x in samples]
    every = found(outs, model)
    assert [(each.layer, each.sample) for each in every] == [
        (layer, sample) for sample in (1, 2, 3, 4) for layer in (1, 2)
    ]
    assert [len(each.units) for each in every] == [2, 1] * 4
    # A neuron that one sample does not reach does not shift the numbers of the others.
    hidden = model.layers[0]
    late = [hidden.neurons[1](samples[0]), *hidden(samples[1])]
    assert [(each.sample, len(each.units)) for each in found(late, hidden)] == [(1, 1), (2, 2)]


def test_the_same_inputs_used_twice_are_two_samples():
    model, x = MLP(1, [2]), [Value(1.0)]
    every = found([*model(x), *model(x)], model)
    assert [(each.sample, len(each.units)) for each in every] == [(1, 2), (2, 2)]


def test_an_activation_is_known_by_the_name_that_the_neuron_gives_or_by_being_usual():
    x = [Value(0.5)]
    for activation, symbol in (
        ("gelu", "gelu"),
        ("sin", "sin"),
        (Value.tanh, "tanh"),
        (lambda v: v.sigmoid(), "sigmoid"),
        (lambda v: v * v.sigmoid(), ""),
    ):
        neuron = Neuron(1, activation=activation)
        (unit,) = units(neuron(x), neuron)
        assert unit.activation == symbol
    named = Neuron(1, activation="gelu")
    named.activation = "relu"
    out = named(x)
    named.activation = "gelu"
    assert units(out, named)[0].activation == ""


def test_a_neuron_without_a_bias_is_complete_with_its_products():
    neuron = type("N", (), {"w": [Value(1.0), Value(2.0)], "b": None})()
    a, b = (w * 3.0 for w in neuron.w)
    total = a + b
    (unit,) = units(total + 1, neuron)
    assert unit.output is total
    neuron.b = Value(0.5)  # not used
    assert units(total + 1, neuron)[0].output is total


def test_what_only_looks_like_the_sum_of_a_neuron_is_none():
    neuron = type("N", (), {"w": [Value(1.0)], "b": None})()
    (w,) = neuron.w
    assert not units(w * w, neuron)  # a penalty
    neuron.w.append(Value(2.0))
    v = neuron.w[1]
    assert units(w * 3.0 + v * 4.0, neuron)
    assert not units(w * 3.0 + w * 5.0 + v * 4.0, neuron)  # a weight twice
    assert not units(w * 3.0 + 1 + v * 4.0, neuron)
    assert not units(w * 3.0 - v * 4.0, neuron)


@pytest.mark.slow
def test_a_long_sum_is_searched_without_recursion():
    neuron = Neuron(20_000)
    (unit,) = units(neuron([1.0] * 20_000), neuron)
    assert len(unit.inner) == 40_001


def test_a_model_that_is_not_in_the_graph_is_refused():
    with pytest.raises(ValueError, match="the model, a MLP, does not occur in this graph: draw a"):
        draw_dot(MLP(1, [1])([1.0]), model=MLP(1, [1]))


@pytest.mark.parametrize("model", [3, "MLP", object(), [MLP(1, [1])], Value(1.0)])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(TypeError, match=r"a model has \.layers"):
        draw_dot(Value(1.0), model=model)


def test_parts_of_a_model_that_hold_no_neurons_are_passed_over():
    model = MLP(2, [2, 1])
    model.layers.insert(1, object())
    assert [[neuron.titled(ENGLISH) for neuron in layer] for layer in layers(model)] == [
        ["layer 1, neuron 1", "layer 1, neuron 2"],
        ["layer 2, neuron 1"],
    ]
    assert layers(Layer(1, 2))[0][1].titled(ENGLISH) == "neuron 2"
    assert layers(Neuron(1))[0][0].titled(ENGLISH) == "neuron"


# ------------------------------------------------------------------------------------------- frames


def test_a_frame_around_each_layer_holds_one_around_each_neuron():
    model = MLP(2, [2, 1])
    picture = build_picture(model([Value(1.0), Value(2.0)]), model=model)
    assert [(group.label, group.parent) for group in picture.frames] == [
        ("layer 1", ""),
        ("neuron 1", "layer1"),
        ("neuron 2", "layer1"),
        ("layer 2", ""),
        ("neuron 1", "layer2"),
    ]
    places = [(box.frame, box.label) for box in picture.boxes if box.label]
    assert sorted(places) == [
        (f"layer{layer}neuron{neuron}", name)
        for layer, neuron in ((1, 1), (1, 2), (2, 1))
        for name in (
            f"b^{{({layer})}}_{neuron}",
            f"w^{{({layer})}}_{{{neuron}1}}",
            f"w^{{({layer})}}_{{{neuron}2}}",
        )
    ]
    assert sum(box.kind == "leaf" and not box.frame for box in picture.boxes) == 2  # the inputs


def test_each_of_several_samples_has_a_frame_within_the_neuron():
    layer = Layer(1, 1)
    picture = build_picture([layer([1.0]), layer([2.0])], model=layer)
    assert [group.label for group in picture.frames] == [
        "layer",
        "neuron 1",
        "sample 1",
        "sample 2",
    ]
    assert {box.frame for box in picture.boxes if box.kind == "leaf"} == {"layer0neuron1"}


def test_parameters_are_called_by_their_place_unless_they_have_a_label():
    neuron = Neuron(3)
    neuron.w[1].label = "slope"
    out = neuron([1.0, 2.0, 3.0])
    assert {box.label for box in boxes(out, model=neuron) if box.kind == "leaf"} == {
        *("w_1", "slope", "w_3", "b")
    }
    bias = neuron.b
    named = boxes(out, model=neuron, names={"offset": bias})
    assert {box.label for box in named if box.kind == "leaf"} == {"w_1", "slope", "w_3", "offset"}


def test_frames_are_drawn(renderer):
    model = MLP(2, [2, 1])
    svg = draw_dot(model([Value(1.0), Value(2.0)]), model=model).pipe(encoding="utf-8")
    assert svg.count('class="cluster') == 5
    assert svg.replace("\xa0", " ").replace("&#160;", " ").count(">neuron 1<") == 2
