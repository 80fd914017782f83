"""The strategies keep what they promise, and what they find is short."""

from __future__ import annotations

import math
import pickle
import random
import re
import sys
from collections import Counter
from fractions import Fraction
from importlib import import_module

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from micrograd import Value, define
from micrograd.ops import TABLE
from micrograd.table.formulas import fold
from micrograd.table.reading import parse
from micrograd.testing.expression import Expression, ExpressionStep
from micrograd.testing.strategies import (
    DIFFERENTIABLE,
    LARGEST,
    MARGIN,
    SMALLEST,
    expressions,
    networks,
    scalars,
)
from nn import MLP
from tests.numeric import VALUES

DOMAINS = sorted({TABLE[name].domain for name in DIFFERENTIABLE if TABLE[name].arity == 1} - {""})
few = settings(max_examples=30)
ARITIES = {name: row.arity for name, row in TABLE.items()}


def drawn(strategy, number=150):
    """A number of examples, as a test would get them, the same in each run."""
    examples = []

    @settings(max_examples=number, phases=[Phase.generate], database=None, derandomize=True)
    @given(strategy)
    def collect(example):
        examples.append(example)

    collect()
    return examples


@pytest.fixture(scope="module")
def smooth():
    return drawn(expressions(), 500)


def shrunk(strategy, condition, seed=3):
    once = settings(max_examples=2_000, database=None, phases=[Phase.generate, Phase.shrink])
    found = find(strategy, condition, settings=once, random=random.Random(seed))
    return found.source


def slots(expression):
    """The numbers of all variables and steps."""
    numbers = list(expression.at)
    for name, operands in expression.steps:
        numbers.append(TABLE[name].value(*chosen(operands, numbers)))
    return numbers


def chosen(operands, slots):
    return [slots[operand] if type(operand) is int else operand for operand in operands]


def formula_at(name, text, operands):
    """A formula in a row's operands at numbers."""
    row = TABLE[name]
    expression = parse(text, names=row.operands, known=ARITIES, place=name)
    return float(fold(expression, VALUES, dict(zip(row.operands, operands, strict=True))))


# ----------------------------------------------------------------------------------- numbers


@given(scalars())
def test_scalars_are_finite_and_of_ordinary_size(number):
    assert abs(number) <= 11


@pytest.mark.slow
@pytest.mark.parametrize("domain", DOMAINS)
def test_scalars_keep_to_a_domain_without_discarding_examples(domain):
    @settings(suppress_health_check=[], max_examples=40)
    @given(scalars(domain, edges=True, infinite=True, nan=True))
    def inside(number):
        x = parse(domain, names=("x",), known=ARITIES, place="test")
        assert fold(x, VALUES, {"x": number})

    inside()


@pytest.mark.slow
def test_scalars_have_the_edges_that_are_asked_for_and_no_others():
    numbers = drawn(scalars(edges=True, infinite=True, nan=True), 500)
    assert {0.0, 1.0, -1.0, 5e-324, 1e300, math.inf, -math.inf} <= {*numbers}
    assert any(number == 0 and math.copysign(1, number) < 0 for number in numbers)
    assert any(math.isnan(number) for number in numbers)
    assert all(math.isfinite(number) for number in drawn(scalars(edges=True)))


def test_scalars_shrink_to_small_whole_numbers_halves_and_decimals():
    def smallest(domain, condition):
        # The same search in every run: now and then another one stops at a number such as 2.000001.
        return find(scalars(domain), condition, random=random.Random(0))

    assert smallest("", lambda x: x > 2.4) == 3.0
    assert len(repr(smallest("", lambda x: 2 < x < 3))) == len("2.5")
    assert len(repr(smallest("", lambda x: 0 < x < 0.5))) == len("0.1")
    assert smallest("x > 0", lambda x: True) == 1.0


def test_a_domain_that_is_not_a_condition_on_x_is_refused():
    with pytest.raises(ValueError, match="unknown name 'y'"):
        scalars("y > 0")


# ------------------------------------------------------------------------------- expressions


