from __future__ import annotations

from gencode.hub.live_buffer import MOST, LiveBuffer


def test_messages_are_numbered_and_placed_among_the_events() -> None:
    live = LiveBuffer()
    live.say(2, b"a")
    live.say(2, b"b")
    live.say(5, b"c")
    assert live.end == 3
    assert live.before(position=2, heard=0) == [b"a", b"b"]
    assert live.before(position=2, heard=1) == [b"b"]
    assert live.before(position=1, heard=0) == []
    assert live.before(position=9, heard=0) == [b"a", b"b", b"c"]
    assert [live.place(heard) for heard in range(4)] == [2, 2, 5, None]


def test_the_oldest_go_when_there_are_too_many() -> None:
    live = LiveBuffer()
    for number in range(MOST + 10):
        live.say(0, b"%d" % number)
    assert live.held(0) == live.held(10) == 10
    assert live.held(11) == 11
    assert live.before(0, live.held(0))[0] == b"10"
    assert live.held(live.end) == live.end
