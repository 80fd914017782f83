"""What the tests of exported code share: points, how it is run, and the distance of floats."""

import itertools
import json
import math
import random
import shutil
import struct
import subprocess

import pytest

from micrograd.ops import ROWS, TABLE
from micrograd.source.trees import accurate
from micrograd.table.balls import Ball
from micrograd.table.formulas import Call
from micrograd.testing.rounding import balls

NODE, CC = shutil.which("node"), shutil.which("cc")
needs_node = pytest.mark.skipif(NODE is None, reason="no Node is installed (package nodejs)")
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler is installed (package gcc)")

C_OPTIONS = ("-std=c99", "-Wall", "-Wextra", "-Werror")

NAMES = [row.name for row in ROWS]
INFINITE = (math.inf, -math.inf, math.nan)
SPECIAL = (0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.5, 3.5, 1e-300, 5e-324, 1e300, *INFINITE)
ORDERS = (0.0, 1.0, 2.0, 3.0)  # of polygamma


def points(row, count=150):
    """Points over the domain of a row; then kinks, ties, zeros, infinities and nan."""
    rng = random.Random(row.name)

    def drawn():
        size = rng.random()
        if size < 0.6:
            return rng.uniform(-4, 4)
        if size < 0.7:
            return rng.randint(-16, 16) / 2
        if size < 0.8:  # beside zeros, poles and changes of formulas
            return rng.randint(-40, 40) / 2 + math.ldexp(rng.uniform(-1, 1), rng.randint(-50, -3))
        return math.ldexp(rng.uniform(-1, 1), rng.randint(-40, 10))

    found = [tuple(drawn() for _ in row.operands) for _ in range(count)]
    special = SPECIAL if row.arity < 3 else (0.0, -1.0, 2.0, *INFINITE)
    found += itertools.product(special, repeat=row.arity)
    if row.constants:
        found = [(rng.choice(ORDERS), *rest) for _, *rest in found]
    return found


def ulps(a, b):
    """How many floats lie between two numbers; 0 if both are nan."""
    if a == b or (a != a and b != b):
        return 0
    if a != a or b != b:
        return math.inf
    bits = (struct.unpack("<q", struct.pack("<d", x))[0] for x in (a, b))
    first, second = (n if n >= 0 else -(n & 0x7FFFFFFFFFFFFFFF) for n in bits)
    return abs(first - second)


def encoded(rows):
    """Rows of numbers as JSON, which has no nan and no infinities."""
    return json.dumps([[repr(float(x)) for x in row] for row in rows])


def decoded(text):
    return [[float(x) for x in row] for row in json.loads(text)]


CODING = """
const number = (x) => x === "nan" ? NaN : Number(x.replace("inf", "Infinity"));
const decoded = (text) => JSON.parse(text).map((row) => row.map(number));
const text = (x) => Object.is(x, -0) ? "-0.0" : String(x).toLowerCase();
const encoded = (rows) => JSON.stringify(rows.map((row) => row.map(text)));
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def in_node(program, rows):
    """Run a program in Node that makes `results` from the numbers `rows`."""
    read = "const rows = decoded(require('fs').readFileSync(0, 'utf8'));"
    source = f"{CODING}\n{read}\n{program}\nconsole.log(encoded(results));"
    return decoded(run(NODE, "-e", source, input=encoded(rows)))


# --------------------------------------------------------------------------------- all rows at once


def trees(row):
    """The formulas of a row: its value and its partials."""
    return [Call(row.name, row.operands), *map(accurate, row.slopes)]


def tasks(names):
    """The points of all rows, each after the place of its row."""
    return [(i, *at) for i, name in enumerate(names) for at in points(TABLE[name])]


def by_name(names, results):
    """The points and results of each row."""
    found = {name: [] for name in names}
    for (i, *at), result in zip(tasks(names), results, strict=True):
        found[names[i]].append((tuple(at), result))
    return found


def allowed(row, at):
    """How far two careful computations of the value and the partials may differ, beyond 4 units.

    That is twice the bound of the rounding errors of the formulas, which is large where they
    cancel.
    """
    arithmetic = balls()
    operands = [Ball(x) for x in at]
    out = arithmetic.function(row)(*operands)
    partials = [arithmetic.partial(row, place) for place in range(row.arity)]
    return [2 * out.rad, *(2 * partial(*operands, out).rad for partial in partials)]


def assert_engine_agrees(name, results, most=0.75):
    """The value and the partials of a row are the engine's, within 4 units, and mostly equal."""
    row = TABLE[name]
    numbers = equal = 0
    for at, found in results:
        value, partials = row.evaluate(*at)
        expected = [value, *(0.0 if partial is None else partial for partial in partials)]
        for place, (a, b) in enumerate(zip(found, expected, strict=True)):
            numbers += 1
            equal += ulps(a, b) == 0
            if ulps(a, b) > 4:
                assert abs(a - b) <= allowed(row, at)[place], (name, place, at, a, b)
    assert equal >= most * numbers
