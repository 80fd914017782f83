"""`nn.sklearn`: networks as estimators of scikit-learn."""

from __future__ import annotations

import math
import pickle
import warnings
from inspect import signature

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import (
    load_diabetes,
    load_iris,
    make_classification,
    make_multilabel_classification,
)
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import check_estimator

from nn import samples, training
from nn.sklearn import MLPClassifier, MLPRegressor, perceptron

BOTH = (MLPClassifier, MLPRegressor)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def small(kind, **options):
    return kind(hidden_layer_sizes=(8,), max_iter=20, random_state=0, **options)


@pytest.mark.slow
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks_pass(kind):
    estimator = kind(hidden_layer_sizes=(10,), learning_rate_init=0.03, max_iter=50)
    results = check_estimator(estimator, on_fail=None)
    failed = {
        each["check_name"]: each["exception"] for each in results if each["status"] == "failed"
    }
    assert failed == {}
    assert sum(each["status"] == "passed" for each in results) > 40


@pytest.mark.parametrize("kind", BOTH)
def test_parameters_have_the_names_and_defaults_of_scikit_learn(kind):
    theirs = getattr(neural_network, kind.__name__)().get_params()
    ours = kind().get_params()
    assert ours.pop("class_weight", None) is None  # as in their other classifiers
    assert ours == {name: theirs[name] for name in ours}


def test_a_classifier_learns_irises_in_a_pipeline():
    X, y = load_iris(return_X_y=True, as_frame=False)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    pipeline = make_pipeline(
        StandardScaler(),
        MLPClassifier((16,), max_iter=100, tol=0, learning_rate_init=0.01, random_state=0),
    )
    scores = cross_val_score(pipeline, X, names, cv=3)
    assert scores.mean() > 0.93
    pipeline.fit(X, names)
    probabilities = pipeline.predict_proba(X)
    assert pipeline.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(150), abs=1e-12)
    assert (pipeline.classes_[probabilities.argmax(axis=1)] == pipeline.predict(X)).all()


def test_a_regressor_learns_and_two_classes_have_one_output():
    X, y = load_diabetes(return_X_y=True)
    regressor = MLPRegressor((16,), learning_rate_init=0.01, max_iter=100, random_state=0)
    pipeline = make_pipeline(StandardScaler(), regressor)
    assert pipeline.fit(X, (y - y.mean()) / y.std()).score(X, (y - y.mean()) / y.std()) > 0.5
    classifier = small(MLPClassifier).fit(X, y > 150)
    assert classifier.n_outputs_ == 1
    assert classifier.predict(X).dtype == bool
    assert classifier.predict_proba(X).shape == (442, 2)
    assert (np.log(classifier.predict_proba(X)) == classifier.predict_log_proba(X)).all()


