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
    """Write `out[r] = formula(x[r], …)` for rows of lanes, or add that to what there is.

    In the mode "total", a number of `u` gets the sum over the lanes.
    """
    row, u, v, lanes = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    tables = [w.pointer(each) for each in w.words(row, *Field.OPERANDS[: len(spec.operands)])]
    lowering, total, zero = Lowering(w, w.width), spec.mode == "total", w.constant(0.0, w.width)
    with w.range(count) as r:
        read = _reader_v(w, spec, tables, r, u, v, lanes)
        place = target(w, spec, out, r)
        into = w.at(u, place) if total else w.lanes_of(v, place, lanes)
        with w.loop(word(0), lanes, word(w.width), *([zero] if total else [])) as turn:
            i = turn.i if total else turn
            result = _result(w, lowering, spec, read(i))
            if total:
                turn.following = [w.build.fadd(turn.values[0], result)]
            else:
                _put(w, spec, result, w.at(into, i))
        if total:
            w.store(w.build.fadd(w.load(into, 1), w.total(turn.values[0])), into)
    return w.finished()


def run_v(w: Writer, spec: Spec, *, alone: bool = False) -> str:
    """Write the same for a run of neighbouring results, whose operands are neighbours, too.

    Their rows are one long row; an operand in `u` is one number. If they are `alone`, all of it is
    in `u`, where each row is a number.
    """
    row, u, v, lanes = w.kernel()
    if alone:
        v, lanes = u, word(1)
    count, out = w.words(row, Field.COUNT, Field.OUT)
    result, into = _of_run(w, spec, row, u, v, lanes), w.lanes_of(v, out, lanes)

    def body(i: Any, width: int) -> None:
        _put(w, spec, result(i, width), w.at(into, i))

    w.in_steps(w.times(count, lanes), (w.width, 1) if alone else (w.width,), body)
    return w.finished()


def total_u(w: Writer, spec: Spec) -> str:
    """Write the total of a run in `u`, or add it to what there is."""
    row, u, _, _ = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    result, into = _of_run(w, spec, row, u, u, word(1)), w.at(u, out)
    none = w.constant(-0.0, w.width)

    def share(i: Any, width: int, total: Any) -> Any:
        found = result(i, width)
        if width == 1:
            return w.build.fadd(total, w.build.insert_element(none, found, word(0)))
        lanes = range(0, width, w.width)
        parts = [w.shuffled(found, found, range(k, k + w.width)) for k in lanes]
        while len(parts) > 1:
            parts = [*map(w.build.fadd, parts[::2], parts[1::2])]
        return w.build.fadd(total, parts[0])

    several = 8 if isinstance(spec.formula, str) else 1  # additions wait for one another
    widths = several * w.width, w.width, 1
    _put(w, spec, w.total(w.in_steps(count, widths[several == 1 :], share, none)), into)
    return w.finished()


def _of_run(
    w: Writer, spec: Spec, row: Any, u: Any, v: Any, lanes: Any
) -> Callable[[Any, int], Any]:
    """Return a function that writes the results of a run from a lane on."""
    numbers, rows = {}, {}
    places = w.words(row, *Field.OPERANDS[: len(spec.operands)])
    for name, kind, place in zip(spec.names, spec.operands, places, strict=True):
        if kind == "u":
            numbers[name] = w.load(w.at(u, place), 1)
        else:
            rows[name] = w.lanes_of(v, place, lanes)

    def result(i: Any, width: int) -> Any:
        read = {name: w.load(w.at(each, i), width) for name, each in rows.items()}
        read |= {name: w.splat(each, width) for name, each in numbers.items()}
        return _result(w, Lowering(w, width), spec, read)

    return result


def target(w: Writer, spec: Spec, out: Any, r: Any) -> Any:
    """Return the place of result `r`."""
    return w.build.add(out, r) if spec.into == "s" else w.build.load(w.at(w.pointer(out), r))


def _result(w: Writer, lowering: Lowering, spec: Spec, names: dict[str, Any]) -> Any:
    result = lowering.value(spec.formula, names)
    return stopped(w, names[ADJOINT], result, spec.formula) if ADJOINT in names else result


def _put(w: Writer, spec: Spec, result: Any, at: Any) -> None:
    """Store a number or a vector, or add it to what there is."""
    if spec.mode == "add":
        width = result.type.count if isinstance(result.type, ir.VectorType) else 1
        result = w.build.fadd(w.load(at, width), result)
    w.store(result, at)


def stopped(w: Writer, g: Any, share: Any, formula: Tree) -> Any:
    """Return the share, which is 0 where the adjoint is, even if a partial is infinite."""
    if formula == ADJOINT:
        return share
    zero = ir.Constant(g.type, None)
    return w.build.select(w.build.fcmp_ordered("==", g, zero), zero, share)


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
    """Write the same for numbers of `u`, one by one if they are scattered: they may repeat."""
    row, u, _, _ = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    words = w.words(row, *Field.OPERANDS[: len(spec.operands)])

    def body(i: Any, width: int) -> None:
        result = _result(w, Lowering(w, width), spec, _named_u(w, spec, words, u, i, width))
        if spec.into == "s":
            _put(w, spec, result, w.at(u, out, i))
            return
        for lane in range(width):
            place = target(w, spec, out, w.build.add(i, word(lane)))
            number = w.build.extract_element(result, word(lane)) if width > 1 else result
            _put(w, spec, number, w.at(u, place))

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
