"""Rows 41-52: the push fails. The server is `git http-backend` wherever possible."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest
import pytest_asyncio
from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.embedded.server import address, listen
from gencode.githosts.commit import commit_sha
from gencode.githosts.errors import (
    GitAuth,
    GitError,
    GitNetwork,
    GitNotFound,
    GitProtocol,
    GitRejected,
    GitTimeout,
    GitUnavailable,
    NonFastForward,
    PushSecret,
    PushTooLarge,
    PushWorkflowScope,
)
from gencode.githosts.git_client import READY_PAUSES, GitClient
from gencode.githosts.port import Snapshot
from tests.servers.github import TOKEN, Fault, ScriptedGitHub, github_server, served
from tests.servers.peer import Act, peer
from tests.unit.githosts.samples import OUTBOUND, SNAPSHOT, SPEC, RecordedSleep, github_client

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPORT = {"content-type": "application/x-git-receive-pack-result"}
ADVERT = {"content-type": "application/x-git-receive-pack-advertisement"}


def _pkt(data: bytes) -> bytes:
    return b"%04x%b" % (len(data) + 4, data)


SERVICE = _pkt(b"# service=git-receive-pack\n") + b"0000"
EMPTY = SERVICE + _pkt(b"0" * 40 + b" capabilities^{}\0report-status side-band-64k") + b"0000"
RESULT = {"content-type": "application/x-git-receive-pack-result"}
TAKEN = _pkt(b"\x01" + _pkt(b"unpack ok\n") + _pkt(b"ok refs/heads/main\n") + b"0000") + b"0000"
KNOWN_SHA = "a8cdc4bbcd579adbf0b532e125b8234a086bff01"  # of SNAPSHOT; see test_commit.py
OTHER = replace(SNAPSHOT, message="Another")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ScriptedGitHub]:
    """One server for all tests: uvicorn takes 0.2 s to stop."""
    async with github_server(tmp_path_factory.mktemp("github")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def github(server: ScriptedGitHub, tmp_path: Path) -> ScriptedGitHub:
    """With one empty repository, octo/hello."""
    server.reset(tmp_path)
    await server.add("hello")
    return server


async def push(
    github: ScriptedGitHub, snapshot: Snapshot = SNAPSHOT, timeout: float = 30, name: str = "hello"
) -> str:
    git = GitClient(timeout=timeout, outbound=OUTBOUND, sleep=RecordedSleep())
    return await git.push(f"{github.url}/octo/{name}.git", TOKEN, snapshot)


def hits(github: ScriptedGitHub) -> list[str]:
    return [request.operation for request in github.requests]


# --- 41, 42: statuses ---------------------------------------------------------------------------------


@pytest.mark.fault(41)
@pytest.mark.parametrize(("status", "error"), [(401, GitAuth), (403, GitAuth), (404, GitNotFound)])
async def test_a_push_that_is_refused_before_it_is_sent_only_reads_again(
    github: ScriptedGitHub, status: int, error: type[GitError]
) -> None:
    """Row 41."""
    text = {
        "headers": {"content-type": "text/plain"},
        "body": f"remote: Write access denied {TOKEN}".encode(),
    }
    github.fail("info_refs", Fault(status=status, **text), times=9)
    with pytest.raises(error, match="Write access denied") as caught:
        await push(github)
    assert TOKEN not in caught.value.message
    assert hits(github) == ["info_refs"] * (1 + len(READY_PAUSES))


@pytest.mark.fault(41)
@pytest.mark.parametrize(("status", "error"), [(401, GitAuth), (403, GitAuth), (404, GitNotFound)])
async def test_a_push_that_is_refused_after_it_was_sent_is_not_repeated(
    github: ScriptedGitHub, status: int, error: type[GitError]
) -> None:
    """Row 41."""
    github.fail("receive_pack", Fault(status=status))
    with pytest.raises(error):
        await push(github)
    assert hits(github) == ["info_refs", "receive_pack", "info_refs"]


@pytest.mark.fault(41)
async def test_a_wrong_token_and_a_missing_repository(github: ScriptedGitHub) -> None:
    """Row 41, at a real server."""
    with pytest.raises(GitNotFound):
        await push(github, name="gone")
    github.token = "another"
    with pytest.raises(GitAuth):
        await push(github)


@pytest.mark.fault(128)
@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_git_server_that_does_not_know_the_new_repository_yet_is_asked_again(
    github: ScriptedGitHub, status: int
) -> None:
    github.fail("info_refs", Fault(status=status), times=3)
    sleep = RecordedSleep()
    git = GitClient(outbound=OUTBOUND, sleep=sleep)
    pushed = await git.push(f"{github.url}/octo/hello.git", TOKEN, SNAPSHOT)
    assert pushed == await github.head("hello")
    assert sleep == list(READY_PAUSES[:3])
    assert hits(github) == ["info_refs"] * 4 + ["receive_pack"]


@pytest.mark.fault(127)
async def test_a_repository_of_sha256_objects_is_refused_before_the_push(github: ScriptedGitHub) -> None:
    path = github.git.path("octo", "sha256")
    path.mkdir(parents=True)
    await github.git.git(path, "init", "-q", "--bare", "--template=", "--object-format=sha256", ".")
    await github.git.git(path, "config", "http.receivepack", "true")
    github.repos["octo", "sha256"] = replace(github.repos["octo", "hello"], name="sha256")
    with pytest.raises(GitRejected, match="SHA-256"):
        await push(github, name="sha256")
    assert hits(github) == ["info_refs"]


@pytest.mark.fault(127)
async def test_a_branch_with_a_sha256_id_is_refused_even_if_the_server_names_no_format(
    github: ScriptedGitHub,
) -> None:
    refs = SERVICE + _pkt(b"a" * 64 + b" refs/heads/old\0report-status") + b"0000"
    github.fail("info_refs", Fault(status=200, headers=ADVERT, body=refs))
    with pytest.raises(GitRejected, match="SHA-256"):
        await push(github)


@pytest.mark.fault(42)
@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_retry_after_is_reported_and_not_waited_for(github: ScriptedGitHub, status: int) -> None:
    """Row 42."""
    github.fail("info_refs", Fault(status=status, headers={"retry-after": "3600"}))
    with pytest.raises(GitUnavailable, match="Retry-After: 3600"):
        await push(github)
    assert hits(github) == ["info_refs"]


# --- 43: stalls ---------------------------------------------------------------------------------------


@dataclass
class SilentServer:
    """A server that sends nothing, or `first` again and again, from its `after`-th request on.

    requested     a request was received
    disconnected  the client of such a request has closed the connection
    """

    first: bytes | None = None
    after: int = 1
    requested: anyio.Event = field(default_factory=anyio.Event)
    disconnected: anyio.Event = field(default_factory=anyio.Event)
    requests: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.requests += 1
        self.requested.set()
        normal = self.requests < self.after
        if normal or self.first is not None:
            await send({"type": "http.response.start", "status": 200, "headers": _raw(ADVERT)})
        if normal:
            await send({"type": "http.response.body", "body": EMPTY})
            return
        async with anyio.create_task_group() as tg:
            if self.first is not None:
                tg.start_soon(self._drip, send)
            while (await receive())["type"] != "http.disconnect":
                pass
            tg.cancel_scope.cancel()
        self.disconnected.set()

    async def _drip(self, send: Send) -> None:
        """Each byte is sent well within any read timeout."""
        while True:
            await send({"type": "http.response.body", "body": self.first, "more_body": True})
            await anyio.sleep(0.02)


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


@pytest.mark.fault(43)
@pytest.mark.parametrize("first", [None, b"0"], ids=["sends nothing", "drips"])
@pytest.mark.parametrize("after", [1, 2], ids=["at first", "after the push"])
async def test_a_stalled_server_ends_in_a_timeout_and_frees_the_thread(
    first: bytes | None, after: int
) -> None:
    """Row 43. `push` returns only after its thread has ended: otherwise the second push could not start."""
    silent = SilentServer(first=first, after=after)
    sock = listen()
    git = GitClient(timeout=0.3, max_pushes=1, outbound=OUTBOUND)
    async with served(silent, sock):
        for _ in range(2):
            with pytest.raises(GitTimeout):
                await git.push(f"{address(sock)}/octo/hello.git", TOKEN, SNAPSHOT)
        await silent.disconnected.wait()


@pytest.mark.fault(43)
async def test_the_timeout_covers_all_exchanges_of_a_push() -> None:
    """Row 43: each exchange is in time, both together are not."""
    sock = listen()
    async with served(_accepting(after=0.6), sock):
        with pytest.raises(GitTimeout):
            await GitClient(timeout=1, outbound=OUTBOUND).push(
                f"{address(sock)}/octo/hello.git", TOKEN, SNAPSHOT
            )
        # With more time the report is believed: only the deadline ended the first push.
        assert await GitClient(timeout=30, outbound=OUTBOUND).push(
            f"{address(sock)}/octo/hello.git", TOKEN, SNAPSHOT
        )


def _accepting(after: float) -> ASGIApp:
    """A server that reports success for every push, and drops it; each answer takes `after` seconds."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await anyio.sleep(after)
        kind, body = (ADVERT, EMPTY) if scope["method"] == "GET" else (RESULT, TAKEN)
        await send({"type": "http.response.start", "status": 200, "headers": _raw(kind)})
        await send({"type": "http.response.body", "body": body})

    return app


