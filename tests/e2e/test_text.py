"""protocol.md, "Text": what the server answers and tells, seen by a plain client."""

import uuid

import pytest

from harness.client import Client
from harness.proto_client import ProtoClient

INSERT_X = [{"insert": "x"}]


async def note(suite, user, text="ab", **fields):
    client = await Client.connect(suite.url, user)
    created = await client.write("create", "note", "n", data={"text": text, **fields})
    assert created["success"], created
    return client, created["version_id"]


async def edit(client, ops, base=None, path="/text", **fields):
    if base is not None:
        fields["base_version"] = base
    return await client.write("text", "note", "n", text={"path": path, "ops": ops}, **fields)


async def stored(client):
    return (await client.get("note", "n"))["data"]


async def test_on_the_head_it_is_applied_as_sent(suite, user):
    client, base = await note(suite, user, n=1)
    answer = await edit(client, [{"retain": 1}, {"insert": "x"}], base)
    assert answer["status"] == "applied" and "text" not in answer and "data" not in answer
    assert await stored(client) == {"text": "axb", "n": 1}
    history = await client.request("history", entity_type="note", entity_id="n")
    assert history["versions"][0]["operation"] == "text"
    assert history["versions"][0]["changed_paths"] == ["/text"]
    await client.close()


async def test_of_two_inserts_at_one_place_the_earlier_commit_stands_first(suite, user):
    client, base = await note(suite, user)
    await edit(client, [{"retain": 1}, {"insert": "1"}], base)
    answer = await edit(client, [{"retain": 1}, {"insert": "2"}], base)
    assert answer["status"] == "merged" and "data" not in answer
    assert answer["text"] == {"path": "/text", "ops": [{"retain": 2}, {"insert": "2"}]}
    assert await stored(client) == {"text": "a12b"}
    await client.close()


async def test_an_insert_stands_before_what_is_deleted_at_its_place(suite, user):
    client, base = await note(suite, user)
    await edit(client, [{"retain": 1}, {"delete": 1}], base)
    await edit(client, [{"retain": 1}, {"insert": "x"}], base)
    await edit(client, [{"retain": 2}, {"insert": "y"}], base)
    assert await stored(client) == {"text": "axy"}
    await client.close()


async def test_of_two_values_for_one_format_the_earlier_commit_wins(suite, user):
    client, base = await note(suite, user)
    await edit(client, [{"retain": 2, "attributes": {"color": "red"}}], base)
    answer = await edit(
        client, [{"retain": 2, "attributes": {"color": "blue", "bold": True}}], base)
    assert answer["text"]["ops"] == [{"retain": 2, "attributes": {"bold": True}}]
    assert await stored(client) == {
        "text": [{"insert": "ab", "attributes": {"bold": True, "color": "red"}}]}
    await client.close()


async def test_deleted_text_is_gone_where_the_other_formats_it(suite, user):
    client, base = await note(suite, user, "abcd")
    await edit(client, [{"retain": 1}, {"delete": 2}], base)
    await edit(client, [{"retain": 2}, {"insert": "x"}, {"retain": 1, "attributes": {"b": 1}}],
               base)
    assert await stored(client) == {"text": "axd"} or await stored(client) == {
        "text": [{"insert": "axd"}]}
    await client.close()


async def test_a_text_need_not_be_there_but_its_place_must(suite, user):
    client, _ = await note(suite, user, None, n=1)
    assert (await edit(client, INSERT_X))["success"]
    assert (await edit(client, INSERT_X, path="/new"))["success"]
    assert await stored(client) == {"text": "x", "n": 1, "new": "x"}
    for path in ("/no/place", "/n", "/n/x"):
        refused = await edit(client, INSERT_X, path=path)
        assert refused["error"]["code"] == "precondition_failed"
        assert refused["error"]["path"] == "/text/path"
    missing = await client.write("text", "note", "none", text={"path": "/text", "ops": INSERT_X})
    assert missing["error"]["code"] == "not_found"
    await client.close()


