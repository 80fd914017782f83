"""Numerical derivatives of functions of numbers and arrays, with an estimate of the error.

    value, error = numerical_gradient(f, x)

The function may be anything that computes: NumPy, a simulation, another library. Differences are
taken at steps that halve and are extrapolated to step 0 (Richardson). The entry of the table with
the smallest estimated error is chosen (Ridders, Advances in Engineering Software 4, 1982). The
estimate has two parts: the change against the neighbours in the table, and the rounding of the
function divided by the step. Where the entries do not settle to rounding, smaller steps are tried,
and the noise of the function is measured (`noise.py`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from micrograd.testing import noise as measuring

METHODS = ("central", "forward", "complex")

_LEVELS = (7, 3, 2, 6, 6, 6, 6)  # steps that are taken at once; most functions need no more than 6
_MEASURED = 12  # so many steps settle what is smooth: after these, the noise is measured
_MOST = {8: 36, 4: 18, 2: 12}  # steps, by the bytes of the numbers that the function computes
_COLUMNS = 7  # of the table: higher orders gain nothing
_LAST = 8  # steps that are trusted if they deny what larger ones say
_BELOW = 6  # halvings to the step at which a limit is confirmed
_ELSEWHERE = 1e-3  # of a derivative: if the limit is off by less there, it is by rounding
_SETTLED = 8  # times rounding at the smallest step: an error below is not improved any more
_FIRST = 0.5  # the first step, relative to the size of x where that is above 1
_FIRST_OF_TWO = 2.0  # the same for second derivatives, by whose square rounding is divided
_TINY = 2.0**-300  # the step of the complex method, which subtracts nothing
_ROUNDING = 4  # units in the last place by which a function may be off without being noisy

Flat = Callable[[np.ndarray], np.ndarray]
"""A function of a flat array whose result is a flat array of doubles."""


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


class Sampler:
    """A function on arrays as a function on flat arrays of doubles, which knows its precision.

    Args:
        f: the function.
        x: the point, a number or an array; `f` gets numbers or arrays of the same type.
    """

    def __init__(self, f: Callable[[Any], Any], x: Any) -> None:
        array = np.asarray(x)
        if array.dtype.kind not in "iuf":
            raise TypeError(f"x must be a number or an array of numbers, got {x!r}")
        self.f, self.shape = f, array.shape
        self.dtype = array.dtype if array.dtype.kind == "f" else np.dtype(float)
        self.is_number = not isinstance(x, np.ndarray | np.generic | list | tuple)
        self.x = array.astype(float).ravel()
        self.result_shape: tuple[int, ...] = ()
        self.itemsize = 8

    def result(self, flat: np.ndarray) -> np.ndarray:
        """What the function returns at a point, as an array."""
        if self.is_number:
            return np.asarray(self.f(flat.item()))
        return np.asarray(self.f(flat.astype(self.dtype).reshape(self.shape)))

    def start(self) -> np.ndarray:
        """The values at the point itself; from here on, the precision of the function is known."""
        found = self.result(self.x)
        if found.dtype.kind not in "iufb":
            raise TypeError(f"f must return numbers, got {found!r}")
        self.result_shape = found.shape
        kinds = [kind.itemsize for kind in (found.dtype, self.dtype) if kind.kind == "f"]
        self.itemsize = min([8, *kinds])
        return found.astype(float).ravel()

    def __call__(self, flat: np.ndarray) -> np.ndarray:
        """The values at a point, as a flat array of doubles."""
        found = self.result(flat)
        if found.dtype.kind == "c":
            raise ValueError("outside the domain in which f is real")
        return found.astype(float).ravel()


# --------------------------------------------------------------------------------- public functions


def numerical_gradient(
    f: Callable[[Any], Any], x: Any, *, method: str = "central", step: float | None = None
) -> NumericalDerivative:
    """Return the gradient of `f` at `x` by differences, with an estimate of its error.

    Args:
        f: a function of a number or of an array, whose result is a number.
        x: the point, a number or an array of numbers.
        method: "central" for differences on both sides, "forward" for differences above `x` only,
            as at the border of a domain, or "complex" for the complex step, which is exact to
            rounding but needs a function that computes with complex numbers.
        step: the first and largest step, in place of half the size of each entry or of 1.

    Returns:
        The gradient and its error, which both have the shape of `x`.

    Raises:
        TypeError: `x` or the result is not made of numbers, or `f` does not compute with complex
            numbers.
        ValueError: the result is not a single number, or an option makes no sense.

    >>> import numpy as np
    >>> value, error = numerical_gradient(lambda x: np.sum(np.sin(x)), [0.0, 1.0])
    >>> bool(np.all(abs(value - np.cos([0.0, 1.0])) <= error)), bool(np.all(error < 1e-12))
    (True, True)
    """
    sampler = Sampler(f, x)
    found = _first_derivatives(sampler, method, step, "numerical_gradient")
    if sampler.result_shape not in ((), (1,)):
        raise ValueError(
            "numerical_gradient needs a function whose result is a number, got an array of shape"
            f" {sampler.result_shape}; use numerical_jacobian"
        )
    return _shaped(found, sampler.shape)


def numerical_jacobian(
    f: Callable[[Any], Any], x: Any, *, method: str = "central", step: float | None = None
) -> NumericalDerivative:
    """Return the derivatives of every output of `f` with respect to every entry of `x`.

    Args:
        f: a function of a number or of an array, whose result is a number or an array.
        x: the point, a number or an array of numbers.
        method: "central", "forward" or "complex", as for `numerical_gradient`.
        step: the first and largest step, in place of half the size of each entry or of 1.

    Returns:
        The Jacobian and its error. The shape of both is that of the result, followed by that of
        `x`.

    Raises:
        TypeError: `x` or the result is not made of numbers, or `f` does not compute with complex
            numbers.
        ValueError: an option makes no sense.

    >>> import numpy as np
    >>> numerical_jacobian(lambda x: np.array([x[0] * x[1], x[1]]), [2.0, 3.0]).value.round(6)
    array([[3., 2.],
           [0., 1.]])
    """
    sampler = Sampler(f, x)
    found = _first_derivatives(sampler, method, step, "numerical_jacobian")
    return _shaped(found, (*sampler.result_shape, *sampler.shape))


def numerical_hessian(
    f: Callable[[Any], Any], x: Any, *, method: str = "central", step: float | None = None
) -> NumericalDerivative:
    """Return the second derivatives of `f` at `x`, with an estimate of their error.

    Args:
        f: a function of a number or of an array, whose result is a number.
        x: the point, a number or an array of numbers.
        method: "central", "forward" or "complex", as for `numerical_gradient`; "complex" takes
            differences of gradients by the complex step.
        step: the first and largest step, in place of half the size of each entry or of 1.

    Returns:
        The symmetric Hessian and its error, of the shape of `x` twice.

    Raises:
        TypeError: `x` or the result is not made of numbers, or `f` does not compute with complex
            numbers.
        ValueError: the result is not a single number, or an option makes no sense.

    >>> numerical_hessian(lambda x: x[0] ** 2 * x[1], [1.0, 2.0]).value.round(6)
    array([[4., 2.],
           [2., 0.]])
    """
    sampler = Sampler(f, x)
    _check(method, step, "numerical_hessian")
    value = sampler.start()
    if sampler.result_shape not in ((), (1,)):
        raise ValueError(
            "numerical_hessian needs a function whose result is a number, got an array of shape"
            f" {sampler.result_shape}"
        )
    size = len(sampler.x)
    rows, columns = np.triu_indices(size)
    if method == "complex":
        outer = Sampler(lambda y: complex_slopes(sampler, y)[0], sampler.x)
        full = _first_derivatives(outer, "central", step, "numerical_hessian")
        found = NumericalDerivative(*(part[rows, columns] for part in full))
    else:
        found = _second_derivatives(sampler, value, method == "forward", step, rows, columns)
    parts = []
    for part in found:
        matrix = np.empty((size, size))
        matrix[rows, columns] = matrix[columns, rows] = part.ravel()
        parts.append(matrix)
    return _shaped(NumericalDerivative(*parts), sampler.shape * 2)


def _check(method: str, step: float | None, caller: str) -> None:
    if method not in METHODS:
        raise ValueError(f"{caller}: unknown method {method!r}; choose from {', '.join(METHODS)}")
    if step is not None and not 0 < step < np.inf:
        raise ValueError(f"{caller}: step must be a positive number, got {step!r}")


def _shaped(found: NumericalDerivative, shape: tuple[int, ...]) -> NumericalDerivative:
    """The same with arrays of a shape; numbers if there is only one entry without an axis."""
    if shape == ():
        return NumericalDerivative(*(part.item() for part in found))
    return NumericalDerivative(*(part.reshape(shape) for part in found))


def _first_derivatives(
    sampler: Sampler, method: str, step: float | None, caller: str
) -> NumericalDerivative:
    """The first derivatives, of the shape outputs × inputs."""
    _check(method, step, caller)
    if method == "complex":
        found = complex_slopes(sampler, sampler.x)
        return NumericalDerivative(found, 8 * np.finfo(float).eps * abs(found))
    value = sampler.start()
    is_forward = method == "forward"
    return slopes(
        sampler, sampler.x, value, step=step, is_forward=is_forward, itemsize=sampler.itemsize
    )


# -------------------------------------------------------------------------------------- flat arrays


def slopes(
    f: Flat,
    x: np.ndarray,
    value: np.ndarray,
    directions: Sequence[np.ndarray] | None = None,
    *,
    step: float | None = None,
    shrink: float = 1.0,
    is_forward: bool = False,
    itemsize: int = 8,
    floor: float | np.ndarray = 0.0,
    only: Sequence[int] | np.ndarray | None = None,
) -> NumericalDerivative:
    """The derivatives along the axes or along given directions: outputs × directions.

    Args:
        f: the function.
        x: the point.
        value: `f(x)`.
        directions: the directions; by default the axes.
        step: the first step.
        shrink: a factor of the first step.
        is_forward: whether to stay on one side.
        itemsize: of the numbers in which the function computes, in bytes.
        floor: noise that each value is known to have, beside its rounding.
        only: the numbers of the axes to move along, if not all.
    """
    axes = range(len(x)) if only is None else only
    starts = np.maximum(abs(x), 1.0) * _FIRST if step is None else np.full(len(x), step)
    first = (_FIRST if step is None else step) * max(1.0, float(abs(x).max(initial=0)) / 4)
    starts, first = starts * shrink, first * shrink

    def moved(row: int, part: float) -> tuple[np.ndarray, Any]:
        """The point after a step, and the step as it is after rounding."""
        if directions is not None:
            return _rounded(x + first * part * directions[row], itemsize), first * part
        index, point = axes[row], x.copy()
        point[index] = _rounded(point[index] + starts[index] * part, itemsize)
        return point, point[index] - x[index]

    def sample(row: int, part: float) -> tuple[list[np.ndarray], float]:
        above, up = moved(row, part)
        if is_forward:
            return [_tried(f, above, value), value], up or np.nan
        below, down = moved(row, -part)
        width = up - down if directions is None else 2 * up
        return [_tried(f, above, value), _tried(f, below, value)], width or np.nan

    count = len(axes) if directions is None else len(directions)
    return _limits(
        sample, count, (1, -1), 2 if is_forward else 4, itemsize, floor,
        lambda: noise_of(f, x, value, itemsize),
        middle=None if is_forward else value,
        size=value,
    )  # fmt: skip


def complex_slopes(sampler: Sampler, x: np.ndarray) -> np.ndarray:
    """The derivatives by complex steps along the axes: outputs × inputs."""
    columns = []
    for index in range(len(x)):
        point = x.astype(complex)
        point[index] += 1j * _TINY
        try:
            given = point.item() if sampler.is_number else point.reshape(sampler.shape)
            found = np.asarray(sampler.f(given))
        except TypeError as error:
            raise TypeError(
                f'f does not compute with complex numbers ({error}); use method="central"'
            ) from None
        if found.dtype.kind != "c":
            raise TypeError('f loses the imaginary part of complex numbers; use method="central"')
        sampler.result_shape = found.shape
        columns.append(found.imag.ravel() / _TINY)
    made: np.ndarray = np.array(columns).T
    return made


def _second_derivatives(
    f: Sampler, value: np.ndarray, is_forward: bool, step: float | None, rows: Any, columns: Any
) -> NumericalDerivative:
    """The second derivatives with respect to pairs of inputs."""
    x = f.x
    starts = np.maximum(abs(x), 1.0) * _FIRST_OF_TWO if step is None else np.full(len(x), step)

    def at(first: int, one: float, second: int, other: float) -> np.ndarray:
        point = x.copy()
        point[first] += one
        point[second] += other
        return _tried(f, _rounded(point, f.itemsize), value)

    def sample(number: int, part: float) -> tuple[list[np.ndarray], float]:
        i, j = rows[number], columns[number]
        h, k = starts[i] * part, starts[j] * part
        if is_forward:
            return [at(i, h, j, k), at(i, h, j, 0), at(i, 0, j, k), value], h * k
        if i == j:
            return [at(i, h, i, 0), value, value, at(i, -h, i, 0)], h * h
        return [at(i, h, j, k), at(i, h, j, -k), at(i, -h, j, k), at(i, -h, j, -k)], 4 * h * k

    return _limits(
        sample, len(rows), (1, -1, -1, 1), 2 if is_forward else 4, f.itemsize, 0.0,
        lambda: noise_of(f, x, value, f.itemsize), middle=None, size=value,
    )  # fmt: skip


def _rounded(number: Any, itemsize: int) -> Any:
    """The nearest numbers in the precision of the function."""
    if itemsize == 8:
        return number
    return np.float64(np.asarray(number, np.float32 if itemsize == 4 else np.float16))


def _tried(f: Flat, point: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The function at a point; nan where it cannot be computed."""
    try:
        return f(point)
    except (ArithmeticError, ValueError):  # outside the domain
        return np.full_like(value, np.nan)


