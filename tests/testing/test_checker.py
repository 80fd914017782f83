"""The gradient checker: what it catches, whom it names, and when it keeps silent."""

from __future__ import annotations

import math
import pickle
import random
from itertools import count

import pytest

import micrograd
import nn
from micrograd import (
    Value,
    acos,
    atan2,
    cos,
    define,
    detach,
    erf,
    exp,
    expm1,
    hypot,
    log,
    log1p,
    maximum,
    minimum,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    step,
    tan,
    tanh,
    where,
)  # fmt: skip
from micrograd.ops import ROWS
from micrograd.testing import (
    GradientMismatch,
    check_gradients,
    check_grads,
    check_operation,
    gradient_checked,
)

BUILT_IN = [row.name for row in ROWS]


def mismatch(f, *at, **options) -> GradientMismatch:
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(f, *at, **options)
    return caught.value


def by_hand(name, value, slope, *, assign=False):
    """An operation of one operand in Karpathy's way."""

    def operation(x):
        out = Value(value(x.data), (x,), name)

        def backward():
            if assign:
                x.grad = slope(x.data, out.data) * out.grad
            else:
                x.grad += slope(x.data, out.data) * out.grad

        out._backward = backward
        return out

    return operation


# ------------------------------------------------------------- wrong rules from the field, planted

numbers = count()


def defined(formula, partial):
    return define(f"planted_{next(numbers)}", formula, [partial])


def digamma(x):
    """By recurrence and the asymptotic series."""
    total = 0.0
    while x < 30:
        total, x = total - 1 / x, x + 1
    square = 1 / (x * x)
    return total + math.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square / 252))


def trigamma(x):
    total = 0.0
    while x < 30:
        total, x = total + 1 / (x * x), x + 1
    s = 1 / (x * x)
    return total + 1 / x + s / 2 + s / x * (1 / 6 - s * (1 / 30 - s / 42))


def softsign_slope(x, out):
    return 0.0 if x == 0 else 1 / (1 + math.fabs(x)) ** 2


PLANTED = {
    "an abs whose gradient is 0": (
        ("abs(x)", "0"), (math.fabs, lambda x, out: 0.0), -1.5),
    "softsign'(0) = 0": (
        ("x / (1 + abs(x))", "where(abs(x) <= 0, 0, 1 / square(1 + abs(x)))"),
        (lambda x: x / (1 + math.fabs(x)), softsign_slope), 0.0),
    "log with an epsilon inside": (
        ("log(x + 1e-8)", "1 / x"),
        (lambda x: math.log(x + 1e-8), lambda x, out: 1 / x), 0.01),
    "a slope of 1e-5 replaced by 0": (
        ("log(x + 100000)", "0"),
        (lambda x: math.log(x + 100000), lambda x, out: 0.0), 2.0),
    "exp(x - 200) replaced by 0": (
        ("exp(x - 200)", "0"),
        (lambda x: math.exp(x - 200), lambda x, out: 0.0), 0.5),
    "a factor of 2": (
        ("tanh(x)", "2 * (1 - out * out)"),
        (math.tanh, lambda x, out: 2 * (1 - out * out)), 0.3),
    "a factor of 1 + 1e-6": (
        ("sin(x)", "1.000001 * cos(x)"),
        (math.sin, lambda x, out: 1.000001 * math.cos(x)), 0.3),
    "a sign": (
        ("cos(x)", "sin(x)"), (math.cos, lambda x, out: math.sin(x)), 0.3),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED)
def test_a_wrong_rule_from_the_field_is_caught_and_named_when_planted_by_define(fault):
    (formula, partial), _, at = PLANTED[fault]
    operation = defined(formula, partial)
    for f in (operation, lambda x: -2 * operation(x), lambda x: operation(x * 1.0).sin() * 1e3):
        error = mismatch(f, at)
        assert error.guilty == operation.__name__
        assert "its rule says" in str(error)


@pytest.mark.parametrize("fault", PLANTED)
def test_a_wrong_rule_from_the_field_is_caught_and_named_when_planted_as_a_closure(fault):
    _, (value, slope), at = PLANTED[fault]
    operation = by_hand("planted", value, slope)
    for f in (operation, lambda x: -2 * operation(x), lambda x: operation(x * 1.0) * 1e3):
        assert mismatch(f, at).guilty == "planted"


