"""The documents of the repository are true: names, order, links and the picture."""

from __future__ import annotations

import functools
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from docs.site import reference
from docs.site.languages import WORDS
from examples import ARTICLES
from tests.test_architecture import ROOMS, modules

ROOT = Path(__file__).parent.parent
rooms = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "rooms.py")))
MARKDOWN = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", ".github/*.md", "docs/site/*/**/*.md")
    for path in ROOT.glob(pattern)
)
GUIDES = [
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/browser.md",
    "docs/guide.md",
    "docs/guide.zh-CN.md",
    "docs/releasing.md",
]
SHOWN = {  # files that the recipes create
    "micrograd/drawing/graphml.py",
    "micrograd/commands/gradient.py",
    "micrograd/compiler/timed_executor.py",
    "micrograd/writing/languages/de.py",
}
MADE = ("build/", "dist/", "out/", ".venv")  # created by commands


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def paths_in(text: str) -> set[str]:
    """The files and folders in backquotes."""
    quoted = re.findall(r"`([A-Za-z.][\w./-]+)`", without_code(text))
    found = {each for each in quoted if "/" in each or re.fullmatch(r"[\w-]+\.(py|md|toml)", each)}
    return {each for each in found if not each.startswith(MADE)}


def modules_in(text: str) -> set[str]:
    return set(re.findall(r"`((?:micrograd|nn|docs|tests)(?:\.\w+)+)`", text))


@pytest.mark.parametrize("name", GUIDES)
def test_every_file_that_a_guide_names_exists(name):
    named = paths_in(text_of(name))
    assert len(named) > 2
    missing = {path for path in named - SHOWN if not (ROOT / path).exists()}
    assert not missing


@pytest.mark.parametrize("name", GUIDES)
def test_every_module_that_a_guide_names_exists(name):
    named = modules_in(text_of(name)) - set(modules())
    assert not {each for each in named if not (ROOT / f"{each.replace('.', '/')}.py").exists()}


def test_every_option_table_and_test_that_a_recipe_names_is_in_its_file():
    """A `NAME` in a point of a recipe occurs in one of the files of that point."""
    recipes = text_of("CONTRIBUTING.md").partition("## Recipes")[2]
    checked = 0
    for point in re.findall(r"^(?:\d\.|\|) (.*(?:\n   .*)*)", without_code(recipes), flags=re.M):
        files = [path for path in paths_in(point) if (ROOT / path).is_file()]
        source = "".join(map(text_of, files))
        for name in re.findall(r"`(_?[A-Z][A-Z_]+|test_\w+|[A-Z]\w+|_\w+)`", point):
            if files:
                assert re.search(rf"\b{name}\b", source), f"{name} is not in {files}"
                checked += 1
    assert checked > 20


def test_the_architecture_page_has_the_rooms_in_their_order():
    listed = re.findall(r"^\| `((?:micrograd|nn)[\w.]*)` \|", text_of("docs/architecture.md"), re.M)
    assert tuple(listed) == ROOMS


@pytest.mark.slow
def test_the_picture_of_the_rooms_is_drawn_from_the_imports():
    drawn = rooms.source_of(rooms.PICTURE.read_text(encoding="utf-8"))
    assert drawn == rooms.source(), "run `python -m docs.rooms`"


def test_an_arrow_that_follows_from_others_is_left_out():
    direct = {name: set() for name in ROOMS}
    first, second, third = ROOMS[:3]
    direct[second], direct[third] = {first}, {first, second}
    assert rooms.without_shortcuts(direct)[third] == [second]


@functools.cache
def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to the headings of a file."""
    headings = re.findall(r"^#+ (.*)", without_code(path.read_text(encoding="utf-8")), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@functools.cache
def generated() -> set[Path]:
    """The pages of the site that are written when it is built."""
    pages = {f"tutorials/article_{i}.md" for i in range(1, len(ARTICLES) + 1)}
    names = pages | set(reference.generated("en"))
    return {ROOT / "docs" / "site" / lang / name for lang in WORDS for name in names}


@pytest.mark.parametrize("name", MARKDOWN)
def test_relative_links_lead_somewhere(name):
    text = text_of(name)
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if target.resolve() in generated():
            continue
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_both_readmes_lead_to_the_guides(name):
    assert {"CONTRIBUTING.md", "docs/architecture.md"} <= set(
        re.findall(r"\]\(([^)]+)\)", text_of(name))
    )


def test_the_workflow_runs_what_the_readme_and_continuous_integration_run():
    workflow = text_of(".github/workflows/ci.yml")
    assert "run: bash .ci/run" in workflow
    (command,) = re.findall(r"^python3 -m venv .*pytest.*$", text_of("README.md"), flags=re.M)
    assert f"run: {command}\n" in workflow
    versions = re.findall(r"Python :: (3\.\d+)", text_of("pyproject.toml"))
    for matrix in re.findall(r"python: \[(.*)\]", workflow):
        assert re.findall(r'"(.*?)"', matrix) == versions


def test_the_source_distribution_has_every_document():
    (include,) = re.findall(r"^include = \[(.*)\]", text_of("pyproject.toml"), flags=re.M)
    assert {"CONTRIBUTING.md", "docs", ".github", ".ci"} <= set(re.findall(r'"(.*?)"', include))


def test_on_a_package_index_every_link_of_the_readme_is_an_address(monkeypatch):
    hook = "hatchling.metadata.plugin.interface"  # which only builds need
    monkeypatch.setitem(sys.modules, hook, SimpleNamespace(MetadataHookInterface=object))
    with_addresses = runpy.run_path(str(ROOT / "hatch_build.py"))["with_addresses"]
    readme = text_of("README.md")
    shown = with_addresses(readme, "owner/name", "v1")
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(shown))
    assert links
    assert all(link.startswith("https://") for link in links)
    assert "(https://raw.githubusercontent.com/owner/name/v1/docs/compact.svg)" in shown
    assert "(https://github.com/owner/name/blob/v1/docs/guide.md)" in shown
    code = re.compile(r"```.*?```", re.DOTALL)
    assert code.findall(shown) == code.findall(readme)
