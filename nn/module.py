"""`Module`: a thing with parameters, and perhaps with modules within it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from micrograd import Value
from micrograd.engine import to_number


class Module:
    """Base of neurons, layers and networks; also of your own.

    Its parameters are the Values in its attributes, in those of the modules there, and in lists,
    tuples and dicts of them, in the order in which they were set. They have names such as
    `layers.0.neurons.2.w.1`.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.w, self.b = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.w * x[0] + self.b
    >>> Line().state_dict()
    {'w': 2.0, 'b': 1.0}
    """

    training = True

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = 0

    def parameters(self) -> list[Value]:
        """The values that training changes, always in the same order."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """The parameters with their names; one that is in several places comes once."""
        seen: set[int] = set()
        for name, each in _within(self, ""):
            if isinstance(each, Value) and id(each) not in seen:
                seen.add(id(each))
                yield name, each

    def modules(self) -> Iterator[Module]:
        """The module itself, and all modules within it."""
        waiting: list[Any] = [self]
        while waiting:
            holder = waiting.pop()
            if isinstance(holder, Module):
                yield holder
            members = [each for _, each in _entries(holder) if isinstance(each, _HOLDERS)]
            waiting += reversed(members)

    # ------------------------------------------------------------------------------------ training

    def train(self, mode: bool = True) -> Module:
        """Train from now on, or evaluate: some modules, as Dropout, know the difference."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Module:
        """Evaluate from now on."""
        return self.train(False)

    # -------------------------------------------------------------------------------------- saving

    def state_dict(self) -> dict[str, float]:
        """The numbers of the parameters by name."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set the parameters to these numbers.

        Raises ValueError if a name is missing or unknown, or if what it has is no number; nothing
        is changed then.
        """
        parameters = dict(self.named_parameters())
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
            numbers = {name: float(to_number(number, name)) for name, number in state.items()}
        except TypeError as error:
            raise ValueError(f"a state has a number for each name: {error}") from error
        for name, parameter in parameters.items():
            parameter.data = numbers[name]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the numbers of the parameters to a file, as a whole or not at all."""
        from nn.storage import save_weights

        save_weights(path, self.state_dict())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read what `save` wrote. ValueError for a file of something else, or of another model."""
        from nn.storage import load_weights

        self.load_state_dict(load_weights(path))

    # ------------------------------------------------------------------------------------- showing

    def summary(self) -> str:
        """A table of the modules within this one, with their numbers of parameters."""
        rows = [("module", "is", "parameters")]
        parts = [("", self), *_parts(self)]
        for name, module in parts:
            rows.append((name or "(all)", _kind(module), f"{len(module.parameters()):,}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        first, second, third = widths
        return "\n".join(f"{a:<{first}}  {b:<{second}}  {c:>{third}}" for a, b, c in rows)


_HOLDERS = (Module, list, tuple, dict)


def _kind(module: Module) -> str:
    text = repr(module)
    return text if len(text) <= 48 else f"{text[:47]}…"


def _parts(module: Module) -> Iterator[tuple[str, Module]]:
    """The modules within, down to those that are made of values alone; neurons are left out."""
    found = [(name, each) for name, each in _within(module, "") if isinstance(each, Module)]
    for name, each in found:
        if name.rpartition(".")[0].rpartition(".")[2] != "neurons":
            yield name, each


def _within(holder: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """The Values and modules within, in order, with their names."""
    for key, each in _entries(holder):
        name = f"{prefix}{key}"
        if isinstance(each, Value):
            yield name, each
        elif isinstance(each, Module):
            yield name, each
            yield from _within(each, f"{name}.")
        elif isinstance(each, list | tuple | dict):
            yield from _within(each, f"{name}.")


def _entries(holder: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(holder, Module):
        return vars(holder).items()
    return holder.items() if isinstance(holder, dict) else enumerate(holder)


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
