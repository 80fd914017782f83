"""How long a frame of the playground takes while it trains: `python benchmarks/playground.py`.

A frame is an epoch of training and all pictures. At 60 frames a second there are 16.7 ms.
Chromium and Playwright are needed, as for the tests of pages.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from nn import playground

CASES = {
    "2-8-8-1, 200 samples": "#layers=8,8&samples=200",
    "2-8-8-1, 200 samples, batches of 10": "#layers=8,8&samples=200&batch=10",
    "2-16-16-16-3, 400 samples": "#layers=16,16,16&samples=400&data=spiral&classes=3",
    "a curve, 1-8-1, with the valley": "#kind=regression&layers=8&data=sine",
}
FRAMES = 200


def main() -> None:
    """Print the times of the frames."""
    path = Path(tempfile.mkdtemp()) / "page.html"
    playground(path=path)
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        print(f"{'milliseconds a frame':38} fastest  median     95%")
        for name, address in CASES.items():
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            page.goto(f"file://{path}{address}")
            times = page.evaluate(
                f"Array.from({{ length: {FRAMES + 60} }}, () => playground.frame()).slice(60)"
            )
            times.sort()
            shown = times[0], times[FRAMES // 2], times[FRAMES * 95 // 100]
            print(f"{name:38} " + " ".join(f"{each:7.1f}" for each in shown))
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
