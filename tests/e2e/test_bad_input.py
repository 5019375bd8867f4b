"""Nothing a client sends stops the server: a coded error each, no crash, no growth."""

import asyncio
import base64
import os
import random
import socket
import struct

import pytest

from harness.client import Client, token


def refused(message, *codes):
    assert message["success"] is False and message["error"]["code"] in codes, message
    assert isinstance(message["error"]["message"], str) and "retryable" in message["error"]


@pytest.mark.parametrize("text, codes", [
    ("{", ("bad_message",)),
    ("", ("bad_message",)),
    ("[]", ("bad_message",)),
    ("null", ("bad_message",)),
    ('"x"', ("bad_message",)),
    ('{"type":7}', ("bad_message", "invalid_argument")),
    ("{}", ("bad_message", "invalid_argument")),
    ('{"type":"no_such_thing"}', ("unknown_type",)),
    ('{"type":"get"}', ("invalid_argument",)),
    ('{"type":"get","entity_type":7,"entity_id":"x"}', ("invalid_argument",)),
    ('{"type":"sync_request","operation":"explode","entity_type":"n","entity_id":"1"}',
     ("invalid_argument",)),
    ('{"type":"sync_request","operation":"create","entity_type":"n","entity_id":"1"}',
     ("invalid_argument",)),
    ('{"type":"sync_request","operation":"patch","entity_type":"n","entity_id":"1","patch":"s"}',
     ("invalid_argument",)),
    ('{"type":"sync_batch","operations":{}}', ("invalid_argument",)),
    ('{"type":"subscribe","mode":"psychic"}', ("invalid_argument",)),
    ('{"type":"ping","id":{"not":"an id"}}', ("bad_message", "invalid_argument")),
    ('{"type":"presence","space":5,"state":{}}', ("invalid_argument",)),
    ('{"type":"sync_request","operation":"create","entity_type":"n","entity_id":"1","data":'
     + "[" * 500 + "]" * 500 + "}", ("too_deep", "bad_message")),
    ('{"type":"sync_request","operation":"create","entity_type":"n","entity_id":"'
     + "x" * 5000 + '","data":{}}', ("invalid_argument", "too_large")),
    ('{"type":"ping","x":"\\ud800"}', ("bad_message",)),
])
async def test_each_bad_message_gets_a_coded_error_and_the_session_goes_on(
        suite, user, text, codes):
    client = await Client.connect(suite.url, user)
    await client.send(text)
    refused(await client.push(), *codes)
    assert (await client.request("ping"))["success"]
    await client.close()


@pytest.mark.parametrize("data, code", [
    ("[" * 64 + "]" * 64, "too_deep"),
    ("[" * 100_000, "too_deep"),
    (r'"\ud83d"', "bad_message"),
    ("tru", "bad_message"),
])
async def test_who_waits_for_an_id_is_answered_though_the_message_cannot_be_read(
        suite, user, data, code):
    client = await Client.connect(suite.url, user)
    head = '"type":"sync_request","operation":"create","entity_type":"n","entity_id":"1"'
    for text in ('{"id":"before",' + head + ',"data":' + data + "}",
                 "{" + head + ',"id":7,"data":' + data + "}"):
        await client.send(text)
        answer = await client.push("error")
        refused(answer, code)
        assert answer["id"] in ("before", 7)
    await client.close()


async def test_a_message_over_the_limit_closes_with_1009(suite, user):
    client = await Client.connect(suite.url, user)
    limit = client.authenticated["limits"]["message_bytes_max"]
    await client.send('{"type":"ping","pad":"' + "x" * limit + '"}')
    assert await client.closed() == 1009


async def test_a_binary_frame_is_refused(suite, user):
    client = await Client.connect(suite.url, user)
    await client.send(os.urandom(64))
    assert await client.closed() == 4400


