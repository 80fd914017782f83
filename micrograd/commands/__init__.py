"""The command line, `micrograd`: one module for each command, with its options and its work."""
