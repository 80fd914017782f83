"""Time the C of our programs against the C that CasADi writes for the same functions.

python benchmarks/source.py [--rounds N]

Both give the value and the gradient of a function of one array. Both files are compiled with the
same options and called in turn from C, and their numbers are compared beforehand. Needs a C
compiler and `pip install casadi`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import micrograd
from micrograd import compile  # noqa: A004

OPTIONS = ("-std=c99", "-O2", "-ffp-contract=off")


class Function(NamedTuple):
    """A function of an array, `f(library, x)`, and how many numbers it takes."""

    f: Callable[..., Any]
    size: int


def black_scholes(m: Any, x: Sequence[Any]) -> Any:
    """The price of a call option."""
    spot, strike, time, rate, sigma = (1 + 0.1 * each for each in x)
    spread = sigma * m.sqrt(time)
    upper = (m.log(spot / strike) + (rate + sigma * sigma / 2) * time) / spread

    def normal(z: Any) -> Any:
        return 0.5 * (1 + m.erf(z * 0.5**0.5))

    return spot * normal(upper) - strike * m.exp(-rate * time) * normal(upper - spread)


def projection(m: Any, x: Sequence[Any]) -> Any:
    """The error of a point seen by a camera: rotation, place, lens, point."""
    a, b, c, tx, ty, tz, focal, k1, k2, px, py, pz = x
    angle = m.sqrt(a * a + b * b + c * c)
    cosine, sine = m.cos(angle), m.sin(angle) / angle
    along = (1 - cosine) / (angle * angle) * (a * px + b * py + c * pz)
    u = cosine * px + sine * (b * pz - c * py) + along * a + tx
    v = cosine * py + sine * (c * px - a * pz) + along * b + ty
    w = cosine * pz + sine * (a * py - b * px) + along * c + tz - 5
    u, v = u / w, v / w
    r2 = u * u + v * v
    scale = focal * (1 + k1 * r2 + k2 * r2 * r2)
    return (scale * u - 0.1) ** 2 + (scale * v + 0.2) ** 2


def pendulum(m: Any, x: Sequence[Any]) -> Any:
    """The height of a double pendulum after ten steps of Euler's method."""
    a, b, da, db = x
    for _ in range(10):
        sine, cosine, below = m.sin(a - b), m.cos(a - b), 3 - m.cos(2 * a - 2 * b)
        turn_a = (
            -29.43 * m.sin(a) - 9.81 * m.sin(a - 2 * b) - 2 * sine * (db * db + da * da * cosine)
        )
        turn_b = 2 * sine * (2 * da * da + 19.62 * m.cos(a) + db * db * cosine)
        a, b = a + 0.01 * da, b + 0.01 * db
        da, db = da + 0.01 * turn_a / below, db + 0.01 * turn_b / below
    return m.cos(a) + m.cos(b)


