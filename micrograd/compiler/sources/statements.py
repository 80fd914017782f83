"""The instructions of a program as statements in C, forwards and backwards.

Short instructions are written one number after another, wide ones as a loop, and a long tape as a
loop over tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from micrograd.compiler.program import (
    SUM,
    Elementwise,
    Fold,
    Instruction,
    Product,
    Tape,
    WeightedSums,
    even_matrix,
)
from micrograd.compiler.sources import sums
from micrograd.compiler.sources.places import Item, linear, loop_head, unwritten
from micrograd.ops import TABLE
from micrograd.source.trees import Definition, flow_of, ready
from micrograd.table.formulas import ADJOINT, RESULT, Call, Tree, substituted

TABLED = 2_000
"""The most steps of a tape that are written one by one."""


class Statements(sums.Sums):
    """Writes all instructions."""

    def forward(self, instruction: Instruction) -> Iterator[Item]:
        """The statements that compute an instruction."""
        match instruction:
            case Elementwise():
                yield from self._elementwise(instruction)
            case Product():
                yield self._product(instruction)
            case WeightedSums():
                yield from self.sums(instruction)
            case Fold():
                yield self._fold(instruction)
            case Tape(code=code) if len(code) > TABLED:
                yield self._tape(instruction, backwards=False)
            case Tape():
                for step in instruction.steps():
                    yield from self.forward(step)
            case _:
                raise unwritten(instruction)

    def backward(self, instruction: Instruction) -> Iterator[Item]:
        """The statements that pass the adjoints of an instruction on."""
        if not self.active[instruction.varies][instruction.out].any():
            return
        match instruction:
            case Elementwise():
                yield from self._elementwise_back(instruction)
            case Product():
                yield self._product_back(instruction)
            case WeightedSums():
                yield from self.sums_back(instruction)
            case Tape(code=code) if len(code) > TABLED:
                yield self._tape(instruction, backwards=True)
            case Tape():
                for step in reversed([*instruction.steps()]):
                    yield from self.backward(step)

    def _elementwise(self, step: Elementwise) -> Iterator[Item]:
        size, name = step.out.stop - step.out.start, "uv"[step.varies]
        if size > sums.UNROLLED:
            held = tuple(self.element(*each) for each in step.operands)
            target = f"{name}[{linear(step.out.start, (1, 'i'))}]"
            formula = Definition(target, ready(Call(step.operation.name, held)))
            yield self.loop(loop_head("i", size), [formula])
            return
        for i, slot in enumerate(range(step.out.start, step.out.stop)):
            held = tuple(self.number(varies, _slot(rows, i)) for varies, rows in step.operands)
            yield Definition(f"{name}[{slot}]", ready(Call(step.operation.name, held)))

    def _elementwise_back(self, step: Elementwise) -> Iterator[Item]:
        size, name = step.out.stop - step.out.start, "uv"[step.varies]
        if size > sums.UNROLLED:
            held = [self.element(*each) for each in step.operands]
            at = linear(step.out.start, (1, "i"))
            shares = [
                self.into(f"d{self.adjoint(varies, rows)}", share)
                for place, (varies, rows) in enumerate(step.operands)
                if self.is_active(varies, rows)
                and (share := self._flow(step, place, held, f"{name}[{at}]")) != 0.0
            ]
            if shares:
                yield self.loop(loop_head("i", size), shares)
            return
        for i, slot in enumerate(range(step.out.start, step.out.stop)):
            if not self.active[step.varies][slot]:
                continue
            held = [self.number(varies, _slot(rows, i)) for varies, rows in step.operands]
            for place, (varies, rows) in enumerate(step.operands):
                read = _slot(rows, i)
                if self.active[varies][read]:
                    share = self._flow(step, place, held, f"{name}[{slot}]")
                    if share != 0.0:
                        yield self.into(f"d{'uv'[varies]}[{read}]", share)

    def _flow(self, step: Elementwise, place: int, held: Sequence[Tree], out: str) -> Tree:
        flow = flow_of(step.operation, place, held, self.product)
        if flow is None:
            return 0.0
        names = dict(zip(step.operation.operands, held, strict=True))
        return ready(substituted(flow, {**names, RESULT: out, ADJOINT: f"d{out}"}))

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

    def _product_back(self, step: Product) -> str:
        (rows, columns), vectors = step.matrix.shape, len(step.inputs)
        many = (rows, "j") if vectors > 1 else (0, "j")
        g = f"d{'uv'[step.varies]}[{linear(step.out.start, many, (1, 'i'))}]"
        lines = [
            f"{_loops(vectors, rows)} {{",
            f"    const double g = {g};",
            "    if (g == 0) continue;",
        ]
        sides = (False, step.matrix, "i"), (step.varies, step.inputs, "j")
        for (varies, slots, name), (space, others, other) in (sides, sides[::-1]):
            if self.is_active(varies, slots):
                target = self.matrix(varies, slots, name, is_adjoint=True)
                factor = self.matrix(space, others, other)
                share = self.text(Call(self.product, ("g", factor)))
                lines.append(f"    {loop_head('k', columns)} {target} += {share};")
        if step.bias is not None and self.is_active(False, step.bias):
            lines.append(f"    d{self.adjoint(False, step.bias)} += g;")
        return "\n".join([*lines, "}"])

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

    def _tape(self, step: Tape, *, backwards: bool) -> str:
        """A loop over the steps, with a case for each operation."""
        codes, size = self.table(step.code), len(step.code)
        places = [
            f"{self.coded(step.operands[:, i], step.operands_vary[:, i])}[i]" for i in range(3)
        ]
        reads = ", ".join(f"{x} = {self.read(k)}" for x, k in zip("xyz", places, strict=True))
        out = f"{'uv'[step.varies]}[{linear(step.out.start, (1, 'i'))}]"
        cases = []
        for code, row in enumerate(step.operations):
            held = tuple("xyz"[: row.arity])
            if backwards:
                flows = (flow_of(row, place, held, self.product) for place in range(row.arity))
                names = {**dict(zip(row.operands, held, strict=True)), RESULT: "out", ADJOINT: "g"}
                shares = [
                    f"{self.place(k)} += {self.text(ready(substituted(flow, names)))};"
                    for k, flow in zip(places, flows, strict=False)
                    if flow is not None
                ]
                cases.append(f"case {code}: {' '.join([*shares, 'break;'])}")
            else:
                cases.append(f"case {code}: out = {self.text(ready(Call(row.name, held)))}; break;")
        if (step.code == SUM).any():
            cases.append(f"default: {self._tape_sum(step, backwards=backwards)}")
        if backwards:
            head = [f"for (int i = {size - 1}; i >= 0; i--) {{"]
            head += [f"    const double g = d{out}, out = {out}, {reads};", "    (void)out;"]
            end = []
        else:
            head = [
                f"{loop_head('i', size)} {{",
                f"    const double {reads};",
                "    double out = 0.0;",
            ]
            end = [f"    {out} = out;"]
        unused = "    (void)x; (void)y; (void)z;"
        inner = [f"        {case}" for case in cases]
        switch = [f"    switch ({codes}[i]) {{", *inner, "    }"]
        return "\n".join([*head, unused, *switch, *end, "}"])

    def _tape_sum(self, step: Tape, *, backwards: bool) -> str:
        terms = step.terms
        bounds, signs = self.table(step.bounds), self.table(terms.sign)
        (left, right) = (f"{self.coded(*side)}[k]" for side in terms.sides)
        loop = f"for (int k = {bounds}[i]; k < {bounds}[i + 1]; k++)"
        read = {k: self.read(k) for k in (left, right)}
        if not backwards:
            return f"{loop} out += {signs}[k] * {read[left]} * {read[right]};"
        shares = (
            f"{self.place(k)} += {signs}[k] * {self.text(Call(self.product, ('g', read[other])))};"
            for k, other in ((left, right), (right, left))
        )
        return f"{loop} {{ {' '.join(shares)} }}"


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
