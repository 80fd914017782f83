"""Every number of the five articles. The expected ones stand here once more."""

from __future__ import annotations

import pytest

from examples import (
    article_2_two_layers,
    article_3_fitting_a_line,
    article_4_nine_lines,
    article_5_dense_layers,
)
from examples._common import Report, dot
from micrograd import Value
from nn import predict
from tests.examples.common import NUMBERS

pytestmark = pytest.mark.slow

# What each article prints, with half a unit of its last digit; None if the arithmetic is exact.
EXPECTED: dict[int, dict[str, tuple[float, float | None]]] = {
    1: {
        "prediction for game 1": (0.98, None),
        "d prediction / d toes, the weight": (0.1, None),
        "d prediction / d won, the weight": (0.2, None),
        "d prediction / d fans, the weight": (0, None),
        "contribution of toes": (0.85, None),
        "contribution of won": (0.13, None),
        "contribution of fans": (0, None),
        "a · b": (0, None),
        "b · c": (1, None),
        "b · d": (1, None),
        "c · c": (2, None),
        "d · d": (0.5, None),
        "c · d": (0.5, None),
        "e · e": (2, None),
    },
    2: {
        "AND of 0 0": (0, None),
        "AND of 0 1": (0, None),
        "AND of 1 0": (0, None),
        "AND of 1 1": (1, None),
        "OR of 0 0": (0, None),
        "OR of 0 1": (1, None),
        "OR of 1 0": (1, None),
        "OR of 1 1": (1, None),
        "NOT of 0": (1, None),
        "NOT of 1": (0, None),
        "largest gradient in AND, over all inputs": (0, None),
        "largest gradient in OR, over all inputs": (0, None),
        "largest gradient in NOT, over all inputs": (0, None),
        "prediction for (0, 0, 1), seed 2": (0.018, 5e-4),
        "prediction for (0, 1, 1), seed 2": (0.981, 5e-4),
        "prediction for (1, 0, 1), seed 2": (0.976, 5e-4),
        "prediction for (1, 1, 1), seed 2": (0.023, 5e-4),
        "smallest prediction for target 0, seeds 0 to 5": (0.01, 5e-3),
        "largest prediction for target 0, seeds 0 to 5": (0.04, 5e-3),
        "smallest prediction for target 1, seeds 0 to 5": (0.969, 5e-4),
        "largest prediction for target 1, seeds 0 to 5": (0.981, 5e-4),
    },
    3: {
        "one point: w after 30 iterations": (1.1979858629, 1e-10),  # the article cuts it off
        "four points: w after 100 iterations": (1.99999999998, 5e-12),
        "four points: 2 - w after 20": (0.0122, 5e-5),
        "one point: y at x = 5": (10 * (1 - 0.97**30), 5e-13),
        "four points: y at x = 5": (10, 1e-10),
    },
    4: {
        "w1 at the start": (-0.16595599, 5e-9),
        "w2 at the start": (0.44064899, 5e-9),
        "w3 at the start": (-0.99977125, 5e-9),
        "w1 after 10,000 steps": (9.67299303, 5e-9),
        "w2 after 10,000 steps": (-0.2078435, 5e-8),
        "w3 after 10,000 steps": (-4.62963669, 5e-9),
        "answer to the new situation (1, 0, 0)": (0.99993704, 5e-9),
    },
    5: {
        "layer 1, sample 1, neuron 1": (4.8, None),
        "layer 1, sample 1, neuron 2": (1.21, None),
        "layer 1, sample 1, neuron 3": (2.385, None),
        "layer 1, sample 2, neuron 1": (8.9, None),
        "layer 1, sample 2, neuron 2": (-1.81, None),
        "layer 1, sample 2, neuron 3": (0.2, None),
        "layer 1, sample 3, neuron 1": (1.41, None),
        "layer 1, sample 3, neuron 2": (1.051, None),
        "layer 1, sample 3, neuron 3": (0.026, None),
        "layer 2, sample 1, neuron 1": (0.5031, None),
        "layer 2, sample 1, neuron 2": (-1.04185, None),
        "layer 2, sample 1, neuron 3": (-2.03875, None),
        "layer 2, sample 2, neuron 1": (0.2434, None),
        "layer 2, sample 2, neuron 2": (-2.7332, None),
        "layer 2, sample 2, neuron 3": (-5.7633, None),
        "layer 2, sample 3, neuron 1": (-0.99314, None),
        "layer 2, sample 3, neuron 2": (1.41254, None),
        "layer 2, sample 3, neuron 3": (-0.35655, None),
        "relu of neuron 2 with bias 3 (alive): activation": (1.21, None),
        "relu of neuron 2 with bias 0 (dead): activation": (0, 0),
        "relu of neuron 2 with bias 0 (dead): gradient": (0, 0),
        "spiral, point 1, output 1": (0, 0),
        "spiral, point 1, output 2": (0, 0),
        "spiral, point 1, output 3": (0, 0),
        "spiral, point 2, output 1": (-1.0475188e-04, 1.0e-9),
        "spiral, point 2, output 2": (1.1395361e-04, 1.1e-9),
        "spiral, point 2, output 3": (-4.7983500e-05, 4.8e-10),
        "spiral, point 3, output 1": (-2.7414842e-04, 2.7e-9),
        "spiral, point 3, output 2": (3.1729150e-04, 3.2e-9),
        "spiral, point 3, output 3": (-8.6921798e-05, 8.7e-10),
        "spiral, point 4, output 1": (-4.2188365e-04, 4.2e-9),
        "spiral, point 4, output 2": (5.2666257e-04, 5.3e-9),
        "spiral, point 4, output 3": (-5.5912682e-05, 5.6e-10),
        "spiral, point 5, output 1": (-5.7707680e-04, 5.8e-9),
        "spiral, point 5, output 2": (7.1401405e-04, 7.1e-9),
        "spiral, point 5, output 3": (-8.9430439e-05, 8.9e-10),
    },
}


