"""gencode demo"""

from __future__ import annotations

import argparse

from gencode.bootstrap.demo import demo
from gencode.settings import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds no arguments: all settings come from the environment."""


def run(_args: argparse.Namespace) -> int:
    return demo(load())
