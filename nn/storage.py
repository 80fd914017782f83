"""Weights and checkpoints in files: written whole or not at all, and read without trust.

A file is an `.npz` archive: `content.json`, and the arrays `0.npy`, `1.npy`, … in the order in
which `content.json` names them. Nothing is compressed or pickled. The comment at the end of the
archive is `sha256:` and the digest of all bytes before it. `numpy.load(path)` opens it too.

In `content.json`, `content` is the tree that was saved. What JSON lacks is an object with one key:
`{"$array": 0}`, `{"$tuple": […]}`, and `{"$float": "7ff8000000000000"}` with the eight bytes of a
nan or an infinity. A key that begins with `$` has another `$` before it.

>>> import tempfile, os
>>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
>>> save_weights(path, {"w": 0.1, "b": -0.0})
>>> load_weights(path)
{'w': 0.1, 'b': -0.0}
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import stat
import struct
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, NoReturn
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from micrograd import files
from micrograd.engine import to_number

Array = np.ndarray[Any, Any]
Path = str | os.PathLike[str]

VERSION = 1
KINDS = {"weights": "weights", "checkpoint": "a checkpoint"}  # in words
MOST_BYTES = 2**28  # of a file
MOST_TEXT = 2**25  # bytes of content.json; what Python makes of it may be 25 times as large
MOST_ARRAYS = 10_000
MOST_DEPTH = 64
MOST_DIGITS = 1000  # of an int


def save_weights(path: Path, weights: Mapping[str, float]) -> None:
    """Write numbers by name, such as `model.state_dict()`."""
    for name in weights:
        if not isinstance(name, str):
            raise TypeError(f"a weight's name is a str, got {name!r}")
    numbers = [float(to_number(weights[name], f"weight {name!r}")) for name in weights]
    _save(path, "weights", {"names": list(weights), "numbers": np.array(numbers, dtype=float)})


def load_weights(path: Path) -> dict[str, float]:
    """The numbers by name, to the bit.

    Raises ValueError, which says what is wrong, for any other file, and for a damaged one.
    """
    with _complaints_about(path):
        content = _load(path, "weights")
        names, numbers = content.get("names"), content.get("numbers")
        if (
            set(content) != {"names", "numbers"}
            or not isinstance(names, list)
            or not all(isinstance(name, str) for name in names)
            or not isinstance(numbers, np.ndarray)
            or numbers.dtype != np.float64
            or numbers.shape != (len(names),)
            or len(set(names)) < len(names)
        ):
            raise ValueError("weights are names that differ, and one float64 number for each")
        return dict(zip(names, numbers.tolist(), strict=True))


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a dict of text, numbers, bools, None, arrays of numbers, and dicts and lists of these.

    Keys are text. NumPy's scalars come back as numbers, tuples as plain tuples. Raises TypeError,
    which names the place, for anything else, and ValueError for more than a file holds.
    """
    if not isinstance(state, dict):
        raise TypeError(f"a checkpoint is a dict, got {type(state).__name__}")
    _save(path, "checkpoint", state)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What was saved, numbers to the bit.

    Raises ValueError, which says what is wrong, for any other file, and for a damaged one.
    """
    with _complaints_about(path):
        return _load(path, "checkpoint")


@contextlib.contextmanager
def _complaints_about(path: Path) -> Iterator[None]:
    """Every complaint about what is in the file begins with its name."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{os.fspath(path)!r}: {error}") from error


def _save(path: Path, kind: str, content: Any) -> None:
    arrays: list[Array] = []
    root = "state" if kind == "checkpoint" else kind
    tree = {"format": "micrograd", "version": VERSION, "kind": kind}
    tree["content"] = _encoded(content, root, arrays, 0)
    text = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
    packed = _packed([text, *map(_npy, arrays)])
    for what, size, most in (
        ("bytes", len(packed), MOST_BYTES),
        ("bytes of text and numbers outside arrays", len(text), MOST_TEXT),
        ("arrays", len(arrays), MOST_ARRAYS),
    ):
        if size > most:
            raise ValueError(f"{root} has {size:,} {what}, and a file holds at most {most:,}")
    files.replace(path, packed)


