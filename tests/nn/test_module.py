"""Modules: names of parameters, states, modes, files, a summary."""

from __future__ import annotations

import copy
import math
import random
import sys
from collections import deque

import pytest

import micrograd
from micrograd import Value
from nn import MLP, Dropout, Layer, Module, Neuron, Sequential, fit, predict
from nn.optimizers import SGD


class Odd(Module):
    """A custom module with Values in all kinds of places."""

    def __init__(self):
        self.first = Value(1.0)
        self.table = {"a": Value(2.0), "b": [Value(3.0), (Value(4.0),)]}
        self.inner = MLP(1, [1])
        self.again = self.first
        self.name = "no parameter"

    def __call__(self, x):
        return x[0] * self.first


def test_parameters_are_found_in_attributes_lists_dicts_and_modules_and_named_by_their_places():
    model = Odd()
    names = [name for name, _ in model.named_parameters()]
    assert names == [
        "first",
        "table.a",
        "table.b.0",
        "table.b.1.0",
        "inner.layers.0.neurons.0.w.0",
        "inner.layers.0.neurons.0.b",
    ]
    assert [p.data for p in model.parameters()[:4]] == [1.0, 2.0, 3.0, 4.0]


def test_modules_that_contain_each_other_are_walked_once():
    model = MLP(1, [1])
    model.layers[0].owner = model
    model.layers.append(model.layers)
    model.twin = model.layers[0]
    assert [name for name, _ in model.named_parameters()] == [
        "layers.0.neurons.0.w.0",
        "layers.0.neurons.0.b",
    ]
    assert [name for name, _ in model.named_modules()] == ["", "layers.0", "layers.0.neurons.0"]
    assert model.eval().layers[0].training is False


def test_a_chain_of_modules_longer_than_pythons_stack_is_walked():
    model = end = Module()
    for _ in range(2 * sys.getrecursionlimit()):
        end.next = Module()
        end = end.next
    end.w = Value(1.0)
    assert model.parameters() == [end.w]


def test_the_names_of_a_network_are_in_the_order_of_its_parameters():
    model = MLP(2, [3, 1])
    named = list(model.named_parameters())
    assert [p for _, p in named] == model.parameters()
    assert named[0][0] == "layers.0.neurons.0.w.0"
    assert named[-1][0] == "layers.1.neurons.0.b"


def test_a_module_alone_has_no_parameters():
    assert Module().parameters() == []
    assert Module().state_dict() == {}


def test_zero_grad_forgets_all_gradients():
    model = Odd()
    for p in model.parameters():
        p.grad = 1.0
    model.zero_grad()
    assert {p.grad for p in model.parameters()} == {0}


# ------------------------------------------------------------------------------------- states


def test_a_state_makes_another_model_the_same():
    first, second = MLP(2, [3, 1]), MLP(2, [3, 1])
    assert first.state_dict() != second.state_dict()
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == first.state_dict()
    assert second([0.5, -1.0]).data == first([0.5, -1.0]).data


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda state: state.pop("first"), "missing 'first'"),
        (lambda state: state.update(other=1.0), "unknown 'other'"),
        (lambda state: state.update(first="2"), "a number for each name"),
        (lambda state: state.update(first=None), "a number for each name"),
        (lambda state: state.update(first=10**400), "first is an int beyond the largest float"),
    ],
)
def test_a_state_of_another_model_is_refused_and_changes_nothing(change, complaint):
    model = Odd()
    state = {name: number + 1 for name, number in model.state_dict().items()}
    change(state)
    before = model.state_dict()
    with pytest.raises(ValueError, match=complaint):
        model.load_state_dict(state)
    assert model.state_dict() == before


