"""`.write(path)` chooses by the suffix, and writes a whole file or none."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from micrograd import files
from micrograd.drawing import RenderingError, draw_dot, renderers
from tests.drawing.common import expression


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [
        (".gv", "digraph"),
        (".dot", "digraph"),
        (".mmd", "flowchart"),
        (".tex", r"\documentclass"),
        (".json", "{"),
        (".txt", "z "),
        (".JSON", "{"),
    ],
)
def test_text_is_written_without_a_renderer(monkeypatch, tmp_path, suffix, begins):
    monkeypatch.setattr(renderers, "find", lambda: pytest.fail("a renderer was asked"))
    path = tmp_path / "new" / f"graph{suffix}"
    assert draw_dot(expression()).write(path) == str(path)
    assert path.read_text(encoding="utf-8").startswith(begins)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_pictures_are_drawn_by_the_renderer(renderer, tmp_path):
    graph = draw_dot(expression())
    assert ET.parse(graph.write(tmp_path / "a.svg")).getroot().tag.endswith("svg")
    assert Path(graph.write(tmp_path / "a.png")).read_bytes().startswith(b"\x89PNG")
    assert Path(graph.write(tmp_path / "a.jpg")).read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", ["graph", "graph.bmp", "graph.tar.gz", ".svg"])
def test_another_suffix_is_refused_with_a_list(tmp_path, name):
    with pytest.raises(ValueError, match=r"one of \.svg, \.png, \.pdf, .*\.tex, \.json, \.txt"):
        draw_dot(expression()).write(tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_where_the_renderer_fails_the_file_stays_as_it_was(monkeypatch, tmp_path):
    path = tmp_path / "a.svg"
    path.write_text("before")

    def fail(*_):
        raise RenderingError("no")

    monkeypatch.setattr(renderers, "run", fail)
    with pytest.raises(RenderingError):
        draw_dot(expression()).write(path)
    assert path.read_text() == "before"


def test_where_writing_fails_the_file_stays_as_it_was(monkeypatch, tmp_path):
    path = tmp_path / "a.json"
    path.write_text("before")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        draw_dot(expression()).write(path)
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "before"


def test_a_file_may_be_read_by_whom_the_system_says(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    path = Path(draw_dot(expression()).write(tmp_path / "a.json"))
    assert path.stat().st_mode == plain.stat().st_mode
    assert json.loads(path.read_text(encoding="utf-8"))
