"""Kernels of matrix products, in blocks of rows and vectors that stay in registers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.compiler.native.rows import Field, Spec
from micrograd.compiler.native.writing import Writer, word

Blocks = tuple[Sequence[int], Sequence[int]]
"""Numbers of rows, and of vectors, that are computed together."""
BLOCKS: Blocks = (4, 2, 1), (2, 1)
_LARGE = 64  # bytes of the vectors of a processor with 32 registers for them
LINES: Blocks = (1,), (8, 4, 1)
"""For a matrix of one row: more vectors, as each waits for its last sum."""


def _rank(
    w: Writer,
    mode: str,
    f: dict[str, Any],
    u: Any,
    b: Any,
    o: Any,
    *,
    blocks: Blocks = BLOCKS,
    whole: bool = False,
) -> None:
    """Write `o[i, l] = start + sum over j of a[i, j] * b[j, l]`; the lanes `l` are contiguous.

    `start` is 0; in the mode `add` what `o` holds, in the mode `bias` the bias of row i. The words
    `f` say where the matrix and the bias are in `u`; `b` and `o` come with the distances of rows.
    Blocks of these numbers of rows and vectors stay in registers, the largest first. If `whole` is
    true, the lanes fill whole vectors.
    """
    build = w.build
    rows, columns, lanes, down, right = (
        f[each] for each in ("ROWS", "COLUMNS", "LANES", "A_DOWN", "A_RIGHT")
    )
    a, bias, bias_step = w.at(u, f["A"]), w.at(u, f["BIAS"]), f["BIAS_STEP"]
    (b, b_down), (o, o_down) = b, o

    def tile(first: Any, tall: int, start: Any, wide: int, width: int) -> None:
        """Write a block: `tall` rows from `first`, and lanes from `start` in `wide` vectors."""
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

    # All rows of the result for a few lanes at a time, so that these lanes of `b` stay cached.
    shapes = {wide * w.width: (wide, w.width) for wide in blocks[1]}
    if not whole:
        shapes[1] = (1, 1)

    def in_rows(lane: Any, step: int) -> None:
        w.in_steps(rows, blocks[0], lambda first, tall: tile(first, tall, lane, *shapes[step]))

    w.in_steps(lanes, tuple(shapes), in_rows)


def _rows_of_totals(w: Writer, vectors: Sequence[Any], wide: int) -> list[Any]:
    """Return the sums of the lanes of vectors, `wide` of them in each vector of the result."""
    if wide == 1:
        return [*map(w.total, vectors)]
    many = min(w.width, len(vectors))
    parts = [w.totals(vectors[i : i + many]) for i in range(0, len(vectors), many)]
    rows = [range(i, i + wide) for i in range(0, many, wide)]
    return [w.shuffled(part, part, row) for part in parts for row in rows]


def _dot(w: Writer, sizes: Any, a: Any, b: Any, o: Any, *, whole: bool = False) -> None:
    """Write `o[i, j] += sum over l of a[i, l] * b[j, l]`; the lanes `l` are contiguous.

    If `whole` is true, they fill whole vectors.
    """
    build = w.build
    rows, columns, lanes = sizes
    (a, a_down), (b, b_down), (o, down, right) = a, b, o

    def tile(i0: Any, tall: int, j0: Any, wide: int) -> None:
        tops = [w.at(a, w.times(build.add(i0, word(i)), a_down)) for i in range(tall)]
        sides = [w.at(b, w.times(build.add(j0, word(j)), b_down)) for j in range(wide)]
        full = lanes if whole else build.and_(lanes, word(-w.width))
        held = [w.constant(0.0, w.width)] * (tall * wide)
        with w.loop(word(0), full, word(w.width), *held) as turn:
            xs = [w.load(w.at(each, turn.i), w.width) for each in tops]
            ys = [w.load(w.at(each, turn.i), w.width) for each in sides]
            turn.following = [
                w.fma(xs[i], ys[j], turn.values[i * wide + j])
                for i in range(tall)
                for j in range(wide)
            ]
        totals = _rows_of_totals(w, turn.values, wide)
        if not whole:
            with w.loop(full, lanes, word(1), *totals) as turn:
                ys = [w.load(w.at(each, turn.i), 1) for each in sides]
                y = w.vector(ys)
                xs = [w.splat(w.load(w.at(each, turn.i), 1), wide) for each in tops]
                turn.following = [w.fma(x, y, row) for x, row in zip(xs, turn.values, strict=True)]
            totals = turn.values
        at = [
            w.at(o, w.times(build.add(i0, word(i)), down), w.times(j0, right)) for i in range(tall)
        ]

        def add(place: Any, row: Any, width: int) -> None:
            w.store(build.fadd(w.load(place, width), row), place)

        neighbours = build.icmp_signed("==", right, word(1))
        with build.if_else(neighbours) as (then, otherwise):
            with then:
                for place, row in zip(at, totals, strict=True):
                    add(place, row, wide)
            with otherwise:
                for place, row in zip(at, totals, strict=True):
                    for j, number in enumerate(w.each(row)):
                        add(w.at(place, w.times(word(j), right)), number, 1)

    # A block of 4 x 4 sums, which reads least, needs more than the 16 registers of small vectors.
    most = 4 if w.width * w.number_size >= _LARGE else 2

    def in_columns(i0: Any, tall: int) -> None:
        w.in_steps(columns, (most, 1), lambda j0, wide: tile(i0, tall, j0, wide))

    w.in_steps(rows, (4, 1), in_columns)


def _product_words(w: Writer, row: Any) -> dict[str, Any]:
    names = (
        "COUNT ROWS COLUMNS LANES A A_DOWN A_RIGHT B B_STEP INTO INTO_STEP INTO_DOWN BIAS BIAS_STEP"
    ).split()
    values = w.words(row, *(getattr(Field, name) for name in names))
    return dict(zip(names, values, strict=True))


def rank_v(w: Writer, spec: Spec) -> str:
    """Write rows of `v` as a matrix of `u` times rows of `v`, for several input vectors."""
    row, u, v, lanes = w.kernel()
    f = _product_words(w, row)
    with w.range(f["COUNT"]) as c:
        b = w.lanes_of(v, w.build.add(f["B"], w.times(c, f["B_STEP"])), lanes)
        o = w.lanes_of(v, w.build.add(f["INTO"], w.times(c, f["INTO_STEP"])), lanes)
        _rank(w, spec.mode, f | {"LANES": lanes}, u, (b, lanes), (o, lanes), whole=True)
    return w.finished()


def rank_u(w: Writer, spec: Spec, *, blocks: Blocks = BLOCKS) -> str:
    """Write a matrix product with all of it in `u`."""
    row, u, _, _ = w.kernel()
    f = _product_words(w, row)
    b, o = (w.at(u, f["B"]), f["B_STEP"]), (w.at(u, f["INTO"]), f["INTO_STEP"])
    _rank(w, spec.mode, f, u, b, o, blocks=blocks)
    return w.finished()


def dot_v(w: Writer, spec: Spec) -> str:
    """Add products of rows of `v`, summed over lanes and several vectors, to a matrix of `u`."""
    row, u, v, lanes = w.kernel()
    f = _product_words(w, row)
    with w.range(f["COUNT"]) as c:
        a = w.lanes_of(v, w.build.add(f["A"], w.times(c, f["A_DOWN"])), lanes)
        b = w.lanes_of(v, w.build.add(f["B"], w.times(c, f["B_STEP"])), lanes)
        o = (w.at(u, f["INTO"]), f["INTO_DOWN"], f["INTO_STEP"])
        _dot(w, (f["ROWS"], f["COLUMNS"], lanes), (a, lanes), (b, lanes), o, whole=True)
    return w.finished()


def dot_u(w: Writer, spec: Spec) -> str:
    """Write products of vectors of `u`, which may be added to a bias or to what there is."""
    row, u, _, _ = w.kernel()
    f = _product_words(w, row)
    if spec.mode != "add":
        with w.range(f["ROWS"]) as i, w.range(f["COLUMNS"]) as j:
            start = w.constant(0.0, 1)
            if spec.mode == "bias":
                start = w.load(w.at(u, f["BIAS"], w.times(j, f["BIAS_STEP"])), 1)
            w.store(start, w.at(u, f["INTO"], w.times(i, f["INTO_DOWN"]), j))
    a, b = (w.at(u, f["A"]), f["A_DOWN"]), (w.at(u, f["B"]), f["B_STEP"])
    into = w.at(u, f["INTO"]), f["INTO_DOWN"], word(1)
    _dot(w, (f["ROWS"], f["COLUMNS"], f["LANES"]), a, b, into)
    return w.finished()