@pytest.mark.parametrize("x", [0.3, 2.0, 7.5])
def test_a_digamma_off_by_a_factor_of_2_is_caught_and_a_right_one_is_not(x):
    assert check_gradients(by_hand("digamma", digamma, lambda x, out: trigamma(x)), x)
    wrong = by_hand("digamma", digamma, lambda x, out: 2 * trigamma(x))
    error = mismatch(lambda x: wrong(x) + x, x)
    assert error.guilty == "digamma"
    # A value that is twice too large, by a difference that was divided by h and not by 2h.
    wrong = by_hand("digamma", lambda x: 2 * digamma(x), lambda x, out: trigamma(x))
    assert mismatch(wrong, x).guilty == "digamma"


@pytest.mark.parametrize("at", [-1.5, 0.7])
def test_a_backward_step_that_overwrites_is_caught_and_named(at):
    square = by_hand("square", lambda x: x * x, lambda x, out: 2 * x, assign=True)
    for f in (lambda x: square(x) + square(x), lambda x: x * square(x), square):
        error = mismatch(f, at)
        assert error.guilty == "square"
        assert "+=" in str(error)


def test_a_backward_step_that_forgets_the_gradient_of_its_result_is_caught_and_named():
    def forgetful(x):
        out = Value(2 * x.data, (x,), "double")

        def backward():
            x.grad += 2.0

        out._backward = backward
        return out

    error = mismatch(lambda x: forgetful(x) * 3, 1.0)
    assert error.guilty == "double"
    assert "out.grad" in str(error)


def test_local_grads_that_are_wrong_are_caught_and_named():
    def product(x, y):
        return Value(x.data * y.data, (x, y), "product", local_grads=(x.data, y.data))

    assert mismatch(lambda x, y: product(x, y) + 1, 2.0, 3.0).guilty == "product"


def test_a_wrong_closure_of_many_operands_is_caught_and_named():
    def total(*xs, factor):
        out = Value(sum(x.data for x in xs), xs, "total")

        def backward():
            for x in xs[:-1]:
                x.grad += out.grad
            xs[-1].grad += factor * out.grad

        out._backward = backward
        return out

    def f(x, y, z):
        return total(sin(x), y * y, z * x, factor=1.0) ** 2

    def g(x, y, z):
        return total(sin(x), y * y, z * x, factor=0.999) ** 2

    assert check_gradients(f, 0.5, 1.5, -2.0)
    assert mismatch(g, 0.5, 1.5, -2.0).guilty == "total"


@pytest.mark.parametrize("pass_", ["accumulation lost", "order of nodes wrong"])
def test_a_wrong_backward_pass_is_blamed_on_the_node_whose_sum_is_wrong(pass_):
    from micrograd.testing.power import PASSES

    backward, shared = PASSES[pass_]
    error = mismatch(shared(lambda x: (x * 2).sin()), 0.4, backward=backward)
    assert "accumulate" in str(error)
    assert error.guilty is not None


def test_the_first_wrong_operation_is_named_in_a_long_function():
    wrong = defined("x * x * x", "2.9 * x * x")

    def f(x, y):
        z = tanh(x * y) + exp(y)
        w = wrong(z)
        w.label = "w"
        return relu(w) + log(1 + w * w)

    error = mismatch(f, 0.5, -1.5)
    assert error.guilty == wrong.__name__
    assert error.label == "w"


# ------------------------------------------------------------------------------------ the message


