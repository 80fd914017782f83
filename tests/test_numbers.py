"""Every number with a unit in the documents has a source, and those that can be counted agree."""

from __future__ import annotations

import pytest

from docs import numbers

COUNTED = [source for source in numbers.SOURCES if source.count]


def named(source):
    return f"{source.number:g} {source.unit}, {source.about}"


def test_every_number_with_a_unit_has_a_source():
    without = [f"{each.place}: {each.number:g} {each.unit}" for each in numbers.unbacked()]
    assert without == [], "add a source, or the reason for the lack of one, to docs/numbers.py"


def test_every_source_is_that_of_a_number_in_a_document():
    assert list(map(named, numbers.unused())) == []


def test_every_source_counts_or_measures_or_gives_a_reason():
    for source in numbers.SOURCES:
        ways = (source.count, source.measure, source.reason)
        assert sum(map(bool, ways)) == 1, named(source)


@pytest.mark.slow
@pytest.mark.parametrize("source", [s for s in COUNTED if s.unit != "%"], ids=named)
def test_a_number_that_can_be_counted_is_right(source):
    assert numbers.agrees(source, source.count())


@pytest.mark.slow
@pytest.mark.parametrize("source", [s for s in COUNTED if s.unit == "%"], ids=named)
def test_a_share_of_an_example_is_right(source):
    pytest.importorskip("sklearn", reason="pip install scikit-learn")
    assert numbers.agrees(source, source.count())


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("takes 12.5 µs here", 12.5, "µs"),
        ("只要 10 微秒，", 10, "µs"),
        ("about ten times as fast", 10, "times"),
        ("14.6 万次运算", 146_000, "operations"),
        ("the wheel has 1,200 MB", 1200, "MB"),
        ("within 8 units in the last\n place of", 8, "ulp"),
        ("97 % of them", 97, "%"),
        ("70 wide instructions", 70, "instructions"),
    ],
)
def test_a_number_with_a_unit_is_found(text, number, unit):
    (claim,) = numbers.claims(text)
    assert claim[:2] == (number, unit)


@pytest.mark.parametrize(
    "text",
    ["tens of milliseconds", "`12 %` or `3 s`", "```\n3 s\n```", "[x](a/3%20s.md)", "version 3.11"],
)
def test_code_and_numbers_without_a_unit_are_left_out(text):
    assert list(numbers.claims(text)) == []


def test_a_new_claim_has_no_source(monkeypatch, tmp_path):
    page = tmp_path / "new.md"
    page.write_text("A training step of a network takes 9 µs on one thread.\n", encoding="utf-8")
    monkeypatch.setattr(numbers, "ROOT", tmp_path)
    monkeypatch.setattr(numbers, "DOCUMENTS", [page])
    (claim,) = numbers.unbacked()
    assert claim[:3] == (9, "µs", "new.md")


@pytest.mark.parametrize(
    ("written", "found", "agree"),
    [
        *((337, 337, True), (337, 338, False), (1300, 1322, True), (1300, 1360, False)),
        *((97.4, 97.44, True), (97.4, 97.46, False), (70, 69, True), (70, 64, False)),
    ],
)
def test_a_count_agrees_when_rounded_to_the_digits_that_are_written(written, found, agree):
    assert numbers.agrees(numbers.Source(written, "%", ""), found) is agree


def test_a_time_agrees_within_a_factor_of_two():
    source = numbers.Source(10, "µs", "", measure=float)
    assert [numbers.agrees(source, found) for found in (4.9, 5, 20, 21)] == [
        *(False, True, True, False)
    ]


def test_a_number_of_a_benchmark_is_read_from_its_table():
    table = "100 samples\n  NumPy by hand    1,056.7   60.1\n  compiled, numba  10.3  11\n"
    assert numbers.column(table, "NumPy by hand") == 1056.7
    assert numbers.column(table, "compiled, numba", 1) == 11
