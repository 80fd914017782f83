"""Where the numbers in the documents come from: `python -m docs.numbers`.

Lists each number with a unit in the READMEs, the guides and the pages of the site, with its source:
a count, which the tests compare; a time, which `--measure` measures again by the benchmarks; or the
reason why nothing here can produce it. The exit status is 1 if a number has no source or differs.

Numbers in blocks of code are left out: these are examples, whose outputs the tests compare.
"""

from __future__ import annotations

import argparse
import functools
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for pattern in ("README*.md", "CONTRIBUTING.md", "docs/*.md", "docs/site/*/**/*.md")
    for path in ROOT.glob(pattern)
)
"""The documents. The changelog is left out: its numbers were true when written."""

# What is written after a number, and what stands before it in Chinese.
UNITS = {
    "%": "%",
    "ns": r"ns\b|纳秒",
    "µs": r"µs|微秒",
    "ms": r"ms\b|毫秒",
    "s": r"s\b|seconds?\b|秒",
    "minutes": r"minutes?\b|分钟",
    "MB": r"MB\b",
    "times": r"times\b|倍",
    "parameters": r"parameters\b|个参数",
    "operations": r"operations\b|种运算|个运算|次运算",
    "instructions": r"(?:wide )?instructions?\b|条(?:批量)?指令",
    "names": r"names\b|个名字|个人名",
    "numbers": r"numbers\b|个数",
    "follow": r"follow\b|个按公式核对",
    "ours": r"are\s+ours\b|个是本程序自己的",
    "ulp": r"units in the last place|ulp\b|个?末位",
}
WORDS = {"ten": 10, "十": 10, "a hundred": 100, "一百": 100, "a thousand": 1000, "一千": 1000}
NUMBER = re.compile(
    rf"(?<![\w.,^{{/−-])(?P<number>\d[\d,]*(?:\.\d+)?|(?:{'|'.join(WORDS)})(?![a-z]))(?P<ten_thousand>\s?万)?\s?(?:"
    + "|".join(f"(?P<u{i}>{unit})" for i, unit in enumerate(UNITS.values()))
    + ")"
)
AROUND = 160  # characters on each side of a number, in which it says what it is about


class Claim(NamedTuple):
    """A number with a unit, where it stands, and the text around it."""

    number: float
    unit: str
    place: str
    context: str


class Source(NamedTuple):
    """What backs a number.

    Attributes:
        number: the number, as it is written.
        unit: one of `UNITS`.
        about: a pattern that occurs in the text around it, in each language.
        count: computes the number, for one that is the same everywhere; what it gives, rounded to
            the digits that are written, must be the number.
        measure: measures the number, for a time.
        reason: why the number can be neither counted nor measured.
    """

    number: float
    unit: str
    about: str
    count: Callable[[], float] | None = None
    measure: Callable[[], float] | None = None
    reason: str = ""


