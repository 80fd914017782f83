"""What the playground opens with: a model, data and settings, checked and in terms of JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine.definitions import VOCABULARY
from micrograd.writing import languages
from micrograd.writing.labels import one_line
from micrograd.writing.messages import meant
from nn import samples
from nn.layers import Layer, Neuron
from nn.losses import LOSSES
from nn.options import OptionError, one_of, real, whole
from nn.pages.functions import MOST_CLASSES, activations, is_activation

MOST = {"layers": 6, "neurons": 16, "classes": MOST_CLASSES, "points": 500, "steps": 20_000}
"""The limits of a page, which keep it small and quick."""
_MOST_PARAMETERS = 1000  # of a model

_Settings = dict[str, Any]
KINDS = ("classification", "regression", "surface")


class Contents(NamedTuple):
    """What a page opens with.

    Attributes:
        model: its sizes, activations and parameters, or None.
        points: the data and the labels of the classes, or None.
        settings: what differs from the settings of a page without a model and data.
    """

    model: dict[str, Any] | None
    points: dict[str, Any] | None
    settings: _Settings


def contents(model: Any, data: Any, settings: Mapping[str, Any]) -> Contents:
    """The contents of a page.

    Args:
        model: a model of layers, or None.
        data: the samples and their labels, the name of a data set, or None.
        settings: the settings by name.

    Raises:
        ValueError: the page cannot show the model or the data, or there is no such setting.
        TypeError: the model is not made of layers.
    """
    chosen = _checked(settings)
    features = chosen.get("features")
    described = None if model is None else _model(model)
    is_surface = "surface" in (chosen.get("kind"), isinstance(data, str) and _kind_of_data(data))
    plane = "surface" if is_surface else "classification"
    points = None if data is None or isinstance(data, str) else _points(data, plane)
    kinds = {
        "kind": chosen.get("kind"),
        "features": features and _kind_of_features(features, plane),
        "the model": None
        if features
        else described and _kind(described["sizes"][0], "the model", plane),
        "the data": points["kind"] if points else data and _kind_of_data(data),
    }
    found = {what: kind for what, kind in kinds.items() if kind}
    if len(set(found.values())) > 1:
        told = ", ".join(f"{what} is for {kind}" for what, kind in found.items())
        raise ValueError(f"playground: {told}: give a model and data of one kind")
    chosen["kind"] = next(iter(found.values()), "classification")
    if features and described and described["sizes"][0] != len(features):
        raise ValueError(
            f"playground: the model has {described['sizes'][0]} inputs, and there are "
            f"{len(features)} features"
        )
    if isinstance(data, str):
        chosen["data"] = data
    elif points is not None:
        chosen["data"] = "given"
    if described is not None:
        _fit_to_model(chosen, described, points)
    elif points is not None and chosen["kind"] == "classification":
        chosen["classes"] = len(points["labels"])
        if chosen["classes"] > 2:
            chosen.setdefault("loss", "cross_entropy")
    return Contents(described, points, chosen)


def _kind(inputs: int, what: str, plane: str) -> str:
    """The kind of problem for so many inputs; that of two is `plane`."""
    if inputs in (1, 2):
        return "regression" if inputs == 1 else plane
    raise ValueError(
        f"playground: {what} has {inputs} inputs, and the page shows 1 (a curve) or 2 (a plane), "
        "or functions of them, which features= names"
    )


_OF_PLANE = ("x1", "x2", "square1", "square2", "product", "sine1", "sine2")
FEATURES = {
    "classification": _OF_PLANE,
    "regression": ("x", "square", "cube", "sine"),
    "surface": _OF_PLANE,
}
"""The inputs that a network can have, in their order; `features.js` computes them."""


def _kind_of_features(features: Sequence[str], plane: str) -> str:
    return "regression" if features[0] in FEATURES["regression"] else plane


CURVES = ("line", "sine", "parabola", "bend")
"""The data sets with one input; `data.js` draws them."""

SURFACES = ("plane", "gaussians")
"""The data sets with two inputs and a number for each; `data.js` draws them."""


def _kind_of_data(name: str) -> str:
    known = {**dict.fromkeys(CURVES, "regression"), **dict.fromkeys(SURFACES, "surface")}
    return known.get(_choice(name, "data"), "classification")


def _features(value: Any, name: str) -> list[str]:
    given = [value] if isinstance(value, str) else list(value)
    for known in FEATURES.values():
        if given and set(given) <= set(known):
            return [each for each in known if each in given]
    told = ", or of ".join(", ".join(known) for known in dict.fromkeys(FEATURES.values()))
    raise OptionError(f"{name} are some of {told}, got {value!r}")


# ------------------------------------------------------------------------------------------- models


def _model(model: Any) -> dict[str, Any]:
    layers = getattr(model, "layers", None)
    if not isinstance(layers, Sequence) or not all(isinstance(each, Layer) for each in layers):
        raise TypeError(
            "playground takes an MLP, or a Sequential of Layers only, got "
            f"{type(model).__name__}: build the network from nn.Layer"
        )
    sizes = [len(layers[0].neurons[0].w), *(len(layer.neurons) for layer in layers)]
    hidden = sizes[1:-1]
    if len(hidden) > MOST["layers"] or max([0, *hidden]) > MOST["neurons"]:
        raise ValueError(
            f"playground: the page shows at most {MOST['layers']} hidden layers of at most "
            f"{MOST['neurons']} neurons, got {hidden}: draw_network(model) draws larger ones"
        )
    count = sum((nin + 1) * nout for nin, nout in pairwise(sizes))
    if count > _MOST_PARAMETERS:
        raise ValueError(
            f"playground: the page shows models of at most {_MOST_PARAMETERS:,} parameters, and "
            f"this one has {count:,}: draw_network(model) draws larger ones"
        )
    names = []
    for number, (layer, (nin, _)) in enumerate(zip(layers, pairwise(sizes), strict=True), 1):
        if any(len(neuron.w) != nin for neuron in layer.neurons):
            raise ValueError(f"playground: layer {number} does not take the {nin} numbers it gets")
        found = {_activation(neuron, number) for neuron in layer.neurons}
        if len(found) > 1:
            raise ValueError(f"playground: the neurons of layer {number} differ in activation")
        names.append(found.pop())
    numbers = [float(parameter.data) for parameter in model.parameters()]
    if len(numbers) != count:
        raise ValueError("playground: each layer has parameters of its own, and no others exist")
    if not all(map(math.isfinite, numbers)):
        raise ValueError("playground: the model has a parameter that is not finite: train it again")
    return {"sizes": sizes, "activations": names, "parameters": numbers}


def _activation(neuron: Neuron, layer: int) -> str:
    """The name of an activation; "" for a linear neuron."""
    if not neuron.nonlin:
        return ""
    given = neuron.activation
    name = given if isinstance(given, str) else str(getattr(given, "__name__", given))
    is_known = isinstance(given, str) or VOCABULARY.get(name) is given
    if not is_known or not is_activation(name):
        raise ValueError(
            f"playground: the activation {name!r} of layer {layer} is not an operation of one "
            "operand with a formula that JavaScript can compute: micrograd.define makes one"
        )
    return name


def _fit_to_model(chosen: _Settings, model: dict[str, Any], points: Any) -> None:
    """The settings that the model implies."""
    for name in ("layers", "activation", "output", "init"):
        if name in chosen:
            raise OptionError(f"playground: the model determines {name!r}: leave it out")
    *hidden, output = model["activations"]
    outputs = model["sizes"][-1]
    chosen |= {"layers": model["sizes"][1:-1], "activation": hidden, "output": output}
    chosen["init"] = "model"
    usual_data = {"regression": "sine", "surface": "plane"}.get(chosen["kind"])
    if usual_data:
        if outputs > 1:
            what = "curve" if chosen["kind"] == "regression" else "surface"
            raise ValueError(f"playground: a {what} has 1 output, and the model has {outputs}")
        chosen.setdefault("data", usual_data)
        return
    if outputs > MOST["classes"]:
        raise ValueError(
            f"playground: the page shows at most {MOST['classes']} classes, and the model has "
            f"{outputs} outputs"
        )
    classes = max(2, outputs)
    if points is not None and len(points["labels"]) != classes:
        raise ValueError(
            f"playground: the data have {len(points['labels'])} classes, and the model is for "
            f"{classes}"
        )
    chosen["classes"] = classes
    if outputs == 1:
        usual = {"": "bce_with_logits", "sigmoid": "bce"}.get(output, "mse")
    else:
        usual = "cross_entropy" if outputs == 2 or not output else "mse"
        chosen.setdefault("data", "spiral" if outputs > 2 else "moons")
    loss = chosen.setdefault("loss", usual)
    if (loss == "cross_entropy") > (outputs > 1) or (outputs == 2 and loss != "cross_entropy"):
        raise ValueError(
            f"playground: the loss {loss!r} does not fit a model with {outputs} outputs: "
            "two classes have one output, or two with the loss 'cross_entropy'"
        )


# --------------------------------------------------------------------------------------------- data


def _points(data: Any, plane: str) -> dict[str, Any]:
    """The samples, which are of the kind `plane` if they have two columns."""
    try:
        X, y = data
    except (TypeError, ValueError):
        raise TypeError(
            f"data is a pair (X, y) or the name of a data set, got {type(data).__name__}"
        ) from None
    array = np.asarray(X)
    X = samples.inputs(array.reshape(-1, 1) if array.ndim == 1 else X)
    kind = _kind(X.shape[1], "X", plane)
    if len(X) > MOST["points"]:
        raise ValueError(
            f"playground: the page shows at most {MOST['points']} samples, got {len(X)}: "
            "train_test_split(X, y, train_size=…) draws some"
        )
    found = {"kind": kind, "X": X.tolist()}
    if kind != "classification":
        return found | {"y": samples.targets(y, len(X), 1, "mse").ravel().tolist()}
    labels = np.asarray(y)
    labels = labels.ravel() if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.shape != (len(X),):
        raise ValueError(f"y has a label for each of the {len(X)} samples, got {labels.shape}")
    names, numbers = np.unique(labels, return_inverse=True)
    if not 2 <= len(names) <= MOST["classes"]:
        raise ValueError(f"playground: the page shows 2 to {MOST['classes']} classes, y has "
                         f"{len(names)}")  # fmt: skip
    if len(names) == 2 and names.dtype.kind in "biuf":
        found["numbers"] = samples.finite(names.astype(float), "y").tolist()
    texts = [one_line(str(name)) for name in names.tolist()]
    return found | {"y": numbers.tolist(), "labels": texts}


# ----------------------------------------------------------------------------------------- settings


def _choice(value: Any, name: str) -> str:
    """A value that has a name on the page."""
    known = [
        key.removeprefix(f"{name} ")
        for key in languages.words("en", "playground names")
        if key.startswith(f"{name} ") and key not in ("data given", "data own", "init model")
    ]
    return one_of(value, name, known)


def _layers(value: Any, name: str) -> list[int]:
    sizes = [whole(size, f"a size in {name}") for size in value]
    if len(sizes) > MOST["layers"] or max([0, *sizes]) > MOST["neurons"]:
        raise OptionError(
            f"{name} has at most {MOST['layers']} sizes of at most {MOST['neurons']}, got {value!r}"
        )
    return sizes


def _activations(value: Any, name: str) -> list[str]:
    return [_output(each, name) for each in ([value] if isinstance(value, str) else value)]


def _output(value: Any, name: str) -> str:
    return "" if value == "linear" else one_of(value, name, ["linear", *activations()])


def _whole(value: Any, name: str, least: int, most: int) -> int:
    real(whole(value, name, least), name, least=least, most=most)
    return int(value)


def _flag(value: Any, name: str) -> int:
    if value not in (False, True):
        raise OptionError(f"{name} is True or False, got {value!r}")
    return int(value)


SETTINGS: dict[str, Callable[[Any, str], Any]] = {
    "kind": partial(one_of, known=KINDS),
    "features": _features,
    "layers": _layers,
    "activation": _activations,
    "output": _output,
    "init": _choice,
    "loss": partial(one_of, known=LOSSES),
    "optimizer": _choice,
    "rate": partial(real, least=0, most=100),
    "penalty": _choice,
    "strength": partial(real, least=0, most=10),
    "batch": partial(_whole, least=0, most=MOST["points"]),
    "samples": partial(_whole, least=10, most=MOST["points"]),
    "noise": partial(real, least=0, most=1),
    "test": partial(_whole, least=0, most=80),
    "classes": partial(_whole, least=2, most=MOST["classes"]),
    "seed": partial(_whole, least=0, most=2**32 - 1),
    "speed": _choice,
    "flat": _flag,
    "tests": _flag,
    "steps": partial(_whole, least=0, most=MOST["steps"]),
}
"""The settings, and how each is checked."""


def _checked(settings: Mapping[str, Any]) -> _Settings:
    for name in settings:
        if name not in SETTINGS:
            raise OptionError(
                f"playground has no setting {name!r}; it has {', '.join(('data', *SETTINGS))}"
                f"{meant(name, ('data', *SETTINGS))}"
            )
    return {name: SETTINGS[name](value, name) for name, value in settings.items()}