@pytest.mark.parametrize("ops, code, path", [
    ([{"retain": 5}, {"insert": "x"}], "invalid_argument", "/text/ops/0"),
    ([{"retain": 2}, {"retain": 2}, {"delete": 1}], "invalid_argument", "/text/ops/2"),
    ([{"retain": 2}, {"insert": "x"}], "invalid_argument", "/text/ops/0"),
    ([{"retain": 1}, {"delete": 1}], "invalid_argument", "/text/ops/1"),
    ([{"retain": 1}, {"keep": 1}], "invalid_argument", "/text/ops/1/keep"),
    ([{"insert": ""}], "invalid_argument", "/text/ops/0/insert"),
    ([{"insert": "x" * 1_000_000}], "too_large", "/text"),
    ("no array", "invalid_argument", "/text/ops"),
])
async def test_what_does_not_fit_is_refused_with_its_place(suite, user, ops, code, path):
    client, _ = await note(suite, user, "a\U0001f600b", filler="y" * 60_000)
    refused = await edit(client, ops)
    assert refused["status"] == "rejected"
    assert (refused["error"]["code"], refused["error"]["path"]) == (code, path)
    assert (await stored(client))["text"] == "a\U0001f600b"
    await client.close()


async def test_half_a_character_does_not_get_in(suite, user):
    client, _ = await note(suite, user)
    await client.send('{"type": "sync_request", "entity_type": "note", "entity_id": "n", '
                      '"operation": "text", '
                      '"text": {"path": "/text", "ops": [{"insert": "\\ud83d"}]}}')
    assert (await client.push("error"))["error"]["code"] == "bad_message"
    await client.close()


async def test_characters_of_several_units_and_line_ends_stay_whole(suite, user):
    family = "\U0001f468‍\U0001f469‍\U0001f467"
    client, base = await note(suite, user, f"{family}\r\né")
    units = len(family.encode("utf-16-le")) // 2
    answer = await edit(client, [{"retain": units + 2}, {"insert": "\0\U0001f1e9\U0001f1ea"}], base)
    assert answer["success"], answer
    answer = await edit(client, [{"retain": units}, {"delete": 2}, {"insert": "\n"}], base)
    assert answer["status"] == "merged"
    assert (await stored(client))["text"] == f"{family}\n\0\U0001f1e9\U0001f1eaé"
    await client.close()


async def test_subscribers_get_what_they_ask_for(suite, user):
    client, base = await note(suite, user)
    wanted = {}
    for payload in ("patch", "data", "none"):
        answer = await client.subscribe(payload=payload)
        wanted[answer["subscription_id"]] = payload
        await client.push("changes", where=lambda m: m["caught_up"])
    await edit(client, [{"insert": "1"}], base)
    moved = (await edit(client, [{"insert": "2"}], base))["text"]
    await client.write("patch", "note", "n", patch={"n": 1})
    await client.write("update", "note", "n", data={"text": "z"})
    for subscription, payload in wanted.items():
        events, _ = await client.events_until(lambda events, _: len(events) == 4, subscription)
        bodies = [{k: e[k] for k in ("text", "data", "patch") if k in e} for e in events]
        assert [e["operation"] for e in events] == ["text", "text", "patch", "update"]
        if payload == "patch":
            assert bodies == [{"text": {"path": "/text", "ops": [{"insert": "1"}]}},
                              {"text": moved}, {"patch": {"n": 1}}, {"data": {"text": "z"}}]
        elif payload == "data":
            assert bodies == [{"data": {"text": "1ab"}}, {"data": {"text": "12ab"}},
                              {"data": {"text": "12ab", "n": 1}}, {"data": {"text": "z"}}]
        else:
            assert bodies == [{}] * 4
    await client.close()


async def test_a_large_operation_comes_as_data(suite, user):
    client, base = await note(suite, user)
    await client.subscribe(payload="patch")
    await client.push("changes", where=lambda m: m["caught_up"])
    await edit(client, [{"insert": "y" * 70_000}], base)
    events, _ = await client.events_until(lambda events, _: len(events) == 1)
    assert events[0]["operation"] == "text" and "text" not in events[0]
    assert events[0]["data"] == {"text": "y" * 70_000 + "ab"}
    answer = await edit(client, [{"retain": 1}, {"insert": "x"}], base)
    assert answer["status"] == "merged"
    assert (await stored(client))["text"] == "y" * 70_000 + "axb"
    await client.close()


