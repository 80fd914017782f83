"""The tour notebook runs from top to bottom."""

from __future__ import annotations

import ast
import asyncio
import builtins
import importlib.util
import sys
from inspect import iscoroutine
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.exhaustive

TOUR = Path(__file__).parents[2] / "examples" / "tour.ipynb"
# A reader who has installed the package alone.
WITHOUT_EXTRAS = "import sys; sys.modules.update(dict.fromkeys(['matplotlib', 'sklearn', 'numba']))"

# None in sys.modules would be an error for IPython, which looks there.
WITHOUT_NUMPY = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name == "numpy" else find(name, *rest)
"""


@pytest.fixture(scope="module")
def nbformat():
    """The reader of notebooks, which takes a second to import."""
    return pytest.importorskip("nbformat", reason="pip install nbclient ipykernel")


@pytest.fixture
def notebook(nbformat):
    return nbformat.read(TOUR, as_version=4)


def executed(notebook):
    nbclient = pytest.importorskip("nbclient", reason="pip install nbclient")
    pytest.importorskip("ipykernel", reason="pip install ipykernel")
    return nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()


def outputs(notebook):
    return [out for cell in notebook.cells for out in cell.get("outputs", ())]


def said(notebook):
    return "".join(out.get("text", "") for out in outputs(notebook))


@pytest.fixture(scope="module")
def told(nbformat):
    """The notebook after one run from top to bottom."""
    return executed(nbformat.read(TOUR, as_version=4))


@pytest.mark.filterwarnings("ignore")  # those of the kernel's client
def test_every_cell_runs_and_the_numbers_are_those_of_the_tour(told):
    text = said(told)
    assert "0.4621" in text  # tanh(0.5)
    assert "1.5728" in text  # its slope by w
    assert "链式法则" in text
    assert "\n100%\n" in text


@pytest.mark.filterwarnings("ignore")
def test_the_plots_of_the_tour_are_pictures_and_the_digits_are_read(told):
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    kinds = [set(out.get("data", ())) for out in outputs(told)]
    assert sum("image/png" in kind for kind in kinds) == 2  # the regions, the loss
    (accuracy,) = (line for line in said(told).splitlines() if line.startswith("held-out accuracy"))
    assert float(accuracy.split()[-1].rstrip("%")) >= 96


@pytest.mark.filterwarnings("ignore")
def test_the_tour_runs_without_the_extras_and_says_what_is_missing(notebook, nbformat):
    notebook.cells.insert(0, nbformat.v4.new_code_cell(WITHOUT_EXTRAS))
    text = said(executed(notebook))
    assert "\n100%\n" in text
    assert "This cell needs matplotlib, without" in text
    assert "This cell needs scikit-learn, without" in text


@pytest.mark.filterwarnings("ignore")
def test_the_tour_runs_without_numpy_and_says_which_cells_need_it(notebook, nbformat):
    notebook.cells.insert(0, nbformat.v4.new_code_cell(WITHOUT_NUMPY))
    text = said(executed(notebook))
    assert text.count("This cell needs numpy") == 4
    assert "链式法则" in text


def run_the_first_cell(notebook):
    """Run it as a notebook does, where a cell may await."""
    (first, *_) = (cell for cell in notebook.cells if cell.cell_type == "code")
    code = compile(first.source, "first cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    done = eval(code, {"__builtins__": builtins})
    if iscoroutine(done):
        asyncio.run(done)


@pytest.fixture
def installed(monkeypatch):
    """What JupyterLite's pip is asked to install."""
    asked = []

    async def install(names, *, deps=True):
        if names == "matplotlib":
            raise ValueError("no network")
        asked.append(names)

    monkeypatch.setitem(sys.modules, "piplite", SimpleNamespace(install=install))
    return asked


def test_nothing_is_installed_where_the_package_is(notebook, installed):
    run_the_first_cell(notebook)
    assert installed == []


def test_a_missing_package_is_installed_in_a_browser(notebook, installed, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "platform", "emscripten")
    run_the_first_cell(notebook)
    assert installed == [["micrograd-engine", "graphviz"], "numpy", "scikit-learn"]


def test_a_missing_package_is_a_hint_elsewhere(notebook, installed, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install"):
        run_the_first_cell(notebook)
    assert installed == []


def test_the_notebook_is_kept_without_outputs(notebook, nbformat):
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
