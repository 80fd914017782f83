"""The witness for functions of arrays: differences, and complex steps where these confirm them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from micrograd.testing.arguments import Arguments
from micrograd.testing.claims import Claim
from micrograd.testing.numerical import noise_of, slopes
from micrograd.testing.options import Options

_COMPLEX = 2.0**-44  # rounding of a complex step, relative to the largest entry
_TINY = 2.0**-300  # the step, which nothing is subtracted from


class ArrayWitness:
    """Differences, and complex steps where they agree with these in random directions."""

    def __init__(self, claim: Claim, arguments: Arguments, options: Options) -> None:
        self.claim, self.x, self.step = claim, arguments.x, options.eps
        self.floor = claim.floor
        if claim.itemsize < 8:  # rounding inside the function exceeds that of its value
            noise = noise_of(claim.function, self.x, claim.value, claim.itemsize)
            self.floor = np.maximum(self.floor, noise)
        self.asked = [name for name in ("difference", "complex step") if name in options.modes]
        if not self.asked:
            raise ValueError(
                'modes: a gradient computed elsewhere is compared with "difference" and "complex'
                ' step"; neither was named'
            )
        fits = "complex step" in self.asked and arguments.is_numpy and claim.itemsize == 8
        self.is_complex = fits
        rng = np.random.default_rng(6)
        for _ in range(2 * fits):
            signs = rng.choice([-1.0, 1.0], len(self.x))
            self.along(signs * rng.uniform(0.5, 1.0, len(self.x)))
        if self.asked == ["complex step"] and not self.is_complex:
            raise ValueError(
                'modes: "complex step" needs a function that computes with complex numbers in'
                ' double precision; add "difference"'
            )

    @property
    def name(self) -> str:
        """The name of the witness that is heard."""
        return "complex step" if self.is_complex else "difference"

    def _differences(self, **chosen: Any) -> tuple[np.ndarray, np.ndarray]:
        claim = self.claim
        return slopes(
            claim.function, self.x, claim.value, itemsize=claim.itemsize, floor=self.floor,
            step=self.step, **chosen,
        )  # fmt: skip

    def along(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The derivative of each output in a direction, and its error."""
        made = self._complex([direction]) if self.is_complex else None
        exact = made[0] if made else None
        if exact is not None and self.asked == ["complex step"]:
            return exact, self._rounding(exact)
        found, error = (part[:, 0] for part in self._differences(directions=[direction]))
        if exact is None:
            return found, error
        rounding = self._rounding(exact)
        is_near = abs(exact - found) <= 2 * error + rounding
        if (is_near & (error <= 1e-3 * abs(exact).max() + rounding)).all():  # and at no kink
            return exact, rounding
        self.is_complex = False
        return found, error

    def entries(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The derivatives with respect to some entries, outputs × entries, and their errors."""
        if self.is_complex:
            columns = self._complex(_axis(len(self.x), index) for index in indices)
            if columns:
                found = np.array(columns).T
                return found, np.full_like(found, self._rounding(found).max(initial=0))
        return self._differences(only=indices)

    def reconsidered(self, indices: np.ndarray, shrink: float) -> tuple[np.ndarray, np.ndarray]:
        """What differences with other first steps say of some entries."""
        return self._differences(only=indices, shrink=shrink)

    def elsewhere(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """The derivatives with respect to some entries at another point, outputs × entries."""
        return self._steps(self.claim.function, x, indices)

    def terms(self, indices: np.ndarray) -> np.ndarray | None:
        """The terms of these derivatives, of the shape of the result × entries."""
        terms, cotangent = self.claim.terms, self.claim.cotangent
        if terms is None or cotangent is None:
            return None
        return self._steps(terms, self.x, indices).reshape(*cotangent.shape, len(indices))

    def pushed(self, entries: slice) -> np.ndarray | None:
        """The Jacobian times dout, where the entries are as many as those of the result."""
        terms, cotangent = self.claim.terms, self.claim.cotangent
        if terms is None or cotangent is None:
            return None
        direction = np.zeros_like(self.x)
        direction[entries] = cotangent.ravel()
        if self.is_complex:
            found = terms(self.x + 1j * _TINY * direction).imag / _TINY
        else:
            size = self.claim.itemsize
            found = slopes(terms, self.x, terms(self.x), [direction], itemsize=size).value[:, 0]
        made: np.ndarray = found.reshape(cotangent.shape) / cotangent
        return made

    def _steps(
        self, f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, indices: np.ndarray
    ) -> np.ndarray:
        """The derivatives of a function in the directions of some axes."""
        found: np.ndarray
        if not self.is_complex:
            found = slopes(f, x, f(x), itemsize=self.claim.itemsize, only=indices).value
            return found
        axes = np.zeros((len(indices), len(x)))
        axes[np.arange(len(indices)), indices] = _TINY
        found = np.array([f(x + 1j * axis).imag / _TINY for axis in axes]).T
        return found

    def sides(self, indices: np.ndarray) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
        """The slopes on the left and on the right of some entries, and their error."""
        for index in indices:
            axis = _axis(len(self.x), index)
            found, error = self._differences(directions=[-axis, axis], is_forward=True)
            yield (0.0 - found[:, 0], found[:, 1]), error.max(axis=1)

    def _rounding(self, found: np.ndarray) -> np.ndarray:
        size = float(abs(found).max(initial=0)) + 2.0**-8 * abs(self.claim.value)
        return np.broadcast_to(_COMPLEX * np.max(size), found.shape)

    def _complex(self, directions: Iterable[np.ndarray]) -> list[np.ndarray] | None:
        """The derivatives by complex steps; None if the function does not admit them.

        An error of the function is not its fault: it was written for real numbers, and has already
        computed its value from them.
        """
        exact = []
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error")
                for direction in directions:
                    found = self.claim.function(self.x + 1j * _TINY * direction)
                    if found.dtype.kind != "c" or not np.isfinite(found).all():
                        raise ArithmeticError
                    exact.append(found.imag / _TINY)
        except Exception:  # whatever code for real numbers does with complex ones
            self.is_complex = False
            return None
        return exact


def _axis(count: int, index: int) -> np.ndarray:
    axis = np.zeros(count)
    axis[index] = 1.0
    return axis