def noise_of(f: Flat, x: np.ndarray, value: np.ndarray, itemsize: int) -> np.ndarray:
    """The noise of each output near the point; of many outputs, that of the noisiest of some.

    Noise is the same at every spacing, while an oscillation that is fast for one is slow for the
    other.
    """
    rng = random.Random(3)  # noqa: S311 (no secrets)
    parts = np.array([rng.uniform(0.5, 1) for _ in x])
    wide, own = np.maximum(abs(x), 1.0), np.where(x, abs(x), 1.0)
    fine = 2.0**-24 if itemsize == 8 else 2.0**-17
    spacings = [2.0**-13 * wide, fine * wide, fine * own]
    if itemsize < 8:
        spacings.append(2.0**-22 * own)  # few units in the last place
    chosen = np.unique(np.linspace(0, len(value) - 1, 16).astype(int))
    found = []
    for spacing in spacings:
        # A multiple of the last place, so that the points are equally far from each other.
        step = _rounded(x + spacing * parts, itemsize) - x
        values = np.array(
            [_tried(f, _rounded(x + k * step, itemsize), value) for k in range(-8, 9)]
        )
        if not np.isfinite(values).all():
            return np.zeros_like(value)
        heights = [measuring.level(values[:, index].tolist()) for index in chosen]
        # Where the values do not move, rounding does not show.
        found.append(np.where(np.ptp(values[:, chosen], axis=0), heights, np.inf))
    levels = np.min(found, axis=0)
    levels[~np.isfinite(levels)] = 0.0
    return levels if len(chosen) == len(value) else np.full_like(value, levels.max())


