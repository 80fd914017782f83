"""The driver, in LLVM's language: the loop over blocks of samples, in one call of a program.

It reads all its arguments from a frame of 64-bit words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from micrograd.compiler.native.rows import ROW
from micrograd.compiler.native.writing import KINDS, WORD, Writer, word


class Phase:
    """What a call does, as bits. Several threads may sweep at once; one does the rest."""

    UNIFORM = 1  # the values of `u`
    SWEEP = 2  # all blocks of samples, forwards and, if asked for, backwards
    BACK = 4  # the adjoints of `u`


class Frame:
    """The words of a frame, as plain numbers, since they are looked up at every call."""

    U, V, LANES, PHASES = range(4)
    ADJOINTS, ADJOINT_COUNT = range(4, 6)  # of `u`: set to zero when its values are computed
    UNIFORM_CODE, UNIFORM_ROWS, UNIFORM_BACK_CODE, UNIFORM_BACK_ROWS = range(6, 10)
    CODE, ROWS, BACK_CODE, BACK_ROWS = range(10, 14)
    START, STOP = range(14, 16)  # the first sample, and the one after the last
    PARTS, PART_COUNT = range(16, 18)  # arrays of inputs: address, rows, strides of rows, samples
    OUTPUTS, OUTPUT_COUNT = range(18, 20)  # place in `v`, and address of an array of samples
    TOTAL_OF, TOTAL = range(20, 22)  # place in `v` (or -1), and in `u` of its sum over all samples
    SEED_AT, SEED = range(22, 24)  # place of an adjoint in `v` (or -1), and the bits of its number
    SEED_U_AT, SEED_U = range(24, 26)  # the same in `u`
    GRADIENTS, GRADIENT_COUNT = range(26, 28)  # the first adjoint of inputs in `v`; how many
    # A table with three words for each: the address of the first sample, the stride in bytes, and
    # how far ahead memory is prefetched.
    INTO = 28
    PARAMETERS = 30  # the number of adjoints of `u` that are checked for being finite
    STREAMED = 31  # whether outputs, which must be aligned, are stored past the cache
    DOUBLES = 32  # in single precision: sums of the adjoints of `u` and the total, as doubles
    CHECKED = 33  # whether outputs are checked for being finite, too
    # A table with two words for each input: where the next block is read, and the stride. A slow
    # kernel prefetches that memory while it computes; for others, `_load` does.
    AHEAD, ASKING = 34, 35
    SIZE = 36


def write_driver(kind: str, width: int) -> str:
    """Return the module of the driver, which returns 1 if all adjoints asked for are finite."""
    w = Writer(kind, width)
    run = write_run(w)
    (frame,) = w.function(WORD, WORD.as_pointer())
    build = w.build

    def get(*fields: int) -> Any:
        found = w.words(frame, *fields)
        return found[0] if len(found) == 1 else found

    u, v = (w.pointer(get(field), w.number) for field in (Frame.U, Frame.V))
    lanes = get(Frame.LANES)

    def call(code: int, rows: int) -> None:
        build.call(run, [w.pointer(get(code)), get(rows), u, v, lanes])

    def doing(phase: int) -> Any:
        bit = build.and_(get(Frame.PHASES), word(phase))
        return w.when(build.icmp_signed("!=", bit, word(0)))

    zero = w.constant(0.0, 1)
    trouble = build.alloca(w.number)  # 0, or nan once an adjoint was infinite or nan
    build.store(zero, trouble)
    with doing(Phase.UNIFORM):
        adjoints = w.at(u, get(Frame.ADJOINTS))
        with w.range(get(Frame.ADJOINT_COUNT)) as i:
            w.store(zero, w.at(adjoints, i))
        w.store(zero, w.at(u, get(Frame.TOTAL)))
        call(Frame.UNIFORM_CODE, Frame.UNIFORM_ROWS)
    with doing(Phase.SWEEP):
        stop, origin = get(Frame.START, Frame.STOP)[::-1]
        with w.loop(origin, stop, lanes) as start:
            rest = build.sub(stop, start)
            count = build.select(build.icmp_signed("<", rest, lanes), rest, lanes)
            _load(w, get, v, lanes, start, count)
            _seed(w, get, v, lanes, count)
            call(Frame.CODE, Frame.ROWS)
            _outputs(w, get, u, v, lanes, start, count, trouble)
            call(Frame.BACK_CODE, Frame.BACK_ROWS)
            _gradients(w, get, v, lanes, start, count, trouble)
            if w.number != KINDS["float64"]:
                block = build.sdiv(build.sub(start, origin), lanes)
                last = build.icmp_signed("<=", rest, lanes)
                full = build.icmp_signed("==", build.and_(block, word(_BLOCKS - 1)), word(0))
                with w.when(build.or_(full, last)):
                    _move_to_doubles(w, get, u, last)
    with doing(Phase.BACK):
        at = get(Frame.SEED_U_AT)
        with w.when(build.icmp_signed(">=", at, word(0))):
            w.store(_number(w, get(Frame.SEED_U)), w.at(u, at))
        call(Frame.UNIFORM_BACK_CODE, Frame.UNIFORM_BACK_ROWS)
        adjoints = w.at(u, get(Frame.ADJOINTS))
        _look_at_row(w, adjoints, get(Frame.PARAMETERS), trouble)
    fine = build.fcmp_ordered("==", build.load(trouble), zero)
    build.ret(build.zext(fine, WORD))
    return str(w.module)


_LINE = 64  # bytes of a cache line
_BLOCKS = 32  # this many blocks are summed in single precision; a power of two


def _move_to_doubles(w: Writer, get: Any, u: Any, last: Any) -> None:
    """Add the sums so far to sums in double precision; convert these back at the last block."""
    build = w.build
    sums, doubles = w.at(u, get(Frame.ADJOINTS)), w.pointer(get(Frame.DOUBLES), KINDS["float64"])
    with w.range(build.add(get(Frame.ADJOINT_COUNT), word(1))) as i:
        at, double = w.at(sums, i), w.at(doubles, i)
        total = build.fadd(build.load(double), build.fpext(build.load(at), KINDS["float64"]))
        none = ir.Constant(KINDS["float64"], 0.0)
        build.store(build.select(last, none, total), double)
        build.store(build.fptrunc(build.select(last, total, none), w.number), at)


def write_run(w: Writer) -> Any:
    """Write a function that carries out rows of code, one after the other."""
    memory = w.number.as_pointer()
    code, count, u, v, lanes = w.function(
        ir.VoidType(), WORD.as_pointer(), WORD, memory, memory, WORD, name="run"
    )
    function = w.build.function
    kernel = ir.FunctionType(ir.VoidType(), [WORD.as_pointer(), memory, memory, WORD])
    with w.range(count) as i:
        row = w.at(code, w.times(i, word(ROW)))
        address = w.build.inttoptr(w.build.load(row), kernel.as_pointer())
        w.build.call(address, [row, u, v, lanes])
    w.build.ret_void()
    return function


def _number(w: Writer, bits: Any) -> Any:
    """Return a number from the bits of a double."""
    double = w.build.bitcast(bits, ir.DoubleType())
    return double if w.number == double.type else w.build.fptrunc(double, w.number)


def _look_at_row(w: Writer, row: Any, count: Any, trouble: Any) -> None:
    """Note whether one of the first `count` numbers is not finite.

    Subtracted from itself, such a number gives nan and not 0.
    """
    build = w.build
    rest = _sum(w, row, count, lambda numbers: build.fsub(numbers, numbers))
    build.store(build.fadd(build.load(trouble), rest), trouble)


def _sum(w: Writer, row: Any, count: Any, change: Callable[[Any], Any] = lambda x: x) -> Any:
    """Return the sum of the first `count` numbers, each of them changed."""
    full = w.build.and_(count, word(-w.width))
    begin, total = word(0), w.constant(0.0, w.width)
    for end, width in ((full, w.width), (count, 1)):
        with w.loop(begin, end, word(width), total) as turn:
            numbers = change(w.load(w.at(row, turn.i), width))
            turn.following = [w.build.fadd(turn.values[0], numbers)]
        begin, total = full, w.total(turn.values[0])
    return total


def _load(w: Writer, get: Any, v: Any, lanes: Any, start: Any, count: Any) -> None:
    """Copy a block of samples into the rows of the inputs; the last sample fills up the lanes."""
    build = w.build
    parts = w.pointer(get(Frame.PARTS))
    place, table = build.alloca(WORD), build.alloca(WORD.as_pointer())
    build.store(word(0), place)
    build.store(w.pointer(get(Frame.AHEAD)), table)
    asking = build.icmp_signed("!=", get(Frame.ASKING), word(0))
    byte = ir.IntType(8).as_pointer()
    with w.range(get(Frame.PART_COUNT)) as p:
        part = w.at(parts, w.times(p, word(4)))
        address, rows, row_stride, stride = w.words(part, 0, 1, 2, 3)
        together = build.icmp_signed("==", row_stride, word(w.number_size))
        with w.range(rows) as r:
            base = build.add(address, build.add(w.times(r, row_stride), w.times(start, stride)))
            first = build.load(place)
            target = w.at(v, first)

            def at(i: Any) -> Any:
                pointer = build.inttoptr(build.add(base, w.times(i, stride)), byte)
                return build.bitcast(pointer, w.number.as_pointer())

            # Where the numbers of a sample are neighbours, each row prefetches another line.
            line = build.select(together, w.times(r, word(_LINE - w.number_size)), word(0))
            ahead = build.add(build.add(base, w.times(lanes, stride)), line)
            for k, each in enumerate((ahead, stride)):
                build.store(each, w.at(build.load(table), word(k)))
            build.store(w.at(build.load(table), word(2)), table)

            def ask(i: Any) -> None:
                there = build.select(asking, base, ahead)
                w.prefetch(w.pointer(build.add(there, w.times(i, stride))))

            whole = build.and_(count, word(-w.width))
            neighbours = build.icmp_signed("==", stride, word(w.number_size))
            copied = build.select(neighbours, whole, word(0))
            with w.loop(word(0), copied, word(w.width)) as i:
                w.store(w.load(at(i), w.width), w.at(target, i))
                ask(i)
            with w.loop(copied, whole, word(w.width)) as i:
                numbers = [w.load(at(build.add(i, word(k))), 1) for k in range(w.width)]
                w.store(w.vector(numbers), w.at(target, i))
                ask(i)
            with w.loop(whole, count, word(1)) as i:
                w.store(w.load(at(i), 1), w.at(target, i))
            last = w.load(at(build.sub(count, word(1))), 1)
            with w.loop(count, lanes, word(1)) as i:
                w.store(last, w.at(target, i))
            build.store(build.add(first, lanes), place)


def _outputs(
    w: Writer, get: Any, u: Any, v: Any, lanes: Any, start: Any, count: Any, trouble: Any
) -> None:
    """Copy the results of a block to the outputs, and add them to the total."""
    build = w.build
    table = w.pointer(get(Frame.OUTPUTS))
    full = build.and_(count, word(-w.width))
    streamed = build.select(build.icmp_signed("!=", get(Frame.STREAMED), word(0)), full, word(0))
    with w.range(get(Frame.OUTPUT_COUNT)) as k:
        place, address = w.words(w.at(table, w.times(k, word(2))), 0, 1)
        source, target = w.at(v, w.times(place, lanes)), w.pointer(address, w.number)
        target = w.at(target, start)
        with w.loop(word(0), streamed, word(w.width)) as i:
            w.stream(w.load(w.at(source, i), w.width), w.at(target, i))
        with w.loop(streamed, full, word(w.width)) as i:
            w.store(w.load(w.at(source, i), w.width), w.at(target, i))
            w.prefetch_to_write(w.at(target, i, lanes))  # of the next block
        with w.loop(full, count, word(1)) as i:
            w.store(w.load(w.at(source, i), 1), w.at(target, i))
        checked = build.icmp_signed("!=", get(Frame.CHECKED), word(0))
        _look_at_row(w, source, build.select(checked, count, word(0)), trouble)
    place = get(Frame.TOTAL_OF)
    with w.when(build.icmp_signed(">=", place, word(0))):
        source, total = w.at(v, w.times(place, lanes)), w.at(u, get(Frame.TOTAL))
        w.store(build.fadd(w.load(total, 1), _sum(w, source, count)), total)


def _seed(w: Writer, get: Any, v: Any, lanes: Any, count: Any) -> None:
    """Set the adjoint of the result; it is 0 in lanes without a sample."""
    build = w.build
    place = get(Frame.SEED_AT)
    with w.when(build.icmp_signed(">=", place, word(0))):
        row = w.at(v, w.times(place, lanes))
        seed = _number(w, get(Frame.SEED))
        whole = build.and_(count, word(-w.width))
        with w.loop(word(0), whole, word(w.width)) as i:
            w.store(w.splat(seed, w.width), w.at(row, i))
        with w.loop(whole, lanes, word(1)) as i:
            inside = build.icmp_signed("<", i, count)
            w.store(build.select(inside, seed, w.constant(0.0, 1)), w.at(row, i))


def _gradients(
    w: Writer, get: Any, v: Any, lanes: Any, start: Any, count: Any, trouble: Any
) -> None:
    """Copy the adjoints of the inputs of a block to where they are asked for."""
    build = w.build
    table = w.pointer(get(Frame.INTO))
    whole = build.and_(count, word(-w.width))
    streams = build.icmp_signed("!=", get(Frame.STREAMED), word(0))
    with w.range(get(Frame.GRADIENT_COUNT)) as k:
        source = w.at(v, w.times(build.add(get(Frame.GRADIENTS), k), lanes))
        address, stride, line = w.words(w.at(table, w.times(k, word(3))), 0, 1, 2)
        base = build.add(address, w.times(start, stride))

        def at(i: Any) -> Any:
            return w.pointer(build.add(base, w.times(i, stride)), w.number)

        neighbours = build.icmp_signed("==", stride, word(w.number_size))
        copied = build.select(neighbours, whole, word(0))
        streamed = build.select(streams, copied, word(0))
        with w.loop(word(0), streamed, word(w.width)) as i:
            w.stream(w.load(w.at(source, i), w.width), at(i))
        with w.loop(streamed, copied, word(w.width)) as i:
            w.store(w.load(w.at(source, i), w.width), at(i))
        with w.loop(copied, whole, word(w.width)) as i:
            numbers = w.load(w.at(source, i), w.width)
            for lane in range(w.width):
                number = build.extract_element(numbers, word(lane))
                w.store(number, at(build.add(i, word(lane))))
            ahead = build.ptrtoint(at(build.add(i, lanes)), WORD)  # of the next block
            w.prefetch_to_write(w.pointer(build.add(ahead, line)))
        with w.loop(whole, count, word(1)) as i:
            w.store(w.load(w.at(source, i), 1), at(i))
        _look_at_row(w, source, count, trouble)
