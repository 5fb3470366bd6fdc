"""`python -m hanbeon`: the same command line as `hanbeon`."""

import sys

from hanbeon.cli import main

if __name__ == "__main__":
    sys.exit(main())
