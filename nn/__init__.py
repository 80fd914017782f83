"""A small neural-network library of scalars, on `micrograd`.

`Module`, `Neuron`, `Layer`, `MLP`, `Sequential` and `Dropout` are here. `fit` and `predict`, and
the modules `losses`, `optimizers`, `schedules`, `initializers`, `functional`, `datasets`,
`metrics`, `callbacks`, `storage`, `plots` and `sklearn` are loaded when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nn.layers import MLP, Dropout, Layer, Neuron, Sequential
from nn.module import Module

if TYPE_CHECKING:
    from nn import (
        callbacks,
        datasets,
        functional,
        initializers,
        losses,
        metrics,
        optimizers,
        plots,
        schedules,
        storage,
    )
    from nn import sklearn as sklearn
    from nn.prediction import loss_and_grad, predict
    from nn.training import fit

__all__ = [
    "MLP",
    "Dropout",
    "Layer",
    "Module",
    "Neuron",
    "Sequential",
    "callbacks",
    "datasets",
    "fit",
    "functional",
    "initializers",
    "loss_and_grad",
    "losses",
    "metrics",
    "optimizers",
    "plots",
    "predict",
    "schedules",
    "storage",
]

# Where a function lives; the other names are modules. `sklearn` is one too, but needs scikit-learn,
# which `from nn import *` must not.
_HOMES = {
    "fit": "nn.training",
    "loss_and_grad": "nn.prediction",
    "predict": "nn.prediction",
}


def __getattr__(name: str) -> Any:
    if name not in (*__all__, "sklearn"):
        raise AttributeError(f"module 'nn' has no attribute {name!r}")
    home = _HOMES.get(name)
    found = import_module(f"nn.{name}") if home is None else getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