def claims(text: str, place: str = "") -> Iterator[Claim]:
    """The numbers with units in a document."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "``", re.sub(r"\]\([^)]*\)", "]", " ".join(text.split())))
    for found in NUMBER.finditer(text):
        unit = next(name for i, name in enumerate(UNITS) if found[f"u{i}"] is not None)
        written = found["number"]
        number = WORDS[written] if written in WORDS else float(written.replace(",", ""))
        context = text[max(0, found.start() - AROUND) : found.end() + AROUND]
        factor = 10_000 if found["ten_thousand"] else 1
        yield Claim(round(number * factor, 6), unit, place, context)


def all_claims() -> Iterator[Claim]:
    """The claims of all documents."""
    for path in DOCUMENTS:
        yield from claims(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())


def backs(source: Source, claim: Claim) -> bool:
    """Whether a source is that of a claim."""
    return (source.number, source.unit) == claim[:2] and bool(
        re.search(source.about, claim.context)
    )


# ------------------------------------------------------------------------------------------ counts


def rows(kind: str) -> Callable[[], float]:
    """How many numbers of the articles agree with a source, one of `examples._rows.SOURCES`."""
    return lambda: rows_of_articles()[kind]


@functools.cache
def rows_of_articles() -> Counter[str]:
    """How many numbers the programs of the articles compare and find right, by their source."""
    from examples import ARTICLES

    reports = (import_module(f"examples.{name}").run(None) for name in ARTICLES)
    return Counter(row.source for report in reports for row in report.rows if row.agrees)


def step_parameters() -> float:
    """The parameters of the network of the standard step."""
    from benchmarks.step import model

    return len(model().parameters())


def gpt_parameters() -> float:
    """The parameters of the GPT of the examples."""
    return len(gpt().parameters())


def gpt() -> Any:
    """The GPT of the examples."""
    import numpy as np

    from examples.gpt import untrained

    return untrained(np.random.default_rng(0))


def gpt_names() -> float:
    """The names that it learns from."""
    from examples.gpt import known_names

    return len(known_names())


@functools.cache
def planned(name: str) -> tuple[int, int]:
    """The operations of one sample, and the instructions they become, of "step" or "gpt"."""
    from benchmarks import planning, step
    from micrograd.compiler.planning.planner import plan
    from micrograd.compiler.tracing.tracer import trace

    if name == "gpt":
        function, inputs = planning.language_model()
        graph = trace(lambda leaves: [function(leaves)], [], inputs)
        leaves = inputs
    else:
        network = step.model()
        parameters = network.parameters()
        inputs, leaves = 3, 3 + len(parameters)
        graph = trace(
            lambda x: [step.sample_loss(network, parameters, x[:2], x[2])], parameters, inputs
        )
    return graph.size - leaves, len(plan(graph, batched=True).instructions)


def layer_operations() -> float:
    """The operations that the tutorial on compiling counts itself, in an example."""
    page = ROOT / "docs" / "site" / "en" / "tutorials" / "compiling.md"
    found = re.search(r">>> operations\(one\)\n(\d+)\n", page.read_text(encoding="utf-8"))
    return float(found[1]) if found else 0


def operations() -> float:
    """The operations of the table."""
    from micrograd.ops import TABLE

    return len(TABLE)


def accurate_units() -> float:
    """The limit that the benchmark of accuracy and its tests hold all operations to."""
    from benchmarks.accuracy import LIMIT

    return LIMIT


def least_accuracy(example: str) -> Callable[[], float]:
    """The accuracy in per cent that a test demands of an example."""

    def count() -> float:
        from tests.test_training_examples import PROGRAMS

        return 100 * PROGRAMS[example][0]["accuracy"][0]

    return count


@functools.cache
def accuracy(example: str) -> float:
    """The accuracy of an example in per cent."""
    return 100 * float(import_module(f"examples.{example}").run().numbers["accuracy"])


# ------------------------------------------------------------------------------------------- times


@functools.cache
def printed(*command: str) -> str:
    """What a benchmark prints."""
    done = subprocess.run(  # noqa: S603 (no shell)
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def step_time(row: str, unit: float = 1.0) -> Callable[[], float]:
    """The fastest time of an engine for the standard step of 100 samples, in microseconds."""

    def measure() -> float:
        told = printed("benchmarks/compiled.py", "--only", "step")
        (table,) = re.findall(r"standard step, 100 samples.*?(?=\n\n|\Z)", told, re.DOTALL)
        return column(table, row) / unit

    return measure


def column(table: str, row: str, index: int = 0) -> float:
    """A number of a printed table, in the row of that name."""
    (line,) = (line for line in table.splitlines() if line.strip().startswith(row))
    numbers = re.findall(r"[\d,]+\.?\d*", line.strip().removeprefix(row))
    return float(numbers[index].replace(",", ""))


def planning_time() -> float:
    """Microseconds to trace and plan an operation of the GPT."""
    table = printed("benchmarks/compiled.py", "--only", "planning")
    return column(table, "GPT", 1) + column(table, "GPT", 2)


def eager_factor() -> float:
    """How many times faster a step on Values is than with Karpathy's engine."""
    table = printed("benchmarks/eager.py")
    row, *_ = re.findall(r"Karpathy's micrograd 0\.1\.0 .*", table)  # of the first table
    *_, ratio = re.findall(r"([\d.]+) \([\d.]+\)", row)
    return float(ratio)


