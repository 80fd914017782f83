"""What the checker says of a mistake in a backward pass is true, in both languages."""

from __future__ import annotations

import re

import numpy as np
import pytest

from micrograd.testing import GradientMismatch, check_gradients
from micrograd.writing.messages import message
from tests.testing.layers import softmax

N = np.random.default_rng(3).standard_normal
X, W, B, C, SQUARE = N((4, 5)), N((5, 3)), N(3), N((4, 5)), N((5, 5))
P, NORM = softmax(X), np.sqrt((X * X).sum(axis=1, keepdims=True))
ORDER = np.array([3, 0, 4, 1, 2])


def cumsum(x):
    return np.cumsum(x, axis=1)


def cumsum_backward(dout):
    return np.cumsum(dout[:, ::-1], axis=1)[:, ::-1]


def sine(x):
    return np.sin(x @ W)


def sine_backward(dout):
    return (dout * np.cos(X @ W)) @ W.T


def doubled(x):
    return np.hstack([x, x @ W])


def doubled_backward(dout):
    return dout[:, :5] + dout[:, 5:] @ W.T


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gate(x):
    return C * sigmoid(x)


def gate_backward(dout):
    return dout * C * sigmoid(X) * (1 - sigmoid(X))


def swap(x):
    return x[:, ORDER] * C


def unit(x):
    return x / np.sqrt((x * x).sum(axis=1, keepdims=True))


# What is said of dx, a function, and its wrong backward pass at X.
MISTAKES = [
    ("the contribution of index 2 of axis 1 of the result is missing",
        cumsum, lambda d: cumsum_backward(d * (np.arange(5) != 2))),
    ("it is the Jacobian times dout: is its transpose needed?", cumsum, cumsum),
    ("it is the gradient for dout reversed along axis 1",
        sine, lambda d: sine_backward(d[:, ::-1])),
    ("it is the gradient for dout shifted by 1 along axis 0: is an index or a step wrong?",
        sine, lambda d: sine_backward(np.roll(d, 1, axis=0))),
    ("it is the gradient for dout shifted by 2 along axis 1: is an index or a step wrong?",
        doubled, lambda d: doubled_backward(np.roll(d, 2, axis=1))),
    ("it is the gradient for dout transposed", lambda x: x @ C.T, lambda d: d.T @ C),
    ("the path through the sum of a softmax over axis 1 is missing or wrong",
        softmax, lambda d: d * P),
    ("the path through the sum of a softmax over axis 1 is missing or wrong",
        softmax, lambda d: P * (d - (d * P).mean(axis=1, keepdims=True))),
    ("the derivative of sigmoid is missing", gate, lambda d: d * C),
    ("the derivative of sigmoid is a factor too many",
        gate, lambda d: gate_backward(d) * sigmoid(X) * (1 - sigmoid(X))),
    ("it has the digits of single precision only: is a type of numbers wrong?",
        sine, lambda d: sine_backward(d).astype(np.float32)),
    ("it has the digits of half precision only: is a type of numbers wrong?",
        sine, lambda d: sine_backward(d).astype(np.float16)),
    ("every entry is a whole number: is it stored in an array of integers?",
        sine, lambda d: sine_backward(d).astype(int)),
    ("it has the right numbers in another order along axis 1: is an index wrong?",
        swap, lambda d: d * C),
    ("the derivatives sum to 0 over axis 1, and these do not: is the path through a mean or a softmax over it wrong?",  # noqa: E501
        softmax, lambda d: P * (d - (d * P).sum(axis=0))),
    ("the derivatives times the variable sum to 0 over axis 1, and these do not: is the path through a norm over it wrong?",  # noqa: E501
        unit, lambda d: (d - X / NORM * (d * X / NORM)) / NORM),
]  # fmt: skip


def suspicions(f, *at, vjp) -> list[str]:
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(f, *at, vjp=vjp)
    for text in caught.value.report.suspicions:  # in Chinese, too, but for names and code
        assert not re.search("[a-z]{2,} [a-z]{2,}", message(f"suspicion: {text}", "zh")), text
    return caught.value.report.suspicions


@pytest.mark.parametrize(("words", "f", "vjp"), MISTAKES, ids=[words for words, *_ in MISTAKES])
def test_a_mistake_is_named(words, f, vjp):
    assert suspicions(f, X, vjp=vjp)[0].partition(": ")[2] == words


