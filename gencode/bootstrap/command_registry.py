"""The registry of all commands of the program `gencode`, and its entry point. A new kind of task adds its
commands here."""

from __future__ import annotations

from collections.abc import Sequence

from gencode.bootstrap.commands import ADMINISTRATION_COMMANDS, SERVICE_COMMANDS, TASK_ASSIGNMENT
from gencode.cli import main as cli
from gencode.cli.kind_commands import BLUEPRINT_COMMANDS, LOGIN_COMMANDS, TASK_COMMANDS, registry_of
from gencode.pipelines.blueprint.commands import BLUEPRINT_PARSE, BLUEPRINT_TASKS
from gencode.pipelines.build.commands import BUILD_COMMANDS
from gencode.pipelines.chat.commands import CHAT_COMMANDS
from gencode.pipelines.code_review.commands import REVIEW_COMMANDS
from gencode.pipelines.generate.commands import GENERATE_COMMANDS
from gencode.pipelines.index.commands import INDEX_COMMANDS
from gencode.pipelines.requirement_analysis.commands import REQUIREMENT_COMMANDS
from gencode.pipelines.test_generation.commands import TEST_COMMANDS

REGISTRY = registry_of(
    SERVICE_COMMANDS,
    GENERATE_COMMANDS,
    BUILD_COMMANDS,
    CHAT_COMMANDS,
    INDEX_COMMANDS,
    REQUIREMENT_COMMANDS,
    REVIEW_COMMANDS,
    TEST_COMMANDS,
    BLUEPRINT_COMMANDS,
    BLUEPRINT_TASKS,
    BLUEPRINT_PARSE,
    TASK_COMMANDS,
    LOGIN_COMMANDS,
    ADMINISTRATION_COMMANDS,
    TASK_ASSIGNMENT,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Return the exit status; see gencode.cli.main.EPILOG."""
    return cli.main(arguments, REGISTRY)
