"""`Module`, the base of everything that has parameters."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from micrograd import Value
from micrograd.engine import models
from micrograd.engine.value import numbers_of, to_number
from micrograd.writing.html import table
from nn.options import flag

Output = Value | list[Value]
"""What a model returns for a sample."""

_Self = TypeVar("_Self", bound="Module")


class Module:
    """Base of neurons, layers and networks, and of your own models.

    The parameters are the Values in the attributes of the module and of the modules within it, also
    in lists, tuples, dicts, deques and NumPy arrays there, in the order in which they were set.
    Their names look like `layers.0.neurons.2.w.1`; an entry of a matrix is `W.0.1`. Pictures and
    derivations call them by their places, w⁽¹⁾₃₂, as long as the model exists.

    Args:
        *args: what the `__init__` of your own model takes.
        **kwargs: its options.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.w, self.b = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.w * x[0] + self.b
    >>> Line().state_dict()
    {'w': 2.0, 'b': 1.0}
    """

    training = True
    _in_summary = True

    if TYPE_CHECKING:
        # Of any arguments, so that a model of your own may take what it likes.
        __call__: Callable[..., Output]

    def __new__(cls: type[_Self], *args: Any, **kwargs: Any) -> _Self:  # noqa: D102 (the class says)
        if cls.__init__ is object.__init__ and (args or kwargs):
            raise TypeError(f"{cls.__name__}() takes no arguments")
        self = super().__new__(cls)
        models.enter(self)
        return self

    def zero_grad(self, set_to_none: bool | None = None) -> None:
        """Set the gradients of all parameters to 0.

        Args:
            set_to_none: as in the `zero_grad` of an optimizer.
        """
        zero_gradients(self.parameters(), set_to_none)

    def parameters(self) -> list[Value]:
        """Return the Values that training changes, always in the same order.

        Raises:
            TypeError: if there are Values in a set, which has no order.
        """
        found = []
        for name, each in _within(self, (Value, *_holders())):
            if isinstance(each, Value):
                found.append(each)
            else:
                _refuse_sets(type(self).__name__, name, each)
        return found

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield each parameter with its name, once even if it is in several places."""
        for name, each in _within(self, (Value, *_holders())):
            if isinstance(each, Value):
                yield name, each

    def modules(self) -> Iterator[Module]:
        """Yield the module itself and all modules within it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules with their names; the name of the module itself is empty."""
        for name, each in _within(self, _holders()):
            if isinstance(each, Module):
                yield name, each

    # ------------------------------------------------------------------------------------ training

    def train(self, mode: bool = True) -> Module:
        """Switch to training mode, in which `Dropout` drops inputs, and return the module.

        Args:
            mode: False switches to evaluation.
        """
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Module:
        """Switch to evaluation, and return the module."""
        return self.train(False)

    # -------------------------------------------------------------------------------------- saving

    def state_dict(self) -> dict[str, float]:
        """Return the numbers of the parameters by name."""
        named = self._named()
        return dict(zip(named, numbers_of(named.values()), strict=True))

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set the parameters to numbers by name.

        Args:
            state: a number for each name, as `state_dict` returns it.

        Raises:
            ValueError: if a name is missing or unknown, or if an entry is not a number; nothing is
                changed then.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                "a state has a number for each name, as state_dict() gives it, "
                f"got {type(state).__name__}"
            )
        parameters = self._named()
        missing = [name for name in parameters if name not in state]
        unknown = [name for name in state if name not in parameters]
        if missing or unknown:
            parts = (
                f"{word} {_listed(names)}"
                for word, names in (("missing", missing), ("unknown", unknown))
                if names
            )
            raise ValueError(f"the state belongs to another model: {'; '.join(parts)}")
        try:
            numbers = {name: _as_float(number, name) for name, number in state.items()}
        except TypeError as error:
            raise ValueError(f"a state has a number for each name: {error}") from error
        for name, parameter in parameters.items():
            parameter.data = numbers[name]

    def _named(self) -> dict[str, Value]:
        """Return the parameters by name.

        Raises ValueError if two have the same name, or if `parameters` has some without a name.
        """
        named: dict[str, Value] = {}
        for name, parameter in self.named_parameters():
            if name in named:
                raise ValueError(
                    f"two parameters of {type(self).__name__} have the name {name!r}: "
                    "change a key of the dicts they are in"
                )
            named[name] = parameter
        known = {id(parameter) for parameter in named.values()}
        lost = sum(id(parameter) not in known for parameter in self.parameters())
        if lost:
            raise ValueError(
                f"{lost} of the parameters of {type(self).__name__} would not be saved: keep them "
                "in attributes of a Module, or in lists, tuples, dicts or arrays there"
            )
        return named

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the numbers of the parameters and the architecture to a file, atomically.

        `nn.load_model` makes the model again from the file, if its classes and functions are those
        of `nn`; any other model is built first, and then calls `load`.

        Args:
            path: the file, conventionally `.npz`.
        """
        from nn.storage import save_weights

        save_weights(path, self.state_dict(), self._architecture())

    def _architecture(self) -> dict[str, Any]:
        """Return what `nn.load_model` makes the module from, in terms of JSON.

        A class or a function of the user's own is `{"own": name}`, from which nothing is made.
        """
        describe = vars(type(self)).get("_description")  # a subclass of your own has another one
        return {"own": type(self).__name__} if describe is None else describe(self)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Set the parameters to the numbers in a file that `save` wrote.

        Args:
            path: the file.

        Raises:
            ValueError: for any other file, and for the weights of another model.
        """
        from nn.storage import load_weights

        self.load_state_dict(load_weights(path))

    # ------------------------------------------------------------------------------------- showing

    def summary(self) -> str:
        """Return a text table of the modules within this one, with their numbers of parameters."""
        rows = [_HEADER, *self._rows()]
        first, second, third = (max(map(len, column)) for column in zip(*rows, strict=True))
        return "\n".join(f"{a:<{first}}  {b:<{second}}  {c:>{third}}" for a, b, c in rows)

    def _rows(self) -> list[tuple[str, str, str]]:
        """Return the cells of the summary."""
        return [
            (name or "(all)", _kind(module), f"{len(module.parameters()):,}")
            for name, module in self.named_modules()
            if module._in_summary or module is self
        ]

    def _repr_html_(self) -> str:
        """Return the summary as a table."""
        return table(_HEADER, self._rows())