def test_the_message_names_input_operation_label_line_numbers_and_a_reproduction():
    wrong = define("softsign_", "x / (1 + abs(x))", ["1 / (1 + abs(x))"])

    def loss(weights, bias):
        n = weights[1] * 2 + bias
        out = wrong(n)
        out.label = "out"
        return out * out

    error = mismatch(loss, [0.25, 0.5], 1.0)
    assert isinstance(error, AssertionError)
    assert error.input == "weights[1]"
    assert error.index == 1
    assert error.got == pytest.approx(4 / 3 * 2 / 3)
    assert error.expected == pytest.approx(4 / 9 * 2 / 3 * 1.0)
    assert 0 < error.bound < 1e-9
    assert error.witness == "forward" or error.witness in str(error)
    assert error.guilty == "softsign_"
    assert error.label == "out"
    assert error.line.text == "out = wrong(n)"
    assert error.line.file == __file__
    for text in ("d loss/dweights[1]", "softsign_", "'out'", "out = wrong(n)", "reproduce"):
        assert text in str(error)


def test_the_reproduction_runs_and_fails_in_the_same_way():
    operation = defined("expm1(x)", "x + 1")
    error = mismatch(lambda x: operation(x * 1.2345) + 2, 1.789)
    with pytest.raises(GradientMismatch) as again:
        exec(error.reproduction, {})
    assert again.value.guilty == error.guilty
    assert "1.0)" in error.reproduction  # simpler numbers fail too; 0 would not


def test_the_reproduction_of_a_closure_calls_the_function_at_simple_numbers():
    cube = by_hand("cube", lambda x: x**3, lambda x, out: 2 * x * x)

    def f(x):
        return cube(x) + 1

    error = mismatch(f, 1.2345)
    assert error.reproduction == "check_gradients(f, 1.0)"
    exec(error.reproduction.replace("check_gradients", "mismatch"), {"f": f, "mismatch": mismatch})


def test_a_function_that_depends_on_an_input_outside_its_graph_is_told_so():
    error = mismatch(lambda x: x * x.data, 3.0)
    assert "outside the recorded graph" in str(error)
    assert error.got == 3.0
    assert error.expected == pytest.approx(6.0)


def test_the_error_and_its_report_can_be_pickled():
    error = mismatch(lambda x: x * x.data, 3.0)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.expected == error.expected


def test_without_raise_exception_the_report_is_false_and_says_why():
    report = check_gradients(lambda x: x * x.data, 3.0, raise_exception=False)
    assert not report
    assert "WRONG" in str(report)
    assert "outside the recorded graph" in str(report)


# ------------------------------------------------------------------------------------- the report


def test_the_report_shows_every_witness_and_the_bound():
    report = check_gradients(lambda x, y: x * y / (1 + x * x), 0.5, -1.5)
    assert report
    for text in (
        "reverse",
        "forward",
        "difference",
        "complex step",
        "exact",
        "rounding",
        "order 2",
    ):
        assert text in str(report)
    assert [witness.silent for witness in report.witnesses] == [""] * 4
    assert all(bound < 1e-14 for bound in report.bounds)


def test_the_exact_witness_is_exact_and_the_reverse_mode_is_within_the_stated_rounding():
    report = check_gradients(lambda x: x**5 / 3 - x.square() / (1 + x), 0.1, modes=["exact"])
    (witness,) = report.witnesses
    from fractions import Fraction

    x = Fraction(0.1)
    slope = 5 * x**4 / 3 - (2 * x * (1 + x) - x**2) / (1 + x) ** 2
    assert witness.found[0].value == float(slope)
    assert math.fabs(report.gradient[0] - slope) <= report.bounds[0]


def test_witnesses_without_a_word_say_why():
    report = check_gradients(by_hand("sine", math.sin, lambda x, out: math.cos(x)), 0.5)
    silent = {witness.name: witness.silent for witness in report.witnesses if witness.silent}
    assert set(silent) == {"forward", "complex step", "exact"}
    assert "'sine' was made by hand" in silent["exact"]


def test_an_input_that_never_reaches_the_output_is_reported_and_is_no_failure():
    report = check_gradients(lambda x, y, z: x * y, 1.0, 2.0, 3.0)
    assert report
    assert "never reaches the output: z" in str(report)


def test_taylors_remainder_is_of_order_2_for_a_true_gradient_and_1_for_a_wrong_one():
    assert "order 2.0" in check_gradients(lambda x: sin(x), 0.5).taylor
    wrong = defined("sin(x)", "1.1 * cos(x)")
    assert "order 1.0" in check_gradients(wrong, 0.5, raise_exception=False).taylor
    assert "order 1.0" in str(mismatch(wrong, 0.5, modes=["taylor"]))


