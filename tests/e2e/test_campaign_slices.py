"""A short run of each campaign, with the code of the campaigns themselves (see docs/campaigns.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns import fuzz, hostile, kill, reconnect, workspace_kill
from tests.campaigns.hostile_kinds import KINDS
from tests.campaigns.schedule import FAILPOINTS

pytestmark = pytest.mark.campaign


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_nothing_is_lost_duplicated_or_sent_wrongly_whenever_the_service_is_killed(
    tmp_path: Path,
) -> None:
    async with kill.campaign(seed=7, kills=25, count=5, folder=tmp_path) as campaign:
        await campaign.run()
    report = campaign.report
    assert report.faults == []
    missed = set(FAILPOINTS) - set(report.deaths)
    # Which come too late depends on the machine; test_kill_each_stage dies at each.
    assert len(missed) <= len(FAILPOINTS) // 2, missed
    assert report.kills >= 25
    assert report.calls.answered >= sum(len(order.parts) for order in campaign.orders)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_no_kind_of_the_workspace_loses_or_pays_twice_whenever_the_service_is_killed(
    tmp_path: Path,
) -> None:
    async with workspace_kill.campaign(seed=7, kills=6, folder=tmp_path) as (campaign, repository_url):
        await campaign.run(repository_url)
    report = campaign.report
    assert report.faults == []
    assert report.kills == 6
    kinds = {kind.partition(" ")[0] for kind in report.audit.tasks}
    assert kinds == {
        *("chat", "code_diff", "code_review", "generate", "index", "parse_document"),
        *("requirement_analysis", "sync_repository", "test_generation", "blueprint", "build"),
    }
    assert report.audit.settled > 0


@pytest.mark.timeout(900)
async def test_subscribers_whose_connection_is_cut_resume_after_their_last_complete_message(
    tmp_path: Path,
) -> None:
    async with reconnect.campaign(seed=7, reconnects=300, folder=tmp_path) as campaign:
        await campaign.run()
    report = campaign.report
    assert report.faults == []
    assert report.reconnects >= 300
    assert report.live > 0, "running tasks were followed"
    assert any(follower.split for follower in report.followers)


@pytest.mark.timeout(900)
async def test_an_attack_takes_little_memory_and_leaves_the_service_to_others(tmp_path: Path) -> None:
    names = ("one byte a chunk", "gzip bomb of a model", "JSON bodies")
    kinds = [kind for kind in KINDS if kind.name in names]
    report = await hostile.campaign(kinds, tmp_path, timed=False)
    assert report.faults == []
    assert [result.kind for result in report.results] == list(names)
    assert all(result.received for result in report.results)


@pytest.mark.timeout(900)
@pytest.mark.one_process("an admin is made in DATA_DIR")
async def test_hostile_requests_are_refused_as_described_and_show_nobody_elses_rows(tmp_path: Path) -> None:
    """Every operation answers at least one request as it is meant to."""
    report = await fuzz.campaign(bodies=300, seed=7, folder=tmp_path)
    assert report.faults == []
    assert report.bodies >= 300
