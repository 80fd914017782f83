"""`film_strip(output, folder)`: one picture for each step, for media that take images only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from micrograd.drawing.standalone import SIZE
from micrograd.drawing.steps import MAX_STEPS_NODES, Story
from micrograd.drawing.svg import LINE
from micrograd.drawing.themes import Theme, chosen
from micrograd.engine.value import Value
from micrograd.files import write
from micrograd.writing import languages
from micrograd.writing.labels import width


def film_strip(
    output: Value,
    folder: str | os.PathLike[str],
    *,
    names: Mapping[str, Any] | None = None,
    theme: Theme | str = "light",
    max_nodes: int = MAX_STEPS_NODES,
    lang: str = "en",
) -> list[Path]:
    """Write `step-01.svg`, `step-02.svg`, … into `folder`, which is made; the paths, in order.

    The steps are those of `step_page`, with the formulas of each below the graph; `lang` is the
    language of the words in it. No renderer is needed. Raises ValueError if there are more than
    `max_nodes` values.
    """
    colors = chosen(theme)
    story = Story(output, names, max_nodes, languages.checked(lang))
    count, sketch = len(story.steps), story.sketch()
    captions = [
        [f"{i} / {count}", *(line.text for line in step.lines)]
        for i, step in enumerate(story.steps, 1)
    ]
    longest = max(width(line, SIZE) for caption in captions for line in caption)
    room = (float(longest), LINE * max(map(len, captions)) + 10.0)
    digits = max(2, len(str(count)))
    paths = []
    for i, caption in enumerate(captions):
        picture = story.after(i + 1)
        drawn = sketch.text(
            picture,
            colors,
            faded={box.name for box in picture.boxes if not box.data},
            marked=_marked(story, i, colors),
            caption=caption,
            room=room,
        )
        paths.append(Path(folder) / f"step-{i + 1:0{digits}}.svg")
        write(paths[-1], drawn)
    return paths


def _marked(story: Story, i: int, theme: Theme) -> dict[str, str]:
    """The colour of all that takes part in a step."""
    step = story.steps[i]
    marked = {f"n{step.value}": theme.accent, f"n{step.value}op": theme.accent}
    if step.kind == "backward":
        flow = (f"n{step.operand}", f"n{step.value}e{step.place}", f"n{step.value}out")
        marked |= dict.fromkeys(flow, theme.backward)
    return marked
