"""Where the local forge listens from one start to the next."""

from __future__ import annotations

from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gencode.embedded.lazy_server import bind_forge
from gencode.embedded.server import listen
from tests.servers.ports import reserve_port


async def port_of_a_start(folder: Path) -> int:
    async with AsyncExitStack() as stack:
        return int(bind_forge(stack, folder, reserve_port()).sock.getsockname()[1])


async def test_the_port_of_the_first_start_is_kept_without_a_word(tmp_path: Path) -> None:
    first = await port_of_a_start(tmp_path)
    with capture_logs() as logs:
        assert await port_of_a_start(tmp_path) == first
    assert not [entry for entry in logs if entry["log_level"] == "warning"]


@pytest.mark.fault(122)
async def test_a_forge_whose_port_is_taken_says_that_its_addresses_have_changed(tmp_path: Path) -> None:
    """Every repo_url from before leads to the other program: nobody was told."""
    first = await port_of_a_start(tmp_path)
    with closing(listen(first)), capture_logs() as logs:
        second = await port_of_a_start(tmp_path)
    assert second != first
    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert (warning["port_before"], warning["port"]) == (first, second)
    Path(warning["file"]).write_text(str(first), encoding="utf-8")  # as the message says
    assert await port_of_a_start(tmp_path) == first
