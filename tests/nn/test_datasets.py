"""`nn.datasets`: the numbers of scikit-learn and of the fifth article, splits and batches."""

import sys

import numpy as np
import pytest

from nn import datasets
from nn.datasets import batches, make_blobs, make_circles, make_moons, spiral, train_test_split, xor

SEEDS = range(4)


@pytest.fixture
def sklearn():
    pytest.importorskip("sklearn")
    from sklearn import datasets, model_selection

    return {**vars(datasets), **vars(model_selection)}


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert type(a) is type(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        assert np.array_equal(a, b)


# --------------------------------------------------------------------------- scikit-learn's numbers

FIGURES = [
    *(
        (name, (size,), options)
        for name in ("make_moons", "make_circles")
        for size in (1, 2, 3, 100, (3, 5), (10, 1))
        for options in ({}, {"noise": 0.1}, {"shuffle": False}, {"shuffle": False, "noise": 0.3})
    ),
    ("make_circles", (50,), {"factor": 0.25, "noise": 0.0}),
    *(("make_blobs", (size,), {}) for size in (5, 100, [3, 4, 5])),
    ("make_blobs", (50, 5), {"center_box": (0, 1)}),
    ("make_blobs", (50,), {"centers": 4, "cluster_std": [1, 2, 3, 0.5]}),
    ("make_blobs", (50,), {"centers": [[0, 0, 1], [1, 1, 1]], "shuffle": False}),
    ("make_blobs", ([1, 2],), {"centers": [[0, 0, 1], [1, 1, 1]]}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), FIGURES)
def test_a_figure_has_the_numbers_that_scikit_learn_gives(sklearn, name, arguments, options):
    for seed in SEEDS:
        ours = getattr(datasets, name)(*arguments, **options, random_state=seed)
        assert_same(ours, sklearn[name](*arguments, **options, random_state=seed))


SIZES = [{}, {"test_size": 0.33}, {"test_size": 10, "train_size": 0.5}, {"train_size": 30}]


@pytest.mark.parametrize(
    ("options", "stratified"),
    [(size, stratified) for size in SIZES for stratified in (False, True)]
    + [({"shuffle": False}, False), ({"train_size": 0.999}, False)],
)
def test_a_split_takes_the_rows_that_scikit_learn_takes(sklearn, options, stratified):
    for seed in SEEDS:
        y = np.random.RandomState(seed).randint(0, 4, size=97)
        data = np.arange(194.0).reshape(97, 2), y, y.tolist()
        chosen = {**options, "random_state": seed, "stratify": y if stratified else None}
        assert_same(train_test_split(*data, **chosen), sklearn["train_test_split"](*data, **chosen))


def test_without_a_seed_the_global_generator_draws_as_in_scikit_learn(sklearn):
    for draw in (
        lambda source: source["make_moons"](n_samples=100, noise=0.1),
        lambda source: source["train_test_split"](np.arange(50)),
    ):
        np.random.seed(1337)
        ours = draw(vars(datasets))
        np.random.seed(1337)
        assert_same(ours, draw(sklearn))


RECORDED = {
    "make_moons": [1.9157275946170713, 0.6969924447869893, -0.8733881470142222],
    "make_circles": [-0.4842724053829291, -0.49582787824056124, -0.3733881470142226],
    "make_blobs": [-0.03282494006429926, 2.712723997567322, 2.199311092593756],
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_figure_has_the_recorded_numbers(name):
    options = {} if name == "make_blobs" else {"noise": 0.1}
    X, y = getattr(datasets, name)(6, **options, random_state=0)
    # The generator gives the same bits everywhere; sines and cosines of at most 1 differ by 1 ulp.
    assert X.ravel()[:3] == pytest.approx(RECORDED[name], rel=0, abs=2.0**-51)
    assert y.tolist() == ([2, 1, 1, 2, 0, 0] if name == "make_blobs" else [1, 0, 0, 1, 0, 1])


def test_a_split_has_the_recorded_rows():
    assert train_test_split(list(range(8)), random_state=0) == [[1, 7, 3, 0, 5, 4], [6, 2]]
    classes = [0, 0, 0, 0, 0, 1, 1, 1]
    found = train_test_split(list(range(8)), test_size=3, random_state=0, stratify=classes)
    assert found == [[0, 5, 7, 2, 1], [4, 6, 3]]


# --------------------------------------------------------------------------------------- other data


def article_spiral(generator):
    """The spiral as the fifth article describes it."""
    points, classes = [], []
    for k in range(3):
        r = np.linspace(0.0, 1, 100)
        t = np.linspace(k * 4, (k + 1) * 4, 100) + generator.randn(100) * 0.2
        points += zip(r * np.sin(t * 2.5), r * np.cos(t * 2.5), strict=True)
        classes += [k] * 100
    return points, classes


def test_the_spiral_is_that_of_the_fifth_article_to_the_bit():
    points, classes = article_spiral(np.random.RandomState(0))
    X, y = spiral()
    assert X.tobytes() == np.array(points).tobytes()
    assert y.tolist() == classes


def test_the_spiral_leaves_the_generator_where_the_article_goes_on():
    ours, theirs = np.random.RandomState(0), np.random.RandomState(0)
    spiral(random_state=ours)
    article_spiral(theirs)
    assert ours.randn() == theirs.randn()


def test_the_spiral_has_as_many_arms_as_asked_for_within_the_unit_circle():
    X, y = spiral(20, 5, noise=0, random_state=1)
    assert X.shape == (100, 2)
    assert np.bincount(y).tolist() == [20] * 5
    assert np.hypot(*X.T) == pytest.approx(np.tile(np.linspace(0, 1, 20), 5), abs=1e-15)


def test_exclusive_or_repeats_the_four_corners():
    X, y = xor(10)
    assert y.tolist() == [0, 1, 1, 0, 0, 1, 1, 0, 0, 1]
    assert ((X[:, 0] != X[:, 1]) == y).all()
    blurred, same = xor(10, noise=0.1, random_state=0)
    assert same.tolist() == y.tolist()
    assert 0 < np.abs(blurred - X).max() < 0.5


def test_yin_and_yang_lie_in_a_disc_and_turn_into_each_other():
    X, y = datasets.yin_yang(3000, random_state=0)
    assert np.bincount(y).tolist() == [1000] * 3
    assert np.hypot(*X.T).max() <= 2
    left, right = np.hypot(X[:, 0] + 1, X[:, 1]), np.hypot(X[:, 0] - 1, X[:, 1])
    assert ((np.minimum(left, right) <= 0.4) == (y == 2)).all()
    outside = (left > 1) & (right > 1)
    assert set(y[left < 1]) == {0, 2} == set(y[outside & (X[:, 1] > 0)]) | {2}
    assert set(y[right < 1]) == {1, 2} == set(y[outside & (X[:, 1] < 0)]) | {2}


def test_the_toy_data_of_the_lecture_are_four_samples_with_signs():
    X, y = datasets.karpathy_toy()
    assert X.tolist()[1] == [3.0, -1.0, 0.5]
    assert y.tolist() == [1, -1, -1, 1]


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("digits", (1797, 64), 10), ("iris", (150, 4), 3), ("diabetes", (442, 10), None)],
)
def test_real_data_come_from_scikit_learn(sklearn, name, shape, classes):
    X, y = getattr(datasets, f"load_{name}")()
    assert X.shape == shape
    assert len(y) == len(X)
    assert classes is None or set(y.tolist()) == set(range(classes))


