"""A derivation as on a blackboard: definitions, the chain rule by names, and a closed form.

>>> x, w, t = (Value(n, label=label) for n, label in ((2.0, "x"), (-3.0, "w"), (1.0, "t")))
>>> z = x * w
>>> y = z.tanh()
>>> loss = (y - t) ** 2
>>> from micrograd import explain
>>> print(explain(loss, w, names={"z": z, "y": y, "L": loss}, style="board").text())
let z = x·w,  y = tanh(z),  L = (y − t)²
<BLANKLINE>
  ∂L/∂w = ∂L/∂y · ∂y/∂z · ∂z/∂w
        = 2(y − t) · (1 − y²) · x
        ≈ −1.966·10⁻⁴
<BLANKLINE>
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from micrograd.derivation import document
from micrograd.derivation.chain import Chain
from micrograd.derivation.choices import is_simple, joined
from micrograd.derivation.closed_forms import ClosedForms
from micrograd.derivation.definitions import Definitions, definitions
from micrograd.derivation.document import Block, Equations, Let, Paragraph, sentence
from micrograd.derivation.explanation import Explanation, ends
from micrograd.derivation.ways import (
    MOST_FACTORS,
    MOST_TERMS,
    MOST_VALUES,
    Way,
    chain,
    segments,
    total,
)
from micrograd.engine.value import Value
from micrograd.table.floats import to_float
from micrograd.table.formulas import Call, Tree, fold, parts, variables
from micrograd.table.interpreters import IEEE
from micrograd.writing import blackboard, notation
from micrograd.writing.indices import DIGITS, General, alike, by_index, general
from micrograd.writing.labels import columns
from micrograd.writing.notation import Formula
from micrograd.writing.ranges import is_indicator

WIDTH = 76
"""The default width of a line, in columns."""

_NARROWEST = 16  # columns of a right side, however narrow the line
_FEWEST_ALIKE = 3  # lines that become one with an index
_MOST_EDGES = 12  # of a sum of paths, without Σ
_MOST_CLOSED_LINES = 4  # of a closed form that is worth showing
_MOST_LINES = 24  # of a reverse sweep, before its middle is left out


_ROUNDED = 1e-12  # below which a number may be 0 but for its rounding
_SIGNS = re.compile("[ ·]")  # in which a product of factors and a closed form may differ


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

    _has_tables = False

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
        self.cut: Definitions = definitions(
            [chain.output], dict(chain.variables), known, share=True
        )
        self._named = self.cut.names
        self._adjoints = dict(chain.adjoints)
        for value, first in self.cut.same.items():
            self._adjoints[first] += self._adjoints[value]
        self._forms = ClosedForms(self.cut, chain, numbers=numbers)
        self._used: set[str] = set()  # the shares of a softmax that closed forms speak of
        self._formulas = {name.text: name for name in self.cut.names.values()} | self._forms.names
        self._products: dict[str, list[Tree] | None] = {}
        mixed = (key for target in targets for key in self._mixtures(target))
        self._mixed = {self._formulas[key].text: key for key in mixed}
        texts = {name.text for name in self.cut.names.values()}
        for name in self.cut.names.values():
            over = name.over()
            is_free = over.text and over.text not in texts  # not the label w_bar
            self._formulas[f"¯{name.text}"] = over if is_free else self._whole(name)

    def __reduce__(self) -> tuple[object, ...]:
        again, options = super().__reduce__()
        return again, (*options, self.numbers, self.width)

    # ------------------------------------------------------------------------------------- content

    def _whole(self, name: Formula) -> Formula:
        """The derivative of the output; with d if ∂ also means a part of it on this board."""
        sign = "d" if name.text in self._mixed else "∂"
        return notation.quotient(self._name(self.output), name, sign=sign)

    def _mixtures(self, target: Value) -> Iterator[str]:
        """The values that the output depends on directly and through others, if both are shown."""
        way = self._forms.way(target)
        if way is not None:
            yield from filter(way.is_mixed, way.keys[-1:] if self._product(way) else way.keys[1:])

    def _laid_out(
        self, left: int, write: Callable[[int], list[document.Equation]]
    ) -> tuple[list[document.Equation], bool]:
        """Equations beside left sides of the given width or, for lack of room, below them.

        `write` makes them for right sides of a width. The second result is whether they are below.
        """
        room = self.width - left - 5
        beside = write(max(_NARROWEST, room))
        sides = (side for _, steps in beside for step in steps for side in document.lines_of(step))
        if all(columns(line) <= room for side in sides for line in side.text.split("\n")):
            return beside, False
        return write(max(_NARROWEST, self.width - 6)), True

    # --------------------------------------------------------------------------------- definitions

    def _given(self, words: Mapping[str, str]) -> Iterator[Block]:
        """What the named values are."""
        shares = [(key, self._forms.shares[key]) for key in self._forms.shares if key in self._used]
        lines: list[Tree] = [
            Call("=", line) for line in [*((step.key, step.formula) for step in self.cut), *shares]
        ]
        hidden = len(lines) - 2 * MOST_VALUES
        if hidden > 0:
            lines = [*lines[:MOST_VALUES], *lines[-MOST_VALUES:]]
        lines = [*self._gathered(by_index(lines))]

        def write(room: int) -> list[document.Equation]:
            return [self._equation(group, room, words) for group in self._groups(lines)]

        equations, is_narrow = self._laid_out(self._widest(lines), write)
        if equations:
            first, last, left_out = ends(equations, _MOST_LINES, words, max(0, hidden))
            yield Let(words["let"], words["let comma"], tuple(first), self.width, is_narrow)
            yield from _others(last, left_out, is_narrow)
        if self._mixed:
            output, wrt = self._name(self.output), self._formulas[next(iter(self._mixed.values()))]
            whole, partial = self._whole(wrt), notation.quotient(output, wrt)
            said = sentence(words["total"], output=output, whole=whole, partial=partial)
            yield Paragraph(said, self.width)

    def _gathered(self, lines: Sequence[Tree], step: int = 1) -> Iterator[Tree]:
        """The lines, reordered so that those that differ only in an index follow one another.

        A line moves up only if what it needs is above its new place. Lines whose index counts down
        are reversed if none of them needs another.
        """
        place = {_operands(line)[0]: i for i, line in enumerate(lines)}
        used = [_used(_operands(line)[1:]) & place.keys() for line in lines]
        needed = [{place[key] for key in keys if place[key] < i} for i, keys in enumerate(used)]
        shapes = [DIGITS.sub("", str(line)) for line in lines]
        of_shape: dict[str, list[int]] = {}
        for i, shape in enumerate(shapes):
            of_shape.setdefault(shape, []).append(i)
        done: set[int] = set()
        for first, shape in enumerate(shapes):
            if first in done:
                continue
            group, above = [first], done | {first}
            several = of_shape[shape]
            for i in several if len(several) >= _FEWEST_ALIKE else ():
                if i not in above and needed[i] <= above:
                    pair = lines[group[-1]], lines[i]
                    if general(pair, self._formulas, step) is not None:
                        group.append(i)
                        above.add(i)
            if len(group) < _FEWEST_ALIKE:
                group = [first]
            done.update(group)
            if step < 0 and all(needed[i].isdisjoint(group) for i in group):
                group.reverse()
            yield from (lines[i] for i in group)

    def _groups(self, trees: Sequence[Tree], step: int | None = 1) -> Iterator[Sequence[Tree]]:
        """Trees in a row that differ only in an index, if that is worth a line; others alone."""
        while trees:
            count = alike(trees, self._formulas, step)
            count = count if count >= _FEWEST_ALIKE else 1
            yield trees[:count]
            trees = trees[count:]

    def _with_index(self, found: General) -> dict[str, Formula]:
        return {**self._formulas, **found.names, found.letter: blackboard.figure(1.0)}

    def _widest(self, lines: Sequence[Tree]) -> int:
        """The columns of the longest left side of some equations."""
        return max((columns(self._written(_operands(line)[0]).text) for line in lines), default=0)

    def _equation(
        self, trees: Sequence[Tree], room: int, words: Mapping[str, str], step: int | None = 1
    ) -> document.Equation:
        """One equation, or several that differ only in an index as one."""
        found = general(trees, self._formulas, step) if trees[1:] else None
        names = self._formulas if found is None else self._with_index(found)
        first, *sides = _operands(trees[0] if found is None else found.tree)
        steps = [blackboard.lines(side, names, room, words) for side in sides]
        if found is not None:
            steps[-1] = blackboard.ranged(steps[-1], found, room)
        return blackboard.written(first, names), tuple(map(tuple, steps))

    # --------------------------------------------------------------------------------------- chain

    def _derivation(self, target: Value, words: Mapping[str, str]) -> Iterator[Block]:
        output, wrt = self._name(self.output), self._name(target)
        whole = self._whole(wrt)
        result = blackboard.figure(self.chain.adjoints.get(target, 0.0) + 0.0)
        way = self._forms.way(target)
        if way is None:
            reason = "itself" if target is self.output else "no path"
            yield Paragraph(sentence(words[reason], output=output, wrt=wrt), self.width)
            yield Equations(((whole, (result,)),))
            return
        steps = self._product(way)
        if steps is None:
            yield from self._sweep(way, words)
            steps = [f"¯{way.keys[-1]}"]
        closed = self.closed(target)
        if closed is not None and not self._looks_like(closed, steps[-1]):
            steps.append(closed)

        def write(room: int) -> list[document.Equation]:
            shown = [tuple(blackboard.lines(x, self._formulas, room, words)) for x in steps]
            if closed is steps[-1] and len(shown) > 1 and len(shown[-1]) > _MOST_CLOSED_LINES:
                shown.pop()
            if self.numbers and not self._is_number(steps[-1], target):
                shown.append((result,))
            if len(shown) > 1 and shown[0] == (whole,):
                shown = shown[1:]
            return [(whole, tuple(shown))]

        equations, is_narrow = self._laid_out(columns(whole.text), write)
        yield Equations(tuple(equations), is_narrow)
        yield from self._remarks(target, way, words)

    def closed(self, target: Value) -> Tree | None:
        """The derivative with respect to a target as one simplified formula of named values.

        It has been confirmed to equal the gradient. None if there is no such formula, or if it is
        too long to be read.
        """
        way = self._forms.way(target)
        tree = None if way is None else self._forms.formula(target, way)
        if tree is None or blackboard.has_more(tree, MOST_TERMS, self._formulas):
            return None
        self._used |= variables(tree) & self._forms.shares.keys()
        return tree

    def _is_number(self, tree: Tree, target: Value) -> bool:
        """Whether a formula is the gradient as a number already."""
        adjoint = self.chain.adjoints[target]
        return isinstance(tree, float) and math.isclose(tree, adjoint, abs_tol=_ROUNDED)

    def _looks_like(self, closed: Tree, product: Tree) -> bool:
        """Whether a closed form only writes a product again, perhaps in another order."""
        first, second = (_terms_in(self._written(each).text) for each in (closed, product))
        return sorted(first) == sorted(second)

    def _product(self, way: Way) -> list[Tree] | None:
        """The chain by names and with the partials; None if it is not a short product."""
        key = way.keys[-1]
        if key not in self._products:
            self._products[key] = self._short_product(way)
        return self._products[key]

    def _short_product(self, way: Way) -> list[Tree] | None:
        if way.is_long:
            return None
        known = way.slopes()
        edges = [edge for edge in way.edges if known[edge].tree != 0.0]
        found = segments(way.keys, edges) or segments(way.keys, way.edges)
        if found is None:
            return None
        names: list[Tree] = []
        slopes: list[Tree] = []
        for paths in found:
            by_name: list[Tree] = [chain([Call("∂", edge) for edge in path]) for path in paths]
            if len(paths) == 1:
                names += [Call("∂", edge) for edge in paths[0]]
                slopes += [known[edge].tree for edge in paths[0]]
                continue
            whole = total(by_name)
            most = 1 if sum(map(len, paths)) > _MOST_EDGES else MOST_TERMS
            if blackboard.has_more(whole, most, self._formulas):
                return None
            names.append(whole)
            slopes.append(total([chain([known[edge].tree for edge in path]) for path in paths]))
            if blackboard.has_more(slopes[-1], MOST_TERMS, self._formulas):
                return None
        if len(names) > MOST_FACTORS:
            return None
        return [chain(names, keep_ones=True), chain(slopes)]

    # ------------------------------------------------------------------------------- reverse sweep

    def _sweep(self, way: Way, words: Mapping[str, str]) -> Iterator[Block]:
        """The derivatives of the output with respect to the values in between, with bars."""
        top, bottom = way.keys[0], way.keys[-1]
        output = self._formulas[top]
        meaning = self._whole(self._formulas[bottom])
        example = notation.equation([self._formulas[f"¯{bottom}"], meaning])
        if example is not self._formulas[f"¯{bottom}"]:
            yield Paragraph(sentence(words["bar"], output=output, example=example), self.width)
        keys = way.keys[1:]
        if way.is_long:  # the middle is left out below
            keys = [*keys[:_MOST_LINES], *keys[-_MOST_LINES:]]
        rows = [self._sweep_row(way, key, words) for key in keys]
        numbers: dict[Tree, float] = {Call("=", row): number for row, number in rows}
        lines = [*self._gathered([*numbers], -1)]

        def write(room: int) -> list[document.Equation]:
            equations = []
            for group in self._groups(lines, None):
                name, steps = self._equation(group, room, words, None)
                if self.numbers and len(group) == 1:
                    steps = (*steps, blackboard.figure(numbers[group[0]] + 0.0))
                equations.append((name, steps))
            return equations

        equations, is_narrow = self._laid_out(self._widest(lines), write)
        hidden = len(way.keys) - 1 - len(keys)
        first, last, left_out = ends(equations, _MOST_LINES, words, hidden)
        yield Equations(tuple(first), is_narrow)
        yield from _others(last, left_out, is_narrow)

    def _sweep_row(
        self, way: Way, key: str, words: Mapping[str, str]
    ) -> tuple[tuple[Tree, ...], float]:
        """One line of the sweep: the bar, the chain rule by names and with partials; the number."""
        names: list[Tree] = []
        slopes: list[Tree] = []
        for upper, slope in way.uses(key):
            bar: list[Tree] = [] if upper == way.keys[0] else [f"¯{upper}"]
            names.append(chain([*bar, Call("∂", (upper, key))]))
            slopes.append(chain([*bar, slope.tree]))
        both = [total(names), total(slopes)]
        if blackboard.has_more(both[0], MOST_TERMS, self._formulas):
            more = words["more terms"].format(count=way.count(key) - MOST_TERMS)
            self._formulas["…"] = notation.words(more)
            both = [total([*terms[:MOST_TERMS], "…"]) for terms in (names, slopes)]
        value = self.cut.value(key)
        return (f"¯{key}", *both), self._adjoints[value]

    # ------------------------------------------------------------------------------------- remarks

    def _remarks(self, target: Value, way: Way, words: Mapping[str, str]) -> Iterator[Block]:
        """The conditions under which the formulas hold, and what is known only as a number."""
        conditions = dict.fromkeys(
            each
            for slope in reversed(way.slopes().values())
            for each in joined(slope.conditions)
            if is_simple(each)
        )
        if conditions:
            key = "conditions" if self.numbers else "where"
            listed = document.listed(self._in_short(joined([*conditions]), words), words["comma"])
            yield Paragraph(sentence(words[key], conditions=listed), self.width)
        trees = [slope.tree for slope in way.slopes().values()]
        if any(is_indicator(part) for tree in trees for part in parts(tree)):
            yield Paragraph(sentence(words["bracket"]), self.width)
        if self.numbers and self._is_blocked(target, trees):
            yield Paragraph(sentence(words["blocked"]), self.width)
        by_hand = [edge for edge, slope in way.slopes().items() if not slope.is_known]
        if by_hand:
            partials = [self._written(Call("∂", edge)) for edge in by_hand]
            listed = document.listed(partials, words["comma"])
            yield Paragraph(sentence(words["by hand"], partials=listed), self.width)

    def _in_short(self, conditions: Sequence[Tree], words: Mapping[str, str]) -> list[Formula]:
        """The conditions, where those that differ only in an index are one."""
        shown: dict[str, Formula] = {}
        for group in self._groups(conditions, None):
            found = general(group, self._formulas, None)
            if found is None:
                each = blackboard.written(group[0], self._formulas, words)
            else:
                first, last = sorted((found.first, found.last))
                each = blackboard.written(found.tree, self._with_index(found), words)
                (each,) = blackboard.ranged(
                    [each], found._replace(first=first, last=last), sys.maxsize
                )
            shown.setdefault(each.text, each)
        return [*shown.values()]

    def _is_blocked(self, target: Value, trees: Sequence[Tree]) -> bool:
        """Whether a factor of 0 stops others that are infinite or nan."""
        slopes = []
        for tree in trees:
            numbers = {key: self.cut.value(key).data for key in variables(tree)}
            slopes.append(fold(tree, IEEE, numbers, to_float))
        is_finite = math.isfinite(self.chain.adjoints[target])
        return is_finite and not all(map(math.isfinite, slopes))

    def _written(self, tree: Tree) -> Formula:
        return blackboard.written(tree, self._formulas)

    def _tables(self, words: Mapping[str, str]) -> Iterator[Block]:
        """The named values and the derivatives with respect to them, as numbers."""
        headers = tuple(words[key] for key in ("value", "formula", "result", "adjoint"))
        rows: list[tuple[str | Formula, ...]] = []
        for value, name in self.cut.names.items():
            key = name.text
            step = self.cut.get(key)
            shown = (
                words["given"]
                if step is None
                else blackboard.written(step.formula, self._formulas, words)
            )
            numbers = (value.data, self._adjoints[value] + 0.0)
            rows.append((name, shown, *map(blackboard.figure, numbers)))
        yield document.TableBlock(headers, tuple(rows))


def _others(
    equations: Sequence[document.Equation], left_out: str, is_narrow: bool
) -> tuple[Block, ...]:
    """The last equations below a remark on those that are left out."""
    return (Paragraph((left_out,)), Equations(tuple(equations), is_narrow)) if left_out else ()


def _terms_in(text: str) -> str:
    """A formula without spaces and dots, in which every term in a sum has a sign."""
    return re.sub(r"(^|\()(?!−)", r"\1+", _SIGNS.sub("", text))


def _used(trees: Sequence[Tree]) -> set[str]:
    return set().union(*map(variables, trees))


def _operands(tree: Tree) -> tuple[Tree, ...]:
    return tree.operands if isinstance(tree, Call) else (tree,)
