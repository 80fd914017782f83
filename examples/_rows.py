"""Rows of numbers: what the article says beside what the engine computed."""

from __future__ import annotations

from dataclasses import dataclass

from ._words import Words

# A sum of at most 32 terms below 10 is off by less than 32 * 10 / 2**53, which is 4e-14.
ROUNDING = 4e-14


@dataclass(frozen=True)
class Row:
    """One number: what it is, what the article says, what the engine computed."""

    what: Words
    expected: float
    got: float
    tolerance: float = 0.0
    relation: str = "="  # or "<" or ">="

    @property
    def agrees(self) -> bool:
        """Whether the relation holds; never so for nan."""
        match self.relation:
            case "<":
                return self.got < self.expected
            case ">=":
                return self.got >= self.expected
        return abs(self.got - self.expected) <= self.tolerance

    @property
    def expectation(self) -> str:
        """What is expected, as text."""
        number = _digits(self.expected)
        return number if self.relation == "=" else f"{self.relation} {number}"

    @property
    def result(self) -> str:
        """What was computed, as text."""
        return _digits(self.got)


def _digits(x: float) -> str:
    return f"{x + 0.0:.12g}"  # no minus before a zero


def exactly(what: Words, expected: float, got: float) -> Row:
    """A number that arithmetic gives exactly, up to rounding."""
    return Row(what, expected, got, ROUNDING)


def printed(what: Words, digits: str, got: float) -> Row:
    """A number as an article prints it: rounded to its last digit, or cut off there by a `…`."""
    cut = digits.endswith("…")
    digits = digits.rstrip("…")
    unit = 10.0 ** -len(digits.partition(".")[2])
    return Row(what, float(digits), got, unit if cut else unit / 2)
