"""The parameters of the estimators, and how `fit` checks each of them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from nn.functional import identity
from nn.layers import Neuron
from nn.optimizers import OPTIMIZERS
from nn.options import OptionError, by_name, flag, one_of, real, whole
from nn.requests import weights_by_class


def activation_of(given: Any) -> Any:
    """Return an activation by the name that `nn` gives it, or the function itself."""
    names: dict[Any, Any] = {"identity": identity, "logistic": "sigmoid"}
    return names.get(given, given) if isinstance(given, str) else given


def _known_activation(value: Any, name: str) -> None:
    if not callable(value):
        Neuron(1, activation=activation_of(value), generator=random.Random(0))


def _sizes(value: Any, name: str) -> None:
    for each in [value] if np.ndim(value) == 0 else value:
        whole(each, f"each of {name}")


def _seed(value: Any, name: str) -> None:
    try:
        check_random_state(value)
    except ValueError as error:
        raise OptionError(f"{name} is a seed: {error}") from None


def _solver(value: Any, name: str) -> None:
    by_name(value, name, dict.fromkeys(("lbfgs", *OPTIMIZERS)))


def _class_weight(value: Any, name: str) -> None:
    if value is not None and value != "balanced":
        weights_by_class(value, name)


def _loudness(value: Any, name: str) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        whole(value, name, 0)
    else:
        flag(value, name)


def _whole_or(other: Any) -> Callable[[Any, str], Any]:
    """Return a check that accepts whole numbers and one thing more."""
    return lambda value, name: value == other or whole(value, name)


# How `fit` checks each parameter. As in scikit-learn, a constructor accepts everything.
CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "hidden_layer_sizes": _sizes,
    "activation": _known_activation,
    "solver": _solver,
    "alpha": partial(real, least=0),
    "batch_size": _whole_or("auto"),
    "learning_rate": partial(one_of, known=("constant", "invscaling", "adaptive")),
    "learning_rate_init": partial(real, above=0),
    "power_t": partial(real, least=0),
    "max_iter": whole,
    "shuffle": flag,
    "tol": partial(real, least=0),
    "random_state": _seed,
    "verbose": _loudness,
    "momentum": partial(real, least=0, most=1),
    "nesterovs_momentum": flag,
    "early_stopping": flag,
    "validation_fraction": partial(real, least=0, below=1),
    "beta_1": partial(real, least=0, below=1),
    "beta_2": partial(real, least=0, below=1),
    "epsilon": partial(real, above=0),
    "n_iter_no_change": _whole_or(math.inf),  # infinity does not end training before max_iter
    "warm_start": flag,
    "max_fun": whole,
    "class_weight": _class_weight,
}
