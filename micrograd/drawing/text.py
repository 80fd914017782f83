"""Text in the labels of Graphviz, which then shows it literally."""

from __future__ import annotations

import html


def html_text(text: str) -> str:
    r"""The text for an HTML-like label, which then shows it literally.

    Graphviz expands `\N` there even if the backslash is an entity, so it is doubled; and version 2
    stumbles over a cell that is only `]`.
    """
    return '<BR ALIGN="LEFT"/>'.join(
        html.escape(line).replace("]", "&#93;").replace("\\", "\\\\") or " "
        for line in text.split("\n")
    )
