"""`load_model`: a model comes back with its class, its sizes, its activations and its weights."""

from __future__ import annotations

import os
import random
from unittest.mock import patch

import pytest

import micrograd
from micrograd import Value, define, tanh
from nn import MLP, Dropout, Layer, Module, Neuron, Sequential, load_model, storage
from nn.functional import identity, log_softmax, softmax
from nn.storage import load_weights, save_checkpoint, save_weights
from tests.nn.archives import altered
from tests.nn.trainings import fitted

SHARED = Layer(2, 2, activation="tanh")
MODELS = {
    "an MLP": MLP(2, [3, 1]),
    "activations": MLP(2, [3, 4, 2], activation="sin", output_activation="sigmoid"),
    "functions": MLP(2, [3, 1], activation=tanh, output_activation=identity),
    "a layer": Layer(2, 3, activation="softplus"),
    "a linear layer": Layer(2, 3, nonlin=False),
    "a neuron": Neuron(2, activation=micrograd.relu),
    "a sequence": Sequential(Layer(2, 4), Dropout(0.25), MLP(4, [3]), softmax),
    "sequences": Sequential(Sequential(Neuron(2), tanh), Sequential(Layer(1, 2)), log_softmax),
    "a layer twice": Sequential(SHARED, SHARED, Dropout(0), Layer(2, 1)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_and_gives_the_same_numbers(name, path):
    model = MODELS[name].eval()
    model.save(path)
    state = random.getstate()
    again = load_model(path).eval()
    assert random.getstate() == state
    assert type(again) is type(model)
    assert repr(again) == repr(model)
    assert again.state_dict() == model.state_dict()
    assert again.summary() == model.summary()
    data = [[each.data for each in listed(m([0.5, -1.5]))] for m in (model, again)]
    assert data[0] == data[1]


def listed(outputs):
    return outputs if isinstance(outputs, list) else [outputs]


def test_a_model_that_comes_back_can_be_trained_and_saved_again(path):
    MLP(2, [4, 1]).save(path)
    model = load_model(path)
    fitted(model)
    model.save(path)
    assert load_model(path).state_dict() == model.state_dict() == load_weights(path)


class Line(Module):
    def __init__(self):
        self.w = Value(2.0)

    def __call__(self, x):
        return self.w * x[0]


class Net(MLP):
    pass


def bent(x):
    return x * x


def changed():
    model = MLP(1, [2, 1])
    model.layers[0].neurons[1].activation = "tanh"
    return model


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (Line, "the model is 'Line', of your own"),
        (lambda: Net(1, [1]), "the model is 'Net', of your own"),
        (lambda: Sequential(Layer(1, 1), Line()), "layers.1 is 'Line', of your own"),
        (lambda: Sequential(Layer(1, 2), bent), "layers.1 is 'bent', of your own"),
        (lambda: Sequential(Layer(1, 2), lambda x: x), "layers.1 is '<lambda>', of your own"),
        (lambda: Sequential(Sequential(Line())), "layers.0.layers.0 is 'Line', of your own"),
        (lambda: MLP(1, [2, 1], activation=bent), "activation of layers.0 is 'bent', of your own"),
        (changed, "layers.0 is 'Layer of different neurons', of your own"),
    ],
)
def test_a_class_of_your_own_is_built_and_loads_the_weights(make, complaint, path):
    model = make()
    model.save(path)
    with pytest.raises(ValueError, match=complaint) as caught:
        load_model(path)
    advice = f"build the model as when it was saved, and call model.load({os.fspath(path)!r})"
    assert advice in str(caught.value)
    again = make()
    again.load(path)
    assert again.state_dict() == model.state_dict()


def test_what_the_architecture_does_not_tell_is_a_clear_error(path):
    model = MLP(1, [1])
    model.scale = Value(2.0)
    shared = Layer(1, 1)
    for each in (model, Sequential(shared, Sequential(shared))):
        each.save(path)
        with pytest.raises(ValueError, match="attributes that you set"):
            load_model(path)


def test_files_without_an_architecture_still_load_their_weights(path):
    model = MLP(1, [1])
    save_weights(path, dict.fromkeys(model.state_dict(), 0.5))
    model.load(path)
    assert set(model.state_dict().values()) == {0.5}
    with pytest.raises(ValueError, match="without the architecture of a model: build the model"):
        load_model(path)
    save_checkpoint(path, {})
    with pytest.raises(ValueError, match="it holds a checkpoint: load_checkpoint reads it"):
        load_model(path)


def test_an_operation_that_was_defined_is_defined_again_before(path, table):
    define("twice", "2 * x", ["2"])
    MLP(1, [2, 1], activation="twice").save(path)
    Sequential(Neuron(1), micrograd.twice).save(path.with_suffix(".other"))
    row = table.pop("twice")
    with pytest.raises(ValueError, match="unknown activation 'twice'"):
        load_model(path)
    table["twice"] = row
    assert load_model(path).layers[0].neurons[0].activation == "twice"


@pytest.mark.slow
def test_a_file_with_anything_else_in_it_is_a_value_error(path):
    small = Sequential(MLP(1, [1]), Neuron(1, nonlin=False), Dropout(0.5), tanh)
    small.save(path)
    loaded = 0
    for content in altered(path):
        with patch.object(storage, "_read", lambda path, content=content: bytes(content)):
            try:
                loaded += isinstance(load_model("model.npz"), Module)
            except ValueError as error:
                assert str(error).startswith("'model.npz': ")  # noqa: PT017
    assert loaded < 40  # other numbers of weights, or another dropout


def test_an_architecture_larger_than_its_weights_is_refused_at_once(path):
    huge = {"class": "Layer", "nin": 10**6, "nout": 10**6, "activation": None}
    save_weights(path, {"w": 0.5}, huge)
    with pytest.raises(ValueError, match="its weights are not those of its architecture"):
        load_model(path)
