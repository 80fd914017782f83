"""A derivation as on a blackboard: definitions, the chain rule by names, and a closed form.

>>> x, w, t = (Value(n, label=label) for n, label in ((2.0, "x"), (-3.0, "w"), (1.0, "t")))
>>> y, loss = (z := x * w).tanh(), None
>>> y.label, z.label = "y", "z"
>>> loss = (y - t) ** 2
>>> loss.label = "L"
>>> from micrograd import explain
>>> print(explain(loss, w, style="board").text())
let z = x·w,  y = tanh(z),  L = (y − t)²
<BLANKLINE>
∂L/∂w = ∂L/∂y · ∂y/∂z · ∂z/∂w
      = 2(y − t) · (1 − y²) · x
      ≈ −1.9661·10⁻⁴
<BLANKLINE>
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

from micrograd.derivation import document
from micrograd.derivation.algebra import simplified, size
from micrograd.derivation.chain import Chain
from micrograd.derivation.choices import decided, is_simple, joined, regular
from micrograd.derivation.definitions import (
    Definition,
    Definitions,
    definitions,
    derivative,
    has_decimals,
    partial,
    renamed,
)
from micrograd.derivation.document import Block, Equations, Let, Paragraph, sentence
from micrograd.derivation.evidence import Evidence
from micrograd.derivation.explanation import Explanation
from micrograd.derivation.naming import label_of
from micrograd.engine.value import Value
from micrograd.table.floats import to_float
from micrograd.table.formulas import Call, Tree, calls, fold, parts, variables
from micrograd.table.interpreters import IEEE
from micrograd.writing import blackboard, languages, notation
from micrograd.writing.indices import General, alike, general
from micrograd.writing.labels import columns
from micrograd.writing.notation import Formula

WIDTH = 76
"""The columns of a line, if nothing else is asked for."""

_NARROWEST = 16  # columns of a right side, however narrow the line
_FEWEST_ALIKE = 3  # lines that become one with an index
_MOST_FACTORS = 10  # of a chain that is written as one product
_MOST_EDGES = 12  # of a sum of paths, without Σ
_MOST_PATHS = 200  # between two values that all paths pass
_MOST_TERMS = 8  # of a sum, where one with Σ is a single term
_LONGEST = 120  # variables, numbers and operations of a closed form
_MOST_CLOSED_LINES = 4  # of a closed form that is worth showing
_LARGEST_CUT = 24  # values between, for which there is a closed form
_MOST_VALUES = 100  # of a way, before the partials of those in the middle are not computed
_MOST_LINES = 24  # of a reverse sweep, before its middle is left out


Edge = tuple[str, str]
"""A value and one of its operands, by their keys."""


class Slope(NamedTuple):
    """The derivative of one named value with respect to another, and when it has this form."""

    tree: Tree
    conditions: tuple[Tree, ...] = ()
    is_known: bool = True  # by a formula, not only by a number


class Board(Explanation):
    """A derivation as on a blackboard; `explain(…, style="board")` makes it.

    Args:
        chain: the graph with its adjoints.
        targets: what the output is differentiated with respect to.
        lang: the language that a notebook shows.
        numbers: whether the numbers of the graph are used: to decide between the branches of a
            function, and to show the results.
        width: the columns of a line.
    """

    def __init__(
        self,
        chain: Chain,
        targets: Sequence[Value],
        lang: str,
        numbers: bool = True,
        width: int | None = None,
    ) -> None:
        super().__init__(chain, targets, lang)
        self.numbers, self.width = numbers, width or WIDTH
        known = [target for target in targets if target in chain.names]
        self.cut: Definitions = definitions([chain.output], dict(chain.variables), keep=known)
        self._evidence = Evidence(self.cut, chain.nodes)
        self._used: set[str] = set()
        self._shares, shown = _shares(self.cut)
        self._slopes: dict[Edge, Slope] = {}
        bars: dict[str, Formula] = {}
        texts = {name.text for name in self.cut.names.values()}
        for name in self.cut.names.values():
            over = name.over()
            is_free = over.text and over.text not in texts  # not the label w_bar
            bar = over if is_free else notation.quotient(self._shown(chain.output), name)
            bars[f"¯{name.text}"] = bar
        self._formulas = {name.text: name for name in self.cut.names.values()} | bars | shown

    @property
    def known(self) -> Collection[Edge]:
        """The edges whose partials have been needed so far."""
        return self._slopes.keys()

    @property
    def names(self) -> dict[str, Value]:
        """The values without a label by their names here, for `draw_dot(output, names=…)`."""
        return {
            name.text: value
            for value, name in self.cut.names.items()
            if not label_of(value).strip()
        }

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (*super().__reduce__()[1], self.numbers, self.width)

    # ------------------------------------------------------------------------------------- content

    def blocks(
        self, lang: str | None = None, *, tables: bool | None = None, check: bool = False
    ) -> list[Block]:
        """Return the derivation as the blocks of a document.

        Args:
            lang: the language of the words; that of the explanation by default.
            tables: whether to add a table of the named values (by default, it is left out).
            check: whether to compare the derivatives with central differences.
        """
        words = languages.words(lang or self.lang, "explain")
        self.chain.refuse_changes()
        blocks: list[Block] = []
        for target in self.targets:
            blocks += self._derivation(target, words)
            if check:
                blocks.append(Paragraph(self._check(target, words)))
        if tables:
            blocks += self._table(words)
        return [*self._given(words), *blocks]

    def _shown(self, value: Value) -> Formula:
        return self.cut.names.get(value) or notation.named(label_of(value) or "x")

    def _lines(self, tree: Tree, left: int) -> tuple[Formula, ...]:
        """A formula in lines that fit beside a left side of so many columns."""
        room = max(_NARROWEST, self.width - left - 5)
        return tuple(blackboard.lines(tree, self._formulas, room))

    # --------------------------------------------------------------------------------- definitions

    def _given(self, words: Mapping[str, str]) -> Iterator[Block]:
        """What the named values are."""
        equations: list[document.Equation] = []
        shares = [(key, self._shares[key]) for key in self._shares if key in self._used]
        lines: list[Tree] = [
            Call("=", line) for line in [*((step.key, step.formula) for step in self.cut), *shares]
        ]
        hidden = len(lines) - 2 * _MOST_VALUES
        if hidden > 0:
            lines = [*lines[:_MOST_VALUES], *lines[-_MOST_VALUES:]]
        while lines:
            count = self._alike(lines)
            equations.append(self._definition(lines[:count]))
            lines = lines[count:]
        if equations:
            first, last, left_out = _ends(equations, words, max(0, hidden))
            yield Let(words["let"], words["let comma"], first, self.width)
            if left_out:
                yield from (left_out, Equations(last))

    def _alike(self, trees: Sequence[Tree]) -> int:
        """How many of the first trees differ in an index only, if that is worth a line."""
        count = alike(trees, self._formulas)
        return count if count >= _FEWEST_ALIKE else 1

    def _with_index(self, found: General) -> dict[str, Formula]:
        return {**self._formulas, **found.names, found.letter: blackboard.figure(1.0)}

    def _definition(self, trees: Sequence[Tree]) -> document.Equation:
        found = general(trees, self._formulas) if len(trees) > 1 else None
        names = self._formulas if found is None else self._with_index(found)
        first, second = _operands(trees[0] if found is None else found.tree)
        left = blackboard.written(first, names)
        room = max(_NARROWEST, self.width - columns(left.text) - 5)
        right = blackboard.lines(second, names, room)
        if found is not None:
            right[-1] = blackboard.ranged(right[-1], found.letter, found.first, found.last)
        return left, (tuple(right),)

    # ------------------------------------------------------------------------------------ partials

    def slope(self, edge: Edge) -> Slope:
        """The derivative of a named value with respect to an operand, which has been checked."""
        found = self._slopes.get(edge)
        if found is None:
            step: Definition = self.cut[edge[0]]
            found = self._slopes[edge] = self._checked(step, edge[1])
        return found

    def _checked(self, step: Definition, key: str) -> Slope:
        if step.slopes is not None:
            if not self.numbers:
                return Slope(Call("∂", (step.key, key)), is_known=False)
            return Slope(step.slopes.get(key, 0.0), is_known=False)
        raw = derivative(step.formula, key, step.key)
        found = self._decided(partial(step, key), {step.key: step.formula})
        wrt, inside = step.operands[key], self._evidence.inside(step)
        if self._evidence.agrees(found.tree, found.conditions, step.value, wrt, inside):
            return found
        return self._decided(raw, None)

    def _decided(self, tree: Tree, known: Mapping[str, Tree] | None) -> Slope:
        """The formula with the branches that the numbers take, or without exceptional points."""
        if self.numbers:
            numbers = {key: self.cut.value(key).data for key in variables(tree)}
            tree, conditions = decided(tree, numbers)
        else:
            tree, conditions = regular(tree)
        if conditions and known is not None:
            tree = simplified(tree, known, decimals=any(map(has_decimals, known.values())))
        return Slope(tree, conditions)

    # --------------------------------------------------------------------------------------- chain

    def _derivation(self, target: Value, words: Mapping[str, str]) -> Iterator[Block]:
        output, wrt = self._shown(self.output), self._shown(target)
        whole = notation.quotient(output, wrt)
        result = blackboard.figure(self.chain.adjoints.get(target, 0.0) + 0.0)
        way = self._way(target)
        if way is None:
            reason = "itself" if target is self.output else "no path"
            yield Paragraph(sentence(words[reason], output=output, wrt=wrt), self.width)
            yield Equations(((whole, (result,)),))
            return
        steps = self._product(way)
        if steps is None:
            yield from self._sweep(way, words)
            steps = [f"¯{way.keys[-1]}"]
        closed = self._closed(target, way)
        if closed is not None and not self._looks_like(closed, steps[-1]):
            steps.append(closed)
        shown = [self._lines(step, columns(whole.text)) for step in steps]
        if closed is steps[-1] and len(shown) > 1 and len(shown[-1]) > _MOST_CLOSED_LINES:
            shown.pop()
        if len(shown) > 1 and shown[0] == (whole,):
            shown = shown[1:]
        if self.numbers:
            shown.append((result,))
        yield Equations(((whole, tuple(shown)),))
        yield from self._remarks(target, way, words)

    def _looks_like(self, closed: Tree, product: Tree) -> bool:
        """Whether a closed form only writes a product of factors again."""
        first, second = (self._written(each).text.replace(" ", "") for each in (closed, product))
        return first == second

    def _way(self, target: Value) -> _Way | None:
        """All that leads from a value to the output; None if nothing does."""
        if target is self.output or target not in self.cut.names:
            return None
        bottom, top = self.cut.key(target), self.cut.key(self.output)
        reached, steps = {bottom}, []
        for step in self.cut:
            if step.key != bottom and reached & step.operands.keys():
                reached.add(step.key)
                steps.append(step)
        needed, keys = {top}, []
        edges: list[Edge] = []
        for step in reversed(steps):
            if step.key in needed:
                keys.append(step.key)
                below = [key for key in step.operands if key in reached]
                needed.update(below)
                edges += [(step.key, key) for key in below]
        return _Way(self, [*keys, bottom], edges) if keys else None

    def _product(self, way: _Way) -> list[Tree] | None:
        """The chain by names, and with the partials; None if it is no short product."""
        if way.is_long:
            return None
        known = way.slopes()
        edges = [edge for edge in way.edges if known[edge].tree != 0.0]
        segments = _segments(way.keys, edges) or _segments(way.keys, way.edges)
        if segments is None:
            return None
        names: list[Tree] = []
        slopes: list[Tree] = []
        for paths in segments:
            by_name: list[Tree] = [_chain([Call("∂", edge) for edge in path]) for path in paths]
            if len(paths) == 1:
                names += [Call("∂", edge) for edge in paths[0]]
                slopes += [known[edge].tree for edge in paths[0]]
                continue
            total = _total(by_name)
            count = blackboard.count_terms(total, self._formulas)
            if count > _MOST_TERMS or (count > 1 and sum(map(len, paths)) > _MOST_EDGES):
                return None
            names.append(total)
            slopes.append(_total([_chain([known[edge].tree for edge in path]) for path in paths]))
        if len(names) > _MOST_FACTORS:
            return None
        return [_chain(names, keep_ones=True), _chain(slopes)]

    # --------------------------------------------------------------------------------- closed form

    def _closed(self, target: Value, way: _Way) -> Tree | None:
        """The derivative as one simplified formula, if it is short and the evidence confirms it."""
        if len(way.keys) > _LARGEST_CUT:
            return None
        if not self.numbers and not all(slope.is_known for slope in way.slopes().values()):
            return None
        steps = [step for step in self.cut if step.is_known]
        if len(steps) > _LARGEST_CUT:
            steps = [step for step in steps if step.key in way.keys]
        known = {step.key: step.formula for step in steps} | self._shares
        decimals = any(has_decimals(step.formula) for step in steps)
        found: dict[str, Tree] = {way.keys[0]: 1.0}
        for key in way.keys[1:]:
            terms = [(found[upper], slope.tree) for upper, slope in way.uses(key)]
            if len(terms) == 1 and terms[0][0] == 1.0 and not self._shares:
                tree = terms[0][1]  # simplified already
            else:
                tree = _total([Call("mul", pair) for pair in terms])
                tree = simplified(tree, known, decimals=decimals)
            found[key] = tree
            if size(tree) > _LONGEST:
                return None
        if blackboard.count_terms(tree, self._formulas) > _MOST_TERMS:
            return None
        conditions = [each for slope in way.slopes().values() for each in slope.conditions]
        agrees = self._evidence.agrees(
            renamed(tree, {key: key for key in variables(tree)} | self._shares),
            conditions,
            self.output,
            target,
            self.chain.nodes,
            self.chain.adjoints[target],
        )
        if not agrees:
            return None
        self._used |= variables(tree) & self._shares.keys()
        return tree

    # ------------------------------------------------------------------------------- reverse sweep

    def _sweep(self, way: _Way, words: Mapping[str, str]) -> Iterator[Block]:
        """The derivatives of the output with respect to the values between, with bars."""
        top, bottom = way.keys[0], way.keys[-1]
        output = self._formulas[top]
        meaning = notation.quotient(output, self._formulas[bottom])
        example = notation.equation([self._formulas[f"¯{bottom}"], meaning])
        if example is not self._formulas[f"¯{bottom}"]:
            yield Paragraph(sentence(words["bar"], output=output, example=example), self.width)
        keys = way.keys[1:]
        if way.is_long:  # the middle is left out below
            keys = [*keys[:_MOST_LINES], *keys[-_MOST_LINES:]]
        rows = [self._sweep_row(way, key, words) for key in keys]
        equations: list[document.Equation] = []
        while rows:
            count = self._alike([Call("=", row) for row, _ in rows])
            equations.append(self._sweep_line([row for row, _ in rows[:count]], rows[0][1]))
            rows = rows[count:]
        first, last, left_out = _ends(equations, words, len(way.keys) - 1 - len(keys))
        yield Equations(first)
        if left_out:
            yield from (left_out, Equations(last))

    def _sweep_row(
        self, way: _Way, key: str, words: Mapping[str, str]
    ) -> tuple[tuple[Tree, ...], float]:
        """One line of the sweep: the bar, the chain rule by names and with partials; the number."""
        names: list[Tree] = []
        slopes: list[Tree] = []
        for upper, slope in way.uses(key):
            bar: list[Tree] = [] if upper == way.keys[0] else [f"¯{upper}"]
            names.append(_chain([*bar, Call("∂", (upper, key))]))
            slopes.append(_chain([*bar, slope.tree]))
        both = [_total(names), _total(slopes)]
        if blackboard.count_terms(both[0], self._formulas) > _MOST_TERMS:
            more = words["more terms"].format(count=way.count(key) - _MOST_TERMS)
            self._formulas["…"] = notation.words(more)
            both = [_total([*terms[:_MOST_TERMS], "…"]) for terms in (names, slopes)]
        value = self.cut.value(key)
        return (f"¯{key}", *both), self.chain.adjoints[value]

    def _sweep_line(self, rows: Sequence[tuple[Tree, ...]], number: float) -> document.Equation:
        found = general([Call("=", row) for row in rows], self._formulas) if rows[1:] else None
        names = self._formulas if found is None else self._with_index(found)
        left, *sides = rows[0] if found is None else _operands(found.tree)
        first = blackboard.written(left, names)
        room = max(_NARROWEST, self.width - columns(first.text) - 5)
        steps = [blackboard.lines(side, names, room) for side in sides]
        if found is not None:
            *others, last = steps[-1]
            ranged = blackboard.ranged(last, found.letter, found.first, found.last)
            steps[-1] = [*others, ranged]
        elif self.numbers:
            steps.append([blackboard.figure(number + 0.0)])
        return first, tuple(map(tuple, steps))

    # ------------------------------------------------------------------------------------- remarks

    def _remarks(self, target: Value, way: _Way, words: Mapping[str, str]) -> Iterator[Block]:
        """Under which conditions the formulas hold, and what is known as a number only."""
        found: dict[str, Formula] = {}
        for slope in way.slopes().values():
            for condition in joined(slope.conditions):
                if is_simple(condition):
                    shown = self._written(condition)
                    found.setdefault(shown.text, shown)
        if found:
            key = "conditions" if self.numbers else "where"
            listed = _listed([*found.values()], words)
            yield Paragraph(sentence(words[key], conditions=listed), self.width)
        trees = [slope.tree for slope in way.slopes().values()]
        if any("where" in calls(tree) for tree in trees):
            yield Paragraph(sentence(words["bracket"]), self.width)
        if self.numbers and self._is_blocked(target, trees):
            yield Paragraph(sentence(words["blocked"]), self.width)
        by_hand = [edge for edge, slope in way.slopes().items() if not slope.is_known]
        if by_hand:
            listed = _listed([self._written(Call("∂", edge)) for edge in by_hand], words)
            yield Paragraph(sentence(words["by hand"], partials=listed), self.width)

    def _is_blocked(self, target: Value, trees: Sequence[Tree]) -> bool:
        """Whether a factor of 0 stops others that are infinite or no numbers."""
        slopes = []
        for tree in trees:
            numbers = {key: self.cut.value(key).data for key in variables(tree)}
            slopes.append(fold(tree, IEEE, numbers, to_float))
        is_finite = math.isfinite(self.chain.adjoints[target])
        return is_finite and not all(map(math.isfinite, slopes))

    def _written(self, tree: Tree) -> Formula:
        return blackboard.written(tree, self._formulas)

    def _table(self, words: Mapping[str, str]) -> Iterator[Block]:
        """The named values and the derivatives with respect to them, as numbers."""
        headers = tuple(words[key] for key in ("value", "formula", "result", "adjoint"))
        rows: list[tuple[str | Formula, ...]] = []
        for value, name in self.cut.names.items():
            key = name.text
            step = self.cut.get(key)
            shown = words["given"] if step is None else self._written(step.formula)
            numbers = (value.data, self.chain.adjoints[value] + 0.0)
            rows.append((name, shown, *map(blackboard.figure, numbers)))
        yield document.TableBlock(headers, tuple(rows))


def _shares(cut: Definitions) -> tuple[dict[str, Tree], dict[str, Formula]]:
    """Names for the shares of a softmax whose denominator is in a formula, and their names."""
    names: dict[str, Formula] = {name.text: name for name in cut.names.values()}
    found: dict[str, Tree] = {}
    shown: dict[str, Formula] = {}
    letters = [x for x in "pqr" if not any(name.startswith(x) for name in names)]
    sums = dict.fromkeys(
        part.operands[0]
        for step in cut
        for part in parts(step.formula)
        if isinstance(part, Call) and part.name == "log"
    )
    for whole in sums:
        terms = [*blackboard.terms(whole)]
        exponents = [
            term.operands[0]
            for sign, term in terms
            if sign == "+" and isinstance(term, Call) and term.name == "exp"
        ]
        if letters and len(set(exponents)) == len(terms) > 1:
            letter = letters.pop(0)
            case = general(exponents, names)
            for i, (_, term) in enumerate(terms, case.first if case else 1):
                name = notation.named(f"{letter}{i}")
                shown[name.text] = name
                found[name.text] = Call("div", (term, whole))
    return found, shown


def _again(
    output: Value,
    targets: list[Value],
    names: dict[str, Value],
    lang: str,
    numbers: bool,
    width: int,
) -> Board:
    return Board(Chain(output, names, max_nodes=sys.maxsize), targets, lang, numbers, width)


class _Way:
    """What leads from a value to the output: the values from the output down, and the edges."""

    def __init__(self, board: Board, keys: list[str], edges: list[Edge]) -> None:
        self.board, self.keys, self.edges = board, keys, edges
        self._above: dict[str, list[Edge]] = {key: [] for key in keys}
        for edge in reversed(edges):
            self._above[edge[1]].append(edge)

    @property
    def is_long(self) -> bool:
        """Whether there are so many values that only the first and the last are shown."""
        return len(self.keys) > _MOST_VALUES

    def slopes(self) -> dict[Edge, Slope]:
        """The partials of the edges; of a long way, those that were needed."""
        known = self.board.known
        return {e: self.board.slope(e) for e in self.edges if not self.is_long or e in known}

    def uses(self, key: str) -> list[tuple[str, Slope]]:
        """The values that use a value, with their partials, without those that are 0."""
        edges = self._above[key]
        if len(edges) > _MOST_VALUES:
            return [(edge[0], self.board.slope(edge)) for edge in edges[: _MOST_TERMS + 1]]
        found = [(edge[0], self.board.slope(edge)) for edge in edges]
        return [(upper, slope) for upper, slope in found if slope.tree != 0.0] or found[:1]

    def count(self, key: str) -> int:
        """How often a value is used."""
        return len(self._above[key])


def _ends(
    equations: list[document.Equation], words: Mapping[str, str], hidden: int
) -> tuple[tuple[document.Equation, ...], tuple[document.Equation, ...], Paragraph | None]:
    """The first and the last equations, and what is said of those between if there are many."""
    half, more = _MOST_LINES // 2, len(equations) - _MOST_LINES
    if more <= 0:
        return tuple(equations), (), None
    said = Paragraph((words["left out"].format(count=f"{more + hidden:,}"),))
    return tuple(equations[:half]), tuple(equations[-half:]), said


def _segments(keys: Sequence[str], edges: Sequence[Edge]) -> list[list[list[Edge]]] | None:
    """The paths between each two values that all paths pass; None if there are too many.

    Args:
        keys: the values from the output down.
        edges: the edges between them.
    """
    place = {key: i for i, key in enumerate(keys)}
    below: dict[str, list[str]] = {key: [] for key in keys}
    last = {keys[-1]}  # what leads to the last value
    for upper, lower in reversed(edges):
        below[upper].insert(0, lower)
    for key in reversed(keys):
        below[key] = [lower for lower in below[key] if lower in last]
        if below[key]:
            last.add(key)
    passed, furthest, reached = [], 0, {keys[0]}
    for i, key in enumerate(keys):
        if key in reached:
            if i == furthest:
                passed.append(key)
            reached.update(below[key])
            furthest = max([furthest, *(place[lower] for lower in below[key])])
    if passed[-1] != keys[-1]:
        return None
    segments = []
    for upper, lower in pairwise(passed):
        paths: list[list[Edge]] = []
        stack: list[tuple[str, list[Edge]]] = [(upper, [])]
        while stack:
            key, path = stack.pop()
            if key == lower:
                paths.append(path)
            elif len(path) > _MOST_FACTORS or len(stack) + len(paths) > _MOST_PATHS:
                return None
            else:
                stack += [(each, [*path, (key, each)]) for each in reversed(below[key])]
        segments.append(paths)
    return segments


def _chain(factors: Sequence[Tree], keep_ones: bool = False) -> Tree:
    """A product whose factors are kept apart, without ones."""
    shown = [each for each in factors if keep_ones or each != 1.0]
    return Call("factors", tuple(shown)) if len(shown) > 1 else shown[0] if shown else 1.0


def _total(terms: Sequence[Tree]) -> Tree:
    """The sum of the terms, without zeros."""
    shown = [each for each in terms if each != 0.0]
    return reduce(lambda x, y: Call("add", (x, y)), shown) if shown else 0.0


def _operands(tree: Tree) -> tuple[Tree, ...]:
    return tree.operands if isinstance(tree, Call) else (tree,)


def _listed(formulas: Sequence[Formula], words: Mapping[str, str]) -> document.Sentence:
    parts: list[str | Formula] = []
    for each in formulas:
        parts += [words["comma"] if parts else "", each]
    return tuple(parts)
