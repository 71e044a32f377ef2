"""gencode keys make|list|revoke"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from gencode.auth.key_file import KeyFile, StoredKey, key_file
from gencode.cli.output import show
from gencode.domain.errors import StartError
from gencode.settings import load_data_dir


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    make = verbs.add_parser("make", help="make a key for a client, and show it this once")
    make.add_argument("name", help="the client's; it sees the tasks of this name")
    shown = verbs.add_parser("list", help="list the keys that were made here; never the keys themselves")
    revoke = verbs.add_parser("revoke", help="end a key, its open streams and its tickets")
    revoke.add_argument("name", help="a client's name (all its keys), or the id of one key")
    for verb in (make, shown, revoke):
        verb.allow_abbrev = False
        verb.add_argument("--json", action="store_true", help="JSON for scripts")
        verb.add_argument("--data-dir", type=Path, help="the service's folder (DATA_DIR)")


def run(chosen: argparse.Namespace) -> int:
    folder = chosen.data_dir.expanduser().absolute() if chosen.data_dir else load_data_dir()
    verbs = {"make": _make, "list": _list, "revoke": _revoke}
    return verbs[chosen.verb](chosen, key_file(folder))


def _make(chosen: argparse.Namespace, file: KeyFile) -> int:
    first = file.version() is None
    key, made = file.make(chosen.name)
    show(chosen, {"key": key, **_document(made)}, [key])
    if not chosen.json:
        print(
            f"This is the key of {made.name}, shown this once; {file.path} keeps its hash.", file=sys.stderr
        )
    if first and not chosen.json:
        print("A service with this folder wants a key from now on.", file=sys.stderr)
    return 0


def _list(chosen: argparse.Namespace, file: KeyFile) -> int:
    keys = file.read()
    lines = [f"{key.id}  {key.created_at}  {key.name}" for key in keys]
    show(chosen, {"keys": [_document(key) for key in keys]}, lines or [f"no keys in {file.path}"])
    return 0


def _revoke(chosen: argparse.Namespace, file: KeyFile) -> int:
    gone = file.revoke(chosen.name)
    if not gone:
        raise StartError(f"{file.path} has no key of this name or id; see: gencode keys list")
    show(
        chosen,
        {"revoked": [_document(key) for key in gone]},
        [f"revoked {key.id} {key.name}" for key in gone],
    )
    if not chosen.json and not file.read():
        print(
            "No key is left here. A service with this folder lets in only those of API_KEYS.", file=sys.stderr
        )
    return 0


def _document(key: StoredKey) -> dict[str, str]:
    return {"id": key.id, **asdict(key)}
