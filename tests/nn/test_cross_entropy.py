"""`cross_entropy`, `softmax` and its logarithm: classes, probabilities and batches."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd import Value, compile, detect_anomaly, value_and_grad  # noqa: A004
from micrograd.testing import check_gradients
from nn import MLP, fit
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


ROWS, WEIGHTS = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]], [0.5, 1.0, 2.0]
SHARES = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]
# By PyTorch 2.13.
OPTIONS = [
    ([0, 2], {"weight": WEIGHTS}, 2.7274720327459803),
    ([0, 2], {"weight": WEIGHTS, "label_smoothing": 0.1, "reduction": "sum"}, 6.622349816911413),
    ([0, 2], {"label_smoothing": 0.2}, 1.7784950900460053),
    (SHARES, {"weight": WEIGHTS, "label_smoothing": 0.2}, 1.8504745127146018),
]


@pytest.mark.parametrize(("target", "options", "recorded"), OPTIONS)
def test_weights_of_classes_and_smooth_labels_are_those_of_pytorch(target, options, recorded):
    leaves = [values(row) for row in ROWS]
    found = cross_entropy(leaves, target, **options)
    assert found.data == pytest.approx(recorded, rel=1e-14)
    assert check_gradients(lambda *rows: cross_entropy(list(rows), target, **options), *ROWS)
    if isinstance(target[0], int):  # a class that is a Value, as in a compiled function
        program = compile(lambda row, k: cross_entropy([list(row)], [k], **options), batched=True)
        alone = [cross_entropy([row], [k], **options) for row, k in zip(ROWS, target, strict=True)]
        assert program(ROWS, target) == pytest.approx(alone, rel=1e-14)
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    tensor = torch.tensor(ROWS, dtype=torch.float64, requires_grad=True)
    there = {name: torch.tensor(w) if name == "weight" else w for name, w in options.items()}
    if "weight" in there:
        there["weight"] = there["weight"].double()
    kind = None if isinstance(target[0], int) else torch.float64
    expected = torch.nn.functional.cross_entropy(tensor, torch.tensor(target, dtype=kind), **there)
    expected.backward()
    found.backward()
    assert found.data == pytest.approx(expected.item(), rel=1e-14)
    for row, slopes in zip(leaves, tensor.grad.tolist(), strict=True):
        assert [leaf.grad for leaf in row] == pytest.approx(slopes, rel=1e-12)


def test_weights_and_smoothing_that_make_no_sense_are_refused():
    for options, words in (
        ({"weight": [1.0, 2.0]}, "weight has 2 numbers for 3 classes"),
        ({"weight": [-1.0, 1.0, 1.0]}, "weight is a number of at least 0, got -1"),
        ({"label_smoothing": 1.5}, "label_smoothing is a number .* at most 1, got 1.5"),
    ):
        with pytest.raises(ValueError, match=words):
            cross_entropy(ROWS[0], 0, **options)
    with pytest.raises(TypeError, match="weight is a list here, got 3"):
        cross_entropy(ROWS[0], 0, weight=3)


@pytest.mark.parametrize("engine", ["compiled", "eager"])
def test_fit_knows_a_loss_with_options_by_its_function(engine):
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 3
    model = MLP(2, [3])
    loss = partial(cross_entropy, label_smoothing=0.3)
    history = fit(model, X, y, loss=loss, epochs=1, lr=0.0, batch_size=None, engine=engine)
    scores = [[out.data for out in model(row)] for row in X]
    assert history["loss"] == pytest.approx(
        [cross_entropy(scores, y.tolist(), label_smoothing=0.3)]
    )


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


def test_batches_of_sequences_are_averaged_over_all_their_samples():
    logits = np.random.default_rng(0).normal(size=(2, 3, 4))
    target = [[0, 3, 1], [2, 2, 0]]
    flat = [number for row in target for number in row]
    for options in ({}, {"reduction": "sum"}, {"weight": [1.0, 2.0, 0.5, 3.0]}):
        loss = cross_entropy(logits.reshape(6, 4), flat, **options)
        assert cross_entropy(logits, target, **options) == pytest.approx(loss, rel=1e-15)
    with pytest.raises(TypeError, match=r"logits is a list here, got 3\.0"):
        cross_entropy([[1.0, 2.0], 3.0], [0, 1])


def test_a_mean_of_samples_without_weight_is_nan():
    assert math.isnan(cross_entropy([1.0, 2.0], 0, weight=[0.0, 1.0]))
