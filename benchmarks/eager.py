"""Eager mode against its peers: one step of training, bytes, depth, time of import.

    python benchmarks/eager.py              # some minutes; --quick for some seconds

The peers are Karpathy's micrograd, which pip installs into a separate folder, and PyTorch scalars,
if PyTorch is installed. Each engine runs in a worker process, since two of them have the same
import name. The workers take turns, A B C A B C …, so that a busy spell of the machine affects all
of them, and only one works at a time. The engines differ only in the class of their scalars.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import random
import subprocess
import sys
import tracemalloc
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module, metadata, util
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "micrograd-benchmarks"
KARPATHY = "micrograd==0.1.0"
SIZES = 2, [16, 16, 1]
ALPHA = 1e-4
SEED = 1337

# ------------------------------------------------------------------------------ in a worker process


class Engine(NamedTuple):
    """What differs between the engines: the scalar, a network, and the nodes below a node."""

    scalar: Callable[[float], Any]
    network: Callable[[int, list[int]], Any]
    below: Callable[[Any], Iterable[Any]]


def micrograd_engine() -> Engine:
    """Our engine or Karpathy's, whichever is first on the path."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    return Engine(Value, MLP, lambda node: node._prev)


def torch_engine() -> Engine:
    """PyTorch's tensors without dimensions, in double precision on one thread."""
    torch = import_module("torch")
    torch.set_num_threads(1)
    scalar = partial(torch.tensor, dtype=torch.float64, requires_grad=True)

    def below(node: Any) -> Iterable[Any]:
        return (f for f, _ in getattr(node, "grad_fn", node).next_functions if f is not None)

    return Engine(scalar, partial(Network, scalar), below)


Seconds = tuple[
    float, float, float
]  # building a graph, differentiating it, the garbage collector in both
ENGINES = {"ours": micrograd_engine, "karpathy": micrograd_engine, "torch": torch_engine}


class Network:
    """Karpathy's MLP for PyTorch scalars, with the same random numbers and order of terms."""

    def __init__(self, scalar: Callable[[float], Any], nin: int, nouts: list[int]) -> None:
        self.layers = [
            [([scalar(random.uniform(-1, 1)) for _ in range(n)], scalar(0.0)) for _ in range(m)]
            for n, m in pairwise([nin, *nouts])
        ]

    def __call__(self, x: list[Any]) -> Any:
        """The score of one sample."""
        for layer in self.layers:
            x = [sum((wi * xi for wi, xi in zip(w, x, strict=True)), b) for w, b in layer]
            if layer is not self.layers[-1]:
                x = [act.relu() for act in x]
        return x[0]

    def parameters(self) -> list[Any]:
        """The weights and the bias of each neuron in turn."""
        return [p for layer in self.layers for w, b in layer for p in (*w, b)]

    def zero_grad(self) -> None:
        """Reset all gradients, in the way that is fastest in PyTorch."""
        for p in self.parameters():
            p.grad = None


def moons(samples: int) -> tuple[list[list[float]], list[int]]:
    """Two interleaving half circles with some noise, and the label of each point, -1 or 1."""
    draw = random.Random(SEED)
    points, labels = [], []
    for i in range(samples):
        angle, upper = math.pi * draw.random(), i % 2 == 0
        x, y = math.cos(angle), math.sin(angle)
        x, y = (x, y) if upper else (1 - x, 0.5 - y)
        points.append([x + draw.gauss(0, 0.1), y + draw.gauss(0, 0.1)])
        labels.append(-1 if upper else 1)
    return points, labels


class Collector:
    """Adds up the seconds that Python's garbage collector takes."""

    seconds = start = 0.0

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        """Called by `gc.callbacks`."""
        if phase == "start":
            self.start = perf_counter()
        else:
            self.seconds += perf_counter() - self.start


