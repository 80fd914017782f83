"""The samples that a live page can choose from: numbers for leaves of the graph, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from micrograd.engine.value import Value

MOST = 2_000  # samples
MOST_VALUES = 200_000  # in all samples, so that the page follows a slider at once


def samples(
    data: Any, leaf: Callable[[Any], Value], nodes: int = 1
) -> tuple[list[Value], list[list[float]]]:
    """The leaves that samples give numbers to, and the numbers, a row for each sample.

    Args:
        data: a sequence of mappings from names to numbers, or a mapping from names to sequences.
        leaf: finds the leaf of a name.
        nodes: how many values the graph has.

    Raises:
        TypeError: `data` is neither.
        ValueError: there are no samples or too many, samples differ in their names, or something
            is not a number.
    """
    if data is None:
        return [], []
    columns = _columns(data)
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    if not rows:
        raise ValueError("data has no samples")
    most = min(MOST, MOST_VALUES // nodes)
    if len(rows) > most:
        raise ValueError(
            f"data has {len(rows):,} samples; a page of {nodes:,} values takes at most {most:,}"
        )
    leaves = [leaf(name) for name in columns]
    if len({id(each) for each in leaves}) < len(leaves):
        raise ValueError(f"data names a value twice: {', '.join(map(str, columns))}")
    return leaves, rows


def _columns(data: Any) -> dict[Any, list[float]]:
    if isinstance(data, Mapping):
        columns = {name: _numbers(name, column) for name, column in data.items()}
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            told = ", ".join(f"{name!r} has {len(column)}" for name, column in columns.items())
            raise ValueError(f"data: every name needs as many numbers, but {told}")
        return columns
    rows: Sequence[Any] = [*data] if isinstance(data, Iterable) else ()
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError(
            "data takes a list of samples such as [{'x': 1, 'y': 2}], or a dict of columns such as "
            f"{{'x': [1, 3], 'y': [2, 4]}}, got {type(data).__name__}"
        )
    for i, row in enumerate(rows):
        if row.keys() != rows[0].keys():
            raise ValueError(
                f"data: sample {i} has the names {', '.join(map(str, row))}, and sample 0 "
                f"{', '.join(map(str, rows[0]))}"
            )
    return {name: _numbers(name, [row[name] for row in rows]) for name in rows[0]}


def _numbers(name: Any, column: Iterable[Any]) -> list[float]:
    try:
        return [float(each) for each in column]
    except (TypeError, ValueError):
        raise ValueError(f"data: {name!r} takes numbers, got {column!r}") from None
