"""The instructions of a program as statements in C, forwards and backwards.

Numbers are in arrays: `p` has the parameters, `c` the constants, `u` and `v` the two spaces of the
program, `du` and `dv` the adjoints. What is short is written one number after the other, what is
wide as a loop, and a long tape as a loop over tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count, pairwise
from typing import Any

import numpy as np

from micrograd.compiler.adjoints import active
from micrograd.compiler.program import (
    SUM,
    Elementwise,
    Fold,
    Instruction,
    Product,
    Program,
    Tape,
    WeightedSums,
    even_matrix,
)
from micrograd.ops import TABLE
from micrograd.source.c import C
from micrograd.source.trees import Definition, flow_of, ready, shared
from micrograd.table.formulas import ADJOINT, RESULT, Call, Tree, calls, substituted

UNROLLED, TABLED = 12, 2_000
"""The most terms that are written one by one, and the most steps of a tape."""

NONE = -(2**31) + 1
"""In tables of slots: no slot."""

Item = Definition | str  # a formula, or lines of text
_INTO = "_into"  # a formula that is added to a number: target, formula, and what makes it unique


class Statements:
    """Writes instructions.

    Args:
        program: the program.
        inputs: whether adjoints of the inputs are wanted, or those of the parameters.
        product: the operation that multiplies in the chain rule, `"stopping_mul"` or `"mul"`.
        tables: the names of the tables of the file by their texts.
        used: the operations that the file calls.
    """

    def __init__(
        self,
        program: Program,
        *,
        inputs: bool,
        product: str,
        tables: dict[str, str],
        used: set[str],
    ) -> None:
        self.program, self.active = program, active(program, inputs)
        self.product, self.tables, self.used = product, tables, used
        self.mirrored = False  # whether `u` has copies of the parameters
        self._unique = count()

    # -------------------------------------------------------------------------------- where it is

    def number(self, varies: bool, slot: int) -> Tree:
        """A number that is written on its own."""
        program = self.program
        if not varies:
            if slot < program.parameters:
                return f"p[{slot}]"
            place = slot - program.first_constant
            if 0 <= place < len(program.constants):
                return ready(float(program.constants[place]))
        return f"{'uv'[varies]}[{slot}]"

    def element(self, varies: bool, rows: Any, i: str = "i") -> Tree:
        """The number of a row of an operand, in a loop over the rows."""
        slots = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else np.asarray(rows)
        if (slots == slots[0]).all():
            return self.number(varies, int(slots[0]))
        name, first = self.array(varies, slots)
        return f"{name}[{self.index(slots - first, i)}]"

    def array(self, varies: bool, slots: Any) -> tuple[str, int]:
        """The array in which slots are, and the slot of its first number."""
        program = self.program
        if varies:
            return "v", 0
        low, high = int(np.min(slots)), int(np.max(slots))
        if high < program.parameters:
            return "p", 0
        self.mirrored |= low < program.parameters
        return "u", 0

    def index(self, slots: Any, i: str) -> str:
        """The text of `slots[i]`: a linear formula, or an entry of a table."""
        step = int(slots[1] - slots[0]) if len(slots) > 1 else 0
        if (np.diff(slots) == step).all():
            return _linear(int(slots[0]), (step, i))
        return f"{self.table(slots)}[{i}]"

    def table(self, numbers: Any) -> str:
        """The name of a table."""
        texts = [str(int(each)) for each in numbers]
        text = f"[{len(texts)}] = {listed(texts)};"
        return self.tables.setdefault(text, f"mg_table{len(self.tables) + 1}")

    def text(self, tree: Tree) -> str:
        """A formula in C; its operations are entered."""
        self.used |= calls(tree)
        return C.text(tree)

    # -------------------------------------------------------------------------------- statements

    def into(self, target: str, tree: Tree) -> Definition:
        """Add a formula to an adjoint."""
        return Definition("", Call(_INTO, (target, tree, float(next(self._unique)))))

    def lines(self, items: Sequence[Item]) -> list[str]:
        """Statements as lines; what occurs more than once in them is computed once."""
        texts = [each for each in items if isinstance(each, str)]
        places = iter(range(len(texts)))
        marked = [
            Definition(f"\0{next(places)}", 0.0) if isinstance(each, str) else each
            for each in items
        ]
        found: list[str] = []
        for name, tree in shared(marked, (f"t{i}" for i in count(1))):
            if name.startswith("\0"):
                found += texts[int(name[1:])].split("\n")
            elif isinstance(tree, Call) and tree.name == _INTO:
                target, share, _ = tree.operands
                found.append(f"{target} += {self.text(share)};")
            else:
                kind = "const double " if name[0] == "t" else ""
                found.append(f"{kind}{name} = {self.text(tree)};")
        return found

    def loop(self, head: str, items: Sequence[Item]) -> str:
        """A loop, or several if the head has several, around statements."""
        lines = [f"    {line}" for line in self.lines(items)]
        return "\n".join([f"{head} {{", *lines, "}"])

    # ------------------------------------------------------------------------------- instructions

    def forward(self, instruction: Instruction) -> Iterator[Item]:
        """The statements that compute an instruction."""
        match instruction:
            case Elementwise():
                yield from self._elementwise(instruction)
            case Product():
                yield self._product(instruction)
            case WeightedSums():
                yield from self._sums(instruction)
            case Fold():
                yield self._fold(instruction)
            case Tape(code=code) if len(code) > TABLED:
                yield self._tape(instruction, backwards=False)
            case Tape():
                for step in instruction.steps():
                    yield from self.forward(step)

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
                yield from self._sums_back(instruction)
            case Tape(code=code) if len(code) > TABLED:
                yield self._tape(instruction, backwards=True)
            case Tape():
                for step in reversed([*instruction.steps()]):
                    yield from self.backward(step)

    def _is_active(self, varies: bool, rows: Any) -> bool:
        return bool(self.active[varies][rows].any())

    # elementwise

    def _elementwise(self, step: Elementwise) -> Iterator[Item]:
        size, name = step.out.stop - step.out.start, "uv"[step.varies]
        if size > UNROLLED:
            held = tuple(self.element(*each) for each in step.operands)
            target = f"{name}[{_linear(step.out.start, (1, 'i'))}]"
            formula = Definition(target, ready(Call(step.operation.name, held)))
            yield self.loop(_for("i", size), [formula])
            return
        for i, slot in enumerate(range(step.out.start, step.out.stop)):
            held = tuple(self.number(varies, _slot(rows, i)) for varies, rows in step.operands)
            yield Definition(f"{name}[{slot}]", ready(Call(step.operation.name, held)))

    def _elementwise_back(self, step: Elementwise) -> Iterator[Item]:
        size, name = step.out.stop - step.out.start, "uv"[step.varies]
        if size > UNROLLED:
            held = [self.element(*each) for each in step.operands]
            at = _linear(step.out.start, (1, "i"))
            shares = [
                self.into(f"d{self._adjoint(varies, rows)}", share)
                for place, (varies, rows) in enumerate(step.operands)
                if self._is_active(varies, rows)
                and (share := self._flow(step, place, held, f"{name}[{at}]")) != 0.0
            ]
            if shares:
                yield self.loop(_for("i", size), shares)
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

    def _adjoint(self, varies: bool, rows: Any, i: str = "i") -> str:
        """Where the adjoint of a row is, without the `d`."""
        slots = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else np.asarray(rows)
        return f"{'uv'[varies]}[{self.index(slots, i)}]"

    # matrix products

    def _matrix(self, varies: bool, slots: Any, name: str, *, is_adjoint: bool = False) -> str:
        """An entry of a matrix of slots, in loops over `i` (or another name) and `k`."""
        array, first = ("uv"[varies], 0) if is_adjoint else self.array(varies, slots)
        even = even_matrix(slots)
        if even is not None:
            base, down, right = even
            down = down if len(slots) > 1 else 0
            place = _linear(base - first, (down, name), (right, "k"))
        else:
            at = _linear(0, (slots.shape[1] if len(slots) > 1 else 0, name), (1, "k"))
            place = f"{self.table((slots - first).ravel())}[{at}]"
        return f"{'d' * is_adjoint}{array}[{place}]"

    def _product(self, step: Product) -> str:
        (rows, columns), vectors = step.matrix.shape, len(step.inputs)
        bias = "0.0" if step.bias is None else self.text(self.element(False, step.bias))
        matrix = self._matrix(False, step.matrix, "i")
        vector = self._matrix(step.varies, step.inputs, "j")
        many = (rows, "j") if vectors > 1 else (0, "j")
        out = f"{'uv'[step.varies]}[{_linear(step.out.start, many, (1, 'i'))}]"
        return "\n".join(
            [
                f"{_loops(vectors, rows)} {{",
                f"    double sum = {bias};",
                f"    {_for('k', columns)} sum += {matrix} * {vector};",
                f"    {out} = sum;",
                "}",
            ]
        )

    def _product_back(self, step: Product) -> str:
        (rows, columns), vectors = step.matrix.shape, len(step.inputs)
        many = (rows, "j") if vectors > 1 else (0, "j")
        g = f"d{'uv'[step.varies]}[{_linear(step.out.start, many, (1, 'i'))}]"
        lines = [
            f"{_loops(vectors, rows)} {{",
            f"    const double g = {g};",
            "    if (g == 0) continue;",
        ]
        sides = (False, step.matrix, "i"), (step.varies, step.inputs, "j")
        for (varies, slots, name), (space, others, other) in (sides, sides[::-1]):
            if self._is_active(varies, slots):
                target = self._matrix(varies, slots, name, is_adjoint=True)
                factor = self._matrix(space, others, other)
                share = self.text(Call(self.product, ("g", factor)))
                lines.append(f"    {_for('k', columns)} {target} += {share};")
        if step.bias is not None and self._is_active(False, step.bias):
            lines.append(f"    d{self._adjoint(False, step.bias)} += g;")
        return "\n".join([*lines, "}"])

    # weighted sums

    def _sums(self, step: WeightedSums) -> Iterator[Item]:
        terms, bounds, name = step.terms(), step.bounds.tolist(), "uv"[step.varies]
        if len(terms) > UNROLLED:
            yield self._sum_loops(step, backwards=False)
            return
        for i, slot in enumerate(range(step.out.start, step.out.stop)):
            total: Tree | None = None
            for sign, left, left_varies, right, right_varies in terms[bounds[i] : bounds[i + 1]]:
                term = self.number(left_varies, left)
                if right >= 0:
                    term = Call("mul", (term, self.number(right_varies, right)))
                if total is None:
                    total = term if sign > 0 else Call("neg", (term,))
                else:
                    total = Call("add" if sign > 0 else "sub", (total, term))
            yield Definition(f"{name}[{slot}]", 0.0 if total is None else ready(total))

    def _sums_back(self, step: WeightedSums) -> Iterator[Item]:
        terms, bounds, name = step.terms(), step.bounds.tolist(), "uv"[step.varies]
        if len(terms) > UNROLLED:
            yield self._sum_loops(step, backwards=True)
            return
        for i, slot in enumerate(range(step.out.start, step.out.stop)):
            g = f"d{name}[{slot}]"
            for sign, left, left_varies, right, right_varies in terms[bounds[i] : bounds[i + 1]]:
                signed: Tree = g if sign > 0 else Call("neg", (g,))
                one, other = (left_varies, left), (right_varies, right)
                for (varies, read), factor in ((one, other), (other, one)):
                    if read < 0 or not self.active[varies][read]:
                        continue
                    share = signed
                    if factor[1] >= 0:
                        share = Call(self.product, (signed, self.number(*factor)))
                    yield self.into(f"d{'uv'[varies]}[{read}]", ready(share))

    def _sum_loops(self, step: WeightedSums, *, backwards: bool) -> str:
        """Sums of many terms: a few in runs of evenly spaced terms, many over tables."""
        many = step.out.stop - step.out.start
        if many > UNROLLED:
            return self._sum_loop(step, step.out.start, many, backwards=backwards)
        parts = []
        for i, (first, last) in enumerate(pairwise(step.bounds.tolist())):
            runs = [*_runs(step, first, last)]
            if len(runs) > UNROLLED:
                runs = [slice(first, last)]
            out = f"{'uv'[step.varies]}[{step.out.start + i}]"
            head = f"const double g = d{out};" if backwards else "double sum = 0.0;"
            lines = [head]
            for run in runs:
                columns = (column[run] for column in step[3:])
                piece = WeightedSums(step.varies, step.out, np.zeros(1, int), *columns)
                lines += self._terms(piece, (1, run.stop - run.start), "", backwards=backwards)
            lines += [] if backwards else [f"{out} = sum;"]
            if len(lines) > 1:
                parts.append("\n".join(["{", *(f"    {line}" for line in lines), "}"]))
        return "\n".join(parts)

    def _sum_loop(self, step: WeightedSums, start: int, many: int, *, backwards: bool) -> str:
        lengths = np.diff(step.bounds)
        even = bool((lengths == lengths[0]).all())
        bounds = "" if even else self.table(step.bounds)
        shape = (many, int(lengths[0])) if even else None
        terms = [*self._terms(step, shape, bounds, backwards=backwards)]
        if not terms:
            return ""
        out = f"{'uv'[step.varies]}[{_linear(start, (1, 'i'))}]"
        if backwards:
            lines = [f"const double g = d{out};", "if (g == 0) continue;", *terms]
        else:
            lines = ["double sum = 0.0;", *terms, f"{out} = sum;"]
        return "\n".join([f"{_for('i', many)} {{", *(f"    {line}" for line in lines), "}"])

    def _terms(
        self, step: WeightedSums, shape: tuple[int, int] | None, bounds: str, *, backwards: bool
    ) -> Iterator[str]:
        """The loops over the terms of a sum, which add them to `sum`, or `g` times a factor.

        Args:
            step: the sums.
            shape: how many sums there are, and how many terms in each, if that is the same.
            bounds: the table of where the terms of a sum begin, if it is not.
            backwards: whether the adjoints are passed on.
        """
        (left, d_left), (right, d_right) = (
            self._side(slots, kinds, shape) for slots, kinds in step.sides
        )
        at = _at(shape)
        negative = bool((step.sign < 0).all())
        sign = ""
        if not negative and (step.sign < 0).any():
            sign = f"{self.table(step.sign)}[{at}] * "
        loop = f"for (int k = {bounds}[i]; k < {bounds}[i + 1]; k++) "
        if shape is not None:
            loop = "" if shape[1] == 1 else f"{_for('k', shape[1])} "
            if not loop:
                left, d_left, right, d_right = (
                    each and re.sub(r"\bk\b", "0", each) for each in (left, d_left, right, d_right)
                )
        adds = "-=" if negative else "+="
        if not backwards:
            yield f"{loop}sum {adds} {sign}{left}{f' * {right}' * (right is not None)};"
            return
        for target, factor in ((d_left, right), (d_right, left)):
            if target is not None:
                share = "g" if factor is None else self.text(Call(self.product, ("g", factor)))
                yield f"{loop}{target} {adds} {sign}{share};"

    def _side(
        self, slots: Any, kinds: Any, shape: tuple[int, int] | None
    ) -> tuple[str | None, str | None]:
        """The factors of the terms on one side, and their adjoints; None where there are none."""
        if (slots < 0).all():
            return None, None
        kinds = kinds & (slots >= 0)
        pure = bool((slots >= 0).all()) and (bool(kinds.all()) or not kinds.any())
        varies = bool(kinds[0])
        if pure and varies is False and self._is_constant(slots):
            return self.text(self.number(False, int(slots[0]))), None
        if pure and shape is not None and even_matrix(slots.reshape(shape)) is not None:
            value = self._matrix(varies, slots.reshape(shape), "i")
            target = self._matrix(varies, slots.reshape(shape), "i", is_adjoint=True)
            return value, target if self._is_active(varies, slots) else None
        at = _at(shape)
        present = slots >= 0
        wanted = any(
            self._is_active(space, slots[present & (kinds == space)]) for space in (False, True)
        )
        if pure:
            array, first = self.array(varies, slots)
            value = f"{array}[{self.index(slots - first, at)}]"
            target = f"d{'uv'[varies]}[{self.index(slots, at)}]"
            return value, target if wanted else None
        k = f"{self._coded(slots, kinds)}[{at}]"
        return self._read(k), self._place(k) if wanted else None

    def _is_constant(self, slots: Any) -> bool:
        """Whether all terms have the same constant factor."""
        first = self.program.first_constant
        place = int(slots[0]) - first
        return bool((slots == slots[0]).all()) and 0 <= place < len(self.program.constants)

    # folds

    def _fold(self, step: Fold) -> str:
        row = TABLE[step.operation.name]
        bounds = self.table(step.bounds)
        held = self.element(step.varies, step.slots, "k")
        out = f"{'uv'[step.varies]}[{_linear(step.out.start, (1, 'i'))}]"
        most = self.text(ready(Call(row.name, ("most", held))))
        first = self.element(step.varies, step.slots, f"{bounds}[i]")
        return "\n".join(
            [
                f"{_for('i', step.out.stop - step.out.start)} {{",
                f"    double most = {self.text(first)};",
                f"    for (int k = {bounds}[i] + 1; k < {bounds}[i + 1]; k++) most = {most};",
                f"    {out} = most;",
                "}",
            ]
        )

    # tapes

    def _tape(self, step: Tape, *, backwards: bool) -> str:
        """A loop over the steps, with a case for each operation."""
        codes, size = self.table(step.code), len(step.code)
        places = [
            f"{self._coded(step.operands[:, i], step.operands_vary[:, i])}[i]" for i in range(3)
        ]
        reads = ", ".join(f"{x} = {self._read(k)}" for x, k in zip("xyz", places, strict=True))
        out = f"{'uv'[step.varies]}[{_linear(step.out.start, (1, 'i'))}]"
        cases = []
        for code, row in enumerate(step.operations):
            held = tuple("xyz"[: row.arity])
            if backwards:
                flows = (flow_of(row, place, held, self.product) for place in range(row.arity))
                names = {**dict(zip(row.operands, held, strict=True)), RESULT: "out", ADJOINT: "g"}
                shares = [
                    f"{self._place(k)} += {self.text(ready(substituted(flow, names)))};"
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
            head = [f"{_for('i', size)} {{", f"    const double {reads};", "    double out = 0.0;"]
            end = [f"    {out} = out;"]
        unused = "    (void)x; (void)y; (void)z;"
        inner = [f"        {case}" for case in cases]
        switch = [f"    switch ({codes}[i]) {{", *inner, "    }"]
        return "\n".join([*head, unused, *switch, *end, "}"])

    def _tape_sum(self, step: Tape, *, backwards: bool) -> str:
        terms = step.terms
        bounds, signs = self.table(step.bounds), self.table(terms.sign)
        (left, right) = (f"{self._coded(*side)}[k]" for side in terms.sides)
        loop = f"for (int k = {bounds}[i]; k < {bounds}[i + 1]; k++)"
        read = {k: self._read(k) for k in (left, right)}
        if not backwards:
            return f"{loop} out += {signs}[k] * {read[left]} * {read[right]};"
        shares = (
            f"{self._place(k)} += {signs}[k] * {self.text(Call(self.product, ('g', read[other])))};"
            for k, other in ((left, right), (right, left))
        )
        return f"{loop} {{ {' '.join(shares)} }}"

    def _coded(self, slots: Any, kinds: Any) -> str:
        """A table of slots of both spaces; those of `u` are negative, counted from its end."""
        self.mirrored = True
        of_u = slots - self.program.uniform
        return self.table(np.where(slots < 0, NONE, np.where(kinds, slots, of_u)))

    def _read(self, k: str) -> str:
        """The number in a slot of such a table."""
        return f"mg_read({k}, u + {self.program.uniform}, v)"

    def _place(self, k: str) -> str:
        """Its adjoint."""
        return f"*mg_place({k}, du + {self.program.uniform}, dv)"


def _slot(rows: Any, i: int) -> int:
    return rows.start + i if isinstance(rows, slice) else int(rows[i])


def _loops(vectors: int, rows: int) -> str:
    """The heads of the loops over the results of a product."""
    return f"{_for('j', vectors)} {_for('i', rows)}" if vectors > 1 else _for("i", rows)


def _for(name: str, size: int) -> str:
    return f"for (int {name} = 0; {name} < {size}; {name}++)"


def _at(shape: tuple[int, int] | None) -> str:
    """Where a term is among all terms."""
    return "k" if shape is None or shape[0] == 1 else _linear(0, (shape[1], "i"), (1, "k"))


def _runs(step: WeightedSums, first: int, last: int) -> Iterator[slice]:
    """Parts of a sum whose terms are of one kind and evenly spaced, as long as they can be."""
    columns = np.array([np.asarray(each[first:last], int) for each in step[3:]])
    steps = np.diff(columns, axis=1)
    same = (steps[[0, 2, 4]] == 0).all(axis=0) & ((columns[3, 1:] < 0) == (columns[3, :-1] < 0))
    start = 0
    while start < last - first:
        stop = start + 1
        while (
            stop < last - first and same[stop - 1] and (steps[:, stop - 1] == steps[:, start]).all()
        ):
            stop += 1
        yield slice(first + start, first + stop)
        start = stop


def _linear(first: int, *parts: tuple[int, str]) -> str:
    """The text of a linear formula.

    >>> _linear(3, (2, "i"), (1, "k")), _linear(0, (1, "i"), (0, "k")), _linear(0)
    ('3 + 2 * i + k', 'i', '0')
    """
    texts = [str(first)] if first else []
    texts += [name if step == 1 else f"{step} * {name}" for step, name in parts if step]
    return " + ".join(texts).replace("+ -", "- ") or "0"


def listed(texts: Sequence[str]) -> str:
    """Numbers in braces, in lines of about 100 characters."""
    lines, line = [], ""
    for text in texts:
        if len(line) + len(text) > 94:
            lines.append(line)
            line = ""
        line += f"{text}, "
    joined = "\n    ".join([*lines, line.removesuffix(", ")])
    return f"{{{joined}}}"
