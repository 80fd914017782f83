"""What a wrong gradient of an array is compared with: the other arguments and their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache

import numpy as np

from micrograd.testing import linear_layers, products
from micrograd.testing.arguments import Arguments, Leaf, flatten, is_array, to_array
from micrograd.testing.array_witness import ArrayWitness
from micrograd.testing.linear_layers import Gradients
from micrograd.testing.patterns import CLOSE, Candidates, Case
from micrograd.testing.suspicion import suspicion


class ArrayCase(Case):
    """A wrong gradient of an argument, and what the witness says of its surroundings.

    Args:
        leaf: the argument.
        got: the gradient.
        wrong: which entries are wrong.
        witness: the witness that is heard.
        expected: the true gradients, by the names of the arguments, with nan where they are not
            known.
        layers: what `of_layers` says.
    """

    def __init__(
        self,
        leaf: Leaf,
        got: np.ndarray,
        wrong: np.ndarray,
        witness: ArrayWitness,
        expected: Mapping[str, np.ndarray],
        layers: Callable[[], Mapping[str, str]],
    ) -> None:
        self.leaf, self.witness, self.of_layers = leaf, witness, layers
        self.claim, self.arguments = witness.claim, witness.claim.arguments
        others, shape = _variables(self.arguments), self.claim.shape + leaf.shape
        variable = others[leaf.name]
        got, true, wrong = (each.reshape(shape) for each in (got, expected[leaf.name], wrong))
        super().__init__(got, true, wrong, variable, CLOSE[self.claim.itemsize == 8])
        self.cotangent, self.others = self.claim.cotangent, others
        self.sizes = _sizes(self.arguments, variable, self.cotangent)
        self.constants = _constants(self.arguments)
        self.gradients = {
            name: found.reshape(self.others[name].shape)
            for name, found in expected.items()
            if name != leaf.name and found.size == self.others[name].size
        }

    def terms(self, places: np.ndarray) -> np.ndarray | None:
        """The contributions of the outputs to entries of the true gradient, if they are known."""
        return self.witness.terms(places + self.leaf.entries.start)

    def layers(self) -> str:
        """What the gradients of linear layers say of the mistake."""
        return self.of_layers().get(self.leaf.name, "")

    def pushed(self) -> np.ndarray | None:
        """The Jacobian times dout, where the result has the shape of the variable."""
        if self.cotangent is None or self.cotangent.shape != self.leaf.shape:
            return None
        return self.witness.pushed(self.cotangent, self.leaf.entries)

    def variations(self, places: np.ndarray) -> Candidates:
        """Some entries of the true gradient if another argument were in another order."""
        return self._varied(_variations, places)

    def replacements(self, places: np.ndarray) -> Candidates:
        """The same for another argument that is 1, 0, or a third one."""
        return self._varied(self._replacements, places)

    def _varied(
        self, ways: Callable[[str, np.ndarray], Candidates], places: np.ndarray
    ) -> Candidates:
        """Entries of the gradient where an argument is changed as by a mistake."""

        def entries(other: Leaf, varied: np.ndarray) -> np.ndarray:
            x = self.arguments.x.copy()
            x[other.entries] = varied.ravel()
            found: np.ndarray = self.witness.elsewhere(x, places + self.leaf.entries.start)[0]
            return found

        for other in () if self.claim.shape else self.arguments.leaves:
            for words, varied in ways(other.name, self.others[other.name]):
                with suppress(ArithmeticError, ValueError):  # outside the domain of the function
                    made = entries(other, varied)
                    # Where other numbers give the same gradient, it is not these that fit it.
                    if not np.allclose(made, entries(other, 1.5 * varied + 0.25), rtol=1e-3):
                        yield words, made

    def _replacements(self, name: str, array: np.ndarray) -> Candidates:
        """What another argument may be by a mistake, and what the gradient then is."""
        gradient = "it is the gradient with"
        if name == self.leaf.name:
            return
        for number in (1, 0):
            words = f"{gradient} {name} = {number}: is {name} forgotten?"
            yield words, np.full(array.shape, float(number))
        if (array * (1 - array) == 0).all():
            yield f"{gradient} 1 - {name} in the place of {name}: is it inverted?", 1 - array
        for third, instead in self.others.items():
            if array.shape == instead.shape and third != name:
                words = f"{gradient} {third} in the place of {name}: are they mixed up?"
                yield words, instead


def _variations(name: str, array: np.ndarray) -> Candidates:
    """An argument with its last axes in another order, and what the gradient then is."""
    axes = f"it is the gradient with the last two axes of {name}"
    if array.ndim > 1:
        yield f"{axes} reversed", array[..., ::-1, ::-1]
    if array.ndim > 0:
        words = f"it is the gradient with the last axis of {name} reversed"
        yield words, array[..., ::-1]
    if array.ndim > 1 and array.shape[-1] == array.shape[-2]:
        yield f"{axes} swapped", array.swapaxes(-1, -2)


def _arrays(arguments: Arguments) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The arrays among the arguments: the name of the argument, and the shape."""
    for path, thing in flatten(arguments.at):
        if is_array(thing):
            yield arguments.names[path[0]], to_array(thing).shape