def _load(path: Path, kind: str) -> dict[str, Any]:
    text, *arrays = _unpacked(_read(path))
    if len(text) > MOST_TEXT:
        raise ValueError(f"its content.json has {len(text):,} bytes, more than {MOST_TEXT:,}")
    tree = _parsed(text)
    if not isinstance(tree, dict) or tree.get("format") != "micrograd" or "content" not in tree:
        raise ValueError("its content.json is not from micrograd")
    version = tree.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(
            f"its format has version {repr(version)[:40]}, and this micrograd reads {VERSION}: "
            "pip install --upgrade micrograd-engine"
        )
    held = tree.get("kind")
    if held != kind:
        if held not in list(KINDS):
            raise ValueError("it holds neither weights nor a checkpoint")
        raise ValueError(f"it holds {KINDS[held]}: load_{held} reads it")
    found = enumerate(map(_array, arrays))
    content = _decoded(tree["content"], found, 0)
    if next(found, None) is not None:
        raise ValueError("it has an array that its content.json does not name")
    if not isinstance(content, dict):
        raise ValueError("its content is no object")
    return content


# ----------------------------------------------------------------------------------------- archives

_SEAL = len(b"sha256:") + 64
_MEMBER = struct.Struct("<4s5H3I2H")  # what an archive has before each member's name
_NUMBERS = r"\|[bui]1|[<>](?:[ui][248]|f[248])"  # dtypes
_ARRAY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(%b)', 'fortran_order': False, "
    rb"'shape': \(([\d, ]{0,400})\), \} *\n" % _NUMBERS.encode(),
    re.DOTALL,
)


def _member(position: int) -> str:
    return f"{position - 1}.npy" if position else "content.json"


