"""`nn.storage`: no damaged, foreign or hostile file does any harm."""

import json
import math
import os
import pickle
import stat
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.storage import load_checkpoint, load_weights, save_checkpoint, save_weights
from tests.nn.archives import (
    POSIX,
    WEIGHTS,
    altered,
    content,
    leaves,
    loads,
    npy,
    refused,
    refused_in_memory,
    resealed,
    sealed,
    texts,
)

# ------------------------------------------------------------------------------------ damaged files


def test_every_altered_byte_is_noticed(path):
    save_weights(path, WEIGHTS)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for change in (0x01, 0x20, 0xFF):
            changed = bytearray(whole)
            changed[place] ^= change
            refused_in_memory(changed)


def test_every_missing_or_added_byte_is_noticed(path):
    save_weights(path, WEIGHTS)
    whole = path.read_bytes()
    for length in range(len(whole)):
        refused_in_memory(whole[:length])
        refused_in_memory(whole[length + 1 :])
        refused_in_memory(whole[:length] + whole[length + 1 :])
    refused(path, whole + b"\0", "cut off, or another program wrote it")
    refused(path, whole + whole, "damaged")


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(content):
    refused_in_memory(content)


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    for load in (load_weights, load_checkpoint):
        with pytest.raises(FileNotFoundError, match="nosuch"):
            load(tmp_path / "nosuch")
        with pytest.raises(OSError, match=str(tmp_path)):
            load(tmp_path)


# ------------------------------------------------------------------------------------ hostile files


def patched(content, place, *new):
    """With other bytes in the header of the first member."""
    altered = bytearray(content)
    altered[place : place + len(new)] = new
    return resealed(bytes(altered))