class Workbench:
    """An engine with its data: every public method is a command and returns numbers for JSON.

    Timings include Python's garbage collector, as in any program, and its share is reported, since
    it visits a large graph again and again. Freeing a graph is not timed.
    """

    def __init__(self, engine: Engine, samples: int) -> None:
        random.seed(SEED)
        self.engine = engine
        self.model = engine.network(*SIZES)
        self.points, self.labels = moons(samples)
        self.collector = Collector()
        gc.callbacks.append(self.collector)

    def _loss(self) -> Any:
        """The loss of Karpathy's notebook: a max-margin loss, and the squares of the parameters."""
        inputs = [list(map(self.engine.scalar, point)) for point in self.points]
        scores = list(map(self.model, inputs))
        losses = [(1 + -yi * score).relu() for yi, score in zip(self.labels, scores, strict=True)]
        squares = sum(p * p for p in self.model.parameters())
        return sum(losses) * (1.0 / len(losses)) + ALPHA * squares

    def _timed(self, build: Callable[[], Any]) -> Seconds:
        gc.collect()
        self.collector.seconds = 0.0
        start = perf_counter()
        root = build()
        middle = perf_counter()
        self.model.zero_grad()
        root.backward()
        end = perf_counter()
        return middle - start, end - middle, self.collector.seconds

    def step(self) -> Seconds:
        """The time of one step of training."""
        return self._timed(self._loss)

    def result(self) -> dict[str, Any]:
        """The loss, the gradient of every parameter and the number of nodes."""
        loss = self._loss()
        self.model.zero_grad()
        loss.backward()
        return {
            "loss": float(loss.data),
            "gradients": [float(p.grad) for p in self.model.parameters()],
            "nodes": self._count(loss),
        }

    def _count(self, root: Any) -> int:
        seen, unexplored = {root}, [root]
        while unexplored:
            new = set(self.engine.below(unexplored.pop())) - seen
            seen |= new
            unexplored += new
        return len(seen)

    def _chain(self, operations: int) -> Any:
        # With x = 1, every partial along the chain is 1, so no adjoint becomes 0, which would save
        # work. There is no tanh, because Karpathy's release does not have it.
        x = y = self.engine.scalar(1.0)
        for _ in range(operations // 4):
            y = (y * x + x).relu() * x
        return y

    def chain(self, operations: int) -> Seconds:
        """The time of a chain."""
        return self._timed(lambda: self._chain(operations))

    def memory(self, operations: int) -> float:
        """The bytes that a node of a chain holds before it is differentiated."""
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        root = self._chain(operations)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return (after - before) / self._count(root)

    def deepest(self) -> int:
        """The longest chain that a recursive engine can differentiate."""

        def fails(operations: int) -> bool:
            try:
                self.chain(operations)
            except RecursionError:
                return True
            return False

        return bisect_left(range(sys.getrecursionlimit()), True, key=fails) // 4 * 4 - 4


def serve(name: str, folder: str, samples: str) -> None:
    """Execute commands, one JSON list per line, until the input ends."""
    sys.path.insert(0, folder)
    workbench = Workbench(ENGINES[name](), int(samples))
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        print(json.dumps(getattr(workbench, command)(*arguments)), flush=True)


# ---------------------------------------------------------------------------------- in the main one


class Worker:
    """The process of an engine. Call it with a command to get the answer."""

    def __init__(self, name: str, folder: Path, samples: int) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", name, str(folder), str(samples)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *command: Any) -> Any:
        """The answer to a command and its arguments; RuntimeError if the process has ended."""
        with suppress(BrokenPipeError):  # the missing answer is noticed below
            print(json.dumps(command), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline() if self.process.stdout else ""
        if not answer:
            raise RuntimeError(f"the worker of {self.name} ended; its error stands above")
        return json.loads(answer)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


def find_peers(cache: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The folders of the peers that can run, and why the others cannot."""
    folder = cache / KARPATHY.replace("==", "-")
    peers, missing = {}, {}
    if not (folder / "micrograd").exists():
        options = "--quiet --disable-pip-version-check --no-deps --retries 1 --timeout 15".split()
        pip = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), KARPATHY]
        subprocess.run(pip, check=False, capture_output=True)
    if (folder / "micrograd").exists():
        peers["karpathy"] = folder
    else:
        missing["karpathy"] = f"pip could not install {KARPATHY}"
    if util.find_spec("torch"):
        peers["torch"] = ROOT
    else:
        missing["torch"] = "PyTorch is not installed"
    return peers, missing


def total(seconds: Seconds) -> float:
    """The time of forward and backward, which includes the garbage collector."""
    forward, backward, _ = seconds
    return forward + backward


def summary(times: Sequence[Seconds], unit: float = 1e-3) -> dict[str, dict[str, float]]:
    """Medians and minima, in milliseconds by default."""
    columns = {
        "forward": [forward for forward, _, _ in times],
        "backward": [backward for _, backward, _ in times],
        "total": list(map(total, times)),
        "collector": [collector for _, _, collector in times],
    }
    return {
        name: {"median": median(column) / unit, "minimum": min(column) / unit}
        for name, column in columns.items()
    }


def measure_steps(workers: dict[str, Worker], rounds: int) -> dict[str, Any]:
    """The standard step of each engine, with its ratios to ours, which comes first."""
    results = {
        name: worker("result") for name, worker in workers.items()
    }  # which also warms them up
    times: dict[str, list[Seconds]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            times[name].append(worker("step"))
    ours = summary(times["ours"])
    steps = {}
    for name, result in results.items():
        step = summary(times[name])
        pairs = zip(times[name], times["ours"], strict=True)
        steps[name] = {
            **step,
            "ratio": {
                "medians": step["total"]["median"] / ours["total"]["median"],
                "minima": step["total"]["minimum"] / ours["total"]["minimum"],
                "rounds": median(total(theirs) / total(our) for theirs, our in pairs),
            },
            "nodes": result["nodes"],
            "us_per_node": 1e3 * step["total"]["median"] / result["nodes"],
            "difference": difference(result, results["ours"]),
        }
    return steps


def difference(result: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference of the losses and gradients, relative for numbers above 1."""
    these: list[float] = [result["loss"], *result["gradients"]]
    those: list[float] = [other["loss"], *other["gradients"]]
    return max(abs(a - b) / max(1, abs(b)) for a, b in zip(these, those, strict=True))


def measure_chains(worker: Worker, lengths: Sequence[int], rounds: int) -> dict[str, Any]:
    """Nanoseconds per operation for building and differentiating chains, by length."""
    times: dict[int, list[Seconds]] = {length: [] for length in lengths}
    for _ in range(rounds):
        for length in lengths:
            times[length].append(worker("chain", length))
    return {str(length): summary(times[length], length * 1e-9) for length in lengths}


def flatness(chains: dict[str, Any]) -> dict[str, float]:
    """The cost of an operation at the most expensive length over that at the cheapest."""
    costs = [{phase: times["minimum"] for phase, times in cost.items()} for cost in chains.values()]
    columns = {
        "forward": [cost["forward"] for cost in costs],
        "backward": [cost["backward"] for cost in costs],
        "total without the collector": [cost["total"] - cost["collector"] for cost in costs],
    }
    return {name: max(column) / min(column) for name, column in columns.items()}


def measure_import(rounds: int) -> dict[str, float]:
    """Milliseconds that `import micrograd` adds to the start of Python."""

    def seconds(program: str) -> float:
        start = perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
        return perf_counter() - start

    seconds("import micrograd")  # writes the bytecode
    pairs = [(seconds("pass"), seconds("import micrograd")) for _ in range(rounds)]
    bare, full = zip(*pairs, strict=True)
    return {
        "median": 1e3 * median(long - short for short, long in pairs),
        "minimum": 1e3 * (min(full) - min(bare)),
        "bare": 1e3 * median(bare),
    }


def machine() -> dict[str, str]:
    """The processor, the system and the version of Python."""
    cpu, details = platform.processor(), Path("/proc/cpuinfo")
    if details.exists():
        for line in details.read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu or "unknown processor",
    }


# --------------------------------------------------------------------------------------- the tables


def print_table(title: str, *rows: Sequence[str]) -> None:
    """Print rows of text in aligned columns; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(f"\n{title}")
    for first, *rest in rows:
        cells = [text.rjust(width) for text, width in zip(rest, widths[1:], strict=True)]
        print("  ", first.ljust(widths[0]), "  ".join(cells), sep="  ")


def both(times: dict[str, float], digits: int = 1) -> str:
    """A median, with the minimum in brackets."""
    return f"{times['median']:.{digits}f} ({times['minimum']:.{digits}f})"


def report(results: dict[str, Any]) -> None:
    """Print everything that was measured; pairs of numbers are a median (and a minimum)."""
    names, steps = results["names"], results["steps"]
    print(", ".join(results["machine"].values()))
    print("median (minimum); ratios are relative to this engine")
    phases = "forward", "backward", "total", "collector"
    heads = "forward", "backward", "total", "collector's share"
    print_table(
        f"The standard step, {results['samples']} samples, {results['rounds']} rounds, ms",
        ("", *heads, "ratio", "by rounds", "nodes", "µs per node"),
        *(
            (
                names[name],
                *(both(step[phase]) for phase in phases),
                f"{step['ratio']['medians']:.2f} ({step['ratio']['minima']:.2f})",
                f"{step['ratio']['rounds']:.2f}",
                f"{step['nodes']}",
                f"{step['us_per_node']:.2f}",
            )
            for name, step in steps.items()
        ),
    )
    largest = max(step["difference"] for step in steps.values())
    if len(steps) > 1:
        print(f"    losses and gradients differ by {largest:.1e} at most")
    print_table(
        "Memory of a chain",
        ("", "bytes per node"),
        *((names[name], f"{size:.0f}") for name, size in results["memory"].items()),
    )
    print_table(
        "Chains, ns per operation",
        ("", "operations", *heads),
        *(
            (names[name], length, *(both(cost[phase], 0) for phase in phases))
            for name, chains in results["chains"].items()
            for length, cost in chains.items()
        ),
    )
    for phase, ratio in results["flatness"].items():
        print(f"    {phase}: slowest / fastest length = {ratio:.2f}")
    if "karpathy" in names:
        print("    longer chains raise RecursionError in Karpathy's")
    started = results["import"]
    print(f"\nimport micrograd: {both(started)} ms beyond the {started['bare']:.1f} ms of Python")
    for name, reason in results["skipped"].items():
        print(f"skipped: {name}, {reason}")


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and fail if the engines disagree."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rounds", type=int, help="steps of each engine (default 15)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see whether it runs")
    parser.add_argument("--no-peers", action="store_true", help="measure this engine alone")
    parser.add_argument("--peers", type=Path, default=CACHE, help=f"folder for {KARPATHY}")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the results to this file"
    )
    options = parser.parse_args(arguments)
    rounds, samples = (2, 10) if options.quick else (15, 100)
    if options.rounds is not None:
        rounds = options.rounds
    if rounds < 1:
        parser.error("--rounds is at least 1")
    lengths = [10**k for k in range(3, 5 if options.quick else 7)]
    peers, skipped = ({}, {}) if options.no_peers else find_peers(options.peers)
    names = {"ours": "this engine", "karpathy": f"Karpathy's {KARPATHY.replace('==', ' ')}"}
    if "torch" in peers:
        names["torch"] = f"PyTorch {metadata.version('torch')}, scalars"
    folders = {"ours": ROOT, **peers}

    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(name, folder, samples))
            for name, folder in folders.items()
        }
        steps = measure_steps(workers, rounds)
        pure = {name: worker for name, worker in workers.items() if name != "torch"}
        memory = {name: worker("memory", lengths[-1] // 10) for name, worker in pure.items()}
        chains = {"ours": measure_chains(workers["ours"], lengths, min(rounds, 5))}
        if "karpathy" in workers:
            survived = workers["karpathy"]("deepest")
            chains["karpathy"] = measure_chains(workers["karpathy"], [survived], min(rounds, 5))
    results = {
        "machine": machine(),
        "names": {name: names[name] for name in folders},
        "skipped": skipped,
        "samples": samples,
        "rounds": rounds,
        "steps": steps,
        "memory": memory,
        "chains": chains,
        "flatness": flatness(chains["ours"]),
        "import": measure_import(rounds),
    }
    report(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    # A gradient is a sum over the graph, and each of its terms may add one rounding error.
    for name, step in steps.items():
        if not step["difference"] <= step["nodes"] * sys.float_info.epsilon:
            raise SystemExit(f"{names[name]} disagrees with this engine: {step['difference']:.1e}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        serve(*sys.argv[2:])
    else:
        main()
