"""How training reports progress: a bar on a terminal or in a notebook, and lines of text elsewhere.

The bar is tqdm's, if tqdm is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from micrograd.writing import languages

LINES = 20
"""About how many lines are printed for a whole training."""


class Report:
    """Reports on a training: by a bar, by lines, or not at all.

    Args:
        wanted: True, False, or "auto", which depends on the output. True gives a bar wherever tqdm
            is installed.
        epochs: the number of epochs.
        done: how many of them are done.
        lang: the language of the words.
    """

    def __init__(self, wanted: bool | str, epochs: int, done: int, lang: str) -> None:
        if wanted not in (True, False, "auto"):
            raise ValueError(f"progress is True, False or 'auto', got {wanted!r}")
        self._wanted, self._epochs, self._lang = wanted, epochs, lang
        self._words = languages.words(lang, "progress")
        self._every = max(1, round(epochs / LINES))
        self._pending: tuple[int, Mapping[str, float]] | None = None  # until it is printed
        self._bar: Any = None
        if wanted and (wanted != "auto" or sys.stderr.isatty() or _in_notebook()):
            with suppress(ImportError):
                from tqdm.auto import tqdm

                self._bar = tqdm(total=epochs, initial=done, unit=self._words["unit"], leave=True)

    def epoch(self, done: int, row: Mapping[str, float]) -> None:
        """Report an epoch and what was recorded; of many epochs, some have a line."""
        if not self._wanted:
            return
        if self._bar is not None:
            self._bar.set_postfix_str(said(row, self._lang), refresh=False)
            self._bar.update()
            return
        self._pending = done, row
        if done == 1 or done % self._every == 0 or done == self._epochs:
            self._print()

    def close(self, interrupted: int = 0) -> None:
        """End the report; `interrupted` is the epoch in which training was, or 0."""
        note = self._words["interrupted"].format(epoch=interrupted) if interrupted else ""
        if self._bar is not None:
            self._bar.close()
            if note:
                self._bar.write(note, file=sys.stderr)
        elif self._wanted:
            self._print()
            if note:
                print(note, flush=True)

    def _print(self) -> None:
        """Print the line of the last epoch, unless it is printed."""
        if self._pending is not None:
            done, row = self._pending
            count = f"{done:{len(str(self._epochs))}}"
            epoch = self._words["epoch"].format(done=count, epochs=self._epochs)
            print(f"{epoch}  {said(row, self._lang)}", flush=True)
            self._pending = None


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
