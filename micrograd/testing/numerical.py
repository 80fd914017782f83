"""Numerical derivatives of functions of numbers and arrays, with an estimate of the error.

    value, error = numerical_gradient(f, x)

The function may be anything that computes: NumPy, a simulation, another library. Differences are
taken at steps that halve and are extrapolated to step 0 (`extrapolation.py`); where they do not
settle, the noise of the function is measured (`noise.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd.engine.arrays import refuse_unusual
from micrograd.testing import noise as measuring
from micrograd.testing.extrapolation import Extrapolation, NumericalDerivative

METHODS = ("central", "forward", "complex")

_NEAR_0 = 1e-8  # a singularity at 0 may be nearer to such a point than the smallest step reaches
_UNSURE = 0.01  # an error above this share of the derivative
_FIRST = 0.5  # the first step, relative to the size of x where that is above 1
_FIRST_OF_TWO = 2.0  # the same for second derivatives, by whose square rounding is divided
_RATIOS = (1.0, 0.618)  # of the spacings of points at which noise is measured
_INNER = 0.25  # of the point itself: up to such steps, a singularity at 0 makes no jumps
_OWN = 0.3  # of the point itself: a step that shows what varies with its size
_OF_POINT = 2.0**-50  # of a move by the point itself: less is rounding of a multiple of the point
_TINY = 2.0**-300  # the step of the complex method, which subtracts nothing

Flat = Callable[[np.ndarray], np.ndarray]
"""A function of a flat array whose result is a flat array of doubles."""


class Sampler:
    """A function on arrays as a function on flat arrays of doubles, which knows its precision.

    Args:
        f: the function.
        x: the point, a number or an array; `f` gets numbers or arrays of the same type.
    """

    def __init__(self, f: Callable[[Any], Any], x: Any) -> None:
        if not callable(f):
            raise TypeError(f"f must be a function of a number or an array, got {f!r}")
        refuse_unusual(x)
        try:
            array = np.asarray(x)
        except ValueError:  # lists of different lengths
            array = np.array(None)
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
    _refuse_arrays(sampler, "numerical_gradient", "; use numerical_jacobian")
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
    _refuse_arrays(sampler, "numerical_hessian")
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


def _refuse_arrays(sampler: Sampler, caller: str, remedy: str = "") -> None:
    if sampler.result_shape not in ((), (1,)):
        raise ValueError(
            f"{caller} needs a function whose result is a number, got an array of shape"
            f" {sampler.result_shape}{remedy}"
        )


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
    step: float | np.ndarray | None = None,
    shrink: float = 1.0,
    is_forward: bool = False,
    itemsize: int = 8,
    floor: float | np.ndarray = 0.0,
    only: Sequence[int] | np.ndarray | None = None,
    inner: float = 0.0,
) -> NumericalDerivative:
    """The derivatives along the axes or along given directions: outputs × directions.

    Args:
        f: the function.
        x: the point.
        value: `f(x)`.
        directions: the directions; by default the axes.
        step: the first step, or that of each entry.
        shrink: a factor of the first step.
        is_forward: whether to stay on one side.
        itemsize: of the numbers in which the function computes, in bytes.
        floor: noise that each value is known to have, beside its rounding.
        only: the numbers of the axes to move along, if not all.
        inner: as for `Extrapolation`.
    """
    axes = range(len(x)) if only is None else only
    starts = np.maximum(abs(x), 1.0) * _FIRST if step is None else np.full(len(x), step)
    first: Any = _FIRST if step is None else step
    first = first * max(1.0, float(abs(x).max(initial=0)) / 4)
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
    quotients = Extrapolation(
        sample, count, (1, -1), 2 if is_forward else 4, itemsize,
        size=value,
        middle=None if is_forward else value,
        floor=floor,
        reach=(
            abs(x)[list(axes)] if directions is None
            else np.array([abs(x * each).max(initial=0) for each in directions])
        ),
        own=(
            _OWN * (abs(x) / starts)[list(axes)] if directions is None else np.zeros(count)
        ),
        measured=lambda part: noise_of(f, x, value, itemsize, part),
        inner=inner,
    )  # fmt: skip
    found = quotients.limits()
    if step is not None or directions is not None:
        return found
    near = np.where(x, abs(x), 1.0) * _FIRST * shrink
    unsure = [k for k in _unsure(found) if 0 < abs(x[axes[k]]) < _NEAR_0]
    return found if not unsure else _surer(found, unsure, slopes(
        f, x, value, step=near, is_forward=is_forward, itemsize=itemsize, floor=floor,
        only=[axes[k] for k in unsure], inner=_INNER / _FIRST,
    ))  # fmt: skip


def _unsure(found: NumericalDerivative) -> list[int]:
    """The columns in which some derivative has fewer than two reliable digits."""
    with np.errstate(invalid="ignore"):
        is_sure = (found.error <= _UNSURE * abs(found.value)).all(axis=0)
    return [k for k, sure in enumerate(is_sure.tolist()) if not sure]


def _surer(
    found: NumericalDerivative, columns: list[int], other: NumericalDerivative
) -> NumericalDerivative:
    """The derivatives with others for some columns, where these are sure."""
    is_better = (other.value != 0) & (other.error <= _UNSURE * abs(other.value))
    for part, instead in zip(found, other, strict=True):
        part[:, columns] = np.where(is_better, instead, part[:, columns])
    return found


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
    f: Sampler,
    value: np.ndarray,
    is_forward: bool,
    step: Any,
    rows: Any,
    columns: Any,
    inner: float = 0.0,
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
        h, k = (_rounded(x[n] + starts[n] * part, f.itemsize) - x[n] for n in (i, j))
        if is_forward:
            return [at(i, h, j, k), at(i, h, j, 0), at(i, 0, j, k), value], h * k
        if i == j:
            return [at(i, h, i, 0), value, value, at(i, -h, i, 0)], h * h
        return [at(i, h, j, k), at(i, h, j, -k), at(i, -h, j, k), at(i, -h, j, -k)], 4 * h * k

    quotients = Extrapolation(
        sample, len(rows), (1, -1, -1, 1), 2 if is_forward else 4, f.itemsize,
        size=value,
        middle=None,
        floor=0.0,
        reach=np.zeros(len(rows)),
        own=_OWN * np.minimum((abs(x) / starts)[rows], (abs(x) / starts)[columns]),
        measured=lambda part: noise_of(f, x, value, f.itemsize, part),
        inner=inner,
    )  # fmt: skip
    found = quotients.limits()
    is_near = (x != 0) & (abs(x) < _NEAR_0)
    if step is not None or not is_near.any():
        return found
    near = np.where(is_near, abs(x) * _FIRST_OF_TWO, starts)
    unsure = [k for k in _unsure(found) if is_near[rows[k]] or is_near[columns[k]]]
    return found if not unsure else _surer(
        found, unsure,
        _second_derivatives(
            f, value, is_forward, near, rows[unsure], columns[unsure], _INNER / _FIRST_OF_TWO
        ),
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


def noise_of(
    f: Flat, x: np.ndarray, value: np.ndarray, itemsize: int, part: float = 1.0
) -> np.ndarray:
    """The noise of each output near the point; of many outputs, that of the noisiest of some.

    Noise is the same at every spacing, while an oscillation that is fast for one is slow for the
    other. Values that happen to be multiples of the last place hide it at one of two near ones.
    """
    parts = np.random.default_rng(3).uniform(0.5, 1, len(x))
    wide, own = np.maximum(abs(x), 1.0), np.where(x, abs(x), 1.0)
    fine = 2.0**-24 if itemsize == 8 else 2.0**-17
    groups = [[2.0**-13 * wide], [ratio * fine * wide for ratio in _RATIOS]]
    if (own < wide).any():
        groups.append([ratio * fine * own for ratio in _RATIOS])
    if part < 1:
        groups = [[part * 2.0**-4 * wide]]
    if itemsize < 8:
        groups.append([2.0**-22 * own])  # few units in the last place
    chosen = np.unique(np.linspace(0, len(value) - 1, 16).astype(int))
    found = []
    for i, group in enumerate(groups):
        # At the widest spacing, a function that bends may hide noise that shows at finer ones.
        hidden = np.inf if i == 0 and part == 1 else 0.0
        largest = np.full(len(chosen), -np.inf)
        for spacing in group:
            # A multiple of the last place, so that the points are equally far from each other.
            step = _rounded(x + spacing * parts, itemsize) - x
            values = np.array(
                [_tried(f, _rounded(x + k * step, itemsize), value) for k in range(-8, 9)]
            )
            if not np.isfinite(values).all():
                return np.zeros_like(value)
            levels = [measuring.level(values[:, at].tolist(), 8, hidden) for at in chosen]
            moves = np.ptp(values[:, chosen], axis=0)
            # Rounding of a multiple of the point is allowed for by `Extrapolation`.
            inside = _OF_POINT * moves / (len(values) - 1) * (abs(x) / abs(step)).max()
            heights = np.where(np.array(levels) > inside, levels, 0.0)
            # Where the values do not move, rounding does not show.
            largest = np.maximum(largest, np.where(moves > 0, heights, -np.inf))
        found.append(np.where(largest >= 0, largest, np.inf))
    least = np.min(found, axis=0)
    least[~np.isfinite(least)] = 0.0
    return least if len(chosen) == len(value) else np.full_like(value, least.max())
