"""`explain_layers`: a network in matrix form, which says what the engine computes.

The equations are read as text, with matrix products and products entry by entry, and evaluated with
NumPy: what they say must be the numbers that `backward()` gives.
"""

from __future__ import annotations

import math
import random
import re
from itertools import product

import numpy as np
import pytest

import micrograd
from micrograd import Value
from micrograd.ops import TABLE
from micrograd.table.balls import Ball, stopped
from micrograd.table.formulas import Call
from micrograd.table.interpreters import IEEE
from nn import MLP, Dropout, Layer, Neuron, Sequential, explain_layers
from nn.derivations import rules
from nn.derivations.sheet import multiplied, weighted
from nn.losses import LOSSES
from nn.objective import loss_function, outputs_of
from tests.nn.equations import evaluated

ACTIVATIONS = [name for name, row in TABLE.items() if row.arity == 1]


def samples(count, inputs=3, seed=0):
    generator = random.Random(seed)
    return [[generator.uniform(0.1, 0.9) for _ in range(inputs)] for _ in range(count)]


def targets(loss, count, outputs, seed=0):
    generator = random.Random(seed)
    if loss == "cross_entropy":
        return [generator.randrange(outputs) for _ in range(count)]
    if loss == "kl_div":
        rows = samples(count, outputs, seed)
        return [[x / sum(row) for x in row] for row in rows]
    if "hinge" in loss:
        return [[generator.choice([-1.0, 1.0]) for _ in range(outputs)] for _ in range(count)]
    return samples(count, outputs, seed)


def network(*sizes, seed=0, **options):
    return MLP(sizes[0], sizes[1:], generator=random.Random(seed), **options)


def positive(nin, fan_out, generator):
    return generator.uniform(0.05, 0.35)


def by_hand(model, X, y, loss, reduction="mean"):
    """The loss and the gradients of the weights and biases of each layer, by the engine."""
    _, function = loss_function(loss)
    losses = []
    for x, t in zip(X, y, strict=True):
        outputs = outputs_of(model, x)
        if len(outputs) == 1:
            outputs, t = outputs[0], (t[0] if isinstance(t, list) else t)
        losses.append(function(outputs, t, reduction))
    total = sum(losses[1:], losses[0]) / (len(losses) if reduction == "mean" else 1)
    model.zero_grad()
    total.backward()
    found = []
    for layer in model.layers:
        weights = np.array([[w.grad for w in neuron.w] for neuron in layer.neurons])
        found.append((weights, np.array([neuron.b.grad for neuron in layer.neurons])))
    return total.data, found


def assert_explained(explanation, model, X, y, loss="mse", reduction="mean"):
    """The equations, the matrices and the engine agree."""
    assert explanation.difference <= explanation.bound
    total, gradients = by_hand(model, X, y, loss, reduction)
    assert explanation.loss == pytest.approx(total, rel=1e-12)
    size = max(1.0, *(np.abs(each).max() for pair in gradients for each in pair))
    for (weights, biases), own in zip(gradients, explanation.gradients, strict=True):
        np.testing.assert_allclose(own[0], weights, rtol=0, atol=explanation.bound)
        np.testing.assert_allclose(own[1], biases, rtol=0, atol=explanation.bound)
    # Constants such as 0.3989 are shown with four digits.
    loose = "≈" in explanation.equations()
    rows = np.eye(len(model.layers[-1].neurons))[y] if loss == "cross_entropy" else y
    names = evaluated(explanation, model, X, rows)
    for i, (weights, biases) in enumerate(gradients, 1):
        suffix = f"_{i}" if len(gradients) > 1 else ""
        tolerance = {"rtol": 2e-2 if loose else 1e-9, "atol": (1e-3 if loose else 1e-12) * size}
        np.testing.assert_allclose(names[f"slope_W{suffix}"], weights, **tolerance)
        np.testing.assert_allclose(names[f"slope_b{suffix}"][:, 0], biases, **tolerance)
    assert np.sum(names["L"]) == pytest.approx(total, rel=2e-2 if loose else 1e-9)


