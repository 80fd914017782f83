"""Data to learn from: `(X, y)`, one row of `X` for each sample, and ways to take it apart.

Classes are ints from 0. `random_state` is a seed, a `numpy.random.RandomState`, or None for NumPy's
global generator. The functions named as in scikit-learn give the numbers that scikit-learn gives.

>>> X, y = make_moons(n_samples=200, noise=0.1, random_state=0)
>>> X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
>>> X_train.shape, y_test.shape
((150, 2), (50,))
>>> [len(chosen) for chosen in batches(150, 64, 0)]
[64, 64, 22]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor
from numbers import Integral, Real
from typing import Any

import numpy as np

from nn.options import OptionError, flag, real

Array = np.ndarray[Any, Any]
Data = tuple[Array, Array]
RandomState = int | np.random.RandomState | None

# ------------------------------------------------------------------------------ figures in a plane


def make_moons(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    random_state: RandomState = None,
) -> Data:
    """Two half circles that reach into each other; a pair of sizes gives each moon its own."""
    generator = _generator(random_state)
    outer, inner = _halves(n_samples)
    a, b = np.linspace(0, np.pi, outer), np.linspace(0, np.pi, inner)
    x = np.append(np.cos(a), 1 - np.cos(b))
    y = np.append(np.sin(a), 1 - np.sin(b) - 0.5)
    return _drawn(np.column_stack([x, y]), [outer, inner], shuffle, noise, generator)


def make_circles(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    random_state: RandomState = None,
    factor: float = 0.8,
) -> Data:
    """A circle around another, whose radius is `factor`, in [0, 1)."""
    if not 0 <= _real(factor, "factor") < 1:
        raise ValueError(f"factor is a radius in [0, 1), got {factor!r}")
    generator = _generator(random_state)
    outer, inner = _halves(n_samples)
    a, b = (np.linspace(0, 2 * np.pi, n, endpoint=False) for n in (outer, inner))
    x = np.append(np.cos(a), np.cos(b) * factor)
    y = np.append(np.sin(a), np.sin(b) * factor)
    return _drawn(np.column_stack([x, y]), [outer, inner], shuffle, noise, generator)


def make_blobs(
    n_samples: int | Sequence[int] = 100,
    n_features: int = 2,
    *,
    centers: int | Any = None,
    cluster_std: float | Sequence[float] = 1.0,
    center_box: tuple[float, float] = (-10.0, 10.0),
    shuffle: bool = True,
    random_state: RandomState = None,
) -> Data:
    """Normally distributed points around centres, three unless told.

    `centers` is how many, drawn within `center_box`, or a row for each; with a list of `n_samples`,
    one size for each centre, it may be left out.
    """
    generator = _generator(random_state)
    several = not isinstance(n_samples, Integral)
    if centers is None:
        centers = len(n_samples) if several else 3  # type: ignore[arg-type]
    if isinstance(centers, Integral):
        shape = _size(centers, "centers"), _size(n_features, "n_features")
        low, high = _box(center_box)
        middles: Array = generator.uniform(low, high, size=shape)
    else:
        middles = np.array(centers, dtype=float)
        if middles.ndim != 2 or not middles.size or not np.isfinite(middles).all():
            raise ValueError(f"centers is a row of finite numbers for each centre, got {centers!r}")
    count = len(middles)
    sizes = list(n_samples) if several else _shares(_size(n_samples, "n_samples"), count)  # type: ignore[arg-type]
    widths = [cluster_std] * count if isinstance(cluster_std, Real) else list(cluster_std)  # type: ignore[arg-type]
    for name, given in (("n_samples", sizes), ("cluster_std", widths)):
        if len(given) != count:
            raise ValueError(f"{name} has {len(given)} entries for {count} centres")
    parts = [
        generator.normal(middle, _noise(width, "cluster_std"), (_size(size), middles.shape[1]))
        for middle, width, size in zip(middles, widths, sizes, strict=True)
    ]
    return _drawn(np.concatenate(parts), sizes, shuffle, None, generator)


def spiral(
    samples: int = 100,
    classes: int = 3,
    *,
    noise: float = 0.2,
    random_state: RandomState = 0,
) -> Data:
    """Arms of a spiral, of `samples` points each, arm by arm, within the unit circle.

    `noise` is the standard deviation of the angle before it is multiplied by 2.5.
    """
    generator = _generator(random_state)
    samples, classes = _size(samples, "samples"), _size(classes, "classes")
    r, arms = np.linspace(0, 1, samples), []
    for k in range(classes):
        t = np.linspace(4 * k, 4 * (k + 1), samples)
        t += _noise(noise) * generator.randn(samples)
        arms.append(np.column_stack([r * np.sin(2.5 * t), r * np.cos(2.5 * t)]))
    return np.concatenate(arms), np.repeat(np.arange(classes), samples)


def xor(
    n_samples: int = 4, *, noise: float | None = None, random_state: RandomState = None
) -> Data:
    """The corners of the unit square in turn, and whether their coordinates differ.

    >>> X, y = xor()
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    corner = np.arange(_size(n_samples)) % 4
    X = np.column_stack([corner // 2, corner % 2]).astype(float)
    return _blurred(X, noise, _generator(random_state)), corner // 2 ^ corner % 2


def yin_yang(n_samples: int = 100, *, random_state: RandomState = None) -> Data:
    """Points of a disc of radius 2: yin, yang, and their two eyes; the classes in turn.

    The figure of Kriener, Göltz and Petrovici, "The Yin-Yang dataset" (2022).
    """
    generator = _generator(random_state)
    y = np.arange(_size(n_samples)) % 3
    X = np.empty((len(y), 2))
    open_ = np.arange(len(y))
    while len(open_):  # each round draws anew where the class was not the one wanted
        X[open_] = generator.uniform(-2, 2, size=(len(open_), 2))
        across, up = X[open_].T
        left, right = np.hypot(across + 1, up), np.hypot(across - 1, up)
        yin = (left <= 1) | ((up > 0) & (right > 1))
        found = np.where(np.minimum(left, right) <= 0.4, 2, ~yin)
        open_ = open_[(np.hypot(across, up) > 2) | (found != y[open_])]
    return X, y


def karpathy_toy() -> Data:
    """The four samples of three numbers in Karpathy's lecture, with the targets 1 and -1."""
    X = np.array([[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]])
    return X, np.array([1.0, -1.0, -1.0, 1.0])


# -------------------------------------------------------------------------------------- real data


def load_digits() -> Data:
    """1,797 handwritten digits of 8 by 8 pixels from 0 to 16. Needs scikit-learn."""
    return _from_sklearn("digits")


def load_iris() -> Data:
    """150 irises of three kinds, four lengths in centimetres each. Needs scikit-learn."""
    return _from_sklearn("iris")


def load_diabetes() -> Data:
    """442 patients, ten scaled measures each, and how their disease went on: a regression.

    Needs scikit-learn.
    """
    return _from_sklearn("diabetes")


def _from_sklearn(name: str) -> Data:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError(
            f"load_{name} needs scikit-learn: pip install scikit-learn ({error})"
        ) from error
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, y


# ------------------------------------------------------------------------------- taking data apart


def train_test_split(
    *arrays: Any,
    test_size: float | None = None,
    train_size: float | None = None,
    random_state: RandomState = None,
    shuffle: bool = True,
    stratify: Any = None,
) -> list[Any]:
    """Every array in two, by the same rows: `X_train, X_test, y_train, y_test`; a list gives lists.

    A size is a share if it is a float, a number of rows if it is an int; a quarter is for the test
    if neither is given. `stratify`, usually `y`, keeps the shares of its classes in both parts.
    """
    if not arrays:
        raise ValueError("train_test_split needs at least one array")
    for each in (*arrays, () if stratify is None else stratify):
        if isinstance(each, str | bytes) or not hasattr(each, "__getitem__"):
            raise OptionError(f"train_test_split takes arrays and lists, got {each!r}")
    flag(shuffle, "shuffle")
    length = _common_length(arrays)
    train, test = _part_sizes(length, train_size, test_size)
    if stratify is not None:
        if not shuffle:
            raise ValueError("stratify needs shuffle=True")
        _common_length((arrays[0], stratify))
        chosen = _stratified(np.asarray(stratify), train, test, _generator(random_state))
    elif shuffle:
        order = _generator(random_state).permutation(length)
        chosen = order[test : test + train], order[:test]
    else:
        chosen = np.arange(train), np.arange(train, train + test)
    return [_rows(array, rows) for array in arrays for rows in chosen]


def batches(
    length: int,
    batch_size: int | None,
    generator: int | np.random.RandomState | np.random.Generator | None = None,
    shuffle: bool = True,
) -> Iterator[Array]:
    """Indices of the samples of each batch, `length` in all; the last batch may be shorter.

    A `batch_size` of None is one batch. `generator` gives one permutation, which is drawn at once.
    """
    flag(shuffle, "shuffle")
    length = _size(length, "length")
    step = length if batch_size is None else _size(batch_size, "batch_size")
    if not shuffle:
        order = np.arange(length)
    elif isinstance(generator, np.random.Generator):
        order = generator.permutation(length)
    else:
        order = _generator(generator).permutation(length)
    return (order[start : start + step] for start in range(0, length, step))


def _part_sizes(length: int, train_size: Any, test_size: Any) -> tuple[int, int]:
    """How many rows for training and for the test: shares round in favour of the test."""
    if train_size is None and test_size is None:
        test_size = 0.25
    for name, size in (("train_size", train_size), ("test_size", test_size)):
        if size is None:
            continue
        if not 0 < _real(size, name) < (length if isinstance(size, Integral) else 1):
            raise ValueError(
                f"{name} is a share between 0 and 1, or a number of rows between 0 and the "
                f"{length} there are, got {size!r}"
            )
    test = _rows_of(test_size, length, ceil)
    train = _rows_of(train_size, length, floor)
    train = length - test if train is None else train  # type: ignore[operator]
    test = length - train if test is None else test
    if train < 1 or train + test > length:
        raise ValueError(
            f"{length} samples do not divide by train_size={train_size!r} and "
            f"test_size={test_size!r}: at least one is for training, and none comes twice"
        )
    return train, test


def _rows_of(size: Any, length: int, rounded: Any) -> int | None:
    if size is None or isinstance(size, Integral):
        return size  # type: ignore[return-value]
    return int(rounded(size * length))


def _stratified(
    labels: Array, train: int, test: int, generator: np.random.RandomState
) -> tuple[Array, Array]:
    """Rows for training and for the test, drawn class by class as scikit-learn draws them."""
    if labels.ndim != 1:
        raise ValueError(f"stratify has one label for each sample, got shape {labels.shape}")
    classes, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        few = classes[counts < 2].tolist()
        raise ValueError(f"stratify needs two samples of every class, and there is one of {few}")
    if min(train, test) < len(classes):
        raise ValueError(
            f"{len(classes)} classes do not fit into {train} samples for training and {test} for "
            "the test: let both be larger, or leave out stratify"
        )
    in_train = _allotted(counts, train, generator)
    in_test = _allotted(counts - in_train, test, generator)
    members = np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])
    parts: tuple[list[Array], list[Array]] = ([], [])
    for rows, first, second in zip(members, in_train, in_test, strict=True):
        mixed = rows[generator.permutation(len(rows))]
        parts[0].append(mixed[:first])
        parts[1].append(mixed[first : first + second])
    chosen = [generator.permutation(np.concatenate(part)) for part in parts]
    return chosen[0], chosen[1]


