"""The page of all rule cards: complete, for a phone, for a dark screen, and for paper."""

import re

import pytest

from micrograd.commands.main import main
from micrograd.derivation import rule_cards


@pytest.fixture(params=["en", "zh"])
def page(request, tmp_path):
    path = tmp_path / "rules.html"
    assert main(["rules", "--lang", request.param, "-o", str(path)]) == 0
    return path


@pytest.mark.slow
def test_the_page_has_every_card_with_its_curve_and_says_what_it_is(page):
    text = page.read_text("utf-8")
    count = len(rule_cards())
    assert text.count('<section class="card">') == text.count("<svg xmlns") == count
    lang = re.search('<html lang="([^"]*)">', text)[1]
    assert re.search("<title>(.*)</title>", text)[1] == (
        "求导法则卡片" if lang == "zh-Hans" else "Rules of differentiation"
    )
    alternatives = re.findall("<svg[^>]*><title>(.*?)</title>", text)
    assert len({*alternatives}) == count
    assert all(bool(re.search("[\u4e00-\u9fff]", a)) is (lang == "zh-Hans") for a in alternatives)
    for rule in ("@page { size: A4;", "break-inside: avoid", "prefers-color-scheme: dark"):
        assert rule in text
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", text)


@pytest.mark.slow
def test_in_a_browser_it_fits_a_phone_and_paper_and_turns_dark(page, browser):
    opened = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")

    def paper():
        return opened.evaluate("getComputedStyle(document.body).backgroundColor")

    def width():
        return opened.evaluate("document.documentElement.scrollWidth")

    opened.goto(f"file://{page}")
    assert (width(), paper()) == (390, "rgb(20, 24, 29)")
    # Only the longest formula scrolls within its card.
    scrolling = """() => [...document.querySelectorAll(".scroll")]
        .filter(box => box.scrollWidth > box.clientWidth + 1).length"""
    assert opened.evaluate(scrolling) <= 2
    # No line begins with a bracket that closes.
    heights = """() => [...document.querySelectorAll("figcaption .kept")]
        .map(box => box.getClientRects().length)"""
    assert set(opened.evaluate(heights)) == {1}
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": 688, "height": 1017})  # A4 without its margins
    assert (width(), paper()) == (688, "rgb(255, 255, 255)")
