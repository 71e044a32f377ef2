"""The sandbox of the settings: a service does not start with one that does not isolate."""

from __future__ import annotations

from pathlib import Path

import pytest

from gencode.bootstrap.doctor.sandbox_check import check_sandbox
from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.sandbox import started_sandbox
from gencode.domain.errors import StartError
from gencode.settings import load
from tests.servers.sandboxes import require_bubblewrap
from tests.servers.service import settings

DOES_NOT_START = "container:no-such-engine run --rm image"


async def test_it_is_off_and_said_so(tmp_path: Path) -> None:
    plain = settings(tmp_path)
    assert (await started_sandbox(plain, Role.ALL)).off_reason
    found = await check_sandbox(plain)
    assert (found.state, "unverified" in found.message) == ("note", True)


async def test_a_sandbox_that_does_not_work_is_a_fault_and_stops_the_start(tmp_path: Path) -> None:
    wrong = settings(tmp_path, sandbox=DOES_NOT_START)
    with pytest.raises(StartError, match=r"SANDBOX=.*No such file"):
        await started_sandbox(wrong, Role.ALL)
    assert (await check_sandbox(wrong)).state == "fault"


async def test_a_process_that_runs_no_tasks_needs_none(tmp_path: Path) -> None:
    assert (await started_sandbox(settings(tmp_path, sandbox=DOES_NOT_START), Role.WEB)).off_reason


@pytest.mark.campaign
async def test_a_container_that_isolates_too_little_stops_the_start(tmp_path: Path) -> None:
    """Namespaces for files and processes, but the network of this machine."""
    require_bubblewrap()
    command = (
        "container:bwrap --dev-bind / / --tmpfs /sandbox --unshare-pid --as-pid-1 --proc /proc"
        " --die-with-parent"
    )
    with pytest.raises(StartError, match=r"does not isolate: .*reaches the network of this machine"):
        await started_sandbox(settings(tmp_path, sandbox=command), Role.ALL)


@pytest.mark.campaign
async def test_a_command_that_isolates_is_used(tmp_path: Path) -> None:
    require_bubblewrap()
    command = (
        "container:bwrap --unshare-all --unshare-user --die-with-parent --as-pid-1 --cap-drop ALL --clearenv"
        " --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin"
        " --proc /proc --dev /dev --remount-ro /dev --tmpfs /tmp --tmpfs /sandbox --remount-ro /"
        " --setenv PATH /usr/local/bin:/usr/bin"
    )
    used = settings(tmp_path, sandbox=command)
    assert (await started_sandbox(used, Role.ALL)).off_reason == ""
    found = await check_sandbox(used)
    assert (found.state, found.message.split()[0]) == ("ok", "container")


@pytest.mark.parametrize("setting", ["on", "docker", "Bubblewrap"])
def test_another_word_is_refused(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX", setting)
    with pytest.raises(StartError, match="container:COMMAND"):
        load()
