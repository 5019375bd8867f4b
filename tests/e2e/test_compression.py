"""`websocket.compression_enabled`: permessage-deflate (RFC 7692) for clients that offer it."""

import zlib

import pytest

from harness.client import Client
from harness.proto_client import ProtoClient
from harness.raw import RawSocket
from harness.timing import SCALE

THRESHOLD = 2048


@pytest.fixture(scope="module")
def compressing(make_suite):
    suite = make_suite(env={"BDC_SYNC_WS_COMPRESSION_ENABLED": "true",
                            "BDC_SYNC_WS_COMPRESSION_THRESHOLD_BYTES": str(THRESHOLD)}).start()
    yield suite
    suite.kill()


def document(kib):
    return {"lines": ["the quick brown fox jumps over the lazy dog"] * (kib * 1024 // 46)}


async def test_compressed_clients_and_plain_ones_see_the_same(compressing, user):
    clients = [await Client.connect(compressing.url, user, device_id="a", compression="deflate"),
               await Client.connect(compressing.url, user, device_id="b", compression=None),
               await ProtoClient.connect(compressing.url, user, device_id="c",
                                         compression="deflate")]
    offered = [bool(client.socket.extensions) for client in clients]
    assert offered == [True, False, True]
    for client in clients:
        await client.subscribe()
        await client.push("changes", where=lambda m: m["caught_up"])
    for i, client in enumerate(clients):  # Compressed requests are understood too.
        written = await client.write("create", "note", f"n{i}", data=document(40 + i))
        assert written["status"] == "applied"
    for client in clients:
        events, _ = await client.events_until(lambda e, m: len(e) >= 3)
        assert [e["data"] for e in events] == [document(40), document(41), document(42)]
        assert (await client.get("note", "n1"))["data"] == document(41)
    status, text = compressing.gateway.get("/metrics")
    counted = {line.split()[0]: float(line.split()[1]) for line in text.splitlines()
               if line.startswith("bdcsync_gateway_compression_bytes_total{")}
    before = counted['bdcsync_gateway_compression_bytes_total{stage="before"}']
    after = counted['bdcsync_gateway_compression_bytes_total{stage="after"}']
    assert 0 < after < before / 5
    for client in clients:
        await client.close()


def authenticated(port, user, extensions):
    raw = RawSocket(port, f"Sec-WebSocket-Extensions: {extensions}\r\n")
    raw.authenticate(user)
    return raw


def test_frames_above_the_threshold_have_rsv1_and_stand_alone(compressing, user):
    raw = authenticated(compressing.ws_port, user, "permessage-deflate; client_max_window_bits")
    assert "permessage-deflate" in raw.head and "server_no_context_takeover" in raw.head
    assert "client_no_context_takeover" in raw.head and "client_max_window_bits=12" in raw.head
    data = "y" * (4 * THRESHOLD)
    raw.send('{"type":"sync_request","operation":"create","entity_type":"n","entity_id":"1",'
             '"data":"%s"}' % data)
    assert raw.frame()[0] == 0x81  # A short answer is sent as it is.
    for _ in range(3):
        raw.send('{"type":"get","entity_type":"n","entity_id":"1"}')
        first, payload = raw.frame()
        assert first == 0xC1 and len(payload) < 1024
        # A new decompressor each time: nothing before is needed.
        text = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff").decode()
        assert f'"data":"{data}"' in text and '"type":"entity"' in text
    raw.close()


def test_a_client_with_a_smaller_window_gets_messages_as_they_are(compressing, user):
    raw = authenticated(compressing.ws_port, user, "permessage-deflate; server_max_window_bits=10")
    raw.send('{"type":"sync_request","operation":"create","entity_type":"n","entity_id":"1",'
             '"data":"%s"}' % ("y" * 4 * THRESHOLD))
    raw.frame()
    raw.send('{"type":"get","entity_type":"n","entity_id":"1"}')
    first, payload = raw.frame()
    assert first == 0x81 and b'"type":"entity"' in payload
    raw.close()


async def test_idle_compressed_connections_stay_small(compressing, user):
    async def resident_kib_with(count, **options):
        clients = [await Client.connect(compressing.url, user, device_id=f"d{i}", **options)
                   for i in range(count)]
        for client in clients:
            await client.get("note", "large")
        with open(f"/proc/{compressing.gateway.popen.pid}/status") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        for client in clients:
            await client.close()
        return resident

    writer = await Client.connect(compressing.url, user, device_id="w", compression="deflate")
    await writer.write("create", "note", "large", data=document(64))
    await writer.close()
    await resident_kib_with(200, compression=None)  # Whatever grows once has grown.
    plain = await resident_kib_with(200, compression=None)
    compressed = await resident_kib_with(200, compression="deflate")
    # A window of 32 KiB in each direction would be 12 MiB; a compressor each, 50 MiB.
    if SCALE == 1:  # A sanitizer's own memory says nothing about ours.
        assert compressed - plain < 6 * 1024, (plain, compressed)


async def test_without_the_key_no_compression_is_agreed(suite, user):
    client = await Client.connect(suite.url, user, compression="deflate")
    assert client.socket.extensions == []
    await client.close()
