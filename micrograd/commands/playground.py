"""The command `playground`, which writes the page on which a reader trains a network."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any

from micrograd.commands.options import CommandError, add_output, deliver, reported

_LISTS = ("layers", "activation", "features")


HELP = "write a page on which a reader trains a small network"
DESCRIPTION = (
    "Write one HTML file in which a reader trains a small network and looks into it. Settings are "
    "those in the address of the page.\n"
    "  micrograd playground data=spiral layers=8,8 activation=tanh -o page.html"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    option = parser.add_argument
    option(
        "settings",
        nargs="*",
        metavar="NAME=VALUE",
        help="what the page opens with: kind, data, features, layers, activation, output, init, "
        "loss, optimizer, rate, penalty, strength, batch, samples, noise, test, classes, seed, "
        "speed, flat, tests, steps",
    )
    option("--model", type=Path, metavar="FILE", help="a trained model, as Module.save writes it")
    add_output(parser, "output file; without it, the page is printed")


def playground(options: argparse.Namespace) -> None:
    """Write the page into a file, or print it."""
    from nn.models import load_model
    from nn.pages import playground as page_of

    settings = dict(map(_setting, options.settings))
    model = None
    if options.model is not None:
        with reported(reading=options.model):
            model = load_model(options.model)
    with reported(TypeError):
        page = page_of(model, lang=options.lang, **settings)
    deliver(page, options.out, options.lang, ".html", ".htm")


def _setting(text: str) -> tuple[str, Any]:
    """A setting and its value, which is a number, a list or a word."""
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier() or name in ("model", "path", "lang", "title"):
        raise CommandError(f"expected NAME=VALUE, such as layers=8,8, got {text!r}")
    if name in _LISTS:
        return name, [_number(each) for each in value.split(",") if each not in ("", "none")]
    return name, _number(value)


def _number(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    with suppress(ValueError):
        number = float(text)
        return int(number) if number.is_integer() else number
    return text
