"""protocol.md, "Reading" without subscriptions: get, list, history, diff."""

import asyncio
import uuid

from harness.client import Client


async def test_get_at_head_at_a_version_and_at_a_time(suite, user):
    a = await Client.connect(suite.url, user)
    first = await a.write("create", "note", "n", data={"v": 1})
    await asyncio.sleep(0.02)
    between = (await a.request("ping"))["server_time"]
    await asyncio.sleep(0.02)
    second = await a.write("update", "note", "n", data={"v": 2})
    head = await a.get("note", "n")
    assert head["type"] == "entity" and head["success"] and head["data"] == {"v": 2}
    assert head["version_id"] == second["version_id"] and head["revision"] == 2
    assert head["deleted"] is False and head["has_conflict"] is False
    old = await a.get("note", "n", version_id=first["version_id"])
    assert old["data"] == {"v": 1} and old["revision"] == 1
    assert (await a.get("note", "n", as_of=between))["data"] == {"v": 1}
    for early in ("2001-01-01T00:00:00.000Z", "1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00Z",
                  "1969-12-31T23:59:59.999Z", "1066-10-14T12:00:00Z"):
        none = await a.get("note", "n", as_of=early)
        assert none["success"] is False and none["error"]["code"] == "not_found", (early, none)
    no_time = await a.get("note", "n", as_of="yesterday")
    assert no_time["error"]["code"] == "invalid_argument" and no_time["error"]["path"] == "/as_of"
    await a.close()


async def test_a_deleted_entity_has_no_data(suite, user):
    a = await Client.connect(suite.url, user)
    await a.write("create", "note", "n", data={"v": 1})
    await a.write("delete", "note", "n")
    gone = await a.get("note", "n")
    assert gone["success"] and gone["deleted"] is True and "data" not in gone
    await a.close()


async def test_what_one_may_not_see_is_not_found(suite, user):
    a = await Client.connect(suite.url, user)
    for space in (f"user:{user}", "user:somebody-else", "other"):
        answer = await a.get("note", "none", space=space)
        assert answer["success"] is False and answer["error"]["code"] == "not_found"
    await a.close()


async def test_list_pages_through_the_living(suite, user):
    a = await Client.connect(suite.url, user)
    for i in range(25):
        await a.write("create", "note" if i % 2 else "task", f"e{i:02}", data={"i": i})
    await a.write("delete", "note", "e01")
    seen, page = [], None
    while True:
        fields = {"page_token": page} if page else {}
        answer = await a.request("list", limit=7, **fields)
        assert answer["type"] == "entities" and answer["success"] and len(answer["entities"]) <= 7
        seen += [(e["entity_type"], e["entity_id"]) for e in answer["entities"]]
        page = answer.get("next_page_token")
        if not page:
            break
    assert len(seen) == len(set(seen)) == 24 and ("note", "e01") not in seen
    only = await a.request("list", entity_types=["task"])
    assert {e["entity_type"] for e in only["entities"]} == {"task"} and len(only["entities"]) == 13
    await a.close()


async def pages_of(client, **fields):
    pages = [await client.request("list", **fields)]
    while "next_page_token" in pages[-1]:
        pages.append(await client.request("list", page_token=pages[-1]["next_page_token"],
                                          **fields))
        assert pages[-1]["success"], pages[-1]
    return pages


def ids(page):
    return [entity["entity_id"] for entity in page["entities"]]


async def test_one_of_many_is_on_the_first_page_whatever_the_limit(suite, user):
    a = await Client.connect(suite.url, user)
    for batch in range(2):
        operations = [{"op_id": str(uuid.uuid4()), "operation": "create", "entity_type": "note",
                       "entity_id": f"{batch}-{i}", "data": i} for i in range(1000)]
        assert (await a.request("sync_batch", operations=operations))["success"]
    for entity in ("t1", "t2"):
        await a.write("create", "task", entity, data=1)
    assert [ids(p) for p in await pages_of(a, entity_types=["task"], limit=1)] == [["t1"], ["t2"]]
    assert [ids(p) for p in await pages_of(a, entity_types=["task"])] == [["t1", "t2"]]
    assert sum(len(ids(p)) for p in await pages_of(a, limit=1000)) == 2002
    await a.close()