@pytest.mark.parametrize("units", [60_000, 65_000, 65_450])
async def test_an_operation_of_any_size_is_committed(suite, user, units):
    """The description of a version, which keeps it, has a limit near these."""
    client, base = await note(suite, user)
    answer = await edit(client, [{"insert": "y" * units}], base, message="m" * 1000,
                        metadata={"k": "v" * 4000})
    assert answer["success"] and answer["status"] == "applied", answer
    assert (await stored(client))["text"] == "y" * units + "ab"
    await client.close()


async def test_a_base_far_behind_is_bridged(suite, user):
    client, base = await note(suite, user, ".")
    for _ in range(3):
        operations = [{"operation": "text", "entity_type": "note", "entity_id": "n",
                       "op_id": str(uuid.uuid4()), "text": {"path": "/text", "ops": INSERT_X}}
                      for _ in range(400)]
        answer = await client.request("sync_batch", operations=operations)
        assert all(result["status"] == "applied" for result in answer["results"])
    answer = await edit(client, [{"retain": 1}, {"insert": "!"}], base)
    assert answer["status"] == "merged"
    assert answer["text"]["ops"] == [{"retain": 1201}, {"insert": "!"}]
    assert (await stored(client))["text"] == "x" * 1200 + ".!"
    await client.close()


async def test_operations_of_one_batch_build_on_each_other(suite, user):
    client, base = await note(suite, user, ".")
    await edit(client, [{"insert": "other "}], base)

    def operation(ops):
        return {"operation": "text", "entity_type": "note", "entity_id": "n", "base_version": base,
                "op_id": str(uuid.uuid4()), "text": {"path": "/text", "ops": ops}}

    operations = [operation([{"insert": "a"}]), operation([{"retain": 1}, {"insert": "b"}]),
                  operation([{"retain": 1}, {"delete": 1}, {"insert": "c"}])]
    first = await client.request("sync_batch", operations=operations[:2])
    assert [r["status"] for r in first["results"]] == ["merged", "merged"]
    again = await client.request("sync_batch", operations=operations)
    assert [r["status"] for r in again["results"]] == ["duplicate", "duplicate", "merged"]
    assert again["results"][1]["text"] == first["results"][1]["text"]
    assert (await stored(client))["text"] == "other ac."
    await client.close()


async def test_other_operations_and_texts_see_each_other(suite, user):
    client, base = await note(suite, user, "one two", n=1)
    await edit(client, [{"retain": 7}, {"insert": "!"}], base)
    answer = await client.write("patch", "note", "n", patch={"n": 2}, base_version=base)
    assert answer["status"] == "merged"
    assert await stored(client) == {"text": "one two!", "n": 2}
    await client.write("patch", "note", "n", patch={"text": "zero, one two!"})
    answer = await edit(client, [{"retain": 3}, {"insert": "?"}], base)
    assert answer["text"]["ops"] == [{"retain": 9}, {"insert": "?"}]
    await client.write("delete", "note", "n")
    answer = await edit(client, [{"insert": "> "}], base)
    assert answer["status"] == "merged" and answer["data"] == {"text": "> one two", "n": 1}
    await client.close()


async def test_protobuf_clients_edit_text_too(suite, user):
    client, base = await note(suite, user)
    proto = await ProtoClient.connect(suite.url, user)
    await proto.subscribe(payload="patch")
    await proto.events_until(lambda _, message: message["caught_up"])
    await edit(client, [{"insert": "1"}], base)
    answer = await edit(proto, [{"insert": "2"}], base)
    assert answer["status"] == "merged"
    assert answer["text"] == {"path": "/text", "ops": [{"retain": 1}, {"insert": "2"}]}
    events, _ = await proto.events_until(
        lambda events, _: any(e["op_id"] == answer["op_id"] for e in events))
    assert events[-1]["text"] == answer["text"]
    await proto.close()
    await client.close()
