"""What commands print: lines for people, or the service's own JSON for scripts."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from gencode.cli.display.printable import as_json, printable


def show(chosen: argparse.Namespace, document: Any, lines: Iterable[str]) -> None:
    if chosen.json:
        print(as_json(document), flush=True)
    else:
        for line in lines:
            print(printable(line), flush=True)
