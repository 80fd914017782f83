"""Outputs and first derivatives as functions to be checked: one by one, or a random combination.

A combination of many functions with random weights is wrong if any of them is. Only if it is not
confirmed, it is halved until the function at fault is found.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine.value import Value
from micrograd.testing.curvature import wrong_curvature
from micrograd.testing.recording import Subject
from micrograd.testing.report import Report
from micrograd.transforms.structures import flatten

Check = Callable[[Subject], Report]

_FEW = 9  # functions that are checked one by one
_WORK = 20_000  # functions times inputs times values of a run, up to which they are


def outputs(subject: Subject, check: Check) -> list[Report]:
    """The reports on all outputs but the first."""
    numbers = range(1, subject.outputs)
    if _are_few(subject, subject.outputs):
        return [check(_one_output(subject, number)) for number in numbers]
    named = f"the sum of all {subject.outputs} outputs of {subject.function_name}, each weighted"

    def combined(chosen: Sequence[int]) -> Subject:
        if len(chosen) == 1:
            return _one_output(subject, chosen[0])
        return _weighted_outputs(subject, _weights(chosen), named)

    return _searched(list(numbers), combined, check)


def derivatives(subject: Subject, order: int, check: Check) -> list[Report]:
    """The reports on the first derivatives of all outputs."""
    count = len(subject.point)
    if not count:
        return []
    if subject.outputs > 1:
        if _are_few(subject, subject.outputs * count ** (order - 1)):
            each = [
                _weighted_outputs(subject, {number: 1.0}, subject.function_name)
                for number in range(subject.outputs)
            ]
        else:
            named = f"the sum of all outputs of {subject.function_name}, each weighted"
            each = [_weighted_outputs(subject, _weights(range(subject.outputs)), named)]
        return [report for one in each for report in derivatives(one, order, check)]
    reports = _first_derivatives(subject, order, check)
    if not any(report.is_wrong for report in reports):
        wrong = wrong_curvature(subject, lambda weights: _derivative(subject, weights))
        if wrong is not None:
            index, problem = wrong
            reports[index if len(reports) == count else 0].problems.append(problem)
    return reports


def _first_derivatives(subject: Subject, order: int, check: Check) -> list[Report]:
    count = len(subject.point)
    if _are_few(subject, count ** (order - 1)):
        return [check(_derivative(subject, {index: 1.0})) for index in range(count)]

    def combined(chosen: Sequence[int]) -> Subject:
        return _derivative(subject, {chosen[0]: 1.0} if len(chosen) == 1 else _weights(chosen))

    return _searched(list(range(count)), combined, check)


def _are_few(subject: Subject, functions: int) -> bool:
    count = len(subject.point)
    work = functions * count * (count + subject.operations)
    return functions == 1 or (functions <= _FEW and work <= _WORK)


def _weights(chosen: Sequence[int]) -> dict[int, float]:
    rng = random.Random(2)  # noqa: S311 (weights, no secrets)
    return {number: rng.choice((-1, 1)) * rng.uniform(0.5, 1) for number in chosen}


def _searched(
    numbers: Sequence[int], combined: Callable[[Sequence[int]], Subject], check: Check
) -> list[Report]:
    """The report on all functions together, or on the first that is wrong."""
    report = check(combined(numbers))
    if not report.is_wrong:
        return [report]
    # Second derivatives are symmetric: the input that is at fault often tells the derivative.
    likely = report.problems[0].index if report.problems else None
    if likely is not None and likely in numbers and (single := check(combined([likely]))).is_wrong:
        return [single]
    suspected = list(numbers)
    while len(suspected) > 1:
        half = suspected[: len(suspected) // 2]
        found = check(combined(half))
        suspected = half if found.is_wrong else suspected[len(half) :]
    single = check(combined(suspected))
    return [single if single.is_wrong else report]


# ------------------------------------------------------------------------------------ as functions


def _one_output(subject: Subject, number: int) -> Subject:
    return Subject(subject.f, subject.at, subject.parameters, number, names=subject.names)


def _weighted_outputs(subject: Subject, weights: dict[int, float], name: str) -> Subject:
    def weighted(*args: Any) -> Any:
        leaves = flatten(subject.f(*args))[0]
        total: Any = 0.0
        for number, weight in weights.items():
            leaf = leaves[number]
            total = total + weight * (leaf if isinstance(leaf, Value) else float(leaf))
        return total

    weighted.__name__ = name
    return Subject(weighted, subject.at, subject.parameters, names=subject.names)


def _derivative(subject: Subject, weights: dict[int, float]) -> Subject:
    """The first derivative for one input, or in the direction of the weights."""
    from micrograd.transforms.functions import derivative

    def first_derivative(*args: Any) -> Any:
        output = flatten(subject.f(*args))[0][subject.output]
        wrt = subject.parameters if subject.parameters is not None else flatten(args)[0]
        if not isinstance(output, Value):
            return 0.0
        slopes = derivative(output, [wrt[index] for index in weights])
        if list(weights.values()) == [1.0]:
            return slopes[0]
        return sum(weight * slope for weight, slope in zip(weights.values(), slopes, strict=True))

    name = f"the derivative of {subject.function_name} in a random direction"
    if len(weights) == 1:
        name = f"d {subject.function_name}/d{subject.names[next(iter(weights))]}"
    first_derivative.__name__ = name
    made = Subject(first_derivative, subject.at, subject.parameters, names=subject.names)
    made.beneath = subject
    return made
