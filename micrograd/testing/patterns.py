"""What a gradient of an array would be by the usual mistakes, and what two arrays differ by."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

_MOVES = 4  # axes of an array along which it is shifted together
_DISTINCT = 1e-3  # of the largest: numbers that differ by less are the same
_REGULAR = 1e4  # the condition of a matrix up to which a product with it can be undone
ENOUGH = 3  # numbers that must agree with a pattern, beside those that its factors are found from


CLOSE = {True: 1e-5, False: 1e-3}  # of the largest entry, by whether it is in double precision
_DECISIVE = 8  # wrong entries that decide, or half of them, if there are not so many

Candidates = Iterator[tuple[str, np.ndarray]]
"""What a gradient would be by a mistake, with the mistake in words."""


@dataclass
class Case:
    """A wrong gradient, the true one, and what they are compared with.

    Args:
        got: the gradient.
        expected: the true gradient, with nan where it is not known.
        wrong: which entries are wrong.
        variable: the array with respect to which the gradient is.
        close: up to which numbers count as equal, relative to the largest entry.

    Attributes:
        sizes: sizes that are commonly divided by, such as that of the batch, with their names.
        cotangent: the gradient of the output, if it is given.
        others: the arguments with respect to which there are gradients, by their names.
        constants: the arrays among the arguments that are not differentiated.
        gradients: the true gradients of `others`, with nan where they are not known.
    """

    got: np.ndarray
    expected: np.ndarray
    wrong: np.ndarray
    variable: np.ndarray
    close: float
    sizes: Mapping[int, str] = field(default_factory=dict, init=False)
    cotangent: np.ndarray | None = field(default=None, init=False)
    others: Mapping[str, np.ndarray] = field(default_factory=dict, init=False)
    constants: Mapping[str, np.ndarray] = field(default_factory=dict, init=False)
    gradients: Mapping[str, np.ndarray] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.known, self.largest = np.isfinite(self.expected), largest(self.got)
        self.size = self.close * max(self.largest, largest(self.expected))
        """Up to which two numbers count as equal."""
        self.has_variables_shape = self.variable.shape == self.expected.shape

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arguments, whether there are gradients for them or not."""
        return {**self.others, **self.constants}

    def terms(self, places: np.ndarray) -> np.ndarray | None:
        """The contributions of the outputs to entries of the true gradient, if they are known.

        They have the shape of the output and one axis more.
        """
        return None

    def variations(self, places: np.ndarray) -> Candidates:
        """Some entries of the true gradient if another argument were in another order."""
        yield from ()

    def replacements(self, places: np.ndarray) -> Candidates:
        """The same for another argument that is 1, 0, or a third one."""
        yield from ()

    def layers(self) -> str:
        """What the gradients of linear layers say of the mistake."""
        return ""

    def pushed(self) -> np.ndarray | None:
        """The Jacobian times dout, where the result has the shape of the variable."""
        return None

    def is_like(self, candidate: np.ndarray) -> bool:
        """Whether a candidate agrees with the gradient wherever it is known, at enough entries."""
        compared = np.isfinite(candidate)
        decisive = (compared & self.wrong).sum()
        enough = min(self.wrong.sum() / 2, _DECISIVE)
        if compared.sum() < min(ENOUGH, self.got.size) or decisive < enough:
            return False
        size = float(max(abs(candidate[compared]).max(), self.largest))
        return bool((abs(self.got - candidate)[compared] <= self.close * size).all())


def largest(array: np.ndarray) -> float:
    """The largest size among the finite numbers of an array."""
    return float(np.max(abs(array), initial=0, where=np.isfinite(array)))