# ------------------------------------------------------------------------------------ the numbers


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_of_the_table_has_a_matrix_form(activation):
    for count in (1, 3):
        model = network(3, 4, 2, activation=activation, initializer=positive)
        for neuron in model.layers[0].neurons:  # acosh begins at 1
            neuron.b.data = 1.0 if math.isnan(IEEE[activation](0.5)) else 0.0
        X, y = samples(count), targets("mse", count, 2, seed=1)
        assert_explained(explain_layers(model, X, y), model, X, y)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["sigmoid", "relu", None])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_has_a_matrix_form(loss, output):
    for count, size, reduction in product((1, 4), (1, 3), ("mean", "sum")):
        if loss != "cross_entropy" or size > 1:
            model = network(3, 4, size, activation="tanh", output_activation=output, seed=count)
            X, y = samples(count), targets(loss, count, size, seed=count)
            explanation = explain_layers(model, X, y, loss=loss, reduction=reduction)
            if "detach" not in explanation.text():  # it stops gradients, which the text cannot say
                assert_explained(explanation, model, X, y, loss, reduction)


@pytest.mark.parametrize("sizes", [(2, 1), (3, 2), (2, 3, 1), (3, 4, 4, 2), (2, 3, 1, 3, 2)])
def test_networks_of_one_to_four_layers_have_a_matrix_form(sizes):
    for count in (1, 5):
        model = network(*sizes, activation="sigmoid")
        X, y = samples(count, sizes[0]), targets("mse", count, sizes[-1])
        assert_explained(explain_layers(model, X, y), model, X, y)


def test_a_wrong_formula_is_found_by_the_document_itself(monkeypatch):
    right = rules._slope
    monkeypatch.setattr(rules, "_slope", lambda tree: right(tree) if tree == "x" else "out")
    model = network(3, 4, 1, activation="tanh")
    with pytest.raises(ArithmeticError, match=r"rounding explains a difference of \d"):
        explain_layers(model, samples(2), [0.0, 1.0])


@pytest.mark.parametrize("wrong", [-1e-12, 1e-12])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_a_formula_that_is_almost_right_is_found_too(activation, wrong, monkeypatch):
    right = rules._slope
    monkeypatch.setattr(
        rules,
        "_slope",
        lambda tree: Call("mul", (1.0 + wrong, right(tree))) if tree != "x" else 1.0,
    )
    model = network(3, 4, 1, activation=activation)
    with pytest.raises(ArithmeticError, match="rounding explains a difference of"):
        explain_layers(model, samples(4), [0.0, 1.0, 0.5, 2.0])


@pytest.mark.parametrize("sizes", [(2, 1), (2, 3, 1), (3, 4, 4, 2)])
def test_the_bound_of_rounding_is_no_larger_than_some_hundred_roundings(sizes):
    X, y = samples(5, sizes[0]), targets("mse", 5, sizes[-1])
    explanation = explain_layers(network(*sizes, activation="tanh"), X, y)
    largest = max(np.abs(each).max() for pair in explanation.gradients for each in pair)
    assert 0 < explanation.bound <= 500 * 2.0**-52 * largest


def test_a_model_that_does_more_than_its_layers_is_refused():
    class Doubled(MLP):
        def __call__(self, x):
            return [2 * value for value in super().__call__(x)]

    with pytest.raises(ArithmeticError, match="something else than its layers"):
        explain_layers(Doubled(2, [2]), samples(2, 2), samples(2, 2))


def test_no_gradient_is_changed():
    model = network(2, 3, 1)
    parameters = model.parameters()
    for i, parameter in enumerate(parameters):
        parameter.grad = float(i)
    explain_layers(model, samples(3, 2), [0.0, 1.0, 2.0])
    assert [parameter.grad for parameter in parameters] == list(range(len(parameters)))


# ------------------------------------------------------------------------------------ the formulas


def equation(explanation, left):
    """The steps of an equation, without shapes."""
    lines, found = explanation.equations().splitlines(), []
    for line in lines:
        name, _, right = line.partition(" = ")
        if name.strip() == left or (found and not name.strip()):
            found.append(right.partition("    (")[0])
        elif found:
            break
    return found


