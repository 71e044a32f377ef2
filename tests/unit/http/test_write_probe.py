"""How often the readiness probe writes."""

from __future__ import annotations

import anyio

from gencode.domain.errors import StoreError
from gencode.http.write_probe import PROBE_SECONDS, WriteProbe


class Disk:
    def __init__(self) -> None:
        self.writes = 0
        self.is_full = False
        self.now = 0.0

    async def write(self) -> None:
        self.writes += 1
        await anyio.sleep(0)
        if self.is_full:
            raise StoreError("the disk is full")


async def test_many_that_ask_at_once_share_one_write() -> None:
    disk = Disk()
    probe = WriteProbe(disk.write, lambda: disk.now)
    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(probe.reason)
    assert disk.writes == 1


async def test_a_result_is_good_for_some_seconds() -> None:
    disk = Disk()
    probe = WriteProbe(disk.write, lambda: disk.now)
    assert await probe.reason() == ""
    disk.is_full = True
    assert await probe.reason() == ""
    disk.now += PROBE_SECONDS
    assert await probe.reason() == "the disk is full"
    disk.is_full = False
    assert await probe.reason() == "the disk is full"
    disk.now += PROBE_SECONDS
    assert await probe.reason() == ""
    assert disk.writes == 3
