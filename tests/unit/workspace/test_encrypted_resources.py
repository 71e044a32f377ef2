"""All stored secrets: they are found, encrypted anew, and what cannot be decrypted is named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

import gencode.workspace.routes  # noqa: F401 - all tables are known
from gencode.domain.errors import StoreError
from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.encrypted_resources import (
    ENCRYPTED,
    ROTATED,
    StoredSecret,
    missing_keys,
    replace_secret,
    rotate_secrets,
    unreadable_secrets,
)
from gencode.workspace.encryption import Encryption
from gencode.workspace.errors import NoEncryptionKey
from gencode.workspace.identity.actor import Actor
from gencode.workspace.model_configs.resource import MODEL_CONFIGS, ModelConfigCreation
from gencode.workspace.model_configs.table import ModelConfig
from gencode.workspace.tables import Base
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import workspace

OLD, NEW, LOST = b"o" * 32, b"n" * 32, b"l" * 32
ALICE = Actor(id="user:alice")


async def config(opened: Workspace, key: str) -> ModelConfig:
    body = json.dumps({"name": "mine", "provider": "deepseek", "model": "chat", "api_key": key})
    values = ModelConfigCreation.model_validate_json(body).model_dump(mode="json")
    return await opened.resource(MODEL_CONFIGS).create(values, ALICE)


@pytest.fixture
async def stored(database_url: str) -> AsyncIterator[Workspace]:
    async with workspace(database_url, encryption_keys=[OLD]) as opened:
        yield opened


def test_every_encrypted_column_is_known() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_encrypted")
    }
    known = {f"{one.table.__tablename__}.{name}_encrypted" for one in ENCRYPTED for name in one.secrets}
    assert columns == known


async def test_rotation_leaves_the_secret_and_the_version_as_they_are(stored: Workspace) -> None:
    first, second = await config(stored, "sk-first"), await config(stored, "sk-second")
    await config(stored, "")
    await stored.resource(MODEL_CONFIGS).delete(second.id, ALICE, None)
    both = Encryption([NEW, OLD])
    assert (await rotate_secrets(stored.database, stored.audit, both, ALICE)).changed == 2
    again = await rotate_secrets(stored.database, stored.audit, both, ALICE)
    assert (again.changed, again.kept, again.unreadable) == (0, 2, [])
    assert await unreadable_secrets(stored.database, Encryption([NEW])) == (2, [])
    row = await stored.resource(MODEL_CONFIGS).get(first.id, ALICE.id)
    assert (row.version, row.updated_at) == (first.version, first.updated_at)
    assert row.api_key_encrypted != first.api_key_encrypted
    async with stored.database.transaction() as session:
        entries = (await session.scalars(select(AuditEntry).where(AuditEntry.action == ROTATED))).all()
    assert [entry.after["changed"] for entry in entries] == [2, 0]


async def test_what_cannot_be_decrypted_is_named_and_left(stored: Workspace) -> None:
    row, other = await config(stored, "sk-first"), await config(stored, "sk-second")
    moved = update(ModelConfig).where(ModelConfig.id == other.id)
    async with stored.database.transaction() as session:
        await session.execute(moved.values(api_key_encrypted=row.api_key_encrypted))
    found = await rotate_secrets(stored.database, stored.audit, Encryption([NEW, OLD]), ALICE)
    assert (found.changed, found.unreadable) == (1, [f"model_configs/{ALICE.id}/{other.id}/api_key"])
    assert (await unreadable_secrets(stored.database, Encryption([LOST])))[0] == 2
    (missing,) = (await missing_keys(stored.database, Encryption([NEW]))).values()
    assert missing == 1
    assert await missing_keys(stored.database, Encryption([NEW, OLD])) == {}


async def test_a_secret_that_is_changed_meanwhile_is_left_to_its_writer(stored: Workspace) -> None:
    row = await config(stored, "sk-first")
    place = f"model_configs/{ALICE.id}/{row.id}/api_key"
    column = ModelConfig.api_key_encrypted
    seen = StoredSecret(table=ModelConfig, column=column, row_id=row.id, place=place, sealed="before")
    async with stored.database.transaction() as session:
        assert await replace_secret(session, seen, "after") == 0
    assert stored.resource(MODEL_CONFIGS).secret(row, "api_key") == "sk-first"


async def test_without_a_key_nothing_is_rotated(stored: Workspace) -> None:
    with pytest.raises(NoEncryptionKey):
        await rotate_secrets(stored.database, stored.audit, Encryption([]), ALICE)


@pytest.mark.parametrize("sealed", ["", "x", "0123abcd:%%%", "0123abcd:"])
def test_a_damaged_text_is_an_error(sealed: str) -> None:
    with pytest.raises(StoreError):
        Encryption([OLD]).decrypt(sealed, "place")
    key_id = Encryption([OLD]).key_id
    with pytest.raises(StoreError):
        Encryption([OLD]).decrypt(f"{key_id}:{sealed}", "place")
