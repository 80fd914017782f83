"""A formula in one line of spans: its letters, raised or lowered, each in a colour.

Pictures show formulas in lines, not in two dimensions: SVG has one text with shifted parts for a
line, HTML-like labels of Graphviz have `<SUB>`, TikZ has mathematics, Mermaid has plain Unicode.
All are written from the same spans.

>>> from micrograd.writing.notation import named
>>> plain(of_mark(named("w_toes").mark)), svg_spans(of_mark(named("x1").mark), str, 15)
('w_toes', '<tspan font-style="italic">x</tspan><tspan dy="3.8" font-size="11.2">1</tspan>')
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import NamedTuple
from unicodedata import normalize

from micrograd.drawing.metrics import text_width
from micrograd.writing.labels import without_turns
from micrograd.writing.marks import Mark, latex

SCRIPT = 0.75  # the size of scripts, as a share of the size of other letters
LOWERED, RAISED = 0.25, -0.4  # how far scripts are from the base line, likewise
APART = 0.06  # how much further, if a letter has two
NARROW = 0.85  # the width of letters in Arial, as a share of those that are measured here
LEAN = 0.08  # how much further to the right the upper of two scripts begins, as a share of the size
SPACE = "\u00a0"
MOST_LINES = 6


class Span(NamedTuple):
    """Letters of one kind; `tag` is the mark that they are, `shift` -1 if lowered, 1 if raised.

    `share` is the size of scripts, as a share of the size of other letters.
    """

    text: str
    tag: str = "mo"
    shift: int = 0
    color: str = "ink"
    share: float = SCRIPT

    def size(self, size: float) -> float:
        """The size of the letters in a line of this size."""
        return size * self.share if self.shift else size


Line = tuple[Span, ...]

BREAK = Span("\n")
"""The end of a line of a text that has several."""

DIVIDER = Span(f"{SPACE}\u2003")
"""The space between a value and its gradient, which a line may divide."""

COMBINING = {"^": "\u0302", "~": "\u0303", "¯": "\u0304", "˙": "\u0307", "¨": "\u0308"}
_UP = dict(zip("0123456789−()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾", strict=True))
_DOWN = dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉", strict=True))
_LOWERED = {small: digit for digit, small in _DOWN.items()}
_SPACED = frozenset("+−=≈<>≤≥≠→←")


# ------------------------------------------------------------------------------------ from formulas


def of_mark(mark: Mark, color: str = "ink") -> Line:
    """The spans of a mark; fractions and roots are written in one line, with brackets.

    A name that has spans of its own is the mark `("spans", line)`.
    """
    return tuple(_of_mark(mark, 0, color))


def _of_mark(mark: Mark, shift: int, color: str) -> Iterator[Span]:
    tag, *parts = mark
    match tag:
        case "spans":
            yield from (_within(span, shift) for span in parts[0])
        case "mo":
            sign = parts[0].replace("-", "−")
            spaced = {",": ", "}.get(sign, f" {sign} " if sign in _SPACED and not shift else sign)
            yield Span(spaced, tag, shift, color)
        case "mi" | "mn" | "mtext" | "func":
            yield Span(without_turns(parts[0]), tag, shift, color)
        case "mover":
            *others, last = _of_mark(parts[0], shift, color)
            yield from others
            accent = COMBINING.get(parts[1], "")
            yield last._replace(text=normalize("NFC", last.text + accent))
        case "msup" if parts[0] == ("mi", "e") and not shift and _has_script(parts[1]):
            # The index in e to the power of v₁₀ would be too small to be read.
            yield from _row((("func", "exp"), ("fence", "(", parts[1], ")")), shift, color)
        case "msub" | "msup":
            yield from _of_mark(parts[0], shift, color)
            script = _of_mark(parts[1], -1 if tag == "msub" else 1, color)
            yield from (_within(span, shift) for span in script)
        case "msubsup":
            base, below, above = parts
            yield from _of_mark(("msub", ("msup", base, above), below), shift, color)
        case "mrow":
            yield from _row(parts, shift, color)
        case "mfrac":
            above, below = parts
            yield from _of_mark(_bracketed(above, "+-"), shift, color)
            yield Span("/", "mo", shift, color)
            yield from _of_mark(_bracketed(below, "+-·/×"), shift, color)
        case "msqrt" | "mroot":
            if tag == "mroot":
                yield from _of_mark(parts[1], 1, color)
            yield Span("√", "mo", shift, color)
            yield from _of_mark(_bracketed(parts[0], "+-·/×"), shift, color)
        case "gap":
            yield Span("\u2003", "mo", shift, color)
        case "munderover":
            for part, at in zip(parts, (shift, -1, 1), strict=True):
                yield from _of_mark(part, at, color)
        case "matrix" | "cases":
            left, right = "[]" if tag == "matrix" else "{}"
            for i, row in enumerate(parts):
                yield Span("; " if i else left, "mo", shift, color)
                entries = [part for entry in row for part in (("mo", ","), entry)]
                yield from _row(entries[1:], shift, color)
            yield Span(right, "mo", shift, color)
        case _:
            for part in parts:
                yield from _of_mark(part if isinstance(part, tuple) else ("mo", part), shift, color)


def _within(span: Span, shift: int) -> Span:
    """A span that stands in a script, if `shift` is not 0; its own scripts are then letters."""
    small = {-1: _DOWN, 1: _UP}.get(span.shift, {})
    if not shift or not span.shift:
        return span._replace(shift=shift or span.shift)
    return span._replace(shift=shift, text="".join(small.get(each, each) for each in span.text))


def _row(marks: Sequence[Mark], shift: int, color: str) -> Iterator[Span]:
    before: Mark | None = None
    for mark in marks:
        is_sign = before is None or (before[0] == "mo" and before[1] != "|")
        for span in _of_mark(mark, shift, color):
            if mark == ("mo", "-") and is_sign:  # of a negative number
                span = span._replace(text="−")
            yield span
        before = mark


def _has_script(mark: Mark) -> bool:
    """Whether a formula has an index or an exponent."""
    if mark[0] == "spans":
        return any(span.shift for span in mark[1])
    return mark[0] in ("msub", "msup", "msubsup") or any(
        isinstance(part, tuple) and _has_script(part) for part in mark[1:]
    )


def _bracketed(mark: Mark, signs: str) -> Mark:
    """The mark in brackets if one of the signs, or a fraction, is in its row."""
    row = mark[1:] if mark[0] == "mrow" else (mark,)
    loose = any(
        part[0] in ("mfrac", "cases") or part[:2] in {("mo", s) for s in signs} for part in row
    )
    return ("fence", "(", mark, ")") if loose else mark


# --------------------------------------------------------------------------------------- measuring


@lru_cache(maxsize=4096)  # a layout measures the same lines for each width that it tries
def line_width(line: Line, size: float) -> float:
    """The width of a line in letters of that size."""
    return sum(_width(span, size) + dx for span, dx, _ in placed(line, size))


def placed(line: Line, size: float) -> Iterator[tuple[Span, float, float]]:
    """The spans as they are written: how far each is moved to the right, and below the base line.

    Two scripts of one letter begin at the same place, the narrower one first, so that the line ends
    where the wider one does. The distance is that in a narrow font: in others the second script
    begins a little further to the right. The upper one does not touch a letter that leans.
    """
    for pair in with_pairs(line):
        pair.sort(key=lambda run: sum(_width(span, size) for span in run))
        start = dx = 0.0
        for run in pair:
            shift, is_pair = run[0].shift, len(pair) > 1
            y = {-1: LOWERED, 0: 0.0, 1: RAISED}[shift] - APART * shift * is_pair
            lean = LEAN * size if is_pair and shift > 0 else 0.0
            dx += lean - start
            for span in run:
                yield span, dx, y * size
                dx = 0.0
            start, dx = lean, -NARROW * sum(_width(span, size) for span in run)


def with_pairs(line: Line) -> Iterator[list[list[Span]]]:
    """The spans in runs of equal height: two runs for a letter with two scripts, otherwise one."""
    runs = [list(run) for _, run in groupby(line, lambda span: span.shift)]
    while runs:
        pair = [runs.pop(0)]
        if pair[0][0].shift and runs and runs[0][0].shift:
            pair.append(runs.pop(0))
        yield pair


def _width(span: Span, size: float) -> float:
    return text_width(span.text, span.size(size))


def wrapped(line: Line, room: float, size: float) -> list[Line]:
    """The line in as many lines as needed, each at most as wide as `room`, if that can be.

    Lines are broken before equals signs, plus and minus, and if that is not enough, after dots. A
    piece that is too wide even so is cut, and ends in `…`, as does the last line if there are more
    than `MOST_LINES`.
    """
    if BREAK in line:
        place = line.index(BREAK)
        return [*wrapped(line[:place], room, size), *wrapped(line[place + 1 :], room, size)]
    if line_width(line, size) <= room:
        return [line]
    lines: list[Line] = []
    for piece in _pieces(line, _BEFORE):
        narrow = [piece] if line_width(piece, size) <= room else list(_pieces(piece, _AFTER))
        for part in narrow:
            if lines and line_width(lines[-1] + part, size) <= room:
                lines[-1] += part
            else:
                lines.append(_cut(part, room, size))
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 2], (Span("⋯"),), lines[-1]]
    return lines


_BEFORE = frozenset("=+−≈<>≤≥")
_AFTER = frozenset("·/,")


def _pieces(line: Line, signs: frozenset[str]) -> Iterator[Line]:
    piece: Line = ()
    for span in line:
        is_sign = span.tag == "mo" and not span.shift and span.text.strip() in signs
        before = is_sign and signs is _BEFORE and (span.text.strip() == "=" or span.text != "−")
        if before and piece:
            yield piece
            piece = ()
        piece += (span,)
        if is_sign and signs is _AFTER:
            yield piece
            piece = ()
    if piece:
        yield piece


def _cut(line: Line, room: float, size: float) -> Line:
    kept: list[Span] = []
    for span in line:
        if line_width((*kept, span), size) <= room:
            kept.append(span)
            continue
        text = span.text
        while text and line_width((*kept, span._replace(text=f"{text}…")), size) > room:
            text = text[:-1]
        return (*kept, span._replace(text=f"{text}…"))
    return tuple(kept)


# ----------------------------------------------------------------------------------------- writing


def plain(line: Line) -> str:
    """The line as Unicode text; scripts that Unicode lacks are written as `_word` and `^word`."""
    written = ""
    for shift, run in groupby(line, lambda span: span.shift):
        text = "".join(span.text for span in run)
        small = {-1: _DOWN, 1: _UP}.get(shift)
        if small is None:
            written += text
        elif all(letter in small for letter in text):
            written += "".join(small[letter] for letter in text)
        else:
            sign = "_" if shift < 0 else "^"
            written += f"{sign}{text}" if text.isalnum() else f"{sign}({text})"
    return written


def svg_spans(line: Line, color: Callable[[str], str], size: float) -> str:
    """The line as elements within a `<text>`; `color` gives the colour of each role, or "".

    A line with two scripts of one letter ends in a space, which makes up for the way back: browsers
    and resvg otherwise disagree where the middle of the line is. `overhang` is how wide it is.
    """
    written, at, back = [], 0.0, 0.0
    for span, dx, y in placed(line, size):
        more = ' font-style="italic"' if span.tag == "mi" else ""
        if abs(y - at) > 1e-9:
            more += f' dy="{y - at:.1f}"'
        if dx:
            more += f' dx="{dx:.1f}"'
            back -= dx
        if span.shift:
            more += f' font-size="{span.size(size):.1f}"'
        if span.color != "ink" and (fill := color(span.color)):
            more += f' fill="{fill}"'
        text = escape(span.text, quote=False)
        written.append(f"<tspan{more}>{text}</tspan>" if more else text)
        at = y
    if back:
        written.append(f'<tspan dx="{back:.1f}">{SPACE}</tspan>')
    return "".join(written)


def overhang(line: Line, size: float) -> float:
    """How far an SVG line reaches beyond its last letter."""
    back = -sum(dx for _, dx, _ in placed(line, size))
    return back + text_width(SPACE, size) if back else 0.0


def html_like(
    line: Line, color: Callable[[str], str], size: float, text: Callable[[str], str]
) -> str:
    """The line for an HTML-like label of Graphviz; `text` escapes."""
    written = []
    for span in line:
        letters = f"<I>{text(span.text)}</I>" if span.tag == "mi" else text(span.text)
        if span.shift:
            tag = "SUB" if span.shift < 0 else "SUP"
            letters = f'<{tag}><FONT POINT-SIZE="{span.size(size):.1f}">{letters}</FONT></{tag}>'
        if span.color != "ink":
            letters = f'<FONT COLOR="{color(span.color)}">{letters}</FONT>'
        written.append(letters)
    return "".join(written)


def math_mode(
    line: Line, words: Callable[[str], str], color: Callable[[str, str], str] = lambda _, tex: tex
) -> str:
    """The line in LaTeX for math mode.

    `words` writes text that is not mathematics, `color` puts LaTeX in the colour of a role.
    """
    written: list[str] = []
    scripted: set[int] = set()  # which scripts the last letters have
    for shift, run in groupby(line, lambda span: span.shift):
        tex = " ".join(color(span.color, _math(span, words)) for span in run)
        if not shift:
            written.append(tex)
            scripted = set()
            continue
        if not written or shift in scripted:
            written.append("{}")
            scripted = set()
        scripted.add(shift)
        written[-1] += f"{'_' if shift < 0 else '^'}{{{tex}}}"
    return " ".join(written)


def _math(span: Span, words: Callable[[str], str]) -> str:
    text = span.text.strip()
    if text and all(letter in _LOWERED for letter in text):  # a script within a script
        return f"{{}}_{{{''.join(_LOWERED[letter] for letter in text)}}}"
    if span.tag == "mtext" or (span.tag == "mi" and not _is_letter(text)):
        return words(span.text)
    accented = normalize("NFD", text)
    if span.tag == "mi" and len(accented) == 2 and accented[1] in _ACCENTS:
        return latex(("mover", ("mi", accented[0]), _ACCENTS[accented[1]]))
    if span.tag == "mo" and text in _TEX:
        return _TEX[text]
    if not text:
        return r"\quad" if "\u2003" in span.text else r"\ "
    return latex((span.tag, text))


def _is_letter(text: str) -> bool:
    letter, *accents = list(normalize("NFD", text))
    greek = "\u0370" <= letter < "\u0400"
    known = all(accent in _ACCENTS for accent in accents)
    return text.isascii() or ((letter.isascii() or greek) and known and len(accents) <= 1)


_ACCENTS = {accent: sign for sign, accent in COMBINING.items()}
_TEX = {"{": r"\{", "}": r"\}", "√": r"\surd", "⋯": r"\cdots", "′": r"\prime", "[": r"\lbrack"}
_TEX |= {"]": r"\rbrack", "%": r"\%", "#": r"\#", "&": r"\&", "_": r"\_", "$": r"\$"}
_TEX |= {"^": r"\hat{\ }", "~": r"\sim", "\\": r"\backslash"}


def joined(*parts: Iterable[Span] | str) -> Line:
    """The parts one after the other; a text is a sign."""
    return tuple(
        span for part in parts for span in ([Span(part)] if isinstance(part, str) else part)
    )
