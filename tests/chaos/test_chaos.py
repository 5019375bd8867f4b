"""Every service, PostgreSQL and Redis are killed in turn under load. Afterwards every acknowledged
operation is there exactly once, all clients are equal, and the history replays to the same state.
(lessons.md, tests 1, 3 and 7.)
"""

import asyncio
import os
import random
import uuid

import websockets

from harness.client import Client, Closed
from harness.servers import Postgres, Redis
from harness.timing import patience

CLIENTS = int(os.environ.get("BDC_SYNC_TEST_CHAOS_CLIENTS", "50"))
DOCUMENTS = int(os.environ.get("BDC_SYNC_TEST_CHAOS_DOCUMENTS", "1000"))
PAUSE_S = patience(float(os.environ.get("BDC_SYNC_TEST_CHAOS_PAUSE_S", "1.5")))
LOST = (ConnectionError, OSError, asyncio.TimeoutError, websockets.WebSocketException)
ENV = {
    "BDC_SYNC_OFFLINE_CONNECTIVITY_CHECK_INTERVAL": "300ms",
}


class ChaoticClient:
    """Writes at random, follows all, comes back after every loss and repeats what is open."""

    def __init__(self, suite, space, number, seed):
        self.suite, self.space, self.number = suite, space, number
        self.random = random.Random(seed * 1000 + number)
        self.state = {}
        self.seen = set()
        self.cursor = None
        self.acknowledged = set()
        self.refused = []
        self.writing = True
        self.client = None
        self.followers = []

    async def run(self):
        """Lives until `writing` ends and everything it wrote is answered."""
        open_write = None
        while self.writing or open_write:
            try:
                await self._connect()
                while self.writing or open_write:
                    open_write = open_write or self._new_write()
                    answer = await self.client.request("sync_request", timeout=15, **open_write)
                    if answer["success"]:
                        self.acknowledged.add(open_write["op_id"])
                        open_write = None
                    elif answer["error"]["retryable"]:
                        await asyncio.sleep(0.2)
                    else:
                        self.refused.append(answer)
                        open_write = None
                    await asyncio.sleep(self.random.random() * 0.3)
            except LOST:
                await self._away()

    async def follow(self):
        """Stays connected until it is cancelled."""
        while True:
            try:
                if self.client is None or self.client.reader.done():
                    await self._connect()
                await asyncio.wait_for(self.client.reader, None)
            except LOST:
                pass
            await self._away()

    async def _away(self):
        if self.client is not None:
            self.client.drop()
            await asyncio.gather(self.client.reader, return_exceptions=True)
        await asyncio.sleep(0.1 + self.random.random() * 0.3)

    async def _connect(self):
        if self.client is not None and not self.client.reader.done():
            return
        self.client = await Client.connect(
            self.suite.url, f"chaos-{self.number}", device_id=f"d{self.number}",
            spaces={self.space: "write"}, open_timeout=patience(3))
        fields = {"cursor": self.cursor} if self.cursor else {}
        await self.client.subscribe(space=self.space, payload="data", **fields)
        self.followers.append(asyncio.ensure_future(self._take_all(self.client)))

    async def _take_all(self, client):
        while True:
            try:
                message = await client.push("changes", timeout=600)
            except Closed:
                return
            if client is not self.client:
                return
            for event in message["events"]:
                assert event["version_id"] not in self.seen, "an event came twice"
                self.seen.add(event["version_id"])
                self.state[event["entity_id"]] = (event["revision"], event.get("data"))
            self.cursor = message["cursor"]

    def check(self):
        """Raises what went wrong while it followed."""
        for follower in self.followers:
            if follower.done() and not follower.cancelled():
                follower.result()

    def _new_write(self):
        op_id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        return {"op_id": op_id, "space": self.space, "operation": "patch", "entity_type": "doc",
                "entity_id": f"d{self.random.randrange(DOCUMENTS)}",
                "patch": {f"c{self.number}": op_id, "n": self.random.randrange(1000)}}


