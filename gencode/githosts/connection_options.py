"""The parameters of the connection to a host with a REST API: its URLs, its token, and the client's
options."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from gencode.githosts.origins import Origin
from gencode.observability.metrics import Metrics
from gencode.outbound.transport import Outbound
from gencode.resilience.call_slots import CallSlots
from gencode.resilience.retry import Retry, Sleep

WRITE_SPACING = 1.0
"""GitHub wants the writes of a token to be serial and a second apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The URLs and the token of a host.

    api_url  the URL that the API's paths are appended to
    web      the origin of its repositories: the token is sent to no clone URL of another origin
    """

    api_url: str
    web: Origin
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostOptions:
    """Options that all hosts have in common.

    owner         the account for requests that name none; None for the token's own user
    agent         the User-Agent of all requests
    push_timeout  seconds for one push
    spacing       seconds from the end of one write to the next. 0 only for a server of our own
    writes        limits the writes in place of `spacing`, over several processes
    outbound      the proxy and the certificate authorities for pushes
    sleep, clock  replaced by tests; the clock returns seconds since the epoch
    """

    owner: str | None = None
    agent: str = "gencode"
    push_timeout: float = 60.0
    spacing: float = WRITE_SPACING
    writes: CallSlots | None = None
    outbound: Outbound | None = None
    retry: Retry = field(default_factory=Retry)
    metrics: Metrics = field(default_factory=Metrics)
    sleep: Sleep = anyio.sleep
    clock: Callable[[], float] = time.time
