"""The commands about an expression typed by a person, `check`, `explain`, `draw`; and `rules`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from micrograd.commands.typed import Expression
from micrograd.engine.value import Value
from micrograd.table.formulas import FormulaError
from micrograd.writing import languages

if TYPE_CHECKING:
    from micrograd.derivation import Explanation

OUTPUT = "f"  # what the expression itself is called, unless a variable is


class CommandError(Exception):
    """A command cannot be carried out, and the message says why: exit code 2, no traceback."""


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the parsers of these commands."""
    known = languages.languages()
    check_options = commands.add_parser(
        "check",
        help="check the gradient of an expression at a point",
        description="Check the gradient of an expression against independent witnesses. The exit "
        "status is 0 if they confirm it, 1 if one disagrees, 2 if the command cannot be carried "
        "out, and 3 if nothing is wrong but not everything is confirmed, as where a value is "
        'infinite. Example: micrograd check "tanh(x * w + b)" x=2 w=-3 b=6.5',
    )
    _add_expression(check_options)
    check_options.add_argument(
        "--order",
        type=int,
        default=1,
        help="the highest order of the derivatives to check, from 1 to 4 (default 1)",
    )
    check_options.set_defaults(command=check)

    explain_options = commands.add_parser(
        "explain",
        help="derive the gradient of an expression, step by step",
        description="Derive the gradient of an expression by the chain rule, with every number. "
        'Example: micrograd explain "tanh(x1*w1 + b)" x1=2 w1=-3 b=6.88 --wrt w1 --lang zh',
    )
    _add_expression(explain_options)
    explain_options.add_argument(
        "--wrt", metavar="NAME[,NAME]", help="with respect to which names (all of them)"
    )
    explain_options.add_argument("--lang", choices=known, default="en", help="the language")
    explain_options.add_argument(
        "--format", choices=("text", "markdown", "latex"), default="text", help="of the output"
    )
    explain_options.add_argument(
        "--no-tables", action="store_true", help="leave the evaluation tables out"
    )
    explain_options.add_argument(
        "--check", action="store_true", help="compare with differences, which need no chain rule"
    )
    explain_options.set_defaults(command=explain)

    draw_options = commands.add_parser(
        "draw",
        help="draw the computation graph of an expression",
        description="Draw the computation graph of an expression, with its gradients. The suffix "
        "of the file chooses what is written: svg, png, jpg by a Graphviz renderer, pdf by "
        "Graphviz itself; html, a page to step through; md, a derivation with a Mermaid graph; "
        "tex, mmd, gv, json, txt. "
        'Example: micrograd draw "tanh(x * w + b)" x=2 w=-3 b=6.5 -o neuron.svg',
    )
    _add_expression(draw_options)
    draw_options.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help="output file; without it, a text tree is printed",
    )
    draw_options.add_argument("--lang", choices=known, default="en", help="the language")
    draw_options.add_argument("--theme", default="light", help="light, dark or print")
    draw_options.add_argument("--direction", default="LR", help="of reading: LR, TB, RL or BT")
    draw_options.add_argument(
        "--partials", action="store_true", help="write local derivatives on the arrows"
    )
    draw_options.add_argument(
        "--contributions", action="store_true", help="write what flows back along the arrows"
    )
    draw_options.set_defaults(command=draw)

    rules_options = commands.add_parser(
        "rules",
        help="show the rule cards of operations",
        description="Show the formula, the derivatives and the domain of operations, of all if "
        "none is named. Example: micrograd rules tanh relu --lang zh",
    )
    rules_options.add_argument("names", nargs="*", metavar="OPERATION")
    rules_options.add_argument("--lang", choices=known, default="en", help="the language")
    rules_options.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="write a page, .html with curves, or .md"
    )
    rules_options.set_defaults(command=rules)