def _constants(arguments: Arguments) -> dict[str, np.ndarray]:
    """The arrays of whole numbers among the arguments, such as masks."""
    made = {}
    for name, part in zip(arguments.names, arguments.at, strict=False):
        if is_array(part) and to_array(part).dtype.kind in "iub":
            made[name] = to_array(part).astype(float)
    return made


def _sizes(
    arguments: Arguments, variable: np.ndarray, cotangent: np.ndarray | None
) -> dict[int, str]:
    """The sizes by which a gradient may be divided, and what they are the sizes of."""
    shapes, sizes = list(_arrays(arguments)), dict[int, str]()
    outputs = () if cotangent is None else cotangent.shape
    for name, shape in shapes:
        if shape and (shape[0] == outputs[0] if outputs else len(shape) > 1):
            sizes.setdefault(shape[0], f"the size of axis 0 of {name}, the batch size?")
    for axis, count in enumerate(outputs):
        sizes.setdefault(count, f"the size of axis {axis} of the result")
    if cotangent is not None and variable.size and _is_part(variable.shape, cotangent.shape):
        summed = cotangent.size // variable.size
        sizes.setdefault(summed, "the number of outputs over which it is a sum")
    for name, shape in shapes:
        for axis, count in enumerate(shape):
            sizes.setdefault(count, f"the size of axis {axis} of {name}")
        sizes.setdefault(math.prod(shape), f"the number of entries of {name}")
    return sizes


def _is_part(shape: tuple[int, ...], of: tuple[int, ...]) -> bool:
    """Whether the axes of an array are some of those of the result, in their order."""
    rest = iter(of)
    return all(size in rest for size in shape)


def _variables(arguments: Arguments) -> dict[str, np.ndarray]:
    """The arguments that vary, by their names."""
    return {leaf.name: arguments.x[leaf.entries].reshape(leaf.shape) for leaf in arguments.leaves}


def of_layers(witness: ArrayWitness, expected: Mapping[str, np.ndarray]) -> dict[str, str]:
    """What the gradients of linear layers say of the mistakes, by the names of the arguments.

    The parameters are those of `ArrayCase`.
    """
    claim, arguments = witness.claim, witness.claim.arguments
    known: dict[str, np.ndarray] = {}
    claimed: dict[str, np.ndarray] = {}
    for leaf, got in zip(arguments.leaves, claim.gradients, strict=True):
        true = expected.get(leaf.name)
        if got is None or true is None or got.shape != leaf.shape or got.size != true.size:
            continue
        if np.isfinite(true).all() and np.isfinite(got).all():
            claimed[leaf.name], known[leaf.name] = got, true.reshape(leaf.shape)
    close = CLOSE[claim.itemsize == 8]

    def about(got: np.ndarray, true: np.ndarray, variable: np.ndarray) -> str:
        wrong = abs(got - true) > close * abs(true).max(initial=0)
        return suspicion(Case(got, true, wrong, variable, close))

    variables = _variables(arguments)
    gradients = Gradients({name: variables[name] for name in known}, known, claimed, close)
    found = linear_layers.suspicions(gradients, about)
    if (dout := claim.cotangent) is not None and dout.ndim:
        for steps in (slice(None), slice(1))[: max(dout.ndim - 1, 1)]:
            seen = _contributions(dout, witness, steps)
            with suppress(Exception):  # of a backward pass that was not written for one sample
                made = products.suspicions(gradients, seen, about)
                if steps.stop:  # the first step of what may be unrolled along axis 1
                    first = "already at index 0 of axis 1 of the result"
                    found = {name: f"{first}: {text}" for name, text in made.items()} | found
                else:
                    found |= made
    return found


def _contributions(dout: np.ndarray, witness: ArrayWitness, steps: slice) -> products.Contributions:
    """What each entry of the first axis of the result contributes to the gradients.

    Of the second axis, only these steps are seen.
    """
    at = (slice(None), steps) if dout.ndim > 1 else ...
    claim, arguments = witness.claim, witness.claim.arguments
    leaves = {leaf.name: leaf for leaf in arguments.leaves}

    @cache
    def true(name: str) -> np.ndarray | None:
        leaf = leaves[name]
        places = np.arange(leaf.entries.start, leaf.entries.stop)
        if (terms := witness.terms(places)) is None:
            return None
        terms = terms[at].reshape(len(dout), -1, len(places))
        made: np.ndarray = terms.sum(axis=1)
        return made.reshape(len(dout), *leaf.shape)

    def claimed() -> dict[str, np.ndarray]:
        made: dict[str, list[np.ndarray]] = {name: [] for name in leaves}
        for sample in range(len(dout)):
            one = np.zeros_like(dout)
            one[at][sample] = dout[at][sample]
            for (name, leaf), got in zip(leaves.items(), claim.backward(one), strict=True):
                if got is not None and got.shape == leaf.shape and np.isfinite(got).all():
                    made[name].append(got)
        return {name: np.array(all_) for name, all_ in made.items() if len(all_) == len(dout)}

    operands = _constants(arguments) | _variables(arguments)
    operands |= {
        name: x[at]
        for name, x in operands.items()
        if x.ndim == dout.ndim > 2 and x.shape[:2] == dout.shape[:2]
    }
    return products.Contributions(true, claimed, operands, dout[at])
