"""Where the local forge listens from one start to the next."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from gencode.embedded.bound_servers import bind_forge
from gencode.embedded.server import listen
from tests.servers.ports import reserve_port


async def port_of_a_start(folder: Path, configured: int = 0) -> int:
    async with AsyncExitStack() as stack:
        return int(bind_forge(stack, folder, configured, reserve_port()).sock.getsockname()[1])


def warnings(logs: Sequence[EventDict]) -> list[EventDict]:
    return [entry for entry in logs if entry["log_level"] == "warning"]


async def test_the_port_of_the_first_start_is_kept_without_a_word(tmp_path: Path) -> None:
    first = await port_of_a_start(tmp_path)
    with capture_logs() as logs:
        assert await port_of_a_start(tmp_path) == first
    assert warnings(logs) == []


@pytest.mark.fault(122)
async def test_a_forge_whose_port_is_taken_says_that_its_addresses_have_changed(tmp_path: Path) -> None:
    """Every repo_url from before leads to the other program: nobody was told."""
    first = await port_of_a_start(tmp_path)
    with closing(listen(first)), capture_logs() as logs:
        second = await port_of_a_start(tmp_path)
    assert second != first
    (warning,) = warnings(logs)
    assert (warning["port_before"], warning["port"]) == (first, second)
    Path(warning["file"]).write_text(str(first), encoding="utf-8")  # as the message says
    assert await port_of_a_start(tmp_path) == first


async def test_a_configured_port_wins_over_the_stored_one_and_the_way_back_is_named(tmp_path: Path) -> None:
    first, chosen = await port_of_a_start(tmp_path), reserve_port()
    with capture_logs() as logs:
        assert await port_of_a_start(tmp_path, chosen) == chosen
    (warning,) = warnings(logs)
    assert "set FORGE_PORT to the port before" in warning["event"]
    assert (warning["port_before"], warning["port"]) == (first, chosen)
    with capture_logs() as logs:
        assert await port_of_a_start(tmp_path, chosen) == chosen
    assert warnings(logs) == [], "told once"
    assert await port_of_a_start(tmp_path, warning["port_before"]) == first


async def test_a_configured_port_that_is_taken_is_named_and_earlier_addresses_stay(tmp_path: Path) -> None:
    first = await port_of_a_start(tmp_path)
    with closing(listen()) as other, capture_logs() as logs:
        taken = int(other.getsockname()[1])
        assert await port_of_a_start(tmp_path, taken) == first
    (warning,) = warnings(logs)
    assert (warning["configured"], warning["port"]) == (taken, first)


async def test_the_port_after_the_services_is_left_to_others_when_another_is_configured(
    tmp_path: Path,
) -> None:
    default = reserve_port()
    with closing(listen()) as other:
        async with AsyncExitStack() as stack:
            taken = int(other.getsockname()[1])
            port = int(bind_forge(stack, tmp_path, taken, default).sock.getsockname()[1])
    assert port not in (default, taken)


async def test_a_folder_that_the_forge_cannot_use_fails_the_start(tmp_path: Path) -> None:
    (tmp_path / "forge").touch()
    with pytest.raises(OSError, match="forge"):
        await port_of_a_start(tmp_path)