@pytest.mark.fault(43)
async def test_a_cancelled_push_frees_the_thread_at_once() -> None:
    """Row 43."""
    silent = SilentServer()
    sock = listen()
    git = GitClient(timeout=3600, max_pushes=1, outbound=OUTBOUND)

    async def cancelled() -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tg:
                tg.start_soon(git.push, f"{address(sock)}/octo/hello.git", TOKEN, SNAPSHOT)
                await silent.requested.wait()
                scope.cancel()

    async with served(silent, sock):
        await cancelled()
        await silent.disconnected.wait()


@pytest.mark.fault(43)
async def test_waiting_for_another_push_does_not_count_towards_the_timeout() -> None:
    """Row 43: the second push has all of its time, however long the first one stalled. Alone it takes a small
    part of that time: nothing is spawned."""
    silent = SilentServer()
    sock, other = listen(), listen()
    git = GitClient(timeout=2, max_pushes=1, outbound=OUTBOUND)
    async with (
        served(silent, sock),
        served(_accepting(after=0), other),
        anyio.create_task_group() as tg,
    ):

        async def stall() -> None:
            with pytest.raises(GitTimeout):
                await git.push(f"{address(sock)}/octo/hello.git", TOKEN, SNAPSHOT)

        tg.start_soon(stall)
        await silent.requested.wait()
        assert await git.push(f"{address(other)}/octo/hello.git", TOKEN, SNAPSHOT) == commit_sha(SNAPSHOT)


