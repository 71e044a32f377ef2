"""Events as JSON, one in each line, for scripts."""

from __future__ import annotations

from gencode.cli.display.printable import as_json
from gencode.cli.display.screen import Plain
from gencode.client import Message, ServiceError


class JsonLines(Plain):
    def show(self, message: Message) -> None:
        line = {"event": message.kind, "id": message.id, "data": message.data}
        print(as_json(line), flush=True)

    def lost(self, error: ServiceError | None, seconds: float) -> None:
        """Nothing: no event is lost."""
