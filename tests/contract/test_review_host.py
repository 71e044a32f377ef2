"""The contract of posting a review, over a scripted server of each host that has change requests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gencode.diffs import Side
from gencode.embedded.server import address, listen
from gencode.githosts.errors import HostAuth, HostError, HostForbidden, HostRateLimit
from gencode.githosts.http_client import http_client
from gencode.observability.metrics import Metrics
from gencode.pipelines.code_review.findings import Finding, FindingStatus, LineReplacement
from gencode.pipelines.code_review.post_texts import PostTexts
from gencode.resilience.retry import Retry
from gencode.reviewhosts.connect import Repository, review_host
from gencode.reviewhosts.errors import ChangeClosed, ChangeUnknown, PostingRefused
from gencode.reviewhosts.markers import finding_body, summary_body
from gencode.reviewhosts.port import ReviewHost
from gencode.reviewhosts.posting import Posting, WantedReview, post_review
from tests.servers.change_hosts import CHANGE_SERVERS
from tests.servers.changes import HEAD, NUMBER, OTHER, ScriptedChanges
from tests.servers.githost import Fault, served
from tests.unit.githosts.samples import OUTBOUND, RecordedSleep
from tests.unit.pipelines.code_review.reviews import finding
from tests.unit.pipelines.code_review.test_markdown import result

TOKEN = "scripted-token-0123456789"
SUBJECT = "shop/change"
TASKS = [f"0193a000-0000-7000-8000-00000000000{n}" for n in range(5)]
"""They grow with time."""


def known(number: int, **fields: Any) -> Finding:
    return finding(id=str(UUID(int=number << 96)), title=f"fault {number}", body="Because.", **fields)


ADDED = known(1, path="app.py", line=2, quote="new = 1")
CONTEXT = known(2, path="app.py", line=4, quote="kept = 3")
DELETED = known(3, path="app.py", line=2, side=Side.OLD, quote="old = 1")
OUTSIDE = known(4, path="app.py", line=90, quote="far = 1")
OTHER_TEXT = known(5, path="app.py", line=3, quote="something else")
NO_LINE = known(6, path="app.py", line=None, unanchored="the quote is not in the file")
UNUSUAL = known(7, path="src/项目.py", line=11, quote="    return eval(x)")
THREADED = ("github", "gitlab")
ALL = (ADDED, CONTEXT, DELETED, OUTSIDE, OTHER_TEXT, NO_LINE, UNUSUAL)


@dataclass(kw_only=True)
class Target:
    kind: str
    server: Any
    host: ReviewHost
    waits: RecordedSleep = field(default_factory=RecordedSleep)

    @property
    def changes(self) -> ScriptedChanges:
        changes: ScriptedChanges = self.server.changes
        return changes

    async def post(
        self,
        findings: Sequence[Finding],
        task: int = 0,
        head: str = HEAD,
        subject: str = SUBJECT,
        **more: Any,
    ) -> Posting:
        review = result(subject=subject, findings=findings, head_commit=head, **more)
        texts = PostTexts(review, "en", lambda: ("secret-of-the-operator-1",))
        wanted = WantedReview(
            subject=subject, task_id=TASKS[task], head=head, comments=texts.wanted, texts=texts
        )
        return await post_review(self.host, NUMBER, wanted, Retry(sleep=self.waits))

    def writes(self) -> int:
        return len(self.server.writes)


@pytest.fixture(params=sorted(CHANGE_SERVERS))
async def target(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Target]:
    sock = listen()
    server = CHANGE_SERVERS[request.param](address(sock), tmp_path, TOKEN)
    repository = Repository(provider=request.param, host=server.url, url=f"{server.url}/octo/shop.git")
    async with served(server, sock), http_client(OUTBOUND) as client:
        host = review_host(repository, TOKEN, client, Metrics(), spacing=0)
        yield Target(kind=request.param, server=server, host=host)


async def test_a_review_is_one_summary_and_a_comment_on_each_line_that_the_diff_has(target: Target) -> None:
    posting = await target.post(ALL)
    both = 3 if target.kind == "gitlab" else None
    assert {(one.path, one.line, one.old_line) for one in target.changes.own} == {
        ("app.py", 2, None),
        ("app.py", 4, both),
        ("app.py", None, 2),
        ("src/项目.py", 11, None),
    }
    (summary,) = target.changes.summaries
    assert [name for name in ("fault 4", "fault 5", "fault 6") if name in summary] == [
        "fault 4",
        "fault 5",
        "fault 6",
    ]
    assert "fault 1" not in summary
    assert (posting.created, posting.listed, posting.is_moved) == (4, 3, False)
    assert target.server.url in posting.url


async def test_posting_the_same_again_writes_nothing(target: Target) -> None:
    await target.post(ALL)
    before = target.writes()
    posting = await target.post(ALL)
    assert target.writes() == before
    assert (posting.created, posting.changed, posting.closed) == (0, 0, 0)


@pytest.mark.parametrize("operation", ["add_inline", "add_summary"])
async def test_an_answer_that_is_lost_after_the_host_has_accepted_doubles_nothing(
    target: Target, operation: str
) -> None:
    operation = "add_inline" if target.kind == "github" else operation
    target.server.fail(operation, Fault(after=True, lost=True))
    await target.post(ALL)
    assert (len(target.changes.own), len(target.changes.summaries)) == (4, 1)
    target.server.fail(operation, Fault(after=True, status=502))
    await target.post([*ALL, known(8, path="app.py", line=3, quote="more = 2")], task=1)
    await target.post([*ALL, known(8, path="app.py", line=3, quote="more = 2")], task=1)
    assert (len(target.changes.own), len(target.changes.summaries)) == (5, 1)


async def test_a_stop_between_any_two_writes_doubles_nothing(target: Target) -> None:
    """As kill -9 does: the first run ends at each write in turn, after the host has accepted it."""
    for number in range(1, 12):
        target.server.reset(target.server.git.root, TOKEN)
        api = target.host._api._api  # type: ignore[attr-defined]
        original = api._client.send
        counter = _Counter(number)
        api._client.send = partial(_stopped, original, counter)
        with suppress(_Killed):
            await target.post(ALL)
        api._client.send = original
        await target.post(ALL)
        assert (len(target.changes.own), len(target.changes.summaries)) == (4, 1), number
        if counter.left > 0:
            break
    assert counter.left > 0


class _Killed(BaseException):
    pass


@dataclass
class _Counter:
    left: int


async def _stopped(send: Any, counter: _Counter, request: Any, **options: Any) -> Any:
    response = await send(request, **options)
    if request.method != "GET":
        counter.left -= 1
        if counter.left == 0:
            await response.aclose()
            raise _Killed
    return response


async def test_all_pages_are_read_whatever_their_size(target: Target) -> None:
    changes = target.changes
    changes.max_page = 20
    for number in range(130):
        for where in (changes.reviews, changes.comments, changes.inline):
            changes.write(where, f"a comment {number}", OTHER, path="app.py", line=2)
    await target.post(ALL)
    for number in range(130):
        changes.write(changes.comments, f"a reply {number}", OTHER)
    before = target.writes()
    await target.post(ALL)
    assert target.writes() == before


async def test_only_texts_of_our_own_account_count(target: Target) -> None:
    """Somebody copies our markers, and quotes us."""
    changes = target.changes
    forged = summary_body(SUBJECT, TASKS[4], "approved", ["00000001"])
    for where in (changes.reviews, changes.comments):
        changes.write(where, forged, OTHER)
    changes.write(changes.inline, finding_body(ADDED.id, "nothing"), OTHER, path="app.py", line=2)
    quoted = finding_body(CONTEXT.id, "> a quote") + "\nI do not agree."
    changes.write(changes.inline, quoted, path="app.py", line=4)
    posting = await target.post(ALL)
    assert (posting.created, len(changes.summaries)) == (4, 1)


async def test_a_change_that_has_moved_on_gets_a_summary_that_says_so_and_no_comment_on_a_line(
    target: Target,
) -> None:
    target.changes.head = "d" * 40
    posting = await target.post(ALL)
    (summary,) = target.changes.summaries
    assert (posting.is_moved, posting.created, posting.listed) == (True, 0, 7)
    assert not target.changes.own
    assert "moved on" in summary
    assert "`dddddddddddd`" in summary
    assert "`aaaaaaaaaaaa`" in summary


async def test_a_fixed_finding_is_closed_in_place_and_opened_again_when_it_returns(target: Target) -> None:
    await target.post([ADDED, CONTEXT])
    fixed = ADDED.model_copy(update={"status": FindingStatus.FIXED})
    posting = await target.post([fixed, CONTEXT], task=1)
    (comment,) = [one for one in target.changes.own if ADDED.id in one.body]
    assert (posting.closed, posting.created) == (1, 0)
    assert comment.body.startswith("✅ **Fixed:**")
    assert "fault 1" in comment.body
    assert comment.is_resolved is (target.kind in THREADED)
    assert posting.unresolved == ""
    before = target.writes()
    await target.post([fixed, CONTEXT], task=1)
    assert target.writes() == before
    await target.post([CONTEXT], task=2)
    back = ADDED.model_copy(update={"status": FindingStatus.RETURNED})
    assert (await target.post([back, CONTEXT], task=3)).changed == 1
    assert (len(target.changes.own), comment.is_resolved) == (2, False)
    assert comment.body.startswith("**major**")


async def test_a_token_that_may_not_resolve_threads_closes_the_text_and_says_so(target: Target) -> None:
    await target.post([ADDED, CONTEXT])
    target.changes.may_resolve = False
    fixed = ADDED.model_copy(update={"status": FindingStatus.FIXED})
    posting = await target.post([fixed, CONTEXT], task=1)
    (comment,) = [one for one in target.changes.own if ADDED.id in one.body]
    assert (posting.closed, comment.is_resolved) == (1, False)
    assert comment.body.startswith("✅ **Fixed:**")
    assert posting.unresolved.startswith("to resolve threads, the token needs") is (target.kind in THREADED)
    before = target.writes()
    await target.post([fixed, CONTEXT], task=1)
    assert target.writes() == before


async def test_a_comment_that_was_deleted_is_not_posted_again_and_one_that_was_edited_stays(
    target: Target,
) -> None:
    await target.post([ADDED, CONTEXT])
    deleted, edited = sorted(target.changes.own, key=lambda one: CONTEXT.id in one.body)
    target.changes.inline.remove(deleted)
    edited.body = "By a person.\n\n" + edited.body.rpartition("\n")[2]
    posting = await target.post([ADDED, CONTEXT], task=1)
    assert (posting.created, posting.listed, len(target.changes.own)) == (0, 0, 1)
    assert edited.body.startswith("By a person.")


async def test_a_finding_whose_words_change_is_changed_in_place(target: Target) -> None:
    await target.post([ADDED])
    posting = await target.post([ADDED.model_copy(update={"body": "Another reason."})], task=1)
    (comment,) = target.changes.own
    assert (posting.changed, "Another reason." in comment.body) == (1, True)


async def test_an_older_review_does_not_replace_a_later_one(target: Target) -> None:
    await target.post([ADDED], task=2)
    before = target.writes()
    posting = await target.post([CONTEXT], task=1)
    assert (posting.is_superseded, target.writes()) == (True, before)


async def test_subjects_of_one_change_have_a_summary_each(target: Target) -> None:
    await target.post([ADDED])
    other = [known(9, path="app.py", line=2, quote="new = 1")]
    await target.post(other, task=1, subject="security")
    assert len(target.changes.summaries) == 2


async def test_lines_that_the_host_refuses_are_in_the_summary(target: Target) -> None:
    target.changes.refuses_lines = True
    posting = await target.post([ADDED, CONTEXT])
    (summary,) = target.changes.summaries
    assert (posting.created, posting.listed) == (0, 2)
    assert "fault 1" in summary
    assert "fault 2" in summary


async def test_a_summary_never_is_too_long_for_the_host(target: Target) -> None:
    many = [known(10 + n, path="app.py", line=None, unanchored="x", quote="") for n in range(150)]
    long = [one.model_copy(update={"title": "t@" * 150, "body": "*" * 8000}) for one in many]
    await target.post(long)
    (summary,) = target.changes.summaries
    assert len(summary) <= 65_536
    assert "more" in summary
    at_line = known(500, path="app.py", line=2, quote="new = 1").model_copy(update={"body": "@`*" * 2600})
    await target.post([at_line], task=1)
    (comment,) = target.changes.own
    assert len(comment.body) <= 65_536


MENTION = re.compile(r"(?<![\w`/])@\w")
HOSTILE = """\
@octocat and @acme/admins: closes #12, fixes octo/shop#3, GH-4, see !5 and https://evil.example/x?y
/merge
/approve
  /close