@pytest.mark.slow
def test_every_step_is_inside_its_domain_and_of_moderate_size(smooth):
    for expression in (*smooth[:100], *drawn(expressions(smooth=False), 100)):
        numbers = slots(expression)
        for name, operands in expression.steps:
            point = chosen(operands, numbers)
            out, partials = TABLE[name].evaluate(*point)
            assert out == 0 or SMALLEST <= abs(out) <= LARGEST
            assert all(abs(partial or 0.0) <= LARGEST for partial in partials)
            assert not TABLE[name].domain or formula_at(name, TABLE[name].domain, point)


@pytest.mark.slow
def test_every_step_of_a_smooth_expression_keeps_a_margin_from_its_kink(smooth):
    for expression in smooth:
        numbers = slots(expression)
        flat = set()  # results that stay as they are when the variables change a little
        for slot, (name, operands) in enumerate(expression.steps, len(expression.names)):
            moving = [o for o in operands if type(o) is int and o not in flat]
            if not moving or all(partial == "0" for partial in TABLE[name].partials):
                flat.add(slot)
            if moving and (kink := TABLE[name].kink):
                assert abs(formula_at(name, kink, chosen(operands, numbers))) >= MARGIN


@pytest.mark.slow
def test_no_smooth_expression_jumps_beside_its_point(smooth):
    h, ROUNDING = 2.0**-40, 1e-3  # the result changes by the gradient times h, unless it jumps
    for expression in smooth:
        leaves = [Value(x) for x in expression.at]
        expression(*leaves).backward()
        slope = sum(abs(leaf.grad) for leaf in leaves)
        for step in (h, -h):
            moved = expression(*(x + step for x in expression.at)) - expression(*expression.at)
            assert abs(moved) <= 2 * h * slope + ROUNDING


@pytest.mark.slow
def test_kinks_and_ties_are_likely_where_they_are_allowed():
    relu, maximum = (
        sum(
            formula_at(name, TABLE[name].kink, chosen(operands, slots(expression))) == 0
            for expression in drawn(expressions(smooth=False, rows=[name]), 100)
            for name, operands in expression.steps
        )
        for name in ("relu", "maximum")
    )
    assert relu > 20
    assert maximum > 20


@pytest.mark.slow
def test_most_rows_are_drawn_and_no_other(smooth):
    seen = {name for e in smooth for name in e.operations}
    assert seen < {*DIFFERENTIABLE}
    assert len(seen) > 0.8 * len(DIFFERENTIABLE)
    found = {name for e in drawn(expressions(rows=["log", "mul"])) for name in e.operations}
    assert found == {"log", "mul"}


@pytest.mark.exhaustive
def test_every_row_is_drawn():
    assert {name for e in drawn(expressions(), 1_500) for name in e.operations} == {*DIFFERENTIABLE}


@pytest.mark.slow
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_each_row_can_be_drawn_alone_without_discarding_examples(name):
    @settings(max_examples=5, suppress_health_check=[])
    @given(expressions(rows=[name]))
    def one_row(expression):
        assert expression.operations == (name,)

    one_row()


@pytest.mark.slow
def test_intermediate_results_are_shared(smooth):
    shared = [
        expression
        for expression in smooth
        if max(uses for slot, uses in counted(expression) if slot >= len(expression.names)) > 1
    ]
    assert len(shared) > 100


def counted(expression):
    uses = Counter(o for step in expression.steps for o in step.operands if type(o) is int)
    return [*uses.items(), (len(expression.names), 0)]


@few
@given(expressions(max_operations=20))
def test_no_step_is_computed_in_vain(expression):
    used = {operand for step in expression.steps for operand in step.operands}
    inner = range(len(expression.names), len(expression.names) + len(expression.steps) - 1)
    assert used >= {*inner}
    assert 1 <= len(expression.steps) <= 20


@few
@given(expressions(variables=["rate", "time"]), expressions(variables=5))
def test_variables_are_a_number_or_names(named, numbered):
    assert named.names == ("rate", "time")
    assert numbered.names == ("x1", "x2", "x3", "x4", "x5")
    assert len(numbered.at) == 5
    with pytest.raises(TypeError, match="takes 2 numbers, got 1"):
        named(1.0)


