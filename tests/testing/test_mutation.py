"""Mutation testing: wrong rules are noticed, and a weak checker is seen to be weak."""

from __future__ import annotations

import pytest

from micrograd.ops import ROWS
from micrograd.testing import check_gradients, mutation_report
from micrograd.testing.report import Report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[4, pytest.param(1, marks=pytest.mark.exhaustive)])
def report(request):
    return mutation_report(row.name for row in ROWS[:: request.param])


def test_every_wrong_rule_that_can_be_seen_is_caught(report):
    assert not report.of("missed"), str(report)
    assert len(report.of("caught")) > 0.8 * len(report.mutants)
    assert report


def test_the_guilty_operation_is_named_for_every_wrong_rule(report):
    assert [str(mutant) for mutant in report.of("caught") if not mutant.named] == []


def test_the_invisible_mutants_are_listed_with_the_reason(report):
    invisible = report.of("invisible")
    constant = {"sign", "step", "detach", "lt", "le", "gt", "ge", "eq", "ne"}
    constant |= {"floor", "ceil", "round", "trunc", "floordiv", "polygamma", "polygamma_above"}
    others = [(m.row, m.mutation) for m in invisible if m.row not in constant]
    assert set(others) <= {
        ("add", "partials of x and y swapped"),
        *(("where", f"d/dx {rule}") for rule in ("sign", "× 1.01", "× (1 + 1e-6)", "zero")),
        *(("copysign", f"d/dy {rule}") for rule in ("sign", "× 1.01", "× (1 + 1e-6)", "zero")),
    }
    assert all(mutant.detail for mutant in invisible)
    assert "invisible" in str(report)


def test_the_same_seed_gives_the_same_report():
    assert mutation_report(["tanh", "div"], seed=3) == mutation_report(["tanh", "div"], seed=3)


def test_a_checker_with_loose_tolerances_is_seen_to_be_weak():
    def loose(f, *at, **options):
        return check_gradients(f, *at, atol=1e-2, rtol=1e-2, **options)

    weak = mutation_report(["tanh"], check=loose)
    assert not weak
    assert any("1e-6" in mutant.mutation for mutant in weak.of("missed"))


def test_a_checker_that_agrees_with_everything_catches_nothing():
    def blind(f, *at, **options):
        return Report("f", [], [])

    assert mutation_report(["mul"], check=blind).of("caught") == []
