"""A cluster is upgraded while it works: processes of two versions with the same tables share the tasks."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import psycopg
import pytest

from gencode import __version__
from gencode.bootstrap.application_name import parsed_name
from tests.servers.calls import FILES, submit
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import ROOT, Service, environment
from tests.servers.stream import events, subscribed

WEB, WORKER = ("gencode", "serve", "--role", "web"), ("gencode", "worker")
NEWER = "99.0.0"


def copied(folder: Path) -> Path:
    """This gencode with another version number."""
    shutil.copytree(ROOT / "gencode", folder / "gencode", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "gencode" / "__init__.py"
    text = file.read_text(encoding="utf-8")
    assert f'"{__version__}"' in text
    file.write_text(text.replace(f'"{__version__}"', f'"{NEWER}"'), encoding="utf-8")
    return folder


@asynccontextmanager
async def running(folder: Path, module: tuple[str, ...], variables: dict[str, str]) -> AsyncIterator[Service]:
    folder.mkdir()
    process = Service(folder, variables, module=module)
    try:
        await process.start()
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await process.close()


@pytest.mark.long
async def test_tasks_go_on_while_all_processes_are_replaced(tmp_path: Path, postgres: str) -> None:
    """The old worker is stopped in the middle of a model call, which is the only one that is repeated."""
    gates = {path: anyio.Event() for path in ("", *FILES)}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        github_server(tmp_path / "github") as github,
    ):
        old = environment(model, github, DATABASE_URL=postgres, WORKER_STALE_SECONDS="4")
        new = {**old, "PYTHONPATH": f"{copied(tmp_path / 'new')}:{ROOT}"}
        async with (
            running(tmp_path / "web", WEB, old) as web,
            running(tmp_path / "worker", WORKER, old) as worker,
        ):
            task_id = await submit(web.url)
            async with subscribed(web.url, task_id) as stream:
                gates[""].set()
                await model.arrival("file", next(iter(FILES)))
                async with (
                    running(tmp_path / "web of the new version", WEB, new) as new_web,
                    running(tmp_path / "worker of the new version", WORKER, new),
                ):
                    assert await versions(postgres) == {__version__, NEWER}
                    assert await worker.terminate() == 0
                    for gate in gates.values():
                        gate.set()
                    heard = await stream.rest()
                    assert await web.terminate() == 0
                    again = await events(new_web.url, task_id)
    ids = [event.id for event in heard]
    assert ids == list(range(1, len(ids) + 1)) == [event.id for event in again]
    assert heard[-1].data["status"] == "completed"
    assert model.completed["plan", ""] == 1


async def versions(dsn: str) -> set[str]:
    """Of the processes on the database."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        rows = await connection.execute(
            "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
        )
        names = [parsed_name(name) for (name,) in await rows.fetchall()]
    return {name.version for name in names if name}
