"""protocol.md, "Writing": every operation, every outcome."""

import asyncio
import uuid

import pytest

from harness.client import Client


async def test_create_answers_with_everything_promised(suite, user):
    client = await Client.connect(suite.url, user)
    op_id = str(uuid.uuid4())
    answer = await client.write("create", "note", "n1", op_id=op_id, data={"title": "hello"})
    assert answer["type"] == "sync_response" and answer["success"] is True
    assert answer["status"] == "applied" and answer["op_id"] == op_id
    assert answer["space"] == f"user:{user}" and answer["branch"] == "main"
    assert (answer["entity_type"], answer["entity_id"]) == ("note", "n1")
    assert answer["revision"] == 1 and answer["version_id"] and answer["cursor"]
    await client.close()


async def test_create_of_a_living_entity_is_refused(suite, user):
    client = await Client.connect(suite.url, user)
    await client.write("create", "note", "n", data={})
    answer = await client.write("create", "note", "n", data={})
    assert answer["success"] is False and answer["status"] == "rejected"
    assert answer["error"]["code"] == "already_exists" and answer["error"]["retryable"] is False
    await client.close()


async def test_create_after_delete_goes_on_with_the_next_revision(suite, user):
    client = await Client.connect(suite.url, user)
    await client.write("create", "note", "n", data={"a": 1})
    gone = await client.write("delete", "note", "n")
    assert gone["status"] == "applied" and gone["revision"] == 2
    again = await client.write("create", "note", "n", data={"a": 2})
    assert again["status"] == "applied" and again["revision"] == 3
    await client.close()


async def test_update_replaces_and_creates(suite, user):
    client = await Client.connect(suite.url, user)
    assert (await client.write("update", "note", "n", data={"a": 1, "b": 2}))["revision"] == 1
    assert (await client.write("update", "note", "n", data={"c": 3}))["revision"] == 2
    assert (await client.get("note", "n"))["data"] == {"c": 3}
    await client.close()


async def test_merge_patch_follows_rfc_7396(suite, user):
    client = await Client.connect(suite.url, user)
    await client.write("create", "note", "n", data={"a": "b", "c": {"d": "e", "f": "g"}})
    answer = await client.write("patch", "note", "n", patch={"a": "z", "c": {"f": None}})
    assert answer["status"] == "applied"
    assert (await client.get("note", "n"))["data"] == {"a": "z", "c": {"d": "e"}}
    await client.close()


async def test_json_patch_follows_rfc_6902(suite, user):
    client = await Client.connect(suite.url, user)
    await client.write("create", "note", "n", data={"list": [1, 3], "x": "y"})
    patch = [{"op": "test", "path": "/x", "value": "y"},
             {"op": "add", "path": "/list/1", "value": 2},
             {"op": "move", "from": "/x", "path": "/z"}]
    assert (await client.write("patch", "note", "n", patch=patch))["success"]
    assert (await client.get("note", "n"))["data"] == {"list": [1, 2, 3], "z": "y"}
    failed = await client.write("patch", "note", "n",
                                patch=[{"op": "replace", "path": "/list", "value": []},
                                       {"op": "test", "path": "/z", "value": "no"}])
    assert failed["success"] is False and failed["error"]["code"] == "precondition_failed"
    assert (await client.get("note", "n"))["data"] == {"list": [1, 2, 3], "z": "y"}
    await client.close()


async def test_patch_and_delete_of_nothing_are_not_found(suite, user):
    client = await Client.connect(suite.url, user)
    patched = await client.write("patch", "note", "none", patch={"a": 1})
    assert patched["error"]["code"] == "not_found"
    deleted = await client.write("delete", "note", "none")
    assert deleted["error"]["code"] == "not_found"
    await client.close()


async def test_digits_of_numbers_survive(suite, user):
    client = await Client.connect(suite.url, user)
    raw = ('{"type":"sync_request","id":1,"operation":"create","entity_type":"n","entity_id":"1",'
           '"data":{"big":9007199254740993,"money":1.10,"huge":123456789012345678901234567890}}')
    await client.send(raw)
    await client.push("sync_response")
    client.keep_texts = True
    await client.send('{"type":"get","id":"r","entity_type":"n","entity_id":"1"}')
    answer = await client.push("entity")
    assert answer["data"]["big"] == 9007199254740993
    assert answer["data"]["huge"] == 123456789012345678901234567890
    assert '"money":1.10' in client.texts[-1]
    await client.close()


