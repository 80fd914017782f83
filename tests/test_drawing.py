"""The specification of `micrograd.drawing`: what a drawing shows, and what draws it."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import graphviz
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from micrograd import Value, define, maximum, where
from micrograd.drawing import MAX_NODES, RendererNotFound, RenderingError, draw_dot
from micrograd.drawing import renderer as renderers
from micrograd.drawing.picture import depict
from micrograd.drawing.text import LONGEST, MOST_LINES, gradient, number, width
from micrograd.graph import order
from nn import MLP

# ------------------------------------------------------------------------------------------ helpers

SYSTEM_DOT = shutil.which("dot")
PURE = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")) or shutil.which(
    "graphviz-pure"
)
SVG = "{http://www.w3.org/2000/svg}"
POSIX = pytest.mark.skipif(os.name != "posix", reason="the stand-in renderers are shell scripts")


def needs(program, name):
    return pytest.param(
        program, id=name, marks=pytest.mark.skipif(not program, reason=f"{name} is not installed")
    )


EACH_RENDERER = [needs(PURE, "graphviz-pure"), needs(SYSTEM_DOT, "dot")]


@pytest.fixture(params=EACH_RENDERER)
def renderer(request, monkeypatch):
    """Each renderer in turn, chosen as a user would choose it."""
    monkeypatch.setenv("MICROGRAD_DOT", request.param)
    return request.param


@pytest.fixture
def no_renderer(monkeypatch, tmp_path):
    """A machine without Graphviz and without graphviz-pure."""
    monkeypatch.delenv("MICROGRAD_DOT", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "scripts"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return tmp_path


def stand_in(folder, name, script):
    """An executable in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def shown_texts(graph):
    """The lines of text in each node of the SVG, by the node's name."""
    svg = ET.fromstring(graph.pipe("svg"))
    return {
        group.findtext(f"{SVG}title"): [
            (text.text or "").replace("\xa0", " ") for text in group.iter(f"{SVG}text")
        ]
        for group in svg.iter(f"{SVG}g")
        if group.get("class") == "node"
    }


def arrivals(graph):
    """For each arrow (tail, head, x, y) with the place of its tip, y upwards."""
    drawn = json.loads(graph.pipe("json"))
    names = {node["_gvid"]: node["name"] for node in drawn["objects"]}
    return [
        (
            names[edge["tail"]],
            names[edge["head"]],
            *map(float, edge["pos"].split()[0].split(",")[1:]),
        )
        for edge in drawn["edges"]
    ]


def operations(root):
    return [box.step.text for box in depict(root) if box.step]


def edges(graph):
    return re.findall(r"^\t(\w+) -> (\w+)", graph.source, flags=re.MULTILINE)


def expression():
    x, y = Value(2.0, label="x"), Value(-3.0, label="y")
    z = (x * y + 10).tanh() - 2 / x
    z.label = "z"
    return z


# ------------------------------------------------------------------------------ what is handed back


def test_a_drawing_is_a_digraph_whose_first_three_parameters_are_positional():
    graph = draw_dot(expression(), "png", "TB")
    assert isinstance(graph, graphviz.Digraph)
    assert graph.format == "png"
    assert "rankdir=TB" in graph.source
    assert draw_dot(expression()).format == "svg"
    assert "rankdir=LR" in draw_dot(expression()).source


