"""Films of decision regions while they are learned."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd import files
from nn.plots.axes import Words, require_matplotlib
from nn.plots.regions import decision_regions

if TYPE_CHECKING:
    from PIL.Image import Image


MOST_PICTURES = 100  # about how many, if `every` is not given


def film(
    path: str | os.PathLike[str],
    X: Any = None,
    y: Any = None,
    *,
    every: int | None = None,
    seconds: float = 0.1,
    **options: Any,
) -> Callable[[Any], None]:
    """Return a callback for `fit` that films how the decision regions are learned.

    It takes a picture after the first and the last epoch and after some between, and writes the
    file when training is over.

    Args:
        path: the file, a `.gif`.
        X: the samples to draw, of shape (samples, 2); the training samples by default.
        y: their labels; given if and only if X is.
        every: a picture is taken after each epoch that this divides. By default there are about 100
            pictures.
        seconds: how long a picture is shown, from 0.02 to 60; the last one is shown for two
            seconds.
        **options: the options of `decision_regions`; `resolution` is 100 by default.

    Raises:
        ValueError: for a bad argument, before training.

    >>> callbacks = [film("moons.gif", every=10)]
    """
    require_matplotlib()
    if Path(path).suffix.lower() != ".gif":
        raise ValueError(f"{os.fspath(path)!r}: a film is a .gif")
    if (X is None) != (y is None):
        raise ValueError("a film is given both X and y, or neither")
    if every is not None and every < 1:
        raise ValueError(f"every is a number of epochs, at least 1; got {every!r}")
    if not 0.02 <= seconds <= 60:
        raise ValueError(f"seconds is from 0.02 to 60 for a picture, got {seconds!r}")
    return _Film(path, X, y, every, seconds, {"resolution": 100, **options})


@dataclass
class _Film:
    """The callback, with the pictures that it has taken."""

    path: str | os.PathLike[str]
    X: Any
    y: Any
    every: int | None
    seconds: float
    options: dict[str, Any]
    pictures: list[Image] = field(default_factory=list)
    last: int = 0  # the epoch of the last picture

    def __call__(self, state: Any) -> None:
        """Take a picture, if it is the turn of this epoch."""
        every = self.every or max(1, state.epochs // MOST_PICTURES)
        if state.epoch == 1 or state.epoch % every == 0:
            self._take(state)

    def finish(self, state: Any) -> None:
        """Write the film, whose last picture stays for two seconds."""
        if state.epoch != self.last:
            self._take(state)
        first, *others = self.pictures
        durations = [round(1000 * self.seconds)] * len(others) + [2000]
        content = BytesIO()
        first.save(content, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
        files.replace(self.path, content.getvalue())

    def _take(self, state: Any) -> None:
        from PIL import Image

        X, y = (state.X, state.y) if self.X is None else (self.X, self.y)
        ax = decision_regions(state.model, X, y, **self.options)
        say = Words(self.options.get("lang", "en"))
        ax.set_title(say("after", epoch=state.epoch) + ax.get_title(), **say.font)
        content = BytesIO()
        picture: Any = ax.figure
        picture.savefig(content, dpi=80)
        self.pictures.append(Image.open(content).convert("RGB").quantize(128))
        self.last = state.epoch
