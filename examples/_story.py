"""What a companion is made of, in the order in which it is read.

A text is in both languages, and may have formulas between dollar signs, as in `_formulas`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from micrograd.derivation.document import Block, Heading
from micrograd.derivation.explanation import Explanation

from ._rows import Row
from ._words import Words


def below_heading(blocks: Iterable[Block]) -> list[Block]:
    """The blocks of a document without its title: the companion has its own."""
    return [each for each in blocks if not (isinstance(each, Heading) and each.level == 1)]


@dataclass(frozen=True)
class Section:
    """The heading of what follows; `name` is part of its address."""

    name: str
    title: Words


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    words: Words


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Words, ...]


@dataclass(frozen=True)
class Display:
    """Formulas one below another, aligned at their first signs: `"J = …"`, `"= …"`.

    `images` are PNG files for media that cannot show mathematics.
    """

    lines: tuple[str, ...]
    images: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Numbers:
    """A table of numbers with their sources."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Drawn:
    """A picture in one language and one width: its file, and its size in pixels."""

    path: Path
    width: int
    height: int


@dataclass(frozen=True)
class Figure:
    """A picture in both languages, each for a wide and for a narrow screen.

    `images` are PNG files for media that do not take SVG. `alt` says what is seen.
    """

    name: str
    caption: Words
    alt: Words
    wide: dict[str, Drawn]
    narrow: dict[str, Drawn]
    images: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Matrices:
    """A derivation in matrix form: its document in each language, and its formulas as PNG."""

    name: str
    documents: dict[str, list[Block]]
    images: tuple[Path, ...] = ()

    def blocks(self, lang: str) -> list[Block]:
        """The document in one language."""
        return self.documents[lang]


@dataclass(frozen=True)
class Derivation:
    """The explanation of a derivative: in words, as a graph, and step by step.

    `wide` and `narrow` are its documents in each language, with longer and shorter lines; `steps`
    is the file of the page that shows one step at a time, `images` are the formulas as PNG.
    """

    name: str
    title: Words
    explanation: Explanation
    wide: dict[str, list[Block]]
    narrow: dict[str, list[Block]]
    graph: Figure
    steps: Path
    images: tuple[Path, ...] = ()

    def blocks(self, lang: str, *, narrow: bool = False) -> list[Block]:
        """The document in one language."""
        return (self.narrow if narrow else self.wide)[lang]


@dataclass(frozen=True)
class Page:
    """An interactive page beside the index, which shows it in a frame or only links to it."""

    title: Words
    path: Path
    in_frame: bool


Part = Section | Prose | Bullets | Display | Numbers | Figure | Matrices | Derivation | Page