def test_the_article_of_two_layers_is_derived():
    model = network(3, 4, 1, activation="sigmoid", output_activation="sigmoid")
    X = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]
    explanation = explain_layers(model, X, [0, 1, 1, 0], reduction="sum", bias=False)
    assert explanation.equations() == (
        "Z⁽¹⁾ = W⁽¹⁾ X    (4×4)\n"
        "H⁽¹⁾ = σ(Z⁽¹⁾)    (4×4)\n"
        "z⁽²⁾ = W⁽²⁾ H⁽¹⁾    (1×4)\n"
        "ŷ    = σ(z⁽²⁾)    (1×4)\n"
        "L    = ∑ (ŷ − y)²\n"
        "δ⁽²⁾ = ∂L/∂ŷ ⊙ ∂ŷ/∂z⁽²⁾    (1×4)\n"
        "     = 2(ŷ − y) ⊙ ŷ ⊙ (1 − ŷ)\n"
        "δ⁽¹⁾ = (W⁽²⁾ᵀ δ⁽²⁾) ⊙ H⁽¹⁾ ⊙ (1 − H⁽¹⁾)    (4×4)\n"
        "∂L/∂W⁽¹⁾ = δ⁽¹⁾ Xᵀ    (4×3)\n"
        "∂L/∂W⁽²⁾ = δ⁽²⁾ H⁽¹⁾ᵀ    (1×4)"
    )


def test_a_number_stands_before_the_sign_of_a_sum():
    model = network(3, 1, output_activation="sigmoid")
    loss = {"loss": lambda p, y: 0.5 * (y - p) ** 2, "reduction": "sum"}
    explanation = explain_layers(model, samples(4), [0, 1, 1, 0], **loss)
    assert equation(explanation, "L") == ["(1/2) ∑ (y − ŷ)²"]
    assert equation(explanation, "δ")[-1] == "(ŷ − y) ⊙ ŷ ⊙ (1 − ŷ)"


@pytest.mark.parametrize(
    ("loss", "output", "last"),
    [
        ("mse", None, "(2/n)(Ŷ − Y)"),
        ("mse", "tanh", "(2/n)(Ŷ − Y) ⊙ (1 − Ŷ ⊙ Ŷ)"),
        ("bce", "sigmoid", "(1/n)(Ŷ − Y)"),
        ("bce_with_logits", None, "(1/n)(σ(Ŷ) − Y)"),
        ("cross_entropy", None, "(1/n)(P − Y)"),
        ("l1", None, "(1/n)·sgn(Ŷ − Y)"),
        ("hinge", None, "−(1/n)·Y ⊙ 1[Y ⊙ Ŷ < 1]"),
        ("squared_hinge", None, "−(2/n)·Y ⊙ relu(1 − Y ⊙ Ŷ)"),
        ("kl_div", None, "−(1/n)·Y"),
    ],
)
def test_the_delta_of_the_last_layer_is_in_its_simplest_form(loss, output, last):
    model = network(3, 4, 2, output_activation=output, seed=1)
    explanation = explain_layers(model, samples(4), targets(loss, 4, 2), loss=loss)
    assert equation(explanation, "δ⁽²⁾")[-1] == last


@pytest.mark.parametrize(
    ("activation", "slope"),
    [
        ("sigmoid", "H⁽¹⁾ ⊙ (1 − H⁽¹⁾)"),
        ("tanh", "(1 − H⁽¹⁾ ⊙ H⁽¹⁾)"),
        ("relu", "1[Z⁽¹⁾ > 0]"),
        ("relu6", "1[Z⁽¹⁾ > 0] ⊙ 1[Z⁽¹⁾ < 6]"),
        ("exp", "H⁽¹⁾"),
        ("softplus", "σ(Z⁽¹⁾)"),
        ("leaky_relu", "f′(Z⁽¹⁾)"),
        ("gelu", "f′(Z⁽¹⁾)"),
    ],
)
def test_the_slope_of_an_activation_is_that_of_the_table(activation, slope):
    model = network(3, 4, 2, activation=activation)
    explanation = explain_layers(model, samples(2), samples(2, 2))
    assert equation(explanation, "δ⁽¹⁾") == [f"(W⁽²⁾ᵀ δ⁽²⁾) ⊙ {slope}"]


