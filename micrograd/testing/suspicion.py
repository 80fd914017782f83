"""What a wrong gradient of an array looks like: the usual mistakes of hand-written backpropagation.

A pattern is a candidate: an array that is made of the true gradient as the mistake makes it. The
first candidate that agrees with the gradient is the suspicion. Entries of the true gradient that
are not known are nan, so that a candidate is compared where it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from micrograd.testing.activations import mistakes
from micrograd.testing.cotangents import from_terms
from micrograd.testing.patterns import candidates, difference, factors, invariance, sums

_ENOUGH = 3  # entries that must agree, where there are so many
_DECISIVE = 8  # wrong entries that decide, or half of them, if there are not so many
CLOSE = {True: 1e-5, False: 1e-3}  # of the largest entry, by whether it is in double precision


@dataclass
class Surroundings:
    """What a gradient is compared with.

    Args:
        variable: the array with respect to which the gradient is.
        sizes: sizes that are commonly divided by, such as that of the batch, with their names.
        cotangent: the gradient of the output, if it is given.
        others: the arguments with respect to which there are gradients, by their names.
        constants: the arrays among the arguments that are not differentiated.
        gradients: the true gradients of `others`, with nan where they are not known.
        variations: what some entries of the true gradient would be if another argument were
            in another order, with the mistake in words.
        replacements: the same for another argument that is 1, 0, or the variable itself.
        layers: what the gradients of linear layers say of the mistake, in words.
        terms: the contributions of the outputs to entries of the true gradient, of the shape of the
            output and one axis more; or None if they are not known.
        pushed: the Jacobian times dout, where the result has the shape of the variable, or None.
        is_double: whether the numbers are in double precision.
    """

    variable: np.ndarray
    sizes: Mapping[int, str] = field(default_factory=dict)
    cotangent: np.ndarray | None = None
    others: Mapping[str, np.ndarray] = field(default_factory=dict)
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)
    gradients: Mapping[str, np.ndarray] = field(default_factory=dict)
    terms: Callable[[np.ndarray], np.ndarray | None] = lambda places: None
    variations: Callable[[np.ndarray], Iterable[tuple[str, np.ndarray]]] = lambda places: ()
    replacements: Callable[[np.ndarray], Iterable[tuple[str, np.ndarray]]] = lambda places: ()
    layers: Callable[[], str] = str
    pushed: Callable[[], np.ndarray | None] = lambda: None
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
    case = _Case(got, expected, wrong, surroundings)
    ways = (_at_first_sight, _as_a_whole, _at_its_place, _beside_the_function)
    return next((text for way in ways for text in way(case) if text), "")


@dataclass
class _Case:
    """A wrong gradient, the true one, and what `suspicion` has found out about them."""

    got: np.ndarray
    expected: np.ndarray
    wrong: np.ndarray
    surroundings: Surroundings

    def __post_init__(self) -> None:
        self.known = np.isfinite(self.expected)
        self.close = CLOSE[self.surroundings.is_double]
        self.largest = _largest(self.got)
        self.places = np.flatnonzero(self.wrong)[:_VARIED]

    @property
    def size(self) -> float:
        """Up to which two numbers count as equal."""
        return self.close * max(self.largest, _largest(self.expected))

    @property
    def has_variables_shape(self) -> bool:
        """Whether there is one entry for each of the variable."""
        return self.surroundings.variable.shape == self.expected.shape

    def is_like(self, candidate: np.ndarray) -> bool:
        """Whether a candidate agrees with the gradient wherever it is known, at enough entries."""
        compared = np.isfinite(candidate)
        decisive = (compared & self.wrong).sum()
        enough = min(self.wrong.sum() / 2, _DECISIVE)
        if compared.sum() < min(_ENOUGH, self.got.size) or decisive < enough:
            return False
        size = float(max(abs(candidate[compared]).max(), self.largest))
        return bool((abs(self.got - candidate)[compared] <= self.close * size).all())

    def first(self, made: Iterable[tuple[str, np.ndarray]]) -> str:
        """The words of the first candidate that agrees with the gradient."""
        return next((words for words, candidate in made if self.is_like(candidate)), "")

    def agreeing(self, made: Iterable[tuple[str, np.ndarray]]) -> str:
        """The words of the first that agrees with the gradient at `places`."""
        entries = self.got.ravel()[self.places]
        return next((words for words, each in made if _agree(entries, each, self.close)), "")


def _at_first_sight(case: _Case) -> Iterator[str]:
    """What needs no pattern."""
    got, expected = case.got, case.expected
    if not np.isfinite(got[case.wrong]).all():
        yield "it is not finite where the derivative is: a division by 0, or log(0)?"
    if not got.any():
        yield "zeros where there should be numbers: is the gradient ever assigned?"
    if (abs(expected[case.known]) <= case.close * case.largest).all():
        yield "the derivative is 0 in every entry: the value does not depend on it here"
    if case.is_like(expected):  # no pattern can be told from another
        yield digits(got, expected, case.wrong)
        yield "only the last digits differ: do nearly equal numbers cancel?"


def _as_a_whole(case: _Case) -> Iterator[str]:
    """Patterns of all entries: a factor, or another argument in the place of one."""
    given = case.surroundings
    yield _factor(case.got, case.expected, case.known, given, case.is_like)
    if case.known.sum() >= _ENOUGH:
        named = {**given.others, **given.constants}
        yield case.first(
            candidates(case.got, case.expected, named, given.gradients, given.cotangent)
        )


def _at_its_place(case: _Case) -> Iterator[str]:
    """Patterns of the entries that are wrong, and what is wrong there."""
    got, expected, wrong, given = case.got, case.expected, case.wrong, case.surroundings
    where, what = _region(got, expected, wrong), _where_wrong(got, expected, wrong, case.close)
    where = where or _looked_up(got, expected, wrong, given.constants)
    if where.endswith("?") and not _is_carried(wrong, given):
        where = where.partition(", the last:")[0]
    if where and what == _ZERO:
        yield f"{where}; {what}"
    yield _from_terms(got, wrong, case.known, given, case.close)
    if case.known.sum() > _ENOUGH and case.has_variables_shape:
        with np.errstate(all="ignore"):
            words = case.first(mistakes(expected, given.variable))
        yield words
    if case.known.sum() >= _ENOUGH:
        is_vjp = given.cotangent is not None
        yield difference(got, expected, given.variable, case.size, is_vjp=is_vjp)
    yield digits(got, expected, wrong)
    yield case.agreeing(given.variations(case.places))
    behind = given.layers()
    if where:
        more = what or behind
        yield f"{where}; {more}" if more and not where.endswith("?") else where
    yield behind or ("where it is wrong, it is 0" if what == _ZERO else what)


def _beside_the_function(case: _Case) -> Iterator[str]:
    """What only the function tells: its Jacobian, its other arguments, laws of its derivative."""
    got, expected, given = case.got, case.expected, case.surroundings
    if (pushed := given.pushed()) is not None and case.is_like(pushed):
        yield "it is the Jacobian times dout: is its transpose needed?"
    yield _in_another_order(got, expected, case.wrong, case.close)
    yield case.agreeing(given.replacements(case.places))
    yield case.first(sums(given.cotangent, got.shape))
    yield factors(got, expected, case.size)
    if case.known.all() and case.has_variables_shape:
        yield invariance(got, expected, given.variable, case.close)


def _agree(one: np.ndarray, other: np.ndarray, close: float) -> bool:
    size = max(_largest(one), _largest(other))
    return bool((abs(one - other) <= close * size).all()) and len(one) >= _ENOUGH


def _largest(array: np.ndarray) -> float:
    return float(np.max(abs(array), initial=0, where=np.isfinite(array)))


def _where_wrong(got: np.ndarray, expected: np.ndarray, wrong: np.ndarray, close: float) -> str:
    """What the wrong entries have in common."""
    size = close * max(_largest(got), _largest(expected))
    if wrong.sum() < min(_ENOUGH, wrong.size):
        if wrong.sum() > 1 and not (abs(expected[wrong]) > size).any():
            return _NO_MASK
        return "" if got[wrong].any() else _ZERO
    one, true = got[wrong], expected[wrong]
    if not one.any():
        return _ZERO
    one, true = (np.where(abs(each) <= size, 0.0, each) for each in (one, true))  # rounding
    if not true.any():
        return _NO_MASK
    if wrong.all() and not (one * true).any():
        return "it is 0 only where the derivative is not: is a mask or a condition inverted?"
    found: list[float] = []
    while len(one) and len(found) < _FACTORS:
        place = np.argmax(abs(true))
        found.append(float(one[place] / true[place]) if true[place] else np.inf)
        rest = abs(one - found[-1] * true) > size
        one, true = one[rest], true[rest]
    if not len(one) and len(found) == 2 and found[1] == np.inf:
        return f"{_NO_MASK} Elsewhere it is {found[0]:.4g} times the derivative"
    if len(one) or 2 * len(found) > wrong.sum() or not np.isfinite(found).all():
        return ""
    if len(found) == 1 and abs(found[0] + 1) <= 1e-3:
        return "where it is wrong, the sign is wrong"
    if len(found) == 1 and wrong.all():
        return f"it is {found[0]:.6g} times the derivative in every entry: a constant factor"
    words = " or ".join(f"{factor:.4g}" for factor in sorted(found))
    return f"where it is wrong, it is {words} times the derivative"


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
    usual = [
        (-1.0, ["the sign is wrong"]),
        (2.0, ["it is twice the derivative: a factor of 2 too many"]),
        (0.5, ["it is half the derivative: a factor of 2 is missing"]),
    ]
    constant = f"it is {factor:.6g} times the derivative in every entry: a constant factor"
    for size, name in surroundings.sizes.items():
        if size > 1:
            usual.append((float(size), [f"a division by {size} is missing: {name}"]))
            usual.append((1 / size, [f"it is divided by {size} once too often: {name}"]))
        if size > 3:  # n - 1, as in the variance of a sample
            for one, other in ((size - 1, size), (size, size - 1)):
                text = f"it is divided by {one}, and not by {other}: {name}"
                usual.append((other / one, [constant, text]))
    found = [
        text
        for number, words in usual
        if abs(factor - number) <= 1e-3 * abs(number) and is_like(number * expected)
        for text in words
    ]
    if not found and known.sum() >= _ENOUGH and is_like(factor * expected):
        return constant
    return "; or ".join(found[:2])


def _is_carried(wrong: np.ndarray, surroundings: Surroundings) -> bool:
    """Whether steps feel later ones: entries draw on outputs at other indices than their own."""
    places = np.flatnonzero(wrong)[:_TERMS]
    terms = surroundings.terms(places)
    if terms is None:
        return True
    indices = np.unravel_index(places, wrong.shape)
    for axis, size in enumerate(wrong.shape):
        hit = np.asarray(np.moveaxis(wrong, axis, 0).reshape(size, -1).any(axis=1))
        if hit[-1] or not hit[:-1].all():
            continue
        for output in range(terms.ndim - 1):
            if terms.shape[output] == size:
                shares = abs(np.moveaxis(terms, output, 0)).reshape(size, -1, len(places))
                shares[indices[axis], :, np.arange(len(places))] = 0
                if not shares.any():
                    return False
    return True


def digits(got: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> str:
    """Whether the numbers have fewer digits than those of double precision."""
    known = np.isfinite(expected)
    one, true = got[known], expected[known]
    apart, is_whole = abs(one - true), one == np.rint(one)
    if not is_whole.all():
        for name, kind in (("half", np.float16), ("single", np.float32)):
            with np.errstate(all="ignore"):
                rounded = true.astype(kind)
                is_short = (one == one.astype(kind)).all()
            if is_short and (apart <= _UNITS * np.spacing(abs(rounded))).all():
                return f"it has the digits of {name} precision only: is a type of numbers wrong?"
    elif wrong.sum() >= _ENOUGH and ((one == np.trunc(true)) | ~wrong[known]).all():
        return _WHOLE
    return ""


def _in_another_order(
    got: np.ndarray, expected: np.ndarray, wrong: np.ndarray, close: float
) -> str:
    """Whether the numbers are right, and their places are not."""
    size = close * max(_largest(got), _largest(expected))
    numbers = np.sort(expected[wrong])
    if not np.isfinite(expected).all() or (np.diff(numbers) > 2 * size).sum() < _ENOUGH:
        return ""
    for axis in (*range(got.ndim - 1, -1, -1), None) if got.ndim > 1 else (None,):
        if (abs(np.sort(got, axis) - np.sort(expected, axis)) <= size).all():
            along = "" if axis is None else f" along axis {axis}"
            return f"it has the right numbers in another order{along}: is an index wrong?"
    return ""


def _from_terms(
    got: np.ndarray,
    wrong: np.ndarray,
    known: np.ndarray,
    surroundings: Surroundings,
    close: float,
) -> str:
    """Whether the gradient is made from a part of dout, or from dout in another order."""
    chosen = [np.flatnonzero(wrong), np.flatnonzero(known & ~wrong)]
    places = np.concatenate([
        flags[np.unique(np.linspace(0, len(flags) - 1, most).astype(int))] if len(flags) else flags
        for flags, most in zip(chosen, (_TERMS, _VARIED), strict=True)
    ])  # fmt: skip
    terms = surroundings.terms(places)
    entries = got.ravel()[places]
    if terms is None or surroundings.cotangent is None or not entries.any():
        return ""
    size = max(float(abs(entries).max()), float(abs(terms).max()))
    for words, made in from_terms(terms, surroundings.cotangent):
        if (abs(entries - made) <= close * size).all():
            return words
    return ""


_ZERO = "it is 0 there"
_NO_MASK = "where it is wrong, the derivative is 0: is a mask or a condition forgotten?"
_WHOLE = "every entry is a whole number: is it stored in an array of integers?"
_UNITS = 4  # in the last place, by which what is computed with fewer digits may be off
_FACTORS = 2  # by which wrong entries are multiplied
_VARIED = 6  # wrong entries that are compared where another argument is varied
_TERMS = 12  # wrong entries whose contributions are compared


def _looked_up(
    got: np.ndarray, expected: np.ndarray, wrong: np.ndarray, constants: Mapping[str, np.ndarray]
) -> str:
    """Whether the rows that whole numbers name are wrong, or no others are there."""
    if wrong.ndim != 2 or not np.isfinite(expected).all():
        return ""
    for name, numbers in constants.items():
        named = np.isin(np.arange(len(wrong)), numbers % len(wrong))
        if not named.any() or not expected[~named].any():
            continue
        if (wrong.any(axis=1) == named).all():
            return f"only the rows that {name} names are wrong: is the path of the look-up right?"
        if (got.any(axis=1) == named).all():
            return f"only the rows that {name} names are there: is another path missing?"
    return ""


def _region(got: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> str:
    """Where the wrong entries are, if they have a common index."""
    known = np.isfinite(expected)
    # An entry that is 0 is right by accident as often as not.
    right = known & ~wrong & ((got != 0) | (expected != 0))
    names = ("row", "column") if wrong.ndim == 2 else ()
    if wrong.ndim == 2 and wrong.shape[0] == wrong.shape[1] and known.all() and wrong.size > 4:
        diagonal = np.eye(len(wrong), dtype=bool)
        for flags, verdict in ((wrong, "wrong"), (~wrong, "right")):
            if (flags == diagonal).all():
                return f"only the diagonal is {verdict}"
    for axis in range(wrong.ndim):
        if wrong.shape[axis] < 2:
            continue
        others = tuple(other for other in range(wrong.ndim) if other != axis)
        hit, seen = (np.asarray(flags.any(axis=others)) for flags in (wrong, wrong | right))
        thing = names[axis] if names else "index"
        many = {"index": "indices"}.get(thing, f"{thing}s")
        where = "" if names else f" of axis {axis}"
        first, count, last = int(hit.argmax()), int(hit.sum()), wrong.shape[axis] - 1
        if count < seen.sum() and hit[first : first + count].all():
            if count == 1 and (wrong.sum() > 1 or wrong.ndim == 1):
                return f"only {thing} {first}{where} is wrong"
            if count > 1 and seen.all() and count < last:
                return f"only {many} {first} to {first + count - 1}{where} are wrong"
        second = np.arange(last + 1) % 2 == first
        if last > 2 and seen.all() and (hit == second).all():
            return f"only every second of the {many}{where} is wrong, from {first}"
        if seen.sum() > 2 and seen.sum() - count == 1 and (right.sum() > 1 or wrong.ndim == 1):
            only = int((seen & ~hit).argmax())
            text = f"only {thing} {only}{where} is right"
            if only == last and axis < max(wrong.ndim - 1, 1) and known.all():
                text += ", the last: is the gradient carried back from each step to the one before?"
            return text
    return ""