def test_importing_the_room_imports_neither_graphviz_nor_numpy():
    program = (
        "import micrograd.drawing, sys; print({'graphviz', 'numpy', 'subprocess'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


def test_a_copy_and_a_subgraph_draw_themselves_too(renderer):
    graph = draw_dot(expression())
    assert graph.copy().pipe() == graph.pipe()
    with graph.subgraph(name="cluster_more") as more:
        more.node("more")
    assert b"more" in graph.pipe()


def test_nodes_are_named_in_topological_order():
    z = expression()
    boxes = depict(z)
    assert [box.name for box in boxes] == [f"n{i}" for i in range(len(order(z)))]
    assert [box.label for box in boxes] == [node.label for node in order(z)]
    assert [box.step.name for box in boxes if box.step] == ["n2op", "n3op", "n4op", "n5op", "n6op"]


def test_the_text_is_the_same_in_every_process():
    program = (
        "from tests.test_drawing import expression, draw_dot\n"
        "import sys\n"
        "z = expression(); z.backward()\n"
        "sys.stdout.buffer.write(draw_dot(z, local_partials=True).source.encode())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    z = expression()
    z.backward()
    assert texts == {draw_dot(z, local_partials=True).source.encode()}


def test_several_roots_share_what_is_below_them():
    x = Value(2.0, label="x")
    together = draw_dot([x * x, x + 1, x])
    assert together.source.count("<B>x</B>") == 1
    assert len(depict(iter([x * x, x + 1]))) == 3


# --------------------------------------------------------------------------------------- operations


@pytest.mark.parametrize(
    ("build", "shown"),
    [
        (lambda x, y: x + y, "+"),
        (lambda x, y: x - y, "-"),
        (lambda x, y: x * y, "*"),
        (lambda x, y: x / y, "/"),
        (lambda x, y: x**y, "**"),
        (lambda x, y: -x, "neg"),
        (lambda x, y: x.tanh(), "tanh"),
        (lambda x, y: x.relu(), "ReLU"),
        (lambda x, y: x < y, "<"),
        (lambda x, y: maximum(x, y), "maximum"),
        (lambda x, y: where(x, y, x), "where"),
        (lambda x, y: x + 1, "□ + 1"),
        (lambda x, y: 0 + x, "0 + □"),
        (lambda x, y: x - 0.5, "□ - 0.5"),
        (lambda x, y: 2 - x, "2 - □"),
        (lambda x, y: x * -3, "□ * (-3)"),
        (lambda x, y: 1 / x, "1 / □"),
        (lambda x, y: x**2, "□**2"),
        (lambda x, y: x**-1, "□**-1"),
        (lambda x, y: (-2) ** x, "(-2)**□"),
        (lambda x, y: x > 0, "□ > 0"),
        (lambda x, y: maximum(0, x), "maximum(0, □)"),
        (lambda x, y: where(x, y, 0), "where(□, □, 0)"),
        (lambda x, y: where(x > 0, 1, -1), "where(□, 1, -1)"),
    ],
)
def test_an_operation_shows_its_symbol_with_constants_where_they_were_written(build, shown):
    assert operations(build(Value(2.0), Value(3.0)))[-1] == shown


def test_an_operation_of_a_user_shows_the_symbol_of_its_row():
    blend = define("blend_for_drawing", "x * y + x", ["y + 1", "x"], symbol="⊕")
    x = Value(2.0)
    assert operations(blend(x, x)) == ["⊕"]
    assert operations(blend(x, 3)) == ["□ ⊕ 3"]
    clip = define("clip_for_drawing", "x * y + z", ["y", "x", "1"], symbol="±")
    assert operations(clip(x, 1, 2)) == ["±(□, 1, 2)"]


def test_an_operand_used_twice_has_two_arrows():
    x = Value(3.0)
    assert edges(draw_dot(x * x)) == [("n0", "n1op"), ("n0", "n1op"), ("n1op", "n1")]


def test_a_constant_is_no_node():
    assert len(depict(2 - Value(1.0) * 3)) == 3


def test_operations_made_by_hand_are_drawn_with_all_their_operands():
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    out = Value(6.0, (x, y, z, x), "sum<4>")
    assert operations(out) == ["sum<4>"]
    assert edges(draw_dot(out)) == [(n, "n3op") for n in ("n0", "n1", "n2", "n0")] + [
        ("n3op", "n3")
    ]
    assert operations(Value(3.0, (x, y))) == ["?"]
    assert operations(Value(1.0, (), "+")) == []  # no operand: a leaf


@pytest.mark.parametrize(
    ("rankdir", "axis", "sign"), [("LR", 3, -1), ("RL", 3, -1), ("TB", 2, 1), ("BT", 2, 1)]
)
def test_operands_arrive_in_their_order(renderer, rankdir, axis, sign):
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    both = where(a - b, b - a, c * a) / (b * b - a)
    graph = draw_dot(both, rankdir=rankdir)
    written, placed = {}, {}
    for tail, head in edges(graph):
        if head.endswith("op"):
            written.setdefault(head, []).append(tail)
    for end in sorted(arrivals(graph), key=lambda end: sign * end[axis]):
        if end[1].endswith("op"):
            placed.setdefault(end[1], []).append(end[0])
    assert len(written) == 7
    assert placed == written


# ------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (2.0, "2"),
        (-3, "-3"),
        (0.5, "0.5"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.3000"),
        (0.8813735870195429, "0.8814"),
        (-12.34567, "-12.3457"),
        (2.00000001, "2.0000"),
        (0.012345678, "0.01235"),
        (0.001, "0.001"),
        (0.000123456, "1.235e-4"),
        (123456.0, "123456"),
        (999999.99999, "1000000.0000"),
        (1e6, "1e6"),
        (1234567.8, "1.235e6"),
        (1e-9, "1e-9"),
        (-1.23456e-9, "-1.235e-9"),
        (5e-324, "4.941e-324"),
        (1.7976931348623157e308, "1.798e308"),
        (0.0, "0"),
        (-0.0, "-0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (10**400, "inf"),
        (True, "1"),
        (Fraction(1, 3), "0.3333"),
        (None, "None"),
        (1j, "1j"),
    ],
)
def test_a_number_is_short_and_says_whether_it_was_rounded(x, shown):
    assert number(x) == shown


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_never_lost(x):
    text = number(x)
    assert len(text) <= 14
    try:
        read = float(text)
    except OverflowError:
        read = math.inf
    if math.isinf(read):  # the very largest floats, rounded up
        assert abs(x) > 1.79e308
    else:
        assert math.isclose(read, x, rel_tol=5.1e-4)
        assert math.copysign(1, read) == math.copysign(1, x)
    if not re.search(r"\.\d*0(e|$)", text) and len(re.findall(r"\d", text.split("e")[0])) < 4:
        assert read == x


def test_a_gradient_is_a_dash_until_a_backward_pass_reaches_the_value():
    x, unused = Value(2.0), Value(5.0)
    y = x * 3
    assert [box.grad for box in depict(y)] == ["—", "—"]
    y.backward()
    assert [box.grad for box in depict([y, unused])] == ["3", "1", "—"]


def test_a_gradient_of_zero_is_zero_after_a_backward_pass():
    x = Value(-1.0)
    y = x.relu()
    y.backward()
    assert [box.grad for box in depict(y)] == ["0", "1"]


def test_a_gradient_that_was_set_to_zero_is_a_dash_again():
    model = MLP(1, [1])
    out = model([1.0])
    out.backward()
    model.zero_grad()
    shown = {box.name: box.grad for box in depict(out)}
    names = dict(zip(map(id, order(out)), shown, strict=True))
    assert {shown[names[id(p)]] for p in model.parameters()} == {"—"}
    assert shown[names[id(out)]] == "1"  # an inner value keeps the last pass's
    out.backward()
    assert "—" not in {box.grad for box in depict(out)}


def test_a_zero_that_a_user_sets_as_a_float_is_shown():
    assert gradient(0.0) == "0"
    assert gradient(-0.0) == "-0"
    assert gradient(math.nan) == "nan"


def test_the_picture_shows_label_data_and_grad(renderer):
    x = Value(0.5, label="w[0]")
    y = x * 4
    y.backward()
    assert shown_texts(draw_dot(y)) == {
        "n0": ["w[0]", "data", "0.5", "grad", "4"],
        "n1": ["data", "2", "grad", "1"],
        "n1op": ["□ * 4"],
    }
    assert shown_texts(draw_dot(Value(1.0))) == {"n0": ["data", "1", "grad", "—"]}


def test_leaves_and_inner_values_differ():
    leaf, inner = (
        re.search(r"<TABLE (COLOR=\S+)", line)[1]
        for line in draw_dot(Value(1.0).exp()).body
        if "COLOR=" in line and "ellipse" not in line
    )
    assert leaf != inner


# ----------------------------------------------------------------------------------- local partials


def partials_shown(root):
    graph = draw_dot(root, local_partials=True)
    return re.findall(r"-> \w+op\S* \[label=< (\S+) >\]", graph.source)


def test_local_partials_stand_on_the_arrows_from_operands():
    x, y = Value(2.0), Value(-3.0)
    assert partials_shown(x * y) == ["-3", "2"]
    assert partials_shown(x - y) == ["1", "-1"]
    assert partials_shown(x**3) == ["12"]
    assert partials_shown(3 * x) == ["3"]
    assert not re.search("->.*label", draw_dot(x * y).source)


def test_a_partial_through_which_no_gradient_passes_is_zero():
    x, y = Value(1.0), Value(2.0)
    assert partials_shown(where(x, y, x)) == ["0", "1", "0"]
    assert partials_shown(y.detach()) == ["0"]


def test_a_partial_of_a_step_written_by_hand_is_unknown():
    x = Value(1.0)
    out = Value(2.0, (x,), "double")
    assert partials_shown(out) == ["0"]
    out._backward = lambda: None
    assert partials_shown(out) == ["?"]
    assert partials_shown(Value(2.0, (x,), "double", local_grads=(2.0,))) == ["2"]


def test_local_partials_are_drawn(renderer):
    x = Value(2.0)
    assert b">0.25<" in draw_dot(Value(0.25) * x, local_partials=True).pipe().replace(
        b"&#160;", b""
    )


# ------------------------------------------------------------------------------------------- labels

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
    assert [shown[f"n{i}"][0] for i in range(len(HOSTILE))] == HOSTILE


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
    x = Value(1.0)
    for text in HOSTILE:
        root = Value(1.0, (x,), "made", local_grads=(1.0,))
        root._dx = text
        svg = ET.fromstring(draw_dot(root, local_partials=True).pipe())
        shown = [(each.text or "").replace("\xa0", " ").strip() for each in svg.iter(f"{SVG}text")]
        assert text.strip() in shown


def printable():
    kept = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    grammar = st.sampled_from([*'<>[]{}|"\\&;/:-', "\\N", "&lt;", "]]>", "<BR/>", "</B>", "<!--"])
    return st.lists(kept | grammar, min_size=1, max_size=12).map("".join)


@pytest.mark.parametrize("program", EACH_RENDERER)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(labels=HOSTILE)
@given(labels=st.lists(printable(), min_size=1, max_size=15))
def test_any_label_is_shown_literally(program, labels):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRAD_DOT", program)
        shown = shown_texts(draw_dot([Value(0.0, label=label) for label in labels]))
    assert [shown[f"n{i}"][0] for i in range(len(labels))] == [
        label.replace("\xa0", " ") for label in labels
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
    assert depict(x)[0].label == "7"
    x.label = None
    assert depict(x)[0].label == ""


def test_a_box_is_wide_enough_for_chinese():
    assert width("损失函数", 12) == 48
    assert width("ab\n损失", 10) == 20
    assert width("e\u0301", 100) == width("e", 100)
    assert 'WIDTH="56"' in draw_dot(Value(1.0, label="损失函数")).source


def test_what_a_user_wrote_is_only_ever_text(renderer):
    x = Value(1.0, label="needle")
    svg = ET.fromstring(draw_dot(Value(2.0, (x,), "needle")).pipe())
    for element in svg.iter():
        assert not any("needle" in value for value in element.attrib.values())
        assert not any("href" in name for name in element.attrib)
        if "needle" in (element.text or ""):
            assert element.tag.endswith("}text")


# ---------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("x", "got str 'x'"),
        (3, "got int 3"),
        (None, "got NoneType None"),
        (b"x", "got bytes"),
        ({"loss": Value(1.0)}, "got dict"),
        ({Value(1.0)}, "which has no order: give a list"),
        ([Value(1.0), 2.0], "got float 2.0 at position 1"),
        ([[Value(1.0)]], "got list .* at position 0"),
        (Value, "got type"),
    ],
)
def test_what_is_no_value_is_refused(root, told):
    with pytest.raises(TypeError, match=told):
        draw_dot(root)


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_dot([])


@pytest.mark.parametrize("rankdir", ["lr", "", None, "LR];x", 3, ["LR"]])
def test_an_unknown_direction_is_refused(rankdir):
    with pytest.raises(ValueError, match="rankdir is one of LR, RL, TB, BT"):
        draw_dot(Value(1.0), rankdir=rankdir)


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="unknown format"):
        draw_dot(Value(1.0), "svgg")
    with pytest.raises(ValueError, match="unknown format 'svgg'"):
        draw_dot(Value(1.0)).pipe("svgg")
    with pytest.raises(ValueError, match="unknown engine"):
        draw_dot(Value(1.0)).pipe(engine="-o/tmp/x")


