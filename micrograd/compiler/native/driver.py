"""The driver, in LLVM's language: the loop over blocks of samples, in one call of a program.

It reads all its arguments from a frame of 64-bit words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
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
    # What the results of `v` are copied to, five words for each: the place of its row in `v`, the
    # address of the first sample, the stride in bytes (0 if it is not copied), how far ahead
    # memory is prefetched, and the number of results from here on that are neighbours there.
    RESULTS = 18
    OUTPUT_COUNT, GRADIENT_COUNT = range(19, 21)  # outputs come first, then adjoints of inputs
    TOTAL_OF, TOTAL = range(21, 23)  # place in `v` (or -1), and in `u` of its sum over all samples
    SEED_AT, SEED = range(23, 25)  # place of an adjoint in `v` (or -1), and the bits of its number
    SEED_U_AT, SEED_U = range(25, 27)  # the same in `u`
    PARAMETERS = 27  # the number of adjoints of `u` that are checked for being finite
    DOUBLES = 28  # in single precision: sums of the adjoints of `u` and the total, as doubles
    CHECKED = 29  # whether outputs are checked for being finite, too
    SIZE = 30


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
    bits = ir.VectorType(ir.IntType(8 * w.number_size), w.width)
    trouble = build.alloca(bits)  # some are set once an adjoint was infinite or nan
    build.store(ir.Constant(bits, None), trouble)
    with doing(Phase.UNIFORM):
        adjoints = w.at(u, get(Frame.ADJOINTS))
        w.clear(adjoints, get(Frame.ADJOINT_COUNT))
        w.store(zero, w.at(u, get(Frame.TOTAL)))
        call(Frame.UNIFORM_CODE, Frame.UNIFORM_ROWS)
    with doing(Phase.SWEEP):
        stop, origin = get(Frame.START, Frame.STOP)[::-1]
        with w.loop(origin, stop, lanes) as start:
            rest = build.sub(stop, start)
            count = build.select(build.icmp_signed("<", rest, lanes), rest, lanes)
            block = _Block(w, get, u, v, lanes, start, count)
            block.load()
            block.seed()
            call(Frame.CODE, Frame.ROWS)
            block.add_to_total()
            call(Frame.BACK_CODE, Frame.BACK_ROWS)
            block.deliver(trouble)
            if w.number != KINDS["float64"]:
                number = build.sdiv(build.sub(start, origin), lanes)
                last = build.icmp_signed("<=", rest, lanes)
                full = build.icmp_signed("==", build.and_(number, word(_BLOCKS - 1)), word(0))
                with w.when(build.or_(full, last)):
                    _move_to_doubles(w, get, u, last)
    with doing(Phase.BACK):
        at = get(Frame.SEED_U_AT)
        with w.when(build.icmp_signed(">=", at, word(0))):
            w.store(_number(w, get(Frame.SEED_U)), w.at(u, at))
        call(Frame.UNIFORM_BACK_CODE, Frame.UNIFORM_BACK_ROWS)
        adjoints = w.at(u, get(Frame.ADJOINTS))
        _look_at_row(w, adjoints, get(Frame.PARAMETERS), trouble)
    whole = ir.IntType(8 * w.number_size * w.width)
    found = build.bitcast(build.load(trouble), whole)
    build.ret(build.zext(build.icmp_unsigned("==", found, ir.Constant(whole, 0)), WORD))
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


def write_run(w: Writer, size: int = ROW) -> Any:
    """Write a function that carries out rows of so many words, one after the other."""
    memory = w.number.as_pointer()
    code, count, u, v, lanes = w.function(
        ir.VoidType(), WORD.as_pointer(), WORD, memory, memory, WORD, name="run"
    )
    function = w.build.function
    kernel = ir.FunctionType(ir.VoidType(), [WORD.as_pointer(), memory, memory, WORD])
    with w.range(count) as i:
        row = w.at(code, w.times(i, word(size)))
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

    Subtracted from itself, such a number gives nan, whose bits are not 0.
    """
    build, bits = w.build, trouble.type.pointee

    def look(i: Any, width: int, found: Any) -> Any:
        numbers = w.load(w.at(row, i), width)
        rest = build.fsub(numbers, numbers)
        if width > 1:
            return build.or_(found, build.bitcast(rest, bits))
        first = build.bitcast(rest, bits.element)
        return build.or_(found, build.insert_element(ir.Constant(bits, None), first, word(0)))

    build.store(w.in_steps(count, (w.width, 1), look, build.load(trouble)), trouble)


