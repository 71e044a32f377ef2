"""gencode serve"""

from __future__ import annotations

import argparse

from gencode.bootstrap.serve import serve
from gencode.settings import load


def arguments(parser: argparse.ArgumentParser) -> None:
    """None: the environment says it all."""


def run(_chosen: argparse.Namespace) -> None:
    serve(load())
