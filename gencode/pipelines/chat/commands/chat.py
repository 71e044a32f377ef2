"""gencode chat [TEXT] [--conversation ID]"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any

import anyio

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.limit_options import add_limit_arguments, given_limits
from gencode.cli.output import as_json, printable
from gencode.client import Client
from gencode.domain.errors import StartError
from gencode.pipelines.chat.commands.viewer import AnswerViewer

CONVERSATIONS = "/chat/conversations"
FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", nargs="?", metavar="TEXT", help="send it and print the answer; else messages are asked for"
    )
    parser.add_argument("--message", "-m", help="the same")
    parser.add_argument("--conversation", metavar="ID", help="go on with this conversation")
    parser.add_argument("--knowledge", metavar="BASE", help="id or name of a knowledge base to answer from")
    parser.add_argument("--system", help="the system prompt of a new conversation")
    parser.add_argument("--model", help="provider, provider/model-id, or config/ID")
    parser.add_argument("--list", action="store_true", help="list the conversations, newest first")
    add_limit_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.list:
        return run_with_client(_list, args)
    if (text := args.text if args.message is None else args.message) is not None:
        return _send(args, text)
    return _talk(args)


def _talk(args: argparse.Namespace) -> int:
    """Until the end of the input. Each message has a client of its own: nothing runs while a person types."""
    status = 0
    for line in _lines():
        if line.strip():
            status = _send(args, line)
    return status


def _lines() -> Iterator[str]:
    is_terminal = sys.stdin.isatty()
    while True:
        try:
            yield input("> " if is_terminal else "")
        except EOFError:
            return


def _send(args: argparse.Namespace, content: str) -> int:
    command: Callable[[Client, argparse.Namespace], Awaitable[int]] = lambda client, args: _exchange(  # noqa: E731
        client, args, content
    )
    return run_with_client(command, args)


async def _list(client: Client, args: argparse.Namespace) -> int:
    page = await client.call("GET", CONVERSATIONS, params={"limit": "50"})
    if args.json:
        print(as_json(page))
        return 0
    for one in page["items"]:
        print(printable(f"{one['id']}  {one['message_count']:>4} messages  {one['title']}"))
    return 0


async def _exchange(client: Client, args: argparse.Namespace, content: str) -> int:
    if not args.conversation:
        args.conversation = await _begin(client, args)
    path = f"{CONVERSATIONS}/{args.conversation}/messages"
    body = {"content": content, **given_limits(args), **({"model": args.model} if args.model else {})}
    sent: Any = await client.submit_to(f"/api/v1{path}", body)
    args.task_id = sent["task_id"]
    await _follow(client, args)
    message = await client.call("GET", f"{path}/{sent['assistant_message_id']}")
    if args.json:
        print(as_json(message))
    else:
        for line in _end_lines(args, message):
            print(printable(line), file=sys.stderr, flush=True)
    return 0 if message["status"] in ("complete", "stopped") else FAILED


async def _begin(client: Client, args: argparse.Namespace) -> str:
    base = await _base_id(client, args.knowledge) if args.knowledge else None
    fields = {"system_prompt": args.system, "knowledge_base_id": base, "model": args.model}
    created = await client.call("POST", CONVERSATIONS, body={k: v for k, v in fields.items() if v})
    return str(created["id"])


async def _base_id(client: Client, given: str) -> str:
    """The id of the knowledge base of this name; what no base is called is taken for an id. Raises StartError
    if several have the name."""
    page = await client.call("GET", "/knowledge/bases", params={"q": given, "limit": "100"})
    named = [base["id"] for base in page["items"] if base["name"] == given]
    if len(named) > 1:
        raise StartError(f"{len(named)} bases have the name {given!r}: give its id (gencode knowledge list)")
    return str(named[0]) if named else given


async def _follow(client: Client, args: argparse.Namespace) -> None:
    """Prints the answer as it is written. SIGINT stops the answer; the stream then ends."""
    viewer = AnswerViewer((lambda text: None) if args.json else _write)
    async with anyio.create_task_group() as tg:
        tg.start_soon(_stop_on_interrupt, client, args.task_id)
        async with aclosing(client.events(args.task_id, include=["delta"])) as messages:
            async for message in messages:
                viewer.show(message.kind, message.data)
        tg.cancel_scope.cancel()
    if not args.json:
        _write("\n")


async def _stop_on_interrupt(client: Client, task_id: str) -> None:
    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            await client.cancel(task_id)


def _write(text: str) -> None:
    sys.stdout.write(printable(text))
    sys.stdout.flush()


def _end_lines(args: argparse.Namespace, message: dict[str, Any]) -> Iterator[str]:
    """Citations, what was left out, the state and the bill: on standard error, beside the answer."""
    for one in message["citations"]:
        page = f", page {one['page']}" if one["page"] else ""
        state = "" if one["is_verified"] else f"  NOT in the source ({one['reason']})"
        yield f"[{one['number']}] {one['document_name'] or '?'}{page}: {one['quote']}{state}"
    if (context := message["context"]) and context["left_out"]:
        yield f"{context['left_out']} earlier messages did not fit the window"
    if failure := message["failure"]:
        yield f"{failure['code']}: {failure['message']}"
    yield f"{message['status']}: {_bill(message)}"
    yield f"go on with: gencode chat --conversation {args.conversation}"


def _bill(message: dict[str, Any]) -> str:
    usage = message["usage"]
    if usage is None:
        return "cost not known yet"
    about = "about " if usage["is_estimated"] else ""
    cost = f", cost {usage['cost']}" if usage["cost"] is not None else ""
    return f"{about}{message['tokens']} tokens{cost}"
