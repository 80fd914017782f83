"""Kernels of weighted sums, and of maxima and minima.

A sum begins with -0.0: adding it to a number changes nothing, not even the sign of a zero. Adjoints
get one term after the other.
"""

from __future__ import annotations

from typing import Any

from micrograd.compiler.native.elementwise import target
from micrograd.compiler.native.lowering import Functions
from micrograd.compiler.native.rows import Field, Spec
from micrograd.compiler.native.writing import Writer, word

# The flag of a term: a row times a number, two rows, or two numbers.
ROW_NUMBER, ROW_ROW, NUMBER_NUMBER = 0, 1, 2
# Of a term of an adjoint, further bits: whether it is the first, and summed over the lanes.
FIRST, TOTAL = 4, 8


def sums_v(w: Writer, spec: Spec) -> str:
    """Write `out[r]`, the sum of `sign * left * right` over the terms of r."""
    row, u, v, lanes = w.kernel()
    count, out, starts, left, right, signs, flags = _sum_words(w, row)
    build = w.build
    with w.range(count) as r:
        first, last = (build.load(w.at(starts, r, word(i))) for i in (0, 1))
        into = w.lanes_of(v, build.add(out, r), lanes)

        def body(
            i: Any, width: int, first: Any = first, last: Any = last, into: Any = into
        ) -> None:
            with w.loop(first, last, word(1), w.constant(-0.0, width)) as turn:
                t, (total,) = turn.i, turn.values
                flag = build.load(w.at(flags, t))
                sign = w.load(w.at(signs, t), 1)
                x, y = (build.load(w.at(each, t)) for each in (left, right))
                cases = [build.function.append_basic_block(f"case{n}") for n in range(3)]
                joined = build.function.append_basic_block("joined")
                switch = build.switch(flag, cases[2])
                switch.add_case(word(0), cases[0])
                switch.add_case(word(1), cases[1])
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
                    results.append(w.fma(a, b, total))
                    build.branch(joined)
                build.position_at_end(joined)
                phi = build.phi(total.type)
                for value, block in zip(results, cases, strict=True):
                    phi.add_incoming(value, block)
                turn.following = [phi]
            w.store(turn.values[0], w.at(into, i))

        # Several registers at once, since each term is looked up again for the next ones.
        w.in_steps(lanes, (4 * w.width, w.width), body)
    return w.finished()


def terms_v(w: Writer, spec: Spec) -> str:
    """Write what adds single terms to adjoints of `v` or, as totals, of `u`, in their order."""
    row, u, v, lanes = w.kernel()
    count, out, _, left, right, signs, flags = _sum_words(w, row)
    build, zero = w.build, w.constant(0.0, w.width)
    with w.range(count) as t:
        x, y, flag = (build.load(w.at(each, t)) for each in (left, right, flags))
        sign, place = w.load(w.at(signs, t), 1), target(w, spec, out, t)
        bits = (build.and_(flag, word(bit)) for bit in (FIRST, TOTAL))
        is_first, is_total = (build.icmp_signed("!=", bit, word(0)) for bit in bits)
        row_of_x, into = (w.lanes_of(v, each, lanes) for each in (x, place))

        def add(factor: Any) -> None:
            with w.loop(word(0), lanes, word(w.width)) as i:
                at = w.at(into, i)
                held = build.select(is_first, zero, w.load(at, w.width))
                w.store(w.fma(w.load(w.at(row_of_x, i), w.width), factor(i), held), at)

        with build.if_else(is_total) as (total, rows):
            with total:
                _add_total(w, u, v, lanes, w.at(u, place), x, y, sign, flag)
            with rows:
                are_rows = build.icmp_signed("==", build.and_(flag, word(3)), word(ROW_ROW))
                with build.if_else(are_rows) as (both, number):
                    with both:
                        row_of_y, signs_ = w.lanes_of(v, y, lanes), w.splat(sign, w.width)
                        add(lambda i: build.fmul(w.load(w.at(row_of_y, i), w.width), signs_))
                    with number:
                        times = w.splat(build.fmul(sign, w.load(w.at(u, y), 1)), w.width)
                        add(lambda i: times)
    return w.finished()


