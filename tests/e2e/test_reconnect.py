"""A deploy makes all clients return at once: all are served from their cursors, nothing is lost or
repeated, and what they cost the services is bounded."""

import asyncio
import os
import random
import time

import websockets

from harness.client import Client, token
from harness.timing import patience

CLIENTS = int(os.environ.get("BDC_SYNC_TEST_RECONNECT_CLIENTS", "2000"))
USERS = 20  # Each with a space that its devices share.
RETURN_WITHIN_S = 1.0
OPENING_MAX = 50
GATHERED_FROM = 1000  # Of fewer clients, as with a sanitizer, most come alone.


class Device:
    """One installation: keeps its cursor and what it has seen, whatever its connection does."""

    def __init__(self, number, tokens):
        self.name = f"device-{number}"
        self.space = f"crowd-{number % USERS}"
        self.token = tokens[number % USERS]
        self.cursor = None
        self.seen = []
        self.client = None
        self.attempts = 0

    async def connect(self, url):
        """Authenticates and subscribes from its cursor; returns when it has caught up."""
        self.attempts += 1
        client = await Client.open(url, open_timeout=patience(20))
        try:
            answer = await client.request("authenticate", timeout=30, token=self.token,
                                          device_id=self.name)
            assert answer["success"], answer
            fields = {"cursor": self.cursor} if self.cursor else {}
            await client.subscribe(space=self.space, timeout=30, **fields)
            self.client = client
            await self.follow(lambda message: message["caught_up"])
        except BaseException:
            client.drop()
            raise

    async def follow(self, done, timeout=30):
        while True:
            message = await self.client.push("changes", timeout)
            self.seen += [event["entity_id"] for event in message["events"]]
            self.cursor = message["cursor"]
            if done(message):
                return

    async def see(self, entity_id):
        while self.seen[-1:] != [entity_id]:
            await self.follow(lambda message: message["events"])

    async def come_back(self, url, chance):
        """As a client should: after a random time, again until it is let in."""
        wait = chance.uniform(0, RETURN_WITHIN_S)
        while True:
            await asyncio.sleep(wait)
            try:
                return await self.connect(url)
            except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
                assert self.attempts < 100, error
                wait = chance.uniform(0, 0.5)


async def write_to_all(writer, entity_id):
    for number in range(USERS):
        answer = await writer.write("create", "news", entity_id, space=f"crowd-{number}", data={})
        assert answer["success"], answer


async def test_all_clients_of_a_gateway_that_restarts_return_and_miss_nothing(new_suite):
    suite = new_suite()
    seed = int(time.time())
    chance = random.Random(seed)
    spaces = {f"crowd-{number}": "write" for number in range(USERS)}
    tokens = [token(f"crowd-user-{number}", spaces) for number in range(USERS)]
    devices = [Device(number, tokens) for number in range(CLIENTS)]
    turn = asyncio.Semaphore(OPENING_MAX)

    async def first_time(device):
        async with turn:
            await device.connect(suite.url)

    await asyncio.gather(*[first_time(device) for device in devices])
    writer = await Client.connect(suite.url, "crowd-writer", spaces=spaces)
    await write_to_all(writer, "before")
    # Half of them have not looked yet when the gateway dies.
    await asyncio.gather(*[device.see("before") for device in devices[::2]])
    await writer.close()
    suite.gateway.kill()
    began = time.monotonic()
    suite.gateway.start(wait=False)
    back = asyncio.gather(*[device.come_back(suite.url, chance) for device in devices])
    await asyncio.to_thread(suite.gateway.wait_ready)
    writer = await Client.connect(suite.url, "crowd-writer", spaces=spaces)
    await write_to_all(writer, "meanwhile")
    await back
    seconds = time.monotonic() - began
    print(f"{CLIENTS} clients were back {seconds:.1f} s after the restart (seed {seed})")
    await write_to_all(writer, "after")
    await asyncio.gather(*[device.see("after") for device in devices])
    for device in devices:
        assert device.seen == ["before", "meanwhile", "after"], (device.name, device.seen)
    check_cost(suite)
    await asyncio.gather(*[device.client.close() for device in devices], writer.close())


def check_cost(suite):
    gateway = suite.gateway
    registered = gateway.metric("bdcsync_gateway_registration_batch_items_sum")
    calls = gateway.metric("bdcsync_gateway_registration_batch_items_count")
    print(f"{registered:.0f} registrations in {calls:.0f} calls")
    assert registered >= CLIENTS
    if CLIENTS >= GATHERED_FROM:
        assert calls < registered / 2, "registrations are not gathered"
    assert gateway.metric("bdcsync_gateway_device_reports_dropped_total") == 0
    assert gateway.metric("bdcsync_gateway_device_report_failures_total") == 0
    assert gateway.metric("bdcsync_gateway_registrations_waiting") == 0
