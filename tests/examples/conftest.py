"""One run of all five articles, which every test reads."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from examples import _common
from examples._common import Report, write_index
from micrograd.__main__ import main


class Demo(NamedTuple):
    """What `micrograd demo --out FOLDER` returned, printed and computed."""

    status: int
    printed: str
    out: Path
    reports: dict[int, Report]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The command, run once."""
    out = tmp_path_factory.mktemp("articles") / "new" / "folder"
    reports: dict[int, Report] = {}

    def recording(all_reports, folder):
        reports.update((report.article.number, report) for report in all_reports)
        return write_index(all_reports, folder)

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        for name, module in [*sys.modules.items()]:  # one copy of each, whatever was imported
            if name == "examples" or name.startswith("examples."):
                patch.setitem(sys.modules, f"micrograd.{name}", module)
        patch.setattr(_common, "write_index", recording)
        status = main(["demo", "--out", str(out)])
    return Demo(status, printed.getvalue(), out, reports)


@pytest.fixture(scope="session")
def reports(demo: Demo) -> dict[int, Report]:
    """The reports by the number of the article."""
    return demo.reports
