"""Weights and checkpoints in files, which are written atomically and read without being trusted.

A file is an `.npz` archive: `content.json`, and the arrays `0.npy`, `1.npy`, … in the order in
which `content.json` refers to them. Nothing is compressed or pickled. The comment at the end of the
archive is `sha256:` and the digest of all bytes before it. `numpy.load(path)` opens it too.

In `content.json`, `content` is the tree that was saved. What JSON lacks is an object with one key:
`{"$array": 0}`, `{"$tuple": […]}`, and `{"$float": "7ff8000000000000"}` with the eight bytes of a
nan or an infinity. A key that begins with `$` gets another `$` before it.
Version 2 may have an architecture beside weights.

>>> import tempfile, os
>>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
>>> save_weights(path, {"w": 0.1, "b": -0.0})
>>> load_weights(path)
{'w': 0.1, 'b': -0.0}
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import json
import math
import os
import re
import stat
import struct
from collections.abc import Iterator, Mapping
from functools import partial
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from micrograd import files
from micrograd.engine.value import to_number

Array = np.ndarray[Any, Any]
Path = str | os.PathLike[str]

codecs.lookup("cp437")  # `zipfile` loads it later, when a process may have dropped its rights

VERSIONS = (1, 2)  # weights with an architecture have the second
KINDS = {"weights": "weights", "checkpoint": "a checkpoint"}  # in words
MOST_BYTES = 2**28  # of a file
MOST_TEXT = 2**25  # bytes of content.json; its Python objects may take 25 times as much memory
MOST_ARRAYS = 10_000
MOST_DEPTH = 64
MOST_DIGITS = 1000  # of an int


def save_weights(path: Path, weights: Mapping[str, float], architecture: Any = None) -> None:
    """Write numbers by name, such as `model.state_dict()`.

    Args:
        path: the file; its folders are created.
        weights: a number for each name.
        architecture: text, numbers, and dicts and lists of these that describe the model, or None.

    Raises:
        TypeError: if a name is not text, or a weight is not a number.
    """
    for name in weights:
        if not isinstance(name, str):
            raise TypeError(f"a weight's name is a str, got {name!r}")
    numbers = [float(to_number(weights[name], f"weight {name!r}")) for name in weights]
    content = {"names": list(weights), "numbers": np.array(numbers, dtype=float)}
    if architecture is not None:
        content["architecture"] = architecture
    _save(path, "weights", content)


def load_weights(path: Path) -> dict[str, float]:
    """Return the numbers by name, with the same bits as were saved.

    Args:
        path: the file.

    Raises:
        ValueError: for a damaged file and for any other file; the message says what is wrong.
    """
    return load_model_data(path)[0]


def load_model_data(path: Path) -> tuple[dict[str, float], Any]:
    """Return the numbers by name, and the architecture that was saved with them, or None.

    Args:
        path: the file.

    Raises:
        ValueError: for a damaged file and for any other file; the message says what is wrong.

    >>> import tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
    >>> save_weights(path, {"w": 0.5}, {"class": "Line"})
    >>> load_model_data(path)
    ({'w': 0.5}, {'class': 'Line'})
    """
    with errors_name(path):
        content = _load(path, "weights")
        names, numbers = content.get("names"), content.get("numbers")
        if (
            set(content) - {"architecture"} != {"names", "numbers"}
            or not isinstance(names, list)
            or not all(isinstance(name, str) for name in names)
            or not isinstance(numbers, np.ndarray)
            or numbers.dtype != np.float64
            or numbers.shape != (len(names),)
            or len(set(names)) < len(names)
        ):
            raise ValueError("weights are distinct names with one float64 number each")
        return dict(zip(names, numbers.tolist(), strict=True)), content.get("architecture")


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a dict of text, numbers, bools, None, arrays of numbers, and dicts and lists of these.

    NumPy's scalars are saved as numbers, and named tuples as plain tuples.

    Args:
        path: the file; its folders are created.
        state: the dict; its keys, and those of all dicts in it, are text.

    Raises:
        TypeError: for anything else; the message names the place.
        ValueError: for more than a file holds.
    """
    if not isinstance(state, dict):
        raise TypeError(f"a checkpoint is a dict, got {type(state).__name__}")
    _save(path, "checkpoint", state)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return the dict that was saved, its numbers with the same bits.

    Args:
        path: the file.

    Raises:
        ValueError: for a damaged file and for any other file; the message says what is wrong.
    """
    with errors_name(path):
        return _load(path, "checkpoint")


@contextlib.contextmanager
def errors_name(path: Path) -> Iterator[None]:
    """Begin the message of every error about the content of a file with its name.

    Args:
        path: the file.

    >>> with errors_name("model.npz"):
    ...     raise ValueError("an empty file")
    Traceback (most recent call last):
    ValueError: 'model.npz': an empty file
    """
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{os.fspath(path)!r}: {error}") from error


def _save(path: Path, kind: str, content: Any) -> None:
    arrays: list[Array] = []
    root = "state" if kind == "checkpoint" else kind
    version = VERSIONS[kind == "weights" and "architecture" in content]
    tree = {"format": "micrograd", "version": version, "kind": kind}
    tree["content"] = _encoded(content, arrays, root)
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
    text, *members = _unpacked(_read(path))
    if len(text) > MOST_TEXT:
        raise ValueError(f"its content.json has {len(text):,} bytes, more than {MOST_TEXT:,}")
    arrays = enumerate(map(_array, members))
    match _decoded(bytes(text), arrays):
        case {"format": str("micrograd"), "content": content, **head}:
            version, held = head.get("version"), head.get("kind")
        case _:
            raise ValueError("its content.json is not from micrograd")
    if type(version) is not int or version not in VERSIONS:
        raise ValueError(
            f"its format has version {repr(version)[:40]}, and this micrograd reads 1 and 2: "
            "pip install --upgrade micrograd-engine"
        )
    if not isinstance(held, str) or held not in KINDS:
        raise ValueError("it holds neither weights nor a checkpoint")
    if held != kind:
        raise ValueError(f"it holds {KINDS[held]}: load_{held} reads it")
    if next(arrays, None) is not None:
        raise ValueError("it has an array that its content.json does not name")
    _encoded(content, [], "its content")  # raises if it is nested too deep
    if not isinstance(content, dict):
        raise ValueError("its content is not an object")
    return content


# ----------------------------------------------------------------------------------------- archives

_SEAL = len(b"sha256:") + 64
_LONGEST = 60 * MOST_ARRAYS + 1000
"""The largest size of an archive's directory and digest: 46 bytes and a name for each member."""