async def test_a_change_on_an_old_base_is_merged_field_by_field(suite, user):
    a = await Client.connect(suite.url, user, device_id="a")
    b = await Client.connect(suite.url, user, device_id="b")
    base = (await a.write("create", "note", "n", data={"x": 1, "y": 1, "z": 1}))["version_id"]
    applied = await a.write("patch", "note", "n", patch={"x": 2}, base_version=base)
    assert applied["status"] == "applied"
    merged = await b.write("patch", "note", "n", patch={"y": 3}, base_version=base)
    assert merged["success"] and merged["status"] == "merged"
    assert merged["data"] == {"x": 2, "y": 3, "z": 1}
    assert (await a.get("note", "n"))["data"] == {"x": 2, "y": 3, "z": 1}
    history = (await a.request("history", entity_type="note", entity_id="n"))["versions"]
    assert len(history[0]["parents"]) == 2
    await a.close()
    await b.close()


async def test_what_overlaps_is_won_by_the_last_writer(suite, user):
    a = await Client.connect(suite.url, user)
    base = (await a.write("create", "note", "n", data={"x": 1}))["version_id"]
    await a.write("update", "note", "n", data={"x": 2}, base_version=base)
    answer = await a.write("update", "note", "n", data={"x": 3}, base_version=base)
    assert answer["status"] == "merged"
    assert (await a.get("note", "n"))["data"] == {"x": 3}
    await a.close()


async def test_an_edit_wins_over_a_delete(suite, user):
    a = await Client.connect(suite.url, user)
    base = (await a.write("create", "note", "n", data={"x": 1}))["version_id"]
    await a.write("update", "note", "n", data={"x": 2}, base_version=base)
    answer = await a.write("delete", "note", "n", base_version=base)
    assert answer["success"] and answer["status"] == "merged"
    assert (await a.get("note", "n"))["data"] == {"x": 2}
    await a.close()


async def test_an_unknown_base_is_told(suite, user):
    a = await Client.connect(suite.url, user)
    await a.write("create", "note", "n", data={"x": 1})
    answer = await a.write("update", "note", "n", data={}, base_version="1-0000000000000000")
    assert answer["error"]["code"] == "base_not_found"
    answer = await a.write("update", "note", "n", data={}, base_version="nonsense")
    assert answer["error"]["code"] in ("base_not_found", "invalid_argument")
    await a.close()


async def test_a_repeated_operation_gets_the_first_answer(suite, user):
    a = await Client.connect(suite.url, user)
    op_id = str(uuid.uuid4())
    first = await a.write("create", "note", "n", op_id=op_id, data={"x": 1})
    await a.write("update", "note", "n", data={"x": 2})
    again = await a.write("create", "note", "n", op_id=op_id, data={"x": 1})
    assert again["success"] and again["status"] == "duplicate"
    assert (again["version_id"], again["revision"]) == (first["version_id"], 1)
    assert again["cursor"] == first["cursor"]
    other = await a.write("create", "note", "n", op_id=op_id, data={"x": 9})
    assert other["error"]["code"] == "operation_id_reused"
    assert (await a.get("note", "n"))["revision"] == 2
    await a.close()


async def test_the_same_operation_sent_many_times_at_once_applies_once(suite, user):
    a = await Client.connect(suite.url, user)
    op_id = str(uuid.uuid4())
    answers = await asyncio.gather(*[
        a.write("create", "note", "n", op_id=op_id, data={"x": 1}) for _ in range(20)])
    assert sorted({answer["status"] for answer in answers}) == ["applied", "duplicate"]
    assert len([x for x in answers if x["status"] == "applied"]) == 1
    assert len({answer["version_id"] for answer in answers}) == 1
    await a.close()


async def test_of_a_batch_the_refused_one_stands_alone_with_its_dependants(suite, user):
    a = await Client.connect(suite.url, user)
    await a.write("create", "note", "taken", data={})
    operations = [
        {"operation": "create", "entity_type": "note", "entity_id": "one", "data": {"i": 1}},
        {"operation": "create", "entity_type": "note", "entity_id": "taken", "data": {"i": 2}},
        {"operation": "update", "entity_type": "note", "entity_id": "taken", "data": {"i": 3}},
        {"operation": "update", "entity_type": "note", "entity_id": "one", "data": {"i": 4}},
    ]
    answer = await a.request("sync_batch", operations=operations)
    assert answer["type"] == "sync_batch_response" and answer["success"]
    codes = [r["status"] if r["success"] else r["error"]["code"] for r in answer["results"]]
    assert codes == ["applied", "already_exists", "depends_on_rejected", "applied"]
    assert "type" not in answer["results"][0]
    assert (await a.get("note", "one"))["data"] == {"i": 4}
    assert (await a.get("note", "taken"))["data"] == {}
    await a.close()


