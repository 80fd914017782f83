"""One run of all five articles, which every test reads."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from examples._common import Report
from micrograd import __main__ as command_line


class Demo(NamedTuple):
    """What `micrograd demo --out FOLDER` returned, printed and computed."""

    status: int
    printed: str
    out: Path
    reports: dict[int, Report]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The command, run once."""
    pytest.importorskip("numpy")
    out = tmp_path_factory.mktemp("articles") / "new" / "folder"
    reports: dict[int, Report] = {}
    run = command_line._reports

    def kept(*arguments):
        for report in run(*arguments):
            reports[report.article.number] = report
            yield report

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.setattr(command_line, "_reports", kept)
        status = command_line.main(["demo", "--out", str(out)])
    return Demo(status, printed.getvalue(), out, reports)


@pytest.fixture(scope="session")
def reports(demo: Demo) -> dict[int, Report]:
    """The reports by the number of the article."""
    return demo.reports
