"""How training tells how far it is: a bar on a terminal or in a notebook, some lines elsewhere.

The bar is tqdm's, if that is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

LINES = 20
"""About so many lines are printed for a whole training."""


class Silence:
    """Nothing is told."""

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """An epoch is done, and this was written down."""

    def close(self, note: str = "") -> None:
        """No more will come; a note says why, if there is something to say."""


class Lines(Silence):
    """A line for the first, the last, and some epochs between."""

    def __init__(self, epochs: int) -> None:
        self.epochs, self.every = epochs, max(1, round(epochs / LINES))
        self.untold: tuple[int, Mapping[str, float]] | None = None

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Print it, unless it is one of many."""
        self.untold = done, row
        if done == 1 or done % self.every == 0 or done == self.epochs:
            self._tell()

    def close(self, note: str = "") -> None:
        """Print the last epoch, if training ended before what was planned."""
        if self.untold is not None:
            self._tell()
        if note:
            print(note, flush=True)

    def _tell(self) -> None:
        if self.untold is not None:
            done, row = self.untold
            width = len(str(self.epochs))
            print(f"epoch {done:{width}}/{self.epochs}  {words(row)}", flush=True)
            self.untold = None


class Bar(Silence):
    """A bar that fills epoch by epoch."""

    def __init__(self, bar: Any, done: int) -> None:
        self._bar = bar
        if done:
            bar.update(done)

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Fill it by one."""
        self._bar.set_postfix_str(words(row), refresh=False)
        self._bar.update()

    def close(self, note: str = "") -> None:
        """Leave it as it is."""
        self._bar.close()
        if note:
            self._bar.write(note, file=sys.stderr)


def progress(wanted: bool | str, epochs: int, done: int = 0) -> Silence:
    """What tells; `wanted` is True, False, or "auto": as the place where it is shown allows.

    True makes a bar wherever there is tqdm.
    """
    if wanted not in (True, False, "auto"):
        raise ValueError(f"progress is True, False or 'auto', got {wanted!r}")
    if wanted is False:
        return Silence()
    if wanted is True or sys.stderr.isatty() or _in_notebook():
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return Lines(epochs)
        return Bar(tqdm(total=epochs, unit="epoch", leave=True), done)
    return Lines(epochs)


def words(row: Mapping[str, float]) -> str:
    """An epoch's numbers that a person follows, shares as percentages."""
    return "  ".join(
        f"{name} {100 * number:.1f} %" if name.endswith("accuracy") else f"{name} {number:.4g}"
        for name, number in row.items()
        if name not in ("lr", "gradient_norm")
    )


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    interactive = shell.get_ipython() if shell is not None else None
    return interactive is not None and hasattr(interactive, "kernel")
