"""The command `export`, which writes an expression and its gradient as source text."""

from __future__ import annotations

import argparse
from pathlib import Path
from unicodedata import normalize

from micrograd.commands.options import CommandError, add_output, add_valued, deliver, reported

HELP = "write an expression and its gradient in JavaScript, Python or C"
DESCRIPTION = (
    "Write an expression and its gradient as a function in another language, which needs no "
    "library. The suffix of the file determines the language: js; mjs, an ES module; py; or c.\n"
    '  micrograd export "tanh(x * w + b)" -o neuron.js'
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    option = parser.add_argument
    option("expression", help="arithmetic and calls of operations")
    option(
        "names",
        nargs="*",
        metavar="NAME",
        help="the parameters in their order (default: as they appear in the expression)",
    )
    add_output(parser, "output file; without it, the source is printed")
    option("--language", help="javascript, python or c (default: by the suffix, else javascript)")
    add_valued(parser, "--name", "f", "name of the function")


def export(options: argparse.Namespace) -> None:
    """Write the source into a file, or print it."""
    from micrograd.export.source import SUFFIXES, export_source

    path: Path | None = options.out
    suffix = "" if path is None else path.suffix.lower()
    language = options.language or SUFFIXES.get(suffix, "" if path else "javascript")
    if not language:
        known = ", ".join(each.removeprefix(".") for each in SUFFIXES)
        raise CommandError(
            f"the suffix of {path} is not one of {known}: choose one of them, or give --language"
        )
    names = [normalize("NFKC", name.strip()) for name in options.names]
    if any("=" in name for name in names):
        alone = " ".join(name.partition("=")[0].strip() for name in names)
        raise CommandError(
            f"a function takes its numbers when it is called: give names only, {alone}"
        )
    with reported(NotImplementedError):
        text = export_source(
            options.expression,
            language.lower(),
            names=names or None,
            name=options.name,
            module=suffix == ".mjs",
            lang=options.lang,
        )
    deliver(text, path, options.lang)
