"""The executor that runs programs by JAX."""
