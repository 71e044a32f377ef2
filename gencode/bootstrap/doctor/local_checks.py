"""Checks of this machine: DATA_DIR, its lock, disk space, the database, the port, and API keys."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import getproxies_environment

import httpx

from gencode.bootstrap.doctor.check_result import CheckResult, fault, note, ok
from gencode.bootstrap.key_store_selection import stored_keys
from gencode.domain.errors import DataDirLocked, StartError
from gencode.githosts.http_client import exchange
from gencode.githosts.responses import json_object
from gencode.security.redaction import MIN_SECRET_LENGTH
from gencode.settings import Settings
from gencode.storage.data_dir_lock import RETRIEVAL_DATABASE, data_dir_lock
from gencode.storage.sqlite.database_copy import CopyFailed, copy_database

DATABASE = "gencode.db"
HEALTH_TIMEOUT, MAX_HEALTH = 10.0, 64 * 1024
"""Seconds for the answer of the port, and bytes of it: another program may listen there."""
LOW_SPACE, TOO_LITTLE_SPACE = 2**30, 64 * 2**20
"""Bytes free. A task stores a few MiB, and SQLite's write-ahead log may grow to 16 MiB."""


def check_data_dir(path: Path) -> Iterator[CheckResult]:
    """Whether DATA_DIR can be written to, or created. Does not create it."""
    about = "DATA_DIR"
    if not path.exists():
        above = next(parent for parent in path.parents if parent.exists())
        if os.access(above, os.W_OK | os.X_OK):
            yield ok(about, f"{path} will be made at the first start")
        else:
            advice = (
                f"make it for the service's user, or set DATA_DIR to a folder below one that {_user()} owns"
            )
            yield fault(about, f"{path} is not there and cannot be made in {above}", advice)
        return
    try:
        with TemporaryDirectory(dir=path, prefix=".doctor-"):
            pass
    except OSError as error:
        advice = f"give it to the user that runs the service (this is {_user()}), or set another DATA_DIR"
        yield fault(about, f"{path} cannot be written to: {error.strerror}", advice)
        return
    yield ok(about, f"{path} can be written to")
    if path.stat().st_mode & 0o077:
        yield note(about, "other users of this machine may look into it", f"chmod 700 {path}")
    yield _check_disk_space(path)


def _check_disk_space(path: Path) -> CheckResult:
    free = shutil.disk_usage(path).free
    detail = f"{free / 2**30:.1f} GiB are free"
    if free < TOO_LITTLE_SPACE:
        return fault("disk", detail, "make room: when the disk is full, tasks stop until there is")
    if free < LOW_SPACE:
        return note("disk", detail, "make room before long")
    return ok("disk", detail)


def lock_holder(path: Path) -> str:
    """The message of the lock error if a running service uses DATA_DIR, else an empty string."""
    if not (path / "lock").exists():
        return ""
    try:
        with data_dir_lock(path):
            return ""
    except DataDirLocked as error:
        return error.message
    except StartError:
        return ""


def check_database(path: Path) -> CheckResult:
    """Check every page of a copy of the database; works while the service runs."""
    database = path / DATABASE
    if not database.is_file():
        return ok("store", "none yet; it is made at the first start")
    size = database.stat().st_size
    if shutil.disk_usage(path).free < 2 * size + TOO_LITTLE_SPACE:
        return note("store", "there is no room for the copy that a check needs", "make room and look again")
    try:
        with TemporaryDirectory(dir=path, prefix=".doctor-") as temporary:
            for name in filter(lambda name: (path / name).exists(), (DATABASE, RETRIEVAL_DATABASE)):
                copy_database(path, name, Path(temporary, name))
    except CopyFailed as error:
        return fault("store", str(error), "restore a backup (gencode restore), or move the file away")
    except OSError as error:
        return note("store", f"it could not be copied for the check: {error.strerror}", "see DATA_DIR")
    return ok("store", f"{size / 2**20:.1f} MiB, every page is in order")