_HEADER = ("module", "is", "parameters")


def _kind(module: Module) -> str:
    plain = type(module).__repr__ is object.__repr__  # which would show an address
    text = type(module).__name__ if plain else repr(module)
    return text if len(text) <= 48 else f"{text[:47]}…"


_MAPPINGS = (dict, MappingProxyType)  # other mappings may read a file for each entry
_LISTS = (list, tuple, deque)
_HOLDERS = (Module, *_LISTS, *_MAPPINGS)
_HERE = object()  # the key of the only entry of an array without axes


def _holders() -> tuple[type, ...]:
    """Return the types in which parameters are looked for."""
    numpy = sys.modules.get("numpy")  # there are arrays only if it has been imported
    return _HOLDERS if numpy is None else (*_HOLDERS, numpy.ndarray)


def _within(module: Module, kinds: tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the module and the things of these kinds within it, in order, with names, each once."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", module)]
    while waiting:
        name, each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield name, each
        if not isinstance(each, Value):
            prefix = f"{name}." if name else ""
            entries = [
                (name if key is _HERE else f"{prefix}{key}", member)
                for key, member in _entries(each)
                if isinstance(member, kinds)
            ]
            waiting += reversed(entries)


def _as_float(number: Any, name: str) -> float:
    try:
        return float(to_number(number, name))
    except OverflowError:
        raise ValueError(f"{name} is an int beyond the largest float: give a smaller one") from None


def _entries(holder: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(holder, Module):
        return vars(holder).items()
    if isinstance(holder, _MAPPINGS):
        return holder.items()
    if isinstance(holder, _LISTS):
        return enumerate(holder)
    if holder.dtype != object:
        return ()
    places = product(*map(range, holder.shape))  # rows would be new arrays, with new ids
    return ((".".join(map(str, place)) if place else _HERE, holder[place]) for place in places)


def _refuse_sets(owner: str, name: str, holder: Any) -> None:
    for key, member in _entries(holder):
        if isinstance(member, set | frozenset) and any(
            isinstance(each, Value | Module) for each in member
        ):
            place = f"{name}.{key}" if name else key
            raise TypeError(
                f"{owner}.{place} is a set with parameters, and a set has no order: "
                "keep them in a list or a dict"
            )


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def has_gradient(parameter: Value) -> bool:
    """Return whether `backward()` has reached a parameter, or somebody has set its gradient.

    Args:
        parameter: a Value; its `grad` is None, or the int 0, as long as it has no gradient.

    >>> x, y = Value(1.0), Value(2.0)
    >>> (x * 0.0).backward()
    >>> has_gradient(x), has_gradient(y)
    (True, False)
    """
    return parameter.grad is not None and (type(parameter.grad) is not int or parameter.grad != 0)


def zero_gradients(parameters: Iterable[Value], set_to_none: bool | None = None) -> None:
    """Forget the gradients of parameters.

    Args:
        parameters: the Values.
        set_to_none: None sets each gradient to 0, and True to None; both are none until
            `backward()` reaches the parameter. False sets those that there are to 0.0, which counts
            as a gradient.

    >>> x = Value(1.0)
    >>> x.grad = 3.0
    >>> zero_gradients([x])
    >>> x.grad
    0
    """
    if set_to_none is not None:
        flag(set_to_none, "set_to_none")
    for parameter in parameters:
        if set_to_none:
            parameter.grad = None  # type: ignore[assignment]
        elif set_to_none is None:
            parameter.grad = 0
        elif has_gradient(parameter):
            parameter.grad = 0.0
