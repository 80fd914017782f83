"""All workloads, in the order of the table."""

from benchmarks.workloads import learning, dynamics, numerics, chance, geometry  # noqa: F401, I001
from benchmarks.workloads.workload import ALL

__all__ = ["ALL"]