def check_api_keys(settings: Settings) -> CheckResult:
    """Count the API keys, in API_KEYS and made by `gencode keys`."""
    try:
        store = stored_keys(settings)
        keys = store.read()
    except StartError as error:
        return fault("keys", error.message, "until then keys made by gencode keys are rejected")
    made = len([key for key in keys if not key.options.has_expired()])
    given = len([entry for entry in settings.api_keys.get_secret_value().split(",") if entry.strip()])
    is_required = bool(given) or store.version() is not None
    if is_required and not given + made:
        return note("keys", "none is left or valid, so every request is rejected", "gencode keys make NAME")
    if is_required:
        return ok("keys", f"{given} in API_KEYS, {made} made by gencode keys, {len(keys) - made} expired")
    if settings.auth == "none":
        return note("keys", "none, and AUTH=none", "see that only trusted programs reach the address")
    return ok("keys", "none: only this machine is served")


def check_secrets(settings: Settings) -> CheckResult:
    """Whether each secret is long enough to be recognised in other text."""
    if not (short := settings.short_secrets()):
        return ok("secrets", "each that is set is long enough to be kept out of logs and files")
    detail = f"{', '.join(short)}: shorter than {MIN_SECRET_LENGTH} characters"
    return note("secrets", f"{detail}, so not removed from logs and messages", "use a longer key")


def check_proxy(settings: Settings) -> Iterator[CheckResult]:
    """Show through which proxy outbound requests go, or that the environment names one that is not used."""
    if settings.ca_bundle:
        yield ok("certificates", f"those of {settings.ca_bundle} are trusted, and the public ones")
    for scheme, url in settings.proxies.by_scheme.items():
        proxy = url.rpartition("@")[2].removeprefix("http://").rstrip("/")
        yield ok("proxy", f"{scheme} requests go through {proxy}, except to loopback and NO_PROXY")
    if not settings.proxies.by_scheme and getproxies_environment().keys() & {"http", "https", "all"}:
        message = "HTTPS_PROXY or HTTP_PROXY is set, and not used"
        yield note("proxy", message, "to use it, set OUTBOUND_PROXY=environment")


async def check_port(settings: Settings, running: str, client: httpx.AsyncClient) -> CheckResult:
    """Whether the port is free, or answered by the service that uses DATA_DIR. `running`: `lock_holder`."""
    listen_address = f"{settings.server_host} port {settings.server_port}"
    if settings.server_port and (running or settings.database_url.get_secret_value()):
        if tasks := await _tasks_of_service(settings, client):
            return ok("port", f"gencode answers at {listen_address}: {tasks}")
        if running:
            return note("port", f"a service uses the folder, but none answers at {listen_address}", running)
    if reason := _cannot_listen(settings.server_host, settings.server_port):
        if await _tasks_of_service(settings, client):
            advice = "run this with the settings of that service, or set another SERVER_PORT for a new one"
            return fault("port", f"a gencode with another DATA_DIR answers at {listen_address}", advice)
        advice = "stop what listens there, or set SERVER_PORT (and SERVER_HOST)"
        return fault("port", f"cannot listen on {listen_address}: {reason}", advice)
    return ok("port", f"{listen_address} is free")


async def _tasks_of_service(settings: Settings, client: httpx.AsyncClient) -> str:
    """How many run and wait; "" if no gencode answers."""
    address = f"http://{_client_address(settings.server_host)}:{settings.server_port}/health"
    try:
        reply = await exchange(client, client.build_request("GET", address), HEALTH_TIMEOUT, MAX_HEALTH)
        health = json_object(reply) or {}
        return f"{health['running']} tasks run, {health['waiting']} wait"
    except (httpx.HTTPError, KeyError):
        return ""


def _cannot_listen(host: str, number: int) -> str:
    """The reason; "" if the port is free."""
    try:
        family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, number), family=family).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _client_address(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _user() -> str:
    return f"user {os.geteuid()}"
