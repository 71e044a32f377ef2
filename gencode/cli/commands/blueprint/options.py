"""Options and files of the verbs of `gencode blueprint`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gencode.cli.client_options import add_service_arguments
from gencode.domain.errors import StartError

if TYPE_CHECKING:
    from gencode.blueprints import Blueprint

Verbs = Any
"""What `ArgumentParser.add_subparsers` returns."""
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
MAX_BYTES = 64 * 2**20


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.allow_abbrev = False
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of the messages")
    add_service_arguments(parser)


def is_id(given: str) -> bool:
    """Of a blueprint of the service; a file of this name goes before it."""
    return _ID.match(given) is not None and not Path(given).exists()


def read_text(path: str) -> str:
    """`-` is standard input. Raises StartError."""
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if path == "-" else _read(Path(path))
        if len(data) > MAX_BYTES:
            raise StartError(f"{path} is larger than {MAX_BYTES // 2**20} MB")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StartError(f"{path} is not UTF-8") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def read_document(path: str) -> Any:
    """JSON: a blueprint's document, or the answer of the service that has it as `spec`. Raises StartError."""
    try:
        document = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise StartError(f"{path} is not JSON: {error}") from None
    if isinstance(document, dict) and isinstance(document.get("spec"), dict):
        return document["spec"]
    return document


def blueprint_of(path: str) -> Blueprint:
    """Raises StartError for a file whose form is not that of a blueprint."""
    from pydantic import ValidationError  # noqa: PLC0415 - other commands do not need it

    from gencode.blueprints import Blueprint  # noqa: PLC0415

    try:
        return Blueprint.model_validate(read_document(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"]))
        message = f"{path} is not a blueprint: {where or 'the document'}: {first['msg']}"
        raise StartError(f"{message} ({error.error_count()} such errors)") from None
