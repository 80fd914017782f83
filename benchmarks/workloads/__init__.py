"""Workloads of many kinds, each also written by hand for JAX; `python -m benchmarks.workloads`.

- `workload` defines what a workload is and how each engine runs it.
- `learning`, `dynamics`, `numerics`, `chance` and `geometry` have the workloads.
- `loops` has the loops of JAX.
- `catalogue` has all of them; `measuring` compares them, prints the table and draws it.
"""
