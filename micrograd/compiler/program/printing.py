"""Writes the instructions of a program for readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from micrograd.compiler.program.instructions import (
    SUM,
    Elementwise,
    Fold,
    Lookup,
    Product,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import Elements, Loop, Pack
from micrograd.compiler.program.slots import Operand, Rows, rows_of
from micrograd.writing.languages.en import WORDS


def told(instruction: Any, words: Mapping[str, str]) -> str:
    """Return what an instruction computes, in the words of a language (its part `program`)."""
    match instruction:
        case Elementwise(operation=row, operands=operands):
            return f"{row.name}({', '.join(map(_shown, operands))})"
        case Product(varies=varies, matrix=matrix, inputs=inputs, bias=bias):
            (m, k), count = matrix.shape, len(inputs)
            product = f"{place(False, rows_of(matrix.ravel()))} ({m} x {k}) @ "
            product += place(varies, rows_of(inputs.ravel()))
            product += "" if bias is None else f" + {place(False, bias)}"
            return product if count == 1 else words["vectors"].format(product=product, count=count)
        case WeightedSums(start=start, left=left):
            key = "sum" if len(start) == 1 else "sums"
            return words[key].format(count=len(start), terms=_terms(len(left), words))
        case Fold(operation=row, start=start, slots=slots):
            terms = _terms(len(slots), words)
            return words["folds"].format(count=len(start), operation=row.name, terms=terms)
        case Lookup(at=at, table_varies=varies, table=table):
            entries = place(varies, rows_of(table.ravel()))
            return words["lookup"].format(index=_shown(at), count=len(table), table=entries)
        case Tape(code=code, operations=operations):
            used = {"sum" if i == SUM else operations[i].name for i in code.tolist()}
            return words["tape"].format(count=len(code), operations=", ".join(sorted(used)))
        case Pack(shape=(count, _)):
            return words["pack"].format(count=count)
        case Elements(varies=varies, stack=stack, steps=steps):
            return words["elements"].format(count=len(steps), stack=_stack(varies, stack))
        case Loop(length=length, goes_on=goes_on, body=body):
            key, steps = "loop" if goes_on is None else "while", "n" if length is None else length
            return words[key].format(count=steps, instructions=len(body))
    raise TypeError(f"{instruction!r} is not an instruction of a program")


def lines(instruction: Any) -> Iterator[str]:
    """Yield the lines of an instruction; those of the body of a loop are indented."""
    out = place(instruction.varies, instruction.out)
    if isinstance(instruction, Pack):
        out = _stack(instruction.varies, instruction.stack)
    yield f"{out} = {told(instruction, WORDS['program'])}"
    if isinstance(instruction, Loop):
        for each in instruction.body:
            yield from (f"  {line}" for line in lines(each))


def place(varies: bool, rows: Rows) -> str:
    """Return slots of a space as a person would write them."""
    return f"{'uv'[varies]}[{_rows(rows)}]"


def _shown(operand: Operand) -> str:
    return place(operand.varies, operand.rows)


def _stack(varies: bool, number: int) -> str:
    return f"{'uv'[varies]}.stack[{number}]"


def _rows(rows: Rows) -> str:
    if isinstance(rows, slice):
        return f"{rows.start}:{rows.stop}" if rows.stop - rows.start != 1 else str(rows.start)
    if len(set(rows.tolist())) == 1:
        return f"{rows[0]} repeated"
    if len(rows) <= 4:
        return ", ".join(map(str, rows))
    return f"{len(rows)} of {min(rows)}:{max(rows) + 1}"


def _terms(count: int, words: Mapping[str, str]) -> str:
    return words["term" if count == 1 else "terms"].format(count=count)