def candidates(case: Case) -> Candidates:
    """What the gradient would be by some mistakes, with nan where that is not known."""
    got, expected, cotangent = case.got, case.expected, case.cotangent
    axes = range(expected.ndim)
    if expected.ndim >= 2:
        if expected.shape[-1] == expected.shape[-2]:
            yield "it is transposed", expected.swapaxes(-1, -2)
            yield "it is transposed and has the wrong sign", -expected.swapaxes(-1, -2)
        yield (
            "both last axes are reversed, as by a kernel that is rotated by 180°",
            expected[..., ::-1, ::-1],
        )
    for axis in axes:
        yield f"axis {axis} is reversed", np.flip(expected, axis)
    for moves in itertools.product((0, 1, -1), repeat=min(expected.ndim, _MOVES)):
        along = [axis for axis, by in enumerate(moves) if by]
        if len(along) == 1:
            words = f"it is shifted by one along axis {along[0]}"
            yield words, np.roll(expected, sum(moves), along[0])
        if along and all(expected.shape[axis] > 2 for axis in along):
            words = f"it is shifted by one along axis {_joined(along)}: is an offset wrong?"
            yield words, _moved(expected, moves)
    if cotangent is not None and cotangent.shape == got.shape:
        yield "it is the gradient of the output, passed on unchanged", cotangent
        yield (
            "the gradient of the output itself is missing: the path of a residual connection?",
            expected - cotangent,
        )
        yield "the gradient of the output is added once too often", expected + cotangent
    for name, gradient in case.gradients.items():
        if gradient.shape == got.shape:
            yield f"it is the gradient of {name}: are the two swapped?", gradient
    for name, other in case.arrays.items():
        for words, numbers in (("", other), ("1 - ", 1 - other), ("the square of ", other**2)):
            if _fits(numbers.shape, got.shape) and (numbers != 1).any():
                zero = np.broadcast_to(numbers == 0, got.shape)
                with np.errstate(all="ignore"):
                    if not zero.all() and not expected[zero].any():
                        # Where the factor is 0, the gradient without it may be any number.
                        without = np.where(zero, got, expected / numbers)
                        yield f"the factor {words}{name} is missing", without
                    yield f"the factor {words}{name} is too many", expected * numbers
    yield from _of_cotangent(case)
    yield from _by_transposes(case)
    yield from _of_softmax(case)
    means = [got.mean(axis=axis) for axis in axes if got.ndim > 1]
    for chosen in _sets_of_axes(got.shape):
        mean = got.mean(axis=chosen, keepdims=True)
        # Where it is the same for every slice, a constant is added.
        if all(np.ptp(each) > _DISTINCT * abs(each).max() for each in means):
            yield (
                f"the path through the mean over axis {_joined(chosen)} is missing or wrong",
                expected + mean,
            )
        yield (
            f"it is summed or broadcast over axis {_joined(chosen)}",
            expected.sum(axis=chosen, keepdims=True) + 0 * expected,
        )
        yield (
            f"it is averaged over axis {_joined(chosen)}",
            expected.mean(axis=chosen, keepdims=True) + 0 * expected,
        )


def _by_transposes(case: Case) -> Candidates:
    """What the gradient would be if another argument or its transpose were multiplied with."""
    expected = case.expected
    for name, other in case.arrays.items():
        count = len(other)
        if other.ndim != 2 or not 1 < count == other.shape[1] or count not in expected.shape:
            continue
        if np.linalg.cond(other) > _REGULAR:
            continue
        words = f"it is multiplied by {name} where its transpose is needed, or the other way round"
        undone = np.linalg.inv(other)
        for one, back in ((other, undone.T), (other.T, undone)):
            if expected.ndim > 1 and expected.shape[-1] == count:
                yield words, expected @ back @ one
            if expected.ndim == 2 and len(expected) == count:
                yield words, one @ back @ expected


def _of_softmax(case: Case) -> Candidates:
    """What the gradient would be if the sum by which a softmax divides were a constant."""
    got, expected, cotangent = case.got, case.expected, case.cotangent
    with np.errstate(all="ignore"):
        tried = [np.exp(x - x.max()) for x in case.arrays.values() if x.shape == got.shape]
        if cotangent is not None and cotangent.shape == got.shape:
            tried.append(got / cotangent)
    for shares in tried:
        if not (shares > 0).all() and not (shares < 0).all():
            continue
        for axis in range(got.ndim):
            softmax = shares / shares.sum(axis=axis, keepdims=True)
            yield (
                f"the path through the sum of a softmax over axis {axis} is missing or wrong",
                expected + softmax * got.sum(axis=axis, keepdims=True),
            )