# ------------------------------------------------------------------------------------ what it takes


def test_inputs_may_be_nested_lists_tuples_and_dicts():
    def f(w, p):
        return w["a"][0] * w["a"][1] + sin(w["b"]) * p[0] - p[1][0]

    report = check_gradients(f, {"a": [1.0, 2.0], "b": 3}, (0.5, [1.5]))
    assert report.names == ["w['a'][0]", "w['a'][1]", "w['b']", "p[0]", "p[1][0]"]
    assert report.gradient == pytest.approx([2, 1, 0.5 * math.cos(3), math.sin(3), -1])


def test_values_may_be_given_as_inputs_and_stay_as_they_are():
    x = Value(0.5, label="alpha")
    x.grad = 7
    report = check_gradients(lambda x: x * x, x)
    assert report.names == ["alpha"]
    assert (x.data, x.grad) == (0.5, 7)


def test_every_output_is_checked():
    wrong = defined("x * x", "x")
    assert check_gradients(lambda x: [x * x, {"y": sin(x)}], 0.5)
    assert mismatch(lambda x: [x * x, wrong(x)], 0.5).guilty == wrong.__name__


@pytest.mark.parametrize("by", ["parameters", "module"])
def test_a_model_with_a_loss_is_checked_and_left_as_it_was(by):
    random.seed(1)
    model = nn.MLP(2, [4, 1])
    for parameter in model.parameters():
        parameter.grad = random.random()
    before = [(p.data.hex(), p.grad.hex()) for p in model.parameters()]

    def loss(scale=1.0):
        points = [([1.0, -2.0], 1.0), ([0.5, 0.25], -1.0)]
        return scale * sum((1 - y * model(x)).relu() for x, y in points)

    wrt = model if by == "module" else model.parameters()
    report = check_gradients(loss, 2.0, wrt=wrt)
    assert report
    assert len(report.gradient) == 17
    assert [(p.data.hex(), p.grad.hex()) for p in model.parameters()] == before


def test_a_wrong_activation_in_a_model_is_named():
    random.seed(1)
    wrong = defined("x / (1 + exp(-x))", "sigmoid(x)")
    model = nn.MLP(2, [3, 1], activation=wrong)
    error = mismatch(lambda: (model([1.0, -2.0]) - 1) ** 2, wrt=model)
    assert error.guilty == wrong.__name__
    assert error.input.startswith("parameters[")


@pytest.mark.parametrize("fault", [0.0, 1e-5])
def test_a_model_of_hundreds_of_parameters_is_checked_on_lines_and_then_one_by_one(fault):
    random.seed(3)
    wrong = defined("x + 0", f"1 + {fault!r}")
    model = nn.MLP(2, [16, 16, 1], activation="tanh")

    def loss():
        score = model([0.3, -0.7])
        return (wrong(model.layers[0].neurons[5].w[1]) + score) ** 2

    if not fault:
        report = check_gradients(loss, wrt=model)
        assert "moved together" in str(report)
    else:
        error = mismatch(loss, wrt=model)
        assert (error.guilty, error.input) == (wrong.__name__, "parameters[16]")


def test_what_a_function_closes_over_keeps_its_gradient():
    w = Value(3.0)
    w.grad = 0.25
    assert check_gradients(lambda x: x * w, 2.0)
    assert (w.data, w.grad) == (3.0, 0.25)


def test_a_user_may_bring_step_tolerances_and_modes():
    wrong = defined("x * x", "2.002 * x")
    assert mismatch(wrong, 1.0, modes=["fwd", "rev", "fd"], eps=1e-3).guilty == wrong.__name__
    assert check_gradients(wrong, 1.0, rtol=1e-2)
    assert check_gradients(wrong, 1.0, atol=1e-2)
    assert check_grads is check_gradients
    with pytest.raises(ValueError, match="unknown modes"):
        check_gradients(wrong, 1.0, modes=["magic"])
    with pytest.raises(ValueError, match="order"):
        check_gradients(wrong, 1.0, order=0)