def _limits(
    sample: Callable[[int, float], tuple[list[np.ndarray], float]],
    count: int,
    weights: tuple[int, ...],
    ratio: int,
    itemsize: int,
    floor: float | np.ndarray,
    measured: Callable[[], np.ndarray],
    middle: np.ndarray | None,
    size: np.ndarray,
) -> NumericalDerivative:
    """The limits of quotients of differences as the step goes to 0: outputs × rows.

    Args:
        sample: the values whose weighted sum is the difference, and its denominator, for a row and
            a part of its first step.
        count: the number of rows.
        weights: the weights of the values.
        ratio: by which the leading error falls when the step is halved.
        itemsize: the size of the function's numbers in bytes.
        floor: noise that is known of.
        measured: measures the noise of the function.
        middle: the value between those of a central difference, which shows kinks.
        size: the values at the point.
    """
    limits, errors = np.full((2, count, len(size)), np.nan)
    precision = _ROUNDING * {8: 2.0**-53, 4: 2.0**-24, 2: 2.0**-11}[itemsize]
    open_rows = list(range(count))
    taken: list[list[Any]] = [[] for _ in range(count)]
    widths: list[list[float]] = [[] for _ in range(count)]
    known, is_measured = np.asarray(floor, float), False
    with np.errstate(all="ignore"):
        for last, more in zip(accumulate(_LEVELS), _LEVELS, strict=True):
            for row in open_rows:
                for level in range(last - more, last):
                    found, width = sample(row, 2.0**-level)
                    taken[row].append(found)
                    widths[row].append(width)
            if last - more == _MEASURED and not is_measured:
                known, is_measured = np.maximum(known, measured()), True
            values = np.array([taken[row] for row in open_rows])  # rows × levels × values × outputs
            steps = np.array([widths[row] for row in open_rows])[:, :, None]
            quotients = sum(w * values[:, :, k] for k, w in enumerate(weights)) / steps
            rounding = (precision * abs(values).max(axis=2) + known) / abs(steps)
            limit, error = _extrapolated(quotients, rounding, ratio)
            denied = _is_denied(limit, error, quotients, rounding)
            if last == _MOST[itemsize] and denied.any():
                near = _extrapolated(quotients[:, -_LAST:], rounding[:, -_LAST:], ratio)
                limit, error = np.where(denied, near, (limit, error))
            is_open = (error > _SETTLED * rounding[:, -1]) | ~np.isfinite(error) | denied
            if middle is not None:  # the difference of the slopes on the two sides
                bends = abs(values.sum(axis=2) - 2 * middle) * (2 / abs(steps))
                wide, wider, widest = bends[:, -1], bends[:, -2], bends[:, -3]
                is_kink = (wide > 0.75 * wider) & (wider > 0.75 * widest)
                is_kink &= wide > 16 * rounding[:, -1]
                error = np.where(is_kink, np.maximum(error, wide / 2), error)
            limits[open_rows], errors[open_rows] = limit, error
            for place in np.flatnonzero(~is_open.any(axis=1)):
                row = open_rows[place]
                found, width = sample(row, 2.0 ** -(last + _BELOW))
                below = sum(w * value for w, value in zip(weights, found, strict=True)) / width
                apart = abs(below - limit[place])
                apart -= error[place] + abs(quotients[place, -1] - limit[place])
                apart[apart < _ELSEWHERE * (abs(below) + abs(limit[place]))] = 0.0
                size = np.max(np.abs(found), axis=0)
                if (apart * abs(width) > 4 * (precision * size + known)).any():
                    if not is_measured:
                        known, is_measured = np.maximum(known, measured()), True
                    # The limit of steps that are all too large, as beyond a kink.
                    if (apart * abs(width) > 4 * (precision * size + known)).any():
                        taken[row] = [[np.full_like(size, np.nan)] * len(weights)] * last
                        is_open[place] = True
            open_rows = [row for row, flags in zip(open_rows, is_open, strict=True) if flags.any()]
            if not open_rows or last == _MOST[itemsize]:
                break
    return NumericalDerivative(limits.T, np.where(np.isfinite(limits), errors, np.inf).T)


