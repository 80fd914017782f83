"""A drawing in Mermaid, JSON and as a tree: what each shows, and that it needs no renderer."""

import json
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from micrograd import Value
from micrograd.drawing import draw_dot, renderers
from micrograd.drawing.formats import DRAWN, SUFFIXES, WRITERS
from micrograd.drawing.mermaid import mermaid_text
from micrograd.drawing.text_tree import terminal_text
from micrograd.engine.graph import order
from micrograd.writing.labels import columns, shortened, without_turns
from micrograd.writing.names import typeset
from nn import MLP
from tests.drawing.common import chain, expression
from tests.drawing.test_labels import HOSTILE

TREACHEROUS = [
    *HOSTILE,
    *("`**bold**`", "1. one", "- item", "#quot;", "#35;", "$$x^2$$", "fa:fa-car", "%%{init: {}}%%"),
    *("end", "graph TD", "subgraph", "classDef a fill:#fff;", "ﬂ°°65¶ß", "a\nb", "two  spaces"),
    *("\\input{/etc/passwd}", "\\write18{ls}", "^^41", "^^M", "~", "_", "\\\\", "--", "''", "``"),
    *(
        '"]\nclick n0 href "javascript:alert(1)"',
        "</script><script>alert(1)</script>",
        "x" * 10_000,
    ),
    *("\x1b[31m", "\x9b31m", "\u2028", "\u2029", "\ufeff", "\u202e", "\u2067", "É", "ß", "\xa0"),
]
LABELS = st.sampled_from(TREACHEROUS) | st.text(max_size=80)


@pytest.fixture
def no_renderer(monkeypatch):
    def refuse(*_, **__):
        pytest.fail("a renderer was asked")

    monkeypatch.setattr(renderers, "run", refuse)
    monkeypatch.setattr(renderers, "find", refuse)


def decoded(text):
    """What Mermaid shows for an encoded label."""
    return re.sub(r"#(\d+);", lambda code: chr(int(code[1])), text.replace("<br/>", "\n"))


def written(name, graph):
    return WRITERS[name](graph.picture, graph.theme)


def test_every_suffix_is_of_a_format_that_somebody_writes():
    assert {*WRITERS, *DRAWN, "dot"} == {*SUFFIXES.values()}


@pytest.mark.parametrize("write", WRITERS)
def test_text_formats_need_no_renderer_and_are_the_same_each_time(no_renderer, write):
    z = expression()
    z.backward()
    graph = draw_dot(z, contributions=True)
    text = written(write, graph)
    assert text == written(write, draw_dot(z, contributions=True))
    if write != "svg":  # which is Graphviz's where there is one
        assert text == getattr(graph, write)()
    assert text.endswith("\n")
    assert "z" in text


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("level", ["operation", "neuron", "layer"])
def test_every_format_has_every_level(write, level):
    model = MLP(2, [12, 1])
    text = written(write, draw_dot(model([Value(1.0), 2.0]), model=model, level=level))
    shown = decoded(text) if write == "mermaid" else text.replace("\\ ", " ")
    assert "layer 2" in shown or re.search(r"w⁽²⁾₁₂|w\^\{\( 2 \)\}_\{12\}", shown)
    assert ("… 4 more" in shown) is (level == "layer")


# ------------------------------------------------------------------------------------------ Mermaid


def test_the_flowchart_has_the_same_nodes_and_arrows():
    x = Value(2.0, label="x")
    out = x * 3
    out.backward()
    assert draw_dot(out, "svg", "TB", local_partials=True).mermaid().splitlines()[:6] == [
        "flowchart TB",
        '    n0["x<br/>data#32;2<br/>grad#32;3"]',
        '    n1["data#32;6<br/>grad#32;1"]',
        '    n1op(["□#32;#42;#32;3"])',
        '    n0 -->|"3"| n1op',
        "    n1op --> n1",
    ]


@example(label="\\n $$x$$ fa:fa-car ﬂ°°65¶ß")
@given(label=LABELS)
def test_a_label_in_mermaid_is_letters_digits_and_codes_of_characters(label):
    written = mermaid_text(shortened(label))
    assert re.fullmatch(r"(?:#\d+;|<br/>|\w|[\x80-\x9f⁽⁾⁺⁻⁼₊₋₌₍₎′·□\u0302-\u0308])*", written)
    assert not re.search(r"[\x00-\x2f:-@\[-`{-\x7f]", re.sub(r"#\d+;|<br/>", "", written))
    # A word joiner that was not there keeps Mermaid from finding what it looks for.
    plain = decoded(written)
    if "\u2060" not in label:
        assert plain.replace("\u2060", "") == shortened(label)
        assert not re.search(r"\\n|\$\$|:fa-|ﬂ°|¶ß", plain)


@given(label=LABELS)
def test_a_label_in_mermaid_never_leaves_its_line(label):
    x = Value(1.0, label=label)
    lines = draw_dot(Value(2.0, (x,), label or "f")).mermaid().split("\n")
    shapes = [re.sub(r'"[^"]*"', '""', line.strip()) for line in lines]
    shapes = [line for line in shapes if not line.startswith("class")]
    assert shapes == [
        *("flowchart LR", 'n0[""]', 'n1[""]', 'n1op([""])', "n0 --> n1op", "n1op --> n1", "")
    ]


def test_frames_are_subgraphs():
    model = MLP(2, [2, 1])
    lines = draw_dot(model([1.0, 2.0]), model=model).mermaid().splitlines()
    assert sum(line.strip().startswith("subgraph ") for line in lines) == 5
    assert sum(line.strip() == "end" for line in lines) == 5
    depth = 0
    for line in lines:
        depth += line.strip().startswith("subgraph ") - (line.strip() == "end")
        assert 0 <= depth <= 2