async def test_a_refusal_holds_up_what_follows_on_a_duplicate(suite, user):
    a = await Client.connect(suite.url, user)
    known = {"entity_type": "note", "entity_id": "n", "operation": "create", "data": 1,
             "op_id": str(uuid.uuid4())}
    await a.request("sync_batch", operations=[known])
    lost = {**known, "operation": "update", "op_id": str(uuid.uuid4()), "base_version": "9-ff"}
    last = {"entity_type": "note", "entity_id": "n", "operation": "delete"}
    answer = await a.request("sync_batch", operations=[lost, known, last])
    outcomes = [one.get("error", {}).get("code", one["status"]) for one in answer["results"]]
    assert outcomes == ["base_not_found", "duplicate", "depends_on_rejected"]
    assert (await a.get("note", "n"))["data"] == 1
    await a.close()


async def test_errors_of_a_batch_name_place_and_hold_up_their_entity(suite, user):
    a = await Client.connect(suite.url, user)
    one = {"entity_type": "note", "entity_id": "n", "operation": "create", "data": {"x": 1}}
    wrong = {**one, "op_id": "x" * 65}
    test = {**one, "operation": "patch", "patch": [{"op": "test", "path": "/x", "value": 2}]}
    for atomic in (False, True):
        answer = await a.request("sync_batch", operations=[wrong, one], atomic=atomic)
        codes = [result["error"]["code"] for result in answer["results"]]
        assert codes == ["too_large", "depends_on_rejected"]
        assert answer["results"][0]["error"]["path"] == "/operations/0/op_id"
        assert answer["results"][0]["entity_id"] == "n"
    answer = await a.request("sync_batch", operations=[one, test, one])
    refused = answer["results"][1]["error"]
    assert (refused["code"], refused["path"]) == ("precondition_failed",
                                                  "/operations/1/patch/0/value")
    assert answer["results"][2]["error"]["code"] == "depends_on_rejected"
    answer = await a.request("sync_batch", operations=[{**one, "entity_id": "m"}, test],
                             atomic=True)
    assert answer["error"]["path"] == "/operations/1/patch/0/value"
    await a.close()


async def test_an_atomic_batch_applies_whole_or_not_at_all(suite, user):
    a = await Client.connect(suite.url, user)
    await a.write("create", "note", "taken", data={})
    bad = [{"operation": "create", "entity_type": "note", "entity_id": "new", "data": {}},
           {"operation": "create", "entity_type": "note", "entity_id": "taken", "data": {}}]
    answer = await a.request("sync_batch", operations=bad, atomic=True)
    assert all(r["success"] is False for r in answer["results"])
    assert answer["success"] is False and answer["error"]["code"] == "already_exists"
    assert (await a.get("note", "new"))["success"] is False
    good = [{"operation": "create", "entity_type": "note", "entity_id": f"g{i}", "data": {"i": i}}
            for i in range(5)]
    answer = await a.request("sync_batch", operations=good, atomic=True)
    assert answer["success"] and [r["status"] for r in answer["results"]] == ["applied"] * 5
    await a.close()


@pytest.mark.parametrize("wrong", [
    {"client_time": "1970-01-02T00:00:00Z"}, {"op_id": "not visible"},
    {"op_id": "close-0123456789abcdef0123456789abcdef"}], ids=lambda wrong: next(iter(wrong)))
async def test_whatever_is_wrong_with_one_of_a_batch_it_alone_is_to_blame(suite, user, wrong):
    a = await Client.connect(suite.url, user)
    one, other = ({"operation": "update", "entity_type": "n", "entity_id": id, "data": 1}
                  for id in ("one", "other"))
    operations = [other, {**one, **wrong}, one]
    place = f"/operations/1/{next(iter(wrong))}"
    answer = await a.request("sync_batch", operations=operations)
    assert answer["results"][0]["status"] == "applied"
    assert answer["results"][1]["error"]["path"] == place
    assert answer["results"][2]["error"]["code"] == "depends_on_rejected"
    answer = await a.request("sync_batch", operations=operations, atomic=True)
    assert answer["error"]["path"] == answer["results"][1]["error"]["path"] == place
    for i in (0, 2):
        assert answer["results"][i]["error"]["code"] == "depends_on_rejected"
    await a.close()


