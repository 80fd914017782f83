"""`Optimizer`, the base of the optimizers that make a step for each gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from copy import copy
from dataclasses import KW_ONLY, dataclass, field, fields
from numbers import Real
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from micrograd import Value
from nn.options import flag, real

Array: TypeAlias = "NDArray[np.float64]"
_MOST_STEPS = 2**53  # a count is a float in the formulas


@dataclass(eq=False)
class ParameterHolder:
    """Holds the parameters of a model, and gives their numbers and gradients as arrays."""

    parameters: list[Value] = field(repr=False)

    def __post_init__(self) -> None:
        self.parameters = checked(self.parameters)

    def zero_grad(self) -> None:
        """Set the gradients of the parameters to 0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def numbers(self) -> Array:
        """Return the current numbers of the parameters, an array of shape (parameters,)."""
        return np.array([p.data for p in self.parameters], dtype=float)

    def gradient(self) -> Array:
        """Return the current gradients of the parameters, an array of shape (parameters,)."""
        return np.array([p.grad for p in self.parameters], dtype=float)

    def write(self, numbers: Array) -> None:
        """Set the numbers of the parameters.

        Args:
            numbers: an array of shape (parameters,).
        """
        for parameter, number in zip(self.parameters, numbers.tolist(), strict=True):
            parameter.data = number