@pytest.mark.parametrize("state", [None, [("first", 1.0)], Odd()])
def test_things_that_are_not_states_are_a_type_error(state):
    with pytest.raises(TypeError, match=r"as state_dict\(\) gives it, got"):
        Odd().load_state_dict(state)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ({1: Value(1.0), "1": Value(2.0)}, "table.1"),
        ({"a.b": Value(1.0), "a": {"b": Value(2.0)}}, "table.a.b"),
    ],
)
def test_two_parameters_with_one_name_are_refused(table, name):
    model = Module()
    model.table = table
    for use in (model.state_dict, lambda: model.load_state_dict({name: 1.0})):
        with pytest.raises(ValueError, match=f"two parameters of Module have the name '{name}'"):
            use()


def test_many_missing_names_are_not_all_listed():
    with pytest.raises(ValueError, match=r"missing 'layers.0.neurons.0.w.0'.* and 4 more"):
        MLP(2, [2, 1]).load_state_dict({})


def test_parameters_without_a_name_are_not_silently_left_out_of_a_state():
    class Hidden(Module):
        def __init__(self):
            self.weights = {Value(1.0), Value(2.0)}

        def parameters(self):
            return list(self.weights)

    for use in (Hidden().state_dict, lambda: Hidden().load_state_dict({})):
        with pytest.raises(ValueError, match="2 of the parameters of Hidden would not be saved"):
            use()


def test_a_model_is_saved_and_loaded_to_the_last_bit(tmp_path):
    pytest.importorskip("numpy")
    first, second = MLP(2, [3, 1]), MLP(2, [3, 1])
    first.parameters()[0].data = math.pi
    first.parameters()[1].data = -0.0
    first.save(tmp_path / "model.npz")
    second.load(tmp_path / "model.npz")
    assert second.state_dict() == first.state_dict()
    assert math.copysign(1, second.parameters()[1].data) == -1
    with pytest.raises(ValueError, match="another model"):
        MLP(3, [1]).load(tmp_path / "model.npz")


# ------------------------------------------------------------------------------------- modes


def test_train_and_eval_reach_every_module_within():
    model = Sequential(Layer(2, 2), Sequential(Dropout(0.5), Layer(2, 1)))
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.layers[1].layers[0].training is False
    model.train()
    assert all(module.training for module in model.modules())


def test_the_mode_of_one_model_is_not_that_of_another():
    first, second = MLP(1, [1]), MLP(1, [1])
    first.eval()
    assert second.training
    assert Module.training


def test_all_modules_are_found_once_in_order():
    model = MLP(2, [3, 1])
    kinds = [type(module).__name__ for module in model.modules()]
    assert kinds == ["MLP", "Layer", "Neuron", "Neuron", "Neuron", "Layer", "Neuron"]


# ------------------------------------------------------------------------------------- summary


def test_the_summary_counts_the_parameters_of_each_part():
    random.seed(0)
    lines = Sequential(MLP(2, [16, 1]), Dropout(0.1)).summary().splitlines()
    assert lines[0].split() == ["module", "is", "parameters"]
    assert lines[1].split()[0] == "(all)"
    assert lines[1].split()[-1] == "65"
    table = {line.split()[0]: line.split()[-1] for line in lines[2:]}
    assert table == {
        "layers.0": "65",
        "layers.0.layers.0": "48",
        "layers.0.layers.1": "17",
        "layers.1": "0",
    }
    assert len({len(line) for line in lines}) == 1
    assert Neuron(2).summary().splitlines()[1].split() == ["(all)", "ReLUNeuron(2)", "3"]


def test_a_module_without_a_repr_is_summarised_by_its_class():
    assert Odd().summary().splitlines()[1].split() == ["(all)", "Odd", "6"]


# ------------------------------------------------------------------------------------- arrays


def arrays():
    """A module with Values in arrays of all kinds."""
    np = pytest.importorskip("numpy")

    class Arrays(Module):
        def __init__(self):
            self.W = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
            self.b = np.array([Value(5.0), Value(6.0)])
            self.alone = np.array(Value(7.0))
            self.nested = [{"a": np.array([Value(8.0)])}, (np.array([[[Value(9.0)]]]),)]
            self.parts = np.array([Neuron(1), None], dtype=object)
            self.queue = deque([Value(10.0)])
            self.transposed = self.W.T
            self.data = np.zeros((3, 2))
            self.names = np.array(["x", "y"], dtype=object)

        def __call__(self, x):
            return np.tanh(self.W @ np.array(x) + self.b)

    random.seed(0)
    return Arrays()


