"""Events as JSON, one in each line, for scripts."""

from __future__ import annotations

import json

from gencode.client import Message, ServiceError
from gencode.screens.screen import Plain


class JsonLines(Plain):
    def show(self, message: Message) -> None:
        line = {"event": message.kind, "id": message.id, "data": message.data}
        print(json.dumps(line, ensure_ascii=False), flush=True)

    def lost(self, error: ServiceError | None, seconds: float) -> None:
        """Nothing: no event is lost."""
