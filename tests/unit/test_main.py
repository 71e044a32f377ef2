from __future__ import annotations

import runpy
from pathlib import Path

import gencode


def test_a_worker_process_that_loads_the_program_does_not_start_it() -> None:
    """As anyio's workers do, which the checks of grammars run in."""
    program = Path(gencode.__file__).with_name("__main__.py")
    assert "main" in runpy.run_path(str(program), run_name="__mp_main__")
