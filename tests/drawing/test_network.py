"""`draw_network` shows a network of any size, and says what it leaves out."""

import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from micrograd import Value
from micrograd.drawing import draw_network
from micrograd.drawing.metrics import text_width
from micrograd.drawing.network import MOST_CIRCLES, MOST_LINES
from micrograd.drawing.schematics.canvas import SMALL
from micrograd.drawing.themes import blend
from nn import MLP, Layer, Neuron
from tests.drawing.common import SVG
from tests.drawing.test_neurons import LectureNeuron, Net


def mlp(*shape, seed=5, **options):
    random.seed(seed)
    return MLP(shape[0], shape[1:], **options)


def drawn(model, **options):
    return ET.fromstring(draw_network(model, **options).svg)


def count(svg, kind):
    return sum(each.get("class") == kind for each in svg.iter())


def texts(svg):
    return [each.text for each in svg.iter(f"{SVG}text")]


def test_inputs_neurons_and_weights_are_circles_and_lines():
    svg = drawn(mlp(3, 4, 2))
    assert (count(svg, "input"), count(svg, "neuron"), count(svg, "weight")) == (
        3,
        6,
        3 * 4 + 4 * 2,
    )
    assert count(svg, "omitted") == 0
    assert {"inputs", "layer 1", "4 neurons", "layer 2"} <= {*texts(svg)}
    assert "All 20 weights are drawn; thicker lines mean larger weights." in texts(svg)


def test_of_a_large_network_the_strongest_weights_and_the_outer_neurons_are_shown():
    model = mlp(64, 32, 10)
    svg = drawn(model)
    assert (count(svg, "input"), count(svg, "neuron")) == (MOST_CIRCLES - 1, MOST_CIRCLES - 1 + 10)
    assert count(svg, "weight") == MOST_LINES
    assert [text for text in texts(svg) if text.endswith("more")] == ["… 41 more", "… 9 more"]
    left_out = 64 * 32 + 32 * 10 - MOST_LINES
    assert (
        f"The {MOST_LINES} strongest weights between these neurons are drawn, "
        f"out of 2,368; {left_out:,} are left out." in texts(svg)
    )
    assert sum(text.startswith("x") for text in texts(svg)) == MOST_CIRCLES - 1
    assert len(draw_network(model).svg) < 100_000


def test_the_strongest_are_those_largest_within_their_layer():
    model = mlp(20, 20)  # all of it is shown, and more than are drawn
    for layer in model.layers:
        for neuron in layer.neurons:
            for w in neuron.w:
                w.data /= 100.0
    svg = drawn(model)
    widths = [float(e.get("stroke-width")) for e in svg.iter() if e.get("class") == "weight"]
    assert len(widths) == MOST_LINES
    assert widths == sorted(widths)  # the strongest are drawn last, above the others
    assert widths[-1] == 2.8


def test_the_colour_of_a_line_is_the_sign_of_its_weight():
    neuron = Neuron(3)
    for w, x in zip(neuron.w, (1.0, -0.5, 0.0), strict=True):
        w.data = x
    svg = drawn(neuron)
    lines = {
        (e.get("stroke"), e.get("stroke-width")) for e in svg.iter() if e.get("class") == "weight"
    }
    assert lines == {("#2166ac", "2.80"), ("#c0392b", "1.00"), ("#2166ac", "0.40")}


def test_on_grey_paper_negative_weights_are_dashed():
    neuron = Neuron(2)
    neuron.w[0].data, neuron.w[1].data = 1.0, -1.0
    svg = drawn(neuron, theme="print")
    dashes = [e.get("stroke-dasharray") for e in svg.iter() if e.get("class") == "weight"]
    assert sorted(map(str, dashes)) == ["5 3", "None"]


def test_inputs_are_called_by_their_labels_and_variables():
    toes, wlrec = Value(8.5, label="toes_1"), Value(0.65)
    svg = drawn(mlp(3, 1), sample=[toes, wlrec, 1.2], names={"y_hat": wlrec})
    beside = [e.text for e in svg.iter(f"{SVG}text") if e.get("text-anchor") == "end"]
    assert beside == ["toes₁", "ŷ", "x₃"]
    long = drawn(mlp(1, 1), sample=[Value(1.0, label="m" * 80)])
    (text,) = (e for e in long.iter(f"{SVG}text") if e.get("text-anchor") == "end")
    assert float(text.get("x")) > text_width(text.text, SMALL)


