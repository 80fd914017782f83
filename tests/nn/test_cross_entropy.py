"""`cross_entropy`, `softmax` and its logarithm: classes, probabilities and batches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd import Value, compile, detect_anomaly, value_and_grad  # noqa: A004
from micrograd.testing import check_gradients
from nn.functional import log_softmax, softmax
from nn.losses import cross_entropy
from tests.nn.test_losses import numbers, values


def test_cross_entropy_agrees_with_pytorch():
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    rows, classes = [[0.5, -1.0, 2.0], [3.0, 0.0, -2.0]], [1, 0]
    tensor = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(tensor, torch.tensor(classes))
    expected.backward()
    leaves = [values(row) for row in rows]
    found = cross_entropy(leaves, classes)
    found.backward()
    assert found.data == pytest.approx(expected.item(), rel=1e-14)
    for row, there in zip(leaves, tensor.grad.tolist(), strict=True):
        assert [leaf.grad for leaf in row] == pytest.approx(there, rel=1e-13)


@pytest.mark.parametrize("ours", [softmax, log_softmax])
def test_softmax_agrees_with_pytorch(ours):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    scores, weights = [0.5, -1000.0, 2.0, 1000.0, 999.0], [1.0, -2.0, 3.0, -4.0, 5.0]
    tensor = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    expected = getattr(torch, ours.__name__)(tensor, 0)
    (expected * torch.tensor(weights)).sum().backward()
    leaves = values(scores)
    found = ours(leaves)
    sum(w * each for w, each in zip(weights, found, strict=True)).backward()
    assert [each.data for each in found] == pytest.approx(expected.tolist(), rel=1e-14)
    assert [x.grad for x in leaves] == pytest.approx(tensor.grad.tolist(), rel=1e-13, abs=1e-15)


# ---------------------------------------------------------------------------------------- stability


@pytest.mark.parametrize(
    ("target", "loss", "slopes"),
    [
        (0.0, 0.0, [0.0, 0.0]),
        (1.0, 2000.0, [1.0, -1.0]),
        ([0.25, 0.75], 1500.0, [0.75, -0.75]),
    ],
)
def test_a_compiled_cross_entropy_is_right_at_a_thousand(target, loss, slopes):
    value, (found, _) = compile(cross_entropy).value_and_grad([1000.0, -1000.0], target)
    assert (value, found) == (loss, slopes)


def test_masked_scores_of_minus_infinity_get_no_share_and_leave_gradients_intact():
    x = Value(1.0)
    shares = softmax([x, -math.inf, 1.0])
    shares[0].backward()
    assert [share.data for share in shares] == [0.5, 0.0, 0.5]
    assert x.grad == 0.25


def test_softmax_adds_up_to_one_at_any_size():
    for scores in ([1000.0, 999.0, -1000.0], [-1000.0, -1001.0], [0.0]):
        shares = [share.data for share in softmax(values(scores))]
        assert math.fsum(shares) == pytest.approx(1.0, rel=1e-15)
        logs = [each.data for each in log_softmax(values(scores))]
        assert all(map(math.isfinite, logs))
        assert [math.exp(each) for each in logs] == pytest.approx(shares, abs=1e-15)


def test_softmax_of_numbers_gives_numbers():
    assert softmax([0.0, 0.0]) == [0.5, 0.5]
    assert log_softmax([0.0, 0.0]) == [-math.log(2), -math.log(2)]


# -------------------------------------------------------------------------- gradients and compiling


@settings(max_examples=10)
@given(st.lists(numbers, min_size=2, max_size=4), st.data())
def test_the_gradient_of_cross_entropy_passes_the_checker(scores, data):
    target = data.draw(st.integers(0, len(scores) - 1))
    check_gradients(lambda p: cross_entropy(p, target), scores)


def test_a_compiled_cross_entropy_takes_a_class_or_probabilities():
    scores = [0.5, -1.0, 2.0]
    by_class = compile(lambda p, t: cross_entropy(p, t))
    by_shares = compile(lambda p, t: cross_entropy(p, t))
    for target in range(3):
        expected = cross_entropy(values(scores), target).data
        one_hot = [float(k == target) for k in range(3)]
        assert by_class(scores, float(target)) == pytest.approx(expected, rel=1e-14)
        assert by_shares(scores, one_hot) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("wrong", [-1.0, 3.0, 0.5, math.nan])
def test_an_unknown_class_costs_nan_where_it_cannot_be_refused(wrong):
    scores = [0.5, -1.0, 2.0]
    assert math.isnan(cross_entropy(values(scores), Value(wrong)).data)
    assert math.isnan(compile(cross_entropy)(scores, wrong))


def test_a_class_may_be_a_value():
    with detect_anomaly():
        for target in range(3):
            leaves, others = values([0.5, -1.0, 2.0]), values([0.5, -1.0, 2.0])
            found, expected = cross_entropy(leaves, Value(target)), cross_entropy(others, target)
            found.backward()
            expected.backward()
            assert found.data == expected.data
            assert [x.grad for x in leaves] == [x.grad for x in others]


def test_a_score_of_minus_infinity_does_not_disturb_the_other_classes():
    loss, slopes = value_and_grad(lambda s: cross_entropy(s, 0))([1.0, 2.0])
    for target in (0, Value(0)):
        masked = value_and_grad(lambda s, t=target: cross_entropy([*s, -math.inf], t))
        assert masked([1.0, 2.0]) == (loss, slopes)
    value, (found, _) = compile(cross_entropy).value_and_grad([1.0, 2.0, -math.inf], 0.0)
    assert value == pytest.approx(loss, rel=1e-15)
    assert found == pytest.approx([*slopes, 0.0], rel=1e-15)


def test_cross_entropy_of_a_batch_is_a_sum_or_a_mean_over_samples():
    rows = [[0.5, -1.0, 2.0], [3.0, 0.0, -2.0]]
    first, second = (cross_entropy(row, c) for row, c in zip(rows, [1, 0], strict=True))
    assert cross_entropy(rows, [1, 0], reduction="sum") == first + second
    assert cross_entropy(rows, [1.0, 0.0]) == (first + second) / 2
    by_hand = 1.0 + math.log(math.exp(0.5) + math.exp(-1.0) + math.exp(2.0))
    assert first == pytest.approx(by_hand, rel=1e-15)


def test_cross_entropy_takes_arrays_of_classes_and_of_probabilities():
    rows, classes = np.array([[0.5, -1.0, 2.0], [3.0, 0.0, -2.0]]), np.array([1, 0])
    expected = cross_entropy(rows.tolist(), classes.tolist())
    assert cross_entropy(rows, classes) == expected
    assert cross_entropy(rows, np.eye(3)[classes]) == pytest.approx(expected, rel=1e-15)
    assert cross_entropy(rows, classes.astype(np.float32)) == expected
    assert softmax(rows[0]) == softmax(rows[0].tolist())