async def test_an_atomic_batch_over_two_spaces_is_refused(suite, user):
    a = await Client.connect(suite.url, user, spaces={"team-x": "write"})
    operations = [
        {"operation": "update", "entity_type": "n", "entity_id": "1", "data": {}},
        {"operation": "update", "space": "team-x", "entity_type": "n", "entity_id": "1",
         "data": {}}]
    answer = await a.request("sync_batch", operations=operations, atomic=True)
    codes = {r["error"]["code"] for r in answer["results"]} if "results" in answer else {
        answer["error"]["code"]}
    assert codes == {"invalid_argument"}
    await a.close()


async def test_one_refused_among_a_thousand(suite, user):
    a = await Client.connect(suite.url, user)
    operations = [
        {"operation": "create", "entity_type": "n", "entity_id": f"e{i}", "data": {"i": i}}
        for i in range(1000)]
    operations[500]["entity_type"] = "not a type!"
    answer = await a.request("sync_batch", operations=operations)
    assert sum(r["success"] for r in answer["results"]) == 999
    assert answer["results"][500]["error"]["code"] == "invalid_argument"
    await a.close()


async def test_of_a_batch_all_that_was_sent_counts(suite, user):
    """Also what is malformed: one beyond the limit is refused as a whole."""
    a = await Client.connect(suite.url, user)
    operations = [{"operation": "create", "entity_type": "n", "entity_id": "e", "data": 1}] * 1001
    operations[500] = {"operation": "none"}
    answer = await a.request("sync_batch", operations=operations)
    assert not answer["success"] and answer["error"]["code"] == "too_large"
    assert not (await a.request("get", entity_type="n", entity_id="e"))["success"]
    await a.close()


async def test_an_empty_batch_is_answered(suite, user):
    a = await Client.connect(suite.url, user)
    answer = await a.request("sync_batch", operations=[])
    assert answer["success"] and answer["results"] == []
    await a.close()


async def test_writing_needs_write_access(suite, user):
    a = await Client.connect(suite.url, user, spaces={"shared-r": "read"})
    for space in ("shared-r", "user:somebody", "other"):
        answer = await a.write("update", "note", "n", space=space, data={})
        assert answer["success"] is False and answer["error"]["code"] == "forbidden", space
    await a.close()


async def test_answers_about_one_entity_come_in_request_order(suite, user):
    a = await Client.connect(suite.url, user)
    answers = await asyncio.gather(*[
        a.write("update", "note", "hot", data={"i": i}) for i in range(200)])
    assert [x["revision"] for x in answers] == list(range(1, 201))
    assert (await a.get("note", "hot"))["data"] == {"i": 199}
    await a.close()


async def test_batches_and_single_writes_of_many_entities_keep_the_order_of_each(suite, user):
    """All in flight at once: batches over overlapping entities, and single writes between them."""
    a = await Client.connect(suite.url, user)
    answers, sent = [], {}
    for i in range(60):
        ids = [f"e{(i + step) % 7}" for step in ((0, 1, 3) if i % 2 == 0 else (0,))]
        writes = [{"operation": "update", "entity_type": "n", "entity_id": id, "data": {"i": i}}
                  for id in ids]
        for id in ids:
            sent.setdefault(id, []).append({"i": i})
        request = (a.request("sync_batch", operations=writes, atomic=i % 4 == 0) if i % 2 == 0
                   else a.request("sync_request", **writes[0]))
        answers.append(asyncio.ensure_future(request))
        await asyncio.sleep(0)  # It is sent before the next one.
    for answer in await asyncio.gather(*answers):
        assert all(result["success"] for result in answer.get("results", [answer])), answer
    for id, values in sent.items():
        history = await a.request("history", entity_type="n", entity_id=id, limit=100)
        states = [await a.get("n", id, version_id=version["version_id"])
                  for version in reversed(history["versions"])]
        assert [state["data"] for state in states] == values, id
    await a.close()
