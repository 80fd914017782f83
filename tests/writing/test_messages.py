"""Messages in Chinese: errors of the commands, and the report of the checker."""

from __future__ import annotations

import argparse
import ast
import errno
import os
import re
import time
from itertools import pairwise
from pathlib import Path
from string import Formatter

import numpy as np
import pytest

import micrograd
from micrograd import Value, floor, log, sqrt, tanh
from micrograd.__main__ import main
from micrograd.ops import TABLE
from micrograd.testing import check_gradients
from micrograd.writing import languages
from micrograd.writing.labels import columns
from micrograd.writing.messages import meant, message

ROOT = Path(micrograd.__file__).parent.parent
CHINESE = languages.words("zh", "message")
REPORTING = [
    ROOT / "micrograd" / "testing" / f"{name}.py"
    for name in """report witnesses series arithmetic evidence examination comparison resolution
    directions blame culprit check arrays array_witness claims suspicion patterns
    linear_layers surroundings recording""".split()
]
COMMANDS = sorted((ROOT / "micrograd" / "commands").glob("*.py"))
READING = [
    ROOT / "micrograd" / "table" / "reading.py",
    *(ROOT / "nn" / f"{name}.py" for name in ("tables", "columns", "cells")),
]


def literals(template):
    """The words between the places of a template."""
    return [text.strip() for text, *_ in Formatter().parse(template) if text.strip()]


def sentences(path, raised):
    """The words of the texts in a module, except for docstrings and errors other than these."""
    tree = ast.parse(path.read_text("utf-8"))
    shut = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            name = getattr(getattr(node.exc, "func", None), "id", "")
            if name not in raised:
                shut |= {id(each) for each in ast.walk(node)}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            shut.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in shut:
            for text in re.split(r"; (?=give|or)|\n", node.value):
                if len(re.findall("[a-z]{2,}", text)) > 1 and " " in text.strip():
                    yield text.strip()


NO_SENTENCES = {
    "from micrograd.testing import check_gradients",  # a program that fails in the same way
    # of errors
    *("the result of the function", "give jacobian= or vjp= instead"),
    *("give vjp= if it takes an adjoint", "or check the value alone: lambda *at:"),
    ": a formula is text, got",
    # of the inside
    "the witness agrees, within a narrow bound",
    "the witness says nothing against the entry, but does not confirm it",
    "a problem or a doubt is in the report, and no other witness need be heard",
}


@pytest.mark.parametrize("path", REPORTING, ids=lambda path: path.stem)
def test_every_sentence_of_a_report_is_translated(path):
    known = "\n".join(CHINESE)
    found = {text for text in sentences(path, ("NotApplicable",)) if text not in NO_SENTENCES}
    assert {text for text in found if text.strip(":;,? (") not in known} == set()


@pytest.mark.parametrize("path", [*COMMANDS, *READING], ids=lambda path: path.stem)
def test_every_error_of_a_command_is_translated(path):
    known = "\n".join(CHINESE)
    names = ("CommandError", "FormulaError", "TableError", "_wrong")
    found = set(errors(path, names)) - NO_SENTENCES
    if path.parent.name == "nn":  # whose sentences are put together before they are raised
        found |= {text for text in sentences(path, ("TableError",)) if "|" not in text}
        found -= {"unexpected end", "expected after"}  # of the csv module
    assert {text for text in found if text.strip(":;,? (") not in known} == set()


