"""What the companions of articles 3, 4 and 5 say in words is true."""

from __future__ import annotations

from itertools import combinations

import pytest

from examples import _spiral as arms
from examples import article_3_fitting_a_line as line
from examples import article_4_nine_lines as nine
from examples import article_5_dense_layers as layers
from examples._common import Report, dot
from examples._formulas import plain
from examples._mathematics import dense
from examples._story import Display, Prose
from micrograd import Value
from nn import datasets, predict

np = pytest.importorskip("numpy")
pytestmark = pytest.mark.slow


def said(report: Report) -> str:
    """All paragraphs of a companion in English, with their formulas in one line."""
    return " ".join(plain(part.words.en) for part in report.parts if isinstance(part, Prose))


@pytest.fixture(scope="module")
def told() -> dict[int, Report]:
    """The companions without their pictures."""
    return {module.ARTICLE.number: module.run() for module in (line, nine, layers)}


# ------------------------------------------------------------------------------------ article 3


def test_the_distance_from_2_shrinks_by_the_same_factor_in_each_iteration():
    for points, factor in ((line.ONE_POINT, 0.97), (line.FOUR_POINTS, 0.775)):
        errors = [2 - w for w in line.fit(points, 30)]
        assert errors == [pytest.approx(2 * factor**k, abs=4e-14) for k in range(31)]
        assert 1 - 0.03 * line.mean_square(points) == pytest.approx(factor, abs=4e-14)
    assert (line.mean_square(line.ONE_POINT), line.mean_square(line.FOUR_POINTS)) == (1, 7.5)


def test_after_20_iterations_the_error_is_small_for_four_points_only(told):
    one, four = line.fit(line.ONE_POINT, 20)[-1], line.fit(line.FOUR_POINTS, 20)[-1]
    assert 2 - four < 0.0123
    assert 2 - one > 2 / 2
    assert (
        f"For four points it is: {2 - four:.4f}. For one point it is still {2 - one:.4f}"
        in said(told[3])
    )


@pytest.mark.parametrize(("rate", "factor"), [(1 / 7.5, 0), (2 / 7.5, -1), (0.3, -1.25)])
def test_the_mean_of_the_squares_says_which_rates_work(rate, factor):
    start, after = line.fit(line.FOUR_POINTS, 1, rate)
    assert 2 - after == pytest.approx(factor * (2 - start), abs=4e-14)


def test_the_answer_of_four_points_is_10_up_to_1e_10(told):
    answer = 5 * line.fit(line.FOUR_POINTS, 100)[-1]
    assert 0 < 10 - answer < 1e-10
    one = line.fit(line.ONE_POINT, 30)[-1]
    assert f"that is {5 * one:.2f}, since the weight has got no farther than {one:.3f}" in said(
        told[3]
    )


# ------------------------------------------------------------------------------------ article 4


@pytest.fixture(scope="module")
def by_numpy():
    """The weights of article 4 before, and after its iterations, computed with matrices alone."""
    inputs, targets = np.array(nine.INPUTS), np.array([nine.TARGETS]).T
    np.random.seed(1)
    start = weights = 2 * np.random.random((3, 1)) - 1
    losses = []
    for _ in range(10_000):
        out = 1 / (1 + np.exp(-inputs @ weights))
        losses.append(((targets - out) ** 2).sum() / 2)
        weights = weights + inputs.T @ ((targets - out) * out * (1 - out))
    return start[:, 0], weights[:, 0], losses


def test_the_engine_trains_the_weights_that_matrices_give(told, by_numpy):
    start, end, _ = by_numpy
    rows = {plain(row.what.en): row for row in told[4].rows}
    for i, names in enumerate(zip(start, end, strict=True), 1):
        for when, expected in zip(("at the start", "after 10,000 steps"), names, strict=True):
            assert rows[f"w{'₀₁₂₃'[i]} {when}"].got == pytest.approx(expected, abs=1e-9)


def test_the_loss_that_is_said_is_that_of_the_article_s_formula(by_numpy):
    _, _, losses = by_numpy
    assert (f"{losses[nine.FIRST_LOSSES]:.2g}", f"{losses[-1]:.2g}") == ("0.0078", "0.00013")
    assert losses == sorted(losses, reverse=True)


def test_the_answer_of_each_sample_is_its_first_input_and_its_third_is_1():
    assert tuple(x[0] for x in nine.INPUTS) == nine.TARGETS
    assert {x[2] for x in nine.INPUTS} == {1}
    assert nine.NEW_SITUATION[2] == 0


def test_the_slope_of_the_sigmoid_is_greatest_at_0():
    slopes = {}
    for z in range(-6, 7):
        x = Value(float(z))
        x.sigmoid().backward()
        slopes[z] = x.grad
    assert max(slopes, key=slopes.get) == 0
    assert [slopes[z] for z in range(7)] == sorted(slopes.values(), reverse=True)[::2]


