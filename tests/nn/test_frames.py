"""DataFrames and Series in place of arrays, in `fit`, `predict` and `nn.sklearn`."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from nn import MLP, fit, loss_and_grad, predict

pd = pytest.importorskip("pandas")

X = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [3.0, 4.0]])
Y = np.array([1.0, 2.0, 0.0, 1.0])
FRAME = pd.DataFrame(X, columns=["length", "width"], index=[3, 1, 0, 2])
SERIES = pd.Series(Y, name="weight")


def model():
    made = MLP(2, [2, 1])
    for place, parameter in enumerate(made.parameters(), 1):
        parameter.data = place / 8
    return made


def trained(X, y, **options):
    made = model()
    history = fit(made, X, y, epochs=3, batch_size=2, progress=False, **options)
    return [parameter.data for parameter in made.parameters()], history["loss"]


@pytest.mark.parametrize(
    ("frame", "series"),
    [
        (FRAME, SERIES),
        (FRAME, SERIES.to_frame()),
        (FRAME.astype("float32"), Y),
        (FRAME.astype(object), SERIES.astype("Int64")),
        (FRAME.astype("Float64"), SERIES.astype(object)),
        (FRAME.astype(pd.SparseDtype("float", 0.0)), SERIES),
        (FRAME.assign(length=[0, 1, 2, 3]), SERIES.astype(int)),
        (FRAME.rename(columns={"width": "length"}), SERIES),
        (FRAME.rename(columns={"length": 0}), SERIES),
    ],
)
def test_a_frame_is_as_good_as_its_array(frame, series):
    assert trained(frame, series) == trained(X, Y)
    held = {"validation": (frame, series), "metrics": "mae"}
    assert trained(frame, series, **held) == trained(X, Y, **held | {"validation": (X, Y)})
    assert (predict(model(), frame) == predict(model(), X)).all()
    (loss, gradient), (other, another) = (
        loss_and_grad(model(), each, y) for each, y in ((frame, series), (X, Y))
    )
    assert loss == other
    assert (gradient == another).all()


def test_validation_has_the_same_columns_in_the_same_order():
    for frame in (FRAME[["width", "length"]], FRAME.rename(columns={"width": "height"})):
        with pytest.raises(ValueError, match=r"columns of validation X are .*in the same order"):
            trained(FRAME, SERIES, validation=(frame, SERIES))
    assert trained(FRAME, SERIES, validation=(X, Y)) == trained(X, Y, validation=(FRAME, SERIES))


def test_columns_of_truth_values_and_whole_numbers_are_numbers():
    frame = pd.DataFrame({"a": [True, False], "b": [1, 2]})
    assert (predict(model(), frame) == predict(model(), [[1, 1], [0, 2]])).all()


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["red", "blue", "red", "green"], "a str"),
        (pd.Categorical(["red", "blue", "red", "green"]), "a str"),
        (["1", "2", "3", "4"], "a str"),
        ([datetime(2000, 1, day) for day in range(1, 5)], r"datetime64\[\w+\]"),
        ([1j, 2, 3, 4], "complex128"),
    ],
)
def test_a_column_that_is_not_numeric_is_named(column, kind):
    frame = FRAME.assign(colour=column)
    with pytest.raises(TypeError, match=rf"column 'colour' of X is .* got {kind}: "):
        trained(frame, SERIES)
    with pytest.raises(TypeError, match="column 'colour' of X"):
        predict(model(), frame)
    with pytest.raises(TypeError, match="column 'colour' of X"):
        predict(model(), frame[["colour"]])


def test_text_in_targets_is_named_with_what_makes_numbers_of_it():
    kinds = pd.Series(["a", "b", "a", "b"])
    for y in (kinds, kinds.to_frame("kind")):
        with pytest.raises(TypeError, match=r"y.* got a str: np\.unique\(y, return_inverse=True"):
            trained(FRAME, y)


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
@pytest.mark.parametrize("dtype", [object, "Float64"])
def test_a_missing_value_is_a_value_error_that_names_its_place(missing, dtype):
    frame = FRAME.astype(dtype)
    frame.iloc[2, 1] = missing
    with pytest.raises(ValueError, match=r"X\[2, 1\] is nan: leave out or fill in"):
        trained(frame, SERIES)
    targets = SERIES.astype(dtype)
    targets.iloc[1] = missing
    with pytest.raises(ValueError, match=r"y\[1\] is nan: leave out or fill in"):
        trained(FRAME, targets)


def test_a_series_for_inputs_and_an_empty_frame_are_errors_that_say_what_to_do():
    with pytest.raises(ValueError, match=r"got shape \(4,\): X\.to_frame\(\) makes samples"):
        predict(model(), SERIES)
    with pytest.raises(ValueError, match="X has no columns"):
        predict(model(), FRAME[[]])
    with pytest.raises(ValueError, match="X has no samples"):
        predict(model(), FRAME.astype(object)[:0])


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_keep_the_names_of_columns_and_demand_them(name):
    pytest.importorskip("sklearn")
    from nn import sklearn

    y = SERIES if name == "MLPRegressor" else pd.Series(["b", "a", "b", "a"])
    estimator = getattr(sklearn, name)((3,), max_iter=3, random_state=0).fit(FRAME, y)
    assert estimator.feature_names_in_.tolist() == ["length", "width"]
    found = estimator.predict(FRAME)
    twin = getattr(sklearn, name)((3,), max_iter=3, random_state=0).fit(X, y.to_numpy())
    assert found.tolist() == twin.predict(X).tolist()
    assert not hasattr(twin, "feature_names_in_")
    with pytest.raises(ValueError, match="must be in the same order"):
        estimator.predict(FRAME[["width", "length"]])
    with pytest.raises(ValueError, match="unseen at fit time"):
        estimator.predict(FRAME.rename(columns={"width": "height"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        estimator.predict(X)
    coloured = FRAME.assign(colour=["red", "blue", "red", "green"])
    for call in (lambda: estimator.fit(coloured, y), lambda: estimator.predict(coloured)):
        with pytest.raises(TypeError, match=r"column 'colour' of X is .* got a str"):
            call()
