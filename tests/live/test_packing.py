"""The data of a page, packed in Python and unpacked by the page."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value, live_page
from micrograd.live import page
from micrograd.live.packing import in_one_plane, packed
from tests.live.common import unpacked
from tests.live.test_numbers import neuron

TEXTS = ["", "x", "abcabcabcabcabc", "a" * 300, "é¯∂L̄" * 20, "𝑥₁" * 9, "\\u0041" * 9, "~?@" * 9]

words = st.lists(st.sampled_from(["w⁽¹⁾₁₂", "abcdef", "12345", "𝑥", "<", "\t", "\\"]) | st.text())


@given(words.map("".join))
def test_what_is_packed_is_unpacked_as_the_same_json(text):
    written = json.dumps(text, ensure_ascii=False)
    assert json.loads(unpacked(packed(in_one_plane(written)))) == text


@given(words.map("".join), words.map("".join))
def test_what_follows_a_text_is_packed_with_it_and_unpacked_after_it(before, text):
    begins, follows = (
        in_one_plane(json.dumps(each, ensure_ascii=False)) for each in (before, text)
    )
    assert unpacked(packed(begins) + packed(follows, begins)) == begins + follows


@pytest.mark.slow
def test_the_script_that_all_pages_share_is_packed_once(monkeypatch):
    first, texts = live_page(neuron()), []
    monkeypatch.setattr(page, "packed", lambda *text: texts.append(text[0]) or packed(*text))
    assert live_page(neuron(0.25)) != first
    (data,) = texts
    assert len(data) < 10_000  # the script has 40,000 letters


@pytest.mark.slow
def test_a_text_of_any_length_is_packed_and_shorter_if_it_repeats_itself():
    rows = json.dumps([[i % 7, i % 3, "the name of a value"] for i in range(1000)])
    short = packed(rows)
    assert unpacked(short) == rows
    assert len(short) < len(rows) / 10


def test_no_sign_of_a_packed_text_begins_a_tag():
    text = json.dumps(["/script>" * (i % 5) + str(i) for i in range(500)])
    assert "<" not in packed(text)


@pytest.mark.slow
def test_the_page_unpacks_what_python_packed(live):
    names = [Value(1.0, label=name) for name in ("𝑥₁ < \t& </script>", "a" * 300, "𝑥₁")]
    page = live(names[0] * names[1] + names[2])
    assert len(page.numbers()) == 4
    found = page.page.evaluate(
        "texts => texts.map((text) => JSON.parse(unpacked(text)))",
        [packed(in_one_plane(json.dumps(text, ensure_ascii=False))) for text in TEXTS],
    )
    assert found == TEXTS
