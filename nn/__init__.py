"""A small neural-network library of scalars, built on `micrograd`.

`Module`, `Neuron`, `Layer`, `MLP`, `Sequential` and `Dropout` are imported at once. `fit`,
`predict`, `loss_and_grad`, `explain_layers`, `load_model`, `to_onnx` and `playground`, and the
modules `losses`, `optimizers`, `schedules`, `initializers`, `functional`, `datasets`,
`derivations`, `metrics`, `callbacks`, `storage`, `plots` and `sklearn`, are imported when they are
first used.
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
        derivations,
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
    from nn.derivations import explain_layers
    from nn.models import load_model
    from nn.onnx import to_onnx
    from nn.pages import playground
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
    "derivations",
    "explain_layers",
    "fit",
    "functional",
    "initializers",
    "load_model",
    "loss_and_grad",
    "losses",
    "metrics",
    "optimizers",
    "playground",
    "plots",
    "predict",
    "schedules",
    "storage",
    "to_onnx",
]

# The modules of the functions; the other names are modules themselves. `sklearn` is left out of
# `__all__`, so that `from nn import *` works without scikit-learn.
_HOMES = {
    "explain_layers": "nn.derivations",
    "fit": "nn.training",
    "load_model": "nn.models",
    "loss_and_grad": "nn.prediction",
    "playground": "nn.pages",
    "predict": "nn.prediction",
    "to_onnx": "nn.onnx",
}


__version__: str  # as in `micrograd`


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from micrograd import __version__

        return __version__
    if name not in (*__all__, "sklearn"):
        raise AttributeError(f"module 'nn' has no attribute {name!r}")
    home = _HOMES.get(name)
    found = import_module(f"nn.{name}") if home is None else getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
