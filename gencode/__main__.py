from __future__ import annotations

import sys

from gencode.cli import main

sys.exit(main())
