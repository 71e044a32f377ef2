"""Opens the encoders of knowledge bases."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gencode.llm.errors import ProviderError
from gencode.llm.port import Usage
from gencode.llm.prices import Price
from gencode.llm.token_estimate import estimate_tokens
from gencode.llm.usage_ledger import LedgerCall, UsageLedger
from gencode.retrieval.encoders.offline import OfflineEncoder
from gencode.retrieval.encoders.openai import EmbeddingOptions, OpenAIEncoder
from gencode.retrieval.port import Encoded, Encoder
from gencode.workspace.knowledge_bases.encoder_spec import EncoderKind, EncoderSpec
from gencode.workspace.knowledge_bases.errors import EncoderUnavailable
from gencode.workspace.model_configs.gateway import ModelConfigGateway

QUERY_SECONDS = 10.0
"""How long a search waits for the vector of its question."""
SEARCH = "search"
"""The kind of a call outside of a task, in the ledger."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedEncoder:
    """An encoder, ready to be called.

    model      as the ledger names it; "" if its calls cost nothing
    price      None if it is unknown
    """

    encoder: Encoder
    model: str = ""
    config_id: str = ""
    price: Price | None = None

    @property
    def is_paid(self) -> bool:
        return bool(self.model)

    def cost(self, usage: Usage) -> Decimal | None:
        return self.price.of(usage) if self.price else None


def reserve_of(texts: Sequence[str]) -> Usage:
    """The most tokens that the texts can be."""
    return Usage(prompt=sum(estimate_tokens(text) + 1 for text in texts), estimated=True)


def usage_of(texts: Sequence[str], encoded: Encoded) -> Usage:
    """As the API counts them, else estimated."""
    return Usage(prompt=encoded.tokens) if encoded.tokens else reserve_of(texts)


class EncoderAccess:
    """The encoders that bases may have."""

    def __init__(self) -> None:
        self._gateway: ModelConfigGateway | None = None
        self._offline: OfflineEncoder | None = None

    def connect(self, gateway: ModelConfigGateway) -> None:
        """What opens the model configs of principals."""
        self._gateway = gateway

    async def open(self, spec: EncoderSpec, owner: str, timeout: float = 60.0) -> OpenedEncoder:
        """`timeout`: seconds of a request. Raises EncoderUnavailable, StoreError."""
        if spec.kind is EncoderKind.OFFLINE:
            self._offline = self._offline or OfflineEncoder()
            return OpenedEncoder(encoder=self._offline)
        return await self._paid(spec, owner, timeout)

    async def price(self, spec: EncoderSpec, owner: str) -> Price | None:
        """None if it is unknown. Raises StoreError."""
        api = await self._gateway.connection(spec.config, owner) if self._gateway else None
        return api.price if api else None

    async def _paid(self, spec: EncoderSpec, owner: str, timeout: float) -> OpenedEncoder:
        if self._gateway is None:
            raise EncoderUnavailable("model configs cannot be called yet: try again")
        api = await self._gateway.connection(spec.config, owner)
        if api is None or api.address != spec.address:
            raise EncoderUnavailable(
                f"the model config of the encoder {spec.model} is not there, not active, or has another"
                " address now: choose the encoder of the base again"
            )
        options = EmbeddingOptions(
            base_url=api.base_url,
            model=spec.model,
            key=api.key,
            dimensions=spec.dimensions,
            send_dimensions=spec.is_short,
            version=spec.version,
            timeout=timeout,
        )
        return OpenedEncoder(
            encoder=OpenAIEncoder(api.client, options),
            model=f"{api.provider}/{spec.model}",
            config_id=spec.config,
            price=api.price,
        )


class QueryEncoder(Encoder):
    """An encoder of questions whose calls are in the ledger, and end before a search takes too long."""

    def __init__(self, opened: OpenedEncoder, ledger: UsageLedger, principal: str, task_id: str) -> None:
        self._opened = opened
        self._ledger = ledger
        self._call = LedgerCall(
            id="",
            task_id=task_id,
            kind=SEARCH,
            principal=principal,
            model=opened.model,
            config_id=opened.config_id,
        )
        self.info = opened.encoder.info
        self.batch = opened.encoder.batch

    async def encode(self, texts: Sequence[str], *, is_query: bool = False) -> Encoded:
        """Raises LimitReached, and the errors of the encoder."""
        if not self._opened.is_paid:
            return await self._opened.encoder.encode(texts, is_query=is_query)
        call = replace(self._call, id=f"{SEARCH}:{secrets.token_hex(8)}")
        reserve = reserve_of(texts)
        await self._ledger.reserve(call, reserve, self._opened.cost(reserve))
        try:
            encoded = await self._opened.encoder.encode(texts, is_query=is_query)
        except ProviderError as error:
            if not error.may_be_billed:
                await self._ledger.settle(call, Usage(), self._opened.cost(Usage()))
            raise
        usage = usage_of(texts, encoded)
        await self._ledger.settle(call, usage, self._opened.cost(usage))
        return encoded
