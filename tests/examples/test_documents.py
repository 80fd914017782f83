"""The companions as Markdown, Markdown with images, and LaTeX."""

from __future__ import annotations

import re
import shutil
import subprocess
from urllib.parse import unquote

import pytest

from examples._common import LANGUAGES
from examples._formulas import pieces
from examples._story import Figure, Prose, Section
from micrograd.writing.notation import Formula
from tests.examples.common import NUMBERS

pytestmark = pytest.mark.slow


@pytest.fixture(params=[(n, lang) for n in NUMBERS for lang in LANGUAGES], ids=str)
def companion(request, reports):
    number, lang = request.param
    texts = {
        kind: path.read_text(encoding="utf-8")
        for kind, path in reports[number].documents[lang].items()
    }
    return reports[number], lang, texts


def test_every_document_has_the_headings_and_the_words_of_the_companion_in_order(companion):
    report, lang, texts = companion
    for text in texts.values():
        place = 0
        for part in report.parts:
            if isinstance(part, Section | Prose):
                words = part.title if isinstance(part, Section) else part.words
                first = pieces(words.within(lang))[0]
                if isinstance(first, str) and re.fullmatch(r"[\w ,.，。：:]+", first):
                    place = text.find(first, place)
                    assert place >= 0, first


def test_every_picture_of_a_document_is_there(companion, demo):
    report, _, texts = companion
    for kind, text in texts.items():
        pattern = r"\\includegraphics.*?\{(.*?)\}" if kind == "LaTeX" else r"!\[.*?\]\((.*?)\)"
        shown = [unquote(name) for name in re.findall(pattern, text)]
        figures = [part for part in report.parts if isinstance(part, Figure)]
        assert len(shown) >= len(figures)
        assert all((demo.out / name).is_file() for name in shown)


def test_a_document_with_images_has_no_mathematics(companion):
    pytest.importorskip("resvg_py")
    _, _, texts = companion
    text = texts["Markdown with images"]
    assert "$" not in text
    assert ".svg" not in text
    assert text.count(".png)") > 3


def _has_class(name):
    """Whether TeX finds a document class; the Chinese one is in a package of its own."""
    program = shutil.which("kpsewhich")
    if program is None:
        return False
    found = subprocess.run([program, f"{name}.cls"], capture_output=True, check=False)
    return found.returncode == 0


@pytest.mark.exhaustive
@pytest.mark.skipif(not shutil.which("xelatex"), reason="xelatex is missing")
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("number", NUMBERS)
def test_the_latex_of_a_companion_compiles(reports, demo, number, lang, tmp_path):
    if lang == "zh" and not _has_class("ctexart"):
        pytest.skip("the document class ctexart is missing (Debian: texlive-lang-chinese)")
    source = reports[number].documents[lang]["LaTeX"]
    done = subprocess.run(
        [
            "xelatex",
            "-interaction=nonstopmode",
            "-halt-on-error",
            "-no-shell-escape",
            f"-output-directory={tmp_path}",
            source.name,
        ],
        cwd=demo.out,
        capture_output=True,
        check=False,
    )
    complaints = re.findall(r"^! .*(?:\n.*){2}", done.stdout.decode(errors="replace"), re.M)
    assert (done.returncode, complaints) == (0, [])
    log = (tmp_path / f"{source.stem}.log").read_text(encoding="utf-8", errors="replace")
    assert re.findall("Missing character.*|Overfull.*", log) == []


def test_formulas_in_texts_are_found_between_dollar_signs():
    words, formula, end = pieces("the slope $w_1$ is")
    assert (words, end) == ("the slope ", " is")
    assert isinstance(formula, Formula)
    with pytest.raises(ValueError, match="a dollar sign has no partner"):
        pieces("5$")
