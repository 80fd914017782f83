"""`Trained`: a network that the command `train` has made, and the file that `predict` reads."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.commands.options import CommandError, reported

if TYPE_CHECKING:
    from nn.columns import Encoder

MADE_BY = "micrograd train"


class Trained(NamedTuple):
    """A network with the encoder of its columns; it predicts the number `output * scale + middle`.

    `classes` has the names of the classes, or is None if a number is predicted.
    """

    model: Any
    sizes: list[int]
    activation: str
    columns: Encoder
    classes: list[str] | None
    middle: float = 0.0
    scale: float = 1.0

    def outputs(self, X: Any) -> Any:
        """Return the outputs for standardized samples, in the unit of the target."""
        from nn.prediction import predict

        return predict(self.model, X) * self.scale + self.middle


def save(path: Path, made: Trained) -> None:
    """Write a network to a file. Raises CommandError."""
    import numpy as np

    from nn.storage import save_checkpoint

    weights = np.array([parameter.data for parameter in made.model.parameters()])
    content = {"made_by": MADE_BY, "weights": weights, **made._asdict()}
    content["columns"] = content["columns"]._asdict()
    del content["model"]
    with reported(writing=path):
        save_checkpoint(path, content)


def load(path: Path) -> Trained:
    """Read a network from a file. Raises CommandError for any other file."""
    from nn.layers import MLP
    from nn.storage import load_checkpoint

    with reported(reading=path):
        content = load_checkpoint(path)
    if content.pop("made_by", None) != MADE_BY:
        raise CommandError(f"{path} was not written by micrograd train: make it with --save {path}")
    try:
        weights = _checked(content)
        model = MLP(content["sizes"][0], content["sizes"][1:], activation=content["activation"])
        for parameter, number in zip(model.parameters(), weights, strict=True):
            parameter.data = number
        return Trained(model, **content)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise CommandError(f"{path} is damaged: {error}") from None


def _checked(content: dict[str, Any]) -> list[float]:
    """Take the weights out of the content of a file, restore the encoder, and check the rest."""
    from nn.columns import Encoder, has_form

    content["columns"] = Encoder.restored(content["columns"])
    sizes, classes = content["sizes"], content["classes"]
    weights: list[float] = content.pop("weights").tolist()
    numbers = [*weights, content["middle"], content["scale"]]
    if not (
        has_form(sizes, [int])
        and len(sizes) > 1
        and min(sizes) > 0
        and sizes[0] == content["columns"].width
        and sizes[-1] == (1 if classes is None else len(classes))
        and (classes is None or (has_form(classes, [str]) and len({*classes}) == len(classes)))
        and len(weights) == sum((nin + 1) * nout for nin, nout in pairwise(sizes))
        and has_form(numbers, [float])
        and all(map(math.isfinite, numbers))
    ):
        raise ValueError("its parts do not fit together")
    "".join(classes or ()).encode()  # raises an error for a lone surrogate
    return weights
