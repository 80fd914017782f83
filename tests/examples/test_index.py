"""The page that collects the five articles, in both languages."""

from __future__ import annotations

import re
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from examples import article_1_weighted_sum, article_3_fitting_a_line
from examples._common import LANGUAGES, Report, Row, Words
from examples._index import index, uses, write_index
from examples._phrases import PHRASES
from examples._report import size_of
from micrograd import Value
from micrograd.ops import TABLE
from tests.examples.common import NOTHING

pytestmark = pytest.mark.slow

# ------------------------------------------------------------------------------- both languages


def is_chinese(text: str) -> bool:
    return re.search("[\u4e00-\u9fff]", text) is not None


def texts(reports) -> Iterator[Words]:
    """Everything that a report says."""
    for report in reports.values():
        yield from (report.article.title, report.article.claim, *report.notes)
        yield from (row.what for row in report.rows)
        yield from (plot.caption for plot in report.plots)
        for told in report.derivations:
            yield from (told.title, told.remark)


def test_every_text_is_in_both_languages_unless_it_is_a_formula(reports):
    formulas = {" · ".join(pair) for pair in article_1_weighted_sum.DOT_PRODUCTS}
    for words in texts(reports):
        assert not is_chinese(words.en)
        assert is_chinese(words.zh) or (words.en == words.zh and words.zh in formulas), words


def test_every_phrase_of_the_index_is_in_both_languages_with_the_same_places():
    for key, (en, zh) in PHRASES.items():
        assert is_chinese(zh) or key == "next operation", key
        assert sorted(re.findall(r"\{\w+\}", en)) == sorted(re.findall(r"\{\w+\}", zh)), key


# ------------------------------------------------------------------------------------ the index


class Page(HTMLParser):
    """A page as elements: (tag, attributes, text within), and a complaint about each mismatch."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.complaints: list[str] = []
        self.feed(text)
        self.close()
        self.complaints += [f"<{tag}> is not closed" for tag, _, _ in self.open]

    def handle_starttag(self, tag, attrs):
        element = (tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.complaints.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        for _, _, within in self.open:
            within.append(data)

    def all(self, *tags: str) -> list[tuple[str, dict[str, str], str]]:
        return [(tag, a, "".join(text)) for tag, a, text in self.elements if tag in tags]

    def attributes(self, name: str) -> list[str]:
        return [a[name] for _, a, _ in self.elements if name in a]


@pytest.fixture(scope="module")
def written(demo) -> Path:
    return demo.out / "index.html"


@pytest.fixture(scope="module")
def page(written) -> Page:
    return Page(written.read_text(encoding="utf-8"))


def edition(page: Page, lang: str) -> str:
    (text,) = [text for _, a, text in page.all("main") if a["id"] == lang]
    return text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_index_has_every_text_of_every_report_in_either_language(reports, page, lang):
    text = edition(page, lang)
    elements = page.all("h1", "h2", "h3", "p", "li", "th", "figcaption")
    ends = "".join(f"{within}\n\n" for _, _, within in elements)
    for words in texts(reports):
        assert words.within(lang) in text
        assert f"{words.within(lang)}\n\n" in ends


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_index_has_every_number_of_every_row(reports, page, lang):
    rows = [within for tag, _, within in page.all("tr")]
    heads, verdict = {
        "en": ("numberexpectedengineagrees?", "yes"),
        "zh": ("内容应为引擎一致？", "是"),
    }[lang]
    assert rows.count(heads) == len(reports)
    for report in reports.values():
        for row in report.rows:
            told = "".join(text.within(lang) for text in (row.what, row.expectation, row.result))
            assert f"{told}{verdict}" in rows


def test_the_index_is_well_formed_and_no_name_comes_twice(page):
    assert page.complaints == []
    names = page.attributes("id")
    assert len(names) == len(set(names))


def test_the_index_names_its_languages_and_shows_english_without_a_script(page):
    ((_, html, _),) = page.all("html")
    assert html["lang"] == "en"
    assert [(a["id"], a["lang"], "hidden" in a) for _, a, _ in page.all("main")] == [
        ("en", "en", False),
        ("zh", "zh-Hans", True),
    ]
    assert not is_chinese(edition(page, "en").replace("中文", ""))


def test_the_headings_of_the_index_go_down_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _, _ in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 2  # one in each language
    assert all(after <= before + 1 for before, after in pairwise(levels))


def file(target):
    """The file that a link leads to, wherever in it."""
    return unquote(target.partition("#")[0])


def test_every_link_of_the_index_leads_somewhere(page, written):
    names = set(page.attributes("id"))
    for target in page.attributes("href") + page.attributes("src"):
        if target.startswith("#"):
            assert target[1:] in names
        else:
            assert (written.parent / file(target)).is_file()
    assert set(page.attributes("aria-labelledby")) <= names


def test_every_file_of_the_reports_is_linked_in_the_index(reports, page):
    linked = {file(target) for target in page.attributes("href")}
    assert {path.name for report in reports.values() for path in report.files} <= linked


def test_the_index_asks_the_network_for_nothing(written):
    text = written.read_text(encoding="utf-8")
    for namespace in ("http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"):
        text = text.replace(f'xmlns="{namespace}"', "")
    assert re.search(r"https?:|//\w+\.|@import|url\(", text) is None


def test_the_index_admits_only_its_own_style_and_script(page):
    (policy,) = [a["content"] for _, a, _ in page.all("meta") if "http-equiv" in a]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        ((_, _, text),) = page.all(tag)
        own = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{own}';" in policy
    for _, attributes, _ in page.elements:
        assert not any(name == "style" or name.startswith("on") for name in attributes)


def test_the_index_has_a_rule_card_for_every_operation_of_the_derivations(reports, page):
    used = {
        name for report in reports.values() for told in report.derivations for name in uses(told)
    }
    assert {"add", "sub", "mul", "div", "pow", "sigmoid", "step", "relu", "exp", "log"} <= used
    for lang in LANGUAGES:
        cards = [
            a["id"] for _, a, _ in page.all("div") if a.get("id", "").startswith(f"{lang}-rule")
        ]
        assert cards == [f"{lang}-rule-{name}" for name in TABLE if name in used]


def hostile_report(folder: Path) -> Report:
    bad = Words.same(HOSTILE)
    x = Value(2.0, label=HOSTILE)
    y = x * x
    y.label = HOSTILE
    y.backward()
    article = replace(article_1_weighted_sum.ARTICLE, title=bad, claim=bad)
    report = Report(article, folder, rows=[Row(bad, 1, 1)], notes=[bad])
    report.derivation("x", y, x, title=bad, remark=bad)
    report.plot("plot", lambda figure: None, caption=bad)
    return report


HOSTILE = """</p></script><script>alert(1)</script><img src=x onerror=alert(1)>'"&{0}"""


