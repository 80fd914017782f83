"""Products with weights inside a function, seen through what each sample contributes.

What a sample contributes to the gradient of a weight is `aᵀ · dz`, where `a` is what the weight is
multiplied by, and `dz` is the gradient of the product `z = a @ W`, both of this sample alone.
Where one of them is known, because the operand is an argument or the product is the result,
the other follows: from the true contributions, and from those of the backward pass, which is called
with the dout of one sample at a time. So a mistake is found in the array in which it was made.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from micrograd.testing.activations import mistakes
from micrograd.testing.linear_layers import Arrays, Gradients

_SAMPLES = 32  # the most samples with which the backward pass is called, one by one
_PATHS = 4  # products of one argument


class Contributions(NamedTuple):
    """What each sample contributes to the gradients, by the names of the arguments.

    Args:
        true: the true contributions to the gradient of an argument, with an axis for the samples
            in front; or None if they are not known.
        claimed: those of the backward pass, to all gradients.
        operands: the arrays among the arguments, with those that have no gradient.
        cotangent: dout, whose first axis is that of the samples.
    """

    true: Callable[[str], np.ndarray | None]
    claimed: Callable[[], Arrays]
    operands: Arrays
    cotangent: np.ndarray


class Product(NamedTuple):
    """A product: its weight, its operand, and its gradient, with the samples in front.

    `name` and `label` of the operand are empty if it is not an argument. The contributions that are
    claimed for the weight are laid out as operand × result.
    """

    weight: str
    name: str
    label: str
    matrix: np.ndarray
    operand: np.ndarray
    slope: np.ndarray
    claimed: np.ndarray | None
    bias: np.ndarray | float = 0.0

    @property
    def value(self) -> np.ndarray:
        """The product itself, with its bias."""
        made: np.ndarray = self.operand @ self.matrix + self.bias
        return made

    @property
    def path(self) -> np.ndarray:
        """What comes through this product to the gradient of its operand."""
        made: np.ndarray = self.slope @ self.matrix.T
        return made


def suspicions(
    gradients: Gradients, contributions: Contributions, about: Callable[..., str]
) -> dict[str, str]:
    """What the mistakes look like, by the names of the arguments whose gradients they are in.

    Args:
        gradients: the gradients of all arguments.
        contributions: what each sample contributes to them.
        about: what a wrong gradient looks like, given it, the true one, and the variable.
    """
    if len(contributions.cotangent) > _SAMPLES:
        return {}
    return _Search(gradients, contributions, about).found


class _Search:
    def __init__(
        self, gradients: Gradients, contributions: Contributions, about: Callable[..., str]
    ) -> None:
        self.gradients, self.contributions, self.about = gradients, contributions, about
        self.claimed = contributions.claimed()
        self.found: dict[str, str] = {}
        self.products = [*self._products()]
        wrong = {name for name in gradients.variables if gradients.wrong(name)}
        for product in self.products:
            if product.weight in wrong and (text := self._of_weight(product)):
                self.found.setdefault(product.weight, text)
        for name in wrong:
            through = [product for product in self.products if product.name == name]
            if text := self._of_bias(name) or self._of_operand(name, through):
                self.found.setdefault(name, text)

    def _products(self) -> Iterator[Product]:
        """All products of two axes that the contributions show."""
        dout = self.contributions.cotangent
        samples, variables = len(dout), self.gradients.variables
        for weight, turned in itertools.product(variables, (False, True)):
            if variables[weight].ndim != 2 or (true := self.contributions.true(weight)) is None:
                continue
            matrix, claimed = variables[weight], self.claimed.get(weight)
            if turned:
                matrix, true, claimed = matrix.T, _turned(true), _turned(claimed)
            code = f" @ {weight}{'.T' * turned}"
            for name, x in self.contributions.operands.items():
                if x.ndim > 1 and len(x) == samples and x.shape[-1] == len(matrix):
                    operand = x.reshape(samples, -1, len(matrix))
                    if (slope := self._factor(operand, true)) is not None:
                        yield self._with_bias(
                            Product(weight, name, name + code, matrix, operand, slope, claimed)
                        )
            if dout.ndim > 1 and dout.shape[-1] == matrix.shape[1]:
                slope = dout.reshape(samples, -1, dout.shape[-1])
                hidden = self._factor(slope, _turned(true))
                if hidden is not None:
                    yield Product(weight, "", "", matrix, hidden, slope, claimed)

    def _with_bias(self, product: Product) -> Product:
        for name, bias in self.gradients.variables.items():
            if self._is_bias(name, product):
                return product._replace(label=f"{product.label} + {name}", bias=bias)
        return product

    def _is_bias(self, name: str, product: Product) -> bool:
        if self.gradients.variables[name].shape != product.matrix.shape[1:]:
            return False
        true = self.contributions.true(name)
        return true is not None and self.gradients.same(true, product.slope.sum(axis=1))

    def _factor(self, known: np.ndarray, outer: np.ndarray | None) -> np.ndarray | None:
        """The array `a` for which `knownᵀ · a` is `outer` in every sample, if there is just one."""
        count, width = known.shape[1:]
        if outer is None or count >= width or np.linalg.matrix_rank(known).min() < count:
            return None
        found: np.ndarray = np.linalg.pinv(_turned(known)) @ outer
        fits = self.gradients.same(_turned(known) @ found, outer)
        return found if found.any() and fits else None

    # ---------------------------------------------------------------------------- what is wrong

    def _of_weight(self, product: Product) -> str:
        """What is wrong in the gradient of the weight: the gradient of the product, or the operand.

        Both are compared in the samples of the backward pass, if there is just one that fits.
        """
        claimed = product.claimed
        if claimed is None or self.gradients.same(
            claimed, _turned(product.operand) @ product.slope
        ):
            return ""
        slope = self._factor(product.operand, claimed)
        if slope is not None and product.name:
            return self._of_slope(product, slope) or (
                f"the gradient of {product.label} is wrong, and {product.name} is right, by which"
                " it is multiplied"
            )
        operand = self._factor(product.slope, _turned(claimed))
        if operand is None or self.gradients.same(operand, product.operand):
            return ""
        for words, other in self._arrays():
            if other.size == operand.size and self.gradients.same(other.ravel(), operand.ravel()):
                return (
                    f"{words} is multiplied where another array is needed, such as what is computed"
                    " from it"
                )
        if text := self._told(operand, product.operand, product.operand):
            return f"in what is multiplied by {product.weight}: {text}"
        return (
            f"what is multiplied by {product.weight} is wrong, and the gradient of the product is"
            " right"
        )

    def _arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """The arguments, and products of them, by their names."""
        yield from self.contributions.operands.items()
        for product in self.products:
            if product.name:
                yield product.label, product.value

    def _of_slope(self, product: Product, slope: np.ndarray) -> str:
        """What is wrong in a gradient of the product."""
        if self.gradients.same(slope, product.slope):
            return ""
        for other in self.products:
            is_same = other.slope.shape == slope.shape and self.gradients.same(slope, other.slope)
            if other.name and is_same:
                return f"it is computed from the gradient of {other.label}"
        if text := self._told(slope, product.slope, product.value):
            return f"in the gradient of {product.label}: {text}"
        dout = self.contributions.cotangent
        if slope.size == dout.size and self.gradients.same(slope.ravel(), dout.ravel()):
            return "it is computed from dout itself"
        is_known = product.name in self.gradients.variables
        if is_known and all(map(self.gradients.wrong, (product.name, product.weight))):
            return f"the gradient of {product.label}, from which it is computed, is wrong"
        return ""

    def _of_bias(self, name: str) -> str:
        """What is wrong in the gradient of a bias, made of gradients of a product."""
        for product in self.products if name in self.claimed else ():
            is_single = bool(product.name) and len(product.slope[0]) == 1
            if is_single and self._is_bias(name, product):
                return self._of_slope(product, self.claimed[name][:, None])
        return ""

    def _told(self, got: np.ndarray, true: np.ndarray, variable: np.ndarray) -> str:
        """What a wrong array looks like; without the axis of a single row for each sample."""
        if got.shape[1] == 1:
            got, true, variable = got[:, 0], true[:, 0], variable[:, 0]
        return self.about(got, true, variable)

    def _of_operand(self, name: str, through: list[Product]) -> str:
        """What is wrong in the gradient of an operand: a path, or the gradient of a product."""
        true, claimed = self.contributions.true(name), self.claimed.get(name)
        if true is None or claimed is None or any(p.path.size != true[0].size for p in through):
            return ""
        expected, claimed = true.sum(axis=0), claimed.sum(axis=0)

        def is_off_by(change: np.ndarray) -> bool:
            return self.gradients.same(claimed, expected + change.reshape(expected.shape))

        for names, path, words, change in _mistaken_paths(through[:_PATHS], expected):
            if is_off_by(change) and not self.gradients.same(path, expected):
                return words.format(names=names)
        for product in through:
            for slope, text in self._wrong_slopes(product):
                if is_off_by((slope - product.slope) @ product.matrix.T):
                    return text
        return ""

    def _wrong_slopes(self, product: Product) -> Iterator[tuple[np.ndarray, str]]:
        """What the gradient of a product may be by mistake, and what is wrong then."""
        claimed = self._factor(product.operand, product.claimed)
        if claimed is not None:
            yield claimed, self._of_slope(product, claimed)
        for other in self.products:
            if other.slope.shape == product.slope.shape and other is not product:
                yield other.slope, self._of_slope(product, other.slope)
        with np.errstate(all="ignore"):
            for words, slope in mistakes(product.slope, product.value):
                yield slope, f"in the gradient of {product.label}: {words}"


def _turned(matrices: Any) -> Any:
    """The transposed matrices of all samples."""
    return None if matrices is None else matrices.swapaxes(1, 2)


_OF_PATHS: dict[str, Callable[[Any, Any], Any]] = {
    "the path through {names} is missing: is it = where += is needed?": lambda path, whole: -path,
    "only the path through {names} is there": lambda path, whole: path - whole,
    "the path through {names} is there twice": lambda path, whole: path,
    "the path through {names} has the wrong sign": lambda path, whole: -2 * path,
}
"""Mistakes in paths, and what each adds to the whole gradient."""


def _mistaken_paths(products: list[Product], whole: Any) -> Iterator[tuple[str, Any, str, Any]]:
    """Names of products, their path, a mistake in it and what it adds; few names come first."""
    for count in range(1, len(products) + 1):
        for (words, added), chosen in itertools.product(
            _OF_PATHS.items(), itertools.combinations(products, count)
        ):
            path = np.sum([product.path for product in chosen], axis=0).reshape(whole.shape)
            yield ", ".join(each.weight for each in chosen), path, words, added(path, whole)
