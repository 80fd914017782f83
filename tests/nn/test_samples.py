"""Splitting samples in two."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

from nn import MLP, fit, predict, samples  # noqa: E402
from nn.samples import inputs, split  # noqa: E402


class Frame:
    """The least that a DataFrame has."""

    def __init__(self, **columns):
        self.columns = list(columns)
        self.items = columns.items

    def to_numpy(self):
        return np.array([column for _, column in self.items()]).T


def counts(classes):
    return np.unique(classes, return_counts=True)[1].tolist()


def test_whatever_has_columns_and_to_numpy_is_a_frame_whose_columns_are_named():
    assert inputs(Frame(a=[1, 2, 3], b=[0.5, 1.5, 2.5])).tolist() == [[1, 0.5], [2, 1.5], [3, 2.5]]
    with pytest.raises(TypeError, match="column 'b' of X is an array of real numbers, got <U1"):
        inputs(Frame(a=[1, 2], b=["x", "y"]))


def test_a_split_parts_the_rows_once_each_and_keeps_their_order():
    X, y = np.arange(50).reshape(25, 2), np.arange(25)
    X_kept, X_held, y_kept, y_held = split(X, y, 0.3, random_state=4)
    assert len(y_held) == 8  # the share is rounded up
    assert sorted([*y_kept, *y_held]) == [*range(25)]
    assert (np.diff(y_kept) > 0).all()
    assert (np.diff(y_held) > 0).all()
    assert (X_kept == X[y_kept]).all()
    assert (X_held == X[y_held]).all()


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    y = np.arange(100)
    assert (split(y, y, 0.2, 1)[1] == split(y, y, 0.2, 1)[1]).all()
    assert (split(y, y, 0.2, 1)[1] != split(y, y, 0.2, 2)[1]).any()


def test_each_class_gives_its_share():
    y = np.repeat([0, 1, 2], [80, 15, 5])
    for seed in range(20):
        _, _, kept, held = split(y, y, 0.2, seed, stratify=y)
        assert counts(held) == [16, 3, 1]
        assert counts(kept) == [64, 12, 4]


def test_a_class_gives_its_share_to_within_one_sample():
    y = np.repeat(np.arange(9), [1, 2, 3, 5, 7, 11, 13, 17, 19])
    for fraction in (0.1, 0.15, 0.33, 0.5, 0.8):
        _, _, kept, held = split(y, y, fraction, stratify=y)
        assert set(kept) == set(y)  # every class is trained on
        for each in range(9):
            assert abs((held == each).sum() - fraction * (y == each).sum()) < 1.5
        assert len(held) <= np.ceil(fraction * len(y))


def test_which_samples_of_a_class_are_held_out_is_random():
    y = np.repeat([0, 1], 10)
    found = {tuple(split(np.arange(20), y, 0.2, seed, stratify=y)[1].tolist()) for seed in range(9)}
    assert len(found) > 5


@pytest.mark.parametrize("fraction", [0.0, 1.0, 1.5, -0.1])
def test_a_split_that_leaves_a_part_empty_is_an_error(fraction):
    with pytest.raises(ValueError, match="of 4 samples leaves one part of the split empty"):
        split(np.arange(4), np.arange(4), fraction)


def test_classes_of_one_sample_each_cannot_be_held_out():
    with pytest.raises(ValueError, match="leaves one part"):
        split(np.arange(4), np.arange(4), 0.5, stratify=np.arange(4))


def test_a_sparse_matrix_is_made_dense_up_to_a_limit(monkeypatch):
    sparse = pytest.importorskip("scipy.sparse")
    X = np.where(np.arange(12).reshape(4, 3) % 2, 0.0, np.arange(12.0).reshape(4, 3))
    for make in (sparse.csr_matrix, sparse.coo_array, sparse.csc_matrix):
        assert (samples.inputs(make(X)) == X).all()
    model = MLP(3, [2])
    expected = predict(model, X)
    monkeypatch.setattr(samples, "MOST_DENSE", 7)
    assert (predict(model, sparse.coo_array(X)) == expected).all()  # two rows at a time
    with pytest.raises(ValueError, match=r"X is a sparse matrix of shape \(4, 3\), which would"):
        fit(model, sparse.csr_matrix(X), np.zeros((4, 2)), progress=False)
    with pytest.raises(TypeError, match=r"y is a sparse matrix: give y\.toarray"):
        fit(model, X, sparse.csr_matrix(X[:, :2]), progress=False)