# ------------------------------------------------------------------------------------- large graphs


def chain(length):
    x = Value(1.0)
    for _ in range(length):
        x = x + 1
    return x


def test_a_graph_too_large_to_read_is_refused_with_advice():
    with pytest.raises(ValueError, match=f"{MAX_NODES + 1} values") as refusal:
        draw_dot(chain(MAX_NODES))
    for advice in (f"limit {MAX_NODES}", "one sample", "one neuron", f"max_nodes={MAX_NODES + 1}"):
        assert advice in str(refusal.value)
    assert len(depict(chain(MAX_NODES - 1))) == MAX_NODES
    assert draw_dot(chain(MAX_NODES), max_nodes=MAX_NODES + 1)


def test_a_million_values_are_refused_in_the_time_of_a_walk():
    root = chain(999_999)
    start = time.perf_counter()
    order(root)
    walk = time.perf_counter() - start
    start = time.perf_counter()
    with pytest.raises(ValueError, match="1,000,000 values"):
        draw_dot(root)
    assert time.perf_counter() - start < 3 * walk + 0.5


def test_one_sample_and_the_loss_of_four_samples_of_a_small_network_are_drawn_by_default():
    model = MLP(3, [4, 4, 1], activation="tanh", output_activation="tanh")
    inputs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    assert len(depict(model([Value(x) for x in inputs[0]]))) == 117
    loss = sum((model(x) - y) ** 2 for x, y in zip(inputs, [1.0, -1.0, -1.0, 1.0], strict=True))
    assert len(depict(loss)) == 345


