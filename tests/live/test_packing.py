"""The script of a page, compressed by zlib and unpacked by the page, as soon as it is read."""

import base64
import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value, live_page
from micrograd.drawing.frame import asset
from micrograd.live.page import packed
from tests.export.common import NODE, needs_node, run
from tests.live.common import unpacked
from tests.live.test_numbers import neuron

LETTERS = ["w⁽¹⁾₁₂", "abcdef", "12345", "𝑥", "中文", "<", "\t", "\n", "\0", "\\", "</script>", "🙂"]
TEXTS = ["", "x", "abc" * 5, "a" * 300, "é¯∂L̄" * 20, "𝑥₁" * 9, "学习率" * 9, "\ufeffa", "\r\n"]

words = st.lists(st.sampled_from(LETTERS) | st.text()).map("".join)


def compressed(text, level=9, strategy=zlib.Z_DEFAULT_STRATEGY):
    """A text in the way of a page, in blocks of a kind that the level and the strategy choose."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15, strategy=strategy)
    return base64.b64encode(deflate.compress(text.encode()) + deflate.flush()).decode()


def texts(seed=0):
    """Random texts with repeats near and far, short and long."""
    rng = random.Random(seed)
    for _ in range(60):
        alphabet = rng.choices([*LETTERS, *map(chr, range(32, 127))], k=rng.randint(1, 40))
        parts = ["".join(rng.choices(alphabet, k=rng.randint(1, 500))) for _ in range(9)]
        yield "".join(rng.choices(parts, k=rng.randint(1, 60)))
    yield "".join(chr(rng.choice((rng.randrange(0xD800), 0x1F600))) for _ in range(30_000))


def in_all_ways():
    """Texts, and what zlib makes of them: stored, by fixed codes, and by codes of their own."""
    for text in [*TEXTS, *texts()]:
        for level in (0, 1, 9):
            yield text, compressed(text, level)
        for strategy in (zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE):
            yield text, compressed(text, 9, strategy)


UNPACK = """texts => texts.map((text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(inflated(bytes));
})"""


@given(words)
def test_what_is_packed_is_unpacked_as_the_same_text(text):
    assert unpacked(packed(text)) == text


@pytest.mark.slow
@needs_node
def test_the_script_unpacks_every_kind_of_block():
    given, short = zip(*in_all_ways(), strict=True)
    kinds = {base64.b64decode(text)[0] >> 1 & 3 for text in short}
    assert kinds == {0, 1, 2}
    program = f"""{asset("inflate.js", "micrograd.live")}
        const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
        console.log(JSON.stringify(({UNPACK})(texts)));"""
    assert json.loads(run(NODE, "-e", program, input=json.dumps(short))) == [*given]


@pytest.mark.slow
def test_the_page_unpacks_what_python_packed(live):
    names = [Value(1.0, label=name) for name in ("𝑥₁ < \t& </script>", "a" * 300, "学习率🙂")]
    page = live(names[0] * names[1] + names[2])
    assert "学习率🙂" in page.numbers()
    given, short = zip(*in_all_ways(), strict=True)
    assert page.page.evaluate(UNPACK, [*short]) == [*given]


@pytest.mark.slow
@pytest.mark.parametrize("event", ["DOMContentLoaded", "load"])
def test_the_page_is_there_as_soon_as_it_has_loaded(browser, tmp_path, event):
    live_page(neuron(), tmp_path / "page.html")
    page = browser.new_page()
    page.add_init_script(
        f"""addEventListener("{event}", () => {{
            window.early = document.querySelectorAll("[data-name]").length;
        }});"""
    )
    page.goto(f"file://{tmp_path}/page.html")
    later = page.evaluate("document.querySelectorAll('[data-name]').length")
    assert page.evaluate("early") == later > 0
    page.close()


def test_no_sign_of_a_packed_text_begins_a_tag():
    text = json.dumps(["/script>" * (i % 5) + str(i) for i in range(500)])
    assert "<" not in packed(text)
