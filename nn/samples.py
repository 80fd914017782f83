"""Checks of the arrays that training takes: the inputs, and the targets that a loss accepts.

They are made before any work. An error names the array, the place and the remedy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from math import ceil, prod
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from micrograd import Value
from micrograd.engine.foreign import refuse_foreign


class Wish(NamedTuple):
    """The targets that a loss accepts.

    Attributes:
        targets: "any", "signs", "probabilities", "classes" or "distributions".
        middle: the number between two classes in the targets.
        threshold: the number between two classes in the outputs.
    """

    targets: str
    middle: float | None = None
    threshold: float | None = None


MOST_DENSE = 2**27
"""A sparse matrix is refused if it would have more numbers than these as an array: 1 GiB."""

ANY = Wish("any")
WISHES = {
    "hinge": Wish("signs", 0.0, 0.0),
    "squared_hinge": Wish("signs", 0.0, 0.0),
    "bce": Wish("probabilities", 0.5, 0.5),
    "bce_with_logits": Wish("probabilities", 0.5, 0.0),
    "cross_entropy": Wish("classes"),
    "kl_div": Wish("distributions"),
}


def inputs(X: Any, name: str = "X") -> Any:
    """Return X as a C-ordered float64 array of shape (samples, columns) of finite numbers."""
    if hasattr(X, "toarray"):
        X = _dense(X, name)
    array = numbers(X, name)
    if array.ndim != 2:
        hint = {
            0: "give a list of samples",
            1: f"{name}.to_frame() makes samples of one column of it"
            if hasattr(X, "to_frame")
            else f"{name}.reshape(1, -1) makes one sample of it, "
            f"and {name}.reshape(-1, 1) makes samples of one column",
        }.get(array.ndim, f"{name}.reshape(len({name}), -1) makes one row of each sample")
        raise ValueError(
            f"{name} has a row for each sample and a column for each input, "
            f"got shape {array.shape}: {hint}"
        )
    if not array.size:
        what = "no samples" if not len(array) else "no columns"
        raise ValueError(f"{name} has {what}, its shape is {array.shape}: there is nothing to use")
    return finite(array, name)


def targets(y: Any, samples: int, outputs: int, loss: str, name: str = "y") -> Any:
    """Return the targets as a C-ordered float64 array of shape (samples, outputs).

    Args:
        y: the targets; class numbers become rows of zeros and a one if `loss` takes classes.
        samples: the number of samples.
        outputs: the number of outputs of the model.
        loss: the name of the loss. Those that are not in `WISHES` accept any numbers.
        name: the name of y, for errors.
    """
    array = numbers(y, name)
    if array.ndim == 0 or array.ndim > 2:
        raise ValueError(f"{name} has a target for each sample, got shape {array.shape}")
    if len(array) != samples:
        X = name.replace("y", "X")
        raise ValueError(f"{X} has {samples} samples, but {name} has {len(array)} targets")
    array = finite(array, name)
    wish = WISHES.get(loss, ANY)
    if wish.targets == "classes" and (array.ndim == 1 or array.shape[1] == 1 != outputs):
        return one_hot(array.ravel(), outputs, name)
    if array.ndim == 1:
        array = array[:, None]
    if array.shape[1] != outputs:
        raise ValueError(
            f"the model has {outputs} output{'s' * (outputs != 1)}, "
            f"but {name} has {array.shape[1]} for each sample"
            + (
                "; for class numbers use loss='cross_entropy'"
                if array.shape[1] == 1 and loss != "cross_entropy"
                else ": make its last layer as wide as the targets"
            )
        )
    _in_range(array, wish.targets, loss, name)
    return array


def weights(given: Any, samples: int, name: str = "sample_weight") -> Any:
    """Return the weights of samples as an array of shape (samples,), or None without any."""
    if given is None:
        return None
    array = finite(numbers(given, name), name)
    if array.shape != (samples,):
        raise ValueError(
            f"{name} has a number for each of the {samples} samples, got shape {array.shape}"
        )
    if array.min() < 0:
        i = int(array.argmin())
        raise ValueError(f"{name}[{i}] is {array[i]:g}, and a weight is at least 0")
    if not array.any():
        raise ValueError(f"all numbers in {name} are 0: give at least one sample a weight above 0")
    if array.max() > np.finfo(float).max / samples:
        raise ValueError(f"the sum of {name} overflows: only their ratios matter, so divide them")
    return array


def one_hot(labels: Any, classes: int, name: str = "y") -> Any:
    """Return a row of zeros and a one for each class number, of which the first is 0."""
    if classes == 1:
        raise ValueError(
            "cross_entropy takes an output for each class, and the model has 1: "
            "make its last layer wider, or use loss='bce_with_logits'"
        )
    wrong = np.flatnonzero((labels != np.floor(labels)) | (labels < 0) | (labels >= classes))
    if wrong.size:
        i = int(wrong[0])
        raise ValueError(
            f"{name}[{i}] is {labels[i]:g}, but the classes of {classes} outputs "
            f"are 0 to {classes - 1}"
        )
    return np.eye(classes)[labels.astype(np.int64)]


def split(
    X: Any, y: Any, fraction: float, random_state: int | None = 0, stratify: Any = None
) -> tuple[Any, Any, Any, Any]:
    """Hold out a random part of the samples.

    Args:
        X: the samples.
        y: their targets.
        fraction: the share of the samples to hold out, between 0 and 1.
        random_state: the seed.
        stratify: the class of each sample. The same share of each class is held out, to within one
            sample, but never the last one, so that every class is trained on.

    Returns:
        `X, X_held, y, y_held`, each with its rows in the order in which they were.

    Raises ValueError if either part would be empty.
    """
    count = len(X)
    wanted = ceil(fraction * count)
    classes = np.zeros(count) if stratify is None else np.asarray(stratify)
    order = np.random.default_rng(random_state).permutation(count)
    _, of, counts = np.unique(classes, return_inverse=True, return_counts=True)
    # The rounded shares of the first class, of the first two, ..., add up to what is wanted.
    shares = np.diff((2 * np.cumsum(counts) * wanted + count) // (2 * max(count, 1)), prepend=0)
    shares = np.minimum(shares, counts - 1)
    held = np.zeros(count, dtype=bool)
    for each, share in enumerate(shares.tolist()):
        held[order[of[order] == each][:share]] = True
    if not 0 < wanted < count or not held.any():
        raise ValueError(
            f"a share of {fraction:g} of {count} samples leaves one part of the split empty"
        )
    return X[~held], X[held], y[~held], y[held]


def dense_rows(X: Any) -> int:
    """Return how many rows of a sparse matrix may be turned into an array at once, at least 1."""
    return max(1, MOST_DENSE // max(1, int(X.shape[1])))


def _dense(X: Any, name: str) -> Any:
    """Return a sparse matrix as an array."""
    if prod(X.shape) > MOST_DENSE:
        raise ValueError(
            f"{name} is a sparse matrix of shape {X.shape}, which would take "
            f"{8 * prod(X.shape) / 2**30:.1f} GiB as an array, and {MOST_DENSE / 2**27:.2g} GiB is "
            "the limit: give fewer rows at a time, or reduce its columns, for example with "
            "sklearn.decomposition.TruncatedSVD"
        )
    return X.toarray()


def _in_range(array: Any, wanted: str, loss: str, name: str) -> None:
    if wanted == "signs":
        wrong, are, hint = np.abs(array) != 1, "-1 and 1", f"; 2 * {name} - 1 makes them of 0 and 1"
    elif wanted == "probabilities":
        wrong, are, hint = (array < 0) | (array > 1), "from 0 to 1", ""
    elif wanted in ("classes", "distributions"):
        sums = np.abs(array.sum(axis=1, keepdims=True) - 1)
        wrong = (array < 0) | (sums > 1e-6)
        are, hint = "probabilities that sum to 1 in each row", ""
    else:
        return
    places = np.argwhere(wrong)
    if len(places):
        i, j = places[0].tolist()
        place = f"{name}[{i}]" if array.shape[1] == 1 else f"{name}[{i}, {j}]"
        raise ValueError(f"the targets of {loss} are {are}, but {place} is {array[i, j]:g}{hint}")


def numbers(given: Any, name: str) -> Any:
    """Return what was given as a C-ordered float64 array.

    Raises TypeError for text and anything else that does not consist of numbers. For a DataFrame,
    of pandas or another library with `to_numpy` and `columns`, the error names the column.
    """
    if hasattr(given, "toarray"):
        raise TypeError(f"{name} is a sparse matrix: give {name}.toarray()")
    if isinstance(given, Iterator | Set | Mapping | str | bytes):
        raise TypeError(f"{name} is an array or a list, got {type(given).__name__}")
    if hasattr(given, "to_numpy"):
        given = _unframed(given, name)
    refuse_foreign(given, name)
    rows = given if isinstance(given, list | tuple) else [given]
    if any(isinstance(row, np.ma.MaskedArray) and row.mask.any() for row in rows):
        raise ValueError(f"{name} has masked entries: leave out or fill in what is missing")
    try:
        array = np.asarray(given)
    except ValueError:
        raise ValueError(f"{name} is not regular: its rows have different lengths") from None
    kind = array.dtype.kind
    if kind == "O":
        known = Real | Decimal | np.bool_ | None  # the text '1' would become a number
        for each in array.flat:
            if not isinstance(each, known):
                hint = _hint(each, name)
                raise TypeError(f"{name} is {_REAL}, got a {type(each).__name__}: {hint}")
        try:
            array = np.array(array, dtype=float)
        except OverflowError:
            raise ValueError(f"{name} has an int beyond the largest float") from None
    elif kind not in "biuf":
        hint = _hint("" if kind in "US" else None, name)
        raise TypeError(f"{name} is {_REAL}, got {array.dtype}: {hint}")
    return np.asarray(array, dtype=float, order="C")


def _unframed(given: Any, name: str) -> Any:
    """Return a DataFrame or a Series as an array, converted by columns if not all are numbers."""
    array = given.to_numpy()
    if array.dtype.kind in "biuf" or not array.size:
        return array
    if hasattr(given, "columns"):
        pairs = given.items() if hasattr(given, "items") else zip(given.columns, given, strict=True)
        return np.stack([numbers(each, f"column {key!r} of {name}") for key, each in pairs], axis=1)
    if array.dtype == object and hasattr(given, "isna"):
        array = np.where(given.isna().to_numpy(), None, array)  # pandas.NA has no float
    return array


_REAL = "an array of real numbers"


def _hint(strange: Any, name: str) -> str:
    """Say what to do with an entry that is not a number."""
    if isinstance(strange, Value):
        return "read the .data of each Value"
    if not isinstance(strange, str | bytes):
        return "turn it into numbers"
    if name.endswith(("y", "targets")):
        return f"np.unique({name.split()[-1]}, return_inverse=True)[1] numbers classes"
    return "turn text into numbers, one column for each word"


def finite(array: Any, name: str) -> Any:
    """Return the array, or raise a ValueError that names the place of a nan or an infinity."""
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        place = ", ".join(map(str, wrong[0].tolist()))
        raise ValueError(
            f"{name}[{place}] is {array[tuple(wrong[0])]}: leave out or fill in what is missing"
        )
    return array