def test_predictions_are_computed_from_the_weights_that_are_shown():
    X, y = make_classification(60, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
    network = small(MLPClassifier, activation="tanh").fit(X, y)
    (first, last), (b, c) = network.coefs_, network.intercepts_
    assert first.shape == (5, 8)
    logits = np.tanh(X @ first + b) @ last + c
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert network.predict_proba(X) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", BOTH)
def test_a_seed_makes_training_reproducible_and_a_pickle_keeps_it(kind):
    X, y = make_classification(50, 4, random_state=0)
    first, second = small(kind).fit(X, y), clone(small(kind)).fit(X, y)
    assert first.loss_curve_ == second.loss_curve_
    assert (first.predict(X) == second.predict(X)).all()
    again = pickle.loads(pickle.dumps(first))
    assert (again.predict(X) == first.predict(X)).all()
    assert again.history_["loss"] == first.loss_curve_


@pytest.mark.slow
def test_a_grid_is_searched():
    X, y = make_classification(60, 4, random_state=0)
    grid = {"activation": ["relu", "logistic", "identity"], "alpha": [0.0, 0.1]}
    search = GridSearchCV(small(MLPClassifier), grid, cv=2).fit(X, y)
    assert search.best_params_["activation"] in grid["activation"]


@pytest.mark.parametrize("kind", BOTH)
def test_early_stopping_keeps_the_best_score(kind):
    X, y = make_classification(80, 4, random_state=0)
    network = small(kind, early_stopping=True, n_iter_no_change=3).fit(X, y)
    best = int(np.argmax(network.validation_scores_))
    assert network.history_.best_epoch <= best + 1
    assert network.n_iter_ == len(network.loss_curve_) <= 20


def test_training_that_has_not_converged_warns_as_scikit_learn_does():
    X, y = make_classification(50, 4, random_state=0)
    with pytest.warns(ConvergenceWarning, match="20 epochs"):
        small(MLPClassifier, tol=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(MLPClassifier, tol=10.0).fit(X, y)


def test_an_unknown_solver_or_activation_is_refused():
    X, y = make_classification(50, 4, random_state=0)
    with pytest.raises(ValueError, match="unknown solver 'newton'"):
        small(MLPClassifier, solver="newton").fit(X, y)
    with pytest.raises(ValueError, match="unknown activation 'reluu'"):
        small(MLPClassifier, activation="reluu").fit(X, y)


# Values of each parameter that are refused.
WRONG = {
    "hidden_layer_sizes": [(10.5,), (0,), (-1,), 0, 2.5, "10", (True,), None, [[3]], {"a": 1}],
    "activation": ["reluu", "add", None, 3, ["relu"]],
    "solver": ["newton", "", None, 3, ["adam"]],
    "alpha": [-1, math.nan, math.inf, "0.1", None, True],
    "batch_size": [0, -1, 2.5, "all", None, True],
    "learning_rate": ["faster", "", None, 3],
    "power_t": [-0.1, math.nan, math.inf, "0.5", None, True],
    "learning_rate_init": [0, -0.1, math.nan, math.inf, "0.1", None, True],
    "max_iter": [0, -1, 2.5, "10", None, True, math.inf],
    "shuffle": ["False", 0, None],
    "random_state": [-1, 0.5, "0", [1]],
    "tol": [-1e-9, math.nan, math.inf, "0", None, True],
    "verbose": ["no", -1, 0.5, None],
    "momentum": [-0.1, 1.1, math.nan, "0.9", None, True],
    "nesterovs_momentum": ["False", 1, None],
    "early_stopping": ["False", 1, None],
    "validation_fraction": [1, 1.0, -0.1, math.nan, "0.1", None, True],
    "beta_1": [-0.1, 1.0, math.nan, "0.9", None, True],
    "beta_2": [-0.1, 1.0, math.nan, "0.9", None, True],
    "epsilon": [0, -1e-8, math.nan, math.inf, "1e-8", None, True],
    "n_iter_no_change": [0, -1, 2.5, "10", None, True],
    "warm_start": ["False", 1, None],
    "max_fun": [0, -1, 2.5, "10", None, True],
    "class_weight": ["even", 3, [1.0, 2.0], {0: -1.0}, {0: "1"}],
}


@pytest.mark.parametrize("kind", BOTH)
def test_every_parameter_out_of_range_is_refused_by_its_name_when_fit_is_called(kind):
    unknown = {"class_weight"} if kind is MLPRegressor else set()
    assert set(kind().get_params()) == set(WRONG) - unknown
    X, y = make_classification(20, 4, random_state=0)
    for name in kind().get_params():
        for value in WRONG[name]:
            estimator = kind(**{name: value})  # the constructor takes everything
            with pytest.raises(ValueError, match=f"'{name}' parameter of {kind.__name__}"):
                estimator.fit(X, y)
            assert not hasattr(estimator, "model_")


def test_parameters_may_be_numbers_of_numpy():
    X, y = make_classification(20, 4, random_state=0)
    plain = small(MLPClassifier, batch_size=7, alpha=0.5, momentum=0.5, shuffle=True).fit(X, y)
    numpy = small(
        MLPClassifier,
        batch_size=np.int64(7),
        alpha=np.float32(0.5),
        momentum=np.float64(0.5),
        shuffle=np.True_,
    ).set_params(hidden_layer_sizes=np.array([8]))
    assert numpy.fit(X, y).loss_curve_ == plain.loss_curve_


def test_each_class_gives_its_share_to_early_stopping(monkeypatch):
    X, y = make_classification(100, 4, weights=[0.9], flip_y=0, random_state=0)
    seen = []

    def watched(*args, **options):
        options["callbacks"] = lambda state: seen.append(state.y)
        return training.fit(*args, **options)

    monkeypatch.setattr("nn.sklearn.perceptron.fit", watched)
    small(MLPClassifier, early_stopping=True, validation_fraction=0.2).fit(X, y)
    kept, held = seen[0], 0.2 * np.bincount(y)
    assert np.bincount(kept.ravel().astype(int)) == pytest.approx(np.bincount(y) - held, abs=1)


def test_early_stopping_refuses_one_held_out_sample_and_warns_of_few():
    X, y = make_classification(40, 4, random_state=0)
    for kind in BOTH:
        with pytest.raises(ValueError, match="is at most one sample, which has no score"):
            small(kind, early_stopping=True).fit(X[:10], y[:10])
        with pytest.warns(
            UserWarning, match="of 4 samples, where the best epoch is best by chance"
        ):
            small(kind, early_stopping=True).fit(X, y)


def test_targets_may_have_one_column():
    X, y = make_classification(30, 4, random_state=0)
    flat = small(MLPRegressor).fit(X, y)
    with pytest.warns(DataConversionWarning):
        column = small(MLPRegressor).fit(X, y[:, None])
    assert (column.predict(X) == flat.predict(X)).all()
    assert column.predict(X).shape == (30,)


@pytest.mark.parametrize("names", [[True, False, True], ["b", "a", "c"], [7, -2, 30]])
def test_probabilities_are_in_the_order_of_the_classes(names):
    X, y = load_iris(return_X_y=True)
    labels = np.array(names)[y]
    network = MLPClassifier((8,), learning_rate_init=0.05, max_iter=60, random_state=0)
    network.fit((X - X.mean(axis=0)) / X.std(axis=0), labels)
    assert network.classes_.tolist() == sorted(set(labels.tolist()))
    probabilities = network.predict_proba((X - X.mean(axis=0)) / X.std(axis=0))
    assert probabilities.shape == (150, len(set(names)))
    for k, name in enumerate(network.classes_):
        # The mean probability of a class is largest where it is the class.
        assert probabilities[labels == name, k].mean() > probabilities[labels != name, k].mean()


# ------------------------------------------------------- weights, steps, several outputs, sparse X

POINTS, GROUPS = make_classification(60, 6, n_informative=4, n_classes=3, random_state=0)
LABELS = make_multilabel_classification(60, 6, n_classes=3, random_state=0)[1]
# Theirs have weights since version 1.7.
they_weigh = pytest.mark.skipif(
    "sample_weight" not in signature(neural_network.MLPClassifier.fit).parameters,
    reason="pip install 'scikit-learn>=1.7' to compare with it",
)
WEIGHTS = np.where(np.arange(60) == 3, 0.0, np.random.default_rng(0).random(60))
TASKS = {
    "classes": (MLPClassifier, GROUPS),
    "two classes": (MLPClassifier, np.array(["no", "yes"])[(GROUPS > 0).astype(int)]),
    "labels": (MLPClassifier, LABELS),
    "numbers": (MLPRegressor, 1.5 * GROUPS),
    "two numbers": (MLPRegressor, np.column_stack([1.5 * GROUPS, POINTS[:, 0]])),
}


def with_equal_weights(kind, y, **options):
    """Our estimator and that of scikit-learn, trained a little, with the same weights."""
    options = {"hidden_layer_sizes": (5, 4), "warm_start": True, "tol": 1e-9} | options
    options |= {"shuffle": False, "activation": "tanh", "random_state": 0}
    ours = kind(max_iter=1, **options).fit(POINTS, y)
    theirs = getattr(neural_network, kind.__name__)(max_iter=1, **options).fit(POINTS, y)
    theirs.coefs_, theirs.intercepts_ = ours.coefs_, ours.intercepts_
    theirs.best_loss_ = ours.best_loss_
    return ours.set_params(max_iter=6), theirs.set_params(max_iter=6)


def largest_difference(ours, theirs):
    pairs = zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True)
    return max(np.abs(one - other).max() for one, other in pairs)


@pytest.mark.slow
@they_weigh
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize(
    ("task", "solver"),
    # Their loss of several outputs is a mean, and its gradient that of the sum.
    [
        *((task, solver) for task in TASKS for solver in ("adam", "sgd")),
        *((task, "lbfgs") for task in [*TASKS][:-1]),
    ],
)
def test_training_agrees_with_scikit_learn(task, solver, weights):
    kind, y = TASKS[task]
    ours, theirs = with_equal_weights(kind, y, solver=solver, alpha=0.1)
    for each in (ours, theirs):
        each.fit(POINTS, y, sample_weight=weights)
    assert largest_difference(ours, theirs) < 1e-10
    assert ours.n_iter_ == theirs.n_iter_ == 6
    if task != "two numbers":
        assert ours.loss_ == pytest.approx(theirs.loss_, abs=1e-10)
    assert ours.score(POINTS, y, weights) == pytest.approx(theirs.score(POINTS, y, weights))
    if kind is MLPClassifier:
        assert ours.predict_proba(POINTS) == pytest.approx(theirs.predict_proba(POINTS), abs=1e-10)
        assert (ours.predict(POINTS) == theirs.predict(POINTS)).all()
    else:
        assert ours.predict(POINTS) == pytest.approx(theirs.predict(POINTS), abs=1e-10)


@pytest.mark.slow
@they_weigh
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("task", TASKS)
def test_partial_fit_agrees_with_scikit_learn(task, solver):
    kind, y = TASKS[task]
    ours, theirs = with_equal_weights(kind, y, solver=solver, alpha=0.1)
    for each in (ours, theirs):
        del each.__dict__["_learned" if each is ours else "_optimizer"]
        for rows in (slice(0, 20), slice(20, 60), slice(0, 20)):
            each.partial_fit(POINTS[rows], y[rows], sample_weight=WEIGHTS[rows])
    assert largest_difference(ours, theirs) < 1e-10
    assert len(ours.loss_curve_) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("invscaling", {"n_iter_no_change": 100, "power_t": 0.3}),
        ("adaptive", {"n_iter_no_change": 2, "tol": 0.01}),
    ],
)
def test_the_learning_rate_of_sgd_changes_as_in_scikit_learn(rule, options):
    options |= {"solver": "sgd", "learning_rate": rule, "learning_rate_init": 0.3, "alpha": 0.1}
    ours, theirs = with_equal_weights(MLPClassifier, GROUPS, **options)
    for each in (ours, theirs):
        each.set_params(max_iter=70).fit(POINTS, GROUPS)
    assert largest_difference(ours, theirs) < 1e-10
    assert ours._learned.lr == pytest.approx(theirs._optimizer.learning_rate)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
    assert (ours.n_iter_ < 70) == (rule == "adaptive")
    for each in (ours, theirs):  # which goes on with the rate of the last epoch
        each.partial_fit(POINTS[:20], GROUPS[:20])
    assert largest_difference(ours, theirs) < 1e-10
    assert ours.t_ == theirs.t_


