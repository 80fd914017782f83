"""The Pythons of Pyodide, and what is needed to start them; tests are skipped where it is missing.

Pyodide is installed by `npm install --prefix .venv/node pyodide@VERSION`, as `.ci/run` does, or is
the folder that MICROGRAD_PYODIDE names. NumPy is in a folder with all of Pyodide's packages, such
as its archive on GitHub; the one of npm fetches it from the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.pythons import InChromium, InNode

ROOT = Path(__file__).parents[2]
PLACES = (os.environ.get("MICROGRAD_PYODIDE"), ROOT / ".venv" / "node" / "node_modules" / "pyodide")


@pytest.fixture(scope="session")
def pyodide():
    """The folder of Pyodide."""
    found = next((Path(p) for p in PLACES if p and (Path(p) / "pyodide.mjs").is_file()), None)
    if found is None:
        pytest.skip("no Pyodide: npm install --prefix .venv/node pyodide@314.0.7")
    return found.resolve()


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """The wheels of this project and of graphviz."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder]
    done = subprocess.run([*command, ROOT, "graphviz>=0.20"], capture_output=True, timeout=600)
    if done.returncode:
        pytest.skip(f"the wheels could not be built: {done.stderr.decode()[-300:]}")
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module", params=["Node", "Chromium"])
def python(request, pyodide, wheels, tmp_path_factory):
    """A Python of Pyodide with the wheels."""
    if request.param == "Chromium":
        browser = request.getfixturevalue("browser")
        started = InChromium(pyodide, wheels, browser, tmp_path_factory.mktemp("site"))
    elif shutil.which("node") is None:
        pytest.skip("Node is not installed")
    else:
        started = InNode(pyodide, wheels)
    with started:
        yield started
