"""A client of the service: submit a prompt, follow its events through every interruption, fetch the files."""

from __future__ import annotations

from gencode.client.asynchronous import Client
from gencode.client.failures import ServiceError, Unreachable
from gencode.client.shapes import Accepted, File, FileList, Options, Plan, PlannedFile, Task
from gencode.client.stream import Message
from gencode.client.synchronous import SyncClient
from gencode.client.unpacking import BadArchive, unpack

__all__ = [
    "Accepted",
    "BadArchive",
    "Client",
    "File",
    "FileList",
    "Message",
    "Options",
    "Plan",
    "PlannedFile",
    "ServiceError",
    "SyncClient",
    "Task",
    "Unreachable",
    "unpack",
]
