"""The table of model calls."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.tables import Base, Row

_SUMMED = ("prompt_tokens", "completion_tokens", "cost_micro", "cost_rest")
"""What each call of a config sums: the index has it, so that no row is read."""


class ModelCall(Row, Base):
    """One call of a task, as soon as it is sent.

    call        unique within the task
    principal   the id of the task's principal
    month       of its sending, in UTC, such as 2026-11
    cost        a decimal number; null if the price is unknown
    cost_micro, cost_rest  the same for sums, see `costs`
    is_settled  false: the tokens are the most that the call can use
    """

    __tablename__ = "model_calls"

    task_id: Mapped[str] = mapped_column(String(36))
    call: Mapped[str] = mapped_column(String(600))
    kind: Mapped[str] = mapped_column(String(100))
    principal: Mapped[str] = mapped_column(String(200))
    model: Mapped[str] = mapped_column(String(300))
    config_id: Mapped[str | None] = mapped_column(String(36))
    month: Mapped[str] = mapped_column(String(7))
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cached_tokens: Mapped[int]
    cost: Mapped[str | None] = mapped_column(String(40))
    cost_micro: Mapped[int | None] = mapped_column(BigInteger)
    cost_rest: Mapped[int | None] = mapped_column(BigInteger)
    is_estimated: Mapped[bool]
    is_settled: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        Index("uq_model_calls_call", "task_id", "call", unique=True),
        Index("ix_model_calls_principal_month", "principal", "month"),
        Index("ix_model_calls_config_use", *("config_id", "month"), *_SUMMED),
        Index("ix_model_calls_month", "month"),
    )