def numbers(report: Report) -> dict[str, float]:
    return {row.what.en: row.got for row in report.rows}


@pytest.mark.parametrize(
    ("article", "what"), [(article, what) for article in EXPECTED for what in EXPECTED[article]]
)
def test_the_engine_computes_the_number_of_the_article(reports, article, what):
    expected, tolerance = EXPECTED[article][what]
    if tolerance is None:
        tolerance = 4e-14  # the rounding of 32 terms below 10
    assert abs(numbers(reports[article])[what] - expected) <= tolerance


@pytest.mark.parametrize("article", NUMBERS)
def test_every_row_of_the_article_agrees(reports, article):
    assert [row for row in reports[article].rows if not row.agrees] == []


@pytest.mark.parametrize("article", NUMBERS)
def test_no_two_rows_of_an_article_have_the_same_name(reports, article):
    assert len(numbers(reports[article])) == len(reports[article].rows)


def test_the_most_sensitive_input_is_not_the_one_that_contributes_most(reports):
    got = numbers(reports[1])
    assert got["the most sensitive input, of 1 toes, 2 won, 3 fans"] == 2
    assert got["the largest contribution, of 1 toes, 2 won, 3 fans"] == 1


def test_two_layers_predict_what_the_article_predicts_within_the_spread_of_the_seeds(reports):
    got = numbers(reports[2])
    spread = 0.014
    assert [got[f"prediction for {x}, seed 2"] for x in article_2_two_layers.INPUTS] == [
        pytest.approx(expected, abs=spread) for expected in (0.023, 0.979, 0.975, 0.025)
    ]


@pytest.fixture(scope="module")
def trainings() -> list[article_2_two_layers.Run]:
    """Two layers, trained from each seed."""
    return [article_2_two_layers.train(seed) for seed in article_2_two_layers.SEEDS]