def _member(place: int) -> str:
    return f"{place - 1}.npy" if place else "content.json"


def _packed(members: list[bytes]) -> bytes:
    """Return an archive of these members, with its digest."""
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.comment = bytes(_SEAL)
        for place, data in enumerate(members):
            archive.writestr(ZipInfo(_member(place)), data)
    body = buffer.getvalue()[:-_SEAL]
    return body + _seal(body)


def _seal(body: bytes | memoryview) -> bytes:
    return b"sha256:" + hashlib.sha256(body).hexdigest().encode()


def _read(path: Path) -> bytes:
    status = os.stat(path)  # opening a pipe would wait forever
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise ValueError("not a regular file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            raise ValueError(f"larger than the {MOST_BYTES:,} bytes that a file may have")
        return file.read(size)


def _unpacked(content: bytes) -> list[memoryview]:
    """Return the members of a sealed archive, which follow one another as `_packed` writes them.

    A hostile file may have a valid digest. So the directory is searched for only at the end of the
    file, and each member must begin with the header that the directory implies.
    """
    if not content:
        raise ValueError("an empty file")
    if not content.startswith(b"PK\x03\x04"):
        raise ValueError("not a file of weights or a checkpoint from micrograd")
    body, seal = memoryview(content)[:-_SEAL], content[-_SEAL:]
    if not seal.startswith(b"sha256:"):
        raise ValueError("no digest at its end: it was cut off, or another program wrote it")
    if seal != _seal(body):
        raise ValueError("damaged: its bytes are not those that were written; use another copy")
    try:
        with ZipFile(BytesIO(content[-_LONGEST:])) as archive:
            directory = archive.infolist()
    except (BadZipFile, NotImplementedError) as error:
        raise ValueError(f"its directory is cut off, damaged or too long: {error}") from error
    members: list[memoryview] = []
    start = 0
    for place, info in enumerate(directory):
        header = info.FileHeader()
        entry = (info.filename, info.flag_bits, info.compress_type, info.extra, info.compress_size)
        name = _member(place)
        if entry != (name, 0, 0, b"", info.file_size) or not content.startswith(header, start):
            raise ValueError(
                f"its member {place} is not named {name}, or is compressed, encrypted, extended "
                "or larger than the file: micrograd did not write it"
            )
        start += len(header) + info.file_size
        members.append(body[start - info.file_size : start])
    return members


def _npy(array: Array) -> bytes:
    file = BytesIO()
    np.save(file, np.require(array, requirements="C"), allow_pickle=False)
    return file.getvalue()


def _array(data: memoryview) -> Array:
    """Return a writable array, or raise ValueError if its size is not that of its data."""
    file = BytesIO(data[:2000])  # the header; NumPy refuses a longer one
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("another version")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=1000)
        left = len(data) - file.tell()
        if fortran or re.fullmatch(_NUMBERS, dtype.str) is None:
            raise ValueError(f"in Fortran order, or of {dtype}")
        if math.prod(shape) * dtype.itemsize != left:  # checked before memory is allocated
            raise ValueError(f"shape {shape} and {dtype} in {left} bytes")
        return np.array(np.ndarray(shape, dtype, buffer=data, offset=file.tell()))
    except Exception as error:  # NumPy reads the header with `ast`, which fails in many ways
        what = "it has an array that is not of numbers, or not in the format of npy 1.0"
        raise ValueError(f"{what}: {str(error)[:100]}") from error


