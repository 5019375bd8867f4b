"""docs/protocol.md, the lines that no other file asks about: defaults, names, sizes, branches."""

import asyncio
import uuid

import pytest

from harness.client import Client

COLUMN = ("entity_type", "entity_id", "space", "branch")


def caught_up(message):
    return message["caught_up"]


async def test_an_op_id_is_filled_in_when_left_out(suite, user):
    client = await Client.connect(suite.url, user)
    first = await client.request("sync_request", operation="update", entity_type="n",
                                 entity_id="1", data={})
    second = await client.request("sync_request", operation="update", entity_type="n",
                                  entity_id="1", data={})
    assert first["op_id"] and second["op_id"] and first["op_id"] != second["op_id"]
    assert second["status"] == "applied" and second["revision"] == 2
    await client.close()


async def test_of_duplicate_keys_the_last_counts(suite, user):
    client = await Client.connect(suite.url, user)
    await client.send('{"type":"sync_request","operation":"create","entity_type":"n",'
                      '"entity_id":"no","entity_id":"1","data":{"a":1,"a":2},"id":1}')
    assert (await client.push("sync_response"))["entity_id"] == "1"
    assert (await client.get("n", "1"))["data"] == {"a": 2}
    await client.close()


@pytest.mark.parametrize("field, good, bad", [
    ("entity_type", ["a", "A-Z_0.9", "t" * 64], ["", "t" * 65, "a b", "a/b", "ä"]),
    ("entity_id", ["x", "ä b/c:🙂", "i" * 256], ["", "i" * 257, "a\u0001", "a\n"]),
    ("space", ["team", "a_B.c:d@e-1", "s" * 128], ["s" * 129, "a b", "a/b", "ä"]),
    ("branch", ["main", "feature/x-1.2_3", "b" * 128], ["b" * 129, "a b", "a:b"]),
    ("op_id", ["x", "o" * 64], ["o" * 65]),
    ("message", ["m" * 1024], ["m" * 1025]),
    ("metadata", [{}, {"k": "v" * 4000}], ["text", [1], {"k": "v" * 4096}]),
    ("priority", ["low", "normal", "high", "critical"], ["urgent", 7]),
    ("client_time", [], ["yesterday", 7, "2026-13-01T00:00:00.000Z"]),
    ("category", ["documents", "c" * 64], ["c" * 65, 7]),
])
async def test_names_and_sizes_at_their_edge_and_beyond(suite, user, field, good, bad):
    spaces = {value: "write" for value in good} if field == "space" else None
    client = await Client.connect(suite.url, user, spaces=spaces)
    fields = dict(operation="update", entity_type="n", entity_id="1", data={})
    for value in good:
        answer = await client.request("sync_request", **{**fields, field: value})
        assert answer["success"], (value, answer)
        if field in COLUMN:
            assert answer[field] == value
    for value in bad:
        answer = await client.request("sync_request", **{**fields, field: value})
        code = answer["error"]["code"]
        assert not answer["success"] and code in ("invalid_argument", "too_large"), (value, answer)
        assert answer["error"]["path"] == "/" + field
    await client.close()


async def test_a_batch_holds_a_thousand_operations_and_no_more(suite, user):
    client = await Client.connect(suite.url, user)
    one = {"operation": "update", "entity_type": "n", "entity_id": "1", "data": {}}
    assert (await client.request("sync_batch", operations=[one] * 1000))["success"]
    answer = await client.request("sync_batch", operations=[one] * 1001)
    assert not answer["success"] and answer["error"]["code"] == "too_large"
    await client.close()


async def test_an_entity_tells_its_category_and_time(suite, user):
    client = await Client.connect(suite.url, user)
    await client.write("create", "n", "1", data={"a": 1}, category="media")
    entity = await client.get("n", "1")
    assert entity["category"] == "media" and entity["time"].endswith("Z")
    assert {name: entity[name] for name in COLUMN} == {
        "entity_type": "n", "entity_id": "1", "space": f"user:{user}", "branch": "main"}
    (listed,) = (await client.request("list"))["entities"]
    assert {k: v for k, v in entity.items() if k not in ("type", "id", "success")} == listed
    await client.close()


async def test_a_branch_is_a_line_of_its_own(suite, user):
    client = await Client.connect(suite.url, user)
    everything = await client.subscribe(filter={"branches": ["main", "draft"]})
    only_main = await client.subscribe()
    only_draft = await client.subscribe(filter={"branches": ["draft"]})
    for _ in range(3):
        await client.push("changes", where=caught_up)
    await client.write("create", "n", "1", data={"on": "main"})
    drafted = await client.write("create", "n", "1", branch="draft", data={"on": "draft"})
    assert drafted["branch"] == "draft" and drafted["revision"] == 1
    await client.write("create", "n", "end", data={})
    await client.write("create", "n", "end", branch="draft", data={})
    assert (await client.get("n", "1"))["data"] == {"on": "main"}
    assert (await client.get("n", "1", branch="draft"))["data"] == {"on": "draft"}
    history = await client.request("history", entity_type="n", entity_id="1", branch="draft")
    assert [v["version_id"] for v in history["versions"]] == [drafted["version_id"]]
    for subscription, branches in ((everything, ["main", "draft", "main", "draft"]),
                                   (only_main, ["main", "main"]),
                                   (only_draft, ["draft", "draft"])):
        events, _ = await client.events_until(lambda e, m: len(e) >= len(branches),
                                              subscription["subscription_id"])
        assert [event["branch"] for event in events] == branches
    await client.close()


