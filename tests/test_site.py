"""The site of the documentation: its examples, its two languages, and that it builds."""

from __future__ import annotations

import json
import re
import zlib
from importlib.util import find_spec

import pytest

import micrograd
from docs import build
from docs.site import (
    examples,
    gallery,
    keywords,
    pages,
    reference,
    zh_gallery,
)
from docs.site.languages import WORDS
from micrograd.files import write
from tests.test_readme import headings, tables

ENGLISH, CHINESE = pages.pages("en"), pages.pages("zh")


def text_of(path):
    return path.read_text(encoding="utf-8")


def code(path):
    """The blocks of a page, without comments and the texts of `{show}`."""
    found = []
    for block in examples.blocks(text_of(path)):
        body = re.sub(r":alt:.*", "", block.body)
        found.append((block.info, re.sub(r" *# .*", "", body)))
    return found


def test_every_page_exists_in_both_languages():
    assert set(ENGLISH) == set(CHINESE)


@pytest.mark.parametrize("name", ENGLISH)
def test_a_page_shows_the_same_in_both_languages(name):
    assert code(ENGLISH[name]) == code(CHINESE[name])
    for part in (headings, tables):
        assert part(text_of(ENGLISH[name])) == part(text_of(CHINESE[name]))


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("```python\n>>> 1 + 1\n3\n```\n", "Expected:\n    3\nGot:\n    2"),
        ("```python\n1 + 1\n```\n", "no >>>"),
        ("```console\nmicrograd check x**2 x=1\n```\n```text\nno\n```\n", "expected:\nno\ngot:\n"),
        ("```console\nmicrograd draw\n```\n", "exit status 2"),
        ("```{show} 1 / 0\n```\n", "ZeroDivisionError"),
        ("```{show} '<!DOCTYPE html>'\n```\n", "no :alt:"),
        ("\n\n```python\n>>> x = 1\n>>> y\n```\n", "line 3"),
    ],
)
def test_a_wrong_example_is_reported(page, message, capsys):
    with pytest.raises(examples.ExampleError, match=re.escape(message)):
        examples.run("page", {"en": page})


def test_the_blocks_of_a_page_are_one_session(tmp_path):
    first = "```python\n>>> n = 1\n>>> def f():\n...     return n\n```\n"
    second = "```python helper.py\nN = 2\n```\n```python\n>>> from helper import N as n\n```\n"
    page = f"{first}{second}```python\n>>> f()\n{{}}\n```\n"
    assert ">>> f()\n2\n" in examples.run("page", {"en": page.format(2)}, tmp_path)["en"]
    with pytest.raises(examples.ExampleError, match="Expected:\n    1\nGot:\n    2"):
        examples.run("page", {"en": page.format(1)}, tmp_path)


def test_the_words_of_the_search_are_those_of_pages_that_exist():
    assert {*keywords.KEYWORDS} <= {*ENGLISH}
    assert keywords.cut("冻结参数 zero_grad") == ["冻结", "结参", "参数", "zero_grad"]


def test_a_picture_is_drawn_for_wide_and_for_narrow_screens(tmp_path):
    shown = "drawing.draw_curve('tanh', width=width, lang=lang)"
    page = f"```{{show}} {shown}\n:alt: tanh\n```\n"
    text = examples.run("page", {"en": page}, tmp_path)["en"]
    wide, narrow = examples.WIDTHS
    assert f'media="(max-width: {wide}px)" srcset="made/page-0.narrow.svg"' in text
    for file, width in (("page-0.svg", wide), ("page-0.narrow.svg", narrow)):
        assert f'width="{width}"' in text_of(tmp_path / "en" / "made" / file)


def test_what_is_shown_stands_in_the_page(tmp_path):
    page = "a\n\n```{show} '<!DOCTYPE html>' + lang\n:alt: two & three\n```\n\nb\n"
    chinese = page.replace("two & three", "二")
    written = examples.run("howto/page", {"en": page, "zh": chinese}, tmp_path)
    text = written["en"]
    assert text.startswith("a\n\n```{raw} html\n")
    assert text.endswith("\n```\n\nb\n")
    assert 'src="../made/howto-page-0.html" title="two &amp; three"' in text
    assert 'title="二"' in written["zh"]
    for lang in written:
        assert text_of(tmp_path / lang / "made" / "howto-page-0.html") == f"<!DOCTYPE html>{lang}"


def test_lines_of_chinese_are_joined_without_a_space():
    page = "甲。\n乙\n丙，\n`x`\n\n- 丁：\n- 戊 x\ny\n\n```text\n甲。\n乙\n```\n己，\n庚\n"
    assert pages.joined(page) == (
        "甲。乙丙，`x`\n\n- 丁：\n- 戊 x\ny\n\n```text\n甲。\n乙\n```\n己，庚\n"
    )


