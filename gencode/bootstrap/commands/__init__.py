"""The commands that run the service or work on its DATA_DIR and settings, not over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.cli.kind_commands import Command, CommandExtension

SERVICE_COMMANDS: Mapping[str, Command] = {
    "serve": Command(
        help="run the service (settings: see .env.example)", module="gencode.bootstrap.commands.serve"
    ),
    "worker": Command(
        help="run the tasks that `gencode serve --role web` accepts (DATABASE_URL)",
        module="gencode.bootstrap.commands.worker",
    ),
    "demo": Command(
        help="run the whole job once, offline, and show how to clone the result",
        module="gencode.bootstrap.commands.demo",
    ),
}
ADMINISTRATION_COMMANDS: Mapping[str, Command] = {
    "keys": Command(
        help="make, list and revoke API keys, also while the service runs",
        module="gencode.bootstrap.commands.keys",
    ),
    "users": Command(
        help="make an admin's account, or set a password (WORKSPACE)",
        module="gencode.bootstrap.commands.users",
    ),
    "audit": Command(help="verify the audit log (WORKSPACE)", module="gencode.bootstrap.commands.audit"),
    "secrets": Command(
        help="encrypt stored keys and tokens of users with another key (WORKSPACE)",
        module="gencode.bootstrap.commands.secrets",
    ),
    "build-environments": Command(
        help="install what is needed to prove rendered projects in the sandbox",
        module="gencode.bootstrap.commands.build_environments",
    ),
    "doctor": Command(
        help="check configuration, folder, store, port, tokens and models; say what to do",
        module="gencode.bootstrap.commands.doctor",
    ),
    "backup": Command(
        help="copy DATA_DIR into one file, also while the service runs",
        module="gencode.bootstrap.commands.backup",
    ),
    "restore": Command(
        help="make DATA_DIR, which must be new or empty, from a backup",
        module="gencode.bootstrap.commands.restore",
    ),
    "prune": Command(
        help="delete old tasks of a stopped service and make its database smaller",
        module="gencode.bootstrap.commands.prune",
    ),
    "migrate": Command(
        help="take the tasks of a stopped service from DATA_DIR to PostgreSQL (DATABASE_URL)",
        module="gencode.bootstrap.commands.migrate",
    ),
}
TASK_ASSIGNMENT = CommandExtension(command="tasks", module="gencode.bootstrap.commands.assign")
"""The verb `gencode tasks assign`."""
