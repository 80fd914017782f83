"""What every page of one HTML file has: its frame, a content-security policy, words and colours."""

from __future__ import annotations

import html
import json
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from micrograd.drawing.themes import THEMES, Theme
from micrograd.files import write
from micrograd.writing import languages
from micrograd.writing.labels import one_line
from micrograd.writing.marks import DRAWN_ACCENTS, Mark


class Page(str):
    """The text of a page, which a notebook shows in a frame."""

    def _repr_html_(self) -> str:
        source = html.escape(self)
        return f'<iframe srcdoc="{source}" style="width:100%;height:440px;border:0"></iframe>'


_NOT_PAGES = frozenset(".svg .png .pdf .jpg .jpeg .gif .gv .dot .mmd .tex .json .md".split())


def saved(page: str, path: str | os.PathLike[str] | None) -> Page:
    """The text as a page, which is written to the path if there is one."""
    if path is not None:
        if Path(path).suffix.lower() in _NOT_PAGES:
            raise ValueError(
                f"{os.fspath(path)!r}: a page to step through or to play with is HTML: end the "
                "name in .html, or write a picture by draw(value).write(path)"
            )
        write(path, page)
    return Page(page)


def framed(
    body: str,
    *,
    lang: str,
    title: str,
    style: str,
    script: str,
    data: Mapping[str, Any] | str,
    made: str = "",
) -> str:
    """Return a page whose policy forbids everything but its own style and script.

    Args:
        body: the elements of the page.
        lang: the language in which the page opens.
        title: the title, as text.
        style: the style sheet.
        script: the script, which finds `data` in the element `story`.
        data: what the script shows, which is written as JSON, or a text that is written as it is.
        made: another script, which the first one makes of the text.
    """
    scripts = " ".join(f"'{content_hash(each)}'" for each in (script, made) if each)
    policy = (
        f"default-src 'none'; style-src '{content_hash(style)}'; "
        f"script-src {scripts}; base-uri 'none'; form-action 'none'"
    )
    is_text = isinstance(data, str)
    return asset("frame.html").format(
        lang=html.escape(languages.words(lang, "language")["tag"]),
        policy=policy,
        title=html.escape(title),
        style=style,
        body=body,
        kind="text/plain" if is_text else "application/json",
        data=data if is_text else island(data),
        script=script,
    )


def asset(name: str, package: str = "micrograd.drawing") -> str:
    """A file in the folder `assets` of a package, without indentation and comments."""
    text = (resources.files(package) / "assets" / name).read_text(encoding="utf-8")
    lines = (line.lstrip() for line in text.splitlines(keepends=True))
    return "".join(line for line in lines if not line.startswith("//"))


def compact(script: str) -> str:
    """A script without indentation, comments, spaces around signs, and most ends of lines.

    No text in it goes over several lines. Lines with a regular expression, which has slashes
    without spaces around them, stay as they are.
    """
    lines = []
    for line in script.splitlines():
        kept = re.sub(r"(^| )// .*", "", line.strip())
        if not re.search(r"/(?! )|(?<! )/", kept):
            parts = re.split('("[^"]*"|`[^`]*`)', kept)
            for pattern in (r" ([-+*]=) ", r" ([-+*]) (?=[^-+ ])", r" ?([=<>!&|?:;,{}()]+) ?"):
                parts[::2] = [re.sub(pattern, r"\1", part) for part in parts[::2]]
            kept = "".join(parts)
        lines.append(kept)
    return re.sub(r"(?<=[;{},(]) *\n+", "", "\n".join(filter(None, lines)))


def content_hash(text: str) -> str:
    """The name of an inline style or script in a content-security policy."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def island(data: Any) -> str:
    """JSON that can stand in a script element, because no tag can begin or end in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


# -------------------------------------------------------------------------------------------- words


def titles_in(title: str | Mapping[str, str], part: str, **shown: str) -> dict[str, str]:
    """The title of a page in each language: what the caller gave, or that of the page's words."""
    titles = {}
    for lang in languages.languages():
        given = title if isinstance(title, str) else title.get(lang, "")
        titles[lang] = one_line(given) or languages.words(lang, part)["title"].format(**shown)
    return titles


def words_of(titles: Mapping[str, str], *parts: str) -> dict[str, dict[str, str]]:
    """The words of a page in each language, the language's own name and tag, and the title."""
    words = {}
    for lang, title in titles.items():
        texts = {key: text for part in parts for key, text in languages.words(lang, part).items()}
        own = {f"language {key}": text for key, text in languages.words(lang, "language").items()}
        words[lang] = {**texts, **own, "title": title}
    return words


def brief(mark: Any, places: Mapping[Mark, int]) -> Any:
    """A mark in brief, for `formulas.js`: names as their numbers, numbers and signs as texts."""
    if not isinstance(mark, tuple):
        return mark
    if not isinstance(mark[0], str):  # a row of cases
        return [brief(part, places) for part in mark]
    if mark in places:
        return places[mark]
    if mark[0] in ("mn", "mo") and (mark[0] == "mn") == mark[1][0].isdigit():
        return mark[1]
    if mark[0] == "mover":
        return ["mover", brief(mark[1], places), DRAWN_ACCENTS.get(mark[2], mark[2])]
    return [_TAGS.get(mark[0], mark[0]), *(brief(part, places) for part in mark[1:])]


_TAGS = {"mrow": "r", "mi": "i", "msup": "^", "msub": "_", "mfrac": "/", "fence": "(", "func": "u"}


# ------------------------------------------------------------------------------------------ colours

_VARIABLES = {name: f"--{name.replace('_', '-')}" for name in Theme._fields}
THEME = Theme(*(f"var({variable})" for variable in _VARIABLES.values()))
"""The theme whose colours `color_variables` defines."""


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
