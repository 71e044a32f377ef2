"""Model configs: their key, their default, and the limits that the ledger keeps."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from gencode.domain.errors import Invalid
from gencode.llm.errors import LimitReached
from gencode.llm.port import Usage
from gencode.llm.usage_ledger import LedgerCall
from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.identity.actor import Actor
from gencode.workspace.model_configs.resource import MODEL_CONFIGS, ModelConfigCreation
from gencode.workspace.model_configs.table import ModelConfig
from gencode.workspace.usage.tables import ModelCall
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import workspace

ALICE, BOB = Actor(id="user:alice"), Actor(id="user:bob")
KEY = "sk-3f9a1c7be2"
ENCRYPTION_KEYS = (b"e" * 32,)


def values(**fields: Any) -> dict[str, Any]:
    body = {"name": "mine", "provider": "deepseek", "model": "deepseek-chat", "api_key": KEY, **fields}
    return ModelConfigCreation.model_validate_json(json.dumps(body)).model_dump(mode="json")


async def config(opened: Workspace, actor: Actor = ALICE, **fields: Any) -> ModelConfig:
    return await opened.resource(MODEL_CONFIGS).create(values(**fields), actor)


def a_call(row: ModelConfig, number: int = 1, **fields: Any) -> LedgerCall:
    given = {"task_id": "t", "kind": "generate", "principal": ALICE.id, "model": "deepseek/deepseek-chat"}
    return LedgerCall(id=f"call:{number}:plan", config_id=row.id, **given | fields)


async def test_a_key_is_stored_sealed_and_is_nowhere_else(database_url: str) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        configs = opened.resource(MODEL_CONFIGS)
        row = await config(opened)
        await configs.change(row.id, {"api_key": "sk-other-1234"}, ALICE, None)
        await configs.change(row.id, {"name": "renamed"}, ALICE, None)
        stored = await configs.get(row.id, ALICE.id)
        assert configs.secret(stored, "api_key") == "sk-other-1234"
        assert opened.used_secrets.of("bob") == ()
        configs.secret(stored, "api_key", "bob")
        assert opened.used_secrets.of(ALICE.id) == opened.used_secrets.of("bob") == ("sk-other-1234",)
        assert "sk-other-1234" not in (stored.api_key_encrypted or "")
        assert 'api_key"' not in MODEL_CONFIGS.view(stored).model_dump_json().replace('has_api_key"', "")
        async with opened.database.transaction() as session:
            entries = (await session.scalars(select(AuditEntry))).all()
        told = json.dumps([[entry.before, entry.after] for entry in entries])
        assert "[secret]" in told
        assert "sk-" not in told


@pytest.mark.parametrize("change", [{"base_url": "https://other.example.com"}, {"provider": "openai"}])
async def test_a_key_is_not_sent_to_another_address(database_url: str, change: dict[str, Any]) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        configs = opened.resource(MODEL_CONFIGS)
        row = await config(opened)
        with pytest.raises(Invalid, match="must be given again"):
            await configs.change(row.id, change, ALICE, None)
        await configs.change(row.id, {"provider": "deepseek", "base_url": None}, ALICE, None)
        await configs.change(row.id, {**change, "api_key": "sk-other-1234"}, ALICE, None)
        keyless = await config(opened, api_key="")
        await configs.change(keyless.id, change, ALICE, None)


async def test_an_owner_has_one_default(database_url: str) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        configs = opened.resource(MODEL_CONFIGS)
        first, others = await config(opened, is_default=True), await config(opened, BOB, is_default=True)
        second = await config(opened, is_default=True)
        assert not (await configs.get(first.id, ALICE.id)).is_default
        await configs.change(first.id, {"is_default": True}, ALICE, None)
        defaults = [await configs.get(row.id, ALICE.id) for row in (first, second)]
        assert [row.is_default for row in defaults] == [True, False]
        assert (await configs.get(others.id, BOB.id)).is_default
        await configs.delete(first.id, ALICE, None)
        await config(opened, is_default=True)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"provider": "compatible"}, "base_url"),
        ({"price_prompt": "1"}, "price_prompt"),
        ({"monthly_cost_limit": "1"}, "monthly_cost_limit"),
        ({"provider": "claude", "temperature": 1.1}, "temperature"),
        ({"provider": "spark", "temperature": 0}, "temperature"),
        ({"provider": "spark", "temperature": 1.5}, "temperature"),
        ({"provider": "spark", "max_tokens": 8193}, "max_tokens"),
    ],
)
async def test_fields_that_do_not_fit_together_are_refused(
    database_url: str, fields: dict[str, Any], field: str
) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        with pytest.raises(Invalid, match=field):
            await config(opened, **fields)


async def test_a_call_counts_in_full_until_it_is_settled(database_url: str) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        row = await config(opened, monthly_token_limit=1000)
        ledger, worst = opened.ledger, Usage(prompt=300, completion=400)
        for _ in range(2):  # a request that is sent again is one call
            await ledger.reserve(a_call(row), worst, None)
        with pytest.raises(LimitReached, match="1000 tokens"):
            await ledger.reserve(a_call(row, 2), worst, None)
        await ledger.settle(a_call(row), Usage(prompt=200, completion=50), Decimal("0.1"))
        await ledger.reserve(a_call(row, 2), worst, None)
        async with opened.database.transaction() as session:
            calls = (await session.scalars(select(ModelCall).order_by(ModelCall.call))).all()
        found = [(one.prompt_tokens, one.completion_tokens, one.cost, one.is_settled) for one in calls]
        assert found == [(200, 50, "0.1", True), (300, 400, None, False)]


async def test_a_limit_of_the_cost_counts_decimals_exactly(database_url: str) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        row = await config(opened, price_prompt="1", price_completion="1", monthly_cost_limit="0.3")
        for number in range(3):
            await opened.ledger.reserve(a_call(row, number), Usage(prompt=1), Decimal("0.1"))
        with pytest.raises(LimitReached):
            await opened.ledger.reserve(a_call(row, 4), Usage(prompt=1), Decimal("0.000001"))
