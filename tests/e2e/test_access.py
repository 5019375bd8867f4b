"""protocol.md, `revoked` and `purged`: access that ends while a session lives, or is away."""

import asyncio
import json

import pytest

from harness.client import Client, token


def caught_up(message):
    return message["caught_up"]


async def receipts(suite, user, device_id, space):
    """Waits for the receipt of the device in the list of devices."""
    for _ in range(200):
        lines = await asyncio.to_thread(suite.command, "devices", "--json", user=user)
        for device in map(json.loads, lines.splitlines()):
            found = [p for p in device.get("purges", []) if p.get("space", "") == space]
            if device["device_id"] == device_id and found:
                return device
        await asyncio.sleep(0.05)
    raise AssertionError(f"no receipt of {device_id} for {space!r}")


async def test_a_refresh_with_fewer_spaces_ends_only_what_was_lost(suite, user):
    lost, kept = "lost-" + user, "kept-" + user
    a = await Client.connect(suite.url, user, device_id="d1", spaces={lost: "write", kept: "write"})
    b = await Client.connect(suite.url, user + "-b", spaces={lost: "write", kept: "write"})
    of_lost = await a.subscribe(space=lost)
    of_kept = await a.subscribe(space=kept)
    for _ in range(2):
        await a.push("changes", where=caught_up)
    await b.subscribe(space=lost)
    await b.push("changes", where=caught_up)
    await a.send({"type": "presence", "space": lost, "state": {"here": True}})
    await b.push("presence", where=lambda m: m["state"] == {"here": True})

    answer = await a.request("refresh", token=token(user, {kept: "write"}))
    assert answer["type"] == "refreshed" and answer["success"]
    revoked = await a.push("revoked")
    assert revoked == {"type": "revoked", "scope": "space", "space": lost, "purge": True}
    assert (await b.push("presence"))["state"] is None  # Presence ended with the access.

    # What was lost is refused, operation by operation, and holds up nothing else.
    batch = await a.request("sync_batch", operations=[
        {"operation": "update", "entity_type": "n", "entity_id": "1", "space": space, "data": {}}
        for space in (lost, kept, lost)])
    assert [r["success"] for r in batch["results"]] == [False, True, False]
    assert batch["results"][0]["error"]["code"] == "forbidden"
    for refused in (await a.request("subscribe", space=lost, mode="changes", payload="data"),
                    await a.request("broadcast", space=lost, topic="t", payload=1)):
        assert refused["success"] is False and refused["error"]["code"] == "forbidden"
    for unseen in (await a.request("get", space=lost, entity_type="n", entity_id="1"),
                   await a.request("unsubscribe", subscription_id=of_lost["subscription_id"])):
        assert unseen["error"]["code"] == "not_found"

    # What was kept goes on: the same subscription, no state again.
    (event,) = (await a.push("changes"))["events"]
    assert event["entity_id"] == "1"
    await b.write("update", "n", "lost", space=lost, data={})
    await b.write("update", "n", "2", space=kept, data={})
    message = await a.push("changes")
    assert message["subscription_id"] == of_kept["subscription_id"]
    assert [e["entity_id"] for e in message["events"]] == ["2"]

    await a.send({"type": "purged", "scope": "space", "space": lost})
    device = await receipts(suite, user, "d1", lost)
    assert device["online"] and "revoked" not in device
    assert not [m for m in a.pushes if m["type"] in ("changes", "error")]
    await a.close()
    await b.close()


async def test_what_was_lost_while_away_is_purged_on_return(suite, user):
    space = "team-" + user
    a = await Client.connect(suite.url, user, device_id="d1", spaces={space: "write"})
    await a.subscribe(space=space)
    message = await a.push("changes", where=caught_up)
    await a.send({"type": "ack", "space": space, "cursor": message["cursor"]})
    await a.close()  # Positions are stored in batches: this one waits for the next.
    a = await Client.connect(suite.url, user, device_id="d1", spaces={})
    told = await a.push("revoked")
    assert told == {"type": "revoked", "scope": "space", "space": space, "purge": True}
    await a.send({"type": "purged", "scope": "space", "space": space})
    await receipts(suite, user, "d1", space)
    await a.close()
    a = await Client.connect(suite.url, user, device_id="d1", spaces={})
    await a.request("ping")
    assert not [m for m in a.pushes if m["type"] == "revoked"]  # Once is enough.
    await a.close()


async def test_a_purge_that_nobody_asked_for_is_refused(suite, user):
    a = await Client.connect(suite.url, user)
    answer = await a.request("purged", scope="space", space="team")
    assert answer["type"] == "error" and answer["error"]["code"] == "precondition_failed"
    answer = await a.request("purged", scope="galaxy")
    assert answer["error"]["code"] == "invalid_argument"
    await a.close()