def test_activations_that_have_cases_get_names():
    model = Sequential(
        Layer(2, 3, activation="elu"), Layer(3, 3, activation="gelu"), Layer(3, 2, nonlin=False)
    )
    explanation = explain_layers(model, samples(2, 2), samples(2, 2))
    assert equation(explanation, "f₁(z)") == ["elu(z)", "{exp(z) − 1 if z ≤ 0; z otherwise}"]
    assert equation(explanation, "f₁′(z)") == ["{exp(z) if z ≤ 0; 1 otherwise}"]
    assert equation(explanation, "f₂(z)") == ["gelu(z)", "z·Φ(z)"]
    assert equation(explanation, "f₂′(z)") == ["Φ(z) + z·exp(−z²/2)/√(2π)"]
    assert equation(explanation, "δ⁽²⁾") == ["(W⁽³⁾ᵀ δ⁽³⁾) ⊙ f₂′(Z⁽²⁾)"]


def test_conditions_of_an_activation_of_your_own_are_joined_by_words():
    def bump(x):
        return micrograd.where((x > 0) & (x < 1) | ~(x < 5), x * x, x)

    explanation = explain_layers(MLP(2, [2, 1], activation=bump), [0.1, -0.3], [0.5])
    cases = "{z² if (z > 0 and z < 1) or z ≥ 5; z otherwise}"
    assert equation(explanation, "f(z)") == [cases]
    assert "(z > 0 且 z < 1) 或 z ≥ 5" in explanation.text("zh")


def test_an_operation_that_a_user_defined_has_its_formula():
    micrograd.define("swish", "x * sigmoid(x)", ["sigmoid(x) + out * (1 - sigmoid(x))"])
    model = network(3, 4, 2, activation="swish")
    X, y = samples(3), samples(3, 2)
    explanation = explain_layers(model, X, y)
    assert_explained(explanation, model, X, y)
    assert equation(explanation, "f(z)") == ["swish(z)", "z·σ(z)"]
    assert equation(explanation, "f′(z)") == ["σ(z) + f(z)·(1 − σ(z))"]


def test_the_case_of_a_loss_is_named_if_all_entries_are_in_it():
    model = network(3, 2, initializer="zeros")
    near, far = ([[0.5, 0.25], [0.0, 0.0]], [[0.5, 2.0], [0.0, 0.0]])
    text = explain_layers(model, samples(2), near, loss="huber").text()
    assert "Here |Ŷ − Y| ≤ 1 holds for all entries" in text
    assert "= (1/n)(Ŷ − Y)\n" in text
    explanation = explain_layers(model, samples(2), far, loss="huber")
    assert equation(explanation, "ℓ′(ŷ, y)") == ["{ŷ − y if |ŷ − y| ≤ 1; sgn(ŷ − y) otherwise}"]
    assert equation(explanation, "δ")[-1] == "(1/n)·ℓ′(Ŷ, Y)"


def test_functions_of_your_own_are_derived():
    def loss(outputs, given):
        return sum((p - t) ** 4 for p, t in zip(outputs, given, strict=True))

    def entropy(outputs, given):
        powers = [p.exp() for p in outputs]
        logs = [(power / sum(powers)).log() for power in powers]
        return -sum(t * log for t, log in zip(given, logs, strict=True))

    model = Sequential(Layer(2, 3, activation=lambda z: z * z * z), Layer(3, 2, nonlin=False))
    explanation = explain_layers(model, samples(2, 2), samples(2, 2), loss=loss)
    assert equation(explanation, "δ⁽²⁾")[-1] == "(4/n)(Ŷ − Y)³"
    assert "f′(z) = 3z²" in explanation.equations()
    explanation = explain_layers(model, samples(2, 2), [[1, 0], [0.5, 0.5]], loss=entropy)
    assert equation(explanation, "δ⁽²⁾")[-1] == "(1/n)(P − Y)"


