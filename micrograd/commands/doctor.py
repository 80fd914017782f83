"""The command `doctor`, which says what is installed, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import micrograd
from micrograd.writing import languages
from micrograd.writing.labels import columns

OURS = "micrograd-engine"
PACKAGES = ("micrograd", "nn")
"""The packages that the distribution installs."""

LIBRARIES = (
    ("numpy", "numpy", "arrays"),
    ("llvmlite", "llvmlite", "machine code"),
    ("jax", "jax", "jax"),
    ("scipy", "scipy", "scipy"),
    ("sklearn", "scikit-learn", "data sets"),
    ("matplotlib", "matplotlib", "plots"),
    ("PIL", "pillow", "films"),
    ("resvg_py", "resvg-py", "png"),
    ("typst", "typst", "pdf"),
    ("tqdm", "tqdm", "progress"),
    ("hypothesis", "hypothesis", "strategies"),
)
"""Libraries that only some users need: the module, its package, and what it is for."""


class Finding(NamedTuple):
    """A line of the report: what was checked, what was found, and what to do about it.

    Args:
        subject: what was checked.
        found: what was found.
        remedy: what to do; empty if nothing has to be done.
        is_fault: whether the package cannot work until this is fixed.

    >>> Finding("tqdm", "missing", "pip install tqdm").line("en")
    'tqdm         missing: pip install tqdm'
    """

    subject: str
    found: str
    remedy: str = ""
    is_fault: bool = False

    def line(self, lang: str) -> str:
        """Return the line in a language."""
        said = languages.words(lang, "doctor")["remedy"].format(**self._asdict())
        found = said if self.remedy else self.found
        return f"{self.subject}{' ' * (12 - columns(self.subject))} {found}"


HELP = "say what is installed, what is missing, and what to do"
DESCRIPTION = (
    "Say which version is installed and where, which optional libraries, renderers and fonts there"
    " are, and whether another distribution owns the names micrograd or nn. The exit status is 1 "
    "if something has to be fixed.\n"
    "  micrograd doctor"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""


def doctor(options: argparse.Namespace) -> int:
    """Print the report; return 1 if something has to be fixed."""
    words = languages.words(options.lang, "doctor")
    findings = [*_ourselves(words), *_libraries(words)]
    if is_whole():
        findings += [*_renderers(words), *_cache(words)]
    print(*(each.line(options.lang) for each in findings), sep="\n")
    faults = sum(each.is_fault for each in findings)
    print(words["faults"].format(count=faults) if faults else words["well"])
    return 1 if faults else 0


def is_whole() -> bool:
    """Whether `micrograd/__init__.py` is ours: another distribution may have replaced it.

    Uninstalling that distribution removes the file, and leaves a package without names.
    """
    return hasattr(micrograd, "__all__")


def _ourselves(words: Any) -> Iterator[Finding]:
    place = Path(__file__).parents[1]
    yield Finding("Python", f"{platform.python_version()}, {sys.executable}")
    yield Finding("micrograd", f"{_version(OURS) or words['unknown']}, {place}")
    owners = packages_distributions()
    again = f"pip install --force-reinstall --no-deps {_source()}"
    for package in PACKAGES:
        found = find_spec(package)
        where = Path(found.origin).parent if found and found.origin else None
        others = sorted(set(owners.get(package, ())) - {OURS})
        fault = partial(Finding, package, is_fault=True)
        if package == "micrograd" and not is_whole() and not others:
            yield fault(words["damaged"], again)
            continue
        if where is None or where.parent != place.parent:
            yield fault(words["elsewhere"].format(package=package, where=where), words["fresh"])
        if others:
            clash = words["clash"].format(package=package, others=", ".join(others))
            yield fault(clash, f"pip uninstall {' '.join(others)} && {again}")


def _version(package: str) -> str | None:
    """The version of a distribution, if it is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _source() -> str:
    """From where pip can install this distribution again: the place it came from, or its name."""
    try:
        origin = json.loads(distribution(OURS).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return OURS
    url: str = origin.get("url", "")
    return url if url.startswith("file:") else OURS


def _libraries(words: Any) -> Iterator[Finding]:
    for module, package, purpose in LIBRARIES:
        if find_spec(module) is None:
            found = words["missing"].format(purpose=words[purpose])
            yield Finding(package, found, f"pip install {package}")
        else:  # without metadata, its files just lie in the path
            yield Finding(package, _version(package) or words["unknown"])


def _renderers(words: Any) -> Iterator[Finding]:
    from micrograd.drawing.renderers import RendererNotFound, find

    try:
        yield Finding("Graphviz", find())
    except RendererNotFound:
        yield Finding("Graphviz", words["own renderer"], "pip install graphviz-pure")
    if sys.platform.startswith("linux"):
        yield _chinese_font(words)


def _chinese_font(words: Any) -> Finding:
    program = shutil.which("fc-list")
    if program is None:
        return Finding(words["font"], words["unknown"])
    listed = subprocess.run(  # noqa: S603 (a fixed command, and no shell)
        [program, ":lang=zh", "family"], capture_output=True, text=True, check=False
    ).stdout
    names = sorted({line.split(",")[0].strip() for line in listed.splitlines() if line.strip()})
    if names:
        return Finding(words["font"], names[0])
    return Finding(words["font"], words["no font"], "apt install fonts-wqy-microhei")


def _cache(words: Any) -> Iterator[Finding]:
    if find_spec("llvmlite") is None or find_spec("numpy") is None:
        return
    from micrograd.compiler.native.machine import folder

    try:
        yield Finding(words["cache"], str(folder()))
    except RuntimeError as error:
        yield Finding(words["cache"], str(error), words["cache remedy"])