def test_the_neuron_is_surer_of_the_new_situation_than_of_any_sample(by_numpy):
    weights = [Value(w) for w in by_numpy[1]]
    doubt = [
        abs(y - nine.predict(x, weights).data)
        for x, y in zip(nine.INPUTS, nine.TARGETS, strict=True)
    ]
    new = nine.predict(nine.NEW_SITUATION, weights).data
    assert 1 - new < min(doubt)
    assert new == Value(by_numpy[1][0]).sigmoid().data
    assert nine.predict((0, 0, 0), weights).data == 0.5


def test_the_update_of_the_nine_lines_is_the_gradient_of_half_the_squared_errors():
    weights = nine.initial_weights()
    nine.cost(weights).backward()
    update = nine.update(weights)
    assert [-w.grad for w in weights] == [pytest.approx(step, abs=4e-14) for step in update]
    assert [w.data for w in nine.neuron().w] == [w.data for w in weights]


# ------------------------------------------------------------------------------------ article 5


def test_a_line_fits_the_linear_data_and_not_the_others():
    def worst(points):
        x, y = np.array(points).T
        return np.abs(np.polyval(np.polyfit(x, y, 1), x) - y).max()

    assert worst(layers.LINE) < 0.2
    assert worst(layers.WAVE) > 0.6


def test_two_layers_without_activation_are_one():
    first = dense(layers.WEIGHTS_1, layers.BIASES_1)
    second = dense(layers.WEIGHTS_2, layers.BIASES_2)
    weights = np.array(layers.WEIGHTS_2) @ np.array(layers.WEIGHTS_1)
    one = layers.merged()
    assert np.allclose([[w.data for w in neuron.w] for neuron in one.neurons], weights, atol=4e-14)
    sample = (0.3, -1.0, 2.0, 0.7)
    for z, expected in zip(one(sample), second(first(sample)), strict=True):
        assert z.data == pytest.approx(expected.data, abs=4e-14)


@pytest.fixture(scope="module")
def spiral():
    generator = np.random.RandomState(0)
    points, classes = datasets.spiral(arms.SAMPLES, arms.CLASSES, random_state=generator)
    return points, classes, arms.network(generator)


def test_no_straight_line_separates_two_arms_of_the_spiral(spiral):
    points, classes, _ = spiral
    for a, b in combinations(range(3), 2):
        assert any(within(p, points[classes == b]) for p in points[classes == a][10:])


def within(point, others) -> bool:
    """Whether a point lies strictly inside the convex hull: others are in all directions."""
    angles = np.sort(np.arctan2(*(others - point).T))
    gaps = np.diff([*angles, angles[0] + 2 * np.pi])
    return bool(gaps.max() < np.pi)


def test_the_radius_and_the_angle_of_the_spiral_are_those_of_its_formula(spiral):
    points, _, _ = spiral
    noise = np.random.RandomState(0).randn(3, 100)
    r = np.linspace(0, 1, 100)
    for k in range(3):
        t = 4 * k + 4 * r + 0.2 * noise[k]
        arm = np.stack([r * np.sin(2.5 * t), r * np.cos(2.5 * t)], axis=1)
        assert np.allclose(points[100 * k : 100 * (k + 1)], arm, atol=1e-12)


def test_the_numbers_drawn_by_the_seed_0_are_shown(told):
    shown = [line for part in told[5].parts if isinstance(part, Display) for line in part.lines]
    for rows in (
        r"1.76 & 0.40 & 0.98 & 2.24 & 1.87 \\ -0.98 & 0.95 & -0.15 & -0.10 & 0.41",
        r"0.018 & 0.004 & 0.010 & 0.022 \\ 0.019 & -0.010 & 0.010 & -0.002",
    ):
        assert any(rows in line for line in shown)


def test_a_dead_neuron_is_0_for_every_sample_and_its_weights_get_no_gradient():
    parameters, activations = layers.rectified(bias=0)
    dot(activations, [1.0, 2.0, 3.0]).backward()
    assert [a.data for a in activations] == [0, 0, 0]
    assert [parameter.grad for parameter in parameters] == [0] * 5
    assert [a.grad for a in activations] == [1, 2, 3]
    weighted = [dot(layers.WEIGHTS_1[1], sample) for sample in layers.BATCH]
    assert max(weighted) < 0


def test_the_spiral_is_learned_to_at_least_95_percent(told):
    (row,) = [row for row in told[5].rows if row.relation == ">="]
    assert 0.95 <= row.got <= 1
    assert f"classifies {row.got:.1%} of its 300 training points correctly" in said(told[5])


def test_the_text_describes_the_network_of_the_spiral_correctly(spiral, told):
    points, classes, model = spiral
    assert "The network 2–16–16–3 has 371 parameters" in said(told[5])
    assert [len(layer.neurons) for layer in model.layers] == [16, 16, 3]
    assert len(model.parameters()) == 371
    assert {neuron.activation for layer in model.layers[:2] for neuron in layer.neurons} == {"sin"}
    by_values = [[logit.data for logit in model(point)] for point in points[::10].tolist()]
    assert np.allclose(predict(model, points[::10]), by_values, atol=1e-12)
    softmax = np.exp(by_values) / np.exp(by_values).sum(axis=1, keepdims=True)
    expected = -np.log(softmax[np.arange(30), classes[::10]]).mean()
    assert arms.mean_loss(model, points[::10], classes[::10]) == pytest.approx(expected)
