"""`gencode doctor` with DATABASE_URL: what it finds of a database and of the processes on it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import psycopg
import pytest
from pydantic import SecretStr

from gencode import __version__
from gencode.bootstrap import application_name
from gencode.bootstrap.app import build_app
from gencode.bootstrap.application_name import MAX_LENGTH, parsed_name, process_name
from gencode.bootstrap.doctor import cluster_checks
from gencode.bootstrap.doctor.check_result import CheckResult
from gencode.bootstrap.doctor.cluster_checks import check_cluster
from gencode.bootstrap.process_roles import Role
from gencode.domain.errors import StartError
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings
from gencode.storage.postgres import migrations
from gencode.storage.postgres.schema import VERSION
from tests.servers.command import gencode
from tests.servers.ports import closed_port
from tests.servers.service import service, settings
from tests.unit.bootstrap.test_process_roles import disk

pytestmark = pytest.mark.one_process("it has a database of its own")

Find = Callable[..., Any]


def configured(folder: Path, dsn: str, **fields: Any) -> Settings:
    folder.mkdir(exist_ok=True)
    return settings(folder, database_url=SecretStr(dsn), hosts=disk(folder), **fields)


async def found(checked: Settings) -> dict[str, CheckResult]:
    return {result.about: result async for result in check_cluster(checked)}


@asynccontextmanager
async def running(folder: Path, dsn: str, role: Role, **fields: Any) -> AsyncIterator[None]:
    app = build_app(configured(folder, dsn, **fields), SecretRegistry([]), role=role)
    async with app.router.lifespan_context(app):
        yield


async def run(dsn: str, sql: str) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute(sql.encode())
        return await cursor.fetchall() if cursor.description else []


async def test_an_empty_database_is_in_order_and_stays_empty(tmp_path: Path, postgres: str) -> None:
    results = await found(configured(tmp_path, postgres))
    assert {about: result.state for about, result in results.items()} == {
        "database": "ok",
        "tables": "ok",
        "notifications": "ok",
    }
    assert await run(postgres, "SELECT 1 FROM pg_namespace WHERE nspname = 'gencode'") == []


async def test_the_command_shows_it_and_names_no_password(tmp_path: Path) -> None:
    url = "postgresql://somebody:very-secret-word@127.0.0.1:1/nothing"
    variables = {"DATABASE_URL": url, "SERVER_PORT": str(closed_port())}
    said = await gencode("doctor", data_dir=tmp_path / "data", status=1, settings=variables)
    assert "fault  database" in said
    assert "very-secret-word" not in said


async def test_it_disturbs_no_running_process(tmp_path: Path, postgres: str) -> None:
    async with service(tmp_path, {"DATABASE_URL": postgres}) as process:
        variables = {"DATABASE_URL": postgres, "SERVER_PORT": str(process.port)}
        said = await gencode("doctor", "--json", data_dir=tmp_path / "data", settings=variables)
        results = {one["about"]: one for one in json.loads(said)["findings"]}
        assert f"1 of all {__version__}" in results["processes"]["message"]
        assert "gencode answers" in results["port"]["message"]
        assert await process.terminate() == 0


async def test_processes_and_workers_are_counted(tmp_path: Path, postgres: str) -> None:
    checked = configured(tmp_path, postgres, worker_stale_seconds=20)
    async with running(tmp_path, postgres, Role.WEB), running(tmp_path, postgres, Role.WEB):
        results = await found(checked)
        assert results["workers"].state == "note"
        assert "tasks wait" in results["workers"].advice
        async with running(tmp_path, postgres, Role.WORKER):
            while (results := await found(checked))["workers"].state != "ok":
                await anyio.sleep(0.01)
        assert results["processes"].message == f"2 of web {__version__}, 1 of worker {__version__}"
        assert "shared settings" not in results
    assert "none runs" in (await found(checked))["processes"].message


async def test_settings_that_differ_are_named(tmp_path: Path, postgres: str) -> None:
    checked = configured(tmp_path, postgres)
    async with (
        running(tmp_path, postgres, Role.WEB),
        running(tmp_path, postgres, Role.WEB, deepseek_api_key=SecretStr("sk-other"), worker_stale_seconds=8),
    ):
        result = (await found(checked))["shared settings"]
    assert (result.state, "sk-other" in str(result)) == ("note", False)
    assert result.message.endswith("WORKER_STALE_SECONDS, those of models")


async def test_processes_of_another_version_are_named(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = configured(tmp_path, postgres)
    with monkeypatch.context() as older:
        older.setattr(application_name, "__version__", "0.0.9")
        async with running(tmp_path, postgres, Role.WEB):
            older.undo()
            async with running(tmp_path, postgres, Role.WEB):
                result = (await found(checked))["processes"]
    assert (result.state, result.message) == (
        "note",
        f"1 of web 0.0.9, 1 of web {__version__}; this is {__version__}",
    )


async def test_what_waits_is_shown_with_its_age(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, postgres, Role.WEB):
        pass
    await run(
        postgres,
        "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('gencode', 'gencode.run_task')",
    )
    assert (
        "1 tasks wait, the oldest for 0 s" in (await found(configured(tmp_path, postgres)))["queue"].message
    )
    monkeypatch.setattr(cluster_checks, "LONG_WAIT", -1.0)
    assert (await found(configured(tmp_path, postgres)))["queue"].state == "note"


async def test_a_worker_without_a_sign_of_life_is_shown(tmp_path: Path, postgres: str) -> None:
    async with running(tmp_path, postgres, Role.WEB):
        pass
    await run(
        postgres, "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 day')"
    )
    result = (await found(configured(tmp_path, postgres)))["workers"]
    assert (result.state, result.message) == ("note", "none is alive; 1 sent no heartbeat")


async def test_notifications_of_another_database_do_not_arrive(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pooler of transactions, which accepts LISTEN."""
    monkeypatch.setattr(cluster_checks, "NOTIFICATION_SECONDS", 0.2)
    other = f"{postgres.rpartition('/')[0]}/postgres"
    result = (await found(configured(tmp_path, postgres, database_direct_url=SecretStr(other))))[
        "notifications"
    ]
    assert (result.state, "DATABASE_DIRECT_URL" in result.advice) == ("fault", True)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("INSERT INTO gencode.schema_versions VALUES (1000)", "upgrade gencode"),
        ("INSERT INTO gencode.queue_versions VALUES ('4.0', now() + interval '1 day')", "procrastinate 4.0"),
    ],
)
async def test_tables_of_a_newer_version_are_refused(
    tmp_path: Path, postgres: str, sql: str, words: str
) -> None:
    """By the check and by the start."""
    async with running(tmp_path, postgres, Role.WEB):
        pass
    await run(postgres, sql)
    result = (await found(configured(tmp_path, postgres)))["tables"]
    assert (result.state, words in result.message) == ("fault", True)
    with pytest.raises(StartError, match=words):
        async with running(tmp_path, postgres, Role.WORKER):
            pass


async def test_a_new_schema_waits_until_no_older_process_runs(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would go on with tables that they do not know."""
    async with running(tmp_path, postgres, Role.WEB):
        for module in (migrations, cluster_checks):
            monkeypatch.setattr(module, "VERSION", VERSION + 1)
        steps = (*migrations.MIGRATIONS, "CREATE TABLE gencode.news (id text)")
        monkeypatch.setattr(migrations, "MIGRATIONS", steps)
        assert (await found(configured(tmp_path, postgres)))["tables"].state == "note"
        with pytest.raises(StartError, match="stop all of them"):
            async with running(tmp_path, postgres, Role.WORKER):
                pass
    async with running(tmp_path, postgres, Role.WORKER):
        assert await run(postgres, "SELECT * FROM gencode.news") == []


def test_a_name_fits_and_is_read_back(tmp_path: Path) -> None:
    name = process_name(settings(tmp_path), Role.WORKER)
    assert len(name) <= MAX_LENGTH
    known = parsed_name(name)
    assert known
    assert (known.role, known.version, len(known.digests)) == (
        "worker",
        __version__,
        len(application_name.GROUPS),
    )
    assert [parsed_name(other) for other in ("gencode queue", "psql", "gencode")] == [None] * 3
