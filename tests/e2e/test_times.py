"""protocol.md line by line where time runs out or a pace is kept: short times, quick tests."""

import asyncio
import json
import re
import time

import pytest

from harness.client import Client, token
from harness.raw import PING, RawSocket
from harness.timing import patience

HEARTBEAT_S = 0.5
TIGHT = {
    "BDC_SYNC_WS_HEARTBEAT_INTERVAL": "500ms",
    "BDC_SYNC_SECURITY_AUTHENTICATE_TIMEOUT": "1s",
    "BDC_SYNC_WS_QUEUED_BYTES_HIGH": "64KiB",
    "BDC_SYNC_WS_QUEUED_BYTES_LOW": "16KiB",
    "BDC_SYNC_WS_QUEUED_BYTES_MAX": "1MiB",
    "BDC_SYNC_LIMITS_OPERATIONS_PER_S": "10",
    "BDC_SYNC_LIMITS_OPERATIONS_BURST": "5",
    "BDC_SYNC_LIMITS_SUBSCRIPTIONS_PER_SESSION": "2",
    "BDC_SYNC_LIMITS_SESSIONS_PER_USER": "2",
    "BDC_SYNC_LIMITS_LIVE_MESSAGES_PER_S": "3",
}


@pytest.fixture(scope="module")
def tight(make_suite):
    suite = make_suite(env=TIGHT).start()
    yield suite
    suite.kill()


def closes(suite, code):
    """How many connections the server has closed with this code."""
    line = re.search(r'bdcsync_gateway_closes_total\{code="%d"\} (\S+)' % code,
                     suite.gateway.get("/metrics")[1])
    return float(line.group(1))


async def test_a_client_that_says_nothing_is_closed_with_4401(tight):
    client = await Client.open(tight.url)
    error = await client.push("error")
    assert error["success"] is False and error["error"]["code"] == "unauthenticated"
    assert await client.closed() == 4401


async def test_limits_are_told(tight, user):
    client = await Client.connect(tight.url, user)
    assert client.authenticated["heartbeat_interval_s"] == HEARTBEAT_S
    limits = client.authenticated["limits"]
    assert limits["operations_per_s"] == 10 and limits["subscriptions_max"] == 2
    await client.close()


def test_two_missed_heartbeats_close_with_4408(tight, user):
    raw = RawSocket(tight.ws_port)
    raw.authenticate(user)
    began = time.monotonic()
    assert raw.frame()[0] & 15 == PING
    frames = [raw.message()]
    goodbye = json.loads(frames[0][1])
    assert goodbye["type"] == "goodbye" and goodbye["code"] == 4408 and goodbye["reconnect"] is True
    assert raw.close_code() == 4408
    assert 1.5 * HEARTBEAT_S <= time.monotonic() - began <= 2 * HEARTBEAT_S + 2
    raw.close()


def test_any_frame_counts_as_life(tight, user):
    raw = RawSocket(tight.ws_port)
    raw.authenticate(user)
    until = time.monotonic() + 5 * HEARTBEAT_S
    while time.monotonic() < until:  # Pings are not answered, but something is said.
        raw.send('{"type":"ping"}')
        assert b'"pong"' in raw.message()[1]
    raw.close()


async def test_ten_malformed_messages_in_a_row_close_with_4400(tight, user):
    client = await Client.connect(tight.url, user)
    for _ in range(9):
        await client.send("{")
        assert (await client.push("error"))["error"]["code"] == "bad_message"
    assert (await client.request("ping"))["success"]  # Begins the count anew.
    for _ in range(10):
        await client.send("{")
    assert await client.closed() == 4400


async def test_too_many_operations_are_told_when_to_come_back(tight, user):
    client = await Client.connect(tight.url, user)
    answers = [await client.write("update", "n", f"e{i}", data={}) for i in range(12)]
    refused = [answer for answer in answers if not answer["success"]]
    assert refused and {answer["status"] for answer in refused} == {"rejected"}
    error = refused[-1]["error"]
    assert error["code"] == "rate_limited" and error["retryable"] is True
    assert 0 < error["retry_after_ms"] <= 1000
    loop = asyncio.get_event_loop()
    deadline = loop.time() + 10
    while not (await client.write("update", "n", "later", data={}))["success"]:
        assert loop.time() < deadline
        await asyncio.sleep(error["retry_after_ms"] / 1000)
    assert (await client.get("n", "later"))["success"]
    await client.close()


async def test_presence_and_broadcast_are_limited(tight, user):
    client = await Client.connect(tight.url, user)
    answers = [await client.request("broadcast", topic="t", payload=i) for i in range(6)]
    assert answers[0]["success"]
    assert answers[-1]["type"] == "error" and answers[-1]["error"]["code"] == "rate_limited"
    large = await client.request("broadcast", topic="t", payload="x" * 20000)
    assert large["error"]["code"] in ("too_large", "rate_limited")
    await client.close()


