"""What a trace records becomes a graph in which equal operations are one node."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from micrograd import Value, cos, define, exp, scan, sin
from micrograd.compiler import TraceError, compile  # noqa: A004
from micrograd.compiler.tracing import recorded, structural
from micrograd.compiler.tracing.graph import CONSTANT
from micrograd.compiler.tracing.simplifying import simplified
from micrograd.compiler.tracing.tracer import trace
from micrograd.engine.traced_arrays import TracedArray

OPERATIONS: tuple[Callable[..., Any], ...] = (
    *(sin, cos, exp),
    *(lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y),
)


def chain(x: Any, steps: int) -> Any:
    for _ in range(steps):
        x = sin(x)
    return x


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 50])
def test_what_is_computed_twice_is_one_node_however_long_it_is(steps: int) -> None:
    graph = trace(lambda x: [chain(x[0], steps) * chain(x[0], steps)], [], inputs=1)
    assert graph.size == 1 + steps + 1


@pytest.mark.parametrize("seed", range(20))
def test_a_graph_has_a_node_for_each_different_operation_in_the_order_of_the_function(
    seed: int,
) -> None:
    draw = random.Random(seed)
    steps: list[tuple[int, int, int]] = []
    for k in range(2, 2 + draw.choice([10, 100, 1000])):
        steps.append((draw.randrange(len(OPERATIONS)), draw.randrange(k), draw.randrange(k)))

    def run(x: Sequence[Any]) -> list[Any]:
        made = [*x]
        for operation, i, j in steps:
            f = OPERATIONS[operation]
            made.append(f(made[i]) if operation < 3 else f(made[i], made[j]))
        return made

    nodes: list[Any] = [0, 1]  # of each step
    seen: dict[Any, int] = {}
    for operation, i, j in steps:
        read = (nodes[i],) if operation < 3 else (nodes[i], nodes[j])
        nodes.append(seen.setdefault((operation, *read), 2 + len(seen)))
    graph = trace(run, [], inputs=2)
    assert graph.outputs.tolist() == nodes
    rows = [graph.table[code].name for code in graph.code[2:].tolist()]
    names = ("sin", "cos", "exp", "add", "sub", "mul")
    assert rows == [names[operation] for operation, *_ in seen]
    operands = [tuple(x for x in held if x >= 0) for held in graph.operands[2:].tolist()]
    assert operands == [tuple(held) for _, *held in seen]


def test_keys_that_are_equal_by_chance_do_not_make_two_operations_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorded, "_ODD", np.zeros(3, np.uint64))  # all keys are those of the row
    f = compile(lambda x, y: sin(x) * sin(y) + sin(x))
    assert f(1.0, 2.0) == pytest.approx(np.sin(1) * np.sin(2) + np.sin(1), rel=1e-15)


def test_the_limit_counts_what_is_repeated_once_in_a_trace_of_any_length() -> None:
    repeated = compile(lambda x: sum(chain(x, 3) for _ in range(100)), limit=103)
    assert repeated(0.0) == 0.0
    calls = []

    def endless(x: Any) -> Any:
        while True:
            calls.append(1)
            x = sin(x)

    with pytest.raises(TraceError, match="more than 100 operations"):
        compile(endless, limit=100)(0.0)
    assert len(calls) <= 202  # the limit is seen in time


def test_a_parameter_has_one_place_in_both_runs_and_a_result_of_the_first_run_is_refused() -> None:
    w = Value(2.0)
    assert compile(lambda x: w * x + w, [w])(3.0) == 8.0
    kept: list[Any] = []

    def keeping(x: Any) -> Any:
        kept.append(w * x)
        return kept[0]

    with pytest.raises(TraceError, match="return what you need from it"):
        compile(keeping, [w])(3.0)
    assert w.data == 2.0


def test_the_work_for_the_gradient_of_the_outputs_of_a_loop_is_in_proportion_to_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted: list[int] = []

    class Counting(structural.Shares):
        def __init__(self, parts: Any = ()) -> None:
            super().__init__(parts)
            counted[-1] += len(self)

    monkeypatch.setattr(structural, "Shares", Counting)
    for count in (100, 200):
        counted.append(0)
        xs = np.linspace(0, 1, count)
        f = compile(lambda a, xs: (scan(lambda s, x: (a * s + x,) * 2, 0.0, xs)[1] ** 2).sum())
        value, (slope, _) = f.value_and_grad(0.5, xs)
        assert np.isfinite([value, slope]).all()
    assert 100 <= counted[0] <= 150
    assert 200 <= counted[1] <= 250


@pytest.mark.parametrize("steps", [1, 10, 100, 1000])
def test_what_no_result_needs_is_left_out_however_long_it_is(steps: int) -> None:
    graph = trace(lambda x: [(chain(x[0], steps), cos(x[1]))[1]], [], inputs=2)
    assert [graph.table[code].name for code in graph.code[2:].tolist()] == ["cos"]
    at = Value(0.5)
    graph = trace(lambda x: [(chain(at, steps), cos(at))[1]], [], inputs=0)
    assert graph.size == 2 - graph.leaves  # a constant and its cosine


@pytest.mark.parametrize("steps", [1, 3, 4, 100])
def test_what_depends_on_constants_only_is_computed_once_however_long_it_is(steps: int) -> None:
    at = Value(0.5)
    graph = simplified(trace(lambda x: [x[0] * chain(at, steps) + 2.0], [], inputs=1))
    assert [graph.table[code].name for code in graph.code.tolist() if code >= 0] == ["mul", "add"]
    assert sorted(graph.numbers[graph.code == CONSTANT]) == [chain(at, steps).data, 2.0]


def test_sums_of_products_that_are_computed_in_different_products_of_matrices_are_one() -> None:
    def run(numbers: Sequence[Any]) -> list[Any]:
        w = np.array([*numbers], object)[:24].reshape(3, 8).view(TracedArray)
        x = np.array([*numbers], object)[24:].view(TracedArray)
        one_by_one = w[1, 0] * x[0]
        for a, b in zip(w[1, 1:], x[1:], strict=True):
            one_by_one = one_by_one + a * b
        return [*(w @ x), w[1] @ x, one_by_one]

    graph = trace(run, [], inputs=32)
    assert graph.size == 32 + 3 * 15
    assert len({*graph.outputs[[1, 3, 4]].tolist()}) == 1


def test_runs_that_differ_in_an_operation_of_four_operands_are_refused() -> None:
    four = define("four_operands", lambda a, b, c, d: a * b + c * d, ["b", "a", "d", "c"])
    runs = itertools.count()

    def f(x: Any) -> Any:
        return four(x, 2 * x, x, x) if next(runs) % 2 else x * x + 2 * x

    with pytest.raises(TraceError, match="did something else when it was run again"):
        compile(f, backend="numpy")(1.0)