def test_a_mask_that_is_inverted_is_named_whatever_it_is_multiplied_by():
    mask = C > 0
    found = suspicions(
        lambda x, mask: x * mask / 0.6, X, mask, vjp=lambda d: (d * ~mask / 0.6, None)
    )
    assert found == ["dx: it is the gradient for 1 - mask: is the mask inverted?"]
    # A mask that is no argument is known by its zeros alone.
    found = suspicions(lambda x: x * mask * 2, X, vjp=lambda d: d * ~mask * 2)
    assert found == [
        "dx: it is 0 only where the derivative is not: is a mask or a condition inverted?"
    ]


def recurrent_suspicions(written, mistaken):
    """What is said of a recurrent layer of four steps with one mistake in its backward pass."""
    x, h0, W, U, b = N((2, 4, 3)), N((2, 4)), N((3, 4)), N((4, 4)) / 2, N(4)

    def states(x, h0, W, U, b):
        made = [h0]
        for t in range(4):
            made.append(np.tanh(x[:, t] @ W + made[-1] @ U + b))
        return np.stack(made[1:], axis=1), made

    source = """
def backward(dout, made):
    dh = np.zeros_like(h0)
    dx, dW, dU, db = (np.zeros_like(each) for each in (x, W, U, b))
    for t in reversed(range(4)):
        dh += dout[:, t]
        dz = dh * (1 - made[t + 1] ** 2)
        dx[:, t] = dz @ W.T
        dW += x[:, t].T @ dz
        dU += made[t].T @ dz
        db += dz.sum(axis=0)
        dh = dz @ U.T
    return dx, dh, dW, dU, db
"""
    assert written in source
    known = {"np": np, "x": x, "h0": h0, "W": W, "U": U, "b": b}
    exec(source.replace(written, mistaken), known)
    return suspicions(states, x, h0, W, U, b, vjp=known["backward"])


def test_a_state_whose_contribution_is_the_last_to_be_stored_is_named():
    """With several steps, = in place of += keeps what the first state contributes."""
    assert recurrent_suspicions("dU += ", "dU = ") == [
        "dU: only the contribution of h0 is there: is it = where += is needed?"
    ]


@pytest.mark.parametrize(
    ("written", "mistaken", "words"),
    [
        (
            "made[t].T",
            "made[t + 1].T",
            "dU: {}: what is multiplied by U is wrong, and the gradient",
        ),
        (
            "x[:, t].T",
            "x[:, t - 1].T",
            "dW: {}: what is multiplied by W is wrong, and the gradient",
        ),
        ("dz.sum", "dh.sum", "db: {}: it is computed from dout itself"),
    ],
)
def test_a_step_that_uses_an_array_of_another_step_is_named(written, mistaken, words):
    """The first step tells, whose state is an argument, by its own dout."""
    (said,) = recurrent_suspicions(written, mistaken)
    assert said.startswith(words.format("already at index 0 of axis 1 of the result"))


def test_a_pooling_that_gives_every_entry_its_share_lacks_a_mask():
    def pooled(x):
        if np.iscomplexobj(x):
            raise TypeError
        return x.reshape(2, 2, 2, 5).max(axis=(1, 2))

    (found,) = suspicions(pooled, N((8, 5)), vjp=lambda d: np.repeat(d, 4, axis=0) / 4)
    assert found.endswith("condition forgotten? Elsewhere it is 0.25 times the derivative")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_operand_without_a_gradient_shows_the_gradient_of_its_product(dtype):
    x, weight, bias = (part.astype(dtype) for part in (X, W, B))

    def vjp(d):
        return None, x.T @ d, (d * (1 - np.tanh(x @ weight + bias) ** 2)).sum(axis=0)

    found = suspicions(lambda x, W, b: np.tanh(x @ W + b), x, weight, bias, vjp=vjp)
    assert found == ["dW: in the gradient of x @ W + b: the derivative of tanh is missing"]


def test_a_backward_pass_that_does_not_take_one_sample_is_no_error():
    def vjp(d):
        if not d.all():
            raise RuntimeError("a sample has no gradient")
        return X.T @ (d * np.exp(X @ W))

    assert suspicions(lambda W: np.tanh(X @ W), W, vjp=vjp) == []


