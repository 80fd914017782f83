"""The command `explain`, which derives the gradient of an expression."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from micrograd.commands.errors import CommandError, reported
from micrograd.commands.expression import add_arguments, graph, symbolic_graph
from micrograd.commands.options import add_language, add_output, deliver
from micrograd.writing.names import typeset

if TYPE_CHECKING:
    from micrograd.derivation import Explanation
    from micrograd.engine.value import Value


_FORMATS = {".md": "markdown", ".tex": "latex"}


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the options of the command."""
    parser = commands.add_parser(
        "explain",
        help="derive the gradient of an expression, step by step",
        description="Derive the gradient of an expression by the chain rule. Without values for "
        "the names, the derivation is in symbols only.\n"
        '  micrograd explain "tanh(x1*w1 + b)" x1=2 w1=-3 b=6.88 --wrt w1 --lang zh',
    )
    add_arguments(parser)
    parser.add_argument(
        "--wrt", metavar="NAME[,NAME]", help="names to differentiate by (default all)"
    )
    add_output(
        parser,
        "output file: .txt, .md or .tex, unless --format says otherwise; without it, the "
        "derivation is printed",
    )
    add_language(parser)
    parser.add_argument(
        "--style",
        choices=("board", "full"),
        default="board",
        help="a closed form, as on a blackboard, or every value and path (default board)",
    )
    parser.add_argument(
        "--width",
        type=int,
        metavar="COLUMNS",
        help="columns of a line, for --style board (default 76)",
    )
    parser.add_argument(
        "--format",
        choices=("text", "markdown", "latex"),
        help="format of the output (default: by the suffix of the file, else text)",
    )
    parser.add_argument(
        "--no-tables", action="store_true", help="omit the evaluation tables of --style full"
    )
    parser.add_argument(
        "--check", action="store_true", help="compare the results with finite differences"
    )
    parser.set_defaults(command=explain)


def explain(options: argparse.Namespace) -> int:
    """Print the derivation of an expression's gradient, or write it to a file."""
    form = options.format or _FORMATS.get(options.out.suffix.lower() if options.out else "", "text")
    if form == "latex" and (options.check or options.lang != "en"):
        raise CommandError("--format latex prints equations only: omit --check and --lang")
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
    tables = {"check": options.check}
    if options.no_tables:
        tables["tables"] = False
    match form:
        case "text":
            text = explanation.text(**tables)
        case "markdown":
            text = explanation.markdown(**tables)
        case _:
            text = f"{explanation.latex()}\n"
    deliver(text, options.out, options.lang)
    return 0


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