def test_hostile_text_stays_text_in_the_index(tmp_path):
    page = Page(index([hostile_report(tmp_path)]))
    assert page.complaints == []
    assert len(page.all("script")) == 1
    assert "onerror" not in {name for _, attributes, _ in page.elements for name in attributes}
    assert edition(page, "en").count(HOSTILE) >= 6
    for _, a, _ in page.all("img"):
        assert (tmp_path / unquote(a["src"])).is_file()


def test_a_number_that_differs_is_said_in_the_index():
    report = Report(article_1_weighted_sum.ARTICLE, rows=[Row(NOTHING, 1, 1), Row(NOTHING, 1, 2)])
    page = Page(index([report]))
    summaries = [text for _, _, text in page.all("summary")]
    assert summaries == [
        "The numbers: 1 of 2 agree with the article",
        "数值对照：2 个数中有 1 个与文章一致",
    ]
    assert [a.get("class") for _, a, _ in page.all("tr")][2::3] == ["differs", "differs"]


def test_the_index_counts_the_article_s_own_numbers_apart_from_all_others():
    rows = [
        Row(NOTHING, 1, 1),
        Row(NOTHING, 2, 2, source="formula"),
        Row(NOTHING, True, True, relation="is", source="own"),
    ]
    article = article_1_weighted_sum.ARTICLE

    def said(*rows):
        return [text for _, _, text in Page(index([Report(article, rows=rows)])).all("summary")][1]

    assert said(*rows) == (
        "数值对照：原文给出的 1 个数全部一致；另有 1 个按公式核对，1 个是本程序自己的"
    )
    assert said(*rows[:2]) == "数值对照：原文给出的 1 个数全部一致；另有 1 个按公式核对"
    assert said(rows[0], rows[2]) == "数值对照：原文给出的 1 个数全部一致；另有 1 个是本程序自己的"
    assert said(rows[0]) == "数值对照：原文给出的 1 个数全部一致"


def test_every_number_that_the_tests_know_from_an_article_is_counted_as_its_own(reports):
    own = {
        number: {row.what.en for row in report.rows if row.source == "article"}
        for number, report in reports.items()
    }
    checked = {row.source for report in reports.values() for row in report.rows}
    assert checked == {"article", "formula", "own"}
    assert {number: len(rows) for number, rows in own.items()} == {1: 14, 2: 14, 3: 4, 4: 7, 5: 36}


def test_what_is_true_or_false_is_said_in_words(reports):
    (row,) = [row for row in reports[2].rows if row.relation == "is"]
    assert row.what.zh == "损失每次迭代都下降，种子 0 到 5"
    assert (row.expectation, row.result) == (Words("yes", "是"), Words("yes", "是"))
    assert not Row(NOTHING, True, False, relation="is").agrees


def test_the_index_names_operations_in_the_language_of_its_reader(page):
    used = [text for _, a, text in page.all("p") if a.get("class") == "operations"]
    assert "Rules used: add, mul" in used
    assert "用到的法则：加法、乘法" in used


def test_a_text_in_a_language_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"lang is one of en, .*zh, got 'fr'"):
        Words("one", "一").within("fr")


def test_without_renderer_and_matplotlib_the_index_has_no_pictures_but_the_reasons(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("MICROGRAD_DOT", "no-such-renderer")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    report = article_3_fitting_a_line.run(tmp_path)
    page = Page(write_index([report], tmp_path).read_text(encoding="utf-8"))
    assert page.all("img") == []
    missing = [text for _, a, text in page.all("p") if a.get("class") == "missing"]
    assert len(missing) == 2 * 3  # two graphs and a plot, in each language
    assert all("pip install" in text for text in missing)
    files = [file(t) for t in page.attributes("href") if not t.startswith("#")]
    assert "article_3_one_point.gv" in files
    assert all((tmp_path / name).is_file() for name in files)


def test_the_index_of_reports_without_files_has_the_numbers_alone():
    page = Page(index([article_1_weighted_sum.run()]))
    assert page.complaints == []
    assert page.all("img") == []
    assert len(page.all("table")) == 2


def test_the_size_of_an_svg_is_read_from_its_first_tag():
    assert size_of('<?xml?><svg width="120pt" height="80.5pt"\n viewBox="0 0 1 1">') == (120, 80)
    assert size_of("<svg>") == (0, 0)