# ------------------------------------------------------------------------------------ second order


def test_second_derivatives_are_checked_in_the_same_way():
    report = check_gradients(lambda x, y: tanh(x * y) * exp(y) + x**3, 0.5, -1.5, order=2)
    assert len(report.deeper) == 2
    assert "d f/dx" in str(report)


def test_a_rule_that_is_right_in_value_and_wrong_in_its_own_derivative_is_caught_at_order_2():
    detached = defined("x * x", "2 * detach(x)")
    assert check_gradients(detached, 1.5)
    second = mismatch(lambda x: detached(x) + x * cut(x), 1.5, order=2)
    assert second.report.function == "d f/dx"


def cut(x):
    """A value whose slope is right and whose second derivative is lost."""
    return Value(x.data**2, (x,), "cut", local_grads=(2 * x.data,))


def test_third_derivatives_are_checked_too():
    assert check_gradients(lambda x: sin(x) * exp(x), 0.7, order=3)


# ------------------------------------------------------------ determinism, purity, nan and infinity


def test_a_function_that_is_not_deterministic_is_caught():
    numbers = count()
    assert "not deterministic" in str(mismatch(lambda x: x + next(numbers), 1.0))


def test_a_backward_pass_that_is_not_deterministic_is_caught():
    numbers = count(1)
    noisy = by_hand("noisy", lambda x: x, lambda x, out: 1 + next(numbers) * 1e-9)
    assert "deterministic" in str(mismatch(noisy, 1.0))


def test_a_function_that_changes_what_it_closes_over_is_caught():
    w = Value(1.0)

    def f(x):
        w.data += 1.0
        return x * 2 + w * 0

    assert "pure" in str(mismatch(f, 1.0))


def test_a_function_that_changes_its_arguments_is_caught():
    w, cache = Value(1.0), [1.0]

    def f(cache):
        cache[0] += 1.0
        return w * 2

    assert "pure" in str(mismatch(f, cache, wrt=[w]))


def test_a_gradient_that_is_nan_where_the_function_is_smooth_is_caught_and_named():
    nan = defined("x * x", "2 * x * (x - x) / (x - x)")
    error = mismatch(lambda x: nan(x) + 1, 1.5)
    assert error.guilty == nan.__name__
    assert math.isnan(error.got)


def test_a_gradient_that_is_infinite_where_the_function_is_smooth_is_caught_and_named():
    infinite = defined("x * x", "1 / (x - x)")
    error = mismatch(lambda x: infinite(x) * -2, 1.5)
    assert error.guilty == infinite.__name__
    assert error.got == -math.inf


def test_a_gradient_that_is_nan_outside_the_domain_of_a_rule_is_noted():
    report = check_gradients(lambda x: sqrt(x * x), 0.0)
    assert "nan, for sqrt(0.0) has no derivative" in str(report)


@pytest.mark.parametrize(
    ("f", "x"),
    [(log, -1.0), (log, 0.0), (exp, 1000.0), (sqrt, -1.0), (acos, 2.0), (lambda x: 1 / x, 0.0)],
)
def test_a_value_that_is_no_number_has_no_derivative_to_compare(f, x):
    report = check_gradients(f, x)
    assert "no derivative to compare" in str(report)


# ------------------------------------------------------------------------------- no false alarms


