"""The command `explain`, which derives the gradient of an expression."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from micrograd.commands.expression import add_arguments, graph, symbolic_graph
from micrograd.commands.options import CommandError, add_output, add_theme, deliver, reported, tell
from micrograd.commands.rules import page
from micrograd.files import suffix
from micrograd.writing.names import typeset

if TYPE_CHECKING:
    from micrograd.derivation import Explanation
    from micrograd.engine.value import Value


_FORMATS = {
    ".txt": "text",
    ".md": "markdown",
    ".tex": "latex",
    ".html": "html",
    **dict.fromkeys((".svg", ".png", ".pdf"), "picture"),
}
"""What is written into a file, by its suffix; `--format` names all but pictures."""


HELP = "derive the gradient of an expression, step by step"
DESCRIPTION = (
    "Derive the gradient of an expression by the chain rule. Without values for the names, the "
    "derivation is in symbols only.\n"
    '  micrograd explain "tanh(x1*w1 + b)" x1=2 w1=-3 b=6.88 --wrt w1 --lang zh'
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    option = parser.add_argument
    add_arguments(parser)
    option("--wrt", metavar="NAME[,NAME]", help="names to differentiate by (default all)")
    add_output(
        parser,
        "output file: .txt, .md, .tex, .html, or a picture of the formulas, .svg, .png or .pdf; "
        "without it, the derivation is printed",
    )
    add_theme(parser)
    option(
        "--style",
        choices=("board", "full"),
        default="board",
        help="a closed form, as on a blackboard, or every value and path (default %(default)s)",
    )
    option(
        "--width",
        type=int,
        metavar="COLUMNS",
        help="columns of a line, for --style board (default 76)",
    )
    option(
        "--format",
        choices=("text", "markdown", "latex", "html"),
        help="format of the output (default: by the suffix of the file, else text)",
    )
    option("--no-tables", action="store_true", help="omit the evaluation tables of --style full")
    option("--check", action="store_true", help="compare the results with finite differences")


def explain(options: argparse.Namespace) -> None:
    """Print the derivation of an expression's gradient, or write it to a file."""
    form = _form(options)
    if form in ("latex", "picture") and options.check:
        raise CommandError("LaTeX and pictures show equations only: omit --check")
    if form != "picture" and options.theme != "light":
        raise CommandError("--theme is for pictures, .svg, .png or .pdf: omit it")
    style: dict[str, Any] = {"style": options.style}
    if options.style == "board":
        style |= {"numbers": bool(options.at), "width": options.width}
    elif options.width is not None:
        raise CommandError("--width is an option of --style board")
    is_symbolic = options.style == "board" and not options.at
    if is_symbolic and options.check:
        raise CommandError("--check needs a value for each name, NAME=NUMBER")
    output, variables = symbolic_graph(options) if is_symbolic else graph(options)
    names = list(variables) if options.wrt is None else options.wrt.split(",")
    explanation = derivation(output, variables, names, options.lang, **style)
    if form == "picture":
        _draw(explanation, options)
        return
    if form == "latex":
        text = f"{explanation.latex()}\n"
    else:
        tables = {"tables": False} if options.no_tables else {}
        text = getattr(explanation, form)(check=options.check, **tables)
    if form == "html":
        text = page(options.expression, text, options.lang)
    deliver(text, options.out, options.lang)


def _form(options: argparse.Namespace) -> str:
    """What is to be written, as `--format` or the suffix of the file says."""
    if options.format or options.out is None:
        return options.format or "text"
    with reported():
        return _FORMATS[suffix(options.out, _FORMATS)]


def _draw(explanation: Explanation, options: argparse.Namespace) -> None:
    """Write the equations as a picture, at twice the size if it is made of pixels."""
    from micrograd.drawing import RenderingError, draw_formula

    with reported(RenderingError, writing=options.out):
        picture = draw_formula(explanation, theme=options.theme, lang=options.lang)
        picture.write(options.out, scale=2)
    tell(f"wrote {options.out}", options.lang)


def derivation(
    output: Value, variables: dict[str, Value], names: list[str], lang: str, **style: Any
) -> Explanation:
    """Return the derivation with respect to the variables of these names."""
    from micrograd import explain as explained

    spelled = {typeset(name): value for name, value in variables.items()}
    targets = []
    for name in map(str.strip, names):
        target = variables.get(name, spelled.get(typeset(name)))
        if target is None:
            known = ", ".join(variables)
            raise CommandError(f"--wrt {name}: there is no such name; the names are {known}")
        targets.append(target)
    with reported():
        return explained(output, targets, lang=lang, **style)
