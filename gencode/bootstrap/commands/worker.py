"""gencode worker"""

from __future__ import annotations

import argparse

from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.serve import serve
from gencode.settings import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds no arguments: all settings come from the environment."""


def run(_args: argparse.Namespace) -> None:
    serve(load(), role=Role.WORKER)
