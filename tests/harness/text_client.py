"""A text that is edited together, as docs/protocol.md says that a client does it: one operation in
flight, the rest composed. The connection may break at any time."""

import asyncio
import uuid

from . import text_ot as ot
from .client import Client
from .timing import patience


class TextClient:
    def __init__(self, url, user, space, entity, path="/text", device_id=None, **options):
        self.url, self.user, self.space, self.entity, self.path = url, user, space, entity, path
        self.device_id = device_id or "d-" + uuid.uuid4().hex[:8]
        self.options = options
        self.content = []      # As the server has it, as far as it was told here.
        self.version = None    # That version.
        self.rich = False
        self.flight = None     # (request as sent, its ops as they are after `version`)
        self.waiting = []      # What was typed meanwhile, after that.
        self.cursor = None
        self.events = 0
        self.corrected = 0
        self.client = self.reader = None
        self.changed = asyncio.Event()

    # The network.

    async def connect(self):
        self.client = await Client.connect(self.url, self.user, device_id=self.device_id,
                                           spaces={self.space: "write"}, **self.options)
        fields = {"cursor": self.cursor} if self.cursor else {}
        self.reader = asyncio.ensure_future(self._read(self.client))
        if self.flight is not None:
            await self._send(self.flight[0])  # As it was: whether it had arrived is not known.
        answer = await self.client.subscribe(
            space=self.space, payload="patch", filter={"entity_types": [self.entity[0]],
                                                       "entity_ids": [self.entity[1]]}, **fields)
        self.subscription = answer["subscription_id"]

    def drop(self):
        self.reader.cancel()
        self.client.drop()

    async def close(self):
        self.reader.cancel()
        await self.client.close()

    async def _read(self, client):
        while True:
            message = await client.push("changes", timeout=3600)
            for event in message["events"]:
                self._on_event(event)
            self.cursor = message["cursor"]
            await self._send_waiting()
            self.changed.set()

    async def _send(self, request):
        pending = asyncio.ensure_future(self.client.begin("sync_request", **request))
        pending.add_done_callback(self._on_answer)

    def _on_answer(self, future):
        if future.cancelled() or future.exception() is not None:
            return  # The connection broke: it is sent again.
        assert future.result()["success"], future.result()

    async def _send_waiting(self):
        if self.flight is not None or not self.waiting or self.version is None:
            return
        request = {"op_id": str(uuid.uuid4()), "space": self.space, "entity_type": self.entity[0],
                   "entity_id": self.entity[1], "operation": "text", "base_version": self.version,
                   "text": {"path": self.path, "ops": self.waiting}}
        self.flight, self.waiting = (request, self.waiting), []
        await self._send(request)

    # The text.

    def _on_event(self, event):
        self.events += 1
        self.version = event["version_id"]
        before = self.content
        if "text" in event:
            assert event["text"]["path"] == self.path
            theirs = event["text"]["ops"]
            self.content = ot.apply(before, theirs)
            self.rich = self.rich or any("attributes" in op or isinstance(op.get("insert"), dict)
                                         for op in theirs)
        elif self.path[1:] not in event.get("data", event.get("patch")):
            theirs = []  # A patch of something else.
        else:
            held = event.get("data", event.get("patch"))[self.path[1:]]
            self.rich = isinstance(held, list)
            self.content = ot.document(held)
            theirs = ot.difference(before, self.content)
        if self.flight is not None and event["op_id"] == self.flight[0]["op_id"]:
            expected = self.flight[1]
            self.flight = None
            if expected == theirs:
                return
            # The server moved it in another way: what was typed since follows what it made of it.
            self.corrected += 1
            theirs = ot.compose(ot.invert(expected, before), theirs)
        elif self.flight is not None:
            request, ours = self.flight
            self.flight = (request, ot.transform(theirs, ours, True))
            theirs = ot.transform(ours, theirs, False)
        self.waiting = ot.transform(theirs, self.waiting, True)

    def view(self):
        """What the user sees."""
        content = self.content
        if self.flight is not None:
            content = ot.apply(content, self.flight[1])
        return ot.apply(content, self.waiting)

    def text(self):
        return ot.join([unit for unit, _ in self.view()])

    async def type(self, ops):
        """`ops` on what the user sees."""
        self.waiting = ot.compose(self.waiting, ops)
        await self._send_waiting()

    @property
    def settled(self):
        return self.flight is None and not self.waiting

    async def until(self, done, timeout=30):
        deadline = asyncio.get_event_loop().time() + patience(timeout)
        while not done():
            left = deadline - asyncio.get_event_loop().time()
            assert left > 0, "nothing came of it in time"
            if self.reader.done() and not self.reader.cancelled():
                self.reader.result()
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), min(left, 1))
            except asyncio.TimeoutError:
                pass