def test_the_tolerance_for_an_unknown_seed_is_how_far_the_seeds_lie_apart(trainings):
    predictions = zip(*(each.predictions for each in trainings), strict=True)
    widest = max(max(column) - min(column) for column in predictions)
    assert 0.013 < widest < article_2_two_layers.SPREAD == 0.014


def test_the_loss_of_two_layers_falls_at_every_iteration_and_ends_below_0_004(trainings):
    losses = trainings[2].losses
    assert len(losses) == 1501
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == len(losses)
    assert losses[-1] < 0.004


def test_a_step_neuron_has_the_gradient_0_for_any_weights_whereas_a_sigmoid_has_not():
    for operation, learns in (("step", False), ("sigmoid", True)):
        w = Value(0.3)
        getattr(w * 2 - 0.5, operation)().backward()
        assert (w.grad != 0) is learns


def test_four_points_are_within_0_0122_of_the_slope_after_20_iterations():
    weights = article_3_fitting_a_line.fit(article_3_fitting_a_line.FOUR_POINTS, 20)
    assert weights[0] == 0
    assert 2 - weights[-1] <= 0.01222


def test_the_error_of_the_first_point_shrinks_by_the_same_factor_in_each_iteration():
    for points, factor in (
        (article_3_fitting_a_line.ONE_POINT, 0.97),
        (article_3_fitting_a_line.FOUR_POINTS, 0.775),
    ):
        errors = [2 - w for w in article_3_fitting_a_line.fit(points, 20)]
        assert errors == [pytest.approx(2 * factor**k, abs=4e-14) for k in range(21)]


def test_the_update_of_the_nine_lines_is_the_gradient_of_half_the_squared_errors():
    weights = article_4_nine_lines.initial_weights()
    article_4_nine_lines.cost(weights).backward()
    update = article_4_nine_lines.update(weights)
    assert [-w.grad for w in weights] == [pytest.approx(step, abs=4e-14) for step in update]


def test_a_dead_neuron_is_0_for_every_sample_and_its_weights_get_no_gradient():
    neuron, activations = article_5_dense_layers.rectified(bias=0)
    dot(activations, [1.0, 2.0, 3.0]).backward()
    assert [a.data for a in activations] == [0, 0, 0]
    assert [parameter.grad for parameter in neuron.parameters()] == [0] * 5
    assert [a.grad for a in activations] == [1, 2, 3]


def test_the_spiral_is_learned_to_at_least_95_percent(reports):
    share = numbers(reports[5])["share of the spiral that the trained network gets right"]
    assert 0.95 <= share <= 1


def test_the_decision_regions_are_drawn_by_the_network_that_was_trained():
    import numpy as np

    generator = np.random.RandomState(0)
    points, _ = article_5_dense_layers.spiral(generator)
    model = article_5_dense_layers.network(generator)
    by_values = []
    for point in points[::10]:
        logits = [logit.data for logit in model(point)]
        by_values.append(logits.index(max(logits)))
    assert predict(model, points[::10]).argmax(axis=1).tolist() == by_values


def test_cross_entropy_is_minus_the_log_of_the_softmax_and_never_overflows():
    logits = [Value(1.0), Value(2.0), Value(3.0)]
    loss = article_5_dense_layers.cross_entropy(logits, 0)
    loss.backward()
    assert loss.data == pytest.approx(2.407605964444380, abs=4e-14)
    softmax = [0.09003057317038046, 0.24472847105479764, 0.6652409557748218]
    expected = [softmax[0] - 1, *softmax[1:]]
    assert [z.grad for z in logits] == [pytest.approx(g, abs=4e-14) for g in expected]

    logits = [Value(1000.0), Value(-1000.0)]
    loss = article_5_dense_layers.cross_entropy(logits, 1)
    loss.backward()
    assert loss.data == 2000
    assert [z.grad for z in logits] == [1, -1]
