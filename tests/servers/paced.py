"""A model server in a separate process that sends a script at `rate` tokens a second on each stream.

async with paced_server(script, rate=100) as base_url: ...

The script: the tokens of the answer to each request, by the path of `call_of` ("" is the plan). Each token is
an event in a separate write, at its scheduled time: a late one does not delay the next.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from tests.servers.model import call_of, chunk, sse

TokenScript = Mapping[str, Sequence[str]]

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@asynccontextmanager
async def paced_server(script: TokenScript, rate: float) -> AsyncIterator[str]:
    command = [sys.executable, "-m", "tests.servers.paced", str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        print(json.dumps(script), file=process.stdin, flush=True)
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def _serve(script: TokenScript, rate: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection in sequence, until the client closes it."""
        while head := await _head(reader):
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            _, path = call_of(json.loads(await reader.readexactly(length)))
            await _send_tokens(writer, script[path], rate)
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    await listening.serve_forever()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


async def _send_tokens(writer: asyncio.StreamWriter, tokens: Sequence[str], rate: float) -> None:
    writer.write(HEAD)
    start = time.monotonic()
    for number, token in enumerate(tokens, start=1):
        await asyncio.sleep(start + number / rate - time.monotonic())
        writer.write(_framed(sse(chunk({"content": token}))))
    writer.write(_framed(sse(chunk({}, "stop")) + b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.stdin.readline()), float(sys.argv[1])))
