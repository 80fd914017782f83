"""What commands print: without control characters, and also where output is closed or full."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from micrograd.__main__ import main
from micrograd.commands.terminal import Output, printable

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
TRAIN = (
    *("train", "--data", "table.csv", "--hidden", "2"),
    *("--epochs", "2", "--save", "model.npz"),
)
COMMANDS = [
    ("check", "x ** 2", "x=3"),
    ("explain", "x ** 2", "x=3"),
    ("draw", "x ** 2", "x=3"),
    ("rules",),
    ("--help",),
    ("--version",),
    TRAIN,
    ("predict", "model.npz", "table.csv"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a table and a model of it."""
    pytest.importorskip("numpy")
    path = tmp_path_factory.mktemp("folder")
    rows = "".join(f"{7 * i % 11 / 10},{'pq'[i % 2]}\n" for i in range(40))
    (path / "table.csv").write_text(f"a,y\n{rows}", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.chdir(path)
        assert main(TRAIN) == 0
    return path


@pytest.fixture
def folder(trained, monkeypatch):
    """The same folder, as the current one."""
    monkeypatch.chdir(trained)
    return trained


def exit_code(words, stream, monkeypatch):
    """That of a command whose standard output is the stream; closing it writes what is left."""
    with monkeypatch.context() as patch, stream:
        patch.setattr(sys, "stdout", stream)
        try:
            return main(words)
        except SystemExit as left:
            return left.code


def without_reader():
    """A stream whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return open(writing, "w", encoding="utf-8")


@needs_full
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_output_that_cannot_be_written_is_exit_code_2(words, folder, monkeypatch, capsys):
    assert exit_code(words, FULL.open("w"), monkeypatch) == 2
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert complaint.startswith("micrograd: cannot write to standard output: ")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone_is_not_an_error(words, folder, monkeypatch, capsys):
    assert exit_code(words, without_reader(), monkeypatch) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize("words", [COMMANDS[0], TRAIN], ids=["check", "train"])
def test_no_traceback_comes_when_python_ends(words, folder):
    # Output waits in a buffer, so that Python itself writes it at its end.
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHONUNBUFFERED": "",
    }
    for stream in (without_reader(), *([FULL.open("w")] if FULL.exists() else [])):
        with stream:
            done = subprocess.run(
                [sys.executable, "-m", "micrograd", *words], check=False, encoding="utf-8",
                env=environment, stdout=stream, stderr=subprocess.PIPE,
            )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode == (2 if stream.name == str(FULL) else 0)
        assert bool(done.stderr) is (done.returncode == 2)


@needs_full
def test_training_whose_output_is_lost_still_saves_the_model(folder, monkeypatch):
    model = folder / "model.npz"
    model.unlink()
    exit_code(TRAIN, FULL.open("w"), monkeypatch)
    assert model.stat().st_size > 0


class Gone:
    """A standard output whose reader has gone."""

    encoding = "utf-8"

    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError

    def fileno(self):
        raise OSError


def test_a_number_that_differs_is_exit_code_1_also_if_the_reader_has_gone(monkeypatch):
    monkeypatch.setattr("micrograd.commands.check.check", lambda options: print("x" * 99) or 1)
    monkeypatch.setattr(sys, "stdout", Gone())
    assert main(["check", "x", "x=1"]) == 1


def test_closed_streams_cause_no_traceback(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["check", "x", "x=1"]) == 2
    assert "cannot write to standard output" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["check", "x", "x=one"]) == 2
    assert capsys.readouterr().out == ""  # no place for complaints


def test_training_needs_no_standard_error(monkeypatch, capsys):
    pytest.importorskip("numpy")
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["train", "--data", "xor", "--hidden", "2", "--epochs", "1"]) == 0


# ------------------------------------------------------------------------------ control characters


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\rb\x07", r"a\rb\x07"),
        ("a\u202eb\u2066", r"a\u202eb\u2066"),
        ("a\x9bb\x7f", r"a\x9bb\x7f"),
        ("a\ud800", r"a\ud800"),
        ("a\n\tb 颜色 ∂x", "a\n\tb 颜色 ∂x"),
    ],
)
def test_control_characters_are_escaped(text, shown):
    assert printable(text) == shown


def test_what_is_printed_is_escaped(capsys):
    output = Output(sys.stdout)
    assert output.write("\x1b[31mred\n") == 9
    assert capsys.readouterr().out == "\\x1b[31mred\n"


def test_complaints_and_results_have_no_control_characters(capsys):
    assert main(["draw", "x", "x=1", "--theme", "\x1b[31m"]) == 2
    assert main(["train", "--data", "\x1b[31m"]) == 2
    with pytest.raises(SystemExit):
        main(["\x1b[31m"])
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert captured.err.count(r"\x1b[31m") == 3


# -------------------------------------------------------------------------- words that begin with -


def test_file_names_may_begin_with_a_minus(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "-x * y", "x=1", "y=2", "-o", "-f.svg"]) == 0
    assert capsys.readouterr().out == "wrote -f.svg\n"
    assert [path.name for path in tmp_path.iterdir()] == ["-f.svg"]
    for words in (["-m.npz", "new.csv"], ["--", "-m.npz", "new.csv"]):
        assert main(["predict", *words]) == 2
        assert "cannot read -m.npz: No such file" in capsys.readouterr().err


def test_a_name_that_begins_with_a_space_and_a_minus_keeps_its_space(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "x", "x=1", "-o", " -f.svg"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [" -f.svg"]


def test_a_name_that_is_too_long_is_an_error_without_a_traceback(capsys):
    pytest.importorskip("numpy")
    long = "x" * 5000
    for words in (["--data", long], ["--data", "xor", "--save", long]):
        assert main(["train", *words]) == 2
        assert "name too long" in capsys.readouterr().err.lower()


def test_an_unknown_option_is_shown_as_it_was_typed(capsys):
    with pytest.raises(SystemExit):
        main(["demo", "-x"])
    assert "unrecognized arguments: -x\n" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["-x"])
    assert "invalid choice: '-x'" in capsys.readouterr().err
