"""A graph is cut into one formula for each named value, whose partials are those of the chain."""

import math

import pytest

import nn
from micrograd import Value, sigmoid
from micrograd.derivation.definitions import definitions, partial
from micrograd.table.floats import to_float
from micrograd.table.formulas import fold, parts, variables
from micrograd.table.interpreters import IEEE
from micrograd.writing import notation


def values(**numbers):
    return [Value(number, label=name) for name, number in numbers.items()]


def shown(cut, tree):
    return notation.formula(tree, {name.text: name for name in cut.names.values()}).text


def story(cut):
    return [f"{step.key} = {shown(cut, step.formula)}" for step in cut]


def slopes(cut, key):
    return {operand: shown(cut, partial(cut[key], operand)) for operand in cut[key].operands}


def evaluated(cut, tree):
    numbers = {cut.key(value): value.data for value in cut.names}
    return fold(tree, IEEE, numbers, to_float)


def adjoints(cut):
    """The derivatives of the first output, by the partials of the definitions alone."""
    found = {cut.key(value): 0.0 for value in cut.names} | {cut.key(cut.outputs[0]): 1.0}
    for step in reversed(cut):
        for key in step.operands:
            found[key] += found[step.key] * evaluated(cut, partial(step, key))
    return found


def test_values_without_a_name_are_written_into_the_next_one():
    w, x, b, t = values(w=-0.5, x=2.0, b=0.3, t=1.0)
    z = w * x + b
    y = sigmoid(z)
    cut = definitions([(y - t) ** 2], {"z": z, "y": y})
    assert story(cut) == ["z = w·x + b", "y = σ(z)", "v₁ = (y - t)²"]
    assert slopes(cut, "v₁") == {"y": "2·(y - t)", "t": "-2·(y - t)"}
    assert slopes(cut, "y") == {"z": "y·(1 - y)"}
    assert cut.made_up == {"v₁"}
    assert [value.label for value in cut.given] == ["w", "x", "b", "t"]


def test_a_long_argument_of_a_function_gets_a_name():
    w, x, b, t = values(w=-0.5, x=2.0, b=0.3, t=1.0)
    cut = definitions([(sigmoid(w * x + b) - t) ** 2])
    assert story(cut) == ["v₁ = w·x + b", "v₂ = σ(v₁)", "v₃ = (v₂ - t)²"]


def test_a_shared_value_gets_a_name_and_trees_stay_small():
    (x,) = values(x=0.5)
    y = x * x + 1.0 / x
    for _ in range(50):
        y = y * y.sin() + y
    cut = definitions([y])
    assert max(sum(1 for _ in parts(step.formula)) for step in cut) < 20
    y.backward()
    assert math.isclose(adjoints(cut)["x"], x.grad, rel_tol=1e-10)


def test_equal_factors_are_a_power():
    (a,) = values(a=3.0)
    cut = definitions([a * a * a * a * a * a])
    assert story(cut) == ["v₁ = a⁶"]
    assert slopes(cut, "v₁") == {"a": "6·a⁵"}


def test_ones_zeros_and_products_with_zero_are_left_out():
    x, y = values(x=1.0, y=2.0)
    assert story(definitions([0.0 * x.sin() + 1.0 * (y - 0.0) ** 2])) == ["v₁ = y²"]


def test_the_shift_of_a_softmax_disappears():
    scores = values(z1=1.0, z2=2.0, z3=0.5)
    loss = nn.losses.cross_entropy(scores, 0)
    cut = definitions([loss], {"L": loss})
    assert story(cut) == ["L = ln(exp(z₁) + exp(z₂) + exp(z₃)) - z₁"]
    shift = scores[0].maximum(scores[1]).maximum(scores[2])
    loss = sum((z - shift).exp() for z in scores).log() + shift - scores[0]
    assert story(definitions([loss], {"L": loss})) == story(cut)
    share = "exp(z₁) / (exp(z₁) + exp(z₂) + exp(z₃))"
    assert slopes(cut, "L")["z₁"] == f"{share} - 1"


def test_the_partials_of_a_model_give_the_gradient():
    model = nn.MLP(3, [4, 4, 1], activation="tanh")
    x = values(x1=0.5, x2=-1.0, x3=2.0)
    loss = (model(x) - 1.0) ** 2
    cut = definitions([loss])
    loss.backward()
    found = adjoints(cut)
    for value in cut.given:
        assert math.isclose(found[cut.key(value)], value.grad, rel_tol=1e-12, abs_tol=1e-15)


def test_every_variable_of_a_formula_is_an_operand():
    model = nn.MLP(3, [4, 1])
    cut = definitions([model(values(x1=0.5, x2=-1.0, x3=2.0))])
    for step in cut:
        assert variables(step.formula) == set(step.operands)
        for operand in step.operands:
            assert variables(partial(step, operand)) <= {step.key, *step.operands}


def test_steps_written_by_hand_have_numbers_as_partials():
    (a,) = values(a=3.0)
    out = Value(5.0, (a,), "foo")

    def step():
        a.grad += 2.0 * out.grad

    out._backward = step
    cut = definitions([out * out + a])
    assert [each.is_known for each in cut] == [False, True]
    assert cut[0].slopes == {"a": 2.0}
    assert partial(cut[0], "a") == 2.0
    assert adjoints(cut)["a"] == 21.0


def test_a_long_chain_is_cut_into_short_formulas():
    (a,) = values(a=0.9)
    y = a
    for _ in range(500):
        y = (y * a).tanh() + 0.1
    cut = definitions([y])
    y.backward()
    assert math.isclose(adjoints(cut)["a"], a.grad, rel_tol=1e-9)


@pytest.mark.parametrize("names", [None, {"alias": 1.0}])
def test_a_leaf_alone_has_no_definition(names):
    (a,) = values(a=3.0)
    cut = definitions([a], names)
    assert len(cut) == 0
    assert cut.given == [a]
