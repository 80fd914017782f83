"""What a wrong gradient of an array looks like: the usual mistakes of hand-written backpropagation.

A pattern is a candidate: an array that is made of the true gradient as the mistake makes it. The
first candidate that agrees with the gradient is the suspicion. Entries of the true gradient that
are not known are nan, so that a candidate is compared where it is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

_ENOUGH = 3  # entries that must agree, where there are so many
_CLOSE = 1e-5  # of the largest entry, for numbers in double precision


@dataclass
class Surroundings:
    """What a gradient is compared with.

    Args:
        variable: the array with respect to which the gradient is.
        sizes: sizes that are commonly divided by, such as that of the batch, with their names.
        cotangent: the gradient of the output, if it is given.
        others: the arguments, by their names.
        gradients: the true gradients of these, with nan where they are not known.
        terms: the contributions of the outputs to entries of the true gradient, of the shape of the
            output and one axis more; or None if they are not known.
        is_double: whether the numbers are in double precision.
    """

    variable: np.ndarray
    sizes: Mapping[int, str] = field(default_factory=dict)
    cotangent: np.ndarray | None = None
    others: Mapping[str, np.ndarray] = field(default_factory=dict)
    gradients: Mapping[str, np.ndarray] = field(default_factory=dict)
    terms: Callable[[np.ndarray], np.ndarray | None] = lambda places: None
    is_double: bool = True


def suspicion(
    got: np.ndarray, expected: np.ndarray, wrong: np.ndarray, surroundings: Surroundings
) -> str:
    """What the mistake looks like, in words; an empty text if it resembles no known mistake.

    Args:
        got: the gradient.
        expected: the true gradient, with nan where it is not known.
        wrong: which entries are wrong.
        surroundings: what else there is.
    """
    if not np.isfinite(got[wrong]).all():
        return "it is not finite where the derivative is: a division by 0, or log(0)?"
    largest = float(np.max(abs(got), initial=0, where=np.isfinite(got)))
    if not got.any():
        return "zeros where there should be numbers: is the gradient ever assigned?"
    known = np.isfinite(expected)
    close = _CLOSE if surroundings.is_double else 100 * _CLOSE
    if (abs(expected[known]) <= close * largest).all():
        return "the derivative is 0 in every entry: the value does not depend on it here"

    def is_like(candidate: np.ndarray) -> bool:
        compared = np.isfinite(candidate)
        if compared.sum() < min(_ENOUGH, got.size):
            return False
        size = float(max(abs(candidate[compared]).max(), largest))
        return bool((abs(got - candidate)[compared] <= close * size).all())

    if is_like(expected):  # no pattern can be told from another
        return "only the last digits differ: do nearly equal numbers cancel?"
    if text := _factor(got, expected, known, surroundings, is_like):
        return text
    if known.sum() >= _ENOUGH:
        for words, candidate in _candidates(got, expected, surroundings):
            if is_like(candidate):
                return words
    if text := _last_terms(got, wrong, surroundings, close):
        return text
    text = _region(wrong, known)
    return f"{text}; it is 0 there" if text and not got[wrong].any() else text


def _factor(
    got: np.ndarray,
    expected: np.ndarray,
    known: np.ndarray,
    surroundings: Surroundings,
    is_like: Callable[[np.ndarray], bool],
) -> str:
    """A constant factor: of the usual ones, or any."""
    place = np.unravel_index(np.argmax(np.where(known, abs(expected), -1)), got.shape)
    if not expected[place]:
        return ""
    factor = float(got[place] / expected[place])
    usual = {-1.0: "the sign is wrong", 2.0: "it is twice the derivative: a factor of 2 too many"}
    usual[0.5] = "it is half the derivative: a factor of 2 is missing"
    for size, name in surroundings.sizes.items():
        if size > 1:
            usual.setdefault(float(size), f"a division by {size} is missing: {name}")
            usual.setdefault(1 / size, f"it is divided by {size} once too often: {name}")
        if size > 3:
            many, few = f"divided by {size}", f"divided by {size - 1}"
            usual.setdefault(size / (size - 1), f"it is {few}, and not by {size}: {name}")
            usual.setdefault((size - 1) / size, f"it is {many}, and not by {size - 1}: {name}")
    for number, words in usual.items():
        if abs(factor - number) <= 1e-3 * abs(number) and is_like(number * expected):
            return words
    if known.sum() >= _ENOUGH and is_like(factor * expected):
        return f"it is {factor:.6g} times the derivative in every entry: a constant factor"
    return ""


def _candidates(
    got: np.ndarray, expected: np.ndarray, surroundings: Surroundings
) -> Iterator[tuple[str, np.ndarray]]:
    """What the gradient would be by some mistakes."""
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
        for by in (1, -1):
            yield f"it is shifted by one along axis {axis}", np.roll(expected, by, axis)
    cotangent = surroundings.cotangent
    if cotangent is not None and cotangent.shape == got.shape:
        yield "it is the gradient of the output, passed on unchanged", cotangent
        yield (
            "the gradient of the output itself is missing: the path of a residual connection?",
            expected - cotangent,
        )
        yield "the gradient of the output is added once too often", expected + cotangent
    for name, gradient in surroundings.gradients.items():
        if gradient.shape == got.shape:
            yield f"it is the gradient of {name}: are the two swapped?", gradient
    for name, other in surroundings.others.items():
        for words, numbers in (("", other), ("1 - ", 1 - other), ("the square of ", other**2)):
            if _fits(numbers.shape, got.shape) and (numbers != 1).any():
                with np.errstate(all="ignore"):
                    yield f"the factor {words}{name} is missing", expected / numbers
                    yield f"the factor {words}{name} is too many", expected * numbers
    variable = surroundings.variable
    if variable.shape == got.shape and (slope := _slope(got - expected, variable)):
        yield (
            f"{slope:+.4g} times the variable itself is added: a term of regularisation?",
            expected + slope * variable,
        )
    for count in range(1, expected.ndim + 1):
        for chosen in itertools.combinations(axes, count):
            words = " and ".join(map(str, chosen))
            sizes = np.prod([got.shape[axis] for axis in chosen])
            if sizes < 2:
                continue
            yield (
                f"the path through the mean over axis {words} is missing",
                expected + got.mean(axis=chosen, keepdims=True),
            )
            yield (
                f"it is summed or broadcast over axis {words}",
                expected.sum(axis=chosen, keepdims=True) + 0 * expected,
            )
            yield (
                f"it is averaged over axis {words}",
                expected.mean(axis=chosen, keepdims=True) + 0 * expected,
            )
    with np.errstate(all="ignore"):
        offset = np.nanmean(got - expected)
    yield f"a constant of {offset:+.4g} is added to every entry", expected + offset


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether an array of a shape can be broadcast to another."""
    return len(shape) <= len(into) and all(
        size in (1, other) for size, other in zip(shape[::-1], into[::-1], strict=False)
    )


