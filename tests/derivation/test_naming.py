"""Values are labelled by the caller's variables, and parameters by their places in a model."""

import copy
import gc
import pickle

import numpy as np
import pytest

from micrograd import Value, explain, label_all
from micrograd.derivation.naming import name_values
from micrograd.derivation.parameters import parameter_labels
from micrograd.drawing.picture_builder import build_picture
from micrograd.engine.graph import order
from micrograd.writing.notation import named
from nn import MLP, Layer, Module, Neuron, Sequential


def names(output, **options):
    chain = explain(output, **options).chain
    return [chain.name(node).text for node in chain.nodes]


# --------------------------------------------------------------------------------------- label_all


def test_label_all_labels_values_without_a_label_by_their_names():
    x, y = Value(1.0), Value(2.0, label="mine")
    z = x * y
    assert label_all(locals()) == ["x", "z"]
    assert [x.label, y.label, z.label] == ["x", "mine", "z"]
    assert label_all(locals(), overwrite=True) == ["x", "y", "z"]
    assert y.label == "y"
    assert label_all({"other": x}) == []


def test_entries_of_lists_and_arrays_are_counted_from_1():
    w = [Value(1.0), Value(2.0)]
    rows = [[Value(1.0), Value(2.0)], (Value(3.0), 4.0)]
    array = np.array([[Value(1.0)] * 2, [Value(2.0)] * 2], dtype=object)
    table = {"b": Value(1.0), 3: Value(1.0), "a b": [Value(1.0)]}
    found = label_all({"w": w, "W": rows, "A": array, "t": table, "c": np.array(w[0])})
    assert found == [
        *("w_1", "w_2", "W_{11}", "W_{12}", "W_{21}", "A_{11}", "A_{21}"),
        *("t_b", "t[3]", "t['a b']_1"),
    ]
    assert [named(label).text for label in found[:5]] == ["w₁", "w₂", "W₁₁", "W₁₂", "W₂₁"]
    assert label_all({"h": [[Value(0.0)] * 12]}) == ["h_{11}"]
    last = [Value(0.0) for _ in range(12)]
    assert label_all({"h": [last]})[-1] == "h_{1,12}"


def test_a_value_with_several_names_has_the_first_and_hidden_names_are_skipped():
    x, hidden = Value(1.0), Value(2.0)
    assert label_all({"_": hidden, "__x": x, "a": x, "b": x, 3: hidden}) == ["a"]
    assert hidden.label == ""


def test_label_all_takes_a_model_and_nothing_but_mappings_and_models():
    neuron = Neuron(2)
    assert label_all(neuron) == ["w_1", "w_2", "b"]
    for wrong in ([Value(1.0)], None, 3, Value(1.0), Neuron):
        with pytest.raises(TypeError, match=r"label_all takes a mapping .* such as locals"):
            label_all(wrong)


def test_the_place_in_a_model_comes_before_the_variable_of_a_loop():
    model = MLP(1, [1])
    for p in model.parameters():
        p.grad = 0.0
    assert label_all(locals()) == ["w^{(1)}_{11}", "b^{(1)}_1"]


def test_values_are_found_by_any_spelling_of_their_names():
    alpha, w = Value(2.0, label="alpha"), [Value(3.0), Value(4.0)]
    y = alpha * w[0] * w[1]
    for name in ("alpha", "α"):
        assert explain(y, name, names=locals()).targets == [alpha]
    for name in ("w[1]", "w_2", "w2", "w₂", "w_{2}"):
        assert explain(y, name, names=locals()).targets == [w[1]]
    assert alpha.label == "alpha"


def test_labels_that_look_alike_are_told_apart_and_the_label_that_is_a_number_stays():
    x = [Value(1.0, label=label) for label in ("x", "x", "x^{(2)}", "w1", "w_1", "alpha", "α")]
    total = sum(x[1:], x[0])
    texts = [name.text for name in name_values(order(total), {}).values()]
    marks = {name.mark for name in name_values(order(total), {}).values()}
    assert {"x", "x⁽²⁾", "x⁽³⁾", "w₁", "w⁽²⁾₁", "α", "α⁽²⁾"} <= {*texts}
    assert len({*texts}) == len(marks) == len(order(total))
    assert explain(total, "x^{(2)}").targets == [x[2]]


