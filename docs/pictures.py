"""Makes the pictures of the README and the guide: `python -m docs.pictures`.

Writes compact.svg and neuron.svg, the pictures of a neuron by `draw` and by `draw_dot`, and
playground.en.png and playground.zh.png beside this file; with `--graphs`, only the first two. They
are laid out by graphviz-pure, identically on every machine. The playground is photographed in
Chromium, which Playwright drives: `pip install playwright`.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from io import BytesIO
from pathlib import Path

from micrograd import Value, draw, draw_dot
from micrograd.files import write
from nn import playground

FOLDER = Path(__file__).parent
COLOURS = 256  # of the PNG, so that it is small
SIZE = {"width": 1000, "height": 745}


def neuron() -> Value:
    """The neuron of the guide, with its gradients and the names of the formula."""
    x1, w1 = Value(2.0, label="x1"), Value(-3.0, label="w1")
    x2, w2 = Value(0.0, label="x2"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.label = "o"
    o.backward()
    return o


def graphs() -> dict[str, str]:
    """The pictures of the neuron as SVG, by file name."""
    drawn = {"compact.svg": draw(neuron()), "neuron.svg": draw_dot(neuron(), local_partials=True)}
    return {name: graph.pipe(format="svg", encoding="utf-8") for name, graph in drawn.items()}


def photograph(page: str) -> bytes:
    """Photograph the top of a page, as a PNG with few colours.

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
    for name, svg in graphs().items():
        write(FOLDER / name, svg)
    if "--graphs" not in sys.argv[1:]:
        for lang in ("en", "zh"):
            page = playground(
                data="spiral", classes=3, loss="cross_entropy", layers=[8, 8], steps=300, lang=lang
            )
            write(FOLDER / f"playground.{lang}.png", photograph(page))
