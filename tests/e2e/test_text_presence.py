"""protocol.md, "Together": selections in presence states move with their texts."""

from harness.client import Client


async def test_selections_are_told_as_they_are_by_now(suite, user):
    space = "team-" + user
    spaces = {space: "write"}
    a = await Client.connect(suite.url, user + "-a", device_id="da", spaces=spaces)
    b = await Client.connect(suite.url, user + "-b", device_id="db", spaces=spaces)
    for client in (a, b):
        await client.subscribe(space=space)
        await client.push("changes", where=lambda m: m["caught_up"])
    key = {"space": space, "entity_type": "note", "entity_id": "n"}

    async def told(client):
        return (await client.push("presence", where=lambda m: m["device_id"] == "da"))["state"]

    async def edit(ops):
        answer = await b.request("sync_request", operation="text", **key,
                                 text={"path": "/text", "ops": ops})
        assert answer["success"], answer
        for client in (a, b):
            await client.push("changes", where=lambda m: any(
                e["version_id"] == answer["version_id"] for e in m["events"]))
        return answer["version_id"]

    created = await a.request("sync_request", operation="create", **key, data={"text": "one two"})
    at = await edit([{"insert": "zero "}])
    # It says where it was before that.
    selection = {"entity_type": "note", "entity_id": "n", "path": "/text",
                 "version_id": created["version_id"], "anchor": 4, "head": 7}
    await a.send({"type": "presence", "space": space,
                  "state": {"name": "Ada", "selection": selection}})
    for client in (a, b):
        state = await told(client)
        assert state["name"] == "Ada"
        assert state["selection"] == {**selection, "version_id": at, "anchor": 9, "head": 12}
    at = await edit([{"retain": 5}, {"delete": 6}, {"insert": "\U0001f600"}])
    c = await Client.connect(suite.url, user + "-c", spaces={space: "read"})
    await c.subscribe(space=space)
    assert (await told(c))["selection"] == {**selection, "version_id": at, "anchor": 7, "head": 8}
    # What is not such a selection goes out as it came.
    await a.send({"type": "presence", "space": space, "state": {"selection": {"anchor": "here"}}})
    assert await told(b) == {"selection": {"anchor": "here"}}
    for client in (a, b, c):
        await client.close()
