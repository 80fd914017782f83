"""The index page in a browser, on a desktop and on a phone, in both languages and schemes."""

from __future__ import annotations

import pytest

from examples._common import LANGUAGES
from tests.legible import SMALL

pytestmark = pytest.mark.slow

WIDTHS = (1200, 700, 390)

# What is wider than the space it has: the page, or a part of it.
SIDEWAYS = """
() => [document.documentElement, ...document.querySelectorAll("main:not([hidden]) *")].filter(
  each => !each.closest("svg") && each.clientWidth && each.scrollWidth > each.clientWidth + 1
    && (each.tagName === "HTML" || getComputedStyle(each).overflowX !== "visible")
).map(each => `${each.tagName}.${each.className}: ${each.textContent.slice(0, 60)}`)
"""
OUTSIDE = """
() => [...document.querySelectorAll("main:not([hidden]) *")].filter(
  each => !each.closest("svg") && each.getBoundingClientRect().right > innerWidth + 1
).map(each => `${each.tagName}.${each.className}: ${each.textContent.slice(0, 60)}`)
"""
OPEN = "() => document.querySelectorAll('details').forEach(each => { each.open = true })"
PICTURES = """
() => [...document.querySelectorAll("main:not([hidden]) img")].map(
  each => [each.currentSrc.split("/").pop(), each.complete && each.naturalWidth, each.width])
"""


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_sideways(demo, browser, width, lang):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"file://{demo.out}/index.html#{lang}")
    page.evaluate(OPEN)
    assert page.evaluate(SIDEWAYS) == []
    assert page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("width", "narrow"), [(1200, False), (700, False), (390, True)])
def test_pictures_are_those_of_the_language_and_of_the_width(demo, browser, width, narrow, lang):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"file://{demo.out}/index.html#{lang}", wait_until="load")
    pictures = page.evaluate(PICTURES)
    assert len(pictures) > 20
    for name, natural, shown in pictures:
        assert natural, name
        assert name.endswith(f".{lang}.narrow.svg" if narrow else f".{lang}.svg")
        assert shown >= 0.97 * natural or width == 700, name  # so small letters stay readable
        assert shown >= 0.95 * natural, name


def test_the_page_shows_one_language_and_switches_at_the_place_that_is_read(demo, browser):
    page = browser.new_page(viewport={"width": 700, "height": 900}, locale="zh-CN")
    page.goto(f"file://{demo.out}/index.html")
    assert page.title() == "五篇文章，逐步推导"
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.goto(f"file://{demo.out}/index.html#zh-article-2", wait_until="load")
    # By script: to point at what sticks to the top, Playwright would scroll.
    page.evaluate("document.querySelector('main:not([hidden]) .switch a').click()")
    page.wait_for_selector("main#en:visible")
    assert page.url.endswith("#en-article-2")
    assert page.locator("main:visible").get_attribute("lang") == "en"


def test_a_print_shows_the_tables_that_are_closed_on_the_page(demo, browser):
    page = browser.new_page()
    page.goto(f"file://{demo.out}/index.html#en")
    cell = "[...document.querySelectorAll('main:not([hidden]) details td')].at(-1)"
    assert not page.evaluate(f"{cell}.checkVisibility()")
    page.emulate_media(media="print")
    assert page.evaluate(f"{cell}.checkVisibility()")


def test_the_page_follows_the_scheme_of_the_reader(demo, browser):
    seen = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(f"file://{demo.out}/index.html#en")
        seen[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert seen == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [1200, 390])
def test_every_companion_shows_its_live_page_whole_and_in_the_language_of_the_reader(
    demo, browser, width, lang
):
    page = browser.new_page(viewport={"width": width, "height": 900})
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(f"file://{demo.out}/index.html#{lang}")
    frames = page.locator("main:visible iframe")
    assert frames.count() == 5
    for i in range(5):
        frames.nth(i).scroll_into_view_if_needed()  # it is loaded when it comes near
        live = frames.nth(i).element_handle().content_frame()
        live.wait_for_selector("[data-gradient]", state="attached")
        assert live.evaluate("document.documentElement.lang").startswith(lang)
        assert live.evaluate("document.documentElement.scrollWidth <= innerWidth")
        wait(page, live, "document.documentElement.scrollHeight <= innerHeight")
    assert failures == []


def wait(page, frame, condition):
    """Wait until a condition holds in a frame, whose policy forbids evaluating text."""
    for _ in range(200):
        if frame.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError("it never holds")


SCROLLS = """
() => [document.documentElement, document.getElementById("picture")].map(
  part => part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight)
"""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_step_pages_fit_a_frame_of_700_by_420_and_no_letter_is_below_11_pixels(demo, browser, lang):
    page = browser.new_page()
    for path in sorted(demo.out.glob("*.steps.html")):
        for width, height in ((390, 700), (700, 420)):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"file://{path}#{lang}-99")
            page.reload()
            assert page.evaluate(SMALL) == [], path.name
        assert page.evaluate(SCROLLS) == [False, False], path.name


@pytest.mark.parametrize("article", [3, 5])
def test_playgrounds_open_in_the_language_of_their_link(demo, browser, article):
    page = browser.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(f"file://{demo.out}/article_{article}_playground.html#lang=zh")
    assert page.title().startswith("游乐场")
    assert failures == []
