"""Losses: the numbers of PyTorch, right at ±1000, eagerly and compiled."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd import Value, compile, detect_anomaly, hessian, value_and_grad  # noqa: A004
from micrograd.testing import check_gradients
from nn.functional import log_softmax, softmax
from nn.losses import (
    LOSSES,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    huber_loss,
    kl_div,
    l1_loss,
    l1_penalty,
    l2_penalty,
    mse_loss,
    squared_hinge_loss,
)

# The losses that compare number by number: predictions, targets, and where PyTorch has them.
PAIRS = {
    "mse": ([0.5, -1.0, 2.0], [1.0, 1.0, 2.5], "mse_loss"),
    "l1": ([0.5, -1.0, 2.0], [1.0, 1.0, 2.5], "l1_loss"),
    "huber": ([0.5, -1.0, 2.0], [1.0, 1.0, 2.5], "huber_loss"),
    "hinge": ([0.5, -1.0, 2.0], [1.0, 1.0, -1.0], None),
    "squared_hinge": ([0.5, -1.0, 2.0], [1.0, 1.0, -1.0], None),
    "bce": ([0.5, 0.1, 0.9], [1.0, 0.0, 0.25], "binary_cross_entropy"),
    "bce_with_logits": ([0.5, -3.0, 2.0], [1.0, 0.0, 0.25], "binary_cross_entropy_with_logits"),
    "kl_div": ([-0.5, -1.0, -2.0], [0.5, 0.5, 0.0], "kl_div"),
}

EXPECTED = {  # sums, computed by hand
    "mse": 0.25 + 4 + 0.25,
    "l1": 0.5 + 2 + 0.5,
    "huber": 0.125 + 1.5 + 0.125,
    "hinge": 0.5 + 2 + 3,
    "squared_hinge": 0.25 + 4 + 9,
    "bce": -math.log(0.5) - math.log(0.9) - 0.25 * math.log(0.9) - 0.75 * math.log(0.1),
    "bce_with_logits": math.log1p(math.exp(0.5))
    - 0.5
    + math.log1p(math.exp(-3))
    + math.log1p(math.exp(2))
    - 0.5,
    "kl_div": 0.5 * (math.log(0.5) + 0.5) + 0.5 * (math.log(0.5) + 1.0),
}


def values(numbers):
    return [Value(number) for number in numbers]


@pytest.mark.parametrize("name", PAIRS)
def test_sums_and_means_are_those_computed_by_hand(name):
    predictions, targets, _ = PAIRS[name]
    loss = LOSSES[name]
    total = loss(values(predictions), targets, reduction="sum")
    assert total.data == pytest.approx(EXPECTED[name], rel=1e-14)
    assert loss(values(predictions), targets).data == pytest.approx(EXPECTED[name] / 3, rel=1e-14)
    alone = sum(loss(Value(p), t).data for p, t in zip(predictions, targets, strict=True))
    assert alone == pytest.approx(EXPECTED[name], rel=1e-14)


@pytest.mark.parametrize("name", [name for name, case in PAIRS.items() if case[2]])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.filterwarnings("ignore:reduction")
def test_values_and_gradients_are_those_of_pytorch(name, reduction):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    predictions, targets, there = PAIRS[name]
    tensor = torch.tensor(predictions, dtype=torch.float64, requires_grad=True)
    expected = getattr(torch.nn.functional, there)(
        tensor, torch.tensor(targets, dtype=torch.float64), reduction=reduction
    )
    expected.backward()
    leaves = values(predictions)
    found = LOSSES[name](leaves, targets, reduction=reduction)
    found.backward()
    assert found.data == pytest.approx(expected.item(), rel=1e-14)
    assert [leaf.grad for leaf in leaves] == pytest.approx(tensor.grad.tolist(), rel=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_without_a_reduction_there_is_a_loss_for_each_number_in_the_structure_given(name):
    loss = LOSSES[name]
    if name == "cross_entropy":
        predictions: list = [[[2.0, 1.0], [0.0, 1.0]], [[1.0, 1.0], [3.0, 1.0]]]
        targets: list = [[0, 1], [1, 0]]
    else:
        p, t, _ = PAIRS[name]
        predictions, targets = [p, p[::-1]], [t, t[::-1]]
    batch = zip(predictions, targets, strict=True)
    each = [[loss(*pair) for pair in zip(*both, strict=True)] for both in batch]
    assert loss(predictions, targets, reduction="none") == each
    assert loss(predictions[0][0], targets[0][0], reduction="none") == each[0][0]
    found = loss(np.array(predictions), np.array(targets), reduction="none")
    assert found.dtype == float
    assert found.tolist() == each
    rows = predictions[0]
    leaves = [*map(values, rows)] if name == "cross_entropy" else values(rows)
    total = sum(loss(leaves, targets[0], reduction="none"))
    assert total.data == loss(predictions[0], targets[0], reduction="sum")
    compiled = compile(lambda p: loss(p, targets[0], reduction="none"))
    assert compiled(predictions[0]) == pytest.approx(each[0], rel=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.filterwarnings("ignore:reduction")
def test_batches_are_reduced_as_by_pytorch(reduction):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    there = torch.nn.functional
    rows, targets = [[0.5, -1.0, 2.0], [3.0, 0.0, -2.0]], [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]
    for ours, theirs in (
        (cross_entropy, there.cross_entropy),
        (lambda p, t, reduction: huber_loss(p, t, reduction, 0.75),
         lambda p, t, reduction: there.huber_loss(p, t, reduction, 0.75)),
        (lambda p, t, reduction: kl_div(list(map(log_softmax, p)), t, reduction),
         lambda p, t, reduction: there.kl_div(there.log_softmax(p, 1), t, reduction=reduction)),
    ):  # fmt: skip
        tensor = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
        wanted = torch.tensor(targets, dtype=torch.float64)
        expected = theirs(tensor, wanted, reduction=reduction)
        expected.backward()
        leaves = [values(row) for row in rows]
        found = ours(leaves, targets, reduction=reduction)
        found.backward()
        assert found.data == pytest.approx(expected.item(), rel=1e-14)
        for row, slopes in zip(leaves, tensor.grad.tolist(), strict=True):
            assert [leaf.grad for leaf in row] == pytest.approx(slopes, rel=1e-13, abs=1e-16)


# ---------------------------------------------------------------------------------------- stability


@pytest.mark.parametrize("size", [1000.0, 1e6])
def test_scores_of_a_thousand_give_right_losses_and_gradients(size):
    for score, target, loss, slope in (
        (size, 1.0, 0.0, 0.0),
        (size, 0.0, size, 1.0),
        (-size, 1.0, size, -1.0),
        (-size, 0.0, 0.0, 0.0),
    ):
        assert value_and_grad(lambda p, t=target: binary_cross_entropy_with_logits(p, t))(
            score
        ) == (loss, slope)
    for target, loss, slopes in ((0, 0.0, [0.0, 0.0]), (1, 2 * size, [1.0, -1.0])):
        assert value_and_grad(lambda p, t=target: cross_entropy(p, t))([size, -size]) == (
            loss,
            slopes,
        )


# At ±1000: prediction, target, loss, slope.
FAR = [
    ("mse", 1000.0, -1000.0, 4e6, 4000.0),
    ("l1", 1000.0, -1000.0, 2000.0, 1.0),
    ("huber", 1000.0, -1000.0, 1999.5, 1.0),
    ("huber", -1000.0, 1000.0, 1999.5, -1.0),
    ("hinge", 1000.0, -1.0, 1001.0, 1.0),
    ("hinge", 1000.0, 1.0, 0.0, 0.0),
    ("squared_hinge", -1000.0, 1.0, 1001.0**2, -2002.0),
    ("bce_with_logits", 1000.0, 0.25, 750.0, 0.75),
    ("bce_with_logits", -1000.0, 0.25, 250.0, -0.25),
    ("kl_div", -1000.0, 0.5, 500 - math.log(2) / 2, -0.5),
]


@pytest.mark.parametrize(("name", "prediction", "target", "loss", "slope"), FAR)
def test_every_loss_is_right_at_a_thousand_eagerly_and_compiled(
    name, prediction, target, loss, slope
):
    found = value_and_grad(lambda p: LOSSES[name](p, target))(prediction)
    assert found == pytest.approx((loss, slope), rel=1e-15)
    value, (compiled, _) = compile(LOSSES[name]).value_and_grad(prediction, target)
    assert (value, compiled) == pytest.approx((loss, slope), rel=1e-15)


def test_a_square_too_large_for_a_float_is_infinite():
    for loss in (mse_loss, squared_hinge_loss):
        assert loss(1e200, -1.0) == loss(Value(1e200), -1.0).data == math.inf


@pytest.mark.parametrize("delta", [0.5, 2.0])
def test_huber_is_half_a_square_up_to_delta_and_then_a_line_of_its_slope(delta):
    loss = value_and_grad(lambda p: huber_loss(p, 1.0, delta=delta))
    assert loss(1 + delta / 2) == (delta**2 / 8, delta / 2)
    assert loss(1 - delta) == (delta**2 / 2, -delta)
    assert loss(1 + delta + 3) == (delta**2 / 2 + 3 * delta, delta)


def test_the_curvature_of_huber_at_no_error_is_one():
    assert hessian(lambda p: huber_loss(p, 2.0))(2.0) == 1.0


def test_a_target_probability_of_zero_costs_nothing_whatever_was_predicted():
    for target in (0.0, Value(0.0)):
        prediction = Value(-1000.0)
        loss = kl_div(prediction, target)
        loss.backward()
        assert (loss.data, prediction.grad) == (0.0, 0.0)
    with detect_anomaly():
        assert kl_div(Value(-1.0), 0.0).data == 0.0
    # A target that is not a probability gives nan.
    assert math.isnan(kl_div(-1.0, -0.5))
    assert math.isnan(kl_div(-1.0, math.nan))


# At kinks, where PyTorch's formulas decide: prediction, target, loss, slope.
KINKS = [
    ("l1", 2.0, 2.0, 0.0, 0.0),  # sign(0) is 0
    ("huber", 3.0, 2.0, 0.5, 1.0),  # the two sides have the same slope
    ("huber", 1.0, 2.0, 0.5, -1.0),
    ("huber", 2.0, 2.0, 0.0, 0.0),
    ("hinge", 1.0, 1.0, 0.0, 0.0),  # relu'(0) is 0
    ("hinge", -1.0, -1.0, 0.0, 0.0),
    ("squared_hinge", 1.0, 1.0, 0.0, 0.0),
    ("bce_with_logits", 0.0, 1.0, math.log(2), -0.5),
    ("bce_with_logits", 0.0, 0.0, math.log(2), 0.5),
    ("kl_div", 0.0, 1.0, 0.0, -1.0),
    ("kl_div", -3.0, 0.0, 0.0, 0.0),
    ("kl_div", -math.inf, 0.0, 0.0, 0.0),
]


@pytest.mark.parametrize(("name", "prediction", "target", "loss", "slope"), KINKS)
def test_every_loss_has_the_slope_of_pytorch_at_its_kinks(name, prediction, target, loss, slope):
    expected = pytest.approx((loss, slope), rel=1e-15, abs=0)
    assert value_and_grad(lambda p: LOSSES[name](p, target))(prediction) == expected
    value, (found, _) = compile(LOSSES[name]).value_and_grad(prediction, target)
    assert (value, found) == expected


def test_a_target_probability_of_zero_costs_nothing_where_zero_was_predicted():
    assert kl_div(-math.inf, 0.0) == 0.0
    assert value_and_grad(lambda p: kl_div(p, 0.0))(-math.inf) == (0.0, 0.0)


# -------------------------------------------------------------------------- gradients and compiling


numbers = st.floats(-3, 3)


@settings(max_examples=10)
@given(st.lists(numbers, min_size=3, max_size=3), st.lists(numbers, min_size=3, max_size=3))
@pytest.mark.parametrize("loss", [mse_loss, binary_cross_entropy_with_logits, squared_hinge_loss])
def test_the_gradients_of_smooth_losses_pass_the_checker(loss, predictions, targets):
    check_gradients(lambda p: loss(p, targets), predictions)


# Predictions and targets away from the kinks of the losses that have some.
KINKED = {
    "l1": (numbers, st.just(4.0)),
    "huber": (st.floats(-0.5, 0.5) | st.floats(2, 5), st.just(0.25)),
    "hinge": (st.floats(-3, 0.5) | st.floats(1.5, 3), st.just(1.0)),
    "bce": (st.floats(0.05, 0.95), st.floats(0, 1)),
    "kl_div": (st.floats(-3, 0), st.floats(0, 1)),
}


@pytest.mark.slow
@settings(max_examples=10)
@given(data=st.data())
@pytest.mark.parametrize("name", KINKED)
def test_the_gradients_of_the_others_pass_it_away_from_their_kinks(name, data):
    predictions, targets = (
        data.draw(st.lists(each, min_size=2, max_size=2)) for each in KINKED[name]
    )
    check_gradients(lambda p: LOSSES[name](p, targets), predictions)


def test_every_loss_is_checked_by_one_of_the_two():
    smooth = {"mse", "bce_with_logits", "squared_hinge", "cross_entropy"}
    assert smooth | set(KINKED) == set(LOSSES)


@pytest.mark.parametrize("name", PAIRS)
def test_a_compiled_loss_gives_the_numbers_of_the_eager_one(name):
    predictions, targets, _ = PAIRS[name]
    loss = LOSSES[name]
    value, (slopes, _) = compile(lambda p, t: loss(p, t)).value_and_grad(predictions, targets)
    expected, expected_slopes = value_and_grad(lambda p: loss(p, targets))(predictions)
    assert value == pytest.approx(expected, rel=1e-14)
    assert slopes == pytest.approx(expected_slopes, rel=1e-13, abs=1e-16)


def test_penalties_are_sums_over_the_parameters():
    parameters = values([1.0, -2.0, 3.0])
    assert l1_penalty(parameters).data == 6.0
    assert l2_penalty(parameters).data == 14.0
    with pytest.raises(ValueError, match="at least one parameter"):
        l2_penalty([])


@pytest.mark.parametrize("name", PAIRS)
def test_arrays_work_like_lists(name):
    predictions, targets, _ = PAIRS[name]
    expected = LOSSES[name](predictions, targets)
    assert LOSSES[name](np.array(predictions), np.array(targets)) == expected
    leaves = values(predictions)
    assert LOSSES[name](leaves, np.array(targets)).data == pytest.approx(expected, rel=1e-15)


def test_an_array_without_axes_is_a_number():
    assert mse_loss(np.array(1.0), np.array(3.0)) == 4.0
    assert mse_loss(Value(1.0), np.array(3.0)).data == 4.0


# ------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: mse_loss([1.0, 2.0], [1.0]), "2 predictions and 1 targets"),
        (lambda: mse_loss([], []), "both lists are empty"),
        (lambda: l1_loss([1.0], [1.0], reduction="max"), "'mean', 'sum' or 'none', got 'max'"),
        (lambda: huber_loss(1.0, 2.0, delta=0), "delta is a number above 0"),
        (lambda: cross_entropy([1.0, 2.0], 2), "class 2 of 2 classes, 0 to 1"),
        (lambda: cross_entropy([1.0, 2.0], -1), "class -1 of 2"),
        (lambda: cross_entropy([1.0, 2.0], [1.0]), "2 predictions and 1 targets"),
        (lambda: cross_entropy([], 0), "softmax of an empty list"),
        (lambda: cross_entropy([[1.0, 2.0]], [0, 1]), "1 predictions and 2 targets"),
        (lambda: cross_entropy([1.0, 2.0], 0, reduction="None"), "'mean', 'sum' or 'none'"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: mse_loss([1.0, 2.0], 1.0),
        lambda: mse_loss(1.0, [1.0, 2.0]),
        lambda: cross_entropy(Value(1.0), 0),
        lambda: cross_entropy([1.0, 2.0], 0.5),
        lambda: cross_entropy([1.0, 2.0], "0"),
        lambda: mse_loss({1.0, 2.0}, {2.0, 1.0}),  # sets have no order
        lambda: mse_loss({1.0: 0}, {1.0: 0}),
        lambda: mse_loss("12", "12"),
        lambda: mse_loss(b"12", b"12"),
        lambda: softmax({1.0, 2.0}),
        lambda: softmax(Value(1.0)),
    ],
)
def test_a_wrong_nesting_or_class_is_a_type_error(call):
    with pytest.raises(TypeError):
        call()


def test_the_hinge_is_flat_beyond_the_margin():
    assert hinge_loss(Value(2.0), 1.0).data == 0.0
    assert kl_div(Value(-1.0), 0.0).data == 0.0