async def test_a_revoked_device_is_closed_and_not_let_in_again(suite, user):
    a = await Client.connect(suite.url, user, device_id="d1")
    other = await Client.connect(suite.url, user, device_id="d2")
    await a.write("create", "n", "1", data={})
    await asyncio.to_thread(suite.command, "devices", "revoke", "d1", user=user)
    assert await a.push("revoked") == {"type": "revoked", "scope": "device", "purge": True}
    refused = await a.request("get", entity_type="n", entity_id="1")
    assert refused["success"] is False and refused["error"]["code"] == "forbidden"
    await a.send({"type": "purged", "scope": "device"})
    assert await a.closed() == 4403
    device = await receipts(suite, user, "d1", "")
    assert device["revoked"] and not device["online"]

    again = await Client.open(suite.url)
    answer = await again.request("authenticate", token=token(user), device_id="d1")
    assert answer["type"] == "authenticated" and answer["success"] is False
    assert answer["error"]["code"] == "forbidden"
    assert (await again.push("revoked"))["scope"] == "device"
    assert await again.closed() == 4403  # Also without a receipt.
    assert (await other.get("n", "1"))["success"]
    await other.close()


async def test_a_token_of_a_revoked_device_opens_nothing_over_grpc(suite, user):
    bound = ["--token", token(user, device_id="d1")]
    a = await Client.connect(suite.url, user, device_id="d1")
    await asyncio.to_thread(suite.command, "put", "n/1", "{}", *bound, user=user)
    await asyncio.to_thread(suite.command, "devices", "revoke", "d1", user=user)
    for words in (["put", "n/1", "{}"], ["get", "n/1"], ["devices"], ["watch", "--once"]):
        with pytest.raises(RuntimeError, match="forbidden"):
            await asyncio.to_thread(suite.command, *words, *bound, user=user)
    # Others of the user, and the user without a device, are not concerned.
    for other in (bound[:0], ["--token", token(user, device_id="never-registered")]):
        await asyncio.to_thread(suite.command, "get", "n/1", *other, user=user)
    assert await a.closed() == 4403


async def test_without_the_bus_grpc_finds_a_revocation_by_asking_again(way, new_suite, user):
    if not way.startswith("suite"):
        pytest.skip("in one process the bus cannot be away")
    suite = new_suite(env={"BDC_SYNC_BUS_URL": "redis://127.0.0.1:1",
                           "BDC_SYNC_SECURITY_DEVICE_CHECK_INTERVAL": "200ms"})
    bound = ["--token", token(user, device_id="d1")]
    await (await Client.connect(suite.url, user, device_id="d1")).close()
    await asyncio.to_thread(suite.command, "put", "n/1", "{}", *bound, user=user)
    await asyncio.to_thread(suite.command, "devices", "revoke", "d1", user=user)
    with pytest.raises(RuntimeError, match="forbidden"):
        for _ in range(200):
            await asyncio.to_thread(suite.command, "get", "n/1", *bound, user=user)


async def test_a_revocation_survives_a_restart(new_suite, user):
    suite = new_suite()
    a = await Client.connect(suite.url, user, device_id="d1")
    await asyncio.to_thread(suite.command, "devices", "revoke", "d1", user=user)
    assert await a.closed() == 4403
    await asyncio.to_thread(suite.stop)
    await asyncio.to_thread(suite.start)
    # A gateway is ready before it has reached device-sync, and then lets everybody in.
    for _ in range(100):
        try:
            await asyncio.to_thread(suite.command, "devices", user=user)
            break
        except RuntimeError:
            await asyncio.sleep(0.05)
    again = await Client.open(suite.url)
    answer = await again.request("authenticate", token=token(user), device_id="d1")
    assert answer["success"] is False and answer["error"]["code"] == "forbidden"
    assert await again.closed() == 4403


async def test_only_the_owner_or_an_admin_revokes(suite, user):
    a = await Client.connect(suite.url, user, device_id="d1")
    with pytest.raises(RuntimeError, match="forbidden"):
        await asyncio.to_thread(suite.command, "devices", "revoke", "d1", "--owner", user,
                                user="eve")
    with pytest.raises(RuntimeError, match="not_found"):
        await asyncio.to_thread(suite.command, "devices", "revoke", "d1", user="eve")
    assert (await a.request("ping"))["success"]
    await asyncio.to_thread(suite.command, "devices", "revoke", "d1", "--owner", user,
                            "--token", token("root", admin=True), user="root")
    assert await a.closed() == 4403
