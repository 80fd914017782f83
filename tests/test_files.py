"""Every file is written as a whole or not at all."""

import errno
import os
import random
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from examples import _training
from examples._report import Report
from examples._words import Words
from examples.article_1_weighted_sum import ARTICLE
from micrograd import Value, draw_dot, files, step_page
from micrograd.__main__ import main as command
from micrograd.drawing import draw_losses, draw_network, film_strip
from nn import MLP, fit
from nn.history import History
from nn.plots import film as training_film
from nn.storage import save_checkpoint, save_weights

POSIX = pytest.mark.skipif(os.name == "nt", reason="a matter of POSIX")


def output():
    x = Value(2.0, label="x")
    y = x * 3 + 1
    y.backward()
    return y


def figure():
    from matplotlib.figure import Figure

    made = Figure(figsize=(1, 1))
    made.subplots()
    return made


def film(path):
    random.seed(0)
    X, y = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 1])
    taken = training_film(path, resolution=4)
    fit(MLP(2, [1]), X, y, epochs=1, callbacks=[taken], loss="bce_with_logits", progress=False)


def article(path):
    report = Report(ARTICLE, path.parent)
    report.figure("loss", partial(draw_losses, {"loss": [1.0, 0.5]}), caption=Words.same("loss"))


# The name of the file, and the function that writes it.
WRITERS = {
    "a history": ("history.csv", lambda path: History({"loss": [0.5]}).to_csv(path)),
    "the weights of a model": ("model.npz", lambda path: MLP(2, [1]).save(path)),
    "weights": ("model.npz", lambda path: save_weights(path, {"w": 1.0})),
    "a checkpoint": ("model.npz", lambda path: save_checkpoint(path, {"w": 1.0})),
    "a film of training": ("film.gif", film),
    "DOT text": ("graph.gv", lambda path: draw_dot(output()).save(path)),
    "DOT text in a folder": (
        "graph.gv",
        lambda path: draw_dot(output()).save(path.name, directory=path.parent),
    ),
    "a picture": ("graph.gv.svg", lambda path: draw_dot(output()).render(path.with_suffix(""))),
    "a picture by its suffix": ("graph.json", lambda path: draw_dot(output()).write(path)),
    "a network": ("net.svg", lambda path: draw_network(MLP(2, [1])).write(path)),
    "a page of steps": ("steps.html", lambda path: step_page(output(), path)),
    "a strip of steps": ("step-01.svg", lambda path: film_strip(output(), path.parent)),
    "a drawing of the command line": (
        "graph.html",
        lambda path: command(["draw", "x*y", "x=2", "y=3", "-o", str(path)]),
    ),
    "a plot of an example": ("a.png", lambda path: _training.save(figure().axes[0], path)),
    "a figure of an article": ("article_1_loss.en.svg", article),
}


class FullDisk:
    """A file with room for only half of what is written."""

    def __init__(self, descriptor, mode):
        self.file = os.fdopen(descriptor, mode, buffering=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, content):
        self.file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("old", [b"before", None], ids=["old file", "no file"])
def test_on_a_full_disk_the_old_file_stays_and_no_other_is_left(
    name, old, tmp_path, monkeypatch, capsys
):
    filename, write = WRITERS[name]
    if filename.endswith((".png", ".gif")):
        pytest.importorskip("matplotlib")
    path = tmp_path / filename
    if old is not None:
        path.write_bytes(old)
    monkeypatch.setattr(files, "open", FullDisk, raising=False)
    if name == "a drawing of the command line":
        assert write(path) == 2
        assert "No space left" in capsys.readouterr().err
    else:
        with pytest.raises(OSError, match="No space left"):
            write(path)
    monkeypatch.undo()
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == (
        {} if old is None else {filename: old}
    )
    write(path)
    assert path.read_bytes() not in (b"", b"before")
    assert not [each.name for each in tmp_path.iterdir() if each.name.endswith(".saving")]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 16 KB."""
    options = ["-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tmp_path)]
    if os.name == "nt" or subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_disk_that_is_really_full_keeps_the_old_file(small_disk):
    path = small_disk / "history.csv"
    History({"loss": [0.5]}).to_csv(path)
    old = path.read_bytes()
    with pytest.raises(OSError, match="No space left"):
        History({"loss": [0.1] * 10_000}).to_csv(path)
    assert path.read_bytes() == old
    assert os.listdir(small_disk) == [path.name]


@POSIX
def test_a_device_or_a_pipe_is_written_to_directly(tmp_path):
    assert files.write(os.devnull, "text") == os.devnull
    if Path("/dev/full").exists():
        with pytest.raises(OSError, match="No space left"):
            files.write("/dev/full", "text")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        files.write(f"/dev/fd/{process.stdin.fileno()}", "text")
        process.stdin.close()
        assert process.stdout.read() == b"text"
    assert not list(tmp_path.iterdir())


@POSIX
def test_a_folder_that_cannot_be_listed_can_be_written_to(tmp_path):
    code = (
        "import os, sys; from micrograd import files\n"
        "if not os.geteuid(): os.setuid(65534)\n"  # the superuser may list everything
        "files.write(sys.argv[1], 'text')"
    )
    folder = Path(tempfile.mkdtemp())  # pytest's own are closed to others
    folder.chmod(0o333)
    done = subprocess.run([sys.executable, "-c", code, folder / "new"], capture_output=True)
    folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert (folder / "new").read_text() == "text"
    shutil.rmtree(folder)
