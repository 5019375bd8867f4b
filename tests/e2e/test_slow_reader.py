"""protocol.md, "Order and back-pressure", and lessons.md, test 12: a reader that does not keep up
costs the gateway bounded memory, loses nothing that lasts, and is told when it has to go.
"""

import asyncio
import socket

import pytest

from harness.client import Client
from harness.timing import SCALE, patience

KIB = 1 << 10
DOCUMENT_BYTES = 100 * KIB
# Thirty times the high-water mark, and several times what the gateway keeps of a space's events, so
# that the reader must be served from the log when it is back.
WRITES = 300
LIMITS = {
    "BDC_SYNC_WS_QUEUED_BYTES_LOW": f"{256 * KIB}",
    "BDC_SYNC_WS_QUEUED_BYTES_HIGH": f"{1024 * KIB}",
    "BDC_SYNC_WS_QUEUED_BYTES_MAX": f"{4096 * KIB}",
}


class SlowReader:
    """A subscriber of `space` that can stop taking bytes off its connection."""

    def __init__(self, client):
        self.client = client
        self.cursor = None
        self.numbers = []

    @classmethod
    async def connect(cls, suite, user, space, cursor=None):
        # A small window: what is sent soon waits at the server and not in the two kernels.
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KIB)
        s.connect(("127.0.0.1", suite.ws_port))
        s.setblocking(False)
        reader = cls(await Client.connect(suite.url, user, spaces={space: "write"}, sock=s))
        await reader.client.subscribe(space=space, **({"cursor": cursor} if cursor else {}))
        return reader

    def stop_reading(self):
        self.client.socket.transport.pause_reading()

    def go_on_reading(self):
        self.client.socket.transport.resume_reading()

    async def read_until(self, done):
        """Takes `changes` until `done`; returns the numbers that the documents carried."""
        while not done(self):
            message = await self.client.push("changes", timeout=60)
            self.numbers += [event["data"]["i"] for event in message["events"]]
            self.cursor = message["cursor"]
        return self.numbers


async def until(condition, what, timeout=20):
    """Looks again and again at something outside, which cannot tell by itself."""
    deadline = asyncio.get_event_loop().time() + patience(timeout)
    while not condition():
        assert asyncio.get_event_loop().time() < deadline, what
        await asyncio.sleep(0.02)


async def write(writer, space, first, count):
    for i in range(first, first + count):
        answer = await writer.write("update", "n", f"e{i % 3}", space=space,
                                    data={"i": i, "pad": "x" * DOCUMENT_BYTES})
        assert answer["success"], answer


@pytest.fixture
def space(user):
    return "slow-" + user


async def test_a_reader_that_lags_costs_bounded_memory_and_loses_nothing(new_suite, user, space):
    suite = new_suite(env={**LIMITS, "BDC_SYNC_WS_HEARTBEAT_INTERVAL": "5m"})
    writer = await Client.connect(suite.url, user, device_id="w", spaces={space: "write"})
    slow = await SlowReader.connect(suite, user + "-slow", space)
    await write(writer, space, 0, 20)
    await slow.read_until(lambda r: r.numbers[-1:] == [19])
    slow.stop_reading()
    before = suite.gateway.resident_bytes()
    await write(writer, space, 20, WRITES)
    assert suite.gateway.metric("bdcsync_gateway_feed_stalls_total") > 0
    if SCALE == 1:  # A sanitizer's own memory says nothing about ours.
        assert suite.gateway.resident_bytes() - before < WRITES * DOCUMENT_BYTES / 2
    slow.go_on_reading()
    numbers = await slow.read_until(lambda r: r.numbers[-1:] == [19 + WRITES])
    assert numbers == list(range(20 + WRITES))
    assert suite.gateway.metric('bdcsync_gateway_closes_total{code="4430"}') == 0
    for client in (writer, slow.client):
        await client.close()


