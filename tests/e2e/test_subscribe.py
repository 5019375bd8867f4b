"""protocol.md, "Reading": subscriptions. Everything once, in order, from any cursor."""

import asyncio
import uuid

from harness.client import Client


def caught_up(events, message):
    return message["caught_up"]


def ids(events):
    return [event["entity_id"] for event in events]


async def test_an_empty_space_is_caught_up_at_once(suite, user):
    a = await Client.connect(suite.url, user)
    answer = await a.subscribe()
    assert answer["type"] == "subscribed" and answer["subscription_id"] and answer["cursor"]
    assert "head" in answer
    events, message = await a.events_until(caught_up)
    assert events == [] and message["cursor"] and message["space"] == f"user:{user}"
    await a.close()


async def test_state_first_then_live(suite, user):
    a = await Client.connect(suite.url, user, device_id="a")
    b = await Client.connect(suite.url, user, device_id="b")
    for i in range(5):
        await a.write("create", "note", f"n{i}", data={"i": i})
    await a.write("update", "note", "n0", data={"i": "new"})
    await a.write("delete", "note", "n1")
    await b.subscribe()
    events, _ = await b.events_until(caught_up)
    assert sorted(ids(events)) == ["n0", "n2", "n3", "n4"]
    assert {event["kind"] for event in events} == {"enter"}
    assert {e["entity_id"]: e["data"] for e in events}["n0"] == {"i": "new"}
    assert [e["seq"] for e in events] == sorted(e["seq"] for e in events)
    op_id = str(uuid.uuid4())
    wrote = await a.write("patch", "note", "n2", op_id=op_id, patch={"j": 1}, category="documents")
    live = await b.push("changes")
    (event,) = live["events"]
    assert event["kind"] == "update" and event["op_id"] == op_id and event["operation"] == "patch"
    assert event["data"] == {"i": 2, "j": 1} and event["version_id"] == wrote["version_id"]
    assert event["user_id"] == user and event["device_id"] == "a" and event["time"]
    assert event["revision"] == 2 and event["branch"] == "main" and event["category"] == "documents"
    await a.write("delete", "note", "n2")
    (event,) = (await b.push("changes"))["events"]
    assert event["kind"] == "delete" and "data" not in event
    await a.close()
    await b.close()


async def test_own_writes_arrive_with_their_op_id(suite, user):
    a = await Client.connect(suite.url, user)
    await a.subscribe()
    await a.events_until(caught_up)
    op_id = str(uuid.uuid4())
    await a.write("create", "note", "n", op_id=op_id, data={})
    (event,) = (await a.push("changes"))["events"]
    assert event["op_id"] == op_id and event["kind"] == "enter"
    await a.close()


async def test_catching_up_from_a_cursor_sends_each_change_once(suite, user):
    a = await Client.connect(suite.url, user)
    await a.subscribe()
    _, message = await a.events_until(caught_up)
    cursor = message["cursor"]
    for i in range(30):
        await a.write("update", "note", f"n{i % 3}", data={"i": i})
    b = await Client.connect(suite.url, user)
    await b.subscribe(cursor=cursor)
    events, message = await b.events_until(caught_up)
    assert [e["data"]["i"] for e in events] == list(range(30))
    await b.subscribe(cursor=cursor, mode="latest")
    latest, _ = await b.events_until(caught_up)
    assert sorted(e["data"]["i"] for e in latest) == [27, 28, 29]
    await b.subscribe(cursor=message["cursor"])
    nothing, _ = await b.events_until(caught_up)
    assert nothing == []
    await a.close()
    await b.close()


async def test_a_cursor_from_an_answer_to_a_write_can_be_used(suite, user):
    a = await Client.connect(suite.url, user)
    await a.write("create", "note", "n1", data={})
    cursor = (await a.write("create", "note", "n2", data={}))["cursor"]
    await a.write("create", "note", "n3", data={})
    await a.subscribe(cursor=cursor)
    events, _ = await a.events_until(caught_up)
    assert ids(events) == ["n3"]
    await a.close()


async def test_filters_choose_types_ids_and_categories(suite, user):
    a = await Client.connect(suite.url, user)
    by_type = await a.subscribe(filter={"entity_types": ["task"]})
    by_id = await a.subscribe(filter={"entity_ids": ["x"]})
    by_category = await a.subscribe(filter={"categories": ["media"]})
    for _ in range(3):
        await a.push("changes", where=caught_up_message)
    await a.write("create", "task", "x", data={}, category="media")
    await a.write("create", "note", "y", data={}, category="documents")
    await a.write("patch", "task", "x", patch={"a": 1}, category="documents")
    await a.write("create", "task", "end", data={}, category="media")
    for subscription, expected in (
            (by_type, [("enter", "x"), ("update", "x"), ("enter", "end")]),
            (by_id, [("enter", "x"), ("update", "x")]),
            (by_category, [("enter", "x"), ("leave", "x"), ("enter", "end")])):
        events, _ = await a.events_until(
            lambda e, m: len(e) >= len(expected), subscription["subscription_id"])
        assert [(e["kind"], e["entity_id"]) for e in events] == expected
        assert all("data" not in e for e in events if e["kind"] == "leave")
    await a.close()


def caught_up_message(message):
    return message["caught_up"]


