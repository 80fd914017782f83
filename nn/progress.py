"""How training reports progress: a bar on a terminal or in a notebook, and lines of text elsewhere.

The bar is tqdm's, if tqdm is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

LINES = 20
"""About how many lines are printed for a whole training."""


class Silence:
    """Reports nothing."""

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Report an epoch and what was recorded."""

    def close(self, note: str = "") -> None:
        """End the report, with a note if there is something to say."""


class Lines(Silence):
    """Prints a line for the first and the last epoch, and for some between."""

    def __init__(self, epochs: int) -> None:
        self.epochs, self.every = epochs, max(1, round(epochs / LINES))
        self.pending: tuple[int, Mapping[str, float]] | None = None

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Print the epoch, if its turn has come."""
        self.pending = done, row
        if done == 1 or done % self.every == 0 or done == self.epochs:
            self._print()

    def close(self, note: str = "") -> None:
        """Print the last epoch, if training ended early."""
        self._print()
        if note:
            print(note, flush=True)

    def _print(self) -> None:
        if self.pending is not None:
            done, row = self.pending
            width = len(str(self.epochs))
            print(f"epoch {done:{width}}/{self.epochs}  {words(row)}", flush=True)
            self.pending = None


class Bar(Silence):
    """Fills a bar epoch by epoch."""

    def __init__(self, bar: Any, done: int) -> None:
        self._bar = bar
        if done:
            bar.update(done)

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Advance the bar by one."""
        self._bar.set_postfix_str(words(row), refresh=False)
        self._bar.update()

    def close(self, note: str = "") -> None:
        """Leave the bar as it is."""
        self._bar.close()
        if note:
            self._bar.write(note, file=sys.stderr)


def report_of(wanted: bool | str, epochs: int, done: int = 0) -> Silence:
    """Return the report that is wanted: True, False, or "auto", which depends on the output.

    True gives a bar wherever tqdm is installed.
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
    """Return the numbers of an epoch that interest a reader, accuracies as percentages."""
    return "  ".join(
        f"{name} {100 * number:.1f} %" if name.endswith("accuracy") else f"{name} {number:.4g}"
        for name, number in row.items()
        if name not in ("lr", "gradient_norm")
    )


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    interactive = shell.get_ipython() if shell is not None else None
    return interactive is not None and hasattr(interactive, "kernel")