def test_the_gallery_shows_every_example():
    programs = {
        path.stem for path in build.ROOT.glob("examples/[!_]*.py") if "__main__" in text_of(path)
    }
    assert set(gallery.ENTRIES) == programs
    for written in (ENGLISH, CHINESE):
        included = re.findall(
            r"^```{include} gallery/(\w+)\.txt$", text_of(written["gallery"]), re.M
        )
        assert included == list(gallery.ENTRIES)
        named = re.findall(r"^`examples/(\w+)\.py`$", text_of(written["gallery"]), re.M)
        assert named == included


@pytest.mark.slow
@pytest.mark.parametrize(("lang", "measured"), [("en", "processor time"), ("zh", "处理器")])
def test_an_entry_of_the_gallery_has_a_picture_the_output_and_the_time(lang, measured, tmp_path):
    assert gallery.write_entry("implicit", tmp_path / "source", tmp_path / "out") == ""
    entry = text_of(tmp_path / "source" / lang / "gallery" / "implicit.txt")
    (file,) = re.findall(r'<img class="svg" src="([^"]+)"', entry)
    assert "<svg" in text_of(tmp_path / "out" / lang / file)
    assert "```text\nE = 1.390247133555, dE/dM = 1.120751969011" in entry
    (seconds,) = re.findall(r"([\d.]+) (?:s|秒)", entry.splitlines()[-1])
    assert measured in entry
    assert float(seconds) > 0


def test_the_gallery_begins_with_a_picture_of_each_example(tmp_path):
    for lang in WORDS:
        for name in gallery.ENTRIES:
            entry = f'<img class="svg" src="made/{name}.svg" alt="">'
            write(tmp_path / lang / "gallery" / f"{name}.txt", entry)
    gallery.write_tiles(tmp_path)
    for lang, title in (("en", "Two moons"), ("zh", "两个月牙")):
        tiles = text_of(tmp_path / lang / "tiles.txt")
        assert re.findall(r'<a href="#(\w+)">', tiles) == list(gallery.ENTRIES)
        assert (
            f'<a href="#moons"><img src="made/moons.svg" alt="" loading="lazy">{title}</a>' in tiles
        )
        assert tiles.count("<img") == len(gallery.ENTRIES)


@pytest.mark.parametrize(("lang", "verdict"), [("en", "WRONG"), ("zh", "错误")])
def test_the_picture_of_a_mistake_is_the_table_of_the_report(lang, verdict):
    table = gallery._mistake("", lang=lang, theme="auto", width=390)
    assert f"dX 6 × 3 | {verdict} 4e-01" in table.description


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (
            "wrote a.png\n\ntwo moons: 100 % of 100 points\n",
            "两个月牙：100 个点中有 100 % 分类正确",
        ),
        (
            "most often confused: 8 as 1 (3), 1 as 8 (1)",
            "最常混淆：8 读成 1（3 次）、1 读成 8（1 次）",
        ),
        ("x = [0.5, -0.8], 27 derivatives by A", "x = [0.5, -0.8]，以及对 A 的 27 个导数"),
        ("turned: dW: it is transposed", "turned：dW：转置了"),
        (
            "[Gloo] Rank 0 is\n peer ranks. Expected: 3\n8 devices, samples on each: [512]",
            "8 个设备，每个的样本数：[512]",
        ),
    ],
)
def test_what_an_example_prints_is_shown_in_chinese(printed, shown):
    assert gallery.output("x", printed, "zh") == shown


def test_every_translated_line_is_one_that_an_example_prints():
    sources = "".join(map(text_of, build.ROOT.glob("examples/*.py")))
    for template, chinese in zh_gallery.LINES.items():
        words = {word for part in re.split(r"{\w+(?::d)?}", template) for word in part.split()}
        assert all(word in sources for word in words), template
        assert set(re.findall(r"{\w+", template)) == set(re.findall(r"{\w+", chinese)), template