# --------------------------------------------------------------------------------------------- JSON


def test_json_has_the_numbers_as_they_are():
    x = Value(1 / 3, label="x")
    out = x * 3
    out.backward()
    told = json.loads(draw_dot(out, local_partials=True).json())
    assert (told["format"], told["version"], told["direction"]) == ("micrograd graph", 1, "LR")
    assert told["roots"] == ["n1"]
    assert told["nodes"] == [
        {"id": "n0", "kind": "leaf", "label": "x", "data": 1 / 3, "grad": 3.0, "group": None},
        {"id": "n1op", "kind": "operation", "text": "□ * 3"},
        {"id": "n1", "kind": "value", "label": "", "data": 1.0, "grad": 1.0, "group": None},
    ]
    assert told["edges"] == [
        {"id": "n1e0", "from": "n0", "to": "n1op", "text": "3", "weight": None},
        {"id": "n1out", "from": "n1op", "to": "n1", "text": None, "weight": None},
    ]


def test_json_is_strict():
    def refuse(name):
        pytest.fail(f"{name} is not JSON")

    values = [Value(x) for x in (math.nan, math.inf, -math.inf, 1.0)]
    values[3].data = "seven"
    told = json.loads(draw_dot(values).json(), parse_constant=refuse)
    assert [node["data"] for node in told["nodes"]] == ["nan", "inf", "-inf", "seven"]
    assert [node["grad"] for node in told["nodes"]] == [None] * 4


@given(label=LABELS)
def test_a_label_in_json_is_read_back(label):
    text = draw_dot(Value(1.0, label=label)).json()
    assert json.loads(text)["nodes"][0]["label"] == shortened(label)
    assert "<" not in text  # nothing ends a <script> around it


def test_every_edge_of_the_json_joins_nodes_of_it():
    model = MLP(2, [3, 1])
    out = model([Value(1.0), Value(2.0)])
    for level in ("operation", "neuron", "layer"):
        told = json.loads(draw_dot(out, model=model, level=level, focus=out, path=out).json())
        ids = {node["id"] for node in told["nodes"]}
        assert {end for edge in told["edges"] for end in (edge["from"], edge["to"])} <= ids
        groups = {group["id"] for group in told["groups"]} | {None}
        assert {node.get("group") for node in told["nodes"]} <= groups
        assert {group["parent"] for group in told["groups"]} <= groups


# --------------------------------------------------------------------------------------------- tree


def test_the_tree_leads_from_the_root_to_the_operands():
    x, y = Value(2.0, label="x"), Value(-3.0, label="损失")
    out = (x * y + x).tanh()
    out.label = "out"
    assert draw_dot(out).tree() == (
        "out                = tanh  data -0.9993  grad —\n"
        "└── n3             = +     data -4       grad —\n"
        "    ├── n2         = *     data -6       grad —\n"
        "    │   ├── x              data 2        grad —\n"
        "    │   └── 损失           data -3       grad —\n"
        "    └── x (above)\n"
    )


def test_columns_of_the_tree_stand_below_each_other():
    x = Value(2.0, label="权重 w")
    out = (x * Value(1.0, label="b") + Value(0.5, label="e\u0301")).exp()
    starts = {columns(line.partition("data ")[0]) for line in draw_dot(out).tree().splitlines()}
    assert len(starts) == 1


def test_roots_follow_each_other_and_names_that_are_not_unique_are_told_apart():
    x, other = Value(2.0, label="x"), Value(3.0, label="x")
    assert [
        line.split("  ")[0] for line in draw_dot([x * 1, x + 1, other]).tree().splitlines()
    ] == [*("n1", "└── x [n0]", "n2", "└── x [n0] (above)", "x [n3]")]


@pytest.mark.slow
def test_a_deep_tree_is_continued_at_the_margin():
    out = chain(3_000)
    text = draw_dot(out, max_nodes=5_000).tree()
    assert max(map(len, text.splitlines())) < 200
    names = re.findall(r"n\d+", re.sub(r".*\((above|below)\).*", "", text))
    assert sorted(names) == sorted(f"n{i}" for i in range(3_001))


@given(label=LABELS)
def test_a_label_in_a_tree_stays_on_its_line_and_commands_no_terminal(label):
    text = draw_dot(Value(1.0, label=label).exp()).tree()
    assert len(text.splitlines()) == 2
    shown = terminal_text(typeset(shortened(label)))
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", shown)
    assert shown.strip() in text
    plain = shown.strip("\u2068\u2069").replace(" ⏎ ", "\n")
    visible = re.sub("[\x7f-\x9f\u2028\u2029]", "\ufffd", without_turns(typeset(shortened(label))))
    assert plain == visible.replace(" ⏎ ", "\n")


def test_what_runs_from_right_to_left_does_not_turn_the_line():
    assert terminal_text("שלום") == "\u2068שלום\u2069"
    assert terminal_text("abc\u202edef") == "abc⟨U+202E⟩def"
    assert terminal_text("\u2069\u2067x") == "⟨U+2069⟩⟨U+2067⟩x"
    assert terminal_text("损失 é") == "损失 é"


def test_every_value_is_in_the_tree_once():
    x = Value(1.0)
    a = x * x
    b = a * a + a
    text = draw_dot([b, a.exp()]).tree()
    told = re.findall(r"(n\d+)(?! \()\b(?=  |\s*$)", text, flags=re.MULTILINE)
    assert sorted(told) == sorted(f"n{i}" for i in range(len(order([b, a.exp()]))))