def test_a_loss_without_a_matrix_form_gives_the_numbers_of_backward():
    def joined(outputs, given):
        return (outputs[0] * outputs[1] - given[0]) ** 2

    def reading(outputs, given):
        return (outputs[0] - given[0]) ** 2 if outputs[1].data > 0 else outputs[1] ** 2

    model = network(2, 3, 2)
    for loss, why in ((joined, "joins the outputs"), (reading, "reads the numbers")):
        explanation = explain_layers(model, samples(3, 2), samples(3, 2), loss=loss, numbers=True)
        assert why in explanation.text()
        assert "∂L/∂Ŷ is taken from backward()" in explanation.text()
        assert "  ∂L/∂Ŷ ≈ ⎡" in explanation.text()


# ------------------------------------------------------------------------------------- the models


def test_a_single_layer_has_no_numbers_of_layers():
    neuron = Neuron(3, nonlin=False)
    assert explain_layers(neuron, [1.0, 2.0, 3.0], 1.0).equations() == (
        "z = W x + b    (1×1)\n"
        "ŷ = z    (1×1)\n"
        "L = (ŷ − y)²\n"
        "δ = ∂L/∂ŷ    (1×1)\n"
        "  = 2(ŷ − y)\n"
        "∂L/∂W = δ xᵀ    (1×3)\n"
        "∂L/∂b = δ    (1×1)"
    )


def test_dropout_does_nothing_and_keeps_its_mode():
    model = Sequential(Layer(2, 3), Dropout(0.5), Layer(3, 1, nonlin=False))
    assert explain_layers(model, samples(2, 2), [0.0, 1.0]).difference >= 0
    assert model.training


def test_layers_without_biases_have_none_in_the_formulas():
    model = network(2, 2, 1)
    for layer in model.layers:
        for neuron in layer.neurons:
            neuron.b = 0.0
    explanation = explain_layers(model, samples(2, 2), [0.0, 1.0])
    assert "b" not in explanation.equations()
    assert [biases for _, biases in explanation.gradients] == [[], []]
    model = network(2, 2, 1)
    model.layers[1].neurons[0].b.data = 0.5
    with pytest.raises(ValueError, match=r"a bias of layer 2 is 0\.5, not 0: bias=True shows it"):
        explain_layers(model, samples(2, 2), [0.0, 1.0], bias=False)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Sequential(Layer(2, 2), micrograd.softmax), "layer 2 of the model is softmax, for which"),
        (3, "the model is int, for which there is no matrix form"),
        (Sequential(Dropout(0.5)), "has no layer with weights"),
        (
            Layer(2, 2, activation=lambda z: z if z.data > 0 else 0 * z),
            "reads the number of a Value",
        ),
    ],
)
def test_other_models_are_refused_by_name(model, message):
    with pytest.raises(TypeError, match=message):
        explain_layers(model, samples(2, 2), samples(2, 2))


def test_layers_that_are_not_one_matrix_are_refused():
    mixed = Layer(2, 2)
    mixed.neurons[0].nonlin = False
    with pytest.raises(TypeError, match="the neurons of layer 1 differ"):
        explain_layers(mixed, samples(2, 2), samples(2, 2))
    shared = network(2, 2, 2)
    shared.layers[1] = shared.layers[0]
    with pytest.raises(TypeError, match="used in several places"):
        explain_layers(shared, samples(2, 2), samples(2, 2))
    partly = Layer(2, 2)
    partly.neurons[0].b, partly.neurons[1].b = 0.0, Value(1.0)
    with pytest.raises(TypeError, match="the biases of layer 1 are Values for some neurons only"):
        explain_layers(partly, samples(2, 2), samples(2, 2))


def test_bad_arguments_are_named():
    model = network(2, 2)
    with pytest.raises(ValueError, match="the model takes 2 inputs, and X has 3"):
        explain_layers(model, samples(2), samples(2, 2))
    with pytest.raises(ValueError, match="the model has 2 outputs, but y has 3"):
        explain_layers(model, samples(2, 2), samples(2, 3))
    with pytest.raises(ValueError, match="reduction is 'mean' or 'sum', got 'max'"):
        explain_layers(model, samples(2, 2), samples(2, 2), reduction="max")
    with pytest.raises(ValueError, match="most is at least 3, got 1"):
        explain_layers(model, samples(2, 2), samples(2, 2), most=1)
    with pytest.raises(ValueError, match=r"lang is one of en, .*got 'xx'"):
        explain_layers(model, samples(2, 2), samples(2, 2), lang="xx")
    with pytest.raises(TypeError, match="a loss that sees the model has no matrix form"):
        explain_layers(model, samples(2, 2), samples(2, 2), loss=lambda m, x, t: m(x)[0])


