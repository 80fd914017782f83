"""A drawing shows whatever a user wrote literally, and only ever as text."""

import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.writing.labels import LONGEST, MOST_LINES
from micrograd.writing.names import typeset
from tests.drawing.common import EACH_RENDERER, SVG, boxes, shown_texts

HOSTILE = [
    *('a"b', "a|b", "{x}", "<b>", "<script>alert(1)</script>", "<b>bold</b>", "]]>", "]", "w[0]"),
    *("\\", "a\\", "\\n", "\\N", "\\G", "\\l", "\\\\N", "&lt;", "&amp;", "&#93;", "&", "<", ">"),
    *("-->", "a;b}", "//c", "/*c", "#", "a:b:c", "$x$", "'", "`", "%", "«Møøse»", "损失", "权重 w"),
    *(
        "🙂",
        "👩‍👩‍👧",
        "abc\u202edef",
        "שלום",
        "e\u0301",
        "\u200b",
        "\x7f",
        "\x85",
        "\u2028",
        "<BR/>",
    ),
    *("</TD></TR></TABLE>>", "digraph{a->b}", '<IMG SRC="/etc/passwd"/>', "javascript:alert(1)"),
]


def test_hostile_labels_are_shown_literally(renderer):
    roots = [Value(float(i), label=label) for i, label in enumerate(HOSTILE)]
    shown = shown_texts(draw_dot(roots))
    assert [shown[f"n{i}"][0] for i in range(len(HOSTILE))] == [*map(typeset, HOSTILE)]
    changed = [label for label in HOSTILE if typeset(label) != label]
    assert changed == ["w[0]", "e\u0301"]


def test_hostile_operations_are_shown_literally(renderer):
    x = Value(1.0)
    roots = [Value(1.0, (x,), text) for text in HOSTILE]
    shown = shown_texts(draw_dot(roots))
    assert [shown[f"n{i}op"][0] for i in range(1, len(HOSTILE) + 1)] == HOSTILE


def test_hostile_numbers_are_shown_literally(renderer):
    roots = [Value(1.0) for _ in HOSTILE]
    for root, text in zip(roots, HOSTILE, strict=True):
        root.data, root.grad = text, text[::-1]
    shown = shown_texts(draw_dot(roots))
    assert [shown[f"n{i}"][1::2] for i in range(len(HOSTILE))] == [
        [text, text[::-1]] for text in HOSTILE
    ]
    for nothing in ("", " ", "\n"):
        roots[0].data = nothing
        assert draw_dot(roots[0]).pipe()


def test_hostile_partials_are_shown_literally(renderer):
    roots = [Value(1.0, (Value(1.0),), "made", local_grads=(1.0,)) for _ in HOSTILE]
    for root, text in zip(roots, HOSTILE, strict=True):
        root._dx = text
    svg = ET.fromstring(draw_dot(roots, local_partials=True).pipe())
    arrows = {
        arrow.get("id"): (arrow.findtext(f".//{SVG}text") or "").replace("\xa0", " ").strip()
        for arrow in svg.iter(f"{SVG}g")
    }
    for i, text in enumerate(HOSTILE):
        assert arrows[f"n{2 * i + 1}e0"] == text.strip()


def printable():
    kept = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    grammar = st.sampled_from([*'<>[]{}|"\\&;/:-', "\\N", "&lt;", "]]>", "<BR/>", "</B>", "<!--"])
    return st.lists(kept | grammar, min_size=1, max_size=12).map("".join)


@pytest.mark.slow
@pytest.mark.parametrize("program", EACH_RENDERER)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(labels=HOSTILE)
@given(labels=st.lists(printable(), min_size=1, max_size=150))
def test_any_label_is_shown_literally(program, labels):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRAD_DOT", program)
        shown = shown_texts(draw_dot([Value(0.0, label=label) for label in labels]))
    alike = Counter(map(typeset, {*labels}))  # of labels that would look alike, none is typeset
    assert [shown[f"n{i}"][0] for i in range(len(labels))] == [
        (typeset(label) if alike[typeset(label)] == 1 else label).replace("\xa0", " ")
        for label in labels
    ]


@pytest.mark.parametrize("character", ["\0", "\1", "\x0b", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_no_picture_can_hold_is_replaced(renderer, character):
    root = Value(1.0, label=f"a{character}b")
    assert shown_texts(draw_dot(root))["n0"][0] == "a\ufffdb"


def test_lines_of_a_label_are_lines_of_the_box(renderer):
    root = Value(1.0, label="one\ntwo\r\n\tthree\r<four>")
    assert shown_texts(draw_dot(root))["n0"][:4] == ["one", "two", " three", "<four>"]
    for label in ("\n", "a\n\nb", "\na", "a\n"):
        shown = shown_texts(draw_dot(Value(1.0, label=label)))["n0"]
        assert "".join(shown).replace(" ", "") == label.replace("\n", "") + "data1grad—"


def test_a_long_label_is_cut(renderer):
    long, tall = "x" * 10_000, "\n".join("12345678")
    (first, *_), (second, *_) = (
        shown_texts(draw_dot(Value(1.0, label=s)))["n0"] for s in (long, "x" * LONGEST)
    )
    assert first == "x" * LONGEST + "…"
    assert second == "x" * LONGEST
    assert len(draw_dot(Value(1.0, label=long)).source) < 2_000
    shown = shown_texts(draw_dot(Value(1.0, label=tall)))["n0"]
    assert shown[:MOST_LINES] == ["1", "2", "3", "4…"]


def test_a_label_that_is_no_text_is_shown_as_text():
    x = Value(1.0)
    x.label = 7
    assert boxes(x)[0].label == "7"
    x.label = None
    assert boxes(x)[0].label == ""


def test_a_box_is_wide_enough_for_chinese():
    assert 'WIDTH="56"' in draw_dot(Value(1.0, label="损失函数")).source


def test_what_a_user_wrote_is_only_ever_text(renderer):
    x = Value(1.0, label="needle")
    svg = ET.fromstring(draw_dot(Value(2.0, (x,), "needle")).pipe())
    for element in svg.iter():
        assert not any("needle" in value for value in element.attrib.values())
        assert not any("href" in name for name in element.attrib)
        if "needle" in (element.text or ""):
            assert element.tag.endswith("}text")
