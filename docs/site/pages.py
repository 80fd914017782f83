"""Writes the pages of the site for Sphinx: runs the examples of each in a process of its own."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator
from pathlib import Path

from docs import notebooks
from docs.site import articles, examples, gallery, reference
from docs.site.keywords import with_keywords
from docs.site.languages import WORDS
from examples import ARTICLES
from micrograd.files import write

FOLDER = Path(__file__).parent
LIBRARIES = ("micrograd.compiler", "micrograd.drawing", "micrograd.testing.check", "nn.training")
"""Modules that most pages import; each process finds them imported already."""

GALLERY = "gallery/"  # before the name of an example of the gallery

_BETWEEN_CHINESE = re.compile(
    r"(?<=[\u4e00-\u9fff])\n(?=[\u4e00-\u9fff])|(?<=[，。；：！？、）])\n(?=[^\W\d]|[`[])"
)
"""The end of a line between Chinese characters, or after a mark that needs no space."""

Job = tuple[str, dict[str, Path], Path, Path]
"""The name of a page, its file in each language, and the folders of the sources and of the site.

The program of an article, and an example of the gallery, have no file.
"""


def pages(lang: str) -> dict[str, Path]:
    """The written pages of a language, by name."""
    found = sorted((FOLDER / lang).rglob("*.md"))
    return {path.relative_to(FOLDER / lang).with_suffix("").as_posix(): path for path in found}


def joined(page: str) -> str:
    """A page in which no line ends between Chinese characters: browsers show a space there."""
    parts = re.split(r"^(```.*?^```)$", page, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [_BETWEEN_CHINESE.sub("", text) for text in parts[::2]]
    return "".join(parts)


def run_page(job: Job) -> str:
    """Write a page for Sphinx, with what its examples show; return what is wrong."""
    name, paths, source, out = job
    if not paths:
        if name in ARTICLES:
            articles.write_companion(name, source, out)
            return ""
        return gallery.write_entry(name.removeprefix(GALLERY), source, out)
    found = {lang: path.read_text(encoding="utf-8") for lang, path in paths.items()}
    try:
        written = examples.run(name, found, out)
    except examples.ExampleError as error:
        return str(error)
    for lang, text in written.items():
        page = joined(text)
        if name.startswith("tutorials/"):
            title, _, rest = page.partition("\n")
            offered = notebooks.offered(name, found[lang], lang, out / lang)
            page = f"{title}\n\n{offered}\n{rest}"
        write(source / lang / f"{name}.md", with_keywords(name, page))
    return ""


def jobs(source: Path, out: Path) -> Iterator[Job]:
    """All jobs: first the companions and the gallery, which take long, then the pages."""
    for program in (*ARTICLES, *(f"{GALLERY}{name}" for name in gallery.ENTRIES)):
        yield program, {}, source, out
    files = {lang: pages(lang) for lang in WORDS}
    for name in files["en"]:
        yield name, {lang: found[name] for lang, found in files.items()}, source, out


def write_sources(source: Path, out: Path, processes: int) -> list[str]:
    """Write the pages for Sphinx, and return what is wrong with their examples."""
    # A process for each page: some pages define operations, which would be seen on others.
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    context.set_forkserver_preload([__name__, *LIBRARIES])
    with context.Pool(processes, maxtasksperchild=1) as pool:
        wrong = pool.map(run_page, jobs(source, out), chunksize=1)
    if not any(wrong):
        gallery.write_tiles(source)
    for lang in WORDS:
        for name, text in reference.generated(lang).items():
            write(source / lang / name, text)
    return [each for each in wrong if each]
