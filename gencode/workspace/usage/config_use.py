"""What a model config has used."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigUse:
    """Tokens and cost of the calls of a month; those that are not settled count in full."""

    tokens: int = 0
    cost: Decimal = Decimal(0)
