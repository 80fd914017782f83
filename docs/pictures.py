"""Makes the pictures of the README: `python -m docs.pictures`, or with `--graph` only the first.

Writes compact.svg, the compact picture of the neuron, and playground.en.png and playground.zh.png
beside this file. The graph is laid out by graphviz-pure, as on every machine. The playground is
photographed in Chromium, which Playwright drives: `pip install playwright`.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from io import BytesIO
from pathlib import Path

from docs.neuron import neuron
from micrograd import draw
from micrograd.files import write
from nn import playground

FOLDER = Path(__file__).parent
COLOURS = 256  # of the PNG, so that it is small
SIZE = {"width": 1000, "height": 745}


def compact() -> str:
    """The compact picture of the neuron, as SVG."""
    return draw(neuron()).pipe(format="svg", encoding="utf-8")


def photograph(page: str) -> bytes:
    """What the top of a page looks like, as PNG with few colours.

    Args:
        page: the text of the page.

    Returns:
        The bytes of the picture.
    """
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        opened = browser.new_page(viewport=SIZE)
        opened.set_content(page)
        opened.wait_for_timeout(3000)
        taken = opened.screenshot()
        browser.close()
    picture = (
        Image.open(BytesIO(taken))
        .convert("RGB")
        .quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    )
    written = BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    pure = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    os.environ["MICROGRAD_DOT"] = pure or sys.exit("pip install graphviz-pure")
    write(FOLDER / "compact.svg", compact())
    if "--graph" not in sys.argv[1:]:
        for lang in ("en", "zh"):
            page = playground(
                data="spiral", classes=3, loss="cross_entropy", layers=[8, 8], steps=300, lang=lang
            )
            write(FOLDER / f"playground.{lang}.png", photograph(page))
