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
    """One value today for all but the database; others come as further template sets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: Literal["fastapi"] = "fastapi"
    frontend: Literal["vue3"] = "vue3"
    ui_library: Literal["element-plus"] = "element-plus"
    database: Database = Database.POSTGRESQL
