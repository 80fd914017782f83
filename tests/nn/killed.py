"""Kill processes while they save, and check what they leave: `python -m tests.nn.killed 1000`.

Before that, one process is killed before and one after each step of a save. Prints a line of JSON:
the number of processes killed, the number of these that left a temporary file (they were killed
during a save), the most such files at one time, and the number of states that were read back.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from nn.storage import load_checkpoint, save_checkpoint


def checkpoint(number):
    return {"number": number, "weights": np.full(100_000, number)}


def load(path):
    """The number of the checkpoint, which must be complete."""
    found = load_checkpoint(path)
    assert (found["weights"] == found["number"]).all()
    return found["number"]


def child(work):
    process = os.fork()
    if not process:
        try:
            work()
        finally:
            os._exit(1)
    return process


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def save_for_ever(path, first):
    states = [checkpoint(first + i) for i in range(4)]
    while True:
        for state in states:
            save_checkpoint(path, state)


def killed_at_each_step(path):
    """One killed before, and one after, each call that changes the disk."""
    names = ("open", "chmod", "fsync", "replace", "close")
    for name in names:
        for after in (False, True):
            save_checkpoint(path, checkpoint(0))

            def work(name=name, after=after):
                call = getattr(os, name)

                def last(*arguments, **options):
                    if after:
                        call(*arguments, **options)
                    die()

                setattr(os, name, last)
                save_checkpoint(path, checkpoint(1))

            _, status = os.waitpid(child(work), 0)
            assert os.WTERMSIG(status) == signal.SIGKILL, f"os.{name} is not called"
            replaced = names.index(name) + after > names.index("replace")
            assert load(path) == replaced, f"killed {'after' if after else 'before'} os.{name}"


def killed_at_random(path, kills):
    counts = {"kills": kills, "within a save": 0, "most files left": 0}
    save_checkpoint(path, checkpoint(-1))
    start = time.perf_counter()
    save_checkpoint(path, checkpoint(-1))
    duration = time.perf_counter() - start
    draw, seen = random.Random(0), {-1}
    for kill in range(kills):
        process = child(lambda first=4 * kill: save_for_ever(path, first))
        time.sleep(draw.uniform(0, 6 * duration))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        number = load(path)
        assert number >= max(seen) - 3, "an old file came back"
        seen.add(number)
        left = len(os.listdir(path.parent)) - 1
        counts["within a save"] += left > 0
        counts["most files left"] = max(counts["most files left"], left)
    return {**counts, "states read back": len(seen)}


def main(kills):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.npz")
        killed_at_each_step(path)
        counts = killed_at_random(path, kills)
        save_checkpoint(path, checkpoint(0))
        assert os.listdir(folder) == ["model.npz"], "what killed processes left was not removed"
    print(json.dumps(counts))


if __name__ == "__main__":
    main(int(sys.argv[1]))