# ----------------------------------------------------------------------------------- the documents


def test_numbers_are_shown_on_request_and_large_matrices_are_cut():
    model = network(2, 9, 1, activation="tanh")
    X, y = samples(8, 2), [1.0] * 8
    assert "⎡" not in explain_layers(model, X, y).text()
    lines = explain_layers(model, X, y, numbers=True).text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("  H⁽¹⁾"))
    matrix = [line.strip(" ≈⎡⎤⎢⎥⎣⎦").split() for line in lines[start + 1 : start + 7]]
    assert [len(row) for row in matrix] == [6] * 6
    assert [row[4] for row in matrix] == ["⋯", "⋯", "⋯", "⋯", "⋱", "⋯"]
    assert matrix[4] == ["⋮"] * 4 + ["⋱", "⋮"]
    outputs = np.tanh(
        np.array([[w.data for w in n.w] for n in model.layers[0].neurons]) @ np.array(X).T
    )
    shown = [
        [float(matrix[i][j].replace("−", "-")) for j in (0, 1, 2, 3, 5)] for i in (0, 1, 2, 3, 5)
    ]
    places = np.ix_([0, 1, 2, 3, 8], [0, 1, 2, 3, 7])
    np.testing.assert_allclose(shown, outputs[places], atol=5e-5)


def test_every_format_has_the_matrices():
    explanation = explain_layers(network(2, 3, 1), samples(2, 2), [0.0, 1.0], numbers=True)
    assert r"\begin{pmatrix}" in explanation.latex()
    assert r"W^{(2)\top}\delta^{(2)}" in explanation.markdown()
    assert "<mtable><mtr><mtd>" in explanation.html()
    assert "\n<h2>2–3–1 网络的梯度：矩阵形式</h2>" in explanation.html("zh", level=2)
    assert explanation._repr_mimebundle_() == {
        "text/plain": str(explanation),
        "text/markdown": explanation.markdown(),
    }
    assert repr(explanation) == "<matrix form of a 2–3–1 network for 2 samples>"


def test_derivatives_that_are_not_finite_are_counted():
    model = network(2, 2, 1, activation="log", initializer="zeros")
    text = explain_layers(model, samples(2, 2), [0.0, 1.0]).text()
    assert re.search(
        r"the 9 derivatives that backward\(\) computes\. [1-9] of them are infin", text
    )


def test_the_check_is_part_of_the_document():
    explanation = explain_layers(network(2, 3, 1, activation="tanh"), [0.5, 0.1], 1.0, lang="zh")
    english, chinese = explanation.text("en"), explanation.text()
    assert re.search(
        r"these formulas give (exactly )?the 13 derivatives that backward\(\)", english
    )
    assert re.search(r"验证：代入数值后，以上公式给出的 13 个导数与 backward\(\) 的结果", chinese)


def test_the_html_brings_the_style_that_aligns_its_equations() -> None:
    layer = Layer(2, 1, nonlin=False)
    assert (
        "mtable.aligned" in explain_layers(layer, [1.0, 2.0], 1.0).html().partition("</style>")[0]
    )


def test_bounds_of_a_product_of_matrices_are_those_of_sums_of_products() -> None:
    for numbers in ((1.5, -2.25, 0.1), (math.inf, 0.0, 1.0), (0.0, math.nan, 1.0), (1e308,) * 3):
        row = [Ball(x, 1e-9) for x in numbers]
        column = [[x] for x in row]
        plain, chained = Ball(0.0), Ball(0.0)
        for x in row:
            plain, chained = plain + x * x, chained + stopped(x, x)
        for found, wanted in (
            (weighted([row], column, []), plain),
            (multiplied([row], column), chained),
        ):
            ((ball,),) = found
            assert repr(ball.mid) == repr(wanted.mid)
            assert ball.rad == pytest.approx(wanted.rad, rel=1e-9)