def invariance(case: Case) -> str:
    """Whether the gradient breaks a law that the derivative obeys; else an empty text.

    The derivatives sum to 0 where the function does not feel a shift, as behind a mean that is
    subtracted or in a softmax, and times the variable where it does not feel a scale.
    """
    if not case.known.all() or not case.has_variables_shape:
        return ""
    for weights, sums, path in (
        (np.ones_like(case.variable), "the derivatives sum to 0", "a mean or a softmax"),
        (case.variable, "the derivatives times the variable sum to 0", "a norm"),
    ):
        for axes in _sets_of_axes(case.got.shape):
            true, one = (_sliced(part * weights, axes) for part in (case.expected, case.got))
            size = case.close * abs(true).sum(axis=0)
            obeys = (abs(true.sum(axis=0)) <= 0.01 * size).all() and (abs(true) > size).any()
            if len(true) > 2 and obeys and (abs(one.sum(axis=0)) > size).any():
                return (
                    f"{sums} over axis {_joined(axes)}, and these do not: is the path through"
                    f" {path} over it wrong?"
                )
    return ""


def _of_cotangent(case: Case) -> Candidates:
    """What the gradient would be as a product of dout and another argument, or as a sum of it."""
    expected, cotangent = case.expected, case.cotangent
    if cotangent is None:
        return
    for name, other in case.arrays.items():
        if not _fits(other.shape, cotangent.shape):
            continue
        if cotangent.shape == expected.shape and set(np.unique(other)) == {0.0, 1.0}:
            kept = np.broadcast_to(other == 1, expected.shape)
            scale = float(np.median((expected / cotangent)[kept]))
            inverted = scale * cotangent * (1 - other)
            yield f"it is the gradient for 1 - {name}: is the mask inverted?", inverted
        over = tuple(range(cotangent.ndim - expected.ndim))
        if over and other.shape == cotangent.shape and _fits(expected.shape, cotangent.shape):
            means = [other.mean(axis, keepdims=True) for axis in (over, -1)]
            for words, factor in (
                (f"{name}: is it used where what it is turned into is needed?", other),
                *(
                    (f"({name} - its mean): is a division by its deviation missing?", other - mean)
                    for mean in means
                ),
            ):
                yield f"it is the sum of dout * {words}", (cotangent * factor).sum(over)


def sums(case: Case) -> Candidates:
    """The sums of dout that have the shape of the gradient."""
    if case.cotangent is not None:
        for axes in _sets_of_axes(case.cotangent.shape):
            if (total := case.cotangent.sum(axes)).shape == case.got.shape:
                yield f"it is dout summed over axis {_joined(axes)}", total


def difference(case: Case) -> str:
    """What a gradient and the true one differ by; an empty text if it is nothing simple."""
    if case.known.sum() < ENOUGH:
        return ""
    got, expected, variable, close = case.got, case.expected, case.variable, case.size
    apart, known = got - expected, case.known
    is_alone = case.has_variables_shape and case.cotangent is None
    slope = proportion(apart, variable) if is_alone else None
    if slope and (abs(apart - slope * variable)[known] <= close).all():
        return f"{slope:+.4g} times the variable itself is added: a term of regularisation?"
    differs = known & (abs(apart) > close)
    # Where the true numbers are all alike, other patterns say more.
    is_offset = differs.sum() >= 3 and np.ptp(apart[differs]) <= close
    if is_offset and (differs.all() or np.ptp(expected[differs]) > close):
        which = "every entry" if differs.all() else "each entry that is wrong"
        return f"a constant of {apart[differs].mean():+.4g} is added to {which}"
    off = apart[differs]
    height = float(abs(off).max(initial=0))
    is_even = (abs(abs(off) - height) <= close).all() and abs(off.sum()) <= close * len(off)
    if len(off) > 3 and is_even:
        return f"{height:.4g} is added at some entries and lacks at others: is an index wrong?"
    if known.all() and case.has_variables_shape:
        for chosen in _sets_of_axes(apart.shape):
            text = _within(apart, variable, chosen, close)
            if text and not _are_multiples(_sliced(got, chosen), _sliced(variable, chosen), close):
                return text
    return ""


