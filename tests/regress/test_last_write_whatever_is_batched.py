"""Of changes that were committed in one batch, `lww` let the last to arrive win, whatever clients'
clocks said, for a head that was not stored yet had no time. And the head's time counted for all
places, so that which of two fields won depended on what was written to the other meanwhile."""

import asyncio
import time

from harness.client import Client


def ago(minutes):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 60 * minutes))


async def test_the_later_write_wins_whatever_is_committed_together(suite, user):
    client = await Client.connect(suite.url, user)
    made = await client.write("create", "note", "n", data={"a": 0, "b": 0}, client_time=ago(180))

    async def change(field, minutes):
        answer = await client.write("patch", "note", "n", patch={field: minutes},
                                    base_version=made["version_id"], client_time=ago(minutes))
        assert answer["success"], answer

    # Those of a are the later ones, and each comes after those that were written later than it.
    await asyncio.gather(*[change("a", minutes) for minutes in range(21, 41)],
                         *[change("b", minutes) for minutes in range(61, 81)])
    assert (await client.get("note", "n"))["data"] == {"a": 21, "b": 61}
    await client.close()