def errors(path, names):
    """The words of the texts that are raised as errors of these names."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    text = part.value.strip()
                    if len(re.findall("[a-z]{2,}", text)) > 1 and " " in text:
                        yield text


def spoken():
    """The texts of the project, of argparse, of Python and of the operating system."""
    files = [*ROOT.glob("micrograd/**/*.py"), *ROOT.glob("nn/**/*.py"), *ROOT.glob("examples/*.py")]
    for path in (*files, Path(argparse.__file__)):
        if "languages" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
    yield from map(os.strerror, errno.errorcode)
    for wrong in ("(", "x)", "x y", "x +", "1 +* 2"):
        try:
            ast.parse(wrong, mode="eval")
        except SyntaxError as error:
            yield error.msg
    yield "could not convert string to float: "
    yield from ("unexpected EOF while parsing", "invalid syntax. Perhaps you forgot a comma?")


@pytest.mark.slow
def test_a_translation_ends_with_the_text_that_it_translates():
    """A sentence that was reworded, or is gone, has no translation that stays behind.

    The pairs of neighbouring words of a template must be in the code. Where it puts a sentence
    together from parts, a word may stand beside another one: one of five, at most.
    """
    texts = " ".join(" ".join(text.split()) for text in spoken())
    words = set(re.findall(r"\w+", texts))
    left = {key for key in CHINESE if known_share(key, texts) < 0.8}
    # Short ones are put together from single words, such as "only {which} {number} is {what}".
    short = {key for key in left if len(words_of(key)) < 8 and words >= words_of(key)}
    assert left - short == set()


def words_of(template):
    return set(re.findall(r"\w+", " ".join(literals(template))))


def known_share(template, texts):
    """The share of the words of a template that the texts have beside the same word."""
    runs = [text.split() for text in literals(template)]
    known = [[f"{a} {b}" in texts for a, b in pairwise(run)] for run in runs]
    beside = [before or after for run in known for before, after in pairwise([False, *run, False])]
    alone = sum(len(run) == 1 for run in runs)
    count = len(beside) - alone
    return sum(beside) / count if count else 1.0


def test_a_translation_has_no_other_places_than_the_text():
    for english, chinese in CHINESE.items():
        places = [
            {name for _, name, *_ in Formatter().parse(x) if name} for x in (english, chinese)
        ]
        assert places[1] <= places[0], english
        assert re.search("[\u4e00-\u9fff（），；：、]", chinese) or "--" in english, english


# ------------------------------------------------------------------------------------- the report


def cube(x):
    out = Value(x.data**3, (x,), "cube")

    def backward():
        x.grad = 2 * x.data**2 * out.grad

    out._backward = backward
    return out


def with_a_wrong_slope(x):
    out = Value(x.data**3, (x,), "cube")

    def backward():
        x.grad += 2 * x.data**2 * out.grad

    out._backward = backward
    return out


X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
CASES = {
    "ok": (lambda x, y: tanh(x * y) + x, (0.5, -1.5), {}),
    "a kink": (lambda x: x.relu() + abs(x), (0.0,), {}),
    "infinite": (log, (0.0,), {}),
    "beside the graph": (lambda x: x * x.data, (3.0,), {}),
    "detached": (lambda x: x.detach() * x, (2.0,), {}),
    "many inputs": (lambda *xs: sum(x * x for x in xs), tuple(map(float, range(1, 80))), {}),
    "a second order": (lambda x, y: x**y, (0.0, 2.0), {"order": 2}),
    "a jump": (floor, (2.0,), {}),
    "an infinite slope": (lambda x: sqrt(x) * 0, (0.0,), {}),
    "by hand": (cube, (2.0,), {}),
    "a wrong rule": (lambda x: with_a_wrong_slope(x) * 2, (2.0,), {}),
    "of arrays": (
        lambda w: np.mean((X @ w) ** 2),
        (np.array([1.0, -1.0]),),
        {"gradient": lambda w: 2 * X.T @ (X @ w)},
    ),
    "without witnesses": (lambda x: tanh(x) * x, (0.5,), {"modes": ["exact", "forward"]}),
}
NAMES = re.compile(r"test_messages\.py:.*|Value|detach|_backward|[\w.]*\([^()]*\)")


@pytest.mark.parametrize("case", CASES)
def test_a_report_in_chinese_has_no_english_words_but_names(case):
    f, at, options = CASES[case]
    report = check_gradients(f, *at, raise_exception=False, **options)
    for text in (report.text("zh"), re.sub("<.*?>", "\n", report.html("zh"))):
        plain = NAMES.sub("", text)
        assert re.search("[\u4e00-\u9fff]", plain)
        assert not re.findall(r"[a-z]{3,} [a-z]{2,}|: [a-z]{3,}|\b(?:same|ok|at)\b", plain), text
    assert str(report) == report.text("en")
    assert not re.search("[\u4e00-\u9fff]", str(report))


def test_a_report_in_chinese_is_aligned():
    from micrograd.writing.labels import columns

    lines = check_gradients(lambda x, y: x * y, 1.0, 2.0).text("zh").splitlines()
    places = [
        columns(line[: line.index(sign)])
        for line, sign in zip(lines[1:3], ("前", "相"), strict=True)
    ]
    assert places[0] == places[1]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_table_that_is_wider_than_the_terminal_becomes_one_for_each_input(lang):
    report = check_gradients(lambda x, w: tanh(x * w), 1.0, 2.0)
    heading, *lines = report.text(lang).splitlines()
    rows = [re.split(" {2,}", line.strip()) for line in lines[:3]]
    assert report.text(lang, max(map(columns, lines[:3]))) == report.text(lang)
    found = report.text(lang, 60).splitlines()
    expected = [heading]
    for name, *cells in rows[1:]:
        pairs = zip(rows[0], cells, strict=True)
        expected += [name, *(f"{head} {cell}" for head, cell in pairs)]
    assert [" ".join(line.split()) for line in found] == expected + [x.strip() for x in lines[3:]]
    assert max(map(columns, found[1:12])) <= 60


def test_names_in_a_table_stay():
    report = check_gradients(lambda same, reverse: same * reverse, 1.0, 2.0)
    assert [line.split()[0] for line in report.text("zh").splitlines()[2:4]] == ["same", "reverse"]


# ------------------------------------------------------------------------------------ the commands


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "check x*y x=1",
            "表达式 'x*y'：没有变量 'y'；现有变量：x，在第 3 列；请给每个变量一个数，NAME=NUMBER",
        ),
        ("check x x=1 --order 9", "--order 最大为 4，得到 9"),
        ("check x x", "需要 NAME=NUMBER，例如 x=0.5，得到 'x'"),
        ("draw x^2 x=1", "乘方写作 **，不是 ^，在第 1 列"),
        ("explain x --wrt z", "--wrt z：没有这个变量；现有变量：x"),
        ("demo 9", "文章编号是 1 到 5，得到 9"),
        ("rules tanhh", "没有 'tanhh' 这种运算"),
        ("predict none.npz none.csv", "无法读取 none.npz：没有这个文件或文件夹"),
        ("train --data none.csv", "没有这个文件，也没有叫这个名字的内置数据集"),
        ("export x -o a.zz", "a.zz 的后缀不在"),
        ("playground data=foo", "data 应为"),
        ("draw x", "表达式 'x'：没有变量 'x'，在第 1 列；请给每个变量一个数"),
        ("draw x[0] x=1", "不能用 Subscript；公式由数、"),
        ("draw tanj(x) x=1", "运算表里没有 'tanj'，在第 1 列；是不是想写 'tan'？"),
        ("rules tanhh", "；是不是想写 'tanh'？"),
        ("live x x=1 -o .", "无法写入 .：这不是普通文件，不会覆盖它"),
        ("train --data moons --epochs 0", "--epochs 应为不小于 1 的整数，得到 0"),
        ("train --data moons --batch-size 0", "--batch-size 应为不小于 1 的整数，得到 0"),
        ("train --data moons --lr -1", "--lr 应不小于 0，得到 -1.0"),
        ("train --data moons --optimizer adamm", "；是不是想写 'adam'？"),
        ("train --data moons --epochs 2 --lr 1e9 --optimizer sgd", "，损失为 nan；模型保留了"),
        ("train --data latin.csv", "latin.csv 不是 utf-8 编码的文本（第 2 字节）：请另存为"),
        ("predict latin.csv latin.csv", "'latin.csv'：不是 micrograd 写出的权重或检查点文件"),
        ("predict cut.npz latin.csv", "'cut.npz'：末尾没有校验码：文件不完整"),
        ("predict empty.npz latin.csv", "'empty.npz'：文件是空的"),
        ("draw x x=1 -o a.xyz", "micrograd：'a.xyz'：文件后缀决定格式，应为 .svg, .png"),
        ("draw x x=1 --compact --width 3", "width 是像素数，不小于 200，得到 3"),
        ("draw x x=1 -o a.png --scale 0", "scale 应大于 0 且不超过 100，得到 0.0"),
        ("playground layers=abc", "layers 中的大小应为不小于 1 的整数，得到 'abc'"),
        ("playground sed=1", "网页没有 'sed' 这项设置；可用的有 data, kind"),
        ("playground sed=1", "；是不是想写 'seed'？"),
        ("demo 1 --out latin.csv", "无法写入 latin.csv：这是一个文件，而 --out 要的是文件夹"),
    ],
)
def test_an_error_is_in_the_language_asked_for(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("latin.csv").write_bytes("a,é\n1,2\n".encode("latin-1"))
    Path("cut.npz").write_bytes(b"PK\x03\x04cut off")
    Path("empty.npz").touch()
    assert main([*words.split(), "--lang", "zh"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("micrograd：")
    assert said in error
    assert not re.search("[a-z]{2,} [a-z]{2,} [a-z]{2,}", error)  # a sentence in English


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("chek x", "micrograd：错误：参数 COMMAND：没有 'chek' 这个选择，可选："),
        ("chek x", "；是不是想写 'check'？\n"),
        ("check", "micrograd check：错误：缺少参数：expression\n"),
        (
            "draw x x=1 --widht 3",
            "micrograd draw：错误：无法识别的参数：--widht 3；是不是想写 '--width'？\n",
        ),
        ("train --data moons --epochs x", "micrograd train：错误：参数 --epochs：'x' 不是整数\n"),
        ("check", "用法： micrograd check "),
        ("draw x x=1 --widht 3", "用法： micrograd draw "),
    ],
)
def test_a_complaint_about_the_words_is_in_the_language_asked_for(words, said, capsys):
    with pytest.raises(SystemExit) as left:
        main(["--lang", "zh", *words.split()])
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_what_a_command_says_of_its_work_is_in_the_language_asked_for(tmp_path, capsys):
    out = tmp_path / "report.txt"
    assert main(["check", "x * y", "x=1", "y=2", "-o", str(out), "--lang", "zh"]) == 0
    assert capsys.readouterr().out == f"已写入 {out}\n"
    assert out.read_text("utf-8").startswith("x * y 在 x = 1.0, y = 2.0 处：通过，函数值 2.0\n")
    assert main(["demo", "1", "--lang", "zh"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("文章    数  ")
    assert printed.endswith("本程序自己的\n")
    assert not re.search(r"\bok\b|formula|wrote", printed)


def test_messages_in_one_line_are_translated_one_by_one():
    gaps = "missing values: 2 dropped (b), 2 of 40 rows left out"
    assert message(gaps, "zh") == "缺失值：去掉 2 个（b）、去掉 40 行中的 2 行"
    why = "difference found no number; but why"
    assert message(why, "zh") == why  # not in two languages
    reasons = "exact is silent, the fractions grow too long; difference found no number"
    assert message(reasons, "zh") == "分数运算无法说明，分数变得太长；差分没有得到数值"


def test_a_message_without_a_translation_stays():
    assert message("it is what it is; and so on", "zh") == "it is what it is; and so on"
    with pytest.raises(ValueError, match="lang is one of en, "):
        message("ok", "xx")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        *[("tahn", "tanh"), ("rleu", "relu"), ("sigmiod", "sigmoid"), ("erff", "erf")],
        *[("Tanh", "tanh"), ("ReLU", "relu"), ("leaky", "leaky_relu"), ("hardswish", "hard_swish")],
        *[("swish", None), ("linear", None), ("zn", None), ("tanh", None), ("", None)],
    ],
)
def test_a_suggestion_has_the_fewest_edits_and_a_transposition_is_one(typed, expected):
    names = [name for name, row in TABLE.items() if row.arity == 1]
    assert meant(typed, names) == (f"; did you mean {expected!r}?" if expected else "")
    assert meant(typed, iter(names)) == meant(typed, names)


def test_a_long_word_is_no_name_mistyped():
    """What it costs to compare two words grows as the product of their lengths."""
    before = time.process_time()
    assert meant("x" * 100_000, [*TABLE, "x" * 90_000]) == ""
    assert time.process_time() - before < 0.1
