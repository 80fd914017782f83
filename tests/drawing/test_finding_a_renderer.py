"""Which renderer is found, and what is told where there is none or it fails."""

import os
import stat
import struct
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from pathlib import Path

import graphviz
import pytest

from micrograd import Value
from micrograd.drawing import (
    RendererNotFound,
    RenderingError,
    computation_graph,
    draw_dot,
    renderers,
)
from tests.drawing.common import chain, expression

WORDS = {"text/plain", "text/html"}  # what stands in for a picture
POSIX = pytest.mark.skipif(os.name != "posix", reason="the stand-in renderers are shell scripts")


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


def drawn_by_ourselves(graph):
    return computation_graph.WRITERS["svg"](graph.picture, graph.theme)


def test_without_a_renderer_svg_is_the_projects_own(no_renderer, tmp_path):
    graph = draw_dot(expression(), local_partials=True, theme="dark")
    own = drawn_by_ourselves(graph)
    assert graph.pipe() == own.encode()
    assert graph.pipe(encoding="utf-8") == own
    assert graph.copy().pipe() == own.encode()
    assert graph._repr_image_svg_xml() == own
    assert graph._repr_mimebundle_() == {"image/svg+xml": own}
    assert Path(graph.write(tmp_path / "a.svg")).read_text(encoding="utf-8") == own
    path = Path(graph.render("b", tmp_path))
    assert path == tmp_path / "b.svg"
    assert path.read_text(encoding="utf-8") == own
    assert (tmp_path / "b").read_text(encoding="utf-8") == graph.source


def test_without_a_renderer_png_is_drawn_by_resvg(no_renderer, tmp_path):
    resvg_py = pytest.importorskip("resvg_py")
    if not renderers._family(resvg_py):
        pytest.skip("no font is installed")
    for label in ("x", "损失"):
        graph = draw_dot(Value(1.0, label=label))
        png = graph.pipe("png")
        width, height = struct.unpack(">II", png[16:24])
        told = ET.fromstring(drawn_by_ourselves(graph))
        assert (width, height) == (int(told.get("width")), int(told.get("height")))
        assert Path(graph.write(tmp_path / "a.png")).read_bytes() == png
        assert set(graph._repr_mimebundle_(include=["image/png"])) == {"image/png"}
    assert draw_dot(Value(1.0, label="损失")).pipe("png") != draw_dot(
        Value(1.0, label="梯度")
    ).pipe("png")


def needs_a_renderer(monkeypatch, graph):
    """Ways to ask for what only a renderer can do."""
    yield lambda: graph.pipe("pdf")
    yield lambda: graph.pipe("jpg")
    yield lambda: graph.pipe(engine="neato")
    changed = graph.copy()
    changed.node("more")
    yield changed.pipe
    sized = graph.copy()
    sized.attr(dpi="300")
    yield sized.pipe
    with graph.copy().subgraph(name="cluster_more") as more:
        more.node("more")
    yield more.pipe
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    yield lambda: graph.pipe("png")


def test_what_only_a_renderer_can_do_is_refused_without_one_and_the_error_names_the_remedies(
    no_renderer, monkeypatch, tmp_path
):
    graph = draw_dot(expression())
    for attempt in needs_a_renderer(monkeypatch, graph):
        with pytest.raises(RendererNotFound) as error:
            attempt()
        for part in (
            *("pip install graphviz-pure resvg-py", "apt install graphviz"),
            *("brew install graphviz", "choco install graphviz", ".source", ".save(path)"),
            *("SVG is drawn all the same", "resvg-py"),
        ):
            assert part in str(error.value)
    with pytest.raises(RendererNotFound):
        graph.render("a", tmp_path, format="pdf")
    assert (tmp_path / "a").read_text(encoding="utf-8") == graph.source
    assert Path(graph.save("b.gv", directory=tmp_path)).read_text(encoding="utf-8") == graph.source


def test_where_a_picture_cannot_be_drawn_a_notebook_shows_the_text_and_why(no_renderer):
    graph = draw_dot(Value(1.0, label="<script>alert(1)</script>"))
    graph.node("more")
    shown = graph._repr_mimebundle_()
    assert set(shown) == WORDS
    assert "graphviz-pure" in shown["text/plain"]
    assert shown["text/plain"].endswith(graph.tree())
    assert "graphviz-pure" in shown["text/html"]
    assert "<script" not in shown["text/html"]
    assert "&lt;script" in shown["text/html"]
    assert set(graph._repr_mimebundle_(exclude=["text/html"])) == WORDS - {"text/html"}


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
    assert set(draw_dot(Value(1.0))._repr_mimebundle_()) == WORDS


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


def test_where_there_are_no_processes_the_project_draws(monkeypatch):
    def refuse(*_, **__):
        raise OSError(138, "emscripten does not support processes")

    monkeypatch.delenv("MICROGRAD_DOT", raising=False)
    monkeypatch.setattr(renderers, "find", lambda: "dot")
    monkeypatch.setattr(subprocess, "run", refuse)
    graph = draw_dot(Value(1.0))
    assert graph.pipe() == drawn_by_ourselves(graph).encode()
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(RendererNotFound, match="use format='svg', which needs none") as refused:
        graph.pipe("pdf")
    assert "install" not in str(refused.value)  # nothing that could be installed would help
    assert set(graph._repr_mimebundle_()) == {"image/svg+xml"}


@pytest.mark.slow
def test_a_notebook_does_not_draw_a_huge_graph_by_itself(monkeypatch):
    monkeypatch.setattr(renderers, "run", lambda *_: pytest.fail("it was drawn"))
    shown = draw_dot(chain(3_000), max_nodes=10_000)._repr_mimebundle_()
    assert "call .render(path)" in shown["text/plain"]
    assert max(map(len, shown.values())) < 100_000
