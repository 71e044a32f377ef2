"""`import gencode` is cheap, and gives what it promises."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gencode


def test_importing_the_package_imports_nothing_else() -> None:
    program = (
        "import sys; before = set(sys.modules); import gencode; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names == {"gencode"}
    assert "gencode." not in done.stdout


def test_the_client_needs_none_of_the_service() -> None:
    program = "import sys, gencode; gencode.Client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"starlette", "uvicorn", "pydantic", "dulwich", "aiohttp", "mcp"} & set(done.stdout.split())


@pytest.mark.parametrize("name", gencode.__all__)
def test_each_promised_name_is_there(name: str) -> None:
    assert name in dir(gencode)
    assert callable(getattr(gencode, name))


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = gencode.nothing  # type: ignore[attr-defined]
