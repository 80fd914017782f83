"""The kernels: what one instruction of a linked program does, as functions in LLVM's language.

A row of 64-bit words says where a kernel works. Its first word is the address of the kernel. In `v`,
a place counts rows of lanes; in `u`, numbers. Kernels of operations are written from the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir

from micrograd.compiler.native.lowering import Lowering
from micrograd.compiler.native.writing import WORD, Writer, word
from micrograd.kernels import ADJOINT, flow_text, value_text
from micrograd.ops import Operation

ROW = 16
"""The words of a row."""


class Field:
    """The words of a row, by what they mean."""

    COUNT, OUT, ADJOINT = 1, 2, 3
    OPERANDS = (4, 5, 6)
    SHIFT = 7
    STARTS, LEFT, RIGHT, SIGN, FLAGS, SHIFT_U = 4, 5, 6, 8, 9, 10
    # of matrix products: the numbers of products, rows and columns; where they begin; their strides
    ROWS, COLUMNS, A, A_DOWN, A_RIGHT, B, B_STEP, O, O_STEP, BIAS, BIAS_STEP = range(2, 13)
    LANES, O_DOWN = 13, 14


class Spec(NamedTuple):
    """Which kernel: all that its code depends on."""

    name: str
    kind: str  # of the numbers
    row: Operation | None = None
    place: int = -1  # of the operand that a flow goes back to
    operands: str = ""  # how each is read: v, u of a batch; s (slice), g (gathered) of `u` alone
    mode: str = ""

    def __str__(self) -> str:
        words = [self.name, self.kind, self.operands, self.mode]
        if self.row is not None:
            words += [value_text(self.row), ",".join(self.row.operands)]
            words += sorted(_called(self.row))
            if self.place >= 0:
                words += [str(self.place), str(flow_text(self.row, self.place))]
        return "\n".join(words)


def _called(row: Operation) -> set[str]:
    """The formulas of all operations that the formulas of a row call."""
    from micrograd.formulas import calls
    from micrograd.ops import TABLE

    found: dict[str, str] = {}
    waiting = [row.expression, *row.slopes]
    while waiting:
        for name in calls(waiting.pop()):
            if name in TABLE and name not in found:
                found[name] = f"{name}={value_text(TABLE[name])}"
                waiting.append(TABLE[name].expression)
    return set(found.values())


def write(spec: Spec, width: int) -> str:
    """The module of a kernel."""
    return _WRITERS[spec.name](Writer(spec.kind, width), spec)


# ------------------------------------------------------------------------- operations, over a batch


def _value_v(w: Writer, spec: Spec) -> str:
    """A row of lanes after the other: `out[r] = operation(x[r], …)`."""
    assert spec.row is not None
    row, u, v, lanes = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    tables = _tables(w, row, spec.operands)
    lowering, text = Lowering(w, w.width), value_text(spec.row)
    with w.range(count) as r:
        operands = [
            _operand_v(w, kind, table, r, u, v, lanes)
            for kind, table in zip(spec.operands, tables, strict=True)
        ]
        target = _lanes_of(w, v, w.build.add(out, r), lanes)
        with w.loop(word(0), lanes, word(w.width)) as i:
            names = _named(w, spec.row, operands, i)
            w.store(lowering.value(text, names), w.at(target, i))
    return w.finished()


def _flow_v(w: Writer, spec: Spec) -> str:
    """What flows back to one operand; summed over the lanes if that is a number of `u`."""
    assert spec.row is not None
    row, u, v, lanes = w.kernel()
    count, out, adjoint, shift = w.words(row, Field.COUNT, Field.OUT, Field.ADJOINT, Field.SHIFT)
    tables = _tables(w, row, spec.operands)
    lowering, text = Lowering(w, w.width), flow_text(spec.row, spec.place)
    assert text is not None
    summed = spec.operands[spec.place] == "u"
    zero = w.constant(0.0, w.width)
    with w.range(count) as r:
        operands = [
            _operand_v(w, kind, table, r, u, v, lanes)
            for kind, table in zip(spec.operands, tables, strict=True)
        ]
        results = _lanes_of(w, v, w.build.add(out, r), lanes)
        adjoints = _lanes_of(w, v, w.build.add(adjoint, r), lanes)
        place = w.build.add(w.build.load(w.at(tables[spec.place], r)), shift)
        into = w.at(u, place) if summed else _lanes_of(w, v, place, lanes)
        with w.loop(word(0), lanes, word(w.width), *([zero] if summed else [])) as turn:
            i = turn.i if summed else turn
            names = _named(w, spec.row, operands, i)
            names["out"] = w.load(w.at(results, i), w.width)
            names[ADJOINT] = w.load(w.at(adjoints, i), w.width)
            share = _stopped(w, names[ADJOINT], lowering.value(text, names), text)
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


def _stopped(w: Writer, g: Any, share: Any, text: str) -> Any:
    """The share, 0 where the adjoint is: it stops even before an infinity."""
    if text == ADJOINT:
        return share
    zero = ir.Constant(g.type, None)
    return w.build.select(w.build.fcmp_ordered("==", g, zero), zero, share)


def _tables(w: Writer, row: Any, operands: str) -> list[Any]:
    """The places of each operand, a table for each."""
    addresses = w.words(row, *Field.OPERANDS[: len(operands)])
    return [w.pointer(address) for address in addresses]


def _lanes_of(w: Writer, v: Any, place: Any, lanes: Any) -> Any:
    return w.at(v, w.times(place, lanes))


def _operand_v(
    w: Writer, kind: str, table: Any, r: Any, u: Any, v: Any, lanes: Any
) -> Callable[[Any], Any]:
    """A function that reads an operand at a lane; a number of `u` is read once for all lanes."""
    place = w.build.load(w.at(table, r))
    if kind == "u":
        everywhere = w.splat(w.load(w.at(u, place), 1), w.width)
        return lambda i: everywhere
    base = _lanes_of(w, v, place, lanes)
    return lambda i: w.load(w.at(base, i), w.width)


def _named(w: Writer, row: Operation, operands: Any, i: Any) -> dict[str, Any]:
    return {name: read(i) for name, read in zip(row.operands, operands, strict=True)}


# --------------------------------------------------------------------------- operations, in `u` alone


def _value_u(w: Writer, spec: Spec) -> str:
    """`out[i] = operation(x[i], …)` for neighbouring numbers."""
    assert spec.row is not None
    operation, text = spec.row, value_text(spec.row)
    row, u, _, _ = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    words = w.words(row, *Field.OPERANDS[: len(spec.operands)])

    def body(i: Any, width: int) -> None:
        names = _named_u(w, operation, spec.operands, words, u, i, width)
        w.store(Lowering(w, width).value(text, names), w.at(u, out, i))

    w.in_steps(count, (w.width, 1), body)
    return w.finished()


def _flow_u(w: Writer, spec: Spec) -> str:
    """What flows back to one operand; added one by one where it is gathered, as it may repeat."""
    assert spec.row is not None
    operation, text = spec.row, flow_text(spec.row, spec.place)
    assert text is not None
    row, u, _, _ = w.kernel()
    count, out, adjoint, shift = w.words(row, Field.COUNT, Field.OUT, Field.ADJOINT, Field.SHIFT)
    words = w.words(row, *Field.OPERANDS[: len(spec.operands)])

    def body(i: Any, width: int) -> None:
        names = _named_u(w, operation, spec.operands, words, u, i, width)
        names["out"] = w.load(w.at(u, out, i), width)
        names[ADJOINT] = g = w.load(w.at(u, adjoint, i), width)
        share = _stopped(w, g, Lowering(w, width).value(text, names), text)
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


def _named_u(
    w: Writer, operation: Operation, kinds: str, words: Any, u: Any, i: Any, width: int
) -> dict[str, Any]:
    names = {}
    for name, kind, at in zip(operation.operands, kinds, words, strict=True):
        names[name] = w.load(w.at(u, at, i), width) if kind == "s" else _gathered(w, at, u, i, width)
    return names


def _gathered(w: Writer, address: Any, u: Any, i: Any, width: int) -> Any:
    table = w.pointer(address)
    numbers = [
        w.load(w.at(u, w.build.load(w.at(table, i, word(lane)))), 1) for lane in range(width)
    ]
    return _assembled(w, numbers)


def _assembled(w: Writer, numbers: list[Any]) -> Any:
    if len(numbers) == 1:
        return numbers[0]
    vector = ir.Constant(ir.VectorType(w.number, len(numbers)), ir.Undefined)
    for lane, number in enumerate(numbers):
        vector = w.build.insert_element(vector, number, word(lane))
    return vector


# ------------------------------------------------------------------------------------ weighted sums

# Of a term, the low bits of its flag: a row times a number, two rows, or two numbers.
ROW_NUMBER, ROW_ROW, NUMBER_NUMBER = 0, 1, 2
INTO_LEFT, INTO_RIGHT = 4, 8


def _sums_v(w: Writer, spec: Spec) -> str:
    """`out[r]` = the sum of `sign * left * right` over the terms of r."""
    row, u, v, lanes = w.kernel()
    count, out, starts, left, right, signs, flags = _sum_words(w, row)
    with w.range(count) as r:
        first, last = (w.build.load(w.at(starts, r, word(i))) for i in (0, 1))
        target = _lanes_of(w, v, w.build.add(out, r), lanes)
        with w.loop(word(0), lanes, word(w.width)) as i:
            zero = w.constant(0.0, w.width)
            with w.loop(first, last, word(1), zero) as turn:
                t, (total,) = turn.i, turn.values
                flag = w.build.and_(w.build.load(w.at(flags, t)), word(3))
                sign = w.load(w.at(signs, t), 1)
                x, y = (w.build.load(w.at(each, t)) for each in (left, right))
                build = w.build
                cases = [build.function.append_basic_block(f"case{n}") for n in range(3)]
                joined = build.function.append_basic_block("joined")
                switch = build.switch(flag, cases[2])
                switch.add_case(word(0), cases[0])
                switch.add_case(word(1), cases[1])
                results = []
                for case, block in enumerate(cases):
                    build.position_at_end(block)
                    if case == NUMBER_NUMBER:
                        a = w.splat(w.load(w.at(u, x), 1), w.width)
                    else:
                        a = w.load(w.at(_lanes_of(w, v, x, lanes), i), w.width)
                    if case == ROW_ROW:
                        b = w.load(w.at(_lanes_of(w, v, y, lanes), i), w.width)
                        b = build.fmul(b, w.splat(sign, w.width))
                    else:
                        b = w.splat(build.fmul(sign, w.load(w.at(u, y), 1)), w.width)
                    results.append(w.fma(a, b, total))
                    build.branch(joined)
                build.position_at_end(joined)
                phi = build.phi(total.type)
                for value, block in zip(results, cases, strict=True):
                    phi.add_incoming(value, block)
                turn.following = [phi]
            w.store(turn.values[0], w.at(target, i))
    return w.finished()


def _sums_back_v(w: Writer, spec: Spec) -> str:
    """The adjoint of each sum flows back to the factors of its terms."""
    row, u, v, lanes = w.kernel()
    count, _, starts, left, right, signs, flags = _sum_words(w, row)
    adjoint, shift, shift_u = w.words(row, Field.ADJOINT, Field.SHIFT, Field.SHIFT_U)
    build = w.build
    zero = w.constant(0.0, w.width)

    def into_row(place: Any, g: Any, other: Callable[[Any], Any]) -> None:
        target = _lanes_of(w, v, build.add(place, shift), lanes)
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
        g = _lanes_of(w, v, build.add(adjoint, r), lanes)
        with w.loop(first, last, word(1)) as t:
            flag = build.load(w.at(flags, t))
            sign = w.load(w.at(signs, t), 1)
            x, y = (build.load(w.at(each, t)) for each in (left, right))
            kind = build.and_(flag, word(3))

            def has(bit: int, flag: Any = flag) -> Any:
                return build.icmp_signed("!=", build.and_(flag, word(bit)), word(0))

            def row_of(place: Any, factor: Any = None) -> Callable[[Any], Any]:
                base = _lanes_of(w, v, place, lanes)
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


def _sums_u(w: Writer, spec: Spec) -> str:
    """The sums of numbers."""
    row, u, _, _ = w.kernel()
    count, out, starts, left, right, signs, _ = _sum_words(w, row)
    with w.range(count) as r:
        first, last = (w.build.load(w.at(starts, r, word(i))) for i in (0, 1))
        with w.loop(first, last, word(1), w.constant(0.0, 1)) as turn:
            a, b = (w.load(w.at(u, w.build.load(w.at(each, turn.i))), 1) for each in (left, right))
            a = w.build.fmul(a, w.load(w.at(signs, turn.i), 1))
            turn.following = [w.fma(a, b, turn.values[0])]
        w.store(turn.values[0], w.at(u, out, r))
    return w.finished()


def _sums_back_u(w: Writer, spec: Spec) -> str:
    """Back to the factors; what goes to a number that needs no adjoint is never read."""
    row, u, _, _ = w.kernel()
    count, _, starts, left, right, signs, _ = _sum_words(w, row)
    adjoint, shift = w.words(row, Field.ADJOINT, Field.SHIFT)
    build = w.build
    with w.range(count) as r:
        first, last = (build.load(w.at(starts, r, word(i))) for i in (0, 1))
        g = w.load(w.at(u, adjoint, r), 1)
        with w.loop(first, last, word(1)) as t:
            x, y = (w.at(u, build.load(w.at(each, t))) for each in (left, right))
            signed = build.fmul(g, w.load(w.at(signs, t), 1))
            for this, other in ((x, y), (y, x)):
                at = w.at(this, shift)
                w.store(w.fma(signed, w.load(other, 1), w.load(at, 1)), at)
    return w.finished()


def _sum_words(w: Writer, row: Any) -> list[Any]:
    """The number of sums and the first one's place, and the tables of their terms."""
    count, out = w.words(row, Field.COUNT, Field.OUT)
    fields = (Field.STARTS, Field.LEFT, Field.RIGHT)
    starts, left, right = (w.pointer(each) for each in w.words(row, *fields))
    signs, flags = w.words(row, Field.SIGN, Field.FLAGS)
    return [count, out, starts, left, right, w.pointer(signs, w.number), w.pointer(flags)]