@pytest.mark.parametrize("name", ["digits", "iris", "diabetes"])
def test_without_scikit_learn_real_data_say_what_to_install(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=f"load_{name} needs scikit-learn: pip install"):
        getattr(datasets, f"load_{name}")()


@pytest.mark.parametrize(
    "make", [make_moons, make_circles, make_blobs, spiral, xor, datasets.yin_yang]
)
def test_the_same_seed_gives_the_same_numbers_and_another_gives_others(make):
    options = {"noise": 0.1} if make in (make_moons, make_circles, xor) else {}
    first, again, other = (make(30, random_state=seed, **options)[0] for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes() != other.tobytes()


# ------------------------------------------------------------------------------- splits and batches


def test_a_split_parts_every_sample_once():
    X = np.arange(40).reshape(20, 2)
    X_train, X_test, y_train, y_test = train_test_split(X, X[:, 0], test_size=0.3, random_state=1)
    assert len(X_test) == 6
    assert sorted([*y_train, *y_test]) == X[:, 0].tolist()
    assert (X_train[:, 0] == y_train).all()
    assert (X_test[:, 0] == y_test).all()


def test_a_stratified_split_keeps_the_share_of_every_class():
    y = np.repeat(["few", "many"], [10, 90])
    _, test = train_test_split(y, test_size=0.2, random_state=0, stratify=y)
    assert sorted(test.tolist()) == ["few"] * 2 + ["many"] * 18


def test_batches_hold_every_sample_once_and_the_last_may_be_short():
    chosen = list(batches(10, 4, 0))
    assert [len(batch) for batch in chosen] == [4, 4, 2]
    assert sorted(np.concatenate(chosen).tolist()) == list(range(10))
    assert [batch.tolist() for batch in batches(5, 2, shuffle=False)] == [[0, 1], [2, 3], [4]]
    assert [len(batch) for batch in batches(10, None, 0)] == [10]
    assert [len(batch) for batch in batches(3, 100, 0)] == [3]


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_a_generator_continues_from_epoch_to_epoch_and_a_seed_starts_again(make):
    generator, expected = make(5), make(5)
    for _ in range(3):
        order = np.concatenate(list(batches(10, 4, generator)))
        assert order.tolist() == expected.permutation(10).tolist()
    first, again = (np.concatenate(list(batches(10, 4, 7))).tolist() for _ in range(2))
    assert first == again


def test_the_order_of_batches_is_drawn_at_once():
    generator = np.random.RandomState(0)
    waiting = batches(10, 4, generator)
    generator.randn()
    assert next(waiting).tolist() == np.random.RandomState(0).permutation(10)[:4].tolist()


# ------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("size", [0, -1, 2.5, "10", None, True, (1,), (1, 2, 3), (0, 5)])
def test_a_bad_size_is_a_value_error_that_names_it(size):
    for make in (make_moons, make_circles):
        with pytest.raises(ValueError, match="n_samples is"):
            make(size)


@pytest.mark.parametrize("size", [0, -1, 2.5, "10", None, True])
def test_a_bad_number_of_samples_is_a_value_error(size):
    for call in (
        lambda: spiral(size),
        lambda: spiral(10, size),
        lambda: xor(size),
        lambda: datasets.yin_yang(size),
        lambda: batches(size, 3, 0),
        lambda: make_blobs(10, size),
    ):
        with pytest.raises(ValueError, match="is a whole number of at least 1, got"):
            call()
    if size is not None:
        with pytest.raises(ValueError, match="batch_size is a whole number of at least 1"):
            batches(10, size, 0)


@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf"), "much", True])
def test_a_bad_noise_is_a_value_error_that_names_it(noise):
    for make in (make_moons, make_circles, spiral, xor):
        with pytest.raises(ValueError, match="the standard deviation noise is a"):
            make(noise=noise)
    with pytest.raises(ValueError, match="the standard deviation cluster_std is a"):
        make_blobs(cluster_std=[noise, 1, 1])


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "0", np.random.default_rng(0)])
def test_a_bad_seed_is_a_value_error_that_names_what_may_be_given(seed):
    for call in (make_moons, make_circles, make_blobs, spiral, xor, datasets.yin_yang):
        with pytest.raises(ValueError, match="random_state is an int from 0"):
            call(random_state=seed)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: make_circles(factor=1), "the radius factor is a number"),
        (lambda: make_circles(factor="half"), "the radius factor is a number"),
        (lambda: make_blobs(centers=[[1, 2], [3, float("nan")]]), "centers is a row of finite"),
        (lambda: make_blobs(centers=[]), "centers is a row of finite"),
        (lambda: make_blobs(centers=0), "centers is a whole number of at least 1"),
        (lambda: make_blobs([3, 4], centers=3), "n_samples has 2 entries for 3 centres"),
        (lambda: make_blobs([3, 0]), "n_samples is a whole number of at least 1"),
        (lambda: make_blobs(cluster_std=[1, 1]), "cluster_std has 2 entries for 3 centres"),
        (lambda: make_blobs(center_box=(1, 0)), "center_box is"),
        (lambda: train_test_split(), "at least one array"),
        (lambda: train_test_split([]), "no samples"),
        (lambda: train_test_split([1, 2], [1, 2, 3]), "different lengths: 2, 3"),
        (lambda: train_test_split([1, 2], stratify=[1, 1, 1]), "different lengths: 2, 3"),
        (lambda: train_test_split([1]), "at least one is for training"),
        (lambda: train_test_split([1, 2], test_size=0), "test_size is a share between 0 and 1"),
        (lambda: train_test_split([1, 2], test_size=1.5), "test_size is a share between 0 and 1"),
        (lambda: train_test_split([1, 2], test_size=2), "number of rows between 0 and the 2"),
        (lambda: train_test_split([1, 2], train_size="1"), "train_size is a finite number"),
        (lambda: train_test_split([1, 2, 3], train_size=2, test_size=2), "none is in both parts"),
        (lambda: train_test_split([1, 2, 3], train_size=0.1), "at least one is for training"),
        (lambda: train_test_split([1, 2], stratify=[0, 0], shuffle=False), "shuffle=True"),
        (lambda: train_test_split([1, 2, 3], stratify=[0, 0, 1]), r"there is one of \[1\]"),
        (lambda: train_test_split([1] * 4, stratify=[0, 0, 1, 1]), "2 classes do not fit into"),
        (lambda: train_test_split([1, 2], stratify=[[0], [0]]), "one label for each sample"),
    ],
)
def test_bad_arguments_are_a_value_error_that_says_why(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()
