"""Every renderer pipes, writes and shows pictures alike."""

import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import graphviz
import pytest

from micrograd import Value
from micrograd.drawing import RenderingError, draw_dot
from tests.drawing.common import PURE, SYSTEM_DOT, expression


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


@pytest.mark.slow
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