# ---------------------------------------------------------------------------------- matrix products


def _rank(w: Writer, mode: str, sizes: Any, a: Any, b: Any, o: Any, bias: Any) -> None:
    """`o[i, l] = start + sum over j of a[i, j] * b[j, l]`, lanes `l` next to each other.

    Blocks of four rows and of several vectors stay in registers. `start` is 0, what `o` holds
    (mode add), or the bias of row i.
    """
    build = w.build
    rows, columns, lanes = sizes
    (a, down, right), (b, b_down), (o, o_down), (bias, bias_step) = a, b, o, bias

    def tile(first: Any, tall: int, start: Any, wide: int, width: int) -> None:
        """Rows `first …` of `tall`, lanes `start …` of `wide` vectors."""
        targets = [
            w.at(o, w.times(build.add(first, word(i)), o_down), build.add(start, word(n * width)))
            for i in range(tall)
            for n in range(wide)
        ]
        if mode == "add":
            held = [w.load(each, width) for each in targets]
        elif mode == "bias":
            biases = [
                w.splat(w.load(w.at(bias, w.times(build.add(first, word(i)), bias_step)), 1), width)
                for i in range(tall)
            ]
            held = [each for each in biases for _ in range(wide)]
        else:
            held = [w.constant(0.0, width)] * (tall * wide)
        heads = [w.at(a, w.times(build.add(first, word(i)), down)) for i in range(tall)]
        with w.loop(word(0), columns, word(1), *held) as turn:
            base = w.at(b, w.times(turn.i, b_down), start)
            vectors = [w.load(w.at(base, word(n * width)), width) for n in range(wide)]
            step = w.times(turn.i, right)
            factors = [w.splat(w.load(w.at(head, step), 1), width) for head in heads]
            turn.following = [
                w.fma(factors[i], vectors[n], turn.values[i * wide + n])
                for i in range(tall)
                for n in range(wide)
            ]
        for target, value in zip(targets, turn.values, strict=True):
            w.store(value, target)

    def in_lanes(first: Any, tall: int) -> None:
        start = word(0)
        for wide, width in ((2, w.width), (1, w.width), (1, 1)):
            step = wide * width
            end = lanes
            if step > 1:
                end = build.add(start, build.and_(build.sub(lanes, start), word(-step)))
            with w.loop(start, end, word(step)) as l:
                tile(first, tall, l, wide, width)
            start = end

    start = word(0)
    for tall in (4, 2, 1):
        end = rows if tall == 1 else build.add(start, build.and_(build.sub(rows, start), word(-tall)))
        with w.loop(start, end, word(tall)) as first:
            in_lanes(first, tall)
        start = end


