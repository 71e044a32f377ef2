"""Who may call which addresses."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.user_http import open_user_http
from gencode.outbound.transport import Outbound
from gencode.outbound.user_http import UserHttp
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


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:8000/v1", "not public"),
        ("https://10.1.2.3/v1", "not public"),
        ("https://[::1]/v1", "not public"),
        ("https://inside.example/v1", "not public"),
        ("http://public.example/v1", "must be an https address"),
    ],
)
async def test_an_address_is_refused_before_it_is_called(tmp_path: Path, url: str, says: str) -> None:
    async with opened(tmp_path) as http:
        refusal = await http.refusal("alice", url)
        assert says in refusal
        assert refusal.endswith("except in the networks of WORKSPACE_ALLOW_NETWORKS")
        assert not await http.refusal("local", url)


@pytest.mark.parametrize(
    "url",
    [
        "https://public.example/v1",
        "https://missing.example",
        "https://later.example",
        "http://10.2.0.1:8000/v1",
        "http://allowed.example/v1",
    ],
)
async def test_other_addresses_and_names_that_do_not_resolve_are_not_refused(
    tmp_path: Path, url: str
) -> None:
    async with opened(tmp_path, workspace_allow_networks="10.2.0.0/16") as http:
        assert await http.refusal("alice", url) == ""


async def test_a_port_is_refused_in_every_network(tmp_path: Path) -> None:
    async with opened(tmp_path, workspace_allow_networks="10.2.0.0/16") as http:
        assert (
            await http.refusal("alice", "http://10.2.0.1:25") == "must use port 443, 80, or one from 1024 on"
        )


@asynccontextmanager
async def opened(folder: Path, **fields: Any) -> AsyncIterator[UserHttp]:
    async with AsyncExitStack() as stack:
        chosen = settings(folder, **fields)
        yield await open_user_http(stack, chosen, Role.ALL, Outbound(), lambda: False, resolve)


async def resolve(host: str, port: int) -> list[str]:
    known = {"public": "93.184.216.34", "inside": "192.168.0.1", "allowed": "10.2.0.1"}
    name = host.removesuffix(".example")
    if name == host:
        return [host.strip("[]")]
    if name == "later":
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")
    if name not in known:
        raise socket.gaierror(socket.EAI_NONAME, "there is no such name")
    return [known[name]]


async def test_an_operator_who_works_alone(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        http = await open_user_http(stack, settings(tmp_path), Role.ALL, Outbound(), lambda: False)
        assert http.outbound_for("local").policy is None
        assert http.client_for("local") is http.unrestricted.http
        assert http.model_client_for("local") is http.unrestricted.models
