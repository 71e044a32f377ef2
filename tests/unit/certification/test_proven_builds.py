"""Rendered projects are proven on each database, and each kind of fault is found by its step."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.rendering import Database, Stack, render_project
from gencode.certification import CertificateStatus, Certifier, StepReport
from gencode.certification.environments import prepared_environment
from gencode.certification.group_runner import run_group
from gencode.certification.lock_files import Tool, official_locks
from gencode.certification.steps import groups_of
from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.launched import LaunchedSandbox
from tests.servers.build_environments import build_environments, require_database

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]
BLUEPRINT = Blueprint.model_validate(
    {
        "projectName": "shop",
        "label": '网店 "x"',
        "dataModels": [
            {
                "name": "Customer",
                "label": "客户",
                "fields": [
                    {"name": "email", "type": "string", "required": True, "unique": True},
                    {"name": "level", "type": "enum", "enumValues": [{"name": "gold"}, {"name": "银"}]},
                    {"name": "seen", "type": "datetime", "default": "now"},
                ],
            },
            {
                "name": "Channel",
                "fields": [{"name": "is_open", "type": "boolean", "required": True, "unique": True}],
            },
            {
                "name": "Order",
                "fields": [
                    {"name": "total", "type": "decimal", "precision": 10, "scale": 2, "required": True},
                    {"name": "data", "type": "json"},
                ],
                "relations": [
                    {"name": "customer", "type": "ManyToOne", "target": "Customer", "required": True},
                    {"name": "channel", "type": "ManyToOne", "target": "Channel", "required": True},
                    {"name": "related", "type": "ManyToMany", "target": "Order"},
                    {"name": "tags", "type": "ManyToMany", "target": "Tag", "inverseName": "orders"},
                ],
            },
            {"name": "Tag", "relations": [{"name": "also", "type": "ManyToMany", "target": "Customer"}]},
        ],
    }
)
MODEL, API = "backend/app/models/customer.py", "backend/app/api/customer.py"
MIGRATION = "backend/migrations/versions/0001_initial.py"


def rendered(stack: Stack) -> dict[str, bytes]:
    return {path: text.encode() for path, text in render_project(BLUEPRINT, stack).files.items()}


@pytest.mark.parametrize("database", list(Database))
async def test_a_rendered_project_is_proven(database: Database) -> None:
    require_database(database)
    told: list[StepReport] = []

    async def report(one: StepReport) -> None:
        told.append(one)

    certifier = Certifier(sandbox=LaunchedSandbox(bubblewrap(())), environments=build_environments())
    stack = Stack(database=database)
    certificate = await certifier.certify(rendered(stack), stack, report)
    assert (certificate.status, certificate.reason) == (CertificateStatus.VERIFIED, ""), told[-1]
    assert list(certificate.steps) == told
    assert told[0].versions["fastapi"]
    assert {"postgresql", "mariadb"} & set(told[-1].versions)


async def last_step(files: Mapping[str, bytes], *, with_database: bool = True) -> StepReport:
    """Of the group with or without the database."""
    if with_database:
        require_database("postgresql")
    environment = prepared_environment(build_environments(), official_locks()["fastapi"])
    assert environment is not None
    groups = [group for group in groups_of(files, Stack()) if bool(group.database) == with_database]
    sandbox = LaunchedSandbox(bubblewrap(()))
    return (await run_group(sandbox, groups[-1 if with_database else 0], files, environment))[-1]


def changed(path: str, old: str, new: str) -> dict[str, bytes]:
    files = rendered(Stack())
    assert old.encode() in files[path], old
    return {**files, path: files[path].replace(old.encode(), new.encode())}


async def test_a_column_without_a_migration_is_found() -> None:
    report = await last_step(
        changed(MODEL, "__tablename__ = ", "extra: Mapped[int | None]\n    __tablename__ = ")
    )
    assert (report.name, report.passed) == ("migration_check", False)
    assert "add_column" in report.log_tail


async def test_an_api_that_only_says_it_stores_is_found() -> None:
    report = await last_step(changed("backend/app/api/records.py", "session.get(", "(lambda *_: None)("))
    assert (report.name, report.passed) == ("crud", False)


async def test_a_table_that_a_downgrade_leaves_is_found() -> None:
    report = await last_step(changed(MIGRATION, "    op.drop_table(", "    str("))
    assert (report.name, report.passed) == ("migrate_down", False)


async def test_a_front_end_is_proven() -> None:
    stack = Stack(frontend="vue")
    environment = prepared_environment(build_environments("vue"), official_locks()["vue"])
    assert environment is not None
    files = rendered(stack)
    (group,) = [group for group in groups_of(files, stack) if group.tool is Tool.NODE]
    reports = await run_group(LaunchedSandbox(bubblewrap(())), group, files, environment)
    assert [one.name for one in reports if one.passed] == [step.name for step in group.steps], reports[-1]
    assert reports[0].versions["vite"]


async def test_a_name_that_is_not_there_is_found() -> None:
    report = await last_step(changed(API, "return _store(", "return _stores("), with_database=False)
    assert (report.name, report.passed) == ("lint", False)
    assert "_stores" in report.log_tail