def _is_denied(
    limit: np.ndarray, error: np.ndarray, quotients: np.ndarray, rounding: np.ndarray
) -> np.ndarray:
    """Whether the smallest steps lead away from a limit, on which larger ones agree by accident.

    This happens if the larger steps are multiples of the period of an oscillation.
    """
    apart = abs(quotients[:, -2:] - limit[:, None])
    is_near = apart <= error[:, None] + 4 * rounding[:, -2:]
    found: np.ndarray = (apart[:, 1] > 0.75 * apart[:, 0]) & ~is_near.any(axis=1)
    return found


def _extrapolated(
    quotients: np.ndarray, rounding: np.ndarray, ratio: int
) -> tuple[np.ndarray, np.ndarray]:
    """The best entry of Richardson's table for each row and output, and its error."""
    column, candidates, errors, growth = quotients, [], [], 1.0
    for order in range(1, min(_COLUMNS, quotients.shape[1] - 2) + 1):
        change = column[:, 1:] - column[:, :-1]
        power = float(ratio) ** order
        column = column[:, 1:] + change / (power - 1)
        growth *= (power + 1) / (power - 1)  # of rounding
        # A change that is smaller than its predecessor lets expect is small by accident.
        least = np.maximum(abs(change[:, 1:]), abs(change[:, :-1]) / power)
        candidates.append(column[:, 1:])
        errors.append(least + growth * rounding[:, order + 1 :])
    everything, error = np.concatenate(candidates, axis=1), np.concatenate(errors, axis=1)
    error = np.where(np.isfinite(error), error, np.inf)
    best = error.argmin(axis=1)[:, None]
    return (
        np.take_along_axis(everything, best, axis=1)[:, 0],
        np.take_along_axis(error, best, axis=1)[:, 0],
    )
