"""gencode keys make|list|revoke"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from limits import parse_many

from gencode.auth.key_store import KeyOptions, KeyStore, StoredKey, StoredKeys, key_store, parse_timestamp
from gencode.bootstrap.extra_imports import cluster_module
from gencode.bootstrap.key_store_selection import stored_keys
from gencode.cli.output import write
from gencode.domain.errors import StartError
from gencode.domain.principal import LOCAL
from gencode.engine.quota import Period, Quota, parse_quota
from gencode.engine.quota_usage import Uses
from gencode.settings import load_database
from gencode.storage.sqlite.quota_usage import client_uses

MAX_RATE, MAX_RATE_SECONDS = 1_000_000, 366 * 24 * 3600
QUOTAS = "'100 tasks/day', '2000000 tokens/month' or '20.50 cost/month'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    make = verbs.add_parser("make", help="make a key for a client, and show it this once")
    make.add_argument("name", help="the client's; it sees the tasks of this name")
    _add_options(make)
    list_ = verbs.add_parser("list", help="list the keys that were made here; never the keys themselves")
    revoke = verbs.add_parser("revoke", help="end a key, its open streams and its tickets")
    revoke.add_argument("name", help="a client's name (all its keys), or the id of one key")
    for verb in (make, list_, revoke):
        verb.allow_abbrev = False
        verb.add_argument("--json", action="store_true", help="JSON for scripts")
        verb.add_argument("--data-dir", type=Path, help="the service's folder (DATA_DIR)")


def _add_options(make: argparse.ArgumentParser) -> None:
    make.add_argument("--label", default="", metavar="TEXT", help="for people: where the key is used")
    make.add_argument(
        "--rate",
        default="",
        type=_rate,
        help="submissions of the client in place of RATE_LIMIT, such as 10/minute",
    )
    make.add_argument(
        "--quota",
        action="append",
        default=[],
        type=_quota,
        metavar="QUOTA",
        help=f"what the client may use in a day or a month (UTC), such as {QUOTAS}; may be repeated",
    )
    make.add_argument(
        "--expires", metavar="DATE", help="the last day (UTC) of the key, such as 2030-01-31, or a timestamp"
    )
    make.add_argument(
        "--operator", action="store_true", help="the key may list, read and cancel the tasks of all clients"
    )


def _rate(text: str) -> str:
    """Checked here, not where keys are read: a key that an older version made with such a rate is valid."""
    if not text:
        return ""
    try:
        amounts = [(rate.amount, rate.get_expiry()) for rate in parse_many(text)]
    except ValueError:
        amounts = []
    if len(amounts) != 1 or not (1 <= amounts[0][0] <= MAX_RATE and 1 <= amounts[0][1] <= MAX_RATE_SECONDS):
        message = f"{text!r} is no rate: write one such as 10/minute, with 1 to {MAX_RATE} submissions"
        raise argparse.ArgumentTypeError(message)
    return text


def _quota(text: str) -> Quota:
    try:
        return parse_quota(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}: write one such as {QUOTAS}") from None


def run(args: argparse.Namespace) -> int:
    verbs = {"make": _make, "list": _list, "revoke": _revoke}
    return verbs[args.verb](args, _store(args))


def _store(args: argparse.Namespace) -> StoredKeys:
    """The store of keys: of the folder that the arguments name, else of the settings."""
    if args.data_dir:
        return key_store(args.data_dir.expanduser().absolute())
    return stored_keys(load_database())


def _make(args: argparse.Namespace, store: StoredKeys) -> int:
    is_first = store.version() is None
    key, stored = store.create(args.name, _options(args))
    write(args, {"key": key, **_document(stored)}, [key])
    if not args.json:
        print(
            f"This is the key of {stored.client}, shown this once; {store.place} keeps its hash.",
            file=sys.stderr,
        )
    if is_first and not args.json:
        print(_about_the_first_key(stored.client, store), file=sys.stderr)
    return 0


def _about_the_first_key(name: str, store: StoredKeys) -> str:
    wanted = (
        f"A service with {store.scope} wants a key from now on. Older tasks belong to the client {LOCAL.id}"
    )
    if name == LOCAL.id:
        return f"{wanted}; this key shows them."
    return (
        f"{wanted}; a key of that name shows them: gencode keys make local. To give them to {name}, stop the"
        f" service and run: gencode tasks assign --from local --to {name}"
    )


def parse_expiry(text: str) -> datetime:
    """Parses a date (the key expires at the end of that day, UTC) or an RFC 3339 timestamp. Raises StartError
    if it is not in the future."""
    try:
        expiry = parse_timestamp(text) if "T" in text.upper() else _end_of(date.fromisoformat(text))
    except (ValueError, OverflowError):
        raise StartError(f"{text!r} is no date such as 2030-01-31 or 2030-01-31T18:00:00Z") from None
    if expiry <= datetime.now(UTC):
        raise StartError(f"{text} is over: a key needs a date to come")
    return expiry


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _options(args: argparse.Namespace) -> KeyOptions:
    return KeyOptions(
        label=args.label,
        rate=args.rate,
        quotas=tuple(args.quota),
        expires_at=parse_expiry(args.expires) if args.expires else None,
        operator=args.operator,
    )


def _list(args: argparse.Namespace, store: StoredKeys) -> int:
    keys = store.read()
    uses, problem = _uses(store, keys)
    lines = [f"{key.id}  {key.created_at}  {'  '.join(_words(key, uses.get(key.client)))}" for key in keys]
    documents = [{**_document(key), "usage": _usage_document(uses.get(key.client))} for key in keys]
    write(args, {"keys": documents}, lines or [f"no keys in {store.place}"])
    if problem:
        print(f"what the clients have used is unknown: {problem}", file=sys.stderr)
    return 0


def _uses(store: StoredKeys, keys: Sequence[StoredKey]) -> tuple[Mapping[str, Uses], str]:
    """The uses by client; if they are unknown, none and the reason."""
    try:
        if isinstance(store, KeyStore):
            return client_uses(store.path.parent, [key.client for key in keys], datetime.now(UTC)), ""
        uses: Mapping[str, Uses] = cluster_module("gencode.bootstrap.database_api_keys").uses(
            store, keys, datetime.now(UTC)
        )
        return uses, ""
    except StartError as error:
        return {}, error.message


def _revoke(args: argparse.Namespace, store: StoredKeys) -> int:
    revoked = store.revoke(args.name)
    if not revoked:
        raise StartError(f"{store.place} has no key of this name or id; see: gencode keys list")
    write(
        args,
        {"revoked": [_document(key) for key in revoked]},
        [f"revoked {key.id} {key.client}" for key in revoked],
    )
    if not args.json and not store.read():
        print(
            f"No key is left here. A service with {store.scope} lets in only those of API_KEYS.",
            file=sys.stderr,
        )
    return 0


def _words(key: StoredKey, uses: Uses | None) -> Iterator[str]:
    options = key.options
    yield key.client
    if options.operator:
        yield "operator"
    if options.rate:
        yield options.rate
    for quota in options.quotas:
        yield f"{uses[quota.period].of(quota.unit):f} of {quota}" if uses else f"at most {quota}"
    if expires_at := options.to_json()["expires_at"]:
        yield f"{'expired' if options.has_expired() else 'expires'} {expires_at}"
    if options.label:
        yield f"({options.label})"
    if uses:
        use = uses[Period.MONTH]
        cost = "" if use.cost is None else f", cost {use.cost:f}"
        yield f"this month: {use.tasks} tasks, {use.tokens} tokens{cost}"


def _usage_document(uses: Uses | None) -> dict[str, Any] | None:
    """The client's use by period, for JSON; None if unknown."""
    if uses is None:
        return None
    return {
        str(period): {
            "tasks": use.tasks,
            "tokens": use.tokens,
            "cost": None if use.cost is None else f"{use.cost:f}",
        }
        for period, use in uses.items()
    }


def _document(key: StoredKey) -> dict[str, Any]:
    return {"id": key.id, **key.to_json(), **key.options.to_json()}
