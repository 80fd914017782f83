"""`nn.sklearn`: networks as estimators of scikit-learn."""

from __future__ import annotations

import math
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import nn.sklearn
from nn import training
from nn.sklearn import MLPClassifier, MLPRegressor

BOTH = (MLPClassifier, MLPRegressor)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def small(kind, **options):
    return kind(hidden_layer_sizes=(8,), max_iter=20, random_state=0, **options)


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
    "learning_rate_init": [0, -0.1, math.nan, math.inf, "0.1", None, True],
    "max_iter": [0, -1, 2.5, "10", None, True, math.inf],
    "shuffle": ["False", 0, None],
    "random_state": [-1, 0.5, "0", [1]],
    "tol": [-1e-9, math.nan, math.inf, "0", None, True],
    "verbose": ["no", -1, 0.5, None],
    "momentum": [-0.1, 1.1, math.nan, "0.9", None, True],
    "nesterovs_momentum": ["False", 1, None],
    "early_stopping": ["False", 1, None],
    "validation_fraction": [0, 1, 1.0, -0.1, math.nan, "0.1", None, True],
    "beta_1": [-0.1, 1.0, math.nan, "0.9", None, True],
    "beta_2": [-0.1, 1.0, math.nan, "0.9", None, True],
    "epsilon": [0, -1e-8, math.nan, math.inf, "1e-8", None, True],
    "n_iter_no_change": [0, -1, 2.5, "10", None, True],
}


@pytest.mark.parametrize("kind", BOTH)
def test_every_parameter_out_of_range_is_refused_by_its_name_when_fit_is_called(kind):
    assert set(WRONG) == set(kind().get_params())
    X, y = make_classification(20, 4, random_state=0)
    for name, values in WRONG.items():
        for value in values:
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
        return training.fit(*args, callbacks=lambda state: seen.append(state.y), **options)

    monkeypatch.setattr(nn.sklearn, "fit", watched)
    small(MLPClassifier, early_stopping=True, validation_fraction=0.2).fit(X, y)
    kept, held = seen[0], 0.2 * np.bincount(y)
    assert np.bincount(kept.ravel().astype(int)) == pytest.approx(np.bincount(y) - held, abs=1)


def test_early_stopping_refuses_one_held_out_sample_and_warns_of_few():
    X, y = make_classification(40, 4, random_state=0)
    for kind in BOTH:
        with pytest.raises(ValueError, match="is one sample, which has no score"):
            small(kind, early_stopping=True).fit(X[:10], y[:10])
        with pytest.warns(
            UserWarning, match="of 4 samples, where the best epoch is best by chance"
        ):
            small(kind, early_stopping=True).fit(X, y)


def test_targets_may_have_one_column_but_not_two():
    X, y = make_classification(30, 4, random_state=0)
    flat = small(MLPRegressor).fit(X, y)
    with pytest.warns(DataConversionWarning):
        column = small(MLPRegressor).fit(X, y[:, None])
    assert (column.predict(X) == flat.predict(X)).all()
    assert column.predict(X).shape == (30,)
    with pytest.raises(ValueError, match="1d array"):
        small(MLPRegressor).fit(X, np.column_stack([y, y]))


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
