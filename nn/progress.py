"""How training reports progress: a bar on a terminal or in a notebook, and lines of text elsewhere.

The bar is tqdm's, if tqdm is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from micrograd.writing import languages

LINES = 20
"""About how many lines are printed for a whole training."""


class Silence:
    """Reports nothing."""

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Report an epoch and what was recorded."""

    def close(self, interrupted: int = 0) -> None:
        """End the report; `interrupted` is the epoch in which training was, or 0."""


class Lines(Silence):
    """Prints a line for the first and the last epoch, and for some between."""

    def __init__(self, epochs: int, lang: str) -> None:
        self.epochs, self.every = epochs, max(1, round(epochs / LINES))
        self.lang, self.words = lang, languages.words(lang, "progress")
        self.pending: tuple[int, Mapping[str, float]] | None = None

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Print the epoch, if its turn has come."""
        self.pending = done, row
        if done == 1 or done % self.every == 0 or done == self.epochs:
            self._print()

    def close(self, interrupted: int = 0) -> None:
        """Print the last epoch, if training ended early."""
        self._print()
        if interrupted:
            print(self.words["interrupted"].format(epoch=interrupted), flush=True)

    def _print(self) -> None:
        if self.pending is not None:
            done, row = self.pending
            count = f"{done:{len(str(self.epochs))}}"
            epoch = self.words["epoch"].format(done=count, epochs=self.epochs)
            print(f"{epoch}  {said(row, self.lang)}", flush=True)
            self.pending = None


class Bar(Silence):
    """Fills a bar epoch by epoch."""

    def __init__(self, bar: Any, done: int, lang: str) -> None:
        self._bar, self.lang = bar, lang
        if done:
            bar.update(done)

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Advance the bar by one."""
        self._bar.set_postfix_str(said(row, self.lang), refresh=False)
        self._bar.update()

    def close(self, interrupted: int = 0) -> None:
        """Leave the bar as it is."""
        self._bar.close()
        if interrupted:
            words = languages.words(self.lang, "progress")
            self._bar.write(words["interrupted"].format(epoch=interrupted), file=sys.stderr)


def report_of(wanted: bool | str, epochs: int, done: int = 0, lang: str = "en") -> Silence:
    """Return the report that is wanted: True, False, or "auto", which depends on the output.

    True gives a bar wherever tqdm is installed. `lang` is the language of the words.
    """
    unit = languages.words(lang, "progress")["unit"]
    if wanted not in (True, False, "auto"):
        raise ValueError(f"progress is True, False or 'auto', got {wanted!r}")
    if wanted is False:
        return Silence()
    if wanted is True or sys.stderr.isatty() or _in_notebook():
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return Lines(epochs, lang)
        return Bar(tqdm(total=epochs, unit=unit, leave=True), done, lang)
    return Lines(epochs, lang)


def said(row: Mapping[str, float], lang: str) -> str:
    """Return the numbers of an epoch that interest a reader, accuracies as percentages."""
    return "  ".join(
        f"{_called(name, lang)} {100 * number:.1f} %"
        if name.endswith("accuracy")
        else f"{_called(name, lang)} {number:.4g}"
        for name, number in row.items()
        if name not in ("lr", "gradient_norm")
    )


def _called(name: str, lang: str) -> str:
    """Return what a column of the history is called; metrics of the user keep their name."""
    words = languages.words(lang, "progress")
    plain = name.removeprefix("val_")
    known = words.get(plain, plain) if plain in ("loss", "accuracy") else plain
    return known if plain == name else words["held out"].format(name=known)


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    interactive = shell.get_ipython() if shell is not None else None
    return interactive is not None and hasattr(interactive, "kernel")
