"""Checks of gradients that are computed outside the engine: by hand, by JAX, by PyTorch.

The function and its gradient know nothing of Values. Its arguments are numbers, arrays, or nested
lists, tuples and dicts of them, which become one flat array of doubles (`Arguments`). Differences
(`numerical.py`) and, where the function computes with complex numbers, complex steps are the
witnesses. A few entries are compared one by one; many are moved together in random directions, and
halving finds an entry that is wrong. `suspicion.py` says what the mistake looks like.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from micrograd.testing.arguments import Leaf
from micrograd.testing.array_witness import ArrayWitness
from micrograd.testing.claims import ROUNDING, ROUNDING_OF_TERMS, Claim
from micrograd.testing.directions import first_wrong
from micrograd.testing.options import Options
from micrograd.testing.report import Problem, Report, aligned
from micrograd.testing.surroundings import ArrayCase, of_layers
from micrograd.testing.suspicion import digits, suspicion

_FEW = 256  # entries that are compared one by one
_SAMPLE = 128  # entries that are looked at where a large array is wrong
_MIRRORED = 16  # of these, whose mirror images are looked at, too
_SHOWN = 3  # wrong entries of an array that are named
_SEARCHES = 64  # groups of entries of a large array that are moved together
_SMALLEST = 16  # entries that are not divided any more
# Factors of the first step, where differences say that an entry is wrong. They are not powers of
# two, so that the steps differ. Measured on tests/testing/test_single_precision.py: without them,
# the gradient of a sine at 1e6 is called wrong, and without the smallest ones, that at 1e9.
_SHRINKS = {8: (0.03, 0.001, 1e-6, 6e-8), 4: (0.13, 0.016, 0.002), 2: (0.26,)}
# How many times its error a difference must be to count as wrong. Where only few steps are neither
# too large nor lost in rounding, the error is estimated from few numbers. Measured on the same
# functions: with 2 for single precision, 2 of 1674 right gradients are called wrong; with 32, a
# wrong one is missed in tests/testing/test_arrays.py.
_SURE = {8: 2.0, 4: 8.0, 2: 8.0}
_RETRIES = 48  # such entries that are looked at again
_SIDES = 24  # wrong entries that are looked at from both sides, where the witness sees no kinks
# By the bytes of the numbers, relative to the largest entry: a wider bound confirms nothing, and a
# smaller difference of the slopes on the two sides does not count as a kink.
_NARROW = {8: 1e-2, 4: 1e-2, 2: 0.2}
_KINK = {8: 1e-3, 4: 3e-2, 2: 0.3}


@dataclass(repr=False)
class ArrayReport(Report):
    """The result of `check_gradients` for a gradient that is computed outside the engine.

    Like `Report`, it is true if everything is confirmed, and `is_wrong` or `is_undecided` else.
    It prints as a table of the arguments, followed by the entries that are wrong and by what the
    mistake looks like. `names`, `gradient` and `point` are those of the wrong entries.

    Args:
        function: the name of the function.
        names: the names of the wrong entries.
        point: the numbers there.
        rows: what was found about each argument: its name, its shape, the verdict, the witness, and
            the largest difference.

    >>> from micrograd.testing import check_gradients
    >>> print(check_gradients(lambda x: x**3, 2.0, gradient=lambda x: 3 * x * x))
    f: ok, value 8.0
      gradient  shape   verdict  compared with  largest difference
      dx        number  ok       complex step   0e+00
    """

    rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def _heading(self) -> str:
        value = "" if math.isnan(self.value) else f", value {self.value!r}"
        return f"{self.function}: {self._verdict}{value}"

    def _rows(self) -> list[list[str]]:
        head = ["gradient", "shape", "verdict", "compared with", "largest difference"]
        return [head, *map(list, self.rows)]

    def _panel(self, index: int | None) -> list[str]:
        return aligned(self._rows())


def check_arrays(
    f: Callable[..., Any],
    at: tuple[Any, ...],
    options: Options,
    *,
    order: int = 1,
    wrt: Any = None,
    **given: Callable[..., Any],
) -> ArrayReport:
    """The report on a gradient, a Jacobian or a backward pass that was written elsewhere.

    Args:
        f: the function.
        at: its arguments.
        options: what the user chose.
        order: the order of the derivatives to check, which must be 1.
        wrt: must be None.
        **given: `gradient`, `jacobian` or `vjp`.
    """
    if len(given) > 1:
        raise ValueError(f"give one of gradient, jacobian and vjp, got {' and '.join(given)}")
    ((kind, function),) = given.items()
    if not callable(function):
        raise TypeError(f"{kind} must be a function, got {function!r}")
    if order > 1 or wrt is not None:
        raise ValueError(
            f"order and wrt are for gradients of the engine; {kind}= is checked for order 1, with"
            " respect to the arguments"
        )
    return _Check(Claim(f, at, kind, function), options).report


class _Check:
    """The comparison of what is claimed with what the witness says."""

    def __init__(self, claim: Claim, options: Options) -> None:
        self.claim, self.arguments, self.options = claim, claim.arguments, options
        self.report = ArrayReport(claim.name, [], [], math.nan, notes=claim.notes)
        self.rng = random.Random(4)  # noqa: S311 (places, not secrets)
        self.directions = np.random.default_rng(4)
        if claim.kind == "gradient":
            self.report.value = float(claim.value.sum())
        self.expected: dict[str, np.ndarray] = {}
        self.bounds: dict[str, np.ndarray] = {}
        if not claim.is_repeatable:
            self.report.undecided.append(
                f"{claim.name} is not deterministic: two calls with the same arguments returned"
                " different numbers; fix its seed, or pass what is drawn at random as an argument"
            )
        elif all(got is None for got in claim.gradients):
            self.report.undecided.append("no gradient was given")
        elif not np.isfinite(claim.value).any():
            unusual = claim.result.flat[~np.isfinite(claim.result.flat)]
            self.report.undecided.append(
                f"{claim.name} returned {unusual[0].item()!r}: choose a point where it is finite"
            )
        else:
            with np.errstate(all="ignore"):  # steps may lead out of the domain
                self.witness = ArrayWitness(claim, options)
                self._compare()

    def _compare(self) -> None:
        """Compare the gradients of all leaves, then look at what is wrong together."""
        wrongs = []
        for leaf, got in zip(self.arguments.leaves, self.claim.gradients, strict=True):
            if got is None:
                continue
            shape = self.claim.shape + leaf.shape
            if got.shape != shape and got.size == math.prod(shape) == 1:
                got = got.reshape(shape)
            if got.shape != shape:
                self._misshapen(leaf, got, shape)
                continue
            matrix = got.reshape(len(self.claim.value), -1)
            wrong = self._compare_leaf(leaf, matrix)
            if wrong is not None:
                wrongs.append((leaf, matrix, wrong))
        for leaf, got, wrong in wrongs:
            self._accuse(leaf, got, wrong)
        nonlinear = [*self.claim.nonlinear.values()]
        self.report.suspicions += nonlinear
        if not self.report.problems:  # right for one gradient of the result, by accident
            self.report.problems += map(Problem, nonlinear)

    def _compare_leaf(self, leaf: Leaf, got: np.ndarray) -> np.ndarray | None:
        """Which entries of the gradient of a leaf are wrong, outputs × entries; None if none is."""
        undecided = len(self.report.undecided)
        count = got.shape[1]
        self.largest = 0.0
        if not count:
            heard, expected, wrong = "nothing", got, np.zeros(got.shape, bool)
        elif count <= _FEW:
            expected, wrong = self._entries(leaf, got, np.arange(count))
            heard = f"all entries, {self.witness.name}" if count > 1 else self.witness.name
        else:
            found = self._search(leaf, got)
            heard = f"random directions, {self.witness.name}"
            expected, wrong = found or (np.full_like(got, np.nan), np.zeros(got.shape, bool))
        is_open = len(self.report.undecided) > undecided
        verdict = "WRONG" if wrong.any() else "UNDECIDED" if is_open else "ok"
        self._row(leaf, verdict, heard, f"{self.largest:.0e}")
        self.expected[leaf.name] = expected
        return wrong if wrong.any() else None

    def _row(self, leaf: Leaf, *cells: str) -> None:
        name = self._title(leaf)
        shape = " × ".join(map(str, leaf.shape)) or "number"
        self.report.rows.append((name, shape, *cells))  # type: ignore[arg-type]

    def _entries(
        self, leaf: Leaf, got: np.ndarray, indices: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The true gradient at some entries, nan elsewhere; and which entries are wrong.

        An entry is wrong if it is outside the bound of a witness, *loose* if the bound is too wide
        to confirm it.
        """
        expected, wrong = np.full(got.shape, np.nan), np.zeros(got.shape, bool)
        at = indices + leaf.entries.start
        true, error = self.witness.entries(at)
        scale = float(abs(true).max(initial=0, where=np.isfinite(true)))
        accepted = self.options.atol + self.options.rtol * abs(true)
        rounding = ROUNDING_OF_TERMS[self.claim.itemsize] * scale
        bound = 2 * error + rounding + ROUNDING[self.claim.itemsize] * abs(true) + accepted
        apart = abs(got[:, indices] - true)
        is_wrong = ~(apart <= bound) & np.isfinite(true) & np.isfinite(error)
        size = 1e-4 * abs(self.claim.value)[:, None] / np.maximum(abs(self.arguments.x[at]), 1)
        enough = np.maximum(_NARROW[self.claim.itemsize] * scale, size) + accepted
        is_loose = ~is_wrong & ~(bound <= enough)
        if not self.witness.is_complex:
            self._reconsider(at, got[:, indices], true, error, bound, enough, is_wrong, is_loose)
            apart = abs(got[:, indices] - true)
            sure = ~(apart <= _SURE[self.claim.itemsize] * error)  # nan is surely wrong
            is_wrong, is_loose = is_wrong & sure, is_loose | (is_wrong & ~sure)
        # Complex steps see one side only, and steps over a kink that is near settle in between.
        first = np.flatnonzero((is_wrong | is_loose).any(axis=0))[:_SIDES]
        unsure = is_loose | (is_wrong & (2 * error > enough))
        doubtful = first if self.witness.is_complex else np.union1d(
            first, np.flatnonzero(unsure.any(axis=0))
        )  # fmt: skip
        is_kink = np.zeros(is_wrong.shape, bool)
        is_kink[:, doubtful] = self._kinks(leaf, got, indices[doubtful], bound[:, doubtful], scale)
        is_wrong, is_loose = is_wrong & ~is_kink, is_loose & ~is_kink
        apart[is_kink] = 0.0
        for output, place in np.argwhere(is_loose):
            name = self._entry(leaf, output, int(indices[place]), got.shape)
            text = f"{true[output, place]:.6g} ± {error[output, place]:.0e} does not confirm it"
            if not np.isfinite(error[output, place]):
                text = f"{self.witness.name} found no number"
            self.report.undecided.append(f"{name}: got {got[output, indices[place]]:.6g}, {text}")
        expected[:, indices], wrong[:, indices] = true, is_wrong
        self.bounds[leaf.name] = np.full(got.shape, np.nan)
        self.bounds[leaf.name][:, indices] = bound
        finite = np.isfinite(apart)
        self.largest = max(self.largest, float(apart.max(initial=0, where=finite)))
        return expected, wrong

    def _reconsider(
        self,
        at: np.ndarray,
        got: np.ndarray,
        true: np.ndarray,
        error: np.ndarray,
        bound: np.ndarray,
        enough: np.ndarray,
        is_wrong: np.ndarray,
        is_loose: np.ndarray,
    ) -> None:
        """Look again at entries that are not confirmed, by smaller steps; arrays are changed.

        Steps that are too large may agree on a wrong limit, which smaller ones deny, and they may
        pass over a kink that smaller ones do not reach.
        """
        for shrink in _SHRINKS[self.claim.itemsize]:
            columns = np.flatnonzero((is_wrong | is_loose).any(axis=0))[:_RETRIES]
            if not len(columns):
                return
            other, its_error = self.witness.differences(only=at[columns], shrink=shrink)
            wrong, loose, one = is_wrong[:, columns], is_loose[:, columns], true[:, columns]
            apart = abs(other - one)
            is_denied = wrong & (apart > 2 * (its_error + error[:, columns]) + 0.1 * abs(other))
            its_bound = bound[:, columns] + 2 * (its_error - error[:, columns])
            is_near = (wrong | loose) & (abs(got[:, columns] - other) <= its_bound)
            agrees = is_near & (its_bound <= np.maximum(enough[:, columns], 0.1 * abs(other)))
            is_open = is_denied & ~agrees
            true[:, columns] = np.where(agrees, other, one)
            widened = np.where(is_open, np.maximum(apart, its_error), error[:, columns])
            error[:, columns] = np.where(agrees, its_error, widened)
            bound[:, columns] = np.where(agrees, its_bound, bound[:, columns])
            is_wrong[:, columns] &= ~(is_denied | agrees)
            is_loose[:, columns] = (loose & ~agrees) | is_open

    def _kinks(
        self, leaf: Leaf, got: np.ndarray, indices: np.ndarray, bound: np.ndarray, scale: float
    ) -> np.ndarray:
        """Where the slopes on the two sides differ, outputs × entries; this is reported."""
        least = _KINK[self.claim.itemsize] * scale
        found = np.zeros(bound.shape, bool)
        between: list[str] = []
        sides = self.witness.sides(indices + leaf.entries.start)
        for place, ((left, right), error) in enumerate(sides):
            slack, claimed = error + bound[:, place], got[:, indices[place]]
            is_side = np.minimum(abs(claimed - left), abs(claimed - right)) <= slack
            # A kink beside the point leaves the derivative of one side.
            found[:, place] = here = abs(right - left) > 4 * error + least * ~is_side
            if not here.any():
                continue
            is_between = np.minimum(left, right) - slack <= claimed
            is_between &= claimed <= np.maximum(left, right) + slack
            output = int(here.argmax())
            name = self._entry(leaf, output, int(indices[place]), got.shape)
            one = f"{name} at a kink: {claimed[output]:.6g}"
            text = f"{left[output]:.6g} on the left, {right[output]:.6g} on the right"
            if is_between[here].all():
                between.append(f"{one} lies between {text}")
            else:
                self.report.undecided.append(f"{one}, but {text}")
        if len(between) > _SHOWN:
            count = len(between) - _SHOWN
            between[_SHOWN:] = [f"and {count} more entries of {self._title(leaf)} at kinks"]
        self.report.notes += [note for note in between if note not in self.report.notes]
        return found

    # ------------------------------------------------------------------------- large arrays

    def _search(self, leaf: Leaf, got: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """A sample of the entries if one is wrong, by random directions and halving."""
        groups, remarks = [np.arange(got.shape[1])], self._remarks_count()
        for _ in range(_SEARCHES):
            if not groups:
                return None
            group = groups.pop()
            says = [self._says(leaf, got, group) for _ in range(2)]
            if all(agrees and is_narrow for agrees, is_narrow in says):
                continue
            if len(group) <= _SMALLEST:
                _, wrong = self._entries(leaf, got, group)
                if wrong.any():
                    return self._entries(leaf, got, self._sample(leaf, int(wrong.any(0).argmax())))
                continue
            if not all(agrees for agrees, _ in says):
                index = first_wrong(
                    group.tolist(), lambda part: not self._says(leaf, got, np.array(part))[0]
                )
                _, wrong = self._entries(leaf, got, np.array([index]))
                if wrong.any():
                    return self._entries(leaf, got, self._sample(leaf, index))
                if self._remarks_count() > remarks:  # a kink, which is reported
                    remarks = self._remarks_count()
                    groups.append(group[group != index])
                    continue
            groups += [group[: len(group) // 2], group[len(group) // 2 :]]
        self.report.undecided.append(
            f"d{leaf.name}: differences in random directions are too inaccurate to show a wrong"
            " entry"
        )
        return None

    def _remarks_count(self) -> int:
        return len(self.report.notes) + len(self.report.undecided)

    def _says(self, leaf: Leaf, got: np.ndarray, group: np.ndarray) -> tuple[bool, bool]:
        """Whether a random direction agrees, and whether one wrong entry would show."""
        steps = self.directions.choice([-1.0, 1.0], len(group))
        steps *= self.directions.uniform(0.5, 1, len(group))
        direction = np.zeros_like(self.arguments.x)
        direction[leaf.entries.start + group] = steps
        true, error = self.witness.along(direction)
        parts = got[:, group] * steps
        size = np.sqrt((parts**2).sum(axis=1))
        accepted = self.options.atol * abs(steps).sum() + self.options.rtol * abs(true)
        bound = 2 * error + 4 * ROUNDING[self.claim.itemsize] * size + accepted
        apart = abs(parts.sum(axis=1) - true)
        agrees = bool(((apart <= bound) & (apart < np.inf)).all())
        typical = size / math.sqrt(len(group))
        is_narrow = bool((bound <= 0.3 * typical + 1e-6 * abs(self.claim.value) + accepted).all())
        self.largest = max(self.largest, float(apart.max(initial=0)))
        return agrees, is_narrow

    def _sample(self, leaf: Leaf, index: int) -> np.ndarray:
        """Entries in line with one that is wrong along each axis, and some at random."""
        place: tuple[Any, ...] = np.unravel_index(index, leaf.shape)
        chosen = {index}
        for axis, count in enumerate(leaf.shape):
            for other in self.rng.sample(range(count), min(count, _SAMPLE // 4)):
                moved = (*place[:axis], other, *place[axis + 1 :])
                chosen.add(int(np.ravel_multi_index(moved, leaf.shape)))
        chosen |= {self.rng.randrange(math.prod(leaf.shape)) for _ in range(_SAMPLE // 2)}
        if len(leaf.shape) > 1 and leaf.shape[-1] == leaf.shape[-2]:  # it may be transposed
            places = np.unravel_index(self.rng.sample(sorted(chosen), _MIRRORED), leaf.shape)
            mirrored = *places[:-2], places[-1], places[-2]
            chosen |= {int(each) for each in np.ravel_multi_index(mirrored, leaf.shape)}
        return np.array(sorted(chosen))

    # ------------------------------------------------------------------------- what is wrong

    def _title(self, leaf: Leaf) -> str:
        return f"d{self.claim.shown}/d{leaf.name}" if self.claim.shown else f"d{leaf.name}"

    def _entry(self, leaf: Leaf, output: int, index: int, shape: tuple[int, ...]) -> str:
        """The name of an entry, such as dW[2, 0], or df[1]/dW[2, 0] of a Jacobian."""

        def indexed(name: str, number: int, sizes: tuple[int, ...]) -> str:
            places = ", ".join(map(str, np.unravel_index(number, sizes))) if sizes else ""
            return f"{name}[{places}]" if places else name

        inner = indexed(f"d{leaf.name}", index, leaf.shape)
        if not self.claim.shown:
            return inner
        return f"{indexed(f'd{self.claim.shown}', output, self.claim.shape)}/{inner}"

    def _accuse(self, leaf: Leaf, got: np.ndarray, wrong: np.ndarray) -> None:
        report, expected = self.report, self.expected[leaf.name]
        apart = np.where(wrong, abs(got - expected), -1)
        places = np.argwhere(wrong)
        shown = sorted(map(tuple, places), key=lambda p: -apart[p])[:_SHOWN]
        for output, index in sorted(shown):
            name = self._entry(leaf, output, int(index), got.shape)
            one, true = float(got[output, index]), float(expected[output, index])
            bound = float(self.bounds[leaf.name][output, index])
            a, b = _told_apart(one, true)
            sentence = f"{name}: got {a}, {b} ± {bound:.0e}"
            problem = Problem(sentence, len(report.names), one, true, bound, self.witness.name)
            report.problems.append(problem)
            report.names.append(name)
            report.gradient.append(one)
            report.point.append(float(self.arguments.x[leaf.entries.start + int(index)]))
        known = int(np.isfinite(expected).sum())
        if known > 1:
            looked = "" if known == expected.size else " that were looked at"
            count, name = int(wrong.sum()), self._title(leaf)
            verb = "is" if count == 1 else "are"
            report.notes.append(f"{count} of {known} entries of {name}{looked} {verb} wrong")
        case = ArrayCase(leaf, got, wrong, self.witness, self.expected, lambda: self._of_layers)
        # For a wrong use of dout, a pattern would be that of this dout alone.
        text = digits(case) if leaf.name in self.claim.nonlinear else suspicion(case)
        if text:
            report.suspicions.append(f"{self._title(leaf)}: {text}")

    @cached_property
    def _of_layers(self) -> dict[str, str]:
        return of_layers(self.witness, self.expected)

    def _misshapen(self, leaf: Leaf, got: np.ndarray, shape: tuple[int, ...]) -> None:
        """Report a gradient whose shape is not that of its argument."""
        sentence = f"d{leaf.name} has the shape {got.shape}, but it should have {shape}"
        self.report.problems.append(Problem(sentence))
        self._row(leaf, "WRONG", "shape", "")
        if math.prod(shape) > _FEW:
            return
        indices = np.arange(leaf.entries.start, leaf.entries.stop)
        expected = self.witness.entries(indices)[0].reshape(shape)
        tried = [("it is transposed", got.T)]
        if got.size == expected.size:
            tried.append(("it has the right numbers in another shape", got.reshape(shape)))
        for count in range(1, got.ndim + 1):
            for axes in itertools.combinations(range(got.ndim), count):
                words = f"it is not summed over axis {' and '.join(map(str, axes))}"
                tried += [(words, got.sum(axis=axes, keepdims=kept)) for kept in (False, True)]
        size = abs(expected).max(initial=0)
        for words, candidate in tried:
            if candidate.shape == shape and (abs(candidate - expected) <= 1e-4 * size).all():
                self.report.suspicions.append(f"d{leaf.name}: {words}")
                return


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for count in (6, 9, 12, 17):
        texts = f"{one:.{count}g}", f"{other:.{count}g}"
        if texts[0] != texts[1]:
            break
    return texts
