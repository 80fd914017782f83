"""What tests of several rooms share: a browser, and a third language of a few words."""

import shutil
import sys

import pytest

from micrograd.writing import languages

TOKI_PONA = """
WORDS = {
    "language": {"name": "toki pona", "tag": "tok"},
    "explain": {"given": "jo", "start": "open"},
    "card": {"everywhere": "ale"},
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