def handshake(port):
    s = socket.create_connection(("127.0.0.1", port), 5)
    s.sendall((f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
               + base64.b64encode(os.urandom(16)).decode() + "\r\n\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += s.recv(4096)
    assert b" 101 " in answer.split(b"\r\n")[0]
    return s


def masked_frame(first_byte, payload, claimed=None):
    mask = os.urandom(4)
    body = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
    if claimed is None:
        assert len(payload) < 126
        return struct.pack("!BB", first_byte, 0x80 | len(payload)) + mask + body
    return struct.pack("!BBQ", first_byte, 0x80 | 127, claimed) + mask + body


def close_code(s):
    """Reads frames until the server's close frame; returns its code, or None on a plain end."""
    s.settimeout(10)
    data = b""
    while True:
        while len(data) >= 2:
            opcode, length, offset = data[0] & 15, data[1] & 127, 2
            if length == 126:
                if len(data) < 4:
                    break
                length, offset = struct.unpack("!H", data[2:4])[0], 4
            if len(data) < offset + length:
                break
            if opcode == 8:
                return struct.unpack("!H", data[offset:offset + 2])[0] if length >= 2 else None
            data = data[offset + length:]
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            return None
        if not more:
            return None
        data += more


def test_a_frame_that_claims_a_gigabyte_is_refused_without_growth(suite):
    before = suite.gateway.resident_bytes()
    for _ in range(20):
        s = handshake(suite.ws_port)
        s.sendall(masked_frame(0x81, b"{", claimed=1 << 30))
        assert close_code(s) in (1009, None)
        s.close()
    assert suite.gateway.resident_bytes() - before < 64 << 20


def test_invalid_utf8_closes_the_connection_only(suite):
    s = handshake(suite.ws_port)
    s.sendall(masked_frame(0x81, b'{"type":"\xff\xfe"}'))
    assert close_code(s) in (1007, 4400)
    s.close()


async def test_random_bytes_and_half_open_connections_do_no_harm(suite, user):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    sockets = []
    for _ in range(60):
        s = socket.create_connection(("127.0.0.1", suite.ws_port), 5)
        s.sendall(rng.randbytes(rng.randrange(1, 3000)))
        sockets.append(s)
    for _ in range(30):
        sockets.append(socket.create_connection(("127.0.0.1", suite.ws_port), 5))
    for _ in range(40):
        s = handshake(suite.ws_port)
        s.sendall(rng.randbytes(rng.randrange(1, 3000)))
        sockets.append(s)
    client = await Client.connect(suite.url, user)
    assert (await client.request("ping"))["success"]
    for s in sockets:
        s.close()
    assert (await client.write("create", "n", "after", data={}))["success"]
    assert suite.gateway.get("/readyz")[0] == 200
    await client.close()


async def test_random_json_shapes_get_answers(suite, user):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    client = await Client.connect(suite.url, user)
    types = ["sync_request", "sync_batch", "get", "list", "history", "diff", "subscribe", "pause",
             "resume", "unsubscribe", "presence", "broadcast", "ping", "refresh", "update_device"]
    fields = ["space", "entity_type", "entity_id", "operation", "data", "patch", "operations",
              "state", "topic", "payload", "cursor", "mode", "filter", "limit", "page_token",
              "from", "to"]

    def value(depth=0):
        pick = rng.randrange(8 if depth < 3 else 6)
        if pick == 6:
            return [value(depth + 1) for _ in range(rng.randrange(4))]
        if pick == 7:
            return {rng.choice(fields): value(depth + 1) for _ in range(rng.randrange(4))}
        return [None, True, -1, 1e300, "", "x\u0000\U0001f600"][pick]

    asked = set()
    for i in range(300):
        message = {rng.choice(fields): value() for _ in range(rng.randrange(6))}
        message.update(type=rng.choice(types), id=f"q{i}")
        if message["type"] == "refresh":
            message["token"] = value()
        if message["type"] != "presence":  # Has an answer only when it is refused.
            asked.add(message["id"])
        await client.send(message)
    while asked:
        answer = await client.push(where=lambda m: m.get("id") in asked)
        assert answer["success"] or answer["error"]["code"] != "internal", answer
        asked.remove(answer["id"])
    assert (await client.request("ping"))["success"]
    await client.close()


async def test_tokens_with_a_swapped_algorithm_are_refused(suite, user):
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    body = token(user).split(".")[1]
    forged = [f"{header}.{body}.", f"{header}.{body}", token(user)[:-4] + "AAAA", "x", "", "a.b.c",
              "." * 50, token(user) + "x" * 10000]
    for text in forged:
        client = await Client.open(suite.url)
        answer = await client.request("authenticate", token=text)
        refused(answer, "unauthenticated", "invalid_argument")
        assert await client.closed() == 4401


async def test_a_flood_of_requests_beyond_the_limit_only_waits(suite, user):
    client = await Client.connect(suite.url, user)
    limit = client.authenticated["limits"]["in_flight_max"]
    answers = await asyncio.gather(*[
        client.write("update", "n", f"e{i}", data={"i": i}) for i in range(limit * 4)])
    assert all(answer["success"] for answer in answers)
    await client.close()


async def test_metrics_count_the_refused(suite, user):
    counter = 'bdcsync_gateway_errors_total{code="unknown_type"}'
    client = await Client.connect(suite.url, user)
    before = suite.gateway.metric(counter)
    for _ in range(3):
        refused(await client.request("no_such_thing"), "unknown_type")
    assert suite.gateway.metric(counter) == before + 3
    await client.close()
