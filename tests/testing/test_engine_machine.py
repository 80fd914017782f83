"""The engine in any order of use, against a naive engine that is exact.

The naive engine below keeps rational numbers, remembers every node, and knows only what `Value`
promises: inner nodes hold the adjoints of the last pass, leaves add them up. Its numbers are
multiples of a power of two, small enough for a float to hold every partial sum (see `is_exact`),
so that both engines must agree to the last bit, in whatever order they add.
"""

from __future__ import annotations

import copy
import gc
import pickle
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from micrograd import Value
from micrograd.engine import functions

LARGEST = 2**12  # of a result; products of a few partials of that size still fit into a float


class Naive:
    """A node: a number, its operands, and the partial derivative for each."""

    ages = count()

    def __init__(self, data: Any, operands: tuple[Any, ...] = (), slopes: tuple[Any, ...] = ()):
        self.data, self.operands, self.slopes = Fraction(data), operands, slopes
        self.grad = Fraction(0)
        self.age = next(self.ages)  # operands are older than their results

    def below(self) -> list[Naive]:
        """This node and all that it depends on, the newest first."""
        found, waiting = {self}, [self]
        while waiting:
            for operand in waiting.pop().operands:
                if isinstance(operand, Naive) and operand not in found:
                    found.add(operand)
                    waiting.append(operand)
        return sorted(found, key=lambda node: -node.age)

    def adjoints(self, size: Any = lambda slope: slope) -> dict[Naive, Fraction]:
        nodes = self.below()
        adjoint = dict.fromkeys(nodes, Fraction(0)) | {self: Fraction(1)}
        for node in nodes:
            for operand, slope in zip(node.operands, node.slopes, strict=True):
                if isinstance(operand, Naive):
                    adjoint[operand] += size(slope) * adjoint[node]
        return adjoint

    def is_exact(self) -> bool:
        """Whether floats hold every product and partial sum of a pass.

        All of them are multiples of one power of two, and none is larger than the sum of sizes.
        """
        unit = Fraction(1)
        for node in self.below():
            unit /= max((Fraction(slope).denominator for slope in node.slopes), default=1)
            unit /= max(node.data.denominator, node.grad.denominator)
        sizes = self.adjoints(size=abs)
        return all((size + abs(node.grad)) / unit < 2**53 for node, size in sizes.items())

    def backward(self) -> None:
        for node, adjoint in self.adjoints().items():
            node.grad = adjoint if node.operands else node.grad + adjoint


def larger(x: Fraction, y: Fraction) -> Fraction:
    return Fraction(1, 2) if x == y else Fraction(x > y)


ROWS = {
    "add": lambda x, y: (x + y, 1, 1),
    "sub": lambda x, y: (x - y, 1, -1),
    "mul": lambda x, y: (x * y, y, x),
    "neg": lambda x: (-x, -1),
    "square": lambda x: (x * x, 2 * x),
    "relu": lambda x: (max(x, 0), Fraction(x > 0)),
    "abs": lambda x: (abs(x), (x > 0) - (x < 0)),
    "sign": lambda x: ((x > 0) - (x < 0), 0),
    "detach": lambda x: (x, 0),
    "maximum": lambda x, y: (max(x, y), larger(x, y), larger(y, x)),
    "minimum": lambda x, y: (min(x, y), larger(y, x), larger(x, y)),
    "lt": lambda x, y: (x < y, 0, 0),
    "ge": lambda x, y: (x >= y, 0, 0),
    "where": lambda x, y, z: (y if x else z, 0, Fraction(x != 0), Fraction(x == 0)),
}

numbers = st.integers(-3, 3).map(float) | st.sampled_from((0.5, -1.5))
places = st.integers(0, 3) | st.integers(0, 63)  # how many nodes to count back from the newest
names = st.sampled_from([*ROWS, "add", "add", "sub", "mul", "mul"])
steps = st.tuples(names, st.lists(places | numbers, min_size=3, max_size=3))
some = precondition(lambda machine: machine.held)