def test_the_text_of_five_thousand_values_takes_less_than_half_a_second():
    x = Value(1.0, label="x")
    while len(order(x)) < 4_990:
        for _ in range(10):
            x = x * 1.0001
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        text = draw_dot(x, local_partials=True, max_nodes=10_000).source
        best = min(best, time.perf_counter() - start)
    assert text.count("ellipse") >= 4_990
    assert best < 0.5


# ---------------------------------------------------------------------------------------- renderers


def test_every_renderer_pipes_bytes_and_text(renderer):
    graph = draw_dot(expression())
    assert isinstance(graph.pipe(), bytes)
    assert graph.pipe("png").startswith(b"\x89PNG")
    assert "<svg" in graph.pipe(encoding="utf-8")
    assert "—" in graph.pipe(encoding="utf-8").replace("&#45;", "-").replace("&#8212;", "—")


def test_every_renderer_writes_files(renderer, tmp_path):
    graph = draw_dot(expression())
    path = graph.render("picture", directory=tmp_path / "new")
    assert path == str(tmp_path / "new" / "picture.svg")
    assert ET.parse(path).getroot().tag.endswith("svg")
    assert (tmp_path / "new" / "picture").read_text(encoding="utf-8") == graph.source

    path = graph.render("other.gv", tmp_path, format="png", cleanup=True)
    assert Path(path) == tmp_path / "other.gv.png"
    assert Path(path).read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "other.gv").exists()

    path = graph.render(outfile=tmp_path / "third.png")
    assert Path(path).read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "third.gv").exists()


