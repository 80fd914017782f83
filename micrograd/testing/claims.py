"""`Claim`: what is to be checked, a function and the derivatives that are claimed for it.

A gradient, a Jacobian or a backward pass is called once, by the conventions of its field, and what
it returns is laid out by the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from micrograd.testing.arguments import (
    Arguments,
    flatten,
    is_array,
    like,
    positional,
    replaced,
    same,
    to_array,
)
from micrograd.testing.recording import title
from micrograd.transforms.structures import parts as parts_of

# How far an entry of a gradient may round, relative to itself, by the bytes of its numbers. The
# code of the gradient is unknown, so this is not a bound, but a share of the digits that
# cancellation may cost it: 22 of 52 bits, 11 of 23, 5 of 10. It is what 1 - tanh(x)**2 loses at
# 8.3, 4.5 and 2.4.
ROUNDING = {8: 2.0**-30, 4: 2.0**-12, 2: 2.0**-5}
# The same relative to the largest entry, for the terms that cancel in a small one.
ROUNDING_OF_TERMS = {8: 2.0**-38, 4: 2.0**-12, 2: 2.0**-5}
_EPSILON = {8: 2.0**-52, 4: 2.0**-23, 2: 2.0**-10}


class Outputs(NamedTuple):
    """The numbers that a function returned, in a flat array, and the arrays that they were."""

    flat: np.ndarray
    arrays: list[np.ndarray]
    itemsize: int


def outputs_of(result: Any) -> Outputs:
    """The numbers in what a function returned."""
    arrays = [to_array(part) for _, part in flatten(result)]
    for array in arrays:
        if array.dtype.kind not in "iufbc" and "float" not in str(array.dtype):
            raise TypeError(f"the function must return numbers, got {array!r}")
    flat = [array.astype(complex if array.dtype.kind == "c" else float) for array in arrays]
    sizes = [array.dtype.itemsize for array in arrays if array.dtype.kind == "f"]
    joined = np.concatenate([array.ravel() for array in flat]) if flat else np.zeros(0)
    return Outputs(joined, arrays, min([8, *sizes]))


def _numbers(part: Any, name: str) -> np.ndarray:
    """A part of a gradient as an array of doubles."""
    try:
        array = to_array(part)
        if array.dtype.kind == "c":
            raise TypeError
        return array.astype(float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number or an array of numbers, got {part!r}") from None


class Claim:
    """A function of arrays, and the derivatives that a gradient or a backward pass claims for it.

    Args:
        f: the function.
        at: its arguments.
        kind: "gradient", "jacobian" or "vjp".
        given: the function that computes the derivatives.

    Attributes:
        arguments: the arguments, as a flat array.
        value: the value of `function` at the point.
        floor: noise that this value is known to have.
        itemsize: the size in bytes of the numbers in which the function computes.
        gradients: for each leaf of the arguments an array of the shape outputs × its shape, or None
            where nothing is claimed.
        shown: the name of the value that has a Jacobian; empty for a gradient.
        shape: the shape of this value.
        cotangent: the gradient of the result that a backward pass got, if the result is one array.
        notes: remarks on what was called.
        is_repeatable: whether two calls of the function returned the same.
        nonlinear: what is wrong with how a backward pass uses the gradient of the result, by the
            names of the arguments.
    """

    def __init__(
        self, f: Callable[..., Any], at: tuple[Any, ...], kind: str, given: Callable[..., Any]
    ) -> None:
        self.f, self.kind, self.given, self.name = f, kind, given, title(f)
        self.notes: list[str] = []
        self.nonlinear: dict[str, str] = {}
        self.outs = 0  # the number of results that are followed by a cache
        self.arguments = Arguments(f, at, with_whole=False)
        make = self._backward if kind == "vjp" else self._direct
        claimed, self.result = make()
        if self._has_whole(claimed):
            self.arguments = Arguments(f, at, with_whole=True)
            claimed, self.result = make()
        self._refuse_what_has_no_gradient()
        self.itemsize = min(self.result.itemsize, self.arguments.itemsize)
        self.gradients = self._matched(claimed)
        self.value, self.floor = self.result.flat, 0.0
        self.shown, self.shape = "", ()
        self.cotangent: np.ndarray | None = None
        arrays = self.result.arrays
        if kind == "jacobian":
            self.shown, self.shape = self.name, arrays[0].shape
        if kind == "vjp":
            self._check_linearity()
            terms = self._weights * self.value
            self.value = np.array([terms.sum()])
            self.floor = _EPSILON[self.itemsize] * abs(terms).sum()
            if len(arrays) == 1:
                self.cotangent = self._weights.reshape(arrays[0].shape)
        with np.errstate(invalid="ignore"):
            apart = abs(self._returned(self.arguments.x) - self.result.flat)
        size = abs(self.result.flat).max(initial=0)
        # On a GPU, sums may be rounded in another order. Nan is not a sign of chance.
        self.is_repeatable = not (apart > ROUNDING[self.itemsize] * size).any()

    def function(self, flat: np.ndarray) -> np.ndarray:
        """What has the derivatives: the result, or its product with the gradient of the result."""
        return np.array([self.terms(flat).sum()]) if self.kind == "vjp" else self._returned(flat)

    def terms(self, flat: np.ndarray) -> np.ndarray:
        """The terms of this product, one for each number of the result."""
        made: np.ndarray = self._weights * self._returned(flat)
        return made

    def backward(self, dout: np.ndarray) -> list[np.ndarray | None]:
        """What the backward pass returns for another gradient of the result."""
        return self._matched(self._pulled_back(self._again(), dout.ravel()))

    def _refuse_what_has_no_gradient(self) -> None:
        at = self.arguments.at
        if not self.arguments.x.size:
            if any(is_array(part) and to_array(part).dtype.kind == "c" for _, part in flatten(at)):
                raise TypeError(
                    f"{self.name} got complex numbers, {at!r}: give their real and their imaginary"
                    " part as two arguments"
                )
            raise TypeError(
                f"{self.name} got no number that varies: {at!r}; integers are taken for labels, so"
                " pass floats or an array of floats"
            )
        if self.result.flat.dtype.kind == "c":
            raise TypeError(
                f"{self.name} must return real numbers, got {self.result.arrays[0]!r}; check the"
                " real and the imaginary part one by one"
            )

    def _has_whole(self, claimed: Any) -> bool:
        """Whether whole numbers of Python vary: the gradient has parts for them, or all are."""
        at = self.arguments.at
        whole = [index for index, part in enumerate(at) if type(part) is int]
        if not self.arguments.leaves:
            return bool(whole)
        is_full = isinstance(claimed, tuple) and len(claimed) == len(at)
        return is_full and bool(whole) and all(claimed[index] is not None for index in whole)

    def _returned(self, flat: np.ndarray) -> np.ndarray:
        """The result, without a cache, as a flat array."""
        made = self.f(*self.arguments.build(flat))
        return outputs_of(made[: self.outs] if self.outs else made).flat

    def _direct(self) -> tuple[Any, Outputs]:
        """What a gradient or a Jacobian returns, and the result."""
        result = self.f(*self.arguments.build(self.arguments.x))
        outputs = outputs_of(result)
        if self.kind == "gradient" and outputs.flat.size != 1:
            remedy = "give jacobian= or vjp= instead"
            if isinstance(result, tuple):
                remedy = (
                    "give vjp= if it takes an adjoint; "
                    f"or check the value alone: lambda *at: {self.name}(*at)[0]"
                )
            raise ValueError(
                f"gradient= is for functions that return a number, but {self.name} returned"
                f" {outputs.flat.size} numbers; {remedy}"
            )
        return self.given(*self.arguments.build(self.arguments.x)), outputs

    # ---------------------------------------------------------------------------- backward passes

    def _backward(self) -> tuple[Any, Outputs]:
        """What a backward pass returns for a random gradient of the result, and the result."""
        arguments = self.arguments.build(self.arguments.x)
        before = [to_array(part).copy() for _, part in flatten(arguments) if is_array(part)]
        result = self.f(*arguments)
        after = [to_array(part) for _, part in flatten(arguments) if is_array(part)]
        if not all(map(same, before, after)):
            self._note(f"{self.name} changes its arguments in place")
        self.outs = self._results_before_cache(result)
        outputs = outputs_of(result[: self.outs] if self.outs else result)
        rng = np.random.default_rng(5)
        signs = rng.choice([-1.0, 1.0], outputs.flat.size)
        # Few digits, which are exact in every precision.
        self._weights = signs * rng.integers(512, 1024, outputs.flat.size) / 1024
        doubled = self._pulled_back(self._again(), 2.0 * self._weights)
        # A layer may return the same arrays again, which its next call fills.
        self._doubled = replaced(doubled, {
            path: to_array(part).copy() for path, part in flatten(doubled) if is_array(part)
        })  # fmt: skip
        return self._pulled_back(result, self._weights), outputs

    def _again(self) -> Any:
        """What the function returns at the point, with a new cache."""
        return self.f(*self.arguments.build(self.arguments.x))

    def _results_before_cache(self, result: Any) -> int:
        """How many results there are before a cache; 0 if there is no cache."""
        taken = positional(self.given)
        if not isinstance(result, tuple) or len(result) < 2:
            return 0
        if taken == len(result) or taken is None:
            return len(result) - 1
        if taken == 1 and not all(is_array(part) for _, part in flatten(result)):
            name = title(self.given, self.kind)
            raise TypeError(
                f"{self.name} returned a result and a cache, but {name} takes only the gradient of"
                " the result; it must take (dout, cache)"
            )
        return 0

    def _pulled_back(self, result: Any, cotangent: np.ndarray) -> Any:
        """What the backward pass returns for a gradient of the result."""
        outs = result[: self.outs] if self.outs else (result,)
        douts: dict[tuple[Any, ...], Any] = {}
        start = 0
        for path, original in flatten(outs):
            shape = to_array(original).shape
            size = int(np.prod(shape))
            part = cotangent[start : start + size].reshape(shape)
            douts[path], start = like(original, part), start + size
        before = [to_array(dout).copy() for dout in douts.values()]
        made = self.given(*replaced(outs, douts), *(result[self.outs :] if self.outs else ()))
        if not all(map(same, before, map(to_array, douts.values()))):
            self._note(f"{title(self.given, self.kind)} changes dout in place")
        return made

    def _check_linearity(self) -> None:
        """Compare the backward pass for twice the gradient of the result with twice its own."""
        doubled = self._matched(self._doubled)
        for leaf, once, twice in zip(self.arguments.leaves, self.gradients, doubled, strict=True):
            if once is None or twice is None or not np.isfinite(once).all():
                continue
            size = max(abs(once).max(initial=0), abs(twice).max(initial=0))
            if (abs(twice - 2 * once) > 64 * ROUNDING[self.itemsize] * size).any():
                how = "does not depend on dout" if same(once, twice) else "is not linear in dout"
                if np.allclose(once, 1.5 * twice, rtol=1e-6):  # 2 g, then 2 g + g
                    how = "grows with every call of the backward pass, as if it were never set to 0"
                self.nonlinear[leaf.name] = f"d{leaf.name} {how}"

    # ----------------------------------------------------------------------- layout of a gradient

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _matched(self, claimed: Any) -> list[np.ndarray | None]:
        """For each leaf, what is claimed: outputs × the shape of the leaf, or None."""
        arguments, at = self.arguments, self.arguments.at
        # The parts by the numbers of the arguments, alone as from jax.grad and torch.func.grad.
        parts = {arguments.varying[0]: claimed}
        if isinstance(claimed, Mapping) and not all(isinstance(a, Mapping) for a in at[:1]):
            parts = {
                index: claimed[key]
                for index, name in enumerate(arguments.names)
                for key in (f"grad_{name}", f"d{name}", name)  # the last one counts
                if key in claimed
            }
        elif isinstance(claimed, tuple | list) and len(at) > 1:
            given = range(len(at)) if len(claimed) == len(at) else arguments.varying
            if len(claimed) != len(given):
                raise ValueError(
                    f"the gradient of {self.name} has {len(claimed)} parts, but there are"
                    f" {len(arguments.varying)} arguments with numbers that vary:"
                    f" {', '.join(arguments.names[index] for index in arguments.varying)}"
                )
            parts = dict(zip(given, claimed, strict=True))
        elif isinstance(claimed, tuple) and len(claimed) == 1 and not isinstance(at[0], tuple):
            parts = {0: claimed[0]}
        found: list[np.ndarray | None] = []
        for leaf in arguments.leaves:
            part = parts.get(leaf.path[0])
            for key in leaf.path[1:]:
                if part is None:
                    break
                try:
                    part = (parts_of(part) or [part])[0][key]
                except (KeyError, IndexError, TypeError):
                    raise ValueError(
                        f"the gradient has no part for {leaf.name}: it must have the structure of"
                        " the argument"
                    ) from None
            if part is None:
                self._note(f"d{leaf.name} is not given, and not checked")
            found.append(None if part is None else _numbers(part, f"d{leaf.name}"))
        return found
