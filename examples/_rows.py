"""Rows of numbers: the expected number beside the one that the engine computed."""

from __future__ import annotations

from dataclasses import dataclass

from ._words import Words

# A sum of at most 32 terms below 10 is off by less than 32 * 10 / 2**53, which is 4e-14.
ROUNDING = 4e-14
YES_NO = Words("no", "否"), Words("yes", "是")


@dataclass(frozen=True)
class Row:
    """One number: what it is, what is expected, what the engine computed."""

    what: Words
    expected: float
    got: float
    tolerance: float = 0.0
    relation: str = "="  # or "<", ">=", or "is" for a truth value
    source: str = "article"  # of the expected number; or "formula", or "own"

    @property
    def agrees(self) -> bool:
        """Whether the relation holds; nan never agrees."""
        match self.relation:
            case "<":
                return self.got < self.expected
            case ">=":
                return self.got >= self.expected
        return abs(self.got - self.expected) <= self.tolerance

    @property
    def expectation(self) -> Words:
        """What is expected, as text."""
        if self.relation in ("=", "is"):
            return self._told(self.expected)
        return Words.same(f"{self.relation} {_digits(self.expected)}")

    @property
    def result(self) -> Words:
        """What was computed, as text."""
        return self._told(self.got)

    def _told(self, x: float) -> Words:
        return YES_NO[bool(x)] if self.relation == "is" else Words.same(_digits(x))


def _digits(x: float) -> str:
    return f"{x + 0.0:.12g}"  # no minus before a zero


def exactly(what: Words, expected: float, got: float, source: str = "article") -> Row:
    """A number that the engine must reproduce up to rounding."""
    return Row(what, expected, got, ROUNDING, source=source)


def printed(what: Words, digits: str, got: float, source: str = "article") -> Row:
    """A number as an article prints it: rounded to its last digit, or cut off there by a `…`."""
    cut = digits.endswith("…")
    digits = digits.rstrip("…")
    unit = 10.0 ** -len(digits.partition(".")[2])
    return Row(what, float(digits), got, unit if cut else unit / 2, source=source)
