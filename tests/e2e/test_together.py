"""protocol.md, "Together": presence and broadcast."""

from harness.client import Client


async def pair(suite, user):
    space = "team-" + user
    spaces = {space: "write"}
    a = await Client.connect(suite.url, user + "-a", device_id="da", spaces=spaces)
    b = await Client.connect(suite.url, user + "-b", device_id="db", spaces=spaces)
    for client in (a, b):
        await client.subscribe(space=space)
        await client.push("changes", where=lambda m: m["caught_up"])
    return space, a, b


async def test_presence_is_told_and_ends_with_the_session(suite, user):
    space, a, b = await pair(suite, user)
    await a.send({"type": "presence", "space": space, "state": {"cursor": 5}})
    told = await b.push("presence")
    assert told["space"] == space and told["state"] == {"cursor": 5}
    assert told["user_id"] == user + "-a" and told["device_id"] == "da"
    await a.close()
    gone = await b.push("presence")
    assert gone["state"] is None and gone["device_id"] == "da"
    await b.close()


async def test_a_newcomer_learns_who_is_there(suite, user):
    space, a, b = await pair(suite, user)
    await a.send({"type": "presence", "space": space, "state": {"here": True}})
    await b.push("presence")
    c = await Client.connect(suite.url, user + "-c", spaces={space: "read"})
    await c.subscribe(space=space)
    told = await c.push("presence")
    assert told["state"] == {"here": True} and told["device_id"] == "da"
    for client in (a, b, c):
        await client.close()


async def test_who_is_present_is_told_of_the_others_without_a_subscription(suite, user):
    space = "team-" + user
    a = await Client.connect(suite.url, user, device_id="da", spaces={space: "write"})
    b = await Client.connect(suite.url, user, device_id="db", spaces={space: "write"})
    await a.send({"type": "presence", "space": space, "state": {"n": 1}})
    await b.send({"type": "presence", "space": space, "state": {"n": 2}})
    assert (await a.push("presence", where=lambda m: m["device_id"] == "db"))["state"] == {"n": 2}
    assert (await b.push("presence", where=lambda m: m["device_id"] == "da"))["state"] == {"n": 1}
    await a.request("broadcast", space=space, topic="t", payload=1)
    assert (await b.push("broadcast"))["payload"] == 1
    await b.send({"type": "presence", "space": space, "state": None})
    assert (await a.push("presence", where=lambda m: m["device_id"] == "db"))["state"] is None
    await a.request("broadcast", space=space, topic="t", payload=2)
    await b.request("ping")
    assert not [m for m in b.pushes if m["type"] == "broadcast"]
    await a.close()
    await b.close()


async def test_broadcast_reaches_the_others_only(suite, user):
    space, a, b = await pair(suite, user)
    answer = await a.request("broadcast", space=space, topic="hello", payload={"x": 1})
    assert answer["type"] == "broadcast_sent" and answer["success"]
    told = await b.push("broadcast")
    assert told["topic"] == "hello" and told["payload"] == {"x": 1}
    assert told["user_id"] == user + "-a" and told["device_id"] == "da" and told["space"] == space
    await a.request("ping")
    assert not [m for m in a.pushes if m["type"] == "broadcast"]
    refused = await a.request("broadcast", space="elsewhere", topic="t", payload=1)
    assert refused["success"] is False and refused["error"]["code"] in ("forbidden", "not_found")
    await a.close()
    await b.close()
