"""A graph step by step, for media that only show images: `film(output, "steps.gif")`.

`film_strip` writes one SVG for each step, `film` an animation. Both show the `steps` of the compact
picture, each with its formulas below it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from micrograd.derivation.chain import Chain
from micrograd.drawing import renderers
from micrograd.drawing.named.builder import DIGITS, WIDTH, named_picture
from micrograd.drawing.named.layout import FORMULA, LEADING, MARGIN
from micrograd.drawing.picture import Picture
from micrograd.drawing.spans import SPACE, Line, Span, joined, line_width, wrapped
from micrograd.drawing.steps import MAX_STEPS_NODES, Known, Step, flowing, steps
from micrograd.drawing.svg import svg
from micrograd.drawing.svg_elements import letter_of
from micrograd.drawing.themes import Theme, chosen, following
from micrograd.engine.value import Value
from micrograd.files import suffix, write

MAX_BOXES = 60
_LINES = 4  # of a caption
_BETWEEN = f",{SPACE * 3}"  # equations in a line
_LAST = 2.5  # how much longer the last picture is shown


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

    The steps are those of `step_page`, each with its formulas below the compact picture. No
    renderer is needed.

    Args:
        output: the value at the top of the graph.
        folder: where to write the files; it is created if necessary.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        theme: "light", "dark", "print", "auto" or a `Theme`.
        max_nodes: the most named values that the graph may have.
        lang: the language of the text for those who cannot see the picture, "en" or "zh".
        digits: how many significant digits numbers have; by default, four.

    Returns:
        The paths of the files, in order.

    Raises:
        ValueError: if there are more than `max_nodes` named values.

    >>> import tempfile
    >>> x = Value(3.0, label="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in film_strip(x * 2.0, folder)]
    ['step-01.svg', 'step-02.svg', 'step-03.svg', 'step-04.svg']
    """
    colors = chosen(theme)
    digits = DIGITS if digits is None else digits
    picture = _picture(output, names, digits=digits, lang=lang, max_nodes=max_nodes)
    drawn = list(_drawn(picture, colors, is_counted=True))
    places = max(2, len(str(len(drawn))))
    paths = []
    for i, text in enumerate(drawn, 1):
        paths.append(Path(folder) / f"step-{i:0{places}}.svg")
        write(paths[-1], following(text, colors))
    return paths


def film(
    output: Value,
    path: str | os.PathLike[str] = "steps.gif",
    *,
    names: Mapping[str, Any] | Any | None = None,
    hide: Any = (),
    roles: Mapping[Any, str] | None = None,
    digits: int = DIGITS,
    width: int = WIDTH,
    theme: str | Theme = "light",
    lang: str = "en",
    seconds: float = 1.6,
    scale: float = 1.0,
    max_nodes: int = MAX_BOXES,
) -> str:
    """Write an animated GIF in which values are computed and gradients flow back.

    It shows the picture of `draw`, step by step, with a formula for each step. It needs resvg-py
    and Pillow: `pip install resvg-py pillow`.

    Args:
        output: the value at the top of the graph.
        path: the file, whose suffix is .gif.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        hide: what is not shown, as for `draw_dot`.
        roles: the roles of values, as for `draw_dot`.
        digits: how many significant digits numbers have.
        width: how wide the picture may be, in pixels.
        theme: "light", "dark", "print" or a `Theme`.
        lang: the language of the words, "en" or "zh".
        seconds: how long each step is shown.
        scale: how many times as many pixels the film has in each direction.
        max_nodes: the most boxes that the picture may have.

    Returns:
        The path.

    Raises:
        ValueError: if there are more than `max_nodes` boxes, or an option is wrong.
        RenderingError: if resvg-py or Pillow is missing.

    >>> import tempfile
    >>> x = Value(3.0, label="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = film(x * x, f"{folder}/steps.gif")
    """
    suffix(path, [".gif"])
    if not isinstance(seconds, int | float) or not 0 < seconds <= 60:
        raise ValueError(f"seconds is how long a step is shown, at most 60, got {seconds!r}")
    renderers.checked_scale(scale)
    colors = chosen(theme)
    options = {"roles": roles, "hide": hide, "digits": digits, "width": width, "lang": lang}
    picture = _picture(output, names, **options, max_nodes=max_nodes)
    if not picture.roots:
        raise ValueError("hide: the output itself cannot be hidden in a film")
    frames = list(_drawn(picture, colors))
    return write(path, _gif(frames, seconds, scale))


