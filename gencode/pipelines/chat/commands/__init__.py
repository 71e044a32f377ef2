"""The command that the kind `chat` adds to the command line."""

from __future__ import annotations

from gencode.cli.kind_commands import Command, KindCommands

_PACKAGE = "gencode.pipelines.chat.commands"

CHAT_COMMANDS = KindCommands(
    kind="chat",
    commands={"chat": Command(help="ask a model, in a conversation", module=f"{_PACKAGE}.chat")},
    display=f"{_PACKAGE}.display:DISPLAY",
)
