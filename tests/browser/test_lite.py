"""The site with JupyterLite, as `python -m docs.lite` builds it, in which the tour runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.browser.conftest import ROOT
from tests.browser.pythons import Server

pytest.importorskip("jupyterlite_core", reason="pip install jupyterlite-core")
pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def site(pyodide, tmp_path_factory):
    """The folder of a site that needs no network."""
    folder = tmp_path_factory.mktemp("lite") / "site"
    command = [sys.executable, "-m", "docs.lite", "--out", folder, "--pyodide", pyodide]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    if "pip download" in done.stderr or "pip wheel" in done.stderr:
        pytest.skip(f"PyPI cannot be reached: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def page(site, browser):
    """The tour in JupyterLab, after all its cells have run; `requests` is what the page fetched."""
    with Server(site) as server:
        page = browser.new_page(viewport={"width": 1200, "height": 3000})
        page.set_default_timeout(120_000)
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(f"{server.address}lab/index.html?path=tour.ipynb")
        page.wait_for_selector(".jp-CodeCell")
        page.get_by_role("menuitem", name="Run").first.click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_function(HAVE_RUN)
        yield page
        page.close()


HAVE_RUN = """() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
  return prompts.length && prompts.every((prompt) => /\\[\\d+\\]/.test(prompt.textContent));
}"""


def shown(page, kind):
    return page.locator(f'.jp-OutputArea-output[data-mime-type="{kind}"]')


def test_the_site_has_the_tour_and_the_wheels(site):
    assert (site / "files" / "tour.ipynb").read_bytes() == (
        ROOT / "examples" / "tour.ipynb"
    ).read_bytes()
    assert {path.name.split("-")[0] for path in (site / "pypi").glob("*.whl")} == {
        "comm",
        "graphviz",
        "micrograd_engine",
    }


def test_every_cell_of_the_tour_runs_without_an_error(page):
    cells = page.locator(".jp-CodeCell")
    assert cells.count() == 9
    assert shown(page, "application/vnd.jupyter.error").all_inner_texts() == []
    text = "".join(shown(page, "application/vnd.jupyter.stdout").all_inner_texts())
    assert "0.4621" in text  # tanh(0.5)
    assert "链式法则" in text
    assert "ok, value" in text
    assert text.count("This cell needs numpy") == 4 or "100%" in text


def test_the_graph_is_a_picture_and_not_advice(page):
    picture = shown(page, "image/svg+xml").locator("svg, img")
    assert picture.bounding_box()["width"] > 300


def test_nothing_is_fetched_from_elsewhere(page):
    own = page.requests[0].split("lab/")[0]
    others = {url for url in page.requests if not url.startswith((own, "data:", "blob:"))}
    assert others == set()
