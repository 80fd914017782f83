"""The entries of the gallery: each example is run, and shown with its picture, output and time.

The page, `gallery.md`, is written by hand in each language: the claim of each program, and below it
the entry, `gallery/NAME.txt`, which is made here.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from docs.site.examples import MADE, ROOT, WIDTHS, figure, image, shown
from docs.site.languages import WORDS
from docs.site.zh_gallery import LINES
from examples import ARTICLES
from micrograd.drawing import draw_curve, draw_network, draw_points, draw_program, draw_table
from micrograd.files import write
from micrograd.writing.languages import words
from micrograd.writing.messages import Templates, compiled, translated

NOT_SHOWN = r"wrote |.*(\[Gloo\]|peer ranks)"  # lines about files, and of JAX about connections
MISSING = 2  # the exit status of an example that lacks a library or a compiler


class Entry(NamedTuple):
    """How an example is shown.

    Attributes:
        alt: the alternative text of the picture in each language.
        picture: of an article, a figure of its companion; else a picture that the program writes
            with `--out`, or a function of what it printed, with `theme`, `lang` and `width`, that
            returns what is shown.
    """

    alt: dict[str, str]
    picture: str | Callable[..., Any]


def texts(en: str, zh: str) -> dict[str, str]:
    """A text in both languages."""
    return {"en": en, "zh": zh}


# ------------------------------------------------------------------------------------- the pictures


def _falling_loss(printed: str, **options: Any) -> Any:
    steps = [(int(n), float(x)) for n, x in re.findall(r"step +(\d+) +loss ([\d.]+)", printed)]
    return draw_points(steps, names=("step", "loss"), **options)


def _swing(printed: str, **options: Any) -> Any:
    from examples.pendulum import LENGTH, START, STEPS, taylor_step

    states = [START]
    for _ in range(STEPS):
        states.append(taylor_step(states[-1], LENGTH))
    path = [(LENGTH * i, angle) for i, (angle, _) in enumerate(states)]
    return draw_points(path, names=("t", "θ"), **options)


def _anomaly(printed: str, **options: Any) -> Any:
    from examples.implicit import ECCENTRICITY, MEAN_ANOMALY, kepler

    def by_time(M: Any) -> Any:  # noqa: N803 (as astronomers write)
        return kepler(M, ECCENTRICITY)

    return draw_curve(by_time, MEAN_ANOMALY, over=(0, 6.3), name="E", **options)


def _lambert_w(printed: str, **options: Any) -> Any:
    from examples.operation import lambert_w

    return draw_curve(lambert_w, 1.0, over=(-0.3, 4), name="W", **options)


def _attention(printed: str, *, width: int, **options: Any) -> Any:
    from examples.layers import attention, inputs
    from micrograd import compile  # noqa: A004

    program = compile(attention, backend="numpy")
    program(*inputs(attention))
    return draw_program(program, **options)


def _mistake(printed: str, *, lang: str, **options: Any) -> Any:
    from examples.handwritten import check, with_the_wrong_sign

    report = check(with_the_wrong_sign)
    lines = report.text(lang).splitlines()[1 : 2 + len(report.rows)]
    head, *rows = (re.split("  +", line.strip()) for line in lines)
    columns = {head[j]: [row[j] for row in rows] for j in (2, 4)}  # the verdict, the difference
    return draw_table([row[:2] for row in rows], columns, names=head[:2], lang=lang, **options)


def _exported_network(printed: str, *, width: int, **options: Any) -> Any:
    from examples.c_source import network

    return draw_network(network(), sample=[1.0, -1.0], **options)


def _sharded_program(printed: str, *, width: int, **options: Any) -> Any:
    import numpy as np

    from examples.sharding import loss_of_a_network

    program = loss_of_a_network()
    program(np.zeros((8, 2), np.float32), np.ones(8, np.float32))
    return draw_program(program, **options)


def _shared_network(printed: str, *, width: int, **options: Any) -> Any:
    from nn import MLP

    return draw_network(MLP(2, [16, 1], activation="tanh", generator=Random(1)), **options)  # noqa: S311


ENTRIES = {
    "article_1_weighted_sum": Entry(
        texts("The graph of a weighted sum", "加权求和的计算图"), "article_1_neuron"
    ),
    "article_2_two_layers": Entry(
        texts("The loss of two layers falls", "两层网络的损失逐步下降"), "article_2_loss"
    ),
    "article_3_fitting_a_line": Entry(
        texts("A line through four points", "穿过四个点的直线"), "article_3_line_of_four_points"
    ),
    "article_4_nine_lines": Entry(
        texts("A sigmoid neuron with three inputs", "有三个输入的 sigmoid 神经元"),
        "article_4_neuron",
    ),
    "article_5_dense_layers": Entry(
        texts("Two dense layers", "两个全连接层"), "article_5_two_layers"
    ),
    "moons": Entry(
        texts("Two moons on a plane that is coloured by class", "两个月牙，平面按类别着色"),
        "moons.png",
    ),
    "spiral": Entry(
        texts("Three arms of a spiral, each in its region", "螺旋的三条臂，各在自己的区域里"),
        "spiral.png",
    ),
    "digits": Entry(
        texts("Handwritten digits, first those that were misread", "手写数字，读错的排在前面"),
        "digits.png",
    ),
    "iris": Entry(
        texts(
            "The loss over 200 epochs, in training and validation", "200 轮中的训练损失和验证损失"
        ),
        "iris_loss.png",
    ),
    "regression": Entry(
        texts("Noisy points, the curve behind them, and the network", "带噪声的点、真实曲线和网络"),
        "regression.png",
    ),
    "gpt": Entry(
        texts("The loss falls from 3.3 to below 2", "损失从 3.3 降到 2 以下"), _falling_loss
    ),
    "sharding": Entry(
        texts(
            "The compiled program: a bar for each instruction", "编译所得的程序：每条指令一个横条"
        ),
        _sharded_program,
    ),
    "processes": Entry(
        texts("The network that both train", "两个进程共同训练的网络"), _shared_network
    ),
    "pendulum": Entry(texts("The angle over twenty seconds", "二十秒内的角度"), _swing),
    "pinn": Entry(
        texts("The network on top of the power series", "网络与幂级数的曲线重合"), "pinn.png"
    ),
    "implicit": Entry(
        texts("The eccentric anomaly and its derivative", "偏近点角及其导数"), _anomaly
    ),
    "layers": Entry(texts("Attention as a compiled program", "编译后的注意力层"), _attention),
    "handwritten": Entry(texts("The report on a mistake", "一个错误的检验报告"), _mistake),
    "operation": Entry(
        texts(
            "Lambert's W, its tangent at 1 and its derivative", "朗伯 W 函数、在 1 处的切线和导数"
        ),
        _lambert_w,
    ),
    "c_source": Entry(texts("The network that is exported", "导出的网络"), _exported_network),
}
"""Every example, by the name of its program, in the order of the page."""


# ------------------------------------------------------------------------------------- the entries


def write_entry(program: str, source: Path, out: Path) -> str:
    """Run an example, and write its entry in each language.

    Args:
        program: the name of the example, one of `ENTRIES`.
        source: the folder of the pages for Sphinx, which has one for each language.
        out: the folder of the site; pictures go to the languages' folders in it.

    Returns:
        A list of the problems found.
    """
    picture = ENTRIES[program].picture
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", f"examples.{program}"]
        if isinstance(picture, str) and picture.endswith(".png"):
            command += ["--out", temporary]
        before = os.times()
        done = subprocess.run(  # noqa: S603 (no shell)
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
        )
        after = os.times()
        if done.returncode not in (0, MISSING):
            said = f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
            return f"python -m examples.{program}: {said}"
        seconds = sum(after[2:4]) - sum(before[2:4])  # of the processor, by programs that ended
        place = f'```{{raw}} html\n<div class="place" id="{program}"></div>\n```'
        for lang in WORDS:
            if done.returncode:
                parts = [place, console(output("", done.stderr, lang)), WORDS[lang]["not run"]]
            else:
                parts = [
                    place,
                    pictured(program, done.stdout, lang, Path(temporary), out / lang),
                    console(output(program, done.stdout, lang)),
                    WORDS[lang]["measured"].format(seconds=f"{seconds:.1f}"),
                ]
            write(source / lang / "gallery" / f"{program}.txt", "\n\n".join(parts) + "\n")
    return ""


def write_tiles(source: Path) -> None:
    """Write the overview at the head of the page: the picture and the title of each example.

    Args:
        source: the folder of the pages for Sphinx, with the entries.
    """
    for lang in WORDS:
        page = (Path(__file__).parent / lang / "gallery.md").read_text(encoding="utf-8")
        tiles = ""
        for title, program in re.findall(
            r"^### (.*)\n[^#]*?{include} gallery/(\w+)\.txt", page, re.M
        ):
            entry = (source / lang / "gallery" / f"{program}.txt").read_text(encoding="utf-8")
            picture = re.search(r'<img [^>]*src="([^"]+)"', entry)
            if picture is None:
                raise ValueError(f"the entry of {program} has no picture")
            image = f'<img src="{picture[1]}" alt="" loading="lazy">'
            tiles += f'<li class="made"><a href="#{program}">{image}{html.escape(title)}</a></li>'
        write(
            source / lang / "tiles.txt", f'```{{raw}} html\n<ul class="tiles">{tiles}</ul>\n```\n'
        )


def output(program: str, printed: str, lang: str) -> str:
    """The part of what an example prints that is shown: of an article, its summary.

    Args:
        program: the name of the example.
        printed: what it printed, in English.
        lang: the language to show it in.
    """
    lines = [line for line in printed.splitlines() if line and not re.match(NOT_SHOWN, line)]
    if program in ARTICLES:
        lines = [lines[-len(WORDS) + list(WORDS).index(lang)]]
    if lang == "zh":
        lines = [translated(line, _chinese()) for line in lines]
    return "\n".join(lines)


@cache
def _chinese() -> Templates:
    """The sentences of the examples, and those of the checker, whose report one of them prints."""
    return compiled({**words("zh", "message"), **LINES})


def console(text: str) -> str:
    """Output as a block of Markdown."""
    return f"```text\n{text.rstrip()}\n```"


def pictured(program: str, printed: str, lang: str, folder: Path, out: Path) -> str:
    """The picture of an example as Markdown; its files are written into the folder of the site."""
    entry = ENTRIES[program]
    if program in ARTICLES:  # made for the companion, beside this
        files = [f"{MADE}/{entry.picture}.{lang}{narrow}.svg" for narrow in ("", ".narrow")]
        return figure(image(files, "svg", entry.alt[lang]))
    if isinstance(entry.picture, str):
        values: list[Any] = [folder / entry.picture]
    else:
        values = [entry.picture(printed, theme="auto", lang=lang, width=width) for width in WIDTHS]
    return shown(values, f"gallery-{program}", {"alt": entry.alt[lang]}, out, "", lang)
