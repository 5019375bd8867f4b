"""conflict, version and gateway are killed in turn while changes come to wait, people decide and
deadlines pass. Afterwards every conflict that was told of is closed exactly once, with what was
decided or with its fallback, nobody was told of it twice, and nothing that was written is lost.
"""

import asyncio
import json
import os
import random
import uuid

import websockets

from harness.client import Client, Closed, token
from harness.timing import patience

ENTITIES = int(os.environ.get("BDC_SYNC_TEST_CHAOS_CONFLICTS", "60"))
PAUSE_S = patience(float(os.environ.get("BDC_SYNC_TEST_CHAOS_PAUSE_S", "1.5")))
ROUNDS = 2
LOST = (ConnectionError, OSError, asyncio.TimeoutError, websockets.WebSocketException)
ENV = {
    "BDC_SYNC_OFFLINE_CONNECTIVITY_CHECK_INTERVAL": "300ms",
    "BDC_SYNC_GATEWAY_CONFLICT_CHECK_INTERVAL": "200ms",
}
CLOSED = ("resolved", "expired")


def rules(deadline):
    return {"rules": [{"path": "$.title", "rule": "ask", "deadline": deadline,
                       "fallback": "ours"}]}


class Person:
    """A client that asks again until it is answered, whatever dies meanwhile."""

    def __init__(self, suite, space, name):
        self.suite, self.space, self.name = suite, space, name
        self.client = None

    async def ask(self, type, **fields):
        while True:
            try:
                if self.client is None or self.client.reader.done():
                    self.client = await Client.connect(
                        self.suite.url, self.name, device_id="d-" + self.name,
                        spaces={self.space: "write"}, open_timeout=patience(3))
                answer = await self.client.request(type, timeout=15, **fields)
                if answer["success"] or not answer["error"]["retryable"]:
                    return answer
                await asyncio.sleep(0.2)
            except LOST:
                await self.leave()
                await asyncio.sleep(0.2)

    async def write(self, **fields):
        """A write that is queued is not done: its outcome is asked for with the same op_id."""
        fields.setdefault("op_id", str(uuid.uuid4()))
        while True:
            answer = await self.ask("sync_request", space=self.space, **fields)
            if answer["status"] != "queued":
                return answer
            await asyncio.sleep(0.2)

    async def leave(self):
        if self.client is not None:
            self.client.drop()
            await asyncio.gather(self.client.reader, return_exceptions=True)
            self.client = None


class Follower(Person):
    """Notes what it is told of conflicts, over every reconnect."""

    def __init__(self, suite, space):
        super().__init__(suite, space, "follower")
        self.cursor = None
        self.told = []
        self.seqs = []

    async def run(self):
        while True:
            try:
                self.client = await Client.connect(
                    self.suite.url, self.name, spaces={self.space: "read"},
                    open_timeout=patience(3))
                fields = {"cursor": self.cursor} if self.cursor else {}
                await self.client.subscribe(space=self.space, payload="none", **fields)
                while True:
                    self.take(await self.client.push(timeout=600))
            except (*LOST, Closed, AssertionError) as lost:
                if type(lost) is AssertionError and "no push" not in str(lost):
                    raise
                await self.leave()
                await asyncio.sleep(0.2)

    def take(self, message):
        if message["type"] in ("conflict_opened", "conflict_closed"):
            self.told.append((message["type"], message["conflict_id"]))
            self.seqs.append(message["seq"])
        if "cursor" in message:
            self.cursor = message["cursor"]


async def meet(person, kind, entity):
    """Makes two changes that must be asked about; returns the answer of the one that waits."""
    what = {"operation": "update", "entity_type": kind, "entity_id": entity}
    base = await person.write(**what, data={"title": "base"})
    assert base["success"], base
    theirs = await person.write(**what, data={"title": "theirs"}, base_version=base["version_id"])
    assert theirs["success"], theirs
    ours = await person.write(**what, data={"title": "ours"}, base_version=base["version_id"])
    assert ours["success"] and ours["conflict_id"], ours
    return ours


async def decide(person, conflict_id, choice):
    """Decides; what another attempt of ours has done already counts as done."""
    answer = await person.ask("resolve_conflict", conflict_id=conflict_id, choice=choice)
    if not answer["success"]:
        assert answer["error"]["code"] == "precondition_failed", answer
        assert answer["conflict"]["status"] in CLOSED, answer


