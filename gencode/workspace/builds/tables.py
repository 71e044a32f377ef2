"""The tables of builds. How a build goes is told by its task; a row has only what the task lacks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.tables import Base, Row


class BlueprintBuild(Row, Base):
    """A build. `id`: of its task.

    owner      the principal of the task
    downloads  of its archive
    project_id, bytes  in whose storage the archive is counted, and as how much; 0: it is not
    """

    __tablename__ = "blueprint_builds"

    blueprint_id: Mapped[str] = mapped_column(String(36), index=True)
    owner: Mapped[str] = mapped_column(String(200))
    downloads: Mapped[int] = mapped_column(default=0)
    project_id: Mapped[str | None] = mapped_column(String(36), index=True)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class WrittenHole(Row, Base):
    """What a model has written into a hole.

    scope   whose builds use it again: project:ID, or a principal
    digest  of all that the model was told
    model   that wrote it
    """

    __tablename__ = "blueprint_holes"

    scope: Mapped[str] = mapped_column(String(210))
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String(200))

    __table_args__ = (Index("uq_blueprint_holes_scope_digest", "scope", "digest", unique=True),)
