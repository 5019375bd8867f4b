"""Found by reading the feed: a message on the bus that told of a seq beyond the log's head, as
another suite on the same Redis may send it, or event-store before a failover lost the commit, was
believed for good. The gateway read the space again and again, and no subscriber was told
`caught_up` any more.
"""

import base64
import struct
import subprocess

from harness.client import Client

READS_MAX = 20


def varint(number):
    out = b""
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


async def test_a_commit_that_only_the_bus_tells_of_is_forgotten(make_suite, redis, user):
    suite = make_suite(redis_server=redis).start()
    space = "user:" + user
    writer = await Client.connect(suite.url, user)
    reader = await Client.connect(suite.url, user)
    cursor = (await writer.write("create", "n", "a", data=1))["cursor"]
    await reader.subscribe(cursor=cursor)
    await reader.events_until(lambda e, m: m["caught_up"])
    bytes_of_cursor = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    (epoch,) = struct.unpack(">Q", bytes_of_cursor[1:9])
    commit = (b"\x0a" + varint(len(space)) + space.encode() + b"\x11" + struct.pack("<Q", epoch) +
              b"\x18" + varint(1000) + b"\x20" + varint(1000))  # An event_store.v1.SpaceCommit.
    subprocess.run(["redis-cli", "-p", str(redis.port), "-x", "PUBLISH", "bdc:space:" + space],
                   input=commit, check=True, capture_output=True)
    await writer.write("create", "n", "b", data=2)
    events, _ = await reader.events_until(lambda e, m: bool(e))
    assert [event["entity_id"] for event in events] == ["b"]
    later = await Client.connect(suite.url, user)
    await later.subscribe(cursor=cursor)
    events, _ = await later.events_until(lambda e, m: m["caught_up"])
    assert [event["entity_id"] for event in events] == ["b"]
    assert suite.gateway.metric("bdcsync_gateway_feed_pages_read_total") < READS_MAX
    for client in (writer, reader, later):
        await client.close()
    suite.stop()
