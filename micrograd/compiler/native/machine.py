"""Machine code for this computer, which LLVM makes and which is kept on disk.

A kernel is compiled when it is first needed, once on a computer. The code is kept under a key of
all that it was made from (the kernel, the sources that write it, LLVM, the processor), so that it
is never out of date. Since it is run, the file must belong to this user, and nobody else may be
able to write it. A damaged file, or a folder that cannot be written, only costs time.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

import llvmlite
import llvmlite.binding as llvm

from micrograd.locks import free_in_children, reentrant_lock

_DIGEST = 32  # bytes of SHA-256, at the beginning of a file
_lock = reentrant_lock()
_llvms = getattr(getattr(llvm.ffi.lib, "_lock", None), "_lock", None)
if _llvms is not None:
    free_in_children(_llvms)


_PASSES = (
    *("sroa", "simplify_cfg", "loop_simplify", "loop_rotate"),
    *("instruction_combine", "new_gvn", "simplify_cfg"),
)
"""The few passes that loops over vectors need. All passes of LLVM would double the time of a
compilation, and the code would be no faster."""


class Module(NamedTuple):
    """A function `kernel` in LLVM's language.

    Args:
        name: all that it depends on, besides the sources of this package.
        write: returns its text; it is called if the code is not on disk.
    """

    name: str
    write: Callable[[], str]


class Machine:
    """The processor, and the code that was loaded in this process."""

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        self.width = 8 if features.get("avx512f") else 4 if features.get("avx") else 2
        """The number of doubles in a vector register."""
        self._processor = llvm.get_host_cpu_name(), features.flatten()
        self._maker = "\n".join((*self._processor, _digest_of_sources())).encode()
        self._addresses: dict[str, int] = {}
        self._symbols: set[str] = set()  # the functions of the code that was loaded
        # It keeps the code alive.
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._target())

    def address(self, name: str, write: Callable[[], str]) -> int:
        """Return the address of the function of a module; see `Module`."""
        return self.addresses([Module(name, write)])[0]

    def addresses(self, modules: Sequence[Module]) -> list[int]:
        """Return the addresses of the functions of modules.

        Those that are new are compiled together, which takes half the time, and kept in one file
        with a name for each of them.
        """
        with _lock:
            missing = {each.name: each for each in modules if each.name not in self._addresses}
            symbols = {name: f"kernel_{self._digest(name)}" for name in missing}
            if missing:
                self._load({symbols[name]: each for name, each in missing.items()})
            for name, symbol in symbols.items():
                self._addresses[name] = int(self._engine.get_function_address(symbol))
            return [self._addresses[each.name] for each in modules]

    def _digest(self, name: str) -> str:
        return sha256(name.encode() + b"\n" + self._maker).hexdigest()[:40]

    def _load(self, modules: dict[str, Module]) -> None:
        """Load the code of modules, given by the names of their functions."""
        kept = _own_folder()
        for symbol in modules:
            if kept is not None and symbol not in self._symbols:
                self._add(_read(kept / f"{symbol}.bin", self._maker, symbol))
        rest = [symbol for symbol in modules if symbol not in self._symbols]
        if rest:
            code = self._compiled([_named(modules[symbol].write(), symbol) for symbol in rest])
            if kept is not None:
                _write([kept / f"{symbol}.bin" for symbol in rest], self._maker, rest, code)
            self._add((rest, code))
        self._engine.finalize_object()

    def _add(self, found: tuple[Sequence[str], bytes] | None) -> None:
        """Add code with the names of its functions, but not twice."""
        if found is not None and self._symbols.isdisjoint(found[0]):
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(found[1]))
            self._symbols.update(found[0])

    def _target(self) -> Any:
        cpu, features = self._processor
        target = llvm.Target.from_default_triple()
        return target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)

    def _compiled(self, texts: Iterable[str]) -> bytes:
        target = self._target()
        module, *others = map(llvm.parse_assembly, texts)
        for other in others:
            module.link_in(other)
        module.triple = llvm.get_default_triple()
        module.data_layout = str(target.target_data)
        module.verify()
        passes = llvm.create_new_module_pass_manager()
        for each in _PASSES:
            getattr(passes, f"add_{each}_pass")()
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        passes.run(module, llvm.create_pass_builder(target, options))
        return bytes(target.emit_object(module))


def _named(text: str, symbol: str) -> str:
    """Return a module whose function has a name of its own."""
    return text.replace('@"kernel"', f'@"{symbol}"')


def folder() -> Path:
    """Return where machine code is kept: MICROGRAD_CACHE_DIR, or the user's folder for caches.

    Raises RuntimeError if there is no such place, or if its path is relative: it would depend on
    the working folder, and somebody else might have filled it.
    """
    chosen = os.environ.get("MICROGRAD_CACHE_DIR")
    if chosen:
        place = Path(chosen)
    elif sys.platform == "win32":
        place = _absolute("LOCALAPPDATA", "~\\AppData\\Local")
    elif sys.platform == "darwin":
        place = Path("~/Library/Caches").expanduser()
    else:
        place = _absolute("XDG_CACHE_HOME", "~/.cache")
    if not place.is_absolute():
        raise RuntimeError(f"{place} is a relative path")
    return place if chosen else place / "micrograd-engine"


def _absolute(variable: str, otherwise: str) -> Path:
    """Return the path in an environment variable; as XDG demands, a relative one is ignored."""
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else Path(otherwise).expanduser()


def _own_folder() -> Path | None:
    """Create the folder if it is missing; return None if it cannot be used safely."""
    try:
        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place if _is_own(place.stat(), stat.S_ISDIR) else None
    except (OSError, RuntimeError):
        return None


def _is_own(status: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    """Return whether this is of a kind and this user's, and nobody else can write it."""
    if not is_kind(status.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _digest_of_sources() -> str:
    digest = sha256(llvmlite.__version__.encode())
    digest.update(repr(llvm.llvm_version_info).encode())
    here = Path(__file__).parent
    for file in (*sorted(here.rglob("*.py")), *sorted((here.parents[1] / "table").glob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()


# Opening does not wait for a fifo and does not follow a link.
_READING = os.O_RDONLY | sum(getattr(os, f"O_{x}", 0) for x in ("BINARY", "NONBLOCK", "NOFOLLOW"))


def _read(file: Path, maker: bytes, symbol: str) -> tuple[Sequence[str], bytes] | None:
    """Return the code in a file, and the names of its functions.

    It is None if the file is missing, damaged or not this user's, or has no such function.
    """
    try:
        if file.is_symlink():
            return None
        descriptor = os.open(file, _READING)
        try:
            if not _is_own(os.fstat(descriptor), stat.S_ISREG):
                return None
            with open(descriptor, "rb", closefd=False) as stream:
                kept = stream.read()
        finally:
            os.close(descriptor)
    except OSError:
        return None
    digest, rest = kept[:_DIGEST], kept[_DIGEST:]
    if sha256(maker + rest).digest() != digest:
        return None
    names, _, code = rest.partition(b"\n")
    symbols = names.decode().split(" ")
    return (symbols, code) if symbol in symbols else None


def _write(files: Sequence[Path], maker: bytes, symbols: Sequence[str], code: bytes) -> None:
    """Write code to files, each as a whole or not at all: several processes may do so at once.

    The files are one and the same where the file system allows it.
    """
    rest = " ".join(symbols).encode() + b"\n" + code
    temporary = None
    try:
        with NamedTemporaryFile(dir=files[0].parent, delete=False) as temporary:
            temporary.write(sha256(maker + rest).digest() + rest)
        for file in files:
            _replace(file, Path(temporary.name))
    except OSError:
        pass
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary.name).unlink()


def _replace(file: Path, by: Path) -> None:
    """Put another name of a file, or else a copy of it, in the place of a file."""
    link = by.with_suffix(".link")
    with suppress(OSError):
        try:
            link.hardlink_to(by)
        except (OSError, NotImplementedError):
            shutil.copy(by, link)
        link.replace(file)
    with suppress(OSError):
        link.unlink()