def _dot(w: Writer, sizes: Any, a: Any, b: Any, o: Any) -> None:
    """`o[i, j] += sum over l of a[i, l] * b[j, l]`, lanes `l` next to each other."""
    build = w.build
    rows, columns, lanes = sizes
    (a, a_down), (b, b_down), (o, down, right) = a, b, o

    def tile(i0: Any, tall: int, j0: Any, wide: int) -> None:
        tops = [w.at(a, w.times(build.add(i0, word(i)), a_down)) for i in range(tall)]
        sides = [w.at(b, w.times(build.add(j0, word(j)), b_down)) for j in range(wide)]
        totals: list[Any] = []
        start = word(0)
        for width in (w.width, 1):
            end = lanes if width == 1 else build.and_(lanes, word(-width))
            held = totals or [w.constant(0.0, width)] * (tall * wide)
            with w.loop(start, end, word(width), *held) as turn:
                xs = [w.load(w.at(each, turn.i), width) for each in tops]
                ys = [w.load(w.at(each, turn.i), width) for each in sides]
                turn.following = [
                    w.fma(xs[i], ys[j], turn.values[i * wide + j])
                    for i in range(tall)
                    for j in range(wide)
                ]
            totals = [w.total(each) for each in turn.values]
            start = end
        for i in range(tall):
            for j in range(wide):
                place = build.add(
                    w.times(build.add(i0, word(i)), down), w.times(build.add(j0, word(j)), right)
                )
                at = w.at(o, place)
                w.store(build.fadd(w.load(at, 1), totals[i * wide + j]), at)

    top = word(0)
    for tall in (4, 1):
        end = rows if tall == 1 else build.and_(rows, word(-tall))
        with w.loop(top, end, word(tall)) as i0:
            side = word(0)
            for wide in (4, 1):
                stop = columns if wide == 1 else build.and_(columns, word(-wide))
                with w.loop(side, stop, word(wide)) as j0:
                    tile(i0, tall, j0, wide)
                side = stop
        top = end


