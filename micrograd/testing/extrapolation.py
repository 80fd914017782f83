"""The limit of quotients of differences as the step goes to 0, with an estimate of its error.

Steps halve, and the quotients are extrapolated to step 0 (see `richardson`). The estimate of the
error has two parts: the change against the neighbours in the table, and the rounding of the
function divided by the step. Where the entries do not settle to rounding, smaller steps are tried,
and the noise of the function is measured.

Steps of many periods of an oscillation can settle on a wrong limit, and so can steps that pass over
a narrow peak. So an entry of the table counts only as far as the quotients at smaller steps confirm
it, and each limit is compared with quotients at much smaller steps; where one denies it, the
extrapolation begins again there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from math import log2
from typing import Any, NamedTuple

import numpy as np

from micrograd.testing.richardson import extrapolated, variation

_LEVELS = (8, 2, 2, 6, 6, 6, 6)  # steps that are taken at once; most functions need no more than 7
_MEASURED = 12  # this many steps settle what is smooth: after these, the noise is measured
_MOST = {8: 36, 4: 18, 2: 12}  # steps, by the bytes of the numbers that the function computes
_BELOW = 6  # halvings from the smallest step to the first one at which a limit is confirmed
_PROBES = tuple(1.25 * 2.0**-k for k in (27, 34, 41))  # the others: no power of 2 times a period
_FINER = tuple(1.25 * 2.0**-k for k in range(10, 50, 4))  # asked if one of these denies a limit
_CLOSER = (2.7, 7.9)  # times as small are the steps that tell noise from structure
_NARROW = 2.0**-30  # a denominator below this confirms nothing: rounding is divided by it
_WITHIN = 2.0**-20  # of the first step: a point this near to 0 may be where its size matters
_RESTARTS = 4  # extrapolations that begin at a step that denied a limit
_ABOVE = 4.0  # times this step, where they begin
_ELSEWHERE = 1e-8  # of a derivative: if the limit is off by less there, it is by rounding
_SHARE = 0.5  # of the distance to a limit: quotients that scatter less are not mere noise
_SETTLED = 8  # times rounding at the smallest step: an error below is not improved any more
_EXPLODED = 1e3  # times the function at the largest step, at the smallest: the steps cross a pole
_INSIDE = 0.25  # units in the last place of the point that are lost inside, as by sin(50 * x)
_ENDLESS = 0.9  # the same: where more is left, no limit is in sight
_LEAVES = 64  # units in the last place by which a function leaves a slope
_HALVINGS = 30  # of an interval; after so many, only a jump still moves the function
_SMALL_JUMP = 2.0**43  # units in the last place, 0.001 of the value: no rounding jumps farther
_SMOOTH = 2.0**-30  # of the values: if wide steps agree so well, a jump at small ones is rounding
_WIDE = 2.0**-12  # parts of the first step up to which such jumps are looked for
_GRAIN = 2.0**-40  # of the point: the smallest step between which jumps are looked for
_STAIRS = 14  # different values; a staircase with fewer is a function such as floor, not rounding
_DECIMALS = 9  # numbers with at most so many look rounded
_DENIED = 4  # times rounding: how far from a limit quotients at smaller steps may be
_UNITS = {8: 2.0**-53, 4: 2.0**-24, 2: 2.0**-11}  # in the last place, by the bytes of a number
_ODD = (0.739, 0.567)  # fractions of a step; products with powers of two would be exact
_ROUNDING = 4  # units in the last place by which a function may be off without being noisy


class NumericalDerivative(NamedTuple):
    """A derivative by differences.

    Args:
        value: the derivative, a number or an array.
        error: how far each entry of it may be off, of the same shape. At a kink it is half the
            distance between the slopes on the two sides; where no difference could be taken, it
            is infinite.
    """

    value: Any
    error: Any


@dataclass
class Extrapolation:
    """Quotients of differences at steps that halve, in rows: one for each direction.

    Args:
        sample: the values whose weighted sum is the difference, and its denominator, for a row and
            a part of its first step.
        count: the number of rows.
        weights: the weights of the values.
        ratio: by which the leading error falls when the step is halved.
        itemsize: the size of the function's numbers in bytes.
        size: the values of the function at the point, one for each output.
        middle: the same if they lie between those of a central difference, which shows kinks.
        floor: noise that is known of, beside rounding.
        reach: how far the point is from 0, for each row: rounding of a multiple of the point
            moves the function as much as a step of this, rounded off, does.
        own: the part of the first step that is of the size of the point, for each row; 0 for none.
        inner: up to this part of the first step, jumps show that the limits are those of rounding
            inside the function, and not of the function; 0 for no look.
        measured: measures the noise of the function, on a part of the scale of the first step.
    """

    sample: Callable[[int, float], tuple[list[np.ndarray], float]]
    count: int
    weights: Sequence[int]
    ratio: int
    itemsize: int
    size: np.ndarray
    middle: np.ndarray | None
    floor: float | np.ndarray
    reach: np.ndarray
    own: np.ndarray
    measured: Callable[[float], np.ndarray]
    inner: float = 0.0

    def __post_init__(self) -> None:
        self._unit = _UNITS[self.itemsize]
        self._precision = _ROUNDING * self._unit
        self._floor = self._noise = np.asarray(self.floor, float)
        self._is_measured = False
        # On one side, and in short numbers, small steps say too little: a kink beside the point is
        # seen by wide ones.
        self._allowed = np.inf if self.ratio == 2 and self.itemsize < 8 else _DENIED
        self._values: list[list[Any]] = [[] for _ in range(self.count)]
        self._widths: list[list[float]] = [[] for _ in range(self.count)]
        self._wide: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # limits of the first steps
        self._firsts = [1.0] * self.count  # parts of the first steps at which the rows begin
        self._starts = self._firsts  # and begin again

    def limits(self) -> NumericalDerivative:
        """Return the limits and their errors, of the shape outputs × rows."""
        limits, errors = np.full((2, self.count, len(self.size)), np.nan)
        rows = list(range(self.count))
        with np.errstate(all="ignore"):
            self._firsts = [self._first_inside(row) for row in rows]
            self._starts = [*self._firsts]
            for _ in range(_RESTARTS + 1):
                if not rows:
                    break
                self._settle(rows, limits, errors)
                denied = []
                for row in rows:
                    is_first = self._starts[row] == self._firsts[row]
                    if not is_first or len(self._values[row]) > _MEASURED:
                        self._prefer_wide_steps(row, limits[row], errors[row])
                    before = self._noise
                    if found := self._denial(row, limits[row], errors[row]):
                        if is_first and row not in self._wide:
                            self._wide[row] = self._limit_of_wide_steps(row)
                        self._starts[row], apart = found
                        self._values[row], self._widths[row] = [], []
                        errors[row] = np.maximum(errors[row], apart)
                        denied.append(row)
                    elif self._noise is not before:
                        limit, error, _ = self._estimate([row], len(self._values[row]))
                        limits[row], errors[row] = limit[0], np.maximum(errors[row], error[0])
                rows = denied
            for row in range(self.count) if self.inner else ():
                part = self._starts[row] * 2.0 ** (1 - len(self._values[row]))
                for output in range(len(self.size)):
                    if self._has_jumps(row, part, output, self.inner):
                        errors[row, output] = np.inf
        return NumericalDerivative(limits.T, np.where(np.isfinite(limits), errors, np.inf).T)

    def _settle(self, rows: list[int], limits: np.ndarray, errors: np.ndarray) -> None:
        """Extrapolate some rows until they settle, and enter their limits and errors."""
        for last, more in zip(accumulate(_LEVELS), _LEVELS, strict=True):
            self._take(rows, range(last - more, last))
            if last == more:
                self._see_single_precision(rows[0])
            if last - more == _MEASURED:
                self._measure_noise()
            if last >= _MEASURED:
                for row in rows:
                    ends = [self._weighed(values) == 0 for values in self._values[row][-2:]]
                    self._see_stairs(row, ends[0] & ends[1])
            limit, error, is_open = self._estimate(rows, last)
            for row, *found in zip(rows, limit, error, strict=True):
                # Steps that vanish beside the point say nothing: what was denied is kept.
                is_known = np.isfinite(found[1]) | (self._starts[row] == self._firsts[row])
                limits[row], errors[row] = np.where(is_known, found, (limits[row], errors[row]))
            rows = [row for row, flags in zip(rows, is_open, strict=True) if flags.any()]
            if not rows or last == _MOST[self.itemsize]:
                break

    def _first_inside(self, row: int) -> float:
        """The largest step that does not leave the domain of every output; 1 if all do."""
        is_known = np.isfinite(self.size)
        for level in range(_MOST[self.itemsize] if is_known.any() else 0):
            values, width = self.sample(row, 2.0**-level)
            if not np.isfinite(width) or np.isfinite(self._weighed(values))[is_known].any():
                self._values[row], self._widths[row] = [values], [width]
                return 2.0**-level
        return 1.0

    def _take(self, rows: Sequence[int], levels: range) -> None:
        for row in rows:
            for level in levels[len(self._values[row]) - levels.start :]:
                values, width = self.sample(row, self._starts[row] * 2.0**-level)
                self._values[row].append(values)
                self._widths[row].append(width)

    def _see_single_precision(self, row: int) -> None:
        """Allow for rounding to single precision if all numbers have no more digits than that.

        Numbers with few digits would also agree by accident. At steps that are powers of two, the
        numbers of a polynomial may be as short, so that others are tried.
        """
        if self._unit >= _UNITS[4] or not _are_single(self._values[row]):
            return
        parts = (self._starts[row] * odd for odd in _ODD)
        if _are_single([self.sample(row, part)[0] for part in parts]):
            self._unit, self._precision = _UNITS[4], _ROUNDING * _UNITS[4]

    def _prefer_wide_steps(self, row: int, limit: np.ndarray, error: np.ndarray) -> None:
        """Replace a limit at small steps that is a stair of rounding inside the function.

        So it is with (1 - cos(x)) / x² beside 0, where 1 - cos(x) is a few units in the last place.
        The function is smooth at wide steps, and jumps at small ones.
        """
        if row not in self._wide:
            self._wide[row] = self._limit_of_wide_steps(row)
        wide, its_error = self._wide[row]
        is_apart = abs(limit - wide) > 2 * (error + its_error)
        part = self._starts[row] * 2.0 ** (1 - len(self._values[row]))
        for output in np.flatnonzero(is_apart).tolist():
            apart = abs(float(limit[output] - wide[output]))
            if self._has_jumps(row, part, output, least=apart * abs(self._widths[row][-1]) / 4):
                limit[output], error[output] = wide[output], its_error[output]

    def _limit_of_wide_steps(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """The limit and its error; nan where the function is not smooth at these steps."""
        values = np.array(self._values[row][:_MEASURED])  # levels × values × outputs
        steps = np.array(self._widths[row][:_MEASURED])[:, None]
        quotients = self._weighed(np.moveaxis(values, 1, 0)) / steps
        sizes = abs(values).max(axis=1)
        rounding = self._precision * sizes / abs(steps)
        (wide,), (error,) = extrapolated(quotients[None], rounding[None], self.ratio, np.inf)
        (wider,), (other,) = extrapolated(
            quotients[None, :-4], rounding[None, :-4], self.ratio, np.inf
        )
        error = 4 * (error + other + abs(wide - wider))  # of noise that grows inwards
        return np.where(error * abs(steps[-1]) <= _SMOOTH * sizes[-1], wide, np.nan), error

    def _has_jumps(
        self, row: int, low: float, output: int, most: float = _WIDE, least: float = 0.0
    ) -> bool:
        """Whether the difference jumps, by more than rounding, at a step from `low` to `most`."""

        def moved(part: float) -> float:
            return float(self._weighed(self.sample(row, part)[0])[output])

        least = max(least, _LEAVES * self._unit * float(self.size[output]))
        # Between steps of a few units in the last place of the point, every function jumps.
        while low < most and not abs(self.sample(row, low)[1]) > _GRAIN * self.reach[row]:
            low *= 2
        while low < most:
            if _jump_between(moved, low, 2 * low, least):
                return True
            low *= 2
        return False

    def _measure_noise(self) -> None:
        if not self._is_measured:
            self._noise, self._is_measured = np.maximum(self._floor, self.measured(1.0)), True

    def _weighed(self, values: Any) -> Any:
        """The sum of values by their weights; their axis is the first one."""
        return sum(w * each for w, each in zip(self.weights, values, strict=True))

    def _estimate(self, rows: Sequence[int], last: int) -> tuple[Any, Any, Any]:
        """The limits of some rows, their errors, and which of them want smaller steps."""
        values = np.array([self._values[row] for row in rows])  # rows × levels × values × outputs
        steps = np.array([self._widths[row] for row in rows])[:, :, None]
        quotients = self._weighed(np.moveaxis(values, 2, 0)) / steps
        sizes = abs(values).max(axis=2)
        known = self._precision * sizes + self._noise
        inside = _INSIDE * self._unit * self.reach[rows][:, None, None] * abs(quotients[:, -1:])
        rounding = known / abs(steps)
        total = rounding + inside / abs(steps)
        limit, error = extrapolated(quotients, total, self.ratio, self._allowed)
        if self.ratio == 2:  # at the border of a domain, as of sqrt(x)
            changes = np.diff(quotients, axis=1)
            grows = (changes[:, 1:] / changes[:, :-1] >= _ENDLESS).all(axis=1)
            error = np.where(grows, np.inf, error)
        explodes = ~(sizes[:, -1] <= _EXPLODED * sizes[:, 0])  # beside a pole
        is_open = (error > _SETTLED * total[:, -1]) | ~np.isfinite(error) | explodes
        noise = variation(limit, quotients, self.ratio) * abs(steps[:, -1])
        if (is_loud := noise > known[:, -1]).any():
            wide = total + noise[:, None] / abs(steps)
            _, wider = extrapolated(quotients, wide, self.ratio, self._allowed)
            error = np.where(is_loud, np.maximum(error, wider), error)
        if self.middle is not None:  # the difference of the slopes on the two sides
            bends = abs(values.sum(axis=2) - 2 * self.middle) * (2 / abs(steps))
            wide, wider, widest = bends[:, -1], bends[:, -2], bends[:, -3]
            is_kink = (
                (wide > 0.75 * wider) & (wider > 0.75 * widest) & (wide > 16 * rounding[:, -1])
            )
            error = np.where(is_kink, np.maximum(error, wide / 2), error)
        return limit, error, is_open

    def _denial(
        self, row: int, limit: np.ndarray, error: np.ndarray
    ) -> tuple[float, np.ndarray] | None:
        """Where to begin again if much smaller steps deny a limit, and how far off it may be."""
        widths = [abs(width) for width in self._widths[row]]
        begin, shrink = self._starts[row], widths[-2] / widths[-1]  # 2, or 4 of second derivatives
        last = begin * 2.0 ** (1 - len(widths))
        truncation = abs(self._weighed(self._values[row][-1]) / self._widths[row][-1] - limit)
        parts = [
            part
            for part in (last * 2.0 ** -(_BELOW + 1), *(begin * probe for probe in _PROBES))
            if part < last and widths[-1] * (part / last) ** log2(shrink) >= _NARROW
        ]
        if 0 < self.own[row] < _WITHIN * begin:
            parts.append(self.own[row])
        finer = [begin * probe for probe in _FINER if begin * probe < last / 2.0**_BELOW]
        is_doubted = False
        jumps: dict[int, float] = {}  # of outputs that are flat up to there, also at smaller steps
        for number, part in enumerate((*parts, *finer)):
            if number >= len(parts) and not is_doubted:
                break
            below, rounding, width = self._probe(row, part)
            slack = 2 * truncation * part / last if part < last else 0.0
            apart = abs(below - limit) - error - slack
            apart[apart < _ELSEWHERE * (abs(below) + abs(limit))] = 0.0
            if part == self.own[row]:  # the steps may be beyond the border of a domain
                apart[~np.isfinite(limit) & np.isfinite(below)] = np.inf
            is_apart = apart > 4 * rounding
            if not is_apart.any():
                continue
            is_doubted = True
            # Noise scatters the quotients, and a structure of the function does not.
            self._measure_noise()
            near, (nearest, its_rounding, its_width) = (self._probe(row, part / k) for k in _CLOSER)
            spread = np.maximum(abs(near[0] - below), abs(nearest - near[0])) + its_rounding
            level = self._floor
            if (_SHARE * apart > spread)[is_apart].any():
                level = np.maximum(level, self.measured(part))
            is_smooth = _SHARE * apart > spread + 2 * level / its_width
            is_flat = (below == 0) & (near[0] == 0) & (nearest == 0)  # or the steps of a staircase
            self._see_stairs(row, is_flat)
            is_still = apart > 4 * (rounding + self._noise / width)
            for output in np.flatnonzero(is_apart & is_flat & ~is_still).tolist():
                # What was measured as noise may be a kink.
                if output not in jumps:
                    jumps[output] = self._jump(row, part / _CLOSER[-1], output)
                is_still[output] = jumps[output] < self._noise_of(output) / 16
                self._allow_noise(output, jumps[output])
            is_apart &= np.where(is_flat, is_still, is_smooth)
            worst = int(is_apart.argmax())
            if not is_apart.any():
                continue
            if self._is_rounded(row, part, below, worst, float(apart[worst]) * width):
                is_doubted = False  # smaller steps are between the same jumps
                continue
            # What was measured as noise may be the same structure.
            self._noise = np.where(is_apart, np.minimum(self._noise, level), self._noise)
            return _ABOVE * part, np.where(is_apart, abs(below - limit), 0.0)
        return None

    def _is_rounded(
        self, row: int, part: float, slope: np.ndarray, output: int, moved: float
    ) -> bool:
        """Whether it is by small jumps that a function leaves the slope at small steps.

        A term that is rounded is flat between its jumps, which no finer step sees. The first step
        at which the function leaves the slope is found, and halved down to a jump.
        """

        def off(at: float) -> float:
            values, width = self.sample(row, at)
            return float((self._weighed(values) - slope * width)[output])

        size = self._unit * float(np.max(np.abs(self._values[row][-1]), axis=0)[output])
        low, near = part, off(part)
        while not (whole := abs(off(4 * low) - near)) > max(_LEAVES * size, moved / 4):
            low *= 4
            if 4 * low > 1:
                return False
            near = off(low)
        return 0 < _jump_between(off, low, 4 * low, 0.0) <= min(4 * whole, _SMALL_JUMP * size)

    def _see_stairs(self, row: int, is_flat: np.ndarray) -> None:
        """Take the steps of outputs that are flat beside the point for noise, if they are many."""
        last = self._starts[row] * 2.0 ** (1 - len(self._values[row]))
        for output in np.flatnonzero(is_flat).tolist():
            found = [value[output] for values in self._values[row] for value in values]
            numbers = np.unique(np.array(found)[np.isfinite(found)])
            spacing = _spacing(numbers) if len(numbers) >= _STAIRS else 0.0
            if spacing > self._noise_of(output) and self._jump(row, last, output) >= spacing / 2:
                self._allow_noise(output, spacing)

    def _noise_of(self, output: int) -> float:
        return float(np.broadcast_to(self._noise, self.size.shape)[output])

    def _allow_noise(self, output: int, noise: float) -> None:
        """Raise the noise of an output; the array is another one then, which is estimated again."""
        if noise > self._noise_of(output):
            self._noise = np.broadcast_to(self._noise, self.size.shape).copy()
            self._noise[output] = noise

    def _jump(self, row: int, low: float, output: int) -> float:
        """By how much an output that is flat up to the step `low` leaves its value at once.

        At a kink it is next to nothing.
        """

        def moved(part: float) -> float:
            return abs(float(self._weighed(self.sample(row, part)[0])[output]))

        high = low
        while not (height := moved(high)) and high < 1:
            low, high = high, 2 * high
        while low < (middle := (low + high) / 2) < high:
            if there := moved(middle):
                high, height = middle, there
            else:
                low = middle
        return height

    def _probe(self, row: int, part: float) -> tuple[np.ndarray, np.ndarray, float]:
        """The quotient at a part of the first step, its error by rounding, and the denominator."""
        values, width = self.sample(row, part)
        found: np.ndarray = self._weighed(values) / width
        inside = self._unit * self.reach[row] * abs(found)
        known = _ROUNDING * (self._unit * reduce(np.maximum, map(abs, values)) + inside)
        return found, known / abs(width), abs(width)


def _jump_between(moved: Callable[[float], float], low: float, high: float, least: float) -> float:
    """The jump between two steps, at which a function moves at once; 0 if it is `least` or less.

    Of two halves, the one over which the function moves more is searched on. There is no jump if
    the function moves over it by less than a 16th of what it moves over the whole.
    """
    near, far = moved(low), moved(high)
    least = max(least, abs(far - near) / 16)
    for _ in range(_HALVINGS):
        if not abs(far - near) > least:
            return 0.0
        middle = (low + high) / 2
        if abs((value := moved(middle)) - near) > abs(far - value):
            high, far = middle, value
        else:
            low, near = middle, value
    return abs(far - near)


def _are_single(numbers: Any) -> bool:
    """Whether numbers of single precision are all there are, and not just a few decimals."""
    known = np.array(numbers)[np.isfinite(numbers)]
    is_single = (known == known.astype(np.float32)).all()
    return bool(is_single and (known != known.round(_DECIMALS)).any())


def _spacing(numbers: np.ndarray) -> float:
    """The largest number that divides all of these, if they have few digits; else 0."""
    for decimals in range(_DECIMALS + 1):
        if (numbers == numbers.round(decimals)).all():
            return 0.1**decimals
    if (numbers != numbers.astype(np.float32)).any():
        return 0.0
    fractions, exponents = np.frexp(numbers[numbers != 0])
    whole = (fractions * 2.0**24).astype(int)
    return float(np.ldexp(whole & -whole, exponents - 24).min())