def test_what_must_be_so_is_no_pattern():
    """A single entry of a slice is a multiple of any number, and rows of zeros are never wrong."""
    noise, words = 1 + N((6, 4)) / 3, np.array([1, 4, 4, 0])
    mask, table = np.zeros((6, 4)), N((6, 4))
    mask[[0, 1, 3, 5], [0, 1, 2, 3]] = 1

    def looked_up(d):
        made = np.zeros_like(table)
        np.add.at(made, words, d)
        return made * noise, None

    assert suspicions(lambda x: x * mask, table, vjp=lambda d: d * mask * noise) == []
    assert suspicions(lambda E, words: E[words], table, words, vjp=looked_up) == []


def test_labels_that_are_inverted_are_named():
    labels = np.array([1.0, 0, 0, 1])

    def loss(z, y):
        return -(y * np.log(sigmoid(z)) + (1 - y) * np.log(1 - sigmoid(z)))

    found = suspicions(
        loss, X[:, 0], labels, vjp=lambda d: (d * (sigmoid(X[:, 0]) - 1 + labels), None)
    )
    assert found == ["dz: it is the gradient with 1 - y in the place of y: is it inverted?"]


def test_a_sum_of_dout_over_the_wrong_axis_is_named():
    bias = N(3)
    found = suspicions(
        lambda x, b: x.sum() * 0 + np.ones((3, 4, 3)) * b, X, bias,
        vjp=lambda d: (None, d.sum(axis=(1, 2))),
    )  # fmt: skip
    assert found == ["db: it is dout summed over axis 1 and 2"]


def test_a_product_with_a_matrix_in_place_of_its_transpose_is_named():
    words = "it is multiplied by W where its transpose is needed, or the other way round"
    dz = np.cos(X @ SQUARE)
    found = suspicions(
        lambda x, W: np.sin(x @ W), X, SQUARE, vjp=lambda d: ((d * dz) @ SQUARE, X.T @ (d * dz))
    )
    assert found == [f"dx: {words}"]


def test_the_kernel_of_a_convolution_along_one_axis_is_reversed():
    def convolved(x, w):
        return sum(x[:, k : k + 3] @ w[:, :, k] for k in range(3))

    def vjp(d):
        dx = np.zeros_like(X)
        for k in range(3):
            dx[:, k : k + 3] += d @ kernel[:, :, 2 - k].T
        return dx, None

    kernel = N((3, 2, 3))
    assert suspicions(convolved, X, kernel, vjp=vjp) == [
        "dx: it is the gradient with the last axis of w reversed"
    ]


@pytest.mark.parametrize("shape", [(5, 3), (5, 7)], ids=["narrow", "wide"])
def test_the_bias_of_a_dense_layer_is_part_of_the_operand(shape):
    weight, bias = N(shape), N(shape[1])
    h = np.tanh(X @ weight + bias)

    def vjp(d):
        da = d * (1 - h)
        return da @ weight.T, X.T @ da, da.sum(axis=0)

    assert suspicions(lambda x, W, b: np.tanh(x @ W + b), X, weight, bias, vjp=vjp)[0] == (
        "dx: in the gradient of x @ W + b: it fits tanh with the derivative 1 - tanh(x) in place"
        " of 1 - tanh(x)**2"
    )


# ---------------------------------------------------------------------------- what must not be said


@pytest.mark.slow
@pytest.mark.parametrize(
    "mistaken", [lambda d, h, x: d * h, lambda d, h, x: d * (x[:, :1] > 0)], ids=["h", "x"]
)
def test_behind_a_dense_layer_nothing_is_said_that_cannot_be(mistaken):
    """No logarithm has a negative operand, and rounding divided by rounding is no factor."""
    r = np.random.default_rng(27)
    weight, bias, other = r.normal(size=(5, 6)), r.normal(size=6), r.normal(size=(6, 2))
    h = np.maximum(X @ weight + bias, 0)

    def vjp(d):
        da = mistaken(d @ other.T, h, X)
        return da @ weight.T, X.T @ da, da.sum(axis=0), h.T @ d

    found = suspicions(
        lambda x, W, b, V: np.maximum(x @ W + b, 0) @ V, X, weight, bias, other, vjp=vjp
    )
    assert not re.search(r"\blog\b|e-1\d|e\+1\d", " ".join(found))