def factors(case: Case) -> str:
    """Whether a gradient is a multiple of the true one along some axes; else an empty text."""
    got, expected, close = case.got, case.expected, case.size
    if case.known.all():
        for chosen in _sets_of_axes(got.shape):
            y, x = _sliced(got, chosen), _sliced(expected, chosen)
            spare = np.maximum((x != 0).sum(axis=0) - 1, 0).sum()  # one shows the factor
            is_enough = len(chosen) < got.ndim and spare >= ENOUGH
            if is_enough and _are_multiples(y, x, close):
                return (
                    f"along axis {_joined(chosen)} it is a multiple of the derivative: is a factor"
                    " wrong that is the same along it?"
                )
        ratio = got / np.where(expected, expected, np.nan)
        if got.ndim == 2 and min(got.shape) > 2 and np.isfinite(ratio).all():
            crossed = abs(ratio * ratio[:1, :1] - ratio[:, :1] * ratio[:1])
            if (crossed <= 1e-5 * abs(ratio).max() ** 2).all() and ratio.all():
                return (
                    "it is the derivative times a factor of each row and one of each column: is a"
                    " sum over the wrong axis?"
                )
    return ""


def _sliced(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The slices of an array along some axes, as columns."""
    count = math.prod(array.shape[axis] for axis in axes)
    return np.moveaxis(array, axes, range(len(axes))).reshape(count, -1)


def _within(apart: np.ndarray, variable: np.ndarray, axes: tuple[int, ...], close: float) -> str:
    """Whether a difference is simple within the slices along some axes."""
    y, x = _sliced(apart, axes), _sliced(variable, axes)
    where, path = _joined(axes), "is the path through the"
    if len(y) < 3 or y.size - y.shape[1] < ENOUGH:
        return ""
    if (abs(y - y.mean(axis=0)) <= close).all():
        return f"it is off by the same number along axis {where}: {path} mean over it right?"
    if _are_multiples(y, x, close):
        return (
            f"it is off by a multiple of the variable along axis {where}: {path} norm over it"
            " right?"
        )
    centered, off = x - x.mean(axis=0), y - y.mean(axis=0)
    if y.size - 2 * y.shape[1] >= ENOUGH and _are_multiples(off, centered, close):
        return (
            f"it is off by a multiple of the variable, and a constant, along axis {where}: {path}"
            " variance over it right?"
        )
    return ""


def _are_multiples(y: np.ndarray, x: np.ndarray, close: float) -> bool:
    """Whether each column of y is a multiple of that of x."""
    square = (x * x).sum(axis=0)
    slope = (x * y).sum(axis=0) / np.where(square, square, 1)
    return bool((abs(y - slope * x) <= close).all())


def _sets_of_axes(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The sets of axes along which there are several entries."""
    for count in range(1, len(shape) + 1):
        for chosen in itertools.combinations(range(len(shape)), count):
            if math.prod(shape[axis] for axis in chosen) > 1:
                yield chosen


def _joined(axes: tuple[int, ...] | list[int]) -> str:
    return " and ".join(map(str, axes))


def _moved(array: np.ndarray, moves: tuple[int, ...]) -> np.ndarray:
    """An array that is shifted by one along some axes, with nan where nothing is shifted to."""
    moved = np.full(array.shape, np.nan)
    ends = {0: slice(None), 1: slice(1, None), -1: slice(None, -1)}
    to, from_ = (tuple(ends[sign * by] for by in moves) for sign in (1, -1))
    moved[to] = array[from_]
    return moved


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether an array of a shape can be broadcast to another."""
    return len(shape) <= len(into) and all(
        size in (1, other) for size, other in zip(shape[::-1], into[::-1], strict=False)
    )


def proportion(one: np.ndarray, other: np.ndarray) -> float | None:
    """The factor by which an array may be a multiple of another: that of its largest entry."""
    known = np.isfinite(one) & np.isfinite(other)
    place = np.unravel_index(np.argmax(np.where(known, abs(other), -1)), other.shape)
    return float(one[place] / other[place]) if other[place] else None
