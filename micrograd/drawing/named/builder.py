"""From a graph to its compact picture: a box for each named value, with its formula."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from micrograd.derivation.algebra import simplified as shortened
from micrograd.derivation.definitions import Definition, definitions, partial
from micrograd.derivation.naming import label_of, variable_names
from micrograd.derivation.parameters import is_model
from micrograd.derivation.partials import simplified
from micrograd.drawing.named.layout import laid_out
from micrograd.drawing.named.roles import ROLES, checked_roles, roles_of
from micrograd.drawing.picture import Arrow, Box, OperationNode, Picture
from micrograd.drawing.spans import Line, Span, joined, of_mark, plain
from micrograd.engine.graph import order
from micrograd.engine.value import Value
from micrograd.table.formulas import Call, Tree, calls, variables
from micrograd.writing import blackboard, languages, notation
from micrograd.writing.notation import Formula
from micrograd.writing.numbers import NO_GRADIENT, checked_digits, rounded, significant

WIDTH = 700
DIGITS = 4

_PLURALS = {f"{each}s": each for each in ROLES if each != "loss"} | {"losses": "loss"}
HIDDEN = (
    *("constants", "values", "gradients"),
    *(word for word in _PLURALS if word != "values"),
    *(f"{each} gradients" for each in ROLES if each != "value"),
)
"""What `hide=` takes, besides Values and names."""


def named_picture(
    roots: list[Value],
    *,
    names: Mapping[str, Any] | Any | None = None,
    model: Any = None,
    roles: Mapping[Any, str] | None = None,
    hide: Any = (),
    numbers: bool = False,
    digits: int = DIGITS,
    width: int = WIDTH,
    direction: str = "",
    lang: str = "en",
    max_nodes: int,
    gradients: Mapping[Value, float] | None = None,
    is_placed: bool = True,
) -> Picture:
    """The compact picture; `micrograd.drawing.draw_dot` explains the options.

    `gradients` are shown in place of those of the last backward pass. A picture that is not
    placed has no layout; its boxes can still be changed.

    Raises:
        ValueError: if there are more than `max_nodes` named values, or an option is wrong.
    """
    checked_digits(digits)
    checked_width(width)
    builder = _Builder(
        roots, names, model, checked_roles(roles), hide, numbers, digits, gradients, lang
    )
    if len(builder.shown) > max_nodes:
        raise ValueError(
            f"a drawing of {len(builder.shown):,} named values cannot be read (limit "
            f"{max_nodes:,}): name fewer values, hide some with hide=, draw a smaller part, or "
            f"raise the limit with max_nodes={len(builder.shown)}"
        )
    if not builder.shown:
        raise ValueError("nothing to draw: hide= hides everything")
    words = languages.words(lang, "picture")
    boxes = [builder.box(value) for value in builder.shown]
    tops = [builder.ids[root] for root in roots if root in builder.shown]
    picture = Picture(boxes, [], tops, direction, words, width)
    picture = picture._replace(title=_title(picture), description=description(picture))
    return placed(picture) if is_placed else picture


def placed(picture: Picture) -> Picture:
    """The compact picture with its layout."""
    layout = laid_out(picture)
    return picture._replace(direction=layout.direction, layout=layout)


def checked_width(width: Any) -> float:
    """The width of a picture; ValueError unless it is a number of at least 200."""
    if isinstance(width, bool) or not isinstance(width, int | float) or not width >= 200:
        raise ValueError(f"width is a number of pixels from 200, got {width!r}")
    return width


class _Builder:
    def __init__(
        self,
        roots: list[Value],
        names: Mapping[str, Any] | Any | None,
        model: Any,
        roles: Mapping[Any, str],
        hide: Any,
        numbers: bool,
        digits: int,
        gradients: Mapping[Value, float] | None,
        lang: str,
    ) -> None:
        self.words = languages.words(lang, "explain")
        self.numbers, self.digits, self.gradients = numbers, digits, gradients
        nodes: list[Value] = order(roots)
        called = variable_names(model if names is None and is_model(model) else names, nodes)
        cut = definitions(roots, {called[id(node)]: node for node in nodes if id(node) in called})
        self.names = cut.names
        self.defined = {each.value: each for each in cut}
        self.named = [node for node in nodes if node in self.names]
        self.ids = {node: f"n{i}" for i, node in enumerate(nodes)}
        parameters = {id(each) for each in getattr(model, "parameters", list)()}
        named = {node: self.names[node] for node in self.named}
        self.roles = roles_of(named, roots, roles, parameters)
        nameless = {
            leaf for leaf in cut.given if not label_of(leaf).strip() and id(leaf) not in called
        }
        self.hidden = _Hidden(hide, self.names, self.roles, nameless)
        self.shown = [node for node in self.named if node not in self.hidden.boxes]
        self.lines = {
            node: of_mark(self.names[node].mark, ROLES[self.roles[node]][2]) for node in self.named
        }

    def box(self, value: Value) -> Box:
        name, definition = self.ids[value], self.defined.get(value)
        line, arrows = self.lines[value], []
        figures: Line = ()
        if definition is not None:
            formula = self._typeset(definition.formula, definition)
            figures = self._figures(definition.formula, definition)
            line = joined(line, " = ", formula)
            arrows = list(self._arrows(value, definition))
        shows_gradient = self.roles[value] not in self.hidden.gradients
        return Box(
            name,
            "leaf" if definition is None else "value",
            plain(line),
            "" if self.hidden.values else rounded(value.data, self.digits),
            self._gradient(value) if shows_gradient else "",
            OperationNode(name, "", arrows) if definition is not None else None,
            (value.data, value.grad if self.gradients is None else self.gradients[value]),
            formula=line,
            title=self.lines[value],
            figures=figures,
            role=self.roles[value],
        )

    def _gradient(self, value: Value) -> str:
        grad = value.grad if self.gradients is None else self.gradients[value]
        return NO_GRADIENT if type(grad) is int and grad == 0 else rounded(grad, self.digits)

    def _arrows(self, value: Value, definition: Definition) -> Iterator[Arrow]:
        numbers = {key: each.data for key, each in definition.operands.items()}
        numbers[definition.key] = value.data
        for i, (key, operand) in enumerate(definition.operands.items()):
            if operand in self.hidden.boxes:
                continue
            slope = partial(definition, key)
            here = simplified(slope, numbers, {})
            if "where" in calls(slope):
                slope = shortened(here.formula)
            line = factor = self._typeset(slope, definition)
            if self.numbers and not isinstance(slope, float):
                line = joined(line, " = ", [Span(rounded(here.value, self.digits), "mn")])
            line = tuple(span._replace(color="backward") for span in line)
            yield Arrow(
                f"{self.ids[value]}e{i}",
                self.ids[operand],
                plain(line),
                formula=line,
                factor=factor,
                figures=self._figures(slope, definition),
            )

    def _typeset(self, tree: Tree, definition: Definition) -> Line:
        return self._written(tree, definition, self._called)

    def _figures(self, tree: Tree, definition: Definition) -> Line:
        """The formula with numbers in place of names."""
        with significant(self.digits):
            return self._written(tree, definition, lambda value: notation.number(value.data))

    def _written(
        self, tree: Tree, definition: Definition, shown: Callable[[Value], Formula]
    ) -> Line:
        if tree is definition.formula and isinstance(tree, Call) and not definition.is_known:
            operands = [shown(operand) for operand in definition.operands.values()]
            return of_mark(notation.by_hand(tree.name, operands).mark)
        values = {**definition.operands, definition.key: definition.value}
        known = {key: shown(values[key]) for key in variables(tree)}
        if blackboard.has_logic(tree, known):
            return of_mark(blackboard.written(tree, known, self.words).mark)
        return of_mark(notation.formula(tree, known).mark)

    def _called(self, value: Value) -> Formula:
        name = self.names[value]
        mark = ("spans", self.lines[value])
        return replace(name, mark=mark)


class _Hidden:
    """What is not shown: boxes, the gradients of roles, and values."""

    def __init__(
        self,
        hide: Any,
        names: Mapping[Value, Formula],
        roles: Mapping[Value, str],
        nameless: Collection[Value],
    ) -> None:
        self.boxes: set[Value] = set()
        self.gradients: set[str] = set()
        self.values = False
        for each in [hide] if isinstance(hide, str | Value) else hide:
            word = each if isinstance(each, str) else ""
            role = word.removesuffix(" gradients")
            if word == "values":
                self.values = True
            elif word == "gradients":
                self.gradients.update(ROLES)
            elif role in ROLES and role != word:
                self.gradients.add(role)
            elif word == "constants":
                self.boxes.update(nameless)
            elif word in _PLURALS:
                self.boxes.update(node for node in roles if roles[node] == _PLURALS[word])
            else:
                self.boxes.update(self._found(each, names))

    @staticmethod
    def _found(each: Any, names: Mapping[Value, Formula]) -> list[Value]:
        """The values that a Value or a name means."""
        text = notation.named(each).text if isinstance(each, str) else ""
        found = [node for node in names if node is each or (text and names[node].text == text)]
        if not found:
            raise ValueError(
                f"hide: {each!r} is not in the graph; hide takes Values, their names, and "
                f"{', '.join(map(repr, HIDDEN))}"
            )
        return found


# ------------------------------------------------------------------------------- alternative text


def _title(picture: Picture) -> str:
    tops = [plain(box.title) for box in picture.boxes if box.name in picture.roots]
    return picture.words["graph of"].format(output=picture.words["next output"].join(tops))


_TOLD = ("told", "told value", "told gradient", "told value gradient")


def description(picture: Picture) -> str:
    """Every box in words, from the last to the first, for those who cannot see them."""
    words = picture.words
    sentences = []
    for box in reversed(picture.boxes):
        key = _TOLD[bool(box.data) + 2 * bool(box.grad)]
        sentences.append(words[key].format(formula=box.label, value=box.data, gradient=box.grad))
    return "".join(sentences).rstrip()
