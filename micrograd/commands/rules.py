"""The command `rules`, which shows the rule cards of operations."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
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
            text = _page(cards, languages.words(options.lang, "card"), options.lang)
        case ".md":
            text = "\n".join(card.markdown() for card in cards)
        case _:
            raise CommandError(f"the output file must end in .html or .md, got {options.out}")
    deliver(text, options.out, options.lang)


def _page(cards: Sequence[RuleCard], words: Mapping[str, str], lang: str) -> str:
    """A page of cards, for a screen of any width and for paper."""
    return _PAGE.format(
        lang=languages.words(lang, "language")["tag"],
        title=words["page title"],
        about=words["page about"],
        math=MATH_STYLE,
        body="\n".join(card.html() for card in cards),
    )


_PAGE = """\
<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --paper: #fff; --ink: #1f2933; --faint: #68737f; --rule: #c3ccd5;
  --grid: #e3e8ed; --axis: #9aa5b1; --function: #3f73b0; --slope: #b4431f; }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ --paper: #14181d; --ink: #e6eaee;
  --faint: #95a1ad; --rule: #3d4751; --grid: #2c343c; --axis: #66727e; --function: #6aaef0;
  --slope: #ff9a76; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 Helvetica, Arial, "Noto Sans CJK SC", "Microsoft YaHei",
  "PingFang SC", sans-serif; }}
h1 {{ font-size: 1.5rem; margin: 0; }}
header p {{ margin: .3rem 0 1rem; color: var(--faint); }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr));
  gap: 1rem; }}
.card {{ min-width: 0; padding: .7rem 1rem; border: 1px solid var(--rule); border-radius: .4rem;
  display: flex; flex-direction: column; }}
.card h2 {{ margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }}
.card p {{ margin: .3rem 0; }}
.scroll {{ overflow-x: auto; }}
.kept {{ white-space: nowrap; }}
{math}math[display="block"] {{ width: fit-content; margin: .3rem 0; font-size: .95em; }}
mtd {{ text-align: left; }}
.aligned {{ math-style: normal; }}
figure {{ margin: auto 0 0; padding-top: .4rem; }}
figure svg {{ display: block; width: 100%; max-width: 21rem; height: auto; }}
figcaption {{ font-size: .85rem; color: var(--faint); }}
.curve .grid {{ stroke: var(--grid); }} .curve .axes {{ stroke: var(--axis); }}
.curve .numbers {{ fill: var(--faint); }} .curve .function {{ stroke: var(--function); }}
.curve .slope {{ stroke: var(--slope); }} .curve .slope.end {{ fill: var(--paper); }}
.curve .function.end {{ fill: var(--function); }}
@media (max-width: 46rem) {{ .card {{ padding: .7rem; }} .scroll {{ font-size: .88rem; }} }}
@page {{ size: A4; margin: 14mm; }}
@media print {{
  :root {{ font-size: 9.5pt; }}
  body {{ max-width: none; padding: 0; font-size: 1rem; }}
  main {{ display: block; columns: 2; column-gap: 6mm; }}
  .card {{ display: block; break-inside: avoid; margin: 0 0 5mm; }}
  .scroll {{ overflow: visible; }}
  figure svg {{ max-width: 62mm; }}
}}
</style>
</head>
<body>
<header><h1>{title}</h1><p>{about}</p></header>
<main>
{body}
</main>
</body>
</html>
"""
