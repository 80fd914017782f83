"""`micrograd train` and `predict`: networks for tables and for built-in data sets."""

from __future__ import annotations

import contextlib
import csv
import io
import random
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from micrograd.__main__ import main

QUICK = ["--hidden", "8", "--epochs", "60", "--lr", "0.02"]


def flowers(path: Path, *, rows: int = 90, delimiter: str = ",", seed: int = 0) -> Path:
    """Two numbers of very different scales and a word, from which the kind follows."""
    draw = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["length", "weight", "colour", "kind"])
        for i in range(rows):
            kind = ("rose", "tulip", "aster, blue")[i % 3]
            colour = "blue" if kind == "aster, blue" else draw.choice(["red", "white"])
            length = draw.gauss(3.0 if kind == "rose" else 5.0, 0.3)
            writer.writerow([f"{length:.3f}", f"{draw.gauss(2e5, 1e4):.0f}", colour, kind])
    return path


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def last_line(capsys) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def percentage(line: str) -> float:
    found = re.fullmatch(r"held-out accuracy (\d+\.\d) % \(always '.*': \d+\.\d %\)", line)
    return float(found[1])


# -------------------------------------------------------------------------------------------- train


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        "xor",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("moons", "circles", "blobs")),
    ],
)
def test_built_in_data_are_learned_without_options(data, capsys):
    assert main(["train", "--data", data]) == 0
    # Blobs overlap: 90 % is what their densities allow.
    assert percentage(last_line(capsys)) >= (90 if data == "blobs" else 97)


@pytest.mark.slow
def test_the_spiral_is_learned_without_options(capsys):
    assert main(["train", "--data", "spiral"]) == 0
    assert percentage(last_line(capsys)) >= 95


@pytest.mark.slow
@pytest.mark.parametrize(("data", "least"), [("iris", 93), ("digits", 97)])
def test_real_data_are_learned_without_options(data, least, capsys):
    pytest.importorskip("sklearn")
    assert main(["train", "--data", data]) == 0
    assert percentage(last_line(capsys)) >= least


def test_a_table_with_words_is_learned_and_predicted(tmp_path, capsys):
    table, model = flowers(tmp_path / "flowers.csv"), tmp_path / "flowers.npz"
    assert main(["train", "--data", str(table), *QUICK, "--save", str(model)]) == 0
    printed = capsys.readouterr().out
    assert "classification of 'kind', 3 classes" in printed
    assert f"wrote {model}\n" in printed
    # Lengths are 6.7 standard deviations apart.
    assert percentage(printed.splitlines()[-1]) >= 95

    new = flowers(tmp_path / "new.csv", seed=1)
    kinds = [row["kind"] for row in csv.DictReader(io.StringIO(new.read_text(encoding="utf-8")))]
    assert main(["predict", str(model), str(new)]) == 0
    (heading,), *predicted = csv.reader(io.StringIO(capsys.readouterr().out))
    assert heading == "kind"
    right = sum([kind] == cell for kind, cell in zip(kinds, predicted, strict=True))
    assert right >= 85

    out = tmp_path / "kinds.csv"
    assert main(["predict", str(model), str(new), "--out", str(out)]) == 0
    assert lines(out)[1:] == [f'"{k}"' if "," in k else k for (k,) in predicted]
    assert capsys.readouterr().out == f"wrote {out}\n"


@pytest.mark.slow
def test_a_number_is_learned_and_predicted_in_its_own_unit(tmp_path, capsys):
    draw, table, model = random.Random(0), tmp_path / "prices.csv", tmp_path / "prices.npz"
    rows = [(draw.uniform(20, 200), draw.randint(1, 5)) for _ in range(200)]
    text = "".join(f"{a:.1f};{r};{3000 * a + 20000 * r:.2f}\n" for a, r in rows)
    table.write_text(f"area;rooms;price\n{text}".replace(".", ","), encoding="utf-8")
    assert main(["train", "--data", str(table), "--save", str(model)]) == 0
    line = last_line(capsys)
    error, score, mean = re.fullmatch(
        r"held-out error (\S+) \(root mean square; R² (\S+)\); always the mean: (\S+)", line
    ).groups()
    assert float(score) > 0.97
    assert float(error) < 30_000
    assert 140_000 < float(mean) < 180_000  # the prices' standard deviation is 158,000
    new = tmp_path / "new.csv"
    new.write_text("rooms,area\n3,100\n", encoding="utf-8")  # another order, another delimiter
    assert main(["predict", str(model), str(new)]) == 0
    assert float(last_line(capsys)) == pytest.approx(360_000, rel=0.1)