def test_without_a_file_name_the_working_directory_is_used(renderer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert draw_dot(expression()).render() == "ComputationGraph.gv.svg"
    assert draw_dot(expression()).render(outfile="a.svg") == "a.svg"
    assert {path.name for path in tmp_path.iterdir()} == {
        *("ComputationGraph.gv", "ComputationGraph.gv.svg", "a.gv", "a.svg")
    }


def test_render_overwrites_only_what_it_was_told_to(renderer, tmp_path):
    graph = draw_dot(expression())
    graph.render("a", tmp_path)
    with pytest.raises(graphviz.FileExistsError):
        graph.render("a", tmp_path, raise_if_result_exists=True)
    with pytest.raises(ValueError, match="also the file of the DOT text"):
        graph.render("a.svg", tmp_path, outfile="a.svg")
    assert (tmp_path / "a.svg").read_bytes() == graph.pipe()


def test_view_renders_and_opens_the_picture(renderer, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(graphviz, "view", lambda path, quiet: opened.append(path))
    assert draw_dot(expression()).view("a", directory=tmp_path) == str(tmp_path / "a.svg")
    assert opened == [str(tmp_path / "a.svg")]


def test_a_notebook_shows_the_picture(renderer):
    graph = draw_dot(expression())
    (shown,) = graph._repr_mimebundle_().items()
    assert shown[0] == "image/svg+xml"
    assert "<svg" in shown[1]
    assert set(graph._repr_mimebundle_(include=["image/png"])) == {"image/png"}
    assert graph._repr_mimebundle_(include=["image/png"], exclude=["image/png"]) == {}
    assert graph._repr_mimebundle_(include=["text/plain"]) == {}


def test_warnings_of_a_renderer_are_not_shown(renderer, capfd):
    draw_dot(Value(1.0, label="损失函数 🙂")).pipe()
    assert capfd.readouterr() == ("", "")


def test_the_graphviz_package_is_left_as_it_was(renderer, tmp_path):
    from graphviz.backend import dot_command

    draw_dot(expression()).render("a", tmp_path)
    assert str(dot_command.DOT_BINARY) == "dot"


def test_graphs_are_drawn_in_many_threads(renderer):
    graphs = [draw_dot(Value(float(i)).exp()) for i in range(12)]
    with ThreadPoolExecutor(6) as pool:
        drawn = list(pool.map(lambda graph: graph.pipe(), graphs))
    assert drawn == [graph.pipe() for graph in graphs]


@pytest.mark.skipif(not PURE, reason="graphviz-pure is not installed")
@pytest.mark.parametrize("kind", ["pdf", "ps"])
def test_a_format_beyond_a_renderer_is_refused_with_a_remedy(monkeypatch, kind):
    monkeypatch.setenv("MICROGRAD_DOT", PURE)
    with pytest.raises(RenderingError, match="graphviz-pure cannot write the format") as error:
        draw_dot(Value(1.0)).pipe(kind)
    for part in (f"format '{kind}'", "apt install graphviz", "format='svg'"):
        assert part in str(error.value)


@pytest.mark.skipif(not SYSTEM_DOT, reason="dot is not installed")
def test_graphviz_itself_writes_pdf(monkeypatch):
    monkeypatch.setenv("MICROGRAD_DOT", SYSTEM_DOT)
    assert draw_dot(Value(1.0)).pipe("pdf").startswith(b"%PDF")


# --------------------------------------------------------------------------- finding a renderer


def test_without_a_renderer_one_error_names_the_remedies(no_renderer, tmp_path):
    graph = draw_dot(expression())
    for attempt in (graph.pipe, lambda: graph.render("a", tmp_path)):
        with pytest.raises(RendererNotFound) as error:
            attempt()
        for part in (
            *("pip install 'micrograd-engine[render]'", "apt install graphviz"),
            *("brew install graphviz", "choco install graphviz", ".source", ".save(path)"),
        ):
            assert part in str(error.value)
    assert Path(graph.save("b.gv", directory=tmp_path)).read_text(encoding="utf-8") == graph.source
    assert (tmp_path / "a").read_text(encoding="utf-8") == graph.source


def test_without_a_renderer_a_notebook_shows_the_text_and_why(no_renderer):
    graph = draw_dot(Value(1.0, label="<script>alert(1)</script>"))
    shown = graph._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html"}
    assert "micrograd-engine[render]" in shown["text/plain"]
    assert graph.source in shown["text/plain"]
    assert "micrograd-engine[render]" in shown["text/html"]
    assert "<script" not in shown["text/html"]
    assert "&lt;TABLE" in shown["text/html"]
    assert set(graph._repr_mimebundle_(exclude=["text/html"])) == {"text/plain"}


@POSIX
def test_the_chosen_program_comes_first_then_dot_then_graphviz_pure(no_renderer, monkeypatch):
    def drawn():
        return draw_dot(Value(1.0)).pipe(encoding="utf-8").strip()

    on_path = no_renderer / "bin"
    monkeypatch.setenv("PATH", str(on_path))
    stand_in(on_path, "graphviz-pure", "echo pure on PATH")
    assert drawn() == "pure on PATH"
    stand_in(no_renderer, "graphviz-pure", "echo pure beside python")
    assert drawn() == "pure beside python"
    stand_in(no_renderer / "scripts", "graphviz-pure", "echo pure in scripts")
    assert drawn() == "pure in scripts"
    stand_in(on_path, "dot", "echo dot")
    assert drawn() == "dot"
    mine = stand_in(no_renderer / "my programs", "mine", 'echo mine "$@"')
    monkeypatch.setenv("MICROGRAD_DOT", str(mine))
    assert drawn() == "mine -Kdot -Tsvg"


@POSIX
def test_the_parameters_of_graphviz_reach_the_renderer(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRAD_DOT", str(stand_in(tmp_path, "mine", 'echo "$@"')))
    graph = draw_dot(Value(1.0))
    options = {"renderer": "cairo", "formatter": "gd", "engine": "neato", "neato_no_op": 2}
    path = graph.render("a", tmp_path, format="png", **options)
    assert path == str(tmp_path / "a.gd.cairo.png")
    assert Path(path).read_text().strip() == "-Kneato -Tpng:cairo:gd -n2"
    with pytest.raises(graphviz.RequiredArgumentError):
        graph.pipe(formatter="gd")
    path = graph.render("b.dot", tmp_path, outfile="c.png")
    assert path == str(tmp_path / "c.png")
    assert (tmp_path / "b.dot").exists()
    assert not (tmp_path / "c.gv").exists()


def test_a_chosen_program_that_does_not_exist_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRAD_DOT", str(tmp_path / "nowhere"))
    with pytest.raises(RendererNotFound, match=r"MICROGRAD_DOT is .*nowhere"):
        draw_dot(Value(1.0)).pipe()


@POSIX
def test_a_renderer_that_fails_is_named_with_its_complaint(monkeypatch, tmp_path):
    broken = stand_in(tmp_path, "broken", "echo 'no plugins' >&2; exit 3")
    monkeypatch.setenv("MICROGRAD_DOT", str(broken))
    with pytest.raises(RenderingError, match=r"broken failed with exit code 3: no plugins"):
        draw_dot(Value(1.0)).pipe()
    silent = stand_in(tmp_path, "silent", "exit 0")
    monkeypatch.setenv("MICROGRAD_DOT", str(silent))
    with pytest.raises(RenderingError, match="no output"):
        draw_dot(Value(1.0)).pipe()
    assert set(draw_dot(Value(1.0))._repr_mimebundle_()) == {"text/plain", "text/html"}


@POSIX
def test_a_renderer_that_takes_too_long_is_stopped(monkeypatch, tmp_path):
    slow = stand_in(tmp_path, "slow", "exec sleep 30")
    monkeypatch.setenv("MICROGRAD_DOT", str(slow))
    graph = draw_dot(Value(1.0))
    graph.timeout = 0.1
    with pytest.raises(RenderingError, match=r"slow was stopped after 0\.1 seconds"):
        graph.pipe()


@POSIX
def test_a_renderer_that_cannot_be_run_is_no_renderer(monkeypatch, tmp_path):
    (tmp_path / "empty").write_bytes(b"\0not a program")
    (tmp_path / "empty").chmod(0o755)
    monkeypatch.setenv("MICROGRAD_DOT", str(tmp_path / "empty"))
    with pytest.raises(RendererNotFound, match="could not be run"):
        draw_dot(Value(1.0)).pipe()


def test_where_there_are_no_processes_the_text_is_shown(monkeypatch):
    def refuse(*_, **__):
        raise OSError(138, "emscripten does not support processes")

    monkeypatch.setattr(renderers, "find", lambda: "dot")
    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(RendererNotFound, match="emscripten"):
        draw_dot(Value(1.0)).pipe()
    assert "text/plain" in draw_dot(Value(1.0))._repr_mimebundle_()


def test_a_notebook_does_not_draw_a_huge_graph_by_itself(monkeypatch):
    monkeypatch.setattr(renderers, "run", lambda *_: pytest.fail("it was drawn"))
    shown = draw_dot(chain(3_000), max_nodes=10_000)._repr_mimebundle_()
    assert "call .render(path)" in shown["text/plain"]
    assert max(map(len, shown.values())) < 100_000


# ------------------------------------------------------------------------------ code of the lecture


def test_a_drawing_function_written_for_the_original_class_runs(renderer):
    def trace(root):
        nodes, arrows = set(), set()

        def build(v):
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    arrows.add((child, v))
                    build(child)

        build(root)
        return nodes, arrows

    def draw(root):
        dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
        nodes, arrows = trace(root)
        for n in nodes:
            text = f"{{ {n.label} | data {n.data:.4f} | grad {n.grad:.4f} }}"
            dot.node(name=str(id(n)), label=text, shape="record")
            if n._op:
                dot.node(name=str(id(n)) + n._op, label=n._op)
                dot.edge(str(id(n)) + n._op, str(id(n)))
        for tail, head in arrows:
            dot.edge(str(id(tail)), str(id(head)) + head._op)
        return dot

    z = expression()
    z.backward()
    dot = draw(z)
    svg = renderers.run(dot.source, ["-Tsvg"])
    assert svg.count(b'class="node"') == 12
    assert svg.count(b'class="edge"') == 12
