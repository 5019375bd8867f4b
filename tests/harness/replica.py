"""A client application's copy of one document: types, drops off, comes back, and ends equal.

Writes are kept until they are answered and sent again, with the same op_id and in order, after
every reconnect. The copy changes only by what the server sends.
"""

import asyncio
import uuid

from .client import Client, Closed
from .timing import patience
from .trace import apply


class Replica:
    def __init__(self, url, user, name, entity=("doc", "replayed"), in_flight=32):
        self.url, self.user, self.name, self.entity = url, user, name, entity
        self.in_flight = in_flight
        self.client = None
        self.cursor = None
        self.lines = None
        self.revision = 0
        self.drops = 0
        self.follower = None

    async def connect(self):
        self.client = await Client.connect(self.url, self.user, device_id=self.name)
        fields = {"cursor": self.cursor} if self.cursor else {}
        await self.client.subscribe(payload="patch" if self.lines is not None else "data",
                                    filter={"entity_ids": [self.entity[1]]}, **fields)
        self.follower = asyncio.ensure_future(self._follow(self.client))

    async def _follow(self, client):
        while True:
            try:
                message = await client.push("changes", timeout=120)
            except Closed:
                return
            for event in message["events"]:
                self._take(event)
            self.cursor = message["cursor"]

    def _take(self, event):
        assert event["revision"] > self.revision, "an event came twice"
        assert self.lines is None or event["revision"] == self.revision + 1, "an event is missing"
        if "patch" in event:
            apply(self.lines, event["patch"])
        else:
            self.lines = list(event["data"]["lines"])
        self.revision = event["revision"]

    async def drop(self):
        """Loses the connection with writes in flight, then comes back."""
        self.drops += 1
        self.client.drop()
        await asyncio.gather(self.client.reader, return_exceptions=True)
        await self.follower
        await self.connect()

    async def type(self, patches, drop_at=()):
        """Sends patches one after the other, several in flight; returns when all are answered."""
        todo = [(str(uuid.uuid4()), patch) for patch in patches]
        drops = sorted(drop_at)
        done = 0
        while done < len(todo):
            until = min(drops[0], len(todo)) if drops else len(todo)
            sent = []
            try:
                for position in range(done, until):
                    op_id, patch = todo[position]
                    sent.append(asyncio.ensure_future(self.client.request(
                        "sync_request", op_id=op_id, operation="patch", entity_type=self.entity[0],
                        entity_id=self.entity[1], patch=patch)))
                    await asyncio.sleep(0)
                    while len(sent) >= self.in_flight:
                        self._check(await sent.pop(0))
                        done += 1
                if drops and until == drops[0]:
                    raise ConnectionError("on purpose")
                while sent:
                    self._check(await sent.pop(0))
                    done += 1
            except (ConnectionError, OSError):
                for future in sent:
                    future.cancel()
                await asyncio.gather(*sent, return_exceptions=True)
                if drops:
                    drops.pop(0)
                await self.drop()

    @staticmethod
    def _check(answer):
        assert answer["success"], answer
        assert answer["status"] in ("applied", "duplicate"), answer

    async def caught_up_to(self, revision, timeout=60):
        deadline = asyncio.get_event_loop().time() + patience(timeout)
        while self.revision < revision:
            if self.follower.done():
                await self.follower
            assert asyncio.get_event_loop().time() < deadline, (
                f"{self.name} is at revision {self.revision} of {revision}")
            await asyncio.sleep(0.01)

    async def close(self):
        await self.client.close()
        await self.follower
