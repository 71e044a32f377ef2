"""gencode review [--base REF] [--head REF] [--post NUMBER] [PATCH|-]"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import Any

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.display.event_printers import LineScreen
from gencode.cli.display.kind_display import display_for, event_line
from gencode.cli.limit_options import add_limit_arguments, given_limits
from gencode.cli.output import as_json, printable
from gencode.cli.task_hints import retry_hint
from gencode.cli.watching import follow
from gencode.client import Client, Message
from gencode.domain.errors import StartError
from gencode.pipelines.code_review.commands.posting import (
    add_post_arguments,
    check_post_arguments,
    post_of,
)
from gencode.pipelines.code_review.commands.review_lines import SEVERITIES, fails, review_lines
from gencode.pipelines.code_review.commands.working_copy import changes

SUBMIT = "/api/v1/pipelines/code-review"
FOUND = 1
"""The exit status for findings that `--fail-on` names."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patch", nargs="?", help="a file with a patch; - reads standard input")
    parser.add_argument("--base", help="review what has changed since this branch or commit")
    parser.add_argument("--head", help="with --base: up to this one (default: the working copy)")
    parser.add_argument("--subject", help="what is reviewed again and again, such as shop/main")
    parser.add_argument(
        "--fail-on", choices=SEVERITIES, help="exit status 1 for such a finding or a worse one"
    )
    parser.add_argument("--format", choices=("text", "json", "sarif", "markdown"), default="text")
    parser.add_argument(
        "--include", action="append", default=[], metavar="GLOB", help="no rule leaves it out"
    )
    parser.add_argument("--exclude", action="append", default=[], metavar="GLOB", help="do not review it")
    parser.add_argument("--max-findings", type=int, help="keep the most important ones (default: 50)")
    parser.add_argument("--template", metavar="ID", help="a prompt template of the category code_review")
    parser.add_argument("--requirements", metavar="ID", help="compare it with this requirement document")
    parser.add_argument("--language", choices=("en", "zh"), help="of the findings")
    parser.add_argument("--self-check", action="store_true", help="let the model doubt its findings once")
    parser.add_argument("--model", help="provider, provider/model-id, or config/ID")
    add_post_arguments(parser)
    add_limit_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.patch and (args.base or args.head):
        raise StartError("give a patch, or --base and --head of the working copy, not both")
    check_post_arguments(args)
    patch = _patch(args)
    if not patch.strip():
        print("nothing has changed", file=sys.stderr)
        return 0
    args.format = "json" if args.json else args.format
    return run_with_client(lambda client, args: _review(client, args, patch), args)


def _patch(args: argparse.Namespace) -> bytes:
    if args.patch is None:
        return changes(args.base, args.head)
    if args.patch == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(args.patch).read_bytes()
    except OSError as error:
        raise StartError(f"{args.patch} cannot be read: {error.strerror}") from None


def _body(args: argparse.Namespace, patch: bytes) -> dict[str, Any]:
    given = {
        "subject": args.subject,
        "template_id": args.template,
        "requirement_document_id": args.requirements,
        "include": args.include or None,
        "exclude": args.exclude or None,
        "max_findings": args.max_findings,
        "language": args.language,
        "self_check": args.self_check or None,
        "model": args.model,
        **given_limits(args),
    }
    return {**_encoded(patch), **{name: value for name, value in given.items() if value is not None}}


def _encoded(patch: bytes) -> dict[str, str]:
    """Base64 for what JSON cannot hold."""
    try:
        return {"patch": patch.decode()}
    except UnicodeDecodeError:
        return {"patch": base64.b64encode(patch).decode(), "patch_encoding": "base64"}


class _Progress(LineScreen):
    """On standard error: standard output has the review alone."""

    def show(self, message: Message) -> None:
        if message.kind != "finding" and (line := event_line(message, self._display)):
            print(line, file=sys.stderr, flush=True)


async def _review(client: Client, args: argparse.Namespace, patch: bytes) -> int:
    post = await post_of(client, args)
    task = await client.submit_to(SUBMIT, {**_body(args, patch), **({"post": post} if post else {})})
    args.task_id = task["task_id"]
    display = display_for(args, "code_review")
    await follow(client, args.task_id, _Progress(display))
    over = await client.task(args.task_id)
    if over["status"] == "failed":
        print(printable(retry_hint(over, display)), file=sys.stderr)
    if over["status"] == "completed" or dict(over).get("review"):
        status = await _show(client, args)
        return status if over["status"] == "completed" else FOUND
    return 1


async def _show(client: Client, args: argparse.Namespace) -> int:
    review = json.loads(await client.result(args.task_id, "review"))
    if args.format == "json":
        print(as_json(review))
    elif args.format == "text":
        for line in review_lines(review):
            print(printable(line))
    elif args.format == "sarif":
        print(as_json(json.loads(await client.result(args.task_id, "review.sarif"))))
    else:
        print(printable((await client.result(args.task_id, "review.md")).decode()), end="")
    return FOUND if fails(review, args.fail_on) else 0