@they_weigh
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("task", TASKS)
def test_the_penalty_of_a_smaller_last_batch_is_divided_by_the_weight_of_this_batch(task, weights):
    kind, y = TASKS[task]
    ours, theirs = with_equal_weights(kind, y, alpha=2.0, batch_size=25, learning_rate_init=0.1)
    for each in (ours, theirs):
        each.fit(POINTS, y, sample_weight=weights)
    assert largest_difference(ours, theirs) < 1e-10
    if task != "two numbers":
        assert ours.loss_curve_[-6:] == pytest.approx(theirs.loss_curve_[-6:], abs=1e-10)
    before = ours.coefs_[0].copy()
    for each in (ours, theirs):  # another penalty takes effect
        each.set_params(alpha=0.0).fit(POINTS, y, sample_weight=weights)
    assert largest_difference(ours, theirs) < 1e-10
    assert (ours.coefs_[0] != before).any()


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize(("patience", "tol"), [(1, 1e-2), (3, 1e-3)])
def test_training_ends_after_as_many_epochs_as_in_scikit_learn(solver, patience, tol):
    options = {"solver": solver, "n_iter_no_change": patience, "tol": tol, "batch_size": 25}
    ours, theirs = with_equal_weights(MLPClassifier, GROUPS, learning_rate_init=0.03, **options)
    counts = []
    for _ in range(3):  # a warm start goes on counting
        for each in (ours, theirs):
            each.set_params(max_iter=200).fit(POINTS, GROUPS)
        assert ours.n_iter_ == theirs.n_iter_
        assert ours.best_loss_ == pytest.approx(theirs.best_loss_, abs=1e-10)
        counts.append(ours.n_iter_)
    assert largest_difference(ours, theirs) < 1e-10
    assert patience < counts[0] < 200
    assert ours.history_.end == "early stopping"