class Engine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.held = [(Value(number), Naive(number)) for number in (2.0, -3.0)]

    def node(self, place: int) -> tuple[Value, Naive]:
        return self.held[-1 - place % len(self.held)]

    @rule(number=numbers)
    def create(self, number):
        self.held.append((Value(number), Naive(number)))

    @some
    @rule(steps=st.lists(steps, min_size=1, max_size=12))
    def combine(self, steps):
        self.apply(steps)

    @some
    @rule(steps=st.lists(steps, min_size=3, max_size=12), passes=st.integers(1, 2))
    def combine_and_differentiate(self, steps, passes):
        self.apply(steps)
        self.differentiate(0, passes)

    def apply(self, steps):
        for name, drawn in steps:
            operands = drawn[: ROWS[name].__code__.co_argcount]
            if all(type(operand) is float for operand in operands):
                operands[0] = 0
            pairs = [self.node(o) if type(o) is int else (o, Fraction(o)) for o in operands]
            values, naives = zip(*pairs, strict=True)
            result, *slopes = ROWS[name](*(x.data if isinstance(x, Naive) else x for x in naives))
            if abs(result) <= LARGEST:
                naive = Naive(result, naives, tuple(map(Fraction, slopes)))
                self.held.append((getattr(functions, name)(*values), naive))

    @some
    @rule(place=places, passes=st.integers(1, 2))
    def backward(self, place, passes):
        self.differentiate(place, passes)

    def differentiate(self, place, passes):
        value, naive = self.node(place)
        for _ in range(passes):
            if naive.is_exact():
                value.backward()
                naive.backward()

    @some
    @rule(place=places)
    def zero(self, place):
        for node in self.node(place):
            node.grad = 0

    @rule()
    def zero_all(self):
        for pair in self.held:
            for node in pair:
                node.grad = 0

    @some
    @rule(place=places, number=numbers)
    def set_data_of_a_leaf(self, place, number):
        value, naive = self.node(place)
        if not naive.operands:
            value.data, naive.data = number, Fraction(number)

    @some
    @rule(place=places)
    def copy_one(self, place):
        value, naive = self.node(place)
        self.held.append((copy.copy(value), copy.copy(naive)))

    @some
    @rule(several=st.lists(places, min_size=1, max_size=3))
    def copy_deeply(self, several):
        values, naives = zip(*map(self.node, several), strict=True)
        self.adopt(copy.deepcopy(values), copy.deepcopy(naives))

    @some
    @rule(
        several=st.lists(places, min_size=1, max_size=3),
        protocol=st.integers(2, pickle.HIGHEST_PROTOCOL),
    )
    def pickle_and_restore(self, several, protocol):
        values, naives = zip(*map(self.node, several), strict=True)
        self.adopt(pickle.loads(pickle.dumps(values, protocol)), copy.deepcopy(naives))

    def adopt(self, values, naives):
        """Hold the copies just made, and all below them; what was shared must be shared again."""
        waiting, found = list(zip(values, naives, strict=True)), {}
        while waiting:
            value, naive = waiting.pop()
            if naive in found:
                assert found[naive] is value, "a shared value was copied twice"
                continue
            found[naive] = value
            below = [operand for operand in naive.operands if isinstance(operand, Naive)]
            waiting += zip(value._children, below, strict=True)
        self.held += [(found[naive], naive) for naive in sorted(found, key=lambda node: node.age)]

    @some
    @rule(place=places)
    def forget(self, place):
        del self.held[-1 - place % len(self.held)]
        gc.collect(0)

    @invariant()
    def every_number_and_gradient_is_that_of_the_naive_engine(self):
        for value, naive in self.held:
            assert value.data == naive.data
            assert value.grad == naive.grad


TestEveryOrderOfUse = pytest.mark.slow(Engine.TestCase)
TestEveryOrderOfUse.settings = settings(max_examples=25, stateful_step_count=40)
