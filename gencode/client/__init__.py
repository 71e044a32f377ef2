"""The Python client of the HTTP API: submit prompts, follow events across reconnections, download files."""

from __future__ import annotations

from gencode.client.archive_unpacking import BadArchive, unpack
from gencode.client.async_client import Client
from gencode.client.errors import ServiceError, Unreachable
from gencode.client.event_stream import Message
from gencode.client.sync_client import SyncClient
from gencode.client.types import (
    Accepted,
    File,
    FileList,
    Kind,
    Options,
    Plan,
    PlannedFile,
    RetryOptions,
    Task,
)

__all__ = [
    "Accepted",
    "BadArchive",
    "Client",
    "File",
    "FileList",
    "Kind",
    "Message",
    "Options",
    "Plan",
    "PlannedFile",
    "RetryOptions",
    "ServiceError",
    "SyncClient",
    "Task",
    "Unreachable",
    "unpack",
]
