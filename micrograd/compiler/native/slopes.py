"""Finds operations whose slopes are computed beside their values.

The value and the slope of an activation share most of their work, such as an exponential. So the
kernel of the value stores the slope as well, where the adjoint of the operand will be, if that is
the first that is stored there. The way back multiplies it by the adjoint of the result.
"""

from __future__ import annotations

from collections.abc import Iterator

from micrograd.compiler.native.lowering import LONG, cost
from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import Elementwise
from micrograd.compiler.program.program import Program
from micrograd.compiler.program.reverse import Reverse
from micrograd.compiler.program.slots import Operand, slots_of
from micrograd.ops import TABLE
from micrograd.table.formulas import Call, Tree

_PRODUCT = Flow(TABLE["mul"], 0)


def slopes(program: Program, found: Reverse, first: int) -> dict[int, Elementwise]:
    """Return steps back by the `id` of what they stand for, or of the step whose slope they have.

    Args:
        program: the program.
        found: its backward pass.
        first: the place in `v` of the first adjoint.
    """
    steps = {
        slots_of(each.out)[0] + first: each
        for each in program.instructions
        if isinstance(each, Elementwise) and each.varies
    }
    made = {}
    for back in found.instructions:
        if not (isinstance(back, Elementwise) and isinstance(back.operation, Flow)):
            continue
        # The first operand is the adjoint. In a batch, steps in `u` add to what there is: what is
        # "first" is in `v`.
        step = steps.get(int(slots_of(back.operands[0].rows)[0]))
        if (
            step is not None
            and back.mode == "first"
            and back.operation.operation.arity == 1
            and _is_dear(back.operation.computed)
        ):
            operands = back.operands[0], Operand(varies=True, rows=back.out)
            product = back._replace(operation=_PRODUCT, operands=operands)
            made[id(step)], made[id(back)] = back, product
    return made


def _is_dear(tree: Tree) -> bool:
    """Return whether a flow is dear in some case, and in none 0 whatever the adjoint is.

    The product of an infinite adjoint and a slope of 0 would be nan.
    """
    cases = [*_cases(tree)]
    return 0.0 not in cases and any(cost(each) > LONG for each in cases)


def _cases(tree: Tree) -> Iterator[Tree]:
    """Yield what a flow may be: the adjoint, a product of it, or 0."""
    if isinstance(tree, Call) and tree.name == "_where":
        for each in tree.operands[1:]:
            yield from _cases(each)
    else:
        yield tree
