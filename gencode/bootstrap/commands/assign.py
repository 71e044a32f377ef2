"""gencode tasks assign --from NAME --to NAME"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import anyio

from gencode.auth.key_store import StoredKeys, check_name, key_store
from gencode.bootstrap.extra_imports import cluster_module
from gencode.bootstrap.key_store_selection import stored_keys
from gencode.cli.output import printable, write
from gencode.domain.errors import DataDirLocked, StartError
from gencode.domain.principal import LOCAL, Principal
from gencode.settings import load_database
from gencode.storage.data_dir_lock import DATABASE, data_dir_lock
from gencode.storage.ownership_transfer_result import OwnershipTransfer
from gencode.storage.sqlite.ownership_transfer import owners, transfer_tasks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An additional verb of `gencode tasks`, which works on DATA_DIR and not over HTTP."""
    verbs = parser.add_subparsers(metavar="VERB", dest="verb")
    assign = verbs.add_parser(
        "assign", help="give all tasks of a client to another one, while the service is stopped"
    )
    assign.allow_abbrev = False
    assign.add_argument(
        "--from", dest="source", metavar="NAME", required=True, help="the present client, such as local"
    )
    assign.add_argument("--to", dest="target", metavar="NAME", required=True, help="the client of a key")
    assign.add_argument("--dry-run", action="store_true", help="only show what would change")
    assign.add_argument("--data-dir", type=Path, help="the service's folder (DATA_DIR)")
    assign.add_argument("--json", action="store_true", help="JSON for scripts")
    assign.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = load_database()
    data_dir = args.data_dir.expanduser().absolute() if args.data_dir else settings.data_dir
    target = _target(args)
    if args.data_dir is None and (dsn := settings.direct_dsn):
        made, keys = anyio.run(_assign_in_cluster, dsn, args, target), stored_keys(settings)
    else:
        made, keys = _assign_in_folder(data_dir, args, target), key_store(data_dir)
    _warn_without_key(args, keys)
    document = {"from": args.source, "to": args.target, "dry_run": args.dry_run, **asdict(made)}
    write(args, document, _lines(args, made))
    return 0


def _assign_in_folder(data_dir: Path, args: argparse.Namespace, target: Principal) -> OwnershipTransfer:
    file = data_dir / DATABASE
    if not file.is_file():
        raise StartError(f"{data_dir} holds no {DATABASE}: set DATA_DIR as the service has it")
    try:
        with data_dir_lock(data_dir):
            return _assign(file, args.source, target, dry_run=args.dry_run)
    except DataDirLocked as error:
        raise DataDirLocked(
            f"{error.message}. Tasks change their client only while the service is stopped"
        ) from None


async def _assign_in_cluster(dsn: str, args: argparse.Namespace, target: Principal) -> OwnershipTransfer:
    transfer = cluster_module("gencode.storage.postgres.ownership_transfer")
    if args.source.isprintable():
        made: OwnershipTransfer = await transfer.transfer_tasks(
            dsn, args.source, target, dry_run=args.dry_run
        )
        if made.tasks or made.idempotency_keys:
            return made
    raise _no_tasks(args.source, await transfer.owners(dsn))


def _target(args: argparse.Namespace) -> Principal:
    """The client that gets the tasks. Raises StartError for a name that no key can have."""
    check_name(args.target)
    if args.source == args.target:
        raise StartError("--from and --to name the same client: name two")
    return LOCAL if args.target == LOCAL.id else Principal(id=args.target)


def _assign(file: Path, source: str, target: Principal, *, dry_run: bool) -> OwnershipTransfer:
    """Transfers the tasks. Raises StartError for a client without tasks: its name is probably a mistake."""
    if source.isprintable():
        made = transfer_tasks(file, source, target, dry_run=dry_run)
        if made.tasks or made.idempotency_keys:
            return made
    raise _no_tasks(source, owners(file))


def _no_tasks(source: str, known: Mapping[str, int]) -> StartError:
    listed = ", ".join(f"{name} ({count})" for name, count in known.items())
    return StartError(f"the client {source!r} has no tasks; clients that have some: {listed or 'none'}")


def _warn_without_key(args: argparse.Namespace, keys: StoredKeys) -> None:
    has_key = any(key.client == args.target for key in keys.read())
    if not args.json and not has_key and args.target != LOCAL.id:
        print(
            f"{args.target} has no key in {keys.scope}: unless it has one in API_KEYS, make one with:"
            f" gencode keys make {args.target}",
            file=sys.stderr,
        )


def _lines(args: argparse.Namespace, made: OwnershipTransfer) -> Iterator[str]:
    verb = "would belong" if args.dry_run else "belong"
    yield printable(
        f"{made.tasks} tasks of {args.source}, {made.callbacks} callbacks and {made.idempotency_keys}"
        f" idempotency keys {verb} to {args.target} now"
    )
    if made.dropped_keys:
        yield f"{made.dropped_keys} of these keys were used by {args.target} itself and name its own tasks"