@pytest.mark.slow
@pytest.mark.parametrize("task", ["classes", "two classes", "labels", "numbers"])
@pytest.mark.parametrize("rule", ["constant", "adaptive"])
def test_early_stopping_ends_and_restores_as_in_scikit_learn(task, rule, monkeypatch):
    kind, y = TASKS[task]
    rows = np.arange(60)
    split = (rows[:40], rows[40:])
    monkeypatch.setattr(  # both hold out the same samples
        "nn.requests.held_out",
        lambda _, X, y, *rest: (X[:40], y[:40], None, (X[40:], y[40:], None)),
    )
    monkeypatch.setattr(
        "sklearn.neural_network._multilayer_perceptron.train_test_split",
        lambda *arrays, **options: [each[part] for each in arrays for part in split],
    )
    options = {"early_stopping": True, "validation_fraction": 20 / 60, "n_iter_no_change": 2}
    options |= {"solver": "sgd", "learning_rate": rule, "learning_rate_init": 0.3, "tol": 0.01}
    ours, theirs = with_equal_weights(kind, y, **options)
    theirs.best_validation_score_, theirs._no_improvement_count = -math.inf, 0
    for each in (ours, theirs):
        each.set_params(max_iter=150).fit(POINTS, y)
    assert 3 < ours.n_iter_ == theirs.n_iter_ < 150
    assert largest_difference(ours, theirs) < 1e-10
    assert ours.validation_scores_[1:] == pytest.approx(theirs.validation_scores_[1:], abs=1e-10)
    assert ours.best_loss_ is theirs.best_loss_ is None


