"""The backends, which the tests of the compiler loop over."""

from functools import partial

import pytest

from micrograd.compiler.executor import BACKENDS, load

QUICK = [name for name in BACKENDS if name != "jax"]
EACH = [*QUICK, pytest.param("jax", marks=pytest.mark.slow)]  # XLA takes seconds to compile


@pytest.fixture(params=EACH, scope="module")
def backend(request):
    """Each backend in turn; those that are not installed are skipped."""
    try:
        load(request.param)
    except ImportError as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture
def quick_xla(backend, monkeypatch):
    """Compile large graphs without the optimizations of LLVM, which take most of XLA's time.

    XLA's own rewriting of formulas is the same.
    """
    if backend == "jax":
        import jax

        quick = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
        monkeypatch.setattr(jax, "jit", quick)
