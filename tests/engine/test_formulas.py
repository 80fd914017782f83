"""A formula is a tree, and an interpreter of it has a vocabulary."""

from __future__ import annotations

import itertools
import math
import pickle

import pytest

import micrograd
from micrograd import define, grad
from micrograd.engine.definitions import VOCABULARY
from micrograd.ops import ROWS, TABLE
from micrograd.table.formulas import Call, fold
from micrograd.table.interpreters import IEEE, Texts, literal
from micrograd.table.reading import parse

KNOWN = {row.name: len(row.partials) for row in ROWS}
SPECIALS = (0.0, -0.0, 0.5, -2.5, 3.0, 1e-300, 710.0, -750.0, 1e308, math.inf, -math.inf, math.nan)


def tree(text):
    return parse(text, names=("x", "y", "z"), known=KNOWN, place="test")


def test_a_tree_has_numbers_variables_and_operations_by_the_names_of_their_rows():
    assert tree("-x + 2 * tanh(y)") == Call(
        "add", (Call("neg", ("x",)), Call("mul", (2.0, Call("tanh", ("y",)))))
    )
    assert tree("x <= y") == tree("le(x, y)") == Call("le", ("x", "y"))
    assert tree("+x") == "x"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_tree_can_be_compared_hashed_and_pickled(row):
    formula = TABLE[row.name].expression
    assert {formula: 1}[tree(row.formula)] == 1
    assert pickle.loads(pickle.dumps(formula)) == formula


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_folded_formula_has_the_bits_of_the_compiled_one(row):
    operation = TABLE[row.name]
    for point in itertools.product(SPECIALS, repeat=operation.arity):
        numbers = dict(zip(operation.operands, point, strict=True))
        by_row = operation.value(*point)
        for vocabulary in (IEEE, VOCABULARY):
            folded = float(fold(operation.expression, vocabulary, numbers))
            assert folded == by_row or (folded != folded and by_row != by_row), point


@pytest.mark.parametrize(
    "text",
    ["(x + y) * z", "x - (y - z)", "x / (y * z)", "-(x + y)", "(-x) ** 2.0", "x ** (-y)", "-x * y"],
)
def test_python_text_has_the_brackets_that_it_needs(text):
    names = {name: (name, 6) for name in "xyz"}
    assert fold(tree(text), Texts(), names, literal)[0] == text


def test_two_values_are_equal_in_a_formula_if_their_numbers_are(table):
    define("tied_t", "x * y", ["where(x == y, 2 * y, y)", "x"])
    slope = grad(lambda x: x.tied_t(x * 1.0))
    assert slope(3.0) == micrograd.compile(slope)(3.0) == 9.0
    assert grad(slope)(3.0) == 3.0
