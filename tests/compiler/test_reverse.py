"""The backward pass is a program: instructions of the same kinds, over adjoints."""

from __future__ import annotations

import numpy as np
import pytest

from micrograd import Value, compile, maximum, scan, sin, take, where  # noqa: A004
from micrograd.compiler.planning.planner import plan
from micrograd.compiler.program.instructions import (
    Elementwise,
    Lookup,
    Product,
    Scatter,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import Loop, LoopBack
from micrograd.compiler.program.program import slots_read as reads
from micrograd.compiler.program.reverse import reverse
from micrograd.compiler.program.slots import slots_of
from micrograd.compiler.tracing.tracer import trace
from micrograd.ops import TABLE

WEIGHTS = 12


def layers(w, x):
    """Two layers that share weights, the second with inputs from several places."""
    h = [sum((w[3 * i + j] * x[j] for j in range(3)), w[9 + i]).tanh() for i in range(3)]
    mixed = [h[0], x[3], h[2]]
    return [sum(sum(w[3 * i + j] * mixed[j] for j in range(3)).exp() for i in range(3)) - x[4]]


def narrow(w, x):
    """A tape, with numbers that no adjoint is passed to."""
    a, b = x[0], w[0]
    for _ in range(20):
        a, b = where(a > b, a * w[1] - b, b) + a * b, maximum(a, b) * x[1] - b * w[2]
        b = b + sin(a).detach()
    return [sin(a) - b / (1 + a * a)]


def scattered(w, x):
    """Sums, products and operations that read the same number several times, and never some."""
    pairs = [x[i] * x[(i * 3) % 5] - w[i] * x[0] + x[i] * x[i] for i in range(5)]
    kept = [(each * each).exp() for each in (pairs[0], pairs[2], pairs[0], pairs[3])]
    return [sum(pairs) - sum(k * 0.25 for k in kept) + sum(v * v for v in w) + x[1] ** 3]


FUNCTIONS = [layers, narrow, scattered]
CASES = [(f, batched, inputs) for f in FUNCTIONS for batched in (False, True) for inputs in (0, 1)]


def planned(f, batched):
    weights = [Value(0.1 * k) for k in range(WEIGHTS)]
    return plan(trace(lambda x: f(weights, x), weights, 5), batched=batched)


def adjoints_read(step, first):
    """The adjoints that a step reads, with their spaces."""
    return {
        (varies, slot)
        for slots, kinds in reads(step)
        for varies, slot in zip(kinds.ravel().tolist(), slots.ravel().tolist(), strict=True)
        if slot >= first[varies]
    }


def steps_of(instructions):
    for each in instructions:
        yield from each.steps() if isinstance(each, Tape) else (each,)


@pytest.mark.parametrize(("f", "batched", "inputs"), CASES)
def test_every_adjoint_is_stored_before_it_is_read_or_added_to(f, batched, inputs):
    program = planned(f, batched)
    back, first = reverse(program, inputs=bool(inputs)), (program.uniform, program.varying)
    known = {(varies, first[varies] + slot) for varies, slot in program.outputs}
    for varies, zeros in ((False, back.cleared), (True, back.zeroed)):
        for rows in zeros:
            own = {(varies, slot) for slot in slots_of(rows).tolist()}
            assert known.isdisjoint(own)
            known |= own
    if batched:  # all adjoints of `u` are
        assert not back.cleared
        known |= {(False, first[False] + slot) for slot in range(program.uniform)}
    for step in steps_of(back.instructions):
        space = step.varies and step.mode != "total"
        out = {(space, slot) for slot in slots_of(step.out).tolist()}
        assert adjoints_read(step, first) <= known
        if step.mode == "first":
            assert len(out) == len(slots_of(step.out))
            assert known.isdisjoint(out)
            known |= out
        else:
            assert step.mode == ("add" if space == step.varies else "total")
            assert out <= known


@pytest.mark.parametrize(("f", "batched", "inputs"), CASES)
def test_an_adjoint_is_complete_when_it_is_read(f, batched, inputs):
    program = planned(f, batched)
    read, size = set(), (program.uniform, program.varying)
    for step in steps_of(reverse(program, inputs=bool(inputs)).instructions):
        space = step.varies and step.mode != "total"
        assert read.isdisjoint((space, slot) for slot in slots_of(step.out).tolist())
        for slots, kinds in reads(step):
            for varies, slot in zip(kinds.ravel().tolist(), slots.ravel().tolist(), strict=True):
                if slot >= size[varies]:
                    read.add((varies, slot))


@pytest.mark.parametrize("f", [narrow, scattered])
def test_without_adjoints_of_inputs_nothing_is_passed_to_them(f):
    program = planned(f, batched=True)
    for inputs in (False, True):
        back = reverse(program, inputs=inputs)
        written = {
            slot
            for step in steps_of(back.instructions)
            if step.varies and step.mode != "total"
            for slot in slots_of(step.out).tolist()
        }
        first = program.varying
        assert written.isdisjoint(range(first, first + program.inputs)) != inputs


def test_the_backward_pass_of_a_matrix_product_is_products_and_sums():
    def f(w, x):
        rows = [sum((w[3 * i + j] * x[j] for j in range(3)), w[9 + i]) for i in range(3)]
        return [sum(row.exp() for row in rows)]

    program = planned(f, batched=True)
    (product,) = (each for each in program.instructions if isinstance(each, Product))
    back = reverse(program, inputs=True)
    of_inputs, of_matrix = (each for each in back.instructions if isinstance(each, Product))
    assert (of_inputs.matrix == product.matrix.T).all()
    assert (of_matrix.matrix == product.inputs.T).all()
    assert of_matrix.mode == "total"
    assert any(
        isinstance(each, WeightedSums) and each.mode == "total" for each in back.instructions
    )


def test_a_flow_reads_the_adjoint_and_what_its_formula_uses():
    program = plan(trace(lambda x: [(x[0] / x[1]).tanh()], [], 2), batched=True)
    tanh, *quotient = reverse(program, inputs=True).instructions
    assert all(isinstance(each, Elementwise) for each in (tanh, *quotient))
    assert tanh.operation.operation is TABLE["tanh"]
    assert [each.operation.operands for each in quotient] == [("_g", "y"), ("_g", "out", "y")]


def cell(w, x):
    """A loop whose step has a product, an operation of several numbers, and shares an input."""

    def step(h, t):
        mixed = [sum((w[3 * i + j] * h[j] for j in range(3)), x[i]) for i in range(3)]
        return [(each * t).tanh() for each in mixed], mixed[0]

    h, seen = scan(step, list(x[:3]), list(x[3:]) * 2)
    return [sum(each * each for each in h) + sum(seen)]


@pytest.mark.parametrize("batched", [False, True])
def test_the_way_back_through_a_loop_is_a_loop_over_the_way_back_through_its_body(batched):
    program = planned(cell, batched)
    (loop,) = (each for each in program.instructions if isinstance(each, Loop))
    back = reverse(program, inputs=True)
    (found,) = (each for each in back.instructions if isinstance(each, LoopBack))
    assert found.loop is loop
    first = (program.varying if batched else program.uniform) + found.own.start
    own = range(first, first + found.own.stop - found.own.start)
    known = {slot for rows in found.zeroed for slot in slots_of(rows).tolist()}
    if found.given is not None:
        _, places, chosen = found.given
        given = places.slots[chosen & (places.varies == loop.varies)]
        assert {*given.tolist()} & {*own} <= known
    inputs, values = {*slots_of(loop.inputs).tolist()}, set()
    for step in steps_of(found.body):
        for slots, kinds in reads(step):
            here = {*slots[kinds == loop.varies].tolist()}
            assert here & {*own} <= known
            values |= here & {*slots_of(found.own).tolist()}
        out = {*slots_of(step.out).tolist()}
        if step.mode == "first":
            assert known.isdisjoint(out)
            known |= out
        elif step.mode == "add":
            assert out & {*own} <= known
    assert {*found.kept.tolist()} == values - inputs
    passed = {type(each) for each in found.body}
    assert {type(each) for each in loop.body} <= passed
    stacks = len(program.stacks)
    assert {stack for _, stack, _ in found.sent} <= {*range(stacks, 2 * stacks)}


@pytest.mark.parametrize(
    ("table_varies", "batched", "mode"),
    [(False, False, "add"), (False, True, "total"), (True, True, "add")],
)
def test_the_adjoint_of_a_lookup_is_added_to_the_entry_that_was_taken(table_varies, batched, mode):
    def f(w, x):
        table = [[each, each * each] for each in (x[1:] * 3 if table_varies else w)]
        return [sum(each.exp() for each in take(table, x[0]))]

    program = planned(f, batched)
    (lookup,) = (each for each in program.instructions if isinstance(each, Lookup))
    back = reverse(program, inputs=True)
    (scatter,) = (each for each in back.instructions if isinstance(each, Scatter))
    size = program.varying if table_varies else program.uniform
    assert (scatter.table == lookup.table + size).all()
    assert scatter.at == lookup.at
    assert scatter.mode == mode


@pytest.mark.parametrize("backend", ["numpy", "numba", "reference"])
def test_a_gradient_is_the_same_in_every_call(backend):
    if backend == "numba":
        pytest.importorskip("llvmlite")
    w = [Value(0.1 * k - 0.5) for k in range(WEIGHTS)]
    x = np.random.default_rng(0).normal(size=(40, 5)) / 4
    for f in FUNCTIONS:
        program = compile(lambda x, f=f: f(w, x)[0], w, backend=backend, batched=True)
        first = program.value_and_grad(x)[1]
        assert np.isfinite(first).all()
        for _ in range(3):
            assert np.array_equal(program.value_and_grad(x)[1], first)
