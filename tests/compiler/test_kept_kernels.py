"""Machine code that is kept on disk is used again, if it is undamaged and this user's."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("llvmlite", reason="pip install numba")

from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler.native import executor, machine
from micrograd.compiler.native.driver import write_driver

PROGRAM = """
import micrograd
f = micrograd.compile(lambda x: x.tanh() * x, backend="numba")
print(f.value_and_grad(0.5))
"""


def run_anew(folder):
    """What a program prints in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MICROGRAD_CACHE_DIR": str(folder)},
    )
    return done.stdout


def run(folder):
    """What the same program prints in this process, with a machine that has no code yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRAD_CACHE_DIR", str(folder))
        patch.setattr(executor, "_only_machine", cache(machine.Machine))
        patch.setattr(executor, "_driver", cache(executor._driver.__wrapped__))
        f = compile(lambda x: x.tanh() * x, backend="numba")
        return f"{f.value_and_grad(0.5)}\n"


@pytest.mark.slow
def test_kernels_are_kept_on_disk_and_used_by_other_processes(tmp_path):
    first = run_anew(tmp_path / "kept")
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").iterdir()}
    assert len(files) >= 4
    assert run_anew(tmp_path / "kept") == first == run(tmp_path / "kept")
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").iterdir()} == files


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder of kernels, and what their program prints."""
    folder = tmp_path_factory.mktemp("kernels") / "kept"
    return folder, run(folder)


@pytest.fixture
def kept(original, tmp_path):
    """A copy of the folder."""
    return Path(shutil.copytree(original[0], tmp_path / "kept"))


def content(folder):
    return {file: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"garbage", None], ids=["empty", "garbage", "cut"])
def test_a_damaged_kernel_is_compiled_anew(kept, original, damage):
    for file in kept.iterdir():
        file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
    assert run(kept) == original[1]
    assert all(len(file.read_bytes()) > 200 for file in kept.iterdir())


@pytest.mark.slow
def test_a_kernel_under_the_name_of_another_is_compiled_anew(kept, original):
    before = content(kept)
    for file, code in zip(before, reversed(before.values()), strict=True):
        file.write_bytes(code)
    assert run(kept) == original[1]
    assert content(kept).keys() == before.keys()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine.Machine, "_compiled", None)  # nothing is compiled again
        assert run(kept) == original[1]


