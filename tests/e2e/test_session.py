"""protocol.md, "Session": who you are, that you live, and how it ends."""

import asyncio
import json
import re
import time
import uuid

import pytest

from harness.client import Client, token
from harness.timing import patience

EXPIRED = 'bdcsync_gateway_closes_total{code="4432"}'
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


async def test_authenticated_tells_who_you_are_and_what_the_limits_are(suite, user):
    client = await Client.open(suite.url)
    answer = await client.request(
        "authenticate", token=token(user), device_id="phone-1",
        client={"name": "test", "version": "1.0", "platform": "linux"}, network="wifi")
    assert answer["type"] == "authenticated" and answer["success"] is True
    assert answer["user_id"] == user and answer["device_id"] == "phone-1"
    assert answer["session_id"] and answer["epoch"]
    assert RFC3339.match(answer["server_time"]) and RFC3339.match(answer["token_expires_at"])
    assert answer["heartbeat_interval_s"] > 0
    limits = answer["limits"]
    assert all(limits[name] > 0 for name in
               ("message_bytes_max", "operations_per_s", "subscriptions_max", "in_flight_max"))
    await client.close()


async def test_a_device_id_is_given_when_none_is_sent(suite, user):
    client = await Client.connect(suite.url, user)
    assert client.authenticated["device_id"]
    await client.close()


@pytest.mark.parametrize("bad, code, close", [
    (dict(secret="x" * 40), "unauthenticated", 4401),
    (dict(expires_in=-120), "token_expired", 4432),
    (dict(algorithm="HS384"), "unauthenticated", 4401),
    (dict(algorithm="none", secret=None), "unauthenticated", 4401),
])
async def test_a_bad_token_gets_its_codes(suite, user, bad, code, close):
    client = await Client.open(suite.url)
    answer = await client.request("authenticate", token=token(user, **bad))
    assert answer["success"] is False and answer["error"]["code"] == code
    assert await client.closed() == close


async def test_authenticate_must_come_first(suite):
    client = await Client.open(suite.url)
    answer = await client.request("get", entity_type="note", entity_id="1")
    assert answer["success"] is False and answer["error"]["code"] == "unauthenticated"
    assert await client.closed() == 4401


async def test_ping_is_answered_with_the_time(suite, user):
    client = await Client.connect(suite.url, user)
    answer = await client.request("ping")
    assert answer["type"] == "pong" and answer["success"] and RFC3339.match(answer["server_time"])
    await client.close()


async def test_ids_of_any_kind_are_echoed_exactly(suite, user):
    client = await Client.connect(suite.url, user)
    for request_id in ("a string", 7, "", 2**53 - 1):
        await client.send({"type": "ping", "id": request_id})
        assert (await client.push("pong"))["id"] == request_id
    await client.send({"type": "ping"})
    assert "id" not in await client.push("pong")
    await client.close()


async def test_without_ids_answers_come_in_order(suite, user):
    client = await Client.connect(suite.url, user)
    for i in range(20):
        await client.send({"type": "sync_request", "operation": "update", "entity_type": "note",
                           "entity_id": f"n{i}", "data": {"i": i}})
        await client.send({"type": "get", "entity_type": "note", "entity_id": f"n{i}"})
        await client.send({"type": "ping"})
    for i in range(20):
        wrote, read, pong = [await client.push() for _ in range(3)]
        assert wrote["type"] == "sync_response" and wrote["entity_id"] == f"n{i}"
        assert read["type"] == "entity" and read["data"] == {"i": i}
        assert pong["type"] == "pong"
    await client.close()


async def test_refresh_extends_the_session(suite, user):
    client = await Client.open(suite.url)
    first = await client.request("authenticate", token=token(user, expires_in=100))
    answer = await client.request("refresh", token=token(user, expires_in=1000))
    assert answer["type"] == "refreshed" and answer["success"]
    assert answer["token_expires_at"] > first["token_expires_at"]
    refused = await client.request("refresh", token=token("somebody-else"))
    assert refused["success"] is False
    await client.close()


