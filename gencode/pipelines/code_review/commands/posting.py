"""Where `gencode review --post` posts: the registered repository, and the commit that was reviewed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from gencode.cli.registered_repository import registered_repository
from gencode.client import Client
from gencode.domain.errors import StartError
from gencode.pipelines.code_review.commands.working_copy import commit_of


def add_post_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--post", type=int, metavar="NUMBER", help="post the review to this pull or merge request"
    )
    parser.add_argument(
        "--repository",
        metavar="ID",
        help="with --post: of the registered repository (default: that of the remote origin)",
    )
    parser.add_argument("--commit", metavar="SHA", help="with --post and a patch: its last commit")


def check_post_arguments(args: argparse.Namespace) -> None:
    """Raises StartError."""
    if args.post is None and (args.repository or args.commit):
        raise StartError("--repository and --commit need --post: the number of the change request")


async def post_of(client: Client, args: argparse.Namespace) -> Mapping[str, Any] | None:
    """The field `post` of the request. Raises StartError."""
    if args.post is None:
        return None
    commit = args.commit if args.patch else commit_of(args.base, args.head)
    repository = args.repository or await registered_repository(client)
    return {"change": args.post, "repository_id": repository, **({"commit": commit} if commit else {})}