def _slope(difference: np.ndarray, variable: np.ndarray) -> float | None:
    """The factor by which a difference is proportional to the variable, by its largest entry."""
    known = np.isfinite(difference)
    place = np.unravel_index(np.argmax(np.where(known, abs(variable), -1)), variable.shape)
    if not variable[place]:
        return None
    return float(difference[place] / variable[place])


def _last_terms(
    got: np.ndarray, wrong: np.ndarray, surroundings: Surroundings, close: float
) -> str:
    """Whether only the last, or the first, of several contributions is there."""
    places = np.flatnonzero(wrong)[:_TERMS]
    terms = surroundings.terms(places)
    entries = got.ravel()[places]
    if terms is None or not entries.any():
        return ""
    axes = range(terms.ndim - 1)
    size = max(float(abs(entries).max()), float(abs(terms).max()))
    for count in range(1, terms.ndim):
        for kept in itertools.combinations(axes, count):
            summed = terms.sum(axis=tuple(axis for axis in axes if axis not in kept))
            summed = summed.reshape(-1, len(places))
            if len(summed) < 2:
                continue
            for which, ordered in (("last", summed[::-1]), ("first", summed)):
                place = (abs(ordered) > close * size).argmax(axis=0)
                nonzero = ordered[place, np.arange(len(places))]
                if any(
                    (abs(entries - only) <= close * size).all() for only in (ordered[0], nonzero)
                ):
                    words = " and ".join(map(str, kept))
                    return (
                        f"only the {which} of several contributions is there, over axis {words} of"
                        " the result: is it = where += is needed?"
                    )
    return ""


_TERMS = 12  # wrong entries whose contributions are compared


def _region(wrong: np.ndarray, known: np.ndarray) -> str:
    """Where the wrong entries are, if they have a common index."""
    names = ("row", "column") if wrong.ndim == 2 else ()
    for axis in range(wrong.ndim):
        if wrong.shape[axis] < 2:
            continue
        others = tuple(other for other in range(wrong.ndim) if other != axis)
        hit, seen = (np.asarray(flags.any(axis=others)) for flags in (wrong, known))
        thing = names[axis] if names else "index"
        where = "" if names else f" of axis {axis}"
        first, count, last = int(hit.argmax()), int(hit.sum()), wrong.shape[axis] - 1
        if count < seen.sum() and hit[first : first + count].all():
            if count == 1 and (wrong.sum() > 1 or wrong.ndim == 1):
                return f"only {thing} {first}{where} is wrong"
            if count > 1 and seen.all() and count < last:
                many = {"index": "indices"}.get(thing, f"{thing}s")
                return f"only {many} {first} to {first + count - 1}{where} are wrong"
        if seen.sum() > 2 and seen.sum() - count == 1:
            right = int((seen & ~hit).argmax())
            text = f"only {thing} {right}{where} is right"
            if right == last:
                text += ", the last: is the gradient carried back from each step to the one before?"
            return text
    return ""
