"""`live_page(output, path)`: one HTML file in which a graph follows the sliders of its leaves."""

from __future__ import annotations

import html
import math
import os
import zlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from micrograd.drawing.frame import (
    Page,
    asset,
    color_variables,
    compact,
    framed,
    island,
    saved,
    titles_in,
    words_of,
)
from micrograd.engine.value import Value
from micrograd.live.pictures import layouts
from micrograd.live.samples import samples
from micrograd.live.story import Story, settings
from micrograd.writing import languages
from micrograd.writing.marks import MATH_STYLE

MAX_VALUES = 100
_SCRIPTS = (
    *("numbers.js", "picture.js", "ways.js", "board.js", "latex.js", "valley.js", "plots.js"),
    "main.js",
)
_UNPACKING = ("inflate.js", "unpacking.js")


def live_page(
    output: Value,
    path: str | os.PathLike[str] | None = None,
    *,
    learn: Iterable[Value | str] | Value | str | None = None,
    data: Sequence[Mapping[Any, float]] | Mapping[Any, Sequence[float]] | None = None,
    names: Mapping[str, Any] | Any | None = None,
    rate: float = 0.1,
    lang: str = "en",
    title: str | Mapping[str, str] = "",
    max_values: int = MAX_VALUES,
) -> Page:
    """Write an HTML page on which a reader moves the leaves of a graph, and everything follows.

    The page shows the compact picture of the graph. Each leaf has a slider and a field for its
    number; values, gradients, and the derivation of a chosen gradient follow at once. The reader
    can nudge a leaf, and compare the change of the output with what the derivative predicts, and
    let leaves learn by gradient descent.

    The file needs no other file and no network. It computes as the engine does, by formulas of the
    table in JavaScript. The address has the state: `page.html#w=-2&x=1&steps=100` opens the page
    there, after 100 steps of descent from these numbers. Other keys are `rate`; `sample`, the
    number of a sample or `all`; `wrt`, the leaf whose derivative is shown; `nudge`, how far it is
    moved; `lang`; and `hide`, for a page in an article: it lists, with commas, parts of the page
    that are not shown (`title`, `buttons`, `samples`, `legend`, `derivation`, `nudge`, `descent`,
    `valley`, `cards` for the last two, or `all` but the picture) and leaves that have no slider and
    whose number cannot be typed (or `sliders`, for all leaves); samples and descent still change
    them. A name of a leaf and of a part means the leaf. The element of each value has the
    attributes `data-name`, `data-value` and `data-gradient`, with all digits.

    Args:
        output: the value at the top of the graph.
        path: the file to write; without it, nothing is written.
        learn: the leaves that descent moves, as Values or by their names; by default, those whose
            names are usual for weights, such as w and b.
        data: samples to choose from: a list of mappings from the names of leaves to numbers, or a
            mapping from the names to columns of numbers. The page opens with the mean over all.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        rate: the learning rate.
        lang: the language in which the page opens, "en" or "zh"; readers can switch to the others.
        title: the title of the page, or one for each language in a dict.
        max_values: the most named values that are shown.

    Returns:
        The text of the page, a `str`, which a notebook shows in a frame.

    Raises:
        TypeError: an operation of the graph has a `_backward` that was written by hand.
        NotImplementedError: an operation of the graph was defined by a Python function.
        ValueError: the graph is too large, a name is not that of a leaf, or `data` is not a table.

    >>> x, w, y = (Value(n, label=label) for n, label in ((2.0, "x"), (0.5, "w"), (3.0, "y")))
    >>> page = live_page((x * w - y) ** 2, learn="w", data={"x": [1, 2], "y": [2, 4]})
    >>> len(page) < 60_000
    True
    """
    languages.checked(lang)
    story = Story(output, names, max_values)
    inputs, rows = samples(data, lambda name: story.leaf(name, "data"), len(story.nodes))
    if learn is None:
        learning = [leaf for leaf in story.weights() if leaf not in inputs]
    else:
        given = [learn] if isinstance(learn, Value | str) else [*learn]
        learning = list(dict.fromkeys(story.leaf(each, "learn") for each in given))
    for leaf in learning:
        if leaf in inputs:
            raise ValueError(f"{story.names[leaf]!r} cannot learn: data gives it its numbers")
    begin = {**settings(story, learning, inputs, rows), "rate": _checked(rate)}
    name = story.cut.names[story.nodes[-1]].text
    titles = titles_in(title, "live", output=name)
    begin["layouts"] = layouts(output, names, max_values)
    return saved(_document(story, begin, lang, titles), path)


def _checked(rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
        raise ValueError(f"rate is a positive number, got {rate!r}")
    return float(rate)


def _document(
    story: Story,
    begin: Mapping[str, Any],
    lang: str,
    titles: Mapping[str, str],
) -> str:
    data, functions = story.data()
    shown = island({**data, **begin, "lang": lang, "words": words_of(titles, "live")})
    begins = compact(asset("formulas.js") + functions)
    sources = [asset("state.js", __package__), asset("words.js")]
    sources += [asset(name, __package__) for name in _SCRIPTS]
    follows = compact("".join([*sources, asset("framing.js")]))
    script = f"{begins}\nconst story={shown};\n{follows}"
    return framed(
        asset("live.html", __package__).format(title=html.escape(titles[lang])),
        lang=lang,
        title=titles[lang],
        style=f"{color_variables()}{MATH_STYLE}{asset('live.css', __package__)}",
        script=compact("".join(asset(name, __package__) for name in _UNPACKING)),
        data=packed(script),
        made=script,
    )


def packed(text: str) -> str:
    """A shorter form of a text, from which `assets/unpacking.js` makes it again."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)  # without a header
    return b64encode(deflate.compress(text.encode()) + deflate.flush()).decode()
