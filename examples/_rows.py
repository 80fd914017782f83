"""Rows of numbers: what is expected, where that comes from, and what the engine computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ._words import Words

# A sum of at most 32 terms below 10 is off by less than 32 * 10 / 2**53, which is 4e-14.
ROUNDING = 4e-14
YES_NO = Words("no", "否"), Words("yes", "是")
SOURCES = {
    "article": Words("article", "原文"),
    "formula": Words("formula", "公式"),
    "ours": Words("ours", "本程序"),
}


@dataclass(frozen=True)
class Row:
    """One number.

    Args:
        what: what it is.
        expected: what it should be.
        got: what the engine computed.
        tolerance: how far the two may be apart.
        relation: `"="`; or `"±"` if the tolerance is more than rounding; or `"<"` or `">="` for a
            bound; or `"is"` for a truth value.
        source: where the expected number comes from: `"article"`, if the article prints it;
            `"formula"`, if it follows from a formula of the article; `"ours"`, if it goes beyond
            the article.
        formula: the formula it follows from, as `_formulas.read` reads it.
    """

    what: Words
    expected: float
    got: float
    tolerance: float = 0.0
    relation: str = "="
    source: str = "article"
    formula: str = ""

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"source is one of {', '.join(SOURCES)}, got {self.source!r}")
        if (self.source == "formula") is not bool(self.formula):
            raise ValueError(f"{self.what.en}: a formula is given if and only if it is the source")

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
    def origin(self) -> Words:
        """The source of the expected number, in words."""
        return SOURCES[self.source]

    @property
    def expectation(self) -> Words:
        """What is expected, as text."""
        if self.relation in ("=", "is"):
            return self._told(self.expected)
        if self.relation == "±":
            return Words.same(f"{_digits(self.expected)} ± {_digits(self.tolerance)}")
        sign = {">=": "≥"}.get(self.relation, self.relation)
        return Words.same(f"{sign} {_digits(self.expected)}")

    @property
    def result(self) -> Words:
        """What was computed, as text."""
        return self._told(self.got)

    def _told(self, x: float) -> Words:
        return YES_NO[bool(x)] if self.relation == "is" else Words.same(_digits(x))


def _digits(x: float) -> str:
    return f"{x + 0.0:.12g}".replace("-", "−")  # no minus before a zero


def exactly(what: Words, expected: float, got: float, source: str = "", formula: str = "") -> Row:
    """A number that the engine must reproduce up to rounding.

    Without a source, it is the article's, or that of the formula if one is given.
    """
    source = source or ("formula" if formula else "article")
    return Row(what, expected, got, ROUNDING, source=source, formula=formula)


def printed(what: Words, digits: str, got: float, source: str = "", formula: str = "") -> Row:
    """A number as it is printed: rounded to its last digit, or cut off there by a `…`."""
    source = source or ("formula" if formula else "article")
    cut = digits.endswith("…")
    digits = digits.rstrip("…")
    mantissa, _, exponent = digits.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    tolerance = unit if cut else unit / 2
    return Row(what, float(digits), got, tolerance, source=source, formula=formula)


# ---------------------------------------------------------------------------------- the summary


def summary(rows: Iterable[Row], *, articles: int = 1) -> Words:
    """How many numbers come from each source, and whether they agree.

    Only numbers that an article prints can agree with it; the others are counted separately.
    """
    listed = list(rows)
    counts = Counter(row.source for row in listed)
    agreeing = Counter(row.source for row in listed if row.agrees)
    article, formula, ours = (counts[source] for source in SOURCES)
    others = formula + ours - agreeing["formula"] - agreeing["ours"]
    where, its = ("the article", "its") if articles == 1 else ("the articles", "their")
    agree = "agrees" if article == 1 else "agree"
    numbers = "number" if article == 1 else "numbers"
    en = [f"{agreeing['article']} of {article} {numbers} printed in {where} {agree}"]
    chinese = "一致" if article == 1 else "全部一致"
    if agreeing["article"] < article:
        chinese = f"中有 {agreeing['article']} 个一致"
    zh = [f"原文给出的 {article} 个数{chinese}"]
    about = [row.tolerance for row in listed if row.relation == "±" and row.agrees]
    if about:
        most = _digits(max(about))
        is_some = len(about) < agreeing["article"]
        en[0] += f", {len(about)} of them" * is_some + f" to within {most}"
        zh[0] += f"，其中 {len(about)} 个" * is_some + f"{'，' * (not is_some)}相差不超过 {most}"
    if not article:
        en, zh = [f"No results are printed in {where}"], ["原文没有印出结果"]
    if formula:
        en.append(f"{formula} follow{'s' * (formula == 1)} from {its} formulas")
    if ours:
        en.append(f"{ours} {'is' if ours == 1 else 'are'} ours")
    checked = [f"{formula} 个按公式核对"] * bool(formula) + [f"{ours} 个是本程序自己的"] * bool(
        ours
    )
    zh += [f"{'另' if article else ''}有 {'，'.join(checked)}"] * bool(checked)
    if others:
        en.append(f"{others} of the latter {'differs' if others == 1 else 'differ'}")
        zh.append(f"后两类中有 {others} 个不符")
    return Words("; ".join(en), "；".join(zh))
