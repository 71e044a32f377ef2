"""Model streams that one core can hold, against plain httpx.

    python -m tests.benchmarks.streams [STREAMS [SECONDS]]

A server in a process of its own sends each stream 100 events a second, each in a write of its own, as
models do. Measured is the processor time that the reading side spends on an event: its inverse over 100
is how many streams fill a core. All readers get the same load, in turn, in one run.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import httpx

from gencode.llm.account_limiter import Account
from gencode.llm.http_client import model_client
from gencode.llm.openai.provider import OpenAICompatibleProvider
from gencode.llm.port import ChatRequest, Message
from gencode.observability.metrics import Metrics

RATE = 100  # events a second on each stream
REQUEST = ChatRequest(messages=(Message(role="user", content="go"),), max_tokens=8192)

Reader = Callable[[httpx.AsyncClient, str], Awaitable[int]]


async def plain(client: httpx.AsyncClient, url: str) -> int:
    """As it is usually written."""
    count = 0
    async with client.stream("POST", f"{url}/chat/completions", json={"stream": True}) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                count += len(json.loads(line[6:])["choices"])
    return count


async def ours(client: httpx.AsyncClient, url: str) -> int:
    account = Account(10_000)
    provider = OpenAICompatibleProvider(
        "bench", "bench", url, "", client=client, metrics=Metrics(), account=account
    )
    count = 0
    async with aclosing(provider.stream(REQUEST)) as chunks:
        async for _ in chunks:
            count += 1
    return count


async def microseconds(read: Reader, client: httpx.AsyncClient, url: str, streams: int) -> float:
    """Processor time of this process for one event."""
    begin = time.process_time()
    counts = await asyncio.gather(*(read(client, url) for _ in range(streams)))
    return (time.process_time() - begin) / sum(counts) * 1e6


@asynccontextmanager
async def server(seconds: float) -> AsyncIterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.streams", "serve", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


async def serve(seconds: float) -> None:
    chunk = {"id": "x", "model": "bench", "choices": [{"index": 0, "delta": {"content": "token "}}]}
    event = f"data: {json.dumps(chunk)}\n\n".encode()
    last = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

    def framed(data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        length = int(request.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        writer.write(head)
        start = time.monotonic()
        for number in range(round(seconds * RATE)):
            await asyncio.sleep(max(0, start + number / RATE - time.monotonic()))
            writer.write(framed(event))
        writer.write(framed(last) + b"0\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    await listening.serve_forever()


async def main(streams: int = 50, seconds: float = 5.0) -> None:
    limits = httpx.Limits(max_connections=None)
    async with (
        server(seconds) as url,
        httpx.AsyncClient(timeout=60, limits=limits) as httpcore,
        model_client() as aiohttp,
    ):
        costs = {
            "plain httpx, aiter_lines": await microseconds(plain, httpcore, url, streams),
            "ours over httpcore": await microseconds(ours, httpcore, url, streams),
            "ours over aiohttp": await microseconds(ours, aiohttp, url, streams),
        }
    base = costs["plain httpx, aiter_lines"]
    print(f"{streams} streams, {RATE} events/s each, {seconds:g} s")
    for name, cost in costs.items():
        print(f"{name:<26} {cost:7.1f} us/event  {1e6 / cost / RATE:6.0f} streams/core  {base / cost:5.2f}x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(float(sys.argv[2])))
    else:
        asyncio.run(main(*(kind(text) for kind, text in zip((int, float), sys.argv[1:], strict=False))))
