"""Write the tutorials of the site as notebooks for Jupyter and Colab: `python -m docs.notebooks`.

The pages are the only source. Examples become cells without prompts and outputs, files are written
by `%%writefile`, commands are run with `!`, and a cell shows what the page shows. The first cell
installs the package where it is missing.
"""

from __future__ import annotations

import argparse
import doctest
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.site.examples import Block, blocks
from docs.site.languages import WORDS
from micrograd.files import write

FOLDER = Path(__file__).with_name("site")
TOUR = FOLDER.parents[1] / "examples" / "tour.ipynb"
INSTALL = """\
import sys
from importlib.util import find_spec

if find_spec("micrograd") is None or find_spec("nn") is None:
    %pip install -q "micrograd-engine[all]"

import nn
from micrograd import drawing

lang, width = "{lang}", 680  # of the pictures
get_ipython().ast_node_interactivity = "all"  # show every result of a cell, not only the last"""
EXAMPLES = """
if find_spec("examples") is None:  # beside the repository, it is a part of the package
    import micrograd.examples

    sys.modules["examples"] = micrograd.examples"""
TABLE = """


def table(headings, rows):
    return [row for row in [headings, *rows] if row]"""
"""Names that some pages use and that the package does not provide."""


def tutorials(lang: str) -> dict[str, Path]:
    """The tutorials of a language, by name."""
    found = sorted((FOLDER / lang / "tutorials").glob("*.md"))
    return {path.stem: path for path in found if path.stem != "index"}


def notebook(text: str, lang: str) -> dict[str, Any]:
    """A page as a notebook, without outputs.

    Args:
        text: the page, in Markdown as `docs.site.examples` describes it.
        lang: its language, "en" or "zh".
    """
    first = INSTALL.format(lang=lang)
    first += EXAMPLES * ("from examples" in text) + TABLE * ("{show} table(" in text)
    made = list(cells(text))
    made.insert(1 if made and made[0]["cell_type"] == "markdown" else 0, code(first))
    return {
        "cells": [{"id": f"c{i:02}", **cell} for i, cell in enumerate(made)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def cells(text: str) -> Iterator[dict[str, Any]]:
    """The cells of a page."""
    position, after_commands = 0, False
    for block in blocks(text):
        between = text[position : block.start]
        made = list(of_block(block, after_commands and not between.strip()))
        if made or after_commands:
            yield from markdown(between)
            yield from made
            position = block.end
        after_commands = block.info == "console"
    yield from markdown(text[position:])


def of_block(block: Block, is_output: bool) -> Iterator[dict[str, Any]]:
    """The cells of a fenced block; empty if the block stays in the text or is an output."""
    language, _, rest = block.info.partition(" ")
    if language == "python" and rest:
        yield code(f"%%writefile {rest}\n{block.body.rstrip()}")
    elif language == "python":
        yield from examples(block.body)
    elif language == "console":
        lines = list(filter(None, map(command, block.body.splitlines())))
        if lines:
            yield code("\n".join(lines))
    elif language == "{show}":
        yield code(rest)
    elif language != "text" or not is_output:
        yield from markdown(f"```{block.info}\n{block.body}```")


def examples(body: str) -> Iterator[dict[str, Any]]:
    """The cells of examples; one that raises an error is alone in its cell."""
    together: list[str] = []
    for example in doctest.DocTestParser().get_examples(body):
        if example.exc_msg is None:
            together.append(example.source)
            continue
        if together:
            yield code("".join(together))
        together = []
        yield code(example.source, tags=["raises-exception"])
    if together:
        yield code("".join(together))


def command(line: str) -> str:
    """A command of a page as a line of a cell; empty for one that installs something."""
    line = re.sub(r" *# exit status \d+$", "", line)
    program, _, rest = line.partition(" ")
    modules = {"micrograd": "-m micrograd", "pytest": "-m pytest", "python": ""}
    if program not in modules:
        return ""
    return f"!{{sys.executable}} {modules[program]} {rest}".replace("  ", " ")


def markdown(text: str) -> Iterator[dict[str, Any]]:
    """A cell of text; links to other pages of the site become plain text."""
    text = re.sub(r"\[([^\]]*)\]\((?![a-z]+:)[^)]*\)", r"\1", text).strip()
    if text:
        yield {"cell_type": "markdown", "metadata": {}, "source": text}


def code(source: str, **metadata: Any) -> dict[str, Any]:
    """A cell of code."""
    source = source.rstrip()
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def write_notebook(text: str, lang: str, path: Path) -> None:
    """Write a page as a notebook."""
    write(path, json.dumps(notebook(text, lang), ensure_ascii=False, indent=1) + "\n")


def offered(name: str, text: str, lang: str, out: Path) -> str:
    """Write the notebook of a page of the site, and return the link to it.

    Args:
        name: the name of the page, such as "tutorials/gpt"; the list of tutorials offers the tour.
        text: the page.
        lang: its language.
        out: the folder of the language in the site.
    """
    stem = name.rpartition("/")[2]
    if stem == "index":
        file, words = TOUR.name, WORDS[lang]["tour"]
        write(out / "notebooks" / file, TOUR.read_bytes())
    else:
        file, words = f"{stem}.ipynb", WORDS[lang]["notebook"]
        write_notebook(text, lang, out / "notebooks" / file)
    return f'```{{raw}} html\n<p><a href="../notebooks/{file}" download>{words}</a></p>\n```'


def main() -> None:
    """Write the notebooks of all tutorials."""
    parser = argparse.ArgumentParser(description="Write the tutorials as notebooks.")
    parser.add_argument("--out", type=Path, default=Path("build/notebooks"), help="their folder")
    out = parser.parse_args().out
    for lang in WORDS:
        for name, path in tutorials(lang).items():
            write_notebook(path.read_text(encoding="utf-8"), lang, out / lang / f"{name}.ipynb")
            print(f"wrote {out / lang / name}.ipynb")


if __name__ == "__main__":
    main()
