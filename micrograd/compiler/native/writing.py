"""Writes functions in LLVM's language: loops, and arithmetic on vectors of lanes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

BYTE = ir.IntType(8)
WORD = ir.IntType(64)
KINDS = {"float64": ir.DoubleType(), "float32": ir.FloatType()}


ALWAYS = ir.Constant(ir.IntType(1), 1)
"""The bit of a test that holds."""


def word(number: int) -> Any:
    """Return a constant word."""
    return ir.Constant(WORD, number)


class Writer:
    """Writes one function.

    Args:
        kind: the type of the numbers in memory, `"float64"` or `"float32"`.
        width: the number of doubles in a vector register; `self.width` is the number of lanes.
    """

    def __init__(self, kind: str, width: int) -> None:
        self.number = KINDS[kind]
        self.width = width if kind == "float64" else 2 * width
        self.module = ir.Module("kernel")
        self.build: Any = None

    def function(self, result: Any, *arguments: Any, name: str = "kernel") -> Any:
        """Begin a function, and return its arguments."""
        made = ir.Function(self.module, ir.FunctionType(result, arguments), name)
        if name != "kernel":
            made.linkage = "internal"
        self.build = ir.IRBuilder(made.append_basic_block("entry"))
        return made.args

    def kernel(self) -> tuple[Any, Any, Any, Any]:
        """Begin a kernel, and return its arguments: its row, `u`, `v` and the number of lanes."""
        memory = self.number.as_pointer()
        row, u, v, lanes = self.function(ir.VoidType(), WORD.as_pointer(), memory, memory, WORD)
        return row, u, v, lanes

    def finished(self) -> str:
        """End the function, and return the text of the module."""
        self.build.ret_void()
        return str(self.module)

    # ------------------------------------------------------------------------------ rows and memory

    def words(self, row: Any, *places: int) -> list[Any]:
        """Load words of a row."""
        return [self.build.load(self.build.gep(row, [word(i)])) for i in places]

    def pointer(self, address: Any, kind: Any = WORD) -> Any:
        """Return a word as a pointer."""
        return self.build.inttoptr(address, kind.as_pointer())

    def table(self, numbers: Sequence[int]) -> Any:
        """Return the pointer to a table of words, which is part of the module."""
        made = ir.GlobalVariable(
            self.module, ir.ArrayType(WORD, len(numbers)), f"table{len(self.module.globals)}"
        )
        made.linkage, made.global_constant = "internal", True
        made.initializer = ir.Constant(made.value_type, [*numbers])
        return self.build.bitcast(made, WORD.as_pointer())

    def at(self, base: Any, *offsets: Any) -> Any:
        """Return a pointer moved by some numbers of elements."""
        for offset in offsets:
            base = self.build.gep(base, [offset])
        return base

    def times(self, a: Any, b: Any) -> Any:
        """Return a product of words."""
        return self.build.mul(a, b)

    def lanes_of(self, v: Any, place: Any, lanes: Any) -> Any:
        """Return the pointer to a row of `v`."""
        return self.at(v, self.times(place, lanes))

    def load(self, pointer: Any, width: int) -> Any:
        """Load a number, or a vector of neighbours."""
        if width > 1:
            pointer = self.build.bitcast(pointer, ir.VectorType(self.number, width).as_pointer())
        return self.build.load(pointer, align=self.number_size)

    def store(self, value: Any, pointer: Any) -> None:
        """Store a number or a vector."""
        if isinstance(value.type, ir.VectorType):
            pointer = self.build.bitcast(pointer, value.type.as_pointer())
        self.build.store(value, pointer, align=self.number_size)

    def clear(self, pointer: Any, count: Any) -> None:
        """Set neighbouring numbers to 0."""
        bytes_of = self.build.bitcast(pointer, BYTE.as_pointer())
        size = self.times(count, word(self.number_size))
        rest = ir.Constant(BYTE, 0), size, ir.Constant(ir.IntType(1), 0)
        self.call("llvm.memset.p0i8.i64", ir.VoidType(), bytes_of, *rest)

    def stream(self, vector: Any, pointer: Any) -> None:
        """Store a vector at an aligned address, past the cache."""
        pointer = self.build.bitcast(pointer, vector.type.as_pointer())
        size = self.number_size * vector.type.count
        stored = self.build.store(vector, pointer, align=size)
        hint = self.module.add_metadata([ir.Constant(ir.IntType(32), 1)])
        stored.set_metadata("nontemporal", hint)

    @property
    def number_size(self) -> int:
        """The size of a number in bytes."""
        return 8 if self.number == KINDS["float64"] else 4

    def troubles(self, numbers: Any) -> Any:
        """Return bits that are not 0 where a number is infinite or nan.

        Subtracted from itself, such a number gives nan, whose bits are not 0.
        """
        rest, bits = self.build.fsub(numbers, numbers), ir.IntType(8 * self.number_size)
        many = isinstance(rest.type, ir.VectorType)
        return self.build.bitcast(rest, ir.VectorType(bits, rest.type.count) if many else bits)

    def splat(self, number: Any, width: int) -> Any:
        """Return a vector with the same number in every lane."""
        if width == 1:
            return number
        kind = ir.VectorType(number.type, width)
        first = self.build.insert_element(ir.Constant(kind, ir.Undefined), number, word(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
        return self.build.shuffle_vector(first, ir.Constant(kind, ir.Undefined), mask)

    def vector(self, numbers: Sequence[Any]) -> Any:
        """Return a vector of these numbers; a single number is itself."""
        if len(numbers) == 1:
            return numbers[0]
        kind = ir.VectorType(numbers[0].type, len(numbers))
        vector = ir.Constant(kind, ir.Undefined)
        for lane, number in enumerate(numbers):
            vector = self.build.insert_element(vector, number, word(lane))
        return vector

    def each(self, vector: Any) -> list[Any]:
        """Return the number in each lane of a vector."""
        if not isinstance(vector.type, ir.VectorType):
            return [vector]
        lanes = range(vector.type.count)
        return [self.build.extract_element(vector, word(lane)) for lane in lanes]

    def constant(self, number: float, width: int, kind: Any = None) -> Any:
        """Return a constant, in every lane."""
        kind = kind or self.number
        if width == 1:
            return ir.Constant(kind, number)
        return ir.Constant(ir.VectorType(kind, width), [number] * width)

    def total(self, vector: Any) -> Any:
        """Return the sum of the lanes; halves are added first."""
        if not isinstance(vector.type, ir.VectorType):
            return vector
        return self.build.extract_element(self.totals([vector]), word(0))

    def totals(self, vectors: Sequence[Any]) -> Any:
        """Return a vector of the sums of the lanes of vectors, each added up as by `total`.

        Args:
            vectors: a power of two of them, at most as many as they have lanes.
        """
        merged, groups = [*vectors], 1  # in each vector, a group of lanes for each sum
        width = merged[0].type.count
        size = width
        while size > 1:
            size //= 2
            starts = [2 * size * group for group in range(groups)]
            if len(merged) > 1:  # the groups of two vectors in one
                pairs = [*zip(merged[::2], merged[1::2], strict=True)]
                starts += [width + start for start in starts]
            else:
                pairs = [(merged[0], merged[0])]
            merged = [
                self.build.fadd(
                    *(
                        self.shuffled(*pair, [k + i for k in starts for i in half])
                        for half in (range(size), range(size, 2 * size))
                    )
                )
                for pair in pairs
            ]
            groups = len(starts)
        return merged[0]

    def shuffled(self, first: Any, second: Any, lanes: Sequence[int]) -> Any:
        """Return a vector of some lanes of two vectors, which are numbered one after the other."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), [*lanes])
        return self.build.shuffle_vector(first, second, mask)

    def transposed(self, vectors: Sequence[Any]) -> list[Any]:
        """Return the columns of a matrix whose rows are vectors; its sizes are powers of two."""
        rows, columns = len(vectors), vectors[0].type.count
        size, held = min(rows, columns), [*vectors]
        while len(held) > size:  # long columns: join the rows that are `size` apart
            half = [*range(len(held) // 2)]
            starts = [i for start in half[::size] for i in range(2 * start, 2 * start + size)]
            both = range(2 * held[0].type.count)
            held = [self.shuffled(held[i], held[i + size], both) for i in starts]
        lanes = range(max(rows, columns))
        bit = 1
        while bit < size:  # change places with the pair, where the bit of the lane differs
            first = [len(lanes) + (i ^ bit) if i & bit else i for i in lanes]
            second = [len(lanes) + i if i & bit else i ^ bit for i in lanes]
            held = [
                self.shuffled(held[i & ~bit], held[i | bit], second if i & bit else first)
                for i in range(size)
            ]
            bit *= 2
        if columns <= rows:
            return held
        parts = (lanes[start : start + rows] for start in lanes[::rows])
        return [self.shuffled(each, each, part) for part in parts for each in held]

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return `a * b + c`, fused if the processor can."""
        return self.intrinsic("fmuladd", a, b, c)

    def intrinsic(self, name: str, *arguments: Any) -> Any:
        """Call one of LLVM's own functions on numbers or vectors."""
        kind = arguments[0].type
        shape = f"v{kind.count}" if isinstance(kind, ir.VectorType) else ""
        element = kind.element if shape else kind
        size = {"double": "f64", "float": "f32", "i64": "i64"}[str(element)]
        return self.call(f"llvm.{name}.{shape}{size}", kind, *arguments)

    def prefetch(self, pointer: Any, level: int = 1, *, to_write: bool = False) -> None:
        """Prefetch memory into the cache of a level, from 1, the nearest, to 3."""
        byte = self.build.bitcast(pointer, BYTE.as_pointer())
        hints = (ir.Constant(ir.IntType(32), hint) for hint in (int(to_write), 4 - level, 1))
        self.call("llvm.prefetch.p0i8", ir.VoidType(), byte, *hints)

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        """Call an external function."""
        found = self.module.globals.get(name)
        if found is None:
            kind = ir.FunctionType(result, [each.type for each in arguments])
            found = ir.Function(self.module, kind, name)
        return self.build.call(found, arguments)

    # -------------------------------------------------------------------------------------- control

    @contextmanager
    def loop(
        self, start: Any, stop: Any, step: Any, *carried: Any, goes_on: Any = None
    ) -> Iterator[Any]:
        """Write `for i in range(start, stop, step)`.

        If nothing is carried from turn to turn, this yields `i`. Otherwise it yields an object:
        `turn.i`; `turn.values`, the current values of what is carried, and after the loop the last
        ones; and `turn.following`, to which the loop assigns the values for the next turn. It also
        yields that object if `goes_on` is given, a bit that says whether there is a first turn; the
        loop sets `turn.goes_on` for the next one. After the loop, `turn.i` says where it ended.
        """
        before, function = self.build.block, self.build.function
        head = function.append_basic_block("head")
        body = function.append_basic_block("body")
        after = function.append_basic_block("after")
        held = [*carried] if goes_on is None else [*carried, goes_on]
        self.build.branch(head)
        self.build.position_at_end(head)
        i = self.build.phi(WORD)
        phis = [self.build.phi(each.type) for each in held]
        i.add_incoming(start, before)
        for phi, each in zip(phis, held, strict=True):
            phi.add_incoming(each, before)
        more = self.build.icmp_signed("<", i, stop)
        if goes_on is not None:
            more = self.build.and_(more, phis[-1])
        self.build.cbranch(more, body, after)
        self.build.position_at_end(body)
        turn = _Turn(i, phis[: len(carried)])
        yield turn if held else i
        following = turn.following if goes_on is None else [*turn.following, turn.goes_on]
        for phi, each in zip(phis, following, strict=True):
            phi.add_incoming(each, self.build.block)
        i.add_incoming(self.build.add(i, step), self.build.block)
        self.build.branch(head)
        self.build.position_at_end(after)

    def range(self, stop: Any) -> Any:
        """Write a loop that counts from 0 up to `stop`."""
        return self.loop(word(0), stop, word(1))

    def in_steps(
        self, stop: Any, widths: Sequence[int], body: Callable[..., Any], *carried: Any
    ) -> Any:
        """Write `body(i, width)` up to `stop`, in steps of the first width, then of the next.

        If something is carried, it is the third argument of the body, which returns the next one;
        the last one is returned.
        """
        start, held = word(0), [*carried]
        for width in widths:
            end = stop
            if width > 1:
                rest = self.build.and_(self.build.sub(stop, start), word(-width))
                end = self.build.add(start, rest)
            with self.loop(start, end, word(width), *held) as turn:
                if held:
                    turn.following = [body(turn.i, width, *turn.values)]
                else:
                    body(turn, width)
            start, held = end, turn.values if held else []
        return held[0] if held else None

    def summed(self, stop: Any, widths: Sequence[int], numbers: Callable[[Any, int], Any]) -> Any:
        """Return the sum of `numbers(i, width)` up to `stop`, as `in_steps` goes there.

        Each lane is added up by itself. A width is 1 or a multiple of that of a register.
        """
        none = self.constant(-0.0, self.width)

        def share(i: Any, width: int, total: Any) -> Any:
            found = numbers(i, width)
            if width == 1:
                return self.build.fadd(total, self.build.insert_element(none, found, word(0)))
            for k in range(0, width, self.width):
                part = self.shuffled(found, found, range(k, k + self.width))
                total = self.build.fadd(total, part)
            return total

        return self.total(self.in_steps(stop, widths, share, none))

    def when(self, condition: Any) -> Any:
        """Write `if condition:`."""
        return self.build.if_then(condition)


class _Turn:
    """One turn of a loop that carries values."""

    def __init__(self, i: Any, values: list[Any]) -> None:
        self.i, self.values = i, values
        self.following: list[Any] = values
        self.goes_on: Any = ALWAYS
