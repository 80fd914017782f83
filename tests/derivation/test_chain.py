"""The numbers of a derivation are the engine's own, to the bit, and nothing is changed by it."""

import math

import pytest
from hypothesis import given, settings

from micrograd import Value, define, where
from micrograd.derivation.chain import Chain
from micrograd.engine.graph import order
from micrograd.testing.strategies import expressions
from nn import MLP
from tests.derivation.common import meeting, neuron


def same(a, b):
    return a == b or (a != a and b != b)


@pytest.mark.slow
@settings(max_examples=200)
@given(expressions())
def test_adjoints_are_those_of_backward_to_the_bit(expression):
    leaves = [Value(x) for x in expression.at]
    out = expression(*leaves)
    if not isinstance(out, Value):
        return
    chain = Chain(out)
    out.backward()
    for node in chain.nodes:
        assert same(chain.adjoints[node], node.grad)


@pytest.mark.slow
@settings(max_examples=100)
@given(expressions())
def test_contributions_add_up_step_by_step(expression):
    leaves = [Value(x) for x in expression.at]
    out = expression(*leaves)
    if not isinstance(out, Value):
        return
    chain = Chain(out)
    now = dict.fromkeys(chain.nodes, 0.0)
    now[out] = 1.0
    for flow in chain.contributions:
        assert same(flow.before, now[flow.edge.operand])
        assert same(flow.upstream, now[flow.edge.node])
        assert same(flow.after, flow.before + flow.share)
        now[flow.edge.operand] = flow.after
    assert all(same(now[key], chain.adjoints[key]) for key in now)


def test_no_gradient_is_changed():
    names = neuron()
    names["o"].backward()
    before = [node.grad for node in order(names["o"])]
    chain = Chain(names["o"])
    assert chain.contributions
    assert [node.grad for node in order(names["o"])] == before


def test_paths_are_all_ways_down_from_the_output():
    x, y = meeting()
    chain = Chain(y)
    paths = list(chain.paths(x))
    assert [len(path) for path in paths] == [3, 3, 3, 4]
    assert all(path[0].node is y and path[-1].operand is x for path in paths)
    assert [path[-1].place for path in paths[:2]] == [0, 1]
    assert chain.active(x)[y] == (4, 13)


def test_the_number_of_paths_is_counted_without_walking_them():
    x = y = Value(1.0)
    for _ in range(200):
        y = y * y.cos()
    chain = Chain(y)
    assert chain.active(x)[y][0] == 2**200


def test_a_value_that_no_path_reaches_has_no_active_values_above_it():
    x, y = Value(1.0), Value(2.0)
    assert list(Chain(y * 2).paths(x)) == []


@pytest.mark.parametrize("wrt", ["x1", "w1", "b"])
def test_a_replay_with_the_same_number_gives_the_same_output(wrt):
    names = neuron()
    chain = Chain(names["o"])
    assert chain.replayed(names[wrt], names[wrt].data) == names["o"].data
    moved = neuron()
    moved[wrt].data += 0.25
    again = (moved["x1"] * moved["w1"] + moved["x2"] * moved["w2"] + moved["b"]).tanh()
    assert chain.replayed(names[wrt], moved[wrt].data) == again.data


def test_a_replay_holds_what_passes_no_gradient():
    x = Value(3.0)
    y = x * x.detach()
    assert Chain(y).replayed(x, 4.0) == 12.0


# -------------------------------------------------------------------------------- steps by hand


def test_a_backward_step_written_by_hand_is_followed():
    x, w = Value(2.0, label="x"), Value(5.0, label="w")
    s = Value(math.sin(x.data), (x,), "sin")

    def step():
        x.grad += math.cos(x.data) * s.grad

    s._backward = step
    y = s * w
    x.grad = w.grad = 0.125
    chain = Chain(y)
    assert chain.adjoints[x] == math.cos(2.0) * 5.0
    (edge,) = chain.edges[s]
    assert edge.slope == math.cos(2.0)
    assert chain.formula(s).text == "sin(x)"
    assert (x.grad, w.grad) == (0.125, 0.125)
    with pytest.raises(ValueError, match="made by hand, without a formula"):
        chain.replayed(x, 2.5)


def test_a_closure_of_an_operand_used_twice_is_one_edge():
    x = Value(3.0, label="x")
    y = Value(9.0, (x, x), "*")

    def step():
        x.grad += 2 * x.data * y.grad

    y._backward = step
    chain = Chain(y)
    assert [(edge.place, edge.slope) for edge in chain.edges[y]] == [(0, 6.0)]
    assert chain.adjoints[x] == 6.0
    assert chain.formula(y).text == "x·x"


