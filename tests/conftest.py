"""What tests of several rooms share: a third language of a few words, a browser, and quick XLA."""

import shutil
import sys
from functools import partial
from importlib.util import find_spec

import pytest

from micrograd.writing import languages

TOKI_PONA = """
WORDS = {
    "language": {"name": "toki pona", "tag": "tok"},
    "message": {
        "{function} at {point}: ok, value {value}": "{function} at {point}: pona, value {value}",
        "expected NAME=NUMBER, such as x=0.5, got '{word}'": "o pana e NAME=NUMBER, {word} li ike",
    },
    "explain": {"given": "jo", "start": "open"},
    "card": {"everywhere": "lon ale."},
    "note": {"relu": "ala la ala."},
    "picture": {"data": "nanpa", "neuron": "nena {neuron}", "more": "ante {count}"},
    "page": {"next": "kama", "given": "{value} li jo."},
    "network": {"inputs": "kama"},
    "program": {"parameters": "ilo", "sums": "{count} wan tan {terms}"},
    "plot": {"loss": "ike"},
}
"""


@pytest.fixture
def tok(monkeypatch, tmp_path):
    """A third language, which is one file."""
    (tmp_path / "tok.py").write_text(TOKI_PONA, encoding="utf-8")
    monkeypatch.setattr(languages, "__path__", [*languages.__path__, str(tmp_path)])
    yield "tok"
    sys.modules.pop("micrograd.writing.languages.tok", None)
    vars(languages).pop("tok", None)


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright."""
    driver = pytest.importorskip(
        "playwright.sync_api", reason="the browser is driven by Playwright: pip install playwright"
    )
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium is installed")
    with driver.sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]  # root, as in CI, has no sandbox
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()


# The optimizations of LLVM, which it compiles in several parts, take most of the time of XLA; its
# own rewriting of formulas, which comes before, is the same without them. (It is not without the
# option `xla_cpu_use_fusion_emitters`: then XLA rewrites once more, after it has removed barriers.)
QUICK_XLA = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_parallel_codegen_split_count": 1,
}


@pytest.fixture
def quick_xla(monkeypatch):
    """Compile quickly by JAX: for tests of what is computed, not of the last digits of a number."""
    if find_spec("jax"):
        import jax

        monkeypatch.setattr(jax, "jit", partial(jax.jit, compiler_options=QUICK_XLA))
