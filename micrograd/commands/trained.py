"""A network that the command `train` has made, with all that `predict` needs, and its file."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.commands.expressions import CommandError

if TYPE_CHECKING:
    from nn.columns import Columns

MADE_BY = "micrograd train"


class Trained(NamedTuple):
    """A network with its columns; a predicted number is `output * scale + middle`."""

    model: Any
    sizes: list[int]
    activation: str
    columns: Columns
    classes: list[str] | None
    middle: float = 0.0
    scale: float = 1.0

    def outputs(self, X: Any) -> Any:
        """The outputs of the network for scaled samples, in the unit of the target."""
        from nn.prediction import predict

        return predict(self.model, X) * self.scale + self.middle


def save(path: Path, made: Trained) -> None:
    """Write the file. Raises CommandError."""
    import numpy as np

    from nn.storage import save_checkpoint

    content = {
        "made_by": MADE_BY,
        "sizes": made.sizes,
        "activation": made.activation,
        "weights": np.array([parameter.data for parameter in made.model.parameters()]),
        "columns": made.columns._asdict(),
        "classes": made.classes,
        "middle": made.middle,
        "scale": made.scale,
    }
    try:
        save_checkpoint(path, content)
    except OSError as error:
        raise CommandError(f"cannot write to {path}: {error.strerror or error}") from error


def load(path: Path) -> Trained:
    """What was saved. Raises CommandError for any other file."""
    from nn.layers import MLP
    from nn.storage import load_checkpoint

    try:
        content = load_checkpoint(path)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise CommandError(str(error)) from None
    if content.pop("made_by", None) != MADE_BY:
        raise CommandError(f"{path} is no model of micrograd train: make one with --save {path}")
    try:
        columns, weights = _checked(content)
        model = MLP(content["sizes"][0], content["sizes"][1:], activation=content["activation"])
        for parameter, number in zip(model.parameters(), weights, strict=True):
            parameter.data = number
        return Trained(model, columns=columns, **content)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise CommandError(f"{path} is damaged: {error}") from None


def _checked(content: dict[str, Any]) -> tuple[Columns, list[float]]:
    """The columns and the weights, taken from what was in a file. Raises ValueError."""
    from nn.columns import Columns

    columns = Columns.restored(content.pop("columns"))
    weights, sizes, classes = content.pop("weights").tolist(), content["sizes"], content["classes"]
    fits = (
        isinstance(sizes, list)
        and len(sizes) > 1
        and all(type(size) is int and size > 0 for size in sizes)
        and sizes[0] == columns.width
        and len(weights) == sum((nin + 1) * nout for nin, nout in pairwise(sizes))
        and all(isinstance(each, float) and math.isfinite(each) for each in weights)
        and sizes[-1] == (1 if classes is None else len(classes))
        and (classes is None or (isinstance(classes, list) and len(set(classes)) == len(classes)))
        and all(isinstance(each, str) for each in classes or ())
        and all(
            isinstance(content[n], float) and math.isfinite(content[n]) for n in ("middle", "scale")
        )
    )
    if not fits:
        raise ValueError("its parts do not fit together")
    "".join(classes or ()).encode()  # refuses lone surrogates
    return columns, weights
