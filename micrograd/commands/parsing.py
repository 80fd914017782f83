"""The parser of command lines: its help in every language, and its error messages."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, NoReturn

from micrograd.commands.terminal import printable
from micrograd.writing import languages
from micrograd.writing.labels import columns, filled, pieces
from micrograd.writing.messages import meant
from micrograd.writing.messages import message as said_in

_USAGE = "usage: "


class Parser(argparse.ArgumentParser):
    """A parser whose error messages quote what was typed and suggest what was meant.

    Words that begin with a minus sign arrive with a space before them, which messages omit; control
    characters are escaped.

    Args:
        **options: those of `argparse.ArgumentParser`.

    >>> parser = Parser(prog="prog")
    >>> _ = parser.add_argument("--width")
    >>> parser.suggestions("unrecognized arguments: --widht")
    "; did you mean '--width'?"
    """

    lang = "en"
    """The language of its messages; `translate` sets it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **options})

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read a command line; a word that this parser does not know is an error of its own.

        Otherwise argparse would report the word for all commands together.

        Args:
            args: the words.
            namespace: where to put the options; a new one by default.
        """
        options, unknown = super().parse_known_args(args, namespace)
        # Values of names may follow the options; argparse takes only those before them.
        for action in self._actions:
            if action.nargs == argparse.ZERO_OR_MORE and not action.option_strings:
                later = [*takewhile(lambda word: not word.startswith("-"), unknown)]
                unknown = unknown[len(later) :]
                if later:
                    before = getattr(options, action.dest) or ()
                    setattr(options, action.dest, [*before, *self._converted(action, later)])
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, []

    def _converted(self, action: argparse.Action, words: list[str]) -> list[Any]:
        """What an argument makes of words."""
        try:
            return [self._get_value(action, word) for word in words]
        except argparse.ArgumentError as error:
            self.error(str(error))

    def error(self, message: str) -> NoReturn:
        """Print the usage and the error message, and exit with 2."""
        reason = re.sub(r"(?<=[' ]) -", "-", message)
        self.print_usage(sys.stderr)
        said = said_in(reason + self.suggestions(reason), self.lang)
        self.exit(2, f"{said_in(f'{self.prog}: error: ', self.lang)}{said}\n")

    def _get_formatter(self) -> argparse.HelpFormatter:
        formatter = super()._get_formatter()
        if isinstance(formatter, _Formatter):
            formatter.usage = said_in(_USAGE, self.lang)
        return formatter

    def suggestions(self, message: str) -> str:
        """Return a suggestion to append to the message, or an empty string."""
        choice = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if choice:
            typed, known = choice[1], re.split(", ", choice[2].replace("'", ""))
        else:
            found = re.search(r"unrecognized arguments:.*?(--[\w-]+)", message)
            if not found:
                return ""
            typed, known = found[1], [*self._option_string_actions]
        return meant(typed, known)

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(printable(message), file)


class _Formatter(argparse.HelpFormatter):
    """Formats help by display width: a Chinese character takes two columns.

    Each example keeps its own line.
    """

    usage = _USAGE  # the word in the language of the help

    def format_help(self) -> str:
        """Return the text, whose lines are as wide as those in English."""
        text = super().format_help().replace("：:", "：")  # argparse adds a colon to each title
        if not text.startswith(_USAGE):
            return text
        return self.usage + " " * (len(_USAGE) - columns(self.usage)) + text[len(_USAGE) :]

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [*filled(pieces(" ".join(text.split())), width)]

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for part in text.split("\n"):
            lines += [part] if part.startswith("  ") else self._split_lines(part, width)
        return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def language_of(words: list[str]) -> str:
    """Return the language in which a command line asks for help; English if it is unknown.

    >>> language_of(["draw", "--lang", "zh", "--help"]), language_of(["--lang=zh"]), language_of([])
    ('zh', 'zh', 'en')
    """
    for word, following in zip(words, (*words[1:], ""), strict=bool(words)):
        name, equals, value = word.partition("=")
        if name == "--lang":
            found = value if equals else following
            return found if found in languages.languages() else "en"
    return "en"


def translate(parser: argparse.ArgumentParser, lang: str) -> None:
    """Set the language of the help, and the default language of what the commands write.

    Args:
        parser: a parser whose help is in English.
        lang: the language; texts without a translation stay in English.
    """
    if isinstance(parser, Parser):
        parser.lang = lang
    texts = languages.words(lang, "help")
    parser.description = _translated(parser.description, texts)
    parser.epilog = _translated(parser.epilog, texts)
    for group in parser._action_groups:
        group.title = _translated(group.title, texts)
    for action in parser._actions:
        action.help = _translated(action.help, texts)
        if action.dest == "lang":
            action.default = lang
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                listed.help = _translated(listed.help, texts)
            for command in action.choices.values():
                translate(command, lang)


def _translated(text: str | None, texts: Mapping[str, str]) -> str | None:
    """Translate a text; an example after it, on its own line, is kept."""
    if text is None:
        return None
    said, line, example = text.partition("\n")
    return texts.get(said, said) + line + example
