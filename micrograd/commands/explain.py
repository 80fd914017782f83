"""The command `explain`, which derives the gradient of an expression."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from micrograd.commands.errors import CommandError, reported
from micrograd.commands.expression import add_arguments, graph
from micrograd.commands.options import add_language
from micrograd.writing.names import typeset

if TYPE_CHECKING:
    from micrograd.derivation import Explanation
    from micrograd.engine.value import Value


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the options of the command."""
    parser = commands.add_parser(
        "explain",
        help="derive the gradient of an expression, step by step",
        description="Derive the gradient of an expression by the chain rule, with every number. "
        'Example: micrograd explain "tanh(x1*w1 + b)" x1=2 w1=-3 b=6.88 --wrt w1 --lang zh',
    )
    add_arguments(parser)
    parser.add_argument(
        "--wrt", metavar="NAME[,NAME]", help="names to differentiate by (default all)"
    )
    add_language(parser)
    parser.add_argument(
        "--format",
        choices=("text", "markdown", "latex"),
        default="text",
        help="format of the output (default text)",
    )
    parser.add_argument("--no-tables", action="store_true", help="omit the evaluation tables")
    parser.add_argument(
        "--check", action="store_true", help="compare the results with finite differences"
    )
    parser.set_defaults(command=explain)


def explain(options: argparse.Namespace) -> int:
    """Print the derivation of an expression's gradient."""
    if options.format == "latex" and (options.check or options.lang != "en"):
        raise CommandError("--format latex prints equations only: omit --check and --lang")
    output, variables = graph(options)
    names = list(variables) if options.wrt is None else options.wrt.split(",")
    explanation = derivation(output, variables, names, options.lang)
    tables = {"tables": not options.no_tables, "check": options.check}
    match options.format:
        case "text":
            print(explanation.text(**tables), end="")
        case "markdown":
            print(explanation.markdown(**tables), end="")
        case _:
            print(explanation.latex())
    return 0


def derivation(
    output: Value, variables: dict[str, Value], names: list[str], lang: str
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
        return explained(output, targets, lang=lang)
