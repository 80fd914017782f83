"""Optimizers, named and constructed as in PyTorch: `Adam(model.parameters(), lr=0.01)`.

An optimizer is a rule on arrays of numbers, `update(numbers, gradient)`, and remembers what it
needs in arrays. `step()` applies the rule to the parameters, which are Values; `nn.fit` applies it
to arrays.

>>> from micrograd import Value
>>> x = Value(5.0)
>>> optimizer = SGD([x], lr=0.1)
>>> for _ in range(100):
...     optimizer.zero_grad()
...     ((x - 3) ** 2).backward()
...     optimizer.step()
>>> round(x.data, 6)
3.0
"""

from nn.optimizers.adam import Adam, Adamax, AdamW, NAdam, RAdam
from nn.optimizers.clipping import clip_grad_norm_, clipped
from nn.optimizers.lbfgs import LBFGS
from nn.optimizers.optimizer import Optimizer
from nn.optimizers.rules import OPTIMIZERS, SGD, Adadelta, Adagrad, Lion, RMSprop

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "clip_grad_norm_",
    "clipped",
]