def test_the_same_seed_gives_the_same_result_and_the_same_model(tmp_path, capsys):
    table = flowers(tmp_path / "flowers.csv")
    contents = set()
    for name in ("a.npz", "b.npz"):
        main(["train", "--data", str(table), *QUICK, "--seed", "3", "--save", str(tmp_path / name)])
        contents.add((tmp_path / name).read_bytes())
    assert len(contents) == 1


@pytest.mark.slow
def test_plots_are_written(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert main(["train", "--data", "moons", *QUICK, "--plots", str(tmp_path / "new")]) == 0
    printed = capsys.readouterr().out
    for name in ("loss.png", "regions.png"):
        assert (tmp_path / "new" / name).read_bytes().startswith(b"\x89PNG")
        assert f"wrote {tmp_path / 'new' / name}\n" in printed


def test_the_task_is_inferred_from_the_target(tmp_path, capsys):
    table = tmp_path / "table.csv"
    for targets, word in (
        ([str(i % 3) for i in range(60)], "classification of 'y', 3 classes"),
        ([str(i) for i in range(60)], "regression of 'y'"),
        ([str(i % 3 + 0.5) for i in range(60)], "regression of 'y'"),
        (["yes", "no"] * 30, "classification of 'y', 2 classes"),
    ):
        rows = [f"{i % 7},{y}" for i, y in enumerate(targets)]
        table.write_text("\n".join(["x,y", *rows]), encoding="utf-8")
        assert main(["train", "--data", str(table), "--hidden", "2", "--epochs", "1"]) == 0
        assert capsys.readouterr().out.splitlines()[0] == word
    table.write_text("\n".join(["x,y", *[f"{i % 7},{i % 3}" for i in range(60)]]), encoding="utf-8")
    command = ["train", "--data", str(table), "--hidden", "2", "--epochs", "1"]
    assert main([*command, "--task", "regression"]) == 0
    assert "held-out error" in last_line(capsys)


def test_a_column_that_counts_the_rows_is_left_out(tmp_path, capsys):
    table, model = tmp_path / "table.csv", tmp_path / "model.npz"
    rows = [f"{i + 1},{i % 5},{'ab'[i % 5 > 2]}" for i in range(60)]
    table.write_text("\n".join(["Id,x,y", *rows]), encoding="utf-8")
    assert main(["train", "--data", str(table), *QUICK, "--save", str(model)]) == 0
    assert "ignored: Id\n" in capsys.readouterr().out
    (tmp_path / "new.csv").write_text("x\n4\n0\n", encoding="utf-8")
    assert main(["predict", str(model), str(tmp_path / "new.csv")]) == 0
    assert capsys.readouterr().out.split() == ["y", "b", "a"]


def test_a_table_without_names_is_predicted_by_position(tmp_path, capsys):
    table, model, new = (tmp_path / name for name in ("table.csv", "model.npz", "new.csv"))
    rows = [f"{'ab'[i % 5 > 2]},{i % 5}" for i in range(60)]
    table.write_text("\n".join(rows), encoding="utf-8")
    command = ["train", "--data", str(table), *QUICK, "--save", str(model)]
    assert main([*command, "--target", "column 1"]) == 0
    assert "classification of 'column 1'" in capsys.readouterr().out
    new.write_text("4\n0\n", encoding="utf-8")
    assert main(["predict", str(model), str(new), "--header", "no"]) == 0
    assert capsys.readouterr().out.split("\n")[1:3] == ["b", "a"]


@pytest.mark.slow
def test_progress_goes_before_and_nothing_comes_after_the_result(capsys):
    assert main(["train", "--data", "moons", "--epochs", "40"]) == 0
    printed = capsys.readouterr()
    *_, progress, last = printed.out.splitlines()
    assert progress.startswith("epoch 40/40  loss ")
    assert percentage(last) > 80
    assert printed.err == ""


# ------------------------------------------------------------------- what is decided about a table


def rows(count, row):
    draw = random.Random(0)
    return "".join(row(i, draw) + "\n" for i in range(count))


def trained(tmp_path, capsys, text, *options):
    """What `train` prints before it trains; the model is model.npz."""
    table, model = tmp_path / "table.csv", tmp_path / "model.npz"
    table.write_text(text, encoding="utf-8")
    command = ["train", "--data", str(table), "--hidden", "4", "--epochs", "2"]
    assert main([*command, "--save", str(model), *options]) == 0
    return capsys.readouterr().out.partition("epoch ")[0]


def predicted(tmp_path, capsys, text, *options):
    """The cells below the heading that `predict` prints, and what it notes."""
    table = tmp_path / "new.csv"
    table.write_text(text, encoding="utf-8")
    assert main(["predict", str(tmp_path / "model.npz"), str(table), *options]) == 0
    captured = capsys.readouterr()
    return [cell for (cell,) in csv.reader(io.StringIO(captured.out))][1:], captured.err


def test_a_header_of_numbers_is_not_predicted_as_a_row(tmp_path, capsys):
    text = "0,1,2\n" + rows(120, lambda i, draw: f"{draw.random()},{draw.random()},{i % 2}")
    trained(tmp_path, capsys, text, "--target", "2")
    new = ["0.5,0.25", "0.125,0.5", "0.75,1"]
    cells, _ = predicted(tmp_path, capsys, "\n".join(["0,1", *new]))
    swapped, _ = predicted(
        tmp_path, capsys, "\n".join(["1,0", *[",".join(row.split(",")[::-1]) for row in new]])
    )
    assert cells == swapped
    assert len(cells) == 3
    bare, notes = predicted(tmp_path, capsys, "\n".join(new))
    assert bare == cells
    assert "by position: '0', '1'" in notes


def test_a_model_of_a_table_without_names_expects_none(tmp_path, capsys):
    text = rows(60, lambda i, draw: f"{['red', 'blue'][i % 2]},{'pq'[i % 2]}")
    trained(tmp_path, capsys, text, "--header", "no")
    cells, _ = predicted(tmp_path, capsys, "red\nblue\nred\n")
    assert len(cells) == 3
    assert cells[0] == cells[2]
    (tmp_path / "new.csv").write_text("colour\nred\n", encoding="utf-8")
    assert main(["predict", str(tmp_path / "model.npz"), str(tmp_path / "new.csv")]) == 2
    assert "line 1, column 'column 1': 'colour' is unknown" in capsys.readouterr().err
    named = predicted(tmp_path, capsys, "colour\nred\nblue\nred\n", "--header", "yes")
    assert named[0] == cells


def test_row_numbers_under_any_name_are_reported_and_can_be_kept(tmp_path, capsys):
    text = "rownames,a,y\n" + rows(60, lambda i, draw: f"{i + 1},{draw.random()},{'pq'[i % 2]}")
    printed = trained(tmp_path, capsys, text)
    assert "ignored: rownames\n  ('rownames' numbers the rows; --keep COLUMN" in printed
    assert "ignored" not in trained(tmp_path, capsys, text, "--keep", "rownames")


def test_a_column_is_only_offered_to_be_kept_if_it_can_be_learned_from(tmp_path, capsys):
    def text(names):
        return "name,none,n,a,y\n" + rows(
            80, lambda i, draw: f"{names(i)},,{i + 1},{draw.random()},{i * 7 % 11}"
        )

    printed = trained(tmp_path, capsys, text("P{}x".format))
    assert "; --keep 'n' learns from it anyway)" in printed
    assert "ignored: name, none\n" in trained(tmp_path, capsys, text("P{}x".format), "--keep", "n")
    for policy in ("fill", "category"):
        complaint = bad(
            tmp_path, capsys, text("P{}x".format), "--keep", "none", "--missing", policy
        )
        assert "the column 'none' is empty, and nothing can be learned from it" in complaint
        assert "--ignore 'none'" in complaint


GAPS = "a,b,y\n" + rows(
    60, lambda i, draw: f"{draw.random() if i % 9 else ''},{'uv'[i % 2] if i % 7 else '?'},{i % 2}"
)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("drop", "missing values: 16 dropped (a, b), 15 of 60 rows left out"),
        ("fill", "missing values: 16 filled in (a, b)"),
        ("category", "missing values: 16 taken as a category (a, b)"),
    ],
)
def test_missing_values_are_counted_and_each_row_has_its_prediction(policy, said, tmp_path, capsys):
    assert said in trained(tmp_path, capsys, GAPS, "--missing", policy)
    new = "a,b\n.5,u\n,v\n.25,NA\n.75,v\n"
    cells, notes = predicted(tmp_path, capsys, new)
    alone = [predicted(tmp_path, capsys, f"a,b\n{row}\n")[0] for row in new.split()[1:]]
    assert [[cell] for cell in cells] == alone
    assert [bool(cell) for cell in cells] == [True, policy != "drop", policy != "drop", True]
    if policy == "drop":
        assert "2 of 4 rows have missing values and are not predicted" in notes
        assert "(lines 3, 4)" in notes
    else:
        assert "2 missing values were filled in" in notes


