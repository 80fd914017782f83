"""Machine code for this computer, made by LLVM and kept on disk.

A kernel is compiled when it is first asked for, once on a machine. What is kept is keyed by all
that it was made from (the kernel, the sources that write it, LLVM, the processor), so that nothing
kept is ever stale. A file that was damaged, or a folder that cannot be written, only costs time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from micrograd.locks import free_in_children, reentrant_lock

_DIGEST = 32  # bytes of SHA-256 before the code
_lock = reentrant_lock()
_llvms = getattr(getattr(llvm.ffi.lib, "_lock", None), "_lock", None)
if _llvms is not None:
    free_in_children(_llvms)


class Machine:
    """The processor, and the code that was made for it in this process."""

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        self.width = 8 if features.get("avx512f") else 4 if features.get("avx") else 2
        """The doubles of one vector register."""
        self._processor = llvm.get_host_cpu_name(), features.flatten()
        self._sources = _digest_of_sources()
        self._addresses: dict[str, int] = {}
        self._engines: list[Any] = []  # kept alive, with the code in them

    def address(self, name: str, write: Callable[[], str]) -> int:
        """Where the function `kernel` is, of the module in LLVM's language that `write` gives.

        `name` says all that `write` depends on, besides the sources of this package.
        """
        with _lock:
            found = self._addresses.get(name)
            if found is None:
                found = self._addresses[name] = self._loaded(name, write)
            return found

    def _loaded(self, name: str, write: Callable[[], str]) -> int:
        key = "\n".join((name, *self._processor, self._sources))
        try:
            file = folder() / f"{sha256(key.encode()).hexdigest()[:40]}.bin"
        except RuntimeError:  # there is no home, and so no folder
            file = None
        code = file and _read(file)
        if code is None:
            code = self._compiled(write())
            if file is not None:
                _write(file, code)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._target())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        self._engines.append(engine)
        return int(engine.get_function_address("kernel"))

    def _target(self) -> Any:
        cpu, features = self._processor
        target = llvm.Target.from_default_triple()
        return target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)

    def _compiled(self, text: str) -> bytes:
        target = self._target()
        module = llvm.parse_assembly(text)
        module.triple = llvm.get_default_triple()
        module.data_layout = str(target.target_data)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        builder = llvm.create_pass_builder(target, options)
        builder.getModulePassManager().run(module, builder)
        return bytes(target.emit_object(module))


def folder() -> Path:
    """Where machine code is kept: MICROGRAD_CACHE_DIR, or the user's folder for caches."""
    chosen = os.environ.get("MICROGRAD_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path("~\\AppData\\Local").expanduser())
    elif sys.platform == "darwin":
        base = str(Path("~/Library/Caches").expanduser())
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(base) / "micrograd-engine"


def _digest_of_sources() -> str:
    digest = sha256(llvmlite.__version__.encode())
    digest.update(repr(llvm.llvm_version_info).encode())
    here = Path(__file__).parent
    for file in (*sorted(here.glob("*.py")), here.parents[1] / "kernels.py"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read(file: Path) -> bytes | None:
    """The code in a file; None if there is none, or not all of it."""
    try:
        kept = file.read_bytes()
    except OSError:
        return None
    digest, code = kept[:_DIGEST], kept[_DIGEST:]
    return code if sha256(code).digest() == digest else None


def _write(file: Path, code: bytes) -> None:
    """Keep code, as a whole or not at all: several processes may do so at once."""
    temporary = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(sha256(code).digest() + code)
        Path(temporary.name).replace(file)
    except OSError:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary.name).unlink()