RIGHT = {
    "relu at its kink": (relu, 0.0),
    "abs at its kink": (micrograd.abs, 0.0),
    "sign and step at their jump": (lambda x: sign(x) + step(x), 0.0),
    "a tie of maximum": (maximum, 2.0, 2.0),
    "a tie of minimum, three times": (lambda x, y, z: minimum(minimum(x, y), z), 1.0, 1.0, 1.0),
    "a tie with itself": (lambda x: maximum(x, x), 1.5),
    "two kinks that cancel": (lambda x: relu(x) - relu(-x), 0.0),
    "abs as two relus": (lambda x: relu(x) + relu(-x), 0.0),
    "a kink behind a kink": (lambda x: relu(abs(x) - 1), 1.0),
    "a kink 1e-9 away": (lambda x: relu(x) + x, 1e-9),
    "a kink one unit in the last place away": (lambda x: abs(x - 1), 1 + 2.0**-52),
    "Python's max": (lambda x, y: max(x, y) * 2, 1.0, 1.0),
    "a branch in Python": (lambda x: x * 2 if x.data > 0 else x * 3, 0.0),
    "the origin of hypot": (hypot, 0.0, 0.0),
    "the origin of atan2": (atan2, 0.0, 0.0),
    "the cut of atan2": (atan2, 0.0, -1.0),
    "the border of sqrt": (sqrt, 0.0),
    "a power at 0": (lambda x: x**0.5, 0.0),
    "0 to the 0": (micrograd.pow, 0.0, 0.0),
    "a negative base": (lambda x: x**3, -2.0),
    "where on either side": (lambda x: where(x > 0, log(x), 0), 0.0),
    "softplus at 0": (softplus, 0.0),
    "steep": (lambda x: sin(1e6 * x), 0.3),
    "steep at 0": (lambda x: tanh(1e8 * x), 0.0),
    "steeper": (lambda x: exp(100 * x) * sin(1e5 * x), 0.7),
    "flat": (lambda x: x**21, 1e-3),
    "very flat": (lambda x: exp(-1 / (x * x)), 0.05),
    "saturated": (lambda x: sigmoid(x) + tanh(x) + erf(x), 40.0),
    "huge": (lambda x: x * 2 + 1, 1e200),
    "huge and curved": (lambda x: log(x) + sqrt(x), 1e200),
    "huge and unresolved": (lambda x: sin(x), 1e200),
    "large and hardly resolved": (lambda x: sin(x) * cos(x), 1e15),
    "tiny": (lambda x: sin(x) + x, 1e-200),
    "tiny under a logarithm": (log, 1e-200),
    "tiny beside 1": (lambda x: (1 + x) * (1 + x), 1e-200),
    "a local slope that overflows": (lambda x: sqrt(1 / x), 1e-200),
    "a feature of the size 1e-200 at 0": (lambda x: atan2(1e-200, x), 0.0),
    "a pole 1e-200 away": (lambda x: 1e-200 / x, 1e-200),
    "subnormal": (lambda x: x * 3, 5e-324),
    "huge times tiny": (lambda x, y: x * y, 1e200, 1e-200),
    "cancellation": (lambda x: (x + 1e8) - 1e8 + x, 0.1),
    "catastrophic cancellation": (lambda x: (1 - cos(x)) / (x * x), 1e-5),
    "a cancelled slope": (lambda x: (x - 1) * (x - 1) - x * x + 2 * x, 1e6),
    "expm1 and log1p near 0": (lambda x: log1p(expm1(x)), 1e-12),
    "linear": (lambda x, y: 3 * x - y / 7, 0.1, 0.3),
    "a constant": (lambda x: Value(3.0), 1.0),
    "a plain number": (lambda x: 3.0, 1.0),
    "the input itself": (lambda x: x, 1.0),
    "x - x": (lambda x: x - x, 1e9),
    "0 times x": (lambda x: 0 * x, 1e9),
    "detached": (lambda x: x * detach(x) + sin(x), 1.3),
    "an even function at 0": (cos, 0.0),
    "periodic with the step": (lambda x: sin(2 * math.pi * 16 * x), 0.25),
    "periodic with every step": (lambda x: sin(2 * math.pi * 2**20 * x), 0.25),
    "the pole of tan nearby": (tan, math.pi / 2 - 1e-7),
    "an integer": (lambda x: x * x, 3),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_function_passes(case):
    f, *at = RIGHT[case]
    assert check_gradients(f, *at)


@pytest.mark.parametrize("case", ["relu at its kink", "a tie of maximum"])
def test_at_a_kink_the_report_gives_the_derivatives_from_both_sides(case):
    f, *at = RIGHT[case]
    assert "lies between" in str(check_gradients(f, *at))


def test_a_wrong_slope_at_a_kink_is_still_caught():
    wrong = defined("where(x <= 0, 0, x)", "where(x <= 0, 2, 1)")
    assert mismatch(lambda x: wrong(x) * 3, 0.0).guilty == wrong.__name__


@pytest.mark.parametrize("x", [0.0, -0.5, 3.0])
def test_a_right_closure_with_a_kink_passes_where_nothing_shows_the_kink(x):
    leaky = by_hand(
        "leaky",
        lambda x: max(x, 0.1 * x),
        lambda x, out: 1.0 if x > 0 else 0.1,
    )
    assert check_gradients(lambda x: leaky(x) * 2, x)


def test_a_row_of_a_user_that_is_right_passes_with_and_without_its_columns():
    swish = define("swish_", "x * sigmoid(x)", ["sigmoid(x) + out * (1 - sigmoid(x))"])
    for x in (-1000.0, -2.0, 0.0, 0.3, 1000.0):
        assert check_gradients(lambda x: swish(x) * 2, x, order=2)


def test_a_chain_of_ten_thousand_operations_is_checked():
    def f(x):
        for _ in range(10_000):
            x = x * 1.0001
        return x

    assert check_gradients(f, 1.5)


# ------------------------------------------------------------------------------- random expressions

OPERATIONS = [name for name in BUILT_IN if name != "detach"]
SPECIAL = (0.0, 1.0, -1.0, 2.0, 0.5, 1e-200, 1e200, -1e200, 1e-9, 1e6, -3.0, 1e15, 100.0, -30.0)


def random_expression(seed):
    """A function with shared subexpressions, a point for it, and its text."""
    from micrograd import functions
    from micrograd.ops import TABLE

    rng = random.Random(seed)
    inputs, steps = rng.randint(1, 3), []
    for k in range(rng.randint(1, 9)):
        name = rng.choice(BUILT_IN)
        operands = [
            rng.choice((*SPECIAL[:5], rng.uniform(-3, 3)))
            if index and rng.random() < 0.3
            else rng.randrange(inputs + k)
            for index in range(TABLE[name].arity)
        ]
        steps.append((name, operands))

    def f(*xs):
        values = list(xs)
        for name, operands in steps:
            arguments = (values[x] if type(x) is int else x for x in operands)
            values.append(getattr(functions, name)(*arguments))
        return values[-1]

    def number():
        return rng.choice((rng.choice(SPECIAL), rng.uniform(-3, 3), float(rng.randint(-3, 3))))

    return f, [number() for _ in range(inputs)], steps


@pytest.mark.parametrize("block", range(10))
def test_two_thousand_random_expressions_pass(block):
    for seed in range(200 * block, 200 * (block + 1)):
        f, point, steps = random_expression(seed)
        report = check_gradients(f, *point, raise_exception=False)
        assert report, f"seed {seed}: {steps} at {point}\n{report}"


@pytest.mark.parametrize("block", range(4))
def test_second_derivatives_of_two_hundred_random_expressions_pass(block):
    for seed in range(50 * block, 50 * (block + 1)):
        f, point, steps = random_expression(seed)
        report = check_gradients(f, *point, order=2, raise_exception=False)
        assert report, f"seed {seed}: {steps} at {point}\n{report}"


# ------------------------------------------------------------------------------------- one-liners


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_row_of_the_table_passes_at_points_of_its_domain(name):
    assert check_operation(name)


def test_check_operation_takes_what_define_returned_and_names_a_wrong_row():
    assert check_operation(define("cube_", "x * x * x", ["3 * x * x"]))
    with pytest.raises(GradientMismatch, match="cube_"):
        check_operation(define("cube_", "x * x * x", ["3 * x"]))
    with pytest.raises(KeyError):
        check_operation("no_such_row")


def test_the_decorator_makes_a_function_a_test():
    @gradient_checked(0.5, -1.0, 3, order=2)
    def swish(x):
        return x * sigmoid(x)

    assert swish() is None
    assert swish.__name__ == "swish"

    @gradient_checked((0.5, 2.0))
    def wrong(x, y):
        return x * y.data

    with pytest.raises(GradientMismatch):
        wrong()
    with pytest.raises(ValueError, match="points"):
        gradient_checked()


@gradient_checked(0.5, (2.0,))
def test_the_decorator_is_understood_by_pytest(x):
    return x * tanh(x)