def rosenbrock(m: Any, x: Sequence[Any]) -> Any:
    """The valley on which optimizers are tested."""
    return sum(100 * (x[i + 1] - x[i] * x[i]) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def network(m: Any, x: Sequence[Any]) -> Any:
    """The loss of a network 2-16-16-1 at one point, as a function of its parameters."""
    start, signal = 0, [0.5, -0.25]
    for width in (16, 16, 1):
        rows = [start + i * (len(signal) + 1) for i in range(width)]
        sums = [
            sum((x[at + j] * s for j, s in enumerate(signal)), x[at + len(signal)]) for at in rows
        ]
        start = rows[-1] + len(signal) + 1
        signal = [m.tanh(each - 1) for each in sums]
    return (1 - signal[0]) ** 2


def tridiagonal(m: Any, x: Sequence[Any]) -> Any:
    """The square of the solution of a tridiagonal system of 50, by Thomas's method."""
    count = len(x) // 2
    c, d = [-1 / (3 + x[0])], [x[count] / (3 + x[0])]
    for i in range(1, count):
        pivot = 3 + x[i] + c[-1]
        c.append(-1 / pivot)
        d.append((x[count + i] + d[-1]) / pivot)
    solution = total = 0.0
    for i in reversed(range(count)):
        solution = d[i] - c[i] * solution
        total = total + solution * solution
    return total


FUNCTIONS = {
    "Black-Scholes, 5 inputs": Function(black_scholes, 5),
    "projection, 12 inputs": Function(projection, 12),
    "double pendulum, 10 steps": Function(pendulum, 4),
    "Rosenbrock, 100 inputs": Function(rosenbrock, 100),
    "network, 337 parameters": Function(network, 337),
    "tridiagonal system of 50": Function(tridiagonal, 100),
}


def ours(function: Function, at: Any) -> str:
    """The file that this library writes."""

    def f(x: Any) -> Any:
        return function.f(micrograd, x)

    program = compile(f, backend="numpy")
    program(at)
    return program.source("c")


def casadis(function: Function) -> str:
    """The file that CasADi writes, for scalar symbols."""
    import casadi

    library = SimpleNamespace(
        **{name: getattr(casadi, name) for name in "sin cos exp log sqrt tanh erf".split()}
    )
    x = casadi.SX.sym("x", function.size)
    value = function.f(library, casadi.vertsplit(x))
    both = casadi.Function("casadi_f", [x], [value, casadi.gradient(value, x)])
    writer = casadi.CodeGenerator("casadi_f", {"with_header": False})
    writer.add(both)
    return str(writer.dump())


MAIN = """
#include <stdio.h>
#include <time.h>
#define N %(size)d
double f(const double x[N], double gradient[N]);
int casadi_f(const double **arg, double **res, long long *iw, double *w, int mem);
static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }
int main(void) {
    static double x[N], ours[N + 1], theirs[N + 1], w[%(work)d];
    static long long iw[16];
    for (int i = 0; i < N; i++) if (scanf("%%lf", &x[i]) != 1) return 1;
    const double *arg[64] = {x};
    double *res[64] = {theirs, theirs + 1}, least[2] = {1e9, 1e9};
    for (int round = 0; round < %(rounds)d; round++) {
        double start = seconds();
        for (int i = 0; i < %(calls)d; i++) { x[0] += 1e-12; ours[0] = f(x, ours + 1); }
        double middle = seconds();
        for (int i = 0; i < %(calls)d; i++) { x[0] -= 1e-12; casadi_f(arg, res, iw, w, 0); }
        double end = seconds();
        if (middle - start < least[0]) least[0] = middle - start;
        if (end - middle < least[1]) least[1] = end - middle;
    }
    ours[0] = f(x, ours + 1);
    casadi_f(arg, res, iw, w, 0);
    printf("%%.17g %%.17g\\n", least[0] / %(calls)d, least[1] / %(calls)d);
    for (int i = 0; i <= N; i++) printf("%%.17g %%.17g\\n", ours[i], theirs[i]);
    return 0;
}
"""


def measure(function: Function, rounds: int, calls: int) -> tuple[float, float, Any]:
    """Seconds per call for our function and for CasADi's, and both results in two columns."""
    at = np.random.default_rng(0).uniform(0.1, 1, function.size)
    sizes = {"size": function.size, "rounds": rounds, "calls": calls, "work": 100_000}
    files = {"ours": ours(function, at), "casadi": casadis(function), "main": MAIN % sizes}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for stem, text in files.items():
            (folder / f"{stem}.c").write_text(text, encoding="utf-8")
        sources = [str(folder / f"{stem}.c") for stem in files]
        command = [shutil.which("cc") or "cc", *OPTIONS, *sources, "-o", str(folder / "run"), "-lm"]
        subprocess.run(command, check=True)
        given = " ".join(map(repr, at.tolist()))
        printed = subprocess.run(
            [str(folder / "run")], input=given, check=True, capture_output=True, text=True
        ).stdout
    rows = np.array([[*map(float, line.split())] for line in printed.splitlines()])
    return rows[0, 0], rows[0, 1], rows[1:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="few calls, three rounds")
    options = parser.parse_args()
    try:
        import casadi  # noqa: F401
    except ImportError:
        raise SystemExit("skipped: this comparison needs CasADi: pip install casadi") from None
    if not shutil.which("cc"):
        raise SystemExit("skipped: this comparison needs a C compiler, cc")
    print(f"{'':<32} {'ours':>10} {'CasADi':>10} ns  {'ratio':>6}")
    for name, function in FUNCTIONS.items():
        rounds, calls = (3, 100) if options.quick else (options.rounds, 10_000)
        first, second, results = measure(function, rounds, calls)
        difference = np.abs(results[:, 0] - results[:, 1]).max() / np.abs(results).max()
        if not difference < 1e-12:
            raise SystemExit(f"{name}: the results differ by {difference:.1e}")
        print(f"{name:<32} {1e9 * first:>10,.1f} {1e9 * second:>10,.1f}     {first / second:>6.2f}")


if __name__ == "__main__":
    main()