# --- 44-47: refusals ----------------------------------------------------------------------------------

GH013 = f"""
cat >&2 <<'EOF'
error: GH013: Repository rule violations found for refs/heads/main.

- GITHUB PUSH PROTECTION
  - Push cannot contain secrets: {TOKEN} in src/app/main.py:1
EOF
exit 1
"""


@pytest.mark.fault(44)
@pytest.mark.parametrize("kind", ["pre-receive", "update"])
async def test_a_secret_in_the_files_is_reported_with_the_server_s_message(
    github: ScriptedGitHub, kind: str
) -> None:
    """Row 44."""
    github.git.hook("octo", "hello", kind, GH013)
    with pytest.raises(
        PushSecret, match=r"GH013: Repository rule violations.* in src/app/main\.py:1"
    ) as caught:
        await push(github)
    assert TOKEN not in caught.value.message
    assert "\n" not in caught.value.message
    assert hits(github).count("receive_pack") == 1
    assert await github.head("hello") is None


WORKFLOW = (
    "refusing to allow a Personal Access Token to create or update workflow `.github/workflows/x.yml` "
    "without `workflow` scope"
)


@pytest.mark.fault(45)
async def test_a_missing_workflow_scope_is_reported(github: ScriptedGitHub) -> None:
    """Row 45: GitHub's message is in the report itself."""
    report = _pkt(b"unpack ok\n") + _pkt(f"ng refs/heads/main {WORKFLOW}\n".encode()) + b"0000"
    github.fail("receive_pack", Fault(status=200, headers=REPORT, body=_pkt(b"\x01" + report) + b"0000"))
    with pytest.raises(PushWorkflowScope, match="without `workflow` scope"):
        await push(github)


