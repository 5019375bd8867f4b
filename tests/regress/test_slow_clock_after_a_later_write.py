"""Who edited on top of a change, with a clock that was slow, had written before that change as far
as `lww` knew: a write older than both took their place."""

import time

from harness.client import Client


def ago(minutes):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 60 * minutes))


async def test_no_clock_puts_a_version_before_the_one_it_was_made_from(suite, user):
    client = await Client.connect(suite.url, user)
    for kind in ("patch", "text"):
        made = await client.write("create", "note", kind, data={"a": "0"}, client_time=ago(180))
        base = made["version_id"]
        late = await client.write("patch", "note", kind, patch={"a": "10"}, base_version=base,
                                  client_time=ago(10))
        change = {"patch": {"a": "10, 30"}} if kind == "patch" else \
            {"text": {"path": "/a", "ops": [{"retain": 2}, {"insert": ", 30"}]}}
        on_it = await client.write(kind, "note", kind, base_version=late["version_id"],
                                   client_time=ago(30), **change)
        assert on_it["status"] == "applied", on_it
        older = await client.write("patch", "note", kind, patch={"a": "20"}, base_version=base,
                                   client_time=ago(20))
        assert older["status"] == "merged", older
        assert (await client.get("note", kind))["data"] == {"a": "10, 30"}
    await client.close()