def with_directory(content, change):
    """With the first entry of its directory changed, and the directory's length with it."""
    begin, end = content.index(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    directory = change(content[begin:end])
    length = struct.pack("<I", len(directory))
    record = content[end : end + 12] + length + content[end + 16 :]
    return resealed(content[:begin] + directory + record)


ONE = npy(np.ones(1), version=(1, 0))

NAMED = content({"a": {"$array": 0}})


def huge(shape, dtype="<f8", data=b""):
    """An array that claims a shape."""
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


class Bomb:
    def __reduce__(self):
        return os.system, ("touch /tmp/micrograd-was-here",)


HOSTILE = {
    "a pickle": (pickle.dumps(Bomb()), "not a file of weights"),
    "text": (b"weights: 1, 2, 3\n", "not a file of weights"),
    "another program's npz": (None, "another program wrote it"),
    "an object array": (
        sealed([NAMED, ("0.npy", npy(np.array([Bomb()], dtype=object), allow_pickle=True))]),
        "not of numbers",
    ),
    "an array of text": (sealed([NAMED, ("0.npy", npy(np.array(["a"])))]), "not of numbers"),
    "an array of complex numbers": (sealed([NAMED, ("0.npy", npy(np.ones(1) * 1j))]), "not of num"),
    "a bomb": (sealed([content({"a": "0" * 10**6})], zipfile.ZIP_DEFLATED), "is compressed"),
    "a bomb that denies it": (
        patched(sealed([content({"a": "0" * 10**6})], zipfile.ZIP_DEFLATED), 8, 0, 0),
        "is compressed",
    ),
    "an encrypted member": (patched(sealed([content({})]), 6, 1), "encrypted"),
    "a member of four gigabytes": (
        patched(sealed([content({})]), 18, *[0xFF] * 8),
        "larger than the file",
    ),
    "a member longer than it is": (
        patched(sealed([content({})]), 18, 99, 0, 0, 0, 99),
        "micrograd did not write it",
    ),
    "a name longer than the file": (patched(sealed([content({})]), 26, 255, 255), "is not named"),
    "a shape of a terabyte": (sealed([NAMED, ("0.npy", huge((2**37,)))]), "in 0 bytes"),
    "a shape that overflows": (
        sealed([NAMED, ("0.npy", huge((2**32, 2**32), data=bytes(8)))]),
        "in 8 bytes",
    ),
    "an empty array of a huge shape": (
        sealed([NAMED, ("0.npy", huge((0, 2**62, 2**62)))]),
        "too big",
    ),
    "an empty array of an endless number": (
        sealed([NAMED, ("0.npy", huge((0, 10**50)))]),
        "imension",
    ),
    "a negative shape": (sealed([NAMED, ("0.npy", huge((-1,)))]), "format of npy"),
    "a shape of words": (sealed([NAMED, ("0.npy", huge("(print(),)"))]), "format of npy"),
    "a header that is nested": (sealed([NAMED, ("0.npy", huge("(" * 5000))]), "format of npy"),
    "a dtype that is none": (sealed([NAMED, ("0.npy", huge((1,), "<f1", b"0"))]), "not of numbers"),
    "a member that climbs": (sealed([NAMED, ("../0.npy", ONE)]), "is not named 0.npy"),
    "a member from the root": (sealed([NAMED, ("/etc/passwd", ONE)]), "is not named 0.npy"),
    "members in another order": (sealed([("0.npy", ONE), NAMED]), "is not named content.json"),
    "no array": (sealed([NAMED]), "in another order"),
    "an array too many": (sealed([content({}), ("0.npy", ONE)]), "does not name"),
    "an array twice": (
        sealed([content([{"$array": 0}, {"$array": 0}]), ("0.npy", ONE)]),
        "in another order",
    ),
    "a directory of a million members": (
        with_directory(sealed([content({})]), lambda entry: entry * 10**6),
        "too long",
    ),
    "a member named twice": (
        with_directory(sealed([content({})]), lambda entry: entry * 2),
        "member 1 is not named 0.npy",
    ),
    "a directory that denies the size": (
        with_directory(
            sealed([content({})]), lambda entry: entry[:20] + struct.pack("<II", 9, 9) + entry[28:]
        ),
        "larger than the file",
    ),
    "a method that is not ours, twice": (
        with_directory(
            patched(sealed([content({})]), 8, 99), lambda entry: entry[:10] + b"c" + entry[11:]
        ),
        "is compressed",
    ),
    "a size before compression, twice": (
        with_directory(
            patched(sealed([content({})]), 22, 9, 0, 0, 0),
            lambda entry: entry[:24] + struct.pack("<I", 9) + entry[28:],
        ),
        "is compressed",
    ),
    "a directory that speaks of another version": (
        with_directory(sealed([content({})]), lambda entry: entry[:6] + b"\xff" + entry[7:]),
        "its directory is .*version 25.5",
    ),
    "a member before the first": (
        resealed(b"PK\x03\x04 hidden" + sealed([content({})])),
        "not named content.json",
    ),
    "a shape of two negative numbers": (
        sealed([NAMED, ("0.npy", huge((-1, -1), data=bytes(8)))]),
        "format of npy",
    ),
    "a header of a long sum": (sealed([NAMED, ("0.npy", huge("1+" * 5000))]), "format of npy"),
    "a header of npy 2.0": (sealed([NAMED, ("0.npy", npy(np.ones(1), version=(2, 0)))]), "npy 1.0"),
    "no directory": (resealed(b"PK\x03\x04" + bytes(71)), "cut off"),
    "no member": (sealed([]), "not a file of weights"),
    "deep lists": (sealed([("content.json", "[" * 10**6)]), "nested deeper"),
    "deep objects": (sealed([("content.json", '{"a":' * 10**6)]), "nested deeper"),
    "lists of depth 100": (
        sealed([("content.json", content([])[1].replace("[]", "[" * 100 + "]" * 100))]),
        "nested deeper",
    ),
    "no JSON": (sealed([("content.json", "weights")]), "not JSON: Expecting value"),
    "no Unicode": (sealed([("content.json", b'{"\xff')]), "not JSON: .* decode"),
    "JSON of another program": (sealed([("content.json", "{}")]), "not from micrograd"),
    "JSON without content": (
        sealed([("content.json", '{"format": "micrograd"}')]),
        "not from micrograd",
    ),
    "a list": (sealed([("content.json", "[]")]), "not from micrograd"),
    "a later version": (sealed([content({}, version=3)]), "version 3.*pip install --upgrade"),
    "another kind": (sealed([content({}, "recipe")]), "neither weights nor a checkpoint"),
    "a kind that is a list": (sealed([content({}, ["weights"])]), "neither weights nor"),
    "a key twice": (
        sealed([("content.json", content({"a": 1, "b": 2})[1].replace('"b"', '"a"'))]),
        "the same key twice",
    ),
    "nan": (sealed([content({"a": math.nan})]), "NaN for a number"),
    "infinity": (sealed([content({"a": -math.inf})]), "-Infinity for a number"),
    "a number beyond all": (
        sealed([("content.json", content({"a": 0.5})[1].replace("0.5", "1e999"))]),
        "1e999 for a number",
    ),
    "an endless int": (
        sealed([("content.json", content({"a": 0.5})[1].replace("0.5", "9" * 10**6))]),
        "9999 for a number",
    ),
    "a tag that is unknown": (sealed([content({"a": {"$code": "print()"}})]), "the key '[$]code'"),
    "a tag with company": (sealed([content({"a": {"$array": 0, "b": 1}})]), "the key '[$]array'"),
    "a tag of the wrong type": (sealed([content({"a": {"$array": "0"}})]), "the key '[$]array'"),
    "a tag that says True for 1": (
        sealed([content([{"$array": 0}, {"$array": True}]), ("0.npy", ONE), ("1.npy", ONE)]),
        "the key '[$]array'",
    ),
    "a float of few bits": (sealed([content({"a": {"$float": "7ff"}})]), "the key '[$]float'"),
    "a tuple that is none": (sealed([content({"a": {"$tuple": 3}})]), "the key '[$]tuple'"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_foreign_file_is_a_value_error_in_little_memory(path, name):
    data, complaint = HOSTILE[name]
    if data is None:
        np.savez(path, w=np.ones(3))
        data = path.read_bytes()
    tracemalloc.start()
    refused(path, data, complaint, [load_checkpoint])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 * len(data) + 2**23
    assert not os.path.exists("/tmp/micrograd-was-here")


@pytest.mark.parametrize(
    "tree",
    [
        {"names": ["a", "a"], "numbers": {"$array": 0}},
        {"names": ["a"], "numbers": {"$array": 0}},
        {"names": ["a", 1], "numbers": {"$array": 0}},
        {"names": ["a", ["b"]], "numbers": {"$array": 0}},
        {"names": {"a": 1, "b": 2}, "numbers": {"$array": 0}},
        {"names": ["a", "b"], "numbers": [1.0, 2.0]},
        {"names": ["a", "b"], "numbers": {"$array": 0}, "more": 1},
        {"names": ["a", "b"]},
        {},
    ],
)
@pytest.mark.parametrize("array", [np.ones(2), np.ones(2, int), np.ones((2, 1)), np.ones(())])
def test_malformed_weights_are_a_value_error(path, tree, array):
    members = [content(tree, "weights")]
    if "$array" in members[0][1]:
        members.append(("0.npy", npy(array)))
    refused(path, sealed(members), "weights are distinct names", [load_weights])


def test_content_that_is_not_an_object_is_a_value_error(path):
    for tree in ([], 1, "a", None):
        refused(path, sealed([content(tree)]), "its content is not an object", [load_checkpoint])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of a checkpoint, without their digest."""
    path = tmp_path_factory.mktemp("saved") / "model"
    save_checkpoint(path, {"a": np.arange(3.0), "b": [1, 0.5, math.nan, ("x", None)]})
    return path.read_bytes()[:-71]


@given(data=st.data())
def test_altered_bytes_with_a_valid_digest_are_a_value_error_or_data(saved, data):
    body = bytearray(saved)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        new = data.draw(st.binary(max_size=4))
        body[place : place + data.draw(st.integers(0, 4))] = new
    for found in loads(resealed(bytes(body) + bytes(71))):
        assert type(found) is dict or found.startswith("'model.npz': ")


@settings(max_examples=50)
@given(texts | st.recursive(leaves.filter(lambda x: not isinstance(x, np.ndarray)), st.lists))
def test_any_json_is_a_value_error_or_data(tree):
    refused_in_memory(sealed([("content.json", json.dumps(tree))]))


@POSIX
def test_loading_does_not_wait_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for load in (load_weights, load_checkpoint):
        with pytest.raises(ValueError, match="not a regular file"):
            load(tmp_path / "pipe")
    with pytest.raises(OSError, match="not replaced"):
        save_weights(tmp_path / "pipe", WEIGHTS)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


@POSIX
def test_a_file_that_is_too_large_is_not_read(path):
    with open(path, "wb") as file:
        file.truncate(2**40)  # a sparse file of a terabyte
    with pytest.raises(ValueError, match="larger than the 268,435,456 bytes"):
        load_weights(path)


def test_weights_with_any_field_altered_are_weights_or_a_value_error_that_names_the_file(path):
    save_weights(path, WEIGHTS)
    for data in altered(path):
        found = next(loads(data))
        if isinstance(found, str):
            assert found.startswith("'model.npz': ")
        else:
            assert all(isinstance(name, str) for name in found)
            assert all(isinstance(number, float) for number in found.values())
