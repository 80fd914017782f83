"""Archives as `nn.storage` writes them, and as an attacker would."""

import io
import json
import math
import os
import re
import struct
import zipfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import strategies as st

from nn import storage
from nn.storage import load_checkpoint, load_weights

ROOT = Path(__file__).parents[2]

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals, owners and links of POSIX")

WEIGHTS = {"layers.0.w": 0.1, "layers.0.b": -0.0}


def bits(number):
    return struct.pack(">d", number)


def same(one, other):
    """Equal in types and bits, however deep."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, float):
        return bits(one) == bits(other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


# -------------------------------------------------------------------------------------- round trips


doubles = st.integers(0, 2**64 - 1).map(lambda n: struct.unpack(">d", n.to_bytes(8, "big"))[0])

texts = st.text(st.characters(exclude_categories=()), max_size=5)


@st.composite
def arrays(draw):
    dtype = draw(st.sampled_from("|b1 |i1 |u1 <i2 >i4 <i8 <u2 >u8 <f2 <f4 >f4 <f8".split()))
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    size = math.prod(shape) * np.dtype(dtype).itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    array = np.ndarray(shape, "|u1" if dtype == "|b1" else dtype, buffer=data)
    return np.asfortranarray(array > 0 if dtype == "|b1" else array)


leaves = st.none() | st.booleans() | st.integers() | doubles | texts | arrays()


# ------------------------------------------------------------------------------------ damaged files


def refused(path, content, complaint=None, loads=(load_weights, load_checkpoint)):
    """The file with this content is a ValueError that names it."""
    path.write_bytes(content)
    for load in loads:
        with pytest.raises(ValueError, match=complaint) as caught:
            load(path)
        assert str(caught.value).startswith(repr(os.fspath(path)) + ": ")


def loads(content):
    """What each of the two functions gives for a file with this content: a dict, or the message.

    The file is not written, so that thousands of contents can be tried.
    """
    with patch.object(storage, "_read", lambda path: bytes(content)):
        for load in (load_weights, load_checkpoint):
            try:
                yield load("model.npz")
            except ValueError as error:
                yield str(error)


def refused_in_memory(content, complaint=""):
    for found in loads(content):
        assert str(found).startswith("'model.npz': "), found
        assert re.search(complaint, found)


def sealed(members, compression=zipfile.ZIP_STORED):
    """An archive of any members, whose digest is right, as an attacker would make it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = bytes(71)
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return resealed(buffer.getvalue())


def resealed(content):
    return content[:-71] + storage._seal(content[:-71])


def content(tree, kind="checkpoint", **others):
    head = {"format": "micrograd", "version": 1, "kind": kind, "content": tree, **others}
    return "content.json", head if isinstance(head, str) else json.dumps(head)


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


# ------------------------------------------------------------------------------- how deep, and what


# What is put in place of each field of a file.
STRANGE = [
    *(None, True, False, 0, 1, -1, 2**53, 2**63, -(2**64), 10**300, 0.5, -0.0, 1e308),
    *("", "a", "\ud800", "\x1b[31m", "nan", [], [0], [[]], [None], ["a", "a"], {}, {"a": 1}),
    *({"$tuple": []}, {"$float": "7ff8000000000000"}, {"$float": "7ff0000000000000"}),
    *({"$array": 0}, {"$array": True}, {"$array": 10**300}, {"$code": 1}),
]


def places(tree):
    """The path to each part of a tree of JSON."""
    yield ()
    if not isinstance(tree, dict | list):
        return
    for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
        for way in places(part):
            yield (key, *way)


def with_part(tree, way, new):
    if not way:
        return new
    twin = dict(tree) if isinstance(tree, dict) else list(tree)
    twin[way[0]] = with_part(tree[way[0]], way[1:], new)
    return twin


def without_part(tree, way):
    twin = dict(tree) if isinstance(tree, dict) else list(tree)
    if len(way) == 1:
        del twin[way[0]]
    else:
        twin[way[0]] = without_part(tree[way[0]], way[1:])
    return twin


def altered(path):
    """The file with each of its fields replaced or left out, and a valid digest."""
    with zipfile.ZipFile(path) as archive:
        first, *others = ((name, archive.read(name)) for name in archive.namelist())
    tree = json.loads(first[1])
    for way in places(tree):
        twins = [with_part(tree, way, strange) for strange in STRANGE]
        for twin in [*twins, without_part(tree, way)] if way else twins:
            yield sealed([("content.json", json.dumps(twin)), *others])
