"""`python -m gencode`."""

from __future__ import annotations

import sys

from gencode.bootstrap.command_registry import main

if __name__ == "__main__":  # a worker process imports this module, too, under another name
    sys.exit(main())
