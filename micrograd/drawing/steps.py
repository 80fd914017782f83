"""A compact picture in steps: values are computed, then gradients flow back.

All given values are one step. Then each box is one, or each `Part` of several boxes, such as a
layer. A gradient is shown when all contributions to it have arrived. Pages and films show the same
steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from micrograd.drawing.named.roles import BIASES, ROLES
from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.spans import Line, Span, joined, plain
from micrograd.writing.numbers import as_float

MAX_STEPS_NODES = 200
"""The most named values that are stepped through, unless the caller allows more."""


class Equation(NamedTuple):
    """`symbols = figures = result`, where the last is a line or a matrix.

    The figures are the symbols with numbers in place of names, and are empty if they would say
    nothing new.
    """

    symbols: Line
    figures: Line = ()
    result: Line = ()
    matrix: Sequence[Sequence[str]] = ()

    @property
    def brief(self) -> Line:
        """The equation without figures."""
        return joined(self.symbols, self.result)

    @property
    def text(self) -> str:
        """The equation as text."""
        rows = "; ".join(", ".join(row) for row in self.matrix)
        return plain(joined(self.symbols, self.figures, self.result)) + (
            f"[{rows}]" if rows else ""
        )


class Part(NamedTuple):
    """Boxes that are computed in one step."""

    boxes: tuple[str, ...]
    layer: int | None = None  # the number of the layer that the boxes are; 0 without a number
    forward: tuple[Equation, ...] = ()  # what is said instead of the formulas of the boxes
    backward: tuple[Equation, ...] = ()


class Step(NamedTuple):
    """One step, in which boxes of a picture take part."""

    kind: str  # "given", "forward", "start", "backward" or "sum", where gradients are added
    boxes: tuple[str, ...]  # those whose values are computed, or from which gradients flow
    receivers: tuple[str, ...]  # those whose gradients are now known
    equations: tuple[Equation, ...]
    layer: int | None = None


class Known(NamedTuple):
    """The names of boxes whose values and gradients are known."""

    data: frozenset[str] = frozenset()
    grads: frozenset[str] = frozenset()

    def after(self, step: Step) -> Known:
        """What is known after a step."""
        computed = step.boxes if step.kind in ("given", "forward") else ()
        return Known(self.data.union(computed), self.grads.union(step.receivers))


def steps(
    picture: Picture, parts: Iterable[Part] = (), given: Sequence[Equation] = ()
) -> list[Step]:
    """The steps of a picture that has one root.

    Args:
        picture: the compact picture; its boxes are in topological order.
        parts: boxes that are computed together; every other box is a step of its own.
        given: equations for the given values, shown instead of the number of each.
    """
    return list(_Walk(picture, parts).steps(given))


def in_order(picture: Picture, parts: Iterable[Part]) -> list[Part]:
    """The parts, and one for every other box that is computed, each after those that it needs.

    Among those that could be next, the one whose last box comes first is. If parts need each other,
    they all stand in the order of their last boxes.
    """
    place = {box.name: i for i, box in enumerate(picture.boxes)}
    chosen = list(parts)
    taken = {name for part in chosen for name in part.boxes}
    chosen += [Part((b.name,)) for b in picture.boxes if b.operation and b.name not in taken]
    chosen.sort(key=lambda part: max(place[name] for name in part.boxes))
    home = {name: i for i, part in enumerate(chosen) for name in part.boxes}
    needs: list[set[int]] = [set() for _ in chosen]
    for name, i in home.items():
        tails = (arrow.tail for arrow in picture.boxes[place[name]].arrows)
        needs[i].update(home[tail] for tail in tails if home.get(tail, i) != i)
    try:
        ranked = TopologicalSorter(dict(enumerate(needs)))
        ranked.prepare()
    except CycleError:
        return chosen
    found, ready = [], list(ranked.get_ready())
    heapify(ready)
    while ready:
        following = heappop(ready)
        found.append(chosen[following])
        ranked.done(following)
        for each in ranked.get_ready():
            heappush(ready, each)
    return found


def flowing(step: Step, picture: Picture) -> list[str]:
    """The names of the arrows along which a value or a gradient flows in a step."""
    forward, back = step.kind == "forward", step.kind in ("backward", "sum")
    return [
        arrow.name
        for arrow, head in picture.arrows()
        if (forward and head in step.boxes) or (back and arrow.tail in step.receivers)
    ]


class _Walk:
    def __init__(self, picture: Picture, parts: Iterable[Part]) -> None:
        self.boxes = {box.name: box for box in picture.boxes}
        (self.root,) = (self.boxes[name] for name in picture.roots)
        self.uses: dict[str, list[tuple[Box, Arrow]]] = {name: [] for name in self.boxes}
        for box in picture.boxes:
            for arrow in box.arrows:
                self.uses[arrow.tail].append((box, arrow))
        self.parts = in_order(picture, parts)
        computed = [name for part in self.parts for name in part.boxes]
        self.order = {name: i for i, name in enumerate(computed)}

    def steps(self, given: Sequence[Equation]) -> Iterator[Step]:
        leaves = tuple(_by_name(box for box in self.boxes.values() if box.operation is None))
        if leaves:
            told = tuple(given) or tuple(valued(self.boxes[name]) for name in leaves)
            yield Step("given", leaves, (), told)
        for part in self.parts:
            told = part.forward or tuple(valued(self.boxes[name]) for name in part.boxes)
            yield Step("forward", part.boxes, (), told, part.layer)
        top = self.root.name
        yield Step("start", (top,), (top,), (self._flow(top),))
        known = {top}
        for part in reversed(self.parts):
            receivers = []
            for name in reversed(part.boxes):
                arrows = self.boxes[name].arrows if name in known else ()
                for tail in dict.fromkeys(arrow.tail for arrow in arrows):
                    if tail not in known and self._is_last(name, tail):
                        known.add(tail)
                        receivers.append(tail)
            if part.backward and receivers:
                yield Step("backward", part.boxes, tuple(receivers), part.backward, part.layer)
            else:
                yield from self._flows(part, receivers)

    def _flows(self, part: Part, receivers: Sequence[str]) -> Iterator[Step]:
        """The gradients that flow from a part alone, then those that are sums over several."""
        inside = set(part.boxes)
        sums = [name for name in receivers if not inside.issuperset(self._users(name))]
        alone = tuple(name for name in receivers if name not in sums)
        if alone:
            yield Step("backward", part.boxes, alone, tuple(map(self._flow, alone)))
        if sums:
            users = tuple(dict.fromkeys(user for name in sums for user in self._users(name)))
            yield Step("sum", users, tuple(sums), tuple(map(self._flow, sums)))

    def _users(self, name: str) -> list[str]:
        return [box.name for box, _ in self.uses[name]]

    def _is_last(self, user: str, tail: str) -> bool:
        """Whether the gradients from all other users have flowed, in the order of the steps."""
        return min(self._users(tail), key=self.order.__getitem__) == user

    def _flow(self, name: str) -> Equation:
        """`∂L/∂z = ∂L/∂y·(1 − y²) = 0.2`: a gradient from those of the boxes that use the value."""
        box = self.boxes[name]
        terms: Line = ()
        numbers: Line = ()
        for user, arrow in self.uses[name]:
            sign, term = "", arrow.factor
            figures = arrow.figures
            if user is not self.root:
                sign, term = _times(_quotient(self.root, user), arrow.factor)
                figures = _multiplied(user.grad, figures)
            between = f" {sign or '+'} " if terms else sign
            terms = joined(terms, between, term) if between else term
            numbers = joined(numbers, " + ", figures) if numbers else figures
        right = joined(" = ", terms) if terms else ()
        result = joined(*_number(box.grad, box, 1)) if box.grad else ()
        shown, told = plain(result), plain(numbers)
        if told == plain(terms) or shown.endswith((f" {told}", f" {told.strip('()')}")):
            numbers = ()
        if shown == plain(right):  # ∂L/∂b = 1 = 1
            result = ()
        symbols = joined(_quotient(self.root, box), right)
        return Equation(symbols, joined(" = ", numbers) if numbers else (), result)


def _by_name(boxes: Iterable[Box]) -> Iterator[str]:
    """The names of given values: inputs, weights, biases, each letter by its indices."""
    known = list(boxes)
    letters = [plain(tuple(span for span in box.title if not span.shift)) for box in known]

    def place(which: int) -> tuple[int, bool, int, list[int]]:
        box, scripts = known[which], sorted(known[which].title, key=lambda span: -span.shift)
        indices = re.findall(r"\d+", " ".join(span.text for span in scripts if span.shift))
        letter = letters[which]
        rank = [*ROLES].index(box.role), letter in BIASES, letters.index(letter)
        return *rank, [*map(int, indices)]

    return (known[which].name for which in sorted(range(len(known)), key=place))


def valued(box: Box) -> Equation:
    """How a value is computed, or what it is: `z = w·x + b = 2·3 − 1 = 5`."""
    result = joined(*_number(box.data, box, 0)) if box.data else ()
    right, figures = box.formula[len(box.title) + 1 :], box.figures
    if _has(right, _RELATIONS):  # y = (x > 1) = (3 > 1) = 1
        right, figures = joined("(", right, ")"), joined("(", figures, ")")
    if plain(figures) in (plain(right), plain(result[1:])):
        figures = ()
    symbols = joined(box.title, " = ", right) if right else box.formula
    return Equation(symbols, joined(" = ", figures) if figures else (), result)


def _number(text: str, box: Box, which: int) -> tuple[str, Line]:
    """The value or the gradient of a box after a sign, which says whether it is rounded."""
    known = as_float((box.numbers or (None, None))[which])
    exact = as_float(text.replace("−", "-")) == known
    color = "backward" if which else "ink"
    return f" {'=' if exact else '≈'} ", (Span(text, "mn", color=color),)


def _quotient(root: Box, box: Box) -> Line:
    return joined([Span("∂")], root.title, "/", [Span("∂")], box.title)


def _times(upstream: Line, slope: Line) -> tuple[str, Line]:
    """The sign and the rest of `∂L/∂y·(1 − y²)`, without a factor of 1."""
    sign = ""
    if slope[:1] and slope[0].text == "−" and not _has(slope, _SUMS):
        sign, slope = "−", slope[1:]
    return sign, upstream if plain(slope) == "1" else joined(upstream, "·", _factor(slope))


_RELATIONS = frozenset("=<>≤≥≠")
_SUMS = frozenset("+−")


def _has(line: Line, signs: frozenset[str]) -> bool:
    """Whether one of the signs stands between spaces, and in no brackets."""
    depth = 0
    for span in line:
        depth += span.text.count("(") - span.text.count(")")
        if span.text[:1] == " " and span.text.strip() in signs and not span.shift and not depth:
            return True
    return False


def _factor(line: Line) -> Line:
    """The line in brackets if it is a sum or begins with a minus."""
    begins = line[:1] and line[0].text.startswith("−")
    return joined("(", line, ")") if begins or _has(line, _SUMS) else line


def _multiplied(upstream: str, figures: Line) -> Line:
    """`0.5·(1 − 0.2²)`, without a factor of 1."""
    negative = upstream.startswith("−")
    if plain(figures) == "1" and not negative:
        return (Span(upstream, "mn"),)
    number = joined("(", [Span(upstream, "mn")], ")") if negative else (Span(upstream, "mn"),)
    if plain(figures) in ("1", "−1"):
        return joined(plain(figures)[:-1], number)
    return joined(number, "·", _factor(figures))
