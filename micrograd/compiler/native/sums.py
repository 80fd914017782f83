"""Kernels of weighted sums, and of maxima and minima.

A sum begins with -0.0: adding it to a number changes nothing, not even the sign of a zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd.compiler.native.lowering import Functions
from micrograd.compiler.native.rows import Field, Spec
from micrograd.compiler.native.writing import Writer, word

# The low bits of the flag of a term: a row times a number, two rows, or two numbers.
ROW_NUMBER, ROW_ROW, NUMBER_NUMBER = 0, 1, 2
INTO_LEFT, INTO_RIGHT = 4, 8


def sums_v(w: Writer, spec: Spec) -> str:
    """Write `out[r]`, the sum of `sign * left * right` over the terms of r."""
    row, u, v, lanes = w.kernel()
    count, out, starts, left, right, signs, flags = _sum_words(w, row)
    build = w.build
    with w.range(count) as r:
        first, last = (build.load(w.at(starts, r, word(i))) for i in (0, 1))
        target = w.lanes_of(v, w.build.add(out, r), lanes)

        def body(i: Any, width: int, first: Any = first, last: Any = last) -> None:
            with w.loop(first, last, word(1), w.constant(-0.0, width)) as turn:
                t, (total,) = turn.i, turn.values
                flag = build.and_(build.load(w.at(flags, t)), word(3))
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
            w.store(turn.values[0], w.at(target, i))

        # Several registers at once, since each term is looked up again for the next ones.
        w.in_steps(lanes, (4 * w.width, w.width), body)
    return w.finished()


def sums_back_v(w: Writer, spec: Spec) -> str:
    """Write what passes the adjoint of each sum to the factors of its terms."""
    row, u, v, lanes = w.kernel()
    count, _, starts, left, right, signs, flags = _sum_words(w, row)
    adjoint, shift, shift_u = w.words(row, Field.ADJOINT, Field.SHIFT, Field.SHIFT_U)
    build = w.build
    zero = w.constant(0.0, w.width)

    def into_row(place: Any, g: Any, other: Callable[[Any], Any]) -> None:
        target = w.lanes_of(v, build.add(place, shift), lanes)
        with w.loop(word(0), lanes, word(w.width)) as i:
            at = w.at(target, i)
            w.store(w.fma(w.load(w.at(g, i), w.width), other(i), w.load(at, w.width)), at)

    def into_number(place: Any, g: Any, other: Callable[[Any], Any], factor: Any) -> None:
        target = w.at(u, build.add(place, shift_u))
        with w.loop(word(0), lanes, word(w.width), zero) as turn:
            share = w.fma(w.load(w.at(g, turn.i), w.width), other(turn.i), turn.values[0])
            turn.following = [share]
        total = build.fmul(w.total(turn.values[0]), factor)
        w.store(build.fadd(w.load(target, 1), total), target)

    with w.range(count) as r:
        first, last = (build.load(w.at(starts, r, word(i))) for i in (0, 1))
        g = w.lanes_of(v, build.add(adjoint, r), lanes)
        with w.loop(first, last, word(1)) as t:
            flag = build.load(w.at(flags, t))
            sign = w.load(w.at(signs, t), 1)
            x, y = (build.load(w.at(each, t)) for each in (left, right))
            kind = build.and_(flag, word(3))

            def has(bit: int, flag: Any = flag) -> Any:
                return build.icmp_signed("!=", build.and_(flag, word(bit)), word(0))

            def row_of(place: Any, factor: Any = None) -> Callable[[Any], Any]:
                base = w.lanes_of(v, place, lanes)
                if factor is None:
                    return lambda i: w.load(w.at(base, i), w.width)
                times = w.splat(factor, w.width)
                return lambda i: build.fmul(w.load(w.at(base, i), w.width), times)

            def number(place: Any) -> Any:
                return w.load(w.at(u, place), 1)

            one = w.constant(1.0, 1)
            everywhere = w.splat(one, w.width)
            with w.when(build.icmp_signed("==", kind, word(ROW_NUMBER))):
                with w.when(has(INTO_LEFT)):
                    times = w.splat(build.fmul(sign, number(y)), w.width)
                    into_row(x, g, lambda i, times=times: times)  # type: ignore[misc]
                with w.when(has(INTO_RIGHT)):
                    into_number(y, g, row_of(x), sign)
            with w.when(build.icmp_signed("==", kind, word(ROW_ROW))):
                with w.when(has(INTO_LEFT)):
                    into_row(x, g, row_of(y, sign))
                with w.when(has(INTO_RIGHT)):
                    into_row(y, g, row_of(x, sign))
            with w.when(build.icmp_signed("==", kind, word(NUMBER_NUMBER))):
                with w.when(has(INTO_LEFT)):
                    into_number(x, g, lambda i: everywhere, build.fmul(sign, number(y)))
                with w.when(has(INTO_RIGHT)):
                    into_number(y, g, lambda i: everywhere, build.fmul(sign, number(x)))
    return w.finished()


def sums_u(w: Writer, spec: Spec) -> str:
    """Write sums of numbers of `u`."""
    row, u, _, _ = w.kernel()
    count, out, starts, left, right, signs, _ = _sum_words(w, row)
    with w.range(count) as r:
        first, last = (w.build.load(w.at(starts, r, word(i))) for i in (0, 1))
        with w.loop(first, last, word(1), w.constant(-0.0, 1)) as turn:
            a, b = (w.load(w.at(u, w.build.load(w.at(each, turn.i))), 1) for each in (left, right))
            a = w.build.fmul(a, w.load(w.at(signs, turn.i), 1))
            turn.following = [w.fma(a, b, turn.values[0])]
        w.store(turn.values[0], w.at(u, out, r))
    return w.finished()


def sums_back_u(w: Writer, spec: Spec) -> str:
    """Write what passes adjoints to the factors in `u` that need them, the last sum first.

    Sums of a tape are factors of later ones. The number 1 needs no adjoint: what is added to one
    place again and again waits for the last time.
    """
    row, u, _, _ = w.kernel()
    count, _, starts, left, right, signs, flags = _sum_words(w, row)
    adjoint, shift = w.words(row, Field.ADJOINT, Field.SHIFT)
    build = w.build
    with w.range(count) as turn:
        r = build.sub(build.sub(count, turn), word(1))
        first, last = (build.load(w.at(starts, r, word(i))) for i in (0, 1))
        g = w.load(w.at(u, adjoint, r), 1)
        with w.loop(first, last, word(1)) as t:
            flag = build.load(w.at(flags, t))
            x, y = (w.at(u, build.load(w.at(each, t))) for each in (left, right))
            signed = build.fmul(g, w.load(w.at(signs, t), 1))
            for this, other, bit in ((x, y, INTO_LEFT), (y, x, INTO_RIGHT)):
                needed = build.icmp_signed("!=", build.and_(flag, word(bit)), word(0))
                with w.when(needed):
                    at = w.at(this, shift)
                    w.store(w.fma(signed, w.load(other, 1), w.load(at, 1)), at)
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
        target = w.at(memory, w.times(w.build.add(out, r), each))
        with w.loop(word(0), each, word(width)) as i:

            def term(t: Any, i: Any = i) -> Any:
                place = w.times(w.build.load(w.at(slots, t)), each)
                return w.load(w.at(memory, place, i), width)

            with w.loop(w.build.add(first, word(1)), last, word(1), term(first)) as turn:
                turn.following = [combined(turn.values[0], term(turn.i))]
            w.store(turn.values[0], w.at(target, i))
    return w.finished()
