"""The command `rules`, which shows the rule cards of operations."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from micrograd.commands.options import CommandError, add_output, deliver, reported
from micrograd.writing import languages
from micrograd.writing.marks import MATH_STYLE

if TYPE_CHECKING:
    from micrograd.derivation import RuleCard


HELP = "show the rule cards of operations"
DESCRIPTION = (
    "Show the formula, the derivatives and the domain of each operation named, or of all "
    "operations.\n"
    "  micrograd rules tanh relu --lang zh"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("names", nargs="*", metavar="OPERATION", help="operations (default all)")
    add_output(parser, "output file: .html, a page with curves, or .md")


def rules(options: argparse.Namespace) -> None:
    """Print rule cards, or write them to a file."""
    from micrograd.derivation import rule_card, rule_cards

    with reported():
        cards = [rule_card(name, options.lang) for name in options.names]
    cards = cards or rule_cards(options.lang)
    match options.out and options.out.suffix.lower():
        case None:
            text = "\n".join(card.text() for card in cards)
        case ".html":
            text = _page(cards, options.lang)
        case ".md":
            text = "\n".join(card.markdown() for card in cards)
        case _:
            raise CommandError(f"the output file must end in .html or .md, got {options.out}")
    deliver(text, options.out, options.lang)


def _page(cards: Sequence[RuleCard], lang: str) -> str:
    """A page of cards, for a screen of any width and for paper."""
    from micrograd.drawing.frame import asset

    words = languages.words(lang, "card")
    title, shown = words["page title"], "\n".join(card.html() for card in cards)
    header = f"<header><h1>{title}</h1><p>{words['page about']}</p></header>"
    style = f"<style>\n{MATH_STYLE}\n{asset('cards.css', __package__)}</style>\n"
    return page(title, f"{header}\n<main>\n{shown}\n</main>", lang, style)


def page(title: str, body: str, lang: str, style: str = "") -> str:
    """Return a page of HTML with this title, which is text, and these elements."""
    from micrograd.drawing.frame import asset

    tag = languages.words(lang, "language")["tag"]
    return asset("page.html", __package__).format(
        tag=tag, title=escape(title), style=style, body=body
    )
