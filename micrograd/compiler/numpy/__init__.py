"""The executor that runs programs by NumPy."""
