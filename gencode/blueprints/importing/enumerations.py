"""Values of enums, where a blueprint can have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_VALUE = re.compile(r"[^\x00-\x1f\x7f'\"\\]{1,100}\Z")
_MOST = 500


def enum_type(pairs: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    """The type of a field with these values and labels; None where one has quotes, is too long, or differs
    from another in case only, which MySQL does not allow."""
    names = [name for name, _ in pairs]
    is_usable = 0 < len(names) <= _MOST and all(_VALUE.match(one) and one == one.strip() for one in names)
    if not is_usable or len({name.lower() for name in names}) < len(names):
        return None
    return {"type": "enum", "enumValues": [{"name": name, "label": label[:200]} for name, label in pairs]}
