"""The generated pages of the site: the interface, rule cards, the command line, changes."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType
from typing import Any

from docs.site.docstrings import chinese, summary
from docs.site.languages import WORDS
from micrograd.commands import main
from micrograd.derivation import rule_cards
from micrograd.ops import TABLE

ROOT = Path(__file__).parents[2]
MODULES = (
    *("micrograd", "micrograd.compiler", "micrograd.derivation", "micrograd.drawing"),
    *("micrograd.testing", "micrograd.testing.strategies"),
    *("nn", "nn.module", "nn.layers", "nn.functional", "nn.initializers", "nn.losses"),
    *("nn.optimizers", "nn.schedules", "nn.metrics", "nn.classification", "nn.datasets"),
    *("nn.models", "nn.history", "nn.callbacks", "nn.training", "nn.prediction", "nn.derivations"),
    *("nn.pages", "nn.plots", "nn.sklearn"),
)
"""The modules that users import from, in the order of the reference."""


def exported(module: ModuleType) -> dict[str, Any]:
    """What a module offers: its `__all__`, or else what it defines."""
    names = getattr(module, "__all__", None) or [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    ]
    return {name: getattr(module, name) for name in names}


def is_ours(thing: Any) -> bool:
    """Whether a function or class belongs to this project."""
    return (getattr(thing, "__module__", "") or "").split(".")[0] in ("micrograd", "nn")


def homes() -> dict[str, str]:
    """Every public name with its module, and the name under which it is described.

    A name that several modules offer is described once, in the first of them.
    """
    found, described = {}, {}
    for module in MODULES:
        for name, thing in exported(import_module(module)).items():
            if inspect.ismodule(thing) or not (callable(thing) and is_ours(thing)):
                continue
            found[f"{module}.{name}"] = described.setdefault(id(thing), f"{module}.{name}")
    return found


def generated(lang: str) -> dict[str, str]:
    """The text of each generated page, by its file name."""
    pages = {f"reference/{module}.rst": text for module, text in interface(lang)}
    words = WORDS[lang]
    entries = "\n".join(f"   {module}" for module in MODULES)
    pages["reference/api.rst"] = (
        f"{title(words['api'])}\n{words['api about']}\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{entries}\n"
    )
    pages["reference/cards.rst"] = cards(lang)
    pages["reference/commands.rst"] = commands(lang)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n")[2]
    pages["changes.md"] = f"# {words['changes']}\n\n{words['changes about']}\n{changes}"
    return pages


def title(text: str, line: str = "=") -> str:
    """A heading in reStructuredText; Chinese characters are twice as wide."""
    return f"{text}\n{line * (2 * len(text))}\n"


def interface(lang: str) -> Iterator[tuple[str, str]]:
    """For each module, its page."""
    described = homes()
    for name in MODULES:
        module = import_module(name)
        about = summary(module.__doc__ or "")
        about = (chinese(about) if lang == "zh" else "") or about
        parts = [title(name), f"\n{about}\n"]
        operations = []
        for key, thing in exported(module).items():
            full = f"{name}.{key}"
            if full not in described:
                continue
            if described[full] != full:
                role = "class" if inspect.isclass(thing) else "func"
                parts.append(
                    f"\n``{full}``\n   {WORDS[lang]['same as']} :py:{role}:`{described[full]}`.\n"
                )
            elif key in TABLE:
                operations.append(f"\n.. autofunction:: {full}\n")
            else:
                parts.append(directive(full, thing))
        if operations:
            parts += ["\n", title(WORDS[lang]["operation"].capitalize(), "-"), *operations]
        yield name, "".join(parts)


def directive(full: str, thing: Any) -> str:
    """How Sphinx is asked to describe a function or a class with its methods."""
    if not inspect.isclass(thing):
        return f"\n.. autofunction:: {full}\n"
    text = f"\n.. autoclass:: {full}\n"
    for method in dict.fromkeys(methods(thing)):
        text += f"\n   .. automethod:: {full}.{method}\n      :no-index-entry:\n"
    return text


def methods(thing: type) -> list[str]:
    """The public methods that a class of ours defines, except the operations of the table."""
    return [
        name
        for name, function in inspect.getmembers(thing, inspect.isroutine)
        if not name.startswith("_") and name not in TABLE and is_ours(function)
    ]


def cards(lang: str) -> str:
    """The page of rule cards."""
    words = WORDS[lang]
    bodies = "".join(
        f'<div id="rule-{card.row.name}">{card.html()}</div>' for card in rule_cards(lang)
    ).replace("\n", " ")
    return (
        f"{title(words['cards'])}\n{words['cards about']}\n\n.. raw:: html\n\n"
        f'   <div class="cards">{bodies}</div>\n'
    )


def commands(lang: str) -> str:
    """The page of the command line."""
    words = WORDS[lang]
    parts = [title(words["commands"]), f"\n{words['commands about']}\n"]
    for action in main.parser(lang)._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, parser in action.choices.items():
                parts += [f"\n{title(f'micrograd {name}', '-')}\n", *described(parser)]
    parts += ["\n", title(words["exit"], "-"), f"\n{words['exit about']}\n"]
    return "".join(parts)


def described(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The description, the usage and the options of a command."""
    about, _, examples = (parser.description or "").partition("\n")
    yield f"{escaped(about)}\n\n"
    if examples:
        yield f".. code-block:: console\n\n{indent(dedent(examples), '   ')}\n\n"
    usage = "\n".join(f"   {line}" for line in parser.format_usage().splitlines())
    yield f".. code-block:: text\n\n{usage}\n\n"
    for action in parser._actions:
        name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        takes = action.metavar or (
            "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
        )
        if action.option_strings and action.nargs != 0 and not takes:
            takes = action.dest.upper()
        if action.option_strings and takes:
            name = f"{name} {takes}"
        text = (action.help or "") % {**vars(action), "prog": parser.prog}
        yield f"``{name}``\n   {escaped(text)}\n\n"


def escaped(text: str) -> str:
    """Plain text in reStructuredText."""
    return "".join(f"\\{c}" if c in "*`|_\\" else c for c in text)
