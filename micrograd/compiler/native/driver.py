"""The driver, in LLVM's language: the loop over blocks of samples, in one call of a program.

It reads all its arguments from a frame of 64-bit words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    # place of the first sample in bytes from one of BASES, the stride in bytes (0 if it is not
    # copied), how far ahead memory is prefetched, and the number of results from here on that are
    # neighbours there.
    RESULTS = 18
    OUTPUT_COUNT, GRADIENT_COUNT = range(19, 21)  # outputs come first, then adjoints of inputs
    TOTAL_OF, TOTAL = range(21, 23)  # place in `v` (or -1), and in `u` of its sum over all samples
    SEED_AT, SEED = range(23, 25)  # place of an adjoint in `v` (or -1), and the bits of its number
    SEED_U_AT, SEED_U = range(25, 27)  # the same in `u`
    PARAMETERS = 27  # the number of adjoints of `u` that are checked for being finite
    STREAMED = 28  # whether results, which must be aligned, are stored past the cache
    DOUBLES = 29  # in single precision: sums of the adjoints of `u` and the total, as doubles
    CHECKED = 30  # whether outputs are checked for being finite, too
    FUSED = 31  # whether one kernel does all: it reads and writes where POINTERS say
    # A table with two words for each input: where the next block is read, and the stride. A fused
    # kernel prefetches that memory while it computes; for others, `load` does.
    AHEAD = 32
    # The address of the present block of each input, output and adjoint of an input: in the arrays
    # of the caller if its samples are neighbours there, otherwise in `v`.
    POINTERS = 33
    INPUTS = 34  # their number, after which the pointers to results come
    BASES = 35  # the addresses of the arrays for outputs, and for adjoints of inputs
    TROUBLE = 36  # the address of a vector: a fused kernel sets bits in it for infinity and nan
    SIZE = 37


def write_driver(kind: str, width: int) -> str:
    """Return the module of the driver, which returns 1 if everything that is checked is finite."""
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
    trouble = build.alloca(bits)  # some are set once a number was infinite or nan
    build.store(ir.Constant(bits, None), trouble)
    build.store(build.ptrtoint(trouble, WORD), w.at(frame, word(Frame.TROUBLE)))
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
            block.aim()
            # A fused kernel leaves the adjoint of the result as it is.
            same = build.and_(block.is_direct, build.icmp_signed("!=", start, origin))
            with w.when(build.not_(same)):
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
    """Note whether one of the first `count` numbers is not finite."""
    build, bits = w.build, trouble.type.pointee

    def look(i: Any, width: int, found: Any) -> Any:
        there = w.troubles(w.load(w.at(row, i), width))
        if width == 1:
            there = build.insert_element(ir.Constant(bits, None), there, word(0))
        return build.or_(found, there)

    build.store(w.in_steps(count, (w.width, 1), look, build.load(trouble)), trouble)


def _picked(w: Writer, vectors: Sequence[Any], places: Sequence[int]) -> Any:
    """Return a vector of some lanes of three vectors, which are numbered one after the other."""
    first, second, third = vectors
    both = w.shuffled(first, second, [min(j, 2 * w.width - 1) for j in places])
    lanes = [n if j < 2 * w.width else j - w.width for n, j in enumerate(places)]
    return w.shuffled(both, third, lanes)


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
        build = w.build
        self.whole = build.and_(count, word(-w.width))
        self.pointers = w.pointer(get(Frame.POINTERS))
        self.is_fused = build.icmp_signed("!=", get(Frame.FUSED), word(0))
        # Whether a kernel may read and write in the arrays of the caller.
        self.is_direct = build.and_(self.is_fused, build.icmp_signed("==", count, lanes))
        self.streams = build.icmp_signed("!=", get(Frame.STREAMED), word(0))

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
            input_at, table = build.alloca(WORD), build.alloca(WORD.as_pointer())
            until = build.alloca(WORD)
        build.store(word(0), input_at)
        build.store(w.pointer(self.get(Frame.AHEAD)), table)
        with w.range(self.get(Frame.PART_COUNT)) as p:
            part = w.at(parts, w.times(p, word(4)))
            address, rows, row_stride, stride = w.words(part, 0, 1, 2, 3)
            together = build.icmp_signed("==", row_stride, word(w.number_size))
            neighbours = self.are_neighbours(stride)
            build.store(word(0), until)
            is_read_there = build.and_(self.is_direct, neighbours)
            with w.range(rows) as r:
                base = build.add(
                    address, build.add(w.times(r, row_stride), w.times(self.start, stride))
                )
                place = build.load(input_at)
                target = w.lanes_of(self.v, place, lanes)
                # Where the numbers of a sample are neighbours, each row prefetches another line.
                line = build.select(together, w.times(r, word(_LINE - w.number_size)), word(0))
                ahead = build.add(build.add(base, w.times(lanes, stride)), line)
                for k, each in enumerate((ahead, stride)):
                    build.store(each, w.at(build.load(table), word(k)))
                build.store(w.at(build.load(table), word(2)), table)
                pointer = build.select(is_read_there, base, build.ptrtoint(target, WORD))
                build.store(pointer, w.at(self.pointers, place))
                alone = build.or_(neighbours, build.not_(together))
                rest = build.select(alone, word(1), build.sub(rows, r))
                done = self._in_tiles(
                    r, rest, stride, until, partial(self._load_tile, base, stride, target, ahead)
                )
                with w.when(build.not_(is_read_there)):
                    self._load_row(base, stride, target, ahead, done)
                build.store(build.add(place, word(1)), input_at)

    def _in_tiles(
        self, k: Any, rest: Any, stride: Any, until: Any, tile: Callable[[int], None]
    ) -> Any:
        """Write `tile(height)` for as many rows from k on, and return where row k is not done.

        `rest` is the number of rows whose numbers are neighbours; `until` has the next row. The
        height is a power of two, or 3 where samples of three floats follow each other; doubles gain
        nothing by that.
        """
        w, build = self.w, self.w.build
        heights = [1 << n for n in range(1, w.width.bit_length())]
        heights += [3] * (w.number_size == 4)
        for height in sorted(heights, reverse=True):
            is_next = build.icmp_signed(">=", k, build.load(until))
            fits = build.icmp_signed(">=", rest, word(height))
            if height == 3:
                fits = build.and_(fits, build.icmp_signed("==", stride, word(3 * w.number_size)))
            with w.when(build.and_(is_next, fits)):
                tile(height)
                build.store(build.add(k, word(height)), until)
        return build.select(build.icmp_signed("<", k, build.load(until)), self.whole, word(0))

    def _load_tile(self, base: Any, stride: Any, target: Any, ahead: Any, height: int) -> None:
        """Copy some rows at once: the numbers of a sample are loaded as one vector.

        Those of samples of three, which are neighbours, are loaded as three vectors.
        """
        w, build = self.w, self.w.build
        at = [word(k * w.width) for k in range(3)]
        with w.loop(word(0), self.whole, word(w.width)) as i:
            if height == 3:
                vectors = [w.load(w.at(self.sample(base, stride, i), each), w.width) for each in at]
                loaded = [_picked(w, vectors, range(k, 3 * w.width, 3)) for k in range(3)]
            else:
                samples = [self.sample(base, stride, i, word(k)) for k in range(w.width)]
                loaded = w.transposed([w.load(each, height) for each in samples])
            for k, row in enumerate(loaded):
                w.store(row, w.at(target, w.times(word(k), self.lanes), i))
                line = build.add(ahead, word(k * _LINE))
                w.prefetch(w.pointer(build.add(line, w.times(i, stride))))

    def _load_row(self, base: Any, stride: Any, target: Any, ahead: Any, done: Any) -> None:
        w, build, whole, count = self.w, self.w.build, self.whole, self.count

        def ask(i: Any) -> None:
            there = build.select(self.is_fused, base, ahead)
            w.prefetch(w.pointer(build.add(there, w.times(i, stride))))

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

    def aim(self) -> None:
        """Set the pointers to the results: to where they are wanted, or to rows of `v`."""
        w, build = self.w, self.w.build
        with w.range(self._results()) as k:
            place, target, stride, *_ = self._result(k)
            there = build.and_(self.is_direct, self.are_neighbours(stride))
            there = build.and_(there, build.not_(self.streams))
            row = build.ptrtoint(w.lanes_of(self.v, place, self.lanes), WORD)
            build.store(build.select(there, target, row), self._pointer_to(k))

    def _results(self) -> Any:
        """Return the number of results: outputs, and adjoints of inputs."""
        return self.w.build.add(*self.get(Frame.OUTPUT_COUNT, Frame.GRADIENT_COUNT))

    def _result(self, k: Any) -> tuple[Any, Any, Any, Any, Any]:
        """Return what `Frame.RESULTS` has for a row, with the address of these samples."""
        w, table = self.w, self.w.pointer(self.get(Frame.RESULTS))
        place, first, *rest = w.words(w.at(table, w.times(k, word(5))), *range(5))
        stride, line, together = rest
        outputs, bases = self.get(Frame.OUTPUT_COUNT, Frame.BASES)
        is_adjoint = w.build.zext(w.build.icmp_signed(">=", k, outputs), WORD)
        base = w.build.add(w.build.load(w.at(w.pointer(bases), is_adjoint)), first)
        return place, w.build.add(base, w.times(self.start, stride)), stride, line, together

    def _pointer_to(self, k: Any) -> Any:
        """Return where the address of a result is."""
        return self.w.at(self.pointers, self.get(Frame.INPUTS), k)

    def deliver(self, trouble: Any) -> None:
        """Copy results to where they are wanted, unless they are there already."""
        w, build = self.w, self.w.build
        outputs, checked = self.get(Frame.OUTPUT_COUNT, Frame.CHECKED)
        with build.goto_entry_block():
            until = build.alloca(WORD)
        build.store(word(0), until)
        with w.range(self._results()) as k:
            _, base, stride, line, together = self._result(k)
            done = self._in_tiles(
                k, together, stride, until, partial(self._deliver_tile, k, base, stride, line)
            )
            address = build.load(self._pointer_to(k))
            is_elsewhere = build.icmp_signed("!=", address, base)
            is_wanted = build.icmp_signed("!=", stride, word(0))
            with w.when(build.and_(is_elsewhere, is_wanted)):
                self._deliver_row(w.pointer(address, w.number), base, stride, line, done)
            is_checked = build.icmp_signed("!=", checked, word(0))
            is_checked = build.or_(is_checked, build.icmp_signed(">=", k, outputs))
            is_checked = build.and_(is_checked, build.not_(self.is_fused))  # it checks by itself
            counted = build.select(is_checked, self.count, word(0))
            _look_at_row(w, w.pointer(address, w.number), counted, trouble)

    def _deliver_tile(self, k: Any, base: Any, stride: Any, line: Any, height: int) -> None:
        """Copy some results at once: their numbers for a sample are stored as one vector.

        Those of samples of three, which are neighbours, are stored as three vectors.
        """
        w, build = self.w, self.w.build
        addresses = [build.load(self._pointer_to(build.add(k, word(t)))) for t in range(height)]
        with w.loop(word(0), self.whole, word(w.width)) as i:
            rows = [w.load(w.at(w.pointer(each, w.number), i), w.width) for each in addresses]
            if height == 3:
                for at in range(0, 3 * w.width, w.width):
                    places = [j % 3 * w.width + j // 3 for j in range(at, at + w.width)]
                    numbers = _picked(w, rows, places)
                    w.store(numbers, w.at(self.sample(base, stride, i), word(at)))
            else:
                for n, numbers in enumerate(w.transposed(rows)):
                    w.store(numbers, self.sample(base, stride, i, word(n)))
            ahead = build.add(build.ptrtoint(self.sample(base, stride, i, self.lanes), WORD), line)
            for n in range(height):
                w.prefetch(w.pointer(build.add(ahead, word(n * _LINE))), to_write=True)

    def _deliver_row(self, source: Any, base: Any, stride: Any, line: Any, done: Any) -> None:
        w, build, whole = self.w, self.w.build, self.whole
        copied = build.select(self.are_neighbours(stride), whole, word(0))
        streamed = build.select(self.streams, copied, word(0))
        with w.loop(word(0), streamed, word(w.width)) as i:
            w.stream(w.load(w.at(source, i), w.width), self.sample(base, stride, i))
        with w.loop(streamed, copied, word(w.width)) as i:
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
