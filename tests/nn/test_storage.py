"""`nn.storage`: what is saved comes back to the bit, and no other file does any harm."""

import errno
import io
import json
import math
import os
import pickle
import stat
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import files
from nn import storage
from nn.storage import load_checkpoint, load_weights, save_checkpoint, save_weights

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals, owners and links of POSIX")
WEIGHTS = {"layers.0.w": 0.1, "layers.0.b": -0.0}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


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


@given(st.dictionaries(texts, doubles, max_size=8))
def test_weights_come_back_to_the_bit_in_their_order(tmp_path_factory, weights):
    path = tmp_path_factory.mktemp("w") / "model"
    save_weights(path, weights)
    assert same(load_weights(path), weights)


@st.composite
def arrays(draw):
    dtype = draw(st.sampled_from("|b1 |i1 |u1 <i2 >i4 <i8 <u2 >u8 <f2 <f4 >f4 <f8".split()))
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    size = math.prod(shape) * np.dtype(dtype).itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    array = np.ndarray(shape, "|u1" if dtype == "|b1" else dtype, buffer=data)
    return np.asfortranarray(array > 0 if dtype == "|b1" else array)


leaves = st.none() | st.booleans() | st.integers() | doubles | texts | arrays()
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts | st.sampled_from(["$array", "$", "$$tuple"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(texts, trees, max_size=4))
def test_a_checkpoint_comes_back_in_types_and_bits(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("c") / "state"
    save_checkpoint(path, state)
    assert same(load_checkpoint(path), state)


def test_the_states_of_numpys_generators_come_back(path):
    legacy, modern = np.random.RandomState(3), np.random.default_rng(3)
    save_checkpoint(path, {"legacy": legacy.get_state(), "modern": modern.bit_generator.state})
    expected = legacy.randn(), modern.normal()
    state = load_checkpoint(path)
    other, another = np.random.RandomState(), np.random.default_rng()
    other.set_state(state["legacy"])
    another.bit_generator.state = state["modern"]
    assert (other.randn(), another.normal()) == expected


def test_numpys_scalars_come_back_as_numbers(path):
    state = {"a": np.float64(0.1), "b": np.float32(0.5), "c": np.int8(-3), "d": np.bool_(True)}
    save_checkpoint(path, state)
    assert same(load_checkpoint(path), {"a": 0.1, "b": 0.5, "c": -3, "d": True})
    save_weights(path, {"a": np.float32(0.5), "b": 2, "c": True})
    assert same(load_weights(path), {"a": 0.5, "b": 2.0, "c": 1.0})


def test_loaded_arrays_may_be_written_to(path):
    save_checkpoint(path, {"a": np.zeros(3)})
    array = load_checkpoint(path)["a"]
    array += 1
    assert array.tolist() == [1, 1, 1]


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in "ab":
        save_weights(tmp_path / name, WEIGHTS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_programs_can_open_the_file(path):
    save_weights(path, WEIGHTS)
    with np.load(path, allow_pickle=False) as archive:
        assert archive["0"].tolist() == [0.1, -0.0]
        names = json.loads(archive["content.json"])["content"]["names"]
    assert names == list(WEIGHTS)


def test_a_network_of_thousands_of_weights_takes_eight_bytes_each_and_their_names(path):
    weights = {f"w{i}": i / 7 for i in range(2410)}
    save_weights(path, weights)
    names = len(json.dumps(list(weights), separators=(",", ":")))
    assert path.stat().st_size < 8 * 2410 + names + 800


def test_any_path_will_do_and_its_folders_are_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("here", Path("a", "b", "模型 名.npz"), "x" * 250, str(tmp_path / "full")):
        save_weights(path, WEIGHTS)
        assert load_weights(path) == WEIGHTS


# ------------------------------------------------------------------------------- what is not saved


@pytest.mark.parametrize(
    ("thing", "complaint"),
    [
        (object(), "of the type object"),
        ({1, 2}, "of the type set"),
        (1j, "of the type complex"),
        (b"bytes", "of the type bytes"),
        (print, "of the type builtin_function_or_method"),
        (np.array(["text"]), "an array of <U4"),
        (np.array([None]), "an array of object"),
        (np.array([1j]), "an array of complex128"),
        (np.zeros(2, "f8,i4"), "an array of "),
        (np.ma.masked_array([1.0], [True]), "of the type MaskedArray"),
        ({1: 2}, r"the keys of state\['a'\]\[1\] are text, got 1"),
    ],
)
def test_what_a_file_cannot_hold_is_a_type_error_that_names_the_place(path, thing, complaint):
    with pytest.raises(TypeError, match=rf"state\['a'\]\[1\].*{complaint}|{complaint}"):
        save_checkpoint(path, {"a": [0, thing]})
    assert not path.exists()


def test_more_than_a_file_holds_is_a_value_error_and_nothing_is_written(path, monkeypatch):
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="nested deeper than 64: does it hold itself"):
        save_checkpoint(path, {"a": endless})
    with pytest.raises(ValueError, match=r"state\['a'\] is an int of more than 1000 digits"):
        save_checkpoint(path, {"a": -(10**1000)})
    monkeypatch.setattr(storage, "MOST_ARRAYS", 2)
    with pytest.raises(ValueError, match="state has 3 arrays, and a file holds at most 2"):
        save_checkpoint(path, {"a": [np.zeros(1)] * 3})
    monkeypatch.setattr(storage, "MOST_TEXT", 100)
    with pytest.raises(ValueError, match="bytes of text and numbers outside arrays"):
        save_checkpoint(path, {"a": "x" * 100})
    monkeypatch.setattr(storage, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match=r"weights has .* bytes, and a file holds at most 1,000"):
        save_weights(path, dict.fromkeys(map(str, range(200)), 0.0))
    assert not path.exists()


def test_weights_are_numbers_by_name(path):
    for wrong in ({"w": "0.1"}, {"w": None}, {"w": 1j}, {"w": [1.0]}):
        with pytest.raises(TypeError, match="weight 'w' takes a real number"):
            save_weights(path, wrong)
    with pytest.raises(TypeError, match="name is a str, got 3"):
        save_weights(path, {3: 0.1})
    with pytest.raises(TypeError, match="a checkpoint is a dict, got list"):
        save_checkpoint(path, [])
    assert not path.exists()


# ---------------------------------------------------------------------------------- damaged files


def refused(path, content, complaint=None, loads=(load_weights, load_checkpoint)):
    """The file with this content is a ValueError that names it."""
    path.write_bytes(content)
    for load in loads:
        with pytest.raises(ValueError, match=complaint) as caught:
            load(path)
        assert str(caught.value).startswith(repr(os.fspath(path)) + ": ")


def test_every_altered_byte_is_noticed(path):
    save_weights(path, WEIGHTS)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for change in (0x01, 0x20, 0xFF):
            altered = bytearray(whole)
            altered[place] ^= change
            path.write_bytes(altered)
            with pytest.raises(ValueError, match=r"model\.npz"):
                load_weights(path)


def test_every_missing_or_added_byte_is_noticed(path):
    save_weights(path, WEIGHTS)
    whole = path.read_bytes()
    for length in range(len(whole)):
        refused(path, whole[:length])
        refused(path, whole[length + 1 :])
        refused(path, whole[:length] + whole[length + 1 :])
    refused(path, whole + b"\0", "cut off, or another program wrote it")
    refused(path, whole + whole, "damaged")


@given(st.binary(max_size=300))
def test_random_bytes_are_no_file_of_ours(tmp_path_factory, content):
    refused(tmp_path_factory.mktemp("r") / "model", content)


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    for load in (load_weights, load_checkpoint):
        with pytest.raises(FileNotFoundError, match="nosuch"):
            load(tmp_path / "nosuch")
        with pytest.raises(OSError, match=str(tmp_path)):
            load(tmp_path)


# ---------------------------------------------------------------------------------- hostile files


def sealed(members, compression=zipfile.ZIP_STORED):
    """An archive of any members, whose digest is right, as a liar would make it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = bytes(71)
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return resealed(buffer.getvalue())


def resealed(content):
    return content[:-71] + storage._seal(content[:-71])


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


def content(tree, kind="checkpoint", **others):
    head = {"format": "micrograd", "version": 1, "kind": kind, "content": tree, **others}
    return "content.json", head if isinstance(head, str) else json.dumps(head)


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


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
    "a pickle": (pickle.dumps(Bomb()), "no file of weights"),
    "text": (b"weights: 1, 2, 3\n", "no file of weights"),
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
        "no JSON",
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
    "no member": (sealed([]), "no file of weights"),
    "deep lists": (sealed([("content.json", "[" * 10**6)]), "nested deeper"),
    "deep objects": (sealed([("content.json", '{"a":' * 10**6)]), "nested deeper"),
    "lists of depth 100": (
        sealed([("content.json", content([])[1].replace("[]", "[" * 100 + "]" * 100))]),
        "nested deeper",
    ),
    "no JSON": (sealed([("content.json", "weights")]), "no JSON: Expecting value"),
    "no Unicode": (sealed([("content.json", b'{"\xff')]), "no JSON: .* decode"),
    "JSON of another program": (sealed([("content.json", "{}")]), "not from micrograd"),
    "JSON without content": (
        sealed([("content.json", '{"format": "micrograd"}')]),
        "not from micrograd",
    ),
    "a list": (sealed([("content.json", "[]")]), "not from micrograd"),
    "a later version": (sealed([content({}, version=2)]), "version 2.*pip install --upgrade"),
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
def test_weights_that_are_no_weights_are_a_value_error(path, tree, array):
    members = [content(tree, "weights")]
    if "$array" in members[0][1]:
        members.append(("0.npy", npy(array)))
    refused(path, sealed(members), "weights are names that differ", [load_weights])


def test_content_that_is_no_object_is_a_value_error(path):
    for tree in ([], 1, "a", None):
        refused(path, sealed([content(tree)]), "its content is no object", [load_checkpoint])


@given(st.data())
def test_a_liar_who_alters_bytes_and_seals_them_anew_gets_a_value_error_or_data(
    tmp_path_factory, data
):
    path = tmp_path_factory.mktemp("h") / "model"
    save_checkpoint(path, {"a": np.arange(3.0), "b": [1, 0.5, math.nan, ("x", None)]})
    body = bytearray(path.read_bytes()[:-71])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        new = data.draw(st.binary(max_size=4))
        body[place : place + data.draw(st.integers(0, 4))] = new
    path.write_bytes(resealed(bytes(body) + bytes(71)))
    for load in (load_weights, load_checkpoint):
        try:
            assert type(load(path)) is dict
        except ValueError as error:
            complaint = str(error)
            assert complaint.startswith(repr(os.fspath(path)))


@given(texts | st.recursive(leaves.filter(lambda x: not isinstance(x, np.ndarray)), st.lists))
def test_any_json_is_a_value_error_or_data(tmp_path_factory, tree):
    path = tmp_path_factory.mktemp("j") / "model"
    refused(path, sealed([("content.json", json.dumps(tree))]))


@POSIX
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for load in (load_weights, load_checkpoint):
        with pytest.raises(ValueError, match="not a regular file"):
            load(tmp_path / "pipe")
    with pytest.raises(OSError, match="not replaced"):
        save_weights(tmp_path / "pipe", WEIGHTS)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


@POSIX
def test_a_file_larger_than_any_of_ours_is_not_read(path):
    with open(path, "wb") as file:
        file.truncate(2**40)  # a terabyte that takes no room
    with pytest.raises(ValueError, match="larger than the 268,435,456 bytes"):
        load_weights(path)


# ------------------------------------------------------------------------------- how deep, and what

WRAPPERS = {
    "lists": lambda inner: [inner],
    "tuples": lambda inner: (inner,),
    "dicts": lambda inner: {"a": inner},
    "lists of two": lambda inner: [0, inner],
}


def nested(wrap, depth):
    tree = 1.5
    for _ in range(depth):
        tree = wrap(tree)
    return tree


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("depth", [1, 2, 31, 32, 33, 34, 48, 62, 63])
def test_what_is_nested_up_to_63_deep_comes_back(path, wrap, depth):
    state = {"a": nested(wrap, depth)}
    save_checkpoint(path, state)
    assert same(load_checkpoint(path), state)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_what_is_nested_deeper_is_neither_saved_nor_loaded(path, monkeypatch, wrap):
    state = {"a": nested(wrap, 64)}
    with pytest.raises(ValueError, match="nested deeper than 64"):
        save_checkpoint(path, state)
    assert not path.exists()
    monkeypatch.setattr(storage, "MOST_DEPTH", 65)
    save_checkpoint(path, state)
    assert same(load_checkpoint(path), state)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"model\.npz.*nested deeper than 64"):
        load_checkpoint(path)


# What a field of a file may be instead of what it should be.
STRANGE = [
    *(None, True, False, 0, 1, -1, 2**53, 2**63, -(2**64), 10**300, 0.5, -0.0, 1e308),
    *("", "a", "\ud800", "\x1b[31m", "nan", [], [0], [[]], [None], ["a", "a"], {}, {"a": 1}),
    *({"$tuple": []}, {"$float": "7ff8000000000000"}, {"$float": "7ff0000000000000"}),
    *({"$array": 0}, {"$array": True}, {"$array": 10**300}, {"$code": 1}),
]


def places(tree):
    """The way to each part of a tree of JSON."""
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
    """The file with each of its fields replaced and left out, sealed anew."""
    with zipfile.ZipFile(path) as archive:
        first, *others = ((name, archive.read(name)) for name in archive.namelist())
    tree = json.loads(first[1])
    for way in places(tree):
        twins = [with_part(tree, way, strange) for strange in STRANGE]
        for twin in [*twins, without_part(tree, way)] if way else twins:
            yield sealed([("content.json", json.dumps(twin)), *others])


def test_weights_with_any_field_altered_are_weights_or_a_value_error_that_names_the_file(path):
    save_weights(path, WEIGHTS)
    for data in list(altered(path)):
        path.write_bytes(data)
        try:
            found = load_weights(path)
        except ValueError as error:
            assert str(error).startswith(repr(os.fspath(path)))  # noqa: PT017
        else:
            assert all(isinstance(name, str) for name in found)
            assert all(isinstance(number, float) for number in found.values())


# ------------------------------------------------------------------------------------ whole or not


def run(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stderr=subprocess.PIPE
    )


@POSIX
def test_a_process_killed_at_any_moment_leaves_the_old_or_the_new_file():
    done = subprocess.run(
        [sys.executable, "-m", "tests.nn.killed", "30"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["kills"] == 30
    assert counts["most files left"] <= 1


@POSIX
def test_two_processes_may_save_at_once(path):
    code = (
        "import sys, numpy as np; from nn.storage import save_checkpoint\n"
        "path, number = sys.argv[1], int(sys.argv[2])\n"
        "for _ in range(60): save_checkpoint(path, {'a': np.full(20_000, number)})"
    )
    save_checkpoint(path, {"a": np.full(20_000, 0)})
    processes = [run(code, path, number) for number in (1, 2)]
    while any(process.poll() is None for process in processes):
        assert len(set(load_checkpoint(path)["a"].tolist())) == 1
    assert [process.communicate()[1] for process in processes] == [b"", b""]
    assert load_checkpoint(path)["a"][0] in (1, 2)
    assert os.listdir(path.parent) == [path.name]


def test_what_a_killed_process_left_goes_with_the_next_save_of_the_name(path):
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


def test_without_locks_only_what_is_old_is_taken_for_abandoned(path, monkeypatch):
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
