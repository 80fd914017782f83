"""One thread on one core. Nothing that computes may be imported before `limit` is called."""

from __future__ import annotations

import os


def limit() -> None:
    """Limit NumPy and XLA, in double precision, to one thread, and this process to one core.

    The clock of a process counts a thread on another core late: some calls of JAX, which computes
    in a thread of its own, then seem to take a third of their time.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    os.environ["NPROC"] = "1"  # for the threads of XLA that ignore the flag
    os.environ["JAX_ENABLE_X64"] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
