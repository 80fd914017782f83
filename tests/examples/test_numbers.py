"""Every number of the five articles. The expected ones stand here once more."""

from __future__ import annotations

import pytest

from examples import (
    article_1_weighted_sum,
    article_2_two_layers,
)
from examples._common import Report, dot
from examples._formulas import plain, read
from micrograd import Value
from tests.examples.common import NUMBERS
from tests.examples.printed import PRINTED

pytestmark = pytest.mark.slow

# Numbers that no article prints: they follow from a formula, or are ours. None stands for exact
# arithmetic, another number for half a unit of the last digit.
EXPECTED: dict[int, dict[str, tuple[float, float | None]]] = {
    1: {
        "prediction for game 1": (0.98, None),
        "prediction for game 2": (1.11, None),
        "prediction for game 3": (1.06, None),
        "contribution of fingers": (0.85, None),
        "contribution of wlrec": (0.13, None),
        "contribution of nfans": (0, None),
        "b·d": (1, None),
        "c·c": (2, None),
        "d·d": (0.5, None),
        "c·e": (1, None),
        "d·e": (-0.5, None),
    },
    2: {
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
        "one point: ∂J/∂w at w = 0": (-2, None),
        "one point: factor of 2 − w in the first step": (0.97, None),
        "one point: error of (1, 2) after 20 iterations": (1.0876, 5e-5),
        "one point: error of (1, 2) after 30 iterations": (0.8020, 5e-5),
        "one point: w after 30 iterations": (1.1979858629, 1e-10),
        "four points: ∂J/∂w at w = 0": (-15, None),
        "four points: factor of 2 − w in the first step": (0.775, None),
        "four points: error of (1, 2) after 20 iterations": (0.0122, 5e-5),
        "four points: w after 100 iterations": (1.99999999998, 5e-12),
        "four copies of (1, 2): w after 30 iterations": (1.1979858629, 1e-10),
        "four points: w after one step at the rate 1/7.5": (2, None),
        "four points: w after one step at the rate 0.3": (4.5, None),
        "one point: y at x = 5": (5.9899293146, 5e-10),
        "four points: y at x = 5": (10, 1e-10),
    },
    4: {
        "w₁ at the start": (-0.16595599, 5e-9),
        "w₂ at the start": (0.44064899, 5e-9),
        "w₃ at the start": (-0.99977125, 5e-9),
        "slope of the sigmoid at z = 0": (0.25, None),
        "slope of the sigmoid at z = 4": (0.0176627, 5e-8),
        "w₁ after 10,000 steps": (9.67299303, 5e-9),
        "w₂ after 10,000 steps": (-0.2078435, 5e-8),
        "w₃ after 10,000 steps": (-4.62963669, 5e-9),
        "answer to the sample (0, 0, 1)": (0.009664, 5e-7),
        "answer to the sample (1, 1, 1)": (0.992120, 5e-7),
        "answer to the sample (1, 0, 1)": (0.993589, 5e-7),
        "answer to the sample (0, 1, 1)": (0.007865, 5e-7),
        "answer to (0, 0, 0)": (0.5, None),
        "answer to (0, 1, 0)": (0.4482, 5e-5),
    },
    5: {
        "largest difference between two layers and one": (0, None),
        "relu of neuron 2 with bias 3 (alive): largest activation": (1.21, None),
        "relu of neuron 2 with bias 3 (alive): largest gradient": (6.3, None),
        "relu of neuron 2 with bias 0 (dead): largest activation": (0, 0),
        "relu of neuron 2 with bias 0 (dead): largest gradient": (0, 0),
    },
}


def numbers(report: Report) -> dict[str, float]:
    return {plain(row.what.en): row.got for row in report.rows}


@pytest.mark.parametrize("article", NUMBERS)
def test_the_numbers_of_an_article_are_those_that_it_prints(reports, article):
    own = {
        plain(row.what.en): row.expected for row in reports[article].rows if row.source == "article"
    }
    assert own == {what: float(digits) for what, digits in PRINTED[article].items()}


@pytest.mark.parametrize("article", NUMBERS)
def test_a_number_that_follows_from_a_formula_shows_it(reports, article):
    for row in reports[article].rows:
        assert bool(row.formula) is (row.source == "formula")
        assert read(row.formula).text or not row.formula


@pytest.mark.parametrize(
    ("article", "what"), [(article, what) for article in EXPECTED for what in EXPECTED[article]]
)
def test_the_engine_computes_the_number(reports, article, what):
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
    names = ("fingers", "wlrec", "nfans")
    assert max(names, key=lambda x: got[f"∂prediction/∂{x}, its weight"]) == "wlrec"
    assert max(names, key=lambda x: got[f"contribution of {x}"]) == "fingers"
    assert article_1_weighted_sum.extremes() == ("wlrec", "fingers")


def test_the_negative_weight_of_e_cancels_nothing_of_c_as_it_is_printed():
    vectors = article_1_weighted_sum.VECTORS
    products = [ci * ei for ci, ei in zip(vectors["c"], vectors["e"], strict=True)]
    assert products == [0, 1, 0, 0]
    assert dot(vectors["c"], (0, 1, -1, 0)) == 0
    assert dot(vectors["d"], vectors["e"]) == -0.5


def test_c_is_most_similar_to_itself():
    vectors = article_1_weighted_sum.VECTORS
    assert max(vectors, key=lambda name: dot(vectors["c"], vectors[name])) == "c"


def test_the_lists_of_the_article_have_all_numbers_for_three_games_only():
    lists = article_1_weighted_sum.LISTS
    assert min(map(len, lists.values())) == len(article_1_weighted_sum.PREDICTIONS) == 3
    assert {name: len(column) for name, column in lists.items()} == {
        "fingers": 3,
        "wlrec": 4,
        "nfans": 4,
    }


def test_a_score_and_one_for_each_not_counts_the_conditions_that_hold():
    score = article_1_weighted_sum.score
    for x0, x2 in article_1_weighted_sum.INPUTS:
        assert score((1, 0, 1), x0, x2) == x0 + x2
        assert score((1, 0, -1), x0, x2) + 1 == x0 + (not x2)
        assert score((-1, 0, -1), x0, x2) + 2 == (not x0) + (not x2)
    assert score((0.5, 0, 1), 2, 0) == score((0.5, 0, 1), 0, 1) == 1


def test_the_restaurant_is_chosen_and_its_decision_has_no_slope():
    weights, go = article_2_two_layers.restaurant()
    go.backward()
    assert go.data == 1
    assert [w.grad for w in weights] == [0, 0, 0]


def test_the_slope_of_the_sigmoid_is_at_most_a_quarter_and_nowhere_0():
    slopes = []
    for i in range(-600, 601):
        z = Value(i / 100)
        z.sigmoid().backward()
        slopes.append(z.grad)
    assert max(slopes) == 0.25
    assert min(slopes) > 0


def test_the_truth_table_is_the_exclusive_or_of_the_first_two_inputs():
    for (x1, x2, x3), y in zip(
        article_2_two_layers.INPUTS, article_2_two_layers.TARGETS, strict=True
    ):
        assert (x1 ^ x2, x3) == (y, 1)


def test_the_network_has_12_weights_and_4_and_no_biases():
    model = article_2_two_layers.network(0)
    assert [sum(len(n.w) for n in layer.neurons) for layer in model.layers] == [12, 4]
    assert [n.b.data for layer in model.layers for n in layer.neurons] == [0] * 5


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
