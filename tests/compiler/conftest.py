"""The backends, which the tests of the compiler loop over."""

import pytest

from micrograd.compiler.executor import BACKENDS, load

EACH = [
    pytest.param(name, marks=pytest.mark.slow) if name == "jax" else name  # XLA compiles slowly
    for name in BACKENDS
]


@pytest.fixture(params=EACH, scope="module")
def backend(request):
    """Each backend in turn; those that are not installed are skipped."""
    try:
        load(request.param)
    except ImportError as error:
        pytest.skip(str(error))
    return request.param
