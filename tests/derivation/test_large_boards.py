"""Boards of large graphs: sums as Σ, recursions as one line, and work that grows as the graph."""

from itertools import pairwise

import pytest

from micrograd import Value, explain, logsumexp
from micrograd.engine.functions import (
    clip,
    cos,
    eq,
    exp,
    log,
    maximum,
    ne,
    relu,
    sigmoid,
    sin,
    sqrt,
    where,
)
from micrograd.writing.labels import columns
from tests.counting import calls


def series(name, count):
    return [Value(0.5 + 0.001 * i, label=f"{name}_{i + 1}") for i in range(count)]


def squares(n):
    w, b = Value(0.5, label="w"), Value(0.1, label="b")
    pairs = zip(series("x", n), series("y", n), strict=True)
    return sum((w * x + b - y) ** 2 for x, y in pairs) / n, w


def log_losses(n):
    w, b = Value(0.5, label="w"), Value(0.1, label="b")
    loss = 0.0
    for x, y in zip(series("x", n), series("y", n), strict=True):
        p = sigmoid(w * x + b)
        loss = loss - (y * log(p) + (1 - y) * log(1 - p))
    return loss / n, w


def variance(n):
    xs = series("x", n)
    mean = sum(xs) / n
    return sum((x - mean) ** 2 for x in xs) / n, xs[3]


def standardized(n):
    xs = series("x", n)
    mean = sum(xs) / n
    return (xs[0] - mean) / sqrt(sum((x - mean) ** 2 for x in xs) / n), xs[3]


def hinge(n):
    w = Value(0.5, label="w")
    pairs = zip(series("x", n), series("y", n), strict=True)
    return sum(relu(2 - y * (w * x)) for x, y in pairs), w


def softmax(n):
    scores = series("z", n)
    exponentials = [exp(z) for z in scores]
    return -log(exponentials[3] / sum(exponentials)), scores[3]


def log_of_exponentials(n):
    scores = series("z", n)
    return logsumexp(scores), scores[3]


def recursion(n):
    w, h = Value(0.5, label="w"), Value(0.3, label="h")
    for x in series("x", n):
        h = (w * h + x).tanh()
    return h, w


def fraction(n):
    x = y = Value(2.0, label="x")
    for _ in range(n):
        y = x + 1 / y
    return y, x


def fibonacci(n):
    first = before = Value(0.1, label="a")
    last = Value(0.2, label="b")
    for _ in range(n):
        before, last = last, (before + last) * 0.5
    return last, first


KINDS = [
    squares,
    log_losses,
    variance,
    standardized,
    hinge,
    softmax,
    log_of_exponentials,
    recursion,
    fraction,
    fibonacci,
]


