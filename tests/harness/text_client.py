"""A text that is edited together, as docs/protocol.md says that a client does it: one request in
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
        self.sent = None       # The request in flight: its type and fields, never changed.
        self.flight = []       # Its operations, [op_id, ops as they are after `version`].
        self.waiting = []      # What was typed meanwhile, after that: [apart, ops].
        self.on_theirs = lambda ops: None  # What others did, as it is to be done to the view.
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
        if self.flight:
            await self._send()  # As it was: whether it had arrived is not known.
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

    async def _send(self):
        type, fields = self.sent
        pending = asyncio.ensure_future(self.client.begin(type, **fields))
        pending.add_done_callback(self._on_answer)

    def _on_answer(self, future):
        if future.cancelled() or future.exception() is not None:
            return  # The connection broke: it is sent again.
        answer = future.result()
        for result in answer.get("results", [answer]):
            assert result["success"], result

    async def _send_waiting(self):
        if self.flight or not self.waiting or self.version is None:
            return
        self.flight = [[str(uuid.uuid4()), ops] for _, ops in self.waiting]
        self.waiting = []
        operations = [{"op_id": op_id, "space": self.space, "entity_type": self.entity[0],
                       "entity_id": self.entity[1], "operation": "text",
                       "base_version": self.version, "text": {"path": self.path, "ops": ops}}
                      for op_id, ops in self.flight]
        if len(operations) == 1:
            self.sent = ("sync_request", operations[0])
        else:
            self.sent = ("sync_batch", {"operations": operations})
        await self._send()

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
        later = self.flight + self.waiting
        if self.flight and event["op_id"] == self.flight[0][0]:
            expected = self.flight.pop(0)[1]
            if expected == theirs:
                return
            # The server moved it in another way: what was typed since follows what it made of it.
            self.corrected += 1
            theirs = ot.compose(ot.invert(expected, before), theirs)
            later = later[1:]
        for pending in later:
            ours = pending[1]
            pending[1] = ot.transform(theirs, ours, True)
            theirs = ot.transform(ours, theirs, False)
        self.on_theirs(theirs)

    def view(self):
        """What the user sees."""
        content = self.content
        for _, ops in self.flight + self.waiting:
            content = ot.apply(content, ops)
        return content

    def text(self):
        return ot.join([unit for unit, _ in self.view()])

    def keep(self, ops, apart=False):
        """`ops` on what the user sees, without sending. Those kept apart reach the server as
        operations of their own; the rest is composed."""
        if self.waiting and not self.waiting[-1][0]:
            self.waiting[-1] = [apart, ot.compose(self.waiting[-1][1], ops)]
        else:
            self.waiting.append([apart, ops])

    async def type(self, ops, apart=False):
        self.keep(ops, apart)
        await self._send_waiting()

    @property
    def settled(self):
        return not self.flight and not self.waiting

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
