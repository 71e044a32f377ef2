"""Runs the migrations within a transaction of the caller."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from gencode.domain.errors import StartError

CONNECTION = "connection"
"""The attribute of Alembic's configuration with the connection, for `env`."""


def upgrade_tables(connection: Connection) -> None:
    """Upgrades the tables to this version. Raises StartError for tables of a later one."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes[CONNECTION] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StartError(
            f"the workspace's tables are of another version: start the version that wrote them ({error})"
        ) from error
