"""A network is drawn by operations, by neurons or by layers."""

import json
import random
import re

import pytest

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.writing.numbers import gradient, number
from nn import MLP, Layer, Neuron
from tests.drawing.common import boxes


def network(*shape, **options):
    random.seed(4)
    model = MLP(shape[0], shape[1:], activation="tanh", **options)
    inputs = [Value(i / 2, label=f"x{i}") for i in range(1, shape[0] + 1)]
    loss = (sum(out) if isinstance(out := model(inputs), list) else out) ** 2
    loss.label = "loss"
    loss.backward()
    return model, inputs, loss


def test_a_neuron_is_one_box_with_its_title_its_activation_and_its_numbers():
    model, _, loss = network(2, 3, 1)
    shown = boxes(loss, model=model, level="neuron")
    neurons = [box for box in shown if box.kind == "neuron"]
    assert [(box.label, box.operation.text) for box in neurons] == [
        ("layer 1, neuron 1", "tanh"),
        ("layer 1, neuron 2", "tanh"),
        ("layer 1, neuron 3", "tanh"),
        ("layer 2, neuron 1", ""),
    ]
    out = loss._prev[0]
    assert (neurons[3].data, neurons[3].grad) == (number(out.data), gradient(out.grad))
    assert [box.label for box in shown if box.kind == "leaf"] == ["x1", "x2"]  # no parameters
    assert len(shown) == 2 + 4 + 1


def test_weights_are_arrows():
    model, _, loss = network(2, 3, 1)
    shown = {box.label: box for box in boxes(loss, model=model, level="neuron")}
    for i, neuron in enumerate(model.layers[0].neurons, 1):
        box = shown[f"layer 1, neuron {i}"]
        assert [arrow.weight for arrow in box.operation.arrows] == [w.data for w in neuron.w]
        assert [arrow.text for arrow in box.operation.arrows] == [number(w.data) for w in neuron.w]
        assert [arrow.tail for arrow in box.operation.arrows] == [
            shown["x1"].name,
            shown["x2"].name,
        ]


def test_the_pen_of_an_arrow_is_the_size_of_its_weight_and_the_colour_its_sign():
    neuron = Neuron(4, nonlin=False)
    for w, x in zip(neuron.w, (2.0, -1.0, 0.0, float("inf")), strict=True):
        w.data = x
    source = draw_dot(
        neuron([Value(1.0) for _ in range(4)]), model=neuron, level="neuron", theme="light"
    ).source
    lines = re.findall(
        r'e\d color="(\S+)" fontcolor="\S+" penwidth=(\S+?)( style=dashed)?\]', source
    )
    assert lines == [
        ("#2166ac", "3.50", ""),
        ("#c0392b", "2.00", " style=dashed"),  # 0.5 + 3 · 1/2
        ("#2166ac", "0.50", ""),
        ("#2166ac", "3.50", ""),
    ]


def test_a_layer_is_one_box_that_lists_its_first_outputs():
    model, _, loss = network(2, 64, 1)
    shown = boxes(loss, model=model, level="layer")
    (first, second) = (box for box in shown if box.kind == "layer")
    assert first.label == "layer 1 (64 neurons)"
    assert first.operation.text == "tanh"
    assert [row.label for row in first.rows] == [str(i) for i in range(1, 9)]
    assert first.more == "… 56 more"
    assert (second.label, second.more) == ("layer 2 (1 neuron)", "")
    assert [arrow.tail for arrow in second.operation.arrows] == [first.name]
    assert [arrow.tail for arrow in first.operation.arrows] == [
        box.name for box in shown if box.label in ("x1", "x2")
    ]
    assert len(shown) == 2 + 2 + 1


@pytest.mark.parametrize("level", ["neuron", "layer"])
def test_boxes_come_after_what_they_are_made_from(level):
    model, inputs, _ = network(2, 5, 3, 2)
    outs = model(inputs)
    roots = [outs[0] * outs[1], outs[1], model([1.0, inputs[0]])[0] - outs[0]]
    seen = set()
    for box in boxes(roots, model=model, level=level):
        for arrow in box.operation.arrows if box.operation else ():
            assert arrow.tail in seen
        seen.add(box.name)


