"""`History`: what training recorded after each epoch, column by column.

>>> history = History()
>>> history.append({"loss": 0.5, "val_loss": 0.75})
>>> history.append({"loss": 0.25, "val_loss": 0.625})
>>> history["loss"], history.epochs
([0.5, 0.25], 2)
>>> history
<History of 2 epochs: loss 0.25, val_loss 0.625>
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from micrograd import files
from micrograd.writing.html import table
from nn import html


class History(dict[str, list[float]]):
    """Columns by name, with a number for each epoch.

    `loss` is the mean over the samples of what was minimised, with the penalty; each batch is
    evaluated with the weights before its step. Metrics, and all columns that begin with `val_`,
    belong to the weights at the end of the epoch; `val_loss` has no penalty. `gradient_norm` is the
    mean norm of the gradients of the steps, before clipping, and `lr` is the learning rate.

    The attribute `end` says why training ended: `"epochs"` (all were done), `"early stopping"`,
    `"converged"` (only L-BFGS knows), `"callback"` or `"interrupted"`. `best_epoch` is the number,
    from 1, of the epoch whose weights early stopping restored, or None.

    Args:
        columns: lists of numbers by name, all of the same length; none by default.

    >>> History({"loss": [0.5, 0.25]}).epochs
    2
    """

    def __init__(self, columns: Mapping[str, Sequence[float]] | None = None) -> None:
        super().__init__({name: list(numbers) for name, numbers in (columns or {}).items()})
        self.end = "epochs"
        self.best_epoch: int | None = None

    def append(self, row: Mapping[str, float]) -> None:
        """Record one epoch.

        Args:
            row: a number for each column.

        Raises:
            ValueError: if the columns are not those of the epochs before.
        """
        if self and set(row) != set(self):
            raise ValueError(f"every epoch has the columns {', '.join(self)}; got {', '.join(row)}")
        for name, number in row.items():
            self.setdefault(name, []).append(number)

    @property
    def epochs(self) -> int:
        """The number of epochs that were done."""
        return max(map(len, self.values()), default=0)

    @property
    def last(self) -> dict[str, float]:
        """The numbers of the last epoch by column."""
        return {name: numbers[-1] for name, numbers in self.items() if numbers}

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended training."""
        return self.end == "interrupted"

    def __missing__(self, name: str) -> list[float]:
        known = ", ".join(self) or "none"
        raise KeyError(f"no column {name!r} in this history; its columns: {known}")

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name} {number:.6g}" for name, number in self.last.items())
        end = "" if self.end == "epochs" else f", ended by {self.end}"
        end = ", interrupted" if self.interrupted else end
        plural = "s" * (self.epochs != 1)
        return f"<History of {self.epochs} epoch{plural}{end}{': ' * bool(numbers)}{numbers}>"

    def _repr_html_(self) -> str:
        """Return the curves of the loss and the metrics, and a table of at most ten epochs."""
        shown = [name for name in self if not name.startswith("val_")]
        groups = [
            {each: self[each] for each in (name, f"val_{name}") if each in self}
            for name in shown
            if name not in ("gradient_norm", "lr")
        ]
        count = self.epochs
        chosen = sorted({1 + round(k * (count - 1) / 9) for k in range(10)} if count else ())
        rows = [
            [epoch, *(f"{numbers[epoch - 1]:.4g}" for numbers in self.values())] for epoch in chosen
        ]
        caption = f"<p>{escape(repr(self)[1:-1])}</p>"
        pictures = "".join(map(html.curves, groups))
        return f"{caption}{pictures}{table(['epoch', *self], rows) * bool(rows)}"

    def plot(self, **options: Any) -> Any:
        """Draw the curves with `nn.plots.loss_curves`, and return the axes.

        Args:
            **options: the options of `loss_curves`.
        """
        from nn.plots import loss_curves

        return loss_curves(self, **options)

    def to_csv(self, path: str | Path) -> None:
        """Write a CSV file with a line for each epoch. Numbers read back as the same floats.

        Args:
            path: the file to write.
        """
        table = StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["epoch", *self])
        rows = zip(*self.values(), strict=True)
        writer.writerows([epoch, *map(repr, row)] for epoch, row in enumerate(rows, 1))
        files.write(path, table.getvalue())