def test_rows_without_a_target_are_not_learned_from(tmp_path, capsys):
    text = "a,y\n" + rows(60, lambda i, draw: f"{draw.random()},{i % 2 if i % 6 else ''}")
    for policy in ("drop", "fill", "category"):
        printed = trained(tmp_path, capsys, text, "--missing", policy)
        assert "classification of 'y', 2 classes" in printed
        assert "missing values: 10 without a target (y), 10 of 60 rows left out" in printed
    assert "leave such rows out: --missing drop" in (complaint := bad(tmp_path, capsys, text))
    assert "--ignore" not in complaint


@pytest.mark.parametrize(("count", "fewer"), [(88, True), (92, False)])
def test_training_uses_all_samples_if_they_are_few(count, fewer, tmp_path, capsys):
    text = "a,y\n" + rows(count, lambda i, draw: f"{draw.random()},{i % 2}")
    assert ("fewer than 60 samples" in trained(tmp_path, capsys, text)) is fewer


@pytest.mark.slow
def test_a_curve_is_learned_from_few_samples(tmp_path, capsys):
    table, scores = tmp_path / "table.csv", []
    draw = random.Random(0)
    points = [(draw.uniform(-2, 2), draw.uniform(-2, 2)) for _ in range(50)]
    text = "".join(f"{a},{b},{a * a + b + draw.gauss(0, 0.2)}\n" for a, b in points)
    table.write_text(f"a,b,y\n{text}", encoding="utf-8")
    for seed in range(3):
        assert main(["train", "--data", str(table), "--seed", str(seed)]) == 0
        scores.append(float(re.search(r"R² (\S+)\)", last_line(capsys))[1]))
    # The noise allows 0.98. When five of 33 samples told when to stop, the mean was 0.71.
    assert np.mean(scores) > 0.8


