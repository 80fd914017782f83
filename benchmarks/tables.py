"""The cost, per cell, of reading a table and converting its columns to numbers.

    python benchmarks/tables.py                # a few seconds; --quick for less

The cost per cell should not grow with the number of columns.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from time import process_time

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # where `nn` can be imported

from nn.columns import Encoder, left_out
from nn.tables import read

ROWS = 30


def write(path: Path, columns: int) -> None:
    """A table of numbers, with words in every tenth column and a target in the last."""
    draw = random.Random(0)
    names = ",".join(f"x{i}" for i in range(columns))
    lines = [
        ",".join(
            "uvw"[draw.randrange(3)] if i % 10 == 0 else f"{draw.random():.3f}"
            for i in range(columns)
        )
        for _ in range(ROWS)
    ]
    path.write_text(f"{names},y\n" + "".join(f"{line},{i % 2}\n" for i, line in enumerate(lines)))


def main() -> None:
    """Print a row for each number of columns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small tables")
    sizes = [50, 200] if parser.parse_args().quick else [1_000, 5_000, 20_000]
    print(f"{ROWS} rows, processor time")
    print(f"{'columns':>8}{'read':>12}{'analyse':>12}{'each cell':>12}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        for columns in sizes:
            write(path, columns)
            start = process_time()
            table = read(path)
            middle = process_time()
            made = Encoder.of(table, "y", left_out(table, "y"))
            inputs = made.encode(table)
            made.with_scale(inputs).standardized(inputs)
            made.matched(table)
            end = process_time()
            each = (end - start) / columns / ROWS * 1e6
            print(f"{columns:8,}{middle - start:10.2f} s{end - middle:10.2f} s{each:9.1f} µs")


if __name__ == "__main__":
    main()
