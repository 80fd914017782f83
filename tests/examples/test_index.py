"""The page that collects the five articles, in both languages."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from examples import article_1_weighted_sum, article_2_two_layers
from examples._common import LANGUAGES, Report, Row, Words, summary, write_documents
from examples._formulas import pieces
from examples._index import index, uses
from examples._phrases import PHRASES
from examples._report import size_of
from examples._story import Bullets, Derivation, Figure, Numbers, Prose, Section
from examples._story import Page as InteractivePage
from micrograd import Value, live_page
from micrograd.drawing import draw_losses
from micrograd.ops import TABLE
from micrograd.writing.notation import Formula
from tests.examples.common import NOTHING, NUMBERS
from tests.examples.printed import PRINTED
from tests.legible import small_letters

pytestmark = pytest.mark.slow


def test_no_letter_is_small(demo, browser):
    for width in (700, 390):
        page = browser.new_page()
        assert small_letters(page, f"{demo.out / 'index.html'}#zh", width) == []
        page.close()


# ------------------------------------------------------------------------------- both languages


def is_chinese(text: str) -> bool:
    return re.search("[\u4e00-\u9fff]", text) is not None


def texts(report: Report) -> Iterator[Words]:
    """Everything that a companion says."""
    yield from (report.article.title, report.article.claim)
    for part in report.parts:
        match part:
            case Section():
                yield part.title
            case Prose():
                yield part.words
            case Bullets():
                yield from part.items
            case Numbers():
                yield from (row.what for row in part.rows)
            case Figure():
                yield from (part.caption, part.alt)
            case Derivation():
                yield from (part.title, part.graph.alt)
            case InteractivePage():
                yield part.title


@pytest.mark.parametrize("number", NUMBERS)
def test_every_text_is_in_both_languages_unless_it_is_a_formula(reports, number):
    for words in texts(reports[number]):
        assert not is_chinese(words.en)
        if not is_chinese(words.zh):
            assert words.en == words.zh
            assert all(isinstance(piece, Formula) for piece in pieces(words.en))


def test_every_phrase_of_the_index_is_in_both_languages_with_the_same_places():
    for key, (en, zh) in PHRASES.items():
        assert is_chinese(zh) or zh == en or not en.strip(" .,:"), key
        assert sorted(re.findall(r"\{\w+\}", en)) == sorted(re.findall(r"\{\w+\}", zh)), key


# ------------------------------------------------------------------------------------ the index


class Page(HTMLParser):
    """A page as elements: (tag, attributes, text within), and a complaint about each mismatch."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr", "source"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.complaints: list[str] = []
        self.source = text
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


def as_edition(page: Page, lang: str) -> str:
    """The source of an edition."""
    (text,) = re.findall(rf'<main id="{lang}".*?</main>', page.source, re.DOTALL)
    return text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("number", NUMBERS)
def test_the_index_has_every_text_of_every_companion_in_either_language(
    reports, page, number, lang
):
    shown = edition(page, lang) + "".join(a["alt"] for tag, a, _ in page.elements if tag == "img")
    for words in texts(reports[number]):
        for piece in pieces(words.within(lang)):
            assert isinstance(piece, Formula) or piece in shown


def test_both_languages_have_the_same_headings_figures_and_numbers(page):
    def outline(lang):
        ids = [(tag, a["id"]) for tag, a, _ in page.all("h2", "h3") if "id" in a]
        return [(tag, name.removeprefix(f"{lang}-")) for tag, name in ids if name.startswith(lang)]

    assert outline("en") == outline("zh")
    assert len(outline("en")) > 20
    text = {lang: as_edition(page, lang) for lang in LANGUAGES}
    for element in ("<figure>", "<tr", "<li>"):
        assert text["en"].count(element) == text["zh"].count(element), element


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_index_has_every_number_of_every_row_and_its_source(reports, page, lang):
    rows = [within for tag, _, within in page.all("tr")]
    heads, verdict = {
        "en": ("numbersourceexpectedengineagrees?", "yes"),
        "zh": ("内容来源应为引擎一致？", "是"),
    }[lang]
    tables = [p for r in reports.values() for p in r.parts if isinstance(p, Numbers)]
    assert rows.count(heads) == len(tables)
    for report in reports.values():
        for row in report.rows:
            numbers = "".join(text.within(lang) for text in (row.expectation, row.result))
            source = row.origin.within(lang)
            assert any(f"{numbers}{verdict}" in line and source in line for line in rows)


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
    targets = page.attributes("href") + page.attributes("src") + page.attributes("srcset")
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in names
        else:
            assert (written.parent / file(target)).is_file()
    assert set(page.attributes("aria-labelledby")) <= names


def test_every_file_is_linked_in_the_index_except_the_images_for_other_media(reports, page):
    linked = {file(target) for name in ("href", "srcset") for target in page.attributes(name)}
    files = {path.name for report in reports.values() for path in report.files}
    assert {name for name in files if not name.endswith(".png")} <= linked


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
    report = Report(article, folder)
    report.section("x", *bad)
    report.say(*bad)
    report.bullets(bad)
    report.numbers(Row(bad, 1, 1))
    report.derivation("x", y, x, title=bad)
    report.figure("figure", partial(draw_losses, [1.0, 0.5]), caption=bad, alt=bad)
    report.page("live", partial(live_page, y, learn=()), title=bad)
    write_documents(report)
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


