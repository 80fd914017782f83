"""The script of a page, packed in Python and unpacked by the page."""

import pytest

from micrograd import Value, live_page
from tests.live.common import script_of


def product():
    names = [Value(1.0, label=name) for name in ("𝑥₁ < \t& </script>", "a" * 300, "𝑥₁")]
    return names[0] * names[1] + names[2]


def test_a_page_is_shorter_than_its_script():
    page = live_page(product())
    assert len(page.encode()) < len(script_of(page).encode())


@pytest.mark.slow
def test_the_page_unpacks_what_python_packed(live):
    page = live(product())
    assert len(page.numbers()) == 4
    script = page.page.locator("script").last.evaluate("script => script.textContent")
    assert script == script_of(page.path.read_text(encoding="utf-8"))
