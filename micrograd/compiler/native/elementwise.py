"""Kernels of operations, which are written from the formulas of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from micrograd.compiler.native.lowering import Lowering
from micrograd.compiler.native.rows import Field, Spec
from micrograd.compiler.native.writing import Writer, word
from micrograd.table.formulas import ADJOINT, Tree


def value_v(w: Writer, spec: Spec) -> str:
    """Write `out[r] = operation(x[r], …)` for rows of lanes."""
    row, u, v, lanes = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    tables = _tables(w, row, len(spec.operands))
    lowering, formula = Lowering(w, w.width), spec.formula
    with w.range(count) as r:
        read = _reader_v(w, spec, tables, r, u, v, lanes)
        target = w.lanes_of(v, w.build.add(out, r), lanes)
        with w.loop(word(0), lanes, word(w.width)) as i:
            w.store(lowering.value(formula, read(i)), w.at(target, i))
    return w.finished()


def flow_v(w: Writer, spec: Spec) -> str:
    """Write what passes adjoints to one operand; a number of `u` gets their sum over the lanes."""
    row, u, v, lanes = w.kernel()
    count, out, adjoint, shift = w.words(row, Field.COUNT, Field.OUT, Field.ADJOINT, Field.SHIFT)
    tables = _tables(w, row, len(spec.operands))
    lowering, formula = Lowering(w, w.width), spec.formula
    summed = spec.operands[spec.place] == "u"
    zero = w.constant(0.0, w.width)
    with w.range(count) as r:
        read = _reader_v(w, spec, tables, r, u, v, lanes)
        results = w.lanes_of(v, w.build.add(out, r), lanes)
        adjoints = w.lanes_of(v, w.build.add(adjoint, r), lanes)
        place = w.build.add(w.build.load(w.at(tables[spec.place], r)), shift)
        into = w.at(u, place) if summed else w.lanes_of(v, place, lanes)
        with w.loop(word(0), lanes, word(w.width), *([zero] if summed else [])) as turn:
            i = turn.i if summed else turn
            names = read(i)
            names["out"] = w.load(w.at(results, i), w.width)
            names[ADJOINT] = w.load(w.at(adjoints, i), w.width)
            share = stopped(w, names[ADJOINT], lowering.value(formula, names), formula)
            if summed:
                turn.following = [w.build.fadd(turn.values[0], share)]
            else:
                target = w.at(into, i)
                if spec.mode == "add":
                    share = w.build.fadd(w.load(target, w.width), share)
                w.store(share, target)
        if summed:
            total = w.total(turn.values[0])
            w.store(w.build.fadd(w.load(into, 1), total), into)
    return w.finished()


def stopped(w: Writer, g: Any, share: Any, formula: Tree) -> Any:
    """Return the share, which is 0 where the adjoint is, even if a partial is infinite."""
    if formula == ADJOINT:
        return share
    zero = ir.Constant(g.type, None)
    return w.build.select(w.build.fcmp_ordered("==", g, zero), zero, share)


def _tables(w: Writer, row: Any, count: int) -> list[Any]:
    """Return the table of places of each operand."""
    addresses = w.words(row, *Field.OPERANDS[:count])
    return [w.pointer(address) for address in addresses]


def _reader_v(
    w: Writer, spec: Spec, tables: list[Any], r: Any, u: Any, v: Any, lanes: Any
) -> Callable[[Any], dict[str, Any]]:
    """Return a function that reads all operands at a lane; numbers of `u` are read only once."""
    numbers, rows = {}, {}
    for name, kind, table in zip(spec.names, spec.operands, tables, strict=True):
        place = w.build.load(w.at(table, r))
        if kind == "u":
            numbers[name] = w.splat(w.load(w.at(u, place), 1), w.width)
        else:
            rows[name] = w.lanes_of(v, place, lanes)
    return lambda i: numbers | {name: w.load(w.at(row, i), w.width) for name, row in rows.items()}


# ---------------------------------------------------------------------------------- in `u` alone


def value_u(w: Writer, spec: Spec) -> str:
    """Write `out[i] = operation(x[i], …)` for neighbouring numbers of `u`."""
    formula = spec.formula
    row, u, _, _ = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    words = w.words(row, *Field.OPERANDS[: len(spec.operands)])

    def body(i: Any, width: int) -> None:
        names = _named_u(w, spec, words, u, i, width)
        w.store(Lowering(w, width).value(formula, names), w.at(u, out, i))

    w.in_steps(count, (w.width, 1), body)
    return w.finished()


def flow_u(w: Writer, spec: Spec) -> str:
    """Write what passes adjoints to one operand; one by one if it is gathered: it may repeat."""
    formula = spec.formula
    row, u, _, _ = w.kernel()
    count, out, adjoint, shift = w.words(row, Field.COUNT, Field.OUT, Field.ADJOINT, Field.SHIFT)
    words = w.words(row, *Field.OPERANDS[: len(spec.operands)])

    def body(i: Any, width: int) -> None:
        names = _named_u(w, spec, words, u, i, width)
        names["out"] = w.load(w.at(u, out, i), width)
        names[ADJOINT] = g = w.load(w.at(u, adjoint, i), width)
        share = stopped(w, g, Lowering(w, width).value(formula, names), formula)
        if spec.operands[spec.place] == "s":
            target = w.at(u, words[spec.place], shift, i)
            w.store(w.build.fadd(w.load(target, width), share), target)
            return
        table = w.pointer(words[spec.place])
        for lane in range(width):
            place = w.build.load(w.at(table, i, word(lane)))
            target = w.at(u, place, shift)
            part = w.build.extract_element(share, word(lane)) if width > 1 else share
            w.store(w.build.fadd(w.load(target, 1), part), target)

    w.in_steps(count, (w.width, 1), body)
    return w.finished()


def _named_u(w: Writer, spec: Spec, words: Any, u: Any, i: Any, width: int) -> dict[str, Any]:
    names = {}
    for name, kind, at in zip(spec.names, spec.operands, words, strict=True):
        there = w.load(w.at(u, at, i), width) if kind == "s" else _gathered(w, at, u, i, width)
        names[name] = there
    return names


def _gathered(w: Writer, address: Any, u: Any, i: Any, width: int) -> Any:
    table = w.pointer(address)
    numbers = [
        w.load(w.at(u, w.build.load(w.at(table, i, word(lane)))), 1) for lane in range(width)
    ]
    return w.vector(numbers) if width > 1 else numbers[0]