def test_training_without_patience_does_all_epochs_as_in_scikit_learn():
    for kind in (MLPClassifier, neural_network.MLPClassifier):
        network = kind((3,), tol=10.0, n_iter_no_change=math.inf, max_iter=15, random_state=0)
        assert network.fit(POINTS, GROUPS).n_iter_ == 15
        network.set_params(validation_fraction=0.0, max_iter=2).fit(POINTS, GROUPS)
    with pytest.raises(ValueError, match=r"validation_fraction=0\.0 of 60 samples"):
        small(MLPClassifier, validation_fraction=0.0, early_stopping=True).fit(POINTS, GROUPS)


def test_the_last_epoch_may_be_the_one_that_ends_training():
    network = MLPClassifier((3,), tol=10.0, n_iter_no_change=2, max_iter=4, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it has converged
        network.fit(POINTS, GROUPS)
    assert (network.n_iter_, network.history_.end) == (4, "early stopping")
    assert network.validation_scores_ is network.best_validation_score_ is None


def test_an_adaptive_rate_keeps_the_weights_of_the_best_score():
    options = {"early_stopping": True, "validation_fraction": 0.5, "n_iter_no_change": 1}
    options |= {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1}
    network = small(MLPClassifier, **options).set_params(max_iter=100).fit(POINTS, GROUPS)
    assert network.n_iter_ < 100
    assert network._learned.lr <= 1e-6
    assert network.best_validation_score_ == max(network.validation_scores_)
    assert network.history_.best_epoch <= 1 + np.argmax(network.validation_scores_)


@pytest.mark.parametrize("task", TASKS)
def test_the_activation_of_the_outputs_has_the_name_that_scikit_learn_gives_it(task):
    kind, y = TASKS[task]
    ours = kind(hidden_layer_sizes=(2,), max_iter=1).fit(POINTS, y)
    theirs = getattr(neural_network, kind.__name__)(max_iter=1).fit(POINTS, y)
    assert ours.out_activation_ == theirs.out_activation_


def test_a_first_partial_fit_needs_all_classes_and_later_ones_may_lack_some():
    network = small(MLPClassifier)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        network.partial_fit(POINTS, GROUPS)
    first = GROUPS == 0
    network.partial_fit(POINTS[first], GROUPS[first], classes=[0, 1, 2])
    network.partial_fit(POINTS, GROUPS)
    assert network.predict_proba(POINTS).shape == (60, 3)
    with pytest.raises(ValueError, match=r"made for the classes \[0, 1, 2\], and `y` has \[0, 9\]"):
        network.partial_fit(POINTS[:2], [0, 9])
    with pytest.raises(ValueError, match="expecting 6 features"):
        network.partial_fit(POINTS[:, :5], GROUPS)
    assert not hasattr(small(MLPClassifier, solver="lbfgs"), "partial_fit")
    with pytest.raises(ValueError, match="does not support early_stopping"):
        small(MLPClassifier, early_stopping=True).partial_fit(POINTS, GROUPS, classes=[0, 1, 2])


def test_a_warm_start_continues_with_the_same_network_only():
    network = small(MLPClassifier, warm_start=True).fit(POINTS, GROUPS)
    before = network.loss_curve_
    network.fit(POINTS, GROUPS)
    assert network.loss_curve_[:20] == before
    assert (len(network.loss_curve_), network.n_iter_) == (40, 20)
    assert network.loss_curve_[20] < before[0]
    with pytest.raises(ValueError, match=r"made for the classes \[0, 1, 2\]"):
        network.fit(POINTS, np.minimum(GROUPS, 1))
    with pytest.raises(ValueError, match=r"layers of \[8, 3\] neurons, not \[9, 3\]"):
        network.set_params(hidden_layer_sizes=9).fit(POINTS, GROUPS)
    network.set_params(hidden_layer_sizes=8, activation="tanh")
    with pytest.raises(ValueError, match="has the activation 'relu', not 'tanh'"):
        network.fit(POINTS, GROUPS)
    with pytest.raises(ValueError, match="made for one class of each sample"):
        network.fit(POINTS, LABELS)
    network = small(MLPClassifier, warm_start=True, activation="logistic").fit(POINTS, GROUPS)
    network.set_params(activation="sigmoid").fit(POINTS, GROUPS)  # another name of the same one
    assert len(network.loss_curve_) == 40


def test_a_weight_of_two_counts_as_two_samples_and_a_class_weight_as_one_of_each_sample():
    twice = np.concatenate([np.arange(60), np.flatnonzero(GROUPS == 1)])
    options = {"activation": "tanh", "shuffle": False}
    doubled = small(MLPClassifier, **options).fit(POINTS[twice], GROUPS[twice])
    weighted = small(MLPClassifier, **options).fit(POINTS, GROUPS, 1.0 + (GROUPS == 1))
    classes = small(MLPClassifier, class_weight={1: 2.0}, alpha=0.0, **options).fit(POINTS, GROUPS)
    free = small(MLPClassifier, alpha=0.0, **options).fit(POINTS, GROUPS, 1.0 + (GROUPS == 1))
    assert largest_difference(doubled, weighted) < 1e-5  # Adam divides by small numbers
    assert weighted.loss_curve_ == pytest.approx(doubled.loss_curve_, abs=1e-8)
    assert classes.loss_curve_ == free.loss_curve_


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_balanced_classes_have_the_weights_of_scikit_learn(solver):
    few = np.flatnonzero((GROUPS > 0) | (np.arange(60) % 4 == 0))
    X, y = POINTS[few], np.array(["b", "c", "a"])[GROUPS[few]]
    options = {"solver": solver, "alpha": 0.0}
    balanced = small(MLPClassifier, class_weight="balanced", **options).fit(X, y)
    weights = compute_sample_weight("balanced", y)
    weighted = small(MLPClassifier, **options).fit(X, y, weights)
    assert balanced.loss_curve_ == pytest.approx(weighted.loss_curve_, abs=1e-10)


def test_class_weights_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="are not in class_weight"):
        small(MLPClassifier, class_weight={"a": 2.0}).fit(POINTS, GROUPS)
    with pytest.raises(ValueError, match="give sample_weight"):
        small(MLPClassifier, class_weight="balanced").fit(POINTS, LABELS)
    with pytest.raises(ValueError, match="needs all samples, and partial_fit sees some"):
        small(MLPClassifier, class_weight="balanced").partial_fit(POINTS, GROUPS, classes=[0, 1, 2])


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_sparse_inputs_are_learned_from_like_dense_ones(task, monkeypatch):
    kind, y = TASKS[task]
    X = np.where(np.abs(POINTS) < 0.5, 0.0, POINTS)
    dense = small(kind).fit(X, y)
    for make in (sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix):
        network = small(kind).fit(make(X), y)
        assert network.loss_curve_ == dense.loss_curve_
        assert (network.predict(make(X)) == dense.predict(X)).all()
    monkeypatch.setattr(samples, "MOST_DENSE", 100)
    assert (network.predict(sparse.csr_matrix(X)) == dense.predict(X)).all()  # in blocks of rows
    with pytest.raises(ValueError, match=r"sparse matrix of shape \(60, 6\), which would take"):
        network.fit(sparse.csr_matrix(X), y)


