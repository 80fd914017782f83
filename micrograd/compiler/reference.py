"""The reference executor: that of NumPy, where a factor of zero stops even an infinite one.

It computes the results that come out infinite or nan, and tests compare other executors with it.
"""

from __future__ import annotations

from micrograd.compiler.numpy.executor import NumpyExecutor


class ReferenceExecutor(NumpyExecutor):
    """Runs one program, as an `Executor` does; exact at infinities rather than fast."""

    stops = True