@few
@given(expressions())
def test_an_expression_on_values_has_the_result_on_floats_and_a_graph(expression):
    out = expression(*map(Value, expression.at))
    assert isinstance(out, Value)
    assert out.data == expression(*expression.at)
    assert type(expression(*expression.at)) is float


@few
@given(expressions(max_operations=30), expressions(smooth=False))
def test_the_source_is_a_program_with_the_same_result_and_gradient(smooth, any_expression):
    for expression in (smooth, any_expression):
        names = {}
        exec(expression.source, names)
        assert names["at"] == expression.at
        mine, theirs = ([Value(x) for x in expression.at] for _ in range(2))
        expression(*mine).backward()
        names["f"](*theirs).backward()
        assert [x.grad for x in mine] == [x.grad for x in theirs]
        assert all(len(line) <= 100 for line in expression.source.splitlines()[2:])


@few
@given(expressions(rows=["add", "sub", "mul", "div", "neg", "square"], smooth=False))
def test_an_expression_accepts_any_numbers_with_a_vocabulary_for_what_is_not_an_operator(
    expression,
):
    vocabulary = {"square": lambda x: x * x}
    exact = expression(*map(Fraction, expression.at), vocabulary=vocabulary)
    assert float(exact) == pytest.approx(expression(*expression.at), rel=1e-6, abs=1e-9)


def test_a_vocabulary_that_lacks_an_operation_raises_an_error_that_names_it():
    expression = Expression(("x",), (2.0,), (ExpressionStep("exp", (0,)),))
    with pytest.raises(KeyError, match="vocabulary has no 'exp'"):
        expression(Fraction(2))


def test_an_expression_can_be_compared_hashed_and_pickled():
    expression = Expression(("x",), (2.0,), (ExpressionStep("exp", (0,)),))
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert len({expression, Expression(("x",), (2.0,), (ExpressionStep("exp", (0,)),))}) == 1


def test_constants_keep_their_sign_and_operators_their_order_in_the_source():
    steps = (
        ExpressionStep("pow", (-2.0, 0)),
        ExpressionStep("sub", (0, 1)),
        ExpressionStep("sub", (1, 2)),
        ExpressionStep("neg", (3,)),
    )
    source = Expression(("x",), (3.0,), steps).source
    assert "t1 = (-2.0) ** x" in source
    assert "return -(t1 - (x - t1))" in source


# ------------------------------------------------------------------------- failures are short


@pytest.mark.slow
def test_a_failure_shrinks_to_the_simplest_rows_few_steps_and_small_numbers():
    # Hypothesis does not promise where shrinking ends: it may stop early from one seed, and the
    # numbers may differ a little. So a search is repeated from another seed if it stopped early.
    program = r"from micrograd import tanh\n\ndef f\(x\):\n    return tanh\(x\)\n\nat = \((.*),\)"
    searches = (shrunk(expressions(), lambda e: "tanh" in e.operations, seed) for seed in range(3))
    (number,) = next(filter(None, (re.fullmatch(program, found) for found in searches))).groups()
    assert abs(float(number)) <= 10
    assert len(number) <= 5
    both = shrunk(
        expressions(rows=["add", "sin", "exp"]), lambda e: {"sin", "exp"} <= {*e.operations}
    )
    assert both.count("sin(") == both.count("exp(") == 1
    assert "add" not in both


@pytest.mark.exhaustive
def test_most_searches_for_a_large_result_end_in_a_short_program():
    # A single search may end in a few doublings more than it needs, as it does from seed 0.
    large = [len(shrunk(expressions(), lambda e: e(*e.at) > 100, seed)) for seed in range(3)]
    assert sorted(large)[1] < 100


@pytest.mark.slow
def test_a_shared_subexpression_shrinks_to_one_name():
    source = shrunk(
        expressions(), lambda e: any(slot >= len(e.names) and uses > 1 for slot, uses in counted(e))
    )
    assert re.search(r"    t1 = .{1,9}\n    return t1 [-+*/] t1\n", source)


