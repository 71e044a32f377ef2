"""The technologies that a project is rendered for."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Database(StrEnum):
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    """MySQL 8 and MariaDB 10.6 or later."""


class Stack(BaseModel):
    """A further back end or front end is a further template set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: Literal["fastapi"] = "fastapi"
    database: Database = Database.POSTGRESQL
    frontend: Literal["vue", "none"] = "none"

    @property
    def template_sets(self) -> tuple[str, ...]:
        """Names of the sets that make a project, in their order."""
        return ("common", self.backend, *(() if self.frontend == "none" else (self.frontend,)))
