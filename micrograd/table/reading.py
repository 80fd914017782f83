"""Read the text of a formula into its tree, and refuse everything that is not a formula.

Python's own parser reads the text. Only arithmetic on known names and calls of known operations are
admitted, so no text in a formula reaches Python beyond arithmetic. No other file imports `ast`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence

from micrograd.table.floats import to_float
from micrograd.table.formulas import COMPARISONS, Call, FormulaError, Tree, fold, variables
from micrograd.table.interpreters import IEEE

# The operators of the language, and the rows of the table that they stand for.
_ARITHMETIC: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.Mod: "mod",
    ast.FloorDiv: "floordiv",
}
_COMPARING: dict[type[ast.AST], str] = dict(
    zip((ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq), COMPARISONS, strict=True)
)
_LONGEST = 10_000  # characters
_DEEPEST = 100  # levels; Python's compiler is recursive, and so is `fold`


def parse(text: str, *, names: Sequence[str], known: Mapping[str, int], place: str) -> Tree:
    """Read a formula and check it.

    Args:
        text: the formula.
        names: the variables that it may use.
        known: the operations that it may call, with their numbers of operands.
        place: what the formula is, for the beginning of an error message.

    Raises:
        FormulaError: a ValueError, which says what is wrong and at which column.
    """
    if not isinstance(text, str):
        raise FormulaError(f"{place}: a formula is text, got {type(text).__name__} {text!r}")
    if len(text) > _LONGEST:
        raise FormulaError(f"{place}: a formula of {len(text)} characters, limit {_LONGEST}")
    text = text.strip()
    place = f"{place}: {text!r}"
    try:
        node = ast.parse(text, mode="eval").body
        if len(text) > _DEEPEST and _depth(node) > _DEEPEST:  # a short text is not deep
            raise RecursionError
        return _Reader(text, names, known, place).read(node)
    except FormulaError:
        raise
    except SyntaxError as error:
        column = error.offset or len(text) + 1  # no offset: the text ends too early
        raise FormulaError(f"{place} is not a formula: {error.msg}, at column {column}") from None
    except ValueError as error:
        raise FormulaError(f"{place} is not a formula: {error}") from None
    except (RecursionError, MemoryError):
        raise FormulaError(
            f"{place[:200]} is nested too deeply, the limit is {_DEEPEST} levels"
        ) from None


def _depth(node: ast.AST) -> int:
    depth, level = 0, [node]
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


class _Reader:
    """Reads arithmetic on known names and calls of known operations, and refuses the rest."""

    def __init__(
        self, text: str, names: Sequence[str], known: Mapping[str, int], place: str
    ) -> None:
        self.text, self.names, self.known, self.place = text, names, known, place

    def read(self, node: ast.expr) -> Tree:
        match node:
            case ast.Constant(value=value) if type(value) in (int, float):
                return to_float(value)
            case ast.Name(id=name) if name in self.names:
                return name
            case ast.Name(id=name) if name in self.known:
                raise self.refusal(node, f"{name!r} is an operation, call it: {name}(…)")
            case ast.Name(id=name):
                names = f"; the names are {', '.join(self.names)}" if self.names else ""
                raise self.refusal(node, f"unknown name {name!r}{names}")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                tree = Call(_ARITHMETIC[type(op)], (self.read(left), self.read(right)))
                if tree.name == "pow" and not variables(tree):
                    number = fold(tree, IEEE, {})
                    if not math.isfinite(number):
                        raise self.refusal(node, f"a constant power that is {number}")
                return tree
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Call("neg", (self.read(operand),))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARING:
                return Call(_COMPARING[type(op)], (self.read(left), self.read(right)))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                if name not in self.known:
                    raise self.refusal(node, f"{name!r} is not an operation of the table")
                if len(arguments) != self.known[name]:
                    raise self.refusal(
                        node, f"{name} takes {self.known[name]} operands, got {len(arguments)}"
                    )
                return Call(name, tuple(map(self.read, arguments)))
            case ast.BinOp(op=ast.BitXor()):
                raise self.refusal(node, "a power is written **, not ^")
            case _:
                raise self.refusal(
                    node,
                    f"{type(node).__name__} is not allowed; a formula has numbers, "
                    "+ - * / // % **, < <= > >= == !=, and calls of operations",
                )

    def refusal(self, node: ast.expr, reason: str) -> FormulaError:
        before = self.text.encode().splitlines()[node.lineno - 1][: node.col_offset].decode()
        return FormulaError(f"{self.place}: {reason}, at column {len(before) + 1}")