def test_the_bar_of_an_adjoint_is_not_the_name_of_another_value():
    w, w_bar = Value(2.0, label="w"), Value(3.0, label="w_bar")
    chain = explain(w * w_bar).chain
    assert chain.name(w_bar).text == "w̄"
    assert chain.adjoint_name(w).text == "∂v₁/∂w"


# ------------------------------------------------------------------------------------------ models


def test_parameters_are_called_by_layer_neuron_and_input():
    assert [named(label).text for label, _ in parameter_labels(MLP(2, [2, 1]))] == [
        *("w⁽¹⁾₁₁", "w⁽¹⁾₁₂", "b⁽¹⁾₁", "w⁽¹⁾₂₁", "w⁽¹⁾₂₂", "b⁽¹⁾₂"),
        *("w⁽²⁾₁₁", "w⁽²⁾₁₂", "b⁽²⁾₁"),
    ]
    assert [label for label, _ in parameter_labels(Layer(1, 2))] == [
        "w_{11}",
        "b_1",
        "w_{21}",
        "b_2",
    ]
    assert [label for label, _ in parameter_labels(Neuron(2))] == ["w_1", "w_2", "b"]
    assert parameter_labels(MLP(12, [1]))[10][0] == "w^{(1)}_{1,11}"


def test_layers_without_parameters_are_not_counted():
    model = Sequential(Layer(1, 1), lambda x: x, Layer(1, 1))
    assert [label for label, _ in parameter_labels(model)][::2] == ["w^{(1)}_{11}", "w^{(2)}_{11}"]


class Pair(Module):
    def __init__(self):
        self.encoder, self.decoder = Layer(1, 1), MLP(1, [1])
        self.W_f, self.bias = [[Value(1.0)]], Value(0.0)


def test_the_parts_of_a_model_of_your_own_stand_in_the_superscript():
    assert [label for label, _ in parameter_labels(Pair())] == [
        *("w^{(encoder)}_{11}", "b^{(encoder)}_1", "w^{(decoder,1)}_{11}", "b^{(decoder,1)}_1"),
        *("W_f_{11}", "b"),
    ]


class Plain:
    """Shaped like Karpathy's, without any method of `Module`."""

    def __init__(self, **parts):
        vars(self).update(parts)


def test_a_model_of_another_library_is_known_by_its_shape():
    neuron = Plain(w=[Value(1.0), Value(2.0)], b=Value(0.0))
    model = Plain(layers=[Plain(neurons=[neuron])])
    labels = [label for label, _ in parameter_labels(model)]
    assert labels == ["w^{(1)}_{11}", "w^{(1)}_{12}", "b^{(1)}_1"]
    y = neuron.w[0] * 2.0
    assert names(y, names=model) == names(y, names={"net": model}) == ["w⁽¹⁾₁₁", "v₁"]


def test_parameters_have_their_names_without_labels_and_without_names():
    model = MLP(1, [1])
    out = model([Value(2.0, label="x")])
    assert {"w⁽¹⁾₁₁", "b⁽¹⁾₁", "x"} <= {*names(out)}
    assert [box.label for box in build_picture(out).boxes if box.kind == "leaf"] == [
        *("b^{(1)}_1", "w^{(1)}_{11}", "x"),
    ]
    assert [p.label for p in model.parameters()] == ["", ""]
    again, copied = pickle.loads(pickle.dumps(model)), copy.deepcopy(model)
    assert names(again([1.0]))[0] == names(copied([1.0]))[0] == "b⁽¹⁾₁"
    model.layers[0].neurons[0].b.label = "offset"
    assert "offset" in names(out)
    assert "slope" in names(out, names={"slope": model.layers[0].neurons[0].w[0]})


@pytest.mark.slow
def test_a_parameter_is_named_after_the_outermost_model():
    layer = Layer(1, 1)
    assert "w₁₁" in names(layer([1.0]))
    model = Sequential(layer, Layer(1, 1))
    assert "w⁽¹⁾₁₁" in names(model([1.0]))
    del model
    gc.collect()
    assert "w₁₁" in names(layer([1.0]))


def test_a_broken_model_elsewhere_disturbs_no_derivation():
    class Broken(Module):
        def parameters(self):
            raise RuntimeError("half built")

    broken = Broken()
    assert names(Value(1.0) * 2.0) == ["v₁", "v₂"]
    assert isinstance(broken, Module)


def test_a_module_takes_no_arguments_but_those_of_its_init():
    with pytest.raises(TypeError, match=r"Module\(\) takes no arguments"):
        Module(1)
