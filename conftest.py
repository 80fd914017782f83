"""The table of operations is the same before every test and doctest."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from importlib.util import find_spec

import pytest

from micrograd import ops
from micrograd.engine import definitions, methods
from micrograd.table import interpreters

# Modules that need an extra of the package; without it, their doctests are not collected.
_NEEDED = {
    "jax": "micrograd/compiler/jax/*.py",
    "llvmlite": "micrograd/compiler/native/*.py",
    "onnx": "nn/onnx.py",
}
collect_ignore_glob = [files for library, files in _NEEDED.items() if find_spec(library) is None]

if find_spec("hypothesis"):
    from hypothesis import settings

    # No example has a deadline, since machines may be busy. CI draws the same examples every time.
    settings.register_profile("micrograd", deadline=None, derandomize="CI" in os.environ)
    settings.load_profile("micrograd")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays until the end: the garbage collector does not look through it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in a browser is exhaustive, and what is exhaustive is slow, too."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("exhaustive")
        if item.get_closest_marker("exhaustive"):
            item.add_marker("slow")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With `-n`, a file is tested by one process, and so are the examples, which share a demo.

    What fixtures and caches of a file hold is then made once. Files come in their order, since the
    last ones are short. `--dist` chooses another way.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/examples" if file.startswith("tests/examples/") else file

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def table() -> Iterator[dict[str, ops.Operation]]:
    """The table of operations, restored after each test."""
    places = (ops.TABLE, interpreters.FLOATS, interpreters.IEEE, definitions.VOCABULARY)
    before = [dict(place) for place in places]
    names = set(vars(methods.Methods))
    yield ops.TABLE
    for place, content in zip(places, before, strict=True):
        place.clear()
        place.update(content)
    for name in set(vars(methods.Methods)) - names:
        delattr(methods.Methods, name)


@pytest.fixture(autouse=True)
def folder_of_documents(request: pytest.FixtureRequest) -> None:
    """The examples of a document write their files into a folder of their own."""
    if request.node.path.suffix == ".md":
        monkeypatch = request.getfixturevalue("monkeypatch")
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))
