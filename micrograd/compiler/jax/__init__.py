"""The executor that runs programs in JAX."""
