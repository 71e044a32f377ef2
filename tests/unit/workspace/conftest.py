from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gencode.workspace.database import postgres_url, sqlite_url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.campaign)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, for each of the two; `make slices` runs what is over PostgreSQL."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
        return
    yield postgres_url(request.getfixturevalue("postgres"))
