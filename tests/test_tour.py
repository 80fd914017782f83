"""The tour notebook runs from top to bottom."""

from __future__ import annotations

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="pip install nbclient ipykernel")
nbclient = pytest.importorskip("nbclient", reason="pip install nbclient ipykernel")
pytest.importorskip("ipykernel", reason="pip install nbclient ipykernel")

TOUR = Path(__file__).parent.parent / "examples" / "tour.ipynb"


def outputs(cell):
    return "".join(out.get("text", "") for out in cell.get("outputs", ()))


@pytest.mark.filterwarnings("ignore")
def test_every_cell_runs_and_the_numbers_are_those_of_the_tour():
    notebook = nbformat.read(TOUR, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    said = [outputs(cell) for cell in notebook.cells]
    assert any("0.4621" in text and "1.5728" in text for text in said)  # tanh(0.5), its slope by w
    assert any("链式法则" in text for text in said)
    assert any(text.strip() == "100%" for text in said)


def test_the_notebook_is_kept_without_outputs():
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
