"""Build the site of the documentation, in English and Chinese: `python -m docs.build`.

Needs `pip install 'micrograd-engine[docs]'`. First the examples of all pages are run, each page in
a process of its own, and what they print is compared with the page; pictures and pages are made.
Then Sphinx writes each language into a folder of its own. Any warning ends the build with an error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from docs.site.languages import THEME, WORDS
from docs.site.pages import write_sources
from micrograd.files import write

FOLDER = Path(__file__).with_name("site")
ROOT = FOLDER.parents[1]
NEEDED = ("sphinx", "furo", "myst_parser", "sphinx_copybutton")
INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>micrograd-engine</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>
location.replace(navigator.language.startsWith("zh") ? "zh/index.html" : "en/index.html");
</script>
</head><body>
<p><a href="en/index.html">English</a> · <a lang="zh-CN" href="zh/index.html">中文</a></p>
</body></html>
"""
MISSING = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>404 · micrograd-engine</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
</head><body>
{lines}
<script>
// The address that was asked for may be in any folder of the site.
const root = location.pathname.replace(/(\\/(en|zh)\\/.*|[^/]*)$/, "/").replace("//", "/");
for (const link of document.links) link.href = root + link.getAttribute("href");
</script>
</body></html>
"""


def missing() -> str:
    """The page that is shown for an unknown address, in every language."""
    return MISSING.format(
        lines="\n".join(
            f'<p lang="{words["tag"]}">{words["404"]} '
            f'<a href="{lang}/index.html">micrograd-engine</a> · '
            f'<a href="{lang}/search.html">{words["search"]}</a></p>'
            for lang, words in WORDS.items()
        )
    )


def write_words(lang: str, source: Path) -> Path:
    """Write the translations that the theme needs and Sphinx lacks; return their folder."""
    from babel.messages import Catalog, mofile

    words = WORDS[lang]
    catalog = Catalog(locale=words["sphinx"])
    for text, translation in THEME.get(lang, {}).items():
        catalog.add(text, translation)
    folder = source / "words" / words["sphinx"] / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "sphinx.mo").open("wb") as file:
        mofile.write_mo(file, catalog)
    return source / "words"


def sphinx(lang: str, source: Path, out: Path) -> subprocess.Popen[str]:
    """Let Sphinx write the pages of a language, in a process beside this one."""
    words = WORDS[lang]
    settings = [f"language={words['sphinx']}", f"locale_dirs={write_words(lang, source)}"]
    options = [word for setting in settings for word in ("-D", setting)]
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += ["-c", str(FOLDER), "-d", str(source / f"{lang}.trees"), *options]
    return subprocess.Popen(  # noqa: S603 (no shell)
        [*command, str(source / lang), str(out / lang)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def build(out: Path, processes: int) -> list[str]:
    """Build the site.

    Args:
        out: the folder of the site; the folders of the languages in it are replaced.
        processes: how many pages are run at the same time.

    Returns:
        A list of the problems found.
    """
    for lang in WORDS:
        shutil.rmtree(out / lang, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary)
        wrong = write_sources(source, out, processes)
        if wrong:
            return wrong
        builds = [sphinx(lang, source, out) for lang in WORDS]
        for each in builds:
            said, _ = each.communicate()
            if each.returncode:
                wrong.append(said)
    write(out / "index.html", INDEX)
    write(out / "404.html", missing())
    return wrong


def main() -> None:
    """Read the command line and build the site."""
    parser = argparse.ArgumentParser(description="Build the site of the documentation.")
    parser.add_argument("--out", type=Path, default=Path("build/docs"), help="folder of the site")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="pages run at the same time"
    )
    options = parser.parse_args()
    if not all(map(find_spec, NEEDED)):
        raise SystemExit("Sphinx or a part of it is missing: pip install 'micrograd-engine[docs]'")
    wrong = build(options.out.resolve(), options.processes)
    if wrong:
        raise SystemExit("\n".join(wrong))
    print(f"To see it: python -m http.server --directory {options.out}")


if __name__ == "__main__":
    main()
