"""What a user wrote, for Graphviz, for Mermaid and for a terminal, which then show it literally."""

from __future__ import annotations

import html
import re
from unicodedata import bidirectional, category

from micrograd.writing.labels import without_turns


def html_text(text: str) -> str:
    r"""The text for an HTML-like label of Graphviz.

    Graphviz expands `\N` there even if the backslash is an entity, so it is doubled; and version 2
    stumbles over a cell that is only `]`.
    """
    return '<BR ALIGN="LEFT"/>'.join(
        html.escape(line).replace("]", "&#93;").replace("\\", "\\\\") or " "
        for line in text.split("\n")
    )


def mermaid_text(text: str) -> str:
    """The text for a quoted label of Mermaid: all but letters and digits as `#10;`.

    Mermaid finds its own syntax, HTML and Markdown within quotes too. A line end that is written
    out, mathematics, icons and its inner notation it finds even so; a word joiner, which nobody
    sees, stands within those. HTML has no number for the control characters from 128 to 159.
    """
    text = _EVEN_SO.sub("\\g<0>\u2060", text)
    return "<br/>".join(
        "".join(c if c.isalnum() or "\x80" <= c < "\xa0" else f"#{ord(c)};" for c in line)
        for line in text.split("\n")
    )


_EVEN_SO = re.compile(r"\\(?=n)|\$(?=\$)|:(?=fa-)|ﬂ(?=°)|¶(?=ß)")


def terminal_text(text: str) -> str:
    """The text on one line of a terminal, which obeys no character in it.

    Text that runs from right to left is isolated, so that what follows stays where it is.
    """
    text = without_turns(text.replace("\n", " ⏎ "))
    text = "".join("\ufffd" if category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    if any(bidirectional(c) in _TURNING for c in text):
        text = f"\u2068{text}\u2069"
    return text


_TURNING = frozenset("R AL AN RLE RLO RLI LRE LRO LRI FSI PDF PDI".split())
