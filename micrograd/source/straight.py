"""Straight-line code: definitions of local variables, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from micrograd.ops import Operation, lookup
from micrograd.source.trees import Definition, flow_of, ready
from micrograd.table.formulas import ADJOINT, RESULT, Call, Tree, substituted

_MOST_TERMS = 8  # terms of a sum in one line: compilers recurse over them


class Step(NamedTuple):
    """One operation. Its operands are keys of parameters or steps, and constants."""

    key: str
    row: Operation
    operands: tuple[str | float, ...]


class StraightLine:
    """The operations of a function in the order in which they are done; equal ones are done once.

    Attributes:
        parameters: the keys of the parameters.
        steps: the operations.
        names: the name that each parameter and operation was given, if any, by its key.
        output: the key of the result, or a constant.
    """

    def __init__(self, parameters: Iterable[str]) -> None:
        self.parameters = [*parameters]
        self.steps: list[Step] = []
        self.output: str | float = 0.0
        self.names: dict[str, str] = {}
        self._known: dict[Any, str] = {}

    def apply(self, name: str, *operands: str | float, label: str = "") -> str:
        """Add an operation, unless there is an equal one, and return its key."""
        row = lookup(name)
        same = (row.name, *map(repr, operands))  # 0.0 and -0.0 differ
        key = self._known.setdefault(same, f"{len(self.steps)}")
        if key == f"{len(self.steps)}":
            self.steps.append(Step(key, row, operands))
        if label and not self.names.get(key):
            self.names[key] = label
        return key

    def sort(self, results: Iterable[str | float]) -> None:
        """Put the steps that results need in an order in which each soon follows its operands.

        Compilers keep few numbers in registers, and hardly change the order themselves.
        """
        steps = {step.key: step for step in self.steps}
        found: dict[str, Step] = {}
        open_: list[str | float] = [*results][::-1]
        while open_:
            key = open_[-1]
            if not isinstance(key, str) or key in found or key not in steps:
                open_.pop()
                continue
            ahead = [each for each in steps[key].operands if each in steps and each not in found]
            if not ahead:
                found[key] = steps[key]
            open_ += ahead[::-1]
        self.steps = [*found.values()]

    # ------------------------------------------------------------------------------------- formulas

    def forwards(self) -> list[Definition]:
        """The definition of each step."""
        return [
            Definition(step.key, ready(Call(step.row.name, step.operands))) for step in self.steps
        ]

    def backwards(
        self,
        adjoint: Callable[[str], str],
        wanted: Collection[str] | None = None,
        product: str = "stopping_mul",
        *,
        at_once: bool = False,
    ) -> tuple[list[Definition], dict[str, Tree]]:
        """The definitions of the adjoints, and the derivative with respect to each parameter.

        Where nothing flows back, there is no adjoint.

        Args:
            adjoint: the key of the adjoint of a step or a parameter.
            wanted: the keys of the parameters whose derivatives are wanted; by default all.
            product: the operation that multiplies in the chain rule, `"stopping_mul"` or `"mul"`.
            at_once: add up what flows back to a value as it comes, not in one formula.
        """
        chosen = self.parameters if wanted is None else [*wanted]
        terms: dict[str, list[Tree]] = {}
        made: list[Definition] = []
        if isinstance(self.output, str):
            terms[self.output] = [1.0]

        def total(key: str) -> Tree:
            found = terms.get(key, [0.0])
            if len(found) == 1 and not isinstance(found[0], Call):
                return found[0]  # a number, or the adjoint of another value
            name = adjoint(key)
            tree = found[0]
            for i, term in enumerate(found[1:], start=1):
                if i % _MOST_TERMS == 0:
                    made.append(Definition(f"{name} {i}", tree))
                    tree = f"{name} {i}"
                tree = Call("add", (tree, term))
            made.append(Definition(name, tree))
            return name

        active = set(chosen)  # what depends on a parameter
        for step in self.steps:
            if not active.isdisjoint(step.operands):
                active.add(step.key)
        for step in reversed(self.steps):
            if step.key not in terms:
                continue
            g = total(step.key)
            for place, operand in enumerate(step.operands):
                flow = (
                    flow_of(step.row, place, step.operands, product) if operand in active else None
                )
                if flow is not None:
                    names = dict(zip(step.row.operands, step.operands, strict=True))
                    tree = ready(substituted(flow, {**names, RESULT: step.key, ADJOINT: g}))
                    if tree != 0.0:
                        found = terms.setdefault(str(operand), [])
                        if at_once and found:
                            ahead = f"{adjoint(str(operand))} {len(made)}"
                            made.append(Definition(ahead, Call("add", (found.pop(), tree))))
                            tree = ahead
                        found.append(tree)
        return made, {key: total(key) for key in chosen}
