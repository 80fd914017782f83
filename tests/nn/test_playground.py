"""The page on which readers train networks: what it takes, what it refuses, and what is in it."""

import json
import random
import re

import numpy as np
import pytest

import micrograd
from micrograd import Value, define
from micrograd.drawing.frame import content_hash
from micrograd.writing import languages
from nn import MLP, Dropout, Layer, Sequential, playground
from nn.initializers import INITIALIZERS
from nn.losses import LOSSES
from nn.pages import functions
from nn.pages.contents import SETTINGS, contents
from tests.drawing.test_labels import HOSTILE

LIMIT = 200_000


def story(page):
    """The data of the page."""
    return json.loads(re.search(r'id="story">(.*?)</script>', page, re.DOTALL)[1])


def plane(count=6, labels=(0, 1)):
    rng = random.Random(count)
    X = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(count)]
    return X, [labels[i % len(labels)] for i in range(count)]


def test_both_packages_export_it():
    assert micrograd.playground is playground


@pytest.mark.slow
def test_the_page_is_small_and_needs_nothing_else():
    page = playground(MLP(2, [12] * 6 + [5]), data=plane(500, range(5)))
    assert len(page.encode()) < LIMIT
    assert not re.search(r"(?<!\.)(src|href)=|@import|url\(|\beval\b|new Function", page)


def test_the_policy_names_the_style_and_the_script_and_forbids_everything_else():
    page = playground()
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)[1]
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert [content_hash(each) in policy for each in (*script, style)] == [True, True]
    assert not re.search(
        r"\bon\w+=|style=", re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    )


@pytest.mark.slow
def test_every_operation_of_one_operand_and_every_loss_is_there():
    define("bump", "x * gauss(x)", ["gauss(x) * (1 - 2 * x * x)"])
    page = playground(activation="bump")
    for name in ("bump", *functions.activations()):
        assert f'"{name}":{{value:' in page
    assert {"tanh", "relu", "sigmoid", "gelu", "sin", "lgamma"} <= set(functions.activations())
    for name in LOSSES:
        assert f'"{name}": ' in functions.script()


def test_the_derivatives_of_losses_are_written_as_in_textbooks():
    prediction, target = 0, 1
    found = functions.formulas()
    assert found["loss kl_div"][1] == ["r", "-", target]
    sigmoid = ["r", ["i", "σ"], ["(", "(", prediction, ")"]]
    assert found["loss bce_with_logits"][1] == ["r", sigmoid, "-", target]
    margin = ["r", target, "·", prediction]
    above, below = (["r", margin, sign, "1"] for sign in "≥<")
    assert found["loss hinge"][1] == ["cases", ["0", above], [["r", "-", target], below]]


@pytest.mark.slow
def test_a_page_has_the_losses_and_operations_that_there_are_now(monkeypatch):
    functions.script(), functions.formulas()
    monkeypatch.setitem(LOSSES, "quartic", lambda p, t: (p - t) ** 4)
    assert '"quartic": ' in functions.script()
    assert "loss quartic" in functions.formulas()
    define("doubled", "x + x", ["2"])
    assert '"doubled": ' in functions.script()
    assert "doubled" in functions.formulas()


def test_an_operation_of_a_python_function_is_left_out():
    define("secret", lambda x: x, ["1"])
    assert "secret" not in functions.activations()


def test_all_that_has_a_name_is_named_in_every_language():
    names = languages.words("en", "playground names")
    assert {f"init {name}" for name in INITIALIZERS} <= set(names)
    for lang in languages.languages():
        assert set(languages.words(lang, "playground names")) == set(names)


@pytest.mark.slow
def test_a_model_is_on_the_page_with_all_digits():
    model = MLP(2, [3, 4, 1], activation="relu", output_activation="tanh")
    found = story(playground(model))
    assert found["model"] == {
        "sizes": [2, 3, 4, 1],
        "activations": ["relu", "relu", "tanh"],
        "parameters": [p.data for p in model.parameters()],
    }
    assert found["settings"]["loss"] == "mse"
    assert found["settings"]["init"] == "model"