async def work(person, kind, entities, rng, opened, decided):
    for entity in entities:
        ours = await meet(person, kind, entity)
        conflict_id = ours["conflict_id"]
        opened[entity] = (conflict_id, ours["version_id"])
        if decided is not None:
            decided[entity] = rng.choice(["ours", "theirs"])
            await decide(person, conflict_id, decided[entity])
        await asyncio.sleep(rng.random() * 0.2)


async def fault(process):
    print("killing", process.name)
    await asyncio.to_thread(process.kill)
    await asyncio.sleep(patience(0.5))
    await asyncio.to_thread(process.start)


async def test_every_conflict_is_closed_once_whatever_dies(make_suite, folder, way):
    seed = int(os.environ.get("BDC_SYNC_TEST_SEED", random.randrange(1 << 30)))
    print("seed:", seed)
    rng = random.Random(seed)
    suite = make_suite(env=ENV).start()
    space = "chaos-" + uuid.uuid4().hex[:8]
    admin = token("root", admin=True)
    for kind, deadline in (("asked", "48h"), ("timed", "2s")):
        path = os.path.join(suite.folder, kind + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(rules(deadline), file)
        await asyncio.to_thread(suite.command, "rules", "put", kind, path, "--token", admin)
    follower = Follower(suite, space)
    following = asyncio.ensure_future(follower.run())
    opened, decided, timed = {}, {}, {}
    people = [Person(suite, space, f"p{i}") for i in range(6)]
    tasks = []
    for i, person in enumerate(people):
        kind = "asked" if i % 2 == 0 else "timed"
        entities = [f"{kind}-{n}" for n in range(i // 2, ENTITIES // 2, 3)]
        tasks.append(asyncio.ensure_future(work(
            person, kind, entities, rng, opened if i % 2 == 0 else timed,
            decided if i % 2 == 0 else None)))
    targets = [suite.processes[name] for name in ("conflict", "version", "gateway")] * ROUNDS
    rng.shuffle(targets)
    for target in targets:
        await asyncio.sleep(PAUSE_S)
        await fault(target)
    await asyncio.wait_for(asyncio.gather(*tasks), patience(120))
    await verify(people[0], follower, opened, decided, timed)
    following.cancel()
    for person in (*people, follower):
        await person.leave()
    suite.stop()


async def verify(person, follower, opened, decided, timed):
    every = {**opened, **timed}
    assert len(every) == ENTITIES // 2 * 2 and len(set(every.values())) == len(every)
    await until(lambda: all_closed(person, every), "all are closed")
    for entity, (conflict_id, kept) in every.items():
        kind = entity.split("-")[0]
        history = await person.ask("history", space=person.space, entity_type=kind,
                                   entity_id=entity)
        operations = [version["op_id"] for version in history["versions"]]
        assert operations.count("close-" + conflict_id) <= 1, (entity, operations)
        main = await person.ask("get", space=person.space, entity_type=kind, entity_id=entity)
        assert main["has_conflict"] is False, entity
        assert main["data"]["title"] == decided.get(entity, "ours"), (entity, main)
        branch = await person.ask("get", space=person.space, entity_type=kind, entity_id=entity,
                                  branch="conflict/" + conflict_id, version_id=kept)
        assert branch["data"] == {"title": "ours"}, (entity, branch)
    wanted = sorted((type, conflict_id) for conflict_id, _ in every.values()
                    for type in ("conflict_opened", "conflict_closed"))
    await until(lambda: told_all(follower, wanted), "the follower was told of all")
    assert sorted(follower.told) == wanted
    assert follower.seqs == sorted(set(follower.seqs))


async def all_closed(person, every):
    listed = await person.ask("conflicts", space=person.space)
    if listed["conflicts"]:
        return False
    for conflict_id, _ in every.values():
        answer = await person.ask("conflicts", conflict_id=conflict_id)
        if answer["conflicts"][0]["status"] not in CLOSED:
            return False
    return True


async def told_all(follower, wanted):
    return len(follower.told) >= len(wanted)


async def until(holds, what):
    deadline = asyncio.get_event_loop().time() + patience(60)
    while not await holds():
        assert asyncio.get_event_loop().time() < deadline, "not in time: " + what
        await asyncio.sleep(0.3)
