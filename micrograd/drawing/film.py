"""`film_strip(output, folder)`: one picture for each step, for media that only show images."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from micrograd.drawing.steps import MAX_STEPS_NODES, PageStep, Walkthrough
from micrograd.drawing.svg import LINE
from micrograd.drawing.svg_elements import SIZE
from micrograd.drawing.themes import Theme, chosen, following
from micrograd.engine.value import Value
from micrograd.files import write
from micrograd.writing import languages
from micrograd.writing.labels import width
from micrograd.writing.numbers import significant


def film_strip(
    output: Value,
    folder: str | os.PathLike[str],
    *,
    names: Mapping[str, Any] | Any | None = None,
    theme: Theme | str = "light",
    max_nodes: int = MAX_STEPS_NODES,
    lang: str = "en",
    digits: int | None = None,
) -> list[Path]:
    """Write the steps of a graph as `step-01.svg`, `step-02.svg` and so on.

    The steps are those of `step_page`, each with its formulas below the graph. No renderer is
    needed.

    Args:
        output: the value at the top of the graph.
        folder: where to write the files; it is created if necessary.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        theme: "light", "dark", "print" or a `Theme`.
        max_nodes: the most values that the graph may have.
        lang: the language of the words, "en" or "zh".
        digits: how many significant digits numbers have; by default, four decimals are shown.

    Returns:
        The paths of the files, in order.

    Raises:
        ValueError: if there are more than `max_nodes` values.

    >>> import tempfile
    >>> x = Value(3.0, label="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in film_strip(x * 2.0, folder)]
    ['step-01.svg', 'step-02.svg', 'step-03.svg', 'step-04.svg']
    """
    colors = chosen(theme)
    languages.checked(lang)
    with significant(digits):
        return _written(Walkthrough(output, names, max_nodes, lang), Path(folder), colors)


def _written(walk: Walkthrough, folder: Path, colors: Theme) -> list[Path]:
    count, sketch = len(walk.steps), walk.sketch()
    captions = [
        [f"{i} / {count}", *(line.text for line in step.lines)]
        for i, step in enumerate(walk.steps, 1)
    ]
    longest = max(width(line, SIZE) for caption in captions for line in caption)
    room = (float(longest), LINE * max(map(len, captions)) + 10.0)
    digits = max(2, len(str(count)))
    paths = []
    for i, (step, caption) in enumerate(zip(walk.steps, captions, strict=True), 1):
        picture = walk.after(i)
        drawn = sketch.text(
            picture,
            colors,
            faded={box.name for box in picture.boxes if not box.data},
            marked=_marked(step, colors),
            caption=caption,
            room=room,
        )
        paths.append(folder / f"step-{i:0{digits}}.svg")
        write(paths[-1], following(drawn, colors))
    return paths


def _marked(step: PageStep, theme: Theme) -> dict[str, str]:
    """The colours of everything that takes part in a step."""
    marked = {f"n{step.value}": theme.accent, f"n{step.value}op": theme.accent}
    if step.kind == "backward":
        flow = (f"n{step.receiver}", f"n{step.value}e{step.place}", f"n{step.value}out")
        marked |= dict.fromkeys(flow, theme.backward)
    return marked
