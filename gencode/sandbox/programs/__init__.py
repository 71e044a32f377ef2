"""What programs that judge others in a sandbox share. They are copied there as texts and use the standard
library only; Python 3.8 or later. Nothing of the service imports them."""

from __future__ import annotations

from pathlib import Path

_PROCESSES = "gencode_processes.py"


def shared_programs() -> dict[str, bytes]:
    """Texts by the name of the file."""
    return {_PROCESSES: (Path(__file__).parent / _PROCESSES).read_bytes()}
