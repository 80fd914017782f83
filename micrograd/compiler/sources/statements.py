"""Instructions as statements in C, those of a program or of its backward pass.

Short instructions are written one number after another, wide ones as a loop, and a long tape as a
loop over tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import (
    SUM,
    Elementwise,
    Fold,
    Product,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.program import Instruction
from micrograd.compiler.program.slots import count_of, even_matrix, slots_of
from micrograd.compiler.sources import sums
from micrograd.compiler.sources.places import Item, linear, loop_head, unwritten
from micrograd.ops import TABLE
from micrograd.source.trees import Definition, flow_of, ready
from micrograd.table.formulas import Call, Tree, substituted

TABLED = 2_000
"""The most steps of a tape that are written one by one."""


class Statements(sums.Sums):
    """Writes all instructions."""

    def written(self, instructions: Iterable[Instruction]) -> Iterator[Item]:
        """The statements that run instructions in order."""
        for _, group in groupby(instructions, _origin):
            steps = [*group]
            first = steps[0]
            match first:
                case Elementwise():
                    yield from self._elementwise(steps)
                case Product(mode="value"):
                    yield self._product(first)
                case Product():
                    yield self._product_of_adjoints(first)
                case WeightedSums():
                    yield from self.sums(first)
                case Fold():
                    yield self._fold(first)
                case Tape(code=code) if len(code) > TABLED:
                    yield self._tape(first)
                case Tape():
                    yield from self.written(first.steps())
                case _:
                    raise unwritten(first)

    def _elementwise(self, steps: Sequence[Any]) -> Iterator[Item]:
        """An operation, or the flows to all of its operands."""
        size = count_of(steps[0].out)
        if size > sums.UNROLLED:
            lines = [
                self._applied(step, slots_of(step.out), [self.element(*x) for x in step.operands])
                for step in steps
            ]
            yield self.loop(loop_head("i", size), lines)
            return
        for i in range(size):
            for step in steps:
                held = [self.number(varies, _slot(rows, i)) for varies, rows in step.operands]
                yield self._applied(step, np.array([_slot(step.out, i)]), held)

    def _applied(self, step: Elementwise, slots: Any, held: Sequence[Tree]) -> Definition:
        """The statement that stores an operation on operands, or adds a flow."""
        row, target = step.operation, self.target(step.varies and step.mode != "total", slots)
        if not isinstance(row, Flow):
            return Definition(target, ready(Call(row.name, tuple(held))))
        return self.into(target, self._flow(row, held))

    def _flow(self, row: Flow, held: Sequence[Tree]) -> Tree:
        names = dict(zip(row.operands, held, strict=True))
        operands = [names.get(name, name) for name in row.operation.operands]
        flow = flow_of(row.operation, row.place, operands, self.product)
        return 0.0 if flow is None else ready(substituted(flow, names))

    def _product(self, step: Product) -> str:
        (rows, columns), vectors = step.matrix.shape, len(step.inputs)
        bias = "0.0" if step.bias is None else self.text(self.element(False, step.bias))
        matrix = self.matrix(False, step.matrix, "i")
        vector = self.matrix(step.varies, step.inputs, "j")
        many = (rows, "j") if vectors > 1 else (0, "j")
        out = f"{'uv'[step.varies]}[{linear(step.out.start, many, (1, 'i'))}]"
        if columns > sums.UNROLLED and _has_rows(step.matrix) and _has_rows(step.inputs):
            first, second = ("&" + re.sub(r"\bk\b", "0", each) for each in (matrix, vector))
            lines = [f"{out} = {bias} + mg_dot({first}, {second}, {columns});"]
        else:
            lines = [
                f"double sum = {bias};",
                f"{loop_head('k', columns)} sum += {matrix} * {vector};",
                f"{out} = sum;",
            ]
        inner = [f"    {line}" for line in lines]
        return "\n".join([f"{_loops(vectors, rows)} {{", *inner, "}"])

    def _product_of_adjoints(self, step: Product) -> str:
        """A product with adjoints; many of them are 0."""
        (rows, columns), vectors = step.matrix.shape, len(step.inputs)
        total, out = step.mode == "total", slots_of(step.out).reshape(vectors, rows)
        target = self.matrix(step.varies and not total, out, "j")
        factor = self.matrix(total, step.matrix.T, "i")
        g = self.matrix(step.varies, step.inputs, "j", "i")
        share = self.text(Call(self.product, ("g", factor)))
        lines = [
            f"{_loops(vectors, columns)} {{",
            f"    const double g = {g};",
            "    if (g == 0) continue;",
            f"    {loop_head('k', rows)} {target} += {share};",
            "}",
        ]
        return "\n".join(lines)

    def _fold(self, step: Fold) -> str:
        row = TABLE[step.operation.name]
        bounds = self.table(step.bounds)
        held = self.element(step.varies, step.slots, "k")
        out = f"{'uv'[step.varies]}[{linear(step.out.start, (1, 'i'))}]"
        most = self.text(ready(Call(row.name, ("most", held))))
        first = self.element(step.varies, step.slots, f"{bounds}[i]")
        return "\n".join(
            [
                f"{loop_head('i', step.out.stop - step.out.start)} {{",
                f"    double most = {self.text(first)};",
                f"    for (int k = {bounds}[i] + 1; k < {bounds}[i + 1]; k++) most = {most};",
                f"    {out} = most;",
                "}",
            ]
        )

    def _tape(self, step: Tape) -> str:
        """A loop over the steps, with a case for each operation."""
        is_value = step.modes is None
        code, operands, kinds = step.code, step.operands, step.operands_vary
        if not is_value:
            code, operands, kinds = _with_terms(step)
        count = max([row.arity for row in step.operations] + [0 if is_value else 2])
        names = [f"x{i}" for i in range(count)]
        reads = [
            f"{name} = {self.read(operands[:, i], kinds[:, i], 'i')}"
            for i, name in enumerate(names)
        ]
        trees: list[Tree] = []
        for row in step.operations:
            held = (*names[: row.arity],)
            if isinstance(row, Flow):
                trees.append(self._flow(row, held))
            else:
                trees.append(ready(Call(row.name, held)))
        if is_value:
            out = self.target(step.varies, slots_of(step.out))
        else:
            out = self.place(step.out, (step.modes != "total") & step.varies, "i")
            product = Call(self.product, ("x0", "x1"))
            trees += [product, Call("neg", (product,))]
        cases = [f"case {i}: out = {self.text(tree)}; break;" for i, tree in enumerate(trees)]
        if is_value and (code == SUM).any():
            cases.append(f"default: {self._tape_sum(step)}")
        return "\n".join(
            [
                f"{loop_head('i', len(code))} {{",
                f"    const double {', '.join(reads)};",
                "    double out = 0.0;",
                f"    {' '.join(f'(void){name};' for name in names)}",
                f"    switch ({self.table(code)}[i]) {{",
                *(f"        {case}" for case in cases),
                "    }",
                f"    {out} {'=' if is_value else '+='} out;",
                "}",
            ]
        )

    def _tape_sum(self, step: Tape) -> str:
        terms, bounds = step.terms, self.table(step.bounds)
        left, right = (self.read(*side, "k") for side in terms.sides)
        loop = f"for (int k = {bounds}[i]; k < {bounds}[i + 1]; k++)"
        return f"{loop} out += {self.table(terms.sign)}[k] * {left} * {right};"


def _with_terms(tape: Tape) -> tuple[Any, Any, Any]:
    """The codes and operands of a tape of adjoints, with those of products, which are sums there.

    A product has the code after the last one of the operations, or the next if it is negative.
    """
    code, operands, kinds = (x.copy() for x in (tape.code, tape.operands, tape.operands_vary))
    sums = code == SUM
    code[sums] = len(tape.operations) + (tape.terms.sign < 0)
    for i, (slots, varies) in enumerate(tape.terms.sides):
        operands[sums, i], kinds[sums, i] = slots, varies
    return code, operands, kinds


def _origin(step: Instruction) -> object:
    """What the flows of one operation to its operands have in common, and no other steps."""
    if isinstance(step, Elementwise) and isinstance(step.operation, Flow):
        return step.operation.operation.name, str(step.operands[0]), count_of(step.out)
    return object()


def _has_rows(slots: Any) -> bool:
    """Whether the entries of each row of a matrix are neighbours."""
    even = even_matrix(slots)
    return even is not None and even[2] == 1


def _slot(rows: Any, i: int) -> int:
    return rows.start + i if isinstance(rows, slice) else int(rows[i])


def _loops(vectors: int, rows: int) -> str:
    """The heads of the loops over the results of a product."""
    return (
        f"{loop_head('j', vectors)} {loop_head('i', rows)}" if vectors > 1 else loop_head("i", rows)
    )