# -------------------------------------------------------------------------------------------- trees

_NUMBERS = r"\|[bui]1|[<>](?:[ui][248]|f[248])"  # dtypes
_TOO_LARGE = 10**MOST_DIGITS


def _encoded(tree: Any, arrays: list[Array], *place: Any) -> Any:
    """Return the tree in terms of JSON. Its arrays are appended to `arrays`.

    `place` says where the tree is, for error messages: the name of the root, then keys.
    """
    if tree is None or isinstance(tree, str):
        return tree
    if isinstance(tree, np.generic):
        tree = tree.item()
    if isinstance(tree, float):
        return tree if math.isfinite(tree) else {"$float": struct.pack(">d", tree).hex()}
    if isinstance(tree, int) and abs(tree) < _TOO_LARGE:
        return tree
    where = place[0] + "".join(f"[{key!r}]" for key in place[1:])
    if isinstance(tree, int):
        raise ValueError(f"{where} is an int of more than {MOST_DIGITS} digits")
    if isinstance(tree, dict | list | tuple) and tree and len(place) > MOST_DEPTH:
        raise ValueError(f"{where} is nested deeper than {MOST_DEPTH}: does it hold itself?")
    if isinstance(tree, dict):
        for key in tree:
            if not isinstance(key, str):
                raise TypeError(f"the keys of {where} are text, got {key!r}")
        return {
            f"${key}" if key.startswith("$") else key: _encoded(value, arrays, *place, key)
            for key, value in tree.items()
        }
    if isinstance(tree, list | tuple):
        items = [_encoded(item, arrays, *place, i) for i, item in enumerate(tree)]
        return items if isinstance(tree, list) else {"$tuple": items}
    if type(tree) is np.ndarray:
        if re.fullmatch(_NUMBERS, tree.dtype.str) is None:
            raise TypeError(
                f"{where} is an array of {tree.dtype}; only arrays of numbers can be saved"
            )
        arrays.append(tree)
        return {"$array": len(arrays) - 1}
    raise TypeError(
        f"{where} is of the type {type(tree).__name__}; a checkpoint holds text, numbers, bools, "
        "None, arrays of numbers, and dicts, lists and tuples of these"
    )


def _decoded(text: bytes, arrays: Iterator[tuple[int, Array]]) -> Any:
    """Return the tree that `_encoded` was given; refuse duplicate keys, nan and infinity."""

    def node(pairs: list[tuple[str, Any]]) -> Any:
        match pairs:
            case [("$array", int(position))] if not isinstance(position, bool):
                found, array = next(arrays, (None, None))
                if found != position:
                    raise ValueError("its content.json names its arrays in another order")
                return array
            case [("$tuple", list(items))]:
                return tuple(items)
            case [("$float", str(bits))] if re.fullmatch("[0-9a-f]{16}", bits):
                return struct.unpack(">d", bytes.fromhex(bits))[0]
        tree = {}
        for key, value in pairs:
            if key.startswith("$") and not key.startswith("$$"):
                raise ValueError(f"its content.json has an object with the key {key[:40]!r}")
            tree[key.removeprefix("$")] = value
        if len(tree) < len(pairs):
            raise ValueError("its content.json has an object with the same key twice")
        return tree

    whole, real = partial(_number, int), partial(_number, float)
    try:
        return json.loads(
            text, object_pairs_hook=node, parse_int=whole, parse_float=real, parse_constant=real
        )
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"its content.json is not JSON: {error}") from error
    except RecursionError:
        raise ValueError(f"its content.json is nested deeper than {MOST_DEPTH}") from None


def _number(kind: type[float], text: str) -> float:
    number = kind(text) if len(text) <= MOST_DIGITS + 1 else math.inf
    if not abs(number) < math.inf:
        raise ValueError(f"its content.json has {text[:40]} for a number")
    return number