class _Block:
    """Writes what is done with a block of samples around the kernels.

    Args:
        w: writes the function.
        get: returns words of the frame.
        u: the memory of numbers.
        v: the memory of rows of lanes.
        lanes: the number of lanes.
        start: the first sample of the block.
        count: the number of its samples; in the last block, there may be fewer than lanes.
    """

    def __init__(
        self, w: Writer, get: Any, u: Any, v: Any, lanes: Any, start: Any, count: Any
    ) -> None:
        self.w, self.get, self.u, self.v = w, get, u, v
        self.lanes, self.start, self.count = lanes, start, count
        self.whole = w.build.and_(count, word(-w.width))

    def are_neighbours(self, stride: Any) -> Any:
        """Return whether samples with this stride are neighbours in memory."""
        return self.w.build.icmp_signed("==", stride, word(self.w.number_size))

    def sample(self, base: Any, stride: Any, *places: Any) -> Any:
        """Return the pointer to a number of a sample; its place is a sum."""
        place = reduce(self.w.build.add, places)
        return self.w.pointer(self.w.build.add(base, self.w.times(place, stride)), self.w.number)

    # --------------------------------------------------------------------------------------- inputs

    def load(self) -> None:
        """Copy samples into the rows of the inputs; the last sample fills up the lanes."""
        w, build, lanes = self.w, self.w.build, self.lanes
        parts = w.pointer(self.get(Frame.PARTS))
        with build.goto_entry_block():  # elsewhere, each block would take more of the stack
            first, until = build.alloca(self.v.type), build.alloca(WORD)
        build.store(self.v, first)
        with w.range(self.get(Frame.PART_COUNT)) as p:
            part = w.at(parts, w.times(p, word(4)))
            address, rows, row_stride, stride = w.words(part, 0, 1, 2, 3)
            together = build.icmp_signed("==", row_stride, word(w.number_size))
            neighbours = self.are_neighbours(stride)
            build.store(word(0), until)
            with w.range(rows) as r:
                base = build.add(
                    address, build.add(w.times(r, row_stride), w.times(self.start, stride))
                )
                target = build.load(first)
                # Where the numbers of a sample are neighbours, each row prefetches another line.
                line = build.select(together, w.times(r, word(_LINE - w.number_size)), word(0))
                ahead = build.add(build.add(base, w.times(lanes, stride)), line)
                alone = build.or_(neighbours, build.not_(together))
                rest = build.select(alone, word(1), build.sub(rows, r))
                done = self._in_tiles(
                    r, rest, until, partial(self._load_tile, base, stride, target, ahead)
                )
                self._load_row(base, stride, target, ahead, done)
                build.store(w.at(target, lanes), first)

    def _in_tiles(self, k: Any, rest: Any, until: Any, tile: Callable[[int], None]) -> Any:
        """Write `tile(height)` for as many rows from k on, and return where row k is not done.

        `rest` is the number of rows whose numbers are neighbours; `until` has the next row. The
        height is a power of two.
        """
        w, build = self.w, self.w.build
        for height in (1 << n for n in reversed(range(1, w.width.bit_length()))):
            is_next = build.icmp_signed(">=", k, build.load(until))
            fits = build.icmp_signed(">=", rest, word(height))
            with w.when(build.and_(is_next, fits)):
                tile(height)
                build.store(build.add(k, word(height)), until)
        return build.select(build.icmp_signed("<", k, build.load(until)), self.whole, word(0))

    def _load_tile(self, base: Any, stride: Any, target: Any, ahead: Any, height: int) -> None:
        """Copy some rows at once: the numbers of a sample are loaded as one vector."""
        w, build = self.w, self.w.build
        with w.loop(word(0), self.whole, word(w.width)) as i:
            samples = [self.sample(base, stride, i, word(k)) for k in range(w.width)]
            for k, row in enumerate(w.transposed([w.load(each, height) for each in samples])):
                w.store(row, w.at(target, w.times(word(k), self.lanes), i))
                line = build.add(ahead, word(k * _LINE))
                w.prefetch(w.pointer(build.add(line, w.times(i, stride))))

    def _load_row(self, base: Any, stride: Any, target: Any, ahead: Any, done: Any) -> None:
        w, build, whole, count = self.w, self.w.build, self.whole, self.count

        def ask(i: Any) -> None:
            w.prefetch(w.pointer(build.add(ahead, w.times(i, stride))))

        copied = build.select(self.are_neighbours(stride), whole, word(0))
        with w.loop(word(0), copied, word(w.width)) as i:
            w.store(w.load(self.sample(base, stride, i), w.width), w.at(target, i))
            ask(i)
        with w.loop(build.or_(copied, done), whole, word(w.width)) as i:
            each = [word(k) for k in range(w.width)]
            numbers = [w.load(self.sample(base, stride, i, k), 1) for k in each]
            w.store(w.vector(numbers), w.at(target, i))
            ask(i)
        with w.loop(whole, count, word(1)) as i:
            w.store(w.load(self.sample(base, stride, i), 1), w.at(target, i))
        last = w.load(self.sample(base, stride, count, word(-1)), 1)
        with w.loop(count, self.lanes, word(1)) as i:
            w.store(last, w.at(target, i))

    # -------------------------------------------------------------------------------------- results

    def _results(self) -> Any:
        """Return the number of results: outputs, and adjoints of inputs."""
        return self.w.build.add(*self.get(Frame.OUTPUT_COUNT, Frame.GRADIENT_COUNT))

    def _result(self, k: Any) -> tuple[Any, Any, Any, Any, Any]:
        """Return what `Frame.RESULTS` has for a row, with the address of these samples."""
        w, table = self.w, self.w.pointer(self.get(Frame.RESULTS))
        place, address, *rest = w.words(w.at(table, w.times(k, word(5))), *range(5))
        stride, line, together = rest
        return place, w.build.add(address, w.times(self.start, stride)), stride, line, together

    def deliver(self, trouble: Any) -> None:
        """Copy results to where they are wanted."""
        w, build = self.w, self.w.build
        outputs, checked = self.get(Frame.OUTPUT_COUNT, Frame.CHECKED)
        with build.goto_entry_block():
            until = build.alloca(WORD)
        build.store(word(0), until)
        with w.range(self._results()) as k:
            place, base, stride, line, together = self._result(k)
            row = w.lanes_of(self.v, place, self.lanes)
            done = self._in_tiles(
                k, together, until, partial(self._deliver_tile, k, base, stride, line)
            )
            with w.when(build.icmp_signed("!=", stride, word(0))):
                self._deliver_row(row, base, stride, line, done)
            is_checked = build.icmp_signed("!=", checked, word(0))
            is_checked = build.or_(is_checked, build.icmp_signed(">=", k, outputs))
            counted = build.select(is_checked, self.count, word(0))
            _look_at_row(w, row, counted, trouble)

    def _deliver_tile(self, k: Any, base: Any, stride: Any, line: Any, height: int) -> None:
        """Copy some results at once: their numbers for a sample are stored as one vector."""
        w, build = self.w, self.w.build
        places = [self._result(build.add(k, word(n)))[0] for n in range(height)]
        sources = [w.lanes_of(self.v, place, self.lanes) for place in places]
        with w.loop(word(0), self.whole, word(w.width)) as i:
            rows = [w.load(w.at(each, i), w.width) for each in sources]
            for n, numbers in enumerate(w.transposed(rows)):
                w.store(numbers, self.sample(base, stride, i, word(n)))
            ahead = build.add(build.ptrtoint(self.sample(base, stride, i, self.lanes), WORD), line)
            for n in range(height):
                w.prefetch(w.pointer(build.add(ahead, word(n * _LINE))), to_write=True)

    def _deliver_row(self, source: Any, base: Any, stride: Any, line: Any, done: Any) -> None:
        w, build, whole = self.w, self.w.build, self.whole
        copied = build.select(self.are_neighbours(stride), whole, word(0))
        with w.loop(word(0), copied, word(w.width)) as i:
            w.store(w.load(w.at(source, i), w.width), self.sample(base, stride, i))
            w.prefetch(self.sample(base, stride, i, self.lanes), to_write=True)  # the next block
        with w.loop(build.or_(copied, done), whole, word(w.width)) as i:
            numbers = w.load(w.at(source, i), w.width)
            for lane, number in enumerate(w.each(numbers)):
                w.store(number, self.sample(base, stride, i, word(lane)))
            ahead = build.ptrtoint(self.sample(base, stride, i, self.lanes), WORD)
            w.prefetch(w.pointer(build.add(ahead, line)), to_write=True)
        with w.loop(whole, self.count, word(1)) as i:
            w.store(w.load(w.at(source, i), 1), self.sample(base, stride, i))

    def add_to_total(self) -> None:
        """Add the results to their sum over all samples, if that is asked for."""
        w, build, place = self.w, self.w.build, self.get(Frame.TOTAL_OF)
        with w.when(build.icmp_signed(">=", place, word(0))):
            source = w.lanes_of(self.v, place, self.lanes)
            total = w.at(self.u, self.get(Frame.TOTAL))
            widths = w.width, 1
            found = w.summed(self.count, widths, lambda i, width: w.load(w.at(source, i), width))
            w.store(build.fadd(w.load(total, 1), found), total)

    def seed(self) -> None:
        """Set the adjoint of the result; it is 0 in lanes without a sample."""
        w, build, place = self.w, self.w.build, self.get(Frame.SEED_AT)
        with w.when(build.icmp_signed(">=", place, word(0))):
            row = w.lanes_of(self.v, place, self.lanes)
            seed = _number(w, self.get(Frame.SEED))
            with w.loop(word(0), self.whole, word(w.width)) as i:
                w.store(w.splat(seed, w.width), w.at(row, i))
            with w.loop(self.whole, self.lanes, word(1)) as i:
                inside = build.icmp_signed("<", i, self.count)
                w.store(build.select(inside, seed, w.constant(0.0, 1)), w.at(row, i))