def _allotted(counts: Array, draws: int, generator: np.random.RandomState) -> Array:
    """`draws` divided in proportion to `counts`, by largest remainder; ties are drawn."""
    exact = counts / counts.sum() * draws
    shares: Array = np.floor(exact).astype(int)
    missing = draws - int(shares.sum())
    remainder = exact - shares
    for value in np.unique(remainder)[::-1]:
        if missing < 1:
            break
        (tied,) = np.where(remainder == value)
        more = generator.choice(tied, size=min(len(tied), missing), replace=False)
        shares[more] += 1
        missing -= len(more)
    return shares


def _rows(array: Any, rows: Array) -> Any:
    if isinstance(array, list | tuple):
        return [array[i] for i in rows]
    return np.asarray(array)[rows]


def _common_length(arrays: Sequence[Any]) -> int:
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(f"the arrays have different lengths: {', '.join(map(str, lengths))}")
    if not lengths[0]:
        raise ValueError("there are no samples")
    return lengths[0]


# --------------------------------------------------------------------------------------- arguments


def _drawn(
    X: Array,
    sizes: Sequence[int],
    shuffle: bool,
    noise: float | None,
    generator: np.random.RandomState,
) -> Data:
    """Points that come class by class: mixed, then blurred."""
    flag(shuffle, "shuffle")
    y = np.repeat(np.arange(len(sizes)), sizes)
    if shuffle:
        order = generator.permutation(len(y))
        X, y = X[order], y[order]
    return _blurred(X, noise, generator), y