def test_operations_by_hand_with_local_grads_are_followed():
    x = Value(3.0, label="x")
    y = Value(9.0, (x,), "cube", local_grads=(27.0,))
    chain = Chain(y)
    assert chain.adjoints[x] == 27.0
    assert chain.factor(chain.edges[y][0]).formula.text == "27"


def test_a_backward_step_that_raises_leaves_gradients_as_they_were():
    x = Value(1.0)
    y = Value(1.0, (x,), "bad")

    def step():
        raise RuntimeError("no")

    y._backward = step
    x.grad, y.grad = 7, 8
    with pytest.raises(RuntimeError):
        Chain(y)
    assert (x.grad, y.grad) == (7, 8)


# ------------------------------------------------------------------------------------------ errors


def test_a_graph_whose_numbers_were_changed_is_refused():
    names = neuron()
    names["w1"].data -= 0.5
    with pytest.raises(ValueError, match=r"v₁ is -6\.0, but its operands now give -7\.0.*again"):
        Chain(names["o"])


def test_a_graph_of_nan_is_no_graph_that_was_changed():
    x = Value(math.nan, label="x")
    assert math.isnan(Chain(x * 2 + 1).adjoints[x]) is False


@pytest.mark.slow
def test_a_graph_that_nobody_could_read_is_refused_at_once():
    x = y = Value(1.0)
    for _ in range(10_000):
        y = y + 1.0
    with pytest.raises(ValueError, match=r"10,001 values cannot be read .*max_nodes=10001"):
        Chain(y)
    assert Chain(y, max_nodes=20_000).adjoints[x] == 1.0


def test_what_is_no_value_is_refused():
    with pytest.raises(TypeError, match="takes a Value as output, got float"):
        Chain(3.0)


# ------------------------------------------------------------------------------------------- names


def test_names_are_labels_then_variables_then_numbers_in_order():
    a, b = Value(1.0, label="a"), Value(2.0)
    weights = [Value(3.0), Value(4.0)]
    table = {"bias": Value(5.0)}
    total = a * b + weights[0] * weights[1] + table["bias"]
    chain = Chain(total, {"a_too": a, "b": b, "w": weights, "t": table, "_hidden": total})
    assert [chain.name(node).text for node in chain.nodes] == [
        *("a", "b", "v₁", "w₁", "w₂", "v₂", "v₃", "t_bias", "v₄"),
    ]


def test_numbers_pass_over_names_that_are_taken():
    v1 = Value(1.0, label="v1")
    y = v1 * 2 + 1
    assert [Chain(y).name(node).text for node in order(y)] == ["v₁", "v₂", "v₃"]


def test_equal_labels_are_told_apart():
    y = Value(1.0, label="x") * Value(2.0, label="x") + Value(3.0, label="x")
    names = [Chain(y).name(node).text for node in order(y)]
    assert names == ["x", "x⁽²⁾", "v₁", "x⁽³⁾", "v₂"]


def test_blank_labels_are_no_names():
    y = Value(1.0, label="  ") * Value(2.0, label="\n")
    assert len({name.text for name in Chain(y).names.values()}) == 3


def test_names_must_be_a_mapping():
    with pytest.raises(TypeError, match=r"such as locals\(\), or a model, got list"):
        Chain(Value(1.0) * 2, ["x"])


def test_a_model_is_explained_like_any_graph():
    model = MLP(3, [4, 1])
    loss = (model([1.0, -2.0, 3.0]) - 1) ** 2
    chain = Chain(loss)
    loss.backward()
    assert [chain.adjoints[p] for p in model.parameters()] == [p.grad for p in model.parameters()]


def test_every_kind_of_row_has_a_formula_and_a_factor():
    mine = define("mine_for_chain", "x * y + z", ["y", "x", "1"])
    x, y, z = (Value(v, label=n) for v, n in ((2.0, "x"), (3.0, "y"), (4.0, "z")))
    out = mine(x, y, z) + where(x > y, x, z)
    chain = Chain(out)
    shown = [chain.formula(node).text for node in chain.nodes if node._row is not None]
    assert shown == ["mine_for_chain(x, y, z)", "x > y", "where(v₂, x, z)", "v₁ + v₃"]
    factors = [chain.factor(edge) for node in chain.nodes for edge in chain.edges[node]]
    assert [factor.formula.text for factor in factors[:3]] == ["y", "x", "1"]


def test_a_number_that_became_nan_or_was_nan_is_told_from_one_that_is_nan_by_computation():
    x = Value(2.0)
    y = x * x
    Chain(y)
    x.data = math.nan
    with pytest.raises(ValueError, match="was changed after the graph was built"):
        Chain(y)
    y.data = math.nan  # as its operands give it now
    Chain(y)
    x.data = 2.0
    with pytest.raises(ValueError, match="was changed after the graph was built"):
        Chain(y)
