"""The command line: its commands, exit codes and messages."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import micrograd
import nn
from micrograd.__main__ import main
from micrograd.commands import demo
from micrograd.commands.demo import EXAMPLES, find_examples
from micrograd.commands.main import COMMANDS
from micrograd.writing.labels import columns

HEAVY = ("numpy", "matplotlib", "graphviz", "numba", "jax", "hypothesis")


def python(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        **options,
    )


@pytest.fixture
def two_articles(monkeypatch):
    """The package of the examples, cut down to two quick ones, which run in this process."""
    pytest.importorskip("numpy")
    examples = find_examples()
    quick = ("article_1_weighted_sum", "article_3_fitting_a_line")
    monkeypatch.setattr(examples, "ARTICLES", quick)
    monkeypatch.setattr(demo.os, "cpu_count", lambda: 1)
    return [import_module(f"{examples.__name__}.{name}") for name in quick]


# -------------------------------------------------------------------------------------------- demo


@pytest.mark.slow
def test_the_demo_collects_everything_in_an_index(two_articles, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert f"wrote {tmp_path / 'index.html'}\n" in capsys.readouterr().out
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    for path in tmp_path.iterdir():
        found = re.search(f'(href|srcset)="{re.escape(path.name)}["#]', text)
        assert found or path.name == "index.html" or path.suffix == ".png"


@pytest.mark.slow
def test_an_index_that_cannot_be_written_is_an_error_without_a_traceback(
    two_articles, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(find_examples(), "ARTICLES", ("article_3_fitting_a_line",))
    (tmp_path / "index.html").mkdir()
    assert main(["demo", "--out", str(tmp_path)]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"micrograd: cannot write to {tmp_path / 'index.html'}")


def test_the_table_is_aligned(two_articles, capsys):
    main(["demo"])
    heading, *rows = capsys.readouterr().out.splitlines()
    rows = [row for row in rows if row.endswith("  ok")]
    assert heading.split() == ["article", "number", "source", "expected", "got"]
    assert {len(row) for row in rows} == {len(heading) + len("  ok")}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [40, 80, 126, 127])
def test_the_table_fits_the_terminal(width, lang, two_articles, monkeypatch, capsys):
    main(["demo", "--lang", lang])
    wide = capsys.readouterr().out.splitlines()
    for name, value in (("COLUMNS", str(width)), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    main(["demo", "--lang", lang])
    shown = capsys.readouterr().out.splitlines()
    end = shown.index("")
    assert max(map(columns, shown[:end])) <= width
    assert (shown == wide) == (width >= 127)
    # Nothing is lost, but for the heading, whose words stand beside the numbers.
    words = "".join(shown[:end]).replace(" ", "")
    for row in wide[1 : wide.index("")]:
        for cell in re.split(" {2,}", row):
            assert cell.replace(" ", "") in words


def test_without_a_folder_the_demo_computes_and_says_that_nothing_is_written(two_articles, capsys):
    assert main(["demo"]) == 0
    text = capsys.readouterr().out
    assert "wrote" not in text
    assert "no files written: give --out DIR" in text


def test_a_number_that_differs_is_marked_and_the_demo_exits_with_1(
    two_articles, monkeypatch, capsys
):
    first, _ = two_articles
    run = first.run

    def wrong(out):
        report = run(out)
        wrong = replace(report.rows[0], got=0.99)
        report.numbers(wrong)
        return report

    monkeypatch.setattr(first, "run", wrong)
    assert main(["demo"]) == 1
    text = capsys.readouterr().out
    (line,) = [line for line in text.splitlines() if line.endswith("  DIFFERS")]
    assert line.split()[-3:] == ["0.98", "0.99", "DIFFERS"]
    assert "; 1 of the latter differs\n" in text


@pytest.mark.slow
def test_what_was_skipped_is_said_once_for_all_articles(
    two_articles, monkeypatch, tmp_path, capsys
):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert main(["demo", "--out", str(tmp_path)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("skipped")]
    count = int(line.split()[1])
    assert count > len([*tmp_path.glob("article_1_*.zh.svg")]) + 10  # those of both articles
    assert "pip install" in line


def test_the_demo_runs_the_articles_that_are_chosen(two_articles, capsys):
    assert main(["demo", "2"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.endswith("  ok")]
    assert {row[0] for row in rows} == {"3"}  # the second of the two programs
    assert main(["demo", "3"]) == 2
    assert capsys.readouterr().err == "micrograd: there are articles 1 to 2, got 3\n"


def test_a_folder_that_cannot_be_written_is_an_error_without_a_traceback(
    two_articles, tmp_path, capsys
):
    occupied = tmp_path / "file"
    occupied.touch()
    assert main(["demo", "--out", str(occupied)]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"micrograd: cannot write to {occupied}")
    assert printed.out == ""  # nothing has been computed yet


# -------------------------------------------------------------------------- where the examples are


@pytest.fixture
def not_yet_loaded(monkeypatch):
    """Forget the examples for one test."""
    for name in [name for name in sys.modules if name.startswith(EXAMPLES)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(demo, "find_spec", lambda name: None)


def test_a_foreign_package_named_examples_is_not_taken_for_ours(
    not_yet_loaded, monkeypatch, tmp_path
):
    foreign = tmp_path / "examples"
    foreign.mkdir()
    (foreign / "__init__.py").write_text("ARTICLES = ()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    examples = find_examples()
    assert examples.__name__ == EXAMPLES
    assert len(examples.ARTICLES) == 5
    assert Path(examples.__file__).parent != foreign
    for name in [name for name in sys.modules if name.startswith(EXAMPLES)]:
        del sys.modules[name]


def test_missing_examples_are_an_error_that_says_where_they_were_sought(
    not_yet_loaded, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "micrograd" / "commands" / "demo.py"))
    assert main(["demo"]) == 2
    assert str(tmp_path / "examples") in capsys.readouterr().err


# -------------------------------------------------------------------------------- the whole command


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    names = {command.__name__.rpartition(".")[2] for command in COMMANDS}
    assert {"demo", "check", "train"} < names
    assert names <= {line.split()[0] for line in printed.splitlines() if line.startswith("    ")}


def test_the_version_is_that_of_the_installed_distribution(capsys):
    assert main(["--version"]) == 0
    try:
        installed = version("micrograd-engine")
    except PackageNotFoundError:
        installed = "unknown"
    assert capsys.readouterr().out == f"micrograd-engine {installed}\n"
    assert micrograd.__version__ == nn.__version__ == installed


def test_the_version_of_a_package_that_was_only_copied_is_unknown(monkeypatch, capsys):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "micrograd-engine unknown\n"
    assert micrograd.__version__ == nn.__version__ == "unknown"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["demo", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["demo", "--out"], "expected one argument"),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_says_what_is_wrong(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert complaint in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    done = python("-X", "importtime", "-m", "micrograd", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: micrograd")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "micrograd.engine.value" in imported
    assert imported.isdisjoint(HEAVY)


def test_the_module_passes_its_exit_code_on():
    assert python("-m", "micrograd", "rules", "nothing").returncode == 2


# --------------------------------------------------------------------------------- micrograd check


def test_check_prints_a_report_and_exits_with_0_when_the_witnesses_agree(capsys):
    assert main(["check", "tanh(x * w + b)", "x=2", "w=-3", "b=6.5"]) == 0
    printed = capsys.readouterr().out
    assert "x = 2.0, w = -3.0, b = 6.5: ok" in printed
    assert [line.split()[0] for line in printed.splitlines()[2:5]] == ["x", "w", "b"]


def test_check_looks_at_second_derivatives_too(capsys):
    assert main(["check", "x ** 3 * y", "x=2", "y=0.5", "--order", "2"]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [["log(x)", "x=-1"], ["abs(x) ** 2", "x=0", "--order", "2"], ["relu(x) - relu(-x)", "x=0"]],
)
def test_check_exits_with_3_where_it_is_undecided(words, capsys):
    assert main(["check", *words]) == 3
    printed = capsys.readouterr().out
    assert "UNDECIDED" in printed.splitlines()[0]
    assert "  undecided: " in printed


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["x + y", "x=1"], "unknown name 'y'"),
        (["x +", "x=1"], "at column"),
        (["x", "x"], "NAME=NUMBER"),
        (["x", "x=one"], "'one' is not a number"),
        (["x", "x=1", "x=2"], "twice"),
        (["x * x", "x=1", "y=2", "z=3"], "'x * x' does not use y, z: leave out the value"),
        (["__import__('os')", "x=1"], "not an operation"),
        (["x", "x=1", "--order", "0"], "1 or more, got 0"),
        (["x", "x=1", "--order", "9"], "4 or less, got 9"),
    ],
)
def test_check_says_what_is_wrong_with_its_arguments_and_exits_with_2(words, complaint, capsys):
    assert main(["check", *words]) == 2
    assert complaint in capsys.readouterr().err
