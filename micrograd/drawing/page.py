"""`step_page(output, path)`: one HTML file in which a reader steps through a graph.

Values appear one by one; then gradients flow back, each step with its formula and its
`before + contribution = after`. The file contains its style and its script, a content-security
policy forbids everything else, and all texts enter the document as text.
"""

from __future__ import annotations

import html
import json
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from typing import Any

from micrograd.drawing.steps import MAX_STEPS_NODES, PageStep, Walkthrough
from micrograd.drawing.themes import THEMES, Theme
from micrograd.engine.value import Value
from micrograd.files import write
from micrograd.writing import languages
from micrograd.writing.labels import one_line
from micrograd.writing.marks import Mark


class Page(str):
    """The text of a page, which a notebook shows in a frame."""

    def _repr_html_(self) -> str:
        source = html.escape(self)
        return f'<iframe srcdoc="{source}" style="width:100%;height:640px;border:0"></iframe>'


def step_page(
    output: Value,
    path: str | os.PathLike[str] | None = None,
    *,
    names: Mapping[str, Any] | Any | None = None,
    lang: str = "en",
    title: str | Mapping[str, str] = "",
    max_nodes: int = MAX_STEPS_NODES,
) -> Page:
    """Write an HTML page on which a reader steps through the graph below a value.

    No renderer is needed, and the page needs no other file. Gradients need not have been computed:
    the page computes those that `backward` would, and changes none. The address `page.html#12`
    opens the page at step 12, and `page.html#zh-12` in Chinese too.

    Args:
        output: the value at the top of the graph.
        path: the file to write; without it, nothing is written.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        lang: the language in which the page opens, "en" or "zh"; readers can switch to the others.
        title: the title of the page, or one for each language in a dict.
        max_nodes: the most values that the graph may have.

    Returns:
        The text of the page, a `str`.

    Raises:
        ValueError: if there are more than `max_nodes` values.

    >>> x = Value(3.0, label="x")
    >>> page = step_page(x * x)
    >>> page.count("<svg")
    1
    """
    languages.checked(lang)
    walk = Walkthrough(output, names, max_nodes, lang)
    titles = {each: _title(walk, title, each) for each in languages.languages()}
    text = _document(walk, lang, titles)
    if path is not None:
        write(path, text)
    return Page(text)


def _title(walk: Walkthrough, title: str | Mapping[str, str], lang: str) -> str:
    given = title if isinstance(title, str) else title.get(lang, "")
    name = walk.chain.name(walk.chain.output).text
    return one_line(given) or languages.words(lang, "page")["title"].format(output=name)


def _document(walk: Walkthrough, lang: str, titles: Mapping[str, str]) -> str:
    style = f"{color_variables()}{asset('page.css')}"
    script = asset("formulas.js") + asset("page.js")
    policy = (
        f"default-src 'none'; style-src '{content_hash(style)}'; "
        f"script-src '{content_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    return asset("page.html").format(
        lang=html.escape(languages.words(lang, "language")["tag"]),
        policy=policy,
        title=html.escape(titles[lang]),
        style=style,
        picture=_picture(walk),
        data=island(_data(walk, lang, titles)),
        script=script,
    )


def asset(name: str, package: str = "micrograd.drawing") -> str:
    """A file in the folder `assets` of a package, without indentation and comments."""
    text = (resources.files(package) / "assets" / name).read_text(encoding="utf-8")
    lines = (line.lstrip() for line in text.splitlines(keepends=True))
    return "".join(line for line in lines if not line.startswith("//"))


def content_hash(text: str) -> str:
    """The name of an inline style or script in a content-security policy."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def island(data: Any) -> str:
    """JSON that can stand in a script element, because no tag can begin or end in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


# ------------------------------------------------------------------------------------------ content


def _data(walk: Walkthrough, lang: str, titles: Mapping[str, str]) -> dict[str, Any]:
    data, _ = walk.known(len(walk.steps))
    names = [walk.chain.name(node) for node in walk.chain.nodes]
    places = {name.mark: i for i, name in enumerate(names)}
    return {
        "lang": lang,
        "words": {each: _words(each, title) for each, title in titles.items()},
        "values": [
            {"name": name.text, "mark": name.mark, "data": number}
            for name, number in zip(names, data, strict=True)
        ],
        "steps": [_step(step, places) for step in walk.steps],
    }


def _words(lang: str, title: str) -> dict[str, str]:
    """The words of the page in a language, and the language's own name and tag."""
    language = {f"language {key}": text for key, text in languages.words(lang, "language").items()}
    return {**languages.words(lang, "page"), **language, "title": title}


def _step(step: PageStep, places: Mapping[Mark, int]) -> dict[str, Any]:
    data: dict[str, Any] = {
        "kind": step.kind,
        "value": step.value,
        "lines": [brief(line.mark, places) for line in step.lines],
    }
    if step.receiver >= 0:
        data |= {"receiver": step.receiver, "grad": step.gradient}
    if step.kind == "backward":
        data["edge"] = f"n{step.value}e{step.place}"
    return data


def brief(mark: Any, places: Mapping[Mark, int]) -> Any:
    """A mark in brief, for `formulas.js`: names as their numbers, numbers and signs as texts."""
    if not isinstance(mark, tuple):
        return mark
    if mark in places:
        return places[mark]
    if mark[0] in ("mn", "mo") and (mark[0] == "mn") == mark[1][0].isdigit():
        return mark[1]
    return [_TAGS.get(mark[0], mark[0]), *(brief(part, places) for part in mark[1:])]


_TAGS = {"mrow": "r", "mi": "i", "msup": "^", "msub": "_", "mfrac": "/", "fence": "(", "func": "u"}


# ------------------------------------------------------------------------------------------ colours

_VARIABLES = {name: f"--{name.replace('_', '-')}" for name in Theme._fields}


def _picture(walk: Walkthrough) -> str:
    """The picture after the last step, in colours that the style sheet defines."""
    theme = Theme(*(f"var({variable})" for variable in _VARIABLES.values()))
    return walk.sketch().text(walk.after(len(walk.steps)), theme)


def color_variables() -> str:
    """The colours of the light and the dark theme, as variables of the style sheet."""

    def block(theme: Theme) -> str:
        return "".join(f"{_VARIABLES[name]}:{color};" for name, color in theme._asdict().items())

    dark = block(THEMES["dark"])
    return (
        f":root{{{block(THEMES['light'])}}}"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}\n"
    )