def test_layers_may_have_different_activations_and_those_may_be_functions():
    model = Sequential(Layer(1, 3, activation=micrograd.sin), Layer(3, 1, nonlin=False))
    found = story(playground(model))
    assert found["model"]["activations"] == ["sin", ""]
    assert found["settings"]["kind"] == "regression"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("outputs", "output", "loss"),
    [(1, None, "bce_with_logits"), (1, "sigmoid", "bce"), (1, "tanh", "mse"),
     (2, None, "cross_entropy"), (3, None, "cross_entropy"), (3, "tanh", "mse")],
)  # fmt: skip
def test_the_loss_of_a_model_follows_from_its_outputs(outputs, output, loss):
    model = MLP(2, [4, outputs], output_activation=output)
    assert story(playground(model))["settings"]["loss"] == loss


def test_labels_of_data_are_numbered_and_named():
    X, y = plane(6, ("b", "a", "c"))
    found = story(playground(data=(X, y)))
    assert found["points"]["labels"] == ["a", "b", "c"]
    assert found["points"]["y"] == [1, 0, 2, 1, 0, 2]
    assert found["settings"] == {
        "data": "given", "kind": "classification", "classes": 3, "loss": "cross_entropy",
    }  # fmt: skip


@pytest.mark.slow
def test_data_of_one_column_are_a_curve():
    for X in ([0.0, 1.0, 2.0], [[0.0], [1.0], [2.0]], np.arange(3)):
        found = story(playground(data=(X, [1, 3, 5])))
        assert found["settings"]["kind"] == "regression"
        assert found["points"] == {
            "kind": "regression", "X": [[0.0], [1.0], [2.0]], "y": [1.0, 3.0, 5.0],
        }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("classification", ["moons", "circles", "xor", "spiral", "blobs"]),
        ("regression", ["line", "sine", "parabola", "bend"]),
        ("surface", ["plane", "gaussians"]),
    ],
)
def test_a_data_set_opens_the_page_of_its_kind(kind, names):
    for name in names:
        assert contents(None, name, {}).settings["kind"] == kind
        for other in {"classification", "regression", "surface"} - {kind}:
            with pytest.raises(ValueError, match="of one kind"):
                playground(data=name, kind=other)


def test_two_columns_are_a_surface_if_the_kind_says_so():
    X, y = plane(6, (0.5, -1.5, 2))
    found = contents(MLP(2, [3, 1]), (X, y), {"kind": "surface"})
    assert found.points == {"kind": "surface", "X": X, "y": y}
    assert found.settings["kind"] == "surface"
    assert "loss" not in found.settings
    assert contents(MLP(2, [1]), None, {"kind": "surface"}).settings["data"] == "plane"
    assert contents(None, "plane", {"features": ["product"]}).settings["kind"] == "surface"


def test_hostile_names_cannot_leave_the_data():
    X, y = plane(10, HOSTILE[:5])
    page = playground(data=(X, y), title="</title><script>alert(1)</script>")
    assert page.count("<script") == 2
    assert "</title><script>" not in page
    assert set(story(page)["points"]["labels"]) == set(HOSTILE[:5])


def test_settings_are_checked_and_kept():
    given = {
        "layers": [8, 8], "activation": "tanh", "output": "linear", "loss": "hinge", "seed": 3,
        "rate": 0.1, "optimizer": "momentum", "penalty": "l2", "strength": 0.01, "batch": 10,
        "samples": 100, "noise": 0.2, "test": 20, "init": "he_normal", "speed": "step", "steps": 7,
        "classes": 2, "kind": "classification", "features": ["x1", "product"],
        "flat": True, "tests": False,
    }  # fmt: skip
    assert set(given) == set(SETTINGS)
    found = story(playground(data="circles", **given))["settings"]
    assert found == {**given, "activation": ["tanh"], "output": "", "data": "circles"}


