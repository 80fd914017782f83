"""The kernels by name: what one row of a linked program does.

A kernel is a function in LLVM's language. Its arguments are a row, the memories `u` and `v`, and
the number of lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd.compiler.native import elementwise, lookups, loops, products, sums
from micrograd.compiler.native.loops import LoopSpec
from micrograd.compiler.native.rows import Field, Spec
from micrograd.compiler.native.writing import Writer, word


def write(spec: Spec | LoopSpec, width: int) -> str:
    """Return the module of a kernel, for vector registers that hold `width` doubles."""
    if isinstance(spec, LoopSpec):
        return loops.write_loop(Writer(spec.kind, width), spec)
    return _WRITERS[spec.name](Writer(spec.kind, width), spec)


def _gather(w: Writer, spec: Spec) -> str:
    """Write what copies rows together or, in the mode `back`, adds to where they came from."""
    row, u, v, lanes = w.kernel()
    count, out, address, shift = w.words(
        row, Field.COUNT, Field.OUT, Field.OPERANDS[0], Field.SHIFT
    )
    table = w.pointer(address)
    memory, each = (v, lanes) if spec.operands == "v" else (u, word(1))
    with w.range(count) as r:
        there = w.build.add(w.build.load(w.at(table, r)), shift)
        source, target = (w.at(memory, w.times(p, each)) for p in (there, w.build.add(out, r)))
        if spec.mode == "back":
            source, target = target, source

        def move(i: Any, width: int, source: Any = source, target: Any = target) -> None:
            value = w.load(w.at(source, i), width)
            if spec.mode == "back":
                value = w.build.fadd(w.load(w.at(target, i), width), value)
            w.store(value, w.at(target, i))

        w.in_steps(each, (w.width,) if spec.operands == "v" else (1,), move)
    return w.finished()


def _zero(w: Writer, spec: Spec) -> str:
    """Write what sets rows of `v` to zero or, if `operands` says so, numbers of `u`."""
    row, u, v, lanes = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    if spec.operands == "u":
        with w.range(count) as i:
            w.store(w.constant(0.0, 1), w.at(u, out, i))
        return w.finished()
    target = w.lanes_of(v, out, lanes)
    with w.loop(word(0), w.times(count, lanes), word(w.width)) as i:
        w.store(w.constant(0.0, w.width), w.at(target, i))
    return w.finished()


_WRITERS: dict[str, Callable[[Writer, Spec], str]] = {
    "value_v": elementwise.value_v,
    "flow_v": elementwise.flow_v,
    "value_u": elementwise.value_u,
    "flow_u": elementwise.flow_u,
    "sums_v": sums.sums_v,
    "sums_back_v": sums.sums_back_v,
    "sums_u": sums.sums_u,
    "sums_back_u": sums.sums_back_u,
    "fold": sums.fold,
    "rank_v": products.rank_v,
    "rank_u": products.rank_u,
    "line_u": products.line_u,
    "dot_v": products.dot_v,
    "dot_u": products.dot_u,
    "row_totals": products.row_totals,
    "column_totals": products.column_totals,
    "gather": _gather,
    "zero": _zero,
    "move": loops.move,
    "clear": loops.clear,
    "note": loops.note,
    "loop": loops.loop,
    "lookup": lookups.lookup,
}
