"""Synthetic data, most of them figures in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

import numpy as np

from nn.datasets.splits import Array, RandomState, generator_of
from nn.options import OptionError, flag, real, whole

Data = tuple[Array, Array]


def make_moons(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    random_state: RandomState = None,
) -> Data:
    """Return two interleaving half circles.

    Args:
        n_samples: the number of points, or a pair with the number in each moon.
        shuffle: whether to mix the points of the classes.
        noise: the standard deviation of the noise that is added to the points; none by default.
        random_state: a seed, a `numpy.random.RandomState`, or None for NumPy's global generator.

    Returns:
        X of shape (samples, 2), and the classes y of shape (samples,).

    >>> X, y = make_moons(4, shuffle=False)
    >>> X.round(2).tolist(), y.tolist()
    ([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]], [0, 0, 1, 1])
    """
    generator = generator_of(random_state)
    outer, inner = _halves(n_samples)
    a, b = np.linspace(0, np.pi, outer), np.linspace(0, np.pi, inner)
    x = np.append(np.cos(a), 1 - np.cos(b))
    y = np.append(np.sin(a), 1 - np.sin(b) - 0.5)
    return _shuffled(np.column_stack([x, y]), [outer, inner], shuffle, noise, generator)


def make_circles(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    random_state: RandomState = None,
    factor: float = 0.8,
) -> Data:
    """Return a circle of radius 1 around a smaller one.

    Args:
        n_samples: the number of points, or a pair with the number on each circle.
        shuffle: whether to mix the points of the classes.
        noise: the standard deviation of the noise that is added to the points; none by default.
        random_state: a seed, a `numpy.random.RandomState`, or None for NumPy's global generator.
        factor: the radius of the inner circle, in [0, 1).

    Returns:
        X of shape (samples, 2), and the classes y of shape (samples,).

    >>> X, y = make_circles(100, factor=0.5, random_state=0)
    >>> sorted({float(radius) for radius in np.hypot(*X.T).round(6)})
    [0.5, 1.0]
    """
    factor = real(factor, "the radius factor", least=0, below=1)
    generator = generator_of(random_state)
    outer, inner = _halves(n_samples)
    a, b = (np.linspace(0, 2 * np.pi, n, endpoint=False) for n in (outer, inner))
    x = np.append(np.cos(a), np.cos(b) * factor)
    y = np.append(np.sin(a), np.sin(b) * factor)
    return _shuffled(np.column_stack([x, y]), [outer, inner], shuffle, noise, generator)


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
    """Return points from a normal distribution around each of several centres.

    Args:
        n_samples: the number of points in all, or a list with the number around each centre.
        n_features: the number of columns of X, unless the centres are given.
        centers: the number of centres, or an array of shape (centres, features). The default is 3,
            or as many as the list `n_samples` has.
        cluster_std: the standard deviation around the centres: one number, or one for each.
        center_box: the lowest and highest coordinate of a centre that is drawn at random.
        shuffle: whether to mix the points of the classes.
        random_state: a seed, a `numpy.random.RandomState`, or None for NumPy's global generator.

    Returns:
        X of shape (samples, features), and the number of each point's centre, y.

    >>> X, y = make_blobs([1, 2], centers=[[0, 0], [9, 9]], cluster_std=0.0, shuffle=False)
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [9.0, 9.0], [9.0, 9.0]], [0, 1, 1])
    """
    generator = generator_of(random_state)
    several = not isinstance(n_samples, Integral)
    if centers is None:
        centers = len(n_samples) if several else 3  # type: ignore[arg-type]
    if isinstance(centers, Integral):
        shape = whole(centers, "centers"), whole(n_features, "n_features")
        low, high = _box(center_box)
        middles: Array = generator.uniform(low, high, size=shape)
    else:
        middles = np.array(centers, dtype=float)
        if middles.ndim != 2 or not middles.size or not np.isfinite(middles).all():
            raise ValueError(f"centers is a row of finite numbers for each centre, got {centers!r}")
    count = len(middles)
    sizes = list(n_samples) if several else _shares(whole(n_samples, "n_samples"), count)  # type: ignore[arg-type]
    widths = [cluster_std] * count if isinstance(cluster_std, Real) else list(cluster_std)  # type: ignore[arg-type]
    for name, given in (("n_samples", sizes), ("cluster_std", widths)):
        if len(given) != count:
            raise ValueError(f"{name} has {len(given)} entries for {count} centres")
    parts = [
        generator.normal(
            middle, _noise(width, "cluster_std"), (whole(size, "n_samples"), middles.shape[1])
        )
        for middle, width, size in zip(middles, widths, sizes, strict=True)
    ]
    return _shuffled(np.concatenate(parts), sizes, shuffle, None, generator)


def spiral(
    samples: int = 100,
    classes: int = 3,
    *,
    noise: float = 0.2,
    random_state: RandomState = 0,
) -> Data:
    """Return the arms of a spiral within the unit circle, one arm after the other.

    This is the data set of the course CS231n, https://cs231n.github.io/neural-networks-case-study/.

    Args:
        samples: the number of points of each arm.
        classes: the number of arms.
        noise: the standard deviation of the angle, before it is multiplied by 2.5.
        random_state: a seed, a `numpy.random.RandomState`, or None for NumPy's global generator.

    Returns:
        X of shape (samples * classes, 2), and the number of each point's arm, y.

    >>> X, y = spiral(50, 3)
    >>> X.shape, y.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    ((150, 2), True)
    """
    generator = generator_of(random_state)
    samples, classes = whole(samples, "samples"), whole(classes, "classes")
    r, arms = np.linspace(0, 1, samples), []
    for k in range(classes):
        t = np.linspace(4 * k, 4 * (k + 1), samples)
        t += _noise(noise, "noise") * generator.randn(samples)
        arms.append(np.column_stack([r * np.sin(2.5 * t), r * np.cos(2.5 * t)]))
    return np.concatenate(arms), np.repeat(np.arange(classes), samples)


def xor(
    n_samples: int = 4, *, noise: float | None = None, random_state: RandomState = None
) -> Data:
    """Return the corners of the unit square in turn; the class is whether the coordinates differ.

    Args:
        n_samples: the number of points.
        noise: the standard deviation of the noise that is added to the points; none by default.
        random_state: a seed, a `numpy.random.RandomState`, or None for NumPy's global generator.

    Returns:
        X of shape (samples, 2), and the classes y of shape (samples,).

    >>> X, y = xor()
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    corner = np.arange(whole(n_samples, "n_samples")) % 4
    X = np.column_stack([corner // 2, corner % 2]).astype(float)
    return _with_noise(X, noise, generator_of(random_state)), corner // 2 ^ corner % 2


def yin_yang(n_samples: int = 100, *, random_state: RandomState = None) -> Data:
    """Return points of a disc of radius 2 in three classes: yin, yang, and their two eyes.

    The classes take turns. The figure is that of Kriener, Göltz and Petrovici 2022, "The Yin-Yang
    dataset", arXiv:2102.08211.

    Args:
        n_samples: the number of points.
        random_state: a seed, a `numpy.random.RandomState`, or None for NumPy's global generator.

    Returns:
        X of shape (samples, 2), and the classes y of shape (samples,).

    >>> X, y = yin_yang(6, random_state=0)
    >>> y.tolist(), bool((np.hypot(*X.T) <= 2).all())
    ([0, 1, 2, 0, 1, 2], True)
    """
    generator = generator_of(random_state)
    y = np.arange(whole(n_samples, "n_samples")) % 3
    X = np.empty((len(y), 2))
    open_ = np.arange(len(y))
    while len(open_):  # each round draws again where the class was not the wanted one
        X[open_] = generator.uniform(-2, 2, size=(len(open_), 2))
        across, up = X[open_].T
        left, right = np.hypot(across + 1, up), np.hypot(across - 1, up)
        yin = (left <= 1) | ((up > 0) & (right > 1))
        found = np.where(np.minimum(left, right) <= 0.4, 2, ~yin)
        open_ = open_[(np.hypot(across, up) > 2) | (found != y[open_])]
    return X, y


def karpathy_toy() -> Data:
    """Return the four samples of three numbers, with targets 1 and -1, of Karpathy's lecture.

    The lecture is "The spelled-out intro to neural networks and backpropagation" (2022).

    >>> X, y = karpathy_toy()
    >>> X.shape, y.tolist()
    ((4, 3), [1.0, -1.0, -1.0, 1.0])
    """
    X = np.array([[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]])
    return X, np.array([1.0, -1.0, -1.0, 1.0])


# --------------------------------------------------------------------------------------- arguments


def _shuffled(
    X: Array,
    sizes: Sequence[int],
    shuffle: bool,
    noise: float | None,
    generator: np.random.RandomState,
) -> Data:
    """Shuffle points that are ordered by class, then add noise."""
    flag(shuffle, "shuffle")
    y = np.repeat(np.arange(len(sizes)), sizes)
    if shuffle:
        order = generator.permutation(len(y))
        X, y = X[order], y[order]
    return _with_noise(X, noise, generator), y


def _with_noise(X: Array, noise: float | None, generator: np.random.RandomState) -> Array:
    return X if noise is None else X + generator.normal(scale=_noise(noise, "noise"), size=X.shape)


def _box(given: Any) -> tuple[float, float]:
    with suppress(TypeError, ValueError):
        low, high = (real(each, "center_box") for each in given)
        if low <= high:
            return low, high
    raise OptionError(f"center_box is (low, high), two finite numbers, got {given!r}")


def _halves(n_samples: Any) -> tuple[int, int]:
    if isinstance(n_samples, Integral):
        total = whole(n_samples, "n_samples")
        return total // 2, total - total // 2
    if not isinstance(n_samples, tuple | list) or len(n_samples) != 2:
        raise ValueError(f"n_samples is a number, or one for each class, got {n_samples!r}")
    outer, inner = (whole(size, "n_samples") for size in n_samples)
    return outer, inner


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (i < total % parts) for i in range(parts)]


def _noise(noise: Any, name: str) -> float:
    return real(noise, f"the standard deviation {name}", least=0)
