"""Links the names of the interface in the examples of a page to their place in the reference."""

from __future__ import annotations

import html
import re
from functools import cache

from docs.site.reference import MODULES, homes

_BLOCK = re.compile(r'<div class="highlight">.*?</div>', re.DOTALL)
_NAME = re.compile(r'<span class="n">(\w+)</span>')
_IMPORT = re.compile(r"from ((?:micrograd|nn)[\w.]*) import (\([^)]*\)|[^\n(]*)")


@cache
def addresses() -> dict[str, str]:
    """For every public name, with its module, the place from the folder of the language."""
    found = {}
    for name, full in homes().items():
        module = max((each for each in MODULES if full.startswith(f"{each}.")), key=len)
        found[name] = f"reference/{module}.html#{full}"
    return found


def imported(code: str) -> dict[str, str]:
    """The places of the names that a piece of code imports from the interface.

    Args:
        code: Python, perhaps with prompts.

    >>> imported(">>> from nn import MLP as Network, fit")
    {'Network': 'reference/nn.html#nn.MLP', 'fit': 'reference/nn.html#nn.fit'}
    """
    code = re.sub(r"^(>>>|\.\.\.) ?", "", code, flags=re.MULTILINE)
    found = {}
    for module, names in _IMPORT.findall(code):
        for name, alias in re.findall(r"(\w+)(?: as (\w+))?", names.partition("#")[0]):
            place = addresses().get(f"{module}.{name}")
            if place:
                found[alias or name] = place
    return found


def linked(page: str, up: str) -> str:
    """A page in HTML whose examples link the names that it has imported so far.

    Args:
        page: the HTML.
        up: the way from the page to the folder of the language, such as "../".
    """
    known: dict[str, str] = {}

    def link(found: re.Match[str]) -> str:
        place = known.get(found[1])
        return f'<a class="api" href="{up}{place}">{found[0]}</a>' if place else found[0]

    def block(found: re.Match[str]) -> str:
        known.update(imported(html.unescape(re.sub("<[^>]+>", "", found[0]))))
        return _NAME.sub(link, found[0])

    return _BLOCK.sub(block, page)
