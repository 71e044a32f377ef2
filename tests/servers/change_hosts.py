"""Scripted hosts with one change request, by their public descriptions and what their trackers say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.servers.changes import NUMBER, OURS, ScriptedChanges, Written, hunks_text, page_of
from tests.servers.gitea import ScriptedGitea
from tests.servers.githost import ReceivedRequest, route
from tests.servers.github import ScriptedGitHub
from tests.servers.gitlab import ScriptedGitLab

_PULLS = r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"


class GitHubChanges(ScriptedGitHub):
    """A review is refused whole for one line outside of the diff, and for more than 65,536 characters."""

    _BASE = rf"/api/v3{_PULLS}"
    routes = (
        *ScriptedGitHub.routes,
        route("GET", rf"{_BASE}/pulls/7", "pull"),
        route("GET", rf"{_BASE}/pulls/7/files", "files"),
        route("GET", rf"{_BASE}/pulls/7/reviews", "list_reviews"),
        route("GET", rf"{_BASE}/pulls/7/comments", "list_inline"),
        route("POST", rf"{_BASE}/pulls/7/reviews", "add_inline"),
        route("PUT", rf"{_BASE}/pulls/7/reviews/(?P<id>\d+)", "edit_summary"),
        route("PATCH", rf"{_BASE}/pulls/comments/(?P<id>\d+)", "edit_inline"),
        route("POST", r"/api/graphql", "graphql"),
    )

    def reset(self, root: Any, token: str = "") -> None:
        super().reset(root, token)
        self.changes = ScriptedChanges()

    async def user(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        if self.changes.is_app:
            return self.refusal(403, "Resource not accessible by integration")
        return await super().user(seen, found)

    async def pull(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        body = {"number": NUMBER, "state": self.changes.state, "head": {"sha": self.changes.head}}
        return JSONResponse({**body, "html_url": f"{self.url}/octo/shop/pull/7"})

    async def files(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        texts = hunks_text(self.changes.patch)
        files = [{"filename": path, "status": "modified", "patch": text} for path, text in texts.items()]
        return self._page(seen, files)

    async def list_reviews(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        return self._page(seen, [self._written(one) for one in self.changes.reviews])

    async def list_inline(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        return self._page(seen, [self._written(one) for one in self.changes.inline])

    async def add_inline(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        review = seen.json()
        lines = review.get("comments", [])
        if len(review["body"]) > 65_536 or not review["body"]:
            return self.refusal(422, "Body is too long (maximum is 65536 characters)")
        if (self.changes.refuses_lines and lines) or not all(map(self._is_in_diff, lines)):
            return self.refusal(422, "Pull request review thread line must be part of the diff")
        made = self.changes.write(self.changes.reviews, review["body"])
        for one in lines:
            sides: dict[str, Any] = {"line" if one["side"] == "RIGHT" else "old_line": one["line"]}
            self.changes.write(self.changes.inline, one["body"], path=one["path"], review=made.id, **sides)
        return JSONResponse(self._written(made))

    def _is_in_diff(self, one: Mapping[str, Any]) -> bool:
        at = 1 if one["side"] == "RIGHT" else 0
        return one["line"] in {numbers[at] for numbers in self.changes.numbers(one["path"])}

    async def edit_summary(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        return self._edit(seen, found)

    async def edit_inline(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        return self._edit(seen, found)

    async def graphql(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        """A refusal is 200 with `errors`."""
        query, variables = seen.json()["query"], seen.json()["variables"]
        if "reviewThreads" in query:
            assert (variables["owner"], variables["name"], variables["number"]) == ("octo", "shop", NUMBER)
            return JSONResponse({"data": {"repository": {"pullRequest": self._threads(variables)}}})
        if not self.changes.may_resolve:
            refused = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
            return JSONResponse({"data": {"resolveReviewThread": None}, "errors": [refused]})
        one = self.changes.by_id(variables["thread"].removeprefix("PRRT_"))
        assert one
        one.is_resolved = "unresolve" not in query
        return JSONResponse({"data": {"resolveReviewThread": {"clientMutationId": None}}})

    def _threads(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """One a page."""
        at = int(variables["after"] or 0)
        nodes = [
            {
                "id": f"PRRT_{one.id}",
                "isResolved": one.is_resolved,
                "comments": {"nodes": [{"url": f"{self.url}/octo/shop/pull/7#discussion_r{one.id}"}]},
            }
            for one in self.changes.inline
        ]
        page = {"hasNextPage": at + 1 < len(nodes), "endCursor": str(at + 1)}
        return {"reviewThreads": {"pageInfo": page, "nodes": nodes[at : at + 1]}}

    def _edit(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        one = self.changes.by_id(found["id"])
        if one is None or one.user != OURS:
            return self.refusal(404, "Not Found")
        one.body = seen.json()["body"]
        return JSONResponse(self._written(one))

    def _written(self, one: Written) -> dict[str, Any]:
        kind = self.changes.user_kind if one.user == OURS else "User"
        user = {"id": one.user, "login": f"user{one.user}", "type": kind}
        return {"id": one.id, "body": one.body, "user": user, "path": one.path, "line": one.line}

    def _page(self, seen: ReceivedRequest, items: list[Any]) -> Response:
        shown, has_next = page_of(seen, items, self.changes.max_page, "per_page")
        link = {"link": '<http://next>; rel="next", <http://last>; rel="last"'} if has_next else {}
        return JSONResponse(shown, headers=link)


class GitLabChanges(ScriptedGitLab):
    """A line of both sides needs both numbers, any other exactly one. A line that begins with "/" outside
    outside of code is a command."""

    _BASE = r"/api/v4/projects/[^/]+/merge_requests/7"
    routes = (
        *ScriptedGitLab.routes,
        route("GET", _BASE, "pull"),
        route("GET", rf"{_BASE}/diffs", "files"),
        route("GET", rf"{_BASE}/discussions", "list_inline"),
        route("POST", rf"{_BASE}/discussions", "add_inline"),
        route("POST", rf"{_BASE}/notes", "add_summary"),
        route("PUT", rf"{_BASE}/notes/(?P<id>\d+)", "edit_summary"),
        route("PUT", rf"{_BASE}/discussions/(?P<thread>\w+)", "resolve"),
        route("PUT", rf"{_BASE}/discussions/\w+/notes/(?P<id>\d+)", "edit_inline"),
    )

    def reset(self, root: Any, token: str) -> None:
        super().reset(root, token)
        self.changes = ScriptedChanges()
        self.is_preparing = False

    async def pull(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        refs = {"base_sha": "b" * 40, "start_sha": "c" * 40, "head_sha": self.changes.head}
        state = {"open": "opened"}.get(self.changes.state, self.changes.state)
        body: dict[str, Any] = {"iid": NUMBER, "state": state, "sha": self.changes.head, "diff_refs": refs}
        if self.is_preparing:
            self.is_preparing, body["diff_refs"] = False, None
        return JSONResponse({**body, "web_url": f"{self.url}/octo/shop/-/merge_requests/7"})

    async def files(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        texts = hunks_text(self.changes.patch)
        return self._page(seen, [{"old_path": p, "new_path": p, "diff": text} for p, text in texts.items()])

    async def list_inline(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        threads = [
            {"id": f"t{one.id}", "individual_note": not one.path, "notes": [self._written(one)]}
            for one in sorted([*self.changes.comments, *self.changes.inline], key=lambda one: one.id)
        ]
        return self._page(seen, threads)

    async def add_inline(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        body = seen.json()
        at = body["position"]
        numbers = self.changes.numbers(at["new_path"])
        shas = (at["base_sha"], at["start_sha"], at["head_sha"])
        is_known = (at.get("old_line"), at.get("new_line")) in numbers
        if self.changes.refuses_lines or not is_known or shas != ("b" * 40, "c" * 40, self.changes.head):
            text = '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}'
            return JSONResponse({"message": text}, 400)
        one = self.changes.write(
            self.changes.inline,
            self._run(body["body"]),
            path=at["new_path"],
            line=at.get("new_line"),
            old_line=at.get("old_line"),
        )
        return JSONResponse({"id": f"t{one.id}", "notes": [self._written(one)]}, 201)

    async def add_summary(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        one = self.changes.write(self.changes.comments, self._run(seen.json()["body"]))
        return JSONResponse(self._written(one), 201)

    async def edit_summary(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        return self._edit(seen, found)

    async def edit_inline(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        return self._edit(seen, found)

    async def resolve(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        if not self.changes.may_resolve:
            return JSONResponse({"message": "403 Forbidden"}, 403)
        one = self.changes.by_id(found["thread"][1:])
        assert one
        one.is_resolved = seen.json()["resolved"]
        return JSONResponse({"id": found["thread"], "notes": [self._written(one)]})

    def _edit(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        one = self.changes.by_id(found["id"])
        if one is None or one.user != OURS:
            return JSONResponse({"message": "404 Not found"}, 404)
        one.body = self._run(seen.json()["body"])
        return JSONResponse(self._written(one))

    def _run(self, body: str) -> str:
        """Commands are taken out of the text."""
        parts = re.split(r"(^(?:`{3,}).*?^(?:`{3,})$)", body, flags=re.MULTILINE | re.DOTALL)
        for part in parts[::2]:
            self.changes.commands += re.findall(r"^[ \t]*/[a-z_]+\b.*$", part, re.MULTILINE)
        return body

    def _written(self, one: Written) -> dict[str, Any]:
        return {"id": one.id, "body": one.body, "author": {"id": one.user}, "system": False}

    def _page(self, seen: ReceivedRequest, items: list[Any]) -> Response:
        shown, has_next = page_of(seen, items, self.changes.max_page, "per_page")
        link = '<http://next>; rel="next", <http://first>; rel="first"'
        return JSONResponse(shown, headers={"link": link if has_next else '<http://first>; rel="first"'})


class GiteaChanges(ScriptedGitea):
    """A page has 50 entries at most, whatever is asked for, and no link to the next; comments of an issue
    come all on each page. Any line is taken. A review is made comment by comment: until it is submitted it is
    pending."""

    _BASE = rf"/api/v1{_PULLS}"
    routes = (
        *ScriptedGitea.routes,
        route("GET", rf"{_BASE}/pulls/7", "pull"),
        route("GET", rf"{_BASE}/pulls/7\.diff", "files"),
        route("GET", rf"{_BASE}/pulls/7/reviews", "list_reviews"),
        route("GET", rf"{_BASE}/pulls/7/reviews/(?P<id>\d+)/comments", "list_inline"),
        route("GET", rf"{_BASE}/issues/7/comments", "list_comments"),
        route("POST", rf"{_BASE}/pulls/7/reviews", "add_inline"),
        route("POST", rf"{_BASE}/pulls/7/reviews/(?P<id>\d+)", "submit"),
        route("POST", rf"{_BASE}/issues/7/comments", "add_summary"),
        route("PATCH", rf"{_BASE}/issues/comments/(?P<id>\d+)", "edit_inline"),
    )

    def reset(self, root: Any, token: str) -> None:
        super().reset(root, token)
        self.changes = ScriptedChanges()

    async def pull(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        body = {"number": NUMBER, "state": self.changes.state, "head": {"sha": self.changes.head}}
        return JSONResponse({**body, "html_url": f"{self.url}/octo/shop/pulls/7"})

    async def files(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        return Response(self.changes.patch, media_type="text/plain")

    async def list_reviews(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        shown, _ = page_of(seen, self.changes.reviews, self.changes.max_page, "limit")
        return JSONResponse([self._review(one) for one in shown])

    async def list_inline(self, _seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        return JSONResponse(
            [self._written(one) for one in self.changes.inline if str(one.review) == found["id"]]
        )

    async def list_comments(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        return JSONResponse([self._written(one) for one in self.changes.comments])

    async def add_inline(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        review = seen.json()
        if self.changes.refuses_lines and review["comments"]:
            return self.refusal(422, "invalid line")
        made = self.changes.write(self.changes.reviews, "", is_pending=True)
        for number, one in enumerate(review["comments"]):
            if number == self.changes.stops_after:
                self.changes.stops_after = None
                return self.refusal(500, "database is locked")
            sides: dict[str, Any] = {
                "line": one["new_position"] or None,
                "old_line": one["old_position"] or None,
            }
            self.changes.write(self.changes.inline, one["body"], path=one["path"], review=made.id, **sides)
        made.body, made.is_pending = review["body"], False
        return JSONResponse(self._review(made))

    async def submit(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        one = self.changes.by_id(found["id"])
        if one is None or not one.is_pending:
            return self.refusal(422, "only a pending review can be submitted")
        one.body, one.is_pending = seen.json()["body"], False
        return JSONResponse(self._review(one))

    async def add_summary(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        return JSONResponse(
            self._written(self.changes.write(self.changes.comments, seen.json()["body"])), 201
        )

    async def edit_inline(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        one = self.changes.by_id(found["id"])
        if one is None:
            return self.refusal(404, "The target couldn't be found.")
        if one.user != OURS:
            return self.refusal(403, "Only user's own comments")
        one.body = seen.json()["body"]
        return JSONResponse(self._written(one))

    def _written(self, one: Written) -> dict[str, Any]:
        return {"id": one.id, "body": one.body, "user": {"id": one.user}, "path": one.path}

    def _review(self, one: Written) -> dict[str, Any]:
        inside = sum(each.review == one.id for each in self.changes.inline)
        state = "PENDING" if one.is_pending else "COMMENT"
        return {**self._written(one), "state": state, "comments_count": inside}


CHANGE_SERVERS: Mapping[str, type[GitHubChanges] | type[GitLabChanges] | type[GiteaChanges]] = {
    "github": GitHubChanges,
    "gitlab": GitLabChanges,
    "gitea": GiteaChanges,
}
