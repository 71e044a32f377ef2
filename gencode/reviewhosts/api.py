"""What the adapters share: lists over all pages, writes and their refusals, whose a text is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from gencode.githosts.api_dialect import ApiDialect, ApiRequest
from gencode.githosts.errors import HostForbidden
from gencode.githosts.host_identity import HostIdentity
from gencode.githosts.refusal_texts import account_advice
from gencode.githosts.responses import ApiResponse, error_text
from gencode.githosts.rest_api import RestApi
from gencode.reviewhosts.errors import ChangeUnknown, PostingRefused
from gencode.reviewhosts.port import Change
from gencode.security.redaction import quoted

PAGE = 50
"""Entries of a page; Gitea gives no more, whatever is asked for."""
MAX_PAGES = 100


class ReviewApi:
    """Requests for one repository. `path`: of the repository, before that of each request."""

    def __init__(self, api: RestApi, identity: HostIdentity, dialect: ApiDialect, path: str) -> None:
        self._api = api
        self._identity = identity
        self._dialect = dialect
        self._path = path

    async def account(self) -> Mapping[str, Any] | None:
        """The user of the token; None for the token of an app, which is no user."""
        try:
            response = await self._api.get("/user")
        except HostForbidden:
            return None
        if response.status == 404 or not response.body.get("id"):
            raise self._identity.errors.protocol(
                f"{self._identity.name} does not say whose the token is; check {self._identity.url_setting}"
            )
        return response.body

    async def pull_request(self, number: int) -> Change:
        """As GitHub has it, and Gitea after it. Raises ChangeUnknown."""
        found = await self.change(f"/pulls/{number}", number)
        return Change(
            number=number,
            head=text_of(object_of(found, "head"), "sha"),
            is_open=found.get("state") == "open",
            web_url=text_of(found, "html_url"),
        )

    async def change(self, path: str, number: int) -> Mapping[str, Any]:
        """Raises ChangeUnknown."""
        response = await self._api.get(self._path + path)
        if response.status == 404:
            raise self._unknown(number)
        return response.body

    async def text(self, path: str, number: int) -> bytes:
        """Raises ChangeUnknown."""
        text = await self._api.get_text(self._path + path)
        if text is None:
            raise self._unknown(number)
        return text

    async def entries(self, path: str, number: int, key: str = "id") -> AsyncIterator[Mapping[str, Any]]:
        """The entries of all pages, each once. A page may be shorter than asked for, and some hosts
        answer the whole list whatever page is asked for: a page without a new entry is the end. Raises
        ChangeUnknown."""
        seen: set[Any] = set()
        mark = "&" if "?" in path else "?"
        for page in range(1, MAX_PAGES + 1):
            size = f"per_page={PAGE}&limit={PAGE}&page={page}"
            found = await self._api.get_list(f"{self._path}{path}{mark}{size}")
            if found is None:
                raise self._unknown(number)
            new = [one for one in found.items if isinstance(one, dict) and one.get(key) not in seen]
            seen.update(one.get(key) for one in new)
            for one in new:
                yield one
            if found.is_last or not new:
                return
        raise PostingRefused(
            f"the change has more than {MAX_PAGES * PAGE} comments or files: post to another one"
        )

    async def write(self, path: str, body: Mapping[str, Any], method: str = "POST") -> Mapping[str, Any]:
        """Raises PostingRefused."""
        response = await self.attempt(path, body, method)
        if not response.reply.status < 300:
            raise self.refusal(response)
        return response.body

    async def attempt(self, path: str, body: Mapping[str, Any], method: str = "POST") -> ApiResponse:
        """The response may be a refusal: 400, 404, 409 or 422."""
        return await self._api.send(ApiRequest(path=self._path + path, body=body, method=method))

    async def graphql(self, query: str, **variables: Any) -> Mapping[str, Any]:
        """The `data` of a query about this repository, whose `$owner` and `$name` are given; it may lack what
        was asked for. Raises PostingRefused."""
        owner, name = self._path.split("/")[-2:]
        response = await self._api.graphql(query, {"owner": owner, "name": name, **variables})
        if response.status >= 300 or response.body.get("errors"):
            quote = quoted(error_text(response.body), self._api.secrets)
            raise PostingRefused(f"{self._identity.name} refuses the query ({response.status}){quote}")
        return object_of(response.body, "data")

    def refusal(self, response: ApiResponse) -> PostingRefused:
        text = error_text(response.body)
        quote = quoted(text, self._api.secrets)
        if advice := account_advice(text):
            return PostingRefused(f"{advice}{quote}")
        hint = f"; {self._dialect.permission_hint(response.reply)}" if response.status == 404 else ""
        name = self._identity.name
        return PostingRefused(f"{name} does not take the review ({response.status}){hint}{quote}")

    def _unknown(self, number: int) -> ChangeUnknown:
        needs = self._dialect.required_permissions
        return ChangeUnknown(
            f"{self._identity.name} shows no change request {number} of this repository to the token: check "
            f"the number, and that the token may see it ({needs})"
        )


def text_of(entry: Mapping[str, Any], name: str) -> str:
    """A field that should be a text; "" if it is none."""
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def object_of(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}
