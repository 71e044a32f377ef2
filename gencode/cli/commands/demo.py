"""gencode demo"""

from __future__ import annotations

import argparse

from gencode.bootstrap.demo import demo
from gencode.settings import load


def arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_chosen: argparse.Namespace) -> int:
    return demo(load())
