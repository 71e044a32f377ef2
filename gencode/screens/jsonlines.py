"""Events as JSON, one in each line, for scripts."""

from __future__ import annotations

from gencode.client import Message, ServiceError
from gencode.screens.printable import as_json
from gencode.screens.screen import Plain


class JsonLines(Plain):
    def show(self, message: Message) -> None:
        line = {"event": message.kind, "id": message.id, "data": message.data}
        print(as_json(line), flush=True)

    def lost(self, error: ServiceError | None, seconds: float) -> None:
        """Nothing: no event is lost."""