class Own:
    """Not a model of layers."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ([], {"flat": 2}, "flat is True or False, got 2"),
        ([Own()], {}, "takes an MLP, or a Sequential of Layers only, got Own"),
        ([Sequential(Layer(2, 2), Dropout(0.5))], {}, "Sequential of Layers only"),
        ([MLP(3, [2, 1])], {}, "the model has 3 inputs, and the page shows 1"),
        ([MLP(2, [1])], {"features": ["x1"]}, "the model has 2 inputs, and there are 1 features"),
        ([], {"features": ["x1", "cube"]}, "features are some of x1, x2, .*, or of x, square"),
        ([], {"features": ["x1"], "kind": "regression"}, "features is for classification"),
        ([MLP(1, [2, 2])], {}, "a curve has 1 output, and the model has 2"),
        ([MLP(2, [2, 2])], {"kind": "surface"}, "a surface has 1 output, and the model has 2"),
        ([], {"kind": "surface", "features": ["x"]}, "features is for regression"),
        ([], {"kind": "surface", "data": plane(4, "ab")}, "numbers"),
        ([MLP(2, [2, 6])], {}, "at most 5 classes, and the model has 6"),
        ([MLP(2, [17, 1])], {}, r"at most 6 hidden layers of at most 16 neurons, got \[17\]"),
        ([MLP(2, [16] * 6 + [1])], {}, "at most 1,000 parameters, and this one has 1,425"),
        ([MLP(2, [2, 1])], {"layers": [3]}, "the model determines 'layers'"),
        ([MLP(2, [2, 1])], {"kind": "regression"}, "kind is for regression, the model is for cl"),
        (
            [MLP(2, [2, 1])],
            {"loss": "cross_entropy"},
            "'cross_entropy' does not fit a model with 1",
        ),
        ([MLP(2, [2, 2])], {"loss": "mse"}, "'mse' does not fit a model with 2 outputs"),
        ([MLP(2, [2, 3])], {"data": plane(4)}, "the data have 2 classes, and the model is for 3"),
        ([MLP(2, [2, 1], activation=lambda z: z * 2)], {}, "activation '<lambda>' of layer 1"),
        ([MLP(2, [2, 1])], {"data": ([[1.0], [2.0]], [1, 2])}, "the data is for regression"),
        ([], {"data": plane(501)}, "at most 500 samples, got 501"),
        ([], {"data": plane(8, range(6))}, "2 to 5 classes, y has 6"),
        ([], {"data": plane(8, [0])}, "2 to 5 classes, y has 1"),
        ([], {"data": ([[1.0, 2.0]], [1, 2])}, r"a label for each of the 1 samples, got \(2,\)"),
        ([], {"data": ([[1.0, float("nan")]], [1])}, "nan"),
        ([], {"data": 3}, r"data is a pair \(X, y\) or the name of a data set, got int"),
        ([], {"data": "moon"}, "data is one of moons, circles"),
        ([], {"loss": "mean"}, "loss is one of mse, l1"),
        ([], {"activation": "max"}, "activation is one of linear, neg"),
        ([], {"layers": [0]}, "whole number of at least 1"),
        ([], {"layers": [1] * 7}, "layers has at most 6 sizes of at most 16"),
        ([], {"rate": -1}, "rate is a number of at least 0"),
        ([], {"seed": 2**32}, "seed is a number"),
        ([], {"speeed": 1}, "playground has no setting 'speeed'; it has data, kind"),
        ([], {"lang": "xx"}, "lang is one of"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments, settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        playground(*arguments, **settings)


def test_a_model_with_a_parameter_that_is_not_finite_is_refused():
    model = MLP(2, [2, 1])
    model.layers[0].neurons[0].b = Value(float("nan"))
    with pytest.raises(ValueError, match="a parameter that is not finite"):
        playground(model)


def test_a_layer_that_is_used_twice_is_refused():
    layer = Layer(2, 2)
    with pytest.raises(ValueError, match="each layer has parameters of its own"):
        playground(Sequential(layer, layer, Layer(2, 1)))


def test_it_is_written_and_shows_itself_in_a_notebook(tmp_path):
    path = tmp_path / "page.html"
    page = playground(path=path, lang="zh", title={"zh": "试试"})
    assert path.read_text("utf-8") == page
    assert '<html lang="zh-Hans">' in page
    assert "<title>试试</title>" in page
    assert page._repr_html_().startswith("<iframe srcdoc=")
