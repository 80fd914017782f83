"""The formulas from which the gradients of a network follow, as trees, before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from micrograd.derivation.choices import assuming
from micrograd.ops import TABLE
from micrograd.table.formulas import RESULT, Call, Tree, calls, fold, size, substituted, variables
from micrograd.table.interpreters import IEEE
from micrograd.writing.parts import TURNED, opposite, times
from nn.derivations import calculus
from nn.derivations.loss_form import OUTPUT, TARGET, LossForm
from nn.derivations.network import Stage

LONGEST = 13
"""The parts of a derivative that is written into other formulas; a longer one gets a name."""

Rows = Sequence[Sequence[float]]


class Rules(NamedTuple):
    """The formulas.

    Attributes:
        form: the loss of a sample.
        slopes: the derivative of each activation, in terms of its operand `x` and its result `out`.
        loss: the loss of an entry, in terms of `p` and `t`; for a loss of entries only.
        loss_slope: its derivative.
        condition: what holds for all entries and has decided between cases of the loss, or None.
        last: the derivative of the loss with respect to the sums of the last layer, in terms of `p`
            and `t`, if that is shorter than the product of two derivatives; otherwise None.
        divisor: the number of things whose mean is taken; 1 for a sum.
    """

    form: LossForm
    slopes: list[Tree]
    loss: Tree
    loss_slope: Tree
    condition: Tree | None
    last: Tree | None
    divisor: int


def rules(
    stages: Sequence[Stage], form: LossForm, outputs: Rows, targets: Rows, *, mean: bool
) -> Rules:
    """Find the formulas.

    Args:
        stages: the layers of the network.
        form: the loss of a sample.
        outputs: the outputs of each sample.
        targets: the targets of each sample.
        mean: whether the losses of the samples are averaged.
    """
    slopes = [_slope(stage.activation) for stage in stages]
    divisor = (len(outputs) if mean else 1) * round(1 / form.share)
    loss, slope, condition, last = readable(form.loss), form.slope, None, None
    if form.kind == "entries":
        loss, slope, condition = _decided(loss, slope, outputs, targets)
        loss, slope = calculus.shortest(loss), readable(slope)
        inner = substituted(slopes[-1], {RESULT: OUTPUT})
        if inner != 1 and variables(inner) <= {OUTPUT} and "where" not in calls(inner):
            both = calculus.shortest(times([slope, inner]))
            if size(both) < size(slope):
                last = both
    return Rules(form, slopes, loss, slope, condition, last, divisor)


def _slope(activation: Tree) -> Tree:
    """Return the derivative of an activation; that of a row as the table has it for readers."""
    match activation:
        case "x":
            return 1.0
        case Call(name, ("x",)):
            slope = readable(TABLE[name].told[1])
            is_long = size(slope) > LONGEST and "where" not in calls(slope)
            return calculus.shortest(slope) if is_long else slope
    return calculus.derivative(activation, "x", RESULT)


def readable(tree: Tree) -> Tree:
    """Return the formula with powers and logarithms as readers know them, and without guards.

    Args:
        tree: the formula.
    """
    match tree:
        case Call("log1p", (x,)):
            return Call("log", (Call("add", (1.0, readable(x))),))
        case Call("square", (x,)):
            return Call("pow", (readable(x), 2.0))
        case Call(name, (Call("sub", (float() as number, x)), 0.0)) if name in TURNED:
            return Call(TURNED[name], (readable(x), number))  # 1 - x > 0 is x < 1
        case Call("where", (test, *branches)):
            known = [
                assuming(test, branch, is_true)
                for branch, is_true in zip(branches, (True, False), strict=True)
            ]
            return Call("where", (readable(test), *map(readable, known)))
        case Call(name, operands):
            return Call(name, tuple(map(readable, operands)))
    return tree


def _decided(
    loss: Tree, slope: Tree, outputs: Rows, targets: Rows
) -> tuple[Tree, Tree, Tree | None]:
    """Return the case of a loss and of its derivative in which all entries are, and why."""
    match slope:
        case Call("where", (test, then, otherwise)):
            pairs = [
                pair
                for row, own in zip(outputs, targets, strict=True)
                for pair in zip(row, own, strict=True)
            ]
            truths = {bool(fold(test, IEEE, {OUTPUT: p, TARGET: t})) for p, t in pairs}
            if len(truths) == 1:
                is_true = truths.pop()
                known = assuming(test, loss, is_true)
                chosen = then if is_true else otherwise
                return known, chosen, test if is_true else opposite(test)
    return loss, slope, None
