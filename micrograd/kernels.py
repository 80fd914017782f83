"""The table's formulas as Python text for arrays: values, and what flows back to an operand.

The text calls `_where`, `_pow` and the operations of the table, which a vocabulary supplies for one
array library. `out` is the result and `_g` its adjoint. As in the engine, a partial that is
literally 0, also one that is chosen, passes nothing on, not even `0 * inf`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, cast

from micrograd.formulas import Rewriting, compiled, to_float
from micrograd.ops import Operation, lookup, on_define

ADJOINT = "_g"


class Vocabulary(dict[str, Any]):
    """What the calls in the text mean on the arrays of one library: the primitives, as given.

    An operation that is composed of others is made when it is first called for.
    """

    def __init__(self, primitives: dict[str, Any]) -> None:
        super().__init__(primitives, __builtins__={})
        self._given = {*self}
        on_define(self._forget)

    def _forget(self, row: Operation) -> None:
        """What was made may call an operation that is another one now."""
        for name in self.keys() - self._given:
            del self[name]

    def __missing__(self, name: str) -> Any:
        self[name] = made = self.value(lookup(name))
        return made

    def compiled(self, text: str) -> Callable[..., Any]:
        """What the text of a function means."""
        return cast("Callable[..., Any]", compiled(text, self))

    def value(self, row: Operation) -> Callable[..., Any]:
        """An operation as a function of its operands."""
        if row.name in self._given:
            return cast("Callable[..., Any]", self[row.name])
        arguments = ", ".join(row.operands)
        text = f"lambda {arguments}: {value_text(row)}"
        return self.compiled(text)

    def flow(self, row: Operation, place: int) -> Callable[..., Any] | None:
        """What flows back to an operand, of the adjoint, the result and the operands."""
        text = flow_text(row, place)
        if text is None:
            return None
        arguments = ", ".join((ADJOINT, "out", *row.operands))
        return self.compiled(f"lambda {arguments}: {text}")


def value_text(operation: Operation) -> str:
    """The result, of the operands."""
    return ast.unparse(_OnArrays().visit(operation.expression))


def flow_text(operation: Operation, place: int, product: str = "") -> str | None:
    """What flows back to an operand, of the operands, `out` and `_g`; None if nothing ever does.

    `product` is the name of a function that multiplies the adjoint by a partial, in place of `*`.
    """
    flow = _flow(operation.slopes[place], product)
    return None if flow is None else ast.unparse(flow)


def _flow(slope: ast.expr, product: str) -> ast.expr | None:
    """The adjoint times the partial, with the choices of the partial outside of the product."""
    match slope:
        case ast.Constant(value=0):
            return None
        case ast.Constant(value=1):
            return ast.Name(ADJOINT)
        case ast.Call(func=ast.Name(id="where"), args=[test, then, otherwise]):
            flows = [_flow(then, product), _flow(otherwise, product)]
            if flows == [None, None]:
                return None
            chosen = [ast.Constant(0.0) if flow is None else flow for flow in flows]
            return ast.Call(ast.Name("_where"), [_OnArrays().condition(test), *chosen], [])
    factors = [ast.Name(ADJOINT), _OnArrays().visit(slope)]
    if product:
        return ast.Call(ast.Name(product), factors, [])
    return ast.BinOp(factors[0], ast.Mult(), factors[1])


class _OnArrays(Rewriting):
    """Writes for arrays: a comparison is a number except where it is a condition."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(to_float(cast("float", node.value)))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("_pow"), [left, right], [])
        return ast.BinOp(left, node.op, right)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        one, zero = ast.Constant(1.0), ast.Constant(0.0)
        return ast.Call(ast.Name("_where"), [self.condition(node), one, zero], [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if cast("ast.Name", node.func).id != "where":
            return super().visit_Call(node)
        test, then, otherwise = node.args
        arguments = [self.condition(test), self.visit(then), self.visit(otherwise)]
        return ast.Call(ast.Name("_where"), arguments, [])

    def condition(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Compare):
            return cast("ast.expr", super().visit_Compare(node))
        test: ast.expr = self.visit(node)  # true where it is not 0
        return test