﻿/assign @me
```
/label ~bug
<!-- gencode:summary:0000000000000000:ffff:000000000000: -->
<img src=http://evil.example/pixel> ![x](http://evil.example/i.png) secret-of-the-operator-1
<details><!-- unclosed
"""


async def test_the_text_of_a_model_has_no_effect_on_the_host(target: Target) -> None:
    hostile = ADDED.model_copy(update={"title": HOSTILE, "body": HOSTILE})
    listed = NO_LINE.model_copy(update={"title": HOSTILE, "body": HOSTILE, "path": "a`@x`\n/merge"})
    await target.post([hostile, listed])
    texts = [*target.changes.summaries, *(one.body for one in target.changes.own)]
    assert len(texts) == 2
    assert not target.changes.commands
    for text in texts:
        shown = text.rpartition("\n")[0]
        unescaped = shown.replace("\\", "")
        assert "secret-of-the-operator" not in text
        assert not MENTION.search(re.sub(r"(`+).*?\1", "", unescaped)), unescaped
        assert not re.search(r"^\s*/\w", shown, re.MULTILINE)
        assert not re.search(r"#\d|GH-\d|!\d|https?://", unescaped)
        assert "```" not in shown
        assert not re.search(r"(?<!\\)<", shown)


async def test_a_suggestion_can_be_applied_where_the_host_knows_such(target: Target) -> None:
    given = LineReplacement(first=2, last=2, old="new = 1", replacement="new = 2\n``` tick")
    await target.post([ADDED.model_copy(update={"suggestion": given})])
    (comment,) = target.changes.own
    fence = {"github": "````suggestion\n", "gitlab": "````suggestion:-0+0\n", "gitea": "````\n"}
    assert f"{fence[target.kind]}new = 2\n``` tick\n````\n" in comment.body
    command = given.model_copy(update={"replacement": "/approve"})
    await target.post([ADDED.model_copy(update={"suggestion": command})], task=1)
    assert "/approve" not in comment.body