def _packed(members: list[bytes]) -> bytes:
    """An archive, sealed."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        archive.comment = bytes(_SEAL)
        for position, data in enumerate(members):
            archive.writestr(ZipInfo(_member(position)), data)
    body = buffer.getvalue()[:-_SEAL]
    return body + _seal(body)


def _seal(body: bytes | memoryview) -> bytes:
    return b"sha256:" + hashlib.sha256(body).hexdigest().encode()


def _read(path: Path) -> bytes:
    status = os.stat(path)  # before it is opened, which waits for ever where the file is a pipe
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise ValueError("no regular file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            raise ValueError(f"larger than the {MOST_BYTES:,} bytes that a file may have")
        return file.read(size)


def _unpacked(content: bytes) -> list[memoryview]:
    """The members of a sealed archive.

    They are read from front to back and have the names and sizes that `_packed` would give; the
    directory at the end, which may say otherwise, is left to other programs.
    """
    if not content:
        raise ValueError("an empty file")
    if not content.startswith(b"PK\x03\x04"):
        raise ValueError("no file of weights or a checkpoint from micrograd")
    view = memoryview(content)
    body, seal = view[:-_SEAL], bytes(view[-_SEAL:])
    if not seal.startswith(b"sha256:"):
        raise ValueError("no digest at its end: it was cut off, or another program wrote it")
    if seal != _seal(body):
        raise ValueError("damaged: its bytes are not those that were written; take a copy")
    members: list[memoryview] = []
    start = 0
    while bytes(body[start : start + 4]) == b"PK\x03\x04":
        wanted, place = _member(len(members)), f"member {len(members)}"
        if len(members) > MOST_ARRAYS:
            raise ValueError(f"it has more than {MOST_ARRAYS:,} arrays")
        if len(body) - start < _MEMBER.size:
            raise ValueError(f"its {place} is cut off")
        header = _MEMBER.unpack_from(body, start)
        flags, method, packed, size, name_length, extra = (header[i] for i in (2, 3, 7, 8, 9, 10))
        begin = start + _MEMBER.size + name_length
        if bytes(body[start + _MEMBER.size : begin]) != wanted.encode():
            raise ValueError(f"its {place} is not named {wanted}")
        if flags or method or extra or packed != size:
            raise ValueError(f"its {wanted} is compressed, encrypted or extended")
        if size > len(body) - begin:
            raise ValueError(f"its {wanted} is larger than the file")
        members.append(body[begin : begin + size])
        start = begin + size
    return members


def _npy(array: Array) -> bytes:
    buffer = BytesIO()
    contiguous = np.require(array, requirements="C")
    np.lib.format.write_array(buffer, contiguous, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _array(data: memoryview) -> Array:
    """An array that may be written to, whose size is that of its data."""
    header = _ARRAY.match(data)
    if header is None:
        raise ValueError("it has an array that is not of numbers, or not in the format of npy 1.0")
    dtype: np.dtype[Any] = np.dtype(header[1].decode())
    shape = tuple(int(size) for size in header[2].split(b",") if size.strip())
    body = data[header.end() :]
    if math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"it has an array of shape {shape} and {dtype} in {len(body)} bytes")
    return np.array(np.ndarray(shape, dtype, buffer=body))


# -------------------------------------------------------------------------------------------- trees


_TOO_LARGE = 10**MOST_DIGITS


def _encoded(tree: Any, place: str, arrays: list[Array], depth: int) -> Any:
    """The tree as JSON has it; its arrays go to the list."""
    if depth > MOST_DEPTH:
        raise ValueError(f"{place} is nested deeper than {MOST_DEPTH}: does it hold itself?")
    if isinstance(tree, np.generic):
        tree = tree.item()
    if tree is None or isinstance(tree, bool | str):
        return tree
    if isinstance(tree, int):
        if abs(tree) >= _TOO_LARGE:
            raise ValueError(f"{place} is an int of more than {MOST_DIGITS} digits")
        return tree
    if isinstance(tree, float):
        return tree if math.isfinite(tree) else {"$float": struct.pack(">d", tree).hex()}
    if isinstance(tree, dict):
        pairs = {}
        for key, value in tree.items():
            if not isinstance(key, str):
                raise TypeError(f"the keys of {place} are text, got {key!r}")
            pairs[f"${key}" if key.startswith("$") else key] = _encoded(
                value, f"{place}[{key!r}]", arrays, depth + 1
            )
        return pairs
    if isinstance(tree, list | tuple):
        items = [_encoded(x, f"{place}[{i}]", arrays, depth + 1) for i, x in enumerate(tree)]
        return items if isinstance(tree, list) else {"$tuple": items}
    if type(tree) is np.ndarray:
        if re.fullmatch(_NUMBERS, tree.dtype.str) is None:
            raise TypeError(f"{place} is an array of {tree.dtype}, and one of numbers can be saved")
        arrays.append(tree)
        return {"$array": len(arrays) - 1}
    raise TypeError(
        f"{place} is of the type {type(tree).__name__}; a checkpoint holds text, numbers, bools, "
        "None, arrays of numbers, and dicts, lists and tuples of these"
    )


def _decoded(tree: Any, arrays: Iterator[tuple[int, Array]], depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise ValueError(f"its content is nested deeper than {MOST_DEPTH}")
    if isinstance(tree, list):
        return [_decoded(item, arrays, depth + 1) for item in tree]
    if not isinstance(tree, dict):
        return tree
    match tree:
        case {"$array": int(position)} if len(tree) == 1 and not isinstance(position, bool):
            found, array = next(arrays, (None, None))
            if found != position:
                raise ValueError("its content.json names its arrays in another order")
            return array
        case {"$tuple": list(items)} if len(tree) == 1:
            return tuple(_decoded(item, arrays, depth + 1) for item in items)
        case {"$float": str(bits)} if len(tree) == 1 and re.fullmatch("[0-9a-f]{16}", bits):
            return struct.unpack(">d", bytes.fromhex(bits))[0]
    pairs = {}
    for key, value in tree.items():
        if key.startswith("$") and not key.startswith("$$"):
            raise ValueError(f"its content.json has an object with the key {key[:40]!r}")
        pairs[key.removeprefix("$")] = _decoded(value, arrays, depth + 1)
    return pairs


def _parsed(text: memoryview) -> Any:
    """JSON, strictly: no key twice, no number that is not finite."""
    try:
        return json.loads(
            bytes(text),
            object_pairs_hook=_pairs,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_int,
        )
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"its content.json is no JSON: {error}") from error
    except RecursionError:
        raise ValueError(f"its content.json is nested deeper than {MOST_DEPTH}") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its content.json has an object with the same key twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _int(text: str) -> int:
    return int(text) if len(text) <= MOST_DIGITS + 1 else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"its content.json has {text[:40]} for a number")