def _product_words(w: Writer, row: Any) -> dict[str, Any]:
    names = "ROWS COLUMNS A A_DOWN A_RIGHT B B_STEP O O_STEP BIAS BIAS_STEP LANES O_DOWN".split()
    values = w.words(row, *(getattr(Field, name) for name in names))
    return dict(zip(names, values, strict=True), COUNT=w.words(row, Field.COUNT)[0])


def _rank_v(w: Writer, spec: Spec) -> str:
    """For each of several input vectors: rows of `v` from a matrix of `u` and rows of `v`."""
    row, u, v, lanes = w.kernel()
    f = _product_words(w, row)
    with w.range(f["COUNT"]) as c:
        b = _lanes_of(w, v, w.build.add(f["B"], w.times(c, f["B_STEP"])), lanes)
        o = _lanes_of(w, v, w.build.add(f["O"], w.times(c, f["O_STEP"])), lanes)
        a = (w.at(u, f["A"]), f["A_DOWN"], f["A_RIGHT"])
        sizes = (f["ROWS"], f["COLUMNS"], lanes)
        _rank(w, spec.mode, sizes, a, (b, lanes), (o, lanes), (w.at(u, f["BIAS"]), f["BIAS_STEP"]))
    return w.finished()


def _rank_u(w: Writer, spec: Spec) -> str:
    """The same, once, with all of it in `u`."""
    row, u, _, _ = w.kernel()
    f = _product_words(w, row)
    a = (w.at(u, f["A"]), f["A_DOWN"], f["A_RIGHT"])
    b, o = (w.at(u, f["B"]), f["B_STEP"]), (w.at(u, f["O"]), f["O_STEP"])
    sizes = (f["ROWS"], f["COLUMNS"], f["LANES"])
    _rank(w, spec.mode, sizes, a, b, o, (w.at(u, f["BIAS"]), f["BIAS_STEP"]))
    return w.finished()


