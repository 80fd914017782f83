"""What the derivative of a loss with respect to the outputs is, as a formula.

The loss is run on symbols, which gives its formula, and the formula is differentiated by the table
of operations. No loss is known by its name. If each derivative depends in the same way on the
output and the target at its own place only, one formula is enough for all entries. If it is the
softmax of the outputs less the targets, that is recognised, however the loss was written. Both are
confirmed by the engine at the data and at other points.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from micrograd import Value
from micrograd.engine.symbols import tree_of
from micrograd.table.formulas import FormulaError, Tree, fold
from micrograd.table.interpreters import IEEE
from nn.derivations import calculus
from nn.functional import softmax

OUTPUT, TARGET = "p", "t"

Row = Sequence[float]
Loss = Callable[[Any, Any], Any]


class LossForm(NamedTuple):
    """The loss of a sample and its derivative.

    Attributes:
        kind: "entries" if each output has a loss of its own, "softmax" for the cross-entropy of
            `softmax` of the outputs, "mixed" if another formula joins the outputs, and "unknown" if
            the loss has no formula.
        loss: for "entries", the loss of one output `p` with the target `t`.
        slope: for "entries", its derivative.
        share: for "entries", the factor by which each of these counts in the loss of a sample.
    """

    kind: str
    loss: Tree = 0.0
    slope: Tree = 0.0
    share: float = 1.0


def loss_of_sample(loss: Loss, outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
    """Return the loss of a sample. A single output and its target are given as numbers."""
    if len(outputs) == 1:
        return loss(outputs[0], targets[0])
    return loss(list(outputs), list(targets))


def loss_form(loss: Loss, outputs: Sequence[Row], targets: Sequence[Row]) -> LossForm:
    """Find the form of a loss.

    Args:
        loss: a function of the outputs and the targets of a sample.
        outputs: the outputs of each sample.
        targets: the targets of each sample.
    """
    size = len(outputs[0])
    names = [f"{letter}{i}" for letter in (OUTPUT, TARGET) for i in range(size)]
    try:
        tree_of(lambda *given: loss_of_sample(loss, given[:size], given[size:]), names, "the loss")
    except (FormulaError, TypeError, ValueError):
        return LossForm("unknown")
    generator = random.Random(0)
    probes = [[generator.uniform(0.05, 0.95) for _ in range(size)] for _ in range(8)]
    points = [*zip(outputs, targets, strict=True)]
    points += [(probe, targets[i % len(targets)]) for i, probe in enumerate(probes)]
    known = [_slopes(loss, p, t) for p, t in points]
    if found := _of_entries(loss, points, known):
        return found
    shares = ([p - y for p, y in zip(softmax(p), t, strict=True)] for p, t in points)
    if all(map(_agree, known, shares)):
        return LossForm("softmax")
    return LossForm("mixed")


def _of_entries(
    loss: Loss, points: Sequence[tuple[Row, Row]], known: Sequence[Row]
) -> LossForm | None:
    """Return the form of a loss that has a term for each output, or None for another one."""
    for of_one in (loss, lambda p, t: loss([p], [t])):
        try:
            one = tree_of(of_one, [OUTPUT, TARGET], "the loss")
        except (FormulaError, TypeError, ValueError, IndexError):
            continue
        slope = calculus.derivative(one, OUTPUT)
        single = [
            [fold(slope, IEEE, {OUTPUT: a, TARGET: b}) for a, b in zip(p, t, strict=True)]
            for p, t in points
        ]
        for share in dict.fromkeys((1.0, 1 / len(known[0]))):
            own = ([share * x for x in row] for row in single)
            if all(map(_agree, known, own)):
                return LossForm("entries", one, slope, share)
    return None


def _slopes(loss: Loss, outputs: Row, targets: Row) -> Row:
    """The derivatives of the loss of a sample, by the engine."""
    values = [Value(x) for x in outputs]
    found = loss_of_sample(loss, values, targets)
    if isinstance(found, Value):
        found.backward()
    return [value.grad for value in values]


def _agree(left: Row, right: Row) -> bool:
    return all(
        math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) or (x != x and y != y)
        for x, y in zip(left, right, strict=True)
    )