@pytest.mark.parametrize("y", [LABELS + 1, -LABELS, GROUPS[:, None] + [[0, 1]]])
def test_columns_of_a_classifier_are_labels_that_are_0_or_1(y):
    with pytest.raises(ValueError, match="labels that are 0 or 1"):
        small(MLPClassifier).fit(POINTS, y)


@pytest.mark.parametrize("task", TASKS)
def test_early_stopping_scores_held_out_samples_in_every_task(task):
    kind, y = TASKS[task]
    network = small(kind, early_stopping=True, validation_fraction=0.2)
    network.fit(POINTS, y, np.ones(60))
    assert len(network.validation_scores_) == network.n_iter_
    assert network.history_.best_epoch == 1 + int(np.argmax(network.validation_scores_))


def test_lbfgs_ends_where_the_gradient_is_small_or_warns():
    network = MLPClassifier((3,), solver="lbfgs", alpha=1.0, tol=1e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network.fit(POINTS, GROUPS)
    assert 0 < network.n_iter_ < 200
    assert clone(network).set_params(tol=10.0).fit(POINTS, GROUPS).n_iter_ == 0
    assert np.diff(network.loss_curve_).max() <= 0
    with pytest.warns(ConvergenceWarning, match="lbfgs ended after 2 iterations"):
        network.set_params(max_iter=2).fit(POINTS, GROUPS)


def test_steps_with_the_same_options_compile_once(monkeypatch):
    made = []
    compiled = perceptron._Penalised
    monkeypatch.setattr(
        perceptron, "_Penalised", lambda *args: made.append(args) or compiled(*args)
    )
    network, plain = small(MLPRegressor), small(MLPRegressor)
    for _ in range(3):
        network.partial_fit(POINTS, GROUPS)
    assert len(made) == 1
    again = pickle.loads(pickle.dumps(network))
    for each in (network, again):
        each.set_params(alpha=0.5).partial_fit(POINTS, GROUPS)
        each.partial_fit(POINTS, GROUPS, sample_weight=np.arange(60))
    assert len(made) == 4  # again after the pickle, and each with weights
    assert largest_difference(network, again) == 0
    for _ in range(3):
        vars(plain).pop("_kept", None)
        plain.partial_fit(POINTS, GROUPS)
    assert plain.loss_curve_ == network.loss_curve_[:3]