@pytest.mark.slow
def test_a_failing_test_shows_a_program_with_the_definition_of_the_rows_you_added():
    define("crooked", "x * sigmoid(x)", ["sigmoid(x)"])
    define("doubly_crooked", "2 * crooked(x)", ["2 * sigmoid(x)"])

    @settings(database=None)
    @given(expressions(rows=(*DIFFERENTIABLE, "doubly_crooked")))
    def my_test(expression):
        assert "doubly_crooked" not in expression.operations

    with pytest.raises(AssertionError) as failure:
        my_test()
    shown = [line.strip() for line in "\n".join(failure.value.__notes__).splitlines()]
    for line in (
        "from micrograd import define",
        "crooked = define('crooked', 'x * sigmoid(x)', ['sigmoid(x)'])",
        "doubly_crooked = define('doubly_crooked', '2 * crooked(x)', ['2 * sigmoid(x)'])",
        "def f(x):",
        "return doubly_crooked(x)",
        "at = (0.0,)",
    ):
        assert line in shown


def test_a_row_that_is_defined_again_is_drawn_as_it_is_then():
    define("again", "x + 1", ["1"])
    strategy = expressions(rows=["again"])
    define("again", "sqrt(x)", ["0.5 / out"], domain="x > 0")
    assert all(
        min(slots(expression)) > 0 for expression in drawn(strategy, 50) if expression.at[0] > 0
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": ["no_such_row"]}, "no operation 'no_such_row' here; define it first"),
        ({"rows": ["detach"]}, "'detach' is not differentiable"),
        ({"rows": []}, "at least one row"),
        ({"max_operations": 0}, "max_operations must be 1 or more"),
        ({"variables": 0}, "at least one variable"),
        ({"variables": ["x", "x"]}, "each name once"),
        ({"variables": ["two words"]}, "cannot be the name"),
        ({"variables": ["lambda"]}, "cannot be the name"),
        ({"variables": ["exp"]}, "cannot be the name"),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        expressions(**arguments)


# ---------------------------------------------------------------------------------- networks


@pytest.mark.slow
@few
@given(networks(activations=["tanh", "relu"], max_layers=3))
def test_a_network_fits_its_data_and_its_source_makes_it_again(network):
    assert isinstance(network.model, MLP)
    assert len(network.inputs) == len(network.targets) >= 1
    names = {}
    exec(network.source, names)
    for x in network.inputs:
        assert network.model(x).data == names["model"](x).data
    assert (names["inputs"], names["targets"]) == (network.inputs, network.targets)


@few
@given(st.data())
def test_drawing_a_network_leaves_the_global_generator_as_it_was(data):
    state = random.getstate()
    data.draw(networks())
    assert random.getstate() == state


@pytest.mark.slow
def test_a_network_shrinks_to_one_neuron_and_shows_its_source():
    network = find(networks(), lambda network: True)
    assert str(network.model) == "MLP of [Layer of [LinearNeuron(1)]]"
    assert "model = MLP(1, [1], activation='relu')" in repr(network)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: expressions(rows=[]), "rows"),
        (lambda: expressions(rows=3), "rows"),
        (lambda: expressions(rows=["tanh", 3]), "got 3"),
        (lambda: expressions(variables=0), "at least one variable, got 0"),
        (lambda: expressions(variables=[]), "variables"),
        (lambda: expressions(max_operations=0), "max_operations must be 1 or more, got 0"),
        (lambda: expressions(max_operations=1.5), "1.5"),
        (lambda: networks(activations=[]), "activations"),
        (lambda: networks(max_width=0), "max_width must be 1 or more, got 0"),
    ],
    ids=range(9),
)
def test_options_of_strategies_that_make_no_sense_are_refused(make, said):
    with pytest.raises((TypeError, ValueError), match=said):
        make()


@few
@given(expressions(rows="tanh", variables="alpha"), networks(activations="sigmoid"))
def test_a_string_is_one_name(expression, network):
    assert expression.operations == ("tanh",)
    assert expression.names == ("alpha",)
    assert network.activation == "sigmoid"


def test_without_hypothesis_the_strategies_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "micrograd.testing.strategies")
    with pytest.raises(ImportError, match="strategies needs Hypothesis: pip install hypothesis"):
        import_module("micrograd.testing.strategies")
