"""What the gradient checker catches, and whom it names."""

from __future__ import annotations

import math
import pickle
from itertools import count

import pytest

from micrograd import Value, acos, define, exp, log, relu, sin, sqrt, tanh
from micrograd.testing import GradientMismatch, check_gradients
from tests.testing.common import by_hand, defined, mismatch

# -------------------------------------------------------------- wrong rules from the field, planted


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


@pytest.mark.slow
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


@pytest.mark.slow
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
    from micrograd.testing.mutation import PASSES

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


# -------------------------------------------------------------------------------------- the message


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


def test_a_backward_step_that_changes_the_number_of_an_input_is_caught():
    def square(x):
        out = Value(x.data**2, (x,), "square")

        def backward():
            x.grad += 2 * x.data * out.grad
            x.data *= 1.5  # the gradient is right, and the next one is not

        out._backward = backward
        return out

    assert "changes its inputs" in str(mismatch(lambda x: square(x) * x, 0.7))


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


def test_a_gradient_that_is_infinite_at_the_border_of_a_domain_is_undecided():
    report = check_gradients(lambda x: sqrt(x), 0.0)
    assert report.is_undecided
    assert "inf, because sqrt(0.0) has no derivative" in str(report)


@pytest.mark.parametrize(
    ("f", "x"),
    [(log, -1.0), (log, 0.0), (exp, 1000.0), (sqrt, -1.0), (acos, 2.0), (lambda x: 1 / x, 0.0)],
)
def test_a_value_that_is_no_number_has_no_derivative_to_compare(f, x):
    report = check_gradients(f, x)
    assert report.is_undecided
    assert "no derivative to compare" in str(report)