def board(graph, **options):
    return explain(*graph, style="board", **options).text()


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, pytest.param(40, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_work_grows_as_the_graph_does(kind, count):
    # Twice as much for twice the values; it would be four times if each looked at all others.
    few, many = (calls(lambda n=n: board(kind(n))) for n in (count, 2 * count))
    assert many < 3 * few


@pytest.mark.slow
def test_a_long_sum_is_one_formula_with_sigma():
    assert board(squares(200)).startswith("let v₁ = (1/200) Σᵢ₌₁²⁰⁰ (w·xᵢ + b − yᵢ)²\n")
    assert "= (1/100) Σᵢ₌₁²⁰⁰ (w·xᵢ + b − yᵢ)·xᵢ\n" in board(squares(200))


def test_a_sum_that_all_terms_use_gets_a_name():
    assert board(variance(50)).startswith(
        "let v₁ = (1/50) Σᵢ₌₁⁵⁰ xᵢ,  v₂ = (1/50) Σᵢ₌₁⁵⁰ (xᵢ − v₁)²\n"
    )


def test_many_steps_of_a_kind_have_successive_numbers():
    text = board(hinge(50))
    assert "vᵢ = 2 − yᵢ·w·xᵢ  (i = 1, …, 50),  vᵢ = max(0, vᵢ₋₅₀)  (i = 51, …, 100)," in text
    assert "v₁₀₁ = Σᵢ₌₅₁¹⁰⁰ vᵢ" in text
    assert text.rstrip().endswith("numbers take: vᵢ > 0  (i = 1, …, 50).")


def test_a_recursion_is_one_line_however_its_steps_are_nested():
    assert "vᵢ = x + 1/(x + 1/(x + 1/(x + 1/(x + 1/vᵢ₋₁))))  (i = 2, …, 12)" in board(fraction(60))
    x = y = Value(0.5, label="x")
    for _ in range(60):
        y = 2.0 * y.sin()
    assert "vᵢ = sin(2vᵢ₋₁)" in board((y, x))


def test_a_formula_that_is_used_again_and_again_is_not_copied_each_time():
    assert board(fibonacci(6)).startswith(
        "let v₁ = 0.5(b + 0.5(a + b)),  v₂ = 0.5(0.5(a + b) + v₁)"
    )


def test_digits_are_indices_of_their_own_only_if_no_name_has_fewer_or_more():
    w = {f"w_{{{i}2}}": Value(1.0 + i, label=f"w_{{{i}2}}") for i in range(1, 6)}
    assert "Σᵢ₌₁⁵ wᵢ₂²" in board((sum(x * x for x in w.values()), None), numbers=False)
    several = [Value(1.0 + i, label=f"x_{i}") for i in range(1, 26)]
    total = sum(x * x for x in (several[1], several[11], several[21])) + several[0]
    assert "ᵢ" not in board((total, several[1]))


def test_neighbours_are_a_sum_over_an_index_past_ten():
    x = [Value(0.1 * i, label=f"x_{i}") for i in range(1, 21)]
    y = [Value(0.3 * i, label=f"y_{i}") for i in range(2, 13)]
    neighbours = sum(a * b for a, b in pairwise(x[7:]))
    assert explain(neighbours, x[10], style="board").text().startswith("let v₁ = Σᵢ₌₈¹⁹ xᵢxᵢ₊₁\n")
    shifted = sum(a * b for a, b in zip(x, y, strict=False))
    assert explain(shifted, x[0], style="board").text().startswith("let v₁ = Σᵢ₌₁¹¹ xᵢyᵢ₊₁\n")


@pytest.mark.slow
def test_lines_are_broken_within_roots_sizes_powers_denominators_and_choices():
    names = "x", "y", "a", "b", "c", "k"
    x, y, a, b, c, k = (Value(0.5 + i, label=name) for i, name in enumerate(names))
    long = a * x + b * y + c * k
    fraction = x
    for _ in range(5):
        fraction = x + 1 / fraction
    formulas = (
        sqrt((long + 1) * (long - 1) * (long + 2)),
        abs(long + k * y + b * c + 1) + 1,
        (long + k * y + b * c + 1) ** 3,
        fraction,
        sqrt(long) / (sqrt(long + 1) + sqrt(long + 2) + long),
        where(long > k * y, long * sin(x + y), cos(x * b)),
    )
    for formula in formulas:
        for numbers in (True, False):
            text = board((formula, x), width=40, numbers=numbers)
            assert all(columns(line) <= 40 for line in text.split("\n")), text


def test_a_root_on_several_lines_is_a_power_in_every_format():
    a, b, c = (Value(0.5 + 0.1 * i, label=name) for i, name in enumerate("abc"))
    area = sqrt((a + b + c) * (a + b - c) * (a - b + c) * (b + c - a))
    shown = explain(area, a, style="board", width=40)
    assert "(b + c − a))^(1/2)" in shown.text()
    assert r")^{\frac{1}{2}}" in shown.latex()
    power = '<msup><mo stretchy="false">)</mo><mfrac><mn>1</mn><mn>2</mn></mfrac></msup>'
    assert power in shown.html()


def test_names_do_not_hide_that_two_numbers_are_always_equal():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    first, second = x + y, y + x
    first.label, second.label = "a", "b"
    for output in (
        maximum(x, x),
        maximum(x + y, y + x),
        maximum(first, y + x),
        maximum(first, second),
    ):
        text = board((output, x), numbers=False)
        assert text.rstrip().endswith("= 1")  # and no condition that is never true
    limited = clip(x, 0, 1)
    limited.label = "c"
    assert "[x = c]" in board((maximum(x, limited), x), numbers=False)


def test_a_partial_in_which_the_result_cancels_is_written_without_it():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    f = x**y / x ** (y - 1)
    f.label = "f"
    assert "∂f/∂y = 0" in board((f, y))
    assert "∂f/∂y = 0" in board((f, y), numbers=False)
    assert "∂f/∂x = 1" in board((f, x))


def test_only_the_derivative_of_a_quotient_of_polynomials_is_written_without_its_name():
    a, k, x = (Value(0.5 + i, label=name) for i, name in enumerate("akx"))
    for f, expected in (
        (x / (1 + x**2), "∂f/∂x = (1 − x²)/(1 + x²)²"),
        (a * x / (k + x), "∂f/∂x = a·k/(k + x)²"),
        (a * x / (a + x), "∂f/∂x = a²/(a + x)²"),
        (x**x, "∂f/∂x = f(1 + ln(x))"),
    ):
        f.label = "f"
        assert expected in board((f, x), numbers=False)


def test_a_definition_with_a_rounded_number_is_no_equation():
    x = Value(1.3, label="x")
    assert board(((0.859312345 + x) / 7, x)).startswith("let v₁ ≈ (0.8593 + x)/7\n")
    assert board(((0.5 + x) / 7, x)).startswith("let v₁ = (0.5 + x)/7\n")


def test_a_condition_on_a_function_is_stated_like_one_on_a_variable():
    x, y = Value(1.3, label="x"), Value(0.2, label="y")
    assert "This holds where x² ≠ exp(y)." in board((maximum(x * x, exp(y)), x), numbers=False)
    assert "numbers take: sin(x) > y." in board((maximum(sin(x), y), x))


@pytest.mark.parametrize("numbers", [True, False])
def test_a_comparison_of_a_formula_with_itself_chooses_one_branch(numbers):
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    left, right = x + y, y + x
    left.label = "a"
    holds = [left >= right, left <= right, eq(left, right)]
    fails = [left > right, left < right, ne(left, right)]
    for chosen in [
        *(where(each, 2 * x, y) for each in holds),
        *(where(each, y, 2 * x) for each in fails),
    ]:
        assert board((chosen, x), numbers=numbers).rstrip().endswith("= 2")
