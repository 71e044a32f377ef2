"""The tree of a conversation's messages, and its branch that is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from gencode.domain.errors import NotFound
from gencode.workspace.conversations.tables import ChatMessage
from gencode.workspace.database import Database

MAX_MESSAGES = 10_000
"""Of a conversation, in all branches."""
MAX_SIBLINGS = 50
"""That a message names: an export would be as long as the square of their number."""
BATCH = 500
"""Ids in one statement."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    id: str
    parent_id: str | None
    role: str


class MessageTree:
    """`nodes`: in the order in which they were created."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._children: defaultdict[str | None, list[str]] = defaultdict(list)
        for node in nodes:
            self._children[node.parent_id].append(node.id)

    def node(self, message_id: str) -> Node:
        """Raises NotFound."""
        if node := self._nodes.get(message_id):
            return node
        raise NotFound("there is no such message in this conversation")

    def all(self) -> list[str]:
        """The ids in the order of creation."""
        return list(self._nodes)

    def branch(self, leaf_id: str | None) -> list[str]:
        """The ids from the first message to this one."""
        path: list[str] = []
        while leaf_id in self._nodes and len(path) < len(self._nodes):
            path.append(leaf_id)
            leaf_id = self._nodes[leaf_id].parent_id
        return path[::-1]

    def leaf_after(self, message_id: str) -> str:
        """The newest end of the branches through a message."""
        for _ in range(len(self._nodes)):
            if not (children := self._children.get(message_id)):
                break
            message_id = children[-1]
        return message_id

    def siblings(self, message_id: str) -> list[str]:
        """The messages that have the same place in other branches, itself included, in the order of their
        creation; the newest MAX_SIBLINGS."""
        return self._children[self.node(message_id).parent_id][-MAX_SIBLINGS:]


class MessageReader:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def tree(self, conversation_id: str) -> MessageTree:
        of_conversation = ChatMessage.conversation_id == conversation_id
        query = (
            select(ChatMessage.id, ChatMessage.parent_id, ChatMessage.role)
            .where(of_conversation)
            .order_by(ChatMessage.created_at, ChatMessage.id)
        )
        async with self._database.transaction() as session:
            rows = (await session.execute(query)).all()
        return MessageTree([Node(id=row[0], parent_id=row[1], role=row[2]) for row in rows])

    async def size(self, conversation_id: str) -> int:
        """Characters of all messages."""
        query = select(func.sum(func.length(ChatMessage.content)))
        async with self._database.transaction() as session:
            found = await session.scalar(query.where(ChatMessage.conversation_id == conversation_id))
        return found or 0

    async def messages(self, ids: Sequence[str]) -> list[ChatMessage]:
        """In the order of the ids; those that are not there are left out."""
        found: dict[str, ChatMessage] = {}
        async with self._database.transaction() as session:
            for start in range(0, len(ids), BATCH):
                batch = ChatMessage.id.in_(ids[start : start + BATCH])
                found |= {row.id: row for row in await session.scalars(select(ChatMessage).where(batch))}
        return [found[one] for one in ids if one in found]