@pytest.mark.parametrize("level", ["neuron", "layer"])
def test_samples_are_told_apart(level):
    layer = Layer(1, 1)
    out = layer([Value(1.0)]) + layer([Value(2.0)])
    labels = [box.label for box in boxes(out, model=layer, level=level) if box.label]
    assert [label.split(" (")[0].rsplit(", ", 1)[1] for label in labels] == ["sample 1", "sample 2"]


def test_a_parameter_that_a_penalty_uses_stays_visible_with_its_full_name():
    model, _, loss = network(2, 2, 1)
    weight = model.layers[0].neurons[1].w[0]
    shown = boxes(loss + weight * weight, model=model, level="neuron")
    assert [box.label for box in shown if box.kind == "leaf"] == [
        "x1",
        "x2",
        "w^{(1)}_{21}",
    ]


@pytest.mark.parametrize("level", ["neuron", "layer"])
def test_paths_and_focus_work_on_neurons_and_layers(level):
    model, inputs, loss = network(2, 3, 1)
    weight = model.layers[0].neurons[1].w[0]  # is seen as part of its neuron
    lit = [
        box.label.split(" (")[0]
        for box in boxes(loss, model=model, level=level, path=weight)
        if box.on_path
    ]
    first = "layer 1, neuron 2" if level == "neuron" else "layer 1"
    second = "layer 2, neuron 1" if level == "neuron" else "layer 2"
    assert lit == [first, second, "loss"]
    near = boxes(loss, model=model, level=level, focus=inputs[0], radius=1)
    assert sum(box.kind == level for box in near) == (3 if level == "neuron" else 1)
    assert any(box.kind == "omitted" for box in near)


def test_a_level_without_a_model_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match="level='neuron' needs to know the network: give model="):
        draw_dot(Value(1.0), level="neuron")
    with pytest.raises(ValueError, match="level is one of 'operation', 'neuron', 'layer'"):
        draw_dot(Value(1.0), level="atom")


@pytest.mark.slow
def test_the_limit_counts_what_would_be_shown():
    model, _, loss = network(16, 16, 16, 1)  # a neuron has 17 parameters, 32 terms and its tanh
    assert 16 + 32 * (17 + 32 + 1) + (17 + 32) + 1 == 1_666
    with pytest.raises(ValueError, match=r"1,666 values .* with level='neuron'") as refusal:
        draw_dot(loss, model=model)
    assert "focus=value" in str(refusal.value)
    assert len(boxes(loss, model=model, level="neuron")) == 16 + 33 + 1
    with pytest.raises(ValueError, match=r"50 values .* with level='layer'"):
        draw_dot(loss, model=model, level="neuron", max_nodes=49)
    assert len(boxes(loss, model=model, level="layer", max_nodes=20)) == 16 + 3 + 1
    with pytest.raises(ValueError, match="with model=model, level='neuron'"):
        draw_dot(loss)


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["LR", "TB", "RL", "BT"])
def test_the_neurons_of_a_large_layer_are_in_their_order(renderer, direction):
    model, _, loss = network(3, 8, 6, 1)
    graph = draw_dot(loss, model=model, level="neuron", direction=direction)
    drawn = json.loads(graph.pipe("json"))
    places = {
        each["name"]: tuple(map(float, each["pos"].split(",")))
        for each in drawn["objects"]
        if "pos" in each
    }
    columns = {}
    for box in graph.picture.boxes:
        if box.kind in ("leaf", "neuron"):
            x, y = places[box.name]
            columns.setdefault(box.frame, []).append(-y if direction in ("LR", "RL") else x)
    assert sorted(map(len, columns.values())) == [1, 3, 6, 8]
    assert all(column == sorted(column) for column in columns.values())


@pytest.mark.parametrize("level", ["operation", "neuron", "layer"])
def test_every_level_is_drawn_and_is_the_same_text_each_time(renderer, level):
    model, _, loss = network(2, 12, 1)
    graph = draw_dot(loss, model=model, level=level)
    assert b"<svg" in graph.pipe("svg")
    assert graph.source == draw_dot(loss, model=model, level=level).source


def test_names_of_variables_label_what_has_no_label():
    x, y = Value(1.0, label="mine"), Value(2.0)
    w = [Value(3.0), Value(4.0)]
    out = x * y + w[1]
    labels = [box.label for box in boxes(out, names=locals())]
    assert labels == ["mine", "y", "", "w_2", "out"]
    with pytest.raises(TypeError, match="names takes a mapping"):
        draw_dot(out, names=["x"])
