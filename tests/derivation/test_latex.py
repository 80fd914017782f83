"""Derivations compile in LaTeX, and KaTeX reads them, with any label."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from micrograd import Value, explain, where
from micrograd.derivation import rule_card
from micrograd.ops import TABLE
from nn import MLP, explain_layers
from nn.losses import cross_entropy
from tests.derivation.common import meeting, neuron
from tests.drawing.test_labels import HOSTILE

ROOT = Path(__file__).parent.parent.parent
WORSE = [
    *(
        "\\input{x}",
        "\\end{aligned}",
        "^^41",
        "$$",
        "\\(x\\)",
        "[x](javascript:alert(1))",
        "^",
        "~",
    ),
    *(
        "a\nb",
        "\u0300\u0301abc\u0316",
        "Z\u0337\u0327\u0347",
        "x" * 10_000,
        "--- ?`",
        "\ue000",
        "ﬀ",
    ),
    *("ℒ", "∑", "a∉b", "x≠y", "⟦x⟧"),
    *("x̄1", "𝑥1", "α_{12}", "w_{1", "leaky_relu", "１２", "²", "İ1", "\x00\x1b[31m"),
]


def explanations():
    """Derivations of all kinds, with every hostile label."""
    names = neuron()
    yield explain(names["o"], names["w1"])
    yield explain(*reversed(meeting()))
    x = Value(0.5, label="x")
    y = x
    for _ in range(6):
        y = y * y
    yield explain(y, x)
    for label in (*HOSTILE, *WORSE):
        x = Value(2.0, label=label)
        y = x * x + 3 / x.exp()
        y.label = label[::-1]
        yield explain(y, x)
        yield explain(y, x, style="board")
    yield from boards()


def boards():
    """Boards with sums, bars, choices, broken lines and shares of a softmax."""
    names = neuron()
    yield explain(names["o"], None, style="board", width=24)
    xs = [Value(i + 0.5, label=f"x_{i}") for i in range(1, 6)]
    w = Value(2.0, label="w")
    yield explain(sum((w * x - 1.0) ** 2 for x in xs), None, style="board")
    yield explain(where(w > xs[0], w.log(), xs[0].relu() ** w), None, style="board", numbers=False)
    test = (w * xs[0] > xs[1] + xs[2]) & (xs[0] + xs[1] < w * w * xs[3])
    yield explain(where(test, w, xs[0]), w, style="board", numbers=False, width=24)
    yield explain(cross_entropy(xs, 2), xs, style="board", lang="zh")
    model = MLP(2, [3, 3, 1], activation="tanh")
    yield explain(model(xs[:2]), xs[:2], style="board", lang="zh")


def of_layers():
    """Gradients in matrix form, with large matrices, cases and sums."""
    for loss, activation in (("cross_entropy", "leaky_relu"), ("huber", "relu6"), ("bce", "gelu")):
        model = MLP(2, [8, 2], activation=activation, output_activation="sigmoid")
        inputs = [[i / 9, i] for i in range(9)]
        targets = [i % 2 if loss == "cross_entropy" else [i % 2, 0.0] for i in range(9)]
        yield explain_layers(model, inputs, targets, loss=loss, numbers=True, lang="zh")


@cache
def every_formula():
    return [
        *(explanation.latex() for explanation in explanations()),
        *(rule_card(name, "zh").latex() for name in TABLE),
        *(layers.latex() for layers in of_layers()),
    ]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("program", "packages"),
    [
        pytest.param(
            program,
            packages,
            id=program,
            marks=pytest.mark.skipif(not shutil.which(program), reason=f"{program} is missing"),
        )
        for program, packages in (
            ("xelatex", r"\usepackage{amsmath}"),
            ("pdflatex", r"\usepackage[T1]{fontenc}\usepackage{amsmath}"),
        )
    ],
)
def test_the_aligned_blocks_compile(program, packages, tmp_path):
    formulas = [f for f in every_formula() if program == "xelatex" or f.isascii()]
    assert len(formulas) > 40
    body = "\n\n".join(rf"\[{formula}\]" for formula in formulas)
    source = rf"\documentclass{{article}}{packages}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "all.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    complaints = re.findall(r"^! .*(?:\n.*){2}", done.stdout.decode(errors="replace"), re.M)
    assert (done.returncode, complaints) == (0, [])


KATEX = """\
console.warn = () => {};  // that it has no widths for some letters
const katex = require("katex");
const formulas = JSON.parse(require("fs").readFileSync(0));
for (const formula of formulas) {
  katex.renderToString(formula, { displayMode: true, strict: false, trust: false });
}
console.log(formulas.length);
"""


def in_markdown(text):
    """The formulas of a Markdown text, as a reader that knows escaped dollar signs finds them."""
    return [block or inline for block, inline in IN_MARKDOWN.findall(text)]


IN_MARKDOWN = re.compile(r"^\$\$\n(.*?)\n\$\$$|\$((?:\\.|[^$\\])+)\$", re.S | re.M)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["latex", "markdown"])
def test_katex_reads_every_formula(kind, tmp_path):
    """Needs Node and `npm install katex`, in the folder that NODE_PATH names."""
    import json

    modules = [os.environ.get("NODE_PATH", ""), str(ROOT / ".venv" / "node" / "node_modules")]
    found = next((path for path in modules if path and (Path(path) / "katex").is_dir()), None)
    if found is None or not shutil.which("node"):
        pytest.skip("KaTeX is not installed")
    formulas = every_formula()
    if kind == "markdown":
        formulas = [
            f for each in (*explanations(), *of_layers()) for f in in_markdown(each.markdown("zh"))
        ]
    done = subprocess.run(
        ["node", "-e", KATEX],
        input=json.dumps(formulas).encode(),
        env={**os.environ, "NODE_PATH": found},
        capture_output=True,
        check=False,
    )
    assert done.stderr.decode()[:2000] == ""
    assert int(done.stdout) == len(formulas)


@pytest.mark.slow
def test_markdown_shows_labels_as_formulas_only():
    """What a label says is never Markdown: no link, no tag, no heading, no code of its own."""
    for explanation in explanations():
        text = IN_MARKDOWN.sub("", explanation.markdown())
        assert not re.search(r"<\w|\]\(|`|^\s*#{1,6} (?!The|Forward|Backward)", text, re.M)
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert all(row.count("|") == 5 for row in rows)


@pytest.mark.slow
def test_formulas_hold_nothing_that_markdown_would_read():
    for explanation in explanations():
        for formula in in_markdown(explanation.markdown()):
            assert not re.search(r"<[A-Za-z/!?]|`|\||\]\(|\n\n|\*", formula)