def _add_expression(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("expression", help="arithmetic and calls of operations")
    parser.add_argument("at", nargs="*", metavar="NAME=NUMBER", help="the value of each name")


# ------------------------------------------------------------------------------------- the commands


def check(options: argparse.Namespace) -> int:
    """Check the gradient of an expression, and print the report.

    Returns 0 if it is confirmed, 1 if it is wrong, and 3 if the check is undecided.
    """
    from micrograd.testing import check_gradients
    from micrograd.testing.options import order

    function, point = _expression(options.expression, options.at)
    try:
        highest = order(options.order)
    except ValueError as error:
        raise CommandError(f"--{error}") from None
    report = check_gradients(function, *point, order=highest, raise_exception=False)
    print(report)
    return 0 if report else 1 if report.is_wrong else 3


def explain(options: argparse.Namespace) -> int:
    """Print the derivation of an expression's gradient."""
    if options.format == "latex" and (options.check or options.lang != "en"):
        raise CommandError("--format latex gives equations alone: leave --check and --lang out")
    output, variables = _graph(options)
    explanation = _explanation(output, variables, options.wrt, options.lang)
    tables = {"tables": not options.no_tables, "check": options.check}
    match options.format:
        case "text":
            print(explanation.text(**tables), end="")
        case "markdown":
            print(explanation.markdown(**tables), end="")
        case _:
            print(explanation.latex())
    return 0


def draw(options: argparse.Namespace) -> int:
    """Draw an expression's graph into a file, or print it as a tree."""
    from micrograd.drawing import RenderingError, draw_dot
    from micrograd.drawing.page import step_page
    from micrograd.files import write

    output, variables = _graph(options)
    output.backward()
    path: Path | None = options.out
    try:
        if path is not None and path.suffix.lower() == ".html":
            _refuse_options_of_pictures(options)
            step_page(output, path, lang=options.lang, title=options.expression)
        else:
            graph = draw_dot(
                output,
                names=_named(output),
                theme=options.theme,
                direction=options.direction,
                local_partials=options.partials,
                contributions=options.contributions,
                lang=options.lang,
            )
            if path is None:
                print(graph.tree())
                return 0
            if path.suffix.lower() == ".md":
                derivation = _explanation(output, variables, None, options.lang).markdown()
                text = f"```mermaid\n{graph.mermaid()}\n```\n\n{derivation}"
                write(path, text)
            else:
                graph.write(path)
    except (RenderingError, ValueError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"cannot write to {path}: {error.strerror or error}") from error
    print(f"wrote {path}")
    return 0


def _named(output: Value) -> dict[str, Value]:
    """The names that a derivation gives, v1 and so on, so that picture and derivation agree."""
    from micrograd.derivation.chain import Chain

    return Chain(output).unlabelled()


def _refuse_options_of_pictures(options: argparse.Namespace) -> None:
    if (
        options.theme != "light"
        or options.direction != "LR"
        or options.partials
        or (options.contributions)
    ):
        raise CommandError(
            "an html page shows every step in colours of its own: leave --theme, --direction, "
            "--partials and --contributions out"
        )


def rules(options: argparse.Namespace) -> int:
    """Print rule cards, or write them to a file."""
    from micrograd.derivation import rule_card, rule_cards
    from micrograd.files import write

    try:
        cards = [rule_card(name, options.lang) for name in options.names]
    except ValueError as error:
        raise CommandError(str(error)) from None
    cards = cards or rule_cards(options.lang)
    path: Path | None = options.out
    if path is None:
        print("\n".join(card.text() for card in cards), end="")
        return 0
    if path.suffix.lower() == ".html":
        tag = languages.words(options.lang, "language")["tag"]
        text = _RULES.format(lang=tag, body="\n".join(card.html() for card in cards))
    elif path.suffix.lower() == ".md":
        text = "\n".join(card.markdown() for card in cards)
    else:
        raise CommandError(f"-o takes a file that ends in .html or .md, got {path}")
    try:
        write(path, text)
    except OSError as error:
        raise CommandError(f"cannot write to {path}: {error.strerror or error}") from error
    print(f"wrote {path}")
    return 0


_RULES = """\
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


# ------------------------------------------------------------------------------ what a person typed


def _expression(text: str, assignments: Sequence[str]) -> tuple[Expression, list[float]]:
    """The expression as a function of its names, and their numbers. Raises CommandError."""
    names, point = [], []
    for assignment in assignments:
        name, equals, number = assignment.partition("=")
        try:
            point.append(float(number))
        except ValueError:
            raise CommandError(
                f"expected NAME=NUMBER, such as x=0.5; got {assignment!r}"
                if not equals
                else f"{assignment!r}: {number!r} is no number"
            ) from None
        names.append(normalize("NFKC", name.strip()))  # as Python reads the names in the text
    try:
        return Expression(text, names), point
    except FormulaError as error:
        hint = "; give each name a number, NAME=NUMBER" if "unknown name" in str(error) else ""
        raise CommandError(f"{error}{hint}") from None


def _graph(options: argparse.Namespace) -> tuple[Value, dict[str, Value]]:
    """The value of the expression, and the variables by name."""
    function, point = _expression(options.expression, options.at)
    variables = {
        name: Value(number, label=name) for name, number in zip(function.names, point, strict=True)
    }
    output = function(*variables.values())
    if not isinstance(output, Value):
        raise CommandError(f"{options.expression!r} is a number; it depends on no name")
    if not output.label and OUTPUT not in variables:
        output.label = OUTPUT
    return output, variables


def _explanation(
    output: Value, variables: dict[str, Value], wrt: str | None, lang: str
) -> Explanation:
    from micrograd import explain as explained

    names = [name.strip() for name in wrt.split(",")] if wrt is not None else list(variables)
    for name in names:
        if name not in variables:
            known = ", ".join(variables)
            raise CommandError(f"--wrt {name}: there is no such name; the names are {known}")
    try:
        return explained(output, [variables[name] for name in names], lang=lang)
    except ValueError as error:
        raise CommandError(str(error)) from None