@pytest.mark.fault(45)
async def test_a_hook_that_refuses_workflows_is_recognised(github: ScriptedGitHub) -> None:
    """Row 45."""
    github.git.hook("octo", "hello", "update", f"cat >&2 <<'EOF'\n{WORKFLOW}\nEOF\nexit 1\n")
    with pytest.raises(PushWorkflowScope):
        await push(github)


@pytest.mark.fault(46)
async def test_a_large_file_is_reported(github: ScriptedGitHub) -> None:
    """Row 46."""
    message = (
        "error: GH001: Large files detected. File big.bin is 123.00 MB; this exceeds the limit of 100.00 MB"
    )
    github.git.hook("octo", "hello", "pre-receive", f"echo '{message}' >&2; exit 1\n")
    with pytest.raises(PushTooLarge, match="GH001"):
        await push(github)


@pytest.mark.fault(46)
async def test_a_push_over_the_server_s_limit_is_reported(github: ScriptedGitHub) -> None:
    """Row 46."""
    await github.git.git(github.git.path("octo", "hello"), "config", "receive.maxInputSize", "10")
    with pytest.raises(PushTooLarge, match="exceeds maximum allowed size"):
        await push(github)


@pytest.mark.fault(47)
async def test_objects_that_do_not_unpack_are_reported(github: ScriptedGitHub) -> None:
    """Row 47: the server validates objects, and an author needs an address."""
    await github.git.git(github.git.path("octo", "hello"), "config", "transfer.fsckObjects", "true")
    with pytest.raises(GitRejected, match=r"unpack.* error|missingEmail|fsck"):
        await push(github, replace(SNAPSHOT, author="nobody"))
    assert await github.head("hello") is None


@pytest.mark.fault(47)
async def test_another_refusal_is_reported_with_the_server_s_message(github: ScriptedGitHub) -> None:
    """Row 47; the message is cut, and control characters are removed."""
    script = "printf 'computer \\033[31msays\\007 no%1000d' 0 >&2; exit 1\n"
    github.git.hook("octo", "hello", "pre-receive", script)
    with pytest.raises(GitRejected, match=r"computer .*says.* no") as caught:
        await push(github)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 600


# --- 48-51: unclear outcomes --------------------------------------------------------------------------


BASIC = b64encode(f"x-access-token:{TOKEN}".encode())
FLUSH_ONLY = [b"0000", _pkt(b"\x01" + b"0000") + b"0000", _pkt(b"\x02got " + BASIC + b"\n") + b"0000"]


@pytest.mark.fault(48)
@pytest.mark.parametrize("body", FLUSH_ONLY)
async def test_without_a_report_the_ref_is_read_again(github: ScriptedGitHub, body: bytes) -> None:
    """Row 48."""
    github.fail("receive_pack", Fault(status=200, headers=REPORT, body=body, after=True))
    assert await push(github) == await github.head("hello")
    github.fail("receive_pack", Fault(status=200, headers=REPORT, body=body))
    await github.add("other")
    with pytest.raises(GitProtocol, match="did not say whether") as caught:
        await push(github, name="other")
    assert BASIC.decode() not in caught.value.message
    assert hits(github) == ["info_refs", "receive_pack", "info_refs"] * 2


@pytest.mark.fault(49)
async def test_a_branch_with_other_commits_is_left_unchanged(github: ScriptedGitHub) -> None:
    """Row 49."""
    await push(github, OTHER)
    with pytest.raises(NonFastForward, match="choose another repo_name"):
        await push(github)
    assert await github.head("hello") == commit_sha(OTHER)
    assert github.effects["push"] == 1


