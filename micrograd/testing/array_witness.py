"""The witness for functions of arrays: differences, and complex steps where these confirm them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from micrograd.testing.claims import Claim
from micrograd.testing.numerical import noise_of, slopes
from micrograd.testing.options import Options

_COMPLEX = 2.0**-44  # rounding of a complex step, relative to the largest entry
_TINY = 2.0**-300  # the step, which nothing is subtracted from


class ArrayWitness:
    """Differences, and complex steps where they agree with these in random directions."""

    def __init__(self, claim: Claim, options: Options) -> None:
        self.claim, self.x, self.step = claim, claim.arguments.x, options.eps
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
        fits = "complex step" in self.asked and claim.arguments.is_numpy and claim.itemsize == 8
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

    def differences(self, **chosen: Any) -> tuple[np.ndarray, np.ndarray]:
        """What differences say, with options of `slopes`, and their errors."""
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
        found, error = (part[:, 0] for part in self.differences(directions=[direction]))
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
        return self.differences(only=indices)

    def elsewhere(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """The derivatives with respect to some entries at another point, outputs × entries."""
        return self._steps(self.claim.function, x, only=indices)

    def terms(self, indices: np.ndarray) -> np.ndarray | None:
        """The terms of these derivatives, of the shape of the result × entries."""
        if self.claim.cotangent is None:
            return None
        found = self._steps(self.claim.terms, self.x, only=indices)
        return np.asarray(found.reshape(*self.claim.cotangent.shape, len(indices)))

    def pushed(self, cotangent: np.ndarray, entries: slice) -> np.ndarray:
        """The Jacobian times dout, whose numbers are as many as these entries."""
        direction = np.zeros_like(self.x)
        direction[entries] = cotangent.ravel()
        found = self._steps(self.claim.terms, self.x, directions=[direction])
        return np.asarray(found.reshape(cotangent.shape) / cotangent)

    def _steps(
        self, f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, **along: Any
    ) -> np.ndarray:
        """The derivatives of a function along some axes (`only`) or `directions`."""
        if not self.is_complex:
            return np.asarray(slopes(f, x, f(x), itemsize=self.claim.itemsize, **along).value)
        axes = along.get("directions") or (_axis(len(x), index) for index in along["only"])
        return np.asarray(np.transpose([f(x + 1j * _TINY * axis).imag / _TINY for axis in axes]))

    def sides(self, indices: np.ndarray) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
        """The slopes on the left and on the right of some entries, and their error."""
        for index in indices:
            axis = _axis(len(self.x), index)
            found, error = self.differences(directions=[-axis, axis], is_forward=True)
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
