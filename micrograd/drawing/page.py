"""`step_page(output, path)`: one HTML file in which a reader steps through a graph.

Values are computed one after the other; then gradients flow back, each step with its formulas and
their numbers. The file contains its style and its script, a content-security policy forbids
everything else, and all texts enter the document as text.
"""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from typing import Any

from micrograd.drawing.frame import (
    THEME,
    Page,
    asset,
    color_variables,
    framed,
    saved,
    titles_in,
    words_of,
)
from micrograd.drawing.named.builder import DIGITS
from micrograd.drawing.picture import Picture
from micrograd.drawing.spans import Line, Span, line_width, plain, with_pairs
from micrograd.drawing.steps import Equation, Step
from micrograd.drawing.svg import svg
from micrograd.drawing.walkthrough import Walkthrough
from micrograd.engine.value import Value
from micrograd.writing import languages

_SCRIPTS = ("story.js", "words.js", "page.js")
_SIZE, _ROOM = 14.0, (245.0, 245.0)  # of formulas in a frame of 700 × 420 pixels
_ROW, _BETWEEN = 19.6, 4.9  # the height of a line, and what is between equations


def step_page(
    output: Value,
    path: str | os.PathLike[str] | None = None,
    *,
    model: Any = None,
    level: str | None = None,
    names: Mapping[str, Any] | Any | None = None,
    lang: str = "en",
    title: str | Mapping[str, str] = "",
    digits: int = DIGITS,
    max_nodes: int | None = None,
    live: str = "",
) -> Page:
    """Write an HTML page on which a reader steps through the graph below a value.

    The page shows the picture of `draw`. All given values are one step; then each named value is
    computed, or each layer of a model, and the gradients flow back in the opposite order. It fits a
    frame of 700 × 420 pixels, and a phone.

    No renderer is needed, and the page needs no other file. Gradients need not have been computed:
    the page computes those that `backward` would, and changes none. The address `page.html#12`
    opens the page at step 12, and `page.html#zh-12` in Chinese too.

    Args:
        output: the value at the top of the graph.
        path: the file to write; without it, nothing is written.
        model: a network that the graph was computed with, to step through its layers: any object
            with `.layers`, whose members have `.neurons`, which have `.w` and `.b`.
        level: what one step computes: a "named" value, which is the default without a model; a
            "layer" of the model, which is the default with one; or a "neuron" of it.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        lang: the language in which the page opens, "en" or "zh"; readers can switch to the others.
        title: the title of the page, or one for each language in a dict.
        digits: how many significant digits numbers have.
        max_nodes: the most named values that the graph may have; by default, 200, or 2,000 if a
            step computes a layer.
        live: the address of a live page of the graph, which the page links to: such as the name of
            a file that `live_page` wrote into the same folder.

    Returns:
        The text of the page, a `str`, which a notebook shows in a frame.

    Raises:
        TypeError: if `model` is not shaped like a model.
        ValueError: if there are more than `max_nodes` named values, if the model was not applied in
            the graph, or if an option is wrong.

    >>> x = Value(3.0, label="x")
    >>> page = step_page(x * x)
    >>> page.count("<svg")  # one for wide and one for narrow screens
    2
    """
    languages.checked(lang)
    walk = Walkthrough(output, names, model, level, digits, max_nodes)
    titles = titles_in(title, "page", output=walk.title)
    link = f'<a href="{html.escape(live)}" data-say="live"></a>' if live else ""
    return saved(_document(walk, lang, titles, link), path)


def _document(walk: Walkthrough, lang: str, titles: Mapping[str, str], link: str) -> str:
    pictures = zip(("wide-", "narrow-"), walk.pictures, strict=True)
    body = asset("page.html").format(
        title=html.escape(titles[lang]),
        link=link,
        pictures="".join(_svg(picture, name) for name, picture in pictures),
    )
    return framed(
        body,
        lang=lang,
        title=titles[lang],
        style=f"{color_variables()}{asset('page.css')}",
        script="".join(map(asset, _SCRIPTS)),
        data=_data(walk, lang, titles),
    )


# ------------------------------------------------------------------------------------------ content


def _data(walk: Walkthrough, lang: str, titles: Mapping[str, str]) -> dict[str, Any]:
    places = {box.name: i for i, box in enumerate(walk.boxes)}
    return {
        "lang": lang,
        "words": words_of(titles, "page"),
        "values": [
            {
                "id": box.name,
                "name": plain(box.title),
                "line": _spans(box.title),
                "data": box.data,
                "grad": box.grad,
            }
            for box in walk.boxes
        ],
        "arrows": [[arrow.name, places[arrow.tail], places[head]] for arrow, head in walk.arrows()],
        "steps": [_step(step, places) for step in walk.steps],
    }


def _step(step: Step, places: Mapping[str, int]) -> dict[str, Any]:
    tall = sum(_BETWEEN + _ROW * _rows(equation) for equation in step.equations)
    data: dict[str, Any] = {
        "kind": step.kind,
        "boxes": [places[name] for name in step.boxes],
        "receivers": [places[name] for name in step.receivers],
        "equations": [_equation(each, is_brief=tall > _ROOM[1]) for each in step.equations],
    }
    if step.layer is not None:
        data["layer"] = step.layer
    return data


def _rows(equation: Equation) -> int:
    """How many rows an equation has with its figures; a part begins a row if it does not fit."""
    rows, used = 1, 0.0
    for part in (equation.symbols, equation.figures, equation.result):
        wide = line_width(part, _SIZE)
        if used and used + wide > _ROOM[0]:
            rows, used = rows + 1, 0.0
        rows += int((used + wide) // _ROOM[0])
        used = (used + wide) % _ROOM[0]
    return rows + len(equation.matrix)


def _equation(equation: Equation, *, is_brief: bool) -> dict[str, Any]:
    parts = [equation.symbols, () if is_brief else equation.figures, equation.result]
    data: dict[str, Any] = {
        "text": equation.text,
        "parts": [_spans(part) for part in parts if part],
    }
    if equation.matrix:
        data["matrix"] = equation.matrix
    return data


_CLASSES = {-1: ("sub",), 0: (), 1: ("sup",)}


def _spans(line: Line) -> list[Any]:
    """The spans of a line: a text alone, or a text with its classes in the style sheet.

    The two scripts of one letter are a list of two lists of spans, the upper one first.
    """
    spans: list[Any] = []
    for runs in with_pairs(line):
        if len(runs) > 1:
            runs.sort(key=lambda run: -run[0].shift)
            spans.append([[*map(_span, run)] for run in runs])
            continue
        for span in map(_span, runs[0]):
            if spans and isinstance(span, str) and isinstance(spans[-1], str):
                spans[-1] += span
            else:
                spans.append(span)
    return spans


def _span(span: Span) -> Any:
    classes = [*_CLASSES[span.shift]]
    if span.tag == "mi":
        classes.append("i")
    if span.color != "ink":
        classes.append(span.color.replace("_", "-"))
    return [span.text, *classes] if classes else span.text


def _svg(picture: Picture, prefix: str) -> str:
    """The picture after the last step; its id, and the beginning of all others, is the prefix."""
    text = svg(picture._replace(title=""), THEME).replace('<g id="', f'<g id="{prefix}')
    return text[text.index("<svg ") :].replace("<svg ", f'<svg id="{prefix}" ', 1)