async def test_subscriptions_beyond_the_limit_are_refused(tight, user):
    client = await Client.connect(tight.url, user)
    first = await client.subscribe()
    await client.subscribe()
    refused = await client.request("subscribe", mode="changes", payload="data")
    assert refused["type"] == "error" and refused["error"]["code"] == "quota_exceeded"
    await client.request("unsubscribe", subscription_id=first["subscription_id"])
    await client.subscribe()
    await client.close()


async def test_sessions_beyond_the_limit_are_closed_with_4429(tight, user):
    clients = [await Client.connect(tight.url, user, device_id=f"d{i}") for i in range(2)]
    third = await Client.open(tight.url)
    answer = await third.request("authenticate", token=token(user), device_id="d2")
    assert answer["type"] == "authenticated" and answer["success"] is False
    assert answer["error"]["code"] == "quota_exceeded"
    assert await third.closed() == 4429
    for client in clients:
        await client.close()


async def test_a_reader_that_reads_nothing_is_closed_with_4430(new_suite, user):
    # This client answers no pings either: leave it time until its first answer waits.
    tight = new_suite(env={
        **TIGHT, "BDC_SYNC_WS_HEARTBEAT_INTERVAL": f"{int(patience(2000))}ms"})
    writer = await Client.connect(tight.url, user, device_id="w")
    await writer.write("create", "n", "large", data="x" * 200_000)
    await writer.close()
    before = closes(tight, 4430)
    raw = RawSocket(tight.ws_port, receive_bytes=4096)
    raw.authenticate(user)
    for i in range(150):
        raw.send('{"type":"get","id":%d,"entity_type":"n","entity_id":"large"}' % i)
    # What waits is more than the system takes; nothing is read until the server gives up.
    deadline = time.monotonic() + patience(15)
    while closes(tight, 4430) == before:
        assert time.monotonic() < deadline, "it is not closed"
        await asyncio.sleep(0.05)
    assert await asyncio.to_thread(raw.close_code) == 4430
    raw.close()
    again = await Client.connect(tight.url, user)
    assert (await again.request("ping"))["success"]
    await again.close()


async def test_the_end_of_the_token_is_told_a_minute_ahead(suite, user):
    client = await Client.open(suite.url)
    answer = await client.request("authenticate", token=token(user, expires_in=63))
    began = time.monotonic()
    warning = await client.push("token_expiring")
    assert 1 <= time.monotonic() - began <= 5
    assert warning == {"type": "token_expiring", "expires_at": answer["token_expires_at"]}
    await client.request("refresh", token=token(user, expires_in=600))
    assert (await client.request("ping"))["success"]
    await client.close()


@pytest.mark.parametrize("offset_s, expected", [
    (-3600, "applied"), (0, "applied"), (3600, "clock_skew"),
    (10 * 365 * 86400, "clock_skew"), (-10 * 365 * 86400, "clock_skew")])
async def test_changes_from_a_wrong_clock(suite, user, offset_s, expected):
    client = await Client.connect(suite.url, user)
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + offset_s))
    answer = await client.write("create", "n", "1", data={}, client_time=at)
    if expected == "applied":
        assert answer["status"] == "applied"
    else:
        assert answer["status"] == "rejected" and answer["error"]["code"] == expected
        assert answer["error"]["retryable"] is False
    # Server order holds: history has the server's times.
    await client.write("update", "n", "1", data={})
    versions = (await client.request("history", entity_type="n", entity_id="1"))["versions"]
    assert [v["time"] for v in versions] == sorted((v["time"] for v in versions), reverse=True)
    await client.close()


async def test_a_clock_that_was_never_set_is_wrong_too(suite, user):
    client = await Client.connect(suite.url, user)
    answer = await client.write("create", "n", "1", data={}, client_time="1970-01-01T00:00:00Z")
    assert answer["status"] == "rejected" and answer["error"]["code"] == "clock_skew"
    await client.close()


async def test_positions_are_taken_without_an_answer(suite, user):
    client = await Client.connect(suite.url, user)
    cursor = (await client.write("create", "n", "1", data={}))["cursor"]
    await client.send({"type": "ack", "id": "a", "cursor": cursor})
    assert (await client.request("ping"))["success"]
    assert not [m for m in client.pushes if m.get("id") == "a"]
    await client.send({"type": "ack", "id": "b", "cursor": "nonsense"})
    refused = await client.push("error")
    assert refused["id"] == "b" and refused["error"]["code"] == "invalid_argument"
    assert refused["error"]["path"] == "/cursor"
    await client.send({"type": "ack", "id": "c", "space": "elsewhere", "cursor": cursor})
    assert (await client.push("error"))["error"]["code"] == "forbidden"
    await client.close()


async def test_where_no_token_is_required_a_user_id_is_enough(new_suite, user):
    suite = new_suite(env={"BDC_SYNC_SECURITY_REQUIRE_AUTHENTICATION": "false"})
    client = await Client.open(suite.url)
    answer = await client.request("authenticate", user_id=user)
    assert answer["success"] and answer["user_id"] == user and "token_expires_at" not in answer
    await client.close()
    with open(suite.gateway.log_path) as log:
        assert "security.require_authentication is false" in log.read()