async def test_payload_patch_and_none(suite, user):
    a = await Client.connect(suite.url, user)
    await a.write("create", "note", "n", data={"a": 1, "b": 1})
    patch = await a.subscribe(payload="patch")
    none = await a.subscribe(payload="none")
    for _ in range(2):
        await a.push("changes", where=caught_up_message)
    await a.write("patch", "note", "n", patch={"b": 2})
    events, _ = await a.events_until(lambda e, m: e, patch["subscription_id"])
    assert events[0]["patch"] == {"b": 2} and "data" not in events[0]
    events, _ = await a.events_until(lambda e, m: e, none["subscription_id"])
    assert "patch" not in events[0] and "data" not in events[0]
    await a.close()


async def test_pause_and_resume_lose_nothing(suite, user):
    a = await Client.connect(suite.url, user)
    answer = await a.subscribe()
    subscription = answer["subscription_id"]
    await a.events_until(caught_up)
    paused = await a.request("pause", subscription_id=subscription)
    assert paused["type"] == "paused" and paused["success"]
    other = (await a.subscribe(cursor=answer["cursor"]))["subscription_id"]
    for i in range(10):
        await a.write("create", "note", f"n{i}", data={})
    await a.events_until(lambda e, m: len(e) == 10, other)  # The feed has come so far.
    assert not [m for m in a.pushes if m["type"] == "changes"]
    resumed = await a.request("resume", subscription_id=subscription)
    assert resumed["type"] == "resumed" and resumed["subscription_id"] == subscription
    events, _ = await a.events_until(lambda e, m: len(e) >= 10, subscription)
    assert ids(events) == [f"n{i}" for i in range(10)]
    await a.close()


async def test_unsubscribe_ends_it(suite, user):
    a = await Client.connect(suite.url, user)
    subscription = (await a.subscribe())["subscription_id"]
    await a.events_until(caught_up)
    answer = await a.request("unsubscribe", subscription_id=subscription)
    assert answer["type"] == "unsubscribed" and answer["success"]
    other = (await a.subscribe())["subscription_id"]
    await a.write("create", "note", "n", data={})
    await a.events_until(lambda e, m: len(e) == 1, other)
    assert not [m for m in a.pushes if m["type"] == "changes"]
    unknown = await a.request("unsubscribe", subscription_id="no-such")
    assert unknown["success"] is False and unknown["error"]["code"] == "not_found"
    await a.close()


async def test_a_cursor_of_another_epoch_is_sent_back_to_the_start(suite, user):
    import base64
    a = await Client.connect(suite.url, user)
    cursor = (await a.write("create", "note", "n", data={}))["cursor"]
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[3] ^= 0xFF
    forged = base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
    await a.request("subscribe", cursor=forged, mode="changes", payload="data")
    resync = await a.push("resync")
    assert resync["subscription_id"] and resync["reason"] and resync["after_ms"] >= 0
    refused = await a.request("subscribe", cursor="not a cursor", mode="changes", payload="data")
    assert refused["success"] is False and refused["error"]["code"] == "invalid_argument"
    await a.close()


async def test_a_space_one_may_not_read_is_not_found(suite, user):
    a = await Client.connect(suite.url, user)
    answer = await a.request("subscribe", space="user:other", mode="changes", payload="data")
    assert answer["success"] is False and answer["error"]["code"] in ("not_found", "forbidden")
    await a.close()


async def test_an_update_during_the_state_transfer_is_seen_exactly_once(suite, user):
    """lessons.md, test 6."""
    a = await Client.connect(suite.url, user)
    count = 3000
    for start in range(0, count, 1000):
        await a.request("sync_batch", operations=[
            {"operation": "create", "entity_type": "n", "entity_id": f"e{i}",
             "data": {"v": 0, "pad": "x" * 500}} for i in range(start, start + 1000)])
    b = await Client.connect(suite.url, user)
    writer = asyncio.ensure_future(_update_meanwhile(a, count))
    await b.subscribe()
    events, _ = await b.events_until(caught_up, timeout=60)
    written = await writer
    last = await a.write("update", "n", "last", data={"v": "end"})
    more, _ = await b.events_until(
        lambda e, m: any(x["version_id"] == last["version_id"] for x in e), timeout=60)
    events += more
    final = {}
    seen = set()
    for event in events:
        assert event["version_id"] not in seen, "sent twice"
        seen.add(event["version_id"])
        final[event["entity_id"]] = event["data"]["v"]
    for entity_id, value in written.items():
        assert final[entity_id] == value
    assert len(final) == count + 1
    await a.close()
    await b.close()


async def _update_meanwhile(client, count):
    written = {}
    for i in range(150):
        entity_id = f"e{(i * 977) % count}"
        await client.write("update", "n", entity_id, data={"v": i + 1})
        written[entity_id] = i + 1
    return written


async def test_many_writers_one_order_for_all(suite, user):
    clients = [await Client.connect(suite.url, user) for _ in range(4)]
    for client in clients:
        await client.subscribe()
        await client.events_until(caught_up)
    total = 400

    async def write(client, offset):
        for i in range(total // 4):
            await client.write("update", "n", f"e{(i + offset) % 7}", data={"i": i, "by": offset})

    await asyncio.gather(*[write(client, k) for k, client in enumerate(clients)])
    sequences = []
    for client in clients:
        events, _ = await client.events_until(lambda e, m: len(e) >= total)
        sequences.append([(e["seq"], e["version_id"]) for e in events])
    assert all(sequence == sequences[0] for sequence in sequences)
    seqs = [seq for seq, _ in sequences[0]]
    assert seqs == list(range(seqs[0], seqs[0] + total))
    for client in clients:
        await client.close()
