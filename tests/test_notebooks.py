"""The tutorials as notebooks: what becomes of a page, and that each runs from top to bottom."""

from __future__ import annotations

import doctest
import json

import pytest

from docs import notebooks
from docs.site import examples, pages
from docs.site.languages import WORDS

FLAGS = examples.FLAGS
PAGE = """# Title

See [another](other.md) and [a site](https://example.org).

```python
>>> x = 1
>>> x + 1
2
>>> y
Traceback (most recent call last):
    ...
NameError: name 'y' is not defined
>>> x
1
```

```python file.py
z = 3
```

```console
pip install something
micrograd check x**2 x=1
```
```text
what it prints
```

The end.

```{show} draw(x)
:alt: a picture
```
"""


def made(text, lang="en"):
    return notebooks.notebook(text, lang)["cells"]


def sources(text):
    return [(cell["cell_type"], cell["source"]) for cell in made(text)]


def test_a_page_becomes_cells():
    title, first, *rest = sources(PAGE)
    assert title == ("markdown", "# Title\n\nSee another and [a site](https://example.org).")
    assert '%pip install -q "micrograd-engine[all]"' in first[1]
    assert rest == [
        ("code", "x = 1\nx + 1"),
        ("code", "y"),
        ("code", "x"),
        ("code", "%%writefile file.py\nz = 3"),
        ("code", "!{sys.executable} -m micrograd check x**2 x=1"),
        ("markdown", "The end."),
        ("code", "draw(x)"),
    ]


def test_a_cell_that_raises_may():
    tags = [cell["metadata"].get("tags") for cell in made(PAGE) if cell["source"] == "y"]
    assert tags == [["raises-exception"]]


def test_the_first_cell_prepares_what_a_page_uses():
    (plain,), (used, *_) = (
        [cell["source"] for cell in made(text) if cell["cell_type"] == "code"][:1]
        for text in ("# A\n", "# A\n\n```python\n>>> from examples.gpt import GPT\n```\n")
    )
    assert "examples" not in plain
    assert 'sys.modules["examples"]' in used
    assert 'lang, width = "zh"' in made("# A\n", "zh")[1]["source"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("lang", WORDS)
def test_every_tutorial_is_a_valid_notebook_without_outputs(lang):
    nbformat = pytest.importorskip("nbformat", reason="pip install nbclient ipykernel")
    found = notebooks.tutorials(lang)
    assert len(found) > 5
    for path in found.values():
        notebook = notebooks.notebook(path.read_text(encoding="utf-8"), lang)
        nbformat.validate(nbformat.from_dict(notebook))
        assert not any(cell.get("outputs") for cell in notebook["cells"])


@pytest.mark.slow
def test_a_tutorial_offers_its_notebook_and_the_list_of_tutorials_the_tour(tmp_path):
    for name in ("pendulum", "index"):
        page = f"tutorials/{name}"
        files = {"zh": pages.pages("zh")[page]}
        job = (page, files, tmp_path / "source", tmp_path / "out")
        assert pages.run_page(job) == ""
    written = tmp_path / "out" / "zh" / "notebooks"
    assert {path.name for path in written.iterdir()} == {"pendulum.ipynb", "tour.ipynb"}
    assert json.loads((written / "pendulum.ipynb").read_text(encoding="utf-8"))["cells"]
    page = (tmp_path / "source" / "zh" / "tutorials" / "pendulum.md").read_text(encoding="utf-8")
    assert page.startswith("# ")
    assert 'href="../notebooks/pendulum.ipynb" download' in page


def said(cell):
    """What a cell prints and shows as text."""
    return "".join(
        out["text"] if out.output_type == "stream" else out["data"]["text/plain"] + "\n"
        for out in cell.outputs
        if out.output_type in ("stream", "execute_result")
    )


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore")  # those of the kernel's client
@pytest.mark.parametrize("name", notebooks.tutorials("en"))
def test_a_tutorial_runs_as_a_notebook_and_prints_what_the_page_says(name, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="pip install nbclient ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="pip install nbclient")
    pytest.importorskip("ipykernel", reason="pip install ipykernel")
    text = notebooks.tutorials("en")[name].read_text(encoding="utf-8")
    notebook = nbformat.from_dict(notebooks.notebook(text, "en"))
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    blocks = (each.body for each in examples.blocks(text) if each.info == "python")
    expected = [each for body in blocks for each in doctest.DocTestParser().get_examples(body)]
    for cell in notebook.cells:
        source, wanted = "", ""
        while expected and cell.source.startswith(f"{source}{expected[0].source}".rstrip()):
            example = expected.pop(0)
            source, wanted = source + example.source, wanted + example.want
            if example.exc_msg is not None:
                wanted = None
                break
        if source and wanted is not None:
            assert doctest.OutputChecker().check_output(wanted, said(cell), FLAGS), cell.source
        if cell.cell_type == "code" and cell.source.startswith("!"):
            assert "No module named" not in said(cell)
    assert expected == []
