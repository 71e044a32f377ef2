"""Imports every module of errors, so that a test of all classes does not depend on what others import."""

from __future__ import annotations

from importlib import import_module

from tests.servers.service import ROOT


def import_all_errors() -> None:
    for path in sorted((ROOT / "gencode").rglob("errors.py")):
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