async def test_a_refreshed_session_outlives_its_first_token_with_its_subscriptions(suite, user):
    """lessons.md, test 8, in time."""
    other = await Client.connect(suite.url, user)
    client = await Client.open(suite.url)
    await client.request("authenticate", token=token(user, expires_in=patience(2)))
    await client.subscribe()
    await client.push("changes", where=lambda m: m["caught_up"])
    await client.push("token_expiring")
    old_end = time.time() + patience(2)
    assert (await client.request("refresh", token=token(user)))["success"]
    before = True
    while before:
        before = time.time() < old_end
        wrote = await other.write("update", "n", "n", data={"before": before})
        (event,) = (await client.push("changes"))["events"]
        assert event["version_id"] == wrote["version_id"]
    await client.close()
    await other.close()


async def test_a_session_whose_token_ended_asleep_comes_back_whole(suite, user):
    """lessons.md, test 8, too late: what it wrote asleep is sent again, nothing is missed."""
    other = await Client.connect(suite.url, user)
    client = await Client.open(suite.url)
    await client.request("authenticate", token=token(user, expires_in=patience(2)),
                         device_id="sleeper")
    await client.subscribe()
    cursor = (await client.push("changes", where=lambda m: m["caught_up"]))["cursor"]
    sent = dict(op_id=str(uuid.uuid4()), data={"from": "the sleeper"})
    first = await client.write("update", "n", "sent", **sent)
    client.socket.transport.pause_reading()  # Asleep.
    await other.write("update", "n", "meanwhile", data={"from": "others"})
    before = suite.gateway.metric(EXPIRED)
    while suite.gateway.metric(EXPIRED) == before:
        await asyncio.sleep(0.05)
    client.socket.transport.resume_reading()
    assert await client.closed() == 4432
    client = await Client.connect(suite.url, user, device_id="sleeper")
    again = await client.write("update", "n", "sent", **sent)
    assert again["status"] == "duplicate" and again["version_id"] == first["version_id"]
    await client.subscribe(cursor=cursor)
    events, _ = await client.events_until(lambda e, m: m["caught_up"])
    assert [event["entity_id"] for event in events] == ["sent", "meanwhile"]
    await client.close()
    await other.close()


async def test_expiry_is_told_ahead_and_closes_with_4432(suite, user):
    client = await Client.open(suite.url)
    await client.request("authenticate", token=token(user, expires_in=patience(3)))
    warning = await client.push("token_expiring")
    assert RFC3339.match(warning["expires_at"])
    assert await client.closed() == 4432


async def test_update_device_is_answered_with_a_plan(suite, user):
    client = await Client.connect(suite.url, user)
    answer = await client.request("update_device", network="metered", battery_percent=20,
                                  charging=False, budget_bytes_per_s=1000)
    assert answer["type"] == "device_updated" and answer["success"] and "plan" in answer
    await client.close()


async def test_a_newer_session_of_the_same_device_supersedes(suite, user):
    old = await Client.connect(suite.url, user, device_id="same")
    new = await Client.connect(suite.url, user, device_id="same")
    assert await old.closed() == 4431
    assert (await new.request("ping"))["success"]
    await new.close()


async def test_two_users_may_use_the_same_device_id(suite, user):
    users = [user + "-one", user + "-two"]
    clients = [await Client.connect(suite.url, name, device_id="same") for name in users]
    for _ in range(3):
        for client, name in zip(clients, users):
            written = await client.request("sync_request", operation="update", entity_type="note",
                                           entity_id="n", data={"of": name})
            assert written["success"], written
            assert (await client.request("update_device", network="wifi"))["success"]
    for client, name in zip(clients, users):
        read = await client.request("get", entity_type="note", entity_id="n")
        assert read["data"] == {"of": name}
        await client.close()
    again = await Client.connect(suite.url, users[0], device_id="same")
    assert (await again.request("ping"))["success"]
    await again.close()


async def test_an_unknown_subprotocol_is_refused_with_4406(suite):
    client = await Client.open(suite.url, subprotocols=["something.else"])
    assert await client.closed() == 4406


async def test_the_subprotocol_is_agreed(suite, user):
    client = await Client.connect(suite.url, user, subprotocols=["x", "bdc-sync.v1.json"])
    assert client.socket.subprotocol == "bdc-sync.v1.json"
    await client.close()


async def test_any_path_is_accepted(suite, user):
    client = await Client.connect(suite.url + "some/path?x=1", user)
    await client.close()


async def test_unknown_fields_are_ignored(suite, user):
    client = await Client.connect(suite.url, user)
    await client.send(json.dumps({"type": "ping", "id": 1, "future": {"a": [1]}}))
    assert (await client.push("pong"))["success"]
    await client.close()
