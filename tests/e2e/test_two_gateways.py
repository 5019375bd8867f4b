"""Sessions of one device at two gateways: the newest stays, wherever it is."""

import asyncio
import time

import pytest

from harness.client import Client, token
from harness.timing import patience


@pytest.fixture
def gateways(way, make_suite):
    """A suite with two gateways; their addresses."""
    if not way.startswith("suite"):
        pytest.skip("one process has one gateway")
    suite = make_suite()
    suite.urls = [suite.url, suite.add_gateway()]
    suite.start()
    yield suite
    suite.kill()


async def test_a_newer_session_at_another_gateway_supersedes(gateways, user):
    one, two = gateways.urls
    for older_url, newer_url in ((one, two), (two, one), (one, two)):
        older = await Client.connect(older_url, user, device_id="same")
        newer = await Client.connect(newer_url, user, device_id="same")
        goodbye = await older.push("goodbye")
        assert goodbye["code"] == 4431 and goodbye["reconnect"] is False
        assert await older.closed() == 4431
        assert (await newer.request("ping"))["success"]
        await newer.close()


async def test_of_many_sessions_at_once_exactly_one_stays(gateways, user):
    clients = [await Client.open(gateways.urls[i % 2]) for i in range(20)]
    # Some are superseded before they are answered.
    await asyncio.gather(*[client.request("authenticate", token=token(user), device_id="same")
                           for client in clients], return_exceptions=True)
    open_ones = clients
    deadline = time.monotonic() + patience(10)
    while len(open_ones) > 1:
        assert time.monotonic() < deadline, f"{len(open_ones)} sessions stay"
        await asyncio.sleep(0.05)
        open_ones = [client for client in open_ones if not client.reader.done()]
    assert len(open_ones) == 1
    assert (await open_ones[0].request("ping"))["success"]
    codes = {client.socket.close_code for client in clients if client is not open_ones[0]}
    assert codes == {4431}
    await open_ones[0].close()


async def test_a_revoked_device_is_closed_at_every_gateway(gateways, user):
    clients = [await Client.connect(url, user, device_id=f"d{i}")
               for i, url in enumerate(gateways.urls)]
    for i, client in enumerate(clients):
        await asyncio.to_thread(gateways.command, "devices", "revoke", f"d{i}", user=user)
        assert (await client.push("revoked"))["scope"] == "device"
        assert await client.closed() == 4403


async def test_without_the_bus_a_revoked_device_is_found_by_its_signs_of_life(
        way, new_suite, user):
    if not way.startswith("suite"):
        pytest.skip("in one process the bus cannot be away")
    suite = new_suite(env={"BDC_SYNC_BUS_URL": "redis://127.0.0.1:1"})
    client = await Client.connect(suite.url, user, device_id="d1")
    await asyncio.to_thread(suite.command, "devices", "revoke", "d1", user=user)
    await client.request("update_device", network="wifi")  # A sign of life.
    assert await client.closed() == 4403


async def test_presence_and_broadcasts_reach_sessions_at_every_gateway(gateways, user):
    space = "team-" + user
    one, two = [await Client.connect(url, f"{user}-{i}", device_id=f"d{i}", spaces={space: "write"})
                for i, url in enumerate(gateways.urls)]
    await one.send({"type": "presence", "space": space, "state": {"n": 1}})
    # A newcomer where nobody was before learns who is there.
    await two.subscribe(space=space)
    told = await two.push("presence")
    assert (told["device_id"], told["state"]) == ("d0", {"n": 1})
    await two.request("broadcast", space=space, topic="t", payload={"x": 1})
    told = await one.push("broadcast")
    assert (told["user_id"], told["device_id"]) == (f"{user}-1", "d1")
    assert told["payload"] == {"x": 1}
    await one.close()
    assert (await two.push("presence"))["state"] is None
    await two.close()
