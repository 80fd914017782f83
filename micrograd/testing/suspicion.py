"""What a wrong gradient of an array looks like: the usual mistakes of hand-written backpropagation.

A pattern is a candidate: an array that is made of the true gradient as the mistake makes it. The
first candidate that agrees with the gradient is the suspicion. Entries of the true gradient that
are not known are nan, so that a candidate is compared where it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from micrograd.testing.activations import mistakes
from micrograd.testing.cotangents import from_terms
from micrograd.testing.patterns import (
    ENOUGH,
    Candidates,
    Case,
    candidates,
    difference,
    factors,
    invariance,
    largest,
    proportion,
    sums,
)


def suspicion(case: Case) -> str:
    """What the mistake looks like, in words; an empty text if it resembles no known mistake."""
    ways = (_at_first_sight, _as_a_whole, _at_its_place, _beside_the_function)
    return next((text for way in ways for text in way(case) if text), "")


def _first(case: Case, made: Iterable[tuple[str, np.ndarray]]) -> str:
    """The words of the first candidate that agrees with the gradient."""
    return next((words for words, candidate in made if case.is_like(candidate)), "")


def _agreeing(case: Case, made: Callable[[np.ndarray], Candidates]) -> str:
    """The words of the first candidate that agrees with the gradient at some wrong entries."""
    places = np.flatnonzero(case.wrong)[:_VARIED]
    one = case.got.ravel()[places]
    for words, other in made(places) if len(places) >= ENOUGH else ():
        if (abs(one - other) <= case.close * max(largest(one), largest(other))).all():
            return words
    return ""


def _at_first_sight(case: Case) -> Iterator[str]:
    """What needs no pattern."""
    got, expected = case.got, case.expected
    if not np.isfinite(got[case.wrong]).all():
        yield "it is not finite where the derivative is: a division by 0, or log(0)?"
    if not got.any():
        yield "zeros where there should be numbers: is the gradient ever assigned?"
    if (abs(expected[case.known]) <= case.close * case.largest).all():
        yield "the derivative is 0 in every entry: the value does not depend on it here"
    if case.is_like(expected):  # no pattern can be told from another
        yield digits(case)
        yield "only the last digits differ: do nearly equal numbers cancel?"


def _as_a_whole(case: Case) -> Iterator[str]:
    """Patterns of all entries: a factor, or another argument in the place of one."""
    yield _factor(case)
    if case.known.sum() >= ENOUGH:
        yield _first(case, candidates(case))


def _at_its_place(case: Case) -> Iterator[str]:
    """Patterns of the entries that are wrong, and what is wrong there."""
    where, what = _region(case), _where_wrong(case)
    where = where or _looked_up(case)
    if where.endswith("?") and not _is_carried(case):
        where = where.partition(", the last:")[0]
    if where and what == _ZERO:
        yield f"{where}; {what}"
    yield _from_terms(case)
    if case.known.sum() > ENOUGH and case.has_variables_shape:
        with np.errstate(all="ignore"):
            words = _first(case, mistakes(case.expected, case.variable))
        yield words
    yield difference(case)
    yield digits(case)
    yield _agreeing(case, case.variations)
    behind = case.layers()
    if where:
        more = what or behind
        yield f"{where}; {more}" if more and not where.endswith("?") else where
    yield behind or ("where it is wrong, it is 0" if what == _ZERO else what)


def _beside_the_function(case: Case) -> Iterator[str]:
    """What only the function tells: its Jacobian, its other arguments, laws of its derivative."""
    if (pushed := case.pushed()) is not None and case.is_like(pushed):
        yield "it is the Jacobian times dout: is its transpose needed?"
    yield _in_another_order(case)
    yield _agreeing(case, case.replacements)
    yield _first(case, sums(case))
    yield factors(case)
    yield invariance(case)


def _where_wrong(case: Case) -> str:
    """What the wrong entries have in common."""
    got, expected, wrong, size = case.got, case.expected, case.wrong, case.size
    if wrong.sum() < min(ENOUGH, wrong.size):
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


def _factor(case: Case) -> str:
    """A constant factor: of the usual ones, or any."""
    got, expected = case.got, case.expected
    factor = proportion(got, expected)
    if factor is None:
        return ""
    usual = [
        (-1.0, ["the sign is wrong"]),
        (2.0, ["it is twice the derivative: a factor of 2 too many"]),
        (0.5, ["it is half the derivative: a factor of 2 is missing"]),
    ]
    constant = f"it is {factor:.6g} times the derivative in every entry: a constant factor"
    for size, name in case.sizes.items():
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
        if abs(factor - number) <= 1e-3 * abs(number) and case.is_like(number * expected)
        for text in words
    ]
    if not found and case.known.sum() >= ENOUGH and case.is_like(factor * expected):
        return constant
    return "; or ".join(found[:2])


def _is_carried(case: Case) -> bool:
    """Whether steps feel later ones: entries draw on outputs at other indices than their own."""
    wrong = case.wrong
    places = np.flatnonzero(wrong)[:_TERMS]
    terms = case.terms(places)
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


def digits(case: Case) -> str:
    """Whether the numbers have fewer digits than those of double precision."""
    one, true = case.got[case.known], case.expected[case.known]
    apart, is_whole = abs(one - true), one == np.rint(one)
    if not is_whole.all():
        for name, kind in (("half", np.float16), ("single", np.float32)):
            with np.errstate(all="ignore"):
                rounded = true.astype(kind)
                is_short = (one == one.astype(kind)).all()
            if is_short and (apart <= _UNITS * np.spacing(abs(rounded))).all():
                return f"it has the digits of {name} precision only: is a type of numbers wrong?"
    elif case.wrong.sum() >= ENOUGH and ((one == np.trunc(true)) | ~case.wrong[case.known]).all():
        return _WHOLE
    return ""


def _in_another_order(case: Case) -> str:
    """Whether the numbers are right, and their places are not."""
    got, expected, size = case.got, case.expected, case.size
    numbers = np.sort(expected[case.wrong])
    if not case.known.all() or (np.diff(numbers) > 2 * size).sum() < ENOUGH:
        return ""
    for axis in (*range(got.ndim - 1, -1, -1), None) if got.ndim > 1 else (None,):
        if (abs(np.sort(got, axis) - np.sort(expected, axis)) <= size).all():
            along = "" if axis is None else f" along axis {axis}"
            return f"it has the right numbers in another order{along}: is an index wrong?"
    return ""


def _from_terms(case: Case) -> str:
    """Whether the gradient is made from a part of dout, or from dout in another order."""
    chosen = [np.flatnonzero(case.wrong), np.flatnonzero(case.known & ~case.wrong)]
    places = np.concatenate([
        flags[np.unique(np.linspace(0, len(flags) - 1, most).astype(int))] if len(flags) else flags
        for flags, most in zip(chosen, (_TERMS, _VARIED), strict=True)
    ])  # fmt: skip
    terms = case.terms(places)
    entries = case.got.ravel()[places]
    if terms is None or case.cotangent is None or not entries.any():
        return ""
    size = max(float(abs(entries).max()), float(abs(terms).max()))
    for words, made in from_terms(terms, case.cotangent):
        if (abs(entries - made) <= case.close * size).all():
            return words
    return ""


_ZERO = "it is 0 there"
_NO_MASK = "where it is wrong, the derivative is 0: is a mask or a condition forgotten?"
_WHOLE = "every entry is a whole number: is it stored in an array of integers?"
_UNITS = 4  # in the last place, by which what is computed with fewer digits may be off
_FACTORS = 2  # by which wrong entries are multiplied
_VARIED = 6  # wrong entries that are compared where another argument is varied
_TERMS = 12  # wrong entries whose contributions are compared


def _looked_up(case: Case) -> str:
    """Whether the rows that whole numbers name are wrong, or no others are there."""
    got, expected, wrong = case.got, case.expected, case.wrong
    if wrong.ndim != 2 or not case.known.all():
        return ""
    for name, numbers in case.constants.items():
        named = np.isin(np.arange(len(wrong)), numbers % len(wrong))
        if not named.any() or not expected[~named].any():
            continue
        if (wrong.any(axis=1) == named).all():
            return f"only the rows that {name} names are wrong: is the path of the look-up right?"
        if (got.any(axis=1) == named).all():
            return f"only the rows that {name} names are there: is another path missing?"
    return ""


def _region(case: Case) -> str:
    """Where the wrong entries are, if they have a common index."""
    known, wrong = case.known, case.wrong
    # An entry that is 0 is right by accident as often as not.
    right = known & ~wrong & ((case.got != 0) | (case.expected != 0))
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
