"""The backends, which the tests of the compiler loop over."""

import pytest

from micrograd.compiler.executor import BACKENDS, load

QUICK = [name for name in BACKENDS if name != "jax"]
# XLA takes about a second to compile a function.
EACH = [*QUICK, pytest.param("jax", marks=pytest.mark.exhaustive)]


@pytest.fixture(params=EACH, scope="module")
def backend(request):
    """Each backend in turn; those that are not installed are skipped."""
    try:
        load(request.param)
    except ImportError as error:
        pytest.skip(str(error))
    return request.param
