"""Runs the examples of a page of the site, and makes the pictures and pages that it shows.

A page is Markdown. Its fenced blocks are read in their order, with the same variables throughout:

- ```` ```python ```` with `>>>`: examples whose outputs must be as printed (`...` stands for any).
- ```` ```python NAME.py ````: a file of that name, for the commands below it.
- ```` ```console ````: commands (`micrograd …`, `python …`, `pytest …`); they must succeed, unless
  `# exit status N` follows. A ```` ```text ```` block right after it is what they print.
- ```` ```{show} EXPRESSION ````: what the expression gives, shown to the reader: a picture, a page,
  a derivation, a table, or a file, named by its path. Its body has the options `:alt:`, a text for
  readers who cannot see it, and, for a page, `:height:` in pixels. `lang` is the page's language; a
  picture that is drawn with `width=width` is drawn for a wide and for a narrow screen. It may use
  the names of `tools()`, too.
"""

from __future__ import annotations

import doctest
import html
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from examples._training import WIDTH

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(?P<info>[^`\n]*)\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MADE = "made"
"""The folder, within that of the site, of the pictures and pages that examples make."""
HEIGHT = 520  # of an embedded page, in pixels
WIDTHS = (680, 362)  # of pictures, in pixels: within the margins of a page, and of a phone


class ExampleError(Exception):
    """An example fails, or its output is not the printed one."""


@dataclass
class Block:
    """A fenced block: what follows the fence, the body, and where it stands in the text."""

    info: str
    body: str
    start: int
    end: int
    line: int

    @property
    def options(self) -> dict[str, str]:
        """The options of a `{show}`."""
        return dict(re.findall(r"^:(\w+): (.*)$", self.body, flags=re.MULTILINE))


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page."""
    return [
        Block(
            found["info"].strip(),
            found["body"],
            found.start(),
            found.end(),
            text.count("\n", 0, found.start()) + 1,
        )
        for found in FENCE.finditer(text)
    ]


@contextmanager
def folder() -> Iterator[None]:
    """Work in a new folder, from which Python imports, as a reader would, and return."""
    before, loaded = Path.cwd(), set(sys.modules)
    with tempfile.TemporaryDirectory() as temporary:
        os.chdir(temporary)
        sys.path.insert(0, temporary)
        try:
            yield
        finally:
            sys.path.remove(temporary)
            os.chdir(before)
            for name in set(sys.modules) - loaded:
                if str(getattr(sys.modules[name], "__file__", "")).startswith(temporary):
                    del sys.modules[name]


def run(name: str, texts: Mapping[str, str], out: Path | None = None) -> dict[str, str]:
    """Run the examples of a page, once for all languages: a test says that they have the same code.

    Args:
        name: the name of the page, such as "howto/nan".
        texts: the page in each language; what the first one prints is compared.
        out: the folder of the site, with a folder for each language, where what is shown is
            written; by default, a temporary one.

    Returns:
        The page for Sphinx in each language: what is shown stands in place of the blocks that ask
        for it.

    Raises:
        ExampleError: an example fails, or prints something else.
    """
    first = next(iter(texts))
    pages = {lang: Page(lang, text) for lang, text in texts.items()}
    variables: dict[str, Any] = {"__name__": "__main__", "lang": first}
    printed = ""
    end_of_commands = None
    with folder():
        out = Path.cwd() if out is None else out
        for number, same in enumerate(zip(*map(blocks, texts.values()), strict=True)):
            block = same[0]
            language, _, rest = block.info.partition(" ")
            place = f"{first}/{name}.md, line {block.line}"
            try:
                if language == "{show}":
                    for page, its in zip(pages.values(), same, strict=True):
                        values = [
                            eval(rest, {**tools(), **variables, "lang": page.lang, "width": width})  # noqa: S307 (ours)
                            for width in (WIDTHS if "width=width" in rest else WIDTHS[:1])
                        ]
                        stem = f"{name.replace('/', '-')}-{number}"
                        up = "../" * name.count("/")
                        where = out / page.lang
                        page.replace(its, shown(values, stem, its.options, where, up, page.lang))
                elif language == "python" and rest:
                    Path(rest).write_text(block.body, encoding="utf-8")
                    for page, its in zip(pages.values(), same, strict=True):
                        page.replace(
                            its, f"```{{code-block}} python\n:caption: {rest}\n\n{its.body}```"
                        )
                elif language == "python":
                    check_python(block.body, variables, place)
                elif language == "console":
                    printed = "".join(map(command, block.body.splitlines()))
                elif language == "text" and follows(texts[first], end_of_commands, block):
                    check_output(block.body, printed)
                end_of_commands = block.end if language == "console" else None
            except ExampleError as error:
                raise ExampleError(f"{place}: {error}") from None
            except Exception as error:
                raise ExampleError(f"{place}: {type(error).__name__}: {error}") from error
    return {lang: page.written() for lang, page in pages.items()}


class Page:
    """A page in a language, some of whose blocks are replaced.

    Attributes:
        lang: the language.
    """

    def __init__(self, lang: str, text: str) -> None:
        self.lang = lang
        self._text = text
        self._parts: list[str] = []
        self._position = 0

    def replace(self, block: Block, by: str) -> None:
        """Write something in place of a block; blocks are replaced in their order."""
        self._parts += [self._text[self._position : block.start], by]
        self._position = block.end

    def written(self) -> str:
        """The page with what replaces its blocks."""
        return "".join([*self._parts, self._text[self._position :]])


def follows(text: str, end: int | None, block: Block) -> bool:
    """Whether a block stands directly after what ends there."""
    return end is not None and not text[end : block.start].strip()


def tools() -> dict[str, Any]:
    """What the expression of a `{show}` may use without an import."""
    from micrograd import drawing
    from micrograd.derivation import rule_card

    return {
        "Path": Path,
        "drawing": drawing,
        "nn": import_module("nn"),
        "rule_card": rule_card,
        "table": Table,
    }


@dataclass
class Table:
    """A table: the headings, and the rows of texts."""

    headings: list[str]
    rows: list[list[str]]

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self.headings)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
            for row in self.rows
        )
        return f"<table><tr>{head}</tr>{body}</table>"


def check_python(body: str, variables: dict[str, Any], place: str) -> None:
    """Run the examples of a block, which must print what the page shows."""
    if ">>>" not in body:
        raise ExampleError("a block of Python has no >>>, so nothing checks it")
    test = doctest.DocTestParser().get_doctest(body, {}, place, place, 0)
    test.globs = variables  # not a copy: functions of earlier blocks see what is defined later
    said = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    failed = runner.run(test, out=said.write, clear_globs=False).failed
    if failed:
        raise ExampleError(said.getvalue())


def check_output(expected: str, printed: str) -> None:
    """Compare what commands print with what the page shows."""
    checker = doctest.OutputChecker()
    if not checker.check_output(expected, printed, FLAGS):
        raise ExampleError(f"expected:\n{expected}got:\n{printed}")


def command(line: str) -> str:
    """Carry out a command and return what it prints."""
    line, _, remark = line.partition("  # exit status ")
    program, *arguments = shlex.split(line, comments=True) or [""]
    if program == "micrograd":
        from micrograd.commands.main import main

        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            try:
                code = main(arguments)
            except SystemExit as leaving:  # a wrong option, or --help
                code = int(leaving.code or 0)
        printed = said.getvalue()
    elif program in ("python", "pytest"):
        words = arguments if program == "python" else ["-m", "pytest", *arguments]
        done = subprocess.run(  # noqa: S603 (no shell)
            [sys.executable, *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        )
        code, printed = done.returncode, done.stdout + done.stderr
    else:
        return ""  # such as pip
    if code != int(remark or 0):
        raise ExampleError(f"`{line}` ends with the exit status {code}:\n{printed}")
    return printed


def shown(
    values: list[Any], stem: str, options: dict[str, str], out: Path, up: str, lang: str
) -> str:
    """The Markdown that shows a value.

    Args:
        values: the value; and, if there is one, the picture for a narrow screen.
        stem: of the names of the files that are written into the folder of the site.
        options: `alt`, a text for readers who cannot see it, and `height` of a page.
        out: the folder of the site.
        up: the way from the page to that folder.
        lang: the language of what has words.
    """
    alt = html.escape(options.get("alt", ""), quote=True)
    files = []
    for value, name in zip(values, (stem, f"{stem}.narrow"), strict=False):
        kind, content = form(value, lang)
        if kind == "fragment":
            return f"```{{raw}} html\n<div class='made'>{content}</div>\n```"
        if not alt:
            raise ExampleError("what is shown has no :alt:")
        (out / MADE).mkdir(parents=True, exist_ok=True)
        file = f"{MADE}/{name}.{kind}"
        (out / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        files.append(f"{up}{file}")
    if kind == "html":
        height = int(options.get("height", HEIGHT))
        frame = f'<iframe src="{files[0]}" title="{alt}" loading="lazy" height="{height}"></iframe>'
        link = f'<a href="{files[0]}" target="_blank">{alt} ↗</a>'
        return figure(f"{frame}<figcaption>{link}</figcaption>")
    return figure(image(files, kind, alt))


def image(files: list[str], kind: str, alt: str) -> str:
    """The element of a picture: its file, and one for a narrow screen, if there is one."""
    element = f'<img class="{kind}" src="{files[0]}" alt="{alt}" loading="lazy">'
    for narrow in files[1:]:
        source = f'<source media="(max-width: {WIDTHS[0]}px)" srcset="{narrow}">'
        element = f"<picture>{source}{element}</picture>"
    return element


def figure(element: str) -> str:
    """An element within a figure, as Markdown."""
    return f'```{{raw}} html\n<figure class="made">{element}</figure>\n```'


def form(value: Any, lang: str) -> tuple[str, str | bytes]:
    """A suffix and the content of a file; or "fragment" and a piece of HTML, in a language."""
    if isinstance(value, Path):
        return value.suffix[1:], value.read_bytes()
    if isinstance(value, str) and value.lstrip().lower().startswith("<!doctype html"):
        return "html", value
    if hasattr(value, "pipe"):  # a graph
        return "svg", value.pipe(format="svg", encoding="utf-8")
    if hasattr(value, "_repr_svg_"):
        return "svg", value._repr_svg_()
    if hasattr(value, "savefig"):  # of Matplotlib
        picture, (width, height) = io.BytesIO(), value.get_size_inches()
        value.set_size_inches(WIDTH, height * WIDTH / width)
        value.savefig(picture, format="png", dpi=200)
        return "png", picture.getvalue()
    for method in ("html", "_repr_html_"):
        if hasattr(value, method):
            written = getattr(value, method)
            words = {"lang": lang} if "lang" in signature(written).parameters else {}
            return "fragment", written(**words).strip().replace("\n\n", "\n")
    raise ExampleError(f"cannot show {type(value).__name__}")
