"""Which of two changes is the later one: by clients' clocks, place by place."""

import time

from harness.client import Client


def ago(minutes):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 60 * minutes))


class Note:
    """A note that was made three hours ago, and is changed on top of that."""

    @classmethod
    async def make(cls, client, name, **fields):
        note = cls()
        note.client, note.name = client, name
        made = await client.write("create", "note", name, data=fields, client_time=ago(180))
        note.base = made["version_id"]
        return note

    async def change(self, minutes, **fields):
        clock = {} if minutes is None else {"client_time": ago(minutes)}
        answer = await self.client.write("patch", "note", self.name, patch=fields,
                                         base_version=self.base, **clock)
        assert answer["success"], answer
        return answer

    async def data(self):
        return (await self.client.get("note", self.name))["data"]


async def test_the_last_write_of_the_field_counts_and_not_that_of_the_head(suite, user):
    client = await Client.connect(suite.url, user)
    note = await Note.make(client, "n", a=0, b=0)
    await note.change(60, a=1)
    await note.change(None, b=1)  # Now: as a whole the head is the newest of all.
    await note.change(30, a=2)
    assert await note.data() == {"a": 2, "b": 1}
    await note.change(45, a=3)  # Before the last change of a.
    await note.change(45, b=3)
    assert await note.data() == {"a": 2, "b": 1}
    await note.change(20, a=4, b=4)
    assert await note.data() == {"a": 4, "b": 1}
    await client.close()


async def test_the_same_of_an_element_below_and_of_what_was_removed(suite, user):
    client = await Client.connect(suite.url, user)
    note = await Note.make(client, "n", deep={"a": 0, "b": 0}, other=0)
    await note.change(60, deep={"a": 1})
    await note.change(10, deep={"b": 1})
    await note.change(5, other=1)
    await note.change(30, deep={"a": 2, "b": 2})
    assert await note.data() == {"deep": {"a": 2, "b": 1}, "other": 1}
    await client.close()
