"""Subprotocol bdc-sync.v1.proto: the same messages as binary protobuf, beside JSON clients."""

import asyncio
import json
import os
import uuid

import pytest

from harness.client import Client, token
from harness.proto_client import SUBPROTOCOL, ProtoClient, messages


async def test_the_session_is_told_as_in_json(suite, user):
    binary = await ProtoClient.connect(suite.url, user, device_id="d1")
    assert binary.socket.subprotocol == SUBPROTOCOL
    text = await Client.connect(suite.url, user, device_id="d2")
    told, as_json = binary.authenticated, text.authenticated
    assert set(told) == set(as_json)
    assert told["limits"] == as_json["limits"] and told["epoch"] == as_json["epoch"]
    assert told["device_id"] == "d1"
    answer = await binary.request("refresh", token=token(user, expires_in=1000))
    assert answer["type"] == "refreshed" and answer["token_expires_at"]
    answer = await binary.request("update_device", network="wifi", battery_percent=0)
    assert answer["type"] == "device_updated" and answer["success"] and "plan" in answer
    assert (await binary.request("ping"))["server_time"]
    await binary.close()
    await text.close()


async def test_operations_and_reads(suite, user):
    a = await ProtoClient.connect(suite.url, user)
    data = {"n": [1, 2.5, None, "ünï🙂"], "deep": {"x": True}}
    op_id = str(uuid.uuid4())
    created = await a.write("create", "note", "n1", op_id=op_id, data=data)
    assert created["type"] == "sync_response" and created["status"] == "applied"
    assert created["success"] is True and created["revision"] == 1 and created["op_id"] == op_id
    assert "data" not in created and "error" not in created
    again = await a.write("create", "note", "n1", op_id=op_id, data=data)
    assert again["status"] == "duplicate" and again["version_id"] == created["version_id"]
    await a.write("patch", "note", "n1", patch={"deep": {"y": None, "z": 1}})
    merged = await a.write("patch", "note", "n1", patch=[{"op": "add", "path": "/k", "value": 0}],
                           base_version=created["version_id"])
    assert merged["status"] == "merged" and merged["data"]["k"] == 0
    batch = await a.request("sync_batch", operations=[
        {"operation": "update", "entity_type": "note", "entity_id": "n2", "data": 7},
        {"operation": "explode", "entity_type": "note", "entity_id": "n3"},
        {"operation": "delete", "entity_type": "note", "entity_id": "n2"}])
    assert batch["type"] == "sync_batch_response" and batch["success"] is True
    assert [r["success"] for r in batch["results"]] == [True, False, True]
    assert batch["results"][1]["error"]["code"] == "invalid_argument"

    entity = await a.get("note", "n1")
    assert entity["data"] == {**data, "deep": {"x": True, "z": 1}, "k": 0}
    assert entity["deleted"] is False and entity["revision"] == 3
    gone = await a.get("note", "n2")
    assert gone["deleted"] is True and "data" not in gone
    listed = await a.request("list", entity_types=["note"], limit=10)
    assert [e["entity_id"] for e in listed["entities"]] == ["n1"]
    history = await a.request("history", entity_type="note", entity_id="n1", limit=2)
    assert [v["revision"] for v in history["versions"]] == [3, 2]
    assert len(history["versions"][0]["parents"]) == 2 and history["next_page_token"]
    older = await a.request("history", entity_type="note", entity_id="n1",
                            page_token=history["next_page_token"])
    assert [v["operation"] for v in older["versions"]] == ["create"]
    diff = await a.request("diff", entity_type="note", entity_id="n1",
                           **{"from": history["versions"][1]["version_id"]})
    assert diff["changes"] == [{"op": "add", "path": "/k", "value": 0}]
    await a.close()


