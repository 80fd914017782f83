"""C computes every row of the table as the engine does."""

import pytest

from micrograd.ops import TABLE
from micrograd.source.c import C
from micrograd.source.trees import ready
from micrograd.table.formulas import calls
from tests.export.common import (
    C_OPTIONS,
    CC,
    NAMES,
    assert_engine_agrees,
    by_name,
    needs_cc,
    run,
    tasks,
    trees,
)

pytestmark = needs_cc

MAIN = """
int main(void) {
    int row;
    double a[3], r[4];
    while (scanf("%d %lf %lf %lf", &row, &a[0], &a[1], &a[2]) == 4) {
        rows[row](a, r);
        printf("%.17g %.17g %.17g %.17g\\n", r[0], r[1], r[2], r[3]);
    }
    return 0;
}
"""


def function(place, row):
    value, *slopes = (C.text(ready(tree)) for tree in trees(row))
    lines = [f"const double {name} = a[{i}]; (void){name};" for i, name in enumerate(row.operands)]
    lines += [f"const double out = r[0] = {value}; (void)out;"]
    lines += [f"r[{i}] = {slope};" for i, slope in enumerate(slopes, start=1)]
    body = "\n    ".join(lines)
    return f"static void row{place}(const double a[], double r[]) {{\n    {body}\n}}\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")
    rows = [TABLE[name] for name in NAMES]
    used = {name for row in rows for tree in trees(row) for name in calls(ready(tree))}
    functions = "\n".join(function(i, row) for i, row in enumerate(rows))
    listed = ", ".join(f"row{i}" for i in range(len(rows)))
    table = f"static void (*const rows[])(const double[], double[]) = {{{listed}}};"
    head = "#include <math.h>\n#include <stdio.h>\n"
    source = "\n\n".join([head, *C.runtime(used), functions, table, MAIN])
    (folder / "rows.c").write_text(source)
    run(CC, *C_OPTIONS, "-O1", "-o", str(folder / "rows"), str(folder / "rows.c"), "-lm")
    given = "".join(f"{i} {' '.join(map(repr, (*at, 0.0, 0.0)[:3]))}\n" for i, *at in tasks(NAMES))
    lines = run(str(folder / "rows"), input=given).splitlines()
    arities = [1 + TABLE[NAMES[i]].arity for i, *_ in tasks(NAMES)]
    found = [list(map(float, line.split()))[:n] for line, n in zip(lines, arities, strict=True)]
    return by_name(NAMES, found)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_values_and_partials_in_c_are_those_of_the_engine(name, results):
    assert_engine_agrees(name, results[name])
