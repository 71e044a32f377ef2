"""A short run of the cluster campaign (see docs/campaigns.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns import cluster
from tests.servers.cluster import needs_nginx
from tests.servers.postgres import MISSING, is_installed

pytestmark = [needs_nginx, pytest.mark.skipif(not is_installed(), reason=MISSING)]


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_nothing_is_lost_or_paid_by_a_displaced_worker(tmp_path: Path) -> None:
    async with cluster.campaign(seed=7, kills=6, freezes=2, count=4, folder=tmp_path) as campaign:
        await campaign.run()
    report = campaign.report
    assert report.faults == []
    assert (report.kills, report.freezes) == (6, 2)
    assert report.calls.answered >= sum(len(order.parts) for order in campaign.orders)