def test_the_same_share_of_each_class_is_held_out(tmp_path, capsys):
    text = "a,y\n" + rows(200, lambda i, draw: f"{draw.random()},{'pqqqqqqqqq'[i % 10]}")
    trained(tmp_path, capsys, text)
    table = tmp_path / "table.csv"
    for seed in range(3):
        command = ["train", "--data", str(table), "--hidden", "2", "--epochs", "1"]
        assert main([*command, "--test-size", "0.2", "--seed", str(seed)]) == 0
        assert last_line(capsys).endswith("(always 'q': 90.0 %)")


# ------------------------------------------------------------------------- what predict gives out


def test_predicted_formulas_and_control_characters_are_made_harmless(tmp_path, capsys):
    names = ["=1+1", "@x", "+cmd|x", "-5", "\x1b[31mred", "a\u202eb"]
    text = "a,y\n" + rows(90, lambda i, draw: f"{i % 6 + draw.random() / 9},{names[i % 6]}")
    table, out = tmp_path / "table.csv", tmp_path / "out.csv"
    table.write_text(text, encoding="utf-8")
    model = tmp_path / "model.npz"
    command = ["train", "--data", str(table), "--epochs", "200", "--hidden", "32"]
    assert main([*command, "--save", str(model)]) == 0
    assert "\x1b" not in capsys.readouterr().out
    cells, _ = predicted(tmp_path, capsys, "a\n" + "".join(f"{k}.05\n" for k in range(6)))
    assert cells == ["'=1+1", "'@x", "'+cmd|x", "-5", r"\x1b[31mred", r"a\u202eb"]
    assert main(["predict", str(model), str(tmp_path / "new.csv"), "--out", str(out)]) == 0
    assert lines(out)[1:] == cells


