"""Time `check_gradients` on functions of many inputs.

python benchmarks/checking.py [--quick] [--rounds N]

Runs the cases in turn on one thread, and prints the minimum of the rounds in seconds of CPU time.
If the verdict on a gradient is not the expected one, the program ends with an error.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from micrograd import define, tanh
from micrograd.testing import check_gradients

QUICK = 8  # divides the number of inputs


class Case(NamedTuple):
    """A function, its number of inputs, the order of the check, and whether its rules are right."""

    name: str
    function: Callable[..., Any]
    inputs: int
    order: int = 1
    right: bool = True


def sum_of_squares(q: list[Any]) -> Any:
    """The squared length of a vector."""
    return sum(each * each for each in q)


def normalized(x: list[Any]) -> list[Any]:
    """LayerNorm without weights, one output for each input."""
    mean = sum(x) / len(x)
    variance = sum((each - mean) ** 2 for each in x) / len(x)
    return [(each - mean) / (variance + 1e-5) ** 0.5 for each in x]


def weighted(x: list[Any]) -> Any:
    """A weighted sum of the outputs of a LayerNorm."""
    return sum(weight * each for weight, each in enumerate(normalized(x), 1))


def coupled(q: list[Any]) -> Any:
    """A sum over neighbours, with a sparse second derivative."""
    return sum(tanh(before * after) for before, after in pairwise(q))


@cache
def wrong_square() -> Callable[[Any], Any]:
    """A square whose rule is wrong by 1e-6."""
    return define("wrong_square", "x * x", ["2.000002 * x"])


def spoiled(q: list[Any]) -> Any:
    """The squared length of a vector, with a wrong rule in one term."""
    wrong, middle = wrong_square(), len(q) // 2
    return sum(wrong(each) if i == middle else each * each for i, each in enumerate(q))


CASES = (
    Case("sum of squares", sum_of_squares, 300),
    Case("sum of squares", sum_of_squares, 1_000),
    Case("sum of squares, one rule wrong", spoiled, 1_000, right=False),
    Case("LayerNorm, one output", weighted, 160),
    Case("LayerNorm, all outputs", normalized, 160),
    Case("sum of squares", sum_of_squares, 100, order=2),
    Case("tanh of neighbours", coupled, 100, order=2),
    Case("LayerNorm, one output", weighted, 100, order=2),
)


def seconds(case: Case, inputs: int) -> float:
    """The time of one check, after collecting earlier garbage."""
    rng = random.Random(0)
    point = [rng.gauss(0, 1) for _ in range(inputs)]
    gc.collect()
    start = time.process_time()
    report = check_gradients(case.function, point, order=case.order, raise_exception=False)
    duration = time.process_time() - start
    if bool(report) is not case.right or report.is_undecided:
        raise SystemExit(f"{case.name}: unexpected verdict\n{report}")
    return duration


def main() -> None:
    """Time everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help=f"one {QUICK}th of the inputs, once")
    options = parser.parse_args()
    rounds, part = (1, QUICK) if options.quick else (options.rounds, 1)
    times: dict[Case, float] = {}
    for _ in range(rounds):
        for case in CASES:
            found = seconds(case, case.inputs // part)
            times[case] = min(times.get(case, found), found)
    print(f"check_gradients, s: minimum of {rounds}")
    for case, least in times.items():
        inputs = case.inputs // part
        print(f"  {case.name:<32} {inputs:6,} inputs, order {case.order}: {least:7.3f}")


if __name__ == "__main__":
    main()
