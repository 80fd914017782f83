"""One run of a program on arrays of JAX, or while JAX traces it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import groupby, pairwise
from operator import add
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from micrograd.compiler.jax.loops import add_loop
from micrograd.compiler.jax.operations import POWER, function, summed
from micrograd.compiler.jax.pairs import (
    MOST_TERMS,
    PRECISION,
    each_multiplied,
    multiplied,
    pairs_of,
)
from micrograd.compiler.jax.patterns import pattern_of, taken
from micrograd.compiler.jax.rolling import Repeat
from micrograd.compiler.jax.spaces import MOST_CUTS, Cuts, Space, output_reads, some
from micrograd.compiler.jax.tape import looped
from micrograd.compiler.program.instructions import (
    Elementwise,
    Fold,
    Lookup,
    Product,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import Elements, Loop, Pack
from micrograd.compiler.program.program import Instruction, Program
from micrograd.compiler.program.slots import Operand, Rows, rows_of

UNROLLED = 512
"""The most steps of a tape that XLA compiles one by one, which takes seconds."""
_FEW_TERMS = 8  # up to this many terms are added one by one: an empty sum is 0.0, which hides -0.0


class Run:
    """One run of a program.

    Args:
        program: the program.
        parameters: the numbers of the parameters, as arrays that follow one another.
        inputs: the rows of the inputs, likewise.
        lanes: the shape of a row, `(samples,)` or `()`.
        dtype: the precision of all numbers.
        room: the steps that stacks of unknown length have room for.
        cuts: where results are cut.
    """

    def __init__(
        self,
        program: Program,
        parameters: Sequence[Any],
        inputs: Sequence[Any],
        lanes: tuple[int, ...],
        cuts: Cuts,
        dtype: Any,
        room: int = 0,
    ) -> None:
        self.program, self.dtype = program, dtype
        self.inside = False  # of a loop
        self.room, self.needed = room, jnp.int32(0)
        self.lanes = lanes
        self.stacks: dict[int, Any] = {}
        self.factors: dict[int, Any] = {}  # of products in loops, gathered in front of the loop
        self.spaces = {varies: Space(varies, cuts) for varies in (False, True)}
        self.cuts = cuts
        for each in parameters:
            self.spaces[False].add(each)
        for each in inputs:
            self.spaces[program.batched].add(each)
        # XLA would turn x / 3 into x * (1 / 3), and so on, if it knew the constants.
        constants = jnp.asarray(program.constants, self.dtype)
        self.spaces[False].append(lax.optimization_barrier(constants))
        self.add(program.instructions)

    def add(self, instructions: Sequence[Instruction]) -> None:
        """Add the results of instructions."""
        for instruction in instructions:
            self._add(instruction)

    def outputs(self) -> list[Any]:
        """Return arrays of rows or numbers that follow one another: those of all outputs."""
        found = []
        for varies, rows in output_reads(self.program):
            count = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
            each = self.spaces[varies].read(rows)
            found.append(jnp.broadcast_to(each, (count, *each.shape[1:])))
        return found

    def read(self, varies: bool, rows: Rows, wide: bool) -> Any:
        """Return rows of a space, with an axis of samples if `wide` is true."""
        found = self.spaces[varies].read(rows)
        return found[:, None] if wide and not varies else found

    def _add(self, instruction: Any) -> None:
        space = self.spaces[instruction.varies]
        match instruction:
            case Elementwise():
                self._elementwise(instruction)
            case Product():
                space.append(self._product(instruction))
            case Loop() | Pack() | Elements() | Repeat():
                add_loop(self, instruction)
            case Fold():
                space.append(self._fold(instruction))
            case Lookup():
                space.append(self._lookup(instruction))
            case WeightedSums():
                self._sums(instruction)
            case Tape() if len(instruction.code) > UNROLLED:
                space.append(looped(instruction, self.read))
            case Tape():
                for step in instruction.steps():
                    self._add(step)

    # ---------------------------------------------------------------------------------- operations

    def _elementwise(self, instruction: Elementwise) -> None:
        """Compute the results in parts, so that each part reads one array for each operand.

        Results of which others read only some are computed together and cut afterwards. Computed
        apart, they would pass slopes back to parts of the operands, which JAX pads and adds up. In
        a loop they are computed apart all the same: each step would keep them for the way back
        twice, whole and cut.
        """
        varies, out, row, operands, _ = instruction
        exponent = self.program.common_constant(operands[1]) if row is POWER else None
        if exponent is not None:
            exponent = float(self.dtype.type(exponent))  # which may be whole only then
        for part in self._parts(varies, out, operands, cut=self.inside):
            read = [self.read(operand.varies, some(operand, part), varies) for operand in operands]
            shape = (
                part.stop - part.start,
                *np.broadcast_shapes(
                    self.lanes if varies else (), *(each.shape[1:] for each in read)
                ),
            )
            result = jnp.asarray(function(row, exponent)(*read), self.dtype)
            # Or XLA would turn x / y / z into x / (y * z), log(exp(x)) into x, and so on.
            result = lax.optimization_barrier(jnp.broadcast_to(result, shape))
            self.spaces[varies].append(result)

    def _parts(
        self, varies: bool, out: slice, operands: Sequence[Operand], *, cut: bool
    ) -> list[slice]:
        """Return parts of results, whose operands are each in one array if that is possible.

        If `cut` is true, the parts also end where results are cut.
        """
        cuts = {end - out.start for end in self.cuts.within(varies, out)} if cut else set()
        for operand in operands:
            cuts.update(self.spaces[operand.varies].cuts(operand.rows))
        ends = [0, *(sorted(cuts) if len(cuts) < MOST_CUTS else ()), out.stop - out.start]
        return list(map(slice, ends, ends[1:]))

    # ------------------------------------------------------------------------------------ products

    def product_factors(self, product: Product) -> tuple[Any, Any]:
        """Return the matrix of a product, and its bias or None."""
        matrix, bias = self._all(False, False, product.matrix), product.bias
        return matrix, None if bias is None else self.read(False, bias, product.varies)

    def _product(self, instruction: Product) -> Any:
        varies, vectors = instruction.varies, instruction.inputs
        factors = self.factors.get(id(instruction))
        weights, bias = factors or self.product_factors(instruction)
        read = self._all(varies, varies, vectors)
        if len(vectors) == 1:  # XLA is slower with a column of one
            out = jnp.matmul(weights, read[0], precision=PRECISION)[None]
        elif varies:  # a product for each vector, as one of all would transpose the samples
            out = each_multiplied(weights, read)
        else:
            out = jnp.einsum("mk,ck->cm", weights, read, precision=PRECISION)
        if bias is not None:
            out = out + bias
        return out.reshape(out.shape[0] * out.shape[1], *out.shape[2:])

    def _fold(self, fold: Fold) -> Any:
        """Reduce rows of terms, each padded by its last term to the length of the longest."""
        lengths = np.diff(fold.bounds)
        places = np.minimum(np.arange(lengths.max()), lengths[:, None] - 1) + fold.start[:, None]
        terms = self._all(fold.varies, fold.varies, fold.slots[places])
        reduced = (jnp.max if fold.operation.name == "maximum" else jnp.min)(terms, axis=1)
        return lax.stop_gradient(reduced)

    def _lookup(self, lookup: Lookup) -> Any:
        table = self._all(False, lookup.table_varies, lookup.table)
        index = self.read(lookup.at.varies, lookup.at.rows, False)[0]
        inside = (index >= 0) & (index < len(table)) & (index == jnp.floor(index))
        k = jnp.where(inside, index, 0).astype(jnp.int32)
        if lookup.table_varies and k.ndim:
            found = jnp.take_along_axis(table, k[None, None], axis=0)[0]
        else:
            found = table[k]
            found = found if lookup.table_varies else jnp.moveaxis(found, -1, 0)
        return jnp.where(inside, found, jnp.nan)

    # ---------------------------------------------------------------------------------------- sums

    def _sums(self, sums: WeightedSums) -> None:
        """Add sums, those of the same kinds of terms together."""
        bounds, space = sums.bounds, self.spaces[sums.varies]
        kinds = (sums.left_varies + 2 * (sums.right >= 0) + 4 * sums.right_varies).tolist()
        kind_of = [tuple(kinds[first:last]) for first, last in pairwise(bounds.tolist())]
        if 1 + sum(a != b for a, b in pairwise(kind_of)) < _FEW_TERMS:
            for kind, members in groupby(range(len(kind_of)), kind_of.__getitem__):
                for each in self._alike(sums, kind, [*members]):
                    space.append(lax.optimization_barrier(each))
            return
        if len(set(kinds)) == 1:
            found = self._segments(sums, kinds[0])
            space.append(lax.optimization_barrier(found))
            return
        alike: dict[tuple[int, ...], list[int]] = {}
        for i, kind in enumerate(kind_of):
            alike.setdefault(kind, []).append(i)
        found = [each for pair in alike.items() for each in self._alike(sums, *pair)]
        shape = np.broadcast_shapes(*(each.shape[1:] for each in found))
        found = [jnp.broadcast_to(each, (len(each), *shape)) for each in found]
        order = np.argsort(np.concatenate([*alike.values()]))
        space.append(taken(jnp.concatenate(found), order))

    def _alike(self, sums: WeightedSums, kind: Any, members: Sequence[int]) -> Iterator[Any]:
        """Yield sums, whose terms are all of the same kinds, in their order."""
        terms = sums.start[members][:, None] + np.arange(len(kind))
        sign, left, right = (held[terms] for held in (sums.sign, sums.left, sums.right))
        spaces = [(bool(each & 1), bool(each & 4)) for each in kind]
        whole, columns = [], []
        for each in dict.fromkeys(kind):
            i = np.flatnonzero(np.array(kind) == each)
            pair = spaces[i[0]]
            found = self._reduced(sums.varies, pair, sign[:, i], left[:, i], right[:, i])
            if found is None:
                columns += i.tolist()
            else:
                whole.append(found)
        columns.sort()
        parts, start = [slice(0, len(members))], self.spaces[sums.varies].size
        if not whole:
            sides = [(spaces[i], (left[:, i], right[:, i])) for i in columns]
            operands = [
                Operand(space, slots)
                for pair, both in sides
                for space, slots in zip(pair, both, strict=True)
                if slots[0] >= 0
            ]
            out = slice(start, start + len(members))
            parts = self._parts(sums.varies, out, operands, cut=True)
        for part in parts:
            terms = [
                self._term(sums.varies, spaces[i], sign[part, i], left[part, i], right[part, i])
                for i in columns
            ]
            lanes = np.broadcast_shapes(*(each.shape[1:] for each in whole + terms))
            yield jnp.broadcast_to(reduce(add, whole + terms), (part.stop - part.start, *lanes))

    def _segments(self, sums: WeightedSums, kind: int) -> Any:
        """Return sums of many different lengths, whose terms are all of one kind."""
        lengths, spaces = np.diff(sums.bounds), (bool(kind & 1), bool(kind & 4))
        if kind & 2 and (sums.sign == 1).all():
            found = self._paired(sums.varies, spaces, sums.left, sums.right, lengths)
            if found is not None:
                return found
        terms = self._all(sums.varies, spaces[0], sums.left)
        if kind & 2:
            terms = terms * self._all(sums.varies, spaces[1], sums.right)
        zeros = jnp.full((len(lengths), *terms.shape[1:]), -0.0, self.dtype)
        into = zeros.at[np.repeat(np.arange(len(lengths)), lengths)]
        signed = self._signed(sums.varies, sums.sign, terms)
        return into.add(signed, indices_are_sorted=True, mode="promise_in_bounds")

    def _term(
        self, varies: bool, spaces: tuple[bool, bool], sign: Any, left: Any, right: Any
    ) -> Any:
        """Return one term of several sums."""
        term = self.read(spaces[0], rows_of(left), varies)
        if right[0] >= 0:
            term = term * self.read(spaces[1], rows_of(right), varies)
        return self._signed(varies, sign, term)

    def _reduced(
        self, varies: bool, spaces: tuple[bool, bool], sign: Any, left: Any, right: Any
    ) -> Any:
        """Return sums of many terms, or a product of matrices; None if terms are better added."""
        if right[0, 0] >= 0 and (sign == sign[0, 0]).all():
            lengths = np.full(len(left), left.shape[1])
            found = self._paired(varies, spaces, left.ravel(), right.ravel(), lengths)
            if found is not None:
                return found if sign[0, 0] == 1 else -found
        count, terms_each = left.shape
        plain = right[0, 0] < 0
        # Gathering all terms at once is faster than gathering each column of them.
        irregular = (
            count > _FEW_TERMS
            and terms_each > 1
            and any(
                pattern_of(slots[:, 0]) is None for slots in ((left,) if plain else (left, right))
            )
        )
        if terms_each <= _FEW_TERMS and not irregular and not (plain and count >= _FEW_TERMS):
            return None
        terms = self._all(varies, spaces[0], left)
        if right[0, 0] >= 0:
            terms = terms * self._all(varies, spaces[1], right)
        return summed(self._signed(varies, sign, terms))

    def _all(self, varies: bool, space: bool, slots: Any) -> Any:
        """Return the rows of an array of slots, with its axes in place of the first one."""
        found = self.read(space, rows_of(slots.ravel()), varies)
        found = jnp.broadcast_to(found, (slots.size, *found.shape[1:]))
        return found.reshape(*slots.shape, *found.shape[1:])

    def _signed(self, varies: bool, sign: Any, terms: Any) -> Any:
        if (sign == sign.ravel()[0]).all():
            return terms if sign.ravel()[0] == 1 else -terms
        signs = jnp.asarray(sign, self.dtype)
        return terms * (signs[..., None] if varies else signs)

    def _paired(
        self, varies: bool, spaces: tuple[bool, bool], left: Any, right: Any, lengths: Any
    ) -> Any:
        """Return sums of products as those of matrices, if that is better; otherwise None."""
        pairs = pairs_of(left, right, lengths)
        if pairs is None:
            return None
        (blocks, rows, among), columns = pairs.left.shape, pairs.right.shape[1]
        # Each factor is in several sums, or only one factor varies.
        alone = blocks == 1 and among > _FEW_TERMS and spaces[0] != spaces[1]
        if not (alone or (rows > 1 and columns > 1)):
            return None
        sides = [*zip(spaces, (pairs.left, pairs.right), strict=True)]
        if pairs.are_full and not all(spaces):
            x, y = (self._all(False, *side) for side in sides)
            names = ["bxk" + "z" * spaces[0], "byk" + "z" * spaces[1]]
            sums = jnp.einsum(f"{','.join(names)}->bxy{'z' * varies}", x, y, precision=PRECISION)
        elif spaces[0] == spaces[1] and (pairs.are_full or among <= MOST_TERMS):
            sums = multiplied(*(self._padded(*side) for side in sides), pairs.terms)
        else:
            return None
        return taken(sums.reshape(blocks * rows * columns, *sums.shape[3:]), pairs.places)

    def _padded(self, space: bool, slots: Any) -> Any:
        """Return the rows of an array of slots, with zeros in place of missing ones."""
        # By a gather: XLA would compute the adjoints of slices within the sum of these, slowly.
        missing = slots < 0
        held, places = self.spaces[space].gathered(np.where(missing, slots[..., :1], slots).ravel())
        found = held.at[places].get(mode="promise_in_bounds").reshape(*slots.shape, *held.shape[1:])
        left_out = missing.reshape(missing.shape + (1,) * space)
        return jnp.where(left_out, 0.0, found) if missing.any() else found