@pytest.mark.fault(49)
@pytest.mark.parametrize("winner", [SNAPSHOT, OTHER])
async def test_a_push_that_lost_a_race_succeeds_only_if_the_winner_is_the_same_commit(
    github: ScriptedGitHub, winner: Snapshot
) -> None:
    """Row 49: the branch appears after the refs were read and before the push."""
    await push(github, winner)
    github.fail("info_refs", Fault(status=200, headers=ADVERT, body=EMPTY))
    if winner is SNAPSHOT:
        assert await push(github) == commit_sha(SNAPSHOT)
    else:
        with pytest.raises(NonFastForward):
            await push(github)
    assert await github.head("hello") == commit_sha(winner)


UNCLEAR = {
    "lost": Fault(lost=True, after=True),
    "cut": Fault(status=200, headers=REPORT, body=b"0030\x01", after=True),
    "bad gateway": Fault(status=502, after=True),
    "HTML": Fault(status=200, headers={"content-type": "text/html"}, body=b"<html>", after=True),
}


@pytest.mark.fault(50)
@pytest.mark.parametrize("reply", UNCLEAR)
async def test_a_push_that_was_applied_succeeds_whatever_the_response(
    github: ScriptedGitHub, reply: str
) -> None:
    """Row 50."""
    github.fail("receive_pack", UNCLEAR[reply])
    assert await push(github) == await github.head("hello")
    assert hits(github) == ["info_refs", "receive_pack", "info_refs"]


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    ("reply", "error"),
    [("lost", GitNetwork), ("cut", GitProtocol), ("bad gateway", GitUnavailable), ("HTML", GitProtocol)],
)
async def test_a_push_that_was_not_applied_fails_and_is_not_sent_again(
    github: ScriptedGitHub, reply: str, error: type[GitError]
) -> None:
    """Row 50."""
    github.fail("receive_pack", replace(UNCLEAR[reply], after=False))
    with pytest.raises(error):
        await push(github)
    assert hits(github) == ["info_refs", "receive_pack", "info_refs"]


@pytest.mark.fault(50)
async def test_the_error_of_the_push_is_raised_if_the_ref_cannot_be_read(github: ScriptedGitHub) -> None:
    """Row 50."""
    github.fail("receive_pack", Fault(status=502))
    github.fail("info_refs", Fault(status=200, headers=ADVERT, body=EMPTY), Fault(status=404))
    with pytest.raises(GitUnavailable):
        await push(github)


@pytest.mark.fault(50)
async def test_a_branch_at_our_commit_needs_no_push(github: ScriptedGitHub) -> None:
    """Row 50, after a restart."""
    await push(github)
    assert await push(github) == commit_sha(SNAPSHOT)
    assert hits(github) == ["info_refs", "receive_pack", "info_refs"]


@pytest.mark.fault(51)
async def test_html_in_place_of_git_is_reported(github: ScriptedGitHub) -> None:
    """Row 51."""
    page = Fault(status=200, headers={"content-type": "text/html"}, body=b"<html>Welcome to the hotel</html>")
    github.fail("info_refs", page)
    with pytest.raises(GitProtocol, match="text/html"):
        await push(github)
    assert hits(github) == ["info_refs"]


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"zzzz",
        b"0003",
        b"ffff",
        b"0004",
        SERVICE[:-4],
        _pkt(b"# service=git-upload-pack\n") + b"0000",
        SERVICE + _pkt(b"nonsense\n") + b"0000",
        SERVICE + _pkt(b"ERR access denied") + b"0000",
        SERVICE + _pkt(b"short refs/heads/main\0a=b\n") + b"0000",
        _pkt(b"version 9\n") + b"0000",
    ],
)
async def test_malformed_packet_lines_are_reported(github: ScriptedGitHub, body: bytes) -> None:
    """Row 51."""
    github.fail("info_refs", Fault(status=200, headers=ADVERT, body=body))
    with pytest.raises(GitError) as caught:
        await push(github)
    assert type(caught.value) in (GitProtocol, NonFastForward)
    assert hits(github) == ["info_refs"]


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"zzzz",
        _pkt(b"") + b"0000",
        _pkt(b"\x09what") + b"0000",
        _pkt(b"\x03fatal: no") + b"0000",
        _pkt(b"\x01" + _pkt(b"unpack ok\n") * 2),
        _pkt(b"\x01" + _pkt(b"unpack ok") + _pkt(b"xx refs/heads/main")) + b"0000",
        _pkt(b"\x01" + _pkt(b"unpack ok") + _pkt(b"ng \xff\xfe \xff")) + b"0000",
    ],
)
async def test_a_malformed_report_is_reported(github: ScriptedGitHub, body: bytes) -> None:
    """Row 51."""
    github.fail("receive_pack", Fault(status=200, headers=REPORT, body=body))
    with pytest.raises(GitProtocol):
        await push(github)