def test_a_constant_that_is_added_is_not_called_the_path_through_a_mean():
    """Where the derivatives sum to 0, such as those of a cross-entropy, both would fit."""
    labels = np.eye(5)[[0, 3, 1, 4]]

    def loss(x):
        return -(np.log(softmax(x)) * labels).sum()

    (found,) = suspicions(loss, X, vjp=lambda d: d * (P - labels + 0.025))
    assert "is added to every entry" in found


def huber(x):
    return np.where(abs(x) < 1, x * x / 2, abs(x) - 0.5)


GRID = np.array([-1.0625, 0.3125, 0.6875, -0.9375, 1.8125])
NEITHER = {  # a function, its point, and a gradient of few digits, with what may be said of it
    "a factor": (lambda x: 0.5001 * x, X[0], lambda x: 0.5 + 0 * x, "it is 0.9998 times the"),
    "a factor on a grid": (lambda x: 0.501 * x * x, GRID, lambda x: x, "it is 0.998004 times the"),
    "a constant": (
        lambda x: x * x + x / 2, np.arange(1.0, 6.0), lambda x: 2 * x, "a constant of -0.5 is added"
    ),
    "softplus": (lambda x: np.logaddexp(0, x), X[0], lambda x: 1.0 * (x > 0), ""),
    "huber": (huber, X[0] / 4, np.sign, ""),
    "two entries": (lambda x: 1.5 * x + x * x / 2, np.array([0.1, 1.2]), np.ceil, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", NEITHER)
def test_numbers_of_few_digits_may_have_other_reasons(name):
    f, x, gradient, words = NEITHER[name]
    report = check_gradients(lambda x: f(x).sum(), x, gradient=gradient, raise_exception=False)
    assert report.is_wrong
    said = " ".join(report.suspicions)
    assert words in said
    assert "precision" not in said
    assert "integers" not in said


@pytest.mark.slow
def test_nothing_is_said_of_the_transpose_of_a_matrix_that_has_no_inverse():
    mixed = N((5, 5))
    for matrix in (np.ones((5, 5)), np.arange(25.0).reshape(5, 5), np.zeros((5, 5))):
        found = suspicions(
            lambda x, W: x + np.sin(x @ W), X, matrix,
            vjp=lambda d, W=matrix: (d + (d * np.cos(X @ W)) @ (W.T + mixed), None),
        )  # fmt: skip
        assert "transpose" not in " ".join(found)


def test_an_argument_whose_value_does_not_matter_is_not_called_forgotten():
    """Where all of relu(W) is positive, the gradient does not depend on W."""
    x, weight = abs(X) + 0.1, N((5, 3))

    def f(b, x, W):
        return np.maximum(x @ abs(W) * 0 + x @ W + b, 0)

    def vjp(d):
        return d.sum(axis=0), None, None

    bias = N(3)
    assert not any("forgotten" in text for text in suspicions(f, bias, x, weight, vjp=vjp))


def test_a_division_is_by_the_number_of_outputs_only_if_it_is_a_sum_over_them():
    hidden, weight = np.tanh(X @ W + B), N((3, 2))

    def vjp(d):
        da = (d @ weight.T) * (1 - hidden**2)
        return da @ W.T, X.T @ da, da.sum(axis=0) / 3

    def f(x, W, b):
        return np.tanh(x @ W + b) @ weight

    assert suspicions(f, X, W, B, vjp=vjp) == [
        "db: it is divided by 3 once too often: the size of axis 1 of W"
    ]


def test_rows_that_do_not_feel_each_other_are_no_steps_in_time():
    scale = np.array([[2.0, 3.0, 0.5, 1.0]]).T
    found = suspicions(sine, X, vjp=lambda d: sine_backward(d) * scale)
    assert found == ["dx: only row 3 is right"]


def test_nothing_else_is_said_of_a_gradient_that_does_not_depend_on_dout():
    """Where dout is one number, the gradient seems to have a factor too many."""
    assert suspicions(lambda x: (x**2).sum(), X, vjp=lambda d: 2 * X) == [
        "dx does not depend on dout"
    ]


# ---------------------------------------------------------------------------- what is no function


def test_a_function_that_is_not_finite_is_said_to_be_so_without_warnings():
    point, other = np.array([-1.0, 2.0]), np.array([0.0, 1.0])
    with np.errstate(invalid="ignore", divide="ignore"):
        for x, number in ((point, "nan"), (other, "-inf")):
            report = check_gradients(
                lambda x: np.log(x).sum(), x, gradient=lambda x: 1 / np.maximum(x, 0.1)
            )
            assert report.is_undecided
            (text,) = report.undecided
            assert text == f"f returned {number}: choose a point where it is finite"
            assert "有限" in message(text, "zh")


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("count", [3, 300])
def test_a_gradient_that_is_not_finite_where_the_derivative_is_is_wrong(number, count):
    x = np.linspace(0.5, 2.0, count)
    report = check_gradients(
        lambda x: float((x**3).sum()),  # which takes no complex steps
        x,
        gradient=lambda x: np.where(np.arange(count) == 1, number, 3 * x * x),
        raise_exception=False,
    )
    assert report.problems
    assert report.suspicions == [
        "dx: it is not finite where the derivative is: a division by 0, or log(0)?"
    ]


def test_complex_numbers_and_empty_arrays_are_refused():
    with pytest.raises(TypeError, match=r"must return real numbers, .* imaginary part"):
        check_gradients(lambda x: (1j * x).sum(), X, gradient=lambda x: x)
    with pytest.raises(TypeError, match=r"(?s)got complex numbers, .* as two arguments"):
        check_gradients(lambda x: abs(x).sum(), X + 1j, gradient=lambda x: x)
    with pytest.raises(TypeError, match="no number that varies"):
        check_gradients(lambda x: x.sum(), np.zeros(0), gradient=lambda x: x)


# ---------------------------------------------------------------------------- layers with a state


class Linear:
    """A layer that keeps its gradients in arrays of its own."""

    def __init__(self, clears):
        self.clears, self.dx, self.dW = clears, np.zeros_like(X), np.zeros_like(W)

    def forward(self, x, W):
        self.x, self.W = x, W
        return x @ W

    def backward(self, d):
        if self.clears:
            self.dW[:] = 0
        self.dx[:] = d @ self.W.T
        self.dW += self.x.T @ d
        return self.dx, self.dW


def test_a_layer_may_fill_the_same_arrays_again():
    layer = Linear(clears=True)
    assert check_gradients(layer.forward, X, W, vjp=layer.backward)


def test_a_gradient_that_is_not_set_to_0_is_named():
    layer = Linear(clears=False)
    assert suspicions(layer.forward, X, W, vjp=layer.backward) == [
        "dW grows with every call of the backward pass, as if it were never set to 0"
    ]


def test_a_kink_beside_the_point_is_no_mistake_in_single_precision():
    """Steps over it see the mean of the slopes, and smaller ones drown in rounding."""
    x = np.linspace(-2, 2, 9, dtype=np.float32)[:, None] + np.float32([0.1, 0.2])
    for beside in (1.3e-4, -2e-4, 1e-3):
        x[4, 0] = beside
        weights = np.full((9, 2), 3, np.float32)
        report = check_gradients(
            lambda x, w=weights: (np.maximum(x, 0) * w) @ np.ones(2, np.float32),
            x,
            vjp=lambda d, x=x: 3 * d[:, None] * (x > 0),
        )
        assert report, report


MASK = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
POINT = np.array([0.4, -1.3, 0.9, 2.1, -0.2, 1.7])
KERNEL = np.array([0.3, -1.1, 0.8])


def correlated(x, w):
    return np.correlate(x, w, "valid")


@pytest.mark.parametrize(
    ("f", "backward", "words"),
    [
        (lambda x: np.maximum(x, 0), lambda d: d * (POINT < 0), "condition inverted?"),
        (lambda x: x * MASK / 0.7, lambda d: d / 0.7, "is a mask or a condition forgotten?"),
    ],
)
def test_a_mask_that_is_inverted_or_forgotten_at_two_entries_is_named(f, backward, words):
    report = check_gradients(f, POINT, vjp=backward, raise_exception=False)
    assert words in str(report)


def test_a_kernel_with_one_axis_that_is_not_reversed_is_named():
    def backward(dout):
        return np.correlate(np.pad(dout, 2), KERNEL, "valid"), np.correlate(POINT, dout, "valid")

    report = check_gradients(correlated, POINT, KERNEL, vjp=backward, raise_exception=False)
    assert "dx: it is the gradient with the last axis of w reversed" in str(report)
