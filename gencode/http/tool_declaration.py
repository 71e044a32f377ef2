"""The record of a tool that assistants can call; `gencode.mcp` implements the protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from gencode.domain.principal import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """One call. `api`: the path of the API, for links. `arguments` are not validated yet."""

    principal: Principal
    api: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """`call` validates the arguments by the model `arguments` and returns JSON. Raises GencodeError.

    is_read_only     it changes nothing
    is_destructive   it ends something that cannot be brought back
    """

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    call: Callable[[ToolCall], Awaitable[Mapping[str, Any]]]
    is_read_only: bool = True
    is_destructive: bool = False