def test_a_file_of_predictions_is_written_whole_or_not_at_all(model, monkeypatch, capsys):
    out = model.with_name("out.csv")
    out.write_text("old", encoding="utf-8")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    command = ["predict", str(model), str(model.with_name("flowers.csv")), "--out", str(out)]
    assert main(command) == 2
    assert f"cannot write to {out}: No space left on device" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "old"
    assert not list(out.parent.glob(".*"))


@pytest.mark.slow
def test_plots_are_written_whole_or_not_at_all(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert main(["train", "--data", "moons", *QUICK, "--plots", str(tmp_path / "new")]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert list((tmp_path / "new").iterdir()) == []


def test_a_class_that_the_output_cannot_express_is_an_error(tmp_path, monkeypatch, capsys):
    text = "a,y\n" + rows(30, lambda i, draw: f"{draw.random()},{'红蓝'[i % 2]}")
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    model, table = str(tmp_path / "model.npz"), str(tmp_path / "table.csv")
    train = ["train", "--data", table, "--epochs", "1", "--hidden", "2", "--save", model]
    for words, code in ((train, 0), (["predict", model, table], 2)):
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(words) == code
    complaint = capsys.readouterr().err
    assert "lacks some characters" in complaint
    assert "--out" in complaint


# ------------------------------------------------------------------------------------- bad requests


def bad(tmp_path, capsys, text, *options) -> str:
    table = tmp_path / "table.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["train", "--data", str(table), *options]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("micrograd: ")
    return captured.err


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        ("", [], "is empty"),
        ("a,b\n", [], "no rows below"),
        ("a,b\n1,2\n3\n", [], "line 3 has 1 cell, but the first line has 2"),
        ("a,b\n1,x\n\n,y\n", [], "line 4, column 'a': the value is missing (''): fill it in"),
        ("a,b\n1,x\nNA,y\n", [], "line 3, column 'a': the value is missing ('NA')"),
        ("a,b\n1,x\n2,\n", [], "line 3, column 'b': the value is missing"),
        ("a,b\n1,x\n2,y\n1o,y\n", [], "line 4, column 'a': '1o' is not a number, but most"),
        ("a,b\n1,x\n1e999,y\n", [], "line 3, column 'a': '1e999' is not finite"),
        ("a,a\n1,x\n", [], "two columns 'a'"),
        ("a,b\n1,x\n2,x\n", [], "'b' is 'x' everywhere"),
        ("a,b\n1,x\n2,y\n3,z\n", [], "'b' has 3 different values in 3 rows"),
        ("a,b\n1,x\n2,y\n3,x\n", ["--target", "c"], "no column 'c'; its columns are 'a', 'b'"),
        ("a,b\n1,x\n2,y\n3,x\n", ["--ignore", "c"], "no column 'c'"),
        ("a,b\n1,x\n2,y\n3,x\n", ["--ignore", "a"], "no column to learn from, beside 'b'"),
        ("a,b\n1,x\n2,y\n1,x\n2,y\n", ["--task", "regression"], "has words, such as 'x'"),
        ("a,b\n" + "".join(f"t{i},{i % 2}\n" for i in range(60)), [], "60 different texts"),
        ('a,b\n1,"x\n2,y\n', [], 'line 2: a quote (") opens here and is never closed'),
        (b"PK\x03\x04\xff\xfe", [], "not text in utf-8 (byte 4): save it as CSV in UTF-8"),
        ("a,b\n1,x\n2,y\n", ["--encoding", "utf8000"], "no encoding 'utf8000'"),
        ("a,b\n1,x\n2,y\n1,x\n2,y\n", ["--hidden", "8,,8"], "such as 16,16, got '8,,8'"),
        (
            "a,b\n1,x\n2,y\n1,x\n2,y\n",
            ["--hidden", "9" * 30],
            "--hidden takes sizes from 1 to 10,000",
        ),
        (
            "a,b\n1,x\n2,y\n1,x\n2,y\n",
            ["--optimizer", "best"],
            "unknown optimizer 'best': give one of sgd, ",
        ),
        ("a,b\n1,x\n2,y\n1,x\n2,y\n", ["--activation", "best"], "unknown activation 'best'"),
        (
            "a,b\n1,x\n2,y\n1,x\n2,y\n",
            ["--test-size", "2"],
            "--test-size is a number above 0 and below 1, got 2",
        ),
        ("a,b\n1,x\n2,y\n1,x\n2,y\n", ["--epochs", "0"], "--epochs is a whole number of"),
        ("a,b\n1,x\n2,y\n", [], "2 rows can be learned from, and at least 3 are needed"),
        (
            "a,b\n1,x\n2,y\n1,x\n2,y\n",
            ["--seed", "-1"],
            "--seed is a whole number of at least 0, got -1",
        ),
        ("a,b\n1,x\n2,y\n", ["--skip", "-1"], "--skip is a whole number of at least 0, got -1"),
        ("a,b,c\n1,,2\n2,,3\n3,,4\n", ["--target", "b"], "the target 'b' is empty: choose anoth"),
        (
            "a,b\n1,2.5\n2,1o\n3,4\n",
            [],
            "column 'b': '1o' is not a number, .* or choose another --t",
        ),
        (
            "a,b\n1,2.5\n2,5.5\n3,4\n4,1\n",
            [],
            "beside 'b'\nignored: a\n  .'a' numbers the rows; --keep",
        ),
    ],
)
def test_a_table_that_cannot_be_learned_is_an_error_that_says_where(
    text, options, complaint, tmp_path, capsys
):
    said = bad(tmp_path, capsys, text, *options)
    assert complaint in said or re.search(complaint, said)


