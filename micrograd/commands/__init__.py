"""The command line, `micrograd`: one module for each group of commands."""
