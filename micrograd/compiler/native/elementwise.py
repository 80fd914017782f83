"""Kernels of operations, which are written from the formulas of the table.

A row of words has one run of results: their places are neighbours, and so are those of an operand
that is not one number of `u` for all of them. In `v`, neighbours are one long row of lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from micrograd.compiler.native.lowering import Lowering
from micrograd.compiler.native.rows import Field, Spec
from micrograd.compiler.native.writing import Writer, word
from micrograd.table.formulas import ADJOINT, RESULT, Tree


def run(w: Writer, spec: Spec, *, alone: bool = False) -> str:
    """Write the results of a run, or add them to what there is.

    If they are `alone`, all of it is in `u`, where each row is a number. What is scattered there is
    gathered or stored by a table of places, which may repeat.
    """
    row, u, v, lanes = w.kernel()
    if alone:
        v, lanes = u, word(1)
    count, out = w.words(row, Field.COUNT, Field.OUT)
    result = _results(w, spec, row, u, v, lanes)

    def body(i: Any, width: int) -> None:
        found = result(i, width)
        if spec.into == "v":
            _put(w, spec, found, w.at(w.lanes_of(v, out, lanes), i), width)
            return
        table = w.at(w.pointer(out), i)
        for lane, number in enumerate(w.each(found)):
            _put(w, spec, number, w.at(u, w.build.load(w.at(table, word(lane)))))

    w.in_steps(w.times(count, lanes), (w.width, 1) if alone else (w.width,), body)
    return w.finished()


def step(w: Writer, spec: Spec) -> str:
    """Write a single result in `u`, or add it to what there is."""
    row, u, _, _ = w.kernel()
    result, (out,) = _results(w, spec, row, u, u, word(1)), w.words(row, Field.OUT)
    _put(w, spec, result(word(0), 1), w.at(u, out))
    return w.finished()


def total(w: Writer, spec: Spec, *, alone: bool = False) -> str:
    """Add the sum of a result over all lanes to a number of `u`.

    If it is `alone`, write the sum of a run in `u` instead, or add it.
    """
    row, u, v, lanes = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    size = lanes
    if alone:
        v, lanes, size = u, word(1), count
    result = _results(w, spec, row, u, v, lanes)
    _put(w, spec, w.summed(size, (w.width, 1)[: 1 + alone], result), w.at(u, out))
    return w.finished()


def _results(
    w: Writer, spec: Spec, row: Any, u: Any, v: Any, lanes: Any
) -> Callable[[Any, int], Any]:
    """Return a function that writes so many results of a run, from a lane on."""
    numbers, runs, tables = {}, {}, {}
    places = w.words(row, *Field.OPERANDS[: len(spec.operands)])
    beside = w.lanes_of(v, w.words(row, Field.BESIDE)[0], lanes) if spec.beside else None
    for name, kind, place in zip(spec.names, spec.operands, places, strict=True):
        if kind == "u":
            numbers[name] = w.load(w.at(u, place), 1)
        elif kind == "v":
            runs[name] = w.lanes_of(v, place, lanes)
        else:
            tables[name] = w.pointer(place)

    def result(i: Any, width: int) -> Any:
        read = {name: w.load(w.at(each, i), width) for name, each in runs.items()}
        read |= {name: w.splat(each, width) for name, each in numbers.items()}
        read |= {name: _gathered(w, u, w.at(each, i), width) for name, each in tables.items()}
        lowering = Lowering(w, width)
        found = lowering.value(spec.formula, read)
        if spec.beside:
            read |= {RESULT: found, ADJOINT: lowering.number(1.0)}
            slope = lowering.value(spec.beside, read)
            w.store(slope, w.at(beside, i))
            return found
        return stopped(w, read[ADJOINT], found, spec.formula) if ADJOINT in read else found

    return result


def _gathered(w: Writer, u: Any, table: Any, width: int) -> Any:
    """Load so many numbers from the places in a table."""
    places = (w.build.load(w.at(table, word(lane))) for lane in range(width))
    return w.vector([w.load(w.at(u, place), 1) for place in places])


def _put(w: Writer, spec: Spec, result: Any, at: Any, width: int = 1) -> None:
    """Store a number or a vector, or add it to what there is."""
    if spec.mode:
        result = w.build.fadd(w.load(at, width), result)
    w.store(result, at)


def stopped(w: Writer, g: Any, share: Any, formula: Tree) -> Any:
    """Return the share, which is 0 where the adjoint is, even if a partial is infinite."""
    if formula == ADJOINT:
        return share
    zero = ir.Constant(g.type, None)
    return w.build.select(w.build.fcmp_ordered("==", g, zero), zero, share)
