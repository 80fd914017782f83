"""Files that version 0.1.0 wrote, in `tests/nn/files`, can still be read.

`python -m tests.nn.test_written FOLDER` writes such files with the current code.
"""

import math
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from micrograd.__main__ import main
from nn import MLP, fit
from nn.storage import load_checkpoint, load_weights, save_checkpoint, save_weights
from nn.training import EarlyStopping
from tests.nn.archives import same

FILES = Path(__file__).parent / "files"
DTYPES = "|b1 |i1 |u1 <i2 >i4 <i8 <u2 >u8 <f2 <f4 >f4 <f8".split()
WEIGHTS = {"layers.0.w": 0.1, "层.b": -0.0, "$": math.nan, "": math.inf, "\ud800": 5e-324}
TABLE = "length,colour,kind\n" + "1.5,red,a\n4,blue,b\n1,red,a\n5,green,b\n" * 3


def nested(depth):
    """An array within that many lists, tuples and dicts in turn."""
    tree = np.arange(2.0)
    for level in range(depth):
        tree = ([tree], (tree,), {"$a": tree})[level % 3]
    return tree


def state():
    """One of everything that a checkpoint holds."""
    return {
        "numbers": [0, -(10**999), 2**64, -0.0, 0.1, math.nan, -math.inf, 5e-324, True, None],
        "texts": ["", "模型", "\ud800\0", "$array"],
        "arrays": {dtype: np.arange(3).astype(dtype) for dtype in DTYPES},
        "shapes": [np.ones(shape) for shape in ((), (0, 2), (2, 1, 3))],
        "nested": nested(63),
        "$tuple": ((), [], {}),
        "generator": np.random.default_rng(3).bit_generator.state,
    }


def training(path, **options):
    """A model that was fitted for three epochs with this checkpoint, and its history."""
    model = MLP(2, [2, 1])
    for place, parameter in enumerate(model.parameters(), 1):
        parameter.data = place / 8
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    history = fit(
        model,
        X,
        [0.0, 1.0, 1.0, 0.0],
        epochs=3,
        batch_size=2,
        validation=(X, [0.0, 1.0, 1.0, 0.0]),
        early_stopping=EarlyStopping(3, monitor="loss"),
        checkpoint=path,
        engine="eager",
        progress=False,
        **options,
    )
    return model, history


def write(folder):
    """All of the files."""
    folder.mkdir(exist_ok=True)
    save_weights(folder / "weights.npz", WEIGHTS)
    save_checkpoint(folder / "state.npz", state())
    training(folder / "training.npz")
    table = folder / "table.csv"
    table.write_text(TABLE, encoding="utf-8")
    options = "--hidden 3 --epochs 40 --lr 0.1".split()
    main(["train", "--data", str(table), "--save", str(folder / "model.npz"), *options])
    table.unlink()


def test_weights_written_before_can_be_read():
    assert same(load_weights(FILES / "weights.npz"), WEIGHTS)


def test_a_checkpoint_written_before_can_be_read_in_types_and_bits():
    assert same(load_checkpoint(FILES / "state.npz"), state())


def test_a_training_continues_from_a_checkpoint_written_before(tmp_path):
    path = tmp_path / "training.npz"
    shutil.copy(FILES / "training.npz", path)
    saved = load_checkpoint(path)
    model, history = training(path, resume=True)  # all of its three epochs are done
    assert [parameter.data for parameter in model.parameters()] == saved["best"][1].tolist()
    assert history["loss"] == saved["history"]["loss"].tolist()


def test_a_model_of_micrograd_train_written_before_predicts(tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text(TABLE, encoding="utf-8")
    assert main(["predict", str(FILES / "model.npz"), str(table)]) == 0
    kinds = [line.rsplit(",", 1)[-1] for line in TABLE.splitlines()[1:]]
    assert capsys.readouterr().out.split() == ["kind", *kinds]


@pytest.mark.parametrize("name", ["weights", "state", "training", "model"])
def test_the_current_code_writes_files_of_the_same_form(tmp_path, name):
    path = FILES / f"{name}.npz"
    if name == "weights":
        save_weights(tmp_path / "twin", load_weights(path))
    else:
        save_checkpoint(tmp_path / "twin", load_checkpoint(path))
    old, new = path.read_bytes(), (tmp_path / "twin").read_bytes()
    # Archives name the system on which they were made, which changes the digest.
    assert new == old or sys.platform == "win32"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
