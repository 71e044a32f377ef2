"""Messages of conversations, their branches and their export, beside the operations of every resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.http.base_models import UUID_SCHEMA
from gencode.http.dependencies import Services, get_extension, get_principal, get_services
from gencode.http.operation import Operation, Trait, operation
from gencode.http.parameter_types import Parameter, Text
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.resilience.thread_offload import run_on_text
from gencode.workspace.conversations.branches import MessageReader, MessageTree
from gencode.workspace.conversations.ending import cancel_answers
from gencode.workspace.conversations.messages import MessageWriter
from gencode.workspace.conversations.resource import CONVERSATIONS, view_of
from gencode.workspace.conversations.settlement import Settlement
from gencode.workspace.conversations.tables import ChatMessage, Conversation
from gencode.workspace.conversations.views import (
    ConversationExport,
    MessagePage,
    MessageView,
    as_markdown,
    message_view,
)
from gencode.workspace.parameters import CURSOR, LIMIT, ONE, id_in_path
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.workspace import Workspace

ONE_MESSAGE = Trait(path_schemas={"id": UUID_SCHEMA, "message_id": UUID_SCHEMA}, errors=(NotFound,))
MAX_EXPORTED = 20_000_000
"""Characters."""
MESSAGE_SIZE = 500
"""About what the fields of a message beside its content take."""
ORDER = Parameter(
    name="order",
    location="query",
    description="asc: from the first message on; desc: from the last one back",
    type=Text(pattern="^(asc|desc)$", rule="enum", message="is neither asc nor desc"),
    default="asc",
)
FORMAT = Parameter(
    name="format",
    location="query",
    description="json: everything; markdown: the branch that is shown, to read",
    type=Text(pattern="^(json|markdown)$", rule="enum", message="is neither json nor markdown"),
    default="json",
)
PAGE = JsonResponseSpec(model=MessagePage, description="Messages of the branch that is shown")
MESSAGE = JsonResponseSpec(model=MessageView, description="The message")
SELECTED = ResponseSpec(status=204, description="Its branch is shown")
EXPORT = JsonResponseSpec(model=ConversationExport, description="The conversation")
MARKDOWN = ResponseSpec(media_type="text/markdown", description="The branch that is shown")


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenConversation:
    """A conversation whose finished answers are complete. `texts`: of answers that are being written, by
    id."""

    row: Conversation
    tree: MessageTree
    texts: Mapping[str, str]
    reader: MessageReader

    async def views(self, ids: Sequence[str]) -> list[MessageView]:
        return self.views_of(await self.reader.messages(ids))

    def views_of(self, rows: Sequence[ChatMessage]) -> list[MessageView]:
        return [message_view(row, self.tree, self.texts) for row in rows]


async def _opened(request: Request) -> OpenConversation:
    """The conversation in the path. Raises NotFound."""
    workspace, principal = get_extension(request, Workspace), get_principal(request).id
    row = await workspace.resource(CONVERSATIONS).get(id_in_path(request), principal)
    settlement = _settlement(request)
    unfinished = await settlement.settle(principal, row.id)
    texts = {answer.answer_id: await settlement.text_so_far(answer) for answer in unfinished}
    reader = MessageReader(workspace.database)
    row = await workspace.resource(CONVERSATIONS).get(row.id, principal)
    return OpenConversation(row=row, tree=await reader.tree(row.id), texts=texts, reader=reader)


@operation(
    "listMessages",
    "GET /chat/conversations/{id:uuid}/messages",
    "List the messages of the branch that is shown",
    traits=(ONE,),
    parameters=(LIMIT, CURSOR, ORDER),
    responses=(PAGE,),
)
async def list_messages(request: Request) -> Response:
    opened, limit, cursor = await _opened(request), LIMIT.read(request), CURSOR.read(request)
    ids = opened.tree.branch(opened.row.leaf_id)
    if ORDER.read(request) == "desc":
        ids.reverse()
    start = _after(ids, cursor)
    shown = ids[start : start + limit]
    after = shown[-1] if start + limit < len(ids) else None
    return PAGE.make(MessagePage(items=await opened.views(shown), next_cursor=after))


def _after(ids: Sequence[str], cursor: str) -> int:
    """The place after the message that is the cursor."""
    if not cursor:
        return 0
    if cursor not in ids:
        raise Invalid.of(
            "cursor", "cursor", "is no message of the branch that is shown: begin at its first page"
        )
    return ids.index(cursor) + 1


@operation(
    "getMessage",
    "GET /chat/conversations/{id:uuid}/messages/{message_id:uuid}",
    "Show a message",
    traits=(ONE_MESSAGE,),
    responses=(MESSAGE,),
)
async def get_message(request: Request) -> Response:
    opened = await _opened(request)
    node = opened.tree.node(str(request.path_params["message_id"]))
    (view,) = await opened.views([node.id])
    return MESSAGE.make(view)


@operation(
    "showBranch",
    "POST /chat/conversations/{id:uuid}/messages/{message_id:uuid}/select",
    "Show the newest branch through a message; the next message continues it",
    traits=(ONE_MESSAGE,),
    responses=(SELECTED,),
)
async def show_branch(request: Request) -> Response:
    opened = await _opened(request)
    leaf = opened.tree.leaf_after(opened.tree.node(str(request.path_params["message_id"])).id)
    writer = MessageWriter(get_extension(request, Workspace).database)
    await writer.select(opened.row.id, opened.row.owner, leaf)
    return Response(status_code=SELECTED.status)


@operation(
    "exportConversation",
    "GET /chat/conversations/{id:uuid}/export",
    "Export a conversation",
    traits=(ONE,),
    parameters=(FORMAT,),
    responses=(EXPORT, MARKDOWN),
)
async def export_conversation(request: Request) -> Response:
    async with get_services(request).list_limiter.hold(get_principal(request).id):
        opened, is_markdown = await _opened(request), FORMAT.read(request) == "markdown"
        size = await opened.reader.size(opened.row.id)
        if size > MAX_EXPORTED:
            raise Invalid.of(
                "format",
                "too_large",
                Phrase("the messages have more than {max_exported} characters", max_exported=MAX_EXPORTED),
            )
        branch = opened.tree.branch(opened.row.leaf_id)
        ids = branch if is_markdown else opened.tree.all()
        rows = await opened.reader.messages(ids)
        # 5,000 messages take 300 ms.
        make = _markdown if is_markdown else partial(_json, branch)
        return await run_on_text(size + MESSAGE_SIZE * len(ids), make, opened, rows)


def _markdown(opened: OpenConversation, rows: Sequence[ChatMessage]) -> Response:
    text = as_markdown(opened.row.name, opened.views_of(rows))
    return Response(text, media_type=MARKDOWN.media_type, headers={"Cache-Control": "no-store"})


def _json(branch: list[str], opened: OpenConversation, rows: Sequence[ChatMessage]) -> Response:
    messages = opened.views_of(rows)
    return EXPORT.make(ConversationExport(conversation=view_of(opened.row), branch=branch, messages=messages))


def _settlement(request: Request) -> Settlement:
    return Settlement(get_extension(request, Workspace).database, get_services(request).store)


def _settled(one: Operation) -> Operation:
    """The operation, which first completes the caller's answers whose tasks are over."""

    async def settle_and_call(request: Request) -> Response:
        await _settlement(request).settle(get_principal(request).id)
        return await one.endpoint(request)

    return replace(one, endpoint=settle_and_call)


def _ending(one: Operation, end: Callable[[Services, str, str, Settlement], Awaitable[None]]) -> Operation:
    """The operation, after which `end` is called for the conversation in the path."""

    async def call_and_end(request: Request) -> Response:
        response = await one.endpoint(request)
        principal = get_principal(request).id
        await end(get_services(request), principal, id_in_path(request), _settlement(request))
        return response

    return replace(one, endpoint=call_and_end)


_LIST, _CREATE, _GET, _CHANGE, _DELETE = operations_of(CONVERSATIONS)
CONVERSATION_OPERATIONS = (
    _settled(_LIST),
    _CREATE,
    _settled(_GET),
    _CHANGE,
    _ending(_DELETE, cancel_answers),
    list_messages,
    get_message,
    show_branch,
    export_conversation,
)