async def test_while_a_reader_lags_states_replace_each_other_and_broadcasts_are_dropped(
        new_suite, user, space):
    suite = new_suite(env={**LIMITS, "BDC_SYNC_WS_HEARTBEAT_INTERVAL": "5m"})
    writer = await Client.connect(suite.url, user, device_id="w", spaces={space: "write"})
    slow = await SlowReader.connect(suite, user + "-slow", space)
    await slow.client.push("changes", where=lambda m: m["caught_up"])
    slow.stop_reading()
    i = 0
    while suite.gateway.metric("bdcsync_gateway_feed_stalls_total") == 0:
        await write(writer, space, i, 5)
        i += 5
    for state in range(10):
        await writer.send({"type": "presence", "space": space, "state": {"n": state}})
        answer = await writer.request("broadcast", space=space, topic="t", payload=state)
        assert answer["success"]
    await until(lambda: suite.gateway.metric("bdcsync_gateway_broadcasts_dropped_total") == 10
                and suite.gateway.metric("bdcsync_gateway_presences_held_total") == 10,
                "neither dropped nor held")
    slow.go_on_reading()
    told = await slow.client.push("presence", timeout=30)
    assert told["state"] == {"n": 9} and told["device_id"] == "w"
    assert await slow.read_until(lambda r: r.numbers[-1:] == [i - 1]) == list(range(i))
    await writer.request("broadcast", space=space, topic="t", payload="after")
    assert (await slow.client.push("broadcast"))["payload"] == "after"
    assert not [m for m in slow.client.pushes if m["type"] in ("presence", "broadcast")]
    for client in (writer, slow.client):
        await client.close()


async def test_a_reader_that_takes_nothing_is_closed_with_4430_and_resumes_whole(
        new_suite, user, space):
    suite = new_suite(env={
        **LIMITS, "BDC_SYNC_WS_HEARTBEAT_INTERVAL": f"{int(patience(500))}ms"})
    writer = await Client.connect(suite.url, user, device_id="w", spaces={space: "write"})
    slow = await SlowReader.connect(suite, user + "-slow", space)
    await write(writer, space, 0, 3)
    await slow.read_until(lambda r: r.numbers[-1:] == [2])
    slow.stop_reading()
    writing = asyncio.create_task(write(writer, space, 3, WRITES // 2))
    await until(lambda: suite.gateway.metric('bdcsync_gateway_closes_total{code="4430"}') == 1,
                "it is not closed")
    slow.go_on_reading()  # Before the gateway has waited long enough for our close frame.
    assert await slow.client.closed() == 4430
    await writing
    while slow.client.pushes and slow.client.pushes[0]["type"] == "changes":
        message = slow.client.pushes.pop(0)
        slow.numbers += [event["data"]["i"] for event in message["events"]]
        slow.cursor = message["cursor"]
    goodbye = slow.client.pushes.pop(0)
    assert goodbye["type"] == "goodbye" and goodbye["reconnect"] is True
    assert len(slow.numbers) < WRITES // 2
    again = await SlowReader.connect(suite, user + "-slow", space, cursor=slow.cursor)
    await again.read_until(lambda r: r.numbers[-1:] == [2 + WRITES // 2])
    assert slow.numbers + again.numbers == list(range(3 + WRITES // 2))
    for client in (writer, again.client):
        await client.close()


async def test_whoever_reads_all_the_time_may_ask_for_much_at_once(suite, user):
    """As many requests as may be unanswered, each for what fills a message."""
    client = await Client.connect(suite.url, user)
    text = "x" * 900_000
    await client.write("create", "note", "long", data={"text": text})
    closes = suite.gateway.metric('bdcsync_gateway_closes_total{code="4430"}')
    answers = await asyncio.gather(*[client.get("note", "long") for _ in range(60)])
    assert all(answer["data"]["text"] == text for answer in answers)
    assert suite.gateway.metric('bdcsync_gateway_closes_total{code="4430"}') == closes
    await client.close()