def _dot_v(w: Writer, spec: Spec) -> str:
    """Numbers of `u` from rows of `v`, for each of several vectors: the adjoints of a matrix."""
    row, u, v, lanes = w.kernel()
    f = _product_words(w, row)
    with w.range(f["COUNT"]) as c:
        a = _lanes_of(w, v, w.build.add(f["A"], w.times(c, f["A_DOWN"])), lanes)
        b = _lanes_of(w, v, w.build.add(f["B"], w.times(c, f["B_STEP"])), lanes)
        o = (w.at(u, f["O"]), f["O_DOWN"], f["O_STEP"])
        _dot(w, (f["ROWS"], f["COLUMNS"], lanes), (a, lanes), (b, lanes), o)
    return w.finished()


def _dot_u(w: Writer, spec: Spec) -> str:
    """The same, once, with all of it in `u`; `out` begins as the bias or zero."""
    row, u, _, _ = w.kernel()
    f = _product_words(w, row)
    with w.range(f["ROWS"]) as i, w.range(f["COLUMNS"]) as j:
        start = w.constant(0.0, 1)
        if spec.mode == "bias":
            start = w.load(w.at(u, f["BIAS"], w.times(j, f["BIAS_STEP"])), 1)
        w.store(start, w.at(u, f["O"], w.times(i, f["O_DOWN"]), j))
    a, b = (w.at(u, f["A"]), f["A_DOWN"]), (w.at(u, f["B"]), f["B_STEP"])
    _dot(w, (f["ROWS"], f["COLUMNS"], f["LANES"]), a, b, (w.at(u, f["O"]), f["O_DOWN"], word(1)))
    return w.finished()


