"""The kernels by name: what one row of a linked program does.

A kernel is a function in LLVM's language. Its arguments are a row, the memories `u` and `v`, and
the number of lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from micrograd.compiler.native import elementwise, lookups, loops, products, sums, tapes
from micrograd.compiler.native.chains import ChainSpec, write_chain
from micrograd.compiler.native.loops import LoopSpec
from micrograd.compiler.native.rows import Spec
from micrograd.compiler.native.writing import Writer


def write(spec: Spec | LoopSpec | ChainSpec, width: int) -> str:
    """Return the module of a kernel, for vector registers that hold `width` doubles."""
    if isinstance(spec, LoopSpec):
        return loops.write_loop(Writer(spec.kind, width), spec)
    if isinstance(spec, ChainSpec):
        return write_chain(Writer(spec.kind, width), spec)
    return _WRITERS[spec.name](Writer(spec.kind, width), spec)


_WRITERS: dict[str, Callable[[Writer, Spec], str]] = {
    "run_v": elementwise.run,
    "run_u": partial(elementwise.run, alone=True),
    "step_u": elementwise.step,
    "steps": tapes.steps,
    "total_v": elementwise.total,
    "total_u": partial(elementwise.total, alone=True),
    "sums_v": sums.sums,
    "sums_of_run_u": partial(sums.sums, alone=True),
    "sums_alike_u": sums.sums_alike_u,
    "sums_u": sums.sums_u,
    "terms_u": partial(sums.sums_u, single=True),
    "fold": sums.fold,
    "rank_v": products.rank_v,
    "rank_u": products.rank_u,
    "line_u": partial(products.rank_u, blocks=products.LINES),
    "dot_v": products.dot_v,
    "dot_u": products.dot_u,
    "move": loops.move,
    "move_run": loops.move_run,
    "clear": loops.clear,
    "note": loops.note,
    "loop": loops.loop,
    "lookup": lookups.lookup,
}
