"""gencode build-environments prepare, list"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from gencode.certification.environments import (
    FOLDER,
    Environment,
    prepare_environment,
    prepared_environment,
)
from gencode.certification.lock_files import official_locks
from gencode.cli.output import write
from gencode.settings import load_data_dir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    for name, help_text in (
        ("prepare", "install what the lock files of rendered projects name (needs the package indexes)"),
        ("list", "show which environments are there; exit status 1 if one is missing"),
    ):
        verb = verbs.add_parser(name, help=help_text)
        verb.allow_abbrev = False
        verb.add_argument(
            "template_sets",
            nargs="*",
            type=_template_set,
            metavar="TEMPLATE_SET",
            help=f"{', '.join(official_locks())} (default: all)",
        )
        verb.add_argument("--json", action="store_true", help="JSON for scripts")
        verb.add_argument("--data-dir", type=Path, help="the service's folder (DATA_DIR)")


def _template_set(name: str) -> str:
    if name not in official_locks():
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(official_locks())}")
    return name


def run(args: argparse.Namespace) -> int:
    data_dir = args.data_dir.expanduser().absolute() if args.data_dir else load_data_dir()
    folder = data_dir / FOLDER
    look = prepare_environment if args.verb == "prepare" else prepared_environment
    names = args.template_sets or official_locks()
    found = {name: look(folder, official_locks()[name]) for name in names}
    documents = [_document(name, one) for name, one in found.items()]
    write(args, {"environments": documents}, _lines(found.items()))
    return 0 if all(found.values()) else 1


def _document(name: str, environment: Environment | None) -> dict[str, object]:
    folder = str(environment.folder) if environment else None
    return {"template_set": name, "folder": folder, "versions": environment.versions if environment else {}}


def _lines(found: Iterable[tuple[str, Environment | None]]) -> Iterable[str]:
    for name, environment in found:
        place = f"{environment.folder}  {len(environment.versions)} packages" if environment else "missing"
        yield f"{name}  {place}"