@pytest.mark.fault(51)
async def test_a_server_without_http_is_reported() -> None:
    """Row 51."""
    for acts in ([b"SSH-2.0-OpenSSH_9.6\r\n"], [Act.RESET]):
        async with peer(lambda _, acts=acts: acts) as server:
            with pytest.raises(GitNetwork):
                await GitClient(outbound=OUTBOUND).push(f"{server.base_url}/octo/hello.git", TOKEN, SNAPSHOT)
        assert server.connections == 1


# --- 52: the environment ------------------------------------------------------------------------------


@pytest.mark.fault(52)
async def test_the_environment_s_git_and_proxy_settings_are_ignored(
    github: ScriptedGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 52: each of these would send the token to another server, or change the commit."""
    async with peer(lambda _: []) as evil:
        home = tmp_path / "home"
        (home / "hooks").mkdir(parents=True)
        (home / ".gitconfig").write_text(
            f'[url "{evil.base_url}/"]\n\tinsteadOf = {github.url}/\n\tpushInsteadOf = {github.url}/\n'
            f"[http]\n\tproxy = {evil.base_url}\n\textraHeader = X-Evil: 1\n"
            f"[core]\n\thooksPath = {home}/hooks\n[user]\n\tname = Mallory\n[commit]\n\tgpgSign = true\n"
        )
        (home / ".netrc").write_text("machine 127.0.0.1 login mallory password mallory\n")
        monkeypatch.chdir(home)
        variables = {
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "NETRC": home / ".netrc",
            "GIT_CONFIG_GLOBAL": home / ".gitconfig",
            "GIT_CONFIG_SYSTEM": home / ".gitconfig",
            "GIT_CONFIG_COUNT": 1,
            "GIT_CONFIG_KEY_0": f"url.{evil.base_url}/.insteadOf",
            "GIT_CONFIG_VALUE_0": f"{github.url}/",
            "GIT_DIR": home,
            "GIT_WORK_TREE": home,
            "GIT_ASKPASS": "/bin/false",
            "GIT_AUTHOR_NAME": "Mallory",
            "GIT_AUTHOR_DATE": "2001-01-01T00:00:00",
            "GIT_COMMITTER_NAME": "Mallory",
            "TZ": "Asia/Kathmandu",
        }
        for proxy in ("http_proxy", "https_proxy", "all_proxy"):
            variables |= {proxy: evil.base_url, proxy.upper(): evil.base_url}
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        async with github_client(github.api_url) as client:
            repo = await client.host.create(replace(SPEC, name="fresh"), SNAPSHOT)
            pushed = await client.host.push(repo, SNAPSHOT)
        assert evil.connections == 0
    assert pushed == await github.head("fresh") == KNOWN_SHA
    assert not any("x-evil" in request.headers for request in github.requests)


@pytest.mark.fault(52)
async def test_a_push_is_not_redirected(github: ScriptedGitHub) -> None:
    """Row 52: another host cannot obtain the token."""
    async with peer(lambda _: []) as evil:
        location = {"location": f"{evil.base_url}/octo/hello.git/info/refs?service=git-receive-pack"}
        github.fail("info_refs", Fault(status=301, headers=location))
        with pytest.raises(GitProtocol, match="status 301"):
            await push(github)
        assert evil.connections == 0


@pytest.mark.fault(52)
async def test_the_token_is_in_a_header_and_in_no_url(github: ScriptedGitHub) -> None:
    """Row 52."""
    await push(github)
    assert all(TOKEN not in request.path for request in github.requests)
    assert all(request.headers["authorization"].startswith("Basic ") for request in github.requests)
