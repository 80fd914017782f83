"""Kernels of lookups in tables, and the rows of words for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from micrograd.compiler.native.rows import Spec
from micrograd.compiler.native.writing import Writer, word
from micrograd.compiler.program.instructions import Lookup, Scatter
from micrograd.compiler.program.slots import even_matrix, slots_of

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked

# Words of a row. The place of an entry is in a table, or START + k * DOWN + j * RIGHT.
COUNT, ENTRIES, OUT, INDEX, PLACES, START, DOWN, RIGHT = range(1, 9)


def lookup(w: Writer, spec: Spec) -> str:
    """Write code that copies an entry of a table or, in a mode that ends with `back`, adds to it.

    `operands` has the spaces of the results, of the index and of the table. A mode that begins with
    `even` has no table of places.
    """
    row, u, v, lanes = w.kernel()
    build = w.build
    count, entries, out, index, address, start, down, right = w.words(row, *range(1, 9))
    own, of_index, of_table = (kind == "v" for kind in spec.operands)
    width = w.width if own else 1

    def at(varies: bool, place: Any, lane: Any) -> Any:
        return w.at(w.lanes_of(v, place, lanes), lane) if varies else w.at(u, place)

    with w.loop(word(0), lanes if own else word(1), word(width)) as lane:
        x = w.load(at(of_index, index, lane), width if of_index else 1)
        inside, rows = entries_at(w, x if of_index else w.splat(x, width), entries, width)
        lanes_here = [build.add(lane, word(i)) for i in range(width)]
        with w.range(count) as j:
            across = build.add(start, w.times(j, right))
            held = []
            for k, here in zip(rows, lanes_here, strict=True):
                place = build.add(across, w.times(k, down))
                if not spec.mode.startswith("even"):
                    known = build.load(w.at(w.pointer(address), w.times(k, count), j))
                    place = build.add(start, known)
                held.append(at(of_table, place, here))
            result = at(own, build.add(out, j), lane)
            if spec.mode.endswith("back"):
                add(w, inside, held, w.load(result, width))
            else:
                w.store(taken(w, inside, held), result)
    return w.finished()


def entries_at(w: Writer, x: Any, entries: Any, width: int) -> tuple[Any, list[Any]]:
    """Return whether numbers are those of entries, and the words of these, lane by lane."""
    build, zero = w.build, w.constant(0.0, width)
    inside = build.fcmp_ordered(">=", x, zero)
    for sign, bound in (
        ("<", w.splat(build.sitofp(entries, w.number), width)),
        ("==", w.intrinsic("floor", x)),
    ):
        inside = build.and_(inside, build.fcmp_ordered(sign, x, bound))
    numbers = w.each(build.select(inside, x, zero))
    return inside, [build.fptosi(number, word(0).type) for number in numbers]


def taken(w: Writer, inside: Any, held: Sequence[Any]) -> Any:
    """Return what is at the pointers of all lanes; nan in lanes without an entry."""
    found = [w.load(entry, 1) for entry in held]
    return w.build.select(inside, w.vector(found), w.constant(float("nan"), len(found)))


def add(w: Writer, inside: Any, held: Sequence[Any], shares: Any) -> None:
    """Add the share of each lane to what is at its pointer, if the lane has an entry."""
    shares = w.each(w.build.select(inside, shares, w.constant(0.0, len(held))))
    for entry, share in zip(held, shares, strict=True):
        w.store(w.build.fadd(w.load(entry, 1), share), entry)


def link(linked: Linked, instruction: Lookup | Scatter) -> None:
    """Add the row of a lookup, or of what adds to the entries that were taken."""
    varies, table = instruction.varies, instruction.table
    if isinstance(instruction, Lookup):
        mode, table_varies, own = "", instruction.table_varies, instruction.out
    else:
        mode, table_varies = " back", varies and instruction.mode != "total"
        own = instruction.read
    even, index = even_matrix(table), instruction.at
    start, down, right = even or (0, 0, 0)
    fields = {COUNT: table.shape[1], ENTRIES: len(table), INDEX: int(slots_of(index.rows)[0])}
    fields |= {OUT: own.start, START: start, DOWN: down, RIGHT: right}
    if even is None:
        fields[PLACES] = linked.table(table)
    kinds = "".join("uv"[kind] for kind in (varies, index.varies, table_varies))
    mode = ("table" if even is None else "even") + mode
    linked.emit(varies, linked.kernel("lookup", operands=kinds, mode=mode), fields)