def test_a_module_finds_values_in_arrays_of_any_shape_and_names_them_by_their_places():
    names = [name for name, _ in arrays().named_parameters()]
    assert names == [
        *("W.0.0", "W.0.1", "W.1.0", "W.1.1", "b.0", "b.1", "alone"),
        *("nested.0.a.0", "nested.1.0.0.0.0", "parts.0.w.0", "parts.0.b", "queue.0"),
    ]
    model = arrays()
    assert [p.data for p in model.parameters()[:9]] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert model.summary().splitlines()[1].split() == ["(all)", "Arrays", "12"]
    model.eval()
    assert model.parts[0].training is False


def test_values_in_arrays_are_cleared_saved_loaded_and_copied(tmp_path):
    model = arrays()
    for p in model.parameters():
        p.grad = 1.0
    model.zero_grad()
    assert {p.grad for p in model.parameters()} == {0}
    model.W[1, 0].data = math.pi
    model.save(tmp_path / "model.npz")
    other = arrays()
    other.load(tmp_path / "model.npz")
    assert other.W[1, 0].data == math.pi
    assert other.state_dict() == model.state_dict()
    twin = copy.deepcopy(model)
    assert twin.state_dict() == model.state_dict()
    assert not {*map(id, twin.parameters())} & {*map(id, model.parameters())}
    assert twin.transposed[0, 1] is twin.W[1, 0]


def test_values_in_arrays_are_trained_by_both_engines_alike():
    np = pytest.importorskip("numpy")
    from nn import fit, predict

    X = np.random.RandomState(0).rand(20, 2)
    y = np.column_stack([X.sum(axis=1) / 4, X[:, 0] / 2])
    models = []
    for engine in ("compiled", "eager"):
        model = arrays()
        history = fit(model, X, y, lr=0.05, epochs=3, engine=engine, progress=False)
        assert history["loss"][-1] < history["loss"][0]
        assert model.W[0, 0].data != 1.0
        models.append(model)
    one, other = (list(model.state_dict().values()) for model in models)
    assert one == pytest.approx(other, rel=1e-9)
    outputs = predict(models[0], X)
    assert outputs.shape == (20, 2)
    assert outputs[3] == pytest.approx([o.data for o in models[0](X[3])], rel=1e-12)


def test_parameters_in_a_set_which_has_no_order_are_refused():
    for things in ({Value(1.0)}, frozenset({Neuron(1)})):
        model = Module()
        model.inner = [Module()]
        model.inner[0].things = things
        for use in (model.parameters, model.zero_grad, model.state_dict):
            with pytest.raises(TypeError, match=r"Module.inner.0.things is a set with parameters"):
                use()
    model = Module()
    model.known = {"a", 3}
    assert model.parameters() == []


def test_a_parameter_whose_data_became_a_value_is_named_with_the_remedy():
    model = MLP(1, [1])
    weight = model.parameters()[0]
    weight.data = Value(2.0)
    for use in (
        model.state_dict,
        SGD(model.parameters()).step,
        lambda: fit(model, [[1.0]], [1.0], progress=False),
        lambda: predict(model, [[1.0]]),
        lambda: micrograd.compile(lambda x: model([x]))(1.0),
        lambda: micrograd.compile(lambda x: model([x]), model.parameters())(1.0),
    ):
        with pytest.raises(
            TypeError, match=r"the \.data of Value 0: .* write p\.data = p\.data - step"
        ):
            use()
    weight.data = "2"
    with pytest.raises(TypeError, match=r"\.data of Value 0 takes a real number, got str '2'"):
        model.state_dict()
