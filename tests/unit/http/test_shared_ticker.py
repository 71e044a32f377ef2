from __future__ import annotations

import anyio

from gencode.http.shared_ticker import TURNS, SharedTicker


async def test_each_is_called_once_a_round_wherever_in_it_they_came() -> None:
    ticker, calls = SharedTicker(0.001 * TURNS), {"early": 0, "late": 0}
    rounds = anyio.Event()

    def count(who: str) -> None:
        calls[who] += 1
        if calls[who] == 3:
            rounds.set()

    async with anyio.create_task_group() as tg:
        tg.start_soon(ticker.run)
        with ticker.calling(lambda: count("early")):
            while ticker._now < 5:
                await anyio.sleep(0)
            with ticker.calling(lambda: count("late")):
                await rounds.wait()
                assert calls["early"] - calls["late"] in (0, 1)
        tg.cancel_scope.cancel()
    assert not any(ticker._turns)


async def test_one_that_raises_ends_no_other() -> None:
    ticker, later = SharedTicker(0.001, turns=1), anyio.Event()
    heard: list[int] = []

    def fail() -> None:
        raise ValueError

    def count() -> None:
        heard.append(1)
        if len(heard) == 2:
            later.set()

    async with anyio.create_task_group() as tg:
        tg.start_soon(ticker.run)
        with ticker.calling(fail), ticker.calling(count):
            await later.wait()
        tg.cancel_scope.cancel()
