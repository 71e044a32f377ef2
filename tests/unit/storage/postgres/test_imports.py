from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import gencode.bootstrap.app, gencode.bootstrap.command_registry, gencode.bootstrap.serve
import gencode.storage.sqlite.store
drivers = {"psycopg", "psycopg_binary", "procrastinate"}
print([name for name in sys.modules if name.partition(".")[0] in drivers])
"""


def test_the_service_on_sqlite_imports_no_driver_of_postgres() -> None:
    """It costs memory and time at the start, and is installed with the extra `cluster` only."""
    printed = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