async def test_nothing_acknowledged_is_lost_whatever_dies(make_suite, folder, way):
    seed = int(os.environ.get("BDC_SYNC_TEST_SEED", random.randrange(1 << 30)))
    print("seed:", seed)
    rng = random.Random(seed)
    postgres = Postgres(os.path.join(folder, "chaos-postgres"))
    redis = Redis(os.path.join(folder, "chaos-redis"))
    try:
        postgres.create().start()
        redis.start()
        suite = make_suite(env=ENV, postgres_server=postgres, redis_server=redis).start()
        space = "chaos-" + uuid.uuid4().hex[:8]
        start = await seed_documents(suite, space)
        clients = [ChaoticClient(suite, space, i, seed) for i in range(CLIENTS)]
        tasks = [asyncio.ensure_future(client.run()) for client in clients]
        await asyncio.sleep(PAUSE_S)
        targets = list(suite.processes.values()) + [postgres, redis]
        rng.shuffle(targets)
        for target in targets:
            await fault(target)
            await asyncio.sleep(PAUSE_S)
        for client in clients:
            client.writing = False
        await asyncio.wait_for(asyncio.gather(*tasks), patience(90))
        await verify(suite, space, clients, start)
        suite.stop()
    finally:  # The suite is ended by its fixture.
        postgres.stop()
        redis.stop()


async def seed_documents(suite, space):
    client = await Client.connect(suite.url, "seeder", spaces={space: "write"})
    answer = await client.request("sync_batch", operations=[
        {"space": space, "operation": "create", "entity_type": "doc", "entity_id": f"d{i}",
         "data": {"id": i}} for i in range(DOCUMENTS)])
    assert all(result["success"] for result in answer["results"])
    await client.close()
    return answer["results"][-1]["cursor"]


async def fault(target):
    """The target dies without a word and is back a second later."""
    print("killing", getattr(target, "name", type(target).__name__))
    loop = asyncio.get_event_loop()
    await loop.run_in_executor(None, target.kill)
    await asyncio.sleep(1)
    await loop.run_in_executor(None, target.start)


async def fold(reader, space, start):
    """The state that all changes since the documents were made add up to, one after the other."""
    state = {f"d{i}": {"id": i} for i in range(DOCUMENTS)}
    subscription = await reader.subscribe(space=space, cursor=start, payload="patch")
    events, _ = await reader.events_until(
        lambda e, m: m["caught_up"], subscription["subscription_id"], timeout=60)
    for event in events:
        state[event["entity_id"]].update(event["patch"])
    return state


async def verify(suite, space, clients, start):
    assert not any(client.refused for client in clients), clients
    acknowledged = set().union(*(client.acknowledged for client in clients))
    print("acknowledged:", len(acknowledged))
    assert len(acknowledged) > CLIENTS
    reader = await Client.connect(suite.url, "reader", spaces={space: "read"})
    replayed, operations = await replay(reader, space, acknowledged)
    counted = {op_id: operations.count(op_id) for op_id in acknowledged}
    assert all(count == 1 for count in counted.values()), {
        k: v for k, v in counted.items() if v != 1}
    listed = await read_all(reader, space)
    assert replayed == listed
    assert await fold(reader, space, start) == listed
    followers = [asyncio.ensure_future(client.follow()) for client in clients]
    deadline = asyncio.get_event_loop().time() + patience(60)
    while True:
        for client in clients:
            client.check()
        behind = [client.number for client in clients
                  if {k: data for k, (_, data) in client.state.items()} != listed]
        if not behind:
            break
        assert asyncio.get_event_loop().time() < deadline, f"clients {behind} differ"
        await asyncio.sleep(0.2)
    for task in followers:
        task.cancel()
    await reader.close()
    for client in clients:
        client.client.drop()
        client.check()


async def replay(reader, space, acknowledged):
    """Folds the whole history of every document; waits until the queued writes have drained too."""
    deadline = asyncio.get_event_loop().time() + patience(60)
    while True:
        state, operations = {}, []
        for i in range(DOCUMENTS):
            versions, page = [], None
            while True:
                answer = await reader.request("history", space=space, entity_type="doc",
                                              entity_id=f"d{i}", limit=500,
                                              **({"page_token": page} if page else {}))
                assert answer["success"], answer
                versions += answer["versions"]
                page = answer.get("next_page_token")
                if not page:
                    break
            revisions = [version["revision"] for version in versions]
            assert revisions == list(range(len(versions), 0, -1)), "a hole in the history"
            operations += [version["op_id"] for version in versions]
            state[f"d{i}"] = (await reader.get("doc", f"d{i}", space=space,
                                               version_id=versions[0]["version_id"]))["data"]
        if acknowledged <= set(operations):
            return state, operations
        assert asyncio.get_event_loop().time() < deadline, (
            f"lost: {acknowledged - set(operations)}")
        await asyncio.sleep(0.5)


async def read_all(reader, space):
    found, page = {}, None
    while True:
        answer = await reader.request("list", space=space, limit=500,
                                      **({"page_token": page} if page else {}))
        found.update({e["entity_id"]: e["data"] for e in answer["entities"]})
        page = answer.get("next_page_token")
        if not page:
            return found