# --------------------------------------------------------------------------------------- small ones


def _row_totals(w: Writer, spec: Spec) -> str:
    """The adjoints of a bias: rows of `v` added up over their lanes, for each of several vectors."""
    row, u, v, lanes = w.kernel()
    f = _product_words(w, row)
    with w.range(f["COUNT"]) as c, w.range(f["ROWS"]) as i:
        place = w.build.add(w.build.add(f["A"], w.times(c, f["A_DOWN"])), i)
        base = _lanes_of(w, v, place, lanes)
        with w.loop(word(0), lanes, word(w.width), w.constant(0.0, w.width)) as turn:
            turn.following = [w.build.fadd(turn.values[0], w.load(w.at(base, turn.i), w.width))]
        at = w.at(u, f["BIAS"], w.times(i, f["BIAS_STEP"]))
        w.store(w.build.fadd(w.load(at, 1), w.total(turn.values[0])), at)
    return w.finished()


def _column_totals(w: Writer, spec: Spec) -> str:
    """The adjoints of a bias in `u`."""
    row, u, _, _ = w.kernel()
    f = _product_words(w, row)
    with w.range(f["COUNT"]) as c, w.range(f["ROWS"]) as i:
        x = w.load(w.at(u, f["A"], w.times(c, f["A_DOWN"]), i), 1)
        at = w.at(u, f["BIAS"], w.times(i, f["BIAS_STEP"]))
        w.store(w.build.fadd(w.load(at, 1), x), at)
    return w.finished()


def _gather(w: Writer, spec: Spec) -> str:
    """Bring rows of `v`, or numbers of `u`, together; or (mode back) add to those they came from."""
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
    """Rows of `v` begin at zero."""
    row, _, v, lanes = w.kernel()
    count, out = w.words(row, Field.COUNT, Field.OUT)
    target = _lanes_of(w, v, out, lanes)
    with w.loop(word(0), w.times(count, lanes), word(w.width)) as i:
        w.store(w.constant(0.0, w.width), w.at(target, i))
    return w.finished()


_WRITERS: dict[str, Callable[[Writer, Spec], str]] = {
    "value_v": _value_v,
    "flow_v": _flow_v,
    "value_u": _value_u,
    "flow_u": _flow_u,
    "sums_v": _sums_v,
    "sums_back_v": _sums_back_v,
    "sums_u": _sums_u,
    "sums_back_u": _sums_back_u,
    "rank_v": _rank_v,
    "rank_u": _rank_u,
    "dot_v": _dot_v,
    "dot_u": _dot_u,
    "row_totals": _row_totals,
    "column_totals": _column_totals,
    "gather": _gather,
    "zero": _zero,
}
