"""A service that has just become ready has not imported what only later requests and tasks need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import pathlib, sys
from gencode.bootstrap.command_registry import REGISTRY
from gencode.cli.main import _imported
_imported(REGISTRY.commands["serve"].module)
import anyio
from gencode.bootstrap.app import create_app

async def main():
    app = create_app()
    async with app.router.lifespan_context(app):
        pathlib.Path('modules').write_text('\\n'.join(sys.modules))

anyio.run(main)
"""
LATER = {
    "aiohttp": "the first request to a model or a Git host",
    "doctest": "the offline model",
    "dulwich": "the first push",
    "gencode.cli.display": "commands that show tasks",
    "gencode.client": "commands that call a service",
    "gencode.embedded.forge.app": "the first request to the local forge",
    "gencode.embedded.offline.app": "the first request to the offline model",
    "mcp": "the first assistant that calls",
    "pygments": "commands that show tasks",
    "rich": "commands that show tasks",
    "opentelemetry": "traces, if an endpoint is set",
    "rapidfuzz": "PROMPT_CACHE=similar",
    "tree_sitter": "processes that check files",
    "unittest": "nothing of the service",
    "yaml": "processes that check files",
    "sqlalchemy": "the workspace",
}
"""Modules, and what imports them."""
NEEDED_IN_WORKSPACE = {"dulwich", "sqlalchemy", "tree_sitter"}
LATER_IN_WORKSPACE = {
    "alembic": "tables of another version",
    "gencode.blueprints.rendering": "the first project of a blueprint",
    "jinja2": "the first project of a blueprint",
    "numpy": "the first index of a knowledge base",
    "pdfplumber": "processes that read documents",
    "rapidfuzz": "the first comparison of two texts",
    "semantic_text_splitter": "the first index of a knowledge base",
    "tree_sitter_python": "processes that check files",
}


def imported_at_start(data_dir: Path, **settings: str) -> set[str]:
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment |= {"DATA_DIR": str(data_dir), "SERVER_PORT": "0", "LOG_LEVEL": "ERROR", **settings}
    command = [sys.executable, "-c", CODE]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment, cwd=data_dir)
    return set((data_dir / "modules").read_text(encoding="utf-8").split())


def test_the_core_starts_without_what_is_needed_later(tmp_path: Path) -> None:
    found = imported_at_start(tmp_path)
    assert "gencode.storage.sqlite.store" in found
    assert sorted(LATER.keys() & found) == []


@pytest.mark.campaign
def test_the_workspace_starts_without_what_is_needed_later(tmp_path: Path) -> None:
    imported_at_start(tmp_path, WORKSPACE="true")  # makes the tables
    found = imported_at_start(tmp_path, WORKSPACE="true")
    assert "sqlalchemy" in found
    assert sorted((LATER_IN_WORKSPACE.keys() | LATER.keys() - NEEDED_IN_WORKSPACE) & found) == []