async def test_what_a_subscription_leaves_out_has_a_default(suite, user):
    client = await Client.connect(suite.url, user)
    await client.write("create", "n", "1", data={"a": 1})
    answer = await client.request("subscribe")
    assert answer["success"], answer
    events, _ = await client.events_until(lambda e, m: m["caught_up"])
    assert [event["data"] for event in events] == [{"a": 1}]
    await client.write("update", "n", "1", data={"a": 2})
    await client.write("update", "n", "1", data={"a": 3})
    events, _ = await client.events_until(lambda e, m: len(e) == 2)
    assert [event["data"] for event in events] == [{"a": 2}, {"a": 3}]
    await client.close()


async def test_a_presence_ends_when_its_state_is_null(suite, user):
    space = "team-" + user
    a, b = [await Client.connect(suite.url, f"{user}-{name}", device_id=name,
                                 spaces={space: "read"}) for name in "ab"]
    for client in (a, b):
        await client.subscribe(space=space)
        await client.push("changes", where=caught_up)
    await a.send({"type": "presence", "id": "p", "space": space, "state": {"x": [1, None]}})
    assert (await b.push("presence"))["state"] == {"x": [1, None]}
    await a.send({"type": "presence", "space": space, "state": None})
    told = await b.push("presence")
    assert told["state"] is None and told["device_id"] == "a"
    assert (await a.request("ping"))["success"]
    assert not [message for message in a.pushes if message.get("id") == "p"], "it has no answer"
    # Who may only read may be present, and may not broadcast.
    refused = await a.request("broadcast", space=space, topic="t", payload=1)
    assert refused["error"]["code"] == "forbidden"
    await asyncio.gather(a.close(), b.close())


async def test_more_unanswered_requests_than_allowed_are_read_later(new_suite, user):
    suite = new_suite(env={"BDC_SYNC_LIMITS_IN_FLIGHT_PER_SESSION": "4"})
    client = await Client.connect(suite.url, user)
    assert client.authenticated["limits"]["in_flight_max"] == 4
    answers = await asyncio.gather(*[
        client.write("update", "n", f"e{i}", op_id=str(uuid.uuid4()), data={"i": i})
        for i in range(200)])
    assert all(answer["status"] == "applied" for answer in answers)
    assert suite.gateway.metric("bdcsync_gateway_reading_paused_total") > 0
    await client.close()


async def test_what_is_asked_of_a_subscription_that_is_not_there_is_not_found(suite, user):
    client = await Client.connect(suite.url, user)
    for kind in ("pause", "resume", "unsubscribe"):
        answer = await client.request(kind, subscription_id="no-such")
        assert not answer["success"] and answer["error"]["code"] == "not_found"
    await client.close()


async def test_an_operation_without_a_category_leaves_the_entitys(suite, user):
    client = await Client.connect(suite.url, user)
    await client.write("create", "n", "1", data={}, category="media")
    await client.write("update", "n", "1", data={"a": 1})
    assert (await client.get("n", "1"))["category"] == "media"
    await client.close()


@pytest.mark.parametrize("kind, most", [("list", 1000), ("history", 500)])
async def test_pages_have_a_limit(suite, user, kind, most):
    client = await Client.connect(suite.url, user)
    await client.write("create", "n", "1", data={})
    fields = {} if kind == "list" else {"entity_type": "n", "entity_id": "1"}
    for limit in (most, most + 1):  # What is beyond the page is the page.
        assert (await client.request(kind, limit=limit, **fields))["success"]
    for limit in (0, -1, "ten"):
        refused = await client.request(kind, limit=limit, **fields)
        assert refused["error"]["code"] == "invalid_argument", (limit, refused)
        assert refused["error"]["path"].endswith("limit")
    await client.close()


async def test_a_diff_of_what_is_no_version_of_it_is_told(suite, user):
    client = await Client.connect(suite.url, user)
    version = (await client.write("create", "n", "1", data={}))["version_id"]
    other = (await client.write("create", "n", "2", data={}))["version_id"]
    for fields in ({"from": version, "to": other}, {"from": "nonsense", "to": version}):
        answer = await client.request("diff", entity_type="n", entity_id="1", **fields)
        assert not answer["success"]
        assert answer["error"]["code"] in ("not_found", "invalid_argument"), answer
    await client.close()
