"""`film(output, path)`: an animation of the compact picture, for media that only show images.

First the values appear, those that are given and then one after the other; then the gradients flow
back, from each box to those that it was computed from.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd.derivation.chain import Chain
from micrograd.drawing import renderers
from micrograd.drawing.named.builder import DIGITS, WIDTH, named_picture
from micrograd.drawing.named.layout import FORMULA, LEADING, MARGIN
from micrograd.drawing.named.svg import svg
from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.spans import Line, Span, joined, line_width, plain, wrapped
from micrograd.drawing.svg_elements import letter_of
from micrograd.drawing.themes import Theme, chosen
from micrograd.engine.value import Value
from micrograd.files import suffix, write
from micrograd.writing.numbers import as_float

MAX_BOXES = 60
_LINES = 4  # of a caption
_LAST = 2.5  # how much longer the last picture is shown


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
    and Pillow: `pip install 'micrograd-engine[render,plot]'`.

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
    chain = Chain(output, names, max_nodes=1_000_000)
    picture = named_picture(
        [output],
        names=names,
        roles=roles,
        hide=hide,
        digits=digits,
        width=width,
        lang=lang,
        max_nodes=max_nodes,
        gradients=chain.adjoints,
    )
    if not picture.roots:
        raise ValueError("hide: the output itself cannot be hidden in a film")
    frames = list(_drawn(picture, colors))
    return write(path, _gif(frames, seconds, scale))


class _Step(NamedTuple):
    """What is known after a step, what takes part in it, and its formulas."""

    data: frozenset[str]  # names of boxes
    grads: frozenset[str]
    marked: dict[str, str]  # to the names of colours
    caption: list[Line]
    is_list: bool = False  # whether several parts of the caption may stand in one line


def _drawn(picture: Picture, theme: Theme) -> Iterator[str]:
    """The picture after each step, as SVG."""
    steps = list(_steps(picture))
    room = picture.width - 2 * MARGIN
    captions = [
        [row for line in _lines(step, room) for row in wrapped(line, room, FORMULA)]
        for step in steps
    ]
    rows = min(_LINES, max(map(len, captions)))
    widest = max((line_width(line, FORMULA) for c in captions for line in c[:rows]), default=0.0)
    below = widest + 2 * MARGIN, LEADING * FORMULA * rows + MARGIN
    for step, caption in zip(steps, captions, strict=True):
        boxes = [
            box._replace(
                data=box.data if box.name in step.data else "",
                grad=box.grad if box.name in step.grads else "",
            )
            for box in picture.boxes
        ]
        shown = caption if len(caption) <= rows else [*caption[: rows - 1], (Span("⋯"),)]
        yield svg(
            picture._replace(boxes=boxes),
            theme,
            faded={box.name for box in boxes if box.name not in step.data},
            marked={name: getattr(theme, color) for name, color in step.marked.items()},
            caption=shown,
            room=below,
        )


def _steps(picture: Picture) -> Iterator[_Step]:
    boxes = {box.name: box for box in picture.boxes}
    given = [box for box in picture.boxes if box.operation is None]
    data, grads = frozenset(box.name for box in given), frozenset[str]()
    if given:
        marked = dict.fromkeys(data, "accent")
        yield _Step(data, grads, marked, [_valued(box) for box in given], is_list=True)
    for box in picture.boxes:
        if box.operation is not None:
            data |= {box.name}
            yield _Step(data, grads, {box.name: "accent"}, [_valued(box)])
    uses: dict[str, list[tuple[Box, Arrow]]] = {}
    for box in picture.boxes:
        for arrow in box.operation.arrows if box.operation else ():
            uses.setdefault(arrow.tail, []).append((box, arrow))
    (root,) = (boxes[name] for name in picture.roots)
    grads |= {root.name}
    yield _Step(data, grads, {root.name: "backward"}, [_flow(root, root, [])])
    for box in reversed(picture.boxes):
        arrows = box.operation.arrows if box.operation else []
        ready = [a for a in arrows if all(user.name in grads for user, _ in uses[a.tail])]
        known = [a.tail for a in ready if uses[a.tail][0][0] is box]  # the last that flows there
        if not arrows or box.name not in grads:
            continue
        grads |= set(known)
        marked = {box.name: "backward"} | {arrow.name: "backward" for arrow in arrows}
        marked |= dict.fromkeys(known, "backward")
        captions = [_flow(root, boxes[name], uses[name]) for name in known]
        yield _Step(data, grads, marked, captions)


def _lines(step: _Step, room: float) -> list[Line]:
    """The parts of a list, as many in a line as fit; or the lines of the caption as they are."""
    if not step.is_list:
        return step.caption
    lines: list[Line] = []
    for part in step.caption:
        longer = joined(lines[-1], ", ", part) if lines else part
        if lines and line_width(longer, FORMULA) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _valued(box: Box) -> Line:
    """`z = w·x + b = 0.5`."""
    return joined(box.formula, *_number(box.data, box, 0)) if box.data else box.formula


def _number(text: str, box: Box, which: int) -> tuple[str, Line]:
    """The value or the gradient of a box after a sign, which says whether it is rounded."""
    known = as_float((box.numbers or (None, None))[which])
    exact = as_float(text.replace("−", "-")) == known
    color = "backward" if which else "ink"
    return f" {'=' if exact else '≈'} ", (Span(text, "mn", color=color),)


def _name(box: Box) -> Line:
    signs = [i for i, span in enumerate(box.formula) if span.text == " = "]
    return box.formula[: signs[0]] if signs else box.formula


def _quotient(root: Box, box: Box) -> Line:
    return joined([Span("∂")], _name(root), "/", [Span("∂")], _name(box))


def _flow(root: Box, box: Box, uses: Sequence[tuple[Box, Arrow]]) -> Line:
    """`∂L/∂z = ∂L/∂y·(1 − y²) = 0.2`: the gradient of a box from those that use it."""
    terms: list[Line] = []
    for user, arrow in uses:
        loose = any(span.text in (" + ", " − ") and not span.shift for span in arrow.formula)
        factor = joined("(", arrow.formula, ")") if loose else arrow.formula
        flow = arrow.formula if user is root else joined(_quotient(root, user), "·", factor)
        terms += [(Span(" + "),), flow]
    right = joined(" = ", *terms[1:]) if terms else ()
    number = _number(box.grad, box, 1) if box.grad else ()
    if number and plain(number[1]) == plain(right[1:]):  # ∂L/∂b = 1 = 1
        number = ()
    return joined(_quotient(root, box), right, *number)


def _gif(frames: Sequence[str], seconds: float, scale: float) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise renderers.RenderingError(
            "a film needs Pillow: pip install 'micrograd-engine[plot]'"
        ) from None
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
