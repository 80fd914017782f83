"""Writes the batched part of a program as one kernel of straight code, forwards and backwards.

The kernels of single instructions read and write a row of memory for each operation. Here, all
numbers of a vector of samples stay in registers from the inputs to the output and back to the
adjoints of the inputs. The operations are the same as in those kernels, and those that depend on
each other come in the same order, so that the numbers are the same, apart from the sign of a zero
in a gradient, and from quotients by a constant, which are products here (see `Functions.div`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from typing import Any

from llvmlite import ir

from micrograd.compiler.executor import Call
from micrograd.compiler.native import lookups
from micrograd.compiler.native.driver import Frame
from micrograd.compiler.native.elementwise import stopped
from micrograd.compiler.native.linking import Linked
from micrograd.compiler.native.lowering import Lowering
from micrograd.compiler.native.product_linking import contiguous
from micrograd.compiler.native.writing import Writer, word
from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import Elementwise, Fold, Lookup, Product, Scatter
from micrograd.compiler.program.program import Step, slots_read, without_tapes
from micrograd.compiler.program.scalars import Scalar, scalars
from micrograd.compiler.program.slots import Place, even_matrix, slots_of
from micrograd.table.formulas import ADJOINT

_FEW = 16  # this many inputs of a block take up half of the nearest cache


def write_region(linked: Linked, width: int, most: int, call: Call) -> str | None:
    """Return the module of a kernel of all instructions that vary over the batch.

    The second word of its row is the address of the frame, which says where the inputs are and
    where the results go. It reads inputs and numbers of `u`, and writes the outputs. For a
    gradient, it also writes the adjoints of the inputs, and it adds to the adjoints of numbers of
    `u`, each contribution summed over the block of samples. The adjoint of the output is 1 for each
    sample if nothing is summed; otherwise it is read, since it is 0 in lanes without a sample.

    Args:
        linked: the program, with the places of all slots.
        width: the number of doubles in a vector register.
        most: the most lines of straight code.
        call: what is computed.

    Returns:
        The text, or None if the code would be longer.
    """
    writer = _RegionWriter(linked, width, most)
    try:
        return writer.write(call)
    except _TooLongError:
        return None


class _TooLongError(Exception):
    """The code would have too many lines."""


class _RegionWriter:
    def __init__(self, linked: Linked, width: int, most: int) -> None:
        self.linked, self.program, self.most = linked, linked.program, most
        self.w = w = Writer(linked.kind, width)
        self.row, self.u, self.v, self.lanes = w.kernel()
        self.lowering, self.zero = Lowering(w, w.width), w.constant(0.0, w.width)
        self.values: dict[Place, Any] = {}
        # What is added to adjoints of `u` after the loop, as it is by the single instructions.
        self.after: list[Callable[[], None]] = []
        self.i: Any = None
        bits = ir.Constant(w.troubles(self.zero).type, None)  # set once a result was not finite
        self.in_outputs, self.in_adjoints = w.build.alloca(bits.type), w.build.alloca(bits.type)
        for each in (self.in_outputs, self.in_adjoints):
            w.build.store(bits, each)

    def write(self, call: Call) -> str:
        """Return the module."""
        w, program = self.w, self.program
        instructions = [*without_tapes(each for each in program.instructions if each.varies)]
        outputs = [slot for varies, slot in program.outputs if varies]
        (frame,) = w.words(self.row, 1)
        self._find_arrays(w.pointer(frame), len(outputs))
        for slot in dict.fromkeys(slot for each in instructions for slot in _numbers(each)):
            self.values[False, slot] = self._number(slot)
        with w.loop(word(0), self.lanes, word(w.width)) as self.i:
            self._ask_for_next_block()
            for each in instructions:
                self._write(each)
            for slot, pointer in zip(outputs, self.outputs, strict=True):
                self._deliver(self._value((True, slot)), pointer, self.in_outputs)
            if call != "values":
                self._backwards(outputs, is_one=call == "each")
        for finish in self.after:
            finish()
        self._tell(w.pointer(frame))
        return w.finished()

    def _check_length(self) -> None:
        if len(self.w.build.block.instructions) > self.most:
            raise _TooLongError

    # --------------------------------------------------------------------------------- what is read

    def _find_arrays(self, frame: Any, outputs: int) -> None:
        """Read the addresses of inputs and of results, which are rows of `v` or of the caller."""
        w, inputs = self.w, self.program.inputs
        ahead, pointers = map(w.pointer, w.words(frame, Frame.AHEAD, Frame.POINTERS))
        self.ahead = [w.words(ahead, 2 * k, 2 * k + 1) for k in range(inputs)]
        addresses = w.words(pointers, *range(2 * inputs + outputs))
        found = [w.pointer(address, w.number) for address in addresses]
        self.inputs, self.outputs = found[:inputs], found[inputs : inputs + outputs]
        self.adjoints = found[inputs + outputs :]

    def _ask_for_next_block(self) -> None:
        """Prefetch the memory of the next samples while these are computed."""
        w = self.w
        for place, stride in self.ahead:
            level = 1 if self.program.inputs <= _FEW else 2
            w.prefetch(w.pointer(w.build.add(place, w.times(self.i, stride))), level)

    def _number(self, slot: int) -> Any:
        """Return a number of `u` in every lane."""
        w, constant = self.w, self.program.constant(slot)
        if constant is not None:
            return w.constant(constant, w.width)
        return w.splat(w.load(w.at(self.u, word(slot)), 1), w.width)

    def _at(self, place: int) -> Any:
        return self.w.at(self.w.lanes_of(self.v, word(place), self.lanes), self.i)

    def _value(self, place: Place) -> Any:
        """Return a number; what was neither computed nor read before is an input."""
        if place not in self.values:
            slot = place[1]
            row = (
                self.w.at(self.inputs[slot], self.i) if slot < len(self.inputs) else self._at(slot)
            )
            self.values[place] = self.w.load(row, self.w.width)
        return self.values[place]

    def _is_zero(self, place: Place) -> bool:
        """Return whether nothing was added to an adjoint."""
        return place[1] >= self.linked.adjoints_v and place not in self.values

    def _is_active(self, total: bool, slot: int) -> bool:
        """Return whether an adjoint, of `u` if it is a total, is asked for."""
        linked = self.linked
        if total:
            return bool(linked.active[False][slot - linked.adjoints_u])
        return bool(linked.active[True][slot - linked.adjoints_v])

    # ------------------------------------------------------------------------------ what is written

    def _deliver(self, result: Any, pointer: Any, trouble: Any) -> None:
        """Store a result, and note whether it is not finite."""
        w, build = self.w, self.w.build
        w.store(result, w.at(pointer, self.i))
        if not isinstance(result, ir.Constant):
            build.store(build.or_(build.load(trouble), w.troubles(result)), trouble)

    def _tell(self, frame: Any) -> None:
        """Tell the driver whether a result that is checked is not finite."""
        w, build = self.w, self.w.build
        found, (checked, place) = self.in_adjoints, w.words(frame, Frame.CHECKED, Frame.TROUBLE)
        place = build.inttoptr(place, found.type)
        none = ir.Constant(found.type.pointee, None)
        is_checked = build.icmp_signed("!=", checked, word(0))
        in_outputs = build.select(is_checked, build.load(self.in_outputs), none)
        found = build.or_(build.load(found), in_outputs)
        build.store(build.or_(build.load(place), found), place)

    # -------------------------------------------------------------------------------- instructions

    def _backwards(self, outputs: Sequence[int], *, is_one: bool) -> None:
        """Write the backward pass, from the adjoints of outputs to those of inputs."""
        linked, first = self.linked, self.linked.adjoints_v
        found = without_tapes(linked.reverse.instructions if linked.reverse else ())
        steps = [each for each in found if each.varies]
        is_one = is_one and not any(map(_adds_to_numbers, steps))
        for slot in outputs:
            adjoint = self.w.constant(1.0, self.w.width) if is_one else None
            self.values[True, first + slot] = adjoint or self._value((True, first + slot))
        for each in steps:
            self._write(each)
        for slot, pointer in enumerate(self.adjoints if linked.inputs else ()):
            adjoint = self.values.get((True, first + slot), self.zero)
            self._deliver(adjoint, pointer, self.in_adjoints)

    def _write(self, instruction: Step) -> None:
        if isinstance(instruction, Lookup | Scatter):
            self._look_up(instruction)
        for scalar in scalars(instruction):
            if scalar.operation is None:
                self._sum(instruction, scalar)
            elif isinstance(instruction, Fold):
                self._check_length()
                combined = partial(self.lowering.functions.applied, scalar.operation.name)
                result = reduce(combined, map(self._value, scalar.operands))
                self.values[True, scalar.slot] = result
            elif isinstance(instruction, Elementwise):
                self._apply(scalar, is_total=instruction.mode == "total")

    def _look_up(self, step: Lookup | Scatter) -> None:
        """Write a lookup in a table of `u`; what is passed back to its entries follows later."""
        self._check_length()
        if isinstance(step, Lookup):
            (index,) = slots_of(step.at.rows).tolist()
            inside, held = self._entries(step, self._value((True, index)))
            for slot, entries in zip(slots_of(step.out).tolist(), held, strict=True):
                self.values[True, slot] = lookups.taken(self.w, inside, entries)
            return
        for slot in (*slots_of(step.at.rows).tolist(), *slots_of(step.read).tolist()):
            self.w.store(self.values.get((True, slot), self.zero), self._at(slot))
        self.after.append(partial(self._scatter, step))

    def _scatter(self, step: Scatter) -> None:
        """Add what is passed back to entries of a table, sample by sample."""
        w, (index,) = self.w, slots_of(step.at.rows).tolist()
        with w.loop(word(0), self.lanes, word(w.width)) as self.i:
            inside, held = self._entries(step, w.load(self._at(index), w.width))
            for slot, entries in zip(slots_of(step.read).tolist(), held, strict=True):
                lookups.add(w, inside, entries, w.load(self._at(slot), w.width))

    def _entries(self, step: Lookup | Scatter, x: Any) -> tuple[Any, list[list[Any]]]:
        """Return which lanes of an index have an entry, and the pointers to it, by columns."""
        w, (count, columns), even = self.w, step.table.shape, even_matrix(step.table)
        start, down, right = even or (0, columns, 1)
        inside, rows = lookups.entries_at(w, x, word(count), w.width)
        places = None if even else w.table(step.table.ravel().tolist())
        found = []
        for j in range(columns):
            at = [w.build.add(word(start + j * right), w.times(row, word(down))) for row in rows]
            if places is not None:
                at = [w.build.load(w.at(places, each)) for each in at]
            found.append([w.at(self.u, each) for each in at])
        return inside, found

    def _apply(self, scalar: Scalar, *, is_total: bool) -> None:
        """Write an operation, or a flow unless its adjoint is 0."""
        slot, places = scalar.slot, scalar.operands
        row: Any = scalar.operation
        is_flow = isinstance(row, Flow)
        if is_flow and (self._is_zero(places[0]) or not self._is_active(is_total, slot)):
            return
        self._check_length()
        names = dict(zip(row.operands, map(self._value, places), strict=True))
        result = self.lowering.value(row.computed, names)
        if is_flow:
            result = stopped(self.w, names[ADJOINT], result, row.computed)
        if is_total:
            self._add_to_total(slot, result)
        else:
            self._add(slot, result)

    def _sum(self, step: Any, scalar: Scalar) -> None:
        """Write a sum, without terms whose adjoint is 0."""
        w, slot, is_product = self.w, scalar.slot, isinstance(step, Product)
        terms = [x for x in scalar.terms if not any(map(self._is_zero, filter(None, x[1:])))]
        if not terms:
            return
        self._check_length()
        if is_product and step.mode == "total":
            for _, left, right in terms:  # its kernel adds up each product by itself
                factor = None if right is None else self._value(right)
                self._add_to_total(slot, self._value(left), factor)
            return
        # The kernel of products with scattered results adds to what there is only at the end.
        apart = is_product and step.mode != "value" and not contiguous(slots_of(step.out))
        total = None
        if step.mode == "add" and not apart:
            total = self.values.get((True, slot))
        if total is None:  # a sum begins with -0.0
            starts_at_zero = is_product and step.mode == "value" and step.bias is None
            total = self.zero if starts_at_zero else w.constant(-0.0, w.width)
        for sign, left, right in terms:
            x = self._value(left)
            if right is not None:
                y = self._value(right)
                total = w.fma(x, y if sign > 0 else w.build.fneg(y), total)
            else:
                total = (w.build.fadd if sign > 0 else w.build.fsub)(total, x)
        if step.mode == "total":
            self._add_to_total(slot, total)
        elif apart:
            self._add(slot, total)
        else:
            self.values[True, slot] = total

    def _add(self, slot: int, share: Any) -> None:
        """Add to a number, if there is one."""
        held = self.values.get((True, slot))
        self.values[True, slot] = share if held is None else self.w.build.fadd(held, share)

    # ------------------------------------------------------------------------------ adjoints of `u`

    def _add_to_total(self, slot: int, share: Any, factor: Any = None) -> None:
        """Add up in each lane what is passed to a number of `u`, a number or a product."""
        build = self.w.build
        with build.goto_entry_block():
            total = build.alloca(self.zero.type)
            build.store(self.zero, total)
        held = build.load(total)
        added = build.fadd(held, share) if factor is None else self.w.fma(share, factor, held)
        build.store(added, total)
        self.after.append(partial(self._add_total, slot, total))

    def _add_total(self, slot: int, total: Any) -> None:
        w, into = self.w, self.w.at(self.u, word(slot))
        w.store(w.build.fadd(w.load(into, 1), w.total(w.build.load(total))), into)


def _adds_to_numbers(step: Any) -> bool:
    """Return whether a step back adds to adjoints of `u`, those of all samples to one of them."""
    return isinstance(step, Scatter) or step.mode == "total"


def _numbers(instruction: Step) -> Iterator[int]:
    """Yield the slots of `u` that an instruction reads, besides the entries of a table."""
    if isinstance(instruction, Lookup):
        return
    for slots, varies in slots_read(instruction):
        yield from slots[(slots >= 0) & ~varies].tolist()
