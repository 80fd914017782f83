"""The generated pages of the site: the interface, rule cards, the command line, changes."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType
from typing import Any

from docs.site.docstrings import chinese, marked, summary
from docs.site.languages import WORDS
from micrograd.commands import main
from micrograd.derivation import rule_cards
from micrograd.ops import SERVING, TABLE

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


def is_method(thing: Any) -> bool:
    """Whether an attribute of a class is a method, and not a cached property."""
    return inspect.isroutine(thing) and callable(thing)


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
    rows = [(f":doc:`{name}`", about(import_module(name), lang)) for name in MODULES]
    pages["reference/api.rst"] = (
        f"{title(words['api'])}\n{words['api about']}\n\n{table(rows)}\n"
        f".. toctree::\n   :hidden:\n\n{entries}\n"
    )
    pages["reference/cards.rst"] = cards(lang)
    pages["reference/commands.rst"] = commands(lang)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n")[2]
    # The search does not list this page: it has nearly every word, and explains none.
    pages["changes.md"] = (
        f"---\nno-search: true\n---\n\n# {words['changes']}\n\n{words['changes about']}\n{changes}"
    )
    return pages


def title(text: str, line: str = "=") -> str:
    """A heading in reStructuredText; Chinese characters are twice as wide."""
    return f"{text}\n{line * (2 * len(text))}\n"


def about(thing: Any, lang: str) -> str:
    """The first paragraph of a docstring in a language, as reStructuredText."""
    text = summary(inspect.getdoc(thing) or "")
    return marked((chinese(text) if lang == "zh" else "") or text)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """A table of two columns, without headings."""
    lines = "".join(f"   * - {first}\n     - {second}\n" for first, second in rows)
    return f"\n.. list-table::\n   :widths: auto\n   :class: names\n\n{lines}\n"


def overview(names: Iterable[str], described: dict[str, str], lang: str) -> str:
    """The table at the head of a module's page, and the operations of the table in one line."""
    rows, operations = [], []
    for full in names:
        module, _, key = full.rpartition(".")
        link = f":py:obj:`{key} <{described[full]}>`"
        if key in SERVING:
            continue
        if key in TABLE:
            operations.append(link)
        else:
            rows.append((link, about(getattr(import_module(module), key), lang)))
    line = f"{WORDS[lang]['operations']} {', '.join(operations)}\n" if operations else ""
    return table(rows) + line


def interface(lang: str) -> Iterator[tuple[str, str]]:
    """For each module, its page."""
    described = homes()
    for name in MODULES:
        module = import_module(name)
        names = [
            full for full in (f"{name}.{key}" for key in exported(module)) if full in described
        ]
        parts = [title(name), f"\n{about(module, lang)}\n", overview(names, described, lang)]
        operations = []
        for full in names:
            key = full.rpartition(".")[2]
            thing = getattr(module, key)
            if described[full] != full:
                role = "class" if inspect.isclass(thing) else "func"
                parts.append(
                    f"\n``{full}``\n   {WORDS[lang]['same as']} :py:{role}:`{described[full]}`.\n"
                )
            elif key in TABLE:
                operations.append(f"\n.. autofunction:: {full}\n")
            else:
                parts.append(directive(full, thing, lang))
        if operations:
            parts += ["\n", title(WORDS[lang]["operation"].capitalize(), "-"), *operations]
        yield name, "".join(parts)


def directive(full: str, thing: Any, lang: str) -> str:
    """How Sphinx is asked to describe a function or a class with its methods."""
    if not inspect.isclass(thing):
        return f"\n.. autofunction:: {full}\n"
    text = f"\n.. autoclass:: {full}\n"
    found = methods(thing)
    for method in found:
        if not is_alias(getattr(thing, method)):
            text += f"\n   .. automethod:: {full}.{method}\n      :no-index-entry:\n"
    aliases = [f"``{method}``" for method in found if is_alias(getattr(thing, method))]
    return text + (f"\n   {WORDS[lang]['aliases']} {', '.join(aliases)}\n" if aliases else "")


def methods(thing: type) -> list[str]:
    """The public methods that a class of ours defines, except the operations of the table."""
    return [
        name
        for name, function in inspect.getmembers(thing, is_method)
        if not name.startswith("_") and name not in TABLE and is_ours(function)
    ]


def is_alias(function: Any) -> bool:
    """Whether a method applies an operation under the name by which NumPy calls it."""
    return (function.__doc__ or "").startswith("Apply the operation ")


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