async def test_both_formats_follow_one_space(suite, user):
    space = "team-" + user
    spaces = {space: "write"}
    binary = await ProtoClient.connect(suite.url, user + "-p", device_id="p", spaces=spaces)
    text = await Client.connect(suite.url, user + "-j", device_id="j", spaces=spaces)
    for client in (binary, text):
        answer = await client.subscribe(space=space, filter={"entity_types": ["note"]})
        assert answer["subscription_id"] and answer["cursor"] and answer["head"]
        await client.push("changes", where=lambda m: m["caught_up"])
    await text.write("create", "note", "n", space=space, data={"a": 1.10}, category="documents")
    await binary.write("patch", "note", "n", space=space, patch={"b": 2})
    await binary.write("delete", "note", "n", space=space)
    seen = []
    for client in (binary, text):
        events, message = await client.events_until(lambda e, m: len(e) >= 3)
        seen.append(events)
        assert message["space"] == space and message["cursor"]
    assert seen[0] == seen[1]
    assert [e["kind"] for e in seen[0]] == ["enter", "update", "delete"]
    assert seen[0][1]["data"] == {"a": 1.10, "b": 2}

    await binary.send({"type": "presence", "space": space, "state": {"cursor": 5}})
    told = await text.push("presence", where=lambda m: m["device_id"] == "p")
    assert told["state"] == {"cursor": 5}
    await text.send({"type": "presence", "space": space, "state": {"cursor": 6}})
    told = await binary.push("presence", where=lambda m: m["device_id"] == "j")
    assert told["state"] == {"cursor": 6} and told["user_id"] == user + "-j"
    sent = await text.request("broadcast", space=space, topic="t", payload=[1, None])
    assert sent["success"]
    told = await binary.push("broadcast")
    assert told["topic"] == "t" and told["payload"] == [1, None]
    assert (await binary.request("broadcast", space=space, topic="u", payload=1))["success"]
    assert (await text.push("broadcast"))["payload"] == 1
    await text.close()
    gone = await binary.push("presence", where=lambda m: m["device_id"] == "j")
    assert gone["state"] is None
    paused = await binary.request("pause", subscription_id="s1")
    assert paused["type"] == "paused" and paused["subscription_id"] == "s1"
    assert (await binary.request("resume", subscription_id="s1"))["type"] == "resumed"
    assert (await binary.request("unsubscribe", subscription_id="s1"))["type"] == "unsubscribed"
    await binary.close()


async def test_errors_are_the_same(suite, user):
    a = await ProtoClient.connect(suite.url, user)
    missing = await a.get("note", "none")
    assert missing["type"] == "error" and missing["success"] is False
    assert missing["error"]["code"] == "not_found" and missing["error"]["retryable"] is False
    wrong = await a.write("explode", "note", "n")
    assert wrong["type"] == "sync_response" and wrong["status"] == "rejected"
    assert wrong["error"]["path"] == "/operation"
    future = messages().ClientMessage(id="later")
    await a.send(future.SerializeToString())
    unknown = await a.push("error")
    assert unknown["id"] == "later" and unknown["error"]["code"] == "unknown_type"
    not_json = messages().ClientMessage(id="x")
    not_json.sync_request.operation = "create"
    not_json.sync_request.data = b'{"a": '
    for frame, request_id in ((not_json.SerializeToString(), "x"), (b"\xff" * 40, None),
                              (b"\x08", None)):
        await a.send(frame)
        refused = await a.push("error")
        assert refused["error"]["code"] == "bad_message" and refused.get("id") == request_id
    not_json.sync_request.data = b"[" * 600 + b"]" * 600
    await a.send(not_json.SerializeToString())
    deep = await a.push("error")
    assert deep["error"]["code"] == "too_deep" and deep["id"] == "x"
    assert (await a.request("ping"))["success"]
    await a.close()


async def test_any_message_may_be_sent_as_json_text(suite, user):
    a = await ProtoClient.connect(suite.url, user)
    await a.send(messages().ClientMessage(
        json=b'{"type": "ping", "id": 5}').SerializeToString())
    assert (await a.push("pong"))["id"] == 5  # Text on the wire; the client reads it so.
    await a.send(messages().ClientMessage(
        json=json.dumps({"type": "ping", "id": "j"}).encode()).SerializeToString())
    assert (await a.push("pong"))["id"] == "j"
    await a.close()


async def test_a_bad_token_is_refused_with_4401(suite, user):
    a = await ProtoClient.open(suite.url)
    answer = await a.request("authenticate", token="x.y.z")
    assert answer["type"] == "authenticated" and answer["success"] is False
    assert answer["error"]["code"] == "unauthenticated"
    assert await a.closed() == 4401


@pytest.mark.parametrize("kind, frame", [(ProtoClient, '{"type":"ping"}'), (Client, b"\x2a\x00")])
async def test_a_frame_of_the_other_kind_is_a_bad_message(suite, user, kind, frame):
    a = await kind.connect(suite.url, user)
    await a.send(frame)
    error = await a.push("error")
    assert error["success"] is False and error["error"]["code"] == "bad_message"
    assert await a.closed() == 4400


async def test_the_first_subprotocol_that_is_spoken_is_chosen(suite, user):
    a = await ProtoClient.connect(suite.url, user,
                                  subprotocols=["x", SUBPROTOCOL, "bdc-sync.v1.json"])
    assert a.socket.subprotocol == SUBPROTOCOL
    await a.close()


async def test_random_bytes_do_no_harm(suite, user):
    a = await ProtoClient.connect(suite.url, user)
    for _ in range(5):
        await a.send(os.urandom(200))
        await a.push()
    b = await ProtoClient.connect(suite.url, user)
    assert (await b.request("ping"))["success"]
    await asyncio.gather(a.close(), b.close())
