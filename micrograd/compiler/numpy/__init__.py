"""The executor that runs programs in NumPy."""
