"""The command line: `python -m micrograd`, or `micrograd` where the package is installed."""

import sys

from micrograd.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
