"""A drawing as a LaTeX document that compiles, whatever a user wrote."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.drawing.tikz import LONGEST, tex
from micrograd.writing.labels import shortened
from nn import MLP
from tests.drawing.common import chain, expression
from tests.drawing.test_text_formats import LABELS, TREACHEROUS


def needs(program):
    return pytest.param(
        program,
        marks=pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed"),
    )


BOTH = [needs("xelatex"), needs("pdflatex")]


def assert_compiles(program, document, folder):
    """The folder with graph.pdf; the test fails with what TeX complains of."""
    (folder / "graph.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "graph.tex"],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, "\n".join(re.findall(r"^!.*\n.*\n.*", log, flags=re.MULTILINE))
    return folder / "graph.pdf"


def text_of(pdf):
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed")
    return subprocess.run(["pdftotext", pdf, "-"], capture_output=True, check=True).stdout.decode()


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_a_drawing_compiles(program, direction, tmp_path):
    z = expression()
    z.backward()
    x = z._prev[0]
    graph = draw_dot(z, direction=direction, contributions=True, path=x, theme="dark")
    shown = text_of(assert_compiles(program, graph.tikz(), tmp_path)).split()
    assert {"z", "data", "grad", "tanh"} <= {*shown}
    assert {f"{x.data:.4f}"} <= {*shown}


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("level", ["operation", "neuron", "layer"])
def test_every_level_compiles(program, level, tmp_path):
    model = MLP(2, [12, 2])
    loss = sum(model([Value(1.0, label="x"), Value(2.0)]))
    assert_compiles(program, draw_dot(loss, model=model, level=level).tikz(), tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH)
def test_the_longest_graph_that_is_drawn_by_default_compiles(program, tmp_path):
    assert_compiles(program, draw_dot(chain(399)).tikz(), tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH)
def test_hostile_labels_of_latin_letters_compile_and_are_shown_literally(program, tmp_path):
    labels = [label for label in TREACHEROUS if label.isascii()]
    labels += ["".join(map(chr, range(33, 80))), "".join(map(chr, range(80, 127)))]
    x = Value(1.0)
    roots = [Value(1.0, (x,), label, label=label) for label in labels]
    shown = text_of(assert_compiles(program, draw_dot(roots).tikz(), tmp_path))
    letters = re.sub(r"\s", "", shown)
    for label in labels:
        if label.isprintable():
            wanted = shortened(label).replace(" ", "").removesuffix("…")
            assert wanted in letters.replace("ﬁ", "fi"), wanted


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", [needs("xelatex")])
def test_hostile_labels_of_every_script_compile(program, tmp_path):
    scripts = [chr(i) * 3 for i in (*range(0xA0, 0x3000, 37), *range(0x3000, 0x1FFFF, 997))]
    scripts = [label for label in scripts if not "\ud800" <= label <= "\udfff"]
    roots = [Value(1.0, label=label) for label in (*TREACHEROUS, *scripts)]
    assert_compiles(program, draw_dot(roots, max_nodes=5_000).tikz(), tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", [needs("xelatex")])
def test_chinese_labels_are_shown(program, tmp_path):
    graph = draw_dot(Value(1.0, label="损失函数"))
    if not shutil.which("fc-list") or "Hei" not in subprocess.run(
        ["fc-list", ":lang=zh"], capture_output=True, check=True
    ).stdout.decode(errors="replace"):
        pytest.skip("no font with Chinese letters is installed")
    assert "损失函数" in text_of(assert_compiles(program, graph.tikz(), tmp_path))


@given(label=LABELS)
def test_a_label_reaches_tex_as_letters_digits_and_known_commands(label):
    written = tex(shortened(label))
    known = r"\\graphchar\{\d+\}|\\graph(?:quote|grave|place|unseen)\{\}|\\ |-\{\}"
    known += r"|\\ensuremath\{\\cdot\}"
    rest = re.sub(rf"{known}|\{{\\graph(?:wide|other) |\}}", "", written)
    assert not re.search(r"[\\{}$%&#^_~\x00-\x1f\x7f\"'`<>|\[\]*-]", rest)
    assert written.count("{") == written.count("}")


@pytest.mark.slow
@given(label=LABELS)
def test_a_label_never_leaves_its_node(label):
    document = draw_dot(Value(1.0, label=label)).tikz()
    assert len(re.findall(r"^\\node", document, flags=re.MULTILINE)) == 1
    assert document.count("\n") == draw_dot(Value(1.0)).tikz().count("\n")


@pytest.mark.slow
def test_no_coordinate_is_longer_than_tex_can_measure():
    document = draw_dot(chain(1_500), max_nodes=5_000).tikz()
    numbers = [float(x) for x in re.findall(r"[(,](-?\d+\.\d\d)", document)]
    assert 0.9 * LONGEST < max(numbers) - min(numbers) <= 1.1 * LONGEST