def _blurred(X: Array, noise: float | None, generator: np.random.RandomState) -> Array:
    return X if noise is None else X + generator.normal(scale=_noise(noise), size=X.shape)


def _generator(random_state: Any) -> np.random.RandomState:
    if random_state is None:
        return np.random.mtrand._rand  # the one that numpy.random.seed seeds
    if isinstance(random_state, np.random.RandomState):
        return random_state
    if isinstance(random_state, Integral) and 0 <= int(random_state) < 2**32:
        return np.random.RandomState(int(random_state))
    raise ValueError(
        f"random_state is an int from 0 to 2**32 - 1, a numpy.random.RandomState or None, "
        f"got {random_state!r}"
    )


def _box(given: Any) -> tuple[float, float]:
    try:
        low, high = (real(each, "center_box") for each in given)
        valid = low <= high
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise OptionError(f"center_box is (low, high), two finite numbers, got {given!r}")
    return low, high


def _halves(n_samples: Any) -> tuple[int, int]:
    if isinstance(n_samples, Integral):
        outer = _size(n_samples) // 2
        return outer, _size(n_samples) - outer
    if not isinstance(n_samples, tuple | list) or len(n_samples) != 2:
        raise ValueError(f"n_samples is a number, or one for each class, got {n_samples!r}")
    return _size(n_samples[0]), _size(n_samples[1])


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (i < total % parts) for i in range(parts)]


def _size(size: Any, name: str = "n_samples") -> int:
    if isinstance(size, bool) or not isinstance(size, Integral) or size < 1:
        raise ValueError(f"{name} is an int of at least 1, got {size!r}")
    return int(size)


def _noise(noise: Any, name: str = "noise") -> float:
    if not 0 <= _real(noise, name) < np.inf:
        raise ValueError(f"{name} is a standard deviation, at least 0, got {noise!r}")
    return float(noise)


def _real(number: Any, name: str) -> Any:
    if isinstance(number, bool) or not isinstance(number, Real):
        raise ValueError(f"{name} is a number, got {number!r}")
    return number