async def test_a_page_of_large_entities_is_short(suite, user):
    a = await Client.connect(suite.url, user)
    for entity, size in (("a", 400_000), ("b", 400_000), ("c", 400_000), ("d", 1_040_000),
                         ("e", 10)):
        written = await a.write("create", "note", entity, data="x" * size)
        assert written["success"], written
    for fields in ({}, {"entity_types": ["note"]}):
        pages = await pages_of(a, **fields)
        assert [ids(p) for p in pages] == [["a", "b"], ["c"], ["d", "e"]]
    await a.close()


async def test_an_entity_written_between_two_pages_comes_again_as_it_is_then(suite, user):
    a = await Client.connect(suite.url, user)
    for entity in ("a", "b"):
        await a.write("create", "note", entity, data=1)
    first = await a.request("list", limit=1)
    assert ids(first) == ["a"] and first["entities"][0]["data"] == 1
    await a.write("update", "note", "a", data=2)
    rest = await a.request("list", page_token=first["next_page_token"])
    assert ids(rest) == ["b", "a"] and rest["entities"][1]["data"] == 2
    assert "next_page_token" not in rest
    await a.close()


async def test_a_page_token_is_of_one_space_and_its_entity_types(suite, user):
    team = "team-" + user
    a = await Client.connect(suite.url, user, spaces={team: "write"})
    for space in (f"user:{user}", team):
        for entity in ("a", "b"):
            await a.write("create", "note", entity, space=space, data=1)
    page = (await a.request("list", limit=1))["next_page_token"]
    for other in ({"space": team}, {"entity_types": ["note"]}, {"entity_types": ["task"]}):
        refused = await a.request("list", page_token=page, **other)
        assert refused["success"] is False and refused["error"]["code"] == "invalid_argument"
        assert refused["error"]["path"] == "/page_token"
    assert ids(await a.request("list", page_token=page)) == ["b"]
    await a.close()


async def test_history_is_newest_first_and_pages(suite, user):
    a = await Client.connect(suite.url, user, device_id="dev-h")
    for i in range(12):
        await a.write("update", "note", "n", data={"i": i}, message=f"m{i}")
    versions, page = [], None
    while True:
        answer = await a.request("history", entity_type="note", entity_id="n", limit=5,
                                 **({"page_token": page} if page else {}))
        assert answer["type"] == "history" and answer["success"]
        versions += answer["versions"]
        page = answer.get("next_page_token")
        if not page:
            break
    assert [v["revision"] for v in versions] == list(range(12, 0, -1))
    newest = versions[0]
    assert newest["operation"] == "update" and newest["message"] == "m11"
    assert newest["user_id"] == user and newest["device_id"] == "dev-h"
    assert newest["parents"] == [versions[1]["version_id"]] and versions[-1]["parents"] == []
    assert newest["changed_paths"] == ["/i"] and newest["op_id"] and newest["time"]
    whole = await a.request("history", entity_type="note", entity_id="n", limit=1_000_000)
    assert whole["versions"] == versions
    await a.close()


async def test_diff_is_a_json_patch(suite, user):
    a = await Client.connect(suite.url, user)
    first = await a.write("create", "note", "n", data={"a": 1, "b": 2})
    second = await a.write("update", "note", "n", data={"a": 1, "b": 3})
    answer = await a.request("diff", entity_type="note", entity_id="n",
                             **{"from": first["version_id"], "to": second["version_id"]})
    assert answer["type"] == "diff" and answer["success"]
    assert answer["changes"] == [{"op": "replace", "path": "/b", "value": 3}]
    third = await a.write("update", "note", "n", data={"a": 2, "b": 4})
    answer = await a.request("diff", entity_type="note", entity_id="n",
                             **{"from": second["version_id"], "to": third["version_id"]})
    assert answer["changes"] == [{"op": "replace", "path": "/a", "value": 2},
                                 {"op": "replace", "path": "/b", "value": 4}]
    await a.close()


async def test_history_of_nothing_is_not_found(suite, user):
    a = await Client.connect(suite.url, user)
    answer = await a.request("history", entity_type="note", entity_id="none")
    assert answer["success"] is False and answer["error"]["code"] == "not_found"
    await a.close()
