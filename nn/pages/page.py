"""`playground(model)`: one HTML file in which a reader trains a small network."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from typing import Any

from micrograd.drawing.frame import (
    Page,
    asset,
    color_variables,
    compact,
    framed,
    saved,
    titles_in,
    words_of,
)
from micrograd.writing import languages
from micrograd.writing.marks import MATH_STYLE
from nn.pages.contents import MOST, contents
from nn.pages.functions import formulas, script

_SHARED = ("words", "framing")  # with other pages
_SCRIPTS = (
    "random data network training archive features state words experiment notation painting plane "
    "diagram explaining walk valley python app controls main framing"
).split()
"""The files of the script, in the order in which they are read."""


def playground(
    model: Any = None,
    path: str | os.PathLike[str] | None = None,
    *,
    data: Any = None,
    lang: str = "en",
    title: str | Mapping[str, str] = "",
    **settings: Any,
) -> Page:
    """Write an HTML page on which a reader trains a small network and looks into it.

    The page needs no other file and no network. Its numbers are those of the engine: activations,
    losses and their derivatives come from the table of operations, and the same seed gives the
    weights of `random.Random(seed)` and the data of `nn.datasets`. The page shows the program in
    Python that does the same, and saves the network as a file that `nn.load_model` reads. Its
    address keeps what the reader has chosen: `page.html#layers=8,8&seed=3&steps=100`. For a page in
    an article, `hide` in the address lists, with commas, what is not shown, nor reached by keys:
    the controls of settings (`kind`, `features`, `layers`, `activation`, which includes that of the
    output, `init`, `loss`, `optimizer`, `rate`, `penalty`, `strength`, `batch`, `samples`, `noise`,
    `test`, `classes`, `seed`, `speed`, `flat` and `tests`), and `title`, `language`, `theme`, `bar`
    (all above the network), `play`, `step`, `reset`, `data`, `sets` (the data sets), `again` (new
    data and weights, by another seed), `network`, `explanation`, `output` (the plane and the
    losses), `valley`, `python` and `save`.

    Args:
        model: a trained model to begin with: an `MLP`, or a `Sequential` of `Layer`, with 2 inputs
            and an output for each class, or one output for two classes; or with 1 input and 1
            output, for a curve; or with 2 inputs and 1 output, for a surface. Without it, the page
            draws first weights.
        path: the file to write; without it, nothing is written.
        data: the samples `(X, y)`, where X has 2 columns and y labels (or numbers, if
            `kind="surface"`), or X has 1 column and y numbers; or the name of a data set:
            `"moons"`, `"circles"`, `"xor"`, `"spiral"` or `"blobs"`, for curves `"line"`,
            `"sine"`, `"parabola"` or `"bend"`, and for surfaces `"plane"` or `"gaussians"`.
        lang: the language in which the page opens; readers can switch to the others.
        title: the title of the page, or one for each language in a dict.
        **settings: with what the page opens, as in its address: `kind`
            (`"classification"`, `"regression"`, which fits a curve, or `"surface"`, which fits
            numbers over the plane), `features` (the inputs, such as
            `["x1", "product"]`), `layers` (the sizes of the hidden layers), `activation` (a name,
            or one for each hidden layer), `output` (the activation of the output), `init` (a name
            in `nn.initializers`), `loss`, `optimizer` (`"sgd"`, `"momentum"` or `"adam"`), `rate`,
            `penalty` (`"none"`, `"l1"` or `"l2"`), `strength`, `batch` (0 for all samples),
            `samples`, `noise`, `test` (in percent), `classes`, `seed`, `speed`, `flat` (True for
            one colour for each class), `tests` (False hides the samples of the test) and `steps`
            (which the page has done when it opens).

    Returns:
        The text of the page, a `str` that a notebook shows in a frame.

    Raises:
        ValueError: if the page cannot show the model or the data, or if there is no such setting.
        TypeError: if the model is not made of layers.

    >>> page = playground(layers=[8, 8], activation="tanh", seed=3)
    >>> len(page.encode()) < 200_000
    True
    """
    languages.checked(lang)
    model_, points, chosen = contents(model, data, settings)
    titles = titles_in(title, "playground")
    story = {
        "lang": lang,
        "words": words_of(titles, "playground", "playground names"),
        "most": MOST,
        "model": model_,
        "points": points,
        "settings": chosen,
        "formulas": formulas(),
    }
    return saved(_document(lang, titles[lang], story), path)


def _document(lang: str, title: str, data: dict[str, Any]) -> str:
    own = "".join(
        asset(f"{name}.js", "micrograd.drawing" if name in _SHARED else __package__)
        for name in _SCRIPTS
    )
    return framed(
        asset("page.html", __package__).format(title=html.escape(title)),
        lang=lang,
        title=title,
        style=f"{color_variables()}{MATH_STYLE}{asset('page.css', __package__)}",
        script=compact(f"{asset('formulas.js')}{script()}{own}"),
        data=data,
    )
