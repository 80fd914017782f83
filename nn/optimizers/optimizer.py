"""`Optimizer`, the base of the optimizers that make a step for each gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Set
from copy import copy
from dataclasses import KW_ONLY, dataclass, field, fields
from numbers import Real
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from micrograd import Value
from micrograd.engine.value import numbers_of
from nn.module import has_gradient, zero_gradients
from nn.options import OptionError, flag, real

Array: TypeAlias = "NDArray[np.float64]"
_MOST_STEPS = 2**53  # a count is a float in the formulas


@dataclass(eq=False)
class Optimizer:
    """Base of the optimizers. Options, such as `lr`, may be changed at any time.

    Groups of parameters may have options of their own, as in PyTorch; read and change them through
    `param_groups`. A parameter without a gradient is left alone, also by momentum and weight decay:
    its `grad` is None, or the int 0 that stands there until `backward()` reaches the parameter. A
    gradient of 0.0, which `backward()` computed or somebody set, is a gradient.

    A subclass is a dataclass whose fields are its options. It defines `rule`, and lists in `memory`
    the names of the arrays that the rule keeps in `state`; they start at zero.

    Args:
        parameters: the Values to change, at least one, each once; or groups of them, dicts such as
            `{"params": [x, y], "lr": 0.1}` with the options that differ from those given here.
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

    parameters: list[Any] = field(repr=False)  # Values; the constructor also takes groups of them
    lr: float = 0.001
    _: KW_ONLY
    maximize: bool = False

    memory: ClassVar[tuple[str, ...]] = ()
    weight_decay = 0.0  # a field of most subclasses
    decoupled_weight_decay = False  # as in `AdamW`
    _parts: ClassVar[tuple[Optimizer, ...]] = ()  # of several groups, an optimizer for each

    def __post_init__(self) -> None:
        self._check()
        groups = self._groups()
        self.parameters = checked(p for parameters, _ in groups for p in parameters)
        self.steps = 0
        if len(groups) > 1:
            options = self.options()
            parts = tuple(type(self)(each, **{**options, **own}) for each, own in groups)
            vars(self).update(parts[0].options(), _parts=parts, state={})
            return
        vars(self).update(groups[0][1])
        self._check()
        self._begin()

    def __setattr__(self, name: str, value: Any) -> None:
        if self._parts and name in self.options():
            raise AttributeError(
                f"this optimizer has {len(self._parts)} groups of parameters: set "
                f"param_groups[0][{name!r}], or that of another group"
            )
        super().__setattr__(name, value)

    @property
    def param_groups(self) -> list[ParameterGroup]:
        """The groups of parameters, as in PyTorch: `optimizer.param_groups[0]["lr"] = 0.1`."""
        return [ParameterGroup(each, self) for each in self._parts or (self,)]

    def zero_grad(self, set_to_none: bool | None = None) -> None:
        """Reset the gradients: each `grad` is 0, and does not count until `backward()` sets it.

        Args:
            set_to_none: True sets `grad` to None instead, as PyTorch does by default. False sets
                those gradients that there are to 0.0, which counts as a gradient.
        """
        zero_gradients(self.parameters, set_to_none)

    def numbers(self) -> Array:
        """Return the current numbers of the parameters, an array of shape (parameters,)."""
        return np.array(numbers_of(self.parameters), dtype=float)

    def gradient(self) -> Array:
        """Return the gradients of the parameters, an array of shape (parameters,); 0 for none."""
        return np.array([p.grad or 0.0 for p in self.parameters], dtype=float)

    def write(self, numbers: Array) -> None:
        """Set the numbers of the parameters.

        Args:
            numbers: an array of shape (parameters,).
        """
        for parameter, number in zip(self.parameters, numbers.tolist(), strict=True):
            parameter.data = number

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters by their gradients.

        Args:
            closure: a function that computes the gradients first, as in PyTorch.

        Returns:
            What the closure returned, or None.
        """
        loss = None if closure is None else closure()
        present = with_gradient(self.parameters)
        some = () if present is None else (present,)
        self.write(self.update(self.numbers(), self.gradient(), *some))
        return loss

    def update(self, numbers: Array, gradient: Array, present: Any = None) -> Array:
        """Make one step on arrays, and return the new numbers. No argument is changed.

        Args:
            numbers: the numbers of the parameters, of shape (parameters,).
            gradient: the gradient there, of the same shape.
            present: which parameters have a gradient, an array of bools of the same shape; None
                means all. The others keep their numbers, and their step is not counted.

        Raises:
            ValueError: if a shape is wrong.
        """
        if not numbers.shape == gradient.shape == (len(self.parameters),):
            raise ValueError(
                f"this optimizer has {len(self.parameters)} parameters: update takes as many "
                f"numbers and their gradient, got shapes {numbers.shape} and {gradient.shape}"
            )
        vars(self)["steps"] += 1  # faster than through __setattr__
        if self._parts:
            ends = np.cumsum([len(each.parameters) for each in self._parts])[:-1]
            masks = [None] * len(self._parts) if present is None else np.split(present, ends)
            arrays = (np.split(numbers, ends), np.split(gradient, ends), masks)
            pieces = zip(self._parts, *arrays, strict=True)
            return np.concatenate([part.update(x, g, mask) for part, x, g, mask in pieces])
        g = -gradient if self.maximize else gradient
        if present is None and "missed" not in self.state:
            return self.rule(numbers, g)
        return self._update_some(numbers, g, present)

    def _update_some(self, numbers: Array, g: Array, present: Any) -> Array:
        """Apply the rule to the parameters that have a gradient; each counts its own steps."""
        missed = self.state.pop("missed", np.zeros(len(numbers)))
        present = np.ones(len(numbers), dtype=bool) if present is None else present
        new: Array = numbers.copy()
        for count in np.unique(missed[present]):
            chosen = np.flatnonzero(present & (missed == count))
            part = copy(self)
            part.steps = self.steps - int(count)
            part.state = {name: array[chosen] for name, array in self.state.items()}
            new[chosen] = part.rule(numbers[chosen], g[chosen])
            for name, array in self.state.items():
                array[chosen] = part.state[name]
        self.state["missed"] = missed + ~present
        return new

    def rule(self, x: Array, g: Array) -> Array:
        """Return the numbers that follow `x` in step `self.steps`, which counts from 1.

        Args:
            x: the numbers of the parameters, of shape (parameters,).
            g: the gradient there, or its negative if `maximize` is set.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rule: define rule(self, x, g)")

    def options(self) -> dict[str, Any]:
        """Return the options by name, as the constructor takes them; those of the first group."""
        names = (each.name for each in fields(self))
        return {name: getattr(self, name) for name in names if name != "parameters"}

    def state_dict(self) -> dict[str, Any]:
        """Return all that further steps depend on, for `load_state_dict` and checkpoints."""
        if self._parts:
            groups = [part.state_dict() for part in self._parts]
            return {"name": type(self).__name__, "groups": groups}
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
        groups = saved.get("groups", [saved]) if isinstance(saved, dict) else [saved]
        if isinstance(groups, list) and len(groups) != len(self.param_groups):
            raise ValueError(
                f"the state is that of {len(groups)} groups of parameters, and this optimizer has "
                f"{len(self.param_groups)}"
            )
        if self._parts:
            check_state(saved, self, "an optimizer", groups=list)
            loaded_parts = [copy(part) for part in self._parts]
            for part, state in zip(loaded_parts, groups, strict=True):
                part.load_state_dict(state)
            for part, loaded in zip(self._parts, loaded_parts, strict=True):
                vars(part).update(vars(loaded))
            vars(self).update(self._parts[0].options(), steps=self._parts[0].steps)
            return
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
        expected = self._shapes(arrays)
        if shapes != expected:
            raise ValueError(f"the state has arrays {shapes}, this optimizer has {expected}")
        missed = arrays.get("missed", np.zeros(1))
        if not ((missed >= 0) & (missed <= steps) & (missed == np.floor(missed))).all():
            raise ValueError(f"each parameter has missed from 0 to {steps} steps")
        loaded = copy(self)
        vars(loaded).update(saved["options"], state=arrays, steps=steps)
        loaded._check()
        vars(self).update(vars(loaded))

    def _begin(self) -> None:
        """Create the arrays that the rule needs."""
        count = len(self.parameters)
        self.state: dict[str, Array] = {name: np.zeros(count) for name in self.memory}

    def _shapes(self, arrays: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
        """Return the shapes that the arrays of a state must have."""
        names = [*self.memory, *(name for name in arrays if name == "missed")]
        return dict.fromkeys(names, (len(self.parameters),))

    def _groups(self) -> list[tuple[list[Value], dict[str, Any]]]:
        """Return the parameters of each group, and the options that the group sets itself."""
        given = self.parameters
        if isinstance(given, Iterable) and not isinstance(given, Set | Value):
            given = list(given)
        if not isinstance(given, list) or not any(isinstance(each, Mapping) for each in given):
            return [(checked(given), {})]
        known, groups = self.options(), []
        for i, group in enumerate(given):
            if not isinstance(group, Mapping) or "params" not in group:
                raise OptionError(
                    f'group {i} of the parameters is a dict with "params", got {group!r:.60}'
                )
            own = {name: option for name, option in group.items() if name != "params"}
            unknown = [repr(name) for name in own if name not in known]
            if unknown:
                raise OptionError(
                    f"group {i} of the parameters has the unknown option {', '.join(unknown)}: "
                    f"{type(self).__name__} takes {', '.join(known)}"
                )
            params = group["params"]
            groups.append((checked([params] if isinstance(params, Value) else params), own))
        return groups

    def _check(self) -> None:
        """Raise ValueError if an option is out of range: as a rule, a number below 0."""
        for each in fields(self):
            option = getattr(self, each.name)
            if isinstance(each.default, bool):
                flag(option, each.name)
            elif isinstance(each.default, Real):
                real(option, each.name, least=0)
            elif each.name == "betas":
                vars(self)["betas"] = _betas(option)

    def _decayed(self, x: Array, g: Array) -> tuple[Array, Array]:
        """Return x and g after weight decay: x is shrunk if it is decoupled, or else g has the
        gradient of the penalty `weight_decay / 2 * |x|²`, too.
        """
        decay = self.weight_decay
        if not decay:
            return x, g
        if self.decoupled_weight_decay:
            return x * (1 - self.lr * decay), g
        return x, g + decay * x

    def _follow(self, name: str, rate: float, new: Array) -> Array:
        """Update the moving average of that name: `rate * average + (1 - rate) * new`."""
        average = self.state[name]
        average *= rate
        average += (1 - rate) * new
        return average


def _betas(given: Any) -> tuple[float, float]:
    try:
        beta1, beta2 = (real(each, "beta", least=0, below=1) for each in given)
    except (TypeError, ValueError):
        raise OptionError(
            f"betas are two numbers from 0 up to, not including, 1, got {given!r}"
        ) from None
    return beta1, beta2  # a pair again, where a file gave a list


class ParameterGroup(MutableMapping[str, Any]):
    """The options of a group of parameters by name, and the parameters under the key "params".

    Args:
        part: the optimizer of the group.
        whole: the optimizer of all groups, which shows the options of its first group.

    >>> from nn.optimizers import SGD
    >>> optimizer = SGD([{"params": [Value(1.0)], "lr": 0.5}, {"params": [Value(2.0)]}], lr=0.25)
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.5, 0.25]
    """

    def __init__(self, part: Optimizer, whole: Optimizer) -> None:
        self._part, self._whole = part, whole

    def __getitem__(self, name: str) -> Any:
        return self._part.parameters if name == "params" else self._part.options()[name]

    def __setitem__(self, name: str, option: Any) -> None:
        if name not in self._part.options():
            raise OptionError(
                f"a group of parameters has no option {name!r}: {type(self._part).__name__} takes "
                f"{', '.join(self._part.options())}"
            )
        setattr(self._part, name, option)
        if self._part in self._whole._parts[:1]:
            vars(self._whole)[name] = option

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name!r} cannot be removed from a group of parameters, only changed")

    def __iter__(self) -> Iterator[str]:
        return iter(["params", *self._part.options()])

    def __len__(self) -> int:
        return 1 + len(self._part.options())

    def __repr__(self) -> str:
        return repr(dict(self))


def with_gradient(parameters: list[Value]) -> Any:
    """Return which parameters have a gradient, an array of bools; None if all have one."""
    if {type(parameter.grad) for parameter in parameters} == {float}:
        return None
    present = np.array([has_gradient(parameter) for parameter in parameters])
    return None if present.all() else present


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
        if each._children:  # its gradient would not add up over backward passes
            raise ValueError(
                f"the parameter at position {i} is the result of an operation, {each._op!r}: give "
                "the Values that it is computed from, or a new one, Value(v.data)"
            )
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
