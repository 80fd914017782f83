"""Kernels of weighted sums, and of maxima and minima.

A sum begins with -0.0: adding it to a number changes nothing, not even the sign of a zero.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir

from micrograd.compiler.native.elementary import functions
from micrograd.compiler.native.rows import Field, Spec
from micrograd.compiler.native.writing import WORD, Writer, word

# The flag of a term: a row times a number, two rows, or two numbers.
ROW_NUMBER, ROW_ROW, NUMBER_NUMBER = 0, 1, 2
_ENTRY = ir.IntType(32)  # of tables of terms, so long that reading them takes time


def sums(w: Writer, spec: Spec, *, alone: bool = False) -> str:
    """Write `out[r]`, a run of sums of `sign * left * right`, or add them to what there is.

    The tables have the terms of the first sum, and the word STARTS says how many there are; those
    of the others are their neighbours. In the mode "total", there is one sum, and a number of `u`
    gets its total over the lanes. If the sums are `alone`, all of it is in `u`, where each row is a
    number.
    """
    row, u, v, lanes = w.kernel()
    if alone:
        v, lanes = u, word(1)
    count, out, length = w.words(row, Field.COUNT, Field.OUT, Field.STARTS)
    tables = _tables_of_terms(w, row)
    # Several registers at once, since each term is looked up again for the next ones.
    widths = (4 * w.width, 2 * w.width, w.width, w.width // 2, 1)[: 5 if alone else 3]

    def summed(i: Any, width: int, start: Any) -> Any:
        with w.loop(word(0), length, word(1), start) as turn:
            turn.following = [_added(w, tables, turn, (u, v, lanes), i, width)]
        return turn.values[0]

    def store(i: Any, width: int) -> None:
        at = w.at(w.lanes_of(v, out, lanes), i)
        start = w.load(at, width) if spec.mode == "add" else w.constant(-0.0, width)
        w.store(summed(i, width, start), at)

    if spec.mode == "total":
        found = w.summed(lanes, widths, lambda i, width: summed(i, width, w.constant(-0.0, width)))
        w.store(w.build.fadd(w.load(w.at(u, out), 1), found), w.at(u, out))
    else:
        w.in_steps(w.times(count, lanes), widths, store)
    return w.finished()


def _added(w: Writer, tables: Any, turn: Any, memory: Any, i: Any, width: int) -> Any:
    """Write a total plus a term, in one of three ways, which its flag chooses."""
    build, (u, v, lanes) = w.build, memory
    left, right, signs, flags = tables
    flag, sign = build.load(w.at(flags, turn.i)), w.load(w.at(signs, turn.i), 1)
    x, y = (_place(w, each, turn.i) for each in (left, right))
    cases = [build.function.append_basic_block(f"case{n}") for n in range(3)]
    joined = build.function.append_basic_block("joined")
    switch = build.switch(flag, cases[NUMBER_NUMBER])
    switch.add_case(_ENTRY(ROW_NUMBER), cases[ROW_NUMBER])
    switch.add_case(_ENTRY(ROW_ROW), cases[ROW_ROW])
    results = []
    for case, block in enumerate(cases):
        build.position_at_end(block)
        if case == NUMBER_NUMBER:
            a = w.splat(w.load(w.at(u, x), 1), width)
        else:
            a = w.load(w.at(w.lanes_of(v, x, lanes), i), width)
        if case == ROW_ROW:
            b = w.load(w.at(w.lanes_of(v, y, lanes), i), width)
            b = build.fmul(b, w.splat(sign, width))
        else:
            b = w.splat(build.fmul(sign, w.load(w.at(u, y), 1)), width)
        results.append(w.fma(a, b, turn.values[0]))
        build.branch(joined)
    build.position_at_end(joined)
    phi = build.phi(results[0].type)
    for value, block in zip(results, cases, strict=True):
        phi.add_incoming(value, block)
    return phi


def sums_alike_u(w: Writer, spec: Spec) -> str:
    """Write runs of sums of `u` whose terms are of the same kinds, as straight code.

    `operands` has two kinds for each term: whether the factor goes on from sum to sum ("v"), or is
    the same number for all sums of a run ("u"). OUT is a table of the runs, which has for each the
    number of sums, the first result and the first term.
    """
    row, u, _, _ = w.kernel()
    runs, address = w.words(row, Field.COUNT, Field.OUT)
    table, (left, right, signs, _) = w.pointer(address), _tables_of_terms(w, row)
    kinds = [*zip(spec.operands[::2], spec.operands[1::2], strict=True)]
    with w.range(runs) as r:
        count, out, first = w.words(w.at(table, w.times(r, word(3))), 0, 1, 2)
        terms = []
        for k, pair in enumerate(kinds):
            t = w.build.add(first, word(k))
            x, y = (w.at(u, _place(w, each, t)) for each in (left, right))
            sign, number = w.load(w.at(signs, t), 1), None
            if pair != ("v", "v"):
                number = w.build.fmul(sign, w.load(y, 1))
            terms.append((x, y, sign, number, pair[0] == "v"))

        def body(i: Any, width: int, out: Any = out, terms: Any = terms) -> None:
            at = w.at(u, out, i)
            total = w.load(at, width) if spec.mode == "add" else w.constant(-0.0, width)
            for x, y, sign, number, goes_on in terms:
                a = w.load(w.at(x, i), width) if goes_on else w.splat(w.load(x, 1), width)
                if number is None:
                    b = w.build.fmul(w.load(w.at(y, i), width), w.splat(sign, width))
                else:
                    b = w.splat(number, width)
                total = w.fma(a, b, total)
            w.store(total, at)

        w.in_steps(count, (2 * w.width, w.width, w.width // 2, 1), body)
    return w.finished()


def sums_u(w: Writer, spec: Spec, *, single: bool = False) -> str:
    """Write sums of scattered numbers of `u`, or add them to what there is.

    If they are `single`, each has one term, and the tables begin with that of the first sum.
    """
    row, u, _, _ = w.kernel()
    count, out, starts = w.words(row, Field.COUNT, Field.OUT, Field.STARTS)
    starts, (left, right, signs, _) = w.pointer(starts), _tables_of_terms(w, row)

    def added(t: Any, total: Any) -> Any:
        a, b = (w.load(w.at(u, _place(w, x, t)), 1) for x in (left, right))
        return w.fma(w.build.fmul(a, w.load(w.at(signs, t), 1)), b, total)

    with w.range(count) as r:
        place = w.build.add(out, r)
        if spec.into == "g":
            place = w.build.load(w.at(w.pointer(out), r))
        at = w.at(u, place)
        total = w.load(at, 1) if spec.mode == "add" else w.constant(-0.0, 1)
        if single:
            total = added(r, total)
        else:
            first, last = (w.build.load(w.at(starts, r, word(i))) for i in (0, 1))
            with w.loop(first, last, word(1), total) as turn:
                turn.following = [added(turn.i, turn.values[0])]
            total = turn.values[0]
        w.store(total, at)
    return w.finished()


def _tables_of_terms(w: Writer, row: Any) -> tuple[Any, Any, Any, Any]:
    """Return the tables of terms: both factors, signs and flags."""
    left, right, signs, flags = w.words(row, Field.LEFT, Field.RIGHT, Field.SIGN, Field.FLAGS)
    left, right, flags = (w.pointer(each, _ENTRY) for each in (left, right, flags))
    return left, right, w.pointer(signs, w.number), flags


def _place(w: Writer, table: Any, t: Any) -> Any:
    """Return the place of a factor of a term."""
    return w.build.sext(w.build.load(w.at(table, t)), WORD)


def fold(w: Writer, spec: Spec) -> str:
    """Write `out[r]`, the maximum or minimum of the terms of r."""
    row, u, v, lanes = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    starts, slots = (w.pointer(each) for each in w.words(row, Field.STARTS, Field.LEFT))
    memory, each, width = (v, lanes, w.width) if spec.operands == "v" else (u, word(1), 1)
    combined = partial(functions(w, width).applied, spec.mode)
    with w.range(count) as r:
        first, last = (w.build.load(w.at(starts, r, word(i))) for i in (0, 1))
        into = w.at(memory, w.times(w.build.add(out, r), each))
        with w.loop(word(0), each, word(width)) as i:

            def term(t: Any, i: Any = i) -> Any:
                place = w.times(w.build.load(w.at(slots, t)), each)
                return w.load(w.at(memory, place, i), width)

            with w.loop(w.build.add(first, word(1)), last, word(1), term(first)) as turn:
                turn.following = [combined(turn.values[0], term(turn.i))]
            w.store(turn.values[0], w.at(into, i))
    return w.finished()
