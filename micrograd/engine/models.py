"""The models that are alive, so that derivations and pictures can name their parameters."""

from __future__ import annotations

from itertools import count
from typing import Any
from weakref import WeakValueDictionary

_MODELS: WeakValueDictionary[int, Any] = WeakValueDictionary()  # models need not be hashable
_NUMBERS = count()


def enter(model: Any) -> None:
    """Remember a model for as long as it exists."""
    _MODELS[next(_NUMBERS)] = model


def alive() -> list[Any]:
    """The models that were entered and still exist, in the order in which they were made."""
    return [model for entry in _MODELS.valuerefs() if (model := entry()) is not None]