def test_an_example_that_fails_is_reported_and_one_that_lacks_a_compiler_says_so(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("CC", "no_such_compiler")
    assert gallery.write_entry("c_source", tmp_path, tmp_path) == ""
    entry = text_of(tmp_path / "en" / "gallery" / "c_source.txt")
    assert "needs a C compiler" in entry
    assert "这个示例需要 C 编译器" in text_of(tmp_path / "zh" / "gallery" / "c_source.txt")
    assert WORDS["en"]["not run"] in entry
    monkeypatch.setitem(gallery.ENTRIES, "missing", gallery.ENTRIES["implicit"])
    wrong = gallery.write_entry("missing", tmp_path, tmp_path)
    assert wrong.startswith("python -m examples.missing: exit status 1\n")


def test_code_fits_the_width_of_a_page():
    for name, path in (*ENGLISH.items(), *CHINESE.items()):
        for block in examples.blocks(text_of(path)):
            lines = block.body.splitlines()
            if ">>>" in block.body:
                lines = [line for line in lines if line.startswith((">>>", "..."))]
            assert max((len(line) for line in lines if "{" not in block.info), default=0) <= 95, (
                name
            )


@pytest.mark.exhaustive
def test_all_examples_run_and_the_site_is_built_without_warnings_and_complete(tmp_path):
    """Every address in it leads somewhere, and its index has every public name and Chinese word."""
    missing = [name for name in build.NEEDED if find_spec(name) is None]
    if missing:
        assert pages.write_sources(tmp_path / "sources", tmp_path, processes=2) == []
        pytest.skip(f"the site needs {', '.join(missing)}: pip install '.[docs]'")
    assert build.build(tmp_path, processes=2) == []
    for lang in WORDS:
        written = sorted((tmp_path / lang).rglob("*.html"))
        assert len(written) > len(ENGLISH) + len(reference.MODULES)
        for page in written:
            for address in re.findall(r'(?:href|src|srcset)="([^"#:]+)[^":]*"', text_of(page)):
                assert (page.parent / address.partition("?")[0]).exists(), f"{page}: {address}"
            article = text_of(page).partition('role="main"')[2]
            assert "language-switch" not in article, f"{page}: the search quotes it"
            assert not re.search(r"<strong>(?:&gt;|\\)|</strong> --", article), page
        inventory = (tmp_path / lang / "objects.inv").read_bytes()
        names = zlib.decompress(inventory.split(b"\n", 4)[4]).decode()
        assert set(reference.homes().values()) <= set(re.findall(r"^(\S+) py:", names, flags=re.M))
        assert "for --style board" in text_of(tmp_path / "en" / "reference" / "commands.html")
    assert f'<div class="version">{micrograd.__version__}</div>' in text_of(
        tmp_path / "zh" / "start.html"
    )
    start = text_of(tmp_path / "en" / "start.html")
    assert '<a class="api" href="reference/micrograd.html#micrograd.Value">' in start
    outputs = re.findall(
        r"<pre><span></span>(.*?)</pre>", text_of(tmp_path / "zh" / "gallery.html"), re.DOTALL
    )
    assert len(outputs) == len(gallery.ENTRIES)
    assert not re.search("[a-z]{2,} [a-z]{2,} [a-z]{2,}", "".join(outputs))
    for lang in WORDS:
        assert f'href="{lang}/index.html"' in text_of(tmp_path / "404.html")
        places = set(
            re.findall(r'<a href="#(\w+)"><img', text_of(tmp_path / lang / "gallery.html"))
        )
        assert places <= set(re.findall(r' id="(\w+)"', text_of(tmp_path / lang / "gallery.html")))
        assert len(places) > 15
    for (lang, words), page in SEARCHED.items():
        assert page in found(tmp_path / lang, words), words
    assert "changes" not in found(tmp_path / "en", "gradient")
    assert len(found(tmp_path / "zh", "神经元")) > 5


SEARCHED = {
    ("en", "nan"): "howto/nan",
    ("en", "softmax overflow"): "howto/nan",
    ("en", "zero_grad"): "howto/accumulation",
    ("en", "retain_graph"): "howto/accumulation",
    ("en", "detach"): "howto/stop_gradient",
    ("en", "no_grad"): "howto/stop_gradient",
    ("en", "freeze parameter"): "howto/freeze",
    ("en", "learning rate"): "howto/clipping",
    ("en", "save model"): "howto/saving",
    ("en", "GPU dtype"): "howto/gpu",
    ("en", "install error"): "install",
    ("en", "dot found"): "install",
    ("en", "chinese font squares"): "install",
    ("en", "Windows"): "install",
    ("en", "pytest plugin"): "howto/pytest",
    ("en", "tolerance"): "howto/pytest",
    ("en", "kink"): "concepts/kinks",
    ("en", "RecursionError"): "coming/micrograd",
    ("en", "weight decay"): "howto/overfitting",
    ("en", "custom gradient"): "howto/own_operation",
    ("en", "reproducible"): "howto/reproducible",
    ("en", "jupyter notebook"): "howto/notebooks",
    ("zh", "梯度清零"): "howto/accumulation",
    ("zh", "冻结参数"): "howto/freeze",
    ("zh", "显卡"): "howto/gpu",
    ("zh", "安装失败"): "install",
    ("zh", "方块"): "install",
    ("zh", "随机种子"): "howto/reproducible",
    ("zh", "正则化"): "howto/overfitting",
    ("zh", "公众号"): "howto/wechat",
}
"""What people ask, by language, and a page that must be found."""


def found(folder, words):
    """The pages that have all these words, as the search of the site finds them."""
    from snowballstemmer import stemmer

    search = text_of(folder / "searchindex.js")
    index = json.loads(re.fullmatch(r"Search\.setIndex\((.*)\)", search, flags=re.DOTALL)[1])
    hits = []
    for word in keywords.cut(words):
        stem = stemmer("english").stemWord(word.lower())
        at = [index[part].get(stem, []) for part in ("terms", "titleterms")]
        hits.append({i for each in at for i in (each if isinstance(each, list) else [each])})
    return {index["docnames"][i] for i in set.intersection(*hits)}
