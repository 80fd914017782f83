"""Ways to divide data: for training and testing, and into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor
from numbers import Integral
from typing import Any

import numpy as np

from nn.options import OptionError, flag, real, whole

Array = np.ndarray[Any, Any]
RandomState = int | np.random.RandomState | None


def train_test_split(
    *arrays: Any,
    test_size: float | None = None,
    train_size: float | None = None,
    random_state: RandomState = None,
    shuffle: bool = True,
    stratify: Any = None,
) -> list[Any]:
    """Split arrays at random into parts for training and for testing, by the same rows.

    Args:
        *arrays: arrays or lists of the same length.
        test_size: the share of the rows for the test if it is a float, or their number if it is an
            int. The default is what `train_size` leaves, or a quarter.
        train_size: the same for training; the default is what `test_size` leaves.
        random_state: a seed, a `numpy.random.RandomState`, or None for NumPy's global generator.
        shuffle: whether the rows are drawn at random; otherwise the last ones are the test.
        stratify: the labels, usually y, whose shares both parts keep.

    Returns:
        Two parts of each array, one after the other, as in `X_train, X_test, y_train, y_test`.
        Lists give lists, and everything else NumPy arrays.

    Raises:
        ValueError: if the lengths differ, or if a part would be empty or lack a class of
            `stratify`.

    >>> train_test_split([1, 2, 3, 4], [5, 6, 7, 8], shuffle=False)
    [[1, 2, 3], [4], [5, 6, 7], [8]]
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
        chosen = _stratified(np.asarray(stratify), train, test, generator_of(random_state))
    elif shuffle:
        order = generator_of(random_state).permutation(length)
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
    """Return the indices of each batch; together they are all indices, each once.

    Args:
        length: the number of samples.
        batch_size: the number of samples of a batch; the last one may be smaller. None takes all
            samples at once.
        generator: a seed or a generator of NumPy, which draws one permutation at once.
        shuffle: whether to permute the samples.

    >>> [batch.tolist() for batch in batches(5, 2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    """
    flag(shuffle, "shuffle")
    length = whole(length, "length")
    step = length if batch_size is None else whole(batch_size, "batch_size")
    if not shuffle:
        order = np.arange(length)
    elif isinstance(generator, np.random.Generator):
        order = generator.permutation(length)
    else:
        order = generator_of(generator).permutation(length)
    return (order[start : start + step] for start in range(0, length, step))


def _part_sizes(length: int, train_size: Any, test_size: Any) -> tuple[int, int]:
    """Return the numbers of rows for training and for the test; rounding favours the test."""
    if train_size is None and test_size is None:
        test_size = 0.25
    rows: list[int | None] = []
    for name, size, rounded in (("train_size", train_size, floor), ("test_size", test_size, ceil)):
        is_count = isinstance(size, Integral)
        if size is not None and not 0 < real(size, name) < (length if is_count else 1):
            raise ValueError(
                f"{name} is a share between 0 and 1, or a number of rows between 0 and the "
                f"{length} that there are, got {size!r}"
            )
        rows.append(size if size is None or is_count else rounded(size * length))
    train, test = rows
    train = length - test if train is None else train  # type: ignore[operator]
    test = length - train if test is None else test
    if train < 1 or train + test > length:
        raise ValueError(
            f"{length} samples cannot be split with train_size={train_size!r} and "
            f"test_size={test_size!r}: at least one is for training, and none is in both parts"
        )
    return train, test


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
            "the test: make both larger, or leave out stratify"
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
    """`draws` divided in proportion to `counts`; what rounding leaves goes to the largest
    remainders, and to some at random where they are equal.
    """
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


def generator_of(random_state: Any) -> np.random.RandomState:
    """Return the generator that `random_state` means."""
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