def test_what_is_neither_a_file_nor_built_in_is_an_error(capsys):
    assert main(["train", "--data", "moon"]) == 2
    assert "no such file, nor a built-in data set of that name; the built-in ones are moons" in (
        capsys.readouterr().err
    )
    assert main(["train", "--data", "moons", "--target", "x"]) == 2
    assert "--target is for a CSV file" in capsys.readouterr().err


def test_places_for_results_are_checked_before_training(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["train", "--data", "moons", "--save", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err
    assert main(["train", "--data", "moons", "--plots", str(tmp_path / "file")]) == 2
    captured = capsys.readouterr()
    assert "is a file" in captured.err
    assert captured.out == ""


def test_a_diverging_training_is_an_error_without_a_traceback(capsys):
    command = ["train", "--data", "moons", "--optimizer", "sgd", "--lr", "1e200"]
    assert main([*command, "--epochs", "20"]) == 2
    assert re.search(r"micrograd: the .*loss is .* in epoch \d+, step \d+", capsys.readouterr().err)


@pytest.fixture(scope="module")
def trained_flowers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flowers")
    table = flowers(folder / "flowers.csv")
    with contextlib.redirect_stdout(io.StringIO()):
        command = ["train", "--data", str(table), *QUICK, "--save", str(folder / "flowers.npz")]
        assert main(command) == 0
    return folder


@pytest.fixture
def model(trained_flowers, tmp_path):
    """A copy of a model, beside the table that it was trained on."""
    for name in ("flowers.csv", "flowers.npz"):
        shutil.copy(trained_flowers / name, tmp_path)
    return tmp_path / "flowers.npz"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("length,weight\n1,2\n", "does not have the column 'colour'"),
        ("length,weight,colour,age\n1,2,red,3\n", "has the column 'age', which the model does not"),
        (
            "length,weight,colour\n1,2,pink\n",
            "line 2, column 'colour': 'pink' is unknown; the known words are",
        ),
        ("length,weight,colour\n1,big,red\n", "the column 'weight' has words"),
        ("length,weight,colour\n1,,red\n", "line 2, column 'weight': the value is missing"),
        ("length,weight,colour\n1,2%,red\n", "line 2, column 'weight': '2%' is written with '%'"),
        ("length,weight,colour\n1,2,red\n,,\n", "line 3, column 'length': the value is missing"),
        (
            'length,weight,colour\n1,"1,234",red\n',
            "--decimal point if it separates thousands",
        ),
        ("0,1,2\n1,2,red\n", "does not have the columns 'length', 'weight', 'colour'"),
        (
            "length,weight,colour,age,size\n1,2,red,3,4\n",
            "say --ignore 'age' --ignore 'size'",
        ),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_an_error(model, text, complaint, capsys):
    table = model.with_name("new.csv")
    table.write_text(text, encoding="utf-8")
    assert main(["predict", str(model), str(table)]) == 2
    assert complaint in capsys.readouterr().err


def test_the_advice_for_a_table_that_does_not_fit_works(model, capsys):
    table = model.with_name("new.csv")
    table.write_text("length,weight,colour,age\n3,2e5,red,3\n5,2e5,white,4\n", encoding="utf-8")
    assert main(["predict", str(model), str(table), "--ignore", "age"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["predict", str(model), str(table), "--ignore", "colour"]) == 2
    assert "the model was trained on this column" in capsys.readouterr().err
    table.write_text('length,weight,colour\n3,"200,000",red\n', encoding="utf-8")
    assert main(["predict", str(model), str(table), "--decimal", "point"]) == 0
    table.write_text("My flowers\n\nlength,weight,colour\n3,2e5,red\n", encoding="utf-8")
    assert main(["predict", str(model), str(table)]) == 2
    assert "say --skip 2" in capsys.readouterr().err
    assert main(["predict", str(model), str(table), "--skip", "2"]) == 0


def test_a_file_that_is_not_a_model_is_an_error(model, capsys):
    from nn.storage import load_checkpoint, save_checkpoint

    table = model.with_name("flowers.csv")
    assert main(["predict", str(table), str(table)]) == 2
    assert capsys.readouterr().err.startswith("micrograd: ")
    assert main(["predict", str(model.with_name("nothing.npz")), str(table)]) == 2
    assert "cannot read" in capsys.readouterr().err
    other = model.with_name("other.npz")
    save_checkpoint(other, {"epoch": 3})
    assert main(["predict", str(other), str(table)]) == 2
    assert "was not written by micrograd train" in capsys.readouterr().err
    whole = load_checkpoint(model)
    odd = [(name, "?") for name in ("sizes", "columns", "classes", "weights", "middle", "scale")]
    odd += [
        ("classes", {"rose": 1, "tulip": 2, "aster": 3}),
        ("classes", ["rose", "rose", "tulip"]),
        ("classes", [1, 2, 3]),
        ("classes", ["rose", "tulip", "\ud800"]),
        ("sizes", [10**30, 3]),
        ("sizes", [True]),
        ("weights", whole["weights"] * np.nan),
        ("scale", float("inf")),
        ("activation", ["relu"]),
    ]
    for name, value in odd:
        save_checkpoint(other, {**whole, name: value})
        assert main(["predict", str(other), str(table)]) == 2
        assert "damaged" in capsys.readouterr().err


def test_predictions_do_not_depend_on_the_order_of_the_rows(model, capsys):
    table = model.with_name("flowers.csv")
    heading, *rows = lines(table)
    main(["predict", str(model), str(table)])
    forwards = capsys.readouterr().out.splitlines()[1:]
    table.write_text("\n".join([heading, *reversed(rows)]), encoding="utf-8")
    main(["predict", str(model), str(table)])
    assert capsys.readouterr().out.splitlines()[1:] == forwards[::-1]
    assert len(set(forwards)) == 3
    assert np.mean([f in row for f, row in zip(forwards, rows, strict=True)]) > 0.95


@pytest.mark.slow
def test_the_model_is_written_to_the_output_file_and_predictions_only_as_text(tmp_path, capsys):
    table, model = flowers(tmp_path / "flowers.csv"), tmp_path / "flowers.npz"
    assert main(["train", "--data", str(table), "--epochs", "1", "-o", str(model)]) == 0
    written = {"flowers.csv", "flowers.npz", "found.tsv"}
    for name, code in (("found.tsv", 0), ("found.xlsx", 2)):
        assert main(["predict", str(model), str(table), "-o", str(tmp_path / name)]) == code
    assert {file.name for file in tmp_path.iterdir()} == written
    assert "one of .csv, .tsv, .txt" in capsys.readouterr().err
