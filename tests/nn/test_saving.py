"""`nn.storage`: a file is written as a whole or not at all."""

import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from micrograd import files
from nn.storage import load_checkpoint, load_weights, save_checkpoint, save_weights
from tests.nn.archives import POSIX, ROOT, WEIGHTS


def run(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stderr=subprocess.PIPE
    )


@pytest.mark.slow
@POSIX
def test_a_process_killed_at_any_moment_leaves_the_old_or_the_new_file():
    done = subprocess.run(
        [sys.executable, "-m", "tests.nn.killed", "12"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["kills"] == 12
    assert counts["most files left"] <= 1


@pytest.mark.slow
@POSIX
def test_two_processes_may_save_at_once(path):
    code = (
        "import sys, numpy as np; from nn.storage import save_checkpoint\n"
        "path, number = sys.argv[1], int(sys.argv[2])\n"
        "for _ in range(20): save_checkpoint(path, {'a': np.full(20_000, number)})"
    )
    save_checkpoint(path, {"a": np.full(20_000, 0)})
    processes = [run(code, path, number) for number in (1, 2)]
    while any(process.poll() is None for process in processes):
        assert len(set(load_checkpoint(path)["a"].tolist())) == 1
    assert [process.communicate()[1] for process in processes] == [b"", b""]
    assert load_checkpoint(path)["a"][0] in (1, 2)
    assert os.listdir(path.parent) == [path.name]


def test_the_next_save_removes_what_a_killed_process_left(path):
    for name in (".model.npz.01234567.saving", ".model.npz.89abcdef.saving"):
        (path.parent / name).write_bytes(b"half")
    kept = {
        ".model.npz.saving",
        ".model.npz.notes",
        ".other.npz.01234567.saving",
        "01234567.saving",
    }
    for name in kept:
        (path.parent / name).write_bytes(b"mine")
    if files.fcntl is None:
        for each in path.parent.iterdir():
            os.utime(each, (0, 0))
    save_weights(path, WEIGHTS)
    assert set(os.listdir(path.parent)) == kept | {path.name}


def test_without_locks_only_old_files_count_as_abandoned(path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    old, new = (path.parent / f".model.npz.0000000{i}.saving" for i in range(2))
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    save_weights(path, WEIGHTS)
    assert load_weights(path) == WEIGHTS
    assert set(os.listdir(path.parent)) == {new.name, path.name}


@POSIX
def test_a_file_that_another_process_is_writing_is_left_alone(path):
    code = (
        "import os, sys; from micrograd import files\n"
        "wait = lambda *_: (print('there', flush=True), sys.stdin.read())\n"
        "os.fsync = wait; files.replace(sys.argv[1], b'theirs')"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout.readline() == b"there\n"
    save_weights(path, WEIGHTS)
    assert len(os.listdir(path.parent)) == 2
    other.communicate()
    assert path.read_bytes() == b"theirs"
    assert os.listdir(path.parent) == [path.name]


def failing(error):
    def fail(*_, **__):
        raise OSError(error, os.strerror(error))

    return fail


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(path, monkeypatch, step):
    save_weights(path, WEIGHTS)
    monkeypatch.setattr(os, step, failing(errno.ENOSPC))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        save_weights(path, {"other": 1.0})
    monkeypatch.undo()
    assert load_weights(path) == WEIGHTS
    assert os.listdir(path.parent) == [path.name]


@POSIX
def test_a_full_disk_is_an_error_that_leaves_the_old_file(path):
    save_weights(path, WEIGHTS)
    code = (
        "import resource, sys; from nn.storage import save_weights\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: save_weights(sys.argv[1], dict.fromkeys(map(str, range(1000)), 0.0))\n"
        "except OSError as error: sys.exit(error.errno)"
    )
    process = run(code, path)
    assert process.communicate()[1] == b""
    assert process.returncode == errno.EFBIG
    assert load_weights(path) == WEIGHTS
    assert os.listdir(path.parent) == [path.name]


@POSIX
def test_a_folder_that_may_not_be_written_to_is_a_permission_error():
    code = (
        "import os, sys; from nn.storage import load_weights, save_weights\n"
        "if not os.geteuid(): os.setuid(65534)\n"  # the superuser may write everywhere
        "try: save_weights(sys.argv[1], {'other': 1.0})\n"
        "except PermissionError: print(load_weights(sys.argv[1]), os.listdir(sys.argv[2]))"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.npz")
        save_weights(path, WEIGHTS)
        os.chmod(folder, 0o555)
        command = [sys.executable, "-c", code, path, folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        os.chmod(folder, 0o755)
    assert done.stdout == f"{WEIGHTS} ['model.npz']\n", done.stderr


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError, match="not replaced"):
        save_weights(tmp_path, WEIGHTS)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        save_weights(tmp_path / "file" / "model", WEIGHTS)


@POSIX
def test_the_permissions_of_an_existing_file_stay_and_a_new_one_has_those_of_open(path):
    save_weights(path, WEIGHTS)
    (path.parent / "opened").touch()
    assert path.stat().st_mode == (path.parent / "opened").stat().st_mode
    path.chmod(0o640)
    save_weights(path, WEIGHTS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@POSIX
def test_a_symbolic_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "models").mkdir()
    target, link = tmp_path / "models" / "first.npz", tmp_path / "latest.npz"
    link.symlink_to(target)
    for weights in (WEIGHTS, {"other": 1.0}):
        save_weights(link, weights)
        assert link.is_symlink()
        assert load_weights(target) == load_weights(link) == weights
    assert set(os.listdir(tmp_path)) == {"models", "latest.npz"}
