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
import math
from collections.abc import Mapping, Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from micrograd import files
from micrograd.writing.html import table

# Of the curves in notebooks.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 28, 26  # the margins around the curves
MOST_POINTS = 400
FAR = 30  # a curve whose largest number is so many times the smallest has a logarithmic scale


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

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.update(state.pop("_columns", {}))  # of a pickle of an older version
        vars(self).update(state)

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
        pictures = "".join(map(_curves, groups))
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


def _curves(lines: Mapping[str, Sequence[float]]) -> str:
    """Return curves over the epochs, from 1, as an SVG picture, or "" without a finite number.

    The scale is logarithmic if the numbers are positive and far apart.

    Args:
        lines: the numbers of each curve, by its name.

    >>> _curves({"loss": [1.0, 0.5, 0.25]}).count("<polyline")
    1
    """
    numbers = [y for line in lines.values() for y in line if math.isfinite(y)]
    if not numbers:
        return ""
    low, high, length = min(numbers), max(numbers), max(map(len, lines.values()))
    logarithmic = low > 0 and high / low > FAR

    def height(y: float) -> float:
        """Return how high a number is, from 0 to 1."""
        a, b, c = (math.log(n) if logarithmic else n / 2 for n in (low, y, high))
        return (b - a) / (c - a) if c > a else 0.5

    def place(epoch: int, y: float) -> str:
        across = (epoch - 1) / max(length - 1, 1)
        x = LEFT + across * (WIDTH - LEFT - RIGHT)
        return f"{x:.1f},{HEIGHT - BOTTOM - height(y) * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = []
    middle = math.sqrt(low) * math.sqrt(high) if logarithmic else low / 2 + high / 2
    for y in dict.fromkeys((low, middle, high)):
        x, top = place(1, y).split(",")
        parts.append(
            f'<path d="M{x} {top}H{WIDTH - RIGHT}" stroke="currentColor" opacity=".2"/>'
            f'<text x="{LEFT - 6}" y="{float(top) + 4:.1f}" text-anchor="end">{y:.3g}</text>'
        )
    for epoch in dict.fromkeys((1, length)):
        x = place(epoch, low).split(",")[0]
        anchor = "start" if epoch == 1 else "end"
        parts.append(f'<text x="{x}" y="{HEIGHT - 8}" text-anchor="{anchor}">{epoch}</text>')
    parts.append(f'<text x="{WIDTH // 2}" y="{HEIGHT - 8}" text-anchor="middle">epoch</text>')
    across = LEFT
    for k, (name, line) in enumerate(lines.items()):
        colour = COLOURS[k % len(COLOURS)]
        parts.append(f'<text x="{across}" y="16" fill="{colour}">{escape(name)}</text>')
        across += 7 * len(name) + 16
        for points in _pieces(line):
            drawn = " ".join(place(*point) for point in points)
            cap = 'stroke-linecap="round" stroke-linejoin="round"'
            parts.append(
                f'<polyline points="{drawn}{f" {drawn}" * (len(points) == 1)}" fill="none" '
                f'stroke="{colour}" stroke-width="{2 if len(points) > 1 else 5}" {cap}/>'
            )
    title = escape(", ".join(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" font-family="sans-serif" font-size="12" '
        f'fill="currentColor"><title>{title}</title>{"".join(parts)}</svg>'
    )


def _pieces(line: Sequence[float]) -> list[list[tuple[int, float]]]:
    """Return the epochs and numbers of a curve, in pieces where it is not finite."""
    step = math.ceil(len(line) / MOST_POINTS)
    pieces: list[list[tuple[int, float]]] = [[]]
    for epoch, y in enumerate(line, 1):
        if not math.isfinite(y):
            pieces.append([])
        elif (epoch - 1) % step == 0 or epoch == len(line):
            pieces[-1].append((epoch, float(y)))
    return [piece for piece in pieces if piece]