@pytest.mark.slow
def test_kernels_that_were_compiled_together_are_all_read_from_one_of_their_names(kept, original):
    last_of_each = {code: file for file, code in content(kept).items()}
    for file in kept.iterdir():
        if file not in last_of_each.values():
            file.unlink()
    assert len(content(kept)) == len(last_of_each) < len(content(original[0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine.Machine, "_compiled", None)  # nothing is compiled again
        assert run(kept) == original[1]


@pytest.mark.slow
def test_kernels_that_were_compiled_together_are_one_file(tmp_path):
    run(tmp_path)
    files = [*tmp_path.iterdir()]
    assert len({file.stat().st_ino for file in files}) < len(files)
    assert all(file.suffix == ".bin" for file in files)  # and nothing temporary is left


@pytest.mark.slow
def test_where_files_have_one_name_only_kernels_are_kept_in_copies(tmp_path, original, monkeypatch):
    def refused(link, target):
        raise OSError("not supported")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    assert run(tmp_path) == original[1]
    files = [*tmp_path.iterdir()]
    assert {file.name for file in files} == {file.name for file in original[0].iterdir()}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    monkeypatch.setattr(machine.Machine, "_compiled", None)  # nothing is compiled again
    assert run(tmp_path) == original[1]


@pytest.mark.slow
@pytest.mark.parametrize("length", [0, -100])
def test_a_part_of_a_kernel_with_a_digest_of_its_own_is_compiled_anew(kept, original, length):
    before = content(kept)
    for file, whole in before.items():
        code = whole[32:][:length]
        file.write_bytes(hashlib.sha256(code).digest() + code)
    assert run(kept) == original[1]
    assert content(kept) == before


ON_UNIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no such owners here")


@pytest.mark.slow
@ON_UNIX
@pytest.mark.parametrize("thing", ["link", "fifo", "written by others", "of another user"])
def test_what_is_no_file_of_this_user_alone_is_compiled_anew(kept, original, thing):
    before = content(kept)
    for file, code in before.items():
        if thing == "written by others":
            file.chmod(0o620)
        elif thing == "of another user":
            if os.geteuid() != 0:
                pytest.skip("only root can give files away")
            os.chown(file, 12345, -1)
        else:
            file.unlink()
            if thing == "fifo":
                os.mkfifo(file)
            else:
                (kept.parent / file.name).write_bytes(code)
                file.symlink_to(kept.parent / file.name)
    assert run(kept) == original[1]
    for file in before:
        status = file.lstat()
        assert stat.S_ISREG(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert status.st_uid == os.geteuid()
    assert content(kept) == before


@pytest.mark.slow
def test_a_folder_in_place_of_a_kernel_only_costs_time(kept, original):
    for file in content(kept):
        file.unlink()
        file.mkdir()
    assert run(kept) == original[1]


@ON_UNIX
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_is_not_used(kept, mode, monkeypatch):
    monkeypatch.setenv("MICROGRAD_CACHE_DIR", str(kept))
    assert machine._own_folder() == kept
    kept.chmod(mode)
    assert machine._own_folder() is None


@pytest.mark.slow
@ON_UNIX
def test_without_a_folder_of_its_own_a_program_runs_and_keeps_nothing(tmp_path, original):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert run(tmp_path / "open") == original[1]
    assert not [*(tmp_path / "open").iterdir()]


@ON_UNIX
def test_a_folder_of_another_user_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAD_CACHE_DIR", str(tmp_path / "kept"))
    assert machine._own_folder() == tmp_path / "kept"
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert machine._own_folder() is None


@ON_UNIX
def test_a_folder_is_made_for_this_user_alone_whatever_the_umask(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAD_CACHE_DIR", str(tmp_path / "kept"))
    before = os.umask(0)
    try:
        assert machine._own_folder() == tmp_path / "kept"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700


def test_where_files_have_no_owners_kernels_are_kept_all_the_same(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "geteuid", raising=False)
    monkeypatch.setenv("MICROGRAD_CACHE_DIR", str(tmp_path))
    assert machine._own_folder() == tmp_path
    machine._write([tmp_path / "a.bin", tmp_path / "b.bin"], b"maker", ["a", "b"], b"code")
    for name in ("a", "b"):
        file = tmp_path / f"{name}.bin"
        assert machine._read(file, b"maker", name) == (["a", "b"], b"code")
        assert machine._read(file, b"another maker", name) is None
        assert machine._read(file, b"maker", "c") is None


def test_a_relative_path_is_not_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MICROGRAD_CACHE_DIR", "kernels")
    with pytest.raises(RuntimeError, match="kernels is a relative path"):
        machine.folder()
    assert machine._own_folder() is None
    monkeypatch.delenv("MICROGRAD_CACHE_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert machine.folder() == tmp_path / ".cache" / "micrograd-engine"
    monkeypatch.setenv("HOME", "home")
    assert machine._own_folder() is None
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path, original):
    (tmp_path / "file").write_text("not a folder")
    assert run(tmp_path / "file" / "kernels") == original[1]


def test_the_folder_is_the_users_own_for_caches(monkeypatch):
    monkeypatch.delenv("MICROGRAD_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.setattr(sys, "platform", "linux")
    assert str(machine.folder()) == "/somewhere/micrograd-engine"


def test_without_a_home_there_is_no_cache_and_code_is_made_all_the_same(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(machine, "folder", homeless)
    made = machine.Machine()
    assert made.address("a driver", lambda: write_driver("float64", made.width))
