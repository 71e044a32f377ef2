"""Who may call which addresses."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.user_http import open_user_http
from gencode.outbound.transport import Outbound
from tests.servers.service import settings


@pytest.mark.parametrize(
    ("principal", "role", "needs_key", "fields"),
    [
        ("alice", Role.ALL, False, {}),
        ("local", Role.ALL, True, {}),
        ("local", Role.WORKER, False, {}),
        ("local", Role.ALL, False, {"auth": "none"}),
        ("local", Role.ALL, False, {"server_host": "0.0.0.0"}),
    ],
)
async def test_only_the_local_principal_of_a_private_service_is_unrestricted(
    tmp_path: Path, principal: str, role: Role, needs_key: bool, fields: dict[str, Any]
) -> None:
    async with AsyncExitStack() as stack:
        http = await open_user_http(stack, settings(tmp_path, **fields), role, Outbound(), lambda: needs_key)
        assert http.outbound_for(principal).policy
        assert http.client_for(principal) is http.checked.http
        assert http.model_client_for(principal) is http.checked.models


async def test_an_operator_who_works_alone(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        http = await open_user_http(stack, settings(tmp_path), Role.ALL, Outbound(), lambda: False)
        assert http.outbound_for("local").policy is None
        assert http.client_for("local") is http.unrestricted.http
        assert http.model_client_for("local") is http.unrestricted.models
