"""The backends, which the tests of the compiler loop over."""

import pytest

from micrograd.compiler.executor import BACKENDS, load

QUICK = [name for name in BACKENDS if name != "jax"]
# XLA takes about a second to compile a function.
EACH = [*QUICK, pytest.param("jax", marks=pytest.mark.exhaustive)]


def installed(backend):
    """The backend; the test is skipped if it is not installed."""
    try:
        load(backend)
    except ImportError as error:
        pytest.skip(str(error))
    return backend


@pytest.fixture(params=EACH, scope="module")
def backend(request):
    """Each backend in turn; those that are not installed are skipped."""
    return installed(request.param)
