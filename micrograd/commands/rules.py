"""The command `rules`, which shows the rule cards of operations."""

from __future__ import annotations

import argparse
from typing import Any

from micrograd.commands.errors import CommandError, reported
from micrograd.commands.options import add_language, add_output
from micrograd.writing import languages


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the options of the command."""
    parser = commands.add_parser(
        "rules",
        help="show the rule cards of operations",
        description="Show the formula, the derivatives and the domain of each operation named, or "
        "of all operations. Example: micrograd rules tanh relu --lang zh",
    )
    parser.add_argument("names", nargs="*", metavar="OPERATION", help="operations (default all)")
    add_language(parser)
    add_output(parser, "output file: .html, a page with curves, or .md")
    parser.set_defaults(command=rules)


def rules(options: argparse.Namespace) -> int:
    """Print rule cards, or write them to a file."""
    from micrograd.derivation import rule_card, rule_cards
    from micrograd.files import write

    with reported():
        cards = [rule_card(name, options.lang) for name in options.names]
    cards = cards or rule_cards(options.lang)
    if options.out is None:
        print("\n".join(card.text() for card in cards), end="")
        return 0
    match options.out.suffix.lower():
        case ".html":
            tag = languages.words(options.lang, "language")["tag"]
            text = _PAGE.format(lang=tag, body="\n".join(card.html() for card in cards))
        case ".md":
            text = "\n".join(card.markdown() for card in cards)
        case _:
            raise CommandError(f"the output file must end in .html or .md, got {options.out}")
    with reported(writing=options.out):
        write(options.out, text)
    print(f"wrote {options.out}")
    return 0


_PAGE = """\
<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>micrograd</title>
<style>
body {{ font: 16px/1.5 sans-serif; margin: 1rem auto; max-width: 70rem; padding: 0 1rem;
  display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }}
.card {{ min-width: 0; overflow-x: auto; padding: .5rem 1rem;
  border: 1px solid #c3ccd5; border-radius: .4rem; }}
.card h2 {{ margin: 0; font-size: 1.1rem; }}
.scroll {{ overflow-x: auto; }}
figure {{ margin: 0; font-size: .85rem; }}
mtd {{ text-align: left; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