@dataclass(eq=False)
class Optimizer(ParameterHolder):
    """Base of the optimizers. Options, such as `lr`, may be changed at any time.

    A subclass is a dataclass whose fields are its options. It defines `rule`, and lists in `memory`
    the names of the arrays that the rule keeps in `state`; they start at zero.

    Args:
        parameters: the Values to change, at least one, each once.
        lr: the learning rate, at least 0.
        maximize: whether to climb instead of descend.

    Raises:
        ValueError: if an option is out of range; as a rule, if a number is below 0.

    >>> class SignDescent(Optimizer):
    ...     def rule(self, x, g):
    ...         return x - self.lr * np.sign(g)
    >>> SignDescent([Value(1.0)], lr=0.25).update(np.array([1.0]), np.array([3.0]))
    array([0.75])
    """

    lr: float = 0.001
    _: KW_ONLY
    maximize: bool = False

    memory: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check()
        count = len(self.parameters)
        self.steps = 0
        self.state: dict[str, Array] = {name: np.zeros(count) for name in self.memory}
        self._spare = np.empty((3, count))  # scratch arrays, which remember nothing

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters by their gradients.

        Args:
            closure: a function that computes the gradients first, as in PyTorch.

        Returns:
            What the closure returned, or None.
        """
        loss = None if closure is None else closure()
        self.write(self.update(self.numbers(), self.gradient()))
        return loss

    def update(self, numbers: Array, gradient: Array) -> Array:
        """Make one step on arrays, and return the new numbers. Neither argument is changed.

        Args:
            numbers: the numbers of the parameters, of shape (parameters,).
            gradient: the gradient there, of the same shape.

        Raises:
            ValueError: if a shape is wrong.
        """
        if not numbers.shape == gradient.shape == (len(self.parameters),):
            raise ValueError(
                f"this optimizer has {len(self.parameters)} parameters: update takes as many "
                f"numbers and their gradient, got shapes {numbers.shape} and {gradient.shape}"
            )
        self.steps += 1
        return self.rule(numbers, -gradient if self.maximize else gradient)

    def rule(self, x: Array, g: Array) -> Array:
        """Return the numbers that follow `x` in step `self.steps`, which counts from 1.

        Args:
            x: the numbers of the parameters, of shape (parameters,).
            g: the gradient there, or its negative if `maximize` is set.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rule: define rule(self, x, g)")

    def options(self) -> dict[str, Any]:
        """Return the options by name, as the constructor takes them."""
        names = (each.name for each in fields(self))
        return {name: getattr(self, name) for name in names if name != "parameters"}

    def state_dict(self) -> dict[str, Any]:
        """Return all that further steps depend on, for `load_state_dict` and checkpoints."""
        return {
            "name": type(self).__name__,
            "steps": self.steps,
            "options": self.options(),
            "state": {name: array.copy() for name, array in self.state.items()},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue from a state, including the options.

        Args:
            saved: what `state_dict` returned.

        Raises:
            ValueError: if it is not the state of such an optimizer; nothing is changed then.
        """
        check_state(saved, self, "an optimizer", steps=object, options=dict, state=dict)
        if set(saved["options"]) != set(self.options()):
            raise ValueError(
                f"the state has other options: {', '.join(map(str, saved['options']))}; "
                f"this optimizer has {', '.join(self.options())}"
            )
        steps = saved["steps"]
        if type(steps) is not int or not 0 <= steps < _MOST_STEPS:
            raise ValueError(f"steps is a count, got {repr(steps)[:40]}")
        try:
            arrays = {name: np.array(array, dtype=float) for name, array in saved["state"].items()}
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"the state has arrays of numbers: {error}") from error
        shapes = {name: array.shape for name, array in arrays.items()}
        expected = {name: array.shape for name, array in self.state.items()}
        if shapes != expected:
            raise ValueError(f"the state has arrays {shapes}, this optimizer has {expected}")
        loaded = copy(self)
        vars(loaded).update(saved["options"], state=arrays, steps=steps)
        loaded._check()
        vars(self).update(vars(loaded))

    def _check(self) -> None:
        """Raise ValueError if an option is out of range: as a rule, a number below 0."""
        for each in fields(self):
            if isinstance(each.default, bool):
                flag(getattr(self, each.name), each.name)
            elif isinstance(each.default, Real):
                real(getattr(self, each.name), each.name, least=0)

    def _decayed(self, x: Array, g: Array, weight_decay: float) -> Array:
        """Return the gradient plus that of the penalty `weight_decay / 2 * |x|²`."""
        if not weight_decay:
            return g
        decayed: Array = np.multiply(x, weight_decay, out=self._spare[2])
        decayed += g
        return decayed

    def _follow(self, name: str, rate: float, new: Array) -> Array:
        """Update the moving average of that name: `rate * average + (1 - rate) * new`."""
        average = self.state[name]
        average *= rate
        average += np.multiply(new, 1 - rate, out=self._spare[0])
        return average

    def _squared(self, g: Array) -> Array:
        squared: Array = np.multiply(g, g, out=self._spare[1])
        return squared


def checked(parameters: Iterable[Value]) -> list[Value]:
    """Return the parameters as a list of at least one Value, each once."""
    if isinstance(parameters, Value):
        raise TypeError("an optimizer takes a list of parameters: [x], not x")
    if isinstance(parameters, Set) or not isinstance(parameters, Iterable):
        hint = "a set has no order" if isinstance(parameters, Set) else "give model.parameters()"
        kind = type(parameters).__name__
        raise TypeError(f"an optimizer takes a list of parameters, got {kind}: {hint}")
    found = list(parameters)
    if not found:
        raise ValueError("an optimizer needs at least one parameter, got an empty list")
    for i, each in enumerate(found):
        if not isinstance(each, Value):
            raise TypeError(f"parameters are Values, got {type(each).__name__} at position {i}")
    if len({id(each) for each in found}) < len(found):
        raise ValueError("a parameter is given twice")
    return found


def check_state(saved: Any, owner: Any, kind: str, **types: type) -> None:
    """Raise ValueError unless `saved` is a state of the class of `owner`, with these entries."""
    has_entries = isinstance(saved, dict) and set(saved) == {"name", *types}
    if not has_entries or not all(isinstance(saved[name], types[name]) for name in types):
        raise ValueError(f"this is not what the state_dict of {kind} gives")
    name = type(owner).__name__
    if saved["name"] != name:
        raise ValueError(f"the state is one of {saved['name']}, not of {name}")