def test_the_page_of_some_articles_says_which_or_how_many_they_are():
    first = Report(article_1_weighted_sum.ARTICLE)
    page = index([first])
    name = first.article.title
    assert f"<title>Article 1: {name.en}</title>" in page
    assert f"<h1>第 1 篇：{name.zh}</h1>" in page
    page = index([first, Report(article_2_two_layers.ARTICLE)])
    assert "<title>Two articles, derived</title>" in page
    assert "<h1>两篇文章，逐步推导</h1>" in page


def test_a_number_that_differs_is_said_in_the_index():
    report = Report(article_1_weighted_sum.ARTICLE)
    report.numbers(Row(NOTHING, 1, 1), Row(NOTHING, 1, 2))
    page = Page(index([report]))
    said = [text for _, a, text in page.all("p") if a.get("class") == "tally"]
    assert (
        said[:2]
        == ["1 of 2 numbers printed in the articles agree.".replace("articles", "article")] * 2
    )
    assert said[2:] == ["原文给出的 2 个数中有 1 个一致。"] * 2
    assert [a.get("class") for _, a, _ in page.all("tr")][2::3] == ["differs", "differs"]


FORMULA = Row(NOTHING, 2, 2, source="formula", formula="x")
OURS = Row(NOTHING, True, True, relation="is", source="ours")


@pytest.mark.parametrize(
    ("rows", "en", "zh"),
    [
        (
            [Row(NOTHING, 1, 1), FORMULA, OURS],
            "1 of 1 number printed in the article agrees; 1 follows from its formulas; 1 is ours",
            "原文给出的 1 个数一致；另有 1 个按公式核对，1 个是本程序自己的",
        ),
        (
            [Row(NOTHING, 1, 2), Row(NOTHING, 1, 1), replace(OURS, got=False)],
            "1 of 2 numbers printed in the article agree; 1 is ours; 1 of the latter differs",
            "原文给出的 2 个数中有 1 个一致；另有 1 个是本程序自己的；后两类中有 1 个不符",
        ),
        (
            [Row(NOTHING, 1, 1), Row(NOTHING, 1, 1.2, 0.25, "±"), Row(NOTHING, 1, 2, 0.5, "±")],
            "2 of 3 numbers printed in the article agree, 1 of them to within 0.25",
            "原文给出的 3 个数中有 2 个一致，其中 1 个相差不超过 0.25",
        ),
        (
            [Row(NOTHING, 1, 1.2, 0.25, "±")] * 2,
            "2 of 2 numbers printed in the article agree to within 0.25",
            "原文给出的 2 个数全部一致，相差不超过 0.25",
        ),
        (
            [FORMULA, FORMULA, OURS, OURS],
            "No results are printed in the article; 2 follow from its formulas; 2 are ours",
            "原文没有印出结果；有 2 个按公式核对，2 个是本程序自己的",
        ),
    ],
)
def test_only_numbers_that_the_article_prints_are_said_to_agree_with_it(rows, en, zh):
    assert summary(rows) == Words(en, zh)


def test_the_sources_of_numbers_are_counted_over_all_articles(reports):
    rows = [row for report in reports.values() for row in report.rows]
    printed = sum(map(len, PRINTED.values()))
    assert summary(rows, articles=5).en.startswith(
        f"{printed} of {printed} numbers printed in the articles agree, 4 of them to within 0.014; "
    )
    assert {row.source for row in rows} == {"article", "formula", "ours"}


def test_what_is_true_or_false_is_said_in_words(reports):
    (row,) = [row for row in reports[2].rows if row.relation == "is"]
    assert row.what.zh == "损失每次迭代都下降，种子 0 到 5"
    assert (row.expectation, row.result) == (Words("yes", "是"), Words("yes", "是"))
    assert not Row(NOTHING, True, False, relation="is").agrees


def test_the_index_names_operations_in_the_language_of_its_reader(page):
    used = [text for _, a, text in page.all("p") if a.get("class") == "operations"]
    assert "Step by step. Rules used: add, mul" in used
    assert "逐步演示。用到的法则：加法、乘法" in used


def test_a_text_in_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match=r"lang is one of en, .*zh, got 'xx'"):
        Words("one", "一").within("xx")


def test_the_index_of_reports_without_files_has_the_numbers_alone():
    page = Page(index([article_1_weighted_sum.run()]))
    assert page.complaints == []
    assert page.all("img") == []
    tables = [part for part in article_1_weighted_sum.run().parts if isinstance(part, Numbers)]
    assert len(page.all("table")) == 2 * len(tables)


def test_the_size_of_an_svg_is_read_from_its_first_tag_in_pixels():
    assert size_of('<?xml?><svg width="120pt" height="80.5pt"\n viewBox="0 0 1 1">') == (160, 107)
    assert size_of('<svg width="120" height="80">') == (120, 80)
    assert size_of("<svg>") == (0, 0)
