"""The numbers of a network in matrix form, from its formulas, and the comparison with the engine.

The formulas are evaluated on balls, floats with bounds of their rounding errors, from the weights,
the inputs and the targets alone. The errors of `backward()` are bounded in the same way, along the
graph, so both must agree within the sum of the two bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from micrograd import Value
from micrograd.engine.graph import order
from micrograd.table.balls import EXACT, Ball, library_function, stopped
from micrograd.table.formulas import RESULT
from micrograd.transforms.propagation import pull_numbers
from nn.derivations.loss_form import OUTPUT, TARGET, Loss, loss_form, loss_of_sample
from nn.derivations.network import Stage
from nn.derivations.rules import Rows, Rules, rules
from nn.derivations.sheet import (
    Sheet,
    entries,
    gradient_bounds,
    multiplied,
    sheet,
    transposed,
    weighted,
)
from nn.functional import total_of
from nn.objective import evaluating, outputs_of


class Engine(NamedTuple):
    """What the engine computes.

    Attributes:
        total: the loss of all samples.
        outputs: those of each sample.
        parameters: the weights and the biases, layer by layer.
        gradients: the derivative with respect to each by `backward()`.
        slopes: the derivatives with respect to the outputs of each sample.
    """

    total: Value
    outputs: list[list[Value]]
    parameters: list[Value]
    gradients: list[float]
    slopes: Sheet


class Numbers(NamedTuple):
    """The matrices of a layer; those of values have a column for each sample.

    Attributes:
        weights: a row for each neuron.
        biases: a column; empty if the layer has none.
        sums: the weighted sums.
        outputs: what the activation makes of them.
        delta: the derivatives of the loss with respect to the sums.
        weight_slopes: the derivatives with respect to the weights.
        bias_slopes: the derivatives with respect to the biases; empty if the layer has none.
    """

    weights: Sheet
    biases: Sheet
    sums: Sheet
    outputs: Sheet
    delta: Sheet
    weight_slopes: Sheet
    bias_slopes: Sheet


def run(
    model: Any, stages: Sequence[Stage], inputs: Rows, targets: Rows, loss: Loss, *, mean: bool
) -> Engine:
    """Run the model and `backward()`. The gradients of the parameters are left as they were.

    Args:
        model: the model.
        stages: its layers.
        inputs: a row for each sample.
        targets: a row for each sample.
        loss: a function of the outputs and the targets of a sample.
        mean: whether the losses of the samples are averaged, or added.
    """
    with evaluating(model):
        outputs = [outputs_of(model, row) for row in inputs]
    pairs = zip(outputs, targets, strict=True)
    total = total_of([loss_of_sample(loss, found, row) for found, row in pairs])
    if mean and len(inputs) > 1:
        total = total / len(inputs)
    if not isinstance(total, Value):
        raise TypeError(f"a loss gives one Value for a sample, got {type(total).__name__}")
    parameters = [p for each in stages for p in (*chain(*each.weights), *each.biases)]
    wrt = [*parameters, *chain(*outputs)]
    found = iter(pull_numbers(order(total), wrt, {total: 1.0}))
    gradients = [*islice(found, len(parameters))]
    slopes = [[Ball(next(found)) for _ in row] for row in outputs]
    return Engine(total, outputs, parameters, gradients, slopes)


def evaluated(
    stages: Sequence[Stage], rules: Rules, inputs: Rows, targets: Rows, engine: Engine
) -> list[Numbers]:
    """Evaluate the formulas.

    Args:
        stages: the layers.
        rules: the formulas.
        inputs: a row for each sample.
        targets: a row for each sample.
        engine: gives the derivatives with respect to the outputs, if they have no formula.
    """
    columns = transposed(sheet(inputs))
    forward = []
    for stage in stages:
        weights = sheet(stage.weights)
        biases = [[Ball(b.data)] for b in stage.biases]
        sums = weighted(weights, columns, biases)
        outputs = entries(stage.activation, {"x": sums})
        forward.append((weights, biases, columns, sums, outputs))
        columns = outputs
    delta = _last(rules, forward[-1][3], columns, transposed(sheet(targets)), engine)
    found: list[Numbers] = []
    for i in reversed(range(len(stages))):
        weights, biases, before, sums, outputs = forward[i]
        if found:
            back = multiplied(transposed(forward[i + 1][0]), delta)
            slopes = entries(rules.slopes[i], {"x": sums, RESULT: outputs})
            delta = _products(back, slopes)
        weight_slopes = multiplied(delta, transposed(before))
        bias_slopes = [[sum(row, Ball(0.0))] for row in delta] if biases else []
        found.append(Numbers(weights, biases, sums, outputs, delta, weight_slopes, bias_slopes))
    return found[::-1]


def _last(rules: Rules, sums: Sheet, outputs: Sheet, targets: Sheet, engine: Engine) -> Sheet:
    """The derivatives with respect to the sums of the last layer."""
    given = {OUTPUT: outputs, TARGET: targets}
    if rules.last is not None:
        return _scaled(entries(rules.last, given), rules.divisor)
    if rules.form.kind == "entries":
        slopes = _scaled(entries(rules.loss_slope, given), rules.divisor)
    elif rules.form.kind == "softmax":
        less = zip(probabilities(outputs), targets, strict=True)
        slopes = [[p - t for p, t in zip(*rows, strict=True)] for rows in less]
        slopes = _scaled(slopes, rules.divisor)
    else:
        slopes = transposed(engine.slopes)
    return _products(slopes, entries(rules.slopes[-1], {"x": sums, RESULT: outputs}))


def probabilities(scores: Sheet) -> Sheet:
    """Return the softmax of each column.

    >>> probabilities([[Ball(0.0)], [Ball(-1000.0)]])[0][0].mid
    1.0
    """
    columns = []
    for column in transposed(scores):
        largest = Ball(max(score.mid for score in column))
        powers = [_exp(score - largest) for score in column]
        total = total_of(powers)
        columns.append([_divide(power, total) for power in powers])
    return transposed(columns)


_exp: Callable[[Ball], Ball] = library_function(math.exp)  # of numbers up to 0
_divide: Callable[[Ball, Ball], Ball] = EXACT["div"]


def _scaled(matrix: Sheet, divisor: int) -> Sheet:
    if divisor == 1:
        return matrix
    return [[_divide(x, Ball(float(divisor))) for x in row] for row in matrix]


def _products(left: Sheet, right: Sheet) -> Sheet:
    return [
        [stopped(x, y) for x, y in zip(*rows, strict=True)]
        for rows in zip(left, right, strict=True)
    ]


class Derivation(NamedTuple):
    """The formulas and the numbers of a network at some samples.

    Attributes:
        stages: the layers.
        rules: the formulas.
        inputs: a column for each sample.
        targets: a column for each sample.
        numbers: the matrices of each layer.
        engine: what the engine computed.
        agreement: how well both agree.
    """

    stages: list[Stage]
    rules: Rules
    inputs: Sheet
    targets: Sheet
    numbers: list[Numbers]
    engine: Engine
    agreement: Agreement

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.inputs[0])

    @property
    def sizes(self) -> str:
        """The sizes of the network: 3–4–1."""
        return "–".join(map(str, (self.stages[0].inputs, *(each.size for each in self.stages))))


def derivation(
    model: Any, stages: list[Stage], inputs: Rows, targets: Rows, loss: Loss, *, mean: bool
) -> Derivation:
    """Find the formulas of a network, evaluate them, and compare them with the engine.

    Args:
        model: the model.
        stages: its layers.
        inputs: a row for each sample.
        targets: a row for each sample.
        loss: a function of the outputs and the targets of a sample.
        mean: whether the losses of the samples are averaged, or added.

    Raises:
        ArithmeticError: if two derivatives differ by more than rounding can make.
    """
    engine = run(model, stages, inputs, targets, loss, mean=mean)
    outputs = [[each.data for each in row] for row in engine.outputs]
    form = loss_form(loss, outputs, targets)
    formulas = rules(stages, form, outputs, targets, mean=mean)
    numbers = evaluated(stages, formulas, inputs, targets, engine)
    agreement = compared(numbers, formulas, engine)
    columns, wanted = transposed(sheet(inputs)), transposed(sheet(targets))
    return Derivation(stages, formulas, columns, wanted, numbers, engine, agreement)


class Agreement(NamedTuple):
    """How well the formulas and `backward()` agree.

    Attributes:
        derivatives: their number.
        difference: the largest difference between the two.
        bound: the largest difference that rounding can make.
        infinite: the number of derivatives that are infinite or nan in both.
    """

    derivatives: int
    difference: float
    bound: float
    infinite: int


def compared(numbers: Sequence[Numbers], rules: Rules, engine: Engine) -> Agreement:
    """Compare the derivatives with those of the engine.

    Args:
        numbers: the matrices of each layer.
        rules: the formulas they come from.
        engine: what the engine computed.

    Raises:
        ArithmeticError: if two differ by more than rounding can make.
    """
    ours = [ball for each in numbers for ball in chain(*each.weight_slopes, *each.bias_slopes)]
    roots = {engine.total: Ball(1.0)}
    if rules.form.kind in ("mixed", "unknown"):
        pairs = zip(chain(*engine.outputs), chain(*engine.slopes), strict=True)
        roots = dict(pairs)
    bounds = gradient_bounds(roots, engine.parameters)
    differences, most = [0.0], [0.0]
    for ball, gradient, error in zip(ours, engine.gradients, bounds, strict=True):
        is_finite = math.isfinite(ball.mid), math.isfinite(gradient)
        if ball.mid == gradient or not any(is_finite):
            continue
        difference, bound = abs(ball.mid - gradient), ball.rad + error
        if not difference <= bound or not all(is_finite):
            raise ArithmeticError(
                f"a derivative is {ball.mid!r} by the matrix form and {gradient!r} by backward(), "
                f"and rounding explains a difference of {bound:.1e} only: does the model compute "
                "something else than its layers do?"
            )
        differences.append(difference)
        most.append(bound)
    infinite = sum(not math.isfinite(gradient) for gradient in engine.gradients)
    return Agreement(len(ours), max(differences), max(most), infinite)
