from __future__ import annotations

import anyio

from gencode.http.shared_ticker import SLOTS, SharedTicker


async def test_each_function_is_called_once_a_period_whenever_it_was_registered() -> None:
    ticker, calls = SharedTicker(0.001 * SLOTS), {"early": 0, "late": 0}
    rounds = anyio.Event()

    def count(who: str) -> None:
        calls[who] += 1
        if calls[who] == 3:
            rounds.set()

    async with anyio.create_task_group() as tg:
        tg.start_soon(ticker.run)
        with ticker.calling(lambda: count("early")):
            while ticker._current < 5:
                await anyio.sleep(0)
            with ticker.calling(lambda: count("late")):
                await rounds.wait()
                assert calls["early"] - calls["late"] in (0, 1)
        tg.cancel_scope.cancel()
    assert not any(ticker._slots)


async def test_a_function_that_raises_does_not_stop_the_others() -> None:
    ticker, later = SharedTicker(0.001, slots=1), anyio.Event()
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