def adjoints(output: Value, names: Mapping[str, Any] | Any | None = None) -> dict[Value, float]:
    """The gradients that `output.backward()` would compute; none is changed."""
    return Chain(output, names, max_nodes=sys.maxsize).adjoints


def _picture(output: Value, names: Any, **options: Any) -> Picture:
    return named_picture([output], names=names, gradients=adjoints(output, names), **options)


def _drawn(picture: Picture, theme: Theme, *, is_counted: bool = False) -> Iterator[str]:
    """The picture after each step, as SVG."""
    walk = steps(picture)
    room = picture.width - 2 * MARGIN
    captions = [
        [row for line in _lines(each, room) for row in wrapped(line, room, FORMULA)]
        for each in walk
    ]
    rows = min(_LINES, max(map(len, captions)))
    captions = [
        caption if len(caption) <= rows else [*caption[: rows - 1], (Span("⋯"),)]
        for caption in captions
    ]
    if is_counted:
        rows += 1
        for i, caption in enumerate(captions, 1):
            caption.insert(0, (Span(f"{i} / {len(walk)}", "mn", color="faint"),))
    widest = max(
        (line_width(line, FORMULA) for caption in captions for line in caption), default=0.0
    )
    below = widest + 2 * MARGIN, LEADING * FORMULA * rows + MARGIN
    known = Known()
    for step, caption in zip(walk, captions, strict=True):
        known = known.after(step)
        boxes = [
            box._replace(
                data=box.data if box.name in known.data else "",
                grad=box.grad if box.name in known.grads else "",
            )
            for box in picture.boxes
        ]
        yield svg(
            picture._replace(boxes=boxes),
            theme,
            faded={box.name for box in boxes if box.name not in known.data},
            marked=_marked(step, picture, theme),
            caption=caption,
            room=below,
        )


def _marked(step: Step, picture: Picture, theme: Theme) -> dict[str, str]:
    """The colours of everything that takes part in a step."""
    if step.kind in ("given", "forward"):
        return dict.fromkeys(step.boxes, theme.accent)
    return dict.fromkeys([*step.boxes, *step.receivers, *flowing(step, picture)], theme.backward)


def _lines(step: Step, room: float) -> list[Line]:
    """The equations of a step; as many in a line as fit if they are given values or many."""
    lines: list[Line] = []
    is_packed = step.kind == "given" or len(step.equations) > _LINES
    for equation in step.equations:
        longer = joined(lines[-1], _BETWEEN, equation.brief) if lines else equation.brief
        if is_packed and lines and line_width(longer, FORMULA) <= room:
            lines[-1] = longer
        else:
            lines.append(equation.brief)
    return lines


def _gif(frames: Sequence[str], seconds: float, scale: float) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise renderers.RenderingError("a film needs Pillow: pip install pillow") from None
    images = []
    for frame in frames:
        drawn = renderers.png(frame, letter_of(frame), scale=scale)
        with Image.open(io.BytesIO(drawn)) as image:
            images.append(image.convert("RGB").quantize(colors=128, dither=Image.Dither.NONE))
    content = io.BytesIO()
    durations = [round(1000 * seconds)] * len(images)
    durations[-1] = round(1000 * seconds * _LAST)
    images[0].save(
        content,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=durations,
        loop=0,
        disposal=1,
    )
    return content.getvalue()
