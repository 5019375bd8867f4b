"""A WebSocket client written from docs/protocol.md on python3-websockets: no code of ours."""

import asyncio
import itertools
import json
import time
import uuid

import jwt
import websockets

from .suite import SECRET
from .timing import patience


def token(user="ada", spaces=None, expires_in=3600, secret=SECRET, algorithm="HS256", **claims):
    payload = {"sub": user, "exp": int(time.time() + expires_in), **claims}
    if spaces is not None:
        payload["spaces"] = spaces
    return jwt.encode(payload, secret, algorithm=algorithm)


class Closed(AssertionError):
    """The connection ended before what the test waits for had come."""


class Client:
    """One connection. Answers are matched by `id`; all else is a push, in order of arrival."""

    def __init__(self, socket):
        self.socket = socket
        self.pushes = []
        self.arrived = asyncio.Event()
        self.waiting = {}
        self.ids = itertools.count(1)
        self.authenticated = None
        self.keep_texts = False
        self.texts = []
        self.reader = asyncio.ensure_future(self._read())

    @classmethod
    async def open(cls, url, **options):
        options.setdefault("max_size", 64 << 20)
        options.setdefault("open_timeout", patience(10))
        options.setdefault("close_timeout", patience(2))
        options.setdefault("ping_interval", None)
        return cls(await websockets.connect(url, **options))

    @classmethod
    async def connect(cls, url, user="ada", device_id=None, spaces=None, **options):
        """Opens a connection and authenticates."""
        client = await cls.open(url, **options)
        fields = {"device_id": device_id} if device_id else {}
        answer = await client.request("authenticate", token=token(user, spaces), **fields)
        assert answer["success"], answer
        client.authenticated = answer
        return client

    async def _read(self):
        try:
            async for text in self.socket:
                if self.keep_texts:
                    self.texts.append(text)
                message = self.decode(text)
                waiting = self.waiting.pop(message.get("id"), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
                else:
                    self.pushes.append(message)
                    self.arrived.set()
        except websockets.ConnectionClosed:
            pass
        finally:
            for waiting in self.waiting.values():
                if not waiting.done():
                    waiting.set_exception(
                        ConnectionError("the connection closed before the answer"))
            self.arrived.set()

    async def send(self, message):
        raw = isinstance(message, (str, bytes))
        await self.socket.send(message if raw else self.encode(message))

    # How messages look on the wire.

    def decode(self, frame):
        return json.loads(frame)

    def encode(self, message):
        return json.dumps(message)

    def begin(self, type, **fields):
        """Sends a request and returns the future of its answer."""
        request_id = next(self.ids)
        future = asyncio.get_event_loop().create_future()
        self.waiting[request_id] = future
        return self._finish(request_id, {"type": type, "id": request_id, **fields}, future)

    async def _finish(self, request_id, message, future):
        try:
            await self.send(message)
        except websockets.ConnectionClosed:
            self.waiting.pop(request_id, None)
            raise
        return await future

    async def request(self, type, timeout=20, **fields):
        return await asyncio.wait_for(self.begin(type, **fields), patience(timeout))

    async def push(self, type=None, timeout=10, where=lambda message: True):
        """Takes the first push of `type` that has arrived or arrives."""
        deadline = asyncio.get_event_loop().time() + patience(timeout)
        while True:
            for index, message in enumerate(self.pushes):
                if (type is None or message["type"] == type) and where(message):
                    return self.pushes.pop(index)
            left = deadline - asyncio.get_event_loop().time()
            if left <= 0:
                raise AssertionError(f"no push {type} in time; have {self.pushes[-3:]}")
            if self.reader.done():
                raise Closed(f"closed ({self.socket.close_code}) without push {type}")
            self.arrived.clear()
            try:
                await asyncio.wait_for(self.arrived.wait(), left)
            except asyncio.TimeoutError:
                pass

    async def closed(self, timeout=15):
        """Waits until the server closes; returns the close code."""
        await asyncio.wait_for(self.socket.wait_closed(), patience(timeout))
        return self.socket.close_code

    async def close(self):
        """Closes; raises if the server ever sent what is not a message."""
        await self.socket.close()
        await self.reader

    def drop(self):
        """The connection is gone without a word, as when a phone loses its network."""
        self.socket.transport.abort()

    # What an application does most.

    async def write(self, operation, entity_type, entity_id, **fields):
        fields.setdefault("op_id", str(uuid.uuid4()))
        return await self.request("sync_request", operation=operation, entity_type=entity_type,
                                  entity_id=entity_id, **fields)

    async def get(self, entity_type, entity_id, **fields):
        return await self.request("get", entity_type=entity_type, entity_id=entity_id, **fields)

    async def subscribe(self, **fields):
        fields.setdefault("mode", "changes")
        fields.setdefault("payload", "data")
        answer = await self.request("subscribe", **fields)
        assert answer["success"], answer
        return answer

    async def events_until(self, done, subscription_id=None, timeout=20):
        """Collects the events of `changes` pushes until `done(events, message)`."""
        events = []
        while True:
            message = await self.push(
                "changes", timeout,
                lambda m: subscription_id is None or m["subscription_id"] == subscription_id)
            events.extend(message["events"])
            if done(events, message):
                return events, message