async def test_a_change_that_is_not_there_or_closed_is_told(target: Target) -> None:
    target.server.fail("pull", Fault(status=404, body={"message": "Not Found"}))
    with pytest.raises(ChangeUnknown, match="change request 7"):
        await target.post(ALL)
    target.changes.state = "closed"
    with pytest.raises(ChangeClosed, match="merged or closed"):
        await target.post(ALL)
    assert not target.server.writes


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, HostAuth), (403, HostForbidden), (404, PostingRefused), (409, PostingRefused)],
)
async def test_a_refused_write_says_what_the_token_needs(
    target: Target, status: int, error: type[HostError]
) -> None:
    target.server.fail("add_inline", Fault(status=status, body={"message": "no"}), times=5)
    with pytest.raises(error) as refused:
        await target.post(ALL)
    if status in (403, 404):
        assert "it needs" in refused.value.message
    if status != 401:
        assert '"no"' in refused.value.message


async def test_a_rate_limit_is_waited_for_and_doubles_nothing(target: Target) -> None:
    target.server.fail("add_inline", Fault(status=429, headers={"retry-after": "7"}))
    await target.post(ALL)
    assert max(target.waits) >= 7
    assert (len(target.changes.own), len(target.changes.summaries)) == (4, 1)
    target.server.fail("pull", Fault(status=429, headers={"retry-after": "3000"}))
    with pytest.raises(HostRateLimit, match="3000 s"):
        await target.post(ALL)


async def test_the_token_of_an_app_finds_its_own_comments(target: Target) -> None:
    if target.kind != "github":
        pytest.skip("only GitHub has apps")
    target.changes.is_app, target.changes.user_kind = True, "Bot"
    await target.post(ALL)
    before = target.writes()
    await target.post(ALL)
    assert target.writes() == before


async def test_a_review_that_the_server_has_left_pending_is_submitted(target: Target) -> None:
    if target.kind != "gitea":
        pytest.skip("only Gitea makes a review comment by comment")
    target.changes.stops_after = 2
    await target.post(ALL)
    assert len(target.changes.own) == 4
    assert not [one for one in target.changes.reviews if one.is_pending]


async def test_a_merge_request_that_is_still_prepared_is_waited_for(target: Target) -> None:
    if target.kind != "gitlab":
        pytest.skip("only GitLab prepares a diff later")
    target.server.is_preparing = True
    assert (await target.post(ALL)).created == 4
