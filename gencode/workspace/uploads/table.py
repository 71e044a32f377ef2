"""The table of uploaded files."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.tables import Base, Row


class Upload(Row, Base):
    """A file as it was received.

    name    safe to show and to store a file as: see `names`
    size    bytes
    sha256  of the data, in hex
    data    read by `Uploads.read` only
    """

    __tablename__ = "uploads"

    owner: Mapped[str] = mapped_column(String(200), index=True)
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