def _add_total(
    w: Writer, u: Any, v: Any, lanes: Any, at: Any, x: Any, y: Any, sign: Any, flag: Any
) -> None:
    """Add the sum over the lanes of a row times another one, or times a number."""
    build, zero, row = w.build, w.constant(0.0, w.width), w.lanes_of(v, x, lanes)
    are_rows = build.icmp_signed("==", build.and_(flag, word(3)), word(ROW_ROW))

    def add(factor: Any, other: Any = None) -> None:
        with w.loop(word(0), lanes, word(w.width), zero) as turn:
            held, (before,) = w.load(w.at(row, turn.i), w.width), turn.values
            if other is None:
                turn.following = [build.fadd(before, held)]
            else:
                turn.following = [w.fma(held, w.load(w.at(other, turn.i), w.width), before)]
        share = build.fmul(w.total(turn.values[0]), factor)
        w.store(build.fadd(w.load(at, 1), share), at)

    with build.if_else(are_rows) as (rows, number):
        with rows:
            add(sign, w.lanes_of(v, y, lanes))
        with number:
            add(build.fmul(sign, w.load(w.at(u, y), 1)))


def terms_u(w: Writer, spec: Spec) -> str:
    """Write what adds single terms to adjoints of `u`, in their order."""
    row, u, _, _ = w.kernel()
    count, out, _, left, right, signs, _ = _sum_words(w, row)
    with w.range(count) as t:
        at = w.at(u, target(w, spec, out, t))
        a, b = (w.load(w.at(u, w.build.load(w.at(each, t))), 1) for each in (left, right))
        a = w.build.fmul(a, w.load(w.at(signs, t), 1))
        w.store(w.fma(a, b, w.load(at, 1)), at)
    return w.finished()


def sums_u(w: Writer, spec: Spec) -> str:
    """Write sums of numbers of `u`, or add them to what there is."""
    row, u, _, _ = w.kernel()
    count, out, starts, left, right, signs, _ = _sum_words(w, row)
    with w.range(count) as r:
        first, last = (w.build.load(w.at(starts, r, word(i))) for i in (0, 1))
        at = w.at(u, target(w, spec, out, r))
        start = w.load(at, 1) if spec.mode == "add" else w.constant(-0.0, 1)
        with w.loop(first, last, word(1), start) as turn:
            a, b = (w.load(w.at(u, w.build.load(w.at(each, turn.i))), 1) for each in (left, right))
            a = w.build.fmul(a, w.load(w.at(signs, turn.i), 1))
            turn.following = [w.fma(a, b, turn.values[0])]
        w.store(turn.values[0], at)
    return w.finished()


def _sum_words(w: Writer, row: Any) -> list[Any]:
    """Return the number of sums, the place of the first, and the tables of their terms."""
    count, out = w.words(row, Field.COUNT, Field.OUT)
    fields = (Field.STARTS, Field.LEFT, Field.RIGHT)
    starts, left, right = (w.pointer(each) for each in w.words(row, *fields))
    signs, flags = w.words(row, Field.SIGN, Field.FLAGS)
    return [count, out, starts, left, right, w.pointer(signs, w.number), w.pointer(flags)]


def fold(w: Writer, spec: Spec) -> str:
    """Write `out[r]`, the maximum or minimum of the terms of r."""
    row, u, v, lanes = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    starts, slots = (w.pointer(each) for each in w.words(row, Field.STARTS, Field.LEFT))
    memory, each, width = (v, lanes, w.width) if spec.operands == "v" else (u, word(1), 1)
    combined = getattr(Functions(w, width), spec.mode)
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