STEP = r"one thread|一步|NumPy"
BROWSER = (
    "measured by hand with Node and Pyodide, as the page says; tests/browser runs the same there"
)
SOURCES = [
    Source(43, "numbers", "articles|原文", count=rows("article")),
    Source(52, "follow", "formulas|公式", count=rows("formula")),
    Source(36, "ours", "formulas|公式", count=rows("ours")),
    Source(337, "parameters", "network|网络", count=step_parameters),
    Source(1300, "operations", "each sample|每个样本", count=lambda: planned("step")[0]),
    Source(11, "instructions", "each sample|每个样本", count=lambda: planned("step")[1]),
    Source(4192, "parameters", "GPT", count=gpt_parameters),
    Source(4192, "numbers", "GPT", count=gpt_parameters),
    Source(16, "numbers", "vector|向量", count=lambda: len(gpt().token[0])),
    Source(2000, "names", "learns|学习", count=gpt_names),
    Source(146_000, "operations", "name|GPT|名字", count=lambda: planned("gpt")[0]),
    Source(46, "instructions", "name|GPT|名字", count=lambda: planned("gpt")[1]),
    Source(642, "operations", "one sample|一个样本", count=layer_operations),
    Source(8, "ulp", "derivatives|导数", count=accurate_units),
    Source(97, "%", "spiral|螺旋", count=lambda: accuracy("spiral") // 1),
    Source(98, "%", "digits|手写数字", count=lambda: accuracy("digits")),
    Source(97.4, "%", "ten splits|十种划分", reason="tests/test_training_examples.py compares it"),
    Source(97, "%", "not seen|没见过", count=least_accuracy("digits")),
    Source(95, "%", "spiral|螺旋", count=least_accuracy("spiral")),
    Source(93, "%", "held-out third|三分之一", count=least_accuracy("iris")),
    Source(11, "µs", STEP, measure=step_time("compiled, numba")),
    Source(57, "µs", STEP, measure=step_time("NumPy by hand")),
    Source(80, "µs", STEP, measure=step_time("JAX jit")),
    Source(47, "ms", STEP, measure=step_time("eager Value", 1000)),
    Source(3, "µs", "planning|规划", measure=planning_time),
    Source(10, "times", "Karpathy|“十倍”", measure=eager_factor),
    Source(1000, "times", "machine code", reason="47 ms by 11 µs, rounded down"),
    Source(100, "operations", "your own", count=operations),
    Source(570, "MB", "Linux", reason="the sum of the table below it, of wheels of a given day"),
    Source(80, "MB", "NumPy", reason="NumPy and this package, of wheels of a given day"),
    Source(1, "MB", "stack", reason="a property of CPython 3.13, measured by hand"),
    Source(1000, "operations", "recursion|递归", reason="the recursion limit of Python"),
    Source(20, "%", "slower", reason=BROWSER),
    *(
        Source(n, "s", "Pyodide|Python|compiled|steps", reason=BROWSER)
        for n in (2.5, 0.2, 0.1, 0.13, 0.06, 0.25, 0.03)
    ),
    *(Source(n, "ms", "compiled", reason=BROWSER) for n in (0.25, 0.03)),
    Source(15, "s", "JupyterLite", reason="measured by hand; depends on the network"),
]


# --------------------------------------------------------------------------------------- the check


def agrees(source: Source, found: float) -> bool:
    """Whether a computed number is the one that is written: rounded; a time, within a factor of 2.

    A number that ends in zeros is rounded to the digits before them.
    """
    if source.measure:
        return source.number / 2 <= found <= source.number * 2
    unit = 1.0 if source.number % 1 == 0 else 0.1
    while source.number >= 10 * unit and source.number % (10 * unit) == 0:
        unit *= 10
    return abs(found - source.number) <= unit / 2


def unbacked() -> list[Claim]:
    """The claims that no source backs."""
    return [each for each in all_claims() if not any(backs(source, each) for source in SOURCES)]


def unused() -> list[Source]:
    """The sources whose claims no longer occur in any document."""
    made = list(all_claims())
    return [source for source in SOURCES if not any(backs(source, each) for each in made)]


def main() -> int:
    """List the numbers and their sources; return 1 if a number has no source or differs."""
    parser = argparse.ArgumentParser(description="Where the numbers in the documents come from.")
    parser.add_argument("--measure", action="store_true", help="measure the times again")
    measure = parser.parse_args().measure
    wrong = 0
    for source in SOURCES:
        take = source.count or (source.measure if measure else None)
        if take is None:
            said = source.reason or "a time; see --measure"
        else:
            found = take()
            verdict = "agrees" if agrees(source, found) else "DIFFERS"
            wrong += verdict == "DIFFERS"
            said = f"{verdict}: {found:g}"
        print(f"{source.number:>9g} {source.unit:<13}{said}")
    for claim in unbacked():
        wrong += 1
        print(f"{claim.place}: {claim.number:g} {claim.unit} has no source: … {claim.context} …")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