def test_a_sample_fills_the_neurons_by_their_activations():
    model = mlp(2, 3, 1, activation="tanh")
    plain, filled = drawn(model), drawn(model, sample=[0.5, -1.0])
    tips = [e.text for e in filled.iter(f"{SVG}title")]
    hidden = model.layers[0]([0.5, -1.0])
    out = model([0.5, -1.0])
    for neuron, value in zip(
        (*hidden, out), (tip for tip in tips if "neuron " in tip), strict=True
    ):
        assert float(re.search(r"activation (\S+)", value)[1]) == pytest.approx(
            neuron.data, rel=6e-4
        )
    fills = [e.get("fill") for e in filled.iter() if e.get("class") == "neuron"]
    largest = max(abs(neuron.data) for neuron in hidden)
    for neuron, fill in zip(hidden, fills, strict=False):
        color = "#2166ac" if neuron.data > 0 else "#c0392b"
        assert fill == blend("#ffffff", color, 0.9 * abs(neuron.data) / largest)
    assert len({e.get("fill") for e in plain.iter() if e.get("class") == "neuron"}) == 1
    assert "The fill of a neuron shows its activation; each column has its own scale." in texts(
        filled
    )


def test_a_layer_that_stands_twice_has_the_activations_of_each_place():
    model = mlp(2, 2, 2, 1, activation="tanh")
    model.layers.insert(1, model.layers[1])
    values, expected = [0.5, -1.0], []
    for layer in model.layers[:-1]:
        values = layer(values)
        expected += [value.data for value in values]
    tips = [e.text for e in drawn(model, sample=[0.5, -1.0]).iter(f"{SVG}title")]
    found = [re.search(r"activation (\S+)", tip) for tip in tips if "neuron " in tip]
    assert [float(each[1]) for each in found[:-1]] == pytest.approx(expected, rel=6e-4)


def test_the_largest_activation_has_the_strongest_colour_and_zero_that_of_the_paper():
    model = mlp(2, 4, 1)
    values = model.layers[0]([1.0, 1.0])
    svg = drawn(model, sample=[1.0, 1.0])
    fills = [e.get("fill") for e in svg.iter() if e.get("class") == "neuron"]
    for value, fill in zip(values, fills, strict=False):
        assert (fill == "#ffffff") is (value.data == 0)
    assert fills[-1] != "#ffffff"


def test_other_peoples_networks_are_drawn_too():
    svg = drawn(Net(LectureNeuron, 2, 3, 1), sample=[Value(1.0), 2.0])
    assert count(svg, "neuron") == 4
    assert sum("activation" in e.text for e in svg.iter(f"{SVG}title")) == 2 + 4
    assert count(drawn(Layer(2, 3)), "neuron") == 3


def test_drawing_changes_nothing_and_a_wrong_sample_is_the_models_to_refuse():
    model = mlp(2, 2, 1)
    before = [(p.data, p.grad) for p in model.parameters()]
    draw_network(model, sample=[1.0, 2.0])
    assert [(p.data, p.grad) for p in model.parameters()] == before
    with pytest.raises(ValueError, match="takes 2 inputs, got 3"):
        draw_network(model, sample=[1.0, 2.0, 3.0])


def test_captions_are_in_english_or_chinese():
    svg = drawn(mlp(64, 32, 10), lang="zh", sample=[1.0] * 64)
    assert {"输入", "第 1 层", "32 个神经元", "正权重", "负权重", "… 还有 41 个"} <= {*texts(svg)}
    assert svg.get("lang") == "zh-Hans"
    assert not any(re.search("[a-wyz]", text) for text in texts(svg))
    with pytest.raises(ValueError, match=r"lang is one of en, .*got 'xx'"):
        draw_network(mlp(1, 1), lang="xx")


def test_strange_weights_do_no_harm():
    model = mlp(2, 2, 1)
    first = model.layers[0].neurons[0]
    first.w[0].data, first.w[1].data, first.b.data = float("nan"), float("inf"), "<b>"
    svg = drawn(model)
    assert count(svg, "weight") == 6
    assert any("bias <b>" in e.text for e in svg.iter(f"{SVG}title"))
    for neuron in model.layers[1].neurons:
        for w in neuron.w:
            w.data = 0.0
    assert count(drawn(model), "weight") == 6


def test_the_drawing_shows_itself_and_is_written(tmp_path):
    drawing = draw_network(mlp(2, 2))
    assert drawing._repr_svg_() == drawing.svg == draw_network(mlp(2, 2)).svg
    path = drawing.write(tmp_path / "net.svg")
    assert ET.parse(path).getroot().tag == f"{SVG}svg"
    assert "SVG" in repr(drawing)
    with pytest.raises(ValueError, match=r"one of \.svg, \.png"):
        drawing.write(tmp_path / "net.jpg")


def test_drawing_a_network_needs_neither_graphviz_nor_numpy():
    program = (
        "import sys; from nn import MLP; from micrograd.drawing import draw_network\n"
        "draw_network(MLP(2, [2]), sample=[1, 2]); print({'graphviz', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


@pytest.mark.parametrize("sizes", [[3, 1], [30, 10, 3], [8, 8, 8, 1]])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_network_of_a_few_layers_is_as_wide_as_an_article(sizes, lang):
    drawing = draw_network(MLP(20, sizes), lang=lang)
    assert float(re.search(r'width="([\d.]+)"', drawing.svg)[1]) <= 700
