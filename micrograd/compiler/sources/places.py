"""Where the numbers of a program are in C, and statements and loops that compute them.

Numbers are in arrays: `p` has the parameters, `u` and `v` the two spaces of the program, `du` and
`dv` the adjoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from micrograd.compiler.program.program import Program
from micrograd.compiler.program.slots import even_matrix, slots_of
from micrograd.source.c import C
from micrograd.source.trees import Definition, ready, shared
from micrograd.table.formulas import Call, Tree, calls

Item = Definition | str  # a formula, or lines of text
_INTO = "_into"  # a formula that is added to a number: target, formula, and what makes it unique


def unwritten(instruction: object) -> NotImplementedError:
    """The error for an instruction that cannot be written."""
    name = type(instruction).__name__
    return NotImplementedError(f"source: an instruction of the kind {name} cannot be written yet")


class Places:
    """Writes single numbers and loops.

    Args:
        program: the program. Slots after its last ones are those of adjoints.
        product: the operation that multiplies in the chain rule, `"stopping_mul"` or `"mul"`.
        tables: the names of the tables of the file by their texts.
        used: the operations that the file calls.
    """

    def __init__(
        self,
        program: Program,
        *,
        product: str,
        tables: dict[str, str],
        used: set[str],
    ) -> None:
        self.program, self.sizes = program, (program.uniform, program.varying)
        self.product, self.tables, self.used = product, tables, used
        self.mirrored = False  # whether `u` has copies of the parameters
        self._unique = count()

    def number(self, varies: bool, slot: int) -> Tree:
        """A number that is written on its own."""
        program, size = self.program, self.sizes[varies]
        if slot >= size:
            return f"d{'uv'[varies]}[{slot - size}]"
        if not varies:
            if slot < program.parameters:
                return f"p[{slot}]"
            constant = program.constant(slot)
            if constant is not None:
                return ready(constant)
        return f"{'uv'[varies]}[{slot}]"

    def element(self, varies: bool, rows: Any, i: str = "i") -> Tree:
        """The number of a row of an operand, in a loop over the rows."""
        slots = slots_of(rows)
        if (slots == slots[0]).all():
            return self.number(varies, int(slots[0]))
        name, first = self.array(varies, slots)
        return f"{name}[{self.index(slots - first, i)}]"

    def array(self, varies: bool, slots: Any) -> tuple[str, int]:
        """The array in which slots are, and the slot of its first number."""
        program, size = self.program, self.sizes[varies]
        low, high = int(np.min(slots)), int(np.max(slots))
        if low >= size:
            return f"d{'uv'[varies]}", size
        if varies:
            return "v", 0
        if high < program.parameters:
            return "p", 0
        self.mirrored |= low < program.parameters
        return "u", 0

    def index(self, slots: Any, i: str) -> str:
        """The text of `slots[i]`: a linear formula, or an entry of a table."""
        step = int(slots[1] - slots[0]) if len(slots) > 1 else 0
        if (np.diff(slots) == step).all():
            return linear(int(slots[0]), (step, i))
        return f"{self.table(slots)}[{i}]"

    def table(self, numbers: Any) -> str:
        """The name of a table."""
        texts = [str(int(each)) for each in numbers]
        text = f"[{len(texts)}] = {listed(texts)};"
        return self.tables.setdefault(text, f"mg_table{len(self.tables) + 1}")

    def coded(self, slots: Any, kinds: Any) -> str:
        """A table of slots of both spaces: 0 for a missing one, and `mg_read` says what else."""
        self.mirrored = True
        of_u = slots - self.program.uniform
        return self.table(np.where(slots < 0, 0, np.where(kinds, slots + 1, of_u)))

    def read(self, slots: Any, kinds: Any, at: str) -> str:
        """The number in a place of such a table, or 1 for a missing one.

        Adjoints are all in one space.
        """
        varies = bool(kinds.any())
        size = self.sizes[varies]
        if len(slots) and slots.max() >= size and (slots[slots >= 0] >= size).all():
            table = self.table(np.maximum(slots - size, 0))
            return f"d{'uv'[varies]}[{table}[{at}]]"
        return f"mg_read({self.coded(slots, kinds)}[{at}], u + {self.program.uniform}, v)"

    def place(self, slots: Any, kinds: Any, at: str) -> str:
        """The adjoint in a place of a table."""
        own = slots - np.where(kinds, *self.sizes[::-1])
        return f"*mg_place({self.coded(own, kinds)}[{at}], du + {self.program.uniform}, dv)"

    def target(self, varies: bool, slots: Any, i: str = "i") -> str:
        """Where the result of a row goes."""
        size = self.sizes[varies]
        is_adjoint = int(np.min(slots)) >= size
        index = self.index(slots - size * is_adjoint, i)
        return f"{'d' * is_adjoint}{'uv'[varies]}[{index}]"

    def matrix(self, varies: bool, slots: Any, name: str, inner: str = "k") -> str:
        """An entry of a matrix of slots, in loops over `i` (or another name) and `k`."""
        array, first = self.array(varies, slots)
        even = even_matrix(slots)
        if even is not None:
            base, down, right = even
            steps = (down * (len(slots) > 1), name), (right * (slots.shape[1] > 1), inner)
            place = linear(base - first, *steps)
        else:
            at = linear(0, (slots.shape[1] if len(slots) > 1 else 0, name), (1, inner))
            place = f"{self.table((slots - first).ravel())}[{at}]"
        return f"{array}[{place}]"

    def text(self, tree: Tree) -> str:
        """A formula in C; its operations are added to `used`."""
        self.used |= calls(tree)
        return C.text(tree)

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


def loop_head(name: str, size: int) -> str:
    """The head of a loop."""
    return f"for (int {name} = 0; {name} < {size}; {name}++)"


def linear(first: int, *parts: tuple[int, str]) -> str:
    """The text of a linear formula.

    >>> linear(3, (2, "i"), (1, "k")), linear(0, (1, "i"), (0, "k")), linear(0)
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
