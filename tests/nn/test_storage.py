"""`nn.storage`: what is saved comes back to the bit, and what cannot be saved is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import storage
from nn.storage import load_checkpoint, load_weights, save_checkpoint, save_weights
from tests.nn.archives import WEIGHTS, doubles, leaves, same, texts

# -------------------------------------------------------------------------------------- round trips


@settings(max_examples=50)
@given(st.dictionaries(texts, doubles, max_size=8))
def test_weights_come_back_to_the_bit_in_their_order(tmp_path_factory, weights):
    path = tmp_path_factory.mktemp("w") / "model"
    save_weights(path, weights)
    assert same(load_weights(path), weights)


trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts | st.sampled_from(["$array", "$", "$$tuple"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=50)
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


# -------------------------------------------------------------------------------- what is not saved


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


# ---------------------------------------------------------------------------------- nested content


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
def test_trees_nested_up_to_63_deep_come_back(path, wrap, depth):
    state = {"a": nested(wrap, depth)}
    save_checkpoint(path, state)
    assert same(load_checkpoint(path), state)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_deeper_trees_are_neither_saved_nor_loaded(path, monkeypatch, wrap):
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
