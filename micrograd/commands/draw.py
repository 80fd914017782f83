"""The command `draw`, which draws the computation graph of an expression."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.commands.explain import derivation
from micrograd.commands.expression import add_arguments, graph
from micrograd.commands.options import CommandError, add_output, add_theme, reported, tell

if TYPE_CHECKING:
    from micrograd.drawing.computation_graph import ComputationGraph
    from micrograd.engine.value import Value


HELP = "draw the computation graph of an expression"
DESCRIPTION = (
    "Draw the computation graph of an expression, with its gradients. The suffix of the file "
    "determines the format: svg, png and jpg, for which a Graphviz renderer is needed; pdf, for "
    "which Graphviz itself is needed; html, a page to step through; md, a derivation with a "
    "Mermaid graph; tex, mmd, gv, json or txt; gif, a film.\n"
    '  micrograd draw "tanh(x * w + b)" x=2 w=-3 b=6.5 --compact -o neuron.svg'
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    option = parser.add_argument
    add_arguments(parser)
    add_output(parser, "output file; without it, a text tree is printed")
    add_theme(parser)
    option(
        "--direction",
        help="LR (from left to right, the default), RL, TB (from top to bottom) or BT; a compact "
        "picture is read from left to right or from top to bottom by default, whichever fits",
    )
    option(
        "--compact",
        action="store_true",
        help="draw one box for each named value, with typeset formulas and partials",
    )
    option("--width", type=int, help="how wide a compact picture may be, in pixels (default 700)")
    option("--scale", type=float, default=1.0, help="enlarge a PNG, such as 2 (default 1)")
    option("--partials", action="store_true", help="write the local derivatives on the arrows")
    option(
        "--contributions",
        action="store_true",
        help="write on each arrow what it contributes to the gradient",
    )


def draw(options: argparse.Namespace) -> None:
    """Draw an expression's graph into a file, or print it as a tree."""
    from micrograd.drawing import RenderingError, film
    from micrograd.drawing.formats import SUFFIXES
    from micrograd.drawing.named.builder import WIDTH
    from micrograd.drawing.page import step_page
    from micrograd.files import suffix, write

    output, variables = graph(options)
    output.backward()
    path: Path | None = options.out
    with reported(RenderingError, writing=path):
        if path is None:
            print(_picture(output, options).tree())
            return
        kind = suffix(path, (*SUFFIXES, ".html", ".md", ".gif"))
        if kind == ".html":
            pictorial = (options.theme, options.direction, options.partials, options.contributions)
            if pictorial != ("light", None, False, False) or options.compact:
                raise CommandError(
                    "an html page shows every step in its own colours: omit --theme, --direction, "
                    "--partials, --contributions and --compact"
                )
            step_page(output, path, lang=options.lang, title=options.expression)
        elif kind == ".md":
            drawn = _picture(output, options).mermaid()
            text = derivation(output, variables, list(variables), options.lang).markdown()
            write(path, f"```mermaid\n{drawn}\n```\n\n{text}")
        elif kind == ".gif":
            film(
                output,
                path,
                width=options.width or WIDTH,
                theme=options.theme,
                lang=options.lang,
                scale=options.scale,
            )
        else:
            _picture(output, options).write(path, scale=options.scale)
    tell(f"wrote {path}", options.lang)


def _picture(output: Value, options: argparse.Namespace) -> ComputationGraph:
    from micrograd.derivation.chain import Chain
    from micrograd.derivation.naming import unlabelled
    from micrograd.drawing import draw_dot

    if options.compact:
        kind: dict[str, Any] = {"level": "named", "width": options.width}
    elif options.width is None:
        kind = {"names": unlabelled(Chain(output).names)}  # as in the derivation
    else:
        raise CommandError("--width is how wide a compact picture may be: add --compact")
    return draw_dot(
        output,
        theme=options.theme,
        direction=options.direction,
        local_partials=options.partials,
        contributions=options.contributions,
        lang=options.lang,
        **kind,
    )
