"""The programs of the articles: the demo, each by itself, and what they share."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from math import inf, nan
from pathlib import Path

import pytest

from examples import ARTICLES, article_1_weighted_sum
from examples._common import (
    Report,
    Row,
    Words,
    descent,
    dot,
    exactly,
    lines,
    printed,
    total,
)
from examples._story import Numbers
from micrograd import Value
from tests.examples.common import MODULES, NOTHING, NUMBERS

pytestmark = pytest.mark.slow

TWO = Words.same("two")
ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_of_all_five_articles_agrees_and_exits_with_0(demo):
    assert demo.status == 0
    text = demo.printed
    assert {line[0] for line in text.splitlines() if line.endswith("  ok")} == set("12345")
    assert "DIFFERS" not in text
    counted = re.match(r"(\d+) of (\d+) .*; (\d+) follow .*; (\d+) are", text.splitlines()[-1])
    assert counted is not None
    agreeing, of, by_formula, ours = map(int, counted.groups())
    assert agreeing == of
    assert of + by_formula + ours == text.count("  ok\n")
    counts = re.findall(r"^article \d: wrote (\d+) files", text, re.MULTILINE)
    assert sum(map(int, counts)) + 1 == len([*demo.out.iterdir()])  # and the index


def test_the_list_of_articles_names_the_five_programs_in_order():
    assert [f"examples.{name}" for name in ARTICLES] == [module.__name__ for module in MODULES]
    assert [module.ARTICLE.number for module in MODULES] == list(NUMBERS)


def test_a_printed_number_agrees_to_half_a_unit_of_its_last_digit():
    assert printed(NOTHING, "0.25", 0.2549).agrees
    assert not printed(NOTHING, "0.25", 0.2551).agrees
    assert not printed(NOTHING, "0.25", 0.2449).agrees


def test_a_number_that_was_cut_off_agrees_to_a_unit_of_its_last_digit():
    assert printed(NOTHING, "0.25…", 0.2599).agrees
    assert not printed(NOTHING, "0.25…", 0.2601).agrees


def test_an_exact_number_agrees_up_to_rounding():
    assert exactly(NOTHING, 0.3, 0.1 + 0.2).agrees
    assert not exactly(NOTHING, 0.3, 0.3 + 1e-13).agrees


@pytest.mark.parametrize("got", [nan, inf, -inf])
@pytest.mark.parametrize("relation", ["=", "<", ">="])
def test_a_number_that_is_not_finite_agrees_with_no_equation_and_nan_with_nothing(got, relation):
    agrees = Row(NOTHING, 1.0, got, 0.5, relation).agrees
    assert agrees is ((relation, got) in {("<", -inf), (">=", inf)})


def test_a_row_that_differs_says_so_in_the_table():
    article = article_1_weighted_sum.ARTICLE
    good, bad = lines(
        Report(article, parts=[Numbers((Row(Words.same("one"), 1, 1), Row(TWO, 2, 3)))])
    )
    assert good.endswith(" ok")
    assert bad.endswith(" DIFFERS")
    assert bad.split()[:5] == ["1", "two", "article", "2", "3"]


def test_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match="source is one of article, formula, ours, got 'book'"):
        Row(TWO, 2, 2, source="book")


@pytest.mark.parametrize(("source", "formula"), [("formula", ""), ("ours", "x"), ("article", "x")])
def test_a_formula_is_given_if_and_only_if_the_number_follows_from_it(source, formula):
    with pytest.raises(ValueError, match="two: a formula is given if and only if"):
        Row(TWO, 2, 2, source=source, formula=formula)


def test_a_number_printed_with_an_exponent_agrees_to_half_a_unit_of_its_last_digit():
    assert printed(NOTHING, "-1.25e-04", -1.2549e-4).agrees
    assert not printed(NOTHING, "-1.25e-04", -1.2551e-4).agrees


def test_descent_yields_the_loss_before_each_step():
    x = Value(4.0)
    losses = descent([x], lambda: x * x, step=0.25, iterations=3)
    assert list(losses) == [16, 4, 1]
    assert x.data == 0.5


def test_a_dot_product_is_the_sum_of_products_and_a_total_has_a_name():
    x, w = [Value(1.0), Value(2.0), Value(3.0)], [Value(4.0), Value(5.0), Value(6.0)]
    assert dot(x, w).data == 32
    z = total([Value(1.0), Value(2.0), Value(3.0)], "z")
    assert (z.data, z.label) == (6, "z")


def test_dot_refuses_vectors_of_different_lengths():
    with pytest.raises(ValueError, match="shorter"):
        dot([1, 2], [1])


# ------------------------------------------------------------------------- each is a program


def test_a_program_runs_by_itself_and_writes_into_the_folder_it_is_given(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "examples.article_3_fitting_a_line", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )
    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert text.startswith("Article 3. ")
    assert "1.1979858629" in text
    written = [*tmp_path.iterdir()]
    assert f"article 3: wrote {len(written)} files to {tmp_path}" in text.splitlines()
    assert all(path.name.startswith("article_3") for path in written)  # the index is the demo's
    assert "DIFFERS" not in text


def test_a_program_that_cannot_write_says_so_without_a_traceback(tmp_path):
    occupied = tmp_path / "file"
    occupied.touch()
    done = subprocess.run(
        [sys.executable, "-m", "examples.article_1_weighted_sum", "--out", str(occupied)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"cannot write to" in done.stderr
    assert b"Traceback" not in done.stderr
