"""A small program as straight-line code: every number is a local variable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from itertools import chain, count, islice

from micrograd.compiler.program.instructions import Elementwise, Fold, Product, WeightedSums
from micrograd.compiler.program.program import Instruction, Program, without_tapes
from micrograd.compiler.program.scalars import scalars
from micrograd.compiler.program.slots import Place
from micrograd.compiler.sources.cheaper import all_cheaper, unseen, with_reciprocals
from micrograd.compiler.sources.places import unwritten
from micrograd.compiler.sources.sums import summed
from micrograd.source.c import C
from micrograd.source.straight import StraightLine
from micrograd.source.trees import Definition, needed, shared
from micrograd.table.formulas import Tree, calls, substituted

Key = str | float  # of a number: a parameter or step of the code, or a constant


def is_small(program: Program, most: int) -> bool:
    """Whether a program has at most so many operations."""
    sizes = (
        len(each.operands) if isinstance(step, Fold) else 2 * len(each.terms) or 1
        for step in without_tapes(program.instructions)
        for each in scalars(step)
    )
    return sum(islice(sizes, most + 1)) <= most


class Unrolled:
    """A program as straight-line code.

    Args:
        program: the program; it has one output, or the code has no gradient.
        parameters: how each parameter is written.
        inputs: how each input is written.

    Attributes:
        checked: the entries of `results` or `gradient` that are not all finite if any entry is not.
    """

    def __init__(self, program: Program, parameters: Sequence[str], inputs: Sequence[str]) -> None:
        self.program = program
        self.line = StraightLine(f"p{i}" for i in range(program.parameters + program.inputs))
        self.names = dict(zip(self.line.parameters, [*parameters, *inputs], strict=True))
        keys: list[Key] = [*self.line.parameters]
        first, stop = program.input_slots
        self.u: list[Key] = [0.0] * program.uniform
        self.v: list[Key] = [0.0] * program.varying
        self.u[: program.parameters] = keys[: program.parameters]
        (self.v if program.batched else self.u)[first:stop] = keys[program.parameters :]
        constants = slice(program.first_constant, program.first_constant + len(program.constants))
        self.u[constants] = program.constants.tolist()
        for instruction in without_tapes(program.instructions):
            space = self.v if instruction.varies else self.u
            space[instruction.out] = list(self._results(instruction))
        self.outputs = [(self.v if varies else self.u)[slot] for varies, slot in program.outputs]
        self.line.sort(self.outputs)

    def _results(self, instruction: Instruction) -> Iterator[Key]:
        apply = self.line.apply
        if not isinstance(instruction, Elementwise | Product | WeightedSums | Fold):
            raise unwritten(instruction)
        for _, row, operands, terms in scalars(instruction):
            held = [*map(self._at, operands)]
            if row is None:
                read = ((s, self._at(x), None if y is None else self._at(y)) for s, x, y in terms)
                yield summed(read, apply)
            elif isinstance(instruction, Fold):
                yield reduce(partial(apply, row.name), held)
            else:
                yield apply(row.name, *held)

    def _at(self, place: Place) -> Key:
        return (self.v if place[0] else self.u)[place[1]]

    def lines(self, wanted: slice | None, product: str, used: set[str]) -> list[str]:
        """The body of a function that fills `results`, or that fills `gradient` and returns.

        Args:
            wanted: which of the parameters and inputs the gradient is for; None for no gradient.
            product: the operation that multiplies in the chain rule.
            used: receives the operations that are called.
        """
        line, names = self.line, dict(self.names)
        forwards = line.forwards()
        names |= {each.name: f"v{i}" for i, each in enumerate(forwards, start=1)}
        backwards: list[Definition] = []
        slopes: list[Tree] = []
        if wanted is not None:
            (line.output,) = self.outputs
            keys = line.parameters[wanted]
            backwards, gradient = line.backwards(
                lambda key: f"d {key}", keys, product, at_once=True
            )
            slopes = [gradient[key] for key in keys]
            names |= {each.name: f"d{i}" for i, each in enumerate(backwards, start=1)}
        split = Definition("\0", 0.0)
        if product == "mul":
            backwards = with_reciprocals([each.tree for each in forwards], backwards)
        marked = [*forwards, split, *backwards]
        named = all_cheaper(
            Definition(names.get(name, name), substituted(tree, names)) for name, tree in marked
        )
        results = [substituted(each, names) for each in self.outputs]
        outputs = [*map(C.text, results)]
        slopes = [substituted(each, names) for each in slopes]
        lines = shared(named, (f"t{i}" for i in count(1)))
        kept = needed(lines, [*results, *slopes, split.name])
        used |= set().union(*(calls(tree) for _, tree in kept))
        array, stored = ("results", results) if wanted is None else ("gradient", slopes)
        alone = unseen(kept, stored)
        self.checked = [stored.index(each) for each in dict.fromkeys(stored) if each in alone]
        stores: dict[Tree, list[str]] = {}
        for i, each in enumerate(stored):
            stores.setdefault(each, []).append(f"{array}[{i}] = {C.text(each)};")
        found: list[str] = []
        is_open = wanted is None  # whether the array may be written
        for name, tree in kept:
            if name != split.name:
                found.append(f"const double {name} = {C.text(tree)};")
            elif wanted is not None:
                found.append(f"if (!gradient) return {outputs[0]};")
                is_open = True
            if is_open:  # at once, because later the number would have left its register
                found += stores.pop(name, [])
        found += chain.from_iterable(stores.values())
        return found if wanted is None else [*found, f"return {outputs[0]};"]
